//! The files below the trail: a seam, so that tests can have disks that are full, slow or broken.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where the trail's files are. They are numbered; a higher number is newer.
pub trait Files: Send + Sync {
    /// The numbers of the files that there are, in order, with their lengths in bytes.
    fn list(&self) -> io::Result<Vec<(u64, u64)>>;
    /// A new, empty file.
    fn create(&self, number: u64) -> io::Result<Arc<dyn Opened>>;
    /// A file that is there, to read and to go on with.
    fn open(&self, number: u64) -> io::Result<Arc<dyn Opened>>;
    /// Removes a file.
    fn remove(&self, number: u64) -> io::Result<()>;
    /// Returns once files that were created are on the disk by name: without this, one can be gone after a power failure though it was synced.
    fn sync_names(&self) -> io::Result<()>;
    /// Whether `bytes` more could be written, found out by writing them elsewhere and removing them.
    fn probe(&self, bytes: usize) -> io::Result<()>;
}

/// One open file.
pub trait Opened: Send + Sync {
    /// Fills `bytes` from `offset` on.
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()>;
    /// Writes all of `bytes` at `offset`; after an error, any part of them may be there.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// Makes the file `length` bytes long.
    fn cut(&self, length: u64) -> io::Result<()>;
    /// Returns once what was written is on the disk.
    fn sync(&self) -> io::Result<()>;
}

/// Files of a directory: `events-0000000001.jsonl` and so on.
#[derive(Debug)]
pub struct Disk {
    directory: PathBuf,
}

const PREFIX: &str = "events-";
const SUFFIX: &str = ".jsonl";

impl Disk {
    /// The directory is made if it is not there; it is 0700 afterwards, whatever the umask.
    pub fn at(directory: &Path) -> io::Result<Disk> {
        DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        std::fs::set_permissions(directory, Permissions::from_mode(0o700))?;
        Ok(Disk { directory: directory.to_owned() })
    }

    fn path(&self, number: u64) -> PathBuf {
        self.directory.join(format!("{PREFIX}{number:010}{SUFFIX}"))
    }
}

/// A umask takes from the mode that a file is made with, so the mode is set again.
fn private(file: &File) -> io::Result<()> {
    file.set_permissions(Permissions::from_mode(0o600))
}

impl Files for Disk {
    fn list(&self) -> io::Result<Vec<(u64, u64)>> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(&self.directory)? {
            let entry = entry?;
            let name = entry.file_name();
            let digits = name.to_str().and_then(|name| name.strip_prefix(PREFIX)).and_then(|name| name.strip_suffix(SUFFIX));
            let number = digits.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_digit())).and_then(|digits| digits.parse().ok());
            if let Some(number) = number {
                match entry.metadata() {
                    Ok(metadata) => found.push((number, metadata.len())),
                    // Removed in between, as the oldest are.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(error),
                }
            }
        }
        found.sort_unstable();
        Ok(found)
    }

    fn create(&self, number: u64) -> io::Result<Arc<dyn Opened>> {
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(self.path(number))?;
        private(&file)?;
        Ok(Arc::new(file))
    }

    fn open(&self, number: u64) -> io::Result<Arc<dyn Opened>> {
        let file = OpenOptions::new().read(true).write(true).open(self.path(number))?;
        private(&file)?;
        Ok(Arc::new(file))
    }

    fn remove(&self, number: u64) -> io::Result<()> {
        std::fs::remove_file(self.path(number))
    }

    fn sync_names(&self) -> io::Result<()> {
        File::open(&self.directory)?.sync_all()
    }

    fn probe(&self, bytes: usize) -> io::Result<()> {
        let path = self.directory.join("space.probe");
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path)?;
        let written = FileExt::write_all_at(&file, &vec![b' '; bytes], 0).and_then(|()| file.sync_data());
        drop(file);
        std::fs::remove_file(&path)?;
        written
    }
}

impl Opened for File {
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        self.read_exact_at(bytes, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }

    fn cut(&self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}
