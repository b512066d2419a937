//! What procurement answers over HTTP: an order's way, roles, partners, lists, limits, the turn of
//! the day.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use serde_json::{Value, json};
use support::{
    approved, day, drafted, events, get, lines, post, released, send, tell, turn, world,
};
use tradewind_kernel::events::finance::RateSet;
use tradewind_kernel::events::suppliers::SupplierStatus;
use tradewind_shell::world::World;

#[test]
fn an_order_goes_its_way() {
    let world = world("2026-12-01");
    let made = post(&world, "buyer", "orders", &lines(&[200], "2026-12-15")).is(201);
    let id = made.id();
    assert_eq!(made.header("location"), Some(format!("/procurement/v1/orders/{id}").as_str()));
    assert_eq!((&made.body["status"], &made.body["total"]), (&json!("draft"), &json!("1500.00")));
    assert!(made.body["version"].is_string());
    let found = get(&world, &format!("orders/{id}")).is(200);
    assert_eq!((found.header("etag"), &found.body), (made.header("etag"), &made.body));
    let go = |who: &str, what: &str, body: &Value| {
        post(&world, who, &format!("orders/{id}/{what}"), body).is(200).body["status"].clone()
    };
    assert_eq!(go("buyer", "submit", &json!({})), "submitted");
    assert_eq!(go("approver", "approve", &json!({ "reason": "fine" })), "approved");
    assert_eq!(go("buyer", "release", &Value::Null), "released");
    let late =
        json!({ "lines": [{ "line": 1, "day": "2026-12-29" }], "reason": "port congestion" });
    assert_eq!(go("buyer", "confirmations", &late), "confirmed");
    let arrival =
        json!({ "lines": [{ "line": 1, "accepted": 150, "rejected": 10 }], "node": "OWN" });
    let receipt = post(&world, "warehouse", &format!("orders/{id}/receipts"), &arrival).is(201);
    let at = receipt.header("location").unwrap().trim_start_matches("/procurement/v1/").to_owned();
    assert_eq!(get(&world, &at).is(200).body, receipt.body);
    assert_eq!(receipt.body["lines"][0]["open"], 50);
    let list = get(&world, &format!("orders/{id}/receipts")).is(200);
    assert_eq!(list.body["items"][0]["id"], receipt.body["id"]);
    assert_eq!(go("buyer", "close", &json!({ "reason": "the rest is lost" })), "closed");
    let told: Vec<Value> = get(&world, "events").is(200).body["items"].as_array().unwrap().clone();
    let kinds: Vec<&str> = told.iter().map(|it| it["type"].as_str().unwrap()).collect();
    let wanted =
        ["drafted", "submitted", "approved", "released", "confirmed", "received", "closed"];
    assert_eq!(kinds, wanted.map(|it| format!("procurement.order-{it}")));
    assert_eq!(told[4]["reason"], "port congestion");
    assert_eq!(told[4]["data"]["changes"][0]["after"][0]["day"], "2026-12-29");
    assert_eq!(told[6]["data"]["lines"][0]["cancelled"], 50);
}

#[test]
fn refused_approvals_are_in_the_log() {
    let world = world("2026-12-01");
    let id = post(&world, "admin:carol", "orders", &lines(&[10], "2026-12-22")).is(201).id();
    let at = |what: &str| format!("orders/{id}/{what}");
    post(&world, "admin:carol", &at("submit"), &json!({})).is(200);
    let own = post(&world, "admin:carol", &at("approve"), &json!({})).is(403);
    assert_eq!(own.code(), "own-order");
    for who in ["buyer:bob", "viewer", "channel"] {
        let refused = post(&world, who, &at("approve"), &json!({})).is(403);
        assert_eq!(refused.code(), "role-insufficient", "{who}");
    }
    let audited = events(&world, "procurement.access-refused");
    let codes: Vec<&Value> = audited.iter().map(|it| &it["data"]["code"]).collect();
    assert_eq!(codes.len(), 4);
    assert_eq!(codes[0], "own-order");
    post(&world, "approver:dora", &at("approve"), &json!({})).is(200);
}

