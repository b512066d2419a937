//! The observer: takes every commit into the model, at the moment it took effect, and holds the
//! invariants that are never broken.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tradewind_kernel::decision::Write;
use tradewind_kernel::event::{Domain, NewEvent, sequence_of};
use tradewind_shell::run::KeptReply;
use tradewind_shell::store::Idempotency;

use super::answers::{Told, says};
use super::command::Command;
use super::flight::Keep;
use super::ledger::Ledger;
use super::model::Yes;
use super::player::Player;
use super::seam::Seen;
use super::step::Finding;
use super::world::KEEP_SECONDS;
use crate::driver::Sent;

/// What was seen so far.
#[derive(Debug, Clone, Default)]
pub struct Observer {
    /// Commits so far.
    pub commits: u64,
    /// Correlations under which clients were answered since the last audit.
    pub correlations: Vec<String>,
    /// What each week's net flow changed by since the last audit, in cents.
    pub cash: BTreeMap<String, i64>,
    /// The net flow of each week at the last audit.
    pub forecast: Option<BTreeMap<String, i64>>,
    /// Domains with a parked event, since the last audit.
    pub parked: BTreeMap<Domain, u64>,
    /// What each cause moved, by the model.
    pub ledger: Ledger,
    cursors: BTreeMap<Domain, u64>,
    effects: BTreeSet<(Domain, u64, String, String)>,
    /// What a replay stands for.
    replays: BTreeMap<u64, u64>,
}

/// The events of procurement that tell inventory of a purchase order.
const PURCHASES: [&str; 5] = [
    "procurement.order-released",
    "procurement.order-confirmed",
    "procurement.order-received",
    "procurement.order-closed",
    "procurement.order-cancelled",
];

impl Player {
    /// Takes in a commit. `may` is what its request could be answered since it was sent; `alone`
    /// says that nothing else went on when it was decided.
    pub(super) fn observe(
        &mut self,
        seen: &Seen,
        may: &[Told],
        alone: bool,
    ) -> Result<(), Finding> {
        self.observer.commits += 1;
        self.cursor(seen)?;
        self.once(seen)?;
        self.replayed(seen);
        let before = self.view_before(seen);
        let key = seen.commit.idempotency.as_ref().map(|one| one.key.clone());
        let asked = seen.by.and_then(|label| self.asked.get(&label)).cloned();
        match (key.and_then(|key| label_of(&key)), asked) {
            (Some(label), Some(asked)) => {
                self.commanded(seen, label, (&asked.command, may), alone)?;
                self.keep(seen, &asked.sent)?;
            }
            _ => self.happened(seen)?,
        }
        if seen.commit.domain == Domain::Inventory {
            self.pegged(seen)?;
            self.counted(seen)?;
        }
        self.told_right(seen, before)?;
        self.told_cash(seen);
        Ok(())
    }

    /// The reply is kept under its key from now on.
    fn keep(&mut self, seen: &Seen, sent: &Sent) -> Result<(), Finding> {
        let Some(idempotency) = &seen.commit.idempotency else { return Ok(()) };
        let (reply, now) = (reply_of(idempotency)?, self.hub.clock());
        let keep = Keep { sent: sent.clone(), reply, until: now + KEEP_SECONDS * 1000 };
        match self.keeps.insert(idempotency.key.clone(), keep) {
            Some(earlier) if earlier.until > now => {
                let detail = format!("{sent:?} took effect again under {}", idempotency.key);
                Err(Finding::new("a key twice", detail))
            }
            _ => Ok(()),
        }
    }

    /// Cursors only go forward, from where they were.
    fn cursor(&mut self, seen: &Seen) -> Result<(), Finding> {
        let Some(moved) = &seen.commit.cursor else { return Ok(()) };
        let domain = seen.commit.domain;
        let at = self.observer.cursors.insert(domain, moved.next).unwrap_or(0);
        if moved.expected == at && moved.next >= at {
            return Ok(());
        }
        let detail = format!("{domain} was at {at} and moved {moved:?}");
        Err(Finding::new("cursor", detail))
    }

    /// An event takes effect once in each domain: what a domain tells of a subject because of an
    /// event, it tells once.
    fn once(&mut self, seen: &Seen) -> Result<(), Finding> {
        let commit = &seen.commit;
        let Some(cause) = commit.origin.causation.as_deref().and_then(sequence_of) else {
            return Ok(());
        };
        // Two may work one mark when a lease lapses; whoever is second finds no line to move.
        let vain = |event: &NewEvent| {
            commit.unmark.is_some() && event.data["moved"].as_array().is_some_and(Vec::is_empty)
        };
        for event in commit.events.iter().filter(|event| !vain(event)) {
            let (line, day) = (&event.data["line"], &event.data["day"]);
            let (kind, subject) = (event.kind.clone(), format!("{} {line} {day}", event.subject));
            if !self.observer.effects.insert((commit.domain, cause, kind, subject)) {
                let detail =
                    format!("{} told {event:?} twice because of ev_{cause}", commit.domain);
                return Err(Finding::new("an effect twice", detail));
            }
        }
        Ok(())
    }

