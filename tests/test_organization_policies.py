"""Policies of an organization: made, changed, attached, listed, and every refusal."""

import json

import pytest

from harness.expecting import refused
from harness.organization_policies import FULL, RCP, RCP_FULL, SCP, TAG, Organization
from harness.principals import allow, deny, document, fresh

NO_POLICY = "You specified a policy that doesn't exist."
NO_TARGET = "You specified a target that doesn't exist."
MALFORMED = "The provided policy document does not meet the requirements of the specified policy type."
DENY_S3 = document(deny("s3:*"))
TAGS = {"tags": {"team": {"tag_key": {"@@assign": "Team"}}}}


@pytest.fixture(scope="module")
def organization(account):
    return Organization(account)


@pytest.fixture(scope="module")
def client(organization):
    return organization.client


def constraint(reason):
    """The refusal, which must carry this reason."""
    return Reasoned("ConstraintViolationException", reason)


def invalid(reason):
    return Reasoned("InvalidInputException", reason)


class Reasoned:
    def __init__(self, code, reason):
        self.code, self.reason = code, reason

    def __enter__(self):
        return self

    def __exit__(self, kind, error, _):
        assert kind is not None, f"not refused with {self.code}"
        reply = error.response
        assert (reply["Error"]["Code"], reply.get("Reason")) == (self.code, self.reason), reply
        assert reply["ResponseMetadata"]["HTTPStatusCode"] == 400
        return True


def test_a_policy_is_made_shown_changed_and_deleted(client, organization, account):
    made = client.create_policy(Content=DENY_S3, Description="no s3", Name="no-s3", Type=SCP, Tags=[{"Key": "team", "Value": "red"}])["Policy"]
    summary = made["PolicySummary"]
    policy = summary["Id"]
    assert summary == {
        "Id": policy,
        "Arn": f"arn:aws:organizations::{account.id}:policy/{organization.id}/service_control_policy/{policy}",
        "Name": "no-s3",
        "Description": "no s3",
        "Type": SCP,
        "AwsManaged": False,
    }
    assert made["Content"] == DENY_S3
    assert client.describe_policy(PolicyId=policy)["Policy"] == made
    assert client.list_tags_for_resource(ResourceId=policy)["Tags"] == [{"Key": "team", "Value": "red"}]
    spaced = " " + document(deny("ec2:*")) + "\n"
    changed = client.update_policy(PolicyId=policy, Name="no-ec2", Description="", Content=spaced)["Policy"]
    assert changed["PolicySummary"] == {**summary, "Name": "no-ec2", "Description": ""}
    assert changed["Content"] == spaced, "as it was sent"
    assert client.describe_policy(PolicyId=policy)["Policy"] == changed
    client.delete_policy(PolicyId=policy)
    with refused("PolicyNotFoundException", NO_POLICY, status=400):
        client.describe_policy(PolicyId=policy)


def test_awss_own_are_shown_and_nobody_changes_them(client):
    full = client.describe_policy(PolicyId=FULL)["Policy"]
    assert full["PolicySummary"] == {
        "Id": FULL,
        "Arn": "arn:aws:organizations::aws:policy/service_control_policy/p-FullAWSAccess",
        "Name": "FullAWSAccess",
        "Description": "Allows access to every operation",
        "Type": SCP,
        "AwsManaged": True,
    }
    assert json.loads(full["Content"])["Statement"] == [{"Effect": "Allow", "Action": "*", "Resource": "*"}]
    with invalid("IMMUTABLE_POLICY"):
        client.update_policy(PolicyId=FULL, Name="mine")
    with invalid("IMMUTABLE_POLICY"):
        client.delete_policy(PolicyId=FULL)


