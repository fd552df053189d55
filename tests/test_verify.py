"""POST /verify: another server was shown a password, an API key or an SSH key, and asks whose it is and what they may do."""

import base64
import json
import statistics
import time

import pytest

from harness import ledger
from harness.asking import check, post, resource_policy
from harness.expecting import refused
from harness.preloaded import turned_server
from harness.principals import allow, deny, document, fresh
from harness.signing import clock
from test_ssh_public_keys import Pair

GIT, CASSANDRA, BEDROCK, LOGS = "codecommit.amazonaws.com", "cassandra.amazonaws.com", "bedrock.amazonaws.com", "logs.amazonaws.com"
UNKNOWN = {"code": "UnrecognizedClientException", "message": "The security token included in the request is invalid.", "status": 403}
EXPIRED = {"code": "ExpiredTokenException", "message": "The security token included in the request is expired", "status": 403}
BUSY = {"code": "ThrottlingException", "message": "Rate exceeded", "status": 429}


def repository(account, name="website"):
    return f"arn:aws:codecommit:us-east-1:{account.id}:{name}"


def pull(account, name="website", **more):
    return check("codecommit:GitPull", repository(account, name), **more)


def push(account, name="website", **more):
    return check("codecommit:GitPush", repository(account, name), **more)


@pytest.fixture(scope="module")
def asker(account):
    return account.user(allow("bailiwick:VerifyCredential"), name="git-server")


def verify(asker, credential, *checks, service=GIT, **more):
    reply = post(asker, {"service": service, "credential": credential, "checks": list(checks), **more}, path="/verify")
    assert reply.status == 200, reply
    return reply.json


def make(account, user, service=GIT, **more):
    """A credential, as it is shown, and its id."""
    made = account.iam.create_service_specific_credential(UserName=user.name, ServiceName=service, **more)["ServiceSpecificCredential"]
    return shown(made), made["ServiceSpecificCredentialId"]


def shown(made):
    if "ServiceCredentialSecret" in made:
        return {"apiKey": made["ServiceCredentialSecret"]}
    return {"userName": made["ServiceUserName"], "password": made["ServicePassword"]}


def another(credential):
    """The same name with a password that was never made."""
    if "apiKey" in credential:
        name = base64.b64decode(credential["apiKey"][4:]).decode().partition(":")[0]
        return {"apiKey": credential["apiKey"][:4] + base64.b64encode(f"{name}:{'x' * 43}=".encode()).decode()}
    return {**credential, "password": "x" * 43 + "="}


def code(reply):
    return reply.headers.get("x-amzn-errortype", "").split(":")[0]


def decided(answer):
    assert "error" not in answer, answer
    return [each["decision"] for each in answer["decisions"]]


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    return Pair(tmp_path_factory.mktemp("verify"))


@pytest.mark.parametrize("service", [GIT, CASSANDRA, BEDROCK, LOGS])
def test_whose_it_is_and_what_they_may_do(account, asker, service):
    user = account.user(allow("codecommit:GitPull", repository(account)), key=False)
    credential, key_id = make(account, user, service)
    answer = verify(asker, credential, pull(account), push(account), service=service)
    assert set(answer) == {"principal", "credential", "decisions"}
    assert answer["principal"] == {"type": "User", "arn": user.arn, "account": account.id, "userId": user.unique_id}
    assert answer["credential"] == {"id": key_id, "service": service}
    assert [(each["decision"], each["because"]) for each in answer["decisions"]] == [("Allowed", "identity"), ("ImplicitlyDenied", "identity")]
    assert "encodedMessage" in answer["decisions"][1]


def test_without_checks_it_is_only_told_whose_it_is(account, asker):
    user = account.user(key=False)
    answer = verify(asker, make(account, user)[0])
    assert answer["principal"]["arn"] == user.arn and answer["decisions"] == []


def test_a_name_is_taken_in_any_case_and_a_password_is_not(account, asker):
    credential, _ = make(account, account.user(name=fresh("Cased"), key=False))
    assert "principal" in verify(asker, {**credential, "userName": credential["userName"].lower()})
    assert verify(asker, {**credential, "password": credential["password"].swapcase()}) == {"error": UNKNOWN}


