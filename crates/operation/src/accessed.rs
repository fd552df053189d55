//! Which services, by which actions, each user, role and root user last tried, let in or denied: noted in memory, shown at once, written now
//! and then without a history. Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_access-advisor.html>.
//!
//! A decision pays for one hash and one look: what was noted in this minute is not noted again. What is kept is bounded: uses that wait, the
//! services of an entity, and the actions of a service, which of AWS's services are those that AWS knows.

use arn::{AccountId, UniqueId};
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, Hash as _, Hasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use store::{Mark, Marks, Store, StoreError};

/// The kind under which marks are kept.
const KIND: &str = "accessed";
/// Uses that are waiting to be written, at most in each part; beyond, a use is not remembered until those are.
const WAITING: usize = 4_000;
/// Parts, each with a lock of its own.
const PARTS: usize = 16;
/// How many of the latest uses are known to be noted.
const RECENT: usize = 1 << 14;
/// Services of one entity.
const SERVICES: usize = 1_000;
/// Actions of a service that AWS does not know.
const ACTIONS: usize = 200;
/// The longest name of an action that is remembered.
const LONGEST: usize = 256;
/// How long a use is told of, in seconds: 400 days. Source:
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_access-advisor.html#access-advisor_tracking-period>.
pub const TRACKED: i64 = 400 * 24 * 60 * 60;

/// What the uses of an account's root user are noted under, which has no id.
pub const ROOT: &str = "root";
/// Marks of an account that are read at once.
const PAGE: usize = 1_000;

/// What was noted in this minute. It forgets when it likes: then something is noted twice.
pub(crate) struct Recent {
    seen: Box<[AtomicU64]>,
    keys: RandomState,
}

impl Default for Recent {
    fn default() -> Self {
        Recent { seen: (0..RECENT).map(|_| AtomicU64::new(0)).collect(), keys: RandomState::new() }
    }
}

impl Recent {
    /// Where to remember `what`, if it was not noted in the minute of `at`. What bears a name that each account has is told by its account.
    pub(crate) fn is_new(&self, account: Option<AccountId>, what: [&str; 4], at: i64) -> Option<Noting<'_>> {
        let mut hash = self.keys.build_hasher();
        account.hash(&mut hash);
        // The lengths say where a part ends: one more number to hash, not four.
        let mut rest = at / 60;
        for part in what {
            hash.write(part.as_bytes());
            rest = (rest << 8) ^ i64::try_from(part.len()).unwrap_or(0);
        }
        hash.write_i64(rest);
        let hash = hash.finish();
        let place = self.seen.get(usize::try_from(hash).unwrap_or(0) % RECENT)?;
        (place.load(Ordering::Relaxed) != hash).then_some(Noting { place, hash })
    }
}

/// A use that is about to be noted.
pub(crate) struct Noting<'r> {
    place: &'r AtomicU64,
    hash: u64,
}

impl Noting<'_> {
    /// It is noted.
    pub(crate) fn done(self) {
        self.place.store(self.hash, Ordering::Relaxed);
    }
}

/// A use of an action.
#[derive(Debug, Clone, Copy)]
pub struct Access<'a> {
    /// The account of whoever used it.
    pub account: AccountId,
    /// The id of the user or role, or [`ROOT`].
    pub entity: &'a str,
    /// `s3`.
    pub service: &'a str,
    /// `GetObject`.
    pub action: &'a str,
    /// The region that was signed for.
    pub region: &'a str,
    /// Seconds since the epoch.
    pub at: i64,
}

/// A service that somebody used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessedService {
    /// Its prefix.
    pub service: String,
    /// When and where it was last used.
    pub last: When,
    /// When and where each of its actions was.
    pub actions: BTreeMap<String, When>,
}

/// When and where something was last used.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct When {
    /// Seconds since the epoch.
    pub at: i64,
    /// The region.
    pub region: String,
}

type Entity = (AccountId, Box<str>);
/// The service, in lower case, and the action, as AWS writes it where AWS knows it.
type Name = (String, String);
type Part = HashMap<Entity, HashMap<Name, When>>;

