//! One lossy picture to another without RGB between them: decode to rows of planes, resample each
//! as they come, turn, encode.

use std::{borrow::Cow, time::Instant};

use crate::{
    pixels::{
        bitmap::Colour,
        codec::{self, Cancel, EncodeOptions, Error, Header, Input, Limits, PlaneOptions, Wanted},
        colour,
        format::OutputFormat,
        geometry::{Area, Size, Turn},
        ops::{
            orient,
            resize::{coded::Resampled, lit::Lit, stream::Cut},
        },
        planes::{Plane, Planes, Range, Sampling},
        rows::{Kept, Shape, unannounced},
    },
    recipe::{Recipe, recipe::Effects, transform::Profile},
};

use super::{
    Job, Plan, Rendered, Stages, aim, aim::Picture, encode_options, metadata, no_larger, plan,
    still,
};

/// What the planes of a job are, from end to end.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Way {
    /// As the source has them.
    source: Sampling,
    /// As the encoder wants them; gray stays gray.
    wanted: Wanted,
    /// What their numbers mean, from end to end.
    colour: Colour,
    /// Whether they are resampled as light, not as they are coded.
    light: bool,
    /// Bytes that decoding holds at its peak.
    decoding: u64,
}

/// Decides whether a job can stay in planes.
pub(super) fn way(
    bytes: &[u8],
    header: &Header,
    recipe: &Recipe,
    (plan, format, moves): (&Plan, OutputFormat, bool),
    limits: &Limits,
) -> Option<Way> {
    // Lossless sources, alpha, inks, more than eight bits, other matrices: the codec knows.
    let source = header.planes?;
    // Frames are composited as RGBA; a later page is another picture than the header's.
    if moves || header.frames != 1 {
        return None;
    }
    // Borders and detail are looked for in RGB, and effects are defined on it.
    let looked_at = recipe.trim.is_some() || plan.window.is_some();
    if looked_at || recipe.effects != Effects::default() {
        return None;
    }
    // Corners and padding are drawn in RGB, with a colour that planes of half the resolution
    // would smear over their edge.
    if plan.degrees != 0 || plan.output != plan.turn.size(plan.resized) {
        return None;
    }
    // Encoders that do without loss, and palettes, start from RGB.
    let mut wanted = codec::wanted(&encode_options(recipe, format, None))?;
    if recipe.output.aim.is_some() {
        // Results are judged beside the colours as they were, not at half their resolution.
        wanted.sampling = Sampling::FULL;
    }
    // A profile that has to be converted is defined on RGB. (One that is kept stays valid: the
    // matrix between its RGB and these planes is the same on both ends.)
    let found = codec::colour(bytes, header, limits)?;
    let may_keep = recipe.background.is_none();
    let colour = colour::unchanged(&found, source == Sampling::Gray, may_keep)?;
    // What keeps its pixels needs no light.
    let light = recipe.profile == Profile::Fine && !plan.keeps_pixels();
    // Other curves than that of sRGB, and pictures without colour, are made light of as pixels.
    if light && (source == Sampling::Gray || colour != Colour::Srgb) {
        return None;
    }
    let mut way = Way {
        source,
        wanted,
        colour,
        light,
        decoding: 0,
    };
    way.decoding = codec::rows_bytes(bytes, header, &way.scales(plan, header), limits);
    Some(way)
}

