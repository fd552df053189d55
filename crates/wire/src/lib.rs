//! The protocols of AWS's APIs: bytes ⇄ [`Node`] (one module a protocol) and [`Node`] ⇄ struct (one derive a struct).
//!
//! It knows no service: services say their [`Protocol`] and derive [`Shape`] and `Text`. It does no I/O and depends on no HTTP crate.
//! Rules: <https://smithy.io/2.0/aws/protocols/aws-query-protocol.html> and its neighbours on awsJson1_1 and restJson1.
//!
//! ```
//! use wire::{Answer, Form, Protocol, Shape, Text, query};
//!
//! #[derive(Text)]
//! #[text(min = 1, max = 64, pattern = r"[\w+=,.@-]+")]
//! struct UserName(Box<str>);
//! #[derive(Shape)]
//! struct GetUser { user_name: UserName }
//! #[derive(Shape)]
//! struct GetUserOutput { user_name: UserName, groups: Vec<String> }
//!
//! const IAM: Protocol = Protocol::Query { version: "2010-05-08", namespace: "https://iam.amazonaws.com/doc/2010-05-08/", repeats: false };
//! let answer = Answer { protocol: &IAM, form: Form::Xml, request_id: "7a62c49f" };
//! let call = query::read("", b"Action=GetUser&Version=2010-05-08&UserName=alice", &query::Limits::default())?;
//! let reply = match wire::input::<GetUser>(&call.input, &IAM) {
//!     Ok(input) => answer.reply(&call.action, &GetUserOutput { user_name: input.user_name, groups: vec![] }.write()),
//!     Err(failure) => answer.failure(&failure),
//! };
//! assert!(String::from_utf8_lossy(&reply.body).contains("<GetUserResult><UserName>alice</UserName><Groups/></GetUserResult>"));
//! # Ok::<(), wire::Malformed>(())
//! ```

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
