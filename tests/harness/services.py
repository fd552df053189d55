"""Registered services: their keys, what they say that they act for, and what they act for their callers with."""

import base64
import hashlib
import hmac

from . import ledger
from .asking import HOST, ask
from .principals import Principal, fresh
from .server import exported


class Service(Principal):
    """A registered service with its own key."""

    def __init__(self, server, name, key_id, secret):
        super().__init__(server, key_id, secret, name=name)

    def acting_for(self, arn=None, account=None):
        """An STS client of the service that says what it acts for, in signed headers, by one hook of botocore."""
        client = self.client("sts", region="us-east-1", user_agent_extra=fresh("source"))

        def say(request, **_):
            for header, value in (("x-amz-source-arn", arn), ("x-amz-source-account", account)):
                if value is not None:
                    request.headers[header] = value

        client.meta.events.register("before-sign.sts.*", say)
        return client

    def assume(self, role, session="session", arn=None, account=None, **parameters):
        got = self.acting_for(arn, account).assume_role(RoleArn=role.arn, RoleSessionName=session, **parameters)
        return self._session(got["Credentials"], got["AssumedRoleUser"]["Arn"], role.arn.split(":")[4], got["AssumedRoleUser"]["AssumedRoleId"])

    def delegated(self, answer):
        """Whoever a delegation lets the service act as: its secret is made from the service's own."""
        made = answer["delegation"] if "delegation" in answer else answer
        secret = base64.b64encode(hmac.new(self.secret.encode(), b"bailiwick delegation " + made["accessKeyId"].encode(), hashlib.sha256).digest()).decode()
        ledger.keep(secret, "a delegation's secret")
        ledger.keep(made["sessionToken"], "a delegation")
        return Principal(self.server, made["accessKeyId"], secret, made["sessionToken"])

    def act_for(self, request, *checks):
        """Asks about a captured request, and gets to act for whoever made it."""
        return self.delegated(ask(self, request, *checks, delegate=True))


def registered(server, name=None, *hosts):
    """A service, by the command line."""
    name = name or f"{fresh('service')}.example.internal"
    said = [option for host in hosts or [HOST] for option in ("--host", host)]
    printed = server.run("service", "add", name, *said).stdout
    lines = exported(printed)
    assert printed.splitlines()[0] == name and set(lines) == {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}, "unexpected output of service add"
    return Service(server, name, lines["AWS_ACCESS_KEY_ID"], ledger.keep(lines["AWS_SECRET_ACCESS_KEY"], "a service's secret"))
