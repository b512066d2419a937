//! Supply still to come: the open purchase lines of an item, as procurement last told them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tradewind_kernel::events::procurement::{OrderLine, OrderState, ScheduleEntry};
use tradewind_kernel::money::{Amount, Currency};
use tradewind_kernel::{Day, Id, Quantity};

use crate::keys;
use crate::network::Network;
use crate::pegging::{Supply, SupplyKind};

/// An open purchase line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SupplyLine {
    /// The purchase order.
    pub order: Id,
    /// Its line.
    pub line: u32,
    /// Who delivers.
    pub supplier: Id,
    /// Where it arrives.
    pub node: Id,
    /// Unit price.
    pub price: Amount,
    /// The order's currency.
    pub currency: Currency,
    /// The open quantity by day: the confirmed one, else the due day.
    pub schedule: Vec<ScheduleEntry>,
}

impl SupplyLine {
    /// The line as supply; none when nothing of it is to come.
    #[must_use]
    pub fn of(order: &OrderState, line: &OrderLine) -> Option<Self> {
        let open = order.is_supply() && line.open > 0;
        open.then(|| Self {
            order: order.order.clone(),
            line: line.line,
            supplier: order.supplier.clone(),
            node: line.node.clone(),
            price: line.price,
            currency: order.currency,
            schedule: line.schedule.clone(),
        })
    }

    /// Its name in the item's set.
    #[must_use]
    pub fn member(&self) -> String {
        keys::line(&self.order, self.line)
    }

    /// By planned day, what is to come.
    #[must_use]
    pub fn by_day(&self) -> BTreeMap<Day, Quantity> {
        let mut days: BTreeMap<Day, Quantity> = BTreeMap::new();
        for entry in self.schedule.iter().filter(|entry| entry.quantity > 0) {
            let total = days.entry(entry.day).or_default();
            *total = total.saturating_add(entry.quantity);
        }
        days
    }

    /// As pegging sees it: `ORDER/LINE/DAY` by planned day, usable when the node has received it.
    pub fn supplies<'a>(&'a self, network: &'a Network) -> impl Iterator<Item = Supply> + 'a {
        self.by_day().into_iter().map(|(day, quantity)| Supply {
            id: format!("{}/{}/{day}", self.order, self.line),
            node: self.node.to_string(),
            day: network.usable_day(&self.node, day),
            quantity,
            kind: SupplyKind::Inbound,
        })
    }
}