    fn replayed(&mut self, seen: &Seen) {
        for (sequence, event) in (seen.version + 1..).zip(&seen.commit.events) {
            if event.kind.ends_with(".event-parked") {
                *self.observer.parked.entry(seen.commit.domain).or_default() += 1;
            }
            if event.kind.ends_with(".event-replayed") {
                let of = event.data["replayed"]["sequence"].as_u64().unwrap_or(0);
                self.observer.replays.insert(sequence, of);
            }
        }
    }

    /// The event that caused a commit; for a replay, what it stands for.
    pub(super) fn cause(&self, seen: &Seen) -> Option<u64> {
        let cause = sequence_of(seen.commit.origin.causation.as_deref()?)?;
        Some(self.observer.replays.get(&cause).copied().unwrap_or(cause))
    }

    /// A command has taken effect: the model does the same, and knows the reply.
    fn commanded(
        &mut self,
        seen: &Seen,
        label: u32,
        (command, may): (&Command, &[Told]),
        alone: bool,
    ) -> Result<(), Finding> {
        let Some(idempotency) = &seen.commit.idempotency else { return Ok(()) };
        let reply = reply_of(idempotency)?;
        let kind = |what: &str| format!("{what} {}", command.kind());
        let made = reply.body["id"].as_str().map(str::to_owned);
        let before = self.model.clone();
        let said = |yes: &Yes| says(command, &yes.body, yes.status, reply.status, &reply.body);
        match self.model.act(command, &self.names, made.as_deref()) {
            Ok(yes) if said(&yes).is_ok() => {}
            verdict => {
                self.model = before.clone();
                let fault = match &verdict {
                    Ok(yes) => said(yes).err().unwrap_or_default(),
                    Err(no) => format!("must be refused: {no:?}"),
                };
                // Nodes are chosen by counters that were read; guards say that it is lawful now.
                let earlier = may
                    .iter()
                    .any(|told| matches!(told, Told::Model(Ok(yes)) if said(yes).is_ok()));
                if let (Command::Reserve(asked), true, Some(id)) = (command, earlier, &made) {
                    self.model.reserve_as(asked, id, &reply.body).map_err(|fault| {
                        Finding::new(kind("unlawful"), format!("{fault}: {}", reply.body))
                    })?;
                } else {
                    let detail = format!("{command:?}: {fault}\n  got {}", reply.body);
                    return Err(Finding::new(kind("granted otherwise"), detail));
                }
            }
        }
        if let Command::Order { order, .. } = command
            && alone
        {
            self.dry_run(order, &before, &reply.body)?;
        }
        let names_it = matches!(command, Command::Reserve(_) | Command::Raise { .. });
        if let (true, Some(id)) = (names_it, made) {
            self.names.insert(label, id);
        }
        self.purchase(seen, command);
        if !seen.commit.events.is_empty() {
            self.observer.correlations.push(seen.commit.origin.correlation.clone());
        }
        Ok(())
    }

    /// The answer to an order is the pegging as it will be.
    fn dry_run(
        &self,
        order: &str,
        before: &super::model::Model,
        body: &Value,
    ) -> Result<(), Finding> {
        let mut after = self.model.clone();
        let lines = after.orders.get(order).map(|order| order.lines.clone());
        for line in lines.unwrap_or_default() {
            after.repeg(&line.sku);
        }
        let view = Command::OrderView { order: order.to_owned() };
        let Ok(yes) = after.act(&view, &self.names, None) else { return Ok(()) };
        if before.orders.get(order) == self.model.orders.get(order) {
            return Ok(());
        }
        says(&view, &yes.body, 200, 200, body).map_err(|fault| {
            Finding::new(
                "dry run of an order",
                format!("{fault}\n  expected {}\n  got {body}", yes.body),
            )
        })
    }

    /// Notes a purchase order as this commit told it.
    fn purchase(&mut self, seen: &Seen, command: &Command) {
        let label = match command {
            Command::Act { purchase, .. }
            | Command::Confirm { purchase, .. }
            | Command::Receive { purchase, .. } => purchase,
            _ => return,
        };
        let Some(id) = self.names.get(label) else { return };
        let Some(purchase) = self.model.purchases.get(id) else { return };
        for (sequence, event) in (seen.version + 1..).zip(&seen.commit.events) {
            if PURCHASES.contains(&event.kind.as_str()) {
                self.model.told.insert(sequence, (id.clone(), purchase.clone()));
            }
        }
    }

