//! A transaction as a rule sees it: few verbs, typed by record and by mode. Here records become rows; below are only rows.

use crate::backend::{Edit, Ended, Engine, Once, Range, Row, Session};
use crate::key::past;
use crate::past::{Past, Undone};
use crate::record::{Entries, Index, Names, Record, Span};
use crate::{Marker, Revision, Spent, StoreError};
use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};

/// What a transaction may do.
pub trait Mode: sealed::Sealed + Send + Sync + 'static {}

/// Sees one snapshot; holds nobody up. It has no verb that writes:
/// ```compile_fail,E0599
/// async fn rule<R: store::Record>(tx: store::Tx<store::Read>, record: &R) { let _ = tx.insert(record).await; }
/// ```
#[derive(Debug)]
pub struct Read;

/// Serializable.
#[derive(Debug)]
pub struct Write;

impl Mode for Read {}
impl Mode for Write {}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Read {}
    impl Sealed for super::Write {}
}

/// Whether the key and the unique indexes were free. What it means that they were not is the rule's to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Stored {
    /// It is stored.
    Done,
    /// Another record has its key, or what it wants in a unique index. Nothing was changed.
    Taken,
}

/// A page may be short, also empty, and still have a next one: then the filter passed over much.
#[derive(Debug)]
pub struct Page<R> {
    /// In the order of the index.
    pub records: Vec<R>,
    /// Where the next page begins, unless this was the last.
    pub next: Option<Marker>,
}

/// How many records a scan looks at before it returns what it has.
const LOOK_AT: usize = 10_000;

/// A transaction in one account. A handle that owns its share: so a rule's future is `Send` with no lifetime to be general over.
pub struct Tx<M> {
    open: Arc<Open>,
    account: Arc<str>,
    mode: PhantomData<M>,
}

impl<M> Clone for Tx<M> {
    fn clone(&self) -> Self {
        Tx { open: self.open.clone(), account: self.account.clone(), mode: PhantomData }
    }
}

impl<M: Mode> Tx<M> {
    pub(crate) fn new(open: Open, account: &str) -> Self {
        Tx { open: Arc::new(open), account: account.into(), mode: PhantomData }
    }

    pub(crate) async fn end(&self, keep: bool) -> Result<Ended, StoreError> {
        self.open.engine.end(keep).await
    }

    /// The account whose records this handle sees.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The same transaction in another account.
    pub fn in_account(&self, account: &str) -> Self {
        Tx { open: self.open.clone(), account: account.into(), mode: PhantomData }
    }

    /// The same transaction for whoever only reads.
    pub fn reading(&self) -> Tx<Read> {
        Tx { open: self.open.clone(), account: self.account.clone(), mode: PhantomData }
    }

    /// The revision that this transaction writes; of one that only reads, the last that it sees.
    pub async fn revision(&self) -> Result<Revision, StoreError> {
        match &self.open.past {
            Some(past) => Ok(past.at),
            None => self.open.engine.revision().await,
        }
    }

    /// The record with this key.
    pub async fn get<R: Record>(&self, key: impl Names<R::Key>) -> Result<Option<R>, StoreError> {
        self.current::<R>(&key.bytes()).await?.map(|value| decode::<R>(&value)).transpose()
    }

    /// The record to which this value of a unique index belongs.
    pub async fn find<R: Record, K>(&self, index: Index<R, K, true>, key: impl Names<K>) -> Result<Option<R>, StoreError> {
        let entry = key.bytes();
        if index.name.is_empty() {
            return self.current::<R>(&entry).await?.map(|value| decode::<R>(&value)).transpose();
        }
        let undone = self.undone::<R>().await?;
        if let Some(value) = undone.as_ref().and_then(|u| u.find(index.name, &entry)) {
            return decode::<R>(value).map(Some);
        }
        let Some(row) = self.open.engine.find(R::KIND, index.name, &self.account, &entry).await? else { return Ok(None) };
        if undone.is_some_and(|u| u.get(&row.key).is_some()) {
            return Ok(None);
        }
        let record = decode::<R>(&row.value)?;
        self.open.saw(R::KIND, &self.account, row);
        Ok(Some(record))
    }

