//! Planning over HTTP: promotions, policies, history, forecasts, runs and proposals.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod support;

use serde_json::{Value, json};
use support::{Brand, day, id, usd};
use tradewind_kernel::asks::inventory::Position;
use tradewind_kernel::asks::suppliers::Offer;
use tradewind_kernel::events::inventory::{
    DayTurned, ItemPegged, OrderChanged, ReservationShipped,
};
use tradewind_kernel::events::suppliers::SupplierStatus;
use tradewind_shell::route::Role;

fn brand() -> Brand {
    let brand = Brand::new();
    brand.settle();
    brand
}

fn promotion(from: &str, until: &str, expected_units: i64) -> Value {
    json!({"name": "Advent", "sku": "X", "channel": "amazon", "from": from, "until": until,
        "expected_units": expected_units})
}

#[test]
fn a_promotion_is_made_changed_and_listed() {
    let brand = brand();
    let path = "/planning/v1/promotions/P";
    let body = promotion("2026-12-16", "2026-12-20", 60);
    let made = brand.send("PUT", path, &body);
    assert_eq!((made.status, &made.body["sku"]), (201, &json!("X")), "{}", made.body);
    let same = brand.send("PUT", path, &body);
    assert_eq!((same.status, same.header("etag")), (200, made.header("etag")));
    let changed = brand.send("PUT", path, &promotion("2026-12-16", "2026-12-21", 50));
    assert_eq!(changed.status, 200);
    assert_ne!(changed.header("etag"), made.header("etag"));
    // Nothing was ever pegged: all of it is short, and the risk leaves the promotion's version.
    let view = brand.call(Role::Viewer, "GET", path, &Value::Null);
    assert_eq!(
        (&view.body["units_short"], view.header("etag")),
        (&json!(50), changed.header("etag"))
    );
    assert_eq!(view.body["version"], changed.body["version"]);
    let list = brand.get("/planning/v1/promotions?limit=1");
    assert_eq!((&list["items"][0]["promotion"], &list["next"]), (&json!("P"), &json!("P")));
    assert_eq!(brand.get("/planning/v1/promotions?after=P")["items"], json!([]));
    assert_eq!(
        brand.call(Role::Viewer, "GET", "/planning/v1/promotions/Q", &Value::Null).status,
        404
    );
}

