"""Step 5: taking away acts on the very next request, for live sessions too. Each test warms every cache first: the call succeeds, then the
right goes, then the same client is refused with no pause between."""

import datetime
import time

import pytest

from harness.expecting import INVALID_TOKEN, SESSION, denial, refused
from harness.principals import allow, deny, document, fresh, trust

LISTS = allow("iam:ListUsers")


def test_a_deleted_key_is_refused_on_the_next_request(account):
    user = account.user(LISTS)
    user.iam.list_users()
    account.iam.delete_access_key(UserName=user.name, AccessKeyId=user.key_id)
    with refused("InvalidClientTokenId", INVALID_TOKEN):
        user.iam.list_users()


def test_an_inactive_key_is_refused_and_an_active_one_accepted_again(account):
    user = account.user(LISTS)
    for _ in range(3):
        user.iam.list_users()
        account.iam.update_access_key(UserName=user.name, AccessKeyId=user.key_id, Status="Inactive")
        with refused("InvalidClientTokenId", INVALID_TOKEN):
            user.iam.list_users()
        account.iam.update_access_key(UserName=user.name, AccessKeyId=user.key_id, Status="Active")
    user.iam.list_users()


def test_disabling_one_key_leaves_the_other(account):
    user = account.user(LISTS)
    second = account.iam.create_access_key(UserName=user.name)["AccessKey"]
    account.iam.update_access_key(UserName=user.name, AccessKeyId=second["AccessKeyId"], Status="Inactive")
    user.iam.list_users()


def test_a_user_deleted_and_made_again_is_not_the_same(account):
    """Her name in a trust policy stands for the one who is gone."""
    user = account.user(allow("sts:AssumeRole"))
    role = account.role(trusted=user.arn)
    user.assume(role)
    iam = account.iam
    iam.delete_user_policy(UserName=user.name, PolicyName="granted")
    iam.delete_access_key(UserName=user.name, AccessKeyId=user.key_id)
    iam.delete_user(UserName=user.name)
    shown = iam.get_role(RoleName=role.name)["Role"]["AssumeRolePolicyDocument"]
    assert shown["Statement"][0]["Principal"] == {"AWS": user.unique_id}
    again = account.user(allow("sts:AssumeRole"), name=user.name)
    assert again.arn == user.arn and again.unique_id != user.unique_id
    with refused("AccessDenied"):
        again.assume(role)


@pytest.mark.parametrize("give, take", [
    (lambda iam, user, arn: iam.attach_user_policy(UserName=user, PolicyArn=arn), lambda iam, user, arn: iam.detach_user_policy(UserName=user, PolicyArn=arn)),
    (lambda iam, user, arn: iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=document(LISTS)),
     lambda iam, user, arn: iam.delete_user_policy(UserName=user, PolicyName="p")),
    (lambda iam, user, arn: iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=document(LISTS)),
     lambda iam, user, arn: iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=document(allow("s3:*")))),
    (lambda iam, user, arn: iam.attach_user_policy(UserName=user, PolicyArn=arn),
     lambda iam, user, arn: iam.create_policy_version(PolicyArn=arn, PolicyDocument=document(allow("s3:*")), SetAsDefault=True)),
    (lambda iam, user, arn: iam.attach_user_policy(UserName=user, PolicyArn=arn),
     lambda iam, user, arn: iam.put_user_policy(UserName=user, PolicyName="no", PolicyDocument=document(deny("iam:ListUsers")))),
    (lambda iam, user, arn: iam.attach_user_policy(UserName=user, PolicyArn=arn),
     lambda iam, user, arn: iam.put_user_permissions_boundary(UserName=user, PermissionsBoundary="arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")),
], ids=["detached", "inline deleted", "inline replaced", "new default version", "denied", "bounded"])
def test_a_policy_taken_away_acts_on_the_next_request(account, give, take):
    user, arn = account.user(), account.policy(LISTS)
    with refused("AccessDenied"):
        user.iam.list_users()
    give(account.iam, user.name, arn)
    user.iam.list_users()
    take(account.iam, user.name, arn)
    with refused("AccessDenied"):
        user.iam.list_users()


