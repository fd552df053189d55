//! Why a request is refused. What a reason prints is what IAM and STS say, in their words where those are known; [`Reason::s3_sentence`]
//! and [`Reason::s3_elements`] are S3's. Which code and status that is, the protocol above knows: the comments name AWS's.

use std::fmt;

use crate::LONGEST_EXPIRY;
use crate::payload::hex_text;
use crate::time::basic;

/// Where something was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In a header.
    Header,
    /// In the query.
    Query,
}

/// What is wrong with `X-Amz-Expires`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// It is not a whole number.
    NotANumber,
    /// It is less than 0.
    Negative,
    /// It is 0.
    Zero,
    /// It is more than a week.
    TooLong,
}

/// Which parts of an `Authorization` header are not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// `Credential=`.
    pub credential: bool,
    /// `Signature=`.
    pub signature: bool,
    /// `SignedHeaders=`.
    pub signed_headers: bool,
    /// Neither `X-Amz-Date` nor `Date`, which are headers of their own.
    pub date: bool,
    /// The header's value, without the signature.
    pub authorization: Box<str>,
}

/// A signature that is not the one that these texts have.
#[derive(Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// The access key id.
    pub key_id: Box<str>,
    /// The canonical request that was made of the request. It holds the session token: for the client, not for logs.
    pub canonical_request: String,
    /// What had to be signed.
    pub string_to_sign: String,
    /// The signature that came. For the client, not for logs.
    pub provided: Box<str>,
}

/// Without the texts, which belong in no log.
impl fmt::Debug for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mismatch").field("key_id", &self.key_id).finish_non_exhaustive()
    }
}

