//! Receipt: what came of an order, and how much of it was good.
//!
//! Accepted units fill the schedule, the earliest day first. Rejected ones never enter stock and
//! stay open; they are limited by nothing, since what is rejected is replaced. Accepting more than
//! is open is refused (over-receipt tolerance 0).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use tradewind_kernel::decision::Decision;
use tradewind_kernel::event::NewEvent;
use tradewind_kernel::events::procurement::{
    OrderLine, OrderReceived, OrderStatus, ReceivedLine, ScheduleEntry,
};
use tradewind_kernel::published::Actor;
use tradewind_kernel::quantity::LIMIT;
use tradewind_kernel::refusal::{Fault, Faults, Refusal};
use tradewind_kernel::{Day, Id, Quantity};
use utoipa::ToSchema;

use crate::known::Unknown;
use crate::order::{Context, Order};
use crate::{filing, keys};

/// What came.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "node": "OWN", "lines": [{ "line": 1, "accepted": 296, "rejected": 4 }] }))]
pub struct Arrival {
    /// Lines, each once.
    #[schema(min_items = 1, max_items = 256)]
    pub lines: Vec<ArrivedLine>,
    /// Where it came to; the lines' node unless given.
    pub node: Option<Id>,
}

/// What came of a line.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ArrivedLine {
    /// Which line.
    pub line: u32,
    /// Good units.
    #[serde(default)]
    #[schema(value_type = i64, minimum = 0, default = 0)]
    pub accepted: Quantity,
    /// Units that were rejected.
    #[serde(default)]
    #[schema(value_type = i64, minimum = 0, default = 0)]
    pub rejected: Quantity,
}

/// A receipt as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Receipt {
    /// Its id.
    pub id: Id,
    /// Of which order.
    pub order: Id,
    /// Where it came to.
    pub node: Id,
    /// When, in the tenant's zone.
    pub day: Day,
    /// Who received it.
    #[schema(value_type = Actor)]
    pub by: String,
    /// What came.
    pub lines: Vec<ReceiptLine>,
    /// How far the order had come with it.
    pub status: OrderStatus,
}

/// What came of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReceiptLine {
    /// Which line.
    pub line: u32,
    /// Good units.
    pub accepted: Quantity,
    /// Units that were rejected.
    pub rejected: Quantity,
    /// What of the line was still open then.
    pub open: Quantity,
}

/// Takes in what came.
///
/// # Errors
/// 409 when nothing is on order, or naming every line of which more was accepted than is open; 422
/// naming every other fault: unknown and repeated lines, nothing received, no or an
/// unknown node.
pub fn receive(
    order: &Order,
    arrival: &Arrival,
    id: Id,
    unknown: &Unknown,
    context: &Context,
) -> Result<Decision, Refusal> {
    use OrderStatus::{Confirmed, Received, Released};
    order.require(&[Released, Confirmed, Received], "received")?;
    let node = check(order, arrival, unknown)?;
    check_open(order, arrival)?;
    let mut after = order.clone();
    after.status = Received;
    let mut received = Vec::with_capacity(arrival.lines.len());
    let mut lines = Vec::with_capacity(arrival.lines.len());
    for arrived in &arrival.lines {
        let Some(line) = after.line_mut(arrived.line) else { continue };
        let &ArrivedLine { accepted, rejected, .. } = arrived;
        book(line, accepted, rejected, context.today);
        received.push(ReceivedLine {
            line: line.line,
            sku: line.sku.clone(),
            accepted,
            rejected,
            price: line.price,
        });
        lines.push(ReceiptLine { line: line.line, accepted, rejected, open: line.open });
    }
    let receipt = Receipt {
        id: id.clone(),
        order: order.id.clone(),
        node: node.clone(),
        day: context.today,
        by: context.by.clone(),
        lines,
        status: after.status,
    };
    let mut decision = filing::file(Some(order), &after);
    decision.put_member(keys::receipts(&order.id), id.as_str(), &receipt);
    let location = format!("/procurement/v1/orders/{}/receipts/{id}", order.id);
    let day = context.today;
    let event = OrderReceived { order: after.state(), receipt: id, node, day, received };
    decision.event(NewEvent::of(order.id.as_str(), &event));
    Ok(decision.created(location, serde_json::json!(receipt)))
}

