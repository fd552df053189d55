//! SSH public keys of users. Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_ssh-keys.html>.

use crate::ssh_public_key::SshPublicKey;
use arn::UniqueId;
use serde::{Deserialize, Serialize};
use store::Record;

/// One key of a user's. Two users may have the same key.
#[derive(Debug, Clone, Serialize, Deserialize, Record)]
#[record(kind = "ssh-key", key = id, index(by_user = user, by_sha256 = sha256, by_md5 = md5))]
pub struct SshKeyRecord {
    /// `APKA…`
    pub id: UniqueId,
    /// Whose it is.
    pub user: UniqueId,
    /// The key.
    pub public: SshPublicKey,
    /// Its fingerprint as `sshd` says it: `SHA256:…`.
    pub sha256: String,
    /// Its fingerprint as IAM says it: sixteen pairs of hexadecimal digits between colons.
    pub md5: String,
    /// An inactive one is as one that is not there.
    pub active: bool,
    /// Seconds since the epoch.
    pub uploaded: i64,
}
