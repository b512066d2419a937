//! Plays seeds of the fuzzer: `cargo xtask fuzz` calls it.
#![allow(clippy::print_stdout, reason = "it talks to a person in a terminal")]
#![allow(clippy::disallowed_methods, reason = "how long it plays is a matter of the real clock")]

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::Parser;
use tradewind_tests::fuzzing::campaign::{Campaign, Counts, REQUESTS};

/// Plays seeds until the count is done or the time is over; each kind of finding is shown once.
#[derive(Parser)]
struct Arguments {
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// So many seeds.
    #[arg(long, default_value_t = u64::MAX)]
    count: u64,
    /// Only for so many seconds.
    #[arg(long)]
    seconds: Option<u64>,
    /// Requests of each seed.
    #[arg(long, default_value_t = REQUESTS)]
    requests: u64,
}

fn main() -> Result<ExitCode> {
    // A panic of the product is a finding like any other.
    std::panic::set_hook(Box::new(|panic| println!("{panic}")));
    let arguments = Arguments::parse();
    let campaign = Campaign::new()?;
    let begun = Instant::now();
    let limit = arguments.seconds.map(Duration::from_secs);
    let (mut counts, mut kinds, mut seeds) = (Counts::default(), BTreeSet::new(), 0_u64);
    for seed in arguments.from..=arguments.from.saturating_add(arguments.count.saturating_sub(1)) {
        if limit.is_some_and(|limit| begun.elapsed() >= limit) {
            break;
        }
        let (played, findings) = campaign.seed(seed, arguments.requests);
        seeds += 1;
        counts.add(&played);
        for finding in findings {
            let first: String =
                finding.what.iter().flat_map(|what| what.chars().take(40)).collect();
            if kinds.insert((finding.operation.clone(), first)) {
                println!("{finding}\n");
            }
        }
    }
    let Counts { requests, lawful, granted, statuses } = &counts;
    let took = begun.elapsed().as_secs_f64();
    println!("{seeds} seeds, {requests} requests, {lawful} of them lawful, in {took:.1} s");
    println!("by status: {statuses:?}");
    let operations = campaign.operations();
    println!("{} of {} operations granted something", granted.len(), operations.len());
    for operation in &operations {
        let name = format!("{} {}", operation.method, operation.path);
        if !granted.contains_key(&name) {
            println!("  never: {name}");
        }
    }
    Ok(if kinds.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
