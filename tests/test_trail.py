"""The audit trail: every call is one event in CloudTrail's form, with what decided it, and without any secret."""

import json
import re
import time

import pytest

from harness.expecting import refused
from harness.principals import Principal, allow, deny, document, fresh, trust
from harness.signing import FORM, presign, query, send

ALWAYS = {"eventVersion", "userIdentity", "eventTime", "eventSource", "eventName", "awsRegion", "sourceIPAddress", "userAgent", "requestParameters", "responseElements", "requestID", "eventID",
          "readOnly", "eventType", "managementEvent", "recipientAccountId", "eventCategory"}
UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def events(server, request_id, within=5):
    """The events of a request. Those of reads may be a second late."""
    end = time.monotonic() + within
    while True:
        found = [json.loads(line) for line in server.trail().splitlines() if request_id in line]
        if found or time.monotonic() > end:
            return [event for event in found if event["requestID"] == request_id]
        time.sleep(0.1)


def event(server, reply):
    """The one event of a boto3 reply, or of a request id."""
    request_id = reply if isinstance(reply, str) else reply["ResponseMetadata"]["RequestId"]
    found = events(server, request_id)
    assert len(found) == 1, found
    return found[0]


def test_a_write_is_recorded_before_it_is_answered(server, account):
    """No waiting here: the answer is the promise."""
    name = fresh("recorded")
    reply = account.iam.create_user(UserName=name, Path="/p/", Tags=[{"Key": "team", "Value": "red"}])
    found = events(server, reply["ResponseMetadata"]["RequestId"], within=0)
    assert len(found) == 1
    made = found[0]
    assert ALWAYS <= set(made), ALWAYS - set(made)
    assert made["eventVersion"] == "1.11" and made["eventSource"] == "iam.amazonaws.com" and made["eventName"] == "CreateUser"
    assert made["eventType"] == "AwsApiCall" and made["eventCategory"] == "Management" and made["managementEvent"] is True and made["readOnly"] is False
    assert made["awsRegion"] == "us-east-1" and made["sourceIPAddress"] == "127.0.0.1" and "Boto3" in made["userAgent"] and made["recipientAccountId"] == account.id
    assert re.fullmatch(UUID, made["eventID"]) and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", made["eventTime"])
    assert made["requestParameters"] == {"userName": name, "path": "/p/", "tags": [{"key": "team", "value": "red"}]}
    assert made["responseElements"]["user"]["arn"] == account.arn(f"user/p/{name}")
    assert "errorCode" not in made
    identity = made["userIdentity"]
    assert (identity["type"], identity["principalId"], identity["arn"], identity["accountId"], identity["accessKeyId"]) == ("Root", account.id, account.root_arn, account.id, account.root.key_id)


def test_a_read_is_recorded_within_a_second(server, account):
    reply = account.iam.list_users(MaxItems=1)
    time.sleep(1.2)
    found = events(server, reply["ResponseMetadata"]["RequestId"], within=0.5)
    assert len(found) == 1 and found[0]["readOnly"] is True and found[0]["responseElements"] is None
    assert found[0]["requestParameters"] == {"maxItems": 1}


def test_a_user_is_an_iam_user(server, account):
    user = account.user(allow("iam:ListUsers"), Path="/x/")
    identity = event(server, user.iam.list_users())["userIdentity"]
    assert (identity["type"], identity["principalId"], identity["arn"], identity["userName"], identity["accessKeyId"]) == ("IAMUser", user.unique_id, user.arn, user.name, user.key_id)
    assert "sessionContext" not in identity


