//! Signed URLs: make, verify, expire. Knows bytes and keys; what the parameters mean, it does not.

use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest as _, Md5};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};

use super::params::query::{self, Pair};

/// Begins every message that is signed, so that a signature made for something else, or by
/// another version of this scheme, is none here.
const CONTEXT: &str = "aquatint-url-1";

/// The parameter that holds the signature.
const NAME: &str = "s";

/// The parameter that holds the last second of the URL's life.
const EXPIRES: &str = "expires";

/// A secret that signs URLs. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(Vec<u8>);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

impl Key {
    /// Bytes below which a key of [`Scheme::Hmac`] can be guessed: 128 bits. Whoever reads keys
    /// from a configuration refuses shorter ones (imgix's tokens are 16 characters or fewer).
    pub const MIN_BYTES: usize = 16;

    /// A key of these bytes.
    #[must_use]
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// How long it is.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it has no bytes at all: such a key would sign for everybody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// How URLs are signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scheme {
    /// HMAC-SHA256 over the path and the sorted query.
    #[default]
    Hmac,
    /// imgix's MD5 over token, path and query as they were sent.
    Imgix,
}

/// Whether the URL is signed with one of these keys. `path` and `query` (without its `?`) as they
/// were sent, percent-encoded.
///
/// Every key is tried, and every comparison takes the same time whatever differs.
#[must_use]
pub fn verify(keys: &[Key], scheme: Scheme, path: &str, query: &str) -> bool {
    match scheme {
        Scheme::Hmac => verify_hmac(keys, path, query),
        Scheme::Imgix => verify_imgix(keys, path, query),
    }
}

/// `path?query`, signed. A signature in the query is replaced, and so is its `expires` where one
/// is given. The path is percent-encoded, as it will be sent.
#[must_use]
pub fn sign_path_and_query(
    key: &Key,
    scheme: Scheme,
    path: &str,
    query: &str,
    expires: Option<u64>,
) -> String {
    let is = |part: &str, name: &str| {
        let typed = part.split('=').next().unwrap_or_default();
        decode_form(typed) == name
    };
    let mut parts: Vec<Cow<'_, str>> = query
        .split('&')
        .filter(|part| !part.is_empty() && !is(part, NAME))
        .filter(|part| expires.is_none() || !is(part, EXPIRES))
        .map(Cow::Borrowed)
        .collect();
    if let Some(at) = expires {
        parts.push(format!("{EXPIRES}={at}").into());
    }
    let query = parts.join("&");
    let signature = match scheme {
        Scheme::Hmac => {
            let pairs = pairs_for_signing(&query);
            URL_SAFE_NO_PAD.encode(hmac(key, &message(path, &pairs)))
        }
        Scheme::Imgix => imgix(key, path, &query),
    };
    let and = if query.is_empty() { "" } else { "&" };
    format!("{path}?{query}{and}{NAME}={signature}")
}

fn verify_hmac(keys: &[Key], path: &str, query: &str) -> bool {
    let Ok(pairs) = query::pairs(query) else {
        return false;
    };
    let (signatures, rest): (Vec<_>, Vec<_>) = pairs.into_iter().partition(|p| p.name == NAME);
    let [signature] = signatures.as_slice() else {
        return false;
    };
    let Some(signature) = decode_signature(&signature.value) else {
        return false;
    };
    let rest: Vec<_> = rest.into_iter().map(named).collect();
    let message = message(path, &rest);
    any(keys, |key| hmac(key, &message).ct_eq(&signature))
}

fn verify_imgix(keys: &[Key], path: &str, query: &str) -> bool {
    // MD5 of a secret in front can be extended by whoever puts MD5's own padding, a byte 0x80 and
    // zeros, into the message. No URL has such bytes unescaped, and none is taken here.
    if !path
        .bytes()
        .chain(query.bytes())
        .all(|b| b.is_ascii_graphic())
    {
        return false;
    }
    let (signed, signature) = match query.rsplit_once('&') {
        Some((signed, last)) => (signed, last),
        None => ("", query),
    };
    let Some(signature) = signature.strip_prefix("s=") else {
        return false;
    };
    any(keys, |key| {
        let expected = imgix(key, path, signed);
        expected.as_bytes().ct_eq(signature.as_bytes())
    })
}

