//! Reserving, shipping, releasing and expiring, as callers see it.

#![allow(clippy::unwrap_used, reason = "tests may panic")]

mod driver;

use driver::Driver;
use futures::executor::block_on;
use serde_json::{Value, json};
use tradewind_kernel::events::inventory::ReservationReleased;
use tradewind_shell::route::Role;

const NOW: &str = "2026-12-01T09:00:00Z";

fn shop(nodes: &[(&str, i64)]) -> Driver {
    let driver = Driver::new(NOW);
    driver.shop(nodes);
    driver
}

fn nodes(said: &Value) -> String {
    let lines = said["lines"].as_array().unwrap();
    let all = lines.iter().flat_map(|line| line["allocations"].as_array().unwrap());
    let text = all.map(|one| format!("{} {}", one["node"].as_str().unwrap(), one["quantity"]));
    text.collect::<Vec<_>>().join(" + ")
}

#[test]
fn c43_reservation_basics() {
    let driver = shop(&[("L1", 2)]);
    let said = driver.reserve("A", 3).refused(409, "insufficient-stock");
    assert_eq!(said.body["errors"][0]["pointer"], "/lines/0");
    assert_eq!(said.body["errors"][0]["detail"], "2 of `X` available, 3 asked for");
    assert_eq!(driver.available("X", "web"), 2, "reserved stays 0");
    let lines = json!([{ "sku": "X", "quantity": 3 }]);
    driver.put("orders/B", json!({ "channel": "web", "lines": lines }));
    let partial = json!({ "order": "B", "channel": "web", "mode": "partial", "lines": lines });
    let said = driver.call("POST", "reservations", partial).is(201).body;
    assert_eq!((nodes(&said).as_str(), &said["lines"][0]["backordered"]), ("L1 2", &json!(1)));
    assert_eq!(driver.available("X", "web"), 0);
    // Not stocked there: the channel's node has none of it.
    driver.put("nodes/L9", json!({}));
    driver.put("channels/far", json!({ "kind": "dtc", "priority": 2, "nodes": ["L9"] }));
    let body = json!({ "order": "C", "channel": "far", "lines": [{ "sku": "X", "quantity": 1 }] });
    driver.call("POST", "reservations", body).refused(409, "insufficient-stock");
    driver.verify();
}

#[test]
fn c44_lines_of_one_order_count_together() {
    let driver = shop(&[("L1", 2)]);
    let line = json!({ "sku": "X", "quantity": 2 });
    let body = json!({ "order": "A", "channel": "web", "lines": [line, line, line] });
    let said = driver.call("POST", "reservations", body).refused(409, "insufficient-stock");
    assert_eq!(said.body["errors"].as_array().unwrap().len(), 2, "the second and third are short");
    assert_eq!(driver.available("X", "web"), 2);
    let lines = json!([{ "sku": "X", "quantity": 1 }, { "sku": "X", "quantity": 2 }]);
    let body = json!({ "order": "A", "channel": "web", "lines": lines });
    let said = driver.call("POST", "reservations", body).refused(409, "insufficient-stock").body;
    let want = "1 of `X` left for this line, 2 asked for; 2 available in all";
    assert_eq!((&said["detail"], &said["errors"][0]["detail"]), (&json!(want), &json!(want)));
    assert_eq!(said["errors"][0]["pointer"], "/lines/1");

    let driver = shop(&[("L1", 4), ("L2", 4)]);
    driver.put("channels/two", json!({ "kind": "dtc", "priority": 2, "nodes": ["L2"] }));
    let body = json!({ "order": "A", "channel": "two", "lines": [{ "sku": "X", "quantity": 2 }] });
    driver.post("reservations", body);
    assert_eq!(driver.available("X", "web"), 6);
    assert_eq!(driver.available("X", "two"), 2);
}

