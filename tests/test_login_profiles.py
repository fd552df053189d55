"""Passwords: login profiles, ChangePassword, what the account's password policy asks of them."""

import concurrent.futures
import re
import socket
import time

import pytest

from harness import ledger
from harness.expecting import outcome, refused
from harness.principals import allow, body, fresh
from harness.preloaded import turned_server
from harness.signing import clock, query
from harness.totp import device_of

GOOD = ledger.keep("Correct-Horse-Battery-1", "password")
OTHER = ledger.keep("Staple-Wrong-Donkey-22", "password")
VIOLATION = "Password does not conform to the account password policy."
LACKS = "Password should have at least one "


def test_create_get_update_delete(account):
    user = account.user(key=False)
    made = account.iam.create_login_profile(UserName=user.name, Password=GOOD)
    assert set(body(made)) == {"LoginProfile"}
    assert set(made["LoginProfile"]) == {"UserName", "CreateDate", "PasswordResetRequired"}
    assert made["LoginProfile"]["UserName"] == user.name and made["LoginProfile"]["PasswordResetRequired"] is False
    assert account.iam.get_login_profile(UserName=user.name)["LoginProfile"] == made["LoginProfile"]
    assert body(account.iam.update_login_profile(UserName=user.name, PasswordResetRequired=True)) == {}
    assert account.iam.get_login_profile(UserName=user.name)["LoginProfile"]["PasswordResetRequired"] is True
    assert body(account.iam.delete_login_profile(UserName=user.name)) == {}
    with refused("NoSuchEntity", f"Login Profile for User {user.name} cannot be found."):
        account.iam.get_login_profile(UserName=user.name)


def test_one_profile_a_user(account):
    user = account.user(key=False)
    account.iam.create_login_profile(UserName=user.name, Password=GOOD)
    with refused("EntityAlreadyExists", f"Login Profile for user {user.name} already exists."):
        account.iam.create_login_profile(UserName=user.name, Password=OTHER)


def test_missing_users_and_profiles(account):
    user = account.user(key=False)
    for call, more in [("create_login_profile", {"Password": GOOD}), ("get_login_profile", {}), ("update_login_profile", {"Password": GOOD}), ("delete_login_profile", {})]:
        with refused("NoSuchEntity"):
            getattr(account.iam, call)(UserName="none", **more)
        if call != "create_login_profile":
            with refused("NoSuchEntity", f"Login Profile for User {user.name} cannot be found."):
                getattr(account.iam, call)(UserName=user.name, **more)


def some(count, *lacking):
    return f"Password should meet {count} more of the following requirements: {', '.join(LACKS + each for each in lacking)}"


@pytest.mark.parametrize("password, words", [
    ("short1A", "Password should have a minimum length of 8"),
    ("alllowercaseletters", some(2, "uppercase letter", "number", "symbol")),
    ("ALLUPPERCASE1234", some(1, "lowercase letter", "symbol")),
    ("1234567890!!", some(1, "uppercase letter", "lowercase letter")),
])
def test_without_a_policy_aws_asks_eight_characters_of_three_classes(account, password, words):
    user = account.user(key=False)
    with refused("PasswordPolicyViolation", words):
        account.iam.create_login_profile(UserName=user.name, Password=password)
    with refused("NoSuchEntity"):
        account.iam.get_login_profile(UserName=user.name)


def test_three_classes_suffice(account):
    for password in ("Abcdefg1", "abcdefg1!", "ABCDEFG1!", "Abcdefgh!"):
        account.iam.create_login_profile(UserName=account.user(key=False).name, Password=password)


def test_a_password_is_never_in_an_error(account):
    user = account.user(key=False)
    for password in ("ünknown-ラ-letters", "x" * 129):
        with pytest.raises(account.iam.exceptions.ClientError) as caught:
            account.root.unchecked().create_login_profile(UserName=user.name, Password=password)
        assert caught.value.response["Error"]["Code"] in {"ValidationError", "PasswordPolicyViolation"}
        assert password not in str(caught.value)
    with refused("ValidationError", re.compile("^1 validation error detected: Value at 'password' failed to satisfy constraint: Member must have length less than or equal to 128$")):
        account.root.unchecked().create_login_profile(UserName=user.name, Password="Aa1-" + "x" * 125)


