//! What inventory makes of events: purchase lines become supply, receipts become stock, the turn of
//! the day and changes of the network renew plans; and every item concerned is pegged anew, under
//! the correlation of what caused it.
//!
//! An item that waits to be pegged for something else is worked first, under its own causes, so
//! that causes do not mix. One item goes in one commit with all its promises, unless they are very
//! many: then the supply goes first and the promises follow in parts.

mod working;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use tradewind_kernel::decision::MAX_PART_LINES;
use tradewind_kernel::events::inventory::{ChannelSet, DayTurned, NodeSet, StockMoved};
use tradewind_kernel::events::procurement::{
    OrderCancelled, OrderClosed, OrderConfirmed, OrderReceived, OrderReleased, OrderState,
    ReceivedLine,
};
use tradewind_kernel::{Day, Decision, Domain, Event, Id, Quantity, Refusal};
use tradewind_shell::failure::Failure;
use tradewind_shell::gather::Gather;
use tradewind_shell::run::PATIENT_ATTEMPTS;
use tradewind_shell::service::{Cause, Effect, Reaction};
use tradewind_shell::settings;
use tradewind_shell::store::{Check, Needs, Read};
use tradewind_shell::world::World;

use crate::gathering::{guard_renewal, network, promises, situation, situation_reads};
use crate::keys;
use crate::movement::moved;
use crate::network::Network;
use crate::place::{Elsewhere, Place};
use crate::repegging::repeg;
use crate::shelf::Shelf;
use crate::situation::{Situation, availability_changed};
use crate::supply::SupplyLine;

pub use working::work;

/// Before the name of an item whose many promises follow its supply: the first step, and the other.
const SUPPLY_STEP: &str = "supply:";
const PROMISES_STEP: &str = "promises:";

/// Items listed at a time.
const LIST_PAGE: usize = 500;

/// Reacts to an event.
///
/// # Errors
/// A refusal for an event that does not read: it is parked. Outages.
pub async fn react<W: World>(
    gather: &Gather<'_, W>,
    cause: Cause<'_>,
) -> Result<Reaction, Failure> {
    let event = cause.event();
    if let Some(decision) = settings::kept(Domain::Inventory, event)? {
        return Ok(decision.into());
    }
    let Some(news) = read(event)? else { return Ok(Decision::default().into()) };
    if let Some(step) = cause.step {
        if let Some(sku) = step.strip_prefix(PROMISES_STEP) {
            return rest_of_promises(gather, &named(sku)?).await;
        }
        let heavy = step.strip_prefix(SUPPLY_STEP);
        return of_item(gather, &named(heavy.unwrap_or(step))?, &news, heavy.is_some()).await;
    }
    let skus = concerned(gather, &news).await?;
    let many = large(gather, &skus).await?;
    match skus.iter().next() {
        None => Ok(Decision::default().into()),
        Some(only) if skus.len() == 1 && many.is_empty() => {
            of_item(gather, only, &news, false).await
        }
        Some(_) => {
            let both = |sku| [SUPPLY_STEP, PROMISES_STEP].map(|step| format!("{step}{sku}")).into();
            let steps = |sku: &Id| -> Vec<String> {
                if many.contains(sku) { both(sku.clone()) } else { vec![sku.to_string()] }
            };
            Ok(Reaction::Steps(skus.iter().flat_map(steps).collect()))
        }
    }
}

/// What an event is to inventory.
enum News {
    /// A purchase order as it is now.
    Purchase(OrderState),
    /// The same, with goods that arrived.
    Receipt(OrderReceived),
    /// Another day.
    Day(DayTurned),
    /// Another network, told by the event of this sequence.
    Network(u64),
}

