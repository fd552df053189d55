"""Step 4: another server asks. Requests signed by botocore's S3 signer, decided by the caller's and the resource's policies."""

import json

import pytest
from botocore.auth import SigV4Auth

from harness.asking import Capturing, as_captured, ask, check, decide, presigned_request, refused_capture, resource_policy, signed_request, unsigned_request
from harness.ledger import note_url
from harness.principals import allow, deny, document, trust
from harness.signing import sha256

ALLOWED, IMPLICIT, EXPLICIT = "Allowed", "ImplicitlyDenied", "ExplicitlyDenied"


@pytest.fixture(scope="module")
def store(account):
    """The asking server's own user."""
    return account.user(allow("bailiwick:Authorize"), name="store")


@pytest.fixture(scope="module")
def alice(account):
    return account.user(allow("s3:GetObject", "arn:aws:s3:::bucket/*"), name="alice", Path="/people/")


@pytest.fixture(scope="module")
def stranger(other_account):
    return other_account.user(allow("s3:*"), name="stranger")


# Who is it?


def test_a_user_is_named(store, alice, account):
    answer = ask(store, signed_request(alice))
    assert set(answer) <= {"principal", "payload", "decisions"} and {"principal", "payload", "decisions"} <= set(answer), "streaming comes with streaming only"
    principal = {name: value for name, value in answer["principal"].items() if name != "session"}
    assert principal == {"type": "User", "arn": alice.arn, "account": account.id, "userId": alice.unique_id}
    assert answer["decisions"] == [{"decision": ALLOWED, "because": "identity"}]


def test_root_is_the_account(store, account):
    answer = ask(store, signed_request(account.root))
    assert (answer["principal"]["type"], answer["principal"]["arn"], answer["principal"]["userId"]) == ("Account", account.root_arn, account.id)
    assert answer["decisions"] == [{"decision": ALLOWED, "because": "root"}]


def test_a_role_session_is_named_with_its_session(store, account):
    user = account.user(allow(["sts:*"]))
    role = account.role(allow("s3:GetObject"), trusted=trust(account.id, ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]), Path="/deep/")
    session = user.assume(role, "s1", Tags=[{"Key": "team", "Value": "red"}], SourceIdentity="alice")
    answer = ask(store, signed_request(session))
    principal = answer["principal"]
    assert (principal["type"], principal["arn"], principal["account"], principal["userId"]) == ("AssumedRole", session.arn, account.id, f"{role.unique_id}:s1")
    assert principal["session"], "what the store may want to know of it"
    assert session.token not in json.dumps(answer)
    assert answer["decisions"][0]["decision"] == ALLOWED


def test_a_federated_user_is_named_and_limited(store, account):
    session = account.user(allow(["sts:GetFederationToken", "s3:*"])).federate("bob", Policy=document(allow("s3:GetObject")))
    answer = ask(store, signed_request(session), check(), check("s3:PutObject"))
    assert (answer["principal"]["type"], answer["principal"]["arn"], answer["principal"]["userId"]) == ("FederatedUser", session.arn, f"{account.id}:bob")
    assert [(each["decision"], each["because"]) for each in answer["decisions"]] == [(ALLOWED, "identity"), (IMPLICIT, "session")]


def test_a_federated_user_without_a_policy_has_what_resource_policies_give(store, account):
    session = account.user(allow(["sts:GetFederationToken", "s3:*"])).federate("bob")
    assert decide(store, signed_request(session))[0][0] == IMPLICIT
    named = check(resourcePolicy=resource_policy({"AWS": session.arn}))
    assert decide(store, signed_request(session), named) == [(ALLOWED, "resource")]


def test_an_unsigned_request_is_anonymous_and_only_a_resource_policy_allows_it(store):
    answer = ask(store, unsigned_request())
    assert answer["principal"]["type"] == "Anonymous"
    assert answer["decisions"][0]["decision"] == IMPLICIT
    public, private = resource_policy("*"), resource_policy({"AWS": "111122223333"})
    decisions = decide(store, unsigned_request(), check(resourcePolicy=public), check(resourcePolicy=private))
    assert decisions[0] == (ALLOWED, "resource") and decisions[1][0] == IMPLICIT


