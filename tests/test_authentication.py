"""Every way in which a signature can be missing, malformed, late or wrong, with AWS's code, status and words."""

import datetime
import email.utils
import re

import pytest
from botocore.auth import SigV4Auth

from harness.principals import Principal
from harness.signing import FORM, clock, presign, query, send, sign

WRONG = ("The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. "
         "Consult the service documentation for details.")


@pytest.fixture(scope="module")
def user(account):
    """Whoever it is, the signature comes first: the root user will do."""
    return account.root


def asking(user, **options):
    return query(user, "sts", "GetCallerIdentity", **options)


def is_refused(reply, code, status, message=None):
    assert (reply.code, reply.status) == (code, status), reply
    if isinstance(message, re.Pattern):
        assert message.search(reply.message), reply.message
    elif message is not None:
        assert reply.message == message
    return reply


def with_authorization(signed, change):
    return signed.with_header("Authorization", change(signed.header("Authorization")))


# No signature, or half of one.


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_no_signature_at_all(server, method):
    fields = b"Action=ListUsers&Version=2010-05-08"
    target, data = ("/?" + fields.decode(), b"") if method == "GET" else ("/", fields)
    reply = send(server, method, target, [("Content-Type", FORM)], data)
    is_refused(reply, "MissingAuthenticationToken", 403, "Request is missing Authentication Token")


PARTS = {"Credential": r"Credential=[^,]+,\s*", "SignedHeaders": r"SignedHeaders=[^,]+,\s*", "Signature": r",\s*Signature=.*$"}


@pytest.mark.parametrize("part", list(PARTS))
def test_one_part_of_the_header_missing(user, part):
    signed = with_authorization(asking(user), lambda text: re.sub(PARTS[part], "", text))
    reply = is_refused(signed.send(), "IncompleteSignature", 400)
    assert reply.message.startswith(f"Authorization header requires '{part}' parameter. Authorization="), reply.message


def test_all_parts_missing_are_all_told(user):
    reply = is_refused(asking(user).with_header("Authorization", "AWS4-HMAC-SHA256 Signature=0").without("X-Amz-Date").send(), "IncompleteSignature", 400)
    for part in ("Credential", "SignedHeaders"):
        assert f"Authorization header requires '{part}' parameter. " in reply.message
    assert "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. " in reply.message


def test_no_date_at_all(user):
    reply = is_refused(asking(user).without("X-Amz-Date").send(), "IncompleteSignature", 400)
    assert reply.message.startswith("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. Authorization="), reply.message


def test_a_part_without_an_equal_sign(user):
    signed = with_authorization(asking(user), lambda text: text.replace("Credential=", ""))
    reply = is_refused(signed.send(), "IncompleteSignature", 400)
    scope = signed.header("Authorization").split()[1].rstrip(",")
    assert reply.message.startswith(f"'{scope}' not a valid key=value pair (missing equal-sign) in Authorization header: '"), reply.message


@pytest.mark.parametrize("change", [lambda scope: scope.rpartition("/")[0], lambda scope: scope + "/more", lambda scope: scope.replace("/", "-")])
def test_a_credential_of_other_than_five_elements(user, change):
    scope = re.search("Credential=([^,]+)", asking(user).header("Authorization")).group(1)
    signed = with_authorization(asking(user), lambda text: text.replace(scope, change(scope)))
    is_refused(signed.send(), "IncompleteSignature", 400, f"Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{change(scope)}'")


