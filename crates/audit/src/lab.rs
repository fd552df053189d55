//! A disk for tests: it can be full, slow or broken, and counts what is done to it.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use crate::files::{Disk, Files, Opened};

/// What the tests turn and read.
#[derive(Debug, Default)]
pub(crate) struct Knobs {
    /// How many bytes there is room for in all files together; zero is without limit.
    pub(crate) capacity: AtomicU64,
    pub(crate) used: AtomicU64,
    pub(crate) slow_millis: AtomicU64,
    pub(crate) slow_sync_millis: AtomicU64,
    pub(crate) sync_fails: AtomicBool,
    pub(crate) cut_fails: AtomicBool,
    pub(crate) writes: AtomicU64,
    pub(crate) syncs: AtomicU64,
}

pub(crate) struct Lab {
    disk: Disk,
    pub(crate) knobs: Arc<Knobs>,
}

struct LabFile {
    file: Arc<dyn Opened>,
    knobs: Arc<Knobs>,
}

fn full() -> io::Error {
    io::ErrorKind::StorageFull.into()
}

impl Knobs {
    fn room(&self) -> u64 {
        match self.capacity.load(SeqCst) {
            0 => u64::MAX,
            capacity => capacity.saturating_sub(self.used.load(SeqCst)),
        }
    }
}

impl Lab {
    pub(crate) fn at(directory: &Path) -> Arc<Lab> {
        Arc::new(Lab { disk: Disk::at(directory).unwrap(), knobs: Arc::default() })
    }

    fn wrap(&self, file: Arc<dyn Opened>) -> Arc<dyn Opened> {
        Arc::new(LabFile { file, knobs: Arc::clone(&self.knobs) })
    }
}

impl Files for Lab {
    fn list(&self) -> io::Result<Vec<(u64, u64)>> {
        self.disk.list()
    }

    fn create(&self, number: u64) -> io::Result<Arc<dyn Opened>> {
        if self.knobs.room() == 0 { Err(full()) } else { Ok(self.wrap(self.disk.create(number)?)) }
    }

    fn open(&self, number: u64) -> io::Result<Arc<dyn Opened>> {
        Ok(self.wrap(self.disk.open(number)?))
    }

    fn remove(&self, number: u64) -> io::Result<()> {
        self.disk.remove(number)
    }

    fn sync_names(&self) -> io::Result<()> {
        self.disk.sync_names()
    }

    fn probe(&self, bytes: usize) -> io::Result<()> {
        if u64::try_from(bytes).unwrap() > self.knobs.room() { Err(full()) } else { self.disk.probe(bytes) }
    }
}

impl Opened for LabFile {
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        self.file.read_at(bytes, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        std::thread::sleep(Duration::from_millis(self.knobs.slow_millis.load(SeqCst)));
        self.knobs.writes.fetch_add(1, SeqCst);
        // As a real disk, it writes what there is room for before it says that there was not enough.
        let fitting = usize::try_from(self.knobs.room()).unwrap_or(usize::MAX).min(bytes.len());
        self.file.write_at(&bytes[..fitting], offset)?;
        if fitting < bytes.len() {
            return Err(full());
        }
        self.knobs.used.fetch_add(u64::try_from(fitting).unwrap(), SeqCst);
        Ok(())
    }

    fn cut(&self, length: u64) -> io::Result<()> {
        if self.knobs.cut_fails.load(SeqCst) { Err(io::ErrorKind::Other.into()) } else { self.file.cut(length) }
    }

    fn sync(&self) -> io::Result<()> {
        std::thread::sleep(Duration::from_millis(self.knobs.slow_sync_millis.load(SeqCst)));
        self.knobs.syncs.fetch_add(1, SeqCst);
        if self.knobs.sync_fails.load(SeqCst) { Err(io::ErrorKind::Other.into()) } else { self.file.sync() }
    }
}

/// `/dev/full`: the kernel's own disk without room.
pub(crate) struct DevFull;

impl Files for DevFull {
    fn list(&self) -> io::Result<Vec<(u64, u64)>> {
        Ok(Vec::new())
    }

    fn create(&self, _: u64) -> io::Result<Arc<dyn Opened>> {
        Ok(Arc::new(File::options().read(true).write(true).open("/dev/full")?))
    }

    fn open(&self, number: u64) -> io::Result<Arc<dyn Opened>> {
        self.create(number)
    }

    fn remove(&self, _: u64) -> io::Result<()> {
        Ok(())
    }

    fn sync_names(&self) -> io::Result<()> {
        Ok(())
    }

    fn probe(&self, bytes: usize) -> io::Result<()> {
        self.create(0)?.write_at(&vec![0; bytes], 0)
    }
}
