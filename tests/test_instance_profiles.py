"""Instance profiles: apart from roles, one role each, and adding one needs iam:PassRole."""

import pytest

from harness.expecting import denial, refused
from harness.principals import allow, body, fresh, trust

PLAIN = {"Path", "InstanceProfileName", "InstanceProfileId", "Arn", "CreateDate", "Roles"}
ROLE = {"Path", "RoleName", "RoleId", "Arn", "CreateDate", "AssumeRolePolicyDocument"}
EC2 = trust({"Service": "ec2.amazonaws.com"})


def missing(name):
    return f"Instance Profile {name} cannot be found."


def profile(account, role=None, **parameters):
    name = fresh("profile")
    account.iam.create_instance_profile(InstanceProfileName=name, **parameters)
    if role:
        account.iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=role.name)
    return name


def test_create_and_get_answer_an_empty_list_of_roles(account):
    reply = account.iam.create_instance_profile(InstanceProfileName="plain", Path="/machines/")
    made = reply["InstanceProfile"]
    assert set(body(reply)) == {"InstanceProfile"} and set(made) == PLAIN
    assert made["Roles"] == [] and made["InstanceProfileId"].startswith("AIPA")
    assert made["Arn"] == account.arn("instance-profile/machines/plain")
    got = account.iam.get_instance_profile(InstanceProfileName="plain")["InstanceProfile"]
    got.pop("Tags", None)
    assert got == made


def test_tags_given_come_back(account):
    tags = [{"Key": "team", "Value": "red"}]
    made = account.iam.create_instance_profile(InstanceProfileName="tagged", Tags=tags)["InstanceProfile"]
    assert made["Tags"] == tags
    assert account.iam.get_instance_profile(InstanceProfileName="tagged")["InstanceProfile"]["Tags"] == tags


def test_a_name_is_unique_whatever_its_case(account):
    account.iam.create_instance_profile(InstanceProfileName="taken")
    with refused("EntityAlreadyExists", "Instance Profile TAKEN already exists."):
        account.iam.create_instance_profile(InstanceProfileName="TAKEN")


def test_a_role_is_shown_in_its_profile_and_the_profile_with_its_role(account):
    role = account.role(trusted=EC2)
    name = profile(account)
    assert body(account.iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=role.name)) == {}
    roles = account.iam.get_instance_profile(InstanceProfileName=name)["InstanceProfile"]["Roles"]
    assert len(roles) == 1 and set(roles[0]) == ROLE and roles[0]["Arn"] == role.arn
    listed = body(account.iam.list_instance_profiles_for_role(RoleName=role.name))
    assert listed["IsTruncated"] is False
    assert [each["InstanceProfileName"] for each in listed["InstanceProfiles"]] == [name]
    assert listed["InstanceProfiles"][0]["Roles"] == roles
    assert body(account.iam.remove_role_from_instance_profile(InstanceProfileName=name, RoleName=role.name)) == {}
    assert account.iam.get_instance_profile(InstanceProfileName=name)["InstanceProfile"]["Roles"] == []
    assert account.iam.list_instance_profiles_for_role(RoleName=role.name)["InstanceProfiles"] == []


def test_a_profile_holds_one_role(account):
    name = profile(account, account.role(trusted=EC2))
    second = account.role(trusted=EC2)
    with refused("LimitExceeded", "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1"):
        account.iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=second.name)


def test_one_role_may_be_in_many_profiles(account):
    role = account.role(trusted=EC2)
    names = sorted(profile(account, role) for _ in range(3))
    pages = list(account.iam.get_paginator("list_instance_profiles_for_role").paginate(RoleName=role.name, PaginationConfig={"PageSize": 1}))
    assert sorted(each["InstanceProfileName"] for page in pages for each in page["InstanceProfiles"]) == names
    assert len(pages) == 3


@pytest.mark.parametrize("call", ["get_instance_profile", "delete_instance_profile", "list_instance_profile_tags"])
def test_a_missing_profile_is_told_by_name(account, call):
    with refused("NoSuchEntity", missing("no-profile")):
        getattr(account.iam, call)(InstanceProfileName="no-profile")


