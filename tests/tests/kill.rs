//! Host and Redis killed at random instants under mixed load: no acknowledged write is missing,
//! nothing is done twice, and the books agree with themselves.
//!
//! `KILL_SEED` repeats a schedule, `KILL_ROUNDS` sets how many kills there are.

#![allow(clippy::disallowed_methods, reason = "tests wait and measure by the real clock")]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use serde_json::json;
use tradewind_kernel::event::Domain;
use tradewind_tests::chance::Chance;
use tradewind_tests::driver::{Driver, Sender, Sent};
use tradewind_tests::hosted::{Hosted, Victim};
use tradewind_tests::ledger::Ledger;
use tradewind_tests::load::{CHANNELS, Client, HOT, ITEMS, NODES, Reach};

const TENANT: &str = "kill";

/// Clients at once.
const CLIENTS: u64 = 6;

/// Kills, unless `KILL_ROUNDS` says otherwise.
const ROUNDS: u64 = 30;

/// Milliseconds of load before a kill, at least and at most.
const LOAD_MILLIS: (u64, u64) = (300, 1_500);

/// How long the load may take to get going again after a kill: a lease whose holder was killed
/// lasts three seconds, and domains wait for it.
const GOING_WITHIN: Duration = Duration::from_secs(30);

/// The business day: every day that a client speaks of comes later.
const TODAY: &str = "2026-12-01T09:00:00Z";

const ROLES: [&str; 4] = ["warehouse", "channel", "buyer", "approver"];

fn sender(role: &str, subject: &str) -> Sender {
    let (tenant, role, subject) = (TENANT.to_owned(), role.to_owned(), subject.to_owned());
    Sender { tenant, role, subject, bound: None }
}

fn set_up(hosted: &mut Hosted) -> Result<()> {
    hosted.set_clock(TODAY)?;
    let supplier = json!({"name": "S", "class": "overseas", "currency": "USD"});
    let mut all = vec![
        ("PUT", "/suppliers/v1/suppliers/S1".to_owned(), supplier),
        ("POST", "/suppliers/v1/suppliers/S1/approve".to_owned(), json!({"reason": "audited"})),
    ];
    for node in NODES {
        let path = format!("/inventory/v1/nodes/{node}");
        all.push(("PUT", path, json!({"kind": "warehouse"})));
    }
    for (channel, priority) in CHANNELS.iter().zip(1..) {
        let path = format!("/inventory/v1/channels/{channel}");
        all.push(("PUT", path, json!({"kind": "dtc", "priority": priority, "nodes": NODES})));
    }
    for sku in ITEMS {
        let body = json!({"name": sku, "base_unit": "each"});
        all.push(("PUT", format!("/inventory/v1/items/{sku}"), body));
    }
    let kept = json!({
        "sku": HOT, "channel": CHANNELS[1], "quantity": 25, "from": "2026-12-10",
        "until": "2026-12-20", "reason": "prebook", "owner": "planner",
    });
    all.push(("PUT", "/inventory/v1/protections/P1".to_owned(), kept));
    for (number, (method, path, body)) in all.into_iter().enumerate() {
        let headers = vec![
            ("content-type".to_owned(), "application/json".to_owned()),
            ("idempotency-key".to_owned(), format!("set-up-{number}")),
        ];
        let (method, body) = (method.to_owned(), Some(body.to_string()));
        let sent = Sent { method, path, headers, body };
        let got = hosted.send(&sender("admin", "auditor"), &sent)?;
        ensure!(got.status < 300, "{sent:?} was answered {got:?}");
    }
    Ok(())
}

/// What the killer and the clients tell each other.
#[derive(Default)]
struct Signals {
    down: AtomicBool,
    stop: AtomicBool,
    answered: AtomicU64,
}

