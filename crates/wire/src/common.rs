//! The errors that all services share, and what each protocol calls them.

use crate::{Failure, Protocol, query};

/// The errors that all services share. Code and status depend on the protocol, so the floors below say which of these it is, and this
/// module says what that is called. Source: the pages "Common errors" of the IAM, STS and Organizations API references.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Common {
    /// No signature at all.
    MissingToken,
    /// A signature that lacks parts or does not parse.
    IncompleteSignature,
    /// An unknown, deleted or inactive key; a session token that is not ours.
    InvalidToken,
    /// The signature, its scope or its time is wrong.
    WrongSignature,
    /// The session is over.
    ExpiredToken,
    /// The request itself is too old (`X-Amz-Expires`).
    RequestExpired,
    /// Not allowed.
    Denied,
    /// There is no such operation.
    NoOperation,
    /// The request names no operation.
    MissingAction,
    /// The account may not use the service.
    OptInRequired,
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

    /// What S3 answers, for requests that a store captured and that do not authenticate. S3 has codes and words of its own, and its XML is
    /// the store's to write. Source: the page "Error responses" of the S3 API reference.
    pub fn in_s3(self) -> Failure {
        let (status, code, message) = match self {
            Common::MissingToken | Common::Denied | Common::OptInRequired => (403, "AccessDenied", "Access Denied"),
            Common::RequestExpired => (403, "AccessDenied", "Request has expired"),
            Common::IncompleteSignature => {
                (400, "AuthorizationHeaderMalformed", "The authorization header that you provided is not valid.")
            }
            Common::InvalidToken => (403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."),
            Common::WrongSignature => (
                403,
                "SignatureDoesNotMatch",
                "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
            ),
            Common::ExpiredToken => (400, "ExpiredToken", "The provided token has expired."),
            Common::NoOperation => (405, "MethodNotAllowed", "The specified method is not allowed against this resource."),
            Common::Throttling => (503, "SlowDown", "Please reduce your request rate."),
            Common::Internal => (500, "InternalError", "We encountered an internal error. Please try again."),
            Common::Unavailable => (503, "ServiceUnavailable", "Service is unable to handle request."),
            Common::TooLarge => (400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size."),
            Common::MissingAction | Common::Validation | Common::MalformedInput | Common::MalformedRequest | Common::UnsupportedMedia => {
                (400, "InvalidRequest", "Invalid Request")
            }
        };
        Failure::new(status, code, message)
    }

    /// What AWS mostly says.
    pub fn words(self) -> &'static str {
        match self {
            Common::MissingToken => "Request is missing Authentication Token",
            Common::IncompleteSignature => "The request signature does not conform to AWS standards.",
            Common::InvalidToken => "The security token included in the request is invalid.",
            Common::WrongSignature => {
                "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and \
                 signing method. Consult the service documentation for details."
            }
            Common::ExpiredToken => "The security token included in the request is expired",
            Common::RequestExpired => "Request has expired.",
            Common::Denied => "You do not have sufficient access to perform this action.",
            Common::NoOperation => "The action or operation requested is invalid.",
            Common::MissingAction => "The request is missing an action or a required parameter.",
            Common::OptInRequired => "The AWS access key ID needs a subscription for the service.",
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
            Common::MissingToken => (403, "MissingAuthenticationToken"),
            Common::IncompleteSignature => (400, "IncompleteSignature"),
            Common::InvalidToken => (403, "InvalidClientTokenId"),
            Common::WrongSignature => (403, "SignatureDoesNotMatch"),
            Common::ExpiredToken => (403, "ExpiredToken"),
            Common::RequestExpired => (400, "RequestExpired"),
            Common::Denied => (403, "AccessDenied"),
            Common::NoOperation => (400, "InvalidAction"),
            Common::MissingAction => (400, "MissingAction"),
            Common::OptInRequired => (403, "OptInRequired"),
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
            Common::MissingToken => (403, "MissingAuthenticationTokenException"),
            Common::IncompleteSignature => (400, "IncompleteSignatureException"),
            Common::InvalidToken => (400, "UnrecognizedClientException"),
            Common::WrongSignature | Common::RequestExpired => (400, "InvalidSignatureException"),
            Common::ExpiredToken => (400, "ExpiredTokenException"),
            Common::Denied => (400, "AccessDeniedException"),
            Common::NoOperation | Common::MissingAction => (400, "UnknownOperationException"),
            Common::OptInRequired => (403, "OptInRequired"),
            Common::Throttling => (400, "ThrottlingException"),
            Common::Internal => (500, "InternalFailure"),
            Common::Unavailable => (503, "ServiceUnavailable"),
            Common::Validation => (400, "ValidationException"),
            Common::MalformedInput | Common::MalformedRequest => (400, "SerializationException"),
            Common::TooLarge => (413, "RequestEntityTooLargeException"),
            Common::UnsupportedMedia => (415, "UnsupportedMediaTypeException"),
        }
    }

    /// As in JSON 1.1, but for the statuses that REST services give to what concerns the caller.
    fn in_rest(self) -> (u16, &'static str) {
        match self {
            Common::InvalidToken | Common::WrongSignature | Common::RequestExpired | Common::ExpiredToken | Common::Denied => {
                (403, self.in_json().1)
            }
            Common::NoOperation | Common::MissingAction => (404, "UnknownOperationException"),
            Common::Throttling => (429, "TooManyRequestsException"),
            Common::Internal => (500, "InternalServerException"),
            Common::MissingToken
            | Common::IncompleteSignature
            | Common::OptInRequired
            | Common::Unavailable
            | Common::Validation
            | Common::MalformedInput
            | Common::MalformedRequest
            | Common::TooLarge
            | Common::UnsupportedMedia => self.in_json(),
        }
    }
}
