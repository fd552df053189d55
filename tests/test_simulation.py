"""SimulatePrincipalPolicy and SimulateCustomPolicy: answers as AWS was seen to give them."""

import json
import re

import pytest

from harness.entities import TITLES, Entity, each_kind
from harness.expecting import refused
from harness.principals import allow, body, deny, document

BUCKET = "arn:aws:s3:::bucket"
RESULT = {"EvalActionName", "EvalResourceName", "EvalDecision", "MatchedStatements", "MissingContextValues", "EvalDecisionDetails", "ResourceSpecificResults"}
SPECIFIC = {"EvalResourceName", "EvalResourceDecision", "MatchedStatements", "MissingContextValues"}
OBSERVED = '{"Version": "2012-10-17", "Statement": {"Sid": "", "Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"}}'


def simulate(account, source, actions, resources=None, **parameters):
    more = {"ResourceArns": resources} if resources else {}
    reply = account.iam.simulate_principal_policy(PolicySourceArn=source, ActionNames=actions, **more, **parameters)
    assert set(body(reply)) == {"EvaluationResults", "IsTruncated"} and reply["IsTruncated"] is False
    return reply["EvaluationResults"]


def custom(account, policies, actions, resources=None, **parameters):
    more = {"ResourceArns": resources} if resources else {}
    return account.iam.simulate_custom_policy(PolicyInputList=policies, ActionNames=actions, **more, **parameters)["EvaluationResults"]


def decisions(results):
    return [result["EvalDecision"] for result in results]


@each_kind
def test_the_answer_that_aws_gives_for_each_kind_of_source(account, kind):
    entity = Entity(account, kind)
    arn = account.iam.create_policy(PolicyName=f"observed-{kind}", PolicyDocument=OBSERVED)["Policy"]["Arn"]
    entity.call("attach_{}_policy", PolicyArn=arn)
    put, get = simulate(account, entity.arn, ["s3:PutObject", "s3:GetObjectVersion"], [BUCKET])
    assert set(put) - {"OrganizationsDecisionDetail"} == RESULT and set(get) - {"OrganizationsDecisionDetail"} == RESULT
    assert (put["EvalActionName"], put["EvalResourceName"], put["EvalDecision"]) == ("s3:PutObject", BUCKET, "allowed")
    assert (get["EvalActionName"], get["EvalResourceName"], get["EvalDecision"]) == ("s3:GetObjectVersion", BUCKET, "implicitDeny")
    matched = [{
        "SourcePolicyId": f"observed-{kind}", "SourcePolicyType": "IAM Policy",
        "StartPosition": {"Line": 1, "Column": 41}, "EndPosition": {"Line": 1, "Column": 113},
    }]
    assert put["MatchedStatements"] == matched and get["MatchedStatements"] == []
    for result, decision in ((put, "allowed"), (get, "implicitDeny")):
        assert result["MissingContextValues"] == [] and result["EvalDecisionDetails"] == {}
        assert result["ResourceSpecificResults"] == [
            {"EvalResourceName": BUCKET, "EvalResourceDecision": decision, "MatchedStatements": result["MatchedStatements"], "MissingContextValues": []}]
        assert set(result["ResourceSpecificResults"][0]) == SPECIFIC


def test_an_explicit_deny_shows_the_denying_statement(account):
    user = account.user(allow("s3:*"), deny("s3:DeleteObject"), key=False)
    allowed, denied = simulate(account, user.arn, ["s3:GetObject", "s3:DeleteObject"])
    assert decisions([allowed, denied]) == ["allowed", "explicitDeny"]
    assert denied["EvalResourceName"] == "*"
    assert len(denied["MatchedStatements"]) == 1
    text = document(allow("s3:*"), deny("s3:DeleteObject"))
    start = denied["MatchedStatements"][0]["StartPosition"]
    assert start["Line"] == 1 and text[start["Column"] - 2] == "{", "the character after the brace"
    assert text[: start["Column"]].count('"Effect"') == 1


