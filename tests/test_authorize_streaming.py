"""Bodies signed chunk by chunk: who gets the key for it, and the verdicts for those who do not. And messages that a denial carries."""

import hmac
import io
import json

import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth

from harness import ledger
from harness.asking import Capturing, ask, check, decide, post, refused_capture, resource_policy, signed_request
from harness.expecting import refused
from harness.principals import Principal, allow, deny
from harness.signing import sha256

PLAIN, TRAILER, UNSIGNED_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
EMPTY = sha256(b"")


def streaming_auth(word, base=S3SigV4Auth):
    class Streaming(base):
        def payload(self, request):
            return word

        def _modify_request_before_signing(self, request):
            super()._modify_request_before_signing(request)
            del request.headers["X-Amz-Content-SHA256"]
            request.headers["X-Amz-Content-SHA256"] = word

    return Streaming


class Upload:
    """A chunked upload as a client makes it: the captured head, and the chain of signatures that its secret gives."""

    def __init__(self, principal, word=PLAIN, service="s3", base=S3SigV4Auth):
        headers = {"x-amz-decoded-content-length": "100", "content-encoding": "aws-chunked"}
        if "TRAILER" in word:
            headers["x-amz-trailer"] = "x-amz-checksum-crc32"
        self.request = signed_request(principal, "PUT", headers=headers, auth=streaming_auth(word, base), service=service)
        self.request.pop("payloadSha256", None)
        authorization = next(value for name, value in self.request["headers"] if name == "authorization")
        self.seed = authorization.rpartition("Signature=")[2]
        self.timestamp = next(value for name, value in self.request["headers"] if name == "x-amz-date")
        self.scope = authorization.partition("Credential=")[2].split(",")[0].partition("/")[2]
        date, region, service, _ = self.scope.split("/")
        key = ("AWS4" + principal.secret).encode()
        for part in (date, region, service, "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        self.key, self.previous = key, self.seed

    def sign(self, data):
        """The next chunk's hash and signature."""
        text = "\n".join(["AWS4-HMAC-SHA256-PAYLOAD", self.timestamp, self.scope, self.previous, EMPTY, sha256(data)])
        self.previous = hmac.digest(self.key, text.encode(), "sha256").hex()
        return {"sha256": sha256(data), "signature": self.previous}

    def sign_trailer(self, data):
        text = "\n".join(["AWS4-HMAC-SHA256-TRAILER", self.timestamp, self.scope, self.previous, sha256(data)])
        self.previous = hmac.digest(self.key, text.encode(), "sha256").hex()
        return {"sha256": sha256(data), "signature": self.previous}


@pytest.fixture(scope="module")
def alice(account):
    return account.user(allow("s3:PutObject"), name="alice")


@pytest.fixture(scope="module")
def store(account):
    return account.user(allow(["bailiwick:Authorize", "bailiwick:AuthorizeChunks"]), name="store")


@pytest.fixture(scope="module")
def trusted(account):
    return account.user(allow(["bailiwick:Authorize", "bailiwick:GetStreamingKey"]), name="trusted")


PUT = check("s3:PutObject")


@pytest.mark.parametrize("word", [PLAIN, TRAILER])
def test_a_trusted_store_gets_the_seed_and_the_days_key(trusted, alice, word):
    upload = Upload(alice, word)
    answer = ask(trusted, upload.request, PUT)
    assert answer["payload"] == {"mode": "streaming"} and answer["decisions"][0]["decision"] == "Allowed"
    streaming = answer["streaming"]
    ledger.keep(streaming["signingKey"], "a day's key")
    assert streaming["seedSignature"] == upload.seed and bytes.fromhex(streaming["signingKey"]) == upload.key
    assert streaming["timestamp"] == upload.timestamp and streaming["scope"] == upload.scope and streaming["mode"] == word


def test_without_the_right_there_is_no_key(store, alice):
    answer = ask(store, Upload(alice).request, PUT)
    assert answer["decisions"][0]["decision"] == "Allowed" and "streaming" not in answer


def test_no_key_unless_every_check_is_allowed(trusted, alice):
    answer = ask(trusted, Upload(alice).request, PUT, check("s3:DeleteObject"))
    assert "streaming" not in answer
    assert "streaming" not in ask(trusted, Upload(alice).request, check("s3:GetObject"))
    reply = post(trusted, {"request": Upload(alice).request, "checks": []})
    assert reply.status == 400 or "streaming" not in reply.json, "nothing asked is nothing allowed"


def test_no_key_for_modes_that_need_none(trusted, alice):
    for request in (signed_request(alice, "PUT"), Upload(alice, UNSIGNED_TRAILER).request, Upload(alice, "UNSIGNED-PAYLOAD").request):
        answer = ask(trusted, request, PUT)
        assert answer["decisions"][0]["decision"] == "Allowed" and "streaming" not in answer


def test_the_mode_is_told(store, alice):
    assert ask(store, Upload(alice, UNSIGNED_TRAILER).request, PUT)["payload"]["mode"] in {"unsigned", "streaming"}
    assert ask(store, Upload(alice, "UNSIGNED-PAYLOAD").request, PUT)["payload"] == {"mode": "unsigned"}


def test_boto3s_own_trailer_upload_is_understood(store, alice):
    """Over TLS boto3 sends a checksum in an unsigned trailer for what it cannot read twice."""
    request = Capturing(alice, scheme="https").captured("put_object", Bucket="bucket", Key="key", Body=io.BytesIO(b"content"))
    assert ["x-amz-content-sha256", UNSIGNED_TRAILER] in request["headers"]
    request.pop("payloadSha256", None)
    assert decide(store, request, PUT) == [("Allowed", "identity")]


def test_a_request_for_bailiwick_itself_yields_no_key(account, server):
    """A captured request signed for iam, streaming: with such a key one could sign anything as its caller for a day."""
    asker, victim = account.user(allow("bailiwick:*")), account.user(allow("*"))
    for service in ("iam", "sts", "bailiwick"):
        for base in (S3SigV4Auth, SigV4Auth):
            reply = post(asker, {"request": Upload(victim, service=service, base=base).request, "checks": [PUT]})
            assert "streaming" not in reply.json and "decisions" not in reply.json, reply
            chunked = post(asker, {"request": Upload(victim, service=service, base=base).request, "chunks": []}, path="/authorize/chunks")
            assert chunked.status in {200, 400, 403} and "chunks" not in chunked.json, chunked


def test_the_key_of_another_accounts_caller_is_not_given(other_account, alice, account):
    """The right to it is a right on the caller's account."""
    asker = other_account.user(allow("bailiwick:*"))
    opened = check("s3:PutObject", resourcePolicy=resource_policy({"AWS": account.id}, "s3:PutObject"))
    answer = ask(asker, Upload(alice).request, opened)
    assert answer["decisions"][0]["decision"] == "Allowed" and "streaming" not in answer


def test_a_key_may_be_bound_to_callers(account, alice):
    other = account.user(allow("s3:*"))
    asker = account.user(allow("bailiwick:Authorize"), allow("bailiwick:GetStreamingKey", alice.arn))
    assert "streaming" in ask(asker, Upload(alice).request, PUT)
    assert "streaming" not in ask(asker, Upload(other).request, PUT)


def test_a_deny_on_the_key_counts(account, alice):
    asker = account.user(allow("bailiwick:*"), deny("bailiwick:GetStreamingKey"))
    assert "streaming" not in ask(asker, Upload(alice).request, PUT)


def test_a_session_may_stream(account, trusted):
    session = account.user(allow(["sts:AssumeRole"])).assume(account.role(allow("s3:PutObject")))
    upload = Upload(session)
    assert bytes.fromhex(ask(trusted, upload.request, PUT)["streaming"]["signingKey"]) == upload.key


# Verdicts.


def verdicts(asker, upload, chunks, **more):
    reply = post(asker, {"request": upload.request, "chunks": chunks, **more}, path="/authorize/chunks")
    assert reply.status == 200, reply
    return reply.json


def test_chunks_are_judged_in_their_order(store, alice):
    upload = Upload(alice)
    chunks = [upload.sign(data) for data in (b"a" * 65536, b"b" * 10, b"")]
    answer = verdicts(store, upload, chunks)
    assert answer["chunks"] == [True, True, True] and answer["whole"] is True and answer["after"] == upload.previous


def test_chunks_may_come_in_several_questions(store, alice):
    upload = Upload(alice)
    first, second, last = (upload.sign(data) for data in (b"one", b"two", b""))
    answer = verdicts(store, upload, [first])
    assert answer["chunks"] == [True] and answer["after"] == first["signature"] and answer.get("whole") is not True
    assert verdicts(store, upload, [second, last], after=answer["after"])["chunks"] == [True, True]


@pytest.mark.parametrize("bend", ["data", "order", "signature", "left out"])
def test_bent_chunks_are_refused(store, alice, bend):
    upload = Upload(alice)
    chunks = [upload.sign(data) for data in (b"one", b"two", b"three", b"")]
    if bend == "data":
        chunks[1] = chunks[1] | {"sha256": sha256(b"evil")}
    elif bend == "order":
        chunks[1], chunks[2] = chunks[2], chunks[1]
    elif bend == "signature":
        chunks[1] = chunks[1] | {"signature": "0" * 64}
    else:
        del chunks[1]
    told = verdicts(store, upload, chunks)
    assert told["chunks"][0] is True and told["chunks"][1] is False and told.get("whole") is not True


def test_a_trailer_is_judged(store, alice):
    upload = Upload(alice, TRAILER)
    chunks = [upload.sign(b"data"), upload.sign(b"")]
    trailer = upload.sign_trailer(b"x-amz-checksum-crc32:AAAAAA==\n")
    assert verdicts(store, upload, chunks, trailer=trailer)["trailer"] is True
    assert verdicts(store, upload, chunks, trailer=trailer | {"sha256": sha256(b"x-amz-checksum-crc32:BBBBBB==\n")})["trailer"] is False


def test_a_forged_head_has_no_verdicts(store, server, alice):
    forged = Upload(Principal(server, alice.key_id, "x" * 40))
    reply = post(store, {"request": forged.request, "chunks": [forged.sign(b"x")]}, path="/authorize/chunks")
    refused_capture(reply.json, "SignatureDoesNotMatch", 403)


def test_verdicts_need_a_right(account, alice):
    nobody = account.user()
    reply = post(nobody, {"request": Upload(alice).request, "chunks": []}, path="/authorize/chunks")
    assert reply.status == 403 and "bailiwick:AuthorizeChunks" in reply.json["message"]


@pytest.mark.parametrize("change", [{"surprise": 1}, {"chunks": [{"sha256": "x", "signature": "y"}]}, {"chunks": {}}, {"after": 1}, {"trailer": []}])
def test_malformed_questions(store, alice, change):
    reply = post(store, {"request": Upload(alice).request, "chunks": [], **change}, path="/authorize/chunks")
    assert reply.status == 400 and "message" in reply.json


# What a denial carries.


def test_a_denial_carries_a_message_that_its_account_can_decode(store, account, alice):
    answer = ask(store, signed_request(alice), check("s3:DeleteBucket", "arn:aws:s3:::bucket"))
    encoded = answer["decisions"][0]["encodedMessage"]
    assert len(encoded) <= 10240
    decoded = json.loads(account.root.sts.decode_authorization_message(EncodedMessage=encoded)["DecodedMessage"])
    assert decoded["allowed"] is False and decoded["explicitDeny"] is False
    assert decoded["context"]["principal"]["arn"] == alice.arn and decoded["context"]["principal"]["id"] == alice.unique_id
    assert decoded["context"]["action"] == "s3:DeleteBucket" and decoded["context"]["resource"] == "arn:aws:s3:::bucket"
    assert decoded["matchedStatements"]["items"] == [] and "failures" in decoded


def test_an_explicit_deny_shows_its_statement(store, account):
    user = account.user(allow("s3:*"), deny("s3:DeleteObject", Sid="Never"))
    encoded = ask(store, signed_request(user), check("s3:DeleteObject"))["decisions"][0]["encodedMessage"]
    decoded = json.loads(account.root.sts.decode_authorization_message(EncodedMessage=encoded)["DecodedMessage"])
    assert decoded["explicitDeny"] is True
    assert decoded["matchedStatements"]["items"][0]["statementId"] == "Never" and decoded["matchedStatements"]["items"][0]["effect"] == "DENY"


def test_a_message_opens_in_its_own_account_only(store, alice, other_account, account):
    encoded = ask(store, signed_request(alice), check("s3:DeleteBucket"))["decisions"][0]["encodedMessage"]
    with refused("InvalidAuthorizationMessageException"):
        other_account.root.sts.decode_authorization_message(EncodedMessage=encoded)
    for bent in (encoded[:-4], encoded[:-4] + "AAAA", encoded[::-1], "A" + encoded):
        with refused("InvalidAuthorizationMessageException"):
            account.root.sts.decode_authorization_message(EncodedMessage=bent)
    assert alice.name not in encoded
