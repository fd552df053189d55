"""Tags of a root, units and accounts: by id, cases apart, and known to policies."""

import pytest

from harness.expecting import outcome
from harness.members import organization, refused
from harness.principals import allow


@pytest.fixture(scope="module")
def mine(server):
    return organization(server, "tags")


def tags(mine, resource):
    return mine.client.list_tags_for_resource(ResourceId=resource)["Tags"]


def tag(key, value="v"):
    return {"Key": key, "Value": value}


@pytest.mark.parametrize("kind", ["root", "unit", "account", "management"])
def test_what_can_be_tagged(mine, kind):
    resource = {"root": lambda: mine.root, "unit": mine.unit, "account": mine.create, "management": lambda: mine.management.id}[kind]()
    assert tags(mine, resource) == []
    mine.client.tag_resource(ResourceId=resource, Tags=[tag("b"), tag("a", "")])
    mine.client.tag_resource(ResourceId=resource, Tags=[tag("A", "other"), tag("b", "new")])
    assert tags(mine, resource) == [tag("A", "other"), tag("a", ""), tag("b", "new")]
    mine.client.untag_resource(ResourceId=resource, TagKeys=["a", "b", "never"])
    assert tags(mine, resource) == [tag("A", "other")]
    mine.client.untag_resource(ResourceId=resource, TagKeys=["A"])
    assert tags(mine, resource) == []


def test_what_is_made_with_tags_has_them(mine):
    assert tags(mine, mine.unit(Tags=[tag("made")])) == [tag("made")]
    assert tags(mine, mine.create(Tags=[tag("made")])) == [tag("made")]


def test_what_tags_cannot_be(mine):
    unit = mine.unit()
    for wrong, code, reason in [
        ([tag("twice"), tag("twice", "other")], "InvalidInputException", "DUPLICATE_TAG_KEY"),
        ([tag("aws:mine")], "InvalidInputException", "INVALID_SYSTEM_TAGS_PARAMETER"),
        ([tag(f"k{nth}") for nth in range(51)], "ConstraintViolationException", "MAX_TAG_LIMIT_EXCEEDED"),
    ]:
        with refused(code, reason):
            mine.client.tag_resource(ResourceId=unit, Tags=wrong)
        with refused(code, reason):
            mine.unit(Tags=wrong)
        with refused(code, reason):
            mine.client.create_account(Email="never@example.com", AccountName="never", Tags=wrong)
    assert tags(mine, unit) == []
    mine.client.tag_resource(ResourceId=unit, Tags=[tag(f"k{nth}") for nth in range(50)])
    with refused("ConstraintViolationException", "MAX_TAG_LIMIT_EXCEEDED"):
        mine.client.tag_resource(ResourceId=unit, Tags=[tag("one-more")])
    assert len(tags(mine, unit)) == 50


def test_what_is_not_there_cannot_be_tagged(mine, server):
    other = organization(server, "others-tags")
    for resource in (f"ou-{mine.root[2:]}-00000000", "r-zzzz99", "000000000012", "p-00000000", "rp-00000000", "rt-00000000", other.root, other.management.id):
        for call, parameters in [("tag_resource", {"Tags": [tag("a")]}), ("untag_resource", {"TagKeys": ["a"]}), ("list_tags_for_resource", {})]:
            with refused("TargetNotFoundException"):
                getattr(mine.client, call)(ResourceId=resource, **parameters)


def test_policies_know_the_tags(mine):
    red, blue = mine.unit(Tags=[tag("team", "red")]), mine.unit(Tags=[tag("team", "blue")])
    user = mine.management.user(
        allow("organizations:DescribeOrganizationalUnit", condition={"StringEquals": {"aws:ResourceTag/team": "red"}}),
        allow("organizations:TagResource", condition={"StringEquals": {"aws:RequestTag/team": "red"}, "ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}}),
    ).client("organizations")
    assert outcome(user.describe_organizational_unit, OrganizationalUnitId=red) == "ok"
    assert outcome(user.describe_organizational_unit, OrganizationalUnitId=blue) == "AccessDeniedException"
    assert outcome(user.tag_resource, ResourceId=blue, Tags=[tag("team", "red")]) == "ok"
    assert outcome(user.tag_resource, ResourceId=blue, Tags=[tag("team", "green")]) == "AccessDeniedException"
    assert outcome(user.tag_resource, ResourceId=blue, Tags=[tag("team", "red"), tag("other")]) == "AccessDeniedException"
    assert outcome(user.describe_organizational_unit, OrganizationalUnitId=blue) == "ok", "it was tagged meanwhile"


def test_who_may_not_is_denied(mine):
    user = mine.management.user(allow("organizations:CreateOrganizationalUnit")).client("organizations")
    for call, parameters in [("tag_resource", {"Tags": [tag("a")]}), ("untag_resource", {"TagKeys": ["a"]}), ("list_tags_for_resource", {})]:
        assert outcome(getattr(user, call), ResourceId=mine.root, **parameters) == "AccessDeniedException"
    assert outcome(user.create_organizational_unit, ParentId=mine.root, Name="untagged") == "ok"
    assert outcome(user.create_organizational_unit, ParentId=mine.root, Name="tagged", Tags=[tag("a")]) == "AccessDeniedException"
