//! Whatever callers do, in whatever order: the verifier finds nothing, and promises are what
//! pegging gives.

#![allow(clippy::unwrap_used, reason = "tests may panic")]

mod driver;

use driver::{Driver, id};
use futures::executor::block_on;
use proptest::prelude::*;
use serde_json::json;
use tradewind_kernel::Day;
use tradewind_kernel::events::inventory::Reserved;
use tradewind_kernel::events::procurement::{
    OrderConfirmed, OrderLine, OrderState, OrderStatus, ScheduleEntry,
};
use tradewind_shell::memory::Fate;
use tradewind_shell::route::Role;

const CHANNELS: [&str; 3] = ["a", "b", "c"];
const NODES: [&str; 2] = ["N1", "N2"];

#[derive(Debug, Clone)]
enum Command {
    Move { node: usize, quantity: i64, away: bool },
    Reserve { channel: usize, order: u8, quantity: i64, partial: bool, expires: bool },
    Ship { which: usize, quantity: i64 },
    Release { which: usize },
    Order { order: u8, channel: usize, quantity: i64, wanted: i64 },
    Cancel { order: u8 },
    Protect { id: u8, channel: usize, quantity: i64, from: i64, length: i64 },
    Unprotect { id: u8 },
    Supply { order: u8, node: usize, quantity: i64, day: i64 },
    Channel { channel: usize, one: bool },
    Hours(i64),
}

fn command() -> impl Strategy<Value = Command> {
    use Command::*;
    let channel = 0..3_usize;
    prop_oneof![
        3 => (0..2_usize, 1..60_i64, any::<bool>())
            .prop_map(|(node, quantity, away)| Move { node, quantity, away }),
        4 => (channel.clone(), 0..4_u8, 1..30_i64, any::<bool>(), any::<bool>()).prop_map(
            |(channel, order, quantity, partial, expires)| Reserve { channel, order, quantity, partial, expires }),
        2 => (0..9_usize, 1..20_i64).prop_map(|(which, quantity)| Ship { which, quantity }),
        2 => (0..9_usize).prop_map(|which| Release { which }),
        4 => (0..4_u8, channel.clone(), 1..50_i64, -2..9_i64).prop_map(
            |(order, channel, quantity, wanted)| Order { order, channel, quantity, wanted }),
        1 => (0..4_u8).prop_map(|order| Cancel { order }),
        3 => (0..3_u8, channel.clone(), 1..60_i64, 0..6_i64, 0..6_i64).prop_map(
            |(id, channel, quantity, from, length)| Protect { id, channel, quantity, from, length }),
        1 => (0..3_u8).prop_map(|id| Unprotect { id }),
        3 => (0..3_u8, 0..2_usize, 0..80_i64, -1..9_i64).prop_map(
            |(order, node, quantity, day)| Supply { order, node, quantity, day }),
        1 => (channel, any::<bool>()).prop_map(|(channel, one)| Channel { channel, one }),
        2 => (1..30_i64).prop_map(Hours),
    ]
}

fn start() -> Driver {
    let driver = Driver::new("2026-12-01T09:00:00Z");
    driver.put("items/X", json!({}));
    for node in NODES {
        driver.put(&format!("nodes/{node}"), json!({}));
    }
    for channel in 0..3 {
        set_channel(&driver, channel, channel == 2);
    }
    driver.tick();
    driver
}

fn set_channel(driver: &Driver, channel: usize, one: bool) {
    let nodes = if one { json!(["N2"]) } else { json!(["N1", "N2"]) };
    let body = json!({ "kind": "dtc", "priority": channel + 1, "nodes": nodes });
    driver.put(&format!("channels/{}", CHANNELS[channel]), body);
}

fn supply(order: u8, node: usize, quantity: i64, day: Day) -> OrderConfirmed {
    let line = OrderLine {
        line: 1,
        sku: id("X"),
        node: id(NODES[node]),
        quantity,
        price: "5".parse().unwrap(),
        due: day,
        accepted: 0,
        rejected: 0,
        cancelled: 0,
        open: quantity,
        schedule: vec![ScheduleEntry { day, quantity }],
        confirmed: Some(day),
        waiting_price: None,
        last_receipt: None,
    };
    let order = OrderState {
        order: id(&format!("PO{order}")),
        supplier: id("S"),
        currency: "USD".parse().unwrap(),
        terms_days: 30,
        status: OrderStatus::Confirmed,
        released: Some(day),
        raised_by: "buyer".to_owned(),
        raised_at: driver::instant("2026-11-20T08:00:00Z"),
        lines: vec![line],
    };
    OrderConfirmed { order, changes: Vec::new() }
}

