//! The product in this process: six domains, one in-memory store, asks answered directly.
//!
//! After each request every nudge is delivered until none is left, as the real host does by itself.

use std::rc::Rc;

use anyhow::{Result, bail};
use futures::executor::block_on;
use tradewind_finance::Finance;
use tradewind_inventory::Inventory;
use tradewind_kernel::asks::finance::Outlook;
use tradewind_kernel::asks::inventory::{Network, Position, Trial, TrialChange};
use tradewind_kernel::asks::suppliers::{Commitment, Offer, Standing};
use tradewind_kernel::event::Domain;
use tradewind_kernel::{Id, Instant};
use tradewind_planning::Planning;
use tradewind_procurement::Procurement;
use tradewind_reporting::Reporting;
use tradewind_shell::auth::Caller;
use tradewind_shell::cache::Cache;
use tradewind_shell::failure::Failure;
use tradewind_shell::http::{Request, Response};
use tradewind_shell::local::LocalWorld;
use tradewind_shell::memory::MemoryStore;
use tradewind_shell::route::Role;
use tradewind_shell::serve::{nudged, serve};
use tradewind_shell::store::{Outage, Store};
use tradewind_shell::world::{Answered, AskError, World};
use tradewind_suppliers::Suppliers;

use crate::driver::{Driver, Got, Sender, Sent};

/// Instances that answer in turn: with two, one has always missed something.
const INSTANCES: usize = 2;

/// The asks of every domain, answered by calling the provider on the same store.
#[derive(Clone)]
pub struct Direct<S> {
    store: S,
    now: Instant,
}

type Provider<S> = LocalWorld<S, Direct<S>>;

impl<S: Store + Clone> Direct<S> {
    /// Asks answered on this store, at this moment.
    #[must_use]
    pub fn new(store: S, now: Instant) -> Self {
        Self { store, now }
    }

    fn provider(&self) -> Provider<S> {
        LocalWorld::new(self.store.clone(), self.clone(), self.now, 1)
    }
}

impl<S: Store + Clone> tradewind_procurement::asks::Asks for Direct<S> {
    async fn standing(&self, tenant: &str, supplier: &str) -> Result<Answered<Standing>, AskError> {
        tradewind_suppliers::queries::standing(&self.provider(), tenant, supplier).await
    }
}

impl<S: Store + Clone> tradewind_inventory::asks::Asks for Direct<S> {
    async fn offers(&self, tenant: &str, sku: &Id) -> Result<Answered<Vec<Offer>>, AskError> {
        tradewind_suppliers::queries::offers(&self.provider(), tenant, sku.as_str()).await
    }
}

impl<S: Store + Clone> tradewind_planning::asks::Asks for Direct<S> {
    async fn offers(&self, tenant: &str, sku: &str) -> Result<Answered<Vec<Offer>>, AskError> {
        tradewind_suppliers::queries::offers(&self.provider(), tenant, sku).await
    }

    async fn commitment(
        &self,
        tenant: &str,
        supplier: &str,
    ) -> Result<Answered<Commitment>, AskError> {
        tradewind_suppliers::queries::commitment(&self.provider(), tenant, supplier).await
    }

    async fn trial(
        &self,
        tenant: &str,
        sku: &str,
        changes: &[TrialChange],
        up_to: u64,
    ) -> Result<Answered<Trial>, AskError> {
        let sku: Id = sku.parse().map_err(|_| {
            AskError::Refused("id-malformed".to_owned(), format!("`{sku}` is no id"))
        })?;
        tradewind_inventory::queries::trial(&self.provider(), tenant, &sku, changes, Some(up_to))
            .await
    }

    async fn network(&self, tenant: &str) -> Result<Answered<Network>, AskError> {
        tradewind_inventory::queries::network(&self.provider(), tenant).await
    }

