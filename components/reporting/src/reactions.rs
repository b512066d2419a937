//! What events mean here: an entry of the audit chain, a place in their cascade, and news of what
//! is wrong.
//!
//! Many events go in one commit: the effect of many is the sum of their effects. No event is ever
//! refused: one that does not read still has its entry and its place, and so has one that is set
//! aside because it cannot be worked.

use std::collections::{BTreeMap, BTreeSet};

use tradewind_kernel::decision::{MAX_COMMIT_LINES, Write};
use tradewind_kernel::event::{Domain, Event, Payload};
use tradewind_kernel::events::finance::SettingsChanged;
use tradewind_kernel::events::inventory::DayTurned;
use tradewind_kernel::time::Zone;
use tradewind_kernel::{Decision, Id};
use tradewind_shell::failure::Failure;
use tradewind_shell::gather::Gather;
use tradewind_shell::service::{Cause, Effect, Reaction};
use tradewind_shell::settings;
use tradewind_shell::store::{Found, Outage, Read};
use tradewind_shell::world::World;

use crate::audit::{Head, place};
use crate::desk::{Desk, SupplierNote, stopped_cause, supplier_of};
use crate::exception::Exception;
use crate::keys;
use crate::notice::{Notice, notices};

/// Turns of the day whose correlations are remembered: a turn's cascade is long over by then.
const TURNS_KEPT: usize = 8;

/// Events of our own that are read at a time.
const OWN_PAGE: usize = 500;

/// Reacts to a batch of events.
///
/// # Errors
/// Outages.
pub async fn react<W: World>(
    gather: &Gather<'_, W>,
    cause: Cause<'_>,
) -> Result<Reaction, Failure> {
    let mut decision = audited(gather, cause.events).await?;
    exceptions(gather, cause.events, &mut decision).await?;
    Ok(Reaction::Effect(in_parts(decision)))
}

/// An event that is set aside has its entry and its place in its cascade all the same: the chain has
/// no hole. What it says of what is wrong is lost.
///
/// # Errors
/// Outages.
pub async fn set_aside<W: World>(
    gather: &Gather<'_, W>,
    event: &Event,
) -> Result<Decision, Failure> {
    audited(gather, std::slice::from_ref(event)).await
}

/// The entries of these events, and their places in their cascades.
async fn audited<W: World>(gather: &Gather<'_, W>, events: &[Event]) -> Result<Decision, Failure> {
    let mut decision = Decision::default();
    let head = gather.record::<Head>(keys::AUDIT_HEAD).await?;
    let mut head = head.map(|kept| kept.value).unwrap_or_default();
    let events = with_our_own(gather, events, head.sequence).await?;
    for event in &events {
        let (number, entry) = head.append(event);
        let (pack, name) = place(number);
        decision.put_member(keys::audit(pack), name, &entry);
        index(&mut decision, event);
    }
    decision.put(keys::AUDIT_HEAD, &head);
    Ok(decision)
}

/// The events, and those of our own that lie between them and the newest entry: everything has its
/// entry in sequence order.
async fn with_our_own<W: World>(
    gather: &Gather<'_, W>,
    events: &[Event],
    newest: u64,
) -> Result<Vec<Event>, Failure> {
    let last = events.last().map_or(newest, |event| event.sequence);
    let mut all: BTreeMap<u64, Event> =
        events.iter().map(|event| (event.sequence, event.clone())).collect();
    let mut after = newest;
    loop {
        let read = Read::Events { domain: Domain::Reporting, after, limit: OWN_PAGE };
        let found = gather.fetch(vec![read]).await?;
        let Some(Found::Events(own)) = found.into_iter().next() else {
            return Err(Outage("our own events were not answered".to_owned()).into());
        };
        let full = own.len() >= OWN_PAGE;
        after = own.last().map_or(after, |event| event.sequence);
        all.extend(own.into_iter().map(|event| (event.sequence, event)));
        if !full || after >= last {
            break;
        }
    }
    all.retain(|sequence, _| *sequence > newest && *sequence <= last);
    Ok(all.into_values().collect())
}

