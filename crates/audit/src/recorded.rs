//! What a record says about its decision, and reading it back.
//!
//! It stands in `additionalEventData.bailiwick`. Together with the store as of [`Recorded::revision`] it is all that computing the decision
//! again needs: who asked is in `userIdentity`, the policies are in the store, and what only the request knew is here.

use std::borrow::Cow;
use std::fmt;

use arn::AccountId;
use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::json::{bounded, write_escaped};
use crate::redact;

/// The longest value of a condition key that a record keeps, in bytes; what clients send at most is far below.
pub const LONGEST_VALUE: usize = 1_024;

/// What ends a value of a condition key that was longer than [`LONGEST_VALUE`].
pub const CUT: &str = "…(cut)";

/// A decision as it was made, and what `explain` needs to make it again.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Recorded<'a> {
    /// The store's revision that was decided at.
    pub revision: i64,
    /// `Allowed`, `ImplicitlyDenied` or `ExplicitlyDenied`: of all checks together.
    pub outcome: Cow<'a, str>,
    /// What kind of policy decided, as `identity` or `boundary`.
    pub because: Cow<'a, str>,
    /// The statement that decided, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<By<'a>>,
    /// The ARN of the server that asked, for checks that came through `/authorize`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_by: Option<Cow<'a, str>>,
    /// The condition keys that hold for all checks.
    #[serde(default, skip_serializing_if = "Keys::is_empty")]
    pub keys: Keys<'a>,
    /// What was judged, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Check<'a>>,
    /// The caller's session policies: the text of an inline one, the ARN of a managed one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub session_policies: Vec<Cow<'a, str>>,
}

/// One action on one resource.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Check<'a> {
    /// The action, as `s3:GetObject`.
    pub action: Cow<'a, str>,
    /// The resource's ARN, or `*`.
    pub resource: Cow<'a, str>,
    /// The account that owns the resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_account: Option<AccountId>,
    /// `Allowed`, `ImplicitlyDenied` or `ExplicitlyDenied`.
    pub outcome: Cow<'a, str>,
    /// What kind of policy decided.
    pub because: Cow<'a, str>,
    /// The statement that decided, where it is not [`Recorded::by`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<By<'a>>,
    /// The condition keys of this check alone.
    #[serde(default, skip_serializing_if = "Keys::is_empty")]
    pub keys: Keys<'a>,
    /// The resource policy that the asker brought along, as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_policy: Option<Cow<'a, str>>,
}

/// Where the deciding statement stands.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct By<'a> {
    /// The document: a policy's ARN, or words such as `inline policy p of user alice`.
    pub source: Cow<'a, str>,
    /// The statement's number in it, from 0.
    pub statement: u32,
    /// The statement's id, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<Cow<'a, str>>,
    /// The line that it begins on, from 1.
    pub line: u32,
}

/// Condition keys with their values, in the order in which they were added. Values are written without secrets and at most
/// [`LONGEST_VALUE`] long; [`Keys::altered`] names those of which a record does not have the whole.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Keys<'a>(pub Vec<(Cow<'a, str>, Words<'a>)>);

/// The value or the values of a condition key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Words<'a> {
    /// Of a single-valued key.
    One(#[serde(serialize_with = "one_kept")] Cow<'a, str>),
    /// Of a multivalued key.
    Many(#[serde(serialize_with = "many_kept")] Vec<Cow<'a, str>>),
}

/// A value as a record keeps it.
fn kept(value: &str) -> Cow<'_, str> {
    let clean = redact::text(value);
    if clean.len() <= LONGEST_VALUE { clean } else { Cow::Owned(format!("{}{CUT}", bounded(&clean, LONGEST_VALUE))) }
}

fn one_kept<S: Serializer>(value: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&kept(value))
}

fn many_kept<S: Serializer>(values: &[Cow<'_, str>], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(values.iter().map(|value| kept(value)))
}

impl<'a> Keys<'a> {
    /// Adds a single-valued key.
    pub fn one(&mut self, key: impl Into<Cow<'a, str>>, value: impl Into<Cow<'a, str>>) {
        self.0.push((key.into(), Words::One(value.into())));
    }

    /// Adds a multivalued key.
    pub fn many(&mut self, key: impl Into<Cow<'a, str>>, values: impl IntoIterator<Item = impl Into<Cow<'a, str>>>) {
        self.0.push((key.into(), Words::Many(values.into_iter().map(Into::into).collect())));
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Of keys read back: those whose value is not the whole one that was judged, so that an explanation can say so.
    pub fn altered(&self) -> impl Iterator<Item = &str> {
        let is_altered = |value: &Cow<'_, str>| value.ends_with(CUT) || value.contains(redact::HIDDEN);
        self.0.iter().filter_map(move |(key, words)| {
            let altered = match words {
                Words::One(value) => is_altered(value),
                Words::Many(values) => values.iter().any(is_altered),
            };
            altered.then_some(&**key)
        })
    }
}

impl Serialize for Keys<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, words) in &self.0 {
            map.serialize_entry(key, words)?;
        }
        map.end()
    }
}

