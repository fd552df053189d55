//! Slow work (password hashing) has few places and a short queue, so that it never takes the machine from other requests: each runs on a
//! thread of its own that gives way to all others.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::{Semaphore, oneshot};

/// Places for slow work, and for those who wait.
pub struct SlowLane {
    places: Arc<Semaphore>,
    inside: Arc<AtomicUsize>,
    most: usize,
}

/// All places are taken, and all seats of the waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Rate exceeded")]
pub struct Busy;

impl SlowLane {
    /// `at_once` run, `waiting` wait, all others are refused.
    pub fn new(at_once: usize, waiting: usize) -> Self {
        SlowLane { places: Arc::new(Semaphore::new(at_once)), inside: Arc::default(), most: at_once + waiting }
    }

    /// Runs `work` on a thread where it blocks nobody. Work that has begun keeps its place to its end, also when nobody waits for it any more.
    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Busy> {
        let inside = Inside::enter(self)?;
        let place = self.places.clone().acquire_owned().await.map_err(|_| Busy)?;
        let (done, result) = oneshot::channel();
        let slow = move || {
            give_way();
            let made = work();
            drop((place, inside));
            // Whoever asked may be gone.
            drop(done.send(made));
        };
        std::thread::Builder::new().name("slow".into()).spawn(slow).map_err(|_| Busy)?;
        result.await.map_err(|_| Busy)
    }
}

/// How much this thread gives way to the others, from 0 to 19: its share is a tenth of theirs, and all of what they leave.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

/// Lets every other thread of the server go first. Where that cannot be said of one thread alone, or is refused, it runs as it is.
fn give_way() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(NICE) {
        tracing::debug!(%error, "slow work does not give way");
    }
}

struct Inside(Arc<AtomicUsize>);

impl Inside {
    fn enter(lane: &SlowLane) -> Result<Self, Busy> {
        if lane.inside.fetch_add(1, Ordering::AcqRel) >= lane.most {
            lane.inside.fetch_sub(1, Ordering::AcqRel);
            return Err(Busy);
        }
        Ok(Inside(lane.inside.clone()))
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
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

    #[tokio::test(flavor = "multi_thread")]
    async fn who_hangs_up_does_not_make_room_for_more_work_at_once() {
        let lane = Arc::new(SlowLane::new(1, 0));
        let (open, gate) = std::sync::mpsc::channel::<()>();
        let (begin, begun) = std::sync::mpsc::channel::<()>();
        let running = tokio::spawn({
            let lane = lane.clone();
            async move { lane.run(move || begin.send(()).is_ok() && gate.recv().is_ok()).await }
        });
        tokio::task::spawn_blocking(move || begun.recv()).await.unwrap().unwrap();
        running.abort();
        assert!(running.await.unwrap_err().is_cancelled());
        assert_eq!(lane.run(|| true).await, Err(Busy));
        open.send(()).unwrap();
        while lane.inside.load(Ordering::Acquire) > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(lane.run(|| true).await, Ok(true));
    }
}