def test_names_are_unique_among_policies_of_one_type(client, organization):
    first = organization.policy(DENY_S3, name="taken")
    second = organization.policy(DENY_S3)
    organization.policy(TAGS, TAG, name="taken")
    with refused("DuplicatePolicyException", "A policy with the specified name and type already exists.", status=400):
        organization.policy(DENY_S3, name="taken")
    with refused("DuplicatePolicyException", status=400):
        client.update_policy(PolicyId=second, Name="taken")
    with refused("DuplicatePolicyException", status=400):
        organization.policy(DENY_S3, name="FullAWSAccess")
    client.update_policy(PolicyId=first, Name="taken", Description="its own name is no other's")


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (SCP, "{"),
        (SCP, "{}"),
        (SCP, json.dumps(TAGS)),
        (SCP, document({"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"})),
        (SCP, document({"Effect": "Deny", "Action": "s3:*"})),
        (RCP, document(deny("s3:*"))),
        (RCP, document({"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"})),
        (RCP, document({"Effect": "Deny", "Principal": {"AWS": "111122223333"}, "Action": "s3:*", "Resource": "*"})),
        (RCP, document({"Effect": "Deny", "Principal": "*", "NotAction": "s3:*", "Resource": "*"})),
        (RCP, document({"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"})),
        (TAG, DENY_S3),
        (TAG, json.dumps({"tags": {"team": {"tag_key": "Team"}}})),
        (TAG, json.dumps({"tags": {"team": {"tag_key": {"@@assign": "Other"}}}})),
        ("AISERVICES_OPT_OUT_POLICY", json.dumps({"services": {"lex": {"opt_out_policy": {"@@assign": "maybe"}}}})),
        ("BACKUP_POLICY", json.dumps({"plans": {"p": {"regions": {"@@assign": "us-east-1"}}}})),
    ],
)
def test_what_is_no_policy_of_its_type_is_malformed(client, kind, text):
    with refused("MalformedPolicyDocumentException", MALFORMED, status=400):
        client.create_policy(Content=text, Description="", Name=fresh("policy"), Type=kind)


def test_malformed_content_changes_nothing(client, organization):
    policy = organization.policy(DENY_S3)
    with refused("MalformedPolicyDocumentException", MALFORMED, status=400):
        client.update_policy(PolicyId=policy, Name=fresh("policy"), Content="{}")
    assert client.describe_policy(PolicyId=policy)["Policy"]["Content"] == DENY_S3


def test_a_policy_has_a_size_and_white_space_counts(client, organization):
    policy = organization.policy(DENY_S3 + " " * (10_240 - len(DENY_S3)))
    with constraint("POLICY_CONTENT_LIMIT_EXCEEDED"):
        client.update_policy(PolicyId=policy, Content=DENY_S3 + " " * (10_241 - len(DENY_S3)))
    with constraint("POLICY_CONTENT_LIMIT_EXCEEDED"):
        organization.rcp(deny("s3:*", "arn:aws:s3:::" + "x" * 5_120))


def test_what_the_model_does_not_allow_is_told_with_a_reason(account):
    client = account.root.unchecked("organizations")
    with invalid("INPUT_REQUIRED:CONTENT"):
        client.create_policy(Description="", Name="x", Type=SCP)
    with invalid("INVALID_ENUM:FILTER"):
        client.list_policies(Filter="NO_POLICY")
    with invalid("INVALID_PATTERN:POLICY_ID"):
        client.describe_policy(PolicyId="no id")
    with invalid("MAX_LENGTH_EXCEEDED:DESCRIPTION"):
        client.create_policy(Content=DENY_S3, Description="d" * 513, Name="x", Type=SCP)
    with invalid("MAX_VALUE_EXCEEDED:MAX_RESULTS"):
        client.list_policies(Filter=SCP, MaxResults=21)
    with invalid("INVALID_NEXT_TOKEN"):
        client.list_policies(Filter=SCP, NextToken="nonsense")


def test_new_units_have_awss_policies(organization):
    unit = organization.unit()
    for target in (organization.root, unit, organization.account.id):
        assert organization.attached(target) == [FULL]
        assert organization.attached(target, RCP) == [RCP_FULL]


def test_a_policy_is_attached_once_and_detached(client, organization):
    unit, policy = organization.unit(), organization.scp(deny("s3:*"))
    organization.attach(policy, unit)
    with refused("DuplicatePolicyAttachmentException", "A policy with the specified name and type already exists.", status=400):
        organization.attach(policy, unit)
    assert organization.attached(unit) == [FULL, policy]
    targets = client.list_targets_for_policy(PolicyId=policy)["Targets"]
    assert [(target["TargetId"], target["Type"]) for target in targets] == [(unit, "ORGANIZATIONAL_UNIT")]
    with refused("PolicyInUseException", status=400):
        client.delete_policy(PolicyId=policy)
    organization.detach(policy, unit)
    with refused("PolicyNotAttachedException", status=400):
        organization.detach(policy, unit)
    client.delete_policy(PolicyId=policy)


def test_each_target_keeps_one_service_control_policy(organization):
    unit, policy = organization.unit(), organization.scp(allow("*"))
    with constraint("MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED"):
        organization.detach(FULL, unit)
    organization.attach(policy, unit)
    organization.detach(FULL, unit)
    assert organization.attached(unit) == [policy]
    with constraint("MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED"):
        organization.detach(policy, unit)


def test_awss_resource_control_policy_stays_attached(organization):
    with invalid("NON_DETACHABLE_POLICY"):
        organization.detach(RCP_FULL, organization.root)


