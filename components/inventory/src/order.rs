//! Customer orders: demand, line by line. An order states what is wanted and never claims.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tradewind_kernel::events::inventory::{DemandLine, OrderChanged};
use tradewind_kernel::refusal::Faults;
use tradewind_kernel::{Day, Decision, Id, Instant, Money, NewEvent, Quantity, Refusal};
use utoipa::ToSchema;

use crate::demand::{Demand, OpenLine};
use crate::item::below_zero;
use crate::keys;
use crate::network::Network;
use crate::pegging::Reason;
use crate::purchase::Purchase;
use crate::repegging::Promise;

/// Lines of one order: each writes a few lines of a commit, which stays below its limit.
pub const MAX_LINES: usize = 256;

/// A line as a caller states it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderLineBody {
    /// Its number; its position unless said.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub line: Option<u32>,
    /// The item.
    pub sku: Id,
    /// Base units.
    #[schema(value_type = i64, minimum = 1)]
    pub quantity: Quantity,
    /// The day it is wanted; the day on which the line was first stated unless said.
    #[serde(default)]
    pub wanted: Option<Day>,
    /// Unit price; not below zero.
    #[serde(default)]
    pub price: Option<Money>,
}

/// An order as a caller states it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "channel": "web",
    "lines": [
        {
            "line": 1,
            "sku": "SHIRT-M",
            "quantity": 2,
            "wanted": "2026-12-18",
            "price": { "amount": "59.00", "currency": "USD" },
        },
    ],
}))]
pub struct OrderBody {
    /// The channel that sold it.
    pub channel: Id,
    /// When it was placed; when it was first stated unless said.
    #[serde(default)]
    pub ordered_at: Option<Instant>,
    /// Its lines; a line left out is cancelled.
    #[schema(min_items = 1, max_items = 256)]
    pub lines: Vec<OrderLineBody>,
}

/// Why an order is cancelled.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({ "reason": "the customer changed their mind" }))]
pub struct ReasonBody {
    /// Why.
    #[schema(max_length = 1000)]
    pub reason: Option<String>,
}

/// A line as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct OrderLine {
    pub line: u32,
    pub sku: Id,
    pub quantity: Quantity,
    pub wanted: Day,
    pub price: Option<Money>,
}

/// Whether an order still stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names say it")]
pub enum OrderStatus {
    Open,
    Cancelled,
}

/// An order as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Order {
    pub channel: Id,
    pub ordered_at: Instant,
    pub cancelled: bool,
    pub lines: Vec<OrderLine>,
}

impl Order {
    /// Whether it still stands.
    #[must_use]
    pub fn status(&self) -> OrderStatus {
        if self.cancelled { OrderStatus::Cancelled } else { OrderStatus::Open }
    }

    /// The items of its lines.
    #[must_use]
    pub fn skus(&self) -> BTreeSet<Id> {
        self.lines.iter().map(|line| line.sku.clone()).collect()
    }

    /// Its demand lines, with their item.
    pub fn demand<'a>(&'a self, id: &'a Id) -> impl Iterator<Item = (&'a Id, Demand)> + 'a {
        let lines = self.lines.iter().filter(|_| !self.cancelled);
        lines.map(move |line| {
            let demand = Demand {
                order: id.clone(),
                line: line.line,
                channel: self.channel.clone(),
                quantity: line.quantity,
                wanted: line.wanted,
                ordered_at: self.ordered_at,
                price: line.price,
            };
            (&line.sku, demand)
        })
    }
}

/// What an order rests on.
#[derive(Debug)]
pub struct Context<'a> {
    /// Now.
    pub now: Instant,
    /// Today.
    pub today: Day,
    /// The network.
    pub network: &'a Network,
    /// The items of its lines that are known.
    pub known: &'a BTreeSet<Id>,
}

