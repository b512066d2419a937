//! Supply, the turn of the day, the network and the verifier, as callers see them.

#![allow(clippy::unwrap_used, reason = "tests may panic")]

mod driver;

use driver::purchases::{day, purchase, release};
use driver::{Driver, id};
use futures::executor::block_on;
use serde_json::{Value, json};
use tradewind_inventory::keys;
use tradewind_kernel::Domain;
use tradewind_kernel::decision::Decision;
use tradewind_kernel::events::finance::SettingsChanged;
use tradewind_kernel::events::inventory::{
    AvailabilityChanged, DayTurned, ItemPegged, LineOverdue, StockMoved,
};
use tradewind_kernel::events::procurement::{
    OrderCancelled, OrderReceived, OrderState, OrderStatus, ReceivedLine,
};
use tradewind_shell::serve::system_task;
use tradewind_shell::store::{Commit, Needs, Store};

const NOW: &str = "2026-12-01T09:00:00Z";

fn shop(nodes: &[(&str, i64)]) -> Driver {
    let driver = Driver::new(NOW);
    driver.shop(nodes);
    driver
}

fn order(driver: &Driver, name: &str, quantity: i64, wanted: &str) -> Value {
    let line = json!({ "sku": "X", "quantity": quantity, "wanted": wanted });
    driver.put(&format!("orders/{name}"), json!({ "channel": "web", "lines": [line] }))
}

fn promised(said: &Value) -> Vec<Value> {
    said["lines"].as_array().unwrap().iter().map(|line| line["promised"].clone()).collect()
}

#[test]
fn a_receipt_becomes_stock_and_rejects_do_not() {
    let driver = shop(&[("L1", 1)]);
    let mut po = purchase("PO", &[("X", 10, "2026-12-05")]);
    release(&driver, &po);
    order(&driver, "A", 6, "2026-12-01");
    assert_eq!(promised(&driver.get("orders/A")), ["2026-12-05"]);
    driver.world.set_now(driver::instant("2026-12-03T09:00:00Z"));
    (po.lines[0].accepted, po.lines[0].rejected, po.lines[0].open) = (7, 2, 3);
    po.lines[0].schedule[0].quantity = 3;
    let line = ReceivedLine {
        line: 1,
        sku: id("X"),
        accepted: 7,
        rejected: 2,
        price: "5".parse().unwrap(),
    };
    let told = OrderReceived {
        order: po.clone(),
        receipt: id("rcp_1"),
        node: id("L1"),
        day: day("2026-12-03"),
        received: vec![line],
    };
    let correlation = driver.tell("PO", &told);
    driver.settle();
    assert_eq!(driver.available("X", "web"), 8);
    let [moved]: [StockMoved; 1] = driver.told(&correlation).try_into().unwrap();
    assert_eq!(
        (moved.quantity, moved.from.as_str(), moved.to.as_str()),
        (7, "supplier", "L1/sellable")
    );
    assert_eq!(moved.document, Some(id("rcp_1")));
    let [pegged]: [ItemPegged; 1] = driver.told(&correlation).try_into().unwrap();
    assert_eq!(pegged.moved[0].new_day, Some(day("2026-12-03")));
    let [changed]: [AvailabilityChanged; 1] = driver.told(&correlation).try_into().unwrap();
    assert_eq!(changed.channels[0].available_after, 8);
    driver.verify();

    let told = OrderCancelled { order: OrderState { status: OrderStatus::Cancelled, ..po } };
    driver.tell("PO", &told);
    let said = driver.get("promise?sku=X&channel=web&quantity=10");
    assert_eq!(said["day"], Value::Null, "nothing is to come any more");
    driver.verify();
}

#[test]
fn an_event_about_several_items_pegs_each() {
    let driver = shop(&[("L1", 1)]);
    driver.put("items/Y", json!({}));
    for sku in ["X", "Y"] {
        let line = json!({ "sku": sku, "quantity": 5 });
        driver.put(&format!("orders/O{sku}"), json!({ "channel": "web", "lines": [line] }));
    }
    let po = purchase("PO", &[("X", 9, "2026-12-05"), ("Y", 9, "2026-12-06")]);
    let correlation = release(&driver, &po);
    let pegged: Vec<ItemPegged> = driver.told(&correlation);
    let moved: Vec<_> = pegged.iter().map(|one| (one.sku.as_str(), one.moved.len())).collect();
    assert_eq!(moved, [("X", 1), ("Y", 1)]);
    driver.verify();
}

