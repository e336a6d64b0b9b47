//! Source bytes and a recipe → encoded bytes: probe, plan, decode, operate, encode.
//!
//! The order of the operations, each of which is skipped where nothing is asked of it: cut out and
//! resample (as stored), convert colour, turn upright, crop by detail, turn by odd degrees, mirror,
//! blur, sharpen and adjust, put on the canvas of the fit, pad, flatten. All but the first work on
//! the small picture. Whatever the source's depth, eight bits are written.

mod aim;
mod choice;
mod cost;
mod drawing;
#[cfg(test)]
mod end_to_end {
    mod tests;
}
mod metadata;
mod motion;
pub mod plan;
mod planar;
mod rowwise;
mod still;

use std::{
    borrow::Cow,
    time::{Duration, Instant},
};

use super::{
    bitmap::{Bitmap, Colour, Layout, Raster},
    codec::{self, Cancel, DecodeOptions, Effort, EncodeOptions, Header, Input, Limits},
    format::OutputFormat,
    geometry::{Rect, Size},
};
use crate::recipe::{
    Recipe,
    recipe::{Effects, Frames},
    transform::{Metadata, Profile},
};
pub use plan::Plan;

/// What a picture may cost to write. Checked before the output is allocated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputLimits {
    /// Width or height.
    pub side: u32,
    /// Width × height.
    pub pixels: u64,
    /// Width × height of an AVIF; larger ones fall back to the next format.
    pub avif_pixels: u64,
    /// That looking for the quality of a picture may add; zero: nothing is looked for.
    pub auto_quality_time: Duration,
}

impl Default for OutputLimits {
    fn default() -> Self {
        Self {
            side: 8192,
            pixels: 16_777_216,
            avif_pixels: 4_194_304,
            auto_quality_time: Duration::from_millis(150),
        }
    }
}

/// A job that is understood and admitted by the limits, but has not decoded a pixel.
#[derive(Clone, Debug)]
pub struct Job {
    /// What the source is.
    pub header: Header,
    /// What will be written.
    pub format: OutputFormat,
    /// How large. Where the recipe trims, as if nothing were trimmed: pixels decide that later.
    pub output: Size,
    /// Bytes that the job will hold at its peak, the source itself left out; errs high.
    pub peak_bytes: u64,
    /// Whether all frames are written.
    pub moves: bool,
    /// The frame or page to decode, where not all are.
    pub page: u32,
    /// Where pixels come from and go to.
    pub plan: Plan,
    /// What the result may cost.
    pub limits: OutputLimits,
    /// Whether the source has to be in memory as a whole. If not, its [head](codec::head) and what
    /// follows as it is read will do.
    pub needs_whole: bool,
    /// Where to begin to look for a quality: what was found for the same picture at another size.
    /// `None`: at the mean of photographs. Whoever knows one puts it in.
    pub hint: Option<u8>,
    /// Where no RGB is needed between decoder and encoder.
    planar: Option<planar::Way>,
    /// Where the decoded picture is never held.
    rowwise: Option<rowwise::Way>,
}

impl Job {
    /// The job in words and numbers, for `?explain`.
    #[must_use]
    pub fn describe(&self) -> serde_json::Value {
        serde_json::json!({
            "source": {
                "format": format!("{:?}", self.header.format).to_lowercase(),
                "width": self.header.size.width,
                "height": self.header.size.height,
                "orientation": self.header.orientation,
                "frames": self.header.frames,
                "animated": self.header.animated,
                "alpha": self.header.alpha,
                "depth": self.header.depth,
                "lossless": self.header.lossless,
            },
            "plan": self.plan,
            "decode_at_least": self.plan.at_least(self.header.size, self.oversampling()),
            "planes": self.planar.is_some(),
            "rows": self.rowwise.is_some(),
            "output": {
                "format": self.format.name(),
                "width": self.output.width,
                "height": self.output.height,
                "animated": self.moves,
            },
            "peak_bytes": self.peak_bytes,
        })
    }

    fn oversampling(&self) -> f64 {
        match &self.planar {
            Some(way) => way.oversampling(),
            None => plan::OVERSAMPLING,
        }
    }
}

/// [`prepare`], as a value.
pub type Prepare = fn(&[u8], &Recipe, &Limits, &OutputLimits) -> Result<Job, codec::Error>;

