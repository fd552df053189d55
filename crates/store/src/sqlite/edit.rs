//! One new version of one record.

use super::lane::Counters;
use crate::Changed;
use crate::backend::Edit;
use rusqlite::{Connection, OptionalExtension, params};
use std::sync::Arc;

/// What an edit needs besides the connection.
pub(super) struct Writing<'w> {
    pub(super) next: &'w mut Counters,
    pub(super) changed: &'w mut Vec<Changed>,
    pub(super) erased: &'w mut bool,
    pub(super) first: Counters,
    pub(super) account: &'w Arc<str>,
    pub(super) caller: &'w str,
    pub(super) at_millis: i64,
}

/// `false`: the key or an entry is taken. Then nothing was changed.
pub(super) fn apply(c: &Connection, edit: &Edit<'_>, writing: &mut Writing<'_>) -> rusqlite::Result<bool> {
    let &Edit { kind, account, key, existed, sealed, .. } = edit;
    let seq = writing.next.change;
    let value = if sealed { edit.value.map(|_| "null") } else { edit.value };
    let (row, previous) = if existed {
        c.prepare_cached("SELECT row, version FROM records WHERE kind = ?1 AND account = ?2 AND key = ?3")?
            .query_row(params![kind, account, key], |r| Ok((r.get(0)?, Some(r.get::<_, i64>(1)?))))?
    } else {
        let inserted = c
            .prepare_cached("INSERT OR IGNORE INTO records (kind, account, key, version, value) VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute(params![kind, account, key, seq, value])?;
        if inserted == 0 {
            return Ok(false);
        }
        (c.last_insert_rowid(), None)
    };
    let mut add = c.prepare_cached("INSERT OR IGNORE INTO entries (kind, name, account, entry, row) VALUES (?1, ?2, ?3, ?4, ?5)")?;
    let remove = |(index, entry): &(&'static str, Vec<u8>)| {
        c.prepare_cached("DELETE FROM entries WHERE kind = ?1 AND name = ?2 AND account = ?3 AND entry = ?4")?
            .execute(params![kind, index, account, entry])
    };
    let drop_record = || c.prepare_cached("DELETE FROM records WHERE row = ?1")?.execute([row]);
    for (nth, (index, entry)) in edit.added.iter().enumerate() {
        if add.execute(params![kind, index, account, entry, row])? == 0 {
            for added in edit.added.iter().take(nth) {
                remove(added)?;
            }
            if !existed {
                drop_record()?;
            }
            return Ok(false);
        }
    }
    for gone in &edit.gone {
        remove(gone)?;
    }
    match value {
        Some(value) if existed => {
            c.prepare_cached("UPDATE records SET version = ?2, value = ?3 WHERE row = ?1")?.execute(params![row, seq, value])?;
        }
        Some(_) => {}
        None => {
            drop_record()?;
        }
    }
    c.prepare_cached(
        "INSERT INTO changes (seq, revision, at, who, kind, account, key, previous, value) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![seq, writing.first.change, writing.at_millis, writing.caller, kind, account, key, previous, value])?;
    if sealed {
        if let Some(value) = edit.value {
            c.prepare_cached("INSERT INTO sealed (seq, value) VALUES (?1, ?2)")?.execute(params![seq, value])?;
        }
        erase(c, previous, writing)?;
    }
    let account = if **writing.account == *account { writing.account.clone() } else { account.into() };
    writing.changed.push(Changed { revision: writing.first.change, kind, account, key: key.to_owned() });
    writing.next.change += 1;
    Ok(true)
}

/// Erases what the version `seq` held, and those before it. Blanks of the same length are written over it where it stands: see the schema.
fn erase(c: &Connection, previous: Option<i64>, writing: &mut Writing<'_>) -> rusqlite::Result<()> {
    let Some(last) = previous else { return Ok(()) };
    let held: Option<usize> = c
        .prepare_cached("SELECT octet_length(value) FROM sealed WHERE seq = ?1")?
        .query_row([last], |r| r.get::<_, u32>(0).map(|length| length as usize))
        .optional()?;
    if let Some(length) = held {
        c.prepare_cached("UPDATE sealed SET value = ?2 WHERE seq = ?1")?.execute(params![last, " ".repeat(length)])?;
        *writing.erased = true;
    }
    // A kind that was not always sealed.
    let mut before = previous;
    while let Some(seq) = before {
        let erased = c
            .prepare_cached("UPDATE changes SET value = 'null' WHERE seq = ?1 AND value <> 'null' RETURNING previous")?
            .query_row([seq], |r| r.get::<_, Option<i64>>(0))
            .optional()?;
        *writing.erased |= erased.is_some();
        before = erased.flatten();
    }
    Ok(())
}
