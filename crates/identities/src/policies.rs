//! Policies as they are kept. Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html>.
//! A version never changes once it is saved; which one counts is the policy's `default_version`.

use crate::names::{PolicyName, PolicyPath};
use crate::tags::Tags;
use arn::{AccountId, Arn, UniqueId};
use serde::{Deserialize, Serialize};
use store::Record;

/// A managed policy of a customer.
#[derive(Debug, Clone, Serialize, Deserialize, Record)]
#[record(kind = "policy", key = id, unique(by_name = name))]
pub struct PolicyRecord {
    /// Never used again, also when the name is.
    pub id: UniqueId,
    /// Unique in the account, whatever the path.
    pub name: PolicyName,
    /// Part of the ARN only.
    pub path: PolicyPath,
    /// Seconds since the epoch.
    pub created: i64,
    /// When its default version last changed, in seconds since the epoch.
    pub updated: i64,
    /// What its maker wrote; it cannot be changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The number of the version that counts.
    pub default_version: u64,
    /// The number of the latest version made; numbers are never used again.
    pub latest_version: u64,
    /// Its tags.
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
}

impl PolicyRecord {
    /// `arn:aws:iam::ACCOUNT:policy/PATH/NAME`.
    pub fn arn(&self, account: AccountId) -> Arn {
        Arn::iam(account, format_args!("policy{}{}", self.path, self.name))
    }
}

/// One version of a managed policy.
#[derive(Debug, Clone, Serialize, Deserialize, Record)]
#[record(kind = "policy-version", key = (policy, number))]
pub struct PolicyVersionRecord {
    /// Whose version it is.
    pub policy: UniqueId,
    /// 1 for `v1`.
    pub number: u64,
    /// The text as it was sent.
    pub document: String,
    /// Seconds since the epoch.
    pub created: i64,
}

/// A policy that is part of one user, group or role.
#[derive(Debug, Clone, Serialize, Deserialize, Record)]
#[record(kind = "inline-policy", key = (entity, name))]
pub struct InlinePolicyRecord {
    /// Whose it is.
    pub entity: UniqueId,
    /// Unique in the entity.
    pub name: PolicyName,
    /// The text as it was sent.
    pub document: String,
}

/// The account and the name in the ARN of a customer's managed policy; `None` for any other ARN, AWS's own policies included.
pub fn customer_policy_arn(arn: &Arn) -> Option<(AccountId, PolicyName)> {
    if arn.service() != "iam" || !arn.region().is_empty() {
        return None;
    }
    let (_, name) = arn.resource().strip_prefix("policy/").map(|rest| rest.rsplit_once('/').unwrap_or(("", rest)))?;
    Some((arn.account_id()?, name.parse().ok()?))
}
