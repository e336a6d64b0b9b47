//! How a picture meets a box: sizes in, sizes out.

use super::{Fit, Size, scaled};

/// A box in output pixels, and what to do with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wish {
    /// `None`: as the height and the ratio make it.
    pub width: Option<u32>,
    /// `None`: as the width and the ratio make it.
    pub height: Option<u32>,
    /// Width over height of the box, where a side is missing.
    pub ratio: Option<(u32, u32)>,
    /// Ceiling on the width.
    pub max_width: Option<u32>,
    /// Ceiling on the height.
    pub max_height: Option<u32>,
    /// How the picture meets the box.
    pub fit: Fit,
    /// Whether pixels may be made up.
    pub enlarge: bool,
}

/// How it comes out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Met {
    /// Extent of the source that is used, across; at most the source's width.
    pub used_width: f64,
    /// Extent of the source that is used, down; at most the source's height.
    pub used_height: f64,
    /// Its size after the resize.
    pub content: Size,
    /// The canvas that it stands on; larger than the content only for `Pad` and `Clamp`.
    pub canvas: Size,
    /// Whether exactly this canvas was asked for, so that a smaller one would be another answer.
    pub exact: bool,
}

/// The box, as far as it is known without the picture's own ratio.
enum Target {
    /// At most these sides; the picture's own ratio decides the rest.
    Within(Option<u32>, Option<u32>),
    /// Both sides.
    Box(Size),
}

/// Fits a source of this size into what is wished.
#[must_use]
pub fn meet(source: Size, wish: &Wish) -> Met {
    let target = match target(source, wish) {
        Target::Within(width, height) => {
            // Ceilings alone ask for nothing, so they make nothing larger.
            let enlarge = wish.enlarge && (wish.width.is_some() || wish.height.is_some());
            return whole(source, inside(source, width, height, enlarge), false);
        }
        Target::Box(size) => size,
    };
    let sides_given = wish.width.is_some() && wish.height.is_some();
    match wish.fit {
        Fit::Inside if sides_given => {
            let (width, height) = (Some(target.width), Some(target.height));
            whole(source, inside(source, width, height, wish.enlarge), false)
        }
        // A ratio of its own makes a box that a picture can only cover.
        Fit::Inside | Fit::Cover => cover(source, target, wish.enlarge),
        Fit::Min => cover(source, target, false),
        Fit::Pad | Fit::Clamp => {
            let (width, height) = (Some(target.width), Some(target.height));
            let content = inside(source, width, height, wish.enlarge);
            Met {
                canvas: target,
                ..whole(source, content, true)
            }
        }
        Fit::Stretch if wish.enlarge => whole(source, target, true),
        Fit::Stretch => {
            let width = target.width.min(source.width);
            whole(
                source,
                Size::new(width, target.height.min(source.height)),
                false,
            )
        }
    }
}

/// The largest size of the same ratio, or the size itself, with no side and no area above these.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a side times a share from 0 to 1"
)]
pub fn shrink_into(size: Size, longest: u32, pixels: u64) -> Size {
    let size = inside(size, Some(longest), Some(longest), false);
    if size.pixels() <= pixels {
        return size;
    }
    // Rounded down, so that the area stays below.
    let share = (pixels as f64 / size.pixels() as f64).sqrt();
    let scale = |value: u32| ((f64::from(value) * share) as u32).max(1);
    let (width, height) = (scale(size.width), scale(size.height));
    // A side that was raised to 1 leaves the other one too long.
    let most = u32::try_from(pixels).unwrap_or(u32::MAX).max(1);
    Size::new(width.min(most), height.min(most))
}

fn target(source: Size, wish: &Wish) -> Target {
    let under = |value: u32, ceiling: Option<u32>| value.min(ceiling.unwrap_or(u32::MAX)).max(1);
    let width = wish.width.map(|width| under(width, wish.max_width));
    let height = wish.height.map(|height| under(height, wish.max_height));
    let ratio = wish.ratio.filter(|&(across, down)| across > 0 && down > 0);
    let of_ratio = match (width, height, ratio) {
        (Some(width), Some(height), _) => return Target::Box(Size::new(width, height)),
        (_, _, None) => {
            return Target::Within(width.or(wish.max_width), height.or(wish.max_height));
        }
        (Some(width), None, Some((across, down))) => {
            Size::new(width, scaled(width, down.into(), across.into()))
        }
        (None, Some(height), Some((across, down))) => {
            Size::new(scaled(height, across.into(), down.into()), height)
        }
        (None, None, Some((across, down))) => largest_of_ratio(source, across, down),
    };
    Target::Box(inside(of_ratio, wish.max_width, wish.max_height, false))
}

