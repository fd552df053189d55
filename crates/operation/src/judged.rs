//! What one request is judged by: actions on targets, and the condition keys that only this operation knows.

use crate::target::Target;
use identities::Tag;
use std::fmt::Display;

/// The authorization declaration of one request. All of its checks must be allowed.
#[must_use]
pub struct Judged {
    pub(crate) by: By,
    pub(crate) keys: Vec<Key>,
}

pub(crate) enum By {
    Policies(Vec<Check>),
    Nothing,
}

/// An action (none: the operation's own) on a target.
pub(crate) struct Check {
    pub action: Option<&'static str>,
    pub target: Target,
    pub keys: Vec<Key>,
}

/// A condition key with its value, or with its list.
pub(crate) struct Key {
    pub name: String,
    pub values: Values,
}

pub(crate) enum Values {
    One(String),
    Many(Vec<String>),
}

impl Judged {
    /// By the operation's own action on `target`.
    pub fn on(target: impl Into<Target>) -> Self {
        Judged { by: By::Policies(vec![Check { action: None, target: target.into(), keys: Vec::new() }]), keys: Vec::new() }
    }

    /// By nothing: AWS lets every authenticated caller do this. `page` says where AWS says so.
    pub fn by_nothing(_page: &'static str) -> Self {
        Judged { by: By::Nothing, keys: Vec::new() }
    }

    /// By one more action, if `when`, on the first target.
    pub fn and(mut self, when: bool, action: &'static str) -> Self {
        if let By::Policies(checks) = &mut self.by
            && when
        {
            let target = checks.first().map_or(Target::Everything, |check| check.target.clone());
            checks.push(Check { action: Some(action), target, keys: Vec::new() });
        }
        self
    }

    /// By one more action, on another target.
    pub fn and_on(mut self, action: &'static str, target: impl Into<Target>) -> Self {
        if let By::Policies(checks) = &mut self.by {
            checks.push(Check { action: Some(action), target: target.into(), keys: Vec::new() });
        }
        self
    }

    /// By the operation's own action on one more target.
    pub fn also_on(mut self, target: impl Into<Target>) -> Self {
        if let By::Policies(checks) = &mut self.by {
            checks.push(Check { action: None, target: target.into(), keys: Vec::new() });
        }
        self
    }

    /// A key of the check that was added last, and of no other.
    pub fn key_there<V: Display>(mut self, name: &str, value: impl IntoIterator<Item = V>) -> Self {
        if let By::Policies(checks) = &mut self.by
            && let Some(check) = checks.last_mut()
        {
            check.keys.extend(value.into_iter().map(|value| Key { name: name.to_owned(), values: Values::One(value.to_string()) }));
        }
        self
    }

    /// A key with one value; with none, it is absent.
    pub fn key<V: Display>(mut self, name: &str, value: impl IntoIterator<Item = V>) -> Self {
        self.keys.extend(value.into_iter().map(|value| Key { name: name.to_owned(), values: Values::One(value.to_string()) }));
        self
    }

    /// A key that AWS declares as a list; with no values, it is absent.
    pub fn keys<V: Display>(mut self, name: &str, values: impl IntoIterator<Item = V>) -> Self {
        let values: Vec<String> = values.into_iter().map(|value| value.to_string()).collect();
        if !values.is_empty() {
            self.keys.push(Key { name: name.to_owned(), values: Values::Many(values) });
        }
        self
    }

    /// `aws:RequestTag/…` and `aws:TagKeys`.
    pub fn request_tags(mut self, tags: &[Tag]) -> Self {
        for (nth, tag) in tags.iter().enumerate() {
            let same = |other: &&Tag| other.key.as_str().to_lowercase() == tag.key.as_str().to_lowercase();
            let name = format!("aws:RequestTag/{}", tag.key);
            let values: Vec<_> = tags.iter().filter(same).map(|tag| &tag.value).collect();
            // Two spellings of one key are one condition key with two values; it is said with the first of them.
            if values.len() == 1 {
                self = self.key(&name, values);
            } else if !tags.iter().take(nth).any(|earlier| same(&earlier)) {
                self = self.keys(&name, values);
            }
        }
        self.keys("aws:TagKeys", tags.iter().map(|tag| &tag.key))
    }
}
