//! Planning runs: every item, block by block, each block one commit.
//!
//! A run is asked for by a command and worked by reacting to its own event, so that it survives
//! whatever crashes and never works a block twice.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use tradewind_kernel::asks::finance::Outlook;
use tradewind_kernel::asks::inventory::Position;
use tradewind_kernel::asks::suppliers::{Commitment, Offer};
use tradewind_kernel::event::NewEvent;
use tradewind_kernel::events::planning::{RunCompleted, RunRequested};
use tradewind_kernel::{Currency, Day, Decision, Id, Money, Quantity};
use tradewind_shell::failure::Failure;
use tradewind_shell::gather::Gather;
use tradewind_shell::service::Reaction;
use tradewind_shell::store::Read;
use tradewind_shell::world::World;

use crate::asks::{Asks, advice};
use crate::demand::{Demand, demands};
use crate::facts::{Channel, Node};
use crate::gathering::{self, forecasts};
use crate::history::Series;
use crate::options::{commitments, is_usable};
use crate::policy::{Policy, candidates};
use crate::promotion::Promotion;
use crate::proposal::{Proposal, Run, replace};
use crate::replenishment::{LOOK_AHEAD_DAYS, Situation, Source, plan};
use crate::spending::{is_limited, room};
use crate::{HORIZON_WEEKS, RUN_BLOCK, keys};

/// Items listed at one moment when a run is cut into blocks.
const LIST: usize = 512;

/// What stands before the item after which the last block begins.
const LAST: &str = "last>";
/// What stands before the item after which any other block begins.
const MORE: &str = "more>";

/// Works a run that was asked for at the sequence `up_to`: first cuts it into blocks, then works
/// one block a step.
///
/// # Errors
/// Outages; `Behind` when an asked domain is.
pub async fn work<W: World>(
    gather: &Gather<'_, W>,
    requested: &RunRequested,
    up_to: u64,
    step: Option<&str>,
) -> Result<Reaction, Failure>
where
    W::Asks: Asks,
{
    let Some(step) = step else { return Ok(Reaction::Steps(blocks(gather).await?)) };
    let (after, last) = match step.strip_prefix(LAST) {
        Some(after) => (after, true),
        None => (step.strip_prefix(MORE).unwrap_or(step), false),
    };
    let names = gather.list(keys::ITEMS, after, RUN_BLOCK).await?;
    let skus: Vec<Id> = names.iter().filter_map(|name| name.parse().ok()).collect();
    let mut decision = Decision::default();
    let (proposals, unsourced) = block(gather, &skus, up_to, &mut decision).await?;
    let key = keys::run(&requested.run);
    if let Some(kept) = gather.record::<Run>(key.clone()).await? {
        let mut run = kept.value;
        let items = Quantity::try_from(skus.len()).unwrap_or(Quantity::MAX);
        run.items = run.items.saturating_add(items);
        run.proposals = run.proposals.saturating_add(proposals);
        run.unsourced = run.unsourced.saturating_add(unsourced);
        run.complete = last;
        decision.put(key, &run);
        if last {
            let told = RunCompleted { run: requested.run.clone(), proposals: run.proposals };
            decision.event(NewEvent::of(requested.run.as_str(), &told));
        }
    }
    Ok(decision.into())
}

/// The steps of a run: for each block, the item after which it begins.
async fn blocks<W: World>(gather: &Gather<'_, W>) -> Result<Vec<String>, Failure> {
    let mut begins = vec![String::new()];
    let mut after = String::new();
    loop {
        let names = gather.list(keys::ITEMS, &after, LIST).await?;
        begins.extend(names.chunks(RUN_BLOCK).filter_map(|block| block.last().cloned()));
        match names.last() {
            Some(last) if names.len() == LIST => after.clone_from(last),
            _ => break,
        }
    }
    // The last item begins a block with nothing in it, unless nothing is there at all.
    if begins.len() > 1 {
        begins.pop();
    }
    let final_block = begins.len().saturating_sub(1);
    let named = begins.into_iter().enumerate();
    Ok(named
        .map(|(number, after)| {
            format!("{}{after}", if number == final_block { LAST } else { MORE })
        })
        .collect())
}

/// What a block needs beside its items' own records.
struct Around {
    channels: BTreeMap<String, Channel>,
    nodes: BTreeMap<String, Node>,
    outlook: Outlook,
    positions: Vec<Position>,
}

/// Works some items; gives back how many proposals they have and how many needs no supplier.
async fn block<W: World>(
    gather: &Gather<'_, W>,
    skus: &[Id],
    up_to: u64,
    decision: &mut Decision,
) -> Result<(Quantity, Quantity), Failure>
where
    W::Asks: Asks,
{
    if skus.is_empty() {
        return Ok((0, 0));
    }
    prefetch(gather, skus).await?;
    let (world, tenant) = (gather.world(), gather.tenant());
    let positions =
        advice(world, async |asks: &W::Asks| asks.positions(tenant, skus, up_to).await).await?;
    let outlook =
        advice(world, async |asks: &W::Asks| asks.outlook(tenant, HORIZON_WEEKS, up_to).await)
            .await?;
    let around = Around {
        channels: gather.set::<Channel>(keys::CHANNELS).await?,
        nodes: gathering::nodes(gather).await?,
        outlook: outlook.map(|answered| answered.value).unwrap_or_default(),
        positions: positions.map(|answered| answered.value).unwrap_or_default(),
    };
    let (mut proposals, mut unsourced) = (0, 0);
    for sku in skus {
        let (found, without) = item(gather, sku, &around).await?;
        let before = gather.record::<Vec<Proposal>>(keys::proposals(sku)).await?;
        let before = before.map(|kept| kept.value).unwrap_or_default();
        replace(decision, sku, &before, &found);
        let count = Quantity::try_from(found.len()).unwrap_or(Quantity::MAX);
        proposals = count.saturating_add(proposals);
        unsourced = without.saturating_add(unsourced);
    }
    Ok((proposals, unsourced))
}

