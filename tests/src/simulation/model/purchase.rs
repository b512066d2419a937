//! Suppliers and purchase orders, as the model keeps them, and what inventory has heard of them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tradewind_kernel::Day;

use super::{Inbound, Model, Verdict, faultless, no, put, yes};
use crate::simulation::command::{Bought, day};

/// A line of a purchase order.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Line {
    pub sku: String,
    pub node: String,
    pub due: Day,
    pub open: i64,
    pub accepted: i64,
    pub rejected: i64,
    pub cancelled: i64,
    pub schedule: BTreeMap<Day, i64>,
}

/// A purchase order.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Purchase {
    pub supplier: String,
    pub status: &'static str,
    pub lines: Vec<Line>,
}

impl Purchase {
    fn is_on_order(&self) -> bool {
        matches!(self.status, "released" | "confirmed" | "received")
    }

    fn end(&mut self, status: &'static str) {
        self.status = status;
        for line in &mut self.lines {
            (line.cancelled, line.open) = (line.cancelled + line.open, 0);
            line.schedule.clear();
        }
    }

    /// What must be said of it.
    #[must_use]
    pub fn body(&self) -> Value {
        let line = |(number, line): (u32, &Line)| {
            let entry = |(day, quantity): (&Day, &i64)| json!({ "day": day, "quantity": quantity });
            json!({
                "line": number, "sku": line.sku, "node": line.node, "open": line.open,
                "accepted": line.accepted, "rejected": line.rejected, "cancelled": line.cancelled,
                "schedule": line.schedule.iter().map(entry).collect::<Vec<_>>(),
            })
        };
        let lines: Vec<Value> = (1_u32..).zip(&self.lines).map(line).collect();
        json!({ "status": self.status, "supplier": self.supplier, "lines": lines })
    }
}

/// Whether a supplier may be moved so.
fn lawful(from: &str, to: &str) -> bool {
    match to {
        "approve" => matches!(from, "prospect" | "conditional" | "suspended" | "blocked"),
        "suspend" => matches!(from, "approved" | "conditional"),
        "conditional" => matches!(from, "prospect" | "approved" | "suspended" | "conditional"),
        _ => from != "blocked",
    }
}

impl Model {
    pub(super) fn put_supplier(&mut self, id: &str) -> Verdict {
        let is_new = !self.suppliers.contains_key(id);
        let status = *self.suppliers.entry(id.to_owned()).or_insert("prospect");
        yes(put(is_new), json!({ "id": id, "status": status }))
    }

    pub(super) fn stand(&mut self, id: &str, to: &str) -> Verdict {
        let Some(status) = self.suppliers.get_mut(id) else { return no(404, "not-found") };
        if !lawful(status, to) {
            return no(409, "status-transition");
        }
        *status = match to {
            "approve" => "approved",
            "suspend" => "suspended",
            "conditional" => "conditional",
            _ => "blocked",
        };
        yes(200, json!({ "id": id, "status": *status }))
    }

    pub(super) fn raise(&mut self, supplier: &str, lines: &[Bought], id: &str) -> Verdict {
        let mut faults = Vec::new();
        if !self.suppliers.contains_key(supplier) {
            faults.push("supplier-unknown");
        }
        for line in lines {
            if !self.items.contains_key(&line.sku) {
                faults.push("sku-unknown");
            }
            if !self.nodes.contains_key(&line.node) {
                faults.push("node-unknown");
            }
        }
        faultless(&faults)?;
        let line = |line: &Bought| Line {
            sku: line.sku.clone(),
            node: line.node.clone(),
            due: day(line.due),
            open: line.quantity,
            accepted: 0,
            rejected: 0,
            cancelled: 0,
            schedule: BTreeMap::from([(day(line.due), line.quantity)]),
        };
        let lines = lines.iter().map(line).collect();
        let purchase = Purchase { supplier: supplier.to_owned(), status: "draft", lines };
        let body = purchase.body();
        self.purchases.insert(id.to_owned(), purchase);
        yes(201, body)
    }

    /// Whether orders may be released to a supplier. The limit of a conditional one is never reached.
    #[must_use]
    pub fn may_release(&self, supplier: &str) -> bool {
        self.suppliers.get(supplier).is_some_and(|it| matches!(*it, "approved" | "conditional"))
    }

