//! What a check finds, and what it must be told: how the records of each kind are read.

use crate::StoreError;
use crate::record::{Entries, Entry, Record};
use crate::tx::decode;

/// Key and entries of a stored value.
pub(crate) type Reading = Result<(Vec<u8>, Vec<Entry>), StoreError>;

/// A kind of record, for [`crate::Store::check`].
#[derive(Clone, Copy)]
pub struct Kind {
    pub(crate) name: &'static str,
    pub(crate) read: fn(&str) -> Reading,
}

impl Kind {
    /// The kind of `R`.
    pub fn of<R: Record>() -> Kind {
        Kind { name: R::KIND, read: |value| decode::<R>(value).map(|record| (record.key(), Entries::of(&record))) }
    }

    /// Its name in the store.
    pub fn name(&self) -> &'static str {
        self.name
    }
}

/// What a check found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// How many records there are.
    pub records: u64,
    /// How many entries their indexes have.
    pub entries: u64,
    /// How many changes the history has.
    pub changes: u64,
    /// What is wrong, a sentence each; only the first of very many.
    pub problems: Vec<String>,
    /// Kinds that are stored, but of which the check was not told.
    pub unknown_kinds: Vec<String>,
}

impl Report {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.problems.is_empty()
    }
}
