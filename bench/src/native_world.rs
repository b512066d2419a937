//! The world of the native contender: real clocks, real chance, a store over Redis, nobody to ask.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use tradewind_inventory::Asks;
use tradewind_kernel::Id;
use tradewind_kernel::asks::suppliers::Offer;
use tradewind_kernel::event::Domain;
use tradewind_kernel::time::Instant;
use tradewind_shell::cache::Cache;
use tradewind_shell::store::{
    Commit, Cut, Outage, Outcome, ReadRequest, Snapshot, Store, TakeUp, Taken,
};
use tradewind_shell::world::{Answered, AskError, World};

use crate::clock::wall_millis;

/// Suppliers with no offer for anything: a reserve asks for none.
pub struct NoOffers;

impl Asks for NoOffers {
    async fn offers(&self, _tenant: &str, _sku: &Id) -> Result<Answered<Vec<Offer>>, AskError> {
        Ok(Answered { value: Vec::new(), witnesses: Vec::new(), sequence: 0 })
    }
}

/// Inventory's world outside of wasm.
pub struct NativeWorld<S> {
    store: S,
    asks: NoOffers,
    cache: Rc<Cache>,
}

impl<S> NativeWorld<S> {
    /// A world over this store, for one request of an instance that remembers this.
    pub fn new(store: S, cache: Rc<Cache>) -> Self {
        Self { store, asks: NoOffers, cache }
    }
}

impl<S: Store> World for NativeWorld<S> {
    type Store = S;
    type Asks = NoOffers;

    fn store(&self) -> &S {
        &self.store
    }

    fn asks(&self) -> &NoOffers {
        &self.asks
    }

    fn cache(&self) -> &Cache {
        &self.cache
    }

    fn now(&self) -> Instant {
        Instant::from_millis(wall_millis())
    }

    fn real_seconds(&self) -> i64 {
        wall_millis().div_euclid(1000)
    }

    fn random(&self) -> u128 {
        let mut bytes = [0u8; 16];
        #[allow(clippy::expect_used, reason = "a machine without chance runs no benchmark")]
        getrandom::fill(&mut bytes).expect("random bits");
        u128::from_le_bytes(bytes)
    }

    fn idempotency_seconds(&self) -> u64 {
        7 * 24 * 3600
    }

    async fn pause(&self, millis: u64) {
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }

    fn log(&self, line: &str) {
        #[allow(clippy::print_stderr, reason = "this is the log of the native contender")]
        {
            eprintln!("{line}");
        }
    }
}

/// A store that remembers the last read and the last commit, to be repeated without the rest.
pub struct Recording<S> {
    inner: S,
    /// The last read that was asked for.
    pub read: RefCell<Option<ReadRequest>>,
    /// The last commit.
    pub commit: RefCell<Option<Commit>>,
}

impl<S> Recording<S> {
    /// Records what passes to this store.
    pub fn over(inner: S) -> Self {
        Self { inner, read: RefCell::default(), commit: RefCell::default() }
    }
}

impl<S: Store> Store for Recording<S> {
    async fn read(&self, request: &ReadRequest) -> Result<Snapshot, Outage> {
        *self.read.borrow_mut() = Some(request.clone());
        self.inner.read(request).await
    }

    async fn commit(&self, commit: &Commit) -> Result<Outcome, Outage> {
        *self.commit.borrow_mut() = Some(commit.clone());
        self.inner.commit(commit).await
    }

    async fn cut(&self, tenant: &str, domain: Domain, limit: usize) -> Result<Cut, Outage> {
        self.inner.cut(tenant, domain, limit).await
    }

    async fn take_up(&self, request: &TakeUp) -> Result<Taken, Outage> {
        self.inner.take_up(request).await
    }

    async fn release(
        &self,
        tenant: &str,
        domain: Domain,
        owner: &str,
        progress: bool,
    ) -> Result<(), Outage> {
        self.inner.release(tenant, domain, owner, progress).await
    }

    async fn tenants(&self) -> Result<Vec<String>, Outage> {
        self.inner.tenants().await
    }

    async fn add_tenant(&self, tenant: &str) -> Result<(), Outage> {
        self.inner.add_tenant(tenant).await
    }

    async fn settle(&self) -> Result<(), Outage> {
        self.inner.settle().await
    }

    async fn ping(&self) -> Result<(), Outage> {
        self.inner.ping().await
    }
}
