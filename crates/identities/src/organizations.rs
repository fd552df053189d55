//! Organizations: which accounts belong together, and where in the tree each stands. Service control policies bind by this, and
//! `aws:PrincipalOrgID` and `aws:PrincipalOrgPaths` say it.
//! Rules: <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_getting-started_concepts.html>. All are kept in the shared
//! partition, because an account must find its organization without knowing who manages it.

use arn::AccountId;
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use store::{KeyPart, Mode, Record, SHARED, StoreError, Tx};
use wire::Text;

/// `o-` and 10 to 32 of `[a-z0-9]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Text)]
#[text(pattern = r"^o-[a-z0-9]{10,32}$")]
pub struct OrganizationId(Box<str>);

/// `r-` and 4 to 32 of `[0-9a-z]`: the one root of an organization.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Text)]
#[text(max = 34, pattern = r"^r-[0-9a-z]{4,32}$")]
pub struct RootId(Box<str>);

/// `ou-`, what follows `r-` in the root's id, `-`, and 8 to 32 of `[a-z0-9]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Text)]
#[text(max = 68, pattern = r"^ou-[0-9a-z]{4,32}-[a-z0-9]{8,32}$")]
pub struct UnitId(Box<str>);

/// What accounts and units stand under: a root or a unit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Text)]
#[text(max = 100, pattern = r"^(r-[0-9a-z]{4,32})|(ou-[0-9a-z]{4,32}-[a-z0-9]{8,32})$")]
pub struct ParentId(Box<str>);

/// What a policy is attached to: a root, an account or a unit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Text)]
#[text(max = 100, pattern = r"^(r-[0-9a-z]{4,32})|(\d{12})|(ou-[0-9a-z]{4,32}-[a-z0-9]{8,32})$")]
pub struct TargetId(Box<str>);

macro_rules! as_text {
    ($($name:ident),*) => {$(
        impl KeyPart for $name {
            fn encode(&self, out: &mut Vec<u8>) { self.as_str().encode(out); }
        }
    )*};
}
as_text!(OrganizationId, RootId, UnitId, ParentId, TargetId);

impl ParentId {
    /// The unit, if it is one and not a root.
    pub fn unit(&self) -> Option<UnitId> {
        self.0.starts_with("ou-").then(|| UnitId(self.0.clone()))
    }
}

impl From<&RootId> for ParentId {
    fn from(root: &RootId) -> Self {
        ParentId(root.0.clone())
    }
}

impl From<&UnitId> for ParentId {
    fn from(unit: &UnitId) -> Self {
        ParentId(unit.0.clone())
    }
}

impl From<&RootId> for TargetId {
    fn from(root: &RootId) -> Self {
        TargetId(root.0.clone())
    }
}

impl From<&UnitId> for TargetId {
    fn from(unit: &UnitId) -> Self {
        TargetId(unit.0.clone())
    }
}

impl From<AccountId> for TargetId {
    fn from(account: AccountId) -> Self {
        TargetId(account.to_string().into())
    }
}

/// What an organization is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Text)]
pub enum FeatureSet {
    /// Policies, too.
    All,
    /// One bill. No policy binds.
    ConsolidatedBilling,
}

/// A kind of policy that an organization can have.
/// Source: <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies.html>.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Text)]
#[expect(missing_docs, reason = "each says itself")]
pub enum PolicyType {
    ServiceControlPolicy,
    ResourceControlPolicy,
    TagPolicy,
    BackupPolicy,
    AiservicesOptOutPolicy,
    ChatbotPolicy,
    #[text(rename = "DECLARATIVE_POLICY_EC2")]
    DeclarativePolicyEc2,
    SecurityhubPolicy,
    SecurityhubCspmPolicy,
    InspectorPolicy,
    UpgradeRolloutPolicy,
    BedrockPolicy,
    #[text(rename = "S3_POLICY")]
    S3Policy,
    NetworkSecurityDirectorPolicy,
    GuarddutyPolicy,
}

/// One organization, and its root.
#[derive(Debug, Clone, Serialize, Deserialize, Record)]
#[record(kind = "organization", key = id, unique(by_root = root))]
pub struct OrganizationRecord {
    /// Never used again.
    pub id: OrganizationId,
    /// Its root.
    pub root: RootId,
    /// The account that made it. No policy of it binds this one.
    pub management: AccountId,
    /// What it is for.
    pub features: FeatureSet,
    /// The kinds of policies that bind, in the order of enabling.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub enabled: Vec<PolicyType>,
    /// When it was made, in seconds since the epoch.
    pub created: i64,
}

impl OrganizationRecord {
    /// Whether policies of this kind bind.
    pub fn has(&self, kind: PolicyType) -> bool {
        self.features == FeatureSet::All && self.enabled.contains(&kind)
    }
}

/// An organizational unit: a branch of the tree.
#[derive(Debug, Clone, Serialize, Deserialize, Record)]
#[record(kind = "organizational-unit", key = id, unique(by_name = (parent, name)), index(by_organization = organization))]
pub struct UnitRecord {
    /// Never used again.
    pub id: UnitId,
    /// Whose it is.
    pub organization: OrganizationId,
    /// What it stands under.
    pub parent: ParentId,
    /// Unique under its parent.
    pub name: String,
    /// When it was made, in seconds since the epoch.
    pub created: i64,
}

