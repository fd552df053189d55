use super::*;
use crate::{config::KeySource, master_key};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o777
}

/// All that a directory holds: names, contents and modes.
fn snapshot(path: &Path) -> Vec<(PathBuf, Vec<u8>, u32)> {
    let mut all = Vec::new();
    let Ok(entries) = fs::read_dir(path) else { return all };
    for entry in entries {
        let path = entry.unwrap().path();
        all.push((path.clone(), fs::read(&path).unwrap_or_default(), mode(&path)));
        if path.is_dir() {
            all.extend(snapshot(&path));
        }
    }
    all.sort();
    all
}

/// A directory as a complete first start leaves it, unlocked.
fn whole(path: &Path) -> MasterKey {
    let key_file = DataDir::key_in(path);
    let (dir, state) = DataDir::for_server(path, None, Some(&key_file)).unwrap();
    assert_eq!(state, State::First);
    let key = master_key::make(&KeySource::DataDir, &key_file).unwrap();
    create(&dir.store()).unwrap();
    dir.complete().unwrap();
    key
}

fn reopened(path: &Path) -> Result<State, DataDirError> {
    let key_file = DataDir::key_in(path);
    let key = master_key::find(&KeySource::DataDir, &key_file).unwrap();
    DataDir::for_server(path, key.as_ref(), Some(&key_file)).map(|(_, state)| state)
}

#[test]
fn a_new_directory_is_for_its_owner_only_and_whole_after_its_first_start() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("a/data");
    whole(&path);
    assert_eq!(mode(&path), 0o700);
    for (file, _, mode) in snapshot(&path) {
        assert_eq!(mode, 0o600, "{}", file.display());
    }
    assert_eq!(reopened(&path).unwrap(), State::Whole);
}

#[test]
fn modes_that_were_widened_are_narrowed_again() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("data");
    whole(&path);
    fs::create_dir(path.join(TRAIL)).unwrap();
    fs::write(path.join("trail/1.jsonl"), "{}").unwrap();
    for (file, _, _) in snapshot(&path) {
        fs::set_permissions(&file, Permissions::from_mode(if file.is_dir() { 0o755 } else { 0o644 })).unwrap();
    }
    fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
    reopened(&path).unwrap();
    assert_eq!((mode(&path), mode(&path.join(TRAIL))), (0o700, 0o700));
    assert_eq!((mode(&path.join(STORE)), mode(&path.join(KEY)), mode(&path.join("trail/1.jsonl"))), (0o600, 0o600, 0o600));
}

#[test]
fn a_second_server_is_refused() {
    let temp = tempfile::tempdir().unwrap();
    whole(temp.path().join("data").as_path());
    let path = temp.path().join("data");
    let first = DataDir::existing(&path).unwrap();
    assert!(matches!(reopened(&path), Err(DataDirError::Busy { .. })));
    assert!(matches!(DataDir::existing(&path), Err(DataDirError::Busy { .. })));
    drop(first);
    assert_eq!(reopened(&path).unwrap(), State::Whole);
}

#[test]
fn a_store_without_its_key_is_damage_and_nothing_is_written() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("data");
    whole(&path);
    fs::remove_file(path.join(KEY)).unwrap();
    let before = snapshot(&path);
    assert!(matches!(reopened(&path), Err(DataDirError::StoreWithoutKey { .. })));
    assert_eq!(snapshot(&path), before);
}

#[test]
fn a_key_without_its_store_is_damage_and_nothing_is_written() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("data");
    whole(&path);
    fs::remove_file(path.join(STORE)).unwrap();
    let before = snapshot(&path);
    assert!(matches!(reopened(&path), Err(DataDirError::StoreGone { .. })));
    fs::remove_file(path.join(LOCK)).unwrap();
    assert!(matches!(reopened(&path), Err(DataDirError::StoreGone { .. })));
    assert_eq!(snapshot(&path), before.into_iter().filter(|(file, _, _)| !file.ends_with(LOCK)).collect::<Vec<_>>());
}

#[test]
fn a_key_elsewhere_that_was_made_for_a_store_does_not_begin_a_second_one() {
    let temp = tempfile::tempdir().unwrap();
    let (path, file) = (temp.path().join("data"), temp.path().join("key"));
    let made = master_key::make(&KeySource::File(file.clone()), Path::new("")).unwrap();
    assert!(matches!(DataDir::for_server(&path, Some(&made), Some(&file)), Err(DataDirError::StoreGone { .. })));
    assert!(!path.exists());
    fs::write(&file, "ab".repeat(32)).unwrap();
    let brought = master_key::find(&KeySource::File(file.clone()), Path::new("")).unwrap();
    assert_eq!(DataDir::for_server(&path, brought.as_ref(), Some(&file)).unwrap().1, State::First);
}

#[test]
fn an_audit_trail_without_its_store_is_damage() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("data");
    fs::create_dir_all(path.join(TRAIL)).unwrap();
    assert_eq!(reopened(&path).unwrap(), State::First);
    fs::remove_file(path.join(FIRST_START)).unwrap();
    fs::write(path.join("trail/1.jsonl"), "{}").unwrap();
    assert!(matches!(reopened(&path), Err(DataDirError::StoreGone { .. })));
}

#[test]
fn a_first_start_that_was_cut_begins_again_with_the_same_key() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("data");
    let key_file = DataDir::key_in(&path);
    let (dir, _) = DataDir::for_server(&path, None, Some(&key_file)).unwrap();
    let key = master_key::make(&KeySource::DataDir, &key_file).unwrap();
    fs::write(dir.store(), "half a store").unwrap();
    drop(dir);
    assert!(matches!(DataDir::existing(&path), Err(DataDirError::NoStore { .. })));
    assert_eq!(reopened(&path).unwrap(), State::First);
    assert!(!path.join(STORE).exists());
    assert_eq!(master_key::find(&KeySource::DataDir, &key_file).unwrap(), Some(key));
}

#[test]
fn a_directory_that_all_users_share_is_refused() {
    let temp = tempfile::tempdir().unwrap();
    fs::set_permissions(temp.path(), Permissions::from_mode(0o1777)).unwrap();
    assert!(matches!(reopened(temp.path()), Err(DataDirError::Shared { .. })));
    assert_eq!(fs::metadata(temp.path()).unwrap().mode() & 0o7777, 0o1777);
    assert_eq!(snapshot(temp.path()), []);
}

#[test]
fn commands_make_no_directory() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("data");
    assert!(matches!(DataDir::existing(&path), Err(DataDirError::NoStore { .. })));
    assert!(!path.exists());
}
