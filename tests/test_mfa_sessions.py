"""A second factor in GetSessionToken and AssumeRole: what it opens, and what does not pass for one."""

import concurrent.futures
import re

import pytest

from harness.asking import decide, signed_request
from harness.expecting import INVALID_TOKEN, denial, outcome, refused
from harness.principals import Principal, allow, body, deny, fresh, trust
from harness.preloaded import turned_server
from harness.totp import Device, code, device_of
from test_trail import event

WRONG_CODE = "MultiFactorAuthentication failed with invalid MFA one time pass code. "
NO_DEVICE = "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user."
HALF = "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code."
WITH_MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}


def with_device(account, *statements):
    user = account.user(*statements)
    return user, device_of(account, user)


# What it opens.


def test_a_session_with_mfa_calls_iam(account):
    user, device = with_device(account, allow("iam:ListUsers"))
    with refused("InvalidClientTokenId", re.compile(f"^{re.escape(INVALID_TOKEN)[:-2]}")):
        user.session_token().iam.list_users()
    session = user.session_token(**device.shown())
    session.iam.list_users()
    with refused("AccessDenied"):
        session.iam.list_roles()


@pytest.mark.parametrize("condition, met", [
    (WITH_MFA, {"with"}),
    ({"Bool": {"aws:MultiFactorAuthPresent": "false"}}, {"without"}),
    ({"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}}, {"with", "key"}),
    ({"Null": {"aws:MultiFactorAuthPresent": "true"}}, {"key"}),
    ({"Null": {"aws:MultiFactorAuthAge": "true"}}, {"key", "without"}),
    ({"NumericLessThan": {"aws:MultiFactorAuthAge": "60"}}, {"with"}),
    ({"NumericGreaterThan": {"aws:MultiFactorAuthAge": "3600"}}, set()),
], ids=["present", "absent", "if it exists", "no key", "no age", "young", "old"])
def test_the_keys_are_there_with_temporary_credentials_only(account, condition, met):
    """With a long-term key neither is there, also for a user that has a device."""
    user, device = with_device(account, allow("sts:AssumeRole", condition=condition))
    role = account.role()
    callers = {"key": user, "without": user.session_token(), "with": user.session_token(**device.shown())}
    assert {name for name, caller in callers.items() if outcome(caller.assume, role) == "ok"} == met


def test_deny_without_mfa_denies_keys_too_only_with_if_exists(account):
    """AWS's advice: a plain Bool misses long-term keys, since the key is not there."""
    without = {"aws:MultiFactorAuthPresent": "false"}
    plain, plain_device = with_device(account, allow("*"), deny("iam:ListUsers", condition={"Bool": without}))
    plain.iam.list_users()
    plain.session_token(**plain_device.shown()).iam.list_users()
    strict, device = with_device(account, allow("*"), deny("iam:ListUsers", condition={"BoolIfExists": without}))
    with refused("AccessDenied", re.compile("with an explicit deny in an identity-based policy")):
        strict.iam.list_users()
    strict.session_token(**device.shown()).iam.list_users()


def test_a_trust_policy_asks_for_a_code_in_this_very_call(account):
    user, device = with_device(account, allow("sts:AssumeRole"))
    role = account.role(allow("iam:ListUsers"), trusted=trust(account.id, condition=WITH_MFA))
    with refused("AccessDenied", denial(user.arn, "sts:AssumeRole", role.arn, bare=True)):
        user.assume(role)
    with refused("AccessDenied", denial(user.arn, "sts:AssumeRole", role.arn, bare=True)):
        user.session_token().assume(role)
    user.assume(role, **device.shown()).iam.list_users()


def test_a_trust_policy_is_met_by_a_session_that_showed_one(account):
    user, device = with_device(account, allow("sts:AssumeRole"))
    role = account.role(allow("iam:ListUsers"), trusted=trust(account.id, condition={"NumericLessThan": {"aws:MultiFactorAuthAge": "3600"}}))
    user.session_token(**device.shown()).assume(role).iam.list_users()


def test_a_trust_policy_of_another_account_is_met_too(account, other_account):
    user, device = with_device(account, allow("sts:AssumeRole"))
    role = other_account.role(allow("iam:ListUsers"), trusted=trust(account.id, condition=WITH_MFA))
    with refused("AccessDenied"):
        user.assume(role)
    user.assume(role, **device.shown()).iam.list_users()


def test_the_callers_own_policy_sees_the_code_too(account):
    user, device = with_device(account, allow("sts:AssumeRole", condition=WITH_MFA))
    role = account.role()
    with refused("AccessDenied"):
        user.assume(role)
    user.assume(role, **device.shown())


def test_a_role_session_has_it_and_the_next_role_does_not(account):
    user, device = with_device(account, allow("sts:AssumeRole"))
    role = account.role(allow("iam:ListUsers", condition=WITH_MFA), allow("sts:AssumeRole"))
    with refused("AccessDenied"):
        user.assume(role).iam.list_users()
    session = user.assume(role, **device.shown())
    session.iam.list_users()
    with refused("AccessDenied"):
        session.assume(role).iam.list_users()


def test_another_server_is_told_the_same(account):
    """POST /authorize: who signed with which session, only Bailiwick knows."""
    store = account.user(allow("bailiwick:Authorize"))
    user, device = with_device(account, allow("s3:GetObject", condition={"NumericLessThan": {"aws:MultiFactorAuthAge": "60"}}))
    session = user.session_token(**device.shown())
    assert decide(store, signed_request(session)) == [("Allowed", "identity")]
    for caller in (user, user.session_token()):
        assert decide(store, signed_request(caller))[0][0] == "ImplicitlyDenied"


def test_what_only_a_code_opened_is_explained_by_it(server, account):
    """The keys that the code made true are part of the record."""
    user, device = with_device(account, allow("sts:AssumeRole", condition=WITH_MFA))
    reply = user.sts.assume_role(RoleArn=account.role().arn, RoleSessionName="session", **device.shown())
    keys = event(server, reply)["additionalEventData"]["bailiwick"]["keys"]
    assert keys["aws:MultiFactorAuthPresent"] == "true" and keys["aws:MultiFactorAuthAge"] == "0"


def test_root_shows_a_device_of_its_own(server):
    account = server.account(fresh("rooted"))
    device = Device.made(account.iam).enable(account.iam, "root")
    session = account.root.session_token(**device.shown())
    session.iam.list_users()
    with refused("AccessDenied", NO_DEVICE):
        account.user().sts.get_session_token(SerialNumber=device.serial, TokenCode=device.at())


def test_a_session_outlives_its_device(account):
    """As in AWS: what was shown was shown. Revoke sessions by a Deny on aws:MultiFactorAuthAge or aws:TokenIssueTime."""
    user, device = with_device(account, allow("iam:ListUsers"))
    session = user.session_token(**device.shown())
    account.iam.deactivate_mfa_device(UserName=user.name, SerialNumber=device.serial)
    session.iam.list_users()


# What does not pass.


def test_a_wrong_code(account):
    user, device = with_device(account, allow("sts:AssumeRole"))
    role = account.role()
    for call, more in ((user.sts.get_session_token, {}), (user.sts.assume_role, {"RoleArn": role.arn, "RoleSessionName": "session"})):
        with refused("AccessDenied", WRONG_CODE):
            call(SerialNumber=device.serial, TokenCode=device.wrong(), **more)
    with refused("AccessDenied", WRONG_CODE):
        user.sts.get_session_token(SerialNumber=device.serial, TokenCode=code(device.seed, device.step + 5))


@pytest.mark.parametrize("half", ["SerialNumber", "TokenCode"])
def test_half_a_second_factor_is_none(account, half):
    user, device = with_device(account, allow("sts:AssumeRole"))
    shown = {half: device.shown()[half]}
    for call, more in ((user.sts.get_session_token, {}), (user.sts.assume_role, {"RoleArn": account.role().arn, "RoleSessionName": "session"})):
        with refused("AccessDenied", HALF):
            call(**shown, **more)


def test_no_code_works_twice(account):
    """Replay: one code opens one session, whichever operation it is shown to."""
    user, device = with_device(account, allow("sts:AssumeRole"))
    role, shown = account.role(), device.shown()
    user.session_token(**shown)
    with refused("AccessDenied", WRONG_CODE):
        user.session_token(**shown)
    with refused("AccessDenied", WRONG_CODE):
        user.assume(role, **shown)


def test_the_codes_that_enabled_a_device_open_no_session(account):
    user, device = account.user(), Device.made(account.iam)
    first, second = device.pair()
    account.iam.enable_mfa_device(UserName=user.name, SerialNumber=device.serial, AuthenticationCode1=first, AuthenticationCode2=second)
    for used in (first, second):
        with refused("AccessDenied", WRONG_CODE):
            user.sts.get_session_token(SerialNumber=device.serial, TokenCode=used)
    user.session_token(**device.shown())


def test_of_many_who_show_one_code_at_once_one_is_let_in(account):
    user, device = with_device(account)
    shown = device.shown()
    user.sts  # Made before the threads are.
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda _: outcome(user.sts.get_session_token, **shown), range(8)))
    assert sorted(told) == ["AccessDenied"] * 7 + ["ok"]


