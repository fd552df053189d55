//! Which events of the outbox are on the disk: numbers only.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How long a number may be missing among others before the outbox is asked for it.
const PATIENCE: Duration = Duration::from_secs(2);

/// A set of numbers that keeps neighbours as one entry, so that a set without holes is one entry, however large.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Ranges(BTreeMap<i64, i64>);

impl Ranges {
    /// Adds all of `first..=last`.
    pub(crate) fn insert(&mut self, mut first: i64, mut last: i64) {
        if first > last {
            return;
        }
        // Whatever overlaps or touches becomes part of the new range.
        while let Some((&start, &end)) = self.0.range(..=last.saturating_add(1)).next_back() {
            if end.saturating_add(1) < first {
                break;
            }
            self.0.remove(&start);
            first = first.min(start);
            last = last.max(end);
        }
        self.0.insert(first, last);
    }

    pub(crate) fn contains(&self, number: i64) -> bool {
        self.0.range(..=number).next_back().is_some_and(|(_, &end)| number <= end)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds all of `other`.
    fn absorb(&mut self, other: Ranges) {
        for (first, last) in other.0 {
            self.insert(first, last);
        }
    }
}

/// What is known of the outbox's events.
#[derive(Debug, Default)]
pub(crate) struct Settling {
    /// All up to this are on the disk. Not known before the outbox has been seen once: its first event may have any number.
    base: Option<i64>,
    /// Written, and not yet synced.
    fresh: Ranges,
    /// Being synced.
    syncing: Ranges,
    /// On the disk, but something before them is missing.
    synced: Ranges,
    /// The highest that the disk has refused, or a sync has lost: it and others below it may be in the outbox only.
    refused: Option<i64>,
    missing_since: Option<Instant>,
}

impl Settling {
    /// Event number `seq` is in a file.
    pub(crate) fn wrote(&mut self, seq: i64) {
        self.fresh.insert(seq, seq);
    }

    /// The disk has refused an event, which stays in the outbox.
    pub(crate) fn refuse(&mut self, seq: i64) {
        self.refused = self.refused.max(Some(seq));
    }

    /// Whether the event is in a file, as far as is known.
    pub(crate) fn knows(&self, seq: i64) -> bool {
        self.fresh.contains(seq) || self.syncing.contains(seq) || self.synced.contains(seq)
    }

    /// All up to this number are on the disk.
    pub(crate) fn base(&self) -> Option<i64> {
        self.base
    }

    /// A sync begins; it is about all that is written so far.
    pub(crate) fn begin_sync(&mut self) {
        let fresh = std::mem::take(&mut self.fresh);
        self.syncing.absorb(fresh);
    }

    /// The sync has ended: what it was about is on the disk, or nobody knows where it is.
    pub(crate) fn end_sync(&mut self, worked: bool, now: Instant) {
        let about = std::mem::take(&mut self.syncing);
        if worked {
            self.synced.absorb(about);
        } else {
            self.refused = self.refused.max(about.0.last_key_value().map(|(_, last)| *last));
        }
        self.advance(now);
    }

    fn advance(&mut self, now: Instant) {
        let Some(mut base) = self.base else { return };
        while let Some(entry) = self.synced.0.first_entry().filter(|entry| *entry.key() <= base.saturating_add(1)) {
            base = base.max(entry.remove());
        }
        self.base = Some(base);
        self.missing_since = if self.synced.is_empty() { None } else { self.missing_since.or(Some(now)) };
    }

    /// Whether the outbox holds what is not known here: the caller has to bring it.
    pub(crate) fn needs_outbox(&self, now: Instant) -> bool {
        let unknown_base = self.base.is_none() && !(self.fresh.is_empty() && self.syncing.is_empty() && self.synced.is_empty());
        let missing = self.missing_since.is_some_and(|since| now.saturating_duration_since(since) >= PATIENCE);
        self.refused.is_some() || unknown_base || missing
    }

    /// The outbox's oldest events are numbered `first` to `last`, and each is in a file by now: what is not in between does not exist.
    pub(crate) fn reconciled(&mut self, first: i64, last: i64) {
        let base = *self.base.get_or_insert(first.saturating_sub(1));
        self.fresh.insert(base.saturating_add(1).min(first), last);
    }

