//! Groups. Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_groups.html>. A group is never a principal.

use crate::names::{GroupName, Path};
use arn::{AccountId, Arn, UniqueId};
use serde::{Deserialize, Serialize};
use store::Record;

/// Users who share policies. Who is in it, the users say.
#[derive(Debug, Clone, Serialize, Deserialize, Record)]
#[record(kind = "group", key = id, unique(by_name = name), index(by_attached = attached))]
pub struct GroupRecord {
    /// Never used again, also when the name is.
    pub id: UniqueId,
    /// Unique in the account.
    pub name: GroupName,
    /// Part of the ARN only.
    pub path: Path,
    /// Seconds since the epoch.
    pub created: i64,
    /// Managed policies, in the order of attaching.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attached: Vec<Arn>,
}

impl GroupRecord {
    /// `arn:aws:iam::ACCOUNT:group/PATH/NAME`.
    pub fn arn(&self, account: AccountId) -> Arn {
        Arn::iam(account, format_args!("group{}{}", self.path, self.name))
    }
}
