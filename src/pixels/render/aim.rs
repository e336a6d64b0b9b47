//! A quality for each picture: encodes it, looks at the result, and tries another until it looks as
//! asked. A picture with soft parts is good at a quality where one of leaves is not.
//!
//! Of a large picture only parts are tried, so that time and memory have a ceiling. The clock is
//! looked at before each trial after the first, and decides how many there are, nothing else.

mod line;
mod parts;

use std::{
    borrow::Cow,
    time::{Duration, Instant},
};

use crate::pixels::{
    bitmap::{Bitmap, Samples},
    codec::{self, Cancel, DecodeOptions, EncodeOptions, Error, Header, Limits},
    format::{InputFormat, OutputFormat},
    geometry::{Rect, Size},
    planes::{Planes, Sampling},
    score::{self, LEAST_SIDE, Sums, View},
};

use line::Line;
pub(super) use line::most;
pub(super) use parts::TRIED_PIXELS;
use parts::parts;

/// What is aimed at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Aim {
    /// SSIMULACRA2 of the result beside the picture that is encoded.
    pub(super) score: u8,
    /// The quality to begin with.
    pub(super) start: u8,
    /// That trials may add.
    pub(super) time: Duration,
}

/// An encoded picture, and the quality that was found for it.
pub(super) struct Encoded {
    pub(super) bytes: Vec<u8>,
    pub(super) quality: u8,
}