struct Run {
    driver: Driver,
    reservations: Vec<String>,
    hours: i64,
}

impl Run {
    fn day(&self, offset: i64) -> Day {
        "2026-12-01".parse::<Day>().unwrap().plus((9 + self.hours) / 24 + offset)
    }

    fn reservation(&self, which: usize) -> Option<&str> {
        let all = &self.reservations;
        (!all.is_empty()).then(|| all[which % all.len()].as_str())
    }

    fn apply(&mut self, command: &Command) {
        let driver = &self.driver;
        let call = |method: &str, path: &str, body| {
            let said = driver.call(method, path, body);
            assert!(said.status < 500 && said.status != 400, "{command:?}: {:#}", said.body);
            said
        };
        match command {
            Command::Move { node, quantity, away } => {
                let at = json!({ "node": NODES[*node] });
                let (from, to) = if *away { (at, json!("loss")) } else { (json!("found"), at) };
                call(
                    "POST",
                    "movements",
                    json!({ "sku": "X", "quantity": quantity, "from": from, "to": to }),
                );
            }
            Command::Reserve { channel, order, quantity, partial, expires } => {
                let mode = if *partial { "partial" } else { "all-or-nothing" };
                let mut body = json!({ "channel": CHANNELS[*channel], "mode": mode,
                    "order": format!("O{order}"), "lines": [{ "sku": "X", "quantity": quantity }] });
                if *expires {
                    body["expires_in_seconds"] = json!(36_000);
                }
                let before = driver.available("X", CHANNELS[*channel]);
                let said = call("POST", "reservations", body);
                if said.status == 201 {
                    let line = &said.body["lines"][0]["allocations"];
                    let got = line
                        .as_array()
                        .unwrap()
                        .iter()
                        .map(|one| one["quantity"].as_i64().unwrap());
                    assert_eq!(got.sum::<i64>(), before.min(*quantity));
                    self.reservations.push(said.body["id"].as_str().unwrap().to_owned());
                }
            }
            Command::Ship { which, quantity } => {
                if let Some(name) = self.reservation(*which) {
                    let lines = json!([{ "sku": "X", "quantity": quantity }]);
                    call("POST", &format!("reservations/{name}/ship"), json!({ "lines": lines }));
                }
            }
            Command::Release { which } => {
                if let Some(name) = self.reservation(*which) {
                    call("POST", &format!("reservations/{name}/release"), json!({}));
                }
            }
            Command::Order { order, channel, quantity, wanted } => {
                let line = json!({ "sku": "X", "quantity": quantity, "wanted": self.day(*wanted) });
                let body = json!({ "channel": CHANNELS[*channel], "lines": [line, line] });
                let said = call("PUT", &format!("orders/O{order}"), body);
                if said.status < 300 {
                    let kept = driver.get(&format!("orders/O{order}"));
                    assert_eq!(kept["lines"], said.body["lines"], "as predicted");
                }
            }
            Command::Cancel { order } => {
                call("POST", &format!("orders/O{order}/cancel"), json!({}));
            }
            Command::Protect { id, channel, quantity, from, length } => {
                let body = json!({ "sku": "X", "channel": CHANNELS[*channel], "quantity": quantity,
                    "from": self.day(*from), "until": self.day(from + length) });
                call("PUT", &format!("protections/P{id}"), body);
            }
            Command::Unprotect { id } => {
                call("DELETE", &format!("protections/P{id}"), serde_json::Value::Null);
            }
            Command::Supply { order, node, quantity, day } => {
                let told = supply(*order, *node, *quantity, self.day(*day));
                driver.tell("PO", &told);
            }
            Command::Channel { channel, one } => set_channel(driver, *channel, *one),
            Command::Hours(hours) => {
                self.hours += hours;
                let start = driver::instant("2026-12-01T09:00:00Z");
                driver.world.set_now(start.plus_seconds(self.hours * 3600));
                driver.tick();
            }
        }
    }
}

