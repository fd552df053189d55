"""Step 1: root creates alice, a group, a managed policy and a role; alice may nothing until a policy says so, and learns which kind was missing."""

import json
import re

import pytest

from harness.expecting import BOUNDARY, IDENTITY, denial, refused
from harness.principals import allow, deny, document, trust


@pytest.fixture(scope="module")
def alice(account):
    return account.user(name="alice")


def test_root_makes_the_user_the_group_the_policy_and_the_role(account):
    iam = account.iam
    group = iam.create_group(GroupName="developers")["Group"]
    policy = iam.create_policy(PolicyName="readers", PolicyDocument=document(allow("iam:List*")))["Policy"]
    role = iam.create_role(RoleName="deployer", AssumeRolePolicyDocument=trust(account.id))["Role"]
    assert group["Arn"] == account.arn("group/developers")
    assert policy["Arn"] == account.arn("policy/readers")
    assert role["Arn"] == account.arn("role/deployer")


def test_alice_is_denied_with_the_sentence_that_names_the_missing_kind(alice, account):
    with refused("AccessDenied", denial(alice.arn, "iam:ListUsers", account.arn("user/"))):
        alice.iam.list_users()


def test_a_policy_through_her_group_lets_her_in_at_once(account, alice):
    arn = account.policy(allow("iam:ListGroups"))
    group = account.group(members=[alice])
    with refused("AccessDenied"):
        alice.iam.list_groups()
    account.iam.attach_group_policy(GroupName=group, PolicyArn=arn)
    assert "Groups" in alice.iam.list_groups()
    account.iam.detach_group_policy(GroupName=group, PolicyArn=arn)
    with refused("AccessDenied"):
        alice.iam.list_groups()


@pytest.mark.parametrize("by", ["inline", "attached", "group inline", "group attached"])
def test_each_way_to_give_a_policy_counts(account, by):
    user = account.user()
    iam, text = account.iam, document(allow("iam:ListRoles"))
    if by == "inline":
        iam.put_user_policy(UserName=user.name, PolicyName="p", PolicyDocument=text)
    elif by == "attached":
        iam.attach_user_policy(UserName=user.name, PolicyArn=account.policy(allow("iam:ListRoles")))
    elif by == "group inline":
        account.group(allow("iam:ListRoles"), members=[user])
    else:
        iam.attach_group_policy(GroupName=account.group(members=[user]), PolicyArn=account.policy(allow("iam:ListRoles")))
    assert "Roles" in user.iam.list_roles()


def test_an_explicit_deny_wins_and_is_named(account):
    user = account.user(allow("*"), deny("iam:ListRoles"))
    with refused("AccessDenied", denial(user.arn, "iam:ListRoles", account.arn("role/"), kind=IDENTITY, explicit=True)):
        user.iam.list_roles()


def test_a_boundary_that_does_not_allow_is_named(account):
    user = account.user(allow("*"), PermissionsBoundary=account.policy(allow("iam:ListUsers")))
    assert "Users" in user.iam.list_users()
    with refused("AccessDenied", denial(user.arn, "iam:ListRoles", account.arn("role/"), kind=BOUNDARY)):
        user.iam.list_roles()


def test_a_boundary_that_denies_is_named(account):
    user = account.user(allow("*"), PermissionsBoundary=account.policy(allow("*"), deny("iam:ListRoles")))
    with refused("AccessDenied", denial(user.arn, "iam:ListRoles", account.arn("role/"), kind=BOUNDARY, explicit=True)):
        user.iam.list_roles()


def test_an_aws_managed_policy_works_as_an_own_one(account):
    user = account.user()
    account.iam.attach_user_policy(UserName=user.name, PolicyArn="arn:aws:iam::aws:policy/IAMReadOnlyAccess")
    assert "Users" in user.iam.list_users()
    with refused("AccessDenied"):
        user.iam.create_user(UserName="not-by-a-reader")


def explained(server, request_id):
    """What `bailiwick explain` prints; the event of a read may be a second late."""
    return server.run("explain", request_id).stdout


def test_explain_names_the_missing_kind_and_the_smallest_statement(server, account):
    user = account.user(allow("s3:GetObject"))
    with refused("AccessDenied") as told:
        user.iam.create_group(GroupName="wanted")
    (event,) = json.loads(explained(server, told.request_id))["events"]
    assert event["principal"] == user.arn and event["message"] == told.message
    (check,) = event["checks"]
    assert (check["action"], check["resource"], check["decision"]) == ("iam:CreateGroup", account.arn("group/wanted"), "ImplicitlyDenied")
    explanation = check["explanation"]
    assert explanation["lacking"] == "identity" and explanation["statements"] == []
    assert ["granted" in policy["source"] for policy in explanation["policies"]] == [True], "every policy looked at is named"
    (suggestion,) = explanation["suggestions"]
    assert suggestion == {"kind": "identity", "statement": {"Effect": "Allow", "Action": "iam:CreateGroup", "Resource": account.arn("group/wanted")}}
    account.iam.put_user_policy(UserName=user.name, PolicyName="suggested", PolicyDocument=document(suggestion["statement"]))
    user.iam.create_group(GroupName="wanted")


def test_explain_shows_the_statement_that_denied_by_line_and_column(server, account):
    user = account.user()
    text = '{\n  "Version": "2012-10-17",\n  "Statement": [\n    {"Effect": "Allow", "Action": "*", "Resource": "*"},\n' \
           '    {"Sid": "NoGroups", "Effect": "Deny", "Action": "iam:CreateGroup", "Resource": "*"}\n  ]\n}'
    arn = account.iam.create_policy(PolicyName="mixed", PolicyDocument=text)["Policy"]["Arn"]
    account.iam.attach_user_policy(UserName=user.name, PolicyArn=arn)
    with refused("AccessDenied", denial(user.arn, "iam:CreateGroup", account.arn("group/wanted"), explicit=True)) as told:
        user.iam.create_group(GroupName="wanted")
    said = explained(server, told.request_id)
    assert arn in said and "NoGroups" in said
    statements = [statement for event in json.loads(said)["events"] for check in event["checks"] for statement in check["explanation"]["statements"]]
    assert sorted((each.get("sid"), each["effect"], each["line"], each["endLine"], each["column"]) for each in statements if each["effect"] == "Deny") == [("NoGroups", "Deny", 5, 5, 5)]


def test_explain_works_after_the_policies_have_changed(server, account):
    """It is computed again at the revision of the call."""
    user = account.user(allow("*"), deny("iam:ListGroups"))
    with refused("AccessDenied") as told:
        user.iam.list_groups()
    account.iam.delete_user_policy(UserName=user.name, PolicyName="granted")
    said = explained(server, told.request_id)
    assert "granted" in said
    assert re.search("explicit", said, re.IGNORECASE)


def test_explain_of_an_unknown_request_fails_clearly(server):
    done = server.run("explain", "00000000-0000-4000-8000-000000000000", check=False)
    assert done.returncode != 0
    assert "00000000-0000-4000-8000-000000000000" in done.stderr + done.stdout


def test_explain_of_an_allowed_call_shows_what_allowed_it(server, account):
    user = account.user(allow("iam:ListUsers", Sid="MayList"))
    request_id = user.iam.list_users()["ResponseMetadata"]["RequestId"]
    said = explained(server, request_id)
    assert "MayList" in said and re.search("allowed", said, re.IGNORECASE)
