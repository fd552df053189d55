"""Handshakes: invitations and the way to all features, each answer by whom it is for, and none twice."""

import datetime
import re

import pytest

from harness.expecting import outcome
from harness.members import everything, organization, refused
from harness.principals import allow, body


@pytest.fixture(scope="module")
def mine(server):
    return organization(server, "handshakes")


def invite(mine, account, **parameters):
    return body(mine.client.invite_account_to_organization(Target={"Id": account.id, "Type": "ACCOUNT"}, **parameters))["Handshake"]


def client(account):
    return account.root.client("organizations")


def test_an_invitation_tells_who_asks_whom(mine, server):
    invited = server.account("invited")
    handshake = invite(mine, invited, Notes="Come in")
    assert re.fullmatch(r"h-[0-9a-z]{8,32}", handshake["Id"])
    assert handshake["Arn"] == mine.arn(f"handshake/{mine.id}/invite/{handshake['Id']}")
    assert (handshake["Action"], handshake["State"]) == ("INVITE", "OPEN")
    assert handshake["ExpirationTimestamp"] - handshake["RequestedTimestamp"] == datetime.timedelta(days=15)
    assert handshake["Parties"] == [{"Id": mine.id.removeprefix("o-"), "Type": "ORGANIZATION"}, {"Id": invited.id, "Type": "ACCOUNT"}]
    assert handshake["Resources"] == [
        {
            "Type": "ORGANIZATION",
            "Value": mine.id,
            "Resources": [
                {"Type": "MASTER_EMAIL", "Value": mine.management.email},
                {"Type": "MASTER_NAME", "Value": mine.management.name},
                {"Type": "ORGANIZATION_FEATURE_SET", "Value": "ALL"},
            ],
        },
        {"Type": "ACCOUNT", "Value": invited.id},
        {"Type": "NOTES", "Value": "Come in"},
    ]
    for who in (mine.client, client(invited)):
        assert who.describe_handshake(HandshakeId=handshake["Id"])["Handshake"] == handshake
    assert client(invited).list_handshakes_for_account()["Handshakes"] == [handshake]
    assert handshake in everything(mine.client.list_handshakes_for_organization, "Handshakes")


def test_an_accounts_invitations_are_paged(server):
    invited = server.account("wanted")
    handshakes = [invite(organization(server, f"wanting-{number}"), invited)["Id"] for number in range(3)]
    first = client(invited).list_handshakes_for_account(MaxResults=2)
    assert len(first["Handshakes"]) == 2
    rest = client(invited).list_handshakes_for_account(MaxResults=2, NextToken=first["NextToken"])
    assert "NextToken" not in rest
    assert sorted(handshake["Id"] for handshake in first["Handshakes"] + rest["Handshakes"]) == sorted(handshakes)


def test_who_accepts_is_in(mine, server):
    invited = server.account("accepting")
    handshake = invite(mine, invited, Tags=[{"Key": "team", "Value": "red"}])
    with refused("AccessDeniedException"):
        mine.client.accept_handshake(HandshakeId=handshake["Id"])
    accepted = client(invited).accept_handshake(HandshakeId=handshake["Id"])["Handshake"]
    assert accepted["State"] == "ACCEPTED"
    account = mine.client.describe_account(AccountId=invited.id)["Account"]
    assert (account["JoinedMethod"], account["Email"]) == ("INVITED", invited.email)
    assert mine.client.list_tags_for_resource(ResourceId=invited.id)["Tags"] == [{"Key": "team", "Value": "red"}]
    assert client(invited).describe_organization()["Organization"]["Id"] == mine.id
    assert invited.iam.get_role(RoleName="AWSServiceRoleForOrganizations")
    with refused("HandshakeAlreadyInStateException"):
        client(invited).accept_handshake(HandshakeId=handshake["Id"])
    for who, call in ((client(invited), "decline_handshake"), (mine.client, "cancel_handshake")):
        with refused("InvalidHandshakeTransitionException"):
            getattr(who, call)(HandshakeId=handshake["Id"])
    with refused("HandshakeConstraintViolationException", "ALREADY_IN_AN_ORGANIZATION"):
        invite(mine, invited)


def test_who_declines_stays_out(mine, server):
    invited = server.account("declining")
    handshake = invite(mine, invited)
    assert client(invited).decline_handshake(HandshakeId=handshake["Id"])["Handshake"]["State"] == "DECLINED"
    with refused("HandshakeAlreadyInStateException"):
        client(invited).decline_handshake(HandshakeId=handshake["Id"])
    with refused("InvalidHandshakeTransitionException"):
        client(invited).accept_handshake(HandshakeId=handshake["Id"])
    with refused("AWSOrganizationsNotInUseException"):
        client(invited).describe_organization()
    assert invite(mine, invited)["Id"] != handshake["Id"]


