//! Slow work (password hashing) has few places and a short queue, so that it never takes the machine from other requests.

use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Semaphore;

/// Places for slow work, and for those who wait.
pub struct SlowLane {
    places: Semaphore,
    inside: AtomicUsize,
    most: usize,
}

/// All places are taken, and all seats of the waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Rate exceeded")]
pub struct Busy;

impl SlowLane {
    /// `at_once` run, `waiting` wait, all others are refused.
    pub fn new(at_once: usize, waiting: usize) -> Self {
        SlowLane { places: Semaphore::new(at_once), inside: AtomicUsize::new(0), most: at_once + waiting }
    }

    /// Runs `work` on a thread where it blocks nobody.
    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Busy> {
        let _inside = Inside::enter(self)?;
        let _place = self.places.acquire().await.map_err(|_| Busy)?;
        tokio::task::spawn_blocking(work).await.map_err(|_| Busy)
    }
}

struct Inside<'a>(&'a SlowLane);

impl<'a> Inside<'a> {
    fn enter(lane: &'a SlowLane) -> Result<Self, Busy> {
        if lane.inside.fetch_add(1, Ordering::AcqRel) >= lane.most {
            lane.inside.fetch_sub(1, Ordering::AcqRel);
            return Err(Busy);
        }
        Ok(Inside(lane))
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.inside.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[tokio::test(flavor = "multi_thread")]
    async fn whoever_finds_the_queue_full_is_refused() {
        let lane = Arc::new(SlowLane::new(1, 1));
        let (open, gate) = std::sync::mpsc::channel::<()>();
        let running = tokio::spawn({
            let lane = lane.clone();
            async move { lane.run(move || gate.recv().is_ok()).await }
        });
        let waiting = tokio::spawn({
            let lane = lane.clone();
            async move { lane.run(|| true).await }
        });
        while lane.inside.load(Ordering::Acquire) < 2 {
            tokio::task::yield_now().await;
        }
        assert_eq!(lane.run(|| true).await, Err(Busy));
        open.send(()).unwrap();
        assert_eq!(running.await.unwrap(), Ok(true));
        assert_eq!(waiting.await.unwrap(), Ok(true));
        assert_eq!(lane.run(|| true).await, Ok(true), "places come free again");
    }
}
