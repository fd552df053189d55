//! The values that members hold: texts, numbers, times, bytes, lists and maps.

use crate::{Kind, Name, Node, Reader, Shape, Shown, TextRules};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use std::fmt;

impl Shape for String {
    const KIND: Kind = Kind::Text(TextRules::ANY);
    fn read(node: &Node, at: &mut Reader) -> Option<Self> {
        at.text(node).map(str::to_owned)
    }
    fn write(self) -> Node {
        Node::Text(self)
    }
}

impl Shape for Box<str> {
    const KIND: Kind = Kind::Text(TextRules::ANY);
    fn read(node: &Node, at: &mut Reader) -> Option<Self> {
        at.text(node).map(Into::into)
    }
    fn write(self) -> Node {
        Node::Text(self.into())
    }
}

impl Shape for Name {
    const KIND: Kind = Kind::Text(TextRules::ANY);
    fn read(node: &Node, at: &mut Reader) -> Option<Self> {
        at.text(node).map(|text| Name::Owned(text.to_owned()))
    }
    fn write(self) -> Node {
        Node::Text(self.into_owned())
    }
}

impl Shape for bool {
    const KIND: Kind = Kind::Bool;
    fn read(node: &Node, at: &mut Reader) -> Option<Self> {
        at.bool(node)
    }
    fn write(self) -> Node {
        Node::Bool(self)
    }
}

impl Shape for f64 {
    const KIND: Kind = Kind::Decimal;
    fn read(node: &Node, at: &mut Reader) -> Option<Self> {
        at.decimal(node)
    }
    fn write(self) -> Node {
        Node::Decimal(self)
    }
}

impl Shape for i64 {
    const KIND: Kind = Kind::Number { min: i64::MIN, max: i64::MAX };
    fn read(node: &Node, at: &mut Reader) -> Option<Self> {
        at.number(node)
    }
    fn write(self) -> Node {
        Node::Number(self)
    }
}

impl Shape for i32 {
    const KIND: Kind = Kind::Number { min: i32::MIN as i64, max: i32::MAX as i64 };
    fn read(node: &Node, at: &mut Reader) -> Option<Self> {
        let number = at.number(node)?;
        at.or_misfits(Self::try_from(number).ok(), node, "an Integer")
    }
    fn write(self) -> Node {
        Node::Number(self.into())
    }
}

impl Shape for u32 {
    const KIND: Kind = Kind::Number { min: 0, max: u32::MAX as i64 };
    fn read(node: &Node, at: &mut Reader) -> Option<Self> {
        let number = at.number(node)?;
        at.or_misfits(Self::try_from(number).ok(), node, "an Integer")
    }
    fn write(self) -> Node {
        Node::Number(self.into())
    }
}

/// A whole number that AWS keeps between `MIN` and `MAX`. `DEFAULT` is what `#[shape(default)]` takes where it is not given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Int<const MIN: i64, const MAX: i64, const DEFAULT: i64 = 0>(pub i64);

impl<const MIN: i64, const MAX: i64, const DEFAULT: i64> Default for Int<MIN, MAX, DEFAULT> {
    fn default() -> Self {
        Int(DEFAULT)
    }
}

impl<const MIN: i64, const MAX: i64, const DEFAULT: i64> Shape for Int<MIN, MAX, DEFAULT> {
    const KIND: Kind = Kind::Number { min: MIN, max: MAX };
    fn read(node: &Node, at: &mut Reader) -> Option<Self> {
        let number = at.number(node)?;
        if number < MIN {
            at.violates(Shown::Value(&number.to_string()), &format!("Member must have value greater than or equal to {MIN}"));
            return None;
        }
        if number > MAX {
            at.violates(Shown::Value(&number.to_string()), &format!("Member must have value less than or equal to {MAX}"));
            return None;
        }
        Some(Int(number))
    }
    fn write(self) -> Node {
        Node::Number(self.0)
    }
}

/// Seconds since the epoch. Displayed as `2010-05-08T23:39:01Z`, kept in records as a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.instant())
    }
}

