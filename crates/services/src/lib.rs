//! What AWS's services are: their actions, on which types of resources these are judged, which condition keys they know. Facts as data, and no
//! prose, from the Service Authorization Reference, <https://docs.aws.amazon.com/service-authorization/latest/reference/>;
//! `data/make_facts.py` writes the files.
//!
//! In reading order: [`Service`], found by its prefix; its [`Action`]s, [`ResourceType`]s and [`Key`]s; [`Name`], how facts name things.
//! Nothing is read until it is asked for, and nothing is kept but an index of the services: the facts are text in the binary, and whoever
//! asks walks the lines of one service. A service that is not here is one that AWS does not know.
//!
//! ```
//! let s3 = services::service("S3").ok_or("no such service")?;
//! let get = s3.action("getobject").ok_or("no such action")?;
//! assert_eq!((s3.name, get.name, get.level.as_str()), ("Amazon S3", "GetObject", "Read"));
//! assert!(get.resource_types().any(|of| of.name == "object"));
//! assert!(get.keys().any(|key| key.covers("s3:ExistingObjectTag/team")));
//! assert_eq!(s3.type_of("arn:aws:s3:::reports/q1.csv").map(|of| of.name), Some("object"));
//! # Ok::<(), &str>(())
//! ```

mod line;
mod name;

use std::sync::LazyLock;

pub use line::{AccessLevel, Action, Key, OnType, ResourceType};
pub use name::Name;

use line::Line;

/// A service, as policies name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Service {
    /// What the names of its actions begin with: `s3`.
    pub prefix: &'static str,
    /// What AWS calls it: `Amazon S3`.
    pub name: &'static str,
    /// Its lines.
    facts: &'static str,
}

/// The index, in the order of prefixes: small, and read when the first service is asked for.
static SERVICES: LazyLock<Box<[Service]>> = LazyLock::new(|| include_str!("../data/services.txt").lines().filter_map(read).collect());

/// A line that cannot be read is left out; a test counts them.
fn read(line: &'static str) -> Option<Service> {
    let mut parts = line.split('\t');
    let (prefix, name) = (parts.next()?, parts.next()?);
    let (from, to) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    Some(Service { prefix, name, facts: include_str!("../data/facts.txt").get(from..to)? })
}

/// All services, in the order of their prefixes.
pub fn services() -> impl ExactSizeIterator<Item = Service> {
    SERVICES.iter().copied()
}

/// The service with this prefix, which has no case.
pub fn service(prefix: &str) -> Option<Service> {
    let folded = || prefix.bytes().map(|byte| byte.to_ascii_lowercase());
    let at = SERVICES.binary_search_by(|service| service.prefix.bytes().cmp(folded())).ok()?;
    SERVICES.get(at).copied()
}

/// The action with this name: `s3:GetObject`, in whatever case.
pub fn action(name: &str) -> Option<Action> {
    let (prefix, name) = name.split_once(':')?;
    service(prefix)?.action(name)
}

impl Service {
    /// Its actions, by name.
    pub fn actions(self) -> impl Iterator<Item = Action> {
        self.lines().filter_map(move |line| line.action(self))
    }

    /// The action with this name, which has no case and no prefix.
    pub fn action(self, name: &str) -> Option<Action> {
        self.actions().find(|action| action.name.eq_ignore_ascii_case(name))
    }

    /// The types of its resources, by name.
    pub fn resource_types(self) -> impl Iterator<Item = ResourceType> {
        self.lines().filter_map(move |line| line.resource_type(self))
    }

    /// The type with this name.
    pub fn resource_type(self, name: &str) -> Option<ResourceType> {
        self.resource_types().find(|of| of.name == name)
    }

    /// The type of the resource with this ARN: the one whose form says most of it.
    pub fn type_of(self, arn: &str) -> Option<ResourceType> {
        self.resource_types().filter(|of| of.covers(arn)).max_by_key(ResourceType::says)
    }

    /// The condition keys that its actions and resources know.
    pub fn keys(self) -> impl Iterator<Item = Key> {
        self.lines().filter_map(move |line| line.key(self))
    }

    /// The condition key that this is one of.
    pub fn key(self, name: &str) -> Option<Key> {
        self.keys().find(|key| key.name.covers(name))
    }

    fn lines(self) -> impl Iterator<Item = Line> {
        self.facts.lines().map(Line::new)
    }
}

#[cfg(test)]
mod tests;
