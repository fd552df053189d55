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


SYNTAX = "Syntax errors in policy."
LEGACY = "The policy failed legacy parsing"
NO_VENDOR = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
NO_ACTIONS, NO_RESOURCES = "Policy statement must contain actions.", "Policy statement must contain resources."
OLD = "Policy document must be version 2012-10-17 or greater."
IAM_PATH = (
    'IAM resource path must either be "*", root, or start with user/, federated-user/, role/, group/, instance-profile/, mfa/, server-certificate/, '
    "policy/, sms-mfa/, saml-provider/, oidc-provider/, report/, access-report/."
)


def on(resource, **more):
    """A statement on this resource."""
    return text(OK | {"Resource": resource} | more)


def when(operator, values, key="aws:CurrentTime"):
    return text(OK | {"Condition": {operator: {key: values}}})


# (name of the case, document, AWS's message or None where no source gives it to the letter). CreatePolicy of AWS was seen to say so.
REFUSED = [
    ("no JSON", "not json", SYNTAX),
    ("empty object", "{}", SYNTAX),
    ("trailing comma", '{"Version":"2012-10-17","Statement":[' + json.dumps(OK) + ",]}", SYNTAX),
    ("cut short", text(OK)[:-2], SYNTAX),
    ("something after the end", text(OK) + "{}", SYNTAX),
    ("a list", "[" + text(OK) + "]", SYNTAX),
    ("a comment", text(OK).replace("{", "{/* hi */", 1), SYNTAX),
    ("single quotes", text(OK).replace('"', "'"), SYNTAX),
    ("duplicate key", '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Effect":"Allow","Action":"*","Resource":"*"}]}', None),
    ("duplicate Statement", '{"Version":"2012-10-17","Statement":[],"Statement":[' + json.dumps(OK) + "]}", None),
    ("unknown element", text(OK | {"Effekt": "Allow"}), SYNTAX),
    ("unknown top element", text(OK, Extra="1"), SYNTAX),
    ("lower-case element", text(without("Effect", effect="Allow")), None),
    ("effect in lower case", text(OK | {"Effect": "allow"}), LEGACY),
    ("no effect", text(without("Effect")), SYNTAX),
    ("no action", text(without("Action")), NO_ACTIONS),
    ("no resource", text(without("Resource")), NO_RESOURCES),
    ("both actions", text(OK | {"NotAction": "s3:*"}), SYNTAX),
    ("both resources", text(OK | {"NotResource": "*"}), SYNTAX),
    ("a principal", text(OK | {"Principal": "*"}), "Policy document should not specify a principal."),
    ("an id that is a list", text(OK, Id=["mine"]), SYNTAX),
    ("unknown version", json.dumps({"Version": "2024-01-01", "Statement": [OK]}), SYNTAX),
    ("the old version", json.dumps({"Version": "2008-10-17", "Statement": [OK]}), OLD),
    ("no version", json.dumps({"Statement": [OK]}), OLD),
    ("no version and a wrong effect", json.dumps({"Statement": [OK | {"Effect": "denY"}]}), OLD),
    ("no statement", text(), SYNTAX),
    ("a statement that is a text", text("all"), SYNTAX),
    ("no word of an effect", text(OK | {"Effect": "Maybe"}), SYNTAX),
    ("an empty list of actions", text(OK | {"Action": []}), NO_ACTIONS),
    ("an empty list of resources", on([]), NO_RESOURCES),
    ("an effect alone", text({"Effect": "Deny"}, OK), NO_ACTIONS),
    ("an empty action", text({"Effect": "Allow", "NotAction": "", "Resource": "*"}), NO_VENDOR),
    ("a space in the vendor", text(OK | {"Action": "a a:List"}), "Vendor a a is not valid"),
    ("a bad action and no resource", text(without("Resource", Action="oops")), NO_RESOURCES),
    ("a bad action and a bad resource", on("oops", Action="s:3:List"), 'Resource oops must be in ARN format or "*".'),
    ("an empty resource", on(""), 'Resource  must be in ARN format or "*".'),
    ("another partition", on("a:bcd"), 'Partition "bcd" is not valid for resource "arn:bcd:*:*:*:*".'),
    ("no arn in front", on("aws:s3:::bucket"), 'Partition "s3" is not valid for resource "arn:s3:::bucket:*".'),
    ("a bad partition and a short ARN", on(["arn:error:s3:::b", "arn:error:s3::b"]), 'Partition "error" is not valid for resource "arn:error:s3:::b".'),
    ("an ARN that ends too soon", on("arn:aws:s3::bucket"), LEGACY),
    ("no action and an ARN that ends too soon", text(without("Action", Resource="arn:aws:s3::bucket")), LEGACY),
    ("nobody's resource", on("arn:aws::::bucket"), LEGACY),
    ("an ARN without a vendor", on("arn:aws"), "Resource vendor must be fully qualified and cannot contain regexes."),
    ("no resource of IAM", on("arn:aws:iam:::bucket"), IAM_PATH),
    ("a bucket with a region", on("arn:aws:s3:us-east-1::bucket"), "Resource arn:aws:s3:us-east-1::bucket can not contain region information."),
    ("a bad partition and a bad date", text(OK | {"Resource": "arn:error:s3:::b", "Condition": {"DateEquals": {"a": "no"}}}), LEGACY),
    ("the same Sid twice and no action", text(OK | {"Sid": "A"}, {"Sid": "A", "Effect": "Allow"}), "Statement IDs (SID) in a single policy must be unique."),
    ("the same Sid twice and a wrong effect", text(OK | {"Sid": "A", "Effect": "aLLow"}, {"Sid": "A", "Effect": "Allow"}), LEGACY),
    ("the thirteenth month", when("DateLessThanEquals", "234-13"), LEGACY),
    ("a zone of one digit", when("DateLessThanEquals", "2016-12-13t2:00:00.593194+1"), LEGACY),
    ("more than nanoseconds", when("DateLessThanEquals", "2016-12-13t2:00:00.1999999999+10:59"), LEGACY),
    ("a date beyond all", when("DateLessThan", "9223372036854775808"), LEGACY),
    ("an operator with two colons", when("ForAnyValue::StringEqualsIfExists", "a"), SYNTAX),
    ("a condition that is a text", text(OK | {"Condition": "a"}), SYNTAX),
    ("an operator that is a text", text(OK | {"Condition": {"DateGreaterThan": "b"}}), SYNTAX),
    ("a value that is an object", when("DateGreaterThan", {}), SYNTAX),
    ("a Sid that is an object", text(OK | {"Sid": {}}), SYNTAX),
    ("action without service", text(OK | {"Action": "GetObject"}), NO_VENDOR),
    ("action with two colons", text(OK | {"Action": "s3:Get:Object"}), "Actions/Condition can contain only one colon."),
    ("resource that is no ARN", text(OK | {"Resource": "bucket"}), 'Resource bucket must be in ARN format or "*".'),
    ("IAM resource with a region", text({"Effect": "Allow", "Action": "iam:*", "Resource": "arn:aws:iam:us-east-1:111122223333:user/x"}),
     "IAM resource arn:aws:iam:us-east-1:111122223333:user/x cannot contain region information."),
    ("the same Sid twice", text(OK | {"Sid": "A"}, OK | {"Sid": "A"}), "Statement IDs (SID) in a single policy must be unique."),
    ("a Sid with a dash", text(OK | {"Sid": "a-b"}),
     "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"),
    ("unknown operator", text(OK | {"Condition": {"StringEqual": {"aws:username": "x"}}}), SYNTAX),
    ("operator in the wrong case", text(OK | {"Condition": {"stringequals": 1}}), SYNTAX),
    ("condition that is a list", text(OK | {"Condition": []}), SYNTAX),
    ("a date that is none", text(OK | {"Condition": {"DateLessThan": {"aws:CurrentTime": "tomorrow"}}}), LEGACY),
    ("an address that is none", text(OK | {"Condition": {"IpAddress": {"aws:SourceIp": "300.1.1.1"}}}), None),
    ("a number that is none", text(OK | {"Condition": {"NumericLessThan": {"s3:max-keys": "ten"}}}), None),
    ("Statement is a text", '{"Version":"2012-10-17","Statement":"all"}', SYNTAX),
    ("Action is a number", text(OK | {"Action": 1}), None),
    ("Action is an object", text(OK | {"Action": {"a": "b"}}), SYNTAX),
    ("Resource is null", text(OK | {"Resource": None}), None),
    ("nested lists", text(OK | {"Action": [["s3:*"]]}), SYNTAX),
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
    ("an id", text(OK, Id="mine")),
    ("an empty Sid", text(OK | {"Sid": ""})),
    ("spaces in an action", text(OK | {"Action": "iam: as it were "})),
    ("a dot in a vendor", text(OK | {"Action": "s3.s:ListBucket"})),
    ("a service that nobody knows", on("arn:aws:s33:::bucket")),
    ("an ARN that says little", on("arn:aws:lambda")),
    ("an access point", on("arn:aws:s3:us-west-2:123456789012:accesspoint/mine")),
    ("an empty condition", text(OK | {"Condition": {}})),
    ("an operator without keys", text(OK | {"Condition": {"x": {}, "y": {}}})),
    ("a key without values", when("DateGreaterThan", [])),
    ("a key without a vendor", when("StringEqualsIfExists", "asf", key="a")),
    ("a date that is hardly one", when("DateGreaterThan", "01T")),
    ("a zone of hours", when("DateLessThanEquals", "2016-12-13t2:00:00.593194+23")),
    ("long ago", when("DateLessThan", "-292275054")),
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
