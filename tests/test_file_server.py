"""Step 4: the small file server in examples/ is protected by Bailiwick and used through boto3's own S3 client."""

import json
import pathlib
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
from harness.principals import Principal, allow, fresh
from harness.server import ROOT, free_port

SCRIPT = ROOT / "examples/file-server/server.py"


@pytest.fixture(scope="module")
def files(server, account, tmp_path_factory):
    """The file server, with a user of its own that may ask."""
    asker = account.user(allow("bailiwick:Authorize"), name="file-server")
    root, listen = tmp_path_factory.mktemp("files"), f"127.0.0.1:{free_port()}"
    log = pathlib.Path(f"{root}.stderr")
    with open(log, "wb") as errors:
        process = subprocess.Popen([sys.executable, str(SCRIPT), "--listen", listen, "--bailiwick", server.url, "--root", str(root)], env=asker.environment(), stderr=errors, stdout=errors)
    end = time.monotonic() + 15
    while True:
        try:
            urllib.request.urlopen(f"http://{listen}/", timeout=2)
            break
        except urllib.error.HTTPError:
            break
        except OSError:
            assert process.poll() is None and time.monotonic() < end, log.read_text()
            time.sleep(0.05)
    yield f"http://{listen}"
    process.terminate()
    process.wait(10)
    text = log.read_text(errors="replace")
    assert "Traceback" not in text, text[-3000:]
    assert not [secret for secret in ledger.SECRETS if secret in text]


def s3(files, principal, **config):
    settings = Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}, **config)
    return ledger.watch(boto3.client("s3", endpoint_url=files, region_name="us-east-1", aws_access_key_id=principal.key_id, aws_secret_access_key=principal.secret,
                                     aws_session_token=principal.token, config=settings))


@pytest.fixture(scope="module")
def owner(account, files):
    return s3(files, account.user(allow("s3:*"), name="owner"))


@pytest.fixture(scope="module")
def bucket(owner):
    name = "reports"
    owner.create_bucket(Bucket=name)
    return name


def denied(call, *codes, **parameters):
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    error = caught.value.response
    assert error["Error"]["Code"] in (codes or ("AccessDenied", "403")), error
    return error


def test_put_get_list_delete(owner, bucket):
    for key in ("a.txt", "dir/b.txt", "dir/ü c+d.txt"):
        owner.put_object(Bucket=bucket, Key=key, Body=f"content of {key}".encode())
        assert owner.get_object(Bucket=bucket, Key=key)["Body"].read() == f"content of {key}".encode()
    assert {each["Key"] for each in owner.list_objects_v2(Bucket=bucket)["Contents"]} >= {"a.txt", "dir/b.txt", "dir/ü c+d.txt"}
    assert {each["Key"] for each in owner.list_objects_v2(Bucket=bucket, Prefix="dir/")["Contents"]} == {"dir/b.txt", "dir/ü c+d.txt"}


def test_a_user_without_policies_gets_nothing(account, files, owner, bucket):
    owner.put_object(Bucket=bucket, Key="secret", Body=b"x")
    client = s3(files, account.user())
    denied(client.get_object, Bucket=bucket, Key="secret")
    denied(client.put_object, Bucket=bucket, Key="secret", Body=b"y")
    denied(client.list_objects_v2, Bucket=bucket)
    assert owner.get_object(Bucket=bucket, Key="secret")["Body"].read() == b"x"


def test_policies_reach_down_to_prefixes(account, files, owner, bucket):
    owner.put_object(Bucket=bucket, Key="mine/x", Body=b"1")
    owner.put_object(Bucket=bucket, Key="yours/x", Body=b"2")
    client = s3(files, account.user(allow("s3:GetObject", f"arn:aws:s3:::{bucket}/mine/*")))
    assert client.get_object(Bucket=bucket, Key="mine/x")["Body"].read() == b"1"
    denied(client.get_object, Bucket=bucket, Key="yours/x")


def test_a_role_session_works_and_its_session_policy_narrows(account, files, owner, bucket):
    owner.put_object(Bucket=bucket, Key="role", Body=b"r")
    user, role = account.user(allow("sts:AssumeRole")), account.role(allow("s3:*"))
    assert s3(files, user.assume(role)).get_object(Bucket=bucket, Key="role")["Body"].read() == b"r"
    narrow = s3(files, user.assume(role, Policy=json.dumps({"Version": "2012-10-17", "Statement": allow("s3:ListBucket")})))
    denied(narrow.get_object, Bucket=bucket, Key="role")


