"""Every secret that the suite has seen, so that the last test can look for them where none may be: logs, trail, files at rest.

Secrets are collected by themselves from each client's traffic (`watch`), and by hand where a test makes one (`keep`).
"""

import re
import urllib.parse

from . import seen

SECRETS = {}  # the value -> what it is
SIGNATURES = {}
SERVERS = []  # every server started, with its data directory and its logs

SECRET_MEMBERS = {"SecretAccessKey", "SessionToken", "Password", "NewPassword", "OldPassword", "ServicePassword", "ServiceCredentialSecret",
                  "Base32StringSeed"}


def keep(value, what):
    """Remembers a secret. Short and monotonous ones would be found by chance, so they are left out."""
    if value and len(value) >= 16 and len(set(value)) >= 8:
        SECRETS[value] = what
    return value


def keep_signature(value):
    if value:
        SIGNATURES[value] = "signature"


def _walk(tree, what):
    if isinstance(tree, dict):
        for name, value in tree.items():
            if name in SECRET_MEMBERS and isinstance(value, (str, bytes)):
                keep(value if isinstance(value, str) else value.decode(), f"{name} of {what}")
            else:
                _walk(value, what)
    elif isinstance(tree, list):
        for value in tree:
            _walk(value, what)


def note_url(url):
    """Remembers the signature and the token in a presigned URL."""
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)
    for value in query.get("X-Amz-Signature", []):
        keep_signature(value)
    for value in query.get("X-Amz-Security-Token", []):
        keep(value, "session token in a URL")
    return url


def note_headers(headers):
    """Remembers the signature in an Authorization header."""
    for name, value in headers:
        text = value.decode() if isinstance(value, bytes) else value
        if name.lower() == "authorization":
            for found in re.findall(r"Signature=([0-9a-f]{64})", text):
                keep_signature(found)


def watch(client):
    """Collects the secrets that pass through a boto3 client, in either direction."""

    def before(params, model, **_):
        _walk(params, model.name)

    def after(parsed, model, **_):
        _walk(parsed, model.name)

    def sent(request, **_):
        note_headers(request.headers.items())
        note_url(request.url)

    client.meta.events.register("provide-client-params.*.*", before)
    client.meta.events.register("after-call.*.*", after)
    client.meta.events.register("before-send.*.*", sent)
    seen.watch(client)
    return client
