//! Which policies of a user, group or role let into a service. Rules:
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListPoliciesGrantingServiceAccess.html>.

use crate::last_accessed::ServiceNamespace;
use crate::page::{MarkerText, NextPage, Page};
use crate::permissions::{EntityKind, Held, HeldBy, Subject, SubjectArn};
use crate::{Error, Iam};
use arn::Arn;
use operation::{Allowed, Caller, Judged, Operation, Operations, handler};
use policy::Reach;
use store::Read;
use wire::{Shape, Text};

pub(super) const OPERATIONS: Operations<Iam> = &[handler::<ListPoliciesGrantingServiceAccess>()];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Text)]
enum PolicyType {
    Inline,
    Managed,
}

#[derive(Shape)]
struct ListPoliciesGrantingServiceAccess {
    marker: Option<MarkerText>,
    arn: SubjectArn,
    #[shape(min = 1, max = 200, required)]
    service_namespaces: Vec<ServiceNamespace>,
}

#[derive(Shape)]
struct PolicyGrantingServiceAccess {
    policy_name: String,
    policy_type: PolicyType,
    policy_arn: Option<Arn>,
    entity_type: Option<EntityKind>,
    entity_name: Option<String>,
}

impl PolicyGrantingServiceAccess {
    fn of(held: &Held) -> Self {
        let (policy_type, policy_arn, entity) = match &held.by {
            HeldBy::Managed(arn) => (PolicyType::Managed, Some(arn.clone()), None),
            HeldBy::Inline(kind, name) => (PolicyType::Inline, None, Some((*kind, name.clone()))),
        };
        let (entity_type, entity_name) = entity.unzip();
        PolicyGrantingServiceAccess { policy_name: held.name.clone(), policy_type, policy_arn, entity_type, entity_name }
    }
}

#[derive(Shape)]
struct ListPoliciesGrantingServiceAccessEntry {
    service_namespace: ServiceNamespace,
    policies: Vec<PolicyGrantingServiceAccess>,
}

#[derive(Shape)]
struct ListPoliciesGrantingServiceAccessOutput {
    policies_granting_service_access: Vec<ListPoliciesGrantingServiceAccessEntry>,
    #[shape(flatten)]
    next: NextPage,
}

impl Operation for ListPoliciesGrantingServiceAccess {
    type Service = Iam;
    type Access = Read;
    type Output = ListPoliciesGrantingServiceAccessOutput;

    fn judged_by(&self, _: &Caller) -> Judged {
        Judged::on(&self.arn)
    }

    async fn run(&self, cx: &mut Allowed<'_, Read>) -> Result<ListPoliciesGrantingServiceAccessOutput, Error> {
        let subject = Subject::find(cx, &self.arn).await?;
        if matches!(subject, Subject::Policy(..)) {
            return Err(Error::InvalidInput(format!("Invalid ARN: {} names no user, group or role.", self.arn.as_str())));
        }
        let held = subject.policies(cx).await?;
        // Each policy by itself: another one's Deny does not change what this one grants.
        let reaches: Vec<_> = held.iter().map(|held| (held, Reach::of([&held.compiled]))).collect();
        let numbered = self.service_namespaces.iter().zip(0_u32..).collect();
        let page = Page::after_marker(self.marker.as_ref());
        let (shown, next) = page.of_all(numbered, |(_, nth)| format!("{nth:03}"))?;
        let entry = |(namespace, _): (&ServiceNamespace, u32)| ListPoliciesGrantingServiceAccessEntry {
            service_namespace: namespace.clone(),
            policies: reaches
                .iter()
                .filter(|(_, reach)| reach.reaches(namespace.as_str()))
                .map(|(held, _)| PolicyGrantingServiceAccess::of(held))
                .collect(),
        };
        Ok(ListPoliciesGrantingServiceAccessOutput { policies_granting_service_access: shown.into_iter().map(entry).collect(), next })
    }
}
