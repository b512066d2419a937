//! What inventory answers: the shapes of its answers, as they are published.

use std::collections::BTreeMap;

use serde::Serialize;
use tradewind_kernel::calendar::Calendar;
use tradewind_kernel::events::inventory::{Allocation, Payout};
use tradewind_kernel::published::Version;
use tradewind_kernel::{Day, Id, Instant, Money, Quantity};
use utoipa::ToSchema;

use crate::network::{ChannelKind, NodeKind};
use crate::order::OrderStatus;
use crate::pegging::Reason;
use crate::place::{Elsewhere, Place};
use crate::purchase::Purchase;
use crate::repegging::PromisePeg;
use crate::reservation::ReservationStatus;
use crate::verify::Difference;

/// A page of a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Page<T: ToSchema> {
    /// The items.
    pub items: Vec<T>,
    /// The cursor of the next page; null at the end.
    #[schema(format = "cursor")]
    pub next: Option<String>,
}

/// A node.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct NodeView {
    pub id: Id,
    pub kind: NodeKind,
    pub calendar: Calendar,
    pub receiving_days: u32,
    #[schema(value_type = Version)]
    pub version: String,
}

/// A lane.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct LaneView {
    pub from: Id,
    pub to: Id,
    pub days: u32,
    pub cost_per_unit: Option<Money>,
    #[schema(value_type = Version)]
    pub version: String,
}

/// A channel.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct ChannelView {
    pub id: Id,
    pub kind: ChannelKind,
    pub priority: u32,
    pub nodes: Vec<Id>,
    pub cap: Option<Quantity>,
    pub buffer: Quantity,
    pub zero_threshold: Quantity,
    pub backorder: bool,
    pub payout: Payout,
    #[schema(value_type = Version)]
    pub version: String,
}

/// A protection.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct ProtectionView {
    pub id: Id,
    pub sku: Id,
    pub channel: Id,
    pub quantity: Quantity,
    pub from: Day,
    pub until: Day,
    #[schema(format = "free-text")]
    pub reason: Option<String>,
    #[schema(format = "free-text")]
    pub owner: Option<String>,
    #[schema(value_type = Version)]
    pub version: String,
}

/// A protection was ended.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Ended {
    pub id: Id,
    pub ended: bool,
}

/// A movement.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct MovementView {
    pub id: Id,
    pub sku: Id,
    pub quantity: Quantity,
    pub from: Place,
    pub to: Place,
    #[schema(format = "free-text")]
    pub reason: Option<String>,
    /// The receipt that moved them, if one did.
    pub document: Option<Id>,
    /// The movement that this one corrects.
    pub corrects: Option<Id>,
}

/// A line of a reservation.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ReservationLineView {
    /// The item.
    pub sku: Id,
    /// Asked for.
    pub quantity: Quantity,
    /// What each node gave.
    pub allocations: Vec<Allocation>,
    /// Not granted, open on the order's line.
    pub backordered: Quantity,
    /// Still claimed.
    pub open: Quantity,
    /// Shipped.
    pub shipped: Quantity,
}

/// A reservation.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct ReservationView {
    pub id: Id,
    pub order: Option<Id>,
    pub channel: Id,
    pub status: ReservationStatus,
    pub expires: Option<Instant>,
    pub lines: Vec<ReservationLineView>,
    #[schema(value_type = Version)]
    pub version: String,
}

/// What a protection keeps.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Protected {
    /// Its id.
    pub id: Id,
    /// The channel it is kept for.
    pub channel: Id,
    /// Base units.
    pub quantity: Quantity,
    /// What of present stock it keeps, its shortage included.
    pub held: Quantity,
    /// What no supply serves.
    pub short: Quantity,
    /// What its channel has claimed inside the window.
    pub used: Quantity,
    /// The first day of its window.
    pub from: Day,
    /// The last day of its window.
    pub until: Day,
}

