//! What a file of cases holds, and how a case is checked: by the decision, by its explanation, by a line of offline cases, and by what it suggests.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use policy::{Compiled, Context, Document, Kind, Policies, PolicySet, Principal, Request, Source, decide, explain, sentence};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    /// The rule, in words.
    #[serde(rename = "rule")]
    _rule: String,
    /// Where AWS states it.
    #[serde(rename = "source")]
    _source: String,
    /// What requests of this file have where they do not say otherwise.
    #[serde(default)]
    default: Asked,
    pub(crate) case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) name: String,
    #[serde(default)]
    request: Asked,
    /// Documents; a statement alone stands for its document, of version 2012-10-17.
    identity: Option<Vec<String>>,
    boundary: Option<Vec<String>>,
    session: Option<Vec<String>>,
    endpoint: Option<Vec<String>>,
    resource: Option<String>,
    service_control: Option<Vec<Vec<String>>>,
    resource_control: Option<Vec<Vec<String>>>,
    /// The unique ids that users and roles had when the resource's policy was saved.
    #[serde(default)]
    pins: BTreeMap<String, String>,
    decision: Option<String>,
    because: Option<String>,
    /// The sentence that a denied caller reads.
    sentence: Option<String>,
    /// The kinds that lack an allow, in the order in which they are told.
    lacking: Option<Vec<String>>,
    missing_keys: Option<Vec<String>>,
    /// A document cannot be read: words of the error.
    error: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Asked {
    principal: Option<String>,
    /// The unique id of the user or role behind the principal.
    id: Option<String>,
    action: Option<String>,
    resource: Option<String>,
    resource_account: Option<String>,
    context: Option<toml::Table>,
}

impl File {
    pub(crate) fn are_names_unique(&self) -> Result<(), String> {
        let mut seen = BTreeSet::new();
        self.case.iter().find(|case| !seen.insert(&case.name)).map_or(Ok(()), |case| Err(case.name.clone()))
    }
}

/// A request that owns what it says.
struct Owned {
    principal: Principal,
    principal_text: String,
    action: String,
    resource: String,
    resource_account: Option<arn::AccountId>,
    context: Context,
    context_json: Value,
    has_id: bool,
}

/// Policies that are owned, and the documents that they are made of.
#[derive(Default)]
struct Given {
    identity: Vec<Value>,
    boundary: Option<Vec<Value>>,
    session: Option<Vec<Value>>,
    endpoint: Option<Vec<Value>>,
    resource: Option<Value>,
    service_control: Vec<Vec<Value>>,
    resource_control: Vec<Vec<Value>>,
}

struct Sets {
    identity: PolicySet,
    boundary: Option<PolicySet>,
    session: Option<PolicySet>,
    endpoint: Option<PolicySet>,
    resource: Option<PolicySet>,
    service_control: Vec<Arc<PolicySet>>,
    resource_control: Vec<Arc<PolicySet>>,
}

impl Sets {
    fn policies(&self) -> Policies<'_> {
        Policies {
            identity: &self.identity,
            boundary: self.boundary.as_ref(),
            session: self.session.as_ref(),
            lent: None,
            resource: self.resource.as_ref(),
            endpoint: self.endpoint.as_ref(),
            service_control: &self.service_control,
            resource_control: &self.resource_control,
        }
    }
}

