//! A folder of this machine as a source. Regular files inside it, and nothing else.
//!
//! Symbolic links are followed as long as they stay inside the folder. Whoever can write to the
//! folder is trusted not to swap a link in between the check and the opening.

use std::{
    fs::Metadata,
    io::ErrorKind,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    time::Instant,
};

use bytes::Bytes;
use tokio::{fs::File, io::AsyncReadExt as _, sync::Semaphore};

use super::{
    CheckReport, Diagnosis, Error, FetchLimits, Fetched, Meta, Part, Source, Version,
    deadline::{Deadline, MEMORY_WAIT},
};
use crate::work::budget::Budget;

/// A file that changes while it is read is read so many times.
const READS: u32 = 3;

/// An open folder.
#[derive(Debug)]
pub(super) struct Folder {
    /// Without symbolic links in it.
    root: PathBuf,
    limits: FetchLimits,
    budget: Budget,
    turns: Semaphore,
}

impl Folder {
    pub(super) fn open(
        root: &Path,
        limits: &FetchLimits,
        budget: Budget,
    ) -> Result<Self, Vec<String>> {
        let problem = |text: String| vec![format!("`root` {}: {text}", root.display())];
        let real = root
            .canonicalize()
            .map_err(|error| problem(error.to_string()))?;
        if !real.is_dir() {
            return Err(problem("is not a folder".to_owned()));
        }
        Ok(Self {
            root: real,
            limits: *limits,
            budget,
            turns: Semaphore::new(limits.concurrency),
        })
    }

    pub(super) async fn fetch(&self, key: &str, known: Option<&Version>) -> Result<Fetched, Error> {
        let deadline = Deadline::start(self.limits.total);
        let _turn = deadline.turn(&self.turns).await?;
        let whole = self.limits.total;
        let path = deadline
            .within(whole, "finding the file", self.find(key))
            .await??;
        for _ in 0..READS {
            let read = self.read(&path, known);
            if let Some(fetched) = deadline.within(whole, "reading the file", read).await?? {
                return Ok(fetched);
            }
        }
        Err(Error::Failed {
            cause: "the file does not stop changing".to_owned(),
        })
    }

    /// The file's real path, if that is inside the root.
    async fn find(&self, key: &str) -> Result<PathBuf, Error> {
        let real = tokio::fs::canonicalize(self.root.join(key))
            .await
            .map_err(failure)?;
        if real.starts_with(&self.root) {
            Ok(real)
        } else {
            Err(Error::NotFound {
                cause: "a symbolic link leads out of the folder".to_owned(),
            })
        }
    }

    /// Nothing, if the file changed meanwhile.
    async fn read(&self, path: &Path, known: Option<&Version>) -> Result<Option<Fetched>, Error> {
        // Before it is opened: to open a pipe would wait for its writer.
        regular(&tokio::fs::metadata(path).await.map_err(failure)?)?;
        let file = File::open(path).await.map_err(failure)?;
        let before = file.metadata().await.map_err(failure)?;
        regular(&before)?;
        let version = version(&before);
        if known == Some(&version) {
            return Ok(Some(Fetched::NotModified));
        }
        let limit = self.limits.bytes;
        if before.len() > limit {
            return Err(Error::TooLarge { limit });
        }
        let permit = self.budget.admit(before.len(), MEMORY_WAIT).await;
        let permit = permit.ok_or(Error::Overloaded)?;
        let length = usize::try_from(before.len()).map_err(|_| Error::TooLarge { limit })?;
        let mut bytes = Vec::with_capacity(length);
        // One byte more than there was, to see that the file has grown.
        let mut file = file.take(before.len().saturating_add(1));
        file.read_to_end(&mut bytes).await.map_err(failure)?;
        let after = file.get_ref().metadata().await.map_err(failure)?;
        if bytes.len() != length || self::version(&after) != version {
            return Ok(None);
        }
        Ok(Some(Fetched::Full(Source {
            bytes: Bytes::from(bytes),
            meta: Meta {
                version,
                last_modified: before.modified().ok(),
                cache_control: None,
            },
            permit: Some(permit),
        })))
    }

    pub(super) async fn check(&self) -> Result<CheckReport, Diagnosis> {
        let start = Instant::now();
        let entries = tokio::fs::read_dir(&self.root);
        let entries = tokio::time::timeout(self.limits.first_byte, entries).await;
        let problem = match entries {
            Ok(Ok(_)) => {
                return Ok(CheckReport {
                    took: start.elapsed(),
                    says: "the folder can be read".to_owned(),
                });
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer within {:?}", self.limits.first_byte),
        };
        Err(Diagnosis::new(
            Part::Folder,
            format!("{} cannot be read: {problem}", self.root.display()),
            "Set `root` to a folder that this user may read.",
        ))
    }
}

fn regular(meta: &Metadata) -> Result<(), Error> {
    if meta.is_file() {
        return Ok(());
    }
    Err(Error::NotFound {
        cause: "not a regular file".to_owned(),
    })
}

/// Length, time of change and inode: what a file system changes when a file's bytes change.
fn version(meta: &Metadata) -> Version {
    let nanos = i128::from(meta.mtime()) * 1_000_000_000 + i128::from(meta.mtime_nsec());
    Version(format!("{:x}-{nanos:x}-{:x}", meta.len(), meta.ino()))
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in `map_err`")]
fn failure(error: std::io::Error) -> Error {
    let cause = error.to_string();
    match error.kind() {
        ErrorKind::NotFound
        | ErrorKind::NotADirectory
        | ErrorKind::IsADirectory
        | ErrorKind::PermissionDenied
        | ErrorKind::InvalidFilename
        | ErrorKind::InvalidInput => Error::NotFound { cause },
        ErrorKind::TimedOut => Error::TimedOut { cause },
        _ => Error::Failed { cause },
    }
}
