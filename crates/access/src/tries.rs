//! How many wrong passwords one asker may bring for one name: the secrets are too long to be guessed, but whoever tries lists of stolen ones
//! costs others their time and learns sooner or later. It is counted before a password is looked at and given back if it was right, so that
//! many at once are counted too. Source of the method: GCRA, <https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm>.

use quick_cache::sync::Cache;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// So many at once, and then one each time that this long has passed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate {
    at_once: i64,
    millis: i64,
}

/// From one address: ten, then ten a minute.
pub(crate) const FROM_ADDRESS: Rate = Rate { at_once: 10, millis: 6_000 };
/// From everywhere: a hundred, then one a second. Who locks a name out from one address does not lock out its owner at another.
pub(crate) const ALTOGETHER: Rate = Rate { at_once: 100, millis: 1_000 };

/// Names that are remembered; whoever was asked about longest ago is forgotten first.
const MOST: usize = 50_000;

/// What was tried of late: for each name the moment at which all of it is forgiven.
pub(crate) struct Tries(Cache<String, Arc<AtomicI64>>);

impl Default for Tries {
    fn default() -> Self {
        Tries(Cache::new(MOST))
    }
}

impl Tries {
    /// Takes one try of `name` at `now`; `None` if there is none left.
    pub fn take(&self, name: &str, rate: Rate, now: i64) -> Option<Taken> {
        let known = self.0.get_or_insert_with(name, || Ok::<_, Infallible>(Arc::new(AtomicI64::new(now)))).unwrap_or_default();
        let most = now.saturating_add(rate.at_once.saturating_mul(rate.millis));
        let next = |forgiven: i64| Some(forgiven.max(now).saturating_add(rate.millis)).filter(|next| *next <= most);
        known.fetch_update(Ordering::AcqRel, Ordering::Acquire, next).is_ok().then_some(Taken { of: known, millis: rate.millis })
    }
}

/// A try that was taken.
pub(crate) struct Taken {
    of: Arc<AtomicI64>,
    millis: i64,
}

impl Taken {
    /// It was no wrong one.
    pub fn give_back(self) {
        self.of.fetch_sub(self.millis, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { at_once: 3, millis: 100 };

    #[test]
    fn so_many_at_once_and_then_one_each_time() {
        let tries = Tries::default();
        let took = |now| tries.take("alice", RATE, now).is_some();
        assert_eq!([took(0), took(0), took(0), took(0)], [true, true, true, false]);
        assert!(tries.take("bob", RATE, 0).is_some(), "another name");
        assert!(!took(99));
        assert!(took(100));
        assert!(!took(199));
        assert_eq!([took(1_000), took(1_000), took(1_000), took(1_000)], [true, true, true, false], "all is forgiven");
    }

    #[test]
    fn a_right_one_costs_nothing() {
        let tries = Tries::default();
        for _ in 0..100 {
            tries.take("alice", RATE, 0).unwrap().give_back();
        }
        assert!(tries.take("alice", RATE, 0).is_some());
    }

    #[test]
    fn many_at_once_are_counted_before_any_is_answered() {
        let tries = Tries::default();
        let taken: Vec<_> = (0..10).filter_map(|_| tries.take("alice", RATE, 0)).collect();
        assert_eq!(taken.len(), 3);
    }
}
