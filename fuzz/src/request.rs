//! Requests: what is typed into a query, a path, an `Accept` header.

use std::{collections::BTreeMap, str};

use aquatint::{
    origin::ObjectKey,
    recipe::{
        Recipe, Transform,
        dialect::Dialect,
        negotiate::Accepts,
        params,
        policy::{Policy, PolicySettings},
        signature::{self, Key, Scheme},
        transform::Quality,
    },
};
use libfuzzer_sys::Corpus;

/// Prints the dictionary of the query's names and values, and ends, where that is asked for.
pub fn dictionary_if_asked() {
    if std::env::var_os("AQUATINT_FUZZ_DICTIONARY").is_some() {
        print!("{}", params::dictionary());
        std::process::exit(0);
    }
}

/// A query: parsed, admitted and resolved under several policies.
#[must_use]
pub fn query(bytes: &[u8]) -> Corpus {
    let Ok(query) = str::from_utf8(bytes) else {
        return Corpus::Reject;
    };
    for dialect in [Dialect::Imgix, Dialect::Css] {
        let _ = Transform::parse(query, dialect, true);
        if let Ok(transform) = Transform::parse(query, dialect, false) {
            decide(&transform);
        }
    }
    for settings in policies() {
        let policy = Policy::new(settings);
        if let Ok(transform) = policy.admit("/a.jpg", query, 1_800_000_000) {
            let _ = Recipe::resolve(&transform, Accepts::default(), &policy).canonical();
        }
    }
    Corpus::Keep
}

/// Equal meaning is equal spelling, whoever asks.
fn decide(transform: &Transform) {
    let policy = Policy::new(PolicySettings::default());
    let everything = Accepts {
        avif: true,
        webp: true,
    };
    let plain = Recipe::resolve(transform, Accepts::default(), &policy);
    let newest = Recipe::resolve(transform, everything, &policy);
    assert_eq!(plain == newest, plain.canonical() == newest.canonical());
    assert!(plain == newest || policy.varies(transform));
}

fn policies() -> [PolicySettings; 3] {
    let thumb = Transform {
        quality: Some(Quality::At(70)),
        ..Transform::default()
    };
    let presets = BTreeMap::from([("thumb".to_owned(), thumb)]);
    [
        PolicySettings {
            presets: presets.clone(),
            presets_only: true,
            ..PolicySettings::default()
        },
        PolicySettings {
            presets,
            widths: vec![1, 320, 8192],
            quality_step: 7,
            ..PolicySettings::default()
        },
        PolicySettings {
            widths: vec![320, 640],
            widths_strict: true,
            auto_format: true,
            ..PolicySettings::default()
        },
    ]
}

/// A path, and after a `?` its query: the key that it names, and signatures.
///
/// # Panics
/// Where an answer does not keep its word: that is the finding.
#[must_use]
pub fn path(bytes: &[u8]) -> Corpus {
    let Ok(text) = str::from_utf8(bytes) else {
        return Corpus::Reject;
    };
    let (path, query) = text.split_once('?').unwrap_or((text, ""));
    let _ = Accepts::from_header([query]);
    if let Ok(key) = ObjectKey::from_path(path) {
        let again = ObjectKey::from_path(&key.to_path());
        assert_eq!(again.as_ref(), Ok(&key), "a key's own path names it");
        let outside = key.as_str().split(['/', '\\']).any(|part| part == "..");
        assert!(!outside, "{key:?}");
    }
    for scheme in [Scheme::Hmac, Scheme::Imgix] {
        sign(scheme, path, query);
    }
    Corpus::Keep
}

fn sign(scheme: Scheme, path: &str, query: &str) {
    let keys = [
        Key::new(*b"0123456789abcdef"),
        Key::new(*b"another-key-that-is-as-long"),
    ];
    let signed = signature::sign_path_and_query(&keys[0], scheme, path, query, Some(1_900_000_000));
    let signed = &signed[path.len() + 1..];
    // A query over the limits is refused before its signature is looked at; and imgix's scheme is
    // safe only with what stands in a URL unescaped.
    let plain = path
        .bytes()
        .chain(signed.bytes())
        .all(|b| b.is_ascii_graphic());
    let short = signed.len() <= params::MAX_QUERY_BYTES
        && signed.split('&').filter(|part| !part.is_empty()).count() <= params::MAX_PARAMETERS;
    if short && (plain || scheme == Scheme::Hmac) {
        assert!(signature::verify(&keys, scheme, path, signed), "{signed}");
    }
    assert!(
        !signature::verify(&keys[1..], scheme, path, signed),
        "{signed}"
    );
    assert!(!signature::verify(
        &keys,
        scheme,
        &format!("{path}x"),
        signed
    ));
}