fn read(event: &Event) -> Result<Option<News>, Refusal> {
    fn of<P: tradewind_kernel::event::Payload>(event: &Event) -> Result<P, Refusal> {
        event.read().map_err(|fault| Refusal::conflict("event-unreadable", fault.to_string()))
    }
    Ok(Some(if event.is::<OrderReleased>() {
        News::Purchase(of::<OrderReleased>(event)?.order)
    } else if event.is::<OrderConfirmed>() {
        News::Purchase(of::<OrderConfirmed>(event)?.order)
    } else if event.is::<OrderClosed>() {
        News::Purchase(of::<OrderClosed>(event)?.order)
    } else if event.is::<OrderCancelled>() {
        News::Purchase(of::<OrderCancelled>(event)?.order)
    } else if event.is::<OrderReceived>() {
        News::Receipt(of(event)?)
    } else if event.is::<DayTurned>() {
        News::Day(of(event)?)
    } else if event.is::<NodeSet>() || event.is::<ChannelSet>() {
        News::Network(event.sequence)
    } else {
        return Ok(None);
    }))
}

fn named(sku: &str) -> Result<Id, Refusal> {
    sku.parse().map_err(|_| Refusal::conflict("event-unreadable", format!("`{sku}` is no id")))
}

impl News {
    fn order(&self) -> Option<&OrderState> {
        match self {
            Self::Purchase(order) => Some(order),
            Self::Receipt(receipt) => Some(&receipt.order),
            Self::Day(_) | Self::Network(_) => None,
        }
    }

    fn received(&self, sku: &Id) -> Vec<(&OrderReceived, &ReceivedLine)> {
        let Self::Receipt(receipt) = self else { return Vec::new() };
        let lines = receipt.received.iter();
        lines
            .filter(|line| line.sku == *sku && line.accepted > 0)
            .map(|line| (receipt, line))
            .collect()
    }

    /// The item's purchase lines after the event.
    fn supply(&self, before: &Situation) -> BTreeMap<String, SupplyLine> {
        let mut supply = before.supply.clone();
        let Some(order) = self.order() else { return supply };
        for line in order.lines.iter().filter(|line| line.sku == *before.sku()) {
            let name = keys::line(&order.order, line.line);
            match SupplyLine::of(order, line) {
                Some(open) => supply.insert(name, open),
                None => supply.remove(&name),
            };
        }
        supply
    }
}

/// The items that an event concerns.
async fn concerned<W: World>(gather: &Gather<'_, W>, news: &News) -> Result<BTreeSet<Id>, Failure> {
    let Some(order) = news.order() else {
        let mut skus = pegged(gather).await?;
        if matches!(news, News::Network(_)) {
            skus.extend(stock_alone(gather, news, &skus).await?);
        }
        return Ok(skus);
    };
    let skus: BTreeSet<&Id> = order.lines.iter().map(|line| &line.sku).collect();
    gather.prefetch(skus.iter().flat_map(|sku| situation_reads(sku)).collect()).await?;
    let mut concerned = BTreeSet::new();
    for sku in skus {
        let before = situation(gather, sku).await?;
        if news.supply(&before) != before.supply || !news.received(sku).is_empty() {
            concerned.insert(sku.clone());
        }
    }
    Ok(concerned)
}

/// Every item that has, or had, demand, supply or a protection.
async fn pegged<W: World>(gather: &Gather<'_, W>) -> Result<BTreeSet<Id>, Failure> {
    let mut skus = BTreeSet::new();
    let mut after = String::new();
    loop {
        let names = gather.list(keys::PEGGED, &after, LIST_PAGE).await?;
        let Some(last) = names.last().cloned() else { return Ok(skus) };
        for name in &names {
            skus.insert(named(name)?);
        }
        if names.len() < LIST_PAGE {
            return Ok(skus);
        }
        after = last;
    }
}

