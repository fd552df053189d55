"""Organizations with real clients: an organization of its own, its accounts, and who may come in."""

import contextlib
import itertools
import json

import pytest
from botocore.exceptions import ClientError

from .principals import allow, fresh

ROLE = "OrganizationAccountAccessRole"
_NUMBERS = itertools.count(1)


class Organization:
    """An organization, made by an account for itself."""

    def __init__(self, server, management, **parameters):
        self.server, self.management = server, management
        self.client = management.root.client("organizations")
        self.made = self.client.create_organization(**parameters)["Organization"]
        self.id = self.made["Id"]
        self.root = self.client.list_roots()["Roots"][0]["Id"]
        self._caller = None

    def arn(self, resource):
        return f"arn:aws:organizations::{self.management.id}:{resource}"

    def unit(self, parent=None, name=None, **parameters):
        made = self.client.create_organizational_unit(ParentId=parent or self.root, Name=name or fresh("unit"), **parameters)
        return made["OrganizationalUnit"]["Id"]

    def create(self, name=None, email=None, **parameters):
        """A new account, as CreateAccount makes it, and its id."""
        name = name or fresh("member")
        told = self.client.create_account(Email=email or f"{name}@example.com", AccountName=name, **parameters)["CreateAccountStatus"]
        done = self.client.describe_create_account_status(CreateAccountRequestId=told["Id"])["CreateAccountStatus"]
        assert done["State"] == "SUCCEEDED", done
        return done["AccountId"]

    def inside(self, account_id, role=ROLE):
        """A session of the role through which the management account comes in."""
        if self._caller is None:
            self._caller = self.management.user(allow("sts:AssumeRole"))
        return self._caller.assume(f"arn:aws:iam::{account_id}:role/{role}")

    def invite(self, account, **parameters):
        """An account that was there before comes in."""
        handshake = self.client.invite_account_to_organization(Target={"Id": account.id, "Type": "ACCOUNT"}, **parameters)["Handshake"]
        account.root.client("organizations").accept_handshake(HandshakeId=handshake["Id"])
        return account

    def delegate(self, account_id, service="ssm.amazonaws.com"):
        self.client.enable_aws_service_access(ServicePrincipal=service)
        self.client.register_delegated_administrator(AccountId=account_id, ServicePrincipal=service)


def organization(server, name, **parameters):
    """An organization whose management account is new."""
    return Organization(server, server.account(f"{name}-{next(_NUMBERS)}"), **parameters)


@contextlib.contextmanager
def refused(code, reason=None):
    """The call inside is refused with this code and this Reason, and the status 400. Fills a dict with the answer."""
    told = {}
    with pytest.raises(ClientError) as caught:
        yield told
    answer = caught.value.response
    told.update(answer)
    assert answer["Error"]["Code"] == code, answer
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert answer["Error"]["Message"], answer
    assert answer.get("Reason") == reason, answer


def resource_policy(principal, *actions, resource="*", condition=None):
    statement = {"Sid": "Delegated", "Effect": "Allow", "Principal": {"AWS": principal}, "Action": list(actions), "Resource": resource}
    if condition:
        statement["Condition"] = condition
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def everything(call, member, **parameters):
    """All pages of a list, by its tokens."""
    found, token = [], {}
    while True:
        page = call(**parameters, **token)
        found += page[member]
        if "NextToken" not in page:
            return found
        token = {"NextToken": page["NextToken"]}
