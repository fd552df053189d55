"""Tags of policies and instance profiles tell cases apart, condition keys do not: two tags that differ by case only are one key with two
values, which no single-valued operator matches. The last one written must not hide the first."""

import itertools
import json

import pytest

from harness.expecting import refused
from harness.principals import allow, fresh


def tags(*pairs):
    return [{"Key": key, "Value": value} for key, value in pairs]


BOTH = list(itertools.permutations([("dept", "mine"), ("Dept", "theirs")]))
DOCUMENT = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]})


@pytest.mark.parametrize("order", BOTH)
def test_a_request_tag_beside_its_other_spelling_is_not_let_through(account, order):
    """Who may tag with dept=mine only also wrote Dept=theirs."""
    condition = {"StringEquals": {"aws:RequestTag/dept": "mine"}}
    delegate = account.user(allow(["iam:CreatePolicy", "iam:CreateInstanceProfile"]), allow(["iam:TagPolicy", "iam:TagInstanceProfile"], condition=condition))
    delegate.iam.create_policy(PolicyName=fresh("tagged"), PolicyDocument=DOCUMENT, Tags=tags(("Dept", "mine")))
    with refused("AccessDenied"):
        delegate.iam.create_policy(PolicyName=fresh("tagged"), PolicyDocument=DOCUMENT, Tags=tags(*order))
    with refused("AccessDenied"):
        delegate.iam.create_instance_profile(InstanceProfileName=fresh("tagged"), Tags=tags(*order))
    arn = account.policy()
    with refused("AccessDenied"):
        delegate.iam.tag_policy(PolicyArn=arn, Tags=tags(*order))


@pytest.mark.parametrize("order", BOTH)
def test_a_resource_tag_beside_its_other_spelling_does_not_open_the_resource(account, order):
    """Who may act on what has dept=mine acted on what also has Dept=theirs."""
    delegate = account.user(allow(["iam:DeletePolicy", "iam:DeleteInstanceProfile"], condition={"StringEquals": {"aws:ResourceTag/dept": "mine"}}))
    arn, profile = account.policy(Tags=tags(*order)), fresh("tagged")
    account.iam.create_instance_profile(InstanceProfileName=profile, Tags=tags(*order))
    with refused("AccessDenied"):
        delegate.iam.delete_policy(PolicyArn=arn)
    with refused("AccessDenied"):
        delegate.iam.delete_instance_profile(InstanceProfileName=profile)


def test_any_value_of_a_tag_in_two_spellings_is_seen_by_a_set_operator(account):
    """The way to write a Deny that a second spelling cannot hide from."""
    arn = account.policy(Tags=tags(("Protected", "true"), ("protected", "no")))
    user = account.user(allow("iam:GetPolicy"), {"Effect": "Deny", "Action": "iam:GetPolicy", "Resource": "*", "Condition": {"ForAnyValue:StringEquals": {"aws:ResourceTag/protected": "true"}}})
    with refused("AccessDenied"):
        user.iam.get_policy(PolicyArn=arn)
