//! A crowd of clients at work on a host, somebody who makes trouble meanwhile, and the verdict.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use serde_json::{Value, json};
use tradewind_kernel::event::Domain;

use crate::driver::{Driver, Got, Sender, Sent};
use crate::history::logs::{Caution, Judged, judged};
use crate::hosted::Hosted;
use crate::ledger::Ledger;
use crate::load::contest::{self, Contest};
use crate::load::{CHANNELS, Client, HOT, ITEMS, NODES, Reach};

/// Whose goods they are.
pub const TENANT: &str = "crowd";

/// Clients at once.
pub const CLIENTS: u64 = 6;

/// Milliseconds between two requests of a client, at most: enough requests to meet every trouble,
/// few enough to check each of them afterwards.
const PACE_MILLIS: u64 = 40;

/// The same while something large is set up.
const SLACK_MILLIS: u64 = 1_000;

/// How long the load may take to get going again after a trouble: a lease whose holder was killed
/// lasts a second, a request that hangs in the host thirty, and clients wait for both.
const GOING_WITHIN: Duration = Duration::from_secs(150);

/// The business day: every day that a client speaks of comes later.
pub const TODAY: &str = "2026-12-01T09:00:00Z";

const ROLES: [&str; 4] = ["warehouse", "channel", "buyer", "approver"];

/// What the clients and who makes trouble tell each other.
pub struct Signals {
    /// The host was killed: do not knock before it is up again.
    pub down: AtomicBool,
    stop: AtomicBool,
    given_up: AtomicBool,
    pace: AtomicU64,
    written: AtomicU64,
    contest: Contest,
    begun: Instant,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Everything that must not be; empty when all is well.
    pub faults: Vec<String>,
    /// Writes that were answered with a success.
    pub writes: usize,
    /// Requests that were refused: for want of stock, or since a rival was faster.
    pub refused: usize,
    /// Requests that had to be repeated.
    pub repeated: u64,
    /// Those among them that had taken effect before.
    pub replayed: u64,
    /// Those that were set aside and came back to later.
    pub set_aside: u64,
    /// Answers 503 and 429.
    pub put_off: u64,
    /// Histories that were judged.
    pub histories: usize,
    /// Calls in them.
    pub calls: usize,
    /// How long the judges took.
    pub judging: Duration,
}

/// A sender of the crowd's tenant.
#[must_use]
pub fn sender(role: &str, subject: &str) -> Sender {
    let (tenant, role, subject) = (TENANT.to_owned(), role.to_owned(), subject.to_owned());
    Sender { tenant, role, subject, bound: None }
}

/// Sends a request with a body that must be granted, again while it is put off. Its key is made
/// of the sender's subject, the method and the path: one subject sends it once.
///
/// # Errors
/// It is refused.
pub fn must(
    driver: &mut dyn Driver,
    sender: &Sender,
    (method, path, body): (&str, &str, &Value),
) -> Result<Got> {
    let headers = vec![
        ("content-type".to_owned(), "application/json".to_owned()),
        (
            "idempotency-key".to_owned(),
            format!("{}-{method}-{}", sender.subject, path.replace('/', ".")),
        ),
    ];
    let (method, path, body) = (method.to_owned(), path.to_owned(), Some(body.to_string()));
    let sent = Sent { method, path, headers, body };
    let begun = Instant::now();
    loop {
        let got = driver.send(sender, &sent)?;
        if got.status == 503 && begun.elapsed() < GOING_WITHIN {
            sleep(Duration::from_millis(50));
            continue;
        }
        ensure!(got.status < 300, "{sent:?} was answered {got:?}");
        return Ok(got);
    }
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
    for (method, path, body) in &all {
        must(hosted, &sender("admin", "auditor"), (method, path, body))?;
    }
    begin_contest(hosted, 0)
}

/// Makes the item of a contest.
fn begin_contest(hosted: &mut Hosted, number: u64) -> Result<()> {
    let body = json!({"name": "contested", "base_unit": "each"});
    let path = format!("/inventory/v1/items/{}", contest::item(number));
    must(hosted, &sender("admin", "auditor"), ("PUT", &path, &body)).map(drop)
}

impl Signals {
    fn new() -> Self {
        Self {
            down: AtomicBool::new(false),
            stop: AtomicBool::new(false),
            given_up: AtomicBool::new(false),
            pace: AtomicU64::new(PACE_MILLIS),
            written: AtomicU64::new(0),
            contest: Contest::default(),
            begun: Instant::now(),
        }
    }

    /// Waits until every client, on average, has written something; gives back how long it took.
    ///
    /// # Errors
    /// They do not get to it.
    pub fn get_going(&self) -> Result<Duration> {
        let before = self.written.load(Ordering::SeqCst);
        let begun = Instant::now();
        while self.written.load(Ordering::SeqCst) < before + CLIENTS {
            ensure!(begun.elapsed() < GOING_WITHIN, "the clients' writes are not answered");
            // Who fails ends the crowd.
            if self.stop.load(Ordering::SeqCst) {
                break;
            }
            sleep(Duration::from_millis(5));
        }
        Ok(begun.elapsed())
    }

