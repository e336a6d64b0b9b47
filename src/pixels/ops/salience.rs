//! Where the subject of a picture is, by what draws the eye: a colour that is rare in the picture,
//! detail where there is little of it elsewhere, saturation, skin, and the middle.
//!
//! Deterministic, and on a picture of `CELLS` cells across: what takes less than that to see is no
//! subject of a crop.

#![expect(
    clippy::cast_precision_loss,
    reason = "sides and counts are far below 2²⁴"
)]

use crate::pixels::{
    bitmap::{Raster, rgba},
    geometry::{Rect, Size},
};

/// Cells across the longer side of the working picture.
const CELLS: u32 = 128;

/// How much each sense counts, against the most that it finds in this picture.
const RARE: f32 = 1.0;
const DETAIL: f32 = 0.55;
const VIVID: f32 = 0.35;
const SKIN: f32 = 0.6;

/// What the border loses of it: photographers put subjects near the middle.
const BORDER: f32 = 0.45;

/// A window counts again what lies in this share of it around its middle, so that a subject is
/// not left at the edge.
const HEART: f32 = 0.6;

/// Where a window of this size shows most of the subject. Of equal positions, the one nearest to
/// the middle.
#[must_use]
pub fn window(raster: &Raster, window: Size) -> Rect {
    let (width, height) = (raster.size.width, raster.size.height);
    let window = Size::new(window.width.min(width), window.height.min(height));
    let cell = width.max(height).div_ceil(CELLS);
    let grid = Grid::of(raster, cell);
    let sums = Sums::of(&grid.salience(), grid.width, grid.height);
    let cells = |pixels: u32| pixels as f32 / cell as f32;
    let (across, down) = (cells(window.width), cells(window.height));
    let (spare_x, spare_y) = (width - window.width, height - window.height);
    let score = |x: u32, y: u32| {
        let (left, top) = (cells(x), cells(y));
        let whole = sums.inside(left, top, left + across, top + down);
        let (inset_x, inset_y) = (across * (1.0 - HEART) / 2.0, down * (1.0 - HEART) / 2.0);
        let heart = sums.inside(
            left + inset_x,
            top + inset_y,
            left + across - inset_x,
            top + down - inset_y,
        );
        whole + heart
    };
    let steps = |spare: u32| (0..spare).step_by(cell as usize).chain([spare / 2, spare]);
    let from_middle =
        |x: u32, y: u32| u64::from(x.abs_diff(spare_x / 2)) + u64::from(y.abs_diff(spare_y / 2));
    let (mut best, mut found) = ((spare_x / 2, spare_y / 2), f32::MIN);
    for (x, y) in steps(spare_y).flat_map(|y| steps(spare_x).map(move |x| (x, y))) {
        let here = score(x, y);
        // What rounds to the same is the same: flat pictures keep their middle.
        let equal = (here - found).abs() <= 1e-4 * sums.total().max(1e-6);
        let better = if equal {
            from_middle(x, y) < from_middle(best.0, best.1)
        } else {
            here > found
        };
        if better {
            (best, found) = ((x, y), here);
        }
    }
    Rect {
        x: best.0,
        y: best.1,
        width: window.width,
        height: window.height,
    }
}

/// The working picture: means of cells, as light and two colour differences.
struct Grid {
    width: usize,
    height: usize,
    /// Light, blue to yellow, green to red; 0 to 1 and -1 to 1.
    cells: Vec<[f32; 3]>,
    /// Mean red, green and blue, 0 to 1.
    colours: Vec<[f32; 3]>,
    /// How much happens inside of each cell: a mean of differences of light.
    detail: Vec<f32>,
}

