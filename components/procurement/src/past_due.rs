//! Past due: the day of an open part has passed and it is not here.
//!
//! Each open part is told once: telling takes it out of the index by day. A new confirmation puts
//! the parts that it moves back in.

use std::collections::BTreeMap;

use tradewind_kernel::decision::{Decision, MAX_COMMIT_LINES};
use tradewind_kernel::event::NewEvent;
use tradewind_kernel::events::procurement::OrderPastDue;
use tradewind_kernel::{Day, Id, Quantity};

use crate::keys;
use crate::order::Order;

/// Open parts that may pass on one day: far more than a brand has on order; the rest is told with
/// the next day.
pub const MAX_PASSING: usize = 20_000;

/// Parts that one commit tells: an event and an index entry each, and room for what ends it.
const TOLD_AT_ONCE: usize = (MAX_COMMIT_LINES - 8) / 2;

/// Tells which open parts have passed, in as many parts as it needs.
#[must_use]
pub fn tell(passed: &[String], orders: &BTreeMap<Id, Order>) -> Vec<Decision> {
    let commits = passed.chunks(TOLD_AT_ONCE).map(|names| {
        let mut decision = Decision::default();
        for name in names {
            decision.unindex(keys::SCHEDULED, name.clone());
            let event = keys::parse_entry(name)
                .and_then(|(order, line, day)| past_due(orders.get(&order)?, line, day));
            if let Some(event) = event {
                decision.event(NewEvent::of(event.order.as_str().to_owned(), &event));
            }
        }
        decision
    });
    commits.collect()
}

fn past_due(order: &Order, number: u32, day: Day) -> Option<OrderPastDue> {
    let line = order.line(number)?;
    let entry = line.schedule.iter().find(|entry| entry.day == day)?;
    let quantity: Quantity = entry.quantity;
    Some(OrderPastDue {
        order: order.id.clone(),
        line: number,
        supplier: order.supplier.clone(),
        sku: line.sku.clone(),
        node: line.node.clone(),
        day,
        quantity,
    })
}
