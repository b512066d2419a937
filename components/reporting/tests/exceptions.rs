//! Exceptions: opened by events, closed by events or by their owner.

#![allow(clippy::unwrap_used, reason = "tests")]

#[allow(dead_code, reason = "each test file uses a part of the driver")]
mod driver;

use driver::Driver;
use serde_json::{Value, json};
use tradewind_shell::route::Role;

fn order(status: &str, open: i64, day: &str) -> Value {
    json!({
        "order": "PO-1", "supplier": "S1", "currency": "USD", "terms_days": 30, "status": status,
        "released": "2026-11-01", "raised_by": "bob", "raised_at": "2026-11-01T00:00:00Z",
        "changes": [],
        "lines": [{
            "line": 1, "sku": "X", "node": "OWN", "quantity": 200, "price": "7.50", "due": day,
            "accepted": 200 - open, "rejected": 0, "cancelled": 0, "open": open,
            "schedule": if open > 0 { json!([{ "day": day, "quantity": open }]) } else { json!([]) },
            "confirmed": null,
        }],
    })
}

fn past_due() -> Value {
    json!({
        "order": "PO-1", "line": 1, "supplier": "S1", "sku": "X", "node": "OWN",
        "day": "2026-12-01", "quantity": 200,
    })
}

fn kinds(driver: &Driver) -> Vec<String> {
    driver.open().into_iter().map(|(kind, _)| kind).collect()
}

#[test]
fn a_late_purchase_is_the_buyers_until_it_comes_or_has_a_later_day() {
    for (kind, after) in [
        ("procurement.order-confirmed", order("confirmed", 200, "2026-12-20")),
        ("procurement.order-closed", order("closed", 0, "2026-12-01")),
    ] {
        let driver = Driver::at("2026-12-02");
        driver.tell("turn", "procurement.order-past-due", past_due());
        let open = driver.exceptions("open");
        assert_eq!(open.len(), 1);
        assert_eq!(
            (&open[0]["kind"], &open[0]["owner"]),
            (&json!("order-past-due"), &json!("buyer"))
        );
        assert_eq!(open[0]["due"], "2026-12-03T09:00:00.000Z");
        assert_eq!(open[0]["correlation_id"], "turn");
        assert_eq!(open[0]["links"][0]["href"], "/procurement/v1/orders/PO-1");
        // Part of it comes: the rest is still late.
        driver.tell("part", "procurement.order-received", order("confirmed", 50, "2026-12-01"));
        assert_eq!(kinds(&driver), ["order-past-due"]);
        driver.tell("end", kind, after);
        assert_eq!(kinds(&driver), Vec::<String>::new(), "{kind}");
        let closed = driver.exceptions("closed");
        let history = closed[0]["history"].as_array().unwrap();
        assert_eq!(history.len(), 2);
        assert_eq!(history[1]["what"], "closed: it came, or has a later day");
    }
}

