"""Starting: by hand and unattended, what is printed, what lies on disk, what stops a start, and how a server ends."""

import os
import re
import shutil
import socket
import stat
import threading
import time

import pytest

from harness import ledger
from harness.expecting import INVALID_TOKEN, refused
from harness.principals import Principal, fresh
from harness.server import FIRST_ACCOUNT, Server, binary, exported, new_secret
from harness.signing import query


@pytest.fixture
def by_hand(tmp_path):
    """A server without anything in its environment, as `make run` starts it."""
    made = Server(tmp_path / "data", unattended=False)
    yield made
    made.kill()


def printed_root(server):
    lines = exported(server.printed())
    return Principal(server, lines["AWS_ACCESS_KEY_ID"], ledger.keep(lines["AWS_SECRET_ACCESS_KEY"], "root's secret, printed at the first start"))


def again(server):
    """The same server, started once more on its directory."""
    server.out.write_text("")
    return server.start()


# By hand.


def test_the_first_start_prints_roots_key_once(by_hand):
    by_hand.start()
    root = printed_root(by_hand)
    assert root.identity()["Arn"].endswith(":root")
    assert by_hand.printed().count(root.secret) == 1 and root.secret not in by_hand.logged()
    by_hand.terminate()
    again(by_hand)
    assert "export" not in by_hand.printed() and root.secret not in by_hand.printed() + by_hand.logged()
    assert root.identity()["Arn"].endswith(":root")


def test_a_first_start_is_ready_in_a_moment(tmp_path):
    """300 ms, of a release build; the best of three, since other work may be in the way."""
    limit = 0.3 if "release" in binary() else 1.5
    taken = []
    for number in range(3):
        server = Server(tmp_path / f"data{number}", unattended=False)
        started = time.monotonic()
        server.start()
        taken.append(time.monotonic() - started)
        server.kill()
    assert min(taken) <= limit, taken


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_the_directory_is_the_owners_whatever_the_umask(by_hand, mask):
    before = os.umask(mask)
    try:
        by_hand.start()
    finally:
        os.umask(before)
    root = printed_root(by_hand)
    root.iam.create_user(UserName="someone")
    time.sleep(0.2)
    assert stat.S_IMODE(by_hand.data_dir.stat().st_mode) == 0o700
    for path in by_hand.data_dir.rglob("*"):
        wanted = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == wanted, path


def test_data_survives_a_restart(own_server):
    own_server.start()
    account = own_server.first_account()
    user = account.user()
    session = user.session_token()
    assert own_server.terminate() == 0
    again(own_server)
    assert user.identity()["UserId"] == user.unique_id
    assert session.identity()["UserId"] == user.unique_id, "the sealing key is kept"


# Unattended.


def test_the_environment_names_the_first_account(own_server):
    own_server.start()
    assert own_server.root.identity() == {"UserId": FIRST_ACCOUNT, "Account": FIRST_ACCOUNT, "Arn": f"arn:aws:iam::{FIRST_ACCOUNT}:root"}
    assert own_server.root.secret not in own_server.printed() + own_server.logged()


@pytest.mark.parametrize("key_id", ["A" * 16, "minioadmin_root_", "x" * 128, "AKIAIOSFODNN7EXAMPLE"])
def test_any_key_id_will_do(tmp_path, key_id):
    secret = ledger.keep("p" * 20 + fresh("secret-of-any-signs-!$%&/()=") + "q" * 20, "root's secret")
    server = Server(tmp_path / "data", environment={"BAILIWICK_ROOT_ACCESS_KEY_ID": key_id, "BAILIWICK_ROOT_SECRET_ACCESS_KEY": secret}).start()
    assert Principal(server, key_id, secret).identity()["Account"] == FIRST_ACCOUNT
    server.kill()


