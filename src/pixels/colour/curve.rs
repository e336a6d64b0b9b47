//! Curves between coded numbers and light, and the tables that a resize looks them up in.

use std::fmt;

/// From a coded number to light, both from 0 to 1, never falling.
pub struct Curve(Box<dyn Fn(f64) -> f64>);

impl fmt::Debug for Curve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Curve(½ → {:.3})", self.light(0.5))
    }
}

impl Curve {
    /// The curve of sRGB (IEC 61966-2-1).
    #[must_use]
    pub fn srgb() -> Self {
        Self(Box::new(srgb_to_light))
    }

    /// Numbers are light already, or are to be treated so.
    #[must_use]
    pub fn identity() -> Self {
        Self(Box::new(|code| code))
    }

    /// A curve of a profile's own; `None` if it does not lead from darkness to light.
    pub fn new(curve: impl Fn(f64) -> f64 + 'static) -> Option<Self> {
        let sane = curve(0.0) < 0.1 && curve(1.0) > 0.9 && (0.02..0.98).contains(&curve(0.5));
        sane.then(|| Self(Box::new(curve)))
    }

    /// Light of a coded number.
    #[must_use]
    pub fn light(&self, code: f64) -> f64 {
        (self.0)(code).clamp(0.0, 1.0)
    }

    /// The tables for samples of this kind.
    #[must_use]
    pub fn tables<S: Sample>(&self) -> Tables<S> {
        let steps = f64::from(S::MAX);
        let mut brightest: f64 = 0.0;
        let to_light: Vec<u16> = (0..=S::MAX)
            .map(|code| {
                brightest = brightest.max(self.light(f64::from(code) / steps));
                to_u16(brightest)
            })
            .collect();
        // The code nearest to a light is the last one whose lower neighbour's half-way point is
        // not above it: half-way as coded, which is where rounding happens.
        let mut from_light = Vec::with_capacity(1 << 16);
        let mut code = 0;
        let mut threshold = self.light(0.5 / steps);
        for light in 0..=u16::MAX {
            let light = f64::from(light) / f64::from(u16::MAX);
            while code < S::MAX && light >= threshold {
                code += 1;
                threshold = self.light((f64::from(code) + 0.5) / steps).max(threshold);
            }
            from_light.push(S::from_code(code));
        }
        Tables {
            to_light,
            from_light,
        }
    }
}

/// Look-ups in both directions.
#[derive(Debug)]
pub struct Tables<S> {
    /// Light, 16 bits, of each code.
    pub to_light: Vec<u16>,
    /// The code nearest to each light of 16 bits.
    pub from_light: Vec<S>,
}

/// A sample of 8 or 16 bits.
pub trait Sample: Copy + Default + PartialEq + 'static {
    /// The largest code.
    const MAX: u32;
    /// A code, as a sample; larger ones are the largest.
    fn from_code(code: u32) -> Self;
    /// As a place in a table.
    fn index(self) -> usize;
    /// Stretched over 16 bits.
    fn widened(self) -> u16;
    /// Back from 16 bits, to the nearest.
    fn narrowed(wide: u16) -> Self;
}

impl Sample for u8 {
    const MAX: u32 = 255;

    fn from_code(code: u32) -> Self {
        Self::try_from(code).unwrap_or(Self::MAX)
    }

    fn index(self) -> usize {
        self.into()
    }

    fn widened(self) -> u16 {
        u16::from(self) * 257
    }

    fn narrowed(wide: u16) -> Self {
        crate::pixels::bitmap::narrow(wide)
    }
}

impl Sample for u16 {
    const MAX: u32 = 65_535;

    fn from_code(code: u32) -> Self {
        Self::try_from(code).unwrap_or(Self::MAX)
    }

    fn index(self) -> usize {
        self.into()
    }

    fn widened(self) -> u16 {
        self
    }

    fn narrowed(wide: u16) -> Self {
        wide
    }
}

/// Light of an sRGB number.
#[must_use]
pub fn srgb_to_light(code: f64) -> f64 {
    if code <= 0.040_45 {
        code / 12.92
    } else {
        ((code + 0.055) / 1.055).powf(2.4)
    }
}

/// The sRGB number of a light.
#[must_use]
pub fn light_to_srgb(light: f64) -> f64 {
    if light <= 0.003_130_8 {
        light * 12.92
    } else {
        light.powf(1.0 / 2.4) * 1.055 - 0.055
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 0 … 1 before"
)]
fn to_u16(light: f64) -> u16 {
    (light * f64::from(u16::MAX)).round() as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_round_trip<S: Sample + std::fmt::Debug>(curve: &Curve) {
        let tables = curve.tables::<S>();
        assert_eq!(tables.from_light.len(), 65_536);
        for code in 0..=S::MAX {
            let sample = S::from_code(code);
            let light = tables.to_light[sample.index()];
            assert_eq!(tables.from_light[usize::from(light)], sample, "code {code}");
        }
    }

    #[test]
    fn eight_bits_survive_the_way_to_light_and_back() {
        check_round_trip::<u8>(&Curve::srgb());
        check_round_trip::<u8>(&Curve::identity());
        check_round_trip::<u8>(&Curve::new(|code: f64| code.powf(1.8)).unwrap());
    }

    #[test]
    fn sixteen_bits_survive_where_numbers_are_light() {
        check_round_trip::<u16>(&Curve::identity());
    }

    #[test]
    fn sixteen_bits_of_srgb_stay_within_what_sixteen_bits_of_light_can_tell() {
        let tables = Curve::srgb().tables::<u16>();
        for code in (0..=u16::MAX).step_by(97) {
            let back = tables.from_light[usize::from(tables.to_light[usize::from(code)])];
            assert!(back.abs_diff(code) <= 13, "{code} came back as {back}");
        }
    }

    #[test]
    fn rounding_is_to_the_nearest_code() {
        let tables = Curve::srgb().tables::<u8>();
        let nearest = |light: u16| (light_to_srgb(f64::from(light) / 65_535.0) * 255.0).round();
        for light in (0..=u16::MAX).step_by(31) {
            let found = f64::from(tables.from_light[usize::from(light)]);
            assert!((found - nearest(light)).abs() < 0.5, "light {light}");
        }
    }

    #[test]
    fn a_curve_that_leads_nowhere_is_none() {
        assert!(Curve::new(|code| 1.0 - code).is_none());
        assert!(Curve::new(|_| 0.0).is_none());
        assert!(Curve::new(|_| f64::NAN).is_none());
    }
}
