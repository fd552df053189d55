"""How another server asks: it captures a request that botocore's own S3 signer made, and puts it to POST /authorize."""

import json
import urllib.parse

from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.config import Config

from . import ledger
from .principals import REGION, _BOTO
from .signing import clock, sha256, sign

HOST = "store.example:9000"


class _Nothing:
    """The body of a reply that never came."""

    def stream(self, *_, **__):
        return iter([b""])

    def read(self, *_):
        return b""


class Capturing:
    """boto3's S3 client of a principal, whose requests are kept instead of sent."""

    def __init__(self, principal, host=HOST, scheme="http", **config):
        self.last = None
        settings = Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}, **config)
        self.client = _BOTO.client("s3", region_name=REGION, endpoint_url=f"{scheme}://{host}", aws_access_key_id=principal.key_id,
                                   aws_secret_access_key=principal.secret, aws_session_token=principal.token, config=settings)
        ledger.watch(self.client)
        self.client.meta.events.register("before-send.s3.*", self._keep)

    def _keep(self, request, **_):
        self.last = request
        return AWSResponse(request.url, 200, {}, _Nothing())

    def captured(self, operation, **parameters):
        """The request that an operation would have sent, as the store would put it to Bailiwick."""
        getattr(self.client, operation)(**parameters)
        return as_captured(self.last.method, self.last.url, self.last.headers.items(), self.last.body)


def as_captured(method, url, headers, body=b"", *, source_ip="203.0.113.9", secure=True):
    parts = urllib.parse.urlsplit(url)
    pairs = [[name.lower(), value.decode() if isinstance(value, bytes) else value] for name, value in headers]
    if not any(name == "host" for name, _ in pairs):
        pairs.insert(0, ["host", parts.netloc])
    made = {"method": method, "uri": parts.path + (f"?{parts.query}" if parts.query else ""), "headers": pairs, "sourceIp": source_ip, "secureTransport": secure}
    if isinstance(body, (bytes, bytearray)):
        made["payloadSha256"] = sha256(bytes(body))
    elif isinstance(body, str):
        made["payloadSha256"] = sha256(body.encode())
    return made


def signed_request(principal, method="GET", path="/bucket/key", *, service="s3", region=REGION, host=HOST, headers=(), body=b"", auth=S3SigV4Auth, seconds=0):
    """A request signed by botocore, without a client around it."""
    request = AWSRequest(method=method, url=f"http://{host}{path}", headers=dict(headers), data=body)
    with clock(seconds):
        auth(principal.credentials, service, region).add_auth(request)
    ledger.note_headers(request.headers.items())
    return as_captured(method, request.url, request.headers.items(), body)


def presigned_request(principal, method="GET", path="/bucket/key", *, expires=300, region=REGION, host=HOST, seconds=0, headers=()):
    request = AWSRequest(method=method, url=f"http://{host}{path}", headers=dict(headers))
    with clock(seconds):
        S3SigV4QueryAuth(principal.credentials, "s3", region, expires=expires).add_auth(request)
    ledger.note_url(request.url)
    made = as_captured(method, request.url, request.headers.items(), None)
    return made


def unsigned_request(method="GET", path="/bucket/key", host=HOST):
    return as_captured(method, f"http://{host}{path}", [])


def check(action="s3:GetObject", resource="arn:aws:s3:::bucket/key", **more):
    return {"action": action, "resource": resource, **more}


def post(asker, document, *, path="/authorize", **options):
    """The asker's own signed call, with whatever document. Returns the raw reply."""
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    return sign(asker, "bailiwick", "POST", path, data=data, headers={"Content-Type": "application/json"}, **options).send()


def ask(asker, request, *checks, **more):
    """Puts a captured request to the server, which must answer 200. Returns the answer."""
    reply = post(asker, {"request": request, "checks": list(checks or [check()]), **more})
    assert reply.status == 200, reply
    return reply.json


def decide(asker, request, *checks, **more):
    """The decisions alone."""
    answer = ask(asker, request, *checks, **more)
    assert "error" not in answer, answer
    return [(each["decision"], each["because"]) for each in answer["decisions"]]


def resource_policy(principal, action="s3:GetObject", resource="arn:aws:s3:::bucket/*", effect="Allow", **more):
    return {"Version": "2012-10-17", "Statement": [{"Effect": effect, "Principal": principal, "Action": action, "Resource": resource, **more}]}


def refused_capture(answer, code=None, status=None):
    """The captured request did not authenticate: an error, and no decision."""
    assert set(answer) == {"error"}, answer
    error = answer["error"]
    assert set(error) >= {"code", "message", "status"}
    if code:
        assert error["code"] == code, error
    if status:
        assert error["status"] == status, error
    return error


