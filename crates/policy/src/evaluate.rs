//! Offline decisions: one case a line, in JSON, and its answer. Reading the lines and writing the answers is the caller's.
//!
//! ```
//! let line = br#"{"name":"alice reads","request":{"principal":"arn:aws:iam::111122223333:user/alice","action":"s3:GetObject",
//!     "resource":"arn:aws:s3:::reports/q1.csv"},"policies":{"identity":[{"Version":"2012-10-17","Statement":
//!     {"Effect":"Allow","Action":"s3:Get*","Resource":"*"}}]}}"#;
//! let answer = policy::evaluate::line(1, line).unwrap();
//! assert!(answer.text.starts_with(r#"{"name":"alice reads","decision":"Allowed","explanation":{"#));
//! ```

use std::sync::Arc;

use arn::AccountId;
use serde::Serialize;

use crate::compiled::Compiled;
use crate::decide::{Outcome, Policies, Request, is_on_trust};
use crate::document::{Document, Kind, Place};
use crate::explain::{Explanation, explain};
use crate::facts::Context;
use crate::json::{self, Member, Node, Value};
use crate::principal::Principal;
use crate::set::{PolicySet, Source};

/// The answer to one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// One line of JSON, without its end: `{"name":…,"decision":…,"explanation":{…}}` or `{"name":…,"error":"…"}`.
    pub text: String,
    /// The line could not be judged.
    pub is_bad: bool,
}

/// Judges the case that a line holds; none if the line is blank. `number` is the line's, from 1, for what is said about a bad one.
pub fn line(number: usize, line: &[u8]) -> Option<Answer> {
    if line.trim_ascii().is_empty() {
        return None;
    }
    let (name, judged) = match std::str::from_utf8(line) {
        Ok(text) => read(text),
        Err(error) => (None, Err(Bad { what: "not UTF-8".into(), place: Place { line: 1, column: column(error.valid_up_to() + 1) } })),
    };
    let is_bad = judged.is_err();
    let text = match judged {
        Ok(explanation) => json(&Good { name, decision: explanation.outcome, explanation }),
        Err(Bad { what, place }) => {
            // A case is one line; should a caller send several as one, they count on from its number.
            let line = number.saturating_add(place.line.saturating_sub(1) as usize);
            json(&Wrong { name, error: format!("{what} at line {line} column {}", place.column) })
        }
    };
    Some(Answer { text, is_bad })
}

#[derive(Serialize)]
struct Good {
    name: Option<String>,
    decision: Outcome,
    explanation: Explanation,
}

#[derive(Serialize)]
struct Wrong {
    name: Option<String>,
    error: String,
}

fn json(answer: &impl Serialize) -> String {
    // Strings, numbers and lists: writing them cannot fail.
    serde_json::to_string(answer).unwrap_or_default()
}

fn column(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// What is wrong with a line, and where in it.
struct Bad {
    what: String,
    place: Place,
}

type Read<T> = Result<T, Bad>;

fn bad<T>(what: impl ToString, place: Place) -> Read<T> {
    Err(Bad { what: what.to_string(), place })
}

/// The case's name, as soon as that is known, and the answer.
fn read(text: &str) -> (Option<String>, Read<Explanation>) {
    let node = match json::read(text) {
        Ok(node) => node,
        Err(fault) => return (None, bad(fault.what, fault.place)),
    };
    let mut members = match Members::of(node, "a case") {
        Ok(members) => members,
        Err(error) => return (None, Err(error)),
    };
    let name = match members.take("name").map(|node| text_of(node, "name")).transpose() {
        Ok(name) => name,
        Err(error) => return (None, Err(error)),
    };
    (name, judge(members))
}

fn judge(mut members: Members<'_>) -> Read<Explanation> {
    let asked = Asked::read(members.needed("request")?)?;
    let given = members.take("policies");
    members.end()?;
    let is_trust = is_on_trust(&asked.action, &asked.resource);
    let given = Given::read(given, if is_trust { Kind::Trust } else { Kind::Resource })?;
    let request = Request {
        principal: &asked.principal,
        action: &asked.action,
        resource: &asked.resource,
        resource_account: asked.resource_account,
        facts: &asked.context,
    };
    let policies = Policies {
        identity: &given.identity,
        boundary: given.boundary.as_ref(),
        session: given.session.as_ref(),
        lent: None,
        resource: given.resource.as_ref(),
        endpoint: given.endpoint.as_ref(),
        service_control: &given.service_control,
        resource_control: &given.resource_control,
    };
    Ok(explain(&request, &policies))
}

/// The members of an object, taken one by one, so that those left over are unknown.
struct Members<'a> {
    place: Place,
    what: &'static str,
    left: Vec<Member<'a>>,
}

