//! Release: an approved order goes to its supplier and is on order from then on.
//!
//! The supplier's standing is asked at that moment and is a witness of the commit: an order is not
//! released to a supplier that was suspended a moment before.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use tradewind_kernel::Money;
use tradewind_kernel::asks::suppliers::Standing;
use tradewind_kernel::decision::Decision;
use tradewind_kernel::event::NewEvent;
use tradewind_kernel::events::procurement::{OrderReleased, OrderStatus};
use tradewind_kernel::events::suppliers::SupplierStatus;
use tradewind_kernel::refusal::Refusal;

use crate::approval::covered;
use crate::filing::{self, OpenOrder};
use crate::order::{Context, Order};
use crate::rates::Rates;

/// Releases an approved order. `open` are the supplier's open orders, needed for a conditional
/// supplier alone.
///
/// # Errors
/// 409: not approved, its content changed (audited), the supplier not approved, over its limit, or
/// no rate to compare with the limit.
pub fn release(
    order: &Order,
    standing: &Standing,
    open: &BTreeMap<String, OpenOrder>,
    rates: &Rates,
    context: &Context,
) -> Result<Decision, Refusal> {
    order.require(&[OrderStatus::Approved], "released")?;
    let approval = order.approval.as_ref().filter(|approval| approval.next().is_none());
    let Some(approval) = approval else {
        let detail = "the order's approval is not complete";
        return Err(Refusal::conflict("approval-missing", detail).audited());
    };
    covered(order, approval)?;
    buyable(order, standing, open, rates, context)?;
    let status = OrderStatus::Released;
    let after = Order { status, released: Some(context.today), ..order.clone() };
    let mut decision = filing::file(Some(order), &after);
    decision.event(NewEvent::of(order.id.as_str(), &OrderReleased { order: after.state() }));
    Ok(decision)
}

/// Checks that the supplier may be bought from, this order with what else is open with it.
///
/// # Errors
/// 409: the supplier not approved, over its limit, or no rate to compare with the limit.
pub fn buyable(
    order: &Order,
    standing: &Standing,
    open: &BTreeMap<String, OpenOrder>,
    rates: &Rates,
    context: &Context,
) -> Result<(), Refusal> {
    match (standing.status, standing.limit) {
        (SupplierStatus::Approved, _) => Ok(()),
        (SupplierStatus::Conditional, Some(limit)) => within(order, limit, open, rates, context),
        _ => {
            let detail = format!("supplier `{}` may not be bought from now", standing.supplier);
            Err(Refusal::conflict("supplier-not-approved", detail))
        }
    }
}

/// Whether the supplier's open orders and this one together stay within its limit, at today's
/// rates.
fn within(
    order: &Order,
    limit: Money,
    open: &BTreeMap<String, OpenOrder>,
    rates: &Rates,
    context: &Context,
) -> Result<(), Refusal> {
    let others = open.iter().filter(|(id, _)| *id != order.id.as_str());
    let others = others.map(|(_, open)| Money::new(open.amount.0, open.currency));
    let mut sum = Decimal::ZERO;
    for amount in others.chain([order.open_amount()]) {
        let converted = rates.convert(amount, limit.currency, context.today).ok_or_else(|| {
            let detail = format!(
                "no rate to compare {} with the limit in {}",
                amount.currency, limit.currency
            );
            Refusal::conflict("rate-missing", detail)
        })?;
        sum = sum.saturating_add(converted);
    }
    if sum <= limit.value() {
        return Ok(());
    }
    let sum = Money::new(sum, limit.currency).rounded();
    let detail = format!(
        "with this order {sum} would be open with supplier `{}`, more than its limit of {limit}",
        order.supplier
    );
    Err(Refusal::conflict("limit-exceeded", detail))
}
