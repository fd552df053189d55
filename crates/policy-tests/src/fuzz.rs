//! Whatever a file holds, reading it ends, and says where it is wrong. Two seconds a target, longer by `make fuzz`.

use std::path::Path;
use std::time::Duration;

use crate::file::{Content, Files};
use crate::node::{Node, Wrong};
use crate::yaml;

const TIME: Duration = Duration::from_secs(2);

/// Every member of a file of cases once, and every form that YAML gives to a value.
const SEED: &str = r#"policies: {all: &all {Version: 2012-10-17, Statement: {Effect: Allow, Action: "*", Resource: "*"}}, again: *all}
defaults:
  request: {principal: "arn:aws:iam::111122223333:user/a", resource: "*", context: {aws:SourceIp: 192.0.2.1}}
  policies: {identity: all}
cases:
  - name: |
      literal
    request: {action: [s3:GetObject, "s3:PutObject"], resourceAccount: "111122223333", context: {aws:SourceIp: null, aws:TagKeys: [a, 1, true]}}
    policies: {identity: [all, again], permissionsBoundary: all, session: [], resource: all, endpoint: [], serviceControl: [[all], all], resourceControl: []}
    expect: {decision: Allowed, because: identity, statement: x}
  - {name: 'n', request: {action: sts:AssumeRole, resource: "arn:aws:iam::111122223333:role/r"}, expect: Denied}
"#;

/// Pieces that bring a text further than random bytes do.
const PIECES: [&str; 14] = ["*all", "&all", "- ", ": ", "{", "}", "[", "]", "|\n", "\"", "!t ", "\n", "  ", "? "];

fn mutated(changes: &[(u16, u8, u8)]) -> String {
    let mut bytes = SEED.as_bytes().to_vec();
    for (at, how, with) in changes {
        let at = usize::from(*at) % (bytes.len() + 1);
        match how % 4 {
            0 if at < bytes.len() => bytes.splice(at..=at, [*with]).for_each(drop),
            1 if at < bytes.len() => bytes.splice(at..=at, []).for_each(drop),
            2 => bytes.splice(at..at, [*with]).for_each(drop),
            _ => bytes.splice(at..at, PIECES.iter().cycle().nth(usize::from(*with)).unwrap().bytes()).for_each(drop),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn use_it(text: &str) {
    let is_place = |wrong: &Wrong| wrong.place.line >= 1 && wrong.place.column >= 1 && !wrong.what.is_empty();
    for node in [yaml::read(text), Node::json(text)] {
        match node {
            Err(wrong) => assert!(is_place(&wrong), "{wrong:?}"),
            Ok(node) => {
                let path = Path::new("/nowhere/x.yaml");
                match Files::new(|_| None).read(node, path) {
                    Ok(Content::Cases(cases)) => cases.iter().for_each(|case| drop(case.judge())),
                    Ok(Content::Material) => {}
                    Err(bad) => assert!(bad.place.is_some() && !bad.what.is_empty(), "{bad}"),
                }
            }
        }
    }
}

#[test]
fn the_seed_is_a_file_of_cases() {
    let content = Files::new(|_| None).read(yaml::read(SEED).unwrap(), Path::new("/nowhere/x.yaml"));
    assert!(matches!(content, Ok(Content::Cases(cases)) if cases.len() == 3));
}

#[test]
fn reading_any_bytes_ends() {
    bolero::check!().with_type::<Vec<u8>>().with_test_time(TIME).for_each(|bytes| use_it(&String::from_utf8_lossy(bytes)));
}

#[test]
fn reading_any_changed_file_ends() {
    bolero::check!().with_type::<Vec<(u16, u8, u8)>>().with_test_time(TIME).for_each(|changes| {
        use_it(&mutated(&changes.iter().take(8).copied().collect::<Vec<_>>()));
    });
}
