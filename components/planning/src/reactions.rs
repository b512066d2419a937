//! Reactions: what events of the other domains, and planning's own, mean here.
//!
//! Facts are kept; a pegging (its last part), a promotion that was set and the turn of the day
//! have promotions judged anew; a pegging that made anything worse has options searched. An order
//! is only counted: the pegging that follows it judges, so that nothing is told twice.

use std::collections::{BTreeMap, BTreeSet};

use tradewind_kernel::event::{Event, NewEvent, Payload};
use tradewind_kernel::events::finance::SettingsChanged;
use tradewind_kernel::events::inventory::{
    ChannelSet, DayTurned, Holding, ItemPegged, ItemSet, NodeSet, OrderChanged, PromiseMove,
    ReservationShipped,
};
use tradewind_kernel::events::planning::{PromotionSet, RunRequested};
use tradewind_kernel::events::procurement::{OrderConfirmed, OrderPastDue};
use tradewind_kernel::{Day, Decision, Domain, Id, Quantity, Refusal};
use tradewind_shell::failure::Failure;
use tradewind_shell::gather::Gather;
use tradewind_shell::service::{Cause, Reaction};
use tradewind_shell::world::World;

use crate::asks::Asks;
use crate::facts::{Channel, Item, Node, Order, Pegged, count_order};
use crate::gathering::{self, Promoted, promoted};
use crate::history::{Books, Quarter, Series, quarter_of};
use crate::late::{LatePart, of_confirmation, of_past_due};
use crate::mitigation::made_worse;
use crate::options::{Worsened, ranked};
use crate::promotion::Promotion;
use crate::risk::keep_changes;
use crate::{MAX_LIVE_PROMOTIONS, POSTPONE_DAYS, keys, runs};

/// Decides what an event means here.
///
/// # Errors
/// Outages; `Behind` when an asked domain is; a refusal parks the event.
pub async fn react<W: World>(gather: &Gather<'_, W>, cause: Cause<'_>) -> Result<Reaction, Failure>
where
    W::Asks: Asks,
{
    let event = cause.event();
    let decision = match event.kind() {
        SettingsChanged::TYPE => kept_settings(event)?,
        ItemSet::TYPE => keep_item(read(event)?),
        NodeSet::TYPE => keep_node(read(event)?),
        ChannelSet::TYPE => keep_channel(read(event)?),
        OrderChanged::TYPE => {
            let change: OrderChanged = read(event)?;
            let before = gather.record::<Order>(keys::order(&change.order)).await?;
            count_order(before.as_ref().map(|kept| &kept.value), &change)
        }
        OrderConfirmed::TYPE => keep_late(gather, event, of_confirmation(&read(event)?)).await?,
        OrderPastDue::TYPE => keep_late(gather, event, vec![of_past_due(&read(event)?)]).await?,
        ReservationShipped::TYPE => add_shipped(gather, &read(event)?).await?,
        ItemPegged::TYPE => pegged(gather, event, read(event)?).await?,
        PromotionSet::TYPE => promotion_set(gather, &read(event)?).await?,
        DayTurned::TYPE => return day_turned(gather, read(event)?, cause.step).await,
        RunRequested::TYPE => {
            return runs::work(gather, &read(event)?, event.sequence, cause.step).await;
        }
        _ => Decision::default(),
    };
    Ok(decision.into())
}

/// The payload of an event; one that does not read is parked.
fn read<P: Payload>(event: &Event) -> Result<P, Failure> {
    event.read().map_err(|fault| unreadable(&fault.to_string()).into())
}

fn unreadable(why: &str) -> Refusal {
    Refusal::conflict("event-unreadable", why)
}

fn kept_settings(event: &Event) -> Result<Decision, Failure> {
    let kept = tradewind_shell::settings::kept(Domain::Planning, event);
    Ok(kept.map_err(|outage| unreadable(&outage.0))?.unwrap_or_default())
}