@pytest.mark.parametrize("header", ["", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 ", "Basic dXNlcjpwYXNz", "Bearer token", "AWS AKIA:signature", "AWS4-HMAC-SHA1 Credential=a/b/c/d/e, SignedHeaders=host, Signature=0"])
def test_what_is_no_sigv4_header_at_all(user, header):
    reply = asking(user).with_header("Authorization", header).send()
    assert reply.code in {"IncompleteSignature", "MissingAuthenticationToken"} and reply.status in {400, 403}, reply


# Who signed?


@pytest.mark.parametrize("key_id", ["AKIARZPUZDIKGB2VALC4", "AKIAIOSFODNN7EXAMPLE", "A" * 16, "A" * 128])
def test_an_unknown_key(server, key_id):
    reply = asking(Principal(server, key_id, "x" * 40)).send()
    is_refused(reply, "InvalidClientTokenId", 403, "The security token included in the request is invalid.")


@pytest.mark.parametrize("key_id", ["A", "A" * 129, "AKIA-RZPUZDIKGB2VA", "AKIA%00RZPUZDIKGB2"])
def test_a_key_id_that_cannot_be_one(server, key_id):
    reply = asking(Principal(server, key_id, "x" * 40)).send()
    assert reply.code in {"InvalidClientTokenId", "IncompleteSignature"} and reply.status in {400, 403}


def test_a_wrong_secret_shows_what_the_server_computed(server, user):
    reply = asking(Principal(server, user.key_id, "x" * 40)).send()
    is_refused(reply, "SignatureDoesNotMatch", 403)
    assert reply.message.startswith(WRONG), reply.message
    assert "The Canonical String for this request should have been" in reply.message and "The String-to-Sign should have been" in reply.message
    assert user.secret not in reply.message


def test_key_ids_are_case_sensitive(server, user):
    is_refused(asking(Principal(server, user.key_id.lower(), user.secret)).send(), "InvalidClientTokenId", 403)


# When?


@pytest.mark.parametrize("seconds", [-840, -300, 0, 240])
def test_a_clock_a_little_off_is_accepted(user, seconds):
    with clock(seconds):
        signed = asking(user)
    assert signed.send().status == 200


def test_a_signature_older_than_a_quarter_of_an_hour(user):
    with clock(-960):
        signed = asking(user)
    wanted = r"^Signature expired: (\d{8}T\d{6}Z) is now earlier than (\d{8}T\d{6}Z) \((\d{8}T\d{6}Z) - 15 min\.\)$"
    reply = is_refused(signed.send(), "SignatureDoesNotMatch", 403, re.compile(wanted))
    signed_at, earliest, now = re.match(wanted, reply.message).groups()
    assert signed_at == signed.header("X-Amz-Date")
    late, right = (datetime.datetime.strptime(text, "%Y%m%dT%H%M%SZ") for text in (earliest, now))
    assert right - late == datetime.timedelta(minutes=15)


def test_a_signature_from_the_future(user):
    with clock(960):
        signed = asking(user)
    reply = is_refused(signed.send(), "SignatureDoesNotMatch", 403)
    assert re.match(r"^Signature not yet current: \d{8}T\d{6}Z is still later than \d{8}T\d{6}Z \(\d{8}T\d{6}Z \+ (5|15) min\.\)$", reply.message), reply.message


def test_a_date_that_is_none(user):
    for date in ("yesterday", "20260101", "20261301T000000Z", "20260101T000000+0100", ""):
        reply = asking(user).with_header("X-Amz-Date", date).send()
        assert reply.status in {400, 403} and reply.code in {"IncompleteSignature", "SignatureDoesNotMatch", "InvalidRequest"}, reply


def test_the_plain_date_header_will_do(user):
    signed = asking(user, headers={"Date": email.utils.formatdate(usegmt=True)})
    assert "x-amz-date" not in {name.lower() for name, _ in signed.headers}
    assert signed.send().status == 200


def test_the_date_of_the_scope_must_be_the_requests(user):
    class Yesterday(SigV4Auth):
        def _scoped(self, request):
            day = datetime.datetime.strptime(request.context["timestamp"][:8], "%Y%m%d") - datetime.timedelta(days=1)
            return [day.strftime("%Y%m%d"), self._region_name, self._service_name, "aws4_request"]

        def scope(self, request):
            return "/".join([self.credentials.access_key, *self._scoped(request)])

        def credential_scope(self, request):
            return "/".join(self._scoped(request))

    reply = is_refused(asking(user, auth=Yesterday).send(), "SignatureDoesNotMatch", 403)
    assert reply.message.startswith("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP:"), reply.message


def test_a_signature_may_come_again_within_its_window(user):
    """As in AWS: no replay cache."""
    signed = asking(user)
    assert [signed.send().status for _ in range(3)] == [200] * 3


# For whom?


@pytest.mark.parametrize("scope", ["ec2", "s3", "IAM", "nonsense"])
def test_a_scope_of_a_service_that_is_not_here(user, scope):
    reply = query(user, "iam", "ListUsers", scope=scope).send()
    assert reply.status in {400, 403, 404} and b"<Users>" not in reply.bytes, reply


def test_a_scope_of_the_other_service_finds_no_operation(user):
    is_refused(query(user, "sts", "GetCallerIdentity", scope="iam").send(), "InvalidAction", 400, "Could not find operation GetCallerIdentity for version 2011-06-15")
    is_refused(query(user, "iam", "ListUsers", scope="sts").send(), "InvalidAction", 400, "Could not find operation ListUsers for version 2010-05-08")


def test_a_wrong_terminator(user):
    signed = with_authorization(asking(user), lambda text: text.replace("aws4_request", "aws5_request"))
    reply = is_refused(signed.send(), "SignatureDoesNotMatch", 403)
    assert reply.message.startswith("Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5_request'."), reply.message


# Find the operation, then its parameters, then the permission, then the rule.


def test_unknown_actions_and_versions(user):
    is_refused(query(user, "iam", "Foo").send(), "InvalidAction", 400, "Could not find operation Foo for version 2010-05-08")
    is_refused(query(user, "iam", "ListUsers", version="2011-01-01").send(), "InvalidAction", 400, "Could not find operation ListUsers for version 2011-01-01")
    is_refused(query(user, "iam", "listusers").send(), "InvalidAction", 400)


def test_no_action(user):
    is_refused(sign(user, "iam", data=b"Version=2010-05-08", headers={"Content-Type": FORM}).send(), "MissingAction", 400)
    is_refused(sign(user, "iam", data=b"", headers={"Content-Type": FORM}).send(), "MissingAction", 400)


def test_authentication_comes_before_the_operation(server):
    is_refused(query(Principal(server, "AKIARZPUZDIKGB2VALC4", "x" * 40), "iam", "Foo").send(), "InvalidClientTokenId", 403)


def test_parameters_come_before_permission_and_permission_before_the_rule(account, nobody):
    is_refused(query(nobody, "iam", "GetUser", {"UserName": "x" * 200}).send(), "ValidationError", 400)
    is_refused(query(nobody, "iam", "GetUser", {"UserName": "there-is-none"}).send(), "AccessDenied", 403)
    is_refused(query(account.root, "iam", "GetUser", {"UserName": "there-is-none"}).send(), "NoSuchEntity", 404)


# Presigned.


@pytest.mark.parametrize("parameter", ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Signature"])
def test_a_presigned_url_without_a_part(user, parameter):
    signed = presign(user, "sts", "GetCallerIdentity")
    signed.target = re.sub(f"[?&]{parameter}=[^&]*", lambda found: found.group()[0] if found.group()[0] == "?" else "", signed.target).replace("?&", "?")
    reply = signed.send()
    assert reply.status in {400, 403} and reply.code in {"IncompleteSignature", "MissingAuthenticationToken", "SignatureDoesNotMatch"}, reply


@pytest.mark.parametrize("expires", ["0", "-1", "604801", "99999999999999999999", "x", ""])
def test_a_presigned_url_with_a_bad_duration(user, expires):
    reply = presign(user, "sts", "GetCallerIdentity", expires=expires).send()
    assert reply.status in {400, 403}, reply


def test_a_presigned_url_from_the_future(user):
    assert presign(user, "sts", "GetCallerIdentity", seconds_ago=-1200).send().status == 403


def test_header_and_query_together_are_refused(user):
    signed = presign(user, "sts", "GetCallerIdentity")
    other = asking(user, method="GET")
    signed.adding("Authorization", other.header("Authorization")).adding("X-Amz-Date", other.header("X-Amz-Date"))
    assert signed.send().status in {400, 403}


def test_a_presigned_post_binds_its_body(user):
    """The query is signed, the body is not what was signed (the hash of an empty one): refused."""
    signed = presign(user, "sts", "GetCallerIdentity")
    signed.method, signed.data = "POST", b"Action=ListUsers&Version=2010-05-08"
    signed.headers = [("Content-Type", FORM)]
    assert signed.send().status in {400, 403}
