#![expect(unsafe_code, reason = "libjpeg, to be compared with, is C")]

use std::{ffi::c_int, fs, path::Path, ptr};

use mozjpeg_sys::{
    J_COLOR_SPACE, J_INT_PARAM, JINT_COMPRESS_PROFILE_VALUE, jpeg_c_set_int_param,
    jpeg_compress_struct, jpeg_create_compress, jpeg_create_decompress, jpeg_decompress_struct,
    jpeg_destroy_compress, jpeg_destroy_decompress, jpeg_finish_compress, jpeg_mem_dest,
    jpeg_mem_src, jpeg_read_header, jpeg_read_scanlines, jpeg_scan_info, jpeg_set_defaults,
    jpeg_set_quality, jpeg_start_compress, jpeg_start_decompress, jpeg_write_scanlines,
};

use super::*;
use crate::pixels::{
    bitmap::Colour,
    codec::jpeg::library::{self, Session, guarded},
    planes::{Plane, Planes, Range},
    rows::Kept,
};

/// How a picture is coded.
#[derive(Clone, Copy, Debug)]
struct Kind {
    /// Luma's factors, where colour has 1 × 1. `None`: gray.
    factors: Option<(c_int, c_int)>,
    restart: u32,
    quality: c_int,
    script: Script,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Script {
    Interleaved,
    Separate,
    Progressive,
    /// Progressive, in bands and bits that few encoders choose.
    Odd,
}

const KIND: Kind = Kind {
    factors: Some((2, 2)),
    restart: 0,
    quality: 85,
    script: Script::Interleaved,
};

fn session(cancel: &Cancel) -> Session<'_> {
    Session {
        cancel,
        end_matters: true,
        scans: 1000,
        stopped: None,
    }
}

/// Numbers that look random and never change.
struct Random(u32);

impl Random {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) as usize % most.max(1)
    }
}

/// Slopes, waves, an edge and grain: something for every coefficient.
fn picture(width: usize, height: usize) -> Vec<u8> {
    let mut random = Random(7);
    let mut samples = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let wave = (x % 34).abs_diff(17) + (y % 50).abs_diff(25);
            let edge = if x * 2 > y * 3 + 20 { 40 } else { 0 };
            for slope in [
                x * 90 / width,
                y * 90 / height,
                (x + y) * 90 / (width + height),
            ] {
                let level = 10 + slope + wave + edge + random.below(16);
                samples.push(u8::try_from(level).expect("below 256"));
            }
        }
    }
    samples
}

fn jpeg(width: usize, height: usize, kind: Kind) -> Vec<u8> {
    let samples = picture(width, height);
    let cancel = Cancel::default();
    let mut session = session(&cancel);
    let session = &raw mut session;
    let bytes = guarded(session, || {
        let mut errors = library::error_manager();
        // SAFETY: structures that live to the end of this, calls in libjpeg's order, rows of the
        // length that it was told.
        unsafe {
            let mut library: jpeg_compress_struct = std::mem::zeroed();
            library.common.err = &raw mut *errors;
            library.common.client_data = session.cast();
            jpeg_create_compress(&raw mut library);
            let (mut bytes, mut length) = (ptr::null_mut(), 0);
            jpeg_mem_dest(&mut library, &raw mut bytes, &raw mut length);
            library.image_width = u32::try_from(width).expect("small");
            library.image_height = u32::try_from(height).expect("small");
            library.input_components = 3;
            library.in_color_space = J_COLOR_SPACE::JCS_RGB;
            let profile = JINT_COMPRESS_PROFILE_VALUE::JCP_FASTEST as c_int;
            jpeg_c_set_int_param(&mut library, J_INT_PARAM::JINT_COMPRESS_PROFILE, profile);
            jpeg_set_defaults(&mut library);
            if let Some((across, down)) = kind.factors {
                (*library.comp_info).h_samp_factor = across;
                (*library.comp_info).v_samp_factor = down;
            } else {
                mozjpeg_sys::jpeg_set_colorspace(&mut library, J_COLOR_SPACE::JCS_GRAYSCALE);
            }
            jpeg_set_quality(&mut library, kind.quality, 1);
            library.restart_interval = kind.restart;
            let scans = script(kind.script, library.num_components);
            if !scans.is_empty() {
                library.scan_info = scans.as_ptr();
                library.num_scans = c_int::try_from(scans.len()).expect("few");
            }
            jpeg_start_compress(&mut library, 1);
            for row in samples.chunks_exact(width * 3) {
                jpeg_write_scanlines(&mut library, &row.as_ptr(), 1);
            }
            jpeg_finish_compress(&mut library);
            let file = std::slice::from_raw_parts(bytes, usize::try_from(length).expect("short"));
            let file = file.to_vec();
            jpeg_destroy_compress(&mut library);
            Ok(file)
        }
    });
    bytes.expect("an encoding")
}

