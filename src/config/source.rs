//! What was said of each source → `SourceSettings`, checked for what is missing.

use super::{
    Mistake, Mistakes, WEAK_KEY,
    gather::{Entry, Given, SourceEntries},
    mistake,
    table::{self, POLICY, SOURCE, SourceDraft, Store},
};
use crate::{
    origin::{Provider, S3Settings, SourceKind, SourceSettings},
    recipe::policy::PolicySettings,
};

/// Builds every source; each mistake is reported, and a source with one is left out.
pub(super) fn build(
    gathered: &[SourceEntries],
    server: &PolicySettings,
    given: &mut Given,
    mistakes: &mut Mistakes,
) -> Vec<SourceSettings> {
    let mut sources: Vec<SourceSettings> = Vec::new();
    for source in gathered {
        let Some(built) = build_one(source, server, given, mistakes) else {
            continue;
        };
        if let Some(earlier) = sources.iter().find(|earlier| hides(earlier, &built)) {
            mistakes.push(Mistake::at(
                Some(&source.place),
                format!(
                    "no request reaches the source `{}`: `{}` stands before it and takes the same \
                     paths; put the more special one first",
                    built.name, earlier.name
                ),
            ));
        }
        sources.push(built);
    }
    sources
}

/// Whether every request for `late` goes to `early`.
fn hides(early: &SourceSettings, late: &SourceSettings) -> bool {
    let all_hosts = !late.hosts.is_empty() && late.hosts.iter().all(|h| early.hosts.contains(h));
    late.prefix.starts_with(&early.prefix) && (early.hosts.is_empty() || all_hosts)
}

fn build_one(
    source: &SourceEntries,
    server: &PolicySettings,
    given: &mut Given,
    mistakes: &mut Mistakes,
) -> Option<SourceSettings> {
    let mut draft = SourceDraft::new(source.name.clone());
    let mut policy = None;
    let mut right = Vec::new();
    let (presets, settings): (Vec<_>, Vec<_>) = source
        .entries
        .iter()
        .partition(|entry| entry.name.starts_with(table::PRESETS));
    for entry in settings {
        match set(&mut draft, &mut policy, server, entry) {
            Ok(()) => right.push(entry),
            Err(mistake) => mistakes.push(mistake),
        }
    }
    for entry in presets {
        match table::preset(policy.get_or_insert_with(|| server.clone()), entry) {
            Ok(()) => right.push(entry),
            Err(mistake) => mistakes.push(mistake),
        }
    }
    let wrong = right.len() < source.entries.len();
    let name = draft.name.clone();
    for entry in &right {
        given.note_source(&name, entry);
    }
    let missing = |sentence: &str| {
        Mistake::at(
            Some(&source.place),
            format!("the source `{name}` {sentence}"),
        )
    };
    let said = |key: &str| right.iter().any(|entry| entry.name == key);
    let kind = kind(&draft, said).map_err(|sentence| mistakes.push(missing(&sentence)));
    let place = tidy(&draft).map_err(|sentence| mistakes.push(missing(&sentence)));
    if policy.as_ref().is_some_and(PolicySettings::has_weak_key) && !server.has_weak_key() {
        let sentence = format!("the source `{name}`: `signature_keys` {WEAK_KEY}");
        mistakes.push(Mistake::at(Some(&source.place), sentence));
        return None;
    }
    // A value that could not be read may be the one that is missing now: said once is enough.
    let (kind, (prefix, hosts)) = (kind.ok()?, place.ok()?);
    (!wrong).then_some(SourceSettings {
        name: draft.name,
        prefix,
        hosts,
        kind,
        key_prefix: draft.key_prefix,
        cache_control: draft.cache_control,
        honour_cache_control: draft.honour_cache_control,
        policy,
    })
}

fn set(
    draft: &mut SourceDraft,
    policy: &mut Option<PolicySettings>,
    server: &PolicySettings,
    entry: &Entry,
) -> Result<(), Mistake> {
    if let Some(row) = SOURCE.iter().find(|row| row.name == entry.name) {
        return row.apply(draft, row.name, entry);
    }
    if let Some(row) = POLICY.iter().find(|row| row.name == entry.name) {
        return row.apply(
            policy.get_or_insert_with(|| server.clone()),
            row.name,
            entry,
        );
    }
    let known = SOURCE.iter().map(|row| row.name);
    let known = known.chain(POLICY.iter().map(|row| row.name));
    let sentence = mistake::unknown("setting of a source", &entry.name, known);
    Err(Mistake::at(Some(&entry.place), sentence))
}

