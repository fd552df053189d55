//! Whether whoever looks at a request could do what it asks for. An approximation, as AWS's is: patterns are asked about as they stand, so what
//! covers the pattern covers it, and a Deny of a part of what it covers is not seen.

use super::CheckResult;
use arn::Arn;
use operation::{Allowed, Asking};
use serde_json::Value;
use store::Mode;

/// Whether the caller has what the policy allows.
pub(super) fn checked<M: Mode>(cx: &Allowed<'_, M>, policy: &str) -> CheckResult {
    let Ok(policy) = serde_json::from_str::<Value>(policy) else { return CheckResult::Unsure };
    let mut worst = CheckResult::Allowed;
    for statement in allowing(&policy) {
        let (Some(actions), Some(resources)) = (statement.get("Action"), statement.get("Resource")) else {
            worst = CheckResult::Unsure;
            continue;
        };
        for action in texts(actions) {
            for resource in texts(resources) {
                let account = resource.parse::<Arn>().ok().and_then(|arn| arn.account_id()).unwrap_or(cx.caller.account);
                match cx.could(Asking { action, resource, account }) {
                    Some(true) => {}
                    Some(false) => return CheckResult::Denied,
                    None => worst = CheckResult::Unsure,
                }
            }
        }
    }
    worst
}

/// The statements that allow.
pub(super) fn allowing(policy: &Value) -> impl Iterator<Item = &Value> {
    statements(policy).filter(|statement| statement.get("Effect").and_then(Value::as_str) == Some("Allow"))
}

/// All statements.
pub(super) fn statements(policy: &Value) -> impl Iterator<Item = &Value> {
    policy.get("Statement").into_iter().flat_map(several)
}

/// The texts of an element that may hold one or several.
pub(super) fn texts(element: &Value) -> impl Iterator<Item = &str> {
    several(element).filter_map(Value::as_str)
}

fn several(element: &Value) -> impl Iterator<Item = &Value> {
    let (one, many) = if let Value::Array(list) = element { (None, list.as_slice()) } else { (Some(element), &[][..]) };
    one.into_iter().chain(many)
}
