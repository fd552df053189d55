"""Delegation requests: a product asks, an account answers. Their whole life, who may do what with them, and what is told to whom."""

import datetime
import json

import pytest

from harness.delegation import FILLING, TEMPLATE, Product, admin, shown, state, take_up
from harness.expecting import denial, refused
from harness.preloaded import turned_server
from harness.principals import allow, body, deny, fresh
from harness.signing import clock

NONE = "0f8fad5b-d9cb-469f-a165-70867728950e"
BY_ID = ["get", "associate", "update", "accept", "reject"]
DAY = 86_400


@pytest.fixture(scope="module")
def product(server, other_account):
    return Product(server, other_account)


@pytest.fixture(scope="module")
def administrator(account):
    return account.user(allow("*"))


def by_id(iam, verb, request=NONE):
    return getattr(iam, f"{verb}_delegation_request")(DelegationRequestId=request)


def filled(policy):
    return {statement["Sid"]: statement for statement in json.loads(policy)["Statement"]}


def test_a_request_is_made_from_the_products_template(product, account, administrator):
    before = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    request = product.ask(account, RequestMessage="For team A", RedirectUrl="https://product.example.com/done", OnlySendByOwner=True)
    got = shown(administrator, request)
    assert "PermissionCheckStatus" not in got and "PermissionCheckResult" not in got
    got = got["DelegationRequest"]
    assert filled(got.pop("PermissionPolicy"))["Write"]["Resource"] == ["arn:aws:s3:::logs/a/*", "arn:aws:s3:::logs/b/*"]
    assert got["ExpirationTime"] - got["CreateDate"] == datetime.timedelta(days=1) and got.pop("UpdatedTime") == got["CreateDate"] >= before
    del got["ExpirationTime"], got["CreateDate"]
    assert got == {
        "DelegationRequestId": request, "OwnerAccountId": account.id, "Description": "Sets up the product", "RequestMessage": "For team A",
        "Permissions": {"PolicyTemplateArn": product.template, "Parameters": FILLING}, "RolePermissionRestrictionArns": [], "State": "UNASSIGNED",
        "RequestorId": product.account.id, "RequestorName": product.account.name[:30], "SessionDuration": 3600, "RedirectUrl": "https://product.example.com/done",
        "OnlySendByOwner": True,
    }


def test_what_cannot_be_asked_for_is_refused(product, account):
    for parameters in (
        {"Permissions": {"PolicyTemplateArn": product.template}},
        {"Permissions": {"Parameters": FILLING}},
        {"Permissions": {"PolicyTemplateArn": "arn:aws:iam::partner:delegation-template/none.example.com/None", "Parameters": FILLING}},
        {"Permissions": {"PolicyTemplateArn": "this is no ARN, but long enough", "Parameters": FILLING}},
        {"Permissions": {"PolicyTemplateArn": product.template, "Parameters": [*FILLING, FILLING[0]]}},
        {"Permissions": {"PolicyTemplateArn": product.template, "Parameters": [*FILLING, {"Name": "other", "Values": ["x"], "Type": "string"}]}},
        {"Permissions": {"PolicyTemplateArn": product.template, "Parameters": [{"Name": "bucketName", "Values": ["x", "y"], "Type": "string"}, *FILLING[1:]]}},
        {"NotificationChannel": "arn:aws:sqs:us-east-1:111122223333:queue"},
        {"NotificationChannel": f"arn:aws:sns:us-east-1:{account.id}:another-accounts"},
        {"NotificationChannel": "topic"},
    ):
        with refused("InvalidInput"):
            product.ask(account, **parameters)
    with refused("InvalidInput", f"The policy template {product.template} is not registered."):
        account.iam.create_delegation_request(Description="d", Permissions={"PolicyTemplateArn": product.template, "Parameters": FILLING}, RequestorWorkflowId="mine-1",
                                              NotificationChannel=f"arn:aws:sns:us-east-1:{account.id}:t", SessionDuration=300)
    with refused("ValidationError"):
        product.user.unchecked().create_delegation_request(Description="d", Permissions={}, RequestorWorkflowId="w-12345", NotificationChannel=product.topic, SessionDuration=299)


