//! What policies are attached to: the root, units, accounts.
//! Rules: <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_policies_attach.html>.
//! Each target keeps at least one service control policy; AWS's resource control policy stays on all.

use crate::authority::{Reach, What, on, organization};
use crate::page::{NextPage, Page};
use crate::policies::{ListPoliciesOutput, PolicySummary};
use crate::units::{has_place, unit};
use crate::{Error, Organizations};
use arn::{AccountId, Arn};
use identities::{
    AccountRecord, MemberRecord, OrganizationPolicyId, OrganizationRecord, ParentId, PolicyAttachmentRecord, PolicyType, TargetId, attach,
    attached_to, aws_organization_policy,
};
use operation::{Allowed, Caller, Judged, Operation, Operations, handler};
use store::{Mode, Read, SHARED, Stored, Write};
use wire::{Shape, Text};

pub(super) const OPERATIONS: Operations<Organizations> =
    &[handler::<AttachPolicy>(), handler::<DetachPolicy>(), handler::<ListPoliciesForTarget>(), handler::<ListTargetsForPolicy>()];

/// What a target is judged as.
pub(crate) fn what(target: &TargetId) -> What {
    match target.as_str().parse::<ParentId>() {
        Ok(place) => What::Place(place),
        Err(_) => What::Account(target.to_string()),
    }
}

/// Whether there is such a target in this organization.
pub(crate) async fn has_target<M: Mode>(cx: &Allowed<'_, M>, organization: &OrganizationRecord, target: &TargetId) -> Result<bool, Error> {
    if let Ok(place) = target.as_str().parse::<ParentId>() {
        return has_place(cx, organization, &place).await;
    }
    let Ok(account) = target.as_str().parse::<AccountId>() else { return Ok(false) };
    let member = cx.tx.in_account(SHARED).get::<MemberRecord>(&account).await?;
    Ok(member.is_some_and(|member| member.organization == organization.id))
}

/// Policies of one kind on one target, at most.
/// Source: <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html>.
fn most(kind: PolicyType) -> usize {
    match kind {
        PolicyType::ResourceControlPolicy | PolicyType::AiservicesOptOutPolicy | PolicyType::ChatbotPolicy => 5,
        PolicyType::ServiceControlPolicy
        | PolicyType::TagPolicy
        | PolicyType::BackupPolicy
        | PolicyType::DeclarativePolicyEc2
        | PolicyType::SecurityhubPolicy
        | PolicyType::SecurityhubCspmPolicy
        | PolicyType::InspectorPolicy
        | PolicyType::UpgradeRolloutPolicy
        | PolicyType::BedrockPolicy
        | PolicyType::S3Policy
        | PolicyType::NetworkSecurityDirectorPolicy
        | PolicyType::GuarddutyPolicy => 10,
    }
}

#[derive(Shape)]
struct AttachPolicy {
    policy_id: OrganizationPolicyId,
    target_id: TargetId,
}

/// On the policy and on the target: who may not use the one or change the other attaches nothing.
fn judged(policy: &OrganizationPolicyId, target: &TargetId) -> Judged {
    let on_target = on(Reach::Management, what(target)).with(policy.clone());
    Judged::on(&on(Reach::Management, What::Policy(policy.clone()))).also_on(&on_target)
}

impl Operation for AttachPolicy {
    type Service = Organizations;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        judged(&self.policy_id, &self.target_id)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let organization = organization(cx, Reach::Management).await?;
        let policy = PolicySummary::find(cx, &organization, &self.policy_id).await?.ok_or(Error::NoSuchPolicy)?;
        if !has_target(cx, &organization, &self.target_id).await? {
            return Err(Error::NoSuchTarget);
        }
        let kind = policy.kind();
        if !organization.has(kind) {
            return Err(Error::PolicyTypeNotEnabled);
        }
        let there = attached_to(&cx.tx, &self.target_id, kind).await?;
        if there.iter().any(|attachment| attachment.policy == self.policy_id) {
            return Err(Error::DuplicateAttachment);
        }
        if there.len() >= most(kind) {
            let words = "You have attached the maximum number of policies to the specified target.";
            return Err(Error::constraint("MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED", words));
        }
        match attach(&cx.tx, &organization.id, kind, (&self.policy_id, &self.target_id), cx.now).await? {
            Stored::Done => Ok(()),
            Stored::Taken => Err(Error::DuplicateAttachment),
        }
    }
}

#[derive(Shape)]
struct DetachPolicy {
    policy_id: OrganizationPolicyId,
    target_id: TargetId,
}

