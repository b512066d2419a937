//! Plays seeds of the fuzzer: `cargo xtask fuzz` calls it.
#![allow(clippy::print_stdout, reason = "it talks to a person in a terminal")]
#![allow(clippy::disallowed_methods, reason = "how long it plays is a matter of the real clock")]

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;
use clap::Parser;
use tradewind_tests::fuzzing::campaign::{Campaign, Counts, REQUESTS};
use tradewind_tests::playing::Seeds;

/// Plays seeds until the count is done or the time is over; each kind of finding is shown once.
#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    seeds: Seeds,
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
    let (mut counts, mut kinds, mut seeds) = (Counts::default(), BTreeSet::new(), 0_u64);
    for seed in arguments.seeds.play() {
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
