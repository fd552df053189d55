"""A walk over every operation of Organizations and Account Management by all kinds of caller, held against a golden file, so that a change of
access is a diff to read.

BAILIWICK_WRITE_GOLDEN=1 writes the file anew.
"""

import os
import pathlib

import botocore.session
import pytest
from botocore import UNSIGNED, xform_name
from botocore.config import Config
from botocore.exceptions import ClientError

from harness import ledger
from harness.organization_policies import Organization
from harness.principals import Principal, allow, document, fresh

GOLDEN = pathlib.Path(__file__).with_name("who-may-what-in-organizations.txt")
SERVICES = ["account", "organizations"]
MODELS = {name: botocore.session.get_session().get_service_model(name) for name in SERVICES}
OPERATIONS = [(service, name) for service in SERVICES for name in sorted(MODELS[service].operation_names)]
KINDS = ["root", "administrator", "nobody", "delegate", "member", "member-nobody", "alone", "forged", "unsigned"]
ACCOUNT = "account.amazonaws.com"
NO = {"AccessDeniedException", "UnrecognizedClientException", "InvalidSignatureException", "MissingAuthenticationTokenException", "SignatureDoesNotMatch",
      "InvalidClientTokenId", "MissingAuthenticationToken", "AWSOrganizationsNotInUseException"}
NOBODYS = "999999999999"
# Values that the models' patterns take: everything named is a thing that does not exist.
GOOD = {
    "HandshakeId": "h-walknone00", "ParentHandshakeId": "h-walknone00", "PolicyId": "p-walknone", "RootId": "r-walk", "ParentId": "ou-walk-walknone", "ChildId": NOBODYS,
    "SourceParentId": "ou-walk-walknone", "DestinationParentId": "ou-walk-walknone", "OrganizationalUnitId": "ou-walk-walknone", "TargetId": NOBODYS, "ResourceId": NOBODYS,
    "AccountId": NOBODYS, "CreateAccountRequestId": "car-walknone", "ServicePrincipal": ACCOUNT, "PrimaryEmail": "no address", "Id": "rt-walknone",
    "SourceName": "walk", "Otp": "AAAAAA", "RegionName": "walk-none-1", "CountryCode": "CH", "PhoneNumber": "+1 206 555 0100", "EmailAddress": "walk@example.com",
}


def value(shape, name):
    if name in GOOD:
        return GOOD[name]
    if name == "Email":
        return None
    match shape.type_name:
        case "structure":
            return {member: value(shape.members[member], member) for member in shape.required_members}
        case "list":
            return [value(shape.member, name)]
        case "boolean":
            return True
        case "timestamp":
            return 4_102_444_800
        case "integer":
            return 1
        case _:
            return shape.enum[0] if getattr(shape, "enum", None) else "walk-none"


def arguments(service, name, about, address):
    """The required members. An account that has to be named is a member of the organization; an address is its own, so that none is made with it."""
    shape = MODELS[service].operation_model(name).input_shape
    made = value(shape, name) if shape else {}
    if service == "account" and "AccountId" in made:
        made["AccountId"] = about
    if name.startswith("Invite"):
        made["Target"] = {"Id": NOBODYS, "Type": "ACCOUNT"}
    return made | ({"Email": address} if "Email" in made else {})


