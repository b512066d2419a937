//! The seam: the store as a simulated instance sees it.
//!
//! Every call lets others go first, takes effect at one moment, and lets others go again before the
//! answer arrives. So whoever drives the futures decides how requests interleave, and an instance
//! that vanishes does so before or after an effect. What was committed is noted for the model.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::task::Poll;

use tradewind_kernel::event::Domain;
use tradewind_shell::cache::Cache;
use tradewind_shell::memory::MemoryStore;
use tradewind_shell::store::{
    Commit, Cut, Outage, Outcome, Read, ReadRequest, Snapshot, Store, TakeUp, Taken,
};

use super::command::Label;
use super::planted::Planted;
use crate::chance::Chance;

/// What goes wrong with the store while a step runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trouble {
    /// Of a thousand calls, so many fail without an effect.
    pub fail_before: u64,
    /// Of a thousand calls, so many take effect and their answer is lost.
    pub fail_after: u64,
}

impl Trouble {
    /// Whether a call can fail.
    #[must_use]
    pub fn fails(&self) -> bool {
        self.fail_before > 0 || self.fail_after > 0
    }
}

/// A commit that took effect.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The commit, as the product meant it.
    pub commit: Commit,
    /// Its version.
    pub version: u64,
    /// Whose request it was part of; none for nudges and ticks.
    pub by: Option<Label>,
    /// Whether no other commit of its domain came since it read counters: figures that it tells,
    /// and that no guard protects, are then those of its own moment.
    pub exact: bool,
}

#[derive(Debug)]
struct State {
    chance: Chance,
    trouble: Trouble,
    seen: Vec<Seen>,
    memories: BTreeMap<u8, Rc<Cache>>,
    commits: BTreeMap<u8, u64>,
    by_domain: BTreeMap<Domain, u64>,
    poison: Option<Domain>,
    planted: Option<Planted>,
}

/// One store, shared by all instances, and what the simulation does to it.
#[derive(Debug)]
pub struct Hub {
    /// The store itself: reading it here disturbs nothing.
    pub inner: MemoryStore,
    state: RefCell<State>,
    calls: Cell<u64>,
    clock: Cell<u64>,
}

impl Hub {
    /// An empty store; `planted` is a fault that it has from now on.
    #[must_use]
    pub fn new(planted: Option<Planted>) -> Rc<Self> {
        Self::over(MemoryStore::new(), planted, 0)
    }

    fn over(inner: MemoryStore, planted: Option<Planted>, clock: u64) -> Rc<Self> {
        let (chance, trouble) = (Chance::new(0), Trouble::default());
        let (seen, memories, poison) = (Vec::new(), BTreeMap::new(), None);
        let (commits, by_domain) = (BTreeMap::new(), BTreeMap::new());
        let state = State { chance, trouble, seen, memories, commits, by_domain, poison, planted };
        let state = RefCell::new(state);
        Rc::new(Self { inner, state, calls: Cell::new(0), clock: Cell::new(clock) })
    }

    /// The same contents, shared with nobody; `planted` is their fault.
    #[must_use]
    pub fn fork(&self, planted: Option<Planted>) -> Rc<Self> {
        Self::over(self.inner.fork(), planted, self.clock.get())
    }

    /// Time passes for the store: leases and kept replies end by it.
    pub fn wait(&self, millis: u64) {
        self.clock.set(self.clock.get().saturating_add(millis));
        self.inner.advance(millis);
    }

    /// The store's clock, in milliseconds.
    #[must_use]
    pub fn clock(&self) -> u64 {
        self.clock.get()
    }

    /// The fault that it has.
    #[must_use]
    pub fn planted(&self) -> Option<Planted> {
        self.state.borrow().planted
    }

    /// From now on no effect of this domain can be committed: whoever tries one crashes.
    pub fn set_poison(&self, poison: Option<Domain>) {
        self.state.borrow_mut().poison = poison;
    }