/// Does the work. `None`: the decoder has no planes after all.
pub(super) fn render(
    source: Input<'_>,
    recipe: &Recipe,
    (job, way): (&Job, &Way),
    limits: &Limits,
    cancel: &Cancel,
) -> Result<Option<Rendered>, Error> {
    let mut stages = Stages::default();
    let (header, clock) = (&job.header, Instant::now());
    let options = way.scales(&job.plan, header);
    // Resampled as they come out of the decoder: no plane of the source is held for it.
    let cut = |plane: usize, shape: &Shape| way.cut(plane, shape, &job.plan, header.size);
    let mut kept = Kept::default();
    let range = if way.light {
        let mut lit = Lit::new(&cut, way.wanted.range, &mut kept);
        let range = codec::rows(source, header, &options, limits, cancel, &mut lit)?;
        range
            .map(|_| lit.finish())
            .transpose()?
            .map(|()| way.wanted.range)
    } else {
        let mut resampled = Resampled::new(&cut, false, &mut kept);
        let range = codec::rows(source, header, &options, limits, cancel, &mut resampled)?;
        range
            .map(|range| resampled.finish().map(|()| range))
            .transpose()?
    };
    let Some(range) = range else {
        return Ok(None);
    };
    stages.decode = clock.elapsed();

    let clock = Instant::now();
    let planes = way.finished(kept.finish()?, range, job.plan.turn)?;
    stages.transform = clock.elapsed();
    cancel.check()?;

    let clock = Instant::now();
    let exif = metadata::kept(source.bytes(), header, recipe.output.metadata, limits);
    let options = encode_options(recipe, job.format, exif.as_deref());
    let size = planes.luma.size;
    let picture = Picture::Planes(Cow::Owned(planes));
    let (encoded, quality) = match aim(job, recipe, size) {
        Some(aim) => {
            let found = aim::encode(&picture, &options, aim, cancel)?;
            (found.bytes, Some(found.quality))
        }
        None => (picture.encode(&options, cancel)?, None),
    };
    let encoded = no_larger(source.bytes(), recipe, job, encoded);
    stages.encode = clock.elapsed();
    Ok(Some(Rendered {
        bytes: encoded,
        format: job.format,
        size,
        quality,
        stages,
    }))
}

/// Bytes that the work holds at its peak.
pub(super) fn peak(job: &Job, way: &Way, options: &EncodeOptions<'_>, trials: u64) -> u64 {
    let (plan, stored) = (&job.plan, job.header.size);
    let resampler = |area, size| {
        // As if nothing were scaled while it is decoded: what it is then, the decoder knows.
        let cut = Cut {
            area,
            ..Cut::whole(stored, size)
        };
        Resampled::bytes(&cut, 1, false)
    };
    let chroma = way.chroma(plan);
    let resamplers = resampler(plan.area, plan.resized)
        + chroma
            .as_ref()
            .map_or(0, |placed| 2 * resampler(placed.area, placed.size));
    let planes = plan.resized.pixels() + chroma.map_or(0, |placed| 2 * placed.size.pixels());
    // One plane at a time is turned, which makes a copy of it.
    let turning = if plan.turn == Turn::NONE {
        0
    } else {
        plan.resized.pixels()
    };
    let resampling = way
        .decoding
        .saturating_add(resamplers)
        .saturating_add(planes);
    // An encoder that wants less colour than trials do has a copy of its own.
    let copy = if trials == 0 { 0 } else { planes };
    let encoding = codec::encode_bytes(job.output, false, options)
        .saturating_add(copy)
        .max(trials)
        .saturating_add(planes);
    resampling.max(encoding).max(planes.saturating_add(turning))
}

/// A colour plane of the result, sides as stored, and what of the source it covers.
struct Placed {
    size: Size,
    /// In pixels as stored. May reach beyond them: half of the last sample of an odd side does.
    area: Area,
}

impl Way {
    /// Samples a side that the decoder must leave for each of the result.
    pub(super) fn oversampling(&self) -> f64 {
        if self.light {
            plan::FINE_OVERSAMPLING
        } else {
            plan::FAST_OVERSAMPLING
        }
    }

    /// The scales to decode at: each plane as far as its own result allows.
    fn scales(&self, plan: &Plan, header: &Header) -> PlaneOptions {
        let stored = header.size;
        let margin = self.oversampling();
        let chroma = self.source.chroma(stored).zip(self.chroma(plan));
        PlaneOptions {
            luma_at_least: plan.at_least(stored, margin),
            chroma_at_least: chroma
                .filter(|_| !plan.keeps_pixels())
                .and_then(|(own, placed)| {
                    let across = f64::from(own.width) / f64::from(stored.width);
                    let down = f64::from(own.height) / f64::from(stored.height);
                    let extent = (placed.area.width * across, placed.area.height * down);
                    plan::at_least(own, placed.size, extent, margin)
                }),
        }
    }

