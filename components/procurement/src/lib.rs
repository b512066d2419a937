//! The procurement domain: purchase orders from draft to close.
//!
//! # Nouns
//! * An [`order`] buys lines of items from one supplier, each line for a node and a due day. It is
//!   raised as a [`draft`], goes through its [`approval`], is released
//!   ([`release`](mod@release)), confirmed by its supplier ([`confirmation`]) and received
//!   ([`receipt`]), and ends closed, rejected or cancelled ([`ending`]).
//! * The approval [`policy`] says which steps of roles an order needs; [`rates`] compare amounts
//!   of other currencies with it.
//! * A line's schedule says which open part is expected on which day; what has passed is
//!   [`past_due`].
//!
//! # Rules
//! * Only what is [`known`] is bought and received: items and nodes that inventory told of.
//! * Per line, open = ordered − accepted − cancelled ≥ 0, and the schedule sums to it, after every
//!   command ([`filing`] checks it before anything is written).
//! * Nobody approves what they raised, whatever their role; each step is another person's; the
//!   approval covers a hash of the ordered content, checked again at release.
//! * Only an approved supplier is released to, or a conditional one whose open orders stay within
//!   its limit; that standing is a witness of the commit.
//! * Tolerances are 0: a price that differs waits to be accepted, more than is open is not
//!   accepted. A new price is held against the policy and the supplier's limit anew.
//! * A part whose day has passed is told once, at the turn of the day.
//! * A partner's plug-in may add to what the policy demands, never lower it ([`advice`]).
//!
//! Procurement asks suppliers where they stand, and the plug-in what it thinks; nobody else.

pub mod advice;
pub mod approval;
pub mod asks;
pub mod confirmation;
pub mod draft;
pub mod ending;
pub mod filing;
pub mod gathering;
pub mod http;
pub mod keys;
pub mod known;
pub mod order;
pub mod past_due;
pub mod policy;
pub mod price;
pub mod rates;
pub mod reactions;
pub mod receipt;
pub mod release;
mod remains;
pub mod routes;

use tradewind_kernel::event::{Domain, Event};
use tradewind_shell::call::{Answer, Call};
use tradewind_shell::failure::Failure;
use tradewind_shell::gather::Gather;
use tradewind_shell::route::Route;
use tradewind_shell::service::{Cause, Reaction, Service};
use tradewind_shell::world::World;

/// The procurement domain.
#[derive(Debug, Clone, Copy)]
pub struct Procurement;

impl<W: World> Service<W> for Procurement
where
    W::Asks: asks::Asks,
{
    const DOMAIN: Domain = Domain::Procurement;

    type Operation = routes::Operation;

    fn routes() -> &'static [Route<Self::Operation>] {
        routes::ROUTES
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
