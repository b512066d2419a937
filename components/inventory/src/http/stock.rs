//! Protections, movements, availability and the verifier over HTTP.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use tradewind_kernel::events::inventory::Allocation;
use tradewind_kernel::events::inventory::StockMoved;
use tradewind_kernel::refusal::Faults;
use tradewind_kernel::{Day, Id, Refusal};
use tradewind_shell::call::{Answer, Call};
use tradewind_shell::failure::Failure;
use tradewind_shell::gather::Gather;
use tradewind_shell::route::Role;
use tradewind_shell::run::PATIENT_ATTEMPTS;
use tradewind_shell::service::Service;
use tradewind_shell::store::{Found, Outage, Read};
use tradewind_shell::world::World;

use super::bound;
use crate::gathering::{
    common_reads, current, guard_renewal, item, network, promises, shelf, situation,
    situation_reads, supplied, supplied_reads,
};
use crate::keys;
use crate::movement::{self, MovementBody};
use crate::network::{Network, shown};
use crate::place::Elsewhere;
use crate::protection::{self, ProtectionRecord, ProtectionTerms};
use crate::situation::Situation;
use crate::tick::LastDay;
use crate::verify::{Counted, Difference, Recount, counters, promises as compare, weight};
use crate::views::{
    Availability, AvailabilityAnswer, AvailabilityList, NodeStock, Protected, StockView, Verified,
};

/// The kinds of counters of stock at a node.
const STATUSES: [&str; 3] = ["sellable", "hold", "damaged"];

/// Items of one question about availability.
pub const MAX_SKUS: usize = 64;

/// Items that the verifier recounts at one moment.
const VERIFY_ITEMS: usize = 256;

/// Events that the verifier reads at a time.
const VERIFY_EVENTS: usize = 1000;

pub(super) async fn put_protection<S: Service<W>, W: World>(
    call: &Call<'_, S, W>,
) -> Result<Answer, Failure> {
    let id = call.new_id("id")?;
    let terms: ProtectionTerms = call.body()?;
    let mut task = call.task();
    task.origin.reason.clone_from(&terms.reason);
    call.run(task, async |gather: &Gather<'_, W>| {
        let kept = gather.record::<ProtectionRecord>(keys::protection(&id)).await?;
        let live = kept.as_ref().filter(|kept| !kept.ended);
        call.if_match(live.map_or(0, |kept| kept.version))?;
        let existing = kept.as_ref().map(|kept| (&kept.value, kept.version));
        let before = supplied(gather, &terms.sku).await?;
        let item_known = item(gather, &terms.sku).await?.is_some();
        let context = protection::Context { item_known, before: &before };
        let mut decision = protection::put(existing, &id, terms.clone(), &context)?;
        if !decision.is_empty() {
            guard_renewal(gather, &before, &mut decision);
        }
        Ok(decision)
    })
    .await
}

fn live(
    kept: Option<tradewind_shell::gather::Kept<ProtectionRecord>>,
    id: &Id,
) -> Result<tradewind_shell::gather::Kept<ProtectionRecord>, Refusal> {
    kept.filter(|kept| !kept.ended).ok_or_else(|| Refusal::not_found(format!("protection `{id}`")))
}

pub(super) async fn get_protection<S: Service<W>, W: World>(
    call: &Call<'_, S, W>,
) -> Result<Answer, Failure> {
    let id = call.id("id")?;
    call.answer(async |gather: &Gather<'_, W>| {
        let kept = live(gather.record(keys::protection(&id)).await?, &id)?;
        let version = kept.version.to_string();
        Ok(Answer::versioned(shown(&kept.terms, &[("id", id.as_str())], &version), kept.version))
    })
    .await
}

