//! Drives the domain natively: requests in, responses out, and events of other domains.

#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, reason = "tests")]

use serde_json::{Value, json};
use tradewind_kernel::event::Payload;
use tradewind_kernel::{Day, Instant};
use tradewind_shell::local::LocalWorld;
use tradewind_shell::memory::MemoryStore;
use tradewind_shell::route::Role;
use tradewind_suppliers::Suppliers;
pub use tradewind_testing::{Answer, tell_alone as tell};
use tradewind_testing::{ask, caller};

pub type Local = LocalWorld<MemoryStore, ()>;

pub fn day(text: &str) -> Day {
    text.parse().unwrap()
}

pub fn noon(day: &str) -> Instant {
    format!("{day}T12:00:00.000Z").parse().unwrap()
}

pub fn world(today: &str) -> Local {
    LocalWorld::new(MemoryStore::new(), (), noon(today), 7)
}

pub fn send(world: &Local, role: Role, method: &str, target: &str, body: &Value) -> Answer {
    ask::<Suppliers, _>(world, caller(role), method, target, body)
}

pub fn get(world: &Local, target: &str) -> Answer {
    send(world, Role::Viewer, "GET", target, &Value::Null)
}

/// The domain's events of one type, oldest first.
pub fn events<P: Payload>(world: &Local) -> Vec<P> {
    let answer = get(world, "/suppliers/v1/events?limit=500").is(200);
    let items = answer.body["items"].as_array().cloned().unwrap_or_default();
    let of_type = items.into_iter().filter(|item| item["type"] == P::TYPE);
    of_type.map(|item| serde_json::from_value(item["data"].clone()).unwrap()).collect()
}

pub fn usd(amount: &str) -> Value {
    json!({ "amount": amount, "currency": "USD" })
}
