//! What is done beside the writing: bringing the log into the file, and tidying up.
//!
//! SQLite starts its log over only when all of it is in the file, and nobody wrote meanwhile. So the bulk is brought over while others
//! write; then a turn is taken for the little that came since.

use super::connect;
use super::lane::{Call, Lane};
use crate::StoreError;
use rusqlite::Connection;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long after the last call it tidies up.
const IDLE: Duration = Duration::from_secs(1);
/// Pages of log that are worth bringing over: a page that was written often is brought over once.
const LONG: i64 = 4_000;

type Shared = tokio::sync::Mutex<Lane>;

/// Starts the keeper's thread.
pub(super) fn start(file: &Path, lane: &Arc<Shared>, called: mpsc::Receiver<Call>) -> Result<JoinHandle<()>, StoreError> {
    let connection = connect(file, 1_000)?;
    // It waits for no reader: there is another time.
    connection.execute_batch("PRAGMA busy_timeout = 0")?;
    let lane = lane.clone();
    let thread = std::thread::Builder::new().name("keep".into());
    thread.spawn(move || keep(&connection, &lane, &called)).map_err(|e| StoreError::Failed(e.into()))
}

fn keep(connection: &Connection, lane: &Shared, called: &mpsc::Receiver<Call>) {
    loop {
        // A failure costs room, not data, and it is tried again.
        let _ = match called.recv_timeout(IDLE) {
            Ok(Call::Work) => shorten(connection, lane),
            Err(RecvTimeoutError::Timeout) => tidy(connection, lane),
            Ok(Call::Stop) | Err(RecvTimeoutError::Disconnected) => return,
        };
    }
}

fn tidy(connection: &Connection, lane: &Shared) -> rusqlite::Result<()> {
    let mut lane = lane.blocking_lock();
    if lane.tidy() {
        cut_off(connection, &mut lane)?;
    }
    Ok(())
}

/// Older copies of what was erased are in the log until it is cut off.
fn cut_off(connection: &Connection, lane: &mut Lane) -> rusqlite::Result<()> {
    lane.commit();
    let (busy, ..) = checkpoint(connection, "PRAGMA wal_checkpoint(TRUNCATE)")?;
    lane.erased = busy != 0;
    Ok(())
}

fn shorten(connection: &Connection, lane: &Shared) -> rusqlite::Result<()> {
    let (_, length, brought) = checkpoint(connection, "PRAGMA wal_checkpoint(NOOP)")?;
    if length < LONG || length == brought {
        return Ok(());
    }
    checkpoint(connection, "PRAGMA wal_checkpoint(PASSIVE)")?;
    let mut lane = lane.blocking_lock();
    if lane.erased {
        return cut_off(connection, &mut lane);
    }
    lane.commit();
    checkpoint(connection, "PRAGMA wal_checkpoint(PASSIVE)").map(drop)
}

/// Whether something was in the way; the pages in the log; how many of them are in the file.
fn checkpoint(connection: &Connection, sql: &str) -> rusqlite::Result<(i64, i64, i64)> {
    connection.prepare_cached(sql)?.query_row([], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))
}
