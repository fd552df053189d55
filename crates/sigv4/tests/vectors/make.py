#!/usr/bin/env python3
"""Writes signatures.json: requests signed by botocore, with frozen time and fixed keys.

    python3 -m venv venv && venv/bin/pip install botocore==1.44.5 && venv/bin/python make.py

Two kinds: what botocore's clients send for real operations, caught just before it would leave; and what its signer makes of
requests that no operation has, such as odd paths. The keys are made up. Running it again changes nothing in the file.
"""

import base64
import datetime
import hashlib
import io
import json
import pathlib
from urllib.parse import urlsplit

import botocore
import botocore.auth
import botocore.config
import botocore.session
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

NOW = datetime.datetime(2026, 1, 2, 3, 4, 5)
AT = int(NOW.replace(tzinfo=datetime.timezone.utc).timestamp())
KEY_ID, SECRET = "AKIARZPUZDIKGB2VALC4", "made-up+secret/for+the+tests/of+bailiwick"
TEMPORARY_KEY_ID, TEMPORARY_SECRET = "ASIARZPUZDIKGB2VALC4", "another+made-up+secret/for+tests+only+now"
# As long as real ones, with every character that base64 has.
TOKEN = base64.b64encode(b"".join(hashlib.sha256(bytes([n])).digest() for n in range(14))).decode()

LONG_TERM = Credentials(KEY_ID, SECRET)
TEMPORARY = Credentials(TEMPORARY_KEY_ID, TEMPORARY_SECRET, TOKEN)

cases = []


def freeze():
    botocore.auth.get_current_datetime = lambda *_, **__: NOW


def body_bytes(body):
    if body is None:
        return b""
    if hasattr(body, "read"):
        return body.read()
    return body if isinstance(body, bytes) else body.encode()


def add(name, method, url, headers, body, credentials, service, region, **more):
    """One case. `headers` are pairs; the host is added as HTTP libraries do."""
    parts = urlsplit(url)
    uri = (parts.path or "/") + ("?" + parts.query if parts.query else "")
    pairs = [[k, v.decode() if isinstance(v, bytes) else str(v)] for k, v in headers]
    if not any(k.lower() == "host" for k, _ in pairs):
        pairs.insert(0, ["Host", botocore.auth._host_from_url(url)])
    assert name not in [case["name"] for case in cases], name
    cases.append(
        {
            "name": name,
            "service": service,
            "region": region,
            "temporary": credentials is TEMPORARY,
            "method": method,
            "uri": uri,
            "headers": pairs,
            "body": base64.b64encode(body_bytes(body)).decode(),
            **more,
        }
    )


class Caught(Exception):
    pass


def client(service, region="us-east-1", credentials=LONG_TERM, endpoint=None, **config):
    session = botocore.session.Session()
    session.set_config_variable("region", region)
    made = session.create_client(
        service,
        region_name=region,
        endpoint_url=endpoint,
        aws_access_key_id=credentials.access_key,
        aws_secret_access_key=credentials.secret_key,
        aws_session_token=credentials.token,
        config=botocore.config.Config(retries={"max_attempts": 0}, **config),
    )
    return made


def call(name, service, operation, arguments=None, region="us-east-1", credentials=LONG_TERM, endpoint=None, signed_as=None, payload="hash", **config):
    """Catches the request that an operation sends."""
    made = client(service, region, credentials, endpoint, **config)

    def catch(request, **_):
        # The agent names the machine, and is never signed.
        headers = [(k, "botocore" if k.lower() == "user-agent" else v) for k, v in request.headers.items()]
        add(name, request.method, request.url, headers, request.body, credentials, signed_as or service, region, payload=payload)
        raise Caught()

    # The SDK's own ids differ in each run, and are not part of what is tested.
    def no_ids(request, **_):
        for header in ("amz-sdk-invocation-id", "amz-sdk-request"):
            if header in request.headers:
                del request.headers[header]

    made.meta.events.register("request-created", no_ids)
    made.meta.events.register("before-sign", no_ids)
    made.meta.events.register("before-send", catch)
    try:
        getattr(made, operation)(**(arguments or {}))
    except Caught:
        return
    raise AssertionError(f"{name}: nothing was sent")


