//! What crosses the wire: a type that is read from a [`Node`] and written as one, and the description of it that tests hold against AWS's models.

use crate::{Members, Node, Reader, Shown, TextRules};

/// A type that crosses the wire. Structs derive it.
pub trait Shape: Sized {
    /// What it is, for tests that compare with AWS's models.
    const KIND: Kind;
    /// Whether a member of this type must be there.
    const REQUIRED: bool = true;

    /// Reads the value. `None` says that `at` holds at least one more complaint; reading goes on, so that one reply tells them all.
    fn read(node: &Node, at: &mut Reader) -> Option<Self>;

    /// The value as a node.
    fn write(self) -> Node;

    /// What it means that the member is not there: for most types, a violation.
    fn absent(at: &mut Reader) -> Option<Self> {
        at.violates(Shown::Null, "Member must not be null");
        None
    }
}

/// A shape with named members: the input or the output of an operation, or a part of one.
pub trait Struct: Shape {
    /// The name of the type. For an input that is the name of the operation.
    const NAME: &'static str;
    /// Its members.
    const MEMBERS: &'static [Member];
    /// `"PUT /analyzer/{analyzerName}"`, for the services that speak REST.
    const HTTP: Option<&'static str>;

    /// Adds its members to `out`.
    fn write_members(self, out: &mut Members);
}

/// One line of a struct.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Member {
    /// A member of its own.
    Named(Field),
    /// The members of another struct, as if they stood here.
    Flattened(&'static [Member]),
}

/// A named member.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Field {
    /// Its name on the wire.
    pub name: &'static str,
    /// Whether leaving it out is a violation.
    pub required: bool,
    /// The least and the greatest length that the struct asks of it; `(0, usize::MAX)` for any.
    pub length: (usize, usize),
    /// What it holds.
    pub kind: Kind,
}

/// What a shape is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// A boolean.
    Bool,
    /// A number between two bounds.
    Number {
        /// The least value.
        min: i64,
        /// The greatest value.
        max: i64,
    },
    /// A number with a fraction.
    Decimal,
    /// A text and what constrains it.
    Text(&'static TextRules),
    /// One of these texts.
    Choice(&'static [&'static str]),
    /// A time.
    Time,
    /// Bytes.
    Blob,
    /// A list of something.
    List(&'static Kind),
    /// A map from text to something.
    Entries(&'static Kind),
    /// A structure: its name and its members.
    Struct(&'static str, &'static [Member]),
    /// Nothing at all: the output of operations that have none.
    Nothing,
}

impl Kind {
    /// All that a text has to be, in the order in which AWS lists it for the elements of a list; nothing where anything will do.
    pub(crate) fn rules(&self) -> Option<String> {
        match self {
            Kind::Text(rules) => rules.together(),
            Kind::Choice(texts) => Some(format!("Member must satisfy enum value set: [{}]", texts.join(", "))),
            Kind::Bool
            | Kind::Number { .. }
            | Kind::Decimal
            | Kind::Time
            | Kind::Blob
            | Kind::List(_)
            | Kind::Entries(_)
            | Kind::Struct(..)
            | Kind::Nothing => None,
        }
    }
}

impl Member {
    /// All named members, those of flattened structs in their place.
    pub fn flat(members: &'static [Member]) -> Vec<&'static Field> {
        let mut fields = Vec::with_capacity(members.len());
        for member in members {
            match member {
                Member::Named(field) => fields.push(field),
                Member::Flattened(inner) => fields.extend(Member::flat(inner)),
            }
        }
        fields
    }
}

/// A violation of the pattern rules of the crate, found by walking a struct: the texts whose pattern does not compile.
/// A test of each service calls it on the members of all its operations and expects nothing.
pub fn bad_patterns(members: &'static [Member]) -> Vec<&'static str> {
    fn walk(kind: &'static Kind, found: &mut Vec<&'static str>) {
        match kind {
            Kind::Text(rules) if !rules.compiles() => found.push(rules.pattern),
            Kind::List(inner) | Kind::Entries(inner) => walk(inner, found),
            Kind::Struct(_, members) => found.extend(bad_patterns(members)),
            Kind::Text(_)
            | Kind::Bool
            | Kind::Number { .. }
            | Kind::Decimal
            | Kind::Choice(_)
            | Kind::Time
            | Kind::Blob
            | Kind::Nothing => {}
        }
    }
    let mut found = vec![];
    for field in Member::flat(members) {
        walk(&field.kind, &mut found);
    }
    found
}