    pub(super) fn act_on(&mut self, id: Option<&String>, action: &str, by: &str) -> Verdict {
        let Some(id) = id else { return no(404, "not-found") };
        let Some(mut next) = self.purchases.get(id).cloned() else { return no(404, "not-found") };
        let approved = self.may_release(&next.supplier);
        match (action, next.status) {
            // Prices are confirmed as they were ordered.
            ("accept", _) => return no(409, "nothing-to-accept"),
            ("submit", "draft") => next.status = "submitted",
            // Whoever raised it is the clerk.
            ("approve", "submitted") if by == "clerk" => return no(403, "own-order"),
            ("approve", "submitted") => next.status = "approved",
            ("reject", "submitted") => next.status = "rejected",
            ("release", "approved") if !approved => return no(409, "supplier-not-approved"),
            ("release", "approved") => next.status = "released",
            ("cancel", "received") => return no(409, "already-received"),
            ("cancel", "draft" | "submitted" | "approved" | "released" | "confirmed") => {
                next.end("cancelled");
            }
            ("close", "released" | "confirmed" | "received") => next.end("closed"),
            _ => return no(409, "status-transition"),
        }
        let body = next.body();
        self.purchases.insert(id.clone(), next);
        yes(200, body)
    }

    pub(super) fn confirm(
        &mut self,
        id: Option<&String>,
        entries: &[(u32, i64, Option<i64>)],
    ) -> Verdict {
        let Some(id) = id else { return no(404, "not-found") };
        let Some(mut next) = self.purchases.get(id).cloned() else { return no(404, "not-found") };
        if !next.is_on_order() {
            return no(409, "status-transition");
        }
        let (today, mut faults) = (self.today(), Vec::new());
        let mut plans: BTreeMap<u32, BTreeMap<Day, i64>> = BTreeMap::new();
        let (mut spoken, mut rests) = (BTreeMap::<u32, i64>::new(), BTreeSet::new());
        for (number, on, quantity) in entries {
            let Some(line) = line_of(&next, *number) else {
                faults.push("line-unknown");
                continue;
            };
            if line.open == 0 {
                faults.push("nothing-open");
                continue;
            }
            if day(*on) < today {
                faults.push("day-in-the-past");
            }
            let same = || entries.iter().filter(|entry| entry.0 == *number);
            let given: i64 = same().filter_map(|entry| entry.2).sum();
            let part = quantity.unwrap_or(line.open - given);
            let plan = plans.entry(*number).or_default();
            // An entry without a quantity takes what the others leave; the others, in their order,
            // at most what is open.
            let mut before = 0;
            if quantity.is_some() {
                let spoken = spoken.entry(*number).or_default();
                before = *spoken;
                *spoken += part;
            }
            if part < 1 || before + part > line.open {
                faults.push("quantity-beyond-open");
            }
            if quantity.is_none() && !rests.insert(*number) {
                faults.push("quantity-required");
            }
            *plan.entry(day(*on)).or_default() += part;
        }
        faultless(&faults)?;
        for (number, mut plan) in plans {
            if let Some(line) = line_mut(&mut next, number) {
                let rest = line.open - plan.values().sum::<i64>();
                if rest > 0 {
                    *plan.entry(line.due).or_default() += rest;
                }
                line.schedule = plan;
            }
        }
        if next.status == "released" {
            next.status = "confirmed";
        }
        let body = next.body();
        self.purchases.insert(id.clone(), next);
        yes(200, body)
    }

