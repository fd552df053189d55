//! `cargo run --release -p store --example measure -- [RECORDS] [SECONDS] [DIR]`: the store beside a table written by hand, and beside
//! the disk. Ratios of one run count, not figures.
#![expect(clippy::print_stdout, reason = "it prints what it measured")]
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a measurement that fails ends")]

use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::future::Future;
use std::hint::black_box;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};
use store::{Fresh, KeyPart, Marker, Record, Store, StoreError, Stored, Who};
use tokio::task::JoinSet;

#[derive(Clone, Serialize, Deserialize)]
struct Name(String);

impl KeyPart for Name {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.to_ascii_lowercase().encode(out);
    }
}

#[derive(Serialize, Deserialize, Record)]
#[record(kind = "user", key = id, unique(by_name = name), index(by_boundary = boundary))]
struct User {
    id: String,
    name: Name,
    path: String,
    boundary: Option<String>,
    created: i64,
    tags: Vec<(String, String)>,
}

const ACCOUNT: &str = "111122223333";
const AT: i64 = 1_700_000_000_000;

fn who() -> Who {
    Who { account: ACCOUNT.into(), caller: format!("arn:aws:iam::{ACCOUNT}:user/admin"), at_millis: AT }
}

/// Scattered, as real ids are.
fn user(n: u64) -> User {
    let id = format!("AIDA{:016X}", n.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    User {
        name: Name(format!("User.{n:08}")),
        path: "/engineering/platform/".into(),
        boundary: Some(format!("arn:aws:iam::{ACCOUNT}:policy/Boundary{}", n % 7)),
        created: 1_700_000_000,
        tags: vec![("team".into(), "storage".into()), ("cost-centre".into(), "4711".into()), ("owner".into(), format!("person-{n}"))],
        id,
    }
}

/// An audit event of the usual size.
fn event() -> String {
    format!("{{\"eventVersion\":\"1.11\",\"filler\":\"{}\"}}", "x".repeat(1_200))
}

/// One piece of work of one client.
type One = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// How often this disk makes 4 KiB durable, over written blocks of a file.
struct Disk {
    file: File,
    at: AtomicU64,
}

impl Disk {
    const BLOCKS: u64 = 1_024;

    fn new(dir: &Path) -> Disk {
        let file = OpenOptions::new().create(true).truncate(true).write(true).open(dir.join("syncs")).unwrap();
        for n in 0..Disk::BLOCKS {
            file.write_all_at(&[1; 4_096], n * 4_096).unwrap();
        }
        file.sync_all().unwrap();
        Disk { file, at: AtomicU64::new(0) }
    }

    fn sync(&self) {
        self.file.write_all_at(&[2; 4_096], self.at.fetch_add(1, Relaxed) % Disk::BLOCKS * 4_096).unwrap();
        self.file.sync_data().unwrap();
    }
}

/// What some clients did.
#[derive(Clone, Copy, Default)]
struct Work {
    done: u64,
    seconds: f64,
    /// Of processor time, in hundredths of a second.
    ticks: u64,
}

impl Work {
    fn add(&mut self, other: Work) {
        *self = Work { done: self.done + other.done, seconds: self.seconds + other.seconds, ticks: self.ticks + other.ticks };
    }

    fn rate(self) -> f64 {
        self.done as f64 / self.seconds
    }

    /// Processor time of one piece of work, in microseconds.
    fn cost(self) -> f64 {
        self.ticks as f64 * 10_000.0 / self.done as f64
    }
}

/// Processor time of this process, in hundredths of a second.
fn ticks() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2).filter_map(|n| n.parse::<u64>().ok()).sum()
}

/// Work done by so many clients at once.
async fn clients(clients: usize, length: Duration, one: &One) -> Work {
    let (start, begun, done) = (Instant::now(), ticks(), Arc::new(AtomicU64::new(0)));
    let mut tasks = JoinSet::new();
    for _ in 0..clients {
        let (one, done) = (one.clone(), done.clone());
        tasks.spawn(async move {
            while start.elapsed() < length {
                one().await;
                done.fetch_add(1, Relaxed);
            }
        });
    }
    while tasks.join_next().await.is_some() {}
    Work { done: done.load(Relaxed), seconds: start.elapsed().as_secs_f64(), ticks: ticks() - begun }
}

async fn timed(what: &str, seconds: u64, mut one: impl AsyncFnMut(u64)) -> f64 {
    let (start, mut n) = (Instant::now(), 0);
    while start.elapsed() < Duration::from_millis(seconds * 300) {
        one(n).await;
        n += 1;
    }
    let micros = start.elapsed().as_secs_f64() * 1e6 / n as f64;
    println!("  {what:<44} {micros:>9.1} us");
    micros
}

fn at(n: u64, records: u64) -> u64 {
    n.wrapping_mul(7_919) % records
}

async fn load(store: &Store, records: u64) {
    let start = Instant::now();
    for batch in 0..records / 1_000 {
        let stored = store
            .write(&who(), async |tx| {
                for n in batch * 1_000..(batch + 1) * 1_000 {
                    assert_eq!(tx.insert(&user(n)).await?, Stored::Done);
                }
                Ok::<_, StoreError>(())
            })
            .await;
        stored.unwrap();
    }
    println!("  {records} records loaded in {:.1?}", start.elapsed());
}

