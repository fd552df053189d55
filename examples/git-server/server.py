"""A git server that keeps no users: over HTTPS and SSH it asks Bailiwick whose each credential is, and whether policies allow what it would do.

    python server.py https --config FILE --account 12DIGITS --root DIR --listen 127.0.0.1:8443 --cert CERT --key KEY
    python server.py sshd  --config FILE --account 12DIGITS --root DIR --listen 127.0.0.1:2222 --state DIR --bailiwick BINARY

README.md says what FILE holds and which rights its user needs. It needs Python 3.11, git, and for SSH OpenSSH's sshd; nothing else.
"""

import argparse
import base64
import binascii
import contextlib
import datetime
import hashlib
import hmac
import json
import os
import pathlib
import re
import shlex
import shutil
import ssl
import subprocess
import sys
import tempfile
import tomllib
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SERVICE, REGION = "codecommit.amazonaws.com", "us-east-1"
ACTIONS = {"git-upload-pack": "codecommit:GitPull", "git-receive-pack": "codecommit:GitPush"}
NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}")
LONGEST_BODY = 1 << 30


class Refused(Exception):
    def __init__(self, status, words):
        super().__init__(words)
        self.status = status


class Bailiwick:
    """What this server asks, and as whom."""

    def __init__(self, config, account):
        said, self.account = tomllib.loads(pathlib.Path(config).read_text()), account
        self.endpoint, self.key_id, self.secret = said["endpoint"].rstrip("/"), said["access_key_id"], said["secret_access_key"]
        self.tls = ssl.create_default_context(cafile=said.get("ca_file"))

    def verify(self, credential, action, repository, source_ip):
        """The user whose credential it is, if policies allow the action on the repository."""
        arn = f"arn:aws:codecommit:{REGION}:{self.account}:{repository}"
        question = {"service": SERVICE, "credential": credential, "sourceIp": source_ip, "secureTransport": True, "checks": [{"action": action, "resource": arn}]}
        answer = self._post("/verify", question)
        if "error" in answer:
            raise Refused(401 if answer["error"]["status"] == 403 else answer["error"]["status"], answer["error"]["code"])
        if answer["decisions"][0]["decision"] != "Allowed":
            raise Refused(403, "AccessDenied")
        return answer["principal"]["arn"]

    def _post(self, path, document):
        body, now = json.dumps(document).encode(), datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%SZ")
        host, scope = urllib.parse.urlsplit(self.endpoint).netloc, f"{now[:8]}/{REGION}/bailiwick/aws4_request"
        canonical = f"POST\n{path}\n\nhost:{host}\nx-amz-date:{now}\n\nhost;x-amz-date\n{hashlib.sha256(body).hexdigest()}"
        to_sign, key = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}", f"AWS4{self.secret}".encode()
        for part in [*scope.split("/"), to_sign]:
            key = hmac.digest(key, part.encode(), "sha256")
        signed = f"AWS4-HMAC-SHA256 Credential={self.key_id}/{scope}, SignedHeaders=host;x-amz-date, Signature={key.hex()}"
        headers = {"Content-Type": "application/json", "Host": host, "X-Amz-Date": now, "Authorization": signed}
        request = urllib.request.Request(self.endpoint + path, data=body, headers=headers, method="POST")
        with urllib.request.urlopen(request, timeout=10, context=self.tls if self.endpoint.startswith("https:") else None) as reply:
            return json.load(reply)


def repository(root, name):
    path = pathlib.Path(root).resolve() / f"{name}.git"
    if not path.is_dir():
        raise Refused(404, "no such repository")
    return path