/// The largest box of this ratio that the source covers.
fn largest_of_ratio(source: Size, across: u32, down: u32) -> Size {
    let wider =
        u64::from(across) * u64::from(source.height) >= u64::from(down) * u64::from(source.width);
    if wider {
        Size::new(
            source.width,
            scaled(source.width, down.into(), across.into()),
        )
    } else {
        Size::new(
            scaled(source.height, across.into(), down.into()),
            source.height,
        )
    }
}

/// The whole source at this size.
fn whole(source: Size, content: Size, exact: bool) -> Met {
    Met {
        used_width: source.width.into(),
        used_height: source.height.into(),
        content,
        canvas: content,
        exact,
    }
}

/// The source's ratio, as large as the sides allow.
fn inside(source: Size, width: Option<u32>, height: Option<u32>, enlarge: bool) -> Size {
    let by_width = width.map(|width| {
        let height = scaled(source.height, width.into(), source.width.into());
        Size::new(width, height)
    });
    let by_height = height.map(|height| {
        let width = scaled(source.width, height.into(), source.height.into());
        Size::new(width, height)
    });
    let size = match (by_width, by_height, width, height) {
        (Some(one), Some(other), Some(width), Some(height)) => {
            // The side that allows less: width / source.width against height / source.height.
            let less = u64::from(width) * u64::from(source.height)
                <= u64::from(height) * u64::from(source.width);
            if less { one } else { other }
        }
        (one, other, _, _) => one.or(other).unwrap_or(source),
    };
    let larger = size.width > source.width || size.height > source.height;
    if larger && !enlarge { source } else { size }
}