def test_a_code_survives_no_restart(own_server):
    """That a code was used is durable before the session is answered."""
    server = own_server.start()
    account = server.account("restarted")
    user, device = with_device(account)
    shown = device.shown()
    user.session_token(**shown)
    server.kill()
    server.start()
    with refused("AccessDenied", WRONG_CODE):
        user.session_token(**shown)


def test_a_device_of_another_user_is_nobodys(account):
    """Confused deputy: the serial number names a device of the caller's own or nothing, and which of the two it does not tell."""
    user, device = with_device(account, allow("*"))
    attacker = account.user(allow("*"))
    role = account.role(trusted=trust(account.id, condition=WITH_MFA))
    for serial in (device.serial, account.arn("mfa/none")):
        for call, more in ((attacker.sts.get_session_token, {}), (attacker.sts.assume_role, {"RoleArn": role.arn, "RoleSessionName": "session"})):
            with refused("AccessDenied", NO_DEVICE):
                call(SerialNumber=serial, TokenCode=device.at(1), **more)
    user.session_token(SerialNumber=device.serial, TokenCode=device.at(1))


def test_a_device_of_another_account_is_nobodys(account, other_account):
    name = fresh("same-name")
    mine, theirs = (each.user(allow("sts:AssumeRole"), name=name) for each in (account, other_account))
    device = device_of(other_account, theirs)
    with refused("AccessDenied", NO_DEVICE):
        mine.sts.get_session_token(SerialNumber=device.serial, TokenCode=device.at(1))
    role = other_account.role(trusted=trust(account.id, condition=WITH_MFA))
    with refused("AccessDenied", NO_DEVICE):
        mine.assume(role, SerialNumber=device.serial, TokenCode=device.at(1))
    theirs.session_token(SerialNumber=device.serial, TokenCode=device.at(1))


