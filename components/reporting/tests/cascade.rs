//! Cascades, from the events of the domains.

#![allow(clippy::unwrap_used, reason = "tests")]

#[allow(dead_code, reason = "each test file uses a part of the driver")]
mod driver;

use driver::Driver;
use serde_json::{Value, json};
use tradewind_kernel::decision::Write;
use tradewind_kernel::event::{Domain, NewEvent};
use tradewind_shell::store::{Commit, Store};
use tradewind_shell::world::World;

fn usd(amount: &str) -> Value {
    json!({ "amount": amount, "currency": "USD" })
}

fn confirmed() -> Value {
    json!({
        "order": "PO-1", "supplier": "S1", "currency": "USD", "terms_days": 30,
        "status": "confirmed", "released": "2026-11-01", "raised_by": "bob",
        "raised_at": "2026-11-01T00:00:00Z", "lines": [],
        "changes": [{
            "line": 1, "sku": "X", "node": "OWN",
            "before": [{ "day": "2026-12-15", "quantity": 200 }],
            "after": [{ "day": "2026-12-29", "quantity": 200 }],
            "price_before": "7.50", "price_after": "7.50",
        }],
    })
}

fn moved(order: &str, units: i64, price: &str, old: Option<&str>, new: Option<&str>) -> Value {
    let channel = if order == "O1" { "wholesale" } else { "web" };
    json!({
        "order": order, "line": 1, "channel": channel, "sku": "X", "quantity": units,
        "wanted": "2026-12-02", "old_day": old, "new_day": new, "price": usd(price),
    })
}

fn pegged(moved: Vec<Value>) -> Value {
    json!({
        "sku": "X", "today": "2026-12-01", "part": 1, "parts": 1, "moved": moved,
        "left_over": [], "held": [],
    })
}

fn weeks(weeks: &[(&str, &str, &str, &str)]) -> Value {
    let week = |(week, before, after, change): &(&str, &str, &str, &str)| json!({ "week": week, "before": before, "after": after, "change": change });
    json!({ "currency": "USD", "weeks": weeks.iter().map(week).collect::<Vec<_>>() })
}

fn option(kind: &str, net: &str, cash: &str, day: Option<&str>) -> Value {
    json!({
        "kind": kind, "description": kind, "sku": "X", "day": day, "units": 1,
        "revenue": usd("0.00"), "lost": usd("0.00"), "cost": usd("0.00"), "cash": usd(cash),
        "net": usd(net), "feasible": day.is_some(), "reason": null, "as_of": "ev_1",
    })
}

/// The main job, as the domains tell it.
fn main_job() -> Driver {
    let driver = Driver::at("2026-12-01");
    let mut origin = driver.origin("late", "buyer", None, None);
    origin.reason = Some("port congestion".to_owned());
    let cause =
        driver.append("procurement.order-confirmed", "PO-1", confirmed(), origin, Vec::new());
    let parts = json!([{ "name": "quality", "value": "0.98", "weight": "10", "of": 306 }]);
    let score = json!({
        "supplier": "S1", "before": "83.1", "after": "78.1", "parts_before": [], "parts": parts,
    });
    driver.follow("late", &cause, "suppliers.score-changed", score);
    let availability = json!({
        "sku": "X",
        "channels": [{
            "sku": "X", "channel": "amazon", "available_before": 80, "available_after": 30,
            "published_before": 80, "published_after": 30,
        }],
        "protections": [{
            "id": "P-AMZ", "held_before": 0, "held_after": 50, "short_before": 0, "short_after": 0,
        }],
    });
    driver.follow("late", &cause, "inventory.availability-changed", availability);
    let later = Some("2026-12-29");
    let moves = vec![
        moved("O1", 90, "12.00", Some("2026-12-18"), later),
        moved("O4", 30, "24.00", Some("2026-12-02"), later),
        moved("O5", 40, "24.00", Some("2026-12-16"), later),
    ];
    let peg = driver.follow("late", &cause, "inventory.item-pegged", pegged(moves));
    let first = weeks(&[
        ("2027-01-11", "-420.00", "1080.00", "1500.00"),
        ("2027-01-25", "0.00", "-1500.00", "-1500.00"),
    ]);
    driver.follow("late", &cause, "finance.cash-changed", first);
    let second = weeks(&[
        ("2026-11-30", "931.20", "232.80", "-698.40"),
        ("2026-12-14", "931.20", "0.00", "-931.20"),
        ("2026-12-28", "0.00", "1629.60", "1629.60"),
        ("2027-01-11", "1080.00", "0.00", "-1080.00"),
        ("2027-01-25", "-1500.00", "-420.00", "1080.00"),
    ]);
    driver.follow("late", &peg, "finance.cash-changed", second);
    let risk = json!({
        "promotion": "PROMO", "sku": "X", "channel": "amazon", "units_short_before": 0,
        "units_short": 5, "first_day": "2026-12-20", "revenue": usd("100.00"),
    });
    driver.follow("late", &peg, "planning.promotion-risk-changed", risk);
    let options = json!({ "sku": "X", "options": [
        option("transfer", "0.00", "0.00", None),
        option("expedite", "2500.00", "360.00", Some("2026-12-15")),
        option("alternate-supplier", "2571.00", "1564.00", Some("2026-12-06")),
        option("re-allocate", "120.00", "0.00", Some("2026-12-01")),
        option("postpone-promotion", "120.00", "0.00", Some("2026-12-25")),
    ]});
    driver.follow("late", &peg, "planning.options-ranked", options);
    driver
}

