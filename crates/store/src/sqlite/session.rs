//! One open transaction: the verbs, as SQL.

use super::edit::{Writing, apply};
use super::lane::{Counters, Outcome, Turn};
use super::schema::value;
use super::{Reader, Readers, locked};
use crate::backend::{Edit, Ended, Once, Range, Row, Then};
use crate::{Mark, Marks, Revision, Spent, StoreError, Who};
use rusqlite::{Connection, OptionalExtension, params};
use std::sync::{Arc, Mutex};
use tokio::sync::watch;

/// Changes that one slice of a walk over the history looks at, before it lets others on.
pub(super) const WALK: i64 = 5_000;
/// Values that were used once and have expired, removed with each new one: so they never grow beyond those that count.
const EXPIRED: i64 = 8;

/// The lock is never contended: it makes the connection `Sync`, which a future that lends its transaction needs.
pub(crate) struct Session(Mutex<Option<Held>>);

enum Held {
    /// Nothing has been asked yet: whoever asks nothing takes no connection.
    Later(Arc<Readers>),
    Reader(Reader, Arc<Readers>),
    Writer(Box<Writer>),
}

/// A turn in the lane.
struct Writer {
    lane: Turn,
    /// What becomes of the batch that this rule is in.
    batch: Option<watch::Receiver<Option<Outcome>>>,
    first: Counters,
    account: Arc<str>,
    caller: String,
    at_millis: i64,
    wrote: Wrote,
    /// An edit failed half-way: nothing of this rule may stay, whatever it makes of the error.
    broken: Option<Outcome>,
}

/// How what a rule has written is undone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrote {
    Nothing,
    /// It is the first of its batch: with the whole transaction.
    Alone,
    /// To its savepoint.
    AfterOthers,
}

impl Writer {
    /// Runs a statement that writes, all of it or nothing.
    fn edit<T>(&mut self, edit: impl FnOnce(&Connection, &mut Writing<'_>) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        if let Some(outcome) = self.broken {
            return Err(failed(outcome));
        }
        if self.wrote == Wrote::Nothing && self.lane.is_first() {
            self.wrote = Wrote::Alone;
        } else if self.wrote == Wrote::Nothing {
            let saved = self.lane.run("SAVEPOINT rule");
            self.noticed(saved)?;
            self.wrote = Wrote::AfterOthers;
        }
        let lane = &mut *self.lane;
        let mut writing = Writing {
            next: &mut lane.next,
            changed: &mut lane.changed,
            erased: &mut lane.erased,
            first: self.first,
            account: &self.account,
            caller: &self.caller,
            at_millis: self.at_millis,
        };
        let answer = edit(&lane.connection, &mut writing);
        self.noticed(answer)
    }

    fn noticed<T>(&mut self, answer: rusqlite::Result<T>) -> Result<T, StoreError> {
        self.lane.noticed(answer).inspect_err(|error| {
            self.broken = Some(if matches!(error, StoreError::Full) { Outcome::Full } else { Outcome::Failed });
        })
    }
}

fn failed(outcome: Outcome) -> StoreError {
    match outcome {
        Outcome::Full => StoreError::Full,
        Outcome::Durable | Outcome::Failed => StoreError::Failed("the transaction was not committed".into()),
    }
}

fn ended() -> StoreError {
    StoreError::Failed("the transaction has ended".into())
}

impl Session {
    pub(super) fn reading(readers: Arc<Readers>) -> Session {
        Session(Mutex::new(Some(Held::Later(readers))))
    }

    /// Takes the snapshot, if it is not taken yet.
    async fn begin(&self) -> Result<(), StoreError> {
        let readers = match locked(&self.0).as_ref() {
            Some(Held::Later(readers)) => readers.clone(),
            Some(Held::Reader(..) | Held::Writer(_)) | None => return Ok(()),
        };
        let reader = readers.take().await?;
        reader.connection.prepare_cached("BEGIN")?.execute([])?;
        let unused = locked(&self.0).replace(Held::Reader(reader, readers));
        // Two that ask at once both come here; the later one's snapshot stands, and neither has been read from.
        if let Some(Held::Reader(reader, readers)) = unused {
            give_back(reader, &readers);
        }
        Ok(())
    }

