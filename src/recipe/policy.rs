//! What may be asked: presets, the width ladder, signatures, limits. Decided before the cache.

use std::collections::BTreeMap;

use super::{
    dialect::Dialect,
    params::{self, query},
    recipe, signature,
    transform::{Profile, Transform},
};
use crate::pixels::geometry::Length;

/// The rules of one listener, or of one source where it has its own: those replace the
/// listener's altogether.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a setting of its own, and any combination of them makes sense"
)]
pub struct PolicySettings {
    /// Refuse unknown parameter names instead of ignoring them.
    pub strict: bool,
    /// What the words that services disagree on mean.
    pub dialect: Dialect,
    /// Named transforms: `preset=thumb`.
    pub presets: BTreeMap<String, Transform>,
    /// Only presets may be asked for.
    pub presets_only: bool,
    /// Widths snap up to the next of these, and heights where no width is asked for; a height
    /// beside a width keeps the box's shape. Empty: any size.
    pub widths: Vec<u32>,
    /// Refuse a width or height that is not on the ladder instead of snapping it.
    pub widths_strict: bool,
    /// Qualities are rounded up to a multiple of this; 1: any quality.
    pub quality_step: u8,
    /// Signature keys, the current one first; empty: unsigned.
    pub keys: Vec<super::signature::Key>,
    /// Which signatures are understood.
    pub signature: super::signature::Scheme,
    /// Quality where none is asked for.
    pub quality: u8,
    /// SSIMULACRA2 that a picture aims at where `quality=auto` is asked for.
    pub auto_quality_target: u8,
    /// The same where `auto=compress` is, and no number.
    pub auto_compress_target: u8,
    /// Choose the format by `Accept` where neither `auto=format` nor a format is asked for.
    pub auto_format: bool,
    /// Answer with `WebP` at once where the format is negotiated and the AVIF is not kept yet, and
    /// make that behind the answer; and never answer with an AVIF that is not smaller.
    pub avif_behind: bool,
    /// How pixels are computed where nothing is asked for.
    pub profile: Profile,
    /// Refuse a `profile` other than that, unless a preset has it.
    pub profile_fixed: bool,
    /// Largest `dpr`, in thousandths; a larger one counts as this.
    pub max_dpr: u32,
}

impl PolicySettings {
    /// Whether a signature of ours could be had by guessing its key. (imgix's tokens have the
    /// length that imgix gives them.)
    #[must_use]
    pub fn has_weak_key(&self) -> bool {
        self.signature == signature::Scheme::Hmac
            && (self.keys.iter()).any(|key| key.len() < signature::Key::MIN_BYTES)
    }
}

impl Default for PolicySettings {
    fn default() -> Self {
        Self {
            strict: false,
            dialect: Dialect::default(),
            presets: BTreeMap::new(),
            presets_only: false,
            widths: Vec::new(),
            widths_strict: false,
            quality_step: 1,
            keys: Vec::new(),
            signature: super::signature::Scheme::default(),
            quality: 80,
            // What 80 and 60 look like on the mean.
            auto_quality_target: 79,
            auto_compress_target: 68,
            auto_format: false,
            avif_behind: false,
            profile: Profile::default(),
            profile_fixed: false,
            max_dpr: 5_000,
        }
    }
}

/// The rules, ready to be asked.
#[derive(Clone, Debug)]
pub struct Policy {
    /// As configured; [`Policy::new`] has put the presets' own sizes on the ladder.
    pub settings: PolicySettings,
}

/// Why a request is not admitted.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A parameter is unknown under `strict`, malformed or repeated. 400.
    #[error(transparent)]
    Parameter(#[from] super::params::Error),
    /// A signature is missing or wrong: one answer for all reasons. 403.
    #[error("the URL is not signed, or its signature does not match")]
    Signature,
    /// It was signed, and its time is over. 410.
    #[error("the URL has expired")]
    Expired,
    /// Not one of the presets, or not on the ladder. 403.
    #[error("{0}")]
    NotAllowed(String),
}

