//! What is open with a supplier, as the events of its orders tell it.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use futures::executor::block_on;
use serde_json::json;
use support::{Local, noon, send, tell, usd, world};
use tradewind_kernel::Money;
use tradewind_kernel::asks::suppliers::Commitment;
use tradewind_kernel::event::Payload;
use tradewind_kernel::events::procurement::{
    OrderCancelled, OrderClosed, OrderReceived, OrderReleased, PriceAccepted,
};
use tradewind_shell::catch_up::catch_up;
use tradewind_shell::route::Role;
use tradewind_shell::world::AskError;
use tradewind_suppliers::{Suppliers, queries};

fn told<P: Payload>(world: &Local, id: &str, status: &str, currency: &str, lines: &[(&str, i64)]) {
    let line = |(number, (price, open)): (usize, &(&str, i64))| {
        json!({ "line": number + 1, "sku": "X", "node": "OWN", "quantity": 100, "price": price,
                "due": "2026-12-20", "accepted": 100 - open, "rejected": 0, "cancelled": 0,
                "open": open, "schedule": [], "confirmed": null })
    };
    let lines: Vec<_> = lines.iter().enumerate().map(line).collect();
    let order = json!({ "order": id, "supplier": "S1", "currency": currency, "terms_days": 30,
        "status": status, "released": "2026-12-01", "raised_by": "bob",
        "raised_at": noon("2026-12-01"), "lines": lines, "node": "OWN", "receipt": "rec_1",
        "day": "2026-12-02", "received": [] });
    tell::<P>(world, id, &serde_json::from_value(order).unwrap());
}

fn asked(world: &Local) -> Commitment {
    while block_on(catch_up::<Suppliers, _>(world, "acme")).unwrap() {}
    block_on(queries::commitment(world, "acme", "S1")).unwrap().value
}

fn open(world: &Local) -> Vec<String> {
    asked(world).open.iter().map(Money::to_string).collect()
}

#[test]
fn open_orders_are_summed_until_they_end() {
    let world = world("2026-12-01");
    let body = json!({ "name": "Acme" });
    send(&world, Role::Buyer, "PUT", "/suppliers/v1/suppliers/S1", &body).is(201);
    assert_eq!(asked(&world), Commitment::default());
    let body = json!({ "limit": usd("5000"), "reason": "trial" });
    let path = "/suppliers/v1/suppliers/S1/conditional";
    send(&world, Role::Approver, "POST", path, &body).is(200);
    told::<OrderReleased>(&world, "A", "released", "USD", &[("7.50", 100), ("2", 10)]);
    told::<OrderReleased>(&world, "B", "released", "EUR", &[("1.005", 1)]);
    told::<OrderReleased>(&world, "C", "released", "USD", &[("30", 1)]);
    assert_eq!(asked(&world).limit.unwrap().to_string(), "5000 USD");
    assert_eq!(open(&world), ["1.00 EUR", "800.00 USD"]);
    told::<OrderReceived>(&world, "A", "received", "USD", &[("7.50", 40), ("2", 0)]);
    told::<PriceAccepted>(&world, "C", "confirmed", "USD", &[("31", 1)]);
    assert_eq!(open(&world), ["1.00 EUR", "331.00 USD"]);
    told::<OrderClosed>(&world, "A", "closed", "USD", &[("7.50", 0), ("2", 0)]);
    told::<OrderCancelled>(&world, "B", "cancelled", "EUR", &[("1.005", 0)]);
    assert_eq!(open(&world), ["31.00 USD"]);
}

#[test]
fn it_is_behind_while_an_order_waits_and_knows_no_stranger() {
    let world = world("2026-12-01");
    let body = json!({ "name": "Acme" });
    send(&world, Role::Buyer, "PUT", "/suppliers/v1/suppliers/S1", &body).is(201);
    told::<OrderReleased>(&world, "A", "released", "USD", &[("7.50", 100)]);
    let ask = |name: &'static str| block_on(queries::commitment(&world, "acme", name));
    assert_eq!(ask("S1").unwrap_err(), AskError::Behind);
    assert_eq!(open(&world), ["750.00 USD"]);
    let unknown = ask("S9").unwrap_err();
    assert!(matches!(unknown, AskError::Refused(code, _) if code == "supplier-unknown"));
}
