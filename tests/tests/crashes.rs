//! The main job with something failing in the middle of it: the same cascade, each effect once.
//!
//! In memory, every call to the store that the cascade makes fails once before and once after it
//! took effect; on the host, the process is killed right after the confirmation was answered. What
//! must come out is what `main_job.md` says, figure by figure, and the events of the undisturbed
//! run.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;
use tradewind_kernel::event::Domain;
use tradewind_shell::memory::{Call, Fate};
use tradewind_tests::chance::Chance;
use tradewind_tests::driver::{Driver, Sender, Sent};
use tradewind_tests::hosted::{Hosted, Victim};
use tradewind_tests::native::Native;
use tradewind_tests::story::{Telling, part};

const TENANT: &str = "main-job";

/// Longer than a lease of the shell: whoever held one when it crashed holds it no more.
const AFTER_LEASE_MILLIS: u64 = 10_000;

/// Runs with several failures each, in memory.
const RANDOM_RUNS: u64 = 40;

/// Of so many reads one fails.
const READS_BETWEEN: u64 = 32;

/// Kills of the host: each delays the order and then undoes it.
const HOST_ROUNDS: u64 = 6;

/// The parts of the main job's story.
struct Story {
    before: String,
    cause: String,
    cascade: String,
    mirror_cause: String,
    mirror: String,
}

fn main_job() -> Story {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/main_job.md");
    let text = std::fs::read_to_string(file).unwrap();
    let cut = |from, to| part(&text, from, to).unwrap().to_owned();
    let whole_mirror = cut("## The mirror", None);
    let until = whole_mirror.find("```until").unwrap();
    let (mirror_cause, mirror) = whole_mirror.split_at(until);
    Story {
        before: cut("# ", Some("## The cause")),
        cause: cut("## The cause", Some("## The cascade")),
        cascade: cut("## The cascade", Some("## The mirror")),
        mirror_cause: mirror_cause.to_owned(),
        mirror: mirror.to_owned(),
    }
}

/// The product just before the cause, and the story so far.
fn before(story: &Story) -> (Native, Telling) {
    let mut native = Native::default();
    let mut telling = Telling::new(TENANT);
    telling.play(&mut native, &story.before).unwrap();
    (native, telling)
}

fn get(driver: &mut dyn Driver, path: &str) -> Value {
    let role = "admin".to_owned();
    let sender = Sender { tenant: TENANT.to_owned(), subject: role.clone(), role, bound: None };
    let (method, path) = ("GET".to_owned(), path.to_owned());
    let sent = Sent { method, path, headers: Vec::new(), body: None };
    let got = driver.send(&sender, &sent).unwrap();
    assert_eq!(got.status, 200, "{}: {}", sent.path, got.body);
    got.body
}

/// How often each thing was told under the last correlation: by domain, type and subject.
type Told = BTreeMap<(String, String, String), usize>;

fn told(driver: &mut dyn Driver, telling: &Telling) -> Told {
    let correlation = &telling.names["Correlation-Id"];
    let mut told = Told::new();
    for domain in Domain::ALL {
        let mut after = String::new();
        loop {
            let path = format!("/{domain}/v1/events?limit=500&after={after}");
            let page = get(driver, &path);
            for event in page["items"].as_array().unwrap() {
                if event["correlationid"] == *correlation {
                    let text = |field: &str| event[field].as_str().unwrap_or("").to_owned();
                    let key = (domain.to_string(), text("type"), text("subject"));
                    *told.entry(key).or_default() += 1;
                }
            }
            let Some(next) = page["next"].as_str() else { break };
            next.clone_into(&mut after);
        }
        let parked = get(driver, &format!("/{domain}/v1/parked"));
        assert_eq!(parked["items"], Value::Array(Vec::new()), "{domain} parked something");
    }
    told
}

/// Heals, lets leases run out, and lets whoever got no answer ask again: then nothing must show
/// that anything failed. Gives back the story up to the cascade.
fn ends_well(
    native: &mut Native,
    telling: &Telling,
    story: &Story,
    expected: &Told,
    what: &str,
) -> Telling {
    native.store().heal();
    native.store().advance(AFTER_LEASE_MILLIS);
    native.settle().unwrap();
    let mut telling = telling.clone();
    for part in [&story.cause, &story.cascade] {
        if let Err(fault) = telling.play(native, part) {
            panic!("{what}: {fault:#}");
        }
    }
    assert_eq!(told(native, &telling), *expected, "{what}");
    telling
}