    /// Lets clients ask less often for a while, since something large is set up beside them; or as
    /// often as before.
    pub fn slacken(&self, slack: bool) {
        let millis = if slack { SLACK_MILLIS } else { PACE_MILLIS };
        self.pace.store(millis, Ordering::SeqCst);
    }

    /// Begins the next contest, with an item of its own; gives back its number.
    ///
    /// # Errors
    /// The item cannot be made.
    pub fn next_contest(&self, hosted: &mut Hosted) -> Result<u64> {
        let number = self.contest.number() + 1;
        begin_contest(hosted, number)?;
        self.contest.begin(number);
        Ok(number)
    }

    /// Now, as the clients count.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.begun.elapsed()
    }
}

/// Lets clients work while somebody makes trouble, and judges what came of it. The trouble must be
/// over when it returns.
///
/// # Errors
/// Trouble could not be made, or a client was answered what must not be.
pub fn run(
    hosted: &mut Hosted,
    seed: u64,
    trouble: impl FnOnce(&mut Hosted, &Signals) -> Result<Caution>,
) -> Result<Outcome> {
    set_up(hosted)?;
    let mut tokens = BTreeMap::new();
    let subjects = (0..CLIENTS).map(|number| format!("client-{number}"));
    let workers = subjects.flat_map(|subject| ROLES.map(|role| sender(role, &subject)));
    for sender in workers.chain([sender("approver", "boss"), sender("admin", "auditor")]) {
        tokens.insert(sender.clone(), hosted.token(&sender)?);
    }
    let token = |sender: &Sender| tokens.get(sender).cloned().context("a sender without a token");
    let signals = Signals::new();
    let Signals { down, stop, given_up, pace, written, contest, begun } = &signals;
    let (agent, base, begun, token) = (hosted.agent(), hosted.base(), *begun, &token);
    let reach = Reach { agent, base, token, down, stop, given_up, pace, written, contest, begun };
    let mut clients: Vec<Client> =
        (0..CLIENTS).map(|number| Client::new(TENANT, number, seed)).collect();
    let caution = std::thread::scope(|scope| {
        let work = |client: &mut Client| {
            let worked = client.work(&reach);
            stop.fetch_or(worked.is_err(), Ordering::SeqCst);
            worked
        };
        let workers: Vec<_> =
            clients.iter_mut().map(|client| scope.spawn(move || work(client))).collect();
        let troubled = trouble(hosted, &signals);
        down.store(false, Ordering::SeqCst);
        stop.store(true, Ordering::SeqCst);
        given_up.store(troubled.is_err(), Ordering::SeqCst);
        let worked = workers.into_iter().map(|worker| {
            worker.join().map_err(|_| anyhow!("a client panicked")).and_then(|worked| worked)
        });
        let worked: Vec<Result<()>> = worked.collect();
        both(troubled, worked.into_iter().collect())
    })
    .map_err(|error| anyhow!("{error:#}\nthe host's log ends with\n{}", hosted.log()))?;
    verdict(hosted, &reach, &clients, &caution)
}

/// What the clients met may follow from what who makes trouble met, or the other way round.
fn both<T>(troubled: Result<T>, worked: Result<()>) -> Result<T> {
    match (troubled, worked) {
        (Err(trouble), Err(met)) => Err(anyhow!("{trouble:#}\na client: {met:#}")),
        (troubled, worked) => worked.and(troubled),
    }
}

fn verdict(
    hosted: &Hosted,
    reach: &Reach<'_>,
    clients: &[Client],
    caution: &Caution,
) -> Result<Outcome> {
    let begun = Instant::now();
    let ledger = Ledger::new(TENANT, clients);
    let mut faults: Vec<String> =
        clients.iter().flat_map(|client| client.faults.iter().cloned()).collect();
    faults.extend(ledger.faults(reach)?);
    faults.extend(left_over(hosted)?);
    let Judged { histories, calls, faults: broken } = judged(clients, caution);
    faults.extend(broken);
    let sum = |of: fn(&Client) -> u64| clients.iter().map(of).sum::<u64>();
    let refused = clients.iter().flat_map(|one| &one.log).filter(|one| one.got.status == 409);
    Ok(Outcome {
        faults,
        writes: ledger.len(),
        refused: refused.count(),
        repeated: sum(|it| it.repeated),
        replayed: sum(|it| it.replayed),
        set_aside: sum(|it| it.set_aside),
        put_off: sum(|it| it.put_off),
        histories,
        calls,
        judging: begun.elapsed(),
    })
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

impl Outcome {
    /// Adds another one.
    pub fn add(&mut self, other: Self) {
        self.faults.extend(other.faults);
        self.writes += other.writes;
        self.refused += other.refused;
        self.repeated += other.repeated;
        self.replayed += other.replayed;
        self.set_aside += other.set_aside;
        self.put_off += other.put_off;
        self.histories += other.histories;
        self.calls += other.calls;
        self.judging += other.judging;
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "{} writes, {} refused, {} put off, {} repeated ({} of them had been done), {} set \
             aside; {} histories of {} calls; judged in {} ms",
            self.writes,
            self.refused,
            self.put_off,
            self.repeated,
            self.replayed,
            self.set_aside,
            self.histories,
            self.calls,
            self.judging.as_millis(),
        )
    }
}
