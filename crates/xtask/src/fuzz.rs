//! `cargo xtask fuzz`: requests made from the published documents, one seed again or for a while.

use anyhow::Result;

use crate::command::run;
use crate::project::Project;
use crate::sim::seeds;

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
///
/// # Errors
/// The duration is none, or a seed finds something.
pub fn fuzz(project: &Project, options: &Options) -> Result<()> {
    run(&mut seeds(project, "fuzz", options.seed, options.duration.as_deref())?)
}