/// [`render`], as a value.
pub type Render = fn(Input<'_>, &Recipe, &Job, &Limits, &Cancel) -> Result<Rendered, codec::Error>;

/// Who makes pictures. The default is this module; another may stand in front of it, as a test
/// does that wants a codec to fail.
#[derive(Clone, Copy, Debug)]
pub struct Engine {
    /// Reads the header and plans.
    pub prepare: Prepare,
    /// Does the work.
    pub render: Render,
}

impl Default for Engine {
    fn default() -> Self {
        Self { prepare, render }
    }
}

/// A finished encoding.
#[derive(Clone, Debug)]
pub struct Rendered {
    /// The encoded picture.
    pub bytes: Vec<u8>,
    /// What it is.
    pub format: OutputFormat,
    /// How large.
    pub size: Size,
    /// The quality that was found, where one was looked for.
    pub quality: Option<u8>,
    /// Where the time went.
    pub stages: Stages,
}

/// Where a job's time went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stages {
    /// Bytes to pixels. Planes that are resampled while they are decoded are so here.
    pub decode: Duration,
    /// Pixels to other pixels.
    pub transform: Duration,
    /// Pixels to bytes.
    pub encode: Duration,
}

/// Reads the header and plans the work; allocates nothing of the picture's size.
///
/// # Errors
/// As [`codec::Error`]: no picture, damaged, or over a limit.
pub fn prepare(
    source: &[u8],
    recipe: &Recipe,
    limits: &Limits,
    output: &OutputLimits,
) -> Result<Job, codec::Error> {
    let header = codec::probe(source, limits)?;
    job(source, header, recipe, limits, output)
}

/// Does the work of a [`Job`].
///
/// # Errors
/// As [`codec::Error`]; [`codec::Error::Broken`] also for the head of a source where the job
/// [needs the whole](Job::needs_whole).
pub fn render(
    source: Input<'_>,
    recipe: &Recipe,
    job: &Job,
    limits: &Limits,
    cancel: &Cancel,
) -> Result<Rendered, codec::Error> {
    cancel.check()?;
    if job.needs_whole && matches!(source, Input::Head(..)) {
        return Err(codec::Error::broken("only its head is there"));
    }
    let recipe = &*drawing::recipe(recipe, job.header.format);
    if job.moves {
        return motion::render(source.bytes(), recipe, job, limits, cancel);
    }
    if let Some(way) = &job.planar
        && let Some(rendered) = planar::render(source, recipe, (job, way), limits, cancel)?
    {
        return Ok(rendered);
    }
    still(source.bytes(), recipe, job, limits, cancel)
}

/// The job of a source whose header is known.
fn job(
    source: &[u8],
    header: Header,
    recipe: &Recipe,
    limits: &Limits,
    outputs: &OutputLimits,
) -> Result<Job, codec::Error> {
    let recipe = &*drawing::recipe(recipe, header.format);
    let page = match recipe.frames {
        Frames::All => 0,
        Frames::One(page) if page < header.frames => page,
        Frames::One(page) => {
            return Err(codec::Error::Limit(format!(
                "has {} frames or pages, and number {} was asked for",
                header.frames,
                u64::from(page) + 1
            )));
        }
    };
    let plan = plan::plan(header.size, header.orientation, recipe, None, outputs)?;
    let (header, plan) = drawing::sized(header, plan, recipe, outputs);
    let choice = choice::choose(&header, recipe, plan.output, limits, outputs);
    let found = (&plan, choice.format, choice.moves);
    let planar = planar::way(source, &header, recipe, found, limits);
    let rowwise = match planar {
        Some(_) => None,
        None => rowwise::way(source, &header, recipe, choice.moves),
    };
    let mut job = Job {
        planar,
        rowwise,
        format: choice.format,
        output: plan.output,
        peak_bytes: 0,
        moves: choice.moves,
        page,
        plan,
        limits: *outputs,
        needs_whole: true,
        hint: None,
        header,
    };
    // What is only encoded anew may leave as it came, and pixels are decoded by those who look back.
    job.needs_whole = job.planar.is_none() || only_encodes(recipe, &job);
    job.peak_bytes = cost::peak(&job, recipe);
    Ok(job)
}

