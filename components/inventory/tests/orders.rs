//! Orders, supply, the turn of the day and the verifier, as callers see them.

#![allow(clippy::unwrap_used, reason = "tests may panic")]

mod driver;

use driver::{Driver, id};
use serde_json::{Value, json};
use tradewind_kernel::asks::suppliers::Offer;
use tradewind_kernel::calendar::Calendar;
use tradewind_kernel::events::inventory::{ItemPegged, OrderChanged};
use tradewind_kernel::events::suppliers::SupplierStatus;
use tradewind_shell::world::World;

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
    let told =
        |driver: &Driver| driver.events().iter().filter(|one| one.is::<OrderChanged>()).count();
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
    let lines =
        json!([{ "line": 1, "sku": "X", "quantity": 1 }, { "line": 1, "sku": "Z", "quantity": 1 }]);
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
    let of = |said: &Value, field: &str| {
        [said["lines"][0][field].clone(), said["lines"][1][field].clone()]
    };
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
    let driver = shop(&[("L1", 1)]);
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
    *driver.world.asks().0.borrow_mut() =
        vec![offer("S1", SupplierStatus::Approved, 5), offer("S2", SupplierStatus::Suspended, 1)];
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
        driver.call(
            "POST",
            "movements",
            json!({ "sku": "X", "quantity": quantity, "from": from, "to": to }),
        )
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
    let stock = driver.get("items/X/stock");
    let want = json!([
        { "node": "L1", "sellable": 2, "hold": 1, "damaged": 0, "claimed": 2, "free": 0 },
        { "node": "L2", "sellable": 3, "hold": 0, "damaged": 0, "claimed": 0, "free": 3 },
    ]);
    assert_eq!(stock["nodes"], want);
    assert_eq!(stock["elsewhere"]["found"], json!(-6));
    driver.verify();
}

#[test]
fn places_outside_have_room_for_mistakes() {
    let driver = shop(&[("L1", 1)]);
    let back = json!({ "sku": "X", "quantity": 1, "from": { "node": "L1" }, "to": "found" });
    driver.post("movements", back);
    let most = 1_000_000_000_000_000_i64;
    let go = |from: Value, to: Value| {
        let body = json!({ "sku": "X", "quantity": most, "from": from, "to": to });
        driver.call("POST", "movements", body)
    };
    let at = json!({ "node": "L1" });
    for _ in 0..4 {
        go(json!("found"), at.clone()).is(201);
        go(json!("found"), at.clone()).refused(409, "stock-too-large");
        go(at.clone(), json!("loss")).is(201);
        go(json!("found"), json!("supplier")).is(201);
    }
    go(json!("found"), at).refused(409, "stock-too-large");
    assert_eq!(driver.get("items/X/stock")["elsewhere"]["found"], json!(-8 * most));
    driver.verify();
}

#[test]
fn a_base_unit_that_is_in_use_stays() {
    let driver = Driver::new("2026-12-01T09:00:00Z");
    let unit =
        |unit: &str| driver.call("PUT", "items/X", json!({ "name": "X", "base_unit": unit }));
    unit("each").is(201);
    unit("kg").is(200);
    driver.put("nodes/L1", json!({}));
    driver.put("channels/web", json!({ "kind": "dtc", "priority": 1, "nodes": ["L1"] }));
    let line = json!({ "sku": "X", "quantity": 1 });
    driver.put("orders/A", json!({ "channel": "web", "lines": [line] }));
    unit("each").refused(409, "base-unit-in-use");
    driver.call("PUT", "items/X", json!({ "name": "Z", "base_unit": "kg" })).is(200);
    driver.call("POST", "orders/A/cancel", json!({})).is(200);
    unit("each").is(200);
    let kept = json!({ "sku": "X", "channel": "web", "quantity": 1, "from": "2026-12-01",
                       "until": "2026-12-02" });
    driver.put("protections/P", kept);
    unit("kg").refused(409, "base-unit-in-use");
    driver.call("DELETE", "protections/P", Value::Null).is(200);
    unit("kg").is(200);
    driver.stock("X", "L1", 1);
    unit("each").refused(409, "base-unit-in-use");
    driver.verify();
}

/// A line without a promise is claimed before the item is pegged again: nobody is told of a day. When
/// the claim goes, the day that it is promised is its first, whatever was kept meanwhile.
#[test]
fn a_day_that_nobody_was_told_of_is_never_the_old_one() {
    let driver = shop(&[("L1", 1)]);
    driver.reserve("cart", 1).is(201);
    let said = order(&driver, "A", 2, "2026-12-02");
    assert_eq!(promised(&said), [Value::Null]);
    driver.settle();
    driver.stock("X", "L1", 2);
    let reservation = driver.reserve("A", 2).is(201).body["id"].clone();
    driver.settle();
    let kept = driver.get("orders/A");
    assert_eq!(
        (&kept["lines"][0]["promised"], &kept["lines"][0]["reason"]),
        (&json!("2026-12-02"), &json!("filled"))
    );
    driver.post(&format!("reservations/{}/release", reservation.as_str().unwrap()), json!({}));
    driver.settle();
    let told: Vec<ItemPegged> = driver
        .events()
        .iter()
        .filter(|one| one.is::<ItemPegged>())
        .map(|one| one.read().unwrap())
        .collect();
    let moved = &told.iter().rfind(|one| !one.moved.is_empty()).unwrap().moved[0];
    assert_eq!((moved.first, moved.old_day), (true, None));
    assert_eq!(moved.new_day, Some("2026-12-02".parse().unwrap()));
    driver.verify();
}
