//! Plays seeds of the simulation: `cargo xtask sim` calls it.
#![allow(clippy::print_stdout, reason = "it talks to a person in a terminal")]
#![allow(clippy::disallowed_methods, reason = "how long it plays is a matter of the real clock")]

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use tradewind_tests::playing::Seeds;
use tradewind_tests::simulation::history::{Beginning, length};
use tradewind_tests::simulation::planted::Planted;
use tradewind_tests::simulation::player::Counts;

/// Plays seeds until one of them finds something, the count is done or the time is over.
#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    seeds: Seeds,
    /// Steps of each seed [default: 8, and for one seed in a hundred 100 to 300].
    #[arg(long)]
    steps: Option<usize>,
    /// With this planted fault.
    #[arg(long)]
    planted: Option<String>,
    /// Go on after a finding; each kind is shown once.
    #[arg(long)]
    all: bool,
}

fn main() -> ExitCode {
    // A panic of the product is a finding like any other.
    std::panic::set_hook(Box::new(|_| {}));
    let arguments = Arguments::parse();
    let planted = arguments.planted.as_deref().map(Planted::named);
    if planted == Some(None) {
        println!("planted faults: {:?}", Planted::ALL);
        return ExitCode::FAILURE;
    }
    let beginning = match Beginning::new() {
        Ok(beginning) => beginning,
        Err(finding) => {
            println!("the set-up: {finding}");
            return ExitCode::FAILURE;
        }
    };
    play(&arguments, planted.flatten(), &beginning)
}

fn play(arguments: &Arguments, planted: Option<Planted>, beginning: &Beginning) -> ExitCode {
    let begun = Instant::now();
    let (mut counts, mut seeds, mut kinds) = (Counts::default(), 0_u64, Vec::new());
    for seed in arguments.seeds.play() {
        let steps = arguments.steps.unwrap_or_else(|| length(seed));
        let ending = beginning.seed(seed, steps, planted);
        seeds += 1;
        counts.add(&ending.counts);
        let Some(finding) = &ending.finding else { continue };
        if kinds.contains(&finding.kind) {
            continue;
        }
        kinds.push(finding.kind.clone());
        if let Some(shortened) = beginning.shortened(&ending, planted) {
            println!("{shortened}");
        }
        if !arguments.all {
            break;
        }
    }
    let (steps, turns) = (counts.steps, counts.turns);
    println!(
        "{seeds} seeds, {steps} steps, {turns} turns in {:.1} s",
        begun.elapsed().as_secs_f64()
    );
    let (moments, pegged) = (counts.moments, counts.pegged_moments);
    println!("{moments} steps were looked at before rest, {pegged} times with nothing waiting");
    let (differences, compared) = (counts.differences, &counts.compared);
    println!("{differences} causes were alone; their cascades tell {compared:?}");
    let (ledgers, ledger) = (counts.ledgers, counts.ledger);
    println!("{ledgers} cascades were held against the ledger, with {ledger} changes");
    println!("{:16} {:>8} {:>8} {:>8}", "command", "granted", "refused", "no reply");
    for (kind, [granted, refused, unanswered]) in &counts.by_kind {
        println!("{kind:16} {granted:8} {refused:8} {unanswered:8}");
    }
    if kinds.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