pub(super) async fn list_protections<S: Service<W>, W: World>(
    call: &Call<'_, S, W>,
) -> Result<Answer, Failure> {
    let (after, limit) = (call.after()?, call.limit()?);
    call.answer(async |gather: &Gather<'_, W>| {
        let names = gather.page(keys::PROTECTIONS, &after, limit).await?;
        let ids: Vec<Id> = names.iter().filter_map(|name| name.parse().ok()).collect();
        let own = ids.iter().map(keys::protection).collect();
        let kept = gather.records::<ProtectionRecord>(own).await?;
        let items = ids.iter().zip(kept).filter_map(|(id, kept)| {
            let kept = kept?;
            Some(shown(&kept.terms, &[("id", id.as_str())], &kept.version.to_string()))
        });
        Ok(Call::<S, W>::page(items.collect(), &names, limit))
    })
    .await
}

pub(super) async fn end_protection<S: Service<W>, W: World>(
    call: &Call<'_, S, W>,
) -> Result<Answer, Failure> {
    let id = call.id("id")?;
    let mut task = call.task();
    task.frees = true;
    call.run(task, async |gather: &Gather<'_, W>| {
        let kept = live(gather.record(keys::protection(&id)).await?, &id)?;
        call.if_match(kept.version)?;
        let before = supplied(gather, &kept.terms.sku).await?;
        let mut decision = protection::end(&kept.value, &id, &before);
        guard_renewal(gather, &before, &mut decision);
        Ok(decision)
    })
    .await
}

pub(super) async fn post_movement<S: Service<W>, W: World>(
    call: &Call<'_, S, W>,
) -> Result<Answer, Failure> {
    let body: MovementBody = call.body()?;
    let mut task = call.task();
    task.origin.reason.clone_from(&body.reason);
    call.run(task, async |gather: &Gather<'_, W>| {
        let before = supplied(gather, &body.sku).await?;
        let item_known = item(gather, &body.sku).await?.is_some();
        let corrected = match &body.corrects {
            Some(id) => gather.record::<StockMoved>(keys::movement(id)).await?,
            None => None,
        };
        let corrected = corrected.map(|kept| kept.value.sku);
        let id = gather.id("mov");
        let context = movement::Context { id, item_known, corrected, before: &before };
        let mut decision = movement::post(&body, &context)?;
        guard_renewal(gather, &before, &mut decision);
        Ok(decision)
    })
    .await
}

pub(super) async fn get_movement<S: Service<W>, W: World>(
    call: &Call<'_, S, W>,
) -> Result<Answer, Failure> {
    let id = call.id("movement")?;
    call.answer(async |gather: &Gather<'_, W>| {
        let kept = gather.record::<StockMoved>(keys::movement(&id)).await?;
        let kept = kept.ok_or_else(|| Refusal::not_found(format!("movement `{id}`")))?;
        Ok(Answer::versioned(movement::shown(&kept.value), kept.version))
    })
    .await
}

pub(super) async fn get_availability<S: Service<W>, W: World>(
    call: &Call<'_, S, W>,
) -> Result<Answer, Failure> {
    let skus: Vec<Id> = call.repeated("sku")?;
    let channel: Id = call.required("channel")?;
    bound(call, &channel, Role::READERS)?;
    call.answer(async |gather: &Gather<'_, W>| {
        let items = skus.iter().flat_map(supplied_reads);
        gather.prefetch(common_reads().into_iter().chain(items).collect()).await?;
        let mut unknown = BTreeSet::new();
        for sku in &skus {
            if item(gather, sku).await?.is_none() {
                unknown.insert(sku);
            }
        }
        let network = network(gather).await?;
        check_known(&unknown, &channel, &network)?;
        let mut items = Vec::with_capacity(skus.len());
        for sku in &skus {
            items.push(availability(&current(gather, sku).await?, &channel));
        }
        Ok(Answer::ok(json!(match <[Availability; 1]>::try_from(items) {
            Ok([only]) => AvailabilityAnswer::One(only),
            Err(items) => AvailabilityAnswer::Several(AvailabilityList { items }),
        })))
    })
    .await
}

