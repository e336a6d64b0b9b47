//! `Accept` → the formats that this client takes beyond what every client takes.

use crate::pixels::format::OutputFormat;

/// The newer formats a client says it takes. Reduced to two bits before anything is keyed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Accepts {
    /// `image/avif`, by name.
    pub avif: bool,
    /// `image/webp`, by name.
    pub webp: bool,
}

/// Most media ranges that are looked at, over all headers. Browsers send about eight.
const MAX_RANGES: usize = 64;

/// Most bytes of one header that are looked at: well above what 64 sensible ranges take.
const MAX_BYTES: usize = 4096;

impl Accepts {
    /// Reads the values of all `Accept` headers of a request.
    ///
    /// Only a format's own name counts: `image/*` and `*/*` are sent by clients that show
    /// neither. `q=0` is a no. Anything malformed is passed over.
    #[must_use]
    pub fn from_header<I>(values: I) -> Self
    where
        I: IntoIterator,
        I::Item: AsRef<[u8]>,
    {
        let mut accepts = Self::default();
        let mut left = MAX_RANGES;
        for value in values {
            let value = value.as_ref();
            let value = &value[..value.len().min(MAX_BYTES)];
            for range in value.split(|&b| b == b',') {
                if left == 0 {
                    return accepts;
                }
                left -= 1;
                accepts.take(range);
            }
        }
        accepts
    }

    fn take(&mut self, range: &[u8]) {
        let mut parts = range.split(|&b| b == b';').map(<[u8]>::trim_ascii);
        let Some(name) = parts.next() else { return };
        let is = |format: OutputFormat| name.eq_ignore_ascii_case(format.mime().as_bytes());
        let wanted = if is(OutputFormat::Avif) && OutputFormat::Avif.is_built_in() {
            &mut self.avif
        } else if is(OutputFormat::WebP) {
            &mut self.webp
        } else {
            return;
        };
        *wanted |= !parts.any(is_zero_weight);
    }
}

/// `q=0`, `q=0.`, `q=0.000`.
fn is_zero_weight(parameter: &[u8]) -> bool {
    let Some(weight) = parameter
        .strip_prefix(b"q=")
        .or_else(|| parameter.strip_prefix(b"Q="))
    else {
        return false;
    };
    let zeros = |digits: &[u8]| digits.iter().all(|&b| b == b'0');
    match weight.trim_ascii() {
        b"0" => true,
        [b'0', b'.', rest @ ..] => zeros(rest),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AVIF: bool = OutputFormat::Avif.is_built_in();

    #[track_caller]
    fn check(values: &[&str], avif: bool, webp: bool) {
        let avif = avif && AVIF;
        assert_eq!(
            Accepts::from_header(values),
            Accepts { avif, webp },
            "{values:?}"
        );
    }

    #[test]
    fn browsers_are_understood() {
        check(&[], false, false);
        check(
            &["image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"],
            true,
            true,
        );
        check(&["image/webp,*/*;q=0.8"], false, true);
        check(&["text/html, IMAGE/AVIF ; q=0.9"], true, false);
        check(&["image/png", "image/webp", "image/avif"], true, true);
    }

    #[test]
    fn wildcards_are_no_promise() {
        check(&["*/*"], false, false);
        check(&["image/*"], false, false);
        check(&["image/webpx, ximage/webp, image/web p"], false, false);
    }

    #[test]
    fn a_weight_of_zero_is_a_no() {
        check(&["image/webp;q=0"], false, false);
        check(&["image/webp; q=0.000, image/avif;Q=0."], false, false);
        check(&["image/webp;v=1; q=0.001"], false, true);
        check(&["image/webp;q=nonsense"], false, true);
        check(&["image/webp;q="], false, true);
    }

    #[test]
    fn hostile_headers_cost_little() {
        check(
            &[&format!("{}image/webp", "a,".repeat(MAX_RANGES - 1))],
            false,
            true,
        );
        check(
            &[&format!("{}image/webp", "a,".repeat(MAX_RANGES))],
            false,
            false,
        );
        check(
            &[&format!("{},image/webp", "a".repeat(MAX_BYTES))],
            false,
            false,
        );
        let bytes: [&[u8]; 2] = [b"\xff\x00;;;,,,=", b"image/webp;\xff"];
        assert!(Accepts::from_header(bytes).webp);
    }
}
