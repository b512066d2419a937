//! A supplier's record from events: the numbers of main-job.md, the turn of the day, and a naive
//! recomputation beside the sums that are kept up line by line.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::collections::BTreeMap;

use futures::executor::block_on;
use proptest::prelude::*;
use serde_json::{Value, json};
use support::{Local, day, events, get, noon, send, tell, usd, world};
use tradewind_kernel::Day;
use tradewind_kernel::events::inventory::DayTurned;
use tradewind_kernel::events::procurement::{
    OrderCancelled, OrderClosed, OrderConfirmed, OrderLine, OrderReceived, OrderReleased,
    OrderState, OrderStatus,
};
use tradewind_kernel::events::suppliers::ScoreChanged;
use tradewind_shell::route::Role;
use tradewind_suppliers::line::Line;
use tradewind_suppliers::queries;
use tradewind_suppliers::tally::Tally;

/// Makes supplier S1 with an offer of X.
fn supplier(world: &Local) {
    let body = json!({ "name": "Acme" });
    send(world, Role::Buyer, "PUT", "/suppliers/v1/suppliers/S1", &body).is(201);
    let body = json!({ "price": usd("7.50"), "lead_time_days": 30 });
    send(world, Role::Buyer, "PUT", "/suppliers/v1/offers/S1/X", &body).is(201);
}

fn line(number: u32, quantity: i64, due: &str) -> OrderLine {
    OrderLine {
        line: number,
        sku: "X".parse().unwrap(),
        node: "OWN".parse().unwrap(),
        quantity,
        price: "7.50".parse().unwrap(),
        due: day(due),
        accepted: 0,
        rejected: 0,
        cancelled: 0,
        open: quantity,
        schedule: Vec::new(),
        confirmed: None,
        waiting_price: None,
        last_receipt: None,
    }
}

fn order(id: &str, released: &str, lines: Vec<OrderLine>) -> OrderState {
    OrderState {
        order: id.parse().unwrap(),
        supplier: "S1".parse().unwrap(),
        currency: Default::default(),
        terms_days: 30,
        status: OrderStatus::Released,
        released: Some(day(released)),
        raised_by: "buyer".to_owned(),
        raised_at: noon(released),
        lines,
    }
}

fn release(world: &Local, order: &OrderState) {
    let event = OrderReleased { order: order.clone() };
    tell(world, order.order.as_str(), &event);
}

fn confirm(world: &Local, order: &mut OrderState, to: &str) {
    order.lines[0].confirmed = Some(day(to));
    order.status = OrderStatus::Confirmed;
    let event = OrderConfirmed { order: order.clone(), changes: Vec::new() };
    tell(world, order.order.as_str(), &event);
}

fn receive(world: &Local, order: &mut OrderState, on: &str, accepted: i64, rejected: i64) {
    let line = &mut order.lines[0];
    line.accepted += accepted;
    line.rejected += rejected;
    line.open -= accepted;
    line.last_receipt = Some(day(on)).filter(|_| accepted > 0).or(line.last_receipt);
    order.status = OrderStatus::Received;
    let event = OrderReceived {
        order: order.clone(),
        receipt: "rc_1".parse().unwrap(),
        node: "OWN".parse().unwrap(),
        day: day(on),
        received: Vec::new(),
    };
    tell(world, order.order.as_str(), &event);
}

fn turn(world: &Local, to: &str) {
    world.set_now(noon(to));
    let event = DayTurned { from: None, to: day(to) };
    tell(world, to, &event);
}

/// S1's last year as in main-job.md: three lines of 100, two on time, six units rejected.
fn year_of_s1(world: &Local) {
    supplier(world);
    let history = [
        ("PO-A", "2026-03-01", "2026-03-31", "2026-03-30", 0),
        ("PO-B", "2026-05-01", "2026-05-31", "2026-05-31", 6),
        ("PO-C", "2026-07-01", "2026-07-31", "2026-08-09", 0),
    ];
    for (id, released, due, received, rejected) in history {
        world.set_now(noon(released));
        let mut order = order(id, released, vec![line(1, 100, due)]);
        release(world, &order);
        confirm(world, &mut order, due);
        world.set_now(noon(received));
        receive(world, &mut order, received, 100, rejected);
    }
}

fn scorecard(world: &Local) -> Value {
    get(world, "/suppliers/v1/suppliers/S1/scorecard").is(200).body
}