/// Why a request does not authenticate.
///
/// Codes are given as Query services / S3. JSON services say `InvalidSignatureException` for `SignatureDoesNotMatch` and
/// `IncompleteSignatureException` for `IncompleteSignature`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// An `Authorization` header, or a query, of something that is not SigV4. `IncompleteSignature` 400 / `InvalidRequest` 400.
    #[error("Unsupported authorization type '{scheme}': sign with AWS4-HMAC-SHA256.")]
    Scheme {
        /// The first word of the header; `AWS` for the signature version before.
        scheme: Box<str>,
    },
    /// SigV4A. `IncompleteSignature` 400 / `InvalidRequest` 400.
    #[error("AWS4-ECDSA-P256-SHA256 (Signature Version 4A) is not supported here: sign with AWS4-HMAC-SHA256.")]
    Asymmetric,
    /// Credentials in the header and in the query. `IncompleteSignature` 400 / `InvalidArgument` 400.
    #[error("Credentials must be either in the Authorization header or in the query string, not in both.")]
    TwoPlaces,
    /// The `Authorization` header lacks parts. `IncompleteSignature` 400 / `AuthorizationHeaderMalformed` 400.
    #[error("{0}")]
    Missing(Missing),
    /// A part of the `Authorization` header has no equal sign. `IncompleteSignature` 400 / `AuthorizationHeaderMalformed` 400.
    #[error("'{part}' not a valid key=value pair (missing equal-sign) in Authorization header: '{authorization}'.")]
    NotPair {
        /// The part.
        part: Box<str>,
        /// The whole value, without the signature.
        authorization: Box<str>,
    },
    /// The query lacks parameters of a presigned URL. `IncompleteSignature` 400 / `AuthorizationQueryParametersError` 400.
    #[error("{}Re-examine the query-string parameters.", names.iter().map(|name| format!("AWS query-string parameters must include '{name}'. ")).collect::<String>())]
    MissingParameters {
        /// Those that are not there.
        names: Vec<&'static str>,
    },
    /// A credential that has not five parts. `IncompleteSignature` 400 / `AuthorizationHeaderMalformed` or `AuthorizationQueryParametersError` 400.
    #[error("Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{text}'")]
    Credential {
        /// What was there.
        text: Box<str>,
        /// Where.
        place: Place,
    },
    /// A date that cannot be read. `IncompleteSignature` 400 / `AccessDenied` 403 for a header, `AuthorizationQueryParametersError` 400.
    #[error("Date must be in ISO-8601 'basic format'. Got '{text}'. See http://en.wikipedia.org/wiki/ISO_8601")]
    Date {
        /// What was there.
        text: Box<str>,
        /// Where.
        place: Place,
    },
    /// `X-Amz-Expires` is not 1 to 604,800 seconds. `IncompleteSignature` 400 / `AuthorizationQueryParametersError` 400.
    #[error("{}", expiry(*why))]
    Expires {
        /// What is wrong with it.
        why: Expiry,
    },
    /// Something that decides came twice, or in a spelling that not every reader takes for the same. `IncompleteSignature` 400 / `InvalidRequest` 400.
    #[error("'{name}' must be given exactly once and as it is spelled.")]
    Repeated {
        /// The header, parameter or part.
        name: Box<str>,
    },
    /// `SignedHeaders` is not a list of lower-case names in ascending order. `IncompleteSignature` 400 / `AuthorizationHeaderMalformed` 400.
    #[error("SignedHeaders must be lower-case header names in ascending order, separated by ';'.")]
    SignedHeaders,
    /// The host is not signed. `SignatureDoesNotMatch` 403 / `AccessDenied` 403.
    #[error("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")]
    HostNotSigned,
    /// Headers that servers act on are not signed. `SignatureDoesNotMatch` 403 / `AccessDenied` 403.
    #[error("There were headers present in the request which were not signed")]
    HeadersNotSigned {
        /// Their names, in lower case.
        names: Vec<Box<str>>,
    },
    /// The scope's day is not the day of signing. `SignatureDoesNotMatch` 403 / `AuthorizationHeaderMalformed` 400.
    #[error("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{scope}' != '{}', from '{stamp}'.", stamp.get(..8).unwrap_or_default())]
    ScopeDate {
        /// The scope's.
        scope: Box<str>,
        /// The time of signing.
        stamp: Box<str>,
    },
    /// The scope does not end as it must. `SignatureDoesNotMatch` 403 / `AuthorizationHeaderMalformed` 400.
    #[error("Credential should be scoped with a valid terminator: 'aws4_request', not '{given}'.")]
    ScopeTerminator {
        /// What stood there.
        given: Box<str>,
    },
    /// The scope is of another service. `SignatureDoesNotMatch` 403 / `AuthorizationHeaderMalformed` 400.
    #[error("Credential should be scoped to correct service: '{expected}'. ")]
    ScopeService {
        /// The service that the request reached.
        expected: Box<str>,
        /// The scope's.
        given: Box<str>,
    },
    /// The scope is of another region. `SignatureDoesNotMatch` 403 / `AuthorizationHeaderMalformed` 400.
    #[error("Credential should be scoped to a valid region, not '{given}'. ")]
    ScopeRegion {
        /// The server's region.
        expected: Box<str>,
        /// The scope's.
        given: Box<str>,
    },
    /// Signed in the future. `SignatureDoesNotMatch` 403 / `RequestTimeTooSkewed` 403, `AccessDenied` 403 for a presigned URL.
    #[error("Signature not yet current: {} is still later than {} ({} + 15 min.)", basic(*at), basic(now.saturating_add(crate::SKEW)), basic(*now))]
    Early {
        /// When it was signed, in seconds of the epoch.
        at: i64,
        /// The server's time.
        now: i64,
        /// Whether it is a presigned URL.
        presigned: bool,
    },
    /// Signed too long ago. `SignatureDoesNotMatch` 403 / `RequestTimeTooSkewed` 403.
    #[error("Signature expired: {} is now earlier than {} ({} - 15 min.)", basic(*at), basic(now.saturating_sub(crate::SKEW)), basic(*now))]
    Late {
        /// When it was signed, in seconds of the epoch.
        at: i64,
        /// The server's time.
        now: i64,
    },
    /// A presigned URL past its life. `SignatureDoesNotMatch` 403 / `AccessDenied` 403.
    #[error("Signature expired: {} is now earlier than {} ({} - {})", basic(*at), basic(now.saturating_sub(*lifetime)), basic(*now), minutes(*lifetime))]
    Expired {
        /// When it was signed, in seconds of the epoch.
        at: i64,
        /// The server's time.
        now: i64,
        /// How long it was good for, in seconds.
        lifetime: i64,
        /// How long it asked to be.
        asked: i64,
    },
    /// A value of `x-amz-content-sha256` that means nothing. `SignatureDoesNotMatch` 403 / `InvalidArgument` 400.
    #[error(
        "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value."
    )]
    ContentWord {
        /// The value.
        value: Box<str>,
    },
    /// One of S3's words for the body, at a service where the body is always signed. `SignatureDoesNotMatch` 403.
    #[error("x-amz-content-sha256 must be the SHA-256 of the body for this service, not '{value}'.")]
    ContentForeign {
        /// The word.
        value: Box<str>,
    },
    /// S3 is not told what of the body is signed. – / `InvalidRequest` 400.
    #[error("Missing required header for this request: x-amz-content-sha256")]
    ContentMissing,
    /// The body is not the one that was signed. `SignatureDoesNotMatch` 403 / `XAmzContentSHA256Mismatch` 400.
    #[error("The provided 'x-amz-content-sha256' header does not match what was computed.")]
    ContentHash {
        /// The hash that the client sent.
        claimed: [u8; 32],
        /// The body's.
        computed: [u8; 32],
    },
    /// The signature covers the body's hash, and nobody said it. Only for captured requests: the asker has to send it.
    #[error("The signature covers the body, so its SHA-256 is needed.")]
    BodyNeeded,
    /// A path or query that no request line can hold, or a percent sign without two digits. `MalformedQueryString` 404 / `InvalidURI` 400.
    #[error("The request URI is malformed.")]
    Uri,
    /// A method that is not a word.
    #[error("The request method is malformed.")]
    Method,
    /// A header whose value holds what headers cannot hold, or what this one must not. `IncompleteSignature` 400 / `InvalidRequest` 400.
    #[error("The value of the header '{name}' is malformed.")]
    Header {
        /// The header.
        name: Box<str>,
    },
    /// More headers than [`crate::MOST_HEADERS`].
    #[error("The request has too many headers.")]
    TooManyHeaders,
    /// The signature is wrong. `SignatureDoesNotMatch` 403.
    #[error(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
    )]
    Mismatch(Box<Mismatch>),
}

