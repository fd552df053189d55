"""Users, groups and roles have many operations in common, which differ by name only."""

import pytest

from .principals import fresh, trust

KINDS = ["user", "group", "role"]
TITLES = {"user": "User", "group": "Group", "role": "Role"}


class Entity:
    """A user, a group or a role of an account, with the operations of its kind: `entity.call("attach_{}_policy", PolicyArn=…)`."""

    def __init__(self, account, kind, iam=None, **parameters):
        self.account, self.kind, self.iam = account, kind, iam or account.iam
        self.member = f"{TITLES[kind]}Name"
        self.name = parameters.pop("name", None) or fresh(kind)
        if kind == "role":
            parameters.setdefault("AssumeRolePolicyDocument", trust(account.id))
        made = getattr(account.iam, f"create_{kind}")(**{self.member: self.name}, **parameters)[TITLES[kind]]
        self.arn, self.unique_id = made["Arn"], made[f"{TITLES[kind]}Id"]

    def call(self, operation, **parameters):
        return getattr(self.iam, operation.format(self.kind))(**{self.member: self.name}, **parameters)

    def paginate(self, operation, size, **parameters):
        paginator = self.iam.get_paginator(operation.format(self.kind))
        return list(paginator.paginate(**{self.member: self.name}, **parameters, PaginationConfig={"PageSize": size}))

    def missing(self, name=None):
        return f"The {self.kind} with name {name or self.name} cannot be found."


each_kind = pytest.mark.parametrize("kind", KINDS)