@pytest.mark.parametrize("value", ['x","Action":"s3', '"}]},{"Effect":"Allow', "x\\", '\\"', "}", "x}{y"])
def test_a_parameter_does_not_break_out_of_its_place_in_the_policy(product, administrator, value):
    parameters = [{"Name": "bucketName", "Values": [value], "Type": "string"}, *FILLING[1:]]
    said = filled(shown(administrator, product.ask(Permissions={"PolicyTemplateArn": product.template, "Parameters": parameters}))["DelegationRequest"]["PermissionPolicy"])
    assert set(said) == {"Read", "Write"} and set(said["Read"]) == {"Sid", "Effect", "Action", "Resource"}
    assert said["Read"]["Action"] == TEMPLATE["Statement"][0]["Action"] and said["Read"]["Resource"][0] == f"arn:aws:s3:::{value}/*"


@pytest.mark.parametrize("value", ["*", "logs/*", "l?gs", "${aws:username}", "@{prefixes}"])
def test_a_parameter_means_nothing_but_itself(product, value):
    parameters = [{"Name": "bucketName", "Values": [value], "Type": "string"}, *FILLING[1:]]
    with refused("InvalidInput", "A value of the parameter bucketName has a wildcard or a variable in it."):
        product.ask(Permissions={"PolicyTemplateArn": product.template, "Parameters": parameters})


def test_a_workflow_is_asked_for_once(product, account, server):
    product.ask(account, RequestorWorkflowId="only-once")
    with refused("EntityAlreadyExists", "A delegation request with the workflow id only-once already exists."):
        product.ask(account, RequestorWorkflowId="only-once")
    other = Product(server, server.account("another-product"))
    other.ask(account, RequestorWorkflowId="only-once")


def test_making_one_may_be_bound_to_template_duration_and_channel(product, account):
    conditions = {"NumericLessThanEquals": {"iam:DelegationDuration": "3600"}, "ArnLike": {"iam:TemplateArn": product.template},
                  "StringEquals": {"iam:NotificationChannel": product.topic}}
    user = product.account.user(allow("iam:CreateDelegationRequest", product.account.arn("delegation-request/*"), conditions))
    given = {"Description": "d", "Permissions": {"PolicyTemplateArn": product.template, "Parameters": FILLING}, "NotificationChannel": product.topic, "SessionDuration": 3600}
    user.iam.create_delegation_request(**given, RequestorWorkflowId=fresh("workflow"))
    for other in ({"SessionDuration": 7200}, {"Permissions": {"PolicyTemplateArn": f"{product.template}2"}}, {"NotificationChannel": f"{product.topic}2"}):
        with refused("AccessDenied"):
            user.iam.create_delegation_request(**{**given, **other}, RequestorWorkflowId=fresh("workflow"))


def test_the_whole_way_of_a_request_that_is_approved(product, account, administrator):
    request = product.ask(account, OnlySendByOwner=True)
    owner = account.user(allow(["iam:AssociateDelegationRequest", "iam:SendDelegationToken"]))
    take_up(owner, request)
    got = shown(owner, request)["DelegationRequest"]
    assert (got["State"], got["OwnerId"], got["OwnerAccountId"]) == ("ASSIGNED", owner.arn, account.id) and "ApproverId" not in got
    assert got["ExpirationTime"] - got["UpdatedTime"] == datetime.timedelta(days=7)
    owner.iam.update_delegation_request(DelegationRequestId=request, Notes="Please have a look")
    got = shown(owner, request)["DelegationRequest"]
    assert (got["State"], got["Notes"]) == ("PENDING_APPROVAL", "Please have a look")
    with refused("AccessDenied", denial(owner.arn, "iam:AcceptDelegationRequest", account.arn(f"delegation-request/{request}"))):
        owner.iam.accept_delegation_request(DelegationRequestId=request)
    administrator.iam.accept_delegation_request(DelegationRequestId=request)
    got = shown(owner, request)["DelegationRequest"]
    assert (got["State"], got["ApproverId"], got["OwnerId"]) == ("ACCEPTED", administrator.arn, owner.arn)
    assert product.token(request) is None
    with refused("AccessDenied"):
        administrator.iam.send_delegation_token(DelegationRequestId=request)
    owner.iam.send_delegation_token(DelegationRequestId=request)
    assert state(owner, request) == "FINALIZED"
    assert product.token(request).startswith(f"{request}.")


