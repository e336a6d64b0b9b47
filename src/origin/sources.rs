//! All sources in order, and which one a request is for.

use std::sync::Arc;

use super::{FetchLimits, Origin, SourceSettings, key::has_dot_segment};
use crate::work::budget::Budget;

/// All sources, in order.
#[derive(Debug)]
pub struct Sources {
    /// The first that matches a request serves it.
    pub origins: Vec<Arc<Origin>>,
}

/// What is wrong with the sources' settings: all of it, each with its name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct SetupError(pub Vec<String>);

impl Sources {
    /// Opens all sources; reaches out to none. Fetched sources share one budget of memory.
    ///
    /// # Errors
    /// Every setting that cannot work, by name.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "the budget is theirs from here on"
    )]
    pub fn new(
        settings: Vec<SourceSettings>,
        limits: &FetchLimits,
        budget: Budget,
    ) -> Result<Self, SetupError> {
        let mut problems = Vec::new();
        for (index, source) in settings.iter().enumerate() {
            let say = |problem| format!("source {:?}: {problem}", source.name);
            problems.extend(mistakes(source, &settings[..index]).into_iter().map(say));
        }
        let mut origins = Vec::new();
        for source in settings {
            let name = source.name.clone();
            match Origin::open(source, limits, budget.clone()) {
                Ok(origin) => origins.push(Arc::new(origin)),
                Err(found) => {
                    problems.extend(found.iter().map(|text| format!("source {name:?}: {text}")));
                }
            }
        }
        if problems.is_empty() {
            Ok(Self { origins })
        } else {
            Err(SetupError(problems))
        }
    }

    /// The source for a request, and the rest of its path (still percent-encoded, without a
    /// leading slash).
    #[must_use]
    pub fn route<'p>(&self, host: &str, path: &'p str) -> Option<(&Arc<Origin>, &'p str)> {
        let host = without_port(host);
        self.origins.iter().find_map(|origin| {
            let rest = path.strip_prefix(origin.settings.prefix.as_str())?;
            takes_host(&origin.settings, host).then_some((origin, rest))
        })
    }
}

/// What is wrong whatever stands there.
fn mistakes(source: &SourceSettings, before: &[SourceSettings]) -> Vec<String> {
    let mut found = Vec::new();
    if before.iter().any(|other| other.name == source.name) {
        found.push("another source has the same `name`".to_owned());
    }
    if !source.prefix.starts_with('/') || !source.prefix.ends_with('/') {
        found.push(format!(
            "`prefix` must begin and end with a slash, unlike {:?}",
            source.prefix
        ));
    }
    let prefix = &source.key_prefix;
    if has_dot_segment(prefix) || prefix.chars().any(char::is_control) {
        found.push("`key_prefix` must hold no `.` or `..` segment and no control character".into());
    }
    if let Some(other) = before.iter().find(|other| hides(other, source)) {
        found.push(format!(
            "no request reaches it, since source {:?} stands before it and takes the same paths; \
             put it first",
            other.name
        ));
    }
    found
}

/// Whether every request for `late` goes to `early`.
fn hides(early: &SourceSettings, late: &SourceSettings) -> bool {
    let hosts = early.hosts.is_empty()
        || (!late.hosts.is_empty() && late.hosts.iter().all(|host| takes_host(early, host)));
    hosts && late.prefix.starts_with(&early.prefix)
}

fn takes_host(source: &SourceSettings, host: &str) -> bool {
    let mut hosts = source.hosts.iter();
    source.hosts.is_empty() || hosts.any(|known| known.eq_ignore_ascii_case(host))
}

/// `Host` without its port, and without the dot that may end a full domain name.
fn without_port(host: &str) -> &str {
    let name = match host.rsplit_once(':') {
        // The colons of an IPv6 address stand inside its brackets.
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    name.strip_suffix('.').unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::origin::{S3Settings, SourceKind};

    fn folder(name: &str, prefix: &str, hosts: &[&str]) -> SourceSettings {
        SourceSettings {
            name: name.to_owned(),
            prefix: prefix.to_owned(),
            hosts: hosts.iter().map(ToString::to_string).collect(),
            kind: SourceKind::Folder {
                root: std::env::temp_dir(),
            },
            key_prefix: String::new(),
            cache_control: None,
            honour_cache_control: true,
            policy: None,
        }
    }

    fn open(settings: Vec<SourceSettings>) -> Result<Sources, SetupError> {
        Sources::new(settings, &FetchLimits::default(), Budget::new(1 << 20))
    }

    fn three() -> Sources {
        open(vec![
            folder("shop", "/", &["shop.example", "[::1]"]),
            folder("cats", "/cats/", &[]),
            folder("rest", "/", &[]),
        ])
        .expect("settings that work")
    }

    #[track_caller]
    fn check(host: &str, path: &str, name: &str, rest: &str) {
        let sources = three();
        let found = sources.route(host, path);
        let found = found.map(|(origin, rest)| (origin.settings.name.as_str(), rest));
        assert_eq!(found, Some((name, rest)));
    }

    #[test]
    fn the_first_match_wins() {
        check("x.example", "/cats/tom.jpg", "cats", "tom.jpg");
        check("x.example", "/dogs/rex.jpg", "rest", "dogs/rex.jpg");
        check("shop.example", "/cats/tom.jpg", "shop", "cats/tom.jpg");
    }

    #[test]
    fn a_prefix_matches_whole_segments() {
        check("x.example", "/catsuit.jpg", "rest", "catsuit.jpg");
        check("x.example", "/cats", "rest", "cats");
        check("x.example", "/cats/", "cats", "");
    }

    #[test]
    fn a_host_has_no_port_no_case_and_no_last_dot() {
        check("SHOP.example:8080", "/a", "shop", "a");
        check("shop.example.", "/a", "shop", "a");
        check("[::1]:8080", "/a", "shop", "a");
        check("[::1]", "/a", "shop", "a");
        check("myshop.example", "/a", "rest", "a");
    }

    #[test]
    fn the_rest_stays_encoded() {
        check("x", "/cats/a%2F%20b", "cats", "a%2F%20b");
    }

    #[test]
    fn no_match_is_no_source() {
        let sources = open(vec![folder("cats", "/cats/", &[])]).expect("settings that work");
        assert!(sources.route("x", "/dogs/rex.jpg").is_none());
    }

    #[track_caller]
    fn refused(settings: Vec<SourceSettings>, says: &[&str]) {
        let error = open(settings)
            .expect_err("settings that cannot work")
            .to_string();
        for text in says {
            assert!(error.contains(text), "{error:?} does not say {text:?}");
        }
    }

    #[test]
    fn every_mistake_is_named_at_once() {
        let bucket = SourceSettings {
            kind: SourceKind::S3(S3Settings::default()),
            key_prefix: "a/../".to_owned(),
            ..folder("b", "nowhere", &[])
        };
        refused(
            vec![folder("a", "/a/", &[]), folder("a", "/b/", &[]), bucket],
            &[
                "source \"a\": another source has the same `name`",
                "source \"b\": `prefix` must begin and end with a slash",
                "source \"b\": `key_prefix`",
                "source \"b\": `bucket`",
                "source \"b\": custom needs `endpoint`",
            ],
        );
    }

    #[test]
    fn a_source_that_nothing_reaches_is_a_mistake() {
        refused(
            vec![folder("a", "/", &[]), folder("b", "/b/", &["h"])],
            &["source \"b\": no request reaches it, since source \"a\""],
        );
    }
}
