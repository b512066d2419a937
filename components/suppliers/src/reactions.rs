//! What other domains' events mean here: purchase orders move a supplier's record, and so does
//! the turn of the day.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use tradewind_kernel::event::{Domain, Event, Payload};
use tradewind_kernel::events::inventory::DayTurned;
use tradewind_kernel::events::procurement::{
    OrderCancelled, OrderClosed, OrderConfirmed, OrderReceived, OrderReleased, OrderState,
    PriceAccepted,
};
use tradewind_kernel::refusal::{Refusal, RefusalKind};
use tradewind_kernel::{Day, Decision, Id};
use tradewind_shell::failure::Failure;
use tradewind_shell::gather::{Gather, Kept};
use tradewind_shell::service::{Cause, Effect, Reaction};
use tradewind_shell::settings;
use tradewind_shell::world::World;

use crate::commitment::{self, OpenOrder};
use crate::keys;
use crate::line::Line;
use crate::record::{self, LAST_NUMBER, MAX_TURNING, Record, day_of, number};

/// The most suppliers that turn on one day.
const MAX_SUPPLIERS_TURNING: usize = 10_000;

/// Decides what an event means here.
///
/// # Errors
/// Outages; an event that does not read is refused and so parked.
pub async fn react<W: World>(
    gather: &Gather<'_, W>,
    cause: Cause<'_>,
) -> Result<Reaction, Failure> {
    let event = cause.event();
    if let Some(decision) = settings::kept(Domain::Suppliers, event)? {
        return Ok(decision.into());
    }
    if event.is::<DayTurned>() {
        let day = read::<DayTurned>(event)?.to;
        return match cause.step {
            Some(supplier) if !supplier.is_empty() => turn_one(gather, supplier, day).await,
            _ => turn(gather, day).await,
        };
    }
    match order_of(event)? {
        Some(order) => follow(gather, event, &order).await,
        None => Ok(Decision::default().into()),
    }
}

fn order_of(event: &Event) -> Result<Option<OrderState>, Refusal> {
    Ok(match event.kind() {
        OrderReleased::TYPE => Some(read::<OrderReleased>(event)?.order),
        OrderConfirmed::TYPE => Some(read::<OrderConfirmed>(event)?.order),
        PriceAccepted::TYPE => Some(read::<PriceAccepted>(event)?.order),
        OrderReceived::TYPE => Some(read::<OrderReceived>(event)?.order),
        OrderClosed::TYPE => Some(read::<OrderClosed>(event)?.order),
        OrderCancelled::TYPE => Some(read::<OrderCancelled>(event)?.order),
        _ => None,
    })
}

fn read<P: Payload + DeserializeOwned>(event: &Event) -> Result<P, Refusal> {
    event.read::<P>().map_err(|fault| {
        let detail = format!("{} does not read: {fault}", event.id());
        Refusal::new(RefusalKind::Invalid, "event-unreadable", detail)
    })
}

/// An order's event, as of the event's day in the tenant's zone.
async fn follow<W: World>(
    gather: &Gather<'_, W>,
    event: &Event,
    order: &OrderState,
) -> Result<Reaction, Failure> {
    let day = event.origin.at.day_in(gather.settings().await?.zone);
    let kept = gather.record::<Record>(keys::record_of(&order.supplier)).await?;
    let mut names: Vec<String> =
        order.lines.iter().map(|line| keys::line(&order.order, line.line)).collect();
    for name in turning(gather, &order.supplier, day).await? {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let known = lines(gather, &order.supplier, names).await?;
    let record = kept.map(|Kept { value, .. }| value);
    let mut decision = record::follow(order, record, &known, day);
    let names = vec![order.order.to_string()];
    let open = gather.members::<OpenOrder>(keys::open_orders(&order.supplier), names).await?;
    commitment::file(&mut decision, order, open.first().and_then(Option::as_ref)).map_err(
        |fault| Refusal::new(RefusalKind::Invalid, "amount-too-large", fault.to_string()),
    )?;
    Ok(decision.into())
}

/// The turn of the day: each supplier with lines that count differently, one after the other.
async fn turn<W: World>(gather: &Gather<'_, W>, day: Day) -> Result<Reaction, Failure> {
    let due = gather.due(keys::TURNING, number(day), MAX_SUPPLIERS_TURNING).await?;
    let suppliers: Vec<String> = due.into_iter().map(|(supplier, _)| supplier).collect();
    match suppliers.as_slice() {
        [] => Ok(Decision::default().into()),
        [only] => turn_one(gather, only, day).await,
        _ => Ok(Reaction::Steps(suppliers)),
    }
}

async fn turn_one<W: World>(
    gather: &Gather<'_, W>,
    supplier: &str,
    day: Day,
) -> Result<Reaction, Failure> {
    let supplier: Id = supplier.parse().map_err(|fault: tradewind_kernel::id::NotAnId| {
        Refusal::new(RefusalKind::Invalid, "id-malformed", fault.to_string())
    })?;
    let kept = gather.record::<Record>(keys::record_of(&supplier)).await?;
    let Some(Kept { value: record, .. }) = kept else { return Ok(Decision::default().into()) };
    let names = turning(gather, &supplier, day.max(record.turned)).await?;
    let following = following(gather, &supplier, names.len()).await?;
    let turning = lines(gather, &supplier, names).await?;
    let mut parts = record::turn(&supplier, &record, &turning, following, day);
    Ok(match parts.pop() {
        Some(only) if parts.is_empty() => only.into(),
        last => {
            parts.extend(last);
            Reaction::Effect(Effect::Parts(parts))
        }
    })
}

/// The names of the lines that count differently by `day`.
///
/// # Errors
/// Outages.
pub async fn turning<W: World>(
    gather: &Gather<'_, W>,
    supplier: &Id,
    day: Day,
) -> Result<Vec<String>, Failure> {
    let due = gather.due(keys::turns(supplier), number(day), MAX_TURNING).await?;
    Ok(due.into_iter().map(|(name, _)| name).collect())
}

/// The first day on which a line beyond the `turning` first ones counts differently.
async fn following<W: World>(
    gather: &Gather<'_, W>,
    supplier: &Id,
    turning: usize,
) -> Result<Option<Day>, Failure> {
    let limit = turning.saturating_add(1);
    let due = gather.due(keys::turns(supplier), LAST_NUMBER, limit).await?;
    Ok(due.get(turning).map(|(_, turn)| day_of(*turn)))
}

/// Lines of a supplier by name.
///
/// # Errors
/// Outages.
pub async fn lines<W: World>(
    gather: &Gather<'_, W>,
    supplier: &Id,
    names: Vec<String>,
) -> Result<BTreeMap<String, Line>, Failure> {
    if names.is_empty() {
        return Ok(BTreeMap::new());
    }
    let found = gather.members::<Line>(keys::lines(supplier), names.clone()).await?;
    Ok(names.into_iter().zip(found).filter_map(|(name, line)| Some((name, line?))).collect())
}
