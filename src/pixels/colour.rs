//! Colour: which curve the numbers follow, and how they become sRGB. Knows of no format.
//!
//! Pictures leave as sRGB, with one exception: where the embedded RGB profile reaches visibly
//! further than sRGB (Display P3, Adobe RGB …), the output format carries profiles, and the recipe
//! names no sRGB colour of its own, the numbers and their profile stay as they are.
//! Conversions run after the resize, on few pixels. A profile that cannot be read is taken for
//! sRGB: a picture is never refused for it.

pub mod cmyk;
pub mod curve;
pub mod hdr;
mod icc;

use super::bitmap::{Bitmap, Colour, Layout, Raster, Samples, narrow};
use curve::Curve;

/// The curve between numbers of this meaning and light, for the resize.
///
/// Inks and HDR signals are resized as they are coded: inks have no light of their own before
/// they meet paper, and HDR curves squeeze highlights so much that linear light would ring.
#[must_use]
pub fn curve(colour: &Colour, layout: Layout) -> Curve {
    match (colour, layout) {
        (_, Layout::Cmyk) => Curve::identity(),
        (Colour::Icc(profile), _) => icc::curve(profile).unwrap_or_else(Curve::srgb),
        (Colour::Cicp { transfer, .. }, _) if *transfer == LINEAR || hdr::is_hdr(*transfer) => {
            Curve::identity()
        }
        (Colour::Srgb | Colour::Cicp { .. }, _) => Curve::srgb(),
    }
}

/// Eight bits, and sRGB; or the embedded profile, if `may_keep` and it is worth keeping.
#[must_use]
pub fn finish(bitmap: Bitmap, may_keep: bool) -> Raster {
    let colour = bitmap.colour.clone();
    match (colour, bitmap.layout) {
        (Colour::Icc(profile), Layout::Cmyk) => match icc::inks_to_srgb(&profile, &bitmap) {
            Some(samples) => Raster {
                layout: Layout::Rgb,
                ..as_srgb(&bitmap, samples)
            },
            None => cmyk::to_srgb(&bitmap),
        },
        (_, Layout::Cmyk) => cmyk::to_srgb(&bitmap),
        (Colour::Srgb, _) => plain(bitmap),
        (Colour::Icc(profile), Layout::Gray | Layout::GrayAlpha) => {
            match icc::gray_to_srgb(&profile, &bitmap) {
                Some(samples) => as_srgb(&bitmap, samples),
                None => plain(bitmap),
            }
        }
        (Colour::Icc(profile), _) => {
            if may_keep && let Some(kept) = icc::worth_keeping(&profile) {
                Raster {
                    colour: Colour::Icc(kept.into()),
                    ..plain(bitmap)
                }
            } else if let Some(samples) = icc::rgb_to_srgb(&profile, &bitmap) {
                as_srgb(&bitmap, samples)
            } else {
                plain(bitmap)
            }
        }
        (
            Colour::Cicp {
                primaries,
                transfer,
            },
            layout,
        ) => {
            if hdr::is_hdr(transfer) {
                hdr::to_srgb(&bitmap, primaries, transfer)
            } else if matches!(layout, Layout::Rgb | Layout::Rgba) || transfer == LINEAR {
                match icc::code_points_to_srgb(primaries, transfer, &bitmap) {
                    Some(samples) => as_srgb(&bitmap, samples),
                    None => plain(bitmap),
                }
            } else {
                plain(bitmap)
            }
        }
    }
}

/// The colour that the numbers of a gray or RGB picture will have, where [`finish`] would not
/// change one of them.
#[must_use]
pub fn unchanged(colour: &Colour, gray: bool, may_keep: bool) -> Option<Colour> {
    match colour {
        Colour::Srgb => Some(Colour::Srgb),
        Colour::Icc(profile) if gray => icc::is_plain_gray(profile).then_some(Colour::Srgb),
        Colour::Icc(profile) => {
            let kept = may_keep.then(|| icc::worth_keeping(profile)).flatten();
            match kept {
                Some(kept) => Some(Colour::Icc(kept.into())),
                None => icc::is_plain_rgb(profile).then_some(Colour::Srgb),
            }
        }
        Colour::Cicp { .. } => None,
    }
}

/// H.273's transfer characteristic of linear light.
const LINEAR: u8 = 8;

/// The numbers as they are.
fn plain(bitmap: Bitmap) -> Raster {
    Raster {
        size: bitmap.size,
        layout: bitmap.layout,
        samples: bitmap.samples.into_u8(),
        colour: Colour::Srgb,
    }
}

