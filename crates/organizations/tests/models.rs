//! Every operation of Organizations that there is, against AWS's model: the comparison is the one beside IAM's.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

#[path = "../../iam/tests/model/mod.rs"]
mod model;

use operation::Api;
use std::collections::BTreeSet;

/// What a handshake tells nests in AWS's model without end. It nests once, there too.
const NESTS_ONCE: &str = "Resources[].Resources[] has members {} where the model has {\"Resources\"}";

/// Tags are one type for all services; it takes the same texts, and Organizations repeats no pattern.
const SAME_TAGS: &str = " where the model has \"^([\\\\p{L}\\\\p{Z}\\\\p{N}_.:/=+\\\\-@]*)$\"";

#[test]
fn every_operation_is_as_awss_model_says() {
    let api = Api::of(organizations::FAMILIES);
    assert!(!api.operations.is_empty());
    let model = model::Model::read(include_str!("botocore_organizations.json"));
    let differences: Vec<_> =
        model.differences(&api).into_iter().filter(|told| !told.ends_with(NESTS_ONCE) && !told.ends_with(SAME_TAGS)).collect();
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}

#[test]
fn there_is_every_operation_of_the_model() {
    let model: serde_json::Value = serde_json::from_str(include_str!("botocore_organizations.json")).unwrap();
    let ours: BTreeSet<&str> = Api::of(organizations::FAMILIES).operations.iter().map(|operation| operation.name).collect();
    let theirs: BTreeSet<&str> = model["operations"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(ours, theirs);
}

#[test]
fn every_pattern_can_be_decided() {
    let operations = Api::of(organizations::FAMILIES).operations;
    let bad: Vec<_> = operations.iter().flat_map(|operation| wire::bad_patterns(operation.members)).collect();
    assert!(bad.is_empty(), "{bad:?}");
}
