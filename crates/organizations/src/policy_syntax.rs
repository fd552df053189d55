//! What each kind of merged policy may hold. Rules: the syntax page of each kind under
//! <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_type-mgmt.html>.
//!
//! AWS adds settings to these kinds often. Where a page names all settings, others are refused; where it only shows some, any tree of
//! operators is taken.

use crate::policy_trees::{Branch, Scalar, Setting};
use identities::PolicyType;

/// What may stand at one place of a document.
#[derive(Debug)]
pub(crate) enum Syntax {
    /// These keys and no others.
    Keys(&'static [(&'static str, Syntax)]),
    /// Keys of the author's choice.
    Named(Shown, &'static Syntax),
    /// One value: one of these, or any if there are none.
    One(&'static [&'static str]),
    /// A list of values.
    Many,
    /// Any tree.
    Any,
}

/// How a key of the author's choice is shown in an effective policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    /// As it is written first.
    AsWritten,
    /// In lower case.
    InLowerCase,
}

use Shown::{AsWritten, InLowerCase};
use Syntax::{Any, Keys, Many, Named, One};

const TAG: Syntax = Keys(&[("tag_key", One(&[])), ("tag_value", Many), ("enforced_for", Many), ("report_required_tag_for", Many)]);
const TAGS: Syntax = Keys(&[("tags", Named(InLowerCase, &TAG))]);

const OPT_OUT: Syntax = Keys(&[("opt_out_policy", One(&["optOut", "optIn"]))]);
const SERVICES: Syntax = Keys(&[("services", Named(AsWritten, &OPT_OUT))]);

const ONE_TAG: Syntax = Keys(&[("tag_key", One(&[])), ("tag_value", One(&[]))]);
const LIFECYCLE: Syntax = Keys(&[
    ("move_to_cold_storage_after_days", One(&[])),
    ("delete_after_days", One(&[])),
    ("to_delete_after_days", One(&[])),
    ("opt_in_to_archive_for_supported_resources", One(&[])),
    ("delete_after_event", One(&[])),
]);
const COPY: Syntax = Keys(&[("target_backup_vault_arn", One(&[])), ("lifecycle", LIFECYCLE)]);
const RULE: Syntax = Keys(&[
    ("schedule_expression", One(&[])),
    ("schedule_expression_timezone", One(&[])),
    ("start_backup_window_minutes", One(&[])),
    ("complete_backup_window_minutes", One(&[])),
    ("enable_continuous_backup", One(&[])),
    ("target_backup_vault_name", One(&[])),
    ("target_logically_air_gapped_backup_vault_arn", One(&[])),
    ("recovery_point_tags", Named(InLowerCase, &ONE_TAG)),
    ("lifecycle", LIFECYCLE),
    ("copy_actions", Named(InLowerCase, &COPY)),
    ("index_actions", Any),
    ("scan_actions", Any),
]);
const BY_TAG: Syntax = Keys(&[("iam_role_arn", One(&[])), ("tag_key", One(&[])), ("tag_value", Many)]);
const PLAN: Syntax = Keys(&[
    ("regions", Many),
    ("rules", Named(InLowerCase, &RULE)),
    ("selections", Keys(&[("tags", Named(InLowerCase, &BY_TAG)), ("resources", Named(InLowerCase, &Any))])),
    ("advanced_backup_settings", Any),
    ("backup_plan_tags", Named(InLowerCase, &ONE_TAG)),
    ("scan_settings", Any),
]);
const PLANS: Syntax = Keys(&[("plans", Named(AsWritten, &PLAN))]);

const EC2: Syntax = Keys(&[(
    "ec2_attributes",
    Keys(&[
        ("exception_message", One(&[])),
        ("vpc_block_public_access", Any),
        ("serial_console_access", Any),
        ("image_block_public_access", Any),
        ("allowed_images_settings", Any),
        ("instance_metadata_defaults", Any),
        ("snapshot_block_public_access", Any),
    ]),
)]);
const SECURITY_HUB: Syntax = Keys(&[("securityhub", Keys(&[("enable_in_regions", Many), ("disable_in_regions", Many)]))]);
const CHATBOT: Syntax = Keys(&[("chatbot", Keys(&[("platforms", Any), ("default", Any)]))]);
const INSPECTOR: Syntax = Keys(&[("inspector", Any)]);
const UPGRADE_ROLLOUT: Syntax = Keys(&[("upgrade_rollout", Any)]);
const BEDROCK: Syntax = Keys(&[("bedrock", Any)]);
const S3: Syntax = Keys(&[("s3_attributes", Any)]);
const NETWORK_SECURITY_DIRECTOR: Syntax = Keys(&[("network_security_director", Any)]);