def test_a_session_names_its_issuer(server, account):
    user = account.user(allow("sts:*"))
    role = account.role(allow("iam:ListUsers"), Path="/deep/", trusted=trust(account.id, ["sts:AssumeRole", "sts:SetSourceIdentity"]))
    session = user.assume(role, "s1", SourceIdentity="alice")
    identity = event(server, session.iam.list_users())["userIdentity"]
    assert (identity["type"], identity["principalId"], identity["arn"], identity["accessKeyId"]) == ("AssumedRole", f"{role.unique_id}:s1", session.arn, session.key_id)
    context = identity["sessionContext"]
    assert context["sessionIssuer"] == {"type": "Role", "principalId": role.unique_id, "arn": role.arn, "accountId": account.id, "userName": role.name}
    assert context["attributes"]["mfaAuthenticated"] == "false" and context["attributes"]["creationDate"]
    assert context["sourceIdentity"] == "alice"


def test_a_federated_user_and_a_users_token(server, account):
    user = account.user(allow("sts:*"))
    federated = user.federate("bob")
    identity = event(server, federated.sts.get_caller_identity())["userIdentity"]
    assert (identity["type"], identity["principalId"], identity["arn"]) == ("FederatedUser", f"{account.id}:bob", federated.arn)
    assert identity["sessionContext"]["sessionIssuer"]["type"] == "IAMUser" and identity["sessionContext"]["sessionIssuer"]["arn"] == user.arn
    identity = event(server, user.session_token().sts.get_caller_identity())["userIdentity"]
    assert identity["type"] == "IAMUser" and identity["sessionContext"]["attributes"]["mfaAuthenticated"] == "false"


def test_a_denied_call_is_recorded_with_its_sentence(server, account):
    user = account.user(allow("*"), deny("iam:DeleteUser"))
    with refused("AccessDenied") as told:
        user.iam.delete_user(UserName="victim")
    made = event(server, told.request_id)
    assert made["errorCode"] == "AccessDenied" and made["errorMessage"] == told.message
    assert made["requestParameters"] == {"userName": "victim"} and made["responseElements"] is None


def test_a_failed_call_is_recorded_with_its_code(server, account):
    with refused("NoSuchEntity") as told:
        account.iam.delete_user(UserName="there-is-none")
    made = event(server, told.request_id)
    assert made["errorCode"] in {"NoSuchEntity", "NoSuchEntityException"} and made["errorMessage"] == told.message
    with refused("ValidationError") as told:
        account.root.unchecked().get_user(UserName="x" * 200)
    assert event(server, told.request_id)["errorCode"] in {"ValidationError", "ValidationException"}


def test_the_deciding_policy_and_the_revision_are_in_it(server, account):
    user = account.user()
    arn = account.policy(allow("iam:ListUsers", Sid="Lister"))
    account.iam.attach_user_policy(UserName=user.name, PolicyArn=arn)
    made = json.dumps(event(server, user.iam.list_users()))
    assert arn in made and "Lister" in made
    assert re.search(r'"revision": ?"?\d+', made)


def test_an_assumed_role_is_recorded_without_its_secrets(server, account):
    user = account.user(allow("sts:*"))
    role = account.role(trusted=trust(account.id, ["sts:AssumeRole", "sts:TagSession"]))
    reply = user.sts.assume_role(RoleArn=role.arn, RoleSessionName="s1", DurationSeconds=900, Tags=[{"Key": "a", "Value": "b"}], TransitiveTagKeys=["a"], ExternalId="external", Policy=document(allow("s3:*")))
    made = event(server, reply)
    parameters = made["requestParameters"]
    assert parameters["roleArn"] == role.arn and parameters["roleSessionName"] == "s1" and parameters["durationSeconds"] == 900 and parameters["transitiveTagKeys"] == ["a"]
    text = json.dumps(made)
    assert reply["Credentials"]["SecretAccessKey"] not in text and reply["Credentials"]["SessionToken"] not in text
    assert made["responseElements"]["credentials"]["accessKeyId"] == reply["Credentials"]["AccessKeyId"]
    assert made["responseElements"]["assumedRoleUser"] == {"assumedRoleId": f"{role.unique_id}:s1", "arn": reply["AssumedRoleUser"]["Arn"]}


