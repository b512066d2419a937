//! The audit of refusals: a 403 or a refused approval leaves one event.
//!
//! At most [`MAX_A_MINUTE`] a minute and subject, then they are only counted; the next event that
//! is written says how many it stands for. Every other refusal is logged alone.

use serde::{Deserialize, Serialize};
use tradewind_kernel::decision::Decision;
use tradewind_kernel::event::NewEvent;
use tradewind_kernel::events::system::AccessRefused;
use tradewind_kernel::refusal::Refusal;

use crate::failure::Failure;
use crate::gather::Gather;
use crate::run::Task;
use crate::service::Service;
use crate::store::{Commit, Needs, Outcome, Store};
use crate::world::World;

/// Audit events of refusals that one subject can cause in a minute (contract.md, Roles).
pub const MAX_A_MINUTE: u64 = 100;

/// Tries to count one refusal among concurrent ones.
const ATTEMPTS: u32 = 5;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Tally {
    minute: i64,
    written: u64,
    unwritten: u64,
}

/// Leaves the audit event of a refusal. Failing to write is logged; the caller's answer stands.
pub(crate) async fn refused<S: Service<W>, W: World>(world: &W, task: &Task, refusal: &Refusal) {
    let mut tenant_known = false;
    for attempt in 0..ATTEMPTS {
        let gather = Gather::new(world, &task.tenant, S::DOMAIN, Needs::Nothing, attempt);
        match note::<S, W>(&gather, task, refusal, tenant_known).await {
            Ok(Outcome::Done { .. }) => return,
            Ok(Outcome::NewTenant) => {
                if let Err(outage) = world.store().add_tenant(&task.tenant).await {
                    world.log(&format!("a refusal could not be put into the audit log: {outage}"));
                    return;
                }
                tenant_known = true;
            }
            Ok(_) => {}
            Err(failure) => {
                world.log(&format!("a refusal could not be put into the audit log: {failure}"));
                return;
            }
        }
    }
    world.log("a refusal could not be put into the audit log: too many at once");
}

async fn note<S: Service<W>, W: World>(
    gather: &Gather<'_, W>,
    task: &Task,
    refusal: &Refusal,
    tenant_known: bool,
) -> Result<Outcome, Failure> {
    let set = format!("{}:refusals", S::DOMAIN);
    let subject = if task.origin.by.is_empty() { "?" } else { &task.origin.by };
    let kept = gather.members::<Tally>(set.clone(), vec![subject.to_owned()]).await?;
    let minute = gather.now().millis().div_euclid(60_000);
    let before = kept.into_iter().flatten().next().unwrap_or_default();
    let mut tally = if before.minute == minute {
        before
    } else {
        Tally { minute, written: 0, unwritten: before.unwritten }
    };
    let mut decision = Decision::default();
    if tally.written < MAX_A_MINUTE {
        let (attempt, roles) = task.attempt.clone().unwrap_or_default();
        let code = refusal.code.clone();
        let data = AccessRefused { attempt, code, roles, further: tally.unwritten };
        let kind = format!("{}.access-refused", S::DOMAIN);
        decision.event(NewEvent::named(kind, subject, &data));
        (tally.written, tally.unwritten) = (tally.written.saturating_add(1), 0);
    } else {
        tally.unwritten = tally.unwritten.saturating_add(1);
    }
    decision.put_member(set, subject, &tally);
    let commit = Commit {
        tenant: task.tenant.clone(),
        domain: S::DOMAIN,
        needs: Needs::Nothing,
        idempotency: None,
        checks: gather.witnesses(),
        guards: Vec::new(),
        writes: decision.writes,
        events: decision.events,
        origin: task.origin.clone(),
        cursor: None,
        unmark: None,
        tenant_known,
        frees: false,
    };
    Ok(gather.world().store().commit(&commit).await?)
}
