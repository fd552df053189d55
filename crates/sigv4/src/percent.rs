//! Percent-encoding as signatures write it: letters, digits, `-`, `.`, `_`, `~` as they are, all else as `%` and two upper-case digits.
//! Text that comes encoded is brought into that form escape by escape, so that two texts with another meaning never become one:
//! an encoded slash stays encoded, and so does an encoded plus. A bare `+` stays what it is, since some readers take it for a space.

use std::cmp::Ordering;

use crate::canonical::Sink;
use crate::request::{any, parts};

/// The text holds what no request line can hold, or a `%` that is not followed by two hexadecimal digits.
#[derive(Debug)]
pub(crate) struct Malformed;

/// What is never encoded.
#[expect(clippy::indexing_slicing, reason = "the compiler evaluates it, and would refuse an index out of bounds")]
const UNRESERVED: [bool; 256] = {
    let mut set = [false; 256];
    let mut byte = 0u8;
    while byte < 128 {
        set[byte as usize] = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        byte += 1;
    }
    set
};

fn unreserved(byte: u8) -> bool {
    UNRESERVED.get(usize::from(byte)).copied().unwrap_or_default()
}

/// What a request target never holds in the clear: blanks, control characters, and the fragment that clients keep for themselves.
const fn forbidden(byte: u8) -> bool {
    byte <= b' ' || byte == 0x7f || byte == b'#'
}

const fn escape(byte: u8) -> [u8; 3] {
    const fn digit(value: u8) -> u8 {
        if value < 10 { b'0' + value } else { b'A' + value - 10 }
    }
    [b'%', digit(byte >> 4), digit(byte & 15)]
}

/// What each hexadecimal digit says, in either case, and 255 for what is none. A table, since which digit comes is not predictable.
#[expect(clippy::indexing_slicing, reason = "the compiler evaluates it, and would refuse an index out of bounds")]
const DIGITS: [u8; 256] = {
    let mut values = [255; 256];
    let mut value = 0;
    while value < 16 {
        values[b"0123456789ABCDEF"[value] as usize] = value as u8;
        values[b"0123456789abcdef"[value] as usize] = value as u8;
        value += 1;
    }
    values
};

/// The byte that two digits make.
fn byte(high: u8, low: u8) -> Option<u8> {
    let [high, low] = [high, low].map(|digit| DIGITS.get(usize::from(digit)).copied().unwrap_or(255));
    ((high | low) < 16).then_some(high << 4 | low & 15)
}

/// One unit of encoded text, in the form that signatures write.
enum Unit {
    Plain(u8),
    Escaped([u8; 3]),
}

/// Takes one unit off the front of `text`, which is not empty.
fn unit(text: &[u8]) -> Result<(Unit, &[u8]), Malformed> {
    match text {
        [b'%', high, low, rest @ ..] => {
            let byte = byte(*high, *low).ok_or(Malformed)?;
            Ok((if unreserved(byte) { Unit::Plain(byte) } else { Unit::Escaped(escape(byte)) }, rest))
        }
        [byte, rest @ ..] if unreserved(*byte) || *byte == b'+' => Ok((Unit::Plain(*byte), rest)),
        [byte, rest @ ..] if *byte != b'%' && !forbidden(*byte) => Ok((Unit::Escaped(escape(*byte)), rest)),
        _ => Err(Malformed),
    }
}

/// Whether text is already in the form that signatures write, as nearly all text is. `keep` are two more bytes that stay as they are.
pub(crate) fn is_settled(text: &[u8], keep: [u8; 2]) -> bool {
    // Spelled out, so that the compiler may test many bytes at once.
    let foreign = |byte: u8| {
        let letter = (byte | 32).wrapping_sub(b'a') < 26;
        let digit = byte.wrapping_sub(b'0') < 10;
        let other = (byte == b'-')
            | (byte == b'.')
            | (byte == b'_')
            | (byte == b'~')
            | (byte == b'+')
            | (byte == b'%')
            | (byte == keep[0])
            | (byte == keep[1]);
        !(letter | digit | other)
    };
    let settled = |place: usize| match text.get(place + 1..) {
        Some([high, low, ..]) => byte(*high, *low).is_some_and(|byte| !unreserved(byte)) & (*high < b'a') & (*low < b'a'),
        _ => false,
    };
    !any(text, foreign) && memchr::memchr_iter(b'%', text).all(settled)
}

/// Writes encoded text in the form that signatures write; bytes equal to `keep` stay as they are.
pub(crate) fn write_encoded(sink: &mut impl Sink, text: &str, keep: u8) -> Result<(), Malformed> {
    let mut rest = text.as_bytes();
    if is_settled(rest, [keep; 2]) {
        sink.put(rest);
        return Ok(());
    }
    while let [byte, after @ ..] = rest {
        if *byte == keep {
            sink.byte(keep);
            rest = after;
            continue;
        }
        let (unit, after) = unit(rest)?;
        match unit {
            Unit::Plain(byte) => sink.byte(byte),
            Unit::Escaped(escape) => sink.put(&escape),
        }
        rest = after;
    }
    Ok(())
}

