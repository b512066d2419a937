//! Protections: units of an item kept for one channel in a window, and the allocation plan that
//! lists them.
//!
//! A plan has every protection of one item that is not ended, with `inbound`: what of it supply
//! still to come serves. It is renewed in the very commit that changes supply, present stock
//! otherwise than by a claim, the network, or a protection.

use serde::{Deserialize, Serialize};
use tradewind_kernel::events::inventory::{ProtectionEnded, ProtectionSet};
use tradewind_kernel::refusal::Faults;
use tradewind_kernel::{Day, Decision, Id, NewEvent, Quantity, Refusal};
use utoipa::ToSchema;

use crate::availability::MOST_PROTECTIONS;
use crate::keys;
use crate::network::{answered, shown};
use crate::situation::{Situation, availability_changed};

/// What a caller says of a protection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "sku": "SHIRT-M",
    "channel": "wholesale",
    "quantity": 120,
    "from": "2026-12-16",
    "until": "2026-12-31",
    "reason": "spring prebook",
}))]
pub struct ProtectionTerms {
    /// The item.
    pub sku: Id,
    /// The channel it is kept for.
    pub channel: Id,
    /// Base units.
    #[schema(value_type = i64, minimum = 1)]
    pub quantity: Quantity,
    /// The first day of the window.
    pub from: Day,
    /// The last day of the window.
    pub until: Day,
    /// Why.
    #[serde(default)]
    #[schema(max_length = 1000)]
    pub reason: Option<String>,
    /// Who answers for it.
    #[serde(default)]
    #[schema(max_length = 256)]
    pub owner: Option<String>,
}

/// A protection as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProtectionRecord {
    /// What was said of it.
    pub terms: ProtectionTerms,
    /// It was ended.
    pub ended: bool,
    /// How often one of this id was made: each counts its use anew.
    pub generation: u32,
}

/// A protection in a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Protection {
    /// Its id.
    pub id: Id,
    /// The channel it is kept for.
    pub channel: Id,
    /// Base units.
    pub quantity: Quantity,
    /// The first day of its window.
    pub from: Day,
    /// The last day of its window.
    pub until: Day,
    /// The counter of what its channel has claimed inside the window.
    pub counter: String,
    /// What of it supply still to come serves.
    pub inbound: Quantity,
}

/// The allocation plan of an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The day it was made for.
    pub day: Day,
    /// The network's revision it was made for.
    pub revision: u64,
    /// Protections that were not ended.
    pub protections: Vec<Protection>,
}

fn counter(id: &Id, generation: u32) -> String {
    match generation {
        1 => format!("used:{id}"),
        later => format!("used:{id}#{later}"),
    }
}

fn names(id: &Id) -> [(&'static str, &str); 1] {
    [("id", id.as_str())]
}

fn check_terms(terms: &ProtectionTerms, context: &Context<'_>) -> Result<(), Refusal> {
    let mut faults = Faults::new();
    faults.require(context.item_known, "/sku", "sku-unknown", "there is no such item");
    let shelf = &context.before.shelf;
    let known = shelf.network.channels.contains_key(&terms.channel);
    faults.require(known, "/channel", "channel-unknown", "there is no such channel");
    let ordered = terms.from <= terms.until;
    faults.require(ordered, "/until", "window-reversed", "`until` is not before `from`");
    let passed = ordered && terms.until < shelf.today;
    faults.require(!passed, "/until", "window-passed", "the window has passed");
    faults.check()
}

fn check_others(terms: &ProtectionTerms, id: &Id, context: &Context<'_>) -> Result<(), Refusal> {
    let others = || context.before.shelf.standing().filter(|other| other.id != *id);
    let overlaps = |other: &&Protection| {
        other.channel == terms.channel && other.from <= terms.until && terms.from <= other.until
    };
    if let Some(other) = others().find(overlaps) {
        let detail = format!("the window overlaps that of protection `{}`", other.id);
        return Err(Refusal::conflict("protection-overlaps", detail));
    }
    if others().count() >= MOST_PROTECTIONS {
        let detail = format!("at most {MOST_PROTECTIONS} protections of an item live or to come");
        return Err(Refusal::conflict("too-many-protections", detail));
    }
    Ok(())
}

/// What a decision about a protection rests on.
#[derive(Debug)]
pub struct Context<'a> {
    /// The item is known.
    pub item_known: bool,
    /// The item before.
    pub before: &'a Situation,
}

