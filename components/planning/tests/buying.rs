//! What a run proposes to buy: items that sell no more, planned promotions, pages of an item.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod support;

use serde_json::{Value, json};
use support::{Brand, day, id, usd};
use tradewind_kernel::asks::inventory::Position;
use tradewind_kernel::asks::suppliers::Offer;
use tradewind_kernel::events::inventory::{OrderChanged, ReservationShipped};
use tradewind_kernel::events::suppliers::SupplierStatus;
use tradewind_shell::route::Role;

/// The brand of the main job, with one supplier of X and nothing in stock.
fn brand() -> Brand {
    let brand = Brand::new();
    brand.settle();
    *brand.others().offers.lock().unwrap() = vec![Offer {
        supplier: id("S1"),
        status: SupplierStatus::Approved,
        calendar: Default::default(),
        terms_days: 30,
        score: None,
        lead_time_deviation: None,
        sku: id("X"),
        price: usd("7.50"),
        lead_time_days: 5,
        minimum: 1,
        multiple: 1,
        maximum: None,
        breaks: Vec::new(),
        expedite: None,
        from: None,
        until: None,
    }];
    brand
}

/// So many units a day from one day to another.
fn load(brand: &Brand, channel: &str, from: &str, until: &str, quantity: i64, in_stock: bool) {
    let days = (0..=day(until).since(day(from))).map(|step| day(from).plus(step));
    let line = |day| {
        json!({"sku": "X", "channel": channel, "day": day, "quantity": quantity,
            "in_stock": in_stock})
    };
    let body: Vec<String> = days.map(|day| line(day).to_string()).collect();
    let loaded = brand.load(&body.join("\n"));
    assert_eq!(loaded.status, 200, "{}", loaded.body);
}

/// The proposals of a new run.
fn run(brand: &Brand) -> Value {
    assert_eq!(brand.send("POST", "/planning/v1/runs", &json!({})).status, 201);
    brand.get("/planning/v1/proposals")["items"].clone()
}

fn promote(brand: &Brand, from: &str, until: &str, expected_units: i64) {
    let body = json!({"name": "Advent", "sku": "X", "channel": "amazon", "from": from,
        "until": until, "expected_units": expected_units});
    let set = brand.send("PUT", "/planning/v1/promotions/P", &body);
    assert!([200, 201].contains(&set.status), "{}", set.body);
}

#[test]
fn an_item_that_sells_no_more_is_not_bought() {
    let brand = brand();
    load(&brand, "web", "2025-01-01", "2025-03-31", 10, true);
    let view = brand.get("/planning/v1/forecasts/X/web");
    assert_eq!((&view["daily_mean"], &view["daily_deviation"]), (&json!("0"), &json!("0")));
    let looked = ["history_from", "history_until", "last_known"].map(|field| view[field].clone());
    assert_eq!(json!(looked), json!(["2025-01-01", "2026-11-30", "2025-03-31"]));
    assert_eq!(run(&brand), json!([]));

    // One that sold until yesterday is, and the explanation says what was looked at.
    load(&brand, "web", "2026-05-01", "2026-11-30", 10, true);
    let found = run(&brand);
    // L 5, R 7 at 10 a day.
    assert_eq!(found[0]["quantity"], 120, "{found}");
    let told = &found[0]["explanation"]["channels"][0]["history"];
    let expected = json!({"history_from": "2025-01-01", "history_until": "2026-11-30",
        "last_known": "2026-11-30"});
    assert_eq!(told, &expected);
}

#[test]
fn an_empty_shelf_is_not_read_as_no_demand() {
    let brand = brand();
    load(&brand, "web", "2026-05-01", "2026-10-31", 10, true);
    load(&brand, "web", "2026-11-01", "2026-11-01", 0, false);
    assert_eq!(brand.get("/planning/v1/forecasts/X/web")["daily_mean"], "10");
    let shipped = json!({"reservation": "R", "order": "O", "channel": "web", "day": "2026-11-02",
        "lines": [{"sku": "X", "quantity": 10, "allocations": []}]});
    brand.tell_json::<ReservationShipped>("R", shipped);
    let mean = brand.get("/planning/v1/forecasts/X/web")["daily_mean"].clone();
    let mean: f64 = mean.as_str().unwrap().parse().unwrap();
    assert!(mean < 5.0, "goods were there again, and hardly anybody wanted them: {mean}");
}

