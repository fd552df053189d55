//! The one write connection, and how many rules share one fsync.
//!
//! Writes take turns; the turn is the lock on [`Lane`], first come, first served. The first rule of a batch begins a transaction, each of
//! the others joins it in a savepoint, and who leaves with nobody waiting calls the committer: all of them wait for one fsync. There are
//! no conflicts and no timers: one client alone waits for nobody, and of many who write at once all share. A rule that is dropped half-way
//! (its client left) only rolls its savepoint back. Where the disk is quick the last rule commits itself: a sync is then shorter than the
//! way to another thread and back.

use super::locked;
use super::session::Wrote;
use crate::{Changed, Observer, Revision, StoreError};
use rusqlite::Connection;
use std::ops::{Deref, DerefMut};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::{OwnedMutexGuard, watch};

/// A commit shorter than this does not hold up the thread that runs other requests.
const QUICK: Duration = Duration::from_micros(400);
/// Rules that share a commit at most: the first of them waits for all the others.
const TOGETHER: usize = 256;
/// Events that are removed from the outbox at once: whole pages go, at little cost.
const EVENTS: i64 = 512;
/// Rows after which the keeper looks how long the log is.
const ROWS: u64 = 2_000;

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Durable,
    Full,
    Failed,
}

impl Outcome {
    fn of(error: &StoreError) -> Outcome {
        if matches!(error, StoreError::Full) { Outcome::Full } else { Outcome::Failed }
    }
}

/// A transaction that several rules share.
struct Batch {
    outcome: watch::Sender<Option<Outcome>>,
    rules: usize,
    /// The numbers that its first change and its first event would get.
    first: Counters,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Counters {
    /// The number of the next change.
    pub(super) change: i64,
    /// The number of the next event.
    pub(super) event: i64,
}

/// The one write connection.
pub(super) struct Lane {
    pub(super) connection: Connection,
    batch: Option<Batch>,
    pub(super) next: Counters,
    /// What the batch changed so far.
    pub(super) changed: Vec<Changed>,
    /// Something sealed was erased: older copies of it are still in the log.
    pub(super) erased: bool,
    closed: bool,
    /// How long a commit takes, lately.
    pub(super) takes: Duration,
    /// How many rows had been written when the keeper was last called.
    kept: u64,
    shared: Arc<Shared>,
}

/// A turn: the lane, until it is dropped.
pub(super) struct Turn {
    lane: OwnedMutexGuard<Lane>,
    /// Dropped after it.
    _leaving: Leaving,
}

impl Deref for Turn {
    type Target = Lane;
    fn deref(&self) -> &Lane {
        &self.lane
    }
}

impl DerefMut for Turn {
    fn deref_mut(&mut self) -> &mut Lane {
        &mut self.lane
    }
}

/// Whoever leaves calls the committer, unless somebody waits who will. Who comes after the look will, too.
struct Leaving(Arc<Shared>);

impl Drop for Leaving {
    fn drop(&mut self) {
        if self.0.waiting.load(Ordering::Acquire) == 0 && self.0.open.load(Ordering::Acquire) {
            self.0.call_committer();
        }
    }
}

impl Turn {
    /// Ends the turn: commits at once, if nobody waits and the disk is quick.
    pub(super) fn leave(mut self) {
        if self.lane.takes < QUICK && self.lane.shared.waiting.load(Ordering::Acquire) == 0 {
            self.lane.commit();
        }
    }
}

/// What may be asked without a turn.
pub(super) struct Shared {
    observer: Mutex<Option<Observer>>,
    revision: AtomicI64,
    /// Events up to this one are safe elsewhere.
    done: AtomicI64,
    removed: AtomicI64,
    /// How many wait for a turn.
    waiting: AtomicUsize,
    /// Whether a batch waits for its commit.
    open: AtomicBool,
    committer: mpsc::Sender<Call>,
    keeper: mpsc::Sender<Call>,
}

/// What a thread beside is called for.
pub(super) enum Call {
    Work,
    Stop,
}

/// A place in the queue. Who leaves it without a turn may have been the one for whom a commit was put off.
struct Waiting<'s> {
    shared: &'s Shared,
    left: bool,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.shared.waiting.fetch_sub(1, Ordering::AcqRel);
        if self.left {
            self.shared.call_committer();
        }
    }
}

impl Shared {
    pub(super) fn set_observer(&self, observer: Observer) {
        *locked(&self.observer) = Some(observer);
    }

