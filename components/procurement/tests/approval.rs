//! Policies, approvals and release: every refusal by name, and what an approval covers.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::json;
use support::{context, day, order_of, pure_draft, standing};
use tradewind_kernel::events::procurement::OrderStatus;
use tradewind_kernel::events::suppliers::SupplierStatus;
use tradewind_kernel::role::StepRole;
use tradewind_kernel::{Currency, Money};
use tradewind_procurement::approval::{approve, reject, submit};
use tradewind_procurement::filing::OpenOrder;
use tradewind_procurement::order::Order;
use tradewind_procurement::policy::{Judged, Needed, Policy, set};
use tradewind_procurement::rates::{DatedRate, DatedRates, Rates};
use tradewind_procurement::release::release;

use StepRole::{Admin, Approver, Buyer, Finance};

const TODAY: &str = "2026-12-01";

fn policy(json: serde_json::Value) -> Policy {
    serde_json::from_value(json!({ "rules": json })).unwrap()
}

fn steps(
    policy: &Policy,
    amount: i64,
    class: &str,
    status: SupplierStatus,
    rates: &Rates,
) -> usize {
    let total = Money::new(amount.into(), "EUR".parse().unwrap());
    let class = Some(class);
    policy.needed(&Judged { total, day: day(TODAY), class, status }, rates).steps.len()
}

#[test]
fn the_strictest_of_the_first_matches_wins() {
    let policy = policy(json!([
        { "over": "1000", "currency": "EUR", "steps": ["approver", "finance"] },
        { "over": "10000", "currency": "EUR", "steps": ["approver", "finance", "admin"] },
        { "over": "0", "currency": "EUR", "steps": ["approver"] },
        { "class": "risky", "steps": ["approver", "approver"] },
        { "class": "risky", "steps": ["approver", "approver", "approver", "approver"] },
        { "status": "conditional", "steps": ["approver", "approver", "finance"] },
    ]));
    use SupplierStatus::{Approved, Conditional};
    for (amount, class, status, wanted) in [
        (1_000, "plain", Approved, 1),
        (1_001, "plain", Approved, 2),
        (10_000, "plain", Approved, 2),
        (10_001, "plain", Approved, 3),
        (5, "risky", Approved, 2),
        (5, "risky", Conditional, 3),
        (10_001, "risky", Conditional, 3),
    ] {
        let found = steps(&policy, amount, class, status, &Rates::default());
        assert_eq!(found, wanted, "{amount} {class} {status:?}");
    }
}

#[test]
fn no_rule_means_one_approver_and_no_rate_the_strictest() {
    let bare = Policy::default();
    let none = Rates::default();
    assert_eq!(steps(&bare, 1_000_000, "plain", SupplierStatus::Approved, &none), 1);
    let dollars = policy(json!([
        { "over": "1000", "steps": ["approver", "finance"] },
        { "over": "100", "steps": ["approver"] },
    ]));
    assert_eq!(steps(&dollars, 200, "plain", SupplierStatus::Approved, &none), 2, "no rate");
    let mut rates = Rates::default();
    let dated = DatedRate { rate: "1.10".parse().unwrap(), base: Currency::USD };
    let dated = DatedRates([(day("2026-11-30"), dated)].into());
    rates.dated.insert("EUR".parse().unwrap(), dated);
    assert_eq!(steps(&dollars, 200, "plain", SupplierStatus::Approved, &rates), 1);
    assert_eq!(steps(&dollars, 910, "plain", SupplierStatus::Approved, &rates), 2);
    assert_eq!(steps(&dollars, 90, "plain", SupplierStatus::Approved, &rates), 1, "no rule");
}

#[test]
fn a_policy_names_every_fault() {
    let wrong = policy(json!([
        { "over": "-1", "steps": ["approver"] },
        { "currency": "USD", "steps": [] },
    ]));
    let refusal = set(wrong, None).unwrap_err();
    let faults: Vec<&str> = refusal.faults.iter().map(|fault| fault.code.as_str()).collect();
    assert_eq!(faults, ["out-of-range", "currency-needless", "too-few"]);
    let right = policy(json!([{ "steps": ["finance"] }]));
    assert!(set(right.clone(), Some((3, right))).unwrap().is_empty());
}

fn submitted(steps: Vec<StepRole>) -> Order {
    let needed = Needed { steps, because: "a test".to_owned(), advice: None };
    order_of(&submit(&pure_draft(&[100], "2026-12-15"), needed).unwrap())
}

fn given(order: &Order, by: &str, role: StepRole) -> Order {
    order_of(&approve(order, &context(by, role, TODAY)).unwrap())
}

