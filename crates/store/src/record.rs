//! What a record is: a serde struct, a key inside its account, entries in named indexes.
//!
//! A non-unique entry ends with the record's key; so one primary key over all entries is also what keeps unique indexes unique.

use crate::key::KeyPart;
use serde::{Serialize, de::DeserializeOwned};
use std::marker::PhantomData;

pub use record_derive::Record;

/// A struct that the store keeps. Derived; see [`macro@Record`].
///
/// What does not fit together does not compile: a key that is no field,
/// ```compile_fail
/// # use serde::{Deserialize, Serialize}; use store::Record;
/// #[derive(Serialize, Deserialize, Record)]
/// #[record(kind = "user", key = nothing)]
/// struct User { id: String }
/// ```
/// two indexes of one name,
/// ```compile_fail
/// # use serde::{Deserialize, Serialize}; use store::Record;
/// #[derive(Serialize, Deserialize, Record)]
/// #[record(kind = "user", key = id, unique(by_id = id), index(by_id = id))]
/// struct User { id: String }
/// ```
/// an index over what has no order,
/// ```compile_fail,E0277
/// # use serde::{Deserialize, Serialize}; use store::Record;
/// #[derive(Serialize, Deserialize, Record)]
/// #[record(kind = "user", key = id, index(by_weight = weight))]
/// struct User { id: String, weight: f64 }
/// ```
/// and asking an index with another type than its own, or for one record where there may be several.
/// ```
/// # use serde::{Deserialize, Serialize}; use store::{Read, Record, StoreError, Tx};
/// # #[derive(Serialize, Deserialize, Record)]
/// # #[record(kind = "user", key = id, unique(by_name = name), index(by_path = path))]
/// # struct User { id: String, name: String, path: String }
/// async fn find(tx: Tx<Read>, name: String) -> Result<Option<User>, StoreError> { tx.find(User::BY_NAME, &name).await }
/// ```
/// ```compile_fail,E0277
/// # use serde::{Deserialize, Serialize}; use store::{Read, Record, StoreError, Tx};
/// # #[derive(Serialize, Deserialize, Record)]
/// # #[record(kind = "user", key = id, unique(by_name = name), index(by_path = path))]
/// # struct User { id: String, name: String, path: String }
/// async fn find(tx: Tx<Read>, name: u64) -> Result<Option<User>, StoreError> { tx.find(User::BY_NAME, &name).await }
/// ```
/// ```compile_fail,E0308
/// # use serde::{Deserialize, Serialize}; use store::{Read, Record, StoreError, Tx};
/// # #[derive(Serialize, Deserialize, Record)]
/// # #[record(kind = "user", key = id, unique(by_name = name), index(by_path = path))]
/// # struct User { id: String, name: String, path: String }
/// async fn find(tx: Tx<Read>, path: String) -> Result<Option<User>, StoreError> { tx.find(User::BY_PATH, &path).await }
/// ```
pub trait Record: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The name of this kind of record in the store. It never changes.
    const KIND: &'static str;
    /// Whether replacing or deleting one erases its older versions from the history.
    const SEALED: bool;
    /// What is unique among the records of this kind in one account.
    type Key: KeyPart;
    /// The order of the keys, to scan by.
    const KEY: Index<Self, Self::Key, true> = Index::named("");
    /// The bytes of its key.
    fn key(&self) -> Vec<u8>;
    /// Adds what it has in each index.
    fn entries(&self, entries: &mut Entries);
}

/// What a field contributes to an index: itself, nothing (`None`), or one entry for each element.
pub trait Indexed {
    /// What the index is asked by.
    type Key: KeyPart;
    /// Shows each value.
    fn each(&self, see: &mut dyn FnMut(&Self::Key));
}

impl<T: KeyPart> Indexed for T {
    type Key = T;
    fn each(&self, see: &mut dyn FnMut(&T)) {
        see(self);
    }
}

impl<T: KeyPart> Indexed for Option<T> {
    type Key = T;
    fn each(&self, see: &mut dyn FnMut(&T)) {
        self.iter().for_each(see);
    }
}

