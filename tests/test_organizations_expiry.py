"""What time makes of handshakes and closed accounts. Server and clients have one clock, which is turned by days."""

import datetime

import botocore.auth
import pytest

from harness.members import Organization, refused
from harness.preloaded import turned_server

DAY = 24 * 3600


@pytest.fixture
def turned(tmp_path, monkeypatch):
    """A server that is started, with `days(n)` that sets its clock and that of all who sign."""
    server = turned_server(tmp_path)
    real, offset = botocore.auth.get_current_datetime, [0]
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *a, **k: real(*a, **k) + datetime.timedelta(seconds=offset[0]))

    def days(count):
        offset[0] = count * DAY
        server.turn(count * DAY)

    server.days = days
    yield server.start()
    server.kill()


def test_an_invitation_expires(turned):
    mine, late, early = Organization(turned, turned.account("sender")), turned.account("late"), turned.account("early")

    def invite(account):
        return mine.client.invite_account_to_organization(Target={"Id": account.id, "Type": "ACCOUNT"})["Handshake"]["Id"]

    sent = {account.id: invite(account) for account in (late, early)}
    turned.days(14)
    early.root.client("organizations").accept_handshake(HandshakeId=sent[early.id])
    turned.days(16)
    client = late.root.client("organizations")
    assert client.describe_handshake(HandshakeId=sent[late.id])["Handshake"]["State"] == "EXPIRED"
    for who, call in ((client, "accept_handshake"), (client, "decline_handshake"), (mine.client, "cancel_handshake")):
        with refused("InvalidHandshakeTransitionException"):
            getattr(who, call)(HandshakeId=sent[late.id])
    again = invite(late)
    turned.days(47)
    listed = {handshake["Id"]: handshake["State"] for handshake in mine.client.list_handshakes_for_organization()["Handshakes"]}
    assert listed == {again: "EXPIRED"}, "what ended thirty days ago is not shown"
    with refused("HandshakeNotFoundException"):
        client.describe_handshake(HandshakeId=sent[late.id])


def test_a_closed_account_is_closed_for_good_after_ninety_days(turned):
    mine = Organization(turned, turned.account("closing"))
    member = mine.create()
    mine.client.close_account(AccountId=member)

    def shown():
        account = mine.client.describe_account(AccountId=member)["Account"]
        return account["Status"], account["State"]

    turned.days(89)
    assert shown() == ("SUSPENDED", "SUSPENDED")
    turned.days(91)
    assert shown() == ("SUSPENDED", "CLOSED")
