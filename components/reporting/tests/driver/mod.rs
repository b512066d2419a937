//! Drives reporting natively: events of the domains in, requests in, answers out.

#![allow(clippy::unwrap_used, reason = "tests")]

use futures::executor::block_on;
use serde_json::{Value, json};
use tradewind_reporting::Reporting;
use tradewind_kernel::event::{Domain, Event, NewEvent, Origin};
use tradewind_shell::auth::Caller;
use tradewind_shell::catch_up::catch_up;
use tradewind_shell::http::{Request, Response};
use tradewind_shell::local::LocalWorld;
use tradewind_shell::memory::MemoryStore;
use tradewind_shell::route::Role;
use tradewind_shell::serve::serve;
use tradewind_shell::store::{Commit, Found, Needs, Outcome, Read, ReadRequest, Store};

pub const TENANT: &str = "acme";

pub struct Driver {
    pub world: LocalWorld<MemoryStore, ()>,
}

impl Driver {
    pub fn at(day: &str) -> Self {
        let now = format!("{day}T09:00:00Z").parse().unwrap();
        let mut world = LocalWorld::new(MemoryStore::new(), (), now, 7);
        world.verbose = true;
        Self { world }
    }

    pub fn set_day(&self, day: &str) {
        self.world.set_now(format!("{day}T09:00:00Z").parse().unwrap());
    }

    pub fn call_as(&self, role: Role, method: &str, target: &str, body: Option<Value>) -> Answer {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut headers = Vec::new();
        if body.is_some() {
            headers.push(("content-type".to_owned(), "application/json".to_owned()));
        }
        let request = Request {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers,
            body: body.map(|body| body.to_string().into_bytes()).unwrap_or_default(),
        };
        let caller = Caller {
            subject: "ann".to_owned(),
            tenant: TENANT.to_owned(),
            roles: vec![role],
            supplier: None,
            channel: None,
            expires: i64::MAX,
        };
        Answer(block_on(serve::<Reporting, _>(&self.world, &request, Ok(caller))))
    }

    pub fn put(&self, target: &str, body: Value) -> Answer {
        self.call_as(Role::Finance, "PUT", target, Some(body))
    }

    pub fn get(&self, target: &str) -> Answer {
        self.call_as(Role::Viewer, "GET", target, None)
    }

    /// Appends an event of another domain under this correlation.
    pub fn tell(&self, correlation: &str, kind: &str, data: Value) {
        let domain: Domain = kind.split('.').next().unwrap().parse().unwrap();
        let origin = Origin {
            at: tradewind_shell::world::World::now(&self.world),
            by: "ann".to_owned(),
            reason: None,
            correlation: correlation.to_owned(),
            parent: None,
            causation: None,
        };
        let commit = Commit {
            tenant: TENANT.to_owned(),
            domain,
            needs: Needs::Nothing,
            idempotency: None,
            checks: Vec::new(),
            guards: Vec::new(),
            writes: Vec::new(),
            events: vec![NewEvent { kind: kind.to_owned(), subject: "it".to_owned(), data }],
            origin,
            cursor: None,
            unmark: None,
            tenant_known: true,
            frees: false,
        };
        let outcome = block_on(tradewind_shell::world::World::store(&self.world).commit(&commit));
        assert!(matches!(outcome, Ok(Outcome::Done { .. })), "{outcome:?}");
    }

    /// Finance reacts to everything that waits.
    pub fn react(&self) {
        block_on(catch_up::<Reporting, _>(&self.world, TENANT)).unwrap();
    }

    /// What finance told.
    pub fn events(&self) -> Vec<Event> {
        let read = ReadRequest {
            tenant: TENANT.to_owned(),
            domain: Domain::Finance,
            needs: Needs::Nothing,
            reads: vec![Read::Events { domain: Domain::Finance, after: 0, limit: 10_000 }],
        };
        let store = tradewind_shell::world::World::store(&self.world);
        let snapshot = block_on(store.read(&read)).unwrap();
        let Some(Found::Events(events)) = snapshot.found.into_iter().next() else { return vec![] };
        events
    }

    /// The changes of cash under a correlation, summed by week; weeks without any left out.
    pub fn cash_changes(&self, correlation: &str) -> Vec<(String, String)> {
        let mut weeks = std::collections::BTreeMap::<String, rust_decimal::Decimal>::new();
        for event in self.events() {
            if event.origin.correlation == correlation && event.kind() == "finance.cash-changed" {
                for week in event.what.data["weeks"].as_array().unwrap() {
                    let change: rust_decimal::Decimal =
                        week["change"].as_str().unwrap().parse().unwrap();
                    *weeks.entry(week["week"].as_str().unwrap().to_owned()).or_default() += change;
                }
            }
        }
        weeks.retain(|_, change| !change.is_zero());
        weeks.into_iter().map(|(week, change)| (week, change.to_string())).collect()
    }
}

pub struct Answer(pub Response);

impl Answer {
    pub fn status(&self) -> u16 {
        self.0.status
    }

    pub fn body(&self) -> Value {
        serde_json::from_slice(&self.0.body).unwrap_or(Value::Null)
    }

    pub fn header(&self, name: &str) -> Option<String> {
        let headers = self.0.headers.iter();
        headers.clone().find(|(key, _)| key == name).map(|(_, value)| value.clone())
    }

    /// In, out and balance of a week.
    pub fn week(&self, week: &str) -> [String; 3] {
        let body = self.body();
        let weeks = body["weeks"].as_array().cloned().unwrap_or_default();
        let found = weeks.into_iter().find(|it| it["week"] == week).unwrap_or(json!({}));
        ["in", "out", "balance"].map(|name| found[name].as_str().unwrap_or("-").to_owned())
    }
}