#[test]
fn the_late_confirmation_of_main_job_and_back() {
    let world = world("2026-03-01");
    year_of_s1(&world);
    world.set_now(noon("2026-11-15"));
    let mut late = order("PO-1", "2026-11-15", vec![line(1, 200, "2026-12-15")]);
    release(&world, &late);
    confirm(&world, &mut late, "2026-12-15");
    turn(&world, "2026-12-01");
    assert_eq!(scorecard(&world)["score"], "83.1");
    confirm(&world, &mut late, "2026-12-29");
    let card = scorecard(&world);
    assert_eq!(card["score"], "78.1");
    assert_eq!(
        card["parts"][1],
        json!({
        "name": "confirmation-reliability", "value": "0.75", "weight": "20", "of": 4 })
    );
    assert_eq!(card["parts"][0]["value"], "0.666667");
    assert_eq!(
        card["units"],
        json!({
        "closed_ordered": 300, "closed_accepted": 300, "accepted": 300, "received": 306 })
    );
    assert_eq!(
        card["lead_time"],
        json!({
        "mean": "32.666667", "deviation": "5.507571", "p90": "37.2", "count": 3 })
    );
    confirm(&world, &mut late, "2026-12-15");
    assert_eq!(scorecard(&world)["score"], "83.1");
    let told = events::<ScoreChanged>(&world);
    let last: Vec<_> = told.iter().rev().take(2).map(|it| (it.before, it.after)).collect();
    assert_eq!(json!(last), json!([["78.1", "83.1"], ["83.1", "78.1"]]));
    confirm(&world, &mut late, "2026-12-15");
    assert_eq!(events::<ScoreChanged>(&world).len(), told.len(), "nothing moved, nothing said");
}

#[test]
fn days_alone_move_a_score() {
    let world = world("2026-12-01");
    supplier(&world);
    assert_eq!(scorecard(&world)["score"], Value::Null);
    release(&world, &order("PO-1", "2026-12-01", vec![line(1, 10, "2026-12-05")]));
    turn(&world, "2026-12-05");
    assert_eq!(scorecard(&world)["score"], Value::Null);
    // Without the event, the scorecard is as of today all the same.
    world.set_now(noon("2026-12-06"));
    assert_eq!(scorecard(&world)["score"], "0.0");
    assert_eq!(events::<ScoreChanged>(&world).len(), 0);
    turn(&world, "2026-12-06");
    let told = events::<ScoreChanged>(&world);
    assert_eq!(json!([told[0].before, told[0].after]), json!([null, "0.0"]));
    turn(&world, "2027-12-06");
    assert_eq!(scorecard(&world)["score"], Value::Null, "out of the window");
    assert_eq!(events::<ScoreChanged>(&world).len(), 2);
}

#[test]
fn several_suppliers_turn_on_one_day_each_once() {
    let world = world("2026-12-01");
    supplier(&world);
    let body = json!({ "name": "Backup" });
    send(&world, Role::Buyer, "PUT", "/suppliers/v1/suppliers/S2", &body).is(201);
    let due = vec![line(1, 10, "2026-12-05")];
    release(&world, &order("PO-1", "2026-12-01", due.clone()));
    let other = order("PO-2", "2026-12-01", due);
    release(&world, &OrderState { supplier: "S2".parse().unwrap(), ..other });
    turn(&world, "2026-12-06");
    turn(&world, "2026-12-07");
    let told = events::<ScoreChanged>(&world);
    let who: Vec<&str> = told.iter().map(|it| it.supplier.as_str()).collect();
    assert_eq!(who, ["S1", "S2"]);
}

#[test]
fn an_event_before_the_turn_of_its_day_does_not_take_the_turn_along() {
    let world = world("2026-12-01");
    supplier(&world);
    let mut first = order("PO-1", "2026-12-01", vec![line(1, 10, "2026-12-05")]);
    release(&world, &first);
    release(&world, &order("PO-2", "2026-12-01", vec![line(1, 10, "2026-12-05")]));
    world.set_now(noon("2026-12-06"));
    receive(&world, &mut first, "2026-12-06", 10, 0);
    let told = events::<ScoreChanged>(&world);
    // As of the 6th both lines are due: before and after differ by the receipt alone.
    assert_eq!(json!([told[0].before, told[0].after]), json!(["0.0", "37.5"]));
    turn(&world, "2026-12-06");
    assert_eq!(scorecard(&world)["score"], "37.5");
}

