//! Spending: what may still be bought from a conditional supplier.
//!
//! Procurement refuses to release an order that would take what is open with a conditional supplier
//! beyond its limit. Advice to buy is held to the same sum, one purchase at a time: what else is
//! advised is not counted.

use rust_decimal::Decimal;
use tradewind_kernel::Money;
use tradewind_kernel::asks::suppliers::{Commitment, Offer};
use tradewind_kernel::events::suppliers::SupplierStatus;

/// Whether the open orders of an offer's supplier have a limit.
#[must_use]
pub fn is_limited(offer: &Offer) -> bool {
    offer.status == SupplierStatus::Conditional
}

/// What may still be spent, in the currency that `in_base` converts to; below zero when more is
/// open than the limit allows. None when a rate is missing or there is no limit.
#[must_use]
pub fn room(
    commitment: &Commitment,
    in_base: impl Fn(Money) -> Option<Decimal>,
) -> Option<Decimal> {
    let limit = in_base(commitment.limit?)?;
    commitment.open.iter().try_fold(limit, |room, open| room.checked_sub(in_base(*open)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(amount: &str, currency: &str) -> Money {
        Money { amount: amount.parse().unwrap(), currency: currency.parse().unwrap() }
    }

    /// One euro is two dollars; of nothing else is there a rate.
    fn in_base(money: Money) -> Option<Decimal> {
        match money.currency.code() {
            "USD" => Some(money.value()),
            "EUR" => Some(money.value() * Decimal::TWO),
            _ => None,
        }
    }

    #[test]
    fn what_is_open_counts_against_the_limit_at_its_rate() {
        let cases = [
            ("USD", vec![], Some(1000)),
            ("USD", vec![money("400", "USD"), money("100", "EUR")], Some(400)),
            ("EUR", vec![money("400", "USD")], Some(1600)),
            ("USD", vec![money("1200", "USD")], Some(-200)),
            ("USD", vec![money("1", "CHF")], None),
        ];
        for (currency, open, expected) in cases {
            let commitment = Commitment { limit: Some(money("1000", currency)), open };
            assert_eq!(room(&commitment, in_base), expected.map(Decimal::from), "{commitment:?}");
        }
        assert_eq!(room(&Commitment::default(), in_base), None, "no limit");
    }
}