impl Grid {
    fn of(raster: &Raster, cell: u32) -> Self {
        let (columns, rows) = (
            raster.size.width.div_ceil(cell),
            raster.size.height.div_ceil(cell),
        );
        let (width, height) = (columns as usize, rows as usize);
        let cell = cell as usize;
        let channels = raster.layout.channels();
        let mut sums = vec![[0.0_f32; 3]; width * height];
        let mut detail = vec![0.0_f32; width * height];
        let mut counts = vec![0.0_f32; width * height];
        let stride = raster.size.width as usize * channels;
        let mut above: Vec<f32> = Vec::new();
        let mut light_row = Vec::with_capacity(raster.size.width as usize);
        for (y, row) in raster.samples.chunks_exact(stride).enumerate() {
            light_row.clear();
            for (x, pixel) in row.chunks_exact(channels).enumerate() {
                let colour = visible(rgba(raster.layout, pixel));
                let at = y / cell * width + x / cell;
                let light = light(colour);
                let left = light_row.last().copied().unwrap_or(light);
                let up = above.get(x).copied().unwrap_or(light);
                detail[at] += (light - left).abs() + (light - up).abs();
                for (sum, part) in sums[at].iter_mut().zip(colour) {
                    *sum += part;
                }
                counts[at] += 1.0;
                light_row.push(light);
            }
            std::mem::swap(&mut above, &mut light_row);
        }
        for ((sum, detail), count) in sums.iter_mut().zip(&mut detail).zip(counts) {
            for part in sum {
                *part /= count;
            }
            *detail /= count;
        }
        Self {
            width,
            height,
            cells: sums.iter().map(|&colour| opponents(colour)).collect(),
            colours: sums,
            detail,
        }
    }

    /// What draws the eye, cell by cell, less what all of the picture has.
    fn salience(&self) -> Vec<f32> {
        let smooth: Vec<[f32; 3]> = blurred(&self.cells, self.width, self.height);
        let mean = mean(&self.cells);
        let rare = smooth.iter().map(|&cell| distance(cell, mean)).collect();
        let colours = self.colours.iter();
        let vivid = colours.clone().map(|&colour| vividness(colour)).collect();
        let skin: Vec<f32> = colours.map(|&colour| skin(colour)).collect();
        let senses = [
            (RARE, standing_out(rare)),
            (DETAIL, standing_out(self.lone_detail())),
            (VIVID, standing_out(vivid)),
            (SKIN, standing_out(skin)),
        ];
        let mut salience = vec![0.0; self.cells.len()];
        for (weight, sense) in senses {
            for (sum, here) in salience.iter_mut().zip(sense) {
                *sum += weight * here;
            }
        }
        for (at, here) in salience.iter_mut().enumerate() {
            *here *= self.prior(at % self.width, at / self.width);
        }
        salience
    }

    /// Detail, against how common as much of it is: a lone line counts more than a field of grass.
    fn lone_detail(&self) -> Vec<f32> {
        let spread: Vec<f32> = self.detail.iter().map(|detail| detail.sqrt()).collect();
        let mean = spread.iter().sum::<f32>() / spread.len().max(1) as f32;
        spread
            .into_iter()
            .map(|detail| (detail - mean).abs())
            .collect()
    }

    /// 1 in the middle, less towards the border.
    fn prior(&self, x: usize, y: usize) -> f32 {
        let off = |at: usize, side: usize| ((at as f32 + 0.5) / side as f32 - 0.5) * 2.0;
        let (x, y) = (off(x, self.width), off(y, self.height));
        1.0 - BORDER * (x * x + y * y).min(2.0) / 2.0
    }
}

/// A pixel's colour on middle gray, 0 to 1.
fn visible([red, green, blue, alpha]: [u8; 4]) -> [f32; 3] {
    let alpha = f32::from(alpha) / 255.0;
    [red, green, blue].map(|part| (f32::from(part) / 255.0 - 0.5) * alpha + 0.5)
}

fn light([red, green, blue]: [f32; 3]) -> f32 {
    0.299 * red + 0.587 * green + 0.114 * blue
}

/// Light and colour differences, about as far apart as they look.
fn opponents(colour: [f32; 3]) -> [f32; 3] {
    let [red, green, blue] = colour;
    let light = light(colour);
    [light, blue - f32::midpoint(red, green), red - green]
}

fn distance(a: [f32; 3], b: [f32; 3]) -> f32 {
    let squares = a.iter().zip(b).map(|(a, b)| (a - b) * (a - b));
    squares.sum::<f32>().sqrt()
}

/// Saturation, of what is neither black nor white.
fn vividness(colour: [f32; 3]) -> f32 {
    let most = colour.into_iter().fold(0.0, f32::max);
    let least = colour.into_iter().fold(1.0, f32::min);
    most - least
}

