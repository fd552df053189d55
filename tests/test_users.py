"""Users: creation, reading, renaming, deletion, lists, to the letter of AWS's answers."""

import datetime

import pytest

from harness.expecting import denial, refused
from harness.principals import allow, body, deny, document, fresh

PLAIN = {"Path", "UserName", "UserId", "Arn", "CreateDate"}


def missing(name):
    return f"The user with name {name} cannot be found."


def test_create_answers_exactly_the_five_members(account):
    before = datetime.datetime.now(datetime.timezone.utc)
    reply = account.iam.create_user(UserName="plain")
    user = reply["User"]
    assert set(body(reply)) == {"User"} and set(user) == PLAIN
    assert user["Path"] == "/" and user["UserName"] == "plain"
    assert user["Arn"] == account.arn("user/plain")
    assert len(user["UserId"]) == 21 and user["UserId"].startswith("AIDA") and user["UserId"][4:].isalnum() and user["UserId"].isupper()
    assert user["CreateDate"].microsecond == 0 and user["CreateDate"].utcoffset() == datetime.timedelta(0)
    assert abs((user["CreateDate"] - before).total_seconds()) < 30


def test_get_answers_what_create_did(account):
    made = account.iam.create_user(UserName="gotten", Path="/division/team/")["User"]
    reply = account.iam.get_user(UserName="gotten")
    assert body(reply) == {"User": made}
    assert made["Arn"] == account.arn("user/division/team/gotten")