@pytest.mark.parametrize("service", [GIT, BEDROCK])
def test_what_is_wrong_is_not_told(account, asker, service):
    """A wrong secret, a name that nobody has, one that is switched off: one answer for all."""
    user = account.user(allow("*"), key=False)
    credential, key_id = make(account, user, service)
    wrong = [another(credential), another(make(account, account.user(key=False), service)[0])]
    if service == GIT:
        wrong += [{**credential, "userName": name} for name in ("nobody-at-999999999999", f"nobody-at-{account.id}", "nobody", "", f"{user.name}+1-at-{account.id}")]
        wrong += [{**credential, "password": password} for password in ("", credential["password"][:-1], credential["password"] + " ")]
    else:
        key = credential["apiKey"]
        wrong += [{"apiKey": each} for each in ("", "ABSK", key[4:], "ACWL" + key[4:], key[:-4], key + "AAAA", "ABSK" + base64.b64encode(b"no colon").decode(), "ABSK" + base64.b64encode(b"\xff:x").decode())]
    for each in wrong:
        assert verify(asker, each, pull(account), service=service) == {"error": UNKNOWN}, each
    assert decided(verify(asker, credential, pull(account), service=service)) == ["Allowed"]
    account.iam.update_service_specific_credential(UserName=user.name, ServiceSpecificCredentialId=key_id, Status="Inactive")
    assert verify(asker, credential, pull(account), service=service) == {"error": UNKNOWN}
    account.iam.update_service_specific_credential(UserName=user.name, ServiceSpecificCredentialId=key_id, Status="Active")
    assert decided(verify(asker, credential, pull(account), service=service)) == ["Allowed"]


def test_a_credential_for_another_service_opens_nothing(account, asker):
    """Each of the four at each of the others, in the form that the other takes."""
    user = account.user(allow("*"), key=False)
    made = {service: make(account, user, service)[0] for service in (GIT, CASSANDRA, BEDROCK, LOGS)}
    for own, credential in made.items():
        for other in made:
            if other == own:
                assert "principal" in verify(asker, credential, service=other)
            elif ("apiKey" in credential) == ("apiKey" in made[other]):
                key = credential.get("apiKey")
                for each in [credential] + ([{"apiKey": made[other]["apiKey"][:4] + key[4:]}] if key else []):
                    assert verify(asker, each, service=other) == {"error": UNKNOWN}, (own, other)
            else:
                reply = post(asker, {"service": other, "credential": credential}, path="/verify")
                assert (reply.status, code(reply)) == (400, "ValidationException"), reply


def test_a_reset_password_cannot_be_replayed(account, asker):
    user = account.user(allow("*"), key=False)
    old, key_id = make(account, user)
    assert "principal" in verify(asker, old)
    new = shown(account.iam.reset_service_specific_credential(UserName=user.name, ServiceSpecificCredentialId=key_id)["ServiceSpecificCredential"])
    assert verify(asker, old) == {"error": UNKNOWN}
    assert "principal" in verify(asker, new)
    account.iam.reset_service_specific_credential(UserName=user.name, ServiceSpecificCredentialId=key_id)
    assert verify(asker, old) == verify(asker, new) == {"error": UNKNOWN}


def test_what_is_taken_away_is_gone_with_the_next_question(account, asker):
    user = account.user(allow("codecommit:*"), key=False)
    credential, key_id = make(account, user)
    assert decided(verify(asker, credential, push(account))) == ["Allowed"]
    account.iam.put_user_policy(UserName=user.name, PolicyName="no", PolicyDocument=document(deny("codecommit:GitPush")))
    assert decided(verify(asker, credential, push(account))) == ["ExplicitlyDenied"]
    account.iam.delete_service_specific_credential(UserName=user.name, ServiceSpecificCredentialId=key_id)
    assert verify(asker, credential, pull(account)) == {"error": UNKNOWN}
    for policy in ("granted", "no"):
        account.iam.delete_user_policy(UserName=user.name, PolicyName=policy)
    account.iam.delete_user(UserName=user.name)
    successor = account.user(allow("*"), name=user.name, key=False)
    assert make(account, successor)[0]["userName"] == credential["userName"]
    assert verify(asker, credential) == {"error": UNKNOWN}, "a user of the same name is another one"


