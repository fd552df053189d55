//! The decision. Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html> and
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html>.
//! A Deny anywhere wins. Then every kind of policy that applies has to allow, but for what a resource's policy grants on its own.
//! An explanation is the same walk with an observer that looks at everything.

mod answer;
mod walk;

use std::sync::Arc;

use arn::AccountId;

use crate::compiled::Rule;
use crate::facts::Facts;
use crate::principal::Principal;
use crate::resource::Target;
use crate::set::PolicySet;

pub use answer::{Because, Decision, Outcome, StatementRef};
pub use walk::is_on_trust;
pub(crate) use walk::walk;

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
    /// The session's own policies. A federated user for whom none were passed has an empty set, not none: AWS leaves it what names it.
    pub session: Option<&'a PolicySet>,
    /// What somebody lent its rights for. It limits whatever grants them, also what names the borrower's session directly.
    pub lent: Option<&'a PolicySet>,
    /// The resource's policy, or the role's trust policy.
    pub resource: Option<&'a PolicySet>,
    /// The policy of the VPC endpoint that the request came through.
    pub endpoint: Option<&'a PolicySet>,
    /// The SCPs of the principal's account: one set for each level, root first. None: they do not apply.
    pub service_control: &'a [Arc<PolicySet>],
    /// The RCPs of the resource's account: one set for each level, root first. None: they do not apply.
    pub resource_control: &'a [Arc<PolicySet>],
}

impl<'a> Policies<'a> {
    /// Policies of the principal alone.
    pub fn of(identity: &'a PolicySet) -> Policies<'a> {
        Policies {
            identity,
            boundary: None,
            session: None,
            lent: None,
            resource: None,
            endpoint: None,
            service_control: &[],
            resource_control: &[],
        }
    }
}

/// A request, made ready for sets of policies.
pub(crate) struct Asked<'a> {
    pub(crate) principal: &'a Principal,
    pub(crate) action: &'a str,
    pub(crate) target: Target<'a>,
    pub(crate) facts: &'a dyn Facts,
    /// The principal has a permissions boundary.
    pub(crate) has_boundary: bool,
    pub(crate) unknown: Unknown,
}

/// What a key counts as that the request does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unknown {
    /// It is not there.
    Absent,
    /// It is there and suits the request: for who asks what could be allowed.
    InFavour,
}

/// Who watches a decision being made.
pub(crate) trait Observer<'p> {
    /// It wants to see everything, also what no longer changes the answer.
    const THOROUGH: bool;

    /// A set is about to be looked at: its kind, and its level where there are several.
    fn looks_at(&mut self, because: Because, level: Option<usize>, set: &'p PolicySet);

    /// A statement names the action and reaches the principal; whether it covers the resource. Thorough observers only.
    fn considered(&mut self, rule: &Rule, is_covered: bool, asked: &Asked<'_>);

    /// A statement matches. It may come more than once.
    fn matched(&mut self, statement: StatementRef<'p>);

    /// A kind of policy, or one level of it, would have to allow and does not.
    fn lacks(&mut self, because: Because, level: Option<usize>);
}

/// Sees nothing, and costs nothing.
struct Quiet;

impl<'p> Observer<'p> for Quiet {
    const THOROUGH: bool = false;

    fn looks_at(&mut self, _: Because, _: Option<usize>, _: &'p PolicySet) {}

    fn considered(&mut self, _: &Rule, _: bool, _: &Asked<'_>) {}

    fn matched(&mut self, _: StatementRef<'p>) {}

    fn lacks(&mut self, _: Because, _: Option<usize>) {}
}

/// Decides. Nothing is parsed and nothing is allocated.
pub fn decide<'p>(request: &Request<'_>, policies: &Policies<'p>) -> Decision<'p> {
    walk(request, policies, Unknown::Absent, &mut Quiet)
}

/// Decides whether some request of this principal, for this action and resource, could be allowed: as [`decide`] does, but where a statement
/// looks for keys that `request` lacks and another request could have, an Allow counts as satisfied and a Deny as not.
pub fn decide_in_favour<'p>(request: &Request<'_>, policies: &Policies<'p>) -> Decision<'p> {
    walk(request, policies, Unknown::InFavour, &mut Quiet)
}