def send(iam, request):
    iam.send_delegation_token(DelegationRequestId=request)


@pytest.mark.parametrize("steps,then,not_now", [
    ([], "UNASSIGNED", ["update", "accept", "reject", "send"]),
    (["associate"], "ASSIGNED", ["associate", "send"]),
    (["associate", "update"], "PENDING_APPROVAL", ["associate", "send"]),
    (["associate", "accept"], "ACCEPTED", ["associate", "update", "accept"]),
    (["associate", "reject"], "REJECTED", ["associate", "update", "accept", "reject", "send"]),
    (["associate", "update", "accept", "send"], "FINALIZED", ["associate", "update", "accept", "reject", "send"]),
])
def test_what_is_not_its_turn_is_refused(product, account, administrator, steps, then, not_now):
    request = product.ask(account)

    def do(verb):
        if verb == "send":
            send(administrator.iam, request)
        else:
            by_id(administrator.iam, verb, request)

    for step in steps:
        do(step)
    assert state(administrator, request) == then
    for verb in not_now:
        with refused("InvalidInput", f"The delegation request {request} is in the state {then}."):
            do(verb)
    assert state(administrator, request) == then


def test_a_request_is_refused_with_its_reason_also_after_it_was_approved(product, account, administrator):
    request = product.ask(account)
    take_up(administrator, request)
    by_id(administrator.iam, "accept", request)
    administrator.iam.reject_delegation_request(DelegationRequestId=request, Notes="Not this week")
    got = shown(administrator, request)["DelegationRequest"]
    assert (got["State"], got["RejectionReason"]) == ("REJECTED", "Not this week") and "ApproverId" not in got
    notice = product.notices()[request]
    assert (notice["state"], notice["rejectionReason"]) == ("REJECTED", "Not this week") and "exchangeToken" not in notice


def test_a_request_without_an_account_is_whoevers_takes_it_up(product, account, server, administrator):
    third = server.account("third-of-delegation")
    request = product.ask()
    assert "OwnerAccountId" not in shown(third.user(allow("iam:GetDelegationRequest")), request)["DelegationRequest"]
    take_up(administrator, request)
    assert shown(administrator, request)["DelegationRequest"]["OwnerAccountId"] == account.id
    with refused("NoSuchEntity"):
        shown(third.user(allow("*")), request)


@pytest.mark.parametrize("verb", BY_ID)
def test_another_accounts_request_is_not_there(product, account, server, administrator, verb):
    """Neither for a third account, nor for the product that made it."""
    request = product.ask(account)
    for principal in (product.account.user(allow("*")), server.account(f"third-{verb}").user(allow("*"))):
        with refused("NoSuchEntity", f"The delegation request with id {request} cannot be found."):
            by_id(principal.iam, verb, request)
    with refused("NoSuchEntity", f"The delegation request with id {NONE} cannot be found."):
        by_id(administrator.iam, verb)
    assert state(administrator, request) == "UNASSIGNED"


@pytest.mark.parametrize("verb", BY_ID)
def test_who_may_not_ask_does_not_learn_whether_it_is_there(product, nobody, account, verb):
    for request in (product.ask(account), NONE):
        with refused("AccessDenied", denial(nobody.arn, f"iam:{verb.capitalize()}DelegationRequest", account.arn(f"delegation-request/{request}"))):
            by_id(nobody.iam, verb, request)