#[test]
fn steps_are_given_in_order_by_different_people_who_did_not_raise_it() {
    let order = submitted(vec![Approver, Finance]);
    for (by, role, code) in [
        ("buyer", Admin, "own-order"),
        ("bob", Buyer, "role-insufficient"),
        ("fiona", Finance, "role-insufficient"),
    ] {
        let refusal = approve(&order, &context(by, role, TODAY)).unwrap_err();
        assert_eq!((refusal.code.as_str(), refusal.audited), (code, true), "{by}");
        assert_eq!(refusal.kind.status(), 403);
    }
    let half = given(&order, "ann", Approver);
    assert_eq!(half.status, OrderStatus::Submitted);
    let again = approve(&half, &context("ann", Admin, TODAY)).unwrap_err();
    assert_eq!((again.code.as_str(), again.audited), ("step-given-before", true));
    let whole = given(&half, "fiona", Finance);
    assert_eq!(whole.status, OrderStatus::Approved);
    let late = approve(&whole, &context("zoe", Admin, TODAY)).unwrap_err();
    assert_eq!((late.code.as_str(), late.kind.status()), ("status-transition", 409));
}

#[test]
fn a_rejected_order_is_over() {
    let order = submitted(vec![Approver]);
    let refusal = reject(&order, &context("bob", Buyer, TODAY)).unwrap_err();
    assert_eq!(refusal.code, "role-insufficient");
    let rejected = order_of(&reject(&order, &context("ann", Approver, TODAY)).unwrap());
    assert_eq!(rejected.status, OrderStatus::Rejected);
    let needed = Needed { steps: vec![Approver], because: String::new(), advice: None };
    assert_eq!(submit(&rejected, needed).unwrap_err().code, "status-transition");
    assert!(approve(&rejected, &context("ann", Approver, TODAY)).is_err());
}

#[test]
fn release_is_refused_by_standing_limit_rate_and_changed_content() {
    use SupplierStatus::{Approved, Blocked, Conditional, InReview, Prospect, Suspended};
    let order = given(&submitted(vec![Approver]), "ann", Approver);
    let open = |amount: &str, currency: &str| {
        let (amount, currency) = (amount.parse().unwrap(), currency.parse().unwrap());
        BTreeMap::from([("po_0".to_owned(), OpenOrder { currency, amount })])
    };
    let none = BTreeMap::new();
    let cases = [
        (Approved, None, none.clone(), None),
        (Prospect, None, none.clone(), Some("supplier-not-approved")),
        (InReview, None, none.clone(), Some("supplier-not-approved")),
        (Suspended, None, none.clone(), Some("supplier-not-approved")),
        (Blocked, None, none.clone(), Some("supplier-not-approved")),
        (Conditional, Some("750"), none.clone(), None),
        (Conditional, Some("749.99"), none, Some("limit-exceeded")),
        (Conditional, Some("1000"), open("250", "USD"), None),
        (Conditional, Some("1000"), open("250.01", "USD"), Some("limit-exceeded")),
        (Conditional, Some("1000"), open("1", "EUR"), Some("rate-missing")),
    ];
    let context = context("buyer", Buyer, TODAY);
    for (status, limit, open, code) in cases {
        let standing = standing("S1", status, limit);
        let result = release(&order, &standing, &open, &Rates::default(), &context);
        assert_eq!(result.err().map(|refusal| refusal.code).as_deref(), code, "{status:?}");
    }
    let mut changed = order.clone();
    changed.lines[0].price = "7.49".parse().unwrap();
    let standing = standing("S1", Approved, None);
    let result = release(&changed, &standing, &BTreeMap::new(), &Rates::default(), &context);
    let refusal = result.unwrap_err();
    assert_eq!((refusal.code.as_str(), refusal.audited), ("content-changed", true));
}

proptest! {
    /// Whatever an approval covers changes its hash; what the supplier confirms does not.
    #[test]
    fn the_content_hash_follows_every_covered_field(field in 0usize..9, line in 0usize..3) {
        let order = pure_draft(&[10, 20, 30], "2026-12-15");
        let mut other = order.clone();
        let changed = &mut other.lines[line];
        match field {
            0 => changed.quantity += 1,
            1 => changed.price = "7.51".parse().unwrap(),
            2 => changed.due = changed.due.plus(1),
            3 => changed.sku = "Z".parse().unwrap(),
            4 => changed.node = "FBA".parse().unwrap(),
            5 => other.supplier = "S9".parse().unwrap(),
            6 => other.terms_days += 1,
            7 => other.currency = "EUR".parse::<Currency>().unwrap(),
            _ => { other.lines.remove(line); }
        }
        prop_assert_ne!(order.content(), other.content());
        let mut confirmed = order.clone();
        confirmed.lines[line].confirmed = Some(day("2027-01-01"));
        confirmed.lines[line].waiting_price = Some("9".parse().unwrap());
        confirmed.lines[line].price = "7.5".parse().unwrap();
        prop_assert_eq!(order.content(), confirmed.content());
    }
}
