//! Account Management through the door of a real node: requests go in as signed bytes, and the trail says what they were judged by.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

mod judged;
#[path = "../../../organizations/tests/door/node.rs"]
mod node;

/// What the node serves.
fn apis() -> Vec<operation::Api> {
    vec![operation::Api::of(organizations::FAMILIES), operation::Api::of(account::FAMILIES)]
}
