"""What the token of a delegation request is traded in for: the approver's rights, narrowed to the filled template, for a while. And every way to get more."""

import json
import time

import pytest

from harness.asking import check, decide, resource_policy, signed_request
from harness.delegation import FILLING, Product, lent, shown, state, take_up
from harness.expecting import refused
from harness.preloaded import turned_server
from harness.principals import Principal, allow, deny, document, fresh
from harness.signing import clock

ALL = allow("*")
NOT_VALID = "The trade-in token is not valid."


@pytest.fixture(scope="module")
def product(server, other_account):
    return Product(server, other_account)


@pytest.fixture
def approver(account):
    return account.user(ALL)


def accepted(product, approver, **parameters):
    request = product.ask(**parameters)
    take_up(approver, request)
    approver.iam.accept_delegation_request(DelegationRequestId=request)
    return request


def sent(product, approver, **parameters):
    request = accepted(product, approver, **parameters)
    approver.iam.send_delegation_token(DelegationRequestId=request)
    return request


def may(asker, session, *actions):
    """What is decided for a session about objects: `get` in the bucket, `put` where the template says, `other` elsewhere."""
    checks = {"get": check("s3:GetObject", "arn:aws:s3:::logs/x"), "put": check("s3:PutObject", "arn:aws:s3:::logs/a/x"),
              "out": check("s3:PutObject", "arn:aws:s3:::logs/c/x"), "other": check("s3:GetObject", "arn:aws:s3:::other/x")}
    return [decision == "Allowed" for decision, _ in decide(asker, signed_request(session), *(checks[action] for action in actions))]


def test_the_session_is_the_approvers_narrowed_to_the_template(product, account, approver):
    session = lent(product, approver)
    answer = session.answer
    assert answer["AssumedPrincipal"] == approver.arn and 0 < answer["PackedPolicySize"] <= 100
    identity = session.identity()
    assert (identity["Arn"], identity["UserId"], identity["Account"]) == (approver.arn, approver.unique_id, account.id)
    assert any(user["UserName"] == approver.name for user in session.iam.list_users()["Users"])
    with refused("AccessDenied"):
        session.iam.list_roles()
    assert may(account.root, session, "get", "put", "out", "other") == [True, True, False, False]


@pytest.mark.parametrize("name", [lambda approver: approver.arn, lambda approver: "*"], ids=["by name", "as everybody"])
def test_what_names_the_approver_lends_no_more_than_the_template(product, account, approver, name):
    """A resource's policy that names a user needs nothing else in its account, also where a boundary does not allow; the product is lent what the template says."""
    session = lent(product, approver)
    policy = resource_policy({"AWS": name(approver)}, "s3:*", "arn:aws:s3:::logs/*")
    asked = [check("s3:GetObject", "arn:aws:s3:::logs/x", resourcePolicy=policy), check("s3:DeleteObject", "arn:aws:s3:::logs/x", resourcePolicy=policy)]
    assert [decision for decision, _ in decide(account.root, signed_request(session), *asked)] == ["Allowed", "ImplicitlyDenied"]
    assert [decision for decision, _ in decide(account.root, signed_request(approver), *asked)] == ["Allowed", "Allowed"]


def test_it_never_has_more_than_the_approver(product, account):
    approver = account.user(allow("iam:*Delegation*"), allow("iam:ListUsers"), allow("s3:GetObject"))
    session = lent(product, approver)
    assert may(account.root, session, "get", "put") == [True, False]
    session.iam.list_users()


def test_a_statement_that_is_off_is_not_lent(product, account, approver):
    off = [FILLING[0], {"Name": "mayWrite", "Values": ["False"], "Type": "string"}]
    session = lent(product, approver, Permissions={"PolicyTemplateArn": product.template, "Parameters": off})
    assert may(account.root, session, "get", "put") == [True, False]


def test_a_roles_session_lends_the_role_with_its_tags_and_source_identity(product, account):
    caller = account.user(allow("sts:*"))
    role = account.role(allow("*", "*", {"StringEquals": {"aws:PrincipalTag/team": "a", "aws:SourceIdentity": "carol"}}),
                        trusted=json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": account.id}, "Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]}]}))
    session = lent(product, caller.assume(role, session="carol", Tags=[{"Key": "team", "Value": "a"}], SourceIdentity="carol"))
    assert session.answer["AssumedPrincipal"] == role.arn
    assert session.identity()["Arn"] == f"arn:aws:sts::{account.id}:assumed-role/{role.name}/carol"
    session.iam.list_users()
    assert may(account.root, session, "get", "other") == [True, False]


