//! Condition keys and their values: what is known about a request. Rules:
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html>.
//! Names of keys have no case, the tag's key in `aws:ResourceTag/Dept` included. A key that holds a list is multivalued however long the list is:
//! only set operators look into it, and it never fills a policy variable.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What is known about a request, asked by key.
pub trait Facts {
    /// The values of `key`, which is given in lower case; none if it is unknown.
    fn get(&self, key: &str) -> Option<Values<'_>>;

    /// Shows every key, as it was spelled, with its values.
    fn each(&self, see: &mut dyn FnMut(&str, Values<'_>));
}

/// The values of one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Values<'a> {
    /// A single-valued key.
    One(&'a str),
    /// A multivalued key; the list may be empty or hold one value.
    Many(&'a [Box<str>]),
}

/// No facts at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Nothing;

impl Facts for Nothing {
    fn get(&self, _: &str) -> Option<Values<'_>> {
        None
    }

    fn each(&self, _: &mut dyn FnMut(&str, Values<'_>)) {}
}

/// Facts that are owned, sorted by key. A layer beneath, which many contexts share, answers for keys that this one does not have.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Context {
    entries: Vec<Entry>,
    beneath: Option<Arc<Context>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    /// In lower case.
    key: Cow<'static, str>,
    /// As it was given, where that differs.
    shown: Option<Cow<'static, str>>,
    value: Value,
}

/// The keys that nearly every request has, as they are spelled and in lower case: their names are copied for none.
fn usual(key: &str) -> Option<(&'static str, &'static str)> {
    Some(match key {
        "aws:CurrentTime" => ("aws:CurrentTime", "aws:currenttime"),
        "aws:EpochTime" => ("aws:EpochTime", "aws:epochtime"),
        "aws:PrincipalAccount" => ("aws:PrincipalAccount", "aws:principalaccount"),
        "aws:PrincipalArn" => ("aws:PrincipalArn", "aws:principalarn"),
        "aws:PrincipalIsAWSService" => ("aws:PrincipalIsAWSService", "aws:principalisawsservice"),
        "aws:PrincipalType" => ("aws:PrincipalType", "aws:principaltype"),
        "aws:RequestedRegion" => ("aws:RequestedRegion", "aws:requestedregion"),
        "aws:ResourceAccount" => ("aws:ResourceAccount", "aws:resourceaccount"),
        "aws:SecureTransport" => ("aws:SecureTransport", "aws:securetransport"),
        "aws:SourceIp" => ("aws:SourceIp", "aws:sourceip"),
        "aws:UserAgent" => ("aws:UserAgent", "aws:useragent"),
        "aws:ViaAWSService" => ("aws:ViaAWSService", "aws:viaawsservice"),
        "aws:userid" => ("aws:userid", "aws:userid"),
        "aws:username" => ("aws:username", "aws:username"),
        "bailiwick:Host" => ("bailiwick:Host", "bailiwick:host"),
        "bailiwick:ResourceAccount" => ("bailiwick:ResourceAccount", "bailiwick:resourceaccount"),
        "bailiwick:Service" => ("bailiwick:Service", "bailiwick:service"),
        _ => return None,
    })
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Value {
    One(Box<str>),
    Many(Vec<Box<str>>),
}

impl Context {
    /// A context without keys.
    pub fn new() -> Context {
        Context::default()
    }

    /// A context that lies over another: keys of this one hide those of the same name beneath.
    pub fn over(beneath: Arc<Context>) -> Context {
        Context { entries: Vec::with_capacity(8), beneath: Some(beneath) }
    }

    /// Sets a single-valued key, whatever it was before.
    pub fn insert(&mut self, key: &str, value: impl Into<Box<str>>) {
        self.set(key, Value::One(value.into()));
    }

    /// Sets a multivalued key, whatever it was before.
    pub fn insert_many<V: Into<Box<str>>>(&mut self, key: &str, values: impl IntoIterator<Item = V>) {
        self.set(key, Value::Many(values.into_iter().map(Into::into).collect()));
    }

    /// Adds a value beside those that the key has in this layer: two tags whose keys differ by case only are one key with two values.
    pub fn add(&mut self, key: &str, value: impl Into<Box<str>>) {
        self.extend(key, vec![value.into()], false);
    }

    /// Takes a key out of this layer.
    pub fn remove(&mut self, key: &str) {
        if let Ok(at) = self.find(&lower(key)) {
            self.entries.remove(at);
        }
    }

    /// True if no layer has a key.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.beneath.as_ref().is_none_or(|beneath| beneath.is_empty())
    }

    /// About how many bytes this layer takes.
    pub fn weight(&self) -> usize {
        let value = |value: &Value| match value {
            Value::One(text) => text.len(),
            Value::Many(list) => list.iter().map(|text| text.len() + size_of::<Box<str>>()).sum(),
        };
        size_of::<Context>()
            + self
                .entries
                .iter()
                .map(|entry| {
                    size_of::<Entry>() + entry.key.len() + entry.shown.as_ref().map_or(0, |shown| shown.len()) + value(&entry.value)
                })
                .sum::<usize>()
    }

    /// Sees each key with its values, as [`Facts::each`] does; what is seen lives as long as the context.
    pub fn pairs<'a>(&'a self, see: &mut dyn FnMut(&'a str, Values<'a>)) {
        self.walk(&mut |entry| see(entry.shown.as_deref().unwrap_or(&entry.key), entry.value.show()));
    }

    fn walk<'a>(&'a self, see: &mut dyn FnMut(&'a Entry)) {
        self.entries.iter().for_each(&mut *see);
        if let Some(beneath) = &self.beneath {
            beneath.walk(&mut |entry| {
                if self.find(&entry.key).is_err() {
                    see(entry);
                }
            });
        }
    }

    /// Adds values; a key that was there, or that is told to be `many`, becomes multivalued.
    pub(crate) fn extend(&mut self, key: &str, values: Vec<Box<str>>, many: bool) {
        let folded = lower(key);
        if let Ok(at) = self.find(&folded)
            && let Some(entry) = self.entries.get_mut(at)
        {
            let mut list = match std::mem::replace(&mut entry.value, Value::Many(Vec::new())) {
                Value::One(text) => vec![text],
                Value::Many(list) => list,
            };
            list.extend(values);
            entry.value = Value::Many(list);
            return;
        }
        let mut values = values;
        let value = match values.pop() {
            Some(one) if !many && values.is_empty() => Value::One(one),
            last => {
                values.extend(last);
                Value::Many(values)
            }
        };
        self.set(key, value);
    }

    fn set(&mut self, key: &str, value: Value) {
        let (folded, shown) = match usual(key) {
            Some((shown, folded)) => (Cow::Borrowed(folded), (shown != folded).then_some(Cow::Borrowed(shown))),
            None => {
                let folded = lower(key);
                let shown = (folded != key).then(|| Cow::Owned(key.to_owned()));
                (Cow::Owned(folded.into_owned()), shown)
            }
        };
        match self.find(&folded) {
            Ok(at) => {
                if let Some(entry) = self.entries.get_mut(at) {
                    entry.shown = shown;
                    entry.value = value;
                }
            }
            Err(at) => self.entries.insert(at, Entry { key: folded, shown, value }),
        }
    }

    fn find(&self, folded: &str) -> Result<usize, usize> {
        self.entries.binary_search_by(|entry| entry.key.as_ref().cmp(folded))
    }
}

/// A key as the engine compares it.
pub(crate) fn lower(key: &str) -> Cow<'_, str> {
    let is_lower = key.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
    if is_lower { Cow::Borrowed(key) } else { Cow::Owned(key.to_lowercase()) }
}

impl Value {
    fn show(&self) -> Values<'_> {
        match self {
            Value::One(text) => Values::One(text),
            Value::Many(list) => Values::Many(list),
        }
    }
}

