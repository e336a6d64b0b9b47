//! What changed from one frame of an animation to the next. Shared by APNG and GIF.

use crate::pixels::{
    bitmap::Layout,
    geometry::{Rect, Size},
};

/// The smallest rectangle outside which two pictures of one size and layout are equal; `None` where
/// all of it is.
pub(super) fn difference<S: PartialEq>(
    before: &[S],
    after: &[S],
    size: Size,
    layout: Layout,
) -> Option<Rect> {
    let channels = layout.channels();
    let stride = size.width as usize * channels;
    let rows = || before.chunks_exact(stride).zip(after.chunks_exact(stride));
    let top = rows().position(|(a, b)| a != b)?;
    let bottom = rows().rposition(|(a, b)| a != b)?;
    let (mut left, mut right) = (stride, 0);
    for (a, b) in rows().take(bottom + 1).skip(top) {
        let differs = |(a, b): (&S, &S)| a != b;
        if let Some(first) = a.iter().zip(b).position(differs) {
            left = left.min(first);
        }
        if let Some(last) = a.iter().zip(b).rposition(differs) {
            right = right.max(last);
        }
    }
    let (left, right) = (left / channels, right / channels);
    let number = |length: usize| u32::try_from(length).ok();
    Some(Rect {
        x: number(left)?,
        y: number(top)?,
        width: number(right + 1 - left)?,
        height: number(bottom + 1 - top)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(after: &[u8], expected: Option<(u32, u32, u32, u32)>) {
        let size = Size {
            width: 3,
            height: 3,
        };
        let found = difference(&[0; 9], after, size, Layout::Gray);
        let found = found.map(|r| (r.x, r.y, r.width, r.height));
        assert_eq!(found, expected);
    }

    #[test]
    fn the_rectangle_holds_all_that_changed_and_no_more() {
        check(&[0, 0, 0, 0, 0, 0, 0, 0, 0], None);
        check(&[0, 0, 0, 0, 1, 0, 0, 0, 0], Some((1, 1, 1, 1)));
        check(&[0, 0, 1, 0, 0, 0, 0, 1, 0], Some((1, 0, 2, 3)));
        check(&[1, 0, 0, 0, 0, 0, 0, 0, 1], Some((0, 0, 3, 3)));
        check(&[0, 0, 0, 1, 0, 1, 0, 0, 0], Some((0, 1, 3, 1)));
    }
}
