"""What Organizations says when it refuses: the words that AWS was recorded to say."""

import json

import pytest

from harness.expecting import refused
from harness.members import organization


@pytest.fixture(scope="module")
def mine(server):
    return organization(server, "words")


def test_words_about_policies(mine):
    client, root = mine.client, mine.root
    with refused("ResourcePolicyNotFoundException", "No resource-based policy found.", status=400):
        client.describe_resource_policy()
    with refused("InvalidInputException", "This resource-based policy contains invalid JSON.", status=400):
        client.put_resource_policy(Content="{")
    not_enabled = "The specified policy type is not enabled. Enable that policy type on your organization root and then retry."
    own = mine.management.id
    for call, names in [("describe_effective_policy", {"TargetId": own}), ("list_effective_policy_validation_errors", {"AccountId": own}), ("list_accounts_with_invalid_effective_policy", {})]:
        with refused("EffectivePolicyNotFoundException", not_enabled, status=400):
            getattr(client, call)(PolicyType="TAG_POLICY", **names)
    with refused("InvalidInputException", "You specified a target that is not currently supported.", status=400):
        client.describe_effective_policy(PolicyType="TAG_POLICY", TargetId=root)
    with refused("HandshakeConstraintViolationException", "All features are already enabled on this organization.", status=400):
        client.enable_all_features()


def test_a_policy_that_is_attached_is_in_use(mine):
    client, root = mine.client, mine.root
    content = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]})
    policy = client.create_policy(Name="p", Description="", Type="SERVICE_CONTROL_POLICY", Content=content)["Policy"]["PolicySummary"]["Id"]
    client.attach_policy(PolicyId=policy, TargetId=root)
    with refused("PolicyInUseException", "The specified policy is in use and cannot be deleted.", status=400):
        client.delete_policy(PolicyId=policy)