    /// Up to `limit` records that pass `keep`, in order, from the marker on.
    pub async fn scan<R: Record>(
        &self,
        span: Span<R>,
        after: Option<&Marker>,
        limit: usize,
        keep: impl Fn(&R) -> bool,
    ) -> Result<Page<R>, StoreError> {
        let (mut records, mut looked_at) = (Vec::new(), 0);
        let mut from = after.map(|marker| marker.0.clone());
        loop {
            let size = limit.saturating_sub(records.len()).saturating_add(1).max(if looked_at == 0 { 0 } else { 256 });
            let slice = self.slice(&span, from.as_deref(), size.min(LOOK_AT)).await?;
            looked_at += size;
            for row in slice.rows {
                let record = decode::<R>(&row.value)?;
                let at = if keep(&record) {
                    if records.len() == limit {
                        return Ok(Page { records, next: from.map(Marker) });
                    }
                    records.push(record);
                    let at = row.at.clone();
                    self.open.saw(R::KIND, &self.account, row);
                    at
                } else {
                    row.at
                };
                from = Some(at);
            }
            let Some(end) = slice.end else { return Ok(Page { records, next: None }) };
            from = Some(end);
            if looked_at >= LOOK_AT {
                return Ok(Page { records, next: from.map(Marker) });
            }
            tokio::task::yield_now().await; // SQLite reads on this thread: let others on
        }
    }

    /// How many there are, but no more than `at_most`: a quota needs no more, and the cost is that of `at_most` entries.
    pub async fn count<R: Record>(&self, span: Span<R>, at_most: usize) -> Result<usize, StoreError> {
        if self.open.past.is_none() {
            return Ok(usize::try_from(self.open.engine.count(&self.range(&span, None, at_most)).await?).unwrap_or(0));
        }
        let (mut count, mut from) = (0, None::<Vec<u8>>);
        loop {
            let slice = self.slice(&span, from.as_deref(), 256).await?;
            count += slice.rows.len();
            if slice.end.is_none() || count >= at_most {
                return Ok(count.min(at_most));
            }
            from = slice.end;
            tokio::task::yield_now().await;
        }
    }

    fn range<'r, R: Record>(&'r self, span: &Span<R>, after: Option<&[u8]>, limit: usize) -> Range<'r> {
        let from = match after {
            Some(after) if after >= span.prefix.as_slice() => [after, &[0]].concat(), // the least that is greater
            _ => span.prefix.clone(),
        };
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        Range { kind: R::KIND, account: &self.account, index: span.index, from, to: past(&span.prefix), limit }
    }

    async fn slice<R: Record>(&self, span: &Span<R>, after: Option<&[u8]>, size: usize) -> Result<Slice, StoreError> {
        let range = self.range(span, after, size);
        let undone = self.undone::<R>().await?;
        let mut rows = self.open.engine.page(&range).await?;
        let end = if rows.len() < size { None } else { rows.last().map(|row| row.at.clone()) };
        if let Some(undone) = undone {
            undone.replace(&range, end.as_deref(), &mut rows);
        }
        Ok(Slice { rows, end })
    }

    /// What has changed since the past that this transaction looks at; nothing, if it looks at the present.
    async fn undone<R: Record>(&self) -> Result<Option<Arc<Undone>>, StoreError> {
        let Some(past) = &self.open.past else { return Ok(None) };
        if let Some(undone) = past.undone(R::KIND, &self.account) {
            return Ok(Some(undone));
        }
        let then = self.open.engine.before(R::KIND, &self.account, past.at).await?;
        Ok(Some(past.learn(R::KIND, &self.account, Undone::of::<R>(then)?)))
    }

    async fn current<R: Record>(&self, key: &[u8]) -> Result<Option<String>, StoreError> {
        if let Some(then) = self.undone::<R>().await?.as_ref().and_then(|u| u.get(key)) {
            return Ok(then.map(str::to_owned));
        }
        if let Some(value) = self.open.seen(R::KIND, &self.account, key) {
            return Ok(Some(value));
        }
        let value = self.open.engine.row(R::KIND, &self.account, key).await?;
        if let Some(value) = &value {
            self.open.know(R::KIND, &self.account, key, value);
        }
        Ok(value)
    }
}

impl Tx<Read> {
    /// Gives the snapshot back before something slow that needs nothing of it. Who asks again sees a later one.
    pub fn pause(&self) {
        self.open.engine.pause();
    }
}

impl Tx<Write> {
    /// Stores a record whose key is new.
    pub async fn insert<R: Record>(&self, record: &R) -> Result<Stored, StoreError> {
        self.store::<R>(&record.key(), None, Some(record)).await
    }

    /// Puts `record` in the place of the one with its key, or stores it as a new one. `Taken` says that another holds what it wants in a
    /// unique index.
    pub async fn put<R: Record>(&self, record: &R) -> Result<Stored, StoreError> {
        let key = record.key();
        let old = self.current::<R>(&key).await?;
        self.store(&key, old, Some(record)).await
    }

