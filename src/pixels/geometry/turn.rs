//! The eight ways to lay a picture on its grid: EXIF orientations, quarter turns and mirrors.

use super::{Area, Size};

/// One of the eight: first exchange rows and columns (or not), then mirror each axis (or not).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize)]
pub struct Turn {
    /// Rows become columns.
    pub transpose: bool,
    /// Left and right change places, after that.
    pub mirror_x: bool,
    /// Top and bottom change places, after that.
    pub mirror_y: bool,
}

impl Turn {
    /// Nothing.
    pub const NONE: Self = Self::new(false, false, false);

    const fn new(transpose: bool, mirror_x: bool, mirror_y: bool) -> Self {
        Self {
            transpose,
            mirror_x,
            mirror_y,
        }
    }

    /// What makes a picture of this EXIF orientation upright; numbers out of range mean upright.
    #[must_use]
    pub const fn from_exif(orientation: u8) -> Self {
        match orientation {
            2 => Self::new(false, true, false),
            3 => Self::new(false, true, true),
            4 => Self::new(false, false, true),
            5 => Self::new(true, false, false),
            6 => Self::new(true, true, false),
            7 => Self::new(true, true, true),
            8 => Self::new(true, false, true),
            _ => Self::NONE,
        }
    }

    /// Quarter turns, clockwise.
    #[must_use]
    pub const fn quarters(count: u16) -> Self {
        match count % 4 {
            1 => Self::from_exif(6),
            2 => Self::from_exif(3),
            3 => Self::from_exif(8),
            _ => Self::NONE,
        }
    }

    /// Mirrors alone.
    #[must_use]
    pub const fn mirror(horizontal: bool, vertical: bool) -> Self {
        Self::new(false, horizontal, vertical)
    }

    /// This turn, and then another.
    #[must_use]
    pub const fn then(self, next: Self) -> Self {
        // Exchanging rows and columns exchanges the axes of what was mirrored before.
        let (x, y) = if next.transpose {
            (self.mirror_y, self.mirror_x)
        } else {
            (self.mirror_x, self.mirror_y)
        };
        Self::new(
            self.transpose != next.transpose,
            x != next.mirror_x,
            y != next.mirror_y,
        )
    }

    /// The size of a turned picture, and, since a turn either exchanges the sides or does not,
    /// the size of a picture before it was turned.
    #[must_use]
    pub const fn size(self, size: Size) -> Size {
        if self.transpose {
            size.transposed()
        } else {
            size
        }
    }

    /// Where an area of the turned picture (`turned` large) lies in the picture as it was.
    #[must_use]
    pub fn undo(self, area: Area, turned: Size) -> Area {
        let x = if self.mirror_x {
            f64::from(turned.width) - area.x - area.width
        } else {
            area.x
        };
        let y = if self.mirror_y {
            f64::from(turned.height) - area.y - area.height
        } else {
            area.y
        };
        if self.transpose {
            Area {
                x: y,
                y: x,
                width: area.height,
                height: area.width,
            }
        } else {
            Area { x, y, ..area }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(turns: [Turn; 2], expected: Turn) {
        assert_eq!(turns[0].then(turns[1]), expected);
    }

    #[test]
    fn four_quarters_are_nothing() {
        for start in 1..=8 {
            let quarter = Turn::quarters(1);
            let turned = (0..4).fold(Turn::from_exif(start), |turn, _| turn.then(quarter));
            assert_eq!(turned, Turn::from_exif(start));
        }
    }

    #[test]
    fn turns_compose() {
        check([Turn::quarters(1), Turn::quarters(1)], Turn::quarters(2));
        check([Turn::quarters(1), Turn::quarters(2)], Turn::quarters(3));
        check(
            [Turn::from_exif(6), Turn::mirror(true, false)],
            Turn::from_exif(5),
        );
        check(
            [Turn::mirror(true, false), Turn::quarters(1)],
            Turn::from_exif(7),
        );
        check([Turn::mirror(true, true), Turn::NONE], Turn::quarters(2));
    }

    #[test]
    fn a_corner_is_found_again() {
        // The top left pixel of a 2×3 picture that was turned clockwise was its bottom left one.
        let corner = Area {
            x: 0.0,
            y: 0.0,
            width: 1.0,
            height: 1.0,
        };
        let before = Turn::from_exif(6).undo(corner, Size::new(3, 2));
        assert_eq!((before.x, before.y), (0.0, 2.0));
    }
}