def test_the_owner_may_look_at_its_request_and_pass_it_on_with_no_policy_that_says_so(product, account, administrator, nobody):
    owner = account.user(allow("iam:AssociateDelegationRequest"))
    request = product.ask(account)
    take_up(owner, request)
    assert state(owner, request) == "ASSIGNED"
    summary = owner.iam.get_human_readable_summary(EntityArn=account.arn(f"delegation-request/{request}"))
    assert summary["SummaryState"] == "AVAILABLE"
    owner.iam.update_delegation_request(DelegationRequestId=request)
    for verb in ("accept", "reject"):
        with refused("AccessDenied"):
            by_id(owner.iam, verb, request)
    with refused("AccessDenied"):
        owner.iam.send_delegation_token(DelegationRequestId=request)
    with refused("AccessDenied"):
        shown(nobody, request)
    account.iam.put_user_policy(UserName=owner.name, PolicyName="denied", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [deny("iam:GetDelegationRequest")]}))
    with refused("AccessDenied"):
        shown(owner, request)


def test_who_has_the_owners_name_now_is_not_the_owner(product, account):
    owner = account.user(allow("iam:AssociateDelegationRequest"))
    request = product.ask(account)
    take_up(owner, request)
    assert state(owner, request) == "ASSIGNED"
    account.iam.delete_user_policy(UserName=owner.name, PolicyName="granted")
    account.iam.delete_access_key(UserName=owner.name, AccessKeyId=owner.key_id)
    account.iam.delete_user(UserName=owner.name)
    with refused("AccessDenied"):
        shown(account.user(name=owner.name), request)


def test_policies_may_be_bound_to_the_owner(product, account, administrator):
    user = account.user(allow("iam:AssociateDelegationRequest"), allow("iam:RejectDelegationRequest", "*", {"StringEquals": {"iam:DelegationRequestOwner": "${aws:PrincipalArn}"}}))
    own, other = product.ask(account), product.ask(account)
    take_up(user, own)
    take_up(administrator, other)
    by_id(user.iam, "reject", own)
    with refused("AccessDenied"):
        by_id(user.iam, "reject", other)
    lister = account.user(allow("iam:ListDelegationRequests", "*", {"StringEquals": {"iam:DelegationRequestOwner": "${aws:PrincipalArn}"}}))
    assert lister.iam.list_delegation_requests(OwnerId=lister.arn)["DelegationRequests"] == []
    for asked in ({}, {"OwnerId": user.arn}):
        with refused("AccessDenied"):
            lister.iam.list_delegation_requests(**asked)


def test_requests_are_listed_once_they_have_an_owner(product, server):
    account = server.account("lists-requests")
    users = [account.user(allow("*")) for _ in range(2)]
    asked = [product.ask(account) for _ in range(6)]
    assert body(account.iam.list_delegation_requests()) == {"DelegationRequests": [], "isTruncated": False}
    for nth, request in enumerate(asked[:5]):
        take_up(users[nth % 2], request)
    every = account.iam.list_delegation_requests()
    assert not every["isTruncated"] and {each["DelegationRequestId"] for each in every["DelegationRequests"]} == set(asked[:5])
    assert {each["DelegationRequestId"] for each in account.iam.list_delegation_requests(OwnerId=users[1].arn)["DelegationRequests"]} == {asked[1], asked[3]}
    seen, more = [], {}
    while True:
        page = account.iam.list_delegation_requests(MaxItems=2, **more)
        seen += [each["DelegationRequestId"] for each in page["DelegationRequests"]]
        assert page["isTruncated"] == ("Marker" in page) and len(page["DelegationRequests"]) <= 2
        if not page["isTruncated"]:
            break
        more = {"Marker": page["Marker"]}
    assert sorted(seen) == sorted(asked[:5])
    with refused("ValidationError", "Invalid Marker."):
        account.iam.list_delegation_requests(Marker="AAAA")


