//! What IAM answers when it refuses, in AWS's codes and words.
//! Source: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_Operations.html>.

use crate::central_root::NoCentralRoot;
use crate::qr::NotDrawn;
use arn::{AccountId, Arn};
use identities::{NotAKey, NotHashed, SealingError};
use operation::{Busy, Failure};
use policy::Malformed;
use store::StoreError;

/// Why an operation was refused.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each says itself")]
pub enum Error {
    #[error("{kind} with name {name} already exists.")]
    Exists { kind: &'static str, name: String },
    #[error("A policy called {0} already exists. Duplicate names are not allowed.")]
    PolicyExists(String),
    #[error("Instance Profile {0} already exists.")]
    ProfileExists(String),
    #[error("The {kind} with name {name} cannot be found.")]
    NotFound { kind: &'static str, name: String },
    #[error("The {kind} policy with name {name} cannot be found.")]
    NoSuchInline { kind: &'static str, name: String },
    #[error("Policy {0} was not found.")]
    NoSuchPolicy(String),
    #[error("Policy {0} does not exist or is not attachable.")]
    NotAttachable(String),
    #[error("Scope ARN: {0} does not exist or is not attachable.")]
    NoSuchScope(String),
    #[error("Policy {arn} version {version} does not exist or is not attachable.")]
    NoSuchVersion { arn: String, version: String },
    #[error("The Access Key with id {0} cannot be found.")]
    NoSuchKey(String),
    #[error("User: {caller} is not authorized to perform iam:GetAccessKeyLastUsed on resource: access key {key}")]
    KeyOfNobody { caller: Arn, key: String },
    #[error("No such service {0} is supported for Service Specific Credentials")]
    NoSuchService(String),
    #[error("No such credential {0} exists")]
    NoSuchCredential(String),
    #[error("User {user} does not have a service specific credential with id {id}")]
    CredentialOfAnother { user: String, id: String },
    #[error("The Public Key with id {0} cannot be found.")]
    NoSuchSshKey(String),
    #[error("User has no Public Key with id {0}.")]
    SshKeyOfAnother(String),
    #[error("Duplicate SSH public key uploaded.")]
    DuplicateSshKey,
    #[error("{}", match .0 { NotAKey::Invalid => "Invalid body for public key", NotAKey::Unrecognized => "Invalid public key uploaded." })]
    NotAnSshKey(#[from] NotAKey),
    #[error("Instance Profile {0} cannot be found.")]
    NoSuchProfile(String),
    #[error("Role {role} in Instance Profile {profile} cannot be found.")]
    NotInProfile { role: String, profile: String },
    #[error("The {kind} with name {name} has no permissions boundary.")]
    NoBoundary { kind: &'static str, name: String },
    #[error("User: {caller} is not authorized to perform: {action} on resource: policy {arn}")]
    NotOurs { caller: Arn, action: &'static str, arn: Arn },
    #[error("Invalid ARN partition")]
    InvalidPartition,
    #[error("{0}")]
    Conflict(&'static str),
    #[error("Cannot exceed quota for {name}: {limit}")]
    Quota { name: &'static str, limit: u64 },
    #[error("{0}")]
    LimitExceeded(String),
    #[error("{0}")]
    Malformed(#[from] Malformed),
    #[error("{0}")]
    MalformedDocument(String),
    #[error("Invalid ARN:  Could not be parsed!")]
    InvalidArn,
    #[error("ARN {0} is not valid.")]
    NotAnArn(String),
    #[error("Invalid Marker.")]
    InvalidMarker,
    #[error("Must specify userName when calling with non-User credentials")]
    MustNameUser,
    #[error("{0}")]
    Validation(String),
    #[error("{0}")]
    InvalidInput(String),
    #[error("Cannot perform the operation on the protected role '{0}' - this role is only modifiable by AWS")]
    Protected(String),
    #[error("Cannot find Service Linked Role template for {0}")]
    NoTemplate(String),
    #[error("Cannot find deletion status for given id.")]
    NoSuchTask,
    #[error("{0} exists but is not a service role.")]
    NotServiceLinked(String),
    #[error("{0} is an AWS service linked role, max session duration cannot be changed.")]
    FixedDuration(String),
    #[error("Cannot attach a Service Role Policy to a Customer Role.")]
    ServiceRolePolicy,
    #[error("The Password Policy with domain name {0} cannot be found.")]
    NoPasswordPolicy(AccountId),
    #[error("{0}")]
    PasswordPolicyViolation(String),
    #[error("The account policy with name PasswordPolicy cannot be found.")]
    NoPasswordPolicyToDelete,
    #[error("Login Profile for user {0} already exists.")]
    LoginProfileExists(String),
    #[error("Login Profile for User {0} cannot be found.")]
    NoLoginProfile(String),
    #[error("Login Profile for User {0} cannot be modified while it is being changed by another request.")]
    LoginProfileChanging(String),
    #[error("The old password was incorrect.")]
    WrongPassword,
    #[error("Only IAM Users can change their own password")]
    NotAUser,
    #[error("MFA device already exists.")]
    DeviceExists,
    #[error("MFA Device is already in use.")]
    DeviceInUse,
    #[error("MFA Device for user {0} already exists.")]
    DeviceEnabled(String),
    #[error("To complete this action, please ensure that you are authenticated with an MFA device that is enabled for this user.")]
    NoSecondFactor,
    #[error("MFA Device with serial number {0} does not exist.")]
    NoSuchDevice(String),
    #[error("MFA Device invalid for user.")]
    DeviceOfAnother,
    #[error("Authentication code for device is not valid.")]
    InvalidCode,
    #[error("The request processing has failed because of an unknown error, exception or failure.")]
    NotDrawn(#[from] NotDrawn),
    #[error("The account alias {0} already exists.")]
    AliasExists(String),
    #[error("The Account Alias with name {0} cannot be found.")]
    NoAlias(String),
    #[error("The Server Certificate with name {0} already exists.")]
    ServerCertificateExists(String),
    #[error("The Server Certificate with name {0} cannot be found.")]
    NoServerCertificate(String),
    #[error("The Certificate with id {0} cannot be found.")]
    NoCertificate(String),
    #[error("{0}")]
    MalformedCertificate(String),
    #[error("{0}")]
    InvalidCertificate(&'static str),
    #[error("{0}")]
    ProviderExists(String),
    #[error("{0}")]
    NoProvider(String),
    #[error("Role template {0} cannot be found.")]
    NoRoleTemplate(Arn),
    #[error("The delegation request with id {0} cannot be found.")]
    NoDelegationRequest(String),
    #[error("A delegation request with the workflow id {0} already exists.")]
    WorkflowExists(String),
    #[error("User: {0} is not authorized to perform: iam:AcceptDelegationRequest with a session that is narrowed or lent")]
    CannotLend(Arn),
    #[error("User: {0} is not authorized to perform: iam:SendDelegationToken because only the owner of the delegation request may")]
    OnlyByOwner(Arn),
    #[error(transparent)]
    NoCentralRoot(#[from] NoCentralRoot),
    #[error("Outbound web identity federation is already enabled for this account.")]
    FeatureEnabled,
    #[error("Outbound identity federation is disabled for account {0}")]
    FeatureDisabled(AccountId),
    #[error("Duplicate certificate uploaded.")]
    DuplicateCertificate,
    #[error("The private key did not match the public key provided. Please verify the key material and try again.")]
    KeyPairMismatch,
    #[error("The request processing has failed because of an unknown error, exception or failure.")]
    NotHashed(#[from] NotHashed),
    // AWS sends these three without words.
    #[error("")]
    ReportNotPresent,
    #[error("")]
    ReportExpired,
    #[error("")]
    ReportInProgress,
    #[error("Job {0} does not exist.")]
    NoSuchJob(String),
    #[error("{0}")]
    NoAccessReport(&'static str),
    #[error("Maximum number of concurrent jobs exceeded")]
    TooManyReports,
    #[error("Rate exceeded")]
    Busy(#[from] Busy),
    #[error("The request processing has failed because of an unknown error, exception or failure.")]
    Sealing(#[from] SealingError),
    #[error("The request processing has failed because of an unknown error, exception or failure.")]
    Store(#[from] StoreError),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let (status, code) = match &error {
            Error::Exists { .. }
            | Error::PolicyExists(_)
            | Error::WorkflowExists(_)
            | Error::ProfileExists(_)
            | Error::LoginProfileExists(_)
            | Error::AliasExists(_)
            | Error::ProviderExists(_)
            | Error::ServerCertificateExists(_)
            | Error::DeviceExists
            | Error::DeviceEnabled(_)
            | Error::DeviceInUse => (409, "EntityAlreadyExists"),
            Error::NotFound { .. }
            | Error::NoSuchInline { .. }
            | Error::NoSuchPolicy(_)
            | Error::NotAttachable(_)
            | Error::NoSuchScope(_)
            | Error::NoSuchVersion { .. }
            | Error::NoSuchKey(_)
            | Error::NoSuchService(_)
            | Error::NoSuchCredential(_)
            | Error::NoSuchSshKey(_)
            | Error::NoSuchProfile(_)
            | Error::NotInProfile { .. }
            | Error::NoBoundary { .. }
            | Error::NoSuchJob(_)
            | Error::NoLoginProfile(_)
            | Error::NoAlias(_)
            | Error::NoSuchTask
            | Error::NotServiceLinked(_)
            | Error::SshKeyOfAnother(_)
            | Error::NoPasswordPolicy(_)
            | Error::NoPasswordPolicyToDelete
            | Error::NoServerCertificate(_)
            | Error::NoCertificate(_)
            | Error::NoProvider(_)
            | Error::NoRoleTemplate(_)
            | Error::NoDelegationRequest(_)
            | Error::NoSuchDevice(_)
            | Error::DeviceOfAnother => (404, "NoSuchEntity"),
            Error::DuplicateSshKey => (400, "DuplicateSSHPublicKey"),
            Error::NotAnSshKey(NotAKey::Invalid) => (400, "InvalidPublicKey"),
            Error::NotAnSshKey(NotAKey::Unrecognized) => (400, "UnrecognizedPublicKeyEncoding"),
            Error::Conflict(_) => (409, "DeleteConflict"),
            Error::Quota { .. } | Error::LimitExceeded(_) => (409, "LimitExceeded"),
            Error::Malformed(_) | Error::MalformedDocument(_) => (400, "MalformedPolicyDocument"),
            Error::InvalidArn
            | Error::NotAnArn(_)
            | Error::InvalidPartition
            | Error::InvalidMarker
            | Error::MustNameUser
            | Error::CredentialOfAnother { .. }
            | Error::Validation(_) => (400, "ValidationError"),
            Error::InvalidInput(_) => (400, "InvalidInput"),
            Error::Protected(_) | Error::FixedDuration(_) => (400, "UnmodifiableEntity"),
            Error::ServiceRolePolicy => (400, "PolicyNotAttachable"),
            Error::NotOurs { .. }
            | Error::KeyOfNobody { .. }
            | Error::NoTemplate(_)
            | Error::NoAccessReport(_)
            | Error::CannotLend(_)
            | Error::OnlyByOwner(_) => (403, "AccessDenied"),
            Error::TooManyReports => (409, "ReportGenerationLimitExceeded"),
            Error::PasswordPolicyViolation(_) => (400, "PasswordPolicyViolation"),
            Error::LoginProfileChanging(_) => (409, "EntityTemporarilyUnmodifiable"),
            Error::InvalidCode => (403, "InvalidAuthenticationCode"),
            Error::WrongPassword | Error::NoSecondFactor => (403, "AccessDenied"),
            Error::NotAUser => (400, "InvalidUserType"),
            Error::MalformedCertificate(_) => (400, "MalformedCertificate"),
            Error::InvalidCertificate(_) => (400, "InvalidCertificate"),
            Error::DuplicateCertificate => (409, "DuplicateCertificate"),
            Error::NoCentralRoot(why) => (400, why.code()),
            Error::FeatureEnabled => (409, "FeatureEnabled"),
            Error::FeatureDisabled(_) => (404, "FeatureDisabled"),
            Error::KeyPairMismatch => (400, "KeyPairMismatch"),
            Error::ReportNotPresent => (410, "ReportNotPresent"),
            Error::ReportExpired => (410, "ReportExpired"),
            Error::ReportInProgress => (404, "ReportInProgress"),
            Error::Busy(_) => (400, "Throttling"),
            Error::Store(StoreError::Full) => (503, "ServiceUnavailable"),
            Error::Sealing(_) | Error::NotHashed(_) | Error::NotDrawn(_) | Error::Store(_) => (500, "ServiceFailure"),
        };
        if status >= 500 {
            operation::log_inside(&error);
        }
        Failure::new(status, code, error.to_string())
    }
}

impl Error {
    /// A status that only time sets.
    pub fn cannot_be_set(status: &'static str) -> Self {
        Error::InvalidInput(format!("Operation does not support status {status}"))
    }

    /// A user that is not there.
    pub fn no_user(name: &impl ToString) -> Self {
        Error::NotFound { kind: "user", name: name.to_string() }
    }

    /// A group that is not there.
    pub fn no_group(name: &impl ToString) -> Self {
        Error::NotFound { kind: "group", name: name.to_string() }
    }

    /// A password that the model lets one leave out and the operation does not.
    pub fn no_password() -> Self {
        Error::Validation("1 validation error detected: Value at 'password' failed to satisfy constraint: Member must not be null".into())
    }

    /// A password that was used before, or that everybody knows.
    pub fn unfit_password() -> Self {
        Error::PasswordPolicyViolation("Password does not conform to the account password policy.".into())
    }

    /// A role that is not there.
    pub fn no_role(name: &impl ToString) -> Self {
        Error::NotFound { kind: "role", name: name.to_string() }
    }
}