@each_kind
def test_inline_policies_are_named_by_entity_and_policy(account, kind):
    entity = Entity(account, kind)
    entity.call("put_{}_policy", PolicyName="inline", PolicyDocument=document(allow("s3:GetObject")))
    (result,) = simulate(account, entity.arn, ["s3:GetObject"])
    assert result["MatchedStatements"][0]["SourcePolicyId"] == f"{kind}_{entity.name}_inline"


def test_a_users_groups_count(account):
    user = account.user(key=False)
    account.group(allow("s3:GetObject"), members=[user])
    assert decisions(simulate(account, user.arn, ["s3:GetObject"])) == ["allowed"]


def test_a_users_boundary_counts_and_is_told(account):
    user = account.user(allow("s3:*"), key=False, PermissionsBoundary=account.policy(allow("s3:GetObject")))
    inside, outside = simulate(account, user.arn, ["s3:GetObject", "s3:PutObject"])
    assert decisions([inside, outside]) == ["allowed", "implicitDeny"]
    assert inside["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": True}
    assert outside["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": False}


def test_a_boundary_passed_counts(account):
    user = account.user(allow("s3:*"), key=False)
    (result,) = simulate(account, user.arn, ["s3:PutObject"], PermissionsBoundaryPolicyInputList=[document(allow("s3:GetObject"))])
    assert result["EvalDecision"] == "implicitDeny"
    assert result["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": False}


def test_policies_passed_are_added(account):
    user = account.user(key=False)
    assert decisions(simulate(account, user.arn, ["s3:GetObject"], PolicyInputList=[document(allow("s3:GetObject"))])) == ["allowed"]
    assert decisions(simulate(account, user.arn, ["s3:GetObject"])) == ["implicitDeny"]


def test_many_actions_and_resources(account):
    user = account.user(allow("s3:GetObject", "arn:aws:s3:::mine/*"), key=False)
    resources = ["arn:aws:s3:::mine/a", "arn:aws:s3:::yours/a"]
    results = simulate(account, user.arn, ["s3:GetObject", "s3:PutObject"], resources)
    told = {(result["EvalActionName"], specific["EvalResourceName"]): specific["EvalResourceDecision"] for result in results for specific in result["ResourceSpecificResults"]}
    assert told == {("s3:GetObject", resources[0]): "allowed", ("s3:GetObject", resources[1]): "implicitDeny",
                    ("s3:PutObject", resources[0]): "implicitDeny", ("s3:PutObject", resources[1]): "implicitDeny"}


