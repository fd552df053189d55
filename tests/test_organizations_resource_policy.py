"""The resource policy of an organization: it lets members do what is the management account's, and both sides must say yes."""

import json

import pytest

from harness.expecting import outcome
from harness.members import organization, refused, resource_policy
from harness.principals import allow, body


@pytest.fixture(scope="module")
def mine(server):
    return organization(server, "resource-policy")


def put(mine, content, **parameters):
    return body(mine.client.put_resource_policy(Content=content, **parameters))["ResourcePolicy"]


def test_it_is_put_shown_and_deleted(server):
    fresh = organization(server, "own-policy")
    member = fresh.create()
    for call in (fresh.client.describe_resource_policy, fresh.client.delete_resource_policy):
        with refused("ResourcePolicyNotFoundException"):
            call()
    content = resource_policy(f"arn:aws:iam::{member}:root", "organizations:ListAccounts")
    made = put(fresh, content, Tags=[{"Key": "a", "Value": "b"}])
    policy = made["ResourcePolicySummary"]["Id"]
    assert made == {"ResourcePolicySummary": {"Id": policy, "Arn": fresh.arn(f"resourcepolicy/{fresh.id}/{policy}")}, "Content": content}
    assert body(fresh.client.describe_resource_policy())["ResourcePolicy"] == made
    assert fresh.client.list_tags_for_resource(ResourceId=policy)["Tags"] == [{"Key": "a", "Value": "b"}]
    with refused("ConstraintViolationException", "UPDATE_EXISTING_RESOURCE_POLICY_WITH_TAGS_NOT_SUPPORTED"):
        put(fresh, content, Tags=[{"Key": "a", "Value": "c"}])
    again = put(fresh, content.replace("ListAccounts", "ListRoots"))
    assert again["ResourcePolicySummary"] == made["ResourcePolicySummary"]
    fresh.client.delete_resource_policy()
    with refused("TargetNotFoundException"):
        fresh.client.list_tags_for_resource(ResourceId=policy)


def test_what_it_cannot_say_is_refused(mine):
    member = f"arn:aws:iam::{mine.create()}:root"
    for content, reason in [
        ("{", "INVALID_RESOURCE_POLICY_JSON"),
        (json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "organizations:ListRoots", "Resource": "*"}]}), "INVALID_RESOURCE_POLICY_JSON"),
        (resource_policy(member, "organizations:*"), "UNSUPPORTED_ACTION_IN_RESOURCE_POLICY"),
        (resource_policy(member, "organizations:CreateAccount"), "UNSUPPORTED_ACTION_IN_RESOURCE_POLICY"),
        (resource_policy(member, "iam:ListUsers"), "UNSUPPORTED_ACTION_IN_RESOURCE_POLICY"),
        (resource_policy(member, "organizations:ListRoots", resource="arn:aws:s3:::bucket"), "UNSUPPORTED_RESOURCE_IN_RESOURCE_POLICY"),
    ]:
        with refused("InvalidInputException", reason):
            put(mine, content)
    with refused("InvalidInputException", "MAX_LENGTH_EXCEEDED:CONTENT"):
        mine.management.root.client("organizations", checked=False).put_resource_policy(Content="x" * 40_001)


def test_both_sides_must_allow(mine):
    member = mine.create()
    inside = mine.inside(member)
    inside.iam.create_user(UserName="reader")
    key = inside.iam.create_access_key(UserName="reader")["AccessKey"]
    reader = type(inside)(mine.server, key["AccessKeyId"], key["SecretAccessKey"]).client("organizations")
    put(mine, resource_policy(f"arn:aws:iam::{member}:root", "organizations:ListAccounts", "organizations:TagResource"))
    assert outcome(inside.client("organizations").list_accounts) == "ok"
    assert outcome(reader.list_accounts) == "AccessDeniedException", "its own policies do not allow it"
    inside.iam.put_user_policy(UserName="reader", PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allow("organizations:*")]}))
    assert outcome(reader.list_accounts) == "ok"
    assert outcome(reader.list_roots) == "AccessDeniedException", "the resource policy does not allow it"
    reader.tag_resource(ResourceId=mine.root, Tags=[{"Key": "by", "Value": "reader"}])
    assert {"Key": "by", "Value": "reader"} in mine.client.list_tags_for_resource(ResourceId=mine.root)["Tags"]
    other = mine.inside(mine.create()).client("organizations")
    assert outcome(other.list_accounts) == "AccessDeniedException", "it lets another member"
    mine.client.delete_resource_policy()
    assert outcome(inside.client("organizations").list_accounts) == "AccessDeniedException"


def test_it_lets_on_one_resource(mine):
    member, unit, other = mine.create(), mine.unit(), mine.unit()
    inside = mine.inside(member).client("organizations")
    put(mine, resource_policy(f"arn:aws:iam::{member}:root", "organizations:DescribeOrganizationalUnit", resource=mine.arn(f"ou/{mine.id}/{unit}")))
    assert inside.describe_organizational_unit(OrganizationalUnitId=unit)["OrganizationalUnit"]["Id"] == unit
    assert outcome(inside.describe_organizational_unit, OrganizationalUnitId=other) == "AccessDeniedException"


def test_it_lets_under_conditions(mine):
    member, tagged, plain = mine.create(), mine.unit(Tags=[{"Key": "open", "Value": "yes"}]), mine.unit()
    inside = mine.inside(member).client("organizations")
    put(mine, resource_policy(f"arn:aws:iam::{member}:root", "organizations:DescribeOrganizationalUnit", condition={"StringEquals": {"aws:ResourceTag/open": "yes"}}))
    assert outcome(inside.describe_organizational_unit, OrganizationalUnitId=tagged) == "ok"
    assert outcome(inside.describe_organizational_unit, OrganizationalUnitId=plain) == "AccessDeniedException"


def test_it_lets_in_no_stranger(mine, account):
    put(mine, resource_policy(f"arn:aws:iam::{account.id}:root", "organizations:ListAccounts"))
    with refused("AWSOrganizationsNotInUseException"):
        account.root.client("organizations").list_accounts()


def test_it_hands_on_nothing_that_is_not_for_members(mine):
    member = mine.create()
    put(mine, resource_policy(f"arn:aws:iam::{member}:root", "organizations:ListAccounts"))
    inside = mine.inside(member).client("organizations")
    for call, parameters in [
        ("put_resource_policy", {"Content": resource_policy(f"arn:aws:iam::{member}:root", "organizations:Describe*")}),
        ("delete_resource_policy", {}),
        ("describe_resource_policy", {}),
        ("create_account", {"Email": "x@example.com", "AccountName": "x"}),
        ("delete_organization", {}),
    ]:
        assert outcome(getattr(inside, call), **parameters) == "AccessDeniedException", call


def test_who_may_not_is_denied(mine):
    user = mine.management.user().client("organizations")
    for call, parameters in [
        ("put_resource_policy", {"Content": resource_policy("arn:aws:iam::111122223333:root", "organizations:ListRoots")}),
        ("describe_resource_policy", {}),
        ("delete_resource_policy", {}),
    ]:
        assert outcome(getattr(user, call), **parameters) == "AccessDeniedException", call