/// The order that a caller states.
///
/// # Errors
/// 422 naming every fault: `channel-unknown`, `sku-unknown`, `line-repeated`, `price-negative`; 409
/// `order-cancelled`.
pub fn stated(
    existing: Option<&Order>,
    body: &OrderBody,
    context: &Context<'_>,
) -> Result<Order, Refusal> {
    if existing.is_some_and(|order| order.cancelled) {
        let detail = "the order was cancelled; state a new one";
        return Err(Refusal::conflict("order-cancelled", detail));
    }
    let mut faults = Faults::new();
    let known = context.network.channels.contains_key(&body.channel);
    faults.require(known, "/channel", "channel-unknown", "there is no such channel");
    let old = |line: u32, sku: &Id| {
        let lines = existing.map_or(&[][..], |order| &order.lines);
        lines.iter().find(|one| one.line == line && one.sku == *sku)
    };
    let mut numbers = BTreeSet::new();
    let mut lines = Vec::with_capacity(body.lines.len());
    for (position, line) in (1_u32..).zip(&body.lines) {
        let at = |field: &str| format!("/lines/{}/{field}", position.saturating_sub(1));
        let number = line.line.unwrap_or(position);
        let fresh = numbers.insert(number);
        faults.require(fresh, at("line"), "line-repeated", "a line's number is used once");
        let known = context.known.contains(&line.sku);
        faults.require(known, at("sku"), "sku-unknown", "there is no such item");
        let fair = line.price.is_none_or(|price| !below_zero(price));
        faults.require(fair, at("price"), "price-negative", "a price is not below zero");
        let first = old(number, &line.sku).map_or(context.today, |line| line.wanted);
        lines.push(OrderLine {
            line: number,
            sku: line.sku.clone(),
            quantity: line.quantity,
            wanted: line.wanted.unwrap_or(first),
            price: line.price,
        });
    }
    faults.check()?;
    lines.sort_by_key(|line| line.line);
    let first = existing.map_or(context.now, |order| order.ordered_at);
    let ordered_at = body.ordered_at.unwrap_or(first);
    Ok(Order { channel: body.channel.clone(), ordered_at, cancelled: false, lines })
}

/// Cancels an order: none of its lines is demand any more. Claims stay until they are released.
///
/// # Errors
/// 409 `order-cancelled`.
pub fn cancelled(order: &Order) -> Result<Order, Refusal> {
    if order.cancelled {
        return Err(Refusal::conflict("order-cancelled", "it is cancelled already"));
    }
    Ok(Order { cancelled: true, ..order.clone() })
}

/// An order's own demand lines of one item, by name.
#[must_use]
pub fn own_demand(order: &Order, id: &Id, sku: &Id) -> BTreeMap<String, Demand> {
    let lines = order.demand(id).filter(|(of, _)| *of == sku);
    lines.map(|(_, line)| (line.member(), line)).collect()
}

/// Names of lines that are new, changed or gone: their promises start anew.
#[must_use]
pub fn anew(existing: Option<&Order>, next: &Order, id: &Id) -> BTreeSet<(Id, String)> {
    let demand = |order: &Order| -> BTreeMap<(Id, String), Demand> {
        order.demand(id).map(|(sku, line)| ((sku.clone(), line.member()), line)).collect()
    };
    let (old, new) = (existing.map(demand).unwrap_or_default(), demand(next));
    let names = old.keys().chain(new.keys());
    names.filter(|name| old.get(*name) != new.get(*name)).cloned().collect()
}

/// By item, how many demand lines more there are than before.
fn weights(existing: Option<&Order>, next: &Order, id: &Id) -> BTreeMap<Id, Quantity> {
    let mut weights: BTreeMap<Id, Quantity> = BTreeMap::new();
    let old = existing.into_iter().flat_map(|order| order.demand(id)).map(|(sku, _)| (sku, -1));
    for (sku, one) in next.demand(id).map(|(sku, _)| (sku, 1)).chain(old) {
        let sum = weights.entry(sku.clone()).or_default();
        *sum = sum.saturating_add(one);
    }
    weights
}

