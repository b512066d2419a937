//! Reporting: what happened, what it led to, and what is wrong now.
//!
//! It reacts to every event of every other domain, many in one commit, and keeps three things.
//!
//! **The audit chain** ([`audit`]): an entry for each event, in sequence order, each with the hash
//! of the one before. Verifying reads all streams again and recomputes it.
//!
//! **Cascades** ([`cascade`]): for each correlation, where its events are. A cascade is built from
//! the events when it is asked for: promises, allocations, protections, promotions, cash, scores
//! and options, each before and after, what ended where it began left out. It is *complete* when
//! every domain that reacts to a type has passed each of its events of that type, none is parked,
//! and no item is marked or half written for it. A re-pegging that serves several causes has a
//! correlation of its own; their cascades name it in `continued_in`.
//!
//! **Exceptions** ([`exception`]): at most one open for one cause.
//!
//! | kind | owner | opens | closes by itself |
//! |---|---|---|---|
//! | `order-past-due` | buyer | an open part's day passed | it came, was dropped, or has a later day |
//! | `supplier-stopped` | buyer | suspended or blocked with open orders | may deliver, or none open |
//! | `supplier-score-low` | buyer | score below 70 on 5 lines or more | no longer |
//! | `promise-later` | planner | a cascade moved promises of a channel later | never |
//! | `promotion-at-risk` | planner | units short | covered |
//! | `protection-short` | planner | units short | served, or ended |
//! | `line-overdue` | warehouse | could have shipped and has not | shipped, promised anew, dropped |
//! | `event-parked` | admin | an event could not be processed | replayed or dismissed |
//! | `access-refused` | admin | a 403, or a refused approval | never |
//!
//! Those that never close by themselves need a person: customers must be told, an attempt looked
//! into. Promises that slide with the turn of a day open none: the late purchase behind them has
//! one. An exception is due 4, 24, 72 or 168 hours after it opened, by severity, and then goes to
//! an administrator. Its owner, or an administrator, may close it with a reason.
//!
//! **Limits.** A cascade lists [`cascade::MAX_PROMISES`] promises, the rest is read in pages; a
//! history keeps [`exception::MAX_HISTORY`] entries.

pub mod audit;
pub mod cascade;
pub mod desk;
pub mod exception;
pub mod http;
pub mod keys;
pub mod link;
pub mod notice;
mod queries;
pub mod reactions;

use tradewind_kernel::Decision;
use tradewind_kernel::event::{Domain, Event};
use tradewind_shell::call::{Answer, Call};
use tradewind_shell::failure::Failure;
use tradewind_shell::gather::Gather;
use tradewind_shell::route::Route;
use tradewind_shell::service::{Cause, Reaction, Service};
use tradewind_shell::world::World;

/// The reporting domain. It asks nobody: it has all events.
#[derive(Debug)]
pub struct Reporting;

impl<W: World> Service<W> for Reporting {
    const DOMAIN: Domain = Domain::Reporting;

    /// The effect of many events is the sum of their effects; so many fit one commit well.
    const BATCH: usize = 64;

    type Operation = http::Operation;

    fn routes() -> &'static [Route<Self::Operation>] {
        http::ROUTES
    }

    fn openapi() -> &'static str {
        include_str!("../openapi.json")
    }

    async fn handle(
        operation: Self::Operation,
        call: &Call<'_, Self, W>,
    ) -> Result<Answer, Failure> {
        http::handle(operation, call).await
    }

    async fn react(gather: &Gather<'_, W>, cause: Cause<'_>) -> Result<Reaction, Failure> {
        reactions::react(gather, cause).await
    }

    fn remains(event: Event, later: &Event) -> Option<Event> {
        let _ = later;
        Some(event)
    }

    async fn set_aside(gather: &Gather<'_, W>, event: &Event) -> Result<Decision, Failure> {
        reactions::set_aside(gather, event).await
    }
}