def url(name, service, operation, arguments=None, region="us-east-1", credentials=LONG_TERM, endpoint=None, expires=60, headers=(), method=None, body=b"", payload=None, **config):
    """The presigned URL of an operation. `headers` are signed with it, and must be sent by whoever uses it."""
    made = client(service, region, credentials, endpoint, **config)

    def inject(request, **_):
        for k, v in headers:
            if k not in request.headers:
                request.headers[k] = v

    made.meta.events.register("before-sign", inject)
    method = method or {"put_object": "PUT", "delete_object": "DELETE", "head_object": "HEAD"}.get(operation, "GET")
    signed = made.generate_presigned_url(operation, Params=arguments or {}, ExpiresIn=expires, HttpMethod=method)
    payload = payload or ("unsigned" if service == "s3" else "hash")
    add(name, method, signed, headers, body, credentials, service, region, payload=payload, expires=expires)


def raw(name, auth, method, target, service, region="eu-central-1", headers=(), body=b"", credentials=LONG_TERM, payload="hash", expires=None, **more):
    """What the signer makes of a request as it is given."""
    # The query signers would move the body into the query.
    request = AWSRequest(method=method, url=target, data=b"" if expires else body)
    for k, v in headers:
        request.headers.add_header(k, v)
    request.context["payload_signing_enabled"] = more.pop("signs_payload", True)
    signer = auth(credentials, service, region, **({"expires": expires} if expires else {}))
    signer.add_auth(request)
    if expires:
        more["expires"] = expires
    add(name, method, request.url, list(request.headers.items()), body, credentials, service, region, payload=payload, **more)
    return request, signer


def announcing(word, auth=S3SigV4Auth):
    """An S3 signer that announces another kind of payload, as its context would make it do."""
    return type("Announcing", (auth,), {"payload": lambda self, request: word})


def operations():
    endpoint = "http://127.0.0.1:7650"
    for credentials, kind in ((LONG_TERM, "long-term"), (TEMPORARY, "temporary")):
        call(f"sts GetCallerIdentity, {kind}", "sts", "get_caller_identity", credentials=credentials)
        call(f"sts GetCallerIdentity at an endpoint of one's own, {kind}", "sts", "get_caller_identity", region="eu-west-1", credentials=credentials, endpoint=endpoint)
        call(f"iam CreateUser, {kind}", "iam", "create_user", {"UserName": "alice+x@example.com", "Path": "/a b/", "Tags": [{"Key": "é", "Value": "ü=&~"}]}, credentials=credentials)
        call(f"iam ListUsers at an endpoint of one's own, {kind}", "iam", "list_users", region="ap-southeast-2", credentials=credentials, endpoint=endpoint)
        call(f"organizations DescribeOrganization, {kind}", "organizations", "describe_organization", credentials=credentials)
        call(f"s3 GetObject, {kind}", "s3", "get_object", {"Bucket": "reports", "Key": "q1.csv"}, credentials=credentials)
        call(f"s3 PutObject, {kind}", "s3", "put_object", {"Bucket": "reports", "Key": "q1.csv", "Body": b"a,b\n1,2\n"}, credentials=credentials, endpoint=endpoint)
    call("sts AssumeRole", "sts", "assume_role", {"RoleArn": "arn:aws:iam::123456789012:role/a/b", "RoleSessionName": "s@x", "Policy": json.dumps({"Version": "2012-10-17", "Statement": []})})
    call("sso-admin ListInstances", "sso-admin", "list_instances", signed_as="sso")
    call("identitystore ListUsers", "identitystore", "list_users", {"IdentityStoreId": "d-1234567890"})
    call("accessanalyzer GetAnalyzer", "accessanalyzer", "get_analyzer", {"analyzerName": "a.b_c-d"}, signed_as="access-analyzer")
    call("accessanalyzer ListAnalyzers", "accessanalyzer", "list_analyzers", {"type": "ACCOUNT", "maxResults": 5}, signed_as="access-analyzer")
    call("accessanalyzer UntagResource, an ARN in the path and a key twice", "accessanalyzer", "untag_resource", {"resourceArn": "arn:aws:access-analyzer:us-east-1:123456789012:analyzer/a b", "tagKeys": ["b", "a c", "a+c"]}, signed_as="access-analyzer")
    call("rolesanywhere GetProfile", "rolesanywhere", "get_profile", {"profileId": "00000000-0000-0000-0000-000000000000"})
    call("lambda Invoke, a name with a colon", "lambda", "invoke", {"FunctionName": "f:live", "Payload": b"{}"})
    keys = {
        "slashes and dots": "a//b/../c/./d",
        "a slash at its front": "/a",
        "blanks": "a b  c",
        "plus and escapes": "a+b%2Fc%20d%",
        "sub-delims": "!$&'()*+,;=:@",
        "tilde and friends": "~._-",
        "unicode": "été/日本/𝄞",
        "question and hash": "a?b#c",
        "controls": "a\tb\nc",
    }
    for kind, key in keys.items():
        for operation in ("get_object", "put_object"):
            arguments = {"Bucket": "reports", "Key": key, **({"Body": b"body"} if operation == "put_object" else {})}
            call(f"s3 {operation}, a key with {kind}", "s3", operation, arguments, endpoint=endpoint, s3={"addressing_style": "path"})
        url(f"s3 presigned get, a key with {kind}", "s3", "get_object", {"Bucket": "reports", "Key": key}, s3={"addressing_style": "path"}, signature_version="s3v4")
    call("s3 ListObjectsV2 with a prefix", "s3", "list_objects_v2", {"Bucket": "reports", "Prefix": "a b/+é&=", "Delimiter": "/"}, endpoint=endpoint)
    call("s3 GetBucketAcl, a parameter without a value", "s3", "get_bucket_acl", {"Bucket": "reports"}, endpoint=endpoint)
    call("s3 DeleteObjects", "s3", "delete_objects", {"Bucket": "reports", "Delete": {"Objects": [{"Key": "a"}]}}, endpoint=endpoint)
    call("s3 CopyObject", "s3", "copy_object", {"Bucket": "reports", "Key": "b", "CopySource": "reports/a b", "Metadata": {"x": "1  2"}}, endpoint=endpoint)
    call("s3 HeadBucket, virtual host", "s3", "head_bucket", {"Bucket": "reports"}, region="eu-west-3")
    call("s3 PutObject over TLS, an unsigned payload with a trailer", "s3", "put_object", {"Bucket": "reports", "Key": "k", "Body": io.BytesIO(b"streamed")}, payload="streaming-unsigned-trailer")
    call("s3 PutObject over TLS, payload signed", "s3", "put_object", {"Bucket": "reports", "Key": "k", "Body": b"signed", "ContentMD5": "oFs2E+B/Q01Km9oT1VjHYA=="}, s3={"payload_signing_enabled": True}, request_checksum_calculation="when_required")
    call("s3 PutObject over TLS, payload not signed", "s3", "put_object", {"Bucket": "reports", "Key": "k", "Body": b"not signed", "ContentMD5": "oFs2E+B/Q01Km9oT1VjHYA=="}, s3={"payload_signing_enabled": False}, request_checksum_calculation="when_required", payload="unsigned")
    call("s3-outposts ListEndpoints", "s3outposts", "list_endpoints", signed_as="s3-outposts")


