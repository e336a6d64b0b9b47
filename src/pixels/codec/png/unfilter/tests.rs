use super::*;

/// As the specification has it.
fn nearest(left: u8, above: u8, corner: u8) -> u8 {
    let [a, b, c] = [left, above, corner].map(i32::from);
    let estimate = a + b - c;
    let far = |value: i32| (estimate - value).abs();
    if far(a) <= far(b) && far(a) <= far(c) {
        left
    } else if far(b) <= far(c) {
        above
    } else {
        corner
    }
}

#[test]
fn paeth_is_the_nearest_neighbour() {
    for left in 0..=255 {
        for above in 0..=255 {
            for corner in 0..=255 {
                let expected = nearest(left, above, corner);
                assert_eq!(
                    paeth(left, above, corner),
                    expected,
                    "{left} {above} {corner}"
                );
            }
        }
    }
}

/// Numbers that look random.
fn noise(seed: usize, length: usize) -> Vec<u8> {
    let mut state = seed as u64 * 0x9E37_79B9 + 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    std::iter::repeat_with(next).take(length).collect()
}

/// Coded rows with these filters, the row above them, and what comes of them, row by row.
#[track_caller]
fn check(row: Row, filters: &[u8]) {
    let mut coded = noise(row.line, row.coded() * filters.len() + SLACK);
    for (index, filter) in filters.iter().enumerate() {
        coded[index * row.coded()] = *filter;
    }
    let mut fast = noise(7, row.stride() * (filters.len() + 1));
    let mut slow = fast.clone();
    unfilter(&coded, &mut fast, filters.len(), row).unwrap();
    for index in 0..filters.len() {
        let (coded, out) = (&coded[index * row.coded()..], index * row.stride());
        one(coded, &mut slow[out..], row).unwrap();
    }
    let rows = fast.chunks(row.stride()).zip(slow.chunks(row.stride()));
    for (index, (fast, slow)) in rows.enumerate() {
        assert_eq!(
            fast[..row.line],
            slow[..row.line],
            "{row:?} {filters:?} {index}"
        );
    }
}

#[test]
fn eight_rows_at_once_are_as_one_after_the_other() {
    for pixel in [1, 2, 3, 4, 6, 8] {
        for pixels in [1, 2, 31, 32, 33, 34, 35, 36, 47, 100] {
            let line = pixel * pixels;
            let row = Row { line, pixel };
            check(row, &[4; 8]);
            check(row, &[4; 16]);
            check(row, &[3; 8]);
            check(row, &[4, 4, 1, 1, 2, 2, 0, 3]);
            check(
                row,
                &[0, 1, 2, 3, 4, 0, 1, 2, 4, 4, 4, 4, 4, 4, 4, 4, 3, 3, 3],
            );
        }
    }
}

#[test]
fn rows_by_hand() {
    let row = Row { line: 3, pixel: 1 };
    let undone = |filter: u8| {
        let coded = [filter, 1, 2, 250];
        let mut out = vec![0; row.stride() * 2];
        out[..3].copy_from_slice(&[10, 30, 20]);
        unfilter(&coded, &mut out, 1, row).map(|()| out[row.stride()..][..3].to_vec())
    };
    assert_eq!(undone(0), Ok(vec![1, 2, 250]));
    assert_eq!(undone(1), Ok(vec![1, 3, 253]));
    assert_eq!(undone(2), Ok(vec![11, 32, 14]));
    assert_eq!(undone(3), Ok(vec![6, 20, 14]));
    assert_eq!(undone(4), Ok(vec![11, 32, 14]));
    assert_eq!(undone(5), Err(Unknown(5)));
}
