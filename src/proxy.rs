//! The request, once it is understood: cache, single flight, origin, pool, cache.

use std::{sync::Arc, time::Duration};

use crate::{
    cache::variant::Variant,
    origin::{self, ObjectKey, Origin},
    pixels::{
        codec,
        render::{Job, Stages},
    },
    recipe::Recipe,
};

/// One object of one source.
#[derive(Clone, Debug)]
pub struct Object {
    /// Where it is.
    pub origin: Arc<Origin>,
    /// What it is called there.
    pub key: ObjectKey,
}

/// A variant, and how it came about.
#[derive(Clone, Debug)]
pub struct Served {
    /// The picture.
    pub variant: Arc<Variant>,
    /// From where.
    pub how: How,
    /// Where the time went, if work was done for this very request.
    pub times: Option<Times>,
}

/// How a variant came about (RFC 9211's words).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Kept, and fresh.
    Hit,
    /// Kept, and stale: served because the origin is being asked, or cannot be reached.
    Stale,
    /// Kept, and the origin says that it still stands.
    Revalidated,
    /// Made now; `collapsed` if another request's job made it.
    Miss {
        /// Whether this request only waited.
        collapsed: bool,
    },
}

/// Where a miss spent its time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// From the origin.
    pub fetch: Duration,
    /// Waiting for memory and a thread.
    pub queue: Duration,
    /// On the thread.
    pub stages: Stages,
}

/// Why there is no variant.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The origin's part.
    #[error(transparent)]
    Origin(#[from] origin::Error),
    /// The picture's part.
    #[error(transparent)]
    Picture(#[from] codec::Error),
    /// A queue or the memory is full.
    #[error("too much work is waiting")]
    Overloaded,
    /// The job's time ran out.
    #[error("the work took too long")]
    TimedOut,
    /// A codec panicked on this picture: the picture's fault as much as ours.
    #[error("the picture is damaged and cannot be decoded")]
    Panicked,
    /// A bug of ours.
    #[error("internal error")]
    Bug(String),
}

/// Everything below HTTP.
#[derive(Debug)]
pub struct Proxy {}

impl Proxy {
    /// The variant of an object that a recipe names: kept, or made now.
    ///
    /// # Errors
    /// As [`Error`]; shared by all who wait for the same job.
    pub async fn serve(&self, _object: &Object, _recipe: &Recipe) -> Result<Served, Arc<Error>> {
        Err(Arc::new(Error::Overloaded))
    }

    /// Fetches and plans, and decodes nothing: what `?explain` shows.
    ///
    /// # Errors
    /// As [`Error`].
    pub async fn explain(&self, _object: &Object, _recipe: &Recipe) -> Result<Job, Arc<Error>> {
        Err(Arc::new(Error::Overloaded))
    }
}
