//! Group append: writers that come while another one writes wait, and the next of them writes for all.

use std::io;
use std::sync::{Arc, Condvar, Mutex, OnceLock};

use crate::lock;

/// Lines that are appended together, each with its number in the outbox and where it ends.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    pub(crate) bytes: Vec<u8>,
    pub(crate) ends: Vec<(i64, usize)>,
}

type Outcome = Result<(), io::ErrorKind>;

#[derive(Debug, Default)]
struct Queue {
    waiting: Lines,
    /// What becomes of those that wait.
    outcome: Arc<OnceLock<Outcome>>,
    /// Whether somebody writes.
    led: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Group {
    queue: Mutex<Queue>,
    written: Condvar,
}

/// Whoever writes for the group. Dropping it makes room for the next, also when writing panics.
struct Lead<'g> {
    group: &'g Group,
    outcome: Arc<OnceLock<Outcome>>,
}

impl Drop for Lead<'_> {
    fn drop(&mut self) {
        self.outcome.get_or_init(|| Err(io::ErrorKind::Other));
        lock(&self.group.queue).led = false;
        self.group.written.notify_all();
    }
}

impl Group {
    /// Returns once `line` has been handed to `write`, by this thread or by another, with what came of it. `write` gets whole lines.
    pub(crate) fn append(&self, seq: i64, line: &[u8], write: impl Fn(&Lines) -> Outcome) -> Outcome {
        let mut queue = lock(&self.queue);
        crate::push_line(&mut queue.waiting.bytes, line);
        let end = queue.waiting.bytes.len();
        queue.waiting.ends.push((seq, end));
        let outcome = Arc::clone(&queue.outcome);
        loop {
            if let Some(outcome) = outcome.get() {
                return *outcome;
            }
            if !queue.led {
                break;
            }
            queue = self.written.wait(queue).unwrap_or_else(std::sync::PoisonError::into_inner);
        }
        queue.led = true;
        let lines = std::mem::take(&mut queue.waiting);
        let outcome = std::mem::take(&mut queue.outcome);
        drop(queue);
        let lead = Lead { group: self, outcome };
        *lead.outcome.get_or_init(|| write(&lines))
    }
}
