//! The facts of one service, one a line: keys, types of resources, actions. Parts are parted by tabs, lists by commas; parts that would be
//! empty at the end of a line are not there.

use crate::{Name, Service};

/// A line, not yet read.
#[derive(Clone, Copy)]
pub(crate) struct Line {
    kind: &'static str,
    rest: &'static str,
}

/// How an action is classed. Source:
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_understand-policy-summary-access-level-summaries.html>.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccessLevel {
    /// Says what there is.
    List,
    /// Says what is in it.
    Read,
    /// Changes it.
    Write,
    /// Changes only tags.
    Tagging,
    /// Changes who may do what.
    Permissions,
}

impl AccessLevel {
    /// As AWS writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            AccessLevel::List => "List",
            AccessLevel::Read => "Read",
            AccessLevel::Write => "Write",
            AccessLevel::Tagging => "Tagging",
            AccessLevel::Permissions => "Permissions management",
        }
    }

    fn read(letter: &str) -> Option<Self> {
        match letter {
            "L" => Some(AccessLevel::List),
            "R" => Some(AccessLevel::Read),
            "W" => Some(AccessLevel::Write),
            "T" => Some(AccessLevel::Tagging),
            "P" => Some(AccessLevel::Permissions),
            _ => None,
        }
    }
}

/// A condition key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// Its name.
    pub name: Name,
    /// Of which type its values are: `String`, `ArrayOfString`, `ARN`, `Bool`, `Numeric`, `Date`, `IPAddress` …
    pub of: &'static str,
}

impl Key {
    /// Whether it is a list.
    pub fn is_list(&self) -> bool {
        self.of.starts_with("ArrayOf")
    }
}

/// A type of resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResourceType {
    service: Service,
    /// Its name: `bucket`.
    pub name: &'static str,
    /// The form of its ARNs, with `${…}` for what differs.
    pub arn: &'static str,
    keys: &'static str,
}

impl ResourceType {
    /// The condition keys that tell of such a resource.
    pub fn keys(&self) -> impl Iterator<Item = Name> {
        names(self.service, self.keys)
    }

    /// Whether this is the ARN of such a resource.
    pub fn covers(&self, arn: &str) -> bool {
        let (mut form, mut said) = (self.arn.splitn(6, ':'), arn.splitn(6, ':'));
        for _ in 0..5 {
            let (Some(form), Some(said)) = (form.next(), said.next()) else { return false };
            if form != said && !form.contains("${") {
                return false;
            }
        }
        form.next().zip(said.next()).is_some_and(|(form, said)| fits(form, said))
    }

    /// How many characters of a resource its form says: the more, the closer it fits.
    pub(crate) fn says(&self) -> usize {
        literals(self.arn.splitn(6, ':').nth(5).unwrap_or_default()).map(str::len).sum()
    }
}

/// What of a form is the same in all.
fn literals(form: &str) -> impl Iterator<Item = &str> {
    form.split("${").enumerate().map(|(nth, part)| if nth == 0 { part } else { part.split_once('}').map_or("", |(_, after)| after) })
}

/// Whether a resource has a form. What is filled in may be any text, none among them.
fn fits(form: &str, resource: &str) -> bool {
    let literals: Vec<&str> = literals(form).collect();
    let Some((first, others)) = literals.split_first() else { return false };
    let Some(mut rest) = resource.strip_prefix(first) else { return false };
    let Some((last, between)) = others.split_last() else { return rest.is_empty() };
    for literal in between {
        match rest.split_once(literal) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// A type of resource that an action is judged on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OnType {
    /// Its name.
    pub name: &'static str,
    /// Whether each request names one.
    pub required: bool,
}

/// An action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Action {
    /// Whose it is.
    pub service: Service,
    /// Its name, without the prefix.
    pub name: &'static str,
    /// How it is classed.
    pub level: AccessLevel,
    on: &'static str,
    keys: &'static str,
    needs: &'static str,
}

impl Action {
    /// The types of resources that it is judged on. None: policies allow it on `*` alone.
    pub fn resource_types(&self) -> impl Iterator<Item = OnType> {
        list(self.on).map(|said| match said.strip_suffix('!') {
            Some(name) => OnType { name, required: true },
            None => OnType { name: said, required: false },
        })
    }

    /// Whether it can be allowed on single resources.
    pub fn is_on_resources(&self) -> bool {
        !self.on.is_empty()
    }

    /// The condition keys that its requests have, beside those of the resource and those that every request has.
    pub fn keys(&self) -> impl Iterator<Item = Name> {
        names(self.service, self.keys)
    }

    /// The actions that whoever does it must be allowed besides.
    pub fn needs(&self) -> impl Iterator<Item = Name> {
        names(self.service, self.needs)
    }
}

impl Line {
    pub(crate) fn new(text: &'static str) -> Self {
        let (kind, rest) = text.split_once('\t').unwrap_or((text, ""));
        Line { kind, rest }
    }

    pub(crate) fn key(self, service: Service) -> Option<Key> {
        let mut parts = self.parts("k")?;
        Some(Key { name: Name::new(service, parts.next()?), of: parts.next()? })
    }

    pub(crate) fn resource_type(self, service: Service) -> Option<ResourceType> {
        let mut parts = self.parts("r")?;
        Some(ResourceType { service, name: parts.next()?, arn: parts.next()?, keys: parts.next().unwrap_or_default() })
    }

    pub(crate) fn action(self, service: Service) -> Option<Action> {
        let mut parts = self.parts("a")?;
        let (name, level) = (parts.next()?, AccessLevel::read(parts.next()?)?);
        let mut more = || parts.next().unwrap_or_default();
        Some(Action { service, name, level, on: more(), keys: more(), needs: more() })
    }

    fn parts(self, kind: &str) -> Option<std::str::Split<'static, char>> {
        (self.kind == kind).then(|| self.rest.split('\t'))
    }
}

fn list(said: &'static str) -> impl Iterator<Item = &'static str> {
    said.split(',').filter(|each| !each.is_empty())
}

fn names(service: Service, said: &'static str) -> impl Iterator<Item = Name> {
    list(said).map(move |each| Name::new(service, each))
}
