//! The one table of settings: name, kind, default, doc line, secret or not.
//!
//! A default stands in the `Default` of the struct that it belongs to, and is shown from there;
//! only what is worked out from the machine has words here instead.

use std::{path::PathBuf, time::Duration};

use super::{
    Config, Machine, Mistake,
    gather::Entry,
    kind::{
        Address, AnyText, Choice, Flag, Folder, HeaderText, Keys, Kind, Ladder, Maybe, Pixels, Raw,
        SecretText, Size, Text, Thousandths, Time, Whole, Words,
    },
    mistake,
};
use crate::{
    cache, http,
    origin::{FetchLimits, Provider, S3Settings},
    pixels::{codec::Limits, render::OutputLimits},
    recipe::{
        Transform, dialect::Dialect, policy::PolicySettings, signature::Scheme, transform::Profile,
    },
    server::settings,
    telemetry, work,
};

/// One setting of a `T`.
pub(super) struct Row<T: 'static> {
    /// Its name; dotted for the server's, bare for a source's and for a policy's.
    pub(super) name: &'static str,
    /// What it is, in a line or two.
    pub(super) doc: &'static str,
    /// Never shown, and readable from a file.
    pub(super) secret: bool,
    /// In place of the default value, where that depends on the machine or on other settings.
    pub(super) default: Option<&'static str>,
    /// In the example file, where there is no default value to show: a TOML literal.
    pub(super) sample: Option<&'static str>,
    /// Reads a value into its place; `false`: it is not what `words` says.
    set: fn(&mut T, &Raw) -> bool,
    /// The value in its place, as a TOML literal.
    pub(super) show: fn(&T) -> Option<String>,
    /// "must be …"
    words: fn() -> String,
}

macro_rules! row {
    ($type:ty, $name:literal, $($field:ident).+, $kind:expr, $doc:literal $(, $key:ident: $value:expr)*) => {
        Row::<$type> {
            $($key: $value,)*
            ..Row {
                name: $name,
                doc: $doc,
                secret: false,
                default: None,
                sample: None,
                set: |target, raw| match $kind.read(raw) {
                    Some(value) => {
                        target.$($field).+ = value;
                        true
                    }
                    None => false,
                },
                show: |target| $kind.show(&target.$($field).+),
                // The annotation picks the kind's value type, which the words do not depend on.
                words: || words_of(&$kind, |target: &$type| &target.$($field).+),
            }
        }
    };
}

/// The words of a kind; `_field` says for which type of value.
fn words_of<T, V, K: Kind<V>>(kind: &K, _field: fn(&T) -> &V) -> String {
    kind.words()
}

impl<T> Row<T> {
    /// Reads an entry's value into its place in `target`. `name` is how the user knows it.
    ///
    /// # Errors
    /// A mistake that names the setting, what is expected, and (of no secret) what there is.
    pub(super) fn apply(&self, target: &mut T, name: &str, entry: &Entry) -> Result<(), Mistake> {
        if (self.set)(target, &entry.raw) {
            return Ok(());
        }
        let there = if self.secret {
            String::new()
        } else {
            format!(", not {}", entry.raw.shown())
        };
        let sentence = format!("`{name}` must be {}{there}", (self.words)());
        Err(Mistake::at(Some(&entry.place), sentence))
    }

    /// What it must be, for the documentation.
    pub(super) fn words(&self) -> String {
        (self.words)()
    }
}

/// A configuration that is being put together.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    /// What there is so far.
    pub(super) config: Config,
    /// The setting `memory`.
    pub(super) memory: Option<u64>,
}

impl Draft {
    /// Every default. Sizes that depend on `memory` are put in by `memory::share_out`.
    pub(super) fn new(machine: &Machine) -> Self {
        Self {
            config: Config {
                server: settings::Settings::default(),
                http: http::Settings::default(),
                policy: PolicySettings::default(),
                limits: Limits::default(),
                output: OutputLimits::default(),
                fetch: FetchLimits::default(),
                work: work::Settings {
                    workers: machine.cores,
                    queue: 0,
                    queue_wait: Duration::from_secs(5),
                    job_time: Duration::from_secs(10),
                    pixel_bytes: 0,
                    source_bytes: 0,
                },
                cache: cache::Settings::default(),
                log: telemetry::Settings::default(),
                sources: Vec::new(),
            },
            memory: None,
        }
    }

