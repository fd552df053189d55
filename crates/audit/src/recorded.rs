//! What a record says about its decision, and reading it back.
//!
//! It stands in `additionalEventData.bailiwick`. Together with the store as of [`Recorded::revision`] it is all that computing the decision
//! again needs: who asked is in `userIdentity`, the policies are in the store, and what only the request knew is here.

use std::borrow::Cow;
use std::fmt;

use arn::AccountId;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::identity::write_account;
use crate::json::{bounded, write_number, write_text};
use crate::redact;

/// The longest value of a condition key that a record keeps, in bytes; what clients send at most is far below.
pub const LONGEST_VALUE: usize = 1_024;

/// What ends a value of a condition key that was longer than [`LONGEST_VALUE`].
pub const CUT: &str = "…(cut)";

/// A decision as it was made, and what `explain` needs to make it again.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Recorded<'a> {
    /// The store's revision that was decided at.
    pub revision: i64,
    /// `Allowed`, `ImplicitlyDenied` or `ExplicitlyDenied`: of all checks together.
    pub outcome: Cow<'a, str>,
    /// What kind of policy decided, as `identity` or `boundary`.
    pub because: Cow<'a, str>,
    /// The statement that decided, if one did.
    #[serde(default)]
    pub by: Option<By<'a>>,
    /// The ARN of the server that asked, for checks that came through `/authorize`.
    #[serde(default)]
    pub asked_by: Option<Cow<'a, str>>,
    /// The condition keys that hold for all checks.
    #[serde(default)]
    pub keys: Keys<'a>,
    /// What was judged, in order.
    #[serde(default)]
    pub checks: Vec<Check<'a>>,
    /// The caller's session policies: the text of an inline one, the ARN of a managed one.
    #[serde(default)]
    pub session_policies: Vec<Cow<'a, str>>,
}

/// One action on one resource.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Check<'a> {
    /// The action, as `s3:GetObject`.
    pub action: Cow<'a, str>,
    /// The resource's ARN, or `*`.
    pub resource: Cow<'a, str>,
    /// The account that owns the resource.
    #[serde(default)]
    pub resource_account: Option<AccountId>,
    /// `Allowed`, `ImplicitlyDenied` or `ExplicitlyDenied`.
    pub outcome: Cow<'a, str>,
    /// What kind of policy decided.
    pub because: Cow<'a, str>,
    /// The statement that decided, where it is not [`Recorded::by`].
    #[serde(default)]
    pub by: Option<By<'a>>,
    /// The condition keys of this check alone.
    #[serde(default)]
    pub keys: Keys<'a>,
    /// The resource policy that the asker brought along, as text.
    #[serde(default)]
    pub resource_policy: Option<Cow<'a, str>>,
}

/// Where the deciding statement stands.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct By<'a> {
    /// The document: a policy's ARN, or words such as `inline policy p of user alice`.
    pub source: Cow<'a, str>,
    /// The statement's number in it, from 0.
    pub statement: u32,
    /// The statement's id, if it has one.
    #[serde(default)]
    pub sid: Option<Cow<'a, str>>,
    /// The line that it begins on, from 1.
    pub line: u32,
}

/// Condition keys with their values, in the order in which they were added. Values are written without secrets and at most
/// [`LONGEST_VALUE`] long; [`Keys::altered`] names those of which a record does not have the whole.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Keys<'a>(pub Vec<(Cow<'a, str>, Words<'a>)>);

/// The value or the values of a condition key.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Words<'a> {
    /// Of a single-valued key.
    One(Cow<'a, str>),
    /// Of a multivalued key.
    Many(Vec<Cow<'a, str>>),
}

/// Keys whose values Bailiwick makes itself, of what is no secret: they need not be looked through.
fn is_made_here(key: &str) -> bool {
    matches!(
        key,
        "aws:CurrentTime"
            | "aws:EpochTime"
            | "aws:PrincipalAccount"
            | "aws:PrincipalArn"
            | "aws:PrincipalIsAWSService"
            | "aws:PrincipalType"
            | "aws:ResourceAccount"
            | "aws:SecureTransport"
            | "aws:SourceIp"
            | "aws:ViaAWSService"
            | "bailiwick:ResourceAccount"
    )
}

/// A value as a record keeps it.
fn kept<'v>(key: &str, value: &'v str) -> Cow<'v, str> {
    if is_made_here(key) && value.len() <= LONGEST_VALUE {
        return Cow::Borrowed(value);
    }
    // Cut before it is looked through: a client's text must not cost more than what is kept of it. Names come before their secrets.
    let clean = redact::text(bounded(value, 4 * LONGEST_VALUE));
    if clean.len() <= LONGEST_VALUE && value.len() <= 4 * LONGEST_VALUE {
        clean
    } else {
        Cow::Owned(format!("{}{CUT}", bounded(&clean, LONGEST_VALUE)))
    }
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

