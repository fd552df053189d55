//! Reading the trail from its end, in blocks: what is looked for is nearly always new.

use std::collections::HashSet;
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;

use memchr::{memchr, memmem, memrchr};
use serde::Deserialize;

use crate::files::{Files, Opened};
use crate::json::write_text;

/// How much is read at once.
const BLOCK: u64 = 256 * 1_024;

/// Events are written in nearly the order of their times: this many seconds out of it at most.
const DISORDER: i64 = 300;

/// One file, read backwards.
struct Backwards {
    file: Arc<dyn Opened>,
    /// How much of the file has not been read.
    left: u64,
    /// What was read of a line whose beginning was not.
    rest: Vec<u8>,
}

impl Backwards {
    /// The next lines towards the beginning, whole and in the order of the file.
    fn lines(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut block = BLOCK;
        while self.left > 0 {
            let size = self.left.min(block);
            let mut read = vec![0; usize::try_from(size).map_err(|_| io::ErrorKind::FileTooLarge)?];
            self.left -= size;
            self.file.read_at(&mut read, self.left)?;
            read.append(&mut self.rest);
            if self.left == 0 {
                return Ok(Some(read));
            }
            match memchr(b'\n', &read) {
                Some(end) => {
                    let lines = read.split_off(end.saturating_add(1));
                    self.rest = read;
                    if !lines.is_empty() {
                        return Ok(Some(lines));
                    }
                }
                None => {
                    // A line that is longer than what was read: twice as much next time, so that no byte is moved often.
                    self.rest = read;
                    block = block.saturating_mul(2);
                }
            }
        }
        Ok(None)
    }
}

/// The line around position `at`, without its end.
fn line_around(lines: &[u8], at: usize) -> &[u8] {
    let start = memrchr(b'\n', lines.get(..at).unwrap_or_default()).map_or(0, |end| end.saturating_add(1));
    let tail = lines.get(start..).unwrap_or_default();
    let length = memchr(b'\n', tail).unwrap_or(tail.len());
    tail.get(..length).unwrap_or_default()
}

