use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::compiled::Compiled;
use crate::document::{Document, Kind};
use crate::facts::Nothing;
use crate::set::Source;

fn set(kind: Kind, documents: &[(&str, &str)]) -> PolicySet {
    let one = |(source, text): &(&str, &str)| (Source::new(*source), Arc::new(Compiled::new(&Document::parse(text).unwrap(), kind)));
    PolicySet::new(kind, documents.iter().map(one))
}

#[test]
fn an_explanation_tells_it_whole() {
    let identity = set(
        Kind::Identity,
        &[
            (
                "arn:aws:iam::111122223333:policy/p",
                "{\"Statement\": [\n  {\"Sid\": \"Read\", \"Effect\": \"Allow\", \"Action\": [\"s3:Get*\", \"s3:*\"], \"Resource\": \"*\"},\n  {\"Effect\": \"Allow\", \"Action\": \"s3:GetObject\", \"Resource\": \"*\", \"Condition\": {\"Bool\": {\"aws:SecureTransport\": \"true\"}}}]}",
            ),
            ("inline policy q of user alice", r#"{"Statement": {"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}}"#),
        ],
    );
    let boundary = set(Kind::Boundary, &[("a boundary", r#"{"Statement": []}"#)]);
    let levels = [Arc::new(set(Kind::ServiceControl, &[])), Arc::new(set(Kind::ServiceControl, &[]))];
    let principal = Principal::from_arn("arn:aws:iam::111122223333:user/alice").unwrap();
    let request = Request {
        principal: &principal,
        action: "s3:GetObject",
        resource: "arn:aws:s3:::b/a*?$k",
        resource_account: None,
        facts: &Nothing,
    };
    let policies = Policies { boundary: Some(&boundary), service_control: &levels, ..Policies::of(&identity) };
    let statement = json!({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/a${*}${?}${$}k"});
    let wanted = json!({
        "outcome": "ImplicitlyDenied",
        "because": "serviceControl",
        "kinds": [
            {"kind": "identity", "result": "Allowed"},
            {"kind": "boundary", "result": "ImplicitlyDenied"},
            {"kind": "serviceControl", "level": 0, "result": "ImplicitlyDenied"},
            {"kind": "serviceControl", "level": 1, "result": "ImplicitlyDenied"},
        ],
        "policies": [
            {"kind": "identity", "source": "arn:aws:iam::111122223333:policy/p"},
            {"kind": "identity", "source": "inline policy q of user alice"},
            {"kind": "boundary", "source": "a boundary"},
        ],
        "statements": [{
            "kind": "identity", "source": "arn:aws:iam::111122223333:policy/p", "index": 0, "sid": "Read", "effect": "Allow",
            "line": 2, "column": 3, "endLine": 2, "endColumn": 85,
        }],
        "lacking": "serviceControl",
        "suggestions": [
            {"kind": "serviceControl", "level": 0, "statement": statement},
            {"kind": "serviceControl", "level": 1, "statement": statement},
            {"kind": "boundary", "statement": statement},
        ],
        "missingKeys": ["aws:SecureTransport"],
    });
    assert_eq!(serde_json::to_value(explain(&request, &policies)).unwrap(), wanted);
}

#[test]
fn where_the_language_has_no_words_for_a_request_nothing_is_suggested() {
    let identity = PolicySet::empty(Kind::Identity);
    let principal = Principal::from_arn("arn:aws:iam::111122223333:user/alice").unwrap();
    for (action, resource) in
        [("s3:*", "arn:aws:s3:::b"), ("GetObject", "*"), ("s3:GetObject", "thing"), ("s3:GetObject", "arn:aws:s3:*::b")]
    {
        let request = Request { principal: &principal, action, resource, resource_account: None, facts: &Nothing };
        let explanation = explain(&request, &Policies::of(&identity));
        assert_eq!(explanation.suggestions, [Suggestion { kind: Because::Identity, level: None, statement: None }], "{action} {resource}");
    }
}

#[test]
fn who_is_allowed_lacks_nothing() {
    let identity = set(Kind::Identity, &[("p", r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#)]);
    let principal = Principal::from_arn("arn:aws:iam::111122223333:user/alice").unwrap();
    let request = Request { principal: &principal, action: "s3:GetObject", resource: "*", resource_account: None, facts: &Nothing };
    let explanation = explain(&request, &Policies::of(&identity));
    assert_eq!((explanation.outcome, explanation.lacking, explanation.suggestions.len()), (Outcome::Allowed, None, 0));
}
