//! One number of memory → what each part may hold, so that the sum stays under it.

use super::{Machine, Mistake, Mistakes, gather::Given, table::Draft};
use crate::work;

const MB: u64 = 1_000_000;

/// The smallest `memory`: below it no picture worth serving can be decoded.
pub(super) const LEAST: u64 = 96 * MB;
/// The smallest `work.pixel_bytes`: a picture of 2 megapixels, decoded, beside its output.
pub(super) const LEAST_PIXELS: u64 = 16 * MB;
/// The smallest `work.source_bytes`.
pub(super) const LEAST_SOURCES: u64 = 4 * MB;
/// The program, the runtime, connections, headers and logs, before the first picture.
const BASELINE: u64 = 24 * MB;
/// Of the whole: what the allocator keeps between the pieces, and buffers of the kernel that a
/// container's limit counts.
const SLACK_SHARE: u64 = 8;

/// Of the whole, for finished variants. No more, so that 256 MB leave enough for a progressive
/// JPEG of 24 megapixels, whose 72 MB of coefficients must all be held.
const CACHE_SHARE: u64 = 5;

/// How the memory is shared out, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// All of it.
    pub total: u64,
    /// For the program itself, and for what an allocator loses.
    pub overhead: u64,
    /// For finished variants.
    pub cache: u64,
    /// For fetched sources.
    pub sources: u64,
    /// For pixels of running jobs.
    pub pixels: u64,
}

/// Fills the sizes that nobody set from `memory`, and checks that all of them fit in it.
pub(super) fn share_out(
    draft: &mut Draft,
    given: &Given,
    machine: &Machine,
    mistakes: &mut Mistakes,
) -> Memory {
    let total = draft.memory.unwrap_or_else(|| default_total(machine));
    draft.memory = Some(total);
    let config = &mut draft.config;
    let wish = Wish {
        cache: given
            .get("cache.memory_bytes")
            .map(|_| config.cache.memory_bytes),
        sources: given
            .get("work.source_bytes")
            .map(|_| config.work.source_bytes),
        pixels: given
            .get("work.pixel_bytes")
            .map(|_| config.work.pixel_bytes),
    };
    let memory = wish.out_of(total);
    config.cache.memory_bytes = memory.cache;
    config.work.source_bytes = memory.sources;
    config.work.pixel_bytes = memory.pixels;
    if given.get("work.queue").is_none() {
        config.work.queue = work::queue(config.work.workers);
    }

    if let Some(sentence) = memory.objection() {
        let place = [
            "memory",
            "cache.memory_bytes",
            "work.pixel_bytes",
            "work.source_bytes",
        ]
        .iter()
        .find_map(|name| given.get(name));
        mistakes.push(Mistake::at(place, sentence));
    }
    match given.get("fetch.bytes") {
        None => config.fetch.bytes = config.fetch.bytes.min(memory.sources),
        Some(place) if config.fetch.bytes > memory.sources => {
            mistakes.push(Mistake::at(
                Some(place),
                format!(
                    "`fetch.bytes` must be no more than `work.source_bytes`, which is {}",
                    roughly(memory.sources)
                ),
            ));
        }
        Some(_) => {}
    }
    memory
}

/// A container is ours alone, but its limit kills; a machine is shared.
fn default_total(machine: &Machine) -> u64 {
    let percent = if machine.limited { 90 } else { 60 };
    whole_megabytes(machine.memory / 100 * percent).max(LEAST)
}

/// Nobody needs the last digits, and they are a burden to read.
fn whole_megabytes(bytes: u64) -> u64 {
    bytes / MB * MB
}

/// For messages.
fn roughly(bytes: u64) -> String {
    format!("{}.{}MB", bytes / MB, bytes % MB / (MB / 10)).replace(".0MB", "MB")
}

/// What somebody set; `None`: nobody did.
#[derive(Clone, Copy, Debug, Default)]
struct Wish {
    cache: Option<u64>,
    sources: Option<u64>,
    pixels: Option<u64>,
}

