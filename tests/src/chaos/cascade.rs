//! A cascade of thousands of lines, cut in its middle: host and Redis are killed when some of its
//! parts are written and others are not. It must end as an undisturbed one does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tradewind_kernel::event::Domain;

use super::fault::Ground;
use super::redis::until;
use crate::chance::Chance;
use crate::crowd::{Signals, must};
use crate::driver::{Driver, Sender, Sent};
use crate::history::logs::Caution;
use crate::hosted::{Hosted, Victim};

const TENANT: &str = "cascade";

/// Items that they are spread over, each a line of the purchase order.
const ITEMS: usize = 10;

/// Lines of one customer order: just below what a commit takes.
const ORDER_LINES: usize = 250;

/// The days that the purchase order is confirmed for in turn; the lines are wanted before, so that
/// these are the days promised.
const DAYS: [&str; 2] = ["2027-01-15", "2027-02-15"];
const WANTED: &str = "2027-01-05";

/// How often a cascade is looked at: reading one of this size is work.
const LOOK: Duration = Duration::from_millis(250);

/// Items of one page: the most there are.
const PAGE: usize = 500;

/// How often a cascade told each type of event of each subject, by domain.
type Events = BTreeMap<(Domain, String, String), usize>;

/// The tenant whose lines wait.
pub struct Cascade {
    order: String,
    /// Order lines that wait for it.
    lines: usize,
    /// Confirmations so far.
    rounds: usize,
    /// What an undisturbed cascade tells, to each of the days: a delay has options, its end none.
    expected: [Option<Events>; 2],
    /// Cascades that were cut, and those of them that had begun and were not complete then.
    pub cut: (usize, usize),
}

fn sender(role: &str, subject: &str) -> Sender {
    let (tenant, role, subject) = (TENANT.to_owned(), role.to_owned(), subject.to_owned());
    Sender { tenant, role, subject, bound: None }
}

fn sku(place: usize) -> String {
    format!("C{}", place % ITEMS)
}

fn get(hosted: &mut Hosted, path: &str) -> Result<Value> {
    let (method, path) = ("GET".to_owned(), path.to_owned());
    let sent = Sent { method, path, headers: Vec::new(), body: None };
    let got = hosted.send(&sender("admin", "auditor"), &sent)?;
    ensure!(got.status == 200, "{} was answered {got:?}", sent.path);
    Ok(got.body)
}

/// All items of a list.
fn pages(hosted: &mut Hosted, path: &str, limit: usize) -> Result<Vec<Value>> {
    let (mut all, mut after) = (Vec::new(), String::new());
    loop {
        let mut page = get(hosted, &format!("{path}?limit={limit}&after={after}"))?;
        all.extend(page["items"].as_array_mut().map(std::mem::take).unwrap_or_default());
        let Some(next) = page["next"].as_str() else { return Ok(all) };
        next.clone_into(&mut after);
    }
}