def test_an_older_default_version_acts_on_the_next_request(account):
    user, arn = account.user(), account.policy(LISTS)
    account.iam.attach_user_policy(UserName=user.name, PolicyArn=arn)
    account.iam.create_policy_version(PolicyArn=arn, PolicyDocument=document(allow("s3:*")), SetAsDefault=True)
    with refused("AccessDenied"):
        user.iam.list_users()
    account.iam.set_default_policy_version(PolicyArn=arn, VersionId="v1")
    user.iam.list_users()
    account.iam.set_default_policy_version(PolicyArn=arn, VersionId="v2")
    with refused("AccessDenied"):
        user.iam.list_users()


def test_leaving_a_group_acts_on_the_next_request(account):
    user = account.user()
    group = account.group(LISTS, members=[user])
    user.iam.list_users()
    account.iam.remove_user_from_group(GroupName=group, UserName=user.name)
    with refused("AccessDenied"):
        user.iam.list_users()


@pytest.mark.parametrize("way", ["inline", "attached"])
def test_a_groups_policy_taken_away_acts_on_the_next_request(account, way):
    user = account.user()
    group, arn = account.group(members=[user]), account.policy(LISTS)
    if way == "inline":
        account.iam.put_group_policy(GroupName=group, PolicyName="p", PolicyDocument=document(LISTS))
        user.iam.list_users()
        account.iam.delete_group_policy(GroupName=group, PolicyName="p")
    else:
        account.iam.attach_group_policy(GroupName=group, PolicyArn=arn)
        user.iam.list_users()
        account.iam.detach_group_policy(GroupName=group, PolicyArn=arn)
    with refused("AccessDenied"):
        user.iam.list_users()


def test_a_users_tag_taken_away_acts_on_the_next_request(account):
    wanted = {"StringEquals": {"aws:PrincipalTag/team": "red"}}
    user = account.user(allow("iam:ListUsers", condition=wanted), Tags=[{"Key": "team", "Value": "red"}])
    user.iam.list_users()
    account.iam.untag_user(UserName=user.name, TagKeys=["team"])
    with refused("AccessDenied"):
        user.iam.list_users()


# Sessions of a role.


@pytest.fixture
def assumed(account):
    user, role = account.user(allow("sts:AssumeRole")), account.role(LISTS)
    session = user.assume(role)
    session.iam.list_users()
    return user, role, session


def test_a_role_session_ends_with_its_role(account, assumed):
    _, role, session = assumed
    account.iam.delete_role_policy(RoleName=role.name, PolicyName="granted")
    account.iam.delete_role(RoleName=role.name)
    with refused("InvalidClientTokenId"):
        session.iam.list_users()


def test_a_role_made_again_does_not_revive_its_sessions(account, assumed):
    _, role, session = assumed
    account.iam.delete_role_policy(RoleName=role.name, PolicyName="granted")
    account.iam.delete_role(RoleName=role.name)
    account.role(LISTS, name=role.name)
    with refused("InvalidClientTokenId"):
        session.iam.list_users()


def test_a_role_session_loses_what_its_role_loses(account, assumed):
    _, role, session = assumed
    account.iam.delete_role_policy(RoleName=role.name, PolicyName="granted")
    with refused("AccessDenied", denial(session.arn, "iam:ListUsers", account.arn("user/"))):
        session.iam.list_users()
    arn = account.policy(LISTS)
    account.iam.attach_role_policy(RoleName=role.name, PolicyArn=arn)
    session.iam.list_users()
    account.iam.put_role_permissions_boundary(RoleName=role.name, PermissionsBoundary=account.policy(allow("s3:*")))
    with refused("AccessDenied"):
        session.iam.list_users()
    account.iam.delete_role_permissions_boundary(RoleName=role.name)
    session.iam.list_users()
    account.iam.detach_role_policy(RoleName=role.name, PolicyArn=arn)
    with refused("AccessDenied"):
        session.iam.list_users()


def test_a_role_session_outlives_who_assumed_it(account, assumed):
    """As in AWS: it is the role's, not the user's."""
    user, _, session = assumed
    account.iam.delete_access_key(UserName=user.name, AccessKeyId=user.key_id)
    account.iam.delete_user_policy(UserName=user.name, PolicyName="granted")
    account.iam.delete_user(UserName=user.name)
    session.iam.list_users()