    async fn positions(
        &self,
        tenant: &str,
        skus: &[Id],
        up_to: u64,
    ) -> Result<Answered<Vec<Position>>, AskError> {
        tradewind_inventory::queries::positions(&self.provider(), tenant, skus, Some(up_to)).await
    }

    async fn outlook(
        &self,
        tenant: &str,
        weeks: u32,
        up_to: u64,
    ) -> Result<Answered<Outlook>, AskError> {
        tradewind_finance::queries::outlook(&self.provider(), tenant, weeks, Some(up_to)).await
    }
}

/// A moment of the product, from which many endings can begin, on other threads as well: instances
/// belong to a thread, so they are not part of it.
pub struct Moment {
    store: MemoryStore,
    now: Instant,
    seed: u128,
}

impl Moment {
    /// The product at this moment, sharing nothing with any other; its store has no faults, and its
    /// instances remember nothing.
    #[must_use]
    pub fn begin(&self) -> Native {
        let (store, caches) = (self.store.fork(), Default::default());
        Native { store, now: self.now, seed: self.seed, caches }
    }
}

/// Answers a request in any world in which the domains run.
pub async fn answered<W: World>(
    world: &W,
    domain: Domain,
    request: &Request,
    caller: Caller,
) -> Response
where
    W::Asks: tradewind_procurement::asks::Asks
        + tradewind_inventory::asks::Asks
        + tradewind_planning::asks::Asks,
{
    let caller = Ok(caller);
    match domain {
        Domain::Suppliers => serve::<Suppliers, _>(world, request, caller).await,
        Domain::Procurement => serve::<Procurement, _>(world, request, caller).await,
        Domain::Inventory => serve::<Inventory, _>(world, request, caller).await,
        Domain::Planning => serve::<Planning, _>(world, request, caller).await,
        Domain::Finance => serve::<Finance, _>(world, request, caller).await,
        Domain::Reporting => serve::<Reporting, _>(world, request, caller).await,
    }
}

/// Delivers a nudge in any world in which the domains run.
///
/// # Errors
/// The domain cannot catch up.
pub async fn nudge<W: World>(world: &W, domain: Domain, tenant: &str) -> Result<(), Failure>
where
    W::Asks: tradewind_procurement::asks::Asks
        + tradewind_inventory::asks::Asks
        + tradewind_planning::asks::Asks,
{
    let payload = tenant.as_bytes();
    match domain {
        Domain::Suppliers => nudged::<Suppliers, _>(world, payload).await,
        Domain::Procurement => nudged::<Procurement, _>(world, payload).await,
        Domain::Inventory => nudged::<Inventory, _>(world, payload).await,
        Domain::Planning => nudged::<Planning, _>(world, payload).await,
        Domain::Finance => nudged::<Finance, _>(world, payload).await,
        Domain::Reporting => nudged::<Reporting, _>(world, payload).await,
    }
}

/// The product in this process.
pub struct Native {
    store: MemoryStore,
    now: Instant,
    seed: u128,
    /// What each of several instances remembers; requests go to any of them.
    caches: [Rc<Cache>; INSTANCES],
}

impl Default for Native {
    fn default() -> Self {
        let (store, now) = (MemoryStore::new(), Instant::from_millis(0));
        Self { store, now, seed: 1, caches: Default::default() }
    }
}

impl Native {
    /// The store, for its fault switch and its contents.
    #[must_use]
    pub fn store(&self) -> &MemoryStore {
        &self.store
    }

    /// This moment.
    #[must_use]
    pub fn moment(&self) -> Moment {
        Moment { store: self.store.fork(), now: self.now, seed: self.seed }
    }

    /// The same product at the same moment, as [`Moment::begin`] makes it.
    #[must_use]
    pub fn fork(&self) -> Self {
        self.moment().begin()
    }

    /// A product at the same moment, with the same chance, in which there never was anything.
    #[must_use]
    pub fn emptied(&self) -> Self {
        let (store, caches) = (MemoryStore::new(), Default::default());
        Self { store, now: self.now, seed: self.seed, caches }
    }

