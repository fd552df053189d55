//! Access keys: what requests are signed with. Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html>.
//! They are kept in the shared partition, because a request names nothing but the key; the account in a key's id is never trusted.

use crate::sealing::Sealed;
use arn::{AccessKeyId, AccountId, UniqueId};
use serde::{Deserialize, Serialize};
use store::{KeyPart, Record};

/// Whose a credential is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Owner {
    /// The account.
    pub account: AccountId,
    /// The user; `None` is the account's root user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UniqueId>,
}

impl KeyPart for Owner {
    fn encode(&self, out: &mut Vec<u8>) {
        self.account.encode(out);
        self.user.as_ref().map_or("", UniqueId::as_str).encode(out);
    }
}

/// A long-term access key.
#[derive(Debug, Clone, Serialize, Deserialize, Record)]
#[record(kind = "access-key", key = id, index(by_owner = owner), sealed)]
pub struct AccessKeyRecord {
    /// What requests name it by: unique among all accounts.
    pub id: AccessKeyId,
    /// Whose it is.
    pub owner: Owner,
    /// The secret, which verifying a signature needs in the clear.
    pub secret: Sealed,
    /// An inactive key is as one that is not there.
    pub active: bool,
    /// Seconds since the epoch.
    pub created: i64,
}
