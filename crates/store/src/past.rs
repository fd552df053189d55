//! The past is the present with what came later undone.
//!
//! Of each kind that a rule asks for in an account, what has changed since is fetched once; its entries are computed again, since
//! entries of the past are not kept. A question is then put to the present, and what has changed since is taken from here.

use crate::backend::{Range, Row, Then};
use crate::record::{Entries, Entry, Record};
use crate::tx::decode;
use crate::{Revision, StoreError};
use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::{Arc, Mutex, PoisonError};

/// A past revision, and what was undone so far to reach it.
pub(crate) struct Past {
    pub(crate) at: Revision,
    undone: Mutex<HashMap<Asked, Arc<Undone>>>,
}

/// Kind and account.
type Asked = (&'static str, Arc<str>);

impl Past {
    pub(crate) fn new(at: Revision) -> Past {
        Past { at, undone: Mutex::default() }
    }

    pub(crate) fn undone(&self, kind: &'static str, account: &Arc<str>) -> Option<Arc<Undone>> {
        self.undone.lock().unwrap_or_else(PoisonError::into_inner).get(&(kind, account.clone())).cloned()
    }

    pub(crate) fn learn(&self, kind: &'static str, account: &Arc<str>, undone: Undone) -> Arc<Undone> {
        let undone = Arc::new(undone);
        self.undone.lock().unwrap_or_else(PoisonError::into_inner).insert((kind, account.clone()), undone.clone());
        undone
    }
}

/// The records of one kind in one account that have changed since, as they were.
pub(crate) struct Undone {
    values: HashMap<Vec<u8>, Option<String>>,
    /// Where they stood in each index, and in the order of keys; and their keys.
    entries: BTreeMap<Entry, Vec<u8>>,
}

impl Undone {
    pub(crate) fn of<R: Record>(then: Vec<Then>) -> Result<Undone, StoreError> {
        let mut entries = BTreeMap::new();
        for (key, value) in &then {
            let Some(value) = value else { continue };
            for entry in Entries::of(&decode::<R>(value)?) {
                entries.insert(entry, key.clone());
            }
            entries.insert(("", key.clone()), key.clone());
        }
        Ok(Undone { values: then.into_iter().collect(), entries })
    }

    /// What this record was, if it has changed since.
    pub(crate) fn get(&self, key: &[u8]) -> Option<Option<&str>> {
        self.values.get(key).map(Option::as_deref)
    }

    /// Whose entry this was, of what has changed since.
    pub(crate) fn find(&self, index: &'static str, entry: &[u8]) -> Option<&str> {
        let key = self.entries.get(&(index, entry.to_vec()))?;
        self.get(key).flatten()
    }

    /// Turns a slice of the present into one of the past. `end` is where it stopped, if not at the end of the range.
    pub(crate) fn replace(&self, range: &Range<'_>, end: Option<&[u8]>, rows: &mut Vec<Row>) {
        rows.retain(|row| !self.values.contains_key(&row.key));
        let from = Bound::Included((range.index, range.from.clone()));
        let to = end.map_or_else(|| Bound::Excluded((range.index, range.to.clone())), |end| Bound::Included((range.index, end.to_vec())));
        if range.from >= range.to {
            return;
        }
        for ((_, at), key) in self.entries.range((from, to)) {
            if let Some(value) = self.get(key).flatten() {
                rows.push(Row { at: at.clone(), key: key.clone(), value: value.to_owned() });
            }
        }
        rows.sort_unstable_by(|a, b| a.at.cmp(&b.at));
    }
}
