//! The network of a tenant: its channels, nodes and lanes, in one record.
//!
//! One record has one version, so whatever rests on the network rests on it whole: on a node that
//! is not there yet as well. Its `revision` counts the changes that pegging feels; an allocation
//! plan that knows another revision is renewed before it is used.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tradewind_kernel::calendar::Calendar;
use tradewind_kernel::events::inventory::{ChannelSet, LaneSet, NodeSet, Payout};
use tradewind_kernel::refusal::Faults;
use tradewind_kernel::{Day, Decision, Id, Money, NewEvent, Quantity, Refusal};
use utoipa::ToSchema;

use crate::item::below_zero;
use crate::keys;
use crate::pegging::ChannelView;

/// Nodes of one channel: each may take part in every guard of a reserve.
pub const MAX_CHANNEL_NODES: usize = 64;

/// What kind of place a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
#[serde(rename_all = "lowercase")]
pub enum NodeKind {
    #[default]
    Warehouse,
    #[serde(rename = "3pl")]
    ThirdParty,
    Store,
    Supplier,
    Virtual,
}

/// What a caller says of a node.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({
    "kind": "warehouse",
    "receiving_days": 1,
    "calendar": { "open": ["mon", "tue", "wed", "thu", "fri"], "closed": ["2026-12-25"] },
}))]
pub struct Node {
    /// What it is.
    pub kind: NodeKind,
    /// The days on which it receives, one within a year at least; all unless said.
    pub calendar: Calendar,
    /// Open days from arrival to use.
    #[schema(maximum = 365)]
    pub receiving_days: u32,
}

/// What a caller says of a lane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "days": 3, "cost_per_unit": { "amount": "0.40", "currency": "USD" } }))]
pub struct Lane {
    /// Days on the way.
    #[schema(maximum = 3650)]
    pub days: u32,
    /// What moving one unit costs; not below zero.
    #[serde(default)]
    pub cost_per_unit: Option<Money>,
}

/// What kind of channel it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names say it")]
pub enum ChannelKind {
    Dtc,
    Marketplace,
    Wholesale,
    Retail,
    Subscription,
}

fn yes() -> bool {
    true
}

/// What a caller says of a channel. `cap`, `buffer` and `zero_threshold` apply to each item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "kind": "marketplace",
    "priority": 2,
    "nodes": ["FBA", "OWN"],
    "buffer": 2,
    "payout": { "lag_days": 14, "fee": "0.15" },
}))]
pub struct Channel {
    /// What it is.
    pub kind: ChannelKind,
    /// 1 is the highest.
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub priority: u32,
    /// The nodes that serve it, in the order in which it prefers them.
    #[schema(max_items = 64)]
    pub nodes: Vec<Id>,
    /// The most open claims.
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 0)]
    pub cap: Option<Quantity>,
    /// Units kept back from what is published.
    #[serde(default)]
    #[schema(value_type = i64, minimum = 0)]
    pub buffer: Quantity,
    /// Below this, nothing is published.
    #[serde(default)]
    #[schema(value_type = i64, minimum = 0)]
    pub zero_threshold: Quantity,
    /// What cannot be granted may stay open on the order's line.
    #[serde(default = "yes")]
    pub backorder: bool,
    /// When and how much of its sales it pays out.
    #[serde(default)]
    pub payout: Payout,
}

/// Channels, nodes and lanes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Network {
    /// Counts the changes that pegging feels.
    pub revision: u64,
    /// Channels by id.
    pub channels: BTreeMap<Id, Channel>,
    /// Nodes by id.
    pub nodes: BTreeMap<Id, Node>,
    /// Lanes by `FROM/TO`.
    pub lanes: BTreeMap<String, Lane>,
    /// As it was before the last change that pegging feels, so that what the change did to
    /// availability can be told.
    #[serde(default)]
    pub previous: Option<Box<Self>>,
}

impl Network {
    /// The next network, to be changed in a way that pegging feels.
    fn next(&self) -> Self {
        let previous = Self { previous: None, ..self.clone() };
        let revision = self.revision.saturating_add(1);
        Self { revision, previous: Some(Box::new(previous)), ..self.clone() }
    }

    /// The channels as pegging sees them.
    #[must_use]
    pub fn views(&self) -> BTreeMap<String, ChannelView> {
        let view = |(id, channel): (&Id, &Channel)| {
            let nodes = channel.nodes.iter().map(Id::to_string).collect();
            (id.to_string(), ChannelView { priority: channel.priority, nodes })
        };
        self.channels.iter().map(view).collect()
    }

    /// The first day on which what arrives at `node` on `day` can be used; a node that is not
    /// known receives every day.
    #[must_use]
    pub fn usable_day(&self, node: &Id, day: Day) -> Day {
        match self.nodes.get(node) {
            Some(node) => node.calendar.usable_day(day, node.receiving_days),
            None => day,
        }
    }
}

/// Answers a PUT: 201 for something new, 200 for a change.
#[must_use]
pub fn answered(decision: Decision, is_new: bool, location: String, body: Value) -> Decision {
    if is_new { decision.created(location, body) } else { decision.reply(200, body) }
}

