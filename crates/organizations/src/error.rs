//! What Organizations answers when it refuses, in AWS's codes and words. Every refusal is a 400; four codes carry a `Reason`.
//! Source: <https://docs.aws.amazon.com/organizations/latest/APIReference/API_Operations.html>.

use identities::SealingError;
use operation::Failure;
use store::StoreError;
use wire::Node;

/// Why an operation was refused.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each says itself")]
pub enum Error {
    #[error("You don't have permissions to access this resource.")]
    AccessDenied,
    #[error("Your account is not a member of an organization.")]
    NotInUse,
    #[error("The AWS account is already a member of an organization.")]
    AlreadyInOrganization,
    #[error("{words}")]
    Constraint { reason: &'static str, words: String },
    #[error("{words}")]
    InvalidInput { reason: &'static str, words: &'static str },
    #[error("{words}")]
    Misread { reason: String, words: &'static str },
    #[error("{words}")]
    Handshake { reason: &'static str, words: &'static str },
    #[error("You need the permission iam:CreateServiceLinkedRole for organizations.amazonaws.com.")]
    DependencyDenied,
    #[error("You specified an account that doesn't exist.")]
    NoSuchAccount,
    #[error("You specified a source parent that the account is not under.")]
    NoSuchSource,
    #[error("You specified a destination parent that doesn't exist.")]
    NoSuchDestination,
    #[error("The account is already under the destination that you specified.")]
    DuplicateAccount,
    #[error("The management account can't leave its organization.")]
    ManagementCannotLeave,
    #[error("The account is already closed.")]
    AlreadyClosed,
    #[error("You specified a create account request that doesn't exist.")]
    NoSuchRequest,
    #[error("You specified a handshake that doesn't exist.")]
    NoSuchHandshake,
    #[error("The handshake is already in the requested state.")]
    HandshakeAlreadyInState,
    #[error(
        "You cannot perform this operation on a handshake in its current state, such as attempting to cancel a handshake that was previously accepted or attempting to accept a handshake that was declined."
    )]
    InvalidTransition,
    #[error("A handshake with the specified type and parameters already exists for the given parties.")]
    DuplicateHandshake,
    #[error("You specified a transfer that doesn't exist.")]
    NoSuchTransfer,
    #[error("The transfer is already in the requested status.")]
    TransferAlreadyInStatus,
    #[error("You can't do this to a transfer in its current status.")]
    InvalidTransferTransition,
    #[error("The provided account is already a delegated administrator for your organization.")]
    AlreadyRegistered,
    #[error("The provided account is not a registered delegated administrator for your organization.")]
    NotRegistered,
    #[error("No resource-based policy found.")]
    NoResourcePolicy,
    #[error("You specified a parent that doesn't exist.")]
    NoSuchParent,
    #[error("You specified an organizational unit that doesn't exist.")]
    NoSuchUnit,
    #[error("You specified a child that doesn't exist.")]
    NoSuchChild,
    #[error("You specified a target that doesn't exist.")]
    NoSuchTarget,
    #[error("An OU with the same name already exists.")]
    DuplicateUnit,
    #[error("The specified organizational unit still has accounts or organizational units.")]
    UnitNotEmpty,
    #[error("The organization still has accounts or organizational units.")]
    OrganizationNotEmpty,
    #[error("You specified a root that doesn't exist.")]
    NoSuchRoot,
    #[error("You specified a policy that doesn't exist.")]
    NoSuchPolicy,
    #[error("A policy with the specified name and type already exists.")]
    DuplicatePolicy,
    #[error("A policy with the specified name and type already exists.")]
    DuplicateAttachment,
    #[error("The provided policy document does not meet the requirements of the specified policy type.")]
    MalformedPolicy,
    #[error("The specified policy is in use and cannot be deleted.")]
    PolicyInUse,
    #[error("The specified policy isn't attached to the specified target.")]
    NotAttached,
    #[error("This operation can be performed only for enabled policy types.")]
    PolicyTypeNotEnabled,
    #[error("The specified policy type is already enabled.")]
    PolicyTypeAlreadyEnabled,
    #[error("You can't use the specified policy type with the feature set currently enabled for this organization.")]
    PolicyTypeNotAvailable,
    #[error("There is no effective policy of the specified type for the specified target.")]
    NoEffectivePolicy,
    #[error("The specified policy type is not enabled. Enable that policy type on your organization root and then retry.")]
    NoEffectivePolicyType,
    #[error("The request processing has failed because of an unknown error, exception or failure.")]
    Sealing(#[from] SealingError),
    #[error("The request processing has failed because of an unknown error, exception or failure.")]
    Store(#[from] StoreError),
}

impl Error {
    /// A quota, or what the organization is not ready for.
    pub fn constraint(reason: &'static str, words: impl Into<String>) -> Self {
        Error::Constraint { reason, words: words.into() }
    }

    /// What a handshake may not be.
    pub fn handshake(reason: &'static str, words: &'static str) -> Self {
        Error::Handshake { reason, words }
    }

    /// What some codes carry besides their words.
    fn reason(&self) -> Option<&str> {
        if let Error::Misread { reason, .. } = self {
            return Some(reason);
        }
        if let Error::Constraint { reason, .. } | Error::InvalidInput { reason, .. } | Error::Handshake { reason, .. } = self {
            return Some(reason);
        }
        matches!(self, Error::DependencyDenied).then_some("ACCESS_DENIED_DURING_CREATE_SERVICE_LINKED_ROLE")
    }

    /// A value that the request may not have.
    pub fn invalid(reason: &'static str) -> Self {
        Error::InvalidInput { reason, words: "You specified an invalid value." }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let (status, code) = match &error {
            Error::AccessDenied => (400, "AccessDeniedException"),
            Error::NotInUse => (400, "AWSOrganizationsNotInUseException"),
            Error::AlreadyInOrganization => (400, "AlreadyInOrganizationException"),
            Error::Constraint { .. } => (400, "ConstraintViolationException"),
            Error::InvalidInput { .. } | Error::Misread { .. } => (400, "InvalidInputException"),
            Error::Handshake { .. } => (400, "HandshakeConstraintViolationException"),
            Error::DependencyDenied => (400, "AccessDeniedForDependencyException"),
            Error::NoSuchAccount => (400, "AccountNotFoundException"),
            Error::NoSuchSource => (400, "SourceParentNotFoundException"),
            Error::NoSuchDestination => (400, "DestinationParentNotFoundException"),
            Error::DuplicateAccount => (400, "DuplicateAccountException"),
            Error::ManagementCannotLeave => (400, "MasterCannotLeaveOrganizationException"),
            Error::AlreadyClosed => (400, "AccountAlreadyClosedException"),
            Error::NoSuchRequest => (400, "CreateAccountStatusNotFoundException"),
            Error::NoSuchHandshake => (400, "HandshakeNotFoundException"),
            Error::HandshakeAlreadyInState => (400, "HandshakeAlreadyInStateException"),
            Error::InvalidTransition => (400, "InvalidHandshakeTransitionException"),
            Error::DuplicateHandshake => (400, "DuplicateHandshakeException"),
            Error::NoSuchTransfer => (400, "ResponsibilityTransferNotFoundException"),
            Error::TransferAlreadyInStatus => (400, "ResponsibilityTransferAlreadyInStatusException"),
            Error::InvalidTransferTransition => (400, "InvalidResponsibilityTransferTransitionException"),
            Error::AlreadyRegistered => (400, "AccountAlreadyRegisteredException"),
            Error::NotRegistered => (400, "AccountNotRegisteredException"),
            Error::NoResourcePolicy => (400, "ResourcePolicyNotFoundException"),
            Error::NoSuchParent => (400, "ParentNotFoundException"),
            Error::NoSuchUnit => (400, "OrganizationalUnitNotFoundException"),
            Error::NoSuchChild => (400, "ChildNotFoundException"),
            Error::NoSuchTarget => (400, "TargetNotFoundException"),
            Error::DuplicateUnit => (400, "DuplicateOrganizationalUnitException"),
            Error::UnitNotEmpty => (400, "OrganizationalUnitNotEmptyException"),
            Error::OrganizationNotEmpty => (400, "OrganizationNotEmptyException"),
            Error::NoSuchRoot => (400, "RootNotFoundException"),
            Error::NoSuchPolicy => (400, "PolicyNotFoundException"),
            Error::DuplicatePolicy => (400, "DuplicatePolicyException"),
            Error::DuplicateAttachment => (400, "DuplicatePolicyAttachmentException"),
            Error::MalformedPolicy => (400, "MalformedPolicyDocumentException"),
            Error::PolicyInUse => (400, "PolicyInUseException"),
            Error::NotAttached => (400, "PolicyNotAttachedException"),
            Error::PolicyTypeNotEnabled => (400, "PolicyTypeNotEnabledException"),
            Error::PolicyTypeAlreadyEnabled => (400, "PolicyTypeAlreadyEnabledException"),
            Error::PolicyTypeNotAvailable => (400, "PolicyTypeNotAvailableForOrganizationException"),
            Error::NoEffectivePolicy | Error::NoEffectivePolicyType => (400, "EffectivePolicyNotFoundException"),
            Error::Store(StoreError::Full) => (503, "ServiceUnavailable"),
            Error::Sealing(_) | Error::Store(_) => (500, "ServiceException"),
        };
        if status >= 500 {
            operation::log_inside(&error);
        }
        let failure = Failure::new(status, code, error.to_string());
        match error.reason() {
            Some(reason) => failure.with("Reason", Node::text(reason)),
            None => failure,
        }
    }
}

/// What the framework's words begin with, of each constraint, the `Reason` that Organizations gives for it, and its words.
const REASONS: &[(&str, &str, &str)] = &[
    ("Member must not be null", "INPUT_REQUIRED", "You must provide a value for the parameter."),
    ("Member must satisfy enum value set", "INVALID_ENUM", INVALID),
    ("Member must satisfy regular expression pattern", "INVALID_PATTERN", "You provided a value that does not match the required pattern."),
    ("Member must have length less than or equal to", "MAX_LENGTH_EXCEEDED", "You provided a string that exceeds that maximum length."),
    ("Member must have length greater than or equal to", "MIN_LENGTH_EXCEEDED", INVALID),
    ("Member must have value less than or equal to", "MAX_VALUE_EXCEEDED", INVALID),
    ("Member must have value greater than or equal to", "MIN_VALUE_EXCEEDED", INVALID),
];
const INVALID: &str = "You specified an invalid value.";

/// The member that a message of the framework's tells first, as a `Reason` ends with it: `TAGS_2_MEMBER_KEY` of `tags.2.member.key`.
fn member(message: &str) -> Option<String> {
    // What is repeated of the request stands before the member.
    let (before, _) = message.split_once("' failed to satisfy constraint: ")?;
    let (_, path) = before.rsplit_once(" at '")?;
    let mut out = String::with_capacity(path.len() + 8);
    for letter in path.chars() {
        match letter {
            '.' => out.push('_'),
            capital if capital.is_ascii_uppercase() => {
                if !out.is_empty() && !out.ends_with('_') {
                    out.push('_');
                }
                out.push(capital);
            }
            other => out.push(other.to_ascii_uppercase()),
        }
    }
    Some(out)
}

/// A request that breaks the model: Organizations tells the first constraint, by its `Reason` and the member.
pub(crate) fn misread(failure: Failure) -> Failure {
    if failure.code != "ValidationException" {
        return failure;
    }
    // What is repeated of the request stands before the constraint's own words.
    let first = failure.message.split("failed to satisfy constraint: ").nth(1).unwrap_or_default();
    let known = REASONS.iter().find(|(begins, ..)| first.starts_with(begins));
    let (reason, words) = known.map_or(("INVALID_PATTERN", INVALID), |(_, reason, words)| (*reason, *words));
    match member(&failure.message) {
        Some(member) => Error::Misread { reason: format!("{reason}:{member}"), words }.into(),
        None => Error::InvalidInput { reason, words }.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_that_breaks_the_model_is_told_the_reason_of_its_first_constraint() {
        for (constraint, reason, words) in REASONS {
            let message = format!(
                "2 validation errors detected: Value 'x at 'z' at 'tags.2.member.aKey' failed to satisfy constraint: {constraint} 3; Value null at 'z' failed to satisfy constraint: Member must not be null"
            );
            let failure = misread(Failure::new(400, "ValidationException", message));
            assert_eq!((failure.status, &*failure.code), (400, "InvalidInputException"));
            assert_eq!(failure.extra, vec![("Reason".into(), Node::text(format!("{reason}:TAGS_2_MEMBER_A_KEY")))]);
            assert_eq!(failure.message, *words);
        }
    }

    #[test]
    fn what_cannot_be_read_at_all_stays_what_it_is() {
        let failure = Failure::new(400, "SerializationException", "STRING_VALUE can not be converted to an Integer");
        assert_eq!(misread(failure.clone()), failure);
    }
}
