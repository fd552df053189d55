"""MFA devices: made with a seed and its picture, enabled by two consecutive codes, synchronized, listed, tagged, deactivated, deleted."""

import base64
import datetime
import re
import struct
import zlib

import pytest

from harness import ledger
from harness.expecting import denial, outcome, refused
from harness.principals import Principal, allow, body, fresh
from harness.totp import Device, code, device_of
from test_trail import event

INVALID_CODE = "Authentication code for device is not valid."
OF_ANOTHER = "MFA Device invalid for user."


def missing(serial):
    return f"MFA Device with serial number {serial} does not exist."


def serials(reply):
    return [device["SerialNumber"] for device in reply["MFADevices"]]


def enable(iam, user, device, codes=None):
    first, second = codes or device.pair()
    return iam.enable_mfa_device(UserName=user, SerialNumber=device.serial, AuthenticationCode1=first, AuthenticationCode2=second)


# Made, and its picture.


def test_a_virtual_device_is_made_with_a_seed_and_a_picture(account):
    name = fresh("device")
    reply = account.iam.create_virtual_mfa_device(VirtualMFADeviceName=name)
    assert set(body(reply)) == {"VirtualMFADevice"}
    device = reply["VirtualMFADevice"]
    assert set(device) == {"SerialNumber", "Base32StringSeed", "QRCodePNG"}
    assert device["SerialNumber"] == account.arn(f"mfa/{name}")
    assert re.fullmatch(rb"[A-Z2-7]{64}", device["Base32StringSeed"]) and len(base64.b32decode(device["Base32StringSeed"])) == 40
    assert device["QRCodePNG"].startswith(b"\x89PNG\r\n\x1a\n")


