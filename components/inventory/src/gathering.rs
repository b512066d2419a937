//! Gathering: how the shell's reads become shelves and situations.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use tradewind_kernel::decision::Write;
use tradewind_kernel::{Decision, Id};
use tradewind_shell::failure::Failure;
use tradewind_shell::gather::Gather;
use tradewind_shell::run::PATIENT_ATTEMPTS;
use tradewind_shell::store::Read;
use tradewind_shell::world::World;

use crate::demand::Demand;
use crate::item::Item;
use crate::keys;
use crate::network::Network;
use crate::protection::Plan;
use crate::repegging::Promise;
use crate::shelf::Shelf;
use crate::situation::Situation;
use crate::supply::SupplyLine;

fn record(key: impl Into<String>) -> Read {
    Read::Record { key: key.into() }
}

/// The reads that all of a tenant's items share.
#[must_use]
pub fn common_reads() -> Vec<Read> {
    let settings = tradewind_shell::settings::key(tradewind_kernel::Domain::Inventory);
    vec![record(settings), record(keys::NETWORK)]
}

/// The reads of an item's shelf.
#[must_use]
pub fn shelf_reads(sku: &Id) -> Vec<Read> {
    let stock = Read::Counters { key: keys::stock(sku) };
    vec![record(keys::item(sku)), record(keys::plan(sku)), stock]
}

/// The reads of an item's shelf and supply.
#[must_use]
pub fn supplied_reads(sku: &Id) -> Vec<Read> {
    let mut reads = shelf_reads(sku);
    reads.push(Read::Set { key: keys::supply(sku) });
    reads
}

/// The reads of an item's situation.
#[must_use]
pub fn situation_reads(sku: &Id) -> Vec<Read> {
    let mut reads = supplied_reads(sku);
    reads.push(Read::Counters { key: keys::fills(sku) });
    reads.push(Read::Set { key: keys::demand(sku) });
    reads
}

/// The network; a bare tenant has an empty one.
///
/// # Errors
/// Outages; `Behind`.
pub async fn network<W: World>(gather: &Gather<'_, W>) -> Result<Rc<Network>, Failure> {
    let kept = gather.shared::<Network>(keys::NETWORK).await?;
    Ok(kept.map(|kept| kept.value).unwrap_or_default())
}

/// An item's master data.
///
/// # Errors
/// Outages; `Behind`.
pub async fn item<W: World>(gather: &Gather<'_, W>, sku: &Id) -> Result<Option<Item>, Failure> {
    let kept = gather.record::<Item>(keys::item(sku)).await?;
    Ok(kept.map(|kept| kept.value))
}

/// The items of these that are known, read at one moment with their shelves.
///
/// # Errors
/// Outages; `Behind`.
pub async fn shelves<W: World>(
    gather: &Gather<'_, W>,
    skus: &BTreeSet<Id>,
) -> Result<BTreeMap<Id, Shelf>, Failure> {
    let own = skus.iter().flat_map(shelf_reads);
    gather.prefetch(common_reads().into_iter().chain(own).collect()).await?;
    let mut shelves = BTreeMap::new();
    for sku in skus {
        if gather.exists(keys::item(sku)).await? {
            shelves.insert(sku.clone(), shelf(gather, sku).await?);
        }
    }
    Ok(shelves)
}

/// An item's shelf, whether the item is known or not.
///
/// # Errors
/// Outages; `Behind`.
pub async fn shelf<W: World>(gather: &Gather<'_, W>, sku: &Id) -> Result<Shelf, Failure> {
    Ok(Shelf {
        sku: sku.clone(),
        today: gather.today().await?,
        network: network(gather).await?,
        plan: gather.shared::<Plan>(keys::plan(sku)).await?.map(|kept| (*kept.value).clone()),
        counters: gather.counters(keys::stock(sku)).await?,
    })
}

/// An item's situation.
///
/// # Errors
/// Outages; `Behind`.
pub async fn situation<W: World>(gather: &Gather<'_, W>, sku: &Id) -> Result<Situation, Failure> {
    gather.prefetch(common_reads().into_iter().chain(situation_reads(sku)).collect()).await?;
    Ok(Situation {
        shelf: shelf(gather, sku).await?,
        fills: gather.counters(keys::fills(sku)).await?,
        demand: gather.set::<Demand>(keys::demand(sku)).await?,
        supply: gather.set::<SupplyLine>(keys::supply(sku)).await?,
    })
}

/// An item's situation without its demand: all that protections and availability rest on, so that
/// orders do not come in between.
///
/// # Errors
/// Outages; `Behind`.
pub async fn supplied<W: World>(gather: &Gather<'_, W>, sku: &Id) -> Result<Situation, Failure> {
    gather.prefetch(common_reads().into_iter().chain(supplied_reads(sku)).collect()).await?;
    Ok(Situation {
        shelf: shelf(gather, sku).await?,
        fills: BTreeMap::new(),
        demand: BTreeMap::new(),
        supply: gather.set::<SupplyLine>(keys::supply(sku)).await?,
    })
}

/// The same with the plan renewed for today and this network, for what only reads.
///
/// # Errors
/// Outages; `Behind`.
pub async fn current<W: World>(gather: &Gather<'_, W>, sku: &Id) -> Result<Situation, Failure> {
    let mut situation = supplied(gather, sku).await?;
    if !situation.shelf.is_renewed() {
        situation.shelf.plan = situation.renewed_plan();
    }
    Ok(situation)
}

/// The promises that are kept of an item.
///
/// # Errors
/// Outages; `Behind`.
pub async fn promises<W: World>(
    gather: &Gather<'_, W>,
    sku: &Id,
) -> Result<BTreeMap<String, Promise>, Failure> {
    gather.set::<Promise>(keys::promises(sku)).await
}

/// Insists that what `inbound` rests on does not change before the commit: a claim in between would
/// make it speak of no moment at all, and so would goods that move before an item's first
/// protection is written. Under a storm of claims, late tries let that pass.
pub fn guard_renewal<W: World>(
    gather: &Gather<'_, W>,
    before: &Situation,
    decision: &mut Decision,
) {
    let plan = keys::plan(before.sku());
    let writes_plan = |write: &Write| matches!(write, Write::Put { key, .. } if *key == plan);
    let stands = before.shelf.standing().next().is_some();
    let renews = stands || decision.writes.iter().any(writes_plan);
    if renews && gather.attempt() < PATIENT_ATTEMPTS {
        decision.guards.extend(before.shelf.unchanged());
    }
}
