//! Texts of a policy that may hold wildcards and variables. Rules:
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html>.
//! `*` is any run of characters, `?` is one. `${key}` and `${key, 'text'}` are filled from the request; what fills them is literal, whatever is in it.
//! `${*}`, `${?}` and `${$}` are those characters. Before version 2012-10-17 everything between `${` and `}` is literal text, wildcards included.

use std::borrow::Cow;
use std::iter;

use crate::facts::{Facts, Values, lower};

/// A text of a policy, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    pieces: Box<[Piece]>,
    /// It holds a `${…}` that is no variable: it matches nothing.
    broken: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    Literal(Box<str>),
    /// `?`
    One,
    /// `*`
    Any,
    Variable(Box<Filled>),
}

/// A variable of a compiled pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Filled {
    /// Which of the pattern's variables it is.
    at: usize,
    /// In lower case.
    key: Box<str>,
    shown: Box<str>,
    fallback: Option<Box<str>>,
}

/// A variable as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Variable<'a> {
    pub(crate) shown: &'a str,
    pub(crate) fallback: Option<&'a str>,
}

/// How a text is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reading {
    /// `*` and `?` are wildcards.
    pub(crate) wildcards: bool,
    pub(crate) dollar: Dollar,
}

/// What `${` begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dollar {
    /// A variable: version 2012-10-17.
    Variable,
    /// Text up to the next `}`: version 2008-10-17.
    Text,
    /// Nothing: elements that know neither.
    Plain,
}

/// How a text relates to a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Match {
    Yes,
    No,
    /// The pattern has a variable that the request does not fill, or is broken: it matches nothing, and what says `Not` may not rest on it either.
    Unfilled,
}

/// One step of reading a text.
enum Token<'a> {
    Char(char),
    /// Literal text.
    Text(&'a str),
    One,
    Any,
    Variable(Variable<'a>),
    Broken,
}

/// What stands at the start of `rest`, and how many bytes it takes.
fn token(rest: &str, reading: Reading) -> Option<(Token<'_>, usize)> {
    let first = rest.chars().next()?;
    let found = match (first, reading.dollar) {
        ('*', _) if reading.wildcards => Token::Any,
        ('?', _) if reading.wildcards => Token::One,
        ('$', Dollar::Variable) if rest.starts_with("${") => return Some(variable(rest)),
        ('$', Dollar::Text) if rest.starts_with("${") => {
            let text = rest.split_inclusive('}').next().filter(|text| text.ends_with('}')).unwrap_or("${");
            return Some((Token::Text(text), text.len()));
        }
        _ => Token::Char(first),
    };
    Some((found, first.len_utf8()))
}

/// `${key}`, `${key, 'text'}`, `${*}`, `${?}`, `${$}`.
fn variable(rest: &str) -> (Token<'_>, usize) {
    let inner = rest.get(2..).unwrap_or_default();
    let broken = (Token::Broken, rest.len());
    let Some(stop) = inner.find(['}', ',']) else { return broken };
    let (key, tail) = inner.split_at(stop);
    if key.trim() != key {
        return broken;
    }
    if tail.starts_with('}') {
        let found = match key {
            "" => return broken,
            "*" | "?" | "$" => Token::Text(key),
            _ => Token::Variable(Variable { shown: key, fallback: None }),
        };
        return (found, 2 + stop + 1);
    }
    // Exactly comma, space, single quotes.
    match tail.strip_prefix(", '").and_then(|text| text.split_once("'}")) {
        Some((text, _)) if !key.is_empty() => {
            (Token::Variable(Variable { shown: key, fallback: Some(text) }), 2 + stop + 3 + text.len() + 2)
        }
        _ => broken,
    }
}

/// The variables of a text of version 2012-10-17.
pub(crate) fn variables(text: &str) -> impl Iterator<Item = Variable<'_>> {
    let reading = Reading { wildcards: false, dollar: Dollar::Variable };
    let mut rest = text;
    iter::from_fn(move || {
        loop {
            let (found, length) = token(rest, reading)?;
            rest = rest.get(length..)?;
            if let Token::Variable(variable) = found {
                return Some(variable);
            }
        }
    })
}

/// True if the text holds a `${…}` that is no variable.
pub(crate) fn is_broken(text: &str) -> bool {
    Pattern::new(text, Reading { wildcards: false, dollar: Dollar::Variable }).broken
}

