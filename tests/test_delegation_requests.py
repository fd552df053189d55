"""Delegation requests and role templates: only products that AWS has taken up make them, so here there are none, and nothing pretends otherwise."""

import pytest

from harness.expecting import denial, refused
from harness.principals import allow, body

ID = "dr-0123456789abcdef"
BY_ID = ["get", "associate", "update", "accept", "reject"]


def create(iam, **parameters):
    given = {"Description": "Set up", "Permissions": {"PolicyTemplateArn": "arn:aws:iam::aws:policy-template/none"}, "RequestorWorkflowId": "workflow-1",
             "NotificationChannel": "arn:aws:sns:us-east-1:111122223333:topic", "SessionDuration": 3600, **parameters}
    return iam.create_delegation_request(**given)


def by_id(iam, verb):
    return getattr(iam, f"{verb}_delegation_request")(DelegationRequestId=ID)


def test_a_request_needs_a_template_that_is_registered(account):
    with refused("InvalidInput", "The policy template arn:aws:iam::aws:policy-template/none is not registered."):
        create(account.iam)
    with refused("InvalidInput"):
        create(account.iam, Permissions={"Parameters": [{"Name": "Region", "Values": ["us-east-1"], "Type": "string"}]})
    with refused("InvalidInput"):
        create(account.iam, NotificationChannel="arn:aws:sqs:us-east-1:111122223333:queue")
    with refused("ValidationError"):
        create(account.root.unchecked(), SessionDuration=299)
    assert body(account.iam.list_delegation_requests()) == {"DelegationRequests": [], "isTruncated": False}


@pytest.mark.parametrize("verb", BY_ID)
def test_no_request_is_there(account, verb):
    with refused("NoSuchEntity", f"The delegation request with id {ID} cannot be found."):
        by_id(account.iam, verb)


def test_no_token_is_sent_for_what_is_not_there(account):
    with refused("NoSuchEntity"):
        account.iam.send_delegation_token(DelegationRequestId=ID)


def test_a_summary_is_of_a_delegation_request(account):
    with refused("NoSuchEntity"):
        account.iam.get_human_readable_summary(EntityArn=account.arn(f"delegation-request/{ID}"))
    with refused("InvalidInput"):
        account.iam.get_human_readable_summary(EntityArn=account.arn("user/alice"))
    with refused("ValidationError", "Invalid ARN:  Could not be parsed!"):
        account.iam.get_human_readable_summary(EntityArn="delegation-request/none")


def test_a_marker_is_none_of_ours(account):
    with refused("ValidationError", "Invalid Marker."):
        account.iam.list_delegation_requests(Marker="AAAA")


@pytest.mark.parametrize("verb", BY_ID)
def test_who_may_not_ask_does_not_learn_that_it_is_not_there(nobody, account, verb):
    with refused("AccessDenied", denial(nobody.arn, f"iam:{verb.capitalize()}DelegationRequest", account.arn(f"delegation-request/{ID}"))):
        by_id(nobody.iam, verb)


def test_making_one_may_be_bound_to_template_duration_and_channel(account):
    conditions = {"NumericLessThanEquals": {"iam:DelegationDuration": "3600"}, "ArnLike": {"iam:TemplateArn": "arn:aws:iam::aws:policy-template/none"},
                  "StringEquals": {"iam:NotificationChannel": "arn:aws:sns:us-east-1:111122223333:topic"}}
    user = account.user(allow("iam:CreateDelegationRequest", "*", conditions))
    with refused("InvalidInput"):
        create(user.iam)
    for other in ({"SessionDuration": 7200}, {"Permissions": {"PolicyTemplateArn": "arn:aws:iam::aws:policy-template/other"}},
                  {"NotificationChannel": "arn:aws:sns:us-east-1:111122223333:other"}):
        with refused("AccessDenied"):
            create(user.iam, **other)


def test_listing_may_be_bound_to_the_owner(account):
    user = account.user(allow("iam:ListDelegationRequests", "*", {"StringEquals": {"iam:DelegationRequestOwner": "${aws:PrincipalArn}"}}))
    assert user.iam.list_delegation_requests(OwnerId=user.arn)["DelegationRequests"] == []
    for asked in ({}, {"OwnerId": account.arn("user/somebody-else")}):
        with refused("AccessDenied"):
            user.iam.list_delegation_requests(**asked)


def test_no_role_template_is_there(account, nobody):
    template = "arn:aws:iam::aws:role-template/none"
    with refused("NoSuchEntity", f"Role template {template} cannot be found."):
        account.iam.acquire_role(TemplateArn=template, ReplacementValues={"Name": {"Values": ["x"]}})
    with refused("NoSuchEntity"):
        account.iam.get_role_template_version(TemplateArn=template, MinorVersion=1)
    with refused("ValidationError", "Invalid ARN:  Could not be parsed!"):
        account.iam.get_role_template_version(TemplateArn="role-template/none/none")
    with refused("AccessDenied"):
        nobody.iam.acquire_role(TemplateArn=template)