def test_a_target_has_ten_service_and_five_resource_control_policies_at_most(organization):
    unit = organization.unit()
    for _ in range(9):
        organization.attach(organization.scp(deny("s3:*")), unit)
    for _ in range(4):
        organization.attach(organization.rcp(deny("s3:*")), unit)
    with constraint("MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED"):
        organization.attach(organization.scp(deny("s3:*")), unit)
    with constraint("MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED"):
        organization.attach(organization.rcp(deny("s3:*")), unit)


def test_what_is_not_there_is_told(client, organization):
    gone = "p-00000000"
    for call in (client.describe_policy, client.delete_policy, client.update_policy, client.list_targets_for_policy):
        with refused("PolicyNotFoundException", NO_POLICY, status=400):
            call(PolicyId=gone)
    for call in (client.attach_policy, client.detach_policy):
        with refused("PolicyNotFoundException", NO_POLICY, status=400):
            call(PolicyId=gone, TargetId=organization.root)
        for target in ("r-zzzz", "ou-zzzz-00000000", "999999999999"):
            with refused("TargetNotFoundException", NO_TARGET, status=400):
                call(PolicyId=FULL, TargetId=target)
    with refused("TargetNotFoundException", NO_TARGET, status=400):
        client.list_policies_for_target(TargetId="ou-zzzz-00000000", Filter=SCP)


def test_a_type_is_enabled_before_it_is_attached_and_disabled_with_all_attachments(client, organization):
    policy = organization.policy(TAGS, TAG)
    with refused("PolicyTypeNotEnabledException", "This operation can be performed only for enabled policy types.", status=400):
        organization.attach(policy)
    root = client.enable_policy_type(RootId=organization.root, PolicyType=TAG)["Root"]
    assert {"Type": TAG, "Status": "ENABLED"} in root["PolicyTypes"]
    assert client.list_roots()["Roots"] == [root]
    with refused("PolicyTypeAlreadyEnabledException", status=400):
        client.enable_policy_type(RootId=organization.root, PolicyType=TAG)
    organization.attach(policy)
    assert organization.attached(organization.root, TAG) == [policy]
    root = client.disable_policy_type(RootId=organization.root, PolicyType=TAG)["Root"]
    assert TAG not in [each["Type"] for each in root["PolicyTypes"]]
    assert organization.attached(organization.root, TAG) == []
    with refused("PolicyTypeNotEnabledException", status=400):
        client.disable_policy_type(RootId=organization.root, PolicyType=TAG)
    for call in (client.enable_policy_type, client.disable_policy_type):
        with refused("RootNotFoundException", "You specified a root that doesn't exist.", status=400):
            call(RootId="r-zzzz", PolicyType=TAG)


def test_control_policies_enabled_again_begin_with_awss(server):
    organization = Organization(server.account(fresh("policy-types")))
    unit, policy = organization.unit(), organization.scp(allow("*"))
    organization.attach(policy, unit)
    organization.detach(FULL, unit)
    organization.client.disable_policy_type(RootId=organization.root, PolicyType=SCP)
    assert organization.attached(unit) == []
    organization.client.enable_policy_type(RootId=organization.root, PolicyType=SCP)
    assert [organization.attached(target) for target in (organization.root, unit, organization.account.id)] == [[FULL]] * 3
    assert organization.attached(unit, RCP) == [RCP_FULL], "the other kind is as it was"


def test_with_one_bill_and_no_features_there_are_no_policies(server):
    root = server.account(fresh("one-bill")).root
    client = root.client("organizations")
    client.create_organization(FeatureSet="CONSOLIDATED_BILLING")
    place = client.list_roots()["Roots"][0]["Id"]
    with refused("PolicyTypeNotAvailableForOrganizationException", status=400):
        client.enable_policy_type(RootId=place, PolicyType=SCP)
    with refused("PolicyTypeNotAvailableForOrganizationException", status=400):
        client.create_policy(Content=DENY_S3, Description="", Name="x", Type=SCP)
    with refused("PolicyTypeNotEnabledException", status=400):
        client.attach_policy(PolicyId=FULL, TargetId=place)


def test_outside_of_an_organization_there_are_none(other_account):
    client = other_account.root.client("organizations")
    calls = [
        lambda: client.list_policies(Filter=SCP),
        lambda: client.describe_policy(PolicyId=FULL),
        lambda: client.create_policy(Content=DENY_S3, Description="", Name="x", Type=SCP),
        lambda: client.describe_effective_policy(PolicyType=TAG),
        lambda: client.enable_policy_type(RootId="r-zzzz", PolicyType=SCP),
    ]
    for call in calls:
        with refused("AWSOrganizationsNotInUseException", "Your account is not a member of an organization.", status=400):
            call()


