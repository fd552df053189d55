//! Tags of users, roles and the rest. Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html>.
//! Keys of users and roles are one key whatever their case, and keep the case of the last writer; all other resources tell cases apart.

use serde::{Deserialize, Serialize};
use wire::{Shape, Text};

/// A tag's key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Text)]
#[text(min = 1, max = 128, pattern = r"[\p{L}\p{Z}\p{N}_.:/=+\-@]+")]
pub struct TagKey(Box<str>);

/// A tag's value; it may be empty.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Text)]
#[text(min = 0, max = 256, pattern = r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*")]
pub struct TagValue(Box<str>);

/// One tag, as it crosses the wire and as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Shape, Serialize, Deserialize)]
pub struct Tag {
    /// Its key.
    pub key: TagKey,
    /// Its value.
    pub value: TagValue,
}

/// The tags of one resource, in the order in which they were given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tags(Vec<Tag>);

impl Tags {
    /// Tags that are known to have no key twice.
    pub fn new(tags: Vec<Tag>) -> Self {
        Tags(tags)
    }

    /// Each tag, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Tag> {
        self.0.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The tags as a list for a reply.
    pub fn to_vec(&self) -> Vec<Tag> {
        self.0.clone()
    }

    /// Sets each of `new`, replacing the value (and the case) of a key that is there; `same` says which keys are one.
    pub fn set(&mut self, new: &[Tag], same: fn(&str, &str) -> bool) {
        for tag in new {
            match self.0.iter_mut().find(|old| same(old.key.as_str(), tag.key.as_str())) {
                Some(old) => *old = tag.clone(),
                None => self.0.push(tag.clone()),
            }
        }
    }

    /// Takes away each key of `gone`; a key that is not there is no error.
    pub fn unset(&mut self, gone: &[TagKey], same: fn(&str, &str) -> bool) {
        self.0.retain(|tag| !gone.iter().any(|key| same(key.as_str(), tag.key.as_str())));
    }
}
