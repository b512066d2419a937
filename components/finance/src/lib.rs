//! Finance: what a tenant's cash will be, week by week.
//!
//! **Nouns.** *Settings*: zone, base currency, opening cash and cash floor; every domain keeps
//! them. *Rate*: what one unit of a currency is worth in the base currency from a day on. *Flow*:
//! one expected payment, hung on a day. *Purchase* and *demand*: what of a purchase order and of a
//! customer order is still to be paid. *Board*: all flows, added up by due day. *Forecast*: the
//! balance at the end of each week; a week is its Monday in the tenant's zone.
//!
//! **What flows** (`docs/domain.md`, Finance):
//! * an open part of a released purchase order, at its price, the terms after the day on which its
//!   goods can be used; a day of use that has passed is today;
//! * goods accepted and not invoiced, the terms after their receipt;
//! * the open part of a customer order's line, less the channel's fee, the channel's lag after the
//!   promised day; unpromised: never;
//! * what is claimed, the lag after the day it is wanted, or after today once that has passed;
//! * what is shipped, the lag after the day it was shipped, on the channel's terms of that day.
//!
//! **Rules.**
//! * A flow is rounded once, to its own currency's minor unit, half to even. What falls due on one
//!   day in one foreign currency is converted at once, at the newest rate on or before that day,
//!   today at the latest, and rounded; without a rate it is left out and listed as `unconverted`.
//! * What is past due counts this week. A flow that fell due before the day on which the opening
//!   cash was last set is settled in it. A change of the zone or the floor alone settles nothing.
//! * Every event that moves a week's net flow is followed by `finance.cash-changed` under its own
//!   correlation, with the net flow of each week that moved, before and after, so that the changes
//!   of a cascade add up to what its own events changed. The turn of a day is such an event.
//! * Rates belong to the base currency they were put for. A new base currency leaves the flows as
//!   they are and tells no change: sums in two currencies cannot be compared.
//!
//! **Limits.** A forecast has 1 to [`forecast::MAX_WEEKS`] weeks; an amount beyond 10^15 stays
//! there; a rate is at most [`rate::MAX_RATE`] with [`rate::RATE_DECIMALS`] decimals.

pub mod board;
pub mod demand;
pub mod flow;
pub mod forecast;
pub mod http;
pub mod keys;
pub mod purchase;
pub mod queries;
pub mod rate;
pub mod reactions;
mod remains;
pub mod settings;

use tradewind_kernel::event::{Domain, Event};
use tradewind_shell::call::{Answer, Call};
use tradewind_shell::failure::Failure;
use tradewind_shell::gather::Gather;
use tradewind_shell::route::Route;
use tradewind_shell::service::{Cause, Reaction, Service};
use tradewind_shell::world::World;

/// The finance domain. It asks nobody.
#[derive(Debug)]
pub struct Finance;

impl<W: World> Service<W> for Finance {
    const DOMAIN: Domain = Domain::Finance;

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

    fn is_quiet(kind: &str) -> bool {
        reactions::is_quiet(kind)
    }

    async fn react(gather: &Gather<'_, W>, cause: Cause<'_>) -> Result<Reaction, Failure> {
        reactions::react(gather, cause).await
    }

    fn remains(event: Event, later: &Event) -> Option<Event> {
        remains::remains(event, later)
    }
}
