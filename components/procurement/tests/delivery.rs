//! Confirmations, receipts and endings: worked cases, every refusal by name, and what holds under
//! any sequence of commands.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};
use support::{context, day, order_of, pure_draft, standing};
use tradewind_kernel::Decision;
use tradewind_kernel::events::procurement::OrderStatus;
use tradewind_kernel::events::suppliers::SupplierStatus;
use tradewind_kernel::refusal::Refusal;
use tradewind_kernel::role::StepRole::{Approver, Buyer, Warehouse};
use tradewind_procurement::confirmation::{self, Confirmation, confirm};
use tradewind_procurement::ending::{cancel, close};
use tradewind_procurement::known::Unknown;
use tradewind_procurement::order::{Context, Order};
use tradewind_procurement::policy::Needed;
use tradewind_procurement::rates::Rates;
use tradewind_procurement::receipt::{Arrival, receive};

const TODAY: &str = "2026-12-01";

fn released(quantities: &[i64]) -> Order {
    let status = OrderStatus::Released;
    Order { status, released: Some(day(TODAY)), ..pure_draft(quantities, "2026-12-15") }
}

fn confirmed(order: &Order, lines: Value) -> Result<Order, Refusal> {
    let command: Confirmation = serde_json::from_value(json!({ "lines": lines })).unwrap();
    confirm(order, &command, &context("buyer", Buyer, TODAY)).map(|it| order_of(&it))
}

fn received(order: &Order, lines: Value) -> Result<Order, Refusal> {
    let command: Arrival = serde_json::from_value(json!({ "lines": lines })).unwrap();
    let id = "rc_1".parse().unwrap();
    receive(order, &command, id, &Unknown::default(), &context("kim", Warehouse, TODAY))
        .map(|it| order_of(&it))
}

/// Accepts waiting prices where one approver is enough and the supplier is approved.
fn accept(order: &Order, context: &Context) -> Result<Decision, Refusal> {
    let needed = Needed { steps: vec![Approver], because: "a test".to_owned(), advice: None };
    let standing = standing("S1", SupplierStatus::Approved, None);
    let none = BTreeMap::new();
    confirmation::accept(order, &needed, &standing, &none, &Rates::default(), context)
}

fn schedule(order: &Order) -> Vec<(String, i64)> {
    let entries = order.lines[0].schedule.iter();
    entries.map(|entry| (entry.day.to_string(), entry.quantity)).collect()
}

/// A part of line 1 in a confirmation.
fn part(day: &str, quantity: i64) -> Value {
    json!({ "line": 1, "day": day, "quantity": quantity })
}

/// All that is left of line 1.
fn rest(day: &str) -> Value {
    json!({ "line": 1, "day": day })
}

fn faults(refusal: &Refusal) -> Vec<(&str, &str)> {
    refusal.faults.iter().map(|it| (it.pointer.as_str(), it.code.as_str())).collect()
}

#[test]
fn a_confirmation_replaces_the_schedule() {
    let order = released(&[100]);
    for (lines, wanted, latest) in [
        (json!([rest("2026-12-29")]), vec![("2026-12-29", 100)], "2026-12-29"),
        (
            json!([part("2026-12-29", 60), rest("2027-01-04")]),
            vec![("2026-12-29", 60), ("2027-01-04", 40)],
            "2027-01-04",
        ),
        (
            json!([part("2026-12-18", 30)]),
            vec![("2026-12-15", 70), ("2026-12-18", 30)],
            "2026-12-18",
        ),
        (
            json!([part("2026-12-20", 50), part("2026-12-20", 50)]),
            vec![("2026-12-20", 100)],
            "2026-12-20",
        ),
    ] {
        let after = confirmed(&order, lines).unwrap();
        let wanted: Vec<_> = wanted.into_iter().map(|(day, it)| (day.to_owned(), it)).collect();
        assert_eq!(schedule(&after), wanted);
        assert_eq!(after.lines[0].confirmed, Some(day(latest)));
        assert_eq!(after.status, OrderStatus::Confirmed);
        let back = confirmed(&after, json!([rest("2026-12-15")])).unwrap();
        assert_eq!(schedule(&back), [("2026-12-15".to_owned(), 100)]);
    }
}

#[test]
fn a_confirmation_that_moves_nothing_says_so() {
    let same = json!({ "lines": [rest("2026-12-15")] });
    let command: Confirmation = serde_json::from_value(same).unwrap();
    let decision = confirm(&released(&[100]), &command, &context("buyer", Buyer, TODAY)).unwrap();
    assert_eq!(decision.events[0].kind, "procurement.order-confirmed");
    assert_eq!(decision.events[0].data["changes"], json!([]));
}

