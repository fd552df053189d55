//! Decisions as tables: every file of `tests/cases` is one rule of AWS, every case in it a sentence that has to be true.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

mod table;

use std::path::Path;

use table::{File, check};

#[test]
fn every_case_of_every_rule_is_decided_as_it_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let (mut count, mut wrong) = (0, Vec::new());
    for path in paths {
        let rule = path.file_stem().unwrap().to_string_lossy().into_owned();
        let file: File = toml::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap_or_else(|error| panic!("{rule}: {error}"));
        file.are_names_unique().unwrap_or_else(|name| panic!("{rule}: two cases are named {name:?}"));
        for case in &file.case {
            count += 1;
            if let Err(error) = check(&file, case) {
                wrong.push(format!("{rule}: {}: {error}", case.name));
            }
        }
    }
    println!("{count} cases");
    assert!(wrong.is_empty(), "{} of {count} cases:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count >= 250, "only {count} cases were found");
}