impl<T: KeyPart> Indexed for Vec<T> {
    type Key = T;
    fn each(&self, see: &mut dyn FnMut(&T)) {
        self.iter().for_each(see);
    }
}

/// How a key is named in a lookup: `&key`, or `(&first, &second)` for a key of two parts, or three.
pub trait Names<K> {
    /// The bytes of that key.
    fn bytes(&self) -> Vec<u8>;
}

impl<K: KeyPart> Names<K> for &K {
    fn bytes(&self) -> Vec<u8> {
        KeyPart::bytes(*self)
    }
}

impl<A: KeyPart, B: KeyPart> Names<(A, B)> for (&A, &B) {
    fn bytes(&self) -> Vec<u8> {
        KeyPart::bytes(self)
    }
}

impl<A: KeyPart, B: KeyPart, C: KeyPart> Names<(A, B, C)> for (&A, &B, &C) {
    fn bytes(&self) -> Vec<u8> {
        KeyPart::bytes(self)
    }
}

/// An index of `R`, asked by a `K`. The derive makes one constant for each.
pub struct Index<R, K, const UNIQUE: bool> {
    pub(crate) name: &'static str,
    of: PhantomData<fn(K) -> R>,
}

impl<R, K, const UNIQUE: bool> Index<R, K, UNIQUE> {
    #[doc(hidden)]
    pub const fn named(name: &'static str) -> Self {
        Index { name, of: PhantomData }
    }

    fn span(self, prefix: Vec<u8>) -> Span<R> {
        Span::exact(self.name, prefix)
    }
}

impl<R, K: KeyPart, const UNIQUE: bool> Index<R, K, UNIQUE> {
    /// Everything in it.
    pub fn all(self) -> Span<R> {
        self.span(vec![])
    }

    /// What has this value.
    pub fn of(self, key: impl Names<K>) -> Span<R> {
        self.span(key.bytes())
    }
}

impl<R, A: KeyPart, B: KeyPart, const UNIQUE: bool> Index<R, (A, B), UNIQUE> {
    /// All whose first part is `first`.
    pub fn under(self, first: &A) -> Span<R> {
        self.span(first.bytes())
    }
}

impl<R, A: KeyPart, B: KeyPart, C: KeyPart, const UNIQUE: bool> Index<R, (A, B, C), UNIQUE> {
    /// All whose first part is `first`.
    pub fn under(self, first: &A) -> Span<R> {
        self.span(first.bytes())
    }

    /// All whose first two parts are these.
    pub fn under_both(self, first: &A, second: &B) -> Span<R> {
        self.span(KeyPart::bytes(&(first, second)))
    }
}

/// Part of an index, or of the keys (`index` is then empty).
pub struct Span<R> {
    pub(crate) index: &'static str,
    pub(crate) prefix: Vec<u8>,
    of: PhantomData<fn() -> R>,
}

impl<R> Span<R> {
    pub(crate) fn exact(index: &'static str, prefix: Vec<u8>) -> Self {
        Span { index, prefix, of: PhantomData }
    }
}

/// The name of an index, and the bytes in it.
pub(crate) type Entry = (&'static str, Vec<u8>);

/// Gathers the entries of one record.
#[derive(Debug, Default)]
pub struct Entries {
    key: Vec<u8>,
    all: Vec<Entry>,
}

impl Entries {
    /// All entries of `record`, sorted.
    pub(crate) fn of<R: Record>(record: &R) -> Vec<Entry> {
        let mut entries = Entries { key: record.key(), all: vec![] };
        record.entries(&mut entries);
        entries.all.sort_unstable();
        entries.all.dedup();
        entries.all
    }

    #[doc(hidden)]
    pub fn add<R, K, T: Indexed, const UNIQUE: bool>(&mut self, index: Index<R, K, UNIQUE>, value: &T) {
        let Entries { key, all } = self;
        value.each(&mut |part| {
            let mut bytes = part.bytes();
            if !UNIQUE {
                bytes.extend_from_slice(key);
            }
            all.push((index.name, bytes));
        });
    }
}
