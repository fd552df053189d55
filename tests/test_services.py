"""Services that the operator registers: what they may do in their own name, and what they may not."""

import json

import pytest

from harness import ledger
from harness.asking import ask, check, decide, post, resource_policy, signed_request, unsigned_request
from harness.expecting import refused
from harness.principals import allow, document, fresh, trust
from harness.services import Service, registered
from test_trail import event

ALLOWED, IMPLICIT = "Allowed", "ImplicitlyDenied"


@pytest.fixture(scope="module")
def thumbs(server):
    return registered(server, "thumbs.example.internal")


def trusting(account, service, condition=None, *statements):
    return account.role(*statements, trusted=trust({"Service": service.name}, condition=condition))


def test_services_are_added_listed_and_removed_by_command(server):
    made = registered(server, None, "one.example:80", "two.example")
    assert f"{made.name}\tone.example:80 two.example\n" in server.run("service", "list").stdout
    assert made.identity()["UserId"] == made.name
    again = server.run("service", "add", made.name, check=False)
    assert again.returncode != 0 and "already" in again.stderr
    server.run("service", "remove", made.name)
    assert made.name not in server.run("service", "list").stdout
    with refused("InvalidClientTokenId"):
        made.identity()
    gone = server.run("service", "remove", made.name, check=False)
    assert gone.returncode != 0 and "no service" in gone.stderr


def test_commands_work_without_a_server_too(own_server):
    own_server.start()
    own_server.terminate()
    own_server.run("service", "add", "quiet.example.internal")
    assert own_server.run("service", "list").stdout == "quiet.example.internal\tquiet.example.internal\n"


def test_a_new_key_ends_the_old_one(server):
    old = registered(server)
    printed = server.run("service", "reset-key", old.name).stdout
    assert old.name in printed
    with refused("InvalidClientTokenId"):
        old.identity()


@pytest.mark.parametrize("name", ["thumbs", "Thumbs.example.internal", "*.example.internal", "lambda.amazonaws.com.", "l\u0430mbda.amazonaws.com", "127.0.0.1", "a.b:80", "${aws:username}.b"])
def test_a_name_that_is_no_plain_host_name_is_refused(server, name):
    done = server.run("service", "add", name, check=False)
    assert done.returncode != 0 and "host name" in done.stderr


def test_a_service_assumes_a_role_that_trusts_it(server, account, thumbs):
    role = trusting(account, thumbs, None, allow("iam:ListUsers"))
    session = thumbs.assume(role, "made")
    assert session.identity()["Arn"] == f"arn:aws:sts::{account.id}:assumed-role/{role.name}/made"
    session.iam.list_users()
    other = registered(server)
    with refused("AccessDenied"):
        other.assume(role)
    with refused("AccessDenied"):
        thumbs.assume(account.role(allow("*")))
    with refused("AccessDenied"):
        thumbs.assume(account.role(trusted=trust({"AWS": "*"})))


def test_only_registered_services_and_awss_are_named_in_trust_policies(server, account):
    made = registered(server)
    account.role(trusted=trust({"Service": made.name}))
    unknown = f"{fresh('unknown')}.example.internal"
    with refused("MalformedPolicyDocument", f'Invalid principal in policy: "SERVICE":"{unknown}"'):
        account.role(trusted=trust({"Service": unknown}))


def test_a_confused_deputy_is_stopped_by_the_source(account, other_account, thumbs):
    """Whoever makes the service act for a resource of another account does not get this account's role."""
    queue = f"arn:aws:sqs:us-east-1:{account.id}:q"
    role = trusting(account, thumbs, {"StringEquals": {"aws:SourceAccount": account.id}, "ArnEquals": {"aws:SourceArn": queue}})
    thumbs.assume(role, arn=queue)
    thumbs.assume(role, arn=queue, account=account.id)
    for arn, whose in [(None, None), (queue.replace("q", "r"), None), (f"arn:aws:sqs:us-east-1:{other_account.id}:q", None), (None, account.id), ("arn:aws:s3:::q", other_account.id),
                       (queue.replace(":q", ":Q"), account.id), (queue.upper().replace("ARN:AWS:SQS", "arn:aws:sqs"), account.id)]:
        with refused("AccessDenied"):
            thumbs.assume(role, arn=arn, account=whose)
    with refused("ValidationError", "x-amz-source-arn and x-amz-source-account name two accounts"):
        thumbs.assume(role, arn=queue, account=other_account.id)
    with refused("ValidationError", "x-amz-source-arn is no ARN"):
        thumbs.assume(role, arn="queue")


