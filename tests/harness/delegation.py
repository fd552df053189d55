"""Products that ask accounts for temporary access, and what they are told."""

import json

from . import ledger
from .asking import post
from .principals import Principal, allow, fresh

# What a product of these tests asks for: objects of one bucket, to list users, and to write where `prefixes` says.
TEMPLATE = {
    "Version": "2012-10-17",
    "Statement": [
        {"Sid": "Read", "Effect": "Allow", "Action": ["s3:GetObject", "iam:ListUsers"], "Resource": ["arn:aws:s3:::@{bucketName}/*", "arn:aws:iam::*:user/*"]},
        {"@Enabled": "mayWrite", "Sid": "Write", "Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::@{bucketName}/@{prefixes}/*"},
    ],
}
FILLING = [
    {"Name": "bucketName", "Values": ["logs"], "Type": "string"},
    {"Name": "mayWrite", "Values": ["True"], "Type": "string"},
    {"Name": "prefixes", "Values": ["a", "b"], "Type": "stringList"},
]


def admin(principal, path, **members):
    return post(principal, members, path=path)


class Product:
    """An account with a template of its own, and a user that asks with it."""

    def __init__(self, server, account, template=None, *, statements=None):
        self.server, self.account = server, account
        self.template = template or f"arn:aws:iam::partner:delegation-template/{fresh('product')}.example.com/Setup"
        self.topic = f"arn:aws:sns:us-east-1:{account.id}:delegations"
        text = json.dumps(statements if statements is not None else TEMPLATE)
        server.run("template", "add", self.template, "-", "--for", account.id, stdin=text)
        self.user = account.user(allow(["iam:CreateDelegationRequest", "sts:GetDelegatedAccessToken", "bailiwick:ListDelegationNotices"]))

    def ask(self, owner=None, **parameters):
        """Makes a request, and answers its id."""
        given = {"Description": "Sets up the product", "Permissions": {"PolicyTemplateArn": self.template, "Parameters": FILLING}, "RequestorWorkflowId": fresh("workflow"),
                 "NotificationChannel": self.topic, "SessionDuration": 3600, **parameters}
        if owner:
            given["OwnerAccountId"] = owner.id
        return self.user.iam.create_delegation_request(**given)["DelegationRequestId"]

    def notices(self, principal=None):
        """What it is told, by the request's id."""
        found, token = {}, {}
        while True:
            page = admin(principal or self.user, "/delegation-notices", **token)
            assert page.status == 200, page
            for notice in page.json["notices"]:
                ledger.keep(notice.get("exchangeToken"), "an exchange token")
                found[notice["delegationRequestId"]] = notice
            if "nextToken" not in page.json:
                return found
            token = {"nextToken": page.json["nextToken"]}

    def token(self, request):
        return self.notices()[request].get("exchangeToken")

    def trade(self, token, principal=None):
        """Trades a token in, and answers who it lets one act as."""
        got = (principal or self.user).sts.get_delegated_access_token(TradeInToken=token)
        made = got["Credentials"]
        lent = Principal(self.server, made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])
        lent.answer = got
        return lent


def lent(product, approver, **parameters):
    """The whole way: asked, taken up, approved and sent by one, traded in."""
    request = product.ask(**parameters)
    take_up(approver, request)
    approver.iam.accept_delegation_request(DelegationRequestId=request)
    approver.iam.send_delegation_token(DelegationRequestId=request)
    return product.trade(product.token(request))


def take_up(principal, request):
    principal.iam.associate_delegation_request(DelegationRequestId=request)


def shown(principal, request, **more):
    return principal.iam.get_delegation_request(DelegationRequestId=request, **more)


def state(principal, request):
    return shown(principal, request)["DelegationRequest"]["State"]
