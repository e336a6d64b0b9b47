//! A finished encoding, with everything that its responses repeat computed once.

use std::time::{Instant, SystemTime};

use bytes::Bytes;
use http::HeaderValue;

use crate::{
    origin::{Meta, ObjectKey, Version},
    pixels::{format::OutputFormat, geometry::Size, render::Rendered},
    recipe::Recipe,
};

/// Part of every key. Raise it when the same recipe begins to mean other pixels: a new resampler,
/// another default that `Recipe::canonical` does not spell. Old variants are then never found again.
pub const EPOCH: u32 = 1;

/// 128 bits that name a variant: equal for requests that mean the same, and for no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VariantKey(pub [u8; 16]);

/// 128 bits that name an object of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ObjectId(pub [u8; 16]);

impl VariantKey {
    /// The key of what `recipe` makes of an object of a source.
    #[must_use]
    pub fn new(source_name: &str, object: &ObjectKey, recipe: &Recipe) -> Self {
        Self::of(source_name, object.as_str(), &recipe.canonical())
    }

    fn of(source_name: &str, object: &str, recipe: &str) -> Self {
        Self(hash("variant", &[source_name, object, recipe]))
    }

    /// The key as text: 32 hexadecimal digits.
    #[must_use]
    pub fn to_hex(&self) -> String {
        hex::encode(self.0)
    }

    /// The entity tag of this variant of a source of that version, quotes and all. A quality that was
    /// looked for is part of it: another time another may be found, and the bytes are others.
    fn etag(&self, version: &Version, quality: Option<u8>) -> HeaderValue {
        let (key, found) = (self.to_hex(), quality.map(|quality| quality.to_string()));
        let parts = [Some(key.as_str()), Some(&version.0), found.as_deref()];
        let parts: Vec<_> = parts.into_iter().flatten().collect();
        let tag = hash("etag", &parts);
        let quoted = format!("\"{}\"", hex::encode(tag));
        HeaderValue::try_from(quoted).expect("quotes and hexadecimal digits are visible ASCII")
    }
}

impl ObjectId {
    /// The name of an object of a source.
    #[must_use]
    pub fn new(source_name: &str, object: &ObjectKey) -> Self {
        Self(hash("object", &[source_name, object.as_str()]))
    }
}

/// Each part with its length before it, so that no two lists of parts hash the same bytes; and the
/// kind before all, so that no two kinds of key do.
fn hash(kind: &str, parts: &[&str]) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&EPOCH.to_le_bytes());
    for part in [kind].iter().chain(parts) {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    let mut short = [0; 16];
    hasher.finalize_xof().fill(&mut short);
    short
}

/// A finished encoding.
#[derive(Clone, Debug)]
pub struct Variant {
    /// The encoded picture.
    pub bytes: Bytes,
    /// What it is.
    pub format: OutputFormat,
    /// How large it is.
    pub size: Size,
    /// Strong entity tag, quotes and all; equal for equal key and source version.
    pub etag: http::HeaderValue,
    /// When the origin says that the source changed.
    pub last_modified: Option<SystemTime>,
    /// The source that it was made of.
    pub version: Version,
    /// What the object itself says of caching, verbatim, where the source's setting honours it.
    pub cache_control: Option<http::HeaderValue>,
    /// Fresh until then.
    pub fresh_until: Instant,
}

impl Variant {
    /// A variant of this key, made of a source of which `meta` is known. `cache_control` is the
    /// object's own, where it counts.
    #[must_use]
    pub fn new(
        rendered: Rendered,
        meta: &Meta,
        key: &VariantKey,
        cache_control: Option<&str>,
        fresh_until: Instant,
    ) -> Self {
        let mut bytes = rendered.bytes;
        // The cache counts lengths; what an encoder allocated beyond would be memory that nobody
        // accounts for.
        bytes.shrink_to_fit();
        Self {
            bytes: bytes.into(),
            format: rendered.format,
            size: rendered.size,
            etag: key.etag(&meta.version, rendered.quality),
            last_modified: meta.last_modified,
            version: meta.version.clone(),
            // What is no header value did not come over HTTP; nobody would miss it.
            cache_control: cache_control.and_then(|text| HeaderValue::try_from(text).ok()),
            fresh_until,
        }
    }

