"""What an organization lays on accounts, and services: where the account of a source stands, and whom no SCP and RCP binds."""

import pytest

from harness.asking import check, decide, signed_request
from harness.expecting import refused
from harness.organization_policies import Organization
from harness.principals import allow, deny, trust
from harness.services import registered


@pytest.fixture(scope="module")
def organization(account):
    return Organization(account)


@pytest.fixture(scope="module")
def member(server, organization):
    return server.account("services-member")


@pytest.fixture(scope="module")
def config(server):
    """A service whose role reads much of IAM, and of buckets."""
    yield registered(server, "config.amazonaws.com")
    server.run("service", "remove", "config.amazonaws.com")


def test_a_source_is_told_by_its_organization(server, account, organization, other_account):
    thumbs = registered(server)
    role = account.role(trusted=trust({"Service": thumbs.name}, condition={"StringEquals": {"aws:SourceOrgID": organization.id}}))
    path = account.role(trusted=trust({"Service": thumbs.name}, condition={"ForAnyValue:StringLike": {"aws:SourceOrgPaths": f"{organization.id}/{organization.root}/*"}}))
    for each in (role, path):
        thumbs.assume(each, account=account.id)
        thumbs.assume(each, arn=f"arn:aws:sqs:us-east-1:{account.id}:q")
        for whose in (None, other_account.id):
            with refused("AccessDenied"):
                thumbs.assume(each, account=whose)


def test_no_scp_and_no_rcp_binds_a_service_linked_role(account, organization, member, config):
    member.iam.create_service_linked_role(AWSServiceName="config.amazonaws.com")
    linked = config.assume(LinkedRole(member), "linked")
    administrator, service_role = member.user(allow("*")), member.role(allow("*"), trusted=trust({"Service": config.name}))
    ordinary = config.assume(service_role)
    store = member.user(allow("bailiwick:Authorize"))
    bucket = check("s3:GetBucketAcl", "arn:aws:s3:::bucket", resourceAccount=member.id)
    asked = [signed_request(each) for each in (linked, ordinary, administrator)]
    for each in (linked, ordinary, administrator):
        each.iam.list_users()
    assert [decide(store, request, bucket)[0][0] for request in asked] == ["Allowed"] * 3
    organization.invite(member)
    organization.attach(organization.rcp(deny("s3:*")), member.id)
    assert [decide(store, request, bucket)[0][0] for request in asked] == ["Allowed", "ExplicitlyDenied", "ExplicitlyDenied"]
    organization.attach(organization.scp(deny(["iam:*", "s3:*"])), member.id)
    linked.iam.list_users()
    for each in (ordinary, administrator):
        with refused("AccessDenied"):
            each.iam.list_users()
    assert decide(store, asked[0], bucket)[0][0] == "Allowed"


def test_a_delegation_is_bound_by_what_binds_its_caller(server, organization):
    """Nothing that a service is exempt from, its caller is."""
    service, member = registered(server), server.account("services-bound")
    acting = service.act_for(signed_request(member.user(allow("*"))), check("thumbs:Make", "*", resourceAccount=member.id))
    acting.iam.list_users()
    organization.invite(member)
    organization.attach(organization.scp(deny("iam:*")), member.id)
    with refused("AccessDenied"):
        acting.iam.list_users()


class LinkedRole:
    """The role of Config in an account."""

    def __init__(self, account):
        self.name = "AWSServiceRoleForConfig"
        self.arn = account.arn(f"role/aws-service-role/config.amazonaws.com/{self.name}")
