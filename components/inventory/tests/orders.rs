//! Orders, supply, the turn of the day and the verifier, as callers see them.

mod driver;

use driver::{Driver, id};
use futures::executor::block_on;
use serde_json::{Value, json};
use tradewind_inventory::keys;
use tradewind_kernel::asks::suppliers::Offer;
use tradewind_kernel::calendar::Calendar;
use tradewind_kernel::decision::Decision;
use tradewind_kernel::events::finance::SettingsChanged;
use tradewind_kernel::events::inventory::{
    AvailabilityChanged, DayTurned, ItemPegged, LineOverdue, OrderChanged, StockMoved,
};
use tradewind_kernel::events::procurement::{
    OrderCancelled, OrderLine, OrderReceived, OrderReleased, OrderState, OrderStatus,
    ReceivedLine, ScheduleEntry,
};
use tradewind_kernel::events::suppliers::SupplierStatus;
use tradewind_kernel::{Day, Domain};
use tradewind_shell::store::{Commit, Needs, Store};
use tradewind_shell::serve::system_task;
use tradewind_shell::world::World;

const NOW: &str = "2026-12-01T09:00:00Z";

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

fn shop(nodes: &[(&str, i64)]) -> Driver {
    let driver = Driver::new(NOW);
    driver.shop(nodes);
    driver
}

fn purchase(order: &str, lines: &[(&str, i64, &str)]) -> OrderState {
    let line = |(number, (sku, quantity, on)): (u32, &(&str, i64, &str))| OrderLine {
        line: number,
        sku: id(sku),
        node: id("L1"),
        quantity: *quantity,
        price: "5".parse().unwrap(),
        due: day(on),
        accepted: 0,
        rejected: 0,
        cancelled: 0,
        open: *quantity,
        schedule: vec![ScheduleEntry { day: day(on), quantity: *quantity }],
        confirmed: None,
        waiting_price: None,
        last_receipt: None,
    };
    OrderState {
        order: id(order),
        supplier: id("S1"),
        currency: "USD".parse().unwrap(),
        terms_days: 30,
        status: OrderStatus::Released,
        released: Some(day("2026-11-20")),
        raised_by: "buyer".to_owned(),
        raised_at: driver::instant("2026-11-20T08:00:00Z"),
        lines: (1..).zip(lines).map(line).collect(),
    }
}

fn release(driver: &Driver, order: &OrderState) -> String {
    let told = OrderReleased { order: order.clone() };
    let correlation = driver.tell(Domain::Procurement, order.order.as_str(), &told);
    driver.settle();
    correlation
}

fn order(driver: &Driver, name: &str, quantity: i64, wanted: &str) -> Value {
    let line = json!({ "sku": "X", "quantity": quantity, "wanted": wanted });
    driver.put(&format!("orders/{name}"), json!({ "channel": "web", "lines": [line] }))
}

fn promised(said: &Value) -> Vec<Value> {
    said["lines"].as_array().unwrap().iter().map(|line| line["promised"].clone()).collect()
}

#[test]
fn an_order_is_answered_with_its_promise() {
    let driver = shop(&[("L1", 5)]);
    let said = order(&driver, "A", 3, "2026-12-02");
    assert_eq!(promised(&said), ["2026-12-02"]);
    assert_eq!(said["lines"][0]["reason"], "as-wanted");
    assert_eq!(said["lines"][0]["pegs"][0]["supply"], "stock:L1");
    let kept = driver.get("orders/A");
    assert_eq!(kept["lines"], said["lines"]);
    assert_eq!(driver.available("X", "web"), 5, "an order never claims");

    // The same again changes nothing.
    let body = json!({ "channel": "web", "lines": [{ "sku": "X", "quantity": 3, "wanted": "2026-12-02" }] });
    let told = |driver: &Driver| driver.events().iter().filter(|one| one.is::<OrderChanged>()).count();
    let again = driver.call("PUT", "orders/A", body).is(200);
    assert_eq!(again.body["version"], kept["version"]);
    assert_eq!(told(&driver), 1);
    driver.verify();
}

