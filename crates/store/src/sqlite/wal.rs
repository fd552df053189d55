//! SQLite's log beside the file: what it would bring back. Format: <https://www.sqlite.org/fileformat2.html#walformat>.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

const HEADER: u64 = 32;
const FRAME_HEADER: u64 = 24;

pub(super) fn path(file: &Path) -> PathBuf {
    beside(file, "-wal")
}

pub(super) fn index_path(file: &Path) -> PathBuf {
    beside(file, "-shm")
}

fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(ending);
    PathBuf::from(name)
}

/// Whether the log has every page from `present` on, up to `pages`: a file that was growing when its server was killed is short, and
/// whole with its log.
pub(super) fn holds(file: &Path, page_size: u32, present: u64, pages: u32) -> io::Result<bool> {
    let mut log = match File::open(path(file)) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(false),
        opened => opened?,
    };
    let mut header = [0; HEADER as usize];
    if log.read_exact(&mut header).is_err() {
        return Ok(false);
    }
    let salt = &header[16..24];
    let mut wanting: HashSet<u64> = (present + 1..=u64::from(pages)).collect();
    let mut frame = [0; FRAME_HEADER as usize];
    while !wanting.is_empty() && log.read_exact(&mut frame).is_ok() && frame[8..16] == *salt {
        let [a, b, c, d, ..] = frame;
        wanting.remove(&u64::from(u32::from_be_bytes([a, b, c, d])));
        log.seek(SeekFrom::Current(i64::from(page_size)))?;
    }
    Ok(wanting.is_empty())
}
