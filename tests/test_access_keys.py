"""Access keys: two a user, shown once, switched on and off, last used."""

import re
import time

import pytest

from harness.expecting import INVALID_TOKEN, denial, refused
from harness.principals import Principal, allow, body

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


def account_in(key_id):
    """The account that an access key id carries."""
    number = 0
    for character in key_id[4:20]:
        number = number * 32 + ALPHABET.index(character)
    assert number >> 79 == 1, "the bit that says so"
    return f"{(number >> 39) & (2**40 - 1):012d}"


def no_key(key_id):
    return f"The Access Key with id {key_id} cannot be found."


def test_create_shows_the_secret_once(account):
    user = account.user(key=False)
    reply = account.iam.create_access_key(UserName=user.name)
    key = reply["AccessKey"]
    assert set(body(reply)) == {"AccessKey"}
    assert set(key) == {"UserName", "AccessKeyId", "Status", "SecretAccessKey", "CreateDate"}
    assert key["UserName"] == user.name and key["Status"] == "Active"
    assert re.fullmatch(r"AKIA[A-Z2-7]{16}", key["AccessKeyId"])
    assert re.fullmatch(r"[A-Za-z0-9+/]{40}", key["SecretAccessKey"])
    listed = account.iam.list_access_keys(UserName=user.name)
    assert set(body(listed)) == {"AccessKeyMetadata", "IsTruncated"} and listed["IsTruncated"] is False
    assert listed["AccessKeyMetadata"] == [{name: key[name] for name in ("UserName", "AccessKeyId", "Status", "CreateDate")}]


def test_a_new_key_works_at_once(account):
    user = account.user()
    assert user.identity() == {"UserId": user.unique_id, "Account": account.id, "Arn": user.arn}


def test_a_key_id_carries_its_account(account, other_account):
    for each in (account, other_account):
        assert account_in(each.user().key_id) == each.id
        assert account_in(each.root.key_id) == each.id
    session = account.user().session_token()
    assert session.key_id.startswith("ASIA") and account_in(session.key_id) == account.id


def test_a_third_key_is_refused(account):
    user = account.user()
    account.iam.create_access_key(UserName=user.name)
    with refused("LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2"):
        account.iam.create_access_key(UserName=user.name)
    account.iam.update_access_key(UserName=user.name, AccessKeyId=user.key_id, Status="Inactive")
    with refused("LimitExceeded"):
        account.iam.create_access_key(UserName=user.name)
    account.iam.delete_access_key(UserName=user.name, AccessKeyId=user.key_id)
    account.iam.create_access_key(UserName=user.name)


def test_keys_are_paged(account):
    user = account.user()
    account.iam.create_access_key(UserName=user.name)
    pages = list(account.iam.get_paginator("list_access_keys").paginate(UserName=user.name, PaginationConfig={"PageSize": 1}))
    assert [len(page["AccessKeyMetadata"]) for page in pages] == [1, 1]
    assert len({page["AccessKeyMetadata"][0]["AccessKeyId"] for page in pages}) == 2


def test_status_changes_are_shown(account):
    user = account.user()
    assert body(account.iam.update_access_key(UserName=user.name, AccessKeyId=user.key_id, Status="Inactive")) == {}
    assert account.iam.list_access_keys(UserName=user.name)["AccessKeyMetadata"][0]["Status"] == "Inactive"


def test_a_bad_status_is_refused(account):
    user = account.user()
    wanted = re.compile(r"^1 validation error detected: Value( 'Off')? at 'status' failed to satisfy constraint: Member must satisfy enum value set(: \[.*\])?$")
    with refused("ValidationError", wanted):
        account.iam.update_access_key(UserName=user.name, AccessKeyId=user.key_id, Status="Off")


@pytest.mark.parametrize("change", ["update", "delete"])
def test_a_missing_key_is_told_by_id(account, change):
    user, stranger = account.user(), account.user()
    more = {"Status": "Active"} if change == "update" else {}
    call = getattr(account.iam, f"{change}_access_key")
    with refused("NoSuchEntity", no_key("AKIARZPUZDIKGB2VALC4")):
        call(UserName=user.name, AccessKeyId="AKIARZPUZDIKGB2VALC4", **more)
    with refused("NoSuchEntity", no_key(stranger.key_id)):
        call(UserName=user.name, AccessKeyId=stranger.key_id, **more)
    stranger.identity()


def test_a_key_of_another_account_cannot_be_touched(account, other_account):
    victim, same_name = other_account.user(name="victim"), account.user(name="victim")
    for call, more in [(account.iam.delete_access_key, {}), (account.iam.update_access_key, {"Status": "Inactive"})]:
        with refused("NoSuchEntity", no_key(victim.key_id)):
            call(UserName="victim", AccessKeyId=victim.key_id, **more)
    victim.identity()
    same_name.identity()


