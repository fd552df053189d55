//! What STS answers when it refuses, in AWS's codes and words.
//! Source: <https://docs.aws.amazon.com/STS/latest/APIReference/API_Operations.html>.

use access::TokenError;
use arn::Arn;
use identities::SealingError;
use operation::{Failure, NotShown};
use policy::Malformed;
use store::StoreError;

/// Why an operation was refused.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each says itself")]
pub enum Error {
    #[error("{0} is invalid")]
    InvalidArn(String),
    /// The role is not there any more, though it was when the caller was judged. The words are those of a denial.
    #[error("User: {caller} is not authorized to perform: {action} on resource: {role}")]
    Denied { caller: Arn, action: &'static str, role: Arn },
    #[error("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")]
    TooLong,
    #[error("The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.")]
    ChainedTooLong,
    #[error("{0}")]
    Validation(String),
    #[error("{0}")]
    InvalidParameter(&'static str),
    #[error("{0}")]
    Malformed(#[from] Malformed),
    #[error("Packed policy consumes {0}% of allotted space, please use smaller policy.")]
    PackedTooLarge(u32),
    #[error(
        "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user."
    )]
    NoSuchDevice,
    #[error("MultiFactorAuthentication failed with invalid MFA one time pass code. ")]
    WrongCode,
    #[error("MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.")]
    HalfFactor,
    #[error("The specified access key is not valid.")]
    NoSuchKey,
    #[error("The trade-in token has expired and can no longer be exchanged for credentials.")]
    TokenExpired,
    /// No token of this caller's.
    #[error("The trade-in token is not valid.")]
    NotTradable,
    #[error("Message is not a valid authorization message.")]
    InvalidMessage,
    #[error("The request processing has failed because of an unknown error, exception or failure.")]
    Sealing(#[from] SealingError),
    #[error("The request processing has failed because of an unknown error, exception or failure.")]
    Store(#[from] StoreError),
}

impl From<NotShown> for Error {
    fn from(error: NotShown) -> Self {
        match error {
            NotShown::NoSuchDevice => Error::NoSuchDevice,
            NotShown::WrongCode => Error::WrongCode,
            NotShown::Store(error) => Error::Store(error),
            NotShown::Sealing(error) => Error::Sealing(error),
        }
    }
}

impl From<TokenError> for Error {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::TooLarge(percent) => Error::PackedTooLarge(percent),
            TokenError::Foreign => Error::Sealing(SealingError::DoesNotOpen),
            TokenError::Sealing(error) => Error::Sealing(error),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let (status, code) = match &error {
            Error::InvalidArn(_) | Error::TooLong | Error::ChainedTooLong | Error::Validation(_) | Error::NoSuchKey => {
                (400, "ValidationError")
            }
            Error::TokenExpired => (400, "ExpiredTradeInTokenException"),
            Error::Denied { .. } | Error::NoSuchDevice | Error::WrongCode | Error::HalfFactor => (403, "AccessDenied"),
            Error::InvalidParameter(_) | Error::NotTradable => (400, "InvalidParameterValue"),
            Error::Malformed(_) => (400, "MalformedPolicyDocument"),
            Error::PackedTooLarge(_) => (400, "PackedPolicyTooLarge"),
            Error::InvalidMessage => (400, "InvalidAuthorizationMessageException"),
            Error::Store(StoreError::Full) => (503, "ServiceUnavailable"),
            Error::Sealing(_) | Error::Store(_) => (500, "InternalFailure"),
        };
        if status >= 500 {
            operation::log_inside(&error);
        }
        Failure::new(status, code, error.to_string())
    }
}
