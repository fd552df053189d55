//! A policy document: its text, and what it says, with the place of everything in it. Rules:
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>.
//! This is the lenient door: what has the grammar's shape is taken, however little sense it makes; [`Document::validate`] is the strict one.

mod read;
mod validate;

use std::collections::BTreeSet;

use arn::{Arn, UniqueId};

use crate::pattern::{self, Variable};

pub use validate::Malformed;

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
    words: &'static str,
}

impl ParseError {
    /// Where.
    pub fn place(&self) -> Place {
        self.place
    }

    /// What is wrong, without the place.
    pub fn what(&self) -> &str {
        &self.what
    }
}

/// A policy document.
#[derive(Debug, Clone)]
pub struct Document {
    text: Box<str>,
    version: Version,
    id: Option<Spot>,
    statements: Vec<Statement>,
}

/// The version of the language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    /// `2008-10-17`, also where none is given: `${…}` is text.
    Old,
    /// `2012-10-17`: has policy variables.
    New,
}

/// One statement of a document.
#[derive(Debug, Clone)]
pub struct Statement {
    pub(crate) start: Place,
    pub(crate) end: Place,
    pub(crate) sid: Option<Spot>,
    pub(crate) effect: Effect,
    pub(crate) effect_place: Place,
    pub(crate) principals: Option<Principals>,
    pub(crate) actions: Texts,
    pub(crate) resources: Option<Texts>,
    pub(crate) conditions: Vec<Operator>,
}

/// A text and its place.
#[derive(Debug, Clone)]
pub(crate) struct Spot {
    pub(crate) text: Box<str>,
    pub(crate) place: Place,
}

/// An element that holds texts, and whether its name begins with `Not`.
#[derive(Debug, Clone)]
pub(crate) struct Texts {
    pub(crate) not: bool,
    pub(crate) place: Place,
    pub(crate) list: Vec<Spot>,
}

/// `Principal` or `NotPrincipal`.
#[derive(Debug, Clone)]
pub(crate) struct Principals {
    pub(crate) not: bool,
    pub(crate) place: Place,
    /// It is the string `*`, not an object.
    pub(crate) everyone: bool,
    pub(crate) list: Vec<Named>,
}

/// One principal that a statement names.
#[derive(Debug, Clone)]
pub(crate) struct Named {
    pub(crate) by: NamedBy,
    pub(crate) spot: Spot,
    /// The unique id of the user or role at the time of saving.
    pub(crate) id: Option<UniqueId>,
}

/// The member of a `Principal` object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum NamedBy {
    Aws,
    Federated,
    Service,
    CanonicalUser,
}

/// One operator of a `Condition`, with its keys.
#[derive(Debug, Clone)]
pub(crate) struct Operator {
    pub(crate) name: Spot,
    pub(crate) keys: Vec<Key>,
}

/// One key under an operator.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) name: Spot,
    /// Numbers and booleans as their text.
    pub(crate) values: Vec<Spot>,
}

/// An AWS principal that a document names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PrincipalRef<'a> {
    /// As it is written: an ARN, an account's digits, a unique id, `*`.
    pub text: &'a str,
    /// The unique id that it is pinned to.
    pub id: Option<&'a UniqueId>,
    /// Where it stands.
    pub place: Place,
}

impl Document {
    /// Reads a document leniently: what IAM refuses on saving but an engine can judge is taken.
    ///
    /// # Errors
    /// Not JSON, or not the shape of a policy: unknown or missing elements, elements of the wrong type, a key that stands twice.
    pub fn parse(text: &str) -> Result<Document, ParseError> {
        read::document(text)
    }

    /// Reads a document through both doors: what comes back may be saved.
    ///
    /// # Errors
    /// As AWS says it.
    pub fn saved(text: &str, kind: Kind) -> Result<Document, Malformed> {
        validate::saved(read::draft(text), kind, validate::Versions::Both)
    }

    /// Reads the document of a managed policy through both doors. It must say the new version; a policy inside a user, group or role may say the old
    /// one or none.
    ///
    /// # Errors
    /// As AWS says it.
    pub fn saved_as_managed(text: &str) -> Result<Document, Malformed> {
        validate::saved(read::draft(text), Kind::Identity, validate::Versions::New)
    }

    /// As it was read.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Holds the document to what AWS accepts on saving one of this kind. Sizes are the caller's: IAM counts some of them over several documents.
    ///
    /// # Errors
    /// The first thing that AWS would refuse.
    pub fn validate(&self, kind: Kind) -> Result<(), Malformed> {
        validate::document(self, None, kind, validate::Versions::Both)
    }

    /// Its characters without white space outside strings, as IAM counts. Organizations counts all characters of the text.
    pub fn size(&self) -> usize {
        let mut inside = false;
        let mut escaped = false;
        let counts = |c: &char| {
            let plain = !std::mem::take(&mut escaped);
            match c {
                '"' if plain => inside = !inside,
                '\\' if inside && plain => escaped = true,
                ' ' | '\t' | '\n' | '\r' => return inside,
                _ => {}
            }
            true
        };
        self.text.chars().filter(counts).count()
    }

