"""Permissions boundaries of users and roles: set, shown, taken away; and the delegation that AWS builds on them."""

import pytest

from harness.entities import TITLES, Entity
from harness.expecting import BOUNDARY, denial, refused
from harness.principals import allow, body, deny, document, fresh

bounded_kinds = pytest.mark.parametrize("kind", ["user", "role"])


def boundary_of(entity):
    return entity.call("get_{}")[TITLES[entity.kind]].get("PermissionsBoundary")


@bounded_kinds
def test_put_show_replace_delete(account, kind):
    entity, first, second = Entity(account, kind), account.policy(), account.policy()
    assert boundary_of(entity) is None
    for arn in (first, second):
        assert body(entity.call("put_{}_permissions_boundary", PermissionsBoundary=arn)) == {}
        assert boundary_of(entity) == {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn}
    assert body(entity.call("delete_{}_permissions_boundary")) == {}
    assert boundary_of(entity) is None


@bounded_kinds
def test_an_aws_managed_policy_may_bound(account, kind):
    entity = Entity(account, kind)
    entity.call("put_{}_permissions_boundary", PermissionsBoundary="arn:aws:iam::aws:policy/PowerUserAccess")
    assert boundary_of(entity)["PermissionsBoundaryArn"] == "arn:aws:iam::aws:policy/PowerUserAccess"


@bounded_kinds
def test_a_missing_policy_or_entity(account, kind):
    entity, arn = Entity(account, kind), account.policy()
    none, other = account.arn("policy/none"), account.arn("not_a_policy/some")
    with refused("NoSuchEntity", f"Scope ARN: {none} does not exist or is not attachable."):
        entity.call("put_{}_permissions_boundary", PermissionsBoundary=none)
    with refused("InvalidInput", f"ARN {other} is not valid."):
        entity.call("put_{}_permissions_boundary", PermissionsBoundary=other)
    with refused("NoSuchEntity", f"Scope ARN: {none} does not exist or is not attachable."):
        account.user(key=False, PermissionsBoundary=none)
    assert boundary_of(entity) is None
    name = {entity.member: "none"}
    with refused("NoSuchEntity", entity.missing("none")):
        getattr(account.iam, f"put_{kind}_permissions_boundary")(PermissionsBoundary=arn, **name)
    with refused("NoSuchEntity", entity.missing("none")):
        getattr(account.iam, f"delete_{kind}_permissions_boundary")(**name)


@bounded_kinds
def test_deleting_where_there_is_none(account, kind):
    """AWS's page names NoSuchEntity for it."""
    entity = Entity(account, kind)
    with refused("NoSuchEntity"):
        entity.call("delete_{}_permissions_boundary")


def test_a_boundary_grants_nothing(account):
    user = account.user(PermissionsBoundary=account.policy(allow("*")))
    with refused("AccessDenied", denial(user.arn, "iam:ListUsers", account.arn("user/"))):
        user.iam.list_users()


def test_a_boundary_limits_groups_policies_too(account):
    user = account.user(PermissionsBoundary=account.policy(allow("iam:ListUsers")))
    account.group(allow("iam:*"), members=[user])
    user.iam.list_users()
    with refused("AccessDenied", denial(user.arn, "iam:ListGroups", account.arn("group/"), kind=BOUNDARY)):
        user.iam.list_groups()


def test_a_boundary_of_the_user_limits_her_session_token(account):
    user = account.user(allow("sts:*"), PermissionsBoundary=account.policy(allow("iam:*")))
    session = user.session_token()
    with refused("AccessDenied"):
        session.assume(account.role())


def test_the_assumed_roles_boundary_counts_not_the_users(account):
    user = account.user(allow("sts:AssumeRole"), PermissionsBoundary=account.policy(allow("sts:AssumeRole")))
    user.assume(account.role(allow("iam:ListUsers"))).iam.list_users()


# Delegation: who may make users only under a boundary cannot make a stronger one.


@pytest.fixture(scope="module")
def delegate(account):
    arn = account.policy(allow(["iam:ListUsers", "s3:*"]), name="bound")
    under = {"StringEquals": {"iam:PermissionsBoundary": arn}}
    user = account.user(
        allow(["iam:CreateUser", "iam:CreateRole", "iam:PutUserPolicy", "iam:AttachUserPolicy", "iam:PutUserPermissionsBoundary"], condition=under),
        allow(["iam:CreateAccessKey"]),
        deny(["iam:DeleteUserPermissionsBoundary", "iam:CreatePolicyVersion"]),
    )
    user.bound = arn
    return user


def test_a_delegate_makes_users_under_the_boundary_only(delegate, account):
    delegate.iam.create_user(UserName=fresh("made"), PermissionsBoundary=delegate.bound)
    for more in ({}, {"PermissionsBoundary": "arn:aws:iam::aws:policy/AdministratorAccess"}):
        with refused("AccessDenied"):
            delegate.iam.create_user(UserName=fresh("made"), **more)


def test_a_delegate_gives_policies_to_bounded_users_only(delegate, account):
    bounded, free = Entity(account, "user", PermissionsBoundary=delegate.bound), Entity(account, "user")
    text = document(allow("*"))
    delegate.iam.put_user_policy(UserName=bounded.name, PolicyName="p", PolicyDocument=text)
    delegate.iam.attach_user_policy(UserName=bounded.name, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    with refused("AccessDenied"):
        delegate.iam.put_user_policy(UserName=free.name, PolicyName="p", PolicyDocument=text)
    with refused("AccessDenied"):
        delegate.iam.attach_user_policy(UserName=free.name, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")


def test_a_delegate_cannot_take_the_boundary_off_or_change_it(delegate, account):
    bounded = Entity(account, "user", PermissionsBoundary=delegate.bound)
    with refused("AccessDenied", denial(delegate.arn, "iam:DeleteUserPermissionsBoundary", (f"user {bounded.name}", bounded.arn), explicit=True)):
        delegate.iam.delete_user_permissions_boundary(UserName=bounded.name)
    with refused("AccessDenied"):
        delegate.iam.put_user_permissions_boundary(UserName=bounded.name, PermissionsBoundary="arn:aws:iam::aws:policy/AdministratorAccess")
    with refused("AccessDenied"):
        delegate.iam.create_policy_version(PolicyArn=delegate.bound, PolicyDocument=document(allow("*")), SetAsDefault=True)


def test_what_a_delegate_made_stays_inside(delegate, account):
    name = fresh("made")
    delegate.iam.create_user(UserName=name, PermissionsBoundary=delegate.bound)
    delegate.iam.attach_user_policy(UserName=name, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    key = delegate.iam.create_access_key(UserName=name)["AccessKey"]
    made = type(delegate)(delegate.server, key["AccessKeyId"], key["SecretAccessKey"])
    made.iam.list_users()
    with refused("AccessDenied"):
        made.iam.create_user(UserName=fresh("escaped"))
