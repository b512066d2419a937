//! Confirmation: what the supplier says will come, when, and at what price.
//!
//! It replaces a line's open schedule: the same line several times is a split, no quantity means
//! all that is left, and what is not confirmed returns to the due day. Day and quantity act at
//! once; a price that differs waits until it is accepted (tolerance 0). Without a day, a price is
//! confirmed and the schedule stays.

use std::collections::BTreeMap;

use serde::Deserialize;
use tradewind_kernel::asks::suppliers::Standing;
use tradewind_kernel::decision::Decision;
use tradewind_kernel::event::NewEvent;
use tradewind_kernel::events::procurement::{
    LineChange, OrderConfirmed, OrderLine, OrderStatus, PriceAccepted,
};
use tradewind_kernel::money::Amount;
use tradewind_kernel::refusal::{Faults, Refusal};
use tradewind_kernel::{Day, Quantity};
use utoipa::ToSchema;

use crate::filing::{self, OpenOrder};
use crate::order::{Context, Order, schedule};
use crate::policy::Needed;
use crate::price::Price;
use crate::rates::Rates;
use crate::{approval, release};

/// What a supplier confirms.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "lines": [
        { "line": 1, "day": "2027-01-22", "quantity": 300 },
        { "line": 1, "day": "2027-02-05", "quantity": 180 },
    ],
    "reason": "two containers",
}))]
pub struct Confirmation {
    /// Lines, each once or, split, several times.
    #[schema(min_items = 1, max_items = 256)]
    pub lines: Vec<ConfirmedLine>,
    /// Why.
    #[schema(min_length = 1, max_length = 500)]
    pub reason: Option<String>,
}

/// A line, or a part of it, as it is confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmedLine {
    /// Which line.
    pub line: u32,
    /// The day; without it only a price is confirmed.
    pub day: Option<Day>,
    /// How many base units; all that is left unless given.
    #[schema(value_type = Option<i64>, minimum = 1)]
    pub quantity: Option<Quantity>,
    /// Unit price in the order's currency, not below zero; unchanged unless given.
    pub price: Option<Price>,
}

/// One line's part of a confirmation: the entries with their places in the body.
type Entries<'a> = Vec<(usize, &'a ConfirmedLine)>;

/// What is to become of a line.
struct Plan {
    parts: Vec<(Day, Quantity)>,
    price: Option<Amount>,
}

/// Takes in a confirmation.
///
/// # Errors
/// 409 when nothing is on order; 422 naming every fault: unknown lines, days in the past, more
/// than is open, several entries of a line without a quantity or with different prices.
pub fn confirm(
    order: &Order,
    confirmation: &Confirmation,
    context: &Context,
) -> Result<Decision, Refusal> {
    use OrderStatus::{Confirmed, Received, Released};
    order.require(&[Released, Confirmed, Received], "confirmed")?;
    let mut by_line: BTreeMap<u32, Entries<'_>> = BTreeMap::new();
    for (place, entry) in confirmation.lines.iter().enumerate() {
        by_line.entry(entry.line).or_default().push((place, entry));
    }
    let mut faults = Faults::new();
    let mut plans: BTreeMap<u32, Plan> = BTreeMap::new();
    for (number, entries) in &by_line {
        match order.line(*number) {
            Some(line) => {
                let plan = plan(order, line, entries, context.today, &mut faults);
                plans.insert(*number, plan);
            }
            None => {
                for (place, _) in entries {
                    let detail = format!("the order has no line {number}");
                    faults.add(format!("/lines/{place}/line"), "line-unknown", detail);
                }
            }
        }
    }
    faults.check()?;
    let mut after = order.clone();
    let mut changes = Vec::new();
    for (number, plan) in plans {
        let Some(line) = after.line_mut(number) else { continue };
        let before = line.clone();
        apply(line, plan);
        changes.extend(change(&before, line));
    }
    if after.status == Released {
        after.status = Confirmed;
    }
    let mut decision = filing::file(Some(order), &after);
    let event = OrderConfirmed { order: after.state(), changes };
    decision.event(NewEvent::of(order.id.as_str(), &event));
    Ok(decision)
}

