//! Animations: frame by frame, never more than a few of them in memory.

use std::time::Instant;

use crate::{
    pixels::{
        bitmap::Bitmap,
        codec::{self, Cancel, Error, Frame, FrameReader, Limits},
        format::OutputFormat,
        geometry::Rect,
    },
    recipe::Recipe,
};

use super::{
    Job, Rendered, Stages, encode_options, is_servable, metadata, no_larger, replanned, still,
};

/// All frames of a source. What the first one decides (where to trim, what to crop to) holds for
/// all of them, or the picture would jump. A frame that is damaged ends the animation, if there is
/// one before it.
pub(super) fn render(
    source: &[u8],
    recipe: &Recipe,
    job: &Job,
    limits: &Limits,
    cancel: &Cancel,
) -> Result<Rendered, Error> {
    let clock = Instant::now();
    let mut reader = codec::frames(source, &job.header, limits)?;
    let mut next = reader.next_frame(cancel)?;
    let mut stages = Stages {
        decode: clock.elapsed(),
        ..Stages::default()
    };
    let Some(first) = &next else {
        return Err(Error::Broken {
            cause: "an animation without frames".to_owned(),
        });
    };
    let servable = is_servable(&first.bitmap);
    let job = replanned(job, recipe, &first.bitmap, false, limits)?;
    let exif = metadata::kept(source, &job.header, recipe.output.metadata, limits);
    let options = encode_options(recipe, job.format, exif.as_deref());
    let mut writer = codec::animation(job.output, reader.loops(), &options)?;
    let mut shown = Shown::default();
    let mut window = None;
    while let Some(frame) = next {
        let clock = Instant::now();
        let bitmap = transformed(frame.bitmap, recipe, &job, &mut window, cancel)?;
        stages.transform += clock.elapsed();

        let clock = Instant::now();
        let frame = Frame {
            bitmap,
            delay: frame.delay,
        };
        if let Some(finished) = shown.follow(frame) {
            writer.push(&finished, cancel)?;
        }
        stages.encode += clock.elapsed();

        let clock = Instant::now();
        next = following(reader.as_mut(), cancel)?;
        stages.decode += clock.elapsed();
    }
    let clock = Instant::now();
    if let Some(last) = shown.0 {
        writer.push(&last, cancel)?;
    }
    let bytes = writer.finish()?;
    let bytes = if servable {
        no_larger(source, recipe, &job, bytes)
    } else {
        bytes
    };
    stages.encode += clock.elapsed();
    Ok(Rendered {
        bytes,
        format: job.format,
        size: job.output,
        quality: None,
        stages,
    })
}

fn following(reader: &mut dyn FrameReader, cancel: &Cancel) -> Result<Option<Frame>, Error> {
    match reader.next_frame(cancel) {
        Err(Error::Broken { .. }) => Ok(None),
        next => next,
    }
}

/// One frame, with the window of the first.
fn transformed(
    bitmap: Bitmap,
    recipe: &Recipe,
    job: &Job,
    window: &mut Option<Rect>,
    cancel: &Cancel,
) -> Result<Bitmap, Error> {
    cancel.check()?;
    if !bitmap.is_complete() || bitmap.size != job.header.size {
        return Err(Error::Broken {
            cause: "a frame is not as large as the canvas".to_owned(),
        });
    }
    // Frames share one colour space; none of the formats that move carries more than a profile.
    let (header, plan, profile) = (&job.header, &job.plan, recipe.profile);
    // Many files may be transparent and never are; what is not, need not be weighted.
    let alpha = bitmap.layout.has_alpha();
    let bitmap = bitmap.without_idle_alpha();
    let mut raster = still::sampled(bitmap, header, plan, profile, false, cancel)?;
    if alpha && job.format != OutputFormat::WebP {
        // The others want frames of one kind.
        raster = raster.expanded(false, true);
    }
    if window.is_none() {
        *window = job
            .plan
            .window
            .map(|size| still::placed(&raster, size, recipe));
    }
    let raster = still::finished(raster, *window, &job.plan, recipe, job.format, cancel)?;
    Ok(raster.into_bitmap())
}

/// The frame that is shown, until it is known how long.
#[derive(Default)]
struct Shown(Option<Frame>);

impl Shown {
    /// Takes the next frame, and gives the one before it: unless they look alike, in which case
    /// the one before stands for both.
    fn follow(&mut self, next: Frame) -> Option<Frame> {
        match &mut self.0 {
            Some(shown) if shown.bitmap == next.bitmap => {
                shown.delay = shown.delay.saturating_add(next.delay);
                None
            }
            shown => shown.replace(next),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::pixels::{
        bitmap::{Colour, Layout, Samples},
        geometry::Size,
    };

    fn frame(shade: u8, delay: u64) -> Frame {
        Frame {
            bitmap: Bitmap {
                size: Size::new(1, 1),
                layout: Layout::Gray,
                samples: Samples::U8(vec![shade]),
                colour: Colour::Srgb,
            },
            delay: Duration::from_millis(delay),
        }
    }

    #[test]
    fn frames_that_look_alike_become_one() {
        let mut shown = Shown::default();
        assert_eq!(shown.follow(frame(1, 10)), None);
        assert_eq!(shown.follow(frame(1, 20)), None);
        assert_eq!(shown.follow(frame(2, 30)), Some(frame(1, 30)));
        assert_eq!(shown.follow(frame(1, 40)), Some(frame(2, 30)));
        assert_eq!(shown.0, Some(frame(1, 40)));
    }
}