/// A command as a request that needs nothing of what came before.
fn at_once(driver: &Driver, command: &Command) -> Option<tradewind_shell::http::Request> {
    let base: Day = "2026-12-01".parse().unwrap();
    let (method, path, body) = match command {
        Command::Move { node, quantity, away } => {
            let at = json!({ "node": NODES[*node] });
            let (from, to) = if *away { (at, json!("loss")) } else { (json!("found"), at) };
            let body = json!({ "sku": "X", "quantity": quantity, "from": from, "to": to });
            ("POST", "movements".to_owned(), body)
        }
        Command::Reserve { channel, order, quantity, partial, .. } => {
            let mode = if *partial { "partial" } else { "all-or-nothing" };
            let body = json!({ "channel": CHANNELS[*channel], "mode": mode,
                "order": format!("O{order}"), "lines": [{ "sku": "X", "quantity": quantity }] });
            ("POST", "reservations".to_owned(), body)
        }
        Command::Order { order, channel, quantity, wanted } => {
            let line = json!({ "sku": "X", "quantity": quantity, "wanted": base.plus(*wanted) });
            let body = json!({ "channel": CHANNELS[*channel], "lines": [line] });
            ("PUT", format!("orders/O{order}"), body)
        }
        Command::Cancel { order } => ("POST", format!("orders/O{order}/cancel"), json!({})),
        Command::Protect { id, channel, quantity, from, length } => {
            let body = json!({ "sku": "X", "channel": CHANNELS[*channel], "quantity": quantity,
                "from": base.plus(*from), "until": base.plus(from + length) });
            ("PUT", format!("protections/P{id}"), body)
        }
        Command::Supply { order, node, quantity, day } => {
            let told = supply(*order, *node, *quantity, base.plus(*day));
            driver.tell("PO", &told);
            return None;
        }
        Command::Channel { .. } => ("POST", "tick".to_owned(), json!({})),
        _ => ("GET", "verify".to_owned(), serde_json::Value::Null),
    };
    Some(driver.request(method, &path, &body))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// Requests of every kind at once: whoever comes first, nothing is lost or taken twice.
    #[test]
    fn nothing_differs_when_all_come_at_once(commands in prop::collection::vec(command(), 2..30)) {
        let driver = start();
        for node in NODES {
            driver.stock("X", node, 40);
        }
        let requests: Vec<_> = commands.iter().filter_map(|one| at_once(&driver, one)).collect();
        let caller = || Driver::caller(&[Role::Admin], None);
        let all = requests.iter().map(|request| driver.send(request, caller()));
        for said in block_on(futures::future::join_all(all)) {
            assert!(said.status < 500 && said.status != 400, "{:#}", said.body);
        }
        driver.settle();
        driver.verify();
    }

    /// The store fails now and then, before or after it has done its work, and callers try again
    /// under the same key: everything happens once.
    #[test]
    fn nothing_differs_when_the_store_fails(
        commands in prop::collection::vec(command(), 2..25), seed in any::<u64>(),
    ) {
        let driver = start();
        let requests: Vec<_> = commands.iter().filter_map(|one| at_once(&driver, one)).collect();
        let mut chance = seed | 1;
        driver.store.set_faults(move |_, _| {
            chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            match chance >> 59 {
                0 => Fate::FailsBefore,
                1 => Fate::FailsAfter,
                _ => Fate::Works,
            }
        });
        let caller = || Driver::caller(&[Role::Admin], None);
        let mut claimed = 0;
        for request in &requests {
            for _ in 0..500 {
                driver.store.advance(5_000);
                let said = block_on(driver.send(request, caller()));
                if said.status < 500 {
                    let is_reserve = said.status == 201 && request.path.ends_with("reservations");
                    claimed += i64::from(is_reserve);
                    break;
                }
            }
        }
        driver.store.heal();
        driver.store.advance(5_000);
        driver.settle();
        driver.verify();
        let reserved = driver.events().iter().filter(|one| one.is::<Reserved>()).count();
        assert_eq!(i64::try_from(reserved).unwrap(), claimed);
    }

    #[test]
    fn nothing_ever_differs(commands in prop::collection::vec(command(), 1..40)) {
        let mut run = Run { driver: start(), reservations: Vec::new(), hours: 0 };
        for command in &commands {
            run.apply(command);
        }
        run.driver.verify();
        run.driver.settle();
        run.driver.verify();
    }
}
