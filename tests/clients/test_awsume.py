"""awsume: it reads profiles, assumes a role by AssumeRole, and exports a session that works."""

import re

import boto3
import pytest
from conftest import run, tool

CONFIG = """\
[profile admin]
region = us-east-1

[profile deploy]
role_arn = {role}
source_profile = admin
region = eu-central-1
role_session_name = from-awsume
"""
CREDENTIALS = """\
[admin]
aws_access_key_id = {key}
aws_secret_access_key = {secret}
"""


def exported(text):
    """What awsume hands to the shell: `Awsume`, then the values in their order."""
    line = next(line for line in text.splitlines() if line.startswith("Awsume"))
    key, secret, token, region, *_ = line.split()[1:]
    return {"aws_access_key_id": key, "aws_secret_access_key": secret, "aws_session_token": token, "region_name": region}


@pytest.mark.timeout(120)
def test_a_profile_with_a_role_becomes_a_session_that_works(seeded, tmp_path):
    home = tmp_path / ".aws"
    home.mkdir()
    (home / "config").write_text(CONFIG.format(role=seeded.account.arn("role/deploy")))
    (home / "credentials").write_text(CREDENTIALS.format(key=seeded.admin.key_id, secret=seeded.admin.secret))
    environment = {name: value for name, value in seeded.environment(tmp_path).items() if name not in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    done = run([tool("awsume", "awsumepy"), "deploy"], environment, tmp_path)
    session = boto3.Session(**exported(done.stdout))
    identity = session.client("sts", endpoint_url=seeded.admin.server.url).get_caller_identity()
    assert identity["Arn"] == seeded.account.arn("x").replace(":iam:", ":sts:").replace(":x", ":assumed-role/deploy/from-awsume")
    assert session.region_name == "eu-central-1"
    listed = run([tool("awsume", "awsumepy"), "--list-profiles"], environment, tmp_path)
    assert re.search(r"deploy\s+\|?\s*Role", listed.stdout + listed.stderr), listed.stdout
