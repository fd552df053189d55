//! AWS's own examples, from <https://docs.aws.amazon.com/organizations/latest/userguide/inheritance-examples.html> and the pages of each
//! kind, and what follows from the rules there.

use super::*;
use crate::policy_syntax;
use identities::PolicyType;
use serde_json::{Value, json};

/// What the policies of these levels make, the root's level first.
fn effective(kind: PolicyType, levels: &[&[Value]]) -> Value {
    let part = |document: &Value| Part {
        id: "p-examplepolicyid".parse().unwrap(),
        document: policy_syntax::read(kind, &document.to_string()).unwrap_or_else(|| panic!("{document} is none")),
    };
    let levels: Vec<Vec<Part>> = levels.iter().map(|level| level.iter().map(part).collect()).collect();
    Merged::of(&levels, Syntax::of(kind).unwrap()).value().unwrap_or_default()
}

fn tags(levels: &[&[Value]]) -> Value {
    effective(PolicyType::TagPolicy, levels)
}

/// The policy that most examples begin with.
fn cost_center() -> Value {
    json!({"tags": {"costcenter": {"tag_key": {"@@assign": "CostCenter"}, "tag_value": {"@@assign": ["Development", "Support"]}}}})
}

fn appended() -> Value {
    json!({"tags": {"costcenter": {
        "tag_key": {"@@assign": "CostCenter"},
        "tag_value": {"@@append": ["Marketing"]},
        "enforced_for": {"@@append": ["redshift:*", "dynamodb:table"]}
    }}})
}

#[test]
fn a_child_overwrites_values() {
    let sandbox = json!({"tags": {"costcenter": {
        "tag_key": {"@@assign": "CostCenter"},
        "tag_value": {"@@assign": ["Sandbox"]},
        "enforced_for": {"@@assign": ["redshift:*", "dynamodb:table"]}
    }}});
    let expected = json!({"tags": {"costcenter": {
        "tag_key": "CostCenter", "tag_value": ["Sandbox"], "enforced_for": ["redshift:*", "dynamodb:table"]
    }}});
    assert_eq!(tags(&[&[cost_center()], &[sandbox], &[]]), expected);
}

#[test]
fn a_child_appends_values() {
    let expected = json!({"tags": {"costcenter": {
        "tag_key": "CostCenter",
        "tag_value": ["Development", "Support", "Marketing"],
        "enforced_for": ["redshift:*", "dynamodb:table"]
    }}});
    assert_eq!(tags(&[&[cost_center()], &[appended()]]), expected);
}

#[test]
fn a_child_removes_values_and_what_is_empty_then_is_gone() {
    let removed = json!({"tags": {"costcenter": {
        "tag_value": {"@@remove": ["Development", "Marketing"]},
        "enforced_for": {"@@remove": ["redshift:*", "dynamodb:table"]}
    }}});
    let expected = json!({"tags": {"costcenter": {"tag_key": "CostCenter", "tag_value": ["Support"]}}});
    assert_eq!(tags(&[&[cost_center()], &[appended()], &[removed]]), expected);
}

#[test]
fn what_a_parent_does_not_allow_is_passed_over() {
    let parent = json!({"tags": {"project": {
        "tag_key": {"@@operators_allowed_for_child_policies": ["@@none"], "@@assign": "Project"},
        "tag_value": {"@@operators_allowed_for_child_policies": ["@@append"], "@@assign": ["Maintenance", "Escalations"]}
    }}});
    let child = json!({"tags": {"project": {
        "tag_key": {"@@assign": "PROJECT"}, "tag_value": {"@@append": ["Escalations - research"]}
    }}});
    let expected = json!({"tags": {"project": {
        "tag_key": "Project", "tag_value": ["Maintenance", "Escalations", "Escalations - research"]
    }}});
    assert_eq!(tags(&[std::slice::from_ref(&parent), &[child]]), expected);
    let assigning = json!({"tags": {"project": {"tag_value": {"@@assign": ["Other"]}}}});
    assert_eq!(tags(&[&[parent], &[assigning]])["tags"]["project"]["tag_value"], json!(["Maintenance", "Escalations"]));
}

