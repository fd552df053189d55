"""Responsibility transfers: one organization takes on the billing of another."""

import datetime

import pytest

from harness.expecting import outcome
from harness.members import organization, refused
from harness.principals import body


@pytest.fixture(scope="module")
def taking(server):
    return organization(server, "taking")


def first_of_next_month(months=1):
    day = datetime.datetime.now(datetime.timezone.utc).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    for _ in range(months):
        day = (day + datetime.timedelta(days=32)).replace(day=1)
    return day


def invite(taking, giving, start=None, **parameters):
    target = {"Id": giving.management.id, "Type": "ACCOUNT"}
    return body(taking.client.invite_organization_to_transfer_responsibility(
        Type="BILLING", Target=target, StartTimestamp=start or first_of_next_month(), SourceName="their bill", **parameters))["Handshake"]


def transfer_of(handshake):
    return next(each["Value"] for each in handshake["Resources"] if each["Type"] == "RESPONSIBILITY_TRANSFER")


def test_a_transfer_is_asked_for_and_accepted(taking, server):
    giving = organization(server, "giving")
    handshake = invite(taking, giving, Notes="please", Tags=[{"Key": "a", "Value": "b"}])
    assert (handshake["Action"], handshake["State"]) == ("TRANSFER_RESPONSIBILITY", "OPEN")
    transfer = transfer_of(handshake)
    assert taking.client.list_tags_for_resource(ResourceId=transfer)["Tags"] == [{"Key": "a", "Value": "b"}]
    inbound = taking.client.describe_responsibility_transfer(Id=transfer)["ResponsibilityTransfer"]
    assert inbound == {
        "Arn": taking.arn(f"transfer/{taking.id}/billing/inbound/{transfer}"),
        "Name": "their bill",
        "Id": transfer,
        "Type": "BILLING",
        "Status": "REQUESTED",
        "Source": {"ManagementAccountId": giving.management.id, "ManagementAccountEmail": giving.management.email},
        "Target": {"ManagementAccountId": taking.management.id, "ManagementAccountEmail": taking.management.email},
        "StartTimestamp": first_of_next_month(),
        "ActiveHandshakeId": handshake["Id"],
    }
    with refused("DuplicateHandshakeException"):
        invite(taking, giving)
    with refused("ConstraintViolationException", "ACTIVE_RESPONSIBILITY_TRANSFER_PROCESS"):
        giving.client.delete_organization()
    giving.client.accept_handshake(HandshakeId=handshake["Id"])
    [outbound] = giving.client.list_outbound_responsibility_transfers(Type="BILLING")["ResponsibilityTransfers"]
    assert (outbound["Status"], outbound["Arn"]) == ("ACCEPTED", giving.arn(f"transfer/{giving.id}/billing/outbound/{transfer}"))
    [listed] = taking.client.list_inbound_responsibility_transfers(Type="BILLING", Id=transfer)["ResponsibilityTransfers"]
    assert listed["Status"] == "ACCEPTED" and "ActiveHandshakeId" not in listed
    with refused("HandshakeConstraintViolationException", "RESPONSIBILITY_TRANSFER_ALREADY_EXISTS"):
        invite(taking, giving)
    renamed = taking.client.update_responsibility_transfer(Id=transfer, Name="renamed")["ResponsibilityTransfer"]
    assert renamed["Name"] == "renamed"
    ended = giving.client.terminate_responsibility_transfer(Id=transfer)["ResponsibilityTransfer"]
    assert ended["Status"] == "WITHDRAWN" and ended["EndTimestamp"] == first_of_next_month() - datetime.timedelta(seconds=1)
    with refused("ResponsibilityTransferAlreadyInStatusException"):
        taking.client.terminate_responsibility_transfer(Id=transfer)
    with refused("ConstraintViolationException", "TRANSFER_RESPONSIBILITY_UPDATE_NOT_ALLOWED"):
        taking.client.update_responsibility_transfer(Id=transfer, Name="late")
    giving.client.delete_organization()


def test_a_transfer_is_declined_or_canceled(taking, server):
    giving = organization(server, "declining-transfer")
    declined = invite(taking, giving)
    giving.client.decline_handshake(HandshakeId=declined["Id"])
    assert taking.client.describe_responsibility_transfer(Id=transfer_of(declined))["ResponsibilityTransfer"]["Status"] == "DECLINED"
    with refused("InvalidResponsibilityTransferTransitionException"):
        taking.client.terminate_responsibility_transfer(Id=transfer_of(declined))
    canceled = invite(taking, giving)
    taking.client.cancel_handshake(HandshakeId=canceled["Id"])
    assert giving.client.describe_responsibility_transfer(Id=transfer_of(canceled))["ResponsibilityTransfer"]["Status"] == "CANCELED"