impl Syntax {
    /// Of the documents of one kind; none, for those that are not merged.
    pub fn of(kind: PolicyType) -> Option<&'static Syntax> {
        match kind {
            PolicyType::ServiceControlPolicy | PolicyType::ResourceControlPolicy => None,
            PolicyType::TagPolicy => Some(&TAGS),
            PolicyType::BackupPolicy => Some(&PLANS),
            PolicyType::AiservicesOptOutPolicy => Some(&SERVICES),
            PolicyType::ChatbotPolicy => Some(&CHATBOT),
            PolicyType::DeclarativePolicyEc2 => Some(&EC2),
            PolicyType::SecurityhubPolicy => Some(&SECURITY_HUB),
            PolicyType::InspectorPolicy => Some(&INSPECTOR),
            PolicyType::UpgradeRolloutPolicy => Some(&UPGRADE_ROLLOUT),
            PolicyType::BedrockPolicy => Some(&BEDROCK),
            PolicyType::S3Policy => Some(&S3),
            PolicyType::NetworkSecurityDirectorPolicy => Some(&NETWORK_SECURITY_DIRECTOR),
            PolicyType::SecurityhubCspmPolicy | PolicyType::GuarddutyPolicy => Some(&Any),
        }
    }

    /// What may stand below a key; none, if nothing may.
    pub fn below(&self, key: &str) -> Option<&'static Syntax> {
        match self {
            Keys(keys) => keys.iter().find(|(known, _)| *known == key).map(|(_, below)| below),
            Named(_, below) => Some(below),
            Any => Some(&Any),
            One(_) | Many => None,
        }
    }

    /// A key below, as an effective policy shows it.
    pub fn shown(&self, key: &str) -> String {
        match self {
            Named(InLowerCase, _) => key.to_lowercase(),
            Named(AsWritten, _) | Keys(_) | One(_) | Many | Any => key.to_owned(),
        }
    }

    /// Whether a document is one of these.
    fn takes(&self, branch: &Branch) -> bool {
        let fits = match self {
            Keys(_) | Named(..) => !branch.is_leaf(),
            One(choices) => {
                let is_choice = |one: &Scalar| choices.is_empty() || one.text().is_some_and(|text| choices.contains(&text));
                branch.append.is_none()
                    && branch.remove.is_none()
                    && branch.assign.as_ref().is_none_or(|setting| matches!(setting, Setting::One(one) if is_choice(one)))
            }
            Many => branch.assign.as_ref().is_none_or(|setting| matches!(setting, Setting::Many(_))),
            Any => true,
        };
        fits && branch.below.iter().all(|(key, below)| self.below(key).is_some_and(|syntax| syntax.takes(below)))
    }
}

/// Reads a document of this kind; `None` if it is none.
pub(crate) fn read(kind: PolicyType, text: &str) -> Option<Branch> {
    let branch = Branch::read(text).ok()?;
    let is_right = Syntax::of(kind).is_some_and(|syntax| syntax.takes(&branch)) && !branch.below.is_empty();
    let is_right = is_right
        && match kind {
            PolicyType::TagPolicy => branch.below.iter().flat_map(|(_, tags)| &tags.below).all(|(key, tag)| is_tag(key, tag)),
            PolicyType::SecurityhubPolicy => branch.below.iter().all(|(_, hub)| hub.below.len() == 2),
            PolicyType::ServiceControlPolicy
            | PolicyType::ResourceControlPolicy
            | PolicyType::BackupPolicy
            | PolicyType::AiservicesOptOutPolicy
            | PolicyType::ChatbotPolicy
            | PolicyType::DeclarativePolicyEc2
            | PolicyType::SecurityhubCspmPolicy
            | PolicyType::InspectorPolicy
            | PolicyType::UpgradeRolloutPolicy
            | PolicyType::BedrockPolicy
            | PolicyType::S3Policy
            | PolicyType::NetworkSecurityDirectorPolicy
            | PolicyType::GuarddutyPolicy => true,
        };
    is_right.then_some(branch)
}

/// A tag's key is the one that it stands under, but for case; a value has one wildcard at most; what is enforced is named by its service.
/// Source: <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_example-tag-policies.html>.
fn is_tag(key: &str, tag: &Branch) -> bool {
    let all = |name: &str, is_right: &dyn Fn(&str) -> bool| {
        let branches = tag.below.iter().filter(|(known, _)| known == name).map(|(_, branch)| branch);
        branches.flat_map(values).all(|scalar| scalar.text().is_some_and(is_right))
    };
    all("tag_key", &|text| text.to_lowercase() == key.to_lowercase())
        && all("tag_value", &|text| text.matches('*').count() <= 1)
        && all("enforced_for", &is_resource_type)
        && all("report_required_tag_for", &is_resource_type)
}

fn values(branch: &Branch) -> impl Iterator<Item = &Scalar> {
    let lists = [branch.append.as_deref(), branch.remove.as_deref(), branch.assign.as_ref().map(Setting::values)];
    lists.into_iter().flatten().flatten()
}

