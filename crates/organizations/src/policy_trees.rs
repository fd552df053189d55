//! Documents of the policies that are merged: trees of settings, with operators at the leaves that say how a setting goes over what is
//! inherited. Rules: <https://docs.aws.amazon.com/organizations/latest/userguide/policy-operators.html>.

use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::collections::HashSet;
use std::fmt;

/// One value of a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scalar {
    /// A string.
    Text(String),
    /// True or false.
    Truth(bool),
    /// A number, as it was written.
    Number(serde_json::Number),
}

/// What a setting is set to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Setting {
    /// A value.
    One(Scalar),
    /// A list.
    Many(Vec<Scalar>),
}

/// Which operators policies further down may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Operators {
    /// `@@assign`
    pub assign: bool,
    /// `@@append`
    pub append: bool,
    /// `@@remove`
    pub remove: bool,
}

impl Operators {
    /// All of them.
    pub const ALL: Operators = Operators { assign: true, append: true, remove: true };
    const NONE: Operators = Operators { assign: false, append: false, remove: false };

    /// Those that both allow.
    pub fn and(self, other: Operators) -> Operators {
        Operators { assign: self.assign && other.assign, append: self.append && other.append, remove: self.remove && other.remove }
    }

    /// Whether settings may be added where there were none.
    pub fn may_add(self) -> bool {
        self.assign || self.append
    }
}

/// One node of a document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Branch {
    /// `@@assign`
    pub assign: Option<Setting>,
    /// `@@append`
    pub append: Option<Vec<Scalar>>,
    /// `@@remove`
    pub remove: Option<Vec<Scalar>>,
    /// `@@operators_allowed_for_child_policies`
    pub allowed: Option<Operators>,
    /// What is below, in the order of the document.
    pub below: Vec<(String, Branch)>,
}

impl Branch {
    /// Reads a document.
    ///
    /// # Errors
    /// Not JSON; not a tree of objects with operators at its leaves; a key that stands twice.
    pub fn read(text: &str) -> Result<Branch, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// Whether it sets something itself.
    pub fn is_leaf(&self) -> bool {
        self.assign.is_some() || self.append.is_some() || self.remove.is_some()
    }
}

impl<'de> Deserialize<'de> for Branch {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Branch;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Branch, A::Error> {
                let (mut branch, mut seen) = (Branch::default(), HashSet::new());
                while let Some(key) = map.next_key::<String>()? {
                    if !seen.insert(key.clone()) {
                        return Err(A::Error::custom(format_args!("the key {key:?} stands twice")));
                    }
                    match key.as_str() {
                        "@@assign" => branch.assign = Some(map.next_value()?),
                        "@@append" => branch.append = Some(list(map.next_value()?).map_err(A::Error::custom)?),
                        "@@remove" => branch.remove = Some(list(map.next_value()?).map_err(A::Error::custom)?),
                        "@@operators_allowed_for_child_policies" => {
                            branch.allowed = Some(operators(&map.next_value::<Vec<String>>()?).map_err(A::Error::custom)?);
                        }
                        operator if operator.starts_with("@@") => {
                            return Err(A::Error::custom(format_args!("{operator:?} is no operator")));
                        }
                        _ => branch.below.push((key, map.next_value()?)),
                    }
                }
                if branch.is_leaf() && !branch.below.is_empty() {
                    return Err(A::Error::custom("a setting has no settings below it"));
                }
                Ok(branch)
            }
        }
        from.deserialize_map(Each)
    }
}

fn list(setting: Setting) -> Result<Vec<Scalar>, &'static str> {
    match setting {
        Setting::Many(list) => Ok(list),
        Setting::One(_) => Err("only lists are appended to and removed from"),
    }
}