#[test]
fn a_draft_names_every_fault() {
    let world = world("2026-12-01");
    let mut wrong = lines(&[0, 5], "2026-12-15");
    wrong["lines"][1]["price"] = json!({ "amount": "1", "currency": "EUR" });
    let refused = post(&world, "buyer", "orders", &wrong).is(422);
    assert_eq!(refused.faults(), [("/lines/0/quantity".to_owned(), "out-of-range".to_owned())]);
    wrong["lines"][0]["quantity"] = json!(1);
    let refused = post(&world, "buyer", "orders", &wrong).is(422);
    assert_eq!(
        refused.faults(),
        [("/lines/1/price/currency".to_owned(), "currency-mixed".to_owned())]
    );
    let mut unknown = lines(&[1], "2026-12-15");
    unknown["supplier"] = json!("S9");
    let refused = post(&world, "buyer", "orders", &unknown).is(422);
    assert_eq!(refused.faults(), [("/supplier".to_owned(), "supplier-unknown".to_owned())]);
    post(&world, "buyer", "orders", &lines(&[], "2026-12-15")).is(422);
    post(&world, "buyer", "orders", &lines(&vec![1; 257], "2026-12-15")).is(422);
    post(&world, "buyer", "orders", &lines(&vec![1; 256], "2026-12-15")).is(201);
    let mut huge = lines(&[1_000_000_000_000_000], "2026-12-15");
    huge["lines"][0]["price"] = json!("2");
    assert_eq!(post(&world, "buyer", "orders", &huge).is(422).code(), "total-too-large");
    post(&world, "planner", "orders", &lines(&[1], "2026-12-15")).is(403);
    get(&world, "orders/po_none").is(404);
    post(&world, "buyer", "orders/po_none/submit", &json!({})).is(404);
}

#[test]
fn a_partner_confirms_its_own_supplier_s_orders_alone() {
    let world = world("2026-12-01");
    let id = released(&world, &[100], "2026-12-15");
    let late = json!({ "lines": [{ "line": 1, "day": "2026-12-29" }] });
    let path = format!("orders/{id}/confirmations");
    post(&world, "partner@S2", &path, &late).is(404);
    post(&world, "partner", &path, &late).is(404);
    post(&world, "partner@S1", &path, &late).is(200);
    let order = format!("orders/{id}");
    send(&world, "partner@S1", "GET", &order, &Value::Null).is(200);
    send(&world, "partner@S2", "GET", &order, &Value::Null).is(404);
    post(&world, "partner@S1", &format!("orders/{id}/cancel"), &json!({})).is(403);
}

#[test]
fn a_partner_lists_what_was_released_to_its_supplier() {
    let world = world("2026-12-01");
    let draft = drafted(&world, &[1], "2026-12-15");
    let id = released(&world, &[100], "2026-12-15");
    let list = |who: &str, target: &str| -> (Vec<String>, Value) {
        let body = send(&world, who, "GET", target, &Value::Null).is(200).body;
        let items = body["items"].as_array().into_iter().flatten();
        let ids = items.filter_map(|it| it["id"].as_str().map(str::to_owned)).collect();
        (ids, body["next"].clone())
    };
    assert_eq!(list("partner@S1", "orders").0, [id.as_str()]);
    assert_eq!(list("partner@S1", "orders?supplier=S1&status=released").0, [id.as_str()]);
    for (who, target) in [
        ("partner@S1", "orders?supplier=S2"),
        ("partner@S1", "orders?status=draft"),
        ("partner@S2", "orders"),
        ("partner@S2", "orders?supplier=S1"),
        ("partner", "orders"),
    ] {
        assert_eq!(list(who, target).0, Vec::<String>::new(), "{who} {target}");
    }
    let order = format!("orders/{draft}");
    send(&world, "partner@S1", "GET", &order, &Value::Null).is(404);
    // What is not shown leaves its page short, not the list.
    let (shown, next) = list("partner@S1", "orders?limit=1");
    let (then, _) = list("partner@S1", &format!("orders?limit=1&after={}", next.as_str().unwrap()));
    assert_eq!([shown, then].concat(), [id]);
}

#[test]
fn orders_are_listed_by_supplier_and_status() {
    let world = world("2026-12-01");
    world.asks().put("S2", SupplierStatus::Approved, None);
    let one = released(&world, &[1], "2026-12-15");
    let two = drafted(&world, &[1], "2026-12-15");
    let mut other = lines(&[1], "2026-12-15");
    other["supplier"] = json!("S2");
    let three = post(&world, "buyer", "orders", &other).is(201).id();
    let ids = |target: &str| -> Vec<String> {
        let list = get(&world, target).is(200).body["items"].clone();
        let mut ids: Vec<String> = list
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["id"].as_str().unwrap().to_owned())
            .collect();
        ids.sort();
        ids
    };
    let sorted = |ids: &[&String]| {
        let mut ids: Vec<String> = ids.iter().map(|id| (*id).clone()).collect();
        ids.sort();
        ids
    };
    assert_eq!(ids("orders"), sorted(&[&one, &two, &three]));
    assert_eq!(ids("orders?supplier=S1"), sorted(&[&one, &two]));
    assert_eq!(ids("orders?status=draft"), sorted(&[&two, &three]));
    assert_eq!(ids("orders?status=draft&supplier=S1"), std::slice::from_ref(&two));
    assert_eq!(ids("orders?status=submitted"), Vec::<String>::new());
    get(&world, "orders?status=lost").is(400);
}

