//! Orders, claims, promises and shipments, and what they pay.

use super::*;
use proptest::prelude::*;
use rust_decimal::Decimal;
use serde_json::json;

fn changed(lines: serde_json::Value) -> OrderChanged {
    serde_json::from_value(json!({
        "order": "O", "channel": "web", "ordered_at": "2026-12-01T00:00:00Z",
        "cancelled": false, "lines": lines, "dropped": [],
    }))
    .unwrap()
}

fn usd(price: &str) -> serde_json::Value {
    json!({ "amount": price, "currency": "USD" })
}

fn two_lines() -> OrderChanged {
    changed(json!([
        { "line": 1, "sku": "X", "quantity": 10, "wanted": "2026-12-01", "price": usd("24.00") },
        { "line": 2, "sku": "X", "quantity": 5, "wanted": "2026-12-10", "price": usd("20.00") },
    ]))
}

fn payout() -> Payout {
    Payout { lag_days: 2, fee: "0.03".parse().unwrap() }
}

fn demand() -> Demand {
    Demand::new("web".parse().unwrap())
}

fn leaving(quantity: Quantity) -> Vec<LeavingLine> {
    vec![LeavingLine { sku: "X".parse().unwrap(), quantity, allocations: Vec::new() }]
}

fn claims(quantity: Quantity) -> Vec<ReservedLine> {
    serde_json::from_value(json!([{
        "sku": "X", "quantity": quantity, "backordered": 0,
        "allocations": [{ "node": "OWN", "quantity": quantity }],
    }]))
    .unwrap()
}

fn moved(line: u32, day: Option<&str>) -> PromiseMove {
    serde_json::from_value(json!({
        "order": "O", "line": line, "channel": "web", "sku": "X", "quantity": 1,
        "wanted": "2026-12-01", "old_day": null, "new_day": day, "price": null,
    }))
    .unwrap()
}

fn listed(flows: &[Flow]) -> Vec<(String, bool, String)> {
    let line = |flow: &Flow| (flow.anchor.to_string(), flow.slides, flow.amount.to_string());
    flows.iter().map(line).collect()
}

fn row(anchor: &str, slides: bool, amount: &str) -> (String, bool, String) {
    (anchor.to_owned(), slides, amount.to_owned())
}

#[test]
fn claims_fill_lines_in_order_and_the_rest_pays_by_its_promise() {
    let mut order = demand();
    order.restate(&two_lines(), &payout());
    assert_eq!(order.clone().paid_by(&payout()).flows, [], "unpromised: never");
    order.claim(&claims(12));
    order.promise(&moved(2, Some("2026-12-12")));
    let paid = order.paid_by(&payout());
    assert_eq!(
        listed(&paid.flows),
        [
            row("2026-12-01", true, "232.80"),
            row("2026-12-10", true, "38.80"),
            row("2026-12-12", false, "58.20"),
        ]
    );
}

#[test]
fn shipments_come_first_and_keep_their_terms() {
    let mut order = demand();
    order.restate(&two_lines(), &payout());
    order.claim(&claims(12));
    let shipped = order.ship(&leaving(11), "2026-12-03".parse().unwrap(), &payout());
    let flows: Vec<Flow> = shipped.iter().map(|change| change.flow().clone()).collect();
    assert_eq!(
        listed(&flows),
        [row("2026-12-03", false, "232.80"), row("2026-12-03", false, "19.40")]
    );
    let later = Payout { lag_days: 9, fee: "0.5".parse().unwrap() };
    let paid = order.paid_by(&later);
    assert_eq!(listed(&paid.flows), [row("2026-12-10", true, "10.00")]);
}

#[test]
fn a_line_keeps_its_promise_until_it_is_pegged_anew() {
    let mut order = demand();
    order.restate(&two_lines(), &payout());
    order.promise(&moved(1, Some("2026-12-02")));
    order.promise(&moved(2, Some("2026-12-12")));
    let mut next = two_lines();
    next.lines[1].quantity = 10;
    next.lines[0].sku = "Y".parse().unwrap();
    order.restate(&next, &payout());
    order = order.paid_by(&payout());
    assert_eq!(listed(&order.flows), [row("2026-12-12", false, "194.00")], "Y is another line");
    order.promise(&moved(2, None));
    assert_eq!(order.paid_by(&payout()).flows, []);
}

#[test]
fn what_was_shipped_of_a_cancelled_order_is_not_open_again() {
    let mut order = demand();
    order.restate(&two_lines(), &payout());
    order.claim(&claims(4));
    order.ship(&leaving(4), "2026-12-03".parse().unwrap(), &payout());
    order.restate(&OrderChanged { cancelled: true, ..changed(json!([])) }, &payout());
    assert_eq!(order.clone().paid_by(&payout()).flows, []);
    order.restate(&two_lines(), &payout());
    order.promise(&moved(1, Some("2026-12-20")));
    assert_eq!(listed(&order.paid_by(&payout()).flows), [row("2026-12-20", false, "139.68")]);
}

#[test]
fn a_shipment_before_its_order_pays_once_the_order_is_known() {
    let mut order = demand();
    order.claim(&claims(3));
    assert_eq!(order.ship(&leaving(3), "2026-12-03".parse().unwrap(), &payout()), []);
    let covered = order.restate(&two_lines(), &payout());
    assert_eq!(covered.len(), 1);
    assert_eq!(covered[0].flow().amount.to_string(), "69.84");
    assert!(order.uncovered.is_empty());
}

proptest! {
    /// With one price, no fee and every line promised, what is open, claimed and shipped always
    /// pays for the whole order, whatever was claimed, released and shipped.
    #[test]
    fn nothing_pays_twice_and_nothing_is_lost(
        quantities in prop::collection::vec(1i64..20, 1..5),
        steps in prop::collection::vec((0u8..3, 1i64..15), 0..12),
    ) {
        let lines: Vec<serde_json::Value> = quantities
            .iter()
            .enumerate()
            .map(|(place, quantity)| json!({
                "line": place + 1, "sku": "X", "quantity": quantity, "wanted": "2026-12-01",
                "price": usd("1"),
            }))
            .collect();
        let whole: i64 = quantities.iter().sum();
        let free = Payout::default();
        let mut order = demand();
        order.restate(&changed(json!(lines)), &free);
        for line in 1..=quantities.len() {
            order.promise(&moved(u32::try_from(line).unwrap(), Some("2026-12-05")));
        }
        let mut shipped = Decimal::ZERO;
        let (mut claimed, mut gone) = (0, 0);
        for (what, quantity) in steps {
            let claim = quantity.min(whole - gone - claimed);
            let part = quantity.min(claimed);
            match what {
                0 => { order.claim(&claims(claim)); claimed += claim; }
                1 => { order.release(&leaving(part)); claimed -= part; }
                _ => {
                    let day = "2026-12-03".parse().unwrap();
                    let changes = order.ship(&leaving(part), day, &free);
                    shipped += changes.iter().map(|it| it.flow().amount).sum::<Decimal>();
                    claimed -= part;
                    gone += part;
                }
            }
            order = order.paid_by(&free);
            let open: Decimal = order.flows.iter().map(|flow| flow.amount).sum();
            prop_assert_eq!(open + shipped, Decimal::from(whole));
        }
    }
}