/// Puts an event into its cascade. A re-pegging that serves several causes names them as its
/// parents; each of their cascades then says where it went on.
fn index(decision: &mut Decision, event: &Event) {
    let score = i64::try_from(event.sequence).unwrap_or(i64::MAX);
    let correlation = &event.origin.correlation;
    decision.index(keys::cascade(correlation), pointer(event), score);
    let by_system = event.origin.by == "system" && event.origin.causation.is_none();
    if let (true, Some(parents)) = (by_system, &event.origin.parent) {
        for parent in parents.split(' ').filter(|parent| !parent.is_empty()) {
            decision.index(keys::continued(parent), correlation.as_str(), score);
        }
    }
}

/// How an event is named in its cascade's index.
fn pointer(event: &Event) -> String {
    format!("{}:{}", event.domain, event.sequence)
}

/// The domain and sequence of a name in a cascade's index.
#[must_use]
pub fn pointed(name: &str) -> Option<(Domain, u64)> {
    let (domain, sequence) = name.split_once(':')?;
    Some((domain.parse().ok()?, sequence.parse().ok()?))
}

/// What the events say about what is wrong.
async fn exceptions<W: World>(
    gather: &Gather<'_, W>,
    events: &[Event],
    decision: &mut Decision,
) -> Result<(), Failure> {
    let mut zone = gather.settings().await?.zone;
    let kept = gather.record::<Vec<String>>(keys::TURNS).await?;
    let mut turns = kept.map(|kept| kept.value).unwrap_or_default();
    let before = turns.len();
    let mut told: Vec<(&Event, Vec<Notice>)> = Vec::new();
    for event in events {
        zone = keep_settings(event, zone, decision);
        if event.kind() == DayTurned::TYPE {
            turns.push(event.origin.correlation.clone());
        }
        told.push((event, notices(event, zone, &turns)));
    }
    if turns.len() > before {
        let first = turns.len().saturating_sub(TURNS_KEPT);
        decision.put(keys::TURNS, &turns.split_off(first));
    }
    let mut desk = desk(gather, &told).await?;
    for (event, notices) in told {
        desk.take(event, notices);
    }
    desk.write(decision);
    Ok(())
}

fn keep_settings(event: &Event, zone: Zone, decision: &mut Decision) -> Zone {
    let Ok(Some(kept)) = settings::kept(Domain::Reporting, event) else { return zone };
    decision.writes.extend(kept.writes);
    event.read::<SettingsChanged>().map_or(zone, |settings| settings.zone)
}

/// Reads what the notices speak of.
async fn desk<W: World>(
    gather: &Gather<'_, W>,
    told: &[(&Event, Vec<Notice>)],
) -> Result<Desk, Failure> {
    let suppliers: BTreeSet<Id> = told.iter().filter_map(|(event, _)| supplier_of(event)).collect();
    let notices = told.iter().flat_map(|(_, notices)| notices);
    let mut causes: BTreeSet<String> = notices.map(|notice| notice.cause.clone()).collect();
    causes.extend(suppliers.iter().map(stopped_cause));
    let mut desk = Desk::default();
    if causes.is_empty() {
        return Ok(desk);
    }
    let causes: Vec<String> = causes.into_iter().collect();
    let names: Vec<String> = suppliers.iter().map(Id::to_string).collect();
    let watched = gather.members::<Id>(keys::WATCHES, causes.clone()).await?;
    let notes = if names.is_empty() {
        Vec::new()
    } else {
        gather.members::<SupplierNote>(keys::SUPPLIERS, names).await?
    };
    let ids: BTreeSet<Id> = watched.iter().flatten().cloned().collect();
    let found = gather.records::<Exception>(ids.iter().map(keys::exception).collect()).await?;
    desk.watches = causes.into_iter().zip(watched).collect();
    desk.exceptions =
        ids.into_iter().zip(found).filter_map(|(id, kept)| Some((id, kept?.value))).collect();
    desk.suppliers =
        suppliers.into_iter().zip(notes).filter_map(|(id, note)| Some((id, note?))).collect();
    Ok(desk)
}

/// A batch writes a few hundred lines; should it ever be more than one commit takes, it goes in
/// parts.
fn in_parts(mut decision: Decision) -> Effect {
    let limit = MAX_COMMIT_LINES / 2;
    if decision.writes.len() <= limit {
        return Effect::Done(decision);
    }
    let writes = std::mem::take(&mut decision.writes);
    let part = |writes: &[Write]| Decision { writes: writes.to_vec(), ..Decision::default() };
    Effect::Parts(writes.chunks(limit).map(part).collect())
}
