//! What an asker is told about its own question. What is wrong with the captured request is part of the answer.

use access::{TokenError, Unanswered};
use arn::Arn;
use identities::{SealingError, ServiceName};
use operation::Failure;
use policy::ParseError;
use store::StoreError;

/// Why a question was refused.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each says itself")]
pub enum Error {
    #[error("{0}")]
    Invalid(String),
    #[error("checks.{check}.resourcePolicy: {error}")]
    ResourcePolicy { check: usize, error: ParseError },
    #[error("There is a service {0} already.")]
    ServiceExists(ServiceName),
    #[error("There is a policy template {0} already.")]
    TemplateExists(Arn),
    #[error("There is no policy template {0}.")]
    NoSuchTemplate(Arn),
    #[error("There is no service {0}.")]
    NoSuchService(ServiceName),
    #[error("Services and policy templates are registered in the account that the store was begun with.")]
    NotTheOperators,
    #[error("Another question of this kind is being answered. Ask again later.")]
    Busy,
    #[error("The request processing has failed because of an unknown error, exception or failure.")]
    Trail(std::io::Error),
    #[error("The request processing has failed because of an unknown error, exception or failure.")]
    Sealing(#[from] SealingError),
    #[error("The request processing has failed because of an unknown error, exception or failure.")]
    Token(#[from] TokenError),
    #[error("The request processing has failed because of an unknown error, exception or failure.")]
    Store(#[from] StoreError),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let (status, code) = match &error {
            Error::Invalid(_) | Error::ResourcePolicy { .. } => (400, "ValidationException"),
            Error::ServiceExists(_) | Error::TemplateExists(_) => (409, "ConflictException"),
            Error::NoSuchService(_) | Error::NoSuchTemplate(_) => (404, "ResourceNotFoundException"),
            Error::NotTheOperators => (403, "AccessDeniedException"),
            Error::Busy => (429, "ThrottlingException"),
            Error::Trail(_) | Error::Sealing(_) | Error::Token(_) | Error::Store(_) => (500, "InternalFailure"),
        };
        if status >= 500 {
            operation::log_inside(&error);
        }
        Failure::new(status, code, error.to_string())
    }
}

/// A captured request that does not authenticate is an answer; all else is the asker's failure.
pub(crate) fn refused(unanswered: Unanswered) -> Result<access::Refused, Error> {
    match unanswered {
        Unanswered::Refused(access::Refused::Store(error)) => Err(Error::Store(error)),
        Unanswered::Refused(refused) => Ok(refused),
        Unanswered::ResourcePolicy { check, error } => Err(Error::ResourcePolicy { check, error }),
    }
}