#[test]
fn the_main_job() {
    let driver = main_job();
    driver.pass_all();
    let cascade = driver.cascade("late");
    assert_eq!(cascade["complete"], true);
    assert_eq!(cascade["parked"], json!([]));
    assert_eq!(
        cascade["cause"],
        json!({
            "type": "procurement.order-confirmed", "domain": "procurement",
            "at": "2026-12-01T09:00:00.000Z", "by": "buyer", "subject": "PO-1",
            "reason": "port congestion",
        })
    );
    let promise = |order: &str, channel: &str, units: i64, old: &str, revenue: &str| {
        json!({
            "order": order, "line": 1, "channel": channel, "sku": "X", "quantity": units,
            "old_day": old, "new_day": "2026-12-29", "revenue": usd(revenue),
        })
    };
    let wanted = json!([
        promise("O1", "wholesale", 90, "2026-12-18", "1080.00"),
        promise("O5", "web", 40, "2026-12-16", "960.00"),
        promise("O4", "web", 30, "2026-12-02", "720.00"),
    ]);
    assert_eq!(cascade["promises"], wanted);
    let weeks = weeks(&[
        ("2026-11-30", "931.20", "232.80", "-698.40"),
        ("2026-12-14", "931.20", "0.00", "-931.20"),
        ("2026-12-28", "0.00", "1629.60", "1629.60"),
        ("2027-01-11", "-420.00", "0.00", "420.00"),
        ("2027-01-25", "0.00", "-420.00", "-420.00"),
    ]);
    assert_eq!(cascade["cash"], weeks);
    assert_eq!(cascade["supplier"]["score_after"], "78.1");
    assert_eq!(cascade["allocations"][0]["available_after"], 30);
    assert_eq!(cascade["protections"][0]["held_after"], 50);
    assert_eq!(cascade["promotions"][0]["units_short"], 5);
    let options = cascade["options"].as_array().unwrap();
    let kinds: Vec<&str> = options.iter().map(|it| it["kind"].as_str().unwrap()).collect();
    let ranked =
        ["alternate-supplier", "expedite", "re-allocate", "postpone-promotion", "transfer"];
    assert_eq!(kinds, ranked);
    let chain = cascade["chain"].as_array().unwrap();
    assert_eq!(chain.len(), 8);
    assert_eq!((&chain[0]["caused_by"], &chain[1]["caused_by"]), (&Value::Null, &chain[0]["id"]));
    assert_eq!(
        cascade["summary"],
        "S1 confirmed PO-1, X: 200 on 2026-12-29 instead of 200 on 2026-12-15: port congestion. \
         3 promises of 160 units (2760.00 USD) move to a later day: web 2, wholesale 1. \
         Protections: P-AMZ keeps 50 of present stock (0 before). \
         Promotions: PROMO is 5 units short (0 before), first on 2026-12-20, 100.00 USD. \
         Cash changes in 5 weeks, from -931.20 in the week of 2026-12-14 to +1629.60 in that of \
         2026-12-28 (0.00 USD in all). \
         Score: S1 goes from 83.1 to 78.1. \
         4 options; the best is alternate-supplier of X by 2026-12-06, net 2571.00 USD."
    );
}

#[test]
fn it_is_complete_when_every_reactor_has_passed_and_nothing_waits() {
    let driver = main_job();
    assert_eq!(driver.cascade("late")["complete"], false);
    for domain in [Domain::Suppliers, Domain::Inventory, Domain::Planning] {
        driver.pass(domain);
        assert_eq!(driver.cascade("late")["complete"], false, "{domain}");
    }
    driver.pass(Domain::Finance);
    assert_eq!(driver.cascade("late")["complete"], true, "procurement reacts to none of these");

    // An item waits to be pegged for it.
    let origin = driver.origin("late", "system", None, None);
    let mark = Write::Mark { item: "X".to_owned() };
    let marking = Commit { writes: vec![mark], ..driver::commit(Domain::Inventory, origin) };
    futures::executor::block_on(driver.world.store().commit(&marking)).unwrap();
    assert_eq!(driver.cascade("late")["complete"], false);
    assert!(driver.cascade("late")["summary"].as_str().unwrap().ends_with("followed yet."));
}

