//! Pixels, and the little arithmetic that painting them takes.

/// `N` samples of 8 bits a pixel, rows from the top.
pub(super) struct Canvas<const N: usize> {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) samples: Vec<u8>,
}

/// Shares of full light: red, green, blue.
pub(super) type Rgb = [f32; 3];

impl<const N: usize> Canvas<N> {
    /// Asks for every pixel's colour: samples from 0 to 1, at whole coordinates.
    pub(super) fn paint(
        width: u32,
        height: u32,
        mut colour: impl FnMut(f32, f32) -> [f32; N],
    ) -> Self {
        let mut samples = Vec::with_capacity(width as usize * height as usize * N);
        for y in 0..height {
            for x in 0..width {
                samples.extend(colour(float(x), float(y)).map(sample));
            }
        }
        Self {
            width,
            height,
            samples,
        }
    }

    /// Turned by 90° against the clock.
    pub(super) fn turned_left(&self) -> Self {
        let (width, height) = (self.height, self.width);
        let mut samples = Vec::with_capacity(self.samples.len());
        for y in 0..height {
            for x in 0..width {
                let from = (x as usize * self.width as usize + (height - 1 - y) as usize) * N;
                samples.extend_from_slice(&self.samples[from..from + N]);
            }
        }
        Self {
            width,
            height,
            samples,
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "coordinates are far below 2²⁴")]
pub(super) fn float(value: u32) -> f32 {
    value as f32
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 0 to 255"
)]
fn sample(share: f32) -> u8 {
    (share.clamp(0.0, 1.0) * 255.0 + 0.5) as u8
}

/// From `a` to `b` as `t` goes from 0 to 1.
pub(super) fn mix(a: Rgb, b: Rgb, t: f32) -> Rgb {
    let t = t.clamp(0.0, 1.0);
    [0, 1, 2].map(|channel| a[channel] + (b[channel] - a[channel]) * t)
}

/// 0 below `from`, 1 above `to`, smooth between them.
pub(super) fn step(from: f32, to: f32, value: f32) -> f32 {
    let t = ((value - from) / (to - from)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// All channels by one factor.
pub(super) fn scale(colour: Rgb, factor: f32) -> Rgb {
    colour.map(|channel| channel * factor)
}

/// Both lights at once.
pub(super) fn add(a: Rgb, b: Rgb) -> Rgb {
    [0, 1, 2].map(|channel| a[channel] + b[channel])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_turn_left_brings_the_right_edge_to_the_top() {
        // a b      b d
        // c d  →   a c
        let canvas = Canvas::<1> {
            width: 2,
            height: 2,
            samples: vec![b'a', b'b', b'c', b'd'],
        };
        assert_eq!(canvas.turned_left().samples, b"bdac");
        let wide = Canvas::<1> {
            width: 3,
            height: 1,
            samples: vec![1, 2, 3],
        };
        let turned = wide.turned_left();
        assert_eq!((turned.width, turned.height), (1, 3));
        assert_eq!(turned.samples, [3, 2, 1]);
    }
}