class Git(BaseHTTPRequestHandler):
    """Git's smart protocol: who asks is Bailiwick's to say, what is answered is `git http-backend`'s."""

    bailiwick, root = None, None

    def handle_git(self):
        try:
            name, path, query, action = self.target()
            arn = self.bailiwick.verify(self.credential(), action, name, self.client_address[0])
            self.backend(repository(self.root, name), path, query, arn)
        except Refused as refused:
            words = f"{refused}\n".encode()
            self.send_response(refused.status)
            if refused.status == 401:
                self.send_header("WWW-Authenticate", 'Basic realm="git", charset="UTF-8"')
            self.send_header("Content-Length", str(len(words)))
            self.end_headers()
            self.wfile.write(words)
        except OSError as error:
            self.log_error("%s", error)
            self.send_error(502)

    do_GET = do_POST = handle_git

    def target(self):
        """/v1/repos/NAME/info/refs?service=git-upload-pack, or /v1/repos/NAME/git-upload-pack."""
        path, _, query = self.path.partition("?")
        found = re.fullmatch(rf"/v1/repos/({NAME.pattern})/(info/refs|git-upload-pack|git-receive-pack)", path)
        if not found:
            raise Refused(404, "no such page")
        name, rest = found.groups()
        service = urllib.parse.parse_qs(query).get("service", [""]) if rest == "info/refs" else [rest]
        if len(service) != 1 or service[0] not in ACTIONS or (self.command == "POST") == (rest == "info/refs"):
            raise Refused(400, "not what git asks")
        return name, f"/{name}.git/{rest}", query, ACTIONS[service[0]]

    def credential(self):
        scheme, _, encoded = self.headers.get("Authorization", "").partition(" ")
        try:
            name, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            name, colon, password = "", "", ""
        if scheme.lower() != "basic" or not colon:
            raise Refused(401, "a user name and a password are needed")
        return {"userName": name, "password": password}

    def backend(self, path, info, query, arn):
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "HTTP_"))}
        environment |= {
            "GIT_PROJECT_ROOT": str(path.parent), "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": info, "QUERY_STRING": query, "REQUEST_METHOD": self.command,
            "REMOTE_USER": arn, "REMOTE_ADDR": self.client_address[0], "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""), "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        with tempfile.TemporaryFile() as body:
            environment["CONTENT_LENGTH"] = str(self.read_body(body))
            body.seek(0)
            with subprocess.Popen(["git", "http-backend"], env=environment, stdin=body, stdout=subprocess.PIPE) as git:
                headers = []
                while (line := git.stdout.readline()) not in (b"\r\n", b"\n", b""):
                    headers.append(line.decode("latin-1").rstrip("\r\n").split(": ", 1))
                status = next((value for name, value in headers if name == "Status"), "200 OK")
                self.send_response(int(status.split()[0]))
                for name, value in headers:
                    if name != "Status":
                        self.send_header(name, value)
                self.end_headers()
                shutil.copyfileobj(git.stdout, self.wfile)

    def read_body(self, file):
        """Git sends small bodies with their length and large ones in chunks."""
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            size = 0
            while length := int(self.rfile.readline(100).split(b";")[0], 16):
                size += length
                if size > LONGEST_BODY:
                    raise Refused(413, "too large")
                file.write(self.rfile.read(length))
                self.rfile.readline(100)
            return size
        length = int(self.headers.get("Content-Length", 0))
        if not 0 <= length <= LONGEST_BODY:
            raise Refused(413, "too large")
        file.write(self.rfile.read(length))
        return length


class Server(ThreadingHTTPServer):
    def shutdown_request(self, request):
        """An answer without a length ends with the connection: TLS must say that this is its end."""
        with contextlib.suppress(OSError):
            request.settimeout(5)
            request.unwrap()
        super().shutdown_request(request)


def https(options):
    Git.bailiwick, Git.root = Bailiwick(options.config, options.account), options.root
    host, _, port = options.listen.rpartition(":")
    server = Server((host, int(port)), Git)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(options.cert, options.key)
    # The handshake is each connection's own thread's to make.
    server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.serve_forever()


def ssh(options):
    """What sshd runs for a key that it has verified: the one program that the key may run."""
    words = shlex.split(os.environ.get("SSH_ORIGINAL_COMMAND", ""))
    if len(words) == 3 and words[0] == "git":
        words = [f"git-{words[1]}", words[2]]
    name = re.fullmatch(rf"/?(?:v1/repos/)?({NAME.pattern})", words[1]) if len(words) == 2 else None
    try:
        if not name or words[0] not in ACTIONS:
            raise Refused(400, "only git clones, fetches and pushes here")
        source_ip = os.environ.get("SSH_CONNECTION", "").split(" ")[0]
        Bailiwick(options.config, options.account).verify({"sshPublicKeyId": options.id}, ACTIONS[words[0]], name[1], source_ip)
        path = repository(options.root, name[1])
    except (Refused, OSError) as refused:
        sys.exit(f"git-server: {refused}")
    os.execvp("git", ["git", words[0].removeprefix("git-"), str(path)])


def sshd(options):
    """Runs OpenSSH's sshd as the current user: whatever key is offered, `bailiwick ssh-keys` says whose it is and what it may run."""
    state, (host, _, port) = pathlib.Path(options.state).resolve(), options.listen.rpartition(":")
    state.mkdir(mode=0o700, exist_ok=True)
    key, file = state / "host_key", state / "sshd_config"
    if not key.exists():
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    runs = [sys.executable, str(pathlib.Path(__file__).resolve()), "ssh", "--config", str(pathlib.Path(options.config).resolve()), "--account", options.account, "--root", str(pathlib.Path(options.root).resolve())]
    # sshd reads its file with quotes, and a shell the command that is in it.
    command = f"{shlex.join(runs)} --id {{id}}".replace("\\", "\\\\").replace('"', '\\"')
    asks = f'/usr/bin/env {pathlib.Path(options.bailiwick).resolve()} ssh-keys --config {pathlib.Path(options.config).resolve()} --fingerprint %f --command "{command}"'
    file.write_text(f"""ListenAddress {host}
Port {port}
HostKey {key}
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin forced-commands-only
AuthorizedKeysFile none
AuthorizedKeysCommand {asks}
AuthorizedKeysCommandUser {os.environ.get("USER") or subprocess.check_output(["id", "-un"], text=True).strip()}
""")
    if os.geteuid() == 0:
        os.makedirs("/run/sshd", 0o755, exist_ok=True)
    path = shutil.which("sshd", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    os.execv(path, [path, "-D", "-e", "-f", str(file)])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    for run, needs in [(https, ["--listen", "--cert", "--key"]), (sshd, ["--listen", "--state", "--bailiwick"]), (ssh, ["--id"])]:
        command = commands.add_parser(run.__name__, help=run.__doc__)
        for option in ["--config", "--account", "--root", *needs]:
            command.add_argument(option, required=True)
        command.set_defaults(run=run)
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()