impl<'a> Members<'a> {
    fn of(node: Node<'a>, what: &'static str) -> Read<Members<'a>> {
        match node.value {
            Value::Object(left) => Ok(Members { place: node.start, what, left }),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::List(_) => {
                bad(format_args!("{what} is {}, not an object", node.noun()), node.start)
            }
        }
    }

    /// A member; `null` counts as missing.
    fn take(&mut self, key: &str) -> Option<Node<'a>> {
        let at = self.left.iter().position(|member| member.key == key)?;
        Some(self.left.swap_remove(at).node).filter(|node| !matches!(node.value, Value::Null))
    }

    fn needed(&mut self, key: &str) -> Read<Node<'a>> {
        self.take(key).map_or_else(|| bad(format_args!("{} has no {key}", self.what), self.place), Ok)
    }

    fn end(self) -> Read<()> {
        match self.left.into_iter().min_by_key(|member| member.place) {
            None => Ok(()),
            Some(member) => bad(format_args!("{:?} is no member of {}", member.key, self.what), member.place),
        }
    }
}

fn text_of(node: Node<'_>, what: &str) -> Read<String> {
    match node.value {
        Value::Text(text) => Ok(text),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::List(_) | Value::Object(_) => {
            bad(format_args!("{what} is {}, not a string", node.noun()), node.start)
        }
    }
}

fn list_of<'a>(node: Node<'a>, what: &str) -> Read<Vec<Node<'a>>> {
    match node.value {
        Value::List(list) => Ok(list),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Object(_) => {
            bad(format_args!("{what} is {}, not a list", node.noun()), node.start)
        }
    }
}

/// The request of a case.
struct Asked {
    principal: Principal,
    action: String,
    resource: String,
    resource_account: Option<AccountId>,
    context: Context,
}

impl Asked {
    fn read(node: Node<'_>) -> Read<Asked> {
        let mut members = Members::of(node, "request")?;
        let principal = members.needed("principal")?;
        let place = principal.start;
        let principal = match Principal::from_arn(&text_of(principal, "principal")?) {
            Ok(principal) => principal,
            Err(error) => return bad(error, place),
        };
        let action = text_of(members.needed("action")?, "action")?;
        let resource = text_of(members.needed("resource")?, "resource")?;
        let resource_account = match members.take("resourceAccount") {
            None => None,
            Some(node) => {
                let place = node.start;
                match text_of(node, "resourceAccount")?.parse() {
                    Ok(account) => Some(account),
                    Err(error) => return bad(error, place),
                }
            }
        };
        let context = members.take("context").map_or_else(|| Ok(Context::new()), context)?;
        members.end()?;
        Ok(Asked { principal, action, resource, resource_account, context })
    }
}

fn context(node: Node<'_>) -> Read<Context> {
    let mut context = Context::new();
    for Member { key, node, .. } in Members::of(node, "context")?.left {
        match node.value {
            Value::List(list) => context.extend(&key, list.into_iter().map(|node| context_value(node, &key)).collect::<Read<_>>()?, true),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Object(_) => {
                context.extend(&key, vec![context_value(node, &key)?], false);
            }
        }
    }
    Ok(context)
}

