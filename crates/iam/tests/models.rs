//! Every operation of IAM that there is, against AWS's model.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

mod model;

use model::Model;
use operation::Api;
use wire::{Field, Kind, Matcher, Member, Protocol, TextRules, bad_patterns};

const IAM: &str = include_str!("botocore_iam.json");

#[test]
fn every_operation_is_as_awss_model_says() {
    let api = Api::of(iam::FAMILIES);
    assert!(!api.operations.is_empty());
    let differences = Model::read(IAM).differences(&api);
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}

#[test]
fn every_pattern_can_be_decided() {
    let operations = Api::of(iam::FAMILIES).operations;
    let bad: Vec<_> = operations.iter().flat_map(|operation| bad_patterns(operation.members)).collect();
    assert!(bad.is_empty(), "{bad:?}");
}

/// A member that is asked of nobody.
const fn field(name: &'static str, required: bool, kind: Kind) -> Member {
    Member::Named(Field { name, required, length: (0, usize::MAX), kind })
}

const TWO_X: &TextRules = &TextRules { min: 2, max: usize::MAX, pattern: "x", matcher: Matcher::Any, quiet: false, says: "" };

/// Inputs and outputs that are none of AWS's.
const WRONG: &[(&str, &[Member], Kind)] = &[
    ("DeleteUser", &[field("UserName", false, Kind::Text(TWO_X)), field("Surplus", true, Kind::Bool)], Kind::Struct("Answer", &[])),
    ("GetUser", &[field("UserName", false, Kind::List(&Kind::Bool))], Kind::Nothing),
    (
        "ListAccessKeys",
        &[],
        Kind::Struct(
            "Answer",
            &[field("AccessKeyMetadata", false, Kind::List(&Kind::Struct("Key", &[field("Status", true, Kind::Bool)])))],
        ),
    ),
    (
        "UpdateAccessKey",
        &[field("Status", true, Kind::Choice(&["Active"])), field("Status", true, Kind::Choice(&["Active"]))],
        Kind::Nothing,
    ),
    ("ListUsers", &[field("MaxItems", false, Kind::Number { min: 0, max: 1000 })], Kind::Struct("Answer", &[])),
];

/// The comparison itself: what differs is told.
#[test]
fn whatever_differs_is_found() {
    let mut api = Api::of(iam::FAMILIES);
    for (name, members, output) in WRONG {
        let operation = api.operations.iter_mut().find(|operation| operation.name == *name).unwrap();
        (operation.members, operation.output) = (members, *output);
    }
    let twice = Api::of(&[iam::FAMILIES[0]]).operations.pop().unwrap();
    let mut surplus = Api::of(&[iam::FAMILIES[0]]).operations.pop().unwrap();
    surplus.name = "MakeUser";
    api.operations.extend([twice, surplus]);
    (api.prefix, api.protocol) = ("sts", Protocol::Query { version: "2011-06-15", namespace: "elsewhere", repeats: true });
    let told = Model::read(IAM).differences(&api);
    for expected in [
        "sts has service \"sts\" where the model has \"iam\"",
        "sts has version \"2011-06-15\" where the model has \"2010-05-08\"",
        "sts has namespace \"elsewhere\"",
        "MakeUser is no operation of the model",
        "UpdateUser is registered twice",
        "DeleteUser has members {\"Surplus\"}",
        "DeleteUser.UserName has required false",
        "DeleteUser.UserName has pattern \"x\"",
        "DeleteUser.UserName has min 2",
        "DeleteUser.UserName has max 18446744073709551615",
        "DeleteUser answers something",
        "GetUser.UserName has type \"list\"",
        "GetUser answers no structure",
        "ListAccessKeys has members {} where the model has {\"Marker\", \"MaxItems\", \"UserName\"}",
        "ListAccessKeys has members {} where the model has {\"IsTruncated\", \"Marker\"}",
        "ListAccessKeys.AccessKeyMetadata[].Status has type \"boolean\" where the model has \"string\"",
        "UpdateAccessKey has a member twice",
        "UpdateAccessKey.Status has choices {\"Active\"}",
        "ListUsers.MaxItems has min 0 where the model has 1",
    ] {
        assert!(told.iter().any(|told| told.starts_with(expected)), "not told: {expected}\n{}", told.join("\n"));
    }
}