def test_the_source_means_nothing_from_whoever_is_no_service(account, thumbs):
    queue = f"arn:aws:sqs:us-east-1:{account.id}:q"
    user = account.user(allow("sts:AssumeRole"))
    role = account.role(trusted=trust(account.id, condition={"StringEquals": {"aws:SourceAccount": account.id}}))
    client = Service.acting_for(user, queue, account.id)
    with refused("AccessDenied"):
        client.assume_role(RoleArn=role.arn, RoleSessionName="session")


def test_what_is_true_of_a_service_is_seen_by_policies(account, thumbs):
    for condition, seen in [
        ({"Bool": {"aws:PrincipalIsAWSService": "true"}}, True),
        ({"Bool": {"aws:PrincipalIsAWSService": "false"}}, False),
        ({"StringEquals": {"aws:PrincipalServiceName": thumbs.name}}, True),
        ({"ForAnyValue:StringEquals": {"aws:PrincipalServiceNamesList": [thumbs.name]}}, True),
        ({"Bool": {"aws:ViaAWSService": "false"}}, True),
        ({"Null": {"aws:PrincipalAccount": "true", "aws:CalledVia": "true", "aws:PrincipalArn": "true"}}, True),
    ]:
        role = account.role(trusted=document({"Effect": "Allow", "Principal": {"Service": thumbs.name}, "Action": "sts:AssumeRole", "Condition": condition}))
        if seen:
            thumbs.assume(role)
        else:
            with refused("AccessDenied"):
                thumbs.assume(role)


def test_a_service_calls_nothing_else(account, thumbs):
    """Neither what policies allow everybody, nor what AWS asks no permission for."""
    for call in (thumbs.sts.get_session_token, lambda: thumbs.sts.get_federation_token(Name="fed"), thumbs.iam.list_users, thumbs.iam.get_user, thumbs.iam.list_access_keys,
                 lambda: thumbs.iam.create_user(UserName="x"), lambda: thumbs.sts.get_access_key_info(AccessKeyId="AKIARZPUZDIKGB2VALC4")):
        with refused("AccessDenied"):
            call()


def test_a_services_doings_are_in_the_trail_of_the_role(server, account, thumbs):
    role = trusting(account, thumbs)
    reply = thumbs.acting_for(f"arn:aws:sqs:us-east-1:{account.id}:q").assume_role(RoleArn=role.arn, RoleSessionName="traced")
    made = event(server, reply)
    assert made["userIdentity"] == {"type": "AWSService", "invokedBy": thumbs.name}
    assert made["sourceIPAddress"] == thumbs.name and made["additionalEventData"]["clientAddress"] == "127.0.0.1"
    assert made["recipientAccountId"] == account.id
    with refused("AccessDenied") as told:
        thumbs.assume(account.role())
    denied = event(server, told.request_id)
    assert denied["userIdentity"] == {"type": "AWSService", "invokedBy": thumbs.name} and denied["recipientAccountId"] == account.id
    explained = json.loads(server.run("explain", told.request_id).stdout)
    assert explained["events"][0]["checks"][0]["because"] == "trust"


def test_a_resource_policy_names_a_service(account, thumbs):
    store = account.user(allow("bailiwick:Authorize"))
    named = check(resourcePolicy=resource_policy({"Service": thumbs.name}))
    assert decide(store, signed_request(thumbs), named) == [(ALLOWED, "resource")]
    assert decide(store, signed_request(thumbs)) == [(IMPLICIT, "resource")]
    bound = check(resourcePolicy=resource_policy({"Service": thumbs.name}, Condition={"ArnLike": {"aws:SourceArn": f"arn:aws:sqs:*:{account.id}:*"}, "StringEquals": {"aws:SourceAccount": account.id}}))
    assert decide(store, signed_request(thumbs), bound) == [(IMPLICIT, "resource")]
    acting = signed_request(thumbs, headers=[("x-amz-source-arn", f"arn:aws:sqs:us-east-1:{account.id}:q")])
    assert decide(store, acting, bound) == [(ALLOWED, "resource")]
    shown = ask(store, acting, bound)["principal"]
    assert (shown["type"], shown["service"]) == ("Service", thumbs.name) and "arn" not in shown and "account" not in shown
    user = account.user(allow("s3:GetObject"))
    assert decide(store, signed_request(user), check(resourcePolicy=resource_policy({"Service": thumbs.name}, effect="Deny"))) == [(ALLOWED, "identity")]


