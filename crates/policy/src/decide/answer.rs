//! What a decision answers.

use crate::document::{Effect, Place};
use crate::set::{PolicySet, Source};

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
    rule: u32,
}

impl<'p> StatementRef<'p> {
    pub(crate) fn new(set: &'p PolicySet, rule: u32) -> StatementRef<'p> {
        StatementRef { set, rule }
    }

    /// Where it stands in its set.
    pub(crate) fn at(&self) -> u32 {
        self.rule
    }

    /// The name of its document.
    pub fn source(&self) -> &'p str {
        self.set.rule(self.rule).map_or("", |(source, ..)| Source::as_str(source))
    }

    /// Which of its document's statements it is, from 0.
    pub fn index(&self) -> usize {
        self.set.rule(self.rule).map_or(0, |(_, _, index)| index as usize)
    }

    /// Its `Sid`, where it has one that is not empty.
    pub fn sid(&self) -> Option<&'p str> {
        self.set.rule(self.rule).and_then(|(_, rule, _)| rule.sid.as_deref()).filter(|sid| !sid.is_empty())
    }

    /// What it does.
    pub fn effect(&self) -> Effect {
        self.set.rule(self.rule).map_or(Effect::Deny, |(_, rule, _)| rule.effect)
    }

    /// Where its `{` stands in its document.
    pub fn start(&self) -> Place {
        self.set.rule(self.rule).map_or_else(Place::default, |(_, rule, _)| rule.start)
    }

    /// The place just behind its `}`.
    pub fn end(&self) -> Place {
        self.set.rule(self.rule).map_or_else(Place::default, |(_, rule, _)| rule.end)
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
    /// `identity`, `resource`, `trust`, `boundary`, `session`, `endpoint`, `serviceControl`, `resourceControl`, `root`, `unjudged`.
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
