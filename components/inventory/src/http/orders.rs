//! Customer orders and promises over HTTP.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use tradewind_kernel::{Day, Decision, Domain, Id, Quantity, Refusal};
use tradewind_shell::call::{Answer, Call};
use tradewind_shell::failure::Failure;
use tradewind_shell::gather::{Gather, Kept};
use tradewind_shell::route::Role;
use tradewind_shell::service::Service;
use tradewind_shell::store::{Needs, Read};
use tradewind_shell::world::World;

use super::bound;
use super::stock::{check_known, line_count};
use crate::asks::Asks;
use crate::demand::{self, OpenLine, open_lines};
use crate::gathering::{common_reads, item, network, promises, situation, situation_reads};
use crate::keys;
use crate::order::{self, LineState, Order, OrderBody, ReasonBody};
use crate::pegging::{Reason, peg};
use crate::promise::{Asked, available_to_promise, promise as dry_run};
use crate::purchase::{Purchase, earliest};
use crate::repegging::{Promise, PromisePeg, repeg};
use crate::views::{OrderSummary, PromiseView};

/// Demand lines of an item up to which an answer pegs it though it waits to be pegged: so many cost
/// less than the commit. A heavier item that waits is answered as it is kept, and its new lines as
/// `waiting`, so that stating a line costs the same however many there are.
const PEGGED_IN_ANSWER: Quantity = 256;

pub(super) async fn put<S: Service<W>, W: World>(call: &Call<'_, S, W>) -> Result<Answer, Failure>
where
    W::Asks: Asks,
{
    let id = call.new_id("order")?;
    let body: OrderBody = call.body()?;
    call.command(async |gather: &Gather<'_, W>| {
        bound(call, &body.channel, &[])?;
        let kept = gather.record::<Order>(keys::order(&id)).await?;
        if let Some(kept) = &kept {
            bound(call, &kept.channel, &[])?;
        }
        let version = kept.as_ref().map_or(0, |kept| kept.version);
        call.if_match(version)?;
        let existing = kept.as_ref().map(|kept| &kept.value);
        let wanted: BTreeSet<Id> = body.lines.iter().map(|line| line.sku.clone()).collect();
        let items = wanted.iter().map(|sku| Read::Record { key: keys::item(sku) });
        gather.prefetch(common_reads().into_iter().chain(items).collect()).await?;
        let mut known = BTreeSet::new();
        for sku in &wanted {
            if item(gather, sku).await?.is_some() {
                known.insert(sku.clone());
            }
        }
        let network = network(gather).await?;
        let (now, today) = (gather.now(), gather.today().await?);
        let context = order::Context { now, today, network: &network, known: &known };
        let next = order::stated(existing, &body, &context)?;
        // What lines will be promised is read apart: it steers nothing, so that orders of one item
        // do not get into each other's way.
        let reading =
            Gather::new(gather.world(), gather.tenant(), Domain::Inventory, Needs::Everything, 0);
        let states = predicted(&reading, existing, &next, &id).await?;
        if existing == Some(&next) {
            let view = order::body(&next, &id, &states, &version.to_string());
            return Ok(Decision::unchanged(view, version));
        }
        let decision = order::written(existing, &next, &id);
        let view = order::body(&next, &id, &states, "");
        let location = format!("/inventory/v1/orders/{id}");
        Ok(crate::network::answered(decision, existing.is_none(), location, view))
    })
    .await
}

/// What the lines will be promised: the dry run of pegging with the order as it will be. Of an item
/// that is heavy and waits: what is kept of lines that stay as they are.
async fn predicted<W: World>(
    gather: &Gather<'_, W>,
    existing: Option<&Order>,
    next: &Order,
    id: &Id,
) -> Result<BTreeMap<u32, LineState>, Failure>
where
    W::Asks: Asks,
{
    let anew = order::anew(existing, next, id);
    let skus = next.skus();
    let weight = |sku: &Id| Read::CounterFields { key: keys::lines(sku), fields: line_count() };
    let reads = skus.iter().flat_map(|sku| [weight(sku), waits(sku)]);
    gather.prefetch(common_reads().into_iter().chain(reads).collect()).await?;
    let mut pegged = BTreeSet::new();
    for sku in &skus {
        let lines = gather.counter_fields(keys::lines(sku), line_count()).await?;
        let light = lines.iter().all(|lines| *lines <= PEGGED_IN_ANSWER);
        if light || gather.mark(sku.as_str()).await?.is_none() {
            pegged.insert(sku.clone());
        }
    }
    let mut reads: Vec<Read> = Vec::new();
    for sku in &skus {
        if pegged.contains(sku) {
            reads.extend(situation_reads(sku));
            reads.push(Read::Set { key: keys::promises(sku) });
        } else {
            reads.extend(own_reads(next, id, sku));
        }
    }
    gather.prefetch(reads).await?;
    let mut states = BTreeMap::new();
    for sku in &skus {
        if !pegged.contains(sku) {
            let mut kept = own_promises(gather, next, id, sku).await?;
            kept.retain(|name, _| !anew.contains(&(sku.clone(), name.clone())));
            states.extend(states_of(gather, next, id, sku, &kept).await?);
            continue;
        }
        let mut after = situation(gather, sku).await?;
        let mut kept = promises(gather, sku).await?;
        kept.retain(|name, _| !anew.contains(&(sku.clone(), name.clone())));
        after.demand.retain(|_, line| line.order != *id);
        after.demand.extend(order::own_demand(next, id, sku));
        let given = repeg(&after, &kept).promises;
        states.extend(states_of(gather, next, id, sku, &given).await?);
    }
    Ok(states)
}

