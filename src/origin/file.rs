//! A file that is read while it is decoded: its head is in memory, and the rest stays where it is.

use std::{
    fs::{File, Metadata},
    io::ErrorKind,
    os::unix::fs::{FileExt as _, MetadataExt as _},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use tokio::sync::OnceCell;

use super::{Error, Version, deadline::MEMORY_WAIT};
use crate::{
    pixels::codec::Rest,
    work::budget::{Budget, Permit},
};

/// An open file, and all its bytes once somebody needed them.
#[derive(Debug)]
pub struct OpenFile {
    file: Arc<File>,
    length: u64,
    version: Version,
    budget: Budget,
    /// Whether some read went wrong.
    failed: AtomicBool,
    whole: OnceCell<(Bytes, Permit)>,
}

impl OpenFile {
    pub(super) fn new(file: File, length: u64, version: Version, budget: Budget) -> Self {
        Self {
            file: Arc::new(file),
            length,
            version,
            budget,
            failed: AtomicBool::new(false),
            whole: OnceCell::new(),
        }
    }

    /// Its first bytes, at most.
    ///
    /// # Errors
    /// [`Error::Failed`].
    pub(super) async fn start(&self, bytes: u64) -> Result<Vec<u8>, Error> {
        let file = Arc::clone(&self.file);
        let bytes = usize::try_from(bytes.min(self.length)).map_err(|_| Error::Overloaded)?;
        let read = move || {
            let mut start = vec![0; bytes];
            file.read_exact_at(&mut start, 0).map(|()| start)
        };
        let read = tokio::task::spawn_blocking(read).await;
        let start = read.map_err(|error| failed(error.to_string()))?;
        start.map_err(|error| failed(error.to_string()))
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// All of it, if it was read.
    pub(super) fn whole(&self) -> Option<&[u8]> {
        self.whole.get().map(|(bytes, _)| &**bytes)
    }

    /// Whether all that was read of it is of the version that was promised.
    ///
    /// # Errors
    /// [`Error::Failed`] where it is not.
    pub(super) fn check(&self) -> Result<(), Error> {
        let now = self.file.metadata().ok().map(|meta| version(&meta));
        if !self.failed.load(Ordering::Relaxed) && now.as_ref() == Some(&self.version) {
            return Ok(());
        }
        Err(failed("the file changed, or could not be read on"))
    }

    /// Reads all of it, once for all who share it.
    ///
    /// # Errors
    /// [`Error::Overloaded`], [`Error::Failed`].
    pub(super) async fn complete(&self) -> Result<(), Error> {
        self.whole.get_or_try_init(|| self.read_whole()).await?;
        Ok(())
    }

    /// All of it, and the memory that it holds.
    ///
    /// # Errors
    /// As [`OpenFile::complete`].
    pub(super) async fn read_whole(&self) -> Result<(Bytes, Permit), Error> {
        let permit = self.budget.admit(self.length, MEMORY_WAIT).await;
        let permit = permit.ok_or(Error::Overloaded)?;
        let bytes = self.start(self.length).await?;
        self.check()?;
        Ok((bytes.into(), permit))
    }
}

impl Rest for OpenFile {
    fn read(&self, at: u64, into: &mut [u8]) -> usize {
        loop {
            match self.file.read_at(into, at) {
                Ok(read) => return read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => {
                    self.failed.store(true, Ordering::Relaxed);
                    return 0;
                }
            }
        }
    }
}

fn failed(cause: impl Into<String>) -> Error {
    Error::Failed {
        cause: cause.into(),
    }
}

/// Length, time of change and inode: what a file system changes when a file's bytes change.
pub(super) fn version(meta: &Metadata) -> Version {
    let nanos = i128::from(meta.mtime()) * 1_000_000_000 + i128::from(meta.mtime_nsec());
    Version(format!("{:x}-{nanos:x}-{:x}", meta.len(), meta.ino()))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn open(bytes: &[u8], memory: u64) -> (tempfile::NamedTempFile, OpenFile) {
        let mut named = tempfile::NamedTempFile::new().expect("a file");
        named.write_all(bytes).expect("bytes");
        let file = named.reopen().expect("the file");
        let meta = file.metadata().expect("a file");
        let open = OpenFile::new(file, meta.len(), version(&meta), Budget::new(memory));
        (named, open)
    }

    #[tokio::test]
    async fn a_file_is_read_where_it_is_asked_for_or_as_a_whole() {
        let (_named, open) = open(b"0123456789", 1024);
        let mut some = [0; 4];
        assert_eq!((open.read(3, &mut some), &some), (4, b"3456"));
        assert_eq!(open.read(8, &mut some), 2);
        assert_eq!(open.read(10, &mut some), 0);
        assert_eq!(open.whole(), None);
        open.complete().await.expect("all of it");
        open.complete().await.expect("no more memory than once");
        assert_eq!(open.whole(), Some(&b"0123456789"[..]));
        open.check().expect("as it was");
    }

    #[tokio::test]
    async fn a_file_that_changed_is_noticed() {
        let (mut named, open) = open(b"0123456789", 1024);
        named.write_all(b"more").expect("bytes");
        assert!(matches!(open.check(), Err(Error::Failed { .. })));
        assert!(matches!(open.complete().await, Err(Error::Failed { .. })));
        assert_eq!(open.whole(), None);
    }

    #[tokio::test]
    async fn the_whole_waits_for_memory_and_then_gives_up() {
        tokio::time::pause();
        let (_named, open) = open(&[7; 1025], 1024);
        assert!(matches!(open.complete().await, Err(Error::Overloaded)));
    }
}
