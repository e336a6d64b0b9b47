//! AVIF behind the answer: the first who asks gets WebP at once, the next one AVIF.
//!
//! AVIF at our speed costs no more than WebP for most pictures, so this is a mode that operators
//! choose: where the wait of the first visitor counts, or where no AVIF may ever be larger than
//! the WebP of the same picture (which only making both can tell).

use std::sync::Arc;

use super::{Error, Object, Proxy, Served};
use crate::{cache::variant::VariantKey, recipe::Recipe, work};

/// How many variants are made behind an answer at once: half the threads, so that the others are
/// there for those who wait.
pub(super) fn places(work: &work::Settings) -> usize {
    work.workers.div_ceil(2)
}

impl Proxy {
    /// As [`Proxy::serve`]; but a variant that may be AVIF, and is not kept, is stood in for by its
    /// WebP, and made behind the answer.
    ///
    /// # Errors
    /// As [`Proxy::serve`].
    pub async fn serve_soon(&self, object: &Object, recipe: &Recipe) -> Result<Served, Arc<Error>> {
        let key = object.variant_key(recipe);
        let Some(stand_in) = recipe
            .without_avif()
            .filter(|_| self.0.cache.peek(&key).is_none())
        else {
            return self.serve(object, recipe).await;
        };
        let served = self.serve(object, &stand_in).await?;
        let kept = self.0.cache.peek(&object.variant_key(&stand_in));
        if kept.is_some() {
            self.make_behind(key, object, recipe, &served);
        }
        Ok(Served {
            provisional: true,
            ..served
        })
    }

    /// Starts the flight of a variant that nobody waits for. Not where it would keep somebody
    /// waiting: whoever asks again later finds a quieter moment.
    fn make_behind(&self, key: VariantKey, object: &Object, recipe: &Recipe, stand_in: &Served) {
        if !self.0.studio.pool().has_idle() || self.0.flights.is_under_way(&key) {
            return;
        }
        let Ok(place) = Arc::clone(&self.0.behind).try_acquire_owned() else {
            return;
        };
        let (proxy, object) = (self.clone(), object.clone());
        let (recipe, stand_in) = (recipe.clone(), Arc::clone(&stand_in.variant));
        tokio::spawn(async move {
            let _place = place;
            let flown = proxy.fly(key, &object, &recipe, None, Some(stand_in)).await;
            if let Err(error) = flown {
                let source = &object.origin.settings.name;
                tracing::warn!(source, %error, "an AVIF could not be made behind its stand-in");
            }
        });
    }
}
