"""What a change of policies would do, held to what it does when it is made; and who can do something, held to what each is answered."""

import itertools
import json
import time

import pytest
from botocore.exceptions import ClientError

from harness.asking import ask, check, post, signed_request
from harness.principals import Account, allow, deny, document, trust
from harness.server import Server

ACTIONS = ("s3:GetObject", "s3:PutObject", "s3:DeleteObject")
RESOURCES = ("arn:aws:s3:::data/a", "arn:aws:s3:::data/b")


class World:
    """An account with principals of every kind, on a server whose trail has nothing else in it."""

    def __init__(self, server):
        self.server = server
        self.account: Account = server.first_account()
        iam = self.account.iam
        self.alice = self.account.user(allow("s3:Get*"), name="alice")
        self.bob = self.account.user(name="bob")
        self.group = self.account.group(allow("s3:PutObject", "arn:aws:s3:::data/a"), members=[self.bob], name="writers")
        self.role = self.account.role(allow("s3:*"), name="reader")
        entrance = self.account.user(allow("sts:AssumeRole"), name="entrance")
        self.session = entrance.assume(self.role, "session")
        narrow = json.dumps({"Version": "2012-10-17", "Statement": allow("s3:GetObject")})
        self.narrowed = entrance.assume(self.role, "narrowed", Policy=narrow)
        self.policy = self.account.policy(allow("s3:DeleteObject"), name="deleters")
        iam.attach_user_policy(UserName="bob", PolicyArn=self.policy)
        self.asker = self.account.user(allow("bailiwick:Authorize"), name="asker")
        self.principals = {"alice": self.alice, "bob": self.bob, "session": self.session, "narrowed": self.narrowed}

    def shown(self, name):
        """How a forecast names a principal: a session by its role."""
        return self.role.arn if name in {"session", "narrowed"} else self.principals[name].arn

    def ask(self, **more):
        """Asks everything for everybody: what is allowed."""
        allowed = set()
        for name, principal in self.principals.items():
            checks = [check(action, resource, **more) for action, resource in itertools.product(ACTIONS, RESOURCES)]
            answer = ask(self.asker, signed_request(principal), *checks)
            for made, decided in zip(checks, answer["decisions"], strict=True):
                if decided["decision"] == "Allowed":
                    allowed.add((name, made["action"], made["resource"]))
        return allowed

    def forecast(self, *options, since="1h", status=None):
        done = self.server.run("what-if", *options, "--since", since, "--format", "json", check=False)
        assert done.returncode in ({0, 2} if status is None else {status}), done
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("foresight") / "data").start()
    made = World(server)
    made.before = made.ask()
    yield made
    server.kill()


def changed(world, before, after, effect):
    """What one account of principals lost or gained, as a forecast says it."""
    differ = before - after if effect == "lost" else after - before
    return {(world.shown(name), action, resource) for name, action, resource in differ}


def said(forecast, effect):
    lines = [line for line in forecast["lines"] if line["effect"] == effect and line["action"].startswith("s3:")]
    return {(line["principal"], line["action"], line["resource"]) for line in lines}


def held_to_truth(world, options, make, unmake):
    """The forecast is what comes of really making the change. Afterwards all is as it was."""
    before = world.before
    forecast = world.forecast(*options)
    assert world.ask() == before, "a forecast changes nothing"
    make()
    try:
        after = world.ask()
    finally:
        unmake()
    assert after != before, "the change must change something, or the test shows nothing"
    for effect in ("lost", "gained"):
        assert said(forecast, effect) == changed(world, before, after, effect), effect
    assert world.ask() == before
    return forecast


def written(tmp_path, *statements, name="document.json"):
    file = tmp_path / name
    file.write_text(document(*statements))
    return str(file)


def test_attaching_a_policy_to_a_user(world):
    arn = "arn:aws:iam::aws:policy/AmazonS3FullAccess"
    iam = world.account.iam
    forecast = held_to_truth(world, ("--attach", arn, "--to", world.alice.arn),
                             lambda: iam.attach_user_policy(UserName="alice", PolicyArn=arn), lambda: iam.detach_user_policy(UserName="alice", PolicyArn=arn))
    gained = [line for line in forecast["lines"] if line["effect"] == "gained"]
    assert all(line["by"]["source"] == arn and line["because"] == "identity" and line["count"] >= 1 for line in gained)


