//! What drawing a tree takes, in steps and in bytes, before it is drawn: the rasteriser knows no
//! limit, and nobody can stop it.
//!
//! A step is about a nanosecond. The walk follows the rasteriser: the same layers, masks and
//! filters, with boxes instead of pixels. It errs high, and ends where the limit is passed.

mod extent;

use resvg::{
    tiny_skia::{Rect, Transform},
    usvg::{
        ClipPath, Fill, Group, ImageKind, Mask, Node, Paint, Path, Pattern, Stroke, Tree,
        filter::{Filter, Kind},
    },
};

use super::super::Error;
use crate::pixels::geometry::Size;
use extent::{Area, Outline, box_extent, extent, magnified, number, reach};

/// About two seconds. A map of 30,000 paths takes a tenth of this.
const STEPS: f64 = 2e9;

/// Layers, masks and results of filters at one moment, in pixels of the canvas: what a shop's logo
/// with shadows within shadows needs, thrice.
const LAYERS: f64 = 24.0;

/// As much as that is always allowed: a small canvas may have large margins.
const SMALL: f64 = 1e6;

/// Every element, whatever it is.
const NODE: f64 = 500.0;

/// Rows that the rasteriser looks at for each row of pixels, times the time for one.
const ROW: f64 = 4.0 * 4.0;

/// One straight piece of an outline.
const PIECE: f64 = 60.0;

/// One dash of a stroke, with its outline and its ends.
const DASH: f64 = 2000.0;

/// The rasteriser gives up a path with more dashes.
const MOST_DASHES: f64 = 1e6;

/// For each pixel: a flat colour, a gradient or pattern, a layer.
const FLAT: f64 = 1.0;
const SHADED: f64 = 10.0;
const LAYER: f64 = 20.0;

/// A layer reaches this many canvases across and down.
const MARGIN: f64 = 5.0;

/// How far from the canvas curves and strokes may reach, in pixels. The rasteriser clips them in numbers
/// of 24 bits: from six times as far on it loses its way, and may end the whole process.
const FARTHEST: f64 = 1e6;

/// The same of shapes with straight sides, which it still clips rightly there.
const FARTHEST_STRAIGHT: f64 = 1e8;

/// What a tree takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Work {
    /// Bytes of all but the canvas, at the worst moment.
    pub(super) layer_bytes: u64,
}

/// Counts, and holds against the limits.
///
/// # Errors
/// [`Error::Limit`] past one.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "not negative, and `as` saturates"
)]
pub(super) fn count(tree: &Tree, scale: Transform, size: Size) -> Result<Work, Error> {
    let canvas = Area {
        width: f64::from(size.width),
        height: f64::from(size.height),
    };
    let mut walk = Walk {
        steps: 0.0,
        largest: Area {
            width: canvas.width * MARGIN,
            height: canvas.height * MARGIN,
        },
        layers: (canvas.pixels() * LAYERS).max(SMALL),
    };
    let pixels = walk.group(tree.root(), scale, canvas, 0.0)?;
    Ok(Work {
        layer_bytes: (pixels * 4.0) as u64,
    })
}

struct Walk {
    steps: f64,
    largest: Area,
    /// Pixels of layers that may be held.
    layers: f64,
}

/// Each function gives the pixels that are held at its worst moment, those of its callers (`held`)
/// included.
impl Walk {
    fn spend(&mut self, steps: f64) -> Result<(), Error> {
        self.steps += steps;
        if self.steps <= STEPS {
            return Ok(());
        }
        Err(Error::Limit(
            "is a drawing that takes too long to draw at this size".to_owned(),
        ))
    }

    fn hold(&self, pixels: f64) -> Result<f64, Error> {
        if pixels <= self.layers {
            return Ok(pixels);
        }
        Err(Error::Limit(
            "is a drawing with more layers at once than are kept".to_owned(),
        ))
    }

    fn group(&mut self, group: &Group, ts: Transform, on: Area, held: f64) -> Result<f64, Error> {
        self.spend(NODE)?;
        let ts = ts.pre_concat(group.transform());
        if !group.should_isolate() {
            return self.children(group, ts, on, held);
        }
        let layer = extent(group.layer_bounding_box(), ts).within(self.largest);
        self.spend(layer.pixels() * LAYER)?;
        let held = self.hold(held + layer.pixels())?;
        let mut most = self.children(group, ts, layer, held)?;
        for filter in group.filters() {
            most = most.max(self.filter(filter, ts, layer, held)?);
        }
        if let Some(clip) = group.clip_path() {
            most = most.max(self.clip(clip, ts, layer, held)?);
        }
        if let Some(mask) = group.mask() {
            most = most.max(self.mask(mask, ts, layer, held)?);
        }
        Ok(most)
    }

