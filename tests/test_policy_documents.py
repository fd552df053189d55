"""What IAM refuses to save, in AWS's words; and the odd things that it accepts."""

import json
import re

import pytest

from harness.expecting import refused
from harness.principals import allow, fresh, trust

OK = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}


def text(*statements, **more):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements), **more})


def without(member, **more):
    return {name: value for name, value in OK.items() if name != member} | more


# Both are seen of AWS: the first for identity policies, the second for trust policies.
NO_JSON = re.compile(r"^(Syntax errors in policy\.|This policy contains invalid Json)$")

# (name of the case, document, AWS's message or None where no source gives it to the letter)
REFUSED = [
    ("no JSON", "not json", NO_JSON),
    ("empty object", "{}", None),
    ("trailing comma", '{"Version":"2012-10-17","Statement":[' + json.dumps(OK) + ",]}", NO_JSON),
    ("cut short", text(OK)[:-2], NO_JSON),
    ("something after the end", text(OK) + "{}", None),
    ("a list", "[" + text(OK) + "]", None),
    ("a comment", text(OK).replace("{", "{/* hi */", 1), NO_JSON),
    ("single quotes", text(OK).replace('"', "'"), NO_JSON),
    ("duplicate key", '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Effect":"Allow","Action":"*","Resource":"*"}]}', None),
    ("duplicate Statement", '{"Version":"2012-10-17","Statement":[],"Statement":[' + json.dumps(OK) + "]}", None),
    ("unknown element", text(OK | {"Effekt": "Allow"}), None),
    ("unknown top element", text(OK, Extra="1"), None),
    ("lower-case element", text(without("Effect", effect="Allow")), None),
    ("effect in lower case", text(OK | {"Effect": "allow"}), None),
    ("no effect", text(without("Effect")), None),
    ("no action", text(without("Action")), "Policy statement must contain actions."),
    ("no resource", text(without("Resource")), "Policy statement must contain resources."),
    ("both actions", text(OK | {"NotAction": "s3:*"}), None),
    ("both resources", text(OK | {"NotResource": "*"}), None),
    ("a principal", text(OK | {"Principal": "*"}), "Policy document should not specify a principal."),
    ("an id", text(OK, Id="mine"), None),
    ("unknown version", json.dumps({"Version": "2024-01-01", "Statement": [OK]}), None),
    ("action without service", text(OK | {"Action": "GetObject"}), "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."),
    ("action with two colons", text(OK | {"Action": "s3:Get:Object"}), "Actions/Condition can contain only one colon."),
    ("resource that is no ARN", text(OK | {"Resource": "bucket"}), 'Resource bucket must be in ARN format or "*".'),
    ("IAM resource with a region", text({"Effect": "Allow", "Action": "iam:*", "Resource": "arn:aws:iam:us-east-1:111122223333:user/x"}),
     "IAM resource ARN cannot contain region information."),
    ("the same Sid twice", text(OK | {"Sid": "A"}, OK | {"Sid": "A"}), "Statement IDs (SID) in a single policy must be unique."),
    ("a Sid with a dash", text(OK | {"Sid": "a-b"}),
     "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"),
    ("unknown operator", text(OK | {"Condition": {"StringEqual": {"aws:username": "x"}}}), None),
    ("operator in the wrong case", text(OK | {"Condition": {"stringequals": 1}}), None),
    ("condition that is a list", text(OK | {"Condition": []}), None),
    ("a date that is none", text(OK | {"Condition": {"DateLessThan": {"aws:CurrentTime": "tomorrow"}}}), None),
    ("an address that is none", text(OK | {"Condition": {"IpAddress": {"aws:SourceIp": "300.1.1.1"}}}), None),
    ("a number that is none", text(OK | {"Condition": {"NumericLessThan": {"s3:max-keys": "ten"}}}), None),
    ("Statement is a text", '{"Version":"2012-10-17","Statement":"all"}', None),
    ("Action is a number", text(OK | {"Action": 1}), None),
    ("Action is an object", text(OK | {"Action": {"a": "b"}}), None),
    ("Resource is null", text(OK | {"Resource": None}), None),
    ("nested lists", text(OK | {"Action": [["s3:*"]]}), None),
]


