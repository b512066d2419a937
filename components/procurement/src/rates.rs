//! Exchange rates, as procurement keeps them by reacting to finance: amounts of two currencies are
//! compared at the newest rate of a day or before it, never without one.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use tradewind_kernel::{Currency, Day, Money, Ratio};

/// The rates of one currency, by day.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DatedRates(pub BTreeMap<Day, DatedRate>);

/// A rate, and to which base currency it converts: when a tenant changes its base currency, older
/// rates mean nothing any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatedRate {
    /// Units of the base currency for one of this.
    pub rate: Ratio,
    /// The base currency when it was set.
    pub base: Currency,
}

/// The rates at hand.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rates {
    /// The base currency; its own rate is 1.
    pub base: Currency,
    /// The others.
    pub dated: BTreeMap<Currency, DatedRates>,
}

impl Rates {
    fn to_base(&self, currency: Currency, day: Day) -> Option<Decimal> {
        if currency == self.base {
            return Some(Decimal::ONE);
        }
        let dated = self.dated.get(&currency)?;
        let mut newest_first = dated.0.range(..=day).rev().map(|(_, dated)| dated);
        newest_first.find(|dated| dated.base == self.base).map(|dated| dated.rate.0)
    }

    /// The same money in another currency, unrounded; `None` when a rate is missing.
    #[must_use]
    pub fn convert(&self, money: Money, to: Currency, day: Day) -> Option<Decimal> {
        if money.currency == to {
            return Some(money.value());
        }
        let base = money.value().checked_mul(self.to_base(money.currency, day)?)?;
        base.checked_div(self.to_base(to, day)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_rate_of_the_day_or_before_it_counts() {
        let day = |text: &str| text.parse::<Day>().unwrap();
        let euro: Currency = "EUR".parse().unwrap();
        let mut rates = Rates::default();
        let hundred = Money::new(Decimal::ONE_HUNDRED, euro);
        assert_eq!(rates.convert(hundred, Currency::USD, day("2026-12-01")), None);
        let dated = [("2026-11-01", "1.10"), ("2026-12-01", "1.20")];
        let base = Currency::USD;
        let dated =
            dated.map(|(on, rate)| (day(on), DatedRate { rate: rate.parse().unwrap(), base }));
        rates.dated.insert(euro, DatedRates(dated.into()));
        for (on, dollars) in
            [("2026-10-31", None), ("2026-11-30", Some("110")), ("2026-12-24", Some("120"))]
        {
            let converted = rates.convert(hundred, Currency::USD, day(on));
            assert_eq!(converted.map(|it| it.normalize().to_string()).as_deref(), dollars, "{on}");
        }
        assert_eq!(rates.convert(hundred, euro, day("2026-01-01")), Some(Decimal::ONE_HUNDRED));
        rates.base = "CHF".parse().unwrap();
        assert_eq!(rates.convert(hundred, rates.base, day("2026-12-24")), None, "another base");
    }
}
