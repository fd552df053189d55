"""Step 2: alice assumes the role with a session policy and session tags; role ∩ session policy ∩ boundary, exactly; changed tokens are refused."""

import base64
import datetime

import pytest

from harness.expecting import BOUNDARY, IDENTITY, INVALID_TOKEN, SESSION, denial, refused
from harness.principals import Principal, allow, deny, document, trust


@pytest.fixture(scope="module")
def alice(account):
    return account.user(allow(["sts:AssumeRole", "sts:TagSession"]), name="alice")


ACTIONS = {"iam:ListUsers": "list_users", "iam:ListRoles": "list_roles", "iam:ListGroups": "list_groups", "iam:ListPolicies": "list_policies"}
ALL = list(ACTIONS)


@pytest.mark.parametrize("action", ALL)
def test_a_session_may_exactly_what_role_session_policy_and_boundary_all_allow(account, alice, action):
    role_allows, boundary_allows, session_allows = ALL[:3], [ALL[0], *ALL[2:]], [ALL[0], ALL[1], ALL[3]]
    boundary = account.policy(allow(boundary_allows))
    role = account.role(allow(role_allows), PermissionsBoundary=boundary)
    session = alice.assume(role, Policy=document(allow(session_allows)))
    call = getattr(session.iam, ACTIONS[action])
    if action in role_allows and action in boundary_allows and action in session_allows:
        call()
    else:
        with refused("AccessDenied"):
            call()


def test_the_denial_names_the_session_policy(account, alice):
    role = account.role(allow("*"))
    session = alice.assume(role, "narrow", Policy=document(allow("iam:ListUsers")))
    assert session.arn == f"arn:aws:sts::{account.id}:assumed-role/{role.name}/narrow"
    with refused("AccessDenied", denial(session.arn, "iam:ListRoles", account.arn("role/"), kind=SESSION)):
        session.iam.list_roles()


def test_the_denial_names_an_explicit_deny_in_the_session_policy(account, alice):
    session = alice.assume(account.role(allow("*")), Policy=document(allow("*"), deny("iam:ListRoles")))
    with refused("AccessDenied", denial(session.arn, "iam:ListRoles", account.arn("role/"), kind=SESSION, explicit=True)):
        session.iam.list_roles()


def test_the_denial_names_the_roles_boundary(account, alice):
    session = alice.assume(account.role(allow("*"), PermissionsBoundary=account.policy(allow("iam:ListUsers"))))
    with refused("AccessDenied", denial(session.arn, "iam:ListRoles", account.arn("role/"), kind=BOUNDARY)):
        session.iam.list_roles()


def test_the_denial_names_the_roles_own_lack(account, alice):
    session = alice.assume(account.role(), Policy=document(allow("*")))
    with refused("AccessDenied", denial(session.arn, "iam:ListRoles", account.arn("role/"), kind=IDENTITY)):
        session.iam.list_roles()


def test_a_session_policy_never_grants(account, alice):
    session = alice.assume(account.role(allow("iam:ListUsers")), Policy=document(allow("*")))
    session.iam.list_users()
    with refused("AccessDenied"):
        session.iam.create_user(UserName="by-a-session-policy")


def test_managed_session_policies_narrow_too_and_join_the_inline_one(account, alice):
    arn = account.policy(allow("iam:ListRoles"))
    role = account.role(allow("iam:*"))
    session = alice.assume(role, PolicyArns=[{"arn": arn}])
    session.iam.list_roles()
    with refused("AccessDenied"):
        session.iam.list_users()
    joined = alice.assume(role, PolicyArns=[{"arn": arn}], Policy=document(allow("iam:ListUsers")))
    joined.iam.list_roles()
    joined.iam.list_users()
    with refused("AccessDenied"):
        joined.iam.list_groups()


def test_a_managed_session_policy_that_is_gone_allows_nothing(account, alice):
    arn = account.policy(allow("iam:ListRoles"))
    session = alice.assume(account.role(allow("iam:*")), PolicyArns=[{"arn": arn}])
    session.iam.list_roles()
    account.iam.delete_policy(PolicyArn=arn)
    with refused("AccessDenied"):
        session.iam.list_roles()


