"""Resource control policies bind whoever comes to the resources of member accounts, in the services that AWS lists."""

import pytest

from harness.asking import ask, check, decide, signed_request, unsigned_request
from harness.expecting import denial, refused
from harness.organization_policies import RCP, Organization
from harness.principals import allow, deny, fresh, trust

EXPLICIT, ALLOWED = "ExplicitlyDenied", "Allowed"
OPEN = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}


@pytest.fixture(scope="module")
def organization(account):
    return Organization(account)


@pytest.fixture
def unit(organization):
    return organization.unit()


@pytest.fixture
def member(organization, unit):
    return organization.invite(organization.server.account(fresh("member")), unit)


@pytest.fixture(scope="module")
def stranger(other_account):
    return other_account.user(allow("*"))


def outsiders(organization):
    return {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": organization.id}}


def test_roles_of_members_are_closed_to_outsiders_at_once_at_every_level(organization, unit, member, stranger, other_account):
    door = member.role(trusted=trust({"AWS": "*"}))
    inside = member.user(allow("sts:AssumeRole"))
    manager = organization.account.user(allow("sts:AssumeRole"))
    policy = organization.rcp(deny("sts:AssumeRole", condition=outsiders(organization)))
    for target in (organization.root, unit, member.id):
        stranger.assume(door)
        organization.attach(policy, target)
        with refused("AccessDenied", denial(stranger.arn, "sts:AssumeRole", door.arn, bare=True)):
            stranger.assume(door)
        inside.assume(door)
        manager.assume(door)
        organization.detach(policy, target)
    stranger.assume(door)


def test_an_account_that_moves_is_behind_its_new_parents_at_once(organization, unit, member, stranger):
    door = member.role(trusted=trust({"AWS": "*"}))
    organization.attach(organization.rcp(deny("sts:AssumeRole", condition=outsiders(organization))), unit)
    with refused("AccessDenied"):
        stranger.assume(door)
    organization.move(member, unit, organization.root)
    stranger.assume(door)


def test_another_content_acts_at_once(organization, unit, member, stranger):
    door = member.role(trusted=trust({"AWS": "*"}))
    policy = organization.attach(organization.rcp(deny("sts:AssumeRole")), unit)
    with refused("AccessDenied"):
        stranger.assume(door)
    changed = '{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}}'
    organization.client.update_policy(PolicyId=policy, Content=changed)
    stranger.assume(door)


def test_the_members_own_root_and_users_are_bound_and_are_told(organization, unit, member):
    door = member.role(trusted=member.id)
    user = member.user(allow("*"))
    user.assume(door)
    organization.attach(organization.rcp(deny("sts:AssumeRole")), unit)
    sentence = denial(user.arn, "sts:AssumeRole", door.arn, kind="resource control policy", explicit=True)
    with refused("AccessDenied", sentence):
        user.assume(door)
    store = member.user(allow("bailiwick:Authorize"))
    assert decide(store, signed_request(member.root))[0][0] == ALLOWED
    organization.attach(organization.rcp(deny("s3:*")), unit)
    assert decide(store, signed_request(member.root)) == [(EXPLICIT, "resourceControl")]


def test_the_management_accounts_resources_are_not_bound(organization, stranger):
    policy = organization.attach(organization.rcp(deny(["sts:*", "s3:*"])))
    door = organization.account.role(trusted=trust({"AWS": "*"}))
    stranger.assume(door)
    store = organization.account.user(allow("bailiwick:Authorize"))
    on_own = check(resourceAccount=organization.account.id, resourcePolicy=OPEN)
    assert decide(store, signed_request(stranger), on_own)[0][0] == ALLOWED
    organization.detach(policy)


def test_other_servers_are_told_whoever_comes(organization, unit, member, stranger):
    store = member.user(allow("bailiwick:Authorize"))
    on_member = check(resourceAccount=member.id, resourcePolicy=OPEN)
    requests = [signed_request(stranger), unsigned_request(), signed_request(member.user(allow("*")))]
    assert [decide(store, request, on_member)[0][0] for request in requests] == [ALLOWED] * 3
    organization.attach(organization.rcp(deny("s3:*")), unit)
    assert [decide(store, request, on_member)[0] for request in requests] == [(EXPLICIT, "resourceControl")] * 3


def test_only_services_that_aws_lists_are_bound(organization, unit, member):
    user = member.user(allow("*"))
    organization.attach(organization.rcp(deny(["iam:*", "ec2:*", "s3:*"])), unit)
    user.iam.list_users()
    store = member.user(allow("bailiwick:Authorize"))
    on_ec2 = check("ec2:RunInstances", "arn:aws:ec2:us-east-1:123456789012:instance/i-1", resourceAccount=member.id)
    assert [told[0] for told in decide(store, signed_request(user), on_ec2, check())] == [ALLOWED, EXPLICIT]


def test_resource_control_policies_grant_nothing(organization, unit, member):
    nobody, store = member.user(), member.user(allow("bailiwick:Authorize"))
    assert decide(store, signed_request(nobody)) == [("ImplicitlyDenied", "identity")]


def test_nothing_binds_while_the_type_is_disabled(server, stranger):
    organization = Organization(server.account(fresh("disabled")))
    member = organization.invite(server.account(fresh("member")))
    door = member.role(trusted=trust({"AWS": "*"}))
    organization.attach(organization.rcp(deny("sts:AssumeRole")))
    with refused("AccessDenied"):
        stranger.assume(door)
    organization.client.disable_policy_type(RootId=organization.root, PolicyType=RCP)
    stranger.assume(door)


def test_an_account_that_leaves_is_open_again(organization, unit, member, stranger):
    door = member.role(trusted=trust({"AWS": "*"}))
    organization.attach(organization.rcp(deny("sts:AssumeRole")), unit)
    with refused("AccessDenied"):
        stranger.assume(door)
    organization.client.remove_account_from_organization(AccountId=member.id)
    stranger.assume(door)


def test_an_explanation_names_the_policies_of_ones_own_organization_only(organization, unit, member, other_account, stranger):
    policy = organization.attach(organization.rcp(deny("s3:*")), unit)
    on_member = check(resourceAccount=member.id, resourcePolicy=OPEN)
    insider, askers = member.user(allow("*")), [member.user(allow("*")), other_account.user(allow("*"))]
    for asker, principal, is_told in ((askers[0], insider, True), (askers[1], stranger, False)):
        answer = ask(asker, signed_request(principal), on_member, explain=True)
        (decision,) = answer["decisions"]
        assert (decision["decision"], decision["because"]) == (EXPLICIT, "resourceControl")
        assert (policy in str(decision["explanation"])) == is_told
