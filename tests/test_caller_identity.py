"""GetCallerIdentity in every form that clients use: header, GET, presigned GET, JSON; and for every kind of caller."""

import email.utils
import re
import urllib.request

import pytest

from harness.expecting import refused
from harness.ledger import keep, note_url
from harness.principals import allow, deny, document, fresh
from harness.signing import NAMESPACES, presign, query

JSON = {"Accept": "application/json"}


@pytest.fixture(scope="module")
def user(account):
    return account.user(name="asker", Path="/some/path/")


def test_root(account):
    assert account.root.identity() == {"UserId": account.id, "Account": account.id, "Arn": account.root_arn}


def test_a_user(account, user):
    assert user.identity() == {"UserId": user.unique_id, "Account": account.id, "Arn": account.arn("user/some/path/asker")}


def test_a_users_session_token_is_still_the_user(account, user):
    assert user.session_token().identity() == user.identity()


def test_a_role_session_drops_the_roles_path(account):
    role = account.role(Path="/deep/down/")
    session = account.user(allow("sts:AssumeRole")).assume(role, "s.e@s,s=i+on_1-")
    assert session.identity() == {"UserId": f"{role.unique_id}:s.e@s,s=i+on_1-", "Account": account.id, "Arn": f"arn:aws:sts::{account.id}:assumed-role/{role.name}/s.e@s,s=i+on_1-"}


def test_a_federated_user(account):
    session = account.user(allow("sts:GetFederationToken")).federate("bob")
    assert session.identity() == {"UserId": f"{account.id}:bob", "Account": account.id, "Arn": f"arn:aws:sts::{account.id}:federated-user/bob"}


def test_no_policy_can_forbid_it(account):
    account.user(deny("*")).identity()
    bounded = account.user(PermissionsBoundary=account.policy(deny("*")))
    bounded.identity()
    session = account.user(allow("sts:AssumeRole")).assume(account.role(deny("*")), Policy=document(deny("*")))
    session.identity()


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1", "aws-global", "ap-southeast-2", "my-own-region-1"])
def test_any_region_in_the_scope_will_do(account, user, region):
    """With a custom endpoint botocore signs every service with the client's own region."""
    assert user.client("sts", region=region).get_caller_identity()["Account"] == account.id
    with refused("AccessDenied"):
        user.client("iam", region=region).list_users()


def members(reply):
    return {name: reply.find(name) for name in ("Arn", "UserId", "Account")}


def expected(account, user):
    return {"Arn": user.arn, "UserId": user.unique_id, "Account": account.id}


def test_the_bare_wire_form(account, user):
    reply = query(user, "sts", "GetCallerIdentity").send()
    assert reply.status == 200 and reply.headers["content-type"].startswith("text/xml")
    assert members(reply) == expected(account, user)
    assert reply.xml.tag == f"{{{NAMESPACES['sts']}}}GetCallerIdentityResponse"
    request_id = reply.find("RequestId")
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", request_id)
    assert reply.headers["x-amzn-requestid"] == request_id
    assert email.utils.parsedate_to_datetime(reply.headers["date"]), "clients read the clock's skew from it"


def test_by_get_with_a_signed_header(account, user):
    reply = query(user, "sts", "GetCallerIdentity", method="GET").send()
    assert reply.status == 200 and members(reply) == expected(account, user)


def test_by_presigned_get(account, user):
    reply = presign(user, "sts", "GetCallerIdentity").send()
    assert reply.status == 200 and members(reply) == expected(account, user)


def test_presigned_by_boto3_itself(account, user):
    url = note_url(user.sts.generate_presigned_url("get_caller_identity", ExpiresIn=60, HttpMethod="GET"))
    with urllib.request.urlopen(url, timeout=10) as reply:
        assert user.arn in reply.read().decode()


def test_presigned_by_a_session(account, user):
    reply = presign(user.session_token(), "sts", "GetCallerIdentity").send()
    assert reply.status == 200 and members(reply) == expected(account, user)


def test_presigned_as_kubernetes_authenticators_do(account, user):
    """A further signed header binds the URL to a cluster; the answer is read as JSON."""
    signed = presign(user, "sts", "GetCallerIdentity", headers={"x-k8s-aws-id": "cluster-1"})
    told = signed.adding("Accept", "application/json").send()
    assert told.status == 200 and told.headers["content-type"].startswith("application/json")
    result = told.json["GetCallerIdentityResponse"]["GetCallerIdentityResult"]
    assert result == {"Account": account.id, "Arn": user.arn, "UserId": user.unique_id}
    assert signed.with_header("x-k8s-aws-id", "cluster-2").send().status == 403
    assert signed.without("x-k8s-aws-id").send().status == 403


