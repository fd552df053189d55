"""Service-specific credentials: made, listed, reset, switched off, expired, deleted; who may, and for which service."""

import base64
import datetime
import re

import pytest

from harness.expecting import denial, refused
from harness.principals import allow, body, deny, fresh

GIT, CASSANDRA, BEDROCK, LOGS = "codecommit.amazonaws.com", "cassandra.amazonaws.com", "bedrock.amazonaws.com", "logs.amazonaws.com"
NONE = "ACCAWALKNONEWALKNONE1"
UNSUPPORTED = "No such service {} is supported for Service Specific Credentials"


def make(account, user, service=GIT, **more):
    return account.iam.create_service_specific_credential(UserName=user.name, ServiceName=service, **more)["ServiceSpecificCredential"]


def listed(account, **parameters):
    return account.iam.list_service_specific_credentials(**parameters)["ServiceSpecificCredentials"]


@pytest.fixture
def user(account):
    return account.user(key=False)


@pytest.mark.parametrize("service", [GIT, CASSANDRA])
def test_create_answers_a_user_name_and_a_password(account, user, service):
    reply = account.iam.create_service_specific_credential(UserName=user.name, ServiceName=service)
    assert set(body(reply)) == {"ServiceSpecificCredential"}
    made = reply["ServiceSpecificCredential"]
    assert set(made) == {"CreateDate", "ServiceName", "ServiceUserName", "ServicePassword", "ServiceSpecificCredentialId", "UserName", "Status"}
    assert made["ServiceUserName"] == f"{user.name}-at-{account.id}"
    assert (made["ServiceName"], made["UserName"], made["Status"]) == (service, user.name, "Active")
    assert re.fullmatch(r"ACCA[A-Z2-7]{17}", made["ServiceSpecificCredentialId"])
    assert re.fullmatch(r"[A-Za-z0-9+/]{60}", made["ServicePassword"])
    (shown,) = listed(account, UserName=user.name)
    assert shown == {name: value for name, value in made.items() if name != "ServicePassword"}


@pytest.mark.parametrize("service, mark", [(BEDROCK, "ABSK"), (LOGS, "ACWL")])
def test_an_api_key_is_alias_and_secret_behind_its_services_mark(account, user, service, mark):
    made = make(account, user, service)
    assert set(made) == {"CreateDate", "ServiceName", "ServiceCredentialAlias", "ServiceCredentialSecret", "ServiceSpecificCredentialId", "UserName", "Status"}
    assert made["ServiceCredentialAlias"] == f"{user.name}-at-{account.id}"
    assert made["ServiceCredentialSecret"].startswith(mark)
    alias, _, secret = base64.b64decode(made["ServiceCredentialSecret"][4:]).decode().partition(":")
    assert alias == made["ServiceCredentialAlias"] and len(secret) == 60
    (shown,) = listed(account, UserName=user.name)
    assert shown == {name: value for name, value in made.items() if name != "ServiceCredentialSecret"}


@pytest.mark.parametrize("service", [GIT, BEDROCK])
def test_an_age_says_when_it_ends(account, user, service):
    made = make(account, user, service, CredentialAgeDays=30)
    assert made["ExpirationDate"] - made["CreateDate"] == datetime.timedelta(days=30)
    (shown,) = listed(account, UserName=user.name)
    assert shown["ExpirationDate"] == made["ExpirationDate"]


def test_the_second_one_has_a_number_and_a_third_is_refused(account, user):
    first, second = make(account, user), make(account, user)
    assert second["ServiceUserName"] == f"{user.name}+1-at-{account.id}"
    assert first["ServicePassword"] != second["ServicePassword"]
    with refused("LimitExceeded", "Cannot exceed quota for ContextSpecificCredentialsPerUserPerContext: 2"):
        make(account, user)
    make(account, user, CASSANDRA)
    account.iam.delete_service_specific_credential(UserName=user.name, ServiceSpecificCredentialId=first["ServiceSpecificCredentialId"])
    assert make(account, user)["ServiceUserName"] == f"{user.name}-at-{account.id}", "its number is free again"


