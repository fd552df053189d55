"""Step: the git server in examples/ keeps no users. A stock `git` clones and pushes over HTTPS with a CodeCommit-style user name and password, and
over SSH with an uploaded key through OpenSSH's own `sshd`, each as far as policies allow."""

import os
import pathlib
import shlex
import shutil
import socket
import ssl
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

from harness import ledger
from harness.principals import allow, deny, document, fresh
from harness.server import ROOT, binary, free_port
from test_ssh_public_keys import Pair

SCRIPT = ROOT / "examples/git-server/server.py"
GIT = "codecommit.amazonaws.com"


def run(*command, check=True, cwd=None, env=None):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=60, cwd=cwd, env=env)
    assert not check or done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def repository(account, name="*"):
    return f"arn:aws:codecommit:us-east-1:{account.id}:{name}"


class Servers:
    """Both faces of the git server, a folder of bare repositories, and what a client needs to reach them."""

    def __init__(self, account, folder):
        for tool in ("git", "ssh", "ssh-keygen", "openssl"):
            assert shutil.which(tool), f"{tool} is missing: make test-tools"
        assert shutil.which("sshd", path=os.environ["PATH"] + ":/usr/sbin:/usr/local/sbin"), "sshd is missing: make test-tools"
        self.account, self.folder, self.root, self.logs, self.processes = account, folder, folder / "repositories", [], []
        self.root.mkdir()
        self.cert, self.key = folder / "cert.pem", folder / "key.pem"
        run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE", "-keyout", self.key, "-out", self.cert)
        condition = {"StringEquals": {"bailiwick:CredentialService": GIT, "bailiwick:CredentialAccount": account.id, "bailiwick:ResourceAccount": account.id}}
        asker = account.user(allow("bailiwick:VerifyCredential", condition=condition), allow("bailiwick:ListSSHKeys"), name="git-server")
        self.config = folder / "git-server.toml"
        self.config.write_text(f'endpoint = "{account.server.url}"\naccess_key_id = "{asker.key_id}"\nsecret_access_key = "{asker.secret}"\n')
        self.config.chmod(0o600)
        self.https_port, self.ssh_port = free_port(), free_port()
        common = ["--config", self.config, "--account", account.id, "--root", self.root]
        self.spawn("https", self.https_port, *common, "--cert", self.cert, "--key", self.key)
        self.spawn("sshd", self.ssh_port, *common, "--state", folder / "sshd", "--bailiwick", binary())

    def spawn(self, face, port, *options):
        log = self.folder / f"{face}.log"
        self.logs.append(log)
        with open(log, "wb") as out:
            command = [sys.executable, str(SCRIPT), face, "--listen", f"127.0.0.1:{port}", *map(str, options)]
            self.processes.append(subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL, env=self.environment()))
        end = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            except OSError:
                assert self.processes[-1].poll() is None and time.monotonic() < end, log.read_text()
                time.sleep(0.05)

    def environment(self, **more):
        """Nothing of whoever runs the tests: no configuration, no agent, no credentials."""
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "BAILIWICK_", "GIT_", "SSH_"))}
        who = {"GIT_AUTHOR_NAME": "t", "GIT_AUTHOR_EMAIL": "t@example.com", "GIT_COMMITTER_NAME": "t", "GIT_COMMITTER_EMAIL": "t@example.com"}
        return {**kept, **who, "HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", **more}

    def create(self, name=None):
        name = name or fresh("repository")
        run("git", "init", "-q", "--bare", "-b", "main", self.root / f"{name}.git")
        return name

    def https(self, repository, credential=None):
        """Arguments and environment of a git that has a user name and a password."""
        ask = self.folder / "askpass"
        ask.write_text('#!/bin/sh\ncase "$1" in Username*) printf "%s\\n" "$TEST_NAME";; *) printf "%s\\n" "$TEST_PASSWORD";; esac\n')
        ask.chmod(0o700)
        name, password = credential or ("", "")
        more = {"GIT_ASKPASS": str(ask), "GIT_SSL_CAINFO": str(self.cert), "TEST_NAME": name, "TEST_PASSWORD": password}
        return f"https://127.0.0.1:{self.https_port}/v1/repos/{repository}", self.environment(**more)

    def ssh(self, repository, pair):
        options = f"-p {self.ssh_port} -i {pair.private} -o IdentitiesOnly=yes -o IdentityAgent=none -o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no -o BatchMode=yes -o LogLevel=ERROR -F none"
        user = run("id", "-un").stdout.strip()
        return f"ssh://{user}@127.0.0.1/v1/repos/{repository}", self.environment(GIT_SSH_COMMAND=f"ssh {options}"), f"ssh {options} {user}@127.0.0.1"

    def stop(self):
        for process in self.processes:
            process.terminate()
            process.wait(10)


