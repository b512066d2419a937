//! Money: an exact decimal and its currency.
//!
//! Document totals are rounded to the currency's minor unit, half to even; unit prices and unit
//! costs keep up to six decimals. Amounts of different currencies never add.

use std::fmt;
use std::str::FromStr;

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

use crate::quantity::{Quantity, split};
use crate::ratio::plain_decimal;
use crate::text_form::text_form;

/// Decimals that a unit price or unit cost may carry.
pub const UNIT_PRICE_DECIMALS: u32 = 6;

/// Digits before the point: those of 10^15.
const WHOLE_DIGITS: usize = 16;

/// The largest size of an amount: 10^15, as for quantities.
pub const AMOUNT_LIMIT: Decimal = Decimal::from_parts(2_764_472_320, 232_830, 0, false, 0);

/// An ISO 4217 currency code, such as `USD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, format = "currency", example = "USD", pattern = "^[A-Z]{3}$")]
pub struct Currency(iso_currency::Currency);

/// A text is not an ISO 4217 code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an ISO 4217 currency code")]
pub struct NotACurrency(String);

impl Currency {
    /// US dollars: the base currency of a tenant that has set none.
    pub const USD: Self = Self(iso_currency::Currency::USD);

    /// Its three letters.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// Decimals of its minor unit: 2 for USD, 0 for JPY.
    #[must_use]
    pub fn decimals(self) -> u32 {
        self.0.exponent().map_or(2, u32::from)
    }
}

impl Default for Currency {
    fn default() -> Self {
        Self::USD
    }
}

impl PartialOrd for Currency {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Currency {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.code().cmp(other.code())
    }
}

impl FromStr for Currency {
    type Err = NotACurrency;

    fn from_str(text: &str) -> Result<Self, NotACurrency> {
        iso_currency::Currency::from_code(text)
            .map(Self)
            .ok_or_else(|| NotACurrency(text.chars().take(10).collect()))
    }
}

text_form!(Currency, NotACurrency, |currency| currency.code().to_owned());

impl fmt::Display for Currency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code())
    }
}

/// An exact decimal amount as a JSON string: `"12.50"`; at most six decimals and 10^15 in size.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Default,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schema(
    value_type = String,
    format = "amount",
    example = "12.50",
    pattern = r"^-?(0?[0-9]{1,15}(\.[0-9]{1,6})?|10{15}(\.0{1,6})?)$"
)]
pub struct Amount(pub Decimal);

/// Why a text or a calculation gave no money.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not a plain decimal with at most six decimals and 10^15 in size.
    #[error("`{0}` is not an amount: a plain decimal, at most six decimals, at most 10^15")]
    NotAnAmount(String),
    /// Two currencies met; convert with a dated rate first.
    #[error("{0} and {1} never add; convert with a dated rate first")]
    Mixed(Currency, Currency),
    /// The result is too large.
    #[error("an amount is at most 10^15")]
    TooLarge,
}

impl FromStr for Amount {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let whole = text.trim_start_matches('-').split('.').next().unwrap_or("");
        plain_decimal(text)
            .filter(|value| {
                whole.len() <= WHOLE_DIGITS
                    && value.scale() <= UNIT_PRICE_DECIMALS
                    && value.abs() <= AMOUNT_LIMIT
            })
            .map(Self)
            .ok_or_else(|| MoneyError::NotAnAmount(text.chars().take(40).collect()))
    }
}

text_form!(Amount, MoneyError, |amount| amount.to_string());

impl fmt::Display for Amount {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0)
    }
}

/// An amount of money: `{"amount": "12.50", "currency": "USD"}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Money {
    /// How much.
    pub amount: Amount,
    /// In which currency.
    pub currency: Currency,
}

impl Money {
    /// This much of this currency, unrounded.
    #[must_use]
    pub fn new(amount: Decimal, currency: Currency) -> Self {
        Self { amount: Amount(amount), currency }
    }

    /// Nothing, in this currency.
    #[must_use]
    pub fn zero(currency: Currency) -> Self {
        Self::new(Decimal::ZERO, currency)
    }

    /// The bare decimal.
    #[must_use]
    pub fn value(self) -> Decimal {
        self.amount.0
    }

