"""Service-linked roles: made from AWS's templates, changed by nobody but their service, deleted by a task."""

import re

import pytest

from harness.asking import post
from harness.expecting import denial, refused
from harness.principals import allow, body, document, fresh, trust
from harness.services import registered
from harness.signing import query
from test_trail import event

UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def path(service):
    return f"/aws-service-role/{service}/"


@pytest.fixture(scope="module")
def ecs(account):
    return account.iam.create_service_linked_role(AWSServiceName="ecs.amazonaws.com")["Role"]


def test_a_role_is_made_as_aws_makes_it(account, ecs):
    assert set(ecs) == {"Path", "RoleName", "RoleId", "Arn", "CreateDate", "AssumeRolePolicyDocument"}
    assert ecs["Path"] == path("ecs.amazonaws.com") and ecs["RoleName"] == "AWSServiceRoleForECS" and ecs["RoleId"].startswith("AROA")
    assert ecs["Arn"] == account.arn("role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS")
    got = account.iam.get_role(RoleName="AWSServiceRoleForECS")["Role"]
    assert got["MaxSessionDuration"] == 3600 and got["RoleLastUsed"] == {} and "Tags" not in got and "Description" not in got
    assert got["AssumeRolePolicyDocument"] == {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "ecs.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
    assert body(account.iam.list_role_policies(RoleName=ecs["RoleName"])) == {"PolicyNames": [], "IsTruncated": False}
    attached = {"PolicyName": "AmazonECSServiceRolePolicy", "PolicyArn": "arn:aws:iam::aws:policy/aws-service-role/AmazonECSServiceRolePolicy"}
    assert body(account.iam.list_attached_role_policies(RoleName=ecs["RoleName"])) == {"AttachedPolicies": [attached], "IsTruncated": False}
    assert ecs["Arn"] in [role["Arn"] for role in account.iam.list_roles(PathPrefix="/aws-service-role/")["Roles"]]


def test_a_suffix_is_taken_where_aws_takes_one(account):
    made = account.iam.create_service_linked_role(AWSServiceName="autoscaling.amazonaws.com", CustomSuffix="web", Description="for the web")["Role"]
    assert made["RoleName"] == "AWSServiceRoleForAutoScaling_web" and "Description" not in made
    assert account.iam.get_role(RoleName=made["RoleName"])["Role"]["Description"] == "for the web"
    account.iam.create_service_linked_role(AWSServiceName="autoscaling.amazonaws.com", CustomSuffix="batch")
    account.iam.create_service_linked_role(AWSServiceName="autoscaling.amazonaws.com")
    with refused("InvalidInput", "Custom suffix is not allowed for ecs.amazonaws.com"):
        account.iam.create_service_linked_role(AWSServiceName="ecs.amazonaws.com", CustomSuffix="x")
    with refused("InvalidInput", re.compile("is not valid, please try a different suffix")):
        account.iam.create_service_linked_role(AWSServiceName="autoscaling.amazonaws.com", CustomSuffix="x" * 64)


def test_a_name_is_taken_once(account, ecs):
    with refused("InvalidInput", "Service role name AWSServiceRoleForECS has been taken in this account, please try a different suffix."):
        account.iam.create_service_linked_role(AWSServiceName="ecs.amazonaws.com")
    account.role(name="AWSServiceRoleForBatch")
    with refused("InvalidInput", "Service role name AWSServiceRoleForBatch has been taken in this account, please try a different suffix."):
        account.iam.create_service_linked_role(AWSServiceName="batch.amazonaws.com")


@pytest.mark.parametrize("service", ["nothing.amazonaws.com", "ECS.amazonaws.com", "ecs", "logs.amazonaws.com", "resourcegroups.amazonaws.com", "thumbs.example.internal"])
def test_a_service_without_a_template_has_no_role(account, service):
    with refused("AccessDenied", f"Cannot find Service Linked Role template for {service}"):
        account.iam.create_service_linked_role(AWSServiceName=service)


def test_a_limit_of_roles_counts_them_too(own_server):
    own_server.options += ["--quota-roles", "1"]
    own_server.start()
    iam = own_server.root.iam
    iam.create_service_linked_role(AWSServiceName="ecs.amazonaws.com")
    with refused("LimitExceeded", "Cannot exceed quota for RolesPerAccount: 1"):
        iam.create_service_linked_role(AWSServiceName="rds.amazonaws.com")


def test_each_operation_needs_its_permission(account, nobody, ecs):
    arn = ecs["Arn"]
    with refused("AccessDenied", denial(nobody.arn, "iam:CreateServiceLinkedRole", account.arn("role/aws-service-role/rds.amazonaws.com/AWSServiceRoleForRDS"))):
        nobody.iam.create_service_linked_role(AWSServiceName="rds.amazonaws.com")
    with refused("AccessDenied", denial(nobody.arn, "iam:DeleteServiceLinkedRole", (arn, f"role {ecs['RoleName']}"))):
        nobody.iam.delete_service_linked_role(RoleName=ecs["RoleName"])
    with refused("AccessDenied", denial(nobody.arn, "iam:GetServiceLinkedRoleDeletionStatus", arn)):
        nobody.iam.get_service_linked_role_deletion_status(DeletionTaskId=f"task{arn.split(':role')[1]}/none")
    only = account.user(allow("iam:CreateServiceLinkedRole", account.arn("role/aws-service-role/*"), {"StringLike": {"iam:AWSServiceName": "rds.amazonaws.com"}}))
    only.iam.create_service_linked_role(AWSServiceName="rds.amazonaws.com")
    with refused("AccessDenied"):
        only.iam.create_service_linked_role(AWSServiceName="redshift.amazonaws.com")


def test_nobody_makes_a_role_where_only_services_do(account):
    for reserved in ("/aws-service-role/", "/aws-service-role/ecs.amazonaws.com/", "/aws-reserved/", "/aws-reserved/sso.amazonaws.com/"):
        with refused("InvalidInput"):
            account.role(Path=reserved)


def test_only_its_description_changes(account, ecs):
    name = ecs["RoleName"]
    protected = f"Cannot perform the operation on the protected role '{name}' - this role is only modifiable by AWS"
    policy = account.policy()
    for operation, parameters in [
        ("delete_role", {}),
        ("update_assume_role_policy", {"PolicyDocument": trust(account.id)}),
        ("attach_role_policy", {"PolicyArn": policy}),
        ("detach_role_policy", {"PolicyArn": "arn:aws:iam::aws:policy/aws-service-role/AmazonECSServiceRolePolicy"}),
        ("put_role_policy", {"PolicyName": "p", "PolicyDocument": document(allow("*"))}),
        ("delete_role_policy", {"PolicyName": "p"}),
        ("put_role_permissions_boundary", {"PermissionsBoundary": policy}),
        ("delete_role_permissions_boundary", {}),
    ]:
        with refused("UnmodifiableEntity", protected):
            getattr(account.iam, operation)(RoleName=name, **parameters)
    with refused("UnmodifiableEntity", f"{name} is an AWS service linked role, max session duration cannot be changed."):
        account.iam.update_role(RoleName=name, MaxSessionDuration=7200)
    profile = fresh("profile")
    account.iam.create_instance_profile(InstanceProfileName=profile)
    with refused("UnmodifiableEntity", protected):
        account.iam.add_role_to_instance_profile(InstanceProfileName=profile, RoleName=name)
    account.iam.update_role(RoleName=name, Description="one")
    assert account.iam.get_role(RoleName=name)["Role"]["Description"] == "one"
    assert account.iam.update_role_description(RoleName=name, Description="two")["Role"]["Description"] == "two"


def test_its_policy_is_for_nobody_else(account):
    arn = "arn:aws:iam::aws:policy/aws-service-role/AmazonECSServiceRolePolicy"
    with refused("PolicyNotAttachable", "Cannot attach a Service Role Policy to a Customer Role."):
        account.iam.attach_role_policy(RoleName=account.role().name, PolicyArn=arn)


def test_a_deletion_is_a_task(server, account):
    role = account.iam.create_service_linked_role(AWSServiceName="lex.amazonaws.com")["Role"]
    reply = account.iam.delete_service_linked_role(RoleName=role["RoleName"])
    task = reply["DeletionTaskId"]
    assert re.fullmatch(rf"task/aws-service-role/lex\.amazonaws\.com/AWSServiceRoleForLexBots/{UUID}", task)
    assert body(account.iam.get_service_linked_role_deletion_status(DeletionTaskId=task)) == {"Status": "SUCCEEDED"}
    with refused("NoSuchEntity", "The role with name AWSServiceRoleForLexBots cannot be found."):
        account.iam.get_role(RoleName=role["RoleName"])
    assert event(server, reply)["eventName"] == "DeleteServiceLinkedRole"
    again = account.iam.create_service_linked_role(AWSServiceName="lex.amazonaws.com")["Role"]
    assert again["RoleId"] != role["RoleId"]


def test_a_task_that_there_is_not(account, other_account):
    role = account.iam.create_service_linked_role(AWSServiceName="kafka.amazonaws.com")["Role"]
    task = account.iam.delete_service_linked_role(RoleName=role["RoleName"])["DeletionTaskId"]
    with refused("NoSuchEntity"):
        other_account.iam.get_service_linked_role_deletion_status(DeletionTaskId=task)
    with refused("NoSuchEntity"):
        account.iam.get_service_linked_role_deletion_status(DeletionTaskId=task[:-1])
    for wrong in ("task", "task/aws-service-role/x", "task/aws-service-role/kafka.amazonaws.com/AWSServiceRoleForKafka/", "task/aws-service-role//a/b", "x" * 1000):
        with refused("InvalidInput"):
            account.iam.get_service_linked_role_deletion_status(DeletionTaskId=wrong)
    with refused("ValidationError"):
        account.root.unchecked().get_service_linked_role_deletion_status(DeletionTaskId="x" * 1001)


def test_an_ordinary_role_is_not_deleted_so(account):
    name = account.role().name
    with refused("NoSuchEntity", f"{name} exists but is not a service role."):
        account.iam.delete_service_linked_role(RoleName=name)
    with refused("NoSuchEntity", "The role with name walk-none cannot be found."):
        account.iam.delete_service_linked_role(RoleName="walk-none")
    account.iam.get_role(RoleName=name)


def test_only_its_service_takes_it_on(server, account):
    """Not even an administrator; and the service, where the operator registers it."""
    role = account.iam.create_service_linked_role(AWSServiceName="fsx.amazonaws.com")["Role"]
    administrator = account.user(allow("*"))
    with refused("AccessDenied"):
        administrator.assume(role["Arn"])
    with refused("AccessDenied"):
        registered(server).acting_for().assume_role(RoleArn=role["Arn"], RoleSessionName="session")
    fsx = registered(server, "fsx.amazonaws.com")
    got = fsx.acting_for().assume_role(RoleArn=role["Arn"], RoleSessionName="session")
    assert got["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{account.id}:assumed-role/AWSServiceRoleForAmazonFSx/session"
    server.run("service", "remove", "fsx.amazonaws.com")


def test_a_role_that_its_service_uses_is_not_deleted(server, account):
    role = account.iam.create_service_linked_role(AWSServiceName="memorydb.amazonaws.com")["Role"]
    memorydb, other = registered(server, "memorydb.amazonaws.com"), registered(server)
    cluster = f"arn:aws:memorydb:eu-west-1:{account.id}:cluster/c"

    def used(service, *resources, arn=role["Arn"]):
        return post(service, {"role": arn, "region": "eu-west-1", "resources": list(resources)}, path="/role-usage").status

    assert used(memorydb, cluster) == 200
    assert used(other) == 400 and used(account.user(allow("*"))) == 400 and used(account.user()) == 403
    assert used(memorydb, arn=account.role().arn) == 400 and used(memorydb, arn=role["Arn"] + "x") == 400 and used(memorydb, "nothing") == 400
    task = account.iam.delete_service_linked_role(RoleName=role["RoleName"])["DeletionTaskId"]
    told = body(account.iam.get_service_linked_role_deletion_status(DeletionTaskId=task))
    assert told["Status"] == "FAILED" and told["Reason"]["RoleUsageList"] == [{"Region": "eu-west-1", "Resources": [cluster]}] and told["Reason"]["Reason"]
    account.iam.get_role(RoleName=role["RoleName"])
    assert used(memorydb) == 200
    task = account.iam.delete_service_linked_role(RoleName=role["RoleName"])["DeletionTaskId"]
    assert account.iam.get_service_linked_role_deletion_status(DeletionTaskId=task)["Status"] == "SUCCEEDED"
    server.run("service", "remove", "memorydb.amazonaws.com")


def test_a_tampered_name_is_a_shape_error(account):
    for member, value in (("AWSServiceName", "a/b"), ("AWSServiceName", ""), ("CustomSuffix", "a b"), ("Description", "\u20ac")):
        parameters = {"AWSServiceName": "ecs.amazonaws.com", member: value}
        assert query(account.root, "iam", "CreateServiceLinkedRole", parameters).send().code == "ValidationError", member
