//! Movements: goods go from one place to another, and every item sums to zero over all places.
//!
//! A movement is never edited or deleted; a mistake is corrected by another one. What is claimed
//! does not move, and nothing becomes negative.

use serde::{Deserialize, Serialize};
use serde_json::json;
use tradewind_kernel::decision::{Floor, Guard, Sum};
use tradewind_kernel::events::inventory::StockMoved;
use tradewind_kernel::quantity::LIMIT;
use tradewind_kernel::refusal::Faults;
use tradewind_kernel::{Decision, Id, NewEvent, Quantity, Refusal};
use utoipa::ToSchema;

use crate::keys;
use crate::place::Place;
use crate::shelf::{Shelf, claimed, term};
use crate::situation::{Situation, availability_changed};

/// What may have come from or gone to a place outside, in all: it only ever adds up, corrections
/// included, so there is room for several mistakes; and it is below 2^53, so that it is exact in
/// the doubles that Redis scripts calculate with.
pub const OUTSIDE_LIMIT: Quantity = 8 * LIMIT;

/// What a caller says of a movement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "sku": "SHIRT-M",
    "quantity": 3,
    "from": { "node": "OWN", "status": "sellable" },
    "to": { "node": "OWN", "status": "damaged" },
    "reason": "water damage",
}))]
pub struct MovementBody {
    /// The item.
    pub sku: Id,
    /// Base units.
    #[schema(value_type = i64, minimum = 1)]
    pub quantity: Quantity,
    /// Whence.
    pub from: Place,
    /// Whither.
    pub to: Place,
    /// Why.
    #[serde(default)]
    #[schema(max_length = 1000)]
    pub reason: Option<String>,
}

fn check(body: &MovementBody, item_known: bool, shelf: &Shelf) -> Result<(), Refusal> {
    let mut faults = Faults::new();
    faults.require(item_known, "/sku", "sku-unknown", "there is no such item");
    for (pointer, place) in [("/from", &body.from), ("/to", &body.to)] {
        if let Place::At(at) = place {
            let known = shelf.network.nodes.contains_key(&at.node);
            let detail = format!("there is no node `{}`", at.node);
            faults.require(known, format!("{pointer}/node"), "node-unknown", &detail);
        }
    }
    faults.require(body.from != body.to, "/to", "same-place", "goods move to another place");
    faults.check()
}

/// What can leave a place: of sellable stock what is not claimed.
fn leaves(shelf: &Shelf, place: &Place) -> Option<(Quantity, Sum)> {
    if !place.is_counted() {
        return None;
    }
    let mut terms = vec![term(&shelf.sku, place.counter(), 1)];
    let mut there = shelf.counter(&place.counter());
    if let Some(node) = place.sellable_node() {
        terms.push(term(&shelf.sku, claimed(node), -1));
        there = shelf.free(node.as_str());
    }
    Some((there, Sum { constant: 0, terms }))
}

/// Writes a movement, here and in the decision: counters and event.
pub fn moved(
    decision: &mut Decision,
    shelf: &mut Shelf,
    told: &StockMoved,
    ends: (&Place, &Place),
) {
    let stock = keys::stock(&told.sku);
    decision.add(&stock, ends.0.counter(), told.quantity.saturating_neg());
    decision.add(&stock, ends.1.counter(), told.quantity);
    shelf.add(ends.0.counter(), told.quantity.saturating_neg());
    shelf.add(ends.1.counter(), told.quantity);
    decision.event(NewEvent::of(told.movement.as_str(), told));
}

/// Moves goods.
///
/// # Errors
/// 422 naming every fault: `sku-unknown`, `node-unknown`, `same-place`; 409 `stock-negative` when
/// more would leave a place than is there and unclaimed, `stock-too-large` beyond 10^15 at a node or
/// in transit, beyond [`OUTSIDE_LIMIT`] elsewhere.
pub fn post(
    body: &MovementBody,
    id: &Id,
    item_known: bool,
    before: &Situation,
) -> Result<Decision, Refusal> {
    check(body, item_known, &before.shelf)?;
    let mut decision = Decision::default();
    if let Some((there, mut sum)) = leaves(&before.shelf, &body.from) {
        if there < body.quantity {
            let place = body.from.text();
            let detail =
                format!("{there} of `{}` can leave {place}, not {}", body.sku, body.quantity);
            return Err(Refusal::conflict("stock-negative", detail));
        }
        sum.constant = body.quantity.saturating_neg();
        decision.guards.push(Guard { sum, floor: Floor::Value(0) });
    }
    for (place, sign) in [(&body.from, -1), (&body.to, 1)] {
        let moved = body.quantity.saturating_mul(sign);
        let (limit, most) =
            if place.is_counted() { (LIMIT, "10^15") } else { (OUTSIDE_LIMIT, "8·10^15") };
        if before.shelf.counter(&place.counter()).saturating_add(moved).abs() > limit {
            let detail = format!("more than {most} of `{}` at {}", body.sku, place.text());
            return Err(Refusal::conflict("stock-too-large", detail));
        }
    }
    let told = StockMoved {
        movement: id.clone(),
        sku: body.sku.clone(),
        quantity: body.quantity,
        from: body.from.text(),
        to: body.to.text(),
        document: None,
    };
    let mut after = before.clone();
    moved(&mut decision, &mut after.shelf, &told, (&body.from, &body.to));
    if body.from.sellable_node().or(body.to.sellable_node()).is_some() {
        after.renew(before.shelf.plan.as_ref(), &mut decision);
        decision.events.extend(availability_changed(before, &after));
        decision.mark(body.sku.as_str());
    }
    let view = json!({
        "id": id, "sku": body.sku, "quantity": body.quantity, "from": body.from, "to": body.to,
        "reason": body.reason,
    });
    Ok(decision.created(format!("/inventory/v1/movements/{id}"), view))
}
