"""Step 3: a principal of a second account crosses over by a role with an external id; each side alone is not enough.

Crossing by resource policy is asked through /authorize: see test_authorize_decisions.py.
"""

import pytest

from harness.expecting import denial, refused
from harness.principals import allow, deny, document, trust

ASKED = {"StringEquals": {"sts:ExternalId": "project-7f"}}


@pytest.fixture(scope="module")
def stranger(other_account):
    return other_account.user(allow("sts:AssumeRole"), name="stranger")


@pytest.fixture(scope="module")
def door(account, other_account):
    return account.role(allow("iam:ListUsers"), trusted=trust(other_account.id, condition=ASKED), name="door")


def sentence(caller, role):
    """Across accounts the bare sentence, whatever is missing."""
    return denial(caller.arn, "sts:AssumeRole", role if isinstance(role, str) else role.arn, bare=True)


def test_both_sides_and_the_external_id_let_her_cross(stranger, door, account):
    session = stranger.assume(door, "crossed", ExternalId="project-7f")
    assert session.identity() == {
        "UserId": f"{door.unique_id}:crossed",
        "Account": account.id,
        "Arn": f"arn:aws:sts::{account.id}:assumed-role/door/crossed",
    }
    assert {user["Arn"].split(":")[4] for user in session.iam.list_users()["Users"]} <= {account.id}


@pytest.mark.parametrize("given", [{}, {"ExternalId": "project-8f"}, {"ExternalId": "PROJECT-7F"}])
def test_without_the_right_external_id_she_does_not(stranger, door, given):
    with refused("AccessDenied", sentence(stranger, door)):
        stranger.assume(door, **given)


def test_an_external_id_that_nobody_asked_for_is_accepted(account, other_account, stranger):
    role = account.role(trusted=trust(other_account.id))
    stranger.assume(role, ExternalId="whatever")


def test_without_an_identity_policy_of_her_own_she_does_not(door, other_account):
    without = other_account.user()
    with refused("AccessDenied", sentence(without, door)):
        without.assume(door, ExternalId="project-7f")


def test_her_own_account_can_deny_her(door, other_account):
    held = other_account.user(allow("*"), deny("sts:AssumeRole", door.arn))
    with refused("AccessDenied"):
        held.assume(door, ExternalId="project-7f")


def test_without_trust_she_does_not(account, stranger):
    role = account.role(trusted=account.id)
    with refused("AccessDenied", sentence(stranger, role)):
        stranger.assume(role)


def test_even_an_administrator_does_not_without_trust(account, other_account):
    administrator = other_account.user(allow("*"))
    role = account.role(trusted=account.id)
    with refused("AccessDenied", sentence(administrator, role)):
        administrator.assume(role)


def test_named_herself_she_still_needs_an_identity_policy(account, other_account):
    named = other_account.user()
    role = account.role(trusted=named.arn)
    with refused("AccessDenied", sentence(named, role)):
        named.assume(role)
    other_account.iam.put_user_policy(UserName=named.name, PolicyName="p", PolicyDocument=document(allow("sts:AssumeRole", role.arn)))
    named.assume(role)


def test_a_missing_role_is_told_as_a_forbidden_one(account, stranger):
    arn = account.arn("role/there-is-none")
    with refused("AccessDenied", sentence(stranger, arn)):
        stranger.assume(arn)


def test_a_role_of_an_account_that_does_not_exist_is_told_alike(stranger):
    arn = "arn:aws:iam::999999999999:role/there-is-none"
    with refused("AccessDenied", sentence(stranger, arn)):
        stranger.assume(arn)


def test_identity_policies_of_one_account_give_nothing_in_another(other_account, account):
    """A user's own `*` names no resource of a stranger that its owner did not open."""
    account.iam.create_user(UserName="only-here")
    administrator = other_account.user(allow("*"))
    with refused("NoSuchEntity"):
        administrator.iam.get_user(UserName="only-here")


def test_a_managed_policy_of_another_account_is_not_told(other_account, account):
    arn = account.policy()
    administrator = other_account.user(allow("*"))
    with pytest.raises(administrator.iam.exceptions.ClientError) as caught:
        administrator.iam.get_policy(PolicyArn=arn)
    assert caught.value.response["Error"]["Code"] in {"AccessDenied", "NoSuchEntity"}


def test_root_of_the_other_account_may_not_assume(account, other_account):
    role = account.role(trusted=other_account.id)
    with refused("AccessDenied", "Roles may not be assumed by root accounts."):
        other_account.root.assume(role)