/// What is encoded, with all its colours.
#[derive(Clone, Debug)]
pub(super) enum Picture<'a> {
    Bitmap(Cow<'a, Bitmap>),
    /// In the encoder's range; colour at the resolution of luma, for what an encoder would lose of
    /// it must be seen.
    Planes(Cow<'a, Planes>),
}

/// Whether there is something to look for: a still that loses something, large enough to be seen.
pub(super) fn applies(format: OutputFormat, lossless: bool, size: Size) -> bool {
    let loses = match format {
        OutputFormat::Jpeg => true,
        OutputFormat::WebP | OutputFormat::Avif => !lossless,
        OutputFormat::Png | OutputFormat::Gif => false,
    };
    loses && size.width.min(size.height) >= LEAST_SIDE
}

/// Encodes at the quality that comes nearest to the aim.
pub(super) fn encode(
    picture: &Picture<'_>,
    options: &EncodeOptions<'_>,
    aim: Aim,
    cancel: &Cancel,
) -> Result<Encoded, Error> {
    let parts = parts(picture.size());
    let mut line = Line::new(aim);
    let clock = Instant::now();
    while line.goes_on() {
        let (began, quality) = (clock.elapsed(), line.next());
        let options = EncodeOptions {
            quality,
            ..*options
        };
        let (bytes, score) = trial(picture, &parts, &options, cancel)?;
        let Some(score) = score else { break };
        line.add(quality, score);
        if let Some(bytes) = bytes.filter(|_| line.next() == quality) {
            return Ok(Encoded { bytes, quality });
        }
        let took = clock.elapsed().saturating_sub(began);
        if clock.elapsed().saturating_add(took) > aim.time {
            break;
        }
    }
    let quality = line.next();
    let bytes = picture.encode(
        &EncodeOptions {
            quality,
            ..*options
        },
        cancel,
    )?;
    Ok(Encoded { bytes, quality })
}

/// Bytes that trials hold beside the picture and what [`codec::encode_bytes`] says of encoding it
/// at once; errs high.
pub(super) fn bytes(size: Size, (alpha, planar): (bool, bool), options: &EncodeOptions<'_>) -> u64 {
    let parts = parts(size);
    let tried = parts.first().map_or(size, |part| part.size());
    let samples = tried.pixels().saturating_mul(if alpha { 4 } else { 3 });
    // The part, and the encoding beside what is decoded of it; of planes, what is seen as well.
    let copies = match (planar, tried == size) {
        (true, _) => samples.saturating_mul(2),
        (false, true) => 0,
        (false, false) => samples,
    };
    let encoded = samples;
    let header = header(tried, alpha, options);
    let whole = DecodeOptions {
        page: 0,
        at_least: None,
    };
    let looking = codec::decode_bytes(&header, &whole)
        .saturating_add(score::bytes(tried.width))
        .saturating_add(encoded);
    codec::encode_bytes(tried, alpha, options)
        .max(looking)
        .saturating_add(copies)
}

/// What a trial's result says of itself.
fn header(size: Size, alpha: bool, options: &EncodeOptions<'_>) -> Header {
    let format = match options.format {
        OutputFormat::Jpeg => InputFormat::Jpeg,
        OutputFormat::Png => InputFormat::Png,
        OutputFormat::WebP => InputFormat::WebP,
        OutputFormat::Avif => InputFormat::Avif,
        OutputFormat::Gif => InputFormat::Gif,
    };
    // The coefficients of all three planes, sixteen bits each.
    let coefficients = size.pixels().saturating_mul(6);
    Header {
        format,
        size,
        orientation: 1,
        frames: 1,
        animated: false,
        alpha,
        // AVIF has a few more at some qualities.
        depth: if format == InputFormat::Avif { 10 } else { 8 },
        lossless: false,
        held_bytes: if options.progressive { coefficients } else { 0 },
        planes: None,
    }
}

/// Encodes the parts, and scores them; with the bytes, if it was the whole picture. No score:
/// nothing can be said of this one.
fn trial(
    picture: &Picture<'_>,
    parts: &[Rect],
    options: &EncodeOptions<'_>,
    cancel: &Cancel,
) -> Result<(Option<Vec<u8>>, Option<f64>), Error> {
    let mut sums = Sums::default();
    for part in parts {
        let cut = picture.cut(*part);
        let bytes = cut.encode(options, cancel)?;
        let Some(decoded) = decoded(&bytes, cancel)? else {
            return Ok((None, None));
        };
        if let (Some(cut), Some(decoded)) = (view(&cut.seen()), view(&decoded)) {
            sums.add(cut, decoded);
        }
        cancel.check()?;
        if part.size() == picture.size() {
            return Ok((Some(bytes), sums.score()));
        }
    }
    Ok((None, sums.score()))
}

impl Picture<'_> {
    pub(super) fn size(&self) -> Size {
        match self {
            Self::Bitmap(bitmap) => bitmap.size,
            Self::Planes(planes) => planes.luma.size,
        }
    }

    pub(super) fn encode(
        &self,
        options: &EncodeOptions<'_>,
        cancel: &Cancel,
    ) -> Result<Vec<u8>, Error> {
        match self {
            Self::Bitmap(bitmap) => codec::encode(bitmap, options, cancel),
            Self::Planes(planes) => match codec::wanted(options) {
                Some(wanted) if has_more_colour(planes, wanted.sampling) => {
                    codec::encode_planes(&planes.sampled(wanted.sampling), options, cancel)
                }
                _ => codec::encode_planes(planes, options, cancel),
            },
        }
    }

    fn cut(&self, part: Rect) -> Picture<'_> {
        match self {
            Self::Bitmap(bitmap) => Picture::Bitmap(cut(bitmap, part)),
            Self::Planes(planes) if part.size() == self.size() => {
                Picture::Planes(Cow::Borrowed(planes))
            }
            Self::Planes(planes) => Picture::Planes(Cow::Owned(planes.cut(part))),
        }
    }

    fn seen(&self) -> Cow<'_, Bitmap> {
        match self {
            Self::Bitmap(bitmap) => Cow::Borrowed(bitmap),
            Self::Planes(planes) => Cow::Owned(planes.seen()),
        }
    }
}

/// Whether colour has another resolution than an encoder wants.
fn has_more_colour(planes: &Planes, wanted: Sampling) -> bool {
    let wanted = wanted.chroma(planes.luma.size);
    let mut chroma = planes.chroma.iter().flatten();
    chroma.any(|plane| Some(plane.size) != wanted)
}

/// What a browser makes of our bytes. That they cannot be read would be a bug, but no reason to
/// refuse a picture.
fn decoded(bytes: &[u8], cancel: &Cancel) -> Result<Option<Bitmap>, Error> {
    let limits = Limits::default();
    let options = DecodeOptions {
        page: 0,
        at_least: None,
    };
    let decoded = codec::probe(bytes, &limits)
        .and_then(|header| codec::decode(bytes, &header, &options, &limits, cancel));
    match decoded {
        Err(Error::Cancelled) => Err(Error::Cancelled),
        decoded => Ok(decoded.ok().map(|decoded| Bitmap {
            samples: Samples::U8(decoded.samples.into_u8()),
            ..decoded
        })),
    }
}

