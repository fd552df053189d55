"""Effective policies: what an account is told when all that is attached above it is merged."""

import json

import pytest

from harness.expecting import refused
from harness.organization_policies import TAG, Organization
from harness.principals import allow, fresh

BACKUP, OPT_OUT = "BACKUP_POLICY", "AISERVICES_OPT_OUT_POLICY"


@pytest.fixture(scope="module")
def organization(account):
    made = Organization(account, rcps=False)
    for kind in (TAG, BACKUP, OPT_OUT):
        made.client.enable_policy_type(RootId=made.root, PolicyType=kind)
    return made


@pytest.fixture
def unit(organization):
    return organization.unit()


@pytest.fixture
def member(organization, unit):
    return organization.invite(organization.server.account(fresh("member")), unit)


def effective(organization, member, kind=TAG):
    told = organization.client.describe_effective_policy(PolicyType=kind, TargetId=member.id)["EffectivePolicy"]
    assert (told["TargetId"], told["PolicyType"]) == (member.id, kind)
    assert told["LastUpdatedTimestamp"]
    return json.loads(told["PolicyContent"])


def cost_center(**settings):
    return {"tags": {"CostCenter": settings}}


def test_policies_of_root_unit_and_account_are_merged(organization, unit, member):
    root = organization.attach(organization.policy(cost_center(tag_key={"@@assign": "CostCenter"}, tag_value={"@@assign": ["100", "200"]}), TAG))
    assert effective(organization, member) == {"tags": {"costcenter": {"tag_key": "CostCenter", "tag_value": ["100", "200"]}}}
    organization.attach(organization.policy(cost_center(tag_value={"@@append": ["300"]}), TAG), unit)
    organization.attach(organization.policy(cost_center(tag_value={"@@remove": ["100"]}), TAG), member.id)
    assert effective(organization, member)["tags"]["costcenter"]["tag_value"] == ["200", "300"]
    organization.client.update_policy(PolicyId=root, Content=json.dumps(cost_center(tag_value={"@@assign": ["100", "900"]})))
    assert effective(organization, member) == {"tags": {"costcenter": {"tag_value": ["900", "300"]}}}
    organization.detach(root)


def test_what_the_root_locks_stays(organization, unit, member):
    locked = {"@@assign": "optOut", "@@operators_allowed_for_child_policies": ["@@none"]}
    organization.attach(organization.policy({"services": {"default": {"opt_out_policy": locked}}}, OPT_OUT), unit)
    child = {"services": {name: {"opt_out_policy": {"@@assign": "optIn"}} for name in ("default", "lex")}}
    organization.attach(organization.policy(child, OPT_OUT), member.id)
    expected = {"services": {"default": {"opt_out_policy": "optOut"}, "lex": {"opt_out_policy": "optIn"}}}
    assert effective(organization, member, OPT_OUT) == expected


def test_every_account_sees_its_own_and_nobody_elses(organization, unit, member):
    organization.attach(organization.policy(cost_center(tag_key={"@@assign": "CostCenter"}), TAG), unit)
    own = member.root.client("organizations")
    assert own.describe_effective_policy(PolicyType=TAG)["EffectivePolicy"]["TargetId"] == member.id
    own.describe_effective_policy(PolicyType=TAG, TargetId=member.id)
    with refused("AccessDeniedException", status=400):
        own.describe_effective_policy(PolicyType=TAG, TargetId=organization.account.id)
    with refused("AccessDeniedException", status=400):
        own.list_effective_policy_validation_errors(AccountId=member.id, PolicyType=TAG)


def test_where_nothing_is_attached_or_enabled_there_is_none(organization, member):
    for kind in (TAG, "CHATBOT_POLICY"):
        with refused("EffectivePolicyNotFoundException", status=400):
            organization.client.describe_effective_policy(PolicyType=kind, TargetId=member.id)
        with refused("EffectivePolicyNotFoundException", status=400):
            organization.client.list_effective_policy_validation_errors(AccountId=member.id, PolicyType=kind)


def test_only_accounts_have_effective_policies(organization, unit):
    for target in (organization.root, unit):
        with refused("InvalidInputException", status=400):
            organization.client.describe_effective_policy(PolicyType=TAG, TargetId=target)
    with refused("TargetNotFoundException", status=400):
        organization.client.describe_effective_policy(PolicyType=TAG, TargetId="999999999999")
    with refused("AccountNotFoundException", status=400):
        organization.client.list_effective_policy_validation_errors(AccountId="999999999999", PolicyType=TAG)
    with refused("InvalidInputException", status=400):
        organization.account.root.unchecked("organizations").describe_effective_policy(PolicyType="SERVICE_CONTROL_POLICY")


def plan(**parts):
    return {"plans": {"Daily": parts}}


RULES = {"every_day": {"target_backup_vault_name": {"@@assign": "Default"}}}
SELECTIONS = {"tags": {"all": {"iam_role_arn": {"@@assign": "arn:aws:iam::$account:role/R"}, "tag_key": {"@@assign": "backup"}, "tag_value": {"@@assign": ["yes"]}}}}


def test_a_plan_that_lacks_what_it_needs_is_told(organization, unit, member):
    first = organization.attach(organization.policy(plan(regions={"@@assign": ["us-east-1"]}, rules=RULES), BACKUP), unit)
    told = organization.client.list_effective_policy_validation_errors(AccountId=member.id, PolicyType=BACKUP)
    assert (told["AccountId"], told["PolicyType"]) == (member.id, BACKUP)
    assert told["Path"] == f"{organization.id}/{organization.root}/{unit}/{member.id}/"
    (error,) = told["EffectivePolicyValidationErrors"]
    assert error["PathToError"] == "plans/Daily/selections" and error["ContributingPolicies"] == [first]
    listed = organization.client.list_accounts_with_invalid_effective_policy(PolicyType=BACKUP)
    assert listed["PolicyType"] == BACKUP and [account["Id"] for account in listed["Accounts"]] == [member.id]
    organization.attach(organization.policy(plan(selections=SELECTIONS), BACKUP), member.id)
    told = organization.client.list_effective_policy_validation_errors(AccountId=member.id, PolicyType=BACKUP)
    assert told["EffectivePolicyValidationErrors"] == []
    assert organization.client.list_accounts_with_invalid_effective_policy(PolicyType=BACKUP)["Accounts"] == []


def test_what_is_wrong_with_a_policy_is_paged(organization, unit, member):
    plans = {"plans": {f"Plan{number}": {"regions": {"@@assign": ["us-east-1"]}, "rules": RULES} for number in range(5)}}
    organization.attach(organization.policy(plans, BACKUP), unit)
    told, token = [], {}
    while True:
        page = organization.client.list_effective_policy_validation_errors(AccountId=member.id, PolicyType=BACKUP, MaxResults=2, **token)
        told += [error["PathToError"] for error in page["EffectivePolicyValidationErrors"]]
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert told == [f"plans/Plan{number}/selections" for number in range(5)]


def test_invalid_accounts_are_paged(server):
    organization = Organization(server.account(fresh("invalid")), rcps=False)
    organization.client.enable_policy_type(RootId=organization.root, PolicyType=BACKUP)
    members = {organization.invite(server.account(fresh("member"))).id for _ in range(3)}
    organization.attach(organization.policy(plan(rules=RULES), BACKUP))
    for size in (1, 2, 20):
        pages = organization.client.get_paginator("list_accounts_with_invalid_effective_policy").paginate(PolicyType=BACKUP, MaxResults=size)
        seen = [account["Id"] for page in pages for account in page["Accounts"]]
        assert len(seen) == 4 and set(seen) == members | {organization.account.id}