/// Opens a file to read; none if it was removed meanwhile, as the oldest are.
fn backwards(files: &dyn Files, number: u64, length: u64) -> io::Result<Option<Backwards>> {
    match files.open(number) {
        Ok(file) => Ok(Some(Backwards { file, left: length, rest: Vec::new() })),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[derive(Deserialize)]
struct OfRequest {
    #[serde(rename = "requestID")]
    request_id: String,
}

/// Shows `accept` the events of a request, newest first, until it breaks. `files` are numbers and lengths, newest first.
pub(crate) fn of_request<B>(
    files: &dyn Files,
    newest_first: &[(u64, u64)],
    request_id: &str,
    mut accept: impl FnMut(&str) -> ControlFlow<B>,
) -> io::Result<Option<B>> {
    let mut needle = br#""requestID":"#.to_vec();
    write_text(&mut needle, request_id);
    let finder = memmem::Finder::new(&needle);
    for (number, length) in newest_first {
        let Some(mut file) = backwards(files, *number, *length)? else { continue };
        while let Some(lines) = file.lines()? {
            // Searching forwards is several times as fast as searching backwards.
            let found: Vec<_> = finder.find_iter(&lines).collect();
            for at in found.into_iter().rev() {
                let line = line_around(&lines, at);
                // The needle may also stand deeper inside of a record, where its words are a client's.
                let is_it = serde_json::from_slice::<OfRequest>(line).is_ok_and(|event| event.request_id == request_id);
                if let Some(line) = std::str::from_utf8(line).ok().filter(|_| is_it)
                    && let ControlFlow::Break(found) = accept(line)
                {
                    return Ok(Some(found));
                }
            }
        }
    }
    Ok(None)
}

/// An event's own id and its time.
#[derive(Deserialize)]
pub(crate) struct Known {
    #[serde(rename = "eventID")]
    pub(crate) id: String,
    #[serde(rename = "eventTime")]
    time: String,
}

impl Known {
    /// None for what is not an event.
    pub(crate) fn of(line: &str) -> Option<Known> {
        serde_json::from_str(line).ok()
    }

    fn second(&self) -> Option<i64> {
        self.time.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_second)
    }
}

/// Which of the events are in the files already. Reads only as far back as their times make it necessary.
pub(crate) fn present(files: &dyn Files, newest_first: &[(u64, u64)], wanted: &[Known]) -> io::Result<HashSet<String>> {
    let ids: HashSet<&str> = wanted.iter().map(|known| known.id.as_str()).collect();
    // One without a time is looked for in all of the trail.
    let oldest = wanted.iter().map(Known::second).min().flatten();
    let finder = memmem::Finder::new(r#""eventID":""#);
    let mut found = HashSet::new();
    for (number, length) in newest_first {
        let Some(mut file) = backwards(files, *number, *length)? else { continue };
        while let Some(lines) = file.lines()? {
            for at in finder.find_iter(&lines) {
                let begin = at.saturating_add(finder.needle().len());
                let tail = lines.get(begin..).unwrap_or_default();
                let id = tail.get(..memchr(b'"', tail).unwrap_or(0)).and_then(|id| std::str::from_utf8(id).ok());
                if let Some(id) = id.filter(|id| ids.contains(id))
                    && serde_json::from_slice::<Known>(line_around(&lines, at)).is_ok_and(|known| known.id == id)
                {
                    found.insert(id.to_owned());
                }
            }
            if found.len() == ids.len() {
                return Ok(found);
            }
            let first = serde_json::from_slice::<Known>(line_around(&lines, 0)).ok().and_then(|known| known.second());
            if let (Some(first), Some(oldest)) = (first, oldest)
                && first < oldest.saturating_sub(DISORDER)
            {
                return Ok(found);
            }
        }
    }
    Ok(found)
}

/// All events since a moment, newest first, in blocks of whole lines. The oldest block may hold events from before; no later one does.
pub struct Blocks {
    files: Arc<dyn Files>,
    /// Numbers and lengths of the files that were not begun, the newest last.
    left: Vec<(u64, u64)>,
    current: Option<Backwards>,
    since: i64,
    length: u64,
}

impl Blocks {
    /// `files` are numbers and lengths, newest first.
    pub(crate) fn new(files: Arc<dyn Files>, newest_first: Vec<(u64, u64)>, since: i64) -> Blocks {
        let length = newest_first.iter().map(|(_, length)| length).sum();
        Blocks { files, left: newest_first.into_iter().rev().collect(), current: None, since, length }
    }

    /// How many bytes the trail has, those from before the moment too.
    pub fn length(&self) -> u64 {
        self.length
    }

    fn block(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            let Some(file) = &mut self.current else {
                let Some((number, length)) = self.left.pop() else { return Ok(None) };
                self.current = backwards(&*self.files, number, length)?;
                continue;
            };
            let Some(lines) = file.lines()? else {
                self.current = None;
                continue;
            };
            let first = serde_json::from_slice::<Known>(line_around(&lines, 0)).ok().and_then(|known| known.second());
            if first.is_some_and(|first| first < self.since.saturating_sub(DISORDER)) {
                self.current = None;
                self.left.clear();
            }
            return Ok(Some(lines));
        }
    }
}

impl Iterator for Blocks {
    type Item = io::Result<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        self.block().transpose()
    }
}

/// How much of a file is whole lines. A crash may leave half a line, and a power failure zeros in place of bytes that were not synced.
pub(crate) fn whole_lines(file: &Arc<dyn Opened>, length: u64) -> io::Result<u64> {
    let mut good = length;
    let mut reader = Backwards { file: Arc::clone(file), left: length, rest: Vec::new() };
    while let Some(mut lines) = reader.lines()? {
        while !lines.is_empty() {
            let ended = lines.strip_suffix(b"\n");
            let body = ended.unwrap_or(&lines);
            let start = memrchr(b'\n', body).map_or(0, |end| end.saturating_add(1));
            let line = body.get(start..).unwrap_or_default();
            if ended.is_some() && serde_json::from_slice::<serde::de::IgnoredAny>(line).is_ok() {
                return Ok(good);
            }
            good = good.saturating_sub(u64::try_from(lines.len().saturating_sub(start)).unwrap_or(u64::MAX));
            lines.truncate(start);
        }
    }
    Ok(good)
}
