//! Marks: items that wait to be worked.

use super::plan::{Plan, PlanCause, stored};
use super::{AGAIN_PAUSE_MILLIS, Engine, MAX_EFFECT_ATTEMPTS, Pace, WORK_PAUSE_MILLIS};
use crate::failure::Failure;
use crate::service::{Effect, Service};
use crate::store::{Check, Outage, Outcome, Store, Waiting, keys};
use crate::world::World;

impl<S: Service<W>, W: World> Engine<'_, S, W> {
    /// Waits a moment when nothing waits but items that were worked in the last round and have been
    /// marked since; gives back the items of this round if there is nothing else in it.
    pub(super) async fn let_gather(&self, waiting: &Waiting, last: &[String]) -> Vec<String> {
        if waiting.plan.is_some() || !waiting.cut.events.is_empty() {
            return Vec::new();
        }
        let again = waiting.marked.iter().all(|item| last.contains(item));
        if again && !last.is_empty() && self.pace == Pace::Calm {
            self.world.pause(AGAIN_PAUSE_MILLIS).await;
        }
        waiting.marked.clone()
    }

    /// Works these items.
    pub(super) async fn work_marks(
        &self,
        items: &[String],
        progress: &mut bool,
    ) -> Result<(), Failure> {
        for item in items {
            self.work_item(item).await?;
            *progress = true;
        }
        Ok(())
    }

    /// Works one item if it is marked, to the end.
    pub(super) async fn work_item(&self, item: &str) -> Result<(), Failure> {
        for attempt in 0..MAX_EFFECT_ATTEMPTS {
            let gather = self.gather(attempt);
            let Some(mark) = gather.mark(item).await? else { return Ok(()) };
            let effect = match S::work(&gather, &mark).await {
                Err(Failure::Refused(refusal)) => {
                    return Err(Outage(format!("working `{item}`: {refusal}")).into());
                }
                effect => effect?,
            };
            let origin = self.origin_of_mark(&mark);
            let (decision, parts) = match effect {
                Effect::Done(decision) => (decision, false),
                Effect::Parts(parts) => {
                    let (item, token) = (mark.item.clone(), mark.token.clone());
                    let cause = PlanCause::Mark { item, token, origin: origin.clone() };
                    let (steps, count) = (vec![String::new()], parts.len());
                    let plan = Plan { cause, steps, step: 0, parts: count, part: 0 };
                    gather.witness(Check::Record { key: keys::plan(S::DOMAIN), version: 0 });
                    (stored::<S, W>(&plan, parts), true)
                }
            };
            let mut commit = self.commit(&gather, decision, origin);
            if !parts {
                commit.unmark = Some((mark.item.clone(), mark.token.clone()));
            }
            match self.world.store().commit(&commit).await? {
                Outcome::Done { .. } if parts => return self.write_out_mark().await,
                Outcome::Done { .. } => return Ok(()),
                // What is written all the time is left alone for a moment: a heavy item would
                // otherwise be worked in vain as fast as it can be.
                _ => self.world.pause(WORK_PAUSE_MILLIS.min(1 << attempt.min(8))).await,
            }
        }
        Ok(())
    }

    /// Writes out the parts of a mark's effect that has just been stored.
    async fn write_out_mark(&self) -> Result<(), Failure> {
        while let Some((plan, version)) = self.plan().await? {
            if !matches!(plan.cause, PlanCause::Mark { .. }) {
                return Ok(());
            }
            let cursor = self.world.store().cut(self.tenant, S::DOMAIN, 1).await?.cursor;
            Box::pin(self.continue_plan(plan, version, cursor, false)).await?;
        }
        Ok(())
    }
}
