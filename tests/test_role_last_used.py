"""When keys and roles were last used: by calls here, and by requests that other servers ask about; let in is what counts, not allowed."""

import datetime

import pytest

from harness.asking import ask, check, decide, signed_request
from harness.preloaded import turned_server
from harness.principals import allow
from harness.signing import clock

DAY = 24 * 60 * 60


@pytest.fixture(scope="module")
def store(account):
    """A server that asks."""
    return account.user(allow("bailiwick:Authorize"))


def of_role(account, role):
    return account.iam.get_role(RoleName=role.name)["Role"]["RoleLastUsed"]


def of_key(account, user):
    return account.iam.get_access_key_last_used(AccessKeyId=user.key_id)["AccessKeyLastUsed"]


def is_now(date):
    return abs((date - datetime.datetime.now(datetime.timezone.utc)).total_seconds()) < 120


def test_a_role_that_was_only_assumed_was_not_used(account):
    role = account.role(allow("iam:ListUsers"))
    account.user(allow("sts:AssumeRole")).assume(role)
    assert of_role(account, role) == {}


def test_a_denied_call_is_a_use(account):
    role = account.role()
    session = account.user(allow("sts:AssumeRole")).assume(role)
    with pytest.raises(session.iam.exceptions.ClientError):
        session.iam.list_users()
    used = of_role(account, role)
    assert set(used) == {"LastUsedDate", "Region"} and used["Region"] == "us-east-1" and is_now(used["LastUsedDate"])


def test_a_request_that_another_server_asks_about_is_a_use(account, store):
    role = account.role(allow("s3:GetObject"))
    session = account.user(allow("sts:AssumeRole")).assume(role)
    assert decide(store, signed_request(session, region="eu-west-3"))[0][0] == "Allowed"
    used = of_role(account, role)
    assert used["Region"] == "eu-west-3" and is_now(used["LastUsedDate"])


def test_the_last_use_counts_whatever_it_was_for(account, store):
    user = account.user()
    user.identity()
    assert of_key(account, user)["ServiceName"] == "sts"
    ask(store, signed_request(user, region="ap-south-1"))
    assert {name: of_key(account, user)[name] for name in ("ServiceName", "Region")} == {"ServiceName": "s3", "Region": "ap-south-1"}
    with pytest.raises(user.iam.exceptions.ClientError):
        user.iam.list_users()
    assert {name: of_key(account, user)[name] for name in ("ServiceName", "Region")} == {"ServiceName": "iam", "Region": "us-east-1"}


def test_a_request_that_is_not_let_in_is_no_use(account, store):
    user = account.user()
    forged = type(user)(user.server, user.key_id, "x" * 40)
    assert "error" in ask(store, signed_request(forged))
    with pytest.raises(forged.iam.exceptions.ClientError):
        forged.iam.list_users()
    assert "LastUsedDate" not in of_key(account, user)


def test_the_account_as_a_whole_says_it_too(account, store):
    role = account.role(allow("s3:GetObject"))
    decide(store, signed_request(account.user(allow("sts:AssumeRole")).assume(role), region="eu-north-1"))
    details = account.iam.get_paginator("get_account_authorization_details").paginate(Filter=["Role"]).build_full_result()
    found = {each["RoleName"]: each["RoleLastUsed"] for each in details["RoleDetailList"]}
    assert found[role.name] == of_role(account, role) and found[role.name]["Region"] == "eu-north-1"


def test_many_checks_of_one_request_are_one_use(account, store):
    role = account.role(allow("s3:*"))
    session = account.user(allow("sts:AssumeRole")).assume(role)
    decide(store, signed_request(session), *[check("s3:PutObject", f"arn:aws:s3:::bucket/{n}") for n in range(100)])
    assert is_now(of_role(account, role)["LastUsedDate"])


def test_it_is_kept_over_a_restart(own_server):
    server = own_server.start()
    account = server.first_account()
    role = account.role(allow("iam:ListUsers"))
    user = account.user(allow("sts:AssumeRole"))
    user.assume(role).iam.list_users()
    before = of_role(account, role), of_key(account, user)
    server.terminate()
    server.start()
    assert (of_role(account, role), of_key(account, user)) == before
    assert "LastUsedDate" in before[0] and "LastUsedDate" in before[1]


@pytest.mark.parametrize("days, told", [(399, True), (401, False)])
def test_a_use_of_more_than_400_days_ago_is_not_told(tmp_path, days, told):
    server = turned_server(tmp_path)
    server.turn(-days * DAY)
    server.start()
    try:
        account = server.first_account()
        with clock(-days * DAY):
            role = account.role(allow("iam:ListUsers"))
            account.user(allow("sts:AssumeRole")).assume(role).iam.list_users()
            assert of_role(account, role)
        server.turn(0)
        assert bool(of_role(account, role)) is told
    finally:
        server.kill()
