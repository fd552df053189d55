"""Whom a trust policy names is who was there when it was saved; and further corners of roles, profiles and policies."""

import json

import pytest

from harness.expecting import refused
from harness.principals import allow, trust

DEEP = "/deep/"


def shown(account, role):
    return account.iam.get_role(RoleName=role.name)["Role"]["AssumeRolePolicyDocument"]


def trusting(account, role, text):
    account.iam.update_assume_role_policy(RoleName=role.name, PolicyDocument=text)


def delete(account, user):
    for name in account.iam.list_user_policies(UserName=user.name)["PolicyNames"]:
        account.iam.delete_user_policy(UserName=user.name, PolicyName=name)
    account.iam.delete_access_key(UserName=user.name, AccessKeyId=user.key_id)
    account.iam.delete_user(UserName=user.name)


def invalid(principal):
    return refused("MalformedPolicyDocument", f'Invalid principal in policy: "AWS":"{principal}"')


def test_a_principal_of_another_account_made_again_is_not_the_one_that_was_named(account, other_account):
    """Her id shows in the document, cannot be sent back, and her ARN must be saved anew to mean the new one."""
    user, stays = other_account.user(allow("sts:AssumeRole")), account.user(allow("sts:AssumeRole"))
    condition = {"StringNotLike": {"aws:PrincipalArn": user.arn + "x"}}
    text = json.dumps({"Statement": [{"Effect": "Allow", "Principal": {"AWS": [user.arn, stays.arn, account.id]}, "Action": "sts:AssumeRole", "Condition": condition}]}, indent=2)
    role = account.role(trusted=text)
    user.assume(role)
    stays.assume(role)
    delete(other_account, user)
    want = json.loads(text)
    want["Statement"][0]["Principal"]["AWS"][0] = user.unique_id
    assert shown(account, role) == want
    listed = [each for each in account.iam.list_roles()["Roles"] if each["RoleName"] == role.name]
    assert listed[0]["AssumeRolePolicyDocument"] == want
    again = other_account.user(allow("sts:AssumeRole"), name=user.name)
    assert again.arn == user.arn and shown(account, role) == want
    with refused("AccessDenied"):
        again.assume(role)
    with invalid(user.unique_id):
        trusting(account, role, json.dumps(want))
    trusting(account, role, text)
    again.assume(role)
    assert shown(account, role) == json.loads(text)


def test_a_renamed_principal_is_still_the_one_that_was_named(account):
    user = account.user(allow("sts:AssumeRole"))
    role = account.role(trusted=user.arn)
    account.iam.update_user(UserName=user.name, NewUserName="renamed", NewPath="/p/")
    user.assume(role)
    assert shown(account, role)["Statement"][0]["Principal"]["AWS"] == account.arn("user/p/renamed")
    with invalid(user.arn):
        trusting(account, role, trust(user.arn))
    trusting(account, role, trust(user.unique_id))
    user.assume(role)


def test_what_names_nobody_is_refused(account):
    role, deep = account.role(), account.role(Path="/x/")
    for bad in [account.arn("role/" + deep.name), deep.arn.upper(), deep.arn.replace("/x/", "/X/"), deep.arn.replace("arn:aws:", "arn:aws-cn:"),
                "arn:aws-cn:iam::111122223333:root", account.arn("user/"), account.arn("user/x/"), account.arn("group/g")]:
        with invalid(bad):
            trusting(account, role, trust(bad))


def test_what_may_come_to_be_is_kept_as_it_is_written(account):
    role, deep = account.role(), account.role(Path="/y/")
    for good in [deep.arn, role.arn, "999999999999", "arn:aws:iam::999999999999:root", "*",
                 f"arn:aws:sts::{account.id}:assumed-role/r/s", f"arn:aws:sts::{account.id}:federated-user/r"]:
        trusting(account, role, trust(good))
        assert shown(account, role) == json.loads(trust(good))


@pytest.mark.parametrize("prefix", ["aws-service-role", "aws-reserved"])
def test_awss_own_paths_are_nobodys_to_use(account, prefix):
    with refused("InvalidInput", f"Path prefix '/{prefix}/' can only be used for AWS Service linked Roles"):
        account.role(Path=f"/{prefix}/x.amazonaws.com/")


def test_all_policies_are_listed_once_whatever_the_size_of_a_page(account):
    iam, user = account.iam, account.user(key=False)
    own = [account.policy(name=f"p{number}", Path="/a/" if number % 2 else "/") for number in range(5)]
    attached = {"arn:aws:iam::aws:policy/AdministratorAccess", own[1]}
    for arn in attached:
        iam.attach_user_policy(UserName=user.name, PolicyArn=arn)

    def walk(size, **filters):
        pages = iam.get_paginator("list_policies").paginate(PaginationConfig={"PageSize": size}, **filters)
        return [policy["Arn"] for page in pages for policy in page["Policies"]]

    whole = walk(1000)
    assert len(set(whole)) == len(whole) and set(own) < set(whole)
    for size in (7, 100):
        assert walk(size) == whole
    assert sorted(walk(1, OnlyAttached=True)) == sorted(attached)
    assert walk(3, PathPrefix="/job-function/", Scope="Local") == []
    functions = walk(3, PathPrefix="/job-function/")
    assert functions and all("/job-function/" in arn for arn in functions)


