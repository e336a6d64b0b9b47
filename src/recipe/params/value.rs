//! Text → numbers, lengths, colours. Strict: ASCII digits and nothing around them.

use std::fmt;

use crate::pixels::geometry::{Length, Share};

use super::MAX_SIDE;

/// One whole, in millionths.
pub(crate) const ONE: u32 = 1_000_000;

/// A whole number, with a minus sign where negative ones are allowed.
pub(crate) fn whole(text: &str, from: i64, to: i64) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number: i64 = text.parse().ok()?;
    (from..=to).contains(&number).then_some(number)
}

/// A decimal number, to the nearest thousandth; never zero unless it was typed as zero.
pub(crate) fn decimal(text: &str, from: i64, to: i64) -> Option<i64> {
    let number = scaled(text, 3)?;
    (from..=to).contains(&number).then_some(number)
}

/// A share of a whole from 0 to 1, to the nearest millionth.
pub(crate) fn share(text: &str) -> Option<Share> {
    let number = u32::try_from(scaled(text, 6)?).ok()?;
    (number <= ONE).then_some(Share(number))
}

/// Pixels, or a fraction between 0 and 1 (which is told by its decimal point).
pub(crate) fn length(text: &str) -> Option<Length> {
    if text.contains('.') {
        let Share(number) = share(text)?;
        return (0 < number && number < ONE).then_some(Length::Share(Share(number)));
    }
    pixels(text, 1, MAX_SIDE).map(Length::Pixels)
}

/// Whole pixels.
pub(crate) fn pixels(text: &str, from: u32, to: u32) -> Option<u32> {
    u32::try_from(whole(text, from.into(), to.into())?).ok()
}

/// On or off; a name without a value is on.
pub(crate) fn switch(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "" | "1" | "true" | "yes" | "on" => Some(true),
        "0" | "false" | "no" | "off" => Some(false),
        _ => None,
    }
}

/// `16:9`, reduced. Either side may have decimals, as in `1.91:1`.
pub(crate) fn ratio(text: &str) -> Option<(u32, u32)> {
    /// A ten-thousand-pixel line one pixel high is a shape; more is a mistake.
    const MOST: i64 = 10_000_000;
    let (width, height) = text.split_once(':')?;
    let width = u32::try_from(decimal(width, 1, MOST)?).ok()?;
    let height = u32::try_from(decimal(height, 1, MOST)?).ok()?;
    let by = gcd(width, height);
    Some((width / by, height / by))
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// The channels of a colour in hexadecimal, as they were written: three, or four with the alpha
/// wherever the dialect has it.
pub(crate) fn hex_channels(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix('#').unwrap_or(text);
    let long = match digits.len() {
        3 | 4 => digits.chars().flat_map(|digit| [digit, digit]).collect(),
        6 | 8 => digits.to_owned(),
        _ => return None,
    };
    hex::decode(long).ok()
}

/// Digits with at most one decimal point → the number times ten to the `places`, rounded to
/// nearest. A number that is not zero does not become zero, so `0.0001` is out of range, not off.
fn scaled(text: &str, places: usize) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if fraction.is_empty() || !digits(whole) || !digits(fraction) {
        return None;
    }
    if whole.is_empty() && !text.starts_with('.') {
        return None;
    }
    let digit = |at: usize| i64::from(fraction.as_bytes().get(at).map_or(0, |b| b - b'0'));
    let mut number: i64 = if whole.is_empty() {
        0
    } else {
        whole.parse().ok()?
    };
    for at in 0..places {
        number = number.checked_mul(10)?.checked_add(digit(at))?;
    }
    if digit(places) >= 5 {
        number = number.checked_add(1)?;
    }
    let vanished = number == 0 && fraction.bytes().any(|b| b != b'0');
    (!vanished).then_some(number)
}

/// Shows thousandths as a decimal number, as short as it can be.
pub(crate) struct Thousandths(pub i64);