def test_it_is_said_whether_the_caller_could_do_what_is_asked_for(product, account):
    request = product.ask(account)
    check = {"DelegationPermissionCheck": True}
    may = allow(["s3:*", "iam:ListUsers"])
    look = allow("iam:GetDelegationRequest")
    mfa = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    for statements, result in (
        ([look, may], "ALLOWED"), ([look], "DENIED"), ([look, allow("s3:*")], "DENIED"), ([look, may, deny("s3:PutObject")], "DENIED"),
        ([look, allow("iam:ListUsers"), allow("s3:*", "*", {"StringEquals": {"s3:ExistingObjectTag/a": "b"}})], "UNSURE"),
    ):
        got = shown(account.user(*statements), request, **check)
        assert (got["PermissionCheckStatus"], got["PermissionCheckResult"]) == ("COMPLETE", result), statements
    assert shown(account.user(look, allow("*", "*", mfa)), request, **check)["PermissionCheckResult"] in ("DENIED", "UNSURE")


def test_the_boundaries_of_roles_that_would_be_made_are_named(server, other_account, administrator):
    boundary = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    template = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": ["iam:CreateRole", "iam:PutRolePolicy"], "Resource": "*",
                                                       "Condition": {"StringEquals": {"iam:PermissionsBoundary": boundary}}}}
    product = Product(server, other_account, statements=template)
    request = product.ask(Permissions={"PolicyTemplateArn": product.template})
    assert shown(administrator, request)["DelegationRequest"]["RolePermissionRestrictionArns"] == [boundary]


def test_a_request_is_said_in_words_that_come_of_its_policy(product, account, administrator):
    request = product.ask(account, SessionDuration=1800)
    entity = {"EntityArn": account.arn(f"delegation-request/{request}")}
    got = administrator.iam.get_human_readable_summary(**entity)
    assert (got["SummaryState"], got["Locale"]) == ("AVAILABLE", "en")
    for words in (product.account.id, "30 minutes", "It may do s3:PutObject on arn:aws:s3:::logs/a/*, arn:aws:s3:::logs/b/*.", "s3:GetObject, iam:ListUsers"):
        assert words in got["SummaryContent"], words
    other = administrator.iam.get_human_readable_summary(**entity, Locale="de-DE")
    assert (other["SummaryState"], other["Locale"]) == ("NOT_SUPPORTED", "de-DE") and "SummaryContent" not in other
    with refused("NoSuchEntity"):
        administrator.iam.get_human_readable_summary(EntityArn=account.arn(f"delegation-request/{NONE}"))
    with refused("InvalidInput"):
        administrator.iam.get_human_readable_summary(EntityArn=administrator.arn)
    with refused("ValidationError", "Invalid ARN:  Could not be parsed!"):
        administrator.iam.get_human_readable_summary(EntityArn="delegation-request/none")


def test_a_request_ends_where_nobody_does_anything(tmp_path):
    server = turned_server(tmp_path)
    server.start()
    account = server.first_account()
    product = Product(server, server.account("patient-product"))
    left, taken = product.ask(account), product.ask(account)
    take_up(account.root, taken)
    server.turn(DAY + 60)
    with clock(DAY + 60):
        assert (state(account.root, left), state(account.root, taken)) == ("EXPIRED", "ASSIGNED")
        with refused("InvalidInput", f"The delegation request {left} is in the state EXPIRED."):
            take_up(account.root, left)
        account.iam.accept_delegation_request(DelegationRequestId=taken)
        account.iam.send_delegation_token(DelegationRequestId=taken)
    server.turn(8 * DAY + 120)
    with clock(8 * DAY + 120):
        assert state(account.root, taken) == "EXPIRED"
        assert product.notices()[taken]["state"] == "EXPIRED" and product.token(taken) is None
    server.turn(0)
    assert state(account.root, left) == "UNASSIGNED", "the record is as it was: what ended was its time"
    server.turn(100 * DAY)
    with clock(100 * DAY):
        product.ask(account)
        assert left not in product.notices(), "what expired long ago is kept no longer"
    server.kill()


