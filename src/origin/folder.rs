//! A folder of this machine as a source. Regular files inside it, and nothing else.
//!
//! Symbolic links are followed as long as they stay inside the folder. Whoever can write to the
//! folder is trusted not to swap a link in between the check and the opening.

use std::{
    fs::Metadata,
    io::ErrorKind,
    path::{Path, PathBuf},
    time::Instant,
};

use bytes::Bytes;
use tokio::{fs::File, sync::Semaphore};

use super::{
    CheckReport, Diagnosis, Error, FetchLimits, Fetched, Meta, Part, Source, Version,
    deadline::{Deadline, MEMORY_WAIT},
    file::{OpenFile, version},
};
use crate::{
    pixels::codec::{self, Limits},
    work::budget::{Budget, Permit},
};

/// A file that changes while it is read is read so many times.
const READS: u32 = 3;

/// From this length on a file is looked at before all of it is read: a picture that can be decoded
/// as it is read does without that memory. Less than this is read in no time.
const LOOKED_AT_FROM: u64 = 1 << 20;

/// The bytes that are looked at. Cameras write previews and profiles before the picture.
const LOOK: u64 = 256 << 10;

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
        let meta = Meta {
            version: version.clone(),
            last_modified: before.modified().ok(),
            cache_control: None,
        };
        let (file, budget) = (file.into_std().await, self.budget.clone());
        let file = OpenFile::new(file, before.len(), version, budget);
        match self.opened(&file).await {
            Ok((bytes, permit, is_head)) => Ok(Some(Fetched::Full(Source {
                bytes,
                file: is_head.then(|| Box::new(file)),
                meta,
                permit: Some(permit),
            }))),
            Err(Error::Failed { .. }) if file.check().is_err() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The bytes of a file with their memory; and whether they are no more than its head, because
    /// it can be decoded as it is read.
    async fn opened(&self, file: &OpenFile) -> Result<(Bytes, Permit, bool), Error> {
        if file.length() >= LOOKED_AT_FROM {
            let permit = self.budget.admit(LOOK, MEMORY_WAIT).await;
            let mut permit = permit.ok_or(Error::Overloaded)?;
            let start = file.start(LOOK).await?;
            // A picture past the default limits is read as a whole, and others judge it.
            if let Some(head) = codec::head(&start, &Limits::default()) {
                permit.shrink(head as u64);
                return Ok((Bytes::copy_from_slice(&start[..head]), permit, true));
            }
        }
        let (bytes, permit) = file.read_whole().await?;
        Ok((bytes, permit, false))
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