def test_an_unassigned_device_is_nobodys(account):
    user, device = account.user(), Device.made(account.iam)
    with refused("AccessDenied", NO_DEVICE):
        user.sts.get_session_token(SerialNumber=device.serial, TokenCode=device.at())


def test_a_role_has_no_device(account):
    user, device = with_device(account, allow("sts:AssumeRole"))
    session = user.assume(account.role(allow("sts:AssumeRole")))
    with refused("AccessDenied", NO_DEVICE):
        session.assume(account.role(), SerialNumber=device.serial, TokenCode=device.at(1))


def test_a_federated_user_is_never_with_mfa(account):
    user, device = with_device(account, allow("*"))
    with refused("InvalidClientTokenId"):
        user.federate("bob", Policy='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}').iam.list_users()
    with refused("AccessDenied", "Cannot call GetFederationToken with session credentials"):
        user.session_token(**device.shown()).federate("bob")


def test_a_deleted_device_of_the_same_name_shows_nothing_of_the_new_one(account):
    user, device = with_device(account)
    account.iam.deactivate_mfa_device(UserName=user.name, SerialNumber=device.serial)
    account.iam.delete_virtual_mfa_device(SerialNumber=device.serial)
    again = Device.made(account.iam, device.serial.rsplit("/", 1)[1]).enable(account.iam, user.name)
    with refused("AccessDenied", WRONG_CODE):
        user.session_token(**device.shown())
    user.session_token(**again.shown())


# Bounded tries.


def guessed(user, device, times):
    for _ in range(times):
        with refused("AccessDenied", WRONG_CODE):
            user.sts.get_session_token(SerialNumber=device.serial, TokenCode=device.wrong())


