//! Policies of an organization: made, changed, shown, deleted. What they do is said elsewhere: service and resource control policies bind
//! decisions (the `access` crate), the others are merged ([`crate::inheritance`]).
//! Rules: <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies.html>.

use crate::authority::{Reach, What, on, organization};
use crate::page::{NextPage, Page};
use crate::{Error, Organizations, ids, policy_syntax, tagging};
use identities::{
    AwsOrganizationPolicy, FeatureSet, OrganizationPolicyId, OrganizationPolicyRecord, OrganizationRecord, PolicyAttachmentRecord,
    PolicyType, Tag, aws_organization_policies, aws_organization_policy, default_policy,
};
use operation::{Allowed, Caller, Judged, Operation, Operations, handler};
use policy::{Document, Kind};
use store::{Marker, Mode, Read, SHARED, Stored, Write};
use wire::{Shape, Text};

pub(super) const OPERATIONS: Operations<Organizations> = &[
    handler::<CreatePolicy>(),
    handler::<UpdatePolicy>(),
    handler::<DeletePolicy>(),
    handler::<DescribePolicy>(),
    handler::<ListPolicies>(),
];

/// Policies of one kind in an organization, at most.
/// Source: <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html>.
const MOST: usize = 1_000;

/// What a policy is called: anything.
#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(min = 1, max = 128, pattern = r"[\s\S]*")]
struct PolicyName(Box<str>);

/// What is said of a policy: anything, or nothing.
#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(min = 0, max = 512, pattern = r"[\s\S]*")]
struct PolicyDescription(Box<str>);

/// The text of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(min = 1, pattern = r"[\s\S]*", quiet)]
struct PolicyContent(Box<str>);

/// A policy as lists show it.
#[derive(Shape)]
pub(crate) struct PolicySummary {
    id: OrganizationPolicyId,
    arn: String,
    name: String,
    description: String,
    r#type: PolicyType,
    aws_managed: bool,
}

impl PolicySummary {
    fn of(organization: &OrganizationRecord, policy: &OrganizationPolicyRecord) -> Self {
        PolicySummary {
            id: policy.id.clone(),
            arn: policy.arn(organization.management),
            name: policy.name.clone(),
            description: policy.description.clone(),
            r#type: policy.kind,
            aws_managed: false,
        }
    }

    fn of_aws(policy: &AwsOrganizationPolicy) -> Self {
        PolicySummary {
            id: policy.id(),
            arn: policy.arn(),
            name: policy.name.into(),
            description: policy.description.into(),
            r#type: policy.kind,
            aws_managed: true,
        }
    }

    /// The policy with this id, whosever it is.
    pub async fn find<M: Mode>(
        cx: &Allowed<'_, M>,
        organization: &OrganizationRecord,
        id: &OrganizationPolicyId,
    ) -> Result<Option<Self>, Error> {
        if let Some(policy) = aws_organization_policy(id) {
            return Ok(Some(PolicySummary::of_aws(policy)));
        }
        Ok(own(cx, organization, id).await?.map(|policy| PolicySummary::of(organization, &policy)))
    }

    /// What kind of policy it is.
    pub fn kind(&self) -> PolicyType {
        self.r#type
    }
}

/// All of a policy.
#[derive(Shape)]
struct Policy {
    policy_summary: PolicySummary,
    content: String,
}

#[derive(Shape)]
struct PolicyOutput {
    policy: Policy,
}

impl PolicyOutput {
    fn of(organization: &OrganizationRecord, policy: OrganizationPolicyRecord) -> Self {
        let policy_summary = PolicySummary::of(organization, &policy);
        PolicyOutput { policy: Policy { policy_summary, content: policy.content } }
    }
}

/// The policy with this id that the organization made.
async fn own<M: Mode>(
    cx: &Allowed<'_, M>,
    organization: &OrganizationRecord,
    id: &OrganizationPolicyId,
) -> Result<Option<OrganizationPolicyRecord>, Error> {
    let policy = cx.tx.in_account(SHARED).get::<OrganizationPolicyRecord>(id).await?;
    Ok(policy.filter(|policy| policy.organization == organization.id))
}

/// The same, to be changed: AWS's are nobody's to change.
async fn to_change(
    cx: &Allowed<'_, Write>,
    organization: &OrganizationRecord,
    id: &OrganizationPolicyId,
) -> Result<OrganizationPolicyRecord, Error> {
    if aws_organization_policy(id).is_some() {
        let words = "You specified a policy that is managed by AWS and can't be modified.";
        return Err(Error::InvalidInput { reason: "IMMUTABLE_POLICY", words });
    }
    own(cx, organization, id).await?.ok_or(Error::NoSuchPolicy)
}

/// Whether no policy of AWS's has this name.
fn is_free(kind: PolicyType, name: &str) -> Result<(), Error> {
    if default_policy(kind).is_some_and(|policy| policy.name == name) { Err(Error::DuplicatePolicy) } else { Ok(()) }
}

