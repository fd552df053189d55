//! The data directory: one process at a time, for its owner only, and either whole or refused.
//!
//! | name | what it is |
//! |---|---|
//! | `bailiwick.db` (`-wal`, `-shm`) | the store |
//! | `master.key` | the key under which its secrets are sealed, unless that is kept elsewhere |
//! | `trail/` | the audit trail |
//! | `LOCK` | locked by the process that uses the directory |
//! | `control.sock` | where that process takes the commands of the same user |
//! | `FIRST-START` | there while a first start is not complete: what it has made so far may be thrown away |
//!
//! Whether the directory is new, whole or damaged is decided before anything is written, and again under the lock.
use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use crate::master_key::MasterKey;

const STORE: &str = "bailiwick.db";
const STORE_PARTS: [&str; 4] = [STORE, "bailiwick.db-wal", "bailiwick.db-shm", "bailiwick.db-journal"];
const KEY: &str = "master.key";
const TRAIL: &str = "trail";
const LOCK: &str = "LOCK";
const SOCKET: &str = "control.sock";
const FIRST_START: &str = "FIRST-START";

/// Why a directory is not used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// The system refuses.
    #[error("{}: {error}", path.display())]
    Io {
        /// What it refuses.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Another process uses it.
    #[error("{}: another process uses this data directory", path.display())]
    Busy {
        /// The directory.
        path: PathBuf,
    },
    /// There is no store, where one is needed.
    #[error("{}: there is no store here; `bailiwick serve` makes one", path.display())]
    NoStore {
        /// The directory.
        path: PathBuf,
    },
    /// A store whose key is gone.
    #[error(
        "{}: the store is here, but its master key {} is not. Nothing was changed. Put the key back; without it the store's secrets are lost",
        store.display(), key.display()
    )]
    StoreWithoutKey {
        /// The store.
        store: PathBuf,
        /// Where the key should be.
        key: PathBuf,
    },
    /// What is left of a store that is gone.
    #[error(
        "{}: there is no store here, but {left}. Nothing was changed. Put the store back; only if it is really not needed any more, remove what is left of it, and start again",
        path.display()
    )]
    StoreGone {
        /// The directory.
        path: PathBuf,
        /// What is left.
        left: &'static str,
    },
    /// A directory that others use too.
    #[error("{}: this directory is shared by all users of the machine; choose one below it", path.display())]
    Shared {
        /// The directory.
        path: PathBuf,
    },
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> DataDirError {
    let path = path.to_owned();
    move |error| DataDirError::Io { path, error }
}

/// What a directory is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nothing was ever here, or a first start that never was complete.
    First,
    /// A store, and a key for it.
    Whole,
}

/// A data directory that this process has locked. The lock ends with the value, or with the process.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    _lock: File,
}

impl DataDir {
    /// Where the master key lies in a directory, unless it is kept elsewhere.
    #[must_use]
    pub fn key_in(path: &Path) -> PathBuf {
        path.join(KEY)
    }

    /// Where the socket lies in a directory.
    #[must_use]
    pub fn socket_in(path: &Path) -> PathBuf {
        path.join(SOCKET)
    }

    /// Locks a directory for a server, and makes it where it does not exist. What a first start left unfinished is thrown away.
    /// `key` is the master key, where there is one; `key_file` where it lies or will lie, if it is in a file.
    ///
    /// # Errors
    /// Where it is damaged or in use; then nothing was written.
    pub fn for_server(path: &Path, key: Option<&MasterKey>, key_file: Option<&Path>) -> Result<(DataDir, State), DataDirError> {
        look(path, key, key_file)?;
        let shared = path.parent().is_none() || fs::metadata(path).is_ok_and(|metadata| metadata.mode() & 0o1000 != 0);
        if shared {
            return Err(DataDirError::Shared { path: path.to_owned() });
        }
        if !path.exists() {
            DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(io_error(path))?;
            set_mode(path, 0o700)?;
        }
        let lock = lock(path)?;
        let dir = DataDir { path: path.to_owned(), _lock: lock };
        let state = look(path, key, key_file)?;
        dir.tighten()?;
        match state {
            State::First => dir.begin()?,
            State::Whole => {}
        }
        Ok((dir, state))
    }

    /// Locks a directory that has a store in it.
    ///
    /// # Errors
    /// [`DataDirError::Busy`] where a server runs on it.
    pub fn existing(path: &Path) -> Result<DataDir, DataDirError> {
        let there = |name: &str| path.join(name).exists();
        if !there(STORE) || there(FIRST_START) {
            return Err(DataDirError::NoStore { path: path.to_owned() });
        }
        let lock = lock(path)?;
        Ok(DataDir { path: path.to_owned(), _lock: lock })
    }

