use super::*;
use crate::compiled::Compiled;
use crate::document::{Document, Kind};

fn compiled(action: &str, resource: &str) -> Compiled {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":{action},"Resource":{resource}}}}}"#);
    Compiled::new(&Document::parse(&text).unwrap(), Kind::Identity)
}

/// Which statements are looked at for a request.
fn seen(documents: &[Compiled], action: &str, resource: &str) -> Vec<u32> {
    let index = Index::new(documents.iter().flat_map(|document| &document.rules));
    let mut seen = Vec::new();
    index.find(action, &Target::new(resource), &mut |entry| {
        seen.push(entry.rule);
        ControlFlow::Continue(())
    });
    seen
}

#[test]
fn statements_that_name_other_things_are_not_looked_at() {
    type Other = fn(usize) -> (String, String);
    let shapes: [(&str, Other); 8] = [
        ("other actions", |at| (format!("\"service{at}:Do{at}\""), "\"*\"".into())),
        ("other actions of the service", |at| (format!("\"s3:Do{at}\""), "\"*\"".into())),
        ("other resources", |at| ("\"s3:GetObject\"".into(), format!("\"arn:aws:s3:::bucket-{at}/*\""))),
        ("other resources, all actions", |at| ("\"*\"".into(), format!("\"arn:aws:s3:::bucket-{at}/*\""))),
        ("other resources, some actions", |at| ("\"s3:Get*\"".into(), format!("\"arn:aws:s3:::bucket-{at}\""))),
        ("other resources of any account", |at| ("\"s3:*\"".into(), format!("\"arn:aws:s3:*:*:bucket-{at}/*\""))),
        ("other accounts", |at| ("\"s3:*\"".into(), format!("\"arn:aws:s3:us-east-1:{:012}:reports/*\"", at + 7))),
        ("other accounts of any region", |at| ("\"s3:*\"".into(), format!("\"arn:aws:s3:*:{:012}:*\"", at + 7))),
    ];
    for (name, other) in shapes {
        let mut documents: Vec<_> = (0..1_000).map(other).map(|(action, resource)| compiled(&action, &resource)).collect();
        documents.push(compiled("\"s3:GetObject\"", "\"arn:aws:s3:::reports/*\""));
        assert_eq!(seen(&documents, "S3:getobject", "arn:aws:s3:::reports/q1.csv"), [1_000], "{name}");
    }
}

#[test]
fn what_names_the_request_in_any_way_is_looked_at() {
    let actions = ["\"*\"", "\"s3:*\"", "\"s3:getobject\"", "\"S3:Get*\"", "\"s3:*Object\"", "\"s3:?etObject\""];
    let resources = [
        "\"*\"",
        "\"arn:aws:s3:::b/k\"",
        "\"arn:aws:s3:::b/*\"",
        "\"arn:AWS:S3:::b/k\"",
        "\"arn:*:s3:::b/k\"",
        "\"arn:aws:s3:*::b/k\"",
        "\"arn:aws:s3::*:b/k\"",
        "\"arn:aws:s3:::*k\"",
        "\"arn:aws:s3:::${aws:username}/k\"",
        "\"arn:aws:s3\"",
        "\"arn:*\"",
    ];
    for action in actions {
        for resource in resources {
            assert_eq!(seen(&[compiled(action, resource)], "s3:GetObject", "arn:aws:s3:::b/k"), [0], "{action} {resource}");
        }
    }
}

#[test]
fn a_statement_of_many_pairs_is_found_by_its_actions() {
    let list = |text: fn(usize) -> String| format!("[{}]", (0..40).map(text).collect::<Vec<_>>().join(","));
    let document = [compiled(&list(|at| format!("\"s3:Do{at}\"")), &list(|at| format!("\"arn:aws:s3:::bucket-{at}/*\"")))];
    assert_eq!(seen(&document, "s3:Do7", "arn:aws:s3:::bucket-39/k"), [0]);
    assert!(seen(&document, "s3:Do7", "arn:aws:s3:::other/k").is_empty());
    assert!(seen(&document, "s3:Do77", "arn:aws:s3:::bucket-39/k").is_empty());
    let index = Index::new(document.iter().flat_map(|document| &document.rules));
    assert!(index.entries.len() == 40, "{}", index.entries.len());
}

#[test]
fn an_empty_set_finds_nothing() {
    assert!(seen(&[], "s3:GetObject", "*").is_empty());
    assert!(seen(&[compiled("\"s3:*\"", "[]")], "s3:GetObject", "*").is_empty());
}
