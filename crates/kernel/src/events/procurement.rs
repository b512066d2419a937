//! Events of the procurement domain.
//!
//! Every event of an order carries the order as it is afterwards, so that a reader needs no other
//! source; the events differ in what happened.

use serde::{Deserialize, Serialize};

use super::payloads;
use crate::id::Id;
use crate::money::{Amount, Currency};
use crate::quantity::Quantity;
use crate::time::{Day, Instant};

/// How far a purchase order has come.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum OrderStatus {
    Draft,
    Submitted,
    Rejected,
    Approved,
    Released,
    Confirmed,
    Received,
    Closed,
    Cancelled,
}

/// An open part of a line: what is to come, when, and at what price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ScheduleEntry {
    /// The confirmed day, else the due day.
    pub day: Day,
    /// Open base units.
    pub quantity: Quantity,
}

/// A purchase order line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct OrderLine {
    pub line: u32,
    pub sku: Id,
    pub node: Id,
    /// Ordered base units.
    pub quantity: Quantity,
    /// Unit price in the order's currency.
    pub price: Amount,
    pub due: Day,
    pub accepted: Quantity,
    pub rejected: Quantity,
    pub cancelled: Quantity,
    /// `ordered − accepted − cancelled`; 0 when the order is closed or cancelled.
    pub open: Quantity,
    /// The open quantity by day; sums to `open`.
    pub schedule: Vec<ScheduleEntry>,
    /// The latest day of the newest confirmation, if there is one.
    pub confirmed: Option<Day>,
    /// A price that the supplier confirmed and that waits to be accepted.
    #[serde(default)]
    pub waiting_price: Option<Amount>,
    /// The day of the last receipt with accepted goods.
    #[serde(default)]
    pub last_receipt: Option<Day>,
}

/// A purchase order as it is after the event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct OrderState {
    pub order: Id,
    pub supplier: Id,
    pub currency: Currency,
    pub terms_days: u32,
    pub status: OrderStatus,
    /// The day on which it was released, in the tenant's zone.
    pub released: Option<Day>,
    pub raised_by: String,
    pub raised_at: Instant,
    pub lines: Vec<OrderLine>,
}

impl OrderState {
    /// Whether its open quantities are supply: released or later.
    #[must_use]
    pub fn is_supply(&self) -> bool {
        matches!(
            self.status,
            OrderStatus::Released | OrderStatus::Confirmed | OrderStatus::Received
        )
    }
}

/// What the plug-in for order approval said of an order, so that its approval explains itself.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Advice {
    /// The roles it asked for, whether or not the policy demands them too; none: no opinion.
    pub roles: Vec<String>,
    /// Why it asked for them.
    pub because: Option<String>,
    /// Why it gave no answer, where the policy lets the order pass without one.
    pub failed: Option<String>,
}

macro_rules! order_events {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {
        $($(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        pub struct $name {
            /// The order afterwards.
            #[serde(flatten)]
            pub order: OrderState,
        })+
    };
}

/// It was put before its approvers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderSubmitted {
    /// The order afterwards.
    #[serde(flatten)]
    pub order: OrderState,
    /// What the plug-in said.
    #[serde(default)]
    pub advice: Option<Advice>,
}

/// A confirmed price that waited was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceAccepted {
    /// The order afterwards.
    #[serde(flatten)]
    pub order: OrderState,
    /// What the plug-in said of the order at the new prices.
    #[serde(default)]
    pub advice: Option<Advice>,
}

order_events! {
    /// A draft was made.
    OrderDrafted,
    /// A step of its approval was given; the status says whether it was the last.
    OrderApproved,
    /// An approver said no.
    OrderRejected,
    /// It was released to the supplier.
    OrderReleased,
    /// What was open was dropped.
    OrderClosed,
    /// It was cancelled before anything was received.
    OrderCancelled,
}

/// What a confirmation changed in one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct LineChange {
    pub line: u32,
    pub sku: Id,
    pub node: Id,
    pub before: Vec<ScheduleEntry>,
    pub after: Vec<ScheduleEntry>,
    pub price_before: Amount,
    pub price_after: Amount,
}

/// The supplier confirmed days, quantities or prices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderConfirmed {
    /// The order afterwards.
    #[serde(flatten)]
    pub order: OrderState,
    /// What differs from before; empty when nothing does.
    pub changes: Vec<LineChange>,
}

/// What a receipt brought for one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct ReceivedLine {
    pub line: u32,
    pub sku: Id,
    pub accepted: Quantity,
    pub rejected: Quantity,
    /// Unit price of what was accepted, in the order's currency.
    pub price: Amount,
}

/// Goods of an order arrived at a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct OrderReceived {
    /// The order afterwards.
    #[serde(flatten)]
    pub order: OrderState,
    pub receipt: Id,
    pub node: Id,
    pub day: Day,
    pub received: Vec<ReceivedLine>,
}

/// The day of an open part has passed without a receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct OrderPastDue {
    pub order: Id,
    pub line: u32,
    pub supplier: Id,
    pub sku: Id,
    pub node: Id,
    pub day: Day,
    pub quantity: Quantity,
}

/// The approval policy was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct PolicySet {
    pub rules: serde_json::Value,
    /// What follows when the plug-in for order approval fails.
    #[serde(default)]
    pub plugin: serde_json::Value,
}

payloads! {
    OrderDrafted => "procurement.order-drafted",
    OrderSubmitted => "procurement.order-submitted",
    OrderApproved => "procurement.order-approved",
    OrderRejected => "procurement.order-rejected",
    OrderReleased => "procurement.order-released",
    OrderConfirmed => "procurement.order-confirmed",
    PriceAccepted => "procurement.price-accepted",
    OrderReceived => "procurement.order-received",
    OrderClosed => "procurement.order-closed",
    OrderCancelled => "procurement.order-cancelled",
    OrderPastDue => "procurement.order-past-due",
    PolicySet => "procurement.approval-policy-set",
}
