//! The two things that a rule may not take from thin air: the time, and chance. Tests put their own in.

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use std::sync::{Mutex, PoisonError};
use std::time::UNIX_EPOCH;

/// Tells the time.
pub trait Clock: Send + Sync + 'static {
    /// Milliseconds since the epoch.
    fn now_millis(&self) -> i64;

    /// Whole seconds since the epoch.
    fn now(&self) -> i64 {
        self.now_millis().div_euclid(1000)
    }
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine")]
    fn now_millis(&self) -> i64 {
        let since = std::time::SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }
}

/// Gives bytes that nobody can guess.
pub trait Entropy: Send + Sync + 'static {
    /// Fills `out`; `Err` says that the machine has no chance to give, and nothing may be made.
    fn fill(&self, out: &mut [u8]) -> Result<(), NoEntropy>;

    /// Sixteen bytes for an identifier that everybody may see: never for a secret. A source may draw many at once.
    fn public_id(&self) -> Result<[u8; 16], NoEntropy> {
        let mut id = [0; 16];
        self.fill(&mut id)?;
        Ok(id)
    }
}

/// The machine's generator failed.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the machine's random generator failed")]
pub struct NoEntropy;

/// Identifiers that are drawn from the generator at once: a call costs it more than the bytes do.
const DRAWN: usize = 64;

/// The machine's generator.
#[derive(Debug, Default)]
pub struct SystemEntropy {
    random: SystemRandom,
    ids: Mutex<Vec<[u8; 16]>>,
}

impl Entropy for SystemEntropy {
    fn fill(&self, out: &mut [u8]) -> Result<(), NoEntropy> {
        self.random.fill(out).map_err(|_| NoEntropy)
    }

    fn public_id(&self) -> Result<[u8; 16], NoEntropy> {
        let mut ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(id) = ids.pop() {
            return Ok(id);
        }
        let mut drawn = [0; 16 * DRAWN];
        self.fill(&mut drawn)?;
        let (drawn, _) = drawn.as_chunks();
        ids.extend_from_slice(drawn);
        ids.pop().ok_or(NoEntropy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_identifier_is_given_twice() {
        let entropy = SystemEntropy::default();
        let ids: HashSet<_> = (0..10 * DRAWN).map(|_| entropy.public_id().unwrap()).collect();
        assert_eq!(ids.len(), 10 * DRAWN);
    }
}
