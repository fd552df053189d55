//! Managed policies: those of the account, and those of AWS, which nobody changes.
//! Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html>.
//! A policy's name is unique whatever its path; its text is in its versions; a list shows neither description nor tags.

use crate::documents::PolicyDocument;
use crate::page::{NextPage, Page};
use crate::quotas::quota;
use crate::tagging::{self, same_exactly};
use crate::users::ListTagsOutput;
use crate::{Error, Iam};
use arn::{AccountId, Arn, IdKind, UniqueId};
use identities::{
    GroupRecord, ManagedPolicy, PolicyName, PolicyPath, PolicyRecord, PolicyVersionRecord, RoleRecord, Tag, TagKey, Tags, UserRecord,
    customer_policy_arn, managed_policies, managed_policy,
};
use operation::{Allowed, Caller, Judged, Operation, Operations, PolicyArn, Target, handler};
use policy::Document;
use store::{Marker, Mode, Read, Record, StoreError, Stored, Tx, Write};
use wire::{Shape, Text, Timestamp};

pub(super) const OPERATIONS: Operations<Iam> = &[
    handler::<CreatePolicy>(),
    handler::<GetPolicy>(),
    handler::<ListPolicies>(),
    handler::<DeletePolicy>(),
    handler::<TagPolicy>(),
    handler::<UntagPolicy>(),
    handler::<ListPolicyTags>(),
];

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

/// The ARN that a request gives, or IAM's words for what is none.
pub(crate) fn parsed(asked: &PolicyArn) -> Result<Arn, Error> {
    let arn = asked.arn().ok_or_else(|| Error::NotAnArn(asked.0.to_string()))?;
    if arn.partition() != "aws" {
        return Err(Error::InvalidPartition);
    }
    let is_policys = arn.service() == "iam" && arn.resource_type() == Some("policy");
    if is_policys { Ok(arn) } else { Err(Error::InvalidInput(format!("ARN {arn} is not valid."))) }
}

