//! The one walk over all policies, in the order in which AWS names them.

use std::sync::Arc;

use crate::decide::{Asked, Because, Decision, Observer, Outcome, Policies, Request, StatementRef, Unknown};
use crate::document::Kind;
use crate::listed::Tier;
use crate::principal::Principal;
use crate::resource::{Parts, Target};
use crate::services;
use crate::set::{PolicySet, Verdict};

/// Actions that AWS asks no permission for: they succeed even under a Deny.
const UNJUDGED: [&str; 2] = ["sts:GetCallerIdentity", "sts:GetSessionToken"];

/// Actions that a role's trust policy is asked about.
const TRUSTED: [&str; 6] = [
    "sts:AssumeRole",
    "sts:AssumeRoleWithSAML",
    "sts:AssumeRoleWithWebIdentity",
    "sts:SetContext",
    "sts:SetSourceIdentity",
    "sts:TagSession",
];

/// True if the action is one on a role that its trust policy decides about.
pub fn is_on_trust(action: &str, resource: &str) -> bool {
    let is_role = |parts: Parts<'_>| parts.service == "iam" && parts.resource.starts_with("role/");
    TRUSTED.iter().any(|trusted| trusted.eq_ignore_ascii_case(action)) && Parts::of(resource).is_some_and(is_role)
}

/// A key of KMS, which needs a policy of its own; aliases and calls without a key do not.
fn is_key(target: &Target<'_>) -> bool {
    target.parts.is_some_and(|parts| parts.service.eq_ignore_ascii_case("kms") && !parts.resource.starts_with("alias/"))
}

/// The answer so far. `Err` is an answer that nothing can change.
type Step<'p, T> = Result<T, Decision<'p>>;

struct Walk<'w, 'p, O> {
    asked: Asked<'w>,
    observer: &'w mut O,
    /// The first Deny that was found.
    denied: Option<Decision<'p>>,
    /// The first kind that had to allow and did not.
    lacking: Option<Decision<'p>>,
}

/// What a set said, and which set that was.
#[derive(Clone, Copy)]
struct Said<'p> {
    verdict: Verdict,
    set: &'p PolicySet,
}

impl<'p> Said<'p> {
    fn allow(&self) -> Option<(Tier, StatementRef<'p>)> {
        self.verdict.allow.map(|(tier, rule)| (tier, StatementRef::new(self.set, rule)))
    }
}

/// The walk. An observer that is not thorough ends it as soon as the answer is known.
pub(crate) fn walk<'p, O: Observer<'p>>(
    request: &Request<'_>,
    policies: &Policies<'p>,
    unknown: Unknown,
    observer: &mut O,
) -> Decision<'p> {
    let own = request.principal.account();
    if own.is_some() && UNJUDGED.iter().any(|action| action.eq_ignore_ascii_case(request.action)) {
        return Decision { outcome: Outcome::Allowed, because: Because::Unjudged, by: None };
    }
    let asked = Asked {
        principal: request.principal,
        action: request.action,
        target: Target::new(request.resource),
        facts: request.facts,
        has_boundary: policies.boundary.is_some(),
        unknown,
    };
    let mut walk = Walk { asked, observer, denied: None, lacking: None };
    match walk.all(request, policies) {
        Ok(allowed) => walk.denied.or(walk.lacking).unwrap_or(allowed),
        Err(answer) => answer,
    }
}

