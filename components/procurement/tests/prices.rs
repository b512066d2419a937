//! What a command is refused for beyond its own figures: items and nodes that do not exist, and new
//! prices that the approval or the supplier's limit does not cover.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use serde_json::json;
use support::{Local, context, drafted, get, item, lines, node, post, released, send, world};
use tradewind_kernel::events::suppliers::SupplierStatus;
use tradewind_kernel::role::StepRole;
use tradewind_procurement::approval::{Approval, Given, suffices};
use tradewind_procurement::policy::Needed;
use tradewind_shell::world::World;

use StepRole::{Admin, Approver, Finance};

#[test]
fn what_does_not_exist_is_not_bought() {
    let world = world("2026-12-01");
    let mut body = lines(&[1, 1, 1], "2026-12-15");
    body["supplier"] = json!("S9");
    body["lines"][1]["sku"] = json!("NEW");
    body["lines"][2]["sku"] = json!("NEW");
    body["lines"][2]["node"] = json!("MOON");
    let at = |pointer: &str, code: &str| (pointer.to_owned(), code.to_owned());
    let lacking = [
        at("/lines/1/sku", "sku-unknown"),
        at("/lines/2/sku", "sku-unknown"),
        at("/lines/2/node", "node-unknown"),
    ];
    let refused = post(&world, "buyer", "orders", &body).is(422);
    assert_eq!(refused.faults()[0], at("/supplier", "supplier-unknown"));
    assert_eq!(refused.faults()[1..], lacking);
    body["supplier"] = json!("S1");
    body["lines"][0]["price"] = json!("-1");
    let refused = post(&world, "buyer", "orders", &body).is(422);
    assert_eq!(refused.faults()[..3], lacking);
    assert_eq!(refused.faults()[3], at("/lines/0/price", "out-of-range"));
    body["lines"][0]["price"] = json!("1");
    item(&world, "NEW");
    let refused = post(&world, "buyer", "orders", &body).is(422);
    assert_eq!(refused.faults(), lacking[2..]);
    node(&world, "MOON");
    post(&world, "buyer", "orders", &body).is(201);
}

#[test]
fn nothing_is_received_where_nobody_finds_it() {
    let world = world("2026-12-01");
    let id = released(&world, &[10], "2026-12-15");
    let receipts = format!("orders/{id}/receipts");
    let arrival = json!({ "lines": [{ "line": 1, "accepted": 5 }], "node": "MOON" });
    let refused = post(&world, "warehouse", &receipts, &arrival).is(422);
    assert_eq!(refused.faults(), [("/node".to_owned(), "node-unknown".to_owned())]);
    assert_eq!(get(&world, &format!("orders/{id}")).body["lines"][0]["open"], 10);
    node(&world, "MOON");
    post(&world, "warehouse", &receipts, &arrival).is(201);
}

#[test]
fn a_cursor_names_something() {
    let world = world("2026-12-01");
    let id = released(&world, &[10], "2026-12-15");
    for target in ["orders?after=po_none".to_owned(), format!("orders/{id}/receipts?after=rc_9")] {
        assert_eq!(get(&world, &target).is(400).code(), "cursor-unknown", "{target}");
    }
}

/// An order of 100 at 7.50, approved by ann, of which a new price waits.
fn waiting(world: &Local, price: &str) -> String {
    let id = drafted(world, &[100], "2026-12-15");
    post(world, "buyer", &format!("orders/{id}/submit"), &json!({})).is(200);
    post(world, "approver:ann", &format!("orders/{id}/approve"), &json!({})).is(200);
    post(world, "buyer", &format!("orders/{id}/release"), &json!({})).is(200);
    reprice(world, &id, price);
    id
}

fn reprice(world: &Local, id: &str, price: &str) {
    let body = json!({ "lines": [{ "line": 1, "price": price }] });
    post(world, "buyer", &format!("orders/{id}/confirmations"), &body).is(200);
}

