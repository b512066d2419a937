//! Drives finance natively: requests in, events of other domains in, events out.

#![allow(clippy::unwrap_used, reason = "tests")]

use futures::executor::block_on;
use serde_json::{Value, json};
use tradewind_finance::Finance;
use tradewind_kernel::event::{Domain, Event, NewEvent};
use tradewind_shell::catch_up::catch_up;
use tradewind_shell::local::LocalWorld;
use tradewind_shell::memory::MemoryStore;
use tradewind_shell::route::Role;
pub use tradewind_testing::{Answer, TENANT};
use tradewind_testing::{append, ask, caller, events};

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

    pub fn call_as(&self, role: Role, method: &str, target: &str, body: &Value) -> Answer {
        ask::<Finance, _>(&self.world, caller(role), method, target, body)
    }

    pub fn put(&self, target: &str, body: Value) -> Answer {
        self.call_as(Role::Finance, "PUT", target, &body)
    }

    pub fn get(&self, target: &str) -> Answer {
        self.call_as(Role::Viewer, "GET", target, &Value::Null)
    }

    /// Appends an event of another domain under this correlation.
    pub fn tell(&self, correlation: &str, kind: &str, data: Value) {
        let domain: Domain = kind.split('.').next().unwrap().parse().unwrap();
        let event = NewEvent { kind: kind.to_owned(), subject: "it".to_owned(), data };
        append(&self.world, domain, correlation, event);
    }

    /// Finance reacts to everything that waits.
    pub fn react(&self) {
        block_on(catch_up::<Finance, _>(&self.world, TENANT)).unwrap();
    }

    /// What finance told.
    pub fn events(&self) -> Vec<Event> {
        events(&self.world, Domain::Finance)
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

/// In, out and balance of a week of a forecast.
pub fn week(forecast: &Answer, week: &str) -> [String; 3] {
    let weeks = forecast.body["weeks"].as_array().cloned().unwrap_or_default();
    let found = weeks.into_iter().find(|it| it["week"] == week).unwrap_or(json!({}));
    ["in", "out", "balance"].map(|name| found[name].as_str().unwrap_or("-").to_owned())
}
