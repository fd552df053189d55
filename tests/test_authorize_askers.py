"""Who may ask, about what, and how much is told: bailiwick:Authorize with its keys, bailiwick:Explain, and what an asker may not say."""

import json
import time

import pytest

from harness.asking import HOST, ask, check, decide, post, resource_policy, signed_request, unsigned_request
from harness.principals import Principal, allow, deny
from harness.signing import send, sign

ALLOWED, IMPLICIT = "Allowed", "ImplicitlyDenied"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"


@pytest.fixture(scope="module")
def store(account):
    return account.user(allow("bailiwick:Authorize"), name="store")


@pytest.fixture(scope="module")
def explainer(account):
    return account.user(allow(["bailiwick:Authorize", "bailiwick:Explain"]), name="explainer")


@pytest.fixture(scope="module")
def alice(account):
    return account.user(allow("s3:GetObject", "arn:aws:s3:::bucket/*", Sid="Readers"), name="alice")


def denied(reply, words):
    """An asker's own failure, as REST-JSON says it."""
    assert reply.status == 403, reply
    assert reply.headers["x-amzn-errortype"].split(":")[0] == "AccessDeniedException"
    assert reply.headers["x-amzn-requestid"]
    assert set(reply.json) <= {"message", "Message", "__type", "code"} and words in reply.json["message"], reply
    return reply.json["message"]


def refused(reply, *words, status=400):
    assert reply.status == status, reply
    assert reply.headers["x-amzn-errortype"] and "message" in reply.json
    for word in words:
        assert word in reply.json["message"], reply
    return reply.json["message"]


def question(principal, *checks, **more):
    return {"request": signed_request(principal), "checks": list(checks or [check()]), **more}


# The right to ask.


def test_without_the_right_nobody_asks(account, alice):
    message = denied(post(alice, question(alice)), "bailiwick:Authorize")
    assert message == (f"User: {alice.arn} is not authorized to perform: bailiwick:Authorize on resource: * because no identity-based policy allows the bailiwick:Authorize action")


def test_administrators_and_root_may_ask(account, alice):
    administrator = account.user()
    account.iam.attach_user_policy(UserName=administrator.name, PolicyArn=ADMINISTRATOR)
    for asker in (administrator, account.root):
        assert decide(asker, signed_request(alice)) == [(ALLOWED, "identity")]


def test_a_role_session_may_ask(account, alice):
    session = account.user(allow("sts:AssumeRole")).assume(account.role(allow("bailiwick:Authorize")))
    assert decide(session, signed_request(alice)) == [(ALLOWED, "identity")]


@pytest.mark.parametrize("key, good, bad", [("bailiwick:Host", HOST, "other.example:9000"), ("bailiwick:Service", "s3", "sqs")])
def test_an_asker_may_be_bound_to_its_host_and_service(account, alice, key, good, bad):
    bound, elsewhere = (account.user(allow("bailiwick:Authorize", condition={"StringEquals": {key: value}})) for value in (good, bad))
    assert decide(bound, signed_request(alice)) == [(ALLOWED, "identity")]
    denied(post(elsewhere, question(alice)), "bailiwick:Authorize")


def test_a_request_signed_for_another_host_cannot_be_relayed(account, alice):
    bound = account.user(allow("bailiwick:Authorize", condition={"StringEquals": {"bailiwick:Host": HOST}}))
    denied(post(bound, {"request": signed_request(alice, host="bank.example:9000"), "checks": [check()]}), "bailiwick:Authorize")


def test_an_asker_may_be_bound_to_its_account(account, other_account, alice):
    bound = account.user(allow("bailiwick:Authorize", condition={"StringEquals": {"bailiwick:ResourceAccount": account.id}}))
    assert decide(bound, signed_request(alice)) == [(ALLOWED, "identity")]
    denied(post(bound, question(alice, check(resourceAccount=other_account.id))), "bailiwick:Authorize")
    denied(post(bound, question(alice, check(), check(resourceAccount=other_account.id))), "bailiwick:Authorize")


def test_another_accounts_store_gets_its_decision(other_account, account, alice):
    """Its bucket, our user: both sides are asked."""
    foreign = other_account.user(allow("bailiwick:Authorize"))
    assert decide(foreign, signed_request(alice))[0][0] == IMPLICIT
    opened = check(resourcePolicy=resource_policy({"AWS": account.id}))
    assert decide(foreign, signed_request(alice), opened)[0][0] == ALLOWED


