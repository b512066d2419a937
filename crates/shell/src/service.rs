//! What a domain is to the shell.

use tradewind_kernel::decision::Decision;
use tradewind_kernel::event::{Domain, Event};

use crate::call::{Answer, Call};
use crate::failure::Failure;
use crate::gather::Gather;
use crate::route::Route;
use crate::store::MarkState;
use crate::world::World;

/// An effect of an event or of a mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// One commit does it all.
    Done(Decision),
    /// Too large for one commit: the parts are stored at once and written out one by one, each
    /// without looking anything up again. Their guards and replies are not used.
    Parts(Vec<Decision>),
}

/// What a domain makes of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reaction {
    /// This effect; an empty one only moves the cursor.
    Effect(Effect),
    /// Several things by name (items): the domain is asked again for each, in order.
    Steps(Vec<String>),
    /// This item is marked and must be worked under its own causes first; then ask again.
    WorkFirst(String),
}

impl From<Decision> for Reaction {
    fn from(decision: Decision) -> Self {
        Self::Effect(Effect::Done(decision))
    }
}

/// What a domain reacts to.
#[derive(Debug, Clone, Copy)]
pub struct Cause<'a> {
    /// The events, in order: one, unless the domain takes them in batches.
    pub events: &'a [Event],
    /// The step, when an earlier answer was [`Reaction::Steps`].
    pub step: Option<&'a str>,
}

impl<'a> Cause<'a> {
    /// The (first) event.
    ///
    /// # Panics
    /// Never: there is always one.
    #[must_use]
    pub fn event(&self) -> &'a Event {
        &self.events[0]
    }
}

/// One domain. It holds no state; everything is in the store.
pub trait Service<W: World>: Sized {
    /// Which domain it is.
    const DOMAIN: Domain;

    /// How many events one commit may take at most; more than one only where the effect of many
    /// is the sum of their effects.
    const BATCH: usize = 1;

    /// Whether it marks items and works them ([`Service::work`]).
    const WORKS_MARKS: bool = false;

    /// Whether time demands something of it ([`Service::tick`]); the others only catch up.
    const TICKS: bool = false;

    /// Its operations, named by its routes.
    type Operation: Copy + 'static;

    /// What it answers.
    fn routes() -> &'static [Route<Self::Operation>];

    /// The checked-in OpenAPI document.
    fn openapi() -> &'static str;

    /// Answers one request. Roles, token and the key are already checked.
    async fn handle(
        operation: Self::Operation,
        call: &Call<'_, Self, W>,
    ) -> Result<Answer, Failure>;

    /// Decides what an event means here. Plug-ins are not asked. A refusal parks the event.
    async fn react(gather: &Gather<'_, W>, cause: Cause<'_>) -> Result<Reaction, Failure>;

    /// Whether an event of this type mostly tells nothing here: then the effects of several such
    /// events, decided one by one, go in one commit, with at most one that does tell something. Its
    /// reactions must rest on nothing but what they gather.
    fn is_quiet(kind: &str) -> bool {
        let _ = kind;
        false
    }

    /// What remains of an event that is replayed when this later one of the same subject has been
    /// told since: the event, as it now is to be taken, or nothing. It is asked of each later event
    /// in order, whether the domain reacts to it or not. A domain names the events that tell it a
    /// state, for a later one of these must not give way to an earlier one.
    fn remains(event: Event, later: &Event) -> Option<Event>;

    /// What the domain does for an event even when it sets it aside, in the commit that does so.
    async fn set_aside(gather: &Gather<'_, W>, event: &Event) -> Result<Decision, Failure> {
        let _ = (gather, event);
        Ok(Decision::default())
    }

    /// Works a marked item.
    async fn work(gather: &Gather<'_, W>, mark: &MarkState) -> Result<Effect, Failure> {
        let _ = (gather, mark);
        Ok(Effect::Done(Decision::default()))
    }

    /// Does what time demands for one tenant (expiry, the turn of the day); idempotent. Catching
    /// up is done by the shell before.
    async fn tick(world: &W, tenant: &str) -> Result<(), Failure> {
        let _ = (world, tenant);
        Ok(())
    }
}
