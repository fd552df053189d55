//! Whatever bytes come, nothing panics, nothing runs away, and what is answered is well formed. Two seconds a target; longer by
//! `BOLERO_RANDOM_TEST_TIME_MS=60000 cargo test -p policy --test fuzz`, or with coverage by `cargo bolero test -p policy TARGET`.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::sync::Arc;
use std::time::Duration;

use policy::{Compiled, Context, Document, Kind, Policies, PolicySet, Principal, Request, Source, decide, explain};

const TIME: Duration = Duration::from_secs(2);

/// What mutation begins from: every element of the language once.
const SEEDS: [&str; 5] = [
    r#"{"Version":"2012-10-17","Id":"x","Statement":[{"Sid":"a","Effect":"Allow","Action":["s3:Get*","*"],"Resource":["arn:aws:s3:::b/${aws:username, 'x'}/*","*"]}]}"#,
    r#"{"Statement":{"Effect":"Deny","NotAction":"iam:*","NotResource":"arn:aws:*","Condition":{"ForAllValues:StringLikeIfExists":{"aws:TagKeys":["a*",1,true]}}}}"#,
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["111122223333","arn:aws:iam::111122223333:role/r"],"Service":"a.b"},"Action":"sts:AssumeRole"}]}"#,
    r#"{"Version":"2008-10-17","Statement":[{"Effect":"Allow","NotPrincipal":"*","Action":"a:b","Resource":"*","Condition":{"DateLessThan":{"aws:CurrentTime":"2026-01-01T00:00:00.5+01:00"},"IpAddress":{"aws:SourceIp":"::1/64"},"BinaryEquals":{"k:b":"QQ=="}}}]}"#,
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"ArnLike":{"aws:SourceArn":"arn:*:s?:${a:b}:*:x"},"NumericLessThan":{"n:n":"1.50"},"Null":{"a:b":"false"},"Bool":{"b:b":"true"}}}]}"#,
];

const LINE: &str = r#"{"name":"n","request":{"principal":"arn:aws:iam::111122223333:user/a","action":"s3:GetObject","resource":"arn:aws:s3:::b/k","resourceAccount":"111122223333","context":{"aws:username":"a","aws:TagKeys":["a",1]}},"policies":{"identity":[DOC],"permissionsBoundary":[DOC],"session":null,"resource":DOC,"endpoint":[],"serviceControl":[[DOC],[]],"resourceControl":[[DOC]]}}"#;

/// Pieces that bring a text further than random bytes do.
const PIECES: [&str; 16] = [
    "${",
    "}",
    "*",
    "?",
    ":",
    "\"",
    "\\u0000",
    "{}",
    "[]",
    ",",
    "Not",
    "IfExists",
    "arn:",
    "\\ud83d\\ude00",
    "é",
    "9999999999999999999999",
];

/// A text with some of its bytes replaced, taken out, or followed by a piece.
fn mutated(seed: &str, changes: &[(u16, u8, u8)]) -> Vec<u8> {
    let mut bytes = seed.as_bytes().to_vec();
    for (at, how, with) in changes {
        let at = usize::from(*at) % (bytes.len() + 1);
        match how % 4 {
            0 if at < bytes.len() => bytes.splice(at..=at, [*with]).for_each(drop),
            1 if at < bytes.len() => bytes.splice(at..=at, []).for_each(drop),
            2 => bytes.splice(at..at, [*with]).for_each(drop),
            _ => bytes.splice(at..at, PIECES.iter().cycle().nth(usize::from(*with)).unwrap().bytes()).for_each(drop),
        }
    }
    bytes
}

