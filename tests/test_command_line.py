"""The command line: configuration and its order, accounts, backup, check, evaluate; with a server and without one."""

import json
import os
import re
import shutil
import socket
import subprocess
import time

import boto3
import pytest

from harness import ledger
from harness.principals import Principal, allow, document
from harness.server import FIRST_ACCOUNT, ROOT, Server, binary, exported


def run(*arguments, stdin=None, environment=None, directory=None):
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "BAILIWICK_"))} | (environment or {})
    return subprocess.run([binary(), *arguments], input=stdin, capture_output=True, text=True, timeout=30, env=clean, cwd=directory)


def test_version_and_help():
    assert re.fullmatch(r"bailiwick \d+\.\d+\.\d+\S*\n", run("--version").stdout)
    help_text = run("--help").stdout
    for command in ("serve", "config", "account", "explain", "backup", "check", "evaluate", "test"):
        assert command in help_text
    assert run("--no-such-option").returncode != 0 and run("no-such-command").returncode != 0


# Configuration: option > environment > file; what is unknown stops the start.


@pytest.mark.parametrize("options, environment, file, named", [
    (["--no-such-option"], {}, "", "no-such-option"), ([], {"BAILIWICK_ENFORCEMENT": "off"}, "", "BAILIWICK_ENFORCEMENT"), ([], {"BAILIWICK_LISTN": "127.0.0.1:1"}, "", "BAILIWICK_LISTN"),
    ([], {}, 'enforce = false\n', "enforce"), ([], {}, 'listen = 5\n', "listen"), ([], {}, 'listen = "nonsense"\n', "listen"), ([], {}, "listen = \n", "toml|line|listen"), ([], {"BAILIWICK_LISTEN": "nonsense"}, "", "(?i)listen"),
    (["--listen", "0.0.0.0:0"], {}, "", "(?i)tls|plaintext"), (["--listen", "[::]:0"], {}, "", "(?i)tls|plaintext"), (["--tls-cert", "/nowhere"], {}, "", "(?i)tls"), ([], {"BAILIWICK_ROOT_SECRET_ACCESS_KEY": "x" * 40}, "", "BAILIWICK_ROOT|root_access_key_id"),
])
def test_what_is_wrong_stops_the_start(tmp_path, options, environment, file, named):
    config = tmp_path / "bailiwick.toml"
    config.write_text(file)
    for command in (["serve"], ["config", "check"]):
        done = run(*command, "--data-dir", str(tmp_path / "data"), "--config", str(config), *options, environment=environment)
        assert done.returncode not in {0, -6, 101}, (command, done)
        assert re.search(named, done.stderr), (command, done.stderr)
    assert not (tmp_path / "data").exists(), "nothing is written"


def test_there_is_no_switch_that_turns_enforcement_off():
    """floci#3931: a misspelt switch left it off. Here there is none to misspell."""
    assert not re.search(r"(?i)enforce|disable|insecure|allow-all|no-auth|anonymous", run("serve", "--help").stdout)


def checked(tmp_path, options=(), environment=None, file=""):
    config = tmp_path / "bailiwick.toml"
    config.write_text(file)
    done = run("config", "check", "--config", str(config), "--data-dir", str(tmp_path / "data"), *options, environment=environment)
    assert done.returncode == 0, done
    return done.stdout + done.stderr


def test_an_option_wins_over_the_environment_and_that_over_the_file(tmp_path):
    file = 'listen = "127.0.0.1:1111"\n'
    assert "127.0.0.1:1111" in checked(tmp_path, file=file)
    assert "127.0.0.1:2222" in checked(tmp_path, environment={"BAILIWICK_LISTEN": "127.0.0.1:2222"}, file=file)
    assert "127.0.0.1:3333" in checked(tmp_path, ["--listen", "127.0.0.1:3333"], {"BAILIWICK_LISTEN": "127.0.0.1:2222"}, file)


def test_config_check_shows_no_secret(tmp_path):
    secret = "very-secret-" * 5
    said = checked(tmp_path, environment={"BAILIWICK_ROOT_ACCESS_KEY_ID": "A" * 20, "BAILIWICK_ROOT_SECRET_ACCESS_KEY": secret, "BAILIWICK_MASTER_KEY": "ab" * 32})
    assert secret not in said and "ab" * 32 not in said
    assert not (tmp_path / "data").exists()


def test_a_server_runs_from_a_file(tmp_path):
    config = tmp_path / "bailiwick.toml"
    server = Server(tmp_path / "data", options=["--config", str(config)])
    config.write_text('log_format = "json"\nquota_users = 1\n')
    server.start()
    server.root.iam.create_user(UserName="one")
    with pytest.raises(server.root.iam.exceptions.LimitExceededException):
        server.root.iam.create_user(UserName="two")
    assert server.root.iam.get_account_summary()["SummaryMap"]["UsersQuota"] == 1
    assert all(json.loads(line) for line in server.logged().splitlines())
    server.kill()


def test_every_key_is_in_the_docs():
    text = "".join(path.read_text() for path in (ROOT / "docs").rglob("*.md"))
    for option in re.findall(r"--([a-z][a-z-]+)", run("serve", "--help").stdout):
        if option not in {"help", "version"}:
            assert option in text or option.replace("-", "_") in text, option


# TLS.


@pytest.fixture
def certificate(tmp_path):
    if not shutil.which("openssl"):
        pytest.fail("the openssl command makes this test's certificate")
    key, cert = tmp_path / "tls.key", tmp_path / "tls.crt"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out", cert, "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"], check=True, capture_output=True)
    return cert, key


