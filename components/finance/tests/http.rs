//! Settings, rates and the forecast over HTTP.

#![allow(clippy::unwrap_used, reason = "tests")]

#[allow(dead_code, reason = "each test file uses a part of the driver")]
mod driver;

use driver::Driver;
use serde_json::{Value, json};
use tradewind_shell::route::Role;

const SETTINGS: &str = "/finance/v1/settings";

#[test]
fn settings_are_put_and_read() {
    let driver = Driver::at("2026-12-01");
    let bare = driver.get(SETTINGS);
    assert_eq!((bare.status, bare.body["currency"].clone()), (200, json!("USD")));
    let body = json!({ "zone": "Europe/Berlin", "currency": "EUR", "opening_cash": "1000" });
    let made = driver.put(SETTINGS, body.clone());
    assert_eq!(made.status, 201, "{}", made.body);
    let wanted = json!({
        "zone": "Europe/Berlin", "currency": "EUR", "opening_cash": "1000.00", "cash_floor": null,
    });
    assert_eq!(made.body, wanted);
    let again = driver.put(SETTINGS, body);
    assert_eq!((again.status, again.header("etag")), (200, made.header("etag")));
    assert_eq!(driver.get(SETTINGS).header("etag"), made.header("etag"));
    let money = json!({ "amount": "5", "currency": "EUR" });
    let floor = json!({ "currency": "EUR", "opening_cash": "1000", "cash_floor": money });
    let changed = driver.put(SETTINGS, floor);
    assert_eq!((changed.status, changed.body["zone"].clone()), (200, json!("UTC")));
    assert_eq!(changed.body["cash_floor"], json!("5.00"));
    let told: Vec<String> = driver.events().iter().map(|event| event.kind().to_owned()).collect();
    assert_eq!(told, ["finance.settings-changed", "finance.settings-changed"]);
}

#[test]
fn refusals_name_every_fault() {
    let driver = Driver::at("2026-12-01");
    let shape = driver.put(SETTINGS, json!({ "zone": "Mars", "opening_cash": 5.5, "x": 1 }));
    assert_eq!(shape.status, 400);
    assert_eq!(shape.body["errors"].as_array().unwrap().len(), 3, "{}", shape.body);
    let faults = shape.body["errors"].clone();
    let cash = faults.as_array().unwrap().iter().find(|one| one["pointer"] == "/opening_cash");
    let said = cash.unwrap()["detail"].as_str().unwrap();
    assert!(said.contains("integer") && said.contains("string"), "{said}");
    let value = driver.put(SETTINGS, json!({ "zone": "Mars", "currency": "usd" }));
    assert_eq!((value.status, value.body["errors"].as_array().unwrap().len()), (422, 2));
    let foreign = json!({ "opening_cash": { "amount": "1", "currency": "EUR" } });
    assert_eq!(driver.put(SETTINGS, foreign).body["code"], "currency-differs");
    let viewer = driver.call_as(Role::Viewer, "PUT", SETTINGS, &json!({}));
    assert_eq!(viewer.status, 403);
    assert_eq!(driver.call_as(Role::Channel, "GET", SETTINGS, &Value::Null).status, 403);
}

#[test]
fn rates_are_put_and_read() {
    let driver = Driver::at("2026-12-01");
    let path = "/finance/v1/rates/EUR/2026-12-01";
    assert_eq!(driver.get(path).status, 404);
    let made = driver.put(path, json!({ "rate": "1.10" }));
    assert_eq!((made.status, made.header("location")), (201, Some(path)));
    assert_eq!(driver.get(path).body["rate"], "1.10");
    assert_eq!(driver.put(path, json!({ "rate": "1.10" })).header("etag"), made.header("etag"));
    assert_eq!(driver.put(path, json!({ "rate": "1.20" })).status, 200);
    for (path, rate, status) in [
        ("/finance/v1/rates/XXX1/2026-13-01", "1", 422),
        ("/finance/v1/rates/USD/2026-12-01", "1", 422),
        ("/finance/v1/rates/EUR/2026-12-01", "0", 422),
        ("/finance/v1/rates/EUR/2026-12-01", "one", 422),
    ] {
        assert_eq!(driver.put(path, json!({ "rate": rate })).status, status, "{path} {rate}");
    }
    assert_eq!(driver.get("/finance/v1/rates/EUR/yesterday").status, 404);
}

#[test]
fn a_forecast_has_one_to_fifty_three_weeks() {
    let driver = Driver::at("2026-12-01");
    for (query, status, weeks) in [
        ("", 200, 13),
        ("?weeks=1", 200, 1),
        ("?weeks=53", 200, 53),
        ("?weeks=0", 422, 0),
        ("?weeks=54", 422, 0),
        ("?weeks=-1", 422, 0),
        ("?weeks=x", 400, 0),
        ("?months=1", 400, 0),
    ] {
        let answer = driver.get(&format!("/finance/v1/cash-forecast{query}"));
        let listed = answer.body["weeks"].as_array().map_or(0, Vec::len);
        assert_eq!((answer.status, listed), (status, weeks), "{query}");
    }
    driver.put(SETTINGS, json!({ "opening_cash": "5", "zone": "Pacific/Auckland" }));
    driver.world.set_now("2026-12-06T23:00:00Z".parse().unwrap());
    let first = driver.get("/finance/v1/cash-forecast?weeks=1").body;
    assert_eq!(first["weeks"][0]["week"], "2026-12-07", "it is Monday there already");
    assert_eq!(first["weeks"][0]["balance"], "5.00");
}