def test_detaching_a_policy_from_a_user(world):
    iam = world.account.iam
    held_to_truth(world, ("--detach", world.policy, "--from", world.bob.arn),
                  lambda: iam.detach_user_policy(UserName="bob", PolicyArn=world.policy), lambda: iam.attach_user_policy(UserName="bob", PolicyArn=world.policy))


def test_attaching_a_new_policy_to_a_group_reaches_its_members(world, tmp_path):
    file = written(tmp_path, allow("s3:GetObject", "arn:aws:s3:::data/b"))
    iam = world.account.iam
    arn = world.account.arn(f"group/{world.group}")
    held_to_truth(world, ("--attach", file, "--to", arn),
                  lambda: iam.put_group_policy(GroupName=world.group, PolicyName="more", PolicyDocument=document(allow("s3:GetObject", "arn:aws:s3:::data/b"))),
                  lambda: iam.delete_group_policy(GroupName=world.group, PolicyName="more"))


def test_another_text_of_a_policy(world, tmp_path):
    text = document(allow("s3:GetObject", "arn:aws:s3:::data/a"))
    file = tmp_path / "text.json"
    file.write_text(text)
    iam = world.account.iam

    def unmake():
        iam.set_default_policy_version(PolicyArn=world.policy, VersionId="v1")
        iam.delete_policy_version(PolicyArn=world.policy, VersionId="v2")

    if len(iam.list_policy_versions(PolicyArn=world.policy)["Versions"]) == 1:
        held_to_truth(world, ("--policy", world.policy, "--document", str(file)),
                      lambda: iam.create_policy_version(PolicyArn=world.policy, PolicyDocument=text, SetAsDefault=True), unmake)


def test_an_inline_policy_put_and_deleted(world, tmp_path):
    narrower = allow("s3:GetObject", "arn:aws:s3:::data/a")
    iam = world.account.iam
    back = lambda: iam.put_user_policy(UserName="alice", PolicyName="granted", PolicyDocument=document(allow("s3:Get*")))  # noqa: E731
    held_to_truth(world, ("--put", "granted", "--of", world.alice.arn, "--document", written(tmp_path, narrower)),
                  lambda: iam.put_user_policy(UserName="alice", PolicyName="granted", PolicyDocument=document(narrower)), back)
    held_to_truth(world, ("--delete", "granted", "--of", world.alice.arn), lambda: iam.delete_user_policy(UserName="alice", PolicyName="granted"), back)


def test_a_boundary_of_a_role_binds_its_sessions(world, tmp_path):
    boundary = world.account.policy(allow("s3:PutObject"), name="edge")
    iam = world.account.iam
    forecast = held_to_truth(world, ("--boundary", boundary, "--of", world.role.arn),
                             lambda: iam.put_role_permissions_boundary(RoleName="reader", PermissionsBoundary=boundary),
                             lambda: iam.delete_role_permissions_boundary(RoleName="reader"))
    assert {line["because"] for line in forecast["lines"] if line["effect"] == "lost"} == {"boundary"}


def test_a_deny_is_told_with_its_statement(world, tmp_path):
    file = tmp_path / "deny.json"
    file.write_text(json.dumps({"Version": "2012-10-17", "Statement": [allow("ec2:*"), {"Sid": "NoReads", **deny("s3:GetObject")}]}, indent=1))
    forecast = world.forecast("--attach", str(file), "--to", world.alice.arn, status=2)
    lost = [line for line in forecast["lines"] if line["effect"] == "lost"]
    assert lost and all(line["by"]["sid"] == "NoReads" and line["by"]["statement"] == 1 and line["by"]["line"] > 1 for line in lost)
    explained = world.server.run("explain", lost[0]["requestId"]).stdout
    assert "s3:GetObject" in explained, "the example can be looked at"


