//! What only this back end does: batches that fail, full disks, migrations, the log.

use super::schema::{self, Migration};
use super::{Sqlite, wal};
use crate::backend::Backend;
use crate::{Changed, Fresh, Kind, Record, Store, StoreError, Stored, Tx, Who, Write};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Record)]
#[record(kind = "thing", key = id, unique(by_name = name))]
struct Thing {
    id: u64,
    name: String,
}

fn thing(id: u64, length: usize) -> Thing {
    Thing { id, name: format!("{id}{}", "x".repeat(length)) }
}

fn create(dir: &Path) -> Arc<Store> {
    Arc::new(Store::create(&dir.join("store.db"), &Fresh { key_proof: b"", at_millis: 0 }).unwrap())
}

fn sqlite(store: &Store) -> &Sqlite {
    match &store.backend {
        Backend::Sqlite(sqlite) => sqlite,
    }
}

async fn insert(store: &Store, thing: &Thing) -> Result<(), StoreError> {
    let who = Who { account: "1".into(), caller: "arn".into(), at_millis: 0 };
    let rule = async |tx: Tx<Write>| {
        tx.event(&thing.id.to_string()).await?;
        assert_eq!(tx.insert(thing).await?, Stored::Done);
        Ok::<_, StoreError>(())
    };
    store.write(&who, rule).await.map(|done| done.value)
}

async fn stored(store: &Store) -> Vec<u64> {
    let page = store.read("1", async |tx| tx.scan(Thing::KEY.all(), None, 100_000, |_| true).await).await;
    page.unwrap_or_else(|e: StoreError| panic!("{e}")).records.into_iter().map(|thing: Thing| thing.id).collect()
}

async fn is_sound(store: &Store) {
    let report = store.check(&[Kind::of::<Thing>()]).await.unwrap();
    assert!(report.is_sound(), "{:?}", report.problems);
    let events: Vec<u64> = store.outbox(usize::MAX).await.unwrap().into_iter().map(|(_, text)| text.parse().unwrap()).collect();
    assert_eq!(events.len() as u64, report.records, "an event for each record");
}

