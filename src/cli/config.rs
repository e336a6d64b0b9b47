//! `config`: what is in force, without secrets.

use clap::Args;

use super::{Outcome, Settings};

#[derive(Args, Debug)]
pub(super) struct ConfigArgs {
    #[command(flatten)]
    settings: Settings,
}

pub(super) fn run(args: &ConfigArgs) -> Outcome {
    let loaded = args.settings.load(Vec::new())?;
    super::print(&loaded.to_toml())
}