def test_an_asker_cannot_say_what_a_service_acts_for(account, thumbs):
    store, user = account.user(allow("bailiwick:Authorize")), account.user()
    for key in ("aws:SourceArn", "aws:SourceAccount", "aws:SourceOrgID", "aws:CalledVia", "aws:ViaAWSService", "aws:PrincipalIsAWSService", "aws:PrincipalServiceName"):
        assert post(store, {"request": signed_request(user), "checks": [check(context={key: "x"})]}).status == 400, key


def test_a_service_asks_about_requests_to_its_own_hosts_only(server, account, thumbs):
    alice = account.user(allow("s3:GetObject"))
    mine = check(resourceAccount=account.id)
    assert decide(thumbs, signed_request(alice), mine) == [(ALLOWED, "identity")]
    assert decide(thumbs, unsigned_request(), mine)[0][0] == IMPLICIT
    elsewhere = signed_request(alice, host="other.example:9000")
    reply = post(thumbs, {"request": elsewhere, "checks": [mine]})
    assert reply.status == 403 and "bailiwick:Authorize" in reply.text, reply
    for_nobody = post(thumbs, {"request": signed_request(alice), "checks": [check()]})
    assert for_nobody.status == 400 and "resourceAccount" in for_nobody.text
    explained = ask(thumbs, signed_request(alice), mine, explain=True)
    assert set(explained["decisions"][0]["explanation"]) == {"because", "effect"}, "whose policies decided is not a service's to see"


def test_iam_pass_role_is_asked_about_a_role_of_the_callers_account(account, other_account):
    store = account.user(allow("bailiwick:Authorize"))
    role = account.role(trusted=trust({"Service": "lambda.amazonaws.com"}))
    condition = {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}, "ArnLike": {"iam:AssociatedResourceArn": f"arn:aws:lambda:*:{account.id}:function:*"}}
    alice = account.user(allow("iam:PassRole", role.arn, condition))
    said = {"iam:PassedToService": "lambda.amazonaws.com", "iam:AssociatedResourceArn": f"arn:aws:lambda:us-east-1:{account.id}:function:f"}
    passing = {"action": "iam:PassRole", "resource": role.arn}
    assert decide(store, signed_request(alice), {**passing, "context": said}) == [(ALLOWED, "identity")]
    assert decide(store, signed_request(alice), passing) == [(IMPLICIT, "identity")]
    assert decide(store, signed_request(alice), {**passing, "context": {**said, "iam:PassedToService": "ec2.amazonaws.com"}}) == [(IMPLICIT, "identity")]
    stranger = other_account.user(allow("iam:PassRole"))
    assert decide(store, signed_request(stranger), passing)[0][0] == IMPLICIT, "a role of another account cannot be passed"
    for wrong in ({"resource": "*"}, {"resource": account.arn("role/*")}, {"resourceAccount": other_account.id}, {"resourcePolicy": resource_policy("*", "iam:PassRole", role.arn)}):
        reply = post(store, {"request": signed_request(alice), "checks": [{**passing, **wrong}]})
        assert reply.status == 400, (wrong, reply)


def admin(principal, path, **members):
    return post(principal, members, path=path)