/// Lets all of them queue before the first has its turn; returns what each was told.
async fn in_one_batch(store: &Arc<Store>, things: impl IntoIterator<Item = Thing>) -> Vec<(u64, Result<(), StoreError>)> {
    let shared = &sqlite(store).shared;
    let turn = sqlite(store).lane.clone().lock_owned().await;
    let mut tasks = JoinSet::new();
    let mut queued = 0;
    for thing in things {
        queued += 1;
        let store = store.clone();
        tasks.spawn(async move { (thing.id, insert(&store, &thing).await) });
    }
    while shared.waiting() < queued {
        tokio::task::yield_now().await;
    }
    drop(turn);
    tasks.join_all().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_writes_at_once_shares_a_commit() {
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let commits = Arc::new(AtomicUsize::new(0));
    let counts = commits.clone();
    store.set_observer(Arc::new(move |_: &[Changed]| {
        counts.fetch_add(1, Ordering::Relaxed);
    }));
    for takes in [Duration::ZERO, Duration::from_secs(9)] {
        sqlite(&store).lane.lock().await.takes = takes;
        let first = commits.swap(0, Ordering::Relaxed) as u64 * 1_000 + 1;
        let told = in_one_batch(&store, (first..first + 64).map(|id| thing(id, 0))).await;
        assert!(told.iter().all(|(_, result)| result.is_ok()));
        assert_eq!(commits.load(Ordering::Relaxed), 1, "a commit that takes {takes:?}");
    }
    assert_eq!(stored(&store).await.len(), 128);
    is_sound(&store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_batch_whose_commit_fails_nothing_is_left_and_all_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    insert(&store, &thing(1, 0)).await.unwrap();
    {
        // A constraint that is looked at only by COMMIT.
        let lane = sqlite(&store).lane.lock().await;
        let sql = "CREATE TABLE parent (id INTEGER PRIMARY KEY);
             CREATE TABLE child (parent INTEGER REFERENCES parent DEFERRABLE INITIALLY DEFERRED);
             CREATE TRIGGER poison AFTER INSERT ON records WHEN NEW.value LIKE '%\"id\":13,%' BEGIN INSERT INTO child VALUES (1); END;";
        lane.connection.execute_batch(sql).unwrap();
    }
    let heard = Arc::new(Mutex::new(0));
    let hears = heard.clone();
    store.set_observer(Arc::new(move |changed: &[Changed]| *hears.lock().unwrap() += changed.len()));
    let revision = store.revision().await.unwrap();
    let told = in_one_batch(&store, (10..18).map(|id| thing(id, 0))).await;
    assert!(told.iter().all(|(_, result)| matches!(result, Err(StoreError::Failed(_)))), "{told:?}");
    assert_eq!(stored(&store).await, [1]);
    assert_eq!((store.revision().await.unwrap(), *heard.lock().unwrap()), (revision, 0));
    is_sound(&store).await;
    insert(&store, &thing(14, 0)).await.unwrap();
    assert_eq!(stored(&store).await, [1, 14]);
    is_sound(&store).await;
}

fn limit(connection: &Connection, more: i64) {
    let pages: i64 = connection.query_row("PRAGMA page_count", [], |r| r.get(0)).unwrap();
    connection.query_row(&format!("PRAGMA max_page_count = {}", pages + more), [], |_| Ok(())).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_full_disk_writes_are_refused_whole_and_reads_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let mut acknowledged = vec![];
    for round in 0..6 {
        limit(&sqlite(&store).lane.lock().await.connection, 20 + round * 7);
        let mut refused = 0;
        for wave in 0..12 {
            let first = round as u64 * 10_000 + wave * 100;
            for (id, told) in in_one_batch(&store, (first..first + 12).map(|id| thing(id, 300 * wave as usize))).await {
                match told {
                    Ok(()) => acknowledged.push(id),
                    Err(StoreError::Full) => refused += 1,
                    Err(other) => panic!("{other:?}"),
                }
            }
        }
        assert!(refused > 0, "it was full");
        acknowledged.sort_unstable();
        assert_eq!(stored(&store).await, acknowledged);
        is_sound(&store).await;
        let copied = store.backup(&dir.path().join(format!("copy{round}.db"))).await;
        assert!(copied.is_ok(), "{copied:?}");
    }
    // There is room again.
    limit(&sqlite(&store).lane.lock().await.connection, 1_000_000);
    insert(&store, &thing(999_999, 5_000)).await.unwrap();
    acknowledged.push(999_999);
    assert_eq!(stored(&store).await, acknowledged);
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_rule_that_swallows_an_error_does_not_leave_half_an_edit() {
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let sql = "CREATE TRIGGER refuse BEFORE INSERT ON changes WHEN NEW.value LIKE '%refused%' BEGIN SELECT RAISE(ABORT, 'no'); END;";
    sqlite(&store).lane.lock().await.connection.execute_batch(sql).unwrap();
    let who = Who { account: "1".into(), caller: "arn".into(), at_millis: 0 };
    let swallows = async |tx: Tx<Write>| {
        assert_eq!(tx.insert(&thing(1, 0)).await?, Stored::Done);
        assert!(tx.insert(&Thing { id: 2, name: "refused".into() }).await.is_err());
        assert!(tx.get::<Thing>(&1).await.is_err(), "nothing more is answered");
        Ok::<_, StoreError>(())
    };
    assert!(matches!(store.write(&who, swallows).await, Err(StoreError::Failed(_))));
    assert_eq!(stored(&store).await, [] as [u64; 0]);
    insert(&store, &thing(3, 0)).await.unwrap();
    is_sound(&store).await;
}

const STEPS: [Migration; 3] = [
    Migration { to: 2, run: |t| t.execute_batch("ALTER TABLE marks ADD COLUMN at INTEGER; CREATE TABLE two (id)") },
    Migration { to: 3, run: |t| t.execute_batch("CREATE TABLE three (id); INSERT INTO nothing VALUES (1)") },
    Migration { to: 4, run: |t| t.execute_batch("CREATE TABLE four (id)") },
];

#[test]
fn a_migration_is_one_transaction_a_step_and_stops_at_one_that_fails() {
    let dir = tempfile::tempdir().unwrap();
    drop(create(dir.path()));
    let mut connection = Connection::open(dir.path().join("store.db")).unwrap();
    let tables = |c: &Connection| -> Vec<String> {
        let sql = "SELECT name FROM sqlite_schema WHERE name IN ('two', 'three', 'four') ORDER BY name";
        c.prepare(sql).unwrap().query_map([], |r| r.get(0)).unwrap().map(Result::unwrap).collect()
    };
    assert!(schema::migrate(&mut connection, 1, &STEPS).is_err());
    assert_eq!(schema::version(&connection).unwrap(), Some(2));
    assert_eq!(tables(&connection), ["two"], "the step that failed left nothing");
    let header: u32 = connection.query_row("PRAGMA user_version", [], |r| r.get(0)).unwrap();
    assert_eq!(header, 2);
    let repaired = [Migration { to: 3, run: |t| t.execute_batch("CREATE TABLE three (id)") }, Migration { to: 4, run: STEPS[2].run }];
    assert_eq!(schema::migrate(&mut connection, 2, &repaired).unwrap(), 4);
    assert_eq!(tables(&connection), ["four", "three", "two"]);
    assert_eq!(schema::migrate(&mut connection, 4, &repaired).unwrap(), 4, "nothing is run twice");
    drop(connection);
    assert!(matches!(Store::open(&dir.path().join("store.db")), Err(crate::OpenError::Newer { found: 4, known: 1 })));
}

#[test]
fn migrations_are_numbered_without_gaps_up_to_the_schema() {
    let numbers: Vec<u32> = schema::MIGRATIONS.iter().map(|step| step.to).collect();
    assert_eq!(numbers, (0..schema::SCHEMA).skip(1).map(|n| n + 1).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_stays_short_under_writes_that_do_not_pause() {
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path());
    let log = wal::path(&dir.path().join("store.db"));
    let who = Who { account: "1".into(), caller: "arn".into(), at_millis: 0 };
    let start = Instant::now();
    let mut written = 0;
    while start.elapsed() < Duration::from_secs(20) && written < 120 << 20 {
        let rule = async |tx: Tx<Write>| {
            for id in 0..200 {
                assert_eq!(tx.put(&thing(id, 2_000 + written % 1_000)).await?, Stored::Done);
            }
            Ok::<_, StoreError>(())
        };
        store.write(&who, rule).await.unwrap();
        written += 200 * 2 * 2_000 + 1;
    }
    let length = log.metadata().unwrap().len();
    assert!(length < (80 << 20), "{length} bytes of log after {written} written");
}

#[tokio::test]
async fn a_short_file_whose_log_does_not_have_the_rest_is_damaged() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("store.db");
    let store = create(dir.path());
    for id in 0..300 {
        insert(&store, &thing(id, 100)).await.unwrap();
    }
    store.close().await.unwrap();
    drop(store);
    let store = Store::open(&file).unwrap();
    for id in 300..310 {
        insert(&store, &thing(id, 100)).await.unwrap();
    }
    let killed = dir.path().join("killed.db");
    for cut in [0, 1, 5_000, 80_000] {
        std::fs::copy(&file, &killed).unwrap();
        std::fs::copy(wal::path(&file), wal::path(&killed)).unwrap();
        let length = killed.metadata().unwrap().len() - cut;
        std::fs::OpenOptions::new().write(true).open(&killed).unwrap().set_len(length).unwrap();
        let (bytes, log) = (std::fs::read(&killed).unwrap(), std::fs::read(wal::path(&killed)).unwrap());
        let opened = Store::open(&killed);
        if cut == 0 {
            assert_eq!(stored(&opened.unwrap()).await.len(), 310);
        } else if let Ok(opened) = opened {
            // What was cut off is in the log.
            is_sound(&opened).await;
            assert_eq!(stored(&opened).await.len(), 310);
            assert!(cut < 10_000);
        } else {
            assert!(matches!(opened, Err(crate::OpenError::Damaged(_))));
            assert!(std::fs::read(&killed).unwrap() == bytes && std::fs::read(wal::path(&killed)).unwrap() == log, "left as it is");
        }
    }
}
