//! The promises that a cascade moved.

use std::collections::BTreeMap;

use tradewind_kernel::event::{Event, Payload};
use tradewind_kernel::events::inventory::{ItemPegged, PromiseMove};
use tradewind_kernel::{Id, Money};

use super::MovedPromise;

/// Promises that moved, the largest revenue first, then by order and line.
///
/// Several moves of a line are one, from the old day of the first to the new day of the last, with
/// the quantity of the last; one that came back is none. A line that had no promise because it was
/// new or changed was given one, and did not move.
#[must_use]
pub fn moved_promises(events: &[Event]) -> Vec<MovedPromise> {
    let mut moves: BTreeMap<(Id, u32), (PromiseMove, PromiseMove)> = BTreeMap::new();
    for event in events.iter().filter(|event| event.kind() == ItemPegged::TYPE) {
        let Ok(pegged) = event.read::<ItemPegged>() else { continue };
        for moved in pegged.moved {
            let place = (moved.order.clone(), moved.line);
            match moves.get_mut(&place) {
                Some((_, last)) => *last = moved,
                None => {
                    moves.insert(place, (moved.clone(), moved));
                }
            }
        }
    }
    let told = moves.into_values().filter(|(first, last)| {
        let is_given = first.first;
        !is_given && first.old_day != last.new_day
    });
    let mut promises: Vec<MovedPromise> =
        told.map(|(first, last)| moved_promise(&first, last)).collect();
    promises.sort_by(|one, other| {
        let revenue = |it: &MovedPromise| it.revenue.map(Money::value).unwrap_or_default();
        let place = |it: &MovedPromise| (it.order.clone(), it.line);
        revenue(other).cmp(&revenue(one)).then_with(|| place(one).cmp(&place(other)))
    });
    promises
}

fn moved_promise(first: &PromiseMove, last: PromiseMove) -> MovedPromise {
    let revenue = last.price.and_then(|price| price.times(last.quantity).ok());
    MovedPromise {
        order: last.order,
        line: last.line,
        channel: last.channel,
        sku: last.sku,
        quantity: last.quantity,
        old_day: first.old_day,
        new_day: last.new_day,
        revenue: revenue.map(Money::rounded),
    }
}