#[test]
fn c45_node_splits() {
    for (stock, quantity, strategy, want) in [
        ([("A", 4), ("B", 3)], 5, "most-stock", "A 4 + B 1"),
        ([("B", 3), ("A", 4)], 5, "node-order", "B 3 + A 2"),
        ([("A", 10), ("B", 15)], 13, "node-order", "A 10 + B 3"),
        ([("A", 10), ("B", 15)], 13, "fewest-splits", "B 13"),
    ] {
        let driver = shop(&stock);
        let lines = json!([{ "sku": "X", "quantity": quantity }]);
        let body = json!({ "order": "A", "channel": "web", "strategy": strategy, "lines": lines });
        assert_eq!(nodes(&driver.post("reservations", body)), want);
        driver.verify();
    }
    let driver = shop(&[("A", 4), ("B", 3)]);
    driver.reserve("A", 10).refused(409, "insufficient-stock");
    driver.reserve("cart", 2).is(201);
    assert_eq!(nodes(&driver.reserve("A", 3).is(201).body), "A 2 + B 1");
}

#[test]
fn two_hundred_on_the_last_unit_and_one_wins() {
    let driver = shop(&[("L1", 1)]);
    let requests: Vec<_> = (0..200)
        .map(|client| {
            let lines = json!([{ "sku": "X", "quantity": 1 }]);
            let body = json!({ "order": format!("O{client}"), "channel": "web", "lines": lines });
            driver.request("POST", "reservations", &body)
        })
        .collect();
    let caller = || Driver::caller(&[Role::Admin], None);
    let all = requests.iter().map(|request| driver.send(request, caller()));
    let said = block_on(futures::future::join_all(all));
    assert_eq!(said.iter().filter(|one| one.status == 201).count(), 1);
    assert_eq!(said.iter().filter(|one| one.status == 409).count(), 199);
    driver.verify();
}

#[test]
fn many_clients_share_stock_exactly() {
    let driver = shop(&[("L1", 30), ("L2", 25)]);
    let requests: Vec<_> = (0..60)
        .map(|client| {
            let lines = json!([{ "sku": "X", "quantity": 1 + client % 3 }]);
            let stated = json!({ "channel": "web", "lines": lines });
            driver.put(&format!("orders/O{client}"), stated);
            let body = json!({ "order": format!("O{client}"), "channel": "web",
                               "mode": "partial", "lines": lines });
            driver.request("POST", "reservations", &body)
        })
        .collect();
    let caller = || Driver::caller(&[Role::Admin], None);
    let all = requests.iter().map(|request| driver.send(request, caller()));
    for said in block_on(futures::future::join_all(all)) {
        said.is(201);
    }
    assert_eq!(driver.available("X", "web"), 0);
    driver.verify();
}

#[test]
fn partial_grants_nothing_more_where_nothing_may_stay_open() {
    let driver = shop(&[("L1", 2)]);
    let strict = json!({ "kind": "dtc", "priority": 1, "nodes": ["L1"], "backorder": false });
    driver.put("channels/web", strict);
    let body = |order: Option<&str>, quantity: i64| {
        json!({ "order": order, "channel": "web", "mode": "partial",
                "lines": [{ "sku": "X", "quantity": quantity }] })
    };
    let said = driver.call("POST", "reservations", body(Some("A"), 5)).is(201).body;
    assert_eq!((&said["lines"][0]["backordered"], nodes(&said).as_str()), (&json!(0), "L1 2"));
    driver.call("POST", "reservations", body(Some("B"), 5)).refused(409, "insufficient-stock");
    // Allowed, but no order is named whose line could stay open.
    driver.put("channels/web", json!({ "kind": "dtc", "priority": 1, "nodes": ["L1"] }));
    driver.call("POST", "reservations", body(None, 5)).refused(409, "insufficient-stock");
    // The order was never stated, then is for less, then for as much.
    let lines = |quantity: i64| json!([{ "sku": "X", "quantity": quantity }]);
    let state = |quantity: i64| {
        driver.put("orders/B", json!({ "channel": "web", "lines": lines(quantity) }));
    };
    driver.call("POST", "reservations", body(Some("B"), 5)).refused(409, "insufficient-stock");
    state(4);
    driver.call("POST", "reservations", body(Some("B"), 5)).refused(409, "insufficient-stock");
    state(5);
    let said = driver.call("POST", "reservations", body(Some("B"), 5)).is(201).body;
    assert_eq!(said["lines"][0]["backordered"], json!(5));
    // What is granted is not open any more.
    driver.stock("X", "L1", 1);
    state(3);
    let said = driver.call("POST", "reservations", body(Some("B"), 4)).is(201).body;
    assert_eq!((&said["lines"][0]["backordered"], nodes(&said).as_str()), (&json!(0), "L1 1"));
    driver.stock("X", "L1", 1);
    let said = driver.call("POST", "reservations", body(Some("B"), 2)).is(201).body;
    assert_eq!((&said["lines"][0]["backordered"], nodes(&said).as_str()), (&json!(1), "L1 1"));
    driver.call("POST", "orders/B/cancel", json!({})).is(200);
    driver.call("POST", "reservations", body(Some("B"), 1)).refused(409, "insufficient-stock");
    driver.verify();
}