fn waits(sku: &Id) -> Read {
    Read::Mark { domain: Domain::Inventory, item: sku.to_string() }
}

/// What is read of an item for an order's own lines alone.
fn own_reads(order: &Order, id: &Id, sku: &Id) -> [Read; 2] {
    let members = order::own_demand(order, id, sku).into_keys().collect();
    let fields = vec![demand::claimed(id), demand::shipped(id)];
    [
        Read::Members { key: keys::promises(sku), members },
        Read::CounterFields { key: keys::fills(sku), fields },
    ]
}

/// The promises that are kept of an order's own lines of an item.
async fn own_promises<W: World>(
    gather: &Gather<'_, W>,
    order: &Order,
    id: &Id,
    sku: &Id,
) -> Result<BTreeMap<String, Promise>, Failure> {
    let names: Vec<String> = order::own_demand(order, id, sku).into_keys().collect();
    let kept = gather.members(keys::promises(sku), names.clone()).await?;
    Ok(names.into_iter().zip(kept).filter_map(|(name, kept)| Some((name, kept?))).collect())
}

/// What of a cancelled order's lines is still claimed, and was shipped.
async fn filled<W: World>(
    gather: &Gather<'_, W>,
    order: &Order,
    id: &Id,
    sku: &Id,
) -> Result<BTreeMap<u32, LineState>, Failure> {
    let fields = vec![demand::claimed(id), demand::shipped(id)];
    let counted = gather.counter_fields(keys::fills(sku), fields.clone()).await?;
    let fills = fields.into_iter().zip(counted).collect();
    let asked = Order { cancelled: false, ..order.clone() };
    let demand = order::own_demand(&asked, id, sku);
    let state = |line: &OpenLine<'_>| {
        let filled = (line.claimed, line.shipped);
        (line.demand.line, LineState { filled, ..LineState::default() })
    };
    Ok(open_lines(&demand, &fills).iter().map(state).collect())
}

/// The states of an order's lines of one item, with these promises.
async fn states_of<W: World>(
    gather: &Gather<'_, W>,
    order: &Order,
    id: &Id,
    sku: &Id,
    promises: &BTreeMap<String, Promise>,
) -> Result<BTreeMap<u32, LineState>, Failure>
where
    W::Asks: Asks,
{
    let fields = vec![demand::claimed(id), demand::shipped(id)];
    let filled = gather.counter_fields(keys::fills(sku), fields.clone()).await?;
    let fills = fields.into_iter().zip(filled).collect();
    let demand = order::own_demand(order, id, sku);
    let mut states = BTreeMap::new();
    for line in open_lines(&demand, &fills) {
        let mut state = LineState::of(&line, promises.get(&line.demand.member()).cloned());
        if state.is_short() {
            let (channel, wanted) = (&line.demand.channel, line.demand.wanted);
            state.purchase = purchase(gather, sku, channel, wanted).await?;
        }
        states.insert(line.demand.line, state);
    }
    Ok(states)
}

/// The purchase that could serve a channel where supply does not suffice.
async fn purchase<W: World>(
    gather: &Gather<'_, W>,
    sku: &Id,
    channel: &Id,
    wanted: Day,
) -> Result<Option<Purchase>, Failure>
where
    W::Asks: Asks,
{
    let answer = gather.world().asks().offers(gather.tenant(), sku).await;
    let offers = gather.asked(answer)?;
    let (network, today) = (network(gather).await?, gather.today().await?);
    Ok(earliest(&offers, &network, channel, (today, wanted)))
}

async fn kept<W: World>(gather: &Gather<'_, W>, id: &Id) -> Result<Kept<Order>, Failure> {
    let kept = gather.record::<Order>(keys::order(id)).await?;
    Ok(kept.ok_or_else(|| Refusal::not_found(format!("order `{id}`")))?)
}