#[test]
fn cancelling_withdraws_a_line_and_closing_short_keeps_it() {
    let world = world("2026-12-01");
    supplier(&world);
    let mut gone = order("PO-1", "2026-12-01", vec![line(1, 10, "2026-12-05")]);
    release(&world, &gone);
    (gone.status, gone.lines[0].cancelled, gone.lines[0].open) = (OrderStatus::Cancelled, 10, 0);
    tell(&world, "PO-1", &OrderCancelled { order: gone });
    let mut short = order("PO-2", "2026-12-01", vec![line(1, 10, "2026-12-05")]);
    release(&world, &short);
    receive(&world, &mut short, "2026-12-05", 8, 0);
    (short.status, short.lines[0].cancelled, short.lines[0].open) = (OrderStatus::Closed, 2, 0);
    tell(&world, "PO-2", &OrderClosed { order: short });
    turn(&world, "2026-12-06");
    let card = scorecard(&world);
    assert_eq!(card["on_time_in_full"]["due"], 1);
    assert_eq!(card["parts"][2]["value"], "0.8");
}

#[test]
fn an_ask_for_offers_shows_score_and_deviation() {
    let world = world("2026-03-01");
    year_of_s1(&world);
    scorecard(&world);
    let answered = block_on(queries::offers(&world, "acme", "X")).unwrap();
    let [offer] = answered.value.as_slice() else { panic!("one offer") };
    assert_eq!(json!([offer.score, offer.lead_time_deviation]), json!(["83.1", "5.507571"]));
    assert_eq!(answered.witnesses.len(), 3, "the item's offers, the supplier, its record");
    let standing = block_on(queries::standing(&world, "acme", "S1")).unwrap();
    assert_eq!((standing.value.terms_days, standing.witnesses.len()), (30, 1));
    assert!(block_on(queries::standing(&world, "acme", "X")).is_err());
}

/// The sums as of `today` from the orders as they are, by the definition alone.
fn naive(orders: &BTreeMap<u8, OrderState>, today: Day) -> Tally {
    let mut tally = Tally::default();
    for order in orders.values() {
        for line in order.lines.iter().filter_map(|line| Line::of(order, line)) {
            tally.replace(&Tally::default(), &line.tally(today));
        }
    }
    tally
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Whatever happens on whatever days, with or without the turn of the day told, the kept sums
    /// are those of a recomputation from all orders.
    #[test]
    fn kept_sums_equal_a_recomputation(
        steps in prop::collection::vec((0u8..4, 0u8..6, 0i64..200, any::<bool>()), 1..40),
    ) {
        let world = world("2026-01-01");
        supplier(&world);
        let mut orders: BTreeMap<u8, OrderState> = BTreeMap::new();
        let mut today = day("2026-01-01");
        for (key, action, wait, turned) in steps {
            if wait > 120 {
                today = today.plus(wait - 120);
                world.set_now(noon(&today.to_string()));
            }
            if turned {
                turn(&world, &today.to_string());
            }
            let text = today.to_string();
            match (action, orders.get_mut(&key)) {
                (_, None) => {
                    let due = today.plus(wait % 40).to_string();
                    let lines = vec![line(1, 10, &due), line(2, 20, &due)];
                    let made = order(&format!("PO-{key}"), &text, lines);
                    release(&world, &made);
                    orders.insert(key, made);
                }
                (0 | 1, Some(order)) => {
                    let to = today.plus(wait % 60).to_string();
                    confirm(&world, order, &to);
                }
                (2..=4, Some(order)) if order.lines[0].open > 0 => {
                    let accepted = (wait % 7).min(order.lines[0].open);
                    receive(&world, order, &text, accepted, wait % 3);
                }
                (_, Some(order)) => {
                    order.status = OrderStatus::Closed;
                    let event = OrderClosed { order: order.clone() };
                    tell(&world, order.order.as_str(), &event);
                }
            }
            let card = scorecard(&world);
            let expected = naive(&orders, today);
            let fields = json!({ "due": expected.due, "on_time": expected.on_time,
                "confirmed": expected.confirmed, "confirmed_in_time": expected.confirmed_in_time });
            prop_assert_eq!(&card["on_time_in_full"], &fields);
            let units = json!({ "closed_ordered": expected.closed_ordered,
                "closed_accepted": expected.closed_accepted, "accepted": expected.accepted,
                "received": expected.received });
            prop_assert_eq!(&card["units"], &units);
            let count: i64 = expected.lead_times.values().sum();
            prop_assert_eq!(&card["lead_time"]["count"], &json!(count));
        }
    }
}
