//! The one way to change state: gather → decide → commit, again when something moved meanwhile.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tradewind_kernel::decision::{Decision, Reply, Write};
use tradewind_kernel::event::Origin;
use tradewind_kernel::refusal::{Refusal, RefusalKind};

use crate::call::Answer;
use crate::catch_up::catch_up;
use crate::failure::Failure;
use crate::gather::{Carried, Gather, Trust};
use crate::service::Service;
use crate::store::{
    Check, Commit, Found, Idempotency, Needs, Outage, Outcome, Read, ReadRequest, Store, keys,
};
use crate::world::World;

/// Tries of one command before the caller is told to come back: enough for sixteen interleaved
/// writers of one record to all get through.
pub const MAX_ATTEMPTS: u32 = 24;

/// How long a request waits for its domain to come up, in seconds: well below what a host allows a
/// request, so that its caller learns why and when to come again.
const PATIENCE_SECONDS: i64 = 8;

/// Tries in which everything is insisted on; see [`Gather::attempt`].
pub const PATIENT_ATTEMPTS: u32 = 6;

/// What is to be done, for whom, and why.
#[derive(Debug, Clone)]
pub struct Task {
    /// The tenant.
    pub tenant: String,
    /// Who, when, why. `origin.correlation` is ours, or one that a caller named.
    pub origin: Origin,
    /// A caller named the correlation: it must be unused, else ours is new and theirs its parent.
    pub named_correlation: bool,
    /// The idempotency key, and the hash of the request.
    pub idempotency: Option<(String, String)>,
    /// What the decision rests on.
    pub needs: Needs,
    /// May go on when the store is full.
    pub frees: bool,
    /// The attempt and the roles, for the audit of a refusal.
    pub attempt: Option<(String, Vec<String>)>,
}

/// A reply as it is kept under an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptReply {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: Value,
    /// The location of what was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// The version of what was answered, when the commit was not what wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// The correlation of the first commit.
    pub correlation: String,
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// The reply, with its version filled in.
    pub reply: KeptReply,
    /// The version of what was answered.
    pub version: u64,
    /// The key had been used by the same request before.
    pub replayed: bool,
}

impl Ran {
    /// What its caller is answered.
    pub(crate) fn answer(self, task: Task) -> Answer {
        let correlation =
            if self.replayed { self.reply.correlation } else { task.origin.correlation };
        Answer {
            status: self.reply.status,
            body: self.reply.body,
            document: None,
            version: Some(self.version).filter(|version| *version > 0),
            location: self.reply.location,
            replayed: self.replayed,
            correlation: Some(correlation),
        }
    }
}

/// Whether a correlation id has the form of ours: callers cannot name those.
#[must_use]
pub fn is_our_correlation(id: &str) -> bool {
    id.starts_with("cor_") && id.len() == 30
}

/// The record that says a caller's correlation id is in use.
fn correlation_key(id: &str) -> String {
    format!("shell:correlation:{id}")
}

