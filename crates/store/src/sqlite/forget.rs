//! Forgetting the past: what no state that can still be asked for needs.
//!
//! A version is needed until the change that replaced it is itself old enough: until then it is the state before that change. So the walk
//! goes over the changes in order, once each, and of each removes the version that it replaced; a deletion goes too. It remembers how far
//! it came: what lies before cannot be read any more, whether or not something was removed.

use super::Sqlite;
use crate::backend::Session as _;
use crate::{Revision, StoreError, Who};
use rusqlite::{Connection, OptionalExtension, params};

/// Changes that one transaction looks at: so nobody who writes waits long for it.
const SLICE: i64 = 500;

/// The first revision whose state can be read.
pub(super) fn forgotten(c: &Connection) -> rusqlite::Result<Revision> {
    let stored: Option<Vec<u8>> =
        c.prepare_cached("SELECT value FROM meta WHERE name = 'forgotten'")?.query_row([], |r| r.get(0)).optional()?;
    Ok(stored.and_then(|bytes| String::from_utf8(bytes).ok()).and_then(|text| text.parse().ok()).unwrap_or(0))
}

impl Sqlite {
    pub(crate) async fn forget_before(&self, millis: i64) -> Result<u64, StoreError> {
        let who = Who { account: String::new(), caller: String::new(), at_millis: millis };
        let mut removed = 0;
        loop {
            let session = self.write(&who).await?;
            let (count, more) = session.forget(millis)?;
            session.end(true).await?;
            removed += count;
            if !more {
                return Ok(removed);
            }
            tokio::task::yield_now().await;
        }
    }
}

/// One slice: how many it removed, and whether there may be more.
pub(super) fn slice(c: &Connection, millis: i64) -> rusqlite::Result<(u64, bool)> {
    let from = forgotten(c)?;
    // Never the last change: its number says which comes next.
    let last: i64 = c.prepare_cached("SELECT coalesce(max(seq), 0) FROM changes")?.query_row([], |r| r.get(0))?;
    let mut walk =
        c.prepare_cached("SELECT seq, at, previous, value IS NULL FROM changes WHERE seq > ?1 AND seq < ?2 ORDER BY seq LIMIT ?3")?;
    let mut remove = c.prepare_cached("DELETE FROM changes WHERE seq = ?1")?;
    let looked_at = walk
        .query_map(params![from, last, SLICE], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?)))?
        .collect::<rusqlite::Result<Vec<(i64, i64, Option<i64>, bool)>>>()?;
    let (mut removed, mut reached) = (0, from);
    for (seq, _, previous, deleted) in looked_at.iter().take_while(|(_, at, ..)| *at < millis) {
        let gone = [*previous, deleted.then_some(*seq)];
        for seq in gone.into_iter().flatten() {
            removed += remove.execute([seq])? as u64;
        }
        reached = *seq;
    }
    if reached > from {
        c.prepare_cached("INSERT OR REPLACE INTO meta (name, value) VALUES ('forgotten', ?1)")?
            .execute([reached.to_string().into_bytes()])?;
    }
    let more = looked_at.last().is_some_and(|(seq, ..)| *seq == reached) && looked_at.len() == SLICE as usize;
    Ok((removed, more))
}