@pytest.fixture(scope="module")
def servers(account, tmp_path_factory):
    made = Servers(account, tmp_path_factory.mktemp("git"))
    yield made
    made.stop()
    for log in made.logs:
        text = log.read_text(errors="replace")
        assert "Traceback" not in text, text[-3000:]
        assert not [secret for secret in ledger.SECRETS if secret in text], log


def credential(account, user):
    made = account.iam.create_service_specific_credential(UserName=user.name, ServiceName=GIT)["ServiceSpecificCredential"]
    return made["ServiceUserName"], made["ServicePassword"]


def upload(account, user, pair):
    return account.iam.upload_ssh_public_key(UserName=user.name, SSHPublicKeyBody=pair.text)["SSHPublicKey"]["SSHPublicKeyId"]


def commit(work, words, size=0):
    (work / "file").write_text(words)
    if size:
        (work / "large").write_bytes(os.urandom(size))
    run("git", "add", "-A", cwd=work)
    run("git", "-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-q", "-m", words, cwd=work)


def clone_and_push(url, env, work, words="one", size=0):
    run("git", "clone", "-q", url, work, env=env)
    commit(work, words, size)
    run("git", "push", "-q", "origin", "HEAD:main", cwd=work, env=env)


def content(servers, name):
    return run("git", "-C", servers.root / f"{name}.git", "show", "main:file").stdout


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    return Pair(tmp_path_factory.mktemp("pair"))


def test_a_stock_git_clones_and_pushes_over_https(account, servers, tmp_path):
    user, name = account.user(allow("codecommit:Git*", repository(account)), key=False), servers.create()
    url, env = servers.https(name, credential(account, user))
    clone_and_push(url, env, tmp_path / "work", "over https")
    assert content(servers, name) == "over https"
    run("git", "clone", "-q", url, tmp_path / "again", env=env)
    assert (tmp_path / "again/file").read_text() == "over https"


def test_a_push_that_is_sent_in_chunks_arrives_whole(account, servers, tmp_path):
    user, name = account.user(allow("codecommit:Git*"), key=False), servers.create()
    url, env = servers.https(name, credential(account, user))
    clone_and_push(url, env, tmp_path / "work", "large", size=3 << 20)
    run("git", "clone", "-q", url, tmp_path / "again", env=env)
    assert (tmp_path / "again/large").read_bytes() == (tmp_path / "work/large").read_bytes()


def test_a_stock_git_clones_and_pushes_over_ssh(account, servers, tmp_path, pair):
    user, name = account.user(allow("codecommit:Git*", repository(account)), key=False), servers.create()
    key_id = upload(account, user, pair)
    url, env, _ = servers.ssh(name, pair)
    clone_and_push(url, env, tmp_path / "work", "over ssh")
    assert content(servers, name) == "over ssh"
    run("git", "clone", "-q", url, tmp_path / "again", env=env)
    assert (tmp_path / "again/file").read_text() == "over ssh"
    account.iam.delete_ssh_public_key(UserName=user.name, SSHPublicKeyId=key_id)


def test_policies_say_who_pulls_and_who_pushes(account, servers, tmp_path, pair):
    """Reading without writing, one repository without another, over both protocols."""
    mine, other = servers.create(), servers.create()
    user = account.user(allow("codecommit:GitPull", repository(account, mine)), key=False)
    key_id, secret = upload(account, user, pair), credential(account, user)
    for protocol, reach in (("https", lambda name: servers.https(name, secret)[:2]), ("ssh", lambda name: servers.ssh(name, pair)[:2])):
        work = tmp_path / protocol
        url, env = reach(mine)
        run("git", "clone", "-q", url, work, env=env)
        commit(work, "not allowed")
        done = run("git", "push", "origin", "HEAD:main", cwd=work, env=env, check=False)
        assert done.returncode != 0 and ("403" in done.stderr or "AccessDenied" in done.stderr), done.stderr
        url, env = reach(other)
        done = run("git", "clone", "-q", url, tmp_path / f"{protocol}-other", env=env, check=False)
        assert done.returncode != 0 and ("403" in done.stderr or "AccessDenied" in done.stderr), done.stderr
        url, env = reach("none-there")
        assert run("git", "clone", "-q", url, tmp_path / f"{protocol}-none", env=env, check=False).returncode != 0
    assert run("git", "-C", servers.root / f"{mine}.git", "branch").stdout == ""
    account.iam.delete_ssh_public_key(UserName=user.name, SSHPublicKeyId=key_id)


