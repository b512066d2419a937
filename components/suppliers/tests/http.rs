//! What suppliers answers over HTTP: suppliers, their status, offers, roles, lists.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use serde_json::{Value, json};
use support::{events, get, send, tell, usd, world};
use tradewind_kernel::events::finance::SettingsChanged;
use tradewind_kernel::events::suppliers::StatusChanged;
use tradewind_shell::auth::Caller;
use tradewind_shell::route::Role;
use tradewind_suppliers::Suppliers;
use tradewind_testing::{ask, caller};

const S1: &str = "/suppliers/v1/suppliers/S1";

#[test]
fn a_supplier_is_made_read_listed_and_left_alone() {
    let world = world("2026-12-01");
    let body = json!({ "name": "Acme", "currency": "EUR", "country": "CN" });
    let made = send(&world, Role::Buyer, "PUT", S1, &body).is(201);
    assert_eq!(made.header("location"), Some(S1));
    assert_eq!((&made.body["status"], &made.body["terms_days"]), (&json!("prospect"), &json!(30)));
    let again = send(&world, Role::Buyer, "PUT", S1, &body).is(200);
    assert_eq!(again.header("etag"), made.header("etag"));
    let found = get(&world, S1).is(200);
    assert_eq!((found.header("etag"), &found.body), (made.header("etag"), &made.body));
    let changed = json!({ "name": "Acme Ltd", "currency": "EUR" });
    let changed = send(&world, Role::Buyer, "PUT", S1, &changed).is(200);
    assert_ne!(changed.header("etag"), made.header("etag"));
    assert_eq!(changed.body["country"], Value::Null, "left out means default");
    let list = get(&world, "/suppliers/v1/suppliers?limit=1").is(200);
    assert_eq!((&list.body["items"][0]["id"], &list.body["next"]), (&json!("S1"), &json!("S1")));
    assert_eq!(get(&world, "/suppliers/v1/suppliers?after=S1").body["items"], json!([]));
    assert_eq!(get(&world, "/suppliers/v1/suppliers/S9").is(404).code(), "not-found");
}

#[test]
fn the_base_currency_is_the_default() {
    let world = world("2026-12-01");
    let settings = SettingsChanged { currency: "CHF".parse().unwrap(), ..Default::default() };
    tell(&world, "settings", &settings);
    let made = send(&world, Role::Buyer, "PUT", S1, &json!({ "name": "Acme" })).is(201);
    assert_eq!(made.body["currency"], "CHF");
}

#[test]
fn status_moves_by_approvers_alone_and_keeps_its_reason() {
    let world = world("2026-12-01");
    send(&world, Role::Buyer, "PUT", S1, &json!({ "name": "Acme" })).is(201);
    let approve = format!("{S1}/approve");
    assert_eq!(
        send(&world, Role::Buyer, "POST", &approve, &json!({})).is(403).code(),
        "role-insufficient"
    );
    let approved = send(&world, Role::Approver, "POST", &approve, &json!({ "reason": "audit" }));
    assert_eq!(approved.is(200).body["status"], "approved");
    let again = send(&world, Role::Approver, "POST", &approve, &json!({})).is(409);
    assert_eq!(again.code(), "status-transition");
    let limit = json!({ "limit": usd("5000") });
    let conditional = send(&world, Role::Approver, "POST", &format!("{S1}/conditional"), &limit);
    assert_eq!(conditional.is(200).body["limit"], usd("5000"));
    let unlimited = send(&world, Role::Approver, "POST", &format!("{S1}/conditional"), &json!({}));
    assert_eq!(unlimited.is(422).code(), "limit-required");
    send(&world, Role::Approver, "POST", &format!("{S1}/suspend"), &Value::Null).is(200);
    send(&world, Role::Approver, "POST", &format!("{S1}/block"), &json!({})).is(200);
    let unknown =
        send(&world, Role::Approver, "POST", "/suppliers/v1/suppliers/no/block", &json!({}));
    unknown.is(404);
    let told = events::<StatusChanged>(&world);
    assert_eq!((told.len(), told[0].reason.as_deref()), (4, Some("audit")));
}