/// What is told when nothing fails, and the calls to the store that it takes.
fn undisturbed(native: &Native, telling: &Telling, story: &Story) -> (Told, Vec<Call>) {
    let mut native = native.fork();
    let mut telling = telling.clone();
    let calls = Arc::new(Mutex::new(Vec::new()));
    let noted = calls.clone();
    native.store().set_faults(move |_, call| {
        noted.lock().unwrap().push(call);
        Fate::Works
    });
    telling.play(&mut native, &story.cause).unwrap();
    native.store().heal();
    telling.play(&mut native, &story.cascade).unwrap();
    let calls = calls.lock().unwrap().clone();
    (told(&mut native, &telling), calls)
}

/// Every failure that is tried: of calls that change something all, before and after their effect;
/// of calls that only read some, since many a read is the same read again.
fn failures(calls: &[Call]) -> Vec<(u64, Fate)> {
    let mut found = Vec::new();
    let mut reads = 0;
    for (number, call) in (1..).zip(calls) {
        if matches!(call, Call::Read | Call::Cut | Call::Tenants | Call::Ping) {
            reads += 1;
            if reads % READS_BETWEEN == 0 {
                found.push((number, Fate::FailsBefore));
            }
        } else {
            found.extend([(number, Fate::FailsBefore), (number, Fate::FailsAfter)]);
        }
    }
    found
}

#[test]
fn a_failure_at_any_call_of_the_store_changes_nothing() {
    let story = main_job();
    let (native, telling) = before(&story);
    let (expected, calls) = undisturbed(&native, &telling, &story);
    let failures = failures(&calls);
    assert!(failures.len() > 20, "the cascade makes only {} calls", calls.len());
    eprintln!("{} failures in {} calls", failures.len(), calls.len());
    let (moment, telling, story, expected) = (&native.moment(), &telling, &story, &expected);
    let calls = calls.len();
    std::thread::scope(|scope| {
        for half in failures.chunks(failures.len().div_ceil(2)) {
            scope.spawn(move || {
                for (number, fate) in half {
                    let mut native = moment.begin();
                    native.store().fail_nth(*number, *fate);
                    drop(telling.clone().play(&mut native, &story.cause));
                    let what = format!("call {number} of {calls}, {fate:?}");
                    ends_well(&mut native, telling, story, expected, &what);
                }
            });
        }
    });
}

#[test]
fn failures_at_random_calls_change_nothing() {
    let seed = Chance::seed("CRASH_SEED");
    eprintln!("CRASH_SEED={seed}");
    let story = main_job();
    let (native, telling) = before(&story);
    let (expected, _) = undisturbed(&native, &telling, &story);
    for run in 0..RANDOM_RUNS {
        let mut chance = Chance::new(seed.wrapping_add(run));
        let mut native = native.fork();
        let one_in = chance.between(4, 40);
        native.store().set_faults(move |_, _| match chance.below(one_in * 2) {
            0 => Fate::FailsBefore,
            1 => Fate::FailsAfter,
            _ => Fate::Works,
        });
        drop(telling.clone().play(&mut native, &story.cause));
        for _ in 0..3 {
            native.store().advance(AFTER_LEASE_MILLIS);
            drop(native.settle());
        }
        let what = format!("CRASH_SEED={seed}, run {run}");
        let mut after = ends_well(&mut native, &telling, &story, &expected, &what);
        for part in [&story.mirror_cause, &story.mirror] {
            if let Err(fault) = after.play(&mut native, part) {
                panic!("{what}: {fault:#}");
            }
        }
    }
}

#[test]
fn a_host_killed_after_the_answer_ends_in_the_same_cascade() {
    let seed = Chance::seed("CRASH_SEED");
    eprintln!("CRASH_SEED={seed}");
    let mut chance = Chance::new(seed);
    let story = main_job();
    let mut hosted = Hosted::start().unwrap();
    let mut telling = Telling::new(TENANT);
    telling.play(&mut hosted, &story.before).unwrap();
    let mut expected = None;
    for round in 0..HOST_ROUNDS {
        for (cause, effect) in
            [(&story.cause, &story.cascade), (&story.mirror_cause, &story.mirror)]
        {
            telling.play(&mut hosted, cause).unwrap();
            // The first time through nothing is killed: that is what the others are held against.
            if round > 0 {
                let delay = chance.below(300);
                let victim = *chance.one_of(&Victim::ALL);
                sleep(Duration::from_millis(delay));
                hosted.kill(victim).unwrap();
                hosted.restart().unwrap();
                eprintln!("round {round}: {victim:?} killed after {delay} ms");
            }
            if let Err(fault) = telling.play(&mut hosted, effect) {
                panic!("CRASH_SEED={seed}, round {round}: {fault:#}\n{}", hosted.log());
            }
        }
        let told = told(&mut hosted, &telling);
        assert_eq!(*expected.get_or_insert(told.clone()), told, "CRASH_SEED={seed} {round}");
    }
}
