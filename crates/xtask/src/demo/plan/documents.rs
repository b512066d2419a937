//! The documents of the play and of the base day: purchase orders, receipts, customer orders,
//! reservations, promotions, protections.

use serde_json::{Value, json};

use super::{Actor, Brand, Call, Chain, Clock, Step, decimal, dollars};
use crate::demo::brand::AMAZON;
use crate::demo::campaigns::{Promotion, protections};
use crate::demo::orders::CustomerOrder;
use crate::demo::purchases::{Purchase, Stage};

/// One day of the play: orders raised, goods received, customer orders shipped.
pub fn day(brand: &Brand, day: i64) -> Step {
    let mut chains: Vec<Chain> = Vec::new();
    for purchase in &brand.purchases {
        if purchase.raised == day {
            chains.push(raise(brand, purchase));
        }
        if let Some(receipt) = receive(brand, purchase, day) {
            chains.push(receipt);
        }
    }
    let shipped = brand.shipped.iter().filter(|order| order.lines.iter().all(|l| l.wanted == day));
    chains.extend(shipped.map(|order| ship(brand, order)));
    let date = brand.day(day);
    Step { what: format!("playing {date}"), clock: Clock::On(date), chains }
}

/// The base day: what is promoted and kept, what customers have ordered, what is claimed.
pub fn current(brand: &Brand) -> Vec<Step> {
    let mut campaigns: Vec<Chain> =
        brand.promotions.iter().map(|planned| vec![promotion(brand, planned)]).collect();
    for kept in protections(&brand.items, &brand.purchases) {
        let body = json!({
            "sku": brand.items[kept.item].sku,
            "channel": kept.channel,
            "quantity": kept.quantity,
            "from": brand.day(kept.from),
            "until": brand.day(kept.until),
            "reason": kept.reason,
            "owner": "lin",
        });
        let path = format!("/inventory/v1/protections/{}", kept.id);
        campaigns.push(vec![Call::put(Actor::Planner, path, body)]);
    }
    let orders = brand.open.iter().map(|order| {
        let mut chain = vec![state(brand, order)];
        chain.extend(order.claimed.then(|| claim(brand, order)));
        chain
    });
    let step = |what: String, clock, chains| Step { what, clock, chains };
    vec![
        step("promotions and protections".to_owned(), Clock::Real, campaigns),
        step(format!("{} customer orders", brand.open.len()), Clock::Stays, orders.collect()),
        step(
            "proposals of what to order".to_owned(),
            Clock::Stays,
            vec![vec![run(), finale(brand)]],
        ),
    ]
}

/// An order from its draft to the stage that it reaches on its first day.
fn raise(brand: &Brand, purchase: &Purchase) -> Chain {
    let lines: Vec<Value> = purchase
        .lines
        .iter()
        .map(|line| {
            json!({
                "sku": brand.items[line.item].sku,
                "node": line.node,
                "quantity": line.quantity,
                "price": decimal(line.price),
                "due": brand.day(purchase.due),
            })
        })
        .collect();
    let currency = purchase.supplier.currency;
    let body = json!({ "supplier": purchase.supplier.id, "currency": currency, "lines": lines });
    let call = |actor, verb: &str, reason: Option<&str>| {
        let path = format!("/procurement/v1/orders/{{{}}}/{verb}", purchase.name);
        Call::post(actor, path, reason.map_or_else(|| json!({}), |why| json!({ "reason": why })))
    };
    let raised = Call::post(Actor::Buyer, "/procurement/v1/orders", body).keep(&purchase.name);
    let mut chain = vec![raised];
    if purchase.stage == Stage::Draft {
        return chain;
    }
    chain.push(call(Actor::Buyer, "submit", None));
    match purchase.stage {
        Stage::Draft | Stage::Submitted => return chain,
        Stage::Rejected => {
            chain.push(call(Actor::Approver, "reject", Some("stock covers the season")));
            return chain;
        }
        Stage::Approved | Stage::Cancelled | Stage::Released | Stage::Confirmed => {
            chain.push(call(Actor::Approver, "approve", None));
            if purchase.supplier.class == "overseas" {
                chain.push(call(Actor::Finance, "approve", None));
            }
        }
    }
    match purchase.stage {
        Stage::Cancelled => {
            chain.push(call(Actor::Buyer, "cancel", Some("ordered twice")));
        }
        Stage::Released => chain.push(call(Actor::Buyer, "release", None)),
        Stage::Confirmed => {
            chain.push(call(Actor::Buyer, "release", None));
            let day = |line: usize| purchase.lines[line].confirmed;
            chain.push(confirm(brand, purchase, (0..purchase.lines.len()).map(|l| (l, day(l)))));
        }
        _ => {}
    }
    chain
}

