//! What the pages say of the code is so: keys of the configuration, names of tests.
#![expect(clippy::unwrap_used, reason = "a test")]
use std::{
    fs,
    path::{Path, PathBuf},
};

use bailiwick::config::keys::{KEYS, Key};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The row of a key, as the page must have it.
fn row(key: &Key) -> String {
    let name = if key.in_file() { format!("`{}`", key.name) } else { "–".to_owned() };
    let option = key.option().map_or_else(|| "–".to_owned(), |option| format!("`--{option}`"));
    let default = key.default.map_or_else(|| "–".to_owned(), |default| format!("`{default}`"));
    format!("| {name} | {option} | `{}` | {default} | {} |", key.variable(), key.help)
}

#[test]
fn every_key_is_on_the_page_and_no_other() {
    let page = fs::read_to_string(root().join("docs/configuration.md")).unwrap();
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| ") && line.contains("`BAILIWICK_")).collect();
    let expected: Vec<String> = KEYS.iter().map(|key| row(key)).collect();
    assert!(rows == expected, "the table of docs/configuration.md must be:\n{}", expected.join("\n"));
}

/// All Rust and Python files below a folder, with their texts.
fn sources(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs" || extension == "py") {
            let text = fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
}

#[test]
fn every_test_that_security_names_exists() {
    let mut files = Vec::new();
    sources(&root().join("crates"), &mut files);
    sources(&root().join("tests"), &mut files);
    let page = fs::read_to_string(root().join("SECURITY.md")).unwrap();
    let rows = page.lines().skip_while(|line| !line.starts_with("| class |")).skip(2).take_while(|line| line.starts_with("| "));
    let mut named = 0;
    for row in rows {
        let last = row.trim_end_matches([' ', '|']).rsplit(" | ").next().unwrap();
        let names: Vec<&str> = last.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "a row without a test: {row}");
        for name in names {
            let exists = files.iter().any(|(path, text)| match name.rsplit_once('.') {
                Some((_, "rs" | "py")) => path.ends_with(name),
                _ => text.contains(&format!("fn {name}(")) || text.contains(&format!("def {name}(")),
            });
            assert!(exists, "{name} is not in the tree: {row}");
            named += 1;
        }
    }
    assert!(named > 10, "the table was found");
}
