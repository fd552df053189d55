//! A JSON writer for records: straight into the buffer, bounded, and unable to write a member that [`redact`](crate::redact) names.

use crate::redact::{self, Fate, HIDDEN};
use crate::time;

/// The bytes that escaping treats as ordinary: printable ASCII but `"` and `\`.
const fn is_plain(byte: u8) -> bool {
    byte >= 0x20 && byte < 0x7f && byte != b'"' && byte != b'\\'
}

/// Which bytes of eight need a look: the lowest bit that is set lies in the first of them.
fn special(eight: [u8; 8]) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const TOPS: u64 = 0x8080_8080_8080_8080;
    let word = u64::from_le_bytes(eight);
    let zero = |word: u64| word.wrapping_sub(ONES);
    // The classic tests for a byte below 0x20 and for a byte that is zero; a byte above 0x7f has its top bit set by itself. What they
    // borrow they borrow from bytes further up, so the first that is found is one.
    (word.wrapping_sub(ONES * 0x20) | zero(word ^ (ONES * 0x22)) | zero(word ^ (ONES * 0x5c)) | zero(word ^ (ONES * 0x7f)) | word) & TOPS
}

/// How many bytes at the front of `bytes` need no look: eight at a time, the last eight again with some of those before.
fn plain_prefix(bytes: &[u8]) -> usize {
    let within = |found: u64| found.trailing_zeros() as usize / 8;
    let (eights, rest) = bytes.as_chunks::<8>();
    for (nth, eight) in eights.iter().enumerate() {
        let found = special(*eight);
        if found != 0 {
            return 8 * nth + within(found);
        }
    }
    match bytes.last_chunk::<8>() {
        Some(_) if rest.is_empty() => bytes.len(),
        Some(last) => match special(*last) {
            0 => bytes.len(),
            found => bytes.len() - 8 + within(found),
        },
        None => rest.iter().take_while(|byte| is_plain(**byte)).count(),
    }
}

/// Whether a character could change what a reader of the log sees without being seen: controls, separators, directions.
fn is_invisible(character: char) -> bool {
    character.is_control() || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Appends `text` with everything escaped that JSON or a terminal would take for something else; no quotes around it.
pub(crate) fn write_escaped(out: &mut Vec<u8>, text: &str) {
    let mut rest = text;
    loop {
        let (clean, tail) = rest.split_at(plain_prefix(rest.as_bytes()));
        out.extend_from_slice(clean.as_bytes());
        let mut characters = tail.chars();
        let Some(special) = characters.next() else { return };
        match special {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            '\n' => out.extend_from_slice(b"\\n"),
            '\r' => out.extend_from_slice(b"\\r"),
            '\t' => out.extend_from_slice(b"\\t"),
            // All of these lie in the basic plane.
            unseen if is_invisible(unseen) => out.extend_from_slice(format!("\\u{:04x}", u32::from(unseen)).as_bytes()),
            seen => out.extend_from_slice(seen.encode_utf8(&mut [0; 4]).as_bytes()),
        }
        rest = characters.as_str();
    }
}

/// Appends `text` as a JSON string.
pub(crate) fn write_text(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    write_escaped(out, text);
    out.push(b'"');
}

/// `text` cut to `most` bytes, at a character's end.
pub(crate) fn bounded(text: &str, most: usize) -> &str {
    text.get(..text.floor_char_boundary(most)).unwrap_or(text)
}

/// Appends a whole number.
pub(crate) fn write_number(out: &mut Vec<u8>, number: i64) {
    let mut digits = [b'0'; 20];
    let mut at = digits.len();
    let mut rest = number.unsigned_abs();
    for digit in digits.iter_mut().rev() {
        at -= 1;
        *digit = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(digits.get(at..).unwrap_or_default());
}

/// Where a tree goes, and how far it may.
#[derive(Debug)]
struct Sink {
    bytes: Vec<u8>,
    /// The length of `bytes` from which on nothing more is taken.
    limit: usize,
    /// Whether something was left out for want of room.
    cut: bool,
}

impl Sink {
    fn room(&self) -> usize {
        self.limit.saturating_sub(self.bytes.len())
    }
}

/// Appends one object, whose text takes about `room` bytes at most. Says whether all of it fitted.
pub(crate) fn write_object(out: &mut Vec<u8>, room: usize, write: impl FnOnce(&mut Object<'_>)) -> bool {
    let mut sink = Sink { limit: out.len().saturating_add(room), bytes: std::mem::take(out), cut: false };
    Value { sink: &mut sink, fate: Fate::Keep }.object(write);
    *out = sink.bytes;
    !sink.cut
}

/// An object that is being written: see [`Value::object`].
#[derive(Debug)]
pub struct Object<'s> {
    sink: &'s mut Sink,
    first: bool,
}

impl Object<'_> {
    /// A member of an AWS shape, by its name in the model. It is shown with a lower-case first letter, as CloudTrail does, and its value is
    /// left out or hidden where [`redact::fate`] says so.
    pub fn member(&mut self, name: &str) -> Value<'_> {
        self.begin(name, redact::fate(name), true)
    }

    /// An entry of a map whose keys are data: the key is shown as it is. A value that its key would make a secret member is hidden too.
    pub fn entry(&mut self, key: &str) -> Value<'_> {
        self.begin(key, redact::fate(key), false)
    }

    fn begin(&mut self, name: &str, fate: Fate, lower: bool) -> Value<'_> {
        let fate = if self.sink.room() < name.len() {
            self.sink.cut = true;
            Fate::LeaveOut
        } else {
            fate
        };
        if fate != Fate::LeaveOut {
            if !std::mem::take(&mut self.first) {
                self.sink.bytes.push(b',');
            }
            self.sink.bytes.push(b'"');
            let start = self.sink.bytes.len();
            write_escaped(&mut self.sink.bytes, name);
            if let Some(initial) = self.sink.bytes.get_mut(start).filter(|_| lower) {
                initial.make_ascii_lowercase();
            }
            self.sink.bytes.extend_from_slice(b"\":");
        }
        Value { sink: self.sink, fate }
    }
}