/// Whether `matches` says yes to some key; asks them all, whatever they say.
fn any(keys: &[Key], matches: impl Fn(&Key) -> Choice) -> bool {
    let none = Choice::from(0);
    keys.iter()
        .fold(none, |found, key| found | matches(key))
        .into()
}

/// All 256 bits, in URL-safe base64 or in hexadecimal; nothing shorter is taken.
fn decode_signature(text: &str) -> Option<[u8; 32]> {
    let bytes = if text.len() == 64 {
        hex::decode(text).ok()?
    } else {
        URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()?
    };
    bytes.try_into().ok()
}

fn hmac(key: &Key, message: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(&key.0).expect("HMAC takes keys of any length");
    mac.update(message);
    mac.finalize().into_bytes().into()
}

/// What is signed: the decoded path, and the decoded parameters in order of their bytes; each
/// piece behind its length, so that no two URLs of different meaning have one message.
fn message(path: &str, parameters: &[(String, String)]) -> Vec<u8> {
    let path = percent_encoding::percent_decode_str(path).collect::<Vec<u8>>();
    let mut sorted: Vec<_> = parameters.iter().collect();
    sorted.sort_unstable();
    let mut message = Vec::with_capacity(64 + 2 * path.len());
    let mut put = |piece: &[u8]| {
        message.extend_from_slice(piece.len().to_string().as_bytes());
        message.push(b':');
        message.extend_from_slice(piece);
    };
    put(CONTEXT.as_bytes());
    put(&path);
    for (name, value) in sorted {
        put(name.as_bytes());
        put(value.as_bytes());
    }
    message
}

fn pairs_for_signing(query: &str) -> Vec<(String, String)> {
    // Not `query::pairs`: a URL over its limits can be signed; it will be refused for its length.
    serde_urlencoded::from_str(query).unwrap_or_default()
}

fn named(pair: Pair<'_>) -> (String, String) {
    (pair.name, pair.value)
}

fn decode_form(text: &str) -> String {
    let spaced = text.replace('+', " ");
    let decoded = percent_encoding::percent_decode_str(&spaced);
    decoded.decode_utf8_lossy().into_owned()
}

