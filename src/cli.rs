//! The command line: one file a subcommand. What a command prints is for people; logs are apart.

mod check;
mod config;
mod demo;
mod generate;
mod health;
mod serve;
mod sign;

use std::{
    fmt,
    io::{self, Write as _},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    process::ExitCode,
};

use clap::{Args, Parser, Subcommand};

use crate::config::{Inputs, Loaded, Machine, Mistakes, Override};

/// Parses the process's command line and runs its command.
///
/// Exit codes: 0, it worked; 1, it did not; 2, the command line or the configuration is wrong.
#[must_use]
pub fn run() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Serve(args) => serve::run(&args),
        Command::Demo(args) => demo::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Health(args) => health::run(&args),
        Command::Sign(args) => sign::run(&args),
        Command::Config(args) => config::run(&args),
        Command::Completions(args) => generate::completions(&args),
        Command::Man => generate::man(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("aquatint: {failure}");
            ExitCode::from(failure.code())
        }
    }
}

const EXAMPLES: &str = "\
Examples:
  aquatint demo                              pictures of its own, at http://127.0.0.1:8080/
  aquatint serve --config aquatint.toml      a bucket of yours
  aquatint check --config aquatint.toml      what is wrong with it?

Exit codes: 0, it worked; 1, it did not; 2, the command line or the configuration is wrong.";

/// Pictures from a private bucket, resized and re-encoded as the URL asks.
#[derive(Debug, Parser)]
#[command(name = "aquatint", version, after_help = EXAMPLES, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve pictures.
    Serve(serve::ServeArgs),
    /// Serve pictures of our own making from a bucket of our own: nothing to set up.
    Demo(demo::DemoArgs),
    /// Check the configuration, then try every source.
    Check(check::CheckArgs),
    /// Ask a running server whether it is well (for containers).
    Health(health::HealthArgs),
    /// Sign a URL.
    Sign(sign::SignArgs),
    /// Print the configuration in force, and where each value was set.
    Config(config::ConfigArgs),
    /// Print completions for a shell.
    Completions(generate::CompletionsArgs),
    /// Print the manual page.
    Man,
}

/// Where a configuration is read from; in every command that needs one.
#[derive(Args, Clone, Debug, Default)]
struct Settings {
    /// The configuration file.
    #[arg(long, short, value_name = "FILE", env = "AQUATINT_CONFIG")]
    config: Option<PathBuf>,
    /// Set one setting, whatever file and environment say, such as `cache.memory_bytes=1GB`.
    #[arg(long, short, value_name = "NAME=VALUE", value_parser = name_and_value)]
    set: Vec<(String, String)>,
}

fn name_and_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.trim().to_owned(), value.to_owned())),
        _ => Err("write a setting's name, `=`, and its value".to_owned()),
    }
}

impl Settings {
    /// Reads the configuration; flags of the command that stand for a setting come last.
    fn load(&self, flags: Vec<Override>) -> Result<Loaded, Failure> {
        let set = self.set.iter().map(|(name, value)| Override {
            name: name.clone(),
            value: value.clone(),
            flag: "--set",
        });
        let inputs = Inputs {
            file: self.config.clone(),
            overrides: set.chain(flags).collect(),
            ..Inputs::from_process()
        };
        Ok(inputs.load(&Machine::here())?)
    }

    /// As [`Settings::load`], with at least one source.
    fn load_with_sources(&self, flags: Vec<Override>) -> Result<Loaded, Failure> {
        let loaded = self.load(flags)?;
        if loaded.config.sources.is_empty() {
            return Err(Mistakes::no_source().into());
        }
        Ok(loaded)
    }
}

/// Why a command did not do what was asked.
#[derive(Debug)]
enum Failure {
    /// The command line or the configuration is wrong.
    Usage(String),
    /// It was understood, and did not work.
    Failed(String),
}

impl Failure {
    fn code(&self) -> u8 {
        match self {
            Self::Failed(_) => 1,
            Self::Usage(_) => 2,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(text) | Self::Failed(text) => f.write_str(text),
        }
    }
}

impl From<Mistakes> for Failure {
    fn from(mistakes: Mistakes) -> Self {
        Self::Usage(mistakes.to_string())
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

/// "Every address of this machine" is none to connect to.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// Prints what the command was asked for. A reader that went away (`| head`) is no failure.
fn print(text: &str) -> Outcome {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

type Outcome = Result<(), Failure>;

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn settings_have_a_name_and_a_value() {
        assert_eq!(
            name_and_value("http.cache_control=max-age=1"),
            Ok(("http.cache_control".to_owned(), "max-age=1".to_owned()))
        );
        assert!(name_and_value("http.explain").is_err());
        assert!(name_and_value("=1").is_err());
    }
}
