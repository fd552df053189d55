//! The tables, and the steps from one version of them to the next.

use rusqlite::{Connection, Transaction, TransactionBehavior};

/// The version that this release writes.
pub(super) const SCHEMA: u32 = 1;

/// In the header of the file, so that tools know it for what it is: "Bail".
pub(super) const APPLICATION: u32 = 0x4261_696c;

/// What must be there.
pub(super) const TABLES: [&str; 8] = ["meta", "records", "entries", "changes", "sealed", "outbox", "marks", "spent"];

/// The value of a record `r`, wherever it is kept.
macro_rules! value {
    () => {
        "CASE WHEN r.value = 'null' THEN (SELECT s.value FROM sealed s WHERE s.seq = r.version) ELSE r.value END"
    };
}
pub(super) use value;

/// `version` is the `seq` of the change that wrote the record, `previous` that of the version before. The history has no index: a state
/// of the past is the present with what came after undone. An entry names a row, not a key: a lookup is two descents, not three.
/// In `changes` a value that is NULL says that the record was deleted.
///
/// A sealed value is only in `sealed`, at the `seq` of its change; it is 'null' in the other tables. SQLite leaves copies of a row behind
/// when it moves it between pages, `secure_delete` or not. So rows are only appended there, and erasing writes blanks of the same length
/// over them, which SQLite does in place: no row is ever moved.
pub(super) const CREATE: &str = "
CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE records (row INTEGER PRIMARY KEY, kind TEXT NOT NULL, account TEXT NOT NULL, key BLOB NOT NULL,
  version INTEGER NOT NULL, value TEXT NOT NULL, UNIQUE (kind, account, key));
CREATE TABLE entries (kind TEXT NOT NULL, name TEXT NOT NULL, account TEXT NOT NULL, entry BLOB NOT NULL, row INTEGER NOT NULL,
  PRIMARY KEY (kind, name, account, entry)) WITHOUT ROWID;
CREATE TABLE changes (seq INTEGER PRIMARY KEY, revision INTEGER NOT NULL, at INTEGER NOT NULL, who TEXT NOT NULL,
  kind TEXT NOT NULL, account TEXT NOT NULL, key BLOB NOT NULL, previous INTEGER, value TEXT);
CREATE TABLE sealed (seq INTEGER PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE outbox (seq INTEGER PRIMARY KEY, text TEXT NOT NULL);
CREATE TABLE marks (kind TEXT NOT NULL, account TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY (kind, account, key)) WITHOUT ROWID;
CREATE TABLE spent (kind TEXT NOT NULL, account TEXT NOT NULL, id TEXT NOT NULL, until INTEGER NOT NULL,
  PRIMARY KEY (kind, account, id)) WITHOUT ROWID;
CREATE INDEX spent_until ON spent (until);
";

/// A step to the next version.
pub(super) struct Migration {
    /// The version that it makes.
    pub(super) to: u32,
    pub(super) run: fn(&Transaction<'_>) -> rusqlite::Result<()>,
}

/// In order, without gaps, from version 2 on. One that shipped never changes.
pub(super) const MIGRATIONS: &[Migration] = &[];

/// The version in the store's own table; none, if it does not say.
pub(super) fn version(connection: &Connection) -> rusqlite::Result<Option<u32>> {
    use rusqlite::OptionalExtension;
    let stored: Option<Vec<u8>> = connection.query_row("SELECT value FROM meta WHERE name = 'schema'", [], |r| r.get(0)).optional()?;
    Ok(stored.and_then(|bytes| String::from_utf8(bytes).ok()).and_then(|text| text.parse().ok()))
}

/// Sets the version, in the store's own table and in the header of the file.
pub(super) fn set_version(connection: &Connection, version: u32) -> rusqlite::Result<()> {
    connection.execute("INSERT OR REPLACE INTO meta (name, value) VALUES ('schema', ?1)", [version.to_string().into_bytes()])?;
    connection.pragma_update(None, "user_version", version)
}

/// Runs the steps that are wanting, each in a transaction of its own: a store is never between two versions.
pub(super) fn migrate(connection: &mut Connection, from: u32, migrations: &[Migration]) -> rusqlite::Result<u32> {
    let mut version = from;
    for step in migrations.iter().filter(|step| step.to > from) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        (step.run)(&transaction)?;
        set_version(&transaction, step.to)?;
        transaction.commit()?;
        version = step.to;
    }
    Ok(version)
}
