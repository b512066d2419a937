//! The inventory domain: what there is, who may have it, and by when.
//!
//! * **Items, nodes, lanes, channels** are master data; nodes, lanes and channels are one network.
//! * **Stock** only moves between places, so that every item sums to zero over all of them.
//! * A **reservation** claims stock, atomically over all its lines, never more than is *available*
//!   to its channel; claims are shipped, released or expire.
//! * A **protection** keeps units for one channel in a window. It rests on supply still to come
//!   where that comes in time, on present stock where it does not.
//! * A customer **order** states demand, line by line. **Pegging** puts supply behind protections
//!   and lines, and gives every line its **promise**. Whatever pegging rests on marks its item when
//!   it changes; one re-pegging serves many marks. A purchase event pegs its items at once.
//! * The **verifier** recounts everything from what happened.
//!
//! Limits, each with its reason where it is defined: [`availability::MOST_PROTECTIONS`],
//! [`item::MAX_UNITS`], [`network::MAX_CHANNEL_NODES`], [`order::MAX_LINES`], [`queries::MAX_ITEMS`],
//! [`reservation::MAX_LINES`], [`split::FEWEST_SPLITS_NODES`], [`trial::MAX_CHANGES`].

use tradewind_kernel::{Domain, Event};
use tradewind_shell::call::{Answer, Call};
use tradewind_shell::failure::Failure;
use tradewind_shell::gather::Gather;
use tradewind_shell::route::Route;
use tradewind_shell::service::{Cause, Effect, Reaction, Service};
use tradewind_shell::store::MarkState;
use tradewind_shell::world::World;

pub mod asks;
pub mod availability;
pub mod backorder;
pub mod demand;
pub mod gathering;
pub mod guards;
pub mod http;
pub mod item;
pub mod keys;
pub mod leaving;
pub mod movement;
pub mod network;
pub mod order;
pub mod pegging;
pub mod place;
pub mod promise;
pub mod protection;
pub mod purchase;
pub mod queries;
pub mod reactions;
mod remains;
pub mod repegging;
pub mod reservation;
pub mod shelf;
pub mod situation;
pub mod split;
pub mod supply;
pub mod tick;
pub mod trial;
pub mod verify;
pub mod views;

pub use asks::Asks;

/// The inventory domain.
#[derive(Debug, Clone, Copy)]
pub struct Inventory;

impl<W: World> Service<W> for Inventory
where
    W::Asks: Asks,
{
    const DOMAIN: Domain = Domain::Inventory;

    const WORKS_MARKS: bool = true;
    const TICKS: bool = true;

    type Operation = http::Operation;

    fn routes() -> &'static [Route<http::Operation>] {
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

    async fn work(gather: &Gather<'_, W>, mark: &MarkState) -> Result<Effect, Failure> {
        reactions::work(gather, &mark.item).await
    }

    async fn tick(world: &W, tenant: &str) -> Result<(), Failure> {
        tick::tick::<Self, W>(world, tenant).await
    }
}