/// What the entries of one line come to; faults are named, and then the plan is not used.
fn plan(
    order: &Order,
    line: &OrderLine,
    entries: &Entries<'_>,
    today: Day,
    faults: &mut Faults,
) -> Plan {
    let mut plan = Plan { parts: Vec::new(), price: None };
    let alone = entries.len() == 1;
    let given = entries.iter().filter_map(|(_, entry)| entry.quantity);
    let given = given.fold(0, Quantity::saturating_add);
    let mut left = line.open;
    let mut rest_taken = false;
    for (place, entry) in entries {
        let at = |field: &str| format!("/lines/{place}/{field}");
        if line.open == 0 {
            faults.add(
                at("line"),
                "nothing-open",
                format!("nothing of line {} is open", line.line),
            );
            continue;
        }
        if let Some(price) = entry.price {
            let price = price.amount(Some(order.currency), &at("price"), faults);
            let other = plan.price.is_some_and(|earlier| earlier.0 != price.0);
            faults.require(!other, at("price"), "price-mixed", "a line has one price");
            plan.price = Some(price);
        }
        let Some(day) = entry.day else {
            let only_price = alone && entry.quantity.is_none() && entry.price.is_some();
            let detail = "only a price can be confirmed without a day";
            faults.require(only_price, at("day"), "day-required", detail);
            continue;
        };
        let detail = "a confirmed day is not before today";
        faults.require(day >= today, at("day"), "day-in-the-past", detail);
        let quantity = match entry.quantity {
            Some(quantity) => {
                faults.require(quantity >= 1, at("quantity"), "out-of-range", "at least 1");
                let detail = format!("{} of line {} are open", line.open, line.line);
                faults.require(quantity <= left, at("quantity"), "quantity-beyond-open", &detail);
                left = left.saturating_sub(quantity);
                quantity
            }
            None => {
                let detail = "of several entries of a line, one may leave its quantity out";
                faults.require(!rest_taken, at("quantity"), "quantity-required", detail);
                rest_taken = true;
                let rest = line.open.saturating_sub(given);
                let detail = format!("nothing of line {} is left for this entry", line.line);
                faults.require(rest > 0, at("quantity"), "quantity-beyond-open", &detail);
                rest
            }
        };
        plan.parts.push((day, quantity));
    }
    plan
}

fn apply(line: &mut OrderLine, plan: Plan) {
    if plan.parts.is_empty() {
        line.confirmed = line.schedule.last().map(|entry| entry.day).or(line.confirmed);
    } else {
        line.confirmed = plan.parts.iter().map(|(day, _)| *day).max();
        let confirmed = plan.parts.iter().map(|(_, quantity)| *quantity);
        let confirmed = confirmed.fold(0, Quantity::saturating_add);
        let remainder = (line.due, line.open.saturating_sub(confirmed));
        line.schedule = schedule(plan.parts.into_iter().chain([remainder]));
    }
    if let Some(price) = plan.price {
        line.waiting_price = Some(price).filter(|price| price.0 != line.price.0);
    }
}

fn change(before: &OrderLine, after: &OrderLine) -> Option<LineChange> {
    let moved = before.schedule != after.schedule || before.waiting_price != after.waiting_price;
    moved.then(|| LineChange {
        line: after.line,
        sku: after.sku.clone(),
        node: after.node.clone(),
        before: before.schedule.clone(),
        after: after.schedule.clone(),
        price_before: before.price,
        price_after: after.price,
    })
}

/// An order at the confirmed prices that wait.
#[must_use]
pub fn repriced(order: &Order) -> Order {
    let mut after = order.clone();
    for line in &mut after.lines {
        line.price = line.waiting_price.take().unwrap_or(line.price);
    }
    after
}

/// Checks that prices wait and that the caller may accept them, at a total that there can be.
///
/// # Errors
/// 403, audited, for who raised the order; 409 when none waits or the total is beyond the limit of
/// amounts.
pub fn acceptable(order: &Order, context: &Context) -> Result<(), Refusal> {
    if order.lines.iter().all(|line| line.waiting_price.is_none()) {
        let detail = "no confirmed price waits to be accepted";
        return Err(Refusal::conflict("nothing-to-accept", detail));
    }
    if context.by == order.raised_by {
        let detail = "nobody accepts a price for what they raised";
        return Err(Refusal::forbidden("own-order", detail));
    }
    if repriced(order).checked_total().is_none() {
        let detail = "at these prices the total is beyond 10^15";
        return Err(Refusal::conflict("total-too-large", detail));
    }
    Ok(())
}

/// Accepts the confirmed prices that wait; they hold from then on. `needed` is the approval that
/// the order needs at them; `open` are the supplier's open orders, needed for a conditional
/// supplier alone.
///
/// # Errors
/// 403, audited, for who raised the order; 409 when none waits, the total is beyond the limit of
/// amounts, the approval does not cover it, or the supplier is not released to with it.
pub fn accept(
    order: &Order,
    needed: &Needed,
    standing: &Standing,
    open: &BTreeMap<String, OpenOrder>,
    rates: &Rates,
    context: &Context,
) -> Result<Decision, Refusal> {
    acceptable(order, context)?;
    let mut after = repriced(order);
    approval::suffices(&after, needed, context)?;
    release::buyable(&after, standing, open, rates, context)?;
    let advice = needed.advice.clone();
    if let Some(approval) = &mut after.approval {
        approval.advice.clone_from(&advice);
    }
    let mut decision = filing::file(Some(order), &after);
    let accepted = PriceAccepted { order: after.state(), advice };
    decision.event(NewEvent::of(order.id.as_str(), &accepted));
    Ok(decision)
}
