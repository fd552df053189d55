//! What both simulations are asked. Source: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulateCustomPolicy.html>.

use crate::Error;
use crate::documents::PolicyDocument;
use crate::page::Page;
use arn::{AccountId, Arn};
use policy::Context;
use std::collections::BTreeSet;
use wire::{Shape, Text};

/// `service:Operation`.
#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(min = 3, max = 128)]
struct ActionName(Box<str>);

/// An ARN, `*`, or an account.
#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(min = 1, max = 2048)]
pub(crate) struct ResourceName(Box<str>);

/// Which resources must be named.
#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(min = 1, max = 64)]
struct ResourceHandlingOption(Box<str>);

/// The name of a condition key.
#[derive(Debug, Clone, PartialEq, Eq, Text)]
#[text(min = 5, max = 256)]
struct ContextKeyName(Box<str>);

/// A condition key with its values.
#[derive(Shape)]
struct ContextEntry {
    context_key_name: Option<ContextKeyName>,
    context_key_values: Vec<String>,
    context_key_type: Option<ContextKeyType>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Text)]
enum ContextKeyType {
    #[text(rename = "string")]
    String,
    #[text(rename = "stringList")]
    StringList,
    #[text(rename = "numeric")]
    Numeric,
    #[text(rename = "numericList")]
    NumericList,
    #[text(rename = "boolean")]
    Boolean,
    #[text(rename = "booleanList")]
    BooleanList,
    #[text(rename = "ip")]
    Ip,
    #[text(rename = "ipList")]
    IpList,
    #[text(rename = "binary")]
    Binary,
    #[text(rename = "binaryList")]
    BinaryList,
    #[text(rename = "date")]
    Date,
    #[text(rename = "dateList")]
    DateList,
}

impl ContextKeyType {
    fn is_list(self) -> bool {
        match self {
            Self::StringList | Self::NumericList | Self::BooleanList | Self::IpList | Self::BinaryList | Self::DateList => true,
            Self::String | Self::Numeric | Self::Boolean | Self::Ip | Self::Binary | Self::Date => false,
        }
    }
}

/// What both simulations are asked.
#[derive(Shape)]
pub(crate) struct Asked {
    pub permissions_boundary_policy_input_list: Vec<PolicyDocument>,
    #[shape(required)]
    action_names: Vec<ActionName>,
    pub resource_arns: Vec<ResourceName>,
    pub resource_policy: Option<PolicyDocument>,
    resource_owner: Option<ResourceName>,
    pub caller_arn: Option<ResourceName>,
    context_entries: Vec<ContextEntry>,
    resource_handling_option: Option<ResourceHandlingOption>,
    #[shape(flatten)]
    pub page: Page,
}

impl Asked {
    /// The resources: everything, if none is named.
    pub fn resources(&self) -> Result<Vec<&str>, Error> {
        if self.resource_arns.is_empty() {
            return Ok(vec!["*"]);
        }
        let named = self.resource_arns.iter().map(ResourceName::as_str);
        named
            .map(|name| match name {
                "*" => Ok(name),
                _ if name.parse::<Arn>().is_ok() => Ok(name),
                _ => Err(Error::InvalidInput(format!("Invalid Resource Name: {name}"))),
            })
            .collect()
    }

    /// The actions, each of a service and without wildcards. The one exception is `*:*`, which asks who may do anything at all: audits ask it
    /// (<https://cloudcustodian.io/docs/aws/resources/aws-common-filters.html>), and as a name it is covered only by what covers every name.
    pub fn actions(&self) -> Result<Vec<&str>, Error> {
        let whole = |name: &str| name.split_once(':').is_some_and(|(service, name)| !service.is_empty() && !name.is_empty());
        let names = self.action_names.iter().map(ActionName::as_str);
        names
            .map(|name| match whole(name) && (name == "*:*" || !name.contains(['*', '?'])) {
                true => Ok(name),
                false => Err(Error::InvalidInput(format!("Invalid Action Name: {name}"))),
            })
            .collect()
    }

    /// The owner that resources have whose ARN names none.
    pub fn owner(&self) -> Result<Option<AccountId>, Error> {
        let Some(named) = &self.resource_owner else { return Ok(None) };
        let account = named.as_str().parse().ok().or_else(|| named.as_str().parse::<Arn>().ok()?.account_id());
        account.map(Some).ok_or_else(|| Error::InvalidInput(format!("Invalid Resource Owner: {named}")))
    }

    pub fn facts(&self) -> Context {
        let mut facts = Context::new();
        for entry in &self.context_entries {
            let Some(name) = &entry.context_key_name else { continue };
            match entry.context_key_values.as_slice() {
                [] if !entry.context_key_type.is_some_and(ContextKeyType::is_list) => {}
                [one] if !entry.context_key_type.is_some_and(ContextKeyType::is_list) => facts.insert(name.as_str(), one.as_str()),
                many => facts.insert_many(name.as_str(), many.iter().map(String::as_str)),
            }
        }
        facts
    }

    /// Whether all resources are roles: the policy of a role says who may assume it.
    pub fn are_roles(&self) -> bool {
        let is_role = |arn: Arn| arn.service() == "iam" && arn.resource_type() == Some("role");
        !self.resource_arns.is_empty() && self.resource_arns.iter().all(|name| name.as_str().parse().is_ok_and(is_role))
    }

    /// Whether the resources are there that a kind of simulation needs.
    pub fn holds(&self, resources: &[&str]) -> Result<(), Error> {
        let Some(option) = &self.resource_handling_option else { return Ok(()) };
        let needed: &[&str] = match option.as_str() {
            "EC2-VPC-InstanceStore" => &["instance", "image", "security-group", "network-interface"],
            "EC2-VPC-InstanceStore-Subnet" => &["instance", "image", "security-group", "network-interface", "subnet"],
            "EC2-VPC-EBS" => &["instance", "image", "security-group", "network-interface", "volume"],
            "EC2-VPC-EBS-Subnet" => &["instance", "image", "security-group", "network-interface", "subnet", "volume"],
            other => return Err(Error::InvalidInput(format!("Invalid Resource Handling Option: {other}"))),
        };
        let there: BTreeSet<String> = resources
            .iter()
            .filter_map(|resource| resource.parse::<Arn>().ok())
            .filter(|arn| arn.service() == "ec2")
            .filter_map(|arn| arn.resource_type().map(str::to_owned))
            .collect();
        match needed.iter().find(|needed| !there.contains(**needed)) {
            None => Ok(()),
            Some(lacking) => Err(Error::InvalidInput(format!("{option} requires a resource of the type {lacking}."))),
        }
    }
}
