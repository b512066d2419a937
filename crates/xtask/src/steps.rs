//! The steps of a long task: how long each took, and which failed.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::command::say;

/// Steps that were taken, in order.
#[derive(Debug, Default)]
pub struct Steps {
    taken: Vec<Step>,
}

#[derive(Debug)]
struct Step {
    name: &'static str,
    took: Duration,
    failed: bool,
}

impl Steps {
    /// Takes a step without which the next ones make no sense.
    pub fn need<T>(&mut self, name: &'static str, step: impl FnOnce() -> Result<T>) -> Result<T> {
        let begun = Instant::now();
        let result = step();
        self.taken.push(Step { name, took: begun.elapsed(), failed: result.is_err() });
        result
    }

    /// Takes a step whose failure is told, kept, and does not stop the next ones.
    pub fn check<T>(&mut self, name: &'static str, step: impl FnOnce() -> Result<T>) {
        if let Err(error) = self.need(name, step) {
            say(&format!("{name}: {error:#}"));
        }
    }

    /// Says how long each step took.
    pub fn tell(&self) {
        for line in self.lines() {
            say(&line);
        }
    }

    fn lines(&self) -> Vec<String> {
        let total: Duration = self.taken.iter().map(|step| step.took).sum();
        let seconds = |took: Duration| format!("{:>7.1} s", took.as_secs_f64());
        let mut lines: Vec<String> = self
            .taken
            .iter()
            .map(|step| {
                let failed = if step.failed { "  FAILED" } else { "" };
                format!("{}  {}{failed}", seconds(step.took), step.name)
            })
            .collect();
        lines.push(format!("{}  in all", seconds(total)));
        lines
    }

    /// An error that names the steps that failed, if any did.
    pub fn verdict(&self) -> Result<()> {
        let failed: Vec<&str> =
            self.taken.iter().filter(|step| step.failed).map(|step| step.name).collect();
        if !failed.is_empty() {
            bail!("failed: {}", failed.join(", "));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_check_is_told_at_the_end_and_stops_nothing() {
        let mut steps = Steps::default();
        steps.check("lints", || -> Result<()> { bail!("a lint") });
        steps.check("tests", || Ok(()));
        assert!(steps.need("host", || Ok(7)).is_ok_and(|value| value == 7));
        let lines = steps.lines();
        let ends = ["  lints  FAILED", "  tests", "  host", "  in all"];
        assert_eq!(lines.len(), ends.len());
        assert!(lines.iter().zip(ends).all(|(line, end)| line.ends_with(end)), "{lines:?}");
        let verdict = steps.verdict().map_err(|error| error.to_string());
        assert_eq!(verdict, Err("failed: lints".to_owned()));
        assert!(Steps::default().verdict().is_ok());
    }
}