pub(crate) fn check(file: &File, case: &Case) -> Result<(), String> {
    let request = owned(&file.default, &case.request)?;
    let given = Given::of(case)?;
    let is_trust = request.action.to_lowercase().starts_with("sts:") && request.resource.contains(":role/");
    let on_resource = if is_trust { Kind::Trust } else { Kind::Resource };
    let sets = match given.sets(on_resource, &case.pins) {
        Ok(sets) => sets,
        Err(error) => {
            return match &case.error {
                Some(words) if error.contains(words.as_str()) => Ok(()),
                _ => Err(format!("cannot be read: {error}")),
            };
        }
    };
    if case.error.is_some() {
        return Err("can be read, and should not".into());
    }
    let asked = Request {
        principal: &request.principal,
        action: &request.action,
        resource: &request.resource,
        resource_account: request.resource_account,
        facts: &request.context,
    };
    let decision = decide(&asked, &sets.policies());
    let policies = sets.policies();
    let allocated = allocation_counter::measure(|| {
        std::hint::black_box(decide(&asked, &policies));
    });
    same("allocations", &allocated.count_total.to_string(), "0")?;
    same("decision", decision.outcome.as_str(), case.decision.as_deref().ok_or("has no decision")?)?;
    if let Some(because) = &case.because {
        same("because", decision.because.as_str(), because)?;
    }
    if let Some(words) = &case.sentence {
        let resource = (request.resource != "*").then_some(request.resource.as_str());
        let owner = request.resource_account.or_else(|| request.resource.split(':').nth(4).and_then(|account| account.parse().ok()));
        let is_own = owner.is_none() || owner == request.principal.account();
        same("sentence", &sentence(request.principal.name(), &request.action, resource, &decision, is_own), words)?;
    }
    let explanation = explain(&asked, &sets.policies());
    same("explained decision", explanation.outcome.as_str(), decision.outcome.as_str())?;
    same("explained reason", explanation.because.as_str(), decision.because.as_str())?;
    let explanation: Value = serde_json::to_value(&explanation).map_err(|error| error.to_string())?;
    if let Some(kinds) = &case.lacking {
        let found: Vec<&str> = explanation["suggestions"].as_array().into_iter().flatten().filter_map(|one| one["kind"].as_str()).collect();
        same("lacking", &format!("{found:?}"), &format!("{kinds:?}"))?;
    }
    if let Some(keys) = &case.missing_keys {
        same("missing keys", &explanation["missingKeys"].to_string(), &json!(keys).to_string())?;
    }
    if !request.has_id && case.pins.is_empty() {
        let line = json!({"name": case.name, "request": request.as_case(), "policies": given.as_case()}).to_string();
        let answer = policy::evaluate::line(1, line.as_bytes()).ok_or("no answer")?;
        let answer: Value = serde_json::from_str(&answer.text).map_err(|error| error.to_string())?;
        same("offline decision", answer["decision"].as_str().unwrap_or("none"), decision.outcome.as_str())?;
    }
    // What is suggested names principals of today.
    if decision.outcome == policy::Outcome::ImplicitlyDenied && case.pins.is_empty() {
        suggestions_suffice(&explanation, given, &asked, on_resource, &case.pins)?;
    }
    Ok(())
}

fn same(what: &str, found: &str, wanted: &str) -> Result<(), String> {
    if found == wanted { Ok(()) } else { Err(format!("{what} is {found}, not {wanted}")) }
}

/// With the statements that an explanation suggests the answer is yes, and for another action or resource it is what it was.
fn suggestions_suffice(
    explanation: &Value,
    mut given: Given,
    asked: &Request<'_>,
    on_resource: Kind,
    pins: &BTreeMap<String, String>,
) -> Result<(), String> {
    let suggestions = explanation["suggestions"].as_array().ok_or("no suggestions")?;
    if suggestions.is_empty() {
        return Err("an implicit denial suggests nothing".into());
    }
    let resource = format!("{}x", asked.resource);
    let action = format!("{}x", asked.action);
    let others = [Request { action: &action, ..*asked }, Request { resource: &resource, ..*asked }];
    let before = given.sets(on_resource, pins)?;
    for suggestion in suggestions {
        if suggestion["statement"].is_null() {
            return Ok(());
        }
        given.add(suggestion);
    }
    let after = given.sets(on_resource, pins)?;
    let decided = decide(asked, &after.policies());
    same("with what is suggested, the decision", decided.outcome.as_str(), "Allowed")?;
    for other in &others {
        let is_as_before = decide(other, &before.policies()).outcome == decide(other, &after.policies()).outcome;
        // A trust policy stands on one role, and belongs to no other request.
        if !is_as_before && asked.resource != "*" && on_resource != Kind::Trust {
            return Err(format!("what is suggested also changes {} on {}", other.action, other.resource));
        }
    }
    Ok(())
}

fn owned(default: &Asked, asked: &Asked) -> Result<Owned, String> {
    let of = |own: &Option<String>, other: &Option<String>, what: &str| own.clone().or_else(|| other.clone()).ok_or(format!("no {what}"));
    let principal_text = of(&asked.principal, &default.principal, "principal")?;
    let mut principal = Principal::from_arn(&principal_text).map_err(|error| error.to_string())?;
    let id = asked.id.as_ref().or(default.id.as_ref());
    if let Some(text) = id {
        let given = text.parse().map_err(|_| "no unique id")?;
        match &mut principal {
            Principal::User { id, .. } | Principal::Session { role_id: id, .. } | Principal::Federated { by_id: id, .. } => {
                *id = Some(given)
            }
            Principal::Anonymous | Principal::Root { .. } | Principal::Service { .. } | Principal::Provider { .. } => {
                return Err("no id here".into());
            }
        }
    }
    let account = asked.resource_account.as_ref().or(default.resource_account.as_ref());
    let context_json = serde_json::to_value(asked.context.as_ref().or(default.context.as_ref()).unwrap_or(&toml::Table::new()));
    let context_json = context_json.map_err(|error| error.to_string())?;
    Ok(Owned {
        has_id: id.is_some(),
        principal,
        principal_text,
        action: of(&asked.action, &default.action, "action")?,
        resource: of(&asked.resource, &default.resource, "resource")?,
        resource_account: account.map(|text| text.parse().map_err(|_| format!("{text} is no account"))).transpose()?,
        context: serde_json::from_value(context_json.clone()).map_err(|error| error.to_string())?,
        context_json,
    })
}

