"""Organizations: made, seen, deleted; and who is told what of one."""

import re

import pytest

from harness.expecting import denial
from harness.members import organization, refused
from harness.principals import allow, body


@pytest.fixture(scope="module")
def mine(server):
    return organization(server, "organization")


def test_whoever_is_in_none_is_told_so(account):
    client = account.root.client("organizations")
    for call in (client.describe_organization, client.list_accounts, client.list_roots, client.delete_organization, client.leave_organization):
        with refused("AWSOrganizationsNotInUseException") as told:
            call()
        assert told["Error"]["Message"] == "Your account is not a member of an organization."


def test_an_organization_has_all_features_and_its_root(mine):
    made = mine.made
    assert re.fullmatch(r"o-[a-z0-9]{10,32}", made["Id"]) and re.fullmatch(r"r-[0-9a-z]{4,32}", mine.root)
    assert made == {
        "Id": mine.id,
        "Arn": mine.arn(f"organization/{mine.id}"),
        "FeatureSet": "ALL",
        "MasterAccountArn": mine.arn(f"account/{mine.id}/{mine.management.id}"),
        "MasterAccountId": mine.management.id,
        "MasterAccountEmail": mine.management.email,
        "AvailablePolicyTypes": [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}],
    }
    assert body(mine.client.describe_organization()) == {"Organization": made}
    root = mine.client.list_roots()["Roots"]
    assert [(each["Id"], each["Name"], each["Arn"]) for each in root] == [(mine.root, "Root", mine.arn(f"root/{mine.id}/{mine.root}"))]


def test_consolidated_billing_has_no_policies(server):
    billing = organization(server, "billing", FeatureSet="CONSOLIDATED_BILLING")
    assert billing.made["FeatureSet"] == "CONSOLIDATED_BILLING" and billing.made["AvailablePolicyTypes"] == []
    assert billing.client.list_roots()["Roots"][0]["PolicyTypes"] == []


def test_an_account_is_in_one_organization(mine):
    with refused("AlreadyInOrganizationException"):
        mine.client.create_organization()
    member = mine.inside(mine.create()).client("organizations")
    with refused("AlreadyInOrganizationException"):
        member.create_organization(FeatureSet="ALL")


def test_every_member_may_see_the_organization_and_only_that(mine):
    member = mine.inside(mine.create()).client("organizations")
    assert member.describe_organization()["Organization"] == mine.made
    for call, parameters in [
        (member.list_accounts, {}),
        (member.list_roots, {}),
        (member.list_children, {"ParentId": mine.root, "ChildType": "ACCOUNT"}),
        (member.create_organizational_unit, {"ParentId": mine.root, "Name": "mine"}),
        (member.create_account, {"Email": "x@example.com", "AccountName": "x"}),
        (member.describe_account, {"AccountId": mine.management.id}),
        (member.delete_organization, {}),
        (member.list_handshakes_for_organization, {}),
        (member.enable_aws_service_access, {"ServicePrincipal": "sso.amazonaws.com"}),
    ]:
        with refused("AccessDeniedException") as told:
            call(**parameters)
        assert told["Error"]["Message"] == "You don't have permissions to access this resource."


def test_whoever_has_no_permission_is_denied_in_awss_words(mine):
    user = mine.management.user()
    for action, call, parameters in [
        ("organizations:DescribeOrganization", "describe_organization", {}),
        ("organizations:ListAccounts", "list_accounts", {}),
        ("organizations:CreateAccount", "create_account", {"Email": "x@example.com", "AccountName": "x"}),
    ]:
        with refused("AccessDeniedException") as told:
            getattr(user.client("organizations"), call)(**parameters)
        assert told["Error"]["Message"] == denial(user.arn, action, "*")


def test_a_resource_is_named_by_its_arn(mine):
    unit = mine.unit()
    arn = mine.arn(f"ou/{mine.id}/{unit}")
    one = mine.management.user(allow("organizations:DescribeOrganizationalUnit", arn)).client("organizations")
    assert one.describe_organizational_unit(OrganizationalUnitId=unit)["OrganizationalUnit"]["Arn"] == arn
    with refused("AccessDeniedException"):
        one.describe_organizational_unit(OrganizationalUnitId=mine.unit())


def test_the_service_linked_role_needs_its_own_permission(server):
    account = server.account("no-linked-role")
    user = account.user(allow("organizations:*"))
    with refused("AccessDeniedForDependencyException", "ACCESS_DENIED_DURING_CREATE_SERVICE_LINKED_ROLE"):
        user.client("organizations").create_organization()
    both = account.user(allow(["organizations:*", "iam:CreateServiceLinkedRole"]))
    both.client("organizations").create_organization()
    role = account.iam.get_role(RoleName="AWSServiceRoleForOrganizations")["Role"]
    assert role["Path"] == "/aws-service-role/organizations.amazonaws.com/"


def test_an_organization_with_members_is_not_deleted(server):
    doomed = organization(server, "doomed")
    member = doomed.create()
    unit = doomed.unit(Tags=[{"Key": "a", "Value": "b"}])
    with refused("OrganizationNotEmptyException"):
        doomed.client.delete_organization()
    doomed.client.remove_account_from_organization(AccountId=member)
    doomed.client.delete_organization()
    with refused("AWSOrganizationsNotInUseException"):
        doomed.client.list_roots()
    again = doomed.client.create_organization()["Organization"]
    assert again["Id"] != doomed.id
    with refused("OrganizationalUnitNotFoundException"):
        doomed.client.describe_organizational_unit(OrganizationalUnitId=unit)
    assert [account["Id"] for account in doomed.client.list_accounts()["Accounts"]] == [doomed.management.id]


def test_what_breaks_the_model_is_told_with_its_reason(mine):
    client = mine.management.root.client("organizations", checked=False)
    for call, parameters, reason in [
        ("describe_account", {"AccountId": "12"}, "INVALID_PATTERN:ACCOUNT_ID"),
        ("describe_account", {"AccountId": "1234567890123"}, "MAX_LENGTH_EXCEEDED:ACCOUNT_ID"),
        ("describe_account", {}, "INPUT_REQUIRED:ACCOUNT_ID"),
        ("create_organization", {"FeatureSet": "SOME"}, "INVALID_ENUM:FEATURE_SET"),
        ("list_accounts", {"MaxResults": 21}, "MAX_VALUE_EXCEEDED:MAX_RESULTS"),
        ("list_accounts", {"MaxResults": 0}, "MIN_VALUE_EXCEEDED:MAX_RESULTS"),
        ("create_account", {"Email": "a@b.c", "AccountName": "x"}, "MIN_LENGTH_EXCEEDED:EMAIL"),
        ("list_accounts", {"NextToken": "nonsense"}, "INVALID_NEXT_TOKEN"),
    ]:
        with refused("InvalidInputException", reason):
            getattr(client, call)(**parameters)
