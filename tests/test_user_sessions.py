"""GetSessionToken and GetFederationToken: what they answer, how long they last, what their sessions may call; and the two look-ups of STS."""

import datetime
import re

import pytest

from harness.expecting import INVALID_TOKEN, complaint, denial, invalid, outcome, refused
from harness.principals import Principal, allow, body, deny, document, fresh

CREDENTIALS = {"AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"}
NAME = r"[\w+=,.@-]*"
TOKEN_SIZE = {"SessionTokenSize", "SessionTokenUtilization"}


def lasts(credentials):
    return (credentials["Expiration"] - datetime.datetime.now(datetime.timezone.utc)).total_seconds()


@pytest.fixture(scope="module")
def user(account):
    return account.user(allow("*"))


# GetSessionToken.


def test_a_session_token_is_credentials_and_nothing_else(user):
    reply = body(user.sts.get_session_token())
    assert set(reply) == {"Credentials"} | TOKEN_SIZE and set(reply["Credentials"]) == CREDENTIALS
    assert reply["Credentials"]["AccessKeyId"].startswith("ASIA")
    assert abs(lasts(reply["Credentials"]) - 43200) < 60


def test_it_needs_no_permission_and_heeds_no_deny(account):
    account.user().session_token()
    account.user(deny("sts:GetSessionToken")).session_token()


@pytest.mark.parametrize("seconds", [900, 129600])
def test_durations_of_a_users_token(user, seconds):
    assert abs(lasts(user.sts.get_session_token(DurationSeconds=seconds)["Credentials"]) - seconds) < 60


@pytest.mark.parametrize("seconds, constraint", [(899, "greater than or equal to 900"), (129601, "less than or equal to 129600")])
def test_durations_outside_the_model(user, seconds, constraint):
    with refused("ValidationError", invalid(complaint(seconds, "durationSeconds", f"Member must have value {constraint}"))):
        user.unchecked("sts").get_session_token(DurationSeconds=seconds)


def test_roots_tokens_last_an_hour_at_most(account):
    assert abs(lasts(account.root.sts.get_session_token()["Credentials"]) - 3600) < 60
    assert lasts(account.root.sts.get_session_token(DurationSeconds=43200)["Credentials"]) <= 3601
    assert lasts(account.root.sts.get_federation_token(Name="fed", DurationSeconds=43200)["Credentials"]) <= 3601


def test_a_session_token_calls_no_iam_without_mfa(user, account):
    session = user.session_token()
    for caller in (session, account.root.session_token()):
        with refused("InvalidClientTokenId", re.compile(r"^The security token included in the request is invalid\.?$")):
            caller.iam.list_users()


def test_of_sts_a_session_token_calls_assume_role_and_get_caller_identity_only(user, account):
    session = user.session_token()
    session.identity()
    session.assume(account.role())
    with refused("AccessDenied", "Cannot call GetSessionToken with session credentials"):
        session.sts.get_session_token()
    with refused("AccessDenied", "Cannot call GetFederationToken with session credentials"):
        session.sts.get_federation_token(Name="fed")
    for call, parameters in (("get_access_key_info", {"AccessKeyId": user.key_id}), ("decode_authorization_message", {"EncodedMessage": "x"})):
        assert outcome(getattr(session.sts, call), **parameters) in {"AccessDenied", "InvalidClientTokenId"}


def test_a_session_token_has_its_users_rights(account):
    user, role = account.user(allow("sts:AssumeRole")), account.role(allow("iam:ListUsers"))
    user.session_token().assume(role).iam.list_users()
    with refused("AccessDenied"):
        account.user().session_token().assume(role)


def test_a_code_without_a_device(user, account):
    with refused("AccessDenied", "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user."):
        user.sts.get_session_token(SerialNumber=account.arn("mfa/none"), TokenCode="123456")


@pytest.mark.parametrize("condition, met", [({"Bool": {"aws:MultiFactorAuthPresent": "false"}}, True), ({"Bool": {"aws:MultiFactorAuthPresent": "true"}}, False),
                                            ({"Null": {"aws:TokenIssueTime": "false"}}, True), ({"StringEquals": {"aws:username": "keyed"}}, True)])
