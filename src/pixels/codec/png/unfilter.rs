//! Undoing the filters of rows: each byte is a difference from what its neighbours predict.

#[cfg(target_arch = "x86_64")]
mod wave;

/// Bytes that must stand behind a row's pixels, and behind the last coded row: rows are read and
/// written in whole vectors, some of them past the end.
pub(super) const SLACK: usize = 128;

/// Rows of which filters are undone at once, where the processor can.
pub(super) const ROWS: usize = 8;

/// What a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// Bytes of its pixels.
    pub(super) line: usize,
    /// Bytes of a pixel, at least 1: how far back the left neighbour stands.
    pub(super) pixel: usize,
}

impl Row {
    /// Bytes as coded: the kind of filter stands first.
    pub(super) const fn coded(self) -> usize {
        self.line + 1
    }

    /// Bytes from one finished row to the next.
    pub(super) const fn stride(self) -> usize {
        self.line + SLACK
    }
}

/// A row has a filter that is none.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unknown(pub(super) u8);

/// What `count` rows are without the numbers of their filters, [`Row::coded`] bytes from one to
/// the next. `None` if there is a filter to undo.
pub(super) fn bare(coded: &[u8], count: usize, row: Row) -> Option<&[u8]> {
    let mut filters = coded.iter().step_by(row.coded()).take(count);
    let bare = filters.all(|filter| *filter == 0);
    coded.get(1..count * row.coded()).filter(|_| bare)
}

/// Undoes the filters of `count` rows. In `out`, the row above them stands first.
pub(super) fn unfilter(
    coded: &[u8],
    out: &mut [u8],
    count: usize,
    row: Row,
) -> Result<(), Unknown> {
    let mut next = 0;
    while next < count {
        let (Some(coded), Some(out)) = (
            coded.get(next * row.coded()..),
            out.get_mut(next * row.stride()..),
        ) else {
            break;
        };
        next += several(coded, out, count - next, row).map_or_else(|| one(coded, out, row), Ok)?;
    }
    Ok(())
}

/// Several rows at once, where the processor can and it pays; says how many.
#[cfg(target_arch = "x86_64")]
fn several(coded: &[u8], out: &mut [u8], count: usize, row: Row) -> Option<usize> {
    wave::unfilter(coded, out, count, row)
}

#[cfg(not(target_arch = "x86_64"))]
fn several(_: &[u8], _: &mut [u8], _: usize, _: Row) -> Option<usize> {
    None
}

/// The next row.
fn one(coded: &[u8], out: &mut [u8], row: Row) -> Result<usize, Unknown> {
    let (above, current) = out.split_at_mut(row.stride());
    let (filter, coded) = coded.split_first().unwrap_or((&0, &[]));
    let rows = Rows {
        coded: &coded[..row.line],
        above: &above[..row.line],
        current: &mut current[..row.line],
    };
    match row.pixel {
        1 => rows.undo::<1>(*filter),
        2 => rows.undo::<2>(*filter),
        3 => rows.undo::<3>(*filter),
        4 => rows.undo::<4>(*filter),
        6 => rows.undo::<6>(*filter),
        _ => rows.undo::<8>(*filter),
    }?;
    Ok(1)
}

/// Three rows of one length.
struct Rows<'a> {
    coded: &'a [u8],
    above: &'a [u8],
    current: &'a mut [u8],
}

impl Rows<'_> {
    fn undo<const PIXEL: usize>(self, filter: u8) -> Result<(), Unknown> {
        match filter {
            0 => self.current.copy_from_slice(self.coded),
            1 => self.each::<PIXEL>(|left, _, _| left),
            2 => {
                let sums = self.coded.iter().zip(self.above);
                for (current, (coded, above)) in self.current.iter_mut().zip(sums) {
                    *current = coded.wrapping_add(*above);
                }
            }
            3 => self.each::<PIXEL>(|left, above, _| left.midpoint(above)),
            4 => self.each::<PIXEL>(paeth),
            other => return Err(Unknown(other)),
        }
        Ok(())
    }

    /// Adds to each byte what is predicted from those to the left, above, and above to the left.
    #[inline]
    fn each<const PIXEL: usize>(self, predicted: impl Fn(u8, u8, u8) -> u8) {
        let (mut left, mut corner) = ([0; PIXEL], [0; PIXEL]);
        let pixels = self.current.as_chunks_mut::<PIXEL>().0.iter_mut();
        let coded = self.coded.as_chunks::<PIXEL>().0;
        let above = self.above.as_chunks::<PIXEL>().0;
        for (current, (coded, above)) in pixels.zip(coded.iter().zip(above)) {
            for (byte, left) in left.iter_mut().enumerate() {
                *left = coded[byte].wrapping_add(predicted(*left, above[byte], corner[byte]));
            }
            corner = *above;
            *current = left;
        }
    }
}

/// The neighbour that is nearest to left + above − corner: of two as near, the one named first.
///
/// With the lower and the higher of left and above on either side of the corner, it is the lower
/// where the corner is at least twice as far from it as from the higher, the higher in the
/// opposite case, and the corner between the two.
#[inline]
fn paeth(left: u8, above: u8, corner: u8) -> u8 {
    let (low, high) = (left.min(above), left.max(above));
    let over = high.saturating_sub(corner);
    let under = corner.saturating_sub(low);
    if under.saturating_add(under) <= over {
        high
    } else if over.saturating_add(over) <= under {
        low
    } else {
        corner
    }
}

#[cfg(test)]
mod tests;
