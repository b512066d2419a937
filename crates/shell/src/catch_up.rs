//! Reacting: events of other domains become effects here, each once, in order.
//!
//! The cursor moves in the same commit as the effect, so whatever crashes, each event takes effect
//! once; correctness rests on that alone. A large effect keeps its position beside the cursor. An
//! event that cannot be processed is parked: the cursor moves on and an exception opens.

mod marks;
mod merge;
mod parking;
mod plan;
mod replay;

use std::cell::Cell;

use tradewind_kernel::Instant;
use tradewind_kernel::decision::{Decision, Write};
use tradewind_kernel::event::{Event, Origin};

use self::plan::{Plan, first_plan, is_plan, stored};
use self::replay::Meant;
use crate::failure::Failure;
use crate::gather::Gather;
use crate::gather::parse::parse_json;
use crate::service::{Cause, Effect, Reaction, Service};
use crate::store::{
    Commit, CursorMove, Lease, MarkState, Needs, Outage, Outcome, Store, TakeUp, Taken, Waiting,
    keys,
};
use crate::world::World;

/// Events read in one cut: enough for a busy second, small enough to hold in memory.
const CUT_LIMIT: usize = 128;

/// Events without interest after which the cursor is moved over them. Moving it costs a commit, so
/// it is not done for each; leaving them would let every cut look at them again.
const SKIP_GAP: u64 = 512;

/// Marks worked before events are looked for again.
const MARK_LIMIT: usize = 16;

/// How long a lease lasts if its holder vanishes: requests wait for it after a crash, so it is
/// short; it is renewed before every round, and working without it would only be done twice in
/// vain.
const LEASE_MILLIS: u64 = 1_200;

/// Waits for somebody else's lease before giving up for now.
const LEASE_WAITS: u32 = 20;

/// How long one such wait is.
const LEASE_WAIT_MILLIS: u64 = 15;

/// Rounds of one catching up before the lease is given to others and taken anew.
const MAX_ROUNDS: usize = 64;

/// How long one catching up goes on, in seconds of the real clock: a request waits for it, so what
/// is left is taken up by the next one, or by nobody's request.
const RUN_SECONDS: i64 = 3;

/// Leases without progress, over [`MIN_TRIED_FOR`] at least, after which the first event is parked:
/// a host that is killed in a loop must not park a good event, nor a poisonous one stop a domain.
const MAX_TRIES: u64 = 10;

/// Milliseconds: whoever restarts a host in a loop has backed off to minutes by then.
const MIN_TRIED_FOR: u64 = 120_000;

/// Tries of one effect against concurrent commits.
const MAX_EFFECT_ATTEMPTS: u32 = 16;

/// The longest pause between two tries to work one item; all of them stay within a lease.
const WORK_PAUSE_MILLIS: u64 = 64;

/// The pause before items are worked that were worked a moment ago and are marked again: what comes
/// together meanwhile is worked together. Whoever needs them worked sooner does not wait for it.
const AGAIN_PAUSE_MILLIS: u64 = 10;

/// Tries after which an item that is marked again and again is not worked first any more.
pub const PATIENT_WORK_FIRST: u32 = 6;

/// What one piece of work did.
enum Worked {
    /// It is done.
    Done,
    /// Somebody else has moved on; look again.
    Elsewhere,
}

/// Reacts to everything that waits, and works every mark; gives back whether anything was done.
/// Somebody else's lease is waited for a little.
///
/// A reaction whose ask finds another domain behind stops here for now; that is no error.
///
/// # Errors
/// Outages.
pub async fn catch_up<S: Service<W>, W: World>(world: &W, tenant: &str) -> Result<bool, Failure> {
    Ok(pursue::<S, W>(world, tenant, Pace::Swift).await?.progress)
}

/// How far catching up came.
pub(crate) struct Pursued {
    /// Whether anything was done.
    pub(crate) progress: bool,
    /// Whether nothing waited in the end.
    pub(crate) is_up: bool,
}

/// Whether items that are marked again and again are worked at once.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// Somebody waits for it.
    Swift,
    /// Nobody waits: a little later costs less.
    Calm,
}

/// As [`catch_up`], telling whether anything is left.
pub(crate) async fn pursue<S: Service<W>, W: World>(
    world: &W,
    tenant: &str,
    pace: Pace,
) -> Result<Pursued, Failure> {
    let request = TakeUp {
        tenant: tenant.to_owned(),
        domain: S::DOMAIN,
        owner: format!("{:032x}", world.random()),
        millis: LEASE_MILLIS,
        events: CUT_LIMIT,
        marks: if S::WORKS_MARKS { MARK_LIMIT } else { 0 },
        gap: SKIP_GAP,
    };
    for waits in 0..LEASE_WAITS {
        match world.store().take_up(&request).await? {
            Taken::Idle => return Ok(Pursued { progress: waits > 0, is_up: true }),
            Taken::Waiting(waiting) => {
                let service = std::marker::PhantomData;
                let begun = world.real_seconds();
                let seen = Cell::new(world.now());
                let engine = Engine::<S, W> { world, tenant, request, pace, begun, seen, service };
                return engine.run(waiting).await;
            }
            Taken::Held => world.pause(LEASE_WAIT_MILLIS).await,
        }
    }
    Ok(Pursued { progress: false, is_up: false })
}