def test_a_renamed_user_keeps_their_credential_and_a_successor_does_not_get_it(account, asker):
    user, new = account.user(key=False), fresh("renamed")
    credential, _ = make(account, user)
    account.iam.update_user(UserName=user.name, NewUserName=new)
    account.user(name=user.name, key=False)
    assert verify(asker, credential)["principal"]["arn"] == account.arn(f"user/{new}")


def test_credential_stuffing_is_bounded(account, asker):
    """Ten wrong ones from one address, then none is looked at; another address and another user are not locked out."""
    user, bystander = account.user(key=False), account.user(key=False)
    (credential, _), (other, _) = make(account, user), make(account, bystander)
    tried = [verify(asker, another(credential), sourceIp="198.51.100.7").get("error") for _ in range(14)]
    assert tried[:10] == [UNKNOWN] * 10 and tried[-1] == BUSY
    assert verify(asker, credential, sourceIp="198.51.100.7") == {"error": BUSY}, "nor is the right one"
    assert "principal" in verify(asker, credential, sourceIp="198.51.100.8")
    assert "principal" in verify(asker, other, sourceIp="198.51.100.7")
    second = account.user(allow("bailiwick:VerifyCredential"))
    assert "principal" in verify(second, credential, sourceIp="198.51.100.7"), "another asker"
    for _ in range(30):
        assert "principal" in verify(second, credential, sourceIp="198.51.100.7"), "right ones are not counted"


def test_many_addresses_do_not_make_many_tries(account, asker):
    credential, _ = make(account, account.user(key=False))
    tried = [verify(asker, another(credential), sourceIp=f"198.51.{n // 200}.{n % 200}").get("error") for n in range(130)]
    assert tried[:100] == [UNKNOWN] * 100 and tried[-1] == BUSY
    for name in (credential["userName"].upper().replace("-AT-", "-at-"), credential["userName"]):
        assert verify(asker, {**credential, "userName": name}, sourceIp="203.0.113.5") == {"error": BUSY}, "in any spelling"


def test_the_time_of_an_answer_tells_no_names(account, asker):
    """A name that nobody has and one with a wrong password, in turns; the medians lie together."""
    credentials = [make(account, account.user(key=False))[0] for _ in range(12)]
    times = {"wrong": [], "nobody": []}
    for turn in range(9):
        for number, credential in enumerate(credentials):
            for kind, name in (("wrong", credential["userName"]), ("nobody", f"nobody-{number:03d}-at-{account.id}")):
                began = time.perf_counter()
                assert verify(asker, {"userName": name, "password": "x" * 44}, sourceIp=f"192.0.2.{turn}") == {"error": UNKNOWN}
                times[kind].append(time.perf_counter() - began)
    wrong, nobody = statistics.median(times["wrong"]), statistics.median(times["nobody"])
    assert 0.6 < wrong / nobody < 1.67, (wrong, nobody)


def test_an_expired_credential_is_dead_and_says_so_to_who_has_it(tmp_path):
    """A day passes: the server's clock is turned, and what is signed is dated as far."""
    server = turned_server(tmp_path)
    server.start()
    account = server.first_account()
    asker, user = account.user(allow("bailiwick:VerifyCredential")), account.user(allow("*"), key=False)
    made = [make(account, user, service, CredentialAgeDays=1) for service in (GIT, BEDROCK)]
    listed = account.iam.list_service_specific_credentials(UserName=user.name)["ServiceSpecificCredentials"]
    for (credential, key_id), service in zip(made, (GIT, BEDROCK)):
        (ends,) = [each["ExpirationDate"] for each in listed if each["ServiceSpecificCredentialId"] == key_id]
        assert verify(asker, credential, service=service)["credential"]["expires"] == ends.strftime("%Y-%m-%dT%H:%M:%SZ")
    server.turn(86_400 + 5)
    with clock(86_400 + 5):
        for (credential, key_id), service in zip(made, (GIT, BEDROCK)):
            assert verify(asker, credential, service=service) == {"error": EXPIRED}
            assert verify(asker, another(credential), service=service) == {"error": UNKNOWN}
            one = {"UserName": user.name, "ServiceSpecificCredentialId": key_id}
            assert {each["Status"] for each in account.iam.list_service_specific_credentials(UserName=user.name)["ServiceSpecificCredentials"]} == {"Expired"}
            with refused("InvalidInput"):
                account.iam.update_service_specific_credential(Status="Active", **one)
            account.iam.update_service_specific_credential(Status="Inactive", **one)
            assert verify(asker, credential, service=service) == {"error": UNKNOWN}
            again = shown(account.iam.reset_service_specific_credential(**one)["ServiceSpecificCredential"])
            assert verify(asker, again, service=service) == {"error": UNKNOWN}
    server.kill()