#[test]
fn a_parked_event_keeps_it_open() {
    let driver = main_job();
    driver.pass_all();
    let event = json!({
        "sequence": 2, "domain": "procurement", "type": "procurement.order-confirmed",
        "subject": "PO-1", "data": {}, "at": "2026-12-01T09:00:00.000Z", "by": "buyer",
        "correlation": "late",
    });
    let record = json!({ "event": event, "why": "it did not read", "faults": [] });
    let set = tradewind_shell::store::keys::parked(Domain::Finance);
    let value = record.to_string();
    let write = Write::PutMember { set, member: "ev_2".to_owned(), value };
    let origin = driver.origin("other", "system", None, None);
    let parking = Commit { writes: vec![write], ..driver::commit(Domain::Finance, origin) };
    futures::executor::block_on(driver.world.store().commit(&parking)).unwrap();
    let cascade = driver.cascade("late");
    assert_eq!(cascade["complete"], false);
    assert_eq!(cascade["parked"][0]["domain"], "finance");
    assert_eq!(cascade["parked"][0]["id"], "ev_2");
}

#[test]
fn what_moves_twice_is_told_once_and_what_comes_back_not_at_all() {
    let driver = Driver::at("2026-12-01");
    let cause = driver.tell("c", "inventory.node-set", json!({}));
    let peg = |moves: Vec<Value>| {
        driver.follow("c", &cause, "inventory.item-pegged", pegged(moves));
    };
    let mut given = moved("NEW", 5, "1.00", None, Some("2026-12-05"));
    given["first"] = json!(true);
    peg(vec![
        moved("A", 10, "2.00", Some("2026-12-05"), Some("2026-12-09")),
        moved("B", 10, "2.00", Some("2026-12-05"), Some("2026-12-09")),
        moved("LOST", 10, "9.00", Some("2026-12-05"), None),
        given,
    ]);
    peg(vec![
        moved("A", 8, "2.00", Some("2026-12-09"), Some("2026-12-12")),
        moved("B", 10, "2.00", Some("2026-12-09"), Some("2026-12-05")),
        moved("NEW", 5, "1.00", Some("2026-12-05"), Some("2026-12-06")),
    ]);
    let availability = |before: i64, after: i64| {
        let channel = json!({
            "sku": "X", "channel": "web", "available_before": before, "available_after": after,
            "published_before": before, "published_after": after,
        });
        let data = json!({ "sku": "X", "channels": [channel], "protections": [] });
        driver.follow("c", &cause, "inventory.availability-changed", data);
    };
    availability(5, 3);
    availability(3, 5);
    let there = weeks(&[("2026-12-14", "1.00", "5.00", "4.00")]);
    let back = weeks(&[("2026-12-14", "5.00", "1.00", "-4.00")]);
    driver.follow("c", &cause, "finance.cash-changed", there);
    driver.follow("c", &cause, "finance.cash-changed", back);
    let ranked = |options: Vec<Value>| {
        let data = json!({ "sku": "X", "options": options });
        driver.follow("c", &cause, "planning.options-ranked", data);
    };
    ranked(vec![option("expedite", "1.00", "1.00", Some("2026-12-02"))]);
    ranked(vec![]);
    let cascade = driver.cascade("c");
    let promises = cascade["promises"].as_array().unwrap();
    let told: Vec<(&str, &Value, &Value, &Value)> = promises
        .iter()
        .map(|it| (it["order"].as_str().unwrap(), &it["old_day"], &it["new_day"], &it["revenue"]))
        .collect();
    assert_eq!(
        told,
        [
            ("LOST", &json!("2026-12-05"), &Value::Null, &usd("90.00")),
            ("A", &json!("2026-12-05"), &json!("2026-12-12"), &usd("16.00")),
        ]
    );
    assert_eq!(cascade["allocations"], json!([]));
    assert_eq!(cascade["cash"], json!({ "currency": "USD", "weeks": [] }));
    assert_eq!(cascade["options"], json!([]));
}