/// What a channel can take: of the one item that was asked for, or of each of several.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(untagged)]
pub enum AvailabilityAnswer {
    /// One item was asked for.
    One(Availability),
    /// Several were.
    Several(AvailabilityList),
}

/// What a channel can take of several items.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AvailabilityList {
    /// In the order in which they were asked for.
    #[schema(max_items = 64)]
    pub items: Vec<Availability>,
}

/// What a channel can take of an item.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Availability {
    /// The item.
    pub sku: Id,
    /// The channel.
    pub channel: Id,
    /// What it can take.
    pub available: Quantity,
    /// What it shows.
    pub published: Quantity,
    /// Free stock of the channel's nodes, in its order.
    pub free: Vec<Allocation>,
    /// Live and future protections of the item.
    pub protected: Vec<Protected>,
}

/// By when a quantity could be promised.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PromiseView {
    /// The item.
    pub sku: Id,
    /// The channel.
    pub channel: Id,
    /// Base units.
    pub quantity: Quantity,
    /// The day it is wanted.
    pub wanted: Day,
    /// The day; null when neither supply nor a purchase could serve.
    pub day: Option<Day>,
    /// Why.
    pub reason: Reason,
    /// The supply behind it.
    pub supply: Vec<PromisePeg>,
    /// How many promises of other lines it would move.
    pub would_move: usize,
    /// What is available to promise by the wanted day without moving a promise.
    pub available_to_promise: Quantity,
    /// The purchase that could serve, where only one could.
    pub purchase: Option<Purchase>,
}

/// A line of a customer order.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OrderLineView {
    /// Its number.
    pub line: u32,
    /// The item.
    pub sku: Id,
    /// Ordered.
    pub quantity: Quantity,
    /// The day it is wanted.
    pub wanted: Day,
    /// Unit price.
    pub price: Option<Money>,
    /// Claimed and not shipped.
    pub claimed: Quantity,
    /// Shipped.
    pub shipped: Quantity,
    /// The day its open part is promised; null: unpromised.
    pub promised: Option<Day>,
    /// Why.
    pub reason: Reason,
    /// It could have shipped by the promised day, which has passed.
    pub overdue: bool,
    /// The supply behind the promise.
    pub pegs: Vec<PromisePeg>,
    /// The purchase that could serve it, where only one could.
    pub purchase: Option<Purchase>,
}

/// A customer order.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OrderView {
    /// Its id.
    pub id: Id,
    /// Its channel.
    pub channel: Id,
    /// When it was placed.
    pub ordered_at: Instant,
    /// Whether it still stands.
    pub status: OrderStatus,
    /// Its lines.
    pub lines: Vec<OrderLineView>,
    /// Its version.
    #[schema(value_type = Version)]
    pub version: String,
}

/// A customer order in a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct OrderSummary {
    pub id: Id,
    pub channel: Id,
    pub ordered_at: Instant,
    pub status: OrderStatus,
    pub lines: usize,
}

/// Stock of an item at a node.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct NodeStock {
    /// The node.
    pub node: Id,
    /// What can be sold, claimed units included.
    pub sellable: Quantity,
    /// What waits for a decision on its quality.
    pub hold: Quantity,
    /// What cannot be sold.
    pub damaged: Quantity,
    /// Open claims.
    pub claimed: Quantity,
    /// Sellable less open claims.
    pub free: Quantity,
}

/// Where an item's units are; all of it sums to zero.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct StockView {
    /// The item.
    pub sku: Id,
    /// At nodes.
    pub nodes: Vec<NodeStock>,
    /// Elsewhere.
    #[schema(value_type = BTreeMap<Elsewhere, i64>)]
    pub elsewhere: BTreeMap<String, Quantity>,
}

/// What the verifier found.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Verified {
    /// What is not as it must be; nothing.
    pub differences: Vec<Difference>,
    /// How many items were recounted.
    pub items: usize,
    /// How many items' promises were compared; the others wait to be pegged.
    pub pegged: usize,
}
