"""Roles: what each operation answers, to the letter; trust policies as they were sent; deletion."""

import json
import re
import time

import pytest

from harness.expecting import denial, invalid, quiet, refused
from harness.principals import allow, body, fresh, trust

CREATED = {"Path", "RoleName", "RoleId", "Arn", "CreateDate", "AssumeRolePolicyDocument"}


def missing(name):
    return f"The role with name {name} cannot be found."


def test_create_answers_exactly_the_six_members(account):
    text = trust(account.id)
    reply = account.iam.create_role(RoleName="plain", AssumeRolePolicyDocument=text)
    role = reply["Role"]
    assert set(body(reply)) == {"Role"} and set(role) == CREATED
    assert role["Arn"] == account.arn("role/plain") and role["Path"] == "/"
    assert role["RoleId"].startswith("AROA") and len(role["RoleId"]) == 21
    assert role["AssumeRolePolicyDocument"] == json.loads(text)


def test_get_adds_duration_and_an_empty_last_used(account):
    made = account.iam.create_role(RoleName="gotten", AssumeRolePolicyDocument=trust(account.id))["Role"]
    got = account.iam.get_role(RoleName="gotten")["Role"]
    assert set(got) == CREATED | {"MaxSessionDuration", "RoleLastUsed"}
    assert got["MaxSessionDuration"] == 3600 and got["RoleLastUsed"] == {}
    shown = dict(got)
    shown.pop("MaxSessionDuration"), shown.pop("RoleLastUsed"), shown.pop("AssumeRolePolicyDocument")
    assert shown == {name: value for name, value in made.items() if name != "AssumeRolePolicyDocument"}


def test_everything_given_comes_back_from_get_and_little_from_list(account):
    boundary, tags = account.policy(), [{"Key": "team", "Value": "red"}]
    made = account.iam.create_role(RoleName="dressed", Path="/myPath/", AssumeRolePolicyDocument=trust(account.id), Description="does things",
                                   MaxSessionDuration=7200, PermissionsBoundary=boundary, Tags=tags)["Role"]
    assert made["Tags"] == tags and made["Arn"] == account.arn("role/myPath/dressed")
    assert set(made) == CREATED | {"PermissionsBoundary", "Tags"}, "neither description nor duration"
    got = account.iam.get_role(RoleName="dressed")["Role"]
    assert set(got) == CREATED | {"MaxSessionDuration", "RoleLastUsed", "Description", "PermissionsBoundary", "Tags"}
    assert got["Description"] == "does things" and got["MaxSessionDuration"] == 7200 and got["Tags"] == tags
    assert got["PermissionsBoundary"] == {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": boundary}
    listed = account.iam.list_roles(PathPrefix="/my")
    assert set(body(listed)) == {"Roles", "IsTruncated"} and listed["IsTruncated"] is False
    assert len(listed["Roles"]) == 1, "PathPrefix is a plain prefix"
    role = listed["Roles"][0]
    assert set(role) - {"Description"} == CREATED | {"MaxSessionDuration"}
    assert role["AssumeRolePolicyDocument"] == got["AssumeRolePolicyDocument"]


def test_a_used_role_says_when_and_where(account):
    role = account.role(allow("iam:ListUsers"))
    account.user(allow("sts:AssumeRole")).assume(role).iam.list_users()
    end = time.monotonic() + 5
    while not (used := account.iam.get_role(RoleName=role.name)["Role"]["RoleLastUsed"]) and time.monotonic() < end:
        time.sleep(0.1)
    assert set(used) == {"LastUsedDate", "Region"} and used["Region"] == "us-east-1"


@pytest.mark.parametrize("call", ["get_role", "delete_role", "list_role_policies", "list_attached_role_policies", "list_role_tags", "update_role",
                                  "list_instance_profiles_for_role"])
def test_a_missing_role_is_told_by_name(account, call):
    with refused("NoSuchEntity", missing("no-role")):
        getattr(account.iam, call)(RoleName="no-role")


@pytest.mark.parametrize("name", ["taken-role", "TAKEN-ROLE"])
def test_a_name_is_unique_whatever_its_case(account, name):
    if "taken-role" not in {role["RoleName"] for role in account.iam.list_roles()["Roles"]}:
        account.role(name="taken-role")
    with refused("EntityAlreadyExists", f"Role with name {name} already exists."):
        account.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(account.id))


def test_users_and_roles_are_separate_name_spaces(account):
    account.user(name="both-kinds", key=False)
    account.role(name="both-kinds")


