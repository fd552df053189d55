//! AWS's Service Authorization Reference of IAM, as `make_service_authorization.py` writes it down.

use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
pub struct Facts {
    actions: BTreeMap<String, Action>,
    resources: BTreeMap<String, Resource>,
}

/// An action: on which types of resources, with which keys, and what it needs besides.
#[derive(Deserialize)]
pub struct Action {
    pub on: Vec<String>,
    pub keys: Vec<String>,
    pub with: Vec<String>,
}

#[derive(Deserialize)]
struct Resource {
    arn: String,
    keys: Vec<String>,
}

impl Facts {
    pub fn read() -> Self {
        serde_json::from_str(include_str!("../service-authorization.json")).expect("the committed facts")
    }

    pub fn action(&self, name: &str) -> Option<&Action> {
        self.actions.get(name)
    }

    /// The type of resource that an ARN is of.
    pub fn kind(&self, arn: &str) -> Option<&String> {
        let own = |template: &str| {
            let head = template.split_once(":${Account}:").map(|(_, resource)| resource)?;
            head.split_once("${").map(|(head, _)| head.to_owned())
        };
        let resource = arn.splitn(6, ':').nth(5)?;
        self.resources.iter().find(|(_, kind)| own(&kind.arn).is_some_and(|head| resource.starts_with(&head))).map(|(name, _)| name)
    }

    /// The keys that a type of resource has.
    pub fn keys(&self, kind: &str) -> &[String] {
        self.resources.get(kind).map(|kind| kind.keys.as_slice()).unwrap_or_default()
    }
}

/// Whether `key` is the declared one, which may end with the name of a tag.
pub fn is(key: &str, declared: &str) -> bool {
    match declared.split_once("${") {
        Some((head, _)) => key.get(..head.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(head)),
        None => key.eq_ignore_ascii_case(declared),
    }
}

/// Whether every request has it, whatever it asks: a key of AWS's own that tells of neither tags nor resources.
/// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html>.
pub fn is_general(key: &str) -> bool {
    let tells = ["aws:RequestTag/", "aws:ResourceTag/", "aws:TagKeys"];
    key.get(..4).is_some_and(|begin| begin.eq_ignore_ascii_case("aws:"))
        && !tells.iter().any(|tells| key.get(..tells.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(tells)))
}