/// The items beside these whose availability another network changes: stock is all they have, so
/// that only their counters are read. A page goes at a time, each with a memory of its own.
async fn stock_alone<W: World>(
    gather: &Gather<'_, W>,
    news: &News,
    beside: &BTreeSet<Id>,
) -> Result<BTreeSet<Id>, Failure> {
    let (network, today) = (network(gather).await?, gather.today().await?);
    let mut found = BTreeSet::new();
    let mut after = String::new();
    loop {
        let page =
            Gather::new(gather.world(), gather.tenant(), Domain::Inventory, Needs::Nothing, 0);
        let names = page.list(keys::ITEMS, &after, LIST_PAGE).await?;
        let skus = names.iter().map(|name| named(name)).collect::<Result<Vec<Id>, _>>()?;
        let others: Vec<&Id> = skus.iter().filter(|sku| !beside.contains(*sku)).collect();
        let reads = others.iter().map(|sku| Read::Counters { key: keys::stock(sku) });
        page.prefetch(reads.collect()).await?;
        for sku in others {
            let counters = page.counters(keys::stock(sku)).await?;
            if counters.values().all(|value| *value == 0) {
                continue;
            }
            let network = Rc::clone(&network);
            let shelf = Shelf { sku: sku.clone(), today, network, plan: None, counters };
            let now = Situation::of_shelf(shelf);
            if availability_changed(&as_of(gather, &now, news).await?, &now).is_some() {
                found.insert(sku.clone());
            }
        }
        match names.last() {
            Some(last) if names.len() == LIST_PAGE => after.clone_from(last),
            _ => return Ok(found),
        }
    }
}

/// The items of these whose promises may be too many for one commit.
async fn large<W: World>(
    gather: &Gather<'_, W>,
    skus: &BTreeSet<Id>,
) -> Result<BTreeSet<Id>, Failure> {
    let mut large = BTreeSet::new();
    let count = vec![keys::LINE_COUNT.to_owned()];
    let read = |sku| Read::CounterFields { key: keys::lines(sku), fields: count.clone() };
    gather.prefetch(skus.iter().map(read).collect()).await?;
    let most = Quantity::try_from(MAX_PART_LINES).unwrap_or(Quantity::MAX);
    for sku in skus {
        let lines = gather.counter_fields(keys::lines(sku), count.clone()).await?;
        if lines.iter().any(|lines| *lines > most) {
            large.insert(sku.clone());
        }
    }
    Ok(large)
}

/// Says which item must be worked first; else makes its not being marked a witness.
async fn first<W: World>(gather: &Gather<'_, W>, sku: &Id) -> Result<Option<Reaction>, Failure> {
    if gather.attempt() >= PATIENT_ATTEMPTS {
        return Ok(None);
    }
    if gather.mark(sku.as_str()).await?.is_some() {
        return Ok(Some(Reaction::WorkFirst(sku.to_string())));
    }
    gather.witness(Check::Unmarked { item: sku.to_string() });
    Ok(None)
}

/// What an event does to one item; `followed`: a step for many promises comes after it.
async fn of_item<W: World>(
    gather: &Gather<'_, W>,
    sku: &Id,
    news: &News,
    followed: bool,
) -> Result<Reaction, Failure> {
    if let Some(reaction) = first(gather, sku).await? {
        return Ok(reaction);
    }
    let kept = promises(gather, sku).await?;
    let now = situation(gather, sku).await?;
    let before = as_of(gather, &now, news).await?;
    let mut after = now.clone();
    after.supply = news.supply(&now);
    let mut decision = Decision::default();
    write_supply(&mut decision, &now, &after);
    for (receipt, line) in news.received(sku) {
        let ends = (Place::Elsewhere(Elsewhere::Supplier), Place::sellable(&receipt.node));
        let told = StockMoved {
            movement: gather.id("mov"),
            sku: sku.clone(),
            quantity: line.accepted,
            from: ends.0.text(),
            to: ends.1.text(),
            document: Some(receipt.receipt.clone()),
            reason: None,
            corrects: None,
        };
        moved(&mut decision, &mut after.shelf, &told, (&ends.0, &ends.1));
    }
    after.renew(now.shelf.plan.as_ref(), &mut decision);
    guard_renewal(gather, &now, &mut decision);
    decision.events.extend(availability_changed(&before, &after));

    let repegged = repeg(&after, &kept);
    let mut parts = repegged.parts();
    let must_tell = match news {
        News::Purchase(_) | News::Receipt(_) => true,
        News::Network(_) => !has_stock_alone(&after) || !repegged.is_settled(),
        News::Day(day) => {
            let mut before = now.clone();
            before.shelf.today = day.from.unwrap_or(day.to);
            !repegged.is_settled() || differs(&before, &after)
        }
    };
    if parts.len() == 1 && must_tell {
        let part = parts.remove(0);
        decision.writes.extend(part.writes);
        decision.events.extend(part.events);
    } else if parts.len() > 1 && !followed {
        // No step follows for the promises: they are pegged when the mark is worked.
        decision.mark(sku.as_str());
    }
    Ok(decision.into())
}

