//! Every Redis key that planning owns, relative to the tenant. Ids hold no colon, so that keys
//! built of several ids never meet.

use tradewind_kernel::{Day, Id};

/// Index of promotions by id.
pub const PROMOTIONS: &str = "planning:promotions";
/// Index of promotions that have not ended, by their first day (see [`day_score`]).
pub const LIVE_PROMOTIONS: &str = "planning:live-promotions";
/// Index of policies: `{sku}/{node}`.
pub const POLICIES: &str = "planning:policies";
/// Index of items.
pub const ITEMS: &str = "planning:items";
/// Set of channels: [`crate::facts::Channel`].
pub const CHANNELS: &str = "planning:channels";
/// Set of nodes: [`crate::facts::Node`].
pub const NODES: &str = "planning:nodes";
/// Index of proposals by id.
pub const PROPOSALS: &str = "planning:proposals";

/// A promotion.
#[must_use]
pub fn promotion(id: &Id) -> String {
    format!("planning:promotion:{id}")
}

/// What a promotion is short of.
#[must_use]
pub fn risk(promotion: &Id) -> String {
    format!("planning:risk:{promotion}")
}

/// Set of the promotions of an item.
#[must_use]
pub fn item_promotions(sku: &Id) -> String {
    format!("planning:item-promotions:{sku}")
}

/// A policy; `*` for either is the default of the rest.
#[must_use]
pub fn policy(sku: &str, node: &str) -> String {
    format!("planning:policy:{sku}:{node}")
}

/// What planning knows of an item: [`crate::facts::Item`].
#[must_use]
pub fn item(sku: &Id) -> String {
    format!("planning:item:{sku}")
}

/// What the last pegging of an item left over and what is held: [`crate::facts::Pegged`].
#[must_use]
pub fn pegged(sku: &Id) -> String {
    format!("planning:pegged:{sku}")
}

/// Set of the promises that earlier parts of an unfinished pegging moved, by part.
#[must_use]
pub fn moved(correlation: &str, sku: &Id) -> String {
    format!("planning:moved:{correlation}:{sku}")
}

/// The late parts of purchase lines of an item under a correlation: [`crate::late::LatePart`].
#[must_use]
pub fn late(correlation: &str, sku: &Id) -> String {
    format!("planning:late:{correlation}:{sku}")
}

/// The lines of a customer order: [`crate::facts::Order`].
#[must_use]
pub fn order(id: &Id) -> String {
    format!("planning:order:{id}")
}

/// Counters: ordered units of an item by channel and wanted day (see [`demand_field`]).
#[must_use]
pub fn demand(sku: &Id) -> String {
    format!("planning:demand:{sku}")
}

/// The name of a counter of [`demand`].
#[must_use]
pub fn demand_field(channel: &Id, wanted: Day) -> String {
    format!("{channel}:{wanted}")
}

/// Set of an item's demand series, by channel: [`crate::history::Series`].
#[must_use]
pub fn series(sku: &Id) -> String {
    format!("planning:series:{sku}")
}

/// A quarter of an item's demand in a channel: [`crate::history::Quarter`].
#[must_use]
pub fn quarter(sku: &Id, channel: &Id, first: Day) -> String {
    format!("planning:history:{sku}:{channel}:{first}")
}

/// A planning run.
#[must_use]
pub fn run(id: &Id) -> String {
    format!("planning:run:{id}")
}

/// The proposals of an item, newest run: [`crate::proposal::Proposal`].
#[must_use]
pub fn proposals(sku: &Id) -> String {
    format!("planning:proposals:{sku}")
}

/// A proposal.
#[must_use]
pub fn proposal(id: &Id) -> String {
    format!("planning:proposal:{id}")
}

/// Where a day stands in an index that is sorted by days.
#[must_use]
pub fn day_score(day: Day) -> i64 {
    Day::new(1970, 1, 1).map_or(0, |first| day.since(first))
}
