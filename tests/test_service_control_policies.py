"""Service control policies bind the principals of member accounts: at every level, root included, from the very next request on."""

import json

import pytest

from harness.asking import ask, check, decide, signed_request
from harness.expecting import denial, refused
from harness.organization_policies import FULL, SCP, Organization
from harness.principals import allow, deny, document, fresh, trust

KIND = "service control policy"
EXPLICIT, IMPLICIT, ALLOWED = "ExplicitlyDenied", "ImplicitlyDenied", "Allowed"


@pytest.fixture(scope="module")
def organization(account):
    return Organization(account)


class Member:
    """An account in a unit of its own, with principals of every kind whose own policies allow everything."""

    def __init__(self, organization):
        self.organization = organization
        self.unit = organization.unit()
        self.account = organization.invite(organization.server.account(fresh("member")), self.unit)
        self.root = self.account.root
        self.user = self.account.user(allow("*"))
        self.role = self.account.role(allow("*"))
        self.session = self.user.assume(self.role)


@pytest.fixture
def member(organization):
    return Member(organization)


def list_users(principal):
    principal.iam.list_users()


def denied(principal, call=list_users, action="iam:ListUsers", resource=None, account=None):
    resource = resource or f"arn:aws:iam::{(account or principal).account_id}:user/"
    with refused("AccessDenied", denial(principal.arn, action, resource, kind=KIND, explicit=True)) as told:
        call(principal)
    return told


def test_a_policy_at_any_level_acts_on_the_next_request_of_every_principal(organization, member):
    policy = organization.scp(deny("iam:ListUsers"))
    for target in (organization.root, member.unit, member.account.id):
        for principal in (member.user, member.session, member.root):
            list_users(principal)
        organization.attach(policy, target)
        for principal in (member.user, member.session, member.root):
            denied(principal)
            principal.iam.list_roles()
        organization.account.root.iam.list_users()  # the management account is not bound
        organization.detach(policy, target)
        for principal in (member.user, member.session, member.root):
            list_users(principal)


def test_what_a_level_does_not_allow_is_denied(organization, member):
    only_s3 = organization.attach(organization.scp(allow("s3:*")), member.unit)
    list_users(member.user)
    organization.detach(FULL, member.unit)
    denied(member.user)
    denied(member.root)
    organization.attach(FULL, member.unit)
    organization.detach(only_s3, member.unit)
    list_users(member.user)


def test_another_content_acts_on_the_next_request(organization, member):
    policy = organization.attach(organization.scp(deny("iam:ListUsers")), member.unit)
    denied(member.session)
    organization.client.update_policy(PolicyId=policy, Content=document(deny("iam:ListGroups")))
    list_users(member.session)
    denied(member.session, lambda session: session.iam.list_groups(), "iam:ListGroups", f"arn:aws:iam::{member.account.id}:group/")
    organization.client.update_policy(PolicyId=policy, Name=fresh("renamed"))
    list_users(member.session)


def test_an_account_that_moves_obeys_its_new_parents_on_the_next_request(organization, member):
    organization.attach(organization.scp(deny("iam:ListUsers")), member.unit)
    elsewhere = organization.unit(organization.unit())
    organization.attach(organization.scp(deny("iam:ListGroups")), elsewhere)
    denied(member.session)
    member.session.iam.list_groups()
    organization.move(member.account, member.unit, elsewhere)
    list_users(member.session)
    denied(member.session, lambda session: session.iam.list_groups(), "iam:ListGroups", f"arn:aws:iam::{member.account.id}:group/")
    organization.move(member.account, elsewhere, organization.root)
    member.session.iam.list_groups()


def test_an_account_that_leaves_is_free(organization, member):
    organization.attach(organization.scp(deny("iam:ListUsers")), member.unit)
    denied(member.user)
    organization.client.remove_account_from_organization(AccountId=member.account.id)
    list_users(member.user)


def test_service_control_policies_grant_nothing(organization, member):
    organization.attach(organization.scp(allow("*")), member.account.id)
    nobody = member.account.user()
    with refused("AccessDenied", denial(nobody.arn, "iam:ListUsers", f"arn:aws:iam::{member.account.id}:user/")):
        list_users(nobody)


def test_nothing_binds_while_the_type_is_disabled(server):
    organization = Organization(server.account(fresh("disabled")))
    member = Member(organization)
    organization.attach(organization.scp(deny("iam:ListUsers")), member.unit)
    denied(member.user)
    organization.client.disable_policy_type(RootId=organization.root, PolicyType=SCP)
    list_users(member.user)
    organization.client.enable_policy_type(RootId=organization.root, PolicyType=SCP)
    list_users(member.user)


def test_who_may_not_assume_roles_assumes_none_in_other_accounts_either(organization, member, other_account):
    door = other_account.role(allow("iam:ListUsers"), trusted=member.account.id)
    list_users(member.user.assume(door))
    organization.attach(organization.scp(deny("sts:AssumeRole", door.arn)), member.unit)
    with refused("AccessDenied", denial(member.user.arn, "sts:AssumeRole", door.arn, bare=True)):
        member.user.assume(door)


def test_a_role_of_a_member_is_bound_whoever_assumed_it(organization, member, other_account):
    door = member.account.role(allow("*"), trusted=other_account.id)
    session = other_account.user(allow("sts:AssumeRole")).assume(door)
    list_users(session)
    organization.attach(organization.scp(deny("iam:ListUsers")), member.unit)
    denied(session)


