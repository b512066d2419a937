//! The store in memory: the same meaning as Redis, for tests that need no server.
//!
//! Clones share their state. Time stands still until a test moves it; a fault switch makes calls
//! fail before or after they take effect; nudges are kept in a list, for the test to deliver or to
//! lose.

mod commit;
mod tenant;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tradewind_kernel::event::Domain;

use crate::protocol::check;
use crate::store::{Commit, Cut, Outage, Outcome, ReadRequest, Snapshot, Store, TakeUp, Taken};
use tenant::Tenant;

/// What happens to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Nothing special.
    Works,
    /// It fails and did nothing.
    FailsBefore,
    /// It takes effect, and the answer is lost.
    FailsAfter,
}

/// A method of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names of the methods")]
pub enum Call {
    Read,
    Commit,
    Cut,
    TakeUp,
    Release,
    Tenants,
    AddTenant,
    Ping,
}

/// Decides the fate of each call; it is given the call's number, from 1 since it was set.
pub type Faults = Box<dyn FnMut(u64, Call) -> Fate + Send>;

/// A store in memory; clones share it.
#[derive(Clone, Default)]
pub struct MemoryStore {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    now_millis: u64,
    life: u64,
    tenants: BTreeMap<String, Tenant>,
    listed: BTreeSet<String>,
    nudges: Vec<(Domain, String)>,
    calls: u64,
    calls_since_faults: u64,
    faults: Option<Faults>,
    full: bool,
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        formatter
            .debug_struct("MemoryStore")
            .field("now_millis", &state.now_millis)
            .field("tenants", &state.tenants)
            .field("nudges", &state.nudges)
            .finish_non_exhaustive()
    }
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A store of its own with the same contents and no faults: one beginning, many endings.
    #[must_use]
    pub fn fork(&self) -> Self {
        let state = self.state();
        let copy = State {
            now_millis: state.now_millis,
            life: state.life,
            tenants: state.tenants.clone(),
            listed: state.listed.clone(),
            nudges: state.nudges.clone(),
            calls: 0,
            calls_since_faults: 0,
            faults: None,
            full: state.full,
        };
        Self { state: Arc::new(Mutex::new(copy)) }
    }

    /// Falls back to what `earlier`, a fork of this, has, and begins another life: what a restart
    /// from an older file does, or a replica that was behind.
    pub fn fall_back_to(&self, earlier: &Self) {
        let (tenants, listed) = {
            let earlier = earlier.state();
            (earlier.tenants.clone(), earlier.listed.clone())
        };
        let mut state = self.state();
        (state.tenants, state.listed) = (tenants, listed);
        state.life = state.life.saturating_add(1);
    }

    /// Sets the clock by which leases and kept replies end.
    pub fn set_clock(&self, millis: u64) {
        self.state().now_millis = millis;
    }

    /// Moves the clock on.
    pub fn advance(&self, millis: u64) {
        let mut state = self.state();
        state.now_millis = state.now_millis.saturating_add(millis);
    }

    /// Lets this function decide the fate of every call from now on.
    pub fn set_faults(&self, faults: impl FnMut(u64, Call) -> Fate + Send + 'static) {
        let mut state = self.state();
        state.faults = Some(Box::new(faults));
        state.calls_since_faults = 0;
    }

    /// The `n`-th call from now (1 is the next) meets this fate, all others work.
    pub fn fail_nth(&self, n: u64, fate: Fate) {
        self.set_faults(move |number, _| if number == n { fate } else { Fate::Works });
    }

    /// The `n`-th commit from now (1 is the next) meets this fate, all else works.
    pub fn fail_nth_commit(&self, n: u64, fate: Fate) {
        let mut commits = 0_u64;
        self.set_faults(move |_, call| {
            if call == Call::Commit {
                commits = commits.saturating_add(1);
            }
            if call == Call::Commit && commits == n { fate } else { Fate::Works }
        });
    }

    /// Every call meets this fate.
    pub fn fail_always(&self, fate: Fate) {
        self.set_faults(move |_, _| fate);
    }

    /// Memory is nearly full, or is not: only what frees some is committed.
    pub fn set_full(&self, full: bool) {
        self.state().full = full;
    }

    /// Every call works again.
    pub fn heal(&self) {
        self.state().faults = None;
    }

    /// How many calls were made so far.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.state().calls
    }

    /// The nudges published since the last call of this, oldest first.
    #[must_use]
    pub fn take_nudges(&self) -> Vec<(Domain, String)> {
        std::mem::take(&mut self.state().nudges)
    }

    /// All that a tenant has, as text: two stores, or two moments, with the same text are equal.
    #[must_use]
    pub fn contents(&self, tenant: &str) -> String {
        self.state().tenants.get(tenant).map(|tenant| format!("{tenant:#?}")).unwrap_or_default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does `work` unless the fault switch says otherwise.
    fn call<T>(
        &self,
        call: Call,
        work: impl FnOnce(&mut State) -> Result<T, Outage>,
    ) -> Result<T, Outage> {
        let mut state = self.state();
        state.calls = state.calls.saturating_add(1);
        state.calls_since_faults = state.calls_since_faults.saturating_add(1);
        let number = state.calls_since_faults;
        match state.faults.as_mut().map_or(Fate::Works, |faults| faults(number, call)) {
            Fate::Works => work(&mut state),
            Fate::FailsBefore => Err(Outage(format!("{call:?} failed before it took effect"))),
            Fate::FailsAfter => {
                work(&mut state)?;
                Err(Outage(format!("the answer of {call:?} was lost")))
            }
        }
    }
}

