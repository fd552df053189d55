//! SQLite: all of its SQL, here and in the files beneath. Reads cost no thread: they run where they are asked, on a connection of
//! their own. Writes take turns on the one write connection: see [`lane`].

mod check;
mod copy;
mod edit;
mod feed;
mod file;
mod forget;
mod keeper;
mod lane;
mod schema;
mod session;
mod wal;

#[cfg(test)]
mod tests;

use crate::{About, Observer, Revision, StoreError, Who};
use lane::{Lane, Shared};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::JoinHandle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub(crate) use session::Session;

/// How many transactions read at once; more wait. Each connection has a cache of its own, so this bounds the memory.
const READERS: usize = 16;
/// The same, for questions that are asked while a transaction is open.
const INNER_READERS: usize = 8;
/// Pages that a connection caches, in KiB.
const READER_CACHE: u32 = 4_000;
const WRITER_CACHE: u32 = 16_000;

/// There was no room for an extension of the shared index of the log.
const SHM_FULL: i32 = rusqlite::ffi::SQLITE_IOERR_SHMSIZE;

impl From<rusqlite::Error> for StoreError {
    fn from(e: rusqlite::Error) -> Self {
        let extended = e.sqlite_error().map(|e| e.extended_code);
        if e.sqlite_error_code() == Some(ErrorCode::DiskFull) || extended == Some(SHM_FULL) {
            StoreError::Full
        } else {
            StoreError::Failed(e.into())
        }
    }
}

/// A store in one file.
pub(crate) struct Sqlite {
    file: PathBuf,
    about: About,
    readers: Arc<Readers>,
    /// For questions that are asked while a transaction is open: with the others' places they could wait for each other for ever.
    inner_readers: Arc<Readers>,
    lane: Arc<tokio::sync::Mutex<Lane>>,
    shared: Arc<Shared>,
    /// The committer and the keeper.
    threads: Vec<JoinHandle<()>>,
}

/// Connections that read, to be used again.
struct Readers {
    file: PathBuf,
    idle: Mutex<Vec<Connection>>,
    turns: Arc<Semaphore>,
}

/// A connection that reads, and its place among those that may.
struct Reader {
    connection: Connection,
    _turn: OwnedSemaphorePermit,
}

fn connect(file: &Path, cache: u32) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    // Reads of a whole page each; no memory map: it would count as resident once for every connection.
    connection.execute_batch(&format!(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000; PRAGMA temp_store = MEMORY;
         PRAGMA mmap_size = 0; PRAGMA cache_size = -{cache}; PRAGMA secure_delete = ON; PRAGMA wal_autocheckpoint = 0;"
    ))?;
    connection.set_prepared_statement_cache_capacity(64);
    // The bundled SQLite has STAT4: without this it compiles a cached statement again whenever a bound value changes, which costs more
    // than the lookup.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(connection)
}

impl Readers {
    async fn take(&self) -> Result<Reader, StoreError> {
        let turn = self.turns.clone().acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let idle = locked(&self.idle).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => {
                let connection = connect(&self.file, READER_CACHE)?;
                connection.execute_batch("PRAGMA query_only = ON")?;
                connection
            }
        };
        Ok(Reader { connection, _turn: turn })
    }

    /// Only a connection that is in no transaction comes here.
    fn give_back(&self, reader: Reader) {
        locked(&self.idle).push(reader.connection);
    }
}

impl Sqlite {
    fn start(file: &Path, about: About, connection: Connection) -> Result<Sqlite, StoreError> {
        let (keeper, called) = mpsc::channel();
        let (lane, shared, committer) = Lane::start(connection, keeper)?;
        let keeper = keeper::start(file, &lane, called)?;
        let readers = |most| Arc::new(Readers { file: file.to_owned(), idle: Mutex::default(), turns: Arc::new(Semaphore::new(most)) });
        Ok(Sqlite {
            file: file.to_owned(),
            about,
            readers: readers(READERS),
            inner_readers: readers(INNER_READERS),
            lane,
            shared,
            threads: vec![committer, keeper],
        })
    }

    pub(crate) fn about(&self) -> &About {
        &self.about
    }

    pub(crate) fn set_observer(&self, observer: Observer) {
        self.shared.set_observer(observer);
    }

    pub(crate) fn revision(&self) -> Result<Revision, StoreError> {
        Ok(self.shared.revision())
    }

    pub(crate) fn outbox_done(&self, up_to: i64) {
        self.shared.outbox_done(up_to);
    }

    pub(crate) fn read(&self) -> Session {
        Session::reading(self.readers.clone())
    }

    pub(crate) fn read_inside(&self) -> Session {
        Session::reading(self.inner_readers.clone())
    }

    pub(crate) async fn write(&self, who: &Who) -> Result<Session, StoreError> {
        let turn = self.shared.turn(&self.lane).await?;
        Ok(Session::writing(turn, who))
    }

    /// Runs a question on a connection that reads, outside of any transaction.
    async fn ask<T>(&self, question: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        let reader = self.readers.take().await?;
        let answer = question(&reader.connection)?;
        self.readers.give_back(reader);
        Ok(answer)
    }

    pub(crate) async fn meta(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.ask(|c| c.prepare_cached("SELECT value FROM meta WHERE name = ?1")?.query_row([name], |r| r.get(0)).optional()).await
    }

    /// Commits what runs, brings the log into the file, refuses writes from now on.
    pub(crate) async fn close(&self) -> Result<(), StoreError> {
        let mut lane = self.lane.clone().lock_owned().await;
        locked(&self.readers.idle).clear();
        locked(&self.inner_readers.idle).clear();
        lane.close()
    }
}

/// Dropped, it is one file again: the last connection brings the log in.
impl Drop for Sqlite {
    fn drop(&mut self) {
        self.shared.stop();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
