//! The house has floors: a crate may use what lies below it, or beside it where the table says so, and never what lies above.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test")]
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

/// Every crate, with its floor.
const FLOORS: &[(&str, u8)] = &[
    ("arn", 1),
    ("services", 1),
    ("policy", 1),
    ("sigv4", 1),
    ("wire-derive", 1),
    ("wire", 1),
    ("policy-tests", 2),
    ("record-derive", 2),
    ("store", 2),
    ("identities", 3),
    ("audit", 4),
    ("access", 4),
    ("foresight", 5),
    ("operation", 5),
    ("organizations", 7),
    ("account", 7),
    ("iam", 7),
    ("sts", 7),
    ("decisions", 7),
    ("bailiwick", 9),
];

/// Imports on one floor, each of which is meant. They make no circle.
const BESIDE: &[(&str, &str)] = &[
    ("policy", "arn"),
    ("policy", "services"),
    ("wire", "arn"),
    ("wire", "wire-derive"),
    ("store", "record-derive"),
    ("access", "audit"),
    ("account", "organizations"),
    ("iam", "organizations"),
];

/// What the pure floor may not use: whatever reads or writes files, sockets or the clock.
const IMPURE: &[&str] = &["tokio", "hyper", "hyper-util", "rusqlite", "rustls", "tracing-subscriber", "aws-lc-rs"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn table(path: PathBuf) -> toml::Table {
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).parse().unwrap()
}

/// The manifests of all crates, by folder.
fn manifests() -> BTreeMap<String, toml::Table> {
    let folders = fs::read_dir(root().join("crates")).unwrap().map(|entry| entry.unwrap());
    folders
        .filter(|entry| entry.path().is_dir())
        .map(|entry| (entry.file_name().into_string().unwrap(), table(entry.path().join("Cargo.toml"))))
        .collect()
}

/// What a manifest imports, under whichever heading and target: its name in the registry or the workspace, and the heading.
fn imports(manifest: &toml::Table) -> Vec<(String, &'static str)> {
    let mut found = Vec::new();
    let mut sections = vec![manifest];
    if let Some(targets) = manifest.get("target").and_then(toml::Value::as_table) {
        sections.extend(targets.values().filter_map(toml::Value::as_table));
    }
    for section in sections {
        for heading in ["dependencies", "build-dependencies", "dev-dependencies"] {
            for (name, value) in section.get(heading).and_then(toml::Value::as_table).into_iter().flatten() {
                let real = value.get("package").and_then(toml::Value::as_str).unwrap_or(name);
                found.push((real.to_owned(), heading));
            }
        }
    }
    found
}

fn floor(name: &str) -> Option<u8> {
    FLOORS.iter().find(|(crate_name, _)| *crate_name == name).map(|(_, floor)| *floor)
}

#[test]
fn every_crate_has_a_floor_and_every_floor_its_crates() {
    let folders: BTreeSet<_> = manifests().into_keys().collect();
    let listed: BTreeSet<_> = FLOORS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(folders, listed);
    for (folder, manifest) in manifests() {
        let name = manifest.get("package").and_then(|package| package.get("name")).and_then(toml::Value::as_str);
        assert_eq!(name, Some(folder.as_str()), "a crate is named as its folder");
    }
}

#[test]
fn no_import_points_up() {
    for (name, manifest) in manifests() {
        let own = floor(&name).expect("every crate has a floor");
        for (import, heading) in imports(&manifest) {
            let Some(other) = floor(&import) else { continue };
            let beside = other == own && BESIDE.contains(&(name.as_str(), import.as_str()));
            assert!(other < own || beside, "{name} (floor {own}) imports {import} (floor {other}) under {heading}");
        }
    }
}

#[test]
fn what_lies_beside_makes_no_circle() {
    let order: BTreeMap<_, _> = FLOORS.iter().enumerate().map(|(place, (name, _))| (*name, place)).collect();
    for (name, import) in BESIDE {
        assert_eq!(floor(name), floor(import), "{name} and {import} are on one floor");
        assert!(order[import] < order[name], "the table has {import} before {name}");
    }
}

#[test]
fn the_first_floor_is_pure() {
    for (name, manifest) in manifests().into_iter().filter(|(name, _)| floor(name) == Some(1)) {
        for (import, heading) in imports(&manifest).into_iter().filter(|(_, heading)| *heading != "dev-dependencies") {
            assert!(!IMPURE.contains(&import.as_str()), "{name} imports {import} under {heading}");
        }
    }
}

#[test]
fn every_crate_obeys_the_lints_and_the_licence_of_the_house() {
    for (name, manifest) in manifests() {
        let inherits = |section: &str, key: &str| {
            let section = manifest.get(section).and_then(toml::Value::as_table);
            let value = section.and_then(|section| section.get(key));
            value.and_then(|value| value.get("workspace")).or(value).and_then(toml::Value::as_bool) == Some(true)
        };
        assert!(inherits("lints", "workspace"), "{name}: [lints] workspace = true");
        assert!(
            inherits("package", "license") && inherits("package", "rust-version") && inherits("package", "edition"),
            "{name}: package keys"
        );
    }
    let workspace = table(root().join("Cargo.toml"));
    let lint = |group: &str, name: &str| workspace["workspace"]["lints"][group][name].as_str().map(str::to_owned);
    assert_eq!(lint("rust", "unsafe_code").as_deref(), Some("forbid"));
}
