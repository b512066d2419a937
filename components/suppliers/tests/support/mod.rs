//! Drives the domain natively: requests in, responses out, and events of other domains.

#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, reason = "tests")]

use futures::executor::block_on;
use serde_json::{Value, json};
use tradewind_kernel::event::{Domain, NewEvent, Origin, Payload};
use tradewind_kernel::{Day, Instant};
use tradewind_shell::auth::Caller;
use tradewind_shell::http::{Request, Response};
use tradewind_shell::local::LocalWorld;
use tradewind_shell::memory::MemoryStore;
use tradewind_shell::route::Role;
use tradewind_shell::serve::serve;
use tradewind_shell::store::{Commit, Needs, Outcome, Store};
use tradewind_shell::world::World;
use tradewind_suppliers::Suppliers;

pub type Local = LocalWorld<MemoryStore, ()>;

pub struct Answer {
    pub status: u16,
    pub body: Value,
    pub headers: Vec<(String, String)>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or("")
    }

    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }
}

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
    send_bound(world, (role, None), method, target, body)
}

/// The same by a caller whose token may name a supplier.
pub fn send_bound(
    world: &Local,
    (role, supplier): (Role, Option<&str>),
    method: &str,
    target: &str,
    body: &Value,
) -> Answer {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    if method == "POST" {
        headers.push(("idempotency-key".to_owned(), format!("{:x}", world.random())));
    }
    let request = Request {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers,
        body: if body.is_null() { Vec::new() } else { body.to_string().into_bytes() },
    };
    let caller = Caller {
        subject: role.name().to_owned(),
        tenant: "acme".to_owned(),
        roles: vec![role],
        supplier: supplier.map(str::to_owned),
        channel: None,
        expires: i64::MAX,
    };
    let Response { status, headers, body } =
        block_on(serve::<Suppliers, _>(world, &request, Ok(caller)));
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    Answer { status, body, headers }
}

pub fn get(world: &Local, target: &str) -> Answer {
    send(world, Role::Viewer, "GET", target, &Value::Null)
}

/// Another domain says something.
pub fn tell<P: Payload>(world: &Local, domain: Domain, subject: &str, payload: &P) {
    let origin = Origin {
        at: world.now(),
        by: "test".to_owned(),
        reason: None,
        correlation: format!("cor-{:x}", world.random()),
        parent: None,
        causation: None,
    };
    let commit = Commit {
        tenant: "acme".to_owned(),
        domain,
        needs: Needs::Nothing,
        idempotency: None,
        checks: Vec::new(),
        guards: Vec::new(),
        writes: Vec::new(),
        events: vec![NewEvent::of(subject, payload)],
        origin,
        cursor: None,
        unmark: None,
        tenant_known: true,
        frees: false,
    };
    let outcome = block_on(world.store().commit(&commit)).unwrap();
    assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}");
}

/// The domain's events of one type, oldest first.
pub fn events<P: Payload>(world: &Local) -> Vec<P> {
    let answer = get(world, "/suppliers/v1/events?limit=500").expect(200);
    let items = answer.body["items"].as_array().cloned().unwrap_or_default();
    let of_type = items.into_iter().filter(|item| item["type"] == P::TYPE);
    of_type.map(|item| serde_json::from_value(item["data"].clone()).unwrap()).collect()
}

pub fn usd(amount: &str) -> Value {
    json!({ "amount": amount, "currency": "USD" })
}