fn scan(components: &[c_int], band: (c_int, c_int), high: c_int, low: c_int) -> jpeg_scan_info {
    let mut component_index = [0; 4];
    component_index[..components.len()].copy_from_slice(components);
    jpeg_scan_info {
        comps_in_scan: c_int::try_from(components.len()).expect("few"),
        component_index,
        Ss: band.0,
        Se: band.1,
        Ah: high,
        Al: low,
    }
}

fn script(script: Script, components: c_int) -> Vec<jpeg_scan_info> {
    match script {
        Script::Interleaved => Vec::new(),
        Script::Separate => (0..components).map(|c| scan(&[c], (0, 63), 0, 0)).collect(),
        Script::Progressive => progressive(components, &[(1, 5), (6, 63)], 1),
        Script::Odd => progressive(components, &[(1, 1), (2, 9), (10, 40), (41, 63)], 3),
    }
}

/// A first scan of each band without the `low` last bits, then a scan a bit: of all bands at once
/// for luma, of each for colour.
fn progressive(components: c_int, bands: &[(c_int, c_int)], low: c_int) -> Vec<jpeg_scan_info> {
    let all: Vec<c_int> = (0..components).collect();
    let mut scans = vec![scan(&all, (0, 0), 0, low)];
    for component in all.iter().rev() {
        scans.extend(bands.iter().map(|band| scan(&[*component], *band, 0, low)));
    }
    for low in (0..low).rev() {
        scans.push(scan(&[0], (1, 63), low + 1, low));
        for component in 1..components {
            let next = |band: &(c_int, c_int)| scan(&[component], *band, low + 1, low);
            scans.extend(bands.iter().map(next));
        }
        scans.push(scan(&all, (0, 0), low + 1, low));
    }
    scans
}

/// What libjpeg makes of it: width, height, and gray or YCbCr samples, colour repeated rather than
/// smoothed.
fn reference(bytes: &[u8], eighths: u8, gray: bool) -> Result<(usize, usize, Vec<u8>), Error> {
    let cancel = Cancel::default();
    let mut session = session(&cancel);
    session.end_matters = survey::survey(bytes, &Limits::default())?.buffered;
    let session = &raw mut session;
    guarded(session, || {
        let mut errors = library::error_manager();
        // SAFETY: as above; `Drop` ends what was begun.
        unsafe {
            struct Begun(Box<jpeg_decompress_struct>);
            impl Drop for Begun {
                fn drop(&mut self) {
                    // SAFETY: begun below, and not ended elsewhere.
                    unsafe { jpeg_destroy_decompress(&mut self.0) };
                }
            }
            let mut library = Begun(Box::new(std::mem::zeroed()));
            let library = &mut *library.0;
            library.common.err = &raw mut *errors;
            library.common.client_data = session.cast();
            jpeg_create_decompress(library);
            jpeg_mem_src(
                library,
                bytes.as_ptr(),
                bytes.len().try_into().expect("short"),
            );
            jpeg_read_header(library, 1);
            library.out_color_space = if gray {
                J_COLOR_SPACE::JCS_GRAYSCALE
            } else {
                J_COLOR_SPACE::JCS_YCbCr
            };
            library.do_fancy_upsampling = 0;
            library.scale_num = eighths.into();
            library.scale_denom = 8;
            jpeg_start_decompress(library);
            let (width, height) = (
                library.output_width as usize,
                library.output_height as usize,
            );
            let stride = width * if gray { 1 } else { 3 };
            let mut samples = vec![0; stride * height];
            for row in samples.chunks_exact_mut(stride) {
                jpeg_read_scanlines(library, &mut row.as_mut_ptr(), 1);
            }
            Ok((width, height, samples))
        }
    })
}

