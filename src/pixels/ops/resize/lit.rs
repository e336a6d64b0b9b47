//! Planes of luma and colour differences, resampled in linear light: row by row to red, green and
//! blue, to light, across and down, and back. No picture is held in between, neither as pixels nor
//! as light.

mod convert;

use self::convert::{Matrix, Tables};
use super::{
    coded::Part,
    stream::{Cut, Resampler},
};
use crate::pixels::{
    codec::Error,
    geometry::{Area, Size},
    planes::Range,
    rows::{Rows, Shape, Sink, unannounced},
};

/// Planes of a picture in colour.
const PLANES: usize = 3;

/// Takes luma and two colour differences of sRGB, and hands on three planes of the result's size.
pub struct Lit<'a> {
    cut: &'a dyn Fn(usize, &Shape) -> Cut,
    from: Range,
    to: Range,
    work: Option<Work>,
    next: &'a mut dyn Sink,
}

impl std::fmt::Debug for Lit<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lit")
            .field("work", &self.work)
            .finish_non_exhaustive()
    }
}

impl<'a> Lit<'a> {
    /// Where each plane is cut is asked once its shape is known; of the colour differences, only
    /// what may be looked at. The result's numbers span `to`.
    pub fn new(cut: &'a dyn Fn(usize, &Shape) -> Cut, to: Range, next: &'a mut dyn Sink) -> Self {
        Self {
            cut,
            from: Range::Full,
            to,
            work: None,
            next,
        }
    }

    /// Bytes that are held for a picture whose luma is cut so.
    #[must_use]
    pub fn bytes(cut: &Cut) -> u64 {
        // Colour at any resolution is brought to that of luma.
        let whole = Cut::whole(cut.bounds.size(), cut.bounds.size());
        let colour = 2 * Resampler::<u8>::bytes(&whole, 1);
        let light = PLANES as u64 * Resampler::<i16>::bytes(cut, 1);
        let queues = (PLANES * WAITING * 2) as u64 * u64::from(cut.bounds.width);
        let results = (PLANES * WAITING * 3) as u64 * u64::from(cut.size.width);
        colour + light + queues + results + convert::TABLE_BYTES
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

/// Rows of a plane that wait for those of the others: as many as a decoder gives at a time, and
/// as the filter reaches that brings colour to the size of luma.
const WAITING: usize = 64;

impl Sink for Lit<'_> {
    fn spans(&mut self, range: Range) {
        self.from = range;
    }

    fn begin(&mut self, planes: &[Shape]) -> Result<(), Error> {
        let [luma, blue, red] = planes else {
            return Err(unannounced());
        };
        if planes.iter().any(|shape| shape.channels != 1) {
            return Err(unannounced());
        }
        let cut = (self.cut)(0, luma);
        let light = Resampler::new(&cut, 1);
        let light = [light.twin(&cut), light.twin(&cut), light];
        let [blue_cut, red_cut] = [(1, blue), (2, red)].map(|(number, shape)| {
            let bounds = (self.cut)(number, shape).bounds;
            beside(luma, shape, &light[0], bounds)
        });
        let first = Part::new(&blue_cut, blue, false);
        let second = first.beside(&red_cut, red);
        let colour = [first, second];
        self.work = Some(Work::new(luma, &cut, light, colour, (self.from, self.to)));
        self.next.begin(&[Shape::whole(cut.size, 1); PLANES])
    }

    fn take(&mut self, plane: usize, rows: Rows<'_>) -> Result<(), Error> {
        let work = self.work.as_mut().ok_or_else(unannounced)?;
        for row in rows.iter() {
            work.take(plane, row)?;
        }
        work.pass(self.next)
    }
}

/// Where a plane of colour lies that is to be as large as what is looked at of luma.
#[expect(clippy::cast_precision_loss, reason = "sides of a picture")]
fn beside(
    luma: &Shape,
    colour: &Shape,
    light: &Resampler<i16>,
    bounds: crate::pixels::geometry::Rect,
) -> Cut {
    let (columns, rows) = (light.columns(), light.rows());
    let across = colour.extent.0 / luma.extent.0;
    let down = colour.extent.1 / luma.extent.1;
    let side = |from: usize, end: usize| u32::try_from(end - from).unwrap_or(u32::MAX);
    Cut {
        area: Area {
            x: columns.start as f64 * across,
            y: rows.start as f64 * down,
            width: (columns.end - columns.start) as f64 * across,
            height: (rows.end - rows.start) as f64 * down,
        },
        bounds,
        size: Size::new(side(columns.start, columns.end), side(rows.start, rows.end)),
    }
}

/// A picture on its way.
#[derive(Debug)]
struct Work {
    /// Samples of a row of luma.
    row: usize,
    /// Rows of luma that have come.
    come: usize,
    colour: [Part; 2],
    /// Luma and colour differences, as wide as what is looked at.
    waiting: [Queue; PLANES],
    light: [Resampler<i16>; PLANES],
    /// Red, green and blue light of results, rows one after the other.
    made: [Vec<i16>; PLANES],
    width: usize,
    coded: [Vec<u8>; PLANES],
    tables: Tables,
    into: Matrix,
    back: Matrix,
}

impl Work {
    fn new(
        luma: &Shape,
        cut: &Cut,
        mut light: [Resampler<i16>; PLANES],
        colour: [Part; 2],
        (from, to): (Range, Range),
    ) -> Self {
        let columns = light[0].columns();
        for light in &mut light {
            light.skip();
        }
        let width = cut.size.width as usize;
        Self {
            row: luma.row(),
            come: 0,
            colour,
            waiting: [(); PLANES].map(|()| Queue::new(columns.end - columns.start)),
            light,
            made: [(); PLANES].map(|()| Vec::new()),
            width,
            coded: [(); PLANES].map(|()| vec![0; width]),
            tables: Tables::new(),
            into: Matrix::to_rgb(from),
            back: Matrix::from_rgb(to),
        }
    }

