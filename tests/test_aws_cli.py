"""The real aws-cli, with nothing but AWS_ENDPOINT_URL. Few calls: it is slow to start."""

import json
import pathlib
import subprocess
import sys

import pytest

from harness import ledger
from harness.principals import Principal, allow, document, trust

AWS = pathlib.Path(sys.executable).with_name("aws")


def aws(caller, *arguments, check=True, environment=None):
    """Runs the cli as a principal, and reads its JSON."""
    command = [sys.executable, str(AWS), "--cli-connect-timeout", "5", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=caller.environment() | (environment or {}))
    if check:
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None
    return done


@pytest.fixture(scope="module")
def alice(account):
    """Made by the cli itself."""
    made = aws(account.root, "iam", "create-user", "--user-name", "alice", "--tags", "Key=team,Value=red")["User"]
    assert made["Arn"] == account.arn("user/alice") and made["Tags"] == [{"Key": "team", "Value": "red"}]
    key = aws(account.root, "iam", "create-access-key", "--user-name", "alice")["AccessKey"]
    ledger.keep(key["SecretAccessKey"], "alice's secret, by the cli")
    return Principal(account.server, key["AccessKeyId"], key["SecretAccessKey"], arn=made["Arn"], account_id=account.id, name="alice", unique_id=made["UserId"])


def test_get_caller_identity(account, alice):
    assert aws(alice, "sts", "get-caller-identity") == {"UserId": alice.unique_id, "Account": account.id, "Arn": alice.arn}


def test_a_denial_is_shown_whole(account, alice):
    done = aws(alice, "iam", "list-users", check=False)
    assert done.returncode == 254 or done.returncode == 255
    assert f"An error occurred (AccessDenied) when calling the ListUsers operation: User: {alice.arn} is not authorized to perform: iam:ListUsers on resource: {account.arn('user/')}" in done.stderr


def test_list_users_is_paged_by_the_cli(account, alice):
    for number in range(5):
        account.iam.create_user(UserName=f"paged-{number}", Path="/paged/")
    listed = aws(account.root, "iam", "list-users", "--path-prefix", "/paged/", "--page-size", "2")
    assert [user["UserName"] for user in listed["Users"]] == [f"paged-{number}" for number in range(5)]
    some = aws(account.root, "iam", "list-users", "--path-prefix", "/paged/", "--max-items", "3")
    assert len(some["Users"]) == 3
    rest = aws(account.root, "iam", "list-users", "--path-prefix", "/paged/", "--starting-token", some["NextToken"])
    assert [user["UserName"] for user in rest["Users"]] == ["paged-3", "paged-4"]


def test_documents_from_files_and_policies_back(account, tmp_path):
    file = tmp_path / "policy.json"
    file.write_text(json.dumps(json.loads(document(allow("iam:ListUsers"))), indent=2))
    made = aws(account.root, "iam", "create-policy", "--policy-name", "from-a-file", "--policy-document", f"file://{file}")["Policy"]
    aws(account.root, "iam", "attach-user-policy", "--user-name", "alice", "--policy-arn", made["Arn"])
    version = aws(account.root, "iam", "get-policy-version", "--policy-arn", made["Arn"], "--version-id", "v1")["PolicyVersion"]
    assert version["Document"] == json.loads(file.read_text())
    aws(account.root, "iam", "detach-user-policy", "--user-name", "alice", "--policy-arn", made["Arn"])


def test_assume_role_by_a_profile(account, alice, tmp_path):
    """As people configure it: a profile with role_arn and source_profile."""
    account.iam.put_user_policy(UserName="alice", PolicyName="assume", PolicyDocument=document(allow("sts:AssumeRole")))
    role = account.role(allow("iam:ListRoles"), name="deployer", trusted=trust(alice.arn, condition={"StringEquals": {"sts:ExternalId": "ticket-7"}}))
    config = tmp_path / "config"
    config.write_text(f"""[profile base]
aws_access_key_id = {alice.key_id}
aws_secret_access_key = {alice.secret}
[profile deployer]
role_arn = {role.arn}
source_profile = base
role_session_name = from-the-cli
external_id = ticket-7
duration_seconds = 900
""")
    environment = {"AWS_CONFIG_FILE": str(config), "AWS_PROFILE": "deployer", "HOME": str(tmp_path)}
    bare = Principal(account.server, alice.key_id, alice.secret)
    variables = {name: value for name, value in bare.environment().items() if name not in {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}} | environment

    def as_deployer(*arguments):
        done = subprocess.run([sys.executable, str(AWS), *arguments], capture_output=True, text=True, timeout=60, env=variables)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    assert as_deployer("sts", "get-caller-identity")["Arn"] == f"arn:aws:sts::{account.id}:assumed-role/deployer/from-the-cli"
    assert as_deployer("iam", "list-roles", "--path-prefix", "/")["Roles"]


def test_assume_role_and_session_variables(account, alice):
    account.iam.put_user_policy(UserName="alice", PolicyName="assume", PolicyDocument=document(allow("sts:AssumeRole")))
    role = account.role(allow("iam:ListGroups"))
    got = aws(alice, "sts", "assume-role", "--role-arn", role.arn, "--role-session-name", "s1", "--policy", document(allow("iam:ListGroups")))["Credentials"]
    ledger.keep(got["SecretAccessKey"], "secret by the cli"), ledger.keep(got["SessionToken"], "token by the cli")
    session = Principal(account.server, got["AccessKeyId"], got["SecretAccessKey"], got["SessionToken"])
    assert aws(session, "iam", "list-groups") == {"Groups": []}
    assert "AccessDenied" in aws(session, "iam", "list-users", check=False).stderr


def test_the_whole_account(account, alice):
    details = aws(account.root, "iam", "get-account-authorization-details", "--filter", "User", "Role")
    assert "alice" in {user["UserName"] for user in details["UserDetailList"]}


def test_errors_of_the_cli_are_awss(account):
    done = aws(account.root, "iam", "get-user", "--user-name", "there-is-none", check=False)
    assert "(NoSuchEntity) when calling the GetUser operation: The user with name there-is-none cannot be found." in done.stderr
    done = aws(account.root, "iam", "create-role", "--role-name", "r", "--assume-role-policy-document", "{", check=False)
    assert "(MalformedPolicyDocument) when calling the CreateRole operation: This policy contains invalid Json" in done.stderr


def test_waiters(account):
    account.iam.create_role(RoleName="waited", AssumeRolePolicyDocument=trust(account.id))
    assert aws(account.root, "iam", "wait", "role-exists", "--role-name", "waited") is None