    pub(super) fn receive(
        &mut self,
        id: Option<&String>,
        entries: &[(u32, i64, i64)],
        receipt: &str,
    ) -> Verdict {
        let Some(id) = id else { return no(404, "not-found") };
        let Some(mut next) = self.purchases.get(id).cloned() else { return no(404, "not-found") };
        if !next.is_on_order() {
            return no(409, "status-transition");
        }
        let (mut faults, mut nodes) = (Vec::new(), Vec::new());
        for (place, (number, accepted, rejected)) in entries.iter().enumerate() {
            if entries[..place].iter().any(|other| other.0 == *number) {
                faults.push("line-repeated");
            }
            match line_of(&next, *number) {
                Some(line) if !nodes.contains(&line.node) => nodes.push(line.node.clone()),
                Some(_) => {}
                None => {
                    faults.push("line-unknown");
                    continue;
                }
            }
            if *accepted == 0 && *rejected == 0 {
                faults.push("nothing-received");
            }
        }
        if nodes.len() != 1 {
            faults.push("node-required");
        }
        faultless(&faults)?;
        let open = |number: u32| line_of(&next, number).map_or(0, |line| line.open);
        if entries.iter().any(|(number, accepted, _)| *accepted > open(*number)) {
            return no(409, "over-receipt");
        }
        next.status = "received";
        for (number, accepted, rejected) in entries {
            let Some(line) = line_mut(&mut next, *number) else { continue };
            line.accepted += accepted;
            line.rejected += rejected;
            line.open -= accepted;
            let mut left = *accepted;
            for quantity in line.schedule.values_mut() {
                let taken = left.min(*quantity);
                (*quantity, left) = (*quantity - taken, left - taken);
            }
            line.schedule.retain(|_, quantity| *quantity > 0);
            if *accepted > 0 {
                let arrival = (receipt.to_owned(), line.sku.clone());
                let (_, sum) =
                    self.arriving.entry(arrival).or_insert_with(|| (nodes[0].clone(), 0));
                *sum += accepted;
            }
        }
        self.purchases.insert(id.clone(), next);
        yes(201, json!({ "order": id, "status": "received" }))
    }

    /// What inventory knows of supply when it has heard everything.
    pub fn hear_all(&mut self) {
        let purchases = std::mem::take(&mut self.purchases);
        self.supply.clear();
        for (id, purchase) in &purchases {
            for line in &purchase.lines {
                self.hear_of(id, purchase, &line.sku);
            }
        }
        self.purchases = purchases;
    }

    /// Inventory has heard of a purchase order by an event, at the moment `by`: its supply of one
    /// item. When that is a replay, what was told of the order since counts.
    pub fn hear(&mut self, event: u64, by: u64, sku: &str) {
        let Some((id, _)) = self.told.get(&event) else { return };
        let newest = self.told.range(event..=by).rev().find(|(_, (of, _))| of == id);
        let Some((id, purchase)) = newest.map(|(_, told)| told.clone()) else { return };
        self.hear_of(&id, &purchase, sku);
    }

    fn hear_of(&mut self, id: &str, purchase: &Purchase, sku: &str) {
        let supply = self.supply.entry(sku.to_owned()).or_default();
        supply.retain(|(order, _), _| order != id);
        for (number, line) in (1_u32..).zip(&purchase.lines) {
            if line.sku == sku && line.open > 0 && purchase.is_on_order() {
                let (node, schedule) = (line.node.clone(), line.schedule.clone());
                supply.insert((id.to_owned(), number), Inbound { node, schedule });
            }
        }
    }

    /// Goods of a receipt have entered stock.
    ///
    /// # Errors
    /// They were not expected, or not so many: in words.
    pub fn arrive(
        &mut self,
        receipt: &str,
        sku: &str,
        quantity: i64,
        to: &str,
    ) -> Result<(), String> {
        let name = (receipt.to_owned(), sku.to_owned());
        let Some((node, left)) = self.arriving.get_mut(&name) else {
            return Err(format!("{quantity} of {sku} came once more for {receipt}"));
        };
        if *left < quantity || to != format!("{node}/sellable") {
            return Err(format!("{quantity} of {sku} to {to}, and {left} to {node} were received"));
        }
        *left -= quantity;
        if *left == 0 {
            self.arriving.remove(&name);
        }
        self.shift(sku, quantity, "supplier", to);
        Ok(())
    }
}

fn line_of(purchase: &Purchase, number: u32) -> Option<&Line> {
    let place = usize::try_from(number).ok()?.checked_sub(1)?;
    purchase.lines.get(place)
}

fn line_mut(purchase: &mut Purchase, number: u32) -> Option<&mut Line> {
    let place = usize::try_from(number).ok()?.checked_sub(1)?;
    purchase.lines.get_mut(place)
}