fn still(
    source: &[u8],
    recipe: &Recipe,
    job: &Job,
    limits: &Limits,
    cancel: &Cancel,
) -> Result<Rendered, codec::Error> {
    let mut stages = Stages::default();
    let clock = Instant::now();
    let made = if let Some(way) = job.rowwise {
        let bitmap = rowwise::resized(source, (job, way), limits, cancel)?;
        // To decode and to resample is one here.
        stages.decode = clock.elapsed();
        let clock = Instant::now();
        let servable = is_servable(&bitmap);
        let bitmap = bitmap.without_idle_alpha();
        let raster = still::shrunk(bitmap, &job.plan, recipe, job.format, cancel)?;
        stages.transform = clock.elapsed();
        Made {
            raster,
            servable,
            job: job.clone(),
        }
    } else {
        let options = decode_options(job, recipe);
        let bitmap = codec::decode(source, &job.header, &options, limits, cancel)?;
        let bitmap = bitmap.without_idle_alpha();
        stages.decode = clock.elapsed();
        let clock = Instant::now();
        let job = replanned(job, recipe, &bitmap, options.at_least.is_some(), limits)?;
        let servable = is_servable(&bitmap);
        let raster = still::picture(bitmap, &job.header, &job.plan, recipe, job.format, cancel)?;
        stages.transform = clock.elapsed();
        Made {
            raster,
            servable,
            job,
        }
    };
    cancel.check()?;
    written(source, recipe, made, stages, limits, cancel)
}

/// A finished picture, and what it was made by.
struct Made {
    raster: Raster,
    /// Whether browsers show the source as we would.
    servable: bool,
    job: Job,
}

fn written(
    source: &[u8],
    recipe: &Recipe,
    made: Made,
    stages: Stages,
    limits: &Limits,
    cancel: &Cancel,
) -> Result<Rendered, codec::Error> {
    let clock = Instant::now();
    let (job, size) = (&made.job, made.raster.size);
    let exif = metadata::kept(source, &job.header, recipe.output.metadata, limits);
    let options = encode_options(recipe, job.format, exif.as_deref());
    let bitmap = made.raster.into_bitmap();
    let (bytes, quality) = match aim(job, recipe, size) {
        Some(aim) => {
            let picture = aim::Picture::Bitmap(Cow::Borrowed(&bitmap));
            let found = aim::encode(&picture, &options, aim, cancel)?;
            (found.bytes, Some(found.quality))
        }
        None => (codec::encode(&bitmap, &options, cancel)?, None),
    };
    let bytes = if made.servable {
        no_larger(source, recipe, job, bytes)
    } else {
        bytes
    };
    Ok(Rendered {
        bytes,
        format: job.format,
        size,
        quality,
        stages: Stages {
            encode: clock.elapsed(),
            ..stages
        },
    })
}

/// What the quality of a still is looked for by, if it is.
fn aim(job: &Job, recipe: &Recipe, size: Size) -> Option<aim::Aim> {
    let score = recipe.output.aim?;
    let time = job.limits.auto_quality_time;
    let applies = aim::applies(job.format, recipe.output.lossless, size);
    (applies && !job.moves && !time.is_zero()).then_some(aim::Aim {
        score,
        start: job.hint.unwrap_or(recipe.output.quality),
        time,
    })
}

/// How the source is decoded. Trimming looks at every pixel of the border, so it needs them all:
/// `trim` costs a decode of the whole size.
fn decode_options(job: &Job, recipe: &Recipe) -> DecodeOptions {
    DecodeOptions {
        page: job.page,
        at_least: match recipe.trim {
            Some(_) => None,
            None => job.plan.at_least(job.header.size, plan::OVERSAMPLING),
        },
    }
}

fn encode_options<'a>(
    recipe: &Recipe,
    format: OutputFormat,
    exif: Option<&'a [u8]>,
) -> EncodeOptions<'a> {
    EncodeOptions {
        format,
        quality: recipe.output.quality,
        lossless: recipe.output.lossless,
        progressive: recipe.output.progressive,
        effort: match recipe.profile {
            Profile::Fast => Effort::Quick,
            Profile::Fine => Effort::Thorough,
        },
        exif,
    }
}