def test_a_trust_policy_decides_who_may_still_assume_the_role(world, tmp_path):
    file = tmp_path / "trust.json"
    file.write_text(trust(world.alice.arn))
    forecast = world.forecast("--trust", world.role.arn, "--document", str(file), status=2)
    lost = {(line["principal"], line["action"]) for line in forecast["lines"] if line["effect"] == "lost"}
    assert lost == {(world.account.arn("user/entrance"), "sts:AssumeRole")}


def test_a_resource_policy_of_a_bucket_reaches_all_under_it(world, tmp_path):
    opened = {"Version": "2012-10-17", "Statement": [allow("s3:DeleteObject", "arn:aws:s3:::data/*", Principal={"AWS": world.alice.arn})]}
    file = tmp_path / "bucket.json"
    file.write_text(json.dumps(opened))
    forecast = world.forecast("--resource", "arn:aws:s3:::data", "--document", str(file), status=2)
    before = world.before
    after = world.ask(resourcePolicy=opened)
    assert said(forecast, "gained") == changed(world, before, after, "gained") == {(world.alice.arn, "s3:DeleteObject", resource) for resource in RESOURCES}


def test_a_key_that_requests_were_recorded_without_is_remarked(world, tmp_path):
    file = written(tmp_path, allow("s3:PutObject", condition={"StringEquals": {"s3:ExistingObjectTag/team": "x"}}))
    forecast = world.forecast("--attach", file, "--to", world.alice.arn)
    missing = {each["key"]: each["requests"] for each in forecast["missingKeys"]}
    assert missing.get("s3:ExistingObjectTag/team", 0) >= len(RESOURCES)
    table = world.server.run("what-if", "--attach", file, "--to", world.alice.arn, check=False).stdout
    assert "recorded without s3:ExistingObjectTag/team" in table


def test_what_others_changed_meanwhile_is_not_laid_to_the_change(world):
    iam = world.account.iam
    iam.put_user_policy(UserName="alice", PolicyName="granted", PolicyDocument=document(allow("s3:Get*"), allow("s3:PutObject")))
    try:
        forecast = world.forecast("--attach", "arn:aws:iam::aws:policy/AmazonS3FullAccess", "--to", world.alice.arn)
    finally:
        iam.put_user_policy(UserName="alice", PolicyName="granted", PolicyDocument=document(allow("s3:Get*")))
    assert forecast["otherwiseAlready"] > 0
    assert {action for _, action, _ in said(forecast, "gained")} == {"s3:DeleteObject"}, "what she can do anyway is not gained"


def test_only_decisions_of_the_time_that_is_asked_about_count(world):
    options = ("--attach", "arn:aws:iam::aws:policy/AmazonS3FullAccess", "--to", world.alice.arn)
    assert world.forecast(*options)["checks"] > 0
    time.sleep(2.1)
    assert world.forecast(*options, since="1s")["checks"] == 0


@pytest.mark.parametrize("options, words", [
    (("--attach", "arn:aws:iam::111122223333:policy/none", "--to", "arn:aws:iam::111122223333:user/alice"), "policy/none was not found"),
    (("--attach", "arn:aws:iam::aws:policy/AmazonS3FullAccess", "--to", "arn:aws:iam::111122223333:user/nobody"), "user/nobody was not found"),
    (("--attach", "arn:aws:iam::aws:policy/AmazonS3FullAccess", "--to", "r-none"), "r-none was not found"),
    (("--attach", "/nowhere.json", "--to", "arn:aws:iam::111122223333:user/alice"), "nowhere.json"),
    (("--boundary", "arn:aws:iam::aws:policy/AmazonS3FullAccess", "--of", "arn:aws:iam::111122223333:group/writers"), "a group has no boundary"),
    (("--attach", "arn:aws:iam::aws:policy/AmazonS3FullAccess"), "--to"),
    ((), "required"),
])
def test_what_cannot_be_tried_is_said(world, options, words):
    done = world.server.run("what-if", *options, check=False)
    assert done.returncode not in {0, 101} and words in done.stderr, done


def test_a_document_that_the_service_would_refuse_is_refused(world, tmp_path):
    done = world.server.run("what-if", "--attach", written(tmp_path, {"Effect": "Allow", "Action": "s3:*"}), "--to", world.alice.arn, check=False)
    assert done.returncode == 1 and "would be refused" in done.stderr


