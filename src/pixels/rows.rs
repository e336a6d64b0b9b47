//! Rows on their way from a decoder to what makes something of them, from top to bottom: whoever
//! needs a few rows at a time need not wait for a picture, and nobody has to hold one.
//!
//! Decoders push: first [`Sink::begin`], once, then [`Sink::take`] until all rows of all planes are
//! given. Planes come in turns, each some rows at a time. A sink that makes one thing of several
//! planes holds what has come early, so a decoder gives rows of the same place close together.

use super::{
    codec::Error,
    geometry::Size,
    planes::{Plane, Range},
};

/// The most planes of one picture.
pub const PLANES: usize = 3;

/// What is to come of one plane.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shape {
    /// Pixels across and down that are given.
    pub size: Size,
    /// Samples of a pixel, next to each other: 1 in planes of their own, up to 4.
    pub channels: usize,
    /// How many of the pixels the picture covers, from the top left: decoders give whole blocks,
    /// and a picture of 4001 pixels at an eighth covers 500.125.
    pub extent: (f64, f64),
}

impl Shape {
    /// One of which the picture covers all.
    #[must_use]
    pub fn whole(size: Size, channels: usize) -> Self {
        Self {
            size,
            channels,
            extent: (size.width.into(), size.height.into()),
        }
    }

    /// Of a plane that is held.
    #[must_use]
    pub fn of(plane: &Plane) -> Self {
        Self {
            size: plane.size,
            channels: 1,
            extent: plane.extent,
        }
    }

    /// Samples of a row.
    #[must_use]
    pub fn row(&self) -> usize {
        self.size.width as usize * self.channels
    }
}

/// Some whole rows, wherever they lie in memory.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    samples: &'a [u8],
    /// Samples of a row that count.
    width: usize,
    /// Samples from one row to the next.
    stride: usize,
}

impl<'a> Rows<'a> {
    /// Rows of `width` samples that begin `stride` samples apart. Of the last, what follows its
    /// samples may be missing.
    ///
    /// # Errors
    /// [`Error::Broken`] if a row is cut short, or the rows would overlap.
    pub fn new(samples: &'a [u8], width: usize, stride: usize) -> Result<Self, Error> {
        let last = samples.len().checked_rem(stride);
        let whole = last.is_some_and(|last| last == 0 || last >= width);
        if width == 0 || width > stride || !whole {
            return Err(Error::Broken {
                cause: "a row is shorter than its picture is wide".to_owned(),
            });
        }
        Ok(Self {
            samples,
            width,
            stride,
        })
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.samples.len().div_ceil(self.stride)
    }

    /// Samples of a row.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Each, from the top.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &'a [u8]> + use<'a> {
        let width = self.width;
        let whole = move |row: &'a [u8]| row.get(..width).unwrap_or(row);
        self.samples.chunks(self.stride).map(whole)
    }
}

/// Who takes rows.
pub trait Sink {
    /// What the numbers of planes span; if nobody says it, 0 to 255. Before [`Sink::begin`].
    fn spans(&mut self, _range: Range) {}

    /// What is to come, one shape a plane: interleaved pixels or luma first, then the differences
    /// of blue and red, if there are any. Once, before any row.
    ///
    /// # Errors
    /// Whatever makes the rows useless.
    fn begin(&mut self, planes: &[Shape]) -> Result<(), Error>;

