//! Managed policies: those of the account, and those of AWS, which nobody changes.
//! Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html>.
//! A policy's name is unique whatever its path; its text is in its versions; a list shows neither description nor tags.

use crate::documents::PolicyDocument;
use crate::quotas::quota;
use crate::tagging::{self, same_exactly};
use crate::{Error, Iam};
use arn::{AccountId, Arn, IdKind, UniqueId};
use identities::{
    GroupRecord, ManagedPolicy, PolicyName, PolicyPath, PolicyRecord, PolicyVersionRecord, RoleRecord, Tag, UserRecord,
    customer_policy_arn, managed_policy,
};
use operation::{Allowed, Caller, Judged, Operation, Operations, PolicyArn, handler};
use policy::{Document, Kind};
use store::{Mode, Read, StoreError, Stored, Tx, Write};
use wire::{Shape, Text, Timestamp};

pub(super) const OPERATIONS: Operations<Iam> = &[handler::<CreatePolicy>(), handler::<GetPolicy>()];

/// The longest managed policy, in characters that are not white space.
/// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>.
const LONGEST: u64 = 6_144;

/// What a policy's maker writes of it.
#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(max = 1000)]
struct Description(Box<str>);

/// A managed policy as IAM shows it.
#[derive(Shape)]
pub(crate) struct Policy {
    policy_name: String,
    policy_id: UniqueId,
    arn: Arn,
    path: String,
    default_version_id: String,
    attachment_count: i64,
    permissions_boundary_usage_count: i64,
    is_attachable: bool,
    description: Option<String>,
    create_date: Timestamp,
    update_date: Timestamp,
    tags: Option<Vec<Tag>>,
}

/// How many users, groups and roles of an account use a policy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    /// As what gives them permissions.
    pub attached: usize,
    /// As what bounds these.
    pub bounding: usize,
}

impl Usage {
    /// In the account that `tx` looks at.
    pub async fn of<M: Mode>(tx: &Tx<M>, arn: &Arn) -> Result<Self, StoreError> {
        Ok(Usage {
            attached: tx.count(UserRecord::BY_ATTACHED.of(arn), usize::MAX).await?
                + tx.count(GroupRecord::BY_ATTACHED.of(arn), usize::MAX).await?
                + tx.count(RoleRecord::BY_ATTACHED.of(arn), usize::MAX).await?,
            bounding: tx.count(UserRecord::BY_BOUNDARY.of(arn), usize::MAX).await?
                + tx.count(RoleRecord::BY_BOUNDARY.of(arn), usize::MAX).await?,
        })
    }
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

impl Policy {
    /// What is shown of one of the account's own, whatever the operation.
    pub fn own(account: AccountId, policy: &PolicyRecord, usage: Usage) -> Self {
        Policy {
            policy_name: policy.name.to_string(),
            policy_id: policy.id.clone(),
            arn: policy.arn(account),
            path: policy.path.to_string(),
            default_version_id: format!("v{}", policy.default_version),
            attachment_count: number(usage.attached),
            permissions_boundary_usage_count: number(usage.bounding),
            is_attachable: true,
            description: None,
            create_date: Timestamp(policy.created),
            update_date: Timestamp(policy.updated),
            tags: None,
        }
    }