fn decode(
    bytes: &[u8],
    scales: Scales,
    limits: &Limits,
    cancel: &Cancel,
) -> Result<Option<Planes>, Error> {
    let Some(reading) = Reading::open(bytes, scales, limits)? else {
        return Ok(None);
    };
    let mut kept = Kept::default();
    let decoded = reading.rows(cancel, &mut kept);
    if let Some(head) = reading.head() {
        let expected = decoded.as_ref().map(|()| &kept);
        check_as_it_is_read((bytes, head), scales, (limits, cancel), expected);
    }
    decoded?;
    let mut planes = kept.finish()?.into_iter();
    Ok(Some(Planes {
        luma: planes.next().expect("a plane"),
        chroma: planes.next().zip(planes.next()).map(Into::into),
        range: Range::Full,
        colour: Colour::Srgb,
    }))
}

/// A file that is read in small pieces.
#[derive(Debug)]
struct Slow<'a>(&'a [u8]);

impl Rest for Slow<'_> {
    fn read(&self, at: u64, into: &mut [u8]) -> usize {
        let at = usize::try_from(at).expect("a small file");
        let rest = self.0.get(at..).unwrap_or_default();
        let read = rest.len().min(into.len()).min(97);
        into[..read].copy_from_slice(&rest[..read]);
        read
    }
}

/// Of its head and what is read, the same comes out as of the whole file.
fn check_as_it_is_read(
    (bytes, head): (&[u8], usize),
    scales: Scales,
    (limits, cancel): (&Limits, &Cancel),
    expected: Result<&Kept, &Error>,
) {
    let reading = Reading::open(&bytes[..head], scales, limits);
    let reading = reading.expect("sound").expect("a kind that is done");
    assert_eq!(reading.head(), Some(head));
    let mut kept = Kept::default();
    let read = reading.rows_of(&Slow(bytes), cancel, &mut kept);
    match (read, expected) {
        (Ok(()), Ok(expected)) => assert!(kept == *expected, "other planes"),
        (Err(_), Err(_)) => {}
        (read, expected) => panic!("{read:?}, not {expected:?}"),
    }
}

fn ours(bytes: &[u8], luma: u8, chroma: u8) -> Result<Option<Planes>, Error> {
    let scales = Scales { luma, chroma };
    let planes = decode(bytes, scales, &Limits::default(), &Cancel::default());
    if let Ok(Some(planes)) = &planes {
        assert!(planes.is_complete());
    }
    planes
}

fn planes_of(bytes: &[u8], luma: u8, chroma: u8) -> Planes {
    ours(bytes, luma, chroma)
        .expect("sound")
        .expect("a kind that is done")
}

/// How alike two planes are, in dB; at most 99.
fn likeness(a: &[u8], b: &[u8]) -> f64 {
    assert_eq!(a.len(), b.len());
    let squares = a
        .iter()
        .zip(b)
        .map(|(a, b)| u64::from(a.abs_diff(*b)).pow(2));
    let sum = u32::try_from(squares.sum::<u64>()).expect("small pictures");
    let mean = f64::from(sum) / f64::from(u32::try_from(a.len()).expect("small"));
    (10.0 * (255.0 * 255.0 / mean).log10()).min(99.0)
}

#[track_caller]
fn check_luma(bytes: &[u8], eighths: u8, least: f64) {
    let planes = planes_of(bytes, eighths, eighths);
    let (width, height, samples) = reference(bytes, eighths, true).expect("sound");
    let size = planes.luma.size;
    assert_eq!((size.width as usize, size.height as usize), (width, height));
    let likeness = likeness(&planes.luma.samples, &samples);
    assert!(likeness >= least, "{likeness} dB at {eighths} eighths");
}

/// How alike luma has to be. libjpeg's halves and quarters are near a box; ours are not. The
/// pictures above are harsh: photographs are alike to 40 dB and more.
fn least(eighths: u8) -> f64 {
    match eighths {
        1 => 99.0,
        3 | 5..=8 => 50.0,
        _ => 24.0,
    }
}

