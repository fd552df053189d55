//! The decisions that the trail recorded, read while others decide: a thread of its own reads blocks and hands on events.

use arn::AccountId;
use audit::{Blocks, Parsed};
use std::io;
use tokio::sync::mpsc;

/// Batches that wait for who decides.
const WAITING: usize = 4;

/// What was read at once.
pub(crate) struct Batch {
    /// Events with a decision, of the time that is asked about.
    pub events: Vec<Parsed>,
    /// How many bytes they were read from.
    pub bytes: u64,
}

/// Which events are wanted.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    /// As the trail writes it: times of one form are in the order of their texts.
    pub since: String,
    /// Of one account's trail only.
    pub account: Option<AccountId>,
}

/// Reads all blocks, in a thread; it ends when nobody takes what it reads.
pub(crate) fn read(blocks: Blocks, wanted: Wanted) -> mpsc::Receiver<io::Result<Batch>> {
    let (give, take) = mpsc::channel(WAITING);
    tokio::task::spawn_blocking(move || {
        for block in blocks {
            let batch = block.map(|lines| Batch { bytes: lines.len() as u64, events: events(&lines, &wanted) });
            if give.blocking_send(batch).is_err() {
                return;
            }
        }
    });
    take
}

/// The events of a block, newest first. What is not an event says nothing about what was decided.
fn events(lines: &[u8], wanted: &Wanted) -> Vec<Parsed> {
    let decided = memchr::memmem::Finder::new(br#""bailiwick":{"#);
    let lines = lines.split(|byte| *byte == b'\n').rev().filter(|line| decided.find(line).is_some());
    lines
        .filter_map(|line| audit::parse(std::str::from_utf8(line).ok()?).ok())
        .filter(|event| event.event_time >= wanted.since && wanted.account.is_none_or(|account| event.account == Some(account)))
        .collect()
}
