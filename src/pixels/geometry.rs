//! Whole-pixel arithmetic: sizes, boxes, turns, and how a picture meets a box. Knows of no pixel
//! and of no recipe; the plan that a recipe makes of one source is `render::plan`.

pub mod fit;
pub mod turn;

pub use turn::Turn;

/// Width and height in pixels; both at least 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
pub struct Size {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

impl Size {
    /// A size, each side raised to 1 if it is 0.
    #[must_use]
    pub const fn new(width: u32, height: u32) -> Self {
        Self {
            width: if width == 0 { 1 } else { width },
            height: if height == 0 { 1 } else { height },
        }
    }

    /// Width × height; cannot overflow.
    #[must_use]
    pub const fn pixels(self) -> u64 {
        self.width as u64 * self.height as u64
    }

    /// Width and height exchanged.
    #[must_use]
    pub const fn transposed(self) -> Self {
        Self {
            width: self.height,
            height: self.width,
        }
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}×{}", self.width, self.height)
    }
}

/// A rectangle of whole pixels, inside some picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
pub struct Rect {
    /// Left edge.
    pub x: u32,
    /// Top edge.
    pub y: u32,
    /// Pixels across, at least 1.
    pub width: u32,
    /// Pixels down, at least 1.
    pub height: u32,
}

impl Rect {
    /// All of a picture.
    #[must_use]
    pub const fn whole(size: Size) -> Self {
        Self {
            x: 0,
            y: 0,
            width: size.width,
            height: size.height,
        }
    }

    /// Its sides.
    #[must_use]
    pub const fn size(self) -> Size {
        Size::new(self.width, self.height)
    }
}

/// A rectangle between pixels: where a resize takes its samples from.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Area {
    /// Left edge.
    pub x: f64,
    /// Top edge.
    pub y: f64,
    /// Extent across, more than 0.
    pub width: f64,
    /// Extent down, more than 0.
    pub height: f64,
}

impl Area {
    /// The whole pixels that it consists of, if its edges lie between pixels exactly.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole, not negative, and inside a picture whose sides are u32"
    )]
    pub fn as_rect(self) -> Option<Rect> {
        let whole =
            |value: f64| value.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&value);
        let edges = [self.x, self.y, self.width, self.height];
        edges.into_iter().all(whole).then_some(Rect {
            x: self.x as u32,
            y: self.y as u32,
            width: self.width as u32,
            height: self.height as u32,
        })
    }
}

impl From<Rect> for Area {
    fn from(rect: Rect) -> Self {
        Self {
            x: rect.x.into(),
            y: rect.y.into(),
            width: rect.width.into(),
            height: rect.height.into(),
        }
    }
}

/// A share of a whole, in millionths: exact, so that recipes can be compared and hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
pub struct Share(pub u32);

impl Share {
    /// One half.
    pub const HALF: Self = Self(500_000);
    /// The whole.
    pub const ONE: u32 = 1_000_000;

    /// As a number from 0 to 1.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        f64::from(self.0) / f64::from(Self::ONE)
    }
}

/// A length: whole pixels, or a share of the source's side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
pub enum Length {
    /// Pixels, before `dpr` is applied.
    Pixels(u32),
    /// A share of the source's side, more than 0 and less than 1.
    Share(Share),
}

/// How the picture meets the box: CSS `object-fit`, and the words that services add to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize)]
pub enum Fit {
    /// The whole picture, inside the box.
    #[default]
    Inside,
    /// Exactly the box; what does not fit is cropped.
    Cover,
    /// As `Cover`, but the box shrinks, keeping its ratio, rather than enlarge the picture.
    Min,
    /// Exactly the box; the whole picture, on a background.
    Pad,
    /// As `Pad`, but the edge pixels are drawn out instead of a background.
    Clamp,
    /// Exactly the box; the ratio of the sides is given up.
    Stretch,
}

/// Which part is kept when something is cropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
pub enum Gravity {
    /// The crop is centred on this point of the picture (shares of width and height), as far as
    /// the edges allow: (0, 0) keeps the top left corner, (½, ½) the middle.
    Point {
        /// From the left.
        x: Share,
        /// From the top.
        y: Share,
    },
    /// The part with the most detail.
    Entropy,
    /// The part that draws the eye: see `ops::salience`.
    Smart,
}

/// `value * numerator / denominator` to the nearest pixel, never less than one.
///
/// A 10000×1 banner asked for at 100 wide would otherwise round to a height of nothing.
/// A result past `u32::MAX` is `u32::MAX`, and so is one whose denominator is 0: the limits on
/// outputs are far below both.
#[must_use]
pub fn scaled(value: u32, numerator: u64, denominator: u64) -> u32 {
    let rounded = u128::from(value) * u128::from(numerator) + u128::from(denominator / 2);
    let quotient = rounded
        .checked_div(u128::from(denominator))
        .unwrap_or(u128::from(u32::MAX));
    u32::try_from(quotient).unwrap_or(u32::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(value: u32, numerator: u64, denominator: u64, expected: u32) {
        assert_eq!(scaled(value, numerator, denominator), expected);
    }

    #[test]
    fn scaling_rounds_to_the_nearest_pixel() {
        check(3000, 800, 4000, 600);
        check(3, 1, 2, 2);
        check(5, 1, 4, 1);
    }

    #[test]
    fn scaling_never_gives_nothing() {
        check(1, 100, 10_000, 1);
        check(0, 1, 1, 1);
    }

    #[test]
    fn scaling_does_not_overflow() {
        check(u32::MAX, u64::MAX, 1, u32::MAX);
        check(1, 1, 0, u32::MAX);
        check(u32::MAX, u64::MAX, u64::MAX, u32::MAX);
    }

    #[test]
    fn an_area_with_whole_edges_is_a_rectangle() {
        let rect = Rect {
            x: 1,
            y: 2,
            width: 3,
            height: 4,
        };
        assert_eq!(Area::from(rect).as_rect(), Some(rect));
        let between = Area {
            x: 0.5,
            ..rect.into()
        };
        assert_eq!(between.as_rect(), None);
    }
}
