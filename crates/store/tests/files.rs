//! The file of a store on SQLite: who may read it, what damage is seen, what a kill leaves, what erasing leaves.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that fails may panic")]

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::{Fresh, Kind, OpenError, Record, Store, StoreError, Stored, Who};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Record)]
#[record(kind = "thing", key = id, unique(by_name = name), index(by_group = group))]
struct Thing {
    id: String,
    name: String,
    group: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Record)]
#[record(kind = "secret", key = id, sealed)]
struct Secret {
    id: String,
    sealed: String,
}

fn thing(n: u64) -> Thing {
    Thing { id: format!("{:016x}", n.wrapping_mul(0x9E37_79B9_7F4A_7C15)), name: format!("thing{n}"), group: format!("g{}", n % 5) }
}

fn who() -> Who {
    Who { account: "1".into(), caller: "arn".into(), at_millis: 1 }
}

fn create(file: &Path) -> Store {
    Store::create(file, &Fresh { key_proof: b"proof", at_millis: 7 }).unwrap()
}

async fn insert(store: &Store, n: u64) {
    let thing = thing(n);
    let done = store.write(&who(), async |tx| tx.insert(&thing).await).await;
    assert_eq!(done.unwrap().value, Stored::Done);
}

/// Runs one of the ignored tests below in a process of its own, in `dir`.
fn child(dir: &Path, test: &str, umask: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("umask {umask}; exec \"$0\" \"$@\"")]).arg(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--ignored", "--nocapture"]).current_dir(dir);
    command
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn every_file_is_private_whatever_the_umask() {
    for umask in ["000", "022", "277"] {
        let dir = tempfile::tempdir().unwrap();
        let made = child(dir.path(), "child_that_makes_a_store_and_a_copy", umask).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stdout));
        let modes = String::from_utf8(made.stdout).unwrap();
        let told: Vec<_> = modes.lines().filter(|line| line.contains(".db")).collect();
        assert_eq!(told, ["copy.db 600", "store.db 600", "store.db-shm 600", "store.db-wal 600"], "umask {umask}");
    }
}

#[test]
#[ignore = "the child of another test"]
fn child_that_makes_a_store_and_a_copy() {
    let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
    runtime.block_on(async {
        let store = create(Path::new("store.db"));
        insert(&store, 1).await;
        store.backup(Path::new("copy.db")).await.unwrap();
        for file in files(Path::new(".")) {
            let mode = file.metadata().unwrap().permissions().mode() & 0o777;
            println!("\n{} {mode:o}", file.file_name().unwrap().display());
        }
    });
}

#[test]
fn a_store_is_made_once_and_not_over_anything() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("store.db");
    assert!(matches!(Store::open(&file), Err(OpenError::Missing(_))));
    assert_eq!(files(dir.path()).len(), 0, "opening makes nothing");
    drop(create(&file));
    let bytes = std::fs::read(&file).unwrap();
    assert!(matches!(Store::create(&file, &Fresh { key_proof: b"", at_millis: 0 }), Err(OpenError::Exists(_))));
    assert_eq!(std::fs::read(&file).unwrap(), bytes);
    // A log without its file is a store that lost its file.
    let lost = dir.path().join("lost.db");
    std::fs::write(dir.path().join("lost.db-wal"), "log").unwrap();
    assert!(matches!(Store::create(&lost, &Fresh { key_proof: b"", at_millis: 0 }), Err(OpenError::Damaged(_))));
    // What an earlier attempt left half done does not stand in the way.
    std::fs::write(dir.path().join("new.db.part"), "half").unwrap();
    drop(create(&dir.path().join("new.db")));
    assert!(!dir.path().join("new.db.part").exists());
}

/// A store with something in it, closed.
async fn sound(dir: &Path) -> PathBuf {
    let file = dir.join("store.db");
    let store = create(&file);
    for n in 0..300 {
        insert(&store, n).await;
    }
    store.close().await.unwrap();
    file
}

