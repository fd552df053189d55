"""Captured requests that do not authenticate: the error of that service, no decision. And the requests that Bailiwick does not judge for others."""

import re

import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth

from harness.asking import ask, check, decide, post, presigned_request, refused_capture, signed_request
from harness.principals import Principal, allow
from harness.signing import query

WRONG = "The request signature we calculated does not match the signature you provided. Check your key and signing method."
UNSIGNED = "There were headers present in the request which were not signed"


@pytest.fixture(scope="module")
def store(account):
    return account.user(allow(["bailiwick:Authorize", "bailiwick:GetStreamingKey"]), name="store")


@pytest.fixture(scope="module")
def alice(account):
    return account.user(allow("*"), name="alice")


def headers_of(request, name):
    return [value for known, value in request["headers"] if known == name]


def replaced(request, name, change):
    return request | {"headers": [[known, change(value) if known == name else value] for known, value in request["headers"]]}


def without(request, name):
    return request | {"headers": [pair for pair in request["headers"] if pair[0] != name]}


def adding(request, name, value):
    return request | {"headers": [*request["headers"], [name, value]]}


def test_as_it_is_it_is_allowed(store, alice):
    assert decide(store, signed_request(alice)) == [("Allowed", "identity")]
    assert decide(store, presigned_request(alice)) == [("Allowed", "identity")]


CHANGES = {
    "method": lambda request: request | {"method": "DELETE"},
    "path": lambda request: request | {"uri": request["uri"].replace("/bucket/key", "/bucket/other")},
    "path with a slash more": lambda request: request | {"uri": request["uri"].replace("/bucket/key", "/bucket//key")},
    "path with dots": lambda request: request | {"uri": request["uri"].replace("/bucket/key", "/bucket/./key")},
    "query": lambda request: request | {"uri": request["uri"] + ("&" if "?" in request["uri"] else "?") + "acl="},
    "host": lambda request: replaced(request, "host", lambda _: "evil.example"),
    "host missing": lambda request: without(request, "host"),
}


@pytest.mark.parametrize("form", ["header", "presigned"])
@pytest.mark.parametrize("what", list(CHANGES))
def test_a_changed_request_is_refused(store, alice, form, what):
    request = signed_request(alice) if form == "header" else presigned_request(alice)
    refused_capture(ask(store, CHANGES[what](request)), status=None if "missing" in what else 403)


def test_the_s3_words_for_a_wrong_signature(store, server, alice):
    forged = Principal(server, alice.key_id, "x" * 40)
    for request in (signed_request(forged), presigned_request(forged)):
        assert refused_capture(ask(store, request), "SignatureDoesNotMatch", 403)["message"] == WRONG


def test_a_wrong_signature_does_not_hand_out_the_right_one(store, server, alice):
    forged = Principal(server, alice.key_id, "x" * 40)
    right = re.search("Signature=([0-9a-f]{64})", headers_of(signed_request(alice), "authorization")[0]).group(1)
    assert right not in post(store, {"request": signed_request(forged), "checks": [check()]}).text


def test_every_byte_of_the_signature_counts(store, alice):
    request = signed_request(alice)
    for position in range(0, 64, 7):
        def flip(text, position=position):
            start = text.index("Signature=") + 10 + position
            return text[:start] + ("0" if text[start] != "0" else "1") + text[start + 1 :]

        refused_capture(ask(store, replaced(request, "authorization", flip)), "SignatureDoesNotMatch", 403)


def test_every_part_of_a_presigned_url_counts(store, alice):
    request = presigned_request(alice)
    path, _, text = request["uri"].partition("?")
    fields = text.split("&")
    for index, field in enumerate(fields):
        name, _, value = field.partition("=")
        last = value[-1]
        bent = [*fields]
        bent[index] = f"{name}={value[:-1]}{'0' if last != '0' else '1'}"
        refused_capture(ask(store, request | {"uri": f"{path}?{'&'.join(bent)}"}))
        refused_capture(ask(store, request | {"uri": f"{path}?{'&'.join([*fields, field])}"}))


def test_a_signature_in_a_header_signed_query_is_part_of_what_is_signed(store, alice):
    request = signed_request(alice)
    refused_capture(ask(store, request | {"uri": request["uri"] + "?X-Amz-Signature=" + "0" * 64}))