    /// Says whether it was there.
    pub async fn delete<R: Record>(&self, key: impl Names<R::Key>) -> Result<bool, StoreError> {
        let key = key.bytes();
        let Some(old) = self.current::<R>(&key).await? else { return Ok(false) };
        Ok(self.store::<R>(&key, Some(old), None).await? == Stored::Done)
    }

    /// Appends `text` to the outbox, as part of this transaction. Its number is also in [`crate::Done`].
    pub async fn event(&self, text: &str) -> Result<i64, StoreError> {
        self.open.engine.event(text).await
    }

    /// Uses a one-time value up: [`Spent::Already`] if it was used before, and that use is kept until `until_millis`.
    pub async fn spend(&self, kind: &str, id: &str, now_millis: i64, until_millis: i64) -> Result<Spent, StoreError> {
        self.open.engine.spend(&Once { kind, account: &self.account, id, now_millis, until_millis }).await
    }

    /// Sets a value of the store itself, which [`crate::Store::meta`] reads. It has no history.
    pub async fn set_meta(&self, name: &str, value: &[u8]) -> Result<(), StoreError> {
        self.open.engine.set_meta(name, value).await
    }

    /// Only the entries that differ are touched, so a change that moves no index costs two rows.
    async fn store<R: Record>(&self, key: &[u8], old: Option<String>, new: Option<&R>) -> Result<Stored, StoreError> {
        let had = old.as_deref().map(decode::<R>).transpose()?.map_or_else(Vec::new, |record| Entries::of(&record));
        let has = new.map_or_else(Vec::new, Entries::of);
        let value = new.map(serde_json::to_string).transpose().map_err(|e| StoreError::Unreadable(R::KIND, e))?;
        if value.is_some() && value == old {
            return Ok(Stored::Done);
        }
        let edit = Edit {
            kind: R::KIND,
            account: &self.account,
            key,
            existed: old.is_some(),
            sealed: R::SEALED,
            value: value.as_deref(),
            gone: had.iter().filter(|e| !has.contains(e)).cloned().collect(),
            added: has.into_iter().filter(|e| !had.contains(e)).collect(),
        };
        if !self.open.engine.apply(&edit).await? {
            return Ok(Stored::Taken);
        }
        self.open.forget(R::KIND, &self.account, key);
        Ok(Stored::Done)
    }
}

/// A slice of an index; `end` is where it stopped, if there may be more.
struct Slice {
    rows: Vec<Row>,
    end: Option<Vec<u8>>,
}

pub(crate) fn decode<R: Record>(value: &str) -> Result<R, StoreError> {
    serde_json::from_str(value).map_err(|e| StoreError::Unreadable(R::KIND, e))
}

type Place = (&'static str, Arc<str>, Vec<u8>);

/// An open transaction: its session; the past that it looks at; and, of one that writes, the values that it has seen, so that `put`
/// after `get` asks nothing twice.
pub(crate) struct Open {
    engine: Engine,
    past: Option<Past>,
    seen: Option<Mutex<HashMap<Place, String>>>,
}

impl Open {
    pub(crate) fn reading(engine: Engine, at: Option<Revision>) -> Self {
        Open { engine, past: at.map(Past::new), seen: None }
    }

    pub(crate) fn writing(engine: Engine) -> Self {
        Open { engine, past: None, seen: Some(Mutex::default()) }
    }

    fn seen(&self, kind: &'static str, account: &Arc<str>, key: &[u8]) -> Option<String> {
        let seen = self.seen.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.is_empty() { None } else { seen.get(&(kind, account.clone(), key.to_owned())).cloned() }
    }

    fn know(&self, kind: &'static str, account: &Arc<str>, key: &[u8], value: &str) {
        if let Some(seen) = &self.seen {
            let place = (kind, account.clone(), key.to_owned());
            seen.lock().unwrap_or_else(PoisonError::into_inner).insert(place, value.to_owned());
        }
    }

    fn saw(&self, kind: &'static str, account: &Arc<str>, row: Row) {
        if let Some(seen) = &self.seen {
            seen.lock().unwrap_or_else(PoisonError::into_inner).insert((kind, account.clone(), row.key), row.value);
        }
    }

    fn forget(&self, kind: &'static str, account: &Arc<str>, key: &[u8]) {
        if let Some(seen) = &self.seen {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            if !seen.is_empty() {
                seen.remove(&(kind, account.clone(), key.to_owned()));
            }
        }
    }
}