def test_lists_show_everything_once_whatever_the_page(server):
    organization = Organization(server.account(fresh("lists")))
    made = {organization.scp(deny("s3:*")) for _ in range(5)}
    units = [organization.unit() for _ in range(5)]
    for size in (1, 2, 3, 20):
        pages = organization.client.get_paginator("list_policies").paginate(Filter=SCP, MaxResults=size)
        seen = [policy["Id"] for page in pages for policy in page["Policies"]]
        assert seen[0] == FULL and sorted(seen) == sorted({FULL, *made}), size
        pages = list(organization.client.get_paginator("list_targets_for_policy").paginate(PolicyId=FULL, MaxResults=size))
        assert all(len(page["Targets"]) <= size for page in pages)
        seen = [target["TargetId"] for page in pages for target in page["Targets"]]
        assert sorted(seen) == sorted([organization.root, organization.account.id, *units])
    for policy in sorted(made):
        organization.attach(policy, units[0])
    pages = organization.client.get_paginator("list_policies_for_target").paginate(TargetId=units[0], Filter=SCP, MaxResults=2)
    assert [policy["Id"] for page in pages for policy in page["Policies"]] == [FULL, *sorted(made)]


def test_who_may_not_is_denied(account, organization):
    policy = organization.scp(deny("s3:*"))
    client = account.user().client("organizations")
    calls = {
        "CreatePolicy": lambda: client.create_policy(Content=DENY_S3, Description="", Name="x", Type=SCP),
        "UpdatePolicy": lambda: client.update_policy(PolicyId=policy),
        "DeletePolicy": lambda: client.delete_policy(PolicyId=policy),
        "DescribePolicy": lambda: client.describe_policy(PolicyId=policy),
        "ListPolicies": lambda: client.list_policies(Filter=SCP),
        "AttachPolicy": lambda: client.attach_policy(PolicyId=policy, TargetId=organization.root),
        "DetachPolicy": lambda: client.detach_policy(PolicyId=policy, TargetId=organization.root),
        "ListPoliciesForTarget": lambda: client.list_policies_for_target(TargetId=organization.root, Filter=SCP),
        "ListTargetsForPolicy": lambda: client.list_targets_for_policy(PolicyId=policy),
        "EnablePolicyType": lambda: client.enable_policy_type(RootId=organization.root, PolicyType=TAG),
        "DisablePolicyType": lambda: client.disable_policy_type(RootId=organization.root, PolicyType=SCP),
        "DescribeEffectivePolicy": lambda: client.describe_effective_policy(PolicyType=TAG),
        "ListEffectivePolicyValidationErrors": lambda: client.list_effective_policy_validation_errors(AccountId=account.id, PolicyType=TAG),
    }
    for name, call in calls.items():
        with refused("AccessDeniedException", status=400) as told:
            call()
        assert f"organizations:{name}" in told.message


def test_permission_is_by_type_policy_and_target(account, organization):
    policy, tagged = organization.scp(deny("s3:*")), organization.policy(TAGS, TAG)
    unit, other = organization.unit(), organization.unit()
    only_scps = account.user(allow("organizations:*", condition={"StringEquals": {"organizations:PolicyType": SCP}})).client("organizations")
    only_scps.describe_policy(PolicyId=policy)
    only_scps.attach_policy(PolicyId=policy, TargetId=unit)
    for call in (lambda: only_scps.describe_policy(PolicyId=tagged), lambda: only_scps.list_policies(Filter=TAG)):
        with refused("AccessDeniedException", status=400):
            call()
    arn = f"arn:aws:organizations::{account.id}"
    limited = account.user(allow("organizations:AttachPolicy", [f"{arn}:policy/{organization.id}/*", f"{arn}:ou/{organization.id}/{unit}"]))
    mine = organization.scp(deny("ec2:*"))
    limited.client("organizations").attach_policy(PolicyId=mine, TargetId=unit)
    with refused("AccessDeniedException", status=400):
        limited.client("organizations").attach_policy(PolicyId=mine, TargetId=other)


def test_an_organization_goes_with_its_policies(server):
    organization = Organization(server.account(fresh("not-empty")))
    policy = organization.attach(organization.scp(deny("s3:*")))
    organization.client.delete_organization()
    organization.client.create_organization()
    with refused("PolicyNotFoundException", status=400):
        organization.client.describe_policy(PolicyId=policy)