    /// The same picture, fresh for longer: its source still stands.
    #[must_use]
    pub fn renewed(&self, fresh_until: Instant) -> Self {
        Self {
            fresh_until,
            ..self.clone()
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::{collections::HashSet, sync::Arc, time::Duration};

    use proptest::prelude::*;

    use super::*;
    use crate::pixels::render::Stages;

    const KEY: VariantKey = VariantKey([7; 16]);

    fn rendered(bytes: Vec<u8>) -> Rendered {
        Rendered {
            bytes,
            format: OutputFormat::WebP,
            size: Size {
                width: 4,
                height: 3,
            },
            quality: None,
            stages: Stages::default(),
        }
    }

    fn meta(version: &str) -> Meta {
        Meta {
            version: Version(version.to_owned()),
            last_modified: Some(SystemTime::UNIX_EPOCH),
            cache_control: None,
        }
    }

    /// A variant of so many bytes.
    pub(crate) fn variant(bytes: usize) -> Arc<Variant> {
        let rendered = rendered(vec![0; bytes]);
        let variant = Variant::new(rendered, &meta("v1"), &KEY, None, Instant::now());
        Arc::new(variant)
    }

    #[test]
    fn the_spelling_of_keys_is_pinned() {
        // Whoever must change these numbers raises EPOCH instead.
        let key = VariantKey::of("photos", "cats/tom.jpg", "w=400");
        assert_eq!(key.to_hex(), "10de6ebc0ebf60467f52eece8450db94");
        let etag = key.etag(&Version("\"abc\"".to_owned()), None);
        assert_eq!(etag, "\"ed94f64088a9b2df3ef5246c21fcb5c9\"");
    }

    #[test]
    fn no_part_of_a_key_runs_into_the_next() {
        let keys = [
            VariantKey::of("ab", "c", "d"),
            VariantKey::of("a", "bc", "d"),
            VariantKey::of("a", "b", "cd"),
            VariantKey::of("abc", "d", ""),
            VariantKey::of("", "abc", "d"),
            VariantKey::of("abcd", "", ""),
        ];
        assert_eq!(HashSet::from(keys).len(), keys.len());
    }

    proptest! {
        #[test]
        fn keys_are_equal_exactly_where_all_parts_are(
            a in ("[ab]{0,3}", "[ab]{0,3}", "[ab]{0,3}"),
            b in ("[ab]{0,3}", "[ab]{0,3}", "[ab]{0,3}"),
        ) {
            let key = |(s, o, r): &(String, String, String)| VariantKey::of(s, o, r);
            prop_assert_eq!(key(&a) == key(&b), a == b);
        }
    }

    #[test]
    fn the_entity_tag_is_of_key_and_version() {
        let tag = |version| Variant::new(rendered(vec![1]), &meta(version), &KEY, None, now()).etag;
        let other = VariantKey([8; 16]).etag(&Version("v1".to_owned()), None);
        assert_eq!(tag("v1"), tag("v1"));
        assert_ne!(tag("v1"), tag("v2"));
        assert_ne!(tag("v1"), other);
    }

    #[test]
    fn renewing_changes_the_time_and_nothing_else() {
        let variant = variant(3);
        let until = now() + Duration::from_secs(9);
        let renewed = variant.renewed(until);
        assert_eq!(renewed.fresh_until, until);
        assert_eq!(renewed.bytes.as_ptr(), variant.bytes.as_ptr(), "not copied");
        assert_eq!(renewed.etag, variant.etag);
    }

    #[test]
    fn an_unprintable_cache_control_is_dropped() {
        let header = |text| {
            Variant::new(rendered(vec![1]), &meta("v1"), &KEY, Some(text), now()).cache_control
        };
        assert_eq!(
            header("max-age=5"),
            Some(HeaderValue::from_static("max-age=5"))
        );
        assert_eq!(header("max-age=5\r\nX-Evil: 1"), None);
    }

    fn now() -> Instant {
        Instant::now()
    }
}
