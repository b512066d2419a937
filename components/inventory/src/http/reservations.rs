//! Reservations over HTTP.

use std::collections::{BTreeMap, BTreeSet};

use tradewind_kernel::{Decision, Id, Quantity, Refusal};
use tradewind_shell::call::{Answer, Call};
use tradewind_shell::failure::Failure;
use tradewind_shell::gather::{Gather, Kept};
use tradewind_shell::route::Role;
use tradewind_shell::service::Service;
use tradewind_shell::store::Read;
use tradewind_shell::world::World;

use super::bound;
use crate::backorder::{Ordered, may_backorder};
use crate::demand;
use crate::gathering::{common_reads, network, shelf_reads, shelves};
use crate::keys;
use crate::leaving::{self, LeavingBody};
use crate::order::Order;
use crate::reservation::{self, Context, Reservation, ReserveBody};
use crate::tick::renew;

/// Reserves. The usual one is a single round trip: what the instance remembers is enough to decide,
/// and the commit's checks and guards say whether it was right. Everything else is read.
pub(super) async fn reserve<S: Service<W>, W: World>(
    call: &Call<'_, S, W>,
) -> Result<Answer, Failure> {
    let body: ReserveBody = call.body()?;
    let skus: BTreeSet<Id> = body.lines.iter().map(|line| line.sku.clone()).collect();
    call.command(async |gather: &Gather<'_, W>| {
        bound(call, &body.channel, &[])?;
        let order = body.order.as_ref().map(keys::order);
        let mut reads = common_reads();
        reads.extend(skus.iter().flat_map(shelf_reads));
        reads.extend(order.map(|key| Read::Record { key }));
        if gather.recall(reads.clone()) {
            if let Some(decision) = as_remembered(gather, &body, &skus).await? {
                return Ok(decision);
            }
            gather.begin_anew();
        }
        gather.prefetch(reads).await?;
        let order = order_of(gather, &body).await?;
        let mut context = context(gather, &skus, order.as_ref()).await?;
        let mut stale = context.shelves.values().filter(|shelf| !shelf.is_renewed()).peekable();
        if stale.peek().is_some() {
            for shelf in stale {
                renew::<S, W>(call.world(), call.tenant(), &shelf.sku).await?;
            }
            return Err(Failure::Behind);
        }
        if let (Some(id), Some(order)) = (&body.order, &order)
            && may_backorder(&body, &context)
        {
            context.ordered = ordered(gather, id, order, &skus).await?;
        }
        Ok(reservation::reserve(&body, &context)?)
    })
    .await
}

/// The decision on what the instance remembers, if it may rest on that.
async fn as_remembered<W: World>(
    gather: &Gather<'_, W>,
    body: &ReserveBody,
    skus: &BTreeSet<Id>,
) -> Result<Option<Decision>, Failure> {
    let order = order_of(gather, body).await?;
    Ok(reservation::reserve_as_remembered(body, &context(gather, skus, order.as_ref()).await?))
}

async fn order_of<W: World>(
    gather: &Gather<'_, W>,
    body: &ReserveBody,
) -> Result<Option<Kept<Order>>, Failure> {
    match &body.order {
        Some(id) => gather.record::<Order>(keys::order(id)).await,
        None => Ok(None),
    }
}

async fn context<W: World>(
    gather: &Gather<'_, W>,
    skus: &BTreeSet<Id>,
    order: Option<&Kept<Order>>,
) -> Result<Context, Failure> {
    Ok(Context {
        id: gather.id("res"),
        now: gather.now(),
        network: network(gather).await?,
        shelves: shelves(gather, skus).await?,
        order_channel: order.map(|order| order.channel.clone()),
        ordered: BTreeMap::new(),
    })
}

/// What an order's lines are for of these items.
async fn ordered<W: World>(
    gather: &Gather<'_, W>,
    id: &Id,
    order: &Order,
    skus: &BTreeSet<Id>,
) -> Result<BTreeMap<Id, Ordered>, Failure> {
    let fields = vec![demand::claimed(id), demand::shipped(id)];
    let fills = |sku: &Id| Read::CounterFields { key: keys::fills(sku), fields: fields.clone() };
    gather.prefetch(skus.iter().map(fills).collect()).await?;
    let mut ordered = BTreeMap::new();
    for sku in skus {
        let lines = order.demand(id).filter(|(of, _)| *of == sku);
        let quantity = lines.map(|(_, line)| line.quantity).fold(0, Quantity::saturating_add);
        let filled = gather.counter_fields(keys::fills(sku), fields.clone()).await?;
        let open = filled.into_iter().fold(quantity, Quantity::saturating_sub);
        ordered.insert(sku.clone(), Ordered { quantity, open });
    }
    Ok(ordered)
}

async fn kept<W: World>(gather: &Gather<'_, W>, id: &Id) -> Result<Kept<Reservation>, Failure> {
    let kept = gather.record::<Reservation>(keys::reservation(id)).await?;
    Ok(kept.ok_or_else(|| Refusal::not_found(format!("reservation `{id}`")))?)
}

pub(super) async fn get<S: Service<W>, W: World>(call: &Call<'_, S, W>) -> Result<Answer, Failure> {
    let id = call.id("id")?;
    call.answer(async |gather: &Gather<'_, W>| {
        let kept = kept(gather, &id).await?;
        bound(call, &kept.channel, Role::READERS)?;
        Ok(Answer::versioned(kept.body(&id, &kept.version.to_string()), kept.version))
    })
    .await
}

pub(super) async fn list<S: Service<W>, W: World>(
    call: &Call<'_, S, W>,
) -> Result<Answer, Failure> {
    let (after, limit) = (call.after()?, call.limit()?);
    call.answer(async |gather: &Gather<'_, W>| {
        let names = gather.page(keys::RESERVATIONS, &after, limit).await?;
        let ids: Vec<Id> = names.iter().filter_map(|name| name.parse().ok()).collect();
        let own = ids.iter().map(keys::reservation).collect();
        let kept = gather.records::<Reservation>(own).await?;
        let items = ids.iter().zip(kept).filter_map(|(id, kept)| {
            let kept = kept?;
            Some(kept.body(id, &kept.version.to_string()))
        });
        Ok(Call::<S, W>::page(items.collect(), &names, limit))
    })
    .await
}

pub(super) async fn ship<S: Service<W>, W: World>(
    call: &Call<'_, S, W>,
) -> Result<Answer, Failure> {
    let id = call.id("id")?;
    let body: LeavingBody = call.body()?;
    let mut task = call.task();
    task.frees = true;
    task.origin.reason.clone_from(&body.reason);
    call.run(task, async |gather: &Gather<'_, W>| -> Result<Decision, Failure> {
        let kept = kept(gather, &id).await?;
        call.if_match(kept.version)?;
        let moment = (gather.now(), gather.today().await?);
        Ok(leaving::ship(&kept.value, &id, &body, moment)?)
    })
    .await
}

pub(super) async fn release<S: Service<W>, W: World>(
    call: &Call<'_, S, W>,
) -> Result<Answer, Failure> {
    let id = call.id("id")?;
    let body: LeavingBody = call.body()?;
    let mut task = call.task();
    task.frees = true;
    task.origin.reason.clone_from(&body.reason);
    call.run(task, async |gather: &Gather<'_, W>| -> Result<Decision, Failure> {
        let kept = kept(gather, &id).await?;
        bound(call, &kept.channel, &[])?;
        call.if_match(kept.version)?;
        Ok(leaving::release(&kept.value, &id, &body)?)
    })
    .await
}
