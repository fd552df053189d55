//! Durable writes: CreateUser beside the disk's own syncs, and beside a hand-written table with group commit.

use crate::Problem;
use crate::load::run_fresh;
use crate::report::Report;
use crate::server::{Server, root};
use crate::sign::query;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, Instant};

const TIME: Duration = Duration::from_secs(5);

pub fn measure(report: &mut Report) -> Result<(), Problem> {
    let folder = tempfile::tempdir()?;
    let syncs = syncs(folder.path())?;
    report.beside("the disk's own syncs", &format!("{syncs:.0}/s"));
    let server = Server::bailiwick(&folder.path().join("data"))?;
    let host = server.address.to_string();
    let create = |run: usize| {
        let host = host.clone();
        move |nth| query(&host, "iam", &format!("Action=CreateUser&Version=2010-05-08&UserName=writer-{run}-{nth}"), &root())
    };
    let alone = run_fresh(server.address, 1, TIME, 20_000, create(1))?.per_second;
    let found = format!("{alone:.0}/s, {:.0} % of the disk's", 100.0 * alone / syncs);
    report.line("durable CreateUser, one client", &found, "≥ 70 % of the disk's syncs", alone >= 0.7 * syncs);
    let many = run_fresh(server.address, 64, TIME, 100_000, create(2))?.per_second;
    let target = if syncs < 1_000.0 { 5.0 } else { 2.5 };
    report.line(
        "durable CreateUser, 64 clients",
        &format!("{many:.0}/s, {:.1} × of one", many / alone),
        &format!("≥ {target} ×"),
        many >= target * alone,
    );
    let table = hand_written(folder.path(), 64)?;
    let found = format!("{many:.0}/s, hand-written {table:.0}/s, {:.0} %", 100.0 * many / table);
    report.line("the same, beside a hand-written table's group commit", &found, "≥ 55 %", many >= 0.55 * table);
    Ok(())
}

/// How often the disk can be made to keep a small write, in a second.
fn syncs(folder: &Path) -> Result<f64, Problem> {
    let mut file = File::create(folder.join("syncs"))?;
    let (began, mut count) = (Instant::now(), 0_u32);
    while began.elapsed() < Duration::from_secs(3) {
        file.write_all(&[7; 4096])?;
        file.sync_data()?;
        count += 1;
    }
    Ok(f64::from(count) / began.elapsed().as_secs_f64())
}

/// A table of users and its history, written by hand: clients wait, one thread writes what waits in one transaction.
fn hand_written(folder: &Path, clients: usize) -> Result<f64, Problem> {
    let connection = rusqlite::Connection::open(folder.join("table.db"))?;
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
