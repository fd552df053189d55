//! Records, transactions, history and the change feed. The embedded back end is SQLite.
//!
//! In reading order: [`Record`], what is kept, and [`KeyPart`], how it is ordered; [`Tx`], the verbs; then the seam to the back ends, each
//! with all its SQL; here, how a transaction runs. A rule is a closure that may run again, so it touches only its input and its
//! transaction. It opens no other transaction but by [`Store::read_inside`]: on SQLite writes take turns, and it would wait for itself.
//!
//! ```
//! use serde::{Deserialize, Serialize};
//! use store::{Fresh, Record, Store, StoreError, Stored, Who};
//!
//! #[derive(Serialize, Deserialize, Record)]
//! #[record(kind = "user", key = id, unique(by_name = name))]
//! struct User { id: String, name: String }
//!
//! # async fn example(dir: &std::path::Path) -> Result<(), Box<dyn std::error::Error>> {
//! let store = Store::create(&dir.join("store.db"), &Fresh { key_proof: b"", at_millis: 0 })?;
//! let who = Who { account: "111122223333".into(), caller: "arn:aws:iam::111122223333:root".into(), at_millis: 0 };
//! let alice = User { id: "AIDA1".into(), name: "alice".into() };
//! let done = store.write(&who, async |tx| tx.insert(&alice).await).await?;
//! assert_eq!(done.value, Stored::Done);
//! let found = store.read("111122223333", async |tx| tx.find(User::BY_NAME, &"alice".to_owned()).await).await?;
//! assert_eq!(found.map(|user: User| user.id), Some("AIDA1".into()));
//! # Ok(()) }
//! # let dir = tempfile::tempdir().unwrap();
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(example(dir.path())).unwrap();
//! ```

#[cfg(test)]
extern crate self as store;

mod backend;
mod check;
mod error;
mod key;
mod marker;
mod past;
mod record;
mod sqlite;
mod tx;

use backend::{Backend, Engine};
use std::path::Path;
use std::sync::Arc;
use tx::Open;

pub use check::{Kind, Report};
pub use error::{OpenError, Source, StoreError};
pub use key::KeyPart;
pub use marker::{Marker, NotAMarker};
#[doc(hidden)]
pub use record::{Entries, Indexed};
pub use record::{Index, Names, Record, Span};
pub use tx::{Mode, Page, Read, Stored, Tx, Write};

/// The account of records that belong to none: accounts themselves, access keys by their id.
pub const SHARED: &str = "-";

/// Numbers a transaction: later ones are greater, not the next. Its changes are seen together or not at all.
pub type Revision = i64;

/// For whom a transaction runs, and when: what its changes say of their origin.
#[derive(Debug, Clone)]
pub struct Who {
    /// Whose records the rule sees at first.
    pub account: String,
    /// The ARN of the caller.
    pub caller: String,
    /// Milliseconds since 1970.
    pub at_millis: i64,
}

/// One version of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The transaction that made it.
    pub revision: Revision,
    /// When, in milliseconds since 1970.
    pub at_millis: i64,
    /// The ARN of who made it.
    pub by: String,
    /// The kind of record.
    pub kind: String,
    /// The account that it is in.
    pub account: String,
    /// The bytes of its key.
    pub key: Vec<u8>,
    /// What it was then.
    pub version: Version,
}

/// What a change made of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Version {
    /// Its value, as JSON.
    Value(String),
    /// It was deleted.
    Deleted,
    /// It had a value, which was erased since: see `sealed` in [`macro@Record`].
    Erased,
}

/// That a record was changed: what an observer is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// The transaction that did it.
    pub revision: Revision,
    /// The kind of record.
    pub kind: &'static str,
    /// The account that it is in.
    pub account: Arc<str>,
    /// The bytes of its key.
    pub key: Vec<u8>,
}

/// Called with what changed, after it is durable and before the write that did it returns. It must be quick, and must not ask the store.
/// After one that panics the store writes nothing more: its caches could not be trusted.
pub type Observer = Arc<dyn Fn(&[Changed]) + Send + Sync>;

/// What a rule returned, durable.
#[derive(Debug)]
pub struct Done<T> {
    /// What the rule returned.
    pub value: T,
    /// What a cache must have reached to show what the rule did.
    pub revision: Revision,
    /// The numbers of its events in the outbox.
    pub events: Vec<i64>,
}

/// A value that is overwritten without a history: when a key was last used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// What kind of value it is.
    pub kind: &'static str,
    /// The account that it is in.
    pub account: String,
    /// Of what.
    pub key: String,
    /// The value.
    pub value: String,
}

/// The marks of a kind in an account whose keys begin alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marks<'m> {
    /// What kind of value they are.
    pub kind: &'m str,
    /// The account that they are in.
    pub account: &'m str,
    /// What their keys begin with.
    pub prefix: &'m str,
}

impl Marks<'_> {
    /// What comes after all of them.
    pub(crate) fn end(&self) -> String {
        format!("{}\u{10ffff}", self.prefix)
    }
}

