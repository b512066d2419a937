//! Many events in one commit: the same as one by one, and causes do not mix.

#![allow(clippy::unwrap_used, reason = "tests")]

#[allow(dead_code, reason = "each test file uses a part of the driver")]
mod driver;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use driver::{Driver, TENANT};
use futures::executor::block_on;
use proptest::prelude::*;
use serde_json::{Value, json};
use tradewind_kernel::Domain;
use tradewind_kernel::event::Event;
use tradewind_shell::memory::{Call, Fate};
use tradewind_shell::store::{Found, Needs, Read, ReadRequest, Store};
use tradewind_shell::world::World;

const FORECAST: &str = "/finance/v1/cash-forecast?weeks=20";

/// Something that happens to one of three orders.
#[derive(Debug, Clone)]
enum Told {
    Stated { order: usize, quantity: i64, day: u32 },
    Claimed { order: usize, quantity: i64 },
    Released { order: usize, quantity: i64 },
    Pegged { order: usize, day: Option<u32> },
}

fn told() -> impl Strategy<Value = Told> {
    let order = 0_usize..3;
    prop_oneof![
        (order.clone(), 1_i64..9, 2_u32..28).prop_map(|(order, quantity, day)| Told::Stated {
            order,
            quantity,
            day
        }),
        (order.clone(), 1_i64..5).prop_map(|(order, quantity)| Told::Claimed { order, quantity }),
        (order.clone(), 1_i64..5).prop_map(|(order, quantity)| Told::Released { order, quantity }),
        (order, proptest::option::of(2_u32..28))
            .prop_map(|(order, day)| Told::Pegged { order, day }),
    ]
}

impl Told {
    fn event(&self) -> (&'static str, Value) {
        let day = |day: u32| format!("2026-12-{day:02}");
        let name = |order: &usize| ["A", "B", "C"][*order];
        let usd = json!({ "amount": "2.50", "currency": "USD" });
        let part = |quantity: &i64| {
            let allocations = json!([{ "node": "OWN", "quantity": quantity }]);
            json!([{ "sku": "X", "quantity": quantity, "backordered": 0, "allocations": allocations }])
        };
        match self {
            Self::Stated { order, quantity, day: wanted } => {
                let line = json!({ "line": 1, "sku": "X", "quantity": quantity,
                                   "wanted": day(*wanted), "price": usd });
                let data = json!({ "order": name(order), "channel": "web", "cancelled": false,
                    "ordered_at": "2026-11-20T00:00:00Z", "dropped": [], "lines": [line] });
                ("inventory.order-changed", data)
            }
            Self::Claimed { order, quantity } => {
                let data = json!({ "reservation": "res_1", "order": name(order), "channel": "web",
                                   "expires": null, "lines": part(quantity) });
                ("inventory.reserved", data)
            }
            Self::Released { order, quantity } => {
                let data = json!({ "reservation": "res_1", "order": name(order), "channel": "web",
                                   "expired": false, "lines": part(quantity) });
                ("inventory.reservation-released", data)
            }
            Self::Pegged { order, day: promised } => {
                let moved = json!({ "order": name(order), "line": 1, "channel": "web", "sku": "X",
                    "quantity": 1, "wanted": "2026-12-01", "old_day": null,
                    "new_day": promised.map(day), "price": null });
                let data = json!({ "sku": "X", "today": "2026-12-01", "part": 1, "parts": 1,
                    "moved": [moved], "left_over": [], "held": [] });
                ("inventory.item-pegged", data)
            }
        }
    }
}

fn driver() -> Driver {
    let driver = Driver::at("2026-12-01");
    let data = json!({
        "channel": "web", "kind": "dtc", "priority": 1, "nodes": ["OWN"], "backorder": true,
        "payout": { "lag_days": 2, "fee": "0.03" },
    });
    driver.tell("setup", "inventory.channel-set", data);
    driver.react();
    driver
}

/// What was told, and under which correlation.
fn changes(driver: &Driver) -> Vec<(String, Value)> {
    let told = driver.events();
    told.into_iter().map(|event| (event.origin.correlation, event.what.data)).collect()
}

fn inventory(driver: &Driver) -> Vec<Event> {
    let domain = Domain::Inventory;
    let reads = vec![Read::Events { domain, after: 0, limit: 10_000 }];
    let tenant = TENANT.to_owned();
    let request = ReadRequest { tenant, domain, needs: Needs::Nothing, reads };
    let snapshot = block_on(driver.world.store().read(&request)).unwrap();
    match snapshot.found.into_iter().next() {
        Some(Found::Events(events)) => events,
        _ => Vec::new(),
    }
}

/// Counts the commits from now on.
fn commits(driver: &Driver) -> Arc<AtomicUsize> {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    driver.world.store().set_faults(move |_, call| {
        counted.fetch_add(usize::from(call == Call::Commit), Ordering::Relaxed);
        Fate::Works
    });
    count
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn together_they_are_what_they_are_one_by_one(story in proptest::collection::vec(told(), 1..40)) {
        let (alone, together) = (driver(), driver());
        for (number, told) in story.iter().enumerate() {
            let (kind, data) = told.event();
            let correlation = format!("c{}", number / 2);
            for driver in [&alone, &together] {
                driver.tell(&correlation, kind, data.clone());
            }
            alone.react();
        }
        let count = commits(&together);
        together.react();
        prop_assert_eq!(changes(&together), changes(&alone));
        prop_assert_eq!(together.get(FORECAST).body, alone.get(FORECAST).body);
        prop_assert!(count.load(Ordering::Relaxed) <= story.len());
        // The cause of each is an event of the same correlation.
        let causes = inventory(&together);
        for told in together.events() {
            let cause = causes.iter().find(|cause| Some(cause.id()) == told.origin.causation);
            prop_assert_eq!(&cause.unwrap().origin.correlation, &told.origin.correlation);
        }
    }
}

#[test]
fn what_tells_nothing_goes_together() {
    let driver = driver();
    for number in 0..64 {
        let order = Told::Stated { order: number % 3, quantity: 1, day: 5 };
        let (kind, data) = order.event();
        driver.tell(&format!("c{number}"), kind, data);
    }
    let count = commits(&driver);
    driver.react();
    assert_eq!(count.load(Ordering::Relaxed), 1);
    assert!(driver.events().is_empty());
}

#[test]
fn an_event_that_does_not_read_is_parked_by_itself() {
    let driver = driver();
    let stated = |order: usize| Told::Stated { order, quantity: 1, day: 5 }.event();
    driver.tell("one", stated(0).0, stated(0).1);
    driver.tell("two", "inventory.order-changed", json!({ "nonsense": true }));
    driver.tell("three", stated(1).0, stated(1).1);
    driver.react();
    let parked = driver.get("/finance/v1/parked").body;
    assert_eq!(parked["items"].as_array().unwrap().len(), 1);
    assert_eq!(parked["items"][0]["correlation_id"], "two");
    driver.tell("four", "inventory.item-pegged", Told::Pegged { order: 1, day: Some(9) }.event().1);
    driver.react();
    assert_eq!(driver.cash_changes("four").len(), 1, "what came after it is known");
}