#[test]
fn a_price_is_no_way_around_the_policy() {
    let world = world("2026-12-01");
    let policy = json!({ "rules": [
        { "over": "0", "steps": ["approver"] },
        { "over": "800", "steps": ["approver", "approver"] },
        { "over": "1000", "steps": ["approver", "finance"] },
    ] });
    send(&world, "admin", "PUT", "policies/approval", &policy).is(201);
    let id = waiting(&world, "10.01");
    let accept = format!("orders/{id}/accept");
    let refused = post(&world, "approver:bob", &accept, &json!({})).is(409);
    assert_eq!(refused.code(), "approval-insufficient");
    assert!(refused.body["detail"].as_str().unwrap().ends_with("missing: finance"));
    assert_eq!(get(&world, &format!("orders/{id}")).body["lines"][0]["price"], "7.50");
    reprice(&world, &id, "10.00");
    let same = post(&world, "approver:ann", &accept, &json!({})).is(409);
    assert_eq!(same.code(), "approval-insufficient", "two steps are two people's");
    let accepted = post(&world, "approver:bob", &accept, &json!({})).is(200);
    assert_eq!(accepted.body["total"], "1000.00");
    let huge = waiting(&world, "100000000000000");
    let refused = post(&world, "admin:eve", &format!("orders/{huge}/accept"), &json!({}));
    assert_eq!(refused.is(409).code(), "total-too-large");
}

#[test]
fn a_price_is_no_way_around_a_suppliers_limit() {
    let world = world("2026-12-01");
    world.asks().put("S1", SupplierStatus::Conditional, Some("1000"));
    let id = waiting(&world, "10.01");
    let accept = format!("orders/{id}/accept");
    let refused = post(&world, "approver:bob", &accept, &json!({})).is(409);
    assert_eq!(refused.code(), "limit-exceeded");
    reprice(&world, &id, "10.00");
    world.asks().put("S1", SupplierStatus::Suspended, None);
    let refused = post(&world, "approver:bob", &accept, &json!({})).is(409);
    assert_eq!(refused.code(), "supplier-not-approved");
    world.asks().put("S1", SupplierStatus::Conditional, Some("1000"));
    post(&world, "approver:bob", &accept, &json!({})).is(200);
}

#[test]
fn each_step_is_covered_by_another_person() {
    let now = support::noon("2026-12-01");
    let given = |by: &str, role| Given { by: by.to_owned(), role, at: now };
    let cases = [
        (vec![Approver], vec![], "bob", Approver, None),
        (vec![Finance], vec![], "bob", Approver, Some("missing: finance")),
        (vec![Finance], vec![], "eve", Admin, None),
        (vec![Finance, Approver], vec![given("fay", Finance)], "bob", Approver, None),
        (vec![Finance, Approver], vec![given("bob", Finance)], "bob", Approver, Some("approver")),
        (vec![Approver, Finance], vec![given("ann", Approver)], "eve", Admin, None),
        (
            vec![Approver, Finance, Admin],
            vec![given("ann", Approver)],
            "bob",
            Approver,
            Some("missing: finance, admin"),
        ),
    ];
    for (steps, given, by, role, missing) in cases {
        let mut order = support::pure_draft(&[100], "2026-12-15");
        let because = "a test".to_owned();
        let (content, earlier) = (order.content(), given.iter().map(|it| it.role).collect());
        order.approval = Some(Approval { content, steps: earlier, because, given, advice: None });
        let needed = Needed { steps: steps.clone(), because: "a test".to_owned(), advice: None };
        let result = suffices(&order, &needed, &context(by, role, "2026-12-01"));
        assert_eq!(result.is_ok(), missing.is_none(), "{steps:?}: {result:?}");
        if let (Err(refusal), Some(missing)) = (result, missing) {
            assert!(refusal.detail.ends_with(missing), "{steps:?}: {refusal}");
            assert!(refusal.audited);
        }
    }
}
