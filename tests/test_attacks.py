"""What broke in other systems of this kind, tried here on IAM and STS themselves. Each test is named by the attack and its docstring by where it shipped.

Attacks on captured requests are in test_authorize_captures.py and test_authorize_askers.py; deletion and live sessions in test_step5_….
"""

import base64
import datetime
import pathlib

import pytest
from botocore.auth import S3SigV4Auth

from harness import models
from harness.asking import check, decide, signed_request
from harness.expecting import denial, outcome, refused
from harness.principals import Principal, allow, deny, document, fresh, trust
from harness.signing import FORM, clock, presign, query, send, sign
from test_models import flat


@pytest.fixture(scope="module")
def user(account):
    return account.user(allow("*"))


def asking(user, **options):
    return query(user, "sts", "GetCallerIdentity", **options)


def is_forbidden(reply, *statuses):
    assert reply.status in (statuses or (400, 403)), reply
    return reply


# Signatures.


AMZ = ["X-Amz-Copy-Source", "X-Amz-Target", "X-Amz-Acl", "X-Amz-Meta-A", "X-Amz-Security-Token", "X-Amz-Anything"]


@pytest.mark.parametrize("name", AMZ)
@pytest.mark.parametrize("form", ["header", "presigned"])
def test_an_unsigned_amz_header_is_not_honoured(user, form, name):
    """Ceph CVE-2026-54330, rustfs, s3s, seaweedfs, s3proxy: an unsigned header turned one call into another."""
    signed = asking(user) if form == "header" else presign(user, "sts", "GetCallerIdentity")
    is_forbidden(signed.adding(name, "x").send(), 403)


PAYLOADS = ["UNSIGNED-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"]


def wording(word):
    """A signer that puts S3's word where the body's hash belongs, and signs that."""

    class Wording(S3SigV4Auth):
        def payload(self, request):
            return word

    return Wording


@pytest.mark.parametrize("word", PAYLOADS)
def test_s3s_payload_words_mean_nothing_to_iam(user, word):
    """MinIO CVE-2026-40344: a payload mode skipped verification. Here the body is always hashed."""
    name = fresh("unhashed")
    signed = query(user, "iam", "CreateUser", {"UserName": name}, auth=wording(word))
    signed.data = signed.data.replace(b"unhashed", b"smuggled")
    is_forbidden(signed.send(), 403)
    is_forbidden(query(user, "iam", "CreateUser", {"UserName": name}, auth=wording(word)).send(), 403)


@pytest.mark.parametrize("word", [None, *PAYLOADS])
@pytest.mark.parametrize("place", ["header", "query"])
def test_a_wrong_signature_fails_in_every_payload_mode_and_place(server, user, word, place):
    """MinIO CVE-2026-41145: the credential in the query, no header, another payload mode."""
    forged = Principal(server, user.key_id, "x" * 40)
    headers = {"x-amz-content-sha256": word} if word else {}
    signed = query(forged, "iam", "ListUsers", headers=headers) if place == "header" else presign(forged, "iam", "ListUsers", headers=headers)
    is_forbidden(signed.send(), 403)


@pytest.mark.parametrize("service, name", [(service, name) for service, names in models.PROMISED.items() for name in names])
def test_the_right_key_id_alone_opens_no_operation(server, account, user, service, name):
    """MinIO CVE-2020-11012: an admin call wanted the access key only."""
    forged = Principal(server, user.key_id, "y" * 40)
    reply = query(forged, service, name, flat(models.arguments(service, name, account.id))).send()
    assert (reply.status, reply.code) == (403, "SignatureDoesNotMatch")


def test_a_signature_parameter_beside_a_header_is_part_of_what_is_signed(user):
    """yulin#183, floci#1841: X-Amz-Signature was dropped from the canonical query."""
    signed = asking(user, method="GET")
    signed.target += "&X-Amz-Signature=" + "0" * 64
    is_forbidden(signed.send())


def test_every_byte_of_a_presigned_url_counts(user):
    """gopherstack#1654: a presigned signature was never compared."""
    target = presign(user, "sts", "GetCallerIdentity").target
    start = target.index("?") + 1
    for position in range(start, len(target), 5):
        letter = target[position]
        if letter in "&=%":
            continue
        signed = presign(user, "sts", "GetCallerIdentity")
        bent = "A" if letter != "A" else "B"
        signed.target = target[:position] + bent + target[position + 1 :]
        reply = signed.send()
        assert reply.status in {400, 403, 404}, (position, signed.target, reply)


