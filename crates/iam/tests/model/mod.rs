//! Holds the operations of a service against AWS's own model, of which `digest.py` keeps the facts. No list by hand: what is walked is what
//! is registered. Answers are compared by their members only, since AWS's own do not keep the constraints that its model gives them.

use operation::Api;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use wire::{Field, Kind, Member, Protocol};

/// The facts of one model.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    service: String,
    version: String,
    namespace: String,
    #[serde(rename = "botocore")]
    _botocore: String,
    operations: BTreeMap<String, Operation>,
    shapes: BTreeMap<String, Shape>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Operation {
    input: Option<String>,
    output: Option<String>,
    #[serde(default)]
    http: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Shape {
    #[serde(rename = "type")]
    kind: String,
    required: BTreeSet<String>,
    members: BTreeMap<String, String>,
    member: Option<String>,
    value: Option<String>,
    min: Option<i64>,
    max: Option<i64>,
    pattern: Option<String>,
    #[serde(rename = "enum")]
    choices: Option<BTreeSet<String>>,
    sensitive: bool,
}

/// What is compared: a request keeps every constraint, an answer only has the members.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    In,
    Out,
}

impl Model {
    /// Reads what `digest.py` wrote.
    pub fn read(text: &str) -> Model {
        serde_json::from_str(text).unwrap()
    }

    /// Everything in which the operations of `api` are other than the model.
    pub fn differences(&self, api: &Api) -> Vec<String> {
        let mut found = Found { model: self, way: Way::In, at: api.prefix.to_owned(), differences: vec![] };
        found.same("service", api.prefix, self.service.as_str());
        match api.protocol {
            Protocol::Query { version, namespace, .. } => {
                found.same("version", version, self.version.as_str());
                found.same("namespace", namespace, self.namespace.as_str());
            }
            Protocol::Json { target, .. } => found.same("target", target, self.namespace.as_str()),
            Protocol::RestJson => found.same("namespace", "", self.namespace.as_str()),
        }
        let mut names = BTreeSet::new();
        for operation in &api.operations {
            found.at = operation.name.to_owned();
            if !names.insert(operation.name) {
                found.say("is registered twice");
            }
            let Some(modelled) = self.operations.get(operation.name) else {
                found.say("is no operation of the model");
                continue;
            };
            found.same("path", operation.http, modelled.http.as_deref());
            found.way = Way::In;
            match &modelled.input {
                Some(shape) => found.members(operation.members, shape),
                None if operation.members.is_empty() => {}
                None => found.say("has an input and should have none"),
            }
            found.way = Way::Out;
            match (&modelled.output, operation.output) {
                (Some(shape), Kind::Struct(_, members)) => found.members(members, shape),
                (None, Kind::Nothing) => {}
                (Some(_), _) => found.say("answers no structure and should"),
                (None, _) => found.say("answers something and should answer nothing"),
            }
        }
        found.differences
    }
}

struct Found<'m> {
    model: &'m Model,
    way: Way,
    at: String,
    differences: Vec<String>,
}

impl Found<'_> {
    fn say(&mut self, what: &str) {
        self.differences.push(format!("{} {what}", self.at));
    }

    fn same<T: PartialEq + std::fmt::Debug>(&mut self, what: &str, ours: T, theirs: T) {
        if ours != theirs {
            self.say(&format!("has {what} {ours:?} where the model has {theirs:?}"));
        }
    }

    fn inside(&mut self, step: &str, look: impl FnOnce(&mut Self)) {
        let outside = self.at.len();
        self.at.push_str(step);
        look(self);
        self.at.truncate(outside);
    }

    fn members(&mut self, members: &'static [Member], name: &str) {
        let model = self.model;
        let shape = &model.shapes[name];
        self.same("type", "structure", shape.kind.as_str());
        let fields = Member::flat(members);
        let ours: BTreeSet<&str> = fields.iter().map(|field| field.name).collect();
        let theirs: BTreeSet<&str> = shape.members.keys().map(String::as_str).collect();
        self.same("members", &ours - &theirs, BTreeSet::new());
        self.same("members", BTreeSet::new(), &theirs - &ours);
        if ours.len() != fields.len() {
            self.say("has a member twice");
        }
        for field in fields {
            let Some(held) = shape.members.get(field.name) else { continue };
            self.inside(&format!(".{}", field.name), |found| {
                if found.way == Way::In {
                    found.same("required", field.required, shape.required.contains(field.name));
                }
                found.value(&Part::of(field), held);
            });
        }
    }

    fn value(&mut self, part: &Part, name: &str) {
        let model = self.model;
        let shape = &model.shapes[name];
        match part.kind {
            Kind::Struct(_, members) => return self.members(members, name),
            Kind::List(inner) => {
                self.same("type", "list", shape.kind.as_str());
                if let Some(held) = &shape.member {
                    self.inside("[]", |found| found.value(&Part::inner(inner), held));
                }
            }
            Kind::Entries(inner) => {
                self.same("type", "map", shape.kind.as_str());
                if let Some(held) = &shape.value {
                    self.inside("{}", |found| found.value(&Part::inner(inner), held));
                }
            }
            Kind::Text(_) | Kind::Choice(_) => self.same("type", "string", shape.kind.as_str()),
            Kind::Number { .. } => self.same("a number", true, matches!(shape.kind.as_str(), "integer" | "long")),
            Kind::Decimal => self.same("a fraction", true, matches!(shape.kind.as_str(), "double" | "float")),
            Kind::Bool => self.same("type", "boolean", shape.kind.as_str()),
            Kind::Time => self.same("type", "timestamp", shape.kind.as_str()),
            Kind::Blob => self.same("type", "blob", shape.kind.as_str()),
            Kind::Nothing => self.say("is nothing"),
        }
        if self.way == Way::In {
            self.constraints(part, shape);
        }
    }

    fn constraints(&mut self, part: &Part, shape: &Shape) {
        let (min, max) = (shape.min, shape.max);
        if let Kind::Number { min: least, max: most } = part.kind {
            // A number that the model does not bound is bounded by its type.
            self.same("min", least, min.unwrap_or(if most == i64::MAX { i64::MIN } else { i32::MIN.into() }));
            self.same("max", most, max.unwrap_or(if least == i64::MIN { i64::MAX } else { i32::MAX.into() }));
            return;
        }
        let length = |bound: Option<i64>, none| bound.map_or(none, |bound| usize::try_from(bound).unwrap());
        let (mut least, mut most) = part.length;
        if let Kind::Text(rules) = part.kind {
            (least, most) = (least.max(rules.min), most.min(rules.max));
            self.same("pattern", rules.pattern, shape.pattern.as_deref().unwrap_or_default());
            if shape.sensitive && !rules.quiet {
                self.say("is sensitive, and messages repeat it");
            }
        }
        if let Kind::Choice(choices) = part.kind {
            let ours: BTreeSet<&str> = choices.iter().copied().collect();
            let theirs: BTreeSet<&str> = shape.choices.iter().flatten().map(String::as_str).collect();
            self.same("choices", ours, theirs);
        } else {
            self.same("choices", false, shape.choices.is_some());
            self.same("min", least, length(min, 0));
            self.same("max", most, length(max, usize::MAX));
        }
    }
}

/// A member, or an element of one.
struct Part {
    kind: Kind,
    length: (usize, usize),
}

impl Part {
    fn of(field: &Field) -> Self {
        Part { kind: field.kind, length: field.length }
    }

    fn inner(kind: &'static Kind) -> Self {
        Part { kind: *kind, length: (0, usize::MAX) }
    }
}