def test_what_is_taken_away_ends_with_the_next_git(account, servers, tmp_path, pair):
    name = servers.create()
    user = account.user(allow("codecommit:*"), key=False)
    made = account.iam.create_service_specific_credential(UserName=user.name, ServiceName=GIT)["ServiceSpecificCredential"]
    key_id = upload(account, user, pair)
    (https, https_env), (ssh, ssh_env, _) = servers.https(name, (made["ServiceUserName"], made["ServicePassword"])), servers.ssh(name, pair)
    reached = lambda url, env: run("git", "ls-remote", url, env=env, check=False).returncode == 0
    assert reached(https, https_env) and reached(ssh, ssh_env)
    account.iam.put_user_policy(UserName=user.name, PolicyName="no", PolicyDocument=document(deny("codecommit:*")))
    assert not reached(https, https_env) and not reached(ssh, ssh_env)
    account.iam.delete_user_policy(UserName=user.name, PolicyName="no")
    assert reached(https, https_env) and reached(ssh, ssh_env)
    account.iam.update_ssh_public_key(UserName=user.name, SSHPublicKeyId=key_id, Status="Inactive")
    account.iam.reset_service_specific_credential(UserName=user.name, ServiceSpecificCredentialId=made["ServiceSpecificCredentialId"])
    assert not reached(https, https_env) and not reached(ssh, ssh_env)
    account.iam.delete_ssh_public_key(UserName=user.name, SSHPublicKeyId=key_id)


def test_nobody_gets_in_without_a_credential(account, servers, tmp_path):
    name = servers.create()
    with pytest.raises(urllib.error.HTTPError) as caught:
        context = ssl.create_default_context(cafile=str(servers.cert))
        urllib.request.urlopen(f"https://127.0.0.1:{servers.https_port}/v1/repos/{name}/info/refs?service=git-upload-pack", timeout=10, context=context)
    assert caught.value.code == 401 and caught.value.headers["WWW-Authenticate"].startswith("Basic")
    user = account.user(allow("codecommit:*"), key=False)
    user_name, password = credential(account, user)
    cassandra = account.iam.create_service_specific_credential(UserName=user.name, ServiceName="cassandra.amazonaws.com")["ServiceSpecificCredential"]
    for wrong in ((user_name, "x" * 44), ("nobody", password), (cassandra["ServiceUserName"], cassandra["ServicePassword"])):
        url, env = servers.https(name, wrong)
        assert run("git", "ls-remote", url, env=env, check=False).returncode != 0, wrong[0]
    stranger = Pair(tmp_path)
    url, env, _ = servers.ssh(name, stranger)
    done = run("git", "ls-remote", url, env=env, check=False)
    assert done.returncode != 0 and "Permission denied" in done.stderr


def test_a_key_opens_git_and_nothing_else(account, servers, tmp_path, pair):
    """No shell, no other command, no other folder, whatever the client asks for."""
    user, marker = account.user(allow("*"), key=False), tmp_path / "marker"
    key_id, name = upload(account, user, pair), servers.create()
    _, env, ssh = servers.ssh(name, pair)
    for command in (f"touch {marker}", f"git-upload-pack '{name}'; touch {marker}", f"git-upload-pack '$(touch {marker})'", "git-upload-pack '../../etc'", f"git-upload-pack '/{tmp_path}'",
                    f"git-upload-archive '{name}'", f"git-upload-pack --help '{name}'", "git-upload-pack", "", "sh"):
        done = run("sh", "-c", f"{ssh} {shlex.quote(command)}" if command else f"{ssh} -T", env=env, check=False)
        assert done.returncode != 0, (command, done)
    assert not marker.exists()
    account.iam.delete_ssh_public_key(UserName=user.name, SSHPublicKeyId=key_id)


def ssh_keys(servers, *arguments, config=None, check=True, **environment):
    command = [binary(), "ssh-keys", *(["--config", config] if config else []), *arguments]
    return run(*command, check=check, env=servers.environment(**environment))


