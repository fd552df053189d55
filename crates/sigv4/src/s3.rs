//! How S3 says it: its sentences, and the elements that its errors hold beside code and message.
//! Rules: <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>.

use std::fmt::Write;

use crate::reason::{expiry, hash_text};
use crate::time::{basic, extended};
use crate::{Place, Reason, SKEW};

const EXPECTING: &str = "expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".";

impl Reason {
    /// The message of S3's error.
    pub fn s3_sentence(&self) -> String {
        match self {
            Reason::Scheme { .. } | Reason::Asymmetric => "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.".to_owned(),
            Reason::TwoPlaces => "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified".to_owned(),
            Reason::Missing(missing) if missing.date && !missing.credential && !missing.signature && !missing.signed_headers => "AWS authentication requires a valid Date or x-amz-date header".to_owned(),
            Reason::Missing(_) | Reason::NotPair { .. } => "The authorization header is malformed; the authorization header requires three components: Credential, SignedHeaders, and Signature.".to_owned(),
            Reason::MissingParameters { .. } => "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.".to_owned(),
            Reason::Credential { place: Place::Header, .. } => format!("The authorization header is malformed; the Credential is mal-formed; {EXPECTING}"),
            Reason::Credential { place: Place::Query, .. } => format!("Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; {EXPECTING}"),
            Reason::Date { place: Place::Header, .. } => "AWS authentication requires a valid Date or x-amz-date header".to_owned(),
            Reason::Date { place: Place::Query, .. } => "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"".to_owned(),
            Reason::Expires { why } => expiry(*why),
            Reason::ScopeDate { scope, stamp } => format!("The authorization header is malformed; Invalid credential date \"{scope}\". This date is not the same as X-Amz-Date: \"{}\".", stamp.get(..8).unwrap_or_default()),
            Reason::ScopeTerminator { given } => format!("The authorization header is malformed; incorrect terminal \"{given}\". This endpoint uses \"aws4_request\"."),
            Reason::ScopeService { expected, given } => format!("The authorization header is malformed; incorrect service \"{given}\". This endpoint belongs to \"{expected}\"."),
            Reason::ScopeRegion { expected, given } => format!("The authorization header is malformed; the region '{given}' is wrong; expecting '{expected}'"),
            Reason::Early { presigned: false, .. } | Reason::Late { .. } => "The difference between the request time and the current time is too large.".to_owned(),
            Reason::Early { presigned: true, .. } => "Request is not yet valid".to_owned(),
            Reason::Expired { .. } => "Request has expired".to_owned(),
            Reason::Mismatch(_) => "The request signature we calculated does not match the signature you provided. Check your key and signing method.".to_owned(),
            Reason::Repeated { .. }
            | Reason::SignedHeaders
            | Reason::HostNotSigned
            | Reason::HeadersNotSigned { .. }
            | Reason::ContentWord { .. }
            | Reason::ContentForeign { .. }
            | Reason::ContentMissing
            | Reason::ContentHash { .. }
            | Reason::BodyNeeded
            | Reason::Uri
            | Reason::Method
            | Reason::Header { .. }
            | Reason::TooManyHeaders => self.to_string(),
        }
    }

    /// The further elements of S3's error, names and values. For the client: some hold the session token.
    pub fn s3_elements(&self) -> Vec<(&'static str, String)> {
        match self {
            Reason::HeadersNotSigned { names } => vec![("HeadersNotSigned", names.join(", "))],
            Reason::Expired { at, now, asked, .. } => {
                vec![("X-Amz-Expires", asked.to_string()), ("Expires", extended(at.saturating_add(*asked))), ("ServerTime", extended(*now))]
            }
            Reason::Early { at, now, .. } | Reason::Late { at, now } => vec![
                ("RequestTime", basic(*at)),
                ("ServerTime", extended(*now)),
                ("MaxAllowedSkewMilliseconds", (SKEW * 1_000).to_string()),
            ],
            Reason::ScopeRegion { expected, .. } => vec![("Region", expected.to_string())],
            Reason::ContentHash { claimed, computed } => {
                vec![("ClientComputedContentSHA256", hash_text(claimed)), ("S3ComputedContentSHA256", hash_text(computed))]
            }
            Reason::ContentWord { value } | Reason::ContentForeign { value } => {
                vec![("ArgumentName", "x-amz-content-sha256".to_owned()), ("ArgumentValue", value.to_string())]
            }
            Reason::Mismatch(mismatch) => vec![
                ("AWSAccessKeyId", mismatch.key_id.to_string()),
                ("StringToSign", mismatch.string_to_sign.clone()),
                ("SignatureProvided", mismatch.provided.to_string()),
                ("StringToSignBytes", spaced(&mismatch.string_to_sign)),
                ("CanonicalRequest", mismatch.canonical_request.clone()),
                ("CanonicalRequestBytes", spaced(&mismatch.canonical_request)),
            ],
            Reason::Scheme { .. }
            | Reason::Asymmetric
            | Reason::TwoPlaces
            | Reason::Missing(_)
            | Reason::NotPair { .. }
            | Reason::MissingParameters { .. }
            | Reason::Credential { .. }
            | Reason::Date { .. }
            | Reason::Expires { .. }
            | Reason::Repeated { .. }
            | Reason::SignedHeaders
            | Reason::HostNotSigned
            | Reason::ScopeDate { .. }
            | Reason::ScopeTerminator { .. }
            | Reason::ScopeService { .. }
            | Reason::ContentMissing
            | Reason::BodyNeeded
            | Reason::Uri
            | Reason::Method
            | Reason::Header { .. }
            | Reason::TooManyHeaders => Vec::new(),
        }
    }
}

/// The bytes in hexadecimal, with a space between two.
fn spaced(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 3);
    for byte in text.bytes() {
        if !out.is_empty() {
            out.push(' ');
        }
        // Writing to a String cannot fail.
        let _ = write!(out, "{byte:02x}");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Mismatch;

    #[test]
    fn an_expired_url_tells_its_times() {
        let reason = Reason::Expired { at: 1_440_938_160, now: 1_440_939_160, lifetime: 60, asked: 60 };
        assert_eq!(reason.s3_sentence(), "Request has expired");
        let elements = [("X-Amz-Expires", "60"), ("Expires", "2015-08-30T12:37:00Z"), ("ServerTime", "2015-08-30T12:52:40Z")];
        assert_eq!(reason.s3_elements(), elements.map(|(name, value)| (name, value.to_owned())));
    }

    #[test]
    fn unsigned_headers_are_listed() {
        let reason = Reason::HeadersNotSigned { names: vec!["x-amz-date".into(), "x-amz-decoded-content-length".into()] };
        assert_eq!(reason.s3_sentence(), "There were headers present in the request which were not signed");
        assert_eq!(reason.s3_elements(), [("HeadersNotSigned", "x-amz-date, x-amz-decoded-content-length".to_owned())]);
    }

    #[test]
    fn a_mismatch_shows_both_texts_and_their_bytes() {
        let mismatch =
            Mismatch { key_id: "AKIA".into(), canonical_request: "GET\n".into(), string_to_sign: "AWS4".into(), provided: "ab".into() };
        let elements = Reason::Mismatch(Box::new(mismatch)).s3_elements();
        assert!(elements.contains(&("StringToSignBytes", "41 57 53 34".to_owned())));
        assert!(elements.contains(&("CanonicalRequestBytes", "47 45 54 0a".to_owned())));
    }
}
