//! Whole-pixel arithmetic: sizes, boxes, and the plan that a recipe makes of one source size.

/// Width and height in pixels; both at least 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Size {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

/// A rectangle of whole pixels, inside some picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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

/// A share of a whole, in millionths: exact, so that recipes can be compared and hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Share(pub u32);

/// A length: whole pixels, or a share of the source's side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Length {
    /// Pixels, before `dpr` is applied.
    Pixels(u32),
    /// A share of the source's side, more than 0 and less than 1.
    Share(Share),
}

/// How the picture meets the box: CSS `object-fit`, and the words that services add to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
}