    /// What is shown of one of AWS's, whatever the operation.
    pub fn aws(policy: &ManagedPolicy, usage: Usage) -> Self {
        Policy {
            policy_name: policy.name().to_owned(),
            policy_id: policy.id.clone(),
            arn: policy.arn.clone(),
            path: policy.path().to_owned(),
            default_version_id: policy.version.to_owned(),
            attachment_count: number(usage.attached),
            permissions_boundary_usage_count: number(usage.bounding),
            is_attachable: policy.is_attachable(),
            description: None,
            create_date: time(policy.created),
            update_date: time(policy.updated),
            tags: None,
        }
    }
}

/// A time of the files of AWS's policies. A test reads them all.
pub(crate) fn time(iso: &str) -> Timestamp {
    Timestamp(iso.parse::<jiff::Timestamp>().map_or(0, jiff::Timestamp::as_second))
}

/// A managed policy that an ARN names.
pub(crate) enum Managed {
    /// One of the caller's account.
    Own(PolicyRecord),
    /// One of AWS's.
    Aws(&'static ManagedPolicy),
}

/// The policy with this ARN: one of the caller's account, or of AWS's.
pub(crate) async fn found<M: Mode>(cx: &Allowed<'_, M>, asked: &PolicyArn) -> Result<(Arn, Managed), Error> {
    let arn = asked.arn().ok_or(Error::InvalidArn)?;
    if let Some(policy) = managed_policy(&arn) {
        return Ok((arn, Managed::Aws(policy)));
    }
    let name = customer_policy_arn(&arn).filter(|(account, _)| *account == cx.caller.account).map(|(_, name)| name);
    let policy = match &name {
        Some(name) => cx.tx.find(PolicyRecord::BY_NAME, name).await?,
        None => None,
    };
    match policy.filter(|policy| policy.arn(cx.caller.account) == arn) {
        Some(policy) => Ok((arn, Managed::Own(policy))),
        None => Err(Error::NoSuchPolicy(arn.to_string())),
    }
}

/// A document that may be saved as a managed policy.
pub(crate) fn saved(text: &PolicyDocument) -> Result<Document, Error> {
    let document = text.checked(Kind::Identity)?;
    if u64::try_from(document.size()).is_ok_and(|size| size > LONGEST) {
        return Err(Error::Quota { name: "PolicySize", limit: LONGEST });
    }
    Ok(document)
}

#[derive(Shape)]
struct CreatePolicy {
    policy_name: PolicyName,
    #[shape(default)]
    path: PolicyPath,
    policy_document: PolicyDocument,
    description: Option<Description>,
    #[shape(max = 50)]
    tags: Vec<Tag>,
}

#[derive(Shape)]
struct PolicyOutput {
    policy: Policy,
}

impl Operation for CreatePolicy {
    type Service = Iam;
    type Access = Write;
    type Output = PolicyOutput;

    fn judged_by(&self, caller: &Caller) -> Judged {
        Judged::on(caller.arn_here("iam", format_args!("policy{}{}", self.path, self.policy_name)))
            .and(!self.tags.is_empty(), "iam:TagPolicy")
            .request_tags(&self.tags)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<PolicyOutput, Error> {
        quota::<PolicyRecord>(cx, cx.limits().policies, "PoliciesPerAccount").await?;
        let document = saved(&self.policy_document)?;
        let policy = PolicyRecord {
            id: cx.new_id(IdKind::Policy)?,
            name: self.policy_name.clone(),
            path: self.path.clone(),
            created: cx.now,
            updated: cx.now,
            description: self.description.as_ref().filter(|text| !text.as_str().is_empty()).map(ToString::to_string),
            default_version: 1,
            latest_version: 1,
            tags: tagging::first(&self.tags, same_exactly)?,
        };
        let first = PolicyVersionRecord { policy: policy.id.clone(), number: 1, document: document.text().to_owned(), created: cx.now };
        if cx.tx.insert(&policy).await? == Stored::Taken || cx.tx.insert(&first).await? == Stored::Taken {
            return Err(Error::PolicyExists(policy.name.to_string()));
        }
        let shown = Policy {
            description: policy.description.clone(),
            tags: (!policy.tags.is_empty()).then(|| policy.tags.to_vec()),
            ..Policy::own(cx.caller.account, &policy, Usage::default())
        };
        Ok(PolicyOutput { policy: shown })
    }
}

#[derive(Shape)]
struct GetPolicy {
    policy_arn: PolicyArn,
}

impl Operation for GetPolicy {
    type Service = Iam;
    type Access = Read;
    type Output = PolicyOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.policy_arn)
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<PolicyOutput, Error> {
        let (arn, policy) = found(cx, &self.policy_arn).await?;
        let usage = Usage::of(&cx.tx, &arn).await?;
        // Tags are there also when there are none, unlike those of users and roles.
        let policy = match policy {
            Managed::Own(policy) => Policy {
                description: policy.description.clone(),
                tags: Some(policy.tags.to_vec()),
                ..Policy::own(cx.caller.account, &policy, usage)
            },
            Managed::Aws(policy) => Policy { tags: Some(Vec::new()), ..Policy::aws(policy, usage) },
        };
        Ok(PolicyOutput { policy })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use identities::managed_policies;

    #[test]
    fn every_time_of_awss_policies_is_read() {
        for policy in managed_policies() {
            assert!(time(policy.created).0 > 1_000_000_000 && time(policy.updated) >= time(policy.created), "{}", policy.arn);
        }
    }
}
