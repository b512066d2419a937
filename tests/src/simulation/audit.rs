//! The audit: when everything has come to rest, the product's own answers against the model, its
//! own checks, and sums of what it told against what it says now.

use std::collections::BTreeMap;

use serde_json::Value;
use tradewind_kernel::event::Domain;

use super::answers::says;
use super::command::Command;
use super::model::Yes;
use super::observer::cents;
use super::player::Player;
use super::step::Finding;

/// Weeks of cash that are compared: beyond everything that is ever due here.
const WEEKS: u32 = 30;

/// One history in so many reads every list in the end.
const READ_EVERY: u64 = 8;

/// Cascades that are looked at in one audit.
const CASCADES: usize = 4;

impl Player {
    /// Audits what the model knows, and what is told of cash. What is parked is judged as it is,
    /// then replayed.
    pub(super) fn audit(&mut self) -> Result<(), Finding> {
        self.books()?;
        if self.replay()? {
            self.settle()?;
            self.books()?;
        }
        self.complete()?;
        self.cash()
    }

    /// What the product says of itself: it reads every event anew, so it is asked in the end.
    pub(super) fn audit_all(&mut self) -> Result<(), Finding> {
        self.own_checks()?;
        if self.one_in(READ_EVERY) {
            self.reads()?;
            self.settled_exception()?;
        }
        for domain in Domain::ALL {
            let parked = self.get(&format!("/{domain}/v1/parked"))?;
            if parked["items"] != Value::Array(Vec::new()) {
                return Err(Finding::new("audit: parked", format!("{domain}: {parked}")));
            }
        }
        for correlation in
            std::mem::take(&mut self.observer.correlations).iter().rev().take(CASCADES)
        {
            let cascade = self.get(&format!("/reporting/v1/cascades/{correlation}"))?;
            if cascade["complete"] != Value::Bool(true) {
                return Err(Finding::new("audit: cascade", cascade.to_string()));
            }
            self.by_ledger(correlation, &cascade)?;
            let pages = self.get(&format!("/reporting/v1/cascades/{correlation}/promises"))?;
            let told = cascade["promises"].as_array().map_or(0, |told| told.len().min(50));
            if pages["items"].as_array().map(Vec::len) != Some(told) {
                return Err(Finding::new("audit: cascade in pages", pages.to_string()));
            }
        }
        Ok(())
    }

    /// The body of an answer that must be 200.
    pub(super) fn get(&mut self, path: &str) -> Result<Value, Finding> {
        let response = self.ask("GET", path, None)?;
        let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        if response.status == 200 {
            return Ok(body);
        }
        let kind = format!("audit: {}", path.split('?').next().unwrap_or(path));
        Err(Finding::new(kind, format!("{path} answered {} {body}", response.status)))
    }

    /// Holds an answer against what the model says.
    fn compare(&self, path: &str, question: &Command, body: &Value) -> Result<(), Finding> {
        let kind = format!("audit: {}", question.kind());
        let told = self.model.clone().act(question, &self.names, None);
        let Yes { body: expected, .. } =
            told.map_err(|no| Finding::new(kind.clone(), format!("{path}: {body}, and {no:?}")))?;
        says(question, &expected, 200, 200, body).map_err(|fault| {
            let detail = format!("{path}: {fault}\n  expected {expected}\n  got {body}");
            Finding::new(kind, detail)
        })
    }

    fn books(&mut self) -> Result<(), Finding> {
        self.answers()?;
        self.pegging()?;
        self.documents()
    }

    /// What inventory answers of availability, of what protections hold, and of orders.
    pub(super) fn answers(&mut self) -> Result<(), Finding> {
        let skus: Vec<String> = self.model.items.keys().cloned().collect();
        let channels: Vec<String> = self.model.channels.keys().cloned().collect();
        for channel in &channels {
            let query: Vec<String> = skus.iter().map(|sku| format!("sku={sku}")).collect();
            let path = format!("/inventory/v1/availability?{}&channel={channel}", query.join("&"));
            let body = self.get(&path)?;
            for (sku, item) in skus.iter().zip(body["items"].as_array().into_iter().flatten()) {
                let (sku, channel) = (sku.clone(), channel.clone());
                self.compare(&path, &Command::Availability { sku, channel }, item)?;
            }
        }
        let orders: Vec<String> = self.model.orders.keys().cloned().collect();
        for order in orders {
            let path = format!("/inventory/v1/orders/{order}");
            let body = self.get(&path)?;
            self.compare(&path, &Command::OrderView { order }, &body)?;
        }
        Ok(())
    }

    /// When nothing waits, promises are what pegging gives, and plans are those of today.
    pub(super) fn pegging(&self) -> Result<(), Finding> {
        // An item is not pegged for what is parked.
        if self.observer.parked.contains_key(&Domain::Inventory) {
            return Ok(());
        }
        let mut fresh = self.model.clone();
        for sku in self.model.items.keys() {
            fresh.repeg(sku);
            let of =
                |model: &super::model::Model| model.promises.get(sku).cloned().unwrap_or_default();
            if of(&fresh) != of(&self.model) {
                let detail = format!("{sku}: {:?}, and kept are {:?}", of(&fresh), of(&self.model));
                return Err(Finding::new("audit: promises", detail));
            }
            if self.model.is_stale(sku) {
                return Err(Finding::new("audit: plans", format!("{sku} was not renewed")));
            }
        }
        Ok(())
    }

