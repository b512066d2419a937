//! The suppliers domain: whom goods are bought from, what they ask, and how they have done.
//!
//! # Nouns
//! * A [`supplier`] has a name, terms and a working-day calendar. Its [`status`] says whether
//!   orders may be released to it: approved ones, and conditional ones within their limit.
//! * An [`offer`] is what a supplier asks for an item: price with breaks for more, lead time,
//!   minimum, multiple, maximum, and what hurrying costs. The offers of an item are one set, so
//!   that whoever compares them rests on one version, which covers the absent ones too.
//! * A [`line`] is a released purchase order line, learnt from procurement's events; sums over them
//!   ([`tally`]) are a supplier's [`record`]. They give its [`score`] and its [`lead_time`], which
//!   its [`scorecard`] shows.
//!
//! * A [`commitment`] is what is open with a supplier, beside the limit of a conditional one.
//!
//! # Rules
//! * The score is that of domain.md §5, with early 5 and late 0 days, over the lines due in the
//!   last 365 days or later. It is exact; the one rounding, to one decimal, is half to even.
//! * A line counts from the release of its order. An order that is cancelled before anything came
//!   asks nothing of its supplier any more: its lines count no more. One that is closed short keeps
//!   them: what did not come lowers the fill rate.
//! * A lead time is measured once its line is closed: only then is the last receipt known to be it.
//! * Each event of an order moves the record in one commit and says `suppliers.score-changed` when
//!   the score or a part of it moved, before and after as of that event's day. The turn of the day
//!   does the same for the suppliers with lines that fall due or leave the window.
//!
//! Suppliers asks no other domain.

pub mod commitment;
pub mod http;
pub mod keys;
pub mod lead_time;
pub mod line;
pub mod offer;
pub mod queries;
pub mod reactions;
pub mod record;
mod remains;
pub mod score;
pub mod scorecard;
pub mod status;
pub mod supplier;
pub mod tally;

use tradewind_kernel::event::{Domain, Event};
use tradewind_shell::call::{Answer, Call};
use tradewind_shell::failure::Failure;
use tradewind_shell::gather::Gather;
use tradewind_shell::route::Route;
use tradewind_shell::service::{Cause, Reaction, Service};
use tradewind_shell::world::World;

/// The suppliers domain.
#[derive(Debug, Clone, Copy)]
pub struct Suppliers;

impl<W: World> Service<W> for Suppliers {
    const DOMAIN: Domain = Domain::Suppliers;

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
        remains::remains(event, later)
    }
}
