//! The minimum coded units of a scan, one after the other, and the restarts between them.

use super::{
    data::Data,
    entropy::{Bits, Feed, Window},
    frame::Scan,
    processor::{Work, fastest},
};
use crate::pixels::codec::Error;

/// What a scan does with its units.
pub(super) trait Scanner {
    /// Forgets what goes from one unit to the next.
    fn restart(&mut self);

    /// Takes the bits of the unit at `x`, `y`.
    fn unit(&mut self, bits: &mut Bits, window: &Window, x: usize, y: usize);
}

/// The units of a scan, as far as they are not read.
pub(super) struct Units<'a> {
    feed: Feed<'a>,
    bits: Bits,
    /// How many there are in a row.
    across: usize,
    /// Units between restarts; 0 for none.
    interval: usize,
    /// Units up to the next restart.
    left: usize,
    restarts: u8,
}

impl<'a> Units<'a> {
    /// Those of a scan with its data, `across` in a row.
    pub(super) fn new(data: Data<'a>, scan: &Scan<'_>, across: usize) -> Self {
        Self {
            feed: Feed::new(data),
            bits: Bits::default(),
            across,
            interval: scan.tables.interval,
            left: scan.tables.interval,
            restarts: 0,
        }
    }

    /// Goes over a row of them.
    ///
    /// # Errors
    /// [`Error::Broken`].
    pub(super) fn row(&mut self, y: usize, scanner: &mut impl Scanner) -> Result<(), Error> {
        fastest(Row(self, y, scanner))
    }

    /// Whether there was all that was read.
    ///
    /// # Errors
    /// [`Error::Broken`].
    pub(super) fn end(&self) -> Result<(), Error> {
        self.feed.check(&self.bits)
    }
}

struct Row<'a, 'b, S>(&'a mut Units<'b>, usize, &'a mut S);

impl<S: Scanner> Work for Row<'_, '_, S> {
    type Done = Result<(), Error>;

    #[inline(always)]
    fn run(self) -> Result<(), Error> {
        let Self(units, y, scanner) = self;
        let mut bits = units.bits;
        for x in 0..units.across {
            if units.interval > 0 {
                if units.left == 0 {
                    units.feed.restart(&mut bits, units.restarts)?;
                    scanner.restart();
                    units.restarts = units.restarts.wrapping_add(1);
                    units.left = units.interval;
                }
                units.left -= 1;
            }
            units.feed.advance(&mut bits)?;
            scanner.unit(&mut bits, units.feed.window(), x, y);
        }
        units.bits = bits;
        Ok(())
    }
}