def test_root_lends_what_the_template_says_for_four_hours_at_most(product, account):
    session = lent(product, account.root, SessionDuration=14_400)
    assert session.answer["AssumedPrincipal"] == account.root_arn
    session.iam.list_users()
    with refused("AccessDenied"):
        session.iam.create_user(UserName=fresh("never"))
    request = product.ask(SessionDuration=14_401)
    take_up(account.root, request)
    with refused("InvalidInput"):
        account.iam.accept_delegation_request(DelegationRequestId=request)
    assert state(account.root, request) == "ASSIGNED"


def test_the_trail_says_who_acts_with_lent_rights(server, product, account, approver):
    session = lent(product, approver)
    with refused("AccessDenied") as told:
        session.iam.create_user(UserName=fresh("never"))
    end = time.monotonic() + 5
    found = []
    while not found and time.monotonic() < end:
        found = [event for event in map(json.loads, server.trail().splitlines()) if event["requestID"] == told.request_id]
    [event] = found
    identity = event["userIdentity"]
    assert (identity["type"], identity["arn"], identity["invokedByDelegate"]) == ("IAMUser", approver.arn, {"accountId": product.account.id})
    assert identity["sessionContext"]["attributes"]["mfaAuthenticated"] == "false"


def test_a_decision_for_a_delegate_can_be_explained(server, product, account, approver):
    session = lent(product, approver)
    with refused("AccessDenied") as told:
        session.iam.list_roles()
    said = json.loads(server.run("explain", told.request_id).stdout)["events"][0]["checks"][0]
    assert (said["decision"], said["because"]) == ("ImplicitlyDenied", "session")


def test_a_token_is_good_once(product, approver):
    request = sent(product, approver)
    token = product.token(request)
    product.trade(token).identity()
    with refused("ExpiredTradeInTokenException"):
        product.trade(token)
    assert product.token(request) is None


def test_a_token_that_another_product_shows_is_refused(server, product, account, approver):
    token = product.token(sent(product, approver))
    stranger = Product(server, server.account(fresh("stranger")))
    for principal in (stranger.user, stranger.account.root, account.user(ALL), account.root, approver):
        with refused("InvalidParameterValue", NOT_VALID):
            product.trade(token, principal)
    product.trade(token).identity()


def test_a_forged_or_truncated_token_is_refused(product, approver):
    request = sent(product, approver)
    token = product.token(request)
    other = product.token(sent(product, approver))
    last = "A" if token[-1] != "A" else "Q"
    for forged in (token[:-1], token[:-1] + last, token + "A", token.split(".")[1], request, f"{request}.", f"{request}.{other.split('.')[1]}", "x" * 80, "",
                   token.upper(), "0f8fad5b-d9cb-469f-a165-70867728950e." + token.split(".")[1]):
        with refused("InvalidParameterValue", NOT_VALID):
            product.trade(forged)
    product.trade(token).identity()


def test_a_token_ends_with_the_time_that_was_asked_for_and_so_does_its_session(tmp_path):
    server = turned_server(tmp_path)
    server.start()
    account = server.first_account()
    product = Product(server, server.account("timed-product"))
    approver = account.user(ALL)
    late, used = sent(product, approver, SessionDuration=300), sent(product, approver, SessionDuration=300)
    late, session = product.token(late), product.trade(product.token(used))
    session.identity()
    server.turn(290)
    session.iam.list_users()
    server.turn(310)
    with refused("ExpiredToken"):
        session.identity()
    with refused("ExpiredTradeInTokenException"):
        product.trade(late)
    server.kill()


def test_a_session_begins_when_the_token_is_sent_and_not_when_it_is_traded_in(tmp_path):
    server = turned_server(tmp_path)
    server.start()
    product = Product(server, server.account("slow-product"))
    request = sent(product, server.first_account().user(ALL), SessionDuration=600)
    server.turn(400)
    with clock(400):
        session = product.trade(product.token(request))
    server.turn(610)
    with refused("ExpiredToken"):
        session.identity()
    server.kill()


def test_an_approver_that_loses_rights_takes_them_from_the_session_at_once(product, account):
    approver = account.user(ALL)
    session = lent(product, approver)
    session.iam.list_users()
    account.iam.put_user_policy(UserName=approver.name, PolicyName="denied", PolicyDocument=document(deny("iam:ListUsers")))
    with refused("AccessDenied"):
        session.iam.list_users()
    assert may(account.root, session, "get") == [True]
    account.iam.delete_user_policy(UserName=approver.name, PolicyName="granted")
    assert may(account.root, session, "get") == [False]


def test_sessions_that_were_lent_before_can_be_ended(product, account):
    """As AWS ends sessions: by a Deny of whatever was issued before now."""
    approver = account.user(ALL)
    session = lent(product, approver)
    account.iam.put_user_policy(UserName=approver.name, PolicyName="revoked", PolicyDocument=document(deny("*", "*", {"DateLessThan": {"aws:TokenIssueTime": "2099-01-01T00:00:00Z"}})))
    with refused("AccessDenied"):
        session.iam.list_users()
    approver.iam.list_users()


