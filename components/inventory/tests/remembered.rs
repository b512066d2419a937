//! Instances that remember: what another has changed meanwhile is never missed, and the usual
//! reserve is one round trip.

#![allow(clippy::unwrap_used, reason = "tests may panic")]

mod driver;

use driver::{Driver, TENANT};
use futures::executor::block_on;
use serde_json::{Value, json};
use tradewind_kernel::events::finance::SettingsChanged;
use tradewind_shell::route::Role;

const NOW: &str = "2026-12-01T09:00:00Z";

/// Two instances over one store; the first remembers the shop and its counters.
fn shop(nodes: &[(&str, i64)]) -> (Driver, Driver) {
    let one = Driver::new(NOW);
    one.shop(nodes);
    one.settle();
    let other = one.beside();
    one.call("POST", "reservations", wanting(1)).is(201);
    (one, other)
}

fn wanting(quantity: i64) -> Value {
    json!({ "channel": "web", "lines": [{ "sku": "X", "quantity": quantity }] })
}

/// Where a reserve takes from, and how many calls of the store it made.
fn reserve(driver: &Driver, body: Value) -> (String, u64) {
    let before = driver.store.calls();
    let said = driver.call("POST", "reservations", body).is(201).body;
    let calls = driver.store.calls() - before;
    let lines = said["lines"].as_array().unwrap();
    let all = lines.iter().flat_map(|line| line["allocations"].as_array().unwrap());
    let text = all.map(|one| format!("{} {}", one["node"].as_str().unwrap(), one["quantity"]));
    (text.collect::<Vec<_>>().join(" + "), calls)
}

#[track_caller]
fn takes(driver: &Driver, quantity: i64, want: &str, calls: u64) {
    assert_eq!(reserve(driver, wanting(quantity)), (want.to_owned(), calls));
}

#[test]
fn the_usual_reserve_is_one_round_trip() {
    let (one, other) = shop(&[("A", 10), ("B", 50)]);
    takes(&one, 2, "A 2", 1);
    takes(&one, 8, "A 7 + B 1", 1);
    takes(&one, 3, "B 3", 1);
    let lines = json!([{ "sku": "X", "quantity": 2 }, { "sku": "X", "quantity": 3 }]);
    let body = json!({ "channel": "web", "mode": "partial", "lines": lines });
    assert_eq!(reserve(&one, body).1, 1);
    takes(&other, 1, "B 1", 2);
    takes(&other, 1, "B 1", 1);
    for strategy in ["fewest-splits", "most-stock"] {
        let mut body = wanting(1);
        body["strategy"] = json!(strategy);
        assert_eq!(reserve(&one, body).1, 2, "{strategy} rests on the stock of every node");
    }
    one.verify();
}

#[test]
fn counters_that_others_changed_cost_a_try_and_no_read() {
    let (one, other) = shop(&[("A", 10), ("B", 50)]);
    other.call("POST", "reservations", wanting(8)).is(201);
    takes(&one, 4, "A 1 + B 3", 2);
    takes(&one, 1, "B 1", 1);
}

#[test]
fn node_order_holds_when_an_earlier_node_has_more_than_is_remembered() {
    let (one, other) = shop(&[("A", 1), ("B", 50)]);
    takes(&one, 1, "B 1", 1);
    other.stock("X", "A", 5);
    takes(&one, 3, "A 3", 2);
    takes(&one, 3, "A 2 + B 1", 1);
}

#[test]
fn a_refusal_never_rests_on_what_is_remembered() {
    let (one, other) = shop(&[("A", 2)]);
    one.call("POST", "reservations", wanting(5)).refused(409, "insufficient-stock");
    other.stock("X", "A", 7);
    takes(&one, 5, "A 5", 2);

    let body = |channel: &str, sku: &str| json!({ "channel": channel, "lines": [{ "sku": sku, "quantity": 1 }] });
    one.call("POST", "reservations", body("shop", "Y")).is(422);
    other.put("items/Y", json!({}));
    other.put("channels/shop", json!({ "kind": "dtc", "priority": 2, "nodes": ["A"] }));
    other.stock("Y", "A", 1);
    assert_eq!(reserve(&one, body("shop", "Y")).0, "A 1");
    let said = one.call("POST", "reservations", body("web", "Y"));
    assert_eq!(
        said.refused(409, "insufficient-stock").body["detail"],
        "0 of `Y` available, 1 asked for"
    );
}

#[test]
fn no_command_is_refused_by_what_is_remembered() {
    let (one, other) = shop(&[("A", 20)]);
    let lines = json!([{ "sku": "Y", "quantity": 1 }]);
    let order = json!({ "channel": "web", "lines": lines });
    one.call("PUT", "orders/O", order.clone()).refused(422, "sku-unknown");
    other.put("items/Y", json!({}));
    one.call("PUT", "orders/O", order).is(201);

    let made = one.call("POST", "reservations", wanting(3)).is(201);
    let path = format!("reservations/{}", made.body["id"].as_str().unwrap());
    let ship = |quantity: i64| json!({ "lines": [{ "sku": "X", "quantity": quantity }] });
    one.call("POST", &format!("{path}/ship"), ship(4)).refused(409, "more-than-reserved");
    // What the other gives back is not shipped, and what is refused says how it is now.
    other.call("POST", &format!("{path}/release"), json!({})).is(200);
    let said = one.call("POST", &format!("{path}/ship"), ship(1));
    assert_eq!(said.status, other.call("POST", &format!("{path}/ship"), ship(1)).status);
    let unchanged = one.call("PUT", "items/X", json!({ "name": "X" })).is(200);
    other.put("items/X", json!({ "name": "another" }));
    let again = one.call("PUT", "items/X", json!({ "name": "X" })).is(200);
    assert_ne!(again.header("etag"), unchanged.header("etag"), "it is a change by now");
    assert_eq!(other.get("items/X")["name"], "X");
}