impl Policy {
    /// Rules of these settings.
    ///
    /// Where there is a ladder, the sizes that presets ask for become steps of it: the operator
    /// has allowed them by writing them down.
    #[must_use]
    pub fn new(mut settings: PolicySettings) -> Self {
        if !settings.widths.is_empty() {
            let presets = settings.presets.values();
            let sizes: Vec<u32> = presets
                .flat_map(|preset| recipe::bounds::asked_pixels(preset, &settings))
                .collect();
            settings.widths.extend(sizes);
            settings.widths.sort_unstable();
            settings.widths.dedup();
        }
        Self { settings }
    }

    /// Whether anybody may ask for any variant: no signature, no presets only, no ladder.
    #[must_use]
    pub fn is_open(&self) -> bool {
        let s = &self.settings;
        s.keys.is_empty() && !s.presets_only && s.widths.is_empty()
    }

    /// Parses a request's query and decides whether it may be asked: signature, expiry, presets,
    /// ladder. `path` and `query` as they were sent, percent-encoded; `now` in seconds since 1970.
    ///
    /// The transform has its preset filled in.
    ///
    /// # Errors
    /// As [`Error`].
    pub fn admit(&self, path: &str, query: &str, now: u64) -> Result<Transform, Error> {
        let s = &self.settings;
        // The limits first: they bound what verifying costs, and tell nobody anything.
        let pairs = query::pairs(query)?;
        if !s.keys.is_empty() && !signature::verify(&s.keys, s.signature, path, query) {
            return Err(Error::Signature);
        }
        let asked = Transform::from_pairs(&pairs, s.dialect, s.strict)?;
        if asked.expires.is_some_and(|last| now > last) {
            return Err(Error::Expired);
        }
        self.check_profile(&asked)?;
        let transform = self.expand(asked)?;
        self.check_ladder(&transform)?;
        Ok(transform)
    }

    /// Fills in what the preset says and the query does not.
    fn expand(&self, mut asked: Transform) -> Result<Transform, Error> {
        let name = asked.preset.take();
        if self.settings.presets_only {
            let bare = Transform {
                expires: asked.expires,
                ..Transform::default()
            };
            if name.is_none() || asked != bare {
                return Err(Error::NotAllowed(
                    "only presets may be asked for here: `preset=` and nothing beside it".into(),
                ));
            }
        }
        let Some(name) = name else { return Ok(asked) };
        let Some(preset) = self.settings.presets.get(&name) else {
            let expects = "the name of one of this server's presets";
            return Err(params::Error::named("preset", expects, &name).into());
        };
        Ok(asked.or(preset))
    }

    fn check_profile(&self, asked: &Transform) -> Result<(), Error> {
        let s = &self.settings;
        let other = asked.profile.is_some_and(|profile| profile != s.profile);
        if s.profile_fixed && other {
            return Err(Error::NotAllowed(
                "another `profile` than the server's own may not be asked for here".into(),
            ));
        }
        Ok(())
    }

    fn check_ladder(&self, transform: &Transform) -> Result<(), Error> {
        let s = &self.settings;
        if s.widths.is_empty() || !s.widths_strict {
            return Ok(());
        }
        let sides = [transform.width, transform.height];
        if sides
            .iter()
            .any(|side| matches!(side, Some(Length::Share(_))))
        {
            return Err(Error::NotAllowed(
                "sizes may not be asked for as fractions here".into(),
            ));
        }
        let mut asked = recipe::bounds::asked_pixels(transform, s);
        asked
            .find(|pixels| !s.widths.contains(pixels))
            .map_or(Ok(()), |pixels| {
                let steps: Vec<_> = s.widths.iter().map(u32::to_string).collect();
                Err(Error::NotAllowed(format!(
                    "a size of {pixels} pixels may not be asked for here, only one of {}",
                    steps.join(", ")
                )))
            })
    }

