//! `Cache-Control` of an object, and the settings → how long a variant may be served (RFC 9111,
//! RFC 5861).

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{Kept, Settings, variant::Variant};

/// No lifetime is longer: a year, as RFC 9111's predecessors advised. Keeps sums of instants in
/// range, whatever an object says.
pub const LONGEST: Duration = Duration::from_hours(365 * 24);

/// How long a variant may be served, counted from when its source was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    /// Whether it may be kept at all, beyond the requests that wait for it now.
    pub store: bool,
    /// Without asking.
    pub fresh: Duration,
    /// Thereafter, while the origin is asked.
    pub stale_while_revalidate: Duration,
    /// Thereafter, when the origin cannot be reached.
    pub stale_if_error: Duration,
}

/// How a kept variant may be served at some moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    /// At once.
    Fresh,
    /// At once: the origin was in trouble a moment ago, and is not asked again yet.
    Quiet,
    /// At once, while the origin is asked.
    Stale,
    /// Only once the origin has been asked; if it cannot be reached, all the same.
    StaleIfError,
    /// Only if the origin says that it still stands.
    Expired,
}

impl Lifetime {
    /// What the settings say, and an object's own `Cache-Control`, which goes first.
    ///
    /// Ours is a shared cache: `private` is never kept, and `s-maxage` goes before `max-age`.
    /// Other than a browser's, our default of serving stale variants is the operator's choice, so
    /// an object must speak against it (`no-cache`, `must-revalidate`, or a window of its own).
    #[must_use]
    pub fn new(cache_control: Option<&str>, settings: &Settings) -> Self {
        let mut lifetime = Self {
            store: true,
            fresh: settings.fresh.min(LONGEST),
            stale_while_revalidate: settings.stale_while_revalidate.min(LONGEST),
            stale_if_error: settings.stale_if_error.min(LONGEST),
        };
        let Some(said) = cache_control.map(Directives::parse) else {
            return lifetime;
        };
        lifetime.store = !said.no_store;
        if let Some(seconds) = said.s_maxage.or(said.max_age) {
            lifetime.fresh = seconds;
        }
        if said.no_cache {
            lifetime.fresh = Duration::ZERO;
        }
        if said.no_cache || said.must_revalidate {
            lifetime.stale_while_revalidate = Duration::ZERO;
            lifetime.stale_if_error = Duration::ZERO;
        } else {
            let windows = (said.stale_while_revalidate, said.stale_if_error);
            lifetime.stale_while_revalidate = windows.0.unwrap_or(lifetime.stale_while_revalidate);
            lifetime.stale_if_error = windows.1.unwrap_or(lifetime.stale_if_error);
        }
        lifetime
    }
}

/// The directives that mean something here; others are ignored, as RFC 9111 asks.
#[derive(Debug, Default)]
struct Directives {
    no_store: bool,
    no_cache: bool,
    must_revalidate: bool,
    max_age: Option<Duration>,
    s_maxage: Option<Duration>,
    stale_while_revalidate: Option<Duration>,
    stale_if_error: Option<Duration>,
}

impl Directives {
    fn parse(text: &str) -> Self {
        let mut said = Self::default();
        for directive in text.split(',') {
            let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
            let value = value.trim().trim_matches('"');
            match name.trim().to_ascii_lowercase().as_str() {
                "no-store" | "private" => said.no_store = true,
                "no-cache" => said.no_cache = true,
                "must-revalidate" | "proxy-revalidate" => said.must_revalidate = true,
                "max-age" => said.max_age = Some(seconds(value)),
                "s-maxage" => said.s_maxage = Some(seconds(value)),
                "stale-while-revalidate" => said.stale_while_revalidate = Some(seconds(value)),
                "stale-if-error" => said.stale_if_error = Some(seconds(value)),
                _ => {}
            }
        }
        said
    }
}

/// Too many digits are a very long time; no number at all is none (RFC 9111 §4.2.1: a response
/// whose freshness is malformed is stale).
fn seconds(value: &str) -> Duration {
    if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Duration::ZERO;
    }
    value
        .parse()
        .map_or(LONGEST, |seconds| Duration::from_secs(seconds).min(LONGEST))
}

impl Kept {
    /// A variant whose source was seen at `seen`, for so long.
    #[must_use]
    pub fn new(variant: Arc<Variant>, lifetime: &Lifetime, seen: Instant) -> Self {
        let fresh_until = seen + lifetime.fresh;
        Self {
            variant,
            fresh_until,
            quiet_until: fresh_until,
            stale_until: fresh_until + lifetime.stale_while_revalidate,
            error_until: fresh_until + lifetime.stale_if_error,
        }
    }

    /// How it may be served.
    #[must_use]
    pub fn age(&self, now: Instant) -> Age {
        if now < self.fresh_until {
            Age::Fresh
        } else if now < self.quiet_until {
            Age::Quiet
        } else if now < self.stale_until {
            Age::Stale
        } else if now < self.error_until {
            Age::StaleIfError
        } else {
            Age::Expired
        }
    }

