//! JSON in.

use super::Malformed;
use crate::{Members, Name, Node};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// What serde is told where an object names a member twice; it never reaches a client.
const TWICE: &str = "a member is named twice";

/// A body as a node. An empty one is an empty object. Nesting is bounded (128), and an object that names a member twice is refused: two
/// readers of one request must not see two requests.
///
/// # Errors
/// Bodies longer than `limit` bytes, what is not JSON or not an object, duplicate names.
pub fn read(body: &[u8], limit: usize) -> Result<Node, Malformed> {
    if body.len() > limit {
        return Err(Malformed::TooLarge(limit));
    }
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Node::Map(vec![]));
    }
    match serde_json::from_slice(body) {
        Ok(Read(node @ Node::Map(_))) => Ok(node),
        Ok(_) => Err(Malformed::NotAnObject),
        Err(error) => {
            let (line, column) = (error.line(), error.column());
            let twice = error.is_data() && error.to_string().starts_with(TWICE);
            Err(if twice { Malformed::DuplicateKey { line, column } } else { Malformed::Json { line, column } })
        }
    }
}

struct Read(Node);

impl<'de> Deserialize<'de> for Read {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Tree).map(Read)
    }
}

struct Tree;

impl<'de> Visitor<'de> for Tree {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Absent)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Number(value))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(i64::try_from(value).map_or(Node::Decimal(value as f64), Node::Number))
    }
    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Decimal(value))
    }
    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value.to_owned()))
    }
    fn visit_string<E>(self, value: String) -> Result<Node, E> {
        Ok(Node::Text(value))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut list = vec![];
        while let Some(Read(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Node::List(list))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Node, A::Error> {
        let mut map: Members = vec![];
        while let Some((name, Read(node))) = members.next_entry::<String, Read>()? {
            map.push((Name::Owned(name), node));
        }
        if twin(&map).is_some() { Err(A::Error::custom(TWICE)) } else { Ok(Node::Map(map)) }
    }
}

/// A name that two members share, found in n log n steps.
pub(crate) fn twin(members: &Members) -> Option<&str> {
    // Most objects are small.
    if members.len() <= 8 {
        let before = |at: usize, name: &Name| members.iter().take(at).any(|(other, _)| other == name);
        return members.iter().enumerate().find(|(at, (name, _))| before(*at, name)).map(|(_, (name, _))| name.as_ref());
    }
    let mut names: Vec<&str> = members.iter().map(|(name, _)| name.as_ref()).collect();
    names.sort_unstable();
    names.windows(2).find_map(|pair| match pair {
        [one, other] if one == other => Some(*one),
        _ => None,
    })
}