/// The six parts of an ARN, or of what should be one; colons inside a variable separate nothing. Fewer if there are fewer.
pub(crate) fn parts(text: &str, dollar: Dollar) -> Vec<&str> {
    let reading = Reading { wildcards: false, dollar: if dollar == Dollar::Variable { dollar } else { Dollar::Plain } };
    let mut parts = Vec::with_capacity(6);
    let (mut start, mut at) = (0, 0);
    while parts.len() < 5 {
        let Some((found, length)) = text.get(at..).and_then(|rest| token(rest, reading)) else { break };
        at += length;
        if matches!(found, Token::Char(':')) {
            parts.extend(text.get(start..at - 1));
            start = at;
        }
    }
    parts.extend(text.get(start..));
    parts
}

impl Pattern {
    pub(crate) fn new(text: &str, reading: Reading) -> Pattern {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut broken = false;
        let mut variables = 0;
        let mut rest = text;
        while let Some((found, length)) = token(rest, reading) {
            rest = rest.get(length..).unwrap_or_default();
            let piece = match found {
                Token::Char(c) => {
                    literal.push(c);
                    continue;
                }
                Token::Text(text) => {
                    literal.push_str(text);
                    continue;
                }
                Token::Broken => {
                    broken = true;
                    continue;
                }
                Token::Any if literal.is_empty() && matches!(pieces.last(), Some(Piece::Any)) => continue,
                Token::Any => Piece::Any,
                Token::One => Piece::One,
                Token::Variable(Variable { shown, fallback }) => {
                    variables += 1;
                    Piece::Variable(Box::new(Filled {
                        at: variables - 1,
                        key: lower(shown).into(),
                        shown: shown.into(),
                        fallback: fallback.map(Into::into),
                    }))
                }
            };
            if !literal.is_empty() {
                pieces.push(Piece::Literal(std::mem::take(&mut literal).into()));
            }
            pieces.push(piece);
        }
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal.into()));
        }
        Pattern { pieces: pieces.into(), broken }
    }

    pub(crate) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    pub(crate) fn is_broken(&self) -> bool {
        self.broken
    }

    /// Its text, of one that has no variables.
    pub(crate) fn plain(&self) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Literal(text) => text.clone(),
            Piece::One => "?".into(),
            Piece::Any => "*".into(),
            Piece::Variable(variable) => variable.shown.clone(),
        };
        self.pieces.iter().map(piece).collect()
    }

    /// The text that everything it matches begins with, as far as it is known before the request, and what follows that text.
    pub(crate) fn prefix(&self) -> (&str, &[Piece]) {
        match self.pieces.split_first() {
            Some((Piece::Literal(text), rest)) => (text, rest),
            _ => ("", &self.pieces),
        }
    }

    /// Calls `missing` for each variable that the request does not fill.
    pub(crate) fn unfilled(&self, facts: &dyn Facts, missing: &mut dyn FnMut(&str)) {
        for piece in &self.pieces {
            if let Piece::Variable(filled) = piece
                && filled.fallback.is_none()
                && facts.get(&filled.key).is_none()
            {
                missing(&filled.shown);
            }
        }
    }

    /// The values of its variables; none if one of them has none.
    fn fill<'a>(&'a self, facts: &'a dyn Facts) -> Option<Fillings<'a>> {
        let mut fillings = Fillings::default();
        if self.broken {
            return None;
        }
        for piece in &self.pieces {
            if let Piece::Variable(filled) = piece {
                fillings.push(filled.at, filled.value(facts)?);
            }
        }
        Some(fillings)
    }

    /// Compares with all of `text`; case counts.
    pub(crate) fn matches(&self, text: &str, facts: &dyn Facts) -> Match {
        self.compare::<false>(text, facts)
    }

    /// Compares with all of `text`; ASCII letters of both cases are equal.
    pub(crate) fn matches_folded(&self, text: &str, facts: &dyn Facts) -> Match {
        self.compare::<true>(text, facts)
    }

    fn compare<const FOLD: bool>(&self, text: &str, facts: &dyn Facts) -> Match {
        // Most texts of most policies.
        if let ([Piece::Literal(own)], false) = (&*self.pieces, self.broken) {
            let is_same = if FOLD { own.eq_ignore_ascii_case(text) } else { **own == *text };
            return if is_same { Match::Yes } else { Match::No };
        }
        match self.fill(facts) {
            None => Match::Unfilled,
            Some(fillings) if greedy::<FOLD>(&self.pieces, text.as_bytes(), &fillings) => Match::Yes,
            Some(_) => Match::No,
        }
    }

    /// Compares with all of `text` without regard to case, in all alphabets. For patterns without wildcards.
    pub(crate) fn equals_caseless(&self, text: &str, facts: &dyn Facts) -> Match {
        let Some(fillings) = self.fill(facts) else { return Match::Unfilled };
        let ours = self.pieces.iter().flat_map(|piece| piece.literal(&fillings).unwrap_or_default().chars()).flat_map(char::to_lowercase);
        if ours.eq(text.chars().flat_map(char::to_lowercase)) { Match::Yes } else { Match::No }
    }

    /// About how many bytes it takes beside itself.
    pub(crate) fn weight(&self) -> usize {
        let piece = |piece: &Piece| match piece {
            Piece::Literal(text) => text.len(),
            Piece::Variable(filled) => {
                size_of::<Filled>() + filled.key.len() + filled.shown.len() + filled.fallback.as_ref().map_or(0, |text| text.len())
            }
            Piece::One | Piece::Any => 0,
        };
        self.pieces.iter().map(|each| size_of::<Piece>() + piece(each)).sum()
    }
}

