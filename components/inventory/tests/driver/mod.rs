//! Drives the inventory domain as its callers do, over the store in memory.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    reason = "each test file uses a part, and tests may panic"
)]

pub mod purchases;

use std::cell::{Cell, RefCell};

use futures::executor::block_on;
use serde_json::{Value, json};
use tradewind_inventory::{Asks, Inventory};
use tradewind_kernel::asks::suppliers::Offer;
use tradewind_kernel::event::{Event, Payload};
use tradewind_kernel::{Domain, Id, Instant};
use tradewind_shell::auth::Caller;
use tradewind_shell::catch_up::catch_up;
use tradewind_shell::http::Request;
use tradewind_shell::local::LocalWorld;
use tradewind_shell::memory::MemoryStore;
use tradewind_shell::route::Role;
use tradewind_shell::serve::serve;
use tradewind_shell::store::{
    Commit, Cut, Found, Outage, Outcome, ReadRequest, Snapshot, Store, TakeUp, Taken,
};
use tradewind_shell::world::{Answered, AskError, World};
pub use tradewind_testing::{Answer, TENANT};
use tradewind_testing::{events, tell};

/// Suppliers that answer what a test says.
#[derive(Default)]
pub struct Offers(pub RefCell<Vec<Offer>>);

impl Asks for Offers {
    async fn offers(&self, _: &str, sku: &Id) -> Result<Answered<Vec<Offer>>, AskError> {
        let value = self.0.borrow().iter().filter(|offer| offer.sku == *sku).cloned().collect();
        Ok(Answered { value, witnesses: Vec::new(), sequence: 0 })
    }
}

pub type TestWorld = LocalWorld<Interleaved, Offers>;

/// A store whose every call first lets others go, now and then several times: what runs at once in
/// a test meets in every order.
#[derive(Clone)]
pub struct Interleaved {
    store: MemoryStore,
    chance: std::rc::Rc<Cell<u64>>,
    /// Records, members and counters that were read.
    read: std::rc::Rc<Cell<usize>>,
}

impl Interleaved {
    async fn wait(&self) {
        let next = self.chance.get().wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        self.chance.set(next);
        let mut left = (next >> 60) % 4;
        std::future::poll_fn(|context| {
            if left == 0 {
                return std::task::Poll::Ready(());
            }
            left -= 1;
            context.waker().wake_by_ref();
            std::task::Poll::Pending
        })
        .await;
    }
}

impl Store for Interleaved {
    async fn read(&self, request: &ReadRequest) -> Result<Snapshot, Outage> {
        self.wait().await;
        let snapshot = self.store.read(request).await?;
        let pieces = snapshot.found.iter().map(|found| match found {
            Found::Set(_, members) => members.len(),
            Found::Members(_, members) => members.len(),
            Found::Counters(counters) => counters.len(),
            Found::CounterFields(values) => values.len(),
            Found::Names(names) => names.len(),
            Found::Events(events) => events.len(),
            Found::Record(_) | Found::Marks(_) => 1,
        });
        self.read.set(self.read.get() + pieces.sum::<usize>());
        Ok(snapshot)
    }

    async fn commit(&self, commit: &Commit) -> Result<Outcome, Outage> {
        self.wait().await;
        self.store.commit(commit).await
    }

    async fn cut(&self, tenant: &str, domain: Domain, limit: usize) -> Result<Cut, Outage> {
        self.wait().await;
        self.store.cut(tenant, domain, limit).await
    }

    async fn take_up(&self, request: &TakeUp) -> Result<Taken, Outage> {
        self.wait().await;
        self.store.take_up(request).await
    }

    async fn release(
        &self,
        tenant: &str,
        domain: Domain,
        owner: &str,
        progress: bool,
    ) -> Result<(), Outage> {
        self.wait().await;
        self.store.release(tenant, domain, owner, progress).await
    }

    async fn tenants(&self) -> Result<Vec<String>, Outage> {
        self.store.tenants().await
    }

    async fn add_tenant(&self, tenant: &str) -> Result<(), Outage> {
        self.store.add_tenant(tenant).await
    }

    async fn settle(&self) -> Result<(), Outage> {
        self.store.settle().await
    }

    async fn ping(&self) -> Result<(), Outage> {
        self.store.ping().await
    }
}

/// One tenant and the callers of it.
pub struct Driver {
    pub world: TestWorld,
    pub store: MemoryStore,
}

pub fn instant(text: &str) -> Instant {
    text.parse().unwrap()
}

pub fn id(text: &str) -> Id {
    text.parse().unwrap()
}

impl Driver {
    pub fn new(now: &str) -> Self {
        Self::over(MemoryStore::new(), instant(now))
    }

