"""Tags of users, roles, policies and instance profiles, and the conditions that see them."""

import re

import pytest

from harness.expecting import denial, invalid, pattern, quiet, refused
from harness.principals import allow, body, fresh, trust

VALUE = r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*"
KEY = r"[\p{L}\p{Z}\p{N}_.:/=+\-@]+"


class Tagged:
    """One taggable resource: its operations with their naming parameter filled in."""

    def __init__(self, account, kind, **parameters):
        self.iam, self.kind, name = account.iam, kind, fresh(kind.replace("_", "-"))
        if kind == "policy":
            self.naming = {"PolicyArn": account.policy(name=name, **parameters)}
        elif kind == "instance_profile":
            self.iam.create_instance_profile(InstanceProfileName=name, **parameters)
            self.naming = {"InstanceProfileName": name}
        elif kind == "user":
            account.user(name=name, key=False, **parameters)
            self.naming = {"UserName": name}
        else:
            account.role(name=name, **parameters)
            self.naming = {"RoleName": name}

    def tag(self, **tags):
        return getattr(self.iam, f"tag_{self.kind}")(**self.naming, Tags=[{"Key": key, "Value": value} for key, value in tags.items()])

    def untag(self, *keys):
        return getattr(self.iam, f"untag_{self.kind}")(**self.naming, TagKeys=list(keys))

    def list(self, **parameters):
        return body(getattr(self.iam, f"list_{self.kind}_tags")(**self.naming, **parameters))

    def tags(self):
        return {tag["Key"]: tag["Value"] for tag in self.list()["Tags"]}


each = pytest.mark.parametrize("kind", ["user", "role", "policy", "instance_profile"])


@each
def test_tag_list_untag(account, kind):
    made = Tagged(account, kind)
    assert made.list() == {"Tags": [], "IsTruncated": False}
    assert body(made.tag(team="red", empty="")) == {}
    assert made.tags() == {"team": "red", "empty": ""}
    made.tag(team="blue", more="1")
    assert made.tags() == {"team": "blue", "empty": "", "more": "1"}
    assert body(made.untag("team", "never-there")) == {}
    assert made.tags() == {"empty": "", "more": "1"}
    assert made.list()["IsTruncated"] is False


@each
def test_tags_given_at_creation(account, kind):
    made = Tagged(account, kind, Tags=[{"Key": "at", "Value": "birth"}])
    assert made.tags() == {"at": "birth"}


@pytest.mark.parametrize("kind, kept", [("user", {"department": "hr"}), ("role", {"department": "hr"}),
                                        ("policy", {"Department": "finance", "department": "hr"}),
                                        ("instance_profile", {"Department": "finance", "department": "hr"})])
def test_keys_of_users_and_roles_have_no_case(account, kind, kept):
    made = Tagged(account, kind)
    made.tag(Department="finance")
    made.tag(department="hr")
    assert made.tags() == kept


@pytest.mark.parametrize("kind", ["user", "role"])
def test_the_same_key_twice_in_one_call(account, kind):
    made = Tagged(account, kind)
    with refused("InvalidInput", "Duplicate tag keys found. Please note that Tag keys are case insensitive."):
        made.tag(a="1", A="2")
    with refused("InvalidInput", "Duplicate tag keys found. Please note that Tag keys are case insensitive."):
        account.iam.create_user(UserName=fresh("twice"), Tags=[{"Key": "k", "Value": "1"}, {"Key": "K", "Value": "1"}])


def test_the_same_key_twice_where_case_counts(account):
    arn = account.policy()
    with refused("InvalidInput", "Duplicate tag keys found."):
        account.iam.tag_policy(PolicyArn=arn, Tags=[{"Key": "k", "Value": "1"}, {"Key": "k", "Value": "2"}])


@each
def test_the_fifty_first_tag(account, kind):
    made = Tagged(account, kind)
    made.tag(**{f"k{number:02}": "v" for number in range(50)})
    with refused("LimitExceeded", "The number of tags has reached the maximum limit."):
        made.tag(one="more")
    made.tag(k00="changed")
    made.untag("k01")
    made.tag(one="more")
    pages, marker = [], {}
    while True:
        page = made.list(MaxItems=7, **marker)
        pages.append(page)
        if not page["IsTruncated"]:
            break
        marker = {"Marker": page["Marker"]}
    assert sum(len(page["Tags"]) for page in pages) == 50 and len({tag["Key"] for page in pages for tag in page["Tags"]}) == 50


def test_fifty_one_in_one_call_is_a_shape_error(account):
    user = account.user(key=False)
    with refused("ValidationError", re.compile("at 'tags' failed to satisfy constraint: Member must have length less than or equal to 50")):
        account.root.unchecked().tag_user(UserName=user.name, Tags=[{"Key": f"k{number}", "Value": ""} for number in range(51)])