/// Writes an order that is new or was changed.
#[must_use]
pub fn written(existing: Option<&Order>, next: &Order, id: &Id) -> Decision {
    let mut decision = Decision::default();
    decision.put(keys::order(id), next);
    decision.index(keys::ORDERS, id.as_str(), 0);
    let demand: BTreeMap<(Id, String), Demand> =
        next.demand(id).map(|(sku, line)| ((sku.clone(), line.member()), line)).collect();
    for (sku, delta) in weights(existing, next, id) {
        decision.add(keys::lines(&sku), keys::LINE_COUNT, delta);
    }
    for (sku, name) in anew(existing, next, id) {
        match demand.get(&(sku.clone(), name.clone())) {
            Some(line) => {
                decision.put_member(keys::demand(&sku), &name, line);
                decision.index(keys::PEGGED, sku.as_str(), 0);
            }
            None => decision.delete_member(keys::demand(&sku), &name),
        }
        decision.delete_member(keys::promises(&sku), &name);
        decision.mark(sku.as_str());
    }
    let lines = next.lines.iter().filter(|_| !next.cancelled).map(|line| DemandLine {
        line: line.line,
        sku: line.sku.clone(),
        quantity: line.quantity,
        wanted: line.wanted,
        price: line.price,
    });
    let lines: Vec<DemandLine> = lines.collect();
    let dropped = existing.map(Order::skus).unwrap_or_default();
    let has = |sku: &Id| lines.iter().any(|line| line.sku == *sku);
    let told = OrderChanged {
        order: id.clone(),
        channel: next.channel.clone(),
        ordered_at: next.ordered_at,
        cancelled: next.cancelled,
        dropped: dropped.into_iter().filter(|sku| !has(sku)).collect(),
        lines,
    };
    decision.event(NewEvent::of(id.as_str(), &told));
    decision
}

/// A line's state in an answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LineState {
    /// Claimed and shipped.
    pub filled: (Quantity, Quantity),
    /// Its promise, if it has one.
    pub promise: Option<Promise>,
    /// What could be bought for it, if it is unpromised.
    pub purchase: Option<Purchase>,
}

impl LineState {
    /// The state of a line, with its promise.
    #[must_use]
    pub fn of(line: &OpenLine<'_>, promise: Option<Promise>) -> Self {
        Self { filled: (line.claimed, line.shipped), promise, purchase: None }
    }

    /// Whether only a purchase could serve it.
    #[must_use]
    pub fn is_short(&self) -> bool {
        let short = Reason::InsufficientSupply;
        self.promise.as_ref().is_some_and(|one| one.promised.is_none() && one.reason == short)
    }
}

/// An order as it is answered.
#[must_use]
pub fn body(order: &Order, id: &Id, states: &BTreeMap<u32, LineState>, version: &str) -> Value {
    let line = |line: &OrderLine| {
        let state = states.get(&line.line).cloned().unwrap_or_default();
        let reason = match (&state.promise, &state.purchase) {
            _ if order.cancelled => Reason::Cancelled,
            // What is claimed or shipped needs no other reason, whatever it was promised before.
            _ if state.filled.0.saturating_add(state.filled.1) >= line.quantity => Reason::Filled,
            (_, Some(_)) => Reason::Purchase,
            (Some(promise), None) => promise.reason,
            (None, None) => Reason::Waiting,
        };
        let promise = state.promise.filter(|_| !order.cancelled);
        json!({
            "line": line.line,
            "sku": line.sku,
            "quantity": line.quantity,
            "wanted": line.wanted,
            "price": line.price,
            "claimed": state.filled.0,
            "shipped": state.filled.1,
            "promised": promise.as_ref().and_then(|promise| promise.promised),
            "reason": reason,
            "overdue": promise.as_ref().is_some_and(|promise| promise.overdue),
            "pegs": promise.map(|promise| promise.pegs).unwrap_or_default(),
            "purchase": state.purchase,
        })
    };
    json!({
        "id": id,
        "channel": order.channel,
        "ordered_at": order.ordered_at,
        "status": order.status(),
        "lines": order.lines.iter().map(line).collect::<Vec<_>>(),
        "version": version,
    })
}