def test_a_changed_trust_policy_ends_no_session_but_lets_in_no_new_one(account, assumed):
    user, role, session = assumed
    account.iam.update_assume_role_policy(RoleName=role.name, PolicyDocument=trust({"Service": "ec2.amazonaws.com"}))
    session.iam.list_users()
    with refused("AccessDenied"):
        user.assume(role)


def test_a_deny_on_token_issue_time_ends_earlier_sessions_only(account, assumed):
    user, role, session = assumed
    now = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=1)
    older = {"DateLessThan": {"aws:TokenIssueTime": now.strftime("%Y-%m-%dT%H:%M:%SZ")}}
    account.iam.put_role_policy(RoleName=role.name, PolicyName="RevokeOlderSessions", PolicyDocument=document(deny("*", condition=older)))
    with refused("AccessDenied", denial(session.arn, "iam:ListUsers", account.arn("user/"), explicit=True)):
        session.iam.list_users()
    time.sleep(1.5)
    user.assume(role).iam.list_users()


def test_a_managed_session_policy_narrowed_later_narrows_the_session(account):
    arn = account.policy(LISTS)
    user, role = account.user(allow("sts:AssumeRole")), account.role(allow("*"))
    session = user.assume(role, PolicyArns=[{"arn": arn}])
    session.iam.list_users()
    account.iam.create_policy_version(PolicyArn=arn, PolicyDocument=document(allow("s3:*")), SetAsDefault=True)
    with refused("AccessDenied", denial(session.arn, "iam:ListUsers", account.arn("user/"), kind=SESSION)):
        session.iam.list_users()


# Sessions of a user end with the user and with the key that asked for them.


def _session_of(user, kind):
    if kind == "GetSessionToken":
        return user.session_token()
    return user.federate(fresh("fed"), Policy=document(allow("*")))


@pytest.mark.parametrize("kind", ["GetSessionToken", "GetFederationToken"])
@pytest.mark.parametrize("end", ["key deleted", "key inactive", "user deleted"])
def test_a_users_session_ends_with_its_key_and_user(account, kind, end):
    user = account.user(allow("sts:GetFederationToken"))
    session = _session_of(user, kind)
    session.identity()
    if end == "key inactive":
        account.iam.update_access_key(UserName=user.name, AccessKeyId=user.key_id, Status="Inactive")
    else:
        account.iam.delete_access_key(UserName=user.name, AccessKeyId=user.key_id)
    if end == "user deleted":
        account.iam.delete_user_policy(UserName=user.name, PolicyName="granted")
        account.iam.delete_user(UserName=user.name)
    with refused("InvalidClientTokenId"):
        session.sts.get_caller_identity()


def test_a_users_session_survives_the_end_of_another_key(account):
    user = account.user()
    session = user.session_token()
    other = account.iam.create_access_key(UserName=user.name)["AccessKey"]["AccessKeyId"]
    account.iam.delete_access_key(UserName=user.name, AccessKeyId=other)
    session.identity()


def test_a_users_session_sees_its_users_policies_as_they_are_now(account):
    user = account.user()
    role = account.role(trusted=account.id)
    session = user.session_token()
    with refused("AccessDenied"):
        session.assume(role)
    account.iam.put_user_policy(UserName=user.name, PolicyName="p", PolicyDocument=document(allow("sts:AssumeRole")))
    session.assume(role)
    account.iam.delete_user_policy(UserName=user.name, PolicyName="p")
    with refused("AccessDenied"):
        session.assume(role)


def test_roots_key_made_inactive_is_refused(server):
    account = server.account(fresh("rootless"))
    administrator = account.user(allow("*"))
    second = account.iam.create_access_key()["AccessKey"]["AccessKeyId"]
    account.iam.update_access_key(AccessKeyId=second, Status="Inactive")
    account.iam.delete_access_key(AccessKeyId=account.root.key_id)
    with refused("InvalidClientTokenId", INVALID_TOKEN):
        account.iam.list_users()
    administrator.iam.list_users()