/// Waits until every client, on average, has had an answer.
fn get_going(signals: &Signals) -> Result<()> {
    let before = signals.answered.load(Ordering::SeqCst);
    let begun = Instant::now();
    while signals.answered.load(Ordering::SeqCst) < before + CLIENTS {
        ensure!(begun.elapsed() < GOING_WITHIN, "the clients get no answers");
        sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// Kills and starts again, round by round, while the clients work.
fn rounds(hosted: &mut Hosted, seed: u64, rounds: u64, signals: &Signals) -> Result<()> {
    let mut chance = Chance::new(seed);
    for round in 1..=rounds {
        let load = chance.between(LOAD_MILLIS.0, LOAD_MILLIS.1);
        let victim = *chance.one_of(&Victim::ALL);
        let begun = Instant::now();
        get_going(signals)?;
        let going = begun.elapsed().as_millis();
        sleep(Duration::from_millis(load));
        let begun = Instant::now();
        hosted.kill(victim)?;
        signals.down.store(true, Ordering::SeqCst);
        hosted.restart().with_context(|| format!("round {round}: {victim:?}"))?;
        signals.down.store(false, Ordering::SeqCst);
        let back = begun.elapsed().as_millis();
        eprintln!(
            "round {round}: answers after {going} ms, load for {load} ms, {victim:?} killed, \
             ready after {back} ms"
        );
    }
    get_going(signals)
}

/// Marks and half-written effects that are left.
fn left_over(hosted: &Hosted) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for domain in Domain::ALL {
        for what in ["marks", "plan", "plan-parts"] {
            let key = format!("{{{TENANT}}}:{domain}:{what}");
            // A set keeps its version when it is empty; a mark that is done leaves nothing.
            let count = match what {
                "plan-parts" => hosted.redis(&format!("HLEN {key}"))?.replace(":1", ":0"),
                _ => hosted.redis(&format!("EXISTS {key}"))?,
            };
            if count != ":0" {
                found.push(format!("{key}: {count}"));
            }
        }
    }
    Ok(found)
}

fn run(seed: u64) -> Result<Vec<String>> {
    let mut hosted = Hosted::start()?;
    set_up(&mut hosted)?;
    let mut tokens = BTreeMap::new();
    let subjects = (0..CLIENTS).map(|number| format!("client-{number}"));
    let workers = subjects.flat_map(|subject| ROLES.map(|role| sender(role, &subject)));
    for sender in workers.chain([sender("approver", "boss"), sender("admin", "auditor")]) {
        tokens.insert(sender.clone(), hosted.token(&sender)?);
    }
    let token = |sender: &Sender| tokens.get(sender).cloned().context("a sender without a token");
    let signals = Signals::default();
    let (agent, base) = (hosted.agent(), hosted.base());
    let Signals { down, stop, answered } = &signals;
    let reach = Reach { agent, base, token: &token, down, stop, answered };
    let count = std::env::var("KILL_ROUNDS").ok().and_then(|text| text.parse().ok());
    let mut clients: Vec<Client> =
        (0..CLIENTS).map(|number| Client::new(TENANT, number, seed)).collect();
    std::thread::scope(|scope| {
        let workers: Vec<_> =
            clients.iter_mut().map(|client| scope.spawn(|| client.work(&reach))).collect();
        let killed = rounds(&mut hosted, seed, count.unwrap_or(ROUNDS), &signals);
        down.store(false, Ordering::SeqCst);
        stop.store(true, Ordering::SeqCst);
        let worked = workers.into_iter().map(|worker| {
            worker.join().map_err(|_| anyhow!("a client panicked")).and_then(|worked| worked)
        });
        let worked: Vec<Result<()>> = worked.collect();
        killed.and(worked.into_iter().collect::<Result<()>>())
    })
    .with_context(|| hosted.log())?;
    let sum = |of: fn(&Client) -> u64| clients.iter().map(of).sum::<u64>();
    let (refused, repeated) = (sum(|it| it.refused), sum(|it| it.repeated));
    let replayed = sum(|it| it.replayed);
    let ledger = Ledger::new(TENANT, &clients);
    let begun = Instant::now();
    let mut faults = ledger.faults(&reach)?;
    faults.extend(left_over(&hosted)?);
    eprintln!(
        "{} writes, {refused} refused for want of stock, {repeated} repeated, {replayed} of which \
         had been done; checked in {} ms",
        ledger.len(),
        begun.elapsed().as_millis(),
    );
    Ok(faults)
}

#[test]
fn nothing_is_lost_or_done_twice_when_host_and_redis_are_killed() {
    let seed = Chance::seed("KILL_SEED");
    eprintln!("KILL_SEED={seed}");
    match run(seed) {
        Ok(faults) => {
            assert!(faults.is_empty(), "KILL_SEED={seed}: {} faults\n{}", faults.len(), {
                faults.join("\n")
            });
        }
        Err(fault) => panic!("KILL_SEED={seed}: {fault:#}"),
    }
}
