//! Which services a set of documents lets into, whatever the resource and the conditions: what reports of AWS list. They look at permissions
//! policies alone: <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_access-advisor.html>.
//! A Deny takes a service away only where it denies every action that is allowed there, on everything and always.

use crate::action::ActionPattern;
use crate::compiled::{Actions, Compiled, Resources, Rule};
use crate::document::Effect;
use crate::resource::ResourcePattern;
use std::collections::BTreeSet;

/// What documents let into.
#[derive(Debug)]
pub struct Reach<'p> {
    /// What each level lets into; all of them must.
    levels: Vec<Level<'p>>,
}

/// What the documents of one level say, together.
#[derive(Debug)]
struct Level<'p> {
    allows: Vec<&'p Actions>,
    denies: Vec<&'p Actions>,
}

impl<'p> Level<'p> {
    fn of(documents: impl IntoIterator<Item = &'p Compiled>) -> Self {
        let mut level = Level { allows: Vec::new(), denies: Vec::new() };
        for rule in documents.into_iter().flat_map(|document| &document.rules) {
            match rule.effect {
                Effect::Allow if !matches!(rule.resources, Resources::Nothing) => level.allows.push(&rule.actions),
                Effect::Deny if is_total(rule) => level.denies.push(&rule.actions),
                Effect::Allow | Effect::Deny => {}
            }
        }
        level
    }

    fn covers(&self, action: &str) -> bool {
        self.allows.iter().any(|actions| actions.cover(action)) && !self.denies.iter().any(|actions| actions.cover(action))
    }

    /// What of it may be about a service.
    fn about(&self, service: &str) -> Level<'p> {
        let about = |pattern: &ActionPattern| *pattern == ActionPattern::All || pattern.service() == Some(service);
        let may = |actions: &&&'p Actions| actions.not || actions.list.iter().any(about);
        Level { allows: self.allows.iter().filter(may).copied().collect(), denies: self.denies.iter().filter(may).copied().collect() }
    }
}

impl<'p> Reach<'p> {
    /// What these documents together let into.
    pub fn of(documents: impl IntoIterator<Item = &'p Compiled>) -> Self {
        Reach { levels: vec![Level::of(documents)] }
    }

    /// What all of these levels let into, each by its documents together, as an organization's do. Without a level nothing is held back.
    pub fn through<L: IntoIterator<Item = &'p Compiled>>(levels: impl IntoIterator<Item = L>) -> Self {
        Reach { levels: levels.into_iter().map(Level::of).collect() }
    }

    /// Whether an action can be allowed at all.
    pub fn covers(&self, action: &str) -> bool {
        self.levels.iter().all(|level| level.covers(action))
    }

    /// The prefixes of all services that it lets into, in order: those that AWS knows, and those that a document names.
    pub fn services(&self) -> BTreeSet<Box<str>> {
        let known = ::services::services().map(|service| Box::from(service.prefix));
        known.chain(self.named()).filter(|service| self.reaches(service)).collect()
    }

    /// Whether it lets into the service with this prefix.
    pub fn reaches(&self, service: &str) -> bool {
        let begin = format!("{}:", service.to_ascii_lowercase());
        let mut said = self.levels.iter().flat_map(|level| &level.allows).flat_map(|actions| actions.said(&begin));
        match ::services::service(service) {
            // What a document says without wildcards may be an action that is newer than the facts.
            Some(known) => self.some_action(known) || said.any(|text| !text.contains(['*', '?']) && self.covers(&text)),
            // Whoever may do an action that nobody has may do whatever is not named.
            None => said.any(|text| self.covers(&text)) || self.covers(&format!("{begin}-")),
        }
    }

    fn some_action(&self, service: ::services::Service) -> bool {
        let levels: Vec<Level<'_>> = self.levels.iter().map(|level| level.about(service.prefix)).collect();
        let begin = format!("{}:", service.prefix);
        let mut name = begin.clone();
        levels.iter().all(|level| !level.allows.is_empty())
            && service.actions().any(|action| {
                name.truncate(begin.len());
                name.push_str(action.name);
                levels.iter().all(|level| level.covers(&name))
            })
    }

    /// The services that documents name.
    fn named(&self) -> impl Iterator<Item = Box<str>> {
        let allows = self.levels.iter().flat_map(|level| &level.allows);
        let patterns = allows.filter(|actions| !actions.not).flat_map(|actions| &actions.list);
        patterns.filter_map(|pattern| pattern.service().map(Box::from))
    }
}

/// Whether a Deny leaves nothing of the actions that it names.
fn is_total(rule: &Rule) -> bool {
    let everything = match &rule.resources {
        Resources::Any => true,
        Resources::These(list) => list.iter().any(|pattern| matches!(pattern, ResourcePattern::All)),
        Resources::Nothing | Resources::AllBut(_) => false,
    };
    everything && rule.conditions.is_empty() && rule.listed.is_none()
}

impl Actions {
    /// The texts under `begin` as they stand in the list, wildcards and all: what covers such a text covers whatever it covers.
    fn said(&self, begin: &str) -> impl Iterator<Item = String> {
        self.list.iter().filter(|_| !self.not).filter_map(ActionPattern::text).filter(move |text| text.starts_with(begin))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Document, Kind};

