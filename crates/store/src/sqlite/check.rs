//! Reading everything: is it what it was when it was written?

use super::schema::value;
use super::{Sqlite, connect};
use crate::record::Entry;
use crate::{Kind, Report, StoreError};
use rusqlite::Connection;
use std::collections::HashMap;
use std::path::Path;

/// Problems that a report names; a store that has more is past counting.
const MOST: usize = 100;

impl Sqlite {
    pub(crate) async fn check(&self, kinds: &[Kind]) -> Result<Report, StoreError> {
        let (file, kinds) = (self.file.clone(), kinds.to_owned());
        let checked = tokio::task::spawn_blocking(move || check(&file, &kinds)).await;
        checked.map_err(|e| StoreError::Failed(e.into()))?
    }
}

/// On one snapshot, on a connection of its own.
fn check(file: &Path, kinds: &[Kind]) -> Result<Report, StoreError> {
    let connection = connect(file, 8_000)?;
    connection.execute_batch("PRAGMA query_only = ON; BEGIN")?;
    let mut checking = Checking { connection: &connection, report: Report::default() };
    let result = checking.pages().and_then(|sound| {
        if sound {
            checking.counts()?;
            checking.links()?;
            checking.kinds(kinds)?;
        }
        Ok(())
    });
    if let Err(e) = result {
        // A page that cannot be read is a finding.
        checking.report.problems.push(format!("the check could not go on: {e}"));
    }
    Ok(checking.report)
}

struct Checking<'c> {
    connection: &'c Connection,
    report: Report,
}

impl Checking<'_> {
    fn problem(&mut self, problem: String) {
        if self.report.problems.len() < MOST {
            self.report.problems.push(problem);
        }
    }

    /// SQLite's own check of all its pages.
    fn pages(&mut self) -> rusqlite::Result<bool> {
        let said: Vec<String> = self
            .connection
            .prepare(&format!("PRAGMA integrity_check({MOST})"))?
            .query_map([], |r| r.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        let sound = said == ["ok"];
        if !sound {
            said.into_iter().for_each(|problem| self.problem(problem));
        }
        Ok(sound)
    }

    fn counts(&mut self) -> rusqlite::Result<()> {
        let count = |sql: &str| self.connection.query_row(sql, [], |r| r.get::<_, i64>(0)).map(i64::unsigned_abs);
        self.report.records = count("SELECT count(*) FROM records")?;
        self.report.entries = count("SELECT count(*) FROM entries")?;
        self.report.changes = count("SELECT count(*) FROM changes")?;
        Ok(())
    }

    /// What must point at each other does.
    fn links(&mut self) -> rusqlite::Result<()> {
        let asked = [
            (
                "SELECT e.kind, e.account, e.name || ': no such record' FROM entries e LEFT JOIN records r ON r.row = e.row
                 WHERE r.row IS NULL OR r.kind <> e.kind OR r.account <> e.account",
                "an entry points nowhere",
            ),
            (
                "SELECT r.kind, r.account, 'change ' || r.version FROM records r LEFT JOIN changes c ON c.seq = r.version
                 WHERE c.seq IS NULL OR c.kind <> r.kind OR c.account <> r.account OR c.key <> r.key OR c.value IS NOT r.value",
                "a record is not what its last change says",
            ),
            (
                "SELECT c.kind, c.account, 'change ' || c.seq FROM changes c LEFT JOIN changes p ON p.seq = c.previous
                 WHERE p.seq IS NOT NULL AND (p.kind <> c.kind OR p.account <> c.account OR p.key <> c.key OR p.seq >= c.seq)",
                "a change follows one of another record",
            ),
        ];
        for (sql, what) in asked {
            let found: Vec<String> = self
                .connection
                .prepare(&format!("{sql} LIMIT {MOST}"))?
                .query_map([], |r| {
                    Ok(format!("{what}: {} in account {}: {}", r.get::<_, String>(0)?, r.get::<_, String>(1)?, r.get::<_, String>(2)?))
                })?
                .collect::<rusqlite::Result<_>>()?;
            found.into_iter().for_each(|problem| self.problem(problem));
        }
        Ok(())
    }

    /// Each record reads, has the key under which it is kept, and exactly the entries that its indexes must hold.
    fn kinds(&mut self, kinds: &[Kind]) -> rusqlite::Result<()> {
        let known: HashMap<&str, Kind> = kinds.iter().map(|kind| (kind.name, *kind)).collect();
        let stored: Vec<String> = self
            .connection
            .prepare("SELECT DISTINCT kind FROM records ORDER BY kind")?
            .query_map([], |r| r.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        let connection = self.connection;
        let mut find =
            connection.prepare("SELECT 1 FROM entries WHERE kind = ?1 AND name = ?2 AND account = ?3 AND entry = ?4 AND row = ?5")?;
        for name in stored {
            let Some(kind) = known.get(name.as_str()) else {
                self.report.unknown_kinds.push(name);
                continue;
            };
            let (mut expected, mut select) =
                (0_u64, connection.prepare(concat!("SELECT row, account, key, ", value!(), " FROM records r WHERE kind = ?1"))?);
            let mut rows = select.query([&name])?;
            while let Some(row) = rows.next()? {
                let (at, account, key): (i64, String, Vec<u8>) = (row.get(0)?, row.get(1)?, row.get(2)?);
                let (read_key, entries): (Vec<u8>, Vec<Entry>) = match (kind.read)(row.get_ref(3)?.as_str().unwrap_or_default()) {
                    Ok(read) => read,
                    Err(_) => {
                        self.problem(format!("a record cannot be read: {name} in account {account}, row {at}"));
                        continue;
                    }
                };
                if read_key != key {
                    self.problem(format!("a record is kept under another's key: {name} in account {account}, row {at}"));
                }
                for (index, entry) in &entries {
                    if !find.exists(rusqlite::params![name, index, account, entry, at])? {
                        self.problem(format!("an entry is wanting: {name} in account {account}, row {at}, index {index}"));
                    }
                }
                expected += entries.len() as u64;
            }
            let there: i64 = connection.query_row("SELECT count(*) FROM entries WHERE kind = ?1", [&name], |r| r.get(0))?;
            if there.unsigned_abs() != expected {
                self.problem(format!("the indexes of {name} have {there} entries, not the {expected} that its records ask for"));
            }
        }
        Ok(())
    }
}