def test_crossing_accounts_leaves_one_event_on_each_side(server, account, other_account):
    stranger = other_account.user(allow("sts:AssumeRole"))
    role = account.role(trusted=other_account.id)
    reply = stranger.sts.assume_role(RoleArn=role.arn, RoleSessionName="s1")
    found = events(server, reply["ResponseMetadata"]["RequestId"])
    by_account = {each["recipientAccountId"]: each for each in found}
    assert set(by_account) == {account.id, other_account.id}
    assert len({each["sharedEventID"] for each in found}) == 1
    identity = by_account[account.id]["userIdentity"]
    assert identity["type"] == "AWSAccount" and identity["accountId"] == other_account.id and identity["principalId"] == stranger.unique_id
    assert "arn" not in identity and "userName" not in identity


def test_keys_and_passwords_are_not_in_it(server, account):
    user = account.user(key=False)
    reply = account.iam.create_access_key(UserName=user.name)
    made = event(server, reply)
    assert set(made["responseElements"]["accessKey"]) == {"accessKeyId", "status", "userName", "createDate"}
    password = "Never-In-The-Trail-1"
    made = json.dumps(event(server, account.iam.create_login_profile(UserName=user.name, Password=password)))
    assert password not in made and reply["AccessKey"]["SecretAccessKey"] not in made


def test_calls_without_a_caller_are_recorded(server, account):
    reply = send(server, "POST", "/", [("Content-Type", FORM)], b"Action=ListUsers&Version=2010-05-08")
    assert reply.status == 403
    found = events(server, reply.headers["x-amzn-requestid"])
    assert len(found) == 1 and found[0]["errorCode"] == "MissingAuthenticationToken"
    forged = query(Principal(server, account.root.key_id, "x" * 40), "iam", "ListUsers").send()
    found = events(server, forged.headers["x-amzn-requestid"])
    assert len(found) == 1 and found[0]["errorCode"] == "SignatureDoesNotMatch"
    assert "Signature=" not in json.dumps(found) and account.root_arn not in json.dumps(found), "a forged call names nobody"


def test_unauthenticated_calls_are_sampled(own_server):
    """Beyond 100 a second of one source they are counted, not written: the trail cannot be flooded."""
    own_server.start()
    for _ in range(1000):
        send(own_server, "POST", "/", [("Content-Type", FORM)], b"Action=ListUsers&Version=2010-05-08")
    time.sleep(1.5)
    written = own_server.trail().count("MissingAuthenticationToken")
    assert 0 < written < 1000


def test_presigned_urls_leave_no_signature(server, account):
    reply = presign(account.root.session_token(), "sts", "GetCallerIdentity").send()
    text = json.dumps(events(server, reply.headers["x-amzn-requestid"]))
    assert "X-Amz-Signature" not in text and "X-Amz-Security-Token" not in text


def test_every_line_is_json_and_every_event_id_is_unique(server, account):
    for _ in range(5):
        account.iam.list_users(MaxItems=1)
    time.sleep(1.2)
    lines = server.trail().splitlines()
    made = [json.loads(line) for line in lines]
    assert len({each["eventID"] for each in made}) == len(made)


def test_hostile_text_stays_inside_its_event(server, account):
    """A user agent and a parameter that look like further lines."""
    evil = 'x","eventName":"Forged"}'
    reply = query(account.root, "iam", "GetUser", {"UserName": evil + "\n{}"}).adding("User-Agent", evil).send()
    found = events(server, reply.headers["x-amzn-requestid"])
    assert len(found) == 1 and found[0]["eventName"] == "GetUser"


@pytest.mark.parametrize("length", [5_000, 100_000])
def test_long_texts_are_bounded(server, account, length):
    reply = query(account.root, "iam", "GetUser", {"UserName": "x" * length}).send()
    found = events(server, reply.headers["x-amzn-requestid"])
    assert len(json.dumps(found)) < 300_000