    fn children(
        &mut self,
        group: &Group,
        ts: Transform,
        on: Area,
        held: f64,
    ) -> Result<f64, Error> {
        let mut most = held;
        for node in group.children() {
            let here = match node {
                Node::Group(group) => self.group(group, ts, on, held)?,
                Node::Path(path) => self.path(path, ts, on, held)?,
                Node::Image(image) => {
                    let source = f64::from(image.size().width()) * f64::from(image.size().height());
                    self.spend(NODE + (source + on.pixels()) * LAYER)?;
                    match image.kind() {
                        ImageKind::SVG(_) => {
                            return Err(Error::broken("a drawing inside of the drawing"));
                        }
                        _ => held,
                    }
                }
                Node::Text(text) => self.group(text.flattened(), ts, on, held)?,
            };
            most = most.max(here);
        }
        Ok(most)
    }

    fn path(&mut self, path: &Path, ts: Transform, on: Area, held: f64) -> Result<f64, Error> {
        self.spend(NODE)?;
        let outline = Outline::of(path.data(), ts, on);
        let mut most = held;
        let most_far = if outline.is_straight {
            FARTHEST_STRAIGHT
        } else {
            FARTHEST
        };
        within_reach(path.bounding_box(), ts, most_far)?;
        if let Some(fill) = path.fill() {
            let area = box_extent(path.bounding_box(), ts).within(on);
            most = most.max(self.fill(fill, &outline, ts, area, held)?);
        }
        if let Some(stroke) = path.stroke() {
            within_reach(path.stroke_bounding_box(), ts, FARTHEST)?;
            let area = box_extent(path.stroke_bounding_box(), ts).within(on);
            self.stroke(stroke, &outline, ts, on)?;
            most = most.max(self.paint(stroke.paint(), ts, area, held)?);
        }
        Ok(most)
    }

    fn fill(
        &mut self,
        fill: &Fill,
        outline: &Outline,
        ts: Transform,
        area: Area,
        held: f64,
    ) -> Result<f64, Error> {
        self.spend(outline.pieces * PIECE + outline.rows * ROW)?;
        self.paint(fill.paint(), ts, area, held)
    }

    /// A stroke is a fill of its two sides; each joint adds a cap as high as the stroke is wide.
    fn stroke(
        &mut self,
        stroke: &Stroke,
        outline: &Outline,
        ts: Transform,
        on: Area,
    ) -> Result<(), Error> {
        let width = f64::from(stroke.width().get()) * f64::from(magnified(ts));
        let cap = width.min(on.height) * 4.0;
        let sides = 2.0 * outline.rows + outline.pieces * cap;
        self.spend(outline.pieces * PIECE * 16.0 + sides * ROW)?;
        let Some(dashes) = stroke.dasharray().filter(|dashes| !dashes.is_empty()) else {
            return Ok(());
        };
        let period: f64 = dashes.iter().map(|&dash| f64::from(dash)).sum();
        let count = outline.length / period.max(1e-9) * number(dashes.len());
        self.spend(count.min(MOST_DASHES) * (DASH + cap * ROW))
    }

    fn paint(&mut self, paint: &Paint, ts: Transform, area: Area, held: f64) -> Result<f64, Error> {
        match paint {
            Paint::Color(_) => self.spend(area.pixels() * FLAT).map(|()| held),
            Paint::LinearGradient(_) | Paint::RadialGradient(_) => {
                self.spend(area.pixels() * SHADED).map(|()| held)
            }
            Paint::Pattern(pattern) => {
                self.spend(area.pixels() * LAYER)?;
                self.pattern(pattern, ts, held)
            }
        }
    }

    fn pattern(&mut self, pattern: &Pattern, ts: Transform, held: f64) -> Result<f64, Error> {
        let (across, down) = ts.pre_concat(pattern.transform()).get_scale();
        let tile = Area {
            width: f64::from(pattern.rect().width()) * f64::from(across),
            height: f64::from(pattern.rect().height()) * f64::from(down),
        };
        // Tiles are as large as the file says, whatever the canvas: the limit on layers holds here.
        let held = self.hold(held + tile.pixels())?;
        self.spend(NODE + tile.pixels() * LAYER)?;
        let ts = Transform::from_scale(across, down);
        self.children(pattern.root(), ts, tile, held)
    }