    /// Puts one value in its place.
    ///
    /// # Errors
    /// Its name is unknown, or its value is not what the table says.
    pub(super) fn set(&mut self, entry: &Entry) -> Result<(), Mistake> {
        if let Some(row) = SERVER.iter().find(|row| row.name == entry.name) {
            return row.apply(self, &entry.name, entry);
        }
        let bare = entry.name.strip_prefix("policy.");
        if let Some(row) = POLICY.iter().find(|row| Some(row.name) == bare) {
            return row.apply(&mut self.config.policy, &entry.name, entry);
        }
        let known: Vec<String> = server_names().collect();
        let known = known.iter().map(String::as_str);
        let sentence = mistake::unknown("setting", &entry.name, known);
        Err(Mistake::at(Some(&entry.place), sentence))
    }
}

/// The dotted names of the server's settings, in the order of the documentation.
pub(super) fn server_names() -> impl Iterator<Item = String> {
    let server = SERVER.iter().map(|row| row.name.to_owned());
    server.chain(POLICY.iter().map(|row| format!("policy.{}", row.name)))
}

/// Reads a preset into its policy. To be done last: the policy's dialect says what it means.
///
/// # Errors
/// It is no text, has no name that a URL can hold, or is no query that has only known names.
pub(super) fn preset(policy: &mut PolicySettings, entry: &Entry) -> Result<(), Mistake> {
    let name = entry.name.strip_prefix(PRESETS).unwrap_or(&entry.name);
    let refuse = |sentence: String| Err(Mistake::at(Some(&entry.place), sentence));
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if name.is_empty() || !name.bytes().all(plain) {
        return refuse(format!(
            "the preset name `{name}` must be letters, digits, `-` and `_`"
        ));
    }
    let Raw::Text(query) = &entry.raw else {
        return refuse(format!(
            "the preset `{name}` must be a query such as `\"width=200&fit=cover\"`, not {}",
            entry.raw.shown()
        ));
    };
    match Transform::parse(query, policy.dialect, true) {
        Ok(transform) if transform.preset.is_some() => {
            refuse(format!("the preset `{name}` names another preset"))
        }
        Ok(transform) => {
            policy.presets.insert(name.to_owned(), transform);
            Ok(())
        }
        Err(error) => refuse(format!("the preset `{name}`: {error}")),
    }
}

/// How the names of presets begin.
pub(super) const PRESETS: &str = "presets.";

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
/// Nothing of ours is larger; keeps sums far from overflow.
const LARGEST: u64 = 16 << 40;
const ZERO: Duration = Duration::ZERO;
const MILLISECOND: Duration = Duration::from_millis(1);
const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const YEAR: Duration = Duration::from_hours(24 * 365);