@pytest.mark.parametrize("key, value, said", [
    ("ok", "exclaimed!", quiet("tags.1.member.value", pattern(VALUE))),
    ("k!", "ok", quiet("tags.1.member.key", pattern(KEY))),
    ("ok", "x" * 257, quiet("tags.1.member.value", "Member must have length less than or equal to 256")),
    ("x" * 129, "ok", quiet("tags.1.member.key", "Member must have length less than or equal to 128")),
])
def test_bad_keys_and_values_are_told_by_their_place(account, key, value, said):
    user = account.user(key=False)
    with refused("ValidationError", invalid(said)):
        account.root.unchecked().tag_user(UserName=user.name, Tags=[{"Key": key, "Value": value}])


def test_letters_of_any_script_are_accepted(account):
    made = Tagged(account, "user")
    made.tag(**{"ключ": "値 ñ:/=+-@_.", "café": "١٢"})
    assert made.tags() == {"ключ": "値 ñ:/=+-@_.", "café": "١٢"}


@each
def test_aws_keeps_its_prefix(account, kind):
    made = Tagged(account, kind)
    for key in ("aws:team", "AWS:team"):
        with pytest.raises(account.iam.exceptions.ClientError) as caught:
            made.tag(**{key: "x"})
        assert caught.value.response["Error"]["Code"] in {"InvalidInput", "ValidationError"}


def test_missing_resources(account):
    iam, tags = account.iam, [{"Key": "a", "Value": "b"}]
    with refused("NoSuchEntity", "The user with name none cannot be found."):
        iam.tag_user(UserName="none", Tags=tags)
    with refused("NoSuchEntity", "The role with name none cannot be found."):
        iam.tag_role(RoleName="none", Tags=tags)
    with refused("NoSuchEntity", "Instance Profile none cannot be found."):
        iam.tag_instance_profile(InstanceProfileName="none", Tags=tags)
    with refused("NoSuchEntity", f"Policy {account.arn('policy/none')} was not found."):
        iam.untag_policy(PolicyArn=account.arn("policy/none"), TagKeys=["a"])


# Conditions.


def test_creating_with_tags_needs_the_right_to_tag(account):
    creator = account.user(allow(["iam:CreateUser", "iam:CreateRole"]))
    tags = [{"Key": "team", "Value": "red"}]
    name = fresh("user")
    with refused("AccessDenied", denial(creator.arn, "iam:TagUser", (account.arn(f"user/{name}"), f"user {name}"))):
        creator.iam.create_user(UserName=name, Tags=tags)
    with refused("AccessDenied"):
        creator.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(account.id), Tags=tags)
    creator.iam.create_user(UserName=name)
    account.user(allow(["iam:CreateUser", "iam:TagUser"])).iam.create_user(UserName=fresh("user"), Tags=tags)


def test_request_tags_and_tag_keys_are_seen(account):
    wanted = {"StringEquals": {"aws:RequestTag/team": ["red", "blue"]}, "ForAllValues:StringEquals": {"aws:TagKeys": ["team", "stage"]}}
    tagger, target = account.user(allow("iam:TagUser", condition=wanted)), account.user(key=False)

    def tag(**tags):
        tagger.iam.tag_user(UserName=target.name, Tags=[{"Key": key, "Value": value} for key, value in tags.items()])

    tag(team="red")
    tag(team="blue", stage="x")
    for tags in ({"team": "green"}, {"team": "red", "other": "x"}, {"stage": "x"}):
        with refused("AccessDenied"):
            tag(**tags)


@pytest.mark.parametrize("key", ["aws:ResourceTag/team", "iam:ResourceTag/team", "AWS:resourcetag/Team"])
def test_the_resources_tags_are_seen_and_followed(account, key):
    reader = account.user(allow("iam:GetUser", condition={"StringEquals": {key: "red"}}))
    target = account.user(key=False, Tags=[{"Key": "team", "Value": "red"}])
    reader.iam.get_user(UserName=target.name)
    account.iam.tag_user(UserName=target.name, Tags=[{"Key": "team", "Value": "blue"}])
    with refused("AccessDenied"):
        reader.iam.get_user(UserName=target.name)


def test_the_callers_tags_compared_with_the_resources(account):
    """Attribute-based access control, as the IAM guide's tutorial has it."""
    same = {"StringEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}}
    caller = account.user(allow("iam:GetRole", condition=same), Tags=[{"Key": "team", "Value": "red"}])
    mine = account.role(Tags=[{"Key": "team", "Value": "red"}])
    foreign, untagged = account.role(Tags=[{"Key": "team", "Value": "blue"}]), account.role()
    caller.iam.get_role(RoleName=mine.name)
    for role in (foreign, untagged):
        with refused("AccessDenied"):
            caller.iam.get_role(RoleName=role.name)


def test_untagging_is_judged_by_tag_keys(account):
    target = account.user(key=False, Tags=[{"Key": "free", "Value": ""}, {"Key": "locked", "Value": ""}])
    caller = account.user(allow("iam:UntagUser", condition={"ForAllValues:StringEquals": {"aws:TagKeys": ["free"]}}))
    caller.iam.untag_user(UserName=target.name, TagKeys=["free"])
    with refused("AccessDenied"):
        caller.iam.untag_user(UserName=target.name, TagKeys=["locked"])
