//! Many effects in one commit, for a domain whose events mostly tell nothing new.
//!
//! The events of one commit have one origin. So the effects of several events go together only as
//! long as no more than one of them tells something; its cause is then the cause of the commit, and
//! two correlations never mix. Each event is decided by itself, on what those before it leave.

use tradewind_kernel::decision::Decision;
use tradewind_kernel::event::Event;

use super::Engine;
use crate::failure::Failure;
use crate::service::{Cause, Effect, Reaction, Service};
use crate::store::{CursorMove, Outcome, Store};
use crate::world::World;

/// Events whose effects go together: as many as reporting takes at once.
const MERGED_EVENTS: usize = 64;

/// Writes and events of one commit of several effects: far below what one commit may carry, so that
/// the next effect, which is decided before it is counted, still fits.
const MERGED_LINES: usize = 512;

impl<S: Service<W>, W: World> Engine<'_, S, W> {
    /// Commits the effects of the first of these events together; gives back of how many, or `None`
    /// when the first must go by itself, or somebody was faster.
    pub(super) async fn merge(
        &self,
        events: &[Event],
        cursor: u64,
    ) -> Result<Option<usize>, Failure> {
        let gather = self.gather(0);
        let mut merged = Decision::default();
        let mut teller: Option<&Event> = None;
        let mut taken: &[Event] = &[];
        let quiet = events.iter().take_while(|event| S::is_quiet(event.kind()));
        for (place, event) in quiet.enumerate().take(MERGED_EVENTS) {
            let cause = Cause { events: std::slice::from_ref(event), step: None };
            let Ok(Reaction::Effect(Effect::Done(decision))) = S::react(&gather, cause).await
            else {
                break;
            };
            let tells = !decision.events.is_empty();
            if !gather.is_sure() || !decision.guards.is_empty() || (tells && teller.is_some()) {
                break;
            }
            let size =
                |decision: &Decision| decision.writes.len().saturating_add(decision.events.len());
            if size(&merged).saturating_add(size(&decision)) > MERGED_LINES {
                break;
            }
            gather.lay(&decision.writes);
            merged.writes.extend(decision.writes);
            merged.events.extend(decision.events);
            if tells {
                teller = Some(event);
            }
            taken = events.get(..=place).unwrap_or(taken);
        }
        let (Some(first), Some(last)) = (taken.first(), taken.last()) else { return Ok(None) };
        let mut commit = self.commit(&gather, merged, self.origin_of(teller.unwrap_or(first)));
        commit.cursor = Some(CursorMove { expected: cursor, next: last.sequence });
        let done = matches!(self.world.store().commit(&commit).await?, Outcome::Done { .. });
        Ok(done.then_some(taken.len()))
    }
}
