//! A query string → its parameters, decoded once. Knows no name and no meaning.

use super::{Error, MAX_PARAMETERS, MAX_QUERY_BYTES};

/// One `name=value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pair<'a> {
    /// Decoded.
    pub name: String,
    /// Decoded; bytes that are no UTF-8 have become U+FFFD, which no parameter accepts.
    pub value: String,
    /// The whole of it as it was sent.
    pub raw: &'a str,
}

impl Pair<'_> {
    /// The value as it was sent.
    pub(crate) fn raw_value(&self) -> &str {
        self.raw.split_once('=').map_or("", |(_, value)| value)
    }

    /// Whether every `%` of the value begins an escape.
    pub(crate) fn is_well_escaped(&self) -> bool {
        let mut rest = self.raw_value().as_bytes();
        while let Some(at) = rest.iter().position(|&b| b == b'%') {
            let escape = rest.get(at + 1..at + 3);
            if !escape.is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit)) {
                return false;
            }
            rest = &rest[at + 3..];
        }
        true
    }
}

/// Splits and decodes a query (without its `?`), in the order in which it was sent.
///
/// # Errors
/// More than [`MAX_QUERY_BYTES`] or [`MAX_PARAMETERS`].
pub(crate) fn pairs(query: &str) -> Result<Vec<Pair<'_>>, Error> {
    if query.len() > MAX_QUERY_BYTES {
        return Err(Error::query(MAX_QUERY_BYTES, "bytes"));
    }
    let raw: Vec<&str> = query.split('&').filter(|part| !part.is_empty()).collect();
    if raw.len() > MAX_PARAMETERS {
        return Err(Error::query(MAX_PARAMETERS, "parameters"));
    }
    // Its splitting is the one above, so the two lists run in step. It accepts any bytes; should
    // it ever refuse some, that is a malformed query.
    let decoded: Vec<(String, String)> =
        serde_urlencoded::from_str(query).map_err(|_| Error::query(MAX_QUERY_BYTES, "bytes"))?;
    let pairs = decoded.into_iter().zip(raw);
    Ok(pairs
        .map(|((name, value), raw)| Pair { name, value, raw })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(query: &str, expected: &[(&str, &str)]) {
        let pairs = pairs(query).expect("within the limits");
        let got: Vec<_> = pairs
            .iter()
            .map(|p| (p.name.as_str(), p.value.as_str()))
            .collect();
        assert_eq!(got, expected, "{query}");
        assert!(pairs.iter().all(|p| query.contains(p.raw)));
    }

    #[test]
    fn pairs_are_decoded_once() {
        check("", &[]);
        check("&&&", &[]);
        check("w=1&h=2", &[("w", "1"), ("h", "2")]);
        check("a+b=c%2Bd+e", &[("a b", "c+d e")]);
        check("a=%2525", &[("a", "%25")]);
        check("=&a&b=", &[("", ""), ("a", ""), ("b", "")]);
        check("a=b=c", &[("a", "b=c")]);
        check("a=%zz%", &[("a", "%zz%")]);
        check("a=%ff", &[("a", "\u{fffd}")]);
        check("%77=1", &[("w", "1")]);
    }

    #[track_caller]
    fn escaped(value: &str, expected: bool) {
        let query = format!("w={value}");
        let pairs = pairs(&query).expect("within the limits");
        assert_eq!(pairs[0].is_well_escaped(), expected, "{value}");
    }

    #[test]
    fn broken_escapes_are_seen() {
        escaped("", true);
        escaped("10", true);
        escaped("%20%5a", true);
        escaped("%2525", true);
        escaped("%", false);
        escaped("%2", false);
        escaped("%zz", false);
        escaped("%20%", false);
        escaped("%%20", false);
        escaped("%é", false);
    }

    #[test]
    fn a_query_may_have_so_many_parameters_and_no_more() {
        assert!(pairs(&"x=1&".repeat(MAX_PARAMETERS)).is_ok());
        let error = pairs(&"x=1&".repeat(MAX_PARAMETERS + 1)).expect_err("one too many");
        assert_eq!(
            error.to_string(),
            "the query must have at most 64 parameters"
        );
    }

    #[test]
    fn a_query_may_be_so_long_and_no_longer() {
        assert!(pairs(&"x".repeat(MAX_QUERY_BYTES)).is_ok());
        let error = pairs(&"x".repeat(MAX_QUERY_BYTES + 1)).expect_err("one too many");
        assert_eq!(error.to_string(), "the query must have at most 2048 bytes");
    }
}
