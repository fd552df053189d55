"""kill -9 in the middle of writes: whatever was acknowledged is there, and in the trail; whatever was not is there whole or not at all."""

import random
import threading
import time

import pytest

from harness.expecting import outcome
from harness.principals import allow, document


class Writer(threading.Thread):
    """Creates users with a policy until the server dies, and remembers which calls were answered."""

    def __init__(self, account, number):
        super().__init__(daemon=True)
        self.client = type(account.root)(account.server, account.root.key_id, account.root.secret).iam
        self.number, self.made, self.granted, self.deleted, self.ids = number, [], [], [], []
        self.ending = None  # whose policy was being deleted at the end, whether or not that was answered

    def run(self):
        try:
            for count in range(100_000):
                name = f"w{self.number}-{count}"
                reply = self.client.create_user(UserName=name)
                self.made.append(name)
                self.ids.append(reply["ResponseMetadata"]["RequestId"])
                self.client.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=document(allow("s3:*")))
                self.granted.append(name)
                if count % 5 == 4:
                    self.ending = old = f"w{self.number}-{count - 4}"
                    self.client.delete_user_policy(UserName=old, PolicyName="p")
                    self.granted.remove(old)
                    self.client.delete_user(UserName=old)
                    self.deleted.append(old)
        except Exception:  # the server is gone, which is the point
            pass


@pytest.mark.timeout(120)
def test_kill_9_during_writes_loses_nothing_acknowledged(own_server):
    own_server.start()
    account = own_server.first_account()
    made, deleted, granted, ids = set(), set(), set(), set()
    for round_number in range(3):
        writers = [Writer(account, f"{round_number}{number}") for number in range(4)]
        for writer in writers:
            writer.start()
        time.sleep(0.4 + random.random() * 0.4)
        own_server.kill()
        for writer in writers:
            writer.join(30)
            made |= set(writer.made)
            deleted |= set(writer.deleted)
            granted |= set(writer.granted)
            ids |= set(writer.ids)
        assert any(writer.made for writer in writers), "something was written before the end"
        own_server.start()
        names = {user["UserName"] for page in account.iam.get_paginator("list_users").paginate() for user in page["Users"]}
        going = {name for name in made if name not in deleted}
        gone_unheard = {name for name in going - names}
        assert len(gone_unheard) <= 4 * (round_number + 1), "at most the one delete of each writer that was under way"
        assert not deleted & names
        for name in list(granted & names)[:50]:
            assert outcome(account.iam.get_user_policy, UserName=name, PolicyName="p") in {"ok", "NoSuchEntity"}
    assert own_server.run("check").returncode == 0
    trail = own_server.trail()
    missing = [request_id for request_id in ids if request_id not in trail]
    assert not missing, f"{len(missing)} of {len(ids)} acknowledged writes are not in the trail"
    assert trail.count('"CreateUser"') >= len(ids)


@pytest.mark.timeout(120)
def test_kill_9_leaves_a_written_thing_whole(own_server):
    """A user that was answered has its policy exactly if that was answered too; nothing is half."""
    own_server.start()
    account = own_server.first_account()
    writer = Writer(account, "x")
    writer.start()
    time.sleep(0.5)
    own_server.kill()
    writer.join(30)
    own_server.start()
    for name in set(writer.granted[:-1]) - {writer.ending}:
        assert account.iam.list_user_policies(UserName=name)["PolicyNames"] == ["p"]


def test_kill_9_right_after_an_answer(own_server):
    own_server.start()
    account = own_server.first_account()
    user = account.user(allow("iam:ListUsers"))
    account.iam.create_access_key(UserName=user.name)
    own_server.kill()
    own_server.start()
    user.iam.list_users()
    account.iam.delete_user_policy(UserName=user.name, PolicyName="granted")
    own_server.kill()
    own_server.start()
    assert outcome(user.iam.list_users) == "AccessDenied"
    account.iam.update_access_key(UserName=user.name, AccessKeyId=user.key_id, Status="Inactive")
    own_server.kill()
    own_server.start()
    assert outcome(user.iam.list_users) == "InvalidClientTokenId"


def test_concurrent_writers_of_one_name_have_one_winner(account):
    """Ten at once: one is told of success, nine that it exists."""
    results = []
    clients = [type(account.root)(account.server, account.root.key_id, account.root.secret).iam for _ in range(10)]

    def create(client):
        results.append(outcome(client.create_user, UserName="contested"))

    threads = [threading.Thread(target=create, args=[client]) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(results) == ["EntityAlreadyExists"] * 9 + ["ok"]


def test_concurrent_writers_never_pass_a_quota(account):
    user = account.user(key=False)
    results = []
    clients = [type(account.root)(account.server, account.root.key_id, account.root.secret).iam for _ in range(8)]
    threads = [threading.Thread(target=lambda client=client: results.append(outcome(client.create_access_key, UserName=user.name))) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(results) == ["LimitExceeded"] * 6 + ["ok"] * 2
    assert len(account.iam.list_access_keys(UserName=user.name)["AccessKeyMetadata"]) == 2
