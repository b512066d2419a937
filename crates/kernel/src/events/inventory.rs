//! Events of the inventory domain.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::payloads;
use crate::calendar::Calendar;
use crate::id::Id;
use crate::money::Money;
use crate::published::{Code, GivenRatio, PlaceName, SupplyName};
use crate::quantity::Quantity;
use crate::ratio::Ratio;
use crate::time::{Day, Instant};

/// An item was made or changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct ItemSet {
    pub sku: Id,
    #[schema(format = "free-text")]
    pub name: String,
    #[schema(format = "free-text")]
    pub base_unit: String,
    pub weight_grams: Option<Quantity>,
    /// List price by channel.
    pub list_prices: BTreeMap<Id, Money>,
}

/// A node was made or changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct NodeSet {
    pub node: Id,
    #[schema(value_type = Code)]
    pub kind: String,
    pub calendar: Calendar,
    pub receiving_days: u32,
}

/// A lane was made or changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct LaneSet {
    pub from: Id,
    pub to: Id,
    pub days: u32,
    pub cost_per_unit: Option<Money>,
}

/// When and how much of its sales a channel pays out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Payout {
    /// Days from shipping (or the promised day) to the money; ten years at most.
    #[schema(maximum = 3650)]
    pub lag_days: u32,
    /// The share that the channel keeps, 0 to 1.
    #[schema(value_type = GivenRatio, default = "0")]
    pub fee: Ratio,
}

/// A channel was made or changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct ChannelSet {
    pub channel: Id,
    #[schema(value_type = Code)]
    pub kind: String,
    pub priority: u32,
    pub nodes: Vec<Id>,
    pub backorder: bool,
    pub payout: Payout,
}

/// Units of an item are kept for one channel in a window, both days inclusive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct ProtectionSet {
    pub protection: Id,
    pub sku: Id,
    pub channel: Id,
    pub quantity: Quantity,
    pub from: Day,
    pub until: Day,
    #[schema(format = "free-text")]
    pub reason: Option<String>,
    #[schema(format = "free-text")]
    pub owner: Option<String>,
}

/// A protection was ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct ProtectionEnded {
    pub protection: Id,
    pub sku: Id,
    pub channel: Id,
}

/// Goods moved. A place is `node/status`, or `supplier`, `customer`, `transit`, `loss`, `found`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct StockMoved {
    pub movement: Id,
    pub sku: Id,
    pub quantity: Quantity,
    #[schema(value_type = PlaceName)]
    pub from: String,
    #[schema(value_type = PlaceName)]
    pub to: String,
    /// The document that moved them: a receipt, a reservation, or nothing.
    pub document: Option<Id>,
    /// Why, if somebody said so.
    #[serde(default)]
    #[schema(format = "free-text")]
    pub reason: Option<String>,
    /// The movement that this one corrects.
    #[serde(default)]
    pub corrects: Option<Id>,
}

/// What one node gives to a reservation line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Allocation {
    pub node: Id,
    pub quantity: Quantity,
}

/// A line of a reservation, and what was granted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct ReservedLine {
    pub sku: Id,
    /// Asked for, base units.
    pub quantity: Quantity,
    pub allocations: Vec<Allocation>,
    /// Not granted, open on the order's line.
    pub backordered: Quantity,
}

/// Stock was claimed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Reserved {
    pub reservation: Id,
    pub order: Id,
    pub channel: Id,
    pub lines: Vec<ReservedLine>,
    pub expires: Option<Instant>,
}

/// Units of one item that left a reservation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct LeavingLine {
    pub sku: Id,
    pub quantity: Quantity,
    pub allocations: Vec<Allocation>,
}

/// Claimed stock was shipped to the customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct ReservationShipped {
    pub reservation: Id,
    pub order: Id,
    pub channel: Id,
    pub day: Day,
    pub lines: Vec<LeavingLine>,
}

/// Claims were given back, by a caller or because they expired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct ReservationReleased {
    pub reservation: Id,
    pub order: Id,
    pub channel: Id,
    pub expired: bool,
    pub lines: Vec<LeavingLine>,
}

