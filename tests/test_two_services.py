"""The two services in examples/: thumbs makes thumbnails of what pictures keeps, on behalf of whoever asks it. Used through boto3's own S3 client."""

import subprocess
import sys
import time
import urllib.error
import urllib.request

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from harness import ledger
from harness.principals import allow, document
from harness.server import ROOT, free_port
from harness.services import registered

FOLDER = ROOT / "examples/two-services"
PICTURE = b"a picture of a cat, much larger than its thumbnail"


def started(folder, script, service, listen, *options):
    log = folder / f"{script}.stderr"
    with open(log, "wb") as errors:
        process = subprocess.Popen([sys.executable, str(FOLDER / script), "--listen", listen, *options], env=service.environment(), stderr=errors, stdout=errors)
    end = time.monotonic() + 20
    while True:
        try:
            urllib.request.urlopen(f"http://{listen}/", timeout=5)
        except urllib.error.HTTPError:
            return process, log
        except OSError:
            assert process.poll() is None and time.monotonic() < end, log.read_text()
            time.sleep(0.05)


@pytest.fixture(scope="module")
def two(server, account, tmp_path_factory):
    """Where pictures and thumbs are, and their names."""
    root, logs = tmp_path_factory.mktemp("pictures"), tmp_path_factory.mktemp("logs")
    (root / "photos%2Fcat").write_bytes(PICTURE)
    places = [f"127.0.0.1:{free_port()}" for _ in range(2)]
    pictures = registered(server, "pictures.example.internal", places[0])
    thumbs = registered(server, "thumbnails.example.internal", places[1])
    common = ["--account", account.id, "--bailiwick", server.url]
    running = [started(logs, "pictures.py", pictures, places[0], *common, "--root", str(root)),
               started(logs, "thumbs.py", thumbs, places[1], *common, "--pictures", f"http://{places[0]}")]
    yield {"pictures": f"http://{places[0]}", "thumbs": f"http://{places[1]}", "name": thumbs.name}
    for process, log in running:
        process.terminate()
        process.wait(10)
        text = log.read_text(errors="replace")
        assert "Traceback" not in text, text[-3000:]
        assert not [secret for secret in ledger.SECRETS if secret in text]


def get(place, principal):
    client = boto3.client("s3", endpoint_url=place, region_name="us-east-1", aws_access_key_id=principal.key_id, aws_secret_access_key=principal.secret,
                          aws_session_token=principal.token, config=Config(retries={"total_max_attempts": 1}))
    try:
        return ledger.watch(client).get_object(Bucket="photos", Key="cat")["Body"].read()
    except ClientError as error:
        return error.response["Error"]["Code"]


def test_one_service_calls_the_other_on_behalf_of_alice(account, two):
    """She sees a picture through the thumbnails only."""
    alice = account.user(allow("thumbs:Make"), allow("s3:GetObject", "*", {"ForAnyValue:StringEquals": {"aws:CalledVia": two["name"]}}))
    assert get(two["thumbs"], alice) == PICTURE[:16]
    assert get(two["pictures"], alice) == "AccessDenied"


def test_it_shows_her_nothing_that_she_may_not_see(account, two):
    """The service's own rights do not stand in for hers: there are none."""
    alice = account.user(allow("thumbs:Make"))
    assert get(two["thumbs"], alice) == "AccessDenied"
    assert get(two["thumbs"], account.user(allow("s3:GetObject"))) == "AccessDenied", "and nothing to whom it makes no thumbnails"


def test_her_sessions_and_what_is_taken_from_her_count(account, two):
    alice = account.user(allow(["thumbs:Make", "s3:GetObject", "sts:AssumeRole"]))
    role = account.role(allow("*"))
    assert get(two["thumbs"], alice.assume(role)) == PICTURE[:16]
    assert get(two["thumbs"], alice.assume(role, Policy=document(allow("thumbs:Make")))) == "AccessDenied"
    assert get(two["thumbs"], alice) == PICTURE[:16]
    account.iam.put_user_policy(UserName=alice.name, PolicyName="granted", PolicyDocument=document(allow("thumbs:Make")))
    assert get(two["thumbs"], alice) == "AccessDenied"