@pytest.mark.parametrize("parameters", [{"Marker": "!!!"}, {"Scope": "None"}, {"PathPrefix": "/foo"}])
def test_a_list_asked_for_in_a_way_that_cannot_be(account, parameters):
    with refused("ValidationError"):
        account.root.unchecked().list_policies(**parameters)


def test_a_policy_is_found_by_its_whole_arn_only(account, other_account):
    arn = account.policy(Path=DEEP)
    for bad in [arn.replace(DEEP, "/"), arn.replace(DEEP, "/Deep/"), arn.replace("policy-", "Policy-"), account.arn("policy/x")]:
        with refused("NoSuchEntity", f"Policy {bad} was not found."):
            account.iam.get_policy(PolicyArn=bad)
    with refused("InvalidInput", f"ARN {account.arn('user/x')} is not valid."):
        account.iam.get_policy(PolicyArn=account.arn("user/x"))
    with refused("ValidationError"):
        account.iam.get_policy(PolicyArn="arn:aws-cn:iam::aws:policy/ReadOnlyAccess")
    for stranger in (other_account.user(allow("*")), other_account.root):
        with refused("AccessDenied"):
            stranger.iam.get_policy(PolicyArn=arn)
    for version in ("v2", "v1.x", "v99999999999999999999999999"):
        with refused("NoSuchEntity", f"Policy {arn} version {version} does not exist or is not attachable."):
            account.iam.get_policy_version(PolicyArn=arn, VersionId=version)
    with refused("PolicyNotAttachable"):
        account.user(PermissionsBoundary="arn:aws:iam::aws:policy/aws-service-role/AutoScalingServiceRolePolicy")


def test_a_delegate_changes_only_roles_under_the_boundary(account):
    inner, outer = account.policy(), account.policy()
    actions = ["iam:UpdateRole", "iam:UpdateRoleDescription", "iam:UpdateAssumeRolePolicy", "iam:DeleteRolePermissionsBoundary", "iam:PutRolePermissionsBoundary"]
    delegate = account.user(allow(actions, condition={"StringEquals": {"iam:PermissionsBoundary": inner}}))
    inside, outside = account.role(PermissionsBoundary=inner), account.role(PermissionsBoundary=outer)
    for call, parameters in [("update_role", {"Description": "x"}), ("update_role_description", {"Description": "y"}),
                             ("update_assume_role_policy", {"PolicyDocument": trust(account.id)}), ("delete_role_permissions_boundary", {})]:
        getattr(delegate.iam, call)(RoleName=inside.name, **parameters)
        with refused("AccessDenied"):
            getattr(delegate.iam, call)(RoleName=outside.name, **parameters)
    delegate.iam.put_role_permissions_boundary(RoleName=outside.name, PermissionsBoundary=inner)
    with refused("AccessDenied"):
        delegate.iam.put_role_permissions_boundary(RoleName=outside.name, PermissionsBoundary=outer)


def test_names_of_profiles_and_roles_have_no_case(account):
    iam, role, other = account.iam, account.role(trusted=trust({"Service": "ec2.amazonaws.com"})), account.role()
    iam.create_instance_profile(InstanceProfileName="cased")
    iam.add_role_to_instance_profile(InstanceProfileName="CASED", RoleName=role.name.upper())
    with refused("LimitExceeded"):
        iam.add_role_to_instance_profile(InstanceProfileName="cased", RoleName=role.name)
    with refused("NoSuchEntity", f"Role {other.name} in Instance Profile cased cannot be found."):
        iam.remove_role_from_instance_profile(InstanceProfileName="cased", RoleName=other.name)
    with refused("DeleteConflict", "Cannot delete entity, must remove roles from instance profile first."):
        iam.delete_role(RoleName=role.name)
    iam.remove_role_from_instance_profile(InstanceProfileName="cased", RoleName=role.name)
    iam.delete_role(RoleName=role.name)


def test_an_update_changes_what_it_names_and_no_more(account):
    iam, role = account.iam, account.role(Description="d", MaxSessionDuration=7200)
    iam.update_role(RoleName=role.name, MaxSessionDuration=3600)
    assert iam.get_role(RoleName=role.name)["Role"]["Description"] == "d"
    iam.update_role(RoleName=role.name, Description="")
    iam.update_role(RoleName=role.name)
    got = iam.get_role(RoleName=role.name)["Role"]
    assert "Description" not in got and got["MaxSessionDuration"] == 3600