/// imgix's signature of a query without its `s`.
fn imgix(token: &Key, path: &str, query: &str) -> String {
    let mark = if query.is_empty() { "" } else { "?" };
    let mut md5 = Md5::new();
    md5.update(&token.0);
    for piece in [path, mark, query] {
        md5.update(piece.as_bytes());
    }
    hex::encode(md5.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = "/cats/tom%20cat.jpg";
    const QUERY: &str = "width=400&fit=cover&expires=1900000000";
    // Made by the Node and the Python code of docs/url-api.md, which agree.
    const S: &str = "miLprAyrDz_sP5Ffh3OiaDggCVaKklvbJlz84EUZhNg";
    const BARE_S: &str = "xyTDWtZvhQ5N4EMoot6-NsW02-1N7XFUL0iitcdszpU";

    fn key() -> Key {
        Key::new("0123456789abcdef0123456789abcdef")
    }

    #[track_caller]
    fn check(path: &str, query: &str, expected: bool) {
        let got = verify(&[key()], Scheme::Hmac, path, query);
        assert_eq!(got, expected, "{path}?{query}");
    }

    #[test]
    fn node_and_python_sign_as_we_do() {
        let signed = sign_path_and_query(&key(), Scheme::Hmac, PATH, QUERY, None);
        assert_eq!(signed, format!("{PATH}?{QUERY}&s={S}"));
        let signed = sign_path_and_query(&key(), Scheme::Hmac, "/a.jpg", "", None);
        assert_eq!(signed, format!("/a.jpg?s={BARE_S}"));
    }

    #[test]
    fn what_means_the_same_verifies_alike() {
        check(PATH, &format!("{QUERY}&s={S}"), true);
        check(PATH, &format!("s={S}&{QUERY}"), true);
        check(
            PATH,
            &format!("fit=cover&s={S}&expires=1900000000&width=400"),
            true,
        );
        check(
            PATH,
            &format!("width=%34%30%30&f%69t=cover&expires=1900000000&s={S}"),
            true,
        );
        check(PATH, &format!("&&{QUERY}&&%73={S}&"), true);
        check("/%63ats/tom%20cat%2Ejpg", &format!("{QUERY}&s={S}"), true);
        check(PATH, &format!("{QUERY}&s={S}="), true);
        let bytes = URL_SAFE_NO_PAD.decode(S).expect("base64");
        check(PATH, &format!("{QUERY}&s={}", hex::encode(&bytes)), true);
        check(
            PATH,
            &format!("{QUERY}&s={}", hex::encode_upper(&bytes)),
            true,
        );
    }

    #[test]
    fn every_change_of_meaning_is_refused() {
        for (path, query) in [
            (PATH, QUERY.to_owned()),
            (PATH, String::new()),
            (PATH, "s=".to_owned()),
            ("/cats/tom%20cats.jpg", format!("{QUERY}&s={S}")),
            ("/cats/tom+cat.jpg", format!("{QUERY}&s={S}")),
            ("/cats%252ftom%20cat.jpg", format!("{QUERY}&s={S}")),
            (
                PATH,
                format!("width=401&fit=cover&expires=1900000000&s={S}"),
            ),
            (
                PATH,
                format!("width=400&fit=cover&expires=1900000001&s={S}"),
            ),
            (PATH, format!("width=400&fit=cover&s={S}")),
            (PATH, format!("w=400&fit=cover&expires=1900000000&s={S}")),
            (PATH, format!("{QUERY}&utm_source=x&s={S}")),
            (PATH, format!("{QUERY}&width=400&s={S}")),
            (PATH, format!("{QUERY}&s={S}&s={S}")),
            (PATH, format!("{QUERY}&s={BARE_S}")),
            // Nothing shorter, and no other spelling.
            (PATH, format!("{QUERY}&s={}", &S[..42])),
            (PATH, format!("{QUERY}&s={}", &S[..22])),
            (PATH, format!("{QUERY}&s={S}A")),
            (PATH, format!("{QUERY}&s64={S}")),
            (PATH, format!("{QUERY}&S={S}")),
        ] {
            check(path, &query, false);
        }
    }

    #[test]
    fn every_bit_of_a_signature_counts() {
        let good: [u8; 32] = decode_signature(S).expect("a signature");
        for bit in 0..256 {
            let mut bad = good;
            bad[bit / 8] ^= 1 << (bit % 8);
            check(PATH, &format!("{QUERY}&s={}", hex::encode(bad)), false);
        }
    }

    #[test]
    fn pieces_cannot_be_shifted_into_one_another() {
        let pairs = |list: &[(&str, &str)]| -> Vec<(String, String)> {
            list.iter().map(|&(a, b)| (a.into(), b.into())).collect()
        };
        let messages = [
            message("/a", &pairs(&[("b", "c")])),
            message("/a", &pairs(&[("bc", "")])),
            message("/a", &pairs(&[("", "bc")])),
            message("/a1:b", &pairs(&[("c", "")])),
            message("/a", &pairs(&[("b", "c"), ("", "")])),
            message("/a", &pairs(&[("b", "1:c")])),
        ];
        for (at, one) in messages.iter().enumerate() {
            assert!(!messages[at + 1..].contains(one), "{at}");
        }
    }

    #[test]
    fn two_keys_live_side_by_side() {
        let (old, new) = (Key::new("old"), Key::new("new"));
        let signed = sign_path_and_query(&old, Scheme::Hmac, "/a", "w=1", None);
        let query = signed.split_once('?').expect("a query").1;
        let keys = [new.clone(), old.clone()];
        assert!(verify(&keys, Scheme::Hmac, "/a", query));
        assert!(verify(&keys[1..], Scheme::Hmac, "/a", query));
        assert!(!verify(&keys[..1], Scheme::Hmac, "/a", query));
        assert!(!verify(&[], Scheme::Hmac, "/a", query));
    }

    #[track_caller]
    fn imgix_vector(token: &str, path: &str, query: &str, s: &str) {
        let key = Key::new(token);
        let signed = sign_path_and_query(&key, Scheme::Imgix, path, query, None);
        let and = if query.is_empty() { "" } else { "&" };
        assert_eq!(signed, format!("{path}?{query}{and}s={s}"));
        let query = format!("{query}{and}s={s}");
        assert!(verify(
            &[Key::new("other"), key],
            Scheme::Imgix,
            path,
            &query
        ));
    }

    #[test]
    fn imgix_signatures_are_those_of_its_libraries() {
        // imgix-blueprint's vectors, and one URL of @imgix/js-core.
        let (user, http) = ("/users/1.png", "/http%3A%2F%2Favatars.com%2Fjohn-smith.png");
        let token = "FOO123bar";
        imgix_vector(token, user, "", "6797c24146142d5b40bde3141fd3600c");
        imgix_vector(token, http, "", "493a52f008c91416351f8b33d4883135");
        imgix_vector(
            token,
            user,
            "w=400&h=300",
            "c7b86f666a832434dd38577e38cf86d1",
        );
        imgix_vector(
            token,
            user,
            "h=300&w=400",
            "1a4e48641614d1109c6a7af51be23d18",
        );
        imgix_vector(
            token,
            http,
            "w=400&h=300",
            "61ea1cc7add87653bb0695fe25f2b534",
        );
        imgix_vector(
            token,
            http,
            "h=300&w=400",
            "a201fe1a3caef4944dcb40f6ce99e746",
        );
        let query = "ixlib=js-3.8.0&w=400&auto=format";
        imgix_vector(
            "s3cr3t",
            "/chart.jpg",
            query,
            "38a4cdfafed37b2473e22a5ce93345bf",
        );
    }

    #[test]
    fn imgix_signatures_stand_last_and_sign_raw_bytes() {
        let check = |query: &str, expected: bool| {
            let keys = [Key::new("FOO123bar")];
            assert_eq!(
                verify(&keys, Scheme::Imgix, "/users/1.png", query),
                expected,
                "{query}"
            );
        };
        let s = "c7b86f666a832434dd38577e38cf86d1";
        check(&format!("w=400&h=300&s={s}"), true);
        check(&format!("h=300&w=400&s={s}"), false);
        check(&format!("s={s}&w=400&h=300"), false);
        check(&format!("w=%3400&h=300&s={s}"), false);
        check(&format!("w=401&h=300&s={s}"), false);
        check(&format!("w=400&h=300&s={}", s.to_uppercase()), false);
        check(&format!("w=400&h=300&s={}", &s[..31]), false);
        check(&format!("w=400&h=300&s={s}&"), false);
        check("w=400&h=300", false);
        check("", false);
        check("s=", false);
        check(&format!("w=400&h=300é&s={s}"), false);
        // Each scheme alone: a signature of the other is none.
        check(&format!("w=400&h=300&s={S}"), false);
    }

    #[test]
    fn signing_replaces_what_was_there() {
        let query = format!("s={S}&expires=1&width=400&fit=cover");
        let signed = sign_path_and_query(&key(), Scheme::Hmac, PATH, &query, Some(1_900_000_000));
        assert_eq!(signed, format!("{PATH}?{QUERY}&s={S}"));
    }

    #[test]
    fn keys_are_never_printed() {
        assert_eq!(format!("{:?}", Key::new("secret")), "Key(…)");
    }
}