/// How near a colour is to those of skin: red over green over blue, whatever the complexion.
fn skin(colour: [f32; 3]) -> f32 {
    let [red, green, blue] = colour;
    let sum = red + green + blue;
    if sum < 0.35 || red <= green || green <= blue * 0.85 {
        return 0.0;
    }
    // Shares of red and green: complexions lie along a short line, light does not move them.
    let (share_r, share_g) = (red / sum, green / sum);
    let miss_r = (share_r - 0.435) / 0.06;
    let miss_g = (share_g - 0.315) / 0.03;
    (1.0 - (miss_r * miss_r + miss_g * miss_g)).max(0.0)
}

/// A map from 0 to 1: nothing for what the picture has on average, or less.
fn standing_out(mut map: Vec<f32>) -> Vec<f32> {
    let mean = map.iter().sum::<f32>() / map.len().max(1) as f32;
    let most = map.iter().copied().fold(0.0, f32::max);
    let range = most - mean;
    for here in &mut map {
        // Under a hundredth it is noise.
        *here = if range > 0.01 {
            ((*here - mean) / range).max(0.0)
        } else {
            0.0
        };
    }
    map
}

fn mean(cells: &[[f32; 3]]) -> [f32; 3] {
    let count = cells.len().max(1) as f32;
    [0, 1, 2].map(|part| cells.iter().map(|cell| cell[part]).sum::<f32>() / count)
}

/// Means of three by three cells, twice: texture becomes tone.
fn blurred(cells: &[[f32; 3]], width: usize, height: usize) -> Vec<[f32; 3]> {
    let mut smooth = cells.to_vec();
    for _ in 0..2 {
        smooth = lines(&smooth, width, height, 1, width);
        smooth = lines(&smooth, height, width, width, 1);
    }
    smooth
}

/// Means of three neighbours along lines of `length` cells, `step` apart; lines are `next` apart.
fn lines(
    cells: &[[f32; 3]],
    length: usize,
    count: usize,
    step: usize,
    next: usize,
) -> Vec<[f32; 3]> {
    let mut smooth = vec![[0.0; 3]; cells.len()];
    for line in 0..count {
        for along in 0..length {
            let cell = |along: usize| cells[line * next + along * step];
            let (before, after) = (
                cell(along.saturating_sub(1)),
                cell((along + 1).min(length - 1)),
            );
            let here = cell(along);
            smooth[line * next + along * step] =
                [0, 1, 2].map(|part| (before[part] + here[part] + after[part]) / 3.0);
        }
    }
    smooth
}

/// An integral image: sums of rectangles, between cells too.
struct Sums {
    width: usize,
    height: usize,
    entries: Vec<f32>,
}

impl Sums {
    fn of(cells: &[f32], width: usize, height: usize) -> Self {
        let stride = width + 1;
        let mut sums = vec![0.0; stride * (height + 1)];
        for (y, row) in cells.chunks_exact(width).enumerate() {
            let mut sum = 0.0;
            for (x, cell) in row.iter().enumerate() {
                sum += cell;
                sums[(y + 1) * stride + x + 1] = sums[y * stride + x + 1] + sum;
            }
        }
        Self {
            width,
            height,
            entries: sums,
        }
    }

    fn total(&self) -> f32 {
        self.entries.last().copied().unwrap_or(0.0)
    }

    fn inside(&self, left: f32, top: f32, right: f32, bottom: f32) -> f32 {
        self.up_to(right, bottom) + self.up_to(left, top)
            - self.up_to(right, top)
            - self.up_to(left, bottom)
    }

    /// The sum of all above and to the left of a point.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to the grid"
    )]
    fn up_to(&self, x: f32, y: f32) -> f32 {
        let x = x.clamp(0.0, self.width as f32);
        let y = y.clamp(0.0, self.height as f32);
        let (column, row) = (
            (x as usize).min(self.width - 1),
            (y as usize).min(self.height - 1),
        );
        let (share_x, share_y) = (x - column as f32, y - row as f32);
        let stride = self.width + 1;
        let at = |column: usize, row: usize| self.entries[row * stride + column];
        let upper = at(column, row) * (1.0 - share_x) + at(column + 1, row) * share_x;
        let lower = at(column, row + 1) * (1.0 - share_x) + at(column + 1, row + 1) * share_x;
        upper * (1.0 - share_y) + lower * share_y
    }
}

#[cfg(test)]
mod tests;