def test_tls(tmp_path, certificate):
    cert, key = certificate
    server = Server(tmp_path / "data", options=["--tls-cert", str(cert), "--tls-key", str(key)])
    server.spawn()
    client = boto3.client("sts", endpoint_url=f"https://{server.listen}", region_name="us-east-1", aws_access_key_id=server.root.key_id, aws_secret_access_key=server.root.secret, verify=str(cert))
    for _ in range(200):
        try:
            assert client.get_caller_identity()["Account"] == FIRST_ACCOUNT
            break
        except Exception:  # not listening yet
            time.sleep(0.05)
    else:
        pytest.fail(server.logged())
    with socket.create_connection(server.address) as plain:
        plain.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert not plain.recv(100).startswith(b"HTTP/1.1 200")
    server.kill()


# Accounts, with a server and without.


@pytest.mark.parametrize("running", [True, False])
def test_accounts_by_hand(own_server, running):
    own_server.start()
    if not running:
        own_server.terminate()
    printed = own_server.run("account", "create", "--name", "second", "--email", "second@example.com", "--id", "222233334444").stdout
    assert re.search(r"\b222233334444\b", printed)
    lines = exported(printed)
    ledger.keep(lines["AWS_SECRET_ACCESS_KEY"], "root's secret")
    for words in (["--id", "222233334444"], ["--id", FIRST_ACCOUNT], ["--id", "12345"]):
        assert own_server.run("account", "create", "--name", "third", "--email", "third@example.com", *words, check=False).returncode != 0
    listed = own_server.run("account", "list").stdout
    assert {FIRST_ACCOUNT, "222233334444"} <= set(re.findall(r"\b\d{12}\b", listed)) and "second@example.com" in listed and lines["AWS_SECRET_ACCESS_KEY"] not in listed
    if not running:
        own_server.start()
    assert Principal(own_server, lines["AWS_ACCESS_KEY_ID"], lines["AWS_SECRET_ACCESS_KEY"]).identity()["Account"] == "222233334444"


def test_commands_need_a_data_directory(tmp_path):
    for command in (["account", "list"], ["check"], ["explain", "x"], ["backup", str(tmp_path / "copy")]):
        done = run(*command, "--data-dir", str(tmp_path / "nothing"))
        assert done.returncode != 0 and str(tmp_path / "nothing") in done.stderr
    assert not (tmp_path / "nothing").exists()


# Backup and check.


@pytest.mark.parametrize("running", [True, False])
def test_a_backup_is_a_store(own_server, tmp_path, running):
    own_server.start()
    account = own_server.first_account()
    user = account.user()
    if not running:
        own_server.terminate()
    copy = tmp_path / "copy.db"
    own_server.run("backup", str(copy))
    assert oct(copy.stat().st_mode)[-3:] == "600"
    assert own_server.run("backup", str(copy), check=False).returncode != 0, "an existing file is not overwritten"
    if running:
        own_server.root.iam.create_user(UserName="after-the-copy")
        own_server.terminate()
    store = max((path for path in own_server.data_dir.iterdir() if path.is_file() and path.name != "master.key"), key=lambda path: path.stat().st_size)
    for path in own_server.data_dir.iterdir():
        if path.name.startswith(store.name):
            path.unlink()
    shutil.copyfile(copy, store)
    store.chmod(0o600)
    own_server.start()
    assert user.identity()["UserId"] == user.unique_id
    assert "after-the-copy" not in {each["UserName"] for each in account.iam.list_users()["Users"]}


@pytest.mark.parametrize("running", [True, False])
def test_check_reads_everything(own_server, running):
    own_server.start()
    own_server.first_account().user(allow("*"))
    if not running:
        own_server.terminate()
    assert own_server.run("check").returncode == 0


# Evaluate.


def case(name, action="s3:GetObject", **policies):
    return json.dumps({"name": name, "request": {"principal": "arn:aws:iam::111122223333:user/alice", "action": action, "resource": "arn:aws:s3:::bucket/key", "resourceAccount": "111122223333"}, "policies": policies})


def evaluated(*lines):
    done = run("evaluate", "-", stdin="\n".join(lines) + "\n")
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def test_evaluate_decides_lines():
    both = json.loads(document(allow("s3:*")))
    status, told = evaluated(case("allowed", identity=[both]), case("lacking", identity=[]), case("denied", identity=[both, {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}]),
                             case("bounded", identity=[both], permissionsBoundary=[]))
    assert status == 0
    assert [(each["name"], each["decision"]) for each in told] == [("allowed", "Allowed"), ("lacking", "ImplicitlyDenied"), ("denied", "ExplicitlyDenied"), ("bounded", "ImplicitlyDenied")]
    assert all(each["explanation"] for each in told)


def test_evaluate_goes_on_after_a_bad_line():
    status, told = evaluated(case("good", identity=[]), "{ not json", case("bad document", identity=[{"Statement": 1}]), case("also good", identity=[]))
    assert status != 0 and len(told) == 4
    assert "decision" in told[0] and "error" in told[1] and told[2]["name"] == "bad document" and "error" in told[2] and "decision" in told[3]


def test_evaluate_reads_a_file(tmp_path):
    file = tmp_path / "cases.jsonl"
    file.write_text(case("one", identity=[]) + "\n")
    done = run("evaluate", str(file))
    assert done.returncode == 0 and json.loads(done.stdout)["decision"] == "ImplicitlyDenied"
    assert run("evaluate", str(tmp_path / "none")).returncode != 0