#[test]
fn a_planned_promotion_is_bought_for_until_it_is_called_off() {
    let brand = brand();
    promote(&brand, "2026-12-05", "2026-12-09", 5000);
    assert_eq!(brand.get("/planning/v1/promotions/P")["units_short"], 5000);
    let first = run(&brand);
    assert_eq!((&first[0]["node"], &first[0]["quantity"]), (&json!("FBA"), &json!(5000)));
    assert_eq!(first[0]["need_day"], "2026-12-06", "the day after its first");
    let told = &first[0]["explanation"];
    assert_eq!((&told["uplift"], &told["level"]), (&json!("5000"), &json!("5000")));
    let promotion = json!([{"promotion": "P", "channel": "amazon", "from": "2026-12-05",
        "until": "2026-12-09", "remaining": 5000, "uplift": "5000"}]);
    assert_eq!(told["promotions"], promotion);
    assert_eq!(run(&brand), first, "the same again");

    // What is ordered already is open demand, not uplift as well.
    let order = json!({"order": "O", "channel": "amazon", "ordered_at": "2026-11-30T00:00:00Z",
        "cancelled": false, "dropped": [],
        "lines": [{"line": 1, "sku": "X", "quantity": 900, "wanted": "2026-12-06", "price": null}]});
    brand.tell_json::<OrderChanged>("O", order);
    let position =
        Position { sku: id("X"), node: id("FBA"), free: 0, on_order: Vec::new(), open_demand: 900 };
    *brand.others().positions.lock().unwrap() = vec![position];
    let found = run(&brand);
    assert_eq!(found[0]["quantity"], 5000);
    assert_eq!(found[0]["explanation"]["promotions"][0]["remaining"], 4100);
    brand.others().positions.lock().unwrap()[0].open_demand = 0;

    // Called off, on again, and ended early: the order is wanted after its last day now.
    for (until, units, short, proposals) in
        [("2026-12-09", 0, 0, 0), ("2026-12-09", 5000, 4100, 1), ("2026-12-05", 700, 700, 1)]
    {
        promote(&brand, "2026-12-05", until, units);
        assert_eq!(brand.get("/planning/v1/promotions/P")["units_short"], short, "{until} {units}");
        assert_eq!(run(&brand).as_array().unwrap().len(), proposals, "{until} {units}");
    }
}

#[test]
fn proposals_of_an_item_come_in_pages() {
    let brand = brand();
    load(&brand, "web", "2026-09-01", "2026-11-30", 10, true);
    load(&brand, "amazon", "2026-09-01", "2026-11-30", 10, true);
    let all = run(&brand);
    assert_eq!(all.as_array().unwrap().len(), 2);
    let page = |query: &str| brand.get(&format!("/planning/v1/proposals?sku=X{query}"));
    assert_eq!(page("")["items"], all, "by id");
    assert_eq!(page("&limit=2")["next"], all[1]["id"]);
    let first = page("&limit=1");
    assert_eq!((&first["items"], &first["next"]), (&json!([all[0]]), &all[0]["id"]));
    let second = page(&format!("&limit=1&after={}", all[0]["id"].as_str().unwrap()));
    assert_eq!(second["items"], json!([all[1]]));
    let last = page(&format!("&after={}", all[1]["id"].as_str().unwrap()));
    assert_eq!(last, json!({"items": [], "next": null}));
    for query in ["sku=X&after=NOPE", "after=NOPE"] {
        let refused = brand.call(
            Role::Viewer,
            "GET",
            &format!("/planning/v1/proposals?{query}"),
            &Value::Null,
        );
        assert_eq!((refused.status, &refused.body["code"]), (400, &json!("cursor-unknown")));
    }
}
