"""Switches of an account: tokens of the global endpoint, tokens for services outside, properties."""

import re

import pytest

from harness.expecting import refused
from harness.principals import allow, body, fresh

CALLS = {
    "set_security_token_service_preferences": {"GlobalEndpointTokenVersion": "v2Token"}, "enable_outbound_web_identity_federation": {},
    "disable_outbound_web_identity_federation": {}, "get_outbound_web_identity_federation_info": {}, "get_account_properties": {},
    "put_account_properties": {"Properties": {"RoleManager/Enabled": "true"}},
}


def token_version(account):
    return account.iam.get_account_summary()["SummaryMap"]["GlobalEndpointTokenVersion"]


def test_the_summary_tells_which_tokens_the_global_endpoint_gives(server):
    account = server.account(fresh("tokens"))
    assert token_version(account) == 1
    for version in (2, 1, 2):
        assert body(account.iam.set_security_token_service_preferences(GlobalEndpointTokenVersion=f"v{version}Token")) == {}
        assert token_version(account) == version
    assert token_version(server.account(fresh("tokens"))) == 1, "another account's is its own"


def test_outbound_federation_is_switched_on_and_off(server):
    account = server.account(fresh("outbound"))
    for call in ("get_outbound_web_identity_federation_info", "disable_outbound_web_identity_federation"):
        with refused("FeatureDisabled", f"Outbound identity federation is disabled for account {account.id}", status=404):
            getattr(account.iam, call)()
    issuer = account.iam.enable_outbound_web_identity_federation()["IssuerIdentifier"]
    assert re.fullmatch(r"https://[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\.tokens\.sts\.global\.api\.aws", issuer)
    with refused("FeatureEnabled", status=409):
        account.iam.enable_outbound_web_identity_federation()
    assert body(account.iam.get_outbound_web_identity_federation_info()) == {"IssuerIdentifier": issuer, "JwtVendingEnabled": True}
    assert body(account.iam.disable_outbound_web_identity_federation()) == {}
    with refused("FeatureDisabled", status=404):
        account.iam.get_outbound_web_identity_federation_info()
    assert account.iam.enable_outbound_web_identity_federation()["IssuerIdentifier"] == issuer, "an account has one issuer"
    other = server.account(fresh("outbound"))
    assert other.iam.enable_outbound_web_identity_federation()["IssuerIdentifier"] != issuer


def test_there_are_no_properties_to_set(account):
    assert body(account.iam.get_account_properties()) == {"Properties": {}}
    for bad in ({"RoleManager/Enabled": "true"}, {"Enabled": "true"}, {"A/B": "1", "C/D": "2"}, {"A/B/C": "1"}):
        with refused("InvalidInput"):
            account.iam.put_account_properties(Properties=bad)
    assert account.iam.get_account_properties()["Properties"] == {}


@pytest.mark.parametrize("call", CALLS)
def test_each_needs_its_own_permission(account, nobody, call):
    with refused("AccessDenied"):
        getattr(nobody.iam, call)(**CALLS[call])


def test_one_permission_is_one_operation(account):
    user = account.user(allow("iam:GetAccountProperties"))
    assert user.iam.get_account_properties()["Properties"] == {}
    with refused("AccessDenied", re.compile("iam:PutAccountProperties")):
        user.iam.put_account_properties(Properties={"A/B": "1"})
