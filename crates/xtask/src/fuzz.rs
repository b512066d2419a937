//! `cargo xtask fuzz`: requests made from the published documents, one seed again or for a while.

use anyhow::Result;

use crate::command::{cargo, run};
use crate::packages::Install;
use crate::project::Project;
use crate::sim::{fresh_seed, seeds};
use crate::{build, clients, redis, server};

/// What is sent.
#[derive(clap::Args)]
pub struct Options {
    /// This seed alone.
    seed: Option<u64>,
    /// New seeds for so long, such as 90s, 10m or 2h [default: 1m].
    #[arg(long = "for", conflicts_with_all = ["seed", "schemathesis"])]
    duration: Option<String>,
    /// Have Schemathesis send so many random requests of each operation to the real host instead.
    #[arg(long, value_name = "REQUESTS")]
    schemathesis: Option<u32>,
}

/// Plays the seeds in a process of its own: the fuzzers are part of the tests.
///
/// # Errors
/// The duration is none, or something is found.
pub fn fuzz(project: &Project, install: Install, options: &Options) -> Result<()> {
    let Some(examples) = options.schemathesis else {
        return run(&mut seeds(project, "fuzz", options.seed, options.duration.as_deref())?);
    };
    redis::ensure(install)?;
    clients::ensure_schemathesis(project, install)?;
    build::build(project, install)?;
    server::build(project)?;
    let seed = options.seed.map_or_else(fresh_seed, Ok)?;
    let mut command =
        cargo(project.root(), ["run", "--package", "tradewind-tests", "--bin", "schemathesis"]);
    command.args(["--", "--examples", &examples.to_string(), "--seed", &seed.to_string()]);
    run(&mut command)
}
