//! From JSON to the tree of a document. The shape is the grammar's; an element that nobody knows is an error, since to skip it would widen.

use super::{Document, Effect, Key, Named, NamedBy, Operator, ParseError, Place, Principals, Spot, Statement, Texts, Version};
use crate::json::{self, Member, Node, Value};

/// AWS's words for what is no JSON, for what has another shape, and for an `Effect` that is neither of the two but for its case.
const NO_JSON: &str = "This policy contains invalid Json";
const NO_POLICY: &str = "Syntax errors in policy.";
const NO_EFFECT: &str = "The policy failed legacy parsing";

type Read<T> = Result<T, ParseError>;

/// What has the grammar's shape, with what AWS looks at only after the shape of the whole.
pub(super) struct Draft {
    pub(super) document: Document,
    /// The first `Effect` that is right but for its case.
    pub(super) miscased: Option<Place>,
}

pub(super) fn document(text: &str) -> Read<Document> {
    let Draft { document, miscased } = draft(text)?;
    if let Some(place) = miscased {
        return Err(ParseError { words: NO_EFFECT, ..shape("Effect is neither \"Allow\" nor \"Deny\"", place) });
    }
    match document.statements.iter().find(|statement| statement.actions.list.is_empty()) {
        Some(idle) => Err(shape("a statement has neither Action nor NotAction", idle.actions.place)),
        None => Ok(document),
    }
}

pub(super) fn draft(text: &str) -> Read<Draft> {
    let node = json::read(text).map_err(|fault| ParseError {
        what: fault.what,
        place: fault.place,
        words: if fault.is_syntax { NO_JSON } else { NO_POLICY },
    })?;
    let (place, mut version, mut id, mut statements) = (node.start, Version::Old, None, None);
    let mut miscased = None;
    for Member { key, place, node } in object(node, "a policy")? {
        match key.as_str() {
            "Version" => {
                let spot = text_of(node, "Version")?;
                version = match &*spot.text {
                    "2012-10-17" => Version::New,
                    "2008-10-17" => Version::Old,
                    _ => return Err(shape("Version is neither \"2012-10-17\" nor \"2008-10-17\"", spot.place)),
                };
            }
            "Id" => id = Some(text_of(node, "Id")?),
            "Statement" => statements = Some(statement_list(node, &mut miscased)?),
            _ => return Err(shape(format_args!("{key:?} is no element of a policy"), place)),
        }
    }
    let statements = statements.ok_or_else(|| shape("a policy has no Statement", place))?;
    Ok(Draft { document: Document { text: text.into(), version, id, statements }, miscased })
}

fn shape(what: impl ToString, place: Place) -> ParseError {
    ParseError { what: what.to_string(), place, words: NO_POLICY }
}

fn wrong(node: &Node<'_>, name: &str, wanted: &str) -> ParseError {
    shape(format_args!("{name} is {}, not {wanted}", node.noun()), node.start)
}

fn object<'a>(node: Node<'a>, name: &str) -> Read<Vec<Member<'a>>> {
    match node.value {
        Value::Object(members) => Ok(members),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::List(_) => Err(wrong(&node, name, "an object")),
    }
}