/// The policy with this ARN: one of the caller's account, or of AWS's.
pub(crate) async fn found<M: Mode>(cx: &Allowed<'_, M>, asked: &PolicyArn) -> Result<(Arn, Managed), Error> {
    let arn = parsed(asked)?;
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

/// The policy with this ARN, for who will do `action` to it: AWS's own are nobody's to change.
pub(crate) async fn changing(cx: &Allowed<'_, Write>, asked: &PolicyArn, action: &'static str) -> Result<(Arn, PolicyRecord), Error> {
    match found(cx, asked).await? {
        (arn, Managed::Own(policy)) => Ok((arn, policy)),
        (arn, Managed::Aws(_)) => Err(Error::NotOurs { caller: cx.caller.arn.clone(), action, arn }),
    }
}

/// Stores a policy whose name has not changed, so that nothing can be in its way.
pub(crate) async fn put(cx: &Allowed<'_, Write>, policy: &PolicyRecord) -> Result<(), Error> {
    match cx.tx.put(policy).await? {
        Stored::Done => Ok(()),
        Stored::Taken => Err(Error::PolicyExists(policy.name.to_string())),
    }
}

/// A document that may be saved as a managed policy.
pub(crate) fn saved(text: &PolicyDocument) -> Result<Document, Error> {
    let document = text.checked_as_managed()?;
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
        tagging::obey(cx, "iam:policy", &self.tags).await?;
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
        // The description is shown by GetPolicy only.
        let shown = Policy {
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

    fn well_formed(&self) -> Result<(), Error> {
        parsed(&self.policy_arn).map(drop)
    }

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

/// Whose policies a list shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Text)]
#[text(as_is)]
enum Scope {
    #[default]
    All,
    #[text(rename = "AWS")]
    Aws,
    Local,
}

/// What policies are used as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Text)]
#[text(as_is)]
enum PolicyUsage {
    PermissionsPolicy,
    PermissionsBoundary,
}

#[derive(Shape)]
struct ListPolicies {
    #[shape(default)]
    scope: Scope,
    #[shape(default)]
    only_attached: bool,
    #[shape(default)]
    path_prefix: PolicyPath,
    policy_usage_filter: Option<PolicyUsage>,
    #[shape(flatten)]
    page: Page,
}

#[derive(Shape)]
struct ListPoliciesOutput {
    policies: Vec<Policy>,
    #[shape(flatten)]
    next: NextPage,
}

/// How often a page looks for more of the account's policies where few of them pass.
const LOOKS: usize = 32;
/// What the places in AWS's policies begin with: no key part does, so it lies behind all of the account's.
const AWS: u8 = 255;

impl Operation for ListPolicies {
    type Service = Iam;
    type Access = Read;
    type Output = ListPoliciesOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(Target::Everything)
    }

    /// The account's own by name, then AWS's by ARN.
    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<ListPoliciesOutput, Error> {
        let after = self.page.after()?;
        let in_aws = after.as_ref().and_then(|marker| marker.entry().strip_prefix(&[AWS]));
        let mut policies = Vec::new();
        let mut next = None;
        if self.scope != Scope::Aws && in_aws.is_none() {
            next = self.own(cx, after.clone(), &mut policies).await?;
        }
        if self.scope != Scope::Local && next.is_none() {
            next = self.aws(cx, in_aws.unwrap_or_default(), &mut policies).await?;
        }
        Ok(ListPoliciesOutput { policies, next: next.into() })
    }
}

impl ListPolicies {
    /// Whether a policy of this use is wanted.
    fn wants(&self, usage: Usage) -> bool {
        match self.policy_usage_filter {
            None => !self.only_attached || usage.attached > 0,
            Some(PolicyUsage::PermissionsPolicy) => usage.attached > 0,
            Some(PolicyUsage::PermissionsBoundary) => usage.bounding > 0,
        }
    }

    /// Adds the account's own; where there may be more, returns where.
    async fn own(&self, cx: &Allowed<'_, Read>, mut after: Option<Marker>, policies: &mut Vec<Policy>) -> Result<Option<Marker>, Error> {
        let account = cx.caller.account;
        let wanted = |policy: &PolicyRecord| policy.path.as_str().starts_with(self.path_prefix.as_str());
        for _ in 0..LOOKS {
            let left = self.page.limit() - policies.len();
            let page = cx.tx.scan(PolicyRecord::BY_NAME.all(), after.as_ref(), left, wanted).await?;
            for policy in &page.records {
                let usage = Usage::of(&cx.tx, &policy.arn(account)).await?;
                if self.wants(usage) {
                    policies.push(Policy::own(account, policy, usage));
                }
            }
            after = page.next;
            if after.is_none() || policies.len() == self.page.limit() {
                break;
            }
        }
        Ok(after)
    }

    /// Adds AWS's whose ARNs follow `after`; where there are more, returns where.
    async fn aws(&self, cx: &Allowed<'_, Read>, after: &[u8], policies: &mut Vec<Policy>) -> Result<Option<Marker>, Error> {
        let mut last = after;
        let wanted =
            |policy: &&ManagedPolicy| policy.arn.as_str().as_bytes() > after && policy.path().starts_with(self.path_prefix.as_str());
        for policy in managed_policies().filter(wanted) {
            let usage = Usage::of(&cx.tx, &policy.arn).await?;
            if !self.wants(usage) {
                continue;
            }
            if policies.len() == self.page.limit() {
                return Ok(Some(Marker::after([&[AWS], last].concat())));
            }
            policies.push(Policy::aws(policy, usage));
            last = policy.arn.as_str().as_bytes();
        }
        Ok(None)
    }
}

#[derive(Shape)]
struct DeletePolicy {
    policy_arn: PolicyArn,
}

impl Operation for DeletePolicy {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn well_formed(&self) -> Result<(), Error> {
        parsed(&self.policy_arn).map(drop)
    }

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.policy_arn)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let (arn, policy) = changing(cx, &self.policy_arn, "iam:DeletePolicy").await?;
        if Usage::of(&cx.tx, &arn).await? != Usage::default() {
            return Err(Error::Conflict("Cannot delete a policy attached to entities."));
        }
        if cx.tx.count(PolicyVersionRecord::KEY.under(&policy.id), 2).await? > 1 {
            return Err(Error::Conflict(
                "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. \
                 The default version is deleted with the policy.",
            ));
        }
        cx.tx.delete::<PolicyVersionRecord>((&policy.id, &policy.default_version)).await?;
        cx.tx.delete::<PolicyRecord>(&policy.id).await?;
        Ok(())
    }
}

