"""Managed policies: creation, reading, lists with their filters, deletion, sizes, AWS's own."""

import datetime
import json
import re

import pytest

from harness.expecting import denial, refused
from harness.principals import allow, body, document, fresh

PLAIN = {"PolicyName", "PolicyId", "Arn", "Path", "DefaultVersionId", "AttachmentCount", "PermissionsBoundaryUsageCount", "IsAttachable", "CreateDate", "UpdateDate"}
AWS = "arn:aws:iam::aws:policy/"
PROMISED = ["AdministratorAccess", "PowerUserAccess", "ReadOnlyAccess", "job-function/ViewOnlyAccess", "SecurityAudit", "IAMFullAccess", "IAMReadOnlyAccess",
            "IAMUserChangePassword", "AmazonS3FullAccess", "AmazonS3ReadOnlyAccess"]


def not_found(arn):
    return f"Policy {arn} was not found."


def test_create_answers_exactly_the_ten_members(account):
    reply = account.iam.create_policy(PolicyName="plain", PolicyDocument=document(allow("s3:GetObject")))
    policy = reply["Policy"]
    assert set(body(reply)) == {"Policy"} and set(policy) == PLAIN
    assert policy["Arn"] == account.arn("policy/plain") and policy["Path"] == "/"
    assert policy["PolicyId"].startswith("ANPA") and len(policy["PolicyId"]) == 21
    assert (policy["DefaultVersionId"], policy["AttachmentCount"], policy["PermissionsBoundaryUsageCount"], policy["IsAttachable"]) == ("v1", 0, 0, True)
    assert policy["CreateDate"] == policy["UpdateDate"]
    got = account.iam.get_policy(PolicyArn=policy["Arn"])["Policy"]
    assert got.pop("Tags") == [], "present and empty, unlike users and roles"
    assert got == policy


def test_description_and_tags_come_back_from_get_but_not_from_list(account):
    tags = [{"Key": "team", "Value": "red"}]
    made = account.iam.create_policy(PolicyName="dressed", Path="/team/", PolicyDocument=document(allow("s3:*")), Description="for the team", Tags=tags)["Policy"]
    assert made["Arn"] == account.arn("policy/team/dressed") and made["Tags"] == tags
    assert set(made) == PLAIN | {"Tags"}
    got = account.iam.get_policy(PolicyArn=made["Arn"])["Policy"]
    assert set(got) == PLAIN | {"Description", "Tags"}
    assert got["Description"] == "for the team" and got["Tags"] == tags
    listed = next(each for each in account.iam.list_policies(Scope="Local")["Policies"] if each["Arn"] == made["Arn"])
    assert set(listed) == PLAIN


def test_a_name_is_unique_whatever_its_path(account):
    account.policy(name="taken")
    with refused("EntityAlreadyExists", "A policy called taken already exists. Duplicate names are not allowed."):
        account.policy(name="taken", Path="/elsewhere/")


def test_an_unknown_policy(account):
    arn = account.arn("policy/there-is-none")
    for call in (account.iam.get_policy, account.iam.delete_policy, account.iam.list_policy_versions, account.iam.list_policy_tags):
        with refused("NoSuchEntity", not_found(arn)):
            call(PolicyArn=arn)


@pytest.mark.parametrize("arn", ["this-is-not-an-arn-at-all", "arn:aws:iam::111122223333", "ReadersOfTheQuarterly", "arn:aws:iam"])
@pytest.mark.parametrize("call", ["attach_user_policy", "attach_role_policy", "attach_group_policy", "get_policy"])
def test_what_is_no_arn_cannot_be_parsed(account, call, arn):
    iam = account.root.unchecked()
    names = {"attach_user_policy": {"UserName": "u"}, "attach_role_policy": {"RoleName": "r"}, "attach_group_policy": {"GroupName": "g"}}.get(call, {})
    with refused("ValidationError", re.compile(rf"^ARN {arn} is not valid\.$|'policyArn' failed to satisfy constraint: Member must have length greater than or equal to 20")):
        getattr(iam, call)(PolicyArn=arn, **names)


def test_the_bare_name_of_an_existing_policy_is_no_arn(account):
    account.policy(name="a-policy-with-a-long-name")
    user = account.user(key=False)
    with refused("ValidationError", "ARN a-policy-with-a-long-name is not valid."):
        account.iam.attach_user_policy(UserName=user.name, PolicyArn="a-policy-with-a-long-name")


