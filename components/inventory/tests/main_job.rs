//! Inventory's part of the main job, with every number (`docs/`: a late supplier).

#![allow(clippy::unwrap_used, reason = "tests may panic")]

mod driver;

use driver::{Driver, id};
use serde_json::{Value, json};
use tradewind_kernel::Day;
use tradewind_kernel::events::inventory::{AvailabilityChanged, ItemPegged};
use tradewind_kernel::events::procurement::{
    OrderConfirmed, OrderLine, OrderReleased, OrderState, OrderStatus, ScheduleEntry,
};

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

fn purchase(order: &str, supplier: &str, quantity: i64, price: &str, on: &str) -> OrderState {
    OrderState {
        order: id(order),
        supplier: id(supplier),
        currency: "USD".parse().unwrap(),
        terms_days: 30,
        status: OrderStatus::Released,
        released: Some(day("2026-11-20")),
        raised_by: "buyer".to_owned(),
        raised_at: driver::instant("2026-11-20T08:00:00Z"),
        lines: vec![OrderLine {
            line: 1,
            sku: id("X"),
            node: id("OWN"),
            quantity,
            price: price.parse().unwrap(),
            due: day(on),
            accepted: 0,
            rejected: 0,
            cancelled: 0,
            open: quantity,
            schedule: vec![ScheduleEntry { day: day(on), quantity }],
            confirmed: None,
            waiting_price: None,
            last_receipt: None,
        }],
    }
}

fn before() -> Driver {
    let driver = Driver::new("2026-12-01T09:00:00Z");
    let usd = |amount: &str| json!({ "amount": amount, "currency": "USD" });
    driver.put("items/X", json!({ "name": "X", "list_prices": { "amazon": usd("20.00") } }));
    for node in ["FBA", "OWN"] {
        driver.put(&format!("nodes/{node}"), json!({ "kind": "warehouse" }));
    }
    for (channel, kind, priority, nodes) in [
        ("wholesale", "wholesale", 1, json!(["OWN"])),
        ("amazon", "marketplace", 2, json!(["FBA", "OWN"])),
        ("web", "dtc", 3, json!(["OWN"])),
    ] {
        let body = json!({ "kind": kind, "priority": priority, "nodes": nodes });
        driver.put(&format!("channels/{channel}"), body);
    }
    driver.stock("X", "FBA", 40);
    driver.stock("X", "OWN", 50);
    for (order, supplier, quantity, price, on) in
        [("PO-1", "S1", 200, "7.50", "2026-12-15"), ("PO-2", "S3", 80, "8.00", "2027-01-12")]
    {
        let order = purchase(order, supplier, quantity, price, on);
        driver.tell("po", &OrderReleased { order });
    }
    driver.put(
        "protections/P-AMZ",
        json!({ "sku": "X", "channel": "amazon", "quantity": 50, "from": "2026-12-16",
                "until": "2026-12-31" }),
    );
    for (order, channel, quantity, wanted, price) in [
        ("W1", "web", 10, "2026-12-01", "24.00"),
        ("O1", "wholesale", 90, "2026-12-18", "12.00"),
        ("O2", "wholesale", 30, "2027-01-15", "12.00"),
        ("O3", "amazon", 25, "2026-12-03", "20.00"),
        ("O4", "web", 30, "2026-12-02", "24.00"),
        ("O5", "web", 40, "2026-12-16", "24.00"),
    ] {
        let line =
            json!({ "sku": "X", "quantity": quantity, "wanted": wanted, "price": usd(price) });
        driver.put(&format!("orders/{order}"), json!({ "channel": channel, "lines": [line] }));
        if order == "W1" {
            let lines = json!([{ "sku": "X", "quantity": 10 }]);
            let body = json!({ "order": "W1", "channel": "web", "lines": lines });
            driver.call("POST", "reservations", body).is(201);
        }
    }
    driver.settle();
    driver
}

fn confirm(driver: &Driver, on: &str) -> String {
    let mut order = purchase("PO-1", "S1", 200, "7.50", on);
    order.status = OrderStatus::Confirmed;
    order.lines[0].confirmed = Some(day(on));
    let told = OrderConfirmed { order, changes: Vec::new() };
    let correlation = driver.tell("PO-1", &told);
    driver.settle();
    correlation
}