def test_an_approvers_key_that_is_switched_off_ends_the_session(product, account):
    approver = account.user(ALL)
    session = lent(product, approver)
    account.iam.update_access_key(UserName=approver.name, AccessKeyId=approver.key_id, Status="Inactive")
    with refused("InvalidClientTokenId"):
        session.identity()
    account.iam.update_access_key(UserName=approver.name, AccessKeyId=approver.key_id, Status="Active")
    session.identity()


def test_an_approver_that_is_deleted_ends_the_session_also_if_its_name_is_given_again(product, account):
    caller = account.user(allow("sts:AssumeRole"))
    role = account.role(ALL)
    session = lent(product, caller.assume(role))
    session.iam.list_users()
    account.iam.delete_role_policy(RoleName=role.name, PolicyName="granted")
    account.iam.delete_role(RoleName=role.name)
    with refused("InvalidClientTokenId"):
        session.identity()
    account.role(ALL, name=role.name)
    with refused("InvalidClientTokenId"):
        session.identity()


def test_who_is_narrowed_lends_nothing(product, account, approver):
    """A session with a session policy, and a product with lent rights, would lend more than they have."""
    role = account.role(ALL)
    narrowed = account.user(allow("sts:AssumeRole")).assume(role, Policy=document(allow("iam:*")))
    template = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iam:*", "Resource": "*"}}
    wide = Product(product.server, product.account, statements=template)
    delegate = lent(wide, approver, Permissions={"PolicyTemplateArn": wide.template})
    request = product.ask()
    take_up(approver, request)
    for principal in (narrowed, delegate):
        with refused("AccessDenied"):
            principal.iam.accept_delegation_request(DelegationRequestId=request)
    assert state(approver, request) == "ASSIGNED"


def test_a_delegate_is_not_the_owner_whose_rights_it_has(product, account):
    """The owner may look at its requests with no policy that says so; whoever it lent its rights to may not."""
    caller = account.user(allow("sts:AssumeRole"))
    session = caller.assume(account.role(ALL), session="owner")
    request = product.ask(OnlySendByOwner=True)
    take_up(session, request)
    delegate = lent(product, session)
    assert delegate.identity()["Arn"] == session.identity()["Arn"]
    with refused("AccessDenied"):
        shown(delegate, request)
    with refused("AccessDenied"):
        delegate.iam.update_delegation_request(DelegationRequestId=request)


def test_lent_rights_are_not_made_into_other_credentials(product, account, approver):
    template = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": ["sts:Get*"], "Resource": "*"}}
    wide = Product(product.server, product.account, statements=template)
    session = lent(wide, approver, Permissions={"PolicyTemplateArn": wide.template})
    for call in (session.sts.get_session_token, lambda: session.sts.get_federation_token(Name="fed")):
        with refused("AccessDenied"):
            call()
    token = product.token(sent(product, approver))
    with refused("AccessDenied"):
        product.trade(token, session)


def test_trading_in_needs_its_own_permission(product, approver):
    token = product.token(sent(product, approver))
    for statements in ([], [deny("sts:GetDelegatedAccessToken"), ALL]):
        with refused("AccessDenied"):
            product.trade(token, product.account.user(*statements))
    product.trade(token, product.account.root).identity()


def test_a_product_whose_template_is_taken_away_trades_nothing_in(product, approver):
    gone = Product(product.server, product.account)
    token = gone.token(sent(gone, approver))
    gone.server.run("template", "remove", gone.template)
    with refused("InvalidParameterValue", NOT_VALID):
        gone.trade(token)
    with refused("InvalidInput"):
        gone.ask()


def test_what_is_refused_or_not_sent_yet_has_no_token(product, approver):
    request = accepted(product, approver)
    assert product.token(request) is None
    approver.iam.reject_delegation_request(DelegationRequestId=request)
    assert product.token(request) is None


def test_the_key_of_a_session_is_worth_nothing_without_its_token(product, approver):
    session = lent(product, approver)
    with refused("InvalidClientTokenId"):
        Principal(session.server, session.key_id, session.secret).identity()


def test_a_token_outlives_a_restart_and_is_used_up_after_one(own_server):
    own_server.start()
    product = Product(own_server, own_server.account("durable-product"))
    request = sent(product, own_server.first_account().user(ALL))
    token = product.token(request)
    own_server.kill()
    own_server.start()
    assert product.token(request) == token
    product.trade(token).identity()
    own_server.kill()
    own_server.start()
    with refused("ExpiredTradeInTokenException"):
        product.trade(token)
