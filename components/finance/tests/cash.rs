//! The cash of the main job, and what else moves cash, as events of the other domains.

#![allow(clippy::unwrap_used, reason = "tests")]

#[allow(dead_code, reason = "each test file uses a part of the driver")]
mod driver;

use driver::{Driver, week};
use futures::executor::block_on;
use serde_json::{Value, json};

const FORECAST: &str = "/finance/v1/cash-forecast?weeks=53";

fn usd(amount: &str) -> Value {
    json!({ "amount": amount, "currency": "USD" })
}

fn channel(driver: &Driver, name: &str, lag: u32, fee: &str) {
    let payout = json!({ "lag_days": lag, "fee": fee });
    let data = json!({
        "channel": name, "kind": "dtc", "priority": 1, "nodes": ["OWN"], "backorder": true,
        "payout": payout,
    });
    driver.tell("setup", "inventory.channel-set", data);
}

fn purchase(day: &str) -> Value {
    json!({
        "order": "PO-1", "supplier": "S1", "currency": "USD", "terms_days": 30,
        "status": "confirmed", "released": "2026-11-01", "raised_by": "bob",
        "raised_at": "2026-11-01T00:00:00Z", "changes": [],
        "lines": [{
            "line": 1, "sku": "X", "node": "OWN", "quantity": 200, "price": "7.50",
            "due": "2026-12-15", "accepted": 0, "rejected": 0, "cancelled": 0, "open": 200,
            "schedule": [{ "day": day, "quantity": 200 }], "confirmed": day,
        }],
    })
}

fn customer_order(order: &str, channel: &str, quantity: i64, wanted: &str, price: &str) -> Value {
    json!({
        "order": order, "channel": channel, "ordered_at": "2026-11-20T00:00:00Z",
        "cancelled": false, "dropped": [],
        "lines": [{ "line": 1, "sku": "X", "quantity": quantity, "wanted": wanted,
                    "price": usd(price) }],
    })
}

fn pegged(moves: &[(&str, Option<&str>)]) -> Value {
    let moved: Vec<Value> = moves
        .iter()
        .map(|(order, day)| {
            json!({
                "order": order, "line": 1, "channel": "web", "sku": "X", "quantity": 1,
                "wanted": "2026-12-01", "old_day": null, "new_day": day, "price": null,
            })
        })
        .collect();
    json!({
        "sku": "X", "today": "2026-12-01", "part": 1, "parts": 1, "moved": moved,
        "left_over": [], "held": [],
    })
}

fn before_the_delay() -> Driver {
    let driver = Driver::at("2026-12-01");
    driver.put("/finance/v1/settings", json!({ "opening_cash": "10000" }));
    channel(&driver, "wholesale", 30, "0");
    channel(&driver, "amazon", 14, "0.15");
    channel(&driver, "web", 2, "0.03");
    driver.tell("setup", "procurement.order-released", purchase("2026-12-15"));
    for (order, channel, quantity, wanted, price) in [
        ("W1", "web", 10, "2026-12-01", "24.00"),
        ("O1", "wholesale", 90, "2026-12-18", "12.00"),
        ("O2", "wholesale", 30, "2027-01-15", "12.00"),
        ("O3", "amazon", 25, "2026-12-03", "20.00"),
        ("O4", "web", 30, "2026-12-02", "24.00"),
        ("O5", "web", 40, "2026-12-16", "24.00"),
    ] {
        let order = customer_order(order, channel, quantity, wanted, price);
        driver.tell("setup", "inventory.order-changed", order);
    }
    let claim = json!({
        "reservation": "res_1", "order": "W1", "channel": "web", "expires": null,
        "lines": [{ "sku": "X", "quantity": 10, "backordered": 0,
                    "allocations": [{ "node": "OWN", "quantity": 10 }] }],
    });
    driver.tell("setup", "inventory.reserved", claim);
    let promises = [
        ("O1", Some("2026-12-18")),
        ("O2", Some("2027-01-15")),
        ("O3", Some("2026-12-03")),
        ("O4", Some("2026-12-02")),
        ("O5", Some("2026-12-16")),
    ];
    driver.tell("setup", "inventory.item-pegged", pegged(&promises));
    driver.react();
    driver
}

fn delay(driver: &Driver, correlation: &str, day: &str, o1: &str, o4: &str, o5: &str) {
    driver.tell(correlation, "procurement.order-confirmed", purchase(day));
    let moves = [("O1", Some(o1)), ("O4", Some(o4)), ("O5", Some(o5))];
    driver.tell(correlation, "inventory.item-pegged", pegged(&moves));
    driver.react();
}