    /// The next rows of a plane.
    ///
    /// # Errors
    /// Whatever makes further rows useless; [`Error::Broken`] for rows that nobody announced.
    fn take(&mut self, plane: usize, rows: Rows<'_>) -> Result<(), Error>;
}

/// Gives planes that are held as a decoder would that makes them row by row.
///
/// # Errors
/// [`Error::Broken`] for a plane that is not complete, and what the sink says.
pub fn pour(planes: &[&Plane], sink: &mut dyn Sink) -> Result<(), Error> {
    let shapes: Vec<Shape> = planes.iter().map(|plane| Shape::of(plane)).collect();
    sink.begin(&shapes)?;
    let steps = planes
        .iter()
        .map(|plane| plane.size.height.div_ceil(POURED));
    let steps = steps.max().unwrap_or(0) as usize;
    let mut rest: Vec<(&[u8], usize, usize)> = planes
        .iter()
        .map(|plane| {
            let width = plane.size.width as usize;
            let rows = (plane.size.height as usize).div_ceil(steps.max(1));
            (plane.samples.as_slice(), width, rows * width)
        })
        .collect();
    for _ in 0..steps {
        for (number, (samples, width, step)) in rest.iter_mut().enumerate() {
            let (some, later) = samples.split_at((*step).min(samples.len()));
            *samples = later;
            if !some.is_empty() {
                sink.take(number, Rows::new(some, *width, *width)?)?;
            }
        }
    }
    Ok(())
}

/// Rows that [`pour`] gives at a time, of the plane that has most.
const POURED: u32 = 16;

/// Keeps everything: for who needs planes as a whole.
#[derive(Debug, Default, PartialEq)]
pub struct Kept {
    planes: Vec<(Shape, Vec<u8>)>,
}

impl Kept {
    /// The planes.
    ///
    /// # Errors
    /// [`Error::Broken`] if rows are missing, or pixels have several samples.
    pub fn finish(self) -> Result<Vec<Plane>, Error> {
        let plane = |(shape, samples): (Shape, Vec<u8>)| {
            let plane = Plane {
                size: shape.size,
                extent: shape.extent,
                samples,
            };
            plane.is_complete().then_some(plane).ok_or_else(unannounced)
        };
        self.planes.into_iter().map(plane).collect()
    }
}

impl Sink for Kept {
    fn begin(&mut self, planes: &[Shape]) -> Result<(), Error> {
        let room = |shape: &Shape| Vec::with_capacity(shape.row() * shape.size.height as usize);
        self.planes = planes.iter().map(|shape| (*shape, room(shape))).collect();
        Ok(())
    }

    fn take(&mut self, plane: usize, rows: Rows<'_>) -> Result<(), Error> {
        let (shape, samples) = self.planes.get_mut(plane).ok_or_else(unannounced)?;
        let whole = shape.row() * shape.size.height as usize;
        if rows.width() != shape.row() || samples.len() + rows.width() * rows.count() > whole {
            return Err(unannounced());
        }
        for row in rows.iter() {
            samples.extend_from_slice(row);
        }
        Ok(())
    }
}

/// For a decoder that gives other rows than it said.
#[must_use]
pub fn unannounced() -> Error {
    Error::Broken {
        cause: "other rows than were announced".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plane(width: u32, height: u32, first: u8) -> Plane {
        let size = Size::new(width, height);
        let samples = (0..size.pixels()).map(|place| (place % 200) as u8 + first);
        Plane {
            size,
            extent: (f64::from(width) - 0.5, height.into()),
            samples: samples.collect(),
        }
    }

    #[track_caller]
    fn check(samples: usize, width: usize, stride: usize, count: Option<usize>) {
        let held = vec![7; samples];
        let rows = Rows::new(&held, width, stride).ok();
        assert_eq!(rows.map(|rows| rows.count()), count);
        assert_eq!(rows.map(|rows| rows.iter().len()), count);
        let widths = rows.iter().flat_map(Rows::iter).map(<[u8]>::len);
        assert!(widths.into_iter().all(|found| found == width));
    }

    #[test]
    fn rows_are_whole() {
        check(12, 4, 4, Some(3));
        check(12, 3, 4, Some(3));
        check(11, 3, 4, Some(3));
        check(10, 3, 4, None);
        check(0, 3, 4, Some(0));
        check(12, 5, 4, None);
        check(12, 0, 4, None);
        check(12, 0, 0, None);
    }

    #[test]
    fn planes_that_are_poured_are_kept_as_they_were() {
        let planes = [plane(9, 37, 0), plane(5, 19, 30), plane(5, 1, 50)];
        let mut kept = Kept::default();
        pour(&planes.each_ref(), &mut kept).unwrap();
        assert_eq!(kept.finish().unwrap(), planes);
    }

    #[test]
    fn rows_that_were_not_announced_are_refused() {
        let announced = [Shape::of(&plane(4, 2, 0))];
        let taken = |plane: usize, samples: usize, width: usize| {
            let mut kept = Kept::default();
            kept.begin(&announced).unwrap();
            let samples = vec![1; samples];
            let taken = kept.take(plane, Rows::new(&samples, width, width).unwrap());
            (taken.is_ok(), kept.finish().is_ok())
        };
        assert_eq!(taken(0, 8, 4), (true, true));
        assert_eq!(taken(0, 4, 4), (true, false));
        assert_eq!(taken(0, 12, 4), (false, false));
        assert_eq!(taken(0, 8, 8), (false, false));
        assert_eq!(taken(1, 8, 4), (false, false));
    }
}