impl Cascade {
    /// States the lines and the purchase order.
    ///
    /// # Errors
    /// Something is refused.
    pub fn new(hosted: &mut Hosted, waiting: usize) -> Result<Self> {
        let admin = sender("admin", "planner");
        let mut all = vec![
            ("PUT", "/inventory/v1/nodes/OWN".to_owned(), json!({"kind": "warehouse"})),
            (
                "PUT",
                "/inventory/v1/channels/web".to_owned(),
                json!({"kind": "dtc", "priority": 1, "nodes": ["OWN"]}),
            ),
            (
                "PUT",
                "/suppliers/v1/suppliers/S1".to_owned(),
                json!({"name": "S1", "class": "overseas", "currency": "USD"}),
            ),
            ("POST", "/suppliers/v1/suppliers/S1/approve".to_owned(), json!({"reason": "audited"})),
        ];
        for place in 0..ITEMS {
            let body = json!({"name": sku(place), "base_unit": "each"});
            all.push(("PUT", format!("/inventory/v1/items/{}", sku(place)), body));
        }
        for order in 0..waiting / ORDER_LINES {
            let line = |place: usize| {
                let price = json!({"amount": "12.00", "currency": "USD"});
                json!({"sku": sku(place), "quantity": 1, "wanted": WANTED, "price": price})
            };
            let lines: Vec<Value> = (0..ORDER_LINES).map(line).collect();
            let body = json!({"channel": "web", "lines": lines});
            all.push(("PUT", format!("/inventory/v1/orders/O{order}"), body));
        }
        let line = |place: usize| {
            let quantity = waiting / ITEMS;
            json!({
                "sku": sku(place), "node": "OWN", "quantity": quantity, "price": "5.00",
                "due": DAYS[0],
            })
        };
        let lines: Vec<Value> = (0..ITEMS).map(line).collect();
        let draft = json!({"supplier": "S1", "currency": "USD", "lines": lines});
        all.push(("POST", "/procurement/v1/orders".to_owned(), draft));
        let mut last = Value::Null;
        for (method, path, body) in &all {
            last = must(hosted, &admin, (method, path, body))?.body;
        }
        let order = last["id"].as_str().context("an order without an id")?.to_owned();
        for (action, subject) in
            [("submit", "planner"), ("approve", "boss"), ("release", "planner")]
        {
            let path = format!("/procurement/v1/orders/{order}/{action}");
            must(hosted, &sender("admin", subject), ("POST", &path, &json!({})))?;
        }
        let mut cascade =
            Self { order, lines: waiting, rounds: 0, expected: [None, None], cut: (0, 0) };
        // The first confirmation finds lines that wait without a day.
        let correlation = cascade.confirm(hosted)?;
        cascade.complete(hosted, &correlation)?;
        Ok(cascade)
    }

    /// What was told before need not be told again: the business day is another.
    pub fn forget(&mut self) {
        self.expected = [None, None];
    }

    /// Confirms the purchase order for the next of the days; gives back the correlation.
    fn confirm(&mut self, hosted: &mut Hosted) -> Result<String> {
        let day = DAYS[self.next_day()];
        let lines: Vec<Value> = (1..=ITEMS).map(|line| json!({"line": line, "day": day})).collect();
        let body = json!({"lines": lines, "reason": "the vessel"});
        self.rounds += 1;
        let path = format!("/procurement/v1/orders/{}/confirmations", self.order);
        let buyer = sender("admin", &format!("buyer-{}", self.rounds));
        let got = must(hosted, &buyer, ("POST", &path, &body))?;
        Ok(got.header("correlation-id").context("no correlation")?.to_owned())
    }

    /// Waits until the cascade is complete, with nothing parked.
    fn complete(&self, hosted: &mut Hosted, correlation: &str) -> Result<()> {
        let path = format!("/reporting/v1/cascades/{correlation}");
        until("the cascade is complete", || {
            std::thread::sleep(LOOK);
            let Ok(cascade) = get(hosted, &path) else { return Ok(false) };
            ensure!(cascade["parked"] == json!([]), "parked: {}", cascade["parked"]);
            Ok(cascade["complete"] == json!(true))
        })
    }

    /// What a cascade that is complete has told; every line's promise has moved, once.
    fn told(&self, hosted: &mut Hosted, correlation: &str) -> Result<Events> {
        let mut events = Events::new();
        for domain in Domain::ALL {
            for event in pages(hosted, &format!("/{domain}/v1/events"), PAGE)? {
                if event["correlationid"] == *correlation {
                    let text = |field: &str| event[field].as_str().unwrap_or("").to_owned();
                    *events.entry((domain, text("type"), text("subject"))).or_default() += 1;
                }
            }
        }
        let to = DAYS[(self.rounds + 1) % DAYS.len()];
        let from = DAYS[self.rounds % DAYS.len()];
        let mut lines = BTreeSet::new();
        let path = format!("/reporting/v1/cascades/{correlation}/promises");
        for promise in pages(hosted, &path, PAGE)? {
            let moved = promise["old_day"] == from && promise["new_day"] == to;
            ensure!(moved, "not from {from} to {to}: {promise}");
            let line = format!("{} line {}", promise["order"], promise["line"]);
            ensure!(lines.insert(line), "told twice: {promise}");
        }
        let wanted = self.lines;
        ensure!(lines.len() == wanted, "{} of {wanted} promises moved", lines.len());
        Ok(events)
    }

