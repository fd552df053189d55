//! The decision with its reasons.

use serde::Serialize;

use crate::decide::{Because, Outcome, Policies, Request, decide};

/// A decision with its reasons.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// The answer.
    #[serde(serialize_with = "outcome")]
    pub outcome: Outcome,
    /// The kind of policy that it came from.
    #[serde(serialize_with = "because")]
    pub because: Because,
}

fn outcome<S: serde::Serializer>(outcome: &Outcome, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(outcome.as_str())
}

fn because<S: serde::Serializer>(because: &Because, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(because.as_str())
}

/// Decides and tells why.
pub fn explain(request: &Request<'_>, policies: &Policies<'_>) -> Explanation {
    let decision = decide(request, policies);
    Explanation { outcome: decision.outcome, because: decision.because }
}
