//! A policy and where it was written, so that an explanation can say the place in the author's file.

use percent_encoding::percent_decode_str;
use policy::{Document, Place};

use crate::node::{Node, Value, Written, Wrong};

/// A policy.
#[derive(Debug)]
pub(crate) struct Policy {
    /// How an explanation names it: its file, and what it is in it.
    pub(crate) source: String,
    pub(crate) document: Document,
    written: Written,
}

impl Policy {
    /// A policy that is written as an object.
    pub(crate) fn of(node: &Node, source: impl Into<String>) -> Result<Policy, Wrong> {
        let written = Written::of(node);
        match Document::parse(&written.text) {
            Ok(document) => Ok(Policy { source: source.into(), document, written }),
            Err(error) => Wrong::at(written.place(error.place().column), error.what()),
        }
    }

    /// A policy that is written as text: JSON, as it is or with percent signs as the API sends it. Its places are those in its text.
    pub(crate) fn text(text: &str, place: Place, source: impl Into<String>) -> Result<Policy, Wrong> {
        let decoded = if text.trim_start().starts_with('%') { percent_decode_str(text).decode_utf8_lossy() } else { text.into() };
        let wrong = |wrong: Wrong| Wrong { what: format!("{} (line {} of the policy's text)", wrong.what, wrong.place.line), place };
        let node = Node::json(&decoded).map_err(wrong)?;
        Policy::of(&node, source).map_err(wrong)
    }

    /// A policy of an exported account.
    pub(crate) fn stored(node: &Node, file: &str, what: &str) -> Result<Policy, Wrong> {
        let source = format!("{file}: {what}");
        match &node.value {
            Value::Text(text) => Policy::text(text, node.start, source),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::List(_) | Value::Object(_) => Policy::of(node, source),
        }
    }

    /// A policy of AWS.
    pub(crate) fn of_aws(text: &str, arn: &str) -> Result<Policy, Wrong> {
        Policy::text(text, Place { line: 1, column: 1 }, arn)
    }

    /// Where a place of what the engine read stands in the author's file.
    pub(crate) fn place(&self, line: u32, column: u32) -> Place {
        if line == 1 { self.written.place(column) } else { Place { line, column } }
    }
}
