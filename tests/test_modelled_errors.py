"""Errors of AWS's model that no other test causes, a row each: what was asked, of what, and what was said."""

import pytest

from harness.certificates import Made, rsa_key, saml_metadata
from harness.expecting import refused
from harness.members import organization
from harness.principals import allow, document, fresh, trust

SERVICE_ROLE_POLICY = "arn:aws:iam::aws:policy/aws-service-role/AmazonECSServiceRolePolicy"
NOT_FOR_CUSTOMERS = "Cannot attach a Service Role Policy to a Customer Role."
TWICE = [{"Key": "k", "Value": "1"}, {"Key": "k", "Value": "2"}]
DUPLICATE = "Duplicate tag keys found."
# Of users and roles, whose keys have no case.
CASELESS = DUPLICATE + " Please note that Tag keys are case insensitive."


def named(cases):
    return [" ".join(str(part) for part in case[:2] if isinstance(part, str)) for case in cases]


# Policies.

OF_ANOTHER_KIND = [
    ("attach_user_policy", "PolicyArn", {"UserName": "somebody"}),
    ("attach_group_policy", "PolicyArn", {"GroupName": "somebody"}),
    ("attach_role_policy", "PolicyArn", {"RoleName": "somebody"}),
    ("detach_user_policy", "PolicyArn", {"UserName": "somebody"}),
    ("detach_group_policy", "PolicyArn", {"GroupName": "somebody"}),
    ("detach_role_policy", "PolicyArn", {"RoleName": "somebody"}),
    ("get_policy", "PolicyArn", {}),
    ("delete_policy", "PolicyArn", {}),
    ("list_policy_tags", "PolicyArn", {}),
    ("tag_policy", "PolicyArn", {"Tags": [{"Key": "k", "Value": "v"}]}),
    ("untag_policy", "PolicyArn", {"TagKeys": ["k"]}),
    ("create_policy_version", "PolicyArn", {"PolicyDocument": document(allow("*"))}),
    ("get_policy_version", "PolicyArn", {"VersionId": "v1"}),
    ("list_policy_versions", "PolicyArn", {}),
    ("set_default_policy_version", "PolicyArn", {"VersionId": "v1"}),
    ("delete_policy_version", "PolicyArn", {"VersionId": "v1"}),
    ("list_entities_for_policy", "PolicyArn", {}),
    ("put_user_permissions_boundary", "PermissionsBoundary", {"UserName": "somebody"}),
    ("put_role_permissions_boundary", "PermissionsBoundary", {"RoleName": "somebody"}),
    ("create_user", "PermissionsBoundary", {"UserName": "bounded"}),
]


@pytest.mark.parametrize("call, member, parameters", OF_ANOTHER_KIND, ids=named(OF_ANOTHER_KIND))
def test_an_arn_of_something_else_is_no_policys(account, call, member, parameters):
    for arn in (account.arn("role/policy/admin"), "arn:aws:s3:::policy/bucket"):
        with refused("InvalidInput", f"ARN {arn} is not valid."):
            getattr(account.iam, call)(**{member: arn}, **parameters)


@pytest.mark.parametrize("call", [
    "attach_user_policy", "attach_group_policy", "attach_role_policy", "put_user_permissions_boundary", "put_role_permissions_boundary",
])
def test_a_services_own_policy_is_for_nobody_else(account, call):
    kind = call.split("_")[1]
    name = account.user(key=False).name if kind == "user" else account.group() if kind == "group" else account.role().name
    member = "PolicyArn" if call.startswith("attach") else "PermissionsBoundary"
    with refused("PolicyNotAttachable", NOT_FOR_CUSTOMERS):
        getattr(account.iam, call)(**{f"{kind.title()}Name": name, member: SERVICE_ROLE_POLICY})


def test_a_version_of_a_missing_policy(account):
    arn = account.arn("policy/none")
    with refused("NoSuchEntity", f"Policy {arn} was not found."):
        account.iam.create_policy_version(PolicyArn=arn, PolicyDocument=document(allow("*")))


# Quotas that the operator sets.

QUOTAS = [
    ("groups", "GroupsPerAccount", "create_group", "GroupName"),
    ("instance-profiles", "InstanceProfilesPerAccount", "create_instance_profile", "InstanceProfileName"),
    ("users", "VirtualMFADevicesPerAccount", "create_virtual_mfa_device", "VirtualMFADeviceName"),
]