/// The server's settings, in the order of the documentation.
pub(super) const SERVER: &[Row<Draft>] = &[
    row!(Draft, "memory", memory, Maybe(Size(super::memory::LEAST, LARGEST)),
        "All the memory that the process may use. Everything below that holds pictures is a share of it, so that the sum stays under it.",
        default: Some("90 % of the container's limit, or 60 % of the machine's memory")),
    row!(
        Draft,
        "server.listen",
        config.server.listen,
        Address,
        "Where pictures are served. `0.0.0.0:8080` for every interface."
    ),
    row!(
        Draft,
        "server.admin_listen",
        config.server.admin_listen,
        Maybe(Address),
        "Where health, readiness and metrics are served. Never open this to the public."
    ),
    row!(
        Draft,
        "server.max_connections",
        config.server.max_connections,
        Whole(1, 1_000_000),
        "Connections at once; one more is refused."
    ),
    row!(
        Draft,
        "server.header_timeout",
        config.server.header_timeout,
        Time(MILLISECOND, HOUR),
        "Until a request's head is complete."
    ),
    row!(
        Draft,
        "server.idle_timeout",
        config.server.idle_timeout,
        Time(MILLISECOND, HOUR),
        "A silent connection is closed after this. Behind a load balancer: longer than its own."
    ),
    row!(
        Draft,
        "server.write_timeout",
        config.server.write_timeout,
        Time(MILLISECOND, HOUR),
        "A client that takes no byte for this long is cut off."
    ),
    row!(
        Draft,
        "server.drain_delay",
        config.server.drain_delay,
        Time(ZERO, HOUR),
        "Told to stop, the server is not ready for this long before it stops accepting, so that load balancers notice."
    ),
    row!(
        Draft,
        "server.grace",
        config.server.grace,
        Time(ZERO, HOUR),
        "For requests under way, once accepting has stopped."
    ),
    row!(
        Draft,
        "http.cache_control",
        config.http.cache_control,
        HeaderText,
        "`Cache-Control` of a picture where neither its source nor its object says another."
    ),
    row!(
        Draft,
        "http.cors_origins",
        config.http.cors_origins,
        Words,
        "Origins for `Access-Control-Allow-Origin`; `*` for any; empty: the header is not sent."
    ),
    row!(
        Draft,
        "http.timing_allow_origin",
        config.http.timing_allow_origin,
        Maybe(HeaderText),
        "`Timing-Allow-Origin`, as it is sent.", sample: Some("\"*\"")),
    row!(
        Draft,
        "http.explain",
        config.http.explain,
        Flag,
        "Whether `?explain` answers with the resolved recipe. It tells strangers how the server is set up."
    ),
    row!(
        Draft,
        "http.server_timing",
        config.http.server_timing,
        Flag,
        "Whether `Server-Timing` is sent."
    ),
    row!(
        Draft,
        "http.max_url_bytes",
        config.http.max_url_bytes,
        Whole(64, 65_536),
        "Longest URL."
    ),
    row!(
        Draft,
        "http.max_parameters",
        config.http.max_parameters,
        Whole(1, 1_000),
        "Most parameters in a query."
    ),
    row!(
        Draft,
        "http.request_time",
        config.http.request_time,
        Time(MILLISECOND, HOUR),
        "From the first byte of a request to the last of its answer's head."
    ),
    row!(
        Draft,
        "limits.pixels",
        config.limits.pixels,
        Pixels(1, 1_000_000_000),
        "Width × height of one source picture or frame."
    ),
    row!(
        Draft,
        "limits.side",
        config.limits.side,
        Whole(1, 65_535),
        "Width or height of a source, in pixels."
    ),
    row!(
        Draft,
        "limits.frames",
        config.limits.frames,
        Whole(1, 10_000),
        "Frames of an animation."
    ),
    row!(
        Draft,
        "limits.animation_pixels",
        config.limits.animation_pixels,
        Pixels(1, 1_000_000_000),
        "Width × height × frames of an animation."
    ),
    row!(
        Draft,
        "limits.scans",
        config.limits.scans,
        Whole(1, 1_000),
        "Scans of a progressive JPEG."
    ),
    row!(
        Draft,
        "limits.icc_bytes",
        config.limits.icc_bytes,
        Size(1_000, 64 * MIB),
        "A colour profile, inflated."
    ),
    row!(
        Draft,
        "limits.exif_bytes",
        config.limits.exif_bytes,
        Size(1_000, 64 * MIB),
        "EXIF."
    ),
    row!(
        Draft,
        "limits.svg",
        config.limits.svg,
        Flag,
        "Draw SVG; off: such a source is 415."
    ),
    row!(
        Draft,
        "limits.svg_bytes",
        config.limits.svg_bytes,
        Size(1_000, 64 * MIB),
        "The text of a drawing (SVG), with its entities put in."
    ),
    row!(
        Draft,
        "output.side",
        config.output.side,
        Whole(1, 16_383),
        "Width or height of what is written, in pixels."
    ),
    row!(
        Draft,
        "output.pixels",
        config.output.pixels,
        Pixels(1, 268_000_000),
        "Width × height of what is written."
    ),
    row!(
        Draft,
        "output.avif_pixels",
        config.output.avif_pixels,
        Pixels(1, 268_000_000),
        "Width × height of an AVIF, which costs most; larger ones fall back to the next format."
    ),
    row!(
        Draft,
        "output.auto_quality_time",
        config.output.auto_quality_time,
        Time(Duration::ZERO, MINUTE),
        "Time that looking for a picture's own quality may add to it; looked at before each trial after the first. `0s`: nothing is looked for, and the quality is what looks as asked on the mean."
    ),
    row!(Draft, "fetch.bytes", config.fetch.bytes, Size(1_000, 4 * GIB),
        "One object of a source. No more than `work.source_bytes`.",
        default: Some("`50MiB`, or `work.source_bytes` where that is less")),
    row!(
        Draft,
        "fetch.connect",
        config.fetch.connect,
        Time(MILLISECOND, MINUTE),
        "Until a connection to the origin stands."
    ),
    row!(
        Draft,
        "fetch.first_byte",
        config.fetch.first_byte,
        Time(MILLISECOND, MINUTE),
        "Until the first byte of the origin's answer."
    ),
    row!(
        Draft,
        "fetch.total",
        config.fetch.total,
        Time(MILLISECOND, HOUR),
        "Until the last byte, all tries included."
    ),
    row!(
        Draft,
        "fetch.tries",
        config.fetch.tries,
        Whole(1, 10),
        "Tries, the first included."
    ),
    row!(
        Draft,
        "fetch.concurrency",
        config.fetch.concurrency,
        Whole(1, 10_000),
        "Fetches from one source at once."
    ),
    row!(Draft, "work.workers", config.work.workers, Whole(1, 1_024),
        "Threads that decode and encode.",
        default: Some("the cores that the process may use")),
    row!(Draft, "work.queue", config.work.queue, Whole(1, 1_000_000),
        "Jobs that may wait for a thread; one more is refused at once with 503.",
        default: Some("32 × `work.workers`")),
    row!(
        Draft,
        "work.queue_wait",
        config.work.queue_wait,
        Time(MILLISECOND, HOUR),
        "How long a job may wait, for a thread and for memory."
    ),
    row!(
        Draft,
        "work.job_time",
        config.work.job_time,
        Time(MILLISECOND, HOUR),
        "How long a job may run."
    ),
    row!(Draft, "work.pixel_bytes", config.work.pixel_bytes, Size(super::memory::LEAST_PIXELS, LARGEST),
        "Memory that all running jobs may hold together.",
        default: Some("what `memory` leaves, four fifths")),
    row!(Draft, "work.source_bytes", config.work.source_bytes, Size(super::memory::LEAST_SOURCES, LARGEST),
        "Memory that all fetched sources may hold together.",
        default: Some("what `memory` leaves, one fifth")),
    row!(Draft, "cache.memory_bytes", config.cache.memory_bytes, Size(0, LARGEST),
        "Finished variants that are kept in memory.",
        default: Some("a fifth of `memory`")),
    row!(
        Draft,
        "cache.fresh",
        config.cache.fresh,
        Time(ZERO, YEAR),
        "A variant is fresh this long after its source was seen, where the object says nothing."
    ),
    row!(
        Draft,
        "cache.stale_while_revalidate",
        config.cache.stale_while_revalidate,
        Time(ZERO, YEAR),
        "After that it is still served this long while one request looks at the origin."
    ),
    row!(
        Draft,
        "cache.stale_if_error",
        config.cache.stale_if_error,
        Time(ZERO, YEAR),
        "… and this long when the origin cannot be reached."
    ),
    row!(
        Draft,
        "cache.negative",
        config.cache.negative,
        Time(ZERO, MINUTE),
        "How long \"no such object\" is remembered."
    ),
    row!(
        Draft,
        "log.level",
        config.log.level,
        Text,
        "A filter such as `info`, `debug` or `aquatint=debug`."
    ),
    row!(Draft, "log.format", config.log.format,
        Maybe(Choice(&[("pretty", telemetry::Format::Pretty), ("json", telemetry::Format::Json)])),
        "How a line looks.",
        default: Some("`pretty` on a terminal, else `json`"), sample: Some("\"json\"")),
];

