//! Day keys, kept: deriving one takes four HMACs, and one client uses it for a day.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use quick_cache::sync::Cache;
use quick_cache::{Equivalent, Weighter};

use crate::{Scope, SigningKey};

/// A bounded cache of signing keys, for many threads. What is used least makes room.
///
/// Put a key in only after a signature was verified with it: else strangers who know a key id could fill the cache with days and regions.
#[derive(Debug)]
pub struct DayKeys {
    keys: Cache<Key, Arc<SigningKey>, Weight>,
}

/// What a signing key is derived from, but for the secret. The generation stands for the secret.
#[derive(Debug, PartialEq, Eq)]
struct Key {
    generation: u64,
    /// Access key id, date, region, service. None of them holds a slash, which separates them.
    text: Box<str>,
}

struct Asked<'a> {
    generation: u64,
    parts: [&'a str; 4],
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash(self.generation, self.text.split('/'), state);
    }
}

impl Hash for Asked<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash(self.generation, self.parts.into_iter(), state);
    }
}

fn hash<'a, H: Hasher>(generation: u64, parts: impl Iterator<Item = &'a str>, state: &mut H) {
    generation.hash(state);
    for part in parts {
        part.hash(state);
    }
}

impl Equivalent<Key> for Asked<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        self.generation == key.generation && key.text.split('/').eq(self.parts)
    }
}

#[derive(Debug, Clone)]
struct Weight;

impl Weighter<Key, Arc<SigningKey>> for Weight {
    fn weight(&self, key: &Key, _: &Arc<SigningKey>) -> u64 {
        // Text, entry of the table, the key behind the Arc with its two counters; allocations are rounded up.
        let bytes = key.text.len() + size_of::<Key>() + size_of::<SigningKey>() + 64;
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }
}

impl DayKeys {
    /// A cache of at most about `bytes` bytes. A key takes about 400.
    pub fn new(bytes: u64) -> DayKeys {
        let items = usize::try_from(bytes / 400).unwrap_or(usize::MAX).max(1);
        DayKeys { keys: Cache::with_weighter(items, bytes, Weight) }
    }

    /// The key for a scope, if it is kept. `generation` is a number that changes whenever the secret behind `key_id` does; for temporary
    /// credentials, whose ids are unique only with their token, it is drawn from the token.
    pub fn get(&self, key_id: &str, scope: &Scope<'_>, generation: u64) -> Option<Arc<SigningKey>> {
        self.keys.get(&Asked { generation, parts: [key_id, scope.date, scope.region, scope.service] })
    }

    /// Keeps a key that just verified a signature.
    pub fn put(&self, key_id: &str, scope: &Scope<'_>, generation: u64, key: Arc<SigningKey>) {
        let parts = [key_id, scope.date, scope.region, scope.service];
        // With a slash inside a part another entry could be meant.
        if !parts.iter().any(|part| part.contains('/')) {
            self.keys.insert(Key { generation, text: parts.join("/").into() }, key);
        }
    }

    /// Forgets all keys.
    pub fn clear(&self) {
        self.keys.clear();
    }

    /// About how many bytes the kept keys take.
    pub fn weight(&self) -> u64 {
        self.keys.weight()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(region: &str) -> Scope<'_> {
        Scope { date: "20150830", region, service: "sts" }
    }

    fn key(secret: &str) -> Arc<SigningKey> {
        Arc::new(SigningKey::derive(secret, "20150830", "us-east-1", "sts"))
    }

    #[test]
    fn a_key_is_found_by_all_that_it_was_derived_from() {
        let keys = DayKeys::new(1 << 20);
        keys.put("AKIAIOSFODNN7EXAMPLE", &scope("us-east-1"), 7, key("a"));
        let found = keys.get("AKIAIOSFODNN7EXAMPLE", &scope("us-east-1"), 7).unwrap();
        assert_eq!(found.expose(), key("a").expose());
        assert!(keys.get("AKIAIOSFODNN7EXAMPLE", &scope("us-east-1"), 8).is_none(), "another secret");
        assert!(keys.get("AKIAIOSFODNN7EXAMPLE", &scope("us-east-2"), 7).is_none());
        assert!(keys.get("AKIAIOSFODNN7EXAMPL", &scope("us-east-1"), 7).is_none());
        assert!(keys.get("AKIAIOSFODNN7EXAMPLE", &Scope { service: "iam", ..scope("us-east-1") }, 7).is_none());
        assert!(keys.get("AKIAIOSFODNN7EXAMPLE", &Scope { date: "20150831", ..scope("us-east-1") }, 7).is_none());
        keys.clear();
        assert!(keys.get("AKIAIOSFODNN7EXAMPLE", &scope("us-east-1"), 7).is_none());
    }

    #[test]
    fn parts_with_slashes_never_meet_another_entry() {
        let keys = DayKeys::new(1 << 20);
        keys.put("a/20150830", &Scope { date: "us-east-1", region: "sts", service: "x" }, 0, key("a"));
        assert_eq!(keys.weight(), 0);
        assert!(keys.get("a", &Scope { date: "20150830", region: "us-east-1", service: "sts/x" }, 0).is_none());
    }

    #[test]
    fn the_cache_stays_within_its_bytes() {
        let keys = DayKeys::new(64 << 10);
        let kept = key("a");
        for n in 0..10_000u32 {
            keys.put(&format!("AKIA{n:016}"), &scope("us-east-1"), 0, Arc::clone(&kept));
        }
        assert!(keys.weight() <= 64 << 10, "{}", keys.weight());
        assert!(keys.weight() > 32 << 10, "it is used, too: {}", keys.weight());
    }
}
