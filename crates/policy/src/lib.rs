//! The policy language of AWS IAM: read, check, compile, decide, explain. No I/O, no clock, no globals.
//!
//! A [`Document`] is read through one of two doors: [`Document::parse`] takes whatever has the grammar's shape, [`Document::validate`] holds it to
//! what AWS accepts on saving. [`Compiled`] is a document made ready, [`PolicySet`] the union of many of one [`Kind`], indexed so that a decision
//! does not look at statements that name other actions or other resources. [`decide`] answers, [`explain`] answers with reasons, by the same walk.
//! Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html> and
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html>.

mod json;

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

mod decide;
pub mod evaluate;
mod explain;
mod sentence;
mod services;

pub use compiled::Compiled;
pub use decide::{Because, Decision, Outcome, Policies, Request, StatementRef, decide};
pub use document::{Document, Effect, Kind, Malformed, ParseError, Place, PrincipalRef, Statement};
pub use explain::{Explanation, Looked, Matched, Said, Suggestion, explain};
pub use facts::{Context, Facts, Nothing, Values};
pub use principal::{Principal, PrincipalError};
pub use sentence::sentence;
pub use services::is_bound_by_rcps;
pub use set::{PolicySet, Source};