#[test]
fn more_promises_than_one_commit_holds_move_in_parts() {
    let driver = shop(&[("L1", 1)]);
    let mut po = purchase("PO", &[("X", 1000, "2026-12-05")]);
    release(&driver, &po);
    for batch in 0..3 {
        let line = json!({ "sku": "X", "quantity": 1, "wanted": "2026-12-02" });
        let lines = vec![line; 200];
        driver.put(&format!("orders/O{batch}"), json!({ "channel": "web", "lines": lines }));
    }
    driver.settle();
    po.lines[0].schedule[0].day = day("2026-12-09");
    let correlation = release(&driver, &po);
    let pegged: Vec<ItemPegged> = driver.told(&correlation);
    let parts: Vec<_> = pegged
        .iter()
        .map(|one| (one.part, one.parts, one.moved.len(), one.left_over.len()))
        .collect();
    assert_eq!(parts, [(1, 3, 256, 0), (2, 3, 256, 0), (3, 3, 87, 1)]);
    driver.verify();
}

#[test]
fn the_day_turns_once_and_supply_slides() {
    let driver = shop(&[("L1", 2)]);
    driver.tick();
    release(&driver, &purchase("PO", &[("X", 5, "2026-12-02")]));
    order(&driver, "A", 7, "2026-12-01");
    driver.put(
        "protections/P",
        json!({ "sku": "X", "channel": "web", "quantity": 1, "from": "2026-12-03", "until": "2026-12-03" }),
    );
    driver.settle();
    driver.world.set_now(driver::instant("2026-12-03T00:00:01Z"));
    for _ in 0..3 {
        driver.tick();
    }
    let turned: Vec<_> = driver.events().into_iter().filter(|one| one.is::<DayTurned>()).collect();
    let [turned] = turned.as_slice() else { panic!("{turned:?}") };
    let told: DayTurned = turned.read().unwrap();
    assert_eq!((told.from, told.to), (Some(day("2026-12-01")), day("2026-12-03")));
    let pegged: Vec<ItemPegged> = driver.told(&turned.origin.correlation);
    assert_eq!(pegged.len(), 1, "{pegged:?}");
    driver.verify();
    driver.world.set_now(driver::instant("2026-12-04T00:00:01Z"));
    driver.tick();
    assert_eq!(driver.get("availability?sku=X&channel=web")["protected"], json!([]));
    driver.verify();
}

#[test]
fn what_could_have_shipped_keeps_its_promise_and_is_overdue_once() {
    let driver = shop(&[("L1", 5)]);
    driver.tick();
    order(&driver, "A", 3, "2026-12-01");
    driver.settle();
    for now in ["2026-12-02T01:00:00Z", "2026-12-03T01:00:00Z"] {
        driver.world.set_now(driver::instant(now));
        driver.tick();
    }
    let said = driver.get("orders/A");
    assert_eq!(promised(&said), ["2026-12-01"]);
    assert_eq!(said["lines"][0]["overdue"], json!(true));
    let overdue = driver.events().iter().filter(|one| one.is::<LineOverdue>()).count();
    assert_eq!(overdue, 1);
    driver.verify();
    driver.reserve("A", 3).is(201);
    assert_eq!(driver.get("orders/A")["lines"][0]["overdue"], json!(false));
    driver.verify();
}

#[test]
fn the_day_is_that_of_the_tenants_zone() {
    let driver = shop(&[("L1", 5)]);
    driver.world.set_now(driver::instant("2026-12-01T23:30:00Z"));
    let settings = SettingsChanged { zone: "Europe/Berlin".parse().unwrap(), ..Default::default() };
    driver.tell("settings", &settings);
    let said = driver.get("promise?sku=X&channel=web&quantity=1");
    assert_eq!(said["day"], "2026-12-02");
}

#[test]
fn a_delivery_that_slides_moves_no_line_that_stock_could_still_serve() {
    let driver = shop(&[("L1", 5)]);
    release(&driver, &purchase("PO", &[("X", 10, "2026-12-03")]));
    order(&driver, "A", 3, "2026-12-01");
    order(&driver, "B", 4, "2026-12-01");
    driver.settle();
    assert_eq!(promised(&driver.get("orders/A")), ["2026-12-01"]);
    assert_eq!(promised(&driver.get("orders/B")), ["2026-12-03"]);
    for day in ["2026-12-02", "2026-12-03", "2026-12-05"] {
        driver.world.set_now(driver::instant(&format!("{day}T09:00:00Z")));
        driver.tick();
        driver.settle();
        let said = driver.get("orders/A");
        let line = &said["lines"][0];
        assert_eq!((&line["promised"], &line["overdue"]), (&json!("2026-12-01"), &json!(true)));
        assert_eq!(line["pegs"][0]["supply"], "stock:L1", "{day}");
        driver.verify();
    }
    // B was promised out of the delivery: it waits for it.
    let said = driver.get("orders/B");
    assert_eq!(
        (&said["lines"][0]["overdue"], promised(&said)),
        (&json!(false), vec![json!("2026-12-05")])
    );
    assert_eq!(driver.events().iter().filter(|one| one.is::<LineOverdue>()).count(), 1);
    // Goods that are gone serve nobody.
    let to = json!({ "sku": "X", "quantity": 4, "from": { "node": "L1" }, "to": "loss" });
    driver.post("movements", to);
    driver.settle();
    let said = driver.get("orders/A");
    assert_eq!(
        (&said["lines"][0]["overdue"], promised(&said)),
        (&json!(false), vec![json!("2026-12-05")])
    );
    driver.verify();
}

