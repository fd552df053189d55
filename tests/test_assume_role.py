"""AssumeRole: answers, limits, who may, and what each refusal says."""

import datetime
import json
import re

import pytest

from harness.expecting import NOT_NULL, ROOT_ASSUMES, complaint, denial, invalid, pattern, refused
from harness.principals import allow, body, deny, document, fresh, trust
from test_user_sessions import TOKEN_SIZE

NAME = r"[\w+=,.@-]*"


@pytest.fixture(scope="module")
def alice(account):
    return account.user(allow(["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]), name="alice")


@pytest.fixture(scope="module")
def role(account):
    return account.role(name="plain", MaxSessionDuration=7200)


def sentence(caller, role):
    return denial(caller.arn, "sts:AssumeRole", role if isinstance(role, str) else role.arn, bare=True)


# Same account, so AWS may add its reason; the head is the same in any case.
def sentence_with_reason(caller, role, action="sts:AssumeRole"):
    return re.compile("^" + re.escape(denial(caller.arn, action, role.arn, bare=True)) + "( because no .*| with an explicit deny .*)?$")


def test_the_answer(account, alice, role):
    before = datetime.datetime.now(datetime.timezone.utc)
    reply = body(alice.sts.assume_role(RoleArn=role.arn, RoleSessionName="s1"))
    assert set(reply) == {"Credentials", "AssumedRoleUser"} | TOKEN_SIZE, "neither PackedPolicySize nor SourceIdentity"
    credentials = reply["Credentials"]
    assert set(credentials) == {"AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"}
    assert re.fullmatch("ASIA[A-Z2-7]{16}", credentials["AccessKeyId"]) and re.fullmatch("[A-Za-z0-9+/]{40}", credentials["SecretAccessKey"])
    assert re.fullmatch("[A-Za-z0-9+/=_-]{100,4096}", credentials["SessionToken"])
    assert abs((credentials["Expiration"] - before).total_seconds() - 3600) < 30 and credentials["Expiration"].microsecond == 0
    assert reply["AssumedRoleUser"] == {"AssumedRoleId": f"{role.unique_id}:s1", "Arn": f"arn:aws:sts::{account.id}:assumed-role/plain/s1"}


def test_packed_policy_size_comes_with_policies_or_tags(alice, account, role):
    tagged = account.role(trusted=trust(account.id, ["sts:AssumeRole", "sts:TagSession"]))
    for more in ({"Policy": document(allow("*"))}, {"PolicyArns": [{"arn": account.policy()}]}, {"Tags": [{"Key": "a", "Value": "b"}]}):
        reply = alice.sts.assume_role(RoleArn=tagged.arn, RoleSessionName="s1", **more)
        assert 0 <= reply["PackedPolicySize"] <= 100
    small = alice.sts.assume_role(RoleArn=tagged.arn, RoleSessionName="s1", Policy=document(allow("s3:GetObject")))["PackedPolicySize"]
    large = alice.sts.assume_role(RoleArn=tagged.arn, RoleSessionName="s1", Policy=document(*[allow(f"s3:GetObject{number}", f"arn:aws:s3:::{number * 7919}") for number in range(15)]))
    assert large["PackedPolicySize"] > small


def test_each_session_has_credentials_of_its_own(alice, role):
    sessions = [alice.assume(role, "same") for _ in range(5)]
    assert len({session.key_id for session in sessions}) == len({session.secret for session in sessions}) == len({session.token for session in sessions}) == 5


# Limits and shapes.


@pytest.mark.parametrize("seconds, constraint", [(899, "Member must have value greater than or equal to 900"), (43201, "Member must have value less than or equal to 43200")])
def test_durations_outside_the_model(alice, role, seconds, constraint):
    with refused("ValidationError", invalid(complaint(seconds, "durationSeconds", constraint))):
        alice.unchecked("sts").assume_role(RoleArn=role.arn, RoleSessionName="s1", DurationSeconds=seconds)


def test_the_roles_own_maximum(alice, role):
    alice.assume(role, DurationSeconds=7200)
    with refused("ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."):
        alice.assume(role, DurationSeconds=7201)


@pytest.mark.parametrize("name, constraint", [("Session1:2", pattern(NAME)), ("with space", pattern(NAME)), ("s/1", pattern(NAME)),
                                              ("x", "Member must have length greater than or equal to 2"), ("x" * 65, "Member must have length less than or equal to 64")])
def test_a_bad_session_name(alice, role, name, constraint):
    with refused("ValidationError", invalid(complaint(name, "roleSessionName", constraint))):
        alice.unchecked("sts").assume_role(RoleArn=role.arn, RoleSessionName=name)


def test_several_violations_come_in_one_answer(alice, role):
    wanted = invalid(complaint("a:b", "roleSessionName", pattern(NAME)), complaint(1, "durationSeconds", "Member must have value greater than or equal to 900"))
    with refused("ValidationError", wanted):
        alice.unchecked("sts").assume_role(RoleArn=role.arn, RoleSessionName="a:b", DurationSeconds=1)


def test_a_name_may_break_two_constraints(alice, role):
    with refused("ValidationError", invalid(complaint(":", "roleSessionName", pattern(NAME)), complaint(":", "roleSessionName", "Member must have length greater than or equal to 2"))):
        alice.unchecked("sts").assume_role(RoleArn=role.arn, RoleSessionName=":")


def test_missing_members(alice):
    with refused("ValidationError", invalid(complaint(None, "roleArn", NOT_NULL), complaint(None, "roleSessionName", NOT_NULL))):
        alice.unchecked("sts").assume_role()


@pytest.mark.parametrize("arn", ["nothing-valid-in-here", "arn::b:::something/test-role", "arn:a::::something/test-role", "arn:a:::something/test-role", "arn:a:a::aaaaaaaaaa:"])
def test_a_role_arn_that_does_not_parse(alice, arn):
    with refused("ValidationError", f"{arn} is invalid"):
        alice.sts.assume_role(RoleArn=arn, RoleSessionName="s1")


def test_a_bad_session_name_is_told_before_a_bad_arn(alice):
    with refused("ValidationError", invalid(complaint("Session1:2", "roleSessionName", pattern(NAME)))):
        alice.sts.assume_role(RoleArn="arn:a:b:::something/test-role", RoleSessionName="Session1:2")


@pytest.mark.parametrize("external", ["x", "a b", "x" * 1225])
def test_a_bad_external_id(alice, role, external):
    with refused("ValidationError", re.compile("at 'externalId' failed to satisfy constraint")):
        alice.unchecked("sts").assume_role(RoleArn=role.arn, RoleSessionName="s1", ExternalId=external)


def test_eleven_managed_session_policies(alice, role, account):
    arns = [{"arn": account.policy()} for _ in range(11)]
    with pytest.raises(alice.sts.exceptions.ClientError) as caught:
        alice.assume(role, PolicyArns=arns)
    assert caught.value.response["Error"]["Code"] in {"ValidationError", "LimitExceeded", "PackedPolicyTooLarge", "InvalidParameterValue"}
    alice.assume(role, PolicyArns=arns[:10])


def test_a_session_policy_over_2048_characters(alice, role):
    long = document(*[allow("s3:GetObject", f"arn:aws:s3:::bucket-{number}/*") for number in range(40)])
    with pytest.raises(alice.sts.exceptions.ClientError) as caught:
        alice.assume(role, Policy=long)
    assert caught.value.response["Error"]["Code"] in {"ValidationError", "PackedPolicyTooLarge"}


@pytest.mark.parametrize("policy", ["{}", "no json", '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}'])
def test_a_bad_session_policy(alice, role, policy):
    with refused("MalformedPolicyDocument"):
        alice.assume(role, Policy=policy)


def test_managed_session_policies_are_the_roles_accounts_or_awss(alice, role, other_account, account):
    alice.assume(role, PolicyArns=[{"arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}])
    for arn in (other_account.policy(), account.arn("policy/there-is-none")):
        with pytest.raises(alice.sts.exceptions.ClientError) as caught:
            alice.assume(role, PolicyArns=[{"arn": arn}])
        assert caught.value.response["Error"]["Code"] in {"ValidationError", "NoSuchEntity", "AccessDenied", "MalformedPolicyDocument", "InvalidParameterValue"}


# Who may.


def test_root_may_not(account, role):
    with refused("AccessDenied", ROOT_ASSUMES):
        account.root.assume(role)


def test_a_federated_user_may_not(account, role):
    session = account.user(allow("sts:*")).federate("fed", Policy=document(allow("*")))
    with pytest.raises(session.sts.exceptions.ClientError) as caught:
        session.assume(role)
    assert caught.value.response["Error"]["Code"] in {"AccessDenied", "InvalidClientTokenId"}


def test_trust_in_the_account_needs_an_identity_policy_too(account, role):
    user = account.user()
    with refused("AccessDenied", sentence_with_reason(user, role)):
        user.assume(role)
    account.iam.put_user_policy(UserName=user.name, PolicyName="p", PolicyDocument=document(allow("sts:AssumeRole", role.arn)))
    user.assume(role)


@pytest.mark.parametrize("form", ["digits", "root"])
def test_both_forms_of_naming_an_account(account, alice, form):
    alice.assume(account.role(trusted=account.id if form == "digits" else account.root_arn))


def test_trust_in_the_user_itself_suffices(account):
    user = account.user()
    user.assume(account.role(trusted=user.arn))


def test_trust_in_another_user_does_not(account, alice):
    other = account.user()
    role = account.role(trusted=other.arn)
    with refused("AccessDenied", sentence_with_reason(alice, role)):
        alice.assume(role)


def test_even_an_administrator_needs_trust(account):
    administrator = account.user(allow("*"))
    role = account.role(trusted=trust({"Service": "ec2.amazonaws.com"}))
    with refused("AccessDenied", sentence_with_reason(administrator, role)):
        administrator.assume(role)


def test_an_identity_deny_wins_over_trust(account):
    user = account.user(deny("sts:AssumeRole"))
    role = account.role(trusted=user.arn)
    with refused("AccessDenied", sentence_with_reason(user, role)):
        user.assume(role)


def test_a_deny_in_the_trust_policy_wins(account, alice):
    both = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": account.id}, "Action": "sts:AssumeRole"},
        {"Effect": "Deny", "Principal": {"AWS": alice.arn}, "Action": "sts:AssumeRole"}]}
    role = account.role(trusted=json.dumps(both))
    with refused("AccessDenied", sentence_with_reason(alice, role)):
        alice.assume(role)
    account.user(allow("sts:AssumeRole")).assume(role)


def test_everybody_still_means_those_with_an_identity_policy_from_elsewhere(account, other_account):
    role = account.role(trusted=trust("*"))
    inside, outside = account.user(), other_account.user()
    inside.assume(role)
    with refused("AccessDenied", sentence(outside, role)):
        outside.assume(role)
    other_account.user(allow("sts:AssumeRole")).assume(role)


def test_a_missing_role_is_told_as_a_forbidden_one(account, alice):
    missing = account.arn("role/there-is-none")
    forbidden = account.role(trusted=trust({"Service": "ec2.amazonaws.com"}))
    with refused("AccessDenied") as first:
        alice.assume(missing)
    with refused("AccessDenied") as second:
        alice.assume(forbidden)
    assert first.message == second.message.replace(forbidden.arn, missing)


def test_the_roles_path_is_part_of_its_arn(account, alice):
    role = account.role(Path="/some/path/")
    alice.assume(role)
    with refused("AccessDenied"):
        alice.assume(account.arn(f"role/{role.name}"))


def test_a_role_does_not_assume_itself_unless_named(account, alice):
    role = account.role(allow("sts:AssumeRole"))
    account.iam.update_assume_role_policy(RoleName=role.name, PolicyDocument=trust(alice.arn))
    session = alice.assume(role)
    with refused("AccessDenied"):
        session.assume(role)
    account.iam.update_assume_role_policy(RoleName=role.name, PolicyDocument=trust([alice.arn, role.arn]))
    session.assume(role)


@pytest.mark.parametrize("condition, met", [
    ({"StringLike": {"sts:RoleSessionName": "wanted-*"}}, True), ({"StringLike": {"sts:RoleSessionName": "other-*"}}, False),
    ({"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}, True), ({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, False),
    ({"Bool": {"aws:MultiFactorAuthPresent": "true"}}, False), ({"Null": {"aws:MultiFactorAuthAge": "true"}}, True),
    ({"StringEquals": {"aws:PrincipalType": "User"}}, True), ({"StringEquals": {"aws:username": "alice"}}, True),
    ({"StringEquals": {"aws:PrincipalAccount": "000000000000"}}, False), ({"NumericLessThanEquals": {"sts:DurationSeconds": "1800"}}, False),
    ({"StringEquals": {"aws:ResourceTag/stage": "x"}}, True), ({"Bool": {"aws:SecureTransport": "false"}}, True),
])
def test_conditions_of_the_trust_policy(account, alice, condition, met):
    role = account.role(trusted=trust(account.id, condition=condition), Tags=[{"Key": "stage", "Value": "x"}])
    if met:
        alice.assume(role, "wanted-1", DurationSeconds=3600)
    else:
        with refused("AccessDenied", sentence_with_reason(alice, role)):
            alice.assume(role, "wanted-1", DurationSeconds=3600)


def test_an_mfa_code_for_a_device_that_is_not_there(account, alice, role):
    with refused("AccessDenied", "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user."):
        alice.assume(role, SerialNumber=account.arn("mfa/none"), TokenCode="123456")


def test_session_credentials_may_not_ask_for_session_or_federation_tokens(account, alice):
    session = alice.assume(account.role(allow("*")))
    with refused("AccessDenied", "Cannot call GetSessionToken with session credentials"):
        session.sts.get_session_token()
    with refused("AccessDenied", "Cannot call GetFederationToken with session credentials"):
        session.sts.get_federation_token(Name=fresh("fed"))
