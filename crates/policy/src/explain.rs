//! The decision with its reasons: the same walk, with an observer that looks at everything.

use std::collections::BTreeSet;

use serde::{Serialize, Serializer};

use crate::compiled::Rule;
use crate::decide::{Asked, Because, Observer, Outcome, Policies, Request, StatementRef, Unknown, walk};
use crate::document::Effect;
use crate::pattern;
use crate::principal::Principal;
use crate::resource::Parts;
use crate::set::PolicySet;

/// A decision with its reasons.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// The answer, as [`crate::decide`] gives it.
    pub outcome: Outcome,
    /// The kind of policy that it came from.
    pub because: Because,
    /// What each kind of policy that applied said, SCPs and RCPs by level.
    pub kinds: Vec<Said>,
    /// Every document that was looked at.
    pub policies: Vec<Looked>,
    /// Every statement that matched, whatever it does.
    pub statements: Vec<Matched>,
    /// The kind that lacked an allow and so decided; none where the answer is another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lacking: Option<Because>,
    /// For each kind that lacks an allow, the smallest statement that would give it. With all of them the answer would be yes, unless something denies.
    pub suggestions: Vec<Suggestion>,
    /// Keys that statements for this action look for, and the request lacks.
    pub missing_keys: BTreeSet<String>,
}

impl Explanation {
    /// The same, without the documents and statements of one kind: what that kind said as a whole stays.
    pub fn without(mut self, kind: Because) -> Explanation {
        self.policies.retain(|looked| looked.kind != kind);
        self.statements.retain(|matched| matched.kind != kind);
        self.suggestions.retain(|suggestion| suggestion.kind != kind);
        self
    }
}

/// What one kind of policy said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Said {
    /// Which kind.
    pub kind: Because,
    /// Which level, from the root of the organization, which is 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<usize>,
    /// What its statements say: [`Outcome::Allowed`] where one allows and none denies.
    pub result: Outcome,
}

/// A document that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Looked {
    /// What it was used as.
    pub kind: Because,
    /// Its level, where its kind has levels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<usize>,
    /// Its name.
    pub source: String,
}

/// A statement that matched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Matched {
    /// What its document was used as.
    pub kind: Because,
    /// The level of the document, where its kind has levels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<usize>,
    /// The name of its document.
    pub source: String,
    /// Which of the document's statements it is, from 0.
    pub index: usize,
    /// Its `Sid`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// What it does.
    pub effect: Effect,
    /// Of its `{`, from 1.
    pub line: u32,
    /// Of its `{`, from 1.
    pub column: u32,
    /// Of what follows its `}`.
    pub end_line: u32,
    /// Of what follows its `}`.
    pub end_column: u32,
}

/// A statement that one kind of policy lacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Suggestion {
    /// Where it would have to stand.
    pub kind: Because,
    /// On which level.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<usize>,
    /// The statement, for a document of version 2012-10-17. None where the language has no words for exactly this request.
    pub statement: Option<serde_json::Value>,
}

/// Decides and tells why.
pub fn explain(request: &Request<'_>, policies: &Policies<'_>) -> Explanation {
    let mut watch = Watch::default();
    let decision = walk(request, policies, Unknown::Absent, &mut watch);
    let lacks = match decision.outcome {
        Outcome::ImplicitlyDenied | Outcome::ExplicitlyDenied => watch.lacks,
        Outcome::Allowed => Vec::new(),
    };
    let suggest = |&(kind, level): &(Because, Option<usize>)| Suggestion { kind, level, statement: smallest(request, kind) };
    Explanation {
        outcome: decision.outcome,
        because: decision.because,
        kinds: watch.seen.iter().map(Seen::said).collect(),
        policies: watch.seen.iter().flat_map(Seen::looked).collect(),
        statements: watch.seen.iter().flat_map(Seen::statements).collect(),
        lacking: (decision.outcome == Outcome::ImplicitlyDenied).then_some(decision.because),
        suggestions: lacks.iter().map(suggest).collect(),
        missing_keys: watch.missing,
    }
}

/// Looks at everything.
#[derive(Default)]
struct Watch<'p> {
    seen: Vec<Seen<'p>>,
    lacks: Vec<(Because, Option<usize>)>,
    missing: BTreeSet<String>,
}

/// One set that was looked at, and which of its statements matched.
struct Seen<'p> {
    kind: Because,
    level: Option<usize>,
    set: &'p PolicySet,
    matched: BTreeSet<u32>,
}