    /// From now on this goes wrong, as the seed decides.
    pub fn set_trouble(&self, trouble: Trouble, seed: u64) {
        let mut state = self.state.borrow_mut();
        (state.trouble, state.chance) = (trouble, Chance::new(seed));
    }

    /// The commits since the last call of this, oldest first.
    pub fn take_seen(&self) -> Vec<Seen> {
        std::mem::take(&mut self.state.borrow_mut().seen)
    }

    /// What an instance remembers: all its tasks share it, and no other instance does.
    #[must_use]
    pub fn memory(&self, instance: u8) -> Rc<Cache> {
        Rc::clone(self.state.borrow_mut().memories.entry(instance).or_default())
    }

    /// Commits of an instance so far.
    #[must_use]
    pub fn commits(&self, instance: u8) -> u64 {
        self.state.borrow().commits.get(&instance).copied().unwrap_or(0)
    }

    /// An instance has vanished, and its memory with it.
    pub fn forget(&self, instance: u8) {
        self.state.borrow_mut().memories.remove(&instance);
    }

    /// Calls of the store so far.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.calls.get()
    }

    /// Commits of a domain so far.
    fn commits_of(&self, domain: Domain) -> u64 {
        self.state.borrow().by_domain.get(&domain).copied().unwrap_or(0)
    }

    fn draw(&self, of: u64) -> u64 {
        self.state.borrow_mut().chance.below(of)
    }

    /// Whether this call fails before and after its effect.
    fn fate(&self) -> (bool, bool) {
        let (before, after) = {
            let state = self.state.borrow();
            (state.trouble.fail_before, state.trouble.fail_after)
        };
        if before == 0 && after == 0 {
            return (false, false);
        }
        let drawn = self.draw(1000);
        (drawn < before, (before..before.saturating_add(after)).contains(&drawn))
    }

    fn poisoned(&self, commit: &Commit) -> bool {
        let poison = self.state.borrow().poison;
        let parks = commit.events.iter().any(|event| event.kind.ends_with(".event-parked"));
        poison == Some(commit.domain) && commit.idempotency.is_none() && !parks
    }
}

/// The store in the hands of one task of an instance.
#[derive(Debug, Clone)]
pub struct SimStore {
    hub: Rc<Hub>,
    instance: u8,
    by: Option<Label>,
    /// The hash of the request, as the product makes it.
    request: Rc<str>,
    /// Records and sets that the task has read here: of all others it knows from memory alone.
    read: Rc<RefCell<BTreeSet<String>>>,
    /// How many commits its domain had when the task first read counters for its next commit.
    counted: Rc<Cell<Option<u64>>>,
}

impl SimStore {
    /// The store for one task.
    #[must_use]
    pub fn new(hub: &Rc<Hub>, instance: u8, by: Option<Label>) -> Self {
        let (request, read, counted) = (Rc::from(""), Rc::default(), Rc::default());
        Self { hub: Rc::clone(hub), instance, by, request, read, counted }
    }

    /// The same store for a request with this hash.
    #[must_use]
    pub fn asked(self, request: &str) -> Self {
        Self { request: Rc::from(request), ..self }
    }

    /// Time passes.
    pub fn wait(&self, millis: u64) {
        self.hub.wait(millis);
    }

    async fn call<T>(
        &self,
        what: &str,
        work: impl AsyncFnOnce(&MemoryStore) -> Result<T, Outage>,
    ) -> Result<T, Outage> {
        turn().await;
        self.hub.calls.set(self.hub.calls.get().saturating_add(1));
        let (before, after) = self.hub.fate();
        if before {
            return Err(Outage(format!("simulated: {what} failed before it took effect")));
        }
        let done = work(&self.hub.inner).await?;
        turn().await;
        if after {
            return Err(Outage(format!("simulated: the answer of {what} was lost")));
        }
        Ok(done)
    }