/// The job with what only pixels tell: the border to trim, and the size of a page that has
/// another than the first.
fn replanned(
    job: &Job,
    recipe: &Recipe,
    bitmap: &Bitmap,
    scaled: bool,
    limits: &Limits,
) -> Result<Job, codec::Error> {
    if !bitmap.is_complete() {
        return Err(codec::Error::Broken {
            cause: "the decoder gave fewer samples than pixels".to_owned(),
        });
    }
    let mut job = job.clone();
    if !scaled {
        job.header.size = bitmap.size;
    }
    let header = &job.header;
    let trimmed = match recipe.trim {
        Some(tolerance) => Some(trimmed(bitmap, header, recipe, tolerance)?),
        None if header.size == bitmap.size && !scaled => None,
        None => return Ok(job),
    };
    job.plan = plan::plan(
        header.size,
        header.orientation,
        recipe,
        trimmed,
        &job.limits,
    )?;
    job.output = job.plan.output;
    if !job.moves {
        job.format = choice::choose(header, recipe, job.output, limits, &job.limits).format;
    }
    Ok(job)
}

fn trimmed(
    bitmap: &Bitmap,
    header: &Header,
    recipe: &Recipe,
    tolerance: u8,
) -> Result<Rect, codec::Error> {
    let upright = plan::upright(header.orientation, recipe);
    let region = plan::region(bitmap.size, upright, recipe.rect)?;
    let corner = plan::corner(region, upright);
    Ok(super::ops::trim::inner(bitmap, region, corner, tolerance))
}

/// Whether browsers show such pixels as we would: not all manage inks, and HDR is tone-mapped here.
fn is_servable(bitmap: &Bitmap) -> bool {
    bitmap.layout != Layout::Cmyk && matches!(bitmap.colour, Colour::Srgb | Colour::Icc(_))
}

/// Where nothing was asked for but to be encoded anew in the same format, and that did not pay:
/// the source, without its metadata.
fn no_larger(source: &[u8], recipe: &Recipe, job: &Job, bytes: Vec<u8>) -> Vec<u8> {
    if bytes.len() < source.len() || !only_encodes(recipe, job) {
        return bytes;
    }
    match codec::strip(source, &job.header) {
        Some(stripped) if stripped.len() < bytes.len() => stripped,
        _ => bytes,
    }
}

fn only_encodes(recipe: &Recipe, job: &Job) -> bool {
    let header = &job.header;
    job.plan.changes_nothing(header.size)
        && header.orientation == 1
        && choice::own(header.format) == Some(job.format)
        && recipe.effects == Effects::default()
        && recipe.background.is_none()
        && recipe.output.metadata == Metadata::None
        && (job.moves || header.frames == 1)
}

#[cfg(test)]
pub(in crate::pixels) mod tests {
    use super::*;
    use crate::{
        pixels::{
            format::InputFormat,
            geometry::{Fit, Gravity, Length, Share},
        },
        recipe::{
            negotiate::Accepts,
            recipe::{Bounds, FormatChoice, Output},
            transform::{Flip, Orient, Profile},
        },
    };

    /// A recipe that asks for nothing.
    pub(in crate::pixels) fn recipe() -> Recipe {
        Recipe {
            rect: None,
            trim: None,
            orient: Orient::Auto,
            bounds: Bounds {
                width: None,
                height: None,
                aspect_ratio: None,
                max_width: None,
                max_height: None,
                dpr: 1000,
                fit: Fit::Inside,
                gravity: Gravity::Point {
                    x: Share::HALF,
                    y: Share::HALF,
                },
                enlarge: false,
            },
            pad: [0; 4],
            background: None,
            rotate: 0,
            flip: Flip::default(),
            effects: Effects::default(),
            frames: Frames::All,
            profile: Profile::Fast,
            output: Output {
                format: FormatChoice {
                    preferred: Accepts::default(),
                    fallback: None,
                },
                quality: 80,
                aim: None,
                lossless: false,
                progressive: false,
                metadata: Metadata::None,
            },
        }
    }

    /// A recipe that asks for this.
    pub(in crate::pixels) fn asking(change: impl FnOnce(&mut Recipe)) -> Recipe {
        let mut recipe = recipe();
        change(&mut recipe);
        recipe
    }

    /// The header of a still of 800 × 600.
    pub(in crate::pixels) fn header(format: InputFormat) -> Header {
        Header {
            format,
            size: Size::new(800, 600),
            orientation: 1,
            frames: 1,
            animated: false,
            alpha: false,
            depth: 8,
            lossless: !matches!(format, InputFormat::Jpeg | InputFormat::Avif),
            held_bytes: 0,
            planes: None,
        }
    }