#[test]
fn caps_limit_open_claims() {
    let driver = shop(&[("L1", 50)]);
    let capped = json!({ "kind": "dtc", "priority": 1, "nodes": ["L1"], "cap": 8, "buffer": 2 });
    driver.put("channels/web", capped);
    let id = driver.reserve("A", 5).is(201).body["id"].clone();
    let said = driver.get("availability?sku=X&channel=web");
    assert_eq!((&said["available"], &said["published"]), (&json!(3), &json!(1)));
    driver.reserve("B", 4).refused(409, "insufficient-stock");
    driver.post(&format!("reservations/{}/ship", id.as_str().unwrap()), json!({}));
    driver.reserve("B", 8).is(201);
    driver.verify();
}

#[test]
fn claims_leave_once() {
    let driver = shop(&[("L1", 6), ("L2", 6)]);
    let id = driver.reserve("A", 9).is(201).body["id"].as_str().unwrap().to_owned();
    let path = |what: &str| format!("reservations/{id}/{what}");
    let some = |quantity: i64| json!({ "lines": [{ "sku": "X", "quantity": quantity }] });
    let said = driver.post(&path("ship"), some(4));
    assert_eq!((&said["status"], &said["lines"][0]["open"]), (&json!("open"), &json!(5)));
    driver.call("POST", &path("release"), some(6)).refused(409, "more-than-reserved");
    let other = json!({ "lines": [{ "sku": "Y", "quantity": 1 }] });
    driver.call("POST", &path("ship"), other).refused(409, "more-than-reserved");
    assert_eq!(driver.post(&path("release"), some(2))["status"], "open");
    assert_eq!(driver.available("X", "web"), 5);
    assert_eq!(driver.post(&path("ship"), json!({}))["status"], "closed");
    driver.call("POST", &path("ship"), json!({})).refused(409, "reservation-ended");
    driver.call("POST", &path("release"), json!({})).refused(409, "reservation-ended");
    driver.call("POST", "reservations/res_none/ship", json!({})).refused(404, "not-found");
    let whole = driver.reserve("B", 2).is(201).body["id"].as_str().unwrap().to_owned();
    assert_eq!(driver.post(&format!("reservations/{whole}/ship"), json!({}))["status"], "shipped");
    let kept = driver.get(&format!("reservations/{id}"));
    assert_eq!((&kept["lines"][0]["shipped"], &kept["lines"][0]["open"]), (&json!(7), &json!(0)));
    driver.verify();
}

#[test]
fn a_hold_expires_exactly_once() {
    let driver = shop(&[("L1", 5)]);
    let lines = json!([{ "sku": "X", "quantity": 3 }]);
    let body = json!({ "channel": "web", "lines": lines, "expires_in_seconds": 60 });
    let id = driver.post("reservations", body)["id"].as_str().unwrap().to_owned();
    driver.tick();
    assert_eq!(driver.available("X", "web"), 2);
    driver.world.set_now(driver::instant("2026-12-01T09:01:00Z"));
    let ship = format!("reservations/{id}/ship");
    driver.call("POST", &ship, json!({})).refused(409, "reservation-expired");
    for _ in 0..3 {
        driver.tick();
    }
    assert_eq!(driver.available("X", "web"), 5);
    let released = driver.events().iter().filter(|one| one.is::<ReservationReleased>()).count();
    assert_eq!(released, 1);
    assert_eq!(driver.get(&format!("reservations/{id}"))["status"], "expired");
    driver.verify();
}

