"""GetAccountAuthorizationDetails, whole: the tools that read it crash on what is left out."""

import json

import pytest

from harness.expecting import refused
from harness.principals import allow, body, document, trust

USER = {"Path", "UserName", "UserId", "Arn", "CreateDate", "UserPolicyList", "GroupList", "AttachedManagedPolicies", "Tags"}
GROUP = {"Path", "GroupName", "GroupId", "Arn", "CreateDate", "GroupPolicyList", "AttachedManagedPolicies"}
ROLE = {"Path", "RoleName", "RoleId", "Arn", "CreateDate", "AssumeRolePolicyDocument", "InstanceProfileList", "RolePolicyList", "AttachedManagedPolicies", "Tags", "RoleLastUsed"}
POLICY = {"PolicyName", "PolicyId", "Arn", "Path", "DefaultVersionId", "AttachmentCount", "PermissionsBoundaryUsageCount", "IsAttachable", "CreateDate", "UpdateDate", "PolicyVersionList"}
LISTS = ["UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"]
AUDIT = "arn:aws:iam::aws:policy/SecurityAudit"


@pytest.fixture(scope="module")
def filled(account):
    """An account with at least one of everything, and things that are empty."""
    iam = account.iam
    bound = account.policy(name="bound")
    attached = account.policy(allow("s3:ListBucket"), name="attached", Path="/p/", Description="d")
    iam.create_policy_version(PolicyArn=attached, PolicyDocument=document(allow("s3:*")), SetAsDefault=True)
    rich = account.user(allow("s3:GetObject", "arn:aws:s3:::100%/*"), name="rich", Path="/u/", PermissionsBoundary=bound, Tags=[{"Key": "team", "Value": "red"}])
    account.user(name="bare", key=False)
    account.group(allow("s3:PutObject"), name="crowd", members=[rich])
    account.group(name="empty")
    account.role(allow("s3:DeleteObject"), name="worker", trusted=trust({"Service": "ec2.amazonaws.com"}), Tags=[{"Key": "stage", "Value": "x"}], PermissionsBoundary=bound)
    account.role(name="idle")
    iam.create_instance_profile(InstanceProfileName="machine")
    iam.add_role_to_instance_profile(InstanceProfileName="machine", RoleName="worker")
    for call, name in [("user", "rich"), ("group", "crowd"), ("role", "worker")]:
        getattr(iam, f"attach_{call}_policy")(**{f"{call.title()}Name": name}, PolicyArn=attached)
    iam.attach_user_policy(UserName="rich", PolicyArn=AUDIT)
    return account


def details(account, **parameters):
    return body(account.iam.get_account_authorization_details(MaxItems=1000, **parameters))


def by(entries, name):
    return {entry[name]: entry for entry in entries}


def test_all_four_lists_are_there(filled):
    reply = details(filled)
    assert set(reply) == {*LISTS, "IsTruncated"} and reply["IsTruncated"] is False
    assert set(by(reply["UserDetailList"], "UserName")) == {"rich", "bare"}
    assert set(by(reply["GroupDetailList"], "GroupName")) == {"crowd", "empty"}
    assert set(by(reply["RoleDetailList"], "RoleName")) == {"worker", "idle"}
    assert {"bound", "attached", "SecurityAudit"} <= set(by(reply["Policies"], "PolicyName"))


def test_an_empty_account_answers_empty_lists(other_account):
    reply = details(other_account, Filter=["User", "Group", "Role", "LocalManagedPolicy"])
    assert reply == {"UserDetailList": [], "GroupDetailList": [], "RoleDetailList": [], "Policies": [], "IsTruncated": False}