@pytest.fixture
def strict(server):
    """An account with a strict policy."""
    account = server.account(fresh("strict"))
    account.iam.update_account_password_policy(MinimumPasswordLength=12, RequireSymbols=True, RequireNumbers=True, RequireUppercaseCharacters=True,
                                               RequireLowercaseCharacters=True, PasswordReusePrevention=2)
    return account


def test_the_accounts_policy_is_obeyed(strict):
    user = strict.user(key=False)
    for password, words in [
        ("Short-1aaaa", "Password should have a minimum length of 12"),
        ("no-upper-case-1", LACKS + "uppercase letter"),
        ("NO-LOWER-CASE-1", LACKS + "lowercase letter"),
        ("No-Number-Here", LACKS + "number"),
        ("NoSymbolHere12", LACKS + "symbol"),
        ("short", f"Password should have a minimum length of 12, {LACKS}uppercase letter, {LACKS}number, {LACKS}symbol"),
    ]:
        with refused("PasswordPolicyViolation", words):
            strict.iam.create_login_profile(UserName=user.name, Password=password)
    strict.iam.create_login_profile(UserName=user.name, Password=GOOD)


def test_reuse_is_prevented(strict):
    user = strict.user(allow("iam:ChangePassword"))
    third = ledger.keep("Another-Good-One-333", "password")
    strict.iam.create_login_profile(UserName=user.name, Password=GOOD)
    user.iam.change_password(OldPassword=GOOD, NewPassword=OTHER)
    for used in (OTHER, GOOD):
        with refused("PasswordPolicyViolation", VIOLATION):
            user.iam.change_password(OldPassword=OTHER, NewPassword=used)
    user.iam.change_password(OldPassword=OTHER, NewPassword=third)
    user.iam.change_password(OldPassword=third, NewPassword=GOOD)


def test_change_password_needs_the_right_and_the_old_one(account):
    user = account.user()
    account.iam.create_login_profile(UserName=user.name, Password=GOOD)
    with refused("AccessDenied", re.compile("iam:ChangePassword")):
        user.iam.change_password(OldPassword=GOOD, NewPassword=OTHER)
    account.iam.attach_user_policy(UserName=user.name, PolicyArn="arn:aws:iam::aws:policy/IAMUserChangePassword")
    with refused("AccessDenied"):
        user.iam.change_password(OldPassword=OTHER, NewPassword="Something-Else-3")
    assert body(user.iam.change_password(OldPassword=GOOD, NewPassword=OTHER)) == {}
    with refused("AccessDenied"):
        user.iam.change_password(OldPassword=GOOD, NewPassword="Something-Else-3")


def test_the_account_may_let_everybody_change(server):
    account = server.account(fresh("letting"))
    user = account.user()
    account.iam.create_login_profile(UserName=user.name, Password=GOOD)
    with refused("AccessDenied"):
        user.iam.change_password(OldPassword=GOOD, NewPassword=OTHER)
    account.iam.update_account_password_policy(AllowUsersToChangePassword=True)
    user.iam.change_password(OldPassword=GOOD, NewPassword=OTHER)


def test_changing_clears_the_demand_to_change(account):
    user = account.user(allow("iam:ChangePassword"))
    account.iam.create_login_profile(UserName=user.name, Password=GOOD, PasswordResetRequired=True)
    user.iam.change_password(OldPassword=GOOD, NewPassword=OTHER)
    assert account.iam.get_login_profile(UserName=user.name)["LoginProfile"]["PasswordResetRequired"] is False


def test_neither_root_nor_a_role_changes_a_password(account):
    session = account.user(allow("sts:AssumeRole")).assume(account.role(allow("*")))
    for caller in (account.root, session):
        assert outcome(caller.iam.change_password, OldPassword=GOOD, NewPassword=OTHER) in {"InvalidUserType", "AccessDenied", "ValidationError"}