/// The supplier says when lines (from 0) come.
fn confirm(brand: &Brand, purchase: &Purchase, lines: impl Iterator<Item = (usize, i64)>) -> Call {
    let lines: Vec<Value> =
        lines.map(|(line, day)| json!({ "line": line + 1, "day": brand.day(day) })).collect();
    let path = format!("/procurement/v1/orders/{{{}}}/confirmations", purchase.name);
    Call::post(Actor::Supplier(purchase.supplier.id), path, json!({ "lines": lines }))
}

/// What comes of an order on a day, at each node where it comes.
fn receive(brand: &Brand, purchase: &Purchase, day: i64) -> Option<Chain> {
    let receipt = purchase.receipts.iter().find(|receipt| receipt.day == day)?;
    let mut nodes: Vec<&str> =
        receipt.lines.iter().map(|(l, ..)| purchase.lines[l - 1].node).collect();
    nodes.sort_unstable();
    nodes.dedup();
    let path = format!("/procurement/v1/orders/{{{}}}/receipts", purchase.name);
    let mut chain: Chain = nodes
        .into_iter()
        .map(|node| {
            let here =
                receipt.lines.iter().filter(|(line, ..)| purchase.lines[line - 1].node == node);
            let lines: Vec<Value> = here
                .map(|(line, accepted, rejected)| {
                    json!({ "line": line, "accepted": accepted, "rejected": rejected })
                })
                .collect();
            Call::post(Actor::Warehouse, path.clone(), json!({ "lines": lines, "node": node }))
        })
        .collect();
    let is_last = purchase.receipts.iter().all(|other| other.day <= day);
    if is_last && purchase.rest.is_none() {
        let path = format!("/procurement/v1/orders/{{{}}}/close", purchase.name);
        chain.push(Call::post(Actor::Buyer, path, json!({ "reason": "all of it came" })));
    }
    if let Some(rest) = purchase.rest {
        chain.push(confirm(brand, purchase, (0..purchase.lines.len()).map(|line| (line, rest))));
    }
    Some(chain)
}

/// States a customer order.
fn state(brand: &Brand, order: &CustomerOrder) -> Call {
    let lines: Vec<Value> = order
        .lines
        .iter()
        .map(|line| {
            let item = &brand.items[line.item];
            json!({
                "sku": item.sku,
                "quantity": line.quantity,
                "wanted": brand.day(line.wanted),
                "price": dollars(item.price(order.channel)),
            })
        })
        .collect();
    let ordered = format!("{}T14:05:00Z", brand.day(order.ordered));
    let body = json!({ "channel": order.channel.id, "ordered_at": ordered, "lines": lines });
    Call::put(Actor::Sales, format!("/inventory/v1/orders/{}", order.id), body)
}

/// Claims all of an order.
fn claim(brand: &Brand, order: &CustomerOrder) -> Call {
    let lines: Vec<Value> = order
        .lines
        .iter()
        .map(|line| json!({ "sku": brand.items[line.item].sku, "quantity": line.quantity }))
        .collect();
    let body = json!({ "order": order.id, "channel": order.channel.id, "lines": lines });
    Call::post(Actor::Sales, "/inventory/v1/reservations", body).keep(&order.id)
}

/// An order that is claimed and shipped on the day it is wanted.
fn ship(brand: &Brand, order: &CustomerOrder) -> Chain {
    let path = format!("/inventory/v1/reservations/{{{}}}/ship", order.id);
    let shipped = Call::post(Actor::Warehouse, path, json!({}));
    vec![state(brand, order), claim(brand, order), shipped]
}

fn promotion(brand: &Brand, planned: &Promotion) -> Call {
    let body = json!({
        "name": planned.name,
        "sku": brand.items[planned.item].sku,
        "channel": planned.channel,
        "from": brand.day(planned.from),
        "until": brand.day(planned.until),
        "expected_units": planned.expected,
    });
    Call::put(Actor::Planner, format!("/planning/v1/promotions/{}", planned.id), body)
}

/// A first planning run, so that there is something to look at.
fn run() -> Call {
    Call::post(Actor::Planner, "/planning/v1/runs", json!({}))
}

/// A promotion far ahead that nothing rests on. Loaded last, it says that the load is complete.
fn finale(brand: &Brand) -> Call {
    let slow = brand.items.len() - 1;
    promotion(
        brand,
        &Promotion {
            id: "season-finale".to_owned(),
            name: "Season finale".to_owned(),
            item: slow,
            channel: AMAZON,
            from: 80,
            until: 86,
            expected: 10,
        },
    )
}