/// What stands there.
///
/// # Errors
/// The rest of "the source … ": what is missing, or does not go together.
fn kind(draft: &SourceDraft, said: impl Fn(&str) -> bool) -> Result<SourceKind, String> {
    let store = draft.kind.unwrap_or(match draft.root {
        Some(_) => Store::Folder,
        None => Store::S3,
    });
    let foreign: &[&str] = match store {
        Store::S3 => &["root"],
        Store::Folder => &[
            "bucket",
            "endpoint",
            "region",
            "provider",
            "account_id",
            "path_style",
            "access_key",
            "secret_key",
            "session_token",
        ],
    };
    if let Some(key) = foreign.iter().find(|key| said(key)) {
        let what = if store == Store::S3 {
            "a bucket"
        } else {
            "a folder"
        };
        return Err(format!("is {what}, which has no `{key}`"));
    }
    match (store, &draft.root) {
        (Store::S3, _) => {
            complete(&draft.s3)?;
            Ok(SourceKind::S3(draft.s3.clone()))
        }
        (Store::Folder, Some(root)) => Ok(SourceKind::Folder { root: root.clone() }),
        (Store::Folder, None) => Err("is a folder without a `root`".to_owned()),
    }
}

fn complete(s3: &S3Settings) -> Result<(), String> {
    if s3.bucket.is_empty() {
        return Err("has no `bucket`".to_owned());
    }
    if let Some(endpoint) = &s3.endpoint {
        let rest = endpoint
            .strip_prefix("https://")
            .or_else(|| endpoint.strip_prefix("http://"));
        if rest.is_none_or(str::is_empty) {
            return Err(
                "has an `endpoint` that does not begin with `https://` or `http://`".into(),
            );
        }
    } else {
        let needs = match s3.provider {
            Provider::R2 if s3.account_id.is_none() => "an `account_id` or an `endpoint`",
            Provider::Minio | Provider::Custom => "an `endpoint`",
            Provider::Linode
            | Provider::B2
            | Provider::Spaces
            | Provider::Wasabi
            | Provider::Aws
                if s3.region.is_none() =>
            {
                "a `region` or an `endpoint`"
            }
            _ => return credentials(s3),
        };
        return Err(format!("needs {needs}"));
    }
    credentials(s3)
}

fn credentials(s3: &S3Settings) -> Result<(), String> {
    match (&s3.access_key, &s3.secret_key) {
        (Some(_), None) => Err("has an `access_key`, but no `secret_key`".to_owned()),
        (None, Some(_)) => Err("has a `secret_key`, but no `access_key`".to_owned()),
        (None, None) if s3.session_token.is_some() => {
            Err("has a `session_token`, but no `access_key`".to_owned())
        }
        _ => Ok(()),
    }
}

/// The prefix with a slash on both ends, and hosts as requests are compared with them.
fn tidy(draft: &SourceDraft) -> Result<(String, Vec<String>), String> {
    let inner = draft.prefix.trim_matches('/');
    let prefix = if inner.is_empty() {
        "/".to_owned()
    } else {
        format!("/{inner}/")
    };
    if prefix.contains(['?', '#', '%', ' ']) || prefix.contains("//") {
        return Err("has a `prefix` that is no plain URL path".to_owned());
    }
    let segments = draft.key_prefix.split('/');
    let mut segments = segments.filter(|segment| matches!(*segment, "." | ".."));
    if draft.key_prefix.starts_with('/') || segments.next().is_some() {
        return Err("has a `key_prefix` that begins with `/` or has a `.` or `..` segment".into());
    }
    let mut hosts = Vec::new();
    for host in &draft.hosts {
        if host.is_empty() || host.contains([':', '/', ' ']) {
            return Err(format!(
                "has `{host}` among its `hosts`: names without port, please"
            ));
        }
        hosts.push(host.to_lowercase());
    }
    hosts.sort_unstable();
    hosts.dedup();
    Ok((prefix, hosts))
}