/// Characters of a policy, at most: as sent, white space included.
/// Source: <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html>.
fn longest(kind: PolicyType) -> usize {
    match kind {
        PolicyType::ServiceControlPolicy => 10_240,
        PolicyType::ResourceControlPolicy => 5_120,
        PolicyType::AiservicesOptOutPolicy => 2_500,
        PolicyType::TagPolicy
        | PolicyType::BackupPolicy
        | PolicyType::ChatbotPolicy
        | PolicyType::DeclarativePolicyEc2
        | PolicyType::SecurityhubPolicy
        | PolicyType::SecurityhubCspmPolicy
        | PolicyType::InspectorPolicy
        | PolicyType::UpgradeRolloutPolicy
        | PolicyType::BedrockPolicy
        | PolicyType::S3Policy
        | PolicyType::NetworkSecurityDirectorPolicy
        | PolicyType::GuarddutyPolicy => 10_000,
    }
}

/// Refuses what is no policy of this kind.
fn check(kind: PolicyType, content: &PolicyContent) -> Result<(), Error> {
    let (text, longest) = (content.as_str(), longest(kind));
    if text.chars().count() > longest {
        return Err(Error::constraint("POLICY_CONTENT_LIMIT_EXCEEDED", "You have exceeded the maximum policy size."));
    }
    let is_right = match kind {
        PolicyType::ServiceControlPolicy => Document::saved(text, Kind::ServiceControl).is_ok(),
        PolicyType::ResourceControlPolicy => Document::saved(text, Kind::ResourceControl).is_ok(),
        PolicyType::TagPolicy
        | PolicyType::BackupPolicy
        | PolicyType::AiservicesOptOutPolicy
        | PolicyType::ChatbotPolicy
        | PolicyType::DeclarativePolicyEc2
        | PolicyType::SecurityhubPolicy
        | PolicyType::SecurityhubCspmPolicy
        | PolicyType::InspectorPolicy
        | PolicyType::UpgradeRolloutPolicy
        | PolicyType::BedrockPolicy
        | PolicyType::S3Policy
        | PolicyType::NetworkSecurityDirectorPolicy
        | PolicyType::GuarddutyPolicy => policy_syntax::read(kind, text).is_some(),
    };
    if is_right { Ok(()) } else { Err(Error::MalformedPolicy) }
}

#[derive(Shape)]
struct CreatePolicy {
    content: PolicyContent,
    description: PolicyDescription,
    name: PolicyName,
    r#type: PolicyType,
    tags: Vec<Tag>,
}

impl Operation for CreatePolicy {
    type Service = Organizations;
    type Access = Write;
    type Output = PolicyOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(Reach::Management, What::Nothing))
            .key("organizations:PolicyType", [self.r#type.as_str()])
            .and(!self.tags.is_empty(), "organizations:TagResource")
            .request_tags(&self.tags)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<PolicyOutput, Error> {
        let organization = organization(cx, Reach::Management).await?;
        tagging::check(&self.tags)?;
        if organization.features != FeatureSet::All {
            return Err(Error::PolicyTypeNotAvailable);
        }
        check(self.r#type, &self.content)?;
        is_free(self.r#type, self.name.as_str())?;
        let shared = cx.tx.in_account(SHARED);
        let all = OrganizationPolicyRecord::BY_NAME.under_both(&organization.id, &self.r#type);
        if shared.count(all, MOST).await? >= MOST {
            let words = format!("You have exceeded the number of policies of this type that an organization can have: {MOST}.");
            return Err(Error::constraint("POLICY_NUMBER_LIMIT_EXCEEDED", words));
        }
        let policy = OrganizationPolicyRecord {
            id: ids::new(cx, "p-", 8)?,
            organization: organization.id.clone(),
            kind: self.r#type,
            name: self.name.to_string(),
            description: self.description.to_string(),
            content: self.content.to_string(),
            version: 1,
            updated: cx.now,
        };
        if shared.insert(&policy).await? == Stored::Taken {
            return Err(Error::DuplicatePolicy);
        }
        tagging::add(&cx.tx, &organization.id, policy.id.as_str(), &self.tags).await?;
        Ok(PolicyOutput::of(&organization, policy))
    }
}

#[derive(Shape)]
struct UpdatePolicy {
    policy_id: OrganizationPolicyId,
    name: Option<PolicyName>,
    description: Option<PolicyDescription>,
    content: Option<PolicyContent>,
}

impl Operation for UpdatePolicy {
    type Service = Organizations;
    type Access = Write;
    type Output = PolicyOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(Reach::Management, What::Policy(self.policy_id.clone())))
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<PolicyOutput, Error> {
        let organization = organization(cx, Reach::Management).await?;
        let mut policy = to_change(cx, &organization, &self.policy_id).await?;
        if let Some(content) = &self.content {
            check(policy.kind, content)?;
            // The same text again is no new version: nothing that rests on it has to be read again.
            if policy.content != content.as_str() {
                policy.content = content.to_string();
                policy.version += 1;
                policy.updated = cx.now;
            }
        }
        if let Some(name) = &self.name {
            is_free(policy.kind, name.as_str())?;
            policy.name = name.to_string();
        }
        if let Some(description) = &self.description {
            policy.description = description.to_string();
        }
        match cx.tx.in_account(SHARED).put(&policy).await? {
            Stored::Done => Ok(PolicyOutput::of(&organization, policy)),
            Stored::Taken => Err(Error::DuplicatePolicy),
        }
    }
}

#[derive(Shape)]
struct DeletePolicy {
    policy_id: OrganizationPolicyId,
}

impl Operation for DeletePolicy {
    type Service = Organizations;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(Reach::Management, What::Policy(self.policy_id.clone())))
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let organization = organization(cx, Reach::Management).await?;
        let policy = to_change(cx, &organization, &self.policy_id).await?;
        let shared = cx.tx.in_account(SHARED);
        if shared.count(PolicyAttachmentRecord::BY_POLICY.of((&organization.id, &policy.id)), 1).await? > 0 {
            return Err(Error::PolicyInUse);
        }
        shared.delete::<OrganizationPolicyRecord>(&policy.id).await?;
        tagging::forget(&cx.tx, policy.id.as_str()).await?;
        Ok(())
    }
}

#[derive(Shape)]
struct DescribePolicy {
    policy_id: OrganizationPolicyId,
}

impl Operation for DescribePolicy {
    type Service = Organizations;
    type Access = Read;
    type Output = PolicyOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(Reach::Delegated, What::Policy(self.policy_id.clone())))
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<PolicyOutput, Error> {
        let organization = organization(cx, Reach::Delegated).await?;
        if let Some(policy) = aws_organization_policy(&self.policy_id) {
            return Ok(PolicyOutput { policy: Policy { policy_summary: PolicySummary::of_aws(policy), content: policy.content.into() } });
        }
        let policy = own(cx, &organization, &self.policy_id).await?.ok_or(Error::NoSuchPolicy)?;
        Ok(PolicyOutput::of(&organization, policy))
    }
}