async fn reads(store: &Store, records: u64, seconds: u64) {
    timed("get", seconds, async |n| {
        let id = user(at(n, records)).id;
        black_box(store.read(ACCOUNT, async |tx| tx.get::<User>(&id).await).await.unwrap().unwrap());
    })
    .await;
    timed("get, the same one", seconds, async |_| {
        let id = user(7).id;
        black_box(store.read(ACCOUNT, async |tx| tx.get::<User>(&id).await).await.unwrap().unwrap());
    })
    .await;
    timed("find", seconds, async |n| {
        let name = user(at(n, records)).name;
        black_box(store.read(ACCOUNT, async |tx| tx.find(User::BY_NAME, &name).await).await.unwrap().unwrap());
    })
    .await;
    timed("10 gets in one transaction", seconds, async |n| {
        let read = async |tx: store::Tx<store::Read>| {
            for i in 0..10 {
                black_box(tx.get::<User>(&user(at(n * 10 + i, records)).id).await?);
            }
            Ok::<_, StoreError>(())
        };
        store.read(ACCOUNT, read).await.unwrap();
    })
    .await;
    let mut pages = vec![];
    for place in [0, records / 2, records.saturating_sub(101)] {
        let from = Marker::after(Name(format!("User.{place:08}")).bytes());
        pages.push(
            timed(&format!("page of 100 after {place}"), seconds, async |_| {
                let page = store.read(ACCOUNT, async |tx| tx.scan(User::BY_NAME.all(), Some(&from), 100, |_| true).await).await.unwrap();
                assert_eq!(page.records.len(), 100);
            })
            .await,
        );
    }
    timed("count up to 10", seconds, async |_| {
        black_box(store.read(ACCOUNT, async |tx| tx.count(User::BY_NAME.all(), 10).await).await.unwrap());
    })
    .await;
    timed("count up to 5,000", seconds, async |_| {
        black_box(store.read(ACCOUNT, async |tx| tx.count(User::BY_NAME.all(), 5_000).await).await.unwrap());
    })
    .await;
}

/// A table written by hand: users with a unique name and a history; one writer thread with group commit.
struct ByHand {
    queue: mpsc::Sender<(u64, tokio::sync::oneshot::Sender<()>)>,
}

impl ByHand {
    fn start(file: &Path) -> ByHand {
        let write = Connection::open(file).unwrap();
        write
            .execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -16000;
                 CREATE TABLE users (account TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, folded TEXT NOT NULL, path TEXT NOT NULL,
                   boundary TEXT, created INTEGER NOT NULL, tags TEXT NOT NULL, UNIQUE (account, id), UNIQUE (account, folded));
                 CREATE INDEX users_boundary ON users (account, boundary);
                 CREATE TABLE changes (seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, who TEXT NOT NULL, kind TEXT NOT NULL,
                   account TEXT NOT NULL, id TEXT NOT NULL, value TEXT);",
            )
            .unwrap();
        let (queue, jobs) = mpsc::channel::<(u64, tokio::sync::oneshot::Sender<()>)>();
        std::thread::spawn(move || {
            while let Ok(first) = jobs.recv() {
                let batch: Vec<_> = std::iter::once(first).chain(jobs.try_iter().take(511)).collect();
                write.execute_batch("BEGIN IMMEDIATE").unwrap();
                for (n, _) in &batch {
                    write.prepare_cached("SAVEPOINT s").unwrap().execute([]).unwrap();
                    ByHand::insert(&write, *n).unwrap();
                    write.prepare_cached("RELEASE s").unwrap().execute([]).unwrap();
                }
                write.execute_batch("COMMIT").unwrap();
                for (_, reply) in batch {
                    let _ = reply.send(());
                }
            }
        });
        ByHand { queue }
    }

    fn insert(c: &Connection, n: u64) -> rusqlite::Result<()> {
        let u = user(n);
        let tags = serde_json::to_string(&u.tags).unwrap();
        c.prepare_cached("INSERT INTO users VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?.execute(params![
            ACCOUNT,
            u.id,
            u.name.0,
            u.name.0.to_ascii_lowercase(),
            u.path,
            u.boundary,
            u.created,
            tags
        ])?;
        c.prepare_cached("INSERT INTO changes (at, who, kind, account, id, value) VALUES (?1, ?2, 'user', ?3, ?4, ?5)")?
            .execute(params![AT, "arn:aws:iam::111122223333:user/admin", ACCOUNT, u.id, serde_json::to_string(&u).unwrap()])?;
        Ok(())
    }

    fn create(&self, n: u64) -> impl Future<Output = ()> + Send + 'static {
        let (tell, told) = tokio::sync::oneshot::channel();
        self.queue.send((n, tell)).unwrap();
        async move { told.await.unwrap() }
    }
}