    fn is_done(&self) -> bool {
        self.light.iter().all(Resampler::is_done)
    }

    /// A row of a plane waits for those of the others.
    fn take(&mut self, plane: usize, row: &[u8]) -> Result<(), Error> {
        let queue = self.waiting.get_mut(plane).ok_or_else(unannounced)?;
        if let Some(part) = plane.checked_sub(1).and_then(|at| self.colour.get_mut(at)) {
            return part.take(row, &mut |row| {
                queue.push(row);
                Ok(())
            });
        }
        if row.len() != self.row {
            return Err(unannounced());
        }
        if self.light[0].rows().contains(&self.come) {
            queue.push(row.get(self.light[0].columns()).ok_or_else(unannounced)?);
        }
        self.come = self.come.saturating_add(1);
        Ok(())
    }

    /// What is complete becomes light, and what can be made of that goes on.
    fn pass(&mut self, next: &mut dyn Sink) -> Result<(), Error> {
        while self.waiting.iter().all(|queue| !queue.is_empty()) {
            let [luma, blue, red] = &mut self.waiting;
            let coded = [luma.pop(), blue.pop(), red.pop()];
            let [one, two, three] = &mut self.light;
            if let (Some(one), Some(two), Some(three)) = (one.place(), two.place(), three.place()) {
                convert::to_light(coded, [one, two, three], &self.into, &self.tables);
            }
            for (light, made) in self.light.iter_mut().zip(&mut self.made) {
                light.advance(&mut |row| {
                    made.extend_from_slice(row);
                    Ok(())
                })?;
            }
            self.hand_on(next)?;
        }
        for queue in &mut self.waiting {
            queue.tidy();
        }
        Ok(())
    }

    fn hand_on(&mut self, next: &mut dyn Sink) -> Result<(), Error> {
        let [red, green, blue] = &self.made;
        let rows = red
            .chunks_exact(self.width)
            .zip(green.chunks_exact(self.width));
        for ((red, green), blue) in rows.zip(blue.chunks_exact(self.width)) {
            let [one, two, three] = &mut self.coded;
            convert::from_light(
                [red, green, blue],
                [one, two, three],
                &self.back,
                &self.tables,
            );
            for (plane, row) in self.coded.iter().enumerate() {
                next.take(plane, Rows::new(row, row.len(), row.len())?)?;
            }
        }
        for made in &mut self.made {
            made.clear();
        }
        Ok(())
    }
}

/// Rows that wait, first come, first gone.
#[derive(Debug)]
struct Queue {
    samples: Vec<u8>,
    width: usize,
    gone: usize,
}

impl Queue {
    fn new(width: usize) -> Self {
        Self {
            samples: Vec::with_capacity(width * WAITING),
            width,
            gone: 0,
        }
    }

    fn push(&mut self, row: &[u8]) {
        self.samples.extend_from_slice(row);
    }

    fn is_empty(&self) -> bool {
        self.gone >= self.samples.len()
    }

    fn pop(&mut self) -> &[u8] {
        let from = self.gone;
        self.gone = (from + self.width).min(self.samples.len());
        self.samples.get(from..self.gone).unwrap_or_default()
    }

    /// What has gone makes room, once it is more than what would have to be moved.
    fn tidy(&mut self) {
        if self.gone * 2 >= self.samples.len() {
            self.samples.drain(..self.gone);
            self.gone = 0;
        }
    }
}

#[cfg(test)]
mod tests;
