//! Every operation of Account Management that there is, against AWS's model: the comparison is the one beside IAM's.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

#[path = "../../iam/tests/model/mod.rs"]
mod model;

use operation::Api;
use std::collections::BTreeSet;

#[test]
fn every_operation_is_as_awss_model_says() {
    let api = Api::of(account::FAMILIES);
    assert!(!api.operations.is_empty());
    let differences = model::Model::read(include_str!("botocore_account.json")).differences(&api);
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}

#[test]
fn there_is_every_operation_of_the_model() {
    let model: serde_json::Value = serde_json::from_str(include_str!("botocore_account.json")).unwrap();
    let ours: BTreeSet<&str> = Api::of(account::FAMILIES).operations.iter().map(|operation| operation.name).collect();
    let theirs: BTreeSet<&str> = model["operations"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(&theirs - &ours, BTreeSet::new());
}

#[test]
fn every_pattern_can_be_decided() {
    let operations = Api::of(account::FAMILIES).operations;
    let bad: Vec<_> = operations.iter().flat_map(|operation| wire::bad_patterns(operation.members)).collect();
    assert!(bad.is_empty(), "{bad:?}");
}
