//! A simulated instance's world, and its requests as futures that somebody else drives.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use sha2::{Digest, Sha256};
use tradewind_kernel::Instant;
use tradewind_kernel::event::Domain;
use tradewind_shell::auth::Caller;
use tradewind_shell::cache::Cache;
use tradewind_shell::http::{Request, Response};
use tradewind_shell::route::Role;
use tradewind_shell::world::World;

use super::command::Label;
use super::seam::{Hub, SimStore, turn};
use crate::chance::Chance;
use crate::driver::Sent;
use crate::native::{Direct, answered, nudge};

/// The tenant of every simulation.
pub const TENANT: &str = "sim";

/// How long replies are kept: a week, as the product's default.
pub const KEEP_SECONDS: u64 = 7 * 24 * 3600;

/// What a request gets from the simulation.
struct SimWorld {
    store: SimStore,
    asks: Direct<SimStore>,
    now: Instant,
    chance: RefCell<Chance>,
    cache: Rc<Cache>,
}

impl World for SimWorld {
    type Store = SimStore;
    type Asks = Direct<SimStore>;

    fn store(&self) -> &SimStore {
        &self.store
    }

    fn asks(&self) -> &Direct<SimStore> {
        &self.asks
    }

    fn cache(&self) -> &Cache {
        &self.cache
    }

    fn now(&self) -> Instant {
        self.now
    }

    fn real_seconds(&self) -> i64 {
        self.now.millis().div_euclid(1000)
    }

    fn random(&self) -> u128 {
        let mut chance = self.chance.borrow_mut();
        (u128::from(chance.draw()) << 64) | u128::from(chance.draw())
    }

    fn idempotency_seconds(&self) -> u64 {
        KEEP_SECONDS
    }

    async fn pause(&self, millis: u64) {
        self.store.wait(millis);
        turn().await;
    }

    fn log(&self, _line: &str) {}
}

/// Where and when a task runs.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// Which instance.
    pub instance: u8,
    /// Whose request it is, if it is one of the history.
    pub by: Option<Label>,
    /// Seeds its ids.
    pub seed: u64,
    /// The business clock.
    pub now: Instant,
}

fn world(hub: &Rc<Hub>, place: Place) -> SimWorld {
    let store = SimStore::new(hub, place.instance, place.by);
    let asks = Direct::new(store.clone(), place.now);
    let (chance, cache) = (RefCell::new(Chance::new(place.seed)), hub.memory(place.instance));
    SimWorld { store, asks, now: place.now, chance, cache }
}

/// What a task gives back: an answer, or nothing for a nudge.
pub type Running = Pin<Box<dyn Future<Output = Option<Response>>>>;

/// Who calls: the role and the subject.
#[must_use]
pub fn caller(role: Role, subject: &str) -> Caller {
    Caller {
        subject: subject.to_owned(),
        tenant: TENANT.to_owned(),
        roles: vec![role],
        supplier: None,
        channel: None,
        expires: i64::MAX,
    }
}

/// A request on an instance.
#[must_use]
pub fn request(hub: &Rc<Hub>, place: Place, caller: Caller, sent: &Sent) -> Running {
    let (path, query) = sent.path.split_once('?').unwrap_or((&sent.path, ""));
    let mut world = world(hub, place);
    world.store = world.store.asked(&hash(sent, path, query));
    let request = Request {
        method: sent.method.clone(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: sent.headers.clone(),
        body: sent.body.clone().unwrap_or_default().into_bytes(),
    };
    let domain = path.split('/').nth(1).and_then(|name| name.parse::<Domain>().ok());
    Box::pin(async move {
        let domain = domain?;
        Some(answered(&world, domain, &request, caller).await)
    })
}

/// What makes two requests under one key the same, as the product hashes it: a planted fault keeps
/// a reply under it.
fn hash(sent: &Sent, path: &str, query: &str) -> String {
    let mut hash = Sha256::new();
    for part in [sent.method.as_str(), path, query] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.update(sent.body.as_deref().unwrap_or_default().as_bytes());
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// A nudge on an instance; what becomes of it does not matter.
#[must_use]
pub fn nudged(hub: &Rc<Hub>, place: Place, domain: Domain) -> Running {
    let world = world(hub, place);
    Box::pin(async move {
        drop(nudge(&world, domain, TENANT).await);
        None
    })
}
