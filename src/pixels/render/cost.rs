//! How many bytes a job will hold at its peak: what the budget is asked for.

use crate::{
    pixels::{
        bitmap::Layout,
        codec::{self, DecodeOptions, EncodeOptions, Header},
        geometry::{Area, Size, fit},
        ops::resize,
    },
    recipe::{Recipe, recipe::Effects, transform::Profile},
};

use super::{Job, decode_options, encode_options};

/// A decoder that scales in eighths may leave up to this many times what it was asked for, a side.
const DECODER_STEPS: u32 = 2;

/// Planes of one blurred channel, its alpha and their scratch, in bytes a pixel.
const BLUR_BYTES: u64 = 16;

/// Whole canvases that an animation holds beside its decoder and encoder: the frame, its raster,
/// and the frame before.
const CANVASES: u64 = 3;

/// The largest moment of the job: while the decoded picture is resized, or while the small one is
/// worked on and encoded.
pub(super) fn peak(job: &Job, recipe: &Recipe) -> u64 {
    let header = &job.header;
    let decode = decode_options(job, recipe);
    let encode = encode_options(recipe, job.format, None);
    let layout = if header.alpha {
        Layout::Rgba
    } else {
        Layout::Rgb
    };
    let resampling = resampling(job, recipe, &decode, layout);
    let output = largest_output(job, recipe);
    let channels = layout.channels().max(4) as u64;
    let raster = output.pixels().saturating_mul(channels);
    let resized = job.plan.resized.pixels().saturating_mul(channels);
    let effects = if recipe.effects == Effects::default() {
        0
    } else {
        output.pixels().saturating_mul(BLUR_BYTES)
    };
    // Each operation makes one raster of another.
    let working = (resized.max(raster))
        .saturating_add(raster)
        .saturating_add(effects);
    let decoding = codec::decode_bytes(header, &decode).saturating_add(resampling);
    if job.moves {
        let canvas = header.size.pixels().saturating_mul(4);
        let written = encoded_frames(header, output, &encode);
        return decoding
            .saturating_add(canvas.saturating_mul(CANVASES))
            .saturating_add(working)
            .saturating_add(written);
    }
    let encoding = codec::encode_bytes(output, &encode).saturating_add(raster);
    decoding.max(working).max(encoding)
}

/// What a resize holds beside the decoded picture.
fn resampling(job: &Job, recipe: &Recipe, decode: &DecodeOptions, layout: Layout) -> u64 {
    let plan = &job.plan;
    let stored = job.header.size;
    if plan.keeps_pixels() && recipe.trim.is_none() {
        return plan.resized.pixels() * layout.channels() as u64;
    }
    let source = match decode.at_least {
        Some(least) => Size::new(
            least.width.saturating_mul(DECODER_STEPS).min(stored.width),
            least
                .height
                .saturating_mul(DECODER_STEPS)
                .min(stored.height),
        ),
        None => stored,
    };
    let (across, down) = (
        f64::from(source.width) / f64::from(stored.width),
        f64::from(source.height) / f64::from(stored.height),
    );
    let area = Area {
        x: plan.area.x * across,
        y: plan.area.y * down,
        width: plan.area.width * across,
        height: plan.area.height * down,
    };
    let resized = if recipe.trim.is_some() {
        largest_output(job, recipe)
    } else {
        plan.resized
    };
    let deep = job.header.depth > 8;
    if recipe.profile == Profile::Fast && !deep {
        return resize::coded::bytes(source, layout, area, resized);
    }
    resize::bytes(source, layout, deep, area, resized)
}

/// The plan's output; where pixels decide what is trimmed, the largest that it may turn out to be.
fn largest_output(job: &Job, recipe: &Recipe) -> Size {
    let bounds = &recipe.bounds;
    let spelled_out = bounds.width.is_some() && bounds.height.is_some();
    if recipe.trim.is_none() || spelled_out {
        return job.output;
    }
    let limits = &job.limits;
    let stored = job.header.size;
    if bounds.enlarge {
        let square = u32::try_from(limits.pixels.isqrt()).unwrap_or(u32::MAX);
        Size::new(square, square)
    } else {
        fit::shrink_into(stored, limits.side, limits.pixels)
    }
}

/// An encoder of animations: what it works with, and up to a byte a pixel of what it has written.
fn encoded_frames(header: &Header, output: Size, options: &EncodeOptions<'_>) -> u64 {
    let written = output.pixels().saturating_mul(header.frames.into());
    codec::encode_bytes(output, options).saturating_add(written)
}
