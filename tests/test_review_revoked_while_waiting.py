"""Revocation reaches requests that wait: whoever queues for slow work is judged again, on the rights of that moment, before anything is written."""

import concurrent.futures
import time

import pytest
from botocore.exceptions import ClientError

from harness.principals import allow

MANY = 60
PASSWORD = "A-long-Password-1!"


def take_policy(account, user):
    account.iam.delete_user_policy(UserName=user.name, PolicyName="granted")


def disable_key(account, user):
    account.iam.update_access_key(UserName=user.name, AccessKeyId=user.key_id, Status="Inactive")


@pytest.mark.parametrize("revoke", [take_policy, disable_key])
def test_nothing_is_written_for_who_was_revoked_while_waiting(account, revoke):
    """Passwords set after the revocation was acknowledged, by an attacker who filled the queue just before it."""
    attacker = account.user(allow("iam:CreateLoginProfile"))
    victims = [account.user(key=False).name for _ in range(MANY)]
    client = attacker.client("iam", max_pool_connections=MANY)

    def seize(name):
        try:
            client.create_login_profile(UserName=name, Password=PASSWORD)
            return time.monotonic(), None
        except ClientError as error:
            return time.monotonic(), error.response["Error"]["Code"]

    with concurrent.futures.ThreadPoolExecutor(MANY) as pool:
        waiting = [pool.submit(seize, name) for name in victims]
        concurrent.futures.wait(waiting, return_when=concurrent.futures.FIRST_COMPLETED)
        revoke(account, attacker)
        acknowledged = time.monotonic()
        answers = [each.result() for each in waiting]
    late = [code for at, code in answers if at > acknowledged + 0.1]
    assert late, "the queue was empty before the revocation: nothing is shown"
    assert set(late) <= {"AccessDenied", "InvalidClientTokenId"}, late
