//! Pictures: probe, decode, frames and strip of one format; and the whole way from query to bytes.

use std::{panic::catch_unwind, time::Duration};

use aquatint::{
    pixels::{
        bitmap::{Bitmap, Samples},
        codec::{
            self, Cancel, DecodeOptions, Error, Header, Input, Limits, PlaneOptions, Rest, Rowwise,
        },
        format::{self, InputFormat, OutputFormat, Sniffed},
        geometry::Size,
        render::{self, OutputLimits},
        rows::{Rows, Shape, Sink},
    },
    recipe::{
        Recipe, Transform,
        dialect::Dialect,
        negotiate::Accepts,
        policy::{Policy, PolicySettings},
    },
};
use libfuzzer_sys::Corpus;

/// The product's limits, but for the budgets: what is right with one megapixel is right with a
/// hundred, and a run has seconds.
fn limits() -> Limits {
    Limits {
        pixels: 1 << 20,
        frames: 16,
        animation_pixels: 1 << 22,
        ..Limits::default()
    }
}

/// Small enough for every encoder to end well within a run's time.
const OUTPUT: OutputLimits = OutputLimits {
    side: 2048,
    pixels: 1 << 19,
    avif_pixels: 1 << 15,
    auto_quality_time: Duration::from_millis(50),
};

/// Reads the bytes in every way, where they look like a picture of this format.
///
/// # Panics
/// Where an answer does not keep its word: that is the finding.
#[must_use]
pub fn read(bytes: &[u8], format: InputFormat) -> Corpus {
    if format::sniff(bytes) != Sniffed::Known(format) {
        return Corpus::Reject;
    }
    let limits = limits();
    let Some(header) = told(codec::probe(bytes, &limits)) else {
        return Corpus::Keep;
    };
    check_header(&header, &limits);
    whole(bytes, &header, &limits);
    scaled(bytes, &header, &limits);
    planes(bytes, &header, &limits);
    if header.animated {
        moving(bytes, &header, &limits);
    }
    let _ = codec::exif(bytes, &header, &limits);
    if let Some(stripped) = codec::strip(bytes, &header) {
        let again = codec::probe(&stripped, &limits).expect("what was stripped is a picture still");
        assert_eq!((again.format, again.size), (header.format, header.size));
    }
    Corpus::Keep
}

fn check_header(header: &Header, limits: &Limits) {
    assert!(header.size.pixels() > 0 && header.size.pixels() <= limits.pixels);
    assert!((1..=8).contains(&header.orientation));
    assert!((1..=16).contains(&header.depth));
    assert!(header.frames > 0);
}

fn whole(bytes: &[u8], header: &Header, limits: &Limits) {
    let mut pages = vec![0, header.frames / 2, header.frames - 1];
    pages.dedup();
    for page in pages {
        let options = DecodeOptions {
            page,
            at_least: None,
        };
        let _ = codec::decode_bytes(header, &options);
        let decoded = codec::decode(bytes, header, &options, limits, &Cancel::default());
        if let Some(bitmap) = told(decoded) {
            check_bitmap(&bitmap);
            if page == 0 {
                rowwise(bytes, header, limits, &bitmap);
            }
            let same = page == 0 || header.animated;
            assert!(!same || bitmap.size == header.size, "{:?}", bitmap.size);
        }
    }
}

/// What comes row by row is what comes as a whole, and what the library makes of it.
fn rowwise(bytes: &[u8], header: &Header, limits: &Limits, bitmap: &Bitmap) {
    if codec::rowwise_bytes(bytes, header).is_none() {
        return;
    }
    let mut kept = Kept::default();
    let reading = Rowwise::open(bytes, limits).expect("it was opened before");
    let layout = reading.layout;
    reading
        .read(&Cancel::default(), &mut kept)
        .expect("it was read before");
    let Samples::U8(samples) = &bitmap.samples else {
        panic!("rows of eight bits of another picture");
    };
    assert_eq!(layout, bitmap.layout);
    assert!(kept.0 == *samples, "other rows than the whole has");
    // A palette of odd length makes it panic, where checksums do not count.
    let theirs = catch_unwind(|| library(bytes, samples.len())).unwrap_or_default();
    if let Some(theirs) = theirs {
        assert!(theirs == *samples, "another picture than the library's");
    }
}

/// What the library makes of a PNG of so many samples; `None`: nothing, or another picture.
fn library(bytes: &[u8], length: usize) -> Option<Vec<u8>> {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().ok()?;
    if reader.output_buffer_size() != Some(length) {
        return None;
    }
    let mut samples = vec![0; length];
    reader.next_frame(&mut samples).ok()?;
    Some(samples)
}

#[derive(Default)]
struct Kept(Vec<u8>);

impl Sink for Kept {
    fn begin(&mut self, planes: &[Shape]) -> Result<(), Error> {
        assert_eq!(planes.len(), 1);
        Ok(())
    }

    fn take(&mut self, plane: usize, rows: Rows<'_>) -> Result<(), Error> {
        assert_eq!(plane, 0);
        rows.iter().for_each(|row| self.0.extend_from_slice(row));
        Ok(())
    }
}

