//! Late parts: what of a purchase line a cause moved to a later day.
//!
//! An expedite option hurries exactly that. The events of the cause say what moved; planning keeps
//! it by correlation and item until the item's pegging under the same correlation is judged.

use serde::{Deserialize, Serialize};
use tradewind_kernel::events::procurement::{OrderConfirmed, OrderPastDue, ScheduleEntry};
use tradewind_kernel::{Day, Id, Money, Quantity};

/// An open part of a purchase line that is late.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct LatePart {
    pub order: Id,
    pub line: u32,
    pub supplier: Id,
    pub sku: Id,
    pub node: Id,
    /// The day it was planned for.
    pub old_day: Day,
    /// The day it is planned for now.
    pub new_day: Day,
    /// Everything of the line that is planned for the new day.
    pub quantity: Quantity,
    /// The line's unit price; none when the cause does not say it.
    pub price: Option<Money>,
}

/// What a confirmation moved to a later day, line by line.
#[must_use]
pub fn of_confirmation(event: &OrderConfirmed) -> Vec<LatePart> {
    let mut parts = Vec::new();
    for change in &event.changes {
        for (old_day, new_day, quantity) in later(&change.before, &change.after) {
            parts.push(LatePart {
                order: event.order.order.clone(),
                line: change.line,
                supplier: event.order.supplier.clone(),
                sku: change.sku.clone(),
                node: change.node.clone(),
                old_day,
                new_day,
                quantity,
                price: Some(Money { amount: change.price_after, currency: event.order.currency }),
            });
        }
    }
    parts
}

/// A part whose day has passed: it slid to today.
#[must_use]
pub fn of_past_due(event: &OrderPastDue) -> LatePart {
    LatePart {
        order: event.order.clone(),
        line: event.line,
        supplier: event.supplier.clone(),
        sku: event.sku.clone(),
        node: event.node.clone(),
        old_day: event.day,
        new_day: event.day,
        quantity: event.quantity,
        price: None,
    }
}

/// Matches two schedules unit by unit in the order of days, and gives for each day of the second
/// that holds later units: the latest day that they had, that day, and all that is planned for it.
fn later(before: &[ScheduleEntry], after: &[ScheduleEntry]) -> Vec<(Day, Day, Quantity)> {
    let sorted = |schedule: &[ScheduleEntry]| {
        let mut schedule: Vec<(Day, Quantity)> =
            schedule.iter().map(|entry| (entry.day, entry.quantity.max(0))).collect();
        schedule.sort_unstable();
        schedule
    };
    let mut old = sorted(before).into_iter();
    let mut current = old.next();
    let mut found: Vec<(Day, Day, Quantity)> = Vec::new();
    for (new_day, quantity) in sorted(after) {
        let mut missing = quantity;
        while let (Some((old_day, rest)), true) = (current, missing > 0) {
            let matched = rest.min(missing);
            missing = missing.saturating_sub(matched);
            let left = rest.saturating_sub(matched);
            current = if left > 0 { Some((old_day, left)) } else { old.next() };
            if old_day >= new_day || matched == 0 {
                continue;
            }
            match found.last_mut().filter(|(_, day, _)| *day == new_day) {
                Some(last) => last.0 = last.0.max(old_day),
                None => found.push((old_day, new_day, quantity)),
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(entries: &[(&str, Quantity)]) -> Vec<ScheduleEntry> {
        let entry = |(day, quantity): &(&str, Quantity)| ScheduleEntry {
            day: day.parse().unwrap(),
            quantity: *quantity,
        };
        entries.iter().map(entry).collect()
    }

    #[test]
    fn only_what_moved_to_a_later_day_is_late() {
        let due = [("2026-12-15", 200)];
        for (before, after, expected) in [
            (&due[..], &[("2026-12-29", 200)][..], "2026-12-15>2026-12-29 200"),
            (&due[..], &[("2026-12-15", 200)][..], ""),
            (&due[..], &[("2026-12-10", 200)][..], ""),
            (&due[..], &[("2026-12-15", 120), ("2026-12-29", 80)][..], "2026-12-15>2026-12-29 80"),
            (
                &[("2026-12-10", 50), ("2026-12-20", 50)][..],
                &[("2026-12-29", 100)][..],
                "2026-12-20>2026-12-29 100",
            ),
            (&[][..], &[("2026-12-29", 100)][..], ""),
        ] {
            let rows: Vec<String> = later(&schedule(before), &schedule(after))
                .iter()
                .map(|(old, new, quantity)| format!("{old}>{new} {quantity}"))
                .collect();
            assert_eq!(rows.join(", "), expected);
        }
    }
}