@pytest.mark.parametrize("changes", [{"BAILIWICK_ROOT_ACCESS_KEY_ID": "short"}, {"BAILIWICK_ROOT_ACCESS_KEY_ID": "x" * 129}, {"BAILIWICK_ROOT_ACCESS_KEY_ID": "with-dashes-are-not-ok"},
                                     {"BAILIWICK_ROOT_SECRET_ACCESS_KEY": "too-short"}, {"BAILIWICK_ROOT_SECRET_ACCESS_KEY": "x" * 20 + " " + "x" * 20}, {"BAILIWICK_ACCOUNT_ID": "12345"}])
def test_bad_values_stop_the_start_and_are_not_repeated(tmp_path, changes):
    server = Server(tmp_path / "data", environment=changes)
    said = server.refuses_to_start()
    (name, value), = changes.items()
    assert name in said
    if "SECRET" in name:
        assert value not in said


def test_values_may_come_from_files(tmp_path):
    secret = ledger.keep(new_secret(), "root's secret in a file")
    file = tmp_path / "secret"
    file.write_text(secret + "\n")
    server = Server(tmp_path / "data", environment={"BAILIWICK_ROOT_SECRET_ACCESS_KEY_FILE": str(file)})
    del server.environment["BAILIWICK_ROOT_SECRET_ACCESS_KEY"]
    server.start()
    assert Principal(server, server.root.key_id, secret).identity()["Account"] == FIRST_ACCOUNT
    server.kill()


def test_afterwards_another_value_is_ignored_with_one_warning(own_server):
    own_server.start()
    own_server.terminate()
    first, before = own_server.root, len(own_server.logged())
    own_server.environment["BAILIWICK_ROOT_SECRET_ACCESS_KEY"] = ledger.keep(new_secret(), "an ignored secret")
    own_server.start()
    said = own_server.logged()[before:]
    assert said.count("BAILIWICK_ROOT_SECRET_ACCESS_KEY") == 1 and own_server.environment["BAILIWICK_ROOT_SECRET_ACCESS_KEY"] not in said
    assert "BAILIWICK_ACCOUNT_ID" not in said, "it did not change"
    assert first.identity()["Account"] == FIRST_ACCOUNT
    with refused("SignatureDoesNotMatch"):
        Principal(own_server, first.key_id, own_server.environment["BAILIWICK_ROOT_SECRET_ACCESS_KEY"]).identity()


# What stops a start.


def test_a_second_server_on_the_directory(own_server):
    own_server.start()
    second = Server(own_server.data_dir, unattended=False)
    second.log, second.out = own_server.data_dir.parent / "second.stderr", own_server.data_dir.parent / "second.stdout"
    assert str(own_server.data_dir) in second.refuses_to_start()
    assert own_server.root.identity()["Account"] == FIRST_ACCOUNT


def stopped_with_something(server):
    server.start()
    server.root.iam.create_user(UserName="kept")
    assert server.terminate() == 0
    return {path.relative_to(server.data_dir): path.read_bytes() for path in server.data_dir.rglob("*") if path.is_file()}


def nothing_written(server, before):
    after = {path.relative_to(server.data_dir): path.read_bytes() for path in server.data_dir.rglob("*") if path.is_file()}
    assert {path: text for path, text in after.items() if "lock" not in path.name} == {path: text for path, text in before.items() if "lock" not in path.name}


