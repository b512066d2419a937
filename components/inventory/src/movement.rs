//! Movements: goods go from one place to another, and every item sums to zero over all places.
//!
//! A movement is never edited or deleted; a mistake is corrected by another one, which names it. What
//! is claimed does not move, and nothing becomes negative.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
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
    /// The movement of the same item that it corrects.
    #[serde(default)]
    pub corrects: Option<Id>,
}

/// What a movement rests on.
#[derive(Debug)]
pub struct Context<'a> {
    /// The id that it gets.
    pub id: Id,
    /// The item is known.
    pub item_known: bool,
    /// The item of the movement that it corrects, if there is such a movement.
    pub corrected: Option<Id>,
    /// The item before.
    pub before: &'a Situation,
}

fn check(body: &MovementBody, context: &Context<'_>) -> Result<(), Refusal> {
    let (mut faults, shelf) = (Faults::new(), &context.before.shelf);
    faults.require(context.item_known, "/sku", "sku-unknown", "there is no such item");
    for (pointer, place) in [("/from", &body.from), ("/to", &body.to)] {
        if let Place::At(at) = place {
            let known = shelf.network.nodes.contains_key(&at.node);
            let detail = format!("there is no node `{}`", at.node);
            faults.require(known, format!("{pointer}/node"), "node-unknown", &detail);
        }
    }
    if let Some(corrected) = &body.corrects {
        let detail = format!("there is no movement `{corrected}` of this item");
        let known = context.corrected.as_ref() == Some(&body.sku);
        faults.require(known, "/corrects", "movement-unknown", &detail);
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

/// Writes a movement, here and in the decision: counters, the record by which it is read, and event.
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
    decision.put(keys::movement(&told.movement), told);
    decision.event(NewEvent::of(told.movement.as_str(), told));
}

/// Moves goods.
///
/// # Errors
/// 422 naming every fault: `sku-unknown`, `node-unknown`, `same-place`, `movement-unknown`; 409 `stock-negative` when
/// more would leave a place than is there and unclaimed, `stock-too-large` beyond 10^15 at a node or
/// in transit, beyond [`OUTSIDE_LIMIT`] elsewhere.
pub fn post(body: &MovementBody, context: &Context<'_>) -> Result<Decision, Refusal> {
    check(body, context)?;
    let Context { id, before, .. } = context;
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
        reason: body.reason.clone(),
        corrects: body.corrects.clone(),
    };
    let mut after = Situation::clone(before);
    moved(&mut decision, &mut after.shelf, &told, (&body.from, &body.to));
    if body.from.sellable_node().or(body.to.sellable_node()).is_some() {
        after.renew(before.shelf.plan.as_ref(), &mut decision);
        decision.events.extend(availability_changed(before, &after));
        decision.mark(body.sku.as_str());
    }
    Ok(decision.created(format!("/inventory/v1/movements/{id}"), shown(&told)))
}

/// A movement as it is answered.
#[must_use]
pub fn shown(told: &StockMoved) -> Value {
    let place = |text: &str| Place::of_text(text).map_or(Value::from(text), |place| json!(place));
    json!({
        "id": told.movement, "sku": told.sku, "quantity": told.quantity,
        "from": place(&told.from), "to": place(&told.to), "reason": told.reason,
        "document": told.document, "corrects": told.corrects,
    })
}
