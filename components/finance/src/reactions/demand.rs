//! Customer orders, their claims and promises, and the channels that pay for them.

use std::collections::{BTreeMap, BTreeSet};

use tradewind_kernel::event::Event;
use tradewind_kernel::events::inventory::{
    ChannelSet, ItemPegged, OrderChanged, Payout, PromiseMove, ReservationReleased,
    ReservationShipped, Reserved,
};
use tradewind_kernel::{Decision, Id};
use tradewind_shell::failure::Failure;
use tradewind_shell::gather::{Gather, Kept};
use tradewind_shell::service::{Cause, Reaction};
use tradewind_shell::world::World;

use super::board::move_cash;
use super::{MAX_ORDERS, ORDERS_A_STEP, read, steps};
use crate::demand::{Demand, replace};
use crate::flow::Change;
use crate::keys;

async fn payout<W: World>(gather: &Gather<'_, W>, channel: &Id) -> Result<Payout, Failure> {
    let kept = gather.record::<Payout>(keys::channel(channel)).await?;
    Ok(kept.map(|kept| kept.value).unwrap_or_default())
}

/// An order as it was, and as it can be changed.
async fn order<W: World>(
    gather: &Gather<'_, W>,
    order: &Id,
    channel: &Id,
) -> Result<(Option<Kept<Demand>>, Demand), Failure> {
    let kept = gather.record::<Demand>(keys::demand(order)).await?;
    let after = kept.as_deref().cloned().unwrap_or_else(|| Demand::new(channel.clone()));
    Ok((kept, after))
}

/// Writes one order that has changed; `paid` are flows beside those of its open and claimed parts.
async fn finish<W: World>(
    gather: &Gather<'_, W>,
    event: &Event,
    order: &Id,
    (before, after): (Option<Kept<Demand>>, Demand),
    paid: Vec<Change>,
) -> Result<Decision, Failure> {
    let mut decision = Decision::default();
    let after_flows = after.clone().paid_by(&payout(gather, &after.channel).await?);
    let mut changes = replace(&mut decision, order, before.as_deref(), &after_flows);
    changes.extend(paid);
    move_cash(gather, event, &mut decision, &changes).await?;
    Ok(decision)
}

/// An order was stated, changed or cancelled.
pub(super) async fn stated<W: World>(
    gather: &Gather<'_, W>,
    event: &Event,
) -> Result<Decision, Failure> {
    let stated: OrderChanged = read(event)?;
    let (before, mut after) = order(gather, &stated.order, &stated.channel).await?;
    let paid = after.restate(&stated, &payout(gather, &stated.channel).await?);
    finish(gather, event, &stated.order, (before, after), paid).await
}

/// Stock was claimed.
pub(super) async fn reserved<W: World>(
    gather: &Gather<'_, W>,
    event: &Event,
) -> Result<Decision, Failure> {
    let reserved: Reserved = read(event)?;
    let (before, mut after) = order(gather, &reserved.order, &reserved.channel).await?;
    after.claim(&reserved.lines);
    finish(gather, event, &reserved.order, (before, after), Vec::new()).await
}

/// Claimed stock was shipped.
pub(super) async fn shipped<W: World>(
    gather: &Gather<'_, W>,
    event: &Event,
) -> Result<Decision, Failure> {
    let shipped: ReservationShipped = read(event)?;
    let (before, mut after) = order(gather, &shipped.order, &shipped.channel).await?;
    let terms = payout(gather, &after.channel).await?;
    let paid = after.ship(&shipped.lines, shipped.day, &terms);
    finish(gather, event, &shipped.order, (before, after), paid).await
}

/// Claims were given back.
pub(super) async fn released<W: World>(
    gather: &Gather<'_, W>,
    event: &Event,
) -> Result<Decision, Failure> {
    let released: ReservationReleased = read(event)?;
    let (before, mut after) = order(gather, &released.order, &released.channel).await?;
    after.release(&released.lines);
    finish(gather, event, &released.order, (before, after), Vec::new()).await
}

/// Promises moved: only the orders that are named are read.
pub(super) async fn pegged<W: World>(
    gather: &Gather<'_, W>,
    event: &Event,
) -> Result<Decision, Failure> {
    let pegged: ItemPegged = read(event)?;
    let mut moves: BTreeMap<&Id, Vec<&PromiseMove>> = BTreeMap::new();
    for moved in &pegged.moved {
        moves.entry(&moved.order).or_default().push(moved);
    }
    let mut decision = Decision::default();
    let orders =
        gather.records::<Demand>(moves.keys().map(|id| keys::demand(id)).collect()).await?;
    let channels: BTreeSet<Id> = orders.iter().flatten().map(|kept| kept.channel.clone()).collect();
    let found = gather.records::<Payout>(channels.iter().map(keys::channel).collect()).await?;
    let payouts: BTreeMap<Id, Payout> = channels
        .into_iter()
        .zip(found.into_iter().map(|kept| kept.map(|kept| kept.value).unwrap_or_default()))
        .collect();
    let mut changes = Vec::new();
    for ((order, moves), kept) in moves.into_iter().zip(orders) {
        let Some(before) = kept else { continue };
        let mut after = before.value.clone();
        moves.into_iter().for_each(|moved| after.promise(moved));
        let terms = payouts.get(&after.channel).cloned().unwrap_or_default();
        let after = after.paid_by(&terms);
        changes.extend(replace(&mut decision, order, Some(&before), &after));
    }
    move_cash(gather, event, &mut decision, &changes).await?;
    Ok(decision)
}

/// A channel's terms changed: whatever of it is still to be shipped pays on the new ones.
pub(super) async fn channel<W: World>(
    gather: &Gather<'_, W>,
    cause: Cause<'_>,
) -> Result<Reaction, Failure> {
    let event = cause.event();
    let set: ChannelSet = read(event)?;
    let index = keys::channel_orders(&set.channel);
    let mut decision = Decision::default();
    decision.put(keys::channel(&set.channel), &set.payout);
    let Some(after) = cause.step else {
        let before = payout(gather, &set.channel).await?;
        let orders = gather.list(index, "", MAX_ORDERS).await?;
        if before == set.payout || orders.is_empty() {
            return Ok(decision.into());
        }
        return Ok(Reaction::Steps(steps(&orders)));
    };
    let orders = gather.list(index, after, ORDERS_A_STEP).await?;
    let orders: Vec<Id> = orders.iter().filter_map(|order| order.parse().ok()).collect();
    let kept = gather.records::<Demand>(orders.iter().map(keys::demand).collect()).await?;
    let mut changes = Vec::new();
    for (order, before) in orders.iter().zip(kept) {
        if let Some(before) = before {
            let after = before.value.clone().paid_by(&set.payout);
            changes.extend(replace(&mut decision, order, Some(&before), &after));
        }
    }
    move_cash(gather, event, &mut decision, &changes).await?;
    Ok(decision.into())
}
