"""Every operation against AWS's own model: that it is there, what it requires, and what each member must satisfy."""

import re

import pytest

from harness import models
from harness.expecting import NOT_NULL
from harness.signing import query

ALL = [(service, name) for service, names in models.PROMISED.items() for name in names]
REST = [(service, name) for service in ("iam", "sts") for name in models.MODELS[service].operation_names if name not in models.PROMISED[service]]


def named(cases):
    return [":".join(str(part) for part in case) for case in cases]


def test_every_promised_operation_is_awss(account):
    for service, name in ALL:
        assert name in models.MODELS[service].operation_names


@pytest.mark.parametrize("service, name", REST, ids=named(REST))
def test_what_is_not_implemented_answers_invalid_action(account, service, name):
    reply = query(account.root, service, name).send()
    assert (reply.status, reply.code) == (400, "InvalidAction"), reply
    assert reply.message == f"Could not find operation {name} for version {models.MODELS[service].api_version}"


REQUIRING = [case for case in ALL if models.required(*case)]


@pytest.mark.parametrize("service, name", REQUIRING, ids=named(REQUIRING))
def test_missing_members_are_all_told(account, nobody, service, name):
    """Without any parameter: one complaint for each member that the model requires, and no other. Told before permission."""
    reply = query(nobody, service, name).send()
    assert (reply.status, reply.code) == (400, "ValidationError"), reply
    told = set(re.findall(r"Value (?:null )?at '(\w+)' failed to satisfy constraint: " + NOT_NULL, reply.message))
    assert told == {models.wire_name(member) for member in models.required(service, name)}
    count = len(told)
    assert reply.message.startswith(f"{count} validation error{'s' if count > 1 else ''} detected: ")


# Members whose violations AWS words by a rule of its own, or that have none that could be caused.
OWN_WORDS = re.compile(
    r"^\d+ validation errors? detected: |^The specified value for \w+ is invalid\. |^Invalid ARN:  Could not be parsed!$|^ARN .* is not valid\.$|^.* is invalid$|^Invalid length|^Invalid Marker", re.DOTALL)


def breakable():
    for service, name in ALL:
        for member, shape in models.members(service, name).items():
            for kind, value, words in models.constraints(shape):
                yield service, name, member, kind, value, words


BREAKABLE = list(breakable())


@pytest.mark.parametrize("service, name", ALL, ids=named(ALL))
def test_each_constraint_of_the_model_is_held(account, nobody, service, name):
    """A value that breaks one constraint of one member, everything else good: ValidationError that names the member and the constraint."""
    good = models.arguments(service, name, account.id)
    failures = []
    for _, _, member, kind, value, words in (case for case in BREAKABLE if case[:2] == (service, name)):
        reply = query(nobody, service, name, flat({**good, member: value})).send()
        where = f"{member} {kind} {str(value)[:20]!r}"
        if (reply.status, reply.code) != (400, "ValidationError"):
            failures.append(f"{where}: {reply.status} {reply.code} {(reply.message or '')[:120]}")
        elif kind in {"max", "min"} and "arn" not in member.lower() and "boundary" not in member.lower() and member != "VersionId":
            if f"at '{models.wire_name(member)}' failed to satisfy constraint: {words}" not in reply.message:
                failures.append(f"{where}: {reply.message[:200]}")
        elif not OWN_WORDS.search(reply.message):
            failures.append(f"{where}: {reply.message[:200]}")
    assert not failures, "\n".join(failures)


def flat(parameters, prefix=""):
    """Parameters as the Query protocol writes them."""
    out = {}
    for name, value in parameters.items():
        key = prefix + name
        if isinstance(value, list):
            for index, each in enumerate(value, 1):
                out |= flat(each, f"{key}.member.{index}.") if isinstance(each, dict) else {f"{key}.member.{index}": each}
        elif isinstance(value, dict):
            out |= flat(value, key + ".")
        elif isinstance(value, bool):
            out[key] = "true" if value else "false"
        else:
            out[key] = value
    return out


# Calling it twice is the same call.
REPEATABLE = [(service, name) for service, name in ALL if name.startswith(("Get", "List", "Simulate", "Tag", "Untag", "Attach", "Detach", "Put", "Remove", "Set", "Decode"))]


@pytest.mark.parametrize("service, name", REPEATABLE, ids=named(REPEATABLE))
def test_unknown_parameters_are_ignored(account, service, name):
    """As AWS does: a newer client's parameter is no error. Told by the same outcome with and without it."""
    good = flat(models.arguments(service, name, account.id))
    plain, more = query(account.root, service, name, good).send(), query(account.root, service, name, {**good, "NewParameter": "1", "Future.member.1.Key": "x"}).send()
    assert (plain.status, plain.code) == (more.status, more.code)
    assert plain.status < 500


def test_every_output_can_be_parsed_with_every_optional_member_left_out(account):
    """Lists are there even when empty; boto3 raises KeyError otherwise. For operations that need no argument."""
    for name in models.PROMISED["iam"]:
        if models.required("iam", name) or not name.startswith(("List", "Get")) or name in {"GetAccountPasswordPolicy", "GetLoginProfile", "GetCredentialReport", "GetOutboundWebIdentityFederationInfo", "ListOrganizationsFeatures"}:  # there are none
            continue
        reply = getattr(account.iam, models.python_name(name))()
        shape = models.operation("iam", name).output_shape
        for member, kind in shape.members.items():
            if kind.type_name == "list" or member == "IsTruncated":
                assert member in reply, f"{name}.{member}"
