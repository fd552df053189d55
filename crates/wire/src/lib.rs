//! The protocols of AWS's APIs: bytes ⇄ [`Node`] (one module a protocol) and [`Node`] ⇄ struct (one derive a struct).
//!
//! It knows no service: services say their [`Protocol`] and derive [`Shape`] and `Text`. It does no I/O and depends on no HTTP crate.
//! Rules: <https://smithy.io/2.0/aws/protocols/aws-query-protocol.html> and its neighbours on awsJson1_1 and restJson1.

extern crate self as wire;

mod arns;
mod common;
mod failure;
pub mod json;
mod malformed;
mod node;
mod protocol;
pub mod query;
mod reader;
pub mod rest;
pub mod route;
mod shape;
mod text;
mod values;
pub mod xml;

pub use arns::ArnText;
pub use common::Common;
pub use failure::{Failure, Fault};
pub use malformed::{Malformed, refuse_encoding};
pub use node::{Members, Name, Node};
pub use protocol::{Answer, Form, Protocol, Reply};
pub use reader::{Reader, Shown, input};
pub use shape::{Field, Kind, Member, Shape, Struct, bad_patterns};
pub use text::{Compiled, Matcher, TextRules};
pub use values::{Blob, Entries, Int, Timestamp};
pub use wire_derive::{Shape, Text};

/// What the derives use.
#[doc(hidden)]
pub mod derived {
    pub use serde;
    pub use zeroize;
}
