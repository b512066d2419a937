//! An item with very many demand lines: what stating one more costs, and what it is answered.

#![allow(clippy::unwrap_used, reason = "tests may panic")]

mod driver;

use driver::Driver;
use serde_json::{Value, json};
use tradewind_kernel::events::inventory::ItemPegged;

const NOW: &str = "2026-12-01T09:00:00Z";

fn order(driver: &Driver, name: &str, quantity: i64, wanted: &str) -> Value {
    let line = json!({ "sku": "X", "quantity": quantity, "wanted": wanted });
    driver.put(&format!("orders/{name}"), json!({ "channel": "web", "lines": [line] }))
}

/// Orders of `lines` lines each.
fn many(driver: &Driver, name: &str, orders: usize, lines: usize) {
    let line = |number: usize| json!({ "sku": "X", "quantity": 1, "wanted": format!("2026-12-{:02}", 2 + number % 20) });
    let lines: Vec<Value> = (0..lines).map(line).collect();
    for number in 0..orders {
        let body = json!({ "channel": "web", "lines": lines });
        driver.put(&format!("orders/{name}{number}"), body);
    }
}

/// An item with a few lines more than are pegged for the answer of one that waits.
fn heavy() -> Driver {
    let driver = Driver::new(NOW);
    driver.shop(&[("L1", 300)]);
    many(&driver, "O", 2, 130);
    driver
}

#[test]
fn an_answer_equals_pegging_whenever_nothing_waits() {
    let driver = heavy();
    for (name, quantity, wanted) in
        [("first", 3, "2026-12-01"), ("between", 30, "2026-12-09"), ("beyond", 10, "2026-12-02")]
    {
        driver.settle();
        let said = order(&driver, name, quantity, wanted);
        assert_ne!(said["lines"][0]["reason"], "waiting");
        driver.settle();
        assert_eq!(driver.get(&format!("orders/{name}"))["lines"], said["lines"], "{name}");
    }
    driver.verify();
}

#[test]
fn a_heavy_item_that_waits_answers_waiting_and_is_pegged_soon() {
    let driver = heavy();
    let said = order(&driver, "late", 1, "2026-12-03");
    let line = &said["lines"][0];
    assert_eq!((&line["promised"], &line["reason"]), (&Value::Null, &json!("waiting")));
    assert_eq!(line["pegs"], json!([]));
    // Who asks waits for the pegging.
    assert_eq!(driver.get("orders/late")["lines"][0]["promised"], "2026-12-03");
    // A line that stays as it was shows what is kept of it.
    order(&driver, "other", 1, "2026-12-03");
    let two = json!([{ "sku": "X", "quantity": 1, "wanted": "2026-12-03" },
                     { "sku": "X", "quantity": 2, "wanted": "2026-12-04" }]);
    let said = driver.put("orders/late", json!({ "channel": "web", "lines": two }));
    assert_eq!(said["lines"][0]["promised"], "2026-12-03");
    assert_eq!(said["lines"][1]["reason"], "waiting");
    driver.verify();
}

#[test]
fn reading_one_order_of_a_heavy_item_does_not_read_the_others() {
    let driver = heavy();
    order(&driver, "other", 1, "2026-12-03");
    driver.settle();
    driver.pieces_read();
    driver.get("orders/other");
    let few = driver.pieces_read();
    assert!(few < 40, "{few} members were read for one line");
}

#[test]
fn stating_a_line_costs_the_same_however_many_there_are() {
    let driver = heavy();
    let cost = |name: &str| {
        driver.pieces_read();
        order(&driver, name, 1, "2026-12-03");
        driver.pieces_read()
    };
    let few = cost("few");
    many(&driver, "P", 4, 200);
    assert_eq!(cost("many"), few);
    driver.settle();
    let pegged = driver.events().iter().filter(|event| event.is::<ItemPegged>()).count();
    assert!(pegged < 20, "one re-pegging serves many lines, in parts: {pegged}");
    driver.verify();
}

#[test]
fn the_count_of_lines_follows_what_is_stated() {
    let driver = Driver::new(NOW);
    driver.shop(&[("L1", 3)]);
    driver.put("items/Y", json!({}));
    let line = |sku: &str| json!({ "sku": sku, "quantity": 1, "wanted": "2026-12-02" });
    let state = |lines: Value| driver.put("orders/A", json!({ "channel": "web", "lines": lines }));
    state(json!([line("X"), line("X"), line("Y")]));
    driver.verify();
    state(json!([line("Y"), line("X")]));
    driver.verify();
    driver.post("orders/A/cancel", json!({}));
    driver.verify();
}
