//! Names of things in AWS's form: ARNs, account ids, unique ids, access key ids. Values only: no I/O, no knowledge of which of them exist.
//! Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html> and
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html>.
//! A value that exists here is well formed. Each is written to JSON as its text, and reads back from it.

mod account_id;
mod name;
mod unique_id;

mod access_key_id;
mod base32;
mod text;

pub use access_key_id::{AccessKeyId, AccessKeyIdError};
pub use account_id::{AccountId, AccountIdError};
pub use name::{Arn, ArnError};
pub use unique_id::{IdKind, UniqueId, UniqueIdError};