    /// Whether `Accept` could change the recipe of this transform.
    #[must_use]
    pub fn varies(&self, transform: &Transform) -> bool {
        transform.auto.format || (self.settings.auto_format && transform.format.is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::{
        Recipe,
        negotiate::Accepts,
        signature::{Key, Scheme, sign_path_and_query},
    };

    const NOW: u64 = 1_800_000_000;

    fn parse(query: &str) -> Transform {
        Transform::parse(query, Dialect::Imgix, false).expect(query)
    }

    fn with_thumb() -> PolicySettings {
        let thumb = parse("w=150&h=150&fit=crop&q=70");
        PolicySettings {
            presets: BTreeMap::from([("thumb".to_owned(), thumb)]),
            ..PolicySettings::default()
        }
    }

    fn signed(key: &Key, query: &str, expires: Option<u64>) -> String {
        let signed = sign_path_and_query(key, Scheme::Hmac, "/a.jpg", query, expires);
        signed.split_once('?').expect("a query").1.to_owned()
    }

    /// What a query is answered: `ok`, or the variant of the error.
    #[track_caller]
    fn check(settings: &PolicySettings, query: &str, expected: &str) {
        let answer = Policy::new(settings.clone()).admit("/a.jpg", query, NOW);
        let got = match &answer {
            Ok(_) => "ok",
            Err(Error::Parameter(_)) => "parameter",
            Err(Error::Signature) => "signature",
            Err(Error::Expired) => "expired",
            Err(Error::NotAllowed(_)) => "not allowed",
        };
        assert_eq!(got, expected, "{query}: {answer:?}");
    }

    #[test]
    fn an_open_policy_admits_what_can_be_read() {
        let open = PolicySettings::default();
        check(&open, "", "ok");
        check(&open, "w=400&ixlib=x&s=whatever", "ok");
        check(&open, "w=0", "parameter");
        check(&open, &"x&".repeat(params::MAX_PARAMETERS + 1), "parameter");
        check(&open, "preset=thumb", "parameter");
    }

    #[test]
    fn strict_refuses_unknown_names() {
        let strict = PolicySettings {
            strict: true,
            ..PolicySettings::default()
        };
        check(&strict, "w=400&v=1&s=x&explain", "ok");
        check(&strict, "w=400&ixlib=x", "parameter");
    }

    #[test]
    fn the_signature_is_looked_at_first() {
        let (current, next) = (Key::new("k".repeat(32)), Key::new("n".repeat(32)));
        let settings = PolicySettings {
            keys: vec![next, current.clone()],
            ..PolicySettings::default()
        };
        check(&settings, &signed(&current, "w=400", None), "ok");
        check(&settings, "w=400", "signature");
        check(&settings, "", "signature");
        // Whoever cannot sign learns nothing of the rest.
        check(&settings, "w=0", "signature");
        check(
            &settings,
            &signed(&Key::new("other"), "w=400", Some(1)),
            "signature",
        );
        check(&settings, &signed(&current, "w=0", None), "parameter");
        let url = signed(&current, "w=400", None);
        let other = Policy::new(settings).admit("/b.jpg", &url, NOW);
        assert!(matches!(other, Err(Error::Signature)));
    }

    #[test]
    fn a_url_lives_through_its_last_second() {
        let key = Key::new("k".repeat(32));
        let settings = PolicySettings {
            keys: vec![key.clone()],
            ..PolicySettings::default()
        };
        check(&settings, &signed(&key, "w=400", Some(NOW)), "ok");
        check(&settings, &signed(&key, "w=400", Some(NOW - 1)), "expired");
        let forged = signed(&key, "w=400", Some(NOW - 1)).replace("17999", "18999");
        check(&settings, &forged, "signature");
        check(
            &PolicySettings::default(),
            &format!("expires={}", NOW - 1),
            "expired",
        );
    }

    #[test]
    fn imgix_signatures_are_a_scheme_of_their_own() {
        let settings = PolicySettings {
            keys: vec![Key::new("s3cr3t")],
            signature: Scheme::Imgix,
            ..PolicySettings::default()
        };
        let policy = Policy::new(settings);
        let query = "ixlib=js-3.8.0&w=400&auto=format&s=38a4cdfafed37b2473e22a5ce93345bf";
        let admitted = policy.admit("/chart.jpg", query, NOW).expect("signed");
        assert!(policy.varies(&admitted));
        assert_eq!(admitted, parse("w=400&auto=format"));
        assert!(policy.admit("/chart.png", query, NOW).is_err());
    }

    #[test]
    fn presets_give_way_to_what_is_said() {
        let policy = Policy::new(with_thumb());
        let admit = |query: &str| policy.admit("/a.jpg", query, NOW).expect(query);
        let thumb = "w=150&h=150&fit=crop&q=70";
        assert_eq!(admit("preset=thumb"), parse(thumb));
        assert_eq!(
            admit("preset=thumb&q=50"),
            parse("w=150&h=150&fit=crop&q=50")
        );
        let recipe =
            |transform: &Transform| Recipe::resolve(transform, Accepts::default(), &policy);
        assert_eq!(recipe(&admit("preset=thumb")), recipe(&admit(thumb)));
        check(&with_thumb(), "preset=other", "parameter");
    }

    #[test]
    fn presets_only_means_nothing_beside_them() {
        let settings = PolicySettings {
            presets_only: true,
            ..with_thumb()
        };
        check(&settings, "preset=thumb", "ok");
        check(
            &settings,
            "preset=thumb&v=3&s=x&ixlib=y&expires=1900000000",
            "ok",
        );
        check(&settings, "preset=thumb&q=50", "not allowed");
        check(&settings, "preset=thumb&auto=format", "not allowed");
        check(&settings, "w=150", "not allowed");
        check(&settings, "", "not allowed");
        check(&settings, "preset=other", "parameter");
    }

    #[test]
    fn a_strict_ladder_refuses_what_is_not_on_it() {
        let settings = PolicySettings {
            widths: vec![320, 640],
            widths_strict: true,
            ..with_thumb()
        };
        check(&settings, "w=320", "ok");
        check(&settings, "w=320&dpr=2", "ok");
        check(&settings, "w=320&h=640", "ok");
        check(&settings, "", "ok");
        check(&settings, "w=321", "not allowed");
        check(&settings, "w=640&dpr=2", "not allowed");
        check(&settings, "w=320&h=200", "not allowed");
        check(&settings, "max-w=321", "not allowed");
        check(&settings, "w=0.5", "not allowed");
        // What a preset asks for is allowed.
        check(&settings, "preset=thumb", "ok");
        check(&settings, "w=150", "ok");
        let loose = PolicySettings {
            widths_strict: false,
            ..settings
        };
        check(&loose, "w=321", "ok");
    }

    #[test]
    fn a_fixed_profile_is_refused_unless_a_preset_has_it() {
        let fine = BTreeMap::from([("fine".to_owned(), parse("profile=fine"))]);
        let fixed = PolicySettings {
            profile_fixed: true,
            presets: fine,
            ..PolicySettings::default()
        };
        check(&fixed, "profile=fine", "not allowed");
        check(&fixed, "profile=fast", "ok");
        check(&fixed, "preset=fine", "ok");
        check(&fixed, "profile=best", "parameter");
        check(&PolicySettings::default(), "profile=fine", "ok");
    }

    #[test]
    fn a_policy_is_open_without_any_of_the_three() {
        let open = PolicySettings::default;
        assert!(Policy::new(open()).is_open());
        assert!(Policy::new(with_thumb()).is_open());
        let keys = vec![Key::new("k")];
        assert!(!Policy::new(PolicySettings { keys, ..open() }).is_open());
        let presets_only = true;
        assert!(
            !Policy::new(PolicySettings {
                presets_only,
                ..open()
            })
            .is_open()
        );
        let widths = vec![320];
        assert!(!Policy::new(PolicySettings { widths, ..open() }).is_open());
    }

    #[test]
    fn pictures_vary_where_accept_is_asked() {
        let open = Policy::new(PolicySettings::default());
        assert!(open.varies(&parse("auto=format&fm=png")));
        assert!(!open.varies(&parse("fm=webp")));
        assert!(!open.varies(&parse("auto=compress")));
        let auto_format = true;
        let auto = Policy::new(PolicySettings {
            auto_format,
            ..PolicySettings::default()
        });
        assert!(auto.varies(&parse("")));
        assert!(!auto.varies(&parse("fm=webp")));
    }
}
