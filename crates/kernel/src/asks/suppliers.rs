//! Questions to suppliers: `wit/suppliers.wit`.

use serde::{Deserialize, Serialize};

use crate::calendar::Calendar;
use crate::events::suppliers::{Expedite, PriceBreak, SupplierStatus};
use crate::id::Id;
use crate::money::{Currency, Money};
use crate::quantity::Quantity;
use crate::ratio::Ratio;
use crate::time::Day;

/// Where a supplier stands. Rests on the supplier's record alone, so it is never behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Standing {
    pub supplier: Id,
    pub status: SupplierStatus,
    pub class: Option<String>,
    /// As it was entered.
    pub country: Option<String>,
    pub currency: Currency,
    pub terms_days: u32,
    /// What open orders may sum to, for a conditional supplier.
    pub limit: Option<Money>,
}

/// What may still be spent with a supplier, and what is open with it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Commitment {
    /// What open orders may sum to, for a conditional supplier.
    pub limit: Option<Money>,
    /// What orders that are released and not closed have open, by currency.
    pub open: Vec<Money>,
}

/// What a supplier asks for an item, with what a buyer must know of the supplier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Offer {
    pub supplier: Id,
    pub status: SupplierStatus,
    pub calendar: Calendar,
    pub terms_days: u32,
    /// 0 to 100; none without data.
    pub score: Option<Ratio>,
    /// Deviation of the measured lead time in days; none without data.
    pub lead_time_deviation: Option<Ratio>,
    pub sku: Id,
    pub price: Money,
    pub lead_time_days: u32,
    pub minimum: Quantity,
    pub multiple: Quantity,
    pub maximum: Option<Quantity>,
    pub breaks: Vec<PriceBreak>,
    pub expedite: Option<Expedite>,
    pub from: Option<Day>,
    pub until: Option<Day>,
}
