//! How far things reach, in pixels: boxes, and the outlines of paths. Errs high.

use resvg::{
    tiny_skia::{self, PathSegment, Transform},
    usvg::NonZeroRect,
};

/// Sides of a pixmap.
#[derive(Clone, Copy)]
pub(super) struct Area {
    pub(super) width: f64,
    pub(super) height: f64,
}

impl Area {
    pub(super) fn pixels(self) -> f64 {
        self.width * self.height
    }

    pub(super) fn within(self, other: Self) -> Self {
        Self {
            width: self.width.min(other.width),
            height: self.height.min(other.height),
        }
    }
}

/// An outline in pixels.
pub(super) struct Outline {
    /// Straight pieces, curves cut up.
    pub(super) pieces: f64,
    /// Rows that the pieces cross.
    pub(super) rows: f64,
    /// Length in the path's own units, at most.
    pub(super) length: f64,
    /// Whether it has no curves.
    pub(super) is_straight: bool,
}

impl Outline {
    pub(super) fn of(path: &tiny_skia::Path, ts: Transform, on: Area) -> Self {
        const CUTS: f64 = 16.0;
        let mut outline = Self {
            pieces: 1.0,
            rows: 0.0,
            length: 0.0,
            is_straight: true,
        };
        let scale = f64::from(magnified(ts));
        let (mut start, mut last) = (tiny_skia::Point::zero(), tiny_skia::Point::zero());
        for segment in path.segments() {
            let (points, pieces): (&[tiny_skia::Point], f64) = match &segment {
                PathSegment::MoveTo(point) => {
                    (start, last) = (*point, *point);
                    continue;
                }
                PathSegment::LineTo(point) => (&[*point], 1.0),
                PathSegment::QuadTo(a, b) => (&[*a, *b], CUTS),
                PathSegment::CubicTo(a, b, c) => (&[*a, *b, *c], CUTS),
                PathSegment::Close => (&[start], 1.0),
            };
            outline.pieces += pieces;
            outline.is_straight &= points.len() == 1;
            for &point in points {
                let (across, down) = (point.x - last.x, point.y - last.y);
                let length = f64::from(across).hypot(f64::from(down));
                outline.length += length;
                outline.rows += (length * scale).min(on.height);
                last = point;
            }
        }
        outline
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of parts of one text")]
pub(super) fn number(count: usize) -> f64 {
    count as f64
}

/// How much a length may grow.
pub(super) fn magnified(ts: Transform) -> f32 {
    let (across, down) = ts.get_scale();
    across.max(down).abs()
}

/// How far from the canvas' corner a transformed box reaches, on either axis.
pub(super) fn reach(rect: tiny_skia::Rect, ts: Transform) -> f64 {
    let (x, y) = (
        f64::from(rect.left().abs().max(rect.right().abs())),
        f64::from(rect.top().abs().max(rect.bottom().abs())),
    );
    let along = |of_x: f32, of_y: f32, moved: f32| {
        x * f64::from(of_x).abs() + y * f64::from(of_y).abs() + f64::from(moved).abs()
    };
    along(ts.sx, ts.kx, ts.tx).max(along(ts.ky, ts.sy, ts.ty))
}

/// The sides of a transformed box, with the margin that the rasteriser adds.
pub(super) fn extent(rect: NonZeroRect, ts: Transform) -> Area {
    box_extent(rect.to_rect(), ts)
}

pub(super) fn box_extent(rect: tiny_skia::Rect, ts: Transform) -> Area {
    const MARGIN: f64 = 5.0;
    let side = |own: f32, other: f32, of_own: f32, of_other: f32| {
        (f64::from(own) * f64::from(of_own).abs() + f64::from(other) * f64::from(of_other).abs())
            .max(0.0)
            + MARGIN
    };
    Area {
        width: side(rect.width(), rect.height(), ts.sx, ts.kx),
        height: side(rect.height(), rect.width(), ts.sy, ts.ky),
    }
}
