//! Memory is nearly full: what only takes is refused, what gives back is not.

#![allow(clippy::unwrap_used, reason = "tests may panic")]

mod driver;

use driver::Driver;
use futures::executor::block_on;
use serde_json::json;
use tradewind_shell::route::Role;

#[test]
fn releases_and_cancellations_pass_and_the_rest_comes_later() {
    let driver = Driver::new("2026-12-01T09:00:00Z");
    driver.shop(&[("L1", 5)]);
    let line = json!({ "sku": "X", "quantity": 1, "wanted": "2026-12-02" });
    let order = json!({ "channel": "web", "lines": [line] });
    driver.put("orders/A", order.clone());
    let body = json!({ "order": "A", "channel": "web", "lines": [{ "sku": "X", "quantity": 2 }] });
    let request = driver.request("POST", "reservations", &body);
    let admin = || Driver::caller(&[Role::Admin], None);
    let made = block_on(driver.send(&request, admin())).is(201);
    driver.store.set_full(true);

    let refused = driver.reserve("B", 1).refused(503, "store-full");
    assert_eq!(refused.header("retry-after"), Some("1"));
    driver.call("PUT", "orders/B", order.clone()).refused(503, "store-full");
    // What was granted under a key is answered again, and reading goes on.
    let again = block_on(driver.send(&request, admin())).is(201);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(driver.available("X", "web"), 3);

    let path = format!("reservations/{}/release", made.body["id"].as_str().unwrap());
    driver.post(&path, json!({}));
    driver.post("orders/A/cancel", json!({}));
    driver.settle();
    assert_eq!(driver.available("X", "web"), 5);
    driver.store.set_full(false);
    driver.put("orders/B", order);
    driver.verify();
}
