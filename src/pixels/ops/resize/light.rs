//! Interleaved pixels of eight bits, resampled in linear light row by row: looked up, resampled,
//! looked up again. No picture of light is held.

use super::stream::{Cut, Resampler};
use crate::pixels::{
    bitmap::{self, Layout},
    codec::Error,
    colour::curve::Curve,
    rows::{Rows, Shape, Sink, unannounced},
};

/// White, as light. A filter may go beyond it, up to twice.
const WHITE: i16 = 1 << 14;

/// Lights from black to white.
const LIGHTS: usize = WHITE as usize + 1;

/// Takes one plane of interleaved pixels, and hands on one of the result's size.
pub struct Light<'a> {
    cut: Cut,
    layout: Layout,
    into: Box<[i16; 256]>,
    back: Vec<u8>,
    /// Samples of a source row.
    row: usize,
    work: Option<Resampler<i16>>,
    /// A row of the result.
    made: Vec<u8>,
    next: &'a mut dyn Sink,
}

impl std::fmt::Debug for Light<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Light")
            .field("cut", &self.cut)
            .field("layout", &self.layout)
            .finish_non_exhaustive()
    }
}

impl<'a> Light<'a> {
    /// Of pixels of this layout, whose numbers are light by this curve.
    pub fn new(cut: Cut, layout: Layout, curve: &Curve, next: &'a mut dyn Sink) -> Self {
        let tables = curve.tables::<u8>();
        let (white, most) = (u32::from(WHITE.unsigned_abs()), u32::from(u16::MAX));
        let scaled = |light: u16| (u32::from(light) * white + most / 2) / most;
        let mut into = Box::new([0; 256]);
        for (into, light) in into.iter_mut().zip(&tables.to_light) {
            *into = i16::try_from(scaled(*light)).unwrap_or(WHITE);
        }
        let nearest = |light: usize| (light * most as usize + LIGHTS / 2) / (LIGHTS - 1);
        let code = |light| tables.from_light.get(nearest(light)).copied();
        Self {
            cut,
            layout,
            into,
            back: (0..LIGHTS)
                .map(|light| code(light).unwrap_or(u8::MAX))
                .collect(),
            row: 0,
            work: None,
            made: vec![0; cut.size.width as usize * layout.channels()],
            next,
        }
    }

    /// Bytes that are held.
    #[must_use]
    pub fn bytes(cut: &Cut, layout: Layout) -> u64 {
        // The tables of a curve, while ours are made of them.
        let tables = (256 * 4 + LIGHTS + (1 << 16)) as u64;
        let row = u64::from(cut.size.width) * layout.channels() as u64;
        Resampler::<i16>::bytes(cut, layout.channels()) + row + tables
    }

    /// After the last row.
    ///
    /// # Errors
    /// [`Error::Broken`] if rows are missing.
    pub fn finish(self) -> Result<(), Error> {
        let done = self.work.is_some_and(|work| work.is_done());
        done.then_some(()).ok_or_else(unannounced)
    }
}

impl Sink for Light<'_> {
    fn begin(&mut self, planes: &[Shape]) -> Result<(), Error> {
        let channels = self.layout.channels();
        let [shape] = planes else {
            return Err(unannounced());
        };
        if shape.channels != channels {
            return Err(unannounced());
        }
        self.row = shape.row();
        self.work = Some(Resampler::new(&self.cut, channels));
        self.next.begin(&[Shape::whole(self.cut.size, channels)])
    }

    fn take(&mut self, plane: usize, rows: Rows<'_>) -> Result<(), Error> {
        let work = self.work.as_mut().ok_or_else(unannounced)?;
        if plane != 0 || rows.width() != self.row {
            return Err(unannounced());
        }
        let channels = self.layout.channels();
        let columns = work.columns();
        for row in rows.iter() {
            if let Some(place) = work.place() {
                let own = row.get(columns.start * channels..columns.end * channels);
                lit(own.ok_or_else(unannounced)?, place, &self.into, self.layout);
            }
            let (made, next) = (&mut self.made, &mut self.next);
            work.advance(&mut |light| {
                coded(light, made, &self.back, self.layout);
                next.take(0, Rows::new(made, made.len(), made.len())?)
            })?;
        }
        Ok(())
    }
}

/// Pixels to light, in the order in which a resampler takes numbers: of two pixels, both first
/// samples, then both second ones.
fn lit(pixels: &[u8], place: &mut [i16], into: &[i16; 256], layout: Layout) {
    match layout {
        Layout::Gray => each::<1>(pixels, place, |_, code| into[usize::from(code)]),
        Layout::Rgb => each::<3>(pixels, place, |_, code| into[usize::from(code)]),
        Layout::GrayAlpha => weighted::<2>(pixels, place, into),
        Layout::Rgba | Layout::Cmyk => weighted::<4>(pixels, place, into),
    }
}

/// Colours as much as their alpha.
fn weighted<const N: usize>(pixels: &[u8], place: &mut [i16], into: &[i16; 256]) {
    let mut alphas = pixels.iter().skip(N - 1).step_by(N);
    let mut alpha = 0;
    each::<N>(pixels, place, |channel, code| {
        if channel == 0 {
            alpha = alphas.next().copied().unwrap_or(0);
        }
        let light = if channel == N - 1 {
            WHITE
        } else {
            into[usize::from(code)]
        };
        let product = i32::from(light) * i32::from(alpha);
        i16::try_from((product + 127) / 255).unwrap_or(WHITE)
    });
}

#[inline]
fn each<const N: usize>(pixels: &[u8], place: &mut [i16], mut light: impl FnMut(usize, u8) -> i16) {
    let pixels = pixels.as_chunks::<N>().0;
    for (pair, place) in pixels.chunks(2).zip(place.chunks_exact_mut(2 * N)) {
        for (number, pixel) in pair.iter().enumerate() {
            for (channel, code) in pixel.iter().enumerate() {
                place[channel * 2 + number] = light(channel, *code);
            }
        }
    }
}

/// Light to pixels.
fn coded(light: &[i16], made: &mut [u8], back: &[u8], layout: Layout) {
    let code = |light: i16| {
        let light = usize::try_from(light).unwrap_or(0).min(LIGHTS - 1);
        back.get(light).copied().unwrap_or(u8::MAX)
    };
    if !layout.has_alpha() {
        for (made, light) in made.iter_mut().zip(light) {
            *made = code(*light);
        }
        return;
    }
    let (channels, white) = (layout.channels(), i32::from(WHITE));
    let colours = bitmap::colours(layout);
    for (made, light) in made
        .chunks_exact_mut(channels)
        .zip(light.chunks_exact(channels))
    {
        let alpha = i32::from(light[colours]).clamp(0, white);
        for (made, light) in made.iter_mut().zip(&light[..colours]) {
            let whole = (i32::from(*light).clamp(0, alpha) * white + alpha / 2).checked_div(alpha);
            *made = code(i16::try_from(whole.unwrap_or(0)).unwrap_or(WHITE));
        }
        made[colours] = u8::try_from((alpha * 255 + white / 2) / white).unwrap_or(u8::MAX);
    }
}

#[cfg(test)]
mod tests;