impl Facts for Context {
    fn get(&self, key: &str) -> Option<Values<'_>> {
        match self.find(key) {
            Ok(at) => self.entries.get(at).map(|entry| entry.value.show()),
            Err(_) => self.beneath.as_ref().and_then(|beneath| beneath.get(key)),
        }
    }

    fn each(&self, see: &mut dyn FnMut(&str, Values<'_>)) {
        self.pairs(&mut |key, values| see(key, values));
    }
}

/// `{"aws:SourceIp": "203.0.113.9", "aws:TagKeys": ["a", "b"]}`, all layers.
impl Serialize for Context {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let mut failed = None;
        self.each(&mut |key, values| {
            if failed.is_none() {
                failed = match values {
                    Values::One(text) => map.serialize_entry(key, text),
                    Values::Many(list) => map.serialize_entry(key, list),
                }
                .err();
            }
        });
        match failed {
            Some(error) => Err(error),
            None => map.end(),
        }
    }
}

/// Numbers and booleans count as their text; the same spelling twice is an error, spellings that differ by case only are one key with all values.
impl<'de> Deserialize<'de> for Context {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Context, D::Error> {
        struct Keys;
        impl<'de> Visitor<'de> for Keys {
            type Value = Context;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of condition keys")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Context, A::Error> {
                let mut context = Context::new();
                let mut seen = std::collections::BTreeSet::new();
                while let Some(key) = map.next_key::<String>()? {
                    let Given(value) = map.next_value()?;
                    match value {
                        Value::One(text) => context.extend(&key, vec![text], false),
                        Value::Many(list) => context.extend(&key, list, true),
                    }
                    if let Some(twice) = seen.replace(key) {
                        return Err(serde::de::Error::custom(format_args!("the key {twice:?} stands twice")));
                    }
                }
                Ok(context)
            }
        }
        deserializer.deserialize_map(Keys)
    }
}