struct Engine<'w, S, W> {
    world: &'w W,
    tenant: &'w str,
    /// What it asks for, round by round.
    request: TakeUp,
    pace: Pace,
    /// When it began, in seconds of the real clock.
    begun: i64,
    /// The latest moment that it has read of.
    seen: Cell<Instant>,
    service: std::marker::PhantomData<S>,
}

impl<S: Service<W>, W: World> Engine<'_, S, W> {
    /// Works what waits until nothing does, somebody else goes on, or the time is up.
    async fn run(&self, first: Box<Waiting>) -> Result<Pursued, Failure> {
        let (store, lease) = (self.world.store(), first.lease);
        let mut progress = false;
        let mut next = Ok(Taken::Waiting(first));
        let mut rounds = 0;
        let mut last = Vec::new();
        let worked = loop {
            let waiting = match next {
                Ok(Taken::Waiting(waiting)) => waiting,
                Ok(Taken::Idle) => return Ok(Pursued { progress, is_up: true }),
                // It lapsed and somebody else goes on; the cursor keeps us apart.
                Ok(Taken::Held) => break Ok(()),
                Err(outage) => break Err(Failure::from(outage)),
            };
            if rounds == MAX_ROUNDS || (rounds > 0 && self.is_over()) {
                break Ok(());
            }
            rounds += 1;
            last = self.let_gather(&waiting, &last).await;
            if let Err(failure) = self.round(lease, *waiting, &mut progress).await {
                break Err(failure);
            }
            next = store.take_up(&self.request).await;
        };
        // Only what crashes or fails counts as a try in vain; having nothing to do does not.
        let sound = progress || matches!(worked, Ok(()) | Err(Failure::Behind));
        store.release(self.tenant, S::DOMAIN, &self.request.owner, sound).await?;
        match worked {
            Ok(()) | Err(Failure::Behind) => Ok(Pursued { progress, is_up: false }),
            Err(failure) => Err(failure),
        }
    }

    fn is_over(&self) -> bool {
        self.world.real_seconds().saturating_sub(self.begun) >= RUN_SECONDS
    }

    /// One round.
    async fn round(
        &self,
        lease: Lease,
        waiting: Waiting,
        progress: &mut bool,
    ) -> Result<(), Failure> {
        let Waiting { cut, plan, marked, skips, .. } = waiting;
        self.see(&cut.events);
        let vain = lease.tries > MAX_TRIES && lease.tried_for >= MIN_TRIED_FOR;
        let suspect = vain && !*progress;
        if let Some(kept) = plan {
            let plan: Plan = parse_json(&keys::plan(S::DOMAIN), &kept.json)?;
            self.continue_plan(plan, kept.version, cut.cursor, suspect).await?;
            *progress = true;
            return Ok(());
        }
        if cut.events.is_empty() {
            if skips {
                self.skip(cut.cursor, cut.complete_to).await?;
            }
            return self.work_marks(&marked, progress).await;
        }
        let mut cursor = cut.cursor;
        let mut rest = cut.events.as_slice();
        while !rest.is_empty() {
            // What failed before is tried one by one, so that the event at fault is found.
            if (lease.tries <= 1 || *progress)
                && let Some(taken) = self.merge(rest, cursor).await?
            {
                *progress = true;
                let (done, after) = rest.split_at(taken);
                (cursor, rest) = (done.last().map_or(cursor, |event| event.sequence), after);
                continue;
            }
            let (batch, after) = rest.split_at(S::BATCH.clamp(1, rest.len()));
            rest = after;
            let last = batch.last().map_or(cursor, |event| event.sequence);
            let poison = suspect && !*progress;
            let worked = if poison {
                self.park(batch, cursor, "it was tried in vain several times", &[]).await?
            } else {
                self.react(batch, cursor).await?
            };
            *progress = true;
            match worked {
                Worked::Done if !self.is_over() => cursor = last,
                Worked::Done | Worked::Elsewhere => break,
            }
        }
        Ok(())
    }

    async fn plan(&self) -> Result<Option<(Plan, u64)>, Failure> {
        let gather = self.gather(0);
        let kept = gather.record::<Plan>(keys::plan(S::DOMAIN)).await?;
        Ok(kept.map(|kept| (kept.value, kept.version)))
    }

    fn gather(&self, attempt: u32) -> Gather<'_, W> {
        Gather::new(self.world, self.tenant, S::DOMAIN, Needs::Nothing, attempt)
            .not_before(self.now())
    }

    /// Notes when these events happened: no effect comes before its cause, whatever the clock of
    /// this instance says. A new day would otherwise be taken for the old one by an instance whose
    /// clock is a moment behind.
    fn see(&self, events: &[Event]) {
        let latest = events.iter().map(|event| event.origin.at).max();
        self.seen.set(latest.map_or(self.seen.get(), |latest| latest.max(self.seen.get())));
    }

    fn now(&self) -> Instant {
        self.world.now().max(self.seen.get())
    }

    /// Nothing of interest up to `next`: only the cursor moves.
    async fn skip(&self, cursor: u64, next: u64) -> Result<(), Failure> {
        let origin = self.system_origin();
        let mut commit = self.commit(&self.gather(0), Decision::default(), origin);
        commit.cursor = Some(CursorMove { expected: cursor, next });
        self.world.store().commit(&commit).await?;
        Ok(())
    }

    fn system_origin(&self) -> Origin {
        let now = self.now();
        let correlation = tradewind_kernel::Id::unique("cor", now, self.world.random()).to_string();
        let (by, reason, parent, causation) = ("system".to_owned(), None, None, None);
        Origin { at: now, by, reason, correlation, parent, causation }
    }

    fn origin_of(&self, event: &Event) -> Origin {
        Origin {
            correlation: event.origin.correlation.clone(),
            causation: Some(event.id()),
            ..self.system_origin()
        }
    }

    /// One commit for several marks has a correlation of its own and names theirs; for a single
    /// cause it is that cause's.
    fn origin_of_mark(&self, mark: &MarkState) -> Origin {
        let own = self.system_origin();
        match mark.causes.as_slice() {
            [only] => Origin {
                correlation: only.correlation.clone(),
                causation: Some(only.event.clone()).filter(|event| !event.is_empty()),
                ..own
            },
            many => {
                let names: Vec<&str> =
                    many.iter().map(|cause| cause.correlation.as_str()).collect();
                Origin { parent: Some(names.join(" ")), ..own }
            }
        }
    }

    fn commit(&self, gather: &Gather<'_, W>, decision: Decision, origin: Origin) -> Commit {
        Commit {
            tenant: self.tenant.to_owned(),
            domain: S::DOMAIN,
            needs: Needs::Nothing,
            idempotency: None,
            checks: gather.witnesses(),
            guards: decision.guards,
            writes: decision.writes,
            events: decision.events,
            origin,
            cursor: None,
            unmark: None,
            tenant_known: true,
            frees: true,
        }
    }

    /// Reacts to a batch of events whose cursor stands at `cursor`.
    async fn react(&self, batch: &[Event], cursor: u64) -> Result<Worked, Failure> {
        let meant = self.meant(batch).await?;
        let events = meant.events(batch);
        let last = batch.last().map_or(cursor, |event| event.sequence);
        for attempt in 0..MAX_EFFECT_ATTEMPTS {
            let gather = self.gather(attempt);
            let reaction = match events {
                [] => Ok(Decision::default().into()),
                _ => S::react(&gather, Cause { events, step: None }).await,
            };
            let mut commit = match reaction {
                Ok(Reaction::WorkFirst(item)) => {
                    self.work_item(&item).await?;
                    continue;
                }
                Ok(Reaction::Effect(Effect::Done(decision))) => {
                    self.commit(&gather, decision, self.origin_of(&batch[0]))
                }
                Ok(Reaction::Effect(Effect::Parts(parts))) => {
                    let plan = first_plan(batch, vec![String::new()], parts.len());
                    let decision = stored::<S, W>(&plan, parts);
                    self.commit(&gather, decision, self.origin_of(&batch[0]))
                }
                Ok(Reaction::Steps(steps)) => {
                    let plan = first_plan(batch, steps, 0);
                    let decision = stored::<S, W>(&plan, Vec::new());
                    self.commit(&gather, decision, self.origin_of(&batch[0]))
                }
                Err(Failure::Refused(refusal)) => {
                    return self.park_refused(batch, cursor, &refusal).await;
                }
                Err(failure) => return Err(failure),
            };
            let planned = commit.writes.iter().any(|write| is_plan::<S, W>(write));
            let next = if planned { cursor } else { last };
            commit.cursor = Some(CursorMove { expected: cursor, next });
            if let (Meant::Replay(_, id), false) = (&meant, planned) {
                let (set, member) = (keys::parked(S::DOMAIN), id.clone());
                commit.writes.push(Write::DeleteMember { set, member });
            }
            match self.world.store().commit(&commit).await? {
                Outcome::Done { .. } if planned => return Ok(Worked::Elsewhere),
                Outcome::Done { .. } => return Ok(Worked::Done),
                Outcome::CursorMoved => return Ok(Worked::Elsewhere),
                _ => {}
            }
        }
        Err(Outage(format!("an effect gave up after {MAX_EFFECT_ATTEMPTS} tries")).into())
    }
}