/// Encodes text that is taken as it is, a `%` in it too.
pub(crate) fn write_raw(sink: &mut impl Sink, text: &str) -> Result<(), Malformed> {
    let mut rest = text.as_bytes();
    loop {
        let plain = rest.iter().take_while(|byte| unreserved(**byte)).count();
        let (ready, after) = rest.split_at_checked(plain).unwrap_or((rest, &[]));
        sink.put(ready);
        let [byte, after @ ..] = after else { return Ok(()) };
        if forbidden(*byte) {
            return Err(Malformed);
        }
        sink.put(&escape(*byte));
        rest = after;
    }
}

/// Compares two encoded texts by the form that signatures write. A byte that [`write_encoded`] would refuse counts as itself, so this is an
/// order on any text, and sorting by it is safe before anything was checked.
pub(crate) fn compare(left: &str, right: &str) -> Ordering {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    let same = left.iter().zip(right).take_while(|(l, r)| l == r && unreserved(**l)).count();
    units(left.get(same..).unwrap_or_default()).cmp(units(right.get(same..).unwrap_or_default()))
}

fn units(text: &[u8]) -> impl Iterator<Item = [u8; 4]> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let [first, after @ ..] = rest else { return None };
        let (unit, after) = unit(rest).unwrap_or((Unit::Plain(*first), after));
        rest = after;
        Some(match unit {
            Unit::Plain(byte) => [byte, 0, 0, 0],
            Unit::Escaped([percent, high, low]) => [percent, 1, high, low],
        })
    })
}

/// Decodes encoded text. None where an escape is malformed or the bytes are not UTF-8.
pub(crate) fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut pieces = parts(text, b'%');
    bytes.extend_from_slice(pieces.next()?.as_bytes());
    for piece in pieces {
        let [high, low, rest @ ..] = piece.as_bytes() else { return None };
        bytes.push(byte(*high, *low)?);
        bytes.extend_from_slice(rest);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(text: &str) -> Option<String> {
        let mut sink = Vec::new();
        write_encoded(&mut sink, text, b'/').ok().map(|()| String::from_utf8(sink).unwrap())
    }

    #[test]
    fn escapes_are_brought_into_one_form() {
        for (text, form) in [
            ("", ""),
            ("a-b.c_d~e/f", "a-b.c_d~e/f"),
            ("a%2fb", "a%2Fb"),
            ("%7Eu%41", "~uA"),
            ("a+b%2Bc%20d", "a+b%2Bc%20d"),
            ("(!*')", "%28%21%2A%27%29"),
            ("é%C3%a9", "%C3%A9%C3%A9"),
            ("%25%32%35", "%2525"),
            ("a=b?c&d", "a%3Db%3Fc%26d"),
        ] {
            assert_eq!(encoded(text).as_deref(), Some(form), "{text}");
            assert_eq!(encoded(form).as_deref(), Some(form), "once more changes nothing");
        }
    }

    #[test]
    fn what_no_request_line_holds_is_refused() {
        for text in ["%", "%4", "%zz", "a b", "a\tb", "a#b", "a\u{7f}b", "a\nb", "%4\u{e9}"] {
            assert_eq!(encoded(text), None, "{text}");
        }
    }

    #[test]
    fn order_is_that_of_the_written_form() {
        let texts = ["", "a", "a%2F", "%61", "a/", "b", "~", "%7e", "a+", "a%2B", "A", "a%C3%A9", "aé", "-", "0"];
        for left in texts {
            for right in texts {
                let form = |text| {
                    let mut sink = Vec::new();
                    write_encoded(&mut sink, text, b'a').unwrap();
                    sink
                };
                assert_eq!(compare(left, right), form(left).cmp(&form(right)), "{left} {right}");
            }
        }
    }

    #[test]
    fn malformed_text_has_an_order_too() {
        let mut texts: Vec<String> = (0..40u8)
            .map(|n| ["%", "a", "%2", "%2F", "F", "+", "é", "%zz"].iter().cycle().skip(n.into()).step_by(3).take(4).copied().collect())
            .collect();
        texts.sort_unstable_by(|left, right| compare(left, right));
        assert!(texts.windows(2).all(|pair| compare(&pair[0], &pair[1]).is_le()));
    }

    #[test]
    fn decoding_reverses_encoding() {
        assert_eq!(decode("AKIA%2F2015%2Fx+y").as_deref(), Some("AKIA/2015/x+y"));
        assert_eq!(decode("%FF"), None);
        assert_eq!(decode("a%2"), None);
    }
}