def urls():
    eks = [("x-k8s-aws-id", "my-cluster")]
    for credentials, kind in ((LONG_TERM, "long-term"), (TEMPORARY, "temporary")):
        url(f"sts presigned GetCallerIdentity, {kind}", "sts", "get_caller_identity", credentials=credentials)
        url(f"sts presigned GetCallerIdentity as EKS does, {kind}", "sts", "get_caller_identity", credentials=credentials, headers=eks, region="eu-west-1")
        url(f"s3 presigned put, {kind}", "s3", "put_object", {"Bucket": "reports", "Key": "k"}, credentials=credentials, body=b"whatever", signature_version="s3v4", expires=604800)
    url("sts presigned POST of GetCallerIdentity", "sts", "get_caller_identity", method="POST")
    url("iam presigned ListUsers", "iam", "list_users", {"PathPrefix": "/a b+c/"})
    url("s3 presigned put with metadata and content type", "s3", "put_object", {"Bucket": "reports", "Key": "k", "ContentType": "text/plain; charset=utf-8", "Metadata": {"a": "b"}}, headers=[("content-type", "text/plain; charset=utf-8"), ("x-amz-meta-a", "b")], body=b"x", signature_version="s3v4")
    url("s3 presigned list", "s3", "list_objects_v2", {"Bucket": "reports", "Prefix": "é/ +", "Delimiter": "/"}, signature_version="s3v4")
    url("s3 presigned get with an answer's headers", "s3", "get_object", {"Bucket": "reports", "Key": "k", "ResponseContentDisposition": 'attachment; filename="a b.txt"', "VersionId": "v1"}, signature_version="s3v4", expires=1)
    url("s3 presigned head at a port", "s3", "head_object", {"Bucket": "reports", "Key": "k"}, endpoint="http://localhost:9000", signature_version="s3v4")
    url("s3 presigned delete", "s3", "delete_object", {"Bucket": "reports", "Key": "k"}, signature_version="s3v4")