#[tokio::test]
async fn damage_is_reported_and_left_as_it_is() {
    type Damage = fn(&Path);
    let damages: [(&str, Damage); 7] = [
        ("empty", |file| std::fs::write(file, "").unwrap()),
        ("something else", |file| std::fs::write(file, "x".repeat(10_000)).unwrap()),
        ("half of it", |file| {
            let opened = std::fs::OpenOptions::new().write(true).open(file).unwrap();
            opened.set_len(opened.metadata().unwrap().len() / 2).unwrap();
        }),
        ("its last page", |file| {
            let opened = std::fs::OpenOptions::new().write(true).open(file).unwrap();
            opened.set_len(opened.metadata().unwrap().len() - 1).unwrap();
        }),
        ("another database", |file| {
            std::fs::remove_file(file).unwrap();
            rusqlite::Connection::open(file).unwrap().execute_batch("CREATE TABLE users (id)").unwrap();
        }),
        ("a table lost", |file| rusqlite::Connection::open(file).unwrap().execute_batch("DROP TABLE outbox").unwrap()),
        ("the first page", |file| {
            let mut opened = std::fs::OpenOptions::new().write(true).open(file).unwrap();
            opened.seek(SeekFrom::Start(100)).unwrap();
            opened.write_all(&[0xAA; 3_000]).unwrap();
        }),
    ];
    for (what, damage) in damages {
        let dir = tempfile::tempdir().unwrap();
        let file = sound(dir.path()).await;
        damage(&file);
        let bytes = std::fs::read(&file).unwrap();
        let opened = Store::open(&file);
        assert!(matches!(opened, Err(OpenError::Damaged(_))), "{what}: {:?}", opened.err());
        assert!(std::fs::read(&file).unwrap() == bytes, "{what}: it was changed");
    }
}

#[tokio::test]
async fn damage_that_opening_does_not_see_is_found_by_a_check() {
    let dir = tempfile::tempdir().unwrap();
    let file = sound(dir.path()).await;
    let kinds = [Kind::of::<Thing>()];
    assert!(Store::open(&file).unwrap().check(&kinds).await.unwrap().is_sound());
    let edits = [
        "DELETE FROM entries WHERE name = 'by_name' AND entry = CAST('thing7' || char(0) AS BLOB)",
        "UPDATE entries SET row = 1 WHERE name = 'by_name' AND entry = CAST('thing8' || char(0) AS BLOB)",
        "INSERT INTO entries VALUES ('thing', 'by_name', '1', x'0102', 3)",
        "INSERT INTO entries VALUES ('thing', 'by_name', '1', x'0102', 999999)",
        "UPDATE records SET value = replace(value, 'thing9', 'thing_') WHERE value LIKE '%\"thing9\"%'",
        "UPDATE records SET version = version + 1 WHERE row = 5",
        "DELETE FROM records WHERE row = 6",
        "DELETE FROM changes WHERE seq = 7",
        "UPDATE records SET value = '{}' WHERE row = 8",
        "UPDATE records SET key = x'4142' WHERE row = 9",
    ];
    for edit in edits {
        let copy = dir.path().join("copy.db");
        std::fs::copy(&file, &copy).unwrap();
        assert_eq!(rusqlite::Connection::open(&copy).unwrap().execute(edit, []).unwrap(), 1, "{edit}");
        let report = Store::open(&copy).unwrap().check(&kinds).await.unwrap();
        assert!(!report.is_sound(), "{edit}");
        std::fs::remove_file(&copy).unwrap();
    }
    // A page in the middle.
    let copy = dir.path().join("copy.db");
    std::fs::copy(&file, &copy).unwrap();
    let mut opened = std::fs::OpenOptions::new().write(true).open(&copy).unwrap();
    opened.seek(SeekFrom::Start(4_096 * 12)).unwrap();
    opened.write_all(&[0xAA; 4_096]).unwrap();
    let report = Store::open(&copy).unwrap().check(&kinds).await.unwrap();
    assert!(!report.is_sound());
}

