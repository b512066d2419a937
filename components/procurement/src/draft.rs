//! A draft: an order as it is raised.
//!
//! Terms and class are the supplier's as it stands then; so is the currency unless one is named.
//! Whether the supplier may be bought from is asked when the order is released. Supplier,
//! items and nodes must exist.

use serde::Deserialize;
use tradewind_kernel::asks::suppliers::Standing;
use tradewind_kernel::decision::Decision;
use tradewind_kernel::event::NewEvent;
use tradewind_kernel::events::procurement::{OrderDrafted, OrderLine, OrderStatus};
use tradewind_kernel::money::Amount;
use tradewind_kernel::refusal::{Fault, Faults, Refusal};
use tradewind_kernel::{Currency, Day, Id, Money, Quantity};
use utoipa::ToSchema;

use crate::filing;
use crate::known::Unknown;
use crate::order::{Context, Order, schedule};
use crate::price::Price;

/// Lines of one order at most: what one commit and one part of a large effect carry (design.md).
pub const MAX_LINES: usize = 256;

/// What is to be bought.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "supplier": "LISBON-KNITS",
    "currency": "EUR",
    "lines": [{ "sku": "SHIRT-M", "node": "OWN", "quantity": 480, "price": "7.50", "due": "2027-01-15" }],
}))]
pub struct Draft {
    /// From whom.
    pub supplier: Id,
    /// The currency of the prices; the supplier's unless given.
    pub currency: Option<Currency>,
    /// What, where to, how many, at what price, for which day; numbered from 1.
    #[schema(min_items = 1, max_items = 256)]
    pub lines: Vec<DraftLine>,
}

/// A line of a draft.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DraftLine {
    /// Which item.
    pub sku: Id,
    /// Where to.
    pub node: Id,
    /// How many base units.
    #[schema(value_type = i64, minimum = 1)]
    pub quantity: Quantity,
    /// Unit price in the order's currency; not below zero.
    pub price: Price,
    /// The day for which it is ordered.
    pub due: Day,
}

/// Raises an order. `standing` is the supplier's, or why it has none.
///
/// # Errors
/// 422 naming every fault: an unknown supplier, unknown items and nodes, no or too many lines, quantities below 1, prices that are negative or
/// of another currency, a total beyond the limit of amounts.
pub fn raise(
    id: Id,
    draft: Draft,
    standing: Result<Standing, Fault>,
    unknown: &Unknown,
    context: &Context,
) -> Result<Decision, Refusal> {
    let mut faults = Faults::new();
    let unknown = standing.as_ref().err().cloned().into_iter().chain(missing(&draft, unknown));
    for Fault { pointer, code, detail } in unknown {
        faults.add(pointer, code, detail);
    }
    // Of an unknown supplier's order the lines are looked at all the same, in whatever currency.
    let known = draft.currency.or(standing.as_ref().ok().map(|standing| standing.currency));
    let currency = known.unwrap_or(Currency::USD);
    let fits = (1..=MAX_LINES).contains(&draft.lines.len());
    faults.require(fits, "/lines", "out-of-range", "an order has 1 to 256 lines");
    let mut total = Some(Money::zero(currency));
    let mut lines = Vec::with_capacity(draft.lines.len());
    for (number, line) in (1u32..).zip(draft.lines) {
        let at = format!("/lines/{}", number.saturating_sub(1));
        let positive = line.quantity >= 1;
        faults.require(positive, format!("{at}/quantity"), "out-of-range", "at least 1");
        let price = line.price.amount(known, &format!("{at}/price"), &mut faults);
        let amount = Money::new(price.0, currency).times(line.quantity).ok();
        total = total.zip(amount).and_then(|(total, amount)| total.plus(amount).ok());
        lines.push(ordered(number, line.sku, line.node, line.quantity, price, line.due));
    }
    faults.require(total.is_some(), "/lines", "total-too-large", "a total is at most 10^15");
    faults.check()?;
    let standing = standing.map_err(|fault| Refusal::invalid(vec![fault]))?;
    let order = Order {
        id,
        supplier: standing.supplier,
        class: standing.class,
        currency,
        terms_days: standing.terms_days,
        status: OrderStatus::Draft,
        released: None,
        raised_by: context.by.clone(),
        raised_at: context.now,
        raised_on: context.today,
        lines,
        approval: None,
    };
    let mut decision = filing::file(None, &order);
    decision.event(NewEvent::of(order.id.as_str(), &OrderDrafted { order: order.state() }));
    let location = format!("/procurement/v1/orders/{}", order.id);
    Ok(decision.created(location, order.answer(0)))
}

/// A fault for each item and node that does not exist.
fn missing(draft: &Draft, unknown: &Unknown) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (place, line) in draft.lines.iter().enumerate() {
        if unknown.skus.contains(&line.sku) {
            let detail = format!("there is no item `{}`", line.sku);
            faults.push(Fault::new(format!("/lines/{place}/sku"), "sku-unknown", detail));
        }
        if unknown.nodes.contains(&line.node) {
            let detail = format!("there is no node `{}`", line.node);
            faults.push(Fault::new(format!("/lines/{place}/node"), "node-unknown", detail));
        }
    }
    faults
}

fn ordered(line: u32, sku: Id, node: Id, quantity: Quantity, price: Amount, due: Day) -> OrderLine {
    OrderLine {
        line,
        sku,
        node,
        quantity,
        price,
        due,
        accepted: 0,
        rejected: 0,
        cancelled: 0,
        open: quantity,
        schedule: schedule([(due, quantity)]),
        confirmed: None,
        waiting_price: None,
        last_receipt: None,
    }
}