    pub(super) fn revision(&self) -> Revision {
        self.revision.load(Ordering::Acquire)
    }

    /// Waits for a turn, and begins a batch or joins the one that there is.
    pub(super) async fn turn(self: &Arc<Self>, lane: &Arc<tokio::sync::Mutex<Lane>>) -> Result<Turn, StoreError> {
        self.waiting.fetch_add(1, Ordering::AcqRel);
        let mut waiting = Waiting { shared: self, left: true };
        let lane = lane.clone().lock_owned().await;
        waiting.left = false;
        drop(waiting);
        let mut turn = Turn { lane, _leaving: Leaving(self.clone()) };
        turn.begin()?;
        Ok(turn)
    }

    pub(super) fn done(&self) -> i64 {
        self.done.load(Ordering::Acquire)
    }

    /// How many wait for a turn.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Acquire)
    }

    fn call_committer(&self) {
        let _ = self.committer.send(Call::Work);
    }

    /// Ends the threads beside, after what they are at.
    pub(super) fn stop(&self) {
        let _ = self.committer.send(Call::Stop);
        let _ = self.keeper.send(Call::Stop);
    }

    pub(super) fn outbox_done(&self, up_to: i64) {
        self.done.fetch_max(up_to, Ordering::AcqRel);
    }
}

/// The lane, what is shared of it, and the committer's thread.
type Started = (Arc<tokio::sync::Mutex<Lane>>, Arc<Shared>, JoinHandle<()>);

impl Lane {
    pub(super) fn start(connection: Connection, keeper: mpsc::Sender<Call>) -> Result<Started, StoreError> {
        let last = |sql: &str| connection.query_row(sql, [], |r| r.get::<_, i64>(0));
        let change = last("SELECT coalesce(max(seq), 0) + 1 FROM changes")?;
        let event = last("SELECT coalesce(max(seq), 0) + 1 FROM outbox")?;
        let (committer, called) = mpsc::channel();
        let shared = Arc::new(Shared {
            observer: Mutex::default(),
            revision: AtomicI64::new(change - 1),
            done: AtomicI64::new(0),
            removed: AtomicI64::new(0),
            waiting: AtomicUsize::new(0),
            open: AtomicBool::new(false),
            committer,
            keeper,
        });
        let lane = Lane {
            connection,
            batch: None,
            next: Counters { change, event },
            changed: vec![],
            erased: false,
            closed: false,
            takes: QUICK,
            kept: 0,
            shared: shared.clone(),
        };
        let lane = Arc::new(tokio::sync::Mutex::new(lane));
        let commits = lane.clone();
        let thread = std::thread::Builder::new().name("commit".into());
        let committer = thread.spawn(move || commit_batches(&commits, &called)).map_err(|e| StoreError::Failed(e.into()))?;
        Ok((lane, shared, committer))
    }

    pub(super) fn run(&self, sql: &str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(sql)?.execute([]).map(drop)
    }

    /// Joins the batch, or begins one.
    pub(super) fn begin(&mut self) -> Result<(), StoreError> {
        if self.closed {
            return Err(StoreError::Closed);
        }
        match &mut self.batch {
            Some(batch) => {
                batch.rules += 1;
                if batch.rules == TOGETHER {
                    self.shared.call_committer();
                }
            }
            None => {
                self.run("BEGIN IMMEDIATE")?;
                self.batch = Some(Batch { outcome: watch::Sender::new(None), rules: 1, first: self.next });
                self.shared.open.store(true, Ordering::Release);
            }
        }
        Ok(())
    }

    pub(super) fn batch(&self) -> Option<watch::Receiver<Option<Outcome>>> {
        self.batch.as_ref().map(|batch| batch.outcome.subscribe())
    }

    /// What a statement answered. Of some failures SQLite rolls the whole transaction back: then the batch is lost at once, so that no
    /// later rule of it runs outside of a transaction.
    pub(super) fn noticed<T>(&mut self, answer: rusqlite::Result<T>) -> Result<T, StoreError> {
        let error = match answer {
            Ok(value) => return Ok(value),
            Err(error) => StoreError::from(error),
        };
        if self.connection.is_autocommit()
            && let Some(batch) = self.take_batch()
        {
            self.lose(batch, Outcome::of(&error));
        }
        Err(error)
    }

    fn take_batch(&mut self) -> Option<Batch> {
        self.shared.open.store(false, Ordering::Release);
        self.batch.take()
    }