#[test]
fn an_order_changes_and_is_cancelled() {
    let driver = shop(&[("L1", 5)]);
    driver.put("items/Y", json!({}));
    let lines = json!([
        { "line": 2, "sku": "X", "quantity": 5, "wanted": "2026-12-02" },
        { "line": 7, "sku": "Y", "quantity": 1 },
    ]);
    driver.put("orders/A", json!({ "channel": "web", "lines": lines }));
    order(&driver, "B", 2, "2026-12-03");
    driver.settle();
    assert_eq!(promised(&driver.get("orders/B")), [Value::Null]);
    // A left-out line is cancelled; what it held serves the other order.
    let lines = json!([{ "line": 2, "sku": "X", "quantity": 3, "wanted": "2026-12-02" }]);
    driver.put("orders/A", json!({ "channel": "web", "lines": lines }));
    assert_eq!(promised(&driver.get("orders/B")), ["2026-12-03"]);
    let changed: OrderChanged =
        driver.events().iter().rev().find(|one| one.is::<OrderChanged>()).unwrap().read().unwrap();
    assert_eq!(changed.dropped, [id("Y")]);
    driver.verify();

    let said = driver.post("orders/A/cancel", json!({ "reason": "changed their mind" }));
    assert_eq!(said["status"], "cancelled");
    driver.call("POST", "orders/A/cancel", json!({})).refused(409, "order-cancelled");
    let body = json!({ "channel": "web", "lines": [{ "sku": "X", "quantity": 1 }] });
    driver.call("PUT", "orders/A", body).refused(409, "order-cancelled");
    driver.call("POST", "orders/none/cancel", json!({})).refused(404, "not-found");
    let said = driver.get("promise?sku=X&channel=web&quantity=3");
    assert_eq!(said["day"], "2026-12-01");
    driver.verify();
}

#[test]
fn every_fault_of_an_order_is_named() {
    let driver = shop(&[("L1", 5)]);
    let lines = json!([{ "line": 1, "sku": "X", "quantity": 1 }, { "line": 1, "sku": "Z", "quantity": 1 }]);
    let said = driver.call("PUT", "orders/A", json!({ "channel": "no", "lines": lines })).is(422);
    let codes: Vec<_> =
        said.body["errors"].as_array().unwrap().iter().map(|one| &one["code"]).collect();
    assert_eq!(codes, ["channel-unknown", "line-repeated", "sku-unknown"]);
}

#[test]
fn claims_fill_lines_in_line_order() {
    let driver = shop(&[("L1", 9)]);
    let line = json!({ "sku": "X", "quantity": 4, "wanted": "2026-12-02" });
    driver.put("orders/A", json!({ "channel": "web", "lines": [line, line] }));
    let reservation = driver.reserve("A", 5).is(201).body;
    let said = driver.get("orders/A");
    let of = |said: &Value, field: &str| [said["lines"][0][field].clone(), said["lines"][1][field].clone()];
    assert_eq!(of(&said, "claimed"), [json!(4), json!(1)]);
    assert_eq!(said["lines"][1]["pegs"][0]["quantity"], json!(3));
    let path = format!("reservations/{}", reservation["id"].as_str().unwrap());
    driver.post(&format!("{path}/ship"), json!({ "lines": [{ "sku": "X", "quantity": 2 }] }));
    driver.post(&format!("{path}/release"), json!({}));
    let said = driver.get("orders/A");
    assert_eq!(of(&said, "shipped"), [json!(2), json!(0)]);
    assert_eq!(of(&said, "claimed"), [json!(0), json!(0)]);
    driver.verify();
}

