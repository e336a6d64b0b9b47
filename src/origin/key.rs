//! Object keys: decoded from a URL path once, never normalised, never outside their prefix.
//!
//! A key is refused if any store that we know, or any client of one, would read it as something
//! else than the plain name of one object. That costs S3 keys which S3 itself would take: with
//! control characters (a TAB too), with empty segments (`a//b`, a trailing slash), and with `.` or
//! `..` between slashes or backslashes. `a..b`, `..;`, `.hidden` and a lone backslash are plain
//! names, and stay.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// S3's own limit, in bytes of UTF-8.
pub const LONGEST_KEY: usize = 1024;

/// All but RFC 3986's unreserved characters and the slash.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

/// The name of an object in its bucket, without the source's key prefix: 1 to 1024 bytes of UTF-8
/// with no control characters, no `.` or `..` or empty segment.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectKey(String);

/// Why a path names no object. The text is for the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Nothing after the source's prefix.
    #[error("the path must name an object, and ends too early")]
    Empty,
    /// More than [`LONGEST_KEY`] bytes.
    #[error("the object's name must be at most {LONGEST_KEY} bytes long")]
    TooLong,
    /// A `%` without two hexadecimal digits.
    #[error("a `%` in the path must be followed by two hexadecimal digits; write `%25` for itself")]
    Escape,
    /// Bytes that are no UTF-8.
    #[error("the path must be UTF-8 when it is decoded")]
    NotUtf8,
    /// NUL, line ends, TAB and their like.
    #[error("the path must hold no control characters")]
    Control,
    /// `.` or `..`.
    #[error("the path must hold no `.` or `..` segment")]
    Dots,
    /// Two slashes in a row, or one at an end.
    #[error("the path must hold no empty segment: no `//`, and no slash at its end")]
    EmptySegment,
}

impl ObjectKey {
    /// The key that a URL path names: `raw` is still percent-encoded, and starts after the
    /// source's prefix. A `+` is a `+`, and `%2F` is a slash like any other.
    ///
    /// # Errors
    /// As [`KeyError`].
    pub fn from_path(raw: &str) -> Result<Self, KeyError> {
        // No shorter than a third of its encoding, so the rest of a very long path is not read.
        if raw.len() > 3 * LONGEST_KEY {
            return Err(KeyError::TooLong);
        }
        if !escapes_are_whole(raw.as_bytes()) {
            return Err(KeyError::Escape);
        }
        let key = percent_decode_str(raw)
            .decode_utf8()
            .map_err(|_| KeyError::NotUtf8)?;
        Self::new(&key)
    }

    /// A key that is not encoded.
    ///
    /// # Errors
    /// As [`KeyError`].
    pub fn new(key: &str) -> Result<Self, KeyError> {
        if key.is_empty() {
            return Err(KeyError::Empty);
        }
        if key.len() > LONGEST_KEY {
            return Err(KeyError::TooLong);
        }
        if key.chars().any(char::is_control) {
            return Err(KeyError::Control);
        }
        if has_dot_segment(key) {
            return Err(KeyError::Dots);
        }
        if key.split('/').any(str::is_empty) {
            return Err(KeyError::EmptySegment);
        }
        Ok(Self(key.to_owned()))
    }

    /// The key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key as it stands in a URL path; [`ObjectKey::from_path`] gives it back.
    #[must_use]
    pub fn to_path(&self) -> String {
        utf8_percent_encode(&self.0, ESCAPED).to_string()
    }
}

/// Whether a URL parser, or a file system that takes backslashes, would climb or fold here.
pub(super) fn has_dot_segment(key: &str) -> bool {
    key.split(['/', '\\'])
        .any(|segment| segment == "." || segment == "..")
}

