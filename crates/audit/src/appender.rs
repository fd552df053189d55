//! The end of the trail, where lines are appended: which file is the current one, how far it is good, what is on the disk.
//! All of this is under one lock; nothing here waits for a sync.

use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::sync::Arc;

use crate::files::{Files, Opened};
use crate::search::whole_lines;
use crate::settling::Settling;

/// The current file. `length` is how far it holds whole lines: what lies behind that is of a write that failed.
struct Current {
    number: u64,
    file: Arc<dyn Opened>,
    length: u64,
}

pub(crate) struct Appender {
    files: Arc<dyn Files>,
    rotate_bytes: u64,
    keep_bytes: u64,
    current: Option<Current>,
    /// Older files, oldest first, with their lengths.
    older: VecDeque<(u64, u64)>,
    /// The number that no file has had.
    next: u64,
    /// What was written to and not synced since.
    unsynced: Vec<(u64, Arc<dyn Opened>)>,
    /// Whether a file was made whose name may not be on the disk.
    unsynced_name: bool,
    /// Files that a sync has failed for: what is in them may not be on the disk.
    suspect: BTreeSet<u64>,
    pub(crate) settling: Settling,
}

/// What a sync is about.
pub(crate) struct Unsynced {
    files: Vec<(u64, Arc<dyn Opened>)>,
    names: bool,
}

impl Appender {
    /// Goes on where the files end. Half a line at the end, as a crash leaves one, is cut off; the second value is how many bytes that took.
    pub(crate) fn open(files: Arc<dyn Files>, rotate_bytes: u64, keep_bytes: u64) -> io::Result<(Appender, u64)> {
        let mut older: VecDeque<_> = files.list()?.into();
        let mut cut = 0;
        let mut unsynced = Vec::new();
        // The process before may have ended before its last sync, which was about two files if it had just rotated.
        if let Some((number, _)) = older.len().checked_sub(2).and_then(|index| older.get(index)) {
            unsynced.push((*number, files.open(*number)?));
        }
        let next = older.back().map_or(1, |(number, _)| number.saturating_add(1));
        let current = match older.pop_back() {
            None => None,
            Some((number, found)) => {
                let file = files.open(number)?;
                let length = whole_lines(&file, found)?;
                if length < found {
                    file.cut(length)?;
                    cut = found - length;
                }
                unsynced.push((number, Arc::clone(&file)));
                Some(Current { number, file, length })
            }
        };
        let suspect = BTreeSet::new();
        let settling = Settling::default();
        let appender = Appender { files, rotate_bytes, keep_bytes, current, older, next, unsynced, unsynced_name: true, suspect, settling };
        Ok((appender, cut))
    }

    /// Appends whole lines to the current file, or to a new one if they do not fit. After an error none of them is in the trail.
    pub(crate) fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        let size = u64::try_from(lines.len()).unwrap_or(u64::MAX);
        let fits = |current: &Current| current.length == 0 || current.length.saturating_add(size) <= self.rotate_bytes;
        if !self.current.as_ref().is_some_and(fits) {
            self.rotate()?;
        }
        let Some(current) = &mut self.current else { return Err(io::ErrorKind::NotFound.into()) };
        match current.file.write_at(lines, current.length) {
            Ok(()) => {
                current.length = current.length.saturating_add(size);
                if self.unsynced.last().is_none_or(|(number, _)| *number != current.number) {
                    self.unsynced.push((current.number, Arc::clone(&current.file)));
                }
                Ok(())
            }
            Err(error) => {
                // Where this fails too, the next write goes over the rest, and the next start cuts it off.
                if let Err(second) = current.file.cut(current.length) {
                    tracing::warn!(error = %second, "part of a line stays at the end of the audit trail for now");
                }
                Err(error)
            }
        }
    }

    /// Begins a new file. The one before stays the current one if that fails.
    fn rotate(&mut self) -> io::Result<()> {
        let number = self.next;
        // A number is used up even by a failure: a file may have come to be.
        self.next = self.next.saturating_add(1);
        let file = self.files.create(number)?;
        self.unsynced_name = true;
        if let Some(before) = self.current.replace(Current { number, file, length: 0 }) {
            self.older.push_back((before.number, before.length));
        }
        Ok(())
    }

    /// The files with how far they are good, newest first.
    pub(crate) fn newest_first(&self) -> Vec<(u64, u64)> {
        let current = self.current.as_ref().map(|current| (current.number, current.length));
        current.into_iter().chain(self.older.iter().rev().copied()).collect()
    }

    /// The same, without files of which nobody knows whether they are on the disk.
    pub(crate) fn newest_trusted_first(&self) -> Vec<(u64, u64)> {
        self.newest_first().into_iter().filter(|(number, _)| !self.suspect.contains(number)).collect()
    }

    /// Begins a sync of all that is written so far.
    pub(crate) fn begin_sync(&mut self) -> Unsynced {
        self.settling.begin_sync();
        Unsynced { files: std::mem::take(&mut self.unsynced), names: std::mem::take(&mut self.unsynced_name) }
    }

    /// Ends it. A file whose sync failed is not gone on with: the kernel reports such an error once and forgets the bytes.
    pub(crate) fn end_sync(&mut self, about: &Unsynced, worked: bool) {
        if !worked {
            self.suspect.extend(about.files.iter().map(|(number, _)| *number));
            self.unsynced_name = true;
            if let Some(current) = self.current.take_if(|current| self.suspect.contains(&current.number)) {
                self.older.push_back((current.number, current.length));
            }
        }
    }

    /// Takes the oldest files off the list until the rest is within the total; the caller removes them. The current one is never among them.
    pub(crate) fn outlived(&mut self) -> Vec<u64> {
        let current = self.current.as_ref().map_or(0, |current| current.length);
        let mut total = self.older.iter().fold(current, |sum, (_, length)| sum.saturating_add(*length));
        let mut outlived = Vec::new();
        while total > self.keep_bytes {
            let Some((number, length)) = self.older.pop_front() else { break };
            total = total.saturating_sub(length);
            self.suspect.remove(&number);
            outlived.push(number);
        }
        outlived
    }
}

impl Unsynced {
    /// Returns once all of it is on the disk. No lock is held meanwhile.
    pub(crate) fn sync(&self, files: &dyn Files) -> io::Result<()> {
        for (_, file) in &self.files {
            file.sync()?;
        }
        if self.names { files.sync_names() } else { Ok(()) }
    }
}
