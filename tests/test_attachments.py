"""Managed policies on users, groups and roles: attach, detach, list, and who has a policy (ListEntitiesForPolicy)."""

import pytest

from harness.entities import TITLES, Entity, each_kind
from harness.expecting import denial, refused
from harness.principals import allow, body, fresh

AWS = "arn:aws:iam::aws:policy/"


@each_kind
def test_attach_list_detach(account, kind):
    entity, arn = Entity(account, kind), account.policy(Path="/own/")
    assert body(entity.call("attach_{}_policy", PolicyArn=arn)) == {}
    entity.call("attach_{}_policy", PolicyArn=arn)  # again: accepted, counted once
    entity.call("attach_{}_policy", PolicyArn=AWS + "SecurityAudit")
    listed = body(entity.call("list_attached_{}_policies"))
    assert set(listed) == {"AttachedPolicies", "IsTruncated"} and listed["IsTruncated"] is False
    wanted = [{"PolicyName": arn.rpartition("/")[2], "PolicyArn": arn}, {"PolicyName": "SecurityAudit", "PolicyArn": AWS + "SecurityAudit"}]
    assert sorted(listed["AttachedPolicies"], key=str) == sorted(wanted, key=str)
    assert entity.call("list_attached_{}_policies", PathPrefix="/own/")["AttachedPolicies"] == wanted[:1]
    assert body(entity.call("detach_{}_policy", PolicyArn=arn)) == {}
    assert entity.call("list_attached_{}_policies")["AttachedPolicies"] == wanted[1:]


@each_kind
def test_an_unknown_policy_cannot_be_attached_or_detached(account, kind):
    entity, arn = Entity(account, kind), account.arn("policy/none")
    with refused("NoSuchEntity", f"Policy {arn} does not exist or is not attachable."):
        entity.call("attach_{}_policy", PolicyArn=arn)
    with refused("NoSuchEntity", f"Policy {arn} was not found."):
        entity.call("detach_{}_policy", PolicyArn=arn)
    with refused("NoSuchEntity", f"Policy {AWS}NoSuchPolicyOfAws does not exist or is not attachable."):
        entity.call("attach_{}_policy", PolicyArn=AWS + "NoSuchPolicyOfAws")


@each_kind
def test_detaching_what_is_not_attached(account, kind):
    entity, arn = Entity(account, kind), account.policy()
    with refused("NoSuchEntity", f"Policy {arn} was not found."):
        entity.call("detach_{}_policy", PolicyArn=arn)


@each_kind
def test_a_policy_of_another_account_cannot_be_attached(account, other_account, kind):
    foreign = other_account.policy()
    with pytest.raises(account.iam.exceptions.ClientError) as caught:
        Entity(account, kind).call("attach_{}_policy", PolicyArn=foreign)
    assert caught.value.response["Error"]["Code"] in {"NoSuchEntity", "AccessDenied", "ValidationError", "InvalidInput"}


@each_kind
def test_a_missing_entity(account, kind):
    arn, name = account.policy(), {f"{TITLES[kind]}Name": "none"}
    for call in (f"attach_{kind}_policy", f"detach_{kind}_policy"):
        with refused("NoSuchEntity", f"The {kind} with name none cannot be found."):
            getattr(account.iam, call)(PolicyArn=arn, **name)


@each_kind
def test_ten_are_the_most(account, kind):
    entity = Entity(account, kind)
    arns = [account.policy() for _ in range(11)]
    for arn in arns[:10]:
        entity.call("attach_{}_policy", PolicyArn=arn)
    with refused("LimitExceeded", f"Cannot exceed quota for PoliciesPer{TITLES[kind]}: 10"):
        entity.call("attach_{}_policy", PolicyArn=arns[10])
    entity.call("attach_{}_policy", PolicyArn=arns[9])
    entity.call("detach_{}_policy", PolicyArn=arns[0])
    entity.call("attach_{}_policy", PolicyArn=arns[10])
    for size in (1, 3, 10):
        pages = entity.paginate("list_attached_{}_policies", size)
        assert sorted(policy["PolicyArn"] for page in pages for policy in page["AttachedPolicies"]) == sorted(arns[1:])
        assert all(len(page["AttachedPolicies"]) <= size for page in pages)


@each_kind
def test_the_right_to_attach_may_be_bound_to_a_policy(account, kind):
    """iam:PolicyARN keeps a delegate from attaching AdministratorAccess."""
    entity, arn, title = Entity(account, kind), account.policy(), TITLES[kind]
    delegate = account.user(allow([f"iam:Attach{title}Policy", f"iam:Detach{title}Policy"], condition={"ArnEquals": {"iam:PolicyARN": arn}}))
    mine = Entity.__new__(Entity)
    mine.__dict__ = dict(entity.__dict__, iam=delegate.iam)
    mine.call("attach_{}_policy", PolicyArn=arn)
    mine.call("detach_{}_policy", PolicyArn=arn)
    wanted = denial(delegate.arn, f"iam:Attach{title}Policy", (f"{kind} {entity.name}", entity.arn))
    with refused("AccessDenied", wanted):
        mine.call("attach_{}_policy", PolicyArn=AWS + "AdministratorAccess")


