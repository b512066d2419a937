//! Start: from the process to its first answer, with and without compiled code; memory when idle.

use std::time::Duration;

use anyhow::Result;
use serde::Serialize;
use xtask::project::DOMAINS;

use crate::private_redis::PrivateRedis;
use crate::process::resident_bytes;
use crate::product::{Place, Product, Start};
use crate::report::{Table, megabytes, say};
use crate::stand::token;

/// Starts from compiled code; the median counts.
const STARTS: usize = 5;

/// How long a host rests before its idle memory is read.
const REST: Duration = Duration::from_secs(2);

/// What the starts took.
#[derive(Debug, Clone, Serialize)]
pub struct Found {
    compiling_millis: f64,
    compiled_millis: Vec<f64>,
    idle_resident_bytes: u64,
    redis_resident_bytes: u64,
}

/// Starts a host without compiled code, then several times with it.
pub async fn run(place: &Place) -> Result<Found> {
    let redis = PrivateRedis::start(place.folder.path(), "everysec").await?;
    let token = token(place, "start", "viewer", "viewer")?;
    let compiled = place.compiled();
    if compiled.exists() {
        std::fs::remove_dir_all(&compiled)?;
    }
    let url = redis.url();
    let (domains, entry) = (&DOMAINS[..], "lean");
    let start = Start { domains, entry, redis: &url, compiled: &compiled, token: &token };
    say("start: without compiled code");
    let first = Product::start(place, &start).await?;
    let compiling_millis = first.first_answer.as_secs_f64() * 1000.0;
    drop(first);
    let mut compiled_millis = Vec::with_capacity(STARTS);
    let mut idle_resident_bytes = 0;
    for number in 1..=STARTS {
        say(&format!("start: from compiled code, {number} of {STARTS}"));
        let host = Product::start(place, &start).await?;
        compiled_millis.push(host.first_answer.as_secs_f64() * 1000.0);
        if number == STARTS {
            tokio::time::sleep(REST).await;
            idle_resident_bytes = resident_bytes(host.process())?;
        }
    }
    compiled_millis.sort_by(f64::total_cmp);
    let redis_resident_bytes = redis.resident_bytes()?;
    Ok(Found { compiling_millis, compiled_millis, idle_resident_bytes, redis_resident_bytes })
}

impl Found {
    /// The table for a person.
    pub fn table(&self) -> Table {
        let mut table = Table::new("Start and idle memory", &["what", "figure"]);
        let median = self.compiled_millis.get(STARTS / 2).copied().unwrap_or(0.0);
        let rows = [
            ("first answer, compiling six components", format!("{:.0} ms", self.compiling_millis)),
            ("first answer, from compiled code (median)", format!("{median:.0} ms")),
            ("idle host, resident", format!("{} MB", megabytes(self.idle_resident_bytes))),
            ("its empty Redis, resident", format!("{} MB", megabytes(self.redis_resident_bytes))),
        ];
        for (what, figure) in rows {
            table.row(&[what.to_owned(), figure]);
        }
        table
    }
}