#[derive(Shape)]
struct TagPolicy {
    policy_arn: PolicyArn,
    #[shape(max = 50, required)]
    tags: Vec<Tag>,
}

impl Operation for TagPolicy {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn well_formed(&self) -> Result<(), Error> {
        parsed(&self.policy_arn).map(drop)
    }

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.policy_arn).request_tags(&self.tags)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let (_, mut policy) = changing(cx, &self.policy_arn, "iam:TagPolicy").await?;
        tagging::obey(cx, "iam:policy", &self.tags).await?;
        tagging::add(&mut policy.tags, &self.tags, same_exactly)?;
        put(cx, &policy).await
    }
}

#[derive(Shape)]
struct UntagPolicy {
    policy_arn: PolicyArn,
    #[shape(max = 50, required)]
    tag_keys: Vec<TagKey>,
}

impl Operation for UntagPolicy {
    type Service = Iam;
    type Access = Write;
    type Output = ();

    fn well_formed(&self) -> Result<(), Error> {
        parsed(&self.policy_arn).map(drop)
    }

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.policy_arn).keys("aws:TagKeys", &self.tag_keys)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let (_, mut policy) = changing(cx, &self.policy_arn, "iam:UntagPolicy").await?;
        tagging::remove(&mut policy.tags, &self.tag_keys, same_exactly);
        put(cx, &policy).await
    }
}

#[derive(Shape)]
struct ListPolicyTags {
    policy_arn: PolicyArn,
    #[shape(flatten)]
    page: Page,
}

impl Operation for ListPolicyTags {
    type Service = Iam;
    type Access = Read;
    type Output = ListTagsOutput;

    fn well_formed(&self) -> Result<(), Error> {
        parsed(&self.policy_arn).map(drop)
    }

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.policy_arn)
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<ListTagsOutput, Error> {
        match found(cx, &self.policy_arn).await? {
            (_, Managed::Own(policy)) => ListTagsOutput::of(&policy.tags, &self.page),
            (_, Managed::Aws(_)) => ListTagsOutput::of(&Tags::default(), &self.page),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_of_awss_policies_is_read() {
        for policy in managed_policies() {
            assert!(time(policy.created).0 > 1_000_000_000 && time(policy.updated) >= time(policy.created), "{}", policy.arn);
        }
    }

    fn list(only_attached: bool, policy_usage_filter: Option<PolicyUsage>) -> ListPolicies {
        let members = wire::Node::Map(Vec::new());
        let read = ListPolicies::read(&members, &mut wire::Reader::new(&<Iam as operation::Service>::PROTOCOL));
        ListPolicies { only_attached, policy_usage_filter, ..read.unwrap() }
    }

    #[test]
    fn the_filters_of_a_list_tell_uses_apart() {
        let (idle, attached, bounding) = (Usage::default(), Usage { attached: 1, bounding: 0 }, Usage { attached: 0, bounding: 1 });
        let wanted = |list: ListPolicies| [idle, attached, bounding].map(|usage| list.wants(usage));
        assert_eq!(wanted(list(false, None)), [true, true, true]);
        assert_eq!(wanted(list(true, None)), [false, true, false]);
        for only_attached in [false, true] {
            assert_eq!(wanted(list(only_attached, Some(PolicyUsage::PermissionsPolicy))), [false, true, false]);
            assert_eq!(wanted(list(only_attached, Some(PolicyUsage::PermissionsBoundary))), [false, false, true]);
        }
    }
}
