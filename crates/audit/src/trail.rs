//! The trail's front: events of reads are buffered, events of writes are in the file before their answer goes out.
//!
//! A write's event has been made durable by the store, in its outbox, together with the write. Here it is appended to a file and later
//! synced; only then is it [settled](Trail::settled), and may leave the outbox. Whatever goes wrong in between, [`Trail::recover`] brings it
//! from the outbox again, once. The owner's part, about every second, and at the start until the outbox is empty, with
//! [`Trail::sync`] in place of `settled`:
//!
//! ```text
//! if started || trail.needs_outbox() { trail.recover(&store.outbox(10_000)?)?; }
//! if let Some(seq) = trail.settled() { store.outbox_done(seq); }
//! ```
//!
//! Numbers of the outbox may have holes; as long as a trail is open, none is given twice.

use std::io;
use std::net::IpAddr;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{JoinHandle, Thread};
use std::time::{Duration, Instant};

use crate::appender::Appender;
use crate::files::{Disk, Files};
use crate::group::{Group, Lines};
use crate::sampling::Sampler;
use crate::search::{self, Blocks, Known};
use crate::{lock, push_line};

/// How much is buffered before the writer is woken early; a write of this size costs little more than its copy.
const CHUNK: usize = 256 * 1_024;
/// How much must be writable before a disk that was full counts as healed.
const HEADROOM: usize = 256 * 1_024;

/// How the trail behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    /// A file is not made larger than this, in bytes.
    pub rotate_bytes: u64,
    /// The oldest files are removed beyond this total, in bytes; never the current one.
    pub keep_bytes: u64,
    /// How long an event of a read is buffered at most, and how long anything stays without a sync.
    pub delay: Duration,
    /// How much is buffered at most while the disk does not keep up or refuses; events of reads beyond it are dropped and counted.
    pub buffer_bytes: usize,
    /// How many events of unauthenticated callers are written in a second, of one source.
    pub unauthenticated_per_source: u32,
    /// The same of all sources together, so that many cannot push out of the trail what others did.
    pub unauthenticated_in_all: u32,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            rotate_bytes: 64 << 20,
            keep_bytes: 2 << 30,
            delay: Duration::from_secs(1),
            buffer_bytes: 16 << 20,
            unauthenticated_per_source: 100,
            unauthenticated_in_all: 1_000,
        }
    }
}

/// What has happened since the start, for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Events written to a file.
    pub written: u64,
    /// Events of reads that the disk did not take in time.
    pub dropped: u64,
    /// Events of writes that the disk refused; they stay in the outbox and are written when it takes them again.
    pub refused: u64,
    /// Calls that did not authenticate.
    pub unauthenticated: u64,
    /// Those of them that no event was to be written of.
    pub sampled_out: u64,
}

/// The disk does not take events now. The event stays in the outbox and is brought from there later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the audit trail cannot be written: {0}")]
pub struct Refused(pub io::ErrorKind);

/// Lines of reads on their way to a file.
#[derive(Debug, Default)]
struct Taken {
    /// What the disk has refused.
    unwritten: Vec<u8>,
    /// An empty buffer to swap with, so that the two are made once.
    spare: Vec<u8>,
}

struct Shared {
    files: Arc<dyn Files>,
    config: Config,
    notes: Mutex<Vec<u8>>,
    /// Locked by whoever writes notes.
    taken: Mutex<Taken>,
    /// How many bytes were taken out of `notes` and not written yet.
    held: AtomicUsize,
    group: Group,
    appender: Mutex<Appender>,
    healthy: AtomicBool,
    closing: AtomicBool,
    sampler: Sampler,
    started: Instant,
    written: AtomicU64,
    dropped: AtomicU64,
    refused: AtomicU64,
    unauthenticated: AtomicU64,
    sampled_out: AtomicU64,
}

/// The audit trail of one data directory. Whoever opens it is the only one to do so: the data directory's lock sees to that.
pub struct Trail {
    shared: Arc<Shared>,
    writer: Thread,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl std::fmt::Debug for Trail {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Trail").field("config", &self.shared.config).finish_non_exhaustive()
    }
}

