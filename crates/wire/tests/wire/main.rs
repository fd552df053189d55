//! The wire, from outside: one file a module.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::wildcard_enum_match_arm, reason = "tests")]

mod answers;
mod bad_input;
mod fuzz;
mod json;
mod members;
mod query;
mod routing;
mod texts;
mod xml;

use wire::{Failure, Node, Protocol, Struct};

pub(crate) const QUERY: Protocol =
    Protocol::Query { version: "2010-05-08", namespace: "https://iam.amazonaws.com/doc/2010-05-08/", repeats: true };
pub(crate) const JSON: Protocol = Protocol::Json { version: "1.1", target: "AWSOrganizationsV20161128" };
pub(crate) const REST: Protocol = Protocol::RestJson;

/// The input that parameters make.
pub(crate) fn from_query<T: Struct>(parameters: &str) -> Result<T, Failure> {
    let call =
        wire::query::read("", format!("Action=A&Version=2010-05-08&{parameters}").as_bytes(), &wire::query::Limits::default()).unwrap();
    wire::input(&call.input, &QUERY)
}

pub(crate) fn from_json<T: Struct>(body: &str) -> Result<T, Failure> {
    wire::input(&wire::json::read(body.as_bytes(), 1 << 20).unwrap(), &JSON)
}

/// A node as JSON, to compare and to print.
pub(crate) fn shown(node: &Node) -> String {
    let mut out = vec![];
    wire::json::write(&mut out, node);
    String::from_utf8(out).unwrap()
}