/// Exactly the box, or, rather than enlarge, the largest of its ratio in the source.
fn cover(source: Size, target: Size, enlarge: bool) -> Met {
    let (width, height) = (f64::from(source.width), f64::from(source.height));
    let ratio = f64::from(target.width) / f64::from(target.height);
    let wider = u64::from(target.width) * u64::from(source.height)
        >= u64::from(target.height) * u64::from(source.width);
    let (used_width, used_height) = if wider {
        (width, (width / ratio).min(height))
    } else {
        ((height * ratio).min(width), height)
    };
    let larger = if wider {
        target.width > source.width
    } else {
        target.height > source.height
    };
    let content = if larger && !enlarge {
        largest_of_ratio(source, target.width, target.height)
    } else {
        target
    };
    Met {
        used_width,
        used_height,
        content,
        canvas: content,
        exact: enlarge,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WISH: Wish = Wish {
        width: None,
        height: None,
        ratio: None,
        max_width: None,
        max_height: None,
        fit: Fit::Inside,
        enlarge: false,
    };

    fn boxed(width: u32, height: u32, fit: Fit, enlarge: bool) -> Wish {
        Wish {
            width: Some(width),
            height: Some(height),
            fit,
            enlarge,
            ..WISH
        }
    }

    #[track_caller]
    fn check(source: (u32, u32), wish: Wish, expected: (u32, u32)) {
        let met = meet(Size::new(source.0, source.1), &wish);
        assert_eq!((met.canvas.width, met.canvas.height), expected);
    }

    #[test]
    fn nothing_asked_changes_nothing() {
        check((4000, 3000), WISH, (4000, 3000));
        check(
            (4000, 3000),
            Wish {
                enlarge: true,
                max_width: Some(8000),
                ..WISH
            },
            (4000, 3000),
        );
    }

    #[test]
    fn one_side_keeps_the_ratio() {
        check(
            (4000, 3000),
            Wish {
                width: Some(800),
                ..WISH
            },
            (800, 600),
        );
        check(
            (4000, 3000),
            Wish {
                height: Some(600),
                ..WISH
            },
            (800, 600),
        );
        check(
            (4000, 3000),
            Wish {
                width: Some(640),
                fit: Fit::Cover,
                ..WISH
            },
            (640, 480),
        );
        check(
            (4000, 3000),
            Wish {
                width: Some(640),
                fit: Fit::Pad,
                ..WISH
            },
            (640, 480),
        );
        check(
            (450, 600),
            Wish {
                width: Some(200),
                ..WISH
            },
            (200, 267),
        );
    }

    #[test]
    fn one_side_does_not_enlarge_unless_asked() {
        check(
            (4000, 3000),
            Wish {
                width: Some(4800),
                ..WISH
            },
            (4000, 3000),
        );
        check(
            (400, 300),
            Wish {
                width: Some(800),
                enlarge: true,
                ..WISH
            },
            (800, 600),
        );
    }

    #[test]
    fn inside_fits_the_box() {
        check(
            (4000, 3000),
            boxed(800, 800, Fit::Inside, false),
            (800, 600),
        );
        check(
            (3000, 4000),
            boxed(800, 800, Fit::Inside, false),
            (600, 800),
        );
        check((40, 30), boxed(800, 800, Fit::Inside, false), (40, 30));
        check((40, 30), boxed(800, 800, Fit::Inside, true), (800, 600));
    }

    #[test]
    fn cover_crops_to_the_box() {
        check((4000, 3000), boxed(500, 500, Fit::Cover, true), (500, 500));
        check((100, 100), boxed(500, 250, Fit::Cover, true), (500, 250));
        let met = meet(Size::new(4000, 3000), &boxed(500, 500, Fit::Cover, true));
        assert_eq!((met.used_width, met.used_height), (3000.0, 3000.0));
        assert!(met.exact);
    }

    #[test]
    fn min_shrinks_the_box_rather_than_enlarge() {
        check((4000, 3000), boxed(500, 500, Fit::Min, true), (500, 500));
        check(
            (4000, 3000),
            boxed(8000, 8000, Fit::Min, true),
            (3000, 3000),
        );
        check(
            (4000, 3000),
            boxed(8000, 2000, Fit::Cover, false),
            (4000, 1000),
        );
    }

    #[test]
    fn pad_and_clamp_stand_on_the_box() {
        check((4000, 3000), boxed(500, 500, Fit::Pad, false), (500, 500));
        check((40, 30), boxed(500, 500, Fit::Clamp, false), (500, 500));
        let met = meet(Size::new(40, 30), &boxed(500, 500, Fit::Pad, false));
        assert_eq!(met.content, Size::new(40, 30));
        let met = meet(Size::new(40, 30), &boxed(500, 500, Fit::Pad, true));
        assert_eq!(met.content, Size::new(500, 375));
    }

    #[test]
    fn stretch_gives_up_the_ratio() {
        check(
            (4000, 3000),
            boxed(500, 300, Fit::Stretch, true),
            (500, 300),
        );
        check(
            (400, 3000),
            boxed(500, 300, Fit::Stretch, false),
            (400, 300),
        );
    }

    #[test]
    fn a_ratio_makes_the_other_side() {
        let ratio = Some((2, 1));
        check(
            (4000, 3000),
            Wish {
                width: Some(640),
                ratio,
                ..WISH
            },
            (640, 320),
        );
        check(
            (4000, 3000),
            Wish {
                height: Some(320),
                ratio,
                ..WISH
            },
            (640, 320),
        );
        check((4000, 3000), Wish { ratio, ..WISH }, (4000, 2000));
        check(
            (4000, 3000),
            Wish {
                ratio: Some((1, 2)),
                ..WISH
            },
            (1500, 3000),
        );
        check(
            (4000, 3000),
            Wish {
                ratio,
                ..boxed(500, 500, Fit::Cover, true)
            },
            (500, 500),
        );
        check(
            (4000, 3000),
            Wish {
                ratio: Some((0, 1)),
                width: Some(800),
                ..WISH
            },
            (800, 600),
        );
    }

    #[test]
    fn ceilings_bind_before_the_other_side_is_made() {
        let ceiling = Wish {
            max_width: Some(640),
            ..WISH
        };
        check((4000, 3000), ceiling, (640, 480));
        check(
            (4000, 3000),
            Wish {
                width: Some(900),
                fit: Fit::Cover,
                enlarge: true,
                ..ceiling
            },
            (640, 480),
        );
        check(
            (4000, 3000),
            Wish {
                width: Some(900),
                ratio: Some((1, 1)),
                ..ceiling
            },
            (640, 640),
        );
        check(
            (4000, 3000),
            Wish {
                max_height: Some(100),
                width: Some(900),
                ..WISH
            },
            (133, 100),
        );
        check(
            (4000, 3000),
            Wish {
                max_width: Some(400),
                ..boxed(500, 500, Fit::Cover, true)
            },
            (400, 500),
        );
    }

    #[test]
    fn extreme_ratios_keep_one_pixel() {
        check(
            (10_000, 1),
            Wish {
                width: Some(100),
                ..WISH
            },
            (100, 1),
        );
        check((1, 10_000), boxed(100, 100, Fit::Inside, false), (1, 100));
        check((10_000, 1), boxed(50, 50, Fit::Cover, false), (1, 1));
    }

    #[test]
    fn limits_shrink_and_keep_the_ratio() {
        assert_eq!(
            shrink_into(Size::new(4000, 3000), 4000, 12_000_000),
            Size::new(4000, 3000)
        );
        assert_eq!(
            shrink_into(Size::new(4000, 3000), 3999, 12_000_000),
            Size::new(3999, 2999)
        );
        let shrunk = shrink_into(Size::new(4000, 3000), 4000, 11_999_999);
        assert!(
            shrunk.pixels() <= 11_999_999 && shrunk.width == 3999,
            "{shrunk}"
        );
        assert_eq!(
            shrink_into(Size::new(10_000, 1), 10_000, 100),
            Size::new(100, 1)
        );
    }

    fn side() -> impl Strategy<Value = u32> {
        prop_oneof![1..5_u32, 1..5000_u32, 1..100_000_u32]
    }

    fn fits() -> impl Strategy<Value = Fit> {
        let all = [
            Fit::Inside,
            Fit::Cover,
            Fit::Min,
            Fit::Pad,
            Fit::Clamp,
            Fit::Stretch,
        ];
        proptest::sample::select(all.to_vec())
    }

    prop_compose! {
        fn wishes()(
            width in proptest::option::of(side()),
            height in proptest::option::of(side()),
            ratio in proptest::option::of((1..100_u32, 1..100_u32)),
            max_width in proptest::option::of(side()),
            max_height in proptest::option::of(side()),
            fit in fits(),
            enlarge: bool,
        ) -> Wish {
            Wish { width, height, ratio, max_width, max_height, fit, enlarge }
        }
    }

    proptest! {
        #[test]
        fn sizes_are_never_nothing_and_never_above_a_ceiling(w in side(), h in side(), wish in wishes()) {
            let met = meet(Size::new(w, h), &wish);
            prop_assert!(met.content.width > 0 && met.content.height > 0);
            prop_assert!(met.canvas.width >= met.content.width);
            prop_assert!(met.canvas.height >= met.content.height);
            prop_assert!(met.used_width > 0.0 && met.used_width <= f64::from(w));
            prop_assert!(met.used_height > 0.0 && met.used_height <= f64::from(h));
            prop_assert!(wish.max_width.is_none_or(|max| met.canvas.width <= max));
            prop_assert!(wish.max_height.is_none_or(|max| met.canvas.height <= max));
        }

        #[test]
        fn nothing_is_enlarged_unless_asked(w in side(), h in side(), wish in wishes()) {
            let met = meet(Size::new(w, h), &Wish { enlarge: false, ..wish });
            prop_assert!(met.content.width <= w && met.content.height <= h);
        }

        #[test]
        fn inside_stays_in_the_box_and_keeps_the_ratio(w in side(), h in side(), bw in side(), bh in side(), enlarge: bool) {
            let met = meet(Size::new(w, h), &boxed(bw, bh, Fit::Inside, enlarge));
            let size = met.content;
            prop_assert!(size.width <= bw && size.height <= bh);
            // Within one pixel of the ratio, measured along the side that was derived.
            let scale = (f64::from(size.width) / f64::from(w)).max(f64::from(size.height) / f64::from(h));
            let off_width = (f64::from(w) * scale - f64::from(size.width)).abs();
            let off_height = (f64::from(h) * scale - f64::from(size.height)).abs();
            let raised = size.width == 1 || size.height == 1;
            prop_assert!(raised || (off_width <= 1.0 + f64::from(w) / f64::from(h) && off_height <= 1.0 + f64::from(h) / f64::from(w)));
        }

        #[test]
        fn cover_is_the_box_and_uses_its_ratio(w in side(), h in side(), bw in side(), bh in side()) {
            let met = meet(Size::new(w, h), &boxed(bw, bh, Fit::Cover, true));
            prop_assert_eq!(met.canvas, Size::new(bw, bh));
            let used = met.used_width / met.used_height;
            let asked = f64::from(bw) / f64::from(bh);
            prop_assert!((used / asked - 1.0).abs() < 1e-9);
        }

        #[test]
        fn shrinking_respects_both_limits(w in side(), h in side(), side in side(), pixels in 1..1_000_000_u64) {
            let shrunk = shrink_into(Size::new(w, h), side, pixels);
            prop_assert!(shrunk.width <= side && shrunk.height <= side);
            prop_assert!(shrunk.pixels() <= pixels);
        }
    }
}
