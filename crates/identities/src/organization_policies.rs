//! Policies of organizations, and what they are attached to. Service and resource control policies bind decisions; the others are merged
//! into what an account is told. Rules: <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies.html>.
//! All are kept in the shared partition, as the tree is.

use crate::organizations::{OrganizationId, OrganizationRecord, PolicyType, TargetId};
use arn::AccountId;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use store::{KeyPart, Mode, Record, SHARED, StoreError, Stored, Tx, Write};
use wire::Text;

/// `p-` and 8 to 128 of `[0-9a-zA-Z_]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Text)]
#[text(max = 130, pattern = r"^p-[0-9a-zA-Z_]{8,128}$")]
pub struct OrganizationPolicyId(Box<str>);

impl KeyPart for OrganizationPolicyId {
    fn encode(&self, out: &mut Vec<u8>) {
        self.as_str().encode(out);
    }
}

impl KeyPart for PolicyType {
    fn encode(&self, out: &mut Vec<u8>) {
        self.as_str().encode(out);
    }
}

/// A policy that an organization made.
#[derive(Debug, Clone, Serialize, Deserialize, Record)]
#[record(kind = "organization-policy", key = id, unique(by_name = (organization, kind, name)))]
pub struct OrganizationPolicyRecord {
    /// Never used again.
    pub id: OrganizationPolicyId,
    /// Whose it is.
    pub organization: OrganizationId,
    /// What kind of policy it is; this never changes.
    pub kind: PolicyType,
    /// Unique among the policies of its kind in the organization.
    pub name: String,
    /// What its maker wrote.
    pub description: String,
    /// The text as it was sent.
    pub content: String,
    /// Counts the changes of `content`, from 1: what was compiled of one version is true of it forever.
    pub version: u64,
    /// When the content was last changed, in seconds since the epoch.
    pub updated: i64,
}

impl OrganizationPolicyRecord {
    /// `arn:aws:organizations::MANAGEMENT:policy/o-…/service_control_policy/p-…`.
    pub fn arn(&self, management: AccountId) -> String {
        format!("arn:aws:organizations::{management}:policy/{}/{}/{}", self.organization, policy_folder(self.kind), self.id)
    }
}

/// The kind of a policy as it stands in ARNs.
pub fn policy_folder(kind: PolicyType) -> String {
    kind.as_str().to_ascii_lowercase()
}

/// A policy that is AWS's, the same in every organization. Nobody changes it.
#[derive(Debug, PartialEq, Eq)]
pub struct AwsOrganizationPolicy {
    /// Its id.
    pub id: &'static str,
    /// What kind of policy it is.
    pub kind: PolicyType,
    /// Its name.
    pub name: &'static str,
    /// What AWS says of it.
    pub description: &'static str,
    /// Its text.
    pub content: &'static str,
    /// Whether it stays on every target for as long as its kind is enabled.
    pub is_fast: bool,
}

/// Source: <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html>,
/// <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html>.
static AWS_POLICIES: [AwsOrganizationPolicy; 2] = [
    AwsOrganizationPolicy {
        id: "p-FullAWSAccess",
        kind: PolicyType::ServiceControlPolicy,
        name: "FullAWSAccess",
        description: "Allows access to every operation",
        content: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#,
        is_fast: false,
    },
    AwsOrganizationPolicy {
        id: "p-RCPFullAWSAccess",
        kind: PolicyType::ResourceControlPolicy,
        name: "RCPFullAWSAccess",
        description: "Allows access to every resource",
        content: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}"#,
        is_fast: true,
    },
];

impl AwsOrganizationPolicy {
    /// `arn:aws:organizations::aws:policy/service_control_policy/p-FullAWSAccess`.
    pub fn arn(&self) -> String {
        format!("arn:aws:organizations::aws:policy/{}/{}", policy_folder(self.kind), self.id)
    }

    /// Its id, as ids are kept.
    pub fn id(&self) -> OrganizationPolicyId {
        OrganizationPolicyId(self.id.into())
    }
}

/// AWS's policies of every kind.
pub fn aws_organization_policies() -> &'static [AwsOrganizationPolicy] {
    &AWS_POLICIES
}

/// AWS's policy with this id.
pub fn aws_organization_policy(id: &OrganizationPolicyId) -> Option<&'static AwsOrganizationPolicy> {
    AWS_POLICIES.iter().find(|policy| policy.id == id.as_str())
}

/// The policy that every target has at first when its kind is enabled.
pub fn default_policy(kind: PolicyType) -> Option<&'static AwsOrganizationPolicy> {
    AWS_POLICIES.iter().find(|policy| policy.kind == kind)
}