/// A list that is being written: see [`Value::list`].
#[derive(Debug)]
pub struct List<'s> {
    sink: &'s mut Sink,
    first: bool,
}

impl List<'_> {
    /// The next element.
    pub fn item(&mut self) -> Value<'_> {
        let fate = if self.sink.room() == 0 {
            self.sink.cut = true;
            Fate::LeaveOut
        } else {
            Fate::Keep
        };
        if fate != Fate::LeaveOut && !std::mem::take(&mut self.first) {
            self.sink.bytes.push(b',');
        }
        Value { sink: self.sink, fate }
    }
}

/// The place of one value; each of its methods fills it.
#[derive(Debug)]
#[must_use = "a member without a value is not JSON"]
pub struct Value<'s> {
    sink: &'s mut Sink,
    fate: Fate,
}

impl Value<'_> {
    /// Writes what the name's fate allows, through `write` if that is the value itself.
    fn fill(self, write: impl FnOnce(&mut Sink)) {
        match self.fate {
            Fate::Keep => write(self.sink),
            Fate::Hide => write_text(&mut self.sink.bytes, HIDDEN),
            Fate::LeaveOut => {}
        }
    }

    /// A string. What does not fit is cut off; secrets in the query of a URL are hidden.
    pub fn text(self, text: &str) {
        self.fill(|sink| {
            // Cut first, so that what is left out costs nothing; again afterwards, since what hides a secret may be longer than it was.
            let first = bounded(text, sink.room());
            let clean = redact::text(first);
            let fitting = bounded(&clean, sink.room());
            sink.cut |= first.len() < text.len() || fitting.len() < clean.len();
            write_text(&mut sink.bytes, fitting);
        });
    }

    /// `true` or `false`.
    pub fn bool(self, value: bool) {
        self.fill(|sink| sink.bytes.extend_from_slice(if value { b"true" } else { b"false" }));
    }

    /// A whole number.
    pub fn number(self, number: i64) {
        self.fill(|sink| write_number(&mut sink.bytes, number));
    }

    /// A number with a fraction; what JSON has no number for is null.
    pub fn fraction(self, number: f64) {
        self.fill(|sink| {
            let text = if number.is_finite() { number.to_string() } else { "null".to_owned() };
            sink.bytes.extend_from_slice(text.as_bytes());
        });
    }

    /// A time in seconds since 1970, as CloudTrail shows those of IAM and STS: `Jul 18, 2014, 4:07:39 PM`.
    pub fn time(self, seconds: i64) {
        self.fill(|sink| {
            sink.bytes.push(b'"');
            time::write_words(&mut sink.bytes, seconds);
            sink.bytes.push(b'"');
        });
    }

    /// `null`.
    pub fn null(self) {
        self.fill(|sink| sink.bytes.extend_from_slice(b"null"));
    }

    /// An object, whose members `write` adds.
    pub fn object(self, write: impl FnOnce(&mut Object<'_>)) {
        self.fill(|sink| {
            sink.bytes.push(b'{');
            write(&mut Object { sink, first: true });
            sink.bytes.push(b'}');
        });
    }

    /// A list, whose elements `write` adds.
    pub fn list(self, write: impl FnOnce(&mut List<'_>)) {
        self.fill(|sink| {
            sink.bytes.push(b'[');
            write(&mut List { sink, first: true });
            sink.bytes.push(b']');
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(text: &str) -> String {
        let mut out = Vec::new();
        write_text(&mut out, text);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_character_comes_back_from_a_json_reader() {
        let mut all: String = (0..=0x2100).filter_map(char::from_u32).collect();
        all.push_str("\u{feff}\u{fffd}😀 and some ordinary text \" of more than eight bytes \\");
        assert_eq!(serde_json::from_str::<String>(&escaped(&all)).unwrap(), all);
        for start in 0..20 {
            let text = format!("{}\"\\\n{}", "x".repeat(start), "é".repeat(start));
            assert_eq!(serde_json::from_str::<String>(&escaped(&text)).unwrap(), text);
        }
    }

    #[test]
    fn the_plain_front_of_a_text_is_found_wherever_it_ends() {
        for length in 0..40 {
            for at in 0..=length {
                for byte in [0, 0x1f, b'"', b'\\', 0x7f, 0x80, 0xff] {
                    let mut bytes = vec![b'!'; length];
                    if let Some(place) = bytes.get_mut(at) {
                        *place = byte;
                    }
                    assert_eq!(plain_prefix(&bytes), at, "{length} {byte}");
                }
            }
        }
    }

    #[test]
    fn what_a_terminal_would_obey_is_escaped() {
        assert_eq!(escaped("a\u{1b}[31mb\u{7f}\u{9b}c"), r#""a\u001b[31mb\u007f\u009bc""#);
        assert_eq!(escaped("user\u{202e}nimda"), r#""user\u202enimda""#, "a text must not run backwards");
        assert_eq!(escaped("two\r\nlines\u{2028}"), r#""two\r\nlines\u2028""#);
    }

    #[test]
    fn numbers_are_written_whole() {
        for number in [0, 7, -1, 10, 1_234_567_890, i64::MAX, i64::MIN] {
            let mut out = Vec::new();
            write_number(&mut out, number);
            assert_eq!(out, number.to_string().as_bytes());
        }
    }

    #[test]
    fn members_are_named_as_cloudtrail_names_them_and_map_keys_are_left_alone() {
        let mut out = Vec::new();
        let whole = write_object(&mut out, 1_000, |object| {
            object.member("UserName").text("alice");
            object.member("SAMLProviderARN").text("arn");
            object.member("MaxItems").number(7);
            object.member("Ratio").fraction(0.5);
            object.member("SetAsDefault").bool(true);
            object.member("CreateDate").time(1_405_699_629);
            object.member("Tags").list(|list| list.item().object(|tag| tag.member("Key").text("team")));
            object.member("Map").object(|map| map.entry("Upper").null());
        });
        assert!(whole);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            concat!(
                r#"{"userName":"alice","sAMLProviderARN":"arn","maxItems":7,"ratio":0.5,"setAsDefault":true,"#,
                r#""createDate":"Jul 18, 2014, 4:07:09 PM","tags":[{"key":"team"}],"map":{"Upper":null}}"#
            )
        );
    }

    #[test]
    fn a_tree_that_is_too_long_is_cut_and_still_json() {
        for room in 0..400 {
            let mut out = b"before".to_vec();
            let whole = write_object(&mut out, room, |object| {
                for number in 0..10 {
                    object.member("Text").text("0123456789 \"éé\"");
                    object.member("List").list(|list| (0..3).for_each(|_| list.item().number(number)));
                }
            });
            let tree: serde_json::Value = serde_json::from_slice(&out["before".len()..]).unwrap();
            assert!(tree.is_object() && out.len() < room + 60, "{room}");
            assert!(!whole, "{room}");
        }
    }
}