#[test]
fn a_supplier_that_fell_from_grace_gets_nothing() {
    let world = world("2026-12-01");
    let id = approved(&world, &[100], "2026-12-15");
    let release = format!("orders/{id}/release");
    world.asks().put("S1", SupplierStatus::Suspended, None);
    let refused = post(&world, "buyer", &release, &json!({})).is(409);
    assert_eq!(refused.code(), "supplier-not-approved");
    assert_eq!(get(&world, &format!("orders/{id}")).body["status"], "approved");
    world.asks().put("S1", SupplierStatus::Conditional, Some("1000"));
    post(&world, "buyer", &release, &json!({})).is(200);
    let second = approved(&world, &[34], "2026-12-15");
    let refused = post(&world, "buyer", &format!("orders/{second}/release"), &json!({})).is(409);
    assert_eq!(refused.code(), "limit-exceeded");
    let arrival = json!({ "lines": [{ "line": 1, "accepted": 1 }] });
    post(&world, "warehouse", &format!("orders/{id}/receipts"), &arrival).is(201);
    post(&world, "buyer", &format!("orders/{second}/release"), &json!({})).is(200);
}

#[test]
fn a_policy_asks_for_two_and_compares_at_the_rate() {
    let world = world("2026-12-01");
    let policy = json!({ "rules": [
        { "over": "1000", "currency": "EUR", "steps": ["approver", "finance"] },
        { "steps": ["approver"] },
    ] });
    send(&world, "buyer", "PUT", "policies/approval", &policy).is(403);
    assert_eq!(get(&world, "policies/approval").is(200).body["rules"], json!([]));
    let made = send(&world, "admin", "PUT", "policies/approval", &policy).is(201);
    let again = send(&world, "admin", "PUT", "policies/approval", &policy).is(200);
    assert_eq!(again.header("etag"), made.header("etag"));
    assert_eq!(get(&world, "policies/approval").is(200).body, made.body);
    let needed = |quantity: i64| {
        let id = drafted(&world, &[quantity], "2026-12-15");
        let submitted = post(&world, "buyer", &format!("orders/{id}/submit"), &json!({}));
        submitted.is(200).body["approval"]["steps"].clone()
    };
    assert_eq!(needed(1), json!(["approver", "finance"]), "no rate: the strictest");
    let rate = RateSet {
        currency: "EUR".parse().unwrap(),
        day: day("2026-11-30"),
        rate: "1.2".parse().unwrap(),
        base: Default::default(),
    };
    tell(&world, "EUR", &rate);
    assert_eq!(needed(160), json!(["approver"]), "1200.00 USD are 1000 EUR");
    assert_eq!(needed(161), json!(["approver", "finance"]));
}

#[test]
fn what_has_passed_is_told_once() {
    let world = world("2026-12-01");
    let id = released(&world, &[100], "2026-12-03");
    let drafted = drafted(&world, &[100], "2026-12-03");
    turn(&world, "2026-12-03");
    assert_eq!(events(&world, "procurement.order-past-due").len(), 0);
    turn(&world, "2026-12-04");
    turn(&world, "2026-12-05");
    let told = events(&world, "procurement.order-past-due");
    assert_eq!(told.len(), 1, "and not of the draft {drafted}");
    assert_eq!(told[0]["subject"], json!(id));
    assert_eq!(
        (&told[0]["data"]["day"], &told[0]["data"]["quantity"]),
        (&json!("2026-12-03"), &json!(100))
    );
    let split = json!({ "lines": [{ "line": 1, "day": "2026-12-08", "quantity": 60 },
        { "line": 1, "day": "2026-12-09", "quantity": 40 }] });
    post(&world, "buyer", &format!("orders/{id}/confirmations"), &split).is(200);
    let arrival = json!({ "lines": [{ "line": 1, "accepted": 60 }] });
    post(&world, "warehouse", &format!("orders/{id}/receipts"), &arrival).is(201);
    turn(&world, "2026-12-20");
    let told = events(&world, "procurement.order-past-due");
    assert_eq!(told.len(), 2);
    assert_eq!(
        (&told[1]["data"]["day"], &told[1]["data"]["quantity"]),
        (&json!("2026-12-09"), &json!(40))
    );
}

#[test]
fn more_than_one_commit_passes_on_a_day() {
    let world = world("2026-12-01");
    for _ in 0..5 {
        released(&world, &vec![1; 256], "2026-12-03");
    }
    turn(&world, "2026-12-04");
    let mut after = String::new();
    let mut told = 0;
    loop {
        let page = get(&world, &format!("events?limit=500&after={after}")).is(200).body;
        let items = page["items"].as_array().unwrap();
        told += items.iter().filter(|it| it["type"] == "procurement.order-past-due").count();
        match page["next"].as_str() {
            Some(next) => after = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(told, 1280);
}

#[test]
fn a_command_out_of_turn_is_refused() {
    let world = world("2026-12-01");
    let id = drafted(&world, &[1], "2026-12-15");
    post(&world, "buyer", &format!("orders/{id}/submit"), &json!({})).is(200);
    let again = post(&world, "buyer", &format!("orders/{id}/submit"), &json!({})).is(409);
    assert_eq!(again.code(), "status-transition");
}