    /// The origin could not be reached: for this long it is not asked again, as far as this
    /// variant may be served without it.
    #[must_use]
    pub fn quiet(mut self, now: Instant, pause: Duration) -> Self {
        self.quiet_until = (now + pause).min(self.stale_until.max(self.error_until));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::variant::tests::variant;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn settings() -> Settings {
        Settings {
            fresh: s(100),
            stale_while_revalidate: s(10),
            stale_if_error: s(1000),
            ..Settings::default()
        }
    }

    /// Kept or not; fresh, stale while revalidated, stale if there is an error: in seconds.
    #[track_caller]
    fn check(cache_control: &str, expected: (bool, u64, u64, u64)) {
        let lifetime = Lifetime::new(Some(cache_control), &settings());
        let (store, fresh, while_revalidate, if_error) = expected;
        let expected = Lifetime {
            store,
            fresh: s(fresh),
            stale_while_revalidate: s(while_revalidate),
            stale_if_error: s(if_error),
        };
        assert_eq!(lifetime, expected, "{cache_control}");
    }

    #[test]
    fn an_object_that_says_nothing_lives_as_the_settings_say() {
        check("", (true, 100, 10, 1000));
        check("public, immutable, foo=bar", (true, 100, 10, 1000));
        assert_eq!(
            Lifetime::new(None, &settings()),
            Lifetime::new(Some(""), &settings())
        );
    }

    #[test]
    fn an_object_says_how_long_it_is_fresh() {
        check("max-age=5", (true, 5, 10, 1000));
        check("public, Max-Age=5", (true, 5, 10, 1000));
        check("max-age=5, s-maxage=7", (true, 7, 10, 1000));
        check("s-maxage=7,max-age=5", (true, 7, 10, 1000));
        check("max-age=\"5\"", (true, 5, 10, 1000));
        check("max-age=0", (true, 0, 10, 1000));
    }

    #[test]
    fn malformed_freshness_is_none_and_endless_freshness_is_a_year() {
        check("max-age", (true, 0, 10, 1000));
        check("max-age=-1", (true, 0, 10, 1000));
        check("max-age=+1", (true, 0, 10, 1000));
        check("max-age=1.5", (true, 0, 10, 1000));
        check("max-age=31536000", (true, 31_536_000, 10, 1000));
        check("max-age=31536001", (true, 31_536_000, 10, 1000));
        check("max-age=99999999999999999999", (true, 31_536_000, 10, 1000));
    }

    #[test]
    fn what_is_not_for_shared_caches_is_not_kept() {
        check("no-store", (false, 100, 10, 1000));
        check("private, max-age=5", (false, 5, 10, 1000));
        check("private=\"set-cookie\"", (false, 100, 10, 1000));
    }

    #[test]
    fn an_object_can_refuse_to_be_served_stale() {
        check("no-cache", (true, 0, 0, 0));
        check("no-cache, max-age=9", (true, 0, 0, 0));
        check("max-age=5, must-revalidate", (true, 5, 0, 0));
        check(
            "max-age=5, proxy-revalidate, stale-if-error=9",
            (true, 5, 0, 0),
        );
    }

    #[test]
    fn an_object_can_have_windows_of_its_own() {
        check("stale-while-revalidate=3", (true, 100, 3, 1000));
        check("max-age=1, stale-if-error=4", (true, 1, 10, 4));
    }

    #[test]
    fn settings_beyond_all_reason_do_not_overflow() {
        let settings = Settings {
            fresh: Duration::MAX,
            stale_while_revalidate: Duration::MAX,
            stale_if_error: Duration::MAX,
            ..settings()
        };
        let now = Instant::now();
        let kept = Kept::new(variant(1), &Lifetime::new(None, &settings), now);
        assert_eq!(kept.age(now + LONGEST), Age::Stale);
    }

    #[test]
    fn a_variant_ages() {
        let now = Instant::now();
        let kept = Kept::new(variant(1), &Lifetime::new(None, &settings()), now);
        for (after, age) in [
            (0, Age::Fresh),
            (99, Age::Fresh),
            (100, Age::Stale),
            (109, Age::Stale),
            (110, Age::StaleIfError),
            (1099, Age::StaleIfError),
            (1100, Age::Expired),
        ] {
            assert_eq!(kept.age(now + s(after)), age, "after {after} s");
        }
    }

    #[test]
    fn an_origin_in_trouble_is_left_alone_for_a_while_but_not_beyond_the_window() {
        let now = Instant::now();
        let kept = Kept::new(variant(1), &Lifetime::new(None, &settings()), now);
        let late = kept.clone().quiet(now + s(200), s(5));
        assert_eq!(late.age(now + s(204)), Age::Quiet);
        assert_eq!(late.age(now + s(205)), Age::StaleIfError);
        let early = kept.clone().quiet(now + s(101), s(5));
        assert_eq!(early.age(now + s(105)), Age::Quiet);
        assert_eq!(early.age(now + s(106)), Age::Stale);
        let at_the_end = kept.quiet(now + s(1098), s(5));
        assert_eq!(at_the_end.age(now + s(1099)), Age::Quiet);
        assert_eq!(at_the_end.age(now + s(1100)), Age::Expired);
    }
}
