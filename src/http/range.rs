//! One byte range of an answer (RFC 9110 §14). Several at once are not worth their amplification:
//! they are answered whole.

use std::ops::Range as Span;

/// What a `Range` header means for a body of a known length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Range {
    /// No range, several, another unit, or nonsense: the whole body, 200.
    Whole,
    /// This part of it, 206. Never empty, never outside.
    Part(Span<usize>),
    /// A range that begins past the end: 416.
    Unsatisfiable,
}

/// Reads a `Range` header for a body of `length` bytes.
pub(super) fn parse(header: Option<&[u8]>, length: usize) -> Range {
    header
        .and_then(|value| single(value, length))
        .unwrap_or(Range::Whole)
}

/// `None` where the header is to be ignored.
fn single(value: &[u8], length: usize) -> Option<Range> {
    let value = value.trim_ascii();
    let (unit, set) = value.split_at_checked(b"bytes=".len())?;
    if !unit.eq_ignore_ascii_case(b"bytes=") {
        return None;
    }
    let dash = set.iter().position(|&byte| byte == b'-')?;
    let (first, last) = (set[..dash].trim_ascii(), set[dash + 1..].trim_ascii());
    if first.is_empty() {
        return Some(suffix(number(last)?, length));
    }
    let first = number(first)?;
    let last = if last.is_empty() {
        usize::MAX
    } else {
        number(last)?
    };
    if last < first {
        return None;
    }
    if first >= length {
        return Some(Range::Unsatisfiable);
    }
    Some(Range::Part(first..last.saturating_add(1).min(length)))
}

/// The last `count` bytes.
fn suffix(count: usize, length: usize) -> Range {
    if count == 0 || length == 0 {
        return Range::Unsatisfiable;
    }
    Range::Part(length.saturating_sub(count)..length)
}

/// Digits only. More than fits is more than any body has.
fn number(digits: &[u8]) -> Option<usize> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(digits.iter().fold(0_usize, |sum, digit| {
        sum.saturating_mul(10)
            .saturating_add(usize::from(digit - b'0'))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(header: &str, length: usize, expected: &Range) {
        assert_eq!(
            &parse(Some(header.as_bytes()), length),
            expected,
            "{header}"
        );
    }

    #[test]
    fn a_single_range_is_a_part() {
        check("bytes=0-0", 10, &Range::Part(0..1));
        check("bytes=0-9", 10, &Range::Part(0..10));
        check("bytes=0-10", 10, &Range::Part(0..10));
        check("bytes=3-", 10, &Range::Part(3..10));
        check("bytes=-1", 10, &Range::Part(9..10));
        check("bytes=-99", 10, &Range::Part(0..10));
        check("Bytes= 1 - 2 ", 10, &Range::Part(1..3));
        check("bytes=0-18446744073709551616", 10, &Range::Part(0..10));
    }

    #[test]
    fn a_range_past_the_end_is_unsatisfiable() {
        check("bytes=9-", 10, &Range::Part(9..10));
        check("bytes=10-", 10, &Range::Unsatisfiable);
        check("bytes=99999999999999999999-", 10, &Range::Unsatisfiable);
        check("bytes=-0", 10, &Range::Unsatisfiable);
        check("bytes=0-0", 0, &Range::Unsatisfiable);
    }

    #[test]
    fn what_is_no_single_range_is_ignored() {
        for header in [
            "bytes=5-2",
            "bytes=abc",
            "bytes=",
            "bytes=-",
            "bytes",
            "",
            "items=0-1",
            "bytes=0-1,3-4",
            "bytes=0-,0-",
            "bytes=+1-2",
            "bytes=1-2-3",
        ] {
            check(header, 10, &Range::Whole);
        }
        assert_eq!(parse(None, 10), Range::Whole);
    }

    proptest::proptest! {
        #[test]
        fn a_part_is_never_empty_and_never_outside(header in "bytes=[0-9]{0,4}-[0-9]{0,4}", length in 0_usize..3000) {
            if let Range::Part(span) = parse(Some(header.as_bytes()), length) {
                proptest::prop_assert!(span.start < span.end && span.end <= length);
            }
        }
    }
}