impl Trail {
    /// Opens the trail in `directory`, which is made if it is not there: 0700, with files 0600, whatever the umask. Half a line at the end of
    /// the newest file, as a crash leaves one, is cut off.
    pub fn open(directory: &Path, config: Config) -> io::Result<Trail> {
        Trail::open_on(Arc::new(Disk::at(directory)?), config)
    }

    /// The same on other files than a directory's, for tests of a disk that is full or broken.
    pub fn open_on(files: Arc<dyn Files>, config: Config) -> io::Result<Trail> {
        let (appender, cut) = Appender::open(Arc::clone(&files), config.rotate_bytes, config.keep_bytes)?;
        if cut > 0 {
            tracing::warn!(bytes = cut, "the audit trail ended within a line, which was cut off");
        }
        let shared = Arc::new(Shared {
            files,
            config,
            notes: Mutex::default(),
            taken: Mutex::default(),
            held: AtomicUsize::new(0),
            group: Group::default(),
            appender: Mutex::new(appender),
            healthy: AtomicBool::new(true),
            closing: AtomicBool::new(false),
            sampler: Sampler::new(config.unauthenticated_per_source, config.unauthenticated_in_all),
            started: Instant::now(),
            written: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            unauthenticated: AtomicU64::new(0),
            sampled_out: AtomicU64::new(0),
        });
        // Two threads, since a sync takes as long as the disk likes, and what is buffered must not wait for it.
        let start = |name: &str, run: fn(&Shared)| {
            let shared = Arc::clone(&shared);
            std::thread::Builder::new().name(name.to_owned()).spawn(move || run(&shared))
        };
        let writer = start("trail-writer", Shared::keep_writing)?;
        let thread = writer.thread().clone();
        let syncer = start("trail-syncer", Shared::keep_syncing)?;
        Ok(Trail { shared, writer: thread, threads: Mutex::new(vec![writer, syncer]) })
    }

