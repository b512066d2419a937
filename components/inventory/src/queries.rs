//! Answers to the asks of other domains: `wit/inventory.wit`. They only read; a provider that is
//! behind says so.

use std::collections::{BTreeMap, BTreeSet};

use tradewind_kernel::asks::inventory::{
    ChannelNodes, Lane, Network, OnOrder, Position, Trial, TrialChange,
};
use tradewind_kernel::{Domain, Id, Quantity};
use tradewind_shell::failure::Failure;
use tradewind_shell::gather::Gather;
use tradewind_shell::store::{Needs, Read};
use tradewind_shell::world::{Answered, AskError, World};

use crate::gathering::{self, situation_reads};
use crate::keys;
use crate::situation::Situation;

/// Items of one question about positions.
pub const MAX_ITEMS: usize = 64;

fn gather<'w, W: World>(world: &'w W, tenant: &'w str, up_to: Option<u64>) -> Gather<'w, W> {
    Gather::new(world, tenant, Domain::Inventory, Needs::up_to(up_to), 0)
}

fn told(failure: Failure) -> AskError {
    match failure {
        Failure::Refused(refusal) => AskError::Refused(refusal.code, refusal.detail),
        Failure::Outage(outage) => AskError::Unavailable(outage.0),
        Failure::Behind => AskError::Behind,
    }
}

/// Pegs an item as if `changes` were so; with every event up to `up_to`, or up to now.
///
/// # Errors
/// Refused with `sku-unknown`, `change-unknown`, `too-many-changes`; behind; unavailable.
pub async fn trial<W: World>(
    world: &W,
    tenant: &str,
    sku: &Id,
    changes: &[TrialChange],
    up_to: Option<u64>,
) -> Result<Answered<Trial>, AskError> {
    let gather = gather(world, tenant, up_to);
    let read = async || {
        let mut reads = situation_reads(sku);
        reads.push(Read::Set { key: keys::promises(sku) });
        gather.prefetch(gathering::common_reads().into_iter().chain(reads).collect()).await?;
        if gathering::item(&gather, sku).await?.is_none() {
            let detail = format!("there is no item `{sku}`");
            return Err(tradewind_kernel::Refusal::conflict("sku-unknown", detail).into());
        }
        let situation = gathering::situation(&gather, sku).await?;
        let kept = gathering::promises(&gather, sku).await?;
        Ok(crate::trial::trial(&situation, &kept, changes)?)
    };
    read().await.map(|trial| gather.answer(trial)).map_err(told)
}

/// Nodes, lanes and channels as they are.
///
/// # Errors
/// Behind; unavailable.
pub async fn network<W: World>(world: &W, tenant: &str) -> Result<Answered<Network>, AskError> {
    let gather = Gather::new(world, tenant, Domain::Inventory, Needs::Nothing, 0);
    let network = gathering::network(&gather).await.map_err(told)?;
    let lanes = network.lanes.iter().filter_map(|(place, lane)| {
        let (from, to) = place.split_once('/')?;
        let (from, to) = (from.parse().ok()?, to.parse().ok()?);
        Some(Lane { from, to, days: lane.days, cost_per_unit: lane.cost_per_unit })
    });
    let channels = network.channels.iter().map(|(id, channel)| ChannelNodes {
        channel: id.clone(),
        priority: channel.priority,
        nodes: channel.nodes.clone(),
    });
    Ok(gather.answer(Network { lanes: lanes.collect(), channels: channels.collect() }))
}

/// Stock, supply and demand of these items, in the order asked; an item without any has none. With
/// every event up to `up_to`, or up to now.
///
/// # Errors
/// Refused with `too-many-items`; behind; unavailable.
pub async fn positions<W: World>(
    world: &W,
    tenant: &str,
    skus: &[Id],
    up_to: Option<u64>,
) -> Result<Answered<Vec<Position>>, AskError> {
    if skus.len() > MAX_ITEMS {
        let detail = format!("at most {MAX_ITEMS} items");
        return Err(AskError::Refused("too-many-items".to_owned(), detail));
    }
    let gather = gather(world, tenant, up_to);
    let read = async || {
        let own = skus.iter().flat_map(situation_reads);
        gather.prefetch(gathering::common_reads().into_iter().chain(own).collect()).await?;
        let mut positions = Vec::new();
        for sku in skus {
            positions.extend(of_item(&gathering::situation(&gather, sku).await?));
        }
        Ok(positions)
    };
    read().await.map(|positions| gather.answer(positions)).map_err(told)
}

fn of_item(situation: &Situation) -> Vec<Position> {
    let network = &situation.shelf.network;
    let mut demand: BTreeMap<Id, Quantity> = BTreeMap::new();
    for line in situation.lines() {
        let channel = network.channels.get(&line.demand.channel);
        if let Some(node) = channel.and_then(|channel| channel.nodes.first()) {
            let total = demand.entry(node.clone()).or_default();
            *total = total.saturating_add(line.open);
        }
    }
    let mut on_order: BTreeMap<Id, Vec<OnOrder>> = BTreeMap::new();
    for line in situation.supply.values() {
        for (day, quantity) in line.by_day() {
            on_order.entry(line.node.clone()).or_default().push(OnOrder {
                order: line.order.clone(),
                line: line.line,
                supplier: line.supplier.clone(),
                day,
                usable: network.usable_day(&line.node, day),
                quantity,
            });
        }
    }
    let stocked = situation.shelf.nodes().filter_map(|node| node.parse::<Id>().ok());
    let nodes: BTreeSet<Id> =
        stocked.chain(demand.keys().cloned()).chain(on_order.keys().cloned()).collect();
    let position = |node: Id| Position {
        sku: situation.sku().clone(),
        free: situation.shelf.free(node.as_str()),
        on_order: on_order.remove(&node).unwrap_or_default(),
        open_demand: demand.get(&node).copied().unwrap_or(0),
        node,
    };
    nodes.into_iter().map(position).collect()
}
