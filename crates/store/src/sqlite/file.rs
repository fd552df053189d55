//! Making a store, and opening one: whole or not at all, never over what is there, and not where it is damaged.

use super::schema::{self, APPLICATION, MIGRATIONS, SCHEMA, TABLES};
use super::{Sqlite, WRITER_CACHE, connect, wal};
use crate::{About, Fresh, KEY_PROOF, OpenError, StoreError};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use std::ffi::OsString;
use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The first bytes of every SQLite file.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

impl From<rusqlite::Error> for OpenError {
    fn from(e: rusqlite::Error) -> Self {
        match e.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => OpenError::Damaged(e.to_string()),
            _ => OpenError::Failed(e.into()),
        }
    }
}

impl From<StoreError> for OpenError {
    fn from(e: StoreError) -> Self {
        OpenError::Failed(e.into())
    }
}

impl Sqlite {
    pub(crate) fn create(file: &Path, fresh: &Fresh<'_>) -> Result<Sqlite, OpenError> {
        if file.try_exists()? {
            return Err(OpenError::Exists(file.to_owned()));
        }
        if wal::path(file).try_exists()? {
            return Err(OpenError::Damaged("its log is there, but not the file itself".to_owned()));
        }
        let part = Part::new(file)?;
        let connection = Connection::open_with_flags(&part.path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        connection.execute_batch(&format!(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA application_id = {APPLICATION}; BEGIN; {}",
            schema::CREATE
        ))?;
        schema::set_version(&connection, SCHEMA)?;
        connection.execute_batch("INSERT INTO meta (name, value) VALUES ('id', CAST(lower(hex(randomblob(16))) AS BLOB))")?;
        let mut set = connection.prepare("INSERT INTO meta (name, value) VALUES (?1, ?2)")?;
        set.execute(params![KEY_PROOF, fresh.key_proof])?;
        set.execute(params!["created", fresh.at_millis.to_string().into_bytes()])?;
        drop(set);
        // The mode is kept in the file: whoever opens it next finds a log.
        connection.execute_batch("COMMIT; PRAGMA journal_mode = WAL")?;
        connection.close().map_err(|(_, e)| e)?;
        part.into_place(file)?;
        Sqlite::open(file)
    }

    pub(crate) fn open(file: &Path) -> Result<Sqlite, OpenError> {
        look_at(file)?;
        let mut connection = connect(file, WRITER_CACHE)?;
        let version = is_whole(file, &connection)?;
        schema::migrate(&mut connection, version, MIGRATIONS)?;
        // Only now: a store that is damaged keeps its log as it is.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
        let about = about(&connection)?;
        Ok(Sqlite::start(file, about, connection)?)
    }
}

/// Looks at the header and the length, before SQLite touches anything.
fn look_at(file: &Path) -> Result<(), OpenError> {
    let mut opened = match File::open(file) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Err(OpenError::Missing(file.to_owned())),
        opened => opened?,
    };
    let mut header = [0; 100];
    opened.read_exact(&mut header).map_err(|_| OpenError::Damaged("the file has no header".to_owned()))?;
    if !header.starts_with(MAGIC) {
        return Err(OpenError::Damaged("the file does not begin as a store does".to_owned()));
    }
    let number = |at: usize| header.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| u32::from_be_bytes(*bytes));
    if number(68) != APPLICATION {
        return Err(OpenError::Damaged("the file is a database of something else".to_owned()));
    }
    if number(60) > SCHEMA {
        return Err(OpenError::Newer { found: number(60), known: SCHEMA });
    }
    Ok(())
}

/// Whether all pages and tables are there; the version of its schema.
fn is_whole(file: &Path, connection: &Connection) -> Result<u32, OpenError> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    let pages: u32 = connection.query_row("PRAGMA page_count", [], |r| r.get(0))?;
    let size: u32 = connection.query_row("PRAGMA page_size", [], |r| r.get(0))?;
    let present = file.metadata()?.len() / u64::from(size);
    if present < u64::from(pages) && !wal::holds(file, size, present, pages)? {
        return Err(OpenError::Damaged(format!("it has {present} of its {pages} pages")));
    }
    for table in TABLES {
        let found =
            connection.query_row("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1", [table], |_| Ok(())).optional()?;
        if found.is_none() {
            return Err(OpenError::Damaged(format!("it has no table {table}")));
        }
    }
    let Some(version) = schema::version(connection)? else { return Err(OpenError::Damaged("it has no schema version".to_owned())) };
    if version > SCHEMA { Err(OpenError::Newer { found: version, known: SCHEMA }) } else { Ok(version) }
}

fn about(connection: &Connection) -> Result<About, OpenError> {
    let text = |name: &str| -> Result<String, OpenError> {
        let bytes: Option<Vec<u8>> = connection.query_row("SELECT value FROM meta WHERE name = ?1", [name], |r| r.get(0)).optional()?;
        bytes.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(|| OpenError::Damaged(format!("it does not say its {name}")))
    };
    let created = text("created")?.parse().map_err(|_| OpenError::Damaged("it does not say when it was made".to_owned()))?;
    Ok(About { schema: SCHEMA, id: text("id")?, created_millis: created })
}

/// A file in the making, beside the one that it will be. Dropped, it is gone.
pub(super) struct Part {
    pub(super) path: PathBuf,
    made: File,
    done: bool,
}

impl Part {
    /// An empty file that only its owner may read, whatever the umask. One that an earlier attempt left is thrown away.
    pub(super) fn new(file: &Path) -> io::Result<Part> {
        let mut name = OsString::from(file);
        name.push(".part");
        let path = PathBuf::from(name);
        for left in [path.clone(), wal::path(&path), wal::index_path(&path)] {
            match std::fs::remove_file(left) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
                _ => {}
            }
        }
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        made.set_permissions(Permissions::from_mode(0o600))?;
        Ok(Part { path, made, done: false })
    }

    /// Whether the file is still there under its name, and no later attempt's.
    fn is_ours(&self) -> io::Result<bool> {
        Ok(self.path.try_exists()? && self.made.metadata()?.ino() == self.path.metadata()?.ino())
    }

    /// Makes it durable, and then names it. Fails if something has that name.
    pub(super) fn into_place(mut self, file: &Path) -> io::Result<()> {
        self.made.sync_all()?;
        if !self.is_ours()? {
            return Err(io::Error::other("another file of that name was begun meanwhile"));
        }
        match std::fs::hard_link(&self.path, file) {
            Ok(()) => {}
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => return Err(e),
            // Not every file system has links.
            Err(_) if !file.try_exists()? => {
                std::fs::rename(&self.path, file)?;
                self.done = true;
            }
            Err(e) => return Err(e),
        }
        if !self.done {
            std::fs::remove_file(&self.path)?;
            self.done = true;
        }
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.done && self.is_ours().is_ok_and(|ours| ours) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
