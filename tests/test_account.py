"""The account itself: alias, summary, password policy."""

import re

import pytest

from harness.expecting import denial, refused
from harness.principals import allow, body, fresh

QUOTAS = {
    "UsersQuota": 5000, "GroupsQuota": 300, "RolesQuota": 1000, "PoliciesQuota": 1500, "PolicySizeQuota": 6144, "UserPolicySizeQuota": 2048,
    "GroupPolicySizeQuota": 5120, "RolePolicySizeQuota": 10240, "AssumeRolePolicySizeQuota": 2048, "PolicyVersionsInUseQuota": 10000, "VersionsPerPolicyQuota": 5,
    "AttachedPoliciesPerUserQuota": 10, "AttachedPoliciesPerGroupQuota": 10, "AttachedPoliciesPerRoleQuota": 10, "AccessKeysPerUserQuota": 2,
    "GroupsPerUserQuota": 10, "SigningCertificatesPerUserQuota": 2, "ServerCertificatesQuota": 20, "InstanceProfilesQuota": 1000,
}
COUNTS = {"Users", "Groups", "Roles", "Policies", "Providers", "MFADevices", "MFADevicesInUse", "PolicyVersionsInUse", "ServerCertificates", "InstanceProfiles",
          "AccountMFAEnabled", "AccountAccessKeysPresent", "AccountSigningCertificatesPresent", "AccountPasswordPresent", "GlobalEndpointTokenVersion"}


def test_an_alias_is_made_listed_and_deleted(account):
    alias = fresh("alias")
    assert body(account.iam.list_account_aliases()) == {"AccountAliases": [], "IsTruncated": False}
    assert body(account.iam.create_account_alias(AccountAlias=alias)) == {}
    assert account.iam.list_account_aliases()["AccountAliases"] == [alias]
    assert body(account.iam.delete_account_alias(AccountAlias=alias)) == {}
    assert account.iam.list_account_aliases()["AccountAliases"] == []


def test_an_alias_belongs_to_one_account(account, other_account):
    alias = fresh("unique")
    account.iam.create_account_alias(AccountAlias=alias)
    with refused("EntityAlreadyExists"):
        other_account.iam.create_account_alias(AccountAlias=alias)
    assert other_account.iam.list_account_aliases()["AccountAliases"] == []
    with refused("NoSuchEntity"):
        other_account.iam.delete_account_alias(AccountAlias=alias)
    account.iam.delete_account_alias(AccountAlias=alias)
    other_account.iam.create_account_alias(AccountAlias=alias)
    other_account.iam.delete_account_alias(AccountAlias=alias)


@pytest.mark.parametrize("alias", ["Upper", "-dash", "dash-", "two--dashes", "under_score", "x" * 64, "ab"])
def test_a_bad_alias_is_refused(account, alias):
    with refused("ValidationError", re.compile("'accountAlias' failed to satisfy constraint: Member must")):
        account.root.unchecked().create_account_alias(AccountAlias=alias)


def test_the_summary_counts_and_names_the_limits(server):
    account = server.account(fresh("counted"))
    summary = account.iam.get_account_summary()
    assert set(body(summary)) == {"SummaryMap"}
    before = summary["SummaryMap"]
    assert all(isinstance(number, int) for number in before.values())
    assert {name: before.get(name) for name in QUOTAS} == QUOTAS
    assert COUNTS <= set(before), COUNTS - set(before)
    assert (before["Users"], before["Groups"], before["Roles"], before["Policies"], before["AccountAccessKeysPresent"]) == (0, 0, 0, 0, 1)
    user, arn = account.user(), account.policy()
    account.group(), account.role(), account.role()
    account.iam.create_instance_profile(InstanceProfileName="p")
    account.iam.attach_user_policy(UserName=user.name, PolicyArn=arn)
    after = account.iam.get_account_summary()["SummaryMap"]
    assert (after["Users"], after["Groups"], after["Roles"], after["Policies"], after["InstanceProfiles"]) == (1, 1, 2, 1, 1)


def test_the_summary_needs_its_own_right(account, nobody):
    with refused("AccessDenied", re.compile(re.escape(f"User: {nobody.arn} is not authorized to perform: iam:GetAccountSummary") + r".* because no identity-based policy allows")):
        nobody.iam.get_account_summary()
    account.user(allow("iam:GetAccountSummary")).iam.get_account_summary()


# The password policy.

STRICT = {"MinimumPasswordLength": 14, "RequireSymbols": True, "RequireNumbers": True, "RequireUppercaseCharacters": True, "RequireLowercaseCharacters": True,
          "AllowUsersToChangePassword": True, "MaxPasswordAge": 90, "PasswordReusePrevention": 3, "HardExpiry": True}
BARE = {"MinimumPasswordLength": 6, "RequireSymbols": False, "RequireNumbers": False, "RequireUppercaseCharacters": False, "RequireLowercaseCharacters": False,
        "AllowUsersToChangePassword": False, "ExpirePasswords": False}


def test_there_is_no_password_policy_at_first(server):
    account = server.account(fresh("unruled"))
    missing = f"The Password Policy with domain name {account.id} cannot be found."
    with refused("NoSuchEntity", missing):
        account.iam.get_account_password_policy()
    with refused("NoSuchEntity", "The account policy with name PasswordPolicy cannot be found."):
        account.iam.delete_account_password_policy()


def test_what_is_set_is_told(account):
    assert body(account.iam.update_account_password_policy(**STRICT)) == {}
    assert body(account.iam.get_account_password_policy()) == {"PasswordPolicy": STRICT | {"ExpirePasswords": True}}
    assert body(account.iam.delete_account_password_policy()) == {}
    with refused("NoSuchEntity"):
        account.iam.get_account_password_policy()


def test_an_update_is_not_partial(account):
    account.iam.update_account_password_policy(**STRICT)
    account.iam.update_account_password_policy()
    told = account.iam.get_account_password_policy()["PasswordPolicy"]
    assert {name: value for name, value in told.items() if name != "HardExpiry"} == BARE
    assert not told.get("HardExpiry")
    account.iam.delete_account_password_policy()


@pytest.mark.parametrize("parameter, value", [("MinimumPasswordLength", 5), ("MinimumPasswordLength", 129), ("MaxPasswordAge", 0), ("MaxPasswordAge", 1096),
                                              ("PasswordReusePrevention", 0), ("PasswordReusePrevention", 25)])
def test_limits_of_the_policy(account, parameter, value):
    member = parameter[0].lower() + parameter[1:]
    with refused("ValidationError", re.compile(f"^1 validation error detected: Value at '{member}' failed to satisfy constraint: Member must have value")):
        account.root.unchecked().update_account_password_policy(**{parameter: value})


def test_denials(account, nobody):
    with refused("AccessDenied", re.compile("iam:UpdateAccountPasswordPolicy")):
        nobody.iam.update_account_password_policy()
    with refused("AccessDenied", re.compile("iam:CreateAccountAlias")):
        nobody.iam.create_account_alias(AccountAlias="not-mine")
    with refused("AccessDenied", denial(nobody.arn, "iam:ListAccountAliases", ("*",))):
        nobody.iam.list_account_aliases()