UNSIGNED_HEADERS = [("x-amz-copy-source", "/other/secret"), ("x-amz-acl", "public-read"), ("x-amz-security-token", "x"), ("X-Amz-Meta-A", "b"), ("x-amz-anything", "")]


@pytest.mark.parametrize("form, name, value", [(form, *header) for form in ("header", "presigned") for header in UNSIGNED_HEADERS] + [("presigned", "x-amz-date", "20260101T000000Z")])
def test_an_unsigned_amz_header_is_refused(store, alice, form, name, value):
    request = signed_request(alice, "PUT") if form == "header" else presigned_request(alice, "PUT")
    error = refused_capture(ask(store, adding(request, name.lower(), value)), status=403)
    if name != "x-amz-security-token":
        assert error["code"] == "AccessDenied" and error["message"].startswith(UNSIGNED), error


@pytest.mark.parametrize("name", ["x-amz-date", "x-amz-content-sha256", "authorization", "host"])
def test_a_header_that_matters_given_twice_is_refused(store, alice, name):
    request = signed_request(alice)
    (value,) = headers_of(request, name)
    for second in (value, value.replace("2", "3")):
        refused_capture(ask(store, adding(request, name, second)))


def test_the_tracing_header_need_not_be_signed(store, alice):
    assert decide(store, adding(signed_request(alice), "x-amzn-trace-id", "Root=1-2-3")) == [("Allowed", "identity")]


def test_plain_headers_need_not_be_signed(store, alice):
    assert decide(store, adding(adding(signed_request(alice), "content-type", "text/plain"), "user-agent", "x")) == [("Allowed", "identity")]


def test_a_signed_header_that_is_not_sent_is_refused(store, alice):
    request = signed_request(alice, headers={"x-amz-meta-a": "b"})
    assert decide(store, request) == [("Allowed", "identity")]
    refused_capture(ask(store, without(request, "x-amz-meta-a")), "SignatureDoesNotMatch", 403)
    refused_capture(ask(store, replaced(request, "x-amz-meta-a", lambda _: "c")), "SignatureDoesNotMatch", 403)


def test_names_of_headers_have_no_case(store, alice):
    request = signed_request(alice)
    assert decide(store, request | {"headers": [[name.title(), value] for name, value in request["headers"]]}) == [("Allowed", "identity")]


# Time.


def test_a_request_signed_too_long_ago_or_ahead(store, alice):
    for seconds in (-1000, 1000):
        refused_capture(ask(store, signed_request(alice, seconds=seconds)), "RequestTimeTooSkewed", 403)


def test_a_presigned_url_that_is_over(store, alice):
    error = refused_capture(ask(store, presigned_request(alice, expires=60, seconds=-120)), "AccessDenied", 403)
    assert error["message"] == "Request has expired"


def test_a_presigned_url_is_good_for_seven_days_at_most(store, alice):
    assert decide(store, presigned_request(alice, expires=604800, seconds=-86400)) == [("Allowed", "identity")]
    refused_capture(ask(store, presigned_request(alice, expires=604801)), "AuthorizationQueryParametersError", 400)