impl Owned {
    fn as_case(&self) -> Value {
        let account = self.resource_account.map(|account| account.to_string());
        json!({"principal": self.principal_text, "action": self.action, "resource": self.resource, "resourceAccount": account, "context": self.context_json})
    }
}

fn documents(list: &[String]) -> Result<Vec<Value>, String> {
    list.iter().map(|text| document(text)).collect()
}

fn document(text: &str) -> Result<Value, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| format!("{text}: {error}"))?;
    Ok(if value.get("Statement").is_some() || value.get("Effect").is_none() {
        value
    } else {
        json!({"Version": "2012-10-17", "Statement": [value]})
    })
}

impl Given {
    fn of(case: &Case) -> Result<Given, String> {
        let some = |list: &Option<Vec<String>>| list.as_deref().map(documents).transpose();
        let levels = |list: &Option<Vec<Vec<String>>>| list.iter().flatten().map(|level| documents(level)).collect::<Result<Vec<_>, _>>();
        Ok(Given {
            identity: some(&case.identity)?.unwrap_or_default(),
            boundary: some(&case.boundary)?,
            session: some(&case.session)?,
            endpoint: some(&case.endpoint)?,
            resource: case.resource.as_deref().map(document).transpose()?,
            service_control: levels(&case.service_control)?,
            resource_control: levels(&case.resource_control)?,
        })
    }

    fn add(&mut self, suggestion: &Value) {
        let document = json!({"Version": "2012-10-17", "Statement": [suggestion["statement"]]});
        let level = suggestion["level"].as_u64().map_or(0, |level| usize::try_from(level).unwrap_or_default());
        match suggestion["kind"].as_str() {
            Some("identity") => self.identity.push(document),
            Some("boundary") => self.boundary.get_or_insert_default().push(document),
            Some("session") => self.session.get_or_insert_default().push(document),
            Some("endpoint") => self.endpoint.get_or_insert_default().push(document),
            Some("serviceControl") => self.service_control.get_mut(level).into_iter().for_each(|list| list.push(document.clone())),
            Some("resourceControl") => self.resource_control.get_mut(level).into_iter().for_each(|list| list.push(document.clone())),
            Some("resource" | "trust") => {
                let own = self.resource.take().map_or_else(Vec::new, |own| match &own["Statement"] {
                    Value::Array(list) => list.clone(),
                    one @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) => vec![one.clone()],
                });
                let all: Vec<Value> = own.into_iter().chain([suggestion["statement"].clone()]).collect();
                self.resource = Some(json!({"Version": "2012-10-17", "Statement": all}));
            }
            other => panic!("a suggestion for {other:?}"),
        }
    }

    fn sets(&self, on_resource: Kind, pins: &BTreeMap<String, String>) -> Result<Sets, String> {
        let set = |list: &[Value], kind: Kind| -> Result<PolicySet, String> {
            let one = |value: &Value| {
                let document = Document::parse(&value.to_string()).map_err(|error| error.to_string())?;
                let document = document.pinned(|arn| pins.get(arn.as_str()).map(|id| id.parse().unwrap()));
                Ok((Source::new("a policy"), Arc::new(Compiled::new(&document, kind))))
            };
            Ok(PolicySet::new(kind, list.iter().map(one).collect::<Result<Vec<_>, String>>()?))
        };
        let some = |list: &Option<Vec<Value>>, kind| list.as_deref().map(|list| set(list, kind)).transpose();
        let levels = |list: &[Vec<Value>], kind| list.iter().map(|level| set(level, kind).map(Arc::new)).collect::<Result<Vec<_>, _>>();
        Ok(Sets {
            identity: set(&self.identity, Kind::Identity)?,
            boundary: some(&self.boundary, Kind::Boundary)?,
            session: some(&self.session, Kind::Session)?,
            endpoint: some(&self.endpoint, Kind::Endpoint)?,
            resource: self.resource.as_ref().map(|one| set(std::slice::from_ref(one), on_resource)).transpose()?,
            service_control: levels(&self.service_control, Kind::ServiceControl)?,
            resource_control: levels(&self.resource_control, Kind::ResourceControl)?,
        })
    }

    fn as_case(&self) -> Value {
        let levels = |list: &Vec<Vec<Value>>| if list.is_empty() { Value::Null } else { json!(list) };
        json!({
            "identity": self.identity,
            "permissionsBoundary": self.boundary,
            "session": self.session,
            "endpoint": self.endpoint,
            "resource": self.resource,
            "serviceControl": levels(&self.service_control),
            "resourceControl": levels(&self.resource_control),
        })
    }
}