def test_users(filled):
    users = by(details(filled)["UserDetailList"], "UserName")
    rich, bare = users["rich"], users["bare"]
    assert set(bare) == USER and set(rich) == USER | {"PermissionsBoundary"}
    assert (bare["UserPolicyList"], bare["GroupList"], bare["AttachedManagedPolicies"], bare["Tags"]) == ([], [], [], [])
    text = json.loads(document(allow("s3:GetObject", "arn:aws:s3:::100%/*")))
    assert rich["UserPolicyList"] == [{"PolicyName": "granted", "PolicyDocument": text}]
    assert rich["GroupList"] == ["crowd"]
    assert by(rich["AttachedManagedPolicies"], "PolicyName") == {
        "attached": {"PolicyName": "attached", "PolicyArn": filled.arn("policy/p/attached")}, "SecurityAudit": {"PolicyName": "SecurityAudit", "PolicyArn": AUDIT}}
    assert rich["PermissionsBoundary"] == {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": filled.arn("policy/bound")}
    assert rich["Tags"] == [{"Key": "team", "Value": "red"}]


def test_groups(filled):
    groups = by(details(filled)["GroupDetailList"], "GroupName")
    assert set(groups["crowd"]) == GROUP and set(groups["empty"]) == GROUP
    assert groups["crowd"]["GroupPolicyList"][0]["PolicyDocument"]["Statement"][0]["Action"] == "s3:PutObject"
    assert groups["crowd"]["AttachedManagedPolicies"] == [{"PolicyName": "attached", "PolicyArn": filled.arn("policy/p/attached")}]
    assert groups["empty"]["GroupPolicyList"] == [] and groups["empty"]["AttachedManagedPolicies"] == []


def test_roles_carry_their_profiles_which_repeat_the_roles(filled):
    roles = by(details(filled)["RoleDetailList"], "RoleName")
    worker, idle = roles["worker"], roles["idle"]
    assert set(worker) - {"MaxSessionDuration"} == ROLE | {"PermissionsBoundary"} and set(idle) - {"MaxSessionDuration"} == ROLE
    assert idle["InstanceProfileList"] == [] and idle["RolePolicyList"] == [] and idle["RoleLastUsed"] == {}
    profile = worker["InstanceProfileList"][0]
    assert profile["InstanceProfileName"] == "machine"
    assert [role["RoleName"] for role in profile["Roles"]] == ["worker"]
    assert profile["Roles"][0]["AssumeRolePolicyDocument"] == worker["AssumeRolePolicyDocument"]
    assert worker["RolePolicyList"][0]["PolicyName"] == "granted" and worker["Tags"] == [{"Key": "stage", "Value": "x"}]


def test_policies_carry_every_versions_document(filled):
    policies = by(details(filled)["Policies"], "PolicyName")
    attached = policies["attached"]
    assert set(attached) - {"Description"} == POLICY
    assert attached["AttachmentCount"] == 3 and attached["DefaultVersionId"] == "v2"
    assert policies["bound"]["PermissionsBoundaryUsageCount"] == 2
    versions = by(attached["PolicyVersionList"], "VersionId")
    assert set(versions) == {"v1", "v2"}
    assert all(set(version) == {"Document", "VersionId", "IsDefaultVersion", "CreateDate"} for version in versions.values())
    assert versions["v1"]["Document"]["Statement"][0]["Action"] == "s3:ListBucket" and versions["v2"]["IsDefaultVersion"] is True
    assert "PolicyVersionList" in policies["SecurityAudit"]


@pytest.mark.parametrize("only, filled_list", [("User", "UserDetailList"), ("Group", "GroupDetailList"), ("Role", "RoleDetailList"), ("LocalManagedPolicy", "Policies"), ("AWSManagedPolicy", "Policies")])
def test_one_filter(filled, only, filled_list):
    whole, reply = details(filled), details(filled, Filter=[only])
    for name in LISTS:
        if name != filled_list:
            assert reply[name] == []
    if filled_list != "Policies":
        assert reply[filled_list] == whole[filled_list]
    else:
        aws = {policy["Arn"].startswith("arn:aws:iam::aws:") for policy in reply["Policies"]}
        assert aws == {only == "AWSManagedPolicy"}


def test_filters_add_up(filled):
    reply = details(filled, Filter=["User", "Role"])
    assert reply["UserDetailList"] and reply["RoleDetailList"] and not reply["GroupDetailList"] and not reply["Policies"]


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_paging_runs_over_all_lists(filled, size):
    chosen = ["User", "Group", "Role", "LocalManagedPolicy"]
    whole = details(filled, Filter=chosen)
    pages = list(filled.iam.get_paginator("get_account_authorization_details").paginate(Filter=chosen, PaginationConfig={"PageSize": size}))
    for name in LISTS:
        assert [entry for page in pages for entry in page[name]] == whole[name]
    assert all(sum(len(page[name]) for name in LISTS) <= size for page in pages)
    assert all(page["IsTruncated"] == ("Marker" in page) for page in pages)


def test_a_bad_filter_is_refused(filled):
    with refused("ValidationError"):
        filled.iam.get_account_authorization_details(Filter=["Bucket"])
