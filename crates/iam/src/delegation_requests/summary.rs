//! What a request asks for, in plain words made from its policy alone, and the boundaries of the roles that it would make.

use super::check::{allowing, statements, texts};
use arn::Arn;
use identities::DelegationRequestRecord;
use policy::{Compiled, Document, Kind, Reach};
use serde_json::{Value, json};

/// The request in words.
pub(super) fn summary(request: &DelegationRequestRecord) -> String {
    let minutes = request.session_duration.div_euclid(60);
    let name = if request.requestor_name.is_empty() { "The product" } else { &request.requestor_name };
    let mut said = format!("{name} (account {}) asks for access for {minutes} minutes.", request.requestor);
    let policy: Value = serde_json::from_str(&request.policy).unwrap_or_default();
    for statement in statements(&policy) {
        said.push('\n');
        said.push_str(&sentence(statement));
    }
    said.push_str("\nIt never gets more than whoever approves it has.");
    said
}

fn sentence(statement: &Value) -> String {
    let is_allow = statement.get("Effect").and_then(Value::as_str) == Some("Allow");
    let listed = |name: &str| statement.get(name).map(|element| texts(element).collect::<Vec<_>>().join(", "));
    let actions = match (listed("Action"), listed("NotAction")) {
        (Some(actions), _) => actions,
        (None, Some(but)) => format!("everything but {but}"),
        (None, None) => "nothing".to_owned(),
    };
    let on = match (listed("Resource"), listed("NotResource")) {
        (Some(all), _) if all == "*" => "all resources".to_owned(),
        (Some(resources), _) => resources,
        (None, Some(but)) => format!("all resources but {but}"),
        (None, None) => "no resource".to_owned(),
    };
    let mut said = format!("It {} do {actions} on {on}", if is_allow { "may" } else { "may never" });
    let conditions = statement.get("Condition").and_then(Value::as_object).into_iter().flatten();
    for (nth, (operator, key, values)) in conditions
        .flat_map(|(operator, keys)| keys.as_object().into_iter().flatten().map(move |(key, values)| (operator, key, values)))
        .enumerate()
    {
        let values = texts(values).collect::<Vec<_>>().join(", ");
        said.push_str(if nth == 0 { ", if " } else { " and " });
        said.push_str(&format!("{key} passes {operator} with {values}"));
    }
    said.push('.');
    said
}

/// The permissions boundaries that the policy ties the making of roles to.
pub(super) fn boundaries(policy: &str) -> Vec<Arn> {
    let policy: Value = serde_json::from_str(policy).unwrap_or_default();
    let mut found: Vec<Arn> = Vec::new();
    for statement in allowing(&policy).filter(|statement| makes_roles(statement)) {
        let conditions = statement.get("Condition").and_then(Value::as_object).into_iter().flatten();
        let keys = conditions.flat_map(|(_, keys)| keys.as_object().into_iter().flatten());
        for (_, values) in keys.filter(|(key, _)| key.eq_ignore_ascii_case("iam:PermissionsBoundary")) {
            for arn in texts(values).filter_map(|text| text.parse::<Arn>().ok()) {
                if !found.contains(&arn) {
                    found.push(arn);
                }
            }
        }
    }
    found
}

fn makes_roles(statement: &Value) -> bool {
    let alone = json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
    Document::parse(&alone).is_ok_and(|document| Reach::of([&Compiled::new(&document, Kind::Session)]).covers("iam:CreateRole"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUND: &str = r#"{"Effect":"Allow","Action":["iam:Create*"],"Resource":"*","Condition":{"StringEquals":{"iam:permissionsboundary":"arn:aws:iam::111122223333:policy/b"}}}"#;

    #[test]
    fn boundaries_are_those_of_statements_that_make_roles() {
        let policy = format!(r#"{{"Version":"2012-10-17","Statement":[{BOUND},{BOUND}]}}"#);
        assert_eq!(boundaries(&policy), ["arn:aws:iam::111122223333:policy/b".parse().unwrap()]);
        assert!(boundaries(&policy.replace("iam:Create*", "iam:PutRolePolicy")).is_empty());
        assert!(boundaries(&policy.replace("Allow", "Deny")).is_empty());
    }

    #[test]
    fn a_statement_is_said_with_all_that_it_says() {
        let said = sentence(&serde_json::from_str(BOUND).unwrap());
        assert_eq!(
            said,
            "It may do iam:Create* on all resources, if iam:permissionsboundary passes StringEquals with arn:aws:iam::111122223333:policy/b."
        );
        let said = sentence(&json!({ "Effect": "Deny", "NotAction": "s3:Get*", "NotResource": ["a", "b"] }));
        assert_eq!(said, "It may never do everything but s3:Get* on all resources but a, b.");
    }
}
