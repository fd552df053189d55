//! Why a request was not let in, and what each protocol calls that.
//! Source of codes and words: <https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html>,
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>.

use sigv4::{Place, Reason};
use std::borrow::Cow;

/// Why a request has no caller.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// It is not signed.
    #[error("Request is missing Authentication Token")]
    Unsigned,
    /// Its signature, or what carries it, is not good.
    #[error(transparent)]
    Signature(#[from] Reason),
    /// The key is unknown, deleted, inactive, or does not go with the token; or the token is not ours, or was changed; or whose key it is
    /// is gone. Who asks is not told which.
    #[error("The security token included in the request is invalid.")]
    UnknownKey,
    /// The session is over.
    #[error("The security token included in the request is expired")]
    Expired,
    /// A service says in words that mean nothing for what it acts.
    #[error("{0}")]
    Source(&'static str),
    /// The store cannot be read.
    #[error("the store cannot be read")]
    Store(#[from] store::StoreError),
}

/// Whose codes and words a refusal is said in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// IAM, STS.
    Query,
    /// The JSON 1.0 and 1.1 services.
    Json,
    /// The REST-JSON services.
    RestJson,
    /// S3.
    S3,
}

impl Dialect {
    /// How `protocol` says things.
    pub fn of(protocol: &wire::Protocol) -> Self {
        match protocol {
            wire::Protocol::Query { .. } => Dialect::Query,
            wire::Protocol::Json { .. } => Dialect::Json,
            wire::Protocol::RestJson => Dialect::RestJson,
        }
    }

    /// The dialect of a service that Bailiwick does not serve itself, by the name in a credential scope.
    pub fn of_service(service: &str) -> Self {
        match service {
            "s3" | "s3express" | "s3-outposts" | "s3-object-lambda" => Dialect::S3,
            "iam" | "sts" | "ec2" | "sqs" | "sns" | "rds" | "cloudformation" | "autoscaling" => Dialect::Query,
            "dynamodb" | "kms" | "organizations" | "logs" | "kinesis" | "secretsmanager" | "ssm" | "glue" | "athena" => Dialect::Json,
            _ => Dialect::RestJson,
        }
    }
}

/// A refusal as a protocol says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The HTTP status.
    pub status: u16,
    /// The error code.
    pub code: &'static str,
    /// The message.
    pub message: Cow<'static, str>,
}

impl Refused {
    /// This refusal in `dialect`, for the client: it may repeat what the client sent, so it belongs in no log.
    pub fn said(&self, dialect: Dialect) -> Said {
        if dialect == Dialect::S3 {
            return self.s3();
        }
        let (status, code) = match dialect {
            Dialect::Query | Dialect::S3 => self.query(),
            Dialect::Json => self.json(400),
            Dialect::RestJson => self.json(403),
        };
        let message = match self {
            Refused::Store(_) => "The request processing has failed because of an unknown error, exception or failure.".into(),
            Refused::Signature(reason) => reason.query_sentence().into(),
            Refused::Unsigned | Refused::UnknownKey | Refused::Expired | Refused::Source(_) => self.to_string().into(),
        };
        Said { status, code, message }
    }

    fn query(&self) -> (u16, &'static str) {
        match self {
            Refused::Unsigned => (403, "MissingAuthenticationToken"),
            Refused::Signature(reason) => codes(reason).0,
            Refused::UnknownKey => (403, "InvalidClientTokenId"),
            Refused::Expired => (403, "ExpiredToken"),
            Refused::Source(_) => (400, "ValidationError"),
            Refused::Store(_) => (503, "ServiceUnavailable"),
        }
    }

    fn json(&self, refusal: u16) -> (u16, &'static str) {
        match self {
            Refused::Unsigned => (403, "MissingAuthenticationTokenException"),
            Refused::Signature(reason) if codes(reason).0 == SIGNATURE => (refusal, "InvalidSignatureException"),
            Refused::Signature(_) => (400, "IncompleteSignatureException"),
            Refused::UnknownKey => (refusal, "UnrecognizedClientException"),
            Refused::Expired => (refusal, "ExpiredTokenException"),
            Refused::Source(_) => (400, "ValidationException"),
            Refused::Store(_) => (503, "ServiceUnavailableException"),
        }
    }

    fn s3(&self) -> Said {
        let (status, code, message): (u16, &'static str, Cow<'static, str>) = match self {
            Refused::Unsigned => (403, "AccessDenied", "Access Denied".into()),
            Refused::Signature(reason) => {
                let (status, code) = codes(reason).1;
                (status, code, reason.s3_sentence().into())
            }
            Refused::UnknownKey => (403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.".into()),
            Refused::Expired => (400, "ExpiredToken", "The provided token has expired.".into()),
            Refused::Source(words) => (400, "InvalidArgument", (*words).into()),
            Refused::Store(_) => (503, "ServiceUnavailable", "Service is unable to handle request.".into()),
        };
        Said { status, code, message }
    }
}

const SIGNATURE: (u16, &str) = (403, "SignatureDoesNotMatch");
const INCOMPLETE: (u16, &str) = (400, "IncompleteSignature");

/// What the Query services and S3 call a reason.
fn codes(reason: &Reason) -> ((u16, &'static str), (u16, &'static str)) {
    const HEADER: (u16, &str) = (400, "AuthorizationHeaderMalformed");
    const QUERY: (u16, &str) = (400, "AuthorizationQueryParametersError");
    const INVALID: (u16, &str) = (400, "InvalidRequest");
    const DENIED: (u16, &str) = (403, "AccessDenied");
    match reason {
        Reason::Scheme { .. }
        | Reason::Asymmetric
        | Reason::Repeated { .. }
        | Reason::Header { .. }
        | Reason::TooManyHeaders
        | Reason::Method => (INCOMPLETE, INVALID),
        Reason::TwoPlaces => (INCOMPLETE, (400, "InvalidArgument")),
        Reason::Missing(_) | Reason::NotPair { .. } | Reason::SignedHeaders => (INCOMPLETE, HEADER),
        Reason::Credential { place: Place::Header, .. } => (INCOMPLETE, HEADER),
        Reason::MissingParameters { .. } | Reason::Expires { .. } | Reason::Credential { place: Place::Query, .. } => (INCOMPLETE, QUERY),
        Reason::Date { place: Place::Query, .. } => (INCOMPLETE, QUERY),
        Reason::Date { place: Place::Header, .. } => (INCOMPLETE, DENIED),
        Reason::HostNotSigned | Reason::HeadersNotSigned { .. } | Reason::Expired { .. } => (SIGNATURE, DENIED),
        Reason::Early { presigned: true, .. } => (SIGNATURE, DENIED),
        Reason::Early { presigned: false, .. } | Reason::Late { .. } => (SIGNATURE, (403, "RequestTimeTooSkewed")),
        Reason::ScopeDate { .. } | Reason::ScopeTerminator { .. } | Reason::ScopeService { .. } | Reason::ScopeRegion { .. } => {
            (SIGNATURE, HEADER)
        }
        Reason::ContentWord { .. } => (SIGNATURE, (400, "InvalidArgument")),
        Reason::ContentForeign { .. } | Reason::ContentMissing | Reason::BodyNeeded => (SIGNATURE, INVALID),
        Reason::ContentHash { .. } => (SIGNATURE, (400, "XAmzContentSHA256Mismatch")),
        Reason::Uri => ((404, "MalformedQueryString"), (400, "InvalidURI")),
        Reason::Mismatch(_) => (SIGNATURE, SIGNATURE),
    }
}