/// How an account came into its organization. The management account is listed as invited, as AWS does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Text)]
pub enum JoinedMethod {
    /// It was there before.
    Invited,
    /// The organization made it.
    Created,
}

/// How a member lives.
/// Source: <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_account_state.html>.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Text)]
pub enum MemberState {
    /// Being made.
    PendingActivation,
    /// In use.
    Active,
    /// Closed, and could be opened again; `identities::AccountStatus` is what refuses its principals.
    Suspended,
    /// Being closed.
    PendingClosure,
    /// Closed for good.
    Closed,
}

/// An account that is in an organization, the management account too. An account is in one at most.
#[derive(Debug, Clone, Serialize, Deserialize, Record)]
#[record(kind = "organization-member", key = account, index(by_organization = organization, by_parent = parent))]
pub struct MemberRecord {
    /// Which account.
    pub account: AccountId,
    /// The organization that it is in.
    pub organization: OrganizationId,
    /// The root or unit that it stands under.
    pub parent: ParentId,
    /// When it came in, in seconds since the epoch.
    pub joined: i64,
    /// How it came in.
    pub method: JoinedMethod,
    /// How it lives.
    pub state: MemberState,
    /// When it was closed, in seconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<i64>,
}

/// An account that administers a service for its organization.
#[derive(Debug, Clone, Serialize, Deserialize, Record)]
#[record(kind = "delegated-administrator", key = (account, service), index(by_organization = organization, by_service = (organization, service)))]
pub struct DelegatedAdministratorRecord {
    /// The member.
    pub account: AccountId,
    /// `sso.amazonaws.com` …
    pub service: String,
    /// Whose member it is.
    pub organization: OrganizationId,
    /// Since when, in seconds since the epoch.
    pub enabled: i64,
}

/// That a service may work in an organization.
#[derive(Debug, Clone, Serialize, Deserialize, Record)]
#[record(kind = "service-access", key = (organization, service))]
pub struct ServiceAccessRecord {
    /// Where.
    pub organization: OrganizationId,
    /// Which service.
    pub service: String,
    /// Since when, in seconds since the epoch.
    pub enabled: i64,
}

/// The most units between a root and an account.
/// Source: <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html>.
pub const MOST_LEVELS: usize = 5;

/// Where an account stands.
#[derive(Debug, Clone)]
pub struct OrganizationPath {
    /// Its organization.
    pub organization: OrganizationRecord,
    /// Its own place.
    pub member: MemberRecord,
    /// The units from the root down to it.
    pub units: Vec<UnitRecord>,
}

impl OrganizationPath {
    /// `o-…/r-…/ou-…/`: the value of `aws:PrincipalOrgPaths`.
    pub fn text(&self) -> String {
        path_text(&self.organization, &self.units)
    }

    /// What policies can be attached to on its way: the root, each unit, the account.
    pub fn levels(&self) -> Vec<TargetId> {
        let units = self.units.iter().map(|unit| TargetId::from(&unit.id));
        std::iter::once(TargetId::from(&self.organization.root)).chain(units).chain([self.member.account.into()]).collect()
    }

    /// Whether it is the management account, which no policy of the organization binds.
    pub fn is_management(&self) -> bool {
        self.organization.management == self.member.account
    }
}

/// `o-…/r-…/ou-…/` of a place under these units.
pub fn path_text(organization: &OrganizationRecord, units: &[UnitRecord]) -> String {
    let mut text = format!("{}/{}/", organization.id, organization.root);
    for unit in units {
        // Writing to a String cannot fail.
        let _ = write!(text, "{}/", unit.id);
    }
    text
}

/// A place in the tree that leads to no root.
#[derive(Debug, thiserror::Error)]
#[error("the place {0} in an organization leads to no root")]
struct Lost(String);

/// Where `account` stands; `None` if it is in no organization. A decision that rests on the answer rests on the account's
/// [`MemberRecord`] (there or not), the [`OrganizationRecord`] and each [`UnitRecord`], all in the shared partition.
///
/// # Errors
/// What the store says, and a tree that is damaged: nothing is decided by half of it.
pub async fn organization_path<M: Mode>(tx: &Tx<M>, account: AccountId) -> Result<Option<OrganizationPath>, StoreError> {
    let tx = tx.in_account(SHARED);
    let Some(member) = tx.get::<MemberRecord>(&account).await? else { return Ok(None) };
    let lost = || StoreError::Failed(Box::new(Lost(member.parent.to_string())));
    let organization = tx.get::<OrganizationRecord>(&member.organization).await?.ok_or_else(lost)?;
    let units = units_down_to(&tx, &member.parent).await?;
    Ok(Some(OrganizationPath { organization, member, units }))
}

/// The units from the root down to `place`, which is the last of them if it is a unit.
///
/// # Errors
/// What the store says, and a tree that is damaged.
pub async fn units_down_to<M: Mode>(tx: &Tx<M>, place: &ParentId) -> Result<Vec<UnitRecord>, StoreError> {
    let tx = tx.in_account(SHARED);
    let lost = || StoreError::Failed(Box::new(Lost(place.to_string())));
    let (mut units, mut above) = (Vec::new(), place.unit());
    while let Some(id) = above {
        let unit = tx.get::<UnitRecord>(&id).await?.filter(|_| units.len() < MOST_LEVELS).ok_or_else(lost)?;
        above = unit.parent.unit();
        units.push(unit);
    }
    units.reverse();
    Ok(units)
}

#[cfg(test)]
mod tests;