def test_a_session_of_a_user_and_a_federated_user_are_bound(organization, member):
    token, federated = member.user.session_token(), member.user.federate("bob", Policy=document(allow("*")))
    store = member.account.user(allow("bailiwick:Authorize"))
    requests = [signed_request(principal) for principal in (token, federated)]
    assert [decide(store, request)[0][0] for request in requests] == [ALLOWED] * 2
    organization.attach(organization.scp(deny("s3:*")), member.account.id)
    assert [decide(store, request)[0] for request in requests] == [(EXPLICIT, "serviceControl")] * 2


def test_conditions_tell_who_is_bound(organization, member):
    but_for = {"ArnNotLike": {"aws:PrincipalArn": f"arn:aws:iam::*:role/{member.role.name}"}}
    organization.attach(organization.scp(deny("iam:ListUsers", condition=but_for)), member.unit)
    denied(member.user)
    denied(member.root)
    list_users(member.session)


def test_other_servers_are_told_and_the_explanation_names_the_policy(organization, member):
    store = member.account.user(allow(["bailiwick:Authorize", "bailiwick:Explain"]))
    request = signed_request(member.user)
    assert decide(store, request) == [(ALLOWED, "identity")]
    policy = organization.attach(organization.scp(deny("s3:GetObject", Sid="NoReading")), member.unit)
    assert decide(store, request, check(), check("s3:PutObject")) == [(EXPLICIT, "serviceControl"), (ALLOWED, "identity")]
    explained = ask(store, request, explain=True)["decisions"][0]["explanation"]
    arn = f"arn:aws:organizations::{organization.account.id}:policy/{organization.id}/service_control_policy/{policy}"
    matched = [each for each in explained["statements"] if each["effect"] == "Deny"]
    assert [(each["kind"], each["level"], each["source"], each["sid"]) for each in matched] == [("serviceControl", 1, arn, "NoReading")]
    said = {(each["kind"], each.get("level")): each["result"] for each in explained["kinds"]}
    assert said[("serviceControl", 0)] == ALLOWED and said[("serviceControl", 1)] == EXPLICIT and said[("serviceControl", 2)] == ALLOWED


def test_where_a_principal_stands_is_a_condition_key(organization, member, other_account):
    inside = {"StringEquals": {"aws:PrincipalOrgID": organization.id}}
    path = f"{organization.id}/{organization.root}/{member.unit}/"
    below = {"ForAnyValue:StringEquals": {"aws:PrincipalOrgPaths": path}}
    for condition in (inside, below):
        door = other_account.role(trusted=trust({"AWS": "*"}, condition=condition))
        member.user.assume(door)
        stranger = other_account.user(allow("sts:AssumeRole"))
        with refused("AccessDenied"):
            stranger.assume(door)
    organization.move(member.account, member.unit, organization.root)
    with refused("AccessDenied"):
        member.user.assume(door)
    own = organization.account.role(trusted=trust({"AWS": "*"}, condition=inside))
    organization.account.user(allow("sts:AssumeRole")).assume(own)  # the management account is in it too


def test_where_a_resource_stands_is_a_condition_key(organization, member, other_account):
    perimeter = {"StringNotEqualsIfExists": {"aws:ResourceOrgID": organization.id}}
    organization.attach(organization.scp(deny("s3:*", condition=perimeter)), member.unit)
    store = member.account.user(allow("bailiwick:Authorize"))
    request = signed_request(member.user)
    open_to_all = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"}]}

    def on(account):
        return decide(store, request, check(resourceAccount=account.id, resourcePolicy=open_to_all))[0]

    assert on(member.account)[0] == ALLOWED
    assert on(organization.account)[0] == ALLOWED
    assert on(other_account) == (EXPLICIT, "serviceControl")


@pytest.mark.parametrize("key", ["aws:PrincipalOrgID", "aws:principalorgpaths", "aws:ResourceOrgID", "aws:ResourceOrgPaths"])
def test_no_asker_says_where_somebody_stands(account, key):
    from harness.asking import post

    store = account.user(allow("bailiwick:Authorize"))
    reply = post(store, {"request": signed_request(store), "checks": [check(context={key: "o-mineallmine"})]})
    assert reply.status == 400 and "is Bailiwick's to say" in reply.json["message"]


def test_a_recorded_denial_is_explained_by_the_policies_of_then(organization, member):
    policy = organization.attach(organization.scp(deny("iam:ListUsers", Sid="Then")), member.unit)
    told = denied(member.user)
    organization.detach(policy, member.unit)
    organization.client.delete_policy(PolicyId=policy)
    list_users(member.user)
    explained = json.loads(member.account.server.run("explain", told.request_id).stdout)
    (of_then,) = explained["events"][0]["checks"]
    matched = [each for each in of_then["explanation"]["statements"] if each["effect"] == "Deny"]
    assert [(each["kind"], each["level"], each["sid"]) for each in matched] == [("serviceControl", 1, "Then")]
    assert matched[0]["source"].endswith(policy)


def test_a_boundary_a_session_and_service_control_policies_all_have_to_allow(organization, member):
    boundary = member.account.policy(allow(["iam:List*", "sts:*"]))
    role = member.account.role(allow("*"), PermissionsBoundary=boundary)
    session = member.user.assume(role, Policy=document(allow(["iam:ListUsers", "iam:ListRoles"])))
    organization.attach(organization.scp(deny("iam:ListRoles")), member.unit)
    list_users(session)
    with refused("AccessDenied", denial(session.arn, "iam:ListGroups", f"arn:aws:iam::{member.account.id}:group/", kind="session policy")):
        session.iam.list_groups()
    denied(session, lambda session: session.iam.list_roles(), "iam:ListRoles", f"arn:aws:iam::{member.account.id}:role/")