fn context_value(node: Node<'_>, key: &str) -> Read<Box<str>> {
    match node.value {
        Value::Text(text) => Ok(text.into()),
        Value::Number(text) => Ok(text.into()),
        Value::Bool(value) => Ok(if value { "true" } else { "false" }.into()),
        Value::Null | Value::List(_) | Value::Object(_) => {
            bad(format_args!("a value of {key} is {}, not a string, a number or a boolean", node.noun()), node.start)
        }
    }
}

/// The policies of a case.
struct Given {
    identity: PolicySet,
    boundary: Option<PolicySet>,
    session: Option<PolicySet>,
    resource: Option<PolicySet>,
    endpoint: Option<PolicySet>,
    service_control: Vec<Arc<PolicySet>>,
    resource_control: Vec<Arc<PolicySet>>,
}

impl Given {
    /// `on_resource`: what the policy on the resource is.
    fn read(node: Option<Node<'_>>, on_resource: Kind) -> Read<Given> {
        let mut members = match node {
            Some(node) => Members::of(node, "policies")?,
            None => Members { place: Place::default(), what: "policies", left: Vec::new() },
        };
        let mut set = |name: &str, kind: Kind| members.take(name).map(|node| union(node, name, kind)).transpose();
        let identity = set("identity", Kind::Identity)?;
        let boundary = set("permissionsBoundary", Kind::Boundary)?;
        let session = set("session", Kind::Session)?;
        let endpoint = set("endpoint", Kind::Endpoint)?;
        let mut levels = |name: &str, kind: Kind| members.take(name).map_or_else(|| Ok(Vec::new()), |node| levels(node, name, kind));
        let service_control = levels("serviceControl", Kind::ServiceControl)?;
        let resource_control = levels("resourceControl", Kind::ResourceControl)?;
        let resource = members.take("resource").map(|node| document(&node, "resource".into(), on_resource)).transpose()?;
        members.end()?;
        Ok(Given {
            identity: identity.unwrap_or_else(|| PolicySet::empty(Kind::Identity)),
            boundary,
            session,
            resource: resource.map(|document| PolicySet::new(on_resource, [document])),
            endpoint,
            service_control,
            resource_control,
        })
    }
}

/// A list of documents.
fn union(node: Node<'_>, name: &str, kind: Kind) -> Read<PolicySet> {
    let list = list_of(node, name)?;
    let documents = list.iter().zip(0..).map(|(node, at): (_, usize)| document(node, format!("{name}[{at}]"), kind));
    Ok(PolicySet::new(kind, documents.collect::<Read<Vec<_>>>()?))
}

/// A list of lists of documents. As with every kind, an empty list applies and allows nothing.
fn levels(node: Node<'_>, name: &str, kind: Kind) -> Read<Vec<Arc<PolicySet>>> {
    let list = list_of(node, name)?;
    if list.is_empty() {
        return Ok(vec![Arc::new(PolicySet::empty(kind))]);
    }
    list.into_iter().zip(0..).map(|(node, at): (_, usize)| union(node, &format!("{name}[{at}]"), kind).map(Arc::new)).collect()
}

fn document(node: &Node<'_>, name: String, kind: Kind) -> Read<(Source, Arc<Compiled>)> {
    match Document::parse(node.raw) {
        Ok(document) => Ok((Source::new(name), Arc::new(Compiled::new(&document, kind)))),
        Err(error) => {
            let place = error.place();
            let column = if place.line == 1 { node.start.column.saturating_add(place.column).saturating_sub(1) } else { place.column };
            let line = node.start.line.saturating_add(place.line).saturating_sub(1);
            bad(format_args!("{name}: {}", error.what()), Place { line, column })
        }
    }
}

#[cfg(test)]
mod tests;
