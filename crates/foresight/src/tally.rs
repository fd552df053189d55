//! Who would lose or gain what: counted by principal, action and resource.

use audit::By;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

/// The most lines that are counted each by itself; what comes after them is counted by action alone.
const MOST_LINES: usize = 50_000;

/// What stands for resources that have no line of their own.
const OTHERS: &str = "(other resources)";

/// What would become of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Effect {
    /// It is allowed, and would not be.
    Lost,
    /// It is not allowed, and would be.
    Gained,
}

/// What one principal would lose or gain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// Which of them.
    pub effect: Effect,
    /// The user's, role's or federated user's ARN; `anonymous` for whom nobody knows.
    pub principal: String,
    /// The action.
    pub action: String,
    /// The resource.
    pub resource: String,
    /// How many recorded requests.
    pub count: u64,
    /// The time of the first of them.
    pub first: String,
    /// The time of the last of them.
    pub last: String,
    /// The id of one of them, for `explain`.
    pub request_id: String,
    /// What kind of policy would decide.
    pub because: String,
    /// The statement that would, if one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Statement>,
}

/// Where a statement stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Statement {
    /// The document.
    pub source: String,
    /// Its number there, from 0.
    pub statement: u32,
    /// Its id, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// Its line, from 1.
    pub line: u32,
}

impl From<By<'_>> for Statement {
    fn from(by: By<'_>) -> Self {
        Statement { source: by.source.into_owned(), statement: by.statement, sid: by.sid.map(Into::into), line: by.line }
    }
}

/// A condition key that the change asks for, and that recorded requests do not tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Missing {
    /// The key.
    pub key: String,
    /// How many requests that the change concerns were recorded without it.
    pub requests: u64,
}

/// One request whose answer would be another.
pub(crate) struct Turned<'a> {
    pub effect: Effect,
    pub principal: &'a str,
    pub action: &'a str,
    pub resource: &'a str,
    pub time: &'a str,
    pub request_id: &'a str,
    pub because: &'a str,
    pub by: Option<By<'a>>,
}

/// The count.
#[derive(Default)]
pub(crate) struct Tally {
    lines: HashMap<(Effect, String, String, String), Line>,
    missing: BTreeMap<String, u64>,
}

impl Tally {
    /// Counts a request. They come newest first.
    pub(crate) fn count(&mut self, turned: Turned<'_>) {
        let key = |resource: &str| (turned.effect, turned.principal.to_owned(), turned.action.to_owned(), resource.to_owned());
        let mut at = key(turned.resource);
        if self.lines.len() >= MOST_LINES && !self.lines.contains_key(&at) {
            at = key(OTHERS);
        }
        let resource = at.3.clone();
        let line = self.lines.entry(at).or_insert_with(|| Line {
            effect: turned.effect,
            principal: turned.principal.to_owned(),
            action: turned.action.to_owned(),
            resource,
            count: 0,
            first: turned.time.to_owned(),
            last: turned.time.to_owned(),
            request_id: turned.request_id.to_owned(),
            because: turned.because.to_owned(),
            by: turned.by.map(Into::into),
        });
        line.count += 1;
        if *turned.time < *line.first {
            line.first = turned.time.to_owned();
        }
        if *turned.time > *line.last {
            line.last = turned.time.to_owned();
        }
    }

    /// Counts a request that was recorded without a key.
    pub(crate) fn lacks(&mut self, key: &str) {
        *self.missing.entry(key.to_owned()).or_default() += 1;
    }

    /// All lines: what is lost first, and of that what is asked most.
    pub(crate) fn lines(self) -> (Vec<Line>, Vec<Missing>) {
        let mut lines: Vec<Line> = self.lines.into_values().collect();
        lines.sort_by(|a, b| {
            let names = |line: &Line| (line.principal.clone(), line.action.clone(), line.resource.clone());
            a.effect.cmp(&b.effect).then(b.count.cmp(&a.count)).then_with(|| names(a).cmp(&names(b)))
        });
        let missing = self.missing.into_iter().map(|(key, requests)| Missing { key, requests }).collect();
        (lines, missing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turned<'a>(effect: Effect, resource: &'a str, time: &'a str) -> Turned<'a> {
        Turned { effect, principal: "p", action: "a:B", resource, time, request_id: "r", because: "identity", by: None }
    }

    #[test]
    fn what_is_lost_comes_first_and_what_is_asked_most() {
        let mut tally = Tally::default();
        tally.count(turned(Effect::Gained, "x", "3"));
        tally.count(turned(Effect::Lost, "y", "3"));
        tally.count(turned(Effect::Lost, "x", "2"));
        tally.count(turned(Effect::Lost, "x", "1"));
        let (lines, _) = tally.lines();
        let said: Vec<_> = lines.iter().map(|line| (line.effect, line.resource.as_str(), line.count)).collect();
        assert_eq!(said, [(Effect::Lost, "x", 2), (Effect::Lost, "y", 1), (Effect::Gained, "x", 1)]);
        assert_eq!((lines[0].first.as_str(), lines[0].last.as_str()), ("1", "2"));
    }

    #[test]
    fn lines_are_bounded_and_every_request_is_still_counted() {
        let mut tally = Tally::default();
        for number in 0..MOST_LINES + 100 {
            tally.count(turned(Effect::Lost, &number.to_string(), "1"));
        }
        let (lines, _) = tally.lines();
        assert_eq!(lines.len(), MOST_LINES + 1);
        assert_eq!(lines.iter().map(|line| line.count).sum::<u64>(), (MOST_LINES + 100) as u64);
        assert_eq!((lines[0].resource.as_str(), lines[0].count), (OTHERS, 100));
    }
}