#[test]
fn a_price_waits_until_it_is_accepted() {
    let order = released(&[100]);
    let price = json!([{ "line": 1, "price": "8.00" }]);
    let waiting = confirmed(&order, price).unwrap();
    assert_eq!(waiting.lines[0].price.to_string(), "7.50");
    assert_eq!(waiting.lines[0].waiting_price.unwrap().to_string(), "8.00");
    let own = accept(&waiting, &context("buyer", Approver, TODAY)).unwrap_err();
    assert_eq!((own.code.as_str(), own.audited), ("own-order", true));
    let accepted = order_of(&accept(&waiting, &context("ann", Approver, TODAY)).unwrap());
    assert_eq!(accepted.lines[0].price.to_string(), "8.00");
    let twice = accept(&accepted, &context("ann", Approver, TODAY)).unwrap_err();
    assert_eq!(twice.code, "nothing-to-accept");
    let back = json!([{ "line": 1, "price": { "amount": "7.5", "currency": "USD" } }]);
    assert_eq!(confirmed(&waiting, back).unwrap().lines[0].waiting_price, None);
}

#[test]
fn every_fault_of_a_confirmation_is_named() {
    let order = released(&[100, 5]);
    let money = |currency: &str| json!({ "amount": "7", "currency": currency });
    for (lines, pointer, code) in [
        (json!([{ "line": 3, "day": "2026-12-20" }]), "/lines/0/line", "line-unknown"),
        (json!([rest("2026-11-30")]), "/lines/0/day", "day-in-the-past"),
        (json!([part("2026-12-20", 101)]), "/lines/0/quantity", "quantity-beyond-open"),
        (json!([part("2026-12-20", 0)]), "/lines/0/quantity", "out-of-range"),
        (json!([rest("2026-12-20"), rest("2026-12-21")]), "/lines/1/quantity", "quantity-required"),
        (
            json!([part("2026-12-20", 100), rest("2026-12-21")]),
            "/lines/1/quantity",
            "quantity-beyond-open",
        ),
        (
            json!([part("2026-12-20", 60), part("2026-12-21", 41)]),
            "/lines/1/quantity",
            "quantity-beyond-open",
        ),
        (json!([{ "line": 1 }]), "/lines/0/day", "day-required"),
        (json!([{ "line": 1, "quantity": 3, "price": "7" }]), "/lines/0/day", "day-required"),
        (json!([{ "line": 1, "price": "-7" }]), "/lines/0/price", "out-of-range"),
        (
            json!([{ "line": 1, "price": money("EUR") }]),
            "/lines/0/price/currency",
            "currency-mixed",
        ),
        (
            json!([
                { "line": 1, "day": "2026-12-20", "quantity": 60, "price": "7" },
                { "line": 1, "day": "2026-12-21", "quantity": 40, "price": "8" },
            ]),
            "/lines/1/price",
            "price-mixed",
        ),
    ] {
        let refusal = confirmed(&order, lines.clone()).unwrap_err();
        assert_eq!(faults(&refusal), [(pointer, code)], "{lines}");
        assert_eq!(refusal.kind.status(), 422);
    }
    let empty = received(&order, json!([{ "line": 2, "accepted": 5 }])).unwrap();
    let refusal = confirmed(&empty, json!([{ "line": 2, "day": "2026-12-20" }])).unwrap_err();
    assert_eq!(faults(&refusal), [("/lines/0/line", "nothing-open")]);
    let several = json!([{ "line": 9, "day": "2026-12-20" }, rest("2020-01-01")]);
    assert_eq!(confirmed(&order, several).unwrap_err().faults.len(), 2, "all at once");
}

#[test]
fn c38_received_80_of_100_with_20_rejected_leaves_40_open() {
    let after = received(&released(&[100]), json!([{ "line": 1, "accepted": 60, "rejected": 20 }]))
        .unwrap();
    let line = &after.lines[0];
    assert_eq!((line.accepted, line.rejected, line.open), (60, 20, 40));
    assert_eq!(
        (after.status, schedule(&after)),
        (OrderStatus::Received, vec![("2026-12-15".to_owned(), 40)])
    );
    let closed = order_of(&close(&after).unwrap());
    let line = &closed.lines[0];
    assert_eq!((line.accepted, line.cancelled, line.open), (60, 40, 0));
}

#[test]
fn receipts_fill_the_earliest_days_first() {
    let split = json!([part("2026-12-10", 60), rest("2026-12-20")]);
    let order = confirmed(&released(&[100]), split).unwrap();
    let after = received(&order, json!([{ "line": 1, "accepted": 70 }])).unwrap();
    assert_eq!(schedule(&after), [("2026-12-20".to_owned(), 30)]);
    let rejected = received(&order, json!([{ "line": 1, "rejected": 70 }])).unwrap();
    assert_eq!(schedule(&rejected), schedule(&order));
    assert_eq!(rejected.lines[0].last_receipt, None);
    let rest = received(&after, json!([{ "line": 1, "accepted": 30, "rejected": 6 }])).unwrap();
    assert_eq!((rest.lines[0].open, rest.lines[0].rejected), (0, 6));
}