def test_two_users_never_have_one_name(account):
    """`alice`'s second would be called as the first of a user `alice+1`."""
    name = fresh("twin")
    alice, other = account.user(name=name, key=False), account.user(name=f"{name}+1", key=False)
    names = [make(account, other)["ServiceUserName"], make(account, alice)["ServiceUserName"], make(account, alice)["ServiceUserName"]]
    assert names == [f"{name}+1-at-{account.id}", f"{name}-at-{account.id}", f"{name}+2-at-{account.id}"]


def test_a_credential_keeps_its_name_when_its_user_gets_another(account, user):
    made, new = make(account, user), fresh("renamed")
    account.iam.update_user(UserName=user.name, NewUserName=new)
    (shown,) = listed(account, UserName=new)
    assert (shown["UserName"], shown["ServiceUserName"]) == (new, made["ServiceUserName"])
    successor = account.user(name=user.name, key=False)
    assert make(account, successor)["ServiceUserName"] == f"{user.name}+1-at-{account.id}"


def test_a_list_can_be_of_one_service_or_of_all_users(account, user):
    another = account.user(key=False)
    git, cassandra, theirs = make(account, user), make(account, user, CASSANDRA), make(account, another)
    ids = lambda **parameters: {each["ServiceSpecificCredentialId"] for each in listed(account, **parameters)}
    assert ids(UserName=user.name) == {git["ServiceSpecificCredentialId"], cassandra["ServiceSpecificCredentialId"]}
    assert ids(UserName=user.name, ServiceName=GIT) == {git["ServiceSpecificCredentialId"]}
    assert ids(UserName=user.name, ServiceName=BEDROCK) == set()
    assert ids(AllUsers=True, ServiceName=GIT) >= {git["ServiceSpecificCredentialId"], theirs["ServiceSpecificCredentialId"]}
    assert cassandra["ServiceSpecificCredentialId"] not in ids(AllUsers=True, ServiceName=GIT)
    names = {each["ServiceSpecificCredentialId"]: each["UserName"] for each in listed(account, AllUsers=True)}
    assert names[theirs["ServiceSpecificCredentialId"]] == another.name
    with refused("ValidationError"):
        listed(account, AllUsers=True, UserName=user.name)


def test_a_list_of_all_users_stays_in_its_account(account, other_account):
    stranger = make(other_account, other_account.user(key=False))
    assert stranger["ServiceSpecificCredentialId"] not in {each["ServiceSpecificCredentialId"] for each in listed(account, AllUsers=True)}


def test_lists_are_paged(account, user):
    made = {make(account, user, service)["ServiceSpecificCredentialId"] for service in (GIT, CASSANDRA, BEDROCK, LOGS)}
    seen, marker = [], {}
    while True:
        page = account.iam.list_service_specific_credentials(UserName=user.name, MaxItems=1, **marker)
        seen += [each["ServiceSpecificCredentialId"] for each in page["ServiceSpecificCredentials"]]
        if not page["IsTruncated"]:
            break
        marker = {"Marker": page["Marker"]}
    assert len(seen) == 4 and set(seen) == made
    with refused("ValidationError"):
        account.iam.list_service_specific_credentials(UserName=user.name, Marker="nonsense!")


def test_reset_gives_a_new_secret_and_nothing_else(account, user):
    made = make(account, user, CredentialAgeDays=3)
    one = {"UserName": user.name, "ServiceSpecificCredentialId": made["ServiceSpecificCredentialId"]}
    account.iam.update_service_specific_credential(Status="Inactive", **one)
    again = account.iam.reset_service_specific_credential(**one)["ServiceSpecificCredential"]
    assert again.pop("ServicePassword") != made.pop("ServicePassword")
    assert again == {**made, "Status": "Inactive"}


def test_reset_of_an_api_key_gives_a_new_api_key(account, user):
    made = make(account, user, BEDROCK)
    again = account.iam.reset_service_specific_credential(UserName=user.name, ServiceSpecificCredentialId=made["ServiceSpecificCredentialId"])
    assert again["ServiceSpecificCredential"]["ServiceCredentialSecret"] != made["ServiceCredentialSecret"]