impl fmt::Display for Thousandths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 1000, self.0 % 1000);
        if rest == 0 {
            return write!(f, "{whole}");
        }
        let fraction = format!("{rest:03}");
        write!(f, "{whole}.{}", fraction.trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<Length>) {
        assert_eq!(length(text), expected, "{text:?}");
    }

    #[test]
    fn lengths_are_whole_pixels_or_fractions() {
        check("1", Some(Length::Pixels(1)));
        check("8192", Some(Length::Pixels(8192)));
        check("0400", Some(Length::Pixels(400)));
        check("0.5", Some(Length::Share(Share(500_000))));
        check(".25", Some(Length::Share(Share(250_000))));
        check("0.3333333333333333", Some(Length::Share(Share(333_333))));
        check("0.000001", Some(Length::Share(Share(1))));
        for text in [
            "0",
            "8193",
            "-1",
            "-0",
            "1.5",
            "1.0",
            "0.0",
            "0.",
            ".",
            "",
            "0.9999999",
            "0.0000001",
            "1e3",
            "NaN",
            "0x10",
            "\0",
            "١٢",
            "99999999999999999999",
            " 10",
            "10 ",
            "+10",
            "abc",
            "0.5.5",
            "1_0",
            "400px",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn decimals_round_to_thousandths() {
        assert_eq!(decimal("2.5", 1, 5000), Some(2500));
        assert_eq!(decimal("1.33333", 1, 5000), Some(1333));
        assert_eq!(decimal("1.6666", 1, 5000), Some(1667));
        assert_eq!(decimal("5", 1, 5000), Some(5000));
        assert_eq!(decimal("5.001", 1, 5000), None);
        assert_eq!(decimal("0", 1, 5000), None);
        assert_eq!(decimal("0.0001", 0, 5000), None);
        assert_eq!(decimal("1e30", 0, i64::MAX), None);
        assert_eq!(decimal(&"9".repeat(40), 0, i64::MAX), None);
    }

    #[test]
    fn whole_numbers_take_both_ends() {
        assert_eq!(whole("-100", -100, 100), Some(-100));
        assert_eq!(whole("100", -100, 100), Some(100));
        assert_eq!(whole("-101", -100, 100), None);
        assert_eq!(whole("101", -100, 100), None);
        assert_eq!(whole("--1", -100, 100), None);
        assert_eq!(whole("-", -100, 100), None);
    }

    #[test]
    fn ratios_are_reduced() {
        assert_eq!(ratio("16:9"), Some((16, 9)));
        assert_eq!(ratio("800:500"), Some((8, 5)));
        assert_eq!(ratio("1.91:1"), Some((191, 100)));
        assert_eq!(ratio("0:1"), None);
        assert_eq!(ratio("1:0"), None);
        assert_eq!(ratio("16"), None);
        assert_eq!(ratio("1:2:3"), None);
        assert_eq!(ratio("10000:1"), Some((10_000, 1)));
        assert_eq!(ratio("10000.001:1"), None);
    }

    #[test]
    fn hex_colours_have_three_to_eight_digits() {
        assert_eq!(hex_channels("f00"), Some(vec![255, 0, 0]));
        assert_eq!(hex_channels("#00ff00"), Some(vec![0, 255, 0]));
        assert_eq!(hex_channels("80ff0000"), Some(vec![128, 255, 0, 0]));
        assert_eq!(hex_channels("8f00"), Some(vec![0x88, 255, 0, 0]));
        assert_eq!(hex_channels("ff"), None);
        assert_eq!(hex_channels("##ff00"), None);
        assert_eq!(hex_channels("gg0000"), None);
        assert_eq!(hex_channels("ééé"), None);
    }

    #[test]
    fn thousandths_are_shown_short() {
        assert_eq!(Thousandths(5000).to_string(), "5");
        assert_eq!(Thousandths(2500).to_string(), "2.5");
        assert_eq!(Thousandths(1).to_string(), "0.001");
    }
}
