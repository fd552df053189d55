"""Accounts of an organization: made, seen, moved, removed, closed; and what a closed one may do: nothing, at once."""

import datetime
import re

import pytest

from harness.expecting import INVALID_TOKEN, outcome
from harness.expecting import refused as refused_by_iam
from harness.members import ROLE, everything, organization, refused
from harness.principals import allow, body


@pytest.fixture(scope="module")
def mine(server):
    return organization(server, "accounts")


def status_of(mine, request):
    return mine.client.describe_create_account_status(CreateAccountRequestId=request)["CreateAccountStatus"]


def test_an_account_is_made_by_a_task(mine):
    before = datetime.datetime.now(datetime.timezone.utc)
    told = body(mine.client.create_account(Email="made@example.com", AccountName="Made One", IamUserAccessToBilling="DENY"))["CreateAccountStatus"]
    assert set(told) == {"Id", "AccountName", "State", "RequestedTimestamp"}
    assert re.fullmatch(r"car-[a-z0-9]{8,32}", told["Id"]) and (told["AccountName"], told["State"]) == ("Made One", "IN_PROGRESS")
    done = status_of(mine, told["Id"])
    assert set(done) == {"Id", "AccountName", "State", "RequestedTimestamp", "CompletedTimestamp", "AccountId"}
    assert done["State"] == "SUCCEEDED" and re.fullmatch(r"\d{12}", done["AccountId"])
    assert abs((done["CompletedTimestamp"] - before).total_seconds()) < 60
    account = body(mine.client.describe_account(AccountId=done["AccountId"]))["Account"]
    joined = account.pop("JoinedTimestamp")
    assert abs((joined - before).total_seconds()) < 60
    assert account == {
        "Id": done["AccountId"],
        "Arn": mine.arn(f"account/{mine.id}/{done['AccountId']}"),
        "Email": "made@example.com",
        "Name": "Made One",
        "Status": "ACTIVE",
        "State": "ACTIVE",
        "Paths": [f"{mine.id}/{mine.root}/{done['AccountId']}/"],
        "JoinedMethod": "CREATED",
    }


