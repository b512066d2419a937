//! What other domains' events mean here: settings, rates, items and nodes are kept, and the turn of the day
//! tells what is past due.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use tradewind_kernel::event::{Domain, Event, Payload};
use tradewind_kernel::events::finance::RateSet;
use tradewind_kernel::events::inventory::{DayTurned, ItemSet, NodeSet};
use tradewind_kernel::refusal::{Refusal, RefusalKind};
use tradewind_kernel::{Day, Decision, Id};
use tradewind_shell::failure::Failure;
use tradewind_shell::gather::Gather;
use tradewind_shell::service::{Cause, Effect, Reaction};
use tradewind_shell::settings;
use tradewind_shell::world::World;

use crate::filing::number;
use crate::order::Order;
use crate::past_due::{self, MAX_PASSING};
use crate::rates::{DatedRate, DatedRates};
use crate::{keys, known};

/// Decides what an event means here.
///
/// # Errors
/// Outages; an event that does not read is refused and so parked.
pub async fn react<W: World>(
    gather: &Gather<'_, W>,
    cause: Cause<'_>,
) -> Result<Reaction, Failure> {
    let event = cause.event();
    if let Some(decision) = settings::kept(Domain::Procurement, event)? {
        return Ok(decision.into());
    }
    if event.is::<RateSet>() {
        return keep_rate(gather, &read::<RateSet>(event)?).await;
    }
    if event.is::<ItemSet>() {
        return Ok(known::keep_item(&read::<ItemSet>(event)?.sku).into());
    }
    if event.is::<NodeSet>() {
        return Ok(known::keep_node(&read::<NodeSet>(event)?.node).into());
    }
    if event.is::<DayTurned>() {
        return turn(gather, read::<DayTurned>(event)?.to).await;
    }
    Ok(Decision::default().into())
}

fn read<P: Payload + DeserializeOwned>(event: &Event) -> Result<P, Refusal> {
    event.read::<P>().map_err(|fault| {
        let detail = format!("{} does not read: {fault}", event.id());
        Refusal::new(RefusalKind::Invalid, "event-unreadable", detail)
    })
}

async fn keep_rate<W: World>(gather: &Gather<'_, W>, set: &RateSet) -> Result<Reaction, Failure> {
    let key = keys::rates(set.currency);
    let kept = gather.record::<DatedRates>(key.clone()).await?;
    let mut rates = kept.map(|kept| kept.value).unwrap_or_default();
    let base = match set.base {
        Some(base) => base,
        None => gather.settings().await?.currency,
    };
    rates.0.insert(set.day, DatedRate { rate: set.rate, base });
    let mut decision = Decision::default();
    decision.put(key, &rates);
    Ok(decision.into())
}

/// The turn of the day: open parts of the days before it are past due.
async fn turn<W: World>(gather: &Gather<'_, W>, day: Day) -> Result<Reaction, Failure> {
    let yesterday = number(day).saturating_sub(1);
    let passed = gather.due(keys::SCHEDULED, yesterday, MAX_PASSING).await?;
    let passed: Vec<String> = passed.into_iter().map(|(name, _)| name).collect();
    let mut ids: Vec<Id> =
        passed.iter().filter_map(|name| keys::parse_entry(name)).map(|(order, ..)| order).collect();
    ids.sort_unstable();
    ids.dedup();
    let orders = gather.records::<Order>(ids.iter().map(keys::order).collect()).await?;
    let orders: BTreeMap<Id, Order> =
        ids.into_iter().zip(orders).filter_map(|(id, order)| Some((id, order?.value))).collect();
    let mut parts = past_due::tell(&passed, &orders);
    Ok(match parts.pop() {
        None => Decision::default().into(),
        Some(only) if parts.is_empty() => only.into(),
        Some(last) => {
            parts.push(last);
            Reaction::Effect(Effect::Parts(parts))
        }
    })
}
