//! A thousand seeds of the simulation hold; each planted fault is found; a seed is one history.

#![allow(clippy::unwrap_used, reason = "a test that cannot read what it holds has failed")]

use std::collections::BTreeSet;
use std::sync::Mutex;

use tradewind_tests::simulation::command::{Command, Reserve};
use tradewind_tests::simulation::history::{Beginning, STEPS, length};
use tradewind_tests::simulation::planted::Planted;
use tradewind_tests::simulation::player::Counts;
use tradewind_tests::simulation::step::Step;

/// Seeds of every test run; `cargo xtask sim --for 10m` plays others.
const SEEDS: u64 = 1_000;

/// Interleavings of one race that are tried.
const RACES: u64 = 40;

/// Threads: what CI has, and each seed is its own.
const THREADS: u64 = 2;

/// They hold, they look at what they are to look at, and they send what the document says.
#[test]
fn a_thousand_seeds_hold() {
    let (found, counts) = (Mutex::new(Vec::new()), Mutex::new(Counts::default()));
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (found, counts) = (&found, &counts);
            scope.spawn(move || {
                let beginning = Beginning::new().unwrap_or_else(|finding| panic!("{finding}"));
                counts.lock().unwrap().add(beginning.counts());
                for seed in (1..=SEEDS).filter(|seed| seed % THREADS == thread) {
                    let ending = beginning.seed(seed, length(seed), None);
                    counts.lock().unwrap().add(&ending.counts);
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
    let counts = counts.into_inner().unwrap();
    let parts: Vec<&str> = counts.compared.keys().copied().collect();
    let all = ["allocations", "cash", "promises", "promotions", "protections", "suppliers"];
    assert_eq!(parts, all);
    assert!(counts.compared.values().all(|count| *count > 0), "{:?}", counts.compared);
    assert!(counts.moments > 0 && counts.pegged_moments > 0 && counts.ledger > 0);
    let never = never_sent(&counts.sent);
    let said = document();
    let said: BTreeSet<&str> = said
        .lines()
        .filter(|line| line.starts_with("| `GET ") || line.starts_with("| `POST "))
        .flat_map(quoted)
        .collect();
    assert_eq!(never.iter().map(String::as_str).collect::<BTreeSet<_>>(), said);
}

/// The operations of the published documents that nothing was sent to.
fn never_sent(sent: &BTreeSet<String>) -> BTreeSet<String> {
    let project = xtask::project::Project::here().unwrap();
    let mut never = BTreeSet::new();
    for domain in tradewind_kernel::event::Domain::ALL {
        let file = project.root().join(format!("components/{domain}/openapi.json"));
        let text = std::fs::read_to_string(file).unwrap();
        let document: serde_json::Value = serde_json::from_str(&text).unwrap();
        for (path, methods) in document["paths"].as_object().unwrap() {
            for method in methods.as_object().unwrap().keys() {
                let operation = format!("{} {path}", method.to_uppercase());
                if !sent.iter().any(|sent| is_one(sent, &operation)) {
                    never.insert(operation);
                }
            }
        }
    }
    never
}

/// Whether a method and a path are of an operation.
fn is_one(sent: &str, operation: &str) -> bool {
    let (sent, operation): (Vec<_>, Vec<_>) =
        (sent.split('/').collect(), operation.split('/').collect());
    sent.len() == operation.len()
        && sent.iter().zip(operation).all(|(one, other)| *one == other || other.starts_with('{'))
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

/// The tables of the document.
fn document() -> String {
    let docs = xtask::project::Project::here().unwrap().root().join("docs/simulation.md");
    std::fs::read_to_string(docs).unwrap()
}

/// The words in backticks.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// The document's table says what finds each bug, and within how many seeds.
#[test]
fn every_planted_fault_is_found_as_the_document_says() {
    let document = document();
    let beginning = Beginning::new().unwrap_or_else(|finding| panic!("{finding}"));
    let mut unseen = Vec::new();
    for planted in Planted::ALL {
        let name = format!("| `{planted:?}` |");
        let row = document.lines().find_map(|line| line.strip_prefix(&name)).expect(&name);
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let (kinds, within) = (quoted(cells[1]), cells[2].parse().expect(row));
        let mut found = Vec::new();
        let seen = (1..=within).any(|seed| {
            let finding = beginning.seed(seed, STEPS, Some(planted)).finding;
            found.extend(finding.map(|finding| (seed, finding.kind)));
            found.last().is_some_and(|(_, kind)| kinds.contains(&kind.as_str()))
        });
        eprintln!("{planted:?}: {found:?}");
        if !seen {
            unseen.push((planted, found));
        }
    }
    assert!(unseen.is_empty(), "not found as said: {unseen:?}");
}

/// What is printed of a failing seed is shorter than the seed, fails in the same way, and the
/// command that is printed plays it again.
#[test]
fn a_failing_seed_is_shortened_and_replayed() {
    let beginning = Beginning::new().unwrap_or_else(|finding| panic!("{finding}"));
    let planted = Some(Planted::LostGuard);
    let ending = (1..=SEEDS)
        .map(|seed| beginning.seed(seed, STEPS, planted))
        .find(|ending| ending.finding.is_some())
        .unwrap();
    let shortened = beginning.shortened(&ending, planted).unwrap();
    let commands = |steps: &[Step]| steps.iter().map(|step| step.commands.len()).sum::<usize>();
    assert!(commands(&shortened.steps) < commands(&ending.steps), "{shortened}");
    assert!(shortened.steps.len() <= ending.steps.len(), "{shortened}");
    let kind = &ending.finding.as_ref().unwrap().kind;
    let again = beginning.again(&shortened.steps, planted).unwrap();
    assert_eq!((&shortened.finding.kind, &again), (kind, &shortened.finding));

    let words: Vec<&str> = shortened.replay.split(' ').collect();
    let ["cargo", "xtask", "sim", seed, "--planted", fault] = words.as_slice() else {
        panic!("{}", shortened.replay)
    };
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_simulate"))
        .args(["--from", seed, "--count", "1", "--planted", fault])
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success() && printed.starts_with(&shortened.to_string()), "{printed}");
}
