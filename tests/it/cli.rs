//! `aquatint`'s commands, as processes: what they print, and how they end.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpListener,
    process::{Command, Output},
    thread,
};

/// The command, with nothing of the tester's environment.
fn aquatint(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aquatint"));
    command.args(args).env_clear();
    command
}

/// What a command came to.
struct Ended {
    code: Option<i32>,
    out: String,
    err: String,
}

fn run(mut command: Command) -> Ended {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().expect("the program runs");
    Ended {
        code: status.code(),
        out: String::from_utf8(stdout).expect("UTF-8"),
        err: String::from_utf8(stderr).expect("UTF-8"),
    }
}

#[track_caller]
fn says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is missing in:\n{text}");
    }
}

#[test]
fn help_names_every_command_and_shows_examples() {
    let ended = run(aquatint(&["--help"]));
    assert_eq!(ended.code, Some(0));
    says(
        &ended.out,
        &[
            "serve",
            "demo",
            "check",
            "health",
            "sign",
            "config",
            "completions",
            "man",
        ],
    );
    says(&ended.out, &["aquatint demo", "Exit codes"]);
    for command in [
        "serve",
        "demo",
        "check",
        "health",
        "sign",
        "config",
        "completions",
        "man",
    ] {
        let ended = run(aquatint(&[command, "--help"]));
        assert_eq!(ended.code, Some(0), "{command}");
        says(&ended.out, &["Usage: aquatint ", command]);
    }
}

#[test]
fn the_demo_writes_its_pictures_and_ends() {
    let place = tempfile::tempdir().expect("a folder");
    let folder = place.path().join("pictures");
    let ended = run(aquatint(&[
        "demo",
        "--write",
        folder.to_str().expect("UTF-8"),
    ]));
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    says(&ended.out, &["5 pictures in "]);
    let jpeg = std::fs::read(folder.join("landscape.jpg")).expect("a picture");
    assert!(jpeg.starts_with(b"\xFF\xD8\xFF"));

    let blocked = folder.join("landscape.jpg/below");
    let ended = run(aquatint(&[
        "demo",
        "--write",
        blocked.to_str().expect("UTF-8"),
    ]));
    assert_eq!(ended.code, Some(1));
    says(&ended.err, &["landscape.jpg/below"]);
}

#[test]
fn version_is_that_of_the_package() {
    let ended = run(aquatint(&["--version"]));
    assert_eq!(
        ended.out,
        format!("aquatint {}\n", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn a_wrong_command_line_ends_with_2() {
    for args in [
        &["paint"][..],
        &["serve", "--set", "x"],
        &["serve", "--colour"],
        &["sign"],
    ] {
        assert_eq!(run(aquatint(args)).code, Some(2), "{args:?}");
    }
}

#[test]
fn a_wrong_configuration_ends_with_2_and_names_every_mistake() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("aquatint.toml");
    fs::write(&file, "[cache]\nmemroy_bytes = '1MB'\nfresh = 'soon'\n").expect("written");
    let file = file.to_str().expect("UTF-8");
    for command in ["serve", "check", "config"] {
        let mut command = aquatint(&[command, "--config", file, "--set", "work.workers=0"]);
        command.env("AQUATINT_HTTP_EXPLAIN", "maybe");
        let ended = run(command);
        assert_eq!(ended.code, Some(2));
        assert_eq!(ended.out, "");
        says(
            &ended.err,
            &[
                "4 mistakes",
                "aquatint.toml:2: unknown setting `cache.memroy_bytes`; did you mean `cache.memory_bytes`?",
                "aquatint.toml:3: `cache.fresh` must be a time",
                "AQUATINT_HTTP_EXPLAIN: `http.explain` must be `true` or `false`, not `maybe`",
                "--set: `work.workers` must be a whole number from 1 to 1024, not `0`",
            ],
        );
    }
}

#[test]
fn the_file_may_be_named_by_the_environment() {
    let mut command = aquatint(&["check"]);
    command.env("AQUATINT_CONFIG", "no/such/file.toml");
    let ended = run(command);
    assert_eq!(ended.code, Some(2));
    says(&ended.err, &["no/such/file.toml cannot be read"]);
}

#[test]
fn a_server_without_a_source_ends_with_2() {
    for command in ["serve", "check"] {
        let ended = run(aquatint(&[command]));
        assert_eq!(ended.code, Some(2));
        says(
            &ended.err,
            &["no source is configured", "AQUATINT_SOURCE_BUCKET"],
        );
    }
}

#[test]
fn an_address_that_is_taken_ends_with_1_and_names_the_flag() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address").to_string();
    let folder = tempfile::tempdir().expect("a folder");
    let root = format!("source.root={}", folder.path().display());
    let serve = |flags: &[&str]| {
        let mut args = vec!["serve", "--set", root.as_str()];
        args.extend(flags);
        run(aquatint(&args))
    };
    let ended = serve(&["--listen", &address, "--admin-listen", "none"]);
    assert_eq!(ended.code, Some(1));
    says(
        &ended.err,
        &[&address, "something else listens there", "`--listen "],
    );

    let ended = serve(&["--listen", "127.0.0.1:0", "--admin-listen", &address]);
    assert_eq!(ended.code, Some(1));
    says(&ended.err, &[&address, "`--admin-listen "]);
}

#[test]
fn check_tries_every_source() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = format!("source.root={}", folder.path().display());
    let ended = run(aquatint(&["check", "--set", &root]));
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    says(&ended.out, &["✓ configuration", "✓ source `default`"]);

    // The port was free a moment ago: nobody listens there.
    let endpoint = {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        format!("source.gone.endpoint=http://{address}")
    };
    let settings = [
        endpoint.as_str(),
        "source.gone.bucket=b",
        "source.gone.access_key=a",
        "source.gone.secret_key=s",
        "source.gone.prefix=/gone/",
        root.as_str(),
    ];
    let mut command = aquatint(&["check"]);
    for setting in settings {
        command.args(["--set", setting]);
    }
    let ended = run(command);
    assert_eq!(ended.code, Some(1), "{}", ended.err);
    says(&ended.out, &["✗ source `gone`", "✓ source `default`"]);
}

