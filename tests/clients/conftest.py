"""A server with an account that has something of everything, for tools that look at a whole account."""

import dataclasses
import os
import pathlib
import subprocess

import pytest

from harness.principals import Account, Principal, allow, deny, trust

HERE = pathlib.Path(__file__).parent
USERS = 25


@dataclasses.dataclass
class Seeded:
    """An account, and an administrator of it with an access key."""

    account: Account
    admin: Principal

    def environment(self, home):
        """What a tool needs to find its credentials and the server, and nothing of the machine's own."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "BAILIWICK_", "ANSIBLE_", "PYTHON"))}
        return clean | {"HOME": str(home), "AWS_ENDPOINT_URL": self.admin.server.url, "AWS_ACCESS_KEY_ID": self.admin.key_id, "AWS_SECRET_ACCESS_KEY": self.admin.secret,
                        "AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true", "AWS_PAGER": ""}


def run(command, environment, folder, timeout=240):
    """Runs a tool, which must succeed, and returns what it did."""
    done = subprocess.run([str(part) for part in command], cwd=folder, env=environment, capture_output=True, text=True, timeout=timeout)
    assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def tool(folder, name):
    """A program of a tool's own environment."""
    return HERE / folder / ".venv" / "bin" / name


@pytest.fixture(scope="module")
def seeded(server, request):
    """An account of the module's own."""
    account = server.account(request.module.__name__.replace("_", "-"))
    admin = account.user(name="admin")
    account.iam.attach_user_policy(UserName="admin", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    boundary = account.policy(allow(["s3:*", "sts:*"]), name="boundary")
    reading = account.policy(allow("s3:Get*"), name="reading", Path="/team/", Tags=[{"Key": "team", "Value": "red"}])
    people = [account.user(name=f"user-{number:02}", key=False, Path="/people/") for number in range(USERS)]
    account.group(allow("iam:Get*"), name="readers", members=people[:10])
    account.iam.attach_group_policy(GroupName="readers", PolicyArn=reading)
    account.user(allow("iam:CreateUser"), deny("s3:DeleteObject"), name="creator", key=False)
    account.user(allow("iam:CreateUser"), name="bounded", key=False, PermissionsBoundary=boundary)
    account.role(allow("s3:*"), trusted=trust(admin.arn), name="deploy", MaxSessionDuration=7200, Tags=[{"Key": "team", "Value": "red"}])
    account.role(trusted=trust({"Service": "ec2.amazonaws.com"}), name="instance")
    account.iam.create_instance_profile(InstanceProfileName="instance")
    account.iam.add_role_to_instance_profile(InstanceProfileName="instance", RoleName="instance")
    return Seeded(account, admin)