#[test]
fn the_same_key_reserves_once() {
    let driver = shop(&[("L1", 5)]);
    let body = json!({ "channel": "web", "lines": [{ "sku": "X", "quantity": 3 }] });
    let request = driver.request("POST", "reservations", &body);
    let caller = || Driver::caller(&[Role::Channel], None);
    let first = block_on(driver.send(&request, caller())).is(201);
    let again = block_on(driver.send(&request, caller())).is(201);
    assert_eq!(first.body, again.body);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(driver.available("X", "web"), 2);
}

#[test]
fn a_reserve_respects_what_others_protect() {
    let driver = Driver::new(NOW);
    driver.put("items/X", json!({}));
    for node in ["A", "B"] {
        driver.put(&format!("nodes/{node}"), json!({}));
    }
    driver.put("channels/c", json!({ "kind": "dtc", "priority": 1, "nodes": ["B", "A"] }));
    driver.put("channels/d", json!({ "kind": "retail", "priority": 2, "nodes": ["B"] }));
    driver.stock("X", "B", 50);
    driver.stock("X", "A", 200);
    driver.put(
        "protections/P",
        json!({ "sku": "X", "channel": "d", "quantity": 100, "from": "2026-12-01",
                "until": "2026-12-31" }),
    );
    let said = driver.get("availability?sku=X&channel=c");
    assert_eq!(said["available"], json!(200), "d keeps all of B, though that does not cover it");
    assert_eq!(said["protected"][0]["held"], json!(100));
    assert_eq!(said["protected"][0]["short"], json!(50));
    let body = |channel: &str, quantity: i64| json!({ "channel": channel, "lines": [{ "sku": "X", "quantity": quantity }] });
    driver.call("POST", "reservations", body("c", 201)).refused(409, "insufficient-stock");
    assert_eq!(nodes(&driver.post("reservations", body("c", 30))), "A 30");
    // Its own channel uses it up, and a release gives its use back.
    let said = driver.post("reservations", body("d", 20));
    let protected = &driver.get("availability?sku=X&channel=c")["protected"][0];
    assert_eq!((&protected["used"], &protected["held"]), (&json!(20), &json!(80)));
    driver.post(&format!("reservations/{}/release", said["id"].as_str().unwrap()), json!({}));
    let protected = &driver.get("availability?sku=X&channel=c")["protected"][0];
    assert_eq!((&protected["used"], &protected["held"]), (&json!(0), &json!(100)));
    driver.verify();
    driver.call("DELETE", "protections/P", Value::Null).is(200);
    assert_eq!(driver.available("X", "c"), 220);
    driver.call("GET", "protections/P", Value::Null).refused(404, "not-found");
    driver.verify();
}

#[test]
fn every_fault_of_a_reserve_is_named() {
    let driver = shop(&[("L1", 5)]);
    let lines = json!([{ "sku": "X", "quantity": 1 }, { "sku": "Y", "quantity": 1 }]);
    let body = json!({ "order": "A", "channel": "nowhere", "lines": lines });
    let said = driver.call("POST", "reservations", body).is(422).body;
    let codes: Vec<_> = said["errors"].as_array().unwrap().iter().map(|one| &one["code"]).collect();
    assert_eq!(codes, ["channel-unknown", "sku-unknown"]);
    let body = json!({ "channel": "web", "lines": [{ "sku": "X", "quantity": 0 }] });
    driver.call("POST", "reservations", body).is(422);
    driver.call("POST", "reservations", json!({ "channel": "web", "lines": [] })).is(422);
}

/// The pointers and codes of a refusal's faults.
fn faults(said: &Value) -> Vec<(&str, &str)> {
    let errors = said["errors"].as_array().unwrap().iter();
    errors.map(|one| (one["pointer"].as_str().unwrap(), one["code"].as_str().unwrap())).collect()
}