impl Timestamp {
    /// The instant, or the nearest one that the calendar of ISO 8601 has.
    fn instant(self) -> jiff::Timestamp {
        let (first, last) = (jiff::Timestamp::MIN, jiff::Timestamp::MAX);
        jiff::Timestamp::from_second(self.0.clamp(first.as_second(), last.as_second())).unwrap_or_default()
    }
}

impl Shape for Timestamp {
    const KIND: Kind = Kind::Time;
    fn read(node: &Node, at: &mut Reader) -> Option<Self> {
        let seconds = if let Node::Number(seconds) | Node::Time(seconds) = node {
            Some(*seconds)
        } else if let Node::Decimal(seconds) = node {
            #[expect(clippy::cast_possible_truncation, reason = "the cast saturates, and no time is that far")]
            Some(seconds.floor() as i64)
        } else {
            node.as_text()
                .and_then(|text| text.parse().ok().or_else(|| text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_second)))
        };
        at.or_misfits(seconds, node, "a Timestamp").map(Timestamp)
    }
    fn write(self) -> Node {
        Node::Time(self.0)
    }
}

/// Bytes: base64 on the wire.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Blob(pub Vec<u8>);

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Blob({} bytes)", self.0.len())
    }
}

impl Shape for Blob {
    const KIND: Kind = Kind::Blob;
    fn read(node: &Node, at: &mut Reader) -> Option<Self> {
        let bytes =
            if let Node::Blob(bytes) = node { Some(bytes.clone()) } else { node.as_text().and_then(|text| BASE64.decode(text).ok()) };
        at.or_misfits(bytes, node, "a Blob").map(Blob)
    }
    fn write(self) -> Node {
        Node::Blob(self.0)
    }
}

impl<T: Shape> Shape for Option<T> {
    const KIND: Kind = T::KIND;
    const REQUIRED: bool = false;
    fn read(node: &Node, at: &mut Reader) -> Option<Self> {
        T::read(node, at).map(Some)
    }
    fn write(self) -> Node {
        self.map_or(Node::Absent, T::write)
    }
    fn absent(_: &mut Reader) -> Option<Self> {
        Some(None)
    }
}

impl<T: Shape> Shape for Box<T> {
    const KIND: Kind = T::KIND;
    const REQUIRED: bool = T::REQUIRED;
    fn read(node: &Node, at: &mut Reader) -> Option<Self> {
        T::read(node, at).map(Box::new)
    }
    fn write(self) -> Node {
        T::write(*self)
    }
    fn absent(at: &mut Reader) -> Option<Self> {
        T::absent(at).map(Box::new)
    }
}

/// A list. One that is not sent is empty, unless the member says `required`; in a reply an empty one is there (`<Users/>`),
/// and one that should vanish is an `Option<Vec<_>>`.
impl<T: Shape> Shape for Vec<T> {
    const KIND: Kind = Kind::List(&T::KIND);
    const REQUIRED: bool = false;
    fn read(node: &Node, at: &mut Reader) -> Option<Self> {
        at.elements(node)
    }
    fn write(self) -> Node {
        Node::List(self.into_iter().map(T::write).collect())
    }
    fn absent(_: &mut Reader) -> Option<Self> {
        Some(vec![])
    }
}

/// A map of AWS's models, in the order in which it is to be written (`SummaryMap`).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Entries<T>(pub Vec<(Name, T)>);

impl<T: Shape> Shape for Entries<T> {
    const KIND: Kind = Kind::Entries(&T::KIND);
    const REQUIRED: bool = false;
    fn read(node: &Node, at: &mut Reader) -> Option<Self> {
        at.entries(node).map(Entries)
    }
    fn write(self) -> Node {
        Node::Entries(self.0.into_iter().map(|(key, value)| (key, value.write())).collect())
    }
    fn absent(_: &mut Reader) -> Option<Self> {
        Some(Entries(vec![]))
    }
}

/// Nothing to say: the output of most deletions.
impl Shape for () {
    const KIND: Kind = Kind::Nothing;
    const REQUIRED: bool = false;
    fn read(_: &Node, _: &mut Reader) -> Option<Self> {
        Some(())
    }
    fn write(self) -> Node {
        Node::Absent
    }
    fn absent(_: &mut Reader) -> Option<Self> {
        Some(())
    }
}
