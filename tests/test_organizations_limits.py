"""What Organizations refuses because there is enough of it, because it is not there, or because only one bill is shared."""

import json

import pytest

from harness.members import organization, refused, resource_policy
from harness.principals import fresh

SCP = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
NOBODYS = "999999999999"


@pytest.fixture(scope="module")
def made(server):
    return organization(server, "limited")


@pytest.fixture(scope="module")
def billing(server):
    return organization(server, "one-bill", FeatureSet="CONSOLIDATED_BILLING")


@pytest.mark.timeout(180)
def test_an_organization_has_a_thousand_policies_of_a_kind(made):
    def create(number, kind="SERVICE_CONTROL_POLICY", content=SCP):
        return made.client.create_policy(Type=kind, Name=f"number-{number}", Description="", Content=content)["Policy"]["PolicySummary"]["Id"]

    last = [create(number) for number in range(1_000)][-1]
    with refused("ConstraintViolationException", "POLICY_NUMBER_LIMIT_EXCEEDED"):
        create(1_000)
    create(0, "TAG_POLICY", '{"tags":{}}')
    made.client.delete_policy(PolicyId=last)
    create(1_000)
    listed = [policy["Id"] for page in made.client.get_paginator("list_policies").paginate(Filter="SERVICE_CONTROL_POLICY") for policy in page["Policies"]]
    assert len(listed) == len(set(listed)) == 1_001, "AWS's own is not counted"


@pytest.mark.timeout(240)
def test_an_organization_has_so_many_units(made):
    count = 0
    with refused("ConstraintViolationException", "OU_NUMBER_LIMIT_EXCEEDED"):
        while count <= 2_000:
            made.unit(name=f"number-{count}")
            count += 1
    assert count == 2_000
    pages = made.client.get_paginator("list_organizational_units_for_parent").paginate(ParentId=made.root)
    listed = [unit["Id"] for page in pages for unit in page["OrganizationalUnits"]]
    assert len(listed) == len(set(listed)) == count
    made.client.delete_organizational_unit(OrganizationalUnitId=listed[0])
    made.unit()


def test_an_account_that_is_not_there_is_told(server):
    made = organization(server, "there")
    client, unit = made.client, made.unit()
    client.enable_aws_service_access(ServicePrincipal="ssm.amazonaws.com")
    stranger = server.account(fresh("stranger"))
    for account in (NOBODYS, stranger.id):
        for call in [
            lambda: client.describe_account(AccountId=account),
            lambda: client.close_account(AccountId=account),
            lambda: client.remove_account_from_organization(AccountId=account),
            lambda: client.move_account(AccountId=account, SourceParentId=made.root, DestinationParentId=unit),
            lambda: client.register_delegated_administrator(AccountId=account, ServicePrincipal="ssm.amazonaws.com"),
            lambda: client.deregister_delegated_administrator(AccountId=account, ServicePrincipal="ssm.amazonaws.com"),
            lambda: client.list_delegated_services_for_account(AccountId=account),
        ]:
            with refused("AccountNotFoundException"):
                call()
        for call in [
            lambda: client.attach_policy(PolicyId="p-FullAWSAccess", TargetId=account),
            lambda: client.detach_policy(PolicyId="p-FullAWSAccess", TargetId=account),
            lambda: client.list_policies_for_target(TargetId=account, Filter="SERVICE_CONTROL_POLICY"),
            lambda: client.list_tags_for_resource(ResourceId=account),
            lambda: client.tag_resource(ResourceId=account, Tags=[{"Key": "a", "Value": "b"}]),
            lambda: client.untag_resource(ResourceId=account, TagKeys=["a"]),
            lambda: client.describe_effective_policy(PolicyType="TAG_POLICY", TargetId=account),
        ]:
            with refused("TargetNotFoundException"):
                call()
        with refused("ChildNotFoundException"):
            client.list_parents(ChildId=account)


def test_an_effective_policy_is_an_accounts(made):
    made.client.enable_policy_type(RootId=made.root, PolicyType="BACKUP_POLICY")
    with refused("InvalidInputException", "TARGET_NOT_SUPPORTED"):
        made.client.describe_effective_policy(PolicyType="BACKUP_POLICY", TargetId=made.root)


def test_who_shares_one_bill_only_has_no_policies_and_trusts_no_services(billing):
    client = billing.client
    member = billing.create()
    mode = "ORGANIZATION_NOT_IN_ALL_FEATURES_MODE"
    for call in [
        lambda: client.enable_aws_service_access(ServicePrincipal="ssm.amazonaws.com"),
        lambda: client.register_delegated_administrator(AccountId=member, ServicePrincipal="ssm.amazonaws.com"),
        lambda: client.put_resource_policy(Content=resource_policy(billing.management.root_arn, "organizations:ListRoots")),
        lambda: client.close_account(AccountId=member),
    ]:
        with refused("ConstraintViolationException", mode):
            call()
    with refused("PolicyTypeNotAvailableForOrganizationException"):
        client.enable_policy_type(RootId=billing.root, PolicyType="SERVICE_CONTROL_POLICY")
    with refused("PolicyTypeNotAvailableForOrganizationException"):
        client.create_policy(Type="SERVICE_CONTROL_POLICY", Name="no", Description="", Content=SCP)
    with refused("PolicyTypeNotEnabledException"):
        client.disable_policy_type(RootId=billing.root, PolicyType="SERVICE_CONTROL_POLICY")