@pytest.mark.parametrize("policy, message", [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_an_identity_policy_is_refused(account, policy, message):
    with refused("MalformedPolicyDocument", message) as told:
        account.iam.create_policy(PolicyName=fresh("refused"), PolicyDocument=policy)
    assert told.message


def test_each_door_refuses_alike(account):
    """Users, groups, roles, versions and session policies ask the same parser."""
    iam, bad = account.iam, text(OK | {"Effect": "Maybe"})
    user, role, group, arn = account.user(allow("sts:*")), account.role(), account.group(), account.policy()
    for call in (
        lambda: iam.put_user_policy(UserName=user.name, PolicyName="p", PolicyDocument=bad),
        lambda: iam.put_role_policy(RoleName=role.name, PolicyName="p", PolicyDocument=bad),
        lambda: iam.put_group_policy(GroupName=group, PolicyName="p", PolicyDocument=bad),
        lambda: iam.create_policy_version(PolicyArn=arn, PolicyDocument=bad),
        lambda: user.assume(role, Policy=bad),
        lambda: user.federate("fed", Policy=bad),
    ):
        with refused("MalformedPolicyDocument"):
            call()


def test_characters_outside_the_grammar_are_shape_errors(account):
    with refused("ValidationError", re.compile("'policyDocument' failed to satisfy constraint: Member must satisfy regular expression pattern")):
        account.iam.create_policy(PolicyName=fresh("refused"), PolicyDocument=text(OK | {"Sid": "SID"}).replace("SID", "ラ"))


ACCEPTED = [
    ("a single statement", json.dumps({"Version": "2012-10-17", "Statement": OK})),
    ("no version", json.dumps({"Statement": [OK]})),
    ("the old version", json.dumps({"Version": "2008-10-17", "Statement": [OK]})),
    ("an empty Sid", text(OK | {"Sid": ""})),
    ("a misspelt service", text(OK | {"Action": "apigatway:PUT"})),
    ("two empty Sids", text(OK | {"Sid": ""}, OK | {"Sid": ""})),
    ("latin letters", text(OK | {"Resource": "arn:aws:s3:::b/NAME"}).replace("NAME", "üÿ")),
    ("tabs and line ends", text(OK).replace(" ", "\r\n\t")),
    ("escapes in strings", text(OK).replace("s3:GetObject", "s3:\\u0047etObject")),
    ("a bare star", text(OK | {"Action": "*"})),
    ("variables", text(OK | {"Resource": "arn:aws:s3:::b/${aws:username}/${aws:PrincipalTag/team, 'none'}"})),
    ("odd condition values", text(OK | {"Condition": {"Bool": {"aws:SecureTransport": True}, "NumericLessThan": {"s3:max-keys": 10}}})),
    ("a set operator", text(OK | {"Condition": {"ForAnyValue:StringLikeIfExists": {"aws:TagKeys": ["a*"]}}})),
]


@pytest.mark.parametrize("policy", [case[1] for case in ACCEPTED], ids=[case[0] for case in ACCEPTED])
def test_an_identity_policy_is_accepted_and_comes_back_as_it_was_sent(account, policy):
    user = account.user(key=False)
    account.iam.put_user_policy(UserName=user.name, PolicyName="p", PolicyDocument=policy)
    assert account.iam.get_user_policy(UserName=user.name, PolicyName="p")["PolicyDocument"] == json.loads(policy)


def trusting(**statement):
    base = {"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [{name: value for name, value in (base | statement).items() if value is not None}]})


@pytest.mark.parametrize("policy, message", [
    (trusting(Resource="*"), "Has prohibited field Resource"),
    (trusting(Action="s3:GetObject"), "AssumeRole policy may only specify STS AssumeRole actions."),
    (trusting(Principal=None), None),
    (trusting(Principal={"AWS": "12345"}), 'Invalid principal in policy: "AWS":"12345"'),
    (trusting(Principal={"Human": "alice"}), None),
    (trusting(Principal=None, NotPrincipal={"AWS": "111122223333"}), None),
    (trusting()[:-1] + ",}", "This policy contains invalid Json"),
    (trusting(Effect="allow"), None),
], ids=["a resource", "another service's action", "no principal", "a short account", "unknown kind", "NotPrincipal", "trailing comma", "effect in lower case"])
def test_a_trust_policy_is_refused(account, policy, message):
    with refused("MalformedPolicyDocument", message):
        account.iam.create_role(RoleName=fresh("role"), AssumeRolePolicyDocument=policy)
    role = account.role()
    with refused("MalformedPolicyDocument", message):
        account.iam.update_assume_role_policy(RoleName=role.name, PolicyDocument=policy)
    assert account.iam.get_role(RoleName=role.name)["Role"]["AssumeRolePolicyDocument"] == json.loads(trust(account.id))


def test_nothing_refused_is_kept(account):
    name = fresh("never")
    with refused("MalformedPolicyDocument"):
        account.iam.create_policy(PolicyName=name, PolicyDocument="{}")
    with refused("NoSuchEntity"):
        account.iam.get_policy(PolicyArn=account.arn(f"policy/{name}"))
