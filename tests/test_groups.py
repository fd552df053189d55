"""Groups and membership."""

import pytest

from harness.expecting import denial, refused
from harness.principals import allow, body, document, fresh

PLAIN = {"Path", "GroupName", "GroupId", "Arn", "CreateDate"}
USER = {"Path", "UserName", "UserId", "Arn", "CreateDate"}


def missing(name):
    return f"The group with name {name} cannot be found."


def test_create_get_and_list_answer_the_same_group(account):
    reply = account.iam.create_group(GroupName="plain", Path="/teams/")
    assert set(body(reply)) == {"Group"}
    group = reply["Group"]
    assert set(group) == PLAIN
    assert group["GroupId"].startswith("AGPA") and len(group["GroupId"]) == 21
    assert group["Arn"] == account.arn("group/teams/plain")
    got = body(account.iam.get_group(GroupName="plain"))
    assert got == {"Group": group, "Users": [], "IsTruncated": False}
    listed = body(account.iam.list_groups(PathPrefix="/teams/"))
    assert listed == {"Groups": [group], "IsTruncated": False}


def test_a_name_is_unique_whatever_its_case(account):
    account.iam.create_group(GroupName="admins")
    with refused("EntityAlreadyExists", "Group with name ADMINS already exists."):
        account.iam.create_group(GroupName="ADMINS", Path="/other/")


@pytest.mark.parametrize("call", ["get_group", "delete_group", "list_group_policies", "list_attached_group_policies", "update_group"])
def test_a_missing_group_is_told_by_name(account, call):
    with refused("NoSuchEntity", missing("no-group")):
        getattr(account.iam, call)(GroupName="no-group")


def test_members_come_and_go(account):
    user, group = account.user(key=False), account.group()
    assert body(account.iam.add_user_to_group(GroupName=group, UserName=user.name)) == {}
    account.iam.add_user_to_group(GroupName=group, UserName=user.name)  # again: accepted, counted once
    users = account.iam.get_group(GroupName=group)["Users"]
    assert [each["UserName"] for each in users] == [user.name] and set(users[0]) == USER
    listed = body(account.iam.list_groups_for_user(UserName=user.name))
    assert set(listed) == {"Groups", "IsTruncated"} and listed["IsTruncated"] is False
    assert [each["GroupName"] for each in listed["Groups"]] == [group] and set(listed["Groups"][0]) == PLAIN
    assert body(account.iam.remove_user_from_group(GroupName=group, UserName=user.name)) == {}
    assert account.iam.get_group(GroupName=group)["Users"] == []
    assert account.iam.list_groups_for_user(UserName=user.name)["Groups"] == []


def test_membership_needs_both(account):
    user, group = account.user(key=False), account.group()
    for call in (account.iam.add_user_to_group, account.iam.remove_user_from_group):
        with refused("NoSuchEntity", missing("no-group")):
            call(GroupName="no-group", UserName=user.name)
        with refused("NoSuchEntity", "The user with name no-user cannot be found."):
            call(GroupName=group, UserName="no-user")
        with refused("NoSuchEntity", "The user with name no-user cannot be found."):
            call(GroupName="no-group", UserName="no-user")


def test_a_user_is_in_ten_groups_at_most(account):
    user = account.user(key=False)
    for _ in range(10):
        account.group(members=[user])
    eleventh = account.group()
    with refused("LimitExceeded", "Cannot exceed quota for GroupsPerUser: 10"):
        account.iam.add_user_to_group(GroupName=eleventh, UserName=user.name)
    pages = list(account.iam.get_paginator("list_groups_for_user").paginate(UserName=user.name, PaginationConfig={"PageSize": 3}))
    assert [len(page["Groups"]) for page in pages] == [3, 3, 3, 1]


def test_members_are_paged(account):
    users = [account.user(key=False) for _ in range(5)]
    group = account.group(members=users)
    pages = list(account.iam.get_paginator("get_group").paginate(GroupName=group, PaginationConfig={"PageSize": 2}))
    assert [len(page["Users"]) for page in pages] == [2, 2, 1]
    assert {user["UserName"] for page in pages for user in page["Users"]} == {user.name for user in users}
    assert all(page["Group"]["GroupName"] == group for page in pages)


