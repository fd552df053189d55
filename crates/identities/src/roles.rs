//! Roles. Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html>.

use crate::names::{Path, RoleName};
use crate::tags::Tags;
use arn::{AccountId, Arn, UniqueId};
use serde::{Deserialize, Serialize};
use store::Record;
use wire::Int;

/// Seconds: one hour to twelve, one hour if nothing is said.
pub type MaxSessionDuration = Int<3_600, 43_200, 3_600>;

/// Who may take a role on: the document as it was sent, and the ids of the users and roles that it names. A principal is kept by its
/// unique id: deleted and made again it is another one.
/// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustPolicy {
    /// The text as it was sent.
    pub document: String,
    /// Each ARN of a user or role in it, and whom it meant when the document was saved.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pinned: Vec<(Arn, UniqueId)>,
}

/// An identity that principals take on for a while.
#[derive(Debug, Clone, Serialize, Deserialize, Record)]
#[record(kind = "role", key = id, unique(by_name = name), index(by_attached = attached, by_boundary = permissions_boundary))]
pub struct RoleRecord {
    /// Never used again, also when the name is; sessions are bound to it.
    pub id: UniqueId,
    /// Unique in the account.
    pub name: RoleName,
    /// Part of the ARN, but not of its sessions' ARNs.
    pub path: Path,
    /// Seconds since the epoch.
    pub created: i64,
    /// What its maker wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How long a session may last, in seconds.
    pub max_session_duration: i64,
    /// Who may take it on.
    pub trust: TrustPolicy,
    /// The most that its policies can give it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions_boundary: Option<Arn>,
    /// Managed policies, in the order of attaching.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attached: Vec<Arn>,
    /// Its tags.
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
}

/// What a service-linked role is used by, as its service says: it cannot be deleted until that is nothing.
#[derive(Debug, Clone, Serialize, Deserialize, Record)]
#[record(kind = "role-usage", key = role)]
pub struct RoleUsageRecord {
    /// The role.
    pub role: UniqueId,
    /// Where the resources are.
    pub region: String,
    /// Those that need the role.
    pub resources: Vec<Arn>,
}

impl RoleRecord {
    /// `arn:aws:iam::ACCOUNT:role/PATH/NAME`.
    pub fn arn(&self, account: AccountId) -> Arn {
        Arn::iam(account, format_args!("role{}{}", self.path, self.name))
    }

    /// Whether only its service may change it.
    /// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create-service-linked-role.html>.
    pub fn is_service_linked(&self) -> bool {
        self.path.as_str().starts_with("/aws-service-role/")
    }
}