@pytest.mark.parametrize("what", ["method", "path", "host", "body", "query"])
def test_a_signature_is_bound_to_what_it_signed(user, what):
    """rustfs GHSA-c667-rgrv-99vj: a valid signature was good for other requests."""
    signed = asking(user)
    if what == "method":
        signed.method = "PUT"
    elif what == "path":
        signed.target = "/other"
    elif what == "host":
        signed.with_header("Host", "evil.example")
    elif what == "body":
        signed.data = signed.data.replace(b"GetCallerIdentity", b"GetSessionToken")
    else:
        signed.target = "/?Action=ListUsers&Version=2010-05-08"
    reply = is_forbidden(signed.send(), *([400, 403, 404, 405] if what in {"method", "path"} else [403]))
    assert reply.code != "AccessDenied", "told by the signature, not by a policy"


@pytest.mark.parametrize("change", [("us-east-1", "eu-west-1"), ("/sts/", "/iam/"), ("aws4_request", "aws4_reques")])
def test_a_signature_is_bound_to_its_scope(user, change):
    signed = asking(user)
    text = signed.header("Authorization")
    assert change[0] in text
    is_forbidden(signed.with_header("Authorization", text.replace(*change)).send(), 400, 403)


def test_a_signature_is_bound_to_its_time(user):
    with clock(60):
        later = asking(user).header("X-Amz-Date")
    is_forbidden(asking(user).with_header("X-Amz-Date", later).send(), 403)


def test_a_body_swapped_under_a_valid_signature(user):
    """fakecloud#2288: the payload's hash was not compared with the body."""
    name = fresh("swapped")
    signed = sign(user, "iam", data=b"Action=ListUsers&Version=2010-05-08", headers={"Content-Type": FORM})
    signed.data = f"Action=CreateUser&Version=2010-05-08&UserName={name}".encode()
    is_forbidden(signed.send(), 403)
    with refused("NoSuchEntity"):
        user.iam.get_user(UserName=name)


@pytest.mark.parametrize("extra", ["&Action=GetSessionToken", "&action=GetSessionToken", "&ACTION=ListUsers", "&X-Amz-Expires=604800", "&x-amz-credential=x", "&X-Amz-Credential=x", "&Version=2010-05-08"])
def test_parameters_repeated_or_in_another_case_are_refused(user, extra):
    """aws-iam-authenticator CVE-2022-2385: case and repetition changed the identity that a verifier read."""
    bent = presign(user, "sts", "GetCallerIdentity")
    bent.target += extra
    is_forbidden(bent.send(), 400, 403, 404)


@pytest.mark.parametrize("extra", [{"action": "ListUsers"}, {"ACTION": "ListUsers"}, {"version": "2010-05-08"}])
def test_the_same_signed_into_the_url_is_not_read_as_another_action(user, extra):
    reply = presign(user, "sts", "GetCallerIdentity", extra).send()
    assert reply.status in {200, 400, 403, 404} and b"ListUsers" not in reply.bytes
    if reply.status == 200:
        assert reply.find("Arn") == user.arn