/// What CreateUser does: looks for policies, looks whether the name is free, inserts; with its audit event, or without.
async fn create(store: Arc<Store>, n: u64, audited: bool, whole: bool) {
    let user = user(n);
    let rule = async |tx: store::Tx<store::Write>| {
        if whole {
            for i in 0..3 {
                black_box(tx.get::<User>(&format!("policy-{i}")).await?);
            }
            black_box(tx.find(User::BY_NAME, &user.name).await?.is_none());
        }
        if audited {
            tx.event(&event()).await?;
        }
        tx.insert(&user).await
    };
    let done = store.write(&who(), rule).await.unwrap();
    assert_eq!(done.value, Stored::Done);
    if let Some(last) = done.events.last() {
        store.outbox_done(*last);
    }
}

/// Each in turn for a short time, many times: the disk is not the same from one second to the next.
async fn writes(dir: &Path, records: u64, seconds: u64) {
    let hand = Arc::new(ByHand::start(&dir.join("hand.db")));
    let store = Arc::new(Store::create(&dir.join("writes.db"), &Fresh { key_proof: b"", at_millis: AT }).unwrap());
    load(&store, records.min(100_000)).await;
    let next = Arc::new(AtomicU64::new(records));
    let disk = Arc::new(Disk::new(dir));
    let on_disk: One = Arc::new(move || {
        let disk = disk.clone();
        Box::pin(async move { disk.sync() })
    });
    let by_hand: One = {
        let next = next.clone();
        Arc::new(move || Box::pin(hand.create(next.fetch_add(1, Relaxed))))
    };
    let in_store = |audited: bool, whole: bool| -> One {
        let (store, next) = (store.clone(), next.clone());
        Arc::new(move || Box::pin(create(store.clone(), next.fetch_add(1, Relaxed), audited, whole)))
    };
    let contest: Vec<(&str, One)> = vec![
        ("the disk alone", on_disk),
        ("by hand", by_hand),
        ("store: insert", in_store(false, false)),
        ("store: look, insert", in_store(false, true)),
        ("store: look, insert, event", in_store(true, true)),
    ];
    if let Some(only) = std::env::args().nth(4) {
        let (_, one) = contest.iter().find(|(what, _)| *what == only).unwrap();
        let count = std::env::args().nth(5).map_or(64, |n| n.parse().expect("a number of clients"));
        let work = clients(count, Duration::from_secs(seconds), one).await;
        println!("  {only}: {:.0}/s, {:.1} us each", work.rate(), work.cost());
        return;
    }
    let mut sums = vec![[Work::default(); 2]; contest.len()];
    for _ in 0..seconds * 3 {
        for ((_, one), sums) in contest.iter().zip(&mut sums) {
            for (count, sum) in [1, 64].into_iter().zip(sums) {
                sum.add(clients(count, Duration::from_millis(330), one).await);
            }
        }
    }
    let (disk, hand) = (sums[0][0].rate(), sums[1][1].rate());
    for ((what, _), [one, many]) in contest.iter().zip(sums) {
        println!(
            "  {what:<27} 1 client {:>6.0}/s, {:>5.1} us of CPU ({:>3.0} % of the disk's)   64 clients {:>6.0}/s, {:>4.1} us of CPU ({:>4.1} x one, {:>3.0} % of by hand)",
            one.rate(),
            one.cost(),
            100.0 * one.rate() / disk,
            many.rate(),
            many.cost(),
            many.rate() / one.rate(),
            100.0 * many.rate() / hand
        );
    }
}

fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) / 1_024
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let mut args = std::env::args().skip(1);
    let records: u64 = args.next().map_or(1_000_000, |a| a.parse().expect("a number of records"));
    let seconds: u64 = args.next().map_or(2, |a| a.parse().expect("seconds"));
    let dir = tempfile::tempdir_in(args.next().unwrap_or_else(|| ".".to_owned())).unwrap();

    println!("writes, 2 worker threads");
    writes(dir.path(), records, seconds).await;

    if records == 0 {
        return;
    }
    println!("reads, one at a time");
    let file = dir.path().join("store.db");
    let store = Store::create(&file, &Fresh { key_proof: b"", at_millis: AT }).unwrap();
    load(&store, records).await;
    reads(&store, records, seconds).await;
    println!("  resident: {} MB", resident());
    println!(
        "  file: {} bytes a record (JSON {})",
        File::open(&file).unwrap().metadata().unwrap().len() / records,
        serde_json::to_string(&user(7)).unwrap().len()
    );
    let start = Instant::now();
    store.close().await.unwrap();
    drop(store);
    println!("close: {:.1?}", start.elapsed());
    let start = Instant::now();
    let store = Store::open(&file).unwrap();
    println!("open, {records} records: {:.1?}", start.elapsed());
    let start = Instant::now();
    store.backup(&dir.path().join("copy.db")).await.unwrap();
    println!("backup: {:.1?}", start.elapsed());
    let start = Instant::now();
    let report = store.check(&[store::Kind::of::<User>()]).await.unwrap();
    println!("check: {:.1?}, sound: {}", start.elapsed(), report.is_sound());
    println!("resident at the end: {} MB", resident());
}
