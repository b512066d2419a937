//! Leaving a reservation: claims are shipped to the customer, given back, or expire.
//!
//! A claim leaves exactly once: the reservation's record says what is still open, and whoever
//! commits second finds it changed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tradewind_kernel::event::Payload;
use tradewind_kernel::events::inventory::{
    Allocation, LeavingLine, ReservationReleased, ReservationShipped,
};
use tradewind_kernel::refusal::Fault;
use tradewind_kernel::{Day, Decision, Id, Instant, NewEvent, Quantity, Refusal};
use utoipa::ToSchema;

use crate::demand;
use crate::keys;
use crate::place::{Elsewhere, Place};
use crate::reservation::{ItemQuantity, Reservation, ReservationStatus};
use crate::shelf::{channel, claimed, sellable};

/// What leaves: these lines, or everything that is open.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({ "lines": [{ "sku": "SHIRT-M", "quantity": 1 }], "reason": "the rest follows" }))]
pub struct LeavingBody {
    /// Base units by item; everything unless said.
    #[schema(max_items = 256)]
    pub lines: Option<Vec<ItemQuantity>>,
    /// Why.
    #[schema(max_length = 1000)]
    pub reason: Option<String>,
}

/// `inventory.reservation-released`, with the protections whose use it gave back, for the verifier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleasedWithUse {
    /// What everybody reads.
    #[serde(flatten)]
    pub released: ReservationReleased,
    /// The counter of the protection that each item's claims had used.
    #[serde(default)]
    pub used: BTreeMap<Id, String>,
}

impl Payload for ReleasedWithUse {
    const TYPE: &'static str = ReservationReleased::TYPE;
}

/// Where claims go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Shipped,
    Released,
    Expired,
}

/// Takes what is asked for out of the open claims: by item, what each node gives.
fn take(
    next: &mut Reservation,
    body: &LeavingBody,
    fate: Fate,
) -> Result<BTreeMap<Id, Vec<Allocation>>, Refusal> {
    let mut asked: BTreeMap<Id, (usize, Quantity)> = BTreeMap::new();
    for (place, line) in body.lines.iter().flatten().enumerate() {
        let (_, total) = asked.entry(line.sku.clone()).or_insert((place, 0));
        *total = total.saturating_add(line.quantity);
    }
    let mut left: BTreeMap<Id, Vec<Allocation>> = BTreeMap::new();
    for line in &mut next.lines {
        let mut rest = match (&body.lines, asked.get(&line.sku)) {
            (None, _) => Quantity::MAX,
            (Some(_), asked) => asked.map_or(0, |(_, rest)| *rest),
        };
        for claim in line.claims.iter_mut().filter(|claim| claim.open > 0) {
            let quantity = claim.open.min(rest);
            if quantity == 0 {
                continue;
            }
            rest = rest.saturating_sub(quantity);
            claim.open = claim.open.saturating_sub(quantity);
            if fate == Fate::Shipped {
                claim.shipped = claim.shipped.saturating_add(quantity);
            }
            let gives = left.entry(line.sku.clone()).or_default();
            gives.push(Allocation { node: claim.node.clone(), quantity });
        }
        if let Some((_, total)) = asked.get_mut(&line.sku) {
            *total = rest;
        }
    }
    let faults: Vec<Fault> = asked
        .iter()
        .filter(|(_, (_, rest))| *rest > 0)
        .map(|(sku, (place, rest))| {
            let detail = format!("{rest} of `{sku}` more than the reservation holds");
            Fault::new(format!("/lines/{place}"), "more-than-reserved", detail)
        })
        .collect();
    if faults.is_empty() {
        return Ok(left);
    }
    let detail = "more than the reservation holds; see errors";
    Err(Refusal::conflict("more-than-reserved", detail).with_faults(faults))
}

fn settle(next: &mut Reservation, fate: Fate) {
    let mut claims = next.lines.iter().flat_map(|line| &line.claims);
    if claims.clone().any(|claim| claim.open > 0) {
        return;
    }
    let shipped = claims.clone().any(|claim| claim.shipped > 0);
    let wholly = claims.all(|claim| claim.shipped == claim.quantity);
    next.status = match fate {
        _ if shipped && wholly => ReservationStatus::Shipped,
        _ if shipped => ReservationStatus::Closed,
        Fate::Expired => ReservationStatus::Expired,
        Fate::Shipped | Fate::Released => ReservationStatus::Released,
    };
}

