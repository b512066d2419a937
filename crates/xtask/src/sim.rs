//! `cargo xtask sim`: any number of seeds of the simulation, one seed again, or seeds for a while.

use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};

use crate::command::{cargo, run};
use crate::project::Project;

/// What is played.
#[derive(clap::Args)]
pub struct Options {
    /// This seed alone; what it finds is shown with a shortened history.
    seed: Option<u64>,
    /// New seeds for so long, such as 90s, 10m or 2h [default: 1m].
    #[arg(long = "for", conflicts_with = "seed")]
    duration: Option<String>,
    /// Steps of each seed, other than in the tests.
    #[arg(long)]
    steps: Option<usize>,
    /// With a planted fault, to see it found; a wrong name lists them.
    #[arg(long)]
    planted: Option<String>,
}

/// Plays the seeds in a process of its own: the simulation is part of the tests.
pub fn sim(project: &Project, options: &Options) -> Result<()> {
    let mut command = seeds(project, "simulate", options.seed, options.duration.as_deref())?;
    if let Some(steps) = options.steps {
        command.args(["--steps", &steps.to_string()]);
    }
    if let Some(planted) = &options.planted {
        command.args(["--planted", planted]);
    }
    run(&mut command)
}

/// A program of the tests that plays one seed, or new ones for a while: a minute unless said.
pub(crate) fn seeds(
    project: &Project,
    program: &str,
    seed: Option<u64>,
    duration: Option<&str>,
) -> Result<Command> {
    let mut command =
        cargo(project.root(), ["run", "--package", "tradewind-tests", "--bin", program, "--"]);
    match seed {
        Some(seed) => command.args(["--from", &seed.to_string(), "--count", "1"]),
        None => {
            let seconds = seconds(duration.unwrap_or("1m"))?;
            let from = fresh_seed()?;
            command.args(["--from", &from.to_string(), "--seconds", &seconds.to_string()])
        }
    };
    Ok(command)
}

/// A seed that nobody has chosen.
#[allow(clippy::disallowed_methods, reason = "it comes from the clock")]
pub(crate) fn fresh_seed() -> Result<u64> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    Ok(now.wrapping_mul(1_000_003))
}

/// The seconds of `90s`, `10m` or `2h`.
pub(crate) fn seconds(text: &str) -> Result<u64> {
    let units = [("s", 1), ("m", 60), ("h", 3600)];
    for (unit, times) in units {
        if let Some(number) = text.strip_suffix(unit) {
            let number: u64 =
                number.parse().with_context(|| format!("`{text}` is no length of time"))?;
            return number.checked_mul(times).context("that is too long");
        }
    }
    bail!("`{text}` is no length of time: say 90s, 10m or 2h")
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn lengths_of_time_have_a_unit() {
        assert_eq!(seconds("90s").unwrap(), 90);
        assert_eq!(seconds("10m").unwrap(), 600);
        assert_eq!(seconds("2h").unwrap(), 7200);
        for wrong in ["", "10", "m", "1.5h", "-1s", "99999999999999999999s"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
