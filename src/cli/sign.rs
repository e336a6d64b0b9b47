//! `sign`: a URL with a signature, by the configuration's keys or by one of the command line.

use std::{
    path::PathBuf,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use clap::{Args, ValueEnum};

use super::{Failure, Outcome, Settings};
use crate::{
    config,
    recipe::signature::{self, Key, Scheme},
};

const EXAMPLES: &str = "\
Examples:
  aquatint sign '/cats/tom.jpg?width=400' --config aquatint.toml
  aquatint sign 'https://img.example/cats/tom.jpg?width=400' --key-file key --expires 7d";

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct SignArgs {
    /// The URL, or its path and query, percent-encoded as it will be sent.
    url: String,
    /// Valid for this long, such as `1h` or `7d`; without it, for ever.
    #[arg(long, value_name = "TIME", value_parser = time)]
    expires: Option<Duration>,
    /// A file with the key (text, or `hex:` and digits), in place of the configuration's.
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// How to sign, in place of the configuration's.
    #[arg(long, value_name = "SCHEME")]
    scheme: Option<SchemeArg>,
    /// Sign by the rules of this source.
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    #[command(flatten)]
    settings: Settings,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum SchemeArg {
    /// HMAC-SHA256.
    Hmac,
    /// imgix's MD5.
    Imgix,
}

fn time(text: &str) -> Result<Duration, String> {
    config::parse_time(text).ok_or_else(|| "write a time such as `30m`, `1h` or `7d`".to_owned())
}

pub(super) fn run(args: &SignArgs) -> Outcome {
    let (key, scheme) = key(args)?;
    let expires = args
        .expires
        .map(|time| (SystemTime::now() + time).duration_since(UNIX_EPOCH));
    let expires = expires
        .transpose()
        .map_err(|_| Failure::Failed("this machine's clock is before 1970".to_owned()))?
        .map(|since| since.as_secs());
    let (site, path, query) = split(&args.url)?;
    let signed = signature::sign_path_and_query(&key, scheme, path, query, expires);
    super::print(&format!("{site}{signed}\n"))
}

fn key(args: &SignArgs) -> Result<(Key, Scheme), Failure> {
    let given = args.scheme.map(|scheme| match scheme {
        SchemeArg::Hmac => Scheme::Hmac,
        SchemeArg::Imgix => Scheme::Imgix,
    });
    if let Some(path) = &args.key_file {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?;
        let key = config::parse_key(text.trim_end())
            .ok_or_else(|| Failure::Usage(format!("{} holds no key", path.display())))?;
        return Ok((key, given.unwrap_or_default()));
    }
    let config = args.settings.load(Vec::new())?.config;
    let rules = match &args.source {
        None => &config.policy,
        Some(name) => {
            let source = config.sources.iter().find(|source| source.name == *name);
            let source =
                source.ok_or_else(|| Failure::Usage(format!("no source is called `{name}`")))?;
            source.policy.as_ref().unwrap_or(&config.policy)
        }
    };
    let key = rules.keys.first().cloned().ok_or_else(|| {
        Failure::Usage(
            "there is no key: set `policy.signature_keys`, or name a file with --key-file"
                .to_owned(),
        )
    })?;
    Ok((key, given.unwrap_or(rules.signature)))
}

/// Scheme and host (maybe none), path, and query.
fn split(url: &str) -> Result<(&str, &str, &str), Failure> {
    let host = match url.find("://") {
        // Of a path, it is a part like any other.
        Some(at) if !url.starts_with('/') => at + 3,
        _ => 0,
    };
    let rest = url.get(host..).unwrap_or_default();
    let path = match rest.find('/') {
        Some(at) if host > 0 || at == 0 => host + at,
        _ => {
            return Err(Failure::Usage(format!(
                "`{url}` is no URL and no path: it must begin with `https://…/` or `/`"
            )));
        }
    };
    if url.contains('#') {
        return Err(Failure::Usage(
            "a URL to sign has no `#`: write %23".to_owned(),
        ));
    }
    let (site, rest) = url.split_at(path);
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    Ok((site, path, query))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(url: &str, expected: Option<(&str, &str, &str)>) {
        assert_eq!(split(url).ok(), expected, "{url}");
    }

    #[test]
    fn urls_and_paths_are_split() {
        check("/a/b.jpg?w=1&h=2", Some(("", "/a/b.jpg", "w=1&h=2")));
        check("/a", Some(("", "/a", "")));
        check(
            "https://x.test/a?w=1",
            Some(("https://x.test", "/a", "w=1")),
        );
        check("http://[::1]:8080/a", Some(("http://[::1]:8080", "/a", "")));
        check(
            "/redirect?to=https://x/",
            Some(("", "/redirect", "to=https://x/")),
        );
        check("a.jpg?w=1", None);
        check("https://x.test", None);
        check("/a#b", None);
        check("", None);
    }
}