def test_status_is_switched_and_expired_cannot_be_set(account, user):
    one = {"UserName": user.name, "ServiceSpecificCredentialId": make(account, user)["ServiceSpecificCredentialId"]}
    assert body(account.iam.update_service_specific_credential(Status="Inactive", **one)) == {}
    assert listed(account, UserName=user.name)[0]["Status"] == "Inactive"
    account.iam.update_service_specific_credential(Status="Active", **one)
    assert listed(account, UserName=user.name)[0]["Status"] == "Active"
    with refused("InvalidInput"):
        account.iam.update_service_specific_credential(Status="Expired", **one)
    with refused("ValidationError", "1 validation error detected: Value at 'status' failed to satisfy constraint: Member must satisfy enum value set"):
        account.root.unchecked().update_service_specific_credential(Status="Invalid", ServiceSpecificCredentialId=one["ServiceSpecificCredentialId"])


def test_delete_takes_it_away(account, user):
    one = {"UserName": user.name, "ServiceSpecificCredentialId": make(account, user)["ServiceSpecificCredentialId"]}
    assert body(account.iam.delete_service_specific_credential(**one)) == {}
    assert listed(account, UserName=user.name) == []
    with refused("NoSuchEntity", f"No such credential {one['ServiceSpecificCredentialId']} exists"):
        account.iam.delete_service_specific_credential(**one)


CHANGES = [("reset", {}), ("update", {"Status": "Active"}), ("delete", {})]


@pytest.mark.parametrize("change, more", CHANGES, ids=[change for change, _ in CHANGES])
def test_shape_comes_before_the_user_and_the_user_before_the_credential(account, user, change, more):
    call = getattr(account.root.unchecked(), f"{change}_service_specific_credential")
    bad = "-" * 21
    words = r"1 validation error detected: Value at 'serviceSpecificCredentialId' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w]+"
    with refused("ValidationError", words):
        call(UserName="nobody-there", ServiceSpecificCredentialId=bad, **more)
    with refused("NoSuchEntity", "The user with name nobody-there cannot be found."):
        call(UserName="nobody-there", ServiceSpecificCredentialId=NONE, **more)
    stranger = make(account, account.user(key=False))["ServiceSpecificCredentialId"]
    with refused("ValidationError", f"User {user.name} does not have a service specific credential with id {stranger}"):
        call(UserName=user.name, ServiceSpecificCredentialId=stranger, **more)
    for missing in (NONE, "not_an_id_at_all_but_well_formed"):
        with refused("NoSuchEntity", f"No such credential {missing} exists"):
            call(UserName=user.name, ServiceSpecificCredentialId=missing, **more)


@pytest.mark.parametrize("service", ["lambda.amazonaws.com", "nonsense", "codecommit"])
def test_the_user_comes_before_the_service(account, user, service):
    for name in (GIT, service):
        with refused("NoSuchEntity", "The user with name nobody-there cannot be found."):
            account.iam.create_service_specific_credential(UserName="nobody-there", ServiceName=name)
    with refused("NoSuchEntity", UNSUPPORTED.format(service)):
        account.iam.create_service_specific_credential(UserName=user.name, ServiceName=service)
    with refused("NoSuchEntity", UNSUPPORTED.format(service)):
        listed(account, UserName=user.name, ServiceName=service)


def test_a_user_with_a_credential_is_not_deleted(account, user):
    made = make(account, user)
    with refused("DeleteConflict", "Cannot delete entity, must remove referenced objects first."):
        account.iam.delete_user(UserName=user.name)
    account.iam.delete_service_specific_credential(UserName=user.name, ServiceSpecificCredentialId=made["ServiceSpecificCredentialId"])
    account.iam.delete_user(UserName=user.name)


def test_without_a_name_they_are_the_callers_own(account):
    user = account.user(allow("iam:*"))
    made = make(account, user)["ServiceSpecificCredentialId"]
    assert [each["ServiceSpecificCredentialId"] for each in user.iam.list_service_specific_credentials()["ServiceSpecificCredentials"]] == [made]
    user.iam.update_service_specific_credential(ServiceSpecificCredentialId=made, Status="Inactive")
    user.iam.reset_service_specific_credential(ServiceSpecificCredentialId=made)
    user.iam.delete_service_specific_credential(ServiceSpecificCredentialId=made)
    assert body(account.iam.list_service_specific_credentials()) == {"ServiceSpecificCredentials": [], "IsTruncated": False}, "root has none"
    session = account.user(allow("sts:AssumeRole")).assume(account.role(allow("*")))
    with refused("ValidationError", "Must specify userName when calling with non-User credentials"):
        session.iam.list_service_specific_credentials()


