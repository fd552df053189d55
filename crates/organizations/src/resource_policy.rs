//! The resource policy of an organization: it lets members read it and manage its policies. What it can let them do is bounded, and it cannot
//! let in whoever is no member. Rules: <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_delegate_policies.html>.

use crate::authority::{Reach, ResourcePolicyRecord, What, on, organization};
use crate::ids::ResourcePolicyId;
use crate::service_access::all_features;
use crate::{Error, Organizations, ids, tagging};
use arn::{AccountId, Arn};
use identities::Tag;
use operation::{Allowed, Caller, Judged, Operation, Operations, handler};
use policy::{Document, Kind};
use store::{Read, SHARED, StoreError, Stored, Write};
use wire::{Shape, Text};

pub(super) const OPERATIONS: Operations<Organizations> =
    &[handler::<PutResourcePolicy>(), handler::<DescribeResourcePolicy>(), handler::<DeleteResourcePolicy>()];

/// What can be let besides reading.
/// Source: <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_delegate_policies.html#supported-actions-delegated-policy>.
const LET: &[&str] = &[
    "attachpolicy",
    "createpolicy",
    "deletepolicy",
    "detachpolicy",
    "disablepolicytype",
    "enablepolicytype",
    "tagresource",
    "untagresource",
    "updatepolicy",
];

/// The text of a resource policy.
#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(min = 1, max = 40_000, pattern = r"[\s\S]*", quiet)]
struct Content(Box<str>);

/// A resource policy as it is shown.
#[derive(Shape)]
struct ResourcePolicy {
    resource_policy_summary: ResourcePolicySummary,
    content: String,
}

#[derive(Shape)]
struct ResourcePolicySummary {
    id: ResourcePolicyId,
    arn: Arn,
}

impl ResourcePolicy {
    fn of(management: AccountId, record: ResourcePolicyRecord) -> Self {
        let arn = Arn::organizations(management, format_args!("resourcepolicy/{}/{}", record.organization, record.id));
        ResourcePolicy { resource_policy_summary: ResourcePolicySummary { id: record.id, arn }, content: record.content }
    }
}

#[derive(Shape)]
struct ResourcePolicyOutput {
    resource_policy: ResourcePolicy,
}

/// Refuses what is no policy, and what would let more than can be let.
fn check(content: &str) -> Result<(), Error> {
    let invalid = |reason, words| Error::InvalidInput { reason, words };
    let not_json = || invalid("INVALID_RESOURCE_POLICY_JSON", "This resource-based policy contains invalid JSON.");
    let document = Document::saved(content, Kind::Resource).map_err(|_| not_json())?;
    for statement in document.statements() {
        if statement.is_not_action() || !statement.actions().all(can_be_let) {
            let words = "The provided resource policy contains an unsupported action.";
            return Err(invalid("UNSUPPORTED_ACTION_IN_RESOURCE_POLICY", words));
        }
        if !statement.resources().all(|resource| resource == "*" || resource.starts_with("arn:aws:organizations::")) {
            let words = "The provided resource policy contains an unsupported resource.";
            return Err(invalid("UNSUPPORTED_RESOURCE_IN_RESOURCE_POLICY", words));
        }
    }
    Ok(())
}

/// Whether an action, which may end in a pattern, is one that reads, or that manages policies.
fn can_be_let(action: &str) -> bool {
    let lower = action.to_ascii_lowercase();
    let Some(name) = lower.strip_prefix("organizations:") else { return false };
    name.starts_with("describe") || name.starts_with("list") || LET.contains(&name)
}

#[derive(Shape)]
struct PutResourcePolicy {
    content: Content,
    tags: Vec<Tag>,
}

impl Operation for PutResourcePolicy {
    type Service = Organizations;
    type Access = Write;
    type Output = ResourcePolicyOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(Reach::Management, What::OwnResourcePolicy))
            .and(!self.tags.is_empty(), "organizations:TagResource")
            .request_tags(&self.tags)
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<ResourcePolicyOutput, Error> {
        let organization = organization(cx, Reach::Management).await?;
        all_features(&organization)?;
        check(self.content.as_str())?;
        tagging::check(&self.tags)?;
        let shared = cx.tx.in_account(SHARED);
        let old = shared.get::<ResourcePolicyRecord>(&organization.id).await?;
        if old.is_some() && !self.tags.is_empty() {
            let words = "Adding tags on updating an existing resource-based policy is not supported.";
            return Err(Error::constraint("UPDATE_EXISTING_RESOURCE_POLICY_WITH_TAGS_NOT_SUPPORTED", words));
        }
        let id = match old {
            Some(old) => old.id,
            None => ids::new(cx, "rp-", 8)?,
        };
        let record = ResourcePolicyRecord { organization: organization.id.clone(), id, content: self.content.to_string() };
        if shared.put(&record).await? == Stored::Taken {
            return Err(Error::Store(StoreError::Conflict));
        }
        tagging::add(&cx.tx, &organization.id, record.id.as_str(), &self.tags).await?;
        Ok(ResourcePolicyOutput { resource_policy: ResourcePolicy::of(organization.management, record) })
    }
}

#[derive(Shape)]
struct DescribeResourcePolicy {}

impl Operation for DescribeResourcePolicy {
    type Service = Organizations;
    type Access = Read;
    type Output = ResourcePolicyOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(Reach::Delegated, What::Nothing))
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<ResourcePolicyOutput, Error> {
        let organization = organization(cx, Reach::Delegated).await?;
        let record = cx.tx.in_account(SHARED).get::<ResourcePolicyRecord>(&organization.id).await?.ok_or(Error::NoResourcePolicy)?;
        Ok(ResourcePolicyOutput { resource_policy: ResourcePolicy::of(organization.management, record) })
    }
}

#[derive(Shape)]
struct DeleteResourcePolicy {}

impl Operation for DeleteResourcePolicy {
    type Service = Organizations;
    type Access = Write;
    type Output = ();

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&on(Reach::Management, What::Nothing))
    }

    async fn run(&self, cx: &mut Allowed<'_, Write>) -> Result<(), Error> {
        let organization = organization(cx, Reach::Management).await?;
        let shared = cx.tx.in_account(SHARED);
        let record = shared.get::<ResourcePolicyRecord>(&organization.id).await?.ok_or(Error::NoResourcePolicy)?;
        tagging::forget(&cx.tx, record.id.as_str()).await?;
        shared.delete::<ResourcePolicyRecord>(&organization.id).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(action: &str) -> String {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Sid":"s","Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::444455556666:root"}},"Action":"{action}","Resource":"*"}}]}}"#
        )
    }

    #[test]
    fn reading_and_policies_can_be_let_and_nothing_else() {
        for action in ["organizations:ListAccounts", "organizations:Describe*", "Organizations:createPolicy", "organizations:TagResource"] {
            assert!(check(&document(action)).is_ok(), "{action}");
        }
        for action in
            ["*", "organizations:*", "organizations:CloseAccount", "organizations:CreateAccount", "iam:ListUsers", "organizations:*Policy"]
        {
            let refused = check(&document(action));
            assert!(matches!(refused, Err(Error::InvalidInput { reason: "UNSUPPORTED_ACTION_IN_RESOURCE_POLICY", .. })), "{action}");
        }
    }

    #[test]
    fn what_is_no_policy_is_told() {
        for content in ["{", "[]", r#"{"Version":"2012-10-17","Statement":[]}"#] {
            assert!(matches!(check(content), Err(Error::InvalidInput { reason: "INVALID_RESOURCE_POLICY_JSON", .. })), "{content}");
        }
    }
}