#[test]
fn policies_of_one_target_allow_what_all_of_them_allow() {
    let first = json!({"tags": {"project": {
        "tag_value": {"@@operators_allowed_for_child_policies": ["@@append"], "@@assign": ["Maintenance"]}
    }}});
    let second = json!({"tags": {"project": {"tag_value": {"@@operators_allowed_for_child_policies": ["@@append", "@@remove"]}}}});
    let child = json!({"tags": {"project": {"tag_value": {"@@append": ["Support"], "@@remove": ["Maintenance"]}}}});
    assert_eq!(tags(&[&[first, second], &[child]]), json!({"tags": {"project": {"tag_value": ["Maintenance", "Support"]}}}));
}

#[test]
fn of_policies_of_one_target_the_first_attached_assigns() {
    let first = json!({"tags": {"project": {"tag_key": {"@@assign": "PROJECT"}, "tag_value": {"@@append": ["Maintenance"]}}}});
    let second = json!({"tags": {"project": {"tag_key": {"@@assign": "project"}}}});
    let expected = json!({"tags": {"project": {"tag_key": "PROJECT", "tag_value": ["Maintenance"]}}});
    assert_eq!(tags(&[&[first.clone(), second.clone()]]), expected);
    assert_eq!(tags(&[&[second, first]])["tags"]["project"]["tag_key"], "project");
}

#[test]
fn keys_are_defined_above_and_values_below() {
    let locked = |key: &str| json!({"tag_key": {"@@assign": key, "@@operators_allowed_for_child_policies": ["@@none"]}});
    let above = json!({"tags": {"CostCenter": locked("CostCenter"), "Project": locked("Project")}});
    let below = json!({"tags": {
        "CostCenter": {"tag_value": {"@@assign": ["Production", "Test"]}}, "Project": {"tag_value": {"@@assign": ["A", "B"]}}
    }});
    let expected = json!({"tags": {
        "costcenter": {"tag_key": "CostCenter", "tag_value": ["Production", "Test"]},
        "project": {"tag_key": "Project", "tag_value": ["A", "B"]}
    }});
    assert_eq!(tags(&[&[above], &[], &[below]]), expected);
}

#[test]
fn what_was_locked_once_no_child_unlocks() {
    let locked = json!({"tags": {"a": {"tag_value": {"@@assign": ["1"], "@@operators_allowed_for_child_policies": ["@@none"]}}}});
    let unlocking = json!({"tags": {"a": {"tag_value": {"@@operators_allowed_for_child_policies": ["@@all"]}}}});
    let child = json!({"tags": {"a": {"tag_value": {"@@assign": ["2"]}}}});
    assert_eq!(tags(&[&[locked], &[unlocking], &[child]]), json!({"tags": {"a": {"tag_value": ["1"]}}}));
}

fn opt_outs(levels: &[&[Value]]) -> Value {
    effective(PolicyType::AiservicesOptOutPolicy, levels)
}

#[test]
fn all_services_are_opted_out_of_and_no_child_adds_one() {
    let all = json!({"services": {
        "@@operators_allowed_for_child_policies": ["@@none"],
        "default": {
            "@@operators_allowed_for_child_policies": ["@@none"],
            "opt_out_policy": {"@@operators_allowed_for_child_policies": ["@@none"], "@@assign": "optOut"}
        }
    }});
    let child =
        json!({"services": {"lex": {"opt_out_policy": {"@@assign": "optIn"}}, "default": {"opt_out_policy": {"@@assign": "optIn"}}}});
    assert_eq!(opt_outs(&[&[all], &[child]]), json!({"services": {"default": {"opt_out_policy": "optOut"}}}));
}

#[test]
fn a_default_stays_and_a_child_adds_one_service() {
    let parent = json!({"services": {"default": {
        "@@operators_allowed_for_child_policies": ["@@none"],
        "opt_out_policy": {"@@operators_allowed_for_child_policies": ["@@none"], "@@assign": "optOut"}
    }}});
    let child = json!({"services": {"lex": {"opt_out_policy": {"@@assign": "optIn"}}}});
    let expected = json!({"services": {"default": {"opt_out_policy": "optOut"}, "lex": {"opt_out_policy": "optIn"}}});
    assert_eq!(opt_outs(&[&[parent], &[child]]), expected);
}