impl<'p> Observer<'p> for Watch<'p> {
    const THOROUGH: bool = true;

    fn looks_at(&mut self, kind: Because, level: Option<usize>, set: &'p PolicySet) {
        self.seen.push(Seen { kind, level, set, matched: BTreeSet::new() });
    }

    fn considered(&mut self, rule: &Rule, is_covered: bool, asked: &Asked<'_>) {
        let mut miss = |key: &str| {
            self.missing.insert(key.into());
        };
        rule.resources.unfilled(asked.facts, &mut miss);
        if is_covered {
            rule.conditions.iter().for_each(|condition| condition.missing(asked.facts, &mut miss));
        }
    }

    fn matched(&mut self, statement: StatementRef<'p>) {
        if let Some(seen) = self.seen.last_mut() {
            seen.matched.insert(statement.at());
        }
    }

    fn lacks(&mut self, because: Because, level: Option<usize>) {
        self.lacks.push((because, level));
    }
}

impl<'p> Seen<'p> {
    fn refs(&self) -> impl Iterator<Item = StatementRef<'p>> {
        self.matched.iter().map(|rule| StatementRef::new(self.set, *rule))
    }

    fn said(&self) -> Said {
        let has = |effect: Effect| self.refs().any(|statement| statement.effect() == effect);
        let result = match () {
            () if has(Effect::Deny) => Outcome::ExplicitlyDenied,
            () if has(Effect::Allow) => Outcome::Allowed,
            () => Outcome::ImplicitlyDenied,
        };
        Said { kind: self.kind, level: self.level, result }
    }

    fn looked(&self) -> impl Iterator<Item = Looked> {
        self.set.sources().map(|source| Looked { kind: self.kind, level: self.level, source: source.as_str().into() })
    }

    fn statements(&self) -> impl Iterator<Item = Matched> {
        self.refs().map(|statement| {
            let (start, end) = (statement.start(), statement.end());
            Matched {
                kind: self.kind,
                level: self.level,
                source: statement.source().into(),
                index: statement.index(),
                sid: statement.sid().map(Into::into),
                effect: statement.effect(),
                line: start.line,
                column: start.column,
                end_line: end.line,
                end_column: end.column,
            }
        })
    }
}

/// The smallest statement that would make a policy of this kind allow the request: its action, its resource, its caller, nothing more.
fn smallest(request: &Request<'_>, kind: Because) -> Option<serde_json::Value> {
    let mut statement = serde_json::Map::new();
    statement.insert("Effect".into(), "Allow".into());
    match kind {
        // Nothing admits one.
        Because::Trust if *request.principal == Principal::Anonymous => return None,
        Because::Resource | Because::Trust | Because::Endpoint => statement.insert("Principal".into(), named(request.principal)),
        Because::ResourceControl => statement.insert("Principal".into(), "*".into()),
        Because::Identity | Because::Boundary | Because::Session | Because::ServiceControl => None,
        Because::Root | Because::Unjudged => return None,
    };
    let is_exact = |action: &str| action.split_once(':').is_some_and(|(service, name)| !service.is_empty() && !name.is_empty());
    if !is_exact(request.action) || request.action.contains(['*', '?']) {
        return None;
    }
    statement.insert("Action".into(), request.action.into());
    if kind != Because::Trust {
        statement.insert("Resource".into(), exactly(request.resource)?.into());
    }
    Some(statement.into())
}

fn named(principal: &Principal) -> serde_json::Value {
    let of = |kind: &str, name: &str| serde_json::Value::from(serde_json::Map::from_iter([(kind.into(), name.into())]));
    match principal {
        Principal::Anonymous => "*".into(),
        Principal::Root { arn, .. } | Principal::User { arn, .. } | Principal::Session { arn, .. } | Principal::Federated { arn, .. } => {
            of("AWS", arn.as_str())
        }
        Principal::Service { name } => of("Service", name),
        Principal::Provider { provider } => of("Federated", provider),
    }
}

/// A `Resource` that covers this resource alone, if there is one.
fn exactly(resource: &str) -> Option<String> {
    if resource == "*" {
        return Some("*".into());
    }
    let parts = Parts::of(resource)?;
    let head = resource.strip_suffix(parts.resource)?;
    // Only the last part can hold characters that mean something else.
    if head.contains(['*', '?']) || head.contains("${") {
        return None;
    }
    Some(format!("{head}{}", pattern::escape(parts.resource)))
}

impl Serialize for Outcome {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Serialize for Because {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Serialize for Effect {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests;
