//! The one write connection, and how many rules share one fsync.
//!
//! Writes take turns; the turn is the lock on [`Lane`], first come, first served. The first rule of a batch begins a transaction and wakes
//! the committer, who queues for the lock like everyone. So whoever queued before the committer runs in the same batch, each in a
//! savepoint, and all wait for one fsync. There are no conflicts and no timers, and a rule that is dropped half-way (its client left)
//! only rolls its savepoint back.

use super::locked;
use crate::{Changed, Observer, Revision, StoreError};
use rusqlite::Connection;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;
use tokio::sync::watch;

/// How long after the last commit the committer tidies up.
const IDLE: Duration = Duration::from_secs(1);

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
    wake: mpsc::Sender<()>,
    shared: Arc<Shared>,
}

/// What may be asked without a turn.
pub(super) struct Shared {
    observer: Mutex<Option<Observer>>,
    revision: AtomicI64,
    /// Events up to this one are safe elsewhere.
    done: AtomicI64,
    removed: AtomicI64,
}

impl Shared {
    pub(super) fn set_observer(&self, observer: Observer) {
        *locked(&self.observer) = Some(observer);
    }

    pub(super) fn revision(&self) -> Revision {
        self.revision.load(Ordering::Acquire)
    }

    pub(super) fn done(&self) -> i64 {
        self.done.load(Ordering::Acquire)
    }

    pub(super) fn outbox_done(&self, up_to: i64) {
        self.done.fetch_max(up_to, Ordering::AcqRel);
    }
}

impl Lane {
    pub(super) fn start(connection: Connection) -> Result<(Arc<tokio::sync::Mutex<Lane>>, Arc<Shared>), StoreError> {
        let last = |sql: &str| connection.query_row(sql, [], |r| r.get::<_, i64>(0));
        let change = last("SELECT coalesce(max(seq), 0) + 1 FROM changes")?;
        let event = last("SELECT coalesce(max(seq), 0) + 1 FROM outbox")?;
        let shared = Arc::new(Shared {
            observer: Mutex::default(),
            revision: AtomicI64::new(change - 1),
            done: AtomicI64::new(0),
            removed: AtomicI64::new(0),
        });
        let (wake, woken) = mpsc::channel();
        let lane = Lane {
            connection,
            batch: None,
            next: Counters { change, event },
            changed: vec![],
            erased: false,
            closed: false,
            wake,
            shared: shared.clone(),
        };
        let lane = Arc::new(tokio::sync::Mutex::new(lane));
        let weak = Arc::downgrade(&lane);
        let committer = std::thread::Builder::new().name("commit".into());
        committer.spawn(move || commit_batches(&weak, &woken)).map_err(|e| StoreError::Failed(e.into()))?;
        Ok((lane, shared))
    }

    pub(super) fn run(&self, sql: &str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(sql)?.execute([]).map(drop)
    }

    /// Joins the batch, or begins one.
    pub(super) fn begin(&mut self) -> Result<(), StoreError> {
        if self.closed {
            return Err(StoreError::Closed);
        }
        if self.batch.is_none() {
            self.run("BEGIN IMMEDIATE")?;
            self.batch = Some(Batch { outcome: watch::Sender::new(None), first: self.next });
            let _ = self.wake.send(());
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
            && let Some(batch) = self.batch.take()
        {
            self.lose(batch, Outcome::of(&error));
        }
        Err(error)
    }

    fn lose(&mut self, batch: Batch, outcome: Outcome) {
        self.next = batch.first;
        self.changed.clear();
        batch.outcome.send_replace(Some(outcome));
    }

    fn commit(&mut self) {
        self.remove_done_events();
        let Some(batch) = self.batch.take() else { return };
        if let Err(error) = self.run("COMMIT") {
            if !self.connection.is_autocommit() {
                let _ = self.run("ROLLBACK");
            }
            return self.lose(batch, Outcome::of(&error.into()));
        }
        self.shared.revision.store(self.next.change - 1, Ordering::Release);
        let changed = std::mem::take(&mut self.changed);
        let observer = locked(&self.shared.observer).clone();
        if let Some(observer) = observer
            && !changed.is_empty()
        {
            observer(&changed);
        }
        batch.outcome.send_replace(Some(Outcome::Durable));
    }

    /// In the transaction that is open; a failure costs nothing, they are removed another time.
    fn remove_done_events(&mut self) {
        let done = self.shared.done.load(Ordering::Acquire);
        if self.batch.is_none() || done <= self.shared.removed.load(Ordering::Acquire) {
            return;
        }
        let removed = self.connection.prepare_cached("DELETE FROM outbox WHERE seq <= ?1").and_then(|mut s| s.execute([done]));
        if self.noticed(removed).is_ok() {
            self.shared.removed.store(done, Ordering::Release);
        }
    }

    /// When nothing was written for a while.
    fn tidy(&mut self) {
        if self.closed || self.batch.is_some() {
            return;
        }
        if self.shared.done.load(Ordering::Acquire) > self.shared.removed.load(Ordering::Acquire) && self.begin().is_ok() {
            self.commit();
        }
        if self.erased && self.empty_log().is_ok_and(|emptied| emptied) {
            self.erased = false;
        }
    }

    /// Brings the log into the file and cuts it off. `false`: a reader needed it still.
    fn empty_log(&self) -> rusqlite::Result<bool> {
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |r| Ok(r.get::<_, i64>(0)? == 0))
    }

    pub(super) fn close(&mut self) -> Result<(), StoreError> {
        if self.closed {
            return Ok(());
        }
        if self.batch.is_none() {
            self.begin()?;
        }
        self.commit();
        self.closed = true;
        self.empty_log()?;
        Ok(())
    }

    /// Undoes what a rule did since its savepoint.
    pub(super) fn roll_back(&mut self, to: Counters) {
        let undone = self.run("ROLLBACK TO rule").and_then(|()| self.run("RELEASE rule"));
        if self.noticed(undone).is_ok() {
            self.next = to;
            while self.changed.last().is_some_and(|c| c.revision >= to.change) {
                self.changed.pop();
            }
        }
    }
}

fn commit_batches(lane: &Weak<tokio::sync::Mutex<Lane>>, woken: &mpsc::Receiver<()>) {
    loop {
        let idle = match woken.recv_timeout(IDLE) {
            Ok(()) => false,
            Err(RecvTimeoutError::Timeout) => true,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let Some(lane) = lane.upgrade() else { return };
        let mut lane = lane.blocking_lock();
        if idle {
            lane.tidy();
        } else {
            lane.commit();
        }
    }
}
