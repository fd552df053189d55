"""An organization of its own for a module: a management account with its units and policies."""

import json

from .principals import document, fresh

SCP, RCP, TAG = "SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY", "TAG_POLICY"
FULL = "p-FullAWSAccess"
RCP_FULL = "p-RCPFullAWSAccess"


def content(what):
    """A document of statements, or a tree, as text."""
    return what if isinstance(what, str) else json.dumps(what)


class Organization:
    """An organization that its management account made."""

    def __init__(self, account, *, rcps=True):
        self.account, self.server = account, account.server
        self.client = account.root.client("organizations")
        made = self.client.create_organization(FeatureSet="ALL")["Organization"]
        self.id = made["Id"]
        self.root = self.client.list_roots()["Roots"][0]["Id"]
        if rcps:
            self.client.enable_policy_type(RootId=self.root, PolicyType=RCP)

    def unit(self, parent=None, name=None):
        made = self.client.create_organizational_unit(ParentId=parent or self.root, Name=name or fresh("unit"))
        return made["OrganizationalUnit"]["Id"]

    def policy(self, what, kind=SCP, name=None, **parameters):
        """A policy, and its id."""
        made = self.client.create_policy(Content=content(what), Type=kind, Name=name or fresh("policy"), Description="made by a test", **parameters)
        return made["Policy"]["PolicySummary"]["Id"]

    def scp(self, *statements):
        return self.policy(document(*statements))

    def rcp(self, *statements):
        return self.policy(document(*({"Principal": "*", **statement} for statement in statements)), RCP)

    def attach(self, policy, target=None):
        self.client.attach_policy(PolicyId=policy, TargetId=target or self.root)
        return policy

    def detach(self, policy, target=None):
        self.client.detach_policy(PolicyId=policy, TargetId=target or self.root)

    def attached(self, target, kind=SCP):
        """The ids of what is attached, in its order."""
        return [policy["Id"] for policy in self.client.list_policies_for_target(TargetId=target, Filter=kind)["Policies"]]

    def invite(self, account, parent=None):
        """Makes an account of the server's a member, by invitation."""
        handshake = self.client.invite_account_to_organization(Target={"Id": account.id, "Type": "ACCOUNT"})["Handshake"]["Id"]
        account.root.client("organizations").accept_handshake(HandshakeId=handshake)
        if parent:
            self.move(account, self.root, parent)
        return account

    def move(self, account, source, destination):
        self.client.move_account(AccountId=account.id, SourceParentId=source, DestinationParentId=destination)
