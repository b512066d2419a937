//! The decision of a reserve: what is granted from where, under which guards.

use std::collections::BTreeMap;
use std::rc::Rc;

use tradewind_kernel::events::inventory::{Allocation, Reserved, ReservedLine};
use tradewind_kernel::refusal::{Fault, Faults};
use tradewind_kernel::{Decision, Id, Instant, NewEvent, Quantity, Refusal};

use super::{
    Claim, Mode, Reservation, ReservationLine, ReservationStatus, ReserveBody, ReservedWithUse,
    Strategy,
};
use crate::backorder::{Ordered, backordered, is_short};
use crate::demand;
use crate::guards;
use crate::keys;
use crate::network::Network;
use crate::shelf::{Shelf, channel as channel_counter, claimed};
use crate::split::{self, deal, split};

/// What a reserve rests on.
#[derive(Debug)]
pub struct Context {
    /// The id that it gets.
    pub id: Id,
    /// Now.
    pub now: Instant,
    /// The network.
    pub network: Rc<Network>,
    /// The shelves of all items that are known.
    pub shelves: BTreeMap<Id, Shelf>,
    /// The channel of the order it names, if that is known.
    pub order_channel: Option<Id>,
    /// What that order's lines are for of each item, claimed and shipped units included, and how
    /// much of it is open; empty unless a shortage may stay open there.
    pub ordered: BTreeMap<Id, Ordered>,
}

fn check(body: &ReserveBody, context: &Context) -> Result<(), Refusal> {
    let mut faults = Faults::new();
    let known = context.network.channels.contains_key(&body.channel);
    faults.require(known, "/channel", "channel-unknown", "there is no such channel");
    let other = context.order_channel.as_ref().is_some_and(|channel| *channel != body.channel);
    faults.require(!other, "/channel", "channel-differs", "the order is of another channel");
    for (place, line) in body.lines.iter().enumerate() {
        if !context.shelves.contains_key(&line.sku) {
            let detail = format!("there is no item `{}`", line.sku);
            faults.add(format!("/lines/{place}/sku"), "sku-unknown", detail);
        }
    }
    faults.check()
}

/// What every line was granted, in the lines' order, and for each item the whole.
pub(crate) struct Granted {
    pub lines: Vec<Vec<split::Allocation>>,
    pub items: BTreeMap<Id, Vec<split::Allocation>>,
}

pub(crate) fn grant(body: &ReserveBody, context: &Context) -> Granted {
    let mut lines = vec![Vec::new(); body.lines.len()];
    let mut items = BTreeMap::new();
    for (sku, shelf) in &context.shelves {
        let places: Vec<usize> =
            (0..body.lines.len()).filter(|place| body.lines[*place].sku == *sku).collect();
        let wanted: Vec<Quantity> =
            places.iter().map(|place| body.lines[*place].quantity).collect();
        let total = wanted.iter().copied().fold(0, Quantity::saturating_add);
        let (view, limits) = (shelf.view(&body.channel), shelf.limits(&body.channel));
        let chosen = split(&view, body.channel.as_str(), &limits, total, body.strategy.into());
        for (place, dealt) in places.into_iter().zip(deal(&chosen, &wanted)) {
            lines[place] = dealt;
        }
        items.insert(sku.clone(), chosen);
    }
    Granted { lines, items }
}

/// Base units of some allocations.
pub(crate) fn sum(allocations: &[split::Allocation]) -> Quantity {
    allocations.iter().map(|one| one.quantity).fold(0, Quantity::saturating_add)
}

fn insufficient(body: &ReserveBody, context: &Context, granted: &Granted) -> Refusal {
    let mut faults = Vec::new();
    for (place, (line, dealt)) in body.lines.iter().zip(&granted.lines).enumerate() {
        if sum(dealt) < line.quantity {
            let shelf = context.shelves.get(&line.sku);
            let available = shelf.map_or(0, |shelf| shelf.available(&body.channel).0);
            let (sku, asked, left) = (&line.sku, line.quantity, sum(dealt));
            let detail = if left == available {
                format!("{available} of `{sku}` available, {asked} asked for")
            } else {
                format!(
                    "{left} of `{sku}` left for this line, {asked} asked for; {available} available \
                     in all"
                )
            };
            faults.push(Fault::new(format!("/lines/{place}"), "insufficient-stock", detail));
        }
    }
    let detail = match faults.as_slice() {
        [only] => only.detail.clone(),
        many => format!("{} lines are short; see errors", many.len()),
    };
    Refusal::conflict("insufficient-stock", detail).with_faults(faults)
}

