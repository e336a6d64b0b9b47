//! One scale of quality for all lossy formats: what each is asked for so that it looks as JPEG with
//! its common tables does at the same number. Knows numbers; nothing of libraries.
//!
//! The tables are measured: photographs of 800 pixels, SSIMULACRA2 against the lossless picture,
//! and for each of JPEG's qualities the setting at which the other format's mean score is the same.
//! `docs/benchmarks.md` has the command that measures it again.

use super::Effort;

/// From this quality on, colour is kept at full resolution: who asks for it looks at edges.
/// WebP cannot, and stops gaining a little above it.
pub(super) const FULL_COLOUR_FROM: u8 = 90;

/// What JPEG is asked for: a quality of some tables.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Jpeg {
    /// Of those that everybody has, and that the scale is of.
    Common(f32),
    /// Of those that follow what is seen at which frequency.
    Seen(f32),
}

/// The quality of the tables that everybody has, as libjpeg encodes with them, and of those that
/// follow the eye: for the same look, 13 % fewer bytes at 80 and 27 % at 40. From
/// [`FULL_COLOUR_FROM`] on they take more.
const JPEG_SEEN: [(u8, f32); 10] = [
    (1, 1.0),
    (10, 7.6),
    (20, 16.1),
    (30, 25.7),
    (40, 35.4),
    (50, 45.7),
    (60, 54.5),
    (75, 73.1),
    (80, 79.3),
    (89, 89.1),
];

/// As libjpeg encodes, and as we do, with the same tables. Of what we leave out, little is seen.
const JPEG_COMMON: [(u8, f32); 2] = [(90, 90.8), (100, 100.0)];

/// JPEG's settings for a quality on the common scale.
pub(super) fn jpeg(quality: u8) -> Jpeg {
    if quality >= FULL_COLOUR_FROM {
        Jpeg::Common(between(&JPEG_COMMON, quality.min(100)))
    } else {
        Jpeg::Seen(between(&JPEG_SEEN, quality))
    }
}

/// From this quality on, libwebp searches by rate and distortion where bytes count more.
const WEBP_THOROUGH_FROM: u8 = 76;

/// From this quality on, it does so in any case: without, it is larger than JPEG there.
const WEBP_SEARCH_FROM: u8 = 81;

/// What libwebp is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct WebP {
    /// 0 to 100, on its own scale.
    pub(super) quality: f32,
    /// Effort, 0 to 6.
    pub(super) method: u8,
}

/// libwebp's effort that does without a search: 0.42 of the time of 4. For the same look it takes
/// 1 % more bytes at quality 40, 2 % at 60, 3 % at 70, 9 % at 80 and 37 % at 90.
const FAST: u8 = 2;
/// libwebp's own default.
const SEARCHING: u8 = 4;

/// JPEG's quality, and libwebp's at [`FAST`].
const WEBP_FAST: [(u8, f32); 14] = [
    (1, 0.0),
    (10, 2.0),
    (20, 10.4),
    (30, 27.1),
    (40, 41.0),
    (50, 56.4),
    (60, 67.9),
    (70, 78.7),
    (75, 82.1),
    (80, 86.1),
    (85, 89.8),
    (89, 92.6),
    (90, 97.0),
    (100, 100.0),
];

/// JPEG's quality, and libwebp's at [`SEARCHING`]. From [`FULL_COLOUR_FROM`] on it cannot follow,
/// and stays a point below, where it is still smaller than the JPEG.
const WEBP_SEARCHED: [(u8, f32); 6] = [
    (75, 81.5),
    (80, 84.9),
    (85, 88.4),
    (89, 91.3),
    (90, 95.7),
    (100, 100.0),
];

/// From this quality on, JPEG is in full colour and WebP cannot be, so that the last bits of luma
/// count: libwebp's search finds them in 9 % fewer bytes than our own encoder.
const VP8_UP_TO: u8 = FULL_COLOUR_FROM;

/// JPEG's quality, and the index of the quantiser of our own VP8 encoder.
const VP8: [(u8, f32); 12] = [
    (1, 127.0),
    (10, 107.0),
    (20, 83.0),
    (30, 61.6),
    (40, 50.0),
    (50, 39.3),
    (60, 33.2),
    (70, 24.3),
    (75, 21.2),
    (80, 16.4),
    (85, 12.5),
    (89, 7.9),
];