def question(asker, path, **document):
    return post(asker, document, path=path)


def test_asking_over_http_needs_its_own_right_and_reads_the_askers_account_only(world):
    change = {"attach": {"policy": "arn:aws:iam::aws:policy/AmazonS3FullAccess", "to": world.alice.arn}}
    refused = question(world.asker, "/what-if", change=change)
    assert refused.status == 403 and "bailiwick:WhatIf" in refused.json["message"]
    seer = world.account.user(allow(["bailiwick:WhatIf", "bailiwick:WhoCan"]))
    answer = question(seer, "/what-if", change=change, sinceSeconds=3600)
    assert answer.status == 200 and answer.json["gained"] > 0
    stranger = world.server.account("stranger")
    own = stranger.user()
    other = question(stranger.root, "/what-if", change={"attach": {"policy": "arn:aws:iam::aws:policy/AmazonS3FullAccess", "to": own.arn}}, sinceSeconds=3600)
    assert other.status == 200 and other.json["lines"] == [] and other.json["concerned"] == 0
    assert question(seer, "/what-if", change={"attach": {"policy": "x"}}).status == 400
    assert question(seer, "/what-if", change=change, more=1).status == 400


def test_a_stranger_does_not_learn_what_another_account_has(world):
    """Whether a user, a role or a policy of another account exists is not told: one that does is as little found as one that does not."""
    stranger = world.server.account("prober")
    own = stranger.user()
    for there, missing in [(world.alice.arn, world.account.arn("user/nobody-at-all")), (world.role.arn, world.account.arn("role/nothing"))]:
        said = [question(stranger.root, "/what-if", change={"boundary": {"of": arn}}) for arn in (there, missing)]
        assert [reply.status for reply in said] == [400, 400]
        assert said[0].json["message"].replace(there, "X") == said[1].json["message"].replace(missing, "X")
    policies = (world.policy, world.account.arn("policy/nothing"))
    said = [question(stranger.root, "/what-if", change={"attach": {"policy": arn, "to": own.arn}}) for arn in policies]
    assert [reply.status for reply in said] == [400, 400] and "was not found" in said[0].json["message"]
    said = [question(stranger.root, "/what-if", change={"document": {"policy": arn, "document": document(allow("s3:*"))}}) for arn in policies]
    assert [reply.status for reply in said] == [400, 400]
    foreign = question(stranger.root, "/who-can", action="sts:AssumeRole", resource=world.role.arn)
    assert foreign.status == 400 and "another account" in foreign.json["message"]


# Who can.


def able(world, action, resource, *options):
    return json.loads(world.server.run("who-can", action, resource, "--format", "json", *options).stdout)


def test_who_can_is_who_is_allowed(world):
    for action, resource in itertools.product(ACTIONS, RESOURCES):
        found = {each["principal"]: each for each in able(world, action, resource, "--account", world.account.id)["able"]}
        truth = {world.shown(name) for name, asked, on in world.before if (asked, on) == (action, resource)}
        expected = truth | {world.account.root_arn}
        assert {arn for arn in found if arn not in expected} == set(), (action, resource)
        assert expected <= set(found)
        assert all(each["always"] for each in found.values())


def test_who_can_assume_a_role_asks_its_trust_policy(world):
    found = {each["principal"] for each in able(world, "sts:AssumeRole", world.role.arn)["able"]}
    assert found == {world.account.arn("user/entrance"), world.account.root_arn}


