//! Which kinds of policies bind. Enabling one attaches AWS's own to everything; disabling one detaches all of its kind.
//! Rules: <https://docs.aws.amazon.com/organizations/latest/userguide/enable-policy-type.html>,
//! <https://docs.aws.amazon.com/organizations/latest/userguide/disable-policy-type.html>.

use crate::authority::{Reach, What, on, organization};
use crate::organization::Root;
use crate::{Error, Organizations};
use identities::{
    AwsOrganizationPolicy, FeatureSet, MemberRecord, OrganizationRecord, ParentId, PolicyAttachmentRecord, PolicyType, RootId, TargetId,
    UnitRecord, attach, default_policy,
};
use operation::{Allowed, Caller, Judged, Operation, Operations, handler};
use store::{SHARED, Stored, Write};
use wire::Shape;

pub(super) const OPERATIONS: Operations<Organizations> = &[handler::<EnablePolicyType>(), handler::<DisablePolicyType>()];

/// Records that are looked at in one go.
const SLICE: usize = 500;

#[derive(Shape)]
struct EnablePolicyType {
    root_id: RootId,
    policy_type: PolicyType,
}

#[derive(Shape)]
struct RootOutput {
    root: Root,
}

/// The organization, if this is its root.
async fn with_root(cx: &Allowed<'_, Write>, root: &RootId) -> Result<OrganizationRecord, Error> {
    let organization = organization(cx, Reach::Management).await?;
    if organization.root == *root { Ok(organization) } else { Err(Error::NoSuchRoot) }
}

async fn put(cx: &Allowed<'_, Write>, organization: &OrganizationRecord) -> Result<(), Error> {
    match cx.tx.in_account(SHARED).put(organization).await? {
        Stored::Done => Ok(()),
        Stored::Taken => Err(Error::Store(store::StoreError::Conflict)),
    }
}

impl Operation for EnablePolicyType {
    type Service = Organizations;
    type Access = Write;
    type Output = RootOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(Reach::Management, What::Place(ParentId::from(&self.root_id))))
            .key("organizations:PolicyType", [self.policy_type.as_str()])
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<RootOutput, Error> {
        let mut organization = with_root(cx, &self.root_id).await?;
        if organization.features != FeatureSet::All {
            return Err(Error::PolicyTypeNotAvailable);
        }
        if organization.enabled.contains(&self.policy_type) {
            return Err(Error::PolicyTypeAlreadyEnabled);
        }
        organization.enabled.push(self.policy_type);
        put(cx, &organization).await?;
        if let Some(policy) = default_policy(self.policy_type) {
            attach_everywhere(cx, &organization, policy).await?;
        }
        Ok(RootOutput { root: Root::of(&organization) })
    }
}

/// Attaches a policy of AWS's to the root, and to every unit and account.
async fn attach_everywhere(
    cx: &Allowed<'_, Write>,
    organization: &OrganizationRecord,
    policy: &AwsOrganizationPolicy,
) -> Result<(), Error> {
    let (shared, id) = (cx.tx.in_account(SHARED), policy.id());
    let mut targets = vec![TargetId::from(&organization.root)];
    let mut after = None;
    loop {
        let page = shared.scan(UnitRecord::BY_ORGANIZATION.of(&organization.id), after.as_ref(), SLICE, |_| true).await?;
        targets.extend(page.records.iter().map(|unit| TargetId::from(&unit.id)));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    loop {
        let page = shared.scan(MemberRecord::BY_ORGANIZATION.of(&organization.id), after.as_ref(), SLICE, |_| true).await?;
        targets.extend(page.records.iter().map(|member| TargetId::from(member.account)));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    for target in &targets {
        // What is attached already stays as it is.
        let _ = attach(&cx.tx, &organization.id, policy.kind, (&id, target), cx.now).await?;
    }
    Ok(())
}

#[derive(Shape)]
struct DisablePolicyType {
    root_id: RootId,
    policy_type: PolicyType,
}

impl Operation for DisablePolicyType {
    type Service = Organizations;
    type Access = Write;
    type Output = RootOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(Reach::Management, What::Place(ParentId::from(&self.root_id))))
            .key("organizations:PolicyType", [self.policy_type.as_str()])
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<RootOutput, Error> {
        let mut organization = with_root(cx, &self.root_id).await?;
        if !organization.enabled.contains(&self.policy_type) {
            return Err(Error::PolicyTypeNotEnabled);
        }
        organization.enabled.retain(|kind| *kind != self.policy_type);
        put(cx, &organization).await?;
        let shared = cx.tx.in_account(SHARED);
        loop {
            let all = PolicyAttachmentRecord::BY_ORGANIZATION.of((&organization.id, &self.policy_type));
            let page = shared.scan(all, None, SLICE, |_| true).await?;
            for attachment in &page.records {
                shared.delete::<PolicyAttachmentRecord>((&attachment.target, &attachment.policy)).await?;
            }
            if page.next.is_none() {
                return Ok(RootOutput { root: Root::of(&organization) });
            }
        }
    }
}