/// The situation before: for a new day, that of the day for which the plan was made; for another
/// network, that network, if the event is about its last change.
async fn as_of<W: World>(
    gather: &Gather<'_, W>,
    now: &Situation,
    news: &News,
) -> Result<Situation, Failure> {
    let mut before = now.clone();
    if let News::Day(DayTurned { from: Some(from), .. }) = news {
        let made = now.shelf.plan.as_ref().map(|plan| plan.day);
        before.shelf.today = made.map_or(*from, |made| made.min(now.shelf.today));
    }
    if let News::Network(sequence) = news
        && let Some(kept) = gather.record::<Network>(keys::NETWORK).await?
        && kept.version.checked_add(1) == Some(*sequence)
        && let Some(previous) = kept.value.previous
    {
        before.shelf.network = Rc::new(*previous);
    }
    Ok(before)
}

/// Whether there is stock to the item and nothing else, so that pegging has nothing to say of it.
fn has_stock_alone(situation: &Situation) -> bool {
    let bare = situation.demand.is_empty() && situation.supply.is_empty();
    let stock = situation.shelf.counters.values().any(|value| *value != 0);
    bare && stock && situation.shelf.plan.is_none()
}

fn write_supply(decision: &mut Decision, before: &Situation, after: &Situation) {
    let set = keys::supply(after.sku());
    for (name, line) in &after.supply {
        if before.supply.get(name) != Some(line) {
            decision.put_member(&set, name, line);
            decision.index(keys::PEGGED, after.sku().as_str(), 0);
        }
    }
    for name in before.supply.keys().filter(|name| !after.supply.contains_key(*name)) {
        decision.delete_member(&set, name);
    }
}

/// Whether what is left over or held differs, apart from present stock being a day older.
fn differs(before: &Situation, after: &Situation) -> bool {
    let bare = |situation: &Situation, day: Day| {
        let mut outcome = crate::pegging::peg(&situation.input());
        let kept = outcome.protections.iter_mut().flat_map(|one| &mut one.kept);
        for peg in outcome.left_over.iter_mut().chain(kept) {
            if peg.supply.starts_with("stock:") {
                peg.day = day;
            }
        }
        (crate::repegging::left_over(&outcome), crate::repegging::holdings(&outcome))
    };
    let day = after.shelf.today;
    bare(before, day) != bare(after, day)
}

/// The promises of an item, when they were too many to go with its supply.
async fn rest_of_promises<W: World>(gather: &Gather<'_, W>, sku: &Id) -> Result<Reaction, Failure> {
    let kept = promises(gather, sku).await?;
    let repegged = repeg(&situation(gather, sku).await?, &kept);
    if repegged.is_settled() {
        return Ok(Decision::default().into());
    }
    Ok(Reaction::Effect(effect(repegged.parts())))
}

/// One commit if it can be, else parts.
fn effect(mut parts: Vec<Decision>) -> Effect {
    if parts.len() == 1 { Effect::Done(parts.remove(0)) } else { Effect::Parts(parts) }
}
