//! What is read besides records: the feed of changes, the history of one record, the outbox, marks.

use super::Sqlite;
use super::session::WALK;
use crate::{Change, Mark, Marks, Revision, StoreError, Version, Who};
use rusqlite::{Connection, OptionalExtension, Row, params};

/// The columns of a change, as [`change`] reads them.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT revision, at, who, kind, account, key, CASE WHEN value = 'null' THEN coalesce(
               (SELECT s.value FROM sealed s WHERE s.seq = changes.seq AND s.value NOT GLOB ' *'), value) ELSE value END, seq, previous
             FROM changes ",
            $rest
        )
    };
}

fn change(row: &Row<'_>) -> rusqlite::Result<Change> {
    let version = match row.get::<_, Option<String>>(6)? {
        None => Version::Deleted,
        Some(value) if value == "null" => Version::Erased,
        Some(value) => Version::Value(value),
    };
    Ok(Change {
        revision: row.get(0)?,
        at_millis: row.get(1)?,
        by: row.get(2)?,
        kind: row.get(3)?,
        account: row.get(4)?,
        key: row.get(5)?,
        version,
    })
}

impl Sqlite {
    pub(crate) async fn changes_after(&self, revision: Revision, limit: usize) -> Result<Vec<Change>, StoreError> {
        self.ask(|c| {
            let mut select = c.prepare_cached(select!("WHERE seq > ?1 AND revision > ?1 ORDER BY seq"))?;
            let mut rows = select.query([revision])?;
            let mut changes = Vec::<Change>::new();
            while let Some(row) = rows.next()? {
                let next = change(row)?;
                if changes.len() >= limit && changes.last().is_none_or(|last| last.revision != next.revision) {
                    break; // whole transactions only
                }
                changes.push(next);
            }
            Ok(changes)
        })
        .await
    }

    pub(crate) async fn revision_at(&self, millis: i64) -> Result<Revision, StoreError> {
        self.ask(|c| c.prepare_cached("SELECT coalesce(max(revision), 0) FROM changes WHERE at <= ?1")?.query_row([millis], |r| r.get(0)))
            .await
    }

    pub(crate) async fn history(&self, kind: &str, account: &str, key: &[u8], limit: usize) -> Result<Vec<Change>, StoreError> {
        let mut found = Vec::new();
        let version = |c: &Connection| {
            c.prepare_cached("SELECT version FROM records WHERE kind = ?1 AND account = ?2 AND key = ?3")?
                .query_row(params![kind, account, key], |r| r.get::<_, i64>(0))
                .optional()
        };
        // From version to version, as long as it was not deleted between them.
        let (mut before, mut next) = (self.revision()? + 1, self.ask(version).await?);
        while let Some(seq) = next
            && found.len() < limit
        {
            let step = |r: &Row<'_>| Ok((change(r)?, r.get::<_, Option<i64>>(8)?));
            let at = self.ask(|c| c.prepare_cached(select!("WHERE seq = ?1"))?.query_row([seq], step).optional()).await?;
            before = seq;
            next = at.and_then(|(change, previous)| {
                found.push(change);
                previous
            });
        }
        while found.len() < limit && before > 1 {
            let from = (before - WALK).max(1);
            let slice = |c: &Connection| {
                c.prepare_cached(select!("WHERE seq >= ?1 AND seq < ?2 AND kind = ?3 AND account = ?4 AND key = ?5 ORDER BY seq DESC"))?
                    .query_map(params![from, before, kind, account, key], change)?
                    .collect::<rusqlite::Result<Vec<_>>>()
            };
            found.extend(self.ask(slice).await?);
            before = from;
            tokio::task::yield_now().await;
        }
        found.truncate(limit);
        Ok(found)
    }

    pub(crate) async fn outbox(&self, limit: usize) -> Result<Vec<(i64, String)>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let done = self.shared.done();
        self.ask(|c| {
            c.prepare_cached("SELECT seq, text FROM outbox WHERE seq > ?1 ORDER BY seq LIMIT ?2")?
                .query_map([done, limit], |r| Ok((r.get(0)?, r.get(1)?)))?
                .collect()
        })
        .await
    }

    pub(crate) async fn put_marks(&self, marks: Vec<Mark>) -> Result<(), StoreError> {
        if marks.is_empty() {
            return Ok(());
        }
        let who = Who { account: String::new(), caller: String::new(), at_millis: 0 };
        let session = self.write(&who).await?;
        session.put_marks(&marks)?;
        crate::backend::Session::end(&session, true).await.map(drop)
    }

    pub(crate) async fn mark(&self, kind: &str, account: &str, key: &str) -> Result<Option<String>, StoreError> {
        self.ask(|c| {
            c.prepare_cached("SELECT value FROM marks WHERE kind = ?1 AND account = ?2 AND key = ?3")?
                .query_row([kind, account, key], |r| r.get(0))
                .optional()
        })
        .await
    }

    pub(crate) async fn marks(&self, span: &Marks<'_>, after: Option<&str>, limit: usize) -> Result<Vec<(String, String)>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.ask(|c| {
            c.prepare_cached(
                "SELECT key, value FROM marks WHERE kind = ?1 AND account = ?2 AND key >= ?3 AND key < ?4 AND key > ?5 ORDER BY key LIMIT ?6",
            )?
            .query_map(params![span.kind, span.account, span.prefix, span.end(), after.unwrap_or(""), limit], |r| Ok((r.get(0)?, r.get(1)?)))?
            .collect()
        })
        .await
    }

    pub(crate) async fn remove_marks(&self, span: &Marks<'_>) -> Result<(), StoreError> {
        let who = Who { account: String::new(), caller: String::new(), at_millis: 0 };
        let session = self.write(&who).await?;
        session.remove_marks(span)?;
        crate::backend::Session::end(&session, true).await.map(drop)
    }
}