def test_a_session_token_of_a_user_is_the_user(store, alice):
    answer = ask(store, signed_request(alice.session_token()))
    assert (answer["principal"]["type"], answer["principal"]["arn"]) == ("User", alice.arn)
    assert answer["decisions"][0]["decision"] == ALLOWED


# What may it?


def test_one_decision_a_check_in_their_order(store, alice):
    checks = [check(), check("s3:PutObject"), check(resource="arn:aws:s3:::bucket"), check(resource="arn:aws:s3:::bucket/other")]
    assert [decision for decision, _ in decide(store, signed_request(alice), *checks)] == [ALLOWED, IMPLICIT, IMPLICIT, ALLOWED]


def test_a_thousand_checks(store, alice):
    checks = [check("s3:GetObject" if number % 3 else "s3:PutObject", f"arn:aws:s3:::bucket/{number}") for number in range(1000)]
    decisions = decide(store, signed_request(alice), *checks)
    assert [decision for decision, _ in decisions] == [ALLOWED if number % 3 else IMPLICIT for number in range(1000)]


def test_an_explicit_deny_is_told_from_an_implicit_one(store, account):
    user = account.user(allow("s3:*"), deny("s3:DeleteObject"))
    assert decide(store, signed_request(user), check("s3:DeleteObject"), check("dynamodb:GetItem")) == [(EXPLICIT, "identity"), (IMPLICIT, "identity")]


def test_a_boundary_is_named(store, account):
    user = account.user(allow("s3:*"), PermissionsBoundary=account.policy(allow("s3:GetObject")))
    assert decide(store, signed_request(user), check(), check("s3:PutObject")) == [(ALLOWED, "identity"), (IMPLICIT, "boundary")]


def test_a_resource_policy_of_the_same_account_suffices(store, account):
    user = account.user()
    assert decide(store, signed_request(user), check(resourcePolicy=resource_policy({"AWS": user.arn}))) == [(ALLOWED, "resource")]
    assert decide(store, signed_request(user), check(resourcePolicy=resource_policy({"AWS": account.id})))[0][0] == IMPLICIT, "the account alone delegates"


def test_a_resource_policy_denies_whatever_identity_policies_say(store, account, alice):
    decisions = decide(store, signed_request(alice), check(resourcePolicy=resource_policy("*", effect="Deny")))
    assert decisions == [(EXPLICIT, "resource")]


def test_even_root_is_denied_by_a_resource_policy(store, account):
    assert decide(store, signed_request(account.root), check(resourcePolicy=resource_policy("*", effect="Deny"))) == [(EXPLICIT, "resource")]


def test_a_role_named_and_a_session_named_differ(store, account):
    """A session policy limits what the role is given, not what the very session is given."""
    user, role = account.user(allow("sts:AssumeRole")), account.role()
    session = user.assume(role, "s1", Policy=document(allow("s3:ListBucket")))
    by_role = check(resourcePolicy=resource_policy({"AWS": role.arn}))
    by_session = check(resourcePolicy=resource_policy({"AWS": session.arn}))
    assert decide(store, signed_request(session), by_role, by_session) == [(IMPLICIT, "session"), (ALLOWED, "resource")]
    free = user.assume(role, "s2")
    assert decide(store, signed_request(free), by_role, by_session) == [(ALLOWED, "resource"), (IMPLICIT, "identity")]


# Across accounts: both sides or nothing.


def test_across_accounts_both_sides_must_allow(store, account, stranger, other_account):
    without = other_account.user()
    opened = resource_policy({"AWS": other_account.id})
    for caller, policy, wanted in [(stranger, opened, ALLOWED), (stranger, None, IMPLICIT), (without, opened, IMPLICIT), (without, None, IMPLICIT),
                                   (without, resource_policy({"AWS": without.arn}), IMPLICIT), (stranger, resource_policy({"AWS": account.id}), IMPLICIT)]:
        more = {"resourcePolicy": policy} if policy else {}
        assert decide(store, signed_request(caller), check(**more))[0][0] == wanted


