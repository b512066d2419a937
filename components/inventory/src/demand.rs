//! Demand: the lines of customer orders, and what of them is claimed or shipped.
//!
//! Claims of a reservation that names an order fill the order's lines of that item, in line order.
//! They are counted once, by order and item; which line they fill is derived.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tradewind_kernel::{Day, Id, Instant, Money, Quantity};

use crate::keys;
use crate::pegging::LineView;

/// A demand line of an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Demand {
    /// The customer order.
    pub order: Id,
    /// Its line.
    pub line: u32,
    /// The channel that sold it.
    pub channel: Id,
    /// Ordered base units, claimed and shipped ones included.
    pub quantity: Quantity,
    /// The day it is wanted.
    pub wanted: Day,
    /// When the order was placed.
    pub ordered_at: Instant,
    /// Unit price.
    pub price: Option<Money>,
}

impl Demand {
    /// Its name in the item's sets.
    #[must_use]
    pub fn member(&self) -> String {
        keys::line(&self.order, self.line)
    }
}

/// A demand line and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenLine<'a> {
    /// The line.
    pub demand: &'a Demand,
    /// Claimed and not shipped.
    pub claimed: Quantity,
    /// Shipped.
    pub shipped: Quantity,
    /// Neither.
    pub open: Quantity,
}

impl OpenLine<'_> {
    /// As pegging sees it.
    #[must_use]
    pub fn view(&self) -> LineView {
        LineView {
            order: self.demand.order.to_string(),
            line: self.demand.line,
            channel: self.demand.channel.to_string(),
            wanted: self.demand.wanted,
            ordered_at: self.demand.ordered_at,
            open: self.open,
        }
    }
}

/// The counter of an order's open claims of an item.
#[must_use]
pub fn claimed(order: &Id) -> String {
    format!("claimed:{order}")
}

/// The counter of what an order was shipped of an item.
#[must_use]
pub fn shipped(order: &Id) -> String {
    format!("shipped:{order}")
}

/// Deals claims and shipments out to the lines, by order and line: shipped units first.
#[must_use]
pub fn open_lines<'a>(
    demand: &'a BTreeMap<String, Demand>,
    fills: &BTreeMap<String, Quantity>,
) -> Vec<OpenLine<'a>> {
    let mut lines: Vec<&Demand> = demand.values().collect();
    lines.sort_by(|left, right| (&left.order, left.line).cmp(&(&right.order, right.line)));
    let fill = |field: String| fills.get(&field).copied().unwrap_or(0).max(0);
    let mut rest: Option<(&Id, Quantity, Quantity)> = None;
    let mut open = Vec::with_capacity(lines.len());
    for line in lines {
        let (mut shipped, mut claimed) = match rest {
            Some((order, shipped, claimed)) if *order == line.order => (shipped, claimed),
            _ => (fill(shipped(&line.order)), fill(claimed(&line.order))),
        };
        let of_shipped = shipped.min(line.quantity);
        let of_claimed = claimed.min(line.quantity.saturating_sub(of_shipped));
        shipped = shipped.saturating_sub(of_shipped);
        claimed = claimed.saturating_sub(of_claimed);
        rest = Some((&line.order, shipped, claimed));
        let filled = of_shipped.saturating_add(of_claimed);
        let left = line.quantity.saturating_sub(filled);
        open.push(OpenLine { demand: line, claimed: of_claimed, shipped: of_shipped, open: left });
    }
    open
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_fill_lines_in_line_order() {
        let line = |line, quantity| Demand {
            order: "O".parse().unwrap(),
            line,
            channel: "web".parse().unwrap(),
            quantity,
            wanted: "2026-12-01".parse().unwrap(),
            ordered_at: Instant::from_millis(0),
            price: None,
        };
        let demand: BTreeMap<String, Demand> =
            [line(2, 5), line(10, 4), line(1, 3)].map(|one| (one.member(), one)).into();
        let fills = BTreeMap::from([("shipped:O".to_owned(), 4), ("claimed:O".to_owned(), 5)]);
        let lines: Vec<_> = open_lines(&demand, &fills)
            .iter()
            .map(|one| (one.demand.line, one.shipped, one.claimed, one.open))
            .collect();
        assert_eq!(lines, [(1, 3, 0, 0), (2, 1, 4, 0), (10, 0, 1, 3)]);
    }
}
