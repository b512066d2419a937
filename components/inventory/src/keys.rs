//! Every key that inventory owns, relative to the tenant.

use tradewind_kernel::Id;

/// The record of an item's master data.
#[must_use]
pub fn item(sku: &Id) -> String {
    format!("inventory:item:{sku}")
}

/// The index of all items.
pub const ITEMS: &str = "inventory:items";

/// The record with all channels, nodes and lanes: one version covers what might not exist.
pub const NETWORK: &str = "inventory:network";

/// The record of a node as it was put: its version is the node's `ETag`.
#[must_use]
pub fn node(node: &Id) -> String {
    format!("inventory:node:{node}")
}

/// The record of a lane as it was put.
#[must_use]
pub fn lane(from: &Id, to: &Id) -> String {
    format!("inventory:lane:{from}:{to}")
}

/// The record of a channel as it was put.
#[must_use]
pub fn channel(channel: &Id) -> String {
    format!("inventory:channel:{channel}")
}

/// The record of an item's allocation plan: its protections and what inbound supply serves them.
/// Only items that ever had a protection have one.
#[must_use]
pub fn plan(sku: &Id) -> String {
    format!("inventory:plan:{sku}")
}

/// The record of a protection as it was put; it stays after the end, so that a new protection of
/// that id counts anew.
#[must_use]
pub fn protection(id: &Id) -> String {
    format!("inventory:protection:{id}")
}

/// The index of protections that were not ended.
pub const PROTECTIONS: &str = "inventory:protections";

/// The counters of an item's places, claims and protections.
#[must_use]
pub fn stock(sku: &Id) -> String {
    format!("inventory:stock:{sku}")
}

/// The counters of what orders have claimed and shipped of an item.
#[must_use]
pub fn fills(sku: &Id) -> String {
    format!("inventory:fills:{sku}")
}

/// The set of an item's demand lines.
#[must_use]
pub fn demand(sku: &Id) -> String {
    format!("inventory:demand:{sku}")
}

/// The counters that say how heavy an item is, without reading its lines.
#[must_use]
pub fn lines(sku: &Id) -> String {
    format!("inventory:lines:{sku}")
}

/// The counter of how many demand lines an item has.
pub const LINE_COUNT: &str = "lines";

/// The set of the promises of an item's demand lines.
#[must_use]
pub fn promises(sku: &Id) -> String {
    format!("inventory:promises:{sku}")
}

/// The set of an item's open purchase lines.
#[must_use]
pub fn supply(sku: &Id) -> String {
    format!("inventory:supply:{sku}")
}

/// A line's name in the sets of demand, promises and supply.
#[must_use]
pub fn line(order: &Id, line: u32) -> String {
    format!("{order}/{line}")
}

/// The index of items that have, or had, demand, supply or a protection: those that the turn of
/// the day and a change of the network concern; the latter concerns stock as well.
pub const PEGGED: &str = "inventory:pegged";

/// The record of a customer order as stated.
#[must_use]
pub fn order(order: &Id) -> String {
    format!("inventory:order:{order}")
}

/// The index of customer orders.
pub const ORDERS: &str = "inventory:orders";

/// The record of a reservation.
#[must_use]
pub fn reservation(id: &Id) -> String {
    format!("inventory:reservation:{id}")
}

/// The index of reservations.
pub const RESERVATIONS: &str = "inventory:reservations";

/// The index of reservations that will expire, by milliseconds.
pub const EXPIRY: &str = "inventory:expiry";

/// The record of the last day that was turned to.
pub const DAY: &str = "inventory:day";