    /// Gives the snapshot back. Who asks again sees a later one.
    pub(crate) fn pause(&self) {
        let mut held = locked(&self.0);
        match held.take() {
            Some(Held::Reader(reader, readers)) => {
                give_back(reader, &readers);
                *held = Some(Held::Later(readers));
            }
            other => *held = other,
        }
    }

    pub(super) fn writing(lane: Turn, who: &Who) -> Session {
        let (batch, first) = (lane.batch(), lane.next);
        let (account, caller, at_millis) = (who.account.as_str().into(), who.caller.clone(), who.at_millis);
        let writer = Writer { lane, batch, first, account, caller, at_millis, wrote: Wrote::Nothing, broken: None };
        Session(Mutex::new(Some(Held::Writer(Box::new(writer)))))
    }

    fn ask<T>(&self, question: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        match locked(&self.0).as_mut() {
            Some(Held::Reader(reader, _)) => Ok(question(&reader.connection)?),
            Some(Held::Later(_)) => Err(ended()),
            Some(Held::Writer(writer)) => match writer.broken {
                Some(outcome) => Err(failed(outcome)),
                None => {
                    let answer = question(&writer.lane.connection);
                    writer.noticed(answer)
                }
            },
            None => Err(ended()),
        }
    }

    fn edit<T>(&self, edit: impl FnOnce(&Connection, &mut Writing<'_>) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        match locked(&self.0).as_mut() {
            Some(Held::Writer(writer)) => writer.edit(edit),
            Some(Held::Later(_) | Held::Reader(..)) | None => Err(ended()),
        }
    }
}

impl Session {
    pub(super) fn put_marks(&self, marks: &[Mark]) -> Result<(), StoreError> {
        self.edit(|c, _| {
            let mut put = c.prepare_cached("INSERT OR REPLACE INTO marks (kind, account, key, value) VALUES (?1, ?2, ?3, ?4)")?;
            for Mark { kind, account, key, value } in marks {
                put.execute(params![kind, account, key, value])?;
            }
            Ok(())
        })
    }

    pub(super) fn remove_marks(&self, span: &Marks<'_>) -> Result<(), StoreError> {
        self.edit(|c, _| {
            c.prepare_cached("DELETE FROM marks WHERE kind = ?1 AND account = ?2 AND key >= ?3 AND key < ?4")?
                .execute(params![span.kind, span.account, span.prefix, span.end()])
                .map(drop)
        })
    }

    pub(super) fn forget(&self, millis: i64) -> Result<(u64, bool), StoreError> {
        self.edit(|c, _| super::forget::slice(c, millis))
    }
}

impl crate::backend::Session for Session {
    async fn row(&self, kind: &'static str, account: &str, key: &[u8]) -> Result<Option<String>, StoreError> {
        self.begin().await?;
        self.ask(|c| {
            c.prepare_cached(concat!("SELECT ", value!(), " FROM records r WHERE kind = ?1 AND account = ?2 AND key = ?3"))?
                .query_row(params![kind, account, key], |r| r.get(0))
                .optional()
        })
    }

    async fn find(&self, kind: &'static str, index: &'static str, account: &str, entry: &[u8]) -> Result<Option<Row>, StoreError> {
        self.begin().await?;
        self.ask(|c| {
            c.prepare_cached(concat!(
                "SELECT r.key, ",
                value!(),
                " FROM entries e CROSS JOIN records r ON r.row = e.row
                 WHERE e.kind = ?1 AND e.name = ?2 AND e.account = ?3 AND e.entry = ?4"
            ))?
            .query_row(params![kind, index, account, entry], |r| Ok(Row { at: vec![], key: r.get(0)?, value: r.get(1)? }))
            .optional()
        })
    }