/// Order, promised day, and what stands behind it.
type Promised<'a> = (&'a str, &'a str, &'a [(&'a str, i64)]);

#[track_caller]
fn promises(driver: &Driver, want: &[Promised<'_>]) {
    for (order, promised, pegs) in want {
        let said = driver.get(&format!("orders/{order}"));
        let line = &said["lines"][0];
        assert_eq!(line["promised"], json!(promised), "{said:#}");
        let got: Vec<(&str, i64)> = line["pegs"]
            .as_array()
            .unwrap()
            .iter()
            .map(|peg| (peg["supply"].as_str().unwrap(), peg["quantity"].as_i64().unwrap()))
            .collect();
        assert_eq!(got, *pegs, "{order}");
    }
}

#[track_caller]
fn channels(driver: &Driver, want: [i64; 3], held: i64) {
    for (channel, want) in ["wholesale", "amazon", "web"].iter().zip(want) {
        let said = driver.get(&format!("availability?sku=X&channel={channel}"));
        assert_eq!(said["available"], json!(want), "{said:#}");
        assert_eq!(said["protected"][0]["held"], json!(held));
        assert_eq!(said["protected"][0]["short"], json!(0));
    }
}

const BEFORE: &[Promised<'_>] = &[
    ("W1", "2026-12-01", &[]),
    ("O1", "2026-12-18", &[("PO-1/1/2026-12-15", 90)]),
    ("O2", "2027-01-15", &[("PO-2/1/2027-01-12", 30)]),
    ("O3", "2026-12-03", &[("stock:FBA", 25)]),
    ("O4", "2026-12-02", &[("stock:OWN", 30)]),
    ("O5", "2026-12-16", &[("PO-1/1/2026-12-15", 40)]),
];

fn left_over(pegged: &ItemPegged) -> Vec<(&str, i64)> {
    pegged.left_over.iter().map(|one| (one.supply.as_str(), one.quantity)).collect()
}

#[test]
fn before_the_cause() {
    let driver = before();
    promises(&driver, BEFORE);
    channels(&driver, [40, 80, 40], 0);
    let pegged: ItemPegged =
        driver.events().iter().rev().find(|one| one.is::<ItemPegged>()).unwrap().read().unwrap();
    let want = [
        ("stock:FBA", 15),
        ("stock:OWN", 10),
        ("PO-1/1/2026-12-15", 20),
        ("PO-2/1/2027-01-12", 50),
    ];
    assert_eq!(left_over(&pegged), want);
    driver.verify();
}

#[test]
fn the_delay_moves_promises_and_allocations() {
    let driver = before();
    let correlation = confirm(&driver, "2026-12-29");

    channels(&driver, [30, 30, 30], 50);
    promises(
        &driver,
        &[
            ("O1", "2026-12-29", &[("PO-1/1/2026-12-29", 90)]),
            ("O2", "2027-01-15", &[("PO-2/1/2027-01-12", 30)]),
            ("O3", "2026-12-03", &[("stock:OWN", 25)]),
            ("O4", "2026-12-29", &[("PO-1/1/2026-12-29", 30)]),
            ("O5", "2026-12-29", &[("PO-1/1/2026-12-29", 40)]),
        ],
    );
    let [pegged]: [ItemPegged; 1] = driver.told(&correlation).try_into().unwrap();
    let moved: Vec<String> = pegged
        .moved
        .iter()
        .map(|one| {
            let days = (one.old_day.unwrap(), one.new_day.unwrap());
            format!("{} {} {} {} {}", one.order, one.quantity, days.0, days.1, one.first)
        })
        .collect();
    assert_eq!(
        moved,
        [
            "O1 90 2026-12-18 2026-12-29 false",
            "O4 30 2026-12-02 2026-12-29 false",
            "O5 40 2026-12-16 2026-12-29 false",
        ]
    );
    let want = [("stock:OWN", 5), ("PO-1/1/2026-12-29", 40), ("PO-2/1/2027-01-12", 50)];
    assert_eq!(left_over(&pegged), want);
    let held: Vec<_> =
        pegged.held[0].pieces.iter().map(|one| (one.supply.as_str(), one.quantity)).collect();
    assert_eq!((held, pegged.held[0].short), (vec![("stock:FBA", 40), ("stock:OWN", 10)], 0));

    let [changed]: [AvailabilityChanged; 1] = driver.told(&correlation).try_into().unwrap();
    let channels: Vec<_> = changed
        .channels
        .iter()
        .map(|one| (one.channel.as_str(), one.available_before, one.available_after))
        .collect();
    assert_eq!(channels, [("amazon", 80, 30), ("web", 40, 30), ("wholesale", 40, 30)]);
    let kept = &changed.protections[0];
    assert_eq!((kept.held_before, kept.held_after, kept.short_after), (0, 50, 0));
    driver.verify();
}

#[test]
fn confirming_the_old_day_again_undoes_all_of_it() {
    let driver = before();
    confirm(&driver, "2026-12-29");
    let correlation = confirm(&driver, "2026-12-15");
    promises(&driver, BEFORE);
    channels(&driver, [40, 80, 40], 0);
    let [pegged]: [ItemPegged; 1] = driver.told(&correlation).try_into().unwrap();
    assert_eq!(pegged.moved.len(), 3);
    driver.verify();
}

#[test]
fn a_confirmation_that_changes_nothing_tells_nothing() {
    let driver = before();
    let correlation = confirm(&driver, "2026-12-15");
    let of_it = |event: &&tradewind_kernel::Event| event.origin.correlation == correlation;
    assert_eq!(driver.events().iter().filter(of_it).count(), 0);
}

#[test]
fn a_promise_is_a_dry_run() {
    let driver = before();
    let said = driver.get("promise?sku=X&channel=wholesale&quantity=15&wanted=2026-12-02");
    assert_eq!((&said["day"], &said["would_move"]), (&json!("2026-12-02"), &json!(1)), "{said:#}");
    let said = driver.get("promise?sku=X&channel=web&quantity=10&wanted=2026-12-02");
    assert_eq!((&said["day"], &said["would_move"]), (&json!("2026-12-02"), &json!(0)));
    assert_eq!(said["available_to_promise"], json!(10));
    let said = driver.get("promise?sku=X&channel=web&quantity=1000");
    assert_eq!((&said["day"], &said["reason"]), (&Value::Null, &json!("insufficient-supply")));
}
