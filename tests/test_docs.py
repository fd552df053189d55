"""The commands in the documents do what the documents say: each page's shell blocks are run in their order, in an empty folder."""

import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

from harness.server import binary, free_port

DOCS = pathlib.Path(__file__).parent.parent / "docs"


def script(page):
    blocks = re.findall(r"^```sh\n(.*?)^```", (DOCS / page).read_text(), re.DOTALL | re.MULTILINE)
    assert blocks, page
    return "\n".join(["set -euo pipefail", "trap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT", *blocks])


@pytest.mark.timeout(120)
@pytest.mark.parametrize("page", ["operator.md", "mfa.md", "evaluate.md", "policy-tests.md", "services.md", "organizations.md", "organization-policies.md", "reports.md", "certificates.md", "delegation.md"])
def test_the_commands_of_a_page_work(page, tmp_path):
    tools = tmp_path / "tools"
    tools.mkdir()
    shutil.copy(binary(), tools / "bailiwick")
    work = tmp_path / "work"
    work.mkdir()
    path = f"{tools}:{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("BAILIWICK_", "AWS_"))}
    text = script(page).replace("127.0.0.1:7650", f"127.0.0.1:{free_port()}")
    environment |= {"PATH": path, "HOME": str(work), "AWS_PAGER": "", "AWS_EC2_METADATA_DISABLED": "true"}
    done = subprocess.run(["bash", "-c", text], cwd=work, env=environment, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    if page == "operator.md":
        assert '"suggestions"' in done.stdout and '"iam:ListUsers"' in done.stdout, done.stdout
        assert "records, no problems" in done.stdout
    elif page == "delegation.md":
        assert '"PermissionCheckResult": "ALLOWED"' in done.stdout and '"SummaryState": "AVAILABLE"' in done.stdout and '"Users": []' in done.stdout, done.stdout
    elif page == "policy-tests.md":
        assert "2 passed, 0 failed" in done.stdout and "1 passed, 1 failed" in done.stdout and 'failures="1"' in done.stdout, done.stdout
    elif page == "organization-policies.md":
        assert "iam:CreateUser" in done.stderr and "with an explicit deny in a service control policy" in done.stderr, done.stderr
        assert '"tag_key":"CostCenter"' in done.stdout, done.stdout
    elif page == "mfa.md":
        assert "iam:ListUsers" in done.stderr and '"UserName": "alice"' in done.stdout, done.stdout
    elif page == "reports.md":
        assert "<root_account>,arn:aws:iam::" in done.stdout and '"JobStatus": "COMPLETED"' in done.stdout and '"PolicyType": "MANAGED"' in done.stdout, done.stdout
    elif page == "services.md":
        assert "thumbs.example.internal\t127.0.0.1:9002\n" in done.stdout and '"Service": "thumbs.example.internal"' in done.stdout, done.stdout
    elif page == "certificates.md":
        assert '"Path": "/cdn/"' in done.stdout and '"Active"' in done.stdout and '"Url": "idp.example.com/realms/main"' in done.stdout, done.stdout
    elif page == "organizations.md":
        assert done.stdout.count('"ACTIVE"') == 1 and "InvalidClientTokenId" in done.stderr and "AccessDenied" in done.stderr, done.stdout
        assert '"Watch"' in done.stdout and '"PrimaryEmail": "payments@example.com"' in done.stdout, done.stdout
    else:
        assert done.stdout.count('"decision":"ImplicitlyDenied"') == 2


def test_the_guide_for_stores_names_every_member_that_is_taken():
    """What a question and an answer may hold is said where authors look."""
    guide = (DOCS / "stores.md").read_text()
    for member in ["method", "uri", "headers", "payloadSha256", "sourceIp", "secureTransport", "explain", "checks", "action", "resource", "resourceAccount",
                   "resourcePolicy", "resourceTags", "context", "delegate", "service", "calledVia", "principal", "payload", "decisions", "streaming", "chunks", "trailer", "after", "whole",
                   "credential", "userName", "password", "apiKey", "sshPublicKeyId", "sshPublicKey", "sshFingerprint", "userAgent", "region", "expires", "lastUsed"]:
        assert re.search(rf"\b{member}\b", guide), member