    fn world(&mut self) -> Provider<MemoryStore> {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(2);
        let asks = Direct { store: self.store.clone(), now: self.now };
        let instance = usize::try_from((self.seed >> 32) % INSTANCES as u128).unwrap_or(0);
        let mut world = LocalWorld::new(self.store.clone(), asks, self.now, self.seed)
            .remembering(Rc::clone(&self.caches[instance]));
        world.verbose = true;
        world
    }

    /// Delivers nudges until none is left and no domain has anything to do.
    ///
    /// # Errors
    /// A domain cannot catch up.
    pub fn settle(&mut self) -> Result<()> {
        loop {
            for (domain, tenant) in self.store.take_nudges() {
                self.nudge(domain, &tenant)?;
            }
            let tenants = block_on(self.store.tenants());
            for tenant in tenants.map_err(|Outage(why)| anyhow::anyhow!(why))? {
                for domain in Domain::ALL {
                    self.nudge(domain, &tenant)?;
                }
            }
            let nudges = self.store.take_nudges();
            if nudges.is_empty() {
                return Ok(());
            }
            for (domain, tenant) in nudges {
                self.nudge(domain, &tenant)?;
            }
        }
    }

    fn nudge(&mut self, domain: Domain, tenant: &str) -> Result<()> {
        let world = self.world();
        block_on(nudge(&world, domain, tenant))?;
        Ok(())
    }

    /// Answers one request and delivers no nudge.
    ///
    /// # Errors
    /// No domain answers that path.
    pub fn answer(&mut self, caller: Caller, request: &Request) -> Result<Response> {
        let domain = request.path.split('/').nth(1).unwrap_or("").parse::<Domain>();
        let Ok(domain) = domain else { bail!("no domain answers {}", request.path) };
        let world = self.world();
        Ok(block_on(answered(&world, domain, request, caller)))
    }

    fn tick(&mut self) -> Result<()> {
        let tenants = block_on(self.store.tenants()).map_err(|Outage(why)| anyhow::anyhow!(why))?;
        for tenant in tenants {
            for domain in Domain::ALL {
                let caller = Caller {
                    subject: "host".to_owned(),
                    tenant: tenant.clone(),
                    roles: vec![Role::System],
                    supplier: None,
                    channel: None,
                    expires: i64::MAX,
                };
                let request = Request {
                    method: "POST".to_owned(),
                    path: format!("/{domain}/v1/tick"),
                    ..Request::default()
                };
                let answer = self.answer(caller, &request)?;
                if answer.status != 200 {
                    bail!("the tick of {domain} answered {}", answer.status);
                }
            }
        }
        self.settle()
    }
}

impl Driver for Native {
    fn send(&mut self, sender: &Sender, sent: &Sent) -> Result<Got> {
        let Ok(role) = sender.role.parse::<Role>() else { bail!("no role {}", sender.role) };
        let partner = role == Role::Partner;
        let caller = Caller {
            subject: sender.subject.clone(),
            tenant: sender.tenant.clone(),
            roles: vec![role],
            supplier: sender.bound.clone().filter(|_| partner),
            channel: sender.bound.clone().filter(|_| !partner),
            expires: i64::MAX,
        };
        let (path, query) = sent.path.split_once('?').unwrap_or((&sent.path, ""));
        let request = Request {
            method: sent.method.clone(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: sent.headers.clone(),
            body: sent.body.clone().unwrap_or_default().into_bytes(),
        };
        let response = self.answer(caller, &request)?;
        self.settle()?;
        let body = serde_json::from_slice(&response.body).unwrap_or_default();
        Ok(Got { status: response.status, headers: response.headers, body })
    }

    fn set_clock(&mut self, instant: &str) -> Result<()> {
        self.now = instant.parse()?;
        self.tick()
    }
}