#[tokio::test]
async fn a_store_of_a_later_release_is_reported_and_left_as_it_is() {
    for newer in ["PRAGMA user_version = 2", "UPDATE meta SET value = CAST('2' AS BLOB) WHERE name = 'schema'"] {
        let dir = tempfile::tempdir().unwrap();
        let file = sound(dir.path()).await;
        rusqlite::Connection::open(&file).unwrap().execute_batch(newer).unwrap();
        let bytes = std::fs::read(&file).unwrap();
        assert!(matches!(Store::open(&file), Err(OpenError::Newer { found: 2, known: 1 })), "{newer}");
        assert!(std::fs::read(&file).unwrap() == bytes);
    }
}

/// What a child acknowledged until it was killed, after so many.
fn kill_while_it_writes(dir: &Path, after: usize) -> BTreeSet<u64> {
    let mut child = child(dir, "child_that_writes_until_it_is_killed", "022").stdout(Stdio::piped()).spawn().unwrap();
    let acknowledged = |line: std::io::Result<String>| line.ok()?.strip_prefix("ack ")?.parse::<u64>().ok();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut told: BTreeSet<u64> = lines.by_ref().filter_map(acknowledged).take(after).collect();
    child.kill().unwrap();
    child.wait().unwrap();
    told.extend(lines.filter_map(acknowledged));
    told
}

#[tokio::test]
async fn a_kill_during_writes_loses_nothing_that_was_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("store.db");
    drop(create(&file));
    let mut acknowledged = BTreeSet::new();
    for after in [1, 40, 3_000, 700] {
        let told = kill_while_it_writes(dir.path(), after);
        assert!(told.len() >= after, "the child wrote");
        acknowledged.extend(told);
        let start = Instant::now();
        let store = Store::open(&file).unwrap();
        assert!(start.elapsed() < Duration::from_secs(1));
        let missing = async |tx: store::Tx<store::Read>| {
            let mut missing = vec![];
            for n in &acknowledged {
                if tx.find(Thing::BY_NAME, &thing(*n).name).await? != Some(thing(*n)) {
                    missing.push(*n);
                }
            }
            Ok::<_, StoreError>(missing)
        };
        assert_eq!(store.read("1", missing).await.unwrap(), [] as [u64; 0]);
        let report = store.check(&[Kind::of::<Thing>()]).await.unwrap();
        assert!(report.is_sound(), "{:?}", report.problems);
        // Each came with an event, in the same transaction.
        let events: BTreeSet<u64> = store.outbox(usize::MAX).await.unwrap().into_iter().map(|(_, text)| text.parse().unwrap()).collect();
        assert_eq!(events.len() as u64, report.records);
        assert!(acknowledged.is_subset(&events));
    }
}

#[test]
#[ignore = "the child of another test"]
fn child_that_writes_until_it_is_killed() {
    let Ok(store) = Store::open(Path::new("store.db")) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let store = Arc::new(store);
        let first = u64::try_from(store.revision().await.unwrap()).unwrap() + 1_000_000 * u64::from(std::process::id());
        let mut clients = tokio::task::JoinSet::new();
        for client in 0..16 {
            let store = store.clone();
            clients.spawn(async move {
                for i in 0_u64.. {
                    let n = first + i * 16 + client;
                    let thing = thing(n);
                    let rule = async |tx: store::Tx<store::Write>| {
                        tx.event(&n.to_string()).await?;
                        tx.insert(&thing).await
                    };
                    assert_eq!(store.write(&who(), rule).await.unwrap().value, Stored::Done);
                    // One write: a line is whole or not there.
                    std::io::stdout().write_all(format!("\nack {n}\n").as_bytes()).unwrap();
                }
            });
        }
        clients.join_next().await;
    });
}