def test_ssh_keys_are_known_by_id_text_and_fingerprint(account, asker, pair):
    user = account.user(allow("codecommit:GitPull"), key=False)
    key_id = account.iam.upload_ssh_public_key(UserName=user.name, SSHPublicKeyBody=pair.text)["SSHPublicKey"]["SSHPublicKeyId"]
    for credential in ({"sshPublicKeyId": key_id}, {"sshPublicKey": pair.line}, {"sshPublicKey": pair.pem}, {"sshFingerprint": pair.sha256}, {"sshFingerprint": pair.md5},
                       {"sshFingerprint": f"MD5:{pair.md5}"}, {"sshPublicKeyId": key_id, "sshFingerprint": pair.sha256}):
        answer = verify(asker, credential, pull(account), push(account))
        assert answer["principal"]["arn"] == user.arn and answer["credential"]["id"] == key_id
        assert decided(answer) == ["Allowed", "ImplicitlyDenied"]
    account.iam.update_ssh_public_key(UserName=user.name, SSHPublicKeyId=key_id, Status="Inactive")
    for credential in ({"sshPublicKeyId": key_id}, {"sshPublicKey": pair.line}, {"sshFingerprint": pair.sha256}):
        assert verify(asker, credential) == {"error": UNKNOWN}
    account.iam.delete_ssh_public_key(UserName=user.name, SSHPublicKeyId=key_id)


def test_a_key_that_nobody_has_opens_nothing(account, asker, pair):
    ed25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGvK8N0mQwbX1glgI6Ju5m30lc23/DvFL0hErefHZhj/"
    for credential in ({"sshPublicKeyId": "APKAWALKNONEWALKNONE1"}, {"sshPublicKey": pair.line}, {"sshPublicKey": ed25519}, {"sshPublicKey": "nonsense"}, {"sshFingerprint": pair.md5}):
        assert verify(asker, credential, pull(account)) == {"error": UNKNOWN}, credential


def test_the_key_of_a_deleted_user_opens_nothing(account, asker, pair):
    user = account.user(allow("*"), key=False)
    upload = lambda name: account.iam.upload_ssh_public_key(UserName=name, SSHPublicKeyBody=pair.line)["SSHPublicKey"]["SSHPublicKeyId"]
    key_id = upload(user.name)
    with refused("DeleteConflict"):
        account.iam.delete_user(UserName=user.name)
    account.iam.delete_ssh_public_key(UserName=user.name, SSHPublicKeyId=key_id)
    account.iam.delete_user_policy(UserName=user.name, PolicyName="granted")
    account.iam.delete_user(UserName=user.name)
    successor = account.user(name=user.name, key=False)
    for credential in ({"sshPublicKeyId": key_id}, {"sshFingerprint": pair.sha256}):
        assert verify(asker, credential) == {"error": UNKNOWN}
    key_id = upload(successor.name)
    assert verify(asker, {"sshFingerprint": pair.sha256})["principal"]["userId"] == successor.unique_id
    account.iam.delete_ssh_public_key(UserName=successor.name, SSHPublicKeyId=key_id)


def test_a_key_in_two_accounts_is_in_each_its_own_users(account, other_account, asker, pair):
    """Public keys are public: whoever uploads somebody's gains nothing, and cannot be found out from another account."""
    here, there = account.user(key=False), other_account.user(key=False)
    ids = [each.iam.upload_ssh_public_key(UserName=user.name, SSHPublicKeyBody=pair.line)["SSHPublicKey"]["SSHPublicKeyId"] for each, user in ((account, here), (other_account, there))]
    stranger = other_account.user(allow("bailiwick:VerifyCredential"))
    assert verify(asker, {"sshFingerprint": pair.sha256})["principal"]["arn"] == here.arn
    assert verify(stranger, {"sshFingerprint": pair.sha256})["principal"]["arn"] == there.arn
    assert verify(asker, {"sshPublicKeyId": ids[1]}) == {"error": UNKNOWN}
    account.iam.delete_ssh_public_key(UserName=here.name, SSHPublicKeyId=ids[0])
    assert verify(asker, {"sshFingerprint": pair.sha256}) == {"error": UNKNOWN}
    other_account.iam.delete_ssh_public_key(UserName=there.name, SSHPublicKeyId=ids[1])