#[test]
fn a_wrong_promotion_is_refused_with_every_fault() {
    let brand = brand();
    let body = json!({"name": "A", "sku": "NO", "channel": "no", "from": "2026-12-20",
        "until": "2026-12-16", "expected_units": 1});
    let refused = brand.send("PUT", "/planning/v1/promotions/P", &body);
    assert_eq!(refused.status, 422);
    let pointers: Vec<&str> = refused.body["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| fault["pointer"].as_str().unwrap())
        .collect();
    assert_eq!(pointers, ["/sku", "/channel", "/until"]);
    let body = promotion("2026-12-16", "2026-12-20", 1);
    let viewer = brand.call(Role::Viewer, "PUT", "/planning/v1/promotions/P", &body);
    assert_eq!(viewer.status, 403);
}

#[test]
fn policies_take_stars() {
    let brand = brand();
    let made = brand.send("PUT", "/planning/v1/policies/*/*", &json!({}));
    assert_eq!((made.status, &made.body["service_level"]), (201, &json!("0.95")), "{}", made.body);
    let close = json!({"service_level": "0.99", "review_days": 14, "criticality": "A"});
    assert_eq!(brand.send("PUT", "/planning/v1/policies/X/OWN", &close).status, 201);
    assert_eq!(brand.send("PUT", "/planning/v1/policies/X/OWN", &close).status, 200);
    assert_eq!(brand.send("PUT", "/planning/v1/policies/NO/OWN", &close).status, 404);
    assert_eq!(brand.send("PUT", "/planning/v1/policies/X/NO", &close).status, 404);
    let wrong = json!({"service_level": "1.5"});
    assert_eq!(brand.send("PUT", "/planning/v1/policies/X/*", &wrong).status, 422);
    let list = brand.get("/planning/v1/policies");
    assert_eq!(list["items"].as_array().unwrap().len(), 2);
    assert_eq!(brand.get("/planning/v1/policies/X/OWN")["review_days"], 14);
    assert_eq!(brand.get("/planning/v1/policies?after=*/*")["items"][0]["sku"], "X");
}

/// Days of history up to `last`, one line each.
fn lines(channel: &str, last: &str, days: i64, units: impl Fn(i64) -> i64) -> String {
    let line = |back: i64| {
        let day = day(last).plus(-back);
        json!({"sku": "X", "channel": channel, "day": day, "quantity": units(back)}).to_string()
    };
    (0..days).rev().map(line).collect::<Vec<_>>().join("\n")
}

fn load(brand: &Brand, body: &str) -> support::Answer {
    brand.load(body)
}

#[test]
fn every_faulty_line_of_history_is_named_and_nothing_is_loaded() {
    let brand = brand();
    let body = [
        r#"{"sku":"X","channel":"web","day":"2026-11-01","quantity":3}"#,
        r#"{"sku":"X","channel":"web","day":"2026-11-02","quantity":-3}"#,
        "",
        r#"{"sku":"X","channel":"web","day":"2026-11-02","units":3}"#,
        "not json",
    ];
    let refused = load(&brand, &body.join("\n"));
    assert_eq!(refused.status, 400, "{}", refused.body);
    let pointers: std::collections::BTreeSet<&str> = refused.body["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| &fault["pointer"].as_str().unwrap()[..2])
        .collect();
    assert_eq!(pointers, ["/2", "/4", "/5"].into());
    let vast = r#"{"sku":"X","channel":"web","day":"2026-11-01","quantity":1000000000001}"#;
    let refused = load(&brand, vast);
    assert_eq!(
        (refused.status, &refused.body["errors"][0]["pointer"]),
        (422, &json!("/1/quantity"))
    );
    let unknown = r#"{"sku":"NO","channel":"no","day":"2027-11-01","quantity":3}"#;
    let refused = load(&brand, unknown);
    assert_eq!((refused.status, refused.body["errors"].as_array().unwrap().len()), (422, 3));
    let forecast = "/planning/v1/forecasts/X/web";
    assert_eq!(brand.call(Role::Viewer, "GET", forecast, &Value::Null).status, 404);
}

#[test]
fn history_is_replaced_and_shipments_add_to_it() {
    let brand = brand();
    let loaded = load(&brand, &lines("web", "2026-11-30", 200, |_| 10));
    assert_eq!(loaded.body, json!({"lines": 200, "series": 1}));
    let mean = |brand: &Brand| brand.get("/planning/v1/forecasts/X/web")["daily_mean"].clone();
    assert_eq!(mean(&brand), "10");
    load(&brand, &lines("web", "2026-11-30", 200, |_| 4));
    let view = brand.get("/planning/v1/forecasts/X/web");
    assert_eq!((&view["daily_mean"], &view["origins"]), (&json!("4"), &json!(4)));
    assert_eq!(view["candidates"].as_array().unwrap().len(), 3);
    assert_eq!(
        (&view["history_until"], &view["daily_deviation"]),
        (&json!("2026-11-30"), &json!("0"))
    );
    let shipped = json!({"reservation": "R", "order": "O", "channel": "web", "day": "2026-11-30",
        "lines": [{"sku": "X", "quantity": 100, "allocations": []}]});
    brand.tell_json::<ReservationShipped>("R", shipped);
    assert_ne!(mean(&brand), "4");
}

fn offer(supplier: &str, price: &str, lead_time_days: u32) -> Offer {
    Offer {
        supplier: id(supplier),
        status: SupplierStatus::Approved,
        calendar: Default::default(),
        terms_days: 30,
        score: None,
        lead_time_deviation: None,
        sku: id("X"),
        price: usd(price),
        lead_time_days,
        minimum: 50,
        multiple: 10,
        maximum: None,
        breaks: Vec::new(),
        expedite: None,
        from: None,
        until: None,
    }
}

#[test]
fn a_run_proposes_and_again_the_same() {
    let brand = brand();
    load(&brand, &lines("web", "2026-11-30", 120, |back| 10 + back % 2));
    load(&brand, &lines("wholesale", "2026-11-30", 120, |_| 5));
    *brand.others().offers.lock().unwrap() = vec![offer("S1", "7.50", 14), offer("S2", "9.20", 5)];
    let position = Position {
        sku: id("X"),
        node: id("OWN"),
        free: 230,
        on_order: Vec::new(),
        open_demand: 10,
    };
    *brand.others().positions.lock().unwrap() = vec![position];

    let started = brand.send("POST", "/planning/v1/runs", &json!({}));
    assert_eq!(started.status, 201, "{}", started.body);
    let run = brand.get(&format!("/planning/v1/runs/{}", started.body["id"].as_str().unwrap()));
    assert_eq!(
        (&run["complete"], &run["items"], &run["proposals"]),
        (&json!(true), &json!(1), &json!(1))
    );
    let first = brand.get("/planning/v1/proposals")["items"].clone();
    let proposal = &first[0];
    assert_eq!((&proposal["node"], &proposal["supplier"]), (&json!("OWN"), &json!("S1")));
    let told = &proposal["explanation"];
    assert_eq!((&told["projected"], &told["lead_time_days"]), (&json!(220), &json!(14)));
    assert_eq!(told["channels"].as_array().unwrap().len(), 2);
    assert_eq!(proposal["quantity"].as_i64().unwrap() % 10, 0);

    brand.send("POST", "/planning/v1/runs", &json!({}));
    assert_eq!(brand.get("/planning/v1/proposals")["items"], first, "the same, with the same id");
    assert_eq!(brand.told("planning.run-completed", "").len(), 2);
    assert_eq!(brand.get("/planning/v1/proposals?sku=X")["items"], first);

    brand.others().positions.lock().unwrap()[0].free = 900;
    brand.send("POST", "/planning/v1/runs", &json!({}));
    assert_eq!(brand.get("/planning/v1/proposals")["items"], json!([]));
}

#[test]
fn a_run_over_many_items_works_block_by_block() {
    let brand = brand();
    for number in 0..70 {
        let item = json!({"sku": format!("I{number:02}"), "name": "I", "base_unit": "each",
            "weight_grams": null, "list_prices": {}});
        brand.tell_json::<tradewind_kernel::events::inventory::ItemSet>("I", item);
    }
    let started = brand.send("POST", "/planning/v1/runs", &json!({}));
    let run = brand.get(&format!("/planning/v1/runs/{}", started.body["id"].as_str().unwrap()));
    assert_eq!((&run["complete"], &run["items"]), (&json!(true), &json!(71)));
}

#[test]
fn the_turn_of_the_day_judges_open_promotions_and_ends_past_ones() {
    let brand = brand();
    let piece =
        json!([{"supply": "stock:OWN", "node": "OWN", "day": "2026-12-01", "quantity": 55}]);
    let pegged = json!({"sku": "X", "today": "2026-12-01", "part": 1, "parts": 1, "moved": [],
        "left_over": piece, "held": []});
    brand.tell_json::<ItemPegged>("X", pegged);
    brand.send("PUT", "/planning/v1/promotions/P", &promotion("2026-12-16", "2026-12-20", 60));
    assert_eq!(brand.get("/planning/v1/promotions/P")["first_day"], "2026-12-20");
    let turn = |to: &str| {
        let turned = DayTurned { from: None, to: day(to) };
        brand.tell(&format!("turn-{to}"), to, &turned);
        brand.told("planning.promotion-risk-changed", &format!("turn-{to}"))
    };
    assert!(turn("2026-12-10").is_empty(), "its window is not open");
    assert!(turn("2026-12-17").is_empty(), "the same are short, on the same day");
    let order = json!({"order": "O", "channel": "amazon", "ordered_at": "2026-11-30T00:00:00Z",
        "cancelled": false, "dropped": [],
        "lines": [{"line": 1, "sku": "X", "quantity": 2, "wanted": "2026-12-18", "price": null}]});
    brand.tell_json::<OrderChanged>("O", order);
    assert_eq!(brand.get("/planning/v1/promotions/P")["units_short"], 5, "its pegging will judge");
    let fewer = turn("2026-12-18");
    assert_eq!((&fewer[0]["units_short_before"], &fewer[0]["units_short"]), (&json!(5), &json!(3)));
    let ended = turn("2026-12-21");
    assert_eq!((&ended[0]["units_short"], &ended[0]["first_day"]), (&json!(0), &Value::Null));
    assert!(turn("2026-12-22").is_empty());
}