def test_the_askers_own_signature_is_checked(server, account, alice, store):
    body = question(alice)
    forged = post(Principal(server, store.key_id, "x" * 40), body)
    assert forged.status == 403 and forged.headers["x-amzn-errortype"].split(":")[0] == "InvalidSignatureException"
    unknown = post(Principal(server, "AKIARZPUZDIKGB2VALC4", "x" * 40), body)
    assert unknown.status == 403 and unknown.headers["x-amzn-errortype"].split(":")[0] == "UnrecognizedClientException"
    unsigned = send(server, "POST", "/authorize", [("Content-Type", "application/json")], json.dumps(body).encode())
    assert unsigned.status == 403 and "MissingAuthenticationToken" in unsigned.headers["x-amzn-errortype"]


def test_the_body_is_bound_to_the_askers_signature(account, alice, store):
    data = json.dumps(question(alice)).encode()
    signed = sign(store, "bailiwick", "POST", "/authorize", data=data, headers={"Content-Type": "application/json"})
    signed.data = data.replace(b"s3:GetObject", b"s3:PutObject")
    assert signed.send().status == 403


@pytest.mark.parametrize("scope", ["iam", "sts", "s3", "execute-api"])
def test_a_scope_of_another_service_does_not_reach_it(account, alice, store, scope):
    data = json.dumps(question(alice)).encode()
    reply = sign(store, "bailiwick", "POST", "/authorize", data=data, headers={"Content-Type": "application/json"}, scope=scope).send()
    assert reply.status in {400, 403, 404} and b"decisions" not in reply.bytes


def test_by_get_there_is_nothing(account, store):
    reply = sign(store, "bailiwick", "GET", "/authorize").send()
    assert reply.status in {400, 403, 404, 405}


# What an asker may not say.


@pytest.mark.parametrize("key", ["aws:PrincipalArn", "aws:PrincipalTag/team", "aws:PrincipalAccount", "aws:PrincipalOrgID", "aws:userid", "aws:username", "aws:UserName", "aws:TokenIssueTime",
                                 "aws:MultiFactorAuthPresent", "aws:MultiFactorAuthAge", "aws:SourceIdentity", "aws:FederatedProvider", "aws:CalledVia", "aws:CalledViaFirst",
                                 "aws:ViaAWSService", "aws:CurrentTime", "aws:EpochTime", "aws:RequestedRegion", "aws:ResourceAccount", "aws:ResourceTag/team", "aws:ResourceOrgID",
                                 "saml:sub", "SAML:aud", "accounts.google.com:sub", "AWS:PRINCIPALARN"])
def test_what_bailiwick_knows_the_asker_may_not_say(store, alice, key):
    refused(post(store, question(alice, check(context={key: "x"}))), key)


def test_own_keys_are_free(store, alice):
    assert ask(store, signed_request(alice), check(context={"s3:prefix": "x", "lakehouse:Catalog": ["a", "b"]}))["decisions"]


# Shape.


@pytest.mark.parametrize("change", [
    lambda body: body.pop("request"), lambda body: body["request"].pop("method"), lambda body: body["request"].pop("uri"),
    lambda body: body["request"].pop("headers"), lambda body: body["checks"][0].pop("action"), lambda body: body["checks"][0].pop("resource"),
    lambda body: body.update(surprise=1), lambda body: body["request"].update(surprise=1), lambda body: body["checks"][0].update(surprise=1),
    lambda body: body.update(checks={}), lambda body: body.update(explain="yes"), lambda body: body["request"].update(headers={"host": "x"}),
    lambda body: body["request"].update(headers=[["host"]]), lambda body: body["request"].update(headers=[["host", 1]]), lambda body: body["request"].update(method=1),
    lambda body: body["request"].update(payloadSha256="xyz"), lambda body: body["request"].update(sourceIp="300.1.1.1"), lambda body: body["request"].update(secureTransport="yes"),
    lambda body: body["checks"][0].update(resourceAccount="12345"), lambda body: body["checks"][0].update(context=[]), lambda body: body["checks"][0].update(context={"s3:x": {"a": 1}}),
    lambda body: body["checks"][0].update(resourceTags=[]), lambda body: body["checks"][0].update(resourcePolicy="{}"), lambda body: body["checks"][0].update(resourcePolicy={"Statement": 1}),
    lambda body: body["checks"][0].update(action=""), lambda body: body["checks"][0].update(action=["s3:GetObject"]), lambda body: body["checks"][0].update(resource=None),
    lambda body: body["checks"][0].update(resourcePolicy={"Version": "2012-10-17", "Statement": [{"Effect": "allow", "Principal": "*", "Action": "*", "Resource": "*"}]}),
])
def test_a_malformed_question_is_400_and_no_decision(store, alice, change):
    body = question(alice)
    change(body)
    refused(post(store, body))


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"{", b"\xff\xfe", b'{"request":', b"[" * 5000, b'{"a":' * 5000])
def test_what_is_no_question_at_all(store, body):
    refused(post(store, body))