def test_without_a_name_they_are_the_callers_own(account):
    user = account.user(allow("iam:*"))
    made = user.iam.create_access_key()["AccessKey"]
    assert made["UserName"] == user.name
    listed = user.iam.list_access_keys()["AccessKeyMetadata"]
    assert {key["AccessKeyId"] for key in listed} == {user.key_id, made["AccessKeyId"]}
    user.iam.update_access_key(AccessKeyId=made["AccessKeyId"], Status="Inactive")
    user.iam.delete_access_key(AccessKeyId=made["AccessKeyId"])
    assert [key["AccessKeyId"] for key in user.iam.list_access_keys()["AccessKeyMetadata"]] == [user.key_id]


def test_a_session_must_name_the_user(account):
    session = account.user(allow("sts:AssumeRole")).assume(account.role(allow("iam:*")))
    with refused("ValidationError", "Must specify userName when calling with non-User credentials"):
        session.iam.list_access_keys()


def test_root_has_keys_of_its_own(account):
    made = account.iam.create_access_key()["AccessKey"]
    second = Principal(account.server, made["AccessKeyId"], made["SecretAccessKey"])
    assert second.identity() == {"UserId": account.id, "Account": account.id, "Arn": account.root_arn}
    ids = {key["AccessKeyId"] for key in account.iam.list_access_keys()["AccessKeyMetadata"]}
    assert ids == {account.root.key_id, made["AccessKeyId"]}
    with refused("LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2"):
        account.iam.create_access_key()
    account.iam.delete_access_key(AccessKeyId=made["AccessKeyId"])
    with refused("InvalidClientTokenId", INVALID_TOKEN):
        second.identity()


def test_a_user_may_not_make_keys_for_another(account):
    """Privilege by creation: the target's ARN is judged, not the caller's."""
    victim = account.user(allow("*"), key=False)
    attacker = account.user(allow("iam:CreateAccessKey", "arn:aws:iam::*:user/${aws:username}"))
    wanted = denial(attacker.arn, "iam:CreateAccessKey", (f"user {victim.name}", victim.arn))
    with refused("AccessDenied", wanted):
        attacker.iam.create_access_key(UserName=victim.name)
    attacker.iam.create_access_key()


def test_never_used_says_not_applicable(account):
    user = account.user()
    got = body(account.iam.get_access_key_last_used(AccessKeyId=user.key_id))
    assert got == {"UserName": user.name, "AccessKeyLastUsed": {"Region": "N/A", "ServiceName": "N/A"}}


def test_last_used_names_service_and_region(account):
    user = account.user()
    user.client("sts", region="eu-west-1").get_caller_identity()
    end = time.monotonic() + 5
    while True:
        used = account.iam.get_access_key_last_used(AccessKeyId=user.key_id)["AccessKeyLastUsed"]
        if "LastUsedDate" in used or time.monotonic() > end:
            break
        time.sleep(0.1)
    assert set(used) == {"LastUsedDate", "Region", "ServiceName"}
    assert used["ServiceName"] == "sts" and used["Region"] in {"eu-west-1", "us-east-1"}


def test_a_denied_call_counts_as_use_and_a_forged_one_does_not(account):
    """Use is what was authenticated, not what was allowed."""
    user = account.user()
    forged = Principal(account.server, user.key_id, "x" * 40)
    with refused("SignatureDoesNotMatch"):
        forged.iam.list_users()
    time.sleep(0.3)
    assert "LastUsedDate" not in account.iam.get_access_key_last_used(AccessKeyId=user.key_id)["AccessKeyLastUsed"]
    with refused("AccessDenied"):
        user.iam.list_users()
    end = time.monotonic() + 5
    while "LastUsedDate" not in account.iam.get_access_key_last_used(AccessKeyId=user.key_id)["AccessKeyLastUsed"]:
        assert time.monotonic() < end
        time.sleep(0.1)


def test_last_used_of_a_strangers_key_is_not_told(account, other_account):
    stranger = other_account.user()
    for key_id in (stranger.key_id, "AKIARZPUZDIKGB2VALC4"):
        for asker in (account.root, account.user(allow("*"))):
            words = f"User: {asker.arn} is not authorized to perform iam:GetAccessKeyLastUsed on resource: access key {key_id}"
            with refused("AccessDenied", words):
                asker.iam.get_access_key_last_used(AccessKeyId=key_id)


def test_the_wrong_secret_is_refused(account):
    user = account.user()
    with refused("SignatureDoesNotMatch"):
        Principal(account.server, user.key_id, user.secret[:-1] + ("A" if user.secret[-1] != "A" else "B")).identity()
