"""Managed session policies that go, and that come again: a live session is held to what there is at each request."""

from harness.expecting import refused
from harness.principals import allow, deny, document, fresh


def test_a_managed_session_policy_made_again_counts_on_the_next_request(account):
    """A session that has seen the policy missing must see that it is there again: what it denies is denied from then on."""
    owner, role, name = account.user(allow("sts:AssumeRole")), account.role(allow("iam:*")), fresh("again")
    arn = account.policy(allow("iam:ListUsers"), name=name)
    session = owner.assume(role, PolicyArns=[{"arn": arn}], Policy=document(allow("iam:ListGroups")))
    session.iam.list_users()
    account.iam.delete_policy(PolicyArn=arn)
    with refused("AccessDenied"):
        session.iam.list_users()
    assert account.policy(allow("iam:ListUsers"), deny("iam:ListGroups"), name=name) == arn
    with refused("AccessDenied"):
        session.iam.list_groups()
    session.iam.list_users()


def test_a_managed_session_policy_that_is_gone_widens_nothing(account):
    """Its Deny goes with it. What the other session policies allow was meant within it, so a session that lacks one allows nothing."""
    owner, role = account.user(allow("sts:AssumeRole")), account.role(allow("iam:*"))
    arn = account.policy(deny("iam:ListRoles"))
    session = owner.assume(role, PolicyArns=[{"arn": arn}], Policy=document(allow("iam:*")))
    session.iam.list_users()
    with refused("AccessDenied"):
        session.iam.list_roles()
    account.iam.delete_policy(PolicyArn=arn)
    with refused("AccessDenied"):
        session.iam.list_roles()


def test_a_session_deletes_no_policy_that_narrows_it_to_be_rid_of_it(account):
    """The same as an escalation: the narrowed session does it itself."""
    owner, role = account.user(allow("sts:AssumeRole")), account.role(allow("iam:*"))
    arn = account.policy(deny("iam:CreateUser"))
    session = owner.assume(role, PolicyArns=[{"arn": arn}], Policy=document(allow("iam:*")))
    session.iam.delete_policy(PolicyArn=arn)
    with refused("AccessDenied"):
        session.iam.create_user(UserName=fresh("escaped"))