/// Checks the form of a receipt, and gives back its node.
fn check(order: &Order, arrival: &Arrival, unknown: &Unknown) -> Result<Id, Refusal> {
    let mut faults = Faults::new();
    let mut seen = BTreeSet::new();
    let mut nodes = BTreeSet::new();
    for (place, arrived) in arrival.lines.iter().enumerate() {
        let at = |field: &str| format!("/lines/{place}/{field}");
        let fresh = seen.insert(arrived.line);
        faults.require(fresh, at("line"), "line-repeated", "a receipt names a line once");
        let Some(line) = order.line(arrived.line) else {
            let detail = format!("the order has no line {}", arrived.line);
            faults.add(at("line"), "line-unknown", detail);
            continue;
        };
        nodes.insert(&line.node);
        for (field, value, before) in [
            ("accepted", arrived.accepted, line.accepted),
            ("rejected", arrived.rejected, line.rejected),
        ] {
            let bounded = value >= 0 && value <= LIMIT.saturating_sub(before);
            faults.require(bounded, at(field), "out-of-range", "0 to 10^15 in all");
        }
        let something = arrived.accepted != 0 || arrived.rejected != 0;
        let detail = "nothing of this line came: leave it out";
        faults.require(something, format!("/lines/{place}"), "nothing-received", detail);
    }
    let node = match (&arrival.node, nodes.len()) {
        (Some(node), _) => Some(node.clone()),
        (None, 1) => nodes.into_iter().next().cloned(),
        (None, _) => None,
    };
    let detail = "the lines go to several nodes: name the one to which they came";
    faults.require(node.is_some(), "/node", "node-required", detail);
    if let Some(node) = node.as_ref().filter(|node| unknown.nodes.contains(*node)) {
        faults.add("/node", "node-unknown", format!("there is no node `{node}`"));
    }
    faults.check()?;
    node.ok_or_else(|| Refusal::invalid(vec![Fault::new("/node", "node-required", detail)]))
}

/// Over-receipt tolerance is 0.
fn check_open(order: &Order, arrival: &Arrival) -> Result<(), Refusal> {
    let mut faults = Vec::new();
    for (place, arrived) in arrival.lines.iter().enumerate() {
        let open = order.line(arrived.line).map_or(0, |line| line.open);
        if arrived.accepted > open {
            let detail = format!("{open} of line {} are open", arrived.line);
            faults.push(Fault::new(format!("/lines/{place}/accepted"), "over-receipt", detail));
        }
    }
    if faults.is_empty() {
        return Ok(());
    }
    let detail = "more was accepted than is open; reject the rest or have it ordered";
    Err(Refusal::conflict("over-receipt", detail).with_faults(faults))
}

fn book(line: &mut OrderLine, accepted: Quantity, rejected: Quantity, today: Day) {
    line.accepted = line.accepted.saturating_add(accepted);
    line.rejected = line.rejected.saturating_add(rejected);
    line.open = line.open.saturating_sub(accepted);
    if accepted > 0 {
        line.last_receipt = Some(today);
    }
    fill(&mut line.schedule, accepted);
}

/// Takes a quantity out of a schedule, the earliest day first.
fn fill(schedule: &mut Vec<ScheduleEntry>, quantity: Quantity) {
    let mut left = quantity;
    for entry in schedule.iter_mut() {
        let taken = left.min(entry.quantity);
        entry.quantity = entry.quantity.saturating_sub(taken);
        left = left.saturating_sub(taken);
    }
    schedule.retain(|entry| entry.quantity > 0);
}
