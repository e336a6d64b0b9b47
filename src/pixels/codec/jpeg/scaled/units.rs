//! The minimum coded units of a scan, one after the other, and the restarts between them.

use super::{
    Stop,
    entropy::{Bits, Feed},
    processor::{Work, fastest},
};
use crate::pixels::codec::Cancel;

/// What a scan does with its units.
pub(super) trait Scanner {
    /// Forgets what goes from one unit to the next.
    fn restart(&mut self);

    /// Takes the bits of the unit at `x`, `y`.
    fn unit(&mut self, bits: &mut Bits, window: &[u8], x: usize, y: usize);
}

/// The units of a scan.
pub(super) struct Units<'a> {
    pub(super) feed: Feed<'a>,
    /// How many there are.
    pub(super) across: usize,
    pub(super) down: usize,
    /// Units between restarts; 0 for none.
    pub(super) interval: usize,
    pub(super) cancel: &'a Cancel,
}

impl Units<'_> {
    /// Goes over all of them.
    ///
    /// # Errors
    /// [`Stop`].
    pub(super) fn scan(self, scanner: impl Scanner) -> Result<(), Stop> {
        fastest(Scanning(self, scanner))
    }
}

struct Scanning<'a, S>(Units<'a>, S);

impl<S: Scanner> Work for Scanning<'_, S> {
    type Done = Result<(), Stop>;

    #[inline(always)]
    fn run(self) -> Result<(), Stop> {
        let Self(mut units, mut scanner) = self;
        let feed = &mut units.feed;
        let mut bits = Bits::default();
        let mut left = units.interval;
        let mut restarts = 0u8;
        for y in 0..units.down {
            units.cancel.check()?;
            for x in 0..units.across {
                if units.interval > 0 {
                    if left == 0 {
                        feed.restart(&mut bits, restarts)?;
                        scanner.restart();
                        restarts = restarts.wrapping_add(1);
                        left = units.interval;
                    }
                    left -= 1;
                }
                feed.advance(&mut bits)?;
                scanner.unit(&mut bits, feed.window(), x, y);
            }
        }
        feed.check(&bits)
    }
}