impl Reason {
    /// What Query services tell the client: what the reason prints, and for a wrong signature the two texts as they should have been.
    /// Those hold the session token, so logs and audit take what the reason prints.
    pub fn query_sentence(&self) -> String {
        let Reason::Mismatch(mismatch) = self else { return self.to_string() };
        format!(
            "{self}\n\nThe Canonical String for this request should have been\n'{}'\n\nThe String-to-Sign should have been\n'{}'\n",
            mismatch.canonical_request, mismatch.string_to_sign
        )
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, missing) in [("Credential", self.credential), ("Signature", self.signature), ("SignedHeaders", self.signed_headers)] {
            if missing {
                write!(f, "Authorization header requires '{name}' parameter. ")?;
            }
        }
        if self.date {
            f.write_str("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ")?;
        }
        write!(f, "Authorization={}", self.authorization)
    }
}

pub(crate) fn expiry(why: Expiry) -> String {
    match why {
        Expiry::NotANumber => "X-Amz-Expires should be a number".to_owned(),
        Expiry::Negative => "X-Amz-Expires must be non-negative".to_owned(),
        Expiry::Zero => "X-Amz-Expires must be greater than 0".to_owned(),
        Expiry::TooLong => {
            format!(
                "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than {LONGEST_EXPIRY} seconds"
            )
        }
    }
}

fn minutes(seconds: i64) -> String {
    if seconds % 60 == 0 { format!("{} min.", seconds / 60) } else { format!("{seconds} sec.") }
}

/// What a message repeats of what came: not more than this.
pub(crate) fn short(text: &str) -> Box<str> {
    text.get(..text.floor_char_boundary(512)).unwrap_or_default().into()
}

/// An `Authorization` header as messages repeat it. The signature may be a good one, and messages go to logs too.
pub(crate) fn without_signature(authorization: &str) -> Box<str> {
    let mut text = String::with_capacity(authorization.len().min(512));
    let mut rest = &*short(authorization);
    while let Some((before, after)) = rest.split_once("Signature=") {
        text.push_str(before);
        text.push_str("Signature=…");
        rest = after.find([',', ' ']).and_then(|end| after.get(end..)).unwrap_or_default();
    }
    text.push_str(rest);
    text.into()
}

pub(crate) fn hash_text(hash: &[u8; 32]) -> String {
    hex_text(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skew_is_told_in_awss_words() {
        // 2022-01-27T01:59:28Z and 2023-08-03T17:17:33Z, as in answers of AWS; it allows less than 15 minutes ahead in some services.
        let late = Reason::Late { at: 1_643_242_467, now: 1_643_248_768 };
        assert_eq!(
            late.to_string(),
            "Signature expired: 20220127T001427Z is now earlier than 20220127T014428Z (20220127T015928Z - 15 min.)"
        );
        let early = Reason::Early { at: 1_691_107_200, now: 1_691_083_053, presigned: false };
        assert_eq!(
            early.to_string(),
            "Signature not yet current: 20230804T000000Z is still later than 20230803T173233Z (20230803T171733Z + 15 min.)"
        );
    }

    #[test]
    fn missing_parts_are_told_one_sentence_each() {
        let all = Missing { credential: true, signature: true, signed_headers: true, date: true, authorization: "AWS4-HMAC-SHA256".into() };
        assert_eq!(
            all.to_string(),
            "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. \
             Authorization header requires 'SignedHeaders' parameter. Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. \
             Authorization=AWS4-HMAC-SHA256"
        );
        let one = Missing { credential: false, signature: true, signed_headers: false, date: false, authorization: "x".into() };
        assert_eq!(one.to_string(), "Authorization header requires 'Signature' parameter. Authorization=x");
    }

    #[test]
    fn no_message_repeats_a_signature() {
        assert_eq!(
            &*without_signature("A Credential=x, Signature=abc, SignedHeaders=host"),
            "A Credential=x, Signature=…, SignedHeaders=host"
        );
        assert_eq!(&*without_signature("A Signature=abc"), "A Signature=…");
        assert_eq!(&*without_signature("A Signature=abc Signature=def,"), "A Signature=… Signature=…,");
        let mismatch = Mismatch {
            key_id: "AKIA".into(),
            canonical_request: "secret".into(),
            string_to_sign: "secret".into(),
            provided: "secret".into(),
        };
        let reason = Reason::Mismatch(Box::new(mismatch));
        assert!(!format!("{reason:?}{reason}").contains("secret"));
        assert!(reason.query_sentence().ends_with("should have been\n'secret'\n"));
    }

    #[test]
    fn what_a_message_repeats_is_bounded() {
        assert_eq!(short(&"é".repeat(1_000)).chars().count(), 256);
        assert_eq!(&*short("short"), "short");
    }
}
