"""Hundreds of accounts, in pages that skip and repeat nothing, whatever comes and goes between them."""

import pytest

from harness.members import everything, organization


@pytest.fixture(scope="module")
def many(server):
    made = organization(server, "many")
    made.unit_id = made.unit()
    made.members = [made.create(f"many-{nth:03}", email=f"many-{nth:03}@example.com") for nth in range(220)]
    for member in made.members[:60]:
        made.client.move_account(AccountId=member, SourceParentId=made.root, DestinationParentId=made.unit_id)
    return made


@pytest.mark.parametrize("size", [3, 20])
def test_all_accounts_come_once(many, size):
    listed = [account["Id"] for account in everything(many.client.list_accounts, "Accounts", MaxResults=size)]
    assert len(listed) == 221 and set(listed) == {*many.members, many.management.id}


def test_a_page_is_twenty(many):
    assert len(many.client.list_accounts()["Accounts"]) == 20
    assert len(many.client.list_children(ParentId=many.root, ChildType="ACCOUNT")["Children"]) == 20


def test_a_place_lists_what_stands_there(many):
    there = [account["Id"] for account in everything(many.client.list_accounts_for_parent, "Accounts", ParentId=many.unit_id)]
    assert sorted(there) == sorted(many.members[:60])
    children = [child["Id"] for child in everything(many.client.list_children, "Children", ParentId=many.root, ChildType="ACCOUNT")]
    assert sorted(children) == sorted([*many.members[60:], many.management.id])


def test_what_leaves_between_two_pages_hides_nothing(many):
    first = many.client.list_accounts_for_parent(ParentId=many.unit_id, MaxResults=10)
    seen = [account["Id"] for account in first["Accounts"]]
    for member in (seen[-1], seen[0]):
        many.client.move_account(AccountId=member, SourceParentId=many.unit_id, DestinationParentId=many.root)
    rest = many.client.list_accounts_for_parent(ParentId=many.unit_id, MaxResults=10, NextToken=first["NextToken"])
    assert not {account["Id"] for account in rest["Accounts"]} & set(seen)
    assert len(rest["Accounts"]) == 10


def test_boto3s_paginators_walk_them(many):
    pages = many.client.get_paginator("list_accounts").paginate()
    assert sum(len(page["Accounts"]) for page in pages) == 221
    statuses = many.client.get_paginator("list_create_account_status").paginate(States=["SUCCEEDED"])
    assert sum(len(page["CreateAccountStatuses"]) for page in statuses) == 220
