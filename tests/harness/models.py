"""AWS's own models of the operations, from botocore: which members there are, what each must satisfy, and values that satisfy it."""

import re

import botocore.session
from botocore import xform_name

_SESSION = botocore.session.get_session()
MODELS = {name: _SESSION.get_service_model(name) for name in ("iam", "sts")}

# The operations that are promised. What AWS has beside them must answer InvalidAction.
PROMISED = {
    "iam": """
        CreateUser GetUser ListUsers UpdateUser DeleteUser
        CreateGroup GetGroup ListGroups UpdateGroup DeleteGroup AddUserToGroup RemoveUserFromGroup ListGroupsForUser
        CreateAccessKey ListAccessKeys UpdateAccessKey DeleteAccessKey GetAccessKeyLastUsed
        UploadSigningCertificate ListSigningCertificates UpdateSigningCertificate DeleteSigningCertificate
        UploadServerCertificate GetServerCertificate ListServerCertificates UpdateServerCertificate DeleteServerCertificate
        TagServerCertificate UntagServerCertificate ListServerCertificateTags
        CreateOpenIDConnectProvider GetOpenIDConnectProvider ListOpenIDConnectProviders DeleteOpenIDConnectProvider
        AddClientIDToOpenIDConnectProvider RemoveClientIDFromOpenIDConnectProvider UpdateOpenIDConnectProviderThumbprint
        TagOpenIDConnectProvider UntagOpenIDConnectProvider ListOpenIDConnectProviderTags
        CreateSAMLProvider GetSAMLProvider ListSAMLProviders UpdateSAMLProvider DeleteSAMLProvider TagSAMLProvider UntagSAMLProvider ListSAMLProviderTags
        SetSecurityTokenServicePreferences EnableOutboundWebIdentityFederation DisableOutboundWebIdentityFederation GetOutboundWebIdentityFederationInfo
        GetAccountProperties PutAccountProperties AcquireRole GetRoleTemplateVersion
        EnableOrganizationsRootCredentialsManagement DisableOrganizationsRootCredentialsManagement EnableOrganizationsRootSessions DisableOrganizationsRootSessions
        ListOrganizationsFeatures
        CreateDelegationRequest GetDelegationRequest ListDelegationRequests AssociateDelegationRequest UpdateDelegationRequest AcceptDelegationRequest
        RejectDelegationRequest SendDelegationToken GetHumanReadableSummary
        CreateRole GetRole ListRoles UpdateRole UpdateRoleDescription UpdateAssumeRolePolicy DeleteRole
        CreateServiceLinkedRole DeleteServiceLinkedRole GetServiceLinkedRoleDeletionStatus
        CreateInstanceProfile GetInstanceProfile ListInstanceProfiles ListInstanceProfilesForRole AddRoleToInstanceProfile RemoveRoleFromInstanceProfile DeleteInstanceProfile
        CreatePolicy GetPolicy ListPolicies DeletePolicy CreatePolicyVersion GetPolicyVersion ListPolicyVersions SetDefaultPolicyVersion DeletePolicyVersion
        PutUserPolicy GetUserPolicy ListUserPolicies DeleteUserPolicy PutGroupPolicy GetGroupPolicy ListGroupPolicies DeleteGroupPolicy PutRolePolicy GetRolePolicy ListRolePolicies DeleteRolePolicy
        AttachUserPolicy DetachUserPolicy ListAttachedUserPolicies AttachGroupPolicy DetachGroupPolicy ListAttachedGroupPolicies AttachRolePolicy DetachRolePolicy ListAttachedRolePolicies
        ListEntitiesForPolicy
        PutUserPermissionsBoundary DeleteUserPermissionsBoundary PutRolePermissionsBoundary DeleteRolePermissionsBoundary
        TagUser UntagUser ListUserTags TagRole UntagRole ListRoleTags TagPolicy UntagPolicy ListPolicyTags TagInstanceProfile UntagInstanceProfile ListInstanceProfileTags
        CreateAccountAlias ListAccountAliases DeleteAccountAlias GetAccountSummary GetAccountAuthorizationDetails
        CreateLoginProfile GetLoginProfile UpdateLoginProfile DeleteLoginProfile ChangePassword
        CreateVirtualMFADevice DeleteVirtualMFADevice EnableMFADevice DeactivateMFADevice ResyncMFADevice GetMFADevice ListMFADevices ListVirtualMFADevices
        TagMFADevice UntagMFADevice ListMFADeviceTags
        UpdateAccountPasswordPolicy GetAccountPasswordPolicy DeleteAccountPasswordPolicy
        CreateServiceSpecificCredential ListServiceSpecificCredentials ResetServiceSpecificCredential UpdateServiceSpecificCredential DeleteServiceSpecificCredential
        UploadSSHPublicKey GetSSHPublicKey ListSSHPublicKeys UpdateSSHPublicKey DeleteSSHPublicKey
        GenerateCredentialReport GetCredentialReport
        GenerateServiceLastAccessedDetails GetServiceLastAccessedDetails GetServiceLastAccessedDetailsWithEntities ListPoliciesGrantingServiceAccess
        GenerateOrganizationsAccessReport GetOrganizationsAccessReport
        SimulatePrincipalPolicy SimulateCustomPolicy GetContextKeysForCustomPolicy GetContextKeysForPrincipalPolicy
    """.split(),
    "sts": "GetCallerIdentity AssumeRole AssumeRoot GetSessionToken GetFederationToken GetAccessKeyInfo DecodeAuthorizationMessage GetDelegatedAccessToken".split(),
}

DOCUMENT = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}'
TRUST = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}'

