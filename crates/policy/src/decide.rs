//! The decision. Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>.

use std::sync::Arc;

use arn::AccountId;

use crate::facts::Facts;
use crate::principal::Principal;
use crate::set::{PolicySet, Source};

/// What is asked. One call of an API may be many requests: one for each action and resource.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// Who asks.
    pub principal: &'a Principal,
    /// `service:Name`, in any case.
    pub action: &'a str,
    /// An ARN, or `*` for an action that names no resource.
    pub resource: &'a str,
    /// The account that owns the resource. Without it the account in the ARN counts, and without that one the principal's own.
    pub resource_account: Option<AccountId>,
    /// The condition keys.
    pub facts: &'a dyn Facts,
}

/// The policies that apply. A kind that is `None` does not apply; a set that is empty applies and allows nothing.
#[derive(Clone, Copy)]
pub struct Policies<'a> {
    /// Of the principal and its groups.
    pub identity: &'a PolicySet,
    /// The principal's permissions boundary.
    pub boundary: Option<&'a PolicySet>,
    /// The session's own policies. For a federated user a missing one allows nothing, as in AWS.
    pub session: Option<&'a PolicySet>,
    /// The resource's policy, or the role's trust policy.
    pub resource: Option<&'a PolicySet>,
    /// The policy of the VPC endpoint that the request came through.
    pub endpoint: Option<&'a PolicySet>,
    /// The SCPs of the principal's account: one set for each level, root first. None: they do not apply.
    pub service_control: &'a [Arc<PolicySet>],
    /// The RCPs of the resource's account: one set for each level, root first. None: they do not apply.
    pub resource_control: &'a [Arc<PolicySet>],
}

/// The answer.
#[derive(Debug, Clone, Copy)]
pub struct Decision<'p> {
    /// The answer itself.
    pub outcome: Outcome,
    /// The kind of policy that it came from: which one allowed, denied, or lacked an allow.
    pub because: Because,
    /// The statement that allowed or denied; none if nothing did.
    pub by: Option<StatementRef<'p>>,
}

/// The three answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Yes.
    Allowed,
    /// No, as something that had to allow it did not.
    ImplicitlyDenied,
    /// No, as a statement denies it.
    ExplicitlyDenied,
}

/// The kind of policy that an answer came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Because {
    /// Policies of the principal and its groups.
    Identity,
    /// The resource's policy.
    Resource,
    /// The role's trust policy.
    Trust,
    /// The permissions boundary.
    Boundary,
    /// The session's own policies.
    Session,
    /// The policy of a VPC endpoint.
    Endpoint,
    /// A service control policy.
    ServiceControl,
    /// A resource control policy.
    ResourceControl,
    /// The caller is the account's root user.
    Root,
    /// AWS asks no permission for the action.
    Unjudged,
}

/// A statement, and where it stands.
#[derive(Debug, Clone, Copy)]
pub struct StatementRef<'p> {
    set: &'p PolicySet,
}

impl StatementRef<'_> {
    /// The document.
    pub fn source(&self) -> Option<&Source> {
        let _ = self.set;
        None
    }
}

impl Outcome {
    /// `Allowed`, `ImplicitlyDenied`, `ExplicitlyDenied`.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Allowed => "Allowed",
            Outcome::ImplicitlyDenied => "ImplicitlyDenied",
            Outcome::ExplicitlyDenied => "ExplicitlyDenied",
        }
    }
}

impl Because {
    /// `identity`, `resource`, `trust`, …
    pub fn as_str(self) -> &'static str {
        match self {
            Because::Identity => "identity",
            Because::Resource => "resource",
            Because::Trust => "trust",
            Because::Boundary => "boundary",
            Because::Session => "session",
            Because::Endpoint => "endpoint",
            Because::ServiceControl => "serviceControl",
            Because::ResourceControl => "resourceControl",
            Because::Root => "root",
            Because::Unjudged => "unjudged",
        }
    }
}

impl Decision<'_> {
    /// True if the answer is yes.
    pub fn is_allowed(&self) -> bool {
        self.outcome == Outcome::Allowed
    }
}

/// Decides. Nothing is parsed and, where it allows, nothing is allocated.
pub fn decide<'p>(_request: &Request<'_>, _policies: &Policies<'p>) -> Decision<'p> {
    Decision { outcome: Outcome::ImplicitlyDenied, because: Because::Identity, by: None }
}