def test_the_sender_takes_it_back(mine, server):
    invited = server.account("canceled")
    handshake = invite(mine, invited)
    with refused("AccessDeniedException"):
        client(invited).cancel_handshake(HandshakeId=handshake["Id"])
    assert mine.client.cancel_handshake(HandshakeId=handshake["Id"])["Handshake"]["State"] == "CANCELED"
    with refused("HandshakeAlreadyInStateException"):
        mine.client.cancel_handshake(HandshakeId=handshake["Id"])
    with refused("InvalidHandshakeTransitionException"):
        client(invited).accept_handshake(HandshakeId=handshake["Id"])


def test_an_invitation_goes_to_an_account_that_is_there(mine, server):
    invited = server.account("by-address")
    by_address = mine.client.invite_account_to_organization(Target={"Id": invited.email.upper(), "Type": "EMAIL"})["Handshake"]
    assert by_address["Parties"][1] == {"Id": invited.email.upper(), "Type": "EMAIL"}
    with refused("DuplicateHandshakeException"):
        invite(mine, invited)
    client(invited).accept_handshake(HandshakeId=by_address["Id"])
    for target, reason in [
        ({"Id": "nobody@example.com", "Type": "EMAIL"}, "INVALID_EMAIL_ADDRESS_TARGET"),
        ({"Id": mine.id, "Type": "ORGANIZATION"}, "INVALID_PARTY_TYPE_TARGET"),
        ({"Id": "000000000012", "Type": "ACCOUNT"}, "INVALID_PARTY_TYPE_TARGET"),
        ({"Id": "twelve", "Type": "ACCOUNT"}, "INVALID_PATTERN"),
    ]:
        with refused("InvalidInputException", reason):
            mine.client.invite_account_to_organization(Target=target)


def test_a_handshake_of_others_is_none(mine, server, account):
    invited = server.account("secretly")
    handshake = invite(mine, invited)
    for call in ("describe_handshake", "accept_handshake", "decline_handshake", "cancel_handshake"):
        with refused("HandshakeNotFoundException"):
            getattr(client(account), call)(HandshakeId=handshake["Id"])
        with refused("HandshakeNotFoundException"):
            getattr(client(account), call)(HandshakeId="h-00000000000000000000000000000000")
    assert client(account).list_handshakes_for_account()["Handshakes"] == []


def test_a_member_goes_straight_into_another_organization(mine, server):
    other = organization(server, "other-handshakes")
    member = mine.invite(server.account("moving-on"))
    handshake = invite(other, member)
    stuck = member.user(allow(["organizations:AcceptHandshake", "iam:CreateServiceLinkedRole"]))
    with refused("AccessDeniedException"):
        stuck.client("organizations").accept_handshake(HandshakeId=handshake["Id"])
    assert client(member).describe_organization()["Organization"]["Id"] == mine.id
    client(member).accept_handshake(HandshakeId=handshake["Id"])
    assert client(member).describe_organization()["Organization"]["Id"] == other.id
    with refused("AccountNotFoundException"):
        mine.client.describe_account(AccountId=member.id)


def test_a_management_account_comes_into_no_other(mine, server):
    other = organization(server, "managing-handshakes")
    handshake = invite(mine, other.management)
    with refused("HandshakeConstraintViolationException", "ALREADY_IN_AN_ORGANIZATION"):
        other.client.accept_handshake(HandshakeId=handshake["Id"])
    assert other.client.describe_handshake(HandshakeId=handshake["Id"])["Handshake"]["State"] == "OPEN", "nothing was kept of it"


def test_all_features_come_when_every_invited_member_approved(server):
    billing = organization(server, "all-features", FeatureSet="CONSOLIDATED_BILLING")
    made = billing.create()
    invited = [billing.invite(server.account(f"approving-{nth}")) for nth in range(2)]
    parent = body(billing.client.enable_all_features())["Handshake"]
    assert (parent["Action"], parent["State"]) == ("ENABLE_ALL_FEATURES", "REQUESTED")
    assert parent["Parties"] == [{"Id": billing.id.removeprefix("o-"), "Type": "ORGANIZATION"}]
    assert parent["ExpirationTimestamp"] - parent["RequestedTimestamp"] == datetime.timedelta(days=90)
    with refused("HandshakeConstraintViolationException", "ORGANIZATION_IS_ALREADY_PENDING_ALL_FEATURES_MIGRATION"):
        billing.client.enable_all_features()
    with refused("HandshakeConstraintViolationException", "INVITE_DISABLED_DURING_ENABLE_ALL_FEATURES"):
        invite(billing, server.account("too-late"))
    children = billing.client.list_handshakes_for_organization(Filter={"ParentHandshakeId": parent["Id"]})["Handshakes"]
    assert {child["Parties"][1]["Id"] for child in children} == {account.id for account in invited}, "accounts that it made need not approve"
    assert all({"Type": "PARENT_HANDSHAKE", "Value": parent["Id"]} in child["Resources"] for child in children)
    for account in invited:
        with refused("InvalidHandshakeTransitionException"):
            billing.client.accept_handshake(HandshakeId=parent["Id"])
        [child] = client(account).list_handshakes_for_account(Filter={"ActionType": "APPROVE_ALL_FEATURES"})["Handshakes"]
        assert client(account).accept_handshake(HandshakeId=child["Id"])["Handshake"]["State"] == "ACCEPTED"
    assert billing.client.describe_handshake(HandshakeId=parent["Id"])["Handshake"]["State"] == "OPEN"
    assert billing.client.describe_organization()["Organization"]["FeatureSet"] == "CONSOLIDATED_BILLING"
    assert billing.client.accept_handshake(HandshakeId=parent["Id"])["Handshake"]["State"] == "ACCEPTED"
    assert billing.client.describe_organization()["Organization"]["FeatureSet"] == "ALL"
    with refused("HandshakeConstraintViolationException", "ORGANIZATION_ALREADY_HAS_ALL_FEATURES"):
        billing.client.enable_all_features()
    billing.client.close_account(AccountId=made)


