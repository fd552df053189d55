//! The policy language of AWS IAM: read, check, compile, decide, explain. No I/O, no clock, no globals.
//!
//! A [`Document`] is read through one of two doors: [`Document::parse`] takes whatever has the grammar's shape, [`Document::validate`] holds it to
//! what AWS accepts on saving. [`Compiled`] is a document made ready, [`PolicySet`] the union of many of one [`Kind`], indexed so that a decision
//! does not look at statements that name other actions or other resources. [`decide`] answers, [`explain`] answers with reasons, by the same walk.
//! Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html> and
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html>.
//!
//! ```
//! use std::sync::Arc;
//! use policy::{Compiled, Context, Document, Kind, Policies, PolicySet, Principal, Request, Source, decide, explain};
//!
//! let text = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::home/${aws:username}/*"}}"#;
//! let document = Document::saved(text, Kind::Identity)?;
//! let identity = PolicySet::new(Kind::Identity, [(Source::new("a policy"), Arc::new(Compiled::new(&document, Kind::Identity)))]);
//!
//! let alice = Principal::from_arn("arn:aws:iam::111122223333:user/alice")?;
//! let mut facts = Context::new();
//! facts.insert("aws:username", "alice");
//! let request =
//!     Request { principal: &alice, action: "s3:GetObject", resource: "arn:aws:s3:::home/alice/notes", resource_account: None, facts: &facts };
//! assert!(decide(&request, &Policies::of(&identity)).is_allowed());
//!
//! let elsewhere = Request { resource: "arn:aws:s3:::home/bob/notes", ..request };
//! let explanation = explain(&elsewhere, &Policies::of(&identity));
//! assert_eq!(explanation.because.as_str(), "identity");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod json;

mod document;
mod facts;
mod principal;

mod pattern;

mod action;
mod condition;
mod listed;
mod resource;

mod compiled;
mod index;
mod set;
mod united;

mod decide;
pub mod evaluate;
mod explain;
mod reach;
mod sentence;
mod services;
mod template;

pub use compiled::Compiled;
pub use decide::{Because, Decision, Outcome, Policies, Request, StatementRef, decide, decide_in_favour, is_on_trust};
pub use document::{Document, Effect, Kind, Malformed, ParseError, Place, PrincipalRef, Statement};
pub use explain::{Explanation, Looked, Matched, Said, Suggestion, explain};
pub use facts::{Context, Facts, Nothing, Values};
pub use principal::{Principal, PrincipalError};
pub use reach::Reach;
pub use sentence::sentence;
pub use services::is_bound_by_rcps;
pub use set::{PolicySet, Source};
pub use template::{Holds, Parameter, Template, TemplateError};