#[test]
fn config_prints_what_is_in_force_without_secrets() {
    let mut command = aquatint(&["config", "--set", "cache.fresh=2h"]);
    command
        .env("AQUATINT_SOURCE_BUCKET", "photos")
        .env("AQUATINT_SOURCE_ENDPOINT", "http://s3.test")
        .env("AQUATINT_SOURCE_ACCESS_KEY", "hush-access")
        .env("AQUATINT_SOURCE_SECRET_KEY", "hush-secret");
    let ended = run(command);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    says(
        &ended.out,
        &[
            "fresh = \"2h\"  # --set",
            "bucket = \"photos\"  # AQUATINT_SOURCE_BUCKET",
        ],
    );
    assert!(!ended.out.contains("hush"), "{}", ended.out);
}

#[test]
fn sign_prints_a_signed_url() {
    let folder = tempfile::tempdir().expect("a folder");
    let key = folder.path().join("key");
    fs::write(&key, "a key of some length\n").expect("written");
    let key = key.to_str().expect("UTF-8");
    let url = "https://img.test/a%20b.jpg?width=400";
    let ended = run(aquatint(&[
        "sign",
        url,
        "--key-file",
        key,
        "--expires",
        "1h",
    ]));
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert!(
        ended.out.starts_with("https://img.test/a%20b.jpg?"),
        "{}",
        ended.out
    );
    says(&ended.out, &["width=400", "expires=", "s="]);

    let ended = run(aquatint(&["sign", "/a.jpg"]));
    assert_eq!(ended.code, Some(2));
    says(&ended.err, &["policy.signature_keys"]);
}

/// Answers one request with this, and hands back what was asked.
fn one_answer(answer: &'static str) -> (String, thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address").to_string();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        let mut asked = [0; 1024];
        let length = stream.read(&mut asked).expect("a request");
        stream.write_all(answer.as_bytes()).expect("an answer");
        String::from_utf8_lossy(&asked[..length]).into_owned()
    });
    (address, server)
}

#[test]
fn health_ends_with_0_or_1_as_the_server_answers() {
    for (answer, code) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 0),
        (
            "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
            1,
        ),
        ("what?", 1),
    ] {
        let (address, server) = one_answer(answer);
        let ended = run(aquatint(&["health", "--admin-listen", &address]));
        assert_eq!(ended.code, Some(code), "{}", ended.err);
        assert!(
            server
                .join()
                .expect("the server ends")
                .starts_with("GET /health HTTP/1.1\r\n")
        );
    }
}

#[test]
fn health_of_no_server_ends_with_1() {
    let address = {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.local_addr().expect("an address").to_string()
    };
    assert_eq!(
        run(aquatint(&["health", "--admin-listen", &address])).code,
        Some(1)
    );
    let none = ["health", "--set", "server.admin_listen=none"];
    assert_eq!(run(aquatint(&none)).code, Some(1));
    let wrong = ["health", "--set", "server.admin_listen=nowhere"];
    assert_eq!(run(aquatint(&wrong)).code, Some(1));
}

#[test]
fn completions_and_the_manual_page_are_made() {
    for shell in ["bash", "zsh", "fish"] {
        let ended = run(aquatint(&["completions", shell]));
        assert_eq!(ended.code, Some(0));
        says(&ended.out, &["aquatint", "serve", "demo"]);
    }
    let ended = run(aquatint(&["man"]));
    assert_eq!(ended.code, Some(0));
    says(&ended.out, &[".TH aquatint", "serve"]);
}