@pytest.mark.parametrize("call", ["add_role_to_instance_profile", "remove_role_from_instance_profile"])
def test_role_and_profile_must_exist(account, call):
    name, role = profile(account), account.role(trusted=EC2)
    with refused("NoSuchEntity", missing("no-profile")):
        getattr(account.iam, call)(InstanceProfileName="no-profile", RoleName=role.name)
    with refused("NoSuchEntity", "The role with name no-role cannot be found."):
        getattr(account.iam, call)(InstanceProfileName=name, RoleName="no-role")


def test_a_role_that_is_in_no_profile_cannot_be_taken_out(account):
    name, role = profile(account), account.role(trusted=EC2)
    with refused("NoSuchEntity", f"Role {role.name} in Instance Profile {name} cannot be found."):
        account.iam.remove_role_from_instance_profile(InstanceProfileName=name, RoleName=role.name)


def test_a_profile_with_a_role_cannot_be_deleted(account):
    role = account.role(trusted=EC2)
    name = profile(account, role)
    with refused("DeleteConflict", "Cannot delete entity, must remove roles from instance profile first."):
        account.iam.delete_instance_profile(InstanceProfileName=name)
    account.iam.remove_role_from_instance_profile(InstanceProfileName=name, RoleName=role.name)
    assert body(account.iam.delete_instance_profile(InstanceProfileName=name)) == {}
    with refused("NoSuchEntity", missing(name)):
        account.iam.get_instance_profile(InstanceProfileName=name)


def test_adding_a_role_needs_pass_role_on_it(account):
    role = account.role(allow("*"), trusted=EC2, Path="/powerful/")
    name = profile(account)
    operator = account.user(allow("iam:AddRoleToInstanceProfile"))
    with refused("AccessDenied", denial(operator.arn, "iam:PassRole", role.arn)):
        operator.iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=role.name)
    passing = account.user(allow("iam:AddRoleToInstanceProfile"), allow("iam:PassRole", role.arn))
    passing.iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=role.name)


def test_pass_role_may_be_bound_to_the_service(account):
    to = {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}
    role, name = account.role(trusted=EC2), profile(account)
    passing = account.user(allow("iam:AddRoleToInstanceProfile"), allow("iam:PassRole", role.arn, to))
    passing.iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=role.name)
    other = {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
    role, name = account.role(trusted=EC2), profile(account)
    passing = account.user(allow("iam:AddRoleToInstanceProfile"), allow("iam:PassRole", role.arn, other))
    with refused("AccessDenied"):
        passing.iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=role.name)


def test_list_filters_and_pages(other_account):
    iam = other_account.iam
    for number in range(4):
        iam.create_instance_profile(InstanceProfileName=f"ip{number}", Path="/x/" if number < 3 else "/y/")
    whole = body(iam.list_instance_profiles())
    assert set(whole) == {"InstanceProfiles", "IsTruncated"} and len(whole["InstanceProfiles"]) == 4
    assert all(set(each) == PLAIN for each in whole["InstanceProfiles"])
    role = other_account.role(trusted=EC2, Description="shown elsewhere", Tags=[{"Key": "a", "Value": "b"}])
    iam.add_role_to_instance_profile(InstanceProfileName="ip0", RoleName=role.name)
    whole = body(iam.list_instance_profiles())
    (listed,) = whole["InstanceProfiles"][0]["Roles"]
    assert set(listed) == ROLE and listed["Arn"] == role.arn
    assert [each["InstanceProfileName"] for each in iam.list_instance_profiles(PathPrefix="/x/")["InstanceProfiles"]] == ["ip0", "ip1", "ip2"]
    pages = list(iam.get_paginator("list_instance_profiles").paginate(PaginationConfig={"PageSize": 1}))
    assert [each for page in pages for each in page["InstanceProfiles"]] == whole["InstanceProfiles"]