    /// The place of the day that comes next.
    fn next_day(&self) -> usize {
        self.rounds % DAYS.len()
    }

    /// An undisturbed cascade to the next of the days.
    fn undisturbed(&mut self, hosted: &mut Hosted) -> Result<Events> {
        let correlation = self.confirm(hosted)?;
        self.complete(hosted, &correlation)?;
        self.told(hosted, &correlation)
    }

    /// Begins a cascade, kills host and Redis when so much of it is written, and holds its end
    /// against that of an undisturbed one.
    ///
    /// # Errors
    /// It does not end as it must.
    pub fn round(
        &mut self,
        ground: &mut Ground,
        hosted: &mut Hosted,
        signals: &Signals,
        chance: &mut Chance,
        caution: &mut Caution,
    ) -> Result<()> {
        while self.expected[self.next_day()].is_none() {
            let day = self.next_day();
            signals.slacken(true);
            let told = self.undisturbed(hosted);
            signals.slacken(false);
            self.expected[day] = Some(told?);
        }
        let expected = self.expected[self.next_day()].clone();
        let expected = expected.context("no cascade to compare with")?;
        let inventory = |((domain, ..), count): (&(Domain, String, String), &usize)| {
            if *domain == Domain::Inventory { *count } else { 0 }
        };
        let all: usize = expected.iter().map(inventory).sum();
        let all = u64::try_from(all)?;
        let stream = format!("XLEN {{{TENANT}}}:inventory:events");
        let length = |ground: &Ground| -> Result<u64> {
            Ok(ground.primary.must(&stream)?.trim_start_matches(':').parse()?)
        };
        let before = length(ground)?;
        let correlation = self.confirm(hosted)?;
        let written = chance.between(1, all.saturating_sub(2).max(1));
        until("the cascade begins", || Ok(length(ground)? >= before + written))?;
        let from = signals.now();
        signals.down.store(true, Ordering::SeqCst);
        // When one of them is dead, nothing more is written.
        if chance.below(2) == 0 {
            ground.primary.kill()?;
            hosted.kill(Victim::Host)?;
        } else {
            hosted.kill(Victim::Host)?;
            ground.primary.kill()?;
        }
        ground.primary.start_again()?;
        let in_the_midst = length(ground)? < before + all;
        self.cut = (self.cut.0 + 1, self.cut.1 + usize::from(in_the_midst));
        hosted.restart()?;
        signals.down.store(false, Ordering::SeqCst);
        caution.connections_broken.push((from, signals.now()));
        self.complete(hosted, &correlation)?;
        let told = self.told(hosted, &correlation)?;
        let kinds: BTreeSet<_> = told.keys().chain(expected.keys()).collect();
        let count = |events: &Events, kind| events.get(kind).copied().unwrap_or(0);
        let differs = kinds.into_iter().filter(|kind| count(&told, kind) != count(&expected, kind));
        let differs: Vec<String> = differs
            .map(|kind| format!("{kind:?}: {} for {}", count(&told, kind), count(&expected, kind)))
            .collect();
        ensure!(differs.is_empty(), "the cascade that was cut told otherwise: {differs:?}");
        let verified = get(hosted, "/inventory/v1/verify")?;
        ensure!(verified["differences"] == json!([]), "the verifier found {verified}");
        Ok(())
    }
}