@pytest.mark.parametrize("seconds, constraint", [(3599, "Member must have value greater than or equal to 3600"), (43201, "Member must have value less than or equal to 43200")])
def test_a_session_duration_out_of_bounds_is_refused(account, seconds, constraint):
    with refused("ValidationError", invalid(quiet("maxSessionDuration", constraint))):
        account.root.unchecked().create_role(RoleName=fresh("role"), AssumeRolePolicyDocument=trust(account.id), MaxSessionDuration=seconds)


def test_a_bad_name_is_refused(account):
    with refused("ValidationError", "The specified value for roleName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-"):
        account.iam.create_role(RoleName="with space", AssumeRolePolicyDocument=trust(account.id))


# Trust policies come back as they were sent.


@pytest.mark.parametrize("shape", [
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"ACCOUNT"},"Action":"sts:AssumeRole"}]}',
    '{"Version":"2012-10-17","Statement":{"Sid":"","Effect":"Allow","Principal":{"AWS":["ACCOUNT"]},"Action":["sts:AssumeRole"]}}',
    '{"Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":["sts:AssumeRole","sts:TagSession"]}]}',
    '{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":["ec2.amazonaws.com","lambda.amazonaws.com"]},"Action":"sts:AssumeRole"}]}',
    '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"sts:AssumeRole","Condition":{"Null":{"aws:SourceIp":"true"}}}]}',
    '{ "Version" : "2012-10-17",\n\t"Statement" : [ { "Effect" : "Allow", "Principal" : { "AWS" : "arn:aws:iam::ACCOUNT:root" }, "Action" : "sts:AssumeRole" } ] }',
])
def test_a_trust_policy_comes_back_as_it_was_sent(account, shape):
    text = shape.replace("ACCOUNT", account.id)
    name = fresh("role")
    made = account.iam.create_role(RoleName=name, AssumeRolePolicyDocument=text)["Role"]
    assert made["AssumeRolePolicyDocument"] == json.loads(text)
    kept = account.iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
    resolved = json.loads(text.replace(f'"{account.id}"', f'"arn:aws:iam::{account.id}:root"'))
    assert kept in (json.loads(text), resolved)


def test_percent_signs_in_a_document_survive(account):
    text = trust(account.id, condition={"StringEquals": {"aws:PrincipalTag/x": "arn%3Aaws%3Aiam 100%"}})
    name = fresh("role")
    account.iam.create_role(RoleName=name, AssumeRolePolicyDocument=text)
    for role in (account.iam.get_role(RoleName=name)["Role"], next(each for each in account.iam.list_roles()["Roles"] if each["RoleName"] == name)):
        assert role["AssumeRolePolicyDocument"]["Statement"][0]["Condition"] == json.loads(text)["Statement"][0]["Condition"]


def test_a_condition_value_that_is_no_arn_is_accepted(account):
    account.role(trusted=trust(account.id, condition={"ArnLike": {"aws:SourceArn": "no:arn"}}))


def test_updating_the_trust_policy_answers_nothing_but_changes_it(account):
    user = account.user(allow("sts:AssumeRole"))
    role = account.role(trusted=trust({"Service": "ec2.amazonaws.com"}))
    with refused("AccessDenied"):
        user.assume(role)
    text = trust(user.arn)
    assert body(account.iam.update_assume_role_policy(RoleName=role.name, PolicyDocument=text)) == {}
    assert account.iam.get_role(RoleName=role.name)["Role"]["AssumeRolePolicyDocument"] == json.loads(text)
    user.assume(role)


def test_updating_the_trust_policy_of_a_missing_role(account):
    with refused("NoSuchEntity", missing("no-role")):
        account.iam.update_assume_role_policy(RoleName="no-role", PolicyDocument=trust(account.id))


@pytest.mark.parametrize("principal", ["arn:aws:iam::{}:user/missing", "arn:aws:iam::{}:role/missing", "arn:aws:iam::{}:user/*", "missing"])
def test_a_principal_that_does_not_exist_is_refused(account, principal):
    named = principal.format(account.id)
    with refused("MalformedPolicyDocument", f'Invalid principal in policy: "AWS":"{named}"'):
        account.role(trusted=named if named.startswith("arn") else trust(named))


def test_an_unknown_service_is_refused(account):
    with refused("MalformedPolicyDocument", 'Invalid principal in policy: "SERVICE":"nothing.example.com"'):
        account.role(trusted=trust({"Service": "nothing.example.com"}))


