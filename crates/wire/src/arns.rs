//! ARNs and ids as members.

use crate::{Kind, Node, Reader, Shape, Shown, Text};
use arn::{AccessKeyId, AccountId, Arn, UniqueId};
use std::fmt::Display;
use std::str::FromStr;

/// An ARN as a request gives it: its length is checked, its grammar is for the service, which has its own words for a bad one
/// (IAM: `Invalid ARN:  Could not be parsed!`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Text)]
#[text(min = 20, max = 2048)]
pub struct ArnText(Box<str>);

impl ArnText {
    /// The ARN, if it is one.
    pub fn arn(&self) -> Option<Arn> {
        self.0.parse().ok()
    }
}

/// What AWS's models ask of an ARN, an account and an id: only the rules of these are used.
#[derive(Text)]
#[text(min = 20, max = 2048, pattern = "arn:.+")]
struct Named(Box<str>);
#[derive(Text)]
#[text(min = 12, max = 12, pattern = r"\d{12}")]
struct Twelve(Box<str>);
#[derive(Text)]
#[text(min = 16, max = 128, pattern = r"[\w]+")]
struct Id(Box<str>);

/// Reads a text by the rules of the model; one that keeps them and is still not of the type breaks the pattern.
fn parsed<Rules: Shape, T: FromStr>(node: &Node, at: &mut Reader) -> Option<T> {
    Rules::read(node, at)?;
    let text = at.text(node)?;
    let parsed = text.parse().ok();
    if let (None, Kind::Text(rules)) = (&parsed, Rules::KIND) {
        at.violates(Shown::Value(text), &rules.pattern_message());
    }
    parsed
}

fn written(value: &impl Display) -> Node {
    Node::Text(value.to_string())
}

/// For replies. A request says [`ArnText`], so that the service can answer a bad one in its own words.
impl Shape for Arn {
    const KIND: Kind = Kind::Text(Named::RULES);
    fn read(node: &Node, at: &mut Reader) -> Option<Self> {
        parsed::<Named, _>(node, at)
    }
    fn write(self) -> Node {
        written(&self)
    }
}

impl Shape for AccountId {
    const KIND: Kind = Kind::Text(Twelve::RULES);
    fn read(node: &Node, at: &mut Reader) -> Option<Self> {
        parsed::<Twelve, _>(node, at)
    }
    fn write(self) -> Node {
        written(&self)
    }
}

impl Shape for UniqueId {
    const KIND: Kind = Kind::Text(Id::RULES);
    fn read(node: &Node, at: &mut Reader) -> Option<Self> {
        parsed::<Id, _>(node, at)
    }
    fn write(self) -> Node {
        written(&self)
    }
}

impl Shape for AccessKeyId {
    const KIND: Kind = Kind::Text(Id::RULES);
    fn read(node: &Node, at: &mut Reader) -> Option<Self> {
        parsed::<Id, _>(node, at)
    }
    fn write(self) -> Node {
        written(&self)
    }
}
