//! Events of the procurement domain.
//!
//! Every event of an order carries the order as it is afterwards, so that a reader needs no other
//! source; the events differ in what happened.

use serde::{Deserialize, Serialize};

use super::payloads;
use crate::event::{Event, Payload};
use crate::id::Id;
use crate::money::{Amount, Currency};
use crate::published::Actor;
use crate::quantity::Quantity;
use crate::role::StepRole;
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct OrderState {
    pub order: Id,
    pub supplier: Id,
    pub currency: Currency,
    pub terms_days: u32,
    pub status: OrderStatus,
    /// The day on which it was released, in the tenant's zone.
    pub released: Option<Day>,
    #[schema(value_type = Actor)]
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
    pub roles: Vec<StepRole>,
    /// Why it asked for them.
    #[schema(format = "free-text")]
    pub because: Option<String>,
    /// Why it gave no answer, where the policy lets the order pass without one.
    #[schema(format = "free-text")]
    pub failed: Option<String>,
}

macro_rules! order_events {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {
        $($(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
        pub struct $name {
            /// The order afterwards.
            #[serde(flatten)]
            pub order: OrderState,
        })+
    };
}

/// It was put before its approvers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct OrderSubmitted {
    /// The order afterwards.
    #[serde(flatten)]
    pub order: OrderState,
    /// What the plug-in said.
    #[serde(default)]
    pub advice: Option<Advice>,
}

/// A confirmed price that waited was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct OrderConfirmed {
    /// The order afterwards.
    #[serde(flatten)]
    pub order: OrderState,
    /// What differs from before; empty when nothing does.
    pub changes: Vec<LineChange>,
}

/// What a receipt brought for one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
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

/// The types that tell the whole state of a released order.
const TELLS_STATE: [&str; 6] = [
    OrderReleased::TYPE,
    OrderConfirmed::TYPE,
    PriceAccepted::TYPE,
    OrderReceived::TYPE,
    OrderClosed::TYPE,
    OrderCancelled::TYPE,
];

/// Whether an event tells the whole state of a released order.
#[must_use]
pub fn tells_state(event: &Event) -> bool {
    TELLS_STATE.contains(&event.kind())
}

/// What remains of an event once a later one of the same order is known. The later one has told the
/// state anew; of a receipt the goods remain, with the later state. An event that does not read
/// remains as it is.
#[must_use]
pub fn remains(mut event: Event, later: &Event) -> Option<Event> {
    if !tells_state(&event) || !tells_state(later) {
        return Some(event);
    }
    if !event.is::<OrderReceived>() {
        return None;
    }
    let read = || -> serde_json::Result<serde_json::Value> {
        let order = serde_json::from_value(later.what.data.clone())?;
        serde_json::to_value(OrderReceived { order, ..event.read()? })
    };
    if let Ok(data) = read() {
        event.what.data = data;
    }
    Some(event)
}

/// The day of an open part has passed without a receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct ApprovalPolicySet {
    #[schema(value_type = Vec<Object>)]
    pub rules: serde_json::Value,
    /// What follows when the plug-in for order approval fails.
    #[serde(default)]
    #[schema(value_type = Object)]
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
    ApprovalPolicySet => "procurement.approval-policy-set",
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn event(sequence: u64, kind: &str, open: i64, further: &Value) -> Event {
        let mut data = json!({
            "order": "PO-1", "supplier": "S1", "currency": "USD", "terms_days": 30,
            "status": "received", "released": "2026-11-01", "raised_by": "b",
            "raised_at": "2026-11-01T00:00:00Z",
            "lines": [{
                "line": 1, "sku": "X", "node": "OWN", "quantity": 12, "price": "7.50",
                "due": "2026-12-15", "accepted": 12 - open, "rejected": 0, "cancelled": 0,
                "open": open, "schedule": [], "confirmed": null,
            }],
        });
        if let (Some(data), Some(further)) = (data.as_object_mut(), further.as_object()) {
            data.extend(further.clone());
        }
        serde_json::from_value(json!({
            "sequence": sequence, "domain": "procurement", "type": kind, "subject": "PO-1",
            "data": data, "at": "2026-12-01T09:00:00.000Z", "by": "ann", "correlation": "c",
        }))
        .unwrap()
    }

    fn receipt(sequence: u64, open: i64, accepted: i64) -> Event {
        let received = json!({
            "receipt": format!("R{sequence}"), "node": "OWN", "day": "2026-12-01", "received": [
                { "line": 1, "sku": "X", "accepted": accepted, "rejected": 0, "price": "7.50" },
            ],
        });
        event(sequence, OrderReceived::TYPE, open, &received)
    }

    #[test]
    fn goods_remain_of_a_receipt_and_the_state_is_the_later_one() {
        let (first, later) = (receipt(1, 7, 5), receipt(2, 3, 4));
        let left: OrderReceived = remains(first.clone(), &later).unwrap().read().unwrap();
        let [wanted, last] = [first, later].map(|event| event.read::<OrderReceived>().unwrap());
        assert_eq!(left, OrderReceived { order: last.order, ..wanted });
    }

    #[test]
    fn nothing_remains_of_a_state_that_was_told_anew() {
        let confirmed = event(1, OrderConfirmed::TYPE, 12, &json!({ "changes": [] }));
        assert_eq!(remains(confirmed.clone(), &receipt(2, 7, 5)), None);
        let past_due = event(2, OrderPastDue::TYPE, 12, &json!({}));
        assert_eq!(remains(confirmed.clone(), &past_due), Some(confirmed));
    }

    #[test]
    fn what_does_not_read_remains() {
        let mut senseless = receipt(1, 7, 5);
        senseless.what.data["received"] = json!("five");
        assert_eq!(remains(senseless.clone(), &receipt(2, 3, 4)), Some(senseless));
    }
}
