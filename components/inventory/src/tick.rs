//! What time demands: the turn of the day, claims that expire, plans of another day.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tradewind_kernel::events::inventory::DayTurned;
use tradewind_kernel::{Day, Decision, Domain, Id, NewEvent};
use tradewind_shell::failure::Failure;
use tradewind_shell::gather::Gather;
use tradewind_shell::run;
use tradewind_shell::serve::system_task;
use tradewind_shell::service::Service;
use tradewind_shell::store::{Needs, Read};
use tradewind_shell::world::World;

use crate::gathering::{guard_renewal, supplied};
use crate::keys;
use crate::leaving::expire;
use crate::reservation::Reservation;
use crate::situation::availability_changed;

/// Reservations looked up at a time when they expire.
const DUE_PAGE: usize = 100;

/// The last day that was turned to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastDay {
    /// The day.
    pub day: Day,
}

/// Does what time demands for one tenant.
///
/// # Errors
/// Outages.
pub async fn tick<S: Service<W>, W: World>(world: &W, tenant: &str) -> Result<(), Failure> {
    let mut task = system_task(world, tenant, Needs::Everything);
    run::command::<S, W>(world, &mut task, async |gather| turn(gather).await).await?;
    expire_due::<S, W>(world, tenant).await
}

/// Turns the day, once. A tenant's first day is only noted, and so is a clock that was set back,
/// as tests and demos do: by more than the day that a change of zone may cost.
async fn turn<W: World>(gather: &Gather<'_, W>) -> Result<Decision, Failure> {
    let settings = tradewind_shell::settings::key(Domain::Inventory);
    let reads = [settings, keys::DAY.to_owned()].map(|key| Read::Record { key });
    gather.prefetch(reads.into()).await?;
    let today = gather.today().await?;
    let last = gather.record::<LastDay>(keys::DAY).await?.map(|last| last.value.day);
    let mut decision = Decision::default();
    if last.is_some_and(|last| (0..=1).contains(&last.since(today))) {
        return Ok(decision);
    }
    decision.put(keys::DAY, &LastDay { day: today });
    if last.is_some_and(|last| last < today) {
        let told = DayTurned { from: last, to: today };
        decision.event(NewEvent::of(today.to_string(), &told));
    }
    Ok(decision.reply(200, Value::Null))
}

/// Notes a tenant's first day with its first item, so that what is promised before the first tick
/// is pegged anew when that day turns.
///
/// # Errors
/// Outages.
pub async fn note_first_day<W: World>(
    gather: &Gather<'_, W>,
    decision: &mut Decision,
) -> Result<(), Failure> {
    if gather.record::<LastDay>(keys::DAY).await?.is_none() {
        decision.put(keys::DAY, &LastDay { day: gather.today().await? });
    }
    Ok(())
}

/// Gives back every claim whose time is over, each in a commit of its own.
async fn expire_due<S: Service<W>, W: World>(world: &W, tenant: &str) -> Result<(), Failure> {
    let now = world.now();
    loop {
        let gather = Gather::new(world, tenant, S::DOMAIN, Needs::Nothing, 0);
        let due = gather.due(keys::EXPIRY, now.millis(), DUE_PAGE).await?;
        for (name, _) in &due {
            let Ok(id) = name.parse::<Id>() else { continue };
            let mut task = system_task(world, tenant, Needs::Nothing);
            run::command::<S, W>(world, &mut task, async |gather: &Gather<'_, W>| {
                let kept = gather.record::<Reservation>(keys::reservation(&id)).await?;
                Ok(expire(kept.as_deref(), &id, gather.now()))
            })
            .await?;
        }
        if due.len() < DUE_PAGE {
            return Ok(());
        }
    }
}

/// Renews an item's plan for today and the network as it is, in a commit of its own, so that a
/// reserve can rest on it.
///
/// # Errors
/// Outages.
pub async fn renew<S: Service<W>, W: World>(
    world: &W,
    tenant: &str,
    sku: &Id,
) -> Result<(), Failure> {
    let mut task = system_task(world, tenant, Needs::Nothing);
    run::command::<S, W>(world, &mut task, async |gather: &Gather<'_, W>| {
        let before = supplied(gather, sku).await?;
        let mut decision = Decision::default();
        if before.shelf.is_renewed() {
            return Ok(decision);
        }
        let mut after = before.clone();
        after.renew(before.shelf.plan.as_ref(), &mut decision);
        guard_renewal(gather, &before, &mut decision);
        decision.events.extend(availability_changed(&before, &after));
        Ok(decision)
    })
    .await
    .map(|_| ())
}