def test_the_command_prints_what_sshd_reads(account, servers, pair):
    user = account.user(key=False)
    key_id = upload(account, user, pair)
    kind, key = pair.line.split()
    plain = f"restrict {pair.line} {user.name}\n"
    asked = lambda *arguments: ssh_keys(servers, *arguments, config=servers.config).stdout
    assert asked("--fingerprint", pair.sha256) == asked("--type", kind, "--key", key) == asked("--user", user.name) == asked("--user", user.name, "--fingerprint", pair.sha256) == plain
    bound = f'restrict,command="/bin/serve \\"{key_id}\\"" {pair.line} {user.name}\n'
    assert asked("--fingerprint", pair.sha256, "--command", '/bin/serve "{id}"') == bound
    assert asked("--user", "nobody-there") == asked("--user", "git-server", "--fingerprint", pair.sha256) == ""
    other = account.user(key=False)
    second = upload(account, other, pair)
    assert asked("--fingerprint", pair.sha256) == "", "whose, of two?"
    assert asked("--user", user.name, "--fingerprint", pair.sha256) == plain
    for each, made in ((user, key_id), (other, second)):
        account.iam.delete_ssh_public_key(UserName=each.name, SSHPublicKeyId=made)
    assert asked("--fingerprint", pair.sha256) == ""


def test_the_command_takes_what_it_signs_with_from_the_environment(account, servers, pair, nobody):
    asker, user = account.user(allow("bailiwick:ListSSHKeys")), account.user(key=False)
    key_id = upload(account, user, pair)
    session = asker.session_token()
    for principal in (asker, session):
        more = {"AWS_ENDPOINT_URL": account.server.url, "AWS_ACCESS_KEY_ID": principal.key_id, "AWS_SECRET_ACCESS_KEY": principal.secret}
        more |= {"AWS_SESSION_TOKEN": principal.token} if principal.token else {}
        assert ssh_keys(servers, "--fingerprint", pair.sha256, **more).stdout.startswith("restrict ssh-rsa ")
    more = {"AWS_ENDPOINT_URL": account.server.url, "AWS_ACCESS_KEY_ID": nobody.key_id, "AWS_SECRET_ACCESS_KEY": nobody.secret}
    done = ssh_keys(servers, "--fingerprint", pair.sha256, check=False, **more)
    assert done.returncode != 0 and done.stdout == "" and "bailiwick:ListSSHKeys" in done.stderr
    account.iam.delete_ssh_public_key(UserName=user.name, SSHPublicKeyId=key_id)


def test_the_command_fails_closed_and_shows_no_secret(account, servers, pair, tmp_path):
    secret = "hunter22hunter22hunter22hunter22hunter22"
    good = f'endpoint = "{account.server.url}"\naccess_key_id = "AKIARZPUZDIKGB2VALC4"\nsecret_access_key = "{secret}"\n'
    cases = {"readable": (good, 0o644), "unknown": (good + "other = 1\n", 0o600), "no toml": (secret, 0o600), "no endpoint": ("", 0o600), "wrong key": (good, 0o600),
             "nobody there": (good.replace(account.server.url, f"http://127.0.0.1:{free_port()}"), 0o600), "elsewhere in the clear": (good.replace(account.server.url, "http://192.0.2.1"), 0o600)}
    for case, (text, mode) in cases.items():
        if case == "elsewhere in the clear":
            continue
        file = tmp_path / "config.toml"
        file.write_text(text)
        file.chmod(mode)
        done = ssh_keys(servers, "--fingerprint", pair.sha256, config=file, check=False)
        assert done.returncode == 1 and done.stdout == "" and done.stderr, case
        assert secret not in done.stderr, case
    assert stat.S_IMODE(pathlib.Path(servers.config).stat().st_mode) == 0o600


def test_the_command_asks_over_tls_only_whom_it_trusts(account, servers, pair, tmp_path):
    """A server with a certificate that the file names, and one that it does not."""
    from harness.server import Server

    server = Server(tmp_path / "data", options=["--tls-cert", str(servers.cert), "--tls-key", str(servers.key)])
    server.spawn()
    try:
        end = time.monotonic() + 20
        while True:
            try:
                context = ssl.create_default_context(cafile=str(servers.cert))
                urllib.request.urlopen(f"https://{server.listen}/health", timeout=2, context=context)
                break
            except OSError:
                assert time.monotonic() < end, server.logged()
                time.sleep(0.05)
        file = tmp_path / "config.toml"
        text = f'endpoint = "https://{server.listen}"\naccess_key_id = "{server.root.key_id}"\nsecret_access_key = "{server.root.secret}"\n'
        for trusted, works in ((f'ca_file = "{servers.cert}"\n', True), ("", False)):
            file.write_text(text + trusted)
            file.chmod(0o600)
            done = ssh_keys(servers, "--fingerprint", pair.sha256, config=file, check=False)
            assert (done.returncode == 0) is works and done.stdout == "", done
    finally:
        server.kill()
