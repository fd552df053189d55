"""Versions of a managed policy: five at most, numbers that never come again, one default."""

import json
import re

import pytest

from harness.expecting import refused
from harness.principals import allow, body, document


def versions(account, arn):
    return [version["VersionId"] for version in account.iam.list_policy_versions(PolicyArn=arn)["Versions"]]


def add(account, arn, action="s3:ListBucket", **parameters):
    return account.iam.create_policy_version(PolicyArn=arn, PolicyDocument=document(allow(action)), **parameters)["PolicyVersion"]


def test_a_new_version_answers_three_members_and_leaves_the_default(account):
    arn = account.policy()
    reply = account.iam.create_policy_version(PolicyArn=arn, PolicyDocument=document(allow("s3:ListBucket")))
    assert set(body(reply)) == {"PolicyVersion"}
    assert set(reply["PolicyVersion"]) == {"VersionId", "IsDefaultVersion", "CreateDate"}
    assert reply["PolicyVersion"]["VersionId"] == "v2" and reply["PolicyVersion"]["IsDefaultVersion"] is False
    assert account.iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"] == "v1"


def test_set_as_default_moves_the_default(account):
    arn = account.policy()
    assert add(account, arn, SetAsDefault=True)["IsDefaultVersion"] is True
    assert account.iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"] == "v2"
    listed = {each["VersionId"]: each["IsDefaultVersion"] for each in account.iam.list_policy_versions(PolicyArn=arn)["Versions"]}
    assert listed == {"v1": False, "v2": True}
    assert body(account.iam.set_default_policy_version(PolicyArn=arn, VersionId="v1")) == {}
    assert account.iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"] == "v1"


def test_get_shows_the_document_and_list_does_not(account):
    arn = account.policy(allow("s3:GetObject", "arn:aws:s3:::bucket/100%25 + ü/*"))
    version = account.iam.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]
    assert set(version) == {"Document", "VersionId", "IsDefaultVersion", "CreateDate"}
    assert version["Document"]["Statement"][0]["Resource"] == "arn:aws:s3:::bucket/100%25 + ü/*"
    listed = body(account.iam.list_policy_versions(PolicyArn=arn))
    assert set(listed) == {"Versions", "IsTruncated"} and listed["IsTruncated"] is False
    assert set(listed["Versions"][0]) == {"VersionId", "IsDefaultVersion", "CreateDate"}


def test_the_sixth_version_is_refused(account):
    arn = account.policy()
    for _ in range(4):
        add(account, arn)
    with refused("LimitExceeded",
                 "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version."):
        add(account, arn)
    account.iam.delete_policy_version(PolicyArn=arn, VersionId="v3")
    assert add(account, arn)["VersionId"] == "v6"
    account.iam.delete_policy_version(PolicyArn=arn, VersionId="v6")
    assert add(account, arn)["VersionId"] == "v7", "a number never comes again"
    assert sorted(versions(account, arn)) == ["v1", "v2", "v4", "v5", "v7"]


def test_the_default_version_cannot_be_deleted(account):
    arn = account.policy()
    with refused("DeleteConflict", "Cannot delete the default version of a policy."):
        account.iam.delete_policy_version(PolicyArn=arn, VersionId="v1")


def test_a_policy_with_versions_cannot_be_deleted(account):
    arn = account.policy()
    add(account, arn)
    with refused("DeleteConflict", "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. "
                                   "The default version is deleted with the policy."):
        account.iam.delete_policy(PolicyArn=arn)
    assert body(account.iam.delete_policy_version(PolicyArn=arn, VersionId="v2")) == {}
    account.iam.delete_policy(PolicyArn=arn)


@pytest.mark.parametrize("call", ["get_policy_version", "delete_policy_version", "set_default_policy_version"])
def test_a_missing_version(account, call):
    arn = account.policy()
    with refused("NoSuchEntity", f"Policy {arn} version v9 does not exist or is not attachable."):
        getattr(account.iam, call)(PolicyArn=arn, VersionId="v9")
    none = account.arn("policy/none")
    with refused("NoSuchEntity", f"Policy {none} version v1 does not exist or is not attachable."):
        getattr(account.iam, call)(PolicyArn=none, VersionId="v1")


def test_a_bad_version_id_is_a_shape_error(account):
    arn = account.policy()
    wanted = re.compile(r"^1 validation error detected: Value at 'versionId' failed to satisfy constraint: Member must satisfy regular expression pattern: v\[1-9\]\[0-9\]\*\(\\\.\[A-Za-z0-9-\]\*\)\?")
    with refused("ValidationError", wanted):
        account.iam.get_policy_version(PolicyArn=arn, VersionId="1")


def test_versions_are_paged(account):
    arn = account.policy()
    for _ in range(4):
        add(account, arn)
    pages = list(account.iam.get_paginator("list_policy_versions").paginate(PolicyArn=arn, PaginationConfig={"PageSize": 1}))
    assert [len(page["Versions"]) for page in pages] == [1] * 5
    assert sorted(version["VersionId"] for page in pages for version in page["Versions"]) == ["v1", "v2", "v3", "v4", "v5"]


def test_a_bad_document_makes_no_version(account):
    arn = account.policy()
    with refused("MalformedPolicyDocument"):
        account.iam.create_policy_version(PolicyArn=arn, PolicyDocument="{}", SetAsDefault=True)
    assert versions(account, arn) == ["v1"]


def test_update_date_moves_with_the_default(account):
    arn = account.policy()
    before = account.iam.get_policy(PolicyArn=arn)["Policy"]
    add(account, arn, SetAsDefault=True)
    after = account.iam.get_policy(PolicyArn=arn)["Policy"]
    assert after["CreateDate"] == before["CreateDate"] and after["UpdateDate"] >= before["UpdateDate"]


def test_a_document_comes_back_as_it_was_stored(account):
    """White space and the order of keys are kept; the text on the wire is the text that was sent."""
    import urllib.parse

    from harness.signing import query

    text = '{ "Statement" :\n\t[ { "Resource" : "*", "Action" : [ "s3:GetObject" ], "Effect" : "Allow" } ], "Version" : "2012-10-17" }'
    arn = account.iam.create_policy(PolicyName="as-sent", PolicyDocument=text)["Policy"]["Arn"]
    raw = query(account.root, "iam", "GetPolicyVersion", {"PolicyArn": arn, "VersionId": "v1"}).send().find("Document")
    assert urllib.parse.unquote(raw) == text
    assert raw == urllib.parse.quote(text, safe="-_.~"), "RFC 3986: a space is %20 and no sign is left"
    assert json.loads(urllib.parse.unquote(raw))["Version"] == "2012-10-17"
