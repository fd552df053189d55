//! Tag policies that are enforced: who tags a resource of a type that a policy names gives a key its case and one of its values, or is refused.
//! What is not tagged is not looked at. Rules:
//! <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_tag-policies-enforcement.html>.

use crate::effective_policies::effective;
use crate::inheritance::Merged;
use crate::policy_trees::{Scalar, Setting};
use arn::AccountId;
use identities::{PolicyType, Tag, TagKey, organization_path};
use store::{Mode, StoreError, Tx};

/// What the tags of one account's resources have to be.
#[derive(Debug, Clone, Default)]
pub struct TagRules(Vec<Rule>);

/// What one key has to be.
#[derive(Debug, Clone)]
struct Rule {
    /// With the case that it has to have.
    key: String,
    /// Its values, each with one `*` at most; any, if there are none.
    values: Vec<String>,
    /// `iam:policy`, `iam:*`, `iam:ALL_SUPPORTED`.
    enforced_for: Vec<String>,
}

/// What the tag policies that bind `account` ask of its tags. A rule that rests on this rests on what its transaction sees.
///
/// # Errors
/// What the store says.
pub async fn tag_rules<M: Mode>(tx: &Tx<M>, account: AccountId) -> Result<TagRules, StoreError> {
    let Some(path) = organization_path(tx, account).await? else { return Ok(TagRules::default()) };
    let effective = effective(tx, &path, PolicyType::TagPolicy).await?;
    Ok(effective.map(|effective| TagRules::of(&effective.merged)).unwrap_or_default())
}

impl TagRules {
    fn of(merged: &Merged) -> Self {
        let rule = |tag: &Merged| Rule {
            // Where no case is said, it is lower case, which is how keys are shown.
            key: texts(tag, "tag_key").next().map_or_else(|| tag.key.clone(), str::to_owned),
            values: texts(tag, "tag_value").map(str::to_owned).collect(),
            enforced_for: texts(tag, "enforced_for").map(str::to_owned).collect(),
        };
        TagRules(merged.get("tags").iter().flat_map(|tags| &tags.below).map(rule).collect())
    }

    /// The key of the first of these tags that a resource of this type (`iam:policy`) may not have.
    pub fn violated(&self, resource_type: &str, tags: &[Tag]) -> Option<TagKey> {
        let is_refused = |tag: &&Tag| self.0.iter().any(|rule| rule.is_for(resource_type) && rule.refuses(tag));
        tags.iter().find(is_refused).map(|tag| tag.key.clone())
    }
}

impl Rule {
    fn is_for(&self, resource_type: &str) -> bool {
        let service = resource_type.split(':').next().unwrap_or_default();
        let names = |named: &String| match named.split_once(':') {
            Some((named, "*" | "ALL_SUPPORTED")) => named == service,
            _ => named == resource_type,
        };
        self.enforced_for.iter().any(names)
    }

    fn refuses(&self, tag: &Tag) -> bool {
        let is_value = |pattern: &String| match pattern.split_once('*') {
            None => pattern == tag.value.as_str(),
            Some((begins, ends)) => tag.value.as_str().strip_prefix(begins).is_some_and(|rest| rest.ends_with(ends)),
        };
        let is_named = tag.key.as_str().to_lowercase() == self.key.to_lowercase();
        is_named && (tag.key.as_str() != self.key || !(self.values.is_empty() || self.values.iter().any(is_value)))
    }
}

fn texts<'m>(tag: &'m Merged, key: &str) -> impl Iterator<Item = &'m str> + use<'m> {
    let setting = tag.get(key).and_then(|node| node.setting.as_ref());
    setting.map(Setting::values).unwrap_or_default().iter().filter_map(Scalar::text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inheritance::Part;
    use crate::policy_syntax::{self, Syntax};

    fn rules(document: &str) -> TagRules {
        let document = policy_syntax::read(PolicyType::TagPolicy, document).unwrap();
        let part = Part { id: "p-examplepolicyid".parse().unwrap(), document };
        TagRules::of(&Merged::of(&[vec![part]], Syntax::of(PolicyType::TagPolicy).unwrap()))
    }

    fn violated(rules: &TagRules, resource_type: &str, key: &str, value: &str) -> bool {
        let tag = Tag { key: key.parse().unwrap(), value: value.parse().unwrap() };
        rules.violated(resource_type, &[tag]).is_some()
    }

    #[test]
    fn keys_have_their_case_and_values_are_on_the_list() {
        let rules = rules(
            r#"{"tags":{"costcenter":{"tag_key":{"@@assign":"CostCenter"},"tag_value":{"@@assign":["100","2*9"]},
                "enforced_for":{"@@assign":["iam:policy"]}}}}"#,
        );
        for (key, value, is_violated) in [
            ("CostCenter", "100", false),
            ("CostCenter", "209", false),
            ("CostCenter", "29", false),
            ("CostCenter", "2", true),
            ("CostCenter", "101", true),
            ("CostCenter", "", true),
            ("costcenter", "100", true),
            ("Other", "x", false),
        ] {
            assert_eq!(violated(&rules, "iam:policy", key, value), is_violated, "{key}={value}");
            assert!(!violated(&rules, "iam:instance-profile", key, value), "not enforced there");
        }
    }

    #[test]
    fn a_service_is_named_as_a_whole() {
        for named in ["iam:*", "iam:ALL_SUPPORTED"] {
            let text = format!(r#"{{"tags":{{"team":{{"tag_value":{{"@@assign":["red"]}},"enforced_for":{{"@@assign":["{named}"]}}}}}}}}"#);
            assert!(violated(&rules(&text), "iam:policy", "team", "blue"), "{named}");
            assert!(violated(&rules(&text), "iam:policy", "Team", "red"), "where no case is said, it is lower");
            assert!(!violated(&rules(&text), "s3:bucket", "team", "blue"));
        }
    }

    #[test]
    fn what_is_not_enforced_refuses_nothing() {
        let rules = rules(r#"{"tags":{"team":{"tag_value":{"@@assign":["red"]}}}}"#);
        assert!(!violated(&rules, "iam:policy", "team", "blue"));
    }
}
