//! A copy of the store while it serves.

use super::file::Part;
use super::{Sqlite, connect, wal};
use crate::StoreError;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use std::io;
use std::path::Path;

impl Sqlite {
    pub(crate) async fn backup(&self, to: &Path) -> Result<(), StoreError> {
        let (file, to) = (self.file.clone(), to.to_owned());
        let copied = tokio::task::spawn_blocking(move || copy(&file, &to)).await;
        copied.map_err(|e| StoreError::Failed(e.into()))?
    }
}

/// On a connection of its own, in one step: one snapshot, which no writer waits for and none interrupts.
fn copy(file: &Path, to: &Path) -> Result<(), StoreError> {
    let failed = |e: io::Error| {
        if e.kind() == io::ErrorKind::AlreadyExists {
            StoreError::Exists(to.to_owned())
        } else if e.kind() == io::ErrorKind::StorageFull {
            StoreError::Full
        } else {
            StoreError::Failed(e.into())
        }
    };
    // A log that lies there would be taken for the copy's.
    for there in [to.to_owned(), wal::path(to)] {
        if there.try_exists().map_err(failed)? {
            return Err(StoreError::Exists(there));
        }
    }
    let part = Part::new(to).map_err(failed)?;
    let source = connect(file, 1_000)?;
    let mut copy = Connection::open_with_flags(&part.path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    copy.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -1000")?;
    let step = Backup::new(&source, &mut copy)?.step(-1)?;
    if step != StepResult::Done {
        return Err(StoreError::Failed("the copy was not finished".into()));
    }
    copy.close().map_err(|(_, e)| e)?;
    part.into_place(to).map_err(failed)
}
