//! What planning keeps of other domains' events, so that its effects rest on events and its own
//! records alone: items, channels, nodes, ordered units and the last pegging of each item.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tradewind_kernel::events::inventory::{ChannelSet, Holding, ItemSet, OrderChanged, Usable};
use tradewind_kernel::{Calendar, Day, Decision, Id, Money, Quantity};

use crate::keys;

/// An item, of `inventory.item-set`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Its name.
    pub name: String,
    /// List price by channel.
    pub list_prices: BTreeMap<Id, Money>,
}

impl From<ItemSet> for Item {
    fn from(set: ItemSet) -> Self {
        Self { name: set.name, list_prices: set.list_prices }
    }
}

/// A channel, of `inventory.channel-set`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Channel {
    /// 1 is the highest.
    pub priority: u32,
    /// Its nodes in order; its demand falls on the first.
    pub nodes: Vec<Id>,
}

impl From<ChannelSet> for Channel {
    fn from(set: ChannelSet) -> Self {
        Self { priority: set.priority, nodes: set.nodes }
    }
}

/// A node, of `inventory.node-set`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Node {
    /// Its working days.
    pub calendar: Calendar,
    /// Open days from arrival to use.
    pub receiving_days: u32,
}

/// The last pegging of an item, of the last part of `inventory.item-pegged`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Pegged {
    /// Supply that nobody holds.
    pub left_over: Vec<Usable>,
    /// What protections hold.
    pub held: Vec<Holding>,
}

/// A line of a customer order, as far as promotions need it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct OrderedLine {
    pub sku: Id,
    pub wanted: Day,
    pub quantity: Quantity,
}

/// A customer order as it was last counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Order {
    pub channel: Id,
    pub lines: Vec<OrderedLine>,
}

/// Counts an order's lines by item, channel and wanted day, in place of what was counted of it
/// before. Risk is not judged here: the pegging that follows the order does that.
#[must_use]
pub fn count_order(before: Option<&Order>, change: &OrderChanged) -> Decision {
    let lines = match change.cancelled {
        true => Vec::new(),
        false => change
            .lines
            .iter()
            .map(|line| OrderedLine {
                sku: line.sku.clone(),
                wanted: line.wanted,
                quantity: line.quantity,
            })
            .collect(),
    };
    let after = Order { channel: change.channel.clone(), lines };
    let mut deltas: BTreeMap<(String, String), Quantity> = BTreeMap::new();
    for (order, sign) in before.map(|order| (order, -1)).into_iter().chain([(&after, 1)]) {
        for line in &order.lines {
            let key = (keys::demand(&line.sku), keys::demand_field(&order.channel, line.wanted));
            let delta = deltas.entry(key).or_default();
            *delta = delta.saturating_add(line.quantity.saturating_mul(sign));
        }
    }
    let mut decision = Decision::default();
    for ((counters, field), delta) in deltas {
        decision.add(counters, field, delta);
    }
    if after.lines.is_empty() {
        decision.delete(keys::order(&change.order));
    } else {
        decision.put(keys::order(&change.order), &after);
    }
    decision
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_kernel::Instant;
    use tradewind_kernel::decision::Write;
    use tradewind_kernel::events::inventory::DemandLine;

    fn change(quantity: Quantity, cancelled: bool) -> OrderChanged {
        let line = DemandLine {
            line: 1,
            sku: "X".parse().unwrap(),
            quantity,
            wanted: "2026-12-18".parse().unwrap(),
            price: None,
        };
        OrderChanged {
            order: "O1".parse().unwrap(),
            channel: "amazon".parse().unwrap(),
            ordered_at: Instant::from_millis(0),
            cancelled,
            lines: vec![line],
            dropped: Vec::new(),
        }
    }

    #[test]
    fn only_the_difference_is_counted() {
        let delta = |decision: &Decision| {
            decision.writes.iter().find_map(|write| match write {
                Write::Add { counters, field, delta } => {
                    assert_eq!(
                        (counters.as_str(), field.as_str()),
                        ("planning:demand:X", "amazon:2026-12-18")
                    );
                    Some(*delta)
                }
                _ => None,
            })
        };
        let first = count_order(None, &change(10, false));
        assert_eq!(delta(&first), Some(10));
        let known = Order {
            channel: "amazon".parse().unwrap(),
            lines: vec![OrderedLine {
                sku: "X".parse().unwrap(),
                wanted: "2026-12-18".parse().unwrap(),
                quantity: 10,
            }],
        };
        for (quantity, cancelled, expected) in
            [(10, false, None), (4, false, Some(-6)), (4, true, Some(-10))]
        {
            assert_eq!(delta(&count_order(Some(&known), &change(quantity, cancelled))), expected);
        }
    }
}