    /// The directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The store's file.
    #[must_use]
    pub fn store(&self) -> PathBuf {
        self.path.join(STORE)
    }

    /// The audit trail's directory. Whoever writes there makes it.
    #[must_use]
    pub fn trail(&self) -> PathBuf {
        self.path.join(TRAIL)
    }

    /// Says that the first start is complete: store and key are on the disk. From here on nothing is thrown away.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn complete(&self) -> Result<(), DataDirError> {
        let mark = self.path.join(FIRST_START);
        sync_dir(&self.path)?;
        fs::remove_file(&mark).map_err(io_error(&mark))?;
        sync_dir(&self.path)
    }

    /// Marks the directory as unfinished, and removes what an earlier first start did not finish. Its key may stay: it was never used.
    fn begin(&self) -> Result<(), DataDirError> {
        let mark = self.path.join(FIRST_START);
        let file = create(&mark)?;
        file.sync_all().map_err(io_error(&mark))?;
        sync_dir(&self.path)?;
        for part in STORE_PARTS {
            let part = self.path.join(part);
            match fs::remove_file(&part) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io_error(&part)(error)),
                Ok(()) | Err(_) => {}
            }
        }
        Ok(())
    }

    /// Takes from group and others what they may do with what is ours here.
    fn tighten(&self) -> Result<(), DataDirError> {
        set_mode(&self.path, 0o700)?;
        for name in STORE_PARTS.iter().chain(&[KEY, LOCK, FIRST_START]) {
            set_mode(&self.path.join(name), 0o600)?;
        }
        let trail = self.trail();
        set_mode(&trail, 0o700)?;
        let files = match fs::read_dir(&trail) {
            Ok(files) => files,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(io_error(&trail)(error)),
        };
        for file in files {
            let file = file.map_err(io_error(&trail))?;
            if file.file_type().is_ok_and(|kind| kind.is_file()) {
                set_mode(&file.path(), 0o600)?;
            }
        }
        Ok(())
    }
}

/// Decides what a directory is, without writing.
fn look(path: &Path, key: Option<&MasterKey>, key_file: Option<&Path>) -> Result<State, DataDirError> {
    match fs::metadata(path) {
        Ok(metadata) if !metadata.is_dir() => return Err(io_error(path)(io::ErrorKind::NotADirectory.into())),
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io_error(path)(error)),
        Ok(_) | Err(_) => {}
    }
    let there = |name: &str| path.join(name).try_exists().map_err(io_error(&path.join(name)));
    if there(FIRST_START)? {
        return Ok(State::First);
    }
    if there(STORE)? {
        return match (key, key_file) {
            (None, Some(file)) => Err(DataDirError::StoreWithoutKey { store: path.join(STORE), key: file.to_owned() }),
            (Some(_), _) | (None, None) => Ok(State::Whole),
        };
    }
    let gone = |left| Err(DataDirError::StoreGone { path: path.to_owned(), left });
    if there(KEY)? {
        return gone("its master key is");
    }
    if key.is_some_and(MasterKey::was_made_for_a_store) {
        return gone("the master key was made for one");
    }
    for part in STORE_PARTS {
        if there(part)? {
            return gone("a part of it is");
        }
    }
    let trail = path.join(TRAIL);
    if there(TRAIL)? && fs::read_dir(&trail).map_err(io_error(&trail))?.next().is_some() {
        return gone("its audit trail is");
    }
    Ok(State::First)
}

fn lock(path: &Path) -> Result<File, DataDirError> {
    let name = path.join(LOCK);
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&name).map_err(io_error(&name))?;
    // A umask may have taken more than others' rights.
    set_mode(&name, 0o600)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(DataDirError::Busy { path: path.to_owned() }),
        Err(fs::TryLockError::Error(error)) => Err(io_error(&name)(error)),
    }
}

fn create(path: &Path) -> Result<File, DataDirError> {
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path).map_err(io_error(path))?;
    set_mode(path, 0o600)?;
    Ok(file)
}

/// Sets the mode where it allows others anything, or its owner too little.
fn set_mode(path: &Path, mode: u32) -> Result<(), DataDirError> {
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(io_error(path)(error)),
    };
    if metadata.mode() & 0o777 == mode {
        return Ok(());
    }
    fs::set_permissions(path, Permissions::from_mode(mode)).map_err(io_error(path))
}

fn sync_dir(path: &Path) -> Result<(), DataDirError> {
    File::open(path).and_then(|dir| dir.sync_all()).map_err(io_error(path))
}

#[cfg(test)]
mod tests;