def test_what_it_depends_on_is_told(world):
    user = world.account.user(allow("s3:GetObject", condition={"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}), deny("s3:PutObject", condition={"Bool": {"aws:SecureTransport": "false"}}), allow("s3:PutObject"))
    reads = {each["principal"]: each for each in able(world, "s3:GetObject", RESOURCES[0])["able"]}[user.arn]
    assert (reads["always"], reads["dependsOn"]) == (False, ["aws:SourceIp"])
    writes = {each["principal"]: each for each in able(world, "s3:PutObject", RESOURCES[0])["able"]}[user.arn]
    assert (writes["always"], writes["dependsOn"]) == (False, ["aws:SecureTransport"])
    never = world.account.user(allow("s3:GetObject"), deny("s3:GetObject"))
    assert never.arn not in {each["principal"] for each in able(world, "s3:GetObject", RESOURCES[0])["able"]}


def test_who_could_at_some_time(world):
    user = world.account.user(allow("sqs:SendMessage"))
    time.sleep(1.1)
    then = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    time.sleep(1.1)
    world.account.iam.delete_user_policy(UserName=user.name, PolicyName="granted")
    queue = f"arn:aws:sqs:us-east-1:{world.account.id}:q"
    assert user.arn not in {each["principal"] for each in able(world, "sqs:SendMessage", queue)["able"]}
    assert user.arn in {each["principal"] for each in able(world, "sqs:SendMessage", queue, "--at", then)["able"]}
    assert user.arn not in {each["principal"] for each in able(world, "sqs:SendMessage", queue, "--at", "2001-01-01T00:00:00Z")["able"]}


def test_who_can_over_http(world):
    seer = world.account.user(allow("bailiwick:WhoCan"))
    answer = question(seer, "/who-can", action="s3:GetObject", resource=RESOURCES[0])
    assert answer.status == 200 and world.alice.arn in {each["principal"] for each in answer.json["able"]}
    assert question(world.asker, "/who-can", action="s3:GetObject", resource=RESOURCES[0]).status == 403
    stranger = world.server.account("stranger-two")
    others = question(stranger.root, "/who-can", action="s3:GetObject", resource=RESOURCES[0]).json["able"]
    assert {each["principal"] for each in others} == {stranger.root_arn}


def test_a_service_control_policy_is_tried_on_a_member(world, tmp_path):
    """The forecast of an SCP, held to attaching it: the member's role loses what the forecast says, on the next request."""
    organizations = world.account.root.client("organizations")
    organizations.create_organization(FeatureSet="ALL")
    root = organizations.list_roots()["Roots"][0]["Id"]
    made = organizations.create_account(Email="member@example.com", AccountName="member")["CreateAccountStatus"]
    member = organizations.describe_create_account_status(CreateAccountRequestId=made["Id"])["CreateAccountStatus"]["AccountId"]
    entrance = world.account.user(allow("sts:AssumeRole"))
    session = entrance.assume(f"arn:aws:iam::{member}:role/OrganizationAccountAccessRole", "in-member")
    queue = f"arn:aws:sqs:us-east-1:{member}:q"
    asked = lambda: ask(world.asker, signed_request(session), check("sqs:SendMessage", queue, resourceAccount=member))["decisions"][0]["decision"]  # noqa: E731
    assert asked() == "Allowed"
    text = document(deny("sqs:*"))
    file = tmp_path / "scp.json"
    file.write_text(text)
    forecast = world.forecast("--attach", str(file), "--to", member, status=2)
    lost = {(line["principal"], line["action"], line["because"]) for line in forecast["lines"] if line["effect"] == "lost"}
    assert lost == {(f"arn:aws:iam::{member}:role/OrganizationAccountAccessRole", "sqs:SendMessage", "serviceControl")}
    assert asked() == "Allowed", "a forecast attaches nothing"
    policy = organizations.create_policy(Name="no-queues", Description="", Type="SERVICE_CONTROL_POLICY", Content=text)["Policy"]["PolicySummary"]["Id"]
    assert world.forecast("--attach", policy, "--to", root, status=2)["lost"] == forecast["lost"] + 1, "asked once more since"
    stranger = world.server.account("outside-the-organization")
    for target in (root, member):
        reply = question(stranger.root, "/what-if", change={"attach": {"policy": policy, "to": target}})
        assert reply.status == 400 and f"{target} was not found" in reply.json["message"]
    organizations.attach_policy(PolicyId=policy, TargetId=member)
    assert asked() == "ExplicitlyDenied"
    gained = world.forecast("--detach", policy, "--from", member, status=2)
    assert {line["action"] for line in gained["lines"] if line["effect"] == "gained"} == {"sqs:SendMessage"}
