//! JSON with the place of every value. The grammar is serde_json's; what is ours: places, duplicate keys are refused, nesting is bounded.
//! Each level is read once more than the one above it, so the bound on nesting also bounds the work.

use std::fmt;

use serde::Deserializer as _;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::document::Place;

/// The deepest nesting that is read. A policy needs 7, a line of cases 11.
const DEEPEST: usize = 24;

/// One value.
#[derive(Debug)]
pub struct Node<'a> {
    /// What it is.
    pub value: Value<'a>,
    /// Of its first character.
    pub start: Place,
    /// Just behind its last character.
    pub end: Place,
    /// As it is written.
    pub raw: &'a str,
}

/// What a value is.
#[derive(Debug)]
pub enum Value<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// As it is written.
    Number(&'a str),
    /// Without its escapes.
    Text(String),
    /// In its order.
    List(Vec<Node<'a>>),
    /// In its order; no key stands twice.
    Object(Vec<Member<'a>>),
}

/// A member of an object.
#[derive(Debug)]
pub struct Member<'a> {
    /// Without its escapes.
    pub key: String,
    /// Of the key.
    pub place: Place,
    /// Its value.
    pub node: Node<'a>,
}

/// Why a text is not JSON that we take.
#[derive(Debug)]
pub struct Fault {
    /// In words, without the place.
    pub what: String,
    /// Where.
    pub place: Place,
    /// The text is no JSON; otherwise it is, but no one should write it so.
    pub is_syntax: bool,
}

/// Reads one JSON value, which must be the whole text.
///
/// # Errors
/// Not JSON, nested too deeply, or an object in which a key stands twice.
pub fn read(text: &str) -> Result<Node<'_>, Fault> {
    let mut cursor = Cursor { text, offset: 0, place: Place { line: 1, column: 1 } };
    let raw: &RawValue = serde_json::from_str(text).map_err(|error| Fault {
        what: words(&error),
        place: place_of(text, error.line(), error.column()),
        is_syntax: true,
    })?;
    cursor.node(raw, DEEPEST)
}

/// What serde_json says, without the place that it adds.
fn words(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(&place).map(str::to_owned).unwrap_or(text)
}

/// serde_json counts columns in bytes, and 0 for a line's end.
fn place_of(text: &str, line: usize, column: usize) -> Place {
    let before = text.split('\n').nth(line.saturating_sub(1)).unwrap_or_default();
    let bytes = column.saturating_sub(1).min(before.len());
    let column = before.char_indices().take_while(|(at, _)| *at < bytes).count() + 1;
    Place { line: u32::try_from(line).unwrap_or(u32::MAX), column: u32::try_from(column).unwrap_or(u32::MAX) }
}

/// Walks over the text once, from the start of each value to its end, counting lines and columns.
struct Cursor<'a> {
    text: &'a str,
    offset: usize,
    place: Place,
}

impl<'a> Cursor<'a> {
    /// The place at an offset, which never lies before the last one asked.
    fn advance(&mut self, offset: usize) -> Place {
        for byte in self.text.as_bytes().get(self.offset..offset).unwrap_or_default() {
            if *byte == b'\n' {
                self.place = Place { line: self.place.line.saturating_add(1), column: 1 };
            } else if byte & 0xC0 != 0x80 {
                self.place.column = self.place.column.saturating_add(1);
            }
        }
        self.offset = self.offset.max(offset);
        self.place
    }

    /// Where a part of the text begins in it.
    fn offset_of(&self, part: &str) -> usize {
        (part.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize)
    }

