"""SSH public keys: both encodings in and out, fingerprints, five a user, and what is no key."""

import re
import subprocess

import pytest

from harness.expecting import denial, refused
from harness.principals import allow, body

NONE = "APKAWALKNONEWALKNONE1"


class Pair:
    """A key pair that ssh-keygen made, in every form that it knows."""

    def __init__(self, folder, kind="rsa", bits=2048):
        self.private = folder / f"{kind}-{bits}-{len(list(folder.iterdir()))}"
        self._run("-q", "-t", kind, *(["-b", str(bits)] if kind == "rsa" else []), "-N", "", "-C", "alice@example.com", "-f", str(self.private))
        self.public = self.private.with_suffix(".pub") if not self.private.suffix else self.private.parent / (self.private.name + ".pub")
        self.text = self.public.read_text()
        self.line = " ".join(self.text.split()[:2])

    def _run(self, *arguments):
        return subprocess.run(["ssh-keygen", *arguments], capture_output=True, text=True, check=True).stdout

    @property
    def pem(self):
        return self._run("-e", "-m", "PKCS8", "-f", str(self.public))

    @property
    def pkcs1(self):
        return self._run("-e", "-m", "PEM", "-f", str(self.public))

    @property
    def md5(self):
        return self._run("-l", "-E", "md5", "-f", str(self.public)).split()[1].removeprefix("MD5:")

    @property
    def sha256(self):
        return self._run("-l", "-f", str(self.public)).split()[1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("keys")


@pytest.fixture(scope="module")
def pairs(folder):
    return [Pair(folder) for _ in range(6)]


@pytest.fixture
def user(account):
    return account.user(key=False)


def upload(account, user, text):
    return account.iam.upload_ssh_public_key(UserName=user.name, SSHPublicKeyBody=text)["SSHPublicKey"]


def got(account, user, key_id, encoding="SSH"):
    return account.iam.get_ssh_public_key(UserName=user.name, SSHPublicKeyId=key_id, Encoding=encoding)["SSHPublicKey"]


def test_upload_answers_the_key_with_its_fingerprint(account, user, pairs):
    reply = account.iam.upload_ssh_public_key(UserName=user.name, SSHPublicKeyBody=pairs[0].text)
    assert set(body(reply)) == {"SSHPublicKey"}
    key = reply["SSHPublicKey"]
    assert set(key) == {"UserName", "SSHPublicKeyId", "Fingerprint", "SSHPublicKeyBody", "Status", "UploadDate"}
    assert re.fullmatch(r"APKA[A-Z2-7]{17}", key["SSHPublicKeyId"])
    assert (key["UserName"], key["Status"], key["Fingerprint"]) == (user.name, "Active", pairs[0].md5)
    assert key["SSHPublicKeyBody"].split() == pairs[0].text.split()


@pytest.mark.parametrize("form", ["line", "text", "pem", "pkcs1"])
def test_whatever_the_encoding_of_the_upload_it_is_got_in_both(account, user, pairs, form):
    pair = pairs[1]
    key_id = upload(account, user, getattr(pair, form))["SSHPublicKeyId"]
    assert got(account, user, key_id)["SSHPublicKeyBody"] == pair.line
    assert got(account, user, key_id, "PEM")["SSHPublicKeyBody"] == pair.pem
    assert got(account, user, key_id)["Fingerprint"] == pair.md5


def test_lists_show_no_text(account, user, pairs):
    key = upload(account, user, pairs[0].line)
    reply = account.iam.list_ssh_public_keys(UserName=user.name)
    assert set(body(reply)) == {"SSHPublicKeys", "IsTruncated"}
    assert reply["SSHPublicKeys"] == [{name: key[name] for name in ("UserName", "SSHPublicKeyId", "Status", "UploadDate")}]


def test_lists_are_paged(account, user, pairs):
    made = {upload(account, user, pair.line)["SSHPublicKeyId"] for pair in pairs[:3]}
    pages = list(account.iam.get_paginator("list_ssh_public_keys").paginate(UserName=user.name, PaginationConfig={"PageSize": 1}))
    assert [len(page["SSHPublicKeys"]) for page in pages] == [1, 1, 1]
    assert {page["SSHPublicKeys"][0]["SSHPublicKeyId"] for page in pages} == made


def test_a_sixth_key_is_refused(account, user, pairs):
    made = [upload(account, user, pair.line) for pair in pairs[:5]]
    with refused("LimitExceeded", "Cannot exceed quota for SSHPublicKeysPerUser: 5"):
        upload(account, user, pairs[5].line)
    account.iam.delete_ssh_public_key(UserName=user.name, SSHPublicKeyId=made[0]["SSHPublicKeyId"])
    upload(account, user, pairs[5].line)


def test_one_user_cannot_have_a_key_twice_and_two_users_can(account, user, pairs):
    upload(account, user, pairs[0].line)
    for text in (pairs[0].text, pairs[0].pem, pairs[0].pkcs1):
        with refused("DuplicateSSHPublicKey"):
            upload(account, user, text)
    upload(account, account.user(key=False), pairs[0].line)


def test_what_is_no_key_is_refused(account, user, pairs, folder):
    short, ed25519 = Pair(folder, bits=1024), Pair(folder, kind="ed25519")
    line = pairs[0].line
    for text in (short.line, ed25519.line, "ssh-rsa AAAA", line[:-8], line.replace("AAAAB3", "AAAAB4"), "-----BEGIN PUBLIC KEY-----\nbm90IGEga2V5\n-----END PUBLIC KEY-----\n"):
        with refused("InvalidPublicKey"):
            upload(account, user, text)
    for text in ("not a key", "AAAA", f'command="id" {line}', pairs[0].private.read_text(), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"):
        with refused("UnrecognizedPublicKeyEncoding"):
            upload(account, user, text)
    assert account.iam.list_ssh_public_keys(UserName=user.name)["SSHPublicKeys"] == []


def test_the_longest_key_is_taken(account, user, folder):
    """16,384 bits take ssh-keygen minutes: one of 4,096, and a public half that was made up."""
    pair = Pair(folder, bits=4096)
    assert upload(account, user, pair.line)["Fingerprint"] == pair.md5
    import base64

    def part(data):
        return len(data).to_bytes(4, "big") + data

    def made_up(size):
        number = b"\x00" + b"\xc1" + b"\x55" * (size // 8 - 1)
        return "ssh-rsa " + base64.b64encode(part(b"ssh-rsa") + part(b"\x01\x00\x01") + part(number)).decode()

    upload(account, user, made_up(16384))
    with refused("InvalidPublicKey"):
        upload(account, user, made_up(16384 + 8))


def test_status_is_switched_and_expired_cannot_be_set(account, user, pairs):
    one = {"UserName": user.name, "SSHPublicKeyId": upload(account, user, pairs[0].line)["SSHPublicKeyId"]}
    assert body(account.iam.update_ssh_public_key(Status="Inactive", **one)) == {}
    assert got(account, user, one["SSHPublicKeyId"])["Status"] == "Inactive"
    account.iam.update_ssh_public_key(Status="Active", **one)
    with refused("InvalidInput"):
        account.iam.update_ssh_public_key(Status="Expired", **one)
    with refused("ValidationError", "1 validation error detected: Value at 'encoding' failed to satisfy constraint: Member must satisfy enum value set: [SSH, PEM]"):
        account.root.unchecked().get_ssh_public_key(Encoding="DER", **one)


CALLS = [("get", {"Encoding": "SSH"}), ("update", {"Status": "Active"}), ("delete", {})]


@pytest.mark.parametrize("name, more", CALLS, ids=[name for name, _ in CALLS])
def test_the_user_comes_before_the_key(account, user, pairs, name, more):
    call = getattr(account.iam, f"{name}_ssh_public_key")
    with refused("NoSuchEntity", "The user with name nobody-there cannot be found."):
        call(UserName="nobody-there", SSHPublicKeyId=NONE, **more)
    stranger = upload(account, account.user(key=False), pairs[0].line)["SSHPublicKeyId"]
    with refused("NoSuchEntity", f"The Public Key with id {NONE} cannot be found."):
        call(UserName=user.name, SSHPublicKeyId=NONE, **more)
    with refused("NoSuchEntity", f"User has no Public Key with id {stranger}."):
        call(UserName=user.name, SSHPublicKeyId=stranger, **more)


def test_an_unknown_user_has_no_keys(account, pairs):
    for call, more in [(account.iam.upload_ssh_public_key, {"SSHPublicKeyBody": pairs[0].line}), (account.iam.list_ssh_public_keys, {})]:
        with refused("NoSuchEntity", "The user with name nobody-there cannot be found."):
            call(UserName="nobody-there", **more)


def test_a_user_with_a_key_is_not_deleted(account, user, pairs):
    key = upload(account, user, pairs[0].line)
    with refused("DeleteConflict", "Cannot delete entity, must remove referenced objects first."):
        account.iam.delete_user(UserName=user.name)
    account.iam.delete_ssh_public_key(UserName=user.name, SSHPublicKeyId=key["SSHPublicKeyId"])
    account.iam.delete_user(UserName=user.name)


def test_without_a_name_they_are_the_callers_own(account, pairs):
    user = account.user(allow("iam:*"))
    key = upload(account, user, pairs[0].line)["SSHPublicKeyId"]
    assert [each["SSHPublicKeyId"] for each in user.iam.list_ssh_public_keys()["SSHPublicKeys"]] == [key]
    assert body(account.iam.list_ssh_public_keys()) == {"SSHPublicKeys": [], "IsTruncated": False}, "root has none"
    session = account.user(allow("sts:AssumeRole")).assume(account.role(allow("*")))
    with refused("ValidationError", "Must specify userName when calling with non-User credentials"):
        session.iam.list_ssh_public_keys()


def test_a_user_may_be_let_manage_their_own_keys_and_no_others(account, user, pairs):
    own = account.user(allow(["iam:*SSHPublicKey*"], "arn:aws:iam::*:user/${aws:username}"))
    key = own.iam.upload_ssh_public_key(UserName=own.name, SSHPublicKeyBody=pairs[0].line)["SSHPublicKey"]["SSHPublicKeyId"]
    own.iam.update_ssh_public_key(UserName=own.name, SSHPublicKeyId=key, Status="Inactive")
    theirs = upload(account, user, pairs[1].line)["SSHPublicKeyId"]
    for name, parameters in [("upload", {"SSHPublicKeyBody": pairs[2].line}), *((name, {"SSHPublicKeyId": theirs, **more}) for name, more in CALLS)]:
        with refused("AccessDenied", denial(own.arn, f"iam:{name.capitalize()}SSHPublicKey", (f"user {user.name}", user.arn))):
            getattr(own.iam, f"{name}_ssh_public_key")(UserName=user.name, **parameters)
    with refused("AccessDenied"):
        own.iam.list_ssh_public_keys(UserName=user.name)