def test_codes_cannot_be_guessed(account):
    """Brute force: after five wrong codes not even the right one is looked at, and the answer is the same."""
    user, device = with_device(account)
    guessed(user, device, 5)
    shown = device.shown()
    with refused("AccessDenied", WRONG_CODE):
        user.session_token(**shown)


def test_a_guesser_does_not_lock_the_user_out(account):
    """Tries are each key's own: whoever stole one uses up the tries of that key, not of the other."""
    user, device = with_device(account)
    second = account.iam.create_access_key(UserName=user.name)["AccessKey"]
    guessed(user, device, 6)
    other = Principal(account.server, second["AccessKeyId"], second["SecretAccessKey"])
    other.sts.get_session_token(**device.shown())


def test_a_session_of_a_key_has_no_tries_of_its_own(account):
    user, device = with_device(account, allow("sts:AssumeRole"))
    role = account.role()
    guessed(user, device, 3)
    for _ in range(3):
        with refused("AccessDenied", WRONG_CODE):
            user.session_token().assume(role, SerialNumber=device.serial, TokenCode=device.wrong())
    with refused("AccessDenied", WRONG_CODE):
        user.session_token(**device.shown())


def test_another_device_is_not_locked_with_it(account):
    user, device = with_device(account)
    other = device_of(account, user)
    guessed(user, device, 6)
    user.session_token(**other.shown())


def test_tries_come_back_and_a_session_grows_old(tmp_path):
    server = turned_server(tmp_path).start()
    try:
        account = server.account("turned")
        age = {"NumericLessThan": {"aws:MultiFactorAuthAge": "300"}}
        user, device = with_device(account, allow("iam:ListUsers", condition=age))
        session = user.session_token(**device.shown())
        session.iam.list_users()
        guessed(user, device, 6)
        server.turn(310)
        with refused("AccessDenied"):
            session.iam.list_users()
        user.session_token(SerialNumber=device.serial, TokenCode=code(device.seed, device.step + 310 // 30)).iam.list_users()
    finally:
        server.kill()


# What is recorded.


def test_the_trail_says_that_mfa_was_shown_and_not_the_code(server, account):
    user, device = with_device(account, allow("*"))
    role = account.role(allow("iam:ListUsers"))
    shown = device.shown()
    reply = user.sts.get_session_token(**shown)
    recorded = event(server, reply)
    assert recorded["requestParameters"] == {"serialNumber": device.serial}
    session = user._session(reply["Credentials"], user.arn, account.id, user.unique_id)
    listed = event(server, session.iam.list_users())
    assert listed["userIdentity"]["type"] == "IAMUser"
    assert listed["userIdentity"]["sessionContext"]["attributes"]["mfaAuthenticated"] == "true"
    assumed = session.assume(role)
    listed = event(server, assumed.iam.list_users())
    assert listed["userIdentity"]["type"] == "AssumedRole"
    assert listed["userIdentity"]["sessionContext"]["attributes"]["mfaAuthenticated"] == "true"
    without = event(server, user.assume(role).iam.list_users())
    assert without["userIdentity"]["sessionContext"]["attributes"]["mfaAuthenticated"] == "false"


def test_a_refused_code_is_an_event_without_it(server, account):
    user, device = with_device(account, allow("*"))
    wrong = device.wrong()
    with refused("AccessDenied", WRONG_CODE) as told:
        user.sts.get_session_token(SerialNumber=device.serial, TokenCode=wrong)
    recorded = event(server, told.request_id)
    assert (recorded["errorCode"], recorded["errorMessage"]) == ("AccessDenied", WRONG_CODE)
    assert recorded["requestParameters"] == {"serialNumber": device.serial}


def test_a_code_that_is_no_code_is_not_shown_in_the_error(account):
    user = account.user()
    for bad in ("12345x", "1234567"):
        with pytest.raises(user.sts.exceptions.ClientError) as caught:
            user.unchecked("sts").get_session_token(SerialNumber=account.arn("mfa/none"), TokenCode=bad)
        assert caught.value.response["Error"]["Code"] == "ValidationError" and bad not in str(caught.value)
    assert set(body(user.sts.get_session_token())) == {"Credentials", "SessionTokenSize", "SessionTokenUtilization"}