/// Runs one command to its end. Its first try may rest on what the instance remembers, and counts
/// as one only when it was committed or met somebody faster.
///
/// # Errors
/// The refusal of the last try, an outage, or an outage when every try met somebody faster.
pub async fn command<S: Service<W>, W: World>(
    world: &W,
    task: &mut Task,
    decide: impl AsyncFn(&Gather<'_, W>) -> Result<Decision, Failure>,
) -> Result<Ran, Failure> {
    let (mut carried, mut trust) = (Carried::default(), Trust::Remembered);
    let mut tenant_known = false;
    let (tenant, begun) = (task.tenant.clone(), world.real_seconds());
    let mut attempt = 0;
    while attempt < MAX_ATTEMPTS {
        let gather = Gather::new(world, &tenant, S::DOMAIN, task.needs.clone(), attempt)
            .trusting(trust)
            .carrying(std::mem::take(&mut carried));
        let decided = decide(&gather).await;
        if gather.is_unconfirmed() && !is_committed(&decided, task) {
            trust = Trust::Fresh;
            continue;
        }
        let remembered = gather.is_unconfirmed();
        let mut decision = match decided {
            Ok(decision) => decision,
            Err(Failure::Behind) => {
                come_up::<S, W>(world, &tenant, attempt, begun).await?;
                attempt = attempt.saturating_add(1);
                continue;
            }
            Err(Failure::Refused(refusal)) => {
                return refuse::<S, W>(world, task, refusal).await;
            }
            Err(outage) => return Err(outage),
        };
        if !is_written(&decision, task) {
            return Ok(unwritten(decision, task));
        }
        let reply = kept_reply(std::mem::take(&mut decision.reply), task);
        let commit = commit_of::<S, W>(world, task, &gather, decision, &reply, tenant_known);
        match world.store().commit(&commit).await? {
            Outcome::Done { version } => {
                world.cache().committed(&commit, version, gather.life());
                let version = reply.version.unwrap_or(version);
                return Ok(Ran { reply: with_version(reply, version), version, replayed: false });
            }
            Outcome::Replayed { version, reply } => return replayed(version, &reply),
            Outcome::KeyReused => return Err(key_reused().into()),
            Outcome::NewTenant => {
                world.store().add_tenant(&tenant).await?;
                tenant_known = true;
            }
            Outcome::Full => return refuse::<S, W>(world, task, store_full()).await,
            Outcome::Behind => come_up::<S, W>(world, &tenant, attempt, begun).await?,
            Outcome::Stale(place) => {
                trust = Trust::Fresh;
                let check = commit.checks.get(place);
                check.into_iter().for_each(|check| world.cache().forget(&tenant, check));
                let clash = clashes(task, check);
                if clash {
                    rename_correlation(world, task);
                } else if remembered {
                    continue;
                } else if attempt > 2 {
                    let spread = u64::try_from(world.random() % 16).unwrap_or(0);
                    world.pause(spread).await;
                }
            }
            Outcome::Guarded(_, counters) => {
                if let Some(life) = gather.life() {
                    world.cache().counted(&tenant, &counters, life);
                }
                carried = gather.carried(counters);
            }
            Outcome::CursorMoved => {
                return Err(Outage("a command has no cursor, and it moved".to_owned()).into());
            }
        }
        attempt = attempt.saturating_add(1);
    }
    Err(Outage(format!("gave up after {MAX_ATTEMPTS} tries")).into())
}

/// Whether a decision writes anything, if only the reply under its key.
fn is_written(decision: &Decision, task: &Task) -> bool {
    !decision.is_empty() || task.idempotency.is_some()
}

/// Whether what was decided goes into a commit, which checks all that it rests on.
fn is_committed(decided: &Result<Decision, Failure>, task: &Task) -> bool {
    decided.as_ref().is_ok_and(|decision| is_written(decision, task))
}

/// Catches up, and waits a little when that did not help. `begun` is when the request began, in
/// seconds of the real clock.
///
/// # Errors
/// [`Failure::Behind`] when that takes longer than a caller is kept waiting: much is being worked,
/// and goes on without the request.
pub(crate) async fn come_up<S: Service<W>, W: World>(
    world: &W,
    tenant: &str,
    attempt: u32,
    begun: i64,
) -> Result<(), Failure> {
    if world.real_seconds().saturating_sub(begun) >= PATIENCE_SECONDS {
        return Err(Failure::Behind);
    }
    let progress = catch_up::<S, W>(world, tenant).await?;
    if !progress && attempt > 0 {
        world.pause(u64::from(attempt.min(10)).saturating_mul(10)).await;
    }
    Ok(())
}

/// Whether what was stale is that the correlation, which the caller named, is unused.
fn clashes(task: &Task, stale: Option<&Check>) -> bool {
    let named = correlation_key(&task.origin.correlation);
    task.named_correlation && matches!(stale, Some(Check::Record { key, .. }) if *key == named)
}

/// Gives a task a correlation of ours; the one that the caller named becomes its parent.
pub(crate) fn rename_correlation<W: World>(world: &W, task: &mut Task) {
    let ours = tradewind_kernel::Id::unique("cor", world.now(), world.random());
    let theirs = std::mem::replace(&mut task.origin.correlation, ours.to_string());
    task.origin.parent = Some(theirs);
    task.named_correlation = false;
}

fn commit_of<S: Service<W>, W: World>(
    world: &W,
    task: &Task,
    gather: &Gather<'_, W>,
    decision: Decision,
    reply: &KeptReply,
    tenant_known: bool,
) -> Commit {
    let mut checks = gather.witnesses();
    let mut writes = decision.writes;
    let writes_something = !writes.is_empty() || !decision.events.is_empty();
    if task.named_correlation && writes_something {
        let key = correlation_key(&task.origin.correlation);
        checks.push(Check::Record { key: key.clone(), version: 0 });
        writes.push(Write::Put { key, value: "1".to_owned() });
    }
    let idempotency = task.idempotency.as_ref().map(|(key, request)| Idempotency {
        key: key.clone(),
        request: request.clone(),
        keep_seconds: world.idempotency_seconds(),
        reply: tradewind_kernel::decision::json(reply),
    });
    Commit {
        tenant: task.tenant.clone(),
        domain: S::DOMAIN,
        needs: task.needs.clone(),
        idempotency,
        checks,
        guards: decision.guards,
        writes,
        events: decision.events,
        origin: Origin { at: gather.now(), ..task.origin.clone() },
        cursor: None,
        unmark: None,
        tenant_known,
        frees: task.frees,
    }
}

fn kept_reply(reply: Reply, task: &Task) -> KeptReply {
    KeptReply {
        status: if reply.status == 0 { 200 } else { reply.status },
        body: reply.body,
        location: reply.location,
        version: reply.version,
        correlation: task.origin.correlation.clone(),
    }
}

fn unwritten(decision: Decision, task: &Task) -> Ran {
    let reply = kept_reply(decision.reply, task);
    let version = reply.version.unwrap_or(0);
    Ran { reply: with_version(reply, version), version, replayed: false }
}

fn with_version(mut reply: KeptReply, version: u64) -> KeptReply {
    if let Some(place) = reply.body.get_mut("version") {
        *place = Value::String(version.to_string());
    }
    reply
}

fn replayed(version: u64, reply: &str) -> Result<Ran, Failure> {
    let reply: KeptReply = serde_json::from_str(reply)
        .map_err(|fault| Outage(format!("a kept reply does not read: {fault}")))?;
    let version = reply.version.unwrap_or(version);
    Ok(Ran { reply: with_version(reply, version), version, replayed: true })
}

fn store_full() -> Refusal {
    let detail = "memory is nearly full, and what is left is kept for what frees some; the same \
                  request can be repeated later";
    Refusal::new(RefusalKind::Unavailable, "store-full", detail)
}

fn key_reused() -> Refusal {
    Refusal::conflict(
        "idempotency-key-reused",
        "this Idempotency-Key was used for another request; take a new key",
    )
}

/// How this very request ended when it was granted before under its key; None without a key, and
/// when the key is new.
///
/// # Errors
/// 409 when the key was used for another request; outages.
pub(crate) async fn granted<S: Service<W>, W: World>(
    world: &W,
    task: &Task,
) -> Result<Option<Ran>, Failure> {
    let Some((key, request)) = &task.idempotency else { return Ok(None) };
    let read = ReadRequest {
        tenant: task.tenant.clone(),
        domain: S::DOMAIN,
        needs: Needs::Nothing,
        reads: vec![Read::Record { key: keys::idempotency(key) }],
    };
    let snapshot = world.store().read(&read).await?;
    let Some(Found::Record(Some(kept))) = snapshot.found.first() else { return Ok(None) };
    let (hash, reply) = kept.json.split_once('\n').unwrap_or(("", &kept.json));
    if hash != request {
        return Err(key_reused().into());
    }
    world.store().settle().await?;
    replayed(kept.version, reply).map(Some)
}

/// A refusal: unless the same request has already been granted under its key, it stands. An
/// audited one leaves an event.
pub(crate) async fn refuse<S: Service<W>, W: World>(
    world: &W,
    task: &mut Task,
    refusal: Refusal,
) -> Result<Ran, Failure> {
    if let Some(ran) = granted::<S, W>(world, task).await? {
        return Ok(ran);
    }
    if refusal.audited && refusal.kind != RefusalKind::Unauthenticated {
        crate::audit::refused::<S, W>(world, task, &refusal).await;
    }
    Err(refusal.into())
}
