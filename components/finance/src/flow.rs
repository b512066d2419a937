//! Flow: one expected payment, in or out.
//!
//! A flow is due so many days after the day it hangs on: the day of use of a purchase, the promise
//! or shipment of a sale. Its amount is rounded once, to its own currency's minor unit, half to
//! even; from then on it only adds.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use tradewind_kernel::money::{AMOUNT_LIMIT, round_to_minor};
use tradewind_kernel::{Currency, Day, Money, Quantity, Ratio};

/// One expected payment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Flow {
    /// The day it hangs on.
    pub anchor: Day,
    /// It is due so many days later: payment terms, or a channel's lag.
    pub offset_days: u32,
    /// Whether a day that has passed counts as today: the goods have not come or gone yet.
    pub slides: bool,
    /// More than zero comes in, less goes out.
    pub amount: Decimal,
    /// Its currency.
    pub currency: Currency,
}

impl Flow {
    /// The day it is due if its anchor does not slide.
    #[must_use]
    pub fn due(&self) -> Day {
        self.anchor.plus(i64::from(self.offset_days))
    }
}

/// Where a flow hangs: its anchor, the days from there, and whether it slides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hook {
    /// The day it hangs on.
    pub anchor: Day,
    /// It is due so many days later.
    pub offset_days: u32,
    /// Whether a day that has passed counts as today.
    pub slides: bool,
}

/// `quantity × price × (1 − fee)` coming in; none when that is nothing.
#[must_use]
pub fn incoming(hook: Hook, quantity: Quantity, price: Money, fee: Ratio) -> Option<Flow> {
    let share = Decimal::ONE.saturating_sub(fee.0);
    flow(hook, total(quantity, price, share), price.currency)
}

/// `quantity × price` going out; none when that is nothing.
#[must_use]
pub fn outgoing(hook: Hook, quantity: Quantity, price: Money) -> Option<Flow> {
    let amount = Decimal::ZERO.saturating_sub(total(quantity, price, Decimal::ONE));
    flow(hook, amount, price.currency)
}

fn flow(hook: Hook, amount: Decimal, currency: Currency) -> Option<Flow> {
    let Hook { anchor, offset_days, slides } = hook;
    (!amount.is_zero()).then_some(Flow { anchor, offset_days, slides, amount, currency })
}

/// Beyond [`AMOUNT_LIMIT`] an amount stays there: a forecast is then as good as none anyway, and
/// one absurd line must not stop the rest.
fn total(quantity: Quantity, price: Money, share: Decimal) -> Decimal {
    let exact = price.value().saturating_mul(share).saturating_mul(Decimal::from(quantity));
    round_to_minor(exact.clamp(-AMOUNT_LIMIT, AMOUNT_LIMIT), price.currency)
}

/// A flow that begins or ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It is expected from now on.
    Begins(Flow),
    /// It is no longer expected.
    Ends(Flow),
}

impl Change {
    /// The flow.
    #[must_use]
    pub fn flow(&self) -> &Flow {
        match self {
            Self::Begins(flow) | Self::Ends(flow) => flow,
        }
    }

    /// The flow as it adds to the forecast.
    #[must_use]
    pub fn signed(&self) -> (&Flow, Decimal) {
        match self {
            Self::Begins(flow) => (flow, Decimal::ONE),
            Self::Ends(flow) => (flow, Decimal::NEGATIVE_ONE),
        }
    }
}

/// What turns the flows `before` into those `after`; what is in both is left alone.
#[must_use]
pub fn difference(before: &[Flow], after: &[Flow]) -> Vec<Change> {
    let mut gone: Vec<&Flow> = before.iter().collect();
    let mut changes = Vec::new();
    for flow in after {
        match gone.iter().position(|old| *old == flow) {
            Some(place) => {
                gone.swap_remove(place);
            }
            None => changes.push(Change::Begins(flow.clone())),
        }
    }
    changes.extend(gone.into_iter().cloned().map(Change::Ends));
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hook() -> Hook {
        Hook { anchor: "2026-12-02".parse().unwrap(), offset_days: 2, slides: false }
    }

    fn money(text: &str, currency: &str) -> Money {
        Money { amount: text.parse().unwrap(), currency: currency.parse().unwrap() }
    }

    #[test]
    fn a_flow_is_rounded_once_half_to_even() {
        for (quantity, price, currency, fee, wanted) in [
            (30, "24.00", "USD", "0.03", "698.40"),
            (1, "0.125", "USD", "0", "0.12"),
            (3, "0.045", "USD", "0", "0.14"),
            (1, "2.5", "JPY", "0", "2"),
            (10, "1.00", "USD", "0.15", "8.50"),
        ] {
            let flow =
                incoming(hook(), quantity, money(price, currency), fee.parse().unwrap()).unwrap();
            assert_eq!(flow.amount.to_string(), wanted, "{quantity} × {price}");
            assert_eq!(flow.due().to_string(), "2026-12-04");
        }
        let out = outgoing(hook(), 200, money("7.50", "USD")).unwrap();
        assert_eq!(out.amount.to_string(), "-1500.00");
    }

    #[test]
    fn nothing_is_no_flow_and_too_much_stays_at_the_limit() {
        assert_eq!(outgoing(hook(), 0, money("1", "USD")), None);
        assert_eq!(incoming(hook(), 5, money("1", "USD"), "1".parse().unwrap()), None);
        let limit = 1_000_000_000_000_000;
        let absurd = outgoing(hook(), limit, money("1000000000000000", "USD")).unwrap();
        assert_eq!(absurd.amount, -AMOUNT_LIMIT);
    }

    #[test]
    fn only_what_differs_changes() {
        let one = outgoing(hook(), 1, money("1", "USD")).unwrap();
        let two = outgoing(hook(), 2, money("1", "USD")).unwrap();
        let before = [one.clone(), one.clone()];
        let after = [two.clone(), one.clone()];
        assert_eq!(difference(&before, &after), [Change::Begins(two), Change::Ends(one)]);
        assert_eq!(difference(&before, &before), []);
    }
}