def test_a_key_that_two_users_have_is_nobodys_without_its_id(account, asker, pair):
    users = [account.user(key=False) for _ in range(2)]
    ids = [account.iam.upload_ssh_public_key(UserName=user.name, SSHPublicKeyBody=pair.line)["SSHPublicKey"]["SSHPublicKeyId"] for user in users]
    assert verify(asker, {"sshPublicKey": pair.line}) == {"error": UNKNOWN}
    for user, key_id in zip(users, ids):
        assert verify(asker, {"sshPublicKey": pair.line, "sshPublicKeyId": key_id})["principal"]["arn"] == user.arn
    account.iam.update_ssh_public_key(UserName=users[1].name, SSHPublicKeyId=ids[1], Status="Inactive")
    assert verify(asker, {"sshPublicKey": pair.line})["principal"]["arn"] == users[0].arn
    for user, key_id in zip(users, ids):
        account.iam.delete_ssh_public_key(UserName=user.name, SSHPublicKeyId=key_id)


def test_who_may_not_ask_is_told_nothing(account, nobody):
    credential, _ = make(account, account.user(key=False))
    for each in (credential, another(credential)):
        reply = post(nobody, {"service": GIT, "credential": each}, path="/verify")
        assert (reply.status, code(reply)) == (403, "AccessDeniedException"), reply
        assert "bailiwick:VerifyCredential" in reply.text


def test_an_asker_is_bound_to_a_service_and_to_accounts(account, other_account):
    bound = account.user(allow("bailiwick:VerifyCredential", condition={"StringEquals": {
        "bailiwick:CredentialService": GIT, "bailiwick:CredentialAccount": account.id, "bailiwick:ResourceAccount": account.id}}))
    user = account.user(allow("*"), key=False)
    own, foreign = make(account, user)[0], make(other_account, other_account.user(key=False))[0]
    assert "principal" in verify(bound, own, pull(account))
    for service, credential, checks in ((GIT, foreign, []), (BEDROCK, make(account, user, BEDROCK)[0], []), (CASSANDRA, make(account, user, CASSANDRA)[0], []),
                                        (GIT, own, [pull(account), pull(other_account, resourceAccount=other_account.id)])):
        reply = post(bound, {"service": service, "credential": credential, "checks": checks}, path="/verify")
        assert (reply.status, code(reply)) == (403, "AccessDeniedException"), reply


def test_policies_see_who_where_and_how(account, asker):
    """The condition keys of the user, and those that the asker saw; what Bailiwick knows itself the asker may not say."""
    tagged = account.user(key=False, Tags=[{"Key": "team", "Value": "blue"}])
    account.iam.put_user_policy(UserName=tagged.name, PolicyName="p", PolicyDocument=document(
        allow("codecommit:GitPull", "arn:aws:codecommit:*:*:${aws:PrincipalTag/team}", condition={
            "IpAddress": {"aws:SourceIp": "203.0.113.0/24"}, "Bool": {"aws:SecureTransport": "true"}, "StringEquals": {"aws:username": tagged.name, "aws:RequestedRegion": "eu-west-1"}})))
    credential, _ = make(account, tagged)
    good = {"sourceIp": "203.0.113.9", "secureTransport": True, "region": "eu-west-1"}
    assert decided(verify(asker, credential, pull(account, "blue"), pull(account, "red"), **good)) == ["Allowed", "ImplicitlyDenied"]
    for wrong in ({"sourceIp": "198.51.100.1"}, {"secureTransport": False}, {"region": "us-east-1"}):
        assert decided(verify(asker, credential, pull(account, "blue"), **{**good, **wrong})) == ["ImplicitlyDenied"], wrong
    reply = post(asker, {"service": GIT, "credential": credential, "checks": [pull(account, context={"aws:PrincipalTag/team": "red"})]}, path="/verify")
    assert (reply.status, code(reply)) == (400, "ValidationException")


