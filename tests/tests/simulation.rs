//! A thousand seeds of the simulation hold; each planted fault is found; a seed is one history.

use std::sync::Mutex;

use tradewind_tests::simulation::command::{Command, Reserve};
use tradewind_tests::simulation::history::{Beginning, STEPS};
use tradewind_tests::simulation::planted::Planted;
use tradewind_tests::simulation::step::Step;

/// Seeds of every test run; `cargo xtask sim --for 10m` plays others.
const SEEDS: u64 = 1_000;

/// Interleavings of one race that are tried.
const RACES: u64 = 40;

/// Threads: what CI has, and each seed is its own.
const THREADS: u64 = 2;

#[test]
fn a_thousand_seeds_hold() {
    let found = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let found = &found;
            scope.spawn(move || {
                let beginning = Beginning::new().unwrap_or_else(|finding| panic!("{finding}"));
                for seed in (1..=SEEDS).filter(|seed| seed % THREADS == thread) {
                    let ending = beginning.seed(seed, STEPS, None);
                    if let Some(shortened) = beginning.shortened(&ending, None) {
                        found.lock().unwrap().push(shortened.to_string());
                        return;
                    }
                }
            });
        }
    });
    let found = found.into_inner().unwrap();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// An item's first protection counts on stock as it is when it is committed, also at a node that
/// never had the item, or a claim on it (found by the simulation).
#[test]
fn a_first_protection_meets_what_moves() {
    let beginning = Beginning::new().unwrap_or_else(|finding| panic!("{finding}"));
    let spot = |node: &str, status: &str| format!("{node}/{status}");
    let sku = || "X".to_owned();
    let moves = |from, to, quantity| Command::Move { sku: sku(), quantity, from, to };
    let claims = Command::Reserve(Reserve {
        channel: "a".to_owned(),
        order: None,
        partial: false,
        lines: vec![(sku(), 9)],
        expires: None,
        strategy: "most-stock",
    });
    let rivals = [
        ("b", 13, moves(spot("N2", "sellable"), spot("N2", "damaged"), 8)),
        ("c", 30, moves("supplier".to_owned(), spot("N4", "sellable"), 9)),
        ("b", 13, claims),
    ];
    for (channel, quantity, rival) in rivals {
        for seed in 0..RACES {
            let (id, channel) = ("P".to_owned(), channel.to_owned());
            let protect = Command::Protect { id, sku: sku(), channel, quantity, from: 0, until: 6 };
            let commands = vec![(100, 0, rival.clone()), (101, 1, protect)];
            let step = Step { commands, settle: true, ..Step::quiet(seed) };
            assert_eq!(beginning.again(&[step], None), None, "seed {seed}");
        }
    }
}

#[test]
fn a_seed_is_one_history() {
    let beginning = Beginning::new().unwrap_or_else(|finding| panic!("{finding}"));
    for seed in [3, 17, 2026] {
        let [one, other] = [(); 2].map(|()| beginning.seed(seed, STEPS, None));
        assert_eq!(one.steps, other.steps, "seed {seed}");
        assert!(one.contents == other.contents, "seed {seed} left two stores");
    }
}

#[test]
fn every_planted_fault_is_found() {
    let beginning = Beginning::new().unwrap_or_else(|finding| panic!("{finding}"));
    let mut unseen = Vec::new();
    for planted in Planted::ALL {
        let found = (1..=SEEDS).find_map(|seed| {
            let ending = beginning.seed(seed, STEPS, Some(planted));
            ending.finding.map(|finding| (seed, finding))
        });
        match found {
            Some((seed, finding)) => eprintln!("{planted:?}: seed {seed}, {}", finding.kind),
            None => unseen.push(planted),
        }
    }
    assert!(unseen.is_empty(), "not found within {SEEDS} seeds: {unseen:?}");
}