    /// Rounded to the currency's minor unit, half to even, and written with all its decimals.
    #[must_use]
    pub fn rounded(self) -> Self {
        Self::new(round_to_minor(self.value(), self.currency), self.currency)
    }

    /// The sum.
    ///
    /// # Errors
    /// [`MoneyError::Mixed`] for two currencies, [`MoneyError::TooLarge`] beyond the limit.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::Mixed(self.currency, other.currency));
        }
        let total = self.value().checked_add(other.value()).ok_or(MoneyError::TooLarge)?;
        bounded(total).map(|amount| Self::new(amount, self.currency))
    }

    /// This unit price times a quantity, unrounded.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`] beyond the limit.
    pub fn times(self, quantity: Quantity) -> Result<Self, MoneyError> {
        let total =
            self.value().checked_mul(Decimal::from(quantity)).ok_or(MoneyError::TooLarge)?;
        bounded(total).map(|amount| Self::new(amount, self.currency))
    }

    /// Splits the amount, in minor units, by largest remainder; the parts sum to the whole.
    #[must_use]
    pub fn split(self, weights: &[u128]) -> Vec<Self> {
        let decimals = self.currency.decimals();
        let whole = self.rounded().value();
        let scale = Decimal::from(10u64.saturating_pow(decimals));
        let minor = whole.saturating_mul(scale).trunc().mantissa();
        split(minor, weights)
            .into_iter()
            .map(|part| {
                let part = i64::try_from(part).unwrap_or(i64::MAX);
                Self::new(Decimal::new(part, decimals), self.currency)
            })
            .collect()
    }
}

fn bounded(amount: Decimal) -> Result<Decimal, MoneyError> {
    if amount.abs() <= AMOUNT_LIMIT { Ok(amount) } else { Err(MoneyError::TooLarge) }
}

/// `amount` rounded to the minor unit of `currency`, half to even, with all its decimals written.
#[must_use]
pub fn round_to_minor(amount: Decimal, currency: Currency) -> Decimal {
    let mut rounded =
        amount.round_dp_with_strategy(currency.decimals(), RoundingStrategy::MidpointNearestEven);
    rounded.rescale(currency.decimals());
    rounded
}

impl fmt::Display for Money {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.amount, self.currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn usd(text: &str) -> Money {
        Money { amount: text.parse().unwrap(), currency: Currency::USD }
    }

    #[test]
    fn amounts_are_plain_decimals() {
        for (text, good) in [
            ("12.50", true),
            ("-0.000001", true),
            ("0.0000001", false),
            ("1e3", false),
            ("", false),
            (".5", false),
            ("1,000", false),
            ("1000000000000000", true),
            ("1000000000000001", false),
        ] {
            assert_eq!(text.parse::<Amount>().is_ok(), good, "{text}");
        }
        assert_eq!(AMOUNT_LIMIT, Decimal::from(1_000_000_000_000_000u64));
    }

    #[test]
    fn rounding_is_half_to_even() {
        for (exact, rounded) in [("0.125", "0.12"), ("0.135", "0.14"), ("2", "2.00")] {
            assert_eq!(usd(exact).rounded().amount.to_string(), rounded);
        }
    }

    #[test]
    fn currencies_never_mix() {
        let euro = Money::new(Decimal::ONE, "EUR".parse().unwrap());
        assert!(matches!(usd("1").plus(euro), Err(MoneyError::Mixed(..))));
    }

    #[test]
    fn c16_the_odd_cent_goes_to_the_first_line() {
        let parts: Vec<String> =
            usd("123.22").split(&[1, 1, 1]).iter().map(|part| part.amount.to_string()).collect();
        assert_eq!(parts, ["41.08", "41.07", "41.07"]);
    }

    proptest! {
        #[test]
        fn parts_sum_to_the_whole(cents in -10_000_000i64..10_000_000, weights in prop::collection::vec(0u128..50, 1..9)) {
            let whole = Money::new(Decimal::new(cents, 2), Currency::USD);
            let sum = whole.split(&weights).into_iter().try_fold(Money::zero(Currency::USD), Money::plus).unwrap();
            prop_assert_eq!(sum.value(), whole.value());
        }
    }
}
