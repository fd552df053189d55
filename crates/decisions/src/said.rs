//! How an answer is said.

use access::{Answer, Decided, Delegation, SessionOf, Standing, iso};
use policy::{Explanation, Outcome, Principal};
use serde::Serialize;
use sigv4::Payload;
use wire::{Kind, Name, Node, Reader, Shape};

/// A tree that is an answer. It is never read.
pub(crate) struct Said(pub Node);

impl Shape for Said {
    const KIND: Kind = Kind::Nothing;
    fn read(_: &Node, _: &mut Reader) -> Option<Self> {
        None
    }
    fn write(self) -> Node {
        self.0
    }
}

/// A tree of named members; those that are absent vanish.
pub(crate) fn map(members: impl IntoIterator<Item = (&'static str, Node)>) -> Node {
    Node::Map(members.into_iter().filter(|(_, node)| !node.is_absent()).map(|(name, node)| (Name::Borrowed(name), node)).collect())
}

/// Why whoever is asked about was not let in: code, words and status for the asker to answer with.
pub(crate) fn error(said: access::Said) -> Said {
    let status = Node::Number(said.status.into());
    let error = map([("code", Node::text(said.code)), ("message", Node::text(said.message)), ("status", status)]);
    Said(map([("error", error)]))
}

/// A text, if there is one.
pub(crate) fn text(text: Option<impl ToString>) -> Node {
    text.map_or(Node::Absent, |text| Node::Text(text.to_string()))
}

/// Who asked.
pub(crate) fn principal(answer: &Answer<'_>) -> Node {
    let standing: &Standing = &answer.standing;
    let kind = match &standing.principal {
        Principal::Anonymous => "Anonymous",
        Principal::Root { .. } => "Account",
        Principal::User { .. } => "User",
        Principal::Session { .. } => "AssumedRole",
        Principal::Federated { .. } => "FederatedUser",
        Principal::Service { .. } | Principal::Provider { .. } => "Service",
    };
    let service = if let Principal::Service { name } = &standing.principal { Some(name) } else { None };
    let via = answer.caller.as_ref().and_then(|(caller, _)| caller.credential.session()?.via.as_ref());
    let via = via.map_or(Node::Absent, |via| Node::List(via.services.iter().map(|service| Node::text(service.as_str())).collect()));
    map([
        ("type", Node::text(kind)),
        ("service", text(service)),
        ("calledVia", via),
        ("arn", text(standing.arn.as_ref())),
        ("account", text(standing.account)),
        ("userId", Node::text(standing.user_id.clone())),
        (
            "session",
            answer.caller.as_ref().map_or(Node::Absent, |(caller, _)| {
                caller.credential.session().filter(|session| !matches!(session.of, SessionOf::Key { .. })).map_or(Node::Absent, session)
            }),
        ),
    ])
}

fn session(session: &access::Session) -> Node {
    let name = match &session.of {
        SessionOf::Role { name, .. } | SessionOf::Federated { name, .. } => Some(name),
        SessionOf::User { .. } | SessionOf::Key { .. } | SessionOf::AssumedRoot { .. } => None,
    };
    let tags = session.tags.iter().map(|tag| (Name::Owned(tag.key.clone()), Node::text(tag.value.clone()))).collect::<Vec<_>>();
    map([
        ("name", text(name)),
        ("issued", Node::text(iso(session.issued))),
        ("expires", Node::text(iso(session.expires))),
        ("multiFactorAuthenticated", Node::Bool(session.mfa.is_some())),
        ("sourceIdentity", text(session.source_identity.as_ref())),
        ("tags", if tags.is_empty() { Node::Absent } else { Node::Map(tags) }),
    ])
}

/// What the asker must still hold the body to.
pub(crate) fn payload(payload: Option<Payload>) -> Node {
    let payload = payload.unwrap_or(Payload::Unsigned);
    let sha256 = match payload {
        Payload::Hash(_) => Some(payload.word()),
        Payload::Unsigned | Payload::Streaming | Payload::StreamingTrailer | Payload::StreamingUnsignedTrailer => None,
    };
    map([("mode", Node::text(payload.mode())), ("sha256", text(sha256))])
}

/// What a service acts for its caller with.
pub(crate) fn delegation(made: Delegation) -> Node {
    map([
        ("accessKeyId", Node::text(made.access_key_id.as_str())),
        ("sessionToken", Node::text(made.token.as_str())),
        ("expiration", Node::text(iso(made.expires))),
    ])
}

/// One decision, without its explanation.
pub(crate) fn decision(decided: &Decided) -> Vec<(&'static str, Node)> {
    vec![("decision", Node::text(decided.outcome.as_str())), ("because", Node::text(decided.because.as_str()))]
}

/// All of an explanation.
pub(crate) fn explanation(explanation: &Explanation) -> Node {
    tree(explanation)
}

/// What is told of an account that the asker may not look into: kind and effect.
pub(crate) fn hidden(decided: &Decided) -> Node {
    map([
        ("because", Node::text(decided.because.as_str())),
        ("effect", Node::text(if decided.outcome == Outcome::Allowed { "Allow" } else { "Deny" })),
    ])
}

/// Anything that serializes, as a tree.
pub(crate) fn tree(value: &impl Serialize) -> Node {
    serde_json::to_value(value).map_or(Node::Absent, node)
}

fn node(value: serde_json::Value) -> Node {
    use serde_json::Value;
    match value {
        Value::Null => Node::Absent,
        Value::Bool(truth) => Node::Bool(truth),
        Value::Number(number) => number.as_i64().map_or_else(|| Node::Decimal(number.as_f64().unwrap_or_default()), Node::Number),
        Value::String(text) => Node::Text(text),
        Value::Array(items) => Node::List(items.into_iter().map(node).collect()),
        Value::Object(members) => Node::Map(members.into_iter().map(|(name, value)| (Name::Owned(name), node(value))).collect()),
    }
}
