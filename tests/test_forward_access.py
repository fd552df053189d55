"""Forward access sessions: a service acts with its caller's permissions, as far as the caller's own request lets it, and no further."""

import json
import time

import pytest

from harness import ledger
from harness.asking import HOST, ask, check, decide, post, presigned_request, signed_request, unsigned_request
from harness.expecting import refused
from harness.preloaded import turned_server
from harness.principals import Principal, allow, deny, document, trust
from harness.services import registered
from harness.signing import clock
from test_authorize_streaming import Upload
from test_trail import event, events

ALLOWED, IMPLICIT, EXPLICIT = "Allowed", "ImplicitlyDenied", "ExplicitlyDenied"
SECOND = "second.example:9000"


@pytest.fixture(scope="module")
def first(server):
    return registered(server, "first.example.internal", HOST)


@pytest.fixture(scope="module")
def second(server):
    return registered(server, "second.example.internal", SECOND)


@pytest.fixture(scope="module")
def mine(account):
    return check(resourceAccount=account.id)


@pytest.fixture(scope="module")
def alice(account):
    return account.user(allow(["s3:GetObject", "iam:ListUsers"]), name="alice")


def test_a_service_acts_with_its_callers_permissions_and_no_others(account, first, alice, mine):
    acting = first.act_for(signed_request(alice), mine)
    assert acting.identity() == {"UserId": alice.unique_id, "Account": account.id, "Arn": alice.arn}
    acting.iam.list_users()
    with refused("AccessDenied"):
        acting.iam.list_roles()


def test_a_delegation_ends_soon(server, first, alice, mine):
    made = ask(first, signed_request(alice), mine, delegate=True)["delegation"]
    first.delegated(made)
    left = time.mktime(time.strptime(made["expiration"], "%Y-%m-%dT%H:%M:%SZ")) - time.mktime(time.gmtime())
    assert 880 < left <= 901
    assert made["accessKeyId"].startswith("ASIA") and len(made["sessionToken"]) <= 4096 and set(made) == {"accessKeyId", "sessionToken", "expiration"}


def test_without_a_caller_who_may_there_is_no_delegation(account, first, alice, mine):
    assert "delegation" not in ask(first, unsigned_request(), mine, delegate=True)
    assert "delegation" not in ask(first, signed_request(account.user()), mine, delegate=True)
    assert "delegation" not in ask(first, signed_request(alice), mine, check("s3:PutObject", resourceAccount=account.id), delegate=True)
    assert "delegation" not in ask(first, signed_request(alice), mine)
    reply = post(first, {"request": signed_request(alice), "checks": [], "delegate": True})
    assert reply.status == 200 and "delegation" not in reply.json
    bent = signed_request(alice)
    bent["uri"] += "x"
    assert set(ask(first, bent, mine, delegate=True)) == {"error"}


def test_only_a_registered_service_is_delegated_to(account, alice, mine):
    administrator = account.user(allow("*"))
    reply = post(administrator, {"request": signed_request(alice), "checks": [mine], "delegate": True})
    assert reply.status == 400 and "registered service" in reply.text
    asker = account.user(allow("bailiwick:Authorize"))
    assert post(asker, {"request": signed_request(alice), "checks": [mine], "delegate": True}).status == 403


