"""What a request may cost: processor time and memory that one caller can take from all others."""

import os
import pathlib

import pytest

from harness.asking import check, post, signed_request
from harness.principals import Principal, allow, fresh
from harness.signing import query


@pytest.fixture
def alone(own_server):
    return own_server.start()


def seconds(server):
    """Processor time that the server has taken."""
    fields = pathlib.Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(server):
    """MiB in memory."""
    status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")) / 1024


def cost(server, call):
    before = seconds(server)
    call()
    return seconds(server) - before


@pytest.mark.parametrize("letter", ["=", "%3d"])
def test_a_long_header_of_separators_costs_no_more_than_its_length(alone, letter):
    """The trail looked for secrets in the whole of a User-Agent, for each check, before it kept the first KiB of it."""
    account = alone.account("costs")
    asker, caller = account.user(allow("bailiwick:Authorize")), account.user(allow("s3:*"))
    request = signed_request(caller)
    request["headers"].append(["user-agent", (letter * 900_000)[:900_000]])
    body = {"request": request, "checks": [check()] * 8}
    assert cost(alone, lambda: post(asker, body)) < 0.4


@pytest.mark.parametrize("where", ["context", "resourceTags"])
def test_a_check_with_very_many_keys_is_refused_or_cheap(alone, where):
    """Each key was put into a sorted list, several times: the work grew with the square of their number."""
    account = alone.account("costs")
    asker, caller = account.user(allow("bailiwick:Authorize")), account.user(allow("s3:*"))
    keys = {f"x:{number:05}": "v" for number in range(60_000, 0, -1)}
    body = {"request": signed_request(caller), "checks": [check(**{where: keys})]}
    assert cost(alone, lambda: post(asker, body)) < 0.4


def large(account, number):
    """A managed policy of some 5 KB."""
    def one(nth):
        nth += number * 1000
        return allow([f"s3:G{nth}x{part}" for part in range(3)], [f"arn:aws:s3:::b{nth}/{part}/*" for part in range(2)])
    return account.policy(*[one(nth) for nth in range(40)], name=fresh("large"))


def growth(server, use, fill, more):
    """MiB by which memory grows with `more` uses, once `fill` of them have filled the caches: what the caches hold, and what the allocator keeps beside them, is there by then."""
    for number in range(fill):
        use(number)
    before = resident(server)
    for number in range(fill, fill + more):
        use(number)
    return resident(server) - before


@pytest.mark.timeout(180)
def test_many_sessions_of_one_caller_stay_within_the_caches(alone):
    """What a session is narrowed to was kept beside its credential and counted nowhere: one caller took 200 KiB with each session."""
    account = alone.account("costs")
    policies = [{"arn": large(account, number)} for number in range(10)]
    caller, role = account.user(allow("sts:AssumeRole")), account.role(allow("s3:*"))

    def use(number):
        got = caller.sts.assume_role(RoleArn=role.arn, RoleSessionName=f"session-{number}", PolicyArns=policies)["Credentials"]
        session = Principal(alone, got["AccessKeyId"], got["SecretAccessKey"], got["SessionToken"])
        assert query(session, "sts", "GetCallerIdentity").send().status == 200

    # The cache of credentials holds 24 MiB: some 120 such sessions. 700 more, kept, would be 140 MiB.
    assert growth(alone, use, fill=500, more=700) < 70


@pytest.mark.timeout(180)
def test_many_users_with_long_policies_stay_within_the_caches(alone):
    """A credential held on to its user's policies after their own cache had let them go."""
    account = alone.account("costs")
    group = account.group()
    for number in range(10):
        account.iam.attach_group_policy(GroupName=group, PolicyArn=large(account, number))

    def use(_):
        user = account.user()
        account.iam.add_user_to_group(GroupName=group, UserName=user.name)
        assert query(user, "sts", "GetCallerIdentity").send().status == 200

    # Credentials, 24 MiB, and grants, 48 MiB: some 360 such users. 700 more, kept, would be 140 MiB.
    assert growth(alone, use, fill=600, more=700) < 70
