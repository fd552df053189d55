//! The two things that a rule may not take from thin air: the time, and chance. Tests put their own in.

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
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
}

/// The machine's generator failed.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the machine's random generator failed")]
pub struct NoEntropy;

/// The machine's generator.
#[derive(Debug, Default)]
pub struct SystemEntropy(SystemRandom);

impl Entropy for SystemEntropy {
    fn fill(&self, out: &mut [u8]) -> Result<(), NoEntropy> {
        self.0.fill(out).map_err(|_| NoEntropy)
    }
}
