//! Commitments: what is open of the orders with a supplier, against the limit of a conditional one.
//!
//! Procurement compares an order with the limit when it is released; this is the same sum, learnt
//! from its events, for those who only advise what to buy.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tradewind_kernel::events::procurement::OrderState;
use tradewind_kernel::money::{Amount, MoneyError};
use tradewind_kernel::{Currency, Decision, Money};

use crate::keys;

/// What is open of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenOrder {
    /// The order's currency.
    pub currency: Currency,
    /// Open quantities at their prices, rounded as documents are.
    pub amount: Amount,
}

impl OpenOrder {
    /// What is open of an order as an event tells it; none before its release and after its end.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`]: procurement refuses an order of such a total.
    pub fn of(order: &OrderState) -> Result<Option<Self>, MoneyError> {
        let price = |line: &tradewind_kernel::events::procurement::OrderLine| {
            Money::new(line.price.0, order.currency).times(line.open)
        };
        let lines = order.lines.iter().filter(|line| line.open > 0);
        let mut total = Money::zero(order.currency);
        for line in lines {
            total = total.plus(price(line)?)?;
        }
        let total = total.rounded();
        let open = order.is_supply() && !total.value().is_zero();
        Ok(open.then_some(Self { currency: total.currency, amount: total.amount }))
    }
}

/// Keeps what is open of an order; `before` is what is kept of it.
///
/// # Errors
/// As [`OpenOrder::of`].
pub fn file(
    decision: &mut Decision,
    order: &OrderState,
    before: Option<&OpenOrder>,
) -> Result<(), MoneyError> {
    let set = keys::open_orders(&order.supplier);
    match OpenOrder::of(order)? {
        Some(open) if before != Some(&open) => {
            decision.put_member(set, order.order.as_str(), &open);
        }
        None if before.is_some() => decision.delete_member(set, order.order.as_str()),
        _ => {}
    }
    Ok(())
}

/// The sum of open orders, one amount a currency.
///
/// # Errors
/// [`MoneyError::TooLarge`] when it is no amount any more.
pub fn sums<'a>(orders: impl IntoIterator<Item = &'a OpenOrder>) -> Result<Vec<Money>, MoneyError> {
    let mut sums: BTreeMap<Currency, Money> = BTreeMap::new();
    for order in orders {
        let sum = sums.entry(order.currency).or_insert_with(|| Money::zero(order.currency));
        let amount = Money::new(order.amount.0, order.currency);
        *sum = sum.plus(amount)?;
    }
    Ok(sums.into_values().collect())
}