    /// Takes the event of a read; `line` is without its end. It is in a file within [`Config::delay`]. Never waits for the disk: what that
    /// does not take in time is dropped and counted.
    pub fn note(&self, line: impl AsRef<[u8]>) {
        let line = line.as_ref();
        let mut notes = lock(&self.shared.notes);
        let before = notes.len();
        if before + line.len() + self.shared.held.load(Ordering::Relaxed) >= self.shared.config.buffer_bytes {
            drop(notes);
            self.shared.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        push_line(&mut notes, line);
        let wakes = before < CHUNK && notes.len() >= CHUNK;
        drop(notes);
        if wakes {
            self.writer.unpark();
        }
    }

    /// Takes the event of a write, which the store has made durable as number `seq` of its outbox. When this returns it is in a file.
    /// Threads that come together share one write. An error changes nothing: the event is in the outbox, and is brought from there.
    pub fn write_through(&self, seq: i64, line: &str) -> Result<(), Refused> {
        self.shared.group.append(seq, line.as_bytes(), |lines| self.shared.append_writes(lines)).map_err(Refused)
    }

    /// Whether the disk takes events. While it does not, writes are not to be begun.
    pub fn ready_for_writes(&self) -> bool {
        self.shared.healthy.load(Ordering::Acquire)
    }

    /// All events of the outbox up to this number are on the disk. None before [`Trail::recover`] has seen the outbox with an event in it.
    pub fn settled(&self) -> Option<i64> {
        lock(&self.shared.appender).settling.base()
    }

    /// Whether the outbox may hold an event that is not in a file, as after a refusal, or where a caller was cancelled between its commit
    /// and [`Trail::write_through`]. Then [`Trail::recover`] is due.
    pub fn needs_outbox(&self) -> bool {
        self.ready_for_writes() && lock(&self.shared.appender).settling.needs_outbox(Instant::now())
    }

    /// Appends those of the outbox's oldest events, given in order and without holes, that are in no file. Says how many that were.
    pub fn recover(&self, outbox: &[(i64, String)]) -> io::Result<usize> {
        let shared = &*self.shared;
        let mut appender = lock(&shared.appender);
        let base = appender.settling.base().unwrap_or(i64::MIN);
        let unknown: Vec<_> = outbox.iter().filter(|(seq, _)| *seq > base && !appender.settling.knows(*seq)).collect();
        let wanted: Vec<_> = unknown.iter().filter_map(|(_, line)| Known::of(line)).collect();
        let present = search::present(&*shared.files, &appender.newest_trusted_first(), &wanted)?;
        let mut lines = Lines::default();
        for (seq, line) in unknown {
            if Known::of(line).is_some_and(|known| present.contains(&known.id)) {
                appender.settling.wrote(*seq);
            } else {
                push_line(&mut lines.bytes, line.as_bytes());
                lines.ends.push((*seq, lines.bytes.len()));
            }
        }
        shared.append_to(&mut appender, &lines)?;
        if let (Some((first, _)), Some((last, _))) = (outbox.first(), outbox.last()) {
            appender.settling.reconciled(*first, *last);
        }
        appender.settling.complete(outbox.last().map_or(i64::MAX, |(last, _)| *last));
        Ok(lines.ends.len())
    }

    /// The newest event of a request, also one that was buffered until now.
    pub fn find(&self, request_id: &str) -> io::Result<Option<String>> {
        self.find_where(request_id, |_| true)
    }

    /// The newest event of a request that `accept` takes: a call that concerns several accounts has one in each.
    pub fn find_where(&self, request_id: &str, mut accept: impl FnMut(&str) -> bool) -> io::Result<Option<String>> {
        self.shared.write_notes();
        let files = lock(&self.shared.appender).newest_first();
        search::of_request(&*self.shared.files, &files, request_id, |line| {
            if accept(line) { ControlFlow::Break(line.to_owned()) } else { ControlFlow::Continue(()) }
        })
    }

    /// All events since `second`, those too that were buffered until now.
    pub fn since(&self, second: i64) -> Blocks {
        self.shared.write_notes();
        let files = lock(&self.shared.appender).newest_first();
        Blocks::new(self.shared.files.clone(), files, second)
    }

    /// Counts a call that did not authenticate, and says whether its event is to be written.
    pub fn unauthenticated(&self, source: IpAddr) -> bool {
        let second = u32::try_from(self.shared.started.elapsed().as_secs()).unwrap_or(u32::MAX);
        let written = self.shared.sampler.admit(source, second);
        self.shared.unauthenticated.fetch_add(1, Ordering::Relaxed);
        self.shared.sampled_out.fetch_add(u64::from(!written), Ordering::Relaxed);
        written
    }

    /// Syncs now what is in files, and says what is settled then.
    pub fn sync(&self) -> Option<i64> {
        self.shared.sync();
        self.settled()
    }

    /// What has happened since the start.
    pub fn counters(&self) -> Counters {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counters {
            written: of(&self.shared.written),
            dropped: of(&self.shared.dropped),
            refused: of(&self.shared.refused),
            unauthenticated: of(&self.shared.unauthenticated),
            sampled_out: of(&self.shared.sampled_out),
        }
    }

    /// Writes and syncs all that there is, and ends the trail's threads; afterwards [`Trail::settled`] is up to date. Also happens on drop.
    pub fn close(&self) {
        self.shared.closing.store(true, Ordering::Release);
        for thread in lock(&self.threads).drain(..) {
            thread.thread().unpark();
            if thread.join().is_err() {
                tracing::error!("a thread of the audit trail has panicked");
            }
        }
        self.shared.write_notes();
        self.shared.sync();
    }
}

impl Drop for Trail {
    fn drop(&mut self) {
        self.close();
    }
}

impl Shared {
    /// Half of the delay: what comes right after one round is done by the end of the next.
    fn pause(&self) -> Duration {
        self.config.delay / 2
    }

    fn keep_writing(&self) {
        while !self.closing.load(Ordering::Acquire) {
            if lock(&self.notes).len() < CHUNK || !self.healthy.load(Ordering::Acquire) {
                std::thread::park_timeout(self.pause());
            }
            self.write_notes();
        }
    }

    fn keep_syncing(&self) {
        while !self.closing.load(Ordering::Acquire) {
            std::thread::park_timeout(self.pause());
            if !self.healthy.load(Ordering::Acquire) {
                self.try_to_heal();
            }
            self.sync();
            self.remove_outlived();
        }
    }

