//! AWS Signature Version 4, the verifying side: who says to have signed this request, and whether that is so.
//! Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html>, S3's own in
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html>.
//!
//! Pure: the caller brings the request, the key and the time. Two steps, because the key is looked up between them:
//! [`read`] takes the credentials out of a request, [`Presented::verify`] holds the request to its signature.
//! Everything that a server acts on is bound: method, path, query, body, region, service, date, the host and each `x-amz-*` header.
//! What two readers could take for two things (a header twice, a parameter in another case, credentials in two places) is refused.
//! There is no signer here; the tests verify what AWS's own client signs.

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
