"""Requests signed by botocore and sent as they are, so that a test can bend each part of them."""

import contextlib
import datetime
import hashlib
import http.client
import json
import urllib.parse
import xml.etree.ElementTree

import botocore.auth
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest

from . import ledger

VERSIONS = {"iam": "2010-05-08", "sts": "2011-06-15"}
NAMESPACES = {"iam": "https://iam.amazonaws.com/doc/2010-05-08/", "sts": "https://sts.amazonaws.com/doc/2011-06-15/"}
FORM = "application/x-www-form-urlencoded; charset=utf-8"


class Reply:
    """A raw reply, with its body read as XML or JSON on demand."""

    def __init__(self, status, headers, text):
        self.status, self.headers, self.bytes = status, {name.lower(): value for name, value in headers}, text

    @property
    def text(self):
        return self.bytes.decode()

    @property
    def json(self):
        return json.loads(self.bytes)

    @property
    def xml(self):
        return xml.etree.ElementTree.fromstring(self.bytes)

    def find(self, name):
        """The text of the first element of that name, whatever its namespace; None where there is none."""
        for element in self.xml.iter():
            if element.tag.rpartition("}")[2] == name:
                return element.text or ""
        return None

    @property
    def code(self):
        return self.find("Code")

    @property
    def message(self):
        return self.find("Message")

    def __repr__(self):
        return f"<{self.status} {self.bytes[:600]!r}>"


def send(server, method, target, headers, data=b"", timeout=20):
    """One request on a connection of its own. Headers are a list of pairs, sent in their order and as they are."""
    connection = http.client.HTTPConnection(*server.address, timeout=timeout)
    try:
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        names = {name.lower() for name, _ in headers}
        for name, value in headers:
            connection.putheader(name, value)
        if "host" not in names:
            connection.putheader("Host", server.listen)
        if "content-length" not in names and "transfer-encoding" not in names and (data or method in {"POST", "PUT"}):
            connection.putheader("Content-Length", str(len(data)))
        connection.endheaders(data or None)
        answer = connection.getresponse()
        return Reply(answer.status, answer.getheaders(), answer.read())
    finally:
        connection.close()


class Signed:
    """A signed request that has not been sent: method, target, headers and data may be changed first."""

    def __init__(self, server, method, target, headers, data):
        self.server, self.method, self.target, self.headers, self.data = server, method, target, list(headers), data

    def header(self, name):
        return next(value for known, value in self.headers if known.lower() == name.lower())

    def without(self, name):
        self.headers = [(known, value) for known, value in self.headers if known.lower() != name.lower()]
        return self

    def with_header(self, name, value):
        """Replaces a header, or adds it."""
        self.without(name).headers.append((name, value))
        return self

    def adding(self, name, value):
        """Adds a header beside what is there."""
        self.headers.append((name, value))
        return self

    def send(self):
        return send(self.server, self.method, self.target, self.headers, self.data)


@contextlib.contextmanager
def clock(seconds):
    """Whatever is signed inside is dated so many seconds from now."""
    real = botocore.auth.get_current_datetime
    botocore.auth.get_current_datetime = lambda *given, **named: real(*given, **named) + datetime.timedelta(seconds=seconds)
    try:
        yield
    finally:
        botocore.auth.get_current_datetime = real


def sign(principal, service, method="POST", path="/", params=None, data=b"", headers=(), *, region=None, host=None, scope=None, auth=SigV4Auth):
    """Signs by header. `scope` is the service in the credential scope where it should differ."""
    server = principal.server
    host = host or server.listen
    request = AWSRequest(method=method, url=f"http://{host}{path}", params=params or {}, data=data, headers=dict(headers))
    request.headers["Host"] = host
    auth(principal.credentials, scope or service, region or principal.region).add_auth(request)
    ledger.note_headers(request.headers.items())
    query = urllib.parse.urlencode(params or {}, quote_via=urllib.parse.quote, safe="-_.~")
    return Signed(server, method, path + (f"?{query}" if query else ""), list(request.headers.items()), data)


def query(principal, service, action, parameters=None, *, method="POST", headers=(), version=None, **options):
    """A signed call of the Query protocol, by POST with a form body or by GET."""
    fields = {"Action": action, "Version": version or VERSIONS[service], **(parameters or {})}
    if method == "GET":
        return sign(principal, service, "GET", params=fields, headers=headers, **options)
    data = urllib.parse.urlencode(fields).encode()
    return sign(principal, service, method, data=data, headers={"Content-Type": FORM, **dict(headers)}, **options)


def presign(principal, service, action, parameters=None, *, expires=60, region=None, headers=(), version=None, seconds_ago=0):
    """A presigned GET of the Query protocol."""
    server = principal.server
    fields = {"Action": action, "Version": version or VERSIONS[service], **(parameters or {})}
    query = urllib.parse.urlencode(fields, quote_via=urllib.parse.quote, safe="-_.~")
    request = AWSRequest(method="GET", url=f"{server.url}/?{query}", headers=dict(headers))
    with clock(-seconds_ago):
        SigV4QueryAuth(principal.credentials, service, region or principal.region, expires=expires).add_auth(request)
    ledger.note_url(request.url)
    parts = urllib.parse.urlsplit(request.url)
    return Signed(server, "GET", f"/?{parts.query}", [(name, value) for name, value in dict(headers).items()], b"")


def sha256(data):
    return hashlib.sha256(data).hexdigest()