    fn node(&mut self, raw: &'a RawValue, deep: usize) -> Result<Node<'a>, Fault> {
        let raw = raw.get();
        let offset = self.offset_of(raw);
        let start = self.advance(offset);
        let refused = |what: String, place: Place| Fault { what, place, is_syntax: false };
        let inner = |error: serde_json::Error| Fault { what: words(&error), place: start, is_syntax: true };
        let Some(deeper) = deep.checked_sub(1) else {
            return Err(refused(format!("nested deeper than {DEEPEST} levels"), start));
        };
        let value = match raw.as_bytes().first() {
            Some(b'{') => {
                let members = serde_json::Deserializer::from_str(raw).deserialize_map(Members).map_err(inner)?;
                let keys =
                    members.iter().map(|(key, _)| serde_json::from_str(key.get())).collect::<Result<Vec<String>, _>>().map_err(inner)?;
                if let Some(twice) = twice(&keys)
                    && let (Some(key), Some((raw_key, _))) = (keys.get(twice), members.get(twice))
                {
                    let place = self.advance(self.offset_of(raw_key.get()));
                    return Err(refused(format!("{key:?} stands twice in one object"), place));
                }
                let mut nodes = Vec::with_capacity(members.len());
                for (key, (raw_key, value)) in keys.into_iter().zip(members) {
                    let place = self.advance(self.offset_of(raw_key.get()));
                    nodes.push(Member { key, place, node: self.node(value, deeper)? });
                }
                Value::Object(nodes)
            }
            Some(b'[') => {
                let items = serde_json::Deserializer::from_str(raw).deserialize_seq(Items).map_err(inner)?;
                Value::List(items.into_iter().map(|item| self.node(item, deeper)).collect::<Result<_, _>>()?)
            }
            Some(b'"') => Value::Text(serde_json::from_str(raw).map_err(inner)?),
            Some(b't') => Value::Bool(true),
            Some(b'f') => Value::Bool(false),
            Some(b'n') => Value::Null,
            Some(_) | None => Value::Number(raw),
        };
        let end = self.advance(offset + raw.len());
        Ok(Node { value, start, end, raw })
    }
}

/// The first key that was there before.
fn twice(keys: &[String]) -> Option<usize> {
    let mut order: Vec<(&String, usize)> = keys.iter().zip(0..).collect();
    order.sort_unstable();
    order.iter().zip(order.iter().skip(1)).filter(|(one, next)| one.0 == next.0).map(|(_, next)| next.1).min()
}

/// The members of an object, in their order, duplicates included.
struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Vec<(&'de RawValue, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(members)
    }
}

struct Items;

impl<'de> Visitor<'de> for Items {
    type Value = Vec<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(items)
    }
}

impl Node<'_> {
    /// What kind of value it is, for messages.
    pub fn noun(&self) -> &'static str {
        match &self.value {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::Text(_) => "a string",
            Value::List(_) => "a list",
            Value::Object(_) => "an object",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(line: u32, column: u32) -> Place {
        Place { line, column }
    }

    #[test]
    fn every_value_has_its_place() {
        let node = read("{\n  \"é\": [1, \"x\\u0041\"],\n  \"b\": {}}").unwrap();
        let Value::Object(members) = &node.value else { panic!("an object") };
        assert_eq!((members[0].place, members[1].place), (place(2, 3), place(3, 3)));
        let Value::List(list) = &members[0].node.value else { panic!("a list") };
        assert_eq!((list[0].start, list[0].end), (place(2, 9), place(2, 10)));
        assert!(matches!(&list[1].value, Value::Text(text) if text == "xA"));
        assert_eq!((node.start, node.end), (place(1, 1), place(3, 11)));
    }

    #[test]
    fn a_key_that_stands_twice_is_refused_where_it_stands() {
        let fault = read(r#"{"a":1,"\u0061":2}"#).unwrap_err();
        assert_eq!((fault.place, fault.is_syntax), (place(1, 8), false));
    }

    #[test]
    fn what_is_not_json_is_refused_where_it_breaks() {
        for (text, at) in
            [("{\"é\": 1,}", place(1, 9)), ("", place(1, 1)), ("{} x", place(1, 4)), ("[1,\n2", place(2, 1)), ("\"\\ud800\"", place(1, 1))]
        {
            let fault = read(text).unwrap_err();
            assert_eq!((fault.place, fault.is_syntax), (at, true), "{text}: {}", fault.what);
        }
    }

    #[test]
    fn nesting_is_bounded_however_deep_it_is() {
        assert!(read(&format!("{}{}", "[".repeat(DEEPEST), "]".repeat(DEEPEST))).is_ok());
        assert!(read(&format!("{}{}", "[".repeat(DEEPEST + 1), "]".repeat(DEEPEST + 1))).is_err());
        assert!(read(&"[".repeat(1_000_000)).is_err());
        assert!(read(&format!("{}{}", "{\"a\":".repeat(1_000_000), "}".repeat(1_000_000))).is_err());
    }
}