/// What may be asked: of the whole server as `policy.…`, and of one source by the bare name.
pub(super) const POLICY: &[Row<PolicySettings>] = &[
    row!(
        PolicySettings,
        "strict",
        strict,
        Flag,
        "Refuse unknown parameter names instead of ignoring them."
    ),
    row!(
        PolicySettings,
        "dialect",
        dialect,
        Choice(&[("imgix", Dialect::Imgix), ("css", Dialect::Css)]),
        "Whose meaning `fit=fill` and `fit=contain` have."
    ),
    row!(
        PolicySettings,
        "presets_only",
        presets_only,
        Flag,
        "Refuse everything but `preset=…`."
    ),
    row!(
        PolicySettings,
        "widths",
        widths,
        Ladder(1, 16_383),
        "Widths and heights snap up to the next of these; empty: any size."
    ),
    row!(
        PolicySettings,
        "widths_strict",
        widths_strict,
        Flag,
        "Refuse a width that is not among `widths` instead of snapping it."
    ),
    row!(
        PolicySettings,
        "quality_step",
        quality_step,
        Whole(1, 100),
        "Qualities are rounded up to a multiple of this; 1: any quality."
    ),
    row!(PolicySettings, "signature_keys", keys, Keys,
        "Keys that sign URLs, the current one first; the others still verify. Text, or `hex:` and digits. Empty: unsigned.",
        secret: true),
    row!(
        PolicySettings,
        "signature",
        signature,
        Choice(&[("hmac", Scheme::Hmac), ("imgix", Scheme::Imgix)]),
        "How URLs are signed: HMAC-SHA256, or imgix's MD5 for its client libraries."
    ),
    row!(
        PolicySettings,
        "quality",
        quality,
        Whole(1, 100),
        "Quality where none is asked for."
    ),
    row!(
        PolicySettings,
        "auto_quality_target",
        auto_quality_target,
        Whole(30, 95),
        "SSIMULACRA2 that each picture aims at where `quality=auto` is asked for: 90 is not to be told from the original, 79 what quality 80 is on the mean."
    ),
    row!(
        PolicySettings,
        "auto_compress_target",
        auto_compress_target,
        Whole(30, 95),
        "The same where `auto=compress` is asked for, and no number: 68 is what quality 60 is on the mean."
    ),
    row!(
        PolicySettings,
        "auto_format",
        auto_format,
        Flag,
        "Choose the format by `Accept` even where `auto=format` is not asked for."
    ),
    row!(
        PolicySettings,
        "avif_behind",
        avif_behind,
        Flag,
        "Where `Accept` chooses AVIF and it is not kept yet: answer with WebP at once, make the AVIF behind it for the next visitor, and keep the WebP if the AVIF is not smaller."
    ),
    row!(
        PolicySettings,
        "profile",
        profile,
        Choice(&[("fast", Profile::Fast), ("fine", Profile::Fine)]),
        "How pixels are computed: as they are coded, or in linear light, at more cost."
    ),
    row!(
        PolicySettings,
        "profile_fixed",
        profile_fixed,
        Flag,
        "Refuse a `profile` in a URL that is another than that; presets may have any."
    ),
    row!(
        PolicySettings,
        "max_dpr",
        max_dpr,
        Thousandths(1_000, 10_000),
        "Largest `dpr`."
    ),
];

