//! What an authorization message holds: the form that `sts:DecodeAuthorizationMessage` answers.
//! Source: <https://docs.aws.amazon.com/STS/latest/APIReference/API_DecodeAuthorizationMessage.html>.

use access::{Decided, Standing};
use policy::{Context, Facts, Outcome, Values};
use serde_json::{Value, json};

fn items(items: impl IntoIterator<Item = Value>) -> Value {
    json!({ "items": items.into_iter().collect::<Vec<_>>() })
}

fn value(text: &str) -> Value {
    json!({ "value": text })
}

/// The message about one denial.
pub(crate) fn text(standing: &Standing, action: &str, resource: &str, decided: &Decided, facts: &Context) -> String {
    let mut conditions = Vec::new();
    facts.each(&mut |key, values| {
        let values = match values {
            Values::One(one) => items([value(one)]),
            Values::Many(many) => items(many.iter().map(|one| value(one))),
        };
        conditions.push(json!({ "key": key, "values": values }));
    });
    let denied = decided.outcome == Outcome::ExplicitlyDenied;
    let matched = decided.by.iter().filter(|_| denied).map(|by| {
        json!({
            "statementId": by.sid.as_deref().unwrap_or_default(),
            "effect": "DENY",
            "source": by.source,
            "principals": items([]),
            "principalGroups": items([]),
            "actions": items([]),
            "resources": items([]),
            "conditions": items([]),
        })
    });
    json!({
        "allowed": false,
        "explicitDeny": denied,
        "matchedStatements": items(matched),
        "failures": items([]),
        "context": {
            "principal": { "id": standing.user_id, "arn": standing.arn.as_ref().map(ToString::to_string) },
            "action": action,
            "resource": resource,
            "conditions": items(conditions),
        },
    })
    .to_string()
}
