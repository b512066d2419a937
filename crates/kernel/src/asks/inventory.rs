//! Questions to inventory: `wit/inventory.wit`.

use serde::{Deserialize, Serialize};

use crate::events::inventory::{Holding, PromiseMove, Usable};
use crate::id::Id;
use crate::money::Money;
use crate::quantity::Quantity;
use crate::time::Day;

/// A change that a trial lays over the present state, never written to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub enum TrialChange {
    /// The open quantity of a purchase line that is planned for `from` arrives on `to` instead.
    MoveSupply { order: Id, line: u32, from: Day, to: Day },
    /// More supply arrives at a node on a day (before its receiving days).
    AddSupply { node: Id, day: Day, quantity: Quantity },
    /// Left-over units go from one node to another and arrive on a day.
    Transfer { supply: String, from_node: Id, to_node: Id, day: Day, quantity: Quantity },
    /// So many units of a protection are given up.
    ReleaseProtection { protection: Id, quantity: Quantity },
}

/// What a trial pegging gives, beside what is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Trial {
    /// Every line of the item: `old_day` is its promise now, `new_day` that of the trial.
    pub lines: Vec<PromiseMove>,
    /// Supply that nobody would hold.
    pub left_over: Vec<Usable>,
    /// What protections would hold.
    pub held: Vec<Holding>,
}

/// A lane between nodes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Lane {
    pub from: Id,
    pub to: Id,
    pub days: u32,
    pub cost_per_unit: Option<Money>,
}

/// A channel, as far as planning needs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct ChannelNodes {
    pub channel: Id,
    pub priority: u32,
    pub nodes: Vec<Id>,
}

/// Nodes, lanes and channels.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Network {
    /// Lanes.
    pub lanes: Vec<Lane>,
    /// Channels with their nodes in order.
    pub channels: Vec<ChannelNodes>,
}

/// Open purchase quantity of an item at a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct OnOrder {
    pub order: Id,
    pub line: u32,
    pub supplier: Id,
    /// The confirmed day, else the due day.
    pub day: Day,
    /// The first day of use.
    pub usable: Day,
    pub quantity: Quantity,
}

/// Stock, supply and demand of an item at a node, for replenishment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Position {
    pub sku: Id,
    pub node: Id,
    /// Sellable less open claims.
    pub free: Quantity,
    pub on_order: Vec<OnOrder>,
    /// Unclaimed demand of channels whose first node this is.
    pub open_demand: Quantity,
}
