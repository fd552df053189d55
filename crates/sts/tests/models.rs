//! Every operation of STS that there is, against AWS's model: facts and comparison are those beside IAM's.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

#[path = "../../iam/tests/model/mod.rs"]
mod model;

use operation::Api;

#[test]
fn every_operation_is_as_awss_model_says() {
    let api = Api::of(sts::FAMILIES);
    assert!(!api.operations.is_empty());
    let model = model::Model::read(include_str!("../../iam/tests/botocore_sts.json"));
    let differences = model.differences(&api);
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}

#[test]
fn every_pattern_can_be_decided() {
    let operations = Api::of(sts::FAMILIES).operations;
    let bad: Vec<_> = operations.iter().flat_map(|operation| wire::bad_patterns(operation.members)).collect();
    assert!(bad.is_empty(), "{bad:?}");
}
