//! Names of actions in a policy. Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html>.
//! Neither the service's prefix nor the name has case; wildcards stand in the name only, but for a bare `*`; white space is never trimmed.

use crate::facts::Nothing;
use crate::pattern::{Dollar, Match, Pattern, Piece, Reading};

/// What one text of `Action` or `NotAction` covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ActionPattern {
    All,
    Never,
    /// In lower case.
    Some(Pattern),
}

impl ActionPattern {
    /// `narrow`: where AWS's pages leave a reading open, the one that covers less.
    pub(crate) fn new(text: &str, narrow: bool) -> ActionPattern {
        if text == "*" {
            return ActionPattern::All;
        }
        // No page tells whether `*:*` is a bare `*`.
        if text == "*:*" {
            return if narrow { ActionPattern::Never } else { ActionPattern::All };
        }
        match text.split_once(':') {
            Some((service, name)) if !service.is_empty() && !service.contains(['*', '?']) && !name.is_empty() => {
                ActionPattern::Some(Pattern::new(&text.to_ascii_lowercase(), Reading { wildcards: true, dollar: Dollar::Plain }))
            }
            Some(_) | None => ActionPattern::Never,
        }
    }

    pub(crate) fn covers(&self, action: &str) -> bool {
        match self {
            ActionPattern::All => true,
            ActionPattern::Never => false,
            ActionPattern::Some(pattern) => pattern.matches_folded(action, &Nothing) == Match::Yes,
        }
    }

    /// What every action that it covers begins with, in lower case, and what else has to be looked at.
    pub(crate) fn index(&self) -> Option<(&str, Tail)> {
        match self {
            ActionPattern::All => Some(("", Tail::Free)),
            ActionPattern::Never => None,
            ActionPattern::Some(pattern) => {
                let (prefix, rest) = pattern.prefix();
                Some((prefix, Tail::of(rest)))
            }
        }
    }

    /// The one service that it is about, in lower case.
    pub(crate) fn service(&self) -> Option<&str> {
        match self {
            ActionPattern::All | ActionPattern::Never => None,
            ActionPattern::Some(pattern) => pattern.prefix().0.split_once(':').map(|(service, _)| service),
        }
    }

    /// Its text, in lower case, if it is about one service.
    pub(crate) fn text(&self) -> Option<String> {
        match self {
            ActionPattern::All | ActionPattern::Never => None,
            ActionPattern::Some(pattern) => Some(pattern.plain()),
        }
    }

    pub(crate) fn weight(&self) -> usize {
        match self {
            ActionPattern::All | ActionPattern::Never => 0,
            ActionPattern::Some(pattern) => pattern.weight(),
        }
    }
}

/// What follows the literal start of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tail {
    /// Nothing: the text must end there.
    End,
    /// Anything.
    Free,
    /// Something that has to be compared.
    Compare,
}

impl Tail {
    pub(crate) fn of(rest: &[Piece]) -> Tail {
        match rest {
            [] => Tail::End,
            [Piece::Any] => Tail::Free,
            _ => Tail::Compare,
        }
    }
}