    /// The `Id` of the document.
    pub fn id(&self) -> Option<&str> {
        self.id.as_ref().map(|id| id.text.as_ref())
    }

    pub(crate) fn version(&self) -> Version {
        self.version
    }

    /// Its statements, in their order.
    pub fn statements(&self) -> impl Iterator<Item = &Statement> {
        self.statements.iter()
    }

    /// What its statements name under `AWS` in `Principal` and `NotPrincipal`, in their order.
    pub fn principals(&self) -> impl Iterator<Item = PrincipalRef<'_>> {
        let elements = self.statements.iter().filter_map(|statement| statement.principals.as_ref());
        elements.flat_map(|element| &element.list).filter(|named| named.by == NamedBy::Aws).map(|named| PrincipalRef {
            text: &named.spot.text,
            id: named.id.as_ref(),
            place: named.spot.place,
        })
    }

    /// The same document, in which users and roles named by ARN are matched by the unique ids that `id_of` tells: one that was deleted and made
    /// again under the same name is not the same. Those that `id_of` does not know are matched by ARN as before.
    #[must_use]
    pub fn pinned(&self, mut id_of: impl FnMut(&Arn) -> Option<UniqueId>) -> Document {
        let mut document = self.clone();
        let elements = document.statements.iter_mut().filter_map(|statement| statement.principals.as_mut());
        for named in elements.flat_map(|element| &mut element.list).filter(|named| named.by == NamedBy::Aws) {
            let arn: Option<Arn> = named.spot.text.parse().ok();
            let may_be_pinned = |arn: &Arn| arn.service() == "iam" && matches!(arn.resource_type(), Some("user" | "role"));
            if let Some(id) = arn.filter(may_be_pinned).and_then(|arn| id_of(&arn)) {
                named.id = Some(id);
            }
        }
        document
    }

    /// The condition keys that it uses, as they are written, in conditions and in policy variables.
    pub fn context_keys(&self) -> BTreeSet<String> {
        let mut keys = BTreeSet::new();
        for statement in &self.statements {
            let mut texts: Vec<&Spot> = statement.resources.iter().flat_map(|resources| &resources.list).collect();
            for key in statement.conditions.iter().flat_map(|operator| &operator.keys) {
                keys.insert(String::from(&*key.name.text));
                texts.extend(&key.values);
            }
            if self.version == Version::New {
                let variables = texts.into_iter().flat_map(|spot| pattern::variables(&spot.text));
                keys.extend(variables.map(|Variable { shown, .. }| String::from(shown)));
            }
        }
        keys
    }
}

impl Statement {
    /// Where its `{` stands.
    pub fn start(&self) -> Place {
        self.start
    }

    /// The place just behind its `}`.
    pub fn end(&self) -> Place {
        self.end
    }

    /// Its `Sid`.
    pub fn sid(&self) -> Option<&str> {
        self.sid.as_ref().map(|sid| sid.text.as_ref())
    }

    /// What it does.
    pub fn effect(&self) -> Effect {
        self.effect
    }

    /// What it names in `Action`, or in `NotAction`.
    pub fn actions(&self) -> impl Iterator<Item = &str> {
        self.actions.list.iter().map(|spot| spot.text.as_ref())
    }

    /// It says `NotAction`.
    pub fn is_not_action(&self) -> bool {
        self.actions.not
    }

    /// What it names in `Resource`, or in `NotResource`.
    pub fn resources(&self) -> impl Iterator<Item = &str> {
        self.resources.iter().flat_map(|resources| &resources.list).map(|spot| spot.text.as_ref())
    }

    /// It says `NotResource`.
    pub fn is_not_resource(&self) -> bool {
        self.resources.as_ref().is_some_and(|resources| resources.not)
    }

    /// It has conditions.
    pub fn is_conditional(&self) -> bool {
        self.conditions.iter().any(|operator| !operator.keys.is_empty())
    }
}

impl Effect {
    /// `Allow`, `Deny`.
    pub fn as_str(self) -> &'static str {
        match self {
            Effect::Allow => "Allow",
            Effect::Deny => "Deny",
        }
    }
}

impl Kind {
    /// Statements of this kind belong to a principal and name none.
    pub(crate) fn is_of_principals(self) -> bool {
        self.is_of_identities() || self == Kind::ServiceControl
    }

    /// IAM and STS take this kind from whoever writes permissions for users, groups, roles and sessions.
    pub(crate) fn is_of_identities(self) -> bool {
        match self {
            Kind::Identity | Kind::Boundary | Kind::Session => true,
            Kind::ServiceControl | Kind::Trust | Kind::Resource | Kind::Endpoint | Kind::ResourceControl => false,
        }
    }
}

#[cfg(test)]
mod tests;
