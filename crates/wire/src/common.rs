//! The errors that all services share, and what each protocol calls them.

use crate::{Failure, Protocol, query};

/// The errors that all services share. Code and status depend on the protocol, so the floors below say which of these it is, and this
/// module says what that is called. (Why a request does not authenticate has finer reasons; who finds them names them.) Source: the pages "Common errors" of the IAM, STS and Organizations API references.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Common {
    /// Not allowed.
    Denied,
    /// There is no such operation.
    NoOperation,
    /// The request names no operation.
    MissingAction,
    /// Too many requests.
    Throttling,
    /// Our fault.
    Internal,
    /// Not now.
    Unavailable,
    /// A constraint of the model is broken.
    Validation,
    /// A value is not of its type.
    MalformedInput,
    /// The request cannot be read at all.
    MalformedRequest,
    /// The request is larger than we read.
    TooLarge,
    /// The body is compressed or of a kind that we do not read.
    UnsupportedMedia,
}

impl Common {
    /// The failure with the words that AWS mostly uses for it.
    pub fn failure(self, protocol: &Protocol) -> Failure {
        self.says(protocol, self.words())
    }

    /// The failure with words of its own.
    pub fn says(self, protocol: &Protocol, message: impl Into<String>) -> Failure {
        let (status, code) = match protocol {
            Protocol::Query { .. } => self.in_query(),
            Protocol::Json { .. } => self.in_json(),
            Protocol::RestJson => self.in_rest(),
        };
        Failure::new(status, code, message)
    }

    /// No operation of that name in that version, in the words of Query services.
    pub fn no_operation(protocol: &Protocol, operation: &str, version: &str) -> Failure {
        let (operation, version) = (query::short(operation), query::short(version));
        match protocol {
            Protocol::Query { .. } => {
                Common::NoOperation.says(protocol, format!("Could not find operation {operation} for version {version}"))
            }
            Protocol::Json { .. } | Protocol::RestJson => Common::NoOperation.failure(protocol),
        }
    }

    /// What AWS mostly says.
    pub fn words(self) -> &'static str {
        match self {
            Common::Denied => "You do not have sufficient access to perform this action.",
            Common::NoOperation => "The action or operation requested is invalid.",
            Common::MissingAction => "The request is missing an action or a required parameter.",
            Common::Throttling => "Rate exceeded",
            Common::Internal => "The request processing has failed because of an unknown error, exception or failure.",
            Common::Unavailable => "The request has failed due to a temporary failure of the server.",
            Common::Validation => "The input fails to satisfy the constraints specified by an AWS service.",
            Common::MalformedInput => "The request contains a value that is not of its type.",
            Common::MalformedRequest => "The request contains a syntax error.",
            Common::TooLarge => "The request is too large.",
            Common::UnsupportedMedia => "The encoding of the request body is not supported.",
        }
    }

    fn in_query(self) -> (u16, &'static str) {
        match self {
            Common::Denied => (403, "AccessDenied"),
            Common::NoOperation => (400, "InvalidAction"),
            Common::MissingAction => (400, "MissingAction"),
            Common::Throttling => (400, "Throttling"),
            Common::Internal => (500, "InternalFailure"),
            Common::Unavailable => (503, "ServiceUnavailable"),
            Common::Validation => (400, "ValidationError"),
            Common::MalformedInput => (400, "MalformedInput"),
            Common::MalformedRequest => (404, "MalformedQueryString"),
            Common::TooLarge => (413, "RequestEntityTooLarge"),
            Common::UnsupportedMedia => (415, "UnsupportedMediaType"),
        }
    }

    fn in_json(self) -> (u16, &'static str) {
        match self {
            Common::Denied => (400, "AccessDeniedException"),
            Common::NoOperation | Common::MissingAction => (400, "UnknownOperationException"),
            Common::Throttling => (400, "ThrottlingException"),
            Common::Internal => (500, "InternalFailure"),
            Common::Unavailable => (503, "ServiceUnavailable"),
            Common::Validation => (400, "ValidationException"),
            Common::MalformedInput | Common::MalformedRequest => (400, "SerializationException"),
            Common::TooLarge => (413, "RequestEntityTooLargeException"),
            Common::UnsupportedMedia => (415, "UnsupportedMediaTypeException"),
        }
    }

    /// As in JSON 1.1, but for the statuses that REST services give to some.
    fn in_rest(self) -> (u16, &'static str) {
        match self {
            Common::Denied => (403, "AccessDeniedException"),
            Common::NoOperation | Common::MissingAction => (404, "UnknownOperationException"),
            Common::Throttling => (429, "TooManyRequestsException"),
            Common::Internal => (500, "InternalServerException"),
            Common::Unavailable
            | Common::Validation
            | Common::MalformedInput
            | Common::MalformedRequest
            | Common::TooLarge
            | Common::UnsupportedMedia => self.in_json(),
        }
    }
}