/// Makes or changes a protection.
///
/// # Errors
/// 422 naming every fault (`sku-unknown`, `channel-unknown`, `window-reversed`, `window-passed`);
/// 409 `protection-fixed` for another item or channel, `protection-overlaps`,
/// `too-many-protections`, in this order.
pub fn put(
    existing: Option<(&ProtectionRecord, u64)>,
    id: &Id,
    terms: ProtectionTerms,
    context: &Context<'_>,
) -> Result<Decision, Refusal> {
    let live = existing.filter(|(record, _)| !record.ended);
    if let Some((_, version)) = live.filter(|(record, _)| record.terms == terms) {
        let body = shown(&terms, &names(id), &version.to_string());
        return Ok(Decision::unchanged(body, version));
    }
    check_terms(&terms, context)?;
    let moved = |record: &ProtectionRecord| {
        record.terms.sku != terms.sku || record.terms.channel != terms.channel
    };
    if live.is_some_and(|(record, _)| moved(record)) {
        let detail = "item and channel of a protection stay; end it and make another";
        return Err(Refusal::conflict("protection-fixed", detail));
    }
    check_others(&terms, id, context)?;

    let last = existing.map_or(0, |(record, _)| record.generation);
    let generation = if live.is_some() { last } else { last.saturating_add(1) };
    let mut after = context.before.clone();
    let (day, revision) = (after.shelf.today, after.shelf.network.revision);
    let mut plan = after.shelf.plan.take().unwrap_or(Plan { day, revision, protections: vec![] });
    plan.protections.retain(|other| other.id != *id);
    plan.protections.push(Protection {
        id: id.clone(),
        channel: terms.channel.clone(),
        quantity: terms.quantity,
        from: terms.from,
        until: terms.until,
        counter: counter(id, generation),
        inbound: 0,
    });
    after.shelf.plan = Some(plan);
    let told = ProtectionSet {
        protection: id.clone(),
        sku: terms.sku.clone(),
        channel: terms.channel.clone(),
        quantity: terms.quantity,
        from: terms.from,
        until: terms.until,
        reason: terms.reason.clone(),
        owner: terms.owner.clone(),
    };
    let record = ProtectionRecord { terms: terms.clone(), ended: false, generation };
    let mut decision = Decision::default();
    decision.put(keys::protection(id), &record);
    decision.index(keys::PROTECTIONS, id.as_str(), 0);
    decision.index(keys::PEGGED, terms.sku.as_str(), 0);
    let told = NewEvent::of(id.as_str(), &told);
    let decision = changed(decision, context.before, after, told);
    let location = format!("/inventory/v1/protections/{id}");
    Ok(answered(decision, live.is_none(), location, shown(&terms, &names(id), "")))
}

/// Ends a protection.
#[must_use]
pub fn end(record: &ProtectionRecord, id: &Id, before: &Situation) -> Decision {
    let mut after = before.clone();
    if let Some(plan) = &mut after.shelf.plan {
        plan.protections.retain(|other| other.id != *id);
    }
    let mut decision = Decision::default();
    decision.put(keys::protection(id), &ProtectionRecord { ended: true, ..record.clone() });
    decision.unindex(keys::PROTECTIONS, id.as_str());
    let told = ProtectionEnded {
        protection: id.clone(),
        sku: record.terms.sku.clone(),
        channel: record.terms.channel.clone(),
    };
    let told = NewEvent::of(id.as_str(), &told);
    let body = serde_json::json!({ "id": id, "ended": true });
    changed(decision, before, after, told).reply(200, body)
}

/// The plan renewed in the same commit, what it changed, and the item marked for its lines.
fn changed(
    mut decision: Decision,
    before: &Situation,
    mut after: Situation,
    told: NewEvent,
) -> Decision {
    after.renew(before.shelf.plan.as_ref(), &mut decision);
    decision.event(told);
    decision.events.extend(availability_changed(before, &after));
    decision.mark(after.sku().as_str());
    decision
}
