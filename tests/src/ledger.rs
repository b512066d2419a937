//! The clients' logs, summed up, against what the product says of itself.
//!
//! Every request of [`crate::load`] has its answer when the clients stop, so the logs are complete:
//! what they say must be there, and nothing that they do not say.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tradewind_kernel::event::Domain;

use crate::driver::{Sender, Sent};
use crate::hosted;
use crate::load::{CHANNELS, Client, Done, Reach, Step};

mod entry;

use entry::{Bought, claim, replays};

/// How long the last cascades may take to complete when nothing else goes on.
const COMPLETE_WITHIN: Duration = Duration::from_secs(60);

/// Threads that ask.
const ASKERS: usize = 4;

/// All that was answered with a success; what concerns one document is in order.
#[derive(Debug)]
pub struct Ledger<'a> {
    tenant: String,
    done: Vec<&'a Done>,
}

impl<'a> Ledger<'a> {
    /// The logs of all clients of a tenant.
    #[must_use]
    pub fn new(tenant: &str, clients: &'a [Client]) -> Self {
        let log = clients.iter().flat_map(|client| &client.log);
        let mut done: Vec<&Done> = log.filter(|done| done.is_write()).collect();
        done.sort_by_key(|done| done.answered);
        Self { tenant: tenant.to_owned(), done }
    }

    /// How many writes were acknowledged.
    #[must_use]
    pub fn len(&self) -> usize {
        self.done.len()
    }