fn text_of(node: Node<'_>, name: &str) -> Read<Spot> {
    match node.value {
        Value::Text(text) => Ok(Spot { text: text.into(), place: node.start }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::List(_) | Value::Object(_) => Err(wrong(&node, name, "a string")),
    }
}

/// A string or a list of strings.
fn texts_of(node: Node<'_>, name: &str) -> Read<Vec<Spot>> {
    match node.value {
        Value::Text(text) => Ok(vec![Spot { text: text.into(), place: node.start }]),
        Value::List(items) => items.into_iter().map(|item| text_of(item, name)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Err(wrong(&node, name, "a string or a list of strings")),
    }
}

fn statement_list(node: Node<'_>, miscased: &mut Option<Place>) -> Read<Vec<Statement>> {
    match node.value {
        Value::Object(_) => Ok(vec![statement(node, miscased)?]),
        Value::List(items) => items.into_iter().map(|item| statement(item, miscased)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => {
            Err(wrong(&node, "Statement", "an object or a list of objects"))
        }
    }
}

/// Sets an element that may be there in one of two forms, as `Action` and `NotAction`.
fn once<T>(slot: &mut Option<T>, value: T, name: &str, place: Place) -> Read<()> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(shape(format_args!("{name} and Not{name} in one statement"), place)),
    }
}

fn statement(node: Node<'_>, miscased: &mut Option<Place>) -> Read<Statement> {
    let (start, end) = (node.start, node.end);
    let (mut sid, mut effect, mut principals, mut actions, mut resources) = (None, None, None, None, None);
    let mut conditions = Vec::new();
    for Member { key, place, node } in object(node, "a statement")? {
        match key.as_str() {
            "Sid" => sid = Some(text_of(node, "Sid")?),
            "Effect" => {
                let spot = text_of(node, "Effect")?;
                let value = [Effect::Allow, Effect::Deny].into_iter().find(|effect| effect.as_str().eq_ignore_ascii_case(&spot.text));
                let value = value.ok_or_else(|| shape("Effect is neither \"Allow\" nor \"Deny\"", spot.place))?;
                if value.as_str() != &*spot.text {
                    miscased.get_or_insert(spot.place);
                }
                effect = Some((value, spot.place));
            }
            "Principal" | "NotPrincipal" => {
                let element = principals_of(node, &key, place)?;
                once(&mut principals, element, "Principal", place)?;
            }
            "Action" | "NotAction" => {
                let list = texts_of(node, &key)?;
                once(&mut actions, Texts { not: key == "NotAction", place, list }, "Action", place)?;
            }
            "Resource" | "NotResource" => {
                let list = texts_of(node, &key)?;
                once(&mut resources, Texts { not: key == "NotResource", place, list }, "Resource", place)?;
            }
            "Condition" => conditions = object(node, "Condition")?.into_iter().map(operator).collect::<Read<_>>()?,
            _ => return Err(shape(format_args!("{key:?} is no element of a statement"), place)),
        }
    }
    let (effect, effect_place) = effect.ok_or_else(|| shape("a statement has no Effect", start))?;
    let actions = actions.unwrap_or(Texts { not: false, place: start, list: Vec::new() });
    Ok(Statement { start, end, sid, effect, effect_place, principals, actions, resources, conditions })
}

fn principals_of(node: Node<'_>, name: &str, place: Place) -> Read<Principals> {
    let not = name == "NotPrincipal";
    match node.value {
        Value::Text(text) if text == "*" => Ok(Principals { not, place, everyone: true, list: Vec::new() }),
        Value::Object(members) => {
            let mut list = Vec::new();
            for Member { key, place, node } in members {
                let by = match key.as_str() {
                    "AWS" => NamedBy::Aws,
                    "Federated" => NamedBy::Federated,
                    "Service" => NamedBy::Service,
                    "CanonicalUser" => NamedBy::CanonicalUser,
                    _ => return Err(shape(format_args!("{key:?} is no type of principal"), place)),
                };
                let texts = texts_of(node, &key)?;
                list.extend(texts.into_iter().map(|spot| Named { by, spot, id: None }));
            }
            Ok(Principals { not, place, everyone: false, list })
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::List(_) => {
            Err(shape(format_args!("{name} is neither \"*\" nor an object"), node.start))
        }
    }
}

fn operator(member: Member<'_>) -> Read<Operator> {
    let keys = object(member.node, &member.key)?.into_iter().map(condition_key).collect::<Read<_>>()?;
    Ok(Operator { name: Spot { text: member.key.into(), place: member.place }, keys })
}

fn condition_key(member: Member<'_>) -> Read<Key> {
    let values = match member.node.value {
        Value::List(items) => items.into_iter().map(|item| condition_value(item, &member.key)).collect::<Read<_>>()?,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Object(_) => {
            vec![condition_value(member.node, &member.key)?]
        }
    };
    Ok(Key { name: Spot { text: member.key.into(), place: member.place }, values })
}

fn condition_value(node: Node<'_>, key: &str) -> Read<Spot> {
    let text = match node.value {
        Value::Text(text) => text.into(),
        Value::Number(text) => text.into(),
        Value::Bool(value) => if value { "true" } else { "false" }.into(),
        Value::Null | Value::List(_) | Value::Object(_) => {
            return Err(wrong(&node, &format!("a value of {key}"), "a string, a number or a boolean"));
        }
    };
    Ok(Spot { text, place: node.start })
}