fn escapes_are_whole(raw: &[u8]) -> bool {
    let mut parts = raw.split(|&byte| byte == b'%');
    parts.next();
    parts.all(|after| matches!(after, [a, b, ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(raw: &str, key: &str) {
        assert_eq!(
            ObjectKey::from_path(raw).as_ref().map(ObjectKey::as_str),
            Ok(key)
        );
    }

    #[track_caller]
    fn refused(raw: &str, error: KeyError) {
        assert_eq!(ObjectKey::from_path(raw), Err(error));
    }

    #[test]
    fn odd_names_reach_their_object() {
        check("a%20b%20c.jpg", "a b c.jpg");
        check("plus+plus.jpg", "plus+plus.jpg");
        check("plus%2Bplus.jpg", "plus+plus.jpg");
        check("100%25.jpg", "100%.jpg");
        check("100%2525.jpg", "100%25.jpg");
        check("hash%23frag.jpg", "hash#frag.jpg");
        check("q%3Fuery%3D1.jpg", "q?uery=1.jpg");
        check("amp&w=9999.jpg", "amp&w=9999.jpg");
        check("semi;colon,comma.jpg", "semi;colon,comma.jpg");
        check("%C3%BCn%C3%AF.jpg", "ünï.jpg");
        check("u%CC%88.jpg", "u\u{308}.jpg");
        check("ü.jpg", "ü.jpg");
        check(".hidden.jpg", ".hidden.jpg");
        check("a..b.jpg", "a..b.jpg");
        check("a./b../...", "a./b../...");
        check("UPPER/lower.JPG", "UPPER/lower.JPG");
        check("a%2Fb", "a/b");
        check("a%5Cb", "a\\b");
        check("x/..;/y", "x/..;/y");
        check("C:%5Cx", "C:\\x");
    }

    #[test]
    fn an_empty_path_names_nothing() {
        refused("", KeyError::Empty);
    }

    #[test]
    fn a_key_has_1024_bytes_at_most() {
        check(&"a".repeat(1024), &"a".repeat(1024));
        check(&"%61".repeat(1024), &"a".repeat(1024));
        check(&"%C3%BC".repeat(512), &"ü".repeat(512));
        refused(&"a".repeat(1025), KeyError::TooLong);
        refused(&"%61".repeat(1025), KeyError::TooLong);
        refused(&format!("a{}", "%C3%BC".repeat(512)), KeyError::TooLong);
    }

    #[test]
    fn escapes_must_be_whole() {
        for raw in ["%", "%2", "a%zz", "%u002e", "a%2", "%%41", "%+1", "a%"] {
            refused(raw, KeyError::Escape);
        }
    }

    #[test]
    fn only_utf8_is_text() {
        for raw in ["%FF%FEa", "%C0%AE%C0%AE/x", "%ED%A0%80", "%F4%90%80%80"] {
            refused(raw, KeyError::NotUtf8);
        }
    }

    #[test]
    fn control_characters_never_pass() {
        for raw in ["a%00", "%0a", "a%0D%0Ab", "a%09b", "a%7Fb", "%C2%85"] {
            refused(raw, KeyError::Control);
        }
    }

    #[test]
    fn dot_segments_never_pass() {
        for raw in [
            "..",
            ".",
            "../x",
            "x/..",
            "x/.",
            "./x",
            "a/../b",
            "%2e%2e/x",
            "..%2fx",
            "..%5c..%5cetc",
            "%5C..%5Cetc",
            "a/.%5Cb",
            "\\..\\..\\etc",
        ] {
            refused(raw, KeyError::Dots);
        }
    }

    #[test]
    fn decoding_happens_once() {
        check("%252e%252e%252fetc", "%2e%2e%2fetc");
        check("%2500", "%00");
    }

    #[test]
    fn empty_segments_never_pass() {
        for raw in ["/a", "a/", "a//b", "a/%2Fb", "%2f%2f127.0.0.1/x", "/"] {
            refused(raw, KeyError::EmptySegment);
        }
    }

    proptest! {
        #[test]
        fn a_key_survives_its_own_encoding(text in "\\PC{1,40}(/\\PC{1,10}){0,3}") {
            if let Ok(key) = ObjectKey::new(&text) {
                prop_assert_eq!(key.as_str(), text.as_str());
                prop_assert_eq!(ObjectKey::from_path(&key.to_path()), Ok(key));
            }
        }

        #[test]
        fn nothing_escapes(raw in "([./%\\\\a\u{0}\n+]|%2[eEfF]|%5[cC]|%00|%25|ü){0,24}") {
            if let Ok(key) = ObjectKey::from_path(&raw) {
                let text = key.as_str();
                prop_assert!(!text.is_empty() && text.len() <= LONGEST_KEY);
                prop_assert!(!text.chars().any(char::is_control));
                // Neither a URL parser nor a path library finds anything to fold.
                let encoded = key.to_path();
                let url = reqwest::Url::parse(&format!("http://h/bucket/{encoded}"));
                prop_assert_eq!(url.map(|url| url.path().to_owned()), Ok(format!("/bucket/{encoded}")));
                let plain = |c| matches!(c, std::path::Component::Normal(_));
                prop_assert!(std::path::Path::new(text).components().all(plain));
            }
        }

        #[test]
        fn equal_keys_come_from_equal_bytes(a in "[a-c%2B+./]{1,8}", b in "[a-c%2B+./]{1,8}") {
            let decoded = |raw: &str| percent_decode_str(raw).collect::<Vec<u8>>();
            if let (Ok(x), Ok(y)) = (ObjectKey::from_path(&a), ObjectKey::from_path(&b)) {
                prop_assert_eq!(x == y, decoded(&a) == decoded(&b));
            }
        }
    }
}
