//! The qualities that were found for pictures, remembered for their other sizes: the search begins
//! where it ended last, and mostly ends there.

use std::{
    hash::{BuildHasher, RandomState},
    num::NonZeroUsize,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use lru::LruCache;

use crate::{
    cache::variant::ObjectId,
    origin::Version,
    pixels::{format::OutputFormat, render::Rendered},
    recipe::Recipe,
};

/// Most that are remembered: about 2 MiB. One that is forgotten costs a trial or two.
const MOST: NonZeroUsize = NonZeroUsize::new(16_384).expect("not zero");

/// Qualities by what they were found for. Clones are the same.
#[derive(Clone, Debug)]
pub(super) struct Qualities {
    /// By a hash of 64 bits: two that share one cost each other a trial, no more.
    found: Arc<Mutex<LruCache<u64, u8>>>,
    hasher: RandomState,
}

impl Qualities {
    pub(super) fn new() -> Self {
        Self {
            found: Arc::new(Mutex::new(LruCache::new(MOST))),
            hasher: RandomState::new(),
        }
    }

    /// What was found for the same picture in the same format, at whatever size.
    pub(super) fn get(
        &self,
        picture: (ObjectId, &Version),
        recipe: &Recipe,
        format: OutputFormat,
    ) -> Option<u8> {
        let key = self.key(picture, recipe, format)?;
        self.lock().get(&key).copied()
    }

    /// Remembers what was found, if something was.
    pub(super) fn put(&self, picture: (ObjectId, &Version), recipe: &Recipe, rendered: &Rendered) {
        let key = self.key(picture, recipe, rendered.format);
        if let (Some(key), Some(quality)) = (key, rendered.quality) {
            self.lock().put(key, quality);
        }
    }

    /// `None`: nothing is looked for.
    fn key(
        &self,
        (object, version): (ObjectId, &Version),
        recipe: &Recipe,
        format: OutputFormat,
    ) -> Option<u64> {
        let aim = recipe.output.aim?;
        let found_for = (object, version, recipe.profile, aim, format);
        Some(self.hasher.hash_one(found_for))
    }

    fn lock(&self) -> MutexGuard<'_, LruCache<u64, u8>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        pixels::{geometry::Size, render::Stages},
        recipe::{
            Transform,
            negotiate::Accepts,
            policy::{Policy, PolicySettings},
            transform::Quality,
        },
    };

    fn id(number: usize) -> ObjectId {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&number.to_le_bytes());
        ObjectId(id)
    }

    #[test]
    fn only_so_many_are_remembered() {
        let transform = Transform {
            quality: Some(Quality::Auto),
            ..Transform::default()
        };
        let policy = Policy::new(PolicySettings::default());
        let recipe = Recipe::resolve(&transform, Accepts::default(), &policy);
        let rendered = Rendered {
            bytes: Vec::new(),
            format: OutputFormat::WebP,
            size: Size::new(8, 8),
            quality: Some(50),
            stages: Stages::default(),
        };
        let (qualities, version) = (Qualities::new(), Version("v1".to_owned()));
        for number in 0..=MOST.get() {
            qualities.put((id(number), &version), &recipe, &rendered);
        }
        assert_eq!(qualities.lock().len(), MOST.get());
        let get = |number| qualities.get((id(number), &version), &recipe, rendered.format);
        assert_eq!([get(0), get(1)], [None, Some(50)]);
    }
}