#[derive(Shape)]
struct ListPolicies {
    filter: PolicyType,
    #[shape(flatten)]
    page: Page,
}

/// A page of policies.
#[derive(Shape)]
pub(crate) struct ListPoliciesOutput {
    /// As they are listed.
    pub policies: Vec<PolicySummary>,
    /// How it ends.
    #[shape(flatten)]
    pub next: NextPage,
}

impl Operation for ListPolicies {
    type Service = Organizations;
    type Access = Read;
    type Output = ListPoliciesOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(Reach::Delegated, What::Nothing)).key("organizations:PolicyType", [self.filter.as_str()])
    }

    /// AWS's own come first, then the organization's by name.
    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<ListPoliciesOutput, Error> {
        let organization = organization(cx, Reach::Delegated).await?;
        let after = self.page.after()?;
        let mut policies = Vec::new();
        if after.is_none() {
            policies.extend(aws_organization_policies().iter().filter(|policy| policy.kind == self.filter).map(PolicySummary::of_aws));
        }
        let (shared, all) = (cx.tx.in_account(SHARED), || OrganizationPolicyRecord::BY_NAME.under_both(&organization.id, &self.filter));
        let left = self.page.limit().saturating_sub(policies.len());
        if left == 0 {
            // The page is full before the first of the organization's own.
            let more = shared.count(all(), 1).await? > 0;
            let next = more.then(|| Marker::after(Vec::new()));
            return Ok(ListPoliciesOutput { policies, next: next.into() });
        }
        let page = shared.scan(all(), after.as_ref(), left, |_| true).await?;
        policies.extend(page.records.iter().map(|policy| PolicySummary::of(&organization, policy)));
        Ok(ListPoliciesOutput { policies, next: page.next.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_longer_than_its_kind_allows_is_told_as_that() {
        let long = format!(r#"{{"Statement":{{"Effect":"Deny","Action":"s3:*","Resource":"*"}}{}}}"#, " ".repeat(10_240));
        let told = check(PolicyType::ServiceControlPolicy, &long.parse().unwrap());
        assert!(matches!(told, Err(Error::Constraint { reason: "POLICY_CONTENT_LIMIT_EXCEEDED", .. })));
    }

    #[test]
    fn control_policies_are_held_to_their_own_grammar() {
        let content = |text: &str| text.parse::<PolicyContent>().unwrap();
        let scp = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#;
        let rcp = r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}}"#;
        assert!(check(PolicyType::ServiceControlPolicy, &content(scp)).is_ok());
        assert!(check(PolicyType::ResourceControlPolicy, &content(rcp)).is_ok());
        for (kind, text) in [
            (PolicyType::ServiceControlPolicy, rcp),
            (PolicyType::ResourceControlPolicy, scp),
            (PolicyType::ServiceControlPolicy, "{"),
            (PolicyType::ServiceControlPolicy, "{}"),
        ] {
            assert!(matches!(check(kind, &content(text)), Err(Error::MalformedPolicy)), "{text}");
        }
    }
}
