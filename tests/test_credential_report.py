"""The credential report: asked for, then fetched, as CSV; one in four hours."""

import csv
import datetime
import io
import time

import pytest

from harness.asking import ask, signed_request
from harness.expecting import denial, refused
from harness.preloaded import turned_server
from harness.principals import allow, body
from harness.signing import clock

HOURS = 60 * 60
NEVER = ["N/A"] * 4
COLUMNS = [
    "user", "arn", "user_creation_time", "password_enabled", "password_last_used", "password_last_changed", "password_next_rotation", "mfa_active",
    *(f"access_key_{n}_{of}" for n in (1, 2) for of in ("active", "last_rotated", "last_used_date", "last_used_region", "last_used_service")),
    *(f"cert_{n}_{of}" for n in (1, 2) for of in ("active", "last_rotated")),
]  # fmt: skip
STARTED = {"State": "STARTED", "Description": "No report exists. Starting a new report generation task"}


def wait(account, within=20):
    """Until there is a report."""
    end = time.monotonic() + within
    while (state := body(account.iam.generate_credential_report()))["State"] != "COMPLETE":
        assert time.monotonic() < end, state
        time.sleep(0.05)
    assert state == {"State": "COMPLETE"}


def report(account):
    """The rows of a fresh report, by user."""
    wait(account)
    return rows(account)


def rows(account):
    reply = account.iam.get_credential_report()
    assert set(body(reply)) == {"Content", "ReportFormat", "GeneratedTime"} and reply["ReportFormat"] == "text/csv"
    text = reply["Content"].decode()
    assert "\r" not in text and not text.endswith("\n") and text.splitlines()[0] == ",".join(COLUMNS)
    read = list(csv.DictReader(io.StringIO(text)))
    assert [row["user"] for row in read][0] == "<root_account>"
    assert all(None not in row and None not in row.values() for row in read), "all rows are as long as the first"
    return {row["user"]: row for row in read}


def iso(date):
    return date.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture
def fresh(server, request):
    """An account of the test's own: there is one report in four hours."""
    return server.account(request.node.name.replace("_", "-")[:40])


def test_a_report_is_asked_for_and_then_fetched(fresh):
    for _ in range(2):
        with refused("ReportNotPresent") as told:
            fresh.iam.get_credential_report()
        assert set(told.error) == {"Type", "Code"}
    assert body(fresh.iam.generate_credential_report()) == STARTED
    wait(fresh)
    assert list(rows(fresh)) == ["<root_account>"]


def test_root_comes_first_and_says_what_it_can(fresh):
    fresh.root.identity()
    row = report(fresh)["<root_account>"]
    key = [row[f"access_key_1_{of}"] for of in ("active", "last_used_region", "last_used_service")]
    assert key == ["true", "us-east-1", "iam"] or key == ["true", "us-east-1", "sts"]
    assert row["arn"] == f"arn:aws:iam::{fresh.id}:root"
    assert row["password_enabled"] == row["password_last_changed"] == row["password_next_rotation"] == "not_supported"
    assert row["password_last_used"] == "no_information" and row["mfa_active"] == "false"
    assert [row[f"access_key_2_{of}"] for of in ("active", "last_rotated", "last_used_date", "last_used_region", "last_used_service")] == ["false", *NEVER]
    assert [row[column] for column in COLUMNS[-4:]] == ["false", "N/A", "false", "N/A"]


def test_a_user_has_its_password_and_keys(fresh):
    iam = fresh.iam
    iam.update_account_password_policy(MaxPasswordAge=90)
    idle, busy = fresh.user(key=False), fresh.user()
    iam.create_login_profile(UserName=busy.name, Password="Correct-Horse-9")
    second = iam.create_access_key(UserName=busy.name)["AccessKey"]
    iam.update_access_key(UserName=busy.name, AccessKeyId=second["AccessKeyId"], Status="Inactive")
    ask(fresh.user(allow("bailiwick:Authorize")), signed_request(busy, region="eu-west-2"))
    read = report(fresh)
    row = read[idle.name]
    made = iam.get_user(UserName=idle.name)["User"]
    assert [row[column] for column in COLUMNS] == [
        idle.name, idle.arn, iso(made["CreateDate"]), "false", "N/A", "N/A", "N/A", "false",
        "false", *NEVER, "false", *NEVER, "false", "N/A", "false", "N/A",
    ]  # fmt: skip
    row = read[busy.name]
    changed = iam.get_login_profile(UserName=busy.name)["LoginProfile"]["CreateDate"]
    assert [row[f"password_{of}"] for of in ("enabled", "last_used", "last_changed", "next_rotation")] == [
        "true", "no_information", iso(changed), iso(changed + datetime.timedelta(days=90)),
    ]  # fmt: skip
    keys = {key["AccessKeyId"]: key for key in iam.list_access_keys(UserName=busy.name)["AccessKeyMetadata"]}
    used = iam.get_access_key_last_used(AccessKeyId=busy.key_id)["AccessKeyLastUsed"]
    first = ["true", iso(keys[busy.key_id]["CreateDate"]), iso(used["LastUsedDate"]), "eu-west-2", "s3"]
    other = ["false", iso(second["CreateDate"]), *NEVER[:3]]
    shown = [[row[f"access_key_{n}_{of}"] for of in ("active", "last_rotated", "last_used_date", "last_used_region", "last_used_service")] for n in (1, 2)]
    assert sorted(shown) == sorted([first, other])


def test_names_with_commas_are_quoted(fresh):
    user = fresh.user(name="a,b=c@d+e-f.g", key=False)
    assert report(fresh)[user.name]["arn"] == user.arn


def test_pages_of_users_leave_nobody_out(fresh):
    names = {fresh.iam.create_user(UserName=f"u{n:04}")["User"]["UserName"] for n in range(1_010)}
    assert set(report(fresh)) == names | {"<root_account>"}


def test_another_accounts_users_are_not_in_it(fresh, other_account):
    stranger, own = other_account.user(), fresh.user()
    assert set(report(fresh)) == {"<root_account>", own.name}
    with refused("ReportNotPresent"):
        other_account.iam.get_credential_report()
    assert stranger.name in report(other_account)


@pytest.mark.parametrize("call", ["generate_credential_report", "get_credential_report"])
def test_who_may_not_is_denied(account, nobody, call):
    action = "iam:" + "".join(word.capitalize() for word in call.split("_"))
    with refused("AccessDenied", denial(nobody.arn, action, "*")):
        getattr(nobody.iam, call)()


def test_a_report_is_kept_over_a_restart(own_server):
    server = own_server.start()
    account = server.first_account()
    account.user(name="alice")
    before = report(account)
    server.terminate()
    server.start()
    account.user(name="bob")
    assert body(account.iam.generate_credential_report()) == {"State": "COMPLETE"}
    assert rows(account) == before


def test_for_four_hours_there_is_no_other(tmp_path):
    server = turned_server(tmp_path)
    server.turn(-4 * HOURS - 60)
    server.start()
    try:
        account = server.first_account()
        with clock(-4 * HOURS - 60):
            account.user(name="alice")
            assert set(report(account)) == {"<root_account>", "alice"}
        with clock(-120):
            server.turn(-120)
            account.user(name="bob")
            assert body(account.iam.generate_credential_report()) == {"State": "COMPLETE"}
            assert set(rows(account)) == {"<root_account>", "alice"}
        server.turn(0)
        with refused("ReportExpired"):
            account.iam.get_credential_report()
        assert account.iam.generate_credential_report()["State"] == "STARTED"
        assert set(report(account)) == {"<root_account>", "alice", "bob"}
    finally:
        server.kill()