#[test]
fn every_fault_of_a_receipt_is_named() {
    let order = released(&[100, 5]);
    for (lines, pointer, code, status) in [
        (json!([{ "line": 3, "accepted": 1 }]), "/lines/0/line", "line-unknown", 422),
        (json!([{ "line": 1, "accepted": -1 }]), "/lines/0/accepted", "out-of-range", 422),
        (json!([{ "line": 1, "rejected": -1 }]), "/lines/0/rejected", "out-of-range", 422),
        (json!([{ "line": 1 }]), "/lines/0", "nothing-received", 422),
        (
            json!([{ "line": 1, "accepted": 1 }, { "line": 1, "accepted": 1 }]),
            "/lines/1/line",
            "line-repeated",
            422,
        ),
        (json!([{ "line": 1, "accepted": 101 }]), "/lines/0/accepted", "over-receipt", 409),
    ] {
        let refusal = received(&order, lines.clone()).unwrap_err();
        assert_eq!(
            refusal.faults.first().map(|it| (it.pointer.as_str(), it.code.as_str())),
            Some((pointer, code)),
            "{lines}"
        );
        assert_eq!(refusal.kind.status(), status);
    }
    let both = json!([{ "line": 1, "accepted": 101 }, { "line": 2, "accepted": 6 }]);
    let refusal = received(&order, both).unwrap_err();
    assert_eq!(faults(&refusal).len(), 2, "every line that is over");
    let mut elsewhere = order;
    elsewhere.lines[1].node = "FBA".parse().unwrap();
    let both = json!([{ "line": 1, "accepted": 1 }, { "line": 2, "accepted": 1 }]);
    assert_eq!(faults(&received(&elsewhere, both).unwrap_err()), [("/node", "node-required")]);
}

#[test]
fn the_table_of_endings() {
    use OrderStatus::{
        Approved, Cancelled, Closed, Confirmed, Draft, Received, Rejected, Released, Submitted,
    };
    for (status, can_cancel, can_close) in [
        (Draft, true, false),
        (Submitted, true, false),
        (Rejected, false, false),
        (Approved, true, false),
        (Released, true, true),
        (Confirmed, true, true),
        (Received, false, true),
        (Closed, false, false),
        (Cancelled, false, false),
    ] {
        let order = Order { status, ..released(&[100]) };
        assert_eq!(cancel(&order).is_ok(), can_cancel, "cancel {status:?}");
        assert_eq!(close(&order).is_ok(), can_close, "close {status:?}");
        let on_order = matches!(status, Released | Confirmed | Received);
        let day = json!([rest("2026-12-20")]);
        assert_eq!(confirmed(&order, day).is_ok(), on_order, "confirm {status:?}");
        let arrival = json!([{ "line": 1, "accepted": 1 }]);
        assert_eq!(received(&order, arrival).is_ok(), on_order, "receive {status:?}");
    }
    let received = Order { status: Received, ..released(&[100]) };
    assert_eq!(cancel(&received).unwrap_err().code, "already-received");
}

proptest! {
    /// open = ordered − accepted − cancelled ≥ 0 and the schedule sums to it, after any lawful and
    /// unlawful commands in any order; what is refused changes nothing.
    #[test]
    fn lines_add_up_under_any_sequence(
        ordered in prop::collection::vec(1i64..60, 1..4),
        steps in prop::collection::vec((0u8..12, 1u32..5, 0i64..40, 0i64..70, 0i64..70), 0..30),
    ) {
        let mut order = released(&ordered);
        for (action, line, wait, first, second) in steps {
            let later = day(TODAY).plus(wait);
            let result = match action {
                0..=2 => confirmed(&order, json!([
                    { "line": line, "day": later, "quantity": first },
                    { "line": line, "day": later.plus(second % 9), "quantity": second },
                ])),
                3..=5 => confirmed(&order, json!([
                    { "line": line, "day": later, "quantity": first },
                    { "line": line, "day": later.plus(3), "price": "8" },
                ])),
                6 => confirmed(&order, json!([{ "line": line, "day": later }])),
                7..=9 => received(&order, json!([
                    { "line": line, "accepted": first % 25, "rejected": second % 5 },
                ])),
                10 => accept(&order, &context("ann", Approver, TODAY)).map(|it| order_of(&it)),
                _ if wait == 0 => close(&order).map(|it| order_of(&it)),
                _ => cancel(&order).map(|it| order_of(&it)),
            };
            let Ok(after) = result else { continue };
            prop_assert!(after.is_consistent());
            for (before, now) in order.lines.iter().zip(&after.lines) {
                prop_assert_eq!(before.quantity, now.quantity);
                prop_assert!(now.accepted >= before.accepted && now.rejected >= before.rejected);
                prop_assert!(now.cancelled >= before.cancelled && now.open <= before.open);
            }
            order = after;
        }
    }
}