#[test]
fn every_fault_of_a_question_and_of_a_protection_is_named() {
    let driver = shop(&[("L1", 5)]);
    let ask = |path: &str| driver.call("GET", path, Value::Null);
    let said = ask("availability?sku=NO&sku=X&sku=NEITHER&channel=no").is(422).body;
    assert_eq!(faults(&said), [("", "sku-unknown"), ("", "sku-unknown"), ("", "channel-unknown")]);
    for asked in ["availability?", "promise?quantity=1&"] {
        let said = ask(&format!("{asked}sku=NO&channel=web")).refused(422, "sku-unknown").body;
        assert_eq!(faults(&said), [("", "sku-unknown")]);
        let said = ask(&format!("{asked}sku=NO&channel=no")).is(422).body;
        assert_eq!(faults(&said), [("", "sku-unknown"), ("", "channel-unknown")]);
    }
    let said = ask("promise?sku=X&quantity=0&wanted=2026-13-01").refused(400, "query-malformed");
    let codes: Vec<String> = said.faults().into_iter().map(|(_, code)| code).collect();
    assert_eq!(codes, ["out-of-range", "query-malformed", "query-malformed"]);
    let said = ask("promise?sku=X&channel=web&quantity=0").refused(422, "out-of-range").body;
    assert_eq!(faults(&said), [("", "out-of-range")]);
    let said = ask("protections?limit=0").refused(400, "query-malformed").body;
    assert_eq!(faults(&said), [("", "query-malformed")]);

    let terms = |sku: &str, quantity: i64| {
        json!({ "sku": sku, "channel": "web", "quantity": quantity, "from": "2026-12-09",
            "until": "2026-12-08" })
    };
    let said = driver.call("PUT", "protections/P", terms("NO", 0)).is(422).body;
    let form = [("/quantity", "out-of-range"), ("/until", "window-reversed")];
    assert_eq!(faults(&said), form);
    let said = driver.call("PUT", "protections/P", terms("NO", 1)).is(422).body;
    assert_eq!(faults(&said), [("/sku", "sku-unknown"), ("/until", "window-reversed")]);
}

#[test]
fn a_bound_channel_speaks_for_itself_alone() {
    let driver = shop(&[("L1", 5)]);
    driver.put("channels/other", json!({ "kind": "dtc", "priority": 1, "nodes": ["L1"] }));
    let bound = || Driver::caller(&[Role::Channel], Some("other"));
    let body = json!({ "order": "A", "channel": "web", "lines": [{ "sku": "X", "quantity": 1 }] });
    driver.call_as(bound(), "POST", "reservations", body.clone()).refused(403, "channel-bound");
    driver.call_as(bound(), "GET", "availability?sku=X&channel=web", Value::Null).is(403);
    driver.call_as(bound(), "GET", "availability?sku=X&channel=other", Value::Null).is(200);
    let own = driver.post("reservations", body);
    let path = format!("reservations/{}", own["id"].as_str().unwrap());
    driver.call_as(bound(), "GET", &path, Value::Null).is(403);
    let free = Driver::caller(&[Role::Channel], None);
    driver.call_as(free, "GET", &path, Value::Null).is(200);
    let viewer = Driver::caller(&[Role::Viewer], None);
    driver.call_as(viewer, "POST", &format!("{path}/release"), json!({})).is(403);
}

#[test]
fn bounds_are_checked_everywhere() {
    let driver = shop(&[("L1", 5)]);
    let bad = |method: &str, path: &str, body: Value| {
        driver.call(method, path, body).is(422);
    };
    let web = json!({ "kind": "dtc", "priority": 1, "nodes": ["L1"] });
    for (field, value) in [("cap", -1), ("buffer", -1), ("zero_threshold", -1), ("priority", 0)] {
        let mut body = web.clone();
        body[field] = json!(value);
        bad("PUT", "channels/web", body);
    }
    bad("PUT", "items/X", json!({ "weight_grams": -1 }));
    let line = json!({ "sku": "X", "quantity": 0 });
    bad("PUT", "orders/A", json!({ "channel": "web", "lines": [line] }));
    bad("POST", "reservations", json!({ "channel": "web", "lines": [line] }));
    let dates = json!({ "sku": "X", "channel": "web", "quantity": 0, "from": "2026-12-05",
                        "until": "2026-12-06" });
    bad("PUT", "protections/P", dates);
    let to = json!({ "node": "L1" });
    bad("POST", "movements", json!({ "sku": "X", "quantity": 0, "from": "found", "to": to }));
    let big =
        json!({ "sku": "X", "quantity": 1_000_000_000_000_001_i64, "from": "found", "to": to });
    bad("POST", "movements", big);
}
