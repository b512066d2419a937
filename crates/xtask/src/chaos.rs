//! `cargo xtask chaos`: faults on the real thing, as many rounds as one likes.

use anyhow::Result;

use crate::command::{cargo, run};
use crate::packages::Install;
use crate::project::Project;
use crate::sim::seconds;
use crate::{build, redis, server};

/// What is played.
#[derive(clap::Args)]
pub struct Options {
    /// So many rounds [default: every fault once].
    #[arg(long, conflicts_with = "duration")]
    rounds: Option<u64>,
    /// Rounds for so long, such as 90s, 10m or 2h; the last campaign is finished and judged.
    #[arg(long = "for")]
    duration: Option<String>,
    /// The seed of the first campaign; with it the same schedule is played again.
    #[arg(long)]
    seed: Option<u64>,
    /// This fault alone; a wrong name lists them.
    #[arg(long)]
    only: Option<String>,
    /// Order lines of the cascade that is cut, a multiple of 500 [default: 10000].
    #[arg(long)]
    lines: Option<usize>,
}

/// Builds what ships, and plays the rounds in a process of its own: they are part of the tests.
pub fn chaos(project: &Project, install: Install, options: &Options) -> Result<()> {
    redis::ensure(install)?;
    build::build(project, install)?;
    server::build(project)?;
    let mut command =
        cargo(project.root(), ["run", "--package", "tradewind-tests", "--bin", "chaos", "--"]);
    if let Some(rounds) = options.rounds {
        command.args(["--rounds", &rounds.to_string()]);
    }
    if let Some(duration) = &options.duration {
        command.args(["--seconds", &seconds(duration)?.to_string()]);
    }
    if let Some(seed) = options.seed {
        command.args(["--seed", &seed.to_string()]);
    }
    if let Some(only) = &options.only {
        command.args(["--only", only]);
    }
    if let Some(lines) = options.lines {
        command.args(["--lines", &lines.to_string()]);
    }
    run(&mut command)
}
