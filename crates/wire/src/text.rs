//! Texts that AWS constrains: length, pattern, and what a type says about a text that breaks them.

use regex::Regex;
use std::sync::OnceLock;

/// The constraints of one type of text, as AWS's model states them. The derive `Text` makes them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TextRules {
    /// The least number of characters (Unicode scalar values).
    pub min: usize,
    /// The greatest number of characters.
    pub max: usize,
    /// The pattern as the model prints it, which messages repeat; empty for none. The whole text must match.
    pub pattern: &'static str,
    /// How the pattern is decided.
    pub matcher: Matcher,
    /// Whether messages leave the text out.
    pub quiet: bool,
    /// What AWS says of a text that breaks the pattern, where it has words of its own for it; `{}` is the member's name. Empty: the
    /// framework's words.
    pub says: &'static str,
}

/// How a pattern is decided.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Matcher {
    /// Everything matches.
    Any,
    /// Every character is of one class; `empty` tells whether no character at all will do.
    Each {
        /// A bit for each ASCII character.
        ascii: u128,
        /// The others: sorted ranges, both ends included.
        beyond: &'static [(char, char)],
        /// Whether the empty text matches.
        empty: bool,
    },
    /// A regular expression, anchored at both ends, in the syntax of the `regex` crate.
    Regex(&'static str),
}

/// A regular expression that is compiled when it is first needed. Each type has one.
#[derive(Debug)]
pub struct Compiled(OnceLock<Option<Regex>>);

impl Compiled {
    /// Not compiled yet.
    pub const fn new() -> Self {
        Compiled(OnceLock::new())
    }
}

impl Default for Compiled {
    fn default() -> Self {
        Self::new()
    }
}

impl TextRules {
    /// No constraint.
    pub const ANY: &'static TextRules = &TextRules { min: 0, max: usize::MAX, pattern: "", matcher: Matcher::Any, quiet: false, says: "" };

    /// Holds a text against the rules.
    ///
    /// # Errors
    /// Every constraint that it breaks, in AWS's words.
    pub fn check(&self, text: &str, compiled: &Compiled) -> Result<(), Vec<String>> {
        // Bytes bound characters from above and, times four, from below: mostly there is nothing to count.
        let bytes = text.len();
        let (short, long) = if bytes <= self.max && bytes / 4 >= self.min {
            (false, false)
        } else {
            let length = text.chars().count();
            (length < self.min, length > self.max)
        };
        let matches = self.matches(text, compiled);
        if !short && !long && matches {
            return Ok(());
        }
        let mut broken = vec![];
        if short {
            broken.push(format!("Member must have length greater than or equal to {}", self.min));
        }
        if long {
            broken.push(format!("Member must have length less than or equal to {}", self.max));
        }
        if !matches {
            broken.push(self.pattern_message());
        }
        Err(broken)
    }

    /// Whether the pattern can be decided at all. (The derive refuses what does not parse; this also finds what is too large.)
    pub fn compiles(&self) -> bool {
        match self.matcher {
            Matcher::Any | Matcher::Each { .. } => true,
            Matcher::Regex(regex) => Regex::new(regex).is_ok(),
        }
    }

    /// Every rule there is, broken or not.
    pub(crate) fn together(&self) -> Option<String> {
        let mut rules = vec![];
        if self.max < usize::MAX {
            rules.push(format!("Member must have length less than or equal to {}", self.max));
        }
        if self.max < usize::MAX || self.min > 0 {
            rules.push(format!("Member must have length greater than or equal to {}", self.min));
        }
        if !self.pattern.is_empty() {
            rules.push(self.pattern_message());
        }
        (!rules.is_empty()).then(|| rules.join(", "))
    }

    /// What a text that does not match is told.
    pub(crate) fn pattern_message(&self) -> String {
        format!("Member must satisfy regular expression pattern: {}", self.pattern)
    }

    fn matches(&self, text: &str, compiled: &Compiled) -> bool {
        match self.matcher {
            Matcher::Any => true,
            Matcher::Each { ascii, beyond, empty } => {
                (empty || !text.is_empty())
                    && text.chars().all(|c| if c.is_ascii() { ascii >> u32::from(c) & 1 == 1 } else { within(beyond, c) })
            }
            // A pattern that does not compile matches nothing: closed, not open.
            Matcher::Regex(regex) => compiled.0.get_or_init(|| Regex::new(regex).ok()).as_ref().is_some_and(|regex| regex.is_match(text)),
        }
    }
}

fn within(ranges: &[(char, char)], c: char) -> bool {
    let after = ranges.partition_point(|(first, _)| *first <= c);
    after.checked_sub(1).and_then(|at| ranges.get(at)).is_some_and(|(_, last)| c <= *last)
}
