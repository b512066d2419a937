//! Effects that take several commits: their position lies beside the cursor.
//!
//! A plan is stored with the first commit; each later one writes out the next part or step and moves
//! the position, the last one moves the cursor (or takes the mark off). A crash in between goes on
//! where it was.

use serde::{Deserialize, Serialize};
use tradewind_kernel::decision::{Decision, Write};
use tradewind_kernel::event::{Event, Origin};

use super::replay::replayed_event;
use super::{Engine, MAX_EFFECT_ATTEMPTS};
use crate::failure::Failure;
use crate::gather::Gather;
use crate::service::{Cause, Effect, Reaction, Service};
use crate::store::{Check, Commit, CursorMove, Found, Outage, Outcome, Read, Store, keys};
use crate::world::World;

/// What an unfinished effect belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum PlanCause {
    Events(Vec<Event>),
    Mark { item: String, token: String, origin: Origin },
}

/// The position beside the cursor of an effect that takes several commits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Plan {
    pub(super) cause: PlanCause,
    pub(super) steps: Vec<String>,
    pub(super) step: usize,
    pub(super) parts: usize,
    pub(super) part: usize,
}

impl<S: Service<W>, W: World> Engine<'_, S, W> {
    /// Takes an unfinished effect one commit further.
    pub(super) async fn continue_plan(
        &self,
        plan: Plan,
        version: u64,
        cursor: u64,
        suspect: bool,
    ) -> Result<(), Failure> {
        if let (true, PlanCause::Events(events)) = (suspect, &plan.cause) {
            self.park(events, cursor, "its effect was tried in vain several times", &[]).await?;
            return Ok(());
        }
        for attempt in 0..MAX_EFFECT_ATTEMPTS {
            let gather = self.gather(attempt);
            gather.witness(Check::Record { key: keys::plan(S::DOMAIN), version });
            let mut next = plan.clone();
            let mut decision = match self.next_of_plan(&gather, &mut next).await {
                Ok(Some(decision)) => decision,
                Ok(None) => continue,
                Err(Failure::Refused(refusal)) => {
                    if let PlanCause::Events(events) = &plan.cause {
                        self.park_refused(events, cursor, &refusal).await?;
                        return Ok(());
                    }
                    return Err(Outage(refusal.to_string()).into());
                }
                Err(failure) => return Err(failure),
            };
            let finished = next.step >= next.steps.len();
            if finished {
                decision.delete(keys::plan(S::DOMAIN));
            } else {
                decision.put(keys::plan(S::DOMAIN), &next);
            }
            let origin = self.origin_of_plan(&plan);
            let mut commit = self.commit(&gather, decision, origin);
            if finished {
                self.finish(&plan, cursor, &mut commit);
            } else {
                commit.cursor = Some(CursorMove { expected: cursor, next: cursor });
            }
            match self.world.store().commit(&commit).await? {
                Outcome::Done { .. } | Outcome::CursorMoved => return Ok(()),
                Outcome::Stale(place) if is_plan_check::<S, W>(&commit, place) => return Ok(()),
                _ => {}
            }
        }
        Err(Outage(format!("a part gave up after {MAX_EFFECT_ATTEMPTS} tries")).into())
    }

    pub(super) fn origin_of_plan(&self, plan: &Plan) -> Origin {
        match &plan.cause {
            PlanCause::Events(events) => self.origin_of(&events[0]),
            PlanCause::Mark { origin, .. } => Origin { at: self.now(), ..origin.clone() },
        }
    }

    pub(super) fn finish(&self, plan: &Plan, cursor: u64, commit: &mut Commit) {
        match &plan.cause {
            PlanCause::Events(events) => {
                let next = events.last().map_or(cursor, |event| event.sequence);
                commit.cursor = Some(CursorMove { expected: cursor, next });
                if let Some(event) = replayed_event(S::DOMAIN, events) {
                    let set = keys::parked(S::DOMAIN);
                    commit.writes.push(Write::DeleteMember { set, member: event.id() });
                }
            }
            PlanCause::Mark { item, token, .. } => {
                commit.unmark = Some((item.clone(), token.clone()));
            }
        }
    }

    /// The next commit of an unfinished effect; `None` when something else had to go first.
    pub(super) async fn next_of_plan(
        &self,
        gather: &Gather<'_, W>,
        plan: &mut Plan,
    ) -> Result<Option<Decision>, Failure> {
        let parts_key = keys::plan_parts(S::DOMAIN);
        if plan.part < plan.parts {
            let name = plan.part.to_string();
            let read = Read::Members { key: parts_key.clone(), members: vec![name.clone()] };
            let found = gather.fetch(vec![read]).await?;
            let Some(Found::Members(_, members)) = found.into_iter().next() else {
                return Err(Outage("a part is missing".to_owned()).into());
            };
            let json = members.into_iter().flatten().next().unwrap_or_default();
            let mut decision: Decision = serde_json::from_str(&json)
                .map_err(|fault| Outage(format!("a part does not read: {fault}")))?;
            decision.delete_member(parts_key, name);
            advance_part(plan);
            return Ok(Some(decision));
        }
        let PlanCause::Events(events) = &plan.cause else {
            return Err(Outage("a plan for a mark has only parts".to_owned()).into());
        };
        let meant = self.meant(events).await?;
        let cause = Cause {
            events: meant.events(events),
            step: plan.steps.get(plan.step).map(String::as_str),
        };
        match S::react(gather, cause).await? {
            Reaction::Effect(Effect::Done(decision)) => {
                plan.step = plan.step.saturating_add(1);
                Ok(Some(decision))
            }
            Reaction::Effect(Effect::Parts(parts)) => {
                (plan.parts, plan.part) = (parts.len(), 0);
                Ok(Some(stored_parts::<S, W>(parts)))
            }
            Reaction::WorkFirst(item) => {
                self.work_item(&item).await?;
                Ok(None)
            }
            Reaction::Steps(_) => Err(Outage("a step has no steps of its own".to_owned()).into()),
        }
    }
}

pub(super) fn first_plan(batch: &[Event], steps: Vec<String>, parts: usize) -> Plan {
    Plan { cause: PlanCause::Events(batch.to_vec()), steps, step: 0, parts, part: 0 }
}

/// A decision that stores a plan and its parts.
pub(super) fn stored<S: Service<W>, W: World>(plan: &Plan, parts: Vec<Decision>) -> Decision {
    let mut decision = stored_parts::<S, W>(parts);
    decision.put(keys::plan(S::DOMAIN), plan);
    decision
}

fn stored_parts<S: Service<W>, W: World>(parts: Vec<Decision>) -> Decision {
    let mut decision = Decision::default();
    for (number, part) in parts.iter().enumerate() {
        decision.put_member(keys::plan_parts(S::DOMAIN), number.to_string(), part);
    }
    decision
}

fn advance_part(plan: &mut Plan) {
    plan.part = plan.part.saturating_add(1);
    if plan.part >= plan.parts {
        (plan.parts, plan.part) = (0, 0);
        plan.step = plan.step.saturating_add(1);
    }
}

pub(super) fn is_plan<S: Service<W>, W: World>(write: &Write) -> bool {
    matches!(write, Write::Put { key, .. } if *key == keys::plan(S::DOMAIN))
}

pub(super) fn is_plan_check<S: Service<W>, W: World>(commit: &Commit, place: usize) -> bool {
    matches!(
        commit.checks.get(place),
        Some(Check::Record { key, .. }) if *key == keys::plan(S::DOMAIN)
    )
}