/// One value of a key, as JSON has it.
struct Given(Value);

impl<'de> Deserialize<'de> for Given {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Given, D::Error> {
        struct OneOrMany;
        impl<'de> Visitor<'de> for OneOrMany {
            type Value = Given;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string, a number, a boolean, or a list of those")
            }

            fn visit_str<E>(self, text: &str) -> Result<Given, E> {
                Ok(Given(Value::One(text.into())))
            }

            fn visit_bool<E>(self, value: bool) -> Result<Given, E> {
                Ok(Given(Value::One(if value { "true" } else { "false" }.into())))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Given, E> {
                Ok(Given(Value::One(value.to_string().into())))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Given, E> {
                Ok(Given(Value::One(value.to_string().into())))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Given, E> {
                Ok(Given(Value::One(value.to_string().into())))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Given, A::Error> {
                let mut values = Vec::new();
                while let Some(Given(value)) = list.next_element()? {
                    match value {
                        Value::One(text) => values.push(text),
                        Value::Many(_) => return Err(serde::de::Error::custom("a list inside a list")),
                    }
                }
                Ok(Given(Value::Many(values)))
            }
        }
        deserializer.deserialize_any(OneOrMany)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_keys_are_listed_in_both_their_spellings() {
        for key in ["aws:CurrentTime", "aws:PrincipalArn", "aws:SourceIp", "aws:userid", "bailiwick:Host"] {
            let (shown, folded) = usual(key).unwrap();
            assert_eq!((shown, folded), (key, &*key.to_lowercase()));
            let mut context = Context::new();
            context.insert(key, "x");
            assert_eq!(context.get(folded), Some(Values::One("x")));
            assert_eq!(serde_json::to_string(&context).unwrap(), format!(r#"{{"{key}":"x"}}"#));
        }
    }

    #[test]
    fn keys_have_no_case_and_keep_their_spelling() {
        let mut context = Context::new();
        context.insert("aws:ResourceTag/Dept", "x");
        assert_eq!(context.get("aws:resourcetag/dept"), Some(Values::One("x")));
        assert_eq!(serde_json::to_string(&context).unwrap(), r#"{"aws:ResourceTag/Dept":"x"}"#);
    }

    #[test]
    fn the_upper_layer_hides_the_lower_one() {
        let mut lower = Context::new();
        lower.insert("a", "1");
        lower.insert("b", "1");
        let mut upper = Context::over(Arc::new(lower));
        upper.insert("B", "2");
        assert_eq!(upper.get("a"), Some(Values::One("1")));
        assert_eq!(upper.get("b"), Some(Values::One("2")));
        assert_eq!(serde_json::to_string(&upper).unwrap(), r#"{"B":"2","a":"1"}"#);
    }

    #[test]
    fn what_is_read_is_what_was_written() {
        let text = r#"{"aws:SourceIp":"203.0.113.9","aws:TagKeys":["a","b"],"empty":[],"one":["x"]}"#;
        let context: Context = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&context).unwrap(), text);
    }

    #[test]
    fn numbers_and_booleans_count_as_their_text() {
        let context: Context = serde_json::from_str(r#"{"n":5,"m":-1.5,"b":true,"l":[1,false]}"#).unwrap();
        assert_eq!(serde_json::to_string(&context).unwrap(), r#"{"b":"true","l":["1","false"],"m":"-1.5","n":"5"}"#);
    }

    #[test]
    fn spellings_of_one_key_are_one_key_with_all_values_but_a_key_never_stands_twice() {
        let context: Context = serde_json::from_str(r#"{"aws:RequestTag/A":"1","aws:RequestTag/a":"2"}"#).unwrap();
        assert_eq!(context.get("aws:requesttag/a"), Some(Values::Many(&["1".into(), "2".into()])));
        assert!(serde_json::from_str::<Context>(r#"{"a":"1","a":"2"}"#).is_err());
        assert!(serde_json::from_str::<Context>(r#"{"a":[["1"]]}"#).is_err());
        assert!(serde_json::from_str::<Context>(r#"{"a":null}"#).is_err());
    }
}
