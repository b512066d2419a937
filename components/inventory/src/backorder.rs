//! Backorders: what a partial reserve was not granted stays open on the lines of the order that it
//! names, if these are open for that much.

use tradewind_kernel::Quantity;
use tradewind_kernel::decision::{Floor, Guard, Sum, Term};

use crate::demand;
use crate::keys;
use crate::reservation::{Context, Granted, Mode, ReserveBody, grant, sum};

/// What an order's lines are for of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ordered {
    /// Ordered, claimed and shipped units included.
    pub quantity: Quantity,
    /// Neither claimed nor shipped.
    pub open: Quantity,
}

/// Whether a line was granted less than it asks for.
pub(crate) fn is_short(body: &ReserveBody, granted: &Granted) -> bool {
    body.lines.iter().zip(&granted.lines).any(|(line, dealt)| sum(dealt) < line.quantity)
}

/// Whether what the named order has open matters: only to a part of a shortage that may stay open.
#[must_use]
pub fn may_backorder(body: &ReserveBody, context: &Context) -> bool {
    let channel = context.network.channels.get(&body.channel);
    body.mode == Mode::Partial
        && context.order_channel.is_some()
        && channel.is_some_and(|channel| channel.backorder)
        && is_short(body, &grant(body, context))
}

/// What of every line stays open on the order's lines: its rest, if they are open for that much
/// beside what is granted; and the guards that they still are when it is committed.
pub(crate) fn backordered(
    body: &ReserveBody,
    context: &Context,
    granted: &Granted,
) -> (Vec<Quantity>, Vec<Guard>) {
    let mut rests = vec![0; body.lines.len()];
    let mut guards = Vec::new();
    let Some(order) = &body.order else { return (rests, guards) };
    for (sku, ordered) in &context.ordered {
        let mut taken = granted.items.get(sku).map_or(0, |chosen| sum(chosen));
        let mut stays = false;
        let lines = body.lines.iter().zip(&granted.lines).zip(&mut rests);
        for ((line, dealt), rest) in lines.filter(|((line, _), _)| line.sku == *sku) {
            let lacks = line.quantity.saturating_sub(sum(dealt));
            if lacks > 0 && ordered.open.saturating_sub(taken) >= lacks {
                (*rest, stays) = (lacks, true);
                taken = taken.saturating_add(lacks);
            }
        }
        if stays {
            let term = |field| Term::Counter { counters: keys::fills(sku), field, times: -1 };
            let terms = vec![term(demand::claimed(order)), term(demand::shipped(order))];
            let constant = ordered.quantity.saturating_sub(taken);
            guards.push(Guard { sum: Sum { constant, terms }, floor: Floor::Value(0) });
        }
    }
    (rests, guards)
}