fn cut(picture: &Bitmap, part: Rect) -> Cow<'_, Bitmap> {
    let Samples::U8(samples) = &picture.samples else {
        return Cow::Borrowed(picture);
    };
    if part.size() == picture.size {
        return Cow::Borrowed(picture);
    }
    let channels = picture.layout.channels();
    let rows = samples.chunks_exact(picture.size.width as usize * channels);
    let rows = rows.skip(part.y as usize).take(part.height as usize);
    let (from, length) = (part.x as usize * channels, part.width as usize * channels);
    Cow::Owned(Bitmap {
        size: part.size(),
        samples: Samples::U8(
            rows.flat_map(|row| &row[from..][..length])
                .copied()
                .collect(),
        ),
        layout: picture.layout,
        colour: picture.colour.clone(),
    })
}

fn view(picture: &Bitmap) -> Option<View<'_>> {
    let Samples::U8(samples) = &picture.samples else {
        return None;
    };
    Some(View {
        size: picture.size,
        layout: picture.layout,
        samples,
        stride: picture.size.width as usize * picture.layout.channels(),
    })
}

#[cfg(test)]
mod tests {
    use super::line::LEAST;
    use super::*;
    use crate::pixels::{
        bitmap::{Colour, Layout},
        codec::Effort,
    };

    const AIM: Aim = Aim {
        score: 79,
        start: 80,
        time: Duration::from_hours(1),
    };

    const FORMATS: [OutputFormat; 3] = [OutputFormat::Jpeg, OutputFormat::WebP, OutputFormat::Avif];

    /// As in photographs, there is more of it in luma than in colour: of noise in colour, halved
    /// planes lose the same at every quality.
    fn noise(width: u32, height: u32, layout: Layout) -> Bitmap {
        let mut dice = 1_u32;
        let channels = layout.channels();
        let count = width as usize * height as usize * channels;
        let samples = (0..count).map(|at| {
            if at % channels == 0 {
                dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            }
            (dice >> 27).to_le_bytes()[0] + (at / 64 % 200).to_le_bytes()[0]
        });
        Bitmap {
            size: Size::new(width, height),
            layout,
            samples: Samples::U8(samples.collect()),
            colour: Colour::Srgb,
        }
    }

    fn options(format: OutputFormat) -> EncodeOptions<'static> {
        EncodeOptions {
            format,
            quality: 80,
            lossless: false,
            progressive: false,
            effort: Effort::Quick,
            exif: None,
        }
    }

    fn whole(bitmap: &Bitmap) -> Picture<'_> {
        Picture::Bitmap(Cow::Borrowed(bitmap))
    }

    #[test]
    fn what_is_found_looks_as_asked() {
        for format in FORMATS.into_iter().filter(|format| format.is_built_in()) {
            for layout in [Layout::Gray, Layout::Rgb, Layout::Rgba] {
                if layout == Layout::Rgba && format == OutputFormat::Jpeg {
                    continue;
                }
                let picture = noise(200, 150, layout);
                let cancel = Cancel::default();
                let aim = Aim { score: 70, ..AIM };
                let found = encode(&whole(&picture), &options(format), aim, &cancel).unwrap();
                let decoded = decoded(&found.bytes, &cancel).unwrap().unwrap();
                let mut sums = Sums::default();
                sums.add(view(&picture).unwrap(), view(&decoded).unwrap());
                let score = sums.score().unwrap();
                let limit = [LEAST, most(70)].contains(&found.quality);
                assert!(
                    (score - 70.0).abs() < 2.5 || limit,
                    "{format:?} {layout:?}: {score}"
                );
            }
        }
    }

    #[test]
    fn without_time_there_is_one_trial() {
        let picture = noise(64, 64, Layout::Rgb);
        let aim = Aim {
            time: Duration::ZERO,
            ..AIM
        };
        let found = encode(
            &whole(&picture),
            &options(OutputFormat::Jpeg),
            aim,
            &Cancel::default(),
        );
        assert!((LEAST..=most(79)).contains(&found.unwrap().quality));
    }

    #[test]
    fn a_call_off_ends_it() {
        let cancel = Cancel::default();
        cancel.cancel();
        let picture = noise(64, 64, Layout::Rgb);
        let found = encode(&whole(&picture), &options(OutputFormat::Jpeg), AIM, &cancel);
        assert!(matches!(found, Err(Error::Cancelled)));
    }
}
