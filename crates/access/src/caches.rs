//! What the data plane holds: the store, the keys, the clock, and caches of bounded size.

use crate::credentials::Credential;
use crate::epochs::Epochs;
use crate::grants::{ANY_POLICY, Grants};
use crate::levels::{Level, Levels};
use crate::tries::Tries;
use arn::{AccessKeyId, AccountId, UniqueId};
use identities::{Clock, Entropy, Keyring, PolicyRecord, TargetId};
use policy::{Compiled, Kind, PolicySet};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use std::sync::Arc;
use store::{Changed, Record, Store, StoreError};

/// The data plane of one node.
pub struct Access {
    /// Where everything is kept.
    pub store: Arc<Store>,
    /// What secrets and tokens are sealed with.
    pub keyring: Keyring,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub entropy: Arc<dyn Entropy>,
    pub(crate) epochs: Arc<Epochs>,
    pub(crate) credentials: Cache<AccessKeyId, Kept, ByWeight>,
    pub(crate) grants: Cache<(AccountId, Option<UniqueId>), Arc<Grants>, ByWeight>,
    pub(crate) documents: Cache<(UniqueId, u64, u8), Arc<Compiled>, ByWeight>,
    pub(crate) resource_policies: Cache<Box<str>, Arc<PolicySet>, ByWeight>,
    pub(crate) tries: Tries,
    pub(crate) levels: Cache<AccountId, Arc<Levels>, ByWeight>,
    pub(crate) organization: OrganizationCaches,
}

/// What levels are made of: accounts under one parent share its level, and levels of equal content their set.
pub(crate) struct OrganizationCaches {
    pub levels: Cache<TargetId, Arc<Level>, ByWeight>,
    /// By the versions of the policies in it.
    pub sets: Cache<Box<str>, Arc<PolicySet>, ByWeight>,
    /// By the names of their levels.
    pub united: Cache<Box<str>, Arc<[Arc<PolicySet>]>, ByWeight>,
    /// By a policy's id and version.
    pub documents: Cache<(Box<str>, u64), Arc<Compiled>, ByWeight>,
}

/// Bytes that each cache may hold.
const CREDENTIALS: u64 = 24 << 20;
const GRANTS: u64 = 48 << 20;
const DOCUMENTS: u64 = 24 << 20;
const RESOURCE_POLICIES: u64 = 16 << 20;
const LEVELS: u64 = 16 << 20;
const LEVEL: u64 = 16 << 20;
const LEVEL_SETS: u64 = 16 << 20;
const LEVEL_DOCUMENTS: u64 = 16 << 20;

/// A credential, and what it weighed when it was kept: a cache asks for the weight again when it lets go, and must hear the same.
#[derive(Clone)]
pub(crate) struct Kept {
    pub credential: Arc<Credential>,
    weight: u64,
}

impl Kept {
    pub fn new(credential: Arc<Credential>) -> Self {
        Kept { weight: credential.weight() as u64, credential }
    }
}

/// Every cache is bounded by the bytes of what it holds.
#[derive(Clone)]
pub(crate) struct ByWeight;

impl Weighter<AccessKeyId, Kept> for ByWeight {
    fn weight(&self, _: &AccessKeyId, kept: &Kept) -> u64 {
        kept.weight
    }
}
impl Weighter<(AccountId, Option<UniqueId>), Arc<Grants>> for ByWeight {
    fn weight(&self, _: &(AccountId, Option<UniqueId>), grants: &Arc<Grants>) -> u64 {
        grants.weight() as u64
    }
}
impl Weighter<(UniqueId, u64, u8), Arc<Compiled>> for ByWeight {
    fn weight(&self, _: &(UniqueId, u64, u8), compiled: &Arc<Compiled>) -> u64 {
        compiled.weight() as u64 + 128
    }
}
impl Weighter<Box<str>, Arc<PolicySet>> for ByWeight {
    fn weight(&self, text: &Box<str>, set: &Arc<PolicySet>) -> u64 {
        (text.len() + set.weight()) as u64 + 128
    }
}
impl Weighter<AccountId, Arc<Levels>> for ByWeight {
    fn weight(&self, _: &AccountId, levels: &Arc<Levels>) -> u64 {
        levels.weight() as u64
    }
}
impl Weighter<TargetId, Arc<Level>> for ByWeight {
    fn weight(&self, _: &TargetId, level: &Arc<Level>) -> u64 {
        level.weight() as u64
    }
}
impl Weighter<Box<str>, Arc<[Arc<PolicySet>]>> for ByWeight {
    fn weight(&self, name: &Box<str>, sets: &Arc<[Arc<PolicySet>]>) -> u64 {
        (name.len() + sets.iter().map(|set| set.weight()).sum::<usize>()) as u64 + 128
    }
}
impl Weighter<(Box<str>, u64), Arc<Compiled>> for ByWeight {
    fn weight(&self, key: &(Box<str>, u64), compiled: &Arc<Compiled>) -> u64 {
        (key.0.len() + compiled.weight()) as u64 + 128
    }
}

impl Access {
    /// The data plane over `store`, whose commits it follows from now on.
    pub fn new(store: Arc<Store>, keyring: Keyring, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        let epochs = Arc::new(Epochs::new());
        let follower = epochs.clone();
        store.set_observer(Arc::new(move |changes: &[Changed]| {
            for change in changes {
                follower.changed(change.kind, &change.account, &change.key);
                if change.kind == PolicyRecord::KIND {
                    follower.changed(ANY_POLICY, &change.account, &[]);
                }
            }
        }));
        Access {
            store,
            keyring,
            clock,
            entropy,
            epochs,
            credentials: Cache::with_weighter(100_000, CREDENTIALS, ByWeight),
            grants: Cache::with_weighter(50_000, GRANTS, ByWeight),
            documents: Cache::with_weighter(10_000, DOCUMENTS, ByWeight),
            resource_policies: Cache::with_weighter(4_000, RESOURCE_POLICIES, ByWeight),
            tries: Tries::default(),
            levels: Cache::with_weighter(20_000, LEVELS, ByWeight),
            organization: OrganizationCaches {
                levels: Cache::with_weighter(20_000, LEVEL, ByWeight),
                sets: Cache::with_weighter(4_000, LEVEL_SETS, ByWeight),
                united: Cache::with_weighter(4_000, LEVEL_SETS, ByWeight),
                documents: Cache::with_weighter(4_000, LEVEL_DOCUMENTS, ByWeight),
            },
        }
    }

    /// A version of a policy, compiled before. A version never changes, so neither does this.
    pub(crate) fn compiled_already(&self, version: &(UniqueId, u64), kind: Kind) -> Option<Arc<Compiled>> {
        self.documents.get(&(version.0.clone(), version.1, kind as u8))
    }

    /// A version of a policy, compiled once.
    pub(crate) fn compiled(
        &self,
        version: (UniqueId, u64),
        kind: Kind,
        compile: impl FnOnce() -> Result<Compiled, StoreError>,
    ) -> Result<Arc<Compiled>, StoreError> {
        if let Some(compiled) = self.compiled_already(&version, kind) {
            return Ok(compiled);
        }
        let compiled = Arc::new(compile()?);
        self.documents.insert((version.0, version.1, kind as u8), compiled.clone());
        Ok(compiled)
    }
}
