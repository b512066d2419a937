//! Demand: what a customer order will bring in, and when.
//!
//! The open part of a line pays its channel's lag after the promised day; unpromised it never
//! does. What is claimed pays the lag after the day it is wanted, or after today once that has
//! passed; what is shipped, the lag after it was shipped, on the terms of that day. Claims and
//! shipments fill an order's lines of their item in line order, shipments first. Each pays
//! `quantity × price × (1 − fee)`; a line without a price pays nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tradewind_kernel::events::inventory::{
    DemandLine, LeavingLine, OrderChanged, Payout, PromiseMove, ReservedLine,
};
use tradewind_kernel::{Day, Decision, Id, Money, Quantity};

use crate::flow::{Change, Flow, Hook, difference, incoming};
use crate::keys;

/// A line of a customer order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Its number.
    pub line: u32,
    /// Its item.
    pub sku: Id,
    /// Ordered base units, claimed and shipped ones included.
    pub quantity: Quantity,
    /// The day it is wanted.
    pub wanted: Day,
    /// Unit price.
    pub price: Option<Money>,
    /// The promised day of what is open.
    pub promised: Option<Day>,
    /// Base units shipped.
    pub shipped: Quantity,
}

impl Line {
    fn unshipped(&self) -> Quantity {
        self.quantity.saturating_sub(self.shipped).max(0)
    }
}

/// A shipment that no line of the order covers yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shipment {
    /// The item.
    pub sku: Id,
    /// The day it was shipped.
    pub day: Day,
    /// Base units.
    pub quantity: Quantity,
}

/// A customer order, and the flows of its open and claimed parts on the board.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Demand {
    /// The channel that sells.
    pub channel: Id,
    /// Its lines, by number.
    pub lines: Vec<Line>,
    /// Open claims by item.
    pub claimed: BTreeMap<Id, Quantity>,
    /// Shipments that wait for a line.
    pub uncovered: Vec<Shipment>,
    /// What of the open and claimed parts is on the board.
    pub flows: Vec<Flow>,
}

impl Demand {
    /// An order of which nothing is known but its channel.
    #[must_use]
    pub fn new(channel: Id) -> Self {
        let (lines, claimed) = (Vec::new(), BTreeMap::new());
        Self { channel, lines, claimed, uncovered: Vec::new(), flows: Vec::new() }
    }

    /// The order was stated anew; gives back the flows of shipments that now have a line.
    ///
    /// A line keeps its promise until it is pegged anew, which follows whatever changed in it. What
    /// was shipped on a line that is left out or cancelled has been paid for as it was shipped, and
    /// is remembered.
    pub fn restate(&mut self, event: &OrderChanged, payout: &Payout) -> Vec<Change> {
        self.channel = event.channel.clone();
        let mut old: BTreeMap<u32, Line> =
            std::mem::take(&mut self.lines).into_iter().map(|line| (line.line, line)).collect();
        if !event.cancelled {
            for line in &event.lines {
                let before = old.remove(&line.line).filter(|before| before.sku == line.sku);
                self.lines.push(stated(line, before.as_ref()));
            }
        }
        let left_out = old.into_values().filter(|line| line.shipped > 0);
        self.lines.extend(left_out.map(|line| Line { quantity: line.shipped, ..line }));
        self.lines.sort_by_key(|line| line.line);
        let waiting = std::mem::take(&mut self.uncovered);
        waiting.into_iter().flat_map(|shipment| self.cover(shipment, payout)).collect()
    }

    /// Stock was claimed for it.
    pub fn claim(&mut self, lines: &[ReservedLine]) {
        for line in lines {
            let granted = line
                .allocations
                .iter()
                .fold(0i64, |sum, allocation| sum.saturating_add(allocation.quantity));
            let claimed = self.claimed.entry(line.sku.clone()).or_default();
            *claimed = claimed.saturating_add(granted);
        }
        self.claimed.retain(|_, quantity| *quantity > 0);
    }