def test_conditions_see_service_and_age(account, user):
    short = allow("iam:CreateServiceSpecificCredential", condition={
        "StringEquals": {"iam:ServiceSpecificCredentialServiceName": BEDROCK}, "NumericLessThanEquals": {"iam:ServiceSpecificCredentialAgeDays": "90"}})
    maker = account.user(short)
    call = maker.iam.create_service_specific_credential
    call(UserName=user.name, ServiceName=BEDROCK, CredentialAgeDays=90)
    wanted = denial(maker.arn, "iam:CreateServiceSpecificCredential", (f"user {user.name}", user.arn))
    for parameters in ({"ServiceName": BEDROCK, "CredentialAgeDays": 91}, {"ServiceName": BEDROCK}, {"ServiceName": GIT, "CredentialAgeDays": 1}):
        with refused("AccessDenied", wanted):
            call(UserName=user.name, **parameters)


def test_another_spelling_of_a_service_slips_past_no_denial(account, user):
    careful = account.user(allow("iam:*"), deny("iam:CreateServiceSpecificCredential", condition={"StringEquals": {"iam:ServiceSpecificCredentialServiceName": GIT}}))
    for spelling in (GIT, "CodeCommit.amazonaws.com", GIT.upper()):
        with refused("AccessDenied"):
            careful.iam.create_service_specific_credential(UserName=user.name, ServiceName=spelling)
    careful.iam.create_service_specific_credential(UserName=user.name, ServiceName=CASSANDRA)


@pytest.mark.parametrize("change, more", CHANGES, ids=[change for change, _ in CHANGES])
def test_conditions_see_the_service_of_a_credential_that_is_there(account, user, change, more):
    action = f"iam:{change.capitalize()}ServiceSpecificCredential"
    git, bedrock = make(account, user), make(account, user, BEDROCK)
    keeper = account.user(allow(action, condition={"StringEquals": {"iam:ServiceSpecificCredentialServiceName": BEDROCK}}))
    call = getattr(keeper.iam, f"{change}_service_specific_credential")
    for other in (git["ServiceSpecificCredentialId"], NONE):
        with refused("AccessDenied", denial(keeper.arn, action, (f"user {user.name}", user.arn))):
            call(UserName=user.name, ServiceSpecificCredentialId=other, **more)
    # The right on one user's credential does not come with another user's name.
    with refused("AccessDenied"):
        call(UserName=account.user(key=False).name, ServiceSpecificCredentialId=bedrock["ServiceSpecificCredentialId"], **more)
    call(UserName=user.name, ServiceSpecificCredentialId=bedrock["ServiceSpecificCredentialId"], **more)


def test_a_right_on_one_user_is_none_on_all_users(account, user):
    one = account.user(allow("iam:ListServiceSpecificCredentials", user.arn))
    one.iam.list_service_specific_credentials(UserName=user.name)
    with refused("AccessDenied"):
        one.iam.list_service_specific_credentials(AllUsers=True)
    every = account.user(allow("iam:ListServiceSpecificCredentials", account.arn("user/*")))
    every.iam.list_service_specific_credentials(AllUsers=True)


def test_secrets_are_told_once_and_kept_nowhere(account, user):
    made = [make(account, user), make(account, user, BEDROCK)]
    account.iam.reset_service_specific_credential(UserName=user.name, ServiceSpecificCredentialId=made[0]["ServiceSpecificCredentialId"])
    trail = account.server.trail()
    assert made[0]["ServiceSpecificCredentialId"] in trail, "the events are there"
    shown = trail + str(listed(account, UserName=user.name))
    for secret in (made[0]["ServicePassword"], made[1]["ServiceCredentialSecret"], base64.b64decode(made[1]["ServiceCredentialSecret"][4:]).decode().partition(":")[2]):
        assert secret not in shown
        for path in account.server.data_dir.rglob("*"):
            assert not path.is_file() or secret.encode() not in path.read_bytes(), path