pub(super) async fn get<S: Service<W>, W: World>(call: &Call<'_, S, W>) -> Result<Answer, Failure>
where
    W::Asks: Asks,
{
    let id = call.id("order")?;
    call.answer(async |gather: &Gather<'_, W>| {
        let kept = kept(gather, &id).await?;
        bound(call, &kept.channel, Role::READERS)?;
        let skus = kept.skus();
        let reads = skus.iter().flat_map(|sku| own_reads(&kept, &id, sku).into_iter());
        let waits = skus.iter().map(waits);
        gather.prefetch(common_reads().into_iter().chain(waits).chain(reads).collect()).await?;
        let mut states = BTreeMap::new();
        for sku in &skus {
            if kept.cancelled {
                states.extend(filled(gather, &kept, &id, sku).await?);
                continue;
            }
            gather.settled(sku.as_str()).await?;
            let promises = own_promises(gather, &kept, &id, sku).await?;
            states.extend(states_of(gather, &kept, &id, sku, &promises).await?);
        }
        let body = order::body(&kept.value, &id, &states, &kept.version.to_string());
        Ok(Answer::versioned(body, kept.version))
    })
    .await
}

pub(super) async fn list<S: Service<W>, W: World>(
    call: &Call<'_, S, W>,
) -> Result<Answer, Failure> {
    let (after, limit) = (call.after()?, call.limit()?);
    call.answer(async |gather: &Gather<'_, W>| {
        let names = gather.page(keys::ORDERS, &after, limit).await?;
        let ids: Vec<Id> = names.iter().filter_map(|name| name.parse().ok()).collect();
        let kept = gather.records::<Order>(ids.iter().map(keys::order).collect()).await?;
        let items = ids.into_iter().zip(kept).filter_map(|(id, kept)| {
            let order = kept?.value;
            let status = order.status();
            let (channel, ordered_at) = (order.channel, order.ordered_at);
            let lines = order.lines.len();
            Some(json!(OrderSummary { id, channel, ordered_at, status, lines }))
        });
        Ok(Call::<S, W>::page(items.collect(), &names, limit))
    })
    .await
}

pub(super) async fn cancel<S: Service<W>, W: World>(
    call: &Call<'_, S, W>,
) -> Result<Answer, Failure> {
    let id = call.id("order")?;
    let body: ReasonBody = call.body()?;
    let mut task = call.task();
    task.frees = true;
    task.origin.reason.clone_from(&body.reason);
    call.run(task, async |gather: &Gather<'_, W>| -> Result<Decision, Failure> {
        let kept = kept(gather, &id).await?;
        bound(call, &kept.channel, &[])?;
        call.if_match(kept.version)?;
        let next = order::cancelled(&kept.value)?;
        let mut states = BTreeMap::new();
        for sku in &kept.skus() {
            states.extend(filled(gather, &kept, &id, sku).await?);
        }
        let view = order::body(&next, &id, &states, "");
        Ok(order::written(Some(&kept.value), &next, &id).reply(200, view))
    })
    .await
}

pub(super) async fn promise<S: Service<W>, W: World>(
    call: &Call<'_, S, W>,
) -> Result<Answer, Failure>
where
    W::Asks: Asks,
{
    let (sku, channel): (Id, Id) = (call.required("sku")?, call.required("channel")?);
    let quantity: Quantity = call.required("quantity")?;
    let wanted: Option<Day> = call.query("wanted")?;
    bound(call, &channel, Role::READERS)?;
    call.answer(async |gather: &Gather<'_, W>| {
        let known = item(gather, &sku).await?.is_some();
        let situation = situation(gather, &sku).await?;
        let unknown = Some(&sku).filter(|_| !known).into_iter().collect();
        check_known(&unknown, &channel, &situation.shelf.network)?;
        let today = situation.shelf.today;
        let wanted = wanted.unwrap_or(today);
        let (input, at) = (situation.input(), gather.now());
        let asked = Asked { channel: channel.to_string(), quantity, wanted, at };
        let given = dry_run(&input, &asked);
        let mut view = PromiseView {
            sku: sku.clone(),
            channel: channel.clone(),
            quantity,
            wanted,
            day: given.day,
            reason: given.reason,
            supply: given.supply.iter().map(PromisePeg::from).collect(),
            would_move: given.would_move,
            available_to_promise: {
                let day = wanted.max(today);
                available_to_promise(&input, &peg(&input), channel.as_str(), day)
            },
            purchase: None,
        };
        if view.day.is_none() {
            view.purchase = purchase(gather, &sku, &channel, wanted).await?;
        }
        if let Some(purchase) = &view.purchase {
            view.day = Some(purchase.day);
            view.reason = Reason::Purchase;
        }
        Ok(Answer::ok(json!(view)))
    })
    .await
}