const SIZES: [(usize, usize); 9] = [
    (1, 1),
    (7, 9),
    (8, 8),
    (16, 16),
    (17, 15),
    (33, 1),
    (1, 40),
    (64, 48),
    (131, 97),
];

fn kinds() -> impl Iterator<Item = Kind> {
    let factors = [None, Some((1, 1)), Some((2, 1)), Some((1, 2)), Some((2, 2))];
    let scripts = [
        Script::Interleaved,
        Script::Separate,
        Script::Progressive,
        Script::Odd,
    ];
    factors.into_iter().flat_map(move |factors| {
        scripts.into_iter().flat_map(move |script| {
            [0, 3].map(|restart| Kind {
                factors,
                restart,
                script,
                ..KIND
            })
        })
    })
}

#[test]
fn luma_is_libjpegs_at_an_eighth_and_near_it_elsewhere() {
    for kind in kinds() {
        for (width, height) in SIZES {
            let bytes = jpeg(width, height, kind);
            for eighths in EIGHTHS {
                println!("{width}×{height} at {eighths} {kind:?}");
                check_luma(&bytes, eighths, least(eighths));
            }
        }
    }
}

/// Many blocks in the bits that are left from before the window of the data turned over.
#[test]
fn blocks_of_few_bits_are_libjpegs_past_a_window() {
    for restart in [0, 7] {
        let kind = Kind {
            quality: 1,
            restart,
            ..KIND
        };
        let bytes = jpeg(1500, 1700, kind);
        assert!(bytes.len() > 40 << 10, "{} bytes", bytes.len());
        check_luma(&bytes, 1, least(1));
    }
}

#[test]
fn colour_is_libjpegs_at_an_eighth() {
    for kind in kinds() {
        let Some((across, down)) = kind.factors.filter(|factors| *factors != (2, 2)) else {
            continue;
        };
        for (width, height) in SIZES {
            let bytes = jpeg(width, height, kind);
            let chroma = planes_of(&bytes, 1, 1).chroma.expect("colour");
            let repeated = |factor: c_int| usize::try_from(factor).expect("1 or 2");
            let (width, height, samples) = reference(&bytes, 1, false).expect("sound");
            for (at, pixel) in samples.chunks_exact(3).enumerate() {
                let (x, y) = (at % width / repeated(across), at / width / repeated(down));
                for (plane, sample) in chroma.iter().zip(&pixel[1..]) {
                    let own = plane.samples[y * plane.size.width as usize + x];
                    assert_eq!(own, *sample, "{width}×{height} {kind:?} at {x}, {y}");
                }
            }
        }
    }
}

#[test]
fn colour_has_a_scale_of_its_own() {
    for (width, height) in SIZES {
        let bytes = jpeg(width, height, KIND);
        // libjpeg takes colour at twice the scale, where it has half the samples.
        let (wide, high, samples) = reference(&bytes, 2, false).expect("sound");
        let planes = planes_of(&bytes, 2, 4);
        for (channel, plane) in planes.chroma.expect("colour").iter().enumerate() {
            let Plane { size, extent, .. } = plane;
            assert_eq!((size.width as usize, size.height as usize), (wide, high));
            let covered = |side: usize| f64::from(u32::try_from(side).expect("small")) / 4.0;
            assert_eq!(*extent, (covered(width), covered(height)));
            let theirs: Vec<u8> = samples
                .iter()
                .skip(channel + 1)
                .step_by(3)
                .copied()
                .collect();
            let likeness = likeness(&plane.samples, &theirs);
            assert!(likeness > 26.0, "{likeness} dB at {width}×{height}");
        }
    }
}

#[test]
fn the_coarsest_and_the_finest_quality_are_alike_too() {
    for quality in [1, 100] {
        let bytes = jpeg(131, 97, Kind { quality, ..KIND });
        for eighths in EIGHTHS {
            check_luma(
                &bytes,
                eighths,
                if eighths == 3 {
                    50.0
                } else {
                    least(eighths) - 4.0
                },
            );
        }
    }
}

