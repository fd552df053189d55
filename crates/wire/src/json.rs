//! JSON in and out: JSON 1.0 and 1.1, the bodies of REST-JSON, and the form of Query replies that `Accept: application/json` asks for.

use crate::{Failure, Malformed, Node};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

mod read;

pub use read::read;
pub(crate) use read::twin;

/// The output of an operation: the object itself; `{}` where there is none.
pub fn reply(output: &Node) -> Vec<u8> {
    let mut out = Vec::with_capacity(512);
    if output.is_absent() {
        push(&mut out, "{}")
    } else {
        write(&mut out, output)
    }
    out
}

/// `{"__type":"…","message":"…"}`, under the name that `message` says, and the members of the error. The header `x-amzn-ErrorType` says the code once more: clients of JSON 1.1
/// read only the body, those of REST-JSON the header first.
pub fn failure(failure: &Failure, message: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    push(&mut out, "{\"__type\":");
    string(&mut out, &failure.code);
    push(&mut out, ",");
    string(&mut out, message);
    push(&mut out, ":");
    string(&mut out, &failure.message);
    for (name, node) in failure.extra.iter().filter(|(_, node)| !node.is_absent()) {
        push(&mut out, ",");
        string(&mut out, name);
        push(&mut out, ":");
        write(&mut out, node);
    }
    push(&mut out, "}");
    out
}

/// `{"OpResponse":{"OpResult":{…},"ResponseMetadata":{"RequestId":"…"}}}`.
pub fn query_reply(operation: &str, output: &Node, request_id: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(512);
    push(&mut out, "{");
    string(&mut out, &[operation, "Response"].concat());
    push(&mut out, ":{");
    if !output.is_absent() {
        string(&mut out, &[operation, "Result"].concat());
        push(&mut out, ":");
        write(&mut out, output);
        push(&mut out, ",");
    }
    push(&mut out, "\"ResponseMetadata\":{\"RequestId\":");
    string(&mut out, request_id);
    push(&mut out, "}}}");
    out
}

/// `{"Error":{"Code":"…","Message":"…","Type":"Sender"},"RequestId":"…"}`.
pub fn query_failure(failure: &Failure, request_id: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    push(&mut out, "{\"Error\":{\"Code\":");
    string(&mut out, &failure.code);
    if !failure.message.is_empty() {
        push(&mut out, ",\"Message\":");
        string(&mut out, &failure.message);
    }
    push(&mut out, ",\"Type\":");
    string(&mut out, failure.fault().as_str());
    for (name, node) in failure.extra.iter().filter(|(_, node)| !node.is_absent()) {
        push(&mut out, ",");
        string(&mut out, name);
        push(&mut out, ":");
        write(&mut out, node);
    }
    push(&mut out, "},\"RequestId\":");
    string(&mut out, request_id);
    push(&mut out, "}");
    out
}

/// One node. Absent members vanish; an absent element of a list is `null`.
pub fn write(out: &mut Vec<u8>, node: &Node) {
    match node {
        Node::Absent => push(out, "null"),
        Node::Bool(true) => push(out, "true"),
        Node::Bool(false) => push(out, "false"),
        Node::Number(number) | Node::Time(number) => value(out, number),
        Node::Decimal(number) => value(out, number),
        Node::Text(text) => string(out, text),
        Node::Blob(bytes) => string(out, &BASE64.encode(bytes)),
        Node::List(items) => {
            push(out, "[");
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    push(out, ",");
                }
                write(out, item);
            }
            push(out, "]");
        }
        Node::Map(members) | Node::Entries(members) => {
            push(out, "{");
            for (at, (name, node)) in members.iter().filter(|(_, node)| !node.is_absent()).enumerate() {
                if at > 0 {
                    push(out, ",");
                }
                string(out, name);
                push(out, ":");
                write(out, node);
            }
            push(out, "}");
        }
    }
}

fn push(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

fn string(out: &mut Vec<u8>, text: &str) {
    value(out, text);
}

fn value<T: serde::Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    // Writing into memory does not fail, and neither texts nor numbers can refuse.
    let _ = serde_json::to_writer(out, value);
}