/// That a policy is attached to a root, a unit or an account.
#[derive(Debug, Clone, Serialize, Deserialize, Record)]
#[record(kind = "organization-policy-attachment", key = (target, policy), index(by_policy = (organization, policy), by_organization = (organization, kind)))]
pub struct PolicyAttachmentRecord {
    /// To what.
    pub target: TargetId,
    /// Which policy.
    pub policy: OrganizationPolicyId,
    /// Whose the target is: AWS's policies are in every organization.
    pub organization: OrganizationId,
    /// What kind of policy it is.
    pub kind: PolicyType,
    /// Its place among those of the target: policies of one target are merged in the order in which they were attached.
    pub order: u64,
    /// When, in seconds since the epoch.
    pub attached: i64,
}

/// A policy with what merging and compiling it takes.
#[derive(Debug, Clone)]
pub struct OrganizationPolicy {
    /// Its id.
    pub id: OrganizationPolicyId,
    /// Its ARN.
    pub arn: String,
    /// Its text.
    pub content: Cow<'static, str>,
    /// Which version of the content this is. AWS's never change.
    pub version: u64,
    /// When the content was last changed, in seconds since the epoch.
    pub updated: i64,
}

/// More than can be attached to one target, all kinds together.
const ALL: usize = 1_000;

/// What is attached to `target`, in the order in which it was. A decision that rests on the answer rests on [`PolicyAttachmentRecord`]s
/// whose key begins with the target.
///
/// # Errors
/// What the store says.
pub async fn attached_to<M: Mode>(tx: &Tx<M>, target: &TargetId, kind: PolicyType) -> Result<Vec<PolicyAttachmentRecord>, StoreError> {
    let span = PolicyAttachmentRecord::KEY.under(target);
    let page = tx.in_account(SHARED).scan(span, None, ALL, |attachment: &PolicyAttachmentRecord| attachment.kind == kind).await?;
    let mut all = page.records;
    all.sort_by_key(|attachment| attachment.order);
    Ok(all)
}

/// The policy with this id, as `organization` has it; `None` if it has none.
///
/// # Errors
/// What the store says.
pub async fn organization_policy<M: Mode>(
    tx: &Tx<M>,
    organization: &OrganizationRecord,
    id: &OrganizationPolicyId,
) -> Result<Option<OrganizationPolicy>, StoreError> {
    if let Some(policy) = aws_organization_policy(id) {
        let (arn, content) = (policy.arn(), Cow::Borrowed(policy.content));
        return Ok(Some(OrganizationPolicy { id: id.clone(), arn, content, version: 0, updated: organization.created }));
    }
    let kept = tx.in_account(SHARED).get::<OrganizationPolicyRecord>(id).await?;
    Ok(kept.filter(|policy| policy.organization == organization.id).map(|policy| OrganizationPolicy {
        arn: policy.arn(organization.management),
        content: Cow::Owned(policy.content),
        id: policy.id,
        version: policy.version,
        updated: policy.updated,
    }))
}

/// Attaches a policy to a target. `Taken`: it was already.
///
/// # Errors
/// What the store says.
pub async fn attach(
    tx: &Tx<Write>,
    organization: &OrganizationId,
    kind: PolicyType,
    (policy, target): (&OrganizationPolicyId, &TargetId),
    now: i64,
) -> Result<Stored, StoreError> {
    let order = attached_to(tx, target, kind).await?.last().map_or(0, |last| last.order + 1);
    let attachment = PolicyAttachmentRecord {
        target: target.clone(),
        policy: policy.clone(),
        organization: organization.clone(),
        kind,
        order,
        attached: now,
    };
    tx.in_account(SHARED).insert(&attachment).await
}

/// Attaches to a target that is new in `organization` what every target has at first.
///
/// # Errors
/// What the store says.
pub async fn attach_defaults(tx: &Tx<Write>, organization: &OrganizationRecord, target: &TargetId, now: i64) -> Result<(), StoreError> {
    for policy in aws_organization_policies().iter().filter(|policy| organization.enabled.contains(&policy.kind)) {
        // Whatever was attached before stays: then there is nothing to do.
        let _ = attach(tx, &organization.id, policy.kind, (&policy.id(), target), now).await?;
    }
    Ok(())
}

/// Takes everything off a target that leaves its organization, or is no more.
///
/// # Errors
/// What the store says.
pub async fn detach_all(tx: &Tx<Write>, target: &TargetId) -> Result<(), StoreError> {
    let tx = tx.in_account(SHARED);
    for attachment in tx.scan(PolicyAttachmentRecord::KEY.under(target), None, ALL, |_| true).await?.records {
        tx.delete::<PolicyAttachmentRecord>((&attachment.target, &attachment.policy)).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