    fn reach(statements: &str) -> Vec<String> {
        let text = format!(r#"{{"Version": "2012-10-17", "Statement": [{statements}]}}"#);
        let compiled = Compiled::new(&Document::parse(&text).unwrap(), Kind::Identity);
        Reach::of([&compiled]).services().iter().map(ToString::to_string).collect()
    }

    fn statement(effect: &str, actions: &str, more: &str) -> String {
        format!(r#"{{"Effect": "{effect}", {actions}, "Resource": "*"{more}}}"#)
    }

    #[test]
    fn services_are_those_of_actions_that_are_allowed() {
        assert_eq!(reach(&statement("Allow", r#""Action": ["s3:GetObject", "SQS:Send*", "iam:List*"]"#, "")), ["iam", "s3", "sqs"]);
        assert_eq!(reach(&statement("Allow", r#""Action": ["s3:NewAction", "sqs:Nothing*"]"#, "")), ["s3"]);
        assert_eq!(reach(&statement("Deny", r#""Action": "s3:*""#, "")), [""; 0]);
    }

    #[test]
    fn everything_is_every_service_that_aws_knows() {
        let all: Vec<String> = ::services::services().map(|service| service.prefix.to_owned()).collect();
        assert_eq!(reach(&statement("Allow", r#""Action": "*""#, "")), all);
        let but_iam = reach(&statement("Allow", r#""NotAction": "iam:*""#, ""));
        assert_eq!(but_iam.len(), all.len() - 1);
        assert!(!but_iam.contains(&"iam".to_owned()));
    }

    #[test]
    fn services_of_ones_own_are_listed_too() {
        assert_eq!(reach(&statement("Allow", r#""Action": ["catalog:*", "lake:Read"]"#, "")), ["catalog", "lake"]);
        let denied = statement("Deny", r#""Action": "catalog:*""#, "");
        assert_eq!(reach(&format!("{},{denied}", statement("Allow", r#""Action": ["catalog:*", "lake:Read"]"#, ""))), ["lake"]);
    }

    #[test]
    fn only_a_deny_of_all_of_it_takes_a_service_away() {
        let allowed = statement("Allow", r#""Action": ["s3:Get*", "s3:PutObject", "sqs:*"]"#, "");
        let with = |deny: &str| reach(&format!("{allowed},{deny}"));
        assert_eq!(with(&statement("Deny", r#""Action": "s3:*""#, "")), ["sqs"]);
        assert_eq!(with(&statement("Deny", r#""Action": "s3:Get*""#, "")), ["s3", "sqs"]);
        assert_eq!(with(&statement("Deny", r#""Action": ["s3:Get*", "s3:Put*"]"#, "")), ["sqs"]);
        assert_eq!(with(&statement("Deny", r#""Action": "*""#, "")), [""; 0]);
        assert_eq!(with(&statement("Deny", r#""NotAction": "sqs:*""#, "")), ["sqs"]);
        let conditional = statement("Deny", r#""Action": "s3:*""#, r#", "Condition": {"Bool": {"aws:SecureTransport": "false"}}"#);
        assert_eq!(with(&conditional), ["s3", "sqs"]);
        assert_eq!(with(r#"{"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::logs/*"}"#), ["s3", "sqs"]);
        assert_eq!(with(r#"{"Effect": "Deny", "Action": "s3:*", "NotResource": "arn:aws:s3:::logs/*"}"#), ["s3", "sqs"]);
    }

    fn through(levels: &[&[&str]]) -> Vec<String> {
        let compiled = |statement: &&str| {
            let text = format!(r#"{{"Version": "2012-10-17", "Statement": [{statement}]}}"#);
            Compiled::new(&Document::parse(&text).unwrap(), Kind::ServiceControl)
        };
        let levels: Vec<Vec<Compiled>> = levels.iter().map(|level| level.iter().map(compiled).collect()).collect();
        Reach::through(&levels).services().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_level_must_allow_the_same_action() {
        let (all, gets) =
            (statement("Allow", r#""Action": "*""#, ""), statement("Allow", r#""Action": ["s3:Get*", "sqs:*", "iam:GetUser"]"#, ""));
        let puts = statement("Allow", r#""Action": ["s3:Put*", "sqs:SendMessage"]"#, "");
        assert_eq!(through(&[&[&all], &[&gets]]), ["iam", "s3", "sqs"]);
        assert_eq!(through(&[&[&gets], &[&puts]]), ["sqs"], "no action of s3 is allowed by both");
        assert_eq!(through(&[&[&gets, &puts], &[&puts]]), ["s3", "sqs"], "the documents of one level are one");
        assert_eq!(through(&[&[&all], &[]]), [""; 0]);
    }

    #[test]
    fn a_deny_of_any_level_takes_a_service_away() {
        let (all, some) = (statement("Allow", r#""Action": "*""#, ""), statement("Allow", r#""Action": ["s3:*", "sqs:*"]"#, ""));
        assert_eq!(through(&[&[&all, &statement("Deny", r#""Action": "s3:*""#, "")], &[&some]]), ["sqs"]);
    }

    #[test]
    fn without_a_level_nothing_is_held_back() {
        let all: Vec<String> = ::services::services().map(|service| service.prefix.to_owned()).collect();
        assert_eq!(through(&[]), all);
    }
}
