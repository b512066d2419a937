//! Filing: an order's record and everything by which it is found.
//!
//! Every command ends here, so the indexes cannot drift from the records: they are the difference
//! between the order before and after.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use tradewind_kernel::decision::Decision;
use tradewind_kernel::money::Amount;
use tradewind_kernel::{Currency, Day};

use crate::keys;
use crate::order::{Order, name};

/// What is open of an order: a member of [`keys::open_orders`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenOrder {
    /// The order's currency.
    pub currency: Currency,
    /// Open quantities at their prices.
    pub amount: Amount,
}

/// Writes an order as it is afterwards, and answers 200 with it.
///
/// # Panics
/// When a line's numbers do not add up: a defect of ours, which must not be committed.
#[must_use]
pub fn file(before: Option<&Order>, after: &Order) -> Decision {
    assert!(after.is_consistent(), "order {}: a line does not add up", after.id);
    let mut decision = Decision::default();
    decision.put(keys::order(&after.id), after);
    file_status(&mut decision, before, after);
    let (old, new) = (before.map(entries).unwrap_or_default(), entries(after));
    for (line, day) in old.difference(&new) {
        decision.unindex(keys::SCHEDULED, keys::entry(&after.id, *line, *day));
    }
    for (line, day) in new.difference(&old) {
        decision.index(keys::SCHEDULED, keys::entry(&after.id, *line, *day), number(*day));
    }
    let open = keys::open_orders(&after.supplier);
    match (before.and_then(open_order), open_order(after)) {
        (old, Some(new)) if old.as_ref() != Some(&new) => {
            decision.put_member(open, after.id.as_str(), &new);
        }
        (Some(_), None) => decision.delete_member(open, after.id.as_str()),
        _ => {}
    }
    decision.reply(200, after.answer(0))
}

fn file_status(decision: &mut Decision, before: Option<&Order>, after: &Order) {
    let id = after.id.as_str();
    let (supplier, status) = (&after.supplier, name(after.status));
    match before.map(|order| name(order.status)) {
        Some(old) if old == status => return,
        Some(old) => {
            decision.unindex(keys::orders(None, Some(old)), id);
            decision.unindex(keys::orders(Some(supplier), Some(old)), id);
        }
        None => {
            decision.index(keys::orders(None, None), id, 0);
            decision.index(keys::orders(Some(supplier), None), id, 0);
        }
    }
    decision.index(keys::orders(None, Some(status)), id, 0);
    decision.index(keys::orders(Some(supplier), Some(status)), id, 0);
}

/// The open parts that are on order.
fn entries(order: &Order) -> BTreeSet<(u32, Day)> {
    if !order.is_on_order() {
        return BTreeSet::new();
    }
    let of = |line: &tradewind_kernel::events::procurement::OrderLine| {
        let number = line.line;
        line.schedule.iter().map(move |entry| (number, entry.day)).collect::<Vec<_>>()
    };
    order.lines.iter().flat_map(of).collect()
}

fn open_order(order: &Order) -> Option<OpenOrder> {
    let amount = order.open_amount();
    let open = order.is_on_order() && !amount.value().is_zero();
    open.then_some(OpenOrder { currency: order.currency, amount: amount.amount })
}

/// The day's number, by which [`keys::SCHEDULED`] sorts.
#[must_use]
pub fn number(day: Day) -> i64 {
    day.since(Day::from(chrono::NaiveDate::default()))
}
