//! Every Redis key that suppliers owns, relative to the tenant.

use tradewind_kernel::Id;

/// Suppliers by id: an index by name.
pub const SUPPLIERS: &str = "suppliers:suppliers";

/// Suppliers by the earliest day on which one of their lines may count differently: an index by
/// day number. The day may be early, never late.
pub const TURNING: &str = "suppliers:turning";

/// A supplier.
#[must_use]
pub fn supplier(id: &Id) -> String {
    format!("suppliers:supplier:{id}")
}

/// One offer, by itself: its version is its `ETag`.
#[must_use]
pub fn offer(supplier: &Id, sku: &Id) -> String {
    format!("suppliers:offer:{supplier}:{sku}")
}

/// All offers of an item as one set, by supplier: whoever reads it rests on one version, which
/// also covers the offers that are not there.
#[must_use]
pub fn offers_of_item(sku: &Id) -> String {
    format!("suppliers:offers-of-item:{sku}")
}

/// The items that a supplier offers: an index by name.
#[must_use]
pub fn items_of_supplier(supplier: &Id) -> String {
    format!("suppliers:items-of-supplier:{supplier}")
}

/// The purchase order lines on which a supplier's score rests: a set, by [`line`].
#[must_use]
pub fn lines(supplier: &Id) -> String {
    format!("suppliers:lines:{supplier}")
}

/// The name of a line in [`lines`] and [`turns`].
#[must_use]
pub fn line(order: &Id, line: u32) -> String {
    format!("{order}/{line}")
}

/// A supplier's lines by the next day on which they count differently: an index by day number.
#[must_use]
pub fn turns(supplier: &Id) -> String {
    format!("suppliers:turns:{supplier}")
}

/// What is open of each of a supplier's orders: a set, by order.
#[must_use]
pub fn open_orders(supplier: &Id) -> String {
    format!("suppliers:open-orders:{supplier}")
}

/// The sums over a supplier's lines.
#[must_use]
pub fn record_of(supplier: &Id) -> String {
    format!("suppliers:record:{supplier}")
}
