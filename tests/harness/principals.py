"""Who calls: accounts, users, roles' sessions, each with real boto3 clients."""

import itertools
import json
import os

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import Credentials

from . import ledger

REGION = "us-east-1"
_BOTO = boto3.Session(botocore_session=botocore.session.Session())  # one, so that the service models are read once
_NUMBERS = itertools.count(1)


def fresh(kind):
    """A name that no other test uses."""
    return f"{kind}-{next(_NUMBERS)}"


def body(reply):
    """A reply without boto3's own member."""
    return {name: value for name, value in reply.items() if name != "ResponseMetadata"}


def statement(effect, action, resource="*", condition=None, **more):
    made = {"Effect": effect, "Action": action, "Resource": resource, **more}
    if condition:
        made["Condition"] = condition
    return made


def allow(action, resource="*", condition=None, **more):
    return statement("Allow", action, resource, condition, **more)


def deny(action, resource="*", condition=None, **more):
    return statement("Deny", action, resource, condition, **more)


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def trust(principal, action=("sts:AssumeRole",), condition=None, effect="Allow"):
    """A trust policy for an ARN, an account id or a whole Principal element."""
    made = {"Effect": effect, "Principal": principal if isinstance(principal, dict) else {"AWS": principal}, "Action": list(action)}
    if condition:
        made["Condition"] = condition
    return json.dumps({"Version": "2012-10-17", "Statement": [made]})


class Principal:
    """Credentials and the clients that use them. `arn` is what GetCallerIdentity says."""

    def __init__(self, server, key_id, secret, token=None, *, arn=None, account_id=None, name=None, unique_id=None, region=REGION):
        self.server, self.key_id, self.secret, self.token = server, key_id, secret, token
        self.arn, self.account_id, self.name, self.unique_id, self.region = arn, account_id, name, unique_id, region
        self._clients = {}

    @property
    def iam(self):
        return self.client("iam")

    @property
    def sts(self):
        return self.client("sts")

    @property
    def credentials(self):
        return Credentials(self.key_id, self.secret, self.token)

    def client(self, service, *, checked=True, region=None, **config):
        """A boto3 client. `checked=False` sends what botocore would refuse to send."""
        key = (service, checked, region, tuple(sorted(config.items())))
        if key not in self._clients:
            made = _BOTO.client(
                service,
                region_name=region or self.region,
                endpoint_url=self.server.url,
                aws_access_key_id=self.key_id,
                aws_secret_access_key=self.secret,
                aws_session_token=self.token,
                config=Config(retries={"total_max_attempts": 1}, read_timeout=30, connect_timeout=5, parameter_validation=checked, **config),
            )
            self._clients[key] = ledger.watch(made)
        return self._clients[key]

    def unchecked(self, service="iam"):
        return self.client(service, checked=False)

    def environment(self):
        """For the aws-cli."""
        made = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "BAILIWICK_"))}
        made |= {"AWS_ACCESS_KEY_ID": self.key_id, "AWS_SECRET_ACCESS_KEY": self.secret, "AWS_ENDPOINT_URL": self.server.url}
        made |= {"AWS_DEFAULT_REGION": self.region, "AWS_PAGER": "", "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"}
        if self.token:
            made["AWS_SESSION_TOKEN"] = self.token
        return made

    def _session(self, credentials, arn, account_id, unique_id):
        return Principal(
            self.server,
            credentials["AccessKeyId"],
            credentials["SecretAccessKey"],
            credentials["SessionToken"],
            arn=arn,
            account_id=account_id,
            unique_id=unique_id,
            region=self.region,
        )

    def assume(self, role, session="session", **parameters):
        """A session of a role, by AssumeRole."""
        role_arn = role if isinstance(role, str) else role.arn
        got = self.sts.assume_role(RoleArn=role_arn, RoleSessionName=session, **parameters)
        user = got["AssumedRoleUser"]
        return self._session(got["Credentials"], user["Arn"], role_arn.split(":")[4], user["AssumedRoleId"])

    def session_token(self, **parameters):
        """A session of the same user, by GetSessionToken."""
        return self._session(self.sts.get_session_token(**parameters)["Credentials"], self.arn, self.account_id, self.unique_id)

    def federate(self, name, **parameters):
        """A federated user's session, by GetFederationToken."""
        got = self.sts.get_federation_token(Name=name, **parameters)
        user = got["FederatedUser"]
        return self._session(got["Credentials"], user["Arn"], self.account_id, user["FederatedUserId"])

    def identity(self):
        return body(self.sts.get_caller_identity())


class Role:
    """A role, as CreateRole answered it."""

    def __init__(self, made):
        self.name, self.arn, self.unique_id, self.path = made["RoleName"], made["Arn"], made["RoleId"], made["Path"]


class Account:
    """An account with its root user, and short ways to fill it."""

    def __init__(self, server, account_id, name, email, key_id, secret):
        self.server, self.id, self.name, self.email = server, account_id, name, email
        self.root_arn = f"arn:aws:iam::{account_id}:root"
        self.root = Principal(server, key_id, secret, arn=self.root_arn, account_id=account_id)

    @property
    def iam(self):
        return self.root.iam

    def arn(self, resource):
        return f"arn:aws:iam::{self.id}:{resource}"

    def user(self, *statements, name=None, key=True, **parameters):
        """A user, with an access key and, where statements are given, an inline policy `granted`."""
        name = name or fresh("user")
        made = self.iam.create_user(UserName=name, **parameters)["User"]
        if statements:
            self.iam.put_user_policy(UserName=name, PolicyName="granted", PolicyDocument=document(*statements))
        credentials = self.iam.create_access_key(UserName=name)["AccessKey"] if key else {"AccessKeyId": "", "SecretAccessKey": ""}
        return Principal(
            self.server,
            credentials["AccessKeyId"],
            credentials["SecretAccessKey"],
            arn=made["Arn"],
            account_id=self.id,
            name=name,
            unique_id=made["UserId"],
        )

    def role(self, *statements, trusted=None, name=None, **parameters):
        """A role that trusts its account (or whom `trusted` says), with an inline policy `granted` where statements are given."""
        name = name or fresh("role")
        policy = trusted if isinstance(trusted, str) and trusted.startswith("{") else trust(trusted or self.id)
        made = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy, **parameters)["Role"]
        if statements:
            self.iam.put_role_policy(RoleName=name, PolicyName="granted", PolicyDocument=document(*statements))
        return Role(made)

    def group(self, *statements, members=(), name=None, **parameters):
        name = name or fresh("group")
        self.iam.create_group(GroupName=name, **parameters)
        if statements:
            self.iam.put_group_policy(GroupName=name, PolicyName="granted", PolicyDocument=document(*statements))
        for member in members:
            self.iam.add_user_to_group(GroupName=name, UserName=member.name)
        return name

    def policy(self, *statements, name=None, **parameters):
        """A managed policy, and its ARN."""
        text = document(*(statements or [allow("s3:GetObject")]))
        return self.iam.create_policy(PolicyName=name or fresh("policy"), PolicyDocument=text, **parameters)["Policy"]["Arn"]
