//! What Account Management answers when it refuses, in AWS's codes and words.
//! Source: <https://docs.aws.amazon.com/accounts/latest/reference/CommonErrors.html> and the errors of each operation.

use identities::SealingError;
use operation::Failure;
use store::StoreError;
use wire::Node;

/// Why an operation was refused.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each says itself")]
pub enum Error {
    #[error("User: {caller} is not authorized to perform: account:{operation} ({why})")]
    Denied { caller: String, operation: &'static str, why: &'static str },
    #[error("{0}")]
    NotFound(String),
    #[error("{words}")]
    Invalid { reason: &'static str, words: &'static str },
    /// A member that does not do, which the answer names.
    #[error("{words}")]
    Member { reason: &'static str, name: &'static str, words: String },
    /// What is told without a reason.
    #[error("{0}")]
    Plain(String),
    #[error("{0}")]
    Conflict(&'static str),
    #[error("Too many wrong codes. Try again later.")]
    TooManyTries,
    #[error("The request processing has failed because of an unknown error, exception or failure.")]
    Sealing(#[from] SealingError),
    #[error("The request processing has failed because of an unknown error, exception or failure.")]
    Store(#[from] StoreError),
}

/// The reason of a member that does not do.
const FIELD: &str = "fieldValidationFailed";

impl Error {
    /// A member that does not do.
    pub fn field(words: &'static str) -> Self {
        Error::Invalid { reason: FIELD, words }
    }

    /// A member that does not do, and what AWS names it.
    pub fn member(name: &'static str, words: impl Into<String>) -> Self {
        Error::Member { reason: FIELD, name, words: words.into() }
    }

    /// A region that is what it should become.
    pub fn region() -> Self {
        let words = "Unable to switch region status because of its current opt-in status.".to_owned();
        Error::Member { reason: "invalidRegionOptTarget", name: "RegionName", words }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let (status, code) = match &error {
            Error::Denied { .. } => (403, "AccessDeniedException"),
            Error::NotFound(_) => (404, "ResourceNotFoundException"),
            Error::Invalid { .. } | Error::Member { .. } | Error::Plain(_) => (400, "ValidationException"),
            Error::Conflict(_) => (409, "ConflictException"),
            Error::TooManyTries => (429, "TooManyRequestsException"),
            Error::Store(StoreError::Full) => (503, "ServiceUnavailable"),
            Error::Sealing(_) | Error::Store(_) => (500, "InternalServerException"),
        };
        if status >= 500 {
            operation::log_inside(&error);
        }
        let failure = Failure::new(status, code, error.to_string());
        match error {
            Error::Invalid { reason, .. } => failure.with("reason", Node::text(reason)),
            Error::Member { reason, name, words } => {
                let field = vec![("name".into(), Node::text(name)), ("message".into(), Node::text(words))];
                failure.with("reason", Node::text(reason)).with("fieldList", Node::List(vec![Node::Map(field)]))
            }
            Error::Plain(_)
            | Error::Denied { .. }
            | Error::NotFound(_)
            | Error::Conflict(_)
            | Error::TooManyTries
            | Error::Sealing(_)
            | Error::Store(_) => failure,
        }
    }
}

/// A request that breaks the model has a reason, too.
pub(crate) fn misread(failure: Failure) -> Failure {
    if failure.code == "ValidationException" { failure.with("reason", Node::text(FIELD)) } else { failure }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_broken_constraint_gets_a_reason() {
        let broken = misread(Failure::new(400, "ValidationException", "1 validation error detected"));
        assert_eq!(broken.extra, vec![("reason".into(), Node::text(FIELD))]);
        let unreadable = Failure::new(400, "SerializationException", "The request contains a value that is not of its type.");
        assert_eq!(misread(unreadable.clone()), unreadable);
    }
}