def test_a_service_hands_nothing_of_its_own_on(first, second, mine, account):
    by_policy = check(resourceAccount=account.id, resourcePolicy={"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"Service": first.name}, "Action": "s3:*", "Resource": "*"}})
    reply = post(second, {"request": signed_request(first, host=SECOND), "checks": [by_policy], "delegate": True})
    assert reply.status == 400 and "no caller to act for" in reply.text


def test_a_request_to_another_host_is_not_delegated(account, first, alice, mine):
    """A service that got hold of a request that was sent to another cannot act for its sender."""
    reply = post(first, {"request": signed_request(alice, host=SECOND), "checks": [mine], "delegate": True})
    assert reply.status == 403, reply


def test_a_stolen_delegation_is_worth_nothing_without_the_services_key(server, first, second, alice, mine):
    made = ask(first, signed_request(alice), mine, delegate=True)["delegation"]
    first.delegated(made).identity()
    for secret in ("x" * 44, first.secret, second.secret, alice.secret, made["sessionToken"][:44]):
        with refused("SignatureDoesNotMatch"):
            Principal(server, made["accessKeyId"], secret, made["sessionToken"]).identity()
    with refused("SignatureDoesNotMatch"):
        second.delegated(made).identity()
    with refused("InvalidClientTokenId"):
        Principal(server, first.key_id, first.secret, made["sessionToken"]).identity()


def test_a_tampered_delegation_opens_nothing(server, first, alice, mine):
    acting = first.act_for(signed_request(alice), mine)
    other = first.act_for(signed_request(alice), mine)
    for at in range(0, len(acting.token), 97):
        swapped = "A" if acting.token[at] != "A" else "B"
        with refused("InvalidClientTokenId"):
            Principal(server, acting.key_id, acting.secret, acting.token[:at] + swapped + acting.token[at + 1 :]).identity()
    with refused("InvalidClientTokenId"):
        Principal(server, acting.key_id, acting.secret, other.token).identity()
    with refused("InvalidClientTokenId"):
        Principal(server, acting.key_id, acting.secret).identity()


def test_a_delegation_is_not_widened_into_credentials(account, first, alice, mine):
    """What it would get outlives it and is bound to no service."""
    administrator = account.user(allow("*"))
    role = account.role(allow("*"), trusted=trust(administrator.arn, action=("sts:AssumeRole", "sts:TagSession")))
    acting = first.act_for(signed_request(administrator), mine)
    administrator.assume(role)
    for call in (lambda: acting.assume(role), acting.session_token, lambda: acting.federate("fed")):
        with refused("AccessDenied"):
            call()


def test_a_delegation_keeps_what_narrows_its_caller(account, first, mine):
    boundary = account.policy(allow("s3:*"))
    bounded = account.user(allow("*"), PermissionsBoundary=boundary)
    acting = first.act_for(signed_request(bounded), mine)
    with refused("AccessDenied"):
        acting.iam.list_users()
    role = account.role(allow("*"))
    session = account.user(allow("sts:AssumeRole")).assume(role, Policy=document(allow("s3:*")))
    acting = first.act_for(signed_request(session), mine)
    assert acting.identity()["Arn"] == session.arn
    with refused("AccessDenied"):
        acting.iam.list_users()


def test_through_services_is_seen_by_policies(account, first, second, mine):
    """Directly, through one, and through two: each decision sees who stands between."""
    store = account.user(allow("bailiwick:Authorize"))

    def decided(acting, condition, effect=allow):
        rule = json.loads(document(effect("s3:GetObject", "*", condition)))
        rule["Statement"][0]["Principal"] = {"AWS": account.arn("user/through")}
        return decide(store, signed_request(acting), check(resourcePolicy=rule))[0][0]

    user = account.user(allow("iam:ListUsers"), name="through")
    account.iam.put_user_policy(UserName=user.name, PolicyName="asks", PolicyDocument=document(allow("thumbs:Make")))
    making = check("thumbs:Make", "*", resourceAccount=account.id)
    one = first.act_for(signed_request(user), making)
    two = second.act_for(signed_request(one, host=SECOND), making)
    expected = [
        ({"Bool": {"aws:ViaAWSService": "true"}}, (False, True, True)),
        ({"Bool": {"aws:ViaAWSService": "false"}}, (True, False, False)),
        ({"Null": {"aws:CalledVia": "true"}}, (True, False, False)),
        ({"ForAnyValue:StringEquals": {"aws:CalledVia": [first.name]}}, (False, True, True)),
        ({"ForAnyValue:StringEquals": {"aws:CalledVia": [second.name]}}, (False, False, True)),
        ({"StringEquals": {"aws:CalledViaFirst": first.name}}, (False, True, True)),
        ({"StringEquals": {"aws:CalledViaLast": first.name}}, (False, True, False)),
        ({"StringEquals": {"aws:CalledViaLast": second.name}}, (False, False, True)),
        ({"Bool": {"aws:PrincipalIsAWSService": "false"}}, (True, True, True)),
        ({"StringEquals": {"aws:PrincipalArn": user.arn}}, (True, True, True)),
        ({"StringEquals": {"aws:username": user.name}}, (True, True, True)),
        ({"Null": {"aws:TokenIssueTime": "true", "aws:MultiFactorAuthPresent": "true"}}, (True, True, True)),
    ]
    for condition, seen in expected:
        told = tuple(decided(acting, condition) == ALLOWED for acting in (user, one, two))
        assert told == seen, condition
    shown = ask(store, signed_request(two))["principal"]
    assert shown["calledVia"] == [first.name, second.name] and shown["arn"] == user.arn and "session" not in shown


def test_the_chain_cannot_be_forged(server, account, first, mine):
    """By a header, by a member, by the context of the question: only the delegation says through whom a call came."""
    user = account.user(allow(["s3:GetObject", "iam:ListUsers"], "*", {"Bool": {"aws:ViaAWSService": "true"}}))
    store = account.user(allow("bailiwick:Authorize"))
    headers = [("x-amz-called-via", first.name), ("aws-called-via", first.name), ("x-amz-via-aws-service", "true"), ("x-amz-source-arn", "arn:aws:s3:::b")]
    assert decide(store, signed_request(user, headers=headers)) == [(IMPLICIT, "identity")]
    assert post(store, {"request": signed_request(user), "checks": [check(context={"aws:CalledVia": [first.name]})]}).status == 400
    with refused("AccessDenied"):
        user.iam.list_users()


def test_a_caller_can_forbid_what_goes_through_services(account, first, mine):
    user = account.user(allow("*"), deny("iam:*", "*", {"Bool": {"aws:ViaAWSService": "true"}}))
    user.iam.list_users()
    with refused("AccessDenied"):
        first.act_for(signed_request(user), mine).iam.list_users()


def test_taking_away_from_the_caller_acts_on_the_next_request(account, first, mine):
    def acting(user):
        made = first.act_for(signed_request(user), mine)
        made.iam.list_users()
        return made

    user = account.user(allow("*"))
    one = acting(user)
    account.iam.put_user_policy(UserName=user.name, PolicyName="granted", PolicyDocument=document(allow("s3:*")))
    with refused("AccessDenied"):
        one.iam.list_users()
    user = account.user(allow("*"))
    one = acting(user)
    account.iam.update_access_key(UserName=user.name, AccessKeyId=user.key_id, Status="Inactive")
    with refused("InvalidClientTokenId"):
        one.iam.list_users()
    user = account.user(allow("*"))
    one = acting(user)
    account.iam.delete_access_key(UserName=user.name, AccessKeyId=user.key_id)
    account.iam.delete_user_policy(UserName=user.name, PolicyName="granted")
    account.iam.delete_user(UserName=user.name)
    with refused("InvalidClientTokenId"):
        one.iam.list_users()
    role = account.role(allow("*"))
    one = acting(account.user(allow("sts:AssumeRole")).assume(role))
    account.iam.delete_role_policy(RoleName=role.name, PolicyName="granted")
    account.iam.delete_role(RoleName=role.name)
    with refused("InvalidClientTokenId"):
        one.iam.list_users()


def test_taking_a_service_away_ends_all_that_went_through_it(server, account, mine):
    user = account.user(allow("*"))
    one, two = registered(server, None, HOST), registered(server, None, SECOND)
    through_one = one.act_for(signed_request(user), mine)
    through_both = two.act_for(signed_request(through_one, host=SECOND), mine)
    through_two = two.act_for(signed_request(user, host=SECOND), mine)
    through_both.iam.list_users()
    server.run("service", "reset-key", one.name)
    for each in (through_one, through_both):
        with refused("InvalidClientTokenId"):
            each.iam.list_users()
    through_two.iam.list_users()
    server.run("service", "remove", two.name)
    server.run("service", "add", two.name)
    for each in (through_one, through_both, through_two):
        with refused("InvalidClientTokenId"):
            each.iam.list_users()


def test_a_delegation_ends_with_its_callers_session_and_is_not_prolonged(tmp_path):
    server = turned_server(tmp_path).start()
    try:
        account = server.account("turned")
        one, two = registered(server, None, HOST), registered(server, None, SECOND)
        asked = check("s3:GetObject", resourceAccount=account.id)

        def told(service, principal, seconds, host=HOST):
            document = {"request": signed_request(principal, host=host, seconds=seconds), "checks": [asked], "delegate": True}
            with clock(seconds):
                return post(service, document).json

        user = account.user(allow("*"))
        session = user.assume(account.role(allow("*")), DurationSeconds=900)
        server.turn(600)
        of_user, of_session = one.delegated(told(one, user, 600)), one.delegated(told(one, session, 600))
        server.turn(890)
        # The second service's delegation ends with the first's, though it is younger.
        chained, again = two.delegated(told(two, of_session, 890, SECOND)), two.delegated(told(two, of_user, 890, SECOND))
        for each in (of_user, of_session, chained, again):
            assert told(one, each, 890)["decisions"][0]["decision"] == ALLOWED
        server.turn(905)
        for each in (of_session, chained):
            assert told(one, each, 905)["error"]["code"] == "ExpiredToken"
        for each in (of_user, again):
            assert told(one, each, 905)["decisions"][0]["decision"] == ALLOWED
        server.turn(1505)
        for each in (of_user, again):
            assert told(one, each, 1505)["error"]["code"] == "ExpiredToken"
    finally:
        server.kill()


def test_a_chain_has_an_end(server, account, mine):
    user = account.user(allow("*"))
    service = registered(server, None, HOST)
    acting = user
    for _ in range(8):
        acting = service.act_for(signed_request(acting), mine)
    acting.identity()
    reply = post(service, {"request": signed_request(acting), "checks": [mine], "delegate": True})
    assert reply.status == 400 and "8 services" in reply.text


def test_root_and_federated_users_are_acted_for_as_they_are(account, first, mine):
    acting = first.act_for(signed_request(account.root), mine)
    assert acting.identity()["Arn"] == account.root_arn
    acting.iam.list_users()
    with refused("AccessDenied"):
        acting.assume(account.role(allow("*")))
    federated = account.user(allow("*")).federate("fed", Policy=document(allow("*")))
    acting = first.act_for(signed_request(federated), mine)
    assert acting.identity()["Arn"] == federated.arn
    with refused("InvalidClientTokenId"):
        acting.iam.list_users()
    token = account.user(allow("*")).session_token()
    with refused("InvalidClientTokenId"):
        first.act_for(signed_request(token), mine).iam.list_users()


def test_a_presigned_request_is_acted_on_too(first, alice, mine):
    first.act_for(presigned_request(alice), mine).iam.list_users()


def test_nobody_is_given_a_delegations_streaming_key(account, first, alice, mine):
    store = account.user(allow(["bailiwick:Authorize", "bailiwick:GetStreamingKey"]))
    user = account.user(allow("s3:PutObject"), allow("s3:GetObject"))
    acting = first.act_for(signed_request(user), mine)
    put = check("s3:PutObject")
    assert "streaming" in ask(store, Upload(user).request, put)
    told = ask(store, Upload(acting).request, put)
    assert told["decisions"][0]["decision"] == ALLOWED and "streaming" not in told


def test_the_trail_tells_who_called_through_whom(server, account, first, alice, mine):
    acting = first.act_for(signed_request(alice), mine)
    made = event(server, acting.iam.list_users())
    identity = made["userIdentity"]
    assert (identity["type"], identity["arn"], identity["accessKeyId"], identity["invokedBy"]) == ("IAMUser", alice.arn, acting.key_id, first.name)
    assert "sessionContext" not in identity and made["sourceIPAddress"] == made["userAgent"] == first.name
    assert made["additionalEventData"]["clientAddress"] == "127.0.0.1"
    assert made["additionalEventData"]["bailiwick"]["keys"]["aws:CalledVia"] == [first.name]
    reply = post(first, {"request": signed_request(alice), "checks": [mine], "delegate": True})
    first.delegated(reply.json)
    checked = [each for each in events(server, reply.headers["x-amzn-requestid"]) if each["eventName"] == "AuthorizeCheck"]
    assert len(checked) == 1 and checked[0]["additionalEventData"]["delegationAccessKeyId"] == reply.json["delegation"]["accessKeyId"]
    assert checked[0]["additionalEventData"]["delegatedTo"].endswith(f":service/{first.name}")
    assert reply.json["delegation"]["sessionToken"] not in server.trail()
    with refused("AccessDenied") as told:
        acting.iam.list_roles()
    events(server, told.request_id)
    explained = json.loads(server.run("explain", told.request_id).stdout)
    assert explained["events"][0]["principal"] == alice.arn and explained["events"][0]["checks"][0]["because"] == "identity"


def test_what_a_service_asked_is_explained(server, account, first, alice, mine):
    reply = post(first, {"request": signed_request(alice, host="elsewhere.example"), "checks": [mine]})
    assert reply.status == 403
    request_id = reply.headers["x-amzn-requestid"]
    events(server, request_id)
    explained = json.loads(server.run("explain", request_id).stdout)
    assert explained["events"][0]["checks"][0]["decision"] == IMPLICIT
    assert ledger.SECRETS