fn keep_item(set: ItemSet) -> Decision {
    let mut decision = Decision::default();
    decision.index(keys::ITEMS, set.sku.as_str(), 0);
    decision.put(keys::item(&set.sku.clone()), &Item::from(set));
    decision
}

fn keep_node(set: NodeSet) -> Decision {
    let mut decision = Decision::default();
    let node = Node { calendar: set.calendar, receiving_days: set.receiving_days };
    decision.put_member(keys::NODES, set.node.as_str(), &node);
    decision
}

fn keep_channel(set: ChannelSet) -> Decision {
    let mut decision = Decision::default();
    decision.put_member(keys::CHANNELS, set.channel.clone().as_str(), &Channel::from(set));
    decision
}

/// Keeps the late parts by item, until the item's pegging under this correlation is judged.
async fn keep_late<W: World>(
    gather: &Gather<'_, W>,
    event: &Event,
    parts: Vec<LatePart>,
) -> Result<Decision, Failure> {
    let mut items: BTreeMap<Id, Vec<LatePart>> = BTreeMap::new();
    for part in parts {
        items.entry(part.sku.clone()).or_default().push(part);
    }
    let correlation = &event.origin.correlation;
    let mut decision = Decision::default();
    for (sku, parts) in items {
        let key = keys::late(correlation, &sku);
        let known = gather.record::<Vec<LatePart>>(key.clone()).await?;
        let mut all = known.map(|known| known.value).unwrap_or_default();
        all.extend(parts);
        decision.put(key, &all);
    }
    Ok(decision)
}

/// Adds what was shipped to the demand of its day.
async fn add_shipped<W: World>(
    gather: &Gather<'_, W>,
    shipped: &ReservationShipped,
) -> Result<Decision, Failure> {
    let mut books = Books::default();
    let (channel, day) = (&shipped.channel, shipped.day);
    let skus: BTreeSet<&Id> = shipped.lines.iter().map(|line| &line.sku).collect();
    for sku in skus {
        let first = quarter_of(day);
        if let Some(kept) = gather.record::<Quarter>(keys::quarter(sku, channel, first)).await? {
            books.quarters.insert((sku.clone(), channel.clone(), first), kept.value);
        }
        let name = vec![channel.to_string()];
        let kept = gather.members::<Series>(keys::series(sku), name).await?;
        if let Some(series) = kept.into_iter().flatten().next() {
            books.series.insert((sku.clone(), channel.clone()), series);
        }
    }
    for line in &shipped.lines {
        books.add(&line.sku, channel, day, line.quantity);
    }
    Ok(books.decision())
}

/// Judges the promotions of an item; gives back what they were judged by and what is newly short.
async fn judge<W: World>(
    gather: &Gather<'_, W>,
    sku: &Id,
    today: Day,
    pegged: &Pegged,
    decision: &mut Decision,
) -> Result<(Promoted, BTreeMap<Id, Quantity>), Failure> {
    let promoted = promoted(gather, sku, today).await?;
    let after = promoted.risks(pegged);
    let newly = keep_changes(decision, &promoted.promotions, &promoted.before, &after);
    Ok((promoted, newly))
}

async fn last_pegging<W: World>(gather: &Gather<'_, W>, sku: &Id) -> Result<Pegged, Failure> {
    let kept = gather.record::<Pegged>(keys::pegged(sku)).await?;
    Ok(kept.map(|kept| kept.value).unwrap_or_default())
}

async fn promotion_set<W: World>(
    gather: &Gather<'_, W>,
    set: &PromotionSet,
) -> Result<Decision, Failure> {
    let today = gather.today().await?;
    let mut decision = Decision::default();
    for sku in [Some(&set.sku), set.previous_sku.as_ref()].into_iter().flatten() {
        let pegged = last_pegging(gather, sku).await?;
        judge(gather, sku, today, &pegged, &mut decision).await?;
    }
    Ok(decision)
}

