//! The union of many documents of one kind.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::compiled::{Compiled, Rule};
use crate::decide::{Asked, Observer, StatementRef};
use crate::document::{Effect, Kind};
use crate::index::{Index, Left};
use crate::listed::Tier;

/// How an explanation names a document: the ARN of a managed policy, or words for an inline one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source(Arc<str>);

/// The union of documents of one kind. Statements that cannot match cost a decision nothing, however many there are.
#[derive(Debug)]
pub struct PolicySet {
    kind: Kind,
    documents: Box<[(Source, Arc<Compiled>)]>,
    /// For each statement of all documents, which document it stands in and where.
    rules: Box<[(u32, u32)]>,
    index: Index,
    /// A statement that allows whatever is asked: it is in no index, and everything is allowed by it unless something denies.
    open: Option<u32>,
}

/// What a set says to a request.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Verdict {
    /// A statement that denies.
    pub(crate) deny: Option<u32>,
    /// The statement that allows most directly.
    pub(crate) allow: Option<(Tier, u32)>,
}

impl Source {
    /// A source of this name.
    pub fn new(name: impl Into<Arc<str>>) -> Source {
        Source(name.into())
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl<T: Into<Arc<str>>> From<T> for Source {
    fn from(name: T) -> Source {
        Source::new(name)
    }
}

impl PolicySet {
    /// Unites documents.
    pub fn new(kind: Kind, documents: impl IntoIterator<Item = (Source, Arc<Compiled>)>) -> PolicySet {
        PolicySet::of_rules(kind, documents.into_iter().map(|document| (0, document)), |_, _| true)
    }

    /// Unites the statements that `keep` keeps of documents, each of which comes with a number for it.
    pub(crate) fn of_rules(
        kind: Kind,
        documents: impl IntoIterator<Item = (usize, (Source, Arc<Compiled>))>,
        keep: impl Fn(usize, &Rule) -> bool,
    ) -> PolicySet {
        let (numbers, documents): (Vec<usize>, Vec<(Source, Arc<Compiled>)>) = documents.into_iter().unzip();
        let mut rules = Vec::new();
        for ((number, (_, document)), at) in numbers.iter().zip(&documents).zip(0..) {
            rules.extend(document.rules.iter().zip(0..).filter(|(rule, _)| keep(*number, rule)).map(|(_, rule)| (at, rule)));
        }
        let all = documents.iter().zip(&numbers).flat_map(|((_, document), number)| document.rules.iter().map(move |rule| (*number, rule)));
        let index = Index::new(all.filter(|(number, rule)| keep(*number, rule)).map(|(_, rule)| rule));
        PolicySet { kind, documents: documents.into(), rules: rules.into(), index, open: None }
    }

    /// The same, that allows everything by this statement of this document.
    pub(crate) fn opened_by(mut self, document: u32, rule: u32) -> PolicySet {
        let mut rules = std::mem::take(&mut self.rules).into_vec();
        self.open = u32::try_from(rules.len()).ok();
        rules.push((document, rule));
        self.rules = rules.into();
        self
    }

    /// Its documents, in their order.
    pub(crate) fn documents(&self) -> impl Iterator<Item = &(Source, Arc<Compiled>)> {
        self.documents.iter()
    }

    /// A set of no documents, which allows nothing.
    pub fn empty(kind: Kind) -> PolicySet {
        PolicySet::new(kind, [])
    }

    /// What its documents are used as.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// How its documents are named, in their order.
    pub fn sources(&self) -> impl Iterator<Item = &Source> {
        self.documents.iter().map(|(source, _)| source)
    }

    /// About how many bytes the set takes, the documents not counted, which may be shared.
    pub fn weight(&self) -> usize {
        size_of::<PolicySet>() + size_of_val(&*self.documents) + size_of_val(&*self.rules) + self.index.weight()
    }

    /// A statement, its document, and which of the document's statements it is.
    pub(crate) fn rule(&self, at: u32) -> Option<(&Source, &Rule, u32)> {
        let (document, rule) = *self.rules.get(at as usize)?;
        let (source, document) = self.documents.get(document as usize)?;
        Some((source, document.rules.get(rule as usize)?, rule))
    }

    /// What this set says. An observer that is thorough sees every statement; otherwise the first Deny ends it.
    pub(crate) fn judge<'p, O: Observer<'p>>(&'p self, asked: &Asked<'_>, observer: &mut O) -> Verdict {
        let mut verdict = Verdict { deny: None, allow: self.open.map(|rule| (Tier::Direct, rule)) };
        self.index.find(asked.action, &asked.target, &mut |entry| {
            let Some((_, rule, _)) = self.rule(entry.rule) else { return ControlFlow::Continue(()) };
            let is_settled = matches!(verdict.allow, Some((Tier::Direct, _))) && rule.effect == Effect::Allow;
            if is_settled && !O::THOROUGH {
                return ControlFlow::Continue(());
            }
            let is_named = match entry.action() {
                Left::Nothing => true,
                Left::One(at) => rule.actions.covers(at, asked.action),
                Left::Whole => rule.actions.cover(asked.action),
            };
            if !is_named {
                return ControlFlow::Continue(());
            }
            let tier = match &rule.listed {
                None => Some(Tier::Direct),
                Some(listed) => listed.reaches(asked.principal, self.kind, rule.effect, asked.has_boundary),
            };
            let Some(tier) = tier else { return ControlFlow::Continue(()) };
            let is_covered = match entry.resource() {
                Left::Nothing => true,
                Left::One(at) => rule.resources.covers(at, &asked.target, asked.facts),
                Left::Whole => rule.resources.cover(&asked.target, asked.facts),
            };
            if O::THOROUGH {
                observer.considered(rule, is_covered, asked);
            }
            if !is_covered || !rule.holds(asked.facts, asked.unknown) {
                return ControlFlow::Continue(());
            }
            observer.matched(StatementRef::new(self, entry.rule));
            match rule.effect {
                Effect::Deny => {
                    verdict.deny.get_or_insert(entry.rule);
                    if !O::THOROUGH {
                        return ControlFlow::Break(());
                    }
                }
                Effect::Allow if verdict.allow.is_none_or(|(best, _)| best < tier) => verdict.allow = Some((tier, entry.rule)),
                Effect::Allow => {}
            }
            ControlFlow::Continue(())
        });
        verdict
    }
}
