//! What a simulation answers: one result for each action, with one part for each resource.
//! Source: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_EvaluationResult.html>.

use policy::{Because, Effect, Explanation, Matched, Outcome};
use std::collections::BTreeSet;
use wire::{Entries, Name, Shape, Text};

/// A decision, from the most lenient on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Text)]
pub(crate) enum PolicyEvaluationDecisionType {
    #[text(rename = "allowed")]
    Allowed,
    #[text(rename = "implicitDeny")]
    ImplicitDeny,
    #[text(rename = "explicitDeny")]
    ExplicitDeny,
}

use PolicyEvaluationDecisionType as Decision;

impl From<Outcome> for Decision {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Allowed => Decision::Allowed,
            Outcome::ImplicitlyDenied => Decision::ImplicitDeny,
            Outcome::ExplicitlyDenied => Decision::ExplicitDeny,
        }
    }
}

/// A statement that matched.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Shape)]
pub(crate) struct Statement {
    source_policy_id: String,
    source_policy_type: String,
    start_position: Position,
    end_position: Position,
}

/// A place in a document: the character after a brace, from 1.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Shape)]
struct Position {
    line: u32,
    column: u32,
}

#[derive(Debug, Clone, Shape)]
struct OrganizationsDecisionDetail {
    allowed_by_organizations: bool,
}

#[derive(Debug, Clone, Shape)]
struct PermissionsBoundaryDecisionDetail {
    allowed_by_permissions_boundary: bool,
}

/// What one action comes to on all resources that were asked.
#[derive(Shape)]
pub(crate) struct EvaluationResult {
    eval_action_name: String,
    eval_resource_name: String,
    eval_decision: Decision,
    matched_statements: Vec<Statement>,
    missing_context_values: Vec<String>,
    organizations_decision_detail: OrganizationsDecisionDetail,
    permissions_boundary_decision_detail: Option<PermissionsBoundaryDecisionDetail>,
    eval_decision_details: Option<Entries<Decision>>,
    resource_specific_results: Vec<ResourceSpecificResult>,
}

/// What one action comes to on one resource.
#[derive(Shape)]
struct ResourceSpecificResult {
    eval_resource_name: String,
    eval_resource_decision: Decision,
    matched_statements: Vec<Statement>,
    missing_context_values: Vec<String>,
    eval_decision_details: Option<Entries<Decision>>,
    permissions_boundary_decision_detail: Option<PermissionsBoundaryDecisionDetail>,
}

/// What one action came to on one resource.
pub(crate) struct Simulated {
    resource: String,
    decision: Decision,
    statements: Vec<Statement>,
    missing: BTreeSet<String>,
    by_organizations: bool,
    by_boundary: Option<bool>,
    /// What each kind of policy came to, where caller and resource are of different accounts.
    details: Option<Vec<(&'static str, Decision)>>,
}

impl Simulated {
    /// Reads it from the engine's own explanation. `missing` are the keys that the input lacks.
    pub fn of(resource: &str, explanation: &Explanation, missing: BTreeSet<String>, crosses: bool) -> Self {
        let said = |kind: Because| explanation.kinds.iter().filter(move |said| said.kind == kind);
        let has_denied = explanation.outcome == Outcome::ExplicitlyDenied;
        let wanted = if has_denied { Effect::Deny } else { Effect::Allow };
        let statements = explanation.statements.iter().filter(|matched| matched.effect == wanted).filter_map(Statement::of).collect();
        let by_organizations =
            said(Because::ServiceControl).chain(said(Because::ResourceControl)).all(|said| said.result == Outcome::Allowed);
        let detail = |kind, name| said(kind).next().map(|said| (name, said.result.into()));
        let details = [
            detail(Because::Identity, IAM),
            detail(Because::Resource, RESOURCE).or(detail(Because::Trust, RESOURCE)),
            detail(Because::Boundary, BOUNDARY),
        ];
        Simulated {
            resource: resource.to_owned(),
            decision: explanation.outcome.into(),
            statements,
            missing,
            by_organizations,
            by_boundary: said(Because::Boundary).next().map(|said| said.result == Outcome::Allowed),
            // Where the organization says no, the simulation ends.
            details: (crosses && by_organizations).then(|| details.into_iter().flatten().collect()),
        }
    }

