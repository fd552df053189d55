"""Every operation of Organizations and Account Management against AWS's own model: what it requires, and what each member must satisfy, is told
before permission, with AWS's reasons."""

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from harness.members import organization
from harness.models import constraints
from test_who_may_what_in_organizations import MODELS, OPERATIONS, value

CASES = pytest.mark.parametrize("service, name", OPERATIONS, ids=[f"{service}:{name}" for service, name in OPERATIONS])
REASONS = {"max": {"MAX_LENGTH_EXCEEDED", "MAX_VALUE_EXCEEDED"}, "min": {"MIN_LENGTH_EXCEEDED", "MIN_VALUE_EXCEEDED"}, "enum": {"INVALID_ENUM"}, "pattern": {"INVALID_PATTERN"},
           "missing": {"INPUT_REQUIRED"}, "token": {"INVALID_NEXT_TOKEN"}}


@pytest.fixture(scope="module")
def nobody(server):
    """A user without policies, of an account that manages an organization."""
    return organization(server, "shaping").management.user()


def good(service, name):
    shape = MODELS[service].operation_model(name).input_shape
    made = value(shape, name) if shape else {}
    return made | ({"Email": "walk@example.com"} if "Email" in made else {})


def refusal(caller, service, name, parameters):
    with pytest.raises(ClientError) as caught:
        getattr(caller.unchecked(service), xform_name(name))(**parameters)
    return caught.value.response


def told(answer, service, kind):
    """Whether the answer says of a request that it is not as the model says, and why."""
    expected = ("InvalidInputException", REASONS[kind]) if service == "organizations" else ("ValidationException", {"fieldValidationFailed"})
    # Organizations names the member behind the reason.
    reason = (answer.get("Reason") or answer.get("reason") or "").partition(":")[0]
    return (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]) == (expected[0], 400) and reason in expected[1]


@CASES
def test_each_constraint_of_the_model_is_held_and_told_with_its_reason(nobody, service, name):
    shape = MODELS[service].operation_model(name).input_shape
    failures = []

    def try_out(what, kind, parameters):
        answer = refusal(nobody, service, name, parameters)
        if not told(answer, service, kind):
            failures.append((what, kind, answer.get("Reason"), answer["Error"]))

    for member, held in shape.members.items() if shape else ():
        for kind, broken, _ in constraints(held):
            try_out(member, kind, {**good(service, name), member: broken})
        if member in shape.required_members:
            try_out(member, "missing", {known: given for known, given in good(service, name).items() if known != member})
        for inner, part in held.members.items() if held.type_name == "structure" else ():
            whole = good(service, name).get(member) or {}
            for kind, broken, _ in constraints(part):
                try_out(f"{member}.{inner}", kind, {**good(service, name), member: {**whole, inner: broken}})
    assert not failures, failures


PAGED = [case for case in OPERATIONS if "NextToken" in getattr(MODELS[case[0]].operation_model(case[1]).input_shape, "members", {})]


@pytest.fixture(scope="module")
def furnished(server):
    """An organization's client, and what a list may be asked about there."""
    made = organization(server, "furnished")
    member = made.create()
    made.client.enable_policy_type(RootId=made.root, PolicyType="TAG_POLICY")
    tags = {"Content": '{"tags":{"team":{"tag_key":{"@@assign":"Team"}}}}', "Type": "TAG_POLICY", "Name": "tags", "Description": ""}
    made.client.attach_policy(PolicyId=made.client.create_policy(**tags)["Policy"]["PolicySummary"]["Id"], TargetId=made.root)
    made.delegate(member)
    return made, {"ParentId": made.root, "ChildId": member, "TargetId": made.root, "PolicyId": "p-FullAWSAccess", "ResourceId": made.root, "AccountId": member,
                  "PolicyType": "TAG_POLICY", "Filter": "SERVICE_CONTROL_POLICY", "ChildType": "ACCOUNT"}


@pytest.mark.parametrize("service, name", PAGED, ids=[f"{service}:{name}" for service, name in PAGED])
def test_a_list_is_asked_about_what_is_there_and_its_token_must_be_one(furnished, service, name):
    made, there = furnished
    parameters = good(service, name)
    parameters |= {member: there[member] for member in parameters if member in there}
    if name == "ListHandshakesForAccount" or name == "ListHandshakesForOrganization":
        parameters.pop("Filter", None)
    if name == "ListEffectivePolicyValidationErrors":
        parameters["AccountId"] = there["AccountId"]
    client = made.management.root.unchecked(service)
    getattr(client, xform_name(name))(**parameters)
    for token in ("nonsense", "AAAA"):
        answer = refusal(made.management.root, service, name, {**parameters, "NextToken": token})
        assert told(answer, service, "token"), answer
