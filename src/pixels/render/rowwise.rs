//! From a decoder's rows straight to a small picture: the decoded one is never held.

use crate::{
    pixels::{
        bitmap::{Bitmap, Layout, Samples},
        codec::{self, Cancel, Error, Header, Limits, Rowwise},
        colour,
        geometry::Size,
        ops::resize::{coded::Resampled, light::Light, stream::Cut},
        rows::{Rows, Shape, Sink, unannounced},
    },
    recipe::{Recipe, transform::Profile},
};

use super::{Job, Plan};

/// A job whose source is read row by row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Way {
    /// Bytes that decoding holds at its peak.
    decoding: u64,
    /// In which numbers it is resampled.
    profile: Profile,
}

/// Decides whether a job can do without the decoded picture.
pub(super) fn way(bytes: &[u8], header: &Header, recipe: &Recipe, moves: bool) -> Option<Way> {
    // Frames are composited on a canvas; a later page is another picture than the header's.
    if moves || header.frames != 1 {
        return None;
    }
    // The border to trim is known once the last row is.
    if recipe.trim.is_some() {
        return None;
    }
    // Interlaced, of sixteen bits, or of a format that comes otherwise: the codec knows.
    codec::rowwise_bytes(bytes, header).map(|decoding| Way {
        decoding,
        profile: recipe.profile,
    })
}

/// Bytes that are held until the small picture is there, itself included.
pub(super) fn bytes(way: Way, header: &Header, plan: &Plan) -> u64 {
    let layout = if header.alpha {
        Layout::Rgba
    } else {
        Layout::Rgb
    };
    let cut = cut(plan);
    let channels = layout.channels();
    let resampling = match way.profile {
        Profile::Fast => Resampled::bytes(&cut, channels, header.alpha),
        Profile::Fine => Light::bytes(&cut, layout),
    };
    let result = plan.resized.pixels().saturating_mul(channels as u64);
    way.decoding
        .saturating_add(resampling)
        .saturating_add(result)
}

/// What the plan cuts out, resampled, in stored orientation and the source's colours.
pub(super) fn resized(
    bytes: &[u8],
    (job, way): (&Job, Way),
    limits: &Limits,
    cancel: &Cancel,
) -> Result<Bitmap, Error> {
    let source = Rowwise::open(bytes, limits)?;
    let (layout, colour) = (source.layout, source.colour.clone());
    let cut = cut(&job.plan);
    let mut pixels = Pixels::default();
    // What keeps its size keeps its numbers.
    if way.profile == Profile::Fast || cut.as_copy().is_some() {
        let each = |_: usize, _: &Shape| cut;
        let mut resampled = Resampled::new(&each, layout.has_alpha(), &mut pixels);
        source.read(cancel, &mut resampled)?;
        resampled.finish()?;
    } else {
        let curve = colour::curve(&colour, layout);
        let mut light = Light::new(cut, layout, &curve, &mut pixels);
        source.read(cancel, &mut light)?;
        light.finish()?;
    }
    let bitmap = Bitmap {
        size: cut.size,
        layout,
        samples: Samples::U8(pixels.samples),
        colour,
    };
    let complete = bitmap.is_complete().then_some(bitmap);
    complete.ok_or_else(unannounced)
}

fn cut(plan: &Plan) -> Cut {
    Cut {
        area: plan.area,
        bounds: plan.region,
        size: plan.resized,
    }
}

/// Interleaved pixels, as many as were announced.
#[derive(Default)]
struct Pixels {
    samples: Vec<u8>,
    announced: usize,
}

impl Sink for Pixels {
    fn begin(&mut self, planes: &[Shape]) -> Result<(), Error> {
        let [shape] = planes else {
            return Err(unannounced());
        };
        let Size { height, .. } = shape.size;
        self.announced = shape.row() * height as usize;
        self.samples.reserve_exact(self.announced);
        Ok(())
    }

    fn take(&mut self, plane: usize, rows: Rows<'_>) -> Result<(), Error> {
        let more = rows.width() * rows.count();
        if plane != 0 || self.samples.len() + more > self.announced {
            return Err(unannounced());
        }
        for row in rows.iter() {
            self.samples.extend_from_slice(row);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