def test_boundaries_and_resource_policies_decide_as_everywhere(account, other_account, asker):
    bounded = account.user(allow("codecommit:*"), key=False, PermissionsBoundary=account.policy(allow("codecommit:GitPull")))
    credential, _ = make(account, bounded)
    answer = verify(asker, credential, pull(account), push(account))
    assert [(each["decision"], each["because"]) for each in answer["decisions"]] == [("Allowed", "identity"), ("ImplicitlyDenied", "boundary")]
    foreign, _ = make(other_account, other_account.user(allow("codecommit:*"), key=False))
    policy = resource_policy({"AWS": f"arn:aws:iam::{other_account.id}:root"}, "codecommit:GitPull", repository(account))
    assert decided(verify(asker, foreign, pull(account), pull(account, resourcePolicy=policy))) == ["ImplicitlyDenied", "Allowed"]


def test_explanations_are_for_who_may_have_them(account, asker):
    user = account.user(allow("codecommit:GitPull"), key=False)
    credential, _ = make(account, user)
    hidden = verify(asker, credential, pull(account), explain=True)["decisions"][0]["explanation"]
    assert set(hidden) == {"because", "effect"}
    explaining = account.user(allow(["bailiwick:VerifyCredential", "bailiwick:Explain"]))
    whole = verify(explaining, credential, pull(account), explain=True)["decisions"][0]["explanation"]
    assert "granted" in json.dumps(whole)


def test_each_check_is_in_the_trail_without_the_secret(account, asker):
    user = account.user(allow("codecommit:GitPull"), key=False)
    credential, key_id = make(account, user)
    verify(asker, credential, pull(account), push(account), sourceIp="203.0.113.77", userAgent="git/2.47")
    verify(asker, another(credential), pull(account))
    deadline = time.monotonic() + 5
    while True:
        events = [json.loads(line) for line in account.server.trail().splitlines() if key_id in line and "VerifyCredentialCheck" in line]
        if len(events) >= 2 or time.monotonic() > deadline:
            break
        time.sleep(0.1)
    assert [event["eventName"] for event in events] == ["VerifyCredentialCheck"] * 2
    for event, error in zip(events, (None, "AccessDenied")):
        assert event["userIdentity"]["arn"] == user.arn and event["userIdentity"]["accessKeyId"] == key_id
        assert (event["sourceIPAddress"], event["userAgent"], event.get("errorCode")) == ("203.0.113.77", "git/2.47", error)
        assert event["additionalEventData"]["bailiwick"]["askedBy"] == asker.arn
    for secret in (credential["password"], another(credential)["password"]):
        assert secret not in account.server.trail() and secret not in account.server.logged()


def test_explain_makes_a_recorded_check_again(account, asker):
    user = account.user(allow("codecommit:GitPull"), key=False)
    credential, _ = make(account, user)
    reply = post(asker, {"service": GIT, "credential": credential, "checks": [push(account)]}, path="/verify")
    told = account.server.run("explain", reply.headers["x-amzn-requestid"]).stdout
    assert "codecommit:GitPush" in told and "VerifyCredentialCheck" in told and user.arn in told


def test_last_use_is_kept(account, asker, pair):
    user = account.user(key=False)
    credential, _ = make(account, user)
    first, second = verify(asker, credential), verify(asker, credential)
    assert "lastUsed" not in first["credential"]
    assert abs(time.time() - time.mktime(time.strptime(second["credential"]["lastUsed"], "%Y-%m-%dT%H:%M:%SZ")) + time.timezone) < 60
    verify(asker, another(credential))
    assert verify(asker, credential)["credential"]["lastUsed"] >= second["credential"]["lastUsed"]