def modules(file):
    """The modules of a QR code in a grayscale PNG, read by the standard library; True is dark."""
    width, height, depth, color = struct.unpack(">IIBB", file[16:26])
    assert (depth, color) == (8, 0) and width == height
    data, at = b"", 8
    while at < len(file):
        length, kind = struct.unpack(">I4s", file[at:at + 8])
        content = file[at + 8:at + 8 + length]
        assert zlib.crc32(kind + content) == struct.unpack(">I", file[at + 8 + length:at + 12 + length])[0], "a chunk is damaged"
        data, at = data + (content if kind == b"IDAT" else b""), at + 12 + length
    raw, rows, before = zlib.decompress(data), [], bytearray(width)
    for y in range(height):
        filtered, row = raw[y * (width + 1)], bytearray(raw[y * (width + 1) + 1:(y + 1) * (width + 1)])
        for x in range(width):
            left, up, corner = (row[x - 1] if x else 0), before[x], (before[x - 1] if x else 0)
            guess = left + up - corner
            paeth = min((left, up, corner), key=lambda value: abs(guess - value))
            row[x] = (row[x] + [0, left, up, (left + up) // 2, paeth][filtered]) & 255
        rows.append(before := row)
    scale = 4
    small = [[row[x] < 128 for x in range(0, width, scale)] for row in rows[::scale]]
    assert not any(small[y][x] for y in range(len(small)) for x in range(len(small)) if min(x, y) < 4 or max(x, y) >= len(small) - 4), "the margin is white"
    return [row[4:-4] for row in small[4:-4]]


def read_qr(file):
    """The text of a QR code in byte mode, by ISO/IEC 18004: nothing is corrected, since nothing is damaged."""
    grid = modules(file)
    size = len(grid)
    version = (size - 17) // 4
    bits = "".join("1" if grid[8][x] else "0" for x in (0, 1, 2, 3, 4, 5, 7, 8)) + "".join("1" if grid[y][8] else "0" for y in (7, 5, 4, 3, 2, 1, 0))
    form = int(bits, 2) ^ 0b101010000010010
    level, mask = form >> 13, (form >> 10) & 7
    assert level == 0b00, "level M"
    masks = [lambda x, y: (x + y) % 2, lambda x, y: y % 2, lambda x, y: x % 3, lambda x, y: (x + y) % 3, lambda x, y: (y // 2 + x // 3) % 2,
             lambda x, y: (x * y) % 2 + (x * y) % 3, lambda x, y: ((x * y) % 2 + (x * y) % 3) % 2, lambda x, y: ((x + y) % 2 + (x * y) % 3) % 2]
    centres = {6: [6, 34], 7: [6, 22, 38], 8: [6, 24, 42], 9: [6, 26, 46], 10: [6, 28, 50], 11: [6, 30, 54], 12: [6, 32, 58]}[version]

    def is_function(x, y):
        finder = (x < 9 and y < 9) or (x >= size - 8 and y < 9) or (x < 9 and y >= size - 8)
        versioned = version >= 7 and ((x < 6 and y >= size - 11) or (y < 6 and x >= size - 11))
        corners = {(6, 6), (6, centres[-1]), (centres[-1], 6)}
        alignment = any(abs(x - a) <= 2 and abs(y - b) <= 2 for a in centres for b in centres if (a, b) not in corners)
        return finder or versioned or alignment or x == 6 or y == 6

    stream, up = [], True
    for right in [x for x in range(size - 1, 6, -2)] + [5, 3, 1]:
        for y in range(size - 1, -1, -1) if up else range(size):
            for x in (right, right - 1):
                if not is_function(x, y):
                    stream.append(grid[y][x] ^ (masks[mask](x, y) == 0))
        up = not up
    words = [int("".join("1" if bit else "0" for bit in stream[at:at + 8]), 2) for at in range(0, len(stream) - 7, 8)]
    # Blocks of data words at level M, short ones first.
    blocks = {6: [27] * 4, 7: [31] * 4, 8: [38] * 2 + [39] * 2, 9: [36] * 3 + [37] * 2, 10: [43] * 4 + [44], 11: [50] + [51] * 4, 12: [36] * 6 + [37] * 2}[version]
    parts, at = [[] for _ in blocks], 0
    for row in range(max(blocks)):
        for block, length in enumerate(blocks):
            if row < length:
                parts[block].append(words[at])
                at += 1
    text = "".join(f"{word:08b}" for part in parts for word in part)
    assert text[:4] == "0100", "byte mode"
    counted = 16 if version >= 10 else 8
    length = int(text[4:4 + counted], 2)
    return bytes(int(text[4 + counted + 8 * n:12 + counted + 8 * n], 2) for n in range(length)).decode()


def test_the_picture_is_a_qr_code_of_the_apps_address(server):
    account = server.account(fresh("pictured"))
    device = account.iam.create_virtual_mfa_device(VirtualMFADeviceName="al.ice+1@work")["VirtualMFADevice"]
    seed = device["Base32StringSeed"].decode()
    assert read_qr(device["QRCodePNG"]) == f"otpauth://totp/al.ice+1@work@{account.id}?secret={seed}"
    alias = fresh("pictured-alias")
    account.iam.create_account_alias(AccountAlias=alias)
    device = account.iam.create_virtual_mfa_device(VirtualMFADeviceName="a")["VirtualMFADevice"]
    assert read_qr(device["QRCodePNG"]) == f"otpauth://totp/a@{alias}?secret={device['Base32StringSeed'].decode()}"


def test_names_are_unique_with_their_path(account):
    name = fresh("device")
    Device.made(account.iam, name)
    with refused("EntityAlreadyExists", "MFA device already exists."):
        account.iam.create_virtual_mfa_device(VirtualMFADeviceName=name)
    with refused("EntityAlreadyExists"):
        account.iam.create_virtual_mfa_device(VirtualMFADeviceName=name.upper())
    assert Device.made(account.iam, name, Path="/app/").serial == account.arn(f"mfa/app/{name}")


def test_a_serial_number_that_nobody_could_name_is_refused(account):
    assert len(Device.made(account.iam, "x" * 226).serial) == 256
    with refused("ValidationError", "1 validation error detected: Value at 'virtualMFADeviceName' failed to satisfy constraint: Member must have length less than or equal to 226"):
        account.iam.create_virtual_mfa_device(VirtualMFADeviceName="x" * 227)
    with refused("ValidationError"):
        account.iam.create_virtual_mfa_device(VirtualMFADeviceName="x" * 226, Path="/p/")


# Enabled.


def test_two_consecutive_codes_make_it_a_users(account):
    user, device = account.user(key=False), Device.made(account.iam)
    before = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=2)
    assert body(enable(account.iam, user.name, device)) == {}
    listed = account.iam.list_mfa_devices(UserName=user.name)
    assert set(body(listed)) == {"MFADevices", "IsTruncated"} and listed["IsTruncated"] is False
    [shown] = listed["MFADevices"]
    assert set(shown) == {"UserName", "SerialNumber", "EnableDate"}
    assert (shown["UserName"], shown["SerialNumber"]) == (user.name, device.serial) and shown["EnableDate"] >= before
    got = body(account.iam.get_mfa_device(UserName=user.name, SerialNumber=device.serial))
    assert got == {"UserName": user.name, "SerialNumber": device.serial, "EnableDate": shown["EnableDate"]}


@pytest.mark.parametrize("steps", [(0, 0), (0, -1), (-1, 1), (-60, -59), (59, 60)], ids=["one code twice", "backwards", "one left out", "long ago", "far ahead"])
def test_codes_that_do_not_follow_each_other_enable_nothing(account, steps):
    user, device = account.user(key=False), Device.made(account.iam)
    with refused("InvalidAuthenticationCode", INVALID_CODE):
        enable(account.iam, user.name, device, [device.at(away) for away in steps])
    assert serials(account.iam.list_mfa_devices(UserName=user.name)) == []


def test_a_code_early_or_late_by_a_step_is_as_good(account):
    user = account.user(key=False)
    for steps in ((-2, -1), (-1, 0), (0, 1)):
        device = Device.made(account.iam)
        enable(account.iam, user.name, device, [device.at(away) for away in steps])


def test_a_device_of_somebody_cannot_be_enabled_again(account):
    user, other = account.user(key=False), account.user(key=False)
    device = device_of(account, user)
    with refused("EntityAlreadyExists", f"MFA Device for user {user.name} already exists."):
        enable(account.iam, user.name, device, ["123456", "654321"])
    with refused("EntityAlreadyExists", "MFA Device is already in use."):
        enable(account.iam, other.name, device, ["123456", "654321"])


def test_what_is_missing_is_told(account):
    user, serial = account.user(key=False), account.arn("mfa/none")
    codes = {"AuthenticationCode1": "123456", "AuthenticationCode2": "654321"}
    for call in (account.iam.enable_mfa_device, account.iam.resync_mfa_device):
        with refused("NoSuchEntity", "The user with name none cannot be found."):
            call(UserName="none", SerialNumber=serial, **codes)
        with refused("NoSuchEntity", missing(serial)):
            call(UserName=user.name, SerialNumber=serial, **codes)
    for call in (account.iam.deactivate_mfa_device, account.iam.get_mfa_device):
        with refused("NoSuchEntity", "The user with name none cannot be found."):
            call(UserName="none", SerialNumber=serial)
        with refused("NoSuchEntity", missing(serial)):
            call(UserName=user.name, SerialNumber=serial)
    with refused("NoSuchEntity", missing(serial)):
        account.iam.delete_virtual_mfa_device(SerialNumber=serial)
    with refused("NoSuchEntity", "The user with name none cannot be found."):
        account.iam.list_mfa_devices(UserName="none")


def test_eight_devices_a_user(account):
    user = account.user(key=False)
    for _ in range(8):
        device_of(account, user)
    ninth = Device.made(account.iam)
    with refused("LimitExceeded", "Cannot exceed quota for MFADevicesPerUser: 8"):
        enable(account.iam, user.name, ninth)
    pages = list(account.iam.get_paginator("list_mfa_devices").paginate(UserName=user.name, PaginationConfig={"PageSize": 3}))
    assert [len(page["MFADevices"]) for page in pages] == [3, 3, 2]
    listed = serials(pages[0]) + serials(pages[1]) + serials(pages[2])
    assert len(set(listed)) == 8 and listed == sorted(listed)
    account.iam.deactivate_mfa_device(UserName=user.name, SerialNumber=listed[0])
    ninth.enable(account.iam, user.name)


# Synchronized.


def test_a_clock_that_is_off_is_taken_by_a_resync(account):
    user = account.user()
    device = device_of(account, user)
    device.ahead = 40
    with refused("AccessDenied"):
        user.sts.get_session_token(SerialNumber=device.serial, TokenCode=device.at())
    assert body(account.iam.resync_mfa_device(UserName=user.name, SerialNumber=device.serial, AuthenticationCode1=device.at(-1), AuthenticationCode2=device.at())) == {}
    user.sts.get_session_token(SerialNumber=device.serial, TokenCode=device.at(1))
    with refused("AccessDenied"):
        user.sts.get_session_token(SerialNumber=device.serial, TokenCode=code(device.seed, device.step - 40 + 1))


def test_a_resync_takes_two_consecutive_codes_of_this_device(account):
    user, other = account.user(key=False), account.user(key=False)
    device, foreign = device_of(account, user), device_of(account, other)
    for codes in ([device.at(30), device.at(30)], [device.at(30), device.at(32)], [foreign.at(30), foreign.at(31)], [device.at(1000), device.at(1001)]):
        with refused("InvalidAuthenticationCode", INVALID_CODE):
            account.iam.resync_mfa_device(UserName=user.name, SerialNumber=device.serial, AuthenticationCode1=codes[0], AuthenticationCode2=codes[1])
    with refused("NoSuchEntity", OF_ANOTHER):
        account.iam.resync_mfa_device(UserName=other.name, SerialNumber=device.serial, AuthenticationCode1=device.at(30), AuthenticationCode2=device.at(31))


def test_a_code_that_enabled_a_device_does_not_synchronize_it(account):
    """No code works twice, whichever operation takes it."""
    user, device = account.user(key=False), Device.made(account.iam)
    first, second = device.pair()
    enable(account.iam, user.name, device, (first, second))
    with refused("InvalidAuthenticationCode", INVALID_CODE):
        account.iam.resync_mfa_device(UserName=user.name, SerialNumber=device.serial, AuthenticationCode1=first, AuthenticationCode2=second)
    account.iam.deactivate_mfa_device(UserName=user.name, SerialNumber=device.serial)
    with refused("InvalidAuthenticationCode", INVALID_CODE):
        enable(account.iam, user.name, device, (first, second))


# Deactivated and deleted.


def test_deactivated_then_deleted(account):
    user, device = account.user(key=False), Device.made(account.iam)
    device.enable(account.iam, user.name)
    with refused("DeleteConflict", "MFA VirtualDevice in use. Must deactivate first."):
        account.iam.delete_virtual_mfa_device(SerialNumber=device.serial)
    assert body(account.iam.deactivate_mfa_device(UserName=user.name, SerialNumber=device.serial)) == {}
    assert serials(account.iam.list_mfa_devices(UserName=user.name)) == []
    with refused("NoSuchEntity", OF_ANOTHER):
        account.iam.deactivate_mfa_device(UserName=user.name, SerialNumber=device.serial)
    assert body(account.iam.delete_virtual_mfa_device(SerialNumber=device.serial)) == {}
    with refused("NoSuchEntity", missing(device.serial)):
        account.iam.delete_virtual_mfa_device(SerialNumber=device.serial)
    again = Device.made(account.iam, device.serial.rsplit("/", 1)[1])
    assert again.serial == device.serial and again.seed != device.seed


def test_a_device_of_another_user_is_not_taken_away_by_the_wrong_name(account):
    user, other = account.user(key=False), account.user(key=False)
    device = device_of(account, user)
    for call in (account.iam.deactivate_mfa_device, account.iam.get_mfa_device):
        with refused("NoSuchEntity", OF_ANOTHER):
            call(UserName=other.name, SerialNumber=device.serial)
    assert serials(account.iam.list_mfa_devices(UserName=user.name)) == [device.serial]


def test_a_user_with_a_device_cannot_be_deleted(account):
    user = account.user(key=False)
    device = device_of(account, user)
    with refused("DeleteConflict", "Cannot delete entity, must remove tokens from principal first."):
        account.iam.delete_user(UserName=user.name)
    account.iam.deactivate_mfa_device(UserName=user.name, SerialNumber=device.serial)
    account.iam.delete_user(UserName=user.name)
    unassigned = account.iam.list_virtual_mfa_devices(AssignmentStatus="Unassigned")["VirtualMFADevices"]
    assert device.serial in {each["SerialNumber"] for each in unassigned}


def test_a_renamed_user_keeps_its_device(account):
    user = account.user()
    device, renamed = device_of(account, user), fresh("renamed")
    account.iam.update_user(UserName=user.name, NewUserName=renamed)
    assert account.iam.list_mfa_devices(UserName=renamed)["MFADevices"][0]["UserName"] == renamed
    user.sts.get_session_token(**device.shown())


def test_a_user_of_the_same_name_inherits_no_device(account):
    user = account.user(key=False)
    device = device_of(account, user)
    account.iam.deactivate_mfa_device(UserName=user.name, SerialNumber=device.serial)
    account.iam.delete_user(UserName=user.name)
    again = account.user(name=user.name)
    with refused("AccessDenied"):
        again.sts.get_session_token(**device.shown())


# Lists.


def test_virtual_devices_are_listed_with_their_users(server):
    account = server.account(fresh("listing"))
    user = account.user(key=False, Tags=[{"Key": "team", "Value": "red"}])
    mine, free = device_of(account, user), Device.made(account.iam)
    shown = {each["SerialNumber"]: each for each in account.iam.list_virtual_mfa_devices()["VirtualMFADevices"]}
    assert set(shown) == {mine.serial, free.serial}
    assert set(shown[free.serial]) == {"SerialNumber"}
    assert set(shown[mine.serial]) == {"SerialNumber", "User", "EnableDate"}
    assert set(shown[mine.serial]["User"]) == {"Path", "UserName", "UserId", "Arn", "CreateDate"}
    assert shown[mine.serial]["User"]["Arn"] == user.arn
    for status, wanted in (("Any", {mine.serial, free.serial}), ("Assigned", {mine.serial}), ("Unassigned", {free.serial})):
        listed = account.iam.list_virtual_mfa_devices(AssignmentStatus=status)
        assert {each["SerialNumber"] for each in listed["VirtualMFADevices"]} == wanted and listed["IsTruncated"] is False
    with refused("ValidationError", re.compile("at 'assignmentStatus' failed to satisfy constraint: Member must satisfy enum value set")):
        account.iam.list_virtual_mfa_devices(AssignmentStatus="Lost")


def test_virtual_devices_are_paged(server):
    account = server.account(fresh("paging"))
    made = [Device.made(account.iam, f"d{n}").serial for n in range(5)]
    pages = list(account.iam.get_paginator("list_virtual_mfa_devices").paginate(PaginationConfig={"PageSize": 2}))
    assert [[each["SerialNumber"] for each in page["VirtualMFADevices"]] for page in pages] == [made[:2], made[2:4], made[4:]]


# Root, and whoever names nobody.


def test_root_has_devices_of_its_own(server):
    account = server.account(fresh("rooted"))
    account.user(key=False)
    device = Device.made(account.iam, "root-account-mfa-device")
    assert device.serial == account.arn("mfa/root-account-mfa-device")
    assert summary(account)["AccountMFAEnabled"] == 0
    device.enable(account.iam, "root")
    assert summary(account)["AccountMFAEnabled"] == 1
    [shown] = account.iam.list_mfa_devices()["MFADevices"]
    assert shown["SerialNumber"] == device.serial and "UserName" not in shown
    assert set(body(account.iam.get_mfa_device(SerialNumber=device.serial))) == {"SerialNumber", "EnableDate"}
    [listed] = account.iam.list_virtual_mfa_devices(AssignmentStatus="Assigned")["VirtualMFADevices"]
    assert listed["User"] == {"UserId": account.id, "Arn": account.root_arn, "CreateDate": listed["User"]["CreateDate"]}
    account.iam.resync_mfa_device(UserName="root", SerialNumber=device.serial, AuthenticationCode1=device.at(30), AuthenticationCode2=device.at(31))
    account.iam.deactivate_mfa_device(SerialNumber=device.serial)
    assert summary(account)["AccountMFAEnabled"] == 0 and account.iam.list_mfa_devices()["MFADevices"] == []


def test_only_root_is_called_root_and_only_where_no_user_is(server):
    account = server.account(fresh("named-root"))
    administrator, device = account.user(allow("*")), Device.made(account.iam)
    codes = device.pair()
    with refused("NoSuchEntity", "The user with name root cannot be found."):
        enable(administrator.iam, "root", device, codes)
    user = account.user(name="root", key=False)
    enable(account.iam, "root", device, codes)
    assert account.iam.list_mfa_devices(UserName=user.name)["MFADevices"][0]["UserName"] == "root"
    assert account.iam.list_mfa_devices()["MFADevices"] == []


def test_without_a_name_they_are_the_callers_own(account):
    user = account.user(allow("iam:*"))
    device = device_of(account, user)
    assert serials(user.iam.list_mfa_devices()) == [device.serial]
    assert user.iam.get_mfa_device(SerialNumber=device.serial)["UserName"] == user.name
    user.session_token(**device.shown()).iam.deactivate_mfa_device(SerialNumber=device.serial)
    session = account.user(allow("sts:AssumeRole")).assume(account.role(allow("iam:*")))
    for call, more in ((session.iam.list_mfa_devices, {}), (session.iam.get_mfa_device, {"SerialNumber": device.serial}), (session.iam.deactivate_mfa_device, {"SerialNumber": device.serial})):
        with refused("ValidationError", "Must specify userName when calling with non-User credentials"):
            call(**more)


def summary(account):
    return account.iam.get_account_summary()["SummaryMap"]


def test_the_summary_counts_devices(server):
    account = server.account(fresh("counted"))
    assert [summary(account)[name] for name in ("MFADevices", "MFADevicesInUse", "AccountMFAEnabled")] == [0, 0, 0]
    device_of(account, account.user(key=False))
    Device.made(account.iam)
    assert [summary(account)[name] for name in ("MFADevices", "MFADevicesInUse", "AccountMFAEnabled")] == [2, 1, 0]


# Tags.


def test_tags(account):
    device = Device.made(account.iam, Tags=[{"Key": "team", "Value": "red"}])
    assert account.iam.list_mfa_device_tags(SerialNumber=device.serial)["Tags"] == [{"Key": "team", "Value": "red"}]
    assert body(account.iam.tag_mfa_device(SerialNumber=device.serial, Tags=[{"Key": "Team", "Value": "blue"}, {"Key": "team", "Value": "green"}])) == {}
    listed = account.iam.list_mfa_device_tags(SerialNumber=device.serial)
    assert {(tag["Key"], tag["Value"]) for tag in listed["Tags"]} == {("team", "green"), ("Team", "blue")} and listed["IsTruncated"] is False
    assert body(account.iam.untag_mfa_device(SerialNumber=device.serial, TagKeys=["team", "none"])) == {}
    assert account.iam.list_mfa_device_tags(SerialNumber=device.serial)["Tags"] == [{"Key": "Team", "Value": "blue"}]
    account.iam.tag_mfa_device(SerialNumber=device.serial, Tags=[{"Key": f"k{n}", "Value": ""} for n in range(49)])
    with refused("LimitExceeded"):
        account.iam.tag_mfa_device(SerialNumber=device.serial, Tags=[{"Key": "one-more", "Value": ""}])
    pages = list(account.iam.get_paginator("list_mfa_device_tags").paginate(SerialNumber=device.serial, PaginationConfig={"PageSize": 20}))
    assert [len(page["Tags"]) for page in pages] == [20, 20, 10]
    with refused("InvalidInput"):
        account.iam.tag_mfa_device(SerialNumber=device.serial, Tags=[{"Key": "aws:x", "Value": ""}])
    serial = account.arn("mfa/none")
    for call, more in ((account.iam.tag_mfa_device, {"Tags": [{"Key": "a", "Value": "b"}]}), (account.iam.untag_mfa_device, {"TagKeys": ["a"]}), (account.iam.list_mfa_device_tags, {})):
        with refused("NoSuchEntity", missing(serial)):
            call(SerialNumber=serial, **more)


def test_a_device_is_created_with_its_tags_in_the_answer(account):
    tags = [{"Key": "team", "Value": "red"}]
    assert account.iam.create_virtual_mfa_device(VirtualMFADeviceName=fresh("device"), Tags=tags)["VirtualMFADevice"]["Tags"] == tags


def test_the_tags_of_a_device_decide(account):
    user = account.user(allow("iam:DeleteVirtualMFADevice", condition={"StringEquals": {"aws:ResourceTag/team": "red"}}))
    red, blue = (Device.made(account.iam, Tags=[{"Key": "team", "Value": team}]) for team in ("red", "blue"))
    user.iam.delete_virtual_mfa_device(SerialNumber=red.serial)
    with refused("AccessDenied", denial(user.arn, "iam:DeleteVirtualMFADevice", blue.serial)):
        user.iam.delete_virtual_mfa_device(SerialNumber=blue.serial)


# Who may.


def test_a_user_manages_its_own_device_and_no_other(account):
    """AWS's policy for users who enrol themselves."""
    own = "arn:aws:iam::*:user/${aws:username}"
    user = account.user(allow(["iam:EnableMFADevice", "iam:ResyncMFADevice", "iam:ListMFADevices", "iam:GetMFADevice", "iam:DeactivateMFADevice"], own),
                        allow("iam:CreateVirtualMFADevice", "arn:aws:iam::*:mfa/*"))
    victim = account.user(key=False)
    device = Device.made(user.iam, f"{user.name}-phone")
    device.enable(user.iam, user.name)
    codes = {"AuthenticationCode1": "123456", "AuthenticationCode2": "654321"}
    for call, more in ((user.iam.enable_mfa_device, codes), (user.iam.resync_mfa_device, codes), (user.iam.deactivate_mfa_device, {}), (user.iam.get_mfa_device, {})):
        with refused("AccessDenied", re.compile(re.escape(f"on resource: user {victim.name} because"))):
            call(UserName=victim.name, SerialNumber=device.serial, **more)
    with refused("AccessDenied", denial(user.arn, "iam:DeleteVirtualMFADevice", device.serial)):
        user.iam.delete_virtual_mfa_device(SerialNumber=device.serial)
    with refused("AccessDenied", SHOW_A_DEVICE):
        user.iam.deactivate_mfa_device(UserName=user.name, SerialNumber=device.serial)


SHOW_A_DEVICE = "To complete this action, please ensure that you are authenticated with an MFA device that is enabled for this user."


def test_a_stolen_key_neither_adds_nor_removes_a_device_of_its_user(account):
    """The first one is enabled with nothing but a key; from then on it takes a session that showed one, whatever the policies allow."""
    user = account.user(allow("*"))
    first, second, third, spare = (Device.made(account.iam) for _ in range(4))
    first.enable(user.iam, user.name)
    for device in (second, first):
        with refused("AccessDenied", SHOW_A_DEVICE):
            enable(user.iam, user.name, device)
    for serial in (first.serial, account.arn("mfa/none")):
        with refused("AccessDenied", SHOW_A_DEVICE):
            user.iam.deactivate_mfa_device(UserName=user.name, SerialNumber=serial)
    with refused("InvalidAuthenticationCode"):
        user.iam.resync_mfa_device(UserName=user.name, SerialNumber=first.serial, AuthenticationCode1=first.wrong(), AuthenticationCode2=first.wrong())
    other = account.user(key=False)
    enable(user.iam, other.name, spare)
    user.iam.deactivate_mfa_device(UserName=other.name, SerialNumber=spare.serial)
    shown = user.session_token(**first.shown())
    enable(shown.iam, user.name, second)
    for serial in (first.serial, second.serial):
        shown.iam.deactivate_mfa_device(UserName=user.name, SerialNumber=serial)
    third.enable(user.iam, user.name)


def test_creating_with_tags_is_a_right_of_its_own(account):
    user = account.user(allow("iam:CreateVirtualMFADevice"))
    Device.made(user.iam)
    with refused("AccessDenied", re.compile("iam:TagMFADevice")):
        Device.made(user.iam, Tags=[{"Key": "a", "Value": "b"}])


def test_a_device_of_another_account_is_out_of_reach(account, other_account):
    """A serial number names nothing outside of its own account, whoever asks."""
    foreign, user = Device.made(other_account.iam), account.user(allow("*"))
    first, second = foreign.pair()
    for caller in (account.root, user):
        for call, more in (("delete_virtual_mfa_device", {}), ("tag_mfa_device", {"Tags": [{"Key": "a", "Value": "b"}]}), ("list_mfa_device_tags", {})):
            assert outcome(getattr(caller.iam, call), SerialNumber=foreign.serial, **more) in {"AccessDenied", "NoSuchEntity"}
        with refused("NoSuchEntity", missing(foreign.serial)):
            caller.iam.enable_mfa_device(UserName=user.name, SerialNumber=foreign.serial, AuthenticationCode1=first, AuthenticationCode2=second)
    enable(other_account.iam, other_account.user(key=False).name, foreign, (first, second))


# Nothing leaks.


def test_neither_a_seed_nor_a_code_is_in_the_trail_or_the_log(server, account):
    user, device = account.user(key=False), Device.made(account.iam)
    seed = base64.b32encode(device.seed).decode()
    assert seed in ledger.SECRETS, "the search at the end of the suite looks for it too"
    first, second = device.pair()
    reply = enable(account.iam, user.name, device, (first, second))
    recorded = event(server, reply)
    assert recorded["requestParameters"] == {"userName": user.name, "serialNumber": device.serial} and recorded["responseElements"] is None
    made = account.iam.create_virtual_mfa_device(VirtualMFADeviceName=fresh("device"))
    assert event(server, made)["responseElements"] == {"virtualMFADevice": {"serialNumber": made["VirtualMFADevice"]["SerialNumber"]}}
    with refused("InvalidAuthenticationCode") as told:
        account.iam.resync_mfa_device(UserName=user.name, SerialNumber=device.serial, AuthenticationCode1=device.wrong(), AuthenticationCode2=device.wrong())
    failed = event(server, told.request_id)
    assert failed["errorCode"] in {"InvalidAuthenticationCode", "InvalidAuthenticationCodeException"}
    assert set(failed["requestParameters"]) == {"userName", "serialNumber"}
    assert seed not in server.trail() and seed not in server.logged()


def test_a_bad_code_is_not_shown_in_an_error(account):
    with pytest.raises(account.iam.exceptions.ClientError) as caught:
        account.root.unchecked().enable_mfa_device(UserName="alice", SerialNumber=account.arn("mfa/none"), AuthenticationCode1="98765x", AuthenticationCode2="9876543")
    assert caught.value.response["Error"]["Code"] == "ValidationError"
    assert "98765" not in str(caught.value)


def test_a_stranger_with_a_key_id_learns_nothing(account):
    forged = Principal(account.server, account.user().key_id, "x" * 40)
    with refused("SignatureDoesNotMatch"):
        forged.iam.list_virtual_mfa_devices()