#[test]
fn what_is_not_done_here_is_left_to_libjpeg() {
    let plain = jpeg(40, 40, KIND);
    let changed = |find: &[u8], replacement: &[u8]| {
        let mut bytes = plain.clone();
        let at = bytes
            .windows(find.len())
            .position(|w| w == find)
            .expect("is there");
        bytes.splice(at..at + find.len(), replacement.iter().copied());
        ours(&bytes, 1, 1).expect("no error").is_none()
    };
    assert!(!changed(b"JFIF", b"JFIF"));
    assert!(changed(b"\x01\x22\0\x02\x11", b"\x01\x52\0\x02\x11"));
    // Colours that are not YCbCr, four of them, finer than luma, three times as coarse.
    let adobe = b"\xFF\xD8\xFF\xEE\0\x0EAdobe\0\x64\0\0\0\0\0\xFF\xE0\0\x10JUNK";
    assert!(changed(b"\xFF\xD8\xFF\xE0\0\x10JFIF", adobe));
    assert!(changed(b"\x01\x22\0\x02\x11", b"\x01\x11\0\x02\x22"));
    assert!(changed(b"\x01\x22\0\x02\x11", b"\x01\x31\0\x02\x11"));
    let mut gray = jpeg(
        40,
        40,
        Kind {
            factors: None,
            ..KIND
        },
    );
    let frame = gray.windows(5).position(|w| w == b"\x01\x01\x11\0\xFF");
    gray[frame.expect("a frame") + 2] = 0x01;
    assert!(ours(&gray, 1, 1).expect("no error").is_none());
    // Arithmetic codes, 12 bits, lossless.
    assert!(changed(b"\xFF\xC0\0\x11\x08", b"\xFF\xC9\0\x11\x08"));
    assert!(changed(b"\xFF\xC0\0\x11\x08", b"\xFF\xC1\0\x11\x0C"));
    assert!(changed(b"\xFF\xC0\0\x11\x08", b"\xFF\xC3\0\x11\x08"));
    for eighths in [0, 9, 255] {
        assert!(ours(&plain, eighths, 1).expect("no error").is_none());
        assert!(ours(&plain, 1, eighths).expect("no error").is_none());
    }
}

#[test]
fn what_is_cut_off_is_broken_and_what_is_only_unended_is_not() {
    let bytes = jpeg(67, 45, Kind { restart: 3, ..KIND });
    let start = bytes
        .windows(2)
        .position(|w| w == [0xFF, 0xDA])
        .expect("a scan")
        + 14;
    for eighths in EIGHTHS {
        let whole = planes_of(&bytes, eighths, 1);
        assert_eq!(planes_of(&bytes[..bytes.len() - 2], eighths, 1), whole);
        for length in start..bytes.len() - 3 {
            let cut = ours(&bytes[..length], eighths, 1);
            assert!(
                matches!(cut, Err(Error::Broken { .. })),
                "{length}: {cut:?}"
            );
            let ended = [&bytes[..length], &[0xFF, 0xD9]].concat();
            let ended = ours(&ended, eighths, 1);
            assert!(
                matches!(ended, Err(Error::Broken { .. })),
                "{length}: {ended:?}"
            );
        }
    }
}

#[track_caller]
fn check_held(kind: Kind, expected: u64) {
    let bytes = jpeg(67, 45, kind);
    let scales = Scales { luma: 3, chroma: 4 };
    let reading = Reading::open(&bytes, scales, &Limits::default());
    let reading = reading.expect("sound").expect("a kind that is done");
    assert_eq!(reading.bytes(), expected);
}

#[test]
fn what_is_held_is_known_from_the_headers() {
    // 5 × 3 units, each of four blocks of luma and one of either colour.
    let fixed = Feed::BYTES + sequential::TABLES;
    let strips = 5 * (4 * 9 + 2 * 16);
    check_held(KIND, strips + fixed);
    let script = Script::Separate;
    check_held(Kind { script, ..KIND }, strips + 3 * fixed);
    let factors = None;
    check_held(Kind { factors, ..KIND }, 9 * 9 + fixed);
    let script = Script::Progressive;
    let coefficients = 5 * 3 * (4 * (2 * 9 + 8) + 2 * (2 * 16 + 8));
    check_held(Kind { script, ..KIND }, coefficients + strips + fixed);
}