def test_a_member_given_twice_is_refused(store, alice):
    text = json.dumps(question(alice))
    twice = text[:-1] + ',"checks":[{"action":"s3:PutObject","resource":"*"}]}'
    refused(post(store, twice.encode()))


def test_limits(store, alice):
    refused(post(store, question(alice, *[check()] * 1001)))
    big = resource_policy({"AWS": ["arn:aws:iam::111122223333:root"] * 800})
    assert len(json.dumps(big)) > 20 * 1024
    refused(post(store, question(alice, check(resourcePolicy=big))))
    padded = json.dumps(question(alice, check(context={"x:y": "z" * 1_100_000}))).encode()
    reply = post(store, padded)
    assert reply.status in {400, 413} and "message" in reply.json
    assert decide(store, signed_request(alice)) == [(ALLOWED, "identity")]


def test_no_checks_at_all(store, alice):
    """Either an empty list of decisions or a refusal, but never an allow."""
    reply = post(store, {"request": signed_request(alice), "checks": []})
    assert reply.status == 400 or (reply.status == 200 and reply.json["decisions"] == [])


# Explanations.


def test_explain_needs_its_own_right(store, explainer, alice, account):
    body = question(alice, check(), check("s3:PutObject"), explain=True)
    without = post(store, body)
    assert without.status in {200, 403}
    if without.status == 200:
        assert "granted" not in without.text and "Readers" not in without.text, "only kind and effect are told"
    explained = ask(explainer, signed_request(alice), check(), check("s3:PutObject"), explain=True)["decisions"]
    assert all("explanation" in each for each in explained)
    first, second = (json.dumps(each["explanation"]) for each in explained)
    assert "Readers" in first and "granted" in first
    assert "identity" in second and "s3:PutObject" in second


def test_unasked_there_is_no_explanation(explainer, alice):
    assert "explanation" not in ask(explainer, signed_request(alice))["decisions"][0]
    assert "explanation" not in ask(explainer, signed_request(alice), explain=False)["decisions"][0]


def test_explain_may_be_bound_to_principals(account, alice):
    other = account.user(allow("s3:GetObject", Sid="SecretSid"))
    bound = account.user(allow("bailiwick:Authorize"), allow("bailiwick:Explain", alice.arn))
    assert "Readers" in json.dumps(ask(bound, signed_request(alice), explain=True))
    reply = post(bound, question(other, explain=True))
    assert "SecretSid" not in reply.text


def test_an_asker_cannot_see_another_accounts_policies(other_account, account, alice):
    """Not even an administrator of its own account, not even root."""
    administrator = other_account.user(allow("*"))
    opened = check(resourcePolicy=resource_policy({"AWS": account.id}))
    for asker in (administrator, other_account.root):
        for checks in ([check()], [opened], [check("s3:PutObject")]):
            reply = post(asker, question(alice, *checks, explain=True))
            for secret in ("Readers", "granted", "arn:aws:s3:::bucket/*\\", account.arn("policy")):
                assert secret not in reply.text, reply


def test_a_boundary_and_a_session_policy_of_strangers_are_not_shown(other_account, account):
    bound = account.policy(allow("s3:*", Sid="BoundarySid"), name="secret-boundary")
    user = account.user(allow("s3:*", Sid="IdentitySid"), PermissionsBoundary=bound)
    asker = other_account.user(allow("*"))
    reply = post(asker, question(user, check(resourcePolicy=resource_policy({"AWS": user.arn})), explain=True))
    for secret in ("BoundarySid", "IdentitySid", "secret-boundary"):
        assert secret not in reply.text


def test_an_explicit_deny_on_explain_counts(account, alice):
    held = account.user(allow("bailiwick:*"), deny("bailiwick:Explain"))
    assert "Readers" not in post(held, question(alice, explain=True)).text


def test_anonymous_requests_may_be_explained(explainer):
    answer = ask(explainer, unsigned_request(), check(resourcePolicy=resource_policy("*")), explain=True)
    assert answer["decisions"][0]["decision"] == ALLOWED and answer["decisions"][0]["explanation"]


# Every check is one event.


def test_each_check_is_in_the_trail(server, account, store, alice):
    resource = "arn:aws:s3:::bucket/trailed-key"
    reply = post(store, question(alice, check(resource=resource), check("s3:PutObject", resource)))
    assert reply.status == 200
    request_id = reply.headers["x-amzn-requestid"]
    end = time.monotonic() + 5
    while True:
        found = [json.loads(line) for line in server.trail().splitlines() if resource in line]
        if found or time.monotonic() > end:
            break
        time.sleep(0.2)
    text = json.dumps(found)
    assert "s3:GetObject" in text and "s3:PutObject" in text and alice.arn in text and request_id in text
    assert all(event["eventSource"].startswith("bailiwick") for event in found)