#[test]
fn a_person_closes_with_a_reason_and_the_same_again_opens_anew() {
    let driver = Driver::at("2026-12-02");
    driver.tell("turn", "procurement.order-past-due", past_due());
    let id = driver.exceptions("open")[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/reporting/v1/exceptions/{id}/close");
    let close = |role, body: Value| driver.call(role, "POST", &path, &body).status;
    let reason = json!({ "reason": "agreed by phone" });
    for (role, body, status) in [
        (Role::Viewer, reason.clone(), 403),
        (Role::Planner, reason.clone(), 403),
        (Role::Buyer, json!({}), 400),
        (Role::Buyer, json!({ "reason": " " }), 422),
        (Role::Buyer, reason.clone(), 200),
        (Role::Admin, reason.clone(), 409),
    ] {
        assert_eq!(close(role, body.clone()), status, "{role:?} {body}");
    }
    let unknown = "/reporting/v1/exceptions/exc_x/close";
    assert_eq!(driver.call(Role::Buyer, "POST", unknown, &reason).status, 404);
    let closed = driver.get(&format!("/reporting/v1/exceptions/{id}")).body;
    assert_eq!(
        (&closed["status"], &closed["history"][1]["by"]),
        (&json!("closed"), &json!("buyer"))
    );
    driver.tell("turn2", "procurement.order-past-due", past_due());
    assert_eq!(driver.exceptions("open").len(), 1);
    let all = driver.get("/reporting/v1/exceptions").body;
    assert_eq!(all["items"].as_array().unwrap().len(), 2);
    assert_eq!(driver.get("/reporting/v1/exceptions?status=ajar").status, 400);
}

fn pegged(moves: &[(&str, &str, Option<&str>, Option<&str>)]) -> Value {
    let moved: Vec<Value> = moves
        .iter()
        .map(|(order, channel, old, new)| {
            json!({
                "order": order, "line": 1, "channel": channel, "sku": "X", "quantity": 10,
                "wanted": "2026-12-01", "old_day": old, "new_day": new, "price": null,
            })
        })
        .collect();
    json!({
        "sku": "X", "today": "2026-12-02", "part": 1, "parts": 1, "moved": moved,
        "left_over": [], "held": [],
    })
}

#[test]
fn promises_moved_later_are_one_exception_for_each_cascade_and_channel() {
    let driver = Driver::at("2026-12-02");
    let (early, late) = (Some("2026-12-05"), Some("2026-12-09"));
    let moves = [("A", "web", early, late), ("B", "web", early, None), ("C", "shop", late, early)];
    driver.tell("late", "inventory.item-pegged", pegged(&moves));
    driver.tell("late", "inventory.item-pegged", pegged(&[("D", "web", early, late)]));
    let wanted =
        ("promise-later".to_owned(), "30 units in 3 lines promised later on web".to_owned());
    assert_eq!(driver.open(), [wanted]);
    // The turn of the day slides what a late purchase makes wait: that one has its own exception.
    let turned = json!({ "from": "2026-12-02", "to": "2026-12-03" });
    driver.tell("turn", "inventory.day-turned", turned);
    driver.tell("turn", "inventory.item-pegged", pegged(&[("E", "web", early, late)]));
    assert_eq!(driver.exceptions("open").len(), 1);
}

#[test]
fn an_overdue_line_is_the_warehouses_until_it_ships() {
    let driver = Driver::at("2026-12-02");
    let overdue = json!({
        "order": "O4", "line": 1, "channel": "web", "sku": "X", "quantity": 30,
        "promised": "2026-12-01",
    });
    driver.tell("turn", "inventory.line-overdue", overdue);
    let shipped = |quantity: i64| {
        json!({
            "reservation": "res_1", "order": "O4", "channel": "web", "day": "2026-12-02",
            "lines": [{ "sku": "X", "quantity": quantity, "allocations": [] }],
        })
    };
    driver.tell("ship", "inventory.reservation-shipped", shipped(10));
    assert_eq!(driver.exceptions("open")[0]["owner"], "warehouse");
    driver.tell("ship", "inventory.reservation-shipped", shipped(20));
    assert_eq!(kinds(&driver), Vec::<String>::new());
}

#[test]
fn planners_see_promotions_and_protections_while_they_are_short() {
    let driver = Driver::at("2026-12-02");
    let risk = |short: i64| {
        json!({
            "promotion": "PROMO", "sku": "X", "channel": "web", "units_short_before": 0,
            "units_short": short, "first_day": null, "revenue": null,
        })
    };
    let held = |short: i64| {
        let protection = json!({
            "id": "P", "held_before": 0, "held_after": 5, "short_before": 0, "short_after": short,
        });
        json!({ "sku": "X", "channels": [], "protections": [protection] })
    };
    driver.tell("c", "planning.promotion-risk-changed", risk(5));
    driver.tell("c", "inventory.availability-changed", held(2));
    driver.tell("c", "planning.promotion-risk-changed", risk(7));
    assert_eq!(kinds(&driver), ["promotion-at-risk", "protection-short"]);
    assert_eq!(driver.exceptions("open")[0]["detail"], "7 units of X short");
    driver.tell("c", "planning.promotion-risk-changed", risk(0));
    let ended = json!({ "protection": "P", "sku": "X", "channel": "web" });
    driver.tell("c", "inventory.protection-ended", ended);
    assert_eq!(kinds(&driver), Vec::<String>::new());
}

#[test]
fn buyers_see_suppliers_that_score_low_or_may_not_deliver() {
    let driver = Driver::at("2026-12-02");
    let score = |after: &str, lines: i64| {
        let parts = json!([
            { "name": "on-time-in-full", "value": "0", "weight": "50", "of": lines },
            { "name": "fill-rate", "value": "1", "weight": "20", "of": 500 },
            { "name": "quality", "value": "1", "weight": "10", "of": 500 },
        ]);
        json!({ "supplier": "S1", "before": null, "after": after, "parts_before": [], "parts": parts })
    };
    driver.tell("c", "suppliers.score-changed", score("0.0", 1));
    assert_eq!(kinds(&driver), Vec::<String>::new(), "one late line of one proves nothing");
    driver.tell("c", "suppliers.score-changed", score("0.0", 4));
    assert_eq!(kinds(&driver), Vec::<String>::new(), "units are not lines");
    driver.tell("c", "suppliers.score-changed", score("62.5", 8));
    let status = |from: &str, to: &str| json!({ "supplier": "S1", "from": from, "to": to, "reason": "audit", "limit": null });
    driver.tell("c", "suppliers.status-changed", status("approved", "suspended"));
    assert_eq!(kinds(&driver), ["supplier-score-low"], "nothing is open with it");
    driver.tell("c", "suppliers.status-changed", status("suspended", "approved"));
    driver.tell("c", "procurement.order-released", order("released", 200, "2026-12-20"));
    driver.tell("c", "suppliers.status-changed", status("approved", "suspended"));
    assert_eq!(kinds(&driver).len(), 2);
    driver.tell("c", "procurement.order-cancelled", order("cancelled", 0, "2026-12-20"));
    driver.tell("c", "suppliers.score-changed", score("70.0", 8));
    assert_eq!(kinds(&driver), Vec::<String>::new());
}

#[test]
fn administrators_see_parked_events_and_refused_attempts() {
    let driver = Driver::at("2026-12-02");
    let parked = json!({
        "event": "ev_7", "kind": "procurement.order-received", "correlation": "c", "why": "bad",
        "faults": [],
    });
    driver.tell("c", "inventory.event-parked", parked);
    let refused = json!({
        "attempt": "POST /x", "code": "role-insufficient", "roles": ["viewer"], "further": 0,
    });
    driver.tell("c", "procurement.access-refused", refused.clone());
    driver.tell("c", "inventory.access-refused", refused);
    let open = driver.open();
    assert_eq!(open.len(), 2);
    assert_eq!(open[1].1, "2 attempts by it, the last POST /x (role-insufficient)");
    let origin = driver.origin("replay", "admin", None, None);
    let inner = json!({
        "sequence": 7, "domain": "procurement", "type": "procurement.order-received",
        "subject": "PO-1", "data": {}, "at": "2026-12-01T09:00:00Z", "by": "x", "correlation": "c",
    });
    let replay = json!({ "event": "ev_7", "replayed": inner });
    driver.append("inventory.event-replayed", "ev_7", replay, origin, Vec::new());
    assert_eq!(kinds(&driver), ["access-refused"]);
    assert_eq!(driver.get("/reporting/v1/audit/verify").body["valid"], true);
}

#[test]
fn a_whole_batch_in_one_commit_is_the_sum_of_its_events() {
    let one_by_one = Driver::at("2026-12-02");
    let at_once = Driver::at("2026-12-02");
    for driver in [&one_by_one, &at_once] {
        for step in 0..150 {
            match step % 3 {
                0 => driver.tell("c", "procurement.order-past-due", past_due()),
                1 => driver.tell(
                    "c",
                    "inventory.item-pegged",
                    pegged(&[("A", "web", Some("2026-12-05"), Some("2026-12-09"))]),
                ),
                _ if step % 2 == 0 => {
                    driver.tell("c", "procurement.order-closed", order("closed", 0, "2026-12-01"))
                }
                _ => driver.tell("c", "inventory.item-set", json!({})),
            };
            if std::ptr::eq(driver, &one_by_one) {
                driver.react();
            }
        }
    }
    assert_eq!(one_by_one.open(), at_once.open());
    let closed = |driver: &Driver| driver.exceptions("closed").len();
    assert_eq!(closed(&one_by_one), closed(&at_once));
    for driver in [&one_by_one, &at_once] {
        assert_eq!(driver.get("/reporting/v1/audit/verify").body["valid"], true);
    }
}
