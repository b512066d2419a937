//! `cargo xtask fuzz`: requests made from the published documents, one seed again or for a while.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;

use crate::command::{cargo, run};
use crate::project::Project;
use crate::sim::seconds;

/// What is sent.
#[derive(clap::Args)]
pub struct Options {
    /// This seed alone.
    seed: Option<u64>,
    /// New seeds for so long, such as 90s, 10m or 2h [default: 1m].
    #[arg(long = "for", conflicts_with = "seed")]
    duration: Option<String>,
}

/// Plays the seeds in a process of its own: the fuzzer is part of the tests.
#[allow(clippy::disallowed_methods, reason = "seeds that nobody has chosen come from the clock")]
pub fn fuzz(project: &Project, options: &Options) -> Result<()> {
    let mut command =
        cargo(project.root(), ["run", "--package", "tradewind-tests", "--bin", "fuzz", "--"]);
    match options.seed {
        Some(seed) => command.args(["--from", &seed.to_string(), "--count", "1"]),
        None => {
            let seconds = seconds(options.duration.as_deref().unwrap_or("1m"))?;
            let from = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
            let from = from.wrapping_mul(1_000_003);
            command.args(["--from", &from.to_string(), "--seconds", &seconds.to_string()])
        }
    };
    run(&mut command)
}
