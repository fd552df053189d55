//! What a back end must be able to do. All of it is here: records are rows below this line, and no SQL is above it.
//!
//! A second back end is one more file, one more arm of [`Backend`] and of [`Engine`], and one more line in the conformance suite.

use crate::record::Entry;
use crate::sqlite;
use crate::{Revision, Spent, StoreError};

/// The database of a store.
pub(crate) enum Backend {
    Sqlite(sqlite::Sqlite),
}

/// A row where a scan met it: `at` is its entry, or its key.
pub(crate) struct Row {
    pub(crate) at: Vec<u8>,
    pub(crate) key: Vec<u8>,
    pub(crate) value: String,
}

/// Entries of an index (keys, if it is empty) in `from..to`.
pub(crate) struct Range<'r> {
    pub(crate) kind: &'static str,
    pub(crate) account: &'r str,
    pub(crate) index: &'static str,
    pub(crate) from: Vec<u8>,
    pub(crate) to: Vec<u8>,
    pub(crate) limit: i64,
}

/// One new version of one record, with what it does to the entries.
pub(crate) struct Edit<'r> {
    pub(crate) kind: &'static str,
    pub(crate) account: &'r str,
    pub(crate) key: &'r [u8],
    pub(crate) existed: bool,
    /// Erase what older versions held.
    pub(crate) sealed: bool,
    pub(crate) value: Option<&'r str>,
    pub(crate) gone: Vec<Entry>,
    pub(crate) added: Vec<Entry>,
}

/// A key, and what it held at a past revision.
pub(crate) type Then = (Vec<u8>, Option<String>);

/// A value that can be used once, as [`crate::Tx::spend`] is given it.
pub(crate) struct Once<'r> {
    pub(crate) kind: &'r str,
    pub(crate) account: &'r str,
    pub(crate) id: &'r str,
    pub(crate) now_millis: i64,
    pub(crate) until_millis: i64,
}

/// What a committed transaction left.
#[derive(Debug, Default, Clone)]
pub(crate) struct Ended {
    pub(crate) revision: Revision,
    pub(crate) events: Vec<i64>,
}

/// What happens inside a transaction.
pub(crate) trait Session {
    /// The value of one record.
    fn row(&self, kind: &'static str, account: &str, key: &[u8]) -> impl Future<Output = Result<Option<String>, StoreError>> + Send;
    /// The record that an entry of a unique index names.
    fn find(
        &self,
        kind: &'static str,
        index: &'static str,
        account: &str,
        entry: &[u8],
    ) -> impl Future<Output = Result<Option<Row>, StoreError>> + Send;
    /// A slice of an index, in order.
    fn page(&self, range: &Range<'_>) -> impl Future<Output = Result<Vec<Row>, StoreError>> + Send;
    /// How many entries a slice of an index has.
    fn count(&self, range: &Range<'_>) -> impl Future<Output = Result<i64, StoreError>> + Send;
    /// What the records of a kind that changed after `at` were then. `Forgotten` if the history does not tell.
    fn before(&self, kind: &'static str, account: &str, at: Revision) -> impl Future<Output = Result<Vec<Then>, StoreError>> + Send;
    /// The revision that this transaction writes, or the last one that it sees.
    fn revision(&self) -> impl Future<Output = Result<Revision, StoreError>> + Send;
    /// `false` says that the key or a unique entry was taken, and that nothing was changed.
    fn apply(&self, edit: &Edit<'_>) -> impl Future<Output = Result<bool, StoreError>> + Send;
    /// Appends to the outbox.
    fn event(&self, text: &str) -> impl Future<Output = Result<i64, StoreError>> + Send;
    /// Uses a one-time value up.
    fn spend(&self, once: &Once<'_>) -> impl Future<Output = Result<Spent, StoreError>> + Send;
    /// Sets a value of the store itself.
    fn set_meta(&self, name: &str, value: &[u8]) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// Commits or rolls back, and returns when that is durable.
    fn end(&self, keep: bool) -> impl Future<Output = Result<Ended, StoreError>> + Send;
}

/// An open transaction on one of the back ends.
pub(crate) enum Engine {
    Sqlite(sqlite::Session),
}

macro_rules! each {
    ($self:expr, $session:ident => $call:expr) => {
        match $self {
            Engine::Sqlite($session) => $call.await,
        }
    };
}

impl Engine {
    /// Gives a snapshot back; the next question takes a later one.
    pub(crate) fn pause(&self) {
        match self {
            Engine::Sqlite(session) => session.pause(),
        }
    }
}

impl Session for Engine {
    async fn row(&self, kind: &'static str, account: &str, key: &[u8]) -> Result<Option<String>, StoreError> {
        each!(self, s => s.row(kind, account, key))
    }
    async fn find(&self, kind: &'static str, index: &'static str, account: &str, entry: &[u8]) -> Result<Option<Row>, StoreError> {
        each!(self, s => s.find(kind, index, account, entry))
    }
    async fn page(&self, range: &Range<'_>) -> Result<Vec<Row>, StoreError> {
        each!(self, s => s.page(range))
    }
    async fn count(&self, range: &Range<'_>) -> Result<i64, StoreError> {
        each!(self, s => s.count(range))
    }
    async fn before(&self, kind: &'static str, account: &str, at: Revision) -> Result<Vec<Then>, StoreError> {
        each!(self, s => s.before(kind, account, at))
    }
    async fn revision(&self) -> Result<Revision, StoreError> {
        each!(self, s => s.revision())
    }
    async fn apply(&self, edit: &Edit<'_>) -> Result<bool, StoreError> {
        each!(self, s => s.apply(edit))
    }
    async fn event(&self, text: &str) -> Result<i64, StoreError> {
        each!(self, s => s.event(text))
    }
    async fn spend(&self, once: &Once<'_>) -> Result<Spent, StoreError> {
        each!(self, s => s.spend(once))
    }
    async fn set_meta(&self, name: &str, value: &[u8]) -> Result<(), StoreError> {
        each!(self, s => s.set_meta(name, value))
    }
    async fn end(&self, keep: bool) -> Result<Ended, StoreError> {
        each!(self, s => s.end(keep))
    }
}