fn scaled(bytes: &[u8], header: &Header, limits: &Limits) {
    // The others take the same way at every scale.
    let divisors: &[u32] = match header.format {
        InputFormat::Jpeg => &[2, 3, 9],
        _ => &[9],
    };
    for divisor in divisors {
        let least = Size::new(
            header.size.width.div_ceil(*divisor),
            header.size.height.div_ceil(*divisor),
        );
        let options = DecodeOptions {
            page: 0,
            at_least: Some(least),
        };
        let decoded = codec::decode(bytes, header, &options, limits, &Cancel::default());
        if let Some(bitmap) = told(decoded) {
            check_bitmap(&bitmap);
            let Size { width, height } = bitmap.size;
            assert!(width >= least.width && height >= least.height);
            assert!(width <= header.size.width && height <= header.size.height);
        }
    }
}

/// The way without RGB; JPEG at each of its scales, once with finer colour.
fn planes(bytes: &[u8], header: &Header, limits: &Limits) {
    let Some(sampling) = header.planes else {
        return;
    };
    let _ = codec::colour(bytes, header, limits);
    let eighths = match header.format {
        InputFormat::Jpeg => 1..=8,
        _ => 8..=8,
    };
    for luma in eighths {
        let part = |size: Size, eighths: u32| {
            let part = |side: u32| (side * eighths).div_ceil(8);
            Size::new(part(size.width), part(size.height))
        };
        let chroma = sampling.chroma(header.size);
        let options = PlaneOptions {
            luma_at_least: Some(part(header.size, luma)),
            chroma_at_least: chroma.map(|size| part(size, luma + luma % 2)),
        };
        let _ = codec::planes_bytes(bytes, header, &options, limits);
        let decoded = codec::planes(bytes, header, &options, limits, &Cancel::default());
        if let Some(planes) = told(decoded) {
            let planes = planes.expect("the header says that there are planes");
            assert!(planes.is_complete());
            assert_eq!(planes.chroma.is_some(), chroma.is_some());
            let least = options.luma_at_least.unwrap_or(header.size);
            let Size { width, height } = planes.luma.size;
            assert!(width >= least.width && height >= least.height);
        }
    }
}

/// What the scaled decoder makes of a JPEG is what libjpeg makes of it.
///
/// # Panics
/// Where it is not: that is the finding.
#[must_use]
pub fn scaled_jpeg(bytes: &[u8]) -> Corpus {
    if format::sniff(bytes) != Sniffed::Known(InputFormat::Jpeg) {
        return Corpus::Reject;
    }
    codec::compare_jpeg(bytes, &limits());
    Corpus::Keep
}

fn moving(bytes: &[u8], header: &Header, limits: &Limits) {
    let Some(mut frames) = told(codec::frames(bytes, header, limits)) else {
        return;
    };
    let cancel = Cancel::default();
    let mut count = 0;
    while let Some(Some(frame)) = told(frames.next_frame(&cancel)) {
        check_bitmap(&frame.bitmap);
        assert_eq!(frame.bitmap.size, header.size);
        count += 1;
        assert!(count <= header.frames);
    }
}

fn check_bitmap(bitmap: &Bitmap) {
    assert!(bitmap.is_complete());
}

/// A recipe and a picture, with a line feed between: `w=100&fm=webp`, then the file.
///
/// # Panics
/// Where an answer does not keep its word: that is the finding.
#[must_use]
pub fn render(bytes: &[u8]) -> Corpus {
    let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else {
        return Corpus::Reject;
    };
    let (query, source) = (&bytes[..end], &bytes[end + 1..]);
    let Ok(query) = std::str::from_utf8(query) else {
        return Corpus::Reject;
    };
    let Ok(transform) = Transform::parse(query, Dialect::Imgix, false) else {
        return Corpus::Reject;
    };
    let everything = Accepts {
        avif: true,
        webp: true,
    };
    let policy = Policy::new(PolicySettings::default());
    let recipe = Recipe::resolve(&transform, everything, &policy);
    let limits = limits();
    let Some(job) = told(render::prepare(source, &recipe, &limits, &OUTPUT)) else {
        return Corpus::Keep;
    };
    assert!(job.peak_bytes >= job.output.pixels());
    // Where a file is decoded as it is read, that is the way to go: the targets of formats go the
    // other.
    let input = match codec::head(source, &limits) {
        Some(head) if !job.needs_whole => Input::Head(&source[..head], &Slow(source)),
        _ => source.into(),
    };
    let rendered = render::render(input, &recipe, &job, &limits, &Cancel::default());
    if let Some(rendered) = told(rendered) {
        assert!(rendered.size.pixels() <= OUTPUT.pixels);
        let largest = Limits {
            frames: u32::MAX,
            ..Limits::default()
        };
        let written = codec::probe(&rendered.bytes, &largest).expect("what we write can be read");
        assert_eq!(written.format.output(), Some(rendered.format));
        assert_eq!(written.size, rendered.size);
        assert!(
            rendered.format != OutputFormat::Avif || written.size.pixels() <= OUTPUT.avif_pixels
        );
    }
    Corpus::Keep
}

/// A file that is read in small pieces.
#[derive(Debug)]
struct Slow<'a>(&'a [u8]);

impl Rest for Slow<'_> {
    fn read(&self, at: u64, into: &mut [u8]) -> usize {
        let rest = self.0.get(at as usize..).unwrap_or_default();
        let read = rest.len().min(into.len()).min(97);
        into[..read].copy_from_slice(&rest[..read]);
        read
    }
}

/// The answer, if it is one. A picture may be refused; what is our fault is a finding.
fn told<T>(answer: Result<T, Error>) -> Option<T> {
    match answer {
        Ok(answer) => Some(answer),
        Err(error @ (Error::Encode { .. } | Error::Cancelled)) => panic!("{error:?}"),
        Err(_) => None,
    }
}
