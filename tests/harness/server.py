"""The server under test: found, started, spoken to by its command line, ended by its process id."""

import os
import pathlib
import re
import secrets
import shlex
import signal
import socket
import string
import subprocess
import time
import urllib.error
import urllib.request

from . import ledger
from .principals import Account, Principal

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIRST_ACCOUNT = "111122223333"


def binary():
    """BAILIWICK_BIN, else the release build, else the debug build."""
    named = os.environ.get("BAILIWICK_BIN")
    for path in [named] if named else [ROOT / "target/release/bailiwick", ROOT / "target/debug/bailiwick"]:
        if os.path.exists(path):
            return str(path)
    raise AssertionError("no bailiwick binary: build one or set BAILIWICK_BIN")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def new_secret():
    """40 characters, as AWS's are."""
    alphabet = string.ascii_letters + string.digits + "+/"
    return "".join(secrets.choice(alphabet) for _ in range(40))


def exported(text):
    """The variables of the `export NAME=value` lines in a text."""
    found = {}
    for line in re.findall(r"^\s*export\s+(.+)$", text, re.MULTILINE):
        name, _, value = shlex.split(line)[0].partition("=")
        found[name] = value
    return found


class Server:
    """One `bailiwick serve` on a data directory of its own."""

    def __init__(self, data_dir, *, unattended=True, environment=None, options=(), listen=None):
        self.data_dir = pathlib.Path(data_dir)
        self.listen = listen or f"127.0.0.1:{free_port()}"
        self.options = list(options)
        self.process = None
        self.log = self.data_dir.parent / f"{self.data_dir.name}.stderr"
        self.out = self.data_dir.parent / f"{self.data_dir.name}.stdout"
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "BAILIWICK_"))}
        self.root = None
        if unattended:
            key_id = "AKIA" + "".join(secrets.choice(string.ascii_uppercase + "234567") for _ in range(16))
            secret = ledger.keep(new_secret(), "root's secret by environment")
            self.environment |= {
                "BAILIWICK_ACCOUNT_ID": FIRST_ACCOUNT,
                "BAILIWICK_ROOT_ACCESS_KEY_ID": key_id,
                "BAILIWICK_ROOT_SECRET_ACCESS_KEY": secret,
            }
            self.root = Principal(self, key_id, secret, arn=f"arn:aws:iam::{FIRST_ACCOUNT}:root", account_id=FIRST_ACCOUNT)
        self.environment |= environment or {}
        ledger.SERVERS.append(self)

    @property
    def url(self):
        return f"http://{self.listen}"

    @property
    def address(self):
        host, _, port = self.listen.rpartition(":")
        return host, int(port)

    def spawn(self):
        """Starts the process and does not wait."""
        command = [binary(), "serve", "--data-dir", str(self.data_dir), "--listen", self.listen, *self.options]
        with open(self.log, "ab") as log, open(self.out, "ab") as out:
            self.process = subprocess.Popen(command, stdout=out, stderr=log, stdin=subprocess.DEVNULL, env=self.environment)
        return self

    def start(self, within=30):
        """Starts the process and waits until /health answers 200. Returns self."""
        self.spawn()
        self.wait(within)
        return self

    def wait(self, within=30):
        end = time.monotonic() + within
        while not self.healthy():
            code = self.process.poll()
            assert code is None, f"the server ended with {code}:\n{self.logged()}"
            assert time.monotonic() < end, f"not healthy within {within} s:\n{self.logged()}"
            time.sleep(0.01)

    def healthy(self):
        try:
            with urllib.request.urlopen(self.url + "/health", timeout=5) as reply:
                return reply.status == 200
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def refuses_to_start(self, within=10):
        """Starts the process, which must end by itself with a status other than 0. Returns what it logged by this start."""
        before = self.log.stat().st_size if self.log.exists() else 0
        self.spawn()
        try:
            status = self.process.wait(within)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError("the server started although it must not") from None
        said = self.logged()[before:] + self.printed()
        assert status != 0, said
        assert status > 0, f"ended by signal {-status}: {said}"
        return said

    def logged(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def printed(self):
        return self.out.read_text(errors="replace") if self.out.exists() else ""

    def terminate(self, within=20):
        """SIGTERM, and the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(within)

    def kill(self):
        """SIGKILL: no goodbye."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)

    def run(self, *arguments, stdin=None, check=True, timeout=30, with_data_dir=True):
        """`bailiwick ARGUMENTS --data-dir DIR`, with the captured output."""
        command = [binary(), *arguments]
        if with_data_dir:
            command += ["--data-dir", str(self.data_dir)]
        environment = {name: value for name, value in self.environment.items() if not name.startswith("BAILIWICK_")}
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=timeout, env=environment)
        if check:
            assert done.returncode == 0, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def account(self, name, *options):
        """A new account by the command line, with its root user."""
        email = f"{name}@example.com"
        printed = self.run("account", "create", "--name", name, "--email", email, *options).stdout
        ids = re.findall(r"(?<![\w/+-])\d{12}(?![\w/+-])", printed.split("export", 1)[0])
        lines = exported(printed)
        assert len(ids) == 1 and set(lines) == {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}, "unexpected output of account create"
        secret = ledger.keep(lines["AWS_SECRET_ACCESS_KEY"], "root's secret by account create")
        return Account(self, ids[0], name, email, lines["AWS_ACCESS_KEY_ID"], secret)

    def first_account(self):
        """The account that the environment named, as an Account."""
        return Account(self, FIRST_ACCOUNT, "first", "", self.root.key_id, self.root.secret)

    def trail(self):
        """The text of all trail files, oldest first."""
        return "".join(path.read_text(errors="replace") for path in sorted((self.data_dir / "trail").glob("events-*.jsonl")))
