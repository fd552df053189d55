"""Trusted services and delegated administrators: who administers a service reads the organization, and writes nothing in it."""

import datetime

import pytest

from harness.expecting import outcome
from harness.members import everything, organization, refused
from harness.principals import allow

SERVICE = "access-analyzer.amazonaws.com"


@pytest.fixture(scope="module")
def mine(server):
    return organization(server, "delegation")


def test_a_service_is_trusted_and_not_any_more(server):
    fresh = organization(server, "trusting")
    before = datetime.datetime.now(datetime.timezone.utc)
    names = ["sso.amazonaws.com", "ram.amazonaws.com", "config.amazonaws.com"]
    for name in [*names, "ram.amazonaws.com"]:
        fresh.client.enable_aws_service_access(ServicePrincipal=name)
    enabled = everything(fresh.client.list_aws_service_access_for_organization, "EnabledServicePrincipals", MaxResults=2)
    assert [each["ServicePrincipal"] for each in enabled] == sorted(names)
    assert all(abs((each["DateEnabled"] - before).total_seconds()) < 60 for each in enabled)
    for _ in range(2):
        fresh.client.disable_aws_service_access(ServicePrincipal="ram.amazonaws.com")
    listed = fresh.client.list_aws_service_access_for_organization()["EnabledServicePrincipals"]
    assert "ram.amazonaws.com" not in [each["ServicePrincipal"] for each in listed]


def test_what_is_no_service_of_awss_is_told(mine):
    for call, parameters in [
        ("enable_aws_service_access", {}),
        ("disable_aws_service_access", {}),
        ("register_delegated_administrator", {"AccountId": mine.management.id}),
        ("list_delegated_administrators", {}),
    ]:
        with refused("InvalidInputException", "UNRECOGNIZED_SERVICE_PRINCIPAL") as told:
            getattr(mine.client, call)(ServicePrincipal="moto.amazonaws.com", **parameters)
        assert told["Error"]["Message"] == "You specified an unrecognized service principal."


def test_an_administrator_is_registered_and_shown(server):
    fresh = organization(server, "registering")
    member = fresh.create("registered", email="registered@example.com")
    with refused("ConstraintViolationException", "SERVICE_ACCESS_NOT_ENABLED"):
        fresh.client.register_delegated_administrator(AccountId=member, ServicePrincipal=SERVICE)
    fresh.delegate(member, SERVICE)
    fresh.delegate(member, "guardduty.amazonaws.com")
    [shown] = fresh.client.list_delegated_administrators()["DelegatedAdministrators"]
    assert set(shown) == {"Id", "Arn", "Email", "Name", "Status", "State", "JoinedMethod", "JoinedTimestamp", "DelegationEnabledDate"}
    assert (shown["Id"], shown["Email"], shown["Arn"]) == (member, "registered@example.com", fresh.arn(f"account/{fresh.id}/{member}"))
    services = everything(fresh.client.list_delegated_services_for_account, "DelegatedServices", AccountId=member, MaxResults=1)
    assert [each["ServicePrincipal"] for each in services] == [SERVICE, "guardduty.amazonaws.com"]
    by_service = fresh.client.list_delegated_administrators(ServicePrincipal="guardduty.amazonaws.com")["DelegatedAdministrators"]
    assert [each["Id"] for each in by_service] == [member]
    assert fresh.client.list_delegated_administrators(ServicePrincipal="sso.amazonaws.com")["DelegatedAdministrators"] == []
    with refused("AccountAlreadyRegisteredException"):
        fresh.client.register_delegated_administrator(AccountId=member, ServicePrincipal=SERVICE)
    other = fresh.create()
    with refused("ConstraintViolationException", "DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE"):
        fresh.client.register_delegated_administrator(AccountId=other, ServicePrincipal=SERVICE)
    with refused("ConstraintViolationException", "CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG"):
        fresh.client.remove_account_from_organization(AccountId=member)
    fresh.client.deregister_delegated_administrator(AccountId=member, ServicePrincipal=SERVICE)
    with refused("AccountNotRegisteredException"):
        fresh.client.deregister_delegated_administrator(AccountId=member, ServicePrincipal=SERVICE)
    fresh.client.disable_aws_service_access(ServicePrincipal="guardduty.amazonaws.com")
    assert fresh.client.list_delegated_administrators()["DelegatedAdministrators"] == []
    with refused("AccountNotRegisteredException"):
        fresh.client.list_delegated_services_for_account(AccountId=member)
    fresh.client.remove_account_from_organization(AccountId=member)


def test_who_cannot_be_registered(mine):
    mine.client.enable_aws_service_access(ServicePrincipal="sso.amazonaws.com")
    with refused("ConstraintViolationException", "CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR"):
        mine.client.register_delegated_administrator(AccountId=mine.management.id, ServicePrincipal="sso.amazonaws.com")
    with refused("AccountNotFoundException"):
        mine.client.register_delegated_administrator(AccountId="000000000012", ServicePrincipal="sso.amazonaws.com")
    with refused("AccountNotFoundException"):
        mine.client.list_delegated_services_for_account(AccountId="000000000012")
    closed = mine.create()
    mine.client.close_account(AccountId=closed)
    with refused("ConstraintViolationException", "CANNOT_REGISTER_SUSPENDED_ACCOUNT_AS_DELEGATED_ADMINISTRATOR"):
        mine.client.register_delegated_administrator(AccountId=closed, ServicePrincipal="sso.amazonaws.com")


