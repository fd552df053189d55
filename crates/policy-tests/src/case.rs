//! One case: a request, the policies that apply to it, and what is expected; and the answer of the engine.

use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use arn::AccountId;
use policy::{Because, Compiled, Context, Explanation, Kind, Outcome, Place, Policies, PolicySet, Principal, Request, Source};

use crate::document::Policy;

/// A case that can be judged.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) place: Place,
    pub(crate) asked: Asked,
    pub(crate) given: Given,
    pub(crate) expected: Expected,
}

#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) principal: Principal,
    pub(crate) action: String,
    pub(crate) resource: String,
    pub(crate) resource_account: Option<AccountId>,
    pub(crate) context: Context,
}

/// The policies that apply. A kind that is missing does not apply; one that is empty applies and allows nothing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Given {
    pub(crate) identity: Vec<Rc<Policy>>,
    pub(crate) boundary: Option<Vec<Rc<Policy>>>,
    pub(crate) session: Option<Vec<Rc<Policy>>>,
    pub(crate) resource: Option<Rc<Policy>>,
    pub(crate) endpoint: Option<Vec<Rc<Policy>>>,
    pub(crate) service_control: Vec<Vec<Rc<Policy>>>,
    pub(crate) resource_control: Vec<Vec<Rc<Policy>>>,
}

/// What is expected; what is none may be anything.
#[derive(Debug, Clone, Default)]
pub(crate) struct Expected {
    pub(crate) decision: Option<Decided>,
    pub(crate) because: Option<String>,
    /// The `Sid` of a statement that matches and has the decision's effect.
    pub(crate) statement: Option<String>,
}

/// A decision as an author may expect it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decided {
    This(Outcome),
    /// Denied either way.
    Denied,
}

/// What the engine says.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) passed: bool,
    /// With the places of the authors' files.
    pub(crate) explanation: Explanation,
    /// The `Sid` of the statement that decided.
    pub(crate) statement: Option<String>,
}

/// The words that `because` may be.
pub(crate) const BECAUSE: [Because; 10] = [
    Because::Identity,
    Because::Resource,
    Because::Trust,
    Because::Boundary,
    Because::Session,
    Because::Endpoint,
    Because::ServiceControl,
    Because::ResourceControl,
    Because::Root,
    Because::Unjudged,
];

impl Decided {
    /// The words that a decision may be.
    pub(crate) const ALL: [Decided; 4] = [
        Decided::This(Outcome::Allowed),
        Decided::Denied,
        Decided::This(Outcome::ImplicitlyDenied),
        Decided::This(Outcome::ExplicitlyDenied),
    ];

    fn is(self, outcome: Outcome) -> bool {
        match self {
            Decided::This(wanted) => wanted == outcome,
            Decided::Denied => outcome != Outcome::Allowed,
        }
    }
}

impl fmt::Display for Decided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Decided::This(outcome) => f.write_str(outcome.as_str()),
            Decided::Denied => f.write_str("Denied"),
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decision = self.decision.map(|decision| decision.to_string());
        let because = self.because.as_ref().map(|because| format!("because of {because}"));
        let statement = self.statement.as_ref().map(|sid| format!("by statement {sid}"));
        f.write_str(&[decision, because, statement].into_iter().flatten().collect::<Vec<_>>().join(" "))
    }
}

/// The documents of a case in the order in which they were met: their number is their name for the engine.
#[derive(Default)]
struct Met {
    all: Vec<Rc<Policy>>,
}

impl Met {
    fn set(&mut self, kind: Kind, policies: &[Rc<Policy>]) -> PolicySet {
        let of = |policy: &Rc<Policy>| {
            self.all.push(Rc::clone(policy));
            (Source::new((self.all.len() - 1).to_string()), Arc::new(Compiled::new(&policy.document, kind)))
        };
        PolicySet::new(kind, policies.iter().map(of).collect::<Vec<_>>())
    }

    fn some(&mut self, kind: Kind, policies: Option<&[Rc<Policy>]>) -> Option<PolicySet> {
        policies.map(|policies| self.set(kind, policies))
    }

    fn levels(&mut self, kind: Kind, levels: &[Vec<Rc<Policy>>]) -> Vec<Arc<PolicySet>> {
        levels.iter().map(|level| Arc::new(self.set(kind, level))).collect()
    }

    fn of(&self, source: &str) -> Option<&Policy> {
        source.parse::<usize>().ok().and_then(|at| self.all.get(at)).map(Rc::as_ref)
    }
}

impl Case {
    /// Asks the engine.
    pub(crate) fn judge(&self) -> Found {
        let Case { asked, given, .. } = self;
        let on_resource = if policy::is_on_trust(&asked.action, &asked.resource) { Kind::Trust } else { Kind::Resource };
        let mut met = Met::default();
        let identity = met.set(Kind::Identity, &given.identity);
        let boundary = met.some(Kind::Boundary, given.boundary.as_deref());
        let session = met.some(Kind::Session, given.session.as_deref());
        let resource = met.some(on_resource, given.resource.as_ref().map(std::slice::from_ref));
        let endpoint = met.some(Kind::Endpoint, given.endpoint.as_deref());
        let service_control = met.levels(Kind::ServiceControl, &given.service_control);
        let resource_control = met.levels(Kind::ResourceControl, &given.resource_control);
        let request = Request {
            principal: &asked.principal,
            action: &asked.action,
            resource: &asked.resource,
            resource_account: asked.resource_account,
            facts: &asked.context,
        };
        let policies = Policies {
            identity: &identity,
            boundary: boundary.as_ref(),
            session: session.as_ref(),
            lent: None,
            resource: resource.as_ref(),
            endpoint: endpoint.as_ref(),
            service_control: &service_control,
            resource_control: &resource_control,
        };
        let decided_by = policy::decide(&request, &policies).by;
        let mut explanation = policy::explain(&request, &policies);
        let passed = self.expected.hold(&explanation);
        for looked in &mut explanation.policies {
            if let Some(policy) = met.of(&looked.source) {
                looked.source.clone_from(&policy.source);
            }
        }
        for matched in &mut explanation.statements {
            if let Some(policy) = met.of(&matched.source) {
                let (start, end) = (policy.place(matched.line, matched.column), policy.place(matched.end_line, matched.end_column));
                matched.source.clone_from(&policy.source);
                (matched.line, matched.column, matched.end_line, matched.end_column) = (start.line, start.column, end.line, end.column);
            }
        }
        Found { passed, explanation, statement: decided_by.and_then(|by| by.sid()).map(Into::into) }
    }
}

impl Expected {
    fn hold(&self, found: &Explanation) -> bool {
        let effect = if found.outcome == Outcome::Allowed { policy::Effect::Allow } else { policy::Effect::Deny };
        let is_there =
            |sid: &String| found.statements.iter().any(|statement| statement.effect == effect && statement.sid.as_ref() == Some(sid));
        self.decision.is_none_or(|wanted| wanted.is(found.outcome))
            && self.because.as_ref().is_none_or(|wanted| wanted == found.because.as_str())
            && self.statement.as_ref().is_none_or(is_there)
    }
}