impl State {
    fn tenant(&mut self, name: &str) -> Result<&mut Tenant, Outage> {
        check::tenant(name)?;
        let tenant = self.tenants.entry(name.to_owned()).or_default();
        tenant.expire(self.now_millis);
        tenant.life = self.life;
        Ok(tenant)
    }
}

impl Store for MemoryStore {
    async fn read(&self, request: &ReadRequest) -> Result<Snapshot, Outage> {
        self.call(Call::Read, |state| {
            check::read(request)?;
            Ok(state.tenant(&request.tenant)?.read(request))
        })
    }

    async fn commit(&self, commit: &Commit) -> Result<Outcome, Outage> {
        self.call(Call::Commit, |state| {
            check::commit(commit)?;
            if state.full && !commit.frees {
                return Ok(Outcome::Full);
            }
            let now = state.now_millis;
            let (outcome, nudged) = state.tenant(&commit.tenant)?.commit(commit, now)?;
            state.nudges.extend(nudged.into_iter().map(|domain| (domain, commit.tenant.clone())));
            Ok(outcome)
        })
    }

    async fn cut(&self, tenant: &str, domain: Domain, limit: usize) -> Result<Cut, Outage> {
        self.call(Call::Cut, |state| Ok(state.tenant(tenant)?.cut(domain, check::cut_limit(limit))))
    }

    async fn take_up(&self, request: &TakeUp) -> Result<Taken, Outage> {
        self.call(Call::TakeUp, |state| {
            let now = state.now_millis;
            Ok(state.tenant(&request.tenant)?.take_up(request, now))
        })
    }

    async fn release(
        &self,
        tenant: &str,
        domain: Domain,
        owner: &str,
        progress: bool,
    ) -> Result<(), Outage> {
        self.call(Call::Release, |state| {
            state.tenant(tenant)?.release(domain, owner, progress);
            Ok(())
        })
    }

    async fn tenants(&self) -> Result<Vec<String>, Outage> {
        self.call(Call::Tenants, |state| Ok(state.listed.iter().cloned().collect()))
    }

    async fn add_tenant(&self, tenant: &str) -> Result<(), Outage> {
        self.call(Call::AddTenant, |state| {
            check::tenant(tenant)?;
            state.listed.insert(tenant.to_owned());
            Ok(())
        })
    }

    async fn settle(&self) -> Result<(), Outage> {
        Ok(())
    }

    async fn ping(&self) -> Result<(), Outage> {
        self.call(Call::Ping, |_| Ok(()))
    }
}