class Walk:
    """An organization with one caller of each kind."""

    def __init__(self, server):
        self.server = server
        self.organization = Organization(server.account(fresh("walking")), rcps=False)
        self.organization.client.enable_aws_service_access(ServicePrincipal=ACCOUNT)
        self.member, self.delegate = (self.organization.invite(server.account(fresh(name))) for name in ("member", "delegate"))
        self.organization.client.register_delegated_administrator(AccountId=self.delegate.id, ServicePrincipal=ACCOUNT)
        self.address = self.organization.client.describe_account(AccountId=self.member.id)["Account"]["Email"]
        self.alone = server.account(fresh("alone"))
        management = self.organization.account
        administrator = management.user(allow("*"))
        self.callers = {
            "root": management.root, "administrator": administrator, "nobody": management.user(), "delegate": self.delegate.user(allow("*")),
            "member": self.member.user(allow("*")), "member-nobody": self.member.user(), "alone": self.alone.user(allow("*")),
            "forged": Principal(server, administrator.key_id, "x" * 40),
        }
        self.wearer = management.user(name="wearer")

    def ask(self, caller, service, name):
        """The answer of an operation, or its error."""
        if caller is None:
            options = Config(signature_version=UNSIGNED, retries={"max_attempts": 0}, parameter_validation=False)
            client = botocore.session.get_session().create_client(service, endpoint_url=self.server.url, region_name="us-east-1", config=options)
        else:
            client = caller.unchecked(service)
        try:
            answer = getattr(client, xform_name(name))(**arguments(service, name, self.member.id, self.address))
        except ClientError as error:
            answer = error.response
        meta = answer.pop("ResponseMetadata")
        assert meta["HTTPStatusCode"] < 500, answer
        assert not any(secret in str(answer) for secret in ledger.SECRETS), name
        self.mend(name)
        return answer

    def asked(self, kind, service, name):
        """"may", or the code of the refusal."""
        code = self.ask(self.callers.get(kind), service, name).get("Error", {}).get("Code")
        return code if code in NO else "may"

    def mend(self, name):
        """What an operation changed is changed back, so that the next caller meets the same state."""
        client = self.organization.client
        if name in {"LeaveOrganization", "CreateOrganization"}:
            alone = self.alone.root.client("organizations")
            if name == "CreateOrganization" and self.outside(self.alone) is False:
                alone.delete_organization()
            if name == "LeaveOrganization" and self.outside(self.member):
                self.organization.invite(self.member)
        if name in {"DisableAWSServiceAccess", "DeregisterDelegatedAdministrator"}:
            client.enable_aws_service_access(ServicePrincipal=ACCOUNT)
            if not client.list_delegated_administrators()["DelegatedAdministrators"]:
                client.register_delegated_administrator(AccountId=self.delegate.id, ServicePrincipal=ACCOUNT)
        if name == "InviteAccountToOrganization":
            for handshake in client.list_handshakes_for_organization()["Handshakes"]:
                if handshake["State"] == "OPEN":
                    client.cancel_handshake(HandshakeId=handshake["Id"])

    @staticmethod
    def outside(account):
        try:
            account.root.client("organizations").describe_organization()
        except ClientError as error:
            assert error.response["Error"]["Code"] == "AWSOrganizationsNotInUseException"
            return True
        return False

    def wear(self, *statements):
        self.organization.account.iam.put_user_policy(UserName="wearer", PolicyName="worn", PolicyDocument=document(*statements))


@pytest.fixture(scope="module")
def walk(server):
    return Walk(server)


def test_who_may_what(walk):
    lines = []
    for service, name in OPERATIONS:
        told = [f"{kind}={walk.asked(kind, service, name)}" for kind in KINDS]
        lines.append(f"{service}:{name} " + " ".join(told))
    text = "\n".join(lines) + "\n"
    if os.environ.get("BAILIWICK_WRITE_GOLDEN"):
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text()


CASES = pytest.mark.parametrize("service, name", OPERATIONS, ids=[f"{service}:{name}" for service, name in OPERATIONS])


@CASES
def test_a_user_without_policies_is_denied(walk, service, name):
    error = walk.ask(walk.callers["nobody"], service, name)["Error"]
    assert error["Code"] == "AccessDeniedException" and f"is not authorized to perform: {service}:{name}" in error["Message"]


@CASES
def test_each_operation_is_allowed_by_its_own_action_and_by_no_other(walk, service, name):
    action = f"{service}:{name}"
    for statements in ([{"Effect": "Allow", "NotAction": [action], "Resource": "*"}], [allow("*"), {"Effect": "Deny", "Action": [action], "Resource": "*"}]):
        walk.wear(*statements)
        error = walk.ask(walk.wearer, service, name)["Error"]
        assert error["Code"] == "AccessDeniedException" and f"is not authorized to perform: {action}" in error["Message"]
    walk.wear(allow(action))
    error = walk.ask(walk.wearer, service, name).get("Error", {})
    assert "is not authorized to perform" not in error.get("Message", ""), error