    /// Where the colour planes of the result are taken from.
    fn chroma(&self, plan: &Plan) -> Option<Placed> {
        if self.source == Sampling::Gray {
            return None;
        }
        let turned = self.wanted.sampling.chroma(plan.turn.size(plan.resized))?;
        let size = plan.turn.size(turned);
        let Sampling::Colour { across, down } = self.wanted.sampling else {
            return None;
        };
        let turn = plan.turn;
        // Sides as stored.
        let (across, down, mirror_x, mirror_y) = if turn.transpose {
            (down, across, turn.mirror_y, turn.mirror_x)
        } else {
            (across, down, turn.mirror_x, turn.mirror_y)
        };
        let axis =
            |start: f64, extent: f64, resized: u32, samples: u32, each: u32, mirror: bool| {
                let pixel = extent / f64::from(resized);
                let covered = samples * each;
                // The last sample is the one that hangs over the edge, and a mirror makes it the first.
                let before = if mirror { covered - resized } else { 0 };
                (
                    start - f64::from(before) * pixel,
                    f64::from(covered) * pixel,
                )
            };
        let (area, resized) = (plan.area, plan.resized);
        let (x, width) = axis(
            area.x,
            area.width,
            resized.width,
            size.width,
            across,
            mirror_x,
        );
        let (y, height) = axis(
            area.y,
            area.height,
            resized.height,
            size.height,
            down,
            mirror_y,
        );
        Some(Placed {
            size,
            area: Area {
                x,
                y,
                width,
                height,
            },
        })
    }

    /// What becomes of a plane that the decoder gives.
    fn cut(&self, plane: usize, shape: &Shape, plan: &Plan, stored: Size) -> Cut {
        let chroma = (plane > 0).then(|| self.chroma(plan)).flatten();
        let (area, size) = chroma.map_or((plan.area, plan.resized), |placed| {
            (placed.area, placed.size)
        });
        let across = shape.extent.0 / f64::from(stored.width);
        let down = shape.extent.1 / f64::from(stored.height);
        Cut {
            area: Area {
                x: area.x * across,
                y: area.y * down,
                width: area.width * across,
                height: area.height * down,
            },
            // Whole blocks are decoded; what lies beyond the picture is nobody's business.
            bounds: still::covered(plan.region, across, down, drawn(shape)),
            size,
        }
    }

    /// Turned, and as the encoder wants them.
    fn finished(&self, planes: Vec<Plane>, range: Range, turn: Turn) -> Result<Planes, Error> {
        let mut planes = planes.into_iter().map(|plane| orient::plane(plane, turn));
        let luma = planes.next().ok_or_else(unannounced)?;
        // Of light, colour is made as fine as luma.
        let (across, down) = match self.wanted.sampling {
            Sampling::Colour { across, down } if self.light => (across, down),
            _ => (1, 1),
        };
        let mut chroma = planes.map(|plane| plane.coarser(across, down));
        let chroma = chroma.next().zip(chroma.next());
        let planes = Planes {
            luma,
            chroma: chroma.map(|(blue, red)| [blue, red]),
            range,
            colour: self.colour.clone(),
        };
        Ok(planes.spanning(self.wanted.range))
    }
}

/// Samples of a plane that the picture touches.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "positive, and at most the size"
)]
fn drawn(plane: &Shape) -> Size {
    let side = |extent: f64, side: u32| (extent.ceil() as u32).clamp(1, side);
    Size::new(
        side(plane.extent.0, plane.size.width),
        side(plane.extent.1, plane.size.height),
    )
}

#[cfg(test)]
mod tests;