def test_transfers_are_paged_with_where_they_stand(server):
    taking, giving, asked = (organization(server, name) for name in ("taking-two", "giving-twice", "asked"))
    ended = invite(taking, giving)
    giving.client.accept_handshake(HandshakeId=ended["Id"])
    giving.client.terminate_responsibility_transfer(Id=transfer_of(ended))
    end = first_of_next_month() - datetime.timedelta(seconds=1)
    for who in (taking, giving):
        assert who.client.describe_responsibility_transfer(Id=transfer_of(ended))["ResponsibilityTransfer"]["EndTimestamp"] == end
    again, other = invite(taking, giving), invite(taking, asked)
    expected = {transfer_of(handshake): (handshake["Id"], None) for handshake in (again, other)} | {transfer_of(ended): (None, end)}
    renamed = taking.client.update_responsibility_transfer(Id=transfer_of(other), Name="renamed")["ResponsibilityTransfer"]
    assert renamed["ActiveHandshakeId"] == other["Id"]

    def pages(call, size):
        told, token = [], {}
        while True:
            page = call(Type="BILLING", MaxResults=size, **token)
            told += page["ResponsibilityTransfers"]
            if "NextToken" not in page:
                return {transfer["Id"]: (transfer.get("ActiveHandshakeId"), transfer.get("EndTimestamp")) for transfer in told}
            token = {"NextToken": page["NextToken"]}

    for size in (1, 2, 20):
        assert pages(taking.client.list_inbound_responsibility_transfers, size) == expected
        assert pages(giving.client.list_outbound_responsibility_transfers, size) == {id: of for id, of in expected.items() if id != transfer_of(other)}


def test_it_begins_with_a_month_and_ends_with_one(taking, server):
    giving = organization(server, "dates")
    start = first_of_next_month()
    for wrong, reason in [
        (start + datetime.timedelta(days=1), "START_DATE_NOT_BEGINNING_OF_MONTH"),
        (start + datetime.timedelta(hours=1), "START_DATE_NOT_BEGINNING_OF_DAY"),
        (first_of_next_month(0), "START_DATE_TOO_EARLY"),
    ]:
        with refused("InvalidInputException", reason):
            invite(taking, giving, start=wrong)
    handshake = invite(taking, giving)
    giving.client.accept_handshake(HandshakeId=handshake["Id"])
    with refused("InvalidInputException", "END_DATE_NOT_END_OF_MONTH"):
        taking.client.terminate_responsibility_transfer(Id=transfer_of(handshake), EndTimestamp=start)


def test_only_management_accounts_agree(taking, server, account):
    with refused("HandshakeConstraintViolationException", "TARGET_ACCOUNT_VALIDATION_FAILURE"):
        taking.client.invite_organization_to_transfer_responsibility(
            Type="BILLING", Target={"Id": account.id, "Type": "ACCOUNT"}, StartTimestamp=first_of_next_month(), SourceName="x")
    with refused("HandshakeConstraintViolationException", "SOURCE_AND_TARGET_CANNOT_MATCH"):
        invite(taking, taking)


def test_others_transfers_are_none(taking, server):
    giving, other = organization(server, "seen"), organization(server, "unseeing")
    transfer = transfer_of(invite(taking, giving))
    for call, parameters in [
        ("describe_responsibility_transfer", {"Id": transfer}),
        ("update_responsibility_transfer", {"Id": transfer, "Name": "x"}),
        ("terminate_responsibility_transfer", {"Id": transfer}),
        ("list_inbound_responsibility_transfers", {"Type": "BILLING", "Id": transfer}),
    ]:
        with refused("ResponsibilityTransferNotFoundException"):
            getattr(other.client, call)(**parameters)
    assert other.client.list_inbound_responsibility_transfers(Type="BILLING")["ResponsibilityTransfers"] == []
    user = taking.management.user().client("organizations")
    for call in ("list_inbound_responsibility_transfers", "list_outbound_responsibility_transfers"):
        assert outcome(getattr(user, call), Type="BILLING") == "AccessDeniedException"
