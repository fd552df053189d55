"""Keeps pictures, and gives them to whoever may `s3:GetObject` them.

    AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=… python pictures.py --listen 127.0.0.1:9001 --account 111122223333 --root DIR

The credentials are those that `bailiwick service add pictures.example.internal --host 127.0.0.1:9001` printed.
"""

import argparse
import pathlib
import urllib.parse
from http.server import ThreadingHTTPServer

from botocore.session import Session
from service import Refused, Service


class Pictures(Service):
    def answer(self, bucket, key):
        self.ask("s3:GetObject", f"arn:aws:s3:::{bucket}/{key}")
        file = self.root / urllib.parse.quote(f"{bucket}/{key}", safe="")  # one name, which no key can leave
        if not file.is_file():
            raise Refused(404, "NoSuchKey", "The specified key does not exist.")
        return file.read_bytes()


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("--listen", required=True)
    options.add_argument("--account", required=True, help="whose the pictures are")
    options.add_argument("--bailiwick", default="http://127.0.0.1:7650")
    options.add_argument("--root", required=True, type=pathlib.Path)
    options = options.parse_args()
    Pictures.bailiwick, Pictures.account, Pictures.root, Pictures.credentials = options.bailiwick, options.account, options.root, Session().get_credentials()
    host, port = options.listen.rsplit(":", 1)
    ThreadingHTTPServer((host, int(port)), Pictures).serve_forever()