def test_without_invited_members_only_the_management_account_completes_it(server):
    billing = organization(server, "alone", FeatureSet="CONSOLIDATED_BILLING")
    parent = billing.client.enable_all_features()["Handshake"]
    assert parent["State"] == "OPEN"
    billing.client.accept_handshake(HandshakeId=parent["Id"])
    assert billing.client.describe_organization()["Organization"]["FeatureSet"] == "ALL"


def test_one_who_declines_holds_it_up_and_it_can_be_given_up(server):
    billing = organization(server, "held-up", FeatureSet="CONSOLIDATED_BILLING")
    one, other = (billing.invite(server.account(f"held-up-{nth}")) for nth in range(2))
    parent = billing.client.enable_all_features()["Handshake"]
    answers = {account.id: client(account).list_handshakes_for_account(Filter={"ActionType": "APPROVE_ALL_FEATURES"})["Handshakes"][0]["Id"] for account in (one, other)}
    client(one).decline_handshake(HandshakeId=answers[one.id])
    assert billing.client.describe_handshake(HandshakeId=parent["Id"])["Handshake"]["State"] == "REQUESTED"
    assert billing.client.cancel_handshake(HandshakeId=parent["Id"])["Handshake"]["State"] == "CANCELED"
    with refused("InvalidHandshakeTransitionException"):
        client(other).accept_handshake(HandshakeId=answers[other.id])
    assert billing.client.enable_all_features()["Handshake"]["Id"] != parent["Id"]


def test_a_list_is_narrowed_one_way(mine, server):
    for call in (mine.client.list_handshakes_for_account, mine.client.list_handshakes_for_organization):
        with refused("InvalidInputException", "MAX_LIMIT_EXCEEDED_FILTER"):
            call(Filter={"ActionType": "INVITE", "ParentHandshakeId": "h-00000000"})
    invited = [server.account(f"listed-{nth}") for nth in range(3)]
    sent = {invite(mine, account)["Id"] for account in invited}
    listed = everything(mine.client.list_handshakes_for_organization, "Handshakes", Filter={"ActionType": "INVITE"}, MaxResults=2)
    assert sent <= {handshake["Id"] for handshake in listed}
    assert mine.client.list_handshakes_for_organization(Filter={"ActionType": "ENABLE_ALL_FEATURES"})["Handshakes"] == []


def test_who_may_not_is_denied(mine, server):
    invited = server.account("denied-handshakes")
    handshake = invite(mine, invited)["Id"]
    user, theirs = mine.management.user().client("organizations"), invited.user().client("organizations")
    for who, call, parameters in [
        (user, "invite_account_to_organization", {"Target": {"Id": invited.id, "Type": "ACCOUNT"}}),
        (user, "enable_all_features", {}),
        (user, "list_handshakes_for_organization", {}),
        (user, "cancel_handshake", {"HandshakeId": handshake}),
        (theirs, "list_handshakes_for_account", {}),
        (theirs, "describe_handshake", {"HandshakeId": handshake}),
        (theirs, "accept_handshake", {"HandshakeId": handshake}),
        (theirs, "decline_handshake", {"HandshakeId": handshake}),
    ]:
        assert outcome(getattr(who, call), **parameters) == "AccessDeniedException", call
    one = invited.user(allow(["organizations:*", "iam:CreateServiceLinkedRole"], mine.arn(f"handshake/{mine.id}/invite/{handshake}")))
    with refused("AccessDeniedForDependencyException", "ACCESS_DENIED_DURING_CREATE_SERVICE_LINKED_ROLE"):
        one.client("organizations").accept_handshake(HandshakeId=handshake)
    assert client(invited).describe_handshake(HandshakeId=handshake)["Handshake"]["State"] == "OPEN"