impl<'de, 'a> Deserialize<'de> for Keys<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Keys<'a>, D::Error> {
        struct Entries<'a>(std::marker::PhantomData<&'a ()>);
        impl<'de, 'a> Visitor<'de> for Entries<'a> {
            type Value = Keys<'a>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("condition keys with their values")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Keys<'a>, A::Error> {
                let mut keys = Keys::default();
                while let Some((key, words)) = map.next_entry::<String, Words<'a>>()? {
                    keys.0.push((Cow::Owned(key), words));
                }
                Ok(keys)
            }
        }
        deserializer.deserialize_map(Entries(std::marker::PhantomData))
    }
}

/// serde_json's own form, but with everything escaped that [`write_escaped`] escapes.
struct Careful;

impl serde_json::ser::Formatter for Careful {
    fn write_string_fragment<W: ?Sized + std::io::Write>(&mut self, writer: &mut W, fragment: &str) -> std::io::Result<()> {
        if fragment.is_ascii() && !fragment.contains('\x7f') {
            return writer.write_all(fragment.as_bytes());
        }
        let mut escaped = Vec::with_capacity(fragment.len() + 16);
        write_escaped(&mut escaped, fragment);
        writer.write_all(&escaped)
    }
}

impl Recorded<'_> {
    /// Appends it as JSON.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let start = out.len();
        if self.serialize(&mut serde_json::Serializer::with_formatter(&mut *out, Careful)).is_err() {
            // A Vec takes every write and every key is a string, so this is never reached; the record stays JSON even then.
            out.truncate(start);
            out.extend_from_slice(b"null");
        }
    }
}

/// One line of the trail, read back.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Parsed {
    /// The event's own id, a UUID.
    #[serde(rename = "eventID")]
    pub event_id: String,
    /// The request that it is about.
    #[serde(rename = "requestID")]
    pub request_id: String,
    /// The account whose trail it belongs to; none where a call named none.
    #[serde(rename = "recipientAccountId", default)]
    pub account: Option<AccountId>,
    /// When, as RFC 3339.
    pub event_time: String,
    /// The service, as `iam.amazonaws.com`.
    pub event_source: String,
    /// The operation.
    pub event_name: String,
    /// The code of the error that was answered, if one was.
    #[serde(default)]
    pub error_code: Option<String>,
    /// Its message.
    #[serde(default)]
    pub error_message: Option<String>,
    /// Who called.
    #[serde(rename = "userIdentity")]
    pub identity: Identified,
    #[serde(default)]
    additional_event_data: Option<Additional>,
}

/// The caller of an event that was read back; members are empty or absent where its type has none.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Identified {
    /// The type, as `IAMUser`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The unique id, with the session's name after a colon for sessions.
    #[serde(default)]
    pub principal_id: Option<String>,
    /// The caller's ARN.
    #[serde(default)]
    pub arn: Option<String>,
    /// The caller's account.
    #[serde(default)]
    pub account_id: Option<AccountId>,
    /// The key that signed.
    #[serde(default)]
    pub access_key_id: Option<String>,
    #[serde(default)]
    session_context: Option<SessionContext>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SessionContext {
    #[serde(default)]
    session_issuer: Option<SessionIssuer>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct SessionIssuer {
    #[serde(default)]
    arn: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Additional {
    #[serde(default)]
    bailiwick: Option<Recorded<'static>>,
}

impl Identified {
    /// The ARN of the role or the user that the session's rights come from.
    pub fn issuer(&self) -> Option<&str> {
        self.session_context.as_ref()?.session_issuer.as_ref()?.arn.as_deref()
    }
}

impl Parsed {
    /// The decision that the event is about; none where nothing was decided, as for a call that did not authenticate.
    pub fn recorded(&self) -> Option<&Recorded<'static>> {
        self.additional_event_data.as_ref()?.bailiwick.as_ref()
    }
}

/// A line that is not an event of the trail.
#[derive(Debug, thiserror::Error)]
#[error("not an event of the audit trail: {0}")]
pub struct NotAnEvent(#[from] serde_json::Error);

/// Reads one line of the trail back.
pub fn parse(line: &str) -> Result<Parsed, NotAnEvent> {
    Ok(serde_json::from_str(line)?)
}

#[cfg(test)]
mod tests;