/// What was used since it was last written.
#[derive(Default)]
pub struct Accessed {
    recent: Recent,
    parts: [Mutex<Waiting>; PARTS],
    /// Held while what waits is written: two that write at once would each undo what the other adds.
    writing: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Waiting {
    part: Part,
    size: usize,
}

impl Accessed {
    /// Notes a use.
    pub fn note(&self, access: &Access<'_>) {
        let Access { account, entity, service, action, region, at } = *access;
        if let Some(noting) = self.recent.is_new(Some(account), [entity, service, action, region], at)
            && let Some(name) = name(service, action).filter(|_| is_plain(region) && region.len() <= 64)
            && self.wait((account, entity.into()), name, When { at, region: region.to_owned() })
        {
            noting.done();
        }
    }

    fn wait(&self, entity: Entity, name: Name, when: When) -> bool {
        let Some(mut waiting) = self.part(&entity).map(|part| part.lock().unwrap_or_else(PoisonError::into_inner)) else { return false };
        if waiting.size >= WAITING && waiting.part.get(&entity).is_none_or(|names| !names.contains_key(&name)) {
            return false;
        }
        if waiting.part.entry(entity).or_default().insert(name, when).is_none() {
            waiting.size += 1;
        }
        true
    }

    fn part(&self, entity: &Entity) -> Option<&Mutex<Waiting>> {
        self.parts.get(usize::try_from(self.recent.keys.hash_one(entity)).unwrap_or(0) % PARTS)
    }

    /// The services that a user or role used, by prefix.
    pub async fn of(&self, store: &Store, account: AccountId, id: &UniqueId) -> Result<Vec<AccessedService>, StoreError> {
        let entity = (account, Box::from(id.as_str()));
        let waiting = self.part(&entity).and_then(|part| part.lock().unwrap_or_else(PoisonError::into_inner).part.get(&entity).cloned());
        let (account, prefix) = (account.to_string(), format!("{id} "));
        let written = store.marks(&Marks { kind: KIND, account: &account, prefix: &prefix }, None, SERVICES).await?;
        let mut services: BTreeMap<String, AccessedService> = BTreeMap::new();
        for (key, value) in written {
            let Some(service) = key.strip_prefix(&prefix) else { continue };
            services.extend(AccessedService::read(service, &value).map(|read| (service.to_owned(), read)));
        }
        for ((service, name), when) in waiting.into_iter().flatten() {
            services.entry(service.clone()).or_insert_with(|| AccessedService::new(service)).used(name, when);
        }
        Ok(services.into_values().collect())
    }

    /// The services that an account's principals used, its root user too, by prefix, as far as that is written. It reads a page at a time:
    /// what it holds grows with the services, not with the principals.
    pub async fn written_of_account(&self, store: &Store, account: AccountId) -> Result<BTreeMap<String, When>, StoreError> {
        let account = account.to_string();
        let mut services: BTreeMap<String, When> = BTreeMap::new();
        let mut after: Option<String> = None;
        loop {
            let page = store.marks(&Marks { kind: KIND, account: &account, prefix: "" }, after.as_deref(), PAGE).await?;
            for (key, value) in &page {
                let Some((_, service)) = key.split_once(' ') else { continue };
                let Some(last) = value.lines().next().and_then(line).map(|(when, _)| when) else { continue };
                if services.len() >= SERVICES && !services.contains_key(service) {
                    continue;
                }
                let known = services.entry(service.to_owned()).or_insert_with(|| last.clone());
                if *known < last {
                    *known = last;
                }
            }
            match page.into_iter().nth(PAGE - 1) {
                Some((key, _)) => after = Some(key),
                None => return Ok(services),
            }
        }
    }