    async fn page(&self, range: &Range<'_>) -> Result<Vec<Row>, StoreError> {
        self.begin().await?;
        let Range { kind, account, index, ref from, ref to, limit } = *range;
        let row = |r: &rusqlite::Row<'_>| Ok(Row { at: r.get(0)?, key: r.get(1)?, value: r.get(2)? });
        self.ask(|c| match index {
            "" => c
                .prepare_cached(concat!(
                    "SELECT key, key, ",
                    value!(),
                    " FROM records r WHERE kind = ?1 AND account = ?2 AND key >= ?3 AND key < ?4 ORDER BY key LIMIT ?5"
                ))?
                .query_map(params![kind, account, from, to, limit], row)?
                .collect(),
            _ => c
                .prepare_cached(concat!(
                    "SELECT e.entry, r.key, ",
                    value!(),
                    " FROM entries e CROSS JOIN records r ON r.row = e.row
                     WHERE e.kind = ?1 AND e.name = ?2 AND e.account = ?3 AND e.entry >= ?4 AND e.entry < ?5
                     ORDER BY e.entry LIMIT ?6"
                ))?
                .query_map(params![kind, index, account, from, to, limit], row)?
                .collect(),
        })
    }

    async fn count(&self, range: &Range<'_>) -> Result<i64, StoreError> {
        self.begin().await?;
        let Range { kind, account, index, ref from, ref to, limit } = *range;
        self.ask(|c| match index {
            "" => c
                .prepare_cached(
                    "SELECT count(*) FROM (SELECT 1 FROM records WHERE kind = ?1 AND account = ?2 AND key >= ?3 AND key < ?4 LIMIT ?5)",
                )?
                .query_row(params![kind, account, from, to, limit], |r| r.get(0)),
            _ => c
                .prepare_cached(
                    "SELECT count(*) FROM (SELECT 1 FROM entries
                     WHERE kind = ?1 AND name = ?2 AND account = ?3 AND entry >= ?4 AND entry < ?5 LIMIT ?6)",
                )?
                .query_row(params![kind, index, account, from, to, limit], |r| r.get(0)),
        })
    }

    async fn before(&self, kind: &'static str, account: &str, at: Revision) -> Result<Vec<Then>, StoreError> {
        self.begin().await?;
        if at < self.ask(super::forget::forgotten)? {
            return Err(StoreError::Forgotten);
        }
        let last = self.revision().await?;
        let mut first_changes = std::collections::HashMap::<Vec<u8>, Option<i64>>::new();
        let mut from = at;
        while from < last {
            self.ask(|c| {
                let mut select = c.prepare_cached(
                    "SELECT key, previous FROM changes
                     WHERE seq > ?1 AND seq <= ?2 AND revision > ?3 AND kind = ?4 AND account = ?5 ORDER BY seq",
                )?;
                let mut rows = select.query(params![from, from + WALK, at, kind, account])?;
                while let Some(row) = rows.next()? {
                    first_changes.entry(row.get(0)?).or_insert(row.get(1)?);
                }
                Ok(())
            })?;
            from += WALK;
            tokio::task::yield_now().await;
        }
        let mut then = Vec::with_capacity(first_changes.len());
        for (nth, (key, previous)) in first_changes.into_iter().enumerate() {
            let value = match previous {
                None => None,
                Some(seq) => self.ask(|c| {
                    c.prepare_cached("SELECT value FROM changes WHERE seq = ?1 AND value <> 'null'")?
                        .query_row([seq], |r| r.get(0))
                        .optional()
                })?,
            };
            then.push((key, value));
            if nth % 1_000 == 999 {
                tokio::task::yield_now().await;
            }
        }
        Ok(then)
    }

    async fn revision(&self) -> Result<Revision, StoreError> {
        self.begin().await?;
        if let Some(Held::Writer(writer)) = locked(&self.0).as_ref() {
            return Ok(writer.first.change);
        }
        self.ask(|c| c.prepare_cached("SELECT coalesce(max(seq), 0) FROM changes")?.query_row([], |r| r.get(0)))
    }

    async fn apply(&self, edit: &Edit<'_>) -> Result<bool, StoreError> {
        self.edit(|c, writing| apply(c, edit, writing))
    }

    async fn event(&self, text: &str) -> Result<i64, StoreError> {
        self.edit(|c, writing| {
            let seq = writing.next.event;
            c.prepare_cached("INSERT INTO outbox (seq, text) VALUES (?1, ?2)")?.execute(params![seq, text])?;
            writing.next.event += 1;
            Ok(seq)
        })
    }

    async fn spend(&self, once: &Once<'_>) -> Result<Spent, StoreError> {
        let &Once { kind, account, id, now_millis, until_millis } = once;
        self.edit(|c, _| {
            c.prepare_cached(
                "DELETE FROM spent WHERE (kind, account, id) IN (SELECT kind, account, id FROM spent WHERE until < ?1 ORDER BY until LIMIT ?2)",
            )?
            .execute(params![now_millis, EXPIRED])?;
            // One that has expired but is still there is as good as gone.
            let fresh = c
                .prepare_cached(
                    "INSERT INTO spent (kind, account, id, until) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT DO UPDATE SET until = excluded.until WHERE spent.until < ?5",
                )?
                .execute(params![kind, account, id, until_millis, now_millis])?;
            Ok(if fresh == 1 { Spent::Fresh } else { Spent::Already })
        })
    }

    async fn set_meta(&self, name: &str, value: &[u8]) -> Result<(), StoreError> {
        self.edit(|c, _| {
            c.prepare_cached("INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)")?.execute(params![name, value]).map(drop)
        })
    }

    async fn end(&self, keep: bool) -> Result<Ended, StoreError> {
        let held = locked(&self.0).take();
        let mut writer = match held {
            Some(Held::Writer(writer)) => writer,
            Some(Held::Reader(reader, readers)) => {
                give_back(reader, &readers);
                return Ok(Ended::default());
            }
            Some(Held::Later(_)) => return Ok(Ended::default()),
            None => return Err(ended()),
        };
        let keep = keep && writer.broken.is_none();
        let wrote = writer.wrote;
        if !keep {
            let first = writer.first;
            writer.lane.roll_back(wrote, first);
        } else if wrote == Wrote::AfterOthers {
            let released = writer.lane.run("RELEASE rule");
            writer.noticed(released)?;
        }
        let (first, next) = (writer.first, writer.lane.next);
        let revision = if next.change > first.change { first.change } else { first.change - 1 };
        let Writer { lane, batch, broken, .. } = *writer;
        lane.leave();
        if let Some(outcome) = broken {
            return Err(failed(outcome));
        }
        let Some(mut batch) = batch else { return Err(failed(Outcome::Failed)) };
        // Also for a refusal: it may rest on what an earlier rule of this batch wrote, which must not be told before it is durable.
        let outcome = batch.wait_for(Option::is_some).await.map_or(Outcome::Failed, |outcome| outcome.unwrap_or(Outcome::Failed));
        match outcome {
            Outcome::Durable => Ok(Ended { revision, events: (first.event..next.event).collect() }),
            Outcome::Full | Outcome::Failed => Err(failed(outcome)),
        }
    }
}

fn give_back(reader: Reader, readers: &Readers) {
    if reader.connection.prepare_cached("COMMIT").and_then(|mut s| s.execute([])).is_ok() {
        readers.give_back(reader);
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        match locked(&self.0).take() {
            Some(Held::Reader(reader, readers)) => give_back(reader, &readers),
            Some(Held::Writer(mut writer)) => {
                let (wrote, first) = (writer.wrote, writer.first);
                writer.lane.roll_back(wrote, first);
            }
            Some(Held::Later(_)) | None => {}
        }
    }
}