/// The body of a record with its id and its version.
#[must_use]
pub fn shown(record: &impl Serialize, names: &[(&str, &str)], version: &str) -> Value {
    let mut body = json!(record);
    if let Some(object) = body.as_object_mut() {
        for (name, value) in names {
            object.insert((*name).to_owned(), Value::String((*value).to_owned()));
        }
        object.insert("version".to_owned(), Value::String(version.to_owned()));
    }
    body
}

fn unchanged(record: &impl Serialize, names: &[(&str, &str)], version: u64) -> Decision {
    Decision::unchanged(shown(record, names, &version.to_string()), version)
}

/// Makes or changes a node.
///
/// # Errors
/// 422 `calendar-closed` when it would never open.
pub fn put_node(
    network: &Network,
    version: u64,
    id: &Id,
    node: Node,
    today: Day,
) -> Result<Decision, Refusal> {
    let mut faults = Faults::new();
    let opens = node.calendar.opens_after(today);
    faults.require(opens, "/calendar", "calendar-closed", "it opens on no day of the next year");
    faults.check()?;
    let old = network.nodes.get(id);
    let names = [("id", id.as_str())];
    if old == Some(&node) {
        return Ok(unchanged(&node, &names, version));
    }
    let mut next = network.next();
    next.nodes.insert(id.clone(), node.clone());
    let mut decision = Decision::default();
    decision.put(keys::NETWORK, &next);
    decision.put(keys::node(id), &node);
    let (calendar, receiving_days) = (node.calendar.clone(), node.receiving_days);
    let kind = json!(node.kind).as_str().unwrap_or_default().to_owned();
    let told = NodeSet { node: id.clone(), kind, calendar, receiving_days };
    decision.event(NewEvent::of(id.as_str(), &told));
    let location = format!("/inventory/v1/nodes/{id}");
    Ok(answered(decision, old.is_none(), location, shown(&node, &names, "")))
}

/// Makes or changes a lane.
///
/// # Errors
/// 422 naming every fault: `node-unknown`, `same-node`, `price-negative`.
pub fn put_lane(
    network: &Network,
    version: u64,
    (from, to): (&Id, &Id),
    lane: Lane,
) -> Result<Decision, Refusal> {
    let mut faults = Faults::new();
    for (end, name) in [(from, "from"), (to, "to")] {
        if !network.nodes.contains_key(end) {
            faults.add("", "node-unknown", format!("there is no node `{end}` ({name})"));
        }
    }
    faults.require(from != to, "", "same-node", "a lane leads from one node to another");
    let cost = lane.cost_per_unit.is_none_or(|cost| !below_zero(cost));
    faults.require(cost, "/cost_per_unit", "price-negative", "a cost is not below zero");
    faults.check()?;
    let place = format!("{from}/{to}");
    let old = network.lanes.get(&place);
    let names = [("from", from.as_str()), ("to", to.as_str())];
    if old == Some(&lane) {
        return Ok(unchanged(&lane, &names, version));
    }
    let mut next = network.clone();
    next.lanes.insert(place.clone(), lane.clone());
    let mut decision = Decision::default();
    decision.put(keys::NETWORK, &next);
    decision.put(keys::lane(from, to), &lane);
    let (days, cost_per_unit) = (lane.days, lane.cost_per_unit);
    let told = LaneSet { from: from.clone(), to: to.clone(), days, cost_per_unit };
    decision.event(NewEvent::of(place, &told));
    let location = format!("/inventory/v1/lanes/{from}/{to}");
    Ok(answered(decision, old.is_none(), location, shown(&lane, &names, "")))
}

/// Makes or changes a channel.
///
/// # Errors
/// 422 naming every fault: `node-unknown`, `node-repeated`, `fee-out-of-range`.
pub fn put_channel(
    network: &Network,
    version: u64,
    id: &Id,
    channel: Channel,
) -> Result<Decision, Refusal> {
    let mut faults = Faults::new();
    let mut seen = BTreeSet::new();
    for (place, node) in channel.nodes.iter().enumerate() {
        let pointer = format!("/nodes/{place}");
        if !network.nodes.contains_key(node) {
            faults.add(pointer.clone(), "node-unknown", format!("there is no node `{node}`"));
        }
        faults.require(seen.insert(node), pointer, "node-repeated", "a node is named once");
    }
    let fee = channel.payout.fee.within(0.into(), 1.into());
    faults.require(fee, "/payout/fee", "fee-out-of-range", "a fee is between 0 and 1");
    faults.check()?;
    let old = network.channels.get(id);
    let names = [("id", id.as_str())];
    if old == Some(&channel) {
        return Ok(unchanged(&channel, &names, version));
    }
    let mut next = network.next();
    next.channels.insert(id.clone(), channel.clone());
    let mut decision = Decision::default();
    decision.put(keys::NETWORK, &next);
    decision.put(keys::channel(id), &channel);
    let told = ChannelSet {
        channel: id.clone(),
        kind: json!(channel.kind).as_str().unwrap_or_default().to_owned(),
        priority: channel.priority,
        nodes: channel.nodes.clone(),
        backorder: channel.backorder,
        payout: channel.payout.clone(),
    };
    decision.event(NewEvent::of(id.as_str(), &told));
    let location = format!("/inventory/v1/channels/{id}");
    Ok(answered(decision, old.is_none(), location, shown(&channel, &names, "")))
}