/// Refuses a question about items or a channel that are not there, naming each.
pub(super) fn check_known(
    unknown: &BTreeSet<&Id>,
    channel: &Id,
    network: &Network,
) -> Result<(), Refusal> {
    let mut faults = Faults::new();
    for sku in unknown {
        faults.add("", "sku-unknown", format!("there is no item `{sku}`"));
    }
    let known = network.channels.contains_key(channel);
    faults.require(known, "", "channel-unknown", &format!("there is no channel `{channel}`"));
    faults.check()
}

fn availability(situation: &Situation, channel: &Id) -> Availability {
    let shelf = &situation.shelf;
    let (available, published) = shelf.available(channel);
    let nodes = shelf.network.channels.get(channel).map_or(&[][..], |channel| &channel.nodes);
    let free = |node: &Id| Allocation { node: node.clone(), quantity: shelf.free(node.as_str()) };
    let short = situation.short();
    let protected = shelf.standing().map(|one| Protected {
        id: one.id.clone(),
        channel: one.channel.clone(),
        quantity: one.quantity,
        held: shelf.held(one),
        short: short.get(one.id.as_str()).copied().unwrap_or(0),
        used: shelf.counter(&one.counter),
        from: one.from,
        until: one.until,
    });
    Availability {
        sku: situation.sku().clone(),
        channel: channel.clone(),
        available,
        published,
        free: nodes.iter().map(free).collect(),
        protected: protected.collect(),
    }
}

pub(super) async fn get_stock<S: Service<W>, W: World>(
    call: &Call<'_, S, W>,
) -> Result<Answer, Failure> {
    let sku = call.id("sku")?;
    call.answer(async |gather: &Gather<'_, W>| {
        if item(gather, &sku).await?.is_none() {
            return Err(Refusal::not_found(format!("item `{sku}`")).into());
        }
        let shelf = shelf(gather, &sku).await?;
        let places = shelf.counters.keys().filter_map(|field| field.split_once(':'));
        let at_node = places.filter(|(kind, _)| STATUSES.contains(kind));
        let nodes: BTreeSet<Id> = at_node.filter_map(|(_, node)| node.parse().ok()).collect();
        let nodes = nodes.into_iter().map(|node| NodeStock {
            sellable: shelf.counter(&format!("sellable:{node}")),
            hold: shelf.counter(&format!("hold:{node}")),
            damaged: shelf.counter(&format!("damaged:{node}")),
            claimed: shelf.counter(&format!("claimed:{node}")),
            free: shelf.free(node.as_str()),
            node,
        });
        let elsewhere =
            Elsewhere::ALL.map(|word| (word.name().to_owned(), shelf.counter(word.name())));
        let (nodes, elsewhere) = (nodes.collect(), elsewhere.into());
        Ok(Answer::ok(json!(StockView { sku: sku.clone(), nodes, elsewhere })))
    })
    .await
}

pub(super) async fn verify<S: Service<W>, W: World>(
    call: &Call<'_, S, W>,
) -> Result<Answer, Failure> {
    let mut verified = Verified { differences: Vec::new(), items: 0, pegged: 0 };
    let mut after = String::new();
    loop {
        let page = call
            .answer(async |gather: &Gather<'_, W>| {
                let names = gather.list(keys::ITEMS, &after, VERIFY_ITEMS).await?;
                let skus: Vec<Id> = names.iter().filter_map(|name| name.parse().ok()).collect();
                let (differences, pegged) = verify_items(gather, &skus).await?;
                let body = json!({
                    "differences": differences, "pegged": pegged,
                    "items": names.len(), "last": names.last(),
                });
                Ok(Answer::ok(body))
            })
            .await?;
        let found = serde_json::from_value::<Vec<Difference>>(page.body["differences"].clone());
        let unread =
            |fault: serde_json::Error| Outage(format!("differences that do not read: {fault}"));
        verified.differences.extend(found.map_err(unread)?);
        let count = |name: &str| {
            page.body[name].as_u64().and_then(|count| usize::try_from(count).ok()).unwrap_or(0)
        };
        verified.items = verified.items.saturating_add(count("items"));
        verified.pegged = verified.pegged.saturating_add(count("pegged"));
        match page.body["last"].as_str() {
            Some(last) if count("items") == VERIFY_ITEMS => after = last.to_owned(),
            _ => return Ok(Answer::ok(json!(verified))),
        }
    }
}