def test_the_management_account_comes_in_by_the_role(mine):
    member = mine.create()
    inside = mine.inside(member)
    assert inside.identity()["Account"] == member
    roles = {role["RoleName"]: role for role in inside.iam.list_roles()["Roles"]}
    assert set(roles) == {ROLE, "AWSServiceRoleForOrganizations"}
    statement = roles[ROLE]["AssumeRolePolicyDocument"]["Statement"]
    assert statement == [{"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{mine.management.id}:root"}, "Action": "sts:AssumeRole"}]
    attached = inside.iam.list_attached_role_policies(RoleName=ROLE)["AttachedPolicies"]
    assert attached == [{"PolicyName": "AdministratorAccess", "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}]
    inside.iam.create_user(UserName="first")
    assert inside.iam.get_role(RoleName="AWSServiceRoleForOrganizations")["Role"]["Path"] == "/aws-service-role/organizations.amazonaws.com/"


def test_nobody_else_comes_in_by_the_role(mine, account):
    member = mine.create()
    stranger = account.user(allow("sts:AssumeRole"))
    with refused_by_iam("AccessDenied"):
        stranger.assume(f"arn:aws:iam::{member}:role/{ROLE}")
    with refused_by_iam("AccessDenied"):
        mine.management.user().assume(f"arn:aws:iam::{member}:role/{ROLE}")


def test_the_role_is_called_as_asked(mine):
    member = mine.create(RoleName="ComeIn")
    assert mine.inside(member, "ComeIn").identity()["Account"] == member
    with refused("InvalidInputException", "INVALID_ROLE_NAME"):
        mine.client.create_account(Email="bad-role@example.com", AccountName="x", RoleName="AWSServiceRoleForMe")


@pytest.mark.parametrize("address", ["once@example.com", "ONCE@Example.com"])
def test_an_address_belongs_to_one_account(mine, address):
    if not any(account["Email"] == "once@example.com" for account in everything(mine.client.list_accounts, "Accounts")):
        mine.create(email="once@example.com")
    told = mine.client.create_account(Email=address, AccountName="Second")["CreateAccountStatus"]
    assert told["State"] == "IN_PROGRESS"
    done = status_of(mine, told["Id"])
    assert (done["State"], done["FailureReason"]) == ("FAILED", "EMAIL_ALREADY_EXISTS") and "AccountId" not in done


def test_requests_are_listed_by_state(server):
    fresh = organization(server, "requests")
    made = {fresh.create() for _ in range(3)}
    fresh.client.create_account(Email=fresh.management.email, AccountName="taken")
    statuses = everything(fresh.client.list_create_account_status, "CreateAccountStatuses", MaxResults=2)
    assert len(statuses) == 4
    succeeded = everything(fresh.client.list_create_account_status, "CreateAccountStatuses", States=["SUCCEEDED"], MaxResults=1)
    assert {status["AccountId"] for status in succeeded} == made
    failed = fresh.client.list_create_account_status(States=["FAILED"])["CreateAccountStatuses"]
    assert [status["FailureReason"] for status in failed] == ["EMAIL_ALREADY_EXISTS"]
    assert fresh.client.list_create_account_status(States=["IN_PROGRESS"])["CreateAccountStatuses"] == []
    with refused("CreateAccountStatusNotFoundException"):
        fresh.client.describe_create_account_status(CreateAccountRequestId="car-00000000000000000000000000000000")


def test_another_organizations_requests_are_none(mine, server):
    other = organization(server, "other-requests")
    told = other.client.create_account(Email="other-request@example.com", AccountName="x")["CreateAccountStatus"]
    with refused("CreateAccountStatusNotFoundException"):
        status_of(mine, told["Id"])


def test_there_is_no_gov_cloud(mine):
    with refused("ConstraintViolationException", "MASTER_ACCOUNT_NOT_GOVCLOUD_ENABLED"):
        mine.client.create_gov_cloud_account(Email="gov@example.com", AccountName="gov")


def test_the_management_account_is_a_member_too(mine):
    account = mine.client.describe_account(AccountId=mine.management.id)["Account"]
    assert (account["JoinedMethod"], account["Email"], account["Name"]) == ("INVITED", mine.management.email, mine.management.name)
    assert mine.management.id in {account["Id"] for account in everything(mine.client.list_accounts, "Accounts")}


def test_an_account_moves(mine):
    member, first, second = mine.create(), mine.unit(), mine.unit()

    def move(source, destination, account=member):
        mine.client.move_account(AccountId=account, SourceParentId=source, DestinationParentId=destination)

    move(mine.root, first)
    assert mine.client.list_parents(ChildId=member)["Parents"] == [{"Id": first, "Type": "ORGANIZATIONAL_UNIT"}]
    assert [account["Id"] for account in mine.client.list_accounts_for_parent(ParentId=first)["Accounts"]] == [member]
    assert mine.client.describe_account(AccountId=member)["Account"]["Paths"] == [f"{mine.id}/{mine.root}/{first}/{member}/"]
    gone = f"ou-{mine.root[2:]}-00000000"
    with refused("SourceParentNotFoundException"):
        move(mine.root, second)
    with refused("DestinationParentNotFoundException"):
        move(first, gone)
    with refused("DuplicateAccountException"):
        move(first, first)
    with refused("AccountNotFoundException"):
        move(first, second, "000000000012")
    move(first, second)
    assert mine.client.list_children(ParentId=first, ChildType="ACCOUNT")["Children"] == []
    assert mine.client.list_children(ParentId=second, ChildType="ACCOUNT")["Children"] == [{"Id": member, "Type": "ACCOUNT"}]


def test_moving_is_judged_on_both_places(mine):
    member, source, destination = mine.create(), mine.root, mine.unit()
    arn = {"account": mine.arn(f"account/{mine.id}/{member}"), "source": mine.arn(f"root/{mine.id}/{source}"), "destination": mine.arn(f"ou/{mine.id}/{destination}")}
    call = {"AccountId": member, "SourceParentId": source, "DestinationParentId": destination}
    for missing in arn:
        user = mine.management.user(allow("organizations:MoveAccount", [each for name, each in arn.items() if name != missing]))
        with refused("AccessDeniedException") as told:
            user.client("organizations").move_account(**call)
        assert arn[missing] in told["Error"]["Message"]
    mine.management.user(allow("organizations:MoveAccount", list(arn.values()))).client("organizations").move_account(**call)


def test_an_account_is_removed_and_stands_alone(mine):
    member = mine.create(Tags=[{"Key": "team", "Value": "red"}])
    inside = mine.inside(member)
    assert mine.client.list_tags_for_resource(ResourceId=member)["Tags"] == [{"Key": "team", "Value": "red"}]
    mine.client.remove_account_from_organization(AccountId=member)
    with refused("AccountNotFoundException"):
        mine.client.describe_account(AccountId=member)
    with refused("TargetNotFoundException"):
        mine.client.list_tags_for_resource(ResourceId=member)
    with refused("AWSOrganizationsNotInUseException"):
        inside.client("organizations").describe_organization()
    assert inside.iam.list_users()["Users"] == []


def test_a_member_leaves_by_itself(mine):
    member = mine.create()
    inside = mine.inside(member).client("organizations")
    inside.leave_organization()
    with refused("AWSOrganizationsNotInUseException"):
        inside.leave_organization()
    assert member not in {account["Id"] for account in everything(mine.client.list_accounts, "Accounts")}


def test_the_management_account_stays(mine):
    with refused("MasterCannotLeaveOrganizationException"):
        mine.client.leave_organization()
    with refused("MasterCannotLeaveOrganizationException"):
        mine.client.remove_account_from_organization(AccountId=mine.management.id)
    with refused("ConstraintViolationException", "CANNOT_CLOSE_MANAGEMENT_ACCOUNT"):
        mine.client.close_account(AccountId=mine.management.id)


def test_a_closed_account_is_refused_at_once(mine):
    member = mine.create()
    inside = mine.inside(member)
    inside.iam.create_user(UserName="worker")
    inside.iam.attach_user_policy(UserName="worker", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    key = inside.iam.create_access_key(UserName="worker")["AccessKey"]
    worker = type(inside)(mine.server, key["AccessKeyId"], key["SecretAccessKey"])
    session = worker.session_token()
    assert worker.identity()["Account"] == member and session.identity()["Account"] == member
    mine.client.close_account(AccountId=member)
    for who in (worker, session, inside):
        with refused_by_iam("InvalidClientTokenId", INVALID_TOKEN):
            who.sts.get_caller_identity()
    with refused("UnrecognizedClientException") as told:
        worker.client("organizations").describe_organization()
    assert told["Error"]["Message"] == INVALID_TOKEN
    with refused_by_iam("AccessDenied"):
        mine.inside(member)
    account = mine.client.describe_account(AccountId=member)["Account"]
    assert (account["Status"], account["State"]) == ("SUSPENDED", "SUSPENDED")


def test_an_account_is_closed_once(mine):
    member = mine.create()
    mine.client.close_account(AccountId=member)
    with refused("AccountAlreadyClosedException"):
        mine.client.close_account(AccountId=member)
    with refused("ConstraintViolationException", "ACCOUNT_CANNOT_LEAVE_ORGANIZATION"):
        mine.client.remove_account_from_organization(AccountId=member)
    with refused("AccountNotFoundException"):
        mine.client.close_account(AccountId="000000000012")


def test_closing_needs_all_features(server):
    billing = organization(server, "closing-billing", FeatureSet="CONSOLIDATED_BILLING")
    member = billing.create()
    with refused("ConstraintViolationException", "ORGANIZATION_NOT_IN_ALL_FEATURES_MODE"):
        billing.client.close_account(AccountId=member)


def test_who_may_not_is_denied(mine):
    member = mine.create()
    user = mine.management.user(allow("organizations:DescribeOrganization"))
    client = user.client("organizations")
    for call, parameters in [
        ("create_account", {"Email": "denied@example.com", "AccountName": "x"}),
        ("create_gov_cloud_account", {"Email": "denied@example.com", "AccountName": "x"}),
        ("describe_create_account_status", {"CreateAccountRequestId": "car-00000000000000000000000000000000"}),
        ("list_create_account_status", {}),
        ("describe_account", {"AccountId": member}),
        ("list_accounts", {}),
        ("list_accounts_for_parent", {"ParentId": mine.root}),
        ("move_account", {"AccountId": member, "SourceParentId": mine.root, "DestinationParentId": mine.root}),
        ("remove_account_from_organization", {"AccountId": member}),
        ("close_account", {"AccountId": member}),
        ("leave_organization", {}),
    ]:
        assert outcome(getattr(client, call), **parameters) == "AccessDeniedException", call
    tagging = mine.management.user(allow("organizations:CreateAccount")).client("organizations")
    with refused("AccessDeniedException") as told:
        tagging.create_account(Email="denied@example.com", AccountName="x", Tags=[{"Key": "a", "Value": "b"}])
    assert "organizations:TagResource" in told["Error"]["Message"]


def test_the_operator_limits_how_many(own_server):
    own_server.environment["BAILIWICK_QUOTA_ACCOUNTS"] = "2"
    own_server.start()
    small = organization(own_server, "small")
    small.create()
    with refused("ConstraintViolationException", "ACCOUNT_NUMBER_LIMIT_EXCEEDED"):
        small.client.create_account(Email="third@example.com", AccountName="third")
    third = own_server.account("third")
    with refused("HandshakeConstraintViolationException", "ACCOUNT_NUMBER_LIMIT_EXCEEDED"):
        small.client.invite_account_to_organization(Target={"Id": third.id, "Type": "ACCOUNT"})
