//! May this principal do this here? The one place where a principal's policies meet a question.

use crate::levels::Levels;
use crate::standing::Standing;
use arn::AccountId;
use policy::{Because, Context, Decision, Explanation, Outcome, Policies, PolicySet, Request};
use std::sync::Arc;

/// One question.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// `s3:GetObject`.
    pub action: &'a str,
    /// An ARN, or `*`.
    pub resource: &'a str,
    /// Who owns the resource; an ARN need not say it.
    pub resource_account: Option<AccountId>,
    /// The resource's own policy, a role's trust policy among them.
    pub resource_policy: Option<&'a PolicySet>,
    /// What its organization lays on the account that owns the resource.
    pub resource_levels: &'a Levels,
    /// All condition keys.
    pub facts: &'a Context,
}

/// A decision that outlives the policies that it was made from.
#[derive(Debug, Clone)]
pub struct Decided {
    /// Allowed or not.
    pub outcome: Outcome,
    /// The kind of policy that decided.
    pub because: Because,
    /// The statement that decided, if one did.
    pub by: Option<audit::By<'static>>,
    /// All that was looked at, if that was asked.
    pub explanation: Option<Explanation>,
}

impl Decided {
    /// The owned form of `decision`.
    pub fn of(decision: &Decision<'_>, explanation: Option<Explanation>) -> Self {
        let by = decision.by.map(|by| audit::By {
            source: by.source().to_owned().into(),
            statement: u32::try_from(by.index()).unwrap_or(u32::MAX),
            sid: by.sid().map(|sid| sid.to_owned().into()),
            line: by.start().line,
        });
        Decided { outcome: decision.outcome, because: decision.because, by, explanation }
    }

    /// Whether it was allowed.
    pub fn is_allowed(&self) -> bool {
        self.outcome == Outcome::Allowed
    }
}

/// What an organization's levels are looked at as.
struct Controls<'l> {
    service: &'l [Arc<PolicySet>],
    resource: &'l [Arc<PolicySet>],
}

impl<'l> Controls<'l> {
    /// For the answer alone.
    fn united(levels: &'l Levels) -> Self {
        Controls { service: levels.united_service_control(), resource: levels.united_resource_control() }
    }

    /// For its reasons, level by level.
    fn by_level(levels: &'l Levels) -> Self {
        Controls { service: levels.service_control(), resource: levels.resource_control() }
    }
}

impl Standing {
    /// The decision. Nothing is parsed and, where it allows, nothing allocated.
    pub fn decide<'p>(&'p self, question: &Question<'p>) -> Decision<'p> {
        self.with(question, Controls::united, policy::decide)
    }

    /// Whether some request for this could be allowed, whatever condition keys it brings along that this one lacks.
    pub fn decide_in_favour<'p>(&'p self, question: &Question<'p>) -> Decision<'p> {
        self.with(question, Controls::by_level, policy::decide_in_favour)
    }

    /// The same decision with every policy that was looked at.
    pub fn explain(&self, question: &Question<'_>) -> Explanation {
        self.with(question, Controls::by_level, policy::explain)
    }

    fn with<'p, T>(
        &'p self,
        question: &Question<'p>,
        controls: fn(&'p Levels) -> Controls<'p>,
        ask: impl FnOnce(&Request<'_>, &Policies<'p>) -> T,
    ) -> T {
        let request = Request {
            principal: &self.principal,
            action: question.action,
            resource: question.resource,
            resource_account: question.resource_account,
            facts: question.facts,
        };
        let own = self.session_policies.as_ref();
        let policies = Policies {
            identity: self.grants.as_ref().map_or(&self.nothing, |grants| &grants.identity),
            boundary: self.grants.as_ref().and_then(|grants| grants.boundary.as_ref()),
            session: own.filter(|_| !self.is_lent),
            lent: own.filter(|_| self.is_lent),
            resource: question.resource_policy,
            endpoint: None,
            service_control: controls(&self.levels).service,
            resource_control: controls(question.resource_levels).resource,
        };
        ask(&request, &policies)
    }
}