    /// The outbox has been gone through up to this number.
    pub(crate) fn complete(&mut self, last: i64) {
        self.refused = self.refused.filter(|refused| *refused > last);
        self.missing_since = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(parts: &[(i64, i64)]) -> Ranges {
        let mut ranges = Ranges::default();
        for (first, last) in parts {
            ranges.insert(*first, *last);
        }
        ranges
    }

    #[test]
    fn neighbours_become_one_range_in_whatever_order_they_come() {
        assert_eq!(ranges(&[(3, 3), (1, 1), (2, 2)]), ranges(&[(1, 3)]));
        assert_eq!(ranges(&[(1, 2), (5, 9), (2, 6)]), ranges(&[(1, 9)]));
        assert_eq!(ranges(&[(1, 9), (3, 4)]), ranges(&[(1, 9)]));
        assert_eq!(ranges(&[(1, 1), (3, 3)]).0.len(), 2);
        assert_eq!(ranges(&[(2, 1)]), Ranges::default());
        let ends = ranges(&[(i64::MIN, i64::MIN), (i64::MAX, i64::MAX)]);
        assert!(ends.contains(i64::MAX) && ends.contains(i64::MIN) && !ends.contains(0));
    }

    #[test]
    fn a_set_of_ranges_is_a_set() {
        let mut known = std::collections::BTreeSet::new();
        let mut found = Ranges::default();
        let mut state = 12_345_u64;
        for _ in 0..500 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let first = i64::try_from(state >> 33).unwrap() % 1_000;
            let last = first + i64::try_from(state >> 20 & 7).unwrap();
            known.extend(first..=last);
            found.insert(first, last);
        }
        for number in -5..1_020 {
            assert_eq!(found.contains(number), known.contains(&number), "{number}");
        }
    }

    fn synced(settling: &mut Settling, seqs: &[i64], now: Instant) {
        for seq in seqs {
            settling.wrote(*seq);
        }
        settling.begin_sync();
        settling.end_sync(true, now);
    }

    #[test]
    fn only_what_is_synced_without_a_hole_is_settled() {
        let now = Instant::now();
        let mut settling = Settling::default();
        settling.reconciled(5, 5);
        assert_eq!(settling.base(), Some(4), "in a file, not on the disk");
        synced(&mut settling, &[6, 8], now);
        assert_eq!(settling.base(), Some(6));
        assert!(!settling.needs_outbox(now), "7 may be on its way");
        assert!(settling.needs_outbox(now + PATIENCE), "7 has been lost");
        synced(&mut settling, &[7], now);
        assert_eq!(settling.base(), Some(8));
        assert!(!settling.needs_outbox(now + PATIENCE));
    }

    #[test]
    fn nothing_is_settled_before_the_outbox_was_seen() {
        let now = Instant::now();
        let mut settling = Settling::default();
        assert!(!settling.needs_outbox(now));
        synced(&mut settling, &[2], now);
        assert_eq!(settling.base(), None, "1 may still be on its way");
        assert!(settling.needs_outbox(now));
        settling.reconciled(1, 2);
        settling.complete(2);
        synced(&mut settling, &[], now);
        assert_eq!(settling.base(), Some(2));
    }

    #[test]
    fn a_hole_that_the_outbox_does_not_have_is_no_hole() {
        let now = Instant::now();
        let mut settling = Settling::default();
        settling.reconciled(1, 3);
        synced(&mut settling, &[10], now);
        assert_eq!(settling.base(), Some(3));
        settling.reconciled(10, 10);
        synced(&mut settling, &[], now);
        assert_eq!(settling.base(), Some(10));
    }

    #[test]
    fn what_a_failed_sync_was_about_is_asked_for_again() {
        let now = Instant::now();
        let mut settling = Settling::default();
        settling.reconciled(1, 1);
        settling.begin_sync();
        settling.end_sync(false, now);
        assert_eq!(settling.base(), Some(0));
        assert!(!settling.knows(1) && settling.needs_outbox(now));
    }

    #[test]
    fn the_outbox_is_asked_for_until_all_that_was_refused_was_in_it() {
        let now = Instant::now();
        let mut settling = Settling::default();
        settling.refuse(7);
        settling.refuse(3);
        settling.reconciled(1, 5);
        settling.complete(5);
        assert!(settling.needs_outbox(now));
        settling.reconciled(6, 7);
        settling.complete(7);
        assert!(!settling.needs_outbox(now));
    }
}