    /// Writes what was noted. What is noted meanwhile is kept for the next time; what cannot be written is, too.
    pub async fn write(&self, store: &Store) -> Result<(), StoreError> {
        let _writing = self.writing.lock().await;
        for part in &self.parts {
            let noted = part.lock().unwrap_or_else(PoisonError::into_inner).part.clone();
            if noted.is_empty() {
                continue;
            }
            let mut marks = Vec::new();
            for (entity, names) in &noted {
                merge(store, entity, names, &mut marks).await?;
            }
            store.put_marks(marks).await?;
            part.lock().unwrap_or_else(PoisonError::into_inner).written(&noted);
        }
        Ok(())
    }
}

impl Waiting {
    /// Lets go of what was written, unless it was used again.
    fn written(&mut self, noted: &Part) {
        let mut size = 0;
        self.part.retain(|entity, names| {
            let noted = noted.get(entity);
            names.retain(|name, when| noted.and_then(|noted| noted.get(name)) != Some(when));
            size += names.len();
            !names.is_empty()
        });
        self.size = size;
    }
}

/// Adds to `marks` what one entity's are now.
async fn merge(store: &Store, entity: &Entity, names: &HashMap<Name, When>, marks: &mut Vec<Mark>) -> Result<(), StoreError> {
    let (account, id) = entity;
    let account = account.to_string();
    let mut services: BTreeMap<String, Vec<(String, When)>> = BTreeMap::new();
    for ((service, name), when) in names {
        services.entry(service.clone()).or_default().push((name.clone(), when.clone()));
    }
    for (service, actions) in services {
        let key = format!("{id} {service}");
        let known = match store.mark(KIND, &account, &key).await? {
            Some(value) => AccessedService::read(&service, &value),
            None if is_full(store, &account, id).await? => continue,
            None => None,
        };
        let mut merged = known.unwrap_or_else(|| AccessedService::new(service));
        actions.into_iter().for_each(|(name, when)| merged.used(name, when));
        marks.push(Mark { kind: KIND, account: account.clone(), key, value: merged.written() });
    }
    Ok(())
}

/// Whether an entity has used as many services as are remembered.
async fn is_full(store: &Store, account: &str, id: &str) -> Result<bool, StoreError> {
    let prefix = format!("{id} ");
    Ok(store.marks(&Marks { kind: KIND, account, prefix: &prefix }, None, SERVICES).await?.len() >= SERVICES)
}

/// Who asks may name whatever it likes: actions of AWS's services are those that AWS knows, others have names that one line can hold.
fn name(service: &str, action: &str) -> Option<Name> {
    match services::service(service) {
        Some(known) => Some((known.prefix.to_owned(), known.action(action)?.name.to_owned())),
        None if service.len() + action.len() <= LONGEST && is_plain(service) && is_plain(action) => {
            Some((service.to_ascii_lowercase(), action.to_owned()))
        }
        None => None,
    }
}

fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

impl AccessedService {
    fn new(service: String) -> Self {
        AccessedService { service, last: When { at: i64::MIN, region: String::new() }, actions: BTreeMap::new() }
    }

    /// Of two uses the later one counts.
    fn used(&mut self, name: String, when: When) {
        self.last = self.last.clone().max(when.clone());
        let action = self.actions.entry(name).or_insert_with(|| when.clone());
        if when > *action {
            *action = when;
        }
        if self.actions.len() > ACTIONS
            && services::service(&self.service).is_none()
            && let Some(oldest) = self.actions.iter().min_by_key(|(_, when)| when.at).map(|(name, _)| name.clone())
        {
            self.actions.remove(&oldest);
        }
    }

    /// A line for the service, and one for each action.
    fn written(&self) -> String {
        let line = |name: &str, when: &When| format!("{} {} {name}\n", when.at, when.region);
        let actions = self.actions.iter().map(|(name, when)| line(name, when));
        std::iter::once(line("", &self.last)).chain(actions).collect()
    }

    /// A line that cannot be read is left out.
    fn read(service: &str, text: &str) -> Option<Self> {
        let mut lines = text.lines().filter_map(line);
        let (last, _) = lines.next()?;
        let actions = lines.map(|(when, name)| (name.to_owned(), when)).collect();
        Some(AccessedService { service: service.to_owned(), last, actions })
    }
}

/// When and where, and of what: the service itself has no name.
fn line(text: &str) -> Option<(When, &str)> {
    let mut parts = text.splitn(3, ' ');
    let when = When { at: parts.next()?.parse().ok()?, region: parts.next()?.to_owned() };
    Some((when, parts.next()?))
}

#[cfg(test)]
mod tests;