@pytest.mark.parametrize("parameter", ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders"])
def test_a_presigned_url_without_a_part(store, alice, parameter):
    request = presigned_request(alice)
    path, _, text = request["uri"].partition("?")
    fields = [field for field in text.split("&") if not field.startswith(parameter + "=")]
    error = refused_capture(ask(store, request | {"uri": f"{path}?{'&'.join(fields)}"}), status=400)
    assert error["code"] == "AuthorizationQueryParametersError"
    assert error["message"] == ("Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, "
                                "X-Amz-SignedHeaders, and X-Amz-Expires parameters.")


def test_a_doubly_encoded_credential(store, alice):
    request = presigned_request(alice)
    error = refused_capture(ask(store, request | {"uri": request["uri"].replace("%2F", "%252F")}), "AuthorizationQueryParametersError", 400)
    assert error["message"].startswith("Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; expecting "), error


# Who.


def test_unknown_and_disabled_keys(store, server, account):
    user = account.user(allow("*"))
    request = signed_request(user)
    account.iam.update_access_key(UserName=user.name, AccessKeyId=user.key_id, Status="Inactive")
    for each in (request, signed_request(Principal(server, "AKIARZPUZDIKGB2VALC4", "x" * 40))):
        refused_capture(ask(store, each), "InvalidAccessKeyId", 403)


def test_tokens(store, server, alice, account):
    session = alice.session_token()
    assert decide(store, signed_request(session)) == [("Allowed", "identity")]
    bent = Principal(server, session.key_id, session.secret, session.token[:-8] + "AAAAAAAA")
    refused_capture(ask(store, signed_request(bent)))
    refused_capture(ask(store, signed_request(Principal(server, session.key_id, session.secret))))
    refused_capture(ask(store, signed_request(Principal(server, alice.key_id, alice.secret, session.token))))


def test_errors_of_other_services_have_their_own_codes(store, server, alice):
    """Not S3: the codes of a JSON service."""
    forged = Principal(server, alice.key_id, "x" * 40)
    error = refused_capture(ask(store, signed_request(forged, service="lakehouse", auth=SigV4Auth)))
    assert error["code"] in {"InvalidSignatureException", "SignatureDoesNotMatch"} and error["status"] in {400, 403}
    error = refused_capture(ask(store, signed_request(Principal(server, "AKIARZPUZDIKGB2VALC4", "x" * 40), service="lakehouse", auth=SigV4Auth)))
    assert error["code"] in {"UnrecognizedClientException", "InvalidClientTokenId"}


@pytest.mark.parametrize("authorization", ["", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 Credential=x", "AWS AKIA:sig", "Bearer abc", "AWS4-ECDSA-P256-SHA256 Credential=a/b/c/d, SignedHeaders=host, Signature=0"])
def test_what_is_no_signature_is_not_anonymous(store, alice, authorization):
    """A broken signature must not fall back to what everybody may."""
    public = check(resourcePolicy={"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]})
    refused_capture(ask(store, replaced(signed_request(alice), "authorization", lambda _: authorization), public))


# What Bailiwick serves itself is not judged for others.


@pytest.mark.parametrize("service", ["iam", "sts", "bailiwick"])
@pytest.mark.parametrize("auth", [SigV4Auth, S3SigV4Auth])
def test_a_request_for_bailiwicks_own_services_is_refused(store, alice, service, auth):
    request = signed_request(alice, "POST", "/", service=service, auth=auth, body=b"Action=GetCallerIdentity&Version=2011-06-15")
    reply = post(store, {"request": request, "checks": [check()]})
    assert reply.status in {200, 400, 403} and "decisions" not in reply.json, reply
    if reply.status == 200:
        refused_capture(reply.json)


def test_a_real_iam_request_yields_neither_decision_nor_key(store, alice, server):
    """Captured on its way to Bailiwick, shown to Bailiwick by a store that may fetch streaming keys."""
    signed = query(alice, "iam", "CreateUser", {"UserName": "victim"})
    request = {"method": "POST", "uri": "/", "headers": [["host", server.listen], *([name.lower(), value] for name, value in signed.headers if name.lower() != "host")]}
    streaming = replaced(request, "x-amz-content-sha256", lambda _: "STREAMING-AWS4-HMAC-SHA256-PAYLOAD")
    for each in (request, streaming, adding(request, "x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD")):
        reply = post(store, {"request": each, "checks": [check()]})
        assert "decisions" not in reply.json and "streaming" not in reply.json


def test_one_normal_form_of_keys(store, account):
    """`..`, %2e and doubled escapes: what is signed is what is sent, nothing is decoded behind the signature."""
    user = account.user(allow("s3:GetObject", "arn:aws:s3:::bucket/*"))
    normal_forms = {"/bucket/a/../../other/key": "/other/key", "/bucket/a/./b": "/bucket/a/b", "/bucket/%252e%252e/other": "/bucket/%2e%2e/other", "/bucket/a%2Fb": "/bucket/a/b/"}
    for path, normal in normal_forms.items():
        request = signed_request(user, path=path)
        assert decide(store, request) == [("Allowed", "identity")]
        refused_capture(ask(store, request | {"uri": normal}), "SignatureDoesNotMatch", 403)