    /// Claims were given back.
    pub fn release(&mut self, lines: &[LeavingLine]) {
        for line in lines {
            if let Some(claimed) = self.claimed.get_mut(&line.sku) {
                *claimed = claimed.saturating_sub(line.quantity);
            }
        }
        self.claimed.retain(|_, quantity| *quantity > 0);
    }

    /// Claimed stock was shipped; gives back the flows of the shipment.
    pub fn ship(&mut self, lines: &[LeavingLine], day: Day, payout: &Payout) -> Vec<Change> {
        self.release(lines);
        let shipments = lines.iter().map(|line| {
            let (sku, quantity) = (line.sku.clone(), line.quantity);
            Shipment { sku, day, quantity }
        });
        shipments.flat_map(|shipment| self.cover(shipment, payout)).collect::<Vec<_>>()
    }

    /// Lays a shipment on lines, in line order; the rest waits.
    fn cover(&mut self, shipment: Shipment, payout: &Payout) -> Vec<Change> {
        let Shipment { sku, day, mut quantity } = shipment;
        let hook = Hook { anchor: day, offset_days: payout.lag_days, slides: false };
        let mut changes = Vec::new();
        for line in self.lines.iter_mut().filter(|line| line.sku == sku) {
            let part = quantity.min(line.unshipped());
            line.shipped = line.shipped.saturating_add(part);
            quantity = quantity.saturating_sub(part);
            let flow = line.price.and_then(|price| incoming(hook, part, price, payout.fee));
            changes.extend(flow.map(Change::Begins));
        }
        if quantity > 0 {
            self.uncovered.push(Shipment { sku, day, quantity });
        }
        changes
    }

    /// A promise moved.
    pub fn promise(&mut self, moved: &PromiseMove) {
        let lines = self.lines.iter_mut();
        for line in lines.filter(|line| line.line == moved.line && line.sku == moved.sku) {
            line.promised = moved.new_day;
        }
    }

    /// The same with its flows on these terms.
    #[must_use]
    pub fn paid_by(mut self, payout: &Payout) -> Self {
        let mut claimed = self.claimed.clone();
        let mut flows = Vec::new();
        for line in &self.lines {
            let waiting = claimed.entry(line.sku.clone()).or_default();
            let part = line.unshipped().min(*waiting);
            *waiting = waiting.saturating_sub(part);
            let open = line.unshipped().saturating_sub(part);
            let Some(price) = line.price else { continue };
            let hook = |anchor, slides| Hook { anchor, offset_days: payout.lag_days, slides };
            flows.extend(incoming(hook(line.wanted, true), part, price, payout.fee));
            let promised = line.promised.map(|day| hook(day, false));
            flows.extend(promised.and_then(|hook| incoming(hook, open, price, payout.fee)));
        }
        self.flows = flows;
        self
    }
}

fn stated(line: &DemandLine, before: Option<&Line>) -> Line {
    Line {
        line: line.line,
        sku: line.sku.clone(),
        quantity: line.quantity,
        wanted: line.wanted,
        price: line.price,
        promised: before.and_then(|before| before.promised),
        shipped: before.map_or(0, |before| before.shipped),
    }
}

/// Writes an order and says which flows of its open and claimed parts begin and end.
pub fn replace(
    decision: &mut Decision,
    order: &Id,
    before: Option<&Demand>,
    after: &Demand,
) -> Vec<Change> {
    let none: Vec<Flow> = Vec::new();
    let old_flows = before.map_or(&none, |old| &old.flows);
    let pays = |demand: &Demand| !demand.flows.is_empty();
    let was_listed = before.filter(|old| pays(old)).map(|old| &old.channel);
    let is_listed = Some(&after.channel).filter(|_| pays(after));
    if was_listed != is_listed {
        if let Some(channel) = was_listed {
            decision.unindex(keys::channel_orders(channel), order.as_str());
        }
        if let Some(channel) = is_listed {
            decision.index(keys::channel_orders(channel), order.as_str(), 0);
        }
    }
    if before != Some(after) {
        decision.put(keys::demand(order), after);
    }
    difference(old_flows, &after.flows)
}

#[cfg(test)]
#[path = "demand_tests.rs"]
mod tests;
