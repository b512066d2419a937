//! Every key that finance owns in the store, relative to the tenant.

use tradewind_kernel::{Currency, Day, Id};

/// The tenant's settings, where every domain keeps them (`tradewind_shell::settings::key`).
pub const SETTINGS: &str = "finance:settings";

/// The record of when and to what the opening cash was last set.
pub const OPENING: &str = "finance:opening";

/// The record of the day up to which past days have slid: the newest turn of the day.
pub const TODAY: &str = "finance:today";

/// The set of parcels of cash, a member per week: see [`crate::board`].
pub const BOARD: &str = "finance:board";

/// The record of one rate, as it was put.
#[must_use]
pub fn rate(base: Currency, currency: Currency, day: Day) -> String {
    format!("finance:rate:{base}:{currency}:{day}")
}

/// The set of all rates to a base currency, a member per currency.
#[must_use]
pub fn curves(base: Currency) -> String {
    format!("finance:curves:{base}")
}

/// The open part of a purchase order.
#[must_use]
pub fn purchase(order: &Id) -> String {
    format!("finance:purchase:{order}")
}

/// A customer order: what of it is open, claimed and shipped.
#[must_use]
pub fn demand(order: &Id) -> String {
    format!("finance:demand:{order}")
}

/// When goods that arrive at a node can be used.
#[must_use]
pub fn node(node: &Id) -> String {
    format!("finance:node:{node}")
}

/// When and how much a channel pays out.
#[must_use]
pub fn channel(channel: &Id) -> String {
    format!("finance:channel:{channel}")
}

/// The index of purchase orders with something open for a node.
#[must_use]
pub fn node_orders(node: &Id) -> String {
    format!("finance:node-orders:{node}")
}

/// The index of customer orders of a channel that are expected to pay.
#[must_use]
pub fn channel_orders(channel: &Id) -> String {
    format!("finance:channel-orders:{channel}")
}