fn write(
    decision: &mut Decision,
    old: &Reservation,
    sku: &Id,
    gives: &[Allocation],
    fate: Fate,
) -> Quantity {
    let stock = keys::stock(sku);
    let total = gives.iter().map(|one| one.quantity).fold(0, Quantity::saturating_add);
    for one in gives {
        let less = one.quantity.saturating_neg();
        decision.add(&stock, claimed(&one.node), less);
        if fate == Fate::Shipped {
            decision.add(&stock, sellable(&one.node), less);
        }
    }
    let less = total.saturating_neg();
    decision.add(&stock, channel(&old.channel), less);
    if let Some(order) = &old.order {
        decision.add(keys::fills(sku), demand::claimed(order), less);
        if fate == Fate::Shipped {
            decision.add(keys::fills(sku), demand::shipped(order), total);
        }
    }
    if fate == Fate::Shipped {
        decision.add(&stock, Place::Elsewhere(Elsewhere::Customer).counter(), total);
    } else {
        if let Some(counter) = used(old).get(sku) {
            decision.add(&stock, counter, less);
        }
        decision.mark(sku.as_str());
    }
    total
}

fn used(reservation: &Reservation) -> BTreeMap<Id, String> {
    let lines = reservation.lines.iter();
    lines.filter_map(|line| Some((line.sku.clone(), line.used.clone()?))).collect()
}

fn leave(
    old: &Reservation,
    id: &Id,
    body: &LeavingBody,
    fate: Fate,
) -> Result<(Decision, Reservation, Vec<LeavingLine>), Refusal> {
    if old.status != ReservationStatus::Open {
        let detail = "nothing of it is claimed any more";
        return Err(Refusal::conflict("reservation-ended", detail));
    }
    let mut next = old.clone();
    let left = take(&mut next, body, fate)?;
    if left.is_empty() && fate == Fate::Shipped {
        return Err(Refusal::conflict("nothing-claimed", "it has no claims to ship"));
    }
    settle(&mut next, fate);
    let mut decision = Decision::default();
    decision.put(keys::reservation(id), &next);
    if next.status != ReservationStatus::Open {
        decision.unindex(keys::EXPIRY, id.as_str());
    }
    let mut lines = Vec::with_capacity(left.len());
    for (sku, allocations) in left {
        let quantity = write(&mut decision, old, &sku, &allocations, fate);
        lines.push(LeavingLine { sku, quantity, allocations });
    }
    Ok((decision, next, lines))
}

/// Ships claims to the customer.
///
/// # Errors
/// 409 `reservation-ended`, `reservation-expired`, `more-than-reserved`, `nothing-claimed`, in this
/// order.
pub fn ship(
    old: &Reservation,
    id: &Id,
    body: &LeavingBody,
    (now, day): (Instant, Day),
) -> Result<Decision, Refusal> {
    let open = old.status == ReservationStatus::Open;
    if open && old.expires.is_some_and(|expires| expires <= now) {
        return Err(Refusal::conflict("reservation-expired", "it has expired"));
    }
    let (mut decision, next, lines) = leave(old, id, body, Fate::Shipped)?;
    let told = ReservationShipped {
        reservation: id.clone(),
        order: old.order.clone().unwrap_or_else(|| id.clone()),
        channel: old.channel.clone(),
        day,
        lines,
    };
    decision.event(NewEvent::of(id.as_str(), &told));
    Ok(decision.reply(200, next.body(id, "")))
}

fn given_back(
    old: &Reservation,
    id: &Id,
    body: &LeavingBody,
    fate: Fate,
) -> Result<Decision, Refusal> {
    let (mut decision, next, lines) = leave(old, id, body, fate)?;
    let released = ReservationReleased {
        reservation: id.clone(),
        order: old.order.clone().unwrap_or_else(|| id.clone()),
        channel: old.channel.clone(),
        expired: fate == Fate::Expired,
        lines,
    };
    let told = ReleasedWithUse { released, used: used(old) };
    decision.event(NewEvent::of(id.as_str(), &told));
    Ok(decision.reply(200, next.body(id, "")))
}

/// Gives claims back.
///
/// # Errors
/// 409 `reservation-ended`, `more-than-reserved`, in this order.
pub fn release(old: &Reservation, id: &Id, body: &LeavingBody) -> Result<Decision, Refusal> {
    given_back(old, id, body, Fate::Released)
}

/// Gives all claims back because their time is over; what has ended or is not due only leaves the
/// list of what expires.
#[must_use]
pub fn expire(old: Option<&Reservation>, id: &Id, now: Instant) -> Decision {
    let due = old.filter(|one| one.expires.is_some_and(|expires| expires <= now));
    let expired =
        due.and_then(|one| given_back(one, id, &LeavingBody::default(), Fate::Expired).ok());
    expired.unwrap_or_else(|| {
        let mut decision = Decision::default();
        decision.unindex(keys::EXPIRY, id.as_str());
        decision
    })
}
