"""Organizational units: five deep, named once among siblings, empty before they go."""

import re

import pytest

from harness.members import everything, organization, refused
from harness.principals import allow, body


@pytest.fixture(scope="module")
def mine(server):
    return organization(server, "units")


def test_a_unit_is_shown_with_its_place(mine):
    outer = body(mine.client.create_organizational_unit(ParentId=mine.root, Name="outer ü"))["OrganizationalUnit"]
    assert re.fullmatch(rf"ou-{mine.root[2:]}-[a-z0-9]{{8,32}}", outer["Id"])
    assert outer == {
        "Id": outer["Id"],
        "Arn": mine.arn(f"ou/{mine.id}/{outer['Id']}"),
        "Name": "outer ü",
        "Path": f"{mine.id}/{mine.root}/{outer['Id']}/",
    }
    inner = mine.client.create_organizational_unit(ParentId=outer["Id"], Name="inner")["OrganizationalUnit"]
    assert inner["Path"] == f"{mine.id}/{mine.root}/{outer['Id']}/{inner['Id']}/"
    assert mine.client.describe_organizational_unit(OrganizationalUnitId=inner["Id"])["OrganizationalUnit"] == inner
    assert mine.client.list_parents(ChildId=inner["Id"])["Parents"] == [{"Id": outer["Id"], "Type": "ORGANIZATIONAL_UNIT"}]
    assert mine.client.list_parents(ChildId=outer["Id"])["Parents"] == [{"Id": mine.root, "Type": "ROOT"}]
    assert mine.client.list_children(ParentId=outer["Id"], ChildType="ORGANIZATIONAL_UNIT")["Children"] == [{"Id": inner["Id"], "Type": "ORGANIZATIONAL_UNIT"}]
    assert mine.client.list_organizational_units_for_parent(ParentId=outer["Id"])["OrganizationalUnits"] == [inner]


def test_a_name_is_once_among_siblings(mine):
    first = mine.unit(name="twice")
    with refused("DuplicateOrganizationalUnitException"):
        mine.unit(name="twice")
    assert mine.unit(first, name="twice") != first
    other = mine.unit(name="other")
    with refused("DuplicateOrganizationalUnitException"):
        mine.client.update_organizational_unit(OrganizationalUnitId=other, Name="twice")
    renamed = mine.client.update_organizational_unit(OrganizationalUnitId=other, Name="renamed")["OrganizationalUnit"]
    assert renamed["Name"] == "renamed" and renamed["Id"] == other
    assert mine.client.update_organizational_unit(OrganizationalUnitId=other)["OrganizationalUnit"] == renamed
    assert mine.unit(name="other") != other


def test_units_are_five_deep(mine):
    place = mine.root
    for _ in range(5):
        place = mine.unit(place)
    with refused("ConstraintViolationException", "OU_DEPTH_LIMIT_EXCEEDED"):
        mine.unit(place)


def test_a_unit_is_empty_before_it_goes(mine):
    outer = mine.unit()
    inner = mine.unit(outer)
    with refused("OrganizationalUnitNotEmptyException"):
        mine.client.delete_organizational_unit(OrganizationalUnitId=outer)
    member = mine.create()
    mine.client.move_account(AccountId=member, SourceParentId=mine.root, DestinationParentId=inner)
    with refused("OrganizationalUnitNotEmptyException"):
        mine.client.delete_organizational_unit(OrganizationalUnitId=inner)
    mine.client.move_account(AccountId=member, SourceParentId=inner, DestinationParentId=mine.root)
    for unit in (inner, outer):
        mine.client.delete_organizational_unit(OrganizationalUnitId=unit)
        with refused("OrganizationalUnitNotFoundException"):
            mine.client.describe_organizational_unit(OrganizationalUnitId=unit)


def test_what_is_not_there_is_told_by_kind(mine, server):
    gone = f"ou-{mine.root[2:]}-00000000"
    for call, parameters, code in [
        ("create_organizational_unit", {"ParentId": gone, "Name": "x"}, "ParentNotFoundException"),
        ("create_organizational_unit", {"ParentId": "r-zzzz99", "Name": "x"}, "ParentNotFoundException"),
        ("update_organizational_unit", {"OrganizationalUnitId": gone, "Name": "x"}, "OrganizationalUnitNotFoundException"),
        ("delete_organizational_unit", {"OrganizationalUnitId": gone}, "OrganizationalUnitNotFoundException"),
        ("describe_organizational_unit", {"OrganizationalUnitId": gone}, "OrganizationalUnitNotFoundException"),
        ("list_organizational_units_for_parent", {"ParentId": gone}, "ParentNotFoundException"),
        ("list_accounts_for_parent", {"ParentId": gone}, "ParentNotFoundException"),
        ("list_children", {"ParentId": gone, "ChildType": "ACCOUNT"}, "ParentNotFoundException"),
        ("list_parents", {"ChildId": gone}, "ChildNotFoundException"),
        ("list_parents", {"ChildId": "000000000012"}, "ChildNotFoundException"),
    ]:
        with refused(code):
            getattr(mine.client, call)(**parameters)


def test_another_organizations_units_are_none(mine, server):
    other = organization(server, "others-units")
    theirs = other.unit()
    with refused("OrganizationalUnitNotFoundException"):
        mine.client.describe_organizational_unit(OrganizationalUnitId=theirs)
    with refused("ParentNotFoundException"):
        mine.client.list_children(ParentId=other.root, ChildType="ACCOUNT")
    with refused("OrganizationalUnitNotFoundException"):
        mine.client.delete_organizational_unit(OrganizationalUnitId=theirs)


def test_lists_come_in_pages(mine):
    parent = mine.unit()
    made = {mine.unit(parent, name=f"page {nth:02}") for nth in range(23)}
    for size in (1, 7, 20):
        units = everything(mine.client.list_organizational_units_for_parent, "OrganizationalUnits", ParentId=parent, MaxResults=size)
        assert len(units) == 23 and {unit["Id"] for unit in units} == made
    assert len(mine.client.list_organizational_units_for_parent(ParentId=parent)["OrganizationalUnits"]) == 20
    children = everything(mine.client.list_children, "Children", ParentId=parent, ChildType="ORGANIZATIONAL_UNIT")
    assert {child["Id"] for child in children} == made


def test_who_may_not_is_denied_on_the_unit(mine):
    unit = mine.unit()
    user = mine.management.user(allow("organizations:*", mine.arn(f"ou/{mine.id}/ou-*-other")))
    for call, parameters in [
        ("create_organizational_unit", {"ParentId": unit, "Name": "x"}),
        ("update_organizational_unit", {"OrganizationalUnitId": unit, "Name": "x"}),
        ("delete_organizational_unit", {"OrganizationalUnitId": unit}),
        ("list_organizational_units_for_parent", {"ParentId": unit}),
        ("list_children", {"ParentId": unit, "ChildType": "ACCOUNT"}),
        ("list_parents", {"ChildId": unit}),
    ]:
        with refused("AccessDeniedException") as told:
            getattr(user.client("organizations"), call)(**parameters)
        assert mine.arn(f"ou/{mine.id}/{unit}") in told["Error"]["Message"]