    /// How many statements it shows.
    pub fn shows(&self) -> usize {
        self.statements.len()
    }

    fn part(&self) -> ResourceSpecificResult {
        ResourceSpecificResult {
            eval_resource_name: self.resource.clone(),
            eval_resource_decision: self.decision,
            matched_statements: self.statements.clone(),
            missing_context_values: self.missing.iter().cloned().collect(),
            eval_decision_details: self.details.as_ref().map(|details| entries(details.iter().copied())),
            permissions_boundary_decision_detail: self.by_boundary.map(boundary),
        }
    }
}

/// How a simulation names kinds of policies.
const IAM: &str = "IAM Policy";
const RESOURCE: &str = "Resource Policy";
const BOUNDARY: &str = "Permissions Boundary Policy";

/// The document that stands for the policy of a resource that was given none.
pub(crate) const NOT_GIVEN: &str = "";

impl Statement {
    /// A statement of an identity's or a resource's policy; others are not shown.
    fn of(matched: &Matched) -> Option<Self> {
        let source_policy_type = match matched.kind {
            Because::Identity => IAM,
            Because::Resource | Because::Trust if matched.source != NOT_GIVEN => RESOURCE,
            Because::Resource
            | Because::Trust
            | Because::Boundary
            | Because::Session
            | Because::Endpoint
            | Because::ServiceControl
            | Because::ResourceControl
            | Because::Root
            | Because::Unjudged => return None,
        };
        Some(Statement {
            source_policy_id: matched.source.clone(),
            source_policy_type: source_policy_type.into(),
            // The engine names the `{` itself, and what follows the `}`.
            start_position: Position { line: matched.line, column: matched.column + 1 },
            end_position: Position { line: matched.end_line, column: matched.end_column },
        })
    }
}

fn boundary(allowed: bool) -> PermissionsBoundaryDecisionDetail {
    PermissionsBoundaryDecisionDetail { allowed_by_permissions_boundary: allowed }
}

fn entries(details: impl IntoIterator<Item = (&'static str, Decision)>) -> Entries<Decision> {
    Entries(details.into_iter().map(|(name, decision)| (Name::Borrowed(name), decision)).collect())
}

impl EvaluationResult {
    /// What an action comes to: of all resources the strictest decision, and what made it.
    pub fn of(action: &str, all: &[Simulated]) -> Self {
        let decision = all.iter().map(|one| one.decision).max().unwrap_or(Decision::ImplicitDeny);
        let mut statements: Vec<Statement> = Vec::new();
        let mut seen = BTreeSet::new();
        for statement in all.iter().filter(|one| one.decision == decision).flat_map(|one| &one.statements) {
            if seen.insert(statement) {
                statements.push(statement.clone());
            }
        }
        let missing: BTreeSet<&String> = all.iter().flat_map(|one| &one.missing).collect();
        let named: Option<&Simulated> = if let [one] = all { Some(one) } else { None };
        EvaluationResult {
            eval_action_name: action.to_owned(),
            eval_resource_name: named.map_or_else(|| "*".to_owned(), |one| one.resource.clone()),
            eval_decision: decision,
            matched_statements: statements,
            missing_context_values: missing.into_iter().cloned().collect(),
            organizations_decision_detail: OrganizationsDecisionDetail {
                allowed_by_organizations: all.iter().all(|one| one.by_organizations),
            },
            permissions_boundary_decision_detail: all
                .iter()
                .filter_map(|one| one.by_boundary)
                .reduce(|one, other| one && other)
                .map(boundary),
            eval_decision_details: details(all),
            resource_specific_results: all.iter().map(Simulated::part).collect(),
        }
    }
}

/// Of each kind of policy the strictest decision. Empty within one account, and not there if no resource was named or the organization says no.
fn details(all: &[Simulated]) -> Option<Entries<Decision>> {
    if all.iter().any(|one| one.resource == "*" || !one.by_organizations) {
        return None;
    }
    let told = || all.iter().filter_map(|one| one.details.as_ref()).flatten();
    let strictest = |name: &'static str| told().filter(|(kind, _)| *kind == name).map(|(_, decision)| *decision).max();
    Some(entries([IAM, RESOURCE, BOUNDARY].into_iter().filter_map(|name| strictest(name).map(|decision| (name, decision)))))
}
