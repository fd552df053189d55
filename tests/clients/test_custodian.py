"""Cloud Custodian's check-permissions, which asks the policy simulator about every user, role and group."""

import json

import pytest
from conftest import HERE, USERS, run, tool

PEOPLE = {f"user-{number:02}" for number in range(USERS)}
FOUND = {
    "may-create-users": {"admin", "creator"},
    "may-create-users-but-for-boundaries": {"admin", "creator", "bounded"},
    "may-not-delete-objects": {"creator", "bounded"} | PEOPLE - {f"user-{number:02}" for number in range(10)},
    "administrators": {"admin"},
    "roles-that-read-objects": {"deploy"},
    "groups-that-read-objects": {"readers"},
}


@pytest.fixture(scope="module")
def found(seeded, tmp_path_factory):
    """The names of what each policy finds."""
    home = tmp_path_factory.mktemp("home")
    command = [tool("custodian", "custodian"), "run", "--region", "us-east-1", "--cache-period", "0", "--output-dir", home / "out", HERE / "custodian" / "policies.yml"]
    run(command, seeded.environment(home) | {"C7N_DISABLE_ACCOUNT": "yes"}, home)
    told = {}
    for path in (home / "out").glob("*/resources.json"):
        names = ("UserName", "RoleName", "GroupName")
        told[path.parent.name] = {next(resource[name] for name in names if name in resource) for resource in json.loads(path.read_text())}
    return told


@pytest.mark.timeout(200)
@pytest.mark.parametrize("policy", FOUND)
def test_a_policy_finds_whom_the_engine_would_let(found, policy):
    assert found[policy] == FOUND[policy]