/// What stands behind a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Store {
    /// An S3-compatible bucket.
    S3,
    /// A folder.
    Folder,
}

/// A source that is being put together.
#[derive(Clone, Debug)]
pub(super) struct SourceDraft {
    pub(super) name: String,
    pub(super) kind: Option<Store>,
    pub(super) prefix: String,
    pub(super) hosts: Vec<String>,
    pub(super) s3: S3Settings,
    pub(super) root: Option<PathBuf>,
    pub(super) key_prefix: String,
    pub(super) cache_control: Option<String>,
    pub(super) honour_cache_control: bool,
}

impl SourceDraft {
    pub(super) fn new(name: String) -> Self {
        Self {
            name,
            kind: None,
            prefix: "/".to_owned(),
            hosts: Vec::new(),
            s3: S3Settings::default(),
            root: None,
            key_prefix: String::new(),
            cache_control: None,
            honour_cache_control: true,
        }
    }
}

/// A source's settings, in the order of the documentation.
pub(super) const SOURCE: &[Row<SourceDraft>] = &[
    row!(SourceDraft, "name", name, Text,
        "Its name, in logs and metrics.",
        default: Some("`default`")),
    row!(SourceDraft, "kind", kind,
        Maybe(Choice(&[("s3", Store::S3), ("folder", Store::Folder)])),
        "What stands there.",
        default: Some("`folder` where `root` is given, else `s3`"), sample: Some("\"s3\"")),
    row!(
        SourceDraft,
        "prefix",
        prefix,
        Text,
        "URL paths below this go to it; the rest of the path is the key."
    ),
    row!(
        SourceDraft,
        "hosts",
        hosts,
        Words,
        "Only for requests to these host names; empty: for any."
    ),
    row!(
        SourceDraft,
        "provider",
        s3.provider,
        Choice(PROVIDERS),
        "Whose S3 it is: fills region, endpoint and path style as far as they follow from it."
    ),
    row!(SourceDraft, "bucket", s3.bucket, Text, "The bucket."),
    row!(
        SourceDraft,
        "endpoint",
        s3.endpoint,
        Maybe(Text),
        "`https://…` of the service, without the bucket."
    ),
    row!(
        SourceDraft,
        "region",
        s3.region,
        Maybe(Text),
        "The region, as it is signed.", sample: Some("\"us-east-1\"")),
    row!(
        SourceDraft,
        "account_id",
        s3.account_id,
        Maybe(Text),
        "Cloudflare R2: the account, in place of an endpoint.", sample: Some("\"0123456789abcdef0123456789abcdef\"")),
    row!(SourceDraft, "path_style", s3.path_style, Maybe(Flag),
        "The bucket in the path (`/bucket/key`) rather than in the host's name.",
        default: Some("as `provider` has it"), sample: Some("true")),
    row!(SourceDraft, "access_key", s3.access_key, Maybe(Text),
        "Access key. Without one, AWS's own variables, profile and machine role are asked.",
        secret: true),
    row!(SourceDraft, "secret_key", s3.secret_key, Maybe(SecretText),
        "Its secret.",
        secret: true),
    row!(SourceDraft, "session_token", s3.session_token, Maybe(SecretText),
        "For temporary credentials.",
        secret: true, sample: Some("\"change-me\"")),
    row!(
        SourceDraft,
        "root",
        root,
        Maybe(Folder),
        "A folder source's root. Symbolic links out of it are not followed.", sample: Some("\"/srv/pictures\"")),
    row!(
        SourceDraft,
        "key_prefix",
        key_prefix,
        AnyText,
        "Put before every key, as it is; nothing outside it can be reached."
    ),
    row!(
        SourceDraft,
        "cache_control",
        cache_control,
        Maybe(HeaderText),
        "`Cache-Control` of its variants, in place of `http.cache_control`.", sample: Some("\"public, max-age=3600\"")),
    row!(
        SourceDraft,
        "honour_cache_control",
        honour_cache_control,
        Flag,
        "Whether an object's own `Cache-Control` goes before both."
    ),
];

const PROVIDERS: &[(&str, Provider)] = &[
    ("r2", Provider::R2),
    ("minio", Provider::Minio),
    ("linode", Provider::Linode),
    ("b2", Provider::B2),
    ("spaces", Provider::Spaces),
    ("wasabi", Provider::Wasabi),
    ("aws", Provider::Aws),
    ("custom", Provider::Custom),
];
