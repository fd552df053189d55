"""A small S3-compatible file server that decides nothing itself: it asks Bailiwick whose each request is and whether policies allow it.

    AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=… python server.py --listen 127.0.0.1:9000 --bailiwick http://127.0.0.1:7650 --root DIR

Its own credentials need `bailiwick:Authorize`. It needs botocore, to sign its questions, and nothing else.
"""
import argparse
import hashlib
import json
import pathlib
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from xml.sax.saxutils import escape

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.session import Session


class Refused(Exception):
    """What the client is told: status, code, message."""


class Store(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def ask(self, action, bucket, key=None, **context):
        """Asks Bailiwick; answers what the body must be held to, or raises what the client is told."""
        check = {"action": action, "resource": f"arn:aws:s3:::{bucket}" + (f"/{key}" if key else ""), "context": context}
        if (policy := self.root / f"{bucket}.policy.json").exists():
            check["resourcePolicy"] = json.loads(policy.read_text())
        captured = {"method": self.command, "uri": self.path, "headers": [list(pair) for pair in self.headers.items()],
                    "sourceIp": self.client_address[0], "secureTransport": False}
        question = AWSRequest("POST", f"{self.bailiwick}/authorize", {"content-type": "application/json"},
                              json.dumps({"request": captured, "checks": [check]}).encode())
        SigV4Auth(self.credentials, "bailiwick", "us-east-1").add_auth(question)
        with urllib.request.urlopen(urllib.request.Request(question.url, question.data, dict(question.headers)), timeout=10) as reply:
            answer = json.load(reply)
        if error := answer.get("error"):
            raise Refused(error["status"], error["code"], error["message"])
        if answer["decisions"][0]["decision"] != "Allowed":
            raise Refused(403, "AccessDenied", "Access Denied")
        return answer["payload"]

    def body(self, payload):
        """The body, held to what was signed, before anything is stored."""
        if payload["mode"] == "streaming" or (length := int(self.headers.get("content-length", 0))) > 64 << 20:
            raise Refused(501, "NotImplemented", "Bodies in chunks, and of more than 64 MiB, are not taken here.")
        data = self.rfile.read(length)
        if payload["mode"] == "hash" and hashlib.sha256(data).hexdigest() != payload["sha256"]:
            raise Refused(400, "XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match what was computed.")
        return data

    def target(self):
        """Bucket, key, query, and the file: a name on disk that no key can leave, since keys are not paths here."""
        path, _, query = self.path.partition("?")
        bucket, _, key = urllib.parse.unquote(path).lstrip("/").partition("/")
        if not bucket.replace("-", "").isalnum() or any(part in ("", ".", "..") for part in key.split("/")[:-1]):
            raise Refused(400, "InvalidArgument", "A bucket or key of this name is not kept here.")
        query = urllib.parse.parse_qs(query, keep_blank_values=True)
        key = "" if "policy" in query else key  # a policy is the bucket's, whatever key its path names
        file = self.root / (f"{bucket}.policy.json" if "policy" in query else f"{bucket}/{urllib.parse.quote(key, safe='')}")
        return bucket, key, query, file

    def do_PUT(self):
        bucket, key, query, file = self.target()
        action = "PutBucketPolicy" if "policy" in query else "PutObject" if key else "CreateBucket"
        data = self.body(self.ask(f"s3:{action}", bucket, key))
        if action == "CreateBucket":
            file.mkdir(exist_ok=True)
        elif not (self.root / bucket).is_dir():
            raise Refused(404, "NoSuchBucket", "The specified bucket does not exist")
        else:
            file.write_bytes(json.dumps(json.loads(data)).encode() if "policy" in query else data)
        self.reply(200, headers={"ETag": f'"{hashlib.md5(data).hexdigest()}"'})

    def do_GET(self):
        bucket, key, query, file = self.target()
        if key or "policy" in query:
            self.ask("s3:GetBucketPolicy" if "policy" in query else "s3:GetObject", bucket, key)
            if not file.is_file():
                raise Refused(404, "NoSuchBucketPolicy" if "policy" in query else "NoSuchKey", "It does not exist.")
            return self.reply(200, data := file.read_bytes(), {"ETag": f'"{hashlib.md5(data).hexdigest()}"'})
        prefix = query.get("prefix", [""])[0]
        self.ask("s3:ListBucket", bucket, **{"s3:prefix": prefix})
        keys = sorted(urllib.parse.unquote(each.name) for each in file.glob("*"))
        found = "".join(f"<Contents><Key>{escape(key)}</Key></Contents>" for key in keys if key.startswith(prefix))
        self.reply(200, f"<ListBucketResult><IsTruncated>false</IsTruncated>{found}</ListBucketResult>".encode())

    do_HEAD = do_GET

    def do_DELETE(self):
        bucket, key, query, file = self.target()
        if not key and "policy" not in query:
            raise Refused(501, "NotImplemented", "Buckets are not deleted here.")
        self.ask("s3:DeleteBucketPolicy" if "policy" in query else "s3:DeleteObject", bucket, key)
        file.unlink(missing_ok=True)
        self.reply(204)

    def reply(self, status, body=b"", headers=None):
        self.send_response(status)
        for name, value in {"Content-Length": len(body), **(headers or {})}.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else body)

    def handle_one_request(self):
        """One place where a refusal becomes an S3 error. A client that hangs up is no failure of this server."""
        try:
            super().handle_one_request()
        except Refused as refused:
            status, code, message = refused.args
            self.reply(status, f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>".encode(), {"Connection": "close"})
        except ConnectionError:
            self.close_connection = True

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("--listen", default="127.0.0.1:9000")
    options.add_argument("--bailiwick", default="http://127.0.0.1:7650")
    options.add_argument("--root", required=True, type=pathlib.Path)
    options = options.parse_args()
    options.root.mkdir(parents=True, exist_ok=True)
    Store.root, Store.bailiwick, Store.credentials = options.root, options.bailiwick.rstrip("/"), Session().get_credentials()
    host, port = options.listen.rsplit(":", 1)
    ThreadingHTTPServer((host, int(port)), Store).serve_forever()
