"""What the report of coverage excuses is held to AWS's models, so that no excuse outlives what it was for."""

import botocore.session
import pytest

from coverage_report import SERVICES, codes, members
from harness import facts


@pytest.fixture(scope="module")
def possible():
    """Everything that could be seen: each member of each answer, and each error of the model."""
    session = botocore.session.get_session()
    models = [session.get_service_model(service) for service in SERVICES]
    operations = [model.operation_model(name) for model in models for name in model.operation_names]
    return {
        f"{operation.service_model.service_name} {operation.name} {each}"
        for operation in operations
        for each in (*members(operation.output_shape), *codes(operation))
    }


def test_every_excuse_is_for_something_in_awss_models(possible):
    idle = [pattern for pattern, *_ in facts.patterns() if not any(facts.stands_for(pattern, name) for name in possible)]
    assert idle == []


def test_every_excuse_has_a_reason_and_a_public_place():
    assert all(because.endswith(".") and source.startswith("https://") for _, _, because, source in facts.patterns())


@pytest.mark.parametrize("name, kind", [
    ("iam ListUsers Users.Tags", "never"),
    ("iam ListUsers Users.Tags.Key", "never"),
    ("iam ListUsers Users.PasswordLastUsed", "elsewhere"),
    ("iam CreateUser User.PasswordLastUsed", "never"),
    ("iam GetUser User.Tags", None),
    ("iam ListUsers !NoSuchEntity", None),
])
def test_an_excuse_is_for_its_member_and_what_is_below(name, kind):
    assert facts.kind_of(name) == kind
