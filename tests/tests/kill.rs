//! Host and Redis killed at random instants under mixed load: no acknowledged write is missing,
//! nothing is done twice, what clients saw has an order, and the books agree with themselves.
//!
//! Here Redis is the host's own, which starts it again; `chaos.rs` does worse to one beside it.
//! `KILL_SEED` repeats a schedule, `KILL_ROUNDS` sets how many kills there are.

#![allow(clippy::disallowed_methods, reason = "tests wait and measure by the real clock")]

use std::sync::atomic::Ordering;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tradewind_tests::chance::Chance;
use tradewind_tests::crowd::{self, Outcome, Signals};
use tradewind_tests::history::logs::Caution;
use tradewind_tests::hosted::{Hosted, Victim};

/// Kills, unless `KILL_ROUNDS` says otherwise.
const ROUNDS: u64 = 30;

/// Milliseconds of load before a kill, at least and at most.
const LOAD_MILLIS: (u64, u64) = (300, 1_500);

/// Kills and starts again, round by round, while the clients work.
fn rounds(hosted: &mut Hosted, seed: u64, rounds: u64, signals: &Signals) -> Result<Caution> {
    let (mut chance, mut caution) = (Chance::new(seed), Caution::default());
    for round in 1..=rounds {
        let load = chance.between(LOAD_MILLIS.0, LOAD_MILLIS.1);
        let victim = *chance.one_of(&Victim::ALL);
        signals.next_contest(hosted)?;
        let going = signals.get_going()?.as_millis();
        sleep(Duration::from_millis(load));
        let (begun, from) = (Instant::now(), signals.now());
        hosted.kill(victim)?;
        signals.down.store(true, Ordering::SeqCst);
        hosted.restart().with_context(|| format!("round {round}: {victim:?}"))?;
        signals.down.store(false, Ordering::SeqCst);
        caution.connections_broken.push((from, signals.now()));
        let back = begun.elapsed().as_millis();
        eprintln!(
            "round {round}: answers after {going} ms, load for {load} ms, {victim:?} killed, \
             ready after {back} ms"
        );
        signals.get_going()?;
    }
    Ok(caution)
}

fn run(seed: u64) -> Result<Outcome> {
    let mut hosted = Hosted::start()?;
    let count = std::env::var("KILL_ROUNDS").ok().and_then(|text| text.parse().ok());
    let count = count.unwrap_or(ROUNDS);
    crowd::run(&mut hosted, seed, |hosted, signals| rounds(hosted, seed, count, signals))
}

#[test]
fn nothing_is_lost_or_done_twice_when_host_and_redis_are_killed() {
    let seed = Chance::seed("KILL_SEED");
    eprintln!("KILL_SEED={seed}");
    match run(seed) {
        Ok(outcome) => {
            eprintln!("{outcome}");
            let faults = outcome.faults;
            assert!(faults.is_empty(), "KILL_SEED={seed}: {} faults\n{}", faults.len(), {
                faults.join("\n")
            });
        }
        Err(fault) => panic!("KILL_SEED={seed}: {fault:#}"),
    }
}
