"""What the simulator answers about a principal is what the request itself is answered: on random accounts, for calls of IAM and STS and for what stores ask."""

import json
import random

import pytest

from botocore.exceptions import ClientError

from harness.asking import check, post, signed_request
from harness.expecting import refused
from harness.organization_policies import Organization
from harness.principals import allow, deny, document, trust

# What a request has and a simulation has to be given.
CONTEXT = [{"ContextKeyName": "aws:SourceIp", "ContextKeyValues": ["127.0.0.1"], "ContextKeyType": "ip"},
           {"ContextKeyName": "aws:SecureTransport", "ContextKeyValues": ["false"], "ContextKeyType": "boolean"},
           {"ContextKeyName": "aws:RequestedRegion", "ContextKeyValues": ["us-east-1"], "ContextKeyType": "string"}]
TEAMS = ["red", "blue"]


def simulated(account, source, action, resource, context=CONTEXT, **parameters):
    (result,) = account.iam.simulate_principal_policy(PolicySourceArn=source, ActionNames=[action], ResourceArns=[resource], ContextEntries=context, **parameters)["EvaluationResults"]
    return result


def conditions(some):
    return some.choice([*[None] * 12, {"StringEquals": {"aws:PrincipalTag/team": some.choice(TEAMS)}}, {"StringLike": {"aws:username": some.choice(["p1*", "p*", "x"])}},
                        {"IpAddress": {"aws:SourceIp": some.choice(["127.0.0.0/8", "192.0.2.0/24"])}}, {"Bool": {"aws:SecureTransport": "true"}},
                        {"StringEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}}, {"StringNotEquals": {"iam:ResourceTag/team": some.choice(TEAMS)}},
                        {"StringEqualsIfExists": {"aws:ResourceAccount": "${aws:PrincipalAccount}"}}, {"Null": {"aws:MultiFactorAuthPresent": some.choice(["true", "false"])}}])


def statements(some, account):
    """A few statements on users, roles and buckets."""
    made = []
    for _ in range(some.randint(2, 4)):
        action = some.choice(["*", "iam:Get*", "iam:GetUser", "iam:GetRole", "sts:AssumeRole", "sts:*", "s3:Get*", "s3:*Object", "iam:List*"])
        resource = some.choice(["*", "*", account.arn("*"), account.arn("user/${aws:username}"), account.arn("role/open-?"), account.arn("user/p1*"), "arn:aws:s3:::home/${aws:username}/*", "arn:aws:iam::*:role/*"])
        made.append((deny if some.random() < 0.12 else allow)(action, resource, conditions(some)))
    return made


def trusted(some, account, people):
    return some.choice([
        trust(account.id), trust(account.id, condition={"StringEquals": {"aws:PrincipalTag/team": some.choice(TEAMS)}}), trust(some.choice(people).arn), trust({"Service": "ec2.amazonaws.com"}),
        json.dumps({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": account.id}, "Action": "sts:AssumeRole"}, {"Effect": "Deny", "Principal": {"AWS": some.choice(people).arn}, "Action": "sts:*"}]}),
        trust({"AWS": "*"}, condition={"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/p*"}})])


class Random:
    """Two accounts whose users, roles and buckets may be anything."""

    def __init__(self, server, seed):
        self.some = some = random.Random(seed)
        self.here, self.there = (server.account(f"simulated-{seed}-{side}") for side in ("here", "there"))
        self.people = []
        for number in range(12):
            boundary = {"PermissionsBoundary": self.here.policy(*statements(some, self.here))} if some.random() < 0.3 else {}
            tags = [{"Key": "team", "Value": some.choice(TEAMS)}] if some.random() < 0.7 else []
            self.people.append(self.here.user(*statements(some, self.here), name=f"p{number}", Tags=tags, **boundary))
            if some.random() < 0.4:
                self.here.iam.attach_user_policy(UserName=f"p{number}", PolicyArn=self.here.policy(*statements(some, self.here)))
        self.here.group(*statements(some, self.here), members=some.sample(self.people, 5))
        self.roles = []
        for number in range(6):
            account = self.there if number > 3 else self.here
            tags = [{"Key": "team", "Value": some.choice(TEAMS)}] if some.random() < 0.5 else []
            made = account.iam.create_role(RoleName=f"open-{number}", AssumeRolePolicyDocument=trusted(some, self.here, self.people), Tags=tags)
            self.roles.append(made["Role"]["Arn"])
        self.roles.append(self.there.arn("role/open-0"))

    def bucket(self, person):
        """An object, its owner, and its policy."""
        policy = json.dumps({"Version": "2012-10-17", "Statement": [
            (deny if self.some.random() < 0.3 else allow)("s3:*", "*", conditions(self.some)) | {"Principal": {"AWS": self.some.choice([self.here.id, person.arn, self.people[0].arn])}}]})
        return f"arn:aws:s3:::home/{self.some.choice([person.name, 'other'])}/k", self.some.choice([self.here, self.there]), self.some.choice([None, policy])


def answered(call):
    """allowed, or which way it was denied."""
    try:
        call()
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchEntity", "ValidationError"):
            return "allowed"
        assert error.response["Error"]["Code"] == "AccessDenied", error
        return "denied"
    return "allowed"


def plain(decision):
    return "allowed" if decision == "allowed" else "denied"


@pytest.mark.timeout(180)
@pytest.mark.parametrize("seed", range(8))
def test_the_simulator_answers_what_the_request_is_answered(server, seed):
    world = Random(server, seed)
    asker = world.here.user(allow("bailiwick:Authorize"), name="asker")
    seen = {"allowed": 0, "denied": 0}
    for person in world.people:
        for role in world.roles:
            real = answered(lambda: person.sts.assume_role(RoleArn=role, RoleSessionName="session"))
            found = simulated(world.here, person.arn, "sts:AssumeRole", role)
            assert plain(found["EvalDecision"]) == real, (seed, person.name, role, found)
            seen[real] += 1
        for other in world.some.sample(world.people, 3):
            real = answered(lambda: person.iam.get_user(UserName=other.name))
            found = simulated(world.here, person.arn, "iam:GetUser", other.arn)
            assert plain(found["EvalDecision"]) == real, (seed, person.name, other.name, found)
            seen[real] += 1
        for role in world.some.sample(world.roles[:4], 2):
            real = answered(lambda: person.iam.get_role(RoleName=role.rsplit("/", 1)[1]))
            assert plain(simulated(world.here, person.arn, "iam:GetRole", role)["EvalDecision"]) == real, (seed, person.name, role)
            seen[real] += 1
        real = answered(lambda: person.iam.list_users())
        assert plain(simulated(world.here, person.arn, "iam:ListUsers", world.here.arn("user/"))["EvalDecision"]) == real
        for _ in range(3):
            resource, owner, policy = world.bucket(person)
            asked = {"request": signed_request(person) | {"sourceIp": "127.0.0.1", "secureTransport": False},
                     "checks": [check("s3:GetObject", resource, resourceAccount=owner.id, **({"resourcePolicy": json.loads(policy)} if policy else {}))]}
            (decided,) = post(asker, asked).json["decisions"]
            given = {"ResourceOwner": owner.root_arn, **({"ResourcePolicy": policy, "CallerArn": person.arn} if policy else {})}
            found = simulated(world.here, person.arn, "s3:GetObject", resource, **given)
            words = {"Allowed": "allowed", "ImplicitlyDenied": "implicitDeny", "ExplicitlyDenied": "explicitDeny"}
            assert found["EvalDecision"] == words[decided["decision"]], (seed, person.name, resource, owner.id, policy, decided, found)
            seen[plain(found["EvalDecision"])] += 1
    assert min(seen.values()) > 15, seen


def test_a_role_is_assumed_in_the_simulator_as_its_trust_policy_says(account, other_account):
    user, other = account.user(key=False), account.user(allow("sts:AssumeRole"), key=False)
    role = account.role(trusted=trust(user.arn))
    named = simulated(account, user.arn, "sts:AssumeRole", role.arn)
    assert named["EvalDecision"] == "allowed", "named by the trust policy, it needs nothing else"
    (statement,) = named["MatchedStatements"]
    assert (statement["SourcePolicyId"], statement["SourcePolicyType"]) == (f"trust policy of role {role.name}", "Resource Policy")
    assert statement["StartPosition"]["Line"] == 1
    assert simulated(account, other.arn, "sts:AssumeRole", role.arn)["EvalDecision"] == "implicitDeny"
    assert simulated(account, other.arn, "sts:AssumeRole", account.arn("role/none"))["EvalDecision"] == "implicitDeny", "nobody may assume what is not there"
    # A resource policy that is given is taken for the role's.
    given = simulated(account, other.arn, "sts:AssumeRole", role.arn, ResourcePolicy=trust(account.id), CallerArn=other.arn)
    assert given["EvalDecision"] == "allowed"


def test_a_trust_policy_of_another_account_is_not_shown(account, other_account):
    user = account.user(allow("sts:AssumeRole"), key=False)
    role = other_account.role(trusted=trust(account.id, condition={"StringEquals": {"sts:ExternalId": "secret-handshake"}}))
    denied = simulated(account, user.arn, "sts:AssumeRole", role.arn)
    assert denied["EvalDecision"] == "implicitDeny" and denied["MissingContextValues"] == [], "which key it asks for is the other account's to tell"
    assert denied == simulated(account, user.arn, "sts:AssumeRole", other_account.arn("role/none")) | {
        "EvalResourceName": role.arn, "ResourceSpecificResults": [part | {"EvalResourceName": role.arn} for part in denied["ResourceSpecificResults"]]}, "nor whether it is there"
    handshake = [*CONTEXT, {"ContextKeyName": "sts:ExternalId", "ContextKeyValues": ["secret-handshake"], "ContextKeyType": "string"}]
    allowed = simulated(account, user.arn, "sts:AssumeRole", role.arn, handshake)
    assert allowed["EvalDecision"] == "allowed"
    assert [matched["SourcePolicyType"] for matched in allowed["MatchedStatements"]] == ["IAM Policy"]
    assert allowed["EvalDecisionDetails"] == {"IAM Policy": "allowed", "Resource Policy": "allowed"}


def test_what_of_another_account_has_no_policy_lets_nobody_in(account, other_account):
    user = account.user(allow("sqs:*"), key=False)
    queue = f"arn:aws:sqs:us-east-1:{other_account.id}:queue"
    across = simulated(account, user.arn, "sqs:SendMessage", queue)
    assert across["EvalDecision"] == "implicitDeny" and across["EvalDecisionDetails"] == {"IAM Policy": "allowed", "Resource Policy": "implicitDeny"}
    policy = document(allow("sqs:*", queue, Principal={"AWS": user.arn}))
    both = simulated(account, user.arn, "sqs:SendMessage", queue, ResourcePolicy=policy, CallerArn=user.arn)
    assert both["EvalDecision"] == "allowed" and both["EvalDecisionDetails"] == {"IAM Policy": "allowed", "Resource Policy": "allowed"}
    assert {matched["SourcePolicyType"] for matched in both["MatchedStatements"]} == {"IAM Policy", "Resource Policy"}


def test_what_is_true_of_a_principal_need_not_be_given(account):
    user = account.user(allow("s3:GetObject", "arn:aws:s3:::home/${aws:username}/*", {"StringEquals": {"aws:PrincipalTag/team": "red"}}), key=False, Tags=[{"Key": "team", "Value": "red"}])
    own = simulated(account, user.arn, "s3:GetObject", f"arn:aws:s3:::home/{user.name}/k", [])
    assert own["EvalDecision"] == "allowed" and own["MissingContextValues"] == []
    assert simulated(account, user.arn, "s3:GetObject", "arn:aws:s3:::home/other/k", [])["EvalDecision"] == "implicitDeny"
    instead = [{"ContextKeyName": "AWS:username", "ContextKeyValues": ["other"], "ContextKeyType": "string"}]
    assert simulated(account, user.arn, "s3:GetObject", "arn:aws:s3:::home/other/k", instead)["EvalDecision"] == "allowed", "what is given counts first"
    caller = account.user(key=False, Tags=[{"Key": "team", "Value": "blue"}])
    as_caller = simulated(account, user.arn, "s3:GetObject", f"arn:aws:s3:::home/{caller.name}/k", [], CallerArn=caller.arn)
    assert as_caller["EvalDecision"] == "implicitDeny", "the caller is of another team"


def test_a_user_who_was_made_again_is_not_whom_a_trust_policy_means(account):
    user = account.user(name="again", key=False)
    role = account.role(trusted=trust(user.arn))
    assert simulated(account, user.arn, "sts:AssumeRole", role.arn)["EvalDecision"] == "allowed"
    account.iam.delete_user(UserName="again")
    again = account.user(name="again", key=False)
    assert simulated(account, again.arn, "sts:AssumeRole", role.arn)["EvalDecision"] == "implicitDeny"


def test_the_simulator_shows_trust_to_nobody_without_its_right(account, nobody):
    role = account.role(trusted=trust(nobody.arn))
    with refused("AccessDenied"):
        nobody.iam.simulate_principal_policy(PolicySourceArn=nobody.arn, ActionNames=["sts:AssumeRole"], ResourceArns=[role.arn])


# Organizations.


@pytest.fixture(scope="module")
def organization(server):
    """A management account, and a member of it in a unit of its own."""
    made = Organization(server.account("simulated-management"))
    member = server.account("simulated-member")
    made.unit_of_member = made.unit()
    made.invite(member, made.unit_of_member)
    made.member = member
    return made


def test_what_an_organization_forbids_the_simulator_denies(organization):
    member = organization.member
    user = member.user(allow("*"), name="forbidden")
    assert simulated(member, user.arn, "iam:ListUsers", "*")["OrganizationsDecisionDetail"] == {"AllowedByOrganizations": True}
    scp = organization.attach(organization.scp(deny("iam:ListUsers")), organization.unit_of_member)
    with refused("AccessDenied"):
        user.iam.list_users()
    found = simulated(member, user.arn, "iam:ListUsers", "*")
    assert found["EvalDecision"] == "explicitDeny" and found["OrganizationsDecisionDetail"] == {"AllowedByOrganizations": False}
    assert found["MatchedStatements"] == [], "service control policies are not shown"
    left_out = simulated(member, user.arn, "iam:ListUsers", "*", PolicyExclusionList=[{"PolicyType": "scp"}])
    assert left_out["EvalDecision"] == "allowed" and left_out["OrganizationsDecisionDetail"] == {"AllowedByOrganizations": True}
    organization.detach(scp, organization.unit_of_member)
    user.iam.list_users()
    assert simulated(member, user.arn, "iam:ListUsers", "*")["EvalDecision"] == "allowed"


def test_what_an_organization_lays_on_a_resource_the_simulator_denies(organization):
    member = organization.member
    user = member.user(allow("sts:AssumeRole"), name="restricted")
    role = member.role(trusted=trust(member.id))
    rcp = organization.attach(organization.rcp(deny("sts:AssumeRole")), organization.unit_of_member)
    with refused("AccessDenied"):
        user.assume(role)
    found = simulated(member, user.arn, "sts:AssumeRole", role.arn)
    assert found["EvalDecision"] == "explicitDeny" and found["OrganizationsDecisionDetail"] == {"AllowedByOrganizations": False}
    assert simulated(member, user.arn, "sts:AssumeRole", role.arn, PolicyExclusionList=[{"PolicyType": "rcp"}])["EvalDecision"] == "allowed"
    organization.detach(rcp, organization.unit_of_member)
    user.assume(role)
    assert simulated(member, user.arn, "sts:AssumeRole", role.arn)["EvalDecision"] == "allowed"


def test_a_principals_organization_is_known_to_the_simulator(organization):
    member = organization.member
    user = member.user(allow("s3:GetObject", condition={"StringEquals": {"aws:PrincipalOrgID": organization.id}}), key=False, name="inside")
    found = simulated(member, user.arn, "s3:GetObject", "arn:aws:s3:::bucket/key", [])
    assert found["EvalDecision"] == "allowed" and found["MissingContextValues"] == []