def test_the_arn_of_something_else_is_no_policys(account):
    user, arn = account.user(key=False), account.arn("role/somebody")
    with refused("InvalidInput", f"ARN {arn} is not valid."):
        account.iam.attach_user_policy(UserName=user.name, PolicyArn=arn)


def test_counts_follow_attachments_and_boundaries(account):
    arn = account.policy()
    user, role, group = account.user(key=False), account.role(), account.group()

    def counts():
        got = account.iam.get_policy(PolicyArn=arn)["Policy"]
        listed = next(each for each in account.iam.list_policies(Scope="Local")["Policies"] if each["Arn"] == arn)
        assert listed["AttachmentCount"] == got["AttachmentCount"]
        assert listed["PermissionsBoundaryUsageCount"] == got["PermissionsBoundaryUsageCount"]
        return got["AttachmentCount"], got["PermissionsBoundaryUsageCount"]

    assert counts() == (0, 0)
    account.iam.attach_user_policy(UserName=user.name, PolicyArn=arn)
    account.iam.attach_role_policy(RoleName=role.name, PolicyArn=arn)
    account.iam.attach_group_policy(GroupName=group, PolicyArn=arn)
    account.iam.put_user_permissions_boundary(UserName=user.name, PermissionsBoundary=arn)
    assert counts() == (3, 1)
    account.iam.detach_role_policy(RoleName=role.name, PolicyArn=arn)
    account.iam.delete_user_permissions_boundary(UserName=user.name)
    assert counts() == (2, 0)


def test_an_attached_policy_cannot_be_deleted(account):
    arn, user = account.policy(), account.user(key=False)
    account.iam.attach_user_policy(UserName=user.name, PolicyArn=arn)
    with refused("DeleteConflict", "Cannot delete a policy attached to entities."):
        account.iam.delete_policy(PolicyArn=arn)
    account.iam.detach_user_policy(UserName=user.name, PolicyArn=arn)
    assert body(account.iam.delete_policy(PolicyArn=arn)) == {}
    with refused("NoSuchEntity", not_found(arn)):
        account.iam.get_policy(PolicyArn=arn)


def test_a_policy_that_bounds_cannot_be_deleted(account):
    arn = account.policy()
    account.user(key=False, PermissionsBoundary=arn)
    with refused("DeleteConflict", "Cannot delete a policy attached to entities."):
        account.iam.delete_policy(PolicyArn=arn)


def padded(size):
    """A document of exactly so many characters, not counting white space."""
    text = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::"}]})
    return text.replace(":::", ":::" + "x" * (size - len(text.replace(" ", ""))))


def test_6144_characters_are_the_most(account):
    account.iam.create_policy(PolicyName=fresh("policy"), PolicyDocument=padded(6144))
    with refused("LimitExceeded", "Cannot exceed quota for PolicySize: 6144"):
        account.iam.create_policy(PolicyName=fresh("policy"), PolicyDocument=padded(6145))


def test_white_space_does_not_count(account):
    text = padded(6144).replace(", ", ",\n" + " " * 3000)
    account.iam.create_policy(PolicyName=fresh("policy"), PolicyDocument=text)


# AWS's own.


@pytest.mark.parametrize("name", PROMISED)
def test_aws_managed_policies_are_there_with_their_documents(account, name):
    got = account.iam.get_policy(PolicyArn=AWS + name)["Policy"]
    assert set(got) >= PLAIN - {"Tags"}
    assert got["PolicyName"] == name.rpartition("/")[2] and got["Arn"] == AWS + name
    assert got["Path"] == ("/job-function/" if "/" in name else "/")
    version = account.iam.get_policy_version(PolicyArn=AWS + name, VersionId=got["DefaultVersionId"])["PolicyVersion"]
    assert version["Document"]["Statement"] and version["IsDefaultVersion"] is True


