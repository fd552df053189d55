"""Policies that Bailiwick makes itself from names that callers choose (Polaris CVE-2026-42810): a name says no more than a name.

An account that lets its users change their passwords grants each of them that on its own ARN, and a path may hold any printable character."""

import pytest

from harness.expecting import refused
from harness.principals import allow, fresh

ADMINISTRATOR = '/"},{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Allow","Action":"iam:ChangePassword","Resource":"/'


@pytest.fixture(scope="module")
def trusting_account(server):
    made = server.account("test-review-policies-made-from-names-trusting")
    made.iam.update_account_password_policy(AllowUsersToChangePassword=True)
    return made


def test_a_path_that_is_a_piece_of_a_policy_makes_no_administrator(trusting_account):
    """Who may rename itself wrote statements into the policy that is made from its ARN."""
    user = trusting_account.user(allow("iam:UpdateUser"))
    user.iam.update_user(UserName=user.name, NewPath=ADMINISTRATOR)
    for call, parameters in [(user.iam.list_users, {}), (user.iam.create_user, {"UserName": fresh("backdoor")}), (user.iam.create_access_key, {"UserName": user.name})]:
        with refused("AccessDenied"):
            call(**parameters)


def test_a_user_made_with_such_a_path_is_no_administrator(trusting_account):
    user = trusting_account.user(Path=ADMINISTRATOR)
    with refused("AccessDenied"):
        user.iam.list_users()


@pytest.mark.parametrize("path", ['/"/', "/\\/", '/"\\"/', "/${aws:username}/", "/${/", "/*/", "/?/", "/{}/", "/']/"])
def test_a_user_with_any_path_is_served_and_may_change_its_password(trusting_account, path):
    """A quotation mark made a policy that cannot be read, and shut its user out."""
    user = trusting_account.user(Path=path)
    assert user.identity()["Arn"] == user.arn
    trusting_account.iam.create_login_profile(UserName=user.name, Password="An-old-Password-1!")
    user.iam.change_password(OldPassword="An-old-Password-1!", NewPassword="A-new-Password-2!")
    with refused("AccessDenied"):
        user.iam.get_user(UserName=user.name)
