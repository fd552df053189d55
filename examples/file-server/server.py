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

LONGEST_BODY = 64 << 20


class Refused(Exception):
    def __init__(self, status, code, message):
        super().__init__(code)
        self.status, self.code, self.message = status, code, message


class Store(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    root, bailiwick, credentials = None, None, None

    def ask(self, action, bucket, key=None, **context):
        """Asks Bailiwick; answers what the body must be held to, or raises what the client is told."""
        arn = f"arn:aws:s3:::{bucket}" + (f"/{key}" if key is not None else "")
        policy = self.policy_file(bucket)
        check = {"action": action, "resource": arn, "context": context}
        if policy.exists():
            check["resourcePolicy"] = json.loads(policy.read_text())
        captured = {
            "method": self.command,
            "uri": self.path,
            "headers": [[name, value] for name, value in self.headers.items()],
            "sourceIp": self.client_address[0],
            "secureTransport": False,
        }
        body = json.dumps({"request": captured, "checks": [check]}).encode()
        question = AWSRequest("POST", f"{self.bailiwick}/authorize", data=body, headers={"content-type": "application/json"})
        SigV4Auth(self.credentials, "bailiwick", "us-east-1").add_auth(question)
        request = urllib.request.Request(question.url, data=body, headers=dict(question.headers), method="POST")
        with urllib.request.urlopen(request, timeout=10) as reply:
            answer = json.load(reply)
        if "error" in answer:
            raise Refused(answer["error"]["status"], answer["error"]["code"], answer["error"]["message"])
        if answer["decisions"][0]["decision"] != "Allowed":
            raise Refused(403, "AccessDenied", "Access Denied")
        return answer["payload"]

    def body(self, payload):
        """The body, held to what was signed. Nothing is stored before."""
        length = int(self.headers.get("content-length", 0))
        if length > LONGEST_BODY:
            raise Refused(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
        data = self.rfile.read(length)
        if payload["mode"] == "hash" and hashlib.sha256(data).hexdigest() != payload["sha256"]:
            raise Refused(400, "XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match what was computed.")
        if payload["mode"] == "streaming":
            raise Refused(501, "NotImplemented", "Bodies that are sent in chunks are not taken here.")
        return data

    def target(self):
        path, _, query = self.path.partition("?")
        bucket, _, key = urllib.parse.unquote(path).lstrip("/").partition("/")
        if not bucket.replace("-", "").isalnum() or any(part in ("", ".", "..") for part in key.split("/")[:-1]):
            raise Refused(400, "InvalidArgument", "A bucket or key of this name is not kept here.")
        return bucket, key, urllib.parse.parse_qs(query, keep_blank_values=True)

    def policy_file(self, bucket):
        return self.root / f"{bucket}.policy.json"

    def file(self, bucket, key):
        # A name on disk that no key can leave: keys are not paths here.
        return self.root / bucket / urllib.parse.quote(key, safe="")

    def do_PUT(self):
        bucket, key, query = self.target()
        if "policy" in query:
            data = self.body(self.ask("s3:PutBucketPolicy", bucket))
            json.loads(data)
            self.policy_file(bucket).write_bytes(data)
            return self.reply(204)
        if not key:
            self.body(self.ask("s3:CreateBucket", bucket))
            (self.root / bucket).mkdir(exist_ok=True)
            return self.reply(200)
        data = self.body(self.ask("s3:PutObject", bucket, key))
        self.bucket(bucket)
        self.file(bucket, key).write_bytes(data)
        self.reply(200, headers={"ETag": f'"{hashlib.md5(data).hexdigest()}"'})

    def do_GET(self):
        bucket, key, query = self.target()
        if "policy" in query:
            self.ask("s3:GetBucketPolicy", bucket)
            if not self.policy_file(bucket).exists():
                raise Refused(404, "NoSuchBucketPolicy", "The bucket policy does not exist")
            return self.reply(200, self.policy_file(bucket).read_bytes())
        if key:
            self.ask("s3:GetObject", bucket, key)
            file = self.file(bucket, key)
            if not file.exists():
                raise Refused(404, "NoSuchKey", "The specified key does not exist.")
            data = file.read_bytes()
            return self.reply(200, data, {"ETag": f'"{hashlib.md5(data).hexdigest()}"'})
        prefix = query.get("prefix", [""])[0]
        self.ask("s3:ListBucket", bucket, **{"s3:prefix": prefix})
        keys = sorted(urllib.parse.unquote(file.name) for file in self.bucket(bucket).iterdir())
        found = "".join(f"<Contents><Key>{escape(key)}</Key></Contents>" for key in keys if key.startswith(prefix))
        self.reply(200, f"<ListBucketResult><IsTruncated>false</IsTruncated>{found}</ListBucketResult>".encode())

    do_HEAD = do_GET

    def do_DELETE(self):
        bucket, key, query = self.target()
        if "policy" in query:
            self.ask("s3:DeleteBucketPolicy", bucket)
            self.policy_file(bucket).unlink(missing_ok=True)
        elif key:
            self.ask("s3:DeleteObject", bucket, key)
            self.file(bucket, key).unlink(missing_ok=True)
        else:
            raise Refused(501, "NotImplemented", "Buckets are not deleted here.")
        self.reply(204)

    def bucket(self, bucket):
        if not (self.root / bucket).is_dir():
            raise Refused(404, "NoSuchBucket", "The specified bucket does not exist")
        return self.root / bucket

    def reply(self, status, body=b"", headers=None):
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def handle_one_request(self):
        """A client that hangs up, between requests or within one, is no failure of this server."""
        try:
            super().handle_one_request()
        except ConnectionError:
            self.close_connection = True

    def parse_request(self):
        """Every method through one place where a refusal becomes an S3 error."""
        if not super().parse_request():
            return False
        try:
            getattr(self, f"do_{self.command}", self.unknown)()
        except Refused as refused:
            words = f"<Error><Code>{refused.code}</Code><Message>{escape(refused.message)}</Message></Error>"
            self.close_connection = True
            self.reply(refused.status, words.encode())
        return False

    def unknown(self):
        raise Refused(405, "MethodNotAllowed", "The specified method is not allowed against this resource.")

    def log_message(self, *_):
        pass


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--listen", default="127.0.0.1:9000")
    options.add_argument("--bailiwick", default="http://127.0.0.1:7650")
    options.add_argument("--root", required=True, type=pathlib.Path)
    options = options.parse_args()
    options.root.mkdir(parents=True, exist_ok=True)
    Store.root, Store.bailiwick = options.root, options.bailiwick.rstrip("/")
    Store.credentials = Session().get_credentials()
    host, port = options.listen.rsplit(":", 1)
    ThreadingHTTPServer((host, int(port)), Store).serve_forever()


if __name__ == "__main__":
    main()