impl Wish {
    fn out_of(self, total: u64) -> Memory {
        let overhead = BASELINE + total / SLACK_SHARE;
        let work = self.sources.unwrap_or(LEAST_SOURCES) + self.pixels.unwrap_or(LEAST_PIXELS);
        let left_by_work = total.saturating_sub(overhead).saturating_sub(work);
        let cache = self
            .cache
            .unwrap_or(whole_megabytes((total / CACHE_SHARE).min(left_by_work)));
        let left = total.saturating_sub(overhead).saturating_sub(cache);
        let sources = self.sources.unwrap_or_else(|| match self.pixels {
            Some(pixels) => left.saturating_sub(pixels),
            None => whole_megabytes(left / 5),
        });
        let pixels = self.pixels.unwrap_or(left.saturating_sub(sources));
        Memory {
            total,
            overhead,
            cache,
            sources,
            pixels,
        }
    }
}

impl Memory {
    /// Why this cannot be.
    fn objection(&self) -> Option<String> {
        let sum = self.overhead + self.cache + self.sources + self.pixels;
        let parts = format!(
            "{} for the program, `cache.memory_bytes` {}, `work.source_bytes` {}, `work.pixel_bytes` {}",
            roughly(self.overhead),
            roughly(self.cache),
            roughly(self.sources),
            roughly(self.pixels),
        );
        if sum > self.total {
            return Some(format!(
                "`memory` is {}, but its parts add up to {}: {parts}",
                roughly(self.total),
                roughly(sum),
            ));
        }
        (self.sources < LEAST_SOURCES || self.pixels < LEAST_PIXELS).then(|| {
            format!(
                "`memory` is {}, which leaves too little: `work.source_bytes` needs {}, \
                 `work.pixel_bytes` {}: {parts}",
                roughly(self.total),
                roughly(LEAST_SOURCES),
                roughly(LEAST_PIXELS),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(total: u64, wish: Wish, expected: Option<[u64; 3]>) {
        let memory = wish.out_of(total * MB);
        let parts = [memory.cache / MB, memory.sources / MB, memory.pixels / MB];
        match expected {
            Some(expected) => {
                assert_eq!(memory.objection(), None);
                assert_eq!(parts, expected);
            }
            None => assert!(memory.objection().is_some(), "{memory:?}"),
        }
    }

    const NOTHING: Wish = Wish {
        cache: None,
        sources: None,
        pixels: None,
    };

    #[test]
    fn the_parts_fit_in_the_whole() {
        check(96, NOTHING, Some([19, 8, 33]));
        check(256, NOTHING, Some([51, 29, 120]));
        check(1000, NOTHING, Some([200, 130, 521]));
        check(16_000, NOTHING, Some([3200, 2155, 8621]));
    }

    #[test]
    fn what_is_set_is_kept_and_the_rest_makes_room() {
        check(
            256,
            Wish {
                cache: Some(0),
                ..NOTHING
            },
            Some([0, 40, 160]),
        );
        check(
            256,
            Wish {
                cache: Some(180 * MB),
                ..NOTHING
            },
            Some([180, 4, 16]),
        );
        check(
            256,
            Wish {
                pixels: Some(190 * MB),
                ..NOTHING
            },
            Some([6, 4, 190]),
        );
        check(
            256,
            Wish {
                sources: Some(20 * MB),
                ..NOTHING
            },
            Some([51, 20, 129]),
        );
    }

    #[test]
    fn sums_that_cannot_be_are_refused() {
        check(
            256,
            Wish {
                cache: Some(181 * MB),
                ..NOTHING
            },
            None,
        );
        check(
            256,
            Wish {
                cache: Some(300 * MB),
                ..NOTHING
            },
            None,
        );
        check(
            256,
            Wish {
                pixels: Some(197 * MB),
                ..NOTHING
            },
            None,
        );
        check(
            256,
            Wish {
                cache: Some(70 * MB),
                sources: Some(70 * MB),
                pixels: Some(70 * MB),
            },
            None,
        );
    }

    proptest::proptest! {
        #[test]
        fn without_wishes_the_sum_never_exceeds_the_whole(total in LEAST..(16_u64 << 40)) {
            let memory = NOTHING.out_of(total);
            proptest::prop_assert_eq!(memory.objection(), None);
        }
    }
}
