//! What a request or a reply says, whatever the protocol: a small tree.

use std::borrow::Cow;
use std::fmt;
use zeroize::Zeroize as _;

/// The name of a member: a literal where we write, an owned text where we read.
pub type Name = Cow<'static, str>;
/// The members of a structure, in the order in which they were declared or sent.
pub type Members = Vec<(Name, Node)>;

/// One value on the wire. Its `Debug` tells the shape and never a text: an input may hold passwords, an output secret keys.
#[derive(Clone, PartialEq, Default)]
pub enum Node {
    /// Not there; JSON's `null`. Absent members vanish from every reply.
    #[default]
    Absent,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Number(i64),
    /// A number with a fraction, or one beyond 64 bits.
    Decimal(f64),
    /// A string, and in Query requests every value.
    Text(String),
    /// Seconds since the epoch: `2010-05-08T23:39:01Z` in XML, a number in JSON.
    Time(i64),
    /// Bytes: base64 on every wire.
    Blob(Vec<u8>),
    /// A list: `<member>` in XML, `.member.N` in Query.
    List(Vec<Node>),
    /// A structure.
    Map(Members),
    /// A map of AWS's models: `<entry><key/><value/></entry>` in XML, `.entry.N.key` in Query, an object in JSON.
    Entries(Members),
}

impl Node {
    /// A text.
    pub fn text(text: impl Into<String>) -> Self {
        Node::Text(text.into())
    }

    /// The member of that name, or [`Node::Absent`].
    pub fn get(&self, name: &str) -> &Node {
        const ABSENT: &Node = &Node::Absent;
        match self {
            Node::Map(members) | Node::Entries(members) => members.iter().find(|(n, _)| n == name).map_or(ABSENT, |(_, node)| node),
            Node::Absent
            | Node::Bool(_)
            | Node::Number(_)
            | Node::Decimal(_)
            | Node::Text(_)
            | Node::Time(_)
            | Node::Blob(_)
            | Node::List(_) => ABSENT,
        }
    }

    /// Overwrites every text and every byte: for inputs that held a password, outputs that held a key.
    pub fn wipe(&mut self) {
        match self {
            Node::Text(text) => text.zeroize(),
            Node::Blob(bytes) => bytes.zeroize(),
            Node::List(items) => items.iter_mut().for_each(Node::wipe),
            Node::Map(members) | Node::Entries(members) => members.iter_mut().for_each(|(_, node)| node.wipe()),
            Node::Absent | Node::Bool(_) | Node::Number(_) | Node::Decimal(_) | Node::Time(_) => {}
        }
    }

    /// Whether there is nothing.
    pub fn is_absent(&self) -> bool {
        matches!(self, Node::Absent)
    }

    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        if let Node::Text(text) = self { Some(text) } else { None }
    }

    /// The elements, if it is a list.
    pub fn as_list(&self) -> Option<&[Node]> {
        if let Node::List(items) = self { Some(items) } else { None }
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Node::Absent => f.write_str("Absent"),
            Node::Bool(_) => f.write_str("Bool"),
            Node::Number(_) => f.write_str("Number"),
            Node::Decimal(_) => f.write_str("Decimal"),
            Node::Text(_) => f.write_str("Text"),
            Node::Time(_) => f.write_str("Time"),
            Node::Blob(_) => f.write_str("Blob"),
            Node::List(items) => f.debug_list().entries(items).finish(),
            Node::Map(members) => f.debug_map().entries(members.iter().map(|(name, node)| (name, node))).finish(),
            // The keys of a map are the caller's data.
            Node::Entries(entries) => f.debug_list().entries(entries.iter().map(|(_, node)| node)).finish(),
        }
    }
}