#[test]
fn limits_and_calling_off_are_heeded() {
    let bytes = jpeg(67, 45, KIND);
    let scales = Scales { luma: 1, chroma: 1 };
    let limits = |pixels| Limits {
        pixels,
        ..Limits::default()
    };
    let cancel = Cancel::default();
    assert!(decode(&bytes, scales, &limits(67 * 45), &cancel).is_ok());
    let over = decode(&bytes, scales, &limits(67 * 45 - 1), &cancel);
    assert!(matches!(over, Err(Error::Limit(_))));
    let script = Script::Progressive;
    let progressive = jpeg(67, 45, Kind { script, ..KIND });
    let scans = |scans| Limits {
        scans,
        ..Limits::default()
    };
    assert!(decode(&progressive, scales, &scans(13), &cancel).is_ok());
    let over = decode(&progressive, scales, &scans(12), &cancel);
    assert!(matches!(over, Err(Error::Limit(_))));
    cancel.cancel();
    let off = decode(&bytes, scales, &Limits::default(), &cancel);
    assert!(matches!(off, Err(Error::Cancelled)));
}

/// Whatever we give, libjpeg gives too, and at an eighth the same.
fn check_against_libjpeg(name: &str, bytes: &[u8]) -> bool {
    let mut done = false;
    for eighths in [1, 2, 3, 4, 8] {
        let Ok(Some(planes)) = ours(bytes, eighths, eighths) else {
            continue;
        };
        done = true;
        let (.., samples) = reference(bytes, eighths, true)
            .unwrap_or_else(|error| panic!("{name}: libjpeg refuses it: {error:?}"));
        let likeness = likeness(&planes.luma.samples, &samples);
        let least = if eighths == 1 { 99.0 } else { 20.0 };
        assert!(
            likeness >= least,
            "{name}: {likeness} dB at {eighths} eighths"
        );
    }
    done
}

#[test]
fn changed_files_end_as_libjpeg_says_or_are_left_to_it() {
    let mut random = Random(3);
    for kind in kinds() {
        let bytes = jpeg(41, 35, kind);
        for round in 0..60 {
            let mut changed = bytes.clone();
            for _ in 0..=round % 4 {
                let at = random.below(changed.len());
                match random.below(4) {
                    0 => changed.truncate(at.max(200)),
                    1 => changed[at] = u8::try_from(random.below(256)).expect("a byte"),
                    2 => changed[at] ^= 1 << random.below(8),
                    _ => changed.insert(at, 0xFF),
                }
            }
            let reference = reference(&changed, 1, true);
            // Every scan of these is read at four eighths, and what is read is refused if it is
            // damaged. Damage in a scan that is left out is not seen.
            if kind.script != Script::Odd && matches!(ours(&changed, 4, 4), Ok(Some(_))) {
                assert!(reference.is_ok(), "{kind:?} {round}");
            }
            let (Ok(Some(planes)), Ok((.., samples))) = (ours(&changed, 1, 1), reference) else {
                continue;
            };
            assert_eq!(planes.luma.samples, samples, "{kind:?} {round}");
        }
    }
}

#[test]
fn pictures_of_others_come_out_as_libjpegs() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/corpus");
    let Ok(folders) = fs::read_dir(corpus) else {
        println!("skipped: there is no shared corpus beside the project");
        return;
    };
    let (mut seen, mut done) = (0, 0);
    for folder in folders.flatten() {
        for file in fs::read_dir(folder.path()).into_iter().flatten().flatten() {
            let path = file.path();
            let named = |ending: &&str| {
                path.extension()
                    .is_some_and(|e| e.eq_ignore_ascii_case(ending))
            };
            if !["jpg", "jpeg", "jpe", "jfif"].iter().any(named) {
                continue;
            }
            let bytes = fs::read(Path::new(&path)).expect("a file");
            seen += 1;
            done += u32::from(check_against_libjpeg(&path.display().to_string(), &bytes));
        }
    }
    println!("{done} of {seen} are done here");
    assert!(done * 2 > seen, "{done} of {seen}");
}
