//! The sentence that a denied caller reads. Rules:
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html>.
//! It names one kind of policy. Across accounts it names none, and where a role is to be assumed it does not tell what was missing, since both would
//! tell strangers what exists.

use std::fmt::Write as _;

use crate::decide::{Because, Decision, Outcome};

/// AWS's sentence for a denial. `resource` is left out where the action has none, and may be words such as `user alice`.
pub fn sentence(principal_arn: &str, action: &str, resource: Option<&str>, decision: &Decision<'_>, same_account: bool) -> String {
    let mut text = format!("User: {principal_arn} is not authorized to perform: {action}");
    if let Some(resource) = resource {
        // Writing to a String cannot fail.
        let _ = write!(text, " on resource: {resource}");
    }
    if !same_account {
        return text;
    }
    let (article, kind) = match decision.because {
        Because::Identity | Because::Root | Because::Unjudged => ("an", "identity-based policy"),
        Because::Resource => ("a", "resource-based policy"),
        Because::Trust => ("the", "role trust policy"),
        Because::Boundary => ("a", "permissions boundary"),
        Because::Session => ("a", "session policy"),
        Because::Endpoint => ("a", "VPC endpoint policy"),
        Because::ServiceControl => ("a", "service control policy"),
        Because::ResourceControl => ("a", "resource control policy"),
    };
    // A missing allow of an SCP is told as if it denied.
    let is_explicit = decision.outcome == Outcome::ExplicitlyDenied || decision.because == Because::ServiceControl;
    if is_explicit {
        let _ = write!(text, " with an explicit deny in {article} {kind}");
    } else if !is_on_a_role(action) {
        let _ = write!(text, " because no {kind} allows the {action} action");
    }
    text
}

/// Actions whose denial must not tell whether the role exists.
fn is_on_a_role(action: &str) -> bool {
    ["sts:AssumeRole", "sts:SetContext", "sts:SetSourceIdentity", "sts:TagSession"].iter().any(|silent| silent.eq_ignore_ascii_case(action))
}
