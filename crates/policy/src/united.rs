//! Levels of an organization, made ready for decisions: equal to what they were, and as few as can be.

use std::sync::Arc;

use crate::action::Tail;
use crate::compiled::Rule;
use crate::document::Effect;
use crate::set::PolicySet;

impl PolicySet {
    /// Levels that decide as `levels` do, of which each has to allow and any can deny. What denies stands together in the first; levels that
    /// allow everything, as AWS's own policies do, are looked at no more. Explanations are asked of the levels themselves.
    pub fn united(levels: &[Arc<PolicySet>]) -> Box<[Arc<PolicySet>]> {
        let Some(root) = levels.first() else { return Box::default() };
        let kind = root.kind();
        let mut closed =
            levels.iter().enumerate().filter(|(_, level)| level.documents().all(|(_, document)| opening(&document.rules).is_none()));
        // One level's allows stand beside what denies.
        let beside = closed.next().map(|(at, _)| at);
        let documents = levels.iter().enumerate().flat_map(|(at, level)| level.documents().map(move |document| (at, document.clone())));
        let first = PolicySet::of_rules(kind, documents, |at, rule| rule.effect == Effect::Deny || Some(at) == beside);
        let first = match root.documents().zip(0..).find_map(|((_, document), at)| Some((at, opening(&document.rules)?))) {
            // If all levels are open, it does not matter which of them is named.
            Some((document, rule)) if beside.is_none() => first.opened_by(document, rule),
            Some(_) | None => first,
        };
        let others = closed.map(|(_, level)| {
            PolicySet::of_rules(kind, level.documents().map(|document| (0, document.clone())), |_, rule| rule.effect == Effect::Allow)
        });
        std::iter::once(first).chain(others).map(Arc::new).collect()
    }
}

/// The statement that allows whatever is asked, if there is one.
fn opening(rules: &[Rule]) -> Option<u32> {
    let allows_everything = |rule: &Rule| {
        rule.effect == Effect::Allow
            && rule.conditions.is_empty()
            && rule.listed.as_ref().is_none_or(|listed| listed.is_everyone())
            && rule.actions.index().iter().any(|(prefix, tail, _)| prefix.is_empty() && *tail == Tail::Free)
            && rule.resources.index().iter().any(|(lookup, _)| lookup.prefix.is_empty() && lookup.tail == Tail::Free && !lookup.ends)
    };
    rules.iter().position(allows_everything).and_then(|at| u32::try_from(at).ok())
}
