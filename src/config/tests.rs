//! What a user reads when a configuration is wrong, and which layer wins.

use std::{fs, path::Path};

use super::*;
use crate::{
    origin::{Provider, Secret, SourceKind},
    recipe::signature::Key,
};

const MACHINE: Machine = Machine {
    memory: 1_000_000_000,
    limited: true,
    cores: 4,
};

const BUCKET: &str = "[[source]]\nbucket='b'\nendpoint='http://s3.test'\n";

/// A file, variables and settings of the command line, and the folder that they may name files in.
struct Given {
    folder: tempfile::TempDir,
    inputs: Inputs,
}

fn given(file: &str) -> Given {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.toml");
    fs::write(&path, file).unwrap();
    Given {
        folder,
        inputs: Inputs {
            file: Some(path),
            ..Inputs::default()
        },
    }
}

impl Given {
    fn env(mut self, name: &str, value: &str) -> Self {
        self.inputs.environment.push((name.into(), value.into()));
        self
    }

    fn set(mut self, name: &str, value: &str) -> Self {
        self.inputs.overrides.push(Override {
            name: name.to_owned(),
            value: value.to_owned(),
            flag: "--set",
        });
        self
    }

    fn secret_file(&self, text: &str) -> String {
        let path = self.folder.path().join("secret");
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    #[track_caller]
    fn config(&self) -> Config {
        self.loaded().config
    }

    #[track_caller]
    fn loaded(&self) -> Loaded {
        self.inputs
            .load(&MACHINE)
            .unwrap_or_else(|mistakes| panic!("{mistakes}"))
    }

    /// Parses, but for half of a pair of credentials.
    #[track_caller]
    fn loaded_or_lacking_a_key(&self) {
        if let Err(mistakes) = self.inputs.load(&MACHINE) {
            let text = mistakes.to_string();
            assert!(text.contains(", but no `"), "{text}");
        }
    }

    /// The mistakes, with the file called `F`.
    #[track_caller]
    fn mistakes(&self) -> Vec<String> {
        let file = self
            .inputs
            .file
            .as_deref()
            .map_or("", |path| path.to_str().unwrap());
        match self.inputs.load(&MACHINE) {
            Ok(_) => panic!("there is no mistake"),
            Err(mistakes) => mistakes
                .as_slice()
                .iter()
                .map(|mistake| mistake.to_string().replace(file, "F"))
                .collect(),
        }
    }

    #[track_caller]
    fn refused(&self, sentence: &str) {
        assert_eq!(self.mistakes(), [sentence]);
    }
}

#[test]
fn nothing_said_is_the_defaults() {
    let config = given("").config();
    assert_eq!(config.server, crate::server::Settings::default());
    assert_eq!(config.http, http::Settings::default());
    assert_eq!(config.limits, pixels::codec::Limits::default());
    assert_eq!(config.output, pixels::render::OutputLimits::default());
    assert_eq!(config.fetch, origin::FetchLimits::default());
    assert_eq!(config.work.workers, 4);
    assert_eq!(config.work.queue, 128);
    assert!(config.sources.is_empty());
}

#[test]
fn the_command_line_goes_before_the_environment_before_the_file_before_the_default() {
    let file = "[cache]\nfresh = '1m'\n";
    let fresh = |given: Given| given.config().cache.fresh.as_secs();
    assert_eq!(fresh(given("")), 3600);
    assert_eq!(fresh(given(file)), 60);
    let env = || given(file).env("AQUATINT_CACHE_FRESH", "2m");
    assert_eq!(fresh(env()), 120);
    assert_eq!(fresh(env().set("cache.fresh", "3m")), 180);
}

#[test]
fn every_setting_has_a_variable() {
    for name in table::server_names() {
        let value = match name.as_str() {
            "server.listen" | "server.admin_listen" => "127.0.0.1:1",
            "log.format" => "json",
            _ => "no such thing \u{1}",
        };
        let given = given("").env(&environment::variable(&name), value);
        if let Err(mistakes) = given.inputs.load(&MACHINE) {
            let text = mistakes.to_string();
            assert!(!text.contains("unknown"), "{text}");
            assert!(text.contains(&format!("`{name}`")), "{text}");
        }
    }
}

#[test]
fn unknown_settings_are_refused_with_the_nearest_name() {
    given("[cache]\nmemroy_bytes = '1MB'")
        .refused("F:2: unknown setting `cache.memroy_bytes`; did you mean `cache.memory_bytes`?");
    given("colour = 'blue'").refused("F:1: unknown setting `colour`");
    given("").env("AQUATINT_CACHE_MEMROY_BYTES", "1MB").refused(
        "unknown variable `AQUATINT_CACHE_MEMROY_BYTES`; did you mean `AQUATINT_CACHE_MEMORY_BYTES`?",
    );
    given("")
        .set("work.worker", "2")
        .refused("--set: unknown setting `work.worker`; did you mean `work.workers`?");
    given("[[source]]\nbukcet = 'b'\nbucket = 'b'\nendpoint = 'http://s3.test'")
        .refused("F:2: unknown setting of a source `bukcet`; did you mean `bucket`?");
}

#[test]
fn wrong_values_say_what_was_expected() {
    given("[server]\nlisten = 8080").refused(
        "F:2: `server.listen` must be an address and port such as `0.0.0.0:8080` or `[::]:8080`, not `8080`",
    );
    given("[cache]\nmemory_bytes = 'lots'").refused(
        "F:2: `cache.memory_bytes` must be a size from 0 to 16384GiB such as `64MB` or `64MiB`, not `lots`",
    );
    given("").env("AQUATINT_FETCH_CONNECT", "10").refused(
        "AQUATINT_FETCH_CONNECT: `fetch.connect` must be a time from 1ms to 1m such as `10s`, `250ms` or `1h`, not `10`",
    );
    given("")
        .set("work.workers", "0")
        .refused("--set: `work.workers` must be a whole number from 1 to 1024, not `0`");
    given("[policy]\ndialect = 'thumbor'")
        .refused("F:2: `policy.dialect` must be one of `imgix`, `css`, not `thumbor`");
    given("[http]\nexplain = 'maybe'")
        .refused("F:2: `http.explain` must be `true` or `false`, not `maybe`");
    given("[http]\ncache_control = \"a\\nb\"").refused(
        "F:2: `http.cache_control` must be text that can stand in an HTTP header, not `a\nb`",
    );
    given("[policy]\nquality = 1979-05-27")
        .refused("F:2: `policy.quality` must be a whole number from 1 to 100, not a date");
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let mistakes = given(
        "memory = 'much'\n[cache]\nfresh = 10\nmemroy_bytes = '1MB'\n\
         [[source]]\nname = 'cats'\nregion = 'x'\n\
         [[source]]\nname = 'dogs'\nkind = 'folder'\n",
    )
    .env("AQUATINT_WORK_QUEUE", "many")
    .env("AQUATINT_NONSENSE", "1")
    .set("http.explain", "perhaps")
    .mistakes();
    let begins: Vec<_> = mistakes
        .iter()
        .map(|mistake| mistake.split(" must").next().unwrap())
        .collect();
    assert_eq!(
        begins,
        [
            "unknown variable `AQUATINT_NONSENSE`",
            "F:1: `memory`",
            "F:3: `cache.fresh`",
            "F:4: unknown setting `cache.memroy_bytes`; did you mean `cache.memory_bytes`?",
            "AQUATINT_WORK_QUEUE: `work.queue`",
            "--set: `http.explain`",
            "F:5: the source `cats` has no `bucket`",
            "F:8: the source `dogs` is a folder without a `root`",
        ]
    );
}

#[test]
fn a_file_that_is_no_toml_says_where() {
    let mistakes = given("[cache\nfresh = '1m'\nmemory = = 1\n").mistakes();
    assert!(mistakes.len() >= 2, "{mistakes:?}");
    assert!(
        mistakes[0].starts_with("F:1: this is not TOML: "),
        "{mistakes:?}"
    );
    assert!(
        mistakes[1].starts_with("F:3: this is not TOML: "),
        "{mistakes:?}"
    );
}

#[test]
fn a_file_that_is_not_there_is_a_mistake() {
    let inputs = Inputs {
        file: Some(Path::new("no/such/file.toml").to_owned()),
        ..Inputs::default()
    };
    let text = inputs.load(&MACHINE).unwrap_err().to_string();
    assert!(text.contains("no/such/file.toml cannot be read"), "{text}");
}

#[test]
fn one_source_comes_from_the_environment_alone() {
    let config = given("")
        .env("AQUATINT_SOURCE_PROVIDER", "r2")
        .env("AQUATINT_SOURCE_BUCKET", "photos")
        .env("AQUATINT_SOURCE_ACCOUNT_ID", "abc")
        .env("AQUATINT_SOURCE_KEY_PREFIX", "public/")
        .env("AQUATINT_SOURCE_ACCESS_KEY", "AK")
        .env("AQUATINT_SOURCE_SECRET_KEY", "SK")
        .config();
    let [source] = config.sources.as_slice() else {
        panic!("{:?}", config.sources);
    };
    assert_eq!(source.name, "default");
    assert_eq!(source.prefix, "/");
    assert_eq!(source.key_prefix, "public/");
    let SourceKind::S3(s3) = &source.kind else {
        panic!("{source:?}");
    };
    assert_eq!(s3.provider, Provider::R2);
    assert_eq!(s3.bucket, "photos");
    assert_eq!(s3.access_key.as_deref(), Some("AK"));
    assert_eq!(s3.secret_key, Some(Secret("SK".to_owned())));
    assert!(source.policy.is_none());
}

#[test]
fn an_empty_variable_is_not_set() {
    let given = given("[[source]]\nroot = '/a'\nprefix = '/b/'\n")
        .env("AQUATINT_SOURCE_PREFIX", "")
        .env("AQUATINT_SOURCE_BUCKET", "")
        .env("AQUATINT_MEMORY", "");
    assert_eq!(given.config().sources[0].prefix, "/b/");
}

#[test]
fn several_sources_are_named_in_their_variables() {
    let config = given("[[source]]\nname = 'old-cats'\nprefix = 'cats'\nroot = '/cats'\n")
        .env("AQUATINT_SOURCE_OLD_CATS_KEY_PREFIX", "deep/")
        .env("AQUATINT_SOURCE_DOGS_ROOT", "/dogs")
        .env("AQUATINT_SOURCE_DOGS_PREFIX", "/dogs/")
        .env("AQUATINT_SOURCE_DOGS_WIDTHS", "640,320")
        .set("source.dogs.quality", "55")
        .set("source.root", "/all")
        .config();
    let seen: Vec<_> = config
        .sources
        .iter()
        .map(|source| {
            (
                source.name.as_str(),
                source.prefix.as_str(),
                source.key_prefix.as_str(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("old-cats", "/cats/", "deep/"),
            ("dogs", "/dogs/", ""),
            ("default", "/", "")
        ]
    );
    let dogs = config.sources[1].policy.as_ref().unwrap();
    assert_eq!(dogs.widths, [320, 640]);
    assert_eq!(dogs.quality, 55);
}

#[test]
fn a_source_starts_from_the_rules_of_the_server() {
    let config = given(
        "[[source]]\nroot = '/a'\nstrict = true\n[source.presets]\ntiny = 'width=10'\n\
         [policy]\nquality = 42\n[presets]\nthumb = 'width=200'\n",
    )
    .config();
    let own = config.sources[0].policy.as_ref().unwrap();
    assert!(own.strict);
    assert_eq!(own.quality, 42);
    assert_eq!(own.presets.keys().collect::<Vec<_>>(), ["thumb", "tiny"]);
    assert!(!config.policy.strict);
    assert_eq!(config.policy.presets.keys().collect::<Vec<_>>(), ["thumb"]);
}

#[test]
fn presets_are_named_plainly_and_are_queries() {
    let config = given("")
        .env("AQUATINT_PRESETS_THUMB", "width=200")
        .config();
    assert_eq!(config.policy.presets.keys().collect::<Vec<_>>(), ["thumb"]);
    given("[presets]\n'a b' = 'width=1'")
        .refused("F:2: the preset name `a b` must be letters, digits, `-` and `_`");
    given("[presets]\na = 1")
        .refused("F:2: the preset `a` must be a query such as `\"width=200&fit=cover\"`, not `1`");
}

#[track_caller]
fn source_refused(rows: &str, sentence: &str) {
    given(&format!("[[source]]\n{rows}\n"))
        .refused(&format!("F:1: the source `default` {sentence}"));
}

#[test]
fn sources_say_what_they_lack() {
    source_refused("", "has no `bucket`");
    source_refused("bucket='b'", "needs an `endpoint`");
    source_refused(
        "bucket='b'\nprovider='r2'",
        "needs an `account_id` or an `endpoint`",
    );
    source_refused(
        "bucket='b'\nprovider='aws'",
        "needs a `region` or an `endpoint`",
    );
    source_refused(
        "bucket='b'\nendpoint='s3.test'",
        "has an `endpoint` that does not begin with `https://` or `http://`",
    );
    source_refused(
        "bucket='b'\nendpoint='http://s3.test'\naccess_key='a'",
        "has an `access_key`, but no `secret_key`",
    );
    source_refused(
        "root='/a'\nbucket='b'",
        "is a folder, which has no `bucket`",
    );
    source_refused("kind='s3'\nroot='/a'", "is a bucket, which has no `root`");
    source_refused(
        "root='/a'\nprefix='/a%20b/'",
        "has a `prefix` that is no plain URL path",
    );
    source_refused(
        "root='/a'\nkey_prefix='a/../b'",
        "has a `key_prefix` that begins with `/` or has a `.` or `..` segment",
    );
    source_refused(
        "root='/a'\nhosts=['a:80']",
        "has `a:80` among its `hosts`: names without port, please",
    );
}

#[test]
fn sources_that_cannot_be_told_apart_are_refused() {
    given("[[source]]\nname='a'\nroot='/a'\n[[source]]\nname='b'\nroot='/b'\n").refused(
        "F:4: no request reaches the source `b`: `a` stands before it and takes the same paths; \
         put the more special one first",
    );
    given("[[source]]\nroot='/a'\nprefix='/a/'\n[[source]]\nroot='/b'\n")
        .refused("F:4: there is a source named `default` at F:1 already");
    given("[source]\nroot='/a'\n")
        .refused("F:1: sources are tables in a list: write `[[source]]`, with two brackets");
}

#[test]
fn secrets_come_from_files_too() {
    let key = |given: &Given| match &given.config().sources[0].kind {
        SourceKind::S3(s3) => s3.secret_key.clone().unwrap().0,
        SourceKind::Folder { .. } => panic!("a folder"),
    };
    let env = given(BUCKET).env("AQUATINT_SOURCE_ACCESS_KEY", "AK");
    let path = env.secret_file("from a file\n");
    let env = env.env("AQUATINT_SOURCE_SECRET_KEY_FILE", &path);
    assert_eq!(key(&env), "from a file");

    // A later layer wins, whichever of the two spellings it has.
    let both = env.set("source.secret_key", "typed");
    assert_eq!(key(&both), "typed");

    let keys = given("");
    let path = keys.secret_file("a first key of text\nhex:000102030405060708090a0b0c0d0e0f\n");
    let keys = keys
        .env("AQUATINT_POLICY_SIGNATURE_KEYS_FILE", &path)
        .config()
        .policy
        .keys;
    assert_eq!(
        keys,
        [
            Key::new(*b"a first key of text"),
            Key::new([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15])
        ]
    );
}

#[test]
fn secret_files_that_cannot_be_read_are_mistakes() {
    let mistakes = given(BUCKET)
        .env("AQUATINT_SOURCE_ACCESS_KEY", "AK")
        .env("AQUATINT_SOURCE_SECRET_KEY_FILE", "/no/such/secret")
        .mistakes();
    assert!(
        mistakes[0].starts_with(
            "AQUATINT_SOURCE_SECRET_KEY_FILE: the file /no/such/secret cannot be read"
        ),
        "{mistakes:?}"
    );
    let twice = given(BUCKET).env("AQUATINT_SOURCE_ACCESS_KEY", "AK");
    let path = twice.secret_file("s");
    twice
        .env("AQUATINT_SOURCE_SECRET_KEY", "s")
        .env("AQUATINT_SOURCE_SECRET_KEY_FILE", &path)
        .refused(
            "AQUATINT_SOURCE_SECRET_KEY_FILE: `secret_key` is set already at \
             AQUATINT_SOURCE_SECRET_KEY: keep one of the two",
        );
}

#[test]
fn secrets_are_never_shown() {
    let loaded = given(BUCKET)
        .env("AQUATINT_SOURCE_ACCESS_KEY", "hush-access")
        .env("AQUATINT_SOURCE_SECRET_KEY", "hush-secret")
        .env("AQUATINT_SOURCE_SESSION_TOKEN", "hush-token")
        .env(
            "AQUATINT_POLICY_SIGNATURE_KEYS",
            "hush-key-that-is-one,hush-key-that-is-two",
        )
        .loaded();
    let toml = loaded.to_toml();
    assert!(!toml.contains("hush"), "{toml}");
    assert!(
        toml.contains("secret_key = \"…\"  # AQUATINT_SOURCE_SECRET_KEY"),
        "{toml}"
    );
    let debug = format!("{:?}", loaded.config);
    for secret in ["hush-secret", "hush-token", "hush-key"] {
        assert!(!debug.contains(secret), "{debug}");
    }
    // Nor where they are wrong.
    given("")
        .env("AQUATINT_POLICY_SIGNATURE_KEYS", "hex:hush")
        .refused(
            "AQUATINT_POLICY_SIGNATURE_KEYS: `policy.signature_keys` must be a list of keys, each \
             text or `hex:` and an even number of hexadecimal digits",
        );
}

#[test]
fn what_is_in_force_says_where_it_was_set() {
    let toml = given("[cache]\nfresh = '1m'\n")
        .env("AQUATINT_WORK_WORKERS", "2")
        .set("http.explain", "true")
        .loaded()
        .to_toml();
    assert!(toml.contains("a.toml:2\n"), "{toml}");
    assert!(
        toml.contains("workers = 2  # AQUATINT_WORK_WORKERS\n"),
        "{toml}"
    );
    assert!(toml.contains("explain = true  # --set\n"), "{toml}");
    assert!(toml.contains("queue = 64\n"), "{toml}");
    toml::from_str::<toml::Table>(&toml).unwrap();
}

#[test]
fn memory_is_shared_out_under_its_total() {
    let config = given("memory = '256MB'").config();
    assert_eq!(config.cache.memory_bytes, 51_000_000);
    assert_eq!(config.work.source_bytes, 29_000_000);
    assert_eq!(config.work.pixel_bytes, 120_000_000);
    // A source that could never be held is refused by its size, not by waiting for room.
    assert_eq!(config.fetch.bytes, 29_000_000);

    let default = given("").config();
    assert_eq!(default.cache.memory_bytes, 180_000_000);
    given("memory = '95999999B'").refused(
        "F:1: `memory` must be a size from 96MB to 16384GiB such as `64MB` or `64MiB`, or `none`, not `95999999B`",
    );
}

#[test]
fn sums_over_the_memory_are_refused() {
    given("memory = '256MB'\n[cache]\nmemory_bytes = '220MB'\n").refused(
        "F:1: `memory` is 256MB, but its parts add up to 276MB: 56MB for the program, \
         `cache.memory_bytes` 220MB, `work.source_bytes` 0MB, `work.pixel_bytes` 0MB",
    );
    given("[fetch]\nbytes = '1GB'\n")
        .refused("F:2: `fetch.bytes` must be no more than `work.source_bytes`, which is 116MB");
}

#[test]
fn the_example_parses_as_it_is_and_with_its_comments_off() {
    let plain = given(&example()).config();
    assert_eq!(plain.sources.len(), 1);

    let (server, source) = {
        let text = example();
        let at = text.find("[[source]]").unwrap();
        (text[..at].to_owned(), text[at..].to_owned())
    };
    let switched_on = |text: &str| -> String {
        text.lines()
            .map(|line| match line.strip_prefix('#') {
                Some(rest) if !rest.is_empty() && !rest.starts_with(' ') => rest,
                _ => line,
            })
            .fold(String::new(), |text, line| text + line + "\n")
    };
    let config = given(&switched_on(&server)).config();
    assert_eq!(config.policy.presets.len(), 1);
    assert_eq!(config.server, crate::server::Settings::default());
    assert_eq!(config.limits, pixels::codec::Limits::default());
    assert_eq!(config.cache.fresh, cache::Settings::default().fresh);

    for line in source.lines() {
        if let Some(row) = line.strip_prefix('#').filter(|row| !row.starts_with(' ')) {
            let base = if row.starts_with("root") {
                "[[source]]\n"
            } else {
                BUCKET
            };
            given(&format!("{base}{row}\n")).loaded_or_lacking_a_key();
        }
    }
}

#[test]
fn a_key_that_could_be_guessed_is_refused() {
    let weak = "has a key of fewer than 16 bytes: `openssl rand -hex 32` makes a good one";
    let of = |key: &str| given("").env("AQUATINT_POLICY_SIGNATURE_KEYS", key);
    of("fifteen-bytes-x").refused(&format!(
        "AQUATINT_POLICY_SIGNATURE_KEYS: `policy.signature_keys` {weak}"
    ));
    assert_eq!(of("sixteen-bytes-xy").config().policy.keys.len(), 1);
    given("[[source]]\nname = 'own'\nroot = '/a'\nsignature_keys = ['short']\n")
        .refused(&format!("F:1: the source `own`: `signature_keys` {weak}"));
    // imgix's tokens are as long as imgix makes them.
    let imgix = of("short").env("AQUATINT_POLICY_SIGNATURE", "imgix");
    assert_eq!(imgix.config().policy.keys.len(), 1);
}