/// The index of VP8's quantiser, 127 to 0 (best), for a quality on JPEG's scale; `None`: libwebp
/// does better.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "within 0 to 127"
)]
pub(super) fn vp8(quality: u8) -> Option<u8> {
    (quality < VP8_UP_TO).then(|| between(&VP8, quality).round().clamp(0.0, 127.0) as u8)
}

/// libwebp's settings for a quality on JPEG's scale.
pub(super) fn webp(quality: u8, effort: Effort) -> WebP {
    let search_from = match effort {
        Effort::Quick => WEBP_SEARCH_FROM,
        Effort::Thorough => WEBP_THOROUGH_FROM,
    };
    if quality >= search_from {
        WebP {
            quality: between(&WEBP_SEARCHED, quality),
            method: SEARCHING,
        }
    } else {
        unsearched(quality)
    }
}

/// The same for a frame of an animation, where our own encoder does not write it: there are many of
/// them, so time counts at any quality.
pub(super) fn webp_frame(quality: u8, effort: Effort) -> WebP {
    match effort {
        Effort::Quick => unsearched(quality),
        Effort::Thorough => webp(quality, effort),
    }
}

/// How far two colours may lie apart, in codes, and still look alike in a frame of an animation, by
/// quality on JPEG's scale: what its quantiser makes of them lies further apart.
const TOLERANCE: [(u8, f32); 7] = [
    (1, 24.0),
    (40, 10.0),
    (60, 6.0),
    (75, 4.0),
    (80, 3.0),
    (90, 1.0),
    (100, 1.0),
];

/// See [`TOLERANCE`].
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "within 1 to 24"
)]
pub(super) fn webp_tolerance(quality: u8) -> u8 {
    between(&TOLERANCE, quality).round().clamp(0.0, 255.0) as u8
}

fn unsearched(quality: u8) -> WebP {
    WebP {
        quality: between(&WEBP_FAST, quality),
        method: FAST,
    }
}

/// What libaom is asked for.
#[cfg_attr(
    not(feature = "avif-encode"),
    allow(dead_code, reason = "for AVIF output alone")
)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Aom {
    /// 0 (best) to 63. Never 0: that is another, lossless, way of coding, at many times the bytes.
    pub(super) level: u8,
    pub(super) depth: Depth,
}

/// Bits of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    Eight,
    Ten,
}

/// From here to [`FULL_COLOUR_FROM`] an AVIF has ten bits: libaom rounds less between its steps,
/// which for the same look saves 2 % of the bytes at 70 and 80 and 5 % at 89, for a tenth more
/// time. Below it saves less than that is worth, and in full colour nothing.
const TEN_BITS_FROM: u8 = 70;

/// JPEG's quality, and libaom's level for eight bits.
#[cfg_attr(
    not(feature = "avif-encode"),
    allow(dead_code, reason = "for AVIF output alone")
)]
const AOM: [(u8, f32); 15] = [
    (1, 63.0),
    (10, 55.0),
    (20, 42.3),
    (30, 35.2),
    (40, 30.7),
    (50, 26.5),
    (60, 23.8),
    (70, 18.9),
    (75, 16.7),
    (80, 14.2),
    (85, 11.2),
    (89, 8.8),
    (90, 7.6),
    (95, 2.8),
    (100, 1.0),
];

/// The same for ten bits.
#[cfg_attr(
    not(feature = "avif-encode"),
    allow(dead_code, reason = "for AVIF output alone")
)]
const AOM_TEN: [(u8, f32); 5] = [(70, 20.1), (75, 18.0), (80, 15.9), (85, 13.4), (89, 11.1)];

/// The depth of an opaque AVIF. One with alpha has eight bits: readers want both alike, and alpha
/// gains nothing.
pub(super) const fn avif_depth(quality: u8) -> Depth {
    match quality {
        TEN_BITS_FROM..FULL_COLOUR_FROM => Depth::Ten,
        _ => Depth::Eight,
    }
}