def requests():
    paths = {
        "empty": "",
        "slash": "/",
        "slashes": "//",
        "slashes at its ends": "//a//",
        "dots": "/a//b/../c",
        "dots at its end": "/a/..",
        "dot at its end": "/a/.",
        "dots beyond its root": "/../../a/",
        "three dots": "/a/.../b",
        "encoded dots": "/a/%2E%2E/b",
        "blanks": "/a%20b",
        "an encoded slash": "/a%2Fb",
        "an encoded slash in lower case": "/a%2fb",
        "an encoded percent": "/a%252Fb",
        "a plus": "/a+b",
        "an encoded plus": "/a%2Bb",
        "a tilde": "/~a",
        "an encoded tilde": "/%7Ea",
        "sub-delims": "/!$&'()*,;=:@",
        "unicode": "/%C3%A9/%E6%97%A5",
        "unicode not encoded": "/é",
    }
    for kind, path in paths.items():
        raw(f"execute-api, a path with {kind}", SigV4Auth, "GET", "https://example.com" + path, "execute-api")
    # S3 paths are signed as they are sent, so only those that are already in their one form.
    for kind in ("slash", "slashes", "dots", "dots beyond its root", "blanks", "an encoded slash", "an encoded percent", "a plus", "an encoded plus", "a tilde", "unicode"):
        raw(f"s3, a path with {kind}", S3SigV4Auth, "GET", "https://example.com" + paths[kind], "s3")
    queries = {
        "an empty value": "a=",
        "no value": "acl",
        "only an ampersand": "&",
        "an empty pair": "b=1&&a=2&",
        "a key twice": "a=2&a=1&a=10",
        "the same twice": "a=1&a=1",
        "keys in another order": "b=1&B=2&a=3&A=4&aa=5&a-=6&a%20=7",
        "escapes": "x=%20%2F%2B%3D%26%25~-_.&%C3%A9=%E6%97%A5",
        "a plus": "a=b+c",
        "keys that begin alike": "a-b=1&a.b=2&a=3&a%2Fb=4&ab=5",
        "many": "&".join(f"k{n % 7}-{n}=v{n}" for n in range(60)),
    }
    for kind, query in queries.items():
        raw(f"execute-api, a query with {kind}", SigV4Auth, "GET", "https://example.com/p?" + query, "execute-api")
        raw(f"s3 presigned, a query with {kind}", S3SigV4QueryAuth, "GET", "https://example.com/p?" + query, "s3", payload="unsigned", expires=900)
    raw("a Date header", SigV4Auth, "POST", "https://example.com/", "iam", headers=[("Date", "soon replaced")], body=b"Action=ListUsers&Version=2010-05-08")
    raw("blanks in headers", SigV4Auth, "GET", "https://example.com/", "iam", headers=[("X-Amz-Meta", "  a   b\t c  "), ("Quoted", '"a   b"'), ("Empty", "")])
    raw("a header twice", SigV4Auth, "GET", "https://example.com/", "iam", headers=[("X-List", "b"), ("X-List", " a "), ("X-List", "b")])
    raw("attributes in two lines", S3SigV4Auth, "GET", "https://example.com/b/k?attributes", "s3", headers=[("X-Amz-Object-Attributes", "ETag"), ("X-Amz-Object-Attributes", "ObjectSize")])
    raw("header names that sort closely", SigV4Auth, "GET", "https://example.com/", "iam", headers=[("a-b", "1"), ("a", "2"), ("a_b", "3"), ("a1", "4"), ("A-A", "5")])
    raw("another method and port", SigV4Auth, "PATCH", "http://example.com:8080/x", "iam", body=b"\x00\xff")
    raw("the hash of the body also in a header", SigV4Auth, "POST", "https://example.com/", "glacier", headers=[("X-Amz-Content-SHA256", hashlib.sha256(b"body").hexdigest())], body=b"body")
    raw("presigned with a signed content type", SigV4QueryAuth, "POST", "https://example.com/", "execute-api", headers=[("content-type", "text/plain")], expires=60)
    raw("presigned temporary", SigV4QueryAuth, "GET", "https://example.com/?b=1&a=2", "execute-api", credentials=TEMPORARY, expires=60)

    words = {
        "UNSIGNED-PAYLOAD": "unsigned",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD": "streaming",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER": "streaming-trailer",
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER": "streaming-unsigned-trailer",
        hashlib.sha256(b"body").hexdigest(): "hash",
    }
    for word, payload in words.items():
        extra = [("Content-Encoding", "aws-chunked"), ("X-Amz-Decoded-Content-Length", "4")] if payload.startswith("streaming") else []
        if payload.endswith("trailer"):
            extra.append(("X-Amz-Trailer", "x-amz-checksum-crc32c"))
        made = announcing(word)
        request, signer = raw(f"s3 payload {payload}, in the header", made, "PUT", "https://example.com/b/k", "s3", headers=extra, body=b"body", payload=payload, **({"chunks": None} if payload in ("streaming", "streaming-trailer") else {}))
        if payload in ("streaming", "streaming-trailer"):
            cases[-1].update(chunks(request, signer, payload == "streaming-trailer"))
        header = [("X-Amz-Content-SHA256", word)]
        raw(f"s3 payload {payload}, in the query and a signed header", type("Keeping", (KeepsHeader, S3SigV4QueryAuth), {}), "PUT", "https://example.com/b/k", "s3", headers=header + extra, body=b"body", payload=payload, expires=60)
        raw(f"s3 payload {payload}, in the query alone", type("Hoisted", (Hoists, S3SigV4QueryAuth), {"word": word}), "PUT", "https://example.com/b/k?X-Amz-Content-Sha256=" + word, "s3", body=b"body", payload=payload, expires=60)
        foreign = [("X-Amz-Content-SHA256", word)]
        if payload != "hash":
            # What other services must refuse although the signature is right.
            raw(f"iam payload {payload}", SigV4Auth, "POST", "https://example.com/", "iam", headers=foreign, body=b"body", payload="refused")
    raw("iam, the hash of another body in a header", SigV4Auth, "POST", "https://example.com/", "iam", headers=[("X-Amz-Content-SHA256", hashlib.sha256(b"other").hexdigest())], body=b"body", payload="refused")
    raw("iam, unsigned body", SigV4Auth, "POST", "https://example.com/", "iam", body=b"body", payload="refused", signs_payload=False)