/// Reads what a block needs in two round trips.
async fn prefetch<W: World>(gather: &Gather<'_, W>, skus: &[Id]) -> Result<(), Failure> {
    let mut reads: Vec<Read> =
        [keys::CHANNELS, keys::NODES].map(|key| Read::Set { key: key.to_owned() }).into();
    for sku in skus {
        reads.push(Read::Set { key: keys::series(sku) });
        reads.push(Read::Set { key: keys::item_promotions(sku) });
        reads.push(Read::Record { key: keys::proposals(sku) });
    }
    gather.prefetch(reads).await?;
    let today = gather.today().await?;
    let mut reads = Vec::new();
    for sku in skus {
        let series = gather.set::<Series>(keys::series(sku)).await?;
        reads.extend(gathering::quarter_reads(sku, &series, today.plus(-1)));
        let promotions = promotions_to_come(gather, sku, today).await?;
        reads.extend(gathering::ordered_read(sku, &promotions));
    }
    gather.prefetch(reads).await
}

/// The promotions of an item that may still sell something before the look-ahead of a run ends.
async fn promotions_to_come<W: World>(
    gather: &Gather<'_, W>,
    sku: &Id,
    today: Day,
) -> Result<Vec<Promotion>, Failure> {
    let last = today.plus(i64::from(LOOK_AHEAD_DAYS));
    let all = gather.set::<Promotion>(keys::item_promotions(sku)).await?;
    let to_come = |promotion: &Promotion| {
        promotion.expected_units > 0 && promotion.until >= today && promotion.from <= last
    };
    Ok(all.into_values().filter(to_come).collect())
}

/// The proposals of one item, node by node, and how many nodes with a need have no supplier.
async fn item<W: World>(
    gather: &Gather<'_, W>,
    sku: &Id,
    around: &Around,
) -> Result<(Vec<Proposal>, Quantity), Failure>
where
    W::Asks: Asks,
{
    let today = gather.today().await?;
    let forecasts = forecasts(gather, sku, today.plus(-1)).await?;
    let promotions = promotions_to_come(gather, sku, today).await?;
    let ordered = gathering::ordered(gather, sku, &promotions, 0).await?;
    let demands = demands(today, &forecasts, &around.channels, &promotions, &ordered);
    let positions = positions(sku, around, &demands);
    if positions.is_empty() {
        return Ok((Vec::new(), 0));
    }
    let (tenant, name) = (gather.tenant(), sku.as_str());
    let ask = async |asks: &W::Asks| asks.offers(tenant, name).await;
    let offers = advice(gather.world(), ask).await?.map(|answered| answered.value);
    let mut offers = offers.unwrap_or_default();
    offers.retain(|offer| is_usable(offer, today));
    let commitments = commitments(gather.world(), tenant, &offers).await?;
    let sources = sources(&offers, &commitments, &around.outlook);
    let (mut proposals, mut unsourced) = (Vec::new(), 0i64);
    for position in &positions {
        let node = &position.node;
        let none = Demand::default();
        let demand = demands.get(node).unwrap_or(&none);
        if sources.is_empty() {
            unsourced = unsourced.saturating_add(i64::from(demands.contains_key(node)));
            continue;
        }
        let policy = policy(gather, sku, node).await?;
        let place = around.nodes.get(node.as_str()).cloned().unwrap_or_default();
        let (node, sources) = (&place, sources.as_slice());
        let given = Situation { today, position, demand, policy: &policy, node, sources };
        if let Some(need) = plan(&given) {
            proposals.push(Proposal::of(sku, &position.node, need));
        }
    }
    Ok((proposals, unsourced))
}

/// The item's positions, with an empty one for each node that has only demand; by node.
fn positions(sku: &Id, around: &Around, demands: &BTreeMap<Id, Demand>) -> Vec<Position> {
    let known = around.positions.iter().filter(|position| position.sku == *sku);
    let mut found: BTreeMap<Id, Position> =
        known.map(|position| (position.node.clone(), position.clone())).collect();
    for node in demands.keys() {
        found.entry(node.clone()).or_insert_with(|| Position {
            sku: sku.clone(),
            node: node.clone(),
            free: 0,
            on_order: Vec::new(),
            open_demand: 0,
        });
    }
    found.into_values().collect()
}

/// The offers with the rates of their currencies and what may be spent; what cannot be compared for
/// want of a rate is left out.
fn sources<'a>(
    offers: &'a [Offer],
    commitments: &BTreeMap<Id, Commitment>,
    outlook: &Outlook,
) -> Vec<Source<'a>> {
    let rate = |currency: Currency| match currency == outlook.currency {
        true => Some(Decimal::ONE),
        false => outlook.rates.get(currency.code()).map(|rate| rate.0),
    };
    let in_base = |money: Money| money.value().checked_mul(rate(money.currency)?);
    let source = |offer: &'a Offer| {
        let rate = rate(offer.price.currency)?;
        let room = match is_limited(offer) {
            true => Some(room(commitments.get(&offer.supplier)?, in_base)?),
            false => None,
        };
        Some(Source { offer, rate, room })
    };
    offers.iter().filter_map(source).collect()
}

/// The closest policy.
async fn policy<W: World>(gather: &Gather<'_, W>, sku: &Id, node: &Id) -> Result<Policy, Failure> {
    let kept = gather.records::<Policy>(candidates(sku, node)).await?;
    let closest = kept.into_iter().flatten().next();
    Ok(closest.map_or_else(Policy::standard, |kept| kept.value))
}