/// libaom's settings for a quality on JPEG's scale.
#[cfg_attr(
    not(feature = "avif-encode"),
    allow(dead_code, reason = "for AVIF output alone")
)]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "within 1 to 63"
)]
pub(super) fn aom(quality: u8, depth: Depth) -> Aom {
    let levels: &[_] = match depth {
        Depth::Eight => &AOM,
        Depth::Ten => &AOM_TEN,
    };
    Aom {
        level: between(levels, quality).round().clamp(1.0, 63.0) as u8,
        depth,
    }
}

/// The same for alpha: errors in it show at every edge, and its planes cost little.
#[cfg_attr(
    not(feature = "avif-encode"),
    allow(dead_code, reason = "for AVIF output alone")
)]
pub(super) fn aom_alpha(quality: u8) -> Aom {
    let Aom { level, depth } = aom(quality, Depth::Eight);
    Aom {
        level: (level / 2).max(1),
        depth,
    }
}

/// The value at `quality` on straight lines through the points, which are in order.
fn between(points: &[(u8, f32)], quality: u8) -> f32 {
    let after = points.partition_point(|(at, _)| *at <= quality);
    let before = points.get(after.saturating_sub(1)).or(points.first());
    match (before, points.get(after)) {
        (Some(low), Some(high)) if high.0 > low.0 => {
            let share = f32::from(quality.saturating_sub(low.0)) / f32::from(high.0 - low.0);
            low.1 + (high.1 - low.1) * share
        }
        (Some(point), _) => point.1,
        (None, _) => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Effort::{Quick, Thorough};

    #[track_caller]
    fn check(quality: u8, webp_quality: f32, method: u8, level: u8) {
        let expected = WebP {
            quality: webp_quality,
            method,
        };
        assert_eq!(
            (
                webp(quality, Quick),
                aom(quality, avif_depth(quality)).level
            ),
            (expected, level)
        );
    }

    #[test]
    fn qualities_are_those_of_the_tables_and_lie_between_them() {
        assert_eq!([0, 1, 80, 89].map(vp8), [127, 127, 16, 8].map(Some));
        assert_eq!([90, 255].map(vp8), [None, None]);
        check(0, 0.0, FAST, 63);
        check(1, 0.0, FAST, 63);
        check(60, 67.9, FAST, 24);
        check(80, 86.1, FAST, 16);
        check(85, 88.4, SEARCHING, 13);
        check(90, 95.7, SEARCHING, 8);
        check(100, 100.0, SEARCHING, 1);
        check(255, 100.0, SEARCHING, 1);
        let seen = [0, 1, 80, 89].map(jpeg);
        assert_eq!(seen, [1.0, 1.0, 79.3, 89.1].map(Jpeg::Seen));
        assert_eq!([90, 255].map(jpeg), [90.8, 100.0].map(Jpeg::Common));
        let of = |webp: WebP| (webp.quality, webp.method);
        assert_eq!(of(webp_frame(85, Quick)), (89.8, FAST));
        assert_eq!(of(webp_frame(85, Thorough)), (88.4, SEARCHING));
        assert_eq!(of(webp(80, Thorough)), (84.9, SEARCHING));
        assert_eq!(of(webp(75, Thorough)), (82.1, FAST));
        assert!((between(&[(10, 1.0), (20, 2.0)], 15) - 1.5).abs() < 1e-6);
        assert_eq!([1, 100].map(|quality| aom_alpha(quality).level), [31, 1]);
        let depths = [69, 70, 89, 90].map(avif_depth);
        assert_eq!(depths, [Depth::Eight, Depth::Ten, Depth::Ten, Depth::Eight]);
    }

    #[test]
    fn more_quality_is_never_less() {
        for quality in 1..=100 {
            for depth in [Depth::Eight, Depth::Ten] {
                assert!(aom(quality - 1, depth).level >= aom(quality, depth).level);
            }
            if let Some(level) = vp8(quality) {
                assert!(vp8(quality - 1) >= Some(level));
            }
            for effort in [Quick, Thorough] {
                let (lower, higher) = (webp(quality - 1, effort), webp(quality, effort));
                // A search reaches the same look at a lower number.
                assert!(lower.quality <= higher.quality || lower.method < higher.method);
                assert!((0.0..=100.0).contains(&higher.quality));
            }
        }
    }
}