/// Other numbers for the same pixels.
fn as_srgb(bitmap: &Bitmap, samples: Vec<u8>) -> Raster {
    Raster {
        size: bitmap.size,
        layout: bitmap.layout,
        samples,
        colour: Colour::Srgb,
    }
}

/// Sixteen bits to eight, in a new buffer.
fn narrowed(samples: &Samples) -> Vec<u8> {
    match samples {
        Samples::U8(samples) => samples.clone(),
        Samples::U16(samples) => samples.iter().copied().map(narrow).collect(),
    }
}

#[cfg(test)]
pub(in crate::pixels) mod tests {
    use std::sync::Arc;

    use moxcms::ColorProfile;

    use super::*;
    use crate::pixels::geometry::Size;

    fn pixel(layout: Layout, colour: Colour, samples: &[u8]) -> Bitmap {
        Bitmap {
            size: Size::new(1, 1),
            layout,
            samples: Samples::U8(samples.to_vec()),
            colour,
        }
    }

    fn icc(profile: &ColorProfile) -> Colour {
        Colour::Icc(Arc::from(profile.encode().unwrap()))
    }

    /// The colour of most phones' pictures.
    pub(in crate::pixels) fn display_p3() -> Colour {
        icc(&ColorProfile::new_display_p3())
    }

    #[track_caller]
    fn check(bitmap: Bitmap, expected: &[u8]) {
        let raster = finish(bitmap, false);
        assert_eq!(raster.colour, Colour::Srgb);
        assert_eq!(raster.samples.len(), expected.len());
        for (found, wanted) in raster.samples.iter().zip(expected) {
            assert!(
                found.abs_diff(*wanted) <= 2,
                "{:?} is not {expected:?}",
                raster.samples
            );
        }
    }

    #[test]
    fn srgb_is_left_alone() {
        check(pixel(Layout::Rgb, Colour::Srgb, &[1, 2, 3]), &[1, 2, 3]);
        check(
            pixel(Layout::Rgb, icc(&ColorProfile::new_srgb()), &[1, 2, 3]),
            &[1, 2, 3],
        );
    }

    #[test]
    fn a_wide_profile_is_converted() {
        let p3 = icc(&ColorProfile::new_display_p3());
        // Reference values of the CSS colour space definition: color(display-p3 .5 .25 .75) etc.
        check(
            pixel(Layout::Rgb, p3.clone(), &[128, 128, 128]),
            &[128, 128, 128],
        );
        check(
            pixel(Layout::Rgba, p3.clone(), &[255, 255, 255, 77]),
            &[255, 255, 255, 77],
        );
        check(pixel(Layout::Rgb, p3, &[234, 51, 35]), &[255, 0, 0]);
    }

    #[test]
    fn a_wide_profile_is_kept_where_it_may_be() {
        let p3 = icc(&ColorProfile::new_display_p3());
        let raster = finish(pixel(Layout::Rgb, p3, &[234, 51, 35]), true);
        assert_eq!(raster.samples, [234, 51, 35]);
        check(
            pixel(Layout::Rgb, raster.colour, &[234, 51, 35]),
            &[255, 0, 0],
        );
        let srgb = finish(
            pixel(Layout::Rgb, icc(&ColorProfile::new_srgb()), &[9, 9, 9]),
            true,
        );
        assert_eq!(srgb.colour, Colour::Srgb);
    }

    #[test]
    fn what_is_unchanged_is_known_beforehand() {
        let gray = ColorProfile::new_gray_with_gamma(2.2);
        let profiles = [
            ColorProfile::new_srgb(),
            ColorProfile::new_display_p3(),
            ColorProfile::new_aces_cg_linear(),
            gray,
        ];
        let bad = Colour::Icc(Arc::from(&b"not a profile"[..]));
        let colours = profiles.iter().map(icc).chain([Colour::Srgb, bad]);
        for (colour, may_keep) in
            colours.flat_map(|colour| [(colour.clone(), true), (colour, false)])
        {
            for (layout, numbers) in [(Layout::Gray, &[77][..]), (Layout::Rgb, &[200, 40, 90])] {
                let raster = finish(pixel(layout, colour.clone(), numbers), may_keep);
                let same = (raster.samples == numbers).then_some(raster.colour);
                let known = unchanged(&colour, layout == Layout::Gray, may_keep);
                assert!(
                    known.is_none() || known == same,
                    "{layout:?} {may_keep} {colour:?}"
                );
            }
        }
        let p3 = icc(&ColorProfile::new_display_p3());
        assert!(unchanged(&p3, false, false).is_none());
        assert!(matches!(unchanged(&p3, false, true), Some(Colour::Icc(_))));
        assert_eq!(
            unchanged(&icc(&ColorProfile::new_srgb()), false, true),
            Some(Colour::Srgb)
        );
    }

