//! A unit price in a body that names its currency: `"7.50"`, or money of that same currency.

use serde::Deserialize;
use tradewind_kernel::money::Amount;
use tradewind_kernel::refusal::Faults;
use tradewind_kernel::{Currency, Money};
use utoipa::ToSchema;

/// A unit price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum Price {
    /// In the order's currency.
    Amount(Amount),
    /// With its currency, which must be the order's.
    Money(Money),
}

impl Price {
    /// The amount in the order's currency, if that is known; faults name a negative one and another
    /// currency.
    pub fn amount(self, currency: Option<Currency>, pointer: &str, faults: &mut Faults) -> Amount {
        let amount = match self {
            Self::Amount(amount) => amount,
            Self::Money(money) => {
                let same = currency.is_none_or(|currency| currency == money.currency);
                let detail = "the price is in another currency than the order";
                faults.require(same, format!("{pointer}/currency"), "currency-mixed", detail);
                money.amount
            }
        };
        let negative = amount.0.is_sign_negative() && !amount.0.is_zero();
        faults.require(!negative, pointer, "out-of-range", "a price is not negative");
        amount
    }
}
