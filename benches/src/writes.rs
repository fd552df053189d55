//! Durable writes: CreateUser beside the disk's own syncs, and beside a hand-written table with group commit.

use crate::Problem;
use crate::load::run_fresh;
use crate::report::Report;
use crate::rounds::{ROUNDS, Rounds};
use crate::server::{Server, root};
use crate::sign::query;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, Instant};

const TIME: Duration = Duration::from_secs(2);
const PAGE: usize = 4_096;
const PAGES: usize = 1_024;

pub fn measure(report: &mut Report) -> Result<(), Problem> {
    let folder = tempfile::tempdir()?;
    let server = Server::bailiwick(&folder.path().join("data"))?;
    let (mut syncs, mut alone, mut many, mut table) = (Rounds::default(), Rounds::default(), Rounds::default(), Rounds::default());
    for round in 0..ROUNDS {
        syncs.add(disk(folder.path())?);
        alone.add(create(&server, 1, 10_000, &format!("one-{round}"))?);
        many.add(create(&server, 64, 40_000, &format!("many-{round}"))?);
        table.add(hand_written(&folder.path().join(format!("table-{round}.db")), 64)?);
    }
    report.beside("the disk's own syncs", &format!("{syncs}/s"));
    let part = alone.over(&syncs).times(100.0);
    let found = format!("{part} % of the disk's; {alone}/s");
    report.line("durable CreateUser, one client", &found, "≥ 70 % of the disk's syncs", part.middle() >= 70.0);
    let target = if syncs.middle() < 1_000.0 { 5.0 } else { 2.5 };
    let more = many.over(&alone);
    report.line(
        "durable CreateUser, 64 clients",
        &format!("{more:.1} × of one; {many}/s"),
        &format!("≥ {target} ×"),
        more.middle() >= target,
    );
    let part = many.over(&table).times(100.0);
    let found = format!("{part} %; hand-written {table}/s");
    report.line("the same, beside a hand-written table's group commit", &found, "≥ 55 %", part.middle() >= 55.0);
    Ok(())
}

/// Users made in a second.
fn create(server: &Server, clients: usize, ahead: usize, prefix: &str) -> Result<f64, Problem> {
    let (host, prefix) = (server.address.to_string(), prefix.to_owned());
    let next = move |nth| query(&host, "iam", &format!("Action=CreateUser&Version=2010-05-08&UserName={prefix}-{nth}"), &root());
    Ok(run_fresh(server.address, clients, TIME, ahead, next)?.per_second)
}

/// How often the disk can be made to keep a small write, in a second. It is written where the file has room already, as a log that starts over
/// is: a file that grows costs the file system more.
fn disk(folder: &Path) -> Result<f64, Problem> {
    let file = File::create(folder.join("syncs"))?;
    file.write_all_at(&vec![1; PAGES * PAGE], 0)?;
    file.sync_all()?;
    let (began, mut count) = (Instant::now(), 0);
    while began.elapsed() < Duration::from_secs(2) {
        file.write_all_at(&[7; PAGE], (count % PAGES * PAGE) as u64)?;
        file.sync_data()?;
        count += 1;
    }
    Ok(count as f64 / began.elapsed().as_secs_f64())
}

/// A table of users and its history, written by hand: clients wait, one thread writes what waits in one transaction.
fn hand_written(file: &Path, clients: usize) -> Result<f64, Problem> {
    let connection = rusqlite::Connection::open(file)?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         CREATE TABLE users (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, value TEXT NOT NULL) WITHOUT ROWID;
         CREATE TABLE changes (seq INTEGER PRIMARY KEY, id TEXT NOT NULL, value TEXT NOT NULL);
         CREATE TABLE events (seq INTEGER PRIMARY KEY, text TEXT NOT NULL);",
    )?;
    let (send, receive) = mpsc::channel::<(String, mpsc::Sender<()>)>();
    let writer = std::thread::spawn(move || -> rusqlite::Result<()> {
        while let Ok(first) = receive.recv() {
            let mut waiting = vec![first];
            waiting.extend(receive.try_iter());
            connection.execute_batch("BEGIN IMMEDIATE")?;
            for (name, _) in &waiting {
                let value = format!(r#"{{"id":"AIDA{name}","name":"{name}","path":"/","created":1700000000}}"#);
                connection.prepare_cached("INSERT INTO users VALUES (?1, ?2, ?3)")?.execute((&format!("AIDA{name}"), name, &value))?;
                connection.prepare_cached("INSERT INTO changes (id, value) VALUES (?1, ?2)")?.execute((name, &value))?;
                connection.prepare_cached("INSERT INTO events (text) VALUES (?1)")?.execute([&"x".repeat(1_400)])?;
            }
            connection.execute_batch("COMMIT")?;
            for (_, done) in waiting {
                let _ = done.send(());
            }
        }
        Ok(())
    });
    let end = Instant::now() + TIME;
    let threads: Vec<_> = (0..clients)
        .map(|client| {
            let send = send.clone();
            std::thread::spawn(move || {
                let mut count = 0_u32;
                while Instant::now() < end {
                    let (done, wait) = mpsc::channel();
                    if send.send((format!("user-{client}-{count}"), done)).is_err() || wait.recv().is_err() {
                        break;
                    }
                    count += 1;
                }
                count
            })
        })
        .collect();
    drop(send);
    let total: u32 = threads.into_iter().map(|thread| thread.join().unwrap_or(0)).sum();
    writer.join().map_err(|_| "the writer panicked")??;
    Ok(f64::from(total) / TIME.as_secs_f64())
}