class KeepsHeader:
    """Signs the payload word of a header, which S3's query signer else leaves out."""

    def payload(self, request):
        return request.headers["X-Amz-Content-SHA256"]

    def _modify_request_before_signing(self, request):
        word = request.headers["X-Amz-Content-SHA256"]
        super()._modify_request_before_signing(request)
        if "X-Amz-Content-SHA256" not in request.headers:
            request.headers["X-Amz-Content-SHA256"] = word


class Hoists:
    """Signs the payload word that the query says, as the Go and JavaScript clients do."""

    def payload(self, request):
        return self.word


def chunks(request, signer, trailer):
    """Chunk signatures, made with botocore's key derivation and HMAC over AWS's documented strings."""
    previous = request.headers["Authorization"].rsplit("Signature=", 1)[1]
    scope = signer.credential_scope(request)
    empty = hashlib.sha256(b"").hexdigest()
    made = []
    for data in (b"bo", b"dy", b""):
        text = "\n".join(["AWS4-HMAC-SHA256-PAYLOAD", request.context["timestamp"], scope, previous, empty, hashlib.sha256(data).hexdigest()])
        previous = signer.signature(text, request)
        made.append([hashlib.sha256(data).hexdigest(), previous])
    more = {"chunks": made}
    if trailer:
        headers = [["x-amz-checksum-crc32c", "oIigXw=="]]
        digest = hashlib.sha256("".join(f"{k}:{v}\n" for k, v in headers).encode()).hexdigest()
        text = "\n".join(["AWS4-HMAC-SHA256-TRAILER", request.context["timestamp"], scope, previous, digest])
        more["trailer"] = {"headers": headers, "signature": signer.signature(text, request)}
    return more


freeze()
operations()
urls()
requests()
file = {
    "botocore": botocore.__version__,
    "at": AT,
    "keys": {"long_term": [KEY_ID, SECRET], "temporary": [TEMPORARY_KEY_ID, TEMPORARY_SECRET, TOKEN]},
    "cases": cases,
}
lines = json.dumps({**file, "cases": []}, ensure_ascii=False).removesuffix("]}") + "\n"
lines += ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases) + "\n]}\n"
pathlib.Path(__file__).with_name("signatures.json").write_text(lines)
print(len(cases), "cases")