    fn over(store: MemoryStore, now: Instant) -> Self {
        let interleaved = Interleaved {
            store: store.clone(),
            chance: std::rc::Rc::default(),
            read: std::rc::Rc::default(),
        };
        // Instances must not draw the same ids.
        let seed = u128::from(store.calls()).wrapping_mul(2).wrapping_add(7);
        let world = LocalWorld::new(interleaved, Offers::default(), now, seed);
        Self { world, store }
    }

    /// Another instance, which remembers nothing yet, over the same store.
    pub fn beside(&self) -> Self {
        Self::over(self.store.clone(), self.world.now())
    }

    /// An instance that remembers nothing, over a copy of the store.
    pub fn copy(&self) -> Self {
        Self::over(self.store.fork(), self.world.now())
    }

    pub fn caller(roles: &[Role], channel: Option<&str>) -> Caller {
        Caller {
            subject: "tester".to_owned(),
            tenant: TENANT.to_owned(),
            roles: roles.to_vec(),
            supplier: None,
            channel: channel.map(str::to_owned),
            expires: i64::MAX,
        }
    }

    pub fn request(&self, method: &str, path: &str, body: &Value) -> Request {
        let path = format!("/inventory/v1/{path}");
        tradewind_testing::request(&self.world, method, &path, body)
    }

    pub async fn send(&self, request: &Request, caller: Caller) -> Answer {
        serve::<Inventory, _>(&self.world, request, Ok(caller)).await.into()
    }

    pub fn call(&self, method: &str, path: &str, body: Value) -> Answer {
        let request = self.request(method, path, &body);
        block_on(self.send(&request, Self::caller(&[Role::Admin], None)))
    }

    pub fn call_as(&self, caller: Caller, method: &str, path: &str, body: Value) -> Answer {
        block_on(self.send(&self.request(method, path, &body), caller))
    }

    pub fn get(&self, path: &str) -> Value {
        self.call("GET", path, Value::Null).is(200).body
    }

    pub fn put(&self, path: &str, body: Value) -> Value {
        let said = self.call("PUT", path, body);
        assert!(said.status == 200 || said.status == 201, "{} {:#}", said.status, said.body);
        said.body
    }

    pub fn post(&self, path: &str, body: Value) -> Value {
        let said = self.call("POST", path, body);
        assert!(said.status == 200 || said.status == 201, "{} {:#}", said.status, said.body);
        said.body
    }

    /// How many records, members and counters were read since this was last asked.
    pub fn pieces_read(&self) -> usize {
        self.world.store().read.replace(0)
    }

    /// Reacts to everything that waits, and works every mark.
    pub fn settle(&self) {
        while block_on(catch_up::<Inventory, _>(&self.world, TENANT)).unwrap() {}
    }

    pub fn tick(&self) {
        self.post("tick", Value::Null);
    }

    /// Commits an event into another domain's stream, as that domain would.
    pub fn tell<P: Payload>(&self, subject: &str, payload: &P) -> String {
        let correlation = format!("cor-{:x}", self.world.random());
        tell(&self.world, &correlation, subject, payload);
        correlation
    }

    /// All events of inventory, oldest first.
    pub fn events(&self) -> Vec<Event> {
        events(&self.world, Domain::Inventory)
    }

    /// The events of a type under a correlation.
    pub fn told<P: Payload>(&self, correlation: &str) -> Vec<P> {
        let events = self.events();
        let of = events.iter().filter(|event| event.origin.correlation == correlation);
        of.filter(|event| event.is::<P>()).map(|event| event.read().unwrap()).collect()
    }

    #[track_caller]
    pub fn verify(&self) -> Value {
        let said = self.get("verify");
        assert_eq!(said["differences"], json!([]), "{said:#}");
        said
    }

    /// An item with nodes and one channel that has them all.
    pub fn shop(&self, nodes: &[(&str, i64)]) {
        self.put("items/X", json!({ "name": "X" }));
        let names: Vec<&str> = nodes.iter().map(|(node, _)| *node).collect();
        for node in &names {
            self.put(&format!("nodes/{node}"), json!({}));
        }
        self.put("channels/web", json!({ "kind": "dtc", "priority": 1, "nodes": names }));
        for (node, quantity) in nodes {
            self.stock("X", node, *quantity);
        }
    }

    pub fn stock(&self, sku: &str, node: &str, quantity: i64) {
        let to = json!({ "node": node });
        self.post(
            "movements",
            json!({ "sku": sku, "quantity": quantity, "from": "found", "to": to }),
        );
    }

    pub fn reserve(&self, order: &str, quantity: i64) -> Answer {
        let lines = json!([{ "sku": "X", "quantity": quantity }]);
        self.call(
            "POST",
            "reservations",
            json!({ "order": order, "channel": "web", "lines": lines }),
        )
    }

    pub fn available(&self, sku: &str, channel: &str) -> i64 {
        self.get(&format!("availability?sku={sku}&channel={channel}"))["available"]
            .as_i64()
            .unwrap()
    }
}
