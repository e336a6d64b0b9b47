//! A folder of this run alone, gone when it is dropped.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

#[derive(Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    /// Makes it where the system has its temporary files, for this user's eyes.
    pub(super) fn new() -> io::Result<Self> {
        let name = format!("aquatint-demo-{}", super::bucket::random(8));
        let path = env::temp_dir().join(name);
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        // Fails where somebody else was first: nothing of theirs is ever served, or removed.
        builder.create(&path)?;
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::warn!(path = %self.0.display(), %error, "the folder stays behind");
        }
    }
}
