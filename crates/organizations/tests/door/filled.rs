//! A request with every member that an operation has, each with a value that AWS takes.

use serde_json::{Map, Value, json};
use wire::{Kind, Member};

/// What a walk may name: one of each.
pub struct Walked {
    pub root: String,
    pub unit: String,
    pub member: String,
    pub handshake: String,
    pub policy: String,
}

/// The body of a request with all of these members.
pub fn parameters(operation: &str, members: &'static [Member], walked: &Walked) -> Value {
    let fields = Member::flat(members).into_iter().filter(|field| field.name != "NextToken");
    // Two ways of narrowing a list exclude each other.
    let fields = fields.filter(|field| field.name != "ParentHandshakeId");
    Value::Object(fields.map(|field| (field.name.to_owned(), value(operation, field.name, &field.kind, walked))).collect::<Map<_, _>>())
}

fn value(operation: &str, name: &str, kind: &'static Kind, walked: &Walked) -> Value {
    match kind {
        Kind::Struct(_, members) => parameters(operation, members, walked),
        Kind::List(inner) => json!([value(operation, name, inner, walked)]),
        Kind::Entries(_) | Kind::Blob | Kind::Decimal | Kind::Nothing => panic!("no input of Organizations has one: {name}"),
        Kind::Bool => json!(true),
        Kind::Number { min, max } => json!((*min.max(&1)).min(*max)),
        Kind::Time => json!(4_102_444_800_i64), // the first of a month that is far away
        Kind::Choice(choices) => json!(choices[0]),
        Kind::Text(_) => json!(text(operation, name, walked)),
    }
}

fn text(operation: &str, name: &str, walked: &Walked) -> String {
    match (operation, name) {
        (_, "ParentId" | "SourceParentId" | "DestinationParentId" | "ChildId" | "OrganizationalUnitId" | "ResourceId") => walked.unit.clone(),
        (_, "AccountId") => walked.member.clone(),
        (_, "HandshakeId") => walked.handshake.clone(),
        (_, "RootId") => walked.root.clone(),
        ("DescribeEffectivePolicy", "TargetId") => walked.member.clone(),
        (_, "TargetId") => walked.unit.clone(),
        (_, "PolicyId") => walked.policy.clone(),
        (_, "CreateAccountRequestId") => "car-00000000".into(),
        (_, "ServicePrincipal") => "sso.amazonaws.com".into(),
        (_, "Email") => "new@example.com".into(),
        (operation, "Id") if operation.starts_with("Invite") => "444455556666".into(),
        (_, "Id") => "rt-00000000".into(),
        (_, "Content") => {
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:root"},"Action":"organizations:ListRoots","Resource":"*"}]}"#.into()
        }
        _ => "walk".into(),
    }
}
