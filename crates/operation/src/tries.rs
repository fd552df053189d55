//! How often somebody may be wrong about the codes of a device. Who was wrong too often in a while is refused before the code is looked at,
//! in the words of a wrong one; the while grows as long as it goes on, and always ends. Tries are counted for each key that asks, so who has
//! stolen one key does not use up the tries of its owner's other; beyond that, for the device. They are counted by each node for itself.

use arn::AccessKeyId;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Wrong codes in a while, by one key and by all.
const BY_ONE: u32 = 5;
const BY_ALL: u32 = 20;
/// Seconds that the first while lasts, and the longest.
const FIRST: i64 = 300;
const LONGEST: i64 = 3_600;
/// Counts that are kept before those that are over are thrown away.
const MANY: usize = 10_000;

/// The tries that were made.
#[derive(Default)]
pub struct Tries {
    counts: Mutex<HashMap<Counted, Count>>,
}

/// A device by its internal id, and who tries; nobody: all together.
type Counted = (String, Option<AccessKeyId>);

/// The wrong tries of one while.
#[derive(Clone, Copy)]
struct Count {
    wrong: u32,
    ends: i64,
    lasts: i64,
}

impl Count {
    /// As it is at `now`: a while that is over gives way to the next. After one that was used up follows one twice as long, unless it was
    /// quiet for that time.
    fn at(self, now: i64, most: u32) -> Self {
        if now < self.ends {
            return self;
        }
        let goes_on = self.wrong >= most && now < self.ends + self.lasts;
        let lasts = if goes_on { (self.lasts * 2).min(LONGEST) } else { FIRST };
        Count { wrong: 0, ends: now + lasts, lasts }
    }
}

/// A try that counts as wrong unless it says otherwise.
#[must_use]
pub struct Try<'a> {
    of: &'a Tries,
    counted: [(Counted, u32); 2],
}

impl Tries {
    /// Begins a try at the codes of `device` by who signs with `key`; `None`, if there were too many wrong ones.
    pub fn begin(&self, device: &str, key: &AccessKeyId, now: i64) -> Option<Try<'_>> {
        let counted = [((device.to_owned(), Some(key.clone())), BY_ONE), ((device.to_owned(), None), BY_ALL)];
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= MANY {
            counts.retain(|_, count| now < count.ends + count.lasts);
        }
        for (of, most) in &counted {
            let count = counts.entry(of.clone()).or_insert(Count { wrong: 0, ends: now + FIRST, lasts: FIRST });
            *count = count.at(now, *most);
            if count.wrong >= *most {
                return None;
            }
        }
        // Counted before the code is looked at: many tries at once are not more than as many one after the other.
        for (of, _) in &counted {
            if let Some(count) = counts.get_mut(of) {
                count.wrong += 1;
            }
        }
        Some(Try { of: self, counted })
    }
}

impl Try<'_> {
    /// The code was right: this one does not count.
    pub fn succeeded(self) {
        let mut counts = self.of.counts.lock().unwrap_or_else(PoisonError::into_inner);
        for (of, _) in &self.counted {
            if let Some(count) = counts.get_mut(of) {
                count.wrong = count.wrong.saturating_sub(1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u64) -> AccessKeyId {
        AccessKeyId::long_term("111122223333".parse().unwrap(), number)
    }

    fn wrong(tries: &Tries, device: &str, by: u64, now: i64) -> bool {
        tries.begin(device, &key(by), now).is_some()
    }

    #[test]
    fn after_five_wrong_codes_none_is_looked_at_for_a_while() {
        let tries = Tries::default();
        assert!((0..5).all(|n| wrong(&tries, "d", 1, n)));
        assert!(!wrong(&tries, "d", 1, 5) && !wrong(&tries, "d", 1, 299));
        assert!(wrong(&tries, "other", 1, 5), "each device for itself");
        assert!(wrong(&tries, "d", 1, 300), "a while always ends");
    }

    #[test]
    fn right_codes_count_for_nothing() {
        let tries = Tries::default();
        for now in 0..100 {
            tries.begin("d", &key(1), now).expect("a right code before").succeeded();
        }
    }

    #[test]
    fn tries_that_are_under_way_count() {
        let tries = Tries::default();
        let under_way: Vec<_> = (0..5).map(|_| tries.begin("d", &key(1), 0).unwrap()).collect();
        assert!(tries.begin("d", &key(1), 0).is_none());
        under_way.into_iter().for_each(Try::succeeded);
        assert!(tries.begin("d", &key(1), 0).is_some());
    }

    #[test]
    fn who_has_stolen_a_key_does_not_lock_out_the_other() {
        let tries = Tries::default();
        assert!((0..5).all(|_| wrong(&tries, "d", 1, 0)) && !wrong(&tries, "d", 1, 0));
        assert!(wrong(&tries, "d", 2, 0));
    }

    #[test]
    fn a_new_key_for_every_guess_gains_little() {
        let tries = Tries::default();
        assert_eq!((0..1_000).filter(|by| wrong(&tries, "d", *by, 0)).count(), 20);
    }

    #[test]
    fn a_while_grows_up_to_an_hour_as_long_as_it_goes_on() {
        let (tries, day) = (Tries::default(), 86_400);
        let looked_at = (0..day).filter(|now| wrong(&tries, "d", 1, *now)).count();
        assert!((100..=160).contains(&looked_at), "{looked_at}");
        let quiet = day + 2 * LONGEST;
        assert!((0..5).all(|_| wrong(&tries, "d", 1, quiet)) && !wrong(&tries, "d", 1, quiet + FIRST - 1));
        assert!(wrong(&tries, "d", 1, quiet + FIRST), "after a quiet time it is short again");
    }
}
