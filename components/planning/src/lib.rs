//! The planning domain: what will be wanted, what is at risk, and what can be done.
//!
//! **Promotions** state what a channel expects to sell of an item in a window. Their **risk** is
//! judged anew whenever the item is pegged, the promotion changes or the day turns: what is still
//! expected, spread evenly over the remaining days, against what is left over and held
//! ([`risk`]). **Demand history** is loaded or grows by shipments; a **forecast** per item ×
//! channel is chosen by backtest ([`backtest`]). A **run** works every item × node: forecast and
//! planned promotions ([`demand`]), **safety stock** and **policy** give reorder point and level, and a **proposal** says what to
//! buy from whom, when, and why ([`replenishment`]). When a cause made promises, holds or
//! promotions of an item worse, planning tries what could be done and ranks the **options**
//! ([`options`]).
//!
//! It rests on events and its own records; it asks inventory for trials, the network and
//! positions, suppliers for offers, and finance for the cash forecast.

pub mod asks;
pub mod backtest;
pub mod demand;
pub mod facts;
pub mod forecast;
pub mod gathering;
pub mod history;
pub mod http;
pub mod keys;
pub mod late;
pub mod mitigation;
pub mod options;
pub mod policy;
pub mod promotion;
pub mod proposal;
pub mod reactions;
mod remains;
pub mod replenishment;
pub mod risk;
pub mod runs;
pub mod safety_stock;
pub mod spending;

use tradewind_kernel::event::{Domain, Event};
use tradewind_shell::call::{Answer, Call};
use tradewind_shell::failure::Failure;
use tradewind_shell::gather::Gather;
use tradewind_shell::route::Route;
use tradewind_shell::service::{Cause, Reaction, Service};
use tradewind_shell::world::World;

/// The longest promotion: a leap year. Its days are read one by one.
pub const MAX_PROMOTION_DAYS: i64 = 366;

/// How far a promotion is looked for a later start: half a year; beyond, it is another promotion.
pub const POSTPONE_DAYS: i64 = 180;

/// A promotion that ended longer ago is not judged any more: a day may turn late, hardly a month.
pub const ENDED_DAYS: i64 = 31;

/// Weeks of the cash forecast in which an option's payments count.
pub const HORIZON_WEEKS: u32 = 13;

/// Days of history that a forecast looks at: three years, so that a day is cheap and old demand
/// does not speak for ever.
pub const HISTORY_DAYS: i64 = 1096;

/// Lines of one load of history. It is checked as a whole before anything is written, so its lines
/// are held at one time: a few hundred bytes each with their text, within the 512 MiB that a host
/// gives an instance; and so many are worked within the minute that a host gives a load.
pub const MAX_HISTORY_LINES: usize = 500_000;

/// Records (quarters of a series) that one commit of a load writes: with series and index entries
/// within `tradewind_kernel::decision::MAX_COMMIT_LINES`.
pub const MAX_BLOCK_QUARTERS: usize = 600;

/// Items that a run works in one commit: a few hundred reads and asks, a second at most.
pub const RUN_BLOCK: usize = 16;

/// Promotions that are judged at the turn of a day, the first to open first: far above what runs
/// at once in one tenant, small enough to be read at one moment.
pub const MAX_LIVE_PROMOTIONS: usize = 5_000;

/// The domain.
#[derive(Debug, Clone, Copy)]
pub struct Planning;

impl<W: World> Service<W> for Planning
where
    W::Asks: asks::Asks,
{
    const DOMAIN: Domain = Domain::Planning;

    type Operation = http::Operation;

    fn routes() -> &'static [Route<Self::Operation>] {
        http::ROUTES
    }

    fn openapi() -> &'static str {
        include_str!("../openapi.json")
    }

    async fn handle(
        operation: http::Operation,
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
