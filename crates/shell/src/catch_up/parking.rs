//! Parking: an event that cannot be processed is set aside.

use tradewind_kernel::event::{Event, NewEvent};
use tradewind_kernel::events::system::EventParked;
use tradewind_kernel::refusal::Refusal;

use super::replay::replayed_event;
use super::{Engine, Worked};
use crate::failure::Failure;
use crate::service::Service;
use crate::store::{CursorMove, Outcome, Store, keys};
use crate::world::World;

impl<S: Service<W>, W: World> Engine<'_, S, W> {
    pub(super) async fn park_refused(
        &self,
        batch: &[Event],
        cursor: u64,
        refusal: &Refusal,
    ) -> Result<Worked, Failure> {
        self.park(batch, cursor, &refusal.to_string(), &refusal.faults).await
    }

    /// Sets the first event of a batch aside: the cursor moves on, an exception opens.
    pub(super) async fn park(
        &self,
        batch: &[Event],
        cursor: u64,
        why: &str,
        faults: &[tradewind_kernel::Fault],
    ) -> Result<Worked, Failure> {
        let first = replayed_event(S::DOMAIN, &batch[..1]).unwrap_or_else(|| batch[0].clone());
        self.world.log(&format!("parked {} ({}): {why}", first.id(), first.kind()));
        let parked = EventParked {
            event: first.id(),
            kind: first.kind().to_owned(),
            correlation: first.origin.correlation.clone(),
            why: why.to_owned(),
            faults: faults.to_vec(),
        };
        let gather = self.gather(0);
        let mut decision = S::set_aside(&gather, &first).await?;
        let record = serde_json::json!({ "event": first, "why": why, "faults": faults });
        decision.put_member(keys::parked(S::DOMAIN), first.id(), &record);
        decision.delete(keys::plan(S::DOMAIN));
        #[allow(clippy::expect_used, reason = "our payloads have text keys and always serialise")]
        let data = serde_json::to_value(&parked).expect("our payloads serialise");
        let kind = format!("{}.event-parked", S::DOMAIN);
        decision.event(NewEvent { kind, subject: first.id(), data });
        let mut commit = self.commit(&gather, decision, self.origin_of(&batch[0]));
        commit.cursor = Some(CursorMove { expected: cursor, next: batch[0].sequence });
        match self.world.store().commit(&commit).await? {
            Outcome::Done { .. } if batch.len() == 1 => Ok(Worked::Done),
            _ => Ok(Worked::Elsewhere),
        }
    }
}
