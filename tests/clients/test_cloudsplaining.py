"""Cloudsplaining: it downloads the account, reads every document in it, and finds what is too wide."""

import json

import pytest
from conftest import run, tool


@pytest.mark.timeout(200)
def test_an_account_is_downloaded_and_scanned(seeded, tmp_path):
    seeded.account.user({"Effect": "Allow", "Action": ["s3:PutObject", "s3:GetObject", "iam:PassRole", "lambda:CreateFunction", "lambda:InvokeFunction"], "Resource": "*"}, name="wide", key=False)
    environment = seeded.environment(tmp_path)
    run([tool("cloudsplaining", "cloudsplaining"), "download", "--output", tmp_path], environment, tmp_path)
    (downloaded,) = tmp_path.glob("*.json")
    account = json.loads(downloaded.read_text())
    assert {user["UserName"] for user in account["UserDetailList"]} >= {"admin", "creator", "wide"}
    assert {policy["PolicyName"] for policy in account["Policies"]} >= {"reading", "AdministratorAccess"}

    out = tmp_path / "out"
    out.mkdir()
    run([tool("cloudsplaining", "cloudsplaining"), "scan", "--input-file", downloaded, "--output", out, "--skip-open-report"], environment, tmp_path)
    (results,) = out.glob("iam-results-*.json")
    told = json.loads(results.read_text())
    findings = [policy for policy in told["inline_policies"].values() if policy["PolicyName"] == "granted" and policy["PrivilegeEscalation"].get("findings")]
    assert findings, "iam:PassRole with lambda:CreateFunction is found to lead to more"
    assert list(out.glob("iam-report-*.html")) or list(out.glob("*.html"))