/// `ec2:instance`, `secretsmanager:*`, `s3:ALL_SUPPORTED`.
fn is_resource_type(text: &str) -> bool {
    let is_word =
        |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'/'));
    text.split_once(':').is_some_and(|(service, kind)| is_word(service) && (kind == "*" || is_word(kind)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_takes_what_its_page_shows() {
        let regions = r#"{"enable_in_regions":{"@@assign":["ALL_SUPPORTED"]},"disable_in_regions":{"@@assign":[]}}"#;
        let good = [
            (PolicyType::TagPolicy, r#"{"tags":{"Product":{"tag_key":{"@@assign":"Product"},"enforced_for":{"@@assign":["ec2:instance"]}}}}"#.to_owned()),
            (PolicyType::TagPolicy, r#"{"tags":{"mail":{"tag_value":{"@@append":["*@example.com"]}}}}"#.to_owned()),
            (PolicyType::BackupPolicy, r#"{"plans":{"Plan":{"regions":{"@@assign":["us-east-1"]},"rules":{"Hourly":{"target_backup_vault_name":{"@@assign":"v"}}},"selections":{"tags":{"t":{"iam_role_arn":{"@@assign":"arn:aws:iam::$account:role/R"},"tag_key":{"@@assign":"k"},"tag_value":{"@@assign":["v"]}}}}}}}"#.to_owned()),
            (PolicyType::AiservicesOptOutPolicy, r#"{"services":{"default":{"opt_out_policy":{"@@assign":"optOut"}}}}"#.to_owned()),
            (PolicyType::ChatbotPolicy, r#"{"chatbot":{"platforms":{"slack":{"client":{"@@assign":"enabled"}}},"default":{"client":{"@@assign":"disabled"}}}}"#.to_owned()),
            (PolicyType::DeclarativePolicyEc2, r#"{"ec2_attributes":{"serial_console_access":{"status":{"@@assign":"disabled"}}}}"#.to_owned()),
            (PolicyType::SecurityhubPolicy, format!(r#"{{"securityhub":{regions}}}"#)),
            (PolicyType::InspectorPolicy, format!(r#"{{"inspector":{{"enablement":{{"ec2_scanning":{regions}}}}}}}"#)),
            (PolicyType::UpgradeRolloutPolicy, r#"{"upgrade_rollout":{"default":{"patch_order":{"@@assign":"last"}}}}"#.to_owned()),
            (PolicyType::BedrockPolicy, r#"{"bedrock":{"guardrail_inference":{"us-east-1":{"config_1":{"input_tags":{"@@assign":"honor"}}}}}}"#.to_owned()),
            (PolicyType::S3Policy, r#"{"s3_attributes":{"public_access_block_configuration":{"@@assign":"all"}}}"#.to_owned()),
            (PolicyType::NetworkSecurityDirectorPolicy, format!(r#"{{"network_security_director":{{"enablement":{{"network_security_scan":{regions}}}}}}}"#)),
            (PolicyType::GuarddutyPolicy, format!(r#"{{"guardduty":{{"enablement":{regions}}}}}"#)),
            (PolicyType::SecurityhubCspmPolicy, format!(r#"{{"securityhub_cspm":{regions}}}"#)),
        ];
        for (kind, text) in good {
            assert!(read(kind, &text).is_some(), "{kind:?} {text}");
        }
    }

    #[test]
    fn what_is_no_document_of_its_kind_is_refused() {
        for (kind, text) in [
            (PolicyType::TagPolicy, r#"{}"#),
            (PolicyType::TagPolicy, r#"{"services":{"default":{"opt_out_policy":{"@@assign":"optOut"}}}}"#),
            (PolicyType::TagPolicy, r#"{"tags":{"a":{"tag_key":{"@@assign":"b"}}}}"#),
            (PolicyType::TagPolicy, r#"{"tags":{"a":{"tag_key":{"@@assign":["a"]}}}}"#),
            (PolicyType::TagPolicy, r#"{"tags":{"a":{"tag_key":{"@@append":["a"]}}}}"#),
            (PolicyType::TagPolicy, r#"{"tags":{"a":{"tag_value":{"@@assign":"a"}}}}"#),
            (PolicyType::TagPolicy, r#"{"tags":{"a":{"tag_value":{"@@assign":["*a*"]}}}}"#),
            (PolicyType::TagPolicy, r#"{"tags":{"a":{"enforced_for":{"@@assign":["*"]}}}}"#),
            (PolicyType::TagPolicy, r#"{"tags":{"a":{"other":{"@@assign":"x"}}}}"#),
            (PolicyType::TagPolicy, r#"{"Version":"2012-10-17","Statement":[]}"#),
            (PolicyType::AiservicesOptOutPolicy, r#"{"services":{"default":{"opt_out_policy":{"@@assign":"optout"}}}}"#),
            (PolicyType::BackupPolicy, r#"{"plans":{"p":{"regions":{"@@assign":"us-east-1"}}}}"#),
            (PolicyType::BackupPolicy, r#"{"plans":{"p":{"rules":{"r":{"unknown":{"@@assign":"x"}}}}}}"#),
            (PolicyType::DeclarativePolicyEc2, r#"{"ec2_attributes":{"unknown":{"@@assign":"x"}}}"#),
            (PolicyType::SecurityhubPolicy, r#"{"securityhub":{"enable_in_regions":{"@@assign":[]}}}"#),
            (PolicyType::S3Policy, r#"{"bedrock":{}}"#),
        ] {
            assert!(read(kind, text).is_none(), "{kind:?} {text}");
        }
    }
}