BAD = [
    {},
    {"service": GIT},
    {"credential": {"apiKey": "hunter22hunter22"}},
    {"service": "lambda.amazonaws.com", "credential": {"apiKey": "hunter22hunter22"}},
    {"service": GIT, "credential": "hunter22hunter22"},
    {"service": GIT, "credential": {"hunter22hunter22": "x"}},
    {"service": GIT, "credential": {"userName": "a-at-111122223333", "password": ["hunter22hunter22"]}},
    {"service": GIT, "credential": {"userName": "hunter22hunter22"}},
    {"service": GIT, "credential": {"password": "hunter22hunter22"}},
    {"service": GIT, "credential": {"userName": "a", "password": "hunter22hunter22", "apiKey": "b"}},
    {"service": GIT, "credential": {"userName": "a", "password": "hunter22hunter22"}, "sourceIp": "nowhere"},
    {"service": GIT, "credential": {"userName": "a", "password": "hunter22hunter22"}, "region": "two\nlines"},
    {"service": GIT, "credential": {"userName": "a", "password": "hunter22hunter22"}, "unknown": 1},
    {"service": GIT, "credential": {"userName": "a", "password": "hunter22hunter22"}, "checks": [{"action": "x", "resource": "y"}]},
    {"service": GIT, "credential": {"sshPublicKeyId": "hunter22hunter22"}},
    {"service": GIT, "credential": {"sshFingerprint": "hunter22hunter22"}},
]


@pytest.mark.parametrize("document", BAD, ids=range(len(BAD)))
def test_a_bad_question_is_refused_and_never_repeated(account, asker, document):
    """Whatever is wrong, what could be a secret is in no answer and in no record of it."""
    reply = post(asker, document, path="/verify")
    assert (reply.status, code(reply)) == (400, "ValidationException"), reply
    assert "hunter22" not in str(reply.json)
    assert "hunter22" not in account.server.trail() and "hunter22" not in account.server.logged()


def test_bytes_that_are_no_json_are_refused_and_never_repeated(account, asker):
    reply = post(asker, b'{"service": "codecommit.amazonaws.com", "credential": {"password": hunter22hunter22', path="/verify")
    assert (reply.status, code(reply)) == (400, "SerializationException") and "hunter22" not in str(reply.json)


def test_a_password_in_a_url_is_in_no_log(account, asker):
    """Whoever puts it there by mistake is refused, and the trail does not keep it."""
    credential, _ = make(account, account.user(key=False))
    ledger.keep(credential["password"], "a password in a URL")
    for path in (f"/verify?password={credential['password']}", f"/verify/{credential['password']}"):
        assert post(asker, {"service": GIT, "credential": credential}, path=path).status in {200, 400, 403, 404}
    assert credential["password"] not in account.server.trail() and credential["password"] not in account.server.logged()


def test_ssh_keys_are_listed_for_who_may(account, other_account, nobody, pair):
    asker = account.user(allow("bailiwick:ListSSHKeys"))
    user = account.user(key=False)
    key_id = account.iam.upload_ssh_public_key(UserName=user.name, SSHPublicKeyBody=pair.text)["SSHPublicKey"]["SSHPublicKeyId"]
    wanted = {"sshPublicKeyId": key_id, "sshPublicKey": pair.line, "sshFingerprint": pair.sha256, "userName": user.name, "userArn": user.arn}
    for question in ({"sshFingerprint": pair.sha256}, {"sshPublicKey": pair.line}, {"sshPublicKeyId": key_id}, {"userName": user.name}, {"userName": user.name, "sshFingerprint": pair.md5}):
        assert post(asker, question, path="/ssh-keys").json == {"keys": [wanted]}, question
    for question in ({"userName": "nobody-there"}, {"userName": "nobody-there", "sshPublicKeyId": key_id}, {"sshPublicKey": "ssh-ed25519 AAAA"}):
        assert post(asker, question, path="/ssh-keys").json == {"keys": []}, question
    stranger = other_account.user(allow("bailiwick:ListSSHKeys"))
    assert post(stranger, {"sshPublicKeyId": key_id}, path="/ssh-keys").json == {"keys": []}
    assert post(stranger, {"sshFingerprint": pair.sha256}, path="/ssh-keys").json == {"keys": []}
    assert (post(nobody, {"sshFingerprint": pair.sha256}, path="/ssh-keys").status, post(asker, {}, path="/ssh-keys").status) == (403, 400)
    account.iam.update_ssh_public_key(UserName=user.name, SSHPublicKeyId=key_id, Status="Inactive")
    assert post(asker, {"sshFingerprint": pair.sha256}, path="/ssh-keys").json == post(asker, {"userName": user.name}, path="/ssh-keys").json == {"keys": []}
    account.iam.delete_ssh_public_key(UserName=user.name, SSHPublicKeyId=key_id)
