"""The JavaScript SDK's paginators for IAM, page by page."""

import json

import pytest
from conftest import HERE, USERS, run


# They need a device, a certificate or a provider of their own.
NEED_MORE = {"paginateListMFADeviceTags", "paginateListOpenIDConnectProviderTags", "paginateListSAMLProviderTags", "paginateListServerCertificateTags"}


@pytest.fixture(scope="module")
def told(seeded, tmp_path_factory):
    account = seeded.account
    done = run(["node", HERE / "javascript" / "paginators.mjs", account.arn("policy/team/reading"), account.arn("user/creator")],
               seeded.environment(tmp_path_factory.mktemp("home")), HERE / "javascript", timeout=120)
    return json.loads(done.stdout)


@pytest.mark.timeout(150)
def test_every_paginator_reaches_its_end(told):
    assert {name: each["error"] for name, each in told["told"].items() if "error" in each} == {}
    assert set(told["told"]) <= set(told["known"])


def test_pages_hold_what_was_asked_for_and_lose_nothing(told):
    users = told["told"]["paginateListUsers"]
    assert users == {"pages": (USERS + 3 + 1) // 2, "items": USERS + 3, "largest": 2}
    assert told["told"]["paginateGetGroup"]["items"] == 10
    assert told["told"]["paginateListRoles"]["items"] == 2
    assert told["told"]["paginateListPolicies"]["items"] > 1_000
    for name in ("paginateSimulateCustomPolicy", "paginateSimulatePrincipalPolicy"):
        assert told["told"][name] == {"pages": 3, "items": 5, "largest": 2}


def test_every_paginator_is_walked(told):
    assert set(told["known"]) - set(told["told"]) == NEED_MORE