def test_templates_are_kept_by_command(server, other_account):
    arn = "arn:aws:iam::partner:delegation-template/commands.example.com/One"
    text = json.dumps(TEMPLATE)
    server.run("template", "add", arn, "-", "--for", other_account.id, stdin=text)
    assert f"{arn}\t{other_account.id}" in server.run("template", "list").stdout.splitlines()
    for again in ([arn, "-", "--for", other_account.id], ["arn:aws:s3:::bucket", "-", "--for", other_account.id], ["no ARN", "-", "--for", other_account.id],
                  [f"{arn}2", "-", "--for", "999999999999"]):
        assert server.run("template", "add", *again, stdin=text, check=False).returncode != 0, again
    assert server.run("template", "add", f"{arn}3", "-", "--for", other_account.id, stdin='{"Statement": [', check=False).returncode != 0
    server.run("template", "remove", arn)
    assert arn not in server.run("template", "list").stdout
    assert server.run("template", "remove", arn, check=False).returncode != 0
    events = [json.loads(line) for line in server.trail().splitlines()]
    for name in ("AddPolicyTemplate", "RemovePolicyTemplate"):
        assert any(event["eventName"] == name and event["userIdentity"].get("invokedBy") == "operator" for event in events), name


def test_templates_are_kept_by_signed_requests_of_the_operators_account(server, other_account, account):
    operator = server.first_account()
    arn = "arn:aws:iam::partner:delegation-template/signed.example.com/One"
    template = {"arn": arn, "product": other_account.id, "document": json.dumps(TEMPLATE)}
    steps = [("/policy-templates", "bailiwick:AddPolicyTemplate", template), ("/policy-templates/list", "bailiwick:ListPolicyTemplates", {}),
             ("/policy-templates/remove", "bailiwick:RemovePolicyTemplate", {"arn": arn})]
    for path, action, members in steps:
        reply = admin(operator.user({"Effect": "Allow", "NotAction": action, "Resource": "*"}), path, **members)
        assert reply.status == 403 and action in reply.text, (path, reply)
        foreign = admin(account.root, path, **members)
        assert (foreign.status, foreign.json["__type"]) == (403, "AccessDeniedException"), path
        done = admin(operator.user(allow(action)), path, **members)
        assert done.status == 200, (path, done)
    for path, members, status in (("/policy-templates/remove", {"arn": arn}, 404), ("/policy-templates", {**template, "document": "{}"}, 400),
                                  ("/policy-templates", {**template, "product": "999999999999"}, 400), ("/policy-templates", {"arn": arn}, 400)):
        assert admin(operator.root, path, **members).status == status, (path, members)
    assert admin(operator.root, "/policy-templates", **template).status == 200
    assert admin(operator.root, "/policy-templates", **template).status == 409
    assert any(each["arn"] == arn for each in admin(operator.root, "/policy-templates/list").json["templates"])
    assert admin(operator.root, "/policy-templates/remove", arn=arn).status == 200


def test_a_product_is_told_of_its_own_requests_only_and_by_permission(product, account, server, administrator):
    request = product.ask(account)
    stranger = server.account("curious-product")
    assert product.notices(stranger.root) == {} and request not in product.notices(administrator)
    reply = admin(product.account.user(allow("iam:*")), "/delegation-notices")
    assert reply.status == 403 and "bailiwick:ListDelegationNotices" in reply.text
    assert admin(product.user, "/delegation-notices", nextToken="?").status == 400
    notice = product.notices()[request]
    assert (notice["state"], notice["ownerAccountId"], notice["notificationChannel"]) == ("UNASSIGNED", account.id, product.topic)


def test_no_role_template_is_there(account, nobody):
    template = "arn:aws:iam::aws:role-template/none"
    with refused("NoSuchEntity", f"Role template {template} cannot be found."):
        account.iam.acquire_role(TemplateArn=template, ReplacementValues={"Name": {"Values": ["x"]}})
    with refused("NoSuchEntity"):
        account.iam.get_role_template_version(TemplateArn=template, MinorVersion=1)
    with refused("ValidationError", "Invalid ARN:  Could not be parsed!"):
        account.iam.get_role_template_version(TemplateArn="role-template/none/none")
    with refused("AccessDenied"):
        nobody.iam.acquire_role(TemplateArn=template)
