"""A walk over all operations by all kinds of caller, held against a golden file, so that a change of access is a diff to read.

BAILIWICK_WRITE_GOLDEN=1 writes the file anew.
"""

import os
import pathlib

import pytest

from harness import models
from harness.principals import Principal, allow, document
from harness.signing import query, send
from test_models import flat

GOLDEN = pathlib.Path(__file__).with_name("who-may-what.txt")
OPERATIONS = [(service, name) for service, names in sorted(models.PROMISED.items()) for name in sorted(names)]
KINDS = ["root", "administrator", "nobody", "token", "root-token", "role", "federated", "forged", "unsigned"]
NO = {"AccessDenied", "InvalidClientTokenId", "SignatureDoesNotMatch", "MissingAuthenticationToken"}


@pytest.fixture(scope="module")
def callers(account):
    administrator = account.user(allow("*"))
    nobody = account.user()
    return {
        "root": account.root,
        "administrator": administrator,
        "nobody": nobody,
        "token": administrator.session_token(),  # of an administrator, without MFA
        "root-token": account.root.session_token(),
        "role": administrator.assume(account.role(allow("*"))),
        "federated": administrator.federate("fed", Policy=document(allow("*"))),
        "forged": Principal(account.server, administrator.key_id, "x" * 40),
        "unsigned": None,
    }


def asked(account, caller, service, name):
    """"may", or the code of the refusal."""
    parameters = flat(models.arguments(service, name, account.id))
    if caller is None:
        data = query(account.root, service, name, parameters).data
        reply = send(account.server, "POST", "/", [("Content-Type", "application/x-www-form-urlencoded")], data)
    else:
        reply = query(caller, service, name, parameters).send()
    assert reply.status < 500, reply
    return reply.code if reply.code in NO else "may"


def test_who_may_what(account, callers):
    """Nothing that is named exists, so that what may be called finds nothing, and changes little."""
    lines = []
    for service, name in OPERATIONS:
        told = [f"{kind}={asked(account, callers[kind], service, name)}" for kind in KINDS]
        lines.append(f"{service}:{name} " + " ".join(told))
        if service == "iam" and name.startswith("Create"):
            clean(account, name)
    text = "\n".join(lines) + "\n"
    if os.environ.get("BAILIWICK_WRITE_GOLDEN"):
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text()


def clean(account, name):
    """What Create… made goes again, so that the next caller meets the same state."""
    remove = {"CreateUser": ("delete_user", {"UserName": "walk-none"}), "CreateGroup": ("delete_group", {"GroupName": "walk-none"}), "CreateRole": ("delete_role", {"RoleName": "walk-none"}),
              "CreateServiceLinkedRole": ("delete_service_linked_role", {"RoleName": "AWSServiceRoleForECS"}),
              "CreateInstanceProfile": ("delete_instance_profile", {"InstanceProfileName": "walk-none"}),
              "CreatePolicy": ("delete_policy", {"PolicyArn": account.arn("policy/walk-none")}), "CreateVirtualMFADevice": ("delete_virtual_mfa_device", {"SerialNumber": account.arn("mfa/walk-none")}),
              "CreateAccountAlias": ("delete_account_alias", {"AccountAlias": "walk-none"})}
    if name in remove:
        getattr(account.iam, remove[name][0])(**remove[name][1])


FREE = {"sts:GetCallerIdentity", "sts:GetSessionToken"}


@pytest.mark.parametrize("service, name", OPERATIONS, ids=[f"{service}:{name}" for service, name in OPERATIONS])
def test_a_user_without_policies_is_denied_unless_aws_asks_nothing(account, nobody, service, name):
    told = asked(account, nobody, service, name)
    assert told == ("may" if f"{service}:{name}" in FREE else "AccessDenied")


JUDGED = [case for case in OPERATIONS if ":".join(case) not in FREE]


@pytest.fixture(scope="module")
def wearer(account):
    """A user whose only policy changes from test to test."""
    return account.user(name="wearer")


@pytest.mark.parametrize("service, name", JUDGED, ids=[f"{service}:{name}" for service, name in JUDGED])
def test_each_operation_is_allowed_by_its_own_action_and_by_no_other(account, wearer, service, name):
    action = f"{service}:{name}"
    beside = ["iam:PassRole"] if name == "AddRoleToInstanceProfile" else []

    def wear(*statements):
        account.iam.put_user_policy(UserName=wearer.name, PolicyName="worn", PolicyDocument=document(*statements))

    wear({"Effect": "Allow", "NotAction": [action], "Resource": "*"})
    assert asked(account, wearer, service, name) == "AccessDenied", "everything but its own action"
    wear(allow("*"), {"Effect": "Deny", "Action": [action], "Resource": "*"})
    assert asked(account, wearer, service, name) == "AccessDenied"
    wear(allow([action, *beside]))
    # Denied for what is missing, as AWS does: the role, the member, the key, the organization.
    if name not in {"AssumeRole", "AssumeRoot", "GetAccessKeyLastUsed", "GenerateOrganizationsAccessReport"}:
        assert asked(account, wearer, service, name) == "may"
    if name.startswith("Create"):
        clean(account, name)
