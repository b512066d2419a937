//! Cascade: all effects of one cause, under one correlation.
//!
//! It is read from the events themselves, in order. What the same cascade moved twice is told
//! once: before the first move, after the last; what ended where it began is left out.

mod completeness;
mod effects;
mod promises;
mod summary;

use serde::{Deserialize, Serialize};
use tradewind_kernel::event::{Domain, Event};
use tradewind_kernel::events::finance::WeekChange;
use tradewind_kernel::events::inventory::{ChannelAvailability, ProtectionChange};
use tradewind_kernel::events::planning::MitigationOption;
use tradewind_kernel::events::suppliers::ScorePart;
use tradewind_kernel::published::{Actor, EventId, EventType};
use tradewind_kernel::{Currency, Day, Id, Instant, Money, Quantity, Ratio};
use utoipa::ToSchema;

pub use completeness::{Standing, is_complete};
pub use promises::moved_promises;

/// Promises that a cascade lists itself; the rest is read in pages.
pub const MAX_PROMISES: usize = 1000;

/// What started a cascade.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Cause {
    /// The type of its first event.
    #[serde(rename = "type")]
    #[schema(value_type = EventType)]
    pub kind: String,
    /// The domain in which it happened.
    pub domain: Domain,
    /// When.
    pub at: Instant,
    /// Who, or `system`.
    #[schema(value_type = Actor)]
    pub by: String,
    /// What it is about.
    #[schema(format = "free-text")]
    pub subject: String,
    /// Why, if that was said.
    #[schema(format = "free-text")]
    pub reason: Option<String>,
}

/// An event of the cascade that could not be processed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = CascadeParkedEvent)]
pub struct ParkedEvent {
    /// The event.
    #[schema(value_type = EventId)]
    pub id: String,
    /// Its type.
    #[serde(rename = "type")]
    #[schema(value_type = EventType)]
    pub kind: String,
    /// The domain that could not process it.
    pub domain: Domain,
    /// Why.
    #[schema(format = "free-text")]
    pub why: String,
}

/// A promise that moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MovedPromise {
    /// The customer order.
    pub order: Id,
    /// Its line.
    pub line: u32,
    /// The channel.
    pub channel: Id,
    /// The item.
    pub sku: Id,
    /// The unclaimed base units.
    pub quantity: Quantity,
    /// The day before; null: unpromised.
    pub old_day: Option<Day>,
    /// The day now; null: unpromised.
    pub new_day: Option<Day>,
    /// Quantity × unit price; null for a line without a price.
    pub revenue: Option<Money>,
}

/// A promotion whose risk changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PromotionChange {
    /// The promotion.
    pub promotion: Id,
    /// Units short before.
    pub units_short_before: Quantity,
    /// Units short now.
    pub units_short: Quantity,
    /// The first day on which it is not covered.
    pub first_day: Option<Day>,
    /// What is short at the item's list price for the channel.
    pub revenue: Option<Money>,
}

/// The change of the cash forecast; the weeks' amounts are net flows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CashEffect {
    /// The base currency.
    pub currency: Currency,
    /// The weeks that change.
    pub weeks: Vec<WeekChange>,
}

/// The change of a supplier's score.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SupplierEffect {
    /// The supplier.
    pub id: Id,
    /// The score before; null without data.
    pub score_before: Option<Ratio>,
    /// The score now.
    pub score_after: Option<Ratio>,
    /// What it is made of now.
    pub parts: Vec<ScorePart>,
}

/// An event of the cascade.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChainLink {
    /// The event.
    #[schema(value_type = EventId)]
    pub id: String,
    /// Its type.
    #[serde(rename = "type")]
    #[schema(value_type = EventType)]
    pub kind: String,
    /// The domain that told it.
    pub domain: Domain,
    /// The event that caused it; null for the cause of the cascade.
    #[schema(value_type = Option<EventId>)]
    pub caused_by: Option<String>,
}

/// All effects of one cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Cascade {
    /// The correlation.
    #[schema(value_type = Id)]
    pub correlation_id: String,
    /// Whether every domain has reacted to everything in it.
    pub complete: bool,
    /// Its events that could not be processed; while there are any it is not complete.
    pub parked: Vec<ParkedEvent>,
    /// What started it.
    pub cause: Cause,
    /// Promises that moved, the largest revenue first; at most the first 1,000.
    pub promises: Vec<MovedPromise>,
    /// How many promises moved.
    pub promises_total: usize,
    /// What channels can take and show.
    pub allocations: Vec<ChannelAvailability>,
    /// What protections keep of present stock.
    pub protections: Vec<ProtectionChange>,
    /// Promotions whose risk changed.
    pub promotions: Vec<PromotionChange>,
    /// Cash by week.
    pub cash: CashEffect,
    /// The score that changed most, the cause's own supplier first; null when none did.
    pub supplier: Option<SupplierEffect>,
    /// All scores that changed.
    pub suppliers: Vec<SupplierEffect>,
    /// What can be done, ranked.
    pub options: Vec<MitigationOption>,
    /// Plain sentences.
    #[schema(format = "free-text")]
    pub summary: String,
    /// Later re-peggings that served this cause together with others, each under a correlation of
    /// its own.
    #[schema(value_type = Vec<Id>)]
    pub continued_in: Vec<String>,
    /// Its events, in order.
    pub chain: Vec<ChainLink>,
}

/// Builds the cascade of these events, which are all of one correlation and in order; none when
/// there is no event.
#[must_use]
pub fn cascade(
    events: &[Event],
    standing: Standing,
    base: Currency,
    continued_in: Vec<String>,
) -> Option<Cascade> {
    let first = events.iter().find(|event| event.origin.causation.is_none()).or(events.first())?;
    let complete = is_complete(events, &standing);
    let mut promises = moved_promises(events);
    let promises_total = promises.len();
    let suppliers = effects::suppliers(events, first);
    let mut cascade = Cascade {
        correlation_id: first.origin.correlation.clone(),
        complete,
        parked: standing.parked,
        cause: cause_of(first),
        promises: Vec::new(),
        promises_total,
        allocations: effects::allocations(events),
        protections: effects::protections(events),
        promotions: effects::promotions(events),
        cash: effects::cash(events, base),
        supplier: suppliers.first().cloned(),
        suppliers,
        options: effects::options(events),
        summary: String::new(),
        continued_in,
        chain: events.iter().map(link_of).collect(),
    };
    cascade.summary = summary::summary(&cascade, first, &promises);
    promises.truncate(MAX_PROMISES);
    cascade.promises = promises;
    Some(cascade)
}

fn cause_of(event: &Event) -> Cause {
    Cause {
        kind: event.kind().to_owned(),
        domain: event.domain,
        at: event.origin.at,
        by: event.origin.by.clone(),
        subject: event.what.subject.clone(),
        reason: event.origin.reason.clone(),
    }
}

fn link_of(event: &Event) -> ChainLink {
    ChainLink {
        id: event.id(),
        kind: event.kind().to_owned(),
        domain: event.domain,
        caused_by: event.origin.causation.clone(),
    }
}