#[test]
fn nothing_moved_says_so_and_an_unknown_correlation_is_not_found() {
    let driver = Driver::at("2026-12-01");
    let settings = json!({
        "zone": "UTC", "currency": "EUR", "opening_cash": "0", "cash_floor": null,
    });
    driver.tell("settings", "finance.settings-changed", settings);
    driver.tell("quiet", "procurement.order-confirmed", confirmed());
    driver.pass_all();
    let cascade = driver.cascade("quiet");
    assert_eq!((&cascade["complete"], &cascade["supplier"]), (&json!(true), &Value::Null));
    assert_eq!(cascade["cash"]["currency"], "EUR");
    let summary = cascade["summary"].as_str().unwrap();
    assert!(summary.ends_with("Nothing moved: every promise, hold and payment is as it was."));
    for unknown in ["never-seen", "not%20an%20id"] {
        assert_eq!(driver.get(&format!("/reporting/v1/cascades/{unknown}")).status, 404);
    }
}

#[test]
fn a_claim_says_what_was_claimed_and_not_that_nothing_moved() {
    let driver = Driver::at("2026-12-01");
    let granted = |units: i64| json!([{ "node": "OWN", "quantity": units }]);
    let reserved = json!({
        "reservation": "res_1", "order": "O9", "channel": "web", "expires": null,
        "lines": [
            { "sku": "X", "quantity": 5, "allocations": granted(3), "backordered": 2 },
            { "sku": "Y", "quantity": 4, "allocations": [], "backordered": 4 },
        ],
    });
    let left = |more: Value| {
        let mut body = json!({
            "reservation": "res_1", "order": "O9", "channel": "web",
            "lines": [{ "sku": "X", "quantity": 1, "allocations": granted(1) }],
        });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    driver.tell("reserve", "inventory.reserved", reserved);
    driver.tell("ship", "inventory.reservation-shipped", left(json!({ "day": "2026-12-01" })));
    driver.tell("release", "inventory.reservation-released", left(json!({ "expired": false })));
    driver.tell("item", "inventory.item-set", json!({}));
    driver.pass_all();
    let others = "no promise, protection, promotion or payment of others moved.";
    for (correlation, ending) in [
        ("reserve", format!("3 units of X were claimed for order O9; {others}")),
        ("ship", format!("1 unit of X was shipped for order O9; {others}")),
        ("release", format!("1 unit of X was given back by order O9; {others}")),
        ("item", "No promise, protection, promotion or payment moved.".to_owned()),
    ] {
        let cascade = driver.cascade(correlation);
        let summary = cascade["summary"].as_str().unwrap();
        assert!(summary.ends_with(&ending), "{summary}");
    }
}

#[test]
fn a_repegging_for_several_causes_is_named_by_each() {
    let driver = Driver::at("2026-12-01");
    driver.tell("one", "inventory.order-changed", json!({}));
    driver.tell("two", "inventory.order-changed", json!({}));
    let origin = driver.origin("both", "system", None, Some("one two"));
    driver.append("inventory.item-pegged", "X", pegged(vec![]), origin, Vec::new());
    for correlation in ["one", "two"] {
        assert_eq!(driver.cascade(correlation)["continued_in"], json!(["both"]));
    }
    assert_eq!(driver.cascade("both")["cause"]["type"], "inventory.item-pegged");
}

#[test]
fn many_promises_are_read_in_pages() {
    let driver = Driver::at("2026-12-01");
    let cause = driver.tell("big", "procurement.order-confirmed", confirmed());
    for part in 0..6 {
        let moves = (0..250).map(|number| {
            let order = format!("O{part}-{number}");
            let price = format!("{}.00", part * 250 + number + 1);
            moved(&order, 1, &price, Some("2026-12-05"), Some("2026-12-09"))
        });
        driver.follow("big", &cause, "inventory.item-pegged", pegged(moves.collect()));
        // Another cascade in between.
        let other = NewEvent { kind: String::new(), subject: String::new(), data: json!({}) };
        for _ in 0..40 {
            driver.tell("other", "inventory.item-set", other.data.clone());
        }
    }
    let cascade = driver.cascade("big");
    assert_eq!(cascade["promises"].as_array().unwrap().len(), 1000);
    assert_eq!(cascade["promises_total"], 1500);
    assert_eq!(cascade["promises"][0]["revenue"], usd("1500.00"));
    let mut seen = Vec::new();
    let mut after = String::new();
    loop {
        let path = format!("/reporting/v1/cascades/big/promises?limit=400&after={after}");
        let page = driver.get(&path).body;
        seen.extend(page["items"].as_array().unwrap().iter().map(|it| it["order"].to_string()));
        let Some(next) = page["next"].as_str() else { break };
        after = next.to_owned();
    }
    assert_eq!(seen.len(), 1500);
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 1500);
}
