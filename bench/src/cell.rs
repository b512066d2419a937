//! A cell of a table: what one contender did under one load, by the request.

use serde::Serialize;

use crate::report::two;
use crate::stand::{Contender, Load, Measured};

/// Heads of the columns that [`Cell::shown`] fills.
pub const HEADS: [&str; 10] = [
    "clients",
    "contender",
    "requests/s",
    "p50 ms",
    "p99 ms",
    "failed",
    "CPU-µs serving",
    "CPU-µs Redis",
    "scripts",
    "script-µs",
];

/// A cell as it is kept; microseconds and calls are for each granted request.
#[derive(Debug, Clone, Serialize)]
pub struct Cell {
    /// The load's shape.
    pub shape: &'static str,
    /// Clients at once.
    pub clients: usize,
    /// Who was loaded.
    pub contender: Contender,
    granted: u64,
    failed: u64,
    /// Granted requests a second.
    pub per_second: f64,
    p50_millis: f64,
    p99_millis: f64,
    serving_micros: f64,
    redis_micros: f64,
    script_micros: f64,
    script_calls: f64,
}

impl Cell {
    /// What a contender did under this load.
    pub fn of(contender: Contender, load: Load, measured: &Measured) -> Self {
        let outcome = &measured.outcome;
        Self {
            shape: load.shape.name(),
            clients: load.clients,
            contender,
            granted: outcome.granted,
            failed: outcome.failed,
            per_second: outcome.per_second(),
            p50_millis: outcome.percentile(0.5),
            p99_millis: outcome.percentile(0.99),
            serving_micros: outcome.each(measured.serving_micros),
            redis_micros: outcome.each(measured.redis_micros),
            script_micros: outcome.each(measured.work.script_micros),
            script_calls: outcome.each(measured.work.calls),
        }
    }

    /// CPU microseconds of the serving process and of Redis.
    pub fn cpu(&self) -> f64 {
        self.serving_micros + self.redis_micros
    }

    /// The columns of [`HEADS`].
    pub fn shown(&self) -> Vec<String> {
        vec![
            self.clients.to_string(),
            self.contender.name().to_owned(),
            format!("{:.0}", self.per_second),
            two(self.p50_millis),
            two(self.p99_millis),
            self.failed.to_string(),
            format!("{:.0}", self.serving_micros),
            format!("{:.0}", self.redis_micros),
            format!("{:.1}", self.script_calls),
            format!("{:.0}", self.script_micros),
        ]
    }
}