#[test]
fn what_is_wholly_claimed_is_filled_whatever_it_was_promised() {
    let driver = shop(&[("L1", 1)]);
    order(&driver, "A", 6, "2026-12-04");
    driver.settle();
    assert_eq!(promised(&driver.get("orders/A")), [Value::Null]);
    driver.stock("X", "L1", 5);
    driver.reserve("A", 6).is(201);
    let line = driver.get("orders/A")["lines"][0].clone();
    assert_eq!((&line["promised"], &line["reason"]), (&json!("2026-12-04"), &json!("filled")));
    driver.settle();
    let line = driver.get("orders/A")["lines"][0].clone();
    assert_eq!((&line["promised"], &line["reason"]), (&json!("2026-12-04"), &json!("filled")));
    driver.verify();
}

#[test]
fn promises_are_verified_on_a_day_that_the_zone_took_back() {
    let driver = shop(&[("L1", 5)]);
    driver.world.set_now(driver::instant("2026-12-01T23:30:00Z"));
    let zone = |name: &str| {
        let settings = SettingsChanged { zone: name.parse().unwrap(), ..Default::default() };
        driver.tell("settings", &settings);
        driver.tick();
        driver.settle();
    };
    zone("Europe/Berlin");
    order(&driver, "A", 3, "2026-12-01");
    driver.settle();
    assert_eq!(promised(&driver.get("orders/A")), ["2026-12-02"]);
    zone("UTC");
    order(&driver, "B", 1, "2026-12-01");
    driver.settle();
    let said = driver.get("verify");
    assert_eq!((&said["differences"], &said["pegged"]), (&json!([]), &json!(1)));
}

#[test]
fn a_changed_channel_tells_of_stock_that_nobody_ordered() {
    let driver = shop(&[("L1", 30)]);
    driver.put("items/Y", json!({ "name": "Y" }));
    driver.settle();
    let capped = json!({ "kind": "dtc", "priority": 1, "nodes": ["L1"], "cap": 5 });
    let said = driver.call("PUT", "channels/web", capped).is(200);
    driver.settle();
    let correlation = said.header("correlation-id").unwrap();
    let changed: Vec<AvailabilityChanged> = driver.told(correlation);
    let [only] = changed.as_slice() else { panic!("{changed:?}") };
    let channel = &only.channels[0];
    assert_eq!((channel.sku.as_str(), channel.available_before), ("X", 30));
    assert_eq!(channel.available_after, 5);
    assert!(driver.told::<ItemPegged>(correlation).is_empty(), "there is nothing to promise");
    // What changes nothing of it tells nothing.
    let said = driver.call("PUT", "nodes/L9", json!({})).is(201);
    driver.settle();
    let correlation = said.header("correlation-id").unwrap();
    assert!(driver.told::<AvailabilityChanged>(correlation).is_empty());
    driver.verify();
}

#[test]
fn a_changed_network_pegs_anew() {
    let driver = shop(&[("L1", 5), ("L2", 5)]);
    order(&driver, "A", 8, "2026-12-02");
    driver.settle();
    let narrow = json!({ "kind": "dtc", "priority": 1, "nodes": ["L2"] });
    let said = driver.call("PUT", "channels/web", narrow).is(200);
    driver.settle();
    let pegged: Vec<ItemPegged> = driver.told(said.header("correlation-id").unwrap());
    assert_eq!(pegged[0].moved[0].new_day, None);
    let changed: Vec<AvailabilityChanged> = driver.told(said.header("correlation-id").unwrap());
    let channel = &changed[0].channels[0];
    assert_eq!((channel.available_before, channel.available_after), (10, 5));
    driver.verify();
}

#[test]
fn the_verifier_finds_what_is_planted() {
    let driver = shop(&[("L1", 5)]);
    driver.verify();
    let task = system_task(&driver.world, driver::TENANT, Needs::Nothing);
    let mut decision = Decision::default();
    decision.add(keys::stock(&id("X")), "sellable:L1", 1);
    decision.add(keys::fills(&id("X")), "claimed:A", 2);
    let commit = Commit {
        tenant: driver::TENANT.to_owned(),
        domain: Domain::Inventory,
        needs: Needs::Nothing,
        idempotency: None,
        checks: Vec::new(),
        guards: Vec::new(),
        writes: decision.writes,
        events: Vec::new(),
        origin: task.origin,
        cursor: None,
        unmark: None,
        tenant_known: true,
        frees: true,
    };
    block_on(driver.store.commit(&commit)).unwrap();
    let said = driver.get("verify");
    let found: Vec<_> = said["differences"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["what"].as_str().unwrap())
        .collect();
    assert_eq!(found, ["sellable:L1", "claimed:A", "sum"]);
}
