//! How a cache knows that what it holds is still true. Every record falls into one of many slots; a commit marks the slots of what it
//! changed with a new number. What was loaded is true as long as none of its slots was marked after the loading began. So nothing is
//! looked up backwards, memory is bounded, and a change acts on the very next request.

use identities::{InlinePolicyRecord, PolicyAttachmentRecord};
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use store::Record;

/// Slots; a power of two. Two records in one slot cost a needless loading, never a stale answer.
const SLOTS: usize = 1 << 16;

/// The marks of all slots.
pub(crate) struct Epochs {
    now: AtomicU64,
    marks: Box<[AtomicU64]>,
}

/// What something that was loaded depends on, and when the loading began. What was loaded at different times can be united: a change before the
/// later loading that concerns only what was loaded later ends nothing.
#[derive(Debug, Clone)]
pub(crate) struct Deps {
    since: u64,
    rests: Vec<Rest>,
}

/// A slot, and since when it must not have been marked, in one number: the slot is in the lowest bits.
#[derive(Debug, Clone, Copy)]
struct Rest(u64);

/// Bits of a slot's number.
const SLOT_BITS: u32 = SLOTS.trailing_zeros();

impl Rest {
    /// More changes than there will ever be count as endless.
    fn new(slot: u32, since: u64) -> Self {
        Rest(since.min(u64::MAX >> SLOT_BITS) << SLOT_BITS | u64::from(slot))
    }

    fn slot(self) -> u64 {
        self.0 % SLOTS as u64
    }

    fn since(self) -> u64 {
        self.0 >> SLOT_BITS
    }

    /// Of one slot the earlier beginning is the lesser number.
    fn earlier(self, other: Rest) -> Rest {
        Rest(self.0.min(other.0))
    }
}

impl Epochs {
    pub(crate) fn new() -> Self {
        Epochs { now: AtomicU64::new(0), marks: (0..SLOTS).map(|_| AtomicU64::new(0)).collect() }
    }

    /// To be called before the snapshot is opened from which is loaded.
    pub(crate) fn begin(&self) -> Deps {
        Deps { since: self.now.load(Ordering::SeqCst), rests: Vec::new() }
    }

    /// To be called when a change is durable and before it is answered.
    pub(crate) fn changed(&self, kind: &str, account: &str, key: &[u8]) {
        let mark = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        if let Some(slot) = self.marks.get(slot(kind, account, key) as usize) {
            slot.fetch_max(mark, Ordering::SeqCst);
        }
    }

    /// Whether nothing that `deps` names has changed since.
    pub(crate) fn hold(&self, deps: &Deps) -> bool {
        deps.rests.iter().all(|rest| self.marks.get(rest.slot() as usize).is_some_and(|mark| mark.load(Ordering::Acquire) <= rest.since()))
    }
}

impl Deps {
    /// On nothing: what never changes.
    pub(crate) fn none() -> Self {
        Deps { since: u64::MAX, rests: Vec::new() }
    }

    /// Adds a record, there or not.
    pub(crate) fn on(&mut self, kind: &str, account: &str, key: &[u8]) {
        self.add(Rest::new(slot(kind, account, key), self.since));
    }

    /// How many bytes it holds.
    pub(crate) fn weight(&self) -> usize {
        size_of_val(self.rests.as_slice())
    }

    /// Adds what `other` depends on. Of what both depend on, and for what is added from now on, the earlier beginning counts.
    pub(crate) fn and(&mut self, other: &Deps) {
        self.since = self.since.min(other.since);
        self.rests.reserve(other.rests.len());
        other.rests.iter().for_each(|rest| self.add(*rest));
    }

    fn add(&mut self, rest: Rest) {
        match self.rests.iter_mut().find(|known| known.slot() == rest.slot()) {
            Some(known) => *known = known.earlier(rest),
            None => self.rests.push(rest),
        }
    }
}

/// An entity's inline policies count as one record, and so does all that is attached to one place of an organization: who depends on one
/// depends on all, also on those not yet there.
fn slot(kind: &str, account: &str, key: &[u8]) -> u32 {
    let is_one = kind == InlinePolicyRecord::KIND || kind == PolicyAttachmentRecord::KIND;
    let key = if is_one { key.split(|byte| *byte == 0).next().unwrap_or(key) } else { key };
    let mut hasher = std::hash::DefaultHasher::new();
    (kind, account, key).hash(&mut hasher);
    u32::try_from(hasher.finish() % (SLOTS as u64)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_after_the_loading_began_ends_what_was_loaded() {
        let epochs = Epochs::new();
        epochs.changed("user", "1", b"alice\0");
        let mut deps = epochs.begin();
        deps.on("user", "1", b"alice\0");
        deps.on("inline-policy", "1", b"alice\0");
        assert!(epochs.hold(&deps), "what changed before does not count");
        epochs.changed("user", "1", b"bob\0");
        assert!(epochs.hold(&deps), "another record");
        epochs.changed("inline-policy", "1", b"alice\0p1\0");
        assert!(!epochs.hold(&deps), "any inline policy of the entity");
    }

    #[test]
    fn of_what_both_rest_on_the_earlier_beginning_counts() {
        let epochs = Epochs::new();
        let mut early = epochs.begin();
        early.on("user", "1", b"alice\0");
        epochs.changed("user", "1", b"alice\0");
        let mut late = epochs.begin();
        late.on("user", "1", b"alice\0");
        assert!(epochs.hold(&late));
        late.and(&early);
        assert!(!epochs.hold(&late), "alice changed after the earlier beginning");
    }

    #[test]
    fn a_change_between_two_loadings_ends_only_what_it_concerns() {
        let epochs = Epochs::new();
        let mut early = epochs.begin();
        early.on("user", "1", b"alice\0");
        epochs.changed("group", "1", b"devs\0");
        let mut late = epochs.begin();
        late.on("group", "1", b"devs\0");
        for (mut one, other) in [(late.clone(), &early), (early.clone(), &late)] {
            one.and(other);
            assert!(epochs.hold(&one), "devs were loaded after their change");
        }
        late.and(&early);
        epochs.changed("user", "1", b"alice\0");
        assert!(!epochs.hold(&late));
    }

    #[test]
    fn what_is_added_after_an_earlier_beginning_counts_from_that() {
        let epochs = Epochs::new();
        let early = epochs.begin();
        epochs.changed("group", "1", b"devs\0");
        for mut late in [epochs.begin(), Deps::none()] {
            late.and(&early);
            late.on("group", "1", b"devs\0");
            assert!(!epochs.hold(&late));
        }
    }

    #[test]
    fn what_never_changes_holds_forever() {
        let epochs = Epochs::new();
        let mut past = Deps::none();
        past.on("user", "1", b"alice\0");
        epochs.changed("user", "1", b"alice\0");
        assert!(epochs.hold(&past) && epochs.hold(&Deps::none()));
    }
}