#[tokio::test]
async fn a_file_that_is_short_but_whole_with_its_log_opens() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("store.db");
    let store = create(&file);
    for n in 0..200 {
        insert(&store, n).await;
    }
    // As a kill would leave it: nothing of the log has been brought over.
    let killed = dir.path().join("killed.db");
    std::fs::copy(&file, &killed).unwrap();
    std::fs::copy(dir.path().join("store.db-wal"), dir.path().join("killed.db-wal")).unwrap();
    let opened = Store::open(&killed).unwrap();
    assert!(opened.check(&[Kind::of::<Thing>()]).await.unwrap().is_sound());
    assert_eq!(opened.revision().await.unwrap(), 200);
    drop(opened);
    // Half of the log: what is left of it is a state that once was, or damage; never something else.
    std::fs::copy(&file, &killed).unwrap();
    let log = std::fs::read(dir.path().join("store.db-wal")).unwrap();
    std::fs::write(dir.path().join("killed.db-wal"), &log[..log.len() / 2]).unwrap();
    let opened = Store::open(&killed).unwrap();
    assert!(opened.check(&[Kind::of::<Thing>()]).await.unwrap().is_sound());
}

/// The ends of secrets (`<<7.2:` and `:2.7>>`) that some file has in it.
fn secrets(dir: &Path) -> BTreeSet<String> {
    let number = |b: &u8| b.is_ascii_digit() || *b == b'.';
    let mut found = BTreeSet::new();
    for bytes in files(dir).into_iter().filter_map(|file| std::fs::read(file).ok()) {
        for at in (2..bytes.len()).filter(|at| bytes[at - 2..*at] == *b"<<") {
            let end = bytes[at..].iter().position(|b| !number(b)).map_or(bytes.len(), |length| at + length);
            if bytes.get(end) == Some(&b':') {
                found.insert(String::from_utf8_lossy(&bytes[at - 2..=end]).into_owned());
            }
        }
        for at in (0..bytes.len().saturating_sub(2)).filter(|at| bytes[*at..at + 2] == *b">>") {
            let from = bytes[..at].iter().rposition(|b| !number(b)).unwrap_or(0);
            if bytes[from] == b':' {
                found.insert(String::from_utf8_lossy(&bytes[from..at + 2]).into_owned());
            }
        }
    }
    found
}

#[tokio::test]
async fn an_erased_value_is_in_no_file_any_more() {
    let dir = tempfile::tempdir().unwrap();
    let store = create(&dir.path().join("store.db"));
    // Short ones, and ones that take pages of their own; each begins and ends with a text that is nowhere else.
    let sealed = |id: usize, version: usize, length: usize| {
        let filler = "0123456789abcdef".repeat(length / 16);
        format!("<<{id}.{version}:{filler}:{version}.{id}>>")
    };
    let put = async |id: usize, version: usize, length: usize| {
        let secret = Secret { id: format!("{id}"), sealed: sealed(id, version, length) };
        let done = store.write(&who(), async |tx| tx.put(&secret).await).await.unwrap();
        assert_eq!(done.value, Stored::Done);
    };
    for id in 0..400 {
        put(id, 0, 32).await;
        insert(&store, id as u64).await;
    }
    for id in 0..400 {
        // Growing and shrinking ones, so that pages split, fill and are given up.
        put(id, 1, [16, 600, 1_000, 2_000, 5_000, 20_000, 300][id * 7_919 % 7]).await;
        put(id, 2, [700, 64, 48, 1_500, 9_000][id * 104_729 % 5]).await;
    }
    for id in (0..400).step_by(2) {
        let gone = store.write(&who(), async |tx| tx.delete::<Secret>(&format!("{id}")).await).await.unwrap();
        assert!(gone.value);
    }
    let left: BTreeSet<String> = (1..400).step_by(2).flat_map(|id| [format!("<<{id}.2:"), format!(":2.{id}>>")]).collect();
    // By itself, when nothing is written for a while.
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(20) && secrets(dir.path()) != left {
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    let wrong = |found: &BTreeSet<String>| found.symmetric_difference(&left).cloned().collect::<Vec<_>>();
    assert_eq!(wrong(&secrets(dir.path())), [] as [String; 0]);
    store.close().await.unwrap();
    assert_eq!(wrong(&secrets(dir.path())), [] as [String; 0], "closed");
}

#[tokio::test]
async fn a_closed_store_is_one_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = sound(dir.path()).await;
    assert_eq!(files(dir.path()), std::slice::from_ref(&file));
    let store = Store::open(&file).unwrap();
    assert_eq!(store.revision().await.unwrap(), 300);
    assert_eq!(store.about().created_millis, 7);
}
