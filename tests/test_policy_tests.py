"""bailiwick test: unit tests of policies, what passes, what fails, what cannot be used, and how each is told."""

import datetime
import json
import os
import subprocess
import xml.etree.ElementTree as tree

import pytest

from harness.principals import allow, document
from harness.server import ROOT, binary

ALICE = "arn:aws:iam::111122223333:user/alice"
READ = {"Version": "2012-10-17", "Statement": [{"Sid": "Read", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}]}


def run(*arguments, cwd=None):
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "BAILIWICK_"))}
    return subprocess.run([binary(), "test", *map(str, arguments)], capture_output=True, text=True, timeout=60, env=clean, cwd=cwd)


def case(name="a case", action="s3:GetObject", expect="Allowed", identity=READ, principal=ALICE, resource="arn:aws:s3:::b/k", request=None, **policies):
    return {"name": name, "request": {"principal": principal, "action": action, "resource": resource} | (request or {}),
            "policies": {"identity": [identity], **policies}, "expect": expect}


def write(folder, *cases, name="x.test.json", **more):
    (folder / name).write_text(json.dumps({"cases": list(cases), **more}))
    return folder


def judged(folder, *cases, **more):
    done = run("--format", "json", write(folder, *cases, **more))
    assert done.returncode in (0, 1), done
    return json.loads(done.stdout)["files"][0]["cases"]


@pytest.mark.parametrize("example", ["storage", "guardrails", "account"])
def test_a_worked_example_passes_and_fails_when_it_is_turned_round(example, tmp_path):
    folder = ROOT / "examples/policy-tests" / example
    done = run(folder)
    assert done.returncode == 0 and done.stdout.splitlines()[-1].endswith("passed, 0 failed"), done
    assert int(done.stdout.splitlines()[-1].split()[0]) >= 7
    report = json.loads(run("--format", "json", folder).stdout)
    assert {each["decision"] for of in report["files"] for each in of["cases"]} > {"Allowed"}, "some are denied"


def test_all_examples_run_at_once():
    done = run(ROOT / "examples/policy-tests")
    assert done.returncode == 0 and done.stdout.count(".test.") == done.stdout.count("ok   ")


def test_a_case_that_fails_is_explained_and_the_status_is_1(tmp_path):
    done = run(write(tmp_path, case("reads"), case("writes", action="s3:PutObject")))
    assert done.returncode == 1
    assert f"ok    {tmp_path}/x.test.json:1 reads" in done.stdout and "FAIL " in done.stdout
    assert "expected Allowed, got ImplicitlyDenied because of identity" in done.stdout
    assert '"Action":"s3:PutObject"' in done.stdout, "what is lacking"
    assert done.stdout.endswith("1 passed, 1 failed\n")


def test_an_explanation_names_the_statement_in_the_authors_file(tmp_path):
    (tmp_path / "deny.yaml").write_text("Version: 2012-10-17\nStatement:\n  - Sid: Never\n    Effect: Deny\n    Action: s3:*\n    Resource: '*'\n")
    (found,) = judged(tmp_path, case(identity="deny.yaml"))
    (statement,) = found["explanation"]["statements"]
    assert (statement["sid"], statement["line"], statement["column"], statement["source"]) == ("Never", 3, 5, f"{tmp_path}/deny.yaml")
    assert "matched:   Deny Never, identity, " in run(tmp_path).stdout


@pytest.mark.parametrize("expect, passes", [
    ("Allowed", True), ("Denied", False), ("ImplicitlyDenied", False), ("ExplicitlyDenied", False),
    ({"decision": "Allowed", "because": "identity"}, True), ({"decision": "Allowed", "because": "boundary"}, False),
    ({"decision": "Allowed", "statement": "Read"}, True), ({"decision": "Allowed", "statement": "Other"}, False),
])
def test_what_may_be_expected(tmp_path, expect, passes):
    assert [each["passed"] for each in judged(tmp_path, case(expect=expect))] == [passes]


