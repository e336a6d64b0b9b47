//! `check`: the configuration, then every source, one line each.

use clap::Args;

use super::{Failure, Outcome, Settings, serve};
use crate::{config::Config, origin::Sources, work::budget::Budget};

#[derive(Args, Debug)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    settings: Settings,
    /// Check the configuration alone, and reach out to nothing.
    #[arg(long)]
    offline: bool,
}

pub(super) fn run(args: &CheckArgs) -> Outcome {
    let loaded = args.settings.load_with_sources(Vec::new())?;
    let config = loaded.config;
    let budget = Budget::new(config.work.source_bytes);
    let sources = Sources::new(config.sources.clone(), &config.fetch, budget)
        .map_err(|error| Failure::Usage(error.to_string()))?;
    super::print("✓ configuration\n")?;
    if args.offline {
        return Ok(());
    }
    if unsigned(&config) {
        super::print("! anybody may ask for any size: no signature, presets or widths are set\n")?;
    }
    serve::runtime()?.block_on(check(&sources))
}

async fn check(sources: &Sources) -> Outcome {
    let mut failed = 0;
    for origin in &sources.origins {
        let name = &origin.settings.name;
        match origin.check().await {
            Ok(report) => {
                let took = report.took.as_millis();
                super::print(&format!("✓ source `{name}`: {} ({took} ms)\n", report.says))?;
            }
            Err(diagnosis) => {
                failed += 1;
                super::print(&format!("✗ source `{name}`: {diagnosis}\n"))?;
            }
        }
    }
    match failed {
        0 => Ok(()),
        1 => Err(Failure::Failed("a source does not work".to_owned())),
        many => Err(Failure::Failed(format!("{many} sources do not work"))),
    }
}

/// Whether some source takes any size from anybody.
fn unsigned(config: &Config) -> bool {
    config.sources.iter().any(|source| {
        let rules = source.policy.as_ref().unwrap_or(&config.policy);
        rules.keys.is_empty() && !rules.presets_only && rules.widths.is_empty()
    })
}