fn operators(names: &[String]) -> Result<Operators, &'static str> {
    match names {
        [] => Err("no operator is named"),
        [all] if all == "@@all" => Ok(Operators::ALL),
        [none] if none == "@@none" => Ok(Operators::NONE),
        some => some.iter().try_fold(Operators::NONE, |allowed, name| match name.as_str() {
            "@@assign" => Ok(Operators { assign: true, ..allowed }),
            "@@append" => Ok(Operators { append: true, ..allowed }),
            "@@remove" => Ok(Operators { remove: true, ..allowed }),
            _ => Err("no operator has this name"),
        }),
    }
}

impl<'de> Deserialize<'de> for Setting {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Setting;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string, a number, true, false, or a list of these")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Setting, A::Error> {
                let mut list = Vec::new();
                while let Some(one) = seq.next_element::<Setting>()? {
                    match one {
                        Setting::One(scalar) => list.push(scalar),
                        Setting::Many(_) => return Err(A::Error::custom("a list in a list")),
                    }
                }
                Ok(Setting::Many(list))
            }
            fn visit_str<E>(self, text: &str) -> Result<Setting, E> {
                Ok(Setting::One(Scalar::Text(text.to_owned())))
            }
            fn visit_bool<E>(self, truth: bool) -> Result<Setting, E> {
                Ok(Setting::One(Scalar::Truth(truth)))
            }
            fn visit_u64<E>(self, number: u64) -> Result<Setting, E> {
                Ok(Setting::One(Scalar::Number(number.into())))
            }
            fn visit_i64<E>(self, number: i64) -> Result<Setting, E> {
                Ok(Setting::One(Scalar::Number(number.into())))
            }
            fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Setting, E> {
                let number = serde_json::Number::from_f64(number).ok_or_else(|| E::custom("no number"))?;
                Ok(Setting::One(Scalar::Number(number)))
            }
        }
        from.deserialize_any(Either)
    }
}

impl Scalar {
    /// Its text, if it is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Scalar::Text(text) => Some(text),
            Scalar::Truth(_) | Scalar::Number(_) => None,
        }
    }

    fn value(&self) -> serde_json::Value {
        match self {
            Scalar::Text(text) => text.as_str().into(),
            Scalar::Truth(truth) => (*truth).into(),
            Scalar::Number(number) => serde_json::Value::Number(number.clone()),
        }
    }
}

impl Setting {
    /// Its values.
    pub fn values(&self) -> &[Scalar] {
        match self {
            Setting::One(one) => std::slice::from_ref(one),
            Setting::Many(many) => many,
        }
    }

    /// As JSON.
    pub fn value(&self) -> serde_json::Value {
        match self {
            Setting::One(one) => one.value(),
            Setting::Many(many) => many.iter().map(Scalar::value).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_tree_of_operators_is_refused() {
        for bad in [
            "",
            "[]",
            r#"{"tags": "x"}"#,
            r#"{"tags": {"@@asign": "x"}}"#,
            r#"{"tags": {"@@append": "x"}}"#,
            r#"{"tags": {"@@assign": {"a": "b"}}}"#,
            r#"{"tags": {"@@assign": [["a"]]}}"#,
            r#"{"tags": {"@@assign": null}}"#,
            r#"{"tags": {"@@assign": "a", "below": {}}}"#,
            r#"{"tags": {}, "tags": {}}"#,
            r#"{"tags": {"@@operators_allowed_for_child_policies": "@@all"}}"#,
            r#"{"tags": {"@@operators_allowed_for_child_policies": []}}"#,
            r#"{"tags": {"@@operators_allowed_for_child_policies": ["@@none", "@@assign"]}}"#,
            r#"{"tags": {"@@operators_allowed_for_child_policies": ["@@other"]}}"#,
        ] {
            assert!(Branch::read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_document_that_is_deeper_than_any_reader_goes_is_refused() {
        let deep = format!("{}{}", r#"{"a":"#.repeat(5_000), "{}".to_owned() + &"}".repeat(5_000));
        assert!(Branch::read(&deep).is_err());
    }
}