def test_accept_json_answers_the_same_tree(account, user):
    reply = query(user, "sts", "GetCallerIdentity", headers=JSON).send()
    assert reply.status == 200
    tree = reply.json
    assert set(tree) == {"GetCallerIdentityResponse"} and set(tree["GetCallerIdentityResponse"]) == {"GetCallerIdentityResult", "ResponseMetadata"}
    assert tree["GetCallerIdentityResponse"]["ResponseMetadata"] == {"RequestId": reply.headers["x-amzn-requestid"]}


def test_accept_json_gives_errors_and_numbers_in_json(account, user):
    reply = query(user, "iam", "ListUsers", headers=JSON).send()
    assert reply.status == 403
    tree = reply.json
    assert set(tree) == {"Error", "RequestId"} and tree["Error"]["Code"] == "AccessDenied" and tree["Error"]["Type"] == "Sender"
    assert tree["Error"]["Message"].startswith(f"User: {user.arn} is not authorized to perform: iam:ListUsers")
    token = query(user, "sts", "GetSessionToken", headers=JSON).send().json["GetSessionTokenResponse"]["GetSessionTokenResult"]["Credentials"]
    keep(token["SecretAccessKey"], "secret"), keep(token["SessionToken"], "token")
    assert isinstance(token["Expiration"], (int, float)), "epoch seconds"
    listed = query(account.root, "iam", "ListUsers", headers=JSON).send().json["ListUsersResponse"]["ListUsersResult"]
    assert listed["IsTruncated"] is False and any(each["UserName"] == "asker" for each in listed["Users"])


def test_accept_json_among_others(account, user):
    """`*/*` and the browser's list mean XML, as ever."""
    for accept in ("*/*", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"):
        assert query(user, "sts", "GetCallerIdentity", headers={"Accept": accept}).send().headers["content-type"].startswith("text/xml")


def test_a_presigned_url_expires(account, user):
    """Signed two minutes ago for one minute."""
    late = presign(user, "sts", "GetCallerIdentity", expires=60, seconds_ago=120).send()
    assert late.status == 403 and late.code == "SignatureDoesNotMatch"
    assert late.message.startswith("Signature expired: ")
    assert presign(user, "sts", "GetCallerIdentity", expires=60, seconds_ago=30).send().status == 200


def test_the_error_has_a_document_of_its_own(account, user):
    reply = query(user, "iam", "ListUsers").send()
    root = reply.xml
    assert root.tag == f"{{{NAMESPACES['iam']}}}ErrorResponse"
    assert [child.tag.rpartition("}")[2] for child in root] == ["Error", "RequestId"]
    assert [child.tag.rpartition("}")[2] for child in root[0]] == ["Type", "Code", "Message"]
    assert reply.find("Type") == "Sender" and reply.find("RequestId") == reply.headers["x-amzn-requestid"]


def test_an_operation_without_output_answers_its_metadata(account):
    name = fresh("user")
    account.iam.create_user(UserName=name)
    reply = query(account.root, "iam", "DeleteUser", {"UserName": name}).send()
    assert reply.status == 200
    assert [child.tag.rpartition("}")[2] for child in reply.xml] == ["ResponseMetadata"]


def test_empty_lists_and_times_on_the_wire(account):
    name = fresh("group")
    account.iam.create_group(GroupName=name)
    reply = query(account.root, "iam", "GetGroup", {"GroupName": name}).send()
    assert reply.find("Users") == "", "an empty list is an empty element"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", reply.find("CreateDate"))
    assert reply.find("IsTruncated") == "false" and reply.find("Marker") is None


def test_the_json_tree_is_the_query_tree(account):
    name = fresh("group")
    account.iam.create_group(GroupName=name)
    tree = query(account.root, "iam", "GetGroup", {"GroupName": name}, headers=JSON).send().json
    result = tree["GetGroupResponse"]["GetGroupResult"]
    assert result["Group"]["GroupName"] == name and result["Users"] == [] and isinstance(result["Group"]["CreateDate"], (int, float))