def test_one_more_than_the_operator_allows(own_server):
    own_server.options += [option for quota, *_ in QUOTAS for option in (f"--quota-{quota}", "1")]
    own_server.start()
    iam = own_server.root.iam
    for _, told, call, member in QUOTAS:
        getattr(iam, call)(**{member: "first"})
        with refused("LimitExceeded", f"Cannot exceed quota for {told}: 1"):
            getattr(iam, call)(**{member: "second"})


# Tags.


@pytest.fixture(scope="module")
def tagged(account):
    """How to name one of each kind that has tags, and one that is not there with the words for it."""
    iam, certificate = account.iam, Made()
    iam.upload_server_certificate(ServerCertificateName="tagged", CertificateBody=certificate.pem, PrivateKey=certificate.key_pem())
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName="tagged")["VirtualMFADevice"]["SerialNumber"]
    oidc = iam.create_open_id_connect_provider(Url="https://tagged.example.com")["OpenIDConnectProviderArn"]
    saml = iam.create_saml_provider(Name="tagged", SAMLMetadataDocument=saml_metadata(Made("signing", key=rsa_key())))["SAMLProviderArn"]
    iam.create_instance_profile(InstanceProfileName="tagged")
    return {
        "user": ("UserName", account.user(key=False).name, "none", "The user with name none cannot be found."),
        "role": ("RoleName", account.role().name, "none", "The role with name none cannot be found."),
        "policy": ("PolicyArn", account.policy(), account.arn("policy/none"), f"Policy {account.arn('policy/none')} was not found."),
        "instance_profile": ("InstanceProfileName", "tagged", "none", "Instance Profile none cannot be found."),
        "server_certificate": ("ServerCertificateName", "tagged", "none", "The Server Certificate with name none cannot be found."),
        "mfa_device": ("SerialNumber", device, account.arn("mfa/none"), f"MFA Device with serial number {account.arn('mfa/none')} does not exist."),
        "open_id_connect_provider": ("OpenIDConnectProviderArn", oidc, account.arn("oidc-provider/none.example.com"), None),
        "saml_provider": ("SAMLProviderArn", saml, account.arn("saml-provider/none"), None),
    }


TAGGED = ["user", "role", "policy", "instance_profile", "server_certificate", "mfa_device", "open_id_connect_provider", "saml_provider"]
each_tagged = pytest.mark.parametrize("kind", TAGGED)


@each_tagged
def test_a_key_comes_once_in_a_call(account, tagged, kind):
    member, name, *_ = tagged[kind]
    with refused("InvalidInput", CASELESS if kind in {"user", "role"} else DUPLICATE):
        getattr(account.iam, f"tag_{kind}")(**{member: name}, Tags=TWICE)


@each_tagged
def test_what_is_not_there_has_no_tags(account, tagged, kind):
    member, _, missing, words = tagged[kind]
    for call, parameters in ((f"tag_{kind}", {"Tags": TWICE[:1]}), (f"untag_{kind}", {"TagKeys": ["k"]}), (f"list_{kind}_tags", {})):
        with refused("NoSuchEntity", words):
            getattr(account.iam, call)(**{member: missing}, **parameters)


@each_tagged
def test_fifty_tags_are_all(account, tagged, kind):
    member, name, *_ = tagged[kind]
    tag = getattr(account.iam, f"tag_{kind}")
    tag(**{member: name}, Tags=[{"Key": f"k{number}", "Value": ""} for number in range(50)])
    with refused("LimitExceeded", "The number of tags has reached the maximum limit."):
        tag(**{member: name}, Tags=[{"Key": "one", "Value": "more"}])


def test_a_key_comes_once_in_what_is_made_with_tags(account):
    iam, certificate = account.iam, Made()
    making = [
        (iam.create_virtual_mfa_device, {"VirtualMFADeviceName": fresh("twice")}),
        (iam.upload_server_certificate, {"ServerCertificateName": fresh("twice"), "CertificateBody": certificate.pem, "PrivateKey": certificate.key_pem()}),
    ]
    for call, parameters in making:
        with refused("InvalidInput", DUPLICATE):
            call(**parameters, Tags=TWICE)


# Users and their credentials.