    /// Writes what reads have noted, in pieces, so that a write's event waits for one piece at most. What the disk does not take is held,
    /// within the buffer's bound, until it does.
    fn write_notes(&self) {
        let mut taken = lock(&self.taken);
        let Taken { unwritten, spare } = &mut *taken;
        let mut notes = lock(&self.notes);
        let mut lines = std::mem::replace(&mut *notes, std::mem::take(spare));
        self.held.store(unwritten.len() + lines.len(), Ordering::Relaxed);
        drop(notes);
        if !unwritten.is_empty() {
            unwritten.append(&mut lines);
            std::mem::swap(unwritten, &mut lines);
        }
        let mut rest = lines.as_slice();
        while !rest.is_empty() {
            let (piece, others) = rest.split_at(piece(rest));
            let appended = lock(&self.appender).append(piece);
            if let Err(error) = appended {
                *unwritten = rest.to_vec();
                self.falter(&error);
                return;
            }
            let count = memchr::memchr_iter(b'\n', piece).count();
            self.written.fetch_add(u64::try_from(count).unwrap_or(0), Ordering::Relaxed);
            self.held.fetch_sub(piece.len(), Ordering::Relaxed);
            rest = others;
        }
        lines.clear();
        lines.shrink_to(4 * CHUNK);
        *spare = lines;
    }

    /// Writes a group of writes' events; those that [`Trail::recover`] has brought meanwhile are left out.
    fn append_writes(&self, lines: &Lines) -> Result<(), io::ErrorKind> {
        let mut appender = lock(&self.appender);
        if lines.ends.iter().any(|(seq, _)| appender.settling.knows(*seq)) {
            let mut others = Lines::default();
            let mut start = 0;
            for (seq, end) in &lines.ends {
                if !appender.settling.knows(*seq) {
                    others.bytes.extend_from_slice(lines.bytes.get(start..*end).unwrap_or_default());
                    others.ends.push((*seq, others.bytes.len()));
                }
                start = *end;
            }
            return self.append_to(&mut appender, &others).map_err(|error| error.kind());
        }
        self.append_to(&mut appender, lines).map_err(|error| error.kind())
    }

    fn append_to(&self, appender: &mut Appender, lines: &Lines) -> io::Result<()> {
        let count = u64::try_from(lines.ends.len()).unwrap_or(0);
        match appender.append(&lines.bytes) {
            Ok(()) => {
                lines.ends.iter().for_each(|(seq, _)| appender.settling.wrote(*seq));
                self.written.fetch_add(count, Ordering::Relaxed);
                Ok(())
            }
            Err(error) => {
                lines.ends.iter().for_each(|(seq, _)| appender.settling.refuse(*seq));
                self.refused.fetch_add(count, Ordering::Relaxed);
                self.falter(&error);
                Err(error)
            }
        }
    }

    fn sync(&self) {
        let about = lock(&self.appender).begin_sync();
        let synced = about.sync(&*self.files);
        let mut appender = lock(&self.appender);
        appender.end_sync(&about, synced.is_ok());
        appender.settling.end_sync(synced.is_ok(), Instant::now());
        drop(appender);
        if let Err(error) = synced {
            self.falter(&error);
        }
    }

    fn falter(&self, error: &io::Error) {
        if self.healthy.swap(false, Ordering::AcqRel) {
            tracing::error!(%error, "the audit trail cannot be written; writes are refused until it can");
        }
    }

    fn try_to_heal(&self) {
        if self.files.probe(HEADROOM).is_ok() && !self.healthy.swap(true, Ordering::AcqRel) {
            tracing::warn!("the audit trail can be written again");
        }
    }

    fn remove_outlived(&self) {
        let outlived = lock(&self.appender).outlived();
        for number in outlived {
            if let Err(error) = self.files.remove(number) {
                tracing::warn!(%error, number, "a file of the audit trail could not be removed");
            }
        }
    }
}

/// How much of the lines is written at once: whole ones of about [`CHUNK`] bytes.
fn piece(lines: &[u8]) -> usize {
    let near = lines.get(..CHUNK).map_or(lines.len(), |chunk| memchr::memrchr(b'\n', chunk).map_or(CHUNK, |end| end + 1));
    // A line that is longer than a chunk is one piece.
    lines
        .get(near.saturating_sub(1)..)
        .and_then(|tail| memchr::memchr(b'\n', tail))
        .map_or(lines.len(), |end| near.saturating_sub(1) + end + 1)
}

#[cfg(test)]
mod tests;