#[test]
fn the_main_job_moves_exactly_these_weeks_and_its_undoing_moves_them_back() {
    let driver = before_the_delay();
    let before = driver.get(FORECAST).body;
    assert_eq!(week(&driver.get(FORECAST), "2026-11-30"), ["931.20", "0.00", "10931.20"]);
    delay(&driver, "late", "2026-12-29", "2026-12-29", "2026-12-29", "2026-12-29");
    let row = |week: &str, change: &str| (week.to_owned(), change.to_owned());
    let wanted = [
        row("2026-11-30", "-698.40"),
        row("2026-12-14", "-931.20"),
        row("2026-12-28", "1629.60"),
        row("2027-01-11", "420.00"),
        row("2027-01-25", "-420.00"),
    ];
    assert_eq!(driver.cash_changes("late"), wanted);
    assert_eq!(week(&driver.get(FORECAST), "2026-11-30")[0], "232.80");
    delay(&driver, "undo", "2026-12-15", "2026-12-18", "2026-12-02", "2026-12-16");
    assert_eq!(driver.get(FORECAST).body, before);
    assert_eq!(driver.cash_changes("undo").len(), 5);
}

#[test]
fn each_event_tells_the_whole_net_flow_of_a_week() {
    let driver = before_the_delay();
    delay(&driver, "late", "2026-12-29", "2026-12-29", "2026-12-29", "2026-12-29");
    let told = driver.events();
    let last = told.last().unwrap();
    let weeks = last.what.data["weeks"].as_array().unwrap();
    let january = weeks.iter().find(|week| week["week"] == "2027-01-25").unwrap();
    assert_eq!(january["before"], "-1500.00");
    assert_eq!(january["after"], "-420.00");
    assert_eq!(january["change"], "1080.00");
}

#[test]
fn the_turn_of_the_day_slides_what_is_late() {
    let driver = before_the_delay();
    driver.set_day("2026-12-21");
    let unturned = driver.get(FORECAST).body;
    driver.tell("turn", "inventory.day-turned", json!({ "from": null, "to": "2026-12-21" }));
    driver.react();
    assert_eq!(driver.get(FORECAST).body, unturned, "saying so changes nothing");
    let changes = driver.cash_changes("turn");
    // The purchase has not come: 30 days from today. W1 is claimed and has not gone: 2 days.
    assert!(changes.contains(&("2027-01-18".to_owned(), "-1500.00".to_owned())), "{changes:?}");
    assert!(changes.contains(&("2027-01-11".to_owned(), "1500.00".to_owned())), "{changes:?}");
    let this_week = week(&driver.get(FORECAST), "2026-12-21");
    // Past due: O3 425, O4 698.40 and O5 931.20; and W1 232.80, shipping today.
    assert_eq!(this_week[0], "2287.40");
}

#[test]
fn receipts_and_shipments_are_due_from_their_day() {
    let driver = before_the_delay();
    let mut received = purchase("2026-12-15");
    received["receipt"] = json!("rec_1");
    received["node"] = json!("OWN");
    received["day"] = json!("2026-12-01");
    received["status"] = json!("confirmed");
    received["lines"][0]["schedule"] = json!([{ "day": "2026-12-15", "quantity": 50 }]);
    received["received"] = json!([
        { "line": 1, "sku": "X", "accepted": 150, "rejected": 4, "price": "7.50" },
    ]);
    driver.tell("receipt", "procurement.order-received", received.clone());
    let shipment = json!({
        "reservation": "res_1", "order": "W1", "channel": "web", "day": "2026-12-01",
        "lines": [{ "sku": "X", "quantity": 10, "allocations": [] }],
    });
    driver.tell("ship", "inventory.reservation-shipped", shipment);
    let mut closed = received;
    closed["status"] = json!("closed");
    closed["lines"][0]["schedule"] = json!([]);
    driver.tell("close", "procurement.order-closed", closed);
    driver.react();
    let row = |week: &str, change: &str| (week.to_owned(), change.to_owned());
    let receipt = [row("2026-12-28", "-1125.00"), row("2027-01-11", "1125.00")];
    assert_eq!(driver.cash_changes("receipt"), receipt);
    assert_eq!(driver.cash_changes("ship"), [], "it was expected today already");
    assert_eq!(driver.cash_changes("close"), [row("2027-01-11", "375.00")]);
}