def test_session_tags_are_seen_by_policies(account, alice):
    wanted = {"StringEquals": {"aws:PrincipalTag/team": "red"}}
    role = account.role(allow("iam:ListUsers", condition=wanted), trusted=trust(account.id, ["sts:AssumeRole", "sts:TagSession"]))
    alice.assume(role, Tags=[{"Key": "team", "Value": "red"}]).iam.list_users()
    with refused("AccessDenied"):
        alice.assume(role, Tags=[{"Key": "team", "Value": "blue"}]).iam.list_users()
    with refused("AccessDenied"):
        alice.assume(role).iam.list_users()


def test_the_expiration_is_what_was_asked(account, alice):
    role = account.role()
    before = datetime.datetime.now(datetime.timezone.utc)
    for seconds in (900, 3600):
        got = alice.sts.assume_role(RoleArn=role.arn, RoleSessionName="timed", DurationSeconds=seconds)["Credentials"]
        assert abs((got["Expiration"] - before).total_seconds() - seconds) < 30
        assert got["Expiration"].microsecond == 0


@pytest.fixture(scope="module")
def session(account, alice):
    return alice.assume(account.role(allow("iam:ListUsers"), name="bent"))


def bent(session, token, key_id=None, secret=None):
    return Principal(session.server, key_id or session.key_id, secret or session.secret, token)


def changed_at(token, index):
    swapped = "A" if token[index] != "A" else "B"
    return token[:index] + swapped + token[index + 1 :]


def test_the_session_works_as_it_is(session):
    session.iam.list_users()
    assert session.identity()["Arn"] == session.arn


@pytest.mark.parametrize("place", ["first", "second", "quarter", "middle", "three quarters", "last but three"])
def test_a_changed_token_is_refused(session, place):
    length = len(session.token)
    index = {"first": 0, "second": 1, "quarter": length // 4, "middle": length // 2, "three quarters": 3 * length // 4, "last but three": length - 4}[place]
    with refused("InvalidClientTokenId", INVALID_TOKEN):
        bent(session, changed_at(session.token, index)).sts.get_caller_identity()


@pytest.mark.parametrize("keep", [0.25, 0.5, 0.99])
def test_a_truncated_token_is_refused(session, keep):
    with refused("InvalidClientTokenId", INVALID_TOKEN):
        bent(session, session.token[: int(len(session.token) * keep)]).sts.get_caller_identity()


@pytest.mark.parametrize("token", ["x", "not a token", "%00", "=" * 40, base64.b64encode(bytes(400)).decode(), "A" * 8192])
def test_a_token_that_is_none_is_refused(session, token):
    with refused("InvalidClientTokenId", INVALID_TOKEN):
        bent(session, token).sts.get_caller_identity()


def test_a_lengthened_token_is_refused(session):
    for more in ("A", "AAAA", session.token):
        with refused("InvalidClientTokenId", INVALID_TOKEN):
            bent(session, session.token + more).sts.get_caller_identity()


def test_a_token_of_another_session_is_refused(account, alice, session):
    foreign = alice.assume(account.arn("role/bent"))
    with refused("InvalidClientTokenId", INVALID_TOKEN):
        bent(session, foreign.token).sts.get_caller_identity()
    with refused("InvalidClientTokenId", INVALID_TOKEN):
        bent(session, session.token, key_id=foreign.key_id, secret=foreign.secret).sts.get_caller_identity()


def test_a_token_of_another_server_is_refused(own_server, session):
    own_server.start()
    account = own_server.first_account()
    foreign = account.user(allow("sts:AssumeRole")).assume(account.role())
    foreign.identity()
    with refused("InvalidClientTokenId", INVALID_TOKEN):
        Principal(session.server, foreign.key_id, foreign.secret, foreign.token).sts.get_caller_identity()


def test_a_temporary_key_without_its_token_is_refused(session):
    with refused("InvalidClientTokenId", INVALID_TOKEN):
        bent(session, None).sts.get_caller_identity()


def test_a_long_term_key_with_a_token_is_refused(session, alice):
    with refused("InvalidClientTokenId", INVALID_TOKEN):
        Principal(alice.server, alice.key_id, alice.secret, session.token).sts.get_caller_identity()


def test_a_wrong_secret_with_the_right_token_is_refused(session):
    with refused("SignatureDoesNotMatch"):
        bent(session, session.token, secret="x" * 40).sts.get_caller_identity()
