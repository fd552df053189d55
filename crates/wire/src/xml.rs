//! XML out: how Query services answer.

use crate::{Failure, Name, Node, Timestamp};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use std::io::Write as _;

/// `<OpResponse xmlns="…"><OpResult>…</OpResult><ResponseMetadata><RequestId>…</RequestId></ResponseMetadata></OpResponse>`.
/// Without `OpResult` where the output is [`Node::Absent`].
pub fn reply(operation: &str, namespace: &str, output: &Node, request_id: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(512);
    push(&mut out, &["<", operation, "Response xmlns=\""]);
    escape(&mut out, namespace);
    push(&mut out, &["\">"]);
    if !output.is_absent() {
        push(&mut out, &["<", operation, "Result"]);
        content(&mut out, &[operation, "Result"], output);
    }
    push(&mut out, &["<ResponseMetadata><RequestId>"]);
    escape(&mut out, request_id);
    push(&mut out, &["</RequestId></ResponseMetadata></", operation, "Response>"]);
    out
}

/// `<ErrorResponse xmlns="…"><Error><Type>Sender</Type><Code>…</Code><Message>…</Message></Error><RequestId>…</RequestId></ErrorResponse>`.
pub fn failure(failure: &Failure, namespace: &str, request_id: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(512);
    push(&mut out, &["<ErrorResponse xmlns=\""]);
    escape(&mut out, namespace);
    push(&mut out, &["\"><Error><Type>", failure.fault().as_str(), "</Type><Code>"]);
    escape(&mut out, &failure.code);
    push(&mut out, &["</Code>"]);
    if !failure.message.is_empty() {
        push(&mut out, &["<Message>"]);
        escape(&mut out, &failure.message);
        push(&mut out, &["</Message>"]);
    }
    for (name, node) in &failure.extra {
        element(&mut out, name, node);
    }
    push(&mut out, &["</Error><RequestId>"]);
    escape(&mut out, request_id);
    push(&mut out, &["</RequestId></ErrorResponse>"]);
    out
}

fn push(out: &mut Vec<u8>, parts: &[&str]) {
    for part in parts {
        out.extend_from_slice(part.as_bytes());
    }
}

fn element(out: &mut Vec<u8>, name: &Name, node: &Node) {
    // Names are literals of our shapes. One that came from elsewhere must not be able to close a tag.
    let safe = match name {
        Name::Borrowed(_) => true,
        Name::Owned(name) => name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric()),
    };
    if safe && !node.is_absent() {
        push(out, &["<", name]);
        content(out, &[name], node);
    }
}

/// What follows `<name`: the rest of the start tag, the content and the end tag; or `/>` where there is nothing inside.
fn content(out: &mut Vec<u8>, name: &[&str], node: &Node) {
    let start = out.len();
    push(out, &[">"]);
    match node {
        Node::Absent => {}
        Node::Bool(true) => push(out, &["true"]),
        Node::Bool(false) => push(out, &["false"]),
        Node::Number(number) => display(out, number),
        Node::Decimal(number) => display(out, number),
        Node::Text(text) => escape(out, text),
        Node::Time(seconds) => display(out, &Timestamp(*seconds)),
        Node::Blob(bytes) => push(out, &[&BASE64.encode(bytes)]),
        Node::List(items) => {
            for item in items {
                push(out, &["<member"]);
                content(out, &["member"], item);
            }
        }
        Node::Map(members) => {
            for (name, node) in members {
                element(out, name, node);
            }
        }
        Node::Entries(entries) => {
            for (key, node) in entries {
                push(out, &["<entry><key>"]);
                escape(out, key);
                push(out, &["</key>"]);
                element(out, &Name::Borrowed("value"), node);
                push(out, &["</entry>"]);
            }
        }
    }
    if out.len() == start + 1 {
        out.truncate(start);
        push(out, &["/>"]);
    } else {
        push(out, &["</"]);
        push(out, name);
        push(out, &[">"]);
    }
}

fn display(out: &mut Vec<u8>, value: &impl std::fmt::Display) {
    // Writing into memory does not fail.
    let _ = write!(out, "{value}");
}

/// Text as XML 1.0 carries it. A carriage return would be read as a line feed, so it is escaped; what no escape can carry (control characters,
/// U+FFFE, U+FFFF) becomes U+FFFD, since a reply that no parser takes is worse.
fn escape(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    let mut plain = 0;
    for (at, byte) in bytes.iter().enumerate() {
        let (instead, width) = match byte {
            b'&' => ("&amp;", 1),
            b'<' => ("&lt;", 1),
            b'>' => ("&gt;", 1),
            b'"' => ("&quot;", 1),
            b'\r' => ("&#xD;", 1),
            b'\t' | b'\n' => continue,
            0..=0x1F => ("\u{FFFD}", 1),
            0xEF if matches!(bytes.get(at + 1..at + 3), Some([0xBF, 0xBE | 0xBF])) => ("\u{FFFD}", 3),
            _ => continue,
        };
        out.extend_from_slice(bytes.get(plain..at).unwrap_or_default());
        push(out, &[instead]);
        plain = at + width;
    }
    out.extend_from_slice(bytes.get(plain..).unwrap_or_default());
}
