//! `a=b&c=d` as names and values.

use super::Limits;
use crate::Malformed;
use std::borrow::Cow;

/// A parameter: its name and its value, decoded.
pub(super) type Parameter<'a> = (Cow<'a, str>, Cow<'a, str>);

/// Adds the parameters of `text` to `found`.
pub(super) fn parameters<'a>(text: &'a [u8], limits: &Limits, found: &mut Vec<Parameter<'a>>) -> Result<(), Malformed> {
    for pair in text.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
        if found.len() == limits.parameters {
            return Err(Malformed::TooMany);
        }
        let (name, value) = match pair.iter().position(|byte| *byte == b'=') {
            Some(at) => (pair.get(..at).unwrap_or_default(), pair.get(at + 1..).unwrap_or_default()),
            None => (pair, &[][..]),
        };
        let name = decode(name)?;
        let depth = depth(&name).ok_or(Malformed::ParameterName)?;
        if depth > limits.depth {
            return Err(Malformed::TooDeep);
        }
        found.push((name, decode(value)?));
    }
    Ok(())
}

/// The number of parts of a name, if it is one. Names of AWS's models are letters, digits and dots. What else a name may hold does not matter,
/// but no part is empty, and nothing in it can be taken for the end of a part.
fn depth(name: &str) -> Option<usize> {
    let (mut parts, mut before) = (1, b'.');
    for byte in name.bytes() {
        if byte.is_ascii_control() || (byte == b'.' && before == b'.') {
            return None;
        }
        parts += usize::from(byte == b'.');
        before = byte;
    }
    (before != b'.').then_some(parts)
}

/// A part of a path: `+` is a plus there.
pub(super) fn path(text: &[u8]) -> Result<String, Malformed> {
    unescape(text, b'+').map(Cow::into_owned)
}

fn decode(text: &[u8]) -> Result<Cow<'_, str>, Malformed> {
    unescape(text, b' ')
}

/// Percent-decodes strictly: what looks like an escape is one, or the request is refused.
fn unescape(text: &[u8], plus: u8) -> Result<Cow<'_, str>, Malformed> {
    let Some(first) = text.iter().position(|byte| matches!(byte, b'%' | b'+')) else {
        return std::str::from_utf8(text).map(Cow::Borrowed).map_err(|_| Malformed::Utf8);
    };
    let mut out = Vec::with_capacity(text.len());
    out.extend_from_slice(text.get(..first).unwrap_or_default());
    let mut rest = text.get(first..).unwrap_or_default();
    loop {
        match rest {
            [] => break,
            [b'+', after @ ..] => {
                out.push(plus);
                rest = after;
            }
            [b'%', high, low, after @ ..] => {
                let (Some(high), Some(low)) = (hex(*high), hex(*low)) else { return Err(Malformed::Percent) };
                out.push(high << 4 | low);
                rest = after;
            }
            [b'%', ..] => return Err(Malformed::Percent),
            [byte, after @ ..] => {
                out.push(*byte);
                rest = after;
            }
        }
    }
    String::from_utf8(out).map(Cow::Owned).map_err(|_| Malformed::Utf8)
}

fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}