# Values that are good as they stand, by member: everything named is a thing that does not exist.
GOOD = {
    "AssumeRolePolicyDocument": TRUST, "PolicyDocument": DOCUMENT, "Policy": DOCUMENT, "ResourcePolicy": None, "PolicyInputList": [DOCUMENT],
    "PolicyArn": "arn:aws:iam::{account}:policy/walk-none", "PermissionsBoundary": "arn:aws:iam::{account}:policy/walk-none", "PolicySourceArn": "arn:aws:iam::{account}:user/walk-none",
    "TargetPrincipal": "111122223333", "TaskPolicyArn": {"arn": "arn:aws:iam::aws:policy/root-task/S3UnlockBucketPolicy"},
    "RoleArn": "arn:aws:iam::{account}:role/walk-none", "ActionNames": ["s3:GetObject"], "TagKeys": ["walk"], "Tags": [{"Key": "walk", "Value": "v"}],
    "Path": "/", "PathPrefix": "/", "NewPath": "/", "VersionId": "v1", "AccessKeyId": "AKIARZPUZDIKGB2VALC4", "AccountAlias": "walk-none", "Status": "Inactive",
    "Password": "Walking-Passw0rd-1", "OldPassword": "Walking-Passw0rd-1", "NewPassword": "Walking-Passw0rd-2", "RoleSessionName": "walk", "Name": "walk",
    "CertificateId": "WALKNONEWALKNONEWALKNONEWALK", "EncodedMessage": "walk", "ServiceSpecificCredentialId": "ACCAWALKNONEWALKNONE1", "ServiceName": "codecommit.amazonaws.com",
    "SSHPublicKeyId": "APKAWALKNONEWALKNONE1", "Encoding": "SSH", "SerialNumber": "arn:aws:iam::{account}:mfa/none", "TokenCode": "123456",
    "AuthenticationCode1": "123456", "AuthenticationCode2": "654321",
    "GlobalEndpointTokenVersion": "v2Token", "Properties": {"entry.1.key": "Walk/None", "entry.1.value": "true"}, "TemplateArn": "arn:aws:iam::aws:role-template/walk-none",
    "DelegationRequestId": "walk-none-walk-none", "EntityArn": "arn:aws:iam::{account}:delegation-request/walk-none-walk-none",
    "Permissions": {"PolicyTemplateArn": "arn:aws:iam::aws:policy-template/walk-none"}, "NotificationChannel": "arn:aws:sns:us-east-1:111122223333:walk", "SessionDuration": 3600,
    "OpenIDConnectProviderArn": "arn:aws:iam::{account}:oidc-provider/walk-none.example.com", "SAMLProviderArn": "arn:aws:iam::{account}:saml-provider/walk-none",
    "Url": "https://walk-none.example.com", "ThumbprintList": ["a" * 40], "SAMLMetadataDocument": "x" * 1000,
    "Arn": "arn:aws:iam::{account}:user/walk-none", "JobId": "walknone-walk-walk-walk-walknonewalk", "ServiceNamespace": "s3", "ServiceNamespaces": ["s3"],
    "EntityPath": "o-walknonewa/r-walk", "OrganizationsPolicyId": "p-walknone",
    "AWSServiceName": "ecs.amazonaws.com", "DeletionTaskId": "task/aws-service-role/walk-none.amazonaws.com/walk/none",
}


def operation(service, name):
    return MODELS[service].operation_model(name)


def members(service, name):
    """The members of an operation's input, by name."""
    shape = operation(service, name).input_shape
    return dict(shape.members) if shape else {}


def required(service, name):
    shape = operation(service, name).input_shape
    return list(shape.required_members) if shape else []


def arguments(service, name, account_id):
    """The required members with good values."""
    made = {}
    for member in required(service, name):
        value = GOOD.get(member, "walk-none")
        made[member] = value.replace("{account}", account_id) if isinstance(value, str) else value
    return made


def python_name(name):
    """CreateSAMLProvider -> create_saml_provider, as boto3 names it."""
    return xform_name(name)


def wire_name(member):
    """How a message names a member: UserName -> userName."""
    return member[0].lower() + member[1:]


def constraints(shape):
    """(what is broken, a value that breaks it, the words) for each constraint of a string or an integer."""
    meta = shape.metadata
    if shape.type_name == "string":
        if "max" in meta:
            yield "max", "x" * (meta["max"] + 1), f"Member must have length less than or equal to {meta['max']}"
        if meta.get("min", 0) > 1:
            yield "min", "x" * (meta["min"] - 1), f"Member must have length greater than or equal to {meta['min']}"
        if "enum" in meta:
            yield "enum", "NoSuchValue", "Member must satisfy enum value set"
        pattern = meta.get("pattern")
        if pattern and "enum" not in meta:
            value = breaks(pattern, meta)
            if value:
                yield "pattern", value, "Member must satisfy regular expression pattern: " + pattern
    elif shape.type_name == "integer":
        if "max" in meta:
            yield "max", meta["max"] + 1, f"Member must have value less than or equal to {meta['max']}"
        if "min" in meta:
            yield "min", meta["min"] - 1, f"Member must have value greater than or equal to {meta['min']}"


def breaks(pattern, meta):
    """A text of good length that the pattern refuses, or None where any would do."""
    translated = re.sub(r"\\u([0-9A-Fa-f]{4})", lambda found: "\\u" + found.group(1), pattern).replace(r"\p{L}\p{Z}\p{N}", r"\w\s")
    length = max(meta.get("min", 1), 1)
    for filler in ("!", "ラ", "\x01", " "):
        value = filler * length
        if not re.fullmatch(translated, value):
            return value
    return None