    /// What the product did by itself.
    fn happened(&mut self, seen: &Seen) -> Result<(), Finding> {
        let cause = self.cause(seen);
        let by = seen.commit.origin.causation.as_deref().and_then(sequence_of);
        if let (Some(cause), Some(by)) = (cause, by) {
            supplied(&seen.commit.writes).for_each(|item| self.model.hear(cause, by, item));
        }
        let mut arrived = false;
        for event in &seen.commit.events {
            let text = |field: &str| event.data[field].as_str().unwrap_or_default();
            match event.kind.as_str() {
                "inventory.stock-moved" => {
                    arrived = true;
                    let quantity = event.data["quantity"].as_i64().unwrap_or(0);
                    self.model
                        .arrive(text("document"), text("sku"), quantity, text("to"))
                        .map_err(|fault| Finding::new("a receipt", fault))?;
                }
                "inventory.reservation-released" => {
                    let id = text("reservation");
                    self.model.expire(id).map_err(|no| {
                        Finding::new("an expiry", format!("{id} must stay: {no:?}; {event:?}"))
                    })?;
                }
                _ => {}
            }
        }
        let heard: Vec<String> = supplied(&seen.commit.writes).map(str::to_owned).collect();
        for item in heard {
            self.model.renew(&item);
        }
        if arrived {
            for sku in seen.commit.events.iter().filter_map(|event| event.data["sku"].as_str()) {
                self.model.renew(sku);
            }
        }
        Ok(())
    }

    /// Plans that were renewed and items that were pegged.
    fn pegged(&mut self, seen: &Seen) -> Result<(), Finding> {
        for write in &seen.commit.writes {
            if let Write::Put { key, .. } = write
                && let Some(sku) = key.strip_prefix("inventory:plan:")
            {
                self.model.renew(sku);
            }
        }
        let is_pegged = |event: &&NewEvent| event.kind == "inventory.item-pegged";
        for event in seen.commit.events.iter().filter(is_pegged) {
            self.model.repeg(&event.subject);
        }
        let rests = seen.commit.events.iter().any(|event| event.kind == "inventory.reserved");
        for sku in claimed(&seen.commit.writes) {
            if rests && self.model.is_stale(sku) {
                let detail = format!("{sku} was claimed on a plan of another day or network");
                return Err(Finding::new("a stale plan", detail));
            }
        }
        Ok(())
    }

    fn told_cash(&mut self, seen: &Seen) {
        for event in &seen.commit.events {
            if event.kind != "finance.cash-changed" {
                continue;
            }
            for week in event.data["weeks"].as_array().into_iter().flatten() {
                let name = week["week"].as_str().unwrap_or_default().to_owned();
                let change = cents(&week["after"]) - cents(&week["before"]);
                *self.observer.cash.entry(name).or_default() += change;
            }
        }
    }
}

/// The command whose key this is.
fn label_of(key: &str) -> Option<u32> {
    key.strip_prefix('k')?.parse().ok()
}

fn reply_of(idempotency: &Idempotency) -> Result<KeptReply, Finding> {
    serde_json::from_str(&idempotency.reply)
        .map_err(|fault| Finding::new("a reply does not read", fault.to_string()))
}

/// An amount in cents.
pub(super) fn cents(amount: &Value) -> i64 {
    let text = amount.as_str().or_else(|| amount["amount"].as_str()).unwrap_or("0");
    let (sign, text) = text.strip_prefix('-').map_or((1, text), |text| (-1, text));
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let whole: i64 = whole.parse().unwrap_or(0);
    let part: i64 = format!("{part:0<2}").get(..2).and_then(|part| part.parse().ok()).unwrap_or(0);
    sign * (whole * 100 + part)
}

/// The items whose supply is written.
fn supplied(writes: &[Write]) -> impl Iterator<Item = &str> {
    writes.iter().filter_map(|write| match write {
        Write::PutMember { set, .. } | Write::DeleteMember { set, .. } => {
            set.strip_prefix("inventory:supply:")
        }
        _ => None,
    })
}

/// The items whose counters are written.
pub(super) fn claimed(writes: &[Write]) -> impl Iterator<Item = &str> {
    writes.iter().filter_map(|write| match write {
        Write::Add { counters, .. } => counters.strip_prefix("inventory:stock:"),
        _ => None,
    })
}