def test_missing_context_values_are_named_and_given_ones_used(account):
    user = account.user(allow("s3:GetObject", condition={"StringEquals": {"aws:PrincipalTag/team": "red"}, "IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}), key=False)
    (lacking,) = simulate(account, user.arn, ["s3:GetObject"])
    assert lacking["EvalDecision"] == "implicitDeny"
    assert {name.lower() for name in lacking["MissingContextValues"]} >= {"aws:sourceip"}
    context = [{"ContextKeyName": "aws:SourceIp", "ContextKeyValues": ["203.0.113.7"], "ContextKeyType": "ip"},
               {"ContextKeyName": "aws:PrincipalTag/team", "ContextKeyValues": ["red"], "ContextKeyType": "string"}]
    (given,) = simulate(account, user.arn, ["s3:GetObject"], ContextEntries=context)
    assert given["EvalDecision"] == "allowed" and given["MissingContextValues"] == []


def test_a_resource_policy_may_allow_across(account, other_account):
    user = account.user(key=False)
    policy = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": user.arn}, "Action": "s3:GetObject", "Resource": BUCKET + "/*"}]})
    (same,) = simulate(account, user.arn, ["s3:GetObject"], [BUCKET + "/k"], ResourcePolicy=policy, CallerArn=user.arn, ResourceOwner=account.root_arn)
    assert same["EvalDecision"] == "allowed"
    (across,) = simulate(account, user.arn, ["s3:GetObject"], [BUCKET + "/k"], ResourcePolicy=policy, CallerArn=user.arn, ResourceOwner=other_account.root_arn)
    assert across["EvalDecision"] == "implicitDeny"
    details = {name: decision for name, decision in across["EvalDecisionDetails"].items()}
    assert details.get("IAM Policy") == "implicitDeny" and details.get("Resource Policy") == "allowed"


def test_results_are_paged(account):
    user = account.user(allow("s3:Get*"), key=False)
    actions = ["s3:GetObject", "s3:PutObject", "s3:GetBucketAcl", "s3:DeleteObject", "s3:GetObjectTagging"]
    pages = list(account.iam.get_paginator("simulate_principal_policy").paginate(PolicySourceArn=user.arn, ActionNames=actions, PaginationConfig={"PageSize": 2}))
    assert [result["EvalActionName"] for page in pages for result in page["EvaluationResults"]] == actions
    assert [len(page["EvaluationResults"]) for page in pages] == [2, 2, 1]


def test_an_unknown_principal(account):
    for source in ("user/none", "role/none", "group/none"):
        with refused("NoSuchEntity"):
            account.iam.simulate_principal_policy(PolicySourceArn=account.arn(source), ActionNames=["s3:GetObject"])


@pytest.mark.parametrize("action", ["GetObject", "s3-GetObject"])
def test_an_action_without_a_service(account, action):
    with refused("InvalidInput", f"Invalid Action Name: {action}"):
        account.iam.simulate_custom_policy(PolicyInputList=[document(allow("s3:*"))], ActionNames=[action])


def test_who_may_do_anything_at_all_can_be_asked(account):
    """Audits ask for the action `*:*`, which only a policy on everything allows."""
    told = [custom(account, [document(allow(action))], ["*:*"])[0]["EvalDecision"] for action in ("*", "s3:*", "iam:Get*")]
    assert told == ["allowed", "implicitDeny", "implicitDeny"]
    with refused("InvalidInput", "Invalid Action Name: s3:*"):
        custom(account, [document(allow("*"))], ["s3:*"])


def test_a_bad_policy_is_refused(account):
    with refused("InvalidInput"):
        account.iam.simulate_custom_policy(PolicyInputList=["{"], ActionNames=["s3:GetObject"])


# Custom policies.


def test_custom_policies_are_named_by_their_place(account):
    (result,) = custom(account, [document(allow("s3:PutObject")), document(allow("s3:GetObject"))], ["s3:GetObject"])
    assert result["EvalDecision"] == "allowed"
    assert [matched["SourcePolicyId"] for matched in result["MatchedStatements"]] == ["PolicyInputList.2"]


def test_custom_policies_may_be_bounded_and_their_results_are_paged(account):
    actions = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
    asked = {"PolicyInputList": [document(allow("s3:*"))], "PermissionsBoundaryPolicyInputList": [document(allow("s3:GetObject"))], "ActionNames": actions}
    pages = list(account.iam.get_paginator("simulate_custom_policy").paginate(**asked, ResourceArns=[BUCKET + "/k"], PaginationConfig={"PageSize": 1}))
    results = [result for page in pages for result in page["EvaluationResults"]]
    assert [result["EvalActionName"] for result in results] == actions and len(pages) == 3
    for result, within in zip(results, (True, False, False)):
        assert result["EvalDecision"] == ("allowed" if within else "implicitDeny")
        assert result["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": within}
        (specific,) = result["ResourceSpecificResults"]
        assert specific["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": within}


def test_custom_policies_across_accounts_say_what_each_side_said(account, other_account):
    arn = account.arn("user/somebody")
    policy = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": arn}, "Action": "s3:GetObject", "Resource": BUCKET + "/*"}]})
    (result,) = custom(account, [document(allow("s3:Put*"))], ["s3:GetObject"], [BUCKET + "/k"], ResourcePolicy=policy, CallerArn=arn, ResourceOwner=other_account.root_arn)
    assert result["EvalDecision"] == "implicitDeny"
    (specific,) = result["ResourceSpecificResults"]
    for details in (result["EvalDecisionDetails"], specific["EvalDecisionDetails"]):
        assert details == {"IAM Policy": "implicitDeny", "Resource Policy": "allowed"}


@pytest.mark.parametrize("statements, action, resource, decision", [
    ([allow("s3:*", BUCKET + "/*")], "s3:GetObject", BUCKET + "/k", "allowed"),
    ([allow("s3:*", BUCKET + "/*")], "s3:GetObject", BUCKET, "implicitDeny"),
    ([allow("*"), deny("s3:Get*")], "s3:GetObject", BUCKET + "/k", "explicitDeny"),
    ([allow("S3:getobject")], "s3:GetObject", BUCKET + "/k", "allowed"),
    ([allow("s3:?etObject")], "s3:GetObject", BUCKET + "/k", "allowed"),
    ([{"Effect": "Allow", "NotAction": "s3:Put*", "Resource": "*"}], "s3:GetObject", BUCKET + "/k", "allowed"),
    ([{"Effect": "Allow", "Action": "s3:*", "NotResource": BUCKET + "/k"}], "s3:GetObject", BUCKET + "/k", "implicitDeny"),
])
def test_custom_policies_decide_as_the_server_does(account, statements, action, resource, decision):
    assert decisions(custom(account, [document(*statements)], [action], [resource])) == [decision]


def test_the_simulator_needs_its_right_on_the_source(account, nobody):
    target = account.user(key=False)
    with refused("AccessDenied", re.compile("iam:SimulatePrincipalPolicy")):
        nobody.iam.simulate_principal_policy(PolicySourceArn=target.arn, ActionNames=["s3:GetObject"])
    account.user(allow("iam:SimulatePrincipalPolicy", target.arn)).iam.simulate_principal_policy(PolicySourceArn=target.arn, ActionNames=["s3:GetObject"])


# Context keys.


def keys(reply):
    assert set(body(reply)) == {"ContextKeyNames"}
    return {name.lower() for name in reply["ContextKeyNames"]}


CONDITIONED = {"StringEquals": {"aws:PrincipalTag/team": "x"}, "Bool": {"aws:SecureTransport": "true"}}


def test_context_keys_of_custom_policies(account):
    first = document(allow("s3:*", condition=CONDITIONED), deny("s3:*", condition={"Null": {"AWS:securetransport": "true"}}))
    second = document(allow("iam:*", "arn:aws:iam::*:user/${aws:username}"))
    assert keys(account.iam.get_context_keys_for_custom_policy(PolicyInputList=[first, second])) == {"aws:principaltag/team", "aws:securetransport", "aws:username"}
    assert keys(account.iam.get_context_keys_for_custom_policy(PolicyInputList=[document(allow("*"))])) == set()


def test_context_keys_of_a_principal(account):
    user = account.user(allow("s3:*", condition=CONDITIONED), key=False)
    account.group(allow("s3:*", condition={"DateLessThan": {"aws:CurrentTime": "2030-01-01T00:00:00Z"}}), members=[user])
    got = account.iam.get_context_keys_for_principal_policy(PolicySourceArn=user.arn)
    assert keys(got) == {"aws:principaltag/team", "aws:securetransport", "aws:currenttime"}
    more = account.iam.get_context_keys_for_principal_policy(PolicySourceArn=user.arn, PolicyInputList=[document(allow("*", condition={"Bool": {"aws:ViaAWSService": "false"}}))])
    assert keys(more) == keys(got) | {"aws:viaawsservice"}
    with refused("NoSuchEntity"):
        account.iam.get_context_keys_for_principal_policy(PolicySourceArn=account.arn("user/none"))


def test_every_kind_of_source_has_context_keys(account):
    for kind in TITLES:
        entity = Entity(account, kind)
        entity.call("put_{}_policy", PolicyName="p", PolicyDocument=document(allow("s3:*", condition=CONDITIONED)))
        assert keys(account.iam.get_context_keys_for_principal_policy(PolicySourceArn=entity.arn)) == {"aws:principaltag/team", "aws:securetransport"}
