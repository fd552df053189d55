//! AWS Signature Version 4, the verifying side: who says to have signed this request, and whether that is so.
//! Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html>, S3's own in
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html>.
//!
//! Pure: the caller brings the request, the key and the time. Two steps, because the key is looked up between them:
//! [`read`] takes the credentials out of a request, [`Presented::verify`] holds the request to its signature.
//! Everything that a server acts on is bound: method, path, query, body, region, service, date, the host and each `x-amz-*` header.
//! What two readers could take for two things (a header twice, a parameter in another case, credentials in two places) is refused.
//! There is no signer here; the tests verify what AWS's own client signs.
//!
//! ```
//! use sigv4::{Body, Request, SigningKey, read};
//!
//! // The example of the IAM guide, signed at 2015-08-30T12:36:00Z.
//! let authorization = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, \
//!     SignedHeaders=content-type;host;x-amz-date, \
//!     Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";
//! let headers: [(&str, &[u8]); 4] = [
//!     ("host", b"iam.amazonaws.com"),
//!     ("content-type", b"application/x-www-form-urlencoded; charset=utf-8"),
//!     ("x-amz-date", b"20150830T123600Z"),
//!     ("authorization", authorization.as_bytes()),
//! ];
//! let request = Request { method: "GET", uri: "/?Action=ListUsers&Version=2010-05-08", headers: &headers };
//!
//! let presented = read(&request)?.expect("the request is signed");
//! assert_eq!(presented.key_id, "AKIDEXAMPLE");
//! let scope = presented.scope;
//! let key = SigningKey::derive("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", scope.date, scope.region, scope.service);
//! let verified = presented.verify(&request, &key, Body::Bytes(b""), 1_440_938_160)?;
//! assert_eq!(verified.host, "iam.amazonaws.com");
//!
//! let elsewhere = Request { uri: "/?Action=ListRoles&Version=2010-05-08", ..request };
//! assert!(presented.verify(&elsewhere, &key, Body::Bytes(b""), 1_440_938_160).is_err());
//! # Ok::<(), sigv4::Reason>(())
//! ```

mod request;

mod read;

mod authorization;
mod presigned;

mod presented;

mod verify;

mod canonical;
mod percent;

mod payload;

mod reason;

mod s3;

mod key;

mod day_keys;

pub mod chunks;

mod time;

pub use day_keys::DayKeys;
pub use key::SigningKey;
pub use payload::Payload;
pub use presented::{Form, Presented, Scope};
pub use read::read;
pub use reason::{Expiry, Mismatch, Missing, Place, Reason};
pub use request::{Body, Request, Style};
pub use verify::Verified;

/// How far the clock of a client may be from ours, in seconds, to either side.
pub const SKEW: i64 = 15 * 60;

/// The longest that a presigned URL may ask to live, in seconds: a week.
pub const LONGEST_EXPIRY: u32 = 604_800;

/// The most headers that a request may have here. A server's HTTP layer allows fewer; a captured request could have any number.
pub const MOST_HEADERS: usize = 256;