    fn note(&self, request: &ReadRequest) {
        let keys = request.reads.iter().filter_map(|read| match read {
            Read::Record { key } | Read::Set { key } | Read::Members { key, .. } => Some(key),
            _ => None,
        });
        self.read.borrow_mut().extend(keys.cloned());
        let counts = |read: &Read| matches!(read, Read::Counters { .. });
        if self.counted.get().is_none() && request.reads.iter().any(counts) {
            self.counted.set(Some(self.hub.commits_of(request.domain)));
        }
    }
}

/// Lets somebody else go.
pub async fn turn() {
    let mut gone = false;
    std::future::poll_fn(|_| {
        if std::mem::replace(&mut gone, true) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

impl Store for SimStore {
    async fn read(&self, request: &ReadRequest) -> Result<Snapshot, Outage> {
        self.call("a read", async |store: &MemoryStore| {
            let mut snapshot = store.read(request).await?;
            self.note(request);
            let planted = self.hub.state.borrow().planted;
            if let Some(planted) = planted {
                planted.twist_read(request, &mut snapshot);
                if let Some(commit) = planted.refusal(request, &snapshot, &self.request) {
                    store.commit(&commit).await?;
                }
            }
            Ok(snapshot)
        })
        .await
    }

    async fn commit(&self, commit: &Commit) -> Result<Outcome, Outage> {
        if self.hub.poisoned(commit) {
            turn().await;
            return Err(Outage("simulated: whoever tries this crashes".to_owned()));
        }
        let planted = self.hub.state.borrow().planted;
        let twisted = match planted {
            Some(planted) => planted.twist(commit, &self.read.borrow(), self.hub.draw(8)),
            None => vec![commit.clone()],
        };
        let mut outcome = Err(Outage("simulated: no commit".to_owned()));
        for one in &twisted {
            outcome = self
                .call("a commit", async |store: &MemoryStore| {
                    let outcome = store.commit(one).await?;
                    if let Outcome::Done { version } = outcome {
                        let idempotency = commit.idempotency.clone();
                        let commit = Commit { idempotency, ..one.clone() };
                        let exact = self.counted.get() == Some(self.hub.commits_of(one.domain));
                        let domain = one.domain;
                        let seen = Seen { commit, version, by: self.by, exact };
                        let mut state = self.hub.state.borrow_mut();
                        state.seen.push(seen);
                        *state.by_domain.entry(domain).or_default() += 1;
                        *state.commits.entry(self.instance).or_default() += 1;
                    }
                    Ok(outcome)
                })
                .await;
            if !matches!(outcome, Ok(Outcome::Done { .. })) {
                break;
            }
        }
        self.counted.set(None);
        outcome
    }

    async fn cut(&self, tenant: &str, domain: Domain, limit: usize) -> Result<Cut, Outage> {
        self.call("a cut", async |store: &MemoryStore| store.cut(tenant, domain, limit).await).await
    }

    async fn take_up(&self, request: &TakeUp) -> Result<Taken, Outage> {
        self.call("a taking up", async |store: &MemoryStore| store.take_up(request).await).await
    }

    async fn release(
        &self,
        tenant: &str,
        domain: Domain,
        owner: &str,
        progress: bool,
    ) -> Result<(), Outage> {
        let work = async |store: &MemoryStore| store.release(tenant, domain, owner, progress).await;
        self.call("a release", work).await
    }

    async fn tenants(&self) -> Result<Vec<String>, Outage> {
        self.call("a list", async |store: &MemoryStore| store.tenants().await).await
    }

    async fn add_tenant(&self, tenant: &str) -> Result<(), Outage> {
        self.call("a listing", async |store: &MemoryStore| store.add_tenant(tenant).await).await
    }

    async fn settle(&self) -> Result<(), Outage> {
        self.hub.inner.settle().await
    }

    async fn ping(&self) -> Result<(), Outage> {
        self.call("a ping", async |store: &MemoryStore| store.ping().await).await
    }
}