    /// Whether nothing was acknowledged.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.done.is_empty()
    }

    /// Everything that is not as the logs say; empty when all is well.
    ///
    /// # Errors
    /// A question has no answer.
    pub fn faults(&self, reach: &Reach<'_>) -> Result<Vec<String>> {
        let mut faults = self.each(|done| self.completes(reach, done));
        faults.extend(self.each(|done| replays(reach, done)));
        let expired = self.expired(reach)?;
        self.stock(reach, &expired, &mut faults)?;
        faults.extend(self.reservations(reach, &expired)?);
        faults.extend(self.orders(reach)?);
        faults.extend(self.purchases(reach)?);
        faults.extend(self.events(reach)?);
        faults.extend(self.books(reach)?);
        Ok(faults)
    }

    /// Looks at every entry, several at once.
    fn each(&self, look: impl Fn(&Done) -> Result<()> + Sync) -> Vec<String> {
        let faults = Mutex::new(Vec::new());
        let share = self.done.len().div_ceil(ASKERS).max(1);
        let (look, noted) = (&look, &faults);
        std::thread::scope(|scope| {
            for some in self.done.chunks(share) {
                scope.spawn(move || {
                    for done in some {
                        if let (Err(fault), Ok(mut faults)) = (look(done), noted.lock()) {
                            faults.push(format!("{:?}: {fault:#}", done.wish.sent));
                        }
                    }
                });
            }
        });
        faults.into_inner().unwrap_or_default()
    }

    fn get(&self, reach: &Reach<'_>, path: &str) -> Result<Value> {
        let (role, subject) = ("admin".to_owned(), "auditor".to_owned());
        let sender = Sender { tenant: self.tenant.clone(), role, subject, bound: None };
        let (method, path) = ("GET".to_owned(), path.to_owned());
        let sent = Sent { method, path, headers: Vec::new(), body: None };
        let got = hosted::send(&reach.agent, &reach.base, &(reach.token)(&sender)?, &sent)?;
        ensure!(got.status == 200, "{} answered {}: {}", sent.path, got.status, got.body);
        Ok(got.body)
    }

    /// The cascade of a write completes with nothing parked.
    fn completes(&self, reach: &Reach<'_>, done: &Done) -> Result<()> {
        let Some(correlation) = done.told_something() else { return Ok(()) };
        let begun = Instant::now();
        loop {
            let cascade = self.get(reach, &format!("/reporting/v1/cascades/{correlation}"))?;
            let parked = cascade["parked"].as_array().is_none_or(|parked| !parked.is_empty());
            ensure!(!parked, "parked: {}", cascade["parked"]);
            if cascade["complete"] == Value::Bool(true) {
                return Ok(());
            }
            ensure!(begun.elapsed() < COMPLETE_WITHIN, "its cascade does not complete");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits until every reservation has expired that nobody ended in its time.
    fn expired(&self, reach: &Reach<'_>) -> Result<BTreeSet<&'a str>> {
        let mut due = BTreeSet::new();
        for done in self.done.iter().copied() {
            match &done.wish.step {
                Step::Reserve if !done.got.body["expires"].is_null() => due.insert(done.id()?),
                Step::Ship { reservation } | Step::GiveBack { reservation } => {
                    due.remove(reservation.as_str())
                }
                _ => continue,
            };
        }
        let begun = Instant::now();
        for id in &due {
            let path = format!("/inventory/v1/reservations/{id}");
            while self.get(reach, &path)?["status"] == "open" {
                ensure!(begun.elapsed() < COMPLETE_WITHIN, "{id} does not expire");
                std::thread::sleep(Duration::from_millis(50));
            }
        }
        Ok(due)
    }

    /// The free stock of every item is what the logs add up to.
    fn stock(
        &self,
        reach: &Reach<'_>,
        expired: &BTreeSet<&str>,
        faults: &mut Vec<String>,
    ) -> Result<()> {
        let mut free: BTreeMap<&str, i64> = BTreeMap::new();
        let mut granted: BTreeMap<&str, &Value> = BTreeMap::new();
        for done in &self.done {
            match &done.wish.step {
                Step::MoveIn { sku, quantity } => *free.entry(sku).or_default() += quantity,
                Step::MoveOut { sku, quantity } => *free.entry(sku).or_default() -= quantity,
                Step::Receive { sku, accepted, .. } => *free.entry(sku).or_default() += accepted,
                Step::Reserve => {
                    granted.insert(done.id()?, &done.got.body);
                    claim(&mut free, &done.got.body, -1)?;
                    if expired.contains(done.id()?) {
                        claim(&mut free, &done.got.body, 1)?;
                    }
                }
                Step::GiveBack { reservation } => {
                    let body = granted.get(reservation.as_str()).context("given back twice")?;
                    claim(&mut free, body, 1)?;
                }
                _ => {}
            }
        }
        for (sku, expected) in free {
            let path = format!("/inventory/v1/availability?sku={sku}&channel={}", CHANNELS[0]);
            let nodes = self.get(reach, &path)?;
            let nodes = nodes["free"].as_array().context("no nodes")?;
            let found: i64 = nodes.iter().filter_map(|node| node["quantity"].as_i64()).sum();
            if found != expected {
                faults.push(format!("{sku}: {found} free, and the logs say {expected}"));
            }
        }
        Ok(())
    }

    /// Every reservation is as its last answer said.
    fn reservations(&self, reach: &Reach<'_>, expired: &BTreeSet<&str>) -> Result<Vec<String>> {
        let mut last: BTreeMap<&str, &Value> = BTreeMap::new();
        for done in &self.done {
            match &done.wish.step {
                Step::Reserve => last.insert(done.id()?, &done.got.body),
                Step::Ship { reservation } | Step::GiveBack { reservation } => {
                    last.insert(reservation, &done.got.body)
                }
                _ => None,
            };
        }
        let mut faults = Vec::new();
        for (id, body) in last {
            let found = self.get(reach, &format!("/inventory/v1/reservations/{id}"))?;
            let mut body = body.clone();
            if expired.contains(id) {
                body["status"] = "expired".into();
                for line in body["lines"].as_array_mut().into_iter().flatten() {
                    line["open"] = 0.into();
                }
            }
            for field in ["status", "channel", "lines"] {
                if found[field] != body[field] {
                    faults.push(format!("{id}: {found}, and it was answered {body}"));
                }
            }
        }
        Ok(faults)
    }

    /// Every customer order has the lines that were last stated.
    fn orders(&self, reach: &Reach<'_>) -> Result<Vec<String>> {
        let mut last: BTreeMap<&str, &Done> = BTreeMap::new();
        for done in &self.done {
            if let Step::Order { order } = &done.wish.step {
                last.insert(order, done);
            }
        }
        let mut faults = Vec::new();
        for (id, done) in last {
            let found = self.get(reach, &format!("/inventory/v1/orders/{id}"))?;
            let stated: Value = serde_json::from_str(done.wish.sent.body.as_deref().unwrap_or(""))?;
            let lines = |body: &Value| -> Vec<(Value, Value, Value)> {
                let lines = body["lines"].as_array().cloned().unwrap_or_default();
                let of = |line: Value| {
                    (line["sku"].clone(), line["quantity"].clone(), line["wanted"].clone())
                };
                lines.into_iter().map(of).collect()
            };
            if lines(&found) != lines(&stated) {
                faults.push(format!("{id}: {found}, and it was stated as {stated}"));
            }
        }
        Ok(faults)
    }

    /// Every purchase order has the status, the receipts and the day that were last answered.
    fn purchases(&self, reach: &Reach<'_>) -> Result<Vec<String>> {
        let mut orders: BTreeMap<&str, Bought<'_>> = BTreeMap::new();
        for done in &self.done {
            let (id, body) = match &done.wish.step {
                Step::Raise => (done.id()?, &done.got.body),
                Step::Act { purchase }
                | Step::Confirm { purchase }
                | Step::Receive { purchase, .. } => (purchase.as_str(), &done.got.body),
                _ => continue,
            };
            let bought = orders.entry(id).or_default();
            bought.status = body["status"].as_str().unwrap_or("");
            if let Step::Receive { accepted, .. } = &done.wish.step {
                bought.accepted += accepted;
                bought.receipts.insert(done.id()?);
            } else {
                bought.day = body["lines"][0]["schedule"][0]["day"].as_str();
            }
        }
        let mut faults = Vec::new();
        for (id, bought) in orders {
            let path = format!("/procurement/v1/orders/{id}");
            let order = self.get(reach, &path)?;
            let receipts = self.get(reach, &format!("{path}/receipts?limit=200"))?;
            let items = receipts["items"].as_array().context("no receipts")?;
            let line = &order["lines"][0];
            let found = Bought {
                status: order["status"].as_str().unwrap_or(""),
                accepted: line["accepted"].as_i64().unwrap_or(-1),
                receipts: items.iter().filter_map(|item| item["id"].as_str()).collect(),
                day: match line["open"].as_i64() {
                    Some(0) => bought.day,
                    _ => line["schedule"][0]["day"].as_str(),
                },
            };
            if found != bought {
                faults.push(format!("{id}: {found:?}, and it was answered {bought:?}"));
            }
        }
        Ok(faults)
    }

    /// Every write was told once, every receipt moved stock once, and no client caused anything
    /// that it was not answered for.
    fn events(&self, reach: &Reach<'_>) -> Result<Vec<String>> {
        let mut faults = Vec::new();
        let known: BTreeSet<&str> = self.done.iter().map(|done| done.correlation()).collect();
        let mut told: BTreeMap<(String, String, bool), usize> = BTreeMap::new();
        for domain in Domain::ALL {
            for event in self.all(reach, &format!("/{domain}/v1/events"))? {
                let text = |field: &str| event[field].as_str().unwrap_or("").to_owned();
                let (correlation, root) = (text("correlationid"), event["causationid"].is_null());
                let by = text("by");
                let ours = by.starts_with("client-") || by == "boss";
                if ours && !known.contains(correlation.as_str()) {
                    faults.push(format!("nobody was answered for {event}"));
                }
                *told.entry((correlation, text("type"), root)).or_default() += 1;
            }
        }
        let count = |done: &Done, kind: &str, root: bool| {
            let key = (done.correlation().to_owned(), kind.to_owned(), root);
            told.get(&key).copied().unwrap_or(0)
        };
        for done in &self.done {
            let times: usize = done.kinds().iter().map(|kind| count(done, kind, true)).sum();
            let unchanged = matches!(done.wish.step, Step::Order { .. }) && times == 0;
            if times != 1 && !unchanged {
                faults.push(format!("{:?} was told {times} times", done.wish.sent));
            }
            if let Step::Receive { .. } = done.wish.step {
                let moved = count(done, "inventory.stock-moved", false);
                if moved != 1 {
                    faults.push(format!("{:?} moved stock {moved} times", done.wish.sent));
                }
            }
        }
        Ok(faults)
    }

    /// All items of a list.
    fn all(&self, reach: &Reach<'_>, path: &str) -> Result<Vec<Value>> {
        let (mut all, mut after) = (Vec::new(), String::new());
        loop {
            let mut page = self.get(reach, &format!("{path}?limit=500&after={after}"))?;
            all.extend(page["items"].as_array_mut().map(std::mem::take).unwrap_or_default());
            let Some(next) = page["next"].as_str() else { return Ok(all) };
            next.clone_into(&mut after);
        }
    }

    /// What tells a broken chain from a broken check of it: whether it is found again, the entries
    /// around, and what each domain says under the event's id.
    fn audit_again(&self, reach: &Reach<'_>, audit: &Value) -> Result<String> {
        let again = self.get(reach, "/reporting/v1/audit/verify")?;
        let difference = &audit["first_difference"];
        let id = difference["id"].as_str().unwrap_or_default();
        let chain = self.all(reach, "/reporting/v1/audit")?;
        let place = chain.iter().position(|entry| entry["id"] == difference["id"]).unwrap_or(0);
        let around: Vec<&Value> = chain.iter().skip(place.saturating_sub(1)).take(3).collect();
        let mut told = Vec::new();
        for domain in Domain::ALL {
            let events = self.all(reach, &format!("/{domain}/v1/events"))?;
            told.extend(events.into_iter().filter(|event| event["id"] == id));
        }
        Ok(format!("asked again: {again}; entries around: {around:?}; events: {told:?}"))
    }

    /// The product's own checks.
    fn books(&self, reach: &Reach<'_>) -> Result<Vec<String>> {
        let mut faults = Vec::new();
        let verified = self.get(reach, "/inventory/v1/verify")?;
        if verified["differences"] != Value::Array(Vec::new()) {
            faults.push(format!("the verifier found {verified}"));
        }
        let audit = self.get(reach, "/reporting/v1/audit/verify")?;
        if audit["valid"] != Value::Bool(true) {
            faults.push(format!("the audit chain: {audit}; {}", self.audit_again(reach, &audit)?));
        }
        for domain in Domain::ALL {
            let parked = self.get(reach, &format!("/{domain}/v1/parked"))?;
            if parked["items"] != Value::Array(Vec::new()) {
                faults.push(format!("{domain} parked {parked}"));
            }
        }
        Ok(faults)
    }
}
