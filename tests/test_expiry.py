"""Sessions end when their time is over, and what counts time counts it. The server's clock is turned; the clients' is real."""

import pytest

from harness.preloaded import turned_server
from harness.expecting import refused
from harness.principals import allow, document

EXPIRED = "The security token included in the request is expired"


@pytest.fixture(scope="module")
def turned(tmp_path_factory):
    """Sessions are issued 400 s before now and looked at 600 s after: 900 s are over, and signatures are still within 15 minutes."""
    server = turned_server(tmp_path_factory.mktemp("clock"))
    server.turn(-400)
    server.start()
    account = server.first_account()
    user = account.user(allow("sts:*"))
    role = account.role(allow("iam:ListUsers"))
    sessions = {
        "AssumeRole": user.assume(role, DurationSeconds=900),
        "GetSessionToken": user.session_token(DurationSeconds=900),
        "GetFederationToken": user.federate("fed", DurationSeconds=900, Policy=document(allow("*"))),
    }
    longer = {
        "AssumeRole": user.assume(role, DurationSeconds=1200),
        "GetSessionToken": user.session_token(DurationSeconds=1200),
        "GetFederationToken": user.federate("fed", DurationSeconds=1200, Policy=document(allow("*"))),
    }
    for session in (*sessions.values(), *longer.values()):
        session.identity()
    server.turn(600)
    yield sessions, longer, account
    server.kill()


@pytest.mark.parametrize("kind", ["AssumeRole", "GetSessionToken", "GetFederationToken"])
def test_an_expired_session_is_refused_with_its_own_code(turned, kind):
    sessions, longer, _ = turned
    with refused("ExpiredToken", EXPIRED):
        sessions[kind].sts.get_caller_identity()
    longer[kind].identity()


def test_an_expired_session_is_refused_everywhere(turned):
    session = turned[0]["AssumeRole"]
    with refused("ExpiredToken", EXPIRED):
        session.iam.list_users()


def test_an_expired_sessions_wrong_signature_is_not_told_that_it_expired_only(turned):
    """Whoever cannot sign learns nothing but that."""
    session = turned[0]["AssumeRole"]
    forged = type(session)(session.server, session.key_id, "x" * 40, session.token)
    with pytest.raises(forged.sts.exceptions.ClientError) as caught:
        forged.sts.get_caller_identity()
    assert caught.value.response["Error"]["Code"] in {"SignatureDoesNotMatch", "ExpiredToken"}


def test_current_time_is_the_servers(turned):
    account = turned[2]
    before, after = account.user(allow("iam:ListUsers", condition={"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}})), account.user(
        allow("iam:ListUsers", condition={"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}))
    after.iam.list_users()
    with refused("AccessDenied"):
        before.iam.list_users()