def test_a_key_is_not_made_expired(account):
    user = account.user()
    with refused("InvalidInput"):
        account.iam.update_access_key(UserName=user.name, AccessKeyId=user.key_id, Status="Expired")


def test_who_has_no_password_changes_none(account):
    user = account.user(allow("iam:ChangePassword"))
    with refused("NoSuchEntity", f"Login Profile for User {user.name} cannot be found."):
        user.iam.change_password(OldPassword="Some-0ld-Passw0rd", NewPassword="Some-N3w-Passw0rd")


def test_another_password_obeys_the_rules_too(server):
    account = server.account(fresh("strict"))
    user = account.user(key=False)
    account.iam.create_login_profile(UserName=user.name, Password="Some-0ld-Passw0rd")
    account.iam.update_account_password_policy(MinimumPasswordLength=30)
    with refused("PasswordPolicyViolation"):
        account.iam.update_login_profile(UserName=user.name, Password="Some-N3w-Passw0rd")


def test_a_missing_role_is_not_described(account):
    with refused("NoSuchEntity", "The role with name none cannot be found."):
        account.iam.update_role_description(RoleName="none", Description="x")


def test_a_trust_policy_stays_short(account):
    role = account.role()
    long = trust(account.id, condition={"StringEquals": {"aws:PrincipalTag/team": ["x" * 100] * 25}})
    with refused("LimitExceeded", "Cannot exceed quota for ACLSizePerRole: 2048"):
        account.iam.update_assume_role_policy(RoleName=role.name, PolicyDocument=long)


# The simulator.

BAD = '{"Version": "2012-10-17", "Statement": [{"Effect": "Perhaps", "Action": "*", "Resource": "*"}]}'


def test_what_is_no_policy_has_no_context_keys_and_no_simulation(account):
    user = account.user(key=False)
    asking = [
        (account.iam.get_context_keys_for_custom_policy, {"PolicyInputList": [BAD]}),
        (account.iam.get_context_keys_for_principal_policy, {"PolicySourceArn": user.arn, "PolicyInputList": [BAD]}),
        (account.iam.simulate_principal_policy, {"PolicySourceArn": user.arn, "ActionNames": ["s3:GetObject"], "PolicyInputList": [BAD]}),
    ]
    for call, parameters in asking:
        with refused("InvalidInput"):
            call(**parameters)


# Central root: the same refusals for each of its operations, in one order.

SWITCHES = [
    "enable_organizations_root_credentials_management", "disable_organizations_root_credentials_management",
    "enable_organizations_root_sessions", "disable_organizations_root_sessions",
]
FEATURES = [*SWITCHES, "list_organizations_features"]


@pytest.fixture(scope="module")
def askers(server):
    """By code: an account whom every one of these operations refuses so."""
    trusting = organization(server, "trusting-root")
    trusting.client.enable_aws_service_access(ServicePrincipal="iam.amazonaws.com")
    billing = organization(server, "billing-only", FeatureSet="CONSOLIDATED_BILLING")
    return {
        "OrganizationNotFoundException": server.account("alone"),
        "AccountNotManagementOrDelegatedAdministratorException": trusting.invite(server.account("plain-member")),
        "OrganizationNotInAllFeaturesModeException": billing.management,
        "ServiceAccessNotEnabledException": organization(server, "untrusting").management,
    }


@pytest.mark.parametrize("call", FEATURES)
@pytest.mark.parametrize("code", [
    "OrganizationNotFoundException", "AccountNotManagementOrDelegatedAdministratorException", "OrganizationNotInAllFeaturesModeException",
    "ServiceAccessNotEnabledException",
])
def test_central_root_needs_an_organization_that_lets_it(askers, code, call):
    with refused(code, status=400):
        getattr(askers[code].iam, call)()


def test_a_delegated_administrator_switches_nothing(server):
    mine = organization(server, "delegating-root")
    member = mine.invite(server.account("delegate-of-root"))
    mine.delegate(member.id, "iam.amazonaws.com")
    for call in SWITCHES:
        with refused("CallerIsNotManagementAccountException", status=400):
            getattr(member.iam, call)()


# STS.


def test_a_federated_users_tags_fill_its_room(account):
    tags = [{"Key": f"{number:0>100}", "Value": "v" * 200} for number in range(50)]
    with refused("PackedPolicyTooLarge"):
        account.root.sts.get_federation_token(Name="tagged", Tags=tags)