#[test]
fn offers_are_found_by_item_and_by_supplier() {
    let world = world("2026-12-01");
    for supplier in ["S1", "S2"] {
        let path = format!("/suppliers/v1/suppliers/{supplier}");
        send(&world, Role::Buyer, "PUT", &path, &json!({ "name": supplier })).is(201);
    }
    let body = json!({ "price": usd("7.50"), "lead_time_days": 30,
        "expedite": { "days": 14, "cost_per_unit": usd("1.80") } });
    let first = send(&world, Role::Buyer, "PUT", "/suppliers/v1/offers/S1/X", &body).is(201);
    send(&world, Role::Buyer, "PUT", "/suppliers/v1/offers/S2/X", &body).is(201);
    send(&world, Role::Buyer, "PUT", "/suppliers/v1/offers/S1/Y", &body).is(201);
    let again = send(&world, Role::Buyer, "PUT", "/suppliers/v1/offers/S1/X", &body).is(200);
    assert_eq!(again.header("etag"), first.header("etag"), "another's offer moves it not");
    let suppliers = |target: &str, field: &str| -> Vec<Value> {
        let list = get(&world, target).is(200).body["items"].clone();
        list.as_array().unwrap().iter().map(|item| item[field].clone()).collect()
    };
    assert_eq!(suppliers("/suppliers/v1/offers?sku=X", "supplier"), ["S1", "S2"]);
    assert_eq!(suppliers("/suppliers/v1/offers?sku=X&after=S1", "supplier"), ["S2"]);
    assert_eq!(suppliers("/suppliers/v1/offers?supplier=S1", "sku"), ["X", "Y"]);
    assert_eq!(get(&world, "/suppliers/v1/offers").is(400).code(), "query-malformed");
    assert_eq!(get(&world, "/suppliers/v1/offers/S1/X").is(200).body["minimum"], 1);
    get(&world, "/suppliers/v1/offers/S2/Y").is(404);
    send(&world, Role::Buyer, "PUT", "/suppliers/v1/offers/S9/X", &body).is(404);
    send(&world, Role::Viewer, "PUT", "/suppliers/v1/offers/S1/X", &body).is(403);
    let wrong = json!({ "price": usd("7.50"), "lead_time_days": 30, "minimum": 9, "maximum": 3,
        "from": "2026-02-01", "until": "2026-01-01" });
    let wrong = send(&world, Role::Buyer, "PUT", "/suppliers/v1/offers/S1/X", &wrong).is(422);
    assert_eq!(wrong.body["errors"].as_array().unwrap().len(), 2);
}

#[test]
fn a_partner_reads_the_scorecard_of_its_own_supplier_alone() {
    let world = world("2026-12-01");
    for supplier in ["S1", "S2"] {
        let path = format!("/suppliers/v1/suppliers/{supplier}");
        send(&world, Role::Buyer, "PUT", &path, &json!({ "name": supplier })).is(201);
    }
    let asked = |own: Option<&str>, target: &str| {
        let own = own.map(str::to_owned);
        let partner = Caller { supplier: own, ..caller(Role::Partner) };
        ask::<Suppliers, _>(&world, partner, "GET", target, &Value::Null)
    };
    let scorecard = format!("{S1}/scorecard");
    assert_eq!(asked(Some("S1"), &scorecard).is(200).body["score"], Value::Null);
    asked(Some("S2"), &scorecard).is(404);
    asked(None, &scorecard).is(404);
    asked(Some("S1"), S1).is(403);
    asked(Some("S1"), "/suppliers/v1/suppliers").is(403);
}

/// RFC 9110, 15.5.6: a method that a path has not is answered with those that it has.
#[test]
fn a_wrong_method_is_told_the_right_ones() {
    let world = world("2026-12-01");
    for (method, path, allowed) in [
        ("POST", S1, "GET, PUT"),
        ("TRACE", S1, "GET, PUT"),
        ("DELETE", "/suppliers/v1/suppliers", "GET"),
        ("GET", "/suppliers/v1/tick", "POST"),
        ("POST", "/suppliers/v1/health", "GET"),
    ] {
        let answer = send(&world, Role::Admin, method, path, &Value::Null).is(405);
        assert_eq!(answer.header("allow"), Some(allowed), "{method} {path}");
    }
}
