//! Plays campaigns of faults on the real thing: `cargo xtask chaos` calls it.
#![allow(clippy::print_stdout, reason = "it talks to a person in a terminal")]
#![allow(clippy::disallowed_methods, reason = "how long it plays is a matter of the real clock")]

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use tradewind_tests::chance::Chance;
use tradewind_tests::chaos::fault::Fault;
use tradewind_tests::chaos::{CASCADE_LINES, Plan, Report};

/// Rounds of one campaign: more would make its books long to check, fewer its set-up weigh more.
const CAMPAIGN: usize = 50;

/// Plays campaigns until the rounds are done, the time is over or something is found.
#[derive(Parser)]
struct Arguments {
    /// So many rounds; without them and without a time, every fault once, with a replica.
    #[arg(long)]
    rounds: Option<usize>,
    /// For so many seconds.
    #[arg(long)]
    seconds: Option<u64>,
    /// The first campaign's seed; each later one has the next.
    #[arg(long)]
    seed: Option<u64>,
    /// This fault alone.
    #[arg(long)]
    only: Option<String>,
    /// Order lines of the cascade that is cut: a multiple of 500.
    #[arg(long, default_value_t = CASCADE_LINES)]
    lines: usize,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let only = arguments.only.as_deref().map(Fault::named);
    if only == Some(None) {
        println!("faults: {:?}", Fault::ALL);
        return ExitCode::FAILURE;
    }
    let only = only.flatten();
    if arguments.lines == 0 || arguments.lines % 500 != 0 {
        println!("--lines is a multiple of 500");
        return ExitCode::FAILURE;
    }
    let begun = Instant::now();
    let mut seed = arguments.seed.unwrap_or_else(|| Chance::seed("CHAOS_SEED"));
    let mut left = match (arguments.rounds, arguments.seconds) {
        (Some(rounds), _) => rounds,
        (None, Some(_)) => usize::MAX,
        (None, None) => 0,
    };
    let limit = arguments.seconds.map(Duration::from_secs);
    let mut report = Report::default();
    loop {
        let mut plan = match left {
            0 if only.is_some() => Plan::new(seed, 1, only),
            0 => Plan::each_once(seed, true),
            _ => Plan::new(seed, left.min(CAMPAIGN), only),
        };
        plan.lines = arguments.lines;
        let alone = only.map_or(String::new(), |fault| format!(" --only {fault:?}"));
        let rounds = plan.faults.len();
        let again = format!("--seed {} --rounds {rounds} --lines {}{alone}", plan.seed, plan.lines);
        println!(
            "{again}: {} a replica, from {:?}",
            if plan.replicated { "with" } else { "without" },
            begun.elapsed()
        );
        if let Err(error) = plan.play(&mut report) {
            println!("{}\n{again}: {error:#}", report.table());
            return ExitCode::FAILURE;
        }
        if !report.outcome.faults.is_empty() {
            println!("{}\n{again}:\n{}", report.table(), report.outcome.faults.join("\n"));
            return ExitCode::FAILURE;
        }
        left = left.saturating_sub(plan.faults.len());
        seed = plan.seed.wrapping_add(1);
        if left == 0 || limit.is_some_and(|limit| begun.elapsed() >= limit) {
            break;
        }
    }
    println!("{}", report.table());
    ExitCode::SUCCESS
}