/// Recounts some items at one moment: everything of them is read at once, and events count up to
/// that moment. Promises are compared with pegging on the day that they rest on; while the turn of a
/// day is due they are not.
async fn verify_items<W: World>(
    gather: &Gather<'_, W>,
    skus: &[Id],
) -> Result<(Vec<Difference>, usize), Failure> {
    let reads = |sku: &Id| {
        let mut reads = situation_reads(sku);
        reads.push(Read::Set { key: keys::promises(sku) });
        reads.push(Read::CounterFields { key: keys::lines(sku), fields: line_count() });
        reads.push(Read::Mark {
            domain: tradewind_kernel::Domain::Inventory,
            item: sku.to_string(),
        });
        reads
    };
    let day = Read::Record { key: keys::DAY.to_owned() };
    let common = common_reads().into_iter().chain([day]);
    gather.prefetch(common.chain(skus.iter().flat_map(reads)).collect()).await?;
    let until = gather.sequence();
    let today = gather.today().await?;
    let turned: Option<Day> = gather.record::<LastDay>(keys::DAY).await?.map(|kept| kept.value.day);
    let mut kept: BTreeMap<Id, Counted> = BTreeMap::new();
    let mut differences = Vec::new();
    let mut pegged = 0_usize;
    let pegged_for = match turned {
        None => Some(today),
        // A change of zone may take back a day that has turned; the clock of a test, more.
        Some(turned) => (0..=1).contains(&turned.since(today)).then_some(turned),
    };
    for sku in skus {
        let mut situation = situation(gather, sku).await?;
        let (stock, fills) = (situation.shelf.counters.clone(), situation.fills.clone());
        let counted = gather.counter_fields(keys::lines(sku), line_count()).await?;
        differences.extend(weight(&situation, counted.into_iter().sum()));
        kept.insert(sku.clone(), Counted { stock, fills });
        if gather.mark(sku.as_str()).await?.is_some() {
            if gather.attempt() < PATIENT_ATTEMPTS {
                return Err(Failure::Behind);
            }
        } else if let Some(day) = pegged_for {
            situation.shelf.today = day;
            differences.extend(compare(&situation, &promises(gather, sku).await?));
            pegged = pegged.saturating_add(1);
        }
    }
    let recount = recount(gather, until).await?;
    for (sku, kept) in &kept {
        let expected = recount.items.get(sku).cloned().unwrap_or_default();
        differences.extend(counters(sku, kept, &expected));
    }
    Ok((differences, pegged))
}

/// The counters that are read to know how heavy an item is.
pub(super) fn line_count() -> Vec<String> {
    vec![keys::LINE_COUNT.to_owned()]
}

async fn recount<W: World>(gather: &Gather<'_, W>, until: u64) -> Result<Recount, Failure> {
    let mut recount = Recount::default();
    let mut after = 0;
    loop {
        let domain = tradewind_kernel::Domain::Inventory;
        // A gathering of its own: what it remembers goes with it.
        let page = Gather::new(
            gather.world(),
            gather.tenant(),
            domain,
            tradewind_shell::store::Needs::Nothing,
            0,
        );
        let read = Read::Events { domain, after, limit: VERIFY_EVENTS };
        let found = page.fetch(vec![read]).await?;
        let Some(Found::Events(events)) = found.into_iter().next() else { return Ok(recount) };
        for event in events.iter().take_while(|event| event.sequence <= until) {
            recount.count(event);
        }
        match events.last() {
            Some(last) if last.sequence < until => after = last.sequence,
            _ => return Ok(recount),
        }
    }
}