/// Reserves.
///
/// # Errors
/// 422 naming every fault (`channel-unknown`, `channel-differs`, `sku-unknown`); 409
/// `insufficient-stock` naming every short line and what is available.
pub fn reserve(body: &ReserveBody, context: &Context) -> Result<Decision, Refusal> {
    check(body, context)?;
    let granted = grant(body, context);
    let (rests, still_open) = backordered(body, context, &granted);
    let nothing = granted.items.values().all(Vec::is_empty) && rests.iter().all(|rest| *rest == 0);
    if is_short(body, &granted) && (body.mode == Mode::AllOrNothing || nothing) {
        return Err(insufficient(body, context, &granted));
    }
    let mut decision = granting(body, context, &granted, &rests);
    decision.guards.extend(still_open);
    Ok(decision)
}

/// Grants this much, and leaves the rests open.
fn granting(
    body: &ReserveBody,
    context: &Context,
    granted: &Granted,
    rests: &[Quantity],
) -> Decision {
    let mut decision = Decision::default();
    let mut used = BTreeMap::new();
    for (sku, chosen) in granted.items.iter().filter(|(_, chosen)| !chosen.is_empty()) {
        let Some(shelf) = context.shelves.get(sku) else { continue };
        decision.guards.extend(guards::of(shelf, &body.channel, chosen));
        let counter = shelf.own_protection(&body.channel).map(|one| one.counter.clone());
        claim(&mut decision, sku, body, chosen, counter.as_deref());
        used.extend(counter.map(|counter| (sku.clone(), counter)));
    }
    let expires = body.expires_in_seconds.map(|seconds| context.now.plus_seconds(seconds));
    let lines = body.lines.iter().zip(&granted.lines).zip(rests).map(|((line, dealt), rest)| {
        let claim = |one: &split::Allocation| {
            Some(Claim {
                node: one.node.parse().ok()?,
                quantity: one.quantity,
                open: one.quantity,
                shipped: 0,
            })
        };
        ReservationLine {
            sku: line.sku.clone(),
            quantity: line.quantity,
            claims: dealt.iter().filter_map(claim).collect(),
            backordered: *rest,
            used: used.get(&line.sku).cloned(),
        }
    });
    let reservation = Reservation {
        order: body.order.clone(),
        channel: body.channel.clone(),
        status: ReservationStatus::Open,
        expires,
        lines: lines.collect(),
    };
    made(decision, reservation, context, used)
}

/// Reserves on records and counters that may be stale, if the commit can tell that they are not:
/// `None` when the order, a shortage or another strategy than `node-order` wants them read. The
/// commit checks the records; the guards say that the live counters give this very split.
#[must_use]
pub fn reserve_as_remembered(body: &ReserveBody, context: &Context) -> Option<Decision> {
    let renewed = context.shelves.values().all(Shelf::is_renewed);
    if body.strategy != Strategy::NodeOrder || !renewed {
        return None;
    }
    check(body, context).ok()?;
    let granted = grant(body, context);
    if is_short(body, &granted) {
        return None;
    }
    let mut in_order = Vec::new();
    for (sku, chosen) in &granted.items {
        in_order.extend(guards::in_order(context.shelves.get(sku)?, &body.channel, chosen)?);
    }
    let mut decision = granting(body, context, &granted, &vec![0; body.lines.len()]);
    decision.guards.extend(in_order);
    Some(decision)
}

fn made(
    mut decision: Decision,
    reservation: Reservation,
    context: &Context,
    used: BTreeMap<Id, String>,
) -> Decision {
    let id = &context.id;
    decision.put(keys::reservation(id), &reservation);
    decision.index(keys::RESERVATIONS, id.as_str(), 0);
    if let Some(expires) = reservation.expires {
        decision.index(keys::EXPIRY, id.as_str(), expires.millis());
    }
    let lines = reservation.lines.iter().map(|line| ReservedLine {
        sku: line.sku.clone(),
        quantity: line.quantity,
        allocations: line
            .claims
            .iter()
            .map(|one| Allocation { node: one.node.clone(), quantity: one.quantity })
            .collect(),
        backordered: line.backordered,
    });
    let reserved = Reserved {
        reservation: id.clone(),
        order: reservation.order.clone().unwrap_or_else(|| id.clone()),
        channel: reservation.channel.clone(),
        lines: lines.collect(),
        expires: reservation.expires,
    };
    decision.event(NewEvent::of(id.as_str(), &ReservedWithUse { reserved, used }));
    let body = reservation.body(id, "");
    decision.created(format!("/inventory/v1/reservations/{id}"), body)
}

fn claim(
    decision: &mut Decision,
    sku: &Id,
    body: &ReserveBody,
    chosen: &[split::Allocation],
    used: Option<&str>,
) {
    let (stock, total) = (keys::stock(sku), sum(chosen));
    for one in chosen {
        decision.add(&stock, claimed(&one.node), one.quantity);
    }
    decision.add(&stock, channel_counter(&body.channel), total);
    if let Some(counter) = used {
        decision.add(&stock, counter, total);
    }
    if let Some(order) = &body.order {
        decision.add(keys::fills(sku), demand::claimed(order), total);
    }
    decision.mark(sku.as_str());
}
