"""Tag policies that are enforced refuse tags of the wrong case or value on the resource types that AWS lists, and on no others."""

import pytest

from harness.expecting import refused
from harness.organization_policies import TAG, Organization
from harness.principals import allow, document, fresh

RIGHT, OTHER_CASE, OTHER_VALUE = ({"Key": "CostCenter", "Value": "100"}, {"Key": "costcenter", "Value": "100"}, {"Key": "CostCenter", "Value": "300"})


@pytest.fixture(scope="module")
def organization(account):
    made = Organization(account, rcps=False)
    made.client.enable_policy_type(RootId=made.root, PolicyType=TAG)
    rule = {
        "tag_key": {"@@assign": "CostCenter"},
        "tag_value": {"@@assign": ["100", "2*"]},
        "enforced_for": {"@@assign": ["iam:policy", "iam:instance-profile", "organizations:policy"]},
    }
    made.rule = made.policy({"tags": {"costcenter": rule}}, TAG)
    return made


@pytest.fixture
def enforced(organization):
    organization.attach(organization.rule)
    yield organization
    organization.detach(organization.rule)


def refusal(tag):
    return refused("InvalidInput", f"The tag policy does not allow the specified value for the following tag key: '{tag['Key']}'.")


def test_tags_of_the_wrong_case_or_value_are_refused_when_made_and_when_set(account, enforced):
    text = document(allow("s3:*"))
    arn = account.iam.create_policy(PolicyName=fresh("policy"), PolicyDocument=text, Tags=[RIGHT])["Policy"]["Arn"]
    profile = fresh("profile")
    account.iam.create_instance_profile(InstanceProfileName=profile, Tags=[{"Key": "CostCenter", "Value": "200"}])
    for tag in (OTHER_CASE, OTHER_VALUE):
        with refusal(tag):
            account.iam.create_policy(PolicyName="never", PolicyDocument=text, Tags=[tag])
        with refusal(tag):
            account.iam.tag_policy(PolicyArn=arn, Tags=[tag])
        with refusal(tag):
            account.iam.create_instance_profile(InstanceProfileName="never", Tags=[tag])
        with refusal(tag):
            account.iam.tag_instance_profile(InstanceProfileName=profile, Tags=[tag])
    assert account.iam.list_policy_tags(PolicyArn=arn)["Tags"] == [RIGHT]
    with refused("NoSuchEntity"):
        account.iam.get_instance_profile(InstanceProfileName="never")


def test_other_keys_and_no_tags_at_all_are_nobodys_business(account, enforced):
    account.iam.create_policy(PolicyName=fresh("policy"), PolicyDocument=document(allow("s3:*")))
    account.iam.create_policy(PolicyName=fresh("policy"), PolicyDocument=document(allow("s3:*")), Tags=[{"Key": "other", "Value": "x"}])


def test_users_and_roles_are_not_reached(account, enforced):
    account.iam.create_user(UserName=fresh("user"), Tags=[OTHER_VALUE])


def test_an_organizations_own_policies_are(enforced):
    with pytest.raises(enforced.client.exceptions.ConstraintViolationException) as caught:
        enforced.client.tag_resource(ResourceId=enforced.rule, Tags=[OTHER_VALUE])
    assert caught.value.response["Reason"] == "TAG_POLICY_VIOLATION"
    enforced.client.tag_resource(ResourceId=enforced.rule, Tags=[RIGHT])
    enforced.client.tag_resource(ResourceId=enforced.root, Tags=[OTHER_VALUE])


def test_what_is_detached_refuses_nothing(account, organization):
    account.iam.create_policy(PolicyName=fresh("policy"), PolicyDocument=document(allow("s3:*")), Tags=[OTHER_VALUE])