def test_every_kind_of_policy_counts(tmp_path):
    everything = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
    nothing = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}}
    bucket = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": ALICE}, "Action": "s3:*", "Resource": "arn:aws:s3:::b/*"}}
    across = {"resourceAccount": "444455556666"}
    found = judged(
        tmp_path, case("boundary", permissionsBoundary=[nothing]), case("session", session=[nothing]), case("endpoint", endpoint=[]),
        case("scp", serviceControl=[[everything], [nothing]]), case("rcp", resourceControl=[[]]), case("across", request=across), case("let in", request=across, resource=None) | {
            "policies": {"identity": [READ], "resource": bucket}, "request": {"principal": ALICE, "action": "s3:GetObject", "resource": "arn:aws:s3:::b/k", **across}})
    assert [each["because"] for each in found] == ["boundary", "session", "endpoint", "serviceControl", "resourceControl", "resource", "resource"]
    assert [each["decision"] for each in found] == ["ImplicitlyDenied"] * 6 + ["Allowed"]


def test_lists_of_actions_and_resources_are_cases_of_their_own(tmp_path):
    found = judged(tmp_path, case(action=["s3:GetObject", "s3:PutObject"], resource=["arn:aws:s3:::b/k", "arn:aws:s3:::c/k"], expect="Denied"))
    assert [each["passed"] for each in found] == [False, True, True, True]
    assert len({each["name"] for each in found}) == 4


def test_defaults_are_replaced_member_by_member_and_context_key_by_key(tmp_path):
    office = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {
        "IpAddress": {"aws:SourceIp": "192.0.2.0/24"}, "Bool": {"aws:SecureTransport": "true"}, "StringEquals": {"aws:username": "alice"}}}}
    defaults = {"request": {"principal": ALICE, "resource": "*", "context": {"aws:SourceIp": "192.0.2.1", "aws:SecureTransport": True}}, "policies": {"identity": office}}
    cases = [{"name": "as it is", "request": {"action": "s3:ListAllMyBuckets"}, "expect": "Allowed"},
             {"name": "from elsewhere", "request": {"action": "s3:ListAllMyBuckets", "context": {"aws:SourceIp": "198.51.100.1"}}, "expect": "Denied"},
             {"name": "without", "request": {"action": "s3:ListAllMyBuckets", "context": {"AWS:securetransport": None}}, "expect": "Denied"},
             {"name": "another user", "request": {"action": "s3:ListAllMyBuckets", "principal": ALICE.replace("alice", "bob")}, "expect": "Denied"}]
    assert [each["passed"] for each in judged(tmp_path, *cases, defaults=defaults)] == [True] * 4


def test_junit_is_xml_that_counts(tmp_path):
    write(tmp_path, case("fine"), case("<bad> & \u0001 \"worse\"", action="s3:PutObject"))
    (tmp_path / "broken.yaml").write_text("cases: [")
    done = run("--format", "junit", tmp_path)
    root = tree.fromstring(done.stdout)
    assert done.returncode == 2 and (root.get("tests"), root.get("failures"), root.get("errors")) == ("3", "1", "1")
    assert [len(suite.findall("testcase")) for suite in root] == [1, 2]
    assert root.find(".//failure").get("message").startswith("expected Allowed, got ImplicitlyDenied")
    assert "broken.yaml:" in root.find(".//error").get("message")


@pytest.mark.parametrize("text, place, word", [
    ("case:\n  - name: x\n", "1:1", "case"),
    ("cases:\n  - name: x\n    request: {principal: p, action: a:b, resource: '*'}\n    expects: Allowed\n", "2:5", "expect"),
    ("cases:\n  - name: x\n    request: {principal: 'arn:aws:iam::111122223333:user/a', action: a:b, resource: '*', acton: y}\n    expect: Allowed\n", "3:90", "acton"),
    ("cases:\n  - name: x\n    request: {principal: nobody, action: a:b, resource: '*'}\n    expect: Allowed\n", "3:26", "nobody"),
    ("cases:\n  - name: x\n    request: {principal: anonymous, action: a:b, resource: '*'}\n    expect: Yes\n", "4:13", "Yes"),
    ("cases:\n  - name: x\n    request: {principal: anonymous, action: get, resource: '*'}\n    expect: Denied\n", "3:45", "get"),
    ("cases:\n  - name: x\n    request: {principal: anonymous, action: a:b}\n    expect: Denied\n", "3:14", "resource"),
    ("cases:\n  - name: x\n    request: {principal: anonymous, action: a:b, resource: '*'}\n    policies:\n      identity: nowhere.json\n    expect: Denied\n", "5:17", "nowhere.json"),
    ("cases:\n  - name: x\n    request: {principal: anonymous, action: a:b, resource: '*'}\n    policies:\n      identity:\n        Statement:\n          - Effect: Allow\n            Acton: '*'\n    expect: Denied\n", "8:13", "Acton"),
    ("cases:\n  - name: x\n    name: y\n", "3:5", "twice"),
    ("cases:\n  - name: x\n   bad: y\n", "3:", ""),
    ("cases: []\n", "1:8", "no cases"),
    ("cases: !Ref x\n", "1:8", "!Ref"),
    ("<<: {cases: []}\ncases: []\n", "1:1", "<<"),
])
def test_a_file_that_cannot_be_used_is_told_by_its_place_and_the_status_is_2(tmp_path, text, place, word):
    (tmp_path / "x.yaml").write_text(text)
    write(tmp_path, case(), name="y.json")
    done = run(tmp_path)
    assert done.returncode == 2, done
    assert f"BAD   {tmp_path}/x.yaml:{place}" in done.stdout and word in done.stdout, done.stdout
    assert done.stdout.endswith("1 passed, 0 failed, 1 bad file\n"), "the others are run"
    (error,) = [of["error"] for of in json.loads(run("--format", "json", tmp_path).stdout)["files"] if "error" in of]
    assert error["file"].endswith("x.yaml") and f"{error['line']}:{error['column']}".startswith(place)


def test_json_is_as_strict(tmp_path):
    for text, place in (('{"cases":[],\n "cases":[]}', "2:2"), ('{"cases": [1,]}', "1:14"), ('{"cases":[{"name":"x","nme":1}]}', "1:11")):
        (tmp_path / "x.json").write_text(text)
        done = run(tmp_path)
        assert done.returncode == 2 and f"x.json:{place}" in done.stdout, done.stdout


def test_a_run_without_cases_is_no_pass(tmp_path):
    assert run(tmp_path).returncode == 2
    (tmp_path / "policy.json").write_text(json.dumps(READ))
    assert run(tmp_path).returncode == 2 and "no files with cases" in run(tmp_path).stdout
    assert run(tmp_path / "nowhere").returncode == 2


def test_a_small_file_cannot_become_a_large_one(tmp_path):
    lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x,x]"] + [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    (tmp_path / "x.yaml").write_text("\n".join(lines))
    done = run(tmp_path)
    assert done.returncode == 2 and "more than" in done.stdout
    for deep in ("[" * 100_000, "a: " * 3 + "{b: " * 50_000, "- " * 20_000):
        (tmp_path / "x.yaml").write_text(deep)
        assert run(tmp_path).returncode == 2


def exported(account, printed):
    """The account as boto3 returns it or as aws-cli prints it."""
    pages = account.iam.get_paginator("get_account_authorization_details").paginate().build_full_result()
    if printed:
        return json.dumps(pages, default=lambda value: value.isoformat() if isinstance(value, datetime.datetime) else str(value), indent=4)
    return json.dumps(pages, default=str)


@pytest.mark.parametrize("printed", [True, False])
def test_an_exported_account_decides_as_the_server_does(account, tmp_path, printed):
    boundary = account.policy(allow("s3:*"))
    user = account.user(allow("s3:GetObject"), allow("iam:ListUsers"), key=False, PermissionsBoundary=boundary)
    account.group(allow("s3:PutObject"), members=[user])
    role = f"deploy-{user.name}"
    account.iam.create_role(RoleName=role, AssumeRolePolicyDocument=document({"Effect": "Allow", "Principal": {"AWS": user.arn}, "Action": "sts:AssumeRole"}))
    (tmp_path / "account.json").write_text(exported(account, printed))
    on = {"principal": user.arn, "resource": "*"}
    cases = [{"name": "own", "request": on | {"action": "s3:GetObject"}, "expect": {"decision": "Allowed", "because": "identity"}},
             {"name": "by group", "request": on | {"action": "s3:PutObject"}, "expect": "Allowed"},
             {"name": "bounded", "request": on | {"action": "iam:ListUsers"}, "expect": {"decision": "ImplicitlyDenied", "because": "boundary"}},
             {"name": "unbounded", "request": on | {"action": "iam:ListUsers"}, "policies": {"permissionsBoundary": "arn:aws:iam::aws:policy/IAMFullAccess"}, "expect": "Allowed"},
             {"name": "trusted", "request": on | {"action": "sts:AssumeRole", "resource": account.arn(f"role/{role}")}, "expect": {"decision": "Allowed", "because": "trust"}},
             {"name": "more", "request": on | {"action": "s3:DeleteObject"}, "policies": {"identity": [json.loads(document(allow("s3:DeleteObject")))]}, "expect": "Allowed"}]
    found = judged(tmp_path, *cases, accounts=["account.json"])
    assert [each["passed"] for each in found] == [True] * len(cases), found
    unknown = {"name": "x", "request": on | {"principal": account.arn("user/none"), "action": "s3:GetObject"}, "expect": "Denied"}
    done = run(write(tmp_path, unknown, accounts=["account.json"]))
    assert done.returncode == 2 and "is not in" in done.stdout


def test_a_page_of_an_account_is_not_taken_for_the_whole(tmp_path):
    (tmp_path / "account.json").write_text(json.dumps({"UserDetailList": [], "IsTruncated": True, "Marker": "x"}))
    done = run(write(tmp_path, case(), accounts=["account.json"]))
    assert done.returncode == 2 and "IsTruncated" in done.stdout
