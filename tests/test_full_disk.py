"""A full disk: writes answer ServiceUnavailable and change nothing, reads go on, and when there is room again all is well."""

import time

import pytest
from botocore.exceptions import ClientError

from harness.preloaded import fillable_server
from harness.principals import allow


@pytest.fixture
def full(tmp_path):
    """A server with a user, a role and a session, whose disk is now full."""
    server = fillable_server(tmp_path).start()
    account = server.first_account()
    account.reader = account.user(allow(["iam:List*", "iam:Get*", "sts:*"]), name="reader")
    account.opened = account.role(allow("iam:ListUsers"))
    time.sleep(1.2)
    server.fill(True)
    yield server, account
    server.kill()


def unavailable(call, **parameters):
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    reply = caught.value.response
    assert (reply["Error"]["Code"], reply["ResponseMetadata"]["HTTPStatusCode"]) == ("ServiceUnavailable", 503), reply
    assert "disk" not in reply["Error"]["Message"].lower() and "sqlite" not in reply["Error"]["Message"].lower(), "it tells nothing of the inside"


def test_writes_are_refused_and_reads_go_on(full):
    server, account = full
    for _ in range(3):
        unavailable(account.iam.create_user, UserName="never")
        unavailable(account.iam.delete_user_policy, UserName="reader", PolicyName="granted")
        unavailable(account.iam.create_access_key, UserName="reader")
        assert {user["UserName"] for user in account.reader.iam.list_users()["Users"]} == {"reader"}
        assert account.reader.identity()["UserId"] == account.reader.unique_id
        account.reader.assume(account.opened).iam.list_users()
    assert server.healthy()


def test_denials_are_still_told(full):
    _, account = full
    with pytest.raises(ClientError) as caught:
        account.reader.iam.create_user(UserName="never")
    assert caught.value.response["Error"]["Code"] in {"AccessDenied", "ServiceUnavailable"}


def test_with_room_again_all_is_well(full):
    server, account = full
    unavailable(account.iam.create_user, UserName="never")
    for _ in range(20):
        account.reader.iam.list_users()
    server.fill(False)
    end = time.monotonic() + 10
    while True:
        try:
            reply = account.iam.create_user(UserName="at-last")
            break
        except ClientError as error:
            assert error.response["Error"]["Code"] == "ServiceUnavailable" and time.monotonic() < end
            time.sleep(0.2)
    assert {user["UserName"] for user in account.iam.list_users()["Users"]} == {"reader", "at-last"}
    assert reply["ResponseMetadata"]["RequestId"] in server.trail()
    assert server.terminate() == 0
    server.start()
    assert {user["UserName"] for user in account.iam.list_users()["Users"]} == {"reader", "at-last"}
    assert server.run("check").returncode == 0


def test_killed_while_full_nothing_is_lost(full):
    server, account = full
    unavailable(account.iam.create_user, UserName="never")
    server.kill()
    server.fill(False)
    server.start()
    assert {user["UserName"] for user in account.iam.list_users()["Users"]} == {"reader"}


def test_a_start_on_a_full_disk_is_refused_or_serves_reads(full):
    """Whichever it is, it says so, and the store stays whole."""
    server, account = full
    server.terminate()
    server.spawn()
    end = time.monotonic() + 10
    while not server.healthy() and server.process.poll() is None and time.monotonic() < end:
        time.sleep(0.05)
    if server.process.poll() is None:
        unavailable(account.iam.create_user, UserName="never")
    server.kill()
    server.fill(False)
    server.start()
    assert {user["UserName"] for user in account.iam.list_users()["Users"]} == {"reader"}