#[test]
fn a_new_opening_cash_settles_what_fell_due_before() {
    let driver = before_the_delay();
    driver.set_day("2026-12-08");
    driver.tell(
        "turn",
        "inventory.day-turned",
        json!({ "from": "2026-12-01", "to": "2026-12-08" }),
    );
    driver.react();
    // O4 was due on the 4th, W1 is claimed and slides to today.
    assert_eq!(week(&driver.get(FORECAST), "2026-12-07")[0], "931.20");
    driver.put("/finance/v1/settings", json!({ "opening_cash": "10698.40" }));
    assert_eq!(week(&driver.get(FORECAST), "2026-12-07"), ["232.80", "0.00", "10931.20"]);
    driver.put("/finance/v1/settings", json!({ "opening_cash": "10698.40", "cash_floor": "1" }));
    assert_eq!(week(&driver.get(FORECAST), "2026-12-07")[0], "232.80");
}

#[test]
fn calendars_and_payouts_move_every_order_they_touch() {
    let driver = before_the_delay();
    let closed = json!({
        "node": "OWN", "kind": "warehouse", "receiving_days": 1,
        "calendar": { "open": ["mon", "tue", "wed", "thu", "fri"], "closed": ["2026-12-16"] },
    });
    driver.tell("node", "inventory.node-set", closed.clone());
    driver.react();
    // 15 December, one receiving day, the 16th is closed: usable on the 17th; due 16 January.
    assert_eq!(driver.cash_changes("node"), [], "the same week");
    let mut slower = closed;
    slower["receiving_days"] = json!(3);
    driver.tell("slower", "inventory.node-set", slower);
    channel(&driver, "web", 9, "0.03");
    driver.react();
    let row = |week: &str, change: &str| (week.to_owned(), change.to_owned());
    assert_eq!(
        driver.cash_changes("slower"),
        [row("2027-01-11", "1500.00"), row("2027-01-18", "-1500.00")]
    );
    assert_eq!(week(&driver.get(FORECAST), "2026-12-07")[0], "931.20");
}

#[test]
fn foreign_purchases_are_left_out_until_there_is_a_rate() {
    let driver = Driver::at("2026-12-01");
    let mut order = purchase("2026-12-15");
    order["currency"] = json!("EUR");
    driver.tell("setup", "procurement.order-released", order);
    driver.react();
    let bare = driver.get(FORECAST).body;
    assert_eq!(bare["unconverted"], json!([{ "currency": "EUR", "in": "0.00", "out": "1500.00" }]));
    driver.put("/finance/v1/rates/EUR/2026-12-01", json!({ "rate": "1.1" }));
    let known = driver.get(FORECAST);
    assert_eq!(week(&known, "2027-01-11"), ["0.00", "1650.00", "-1650.00"]);
    assert_eq!(known.body["unconverted"], json!([]));
    assert_eq!(driver.events().last().unwrap().kind(), "finance.cash-changed");
}

#[test]
fn an_outlook_is_the_forecast_in_short() {
    let driver = before_the_delay();
    driver.put("/finance/v1/rates/EUR/2026-12-01", json!({ "rate": "1.1" }));
    let ask = |weeks| {
        block_on(tradewind_finance::queries::outlook(&driver.world, driver::TENANT, weeks, None))
    };
    assert!(ask(3).is_err(), "behind: the rate is not yet reacted to");
    driver.react();
    let outlook = ask(3).unwrap();
    assert_eq!(outlook.value.balances.len(), 3);
    assert_eq!(outlook.value.balances[0].1.to_string(), "10931.20");
    assert_eq!(outlook.value.rates["EUR"].to_string(), "1.1");
    assert!(!outlook.witnesses.is_empty());
    assert!(ask(54).is_err());
}

#[test]
fn a_large_pegging_reads_only_what_it_names() {
    let driver = before_the_delay();
    for number in 0..600 {
        let order = customer_order(&format!("L{number}"), "web", 1, "2026-12-20", "1.00");
        driver.tell("setup", "inventory.order-changed", order);
    }
    let names: Vec<String> = (0..600).map(|number| format!("L{number}")).collect();
    let moves: Vec<(&str, Option<&str>)> =
        names.iter().map(|name| (name.as_str(), Some("2026-12-20"))).collect();
    driver.tell("many", "inventory.item-pegged", pegged(&moves));
    driver.react();
    assert_eq!(driver.cash_changes("many"), [("2026-12-21".to_owned(), "582.00".to_owned())]);
    // Another payout touches all of them, in steps.
    channel(&driver, "web", 2, "0.5");
    driver.react();
    assert_eq!(week(&driver.get(FORECAST), "2026-12-21")[0], "300.00");
}