def test_keys_that_a_session_token_carries(account, condition, met):
    if "keyed" not in {each["UserName"] for each in account.iam.list_users()["Users"]}:
        account.keyed = account.user(name="keyed")
    account.iam.put_user_policy(UserName="keyed", PolicyName="p", PolicyDocument=document(allow("sts:AssumeRole", condition=condition)))
    role = account.role()
    assert outcome(account.keyed.session_token().assume, role) == ("ok" if met else "AccessDenied")


# How long a token is.


def ways_to_a_session(account, user, role):
    yield user.sts.get_session_token, {}
    yield user.sts.get_federation_token, {"Name": "fed"}
    yield user.sts.assume_role, {"RoleArn": role.arn, "RoleSessionName": "sized"}


def test_how_long_a_token_is_is_told(account, user):
    for call, parameters in ways_to_a_session(account, user, account.role()):
        reply = call(**parameters)
        assert reply["SessionTokenSize"] == len(reply["Credentials"]["SessionToken"]) < 1000
        assert reply["SessionTokenUtilization"] == -(-reply["SessionTokenSize"] * 100 // 4096)
        assert call(**parameters, MinimumSessionTokenSize=0)["SessionTokenSize"] == reply["SessionTokenSize"], "0 is as without"


@pytest.mark.parametrize("size", [1, 1001, 2050, 4093, 4096])
def test_a_token_is_as_long_as_is_asked_for_and_as_good(server, account, user, size):
    for call, parameters in ways_to_a_session(account, user, account.role(allow("sts:*"))):
        plain = call(**parameters)["SessionTokenSize"]
        reply = call(**parameters, MinimumSessionTokenSize=size)
        credentials = reply["Credentials"]
        assert reply["SessionTokenSize"] == len(credentials["SessionToken"])
        assert max(plain, size) <= reply["SessionTokenSize"] <= max(plain, size + 3) and reply["SessionTokenSize"] <= 4096
        caller = Principal(server, credentials["AccessKeyId"], credentials["SecretAccessKey"], credentials["SessionToken"])
        assert caller.identity()["Account"] == account.id


def test_no_token_is_longer_than_4096(user):
    with refused("ValidationError", invalid(complaint(4097, "minimumSessionTokenSize", "Member must have value less than or equal to 4096"))):
        user.unchecked("sts").get_session_token(MinimumSessionTokenSize=4097)


# GetFederationToken.


def test_a_federation_token_always_says_its_packed_size(account, user):
    reply = body(user.sts.get_federation_token(Name="bob", DurationSeconds=900))
    assert set(reply) == {"Credentials", "FederatedUser", "PackedPolicySize"} | TOKEN_SIZE and set(reply["Credentials"]) == CREDENTIALS
    assert reply["PackedPolicySize"] == 0
    assert reply["FederatedUser"] == {"Arn": f"arn:aws:sts::{account.id}:federated-user/bob", "FederatedUserId": f"{account.id}:bob"}
    assert user.sts.get_federation_token(Name="bob", Policy=document(allow("*")))["PackedPolicySize"] > 0
    assert abs(lasts(user.sts.get_federation_token(Name="bob")["Credentials"]) - 43200) < 60


def test_it_needs_a_permission_on_the_federated_user(account):
    nobody = account.user()
    with refused("AccessDenied", denial(nobody.arn, "sts:GetFederationToken", f"arn:aws:sts::{account.id}:federated-user/bob")):
        nobody.sts.get_federation_token(Name="bob")
    only = account.user(allow("sts:GetFederationToken", "arn:aws:sts::*:federated-user/bob"))
    only.federate("bob")
    with refused("AccessDenied"):
        only.federate("carol")


@pytest.mark.parametrize("name", ["x", "x" * 33, "a b", "a/b"])
def test_a_bad_federated_name(user, name):
    with refused("ValidationError", re.compile("at 'name' failed to satisfy constraint")):
        user.unchecked("sts").get_federation_token(Name=name)


def test_a_federated_user_calls_neither_iam_nor_sts(account, user):
    session = user.federate("bob", Policy=document(allow("*")))
    session.identity()
    assert outcome(session.iam.list_users) in {"AccessDenied", "InvalidClientTokenId"}
    with refused("AccessDenied", "Cannot call GetSessionToken with session credentials"):
        session.sts.get_session_token()
    with refused("AccessDenied", "Cannot call GetFederationToken with session credentials"):
        session.sts.get_federation_token(Name="carol")
    assert outcome(session.assume, account.role()) in {"AccessDenied", "InvalidClientTokenId"}
    assert outcome(session.sts.get_access_key_info, AccessKeyId=user.key_id) in {"AccessDenied", "InvalidClientTokenId"}


def test_tags_of_a_federated_user_need_tag_session(account):
    tags = [{"Key": "team", "Value": "red"}]
    with refused("AccessDenied", re.compile("sts:TagSession")):
        account.user(allow("sts:GetFederationToken")).federate("bob", Tags=tags)
    account.user(allow(["sts:GetFederationToken", "sts:TagSession"])).federate("bob", Tags=tags)


def test_a_federation_policy_over_2048_characters(user):
    long = document(*[allow("s3:GetObject", f"arn:aws:s3:::bucket-{number}/*") for number in range(40)])
    with refused("ValidationError", re.compile("'policy' failed to satisfy constraint: Member must have length less than or equal to 2048")):
        user.unchecked("sts").get_federation_token(Name="bob", Policy=long)


# GetAccessKeyInfo and DecodeAuthorizationMessage.


def test_get_access_key_info_tells_the_account_of_any_key(account, other_account, user):
    for key_id, owner in [(user.key_id, account.id), (other_account.user().key_id, other_account.id), (other_account.root.key_id, other_account.id),
                          ("ASIAY34FZKBOKMUTVV7A", "609629065308"), ("ASIAQNZGKIQY56JQ7WML", "029608264753"), ("AKIARZPUZDIKGB2VALC4", "123456789012"),
                          ("AKIARTXV5AHDQAAAAAAA", "111111111111"), (user.session_token().key_id, account.id)]:
        assert body(user.sts.get_access_key_info(AccessKeyId=key_id)) == {"Account": owner}


def test_get_access_key_info_needs_its_right(account):
    user = account.user()
    with refused("AccessDenied", re.compile(re.escape(f"User: {user.arn} is not authorized to perform: sts:GetAccessKeyInfo"))):
        user.sts.get_access_key_info(AccessKeyId=user.key_id)
    account.user(allow("sts:GetAccessKeyInfo")).sts.get_access_key_info(AccessKeyId=user.key_id)


def test_get_access_key_info_of_an_old_form_fails(user):
    """It carries no account, and nobody here owns it."""
    assert outcome(user.sts.get_access_key_info, AccessKeyId="AKIAIOSFODNN7EXAMPLE") not in {"ok", "InternalFailure"}
    with refused("ValidationError", re.compile("'accessKeyId' failed to satisfy constraint")):
        user.unchecked("sts").get_access_key_info(AccessKeyId="short")


@pytest.mark.parametrize("message", ["x", "not-an-encoded-message", "A" * 500, "XQ_" + "b" * 200])
def test_a_message_that_is_none(user, message):
    with refused("InvalidAuthorizationMessageException"):
        user.sts.decode_authorization_message(EncodedMessage=message)


def test_decoding_needs_its_right(account):
    user = account.user()
    with refused("AccessDenied", re.compile("sts:DecodeAuthorizationMessage")):
        user.sts.decode_authorization_message(EncodedMessage="A" * 100)


def test_tokens_may_not_be_swapped_between_kinds(account, user):
    """The key id of one session with the token of another is nobody."""
    first, second = user.session_token(), user.federate(fresh("fed"))
    mixed = type(user)(user.server, first.key_id, first.secret, second.token)
    with refused("InvalidClientTokenId", INVALID_TOKEN):
        mixed.sts.get_caller_identity()
