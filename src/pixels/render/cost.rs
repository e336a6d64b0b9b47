//! How many bytes a job will hold at its peak: what the budget is asked for.

use crate::{
    pixels::{
        bitmap::Layout,
        codec::{self, DecodeOptions, EncodeOptions},
        format::OutputFormat,
        geometry::{Area, Size, fit},
        ops::resize,
    },
    recipe::{Recipe, recipe::Effects, transform::Profile},
};

use super::{Job, aim, decode_options, encode_options, planar, rowwise, still};

/// A decoder that scales in eighths may leave up to this many times what it was asked for, a side.
const DECODER_STEPS: u32 = 2;

/// Planes of one blurred channel, its alpha and their scratch, in bytes a pixel.
const BLUR_BYTES: u64 = 16;

/// Finished frames that an animation holds beside its encoder: one, and the one before.
const SHOWN: u64 = 2;

/// The largest moment of the job: while the decoded picture is resized, or while the small one is
/// worked on and encoded.
pub(super) fn peak(job: &Job, recipe: &Recipe) -> u64 {
    let header = &job.header;
    if let Some(way) = &job.planar {
        let trials = trials(job, recipe, job.output, false);
        return planar::peak(job, way, &costliest(job, recipe), trials);
    }
    let decode = decode_options(job, recipe);
    let encode = costliest(job, recipe);
    let layout = if header.alpha {
        Layout::Rgba
    } else {
        Layout::Rgb
    };
    let resampling = resampling(job, recipe, &decode, layout);
    let output = largest_output(job, recipe);
    let alpha = header.alpha || may_uncover(job, recipe);
    let channels = if alpha { 4 } else { 3 };
    let raster = output.pixels().saturating_mul(channels);
    let working = working(job, recipe, raster, channels);
    if job.moves {
        let encoder = codec::frame_bytes(output, alpha, &encode);
        let written = codec::written_bytes(output, alpha, &encode);
        let written = written.saturating_mul(header.frames.into());
        return codec::frames_bytes(header)
            .saturating_add(resampling.max(working).max(encoder))
            .saturating_add(raster.saturating_mul(SHOWN))
            .saturating_add(seen(job, output, channels))
            .saturating_add(written);
    }
    let decoding = match job.rowwise {
        Some(way) => rowwise::bytes(way, header, &job.plan),
        None => codec::decode_bytes(header, &decode).saturating_add(resampling),
    };
    let encoding = codec::encode_bytes(output, alpha, &encode)
        .max(trials(job, recipe, output, alpha))
        .saturating_add(raster);
    decoding.max(working).max(encoding)
}

/// How the result is encoded; where a quality is looked for, at the one that takes most.
fn costliest(job: &Job, recipe: &Recipe) -> EncodeOptions<'static> {
    let options = encode_options(recipe, job.format, None);
    let quality = match aim(job, recipe, job.output) {
        Some(aim) => aim::most(aim.score),
        None => options.quality,
    };
    EncodeOptions { quality, ..options }
}

/// What looking for a quality holds beside the finished pixels.
fn trials(job: &Job, recipe: &Recipe, output: Size, alpha: bool) -> u64 {
    if aim(job, recipe, output).is_none() {
        return 0;
    }
    let options = costliest(job, recipe);
    let alpha = alpha && job.format.has_alpha();
    let planar = job.planar.is_some();
    let bytes = |size| aim::bytes(size, (alpha, planar), &options);
    if recipe.trim.is_none() {
        return bytes(output);
    }
    // What is smaller than it may turn out to be is tried as a whole.
    let whole = fit::shrink_into(output, job.limits.side, aim::TRIED_PIXELS);
    bytes(output).max(bytes(whole))
}

/// What the finished pixels take while they are worked on: each operation makes one raster of
/// another.
fn working(job: &Job, recipe: &Recipe, raster: u64, channels: u64) -> u64 {
    let resized = job.plan.resized.pixels().saturating_mul(channels);
    let effects = if recipe.effects == Effects::default() {
        0
    } else {
        job.output.pixels().saturating_mul(BLUR_BYTES)
    };
    resized
        .max(raster)
        .saturating_add(raster)
        .saturating_add(effects)
}

/// Whether pixels come in that show what is behind the picture.
fn may_uncover(job: &Job, recipe: &Recipe) -> bool {
    let opaque = recipe.background.is_some_and(|[.., alpha]| alpha == 255);
    let plan = &job.plan;
    let around = plan.degrees != 0 || plan.pad != [0; 4] || plan.canvas != plan.resized;
    job.format.has_alpha() && !opaque && around
}

/// What a resize holds beside the decoded picture.
fn resampling(job: &Job, recipe: &Recipe, decode: &DecodeOptions, layout: Layout) -> u64 {
    let plan = &job.plan;
    let stored = job.header.size;
    if plan.keeps_pixels() && recipe.trim.is_none() {
        // Cut out, or converted.
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
    let coded = recipe.profile == Profile::Fast || still::keeps_numbers(job.header.format);
    if coded && !deep {
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

/// What the encoder of WebP keeps from frame to frame: what is seen, and planes of the last one.
fn seen(job: &Job, output: Size, channels: u64) -> u64 {
    match job.format {
        OutputFormat::WebP => output.pixels().saturating_mul(channels + 2),
        _ => 0,
    }
}