    /// Chromium shows nothing of an AVIF whose profile it cannot read.
    #[test]
    fn a_flawed_profile_is_kept_without_its_flaw() {
        let mut flawed = ColorProfile::new_display_p3();
        flawed.white_point.x = 0.5;
        let raster = finish(pixel(Layout::Rgb, icc(&flawed), &[234, 51, 35]), true);
        let Colour::Icc(kept) = raster.colour else {
            panic!("{:?} is no profile", raster.colour);
        };
        let kept = ColorProfile::new_from_slice(&kept).unwrap();
        let white = ColorProfile::new_srgb().white_point;
        assert!((kept.white_point.x - white.x).abs() < 1e-4);
        assert!(kept.cicp.is_none());
    }

    #[test]
    fn a_wide_profile_of_linear_light_is_not_kept() {
        // Eight bits of linear light show bands.
        let linear = icc(&ColorProfile::new_aces_cg_linear());
        assert_eq!(
            finish(pixel(Layout::Rgb, linear, &[55, 55, 55]), true).colour,
            Colour::Srgb
        );
    }

    #[test]
    fn a_bad_profile_is_taken_for_srgb() {
        let bad = Colour::Icc(Arc::from(&b"not a profile"[..]));
        check(pixel(Layout::Rgb, bad.clone(), &[1, 2, 3]), &[1, 2, 3]);
        check(pixel(Layout::Gray, bad.clone(), &[9]), &[9]);
        check(pixel(Layout::Cmyk, bad, &[0, 0, 0, 0]), &[255, 255, 255]);
    }

    #[test]
    fn a_profile_for_other_channels_is_ignored() {
        let gray = icc(&ColorProfile::new_gray_with_gamma(1.0));
        check(pixel(Layout::Rgb, gray, &[55, 55, 55]), &[55, 55, 55]);
    }

    #[test]
    fn gray_stays_one_channel() {
        let linear = icc(&ColorProfile::new_gray_with_gamma(1.0));
        check(pixel(Layout::Gray, linear.clone(), &[55]), &[128]);
        check(pixel(Layout::GrayAlpha, linear, &[55, 99]), &[128, 99]);
    }

    #[test]
    fn inks_without_a_profile_look_printed() {
        check(
            pixel(Layout::Cmyk, Colour::Srgb, &[0, 0, 0, 0]),
            &[255, 255, 255],
        );
        check(
            pixel(Layout::Cmyk, Colour::Srgb, &[255, 0, 0, 0]),
            &[0, 156, 228],
        );
        check(
            pixel(Layout::Cmyk, Colour::Srgb, &[0, 0, 0, 255]),
            &[41, 35, 43],
        );
    }

    #[test]
    fn code_points_of_video_are_srgb_in_practice() {
        for (primaries, transfer) in [(1, 13), (1, 1), (2, 2), (6, 6), (0, 0), (5, 6)] {
            let colour = Colour::Cicp {
                primaries,
                transfer,
            };
            check(pixel(Layout::Rgb, colour, &[200, 40, 60]), &[200, 40, 60]);
        }
    }

    #[test]
    fn code_points_of_p3_are_converted() {
        let p3 = Colour::Cicp {
            primaries: 12,
            transfer: 13,
        };
        check(pixel(Layout::Rgb, p3, &[234, 51, 35]), &[255, 0, 0]);
    }

    #[test]
    fn linear_code_points_are_converted_at_their_own_depth() {
        let bitmap = Bitmap {
            size: Size::new(1, 1),
            layout: Layout::Rgb,
            samples: Samples::U16(vec![66, 66, 66]),
            colour: Colour::Cicp {
                primaries: 1,
                transfer: 8,
            },
        };
        // 66 / 65535 of the light is code 3.3 of sRGB; eight bits would have called it 0.
        check(bitmap, &[3, 3, 3]);
    }

    #[test]
    fn sixteen_bits_become_eight() {
        let bitmap = Bitmap {
            size: Size::new(1, 1),
            layout: Layout::Gray,
            samples: Samples::U16(vec![65_535]),
            colour: Colour::Srgb,
        };
        check(bitmap, &[255]);
    }
}