    fn clip(&mut self, clip: &ClipPath, ts: Transform, on: Area, held: f64) -> Result<f64, Error> {
        self.spend(NODE + on.pixels() * LAYER)?;
        let held = self.hold(held + on.pixels() * 1.25)?;
        let inside = ts.pre_concat(clip.transform());
        let most = self.clipping(clip.root(), inside, on, held)?;
        match clip.clip_path() {
            Some(next) => Ok(most.max(self.clip(next, ts, on, held)?)),
            None => Ok(most),
        }
    }

    /// What is drawn into a clip: a group there that is clipped itself has a canvas of its own.
    fn clipping(
        &mut self,
        group: &Group,
        ts: Transform,
        on: Area,
        held: f64,
    ) -> Result<f64, Error> {
        let mut most = held;
        for node in group.children() {
            let here = match node {
                Node::Path(path) => self.path(path, ts, on, held)?,
                Node::Group(group) => {
                    self.spend(NODE)?;
                    let ts = ts.pre_concat(group.transform());
                    match group.clip_path() {
                        Some(clip) => {
                            self.spend(on.pixels() * LAYER)?;
                            let held = self.hold(held + on.pixels())?;
                            let drawn = self.clipping(group, ts, on, held)?;
                            drawn.max(self.clip(clip, ts, on, held)?)
                        }
                        None => self.clipping(group, ts, on, held)?,
                    }
                }
                Node::Image(_) | Node::Text(_) => held,
            };
            most = most.max(here);
        }
        Ok(most)
    }

    fn mask(&mut self, mask: &Mask, ts: Transform, on: Area, held: f64) -> Result<f64, Error> {
        self.spend(NODE + on.pixels() * LAYER * 2.0)?;
        let held = self.hold(held + on.pixels() * 1.5)?;
        let most = self.children(mask.root(), ts, on, held)?;
        match mask.mask() {
            Some(next) => Ok(most.max(self.mask(next, ts, on, held)?)),
            None => Ok(most),
        }
    }

    fn filter(
        &mut self,
        filter: &Filter,
        ts: Transform,
        on: Area,
        held: f64,
    ) -> Result<f64, Error> {
        let region = extent(filter.rect(), ts).within(on);
        let results = number(filter.primitives().len());
        // Each primitive keeps its result, and works on copies of two others.
        let held = self.hold(held + region.pixels() * (results + 3.0))?;
        let mut most = held;
        for primitive in filter.primitives() {
            self.spend(NODE + region.pixels() * cost(primitive.kind(), ts, region))?;
            if let Kind::Image(image) = primitive.kind() {
                most = most.max(self.group(image.root(), ts, region, held)?);
            }
        }
        Ok(most)
    }
}

fn within_reach(rect: Rect, ts: Transform, most: f64) -> Result<(), Error> {
    if reach(rect, ts) <= most {
        return Ok(());
    }
    Err(Error::Limit(format!(
        "is a drawing with an outline that goes on for more than {most:.0} pixels"
    )))
}

/// Steps that a filter takes for each pixel.
fn cost(kind: &Kind, ts: Transform, region: Area) -> f64 {
    const SIMPLE: f64 = 40.0;
    const BLUR: f64 = 200.0;
    const LIGHT: f64 = 150.0;
    const OCTAVE: f64 = 200.0;
    let scale = f64::from(magnified(ts));
    match kind {
        Kind::GaussianBlur(_) | Kind::DropShadow(_) => BLUR,
        Kind::DiffuseLighting(_) | Kind::SpecularLighting(_) => LIGHT,
        // Looks at the whole window for each pixel.
        Kind::Morphology(kind) => {
            let window = |radius: f32, side: f64| (f64::from(radius) * scale * 2.0 + 2.0).min(side);
            let across = window(kind.radius_x().get(), region.width);
            let down = window(kind.radius_y().get(), region.height);
            SIMPLE + across * down * 3.0
        }
        Kind::ConvolveMatrix(kind) => {
            let matrix = kind.matrix();
            SIMPLE + f64::from(matrix.columns()) * f64::from(matrix.rows()) * 10.0
        }
        Kind::Turbulence(kind) => SIMPLE + f64::from(kind.num_octaves()) * OCTAVE,
        Kind::Merge(kind) => SIMPLE * (1.0 + number(kind.inputs().len())),
        _ => SIMPLE,
    }
}
