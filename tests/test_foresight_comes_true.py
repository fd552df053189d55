"""What a change of a trust policy or of a resource control policy would do, held to what it does when it is really made."""

import contextlib
import json

import pytest
from botocore.exceptions import ClientError

from harness.asking import ask, check, signed_request
from harness.organization_policies import Organization
from harness.principals import allow, deny, document, trust
from harness.server import Server


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server whose trail has nothing else in it."""
    started = Server(tmp_path_factory.mktemp("foresight") / "data").start()
    yield started
    started.kill()


def forecast(server, *options):
    done = server.run("what-if", *options, "--since", "1h", "--format", "json", check=False)
    assert done.returncode in {0, 2}, done
    return json.loads(done.stdout)


def said(told, effect, *actions):
    """Whom a forecast names, with what they would lose or gain of these actions."""
    return {(line["principal"], line["action"], line["resource"]) for line in told["lines"] if line["effect"] == effect and line["action"] in actions}


def may(call, *arguments):
    with contextlib.suppress(ClientError):
        call(*arguments)
        return True
    return False


def test_a_trust_policy(server, tmp_path):
    account = server.first_account()
    everybody = [account.user(allow("sts:AssumeRole")) for _ in range(3)]
    leaves, stays, comes = everybody
    stranger = server.account("trusted-stranger").user(allow("sts:AssumeRole"))
    role = account.role(allow("s3:*"), trusted=trust([leaves.arn, stays.arn, stranger.arn]))
    callers = {each.arn: each for each in [*everybody, stranger]}

    def truth():
        return {arn for arn, caller in callers.items() if may(caller.assume, role)}

    before = truth()
    assert before == {leaves.arn, stays.arn, stranger.arn}
    text = trust([stays.arn, comes.arn])
    file = tmp_path / "trust.json"
    file.write_text(text)
    told = forecast(server, "--trust", role.arn, "--document", str(file))
    assert truth() == before, "a forecast changes nothing"
    account.iam.update_assume_role_policy(RoleName=role.name, PolicyDocument=text)
    after = truth()
    named = lambda arns: {(arn, "sts:AssumeRole", role.arn) for arn in arns}  # noqa: E731
    assert said(told, "lost", "sts:AssumeRole") == named(before - after) == named({leaves.arn, stranger.arn})
    assert said(told, "gained", "sts:AssumeRole") == named(after - before) == named({comes.arn})


def test_a_resource_control_policy(server, tmp_path):
    organization = Organization(server.account("managing"))
    upper = organization.unit()
    member, beside = (organization.invite(server.account(name)) for name in ("guarded", "unguarded"))
    organization.move(member, organization.root, upper)
    outside = server.account("outside")
    store = server.first_account().user(allow("bailiwick:Authorize"))
    callers = {each.arn: each for each in [member.user(allow("*")), beside.user(allow("*")), outside.user(allow("*"))]}
    opened = json.dumps({"Version": "2012-10-17", "Statement": [allow("*", "*", Principal="*")]})
    buckets = {f"arn:aws:s3:::{account.name}": account.id for account in (member, beside)}
    actions = ("s3:GetObject", "s3:PutObject", "ec2:RunInstances")

    def truth():
        allowed = set()
        for arn, caller in callers.items():
            checks = [check(action, f"{bucket}/a", resourceAccount=owner, resourcePolicy=json.loads(opened)) for bucket, owner in buckets.items() for action in actions]
            decisions = ask(store, signed_request(caller), *checks)["decisions"]
            allowed |= {(arn, made["action"], made["resource"]) for made, decided in zip(checks, decisions, strict=True) if decided["decision"] == "Allowed"}
        return allowed

    before = truth()
    assert len(before) == len(callers) * len(buckets) * len(actions)
    content = document({**deny("s3:*", condition={"StringNotEqualsIfExists": {"aws:PrincipalOrgID": organization.id}}), "Principal": "*"},
                       {**deny("s3:PutObject"), "Principal": "*"}, {**deny("ec2:*"), "Principal": "*"})
    policy = organization.policy(content, "RESOURCE_CONTROL_POLICY")
    told = forecast(server, "--attach", policy, "--to", upper)
    assert truth() == before, "a forecast attaches nothing"
    organization.attach(policy, upper)
    after = truth()
    assert said(told, "lost", *actions) == before - after
    assert {(action, resource) for _, action, resource in before - after} == {(action, f"arn:aws:s3:::{member.name}/a") for action in ("s3:GetObject", "s3:PutObject")}
    assert said(told, "gained", *actions) == set(), "no resource control policy grants"
    back = forecast(server, "--detach", policy, "--from", upper)
    assert said(back, "lost", *actions) == set()
    organization.detach(policy, upper)
    assert truth() == before
    assert said(back, "gained", *actions) == before - after