    pub(in crate::pixels) fn job_of(header: Header, recipe: &Recipe) -> Job {
        job(
            &[],
            header,
            recipe,
            &Limits::default(),
            &OutputLimits::default(),
        )
        .unwrap()
    }

    #[test]
    fn a_page_that_is_not_there_is_refused() {
        let page = |page| {
            let recipe = asking(|recipe| recipe.frames = Frames::One(page));
            let header = Header {
                frames: 3,
                ..header(InputFormat::Tiff)
            };
            job(
                &[],
                header,
                &recipe,
                &Limits::default(),
                &OutputLimits::default(),
            )
        };
        assert_eq!(page(2).unwrap().page, 2);
        let error = page(3).unwrap_err().to_string();
        assert_eq!(
            error,
            "the picture has 3 frames or pages, and number 4 was asked for"
        );
    }

    #[track_caller]
    fn check_only_encodes(recipe: &Recipe, header: Header, expected: bool) {
        assert_eq!(only_encodes(recipe, &job_of(header, recipe)), expected);
    }

    #[test]
    fn the_source_may_stand_in_only_where_nothing_is_changed() {
        let jpeg = || header(InputFormat::Jpeg);
        let only = |change: fn(&mut Recipe), expected| {
            check_only_encodes(&asking(change), jpeg(), expected);
        };
        only(|_| (), true);
        only(|recipe| recipe.output.quality = 30, true);
        only(
            |recipe| recipe.bounds.width = Some(Length::Pixels(800)),
            true,
        );
        only(
            |recipe| recipe.bounds.width = Some(Length::Pixels(2000)),
            true,
        );
        only(
            |recipe| recipe.bounds.width = Some(Length::Pixels(799)),
            false,
        );
        only(|recipe| recipe.flip.vertical = true, false);
        only(|recipe| recipe.rotate = 10, false);
        only(|recipe| recipe.pad = [0, 0, 0, 1], false);
        only(|recipe| recipe.effects.blur = 1, false);
        only(|recipe| recipe.background = Some([255; 4]), false);
        only(|recipe| recipe.output.metadata = Metadata::All, false);
        only(
            |recipe| recipe.output.format.fallback = Some(OutputFormat::Png),
            false,
        );
        let turned = Header {
            orientation: 3,
            ..jpeg()
        };
        check_only_encodes(&recipe(), turned, false);
        check_only_encodes(&recipe(), header(InputFormat::Tiff), false);
    }

    #[test]
    fn a_bitmap_of_another_size_is_planned_anew() {
        let recipe = asking(|recipe| recipe.bounds.width = Some(Length::Pixels(50)));
        let bitmap = Bitmap {
            size: Size::new(100, 10),
            layout: Layout::Gray,
            samples: crate::pixels::bitmap::Samples::U8(vec![0; 1000]),
            colour: Colour::Srgb,
        };
        let job = job_of(header(InputFormat::Tiff), &recipe);
        let job = replanned(&job, &recipe, &bitmap, false, &Limits::default()).unwrap();
        assert_eq!(job.output, Size::new(50, 5));
    }

    #[test]
    fn a_trimmed_picture_is_planned_anew() {
        let recipe = asking(|recipe| recipe.trim = Some(0));
        let mut samples = vec![9; 100];
        samples[33] = 1;
        samples[44] = 1;
        let bitmap = Bitmap {
            size: Size::new(10, 10),
            layout: Layout::Gray,
            samples: crate::pixels::bitmap::Samples::U8(samples),
            colour: Colour::Srgb,
        };
        let header = Header {
            size: bitmap.size,
            ..header(InputFormat::Png)
        };
        let job = replanned(
            &job_of(header, &recipe),
            &recipe,
            &bitmap,
            false,
            &Limits::default(),
        )
        .unwrap();
        assert_eq!(job.output, Size::new(2, 2));
        assert_eq!((job.plan.region.x, job.plan.region.y), (3, 3));
    }

    #[test]
    fn a_job_can_be_read() {
        let job = job_of(
            header(InputFormat::Jpeg),
            &asking(|recipe| recipe.bounds.width = Some(Length::Pixels(80))),
        );
        let described = job.describe();
        assert_eq!(described["output"]["height"], 60);
        assert_eq!(described["decode_at_least"]["width"], 160);
        assert_eq!(described["source"]["format"], "jpeg");
    }
}