/// Uses a document in every way.
fn use_it(text: &str) {
    let document = match Document::parse(text) {
        Ok(document) => document,
        Err(error) => {
            let lines = u32::try_from(text.matches('\n').count()).unwrap() + 1;
            assert!(!error.what().is_empty() && (1..=lines).contains(&error.place().line) && error.place().column >= 1, "{error}");
            return;
        }
    };
    assert_eq!(document.text(), text);
    assert!(document.size() <= text.chars().count());
    let _ = (document.context_keys(), document.principals().count());
    let principal = Principal::from_arn("arn:aws:sts::111122223333:assumed-role/r/s").unwrap();
    let mut facts = Context::new();
    facts.insert("aws:username", "a");
    facts.insert_many("aws:TagKeys", ["a", "b"]);
    for kind in [
        Kind::Identity,
        Kind::Boundary,
        Kind::Session,
        Kind::Trust,
        Kind::Resource,
        Kind::Endpoint,
        Kind::ServiceControl,
        Kind::ResourceControl,
    ] {
        let _ = document.validate(kind);
        let set = PolicySet::new(kind, [(Source::new("p"), Arc::new(Compiled::new(&document, kind)))]);
        for resource in ["*", "arn:aws:s3:::b/a/k", "arn:aws:iam::111122223333:role/r", "", "arn:", "é"] {
            let request = Request { principal: &principal, action: "s3:GetObject", resource, resource_account: None, facts: &facts };
            let policies = Policies { resource: Some(&set), boundary: Some(&set), ..Policies::of(&set) };
            assert_eq!(decide(&request, &policies).outcome, explain(&request, &policies).outcome);
        }
    }
}

#[test]
fn no_document_breaks_the_engine() {
    bolero::check!().with_type::<(u8, Vec<(u16, u8, u8)>)>().with_test_time(TIME).for_each(|(seed, changes)| {
        let seed = SEEDS.iter().cycle().nth(usize::from(*seed)).unwrap();
        let changes = changes.iter().take(8).copied().collect::<Vec<_>>();
        use_it(&String::from_utf8_lossy(&mutated(seed, &changes)));
    });
}

#[test]
fn no_text_breaks_the_reader() {
    bolero::check!().with_type::<Vec<u8>>().with_test_time(TIME).for_each(|bytes| use_it(&String::from_utf8_lossy(bytes)));
}

#[test]
fn every_line_has_one_well_formed_answer() {
    bolero::check!().with_type::<(u8, Vec<(u16, u8, u8)>)>().with_test_time(TIME).for_each(|(seed, changes)| {
        let changes = changes.iter().take(8).copied().collect::<Vec<_>>();
        let line = LINE.replace("DOC", SEEDS.iter().cycle().nth(usize::from(*seed)).unwrap());
        let Some(answer) = policy::evaluate::line(1, &mutated(&line, &changes)) else { return };
        assert!(!answer.text.contains('\n'));
        let value: serde_json::Value = serde_json::from_str(&answer.text).unwrap();
        let has = |key: &str| value.get(key).is_some();
        assert!(has("name") && has("error") == answer.is_bad && has("decision") != answer.is_bad && has("explanation") != answer.is_bad);
    });
}

#[test]
fn the_seeds_are_documents_and_the_line_is_a_case() {
    for seed in SEEDS {
        use_it(seed);
        assert!(Document::parse(seed).is_ok());
        assert!(!policy::evaluate::line(1, LINE.replace("DOC", seed).as_bytes()).unwrap().is_bad);
    }
}

#[test]
fn what_is_long_or_deep_is_answered_soon() {
    let begun = std::time::Instant::now();
    let deep = format!("{}{}", r#"{"Statement":"#.repeat(200_000), "}".repeat(200_000));
    assert!(Document::parse(&deep).is_err());
    let wide = format!(r#"{{"Statement":[{}]}}"#, vec![r#"{"Effect":"Deny","Action":"a:b","Resource":"*"}"#; 20_000].join(","));
    use_it(&wide);
    let keys: Vec<String> = (0..50_000).map(|at| format!(r#""k{at}:x":"v""#)).collect();
    use_it(&format!(
        r#"{{"Statement":{{"Effect":"Allow","Action":"*","Resource":"*","Condition":{{"StringEquals":{{{}}}}}}}}}"#,
        keys.join(",")
    ));
    let (actions, resources): (Vec<String>, Vec<String>) =
        (0..2_000).map(|at| (format!("\"s3:Get{at}*\""), format!("\"arn:aws:s3:::b/*{at}*\""))).unzip();
    let pairs = format!(r#"{{"Statement":{{"Effect":"Allow","Action":[{}],"Resource":[{}]}}}}"#, actions.join(","), resources.join(","));
    use_it(&pairs);
    let stars = "a*".repeat(5_000);
    use_it(&format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"s3:{stars}","Resource":"arn:aws:s3:::{stars}"}}}}"#
    ));
    assert!(policy::evaluate::line(1, &vec![b'['; 10_000_000]).unwrap().is_bad);
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
}