def test_administrators_come_in_pages(server):
    fresh = organization(server, "many-administrators")
    members = [fresh.create() for _ in range(5)]
    for service in ("member.org.stacksets.cloudformation.amazonaws.com", "backup.amazonaws.com"):
        for member in members:
            fresh.delegate(member, service)
    for size in (1, 2, 20):
        listed = everything(fresh.client.list_delegated_administrators, "DelegatedAdministrators", MaxResults=size)
        assert [each["Id"] for each in listed] == sorted(members)
    with refused("ConstraintViolationException", "MAX_DELEGATED_ADMINISTRATORS_FOR_SERVICE_LIMIT_EXCEEDED"):
        fresh.client.register_delegated_administrator(AccountId=fresh.create(), ServicePrincipal="backup.amazonaws.com")


def test_an_administrator_reads_and_does_not_write(mine):
    member, unit = mine.create(), mine.unit()
    inside = mine.inside(member).client("organizations")
    reads = [
        ("list_roots", {}),
        ("list_accounts", {}),
        ("list_accounts_for_parent", {"ParentId": mine.root}),
        ("list_children", {"ParentId": mine.root, "ChildType": "ACCOUNT"}),
        ("list_organizational_units_for_parent", {"ParentId": mine.root}),
        ("list_parents", {"ChildId": unit}),
        ("describe_organizational_unit", {"OrganizationalUnitId": unit}),
        ("describe_account", {"AccountId": member}),
        ("list_create_account_status", {}),
        ("list_delegated_administrators", {}),
        ("list_delegated_services_for_account", {"AccountId": member}),
        ("list_aws_service_access_for_organization", {}),
        ("list_handshakes_for_organization", {}),
        ("list_tags_for_resource", {"ResourceId": mine.root}),
    ]
    for call, parameters in reads:
        assert outcome(getattr(inside, call), **parameters) == "AccessDeniedException", call
    mine.delegate(member, "health.amazonaws.com")
    for call, parameters in reads:
        assert outcome(getattr(inside, call), **parameters) == "ok", call
    for call, parameters in [
        ("create_organizational_unit", {"ParentId": mine.root, "Name": "x"}),
        ("delete_organizational_unit", {"OrganizationalUnitId": unit}),
        ("create_account", {"Email": "x@example.com", "AccountName": "x"}),
        ("close_account", {"AccountId": member}),
        ("move_account", {"AccountId": member, "SourceParentId": mine.root, "DestinationParentId": unit}),
        ("register_delegated_administrator", {"AccountId": member, "ServicePrincipal": "sso.amazonaws.com"}),
        ("enable_aws_service_access", {"ServicePrincipal": "ram.amazonaws.com"}),
        ("tag_resource", {"ResourceId": unit, "Tags": [{"Key": "a", "Value": "b"}]}),
        ("delete_organization", {}),
    ]:
        assert outcome(getattr(inside, call), **parameters) == "AccessDeniedException", call
    mine.client.deregister_delegated_administrator(AccountId=member, ServicePrincipal="health.amazonaws.com")
    assert outcome(inside.list_accounts) == "AccessDeniedException"


def test_an_administrator_needs_permission_at_home(mine):
    member = mine.create()
    mine.delegate(member, "reporting.trustedadvisor.amazonaws.com")
    inside = mine.inside(member)
    inside.iam.create_user(UserName="plain")
    key = inside.iam.create_access_key(UserName="plain")["AccessKey"]
    plain = type(inside)(mine.server, key["AccessKeyId"], key["SecretAccessKey"]).client("organizations")
    assert outcome(plain.list_accounts) == "AccessDeniedException"


def test_the_service_is_a_condition_key(mine):
    only = mine.management.user(allow("organizations:EnableAWSServiceAccess", condition={"StringEquals": {"organizations:ServicePrincipal": "ram.amazonaws.com"}}))
    only.client("organizations").enable_aws_service_access(ServicePrincipal="ram.amazonaws.com")
    with refused("AccessDeniedException"):
        only.client("organizations").enable_aws_service_access(ServicePrincipal="fms.amazonaws.com")


def test_consolidated_billing_trusts_nobody(server):
    billing = organization(server, "billing-trust", FeatureSet="CONSOLIDATED_BILLING")
    with refused("ConstraintViolationException", "ORGANIZATION_NOT_IN_ALL_FEATURES_MODE"):
        billing.client.enable_aws_service_access(ServicePrincipal="ram.amazonaws.com")


def test_who_may_not_is_denied(mine):
    user = mine.management.user().client("organizations")
    for call, parameters in [
        ("enable_aws_service_access", {"ServicePrincipal": SERVICE}),
        ("disable_aws_service_access", {"ServicePrincipal": SERVICE}),
        ("list_aws_service_access_for_organization", {}),
        ("register_delegated_administrator", {"AccountId": mine.management.id, "ServicePrincipal": SERVICE}),
        ("deregister_delegated_administrator", {"AccountId": mine.management.id, "ServicePrincipal": SERVICE}),
        ("list_delegated_administrators", {}),
        ("list_delegated_services_for_account", {"AccountId": mine.management.id}),
    ]:
        assert outcome(getattr(user, call), **parameters) == "AccessDeniedException", call