impl<'p, O: Observer<'p>> Walk<'_, 'p, O> {
    /// Looks at all that applies. The decision that it returns holds if nothing denied and nothing lacked.
    fn all(&mut self, request: &Request<'_>, policies: &Policies<'p>) -> Step<'p, Decision<'p>> {
        let own = request.principal.account();
        let in_arn = || self.asked.target.parts.and_then(|parts| parts.account.parse().ok());
        let is_own = own.is_some() && request.resource_account.or_else(in_arn).or(own) == own;
        let is_trust = policies.resource.is_some_and(|set| set.kind() == Kind::Trust) || is_on_trust(request.action, request.resource);
        let on_resource = if is_trust { Because::Trust } else { Because::Resource };

        // An explicit Deny is named by the first kind in this order that has one.
        let identity = self.look(Because::Identity, None, own.map(|_| policies.identity))?;
        let resource = self.look(on_resource, None, policies.resource)?;
        let boundary = self.look(Because::Boundary, None, policies.boundary.filter(|_| own.is_some()))?;
        let session = self.look(Because::Session, None, policies.session.filter(|_| own.is_some()))?;
        let lent = self.look(Because::Session, None, policies.lent)?;
        let endpoint = self.look(Because::Endpoint, None, policies.endpoint)?;
        // RCPs bind whoever comes to a resource of theirs, SCPs the principals of their account; service-linked roles neither.
        let is_service_linked = matches!(request.principal, Principal::Session { service_linked: true, .. });
        let service = request.action.split_once(':').map_or("", |(service, _)| service);
        let is_on_resource = !policies.resource_control.is_empty() && !is_service_linked && services::is_bound_by_rcps(service);
        let rcps_allow = self.levels(Because::ResourceControl, if is_on_resource { policies.resource_control } else { &[] })?;
        let is_on_principal = own.is_some() && !is_service_linked;
        let scps_allow = self.levels(Because::ServiceControl, if is_on_principal { policies.service_control } else { &[] })?;

        // An implicit denial is named by the first gate in this order.
        if !rcps_allow {
            self.fail(Because::ResourceControl)?;
        }
        if !scps_allow {
            self.fail(Because::ServiceControl)?;
        }
        if endpoint.is_some() && is_lacking(endpoint) {
            self.lack(Because::Endpoint)?;
        }
        // Who borrows rights has what they were lent for, however they are granted.
        if lent.is_some() && is_lacking(lent) {
            self.lack(Because::Session)?;
        }
        let granted = resource.and_then(|said| said.allow());
        let by_resource = |by| Decision { outcome: Outcome::Allowed, because: on_resource, by };
        if own.is_none() {
            // Anonymous callers, services and providers have no policies of their own.
            if granted.is_none() {
                self.lack(on_resource)?;
            }
            return Ok(by_resource(granted.map(|(_, by)| by)));
        }
        let is_root = matches!(request.principal, Principal::Root { .. });
        let needs_resource = !is_own || is_trust || is_key(&self.asked.target);
        let mut allowed = match granted {
            Some((tier, by)) if is_own => match tier {
                Tier::Direct => return Ok(by_resource(Some(by))),
                Tier::Behind => {
                    self.limits(boundary, session)?;
                    return Ok(by_resource(Some(by)));
                }
                Tier::Account => by_resource(Some(by)),
            },
            Some((_, by)) => by_resource(Some(by)),
            None if needs_resource => {
                self.lack(on_resource)?;
                // In its own account the caller could be named directly, and then nothing else would be asked.
                if is_own && is_named_alone(request.principal) {
                    return Ok(by_resource(None));
                }
                by_resource(None)
            }
            None => by_resource(None),
        };
        match identity.and_then(|said| said.allow()) {
            _ if is_root && is_own => allowed = Decision { because: Because::Root, by: None, ..allowed },
            _ if is_root => {}
            Some((_, by)) if is_own => allowed = Decision { because: Because::Identity, by: Some(by), ..allowed },
            Some(_) => {}
            None => self.lack(Because::Identity)?,
        }
        self.limits(boundary, session)?;
        Ok(allowed)
    }

    /// Boundary and session policies, which limit and never grant.
    fn limits(&mut self, boundary: Option<Said<'p>>, session: Option<Said<'p>>) -> Step<'p, ()> {
        if boundary.is_some() && is_lacking(boundary) {
            self.lack(Because::Boundary)?;
        }
        if session.is_some() && is_lacking(session) {
            self.lack(Because::Session)?;
        }
        Ok(())
    }

    fn look(&mut self, because: Because, level: Option<usize>, set: Option<&'p PolicySet>) -> Step<'p, Option<Said<'p>>> {
        let Some(set) = set else { return Ok(None) };
        self.observer.looks_at(because, level, set);
        let verdict = set.judge(&self.asked, self.observer);
        if let Some(rule) = verdict.deny {
            let denied = Decision { outcome: Outcome::ExplicitlyDenied, because, by: Some(StatementRef::new(set, rule)) };
            if !O::THOROUGH {
                return Err(denied);
            }
            self.denied.get_or_insert(denied);
        }
        Ok(Some(Said { verdict, set }))
    }

    /// Looks at all levels of an organization. True if each of them allows.
    fn levels(&mut self, because: Because, levels: &'p [Arc<PolicySet>]) -> Step<'p, bool> {
        let mut all = true;
        for (level, set) in levels.iter().enumerate() {
            if is_lacking(self.look(because, Some(level), Some(set))?) {
                self.observer.lacks(because, Some(level));
                all = false;
            }
        }
        Ok(all)
    }

    /// This kind would have to allow, and does not.
    fn lack(&mut self, because: Because) -> Step<'p, ()> {
        self.observer.lacks(because, None);
        self.fail(because)
    }

    fn fail(&mut self, because: Because) -> Step<'p, ()> {
        let lacking = Decision { outcome: Outcome::ImplicitlyDenied, because, by: None };
        if !O::THOROUGH {
            return Err(lacking);
        }
        self.lacking.get_or_insert(lacking);
        Ok(())
    }
}

fn is_lacking(said: Option<Said<'_>>) -> bool {
    said.is_none_or(|said| said.verdict.allow.is_none())
}

/// Its ARN in a `Principal` reaches it and nobody else.
fn is_named_alone(principal: &Principal) -> bool {
    match principal {
        Principal::Session { arn, role, .. } => arn != role,
        Principal::User { .. } | Principal::Federated { .. } => true,
        Principal::Root { .. } | Principal::Anonymous | Principal::Service { .. } | Principal::Provider { .. } => false,
    }
}
