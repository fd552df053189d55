"""Makes a thumbnail of a picture for whoever may `thumbs:Make` it. The picture it gets from the other service, as the one who asks: what they
may not see, it cannot show them.

    AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=… python thumbs.py --listen 127.0.0.1:9002 --account 111122223333 --pictures http://127.0.0.1:9001

The credentials are those that `bailiwick service add thumbs.example.internal --host 127.0.0.1:9002` printed.
"""

import argparse
from http.server import ThreadingHTTPServer

import boto3
from botocore.exceptions import ClientError
from botocore.session import Session
from service import Refused, Service

SIZE = 16


class Thumbs(Service):
    def answer(self, bucket, key):
        answer = self.ask("thumbs:Make", f"arn:aws:thumbs:::{bucket}/{key}", delegate=True)
        pictures = boto3.client("s3", endpoint_url=self.pictures, region_name="us-east-1", **self.acting_for(answer))
        try:
            return pictures.get_object(Bucket=bucket, Key=key)["Body"].read()[:SIZE]
        except ClientError as error:
            told = error.response
            raise Refused(told["ResponseMetadata"]["HTTPStatusCode"], told["Error"]["Code"], told["Error"]["Message"]) from None


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("--listen", required=True)
    options.add_argument("--account", required=True, help="whose the thumbnails are")
    options.add_argument("--bailiwick", default="http://127.0.0.1:7650")
    options.add_argument("--pictures", required=True)
    options = options.parse_args()
    Thumbs.bailiwick, Thumbs.account, Thumbs.pictures, Thumbs.credentials = options.bailiwick, options.account, options.pictures, Session().get_credentials()
    host, port = options.listen.rsplit(":", 1)
    ThreadingHTTPServer((host, int(port)), Thumbs).serve_forever()