/// Whether a one-time value was used before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Spent {
    /// Never, until now.
    Fresh,
    /// It was. Who presents it is to be refused.
    Already,
}

/// What a new store is given.
#[derive(Debug, Clone, Copy)]
pub struct Fresh<'f> {
    /// A value sealed under the master key: who can open it has the right key. Opaque here.
    pub key_proof: &'f [u8],
    /// Now, in milliseconds since 1970.
    pub at_millis: i64,
}

/// What a store says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// The version of its tables.
    pub schema: u32,
    /// Its own name, unique among all stores; a copy has the same.
    pub id: String,
    /// When it was made, in milliseconds since 1970.
    pub created_millis: i64,
}

/// More than the accounts that one rule touches.
const ATTEMPTS: usize = 8;

/// Where all state is.
pub struct Store {
    backend: Backend,
}

impl Store {
    /// Makes a new store in `file`, whole or not at all. The file is private to its owner, whatever the umask.
    pub fn create(file: &Path, fresh: &Fresh<'_>) -> Result<Store, OpenError> {
        sqlite::Sqlite::create(file, fresh).map(|s| Store { backend: Backend::Sqlite(s) })
    }

    /// Opens the store in `file`. Its header, length, tables and schema are looked at, not every page: that is [`Store::check`].
    /// An older schema is brought up to date, one transaction a step.
    pub fn open(file: &Path) -> Result<Store, OpenError> {
        sqlite::Sqlite::open(file).map(|s| Store { backend: Backend::Sqlite(s) })
    }

    /// What it says of itself.
    pub fn about(&self) -> &About {
        match &self.backend {
            Backend::Sqlite(s) => s.about(),
        }
    }

    /// What it was made with: see [`Fresh`].
    pub async fn key_proof(&self) -> Result<Option<Vec<u8>>, StoreError> {
        self.meta(KEY_PROOF).await
    }

    /// A value of the store itself, as [`Tx::set_meta`] left it.
    pub async fn meta(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        match &self.backend {
            Backend::Sqlite(s) => s.meta(name).await,
        }
    }

    /// Whom to tell of changes; replaces an earlier one.
    pub fn set_observer(&self, observer: Observer) {
        match &self.backend {
            Backend::Sqlite(s) => s.set_observer(observer),
        }
    }

    /// Runs `rule` on one snapshot of the present.
    pub async fn read<T, E, F>(&self, account: &str, rule: impl FnOnce(Tx<Read>) -> F) -> Result<T, E>
    where
        E: From<StoreError>,
        F: Future<Output = Result<T, E>> + Send,
    {
        let Backend::Sqlite(sqlite) = &self.backend;
        Store::look(Engine::Sqlite(sqlite.read()), account, None, rule).await
    }

    /// The same, for a rule that may run while its caller has a transaction open. It must itself open no other.
    pub async fn read_inside<T, E, F>(&self, account: &str, rule: impl FnOnce(Tx<Read>) -> F) -> Result<T, E>
    where
        E: From<StoreError>,
        F: Future<Output = Result<T, E>> + Send,
    {
        let Backend::Sqlite(sqlite) = &self.backend;
        Store::look(Engine::Sqlite(sqlite.read_inside()), account, None, rule).await
    }

    /// Runs `rule` on the state as it was after `revision`. Costs a walk over all changes since, once for each kind that it asks for.
    ///
    /// A `sealed` record that has changed since is not there: what it held was erased.
    pub async fn read_at<T, E, F>(&self, revision: Revision, account: &str, rule: impl FnOnce(Tx<Read>) -> F) -> Result<T, E>
    where
        E: From<StoreError>,
        F: Future<Output = Result<T, E>> + Send,
    {
        let Backend::Sqlite(sqlite) = &self.backend;
        Store::look(Engine::Sqlite(sqlite.read()), account, Some(revision), rule).await
    }

    async fn look<T, E, F>(engine: Engine, account: &str, at: Option<Revision>, rule: impl FnOnce(Tx<Read>) -> F) -> Result<T, E>
    where
        E: From<StoreError>,
        F: Future<Output = Result<T, E>> + Send,
    {
        let tx = Tx::new(Open::reading(engine, at), account);
        let result = rule(tx.clone()).await;
        tx.end(false).await?;
        result
    }

    /// Runs `rule` as one serializable transaction: an `Ok` is durable when this returns, an `Err` leaves nothing behind.
    /// On a conflict (which SQLite never has) it runs again.
    // `Fn(Tx) -> F` and not `AsyncFn(&Tx)`: of the latter's future no `Send` can be said today, so no server could spawn it.
    pub async fn write<T, E, F>(&self, who: &Who, rule: impl Fn(Tx<Write>) -> F) -> Result<Done<T>, E>
    where
        E: From<StoreError>,
        F: Future<Output = Result<T, E>> + Send,
    {
        for _ in 0..ATTEMPTS {
            let engine = match &self.backend {
                Backend::Sqlite(s) => Engine::Sqlite(s.write(who).await?),
            };
            let tx = Tx::new(Open::writing(engine), &who.account);
            let result = rule(tx.clone()).await;
            match tx.end(result.is_ok()).await {
                Ok(ended) => return result.map(|value| Done { value, revision: ended.revision, events: ended.events }),
                Err(StoreError::Conflict) => {}
                Err(other) => return Err(other.into()),
            }
        }
        Err(StoreError::Conflict.into())
    }

