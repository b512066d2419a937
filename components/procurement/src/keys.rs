//! Every Redis key that procurement owns, relative to the tenant.

use tradewind_kernel::{Currency, Day, Id};

/// The approval policy.
pub const APPROVAL_POLICY: &str = "procurement:policy:approval";

/// Open schedule entries of released orders by day: an index of [`entry`] by day number. An entry
/// leaves it when it is told to be past due, so it is told once.
pub const SCHEDULED: &str = "procurement:scheduled";

/// An item that exists.
#[must_use]
pub fn item(sku: &Id) -> String {
    format!("procurement:item:{sku}")
}

/// A node that exists.
#[must_use]
pub fn node(node: &Id) -> String {
    format!("procurement:node:{node}")
}

/// A purchase order.
#[must_use]
pub fn order(id: &Id) -> String {
    format!("procurement:order:{id}")
}

/// Orders by id, all or those of a supplier, a status, or both: indexes by name.
#[must_use]
pub fn orders(supplier: Option<&Id>, status: Option<&str>) -> String {
    let supplier = supplier.map(|id| format!(":of:{id}")).unwrap_or_default();
    let status = status.map(|name| format!(":in:{name}")).unwrap_or_default();
    format!("procurement:orders{supplier}{status}")
}

/// What is open with a supplier: a set of amounts by order.
#[must_use]
pub fn open_orders(supplier: &Id) -> String {
    format!("procurement:open-orders:{supplier}")
}

/// The receipts of an order: a set by receipt.
#[must_use]
pub fn receipts(order: &Id) -> String {
    format!("procurement:receipts:{order}")
}

/// The rates of a currency to the base currency, by day.
#[must_use]
pub fn rates(currency: Currency) -> String {
    format!("procurement:rates:{currency}")
}

/// The name of an open schedule entry in [`SCHEDULED`].
#[must_use]
pub fn entry(order: &Id, line: u32, day: Day) -> String {
    format!("{order}/{line}/{day}")
}

/// The order, line and day of such a name.
#[must_use]
pub fn parse_entry(name: &str) -> Option<(Id, u32, Day)> {
    let mut parts = name.split('/');
    let (order, line, day) = (parts.next()?, parts.next()?, parts.next()?);
    Some((order.parse().ok()?, line.parse().ok()?, day.parse().ok()?))
}
