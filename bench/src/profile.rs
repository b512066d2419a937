//! Where the CPU goes: `perf` samples of host and Redis under load, by thread and by binary.
//!
//! Compiled components are mapped from their files, so that samples in guest code have those
//! files' names. Without `perf` this part is empty.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Result;
use serde::Serialize;

use crate::load::Until;
use crate::report::{Table, one, say};
use crate::stand::{Contender, Load, Stand};
use crate::stock::{Shape, Wanted};

/// Clients during the samples.
const CLIENTS: usize = 32;

/// Samples a second: odd, so that it does not beat with timers.
const FREQUENCY: &str = "997";

/// Symbols that are shown.
const SYMBOLS: usize = 14;

/// Shares of the samples of one contender.
#[derive(Debug, Clone, Serialize)]
pub struct Found {
    contender: Contender,
    /// Percent by side and kind of code.
    parts: BTreeMap<String, f64>,
    /// Percent by symbol, the largest first.
    symbols: Vec<(String, f64)>,
}

/// Samples the contenders that are hosts, and the native one beside them.
pub async fn run(stands: &mut [Stand], folder: &Path, length: Duration) -> Result<Vec<Found>> {
    let mut all = Vec::new();
    if Command::new("perf").arg("--version").output().is_err() {
        say("profile: there is no perf on PATH");
        return Ok(all);
    }
    for stand in stands {
        let Some(process) = stand.process() else { continue };
        say(&format!("profile: {}", stand.contender.name()));
        let file = folder.join("perf.data");
        let pids = format!("{process},{}", stand.redis.process());
        let mut perf = Command::new("perf")
            .args(["record", "--quiet", "-F", FREQUENCY, "-p", &pids, "-o"])
            .arg(&file)
            .args(["--", "sleep", &length.as_secs_f64().to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let load = Load { wanted: Wanted::Reservation, shape: Shape::Hot, clients: CLIENTS };
        stand.load(load, Until::Elapsed(length)).await?;
        let sampled = perf.wait()?.success();
        stand.settle().await.ok();
        if sampled {
            let parts = parts(&report(&file, "comm,dso")?);
            let symbols = report(&file, "dso,symbol")?;
            let symbols = symbols.into_iter().take(SYMBOLS).collect();
            all.push(Found { contender: stand.contender, parts, symbols });
        }
    }
    Ok(all)
}

/// Lines of a report: what, and percent of all samples.
fn report(file: &Path, sort: &str) -> Result<Vec<(String, f64)>> {
    let output = Command::new("perf")
        .args(["report", "--stdio", "--quiet", "--sort", sort, "--field-separator", ";", "-i"])
        .arg(file)
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = |line: &str| {
        let (percent, what) = line.trim().split_once(';')?;
        let percent = percent.trim().trim_end_matches('%').parse().ok()?;
        // perf ends a line with empty columns, shown as dashes.
        let words: Vec<&str> =
            what.trim_end_matches([' ', '-']).split(';').map(str::trim).collect();
        Some((words.join("  "), percent))
    };
    Ok(text.lines().filter_map(line).collect())
}

/// Folds threads and binaries into the parts that a reader asks for.
fn parts(lines: &[(String, f64)]) -> BTreeMap<String, f64> {
    let mut parts = BTreeMap::new();
    for (what, percent) in lines {
        let side =
            if what.contains("redis") || what.contains("valkey") { "Redis" } else { "server" };
        let kind = if what.contains("[kernel") {
            "kernel"
        } else if what.contains("tradewind-host") || what.contains("tradewind-bench") {
            "own native code"
        } else if what.contains("redis-server") || what.contains("valkey-server") {
            "Redis and Lua"
        } else if what.contains(".so") || what.contains("[vdso]") {
            "system libraries"
        } else {
            "components (guest code)"
        };
        *parts.entry(format!("{side}: {kind}")).or_insert(0.0) += percent;
    }
    parts
}

impl Found {
    /// The tables for a person.
    pub fn tables(&self) -> Vec<Table> {
        let name = self.contender.name();
        let title = format!("Profile of {name}: hot item, {CLIENTS} clients");
        let mut parts = Table::new(&title, &["part", "% of CPU samples"]);
        for (part, percent) in &self.parts {
            parts.row(&[part.clone(), one(*percent)]);
        }
        let title = format!("Profile of {name}: the largest symbols");
        let mut symbols = Table::new(&title, &["binary and symbol", "%"]);
        for (symbol, percent) in &self.symbols {
            symbols.row(&[symbol.replace('|', "/"), one(*percent)]);
        }
        vec![parts, symbols]
    }
}