impl Filled {
    /// What the variable stands for: the value of a single-valued key; where the key is absent, the default.
    fn value<'a>(&'a self, facts: &'a dyn Facts) -> Option<&'a str> {
        match facts.get(&self.key) {
            Some(Values::One(text)) => Some(text),
            Some(Values::Many(_)) => None,
            None => self.fallback.as_deref(),
        }
    }
}

/// What the variables of a pattern stand for, asked once. More than eight of them in one text go to the heap.
#[derive(Default)]
struct Fillings<'a> {
    few: [&'a str; 8],
    more: Vec<&'a str>,
}

impl<'a> Fillings<'a> {
    /// Values come in the order of their variables.
    fn push(&mut self, at: usize, value: &'a str) {
        match self.few.get_mut(at) {
            Some(slot) => *slot = value,
            None => self.more.push(value),
        }
    }

    fn get(&self, at: usize) -> &'a str {
        let value = self.few.get(at).or_else(|| self.more.get(at - self.few.len()));
        value.copied().unwrap_or_default()
    }
}

impl Piece {
    /// What it stands for, if it is no wildcard.
    fn literal<'a>(&'a self, fillings: &Fillings<'a>) -> Option<&'a str> {
        match self {
            Piece::Literal(text) => Some(text),
            Piece::Variable(filled) => Some(fillings.get(filled.at)),
            Piece::One | Piece::Any => None,
        }
    }
}

/// Matches in at most text × pattern steps: after a mismatch only the last `*` takes one character more, since what an earlier one could take, the
/// last one can take as well.
fn greedy<'a, const FOLD: bool>(pieces: &'a [Piece], text: &[u8], fillings: &Fillings<'a>) -> bool {
    let (mut left, mut rest) = (pieces, text);
    let mut star: Option<(&[Piece], &[u8])> = None;
    loop {
        let step = match left.split_first() {
            None if rest.is_empty() => return true,
            None => None,
            Some((Piece::Any, [])) => return true,
            Some((Piece::Any, after)) => {
                star = Some((after, rest));
                Some((after, rest))
            }
            Some((Piece::One, after)) => skip_one(rest).map(|rest| (after, rest)),
            Some((piece, after)) => {
                piece.literal(fillings).and_then(|literal| strip::<FOLD>(rest, literal.as_bytes())).map(|rest| (after, rest))
            }
        };
        (left, rest) = match (step, star) {
            (Some(next), _) => next,
            (None, Some((after, from))) => {
                let Some(from) = skip_one(from) else { return false };
                star = Some((after, from));
                (after, from)
            }
            (None, None) => return false,
        };
    }
}

/// The text behind its first character.
fn skip_one(text: &[u8]) -> Option<&[u8]> {
    let (_, mut rest) = text.split_first()?;
    while let Some((byte, after)) = rest.split_first()
        && byte & 0xC0 == 0x80
    {
        rest = after;
    }
    Some(rest)
}

fn strip<'t, const FOLD: bool>(text: &'t [u8], prefix: &[u8]) -> Option<&'t [u8]> {
    let (head, rest) = text.split_at_checked(prefix.len())?;
    let equal = if FOLD { head.eq_ignore_ascii_case(prefix) } else { head == prefix };
    equal.then_some(rest)
}

/// Writes a text so that a pattern of version 2012-10-17 matches it alone.
pub(crate) fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(['*', '?', '$']) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '*' => escaped.push_str("${*}"),
            '?' => escaped.push_str("${?}"),
            '$' => escaped.push_str("${$}"),
            _ => escaped.push(c),
        }
    }
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests;