def test_a_trust_policy_over_2048_characters_is_refused(account):
    long = trust(account.id, condition={"StringEquals": {"aws:PrincipalTag/x": ["v" * 100 + str(number) for number in range(20)]}})
    with refused("LimitExceeded", "Cannot exceed quota for ACLSizePerRole: 2048"):
        account.role(trusted=long)


# Changes.


def test_update_role_sets_description_and_duration(account):
    role = account.role()
    assert body(account.iam.update_role(RoleName=role.name, Description="new", MaxSessionDuration=4000)) == {}
    got = account.iam.get_role(RoleName=role.name)["Role"]
    assert got["Description"] == "new" and got["MaxSessionDuration"] == 4000


def test_update_role_description_answers_the_role(account):
    role = account.role()
    answered = account.iam.update_role_description(RoleName=role.name, Description="old way")["Role"]
    assert answered["RoleName"] == role.name and answered["Description"] == "old way"
    assert account.iam.get_role(RoleName=role.name)["Role"]["Description"] == "old way"


def test_a_description_may_hold_latin_and_no_more(account):
    role = account.role()
    account.iam.update_role(RoleName=role.name, Description="Rôle für ¡tous!\n")
    with refused("ValidationError", re.compile(r"'description' failed to satisfy constraint: Member must satisfy regular expression pattern")):
        account.iam.update_role(RoleName=role.name, Description="ロール")


# Deletion.


def test_a_role_goes_when_nothing_is_left_in_it(account):
    iam, role, arn, profile = account.iam, account.role(allow("s3:*")), account.policy(), fresh("profile")
    iam.attach_role_policy(RoleName=role.name, PolicyArn=arn)
    iam.create_instance_profile(InstanceProfileName=profile)
    iam.add_role_to_instance_profile(InstanceProfileName=profile, RoleName=role.name)
    steps = {
        "Cannot delete entity, must delete policies first.": lambda: iam.delete_role_policy(RoleName=role.name, PolicyName="granted"),
        "Cannot delete entity, must detach all policies first.": lambda: iam.detach_role_policy(RoleName=role.name, PolicyArn=arn),
        "Cannot delete entity, must remove roles from instance profile first.":
            lambda: iam.remove_role_from_instance_profile(InstanceProfileName=profile, RoleName=role.name),
    }
    while steps:
        with refused("DeleteConflict") as told:
            iam.delete_role(RoleName=role.name)
        assert told.message in steps, told.message
        steps.pop(told.message)()
    assert body(iam.delete_role(RoleName=role.name)) == {}
    with refused("NoSuchEntity", missing(role.name)):
        iam.get_role(RoleName=role.name)


def test_a_boundary_does_not_keep_a_role(account):
    role = account.role(PermissionsBoundary=account.policy(), Tags=[{"Key": "a", "Value": "b"}])
    account.iam.delete_role(RoleName=role.name)


def test_list_roles_pages(other_account):
    iam = other_account.iam
    for number in range(5):
        other_account.role(name=f"r{number}", Path="/paged/", Tags=[{"Key": "a", "Value": "b"}])
    whole = iam.list_roles(PathPrefix="/paged/")["Roles"]
    for size in (1, 2, 5):
        pages = list(iam.get_paginator("list_roles").paginate(PathPrefix="/paged/", PaginationConfig={"PageSize": size}))
        assert [role for page in pages for role in page["Roles"]] == whole
    assert [role["RoleName"] for role in whole] == ["r0", "r1", "r2", "r3", "r4"]


def test_denials_do_not_tell_whether_the_role_exists(account, nobody):
    role = account.role(Path="/secret/")
    for name in (role.name, "no-role-at-all"):
        with refused("AccessDenied", denial(nobody.arn, "iam:GetRole", (f"role {name}",))):
            nobody.iam.get_role(RoleName=name)


def test_a_right_on_the_roles_arn_is_a_right_on_its_path(account):
    role, elsewhere = account.role(Path="/team/"), account.role(Path="/other/")
    reader = account.user(allow("iam:GetRole", account.arn("role/team/*")))
    reader.iam.get_role(RoleName=role.name)
    with refused("AccessDenied"):
        reader.iam.get_role(RoleName=elsewhere.name)


def test_a_document_variable_is_kept_and_judged(account):
    """A trust policy with a policy variable in a condition."""
    user = account.user(allow("sts:AssumeRole"))
    role = account.role(trusted=trust(account.id, condition={"StringEquals": {"sts:RoleSessionName": "${aws:username}"}}))
    user.assume(role, user.name)
    with refused("AccessDenied"):
        user.assume(role, "another")