/// A line of a customer order: demand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct DemandLine {
    pub line: u32,
    pub sku: Id,
    /// Ordered base units, claimed and shipped ones included.
    pub quantity: Quantity,
    pub wanted: Day,
    /// Unit price.
    pub price: Option<Money>,
}

/// A customer order was stated, changed or cancelled; `lines` is the whole of it afterwards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct OrderChanged {
    pub order: Id,
    pub channel: Id,
    pub ordered_at: Instant,
    pub cancelled: bool,
    pub lines: Vec<DemandLine>,
    /// Items that the order no longer has.
    pub dropped: Vec<Id>,
}

/// A promise that moved, either way. Quantity and revenue mean the unclaimed part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct PromiseMove {
    pub order: Id,
    pub line: u32,
    pub channel: Id,
    pub sku: Id,
    pub quantity: Quantity,
    pub wanted: Day,
    /// Null: unpromised.
    pub old_day: Option<Day>,
    pub new_day: Option<Day>,
    /// Unit price.
    pub price: Option<Money>,
    /// Whether the line had no promise before because it is new or changed, rather than because
    /// no supply could serve it: not a promise that somebody was given and that moved.
    #[serde(default)]
    pub first: bool,
}

/// Units that wait for use at a node from a day on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Usable {
    #[schema(value_type = SupplyName)]
    pub supply: String,
    pub node: Id,
    pub day: Day,
    pub quantity: Quantity,
}

/// What a protection holds after a pegging, lines that consumed it already taken off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Holding {
    pub protection: Id,
    pub channel: Id,
    pub from: Day,
    pub until: Day,
    pub pieces: Vec<Usable>,
    pub short: Quantity,
}

/// An item was pegged anew. A large effect comes in parts: each carries its own moved promises,
/// the last one what is left over and held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct ItemPegged {
    pub sku: Id,
    /// The day it was pegged for.
    pub today: Day,
    /// From 1; the last part is number `parts`.
    pub part: u32,
    pub parts: u32,
    pub moved: Vec<PromiseMove>,
    /// Supply that nobody holds; on the last part.
    pub left_over: Vec<Usable>,
    /// What protections hold; on the last part.
    pub held: Vec<Holding>,
}

/// What a channel can take and what it shows, before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct ChannelAvailability {
    pub sku: Id,
    pub channel: Id,
    pub available_before: Quantity,
    pub available_after: Quantity,
    pub published_before: Quantity,
    pub published_after: Quantity,
}

/// What a protection keeps of present stock (its shortage included), before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct ProtectionChange {
    pub id: Id,
    pub held_before: Quantity,
    pub held_after: Quantity,
    pub short_before: Quantity,
    pub short_after: Quantity,
}

/// Availability or protections of an item changed; only what changed is listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct AvailabilityChanged {
    pub sku: Id,
    pub channels: Vec<ChannelAvailability>,
    pub protections: Vec<ProtectionChange>,
}

/// A line could have shipped by its promised day and has not: an exception.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct LineOverdue {
    pub order: Id,
    pub line: u32,
    pub channel: Id,
    pub sku: Id,
    pub quantity: Quantity,
    pub promised: Day,
}

/// The tenant's day turned; one event per tenant and day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct DayTurned {
    pub from: Option<Day>,
    pub to: Day,
}

payloads! {
    ItemSet => "inventory.item-set",
    NodeSet => "inventory.node-set",
    LaneSet => "inventory.lane-set",
    ChannelSet => "inventory.channel-set",
    ProtectionSet => "inventory.protection-set",
    ProtectionEnded => "inventory.protection-ended",
    StockMoved => "inventory.stock-moved",
    Reserved => "inventory.reserved",
    ReservationShipped => "inventory.reservation-shipped",
    ReservationReleased => "inventory.reservation-released",
    OrderChanged => "inventory.order-changed",
    ItemPegged => "inventory.item-pegged",
    AvailabilityChanged => "inventory.availability-changed",
    LineOverdue => "inventory.line-overdue",
    DayTurned => "inventory.day-turned",
}
