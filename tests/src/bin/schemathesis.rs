//! Lets Schemathesis loose on the real host: `cargo xtask fuzz --schemathesis` calls it.
#![allow(clippy::print_stdout, reason = "it talks to a person in a terminal")]

use anyhow::Result;
use clap::Parser;
use tradewind_tests::schemathesis::{Counts, Effort, play};

/// Sends requests from all documents; what it finds is shown with the request that shows it.
#[derive(Parser)]
struct Arguments {
    /// Random requests of each operation.
    #[arg(long)]
    examples: u32,
    /// What chance begins with.
    #[arg(long)]
    seed: u64,
}

fn main() -> Result<()> {
    let Arguments { examples, seed } = Arguments::parse();
    println!("seed {seed}");
    let Counts { operations, requests } = play(Effort { examples, seed: Some(seed) })?;
    println!("{operations} operations, {requests} requests, nothing found");
    Ok(())
}