def test_the_resources_account_is_the_askers_own_by_default(store, account, other_account, stranger):
    assert decide(store, signed_request(stranger), check())[0][0] == IMPLICIT
    assert decide(store, signed_request(stranger), check(resourceAccount=account.id))[0][0] == IMPLICIT
    assert decide(store, signed_request(stranger), check(resourceAccount=other_account.id)) == [(ALLOWED, "identity")]


def test_the_other_accounts_root_needs_the_resource_policy(store, other_account):
    assert decide(store, signed_request(other_account.root), check())[0][0] == IMPLICIT
    assert decide(store, signed_request(other_account.root), check(resourcePolicy=resource_policy({"AWS": other_account.id})))[0][0] == ALLOWED


# What is known about the request.


def conditioned(account, condition):
    return account.user(allow("s3:GetObject", condition=condition))


@pytest.mark.parametrize("condition, changes, met", [
    ({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, {}, True),
    ({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, {"sourceIp": "198.51.100.1"}, False),
    ({"IpAddress": {"aws:SourceIp": "2001:db8::/32"}}, {"sourceIp": "2001:db8::7"}, True),
    ({"Bool": {"aws:SecureTransport": "true"}}, {}, True),
    ({"Bool": {"aws:SecureTransport": "true"}}, {"secureTransport": False}, False),
])
def test_the_captured_requests_surroundings(store, account, condition, changes, met):
    request = signed_request(conditioned(account, condition)) | changes
    assert decide(store, request)[0][0] == (ALLOWED if met else IMPLICIT)


def test_what_the_asker_does_not_say_is_absent(store, account):
    user = conditioned(account, {"Null": {"aws:SourceIp": "true", "aws:SecureTransport": "true"}})
    request = signed_request(user)
    del request["sourceIp"], request["secureTransport"]
    assert decide(store, request)[0][0] in {ALLOWED, IMPLICIT}
    by_address = conditioned(account, {"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}})
    request = signed_request(by_address)
    del request["sourceIp"]
    assert decide(store, request)[0][0] == IMPLICIT, "the store's own address is not the caller's"


def test_the_askers_context_and_resource_tags_count(store, account):
    user = account.user(allow("s3:ListBucket", condition={"StringLike": {"s3:prefix": "home/*"}}), allow("s3:GetObject", condition={"StringEquals": {"aws:ResourceTag/team": "red"}}))
    listing = [check("s3:ListBucket", "arn:aws:s3:::bucket", context={"s3:prefix": prefix}) for prefix in ("home/alice", "root/")]
    tagged = [check(resourceTags={"team": team}) for team in ("red", "blue")]
    assert [decision for decision, _ in decide(store, signed_request(user), *listing, *tagged)] == [ALLOWED, IMPLICIT, ALLOWED, IMPLICIT]


def test_context_values_may_be_lists(store, account):
    user = account.user(allow("s3:*", condition={"ForAllValues:StringEquals": {"s3:RequestObjectTagKeys": ["a", "b"]}}))
    checks = [check("s3:PutObject", context={"s3:RequestObjectTagKeys": keys}) for keys in (["a"], ["a", "c"])]
    assert [decision for decision, _ in decide(store, signed_request(user), *checks)] == [ALLOWED, IMPLICIT]


def test_what_bailiwick_knows_of_the_caller_counts(store, account):
    user = account.user(allow("s3:GetObject", "arn:aws:s3:::bucket/${aws:username}/*", {"StringEquals": {"aws:PrincipalTag/team": "red"}}), Tags=[{"Key": "team", "Value": "red"}])
    own, foreign = check(resource=f"arn:aws:s3:::bucket/{user.name}/k"), check(resource="arn:aws:s3:::bucket/other/k")
    assert [decision for decision, _ in decide(store, signed_request(user), own, foreign)] == [ALLOWED, IMPLICIT]


def test_a_star_in_the_resource_asked_is_a_letter(store, account):
    """The key `*` is one key, not all of them."""
    user = account.user(allow("s3:GetObject", "arn:aws:s3:::bucket/a"))
    assert decide(store, signed_request(user), check(resource="arn:aws:s3:::bucket/*"))[0][0] == IMPLICIT


# How it was signed.


@pytest.mark.parametrize("operation, parameters", [
    ("get_object", {"Bucket": "bucket", "Key": "key"}),
    ("get_object", {"Bucket": "bucket", "Key": "dir/with space/ü+?&=%2F~key"}),
    ("get_object", {"Bucket": "bucket", "Key": "a//b/../c/./d"}),
    ("list_objects_v2", {"Bucket": "bucket", "Prefix": "a b/ü", "Delimiter": "/"}),
    ("head_object", {"Bucket": "bucket", "Key": "key"}),
    ("put_object", {"Bucket": "bucket", "Key": "key", "Body": b"content", "Metadata": {"a": "b  c"}, "ContentType": "text/plain"}),
    ("delete_object", {"Bucket": "bucket", "Key": "key"}),
    ("copy_object", {"Bucket": "bucket", "Key": "key", "CopySource": "bucket/source key"}),
    ("create_multipart_upload", {"Bucket": "bucket", "Key": "key"}),
    ("delete_objects", {"Bucket": "bucket", "Delete": {"Objects": [{"Key": "a"}]}}),
])
def test_boto3s_s3_client_is_understood(store, alice, operation, parameters):
    request = Capturing(alice).captured(operation, **parameters)
    assert decide(store, request) == [(ALLOWED, "identity")]


def test_the_hash_to_hold_the_body_to_is_told(store, alice):
    request = Capturing(alice, scheme="http").captured("put_object", Bucket="bucket", Key="key", Body=b"content")
    payload = ask(store, request, check())["payload"]
    assert payload == {"mode": "hash", "sha256": sha256(b"content")}
    unread = {name: value for name, value in request.items() if name != "payloadSha256"}
    assert ask(store, unread, check())["payload"] == payload, "the signed word for it"


def test_a_body_that_is_not_the_signed_one_is_refused(store, alice):
    request = Capturing(alice, scheme="http").captured("put_object", Bucket="bucket", Key="key", Body=b"content")
    refused_capture(ask(store, request | {"payloadSha256": sha256(b"swapped")}, check()), status=400)


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_presigned(store, alice, method):
    answer = ask(store, presigned_request(alice, method))
    assert answer["decisions"][0]["decision"] == ALLOWED and answer["payload"]["mode"] == "unsigned"
    url_by_boto3 = Capturing(alice, signature_version="s3v4").client.generate_presigned_url("get_object", Params={"Bucket": "bucket", "Key": "a b"}, ExpiresIn=60)
    assert ask(store, as_captured("GET", note_url(url_by_boto3), [], None))["decisions"][0]["decision"] == ALLOWED


def test_another_services_signer_is_understood(store, account):
    """Not S3: paths are normalized and encoded twice, the body is always hashed."""
    user = account.user(allow("lakehouse:*"))
    request = signed_request(user, "POST", "/v1/tables/a b/../c%2Fd?x=1&y=%20", service="lakehouse", auth=SigV4Auth, body=b'{"a":1}', headers={"Content-Type": "application/json"})
    assert decide(store, request, check("lakehouse:Read", "arn:aws:lakehouse:::tables/c")) == [(ALLOWED, "identity")]


def test_it_is_decided_by_policies_as_they_are_now(store, account):
    user = account.user(allow("s3:GetObject"))
    request = signed_request(user)
    assert decide(store, request)[0][0] == ALLOWED
    account.iam.delete_user_policy(UserName=user.name, PolicyName="granted")
    assert decide(store, request)[0][0] == IMPLICIT
    account.iam.delete_access_key(UserName=user.name, AccessKeyId=user.key_id)
    refused_capture(ask(store, request), "InvalidAccessKeyId", 403)