#[test]
fn what_another_instance_changed_is_seen() {
    let (one, other) = shop(&[("A", 10), ("B", 10)]);
    let window = |until: &str| json!({ "sku": "X", "channel": "shop", "quantity": 9, "from": "2026-12-01", "until": until });
    other.put("channels/shop", json!({ "kind": "dtc", "priority": 2, "nodes": ["A"] }));
    other.put("protections/P", window("2026-12-31"));
    takes(&one, 3, "B 3", 3);
    takes(&one, 2, "B 2", 2);
    other.call("DELETE", "protections/P", Value::Null);
    takes(&one, 2, "A 2", 2);
    other.put("channels/web", json!({ "kind": "dtc", "priority": 1, "nodes": ["B", "A"] }));
    other.settle();
    takes(&one, 1, "B 1", 3);
    other.put("channels/web", json!({ "kind": "dtc", "priority": 1, "nodes": ["B"], "cap": 9 }));
    other.settle();
    one.call("POST", "reservations", wanting(1)).refused(409, "insufficient-stock");
    one.verify();
}

#[test]
fn the_day_is_that_of_settings_another_instance_reacted_to() {
    let (one, other) = shop(&[("A", 10)]);
    other.put("channels/shop", json!({ "kind": "dtc", "priority": 2, "nodes": ["A"] }));
    let body = json!({ "sku": "X", "channel": "shop", "quantity": 9,
        "from": "2026-12-01", "until": "2026-12-01" });
    other.put("protections/P", body);
    one.call("POST", "reservations", wanting(1)).refused(409, "insufficient-stock");
    // West of the date line the window opens later, east of it the day is over already.
    let zone = "Pacific/Kiritimati".parse().unwrap();
    other.tell(TENANT, &SettingsChanged { zone, ..SettingsChanged::default() });
    one.world.set_now(driver::instant("2026-12-01T11:00:00Z"));
    assert_eq!(reserve(&one, wanting(1)).0, "A 1");
}

#[test]
fn a_store_that_fell_back_is_not_believed_to_be_the_old_one() {
    let (one, other) = shop(&[("A", 10), ("B", 10)]);
    let earlier = one.store.fork();
    let channel = |nodes: Value| json!({ "kind": "dtc", "priority": 1, "nodes": nodes });
    let first = one.call("PUT", "channels/web", channel(json!(["B"]))).is(200);
    one.settle();
    takes(&one, 1, "B 1", 1);
    one.store.fall_back_to(&earlier);
    let again = other.call("PUT", "channels/web", channel(json!(["A"]))).is(200);
    assert_eq!(first.header("etag"), again.header("etag"), "versions repeat");
    other.settle();
    takes(&one, 1, "A 1", 3);
}

#[test]
fn a_repeat_is_answered_by_whichever_instance() {
    let (one, other) = shop(&[("A", 10)]);
    takes(&other, 1, "A 1", 2);
    let request = one.request("POST", "reservations", &wanting(4));
    let caller = || Driver::caller(&[Role::Admin], None);
    let first = block_on(one.send(&request, caller())).is(201);
    for driver in [&one, &other] {
        let again = block_on(driver.send(&request, caller())).is(201);
        assert_eq!(
            (&again.body, again.header("idempotency-replayed")),
            (&first.body, Some("true"))
        );
    }
    // Nothing is left for it now, and still it is the answer that it got.
    takes(&other, 4, "A 4", 1);
    let again = block_on(one.send(&request, caller())).is(201);
    assert_eq!(again.body, first.body);
    let mut changed = one.request("POST", "reservations", &wanting(5));
    changed.headers.clone_from(&request.headers);
    let said = block_on(one.send(&changed, caller()));
    said.refused(409, "idempotency-key-reused");
}

#[test]
fn interleaved_requests_of_two_instances_take_what_there_is_once() {
    let (one, other) = shop(&[("A", 30), ("B", 31)]);
    other.call("POST", "reservations", wanting(1)).is(201);
    let requests: Vec<_> =
        (1..33).map(|_| one.request("POST", "reservations", &wanting(2))).collect();
    let caller = || Driver::caller(&[Role::Admin], None);
    let all = requests.iter().enumerate().map(|(place, request)| {
        if place % 2 == 0 { one.send(request, caller()) } else { other.send(request, caller()) }
    });
    let all: Vec<_> = all.map(Box::pin).collect();
    let said = block_on(futures::future::join_all(all));
    let granted = said.iter().filter(|one| one.status == 201).count();
    assert_eq!(granted, 29, "59 units, two at a time");
    assert!(said.iter().all(|one| one.status == 201 || one.body["code"] == "insufficient-stock"));
    one.verify();
}