def test_a_bucket_policy_lets_the_second_account_read_one_prefix(account, other_account, files, owner, bucket):
    for key in ("shared/x", "private/x"):
        owner.put_object(Bucket=bucket, Key=key, Body=key.encode())
    stranger, without = s3(files, other_account.user(allow("s3:*"))), s3(files, other_account.user())
    denied(stranger.get_object, Bucket=bucket, Key="shared/x")
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{other_account.id}:root"}, "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/shared/*"}]}
    owner.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    assert stranger.get_object(Bucket=bucket, Key="shared/x")["Body"].read() == b"shared/x"
    denied(stranger.get_object, Bucket=bucket, Key="private/x")
    denied(stranger.put_object, Bucket=bucket, Key="shared/x", Body=b"overwritten")
    denied(without.get_object, Bucket=bucket, Key="shared/x")
    denied(stranger.put_bucket_policy, Bucket=bucket, Policy=json.dumps(policy))
    policy["Statement"][0]["Resource"] = f"arn:aws:s3:::{bucket}/nothing/*"
    owner.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    denied(stranger.get_object, Bucket=bucket, Key="shared/x")


def test_a_key_in_the_path_does_not_open_the_buckets_policy(account, files, owner, bucket):
    """A policy is the bucket's: whoever may do everything with some keys may not name one of them to change it."""
    owner.put_object(Bucket=bucket, Key="mine/x", Body=b"1")
    client = s3(files, account.user(allow("s3:*", f"arn:aws:s3:::{bucket}/mine/*")))
    open_to_all = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"}]}

    def name_the_policy(request, **_):
        request.url += "?policy"

    client.meta.events.register("before-sign.s3.PutObject", name_the_policy)
    denied(client.put_object, Bucket=bucket, Key="mine/x", Body=json.dumps(open_to_all).encode())


def test_presigned_urls_work_and_cannot_be_bent(account, files, owner, bucket):
    signer = account.user(allow("s3:GetObject"))
    owner.put_object(Bucket=bucket, Key="signed", Body=b"s")
    url = ledger.note_url(s3(files, signer, signature_version="s3v4").generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "signed"}, ExpiresIn=60))
    assert urllib.request.urlopen(url, timeout=10).read() == b"s"
    for bent in (url.replace("signed?", "a.txt?"), url[:-1] + ("0" if url[-1] != "0" else "1")):
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(bent, timeout=10)
        assert caught.value.code == 403


def test_without_a_signature_there_is_nothing(files, owner, bucket):
    owner.put_object(Bucket=bucket, Key="closed", Body=b"x")
    for target in ("", f"/{bucket}", f"/{bucket}/closed", f"/{bucket}/../{bucket}/closed"):
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(files + target, timeout=10)
        assert caught.value.code in {400, 403, 404}


def test_a_body_that_is_not_the_signed_one_is_not_kept(account, files, owner, bucket):
    """The server holds the body to the hash that Bailiwick told it."""
    client = s3(files, account.user(allow("s3:*")))

    def swap(request, **_):
        request.body = b"swapped!"

    client.meta.events.register("before-send.s3.PutObject", swap)
    with pytest.raises(ClientError):
        client.put_object(Bucket=bucket, Key="swapped", Body=b"original")
    denied(owner.get_object, "NoSuchKey", "404", Bucket=bucket, Key="swapped")


def test_a_wrong_secret_is_told_in_s3s_words(server, account, files, bucket):
    user = account.user(allow("s3:*"))
    denied(s3(files, Principal(server, user.key_id, "x" * 40)).get_object, "SignatureDoesNotMatch", Bucket=bucket, Key="a.txt")
    denied(s3(files, Principal(server, "AKIARZPUZDIKGB2VALC4", "x" * 40)).get_object, "InvalidAccessKeyId", Bucket=bucket, Key="a.txt")


def test_taking_away_acts_on_the_next_request(account, files, owner, bucket):
    owner.put_object(Bucket=bucket, Key="revoked", Body=b"x")
    user = account.user(allow("s3:GetObject"))
    client = s3(files, user)
    client.get_object(Bucket=bucket, Key="revoked")
    account.iam.delete_user_policy(UserName=user.name, PolicyName="granted")
    denied(client.get_object, Bucket=bucket, Key="revoked")
    account.iam.put_user_policy(UserName=user.name, PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": allow("s3:*")}))
    client.get_object(Bucket=bucket, Key="revoked")
    account.iam.delete_access_key(UserName=user.name, AccessKeyId=user.key_id)
    denied(client.get_object, "InvalidAccessKeyId", Bucket=bucket, Key="revoked")


@pytest.mark.parametrize("key", ["../../escaped", "..", "a/../../../escaped", "%2e%2e/escaped", "/etc/passwd", "a\\..\\b"])
def test_a_key_never_leaves_the_root(account, files, owner, bucket, tmp_path_factory, key):
    """Whatever the key, the file is inside the root, or the request is refused; and it is read back under the very key."""
    name = f"{key}-{fresh('k')}"
    try:
        owner.put_object(Bucket=bucket, Key=name, Body=b"in")
    except ClientError as error:
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] in {400, 403, 404}
    else:
        assert owner.get_object(Bucket=bucket, Key=name)["Body"].read() == b"in"
    base = tmp_path_factory.getbasetemp()
    outside = [path for path in base.rglob(f"*{name.rpartition('/')[2]}*") if "files" not in str(path.relative_to(base))]
    assert not outside


def test_one_key_cannot_be_read_through_another_spelling(account, files, owner, bucket):
    owner.put_object(Bucket=bucket, Key="private/secret", Body=b"x")
    client = s3(files, account.user(allow("s3:GetObject", f"arn:aws:s3:::{bucket}/public/*")))
    for key in ("public/../private/secret", "public/%2e%2e/private/secret", "public//../private/secret", "public/./../private/secret"):
        with pytest.raises(ClientError) as caught:
            client.get_object(Bucket=bucket, Key=key)
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] in {400, 403, 404}