    fn documents(&mut self) -> Result<(), Finding> {
        let reservations: BTreeMap<String, Value> =
            self.model.reservations.iter().map(|(id, one)| (id.clone(), one.body())).collect();
        let purchases: BTreeMap<String, Value> =
            self.model.purchases.iter().map(|(id, one)| (id.clone(), one.body())).collect();
        for (path, expected) in
            [("/inventory/v1/reservations", reservations), ("/procurement/v1/orders", purchases)]
        {
            let found = self.get(&format!("{path}?limit=500"))?;
            let found: BTreeMap<String, Value> = found["items"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|item| (item["id"].as_str().unwrap_or_default().to_owned(), item.clone()))
                .collect();
            if found.keys().ne(expected.keys()) {
                let detail = format!("{path}: {:?}, not {:?}", found.keys(), expected.keys());
                return Err(Finding::new(format!("audit: {path}"), detail));
            }
            for (id, expected) in &expected {
                let faults =
                    crate::compare::differences(expected, &found[id], &mut BTreeMap::new());
                if !faults.is_empty() {
                    let detail = format!("{id}: {}", faults.join("; "));
                    return Err(Finding::new(format!("audit: {path}"), detail));
                }
            }
        }
        Ok(())
    }

    /// What the product says of itself.
    fn own_checks(&mut self) -> Result<(), Finding> {
        let verified = self.get("/inventory/v1/verify")?;
        if verified["differences"] != Value::Array(Vec::new()) {
            return Err(Finding::new("audit: verify", verified.to_string()));
        }
        let audit = self.get("/reporting/v1/audit/verify")?;
        if audit["valid"] != Value::Bool(true) {
            return Err(Finding::new("audit: chain", audit.to_string()));
        }
        Ok(())
    }

    /// Replays everything that is parked, and dismisses what reporting parked, which takes nothing
    /// again; gives back whether anything was.
    fn replay(&mut self) -> Result<bool, Finding> {
        let mut any = false;
        for domain in std::mem::take(&mut self.observer.parked).into_keys() {
            let ends = if domain == Domain::Reporting { "dismiss" } else { "replay" };
            let parked = self.get(&format!("/{domain}/v1/parked"))?;
            for item in parked["items"].as_array().into_iter().flatten() {
                let event = item["id"].as_str().unwrap_or_default();
                let path = format!("/{domain}/v1/parked/{event}/{ends}");
                let response = self.ask("POST", &path, None)?;
                if response.status != 200 && response.status != 201 {
                    let detail = format!("{path} answered {}", response.status);
                    return Err(Finding::new("audit: replay", detail));
                }
                any = true;
            }
        }
        Ok(any)
    }

    /// Inventory has heard everything.
    fn complete(&mut self) -> Result<(), Finding> {
        if let Some(((receipt, sku), _)) = self.model.arriving.first_key_value() {
            let detail = format!("{sku} of {receipt} never entered stock");
            return Err(Finding::new("audit: receipts", detail));
        }
        let mut heard = self.model.clone();
        heard.hear_all();
        for sku in self.model.items.keys() {
            let of =
                |model: &super::model::Model| model.supply.get(sku).cloned().unwrap_or_default();
            if of(&heard) != of(&self.model) {
                let (open, known) = (of(&heard), of(&self.model));
                let detail = format!("{sku}: open is {open:?}, and inventory knows {known:?}");
                return Err(Finding::new("audit: supply", detail));
            }
        }
        Ok(())
    }

    /// The net flow of each week of the cash forecast, in cents.
    pub(super) fn weeks(&mut self) -> Result<BTreeMap<String, i64>, Finding> {
        let forecast = self.get(&format!("/finance/v1/cash-forecast?weeks={WEEKS}"))?;
        let weeks = forecast["weeks"].as_array().into_iter().flatten();
        let net = |week: &Value| {
            let name = week["week"].as_str().unwrap_or_default().to_owned();
            (name, cents(&week["in"]) - cents(&week["out"]))
        };
        Ok(weeks.map(net).collect())
    }

    /// What weeks have changed by is the sum of what was told.
    fn cash(&mut self) -> Result<(), Finding> {
        let now = self.weeks()?;
        let told = std::mem::take(&mut self.observer.cash);
        if let Some(before) = self.observer.forecast.replace(now.clone()) {
            let at = |weeks: &BTreeMap<String, i64>, name: &String| {
                weeks.get(name).copied().unwrap_or(0)
            };
            for week in before.keys().chain(now.keys()).chain(told.keys()) {
                let changed = at(&now, week) - at(&before, week);
                if changed != at(&told, week) {
                    let detail = format!(
                        "week {week} changed by {changed} cents, and told were {}: {told:?}\n  \
                         before {before:?}\n  now {now:?}",
                        at(&told, week)
                    );
                    return Err(Finding::new("audit: cash", detail));
                }
            }
        }
        Ok(())
    }
}