    fn lose(&mut self, batch: Batch, outcome: Outcome) {
        self.next = batch.first;
        self.changed.clear();
        batch.outcome.send_replace(Some(outcome));
    }

    pub(super) fn commit(&mut self) {
        self.remove_done_events(EVENTS);
        let Some(batch) = self.take_batch() else { return };
        let start = Instant::now();
        if let Err(error) = self.run("COMMIT") {
            if !self.connection.is_autocommit() {
                let _ = self.run("ROLLBACK");
            }
            return self.lose(batch, Outcome::of(&error.into()));
        }
        self.takes = (self.takes * 3 + start.elapsed()) / 4;
        self.shared.revision.store(self.next.change - 1, Ordering::Release);
        let changed = std::mem::take(&mut self.changed);
        let told = self.tell(&changed);
        batch.outcome.send_replace(Some(if told { Outcome::Durable } else { Outcome::Failed }));
        let rows = self.connection.total_changes();
        if rows - self.kept >= ROWS {
            self.kept = rows;
            let _ = self.shared.keeper.send(Call::Work);
        }
    }

    /// Tells the observer. One that fails has not heard: then nothing more is written that it would not hear of either.
    fn tell(&mut self, changed: &[Changed]) -> bool {
        let observer = locked(&self.shared.observer).clone();
        let told = match observer {
            Some(observer) if !changed.is_empty() => catch_unwind(AssertUnwindSafe(|| observer(changed))).is_ok(),
            Some(_) | None => true,
        };
        self.closed |= !told;
        told
    }

    /// In the transaction that is open; a failure costs nothing, they are removed another time.
    fn remove_done_events(&mut self, at_least: i64) {
        let done = self.shared.done.load(Ordering::Acquire);
        if self.batch.is_none() || done - self.shared.removed.load(Ordering::Acquire) < at_least {
            return;
        }
        let removed = self.connection.prepare_cached("DELETE FROM outbox WHERE seq <= ?1").and_then(|mut s| s.execute([done]));
        if self.noticed(removed).is_ok() {
            self.shared.removed.store(done, Ordering::Release);
        }
    }

    /// When nothing was written for a while: removes events that are safe elsewhere. Says whether something sealed was erased.
    pub(super) fn tidy(&mut self) -> bool {
        if !self.closed && self.shared.done.load(Ordering::Acquire) > self.shared.removed.load(Ordering::Acquire) && self.begin().is_ok() {
            self.remove_done_events(1);
            self.commit();
        }
        self.erased && !self.closed
    }

    /// Brings the log into the file and cuts it off. `false`: a reader needed it still.
    pub(super) fn empty_log(&mut self) -> Result<bool, StoreError> {
        let emptied = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |r| Ok(r.get::<_, i64>(0)? == 0))?;
        self.erased &= !emptied;
        Ok(emptied)
    }

    pub(super) fn close(&mut self) -> Result<(), StoreError> {
        if self.closed {
            return Ok(());
        }
        self.tidy();
        self.commit();
        self.closed = true;
        self.empty_log().map(drop)
    }

    /// Whether no rule but the one whose turn it is has a part in the batch.
    pub(super) fn is_first(&self) -> bool {
        self.batch.as_ref().is_some_and(|batch| batch.rules == 1)
    }

    /// Undoes what a rule did.
    pub(super) fn roll_back(&mut self, wrote: Wrote, to: Counters) {
        let sql: &[&str] = match wrote {
            Wrote::Nothing => return,
            Wrote::Alone => &["ROLLBACK"],
            Wrote::AfterOthers => &["ROLLBACK TO rule", "RELEASE rule"],
        };
        let undone = if self.connection.is_autocommit() { Ok(()) } else { sql.iter().try_for_each(|sql| self.run(sql)) };
        if self.noticed(undone).is_err() {
            return;
        }
        self.next = to;
        while self.changed.last().is_some_and(|c| c.revision >= to.change) {
            self.changed.pop();
        }
        if wrote == Wrote::Alone
            && let Some(batch) = self.take_batch()
        {
            // Nothing is left that anybody would wait for.
            batch.outcome.send_replace(Some(Outcome::Durable));
        }
    }
}

/// The committer's thread.
fn commit_batches(lane: &tokio::sync::Mutex<Lane>, called: &mpsc::Receiver<Call>) {
    while let Ok(Call::Work) = called.recv() {
        lane.blocking_lock().commit();
    }
}
