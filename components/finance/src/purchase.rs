//! Purchase: what a purchase order will still cost, and when.
//!
//! Each open part of a released order is due so many days (the terms) after the day on which its
//! goods can be used; a day of use that has passed slides to today. Goods that were accepted are
//! due the terms after their receipt, until invoices say better.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use tradewind_kernel::events::procurement::{OrderReceived, OrderState};
use tradewind_kernel::money::Amount;
use tradewind_kernel::{Calendar, Currency, Day, Decision, Id, Money, Quantity};

use crate::flow::{Change, Flow, Hook, difference, outgoing};
use crate::keys;

/// When goods that arrive at a node can be used.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct NodeDays {
    /// Its working days.
    pub calendar: Calendar,
    /// Open days from arrival to use.
    pub receiving_days: u32,
}

/// The nodes, as far as they are known; an unknown one works every day.
pub type Nodes = BTreeMap<Id, NodeDays>;

/// An open part of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenPart {
    /// Where it goes.
    pub node: Id,
    /// When it arrives: confirmed, else due.
    pub day: Day,
    /// Base units.
    pub quantity: Quantity,
    /// Unit price.
    pub price: Amount,
}

/// The open part of a purchase order, and the flows it has on the board.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Purchase {
    /// The order's currency.
    pub currency: Currency,
    /// Days from use or receipt to payment.
    pub terms_days: u32,
    /// What is to come.
    pub open: Vec<OpenPart>,
    /// What of it is on the board.
    pub flows: Vec<Flow>,
}

impl Purchase {
    /// The purchase that an order's state means, without flows yet.
    #[must_use]
    pub fn of(order: &OrderState) -> Self {
        let lines = order.lines.iter().filter(|_| order.is_supply());
        let open = lines.flat_map(|line| {
            line.schedule.iter().filter(|part| part.quantity > 0).map(|part| OpenPart {
                node: line.node.clone(),
                day: part.day,
                quantity: part.quantity,
                price: line.price,
            })
        });
        let (currency, terms_days) = (order.currency, order.terms_days);
        Self { currency, terms_days, open: open.collect(), flows: Vec::new() }
    }

    /// The nodes it goes to.
    #[must_use]
    pub fn nodes(&self) -> BTreeSet<&Id> {
        self.open.iter().map(|part| &part.node).collect()
    }

    /// The same with its flows by these nodes' calendars.
    #[must_use]
    pub fn paid_by(mut self, nodes: &Nodes) -> Self {
        let bare = NodeDays::default();
        let flows = self.open.iter().filter_map(|part| {
            let node = nodes.get(&part.node).unwrap_or(&bare);
            let anchor = node.calendar.usable_day(part.day, node.receiving_days);
            let hook = Hook { anchor, offset_days: self.terms_days, slides: true };
            outgoing(hook, part.quantity, money(part.price, self.currency))
        });
        self.flows = flows.collect();
        self
    }
}

fn money(price: Amount, currency: Currency) -> Money {
    Money { amount: price, currency }
}

/// The flows of what a receipt accepted; they stay, whatever becomes of the order.
#[must_use]
pub fn received(event: &OrderReceived) -> Vec<Change> {
    let hook = Hook { anchor: event.day, offset_days: event.order.terms_days, slides: false };
    let price = |price| money(price, event.order.currency);
    let lines = event.received.iter();
    let flows = lines.filter_map(|line| outgoing(hook, line.accepted, price(line.price)));
    flows.map(Change::Begins).collect()
}

/// Writes a purchase and says which flows begin and end.
pub fn replace(
    decision: &mut Decision,
    order: &Id,
    before: Option<&Purchase>,
    after: &Purchase,
) -> Vec<Change> {
    let none: Vec<Flow> = Vec::new();
    let old_nodes = before.map(Purchase::nodes).unwrap_or_default();
    let nodes = after.nodes();
    for node in old_nodes.difference(&nodes) {
        decision.unindex(keys::node_orders(node), order.as_str());
    }
    for node in nodes.difference(&old_nodes) {
        decision.index(keys::node_orders(node), order.as_str(), 0);
    }
    match before {
        Some(_) if after.open.is_empty() => decision.delete(keys::purchase(order)),
        Some(old) if old == after => {}
        None if after.open.is_empty() => {}
        _ => decision.put(keys::purchase(order), after),
    }
    difference(before.map_or(&none, |old| &old.flows), &after.flows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use tradewind_kernel::calendar::WeekDay;

    fn order(status: &str, schedule: serde_json::Value) -> OrderState {
        serde_json::from_value(json!({
            "order": "PO-1", "supplier": "S1", "currency": "USD", "terms_days": 30,
            "status": status, "released": "2026-11-01", "raised_by": "b",
            "raised_at": "2026-11-01T00:00:00Z",
            "lines": [{
                "line": 1, "sku": "X", "node": "OWN", "quantity": 200, "price": "7.50",
                "due": "2026-12-15", "accepted": 0, "rejected": 0, "cancelled": 0, "open": 200,
                "schedule": schedule, "confirmed": null,
            }],
        }))
        .unwrap()
    }

    fn due(purchase: &Purchase) -> Vec<(String, String)> {
        let flows = purchase.flows.iter();
        flows.map(|flow| (flow.due().to_string(), flow.amount.to_string())).collect()
    }

    #[test]
    fn an_open_part_is_paid_the_terms_after_its_day_of_use() {
        let one = json!([{ "day": "2026-12-15", "quantity": 200 }]);
        let split = json!([
            { "day": "2026-12-19", "quantity": 50 }, { "day": "2026-12-29", "quantity": 150 },
        ]);
        let weekdays = Calendar {
            open: WeekDay::ALL.into_iter().take(5).collect(),
            closed: BTreeSet::default(),
        };
        let days = NodeDays { calendar: weekdays, receiving_days: 1 };
        let nodes = Nodes::from([("OWN".parse().unwrap(), days)]);
        let every_day = Nodes::new();
        for (status, schedule, nodes, wanted) in [
            ("confirmed", &one, &every_day, vec![("2027-01-14", "-1500.00")]),
            ("draft", &one, &every_day, vec![]),
            ("approved", &one, &every_day, vec![]),
            // A Saturday: used on Tuesday, one receiving day after Monday.
            (
                "released",
                &split,
                &nodes,
                vec![("2027-01-21", "-375.00"), ("2027-01-29", "-1125.00")],
            ),
        ] {
            let purchase = Purchase::of(&order(status, schedule.clone())).paid_by(nodes);
            let wanted: Vec<(String, String)> =
                wanted.into_iter().map(|(day, sum)| (day.to_owned(), sum.to_owned())).collect();
            assert_eq!(due(&purchase), wanted, "{status}");
        }
    }

    #[test]
    fn a_purchase_without_an_open_part_is_forgotten() {
        let schedule = json!([{ "day": "2026-12-15", "quantity": 200 }]);
        let before = Purchase::of(&order("released", schedule)).paid_by(&Nodes::new());
        let after = Purchase::of(&order("closed", json!([]))).paid_by(&Nodes::new());
        let mut decision = Decision::default();
        let id: Id = "PO-1".parse().unwrap();
        let changes = replace(&mut decision, &id, Some(&before), &after);
        assert_eq!(changes, [Change::Ends(before.flows[0].clone())]);
        assert_eq!(decision.writes.len(), 2);
    }
}