#[test]
fn a_line_that_only_a_purchase_could_serve_names_its_day() {
    let driver = shop(&[("L1", 0 + 1)]);
    let offer = |supplier: &str, status, lead_time_days| Offer {
        supplier: id(supplier),
        status,
        calendar: Calendar::default(),
        terms_days: 30,
        score: None,
        lead_time_deviation: None,
        sku: id("X"),
        price: serde_json::from_value(json!({ "amount": "9", "currency": "USD" })).unwrap(),
        lead_time_days,
        minimum: 1,
        multiple: 1,
        maximum: None,
        breaks: Vec::new(),
        expedite: None,
        from: None,
        until: None,
    };
    *driver.world.asks().0.borrow_mut() = vec![
        offer("S1", SupplierStatus::Approved, 5),
        offer("S2", SupplierStatus::Suspended, 1),
    ];
    let calendar = json!({ "open": ["mon", "tue", "wed", "thu", "fri"] });
    driver.put("nodes/L1", json!({ "calendar": calendar, "receiving_days": 1 }));
    let said = order(&driver, "A", 50, "2026-12-02");
    // 2026-12-06 is a Sunday: received on Monday, usable on Tuesday.
    let want = json!({ "day": "2026-12-08", "supplier": "S1", "node": "L1" });
    for said in [said, driver.get("orders/A")] {
        let line = &said["lines"][0];
        assert_eq!((&line["promised"], &line["reason"]), (&Value::Null, &json!("purchase")));
        assert_eq!(line["purchase"], want);
    }
    let said = driver.get("promise?sku=X&channel=web&quantity=50");
    assert_eq!((&said["day"], &said["reason"]), (&json!("2026-12-08"), &json!("purchase")));
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
    let correlation = driver.tell(Domain::Procurement, "PO", &told);
    driver.settle();
    assert_eq!(driver.available("X", "web"), 8);
    let [moved]: [StockMoved; 1] = driver.told(&correlation).try_into().unwrap();
    assert_eq!((moved.quantity, moved.from.as_str(), moved.to.as_str()), (7, "supplier", "L1/sellable"));
    assert_eq!(moved.document, Some(id("rcp_1")));
    let [pegged]: [ItemPegged; 1] = driver.told(&correlation).try_into().unwrap();
    assert_eq!(pegged.moved[0].new_day, Some(day("2026-12-03")));
    let [changed]: [AvailabilityChanged; 1] = driver.told(&correlation).try_into().unwrap();
    assert_eq!(changed.channels[0].available_after, 8);
    driver.verify();

    let told = OrderCancelled { order: OrderState { status: OrderStatus::Cancelled, ..po } };
    driver.tell(Domain::Procurement, "PO", &told);
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
    let parts: Vec<_> =
        pegged.iter().map(|one| (one.part, one.parts, one.moved.len(), one.left_over.len())).collect();
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
    driver.tell(Domain::Finance, "settings", &settings);
    let said = driver.get("promise?sku=X&channel=web&quantity=1");
    assert_eq!(said["day"], "2026-12-02");
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
    driver.verify();
}

#[test]
fn protections_are_few_and_do_not_overlap() {
    let driver = shop(&[("L1", 5)]);
    let body = |month: u32| {
        json!({ "sku": "X", "channel": "web", "quantity": 1, "from": format!("2027-{month:02}-01"),
                "until": format!("2027-{month:02}-28") })
    };
    for month in 1..=6 {
        driver.call("PUT", &format!("protections/P{month}"), body(month)).is(201);
    }
    driver.call("PUT", "protections/P7", body(7)).refused(409, "too-many-protections");
    driver.call("PUT", "protections/P7", body(6)).refused(409, "protection-overlaps");
    driver.call("PUT", "protections/P1", body(7)).is(200);
    let same = driver.call("PUT", "protections/P1", body(7)).is(200);
    assert_eq!(same.body["version"], driver.get("protections/P1")["version"]);
    let past = json!({ "sku": "X", "channel": "web", "quantity": 1, "from": "2026-11-01", "until": "2026-11-30" });
    driver.call("PUT", "protections/P1", past).refused(422, "window-passed");
    driver.verify();
}

#[test]
fn movements_never_make_stock_negative() {
    let driver = shop(&[("L1", 5), ("L2", 1)]);
    driver.reserve("A", 2).is(201);
    let at = |node: &str, status: &str| json!({ "node": node, "status": status });
    let go = |quantity: i64, from: Value, to: Value| {
        driver.call("POST", "movements", json!({ "sku": "X", "quantity": quantity, "from": from, "to": to }))
    };
    go(4, at("L1", "sellable"), at("L1", "hold")).refused(409, "stock-negative");
    go(3, at("L1", "sellable"), at("L1", "hold")).is(201);
    go(1, json!("transit"), at("L2", "sellable")).refused(409, "stock-negative");
    go(2, at("L1", "hold"), json!("transit")).is(201);
    go(2, json!("transit"), at("L2", "sellable")).is(201);
    go(4, json!("supplier"), json!("loss")).is(201);
    go(1, json!("loss"), json!("loss")).refused(422, "same-place");
    go(1, json!("somewhere"), json!("loss")).is(422);
    go(1, at("L7", "sellable"), json!("loss")).refused(422, "node-unknown");
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
    let found: Vec<_> =
        said["differences"].as_array().unwrap().iter().map(|one| one["what"].as_str().unwrap()).collect();
    assert_eq!(found, ["sellable:L1", "claimed:A", "sum"]);
}