def test_renaming_keeps_members_and_policies(account):
    user = account.user()
    group = account.group(allow("iam:ListUsers"), members=[user])
    new = fresh("renamed")
    assert body(account.iam.update_group(GroupName=group, NewGroupName=new, NewPath="/moved/")) == {}
    got = account.iam.get_group(GroupName=new)
    assert got["Group"]["Arn"] == account.arn(f"group/moved/{new}")
    assert [each["UserName"] for each in got["Users"]] == [user.name]
    assert account.iam.list_groups_for_user(UserName=user.name)["Groups"] == [got["Group"]]
    user.iam.list_users()
    with refused("NoSuchEntity", missing(group)):
        account.iam.get_group(GroupName=group)


def test_renaming_to_a_taken_name_is_refused(account):
    first, second = account.group(), account.group()
    with refused("EntityAlreadyExists", f"Group with name {second} already exists."):
        account.iam.update_group(GroupName=first, NewGroupName=second)


def test_renaming_is_judged_on_the_old_and_the_new_arn(account):
    group = account.group()
    half = account.user(allow("iam:UpdateGroup", account.arn(f"group/{group}")))
    with refused("AccessDenied"):
        half.iam.update_group(GroupName=group, NewGroupName="elsewhere")


def test_a_group_goes_when_nothing_is_left_in_it(account):
    iam, user = account.iam, account.user(key=False)
    group, arn = account.group(allow("s3:*"), members=[user]), account.policy()
    iam.attach_group_policy(GroupName=group, PolicyArn=arn)
    steps = {
        "Cannot delete entity, must delete policies first.": lambda: iam.delete_group_policy(GroupName=group, PolicyName="granted"),
        "Cannot delete entity, must detach all policies first.": lambda: iam.detach_group_policy(GroupName=group, PolicyArn=arn),
        "Cannot delete entity, must remove users from group first.": lambda: iam.remove_user_from_group(GroupName=group, UserName=user.name),
    }
    while steps:
        with refused("DeleteConflict") as told:
            iam.delete_group(GroupName=group)
        assert told.message in steps, told.message
        steps.pop(told.message)()
    assert body(iam.delete_group(GroupName=group)) == {}
    with refused("NoSuchEntity", missing(group)):
        iam.delete_group(GroupName=group)


def test_a_group_is_no_principal(account):
    group = account.group()
    with refused("MalformedPolicyDocument"):
        account.role(trusted=account.arn(f"group/{group}"))


def test_list_groups_pages_and_filters(other_account):
    iam = other_account.iam
    for number in range(5):
        iam.create_group(GroupName=f"g{number}", Path="/paged/" if number % 2 else "/paged/deep/")
    whole = iam.list_groups()["Groups"]
    pages = list(iam.get_paginator("list_groups").paginate(PaginationConfig={"PageSize": 1}))
    assert [group for page in pages for group in page["Groups"]] == whole and len(pages) == 5
    assert [group["GroupName"] for group in iam.list_groups(PathPrefix="/paged/deep/")["Groups"]] == ["g0", "g2", "g4"]


def test_denials_name_the_group(account, nobody):
    with refused("AccessDenied", denial(nobody.arn, "iam:CreateGroup", account.arn("group/wanted"))):
        nobody.iam.create_group(GroupName="wanted")
    with refused("AccessDenied", denial(nobody.arn, "iam:ListGroups", account.arn("group/"))):
        nobody.iam.list_groups()
    for existing in (account.group(), "no-group-at-all"):
        with refused("AccessDenied", denial(nobody.arn, "iam:GetGroup", (f"group {existing}", account.arn(f"group/{existing}")))):
            nobody.iam.get_group(GroupName=existing)


def test_adding_to_a_group_is_judged_on_the_group(account):
    group, other, user = account.group(), account.group(), account.user(key=False)
    operator = account.user(allow("iam:AddUserToGroup", account.arn(f"group/{group}")))
    operator.iam.add_user_to_group(GroupName=group, UserName=user.name)
    with refused("AccessDenied"):
        operator.iam.add_user_to_group(GroupName=other, UserName=user.name)


def test_a_groups_policy_may_use_variables_of_each_member(account):
    """One policy, but each member may only what is hers."""
    first, second = account.user(), account.user()
    group = account.group(members=[first, second])
    text = document(allow(["iam:ListAccessKeys"], "arn:aws:iam::*:user/${aws:username}"))
    account.iam.put_group_policy(GroupName=group, PolicyName="own", PolicyDocument=text)
    first.iam.list_access_keys(UserName=first.name)
    with refused("AccessDenied"):
        first.iam.list_access_keys(UserName=second.name)
