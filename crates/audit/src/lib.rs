//! The audit trail: what an event looks like, and the files that keep it.
//!
//! [`Event`] writes one record in CloudTrail's form, with [`Recorded`] inside: what `explain` needs to compute a decision again.
//! [`Trail`] appends records to files of JSON Lines in the data directory. Events of writes come from the store's outbox, where they were
//! made durable with the write itself; the trail says which of them are [settled](Trail::settled) on disk, so that their owner can remove
//! them there. Nothing here decides anything, and no secret is ever written: [`redact`] is the one table of what is left out.
//!
//! Guide: <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html>.

mod appender;
mod event;
mod files;
mod group;
mod identity;
mod json;
#[cfg(test)]
mod lab;
mod recorded;
pub mod redact;
mod sampling;
mod search;
mod settling;
mod time;
mod trail;

pub use event::{Event, EventId, EventType, Resource, Tls, Tree};
pub use files::{Disk, Files, Opened};
pub use identity::{Attributes, Issuer, UserIdentity, WebIdentity};
pub use json::{List, Object, Value};
pub use recorded::{By, CUT, Check, Identified, Keys, LONGEST_VALUE, NotAnEvent, Parsed, Recorded, Words, parse};
pub use search::Blocks;
pub use trail::{Config, Counters, Refused, Trail};

/// Locks. A thread that panicked under a lock has left whole values behind: nothing here is changed in steps that need each other.
fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Appends a line and its end. An end inside of it, which no writer of JSON here makes, becomes a space.
fn push_line(lines: &mut Vec<u8>, line: &[u8]) {
    let start = lines.len();
    lines.extend_from_slice(line);
    if memchr::memchr(b'\n', line).is_some() {
        lines.iter_mut().skip(start).filter(|byte| **byte == b'\n').for_each(|byte| *byte = b' ');
    }
    lines.push(b'\n');
}