@each_kind
def test_the_right_to_attach_is_judged_on_the_entity(account, kind):
    entity, other, arn = Entity(account, kind), Entity(account, kind), account.policy()
    delegate = account.user(allow(f"iam:Attach{TITLES[kind]}Policy", entity.arn))
    call = getattr(delegate.iam, f"attach_{kind}_policy")
    call(PolicyArn=arn, **{entity.member: entity.name})
    with refused("AccessDenied"):
        call(PolicyArn=arn, **{entity.member: other.name})


# ListEntitiesForPolicy.


@pytest.fixture(scope="module")
def spread(account):
    """A policy on two users (one at a path), a role and two groups, and the boundary of a user and a role."""
    arn = account.policy()
    people = [Entity(account, "user", Path="/spread/"), Entity(account, "user")]
    groups = [Entity(account, "group") for _ in range(2)]
    roles = [Entity(account, "role")]
    for entity in (*people, *groups, *roles):
        entity.call("attach_{}_policy", PolicyArn=arn)
    bounded = [Entity(account, "user", name=fresh("bounded"), PermissionsBoundary=arn), Entity(account, "role", name=fresh("bounded"), PermissionsBoundary=arn)]
    return arn, people, groups, roles, bounded


def entries(entities, kind):
    return sorted(({f"{TITLES[kind]}Name": each.name, f"{TITLES[kind]}Id": each.unique_id} for each in entities), key=str)


def found(reply):
    return {kind: sorted(reply[f"Policy{TITLES[kind]}s"], key=str) for kind in TITLES}


def test_all_entities_by_name_and_id(account, spread):
    arn, people, groups, roles, _ = spread
    reply = body(account.iam.list_entities_for_policy(PolicyArn=arn, PolicyUsageFilter="PermissionsPolicy"))
    assert set(reply) == {"PolicyGroups", "PolicyUsers", "PolicyRoles", "IsTruncated"} and reply["IsTruncated"] is False
    assert found(reply) == {"user": entries(people, "user"), "group": entries(groups, "group"), "role": entries(roles, "role")}


def test_those_bounded_by_it(account, spread):
    arn, _, _, _, bounded = spread
    reply = account.iam.list_entities_for_policy(PolicyArn=arn, PolicyUsageFilter="PermissionsBoundary")
    assert found(reply) == {"user": entries(bounded[:1], "user"), "group": [], "role": entries(bounded[1:], "role")}


def test_without_a_usage_filter_both(account, spread):
    arn, people, groups, roles, bounded = spread
    reply = account.iam.list_entities_for_policy(PolicyArn=arn)
    assert found(reply) == {"user": entries([*people, bounded[0]], "user"), "group": entries(groups, "group"), "role": entries([*roles, bounded[1]], "role")}


@pytest.mark.parametrize("only, kind", [("User", "user"), ("Role", "role"), ("Group", "group")])
def test_one_kind_of_entity(account, spread, only, kind):
    arn, people, groups, roles, _ = spread
    reply = account.iam.list_entities_for_policy(PolicyArn=arn, EntityFilter=only, PolicyUsageFilter="PermissionsPolicy")
    wanted = {"user": [], "group": [], "role": []}
    wanted[kind] = entries({"user": people, "group": groups, "role": roles}[kind], kind)
    assert found(reply) == wanted


def test_by_path(account, spread):
    arn, people, *_ = spread
    reply = account.iam.list_entities_for_policy(PolicyArn=arn, PathPrefix="/spread/")
    assert found(reply) == {"user": entries(people[:1], "user"), "group": [], "role": []}


@pytest.mark.parametrize("size", [1, 2, 7])
def test_paged_over_all_three_lists(account, spread, size):
    arn = spread[0]
    whole = found(account.iam.list_entities_for_policy(PolicyArn=arn))
    pages = list(account.iam.get_paginator("list_entities_for_policy").paginate(PolicyArn=arn, PaginationConfig={"PageSize": size}))
    gathered = {kind: sorted((each for page in pages for each in page[f"Policy{TITLES[kind]}s"]), key=str) for kind in TITLES}
    assert gathered == whole
    assert all(sum(len(page[f"Policy{title}s"]) for title in TITLES.values()) <= size for page in pages)


def test_aws_managed_policies_show_this_accounts_entities_only(account, other_account):
    arn = AWS + "PowerUserAccess"
    for each in (account, other_account):
        Entity(each, "user", name="power").call("attach_{}_policy", PolicyArn=arn)
    reply = account.iam.list_entities_for_policy(PolicyArn=arn)
    assert len(reply["PolicyUsers"]) == 1
    assert reply["PolicyUsers"][0]["UserId"] == account.iam.get_user(UserName="power")["User"]["UserId"]


def test_of_an_unknown_policy(account):
    arn = account.arn("policy/none")
    with refused("NoSuchEntity", f"Policy {arn} does not exist or is not attachable."):
        account.iam.list_entities_for_policy(PolicyArn=arn)