impl Operation for DetachPolicy {
    type Service = Organizations;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        judged(&self.policy_id, &self.target_id)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let organization = organization(cx, Reach::Management).await?;
        let policy = PolicySummary::find(cx, &organization, &self.policy_id).await?.ok_or(Error::NoSuchPolicy)?;
        if !has_target(cx, &organization, &self.target_id).await? {
            return Err(Error::NoSuchTarget);
        }
        let kind = policy.kind();
        let there = attached_to(&cx.tx, &self.target_id, kind).await?;
        if !there.iter().any(|attachment| attachment.policy == self.policy_id) {
            return Err(Error::NotAttached);
        }
        if aws_organization_policy(&self.policy_id).is_some_and(|policy| policy.is_fast) {
            let words = "You specified a policy that can't be detached.";
            return Err(Error::InvalidInput { reason: "NON_DETACHABLE_POLICY", words });
        }
        if kind == PolicyType::ServiceControlPolicy && there.len() == 1 {
            let words = "You must have at least one policy of this type attached to the specified target.";
            return Err(Error::constraint("MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED", words));
        }
        cx.tx.in_account(SHARED).delete::<PolicyAttachmentRecord>((&self.target_id, &self.policy_id)).await?;
        Ok(())
    }
}

#[derive(Shape)]
struct ListPoliciesForTarget {
    target_id: TargetId,
    filter: PolicyType,
    #[shape(flatten)]
    page: Page,
}

impl Operation for ListPoliciesForTarget {
    type Service = Organizations;
    type Access = Read;
    type Output = ListPoliciesOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(Reach::Delegated, what(&self.target_id))).key("organizations:PolicyType", [self.filter.as_str()])
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<ListPoliciesOutput, Error> {
        let organization = organization(cx, Reach::Delegated).await?;
        if !has_target(cx, &organization, &self.target_id).await? {
            return Err(Error::NoSuchTarget);
        }
        let attached = attached_to(&cx.tx, &self.target_id, self.filter).await?;
        let (attached, next) = self.page.of_all(attached, |attachment| format!("{:020}", attachment.order))?;
        let mut policies = Vec::with_capacity(attached.len());
        for attachment in attached {
            policies.extend(PolicySummary::find(cx, &organization, &attachment.policy).await?);
        }
        Ok(ListPoliciesOutput { policies, next })
    }
}

/// What a target is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Text)]
enum TargetType {
    /// An account.
    Account,
    /// A unit.
    OrganizationalUnit,
    /// The root.
    Root,
}

/// A target as it is listed.
#[derive(Shape)]
struct PolicyTargetSummary {
    target_id: TargetId,
    arn: Arn,
    name: String,
    r#type: TargetType,
}

impl PolicyTargetSummary {
    async fn of<M: Mode>(cx: &Allowed<'_, M>, organization: &OrganizationRecord, target: TargetId) -> Result<Self, Error> {
        let (kind, name, r#type) = if let Ok(account) = target.as_str().parse::<AccountId>() {
            let record = cx.tx.in_account(SHARED).get::<AccountRecord>(&account).await?;
            ("account", record.map(|account| account.name).unwrap_or_default(), TargetType::Account)
        } else if let Some(id) = target.as_str().parse::<ParentId>().ok().and_then(|place| place.unit()) {
            let record = unit(cx, organization, &id).await?;
            ("ou", record.map(|unit| unit.name).unwrap_or_default(), TargetType::OrganizationalUnit)
        } else {
            ("root", "Root".to_owned(), TargetType::Root)
        };
        let arn = Arn::organizations(organization.management, format_args!("{kind}/{}/{target}", organization.id));
        Ok(PolicyTargetSummary { target_id: target, arn, name, r#type })
    }
}

#[derive(Shape)]
struct ListTargetsForPolicy {
    policy_id: OrganizationPolicyId,
    #[shape(flatten)]
    page: Page,
}

#[derive(Shape)]
struct ListTargetsForPolicyOutput {
    targets: Vec<PolicyTargetSummary>,
    #[shape(flatten)]
    next: NextPage,
}

impl Operation for ListTargetsForPolicy {
    type Service = Organizations;
    type Access = Read;
    type Output = ListTargetsForPolicyOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(Reach::Delegated, What::Policy(self.policy_id.clone())))
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<ListTargetsForPolicyOutput, Error> {
        let organization = organization(cx, Reach::Delegated).await?;
        if PolicySummary::find(cx, &organization, &self.policy_id).await?.is_none() {
            return Err(Error::NoSuchPolicy);
        }
        let span = PolicyAttachmentRecord::BY_POLICY.of((&organization.id, &self.policy_id));
        let page = cx.tx.in_account(SHARED).scan(span, self.page.after()?.as_ref(), self.page.limit(), |_| true).await?;
        let mut targets = Vec::with_capacity(page.records.len());
        for attachment in page.records {
            targets.push(PolicyTargetSummary::of(cx, &organization, attachment.target).await?);
        }
        Ok(ListTargetsForPolicyOutput { targets, next: page.next.into() })
    }
}