def test_services_are_administered_by_signed_requests_too(server):
    operator = server.first_account()
    name = f"{fresh('signed')}.example.internal"
    made = admin(operator.root, "/services", name=name, hosts=["signed.example:80"])
    assert made.status == 200, made
    service = Service(server, name, made.json["accessKeyId"], ledger.keep(made.json["secretAccessKey"], "a service's secret"))
    assert made.json["service"] == {"name": name, "arn": f"arn:aws:bailiwick::{operator.id}:service/{name}", "hosts": ["signed.example:80"], "created": made.json["service"]["created"]}
    assert service.identity() == {"UserId": name, "Account": operator.id, "Arn": made.json["service"]["arn"]}
    again = admin(operator.root, "/services", name=name)
    assert (again.status, again.json["__type"]) == (409, "ConflictException")
    listed, token = [], None
    while True:
        page = admin(operator.root, "/services/list", **({"nextToken": token} if token else {})).json
        listed += [each["name"] for each in page["services"]]
        token = page.get("nextToken")
        if not token:
            break
    assert name in listed and listed == sorted(listed)
    keyed = admin(operator.root, "/services/reset-key", name=name)
    ledger.keep(keyed.json["secretAccessKey"], "a service's secret")
    with refused("InvalidClientTokenId"):
        service.identity()
    Service(server, name, keyed.json["accessKeyId"], keyed.json["secretAccessKey"]).identity()
    assert admin(operator.root, "/services/remove", name=name).json == {}
    assert name not in server.run("service", "list").stdout
    for path in ("/services/remove", "/services/reset-key"):
        gone = admin(operator.root, path, name=name)
        assert (gone.status, gone.json["__type"]) == (404, "ResourceNotFoundException")
    for wrong in ({"name": "Thumbs.example"}, {"name": name, "hosts": ["*"]}, {"name": name, "hosts": ["h"] * 21}, {"name": name, "more": 1}, {}):
        assert admin(operator.root, "/services", **wrong).status == 400, wrong
    assert admin(operator.root, "/services/list", nextToken="?").status == 400


def test_more_services_than_a_page_holds_are_listed_all(own_server):
    own_server.start()
    names = [f"s{number:03}.example.internal" for number in range(103)]
    for name in names:
        ledger.keep(admin(own_server.root, "/services", name=name).json["secretAccessKey"], "a service's secret")
    first = admin(own_server.root, "/services/list").json
    second = admin(own_server.root, "/services/list", nextToken=first["nextToken"]).json
    assert [each["name"] for each in first["services"] + second["services"]] == names and "nextToken" not in second
    assert [line.split("\t")[0] for line in own_server.run("service", "list").stdout.splitlines()] == names


def test_each_administering_operation_needs_its_own_action(server):
    operator = server.first_account()
    name = f"{fresh('denied')}.example.internal"
    arn = f"arn:aws:bailiwick::{operator.id}:service/{name}"
    for path, action, members in [("/services", "bailiwick:AddService", {"name": name}), ("/services/list", "bailiwick:ListServices", {}),
                                  ("/services/reset-key", "bailiwick:ResetServiceKey", {"name": name}), ("/services/remove", "bailiwick:RemoveService", {"name": name})]:
        reply = admin(operator.user({"Effect": "Allow", "NotAction": action, "Resource": "*"}), path, **members)
        assert reply.status == 403 and action in reply.text, (path, reply)
        allowed = admin(operator.user(allow(action, "*" if path == "/services/list" else arn)), path, **members)
        assert allowed.status == 200, (path, allowed)
        ledger.keep(allowed.json.get("secretAccessKey"), "a service's secret")


def test_only_the_operators_account_registers_services_and_no_name_of_awss(server, account):
    """A name is believed in every account, so none of them may take one."""
    name = f"{fresh('taken')}.example.internal"
    for path, members in (("/services", {"name": name}), ("/services/list", {}), ("/services/reset-key", {"name": name}), ("/services/remove", {"name": name})):
        reply = admin(account.root, path, **members)
        assert (reply.status, reply.json["__type"]) == (403, "AccessDeniedException"), (path, reply)
    operator = server.first_account()
    for awss in ("lambda.amazonaws.com", "x.lambda.amazonaws.com", "amazonaws.com", "lambda.amazonaws.com.cn"):
        assert admin(operator.root, "/services", name=awss).status == 400
    registered(server, "lambda.amazonaws.com")
    assert admin(operator.root, "/services/reset-key", name="lambda.amazonaws.com").status == 400
    server.run("service", "remove", "lambda.amazonaws.com")
