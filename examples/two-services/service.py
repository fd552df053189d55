"""What both services have in common: each asks Bailiwick, with its own key, whose a request is and whether policies allow it."""

import base64
import hashlib
import hmac
import json
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler
from xml.sax.saxutils import escape

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest


class Refused(Exception):
    """What the client is told: status, code, message."""


class Service(BaseHTTPRequestHandler):
    """Speaks as much of S3 as one GET needs. `bailiwick`, `account` and `credentials` are set by whoever starts it."""

    protocol_version = "HTTP/1.1"

    def ask(self, action, resource, delegate=False):
        """Asks about the request that is being handled. With `delegate`, the answer says what to act for its sender with."""
        captured = {"method": self.command, "uri": self.path, "headers": [list(pair) for pair in self.headers.items()],
                    "sourceIp": self.client_address[0], "secureTransport": False}
        check = {"action": action, "resource": resource, "resourceAccount": self.account}
        question = AWSRequest("POST", f"{self.bailiwick}/authorize", {"content-type": "application/json"},
                              json.dumps({"request": captured, "checks": [check], "delegate": delegate}).encode())
        SigV4Auth(self.credentials, "bailiwick", "us-east-1").add_auth(question)
        with urllib.request.urlopen(urllib.request.Request(question.url, question.data, dict(question.headers)), timeout=10) as reply:
            answer = json.load(reply)
        if error := answer.get("error"):
            raise Refused(error["status"], error["code"], error["message"])
        if answer["decisions"][0]["decision"] != "Allowed":
            raise Refused(403, "AccessDenied", "Access Denied")
        return answer

    def acting_for(self, answer):
        """boto3's arguments for calling with the sender's permissions. The secret is made from the service's own: no one else can make it."""
        made = answer["delegation"]
        secret = hmac.digest(self.credentials.secret_key.encode(), b"bailiwick delegation " + made["accessKeyId"].encode(), hashlib.sha256)
        return {"aws_access_key_id": made["accessKeyId"], "aws_secret_access_key": base64.b64encode(secret).decode(), "aws_session_token": made["sessionToken"]}

    def target(self):
        bucket, _, key = urllib.parse.unquote(self.path.partition("?")[0]).lstrip("/").partition("/")
        return bucket, key

    def do_GET(self):
        try:
            self.reply(200, self.answer(*self.target()))
        except Refused as refused:
            status, code, message = refused.args
            self.reply(status, f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>".encode())

    def reply(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass
