//! One record in CloudTrail's form, written straight into a buffer.
//!
//! Members, their order and their words are those of CloudTrail's event version 1.11. Two rules are ours: no secret, token or signature is
//! written at all, and every text that a client chose is bounded, so that a record cannot be made to grow.
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html>.

use arn::AccountId;

use crate::identity::{LONGEST_NAME, UserIdentity, write_account};
use crate::json::{Object, bounded, write_object, write_text};
use crate::recorded::Recorded;
use crate::{redact, time};

/// The longest text of a client's own that a record shows, in bytes: user agent, host name, an error's words about a value.
const LONGEST_TEXT: usize = 1_024;
/// The longest message of an error; a canonical request is in some.
const LONGEST_MESSAGE: usize = 8_192;
/// How much of a request or of an answer is shown, in bytes: CloudTrail's own bound of an event.
const LONGEST_TREE: usize = 256 * 1_024;
/// What an ordinary event needs.
const USUAL_LENGTH: usize = 1_536;

/// Writes the members of a request or of an answer.
pub type Tree<'a> = &'a dyn Fn(&mut Object<'_>);

/// One event. Everything is borrowed; nothing is checked but bounded, escaped and redacted.
#[derive(Clone, Copy)]
pub struct Event<'a> {
    /// Who called.
    pub identity: UserIdentity<'a>,
    /// When, in seconds since 1970.
    pub at: i64,
    /// The service, as `iam.amazonaws.com`.
    pub source: &'a str,
    /// The operation, as `CreateUser`.
    pub name: &'a str,
    /// The region, `us-east-1` for global services.
    pub region: &'a str,
    /// The caller's address, or the name of a service that called.
    pub source_address: &'a str,
    /// The client's user agent.
    pub user_agent: Option<&'a str>,
    /// The code and the words of the error that was answered.
    pub error: Option<(&'a str, &'a str)>,
    /// The request's members; none is `null`.
    pub request: Option<Tree<'a>>,
    /// The answer's members; none is `null`, as it always is for reads.
    pub response: Option<Tree<'a>>,
    /// Further members of `additionalEventData`, as (name, text).
    pub additional: &'a [(&'a str, &'a str)],
    /// The decision.
    pub recorded: Option<&'a Recorded<'a>>,
    /// The request's id, which its answer carried too.
    pub request_id: &'a str,
    /// The event's own id.
    pub event_id: EventId,
    /// Whether the operation only reads.
    pub read_only: bool,
    /// What the call was about.
    pub resources: &'a [Resource<'a>],
    /// What kind of event.
    pub event_type: EventType,
    /// The account whose trail it belongs to; none where a call named none.
    pub recipient: Option<AccountId>,
    /// The id that events of one call in several accounts share.
    pub shared_id: Option<EventId>,
    /// How the connection was protected; none without TLS.
    pub tls: Option<Tls<'a>>,
}

/// A UUID of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EventId([u8; 16]);

/// What kind of event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EventType {
    /// A call of an API.
    #[default]
    ApiCall,
    /// A sign-in to the console.
    ConsoleSignIn,
    /// Something that the service did by itself, as the command line's commands.
    ServiceEvent,
}

/// A resource that a call was about.
#[derive(Debug, Clone, Copy)]
pub struct Resource<'a> {
    /// Its ARN.
    pub arn: &'a str,
    /// Its account.
    pub account: Option<AccountId>,
    /// Its type, as `AWS::IAM::Role`.
    pub kind: Option<&'a str>,
}

/// `tlsDetails`.
#[derive(Debug, Clone, Copy)]
pub struct Tls<'a> {
    /// As `TLSv1.3`.
    pub version: &'a str,
    /// As `TLS_AES_128_GCM_SHA256`.
    pub cipher_suite: &'a str,
    /// The host that the client asked for.
    pub host: &'a str,
}

impl EventId {
    /// A random UUID (version 4) of 16 random bytes.
    pub fn from_entropy(mut bytes: [u8; 16]) -> EventId {
        let [.., version, _, variant, _, _, _, _, _, _, _] = &mut bytes;
        *version = *version & 0x0f | 0x40;
        *variant = *variant & 0x3f | 0x80;
        EventId(bytes)
    }

    fn write(self, out: &mut Vec<u8>) {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        for (index, byte) in self.0.iter().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                out.push(b'-');
            }
            let digit = |nibble: u8| HEX.get(usize::from(nibble)).copied().unwrap_or(b'0');
            out.extend_from_slice(&[digit(byte >> 4), digit(byte & 0x0f)]);
        }
    }
}

impl std::fmt::Display for EventId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = Vec::with_capacity(36);
        self.write(&mut text);
        formatter.write_str(&String::from_utf8_lossy(&text))
    }
}

impl EventType {
    fn as_str(self) -> &'static str {
        match self {
            EventType::ApiCall => "AwsApiCall",
            EventType::ConsoleSignIn => "AwsConsoleSignIn",
            EventType::ServiceEvent => "AwsServiceEvent",
        }
    }
}

fn raw(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

/// Members that are null where there is no tree; says whether all of it fitted.
fn tree(out: &mut Vec<u8>, write: Option<Tree<'_>>) -> bool {
    match write {
        Some(write) => write_object(out, LONGEST_TREE, write),
        None => {
            raw(out, "null");
            true
        }
    }
}

impl Event<'_> {
    /// The event as one line, without its end.
    pub fn line(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(USUAL_LENGTH);
        self.write(&mut out);
        out
    }

    /// The same as text, for the store's outbox.
    pub fn text(&self) -> String {
        String::from_utf8(self.line()).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }

    /// Appends the event to `out`.
    pub fn write(&self, out: &mut Vec<u8>) {
        raw(out, r#"{"eventVersion":"1.11","userIdentity":"#);
        self.identity.write(out);
        raw(out, r#","eventTime":""#);
        time::write_rfc3339(out, self.at);
        raw(out, r#"","eventSource":"#);
        write_text(out, self.source);
        raw(out, r#","eventName":"#);
        write_text(out, bounded(self.name, LONGEST_TEXT));
        raw(out, r#","awsRegion":"#);
        write_text(out, bounded(self.region, LONGEST_TEXT));
        raw(out, r#","sourceIPAddress":"#);
        write_text(out, self.source_address);
        if let Some(user_agent) = self.user_agent {
            raw(out, r#","userAgent":"#);
            write_text(out, bounded(&redact::text(bounded(user_agent, 4 * LONGEST_TEXT)), LONGEST_TEXT));
        }
        if let Some((code, message)) = self.error {
            raw(out, r#","errorCode":"#);
            write_text(out, code);
            raw(out, r#","errorMessage":"#);
            write_text(out, bounded(&redact::text(bounded(message, 4 * LONGEST_MESSAGE)), LONGEST_MESSAGE));
        }
        raw(out, r#","requestParameters":"#);
        let request_whole = tree(out, self.request);
        raw(out, r#","responseElements":"#);
        let response_whole = tree(out, self.response);
        self.write_additional(out, request_whole, response_whole);
        raw(out, r#","requestID":"#);
        write_text(out, self.request_id);
        raw(out, r#","eventID":""#);
        self.event_id.write(out);
        raw(out, if self.read_only { r#"","readOnly":true"# } else { r#"","readOnly":false"# });
        self.write_resources(out);
        raw(out, r#","eventType":""#);
        raw(out, self.event_type.as_str());
        raw(out, r#"","managementEvent":true"#);
        if let Some(recipient) = self.recipient {
            raw(out, r#","recipientAccountId":""#);
            write_account(out, recipient);
            out.push(b'"');
        }
        if let Some(shared_id) = self.shared_id {
            raw(out, r#","sharedEventID":""#);
            shared_id.write(out);
            out.push(b'"');
        }
        raw(out, r#","eventCategory":"Management""#);
        if let Some(tls) = &self.tls {
            raw(out, r#","tlsDetails":{"tlsVersion":"#);
            write_text(out, tls.version);
            raw(out, r#","cipherSuite":"#);
            write_text(out, tls.cipher_suite);
            raw(out, r#","clientProvidedHostHeader":"#);
            write_text(out, bounded(tls.host, LONGEST_TEXT));
            out.push(b'}');
        }
        out.push(b'}');
    }

    fn write_additional(&self, out: &mut Vec<u8>, request_whole: bool, response_whole: bool) {
        if self.additional.is_empty() && self.recorded.is_none() && request_whole && response_whole {
            return;
        }
        raw(out, r#","additionalEventData":{"#);
        let start = out.len();
        let separate = |out: &mut Vec<u8>| {
            if out.len() > start {
                out.push(b',');
            }
        };
        for (name, value) in self.additional {
            separate(out);
            write_text(out, name);
            out.push(b':');
            write_text(out, bounded(&redact::text(bounded(value, 4 * LONGEST_MESSAGE)), LONGEST_MESSAGE));
        }
        for (name, whole) in [("requestParameters", request_whole), ("responseElements", response_whole)] {
            if !whole {
                separate(out);
                raw(out, "\"");
                raw(out, name);
                raw(out, r#"Truncated":true"#);
            }
        }
        if let Some(recorded) = self.recorded {
            separate(out);
            raw(out, r#""bailiwick":"#);
            recorded.write(out);
        }
        out.push(b'}');
    }

    fn write_resources(&self, out: &mut Vec<u8>) {
        if self.resources.is_empty() {
            return;
        }
        raw(out, r#","resources":["#);
        for (index, resource) in self.resources.iter().enumerate() {
            raw(out, if index > 0 { r#",{"ARN":"# } else { r#"{"ARN":"# });
            write_text(out, bounded(resource.arn, LONGEST_NAME));
            if let Some(account) = resource.account {
                raw(out, r#","accountId":""#);
                write_account(out, account);
                out.push(b'"');
            }
            if let Some(kind) = resource.kind {
                raw(out, r#","type":"#);
                write_text(out, kind);
            }
            out.push(b'}');
        }
        out.push(b']');
    }
}

#[cfg(test)]
mod tests;