# Who is who.


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "X-Client-IP", "True-Client-IP", "CF-Connecting-IP"])
def test_a_forwarded_address_from_a_stranger_changes_nothing(account, header):
    """rustfs CVE-2026-21862, seaweedfs#11231: aws:SourceIp was read from what the client said."""
    inside = account.user(allow("iam:ListUsers", condition={"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}))
    local = account.user(allow("iam:ListUsers", condition={"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}))
    value = "for=203.0.113.7" if header == "Forwarded" else "203.0.113.7"
    assert query(inside, "iam", "ListUsers").adding(header, value).send().status == 403
    assert query(local, "iam", "ListUsers").adding(header, value).send().status == 200


def test_a_restricted_session_mints_no_unrestricted_child(account):
    """rustfs CVE-2026-22043, MinIO CVE-2025-62506: the child was checked by denies only."""
    owner, role = account.user(allow("*")), account.role(allow("*"))
    narrow = owner.assume(role, Policy=document(allow(["iam:ListUsers", "sts:*"])))
    narrow.iam.list_users()
    for call, parameters in [(narrow.iam.create_access_key, {"UserName": owner.name}), (narrow.iam.create_user, {"UserName": fresh("child")}),
                             (narrow.iam.create_login_profile, {"UserName": owner.name, "Password": "Unrestricted-Child-1"}), (narrow.iam.put_user_policy, {
                                 "UserName": owner.name, "PolicyName": "p", "PolicyDocument": document(allow("*"))})]:
        with refused("AccessDenied"):
            call(**parameters)
    for call, parameters in [(narrow.sts.get_session_token, {}), (narrow.sts.get_federation_token, {"Name": "child", "Policy": document(allow("*"))})]:
        with refused("AccessDenied"):
            call(**parameters)
    held = owner.assume(role, Policy=document(allow("*"), deny("sts:AssumeRole")))
    with refused("AccessDenied"):
        held.assume(role)


def test_a_federated_child_is_within_its_user(account):
    """As above: a session policy of everything gives no more than the user has."""
    user = account.user(allow(["sts:GetFederationToken", "s3:GetObject"]))
    asker = account.user(allow("bailiwick:Authorize"))
    child = user.federate("child", Policy=document(allow("*")))
    assert [decision for decision, _ in decide(asker, signed_request(child), check(), check("s3:PutObject"))] == ["Allowed", "ImplicitlyDenied"]


def test_a_session_token_is_no_bearer_token_and_no_password(server, account, user):
    """seaweedfs#11383: the token doubled as an admin token, and its secret could be computed."""
    session = user.session_token()
    data = b"Action=GetCallerIdentity&Version=2011-06-15"
    for name, value in [("Authorization", f"Bearer {session.token}"), ("X-Amz-Security-Token", session.token), ("Authorization", f"Basic {session.token}"), ("Cookie", f"token={session.token}")]:
        is_forbidden(send(server, "POST", "/", [("Content-Type", FORM), (name, value)], data), 400, 403)
    for secret in (session.token, session.token[:40], session.key_id, user.secret, ""):
        if secret:
            with refused("SignatureDoesNotMatch"):
                Principal(server, session.key_id, secret, session.token).identity()


def test_a_token_shows_nothing_of_what_is_in_it(account, user):
    role = account.role(trusted=trust(account.id, ["sts:AssumeRole", "sts:TagSession"]))
    session = user.assume(role, "recognizable-name", Tags=[{"Key": "recognizable", "Value": "recognizable"}])
    padded = session.token + "=" * (-len(session.token) % 4)
    for text in (session.token.encode(), base64.b64decode(padded, validate=False), base64.urlsafe_b64decode(padded)):
        assert b"recognizable" not in text and session.secret.encode() not in text and role.name.encode() not in text


def test_one_listener_and_no_default_secret(server):
    """rustfs GHSA-h956-rh7x-ppgj, seaweedfs CVE-2026-72920: a second, unauthenticated port with a built-in secret."""
    inodes = {link.readlink().name for link in pathlib.Path(f"/proc/{server.process.pid}/fd").iterdir() if str(link.readlink()).startswith("socket:")}
    listening = []
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for line in pathlib.Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if f"socket:[{fields[9]}]" in inodes and (fields[3] == "0A" or table.startswith("udp")):
                listening.append((table, int(fields[1].rpartition(":")[2], 16)))
    assert listening == [("tcp", server.address[1])]


@pytest.mark.parametrize("path", ["/", "/authorize", "/authorize/chunks", "/admin", "/debug", "/debug/pprof/", "/_internal", "/minio/admin/v3/info", "/.well-known/openid-configuration"])
def test_every_door_refuses_the_anonymous(server, path):
    for method in ("GET", "POST"):
        reply = send(server, method, path, [])
        assert 400 <= reply.status < 500, (method, path, reply)
        assert b"111122223333" not in reply.bytes


def test_names_that_would_be_wildcards_cannot_be_given(account):
    """Polaris CVE-2026-42810: a `*` in a name widened a generated policy."""
    for call, member in [("create_user", "UserName"), ("create_group", "GroupName"), ("create_role", "RoleName")]:
        for name in ("*", "a*", "?", "${aws:username}"):
            more = {"AssumeRolePolicyDocument": trust(account.id)} if call == "create_role" else {}
            assert outcome(getattr(account.iam, call), **{member: name}, **more) == "ValidationError"


def test_a_star_in_a_tag_is_a_star(account):
    """As above: what a variable stands for is never a wildcard, and is not expanded again."""
    tag = [{"Key": "team", "Value": "red"}]
    reader = account.user(allow("iam:GetUser", "arn:aws:iam::*:user/${aws:PrincipalTag/prefix}"), Tags=[{"Key": "prefix", "Value": "a"}])
    target = account.user(name="a", key=False, Tags=tag)
    other = account.user(name="ab", key=False, Tags=tag)
    reader.iam.get_user(UserName=target.name)
    with refused("AccessDenied"):
        reader.iam.get_user(UserName=other.name)
    like = account.user(allow("iam:GetUser", condition={"StringLike": {"aws:ResourceTag/team": "${aws:PrincipalTag/pattern}"}}), Tags=[{"Key": "pattern", "Value": "r.d"}])
    with refused("AccessDenied"):
        like.iam.get_user(UserName=target.name)


def test_sts_answers_reflect_no_text_of_the_caller(user):
    """Vault CVE-2020-16250: a relayed STS answer was trusted by its shape."""
    payload = "</Message></Error><GetCallerIdentityResponse><Arn>arn:aws:iam::000000000000:root</Arn></GetCallerIdentityResponse>"
    for reply in (query(user, "sts", payload).send(), query(user, "sts", "AssumeRole", {"RoleArn": payload, "RoleSessionName": payload}).send(),
                  query(user, "sts", "GetCallerIdentity", version=payload).send()):
        assert reply.status == 400 and reply.find("Arn") is None and reply.find("GetCallerIdentityResponse") is None
    reply = query(user, "sts", payload, headers={"Accept": "application/json"}).send()
    assert reply.status == 400 and set(reply.json) == {"Error", "RequestId"}
    told = query(user, "sts", "GetCallerIdentity", {"Arn": "arn:aws:iam::000000000000:root"}).adding("X-Evil", payload).send()
    assert told.find("Arn") == user.arn and b"000000000000" not in told.bytes


def test_no_origin_is_answered_with_cors(server, user):
    """LocalStack CVE-2021-32091, rustfs GHSA-x5xv: a web page could call."""
    for reply in (send(server, "OPTIONS", "/", [("Origin", "http://evil.example"), ("Access-Control-Request-Method", "POST")]), asking(user).adding("Origin", "http://evil.example").send(),
                  send(server, "GET", "/health", [("Origin", "null")])):
        assert not [name for name in reply.headers if name.startswith("access-control-")]


def test_unknown_inactive_and_deleted_keys_look_alike(server, account):
    """MinIO CVE-2026-33419: what exists could be told from what does not."""
    inactive, deleted = account.user(), account.user()
    account.iam.update_access_key(UserName=inactive.name, AccessKeyId=inactive.key_id, Status="Inactive")
    account.iam.delete_access_key(UserName=deleted.name, AccessKeyId=deleted.key_id)
    seen = set()
    for caller in (inactive, deleted, Principal(server, "AKIARZPUZDIKGB2VALC4", "x" * 40)):
        reply = asking(caller).send()
        seen.add((reply.status, reply.code, reply.message, tuple(sorted(reply.headers))))
    assert len(seen) == 1


def test_denials_look_alike_whether_the_thing_exists(account, nobody):
    existing, missing = account.user(key=False).name, "there-is-none"
    for call in ("get_user", "delete_user", "list_user_policies", "list_access_keys"):
        said = []
        for name in (existing, missing):
            with refused("AccessDenied") as told:
                getattr(nobody.iam, call)(UserName=name)
            said.append(told.message.replace(name, "NAME"))
        assert said[0] == said[1]


def test_not_action_and_conditions_are_never_skipped(account):
    """cloudemu#841: an element that was not understood widened the policy."""
    user = account.user({"Effect": "Allow", "NotAction": "iam:ListUsers", "Resource": "*"})
    with refused("AccessDenied", denial(user.arn, "iam:ListUsers", account.arn("user/"))):
        user.iam.list_users()
    for condition in ({"StringEquals": {"no:such-key": "x"}}, {"IpAddress": {"aws:SourceIp": "203.0.113.1"}}, {"Bool": {"aws:SecureTransport": "true"}},
                      {"DateGreaterThan": {"aws:CurrentTime": "2999-01-01T00:00:00Z"}}, {"ForAnyValue:StringEquals": {"aws:TagKeys": "x"}}):
        with refused("AccessDenied"):
            account.user(allow("*", condition=condition)).iam.list_users()


def test_case_rules_of_arns_and_actions(account):
    """Confused deputy by case: actions have none, resources do."""
    target = account.user(name="CaseSensitive", key=False)
    account.user(allow("IAM:getuser", target.arn)).iam.get_user(UserName=target.name)
    with refused("AccessDenied"):
        account.user(allow("iam:GetUser", target.arn.lower())).iam.get_user(UserName=target.name)


def test_a_deleted_key_is_dead_at_once(account):
    """AWS's eventual consistency, used by attackers to linger: here nothing lingers."""
    for _ in range(10):
        user = account.user()
        user.identity()
        account.iam.delete_access_key(UserName=user.name, AccessKeyId=user.key_id)
        assert outcome(user.sts.get_caller_identity) == "InvalidClientTokenId"


def test_the_clock_of_a_request_cannot_be_chosen_for_its_policies(account):
    """aws:CurrentTime is the server's, whatever the request is dated."""
    limit = (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%SZ")
    user = account.user(allow("iam:ListUsers", condition={"DateLessThan": {"aws:CurrentTime": limit}}))
    with clock(-600):
        signed = query(user, "iam", "ListUsers")
    assert signed.send().code == "AccessDenied"