/// The turn of the day: item by item, the promotions whose window is open or has ended.
async fn day_turned<W: World>(
    gather: &Gather<'_, W>,
    turned: DayTurned,
    step: Option<&str>,
) -> Result<Reaction, Failure> {
    let today = turned.to;
    if let Some(sku) = step {
        let sku: Id = sku.parse().map_err(|_| unreadable("a step is an item"))?;
        return Ok(turn_item(gather, &sku, today).await?.into());
    }
    let score = keys::day_score(today);
    let due = gather.due(keys::LIVE_PROMOTIONS, score, MAX_LIVE_PROMOTIONS).await?;
    let ids = due.iter().filter_map(|(id, _)| id.parse::<Id>().ok());
    let names = ids.map(|id| keys::promotion(&id)).collect();
    let open = gather.records::<Promotion>(names).await?;
    let skus: BTreeSet<String> =
        open.into_iter().flatten().map(|kept| kept.sku.to_string()).collect();
    if skus.is_empty() {
        return Ok(Decision::default().into());
    }
    Ok(Reaction::Steps(skus.into_iter().collect()))
}

async fn turn_item<W: World>(
    gather: &Gather<'_, W>,
    sku: &Id,
    today: Day,
) -> Result<Decision, Failure> {
    let mut decision = Decision::default();
    let pegged = last_pegging(gather, sku).await?;
    judge(gather, sku, today, &pegged, &mut decision).await?;
    let all = gather.set::<Promotion>(keys::item_promotions(sku)).await?;
    for promotion in all.values().filter(|promotion| promotion.until < today) {
        decision.unindex(keys::LIVE_PROMOTIONS, promotion.promotion.as_str());
    }
    Ok(decision)
}

/// A pegging: earlier parts only leave what they moved; the last one is judged.
async fn pegged<W: World>(
    gather: &Gather<'_, W>,
    event: &Event,
    pegging: ItemPegged,
) -> Result<Decision, Failure>
where
    W::Asks: Asks,
{
    let ItemPegged { sku, today, part, parts, moved, left_over, held } = pegging;
    let correlation = &event.origin.correlation;
    let key = keys::moved(correlation, &sku);
    let mut worse = made_worse(moved);
    let mut decision = Decision::default();
    if part < parts {
        if !worse.is_empty() {
            decision.put_member(key, part.to_string(), &worse);
        }
        return Ok(decision);
    }
    if parts > 1 {
        for (name, earlier) in gather.set::<Vec<PromiseMove>>(key.clone()).await? {
            worse.extend(earlier);
            decision.delete_member(key.clone(), name);
        }
    }
    let before = last_pegging(gather, &sku).await?;
    let now = Pegged { left_over, held };
    decision.put(keys::pegged(&sku), &now);
    let (promoted, newly_short) = judge(gather, &sku, today, &now, &mut decision).await?;
    let key = keys::late(correlation, &sku);
    let late = gather.record::<Vec<LatePart>>(key.clone()).await?;
    if late.is_some() {
        decision.delete(key);
    }
    let holds_shorter = shorter(&before.held, &now.held);
    if worse.is_empty() && newly_short.is_empty() && !holds_shorter {
        return Ok(decision);
    }
    let ordered = gathering::ordered(gather, &sku, &promoted.promotions, POSTPONE_DAYS).await?;
    let worsened = Worsened {
        sku: sku.clone(),
        today,
        item: promoted.item,
        channels: promoted.channels,
        nodes: gathering::nodes(gather).await?,
        promotions: promoted.promotions,
        ordered,
        moved: worse,
        newly_short,
        holds_shorter,
        late: late.map(|late| late.value).unwrap_or_default(),
    };
    if let Some(options) = ranked(gather.world(), gather.tenant(), worsened, event.sequence).await?
    {
        decision.event(NewEvent::of(sku.as_str(), &options));
    }
    Ok(decision)
}

/// Whether a protection is shorter than it was.
fn shorter(before: &[Holding], after: &[Holding]) -> bool {
    after.iter().any(|holding| {
        let was = before.iter().find(|was| was.protection == holding.protection);
        holding.short > was.map_or(0, |was| was.short)
    })
}
