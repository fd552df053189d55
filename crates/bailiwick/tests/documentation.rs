//! docs/configuration.md and the table of keys say the same.
#![expect(clippy::unwrap_used, reason = "a test")]
use std::{fs, path::Path};

use bailiwick::config::keys::{KEYS, Key};

/// The row of a key, as the page must have it.
fn row(key: &Key) -> String {
    let name = if key.in_file() { format!("`{}`", key.name) } else { "–".to_owned() };
    let option = key.option().map_or_else(|| "–".to_owned(), |option| format!("`--{option}`"));
    let default = key.default.map_or_else(|| "–".to_owned(), |default| format!("`{default}`"));
    format!("| {name} | {option} | `{}` | {default} | {} |", key.variable(), key.help)
}

#[test]
fn every_key_is_on_the_page_and_no_other() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md")).unwrap();
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| ") && line.contains("`BAILIWICK_")).collect();
    let expected: Vec<String> = KEYS.iter().map(|key| row(key)).collect();
    assert!(rows == expected, "the table of docs/configuration.md must be:\n{}", expected.join("\n"));
}