def test_an_updated_password_replaces_the_old_one(account):
    user = account.user(allow("iam:ChangePassword"))
    account.iam.create_login_profile(UserName=user.name, Password=GOOD)
    account.iam.update_login_profile(UserName=user.name, Password=OTHER)
    with refused("AccessDenied"):
        user.iam.change_password(OldPassword=GOOD, NewPassword="Something-Else-3")
    user.iam.change_password(OldPassword=OTHER, NewPassword=GOOD)


def test_of_many_who_change_a_password_at_once_one_does(account):
    user = account.user(allow("iam:ChangePassword"))
    account.iam.create_login_profile(UserName=user.name, Password=GOOD)
    user.iam  # Made before the threads are.
    passwords = [ledger.keep(f"Another-Horse-{number}-Battery", "password") for number in range(4)]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        told = list(pool.map(lambda password: outcome(user.iam.change_password, OldPassword=GOOD, NewPassword=password), passwords))
    assert told.count("ok") == 1 and set(told) <= {"ok", "EntityTemporarilyUnmodifiable", "AccessDenied"}, told
    user.iam.change_password(OldPassword=passwords[told.index("ok")], NewPassword=GOOD)


def test_a_session_with_mfa_changes_its_users_password(account):
    user = account.user(allow("iam:ChangePassword", condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}}))
    device = device_of(account, user)
    account.iam.create_login_profile(UserName=user.name, Password=GOOD)
    with refused("AccessDenied"):
        user.iam.change_password(OldPassword=GOOD, NewPassword=OTHER)
    user.session_token(**device.shown()).iam.change_password(OldPassword=GOOD, NewPassword=OTHER)


def test_a_password_that_is_too_old_can_still_be_changed_with_a_key(tmp_path):
    """Hard expiry keeps whoever signs in from choosing a new password; whoever has an access key may, as in AWS."""
    server = turned_server(tmp_path).start()
    try:
        account = server.account("expiring")
        account.iam.update_account_password_policy(MaxPasswordAge=1, HardExpiry=True)
        user = account.user(allow("iam:ChangePassword"))
        account.iam.create_login_profile(UserName=user.name, Password=GOOD)
        two_days = 2 * 86_400
        server.turn(two_days)
        with clock(two_days):
            signed = query(user, "iam", "ChangePassword", {"OldPassword": GOOD, "NewPassword": OTHER})
        reply = signed.send()
        assert reply.status == 200, reply
    finally:
        server.kill()


def test_a_flood_of_hashes_is_throttled_and_others_are_served(account):
    """At most two hashes at once and 64 waiting: more answer Throttling, and calls that need none are not held up."""
    users = [account.user(allow("iam:ChangePassword")) for _ in range(2)]
    for user in users:
        account.iam.create_login_profile(UserName=user.name, Password=GOOD)
    parameters = {"OldPassword": "Wrong-Wrong-Wrong-1", "NewPassword": OTHER}
    flood = [query(users[number % 2], "iam", "ChangePassword", parameters) for number in range(160)]
    sockets = []
    for signed in flood:
        made = socket.create_connection(account.server.address)
        head = f"POST / HTTP/1.1\r\nHost: {account.server.listen}\r\nContent-Length: {len(signed.data)}\r\nConnection: close\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in signed.headers if name.lower() not in {"host", "content-length"})
        sockets.append((made, head.encode() + b"\r\n" + signed.data))
    for made, text in sockets:
        made.sendall(text)
    sent, slowest = time.monotonic(), 0
    for _ in range(6):
        started = time.monotonic()
        account.iam.list_users(MaxItems=1)
        account.root.identity()
        slowest = max(slowest, time.monotonic() - started)
    answers = []
    for made, _ in sockets:
        made.settimeout(30)
        text = b""
        while chunk := made.recv(65536):
            text += chunk
        answers.append(re.search(rb"<Code>(\w+)</Code>", text).group(1).decode())
        made.close()
    assert slowest < (time.monotonic() - sent) / 2, "a call without a hash waits for none"
    assert set(answers) == {"AccessDenied", "Throttling"}, set(answers)
