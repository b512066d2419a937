//! Reservations: claims on stock, made in one atomic step over all lines.
//!
//! A reserve can never exceed what is available to its channel, under any concurrency: the lawful
//! split is decided on counters that were read, and guarded on the counters as they are when it is
//! committed. A reservation remembers from which nodes it took and which protection it used, so
//! that giving back undoes exactly that.

mod deciding;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tradewind_kernel::event::Payload;
use tradewind_kernel::events::inventory::Reserved;
use tradewind_kernel::{Id, Instant, Quantity};
use utoipa::ToSchema;

pub use self::deciding::{Context, reserve, reserve_as_remembered};
pub(crate) use self::deciding::{Granted, grant, sum};
use crate::split;

/// Lines of one reservation: with the counters and guards of each, one commit stays small.
pub const MAX_LINES: usize = 256;

/// How a reserve goes about a shortage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Everything, or nothing.
    #[default]
    AllOrNothing,
    /// What is available; the rest stays open on the order's line if the channel allows it.
    Partial,
}

/// How nodes are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the names say it; see split.rs")]
pub enum Strategy {
    #[default]
    NodeOrder,
    FewestSplits,
    MostStock,
}

impl From<Strategy> for split::Strategy {
    fn from(strategy: Strategy) -> Self {
        match strategy {
            Strategy::NodeOrder => Self::NodeOrder,
            Strategy::FewestSplits => Self::FewestSplits,
            Strategy::MostStock => Self::MostStock,
        }
    }
}

/// A line of a reserve, a shipment or a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ItemQuantity {
    /// The item.
    pub sku: Id,
    /// Base units.
    #[schema(value_type = i64, minimum = 1)]
    pub quantity: Quantity,
}

/// What a caller wants reserved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "order": "W-1001",
    "channel": "web",
    "lines": [{ "sku": "SHIRT-M", "quantity": 2 }],
    "expires_in_seconds": 900,
}))]
pub struct ReserveBody {
    /// The customer order whose lines it fills.
    #[serde(default)]
    pub order: Option<Id>,
    /// The channel that claims.
    pub channel: Id,
    /// What a shortage means.
    #[serde(default)]
    pub mode: Mode,
    /// What is wanted; lines of one item count together.
    #[schema(min_items = 1, max_items = 256)]
    pub lines: Vec<ItemQuantity>,
    /// After so many seconds it is released; never unless said.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 31_536_000)]
    pub expires_in_seconds: Option<i64>,
    /// How nodes are chosen.
    #[serde(default)]
    pub strategy: Strategy,
}

/// What a node gives to a reservation's line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The node.
    pub node: Id,
    /// Claimed at first.
    pub quantity: Quantity,
    /// Still claimed.
    pub open: Quantity,
    /// Shipped.
    pub shipped: Quantity,
}

/// A line of a reservation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservationLine {
    /// The item.
    pub sku: Id,
    /// Asked for.
    pub quantity: Quantity,
    /// What each node gave.
    pub claims: Vec<Claim>,
    /// Not granted, open on the order's line.
    pub backordered: Quantity,
    /// The counter of the protection that it used, if one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used: Option<String>,
}

/// How far a reservation has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names say it")]
pub enum ReservationStatus {
    Open,
    Shipped,
    Released,
    Expired,
    /// Partly shipped, the rest given back.
    Closed,
}

/// A reservation as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Reservation {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<Id>,
    pub channel: Id,
    pub status: ReservationStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<Instant>,
    pub lines: Vec<ReservationLine>,
}

impl Reservation {
    /// As it is answered.
    #[must_use]
    pub fn body(&self, id: &Id, version: &str) -> Value {
        let lines: Vec<Value> = self
            .lines
            .iter()
            .map(|line| {
                let node = |one: &Claim| json!({ "node": one.node, "quantity": one.quantity });
                let sum = |of: fn(&Claim) -> Quantity| line.claims.iter().map(of).sum::<Quantity>();
                json!({
                    "sku": line.sku,
                    "quantity": line.quantity,
                    "allocations": line.claims.iter().map(node).collect::<Vec<_>>(),
                    "backordered": line.backordered,
                    "open": sum(|one| one.open),
                    "shipped": sum(|one| one.shipped),
                })
            })
            .collect();
        json!({
            "id": id, "order": self.order, "channel": self.channel, "status": self.status,
            "expires": self.expires, "lines": lines, "version": version,
        })
    }
}

/// `inventory.reserved`, with the protections used: readers ignore what they do not know, and the
/// verifier recounts them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservedWithUse {
    /// What everybody reads.
    #[serde(flatten)]
    pub reserved: Reserved,
    /// The counter of the protection that each item's claims used.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub used: BTreeMap<Id, String>,
}

impl Payload for ReservedWithUse {
    const TYPE: &'static str = Reserved::TYPE;
}