fn plan(regions: Value) -> Value {
    json!({
        "regions": regions,
        "rules": {"Hourly": {
            "schedule_expression": {"@@assign": "cron(0 0/1 ? * * *)"},
            "start_backup_window_minutes": {"@@assign": "60"},
            "target_backup_vault_name": {"@@assign": "FortKnox"},
            "copy_actions": {"arn:aws:backup:us-east-1:$account:backup-vault:T2": {
                "target_backup_vault_arn": {"@@assign": "arn:aws:backup:us-east-1:$account:backup-vault:T2"}
            }}
        }}
    })
}

fn backups(levels: &[&[Value]]) -> Value {
    effective(PolicyType::BackupPolicy, levels)
}

#[test]
fn plans_of_parent_and_child_stand_side_by_side() {
    let parent = json!({"plans": {"PII_Backup_Plan": plan(json!({"@@append": ["us-east-1", "eu-north-1"]}))}});
    let child = json!({"plans": {"Monthly_Backup_Plan": {"regions": {"@@append": ["us-east-1", "eu-central-1"]}}}});
    let merged = backups(&[&[parent], &[child]]);
    assert_eq!(merged["plans"]["PII_Backup_Plan"]["regions"], json!(["us-east-1", "eu-north-1"]));
    assert_eq!(merged["plans"]["Monthly_Backup_Plan"]["regions"], json!(["us-east-1", "eu-central-1"]));
}

#[test]
fn a_child_overrides_settings_of_a_plan_and_leaves_the_rest() {
    let parent = json!({"plans": {"PII_Backup_Plan": plan(json!({"@@append": ["us-east-1"]}))}});
    let child = json!({"plans": {"PII_Backup_Plan": {
        "regions": {"@@assign": ["us-west-2", "eu-central-1"]},
        "rules": {"hourly": {"start_backup_window_minutes": {"@@assign": "80"}, "target_backup_vault_name": {"@@assign": "Default"}}}
    }}});
    let expected = json!({"plans": {"PII_Backup_Plan": {
        "regions": ["us-west-2", "eu-central-1"],
        "rules": {"hourly": {
            "schedule_expression": "cron(0 0/1 ? * * *)",
            "start_backup_window_minutes": "80",
            "target_backup_vault_name": "Default",
            "copy_actions": {"arn:aws:backup:us-east-1:$account:backup-vault:t2": {
                "target_backup_vault_arn": "arn:aws:backup:us-east-1:$account:backup-vault:T2"
            }}
        }}
    }}});
    assert_eq!(backups(&[&[parent], &[child]]), expected);
}

#[test]
fn a_parent_lets_plans_be_added_and_its_own_not_be_changed() {
    let mut own = plan(json!({"@@append": ["us-east-1"], "@@operators_allowed_for_child_policies": ["@@none"]}));
    own["@@operators_allowed_for_child_policies"] = json!(["@@none"]);
    let parent = json!({"plans": {"@@operators_allowed_for_child_policies": ["@@append"], "PII_Backup_Plan": own}});
    let child = json!({"plans": {
        "PII_Backup_Plan": {"regions": {"@@assign": ["us-west-2"]}, "backup_plan_tags": {"x": {"tag_key": {"@@assign": "x"}}}},
        "MonthlyBackupPlan": {"regions": {"@@assign": ["us-west-2"]}}
    }});
    let merged = backups(&[&[parent], &[child]]);
    assert_eq!(merged["plans"]["PII_Backup_Plan"]["regions"], json!(["us-east-1"]));
    assert_eq!(merged["plans"]["PII_Backup_Plan"]["backup_plan_tags"], Value::Null);
    assert_eq!(merged["plans"]["MonthlyBackupPlan"]["regions"], json!(["us-west-2"]));
}

#[test]
fn an_empty_list_that_was_assigned_is_shown() {
    let policy = json!({"securityhub": {"enable_in_regions": {"@@assign": ["ALL_SUPPORTED"]}, "disable_in_regions": {"@@assign": []}}});
    let expected = json!({"securityhub": {"enable_in_regions": ["ALL_SUPPORTED"], "disable_in_regions": []}});
    assert_eq!(effective(PolicyType::SecurityhubPolicy, &[&[policy]]), expected);
}

#[test]
fn nothing_attached_makes_nothing() {
    assert_eq!(tags(&[&[], &[]]), Value::Null);
}
