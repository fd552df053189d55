//! Users. Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_users.html>.

use crate::names::{Path, UserName};
use crate::tags::Tags;
use arn::{AccountId, Arn, UniqueId};
use serde::{Deserialize, Serialize};
use store::Record;

/// A person or a workload with long-term credentials of its own.
#[derive(Debug, Clone, Serialize, Deserialize, Record)]
#[record(kind = "user", key = id, unique(by_name = name), index(by_group = groups, by_attached = attached, by_boundary = permissions_boundary))]
pub struct UserRecord {
    /// Never used again, also when the name is.
    pub id: UniqueId,
    /// Unique in the account.
    pub name: UserName,
    /// Part of the ARN only.
    pub path: Path,
    /// Seconds since the epoch.
    pub created: i64,
    /// The most that its policies can give it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions_boundary: Option<Arn>,
    /// The groups that it is in, in the order of joining.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<UniqueId>,
    /// Managed policies, in the order of attaching.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attached: Vec<Arn>,
    /// Its tags.
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
}

impl UserRecord {
    /// `arn:aws:iam::ACCOUNT:user/PATH/NAME`.
    pub fn arn(&self, account: AccountId) -> Arn {
        Arn::iam(account, format_args!("user{}{}", self.path, self.name))
    }
}