def test_administrator_access_is_what_everybody_knows(account):
    version = account.iam.get_policy_version(PolicyArn=AWS + "AdministratorAccess", VersionId="v1")["PolicyVersion"]
    assert version["Document"] == {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def test_aws_managed_policies_cannot_be_edited(account):
    arn, iam = AWS + "IAMReadOnlyAccess", account.iam
    for call in (lambda: iam.delete_policy(PolicyArn=arn), lambda: iam.create_policy_version(PolicyArn=arn, PolicyDocument=document(allow("*")), SetAsDefault=True),
                 lambda: iam.set_default_policy_version(PolicyArn=arn, VersionId="v1"), lambda: iam.tag_policy(PolicyArn=arn, Tags=[{"Key": "a", "Value": "b"}])):
        with pytest.raises(iam.exceptions.ClientError) as caught:
            call()
        assert caught.value.response["Error"]["Code"] in {"AccessDenied", "UnmodifiableEntity", "InvalidInput"}


# Lists.


def names(reply):
    return {policy["PolicyName"] for policy in reply["Policies"]}


@pytest.fixture(scope="module")
def listed(other_account):
    """An account with four policies: one attached to a user, one a boundary, one of AWS's attached."""
    iam = other_account.iam
    for name, path in [("attached", "/l/"), ("bounding", "/l/"), ("idle", "/l/"), ("elsewhere", "/m/")]:
        other_account.policy(name=name, Path=path)
    user = other_account.user(key=False, PermissionsBoundary=other_account.arn("policy/l/bounding"))
    iam.attach_user_policy(UserName=user.name, PolicyArn=other_account.arn("policy/l/attached"))
    iam.attach_user_policy(UserName=user.name, PolicyArn=AWS + "SecurityAudit")
    return iam


def test_scope_local_aws_and_all(listed):
    local = names(listed.list_policies(Scope="Local"))
    assert local == {"attached", "bounding", "idle", "elsewhere"}
    aws = {policy["PolicyName"] for page in listed.get_paginator("list_policies").paginate(Scope="AWS", PaginationConfig={"PageSize": 1000}) for policy in page["Policies"]}
    assert aws >= {name.rpartition("/")[2] for name in PROMISED} and not aws & local
    everything = [policy["PolicyName"] for page in listed.get_paginator("list_policies").paginate(PaginationConfig={"PageSize": 70}) for policy in page["Policies"]]
    assert set(everything) == local | aws and len(everything) == len(set(everything))


@pytest.mark.parametrize("parameters, found", [
    ({"OnlyAttached": True}, {"attached", "SecurityAudit"}),
    ({"OnlyAttached": True, "Scope": "Local"}, {"attached"}),
    ({"OnlyAttached": True, "Scope": "AWS"}, {"SecurityAudit"}),
    ({"Scope": "Local", "PathPrefix": "/l/"}, {"attached", "bounding", "idle"}),
    ({"Scope": "Local", "PathPrefix": "/m/"}, {"elsewhere"}),
    ({"OnlyAttached": True, "PolicyUsageFilter": "PermissionsPolicy"}, {"attached", "SecurityAudit"}),
    ({"OnlyAttached": True, "PolicyUsageFilter": "PermissionsBoundary"}, {"bounding"}),
])
def test_filters(listed, parameters, found):
    got = names(listed.list_policies(**parameters))
    if parameters == {"OnlyAttached": True} or parameters == {"OnlyAttached": True, "Scope": "Local"}:
        got -= {"bounding"}  # AWS's page does not say whether a boundary counts as attached here
    assert got == found


def test_list_policies_pages_one_by_one(listed):
    pages = list(listed.get_paginator("list_policies").paginate(Scope="Local", PaginationConfig={"PageSize": 1}))
    assert [len(page["Policies"]) for page in pages] == [1] * 4
    assert {policy["PolicyName"] for page in pages for policy in page["Policies"]} == {"attached", "bounding", "idle", "elsewhere"}
    assert [page["IsTruncated"] for page in pages] == [True, True, True, False]


def test_denials(account, nobody):
    with refused("AccessDenied", denial(nobody.arn, "iam:CreatePolicy", account.arn("policy/wanted"))):
        nobody.iam.create_policy(PolicyName="wanted", PolicyDocument=document(allow("*")))
    arn = account.policy()
    with refused("AccessDenied", re.compile(f"is not authorized to perform: iam:GetPolicy on resource: (policy )?{re.escape(arn)} because no identity-based policy")):
        nobody.iam.get_policy(PolicyArn=arn)


def test_times_are_now(account):
    made = account.iam.create_policy(PolicyName=fresh("policy"), PolicyDocument=document(allow("s3:*")))["Policy"]["CreateDate"]
    assert abs((made - datetime.datetime.now(datetime.timezone.utc)).total_seconds()) < 30