/// What separates members and elements: nothing before the first.
fn separate(out: &mut Vec<u8>, first: &mut bool) {
    if !std::mem::take(first) {
        out.push(b',');
    }
}

/// An object in the making. Written by hand, since a record of a check is mostly this, and serde_json takes three times as long.
struct Members<'o> {
    out: &'o mut Vec<u8>,
    first: bool,
}

impl Members<'_> {
    fn write(out: &mut Vec<u8>, members: impl FnOnce(&mut Members<'_>)) {
        out.push(b'{');
        members(&mut Members { out, first: true });
        out.push(b'}');
    }

    /// Begins a member, whose name needs no escaping; its value is to follow.
    fn name(&mut self, name: &'static str) -> &mut Vec<u8> {
        separate(self.out, &mut self.first);
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.out
    }

    /// Begins a member whose name is data.
    fn key(&mut self, key: &str) -> &mut Vec<u8> {
        separate(self.out, &mut self.first);
        write_text(self.out, key);
        self.out.push(b':');
        self.out
    }

    fn text(&mut self, name: &'static str, text: &str) {
        write_text(self.name(name), text);
    }

    fn optional(&mut self, name: &'static str, text: Option<&str>) {
        if let Some(text) = text {
            self.text(name, text);
        }
    }

    fn list<T>(&mut self, name: &'static str, elements: &[T], write: impl Fn(&T, &mut Vec<u8>)) {
        if !elements.is_empty() {
            write_list(self.name(name), elements, write);
        }
    }
}

fn write_list<T>(out: &mut Vec<u8>, elements: &[T], write: impl Fn(&T, &mut Vec<u8>)) {
    out.push(b'[');
    let mut first = true;
    for element in elements {
        separate(out, &mut first);
        write(element, out);
    }
    out.push(b']');
}

impl Keys<'_> {
    fn write(&self, members: &mut Members<'_>) {
        if self.is_empty() {
            return;
        }
        Members::write(members.name("keys"), |keys| {
            for (key, words) in &self.0 {
                match words {
                    Words::One(value) => write_text(keys.key(key), &kept(key, value)),
                    Words::Many(values) => write_list(keys.key(key), values, |value, out| write_text(out, &kept(key, value))),
                }
            }
        });
    }
}

impl By<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        Members::write(out, |by| {
            by.text("source", &self.source);
            write_number(by.name("statement"), i64::from(self.statement));
            by.optional("sid", self.sid.as_deref());
            write_number(by.name("line"), i64::from(self.line));
        });
    }
}

impl Check<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        Members::write(out, |check| {
            check.text("action", &self.action);
            check.text("resource", &self.resource);
            if let Some(account) = self.resource_account {
                let out = check.name("resourceAccount");
                out.push(b'"');
                write_account(out, account);
                out.push(b'"');
            }
            check.text("outcome", &self.outcome);
            check.text("because", &self.because);
            if let Some(by) = &self.by {
                by.write(check.name("by"));
            }
            self.keys.write(check);
            check.optional("resourcePolicy", self.resource_policy.as_deref());
        });
    }
}

impl Recorded<'_> {
    /// Appends it as JSON, as [`parse`] reads it back.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        Members::write(out, |recorded| {
            write_number(recorded.name("revision"), self.revision);
            recorded.text("outcome", &self.outcome);
            recorded.text("because", &self.because);
            if let Some(by) = &self.by {
                by.write(recorded.name("by"));
            }
            recorded.optional("askedBy", self.asked_by.as_deref());
            self.keys.write(recorded);
            recorded.list("checks", &self.checks, Check::write);
            recorded.list("sessionPolicies", &self.session_policies, |policy, out| write_text(out, policy));
        });
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
    /// The service that called, by itself or for whoever this is.
    #[serde(default)]
    pub invoked_by: Option<String>,
    /// The product that acted with rights that were lent to it.
    #[serde(default)]
    pub invoked_by_delegate: Option<Delegate>,
    #[serde(default)]
    session_context: Option<SessionContext>,
}

/// A product that acts with lent rights.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Delegate {
    /// Its account.
    pub account_id: AccountId,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SessionContext {
    #[serde(default)]
    session_issuer: Option<SessionIssuer>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SessionIssuer {
    #[serde(default)]
    arn: Option<String>,
    #[serde(default)]
    principal_id: Option<String>,
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

    /// Their unique id; root's is its account.
    pub fn issuer_id(&self) -> Option<&str> {
        self.session_context.as_ref()?.session_issuer.as_ref()?.principal_id.as_deref()
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