@pytest.mark.parametrize("damage", ["missing", "another", "short", "empty", "unreadable as text"])
def test_a_master_key_that_is_not_the_stores(own_server, damage):
    before = stopped_with_something(own_server)
    key = own_server.data_dir / "master.key"
    whole = key.read_bytes()
    if damage == "missing":
        key.unlink()
        before.pop(key.relative_to(own_server.data_dir))
    else:
        other = Server(own_server.data_dir.parent / "other")
        other.start().kill()
        bent = {"another": (other.data_dir / "master.key").read_bytes(), "short": whole[: len(whole) // 2], "empty": b"", "unreadable as text": b"\xff" * len(whole)}[damage]
        key.write_bytes(bent)
        before[key.relative_to(own_server.data_dir)] = bent
    said = own_server.refuses_to_start()
    assert re.search("key", said, re.IGNORECASE)
    nothing_written(own_server, before)
    key.write_bytes(whole)
    key.chmod(0o600)
    own_server.start()
    assert own_server.root.iam.get_user(UserName="kept")["User"]["UserName"] == "kept"


def test_a_key_without_its_store_is_damage_not_a_first_start(own_server):
    stopped_with_something(own_server)
    for path in list(own_server.data_dir.iterdir()):
        if path.name != "master.key":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    said = own_server.refuses_to_start()
    assert re.search("store", said, re.IGNORECASE)
    assert [path.name for path in own_server.data_dir.iterdir() if "lock" not in path.name] == ["master.key"]


def store_file(server):
    return max((path for path in server.data_dir.iterdir() if path.is_file() and path.name != "master.key"), key=lambda path: path.stat().st_size)


@pytest.mark.parametrize("damage", ["header", "cut", "empty", "text"])
def test_a_damaged_store_is_reported_and_never_overwritten(own_server, damage):
    stopped_with_something(own_server)
    file = store_file(own_server)
    whole = file.read_bytes()
    bent = {"header": b"\0" * 100 + whole[100:], "cut": whole[: len(whole) // 3], "empty": b"", "text": b"not a database at all\n" * 1000}[damage]
    file.write_bytes(bent)
    own_server.refuses_to_start()
    assert file.read_bytes() == bent


def test_the_master_key_may_lie_elsewhere(tmp_path):
    elsewhere = tmp_path / "keys"
    elsewhere.mkdir()
    server = Server(tmp_path / "data", options=["--master-key-file", str(elsewhere / "master.key")])
    server.start()
    assert not (server.data_dir / "master.key").exists() and (elsewhere / "master.key").exists()
    assert stat.S_IMODE((elsewhere / "master.key").stat().st_mode) == 0o600
    server.terminate()
    again(server)
    server.terminate()
    server.options = []
    server.refuses_to_start()


# How a server ends.


def test_sigterm_finishes_and_leaves_zero(own_server):
    own_server.start()
    started = time.monotonic()
    assert own_server.terminate() == 0
    assert time.monotonic() - started < 5
    with pytest.raises(OSError):
        socket.create_connection(own_server.address, timeout=1)


def test_sigterm_answers_what_it_has_the_head_of(own_server):
    own_server.start()
    signed = query(own_server.root, "sts", "GetCallerIdentity")
    head = "".join(f"{name}: {value}\r\n" for name, value in signed.headers if name.lower() != "content-length") + f"Content-Length: {len(signed.data)}\r\nConnection: close\r\n\r\n"
    with socket.create_connection(own_server.address, timeout=15) as asked, socket.create_connection(own_server.address, timeout=15) as unfinished:
        asked.sendall(b"POST / HTTP/1.1\r\n" + head.encode() + signed.data[:5])
        unfinished.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nX: ")
        time.sleep(0.3)
        ending = threading.Thread(target=own_server.terminate)
        ending.start()
        time.sleep(0.5)
        asked.sendall(signed.data[5:])
        got = b""
        while chunk := asked.recv(65536):
            got += chunk
        assert got.startswith(b"HTTP/1.1 200") and FIRST_ACCOUNT.encode() in got
    ending.join(20)
    assert own_server.process.returncode == 0


def test_an_idle_connection_does_not_hold_it_up(own_server):
    own_server.start()
    with socket.create_connection(own_server.address):
        started = time.monotonic()
        assert own_server.terminate() == 0
        assert time.monotonic() - started < 5


def test_a_lost_root_key_is_replaced_by_hand(own_server):
    own_server.start()
    account = own_server.account(fresh("lost"))
    printed = own_server.run("account", "reset-root", "--id", account.id).stdout
    lines = exported(printed)
    renewed = Principal(own_server, lines["AWS_ACCESS_KEY_ID"], ledger.keep(lines["AWS_SECRET_ACCESS_KEY"], "a renewed root secret"))
    assert renewed.identity()["Arn"] == account.root_arn
    with refused("InvalidClientTokenId", INVALID_TOKEN):
        account.root.identity()
    time.sleep(1.2)
    assert account.id in own_server.trail() and lines["AWS_SECRET_ACCESS_KEY"] not in own_server.trail()
