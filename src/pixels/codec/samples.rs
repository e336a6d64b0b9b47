//! Samples as encoders of 8-bit formats want them. Knows nothing of formats.

use std::borrow::Cow;

use crate::pixels::bitmap::Samples;

/// Every sample in 8 bits, rounded to the nearest.
pub(super) fn eight_bits(samples: &Samples) -> Cow<'_, [u8]> {
    match samples {
        Samples::U8(samples) => Cow::Borrowed(samples),
        Samples::U16(samples) => samples.iter().copied().map(eight_bits_of).collect(),
    }
}

/// `sample / 257` to the nearest: 65535 is 255 × 257.
fn eight_bits_of(sample: u16) -> u8 {
    u8::try_from((u32::from(sample) + 128) / 257).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_bits_become_the_nearest_eight() {
        let wide = Samples::U16(vec![0, 128, 129, 257, 65_407, 65_535]);
        assert_eq!(*eight_bits(&wide), [0, 0, 1, 1, 255, 255]);
    }
}