    /// The last revision: whoever has seen its changes has seen everything.
    pub async fn revision(&self) -> Result<Revision, StoreError> {
        match &self.backend {
            Backend::Sqlite(s) => s.revision(),
        }
    }

    /// The last revision that was written until a moment, in milliseconds since the epoch, as far as the history knows; 0, if none was.
    /// Reads the whole history.
    pub async fn revision_at(&self, millis: i64) -> Result<Revision, StoreError> {
        match &self.backend {
            Backend::Sqlite(s) => s.revision_at(millis).await,
        }
    }

    /// The changes of whole transactions after `revision`, in order: at least `limit` of them, if there are as many.
    pub async fn changes_after(&self, revision: Revision, limit: usize) -> Result<Vec<Change>, StoreError> {
        match &self.backend {
            Backend::Sqlite(s) => s.changes_after(revision, limit).await,
        }
    }

    /// Who changed a record, the latest first. Cheap for the first few versions of a record that exists; else a walk over all changes.
    pub async fn history<R: Record>(&self, account: &str, key: impl Names<R::Key>, limit: usize) -> Result<Vec<Change>, StoreError> {
        let key = key.bytes();
        match &self.backend {
            Backend::Sqlite(s) => s.history(R::KIND, account, &key, limit).await,
        }
    }

    /// Removes changes that say nothing of any state after `millis` (since 1970), a bounded slice at a time; returns how many.
    /// Revisions before that can no longer be read.
    pub async fn forget_before(&self, millis: i64) -> Result<u64, StoreError> {
        match &self.backend {
            Backend::Sqlite(s) => s.forget_before(millis).await,
        }
    }

    /// The oldest events that were not said to be done, with their numbers, in the order of their commits.
    pub async fn outbox(&self, limit: usize) -> Result<Vec<(i64, String)>, StoreError> {
        match &self.backend {
            Backend::Sqlite(s) => s.outbox(limit).await,
        }
    }

    /// Says that the events up to this number are safe elsewhere. They are removed with some later commit.
    pub fn outbox_done(&self, up_to: i64) {
        match &self.backend {
            Backend::Sqlite(s) => s.outbox_done(up_to),
        }
    }

    /// Overwrites marks. Durable when it returns.
    pub async fn put_marks(&self, marks: Vec<Mark>) -> Result<(), StoreError> {
        match &self.backend {
            Backend::Sqlite(s) => s.put_marks(marks).await,
        }
    }

    /// The value of one mark.
    pub async fn mark(&self, kind: &str, account: &str, key: &str) -> Result<Option<String>, StoreError> {
        match &self.backend {
            Backend::Sqlite(s) => s.mark(kind, account, key).await,
        }
    }

    /// Marks of a kind in an account whose keys begin with `prefix` and come after `after`, by key: no more than `limit`.
    pub async fn marks(&self, span: &Marks<'_>, after: Option<&str>, limit: usize) -> Result<Vec<(String, String)>, StoreError> {
        match &self.backend {
            Backend::Sqlite(s) => s.marks(span, after, limit).await,
        }
    }

    /// Removes marks. Durable when it returns.
    pub async fn remove_marks(&self, span: &Marks<'_>) -> Result<(), StoreError> {
        match &self.backend {
            Backend::Sqlite(s) => s.remove_marks(span).await,
        }
    }

    /// Uses a one-time value up, in a transaction of its own: for rules that only read. A rule that writes has [`Tx::spend`].
    pub async fn spend(&self, kind: &str, account: &str, id: &str, now_millis: i64, until_millis: i64) -> Result<Spent, StoreError> {
        let who = Who { account: account.to_owned(), caller: String::new(), at_millis: now_millis };
        let spent: Done<Spent> = self.write(&who, async |tx| tx.spend(kind, id, now_millis, until_millis).await).await?;
        Ok(spent.value)
    }

    /// Copies the store as it is now into a new file, while it serves. The copy is whole, durable, and private to its owner.
    pub async fn backup(&self, to: &Path) -> Result<(), StoreError> {
        match &self.backend {
            Backend::Sqlite(s) => s.backup(to).await,
        }
    }

    /// Reads everything, while it serves, and says what is wrong. Of `kinds` it also computes again what the indexes must hold.
    pub async fn check(&self, kinds: &[Kind]) -> Result<Report, StoreError> {
        match &self.backend {
            Backend::Sqlite(s) => s.check(kinds).await,
        }
    }

    /// Ends writing: waits for the transaction that runs, brings everything into the one file. Writes after that are refused.
    pub async fn close(&self) -> Result<(), StoreError> {
        match &self.backend {
            Backend::Sqlite(s) => s.close().await,
        }
    }
}

/// The name of the key proof in the table of the store's own values.
const KEY_PROOF: &str = "key_proof";