def test_tags_and_boundary_come_back_where_given(account):
    boundary, tags = account.policy(), [{"Key": "team", "Value": "red"}, {"Key": "empty", "Value": ""}]
    made = account.iam.create_user(UserName="dressed", Tags=tags, PermissionsBoundary=boundary)["User"]
    assert set(made) == PLAIN | {"Tags", "PermissionsBoundary"}
    assert made["Tags"] == tags
    assert made["PermissionsBoundary"] == {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": boundary}
    assert account.iam.get_user(UserName="dressed")["User"] == made


def test_lists_show_neither_tags_nor_boundary(account):
    account.iam.create_user(UserName="hidden", Tags=[{"Key": "a", "Value": "b"}], PermissionsBoundary=account.policy())
    listed = next(user for user in account.iam.list_users()["Users"] if user["UserName"] == "hidden")
    assert set(listed) == PLAIN


def test_a_user_gets_herself_without_a_name(account):
    user = account.user()
    with refused("AccessDenied", denial(user.arn, "iam:GetUser", (f"user {user.name}", user.arn))):
        user.iam.get_user()
    account.iam.put_user_policy(UserName=user.name, PolicyName="p", PolicyDocument=document(allow("iam:GetUser", user.arn)))
    assert user.iam.get_user()["User"]["UserId"] == user.unique_id


def test_root_gets_the_account(account):
    user = account.iam.get_user()["User"]
    assert user["UserId"] == account.id and user["Arn"] == account.root_arn
    assert "UserName" not in user


def test_a_role_session_must_name_the_user(account):
    session = account.user(allow("sts:AssumeRole")).assume(account.role(allow("*")))
    with refused("ValidationError", "Must specify userName when calling with non-User credentials"):
        session.iam.get_user()


@pytest.mark.parametrize("call", ["get_user", "delete_user", "list_access_keys", "list_groups_for_user", "list_user_policies",
                                  "list_attached_user_policies", "list_user_tags", "create_access_key", "update_user"])
def test_a_missing_user_is_told_by_name(account, call):
    with refused("NoSuchEntity", missing("nobody-here")):
        getattr(account.iam, call)(UserName="nobody-here")


@pytest.mark.parametrize("name, path", [("taken", "/"), ("TAKEN", "/"), ("Taken", "/elsewhere/")])
def test_a_name_is_unique_whatever_its_case_and_path(account, name, path):
    if not any(user["UserName"] == "taken" for user in account.iam.list_users()["Users"]):
        account.iam.create_user(UserName="taken")
    with refused("EntityAlreadyExists", f"User with name {name} already exists."):
        account.iam.create_user(UserName=name, Path=path)


def test_the_case_given_is_kept(account):
    assert account.iam.create_user(UserName="MixedCase")["User"]["Arn"] == account.arn("user/MixedCase")


def test_another_account_may_use_the_same_name(account, other_account):
    for each in (account, other_account):
        assert each.iam.create_user(UserName="shared-name")["User"]["Arn"] == each.arn("user/shared-name")


@pytest.mark.parametrize("path", ["no-slashes", "/open", "open/", "/with space/"])
def test_a_bad_path_is_refused(account, path):
    with refused("ValidationError", "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters."):
        account.iam.create_user(UserName="pathless", Path=path)


@pytest.mark.parametrize("name", ["with space", "slash/slash", "ü", "semi;colon", "star*"])
def test_a_bad_name_is_refused(account, name):
    with refused("ValidationError", "The specified value for userName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-"):
        account.iam.create_user(UserName=name)


def test_every_allowed_character_is_accepted(account):
    name = "aZ9_+=,.@-"
    assert account.iam.create_user(UserName=name)["User"]["Arn"] == account.arn(f"user/{name}")
    assert account.iam.get_user(UserName=name)["User"]["UserName"] == name


def test_a_boundary_must_exist(account):
    with refused("NoSuchEntity"):
        account.iam.create_user(UserName="unbound", PermissionsBoundary=account.arn("policy/no-such-boundary"))
    with refused("NoSuchEntity"):
        account.iam.get_user(UserName="unbound")


# Renaming and moving.


def test_renaming_keeps_id_keys_and_policies(account):
    user = account.user(allow("iam:ListUsers"))
    group = account.group(members=[user])
    new = fresh("renamed")
    reply = account.iam.update_user(UserName=user.name, NewUserName=new, NewPath="/moved/")
    assert body(reply) == {}
    got = account.iam.get_user(UserName=new)["User"]
    assert got["UserId"] == user.unique_id and got["Arn"] == account.arn(f"user/moved/{new}")
    assert user.identity()["Arn"] == account.arn(f"user/moved/{new}")
    user.iam.list_users()
    assert [each["UserName"] for each in account.iam.get_group(GroupName=group)["Users"]] == [new]
    assert account.iam.list_user_policies(UserName=new)["PolicyNames"] == ["granted"]
    with refused("NoSuchEntity", missing(user.name)):
        account.iam.get_user(UserName=user.name)
    account.iam.create_user(UserName=user.name)


def test_a_user_may_change_the_case_of_its_own_name(account):
    account.iam.create_user(UserName="lower")
    account.iam.update_user(UserName="lower", NewUserName="LOWER")
    assert account.iam.get_user(UserName="LOWER")["User"]["UserName"] == "LOWER"


def test_renaming_to_a_taken_name_is_refused(account):
    account.user(name="rename-me", key=False)
    account.user(name="in-the-way", key=False)
    with refused("EntityAlreadyExists", "User with name In-The-Way already exists."):
        account.iam.update_user(UserName="rename-me", NewUserName="In-The-Way")


def test_renaming_is_judged_on_the_old_and_the_new_arn(account):
    account.user(name="old-arn", key=False)
    only_old = account.user(allow("iam:UpdateUser", account.arn("user/old-arn")))
    with refused("AccessDenied"):
        only_old.iam.update_user(UserName="old-arn", NewUserName="new-arn")
    only_new = account.user(allow("iam:UpdateUser", account.arn("user/new-arn")))
    with refused("AccessDenied"):
        only_new.iam.update_user(UserName="old-arn", NewUserName="new-arn")
    both = account.user(allow("iam:UpdateUser", [account.arn("user/old-arn"), account.arn("user/new-arn")]))
    both.iam.update_user(UserName="old-arn", NewUserName="new-arn")


# Deletion.


def conflict(reason):
    return f"Cannot delete entity, must {reason} first."


def test_a_user_goes_when_nothing_is_left_in_it(account):
    iam, user = account.iam, account.user(allow("s3:*"))
    arn, group = account.policy(), account.group(members=[user])
    iam.attach_user_policy(UserName=user.name, PolicyArn=arn)
    iam.create_login_profile(UserName=user.name, Password="Long-enough-Passw0rd-here")
    steps = {
        conflict("delete policies"): lambda: iam.delete_user_policy(UserName=user.name, PolicyName="granted"),
        conflict("detach all policies"): lambda: iam.detach_user_policy(UserName=user.name, PolicyArn=arn),
        conflict("delete access keys"): lambda: iam.delete_access_key(UserName=user.name, AccessKeyId=user.key_id),
        conflict("delete login profile"): lambda: iam.delete_login_profile(UserName=user.name),
        conflict("remove users from group"): lambda: iam.remove_user_from_group(GroupName=group, UserName=user.name),
    }
    while steps:
        with refused("DeleteConflict") as told:
            iam.delete_user(UserName=user.name)
        assert told.message in steps, told.message
        steps.pop(told.message)()
    assert body(iam.delete_user(UserName=user.name)) == {}
    with refused("NoSuchEntity", missing(user.name)):
        iam.get_user(UserName=user.name)


def test_neither_tags_nor_a_boundary_keep_a_user(account):
    account.iam.create_user(UserName="light", Tags=[{"Key": "a", "Value": "b"}], PermissionsBoundary=account.policy())
    account.iam.delete_user(UserName="light")


def test_a_user_made_again_has_another_id(account):
    first = account.user(name="phoenix", key=False).unique_id
    account.iam.delete_user(UserName="phoenix")
    assert account.user(name="phoenix", key=False).unique_id != first
    assert account.iam.list_user_policies(UserName="phoenix")["PolicyNames"] == []


# Lists.


def test_list_is_sorted_paged_and_complete(other_account):
    iam = other_account.iam
    names = ["b", "a", "Z", "c1", "c10", "c2", "_x"]
    for name in names:
        iam.create_user(UserName=name, Path="/listed/")
    whole = iam.list_users(PathPrefix="/listed/")
    assert set(body(whole)) == {"Users", "IsTruncated"} and whole["IsTruncated"] is False
    assert sorted(user["UserName"] for user in whole["Users"]) == sorted(names)
    for size in (1, 2, 3, 7):
        pages = list(iam.get_paginator("list_users").paginate(PathPrefix="/listed/", PaginationConfig={"PageSize": size}))
        assert [user for page in pages for user in page["Users"]] == whole["Users"]
        assert all(page["IsTruncated"] == ("Marker" in page) for page in pages)
        assert all(len(page["Users"]) <= size for page in pages)


def test_writes_between_pages_skip_nothing(other_account):
    iam = other_account.iam
    for number in range(6):
        iam.create_user(UserName=f"w{number}", Path="/between/")
    first = iam.list_users(PathPrefix="/between/", MaxItems=3)
    iam.delete_user(UserName=first["Users"][0]["UserName"])
    iam.delete_user(UserName=first["Users"][-1]["UserName"])
    rest = iam.list_users(PathPrefix="/between/", Marker=first["Marker"])
    assert [user["UserName"] for user in rest["Users"]] == ["w3", "w4", "w5"]


@pytest.mark.parametrize("prefix, found", [("/a/", {"p1", "p2"}), ("/a/b/", {"p2"}), ("/a", {"p1", "p2", "p3"}), ("/nothing/", set())])
def test_path_prefix_is_a_plain_prefix(other_account, prefix, found):
    iam = other_account.iam
    if not iam.list_users(PathPrefix="/a/")["Users"]:
        for name, path in [("p1", "/a/"), ("p2", "/a/b/"), ("p3", "/ab/")]:
            iam.create_user(UserName=name, Path=path)
    assert {user["UserName"] for user in iam.list_users(PathPrefix=prefix)["Users"]} == found


def test_a_bad_marker_is_refused(account):
    for marker in ("nonsense", "AAAA", "%%%"):
        with refused("ValidationError"):
            account.iam.list_users(Marker=marker)


def test_a_marker_of_one_account_shows_nothing_of_another(account, other_account):
    for number in range(3):
        account.iam.create_user(UserName=fresh("own"))
    marker = account.iam.list_users(MaxItems=1)["Marker"]
    try:
        listed = other_account.iam.list_users(Marker=marker)["Users"]
    except other_account.iam.exceptions.ClientError as error:
        assert error.response["Error"]["Code"] == "ValidationError"
    else:
        assert all(user["Arn"].split(":")[4] == other_account.id for user in listed)


def test_a_deny_on_one_user_leaves_the_others(account):
    target, spared = account.user(key=False), account.user(key=False)
    operator = account.user(allow("iam:*"), deny("iam:TagUser", target.arn))
    with refused("AccessDenied"):
        operator.iam.tag_user(UserName=target.name, Tags=[{"Key": "a", "Value": "b"}])
    operator.iam.tag_user(UserName=spared.name, Tags=[{"Key": "a", "Value": "b"}])
