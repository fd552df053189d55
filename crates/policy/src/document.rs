//! A policy document: its text, and what it says, with the place of everything in it.

use std::collections::BTreeSet;

use arn::{Arn, UniqueId};

/// What a document is used as. It decides which elements belong in it and how some of them are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Attached to or inside a user, group or role.
    Identity,
    /// A permissions boundary.
    Boundary,
    /// Passed when a session was asked for.
    Session,
    /// Who may assume a role.
    Trust,
    /// On a resource: a bucket, a key, a queue.
    Resource,
    /// On a VPC endpoint.
    Endpoint,
    /// A service control policy of an organization.
    ServiceControl,
    /// A resource control policy of an organization.
    ResourceControl,
}

/// What a statement does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// It allows.
    Allow,
    /// It denies.
    Deny,
}

/// A place in a text: line and column, both counted from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Place {
    /// From 1.
    pub line: u32,
    /// From 1.
    pub column: u32,
}

/// The text is not JSON, or has not the shape of a policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} at line {} column {}", place.line, place.column)]
pub struct ParseError {
    what: String,
    place: Place,
}

/// AWS would not save it: the message of `MalformedPolicyDocument`, in AWS's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Malformed {
    message: String,
    place: Place,
}

/// A policy document.
#[derive(Debug, Clone)]
pub struct Document {
    text: Box<str>,
}

/// One statement of a document.
#[derive(Debug, Clone)]
pub struct Statement {}

/// An AWS principal that a document names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrincipalRef<'a> {
    /// As it is written: an ARN, an account's digits, a unique id, `*`.
    pub text: &'a str,
    /// Where it stands.
    pub place: Place,
}

impl ParseError {
    /// Where.
    pub fn place(&self) -> Place {
        self.place
    }
}

impl Malformed {
    /// Where in the document.
    pub fn place(&self) -> Place {
        self.place
    }
}

/// On saving, what could not be read is malformed too.
impl From<ParseError> for Malformed {
    fn from(error: ParseError) -> Malformed {
        Malformed { message: error.what, place: error.place }
    }
}

impl Document {
    /// Reads a document leniently.
    ///
    /// # Errors
    /// Not JSON, or not the shape of a policy.
    pub fn parse(text: &str) -> Result<Document, ParseError> {
        Ok(Document { text: text.into() })
    }

    /// As it was read.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Holds the document to what AWS accepts on saving one of this kind.
    ///
    /// # Errors
    /// The first thing that AWS would refuse.
    pub fn validate(&self, _kind: Kind) -> Result<(), Malformed> {
        Ok(())
    }

    /// Its characters without white space outside strings, as IAM counts.
    pub fn size(&self) -> usize {
        self.text.len()
    }

    /// The AWS principals that it names.
    pub fn principals(&self) -> impl Iterator<Item = PrincipalRef<'_>> {
        std::iter::empty()
    }

    /// The same document, whose users and roles in `Principal` are matched by the unique ids that `id_of` tells.
    #[must_use]
    pub fn pinned(&self, _id_of: impl FnMut(&Arn) -> Option<UniqueId>) -> Document {
        self.clone()
    }

    /// The condition keys that it uses, as they are written, in conditions and in variables.
    pub fn context_keys(&self) -> BTreeSet<String> {
        BTreeSet::new()
    }

    /// Its statements.
    pub fn statements(&self) -> impl Iterator<Item = &Statement> {
        std::iter::empty()
    }
}
