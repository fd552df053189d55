//! What can go wrong. The words are for the log: no caller of an API sees them.

use std::path::PathBuf;

/// The cause of a failure, for the log.
pub type Source = Box<dyn std::error::Error + Send + Sync>;

/// Why a transaction, or a question to the store, failed. Nothing of it was kept.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk is full: nothing can be written until there is room. Reads go on.
    #[error("the disk is full")]
    Full,
    /// The database failed.
    #[error("the database failed")]
    Failed(#[source] Source),
    /// A stored record of this kind is not what its struct reads.
    #[error("a stored {0} cannot be read")]
    Unreadable(&'static str, #[source] serde_json::Error),
    /// Another transaction came between. [`crate::Store::write`] runs the rule again; nobody else needs to look for it.
    #[error("too many transactions changed the same records")]
    Conflict,
    /// The history no longer reaches back to that revision: see [`crate::Store::forget_before`].
    #[error("the history no longer reaches that far back")]
    Forgotten,
    /// [`crate::Store::close`] was called.
    #[error("the store is closed")]
    Closed,
    /// A file that is there is never overwritten.
    #[error("{} is already there", .0.display())]
    Exists(PathBuf),
}

/// Why a store was not opened. Nothing in it was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no such file.
    #[error("{} is not there", .0.display())]
    Missing(PathBuf),
    /// A store to be created is already there.
    #[error("{} is already there", .0.display())]
    Exists(PathBuf),
    /// A later release wrote it.
    #[error(
        "the store has schema {found}, and this release knows no later one than {known}: use the release that wrote it, or a later one"
    )]
    Newer {
        /// The schema of the store.
        found: u32,
        /// The last schema that this release knows.
        known: u32,
    },
    /// The file is not a whole store.
    #[error("the store is damaged: {0}")]
    Damaged(String),
    /// The file cannot be read or made.
    #[error("the store cannot be opened")]
    Io(#[from] std::io::Error),
    /// The database failed.
    #[error("the database failed")]
    Failed(#[source] Source),
}
