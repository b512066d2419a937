//! Rate: what one unit of a currency is worth in the base currency, from a day on.
//!
//! A conversion takes the newest rate on or before the day it is for, and never one of a day still
//! to come. Rates belong to the base currency they were put for: another base has its own.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tradewind_kernel::events::finance::RateSet;
use tradewind_kernel::money::round_to_minor;
use tradewind_kernel::published::GivenRatio;
use tradewind_kernel::refusal::Faults;
use tradewind_kernel::{Currency, Day, Decision, NewEvent, Ratio, Refusal};
use utoipa::ToSchema;

use crate::keys;

/// The largest rate: beyond it no real currency lies, and products stay exact.
pub const MAX_RATE: Decimal = Decimal::from_parts(1_000_000_000, 0, 0, false, 0);

/// Decimals that a rate may carry: more than any bank publishes.
pub const RATE_DECIMALS: u32 = 12;

/// What a caller puts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "rate": "1.0842" }))]
pub struct PutRate {
    /// Units of the base currency for one unit of this currency: more than 0, at most 1000000000,
    /// and of at most 12 decimals; `out-of-range` otherwise.
    #[schema(value_type = GivenRatio)]
    pub rate: Ratio,
}

/// A rate as it is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RateView {
    /// The currency.
    pub currency: Currency,
    /// The base currency at the time.
    pub base: Currency,
    /// The day from which it holds.
    pub day: Day,
    /// Units of the base currency for one unit.
    pub rate: Ratio,
}

/// Which rate is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RatePlace {
    /// The base currency.
    pub base: Currency,
    /// The currency.
    pub currency: Currency,
    /// The day.
    pub day: Day,
}

/// Puts a rate. `kept` is the one that is there, with its version.
///
/// # Errors
/// 422 `out-of-range` for a rate that is not more than 0, too large or too precise, and
/// `rate-of-base-currency` for the base currency itself.
pub fn put_rate(
    place: RatePlace,
    command: &PutRate,
    kept: Option<(Ratio, u64)>,
) -> Result<Decision, Refusal> {
    let RatePlace { base, currency, day } = place;
    let rate = command.rate;
    let mut faults = Faults::new();
    let lawful = rate.0 > Decimal::ZERO && rate.0 <= MAX_RATE;
    let detail = "a rate is more than 0 and at most 1000000000";
    faults.require(lawful, "/rate", "out-of-range", detail);
    let precise = rate.0.normalize().scale() <= RATE_DECIMALS;
    faults.require(precise, "/rate", "out-of-range", "a rate has at most 12 decimals");
    let foreign = currency != base;
    let detail = "the base currency needs no rate to itself";
    faults.require(foreign, "", "rate-of-base-currency", detail);
    faults.check()?;

    let view = json!(RateView { currency, base, day, rate });
    if let Some((_, version)) = kept.filter(|(old, _)| *old == rate) {
        return Ok(Decision::unchanged(view, version));
    }
    let mut decision = Decision::default();
    decision.put(keys::rate(base, currency, day), &rate);
    let event = RateSet { currency, day, rate, base: Some(base) };
    decision.event(NewEvent::of(currency.code(), &event));
    Ok(if kept.is_none() {
        decision.created(format!("/finance/v1/rates/{currency}/{day}"), view)
    } else {
        decision.reply(200, view)
    })
}

/// All rates of one currency.
pub type Curve = BTreeMap<Day, Ratio>;

/// The rates that a calculation may use.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rates {
    /// To this currency.
    pub base: Currency,
    /// Rates by currency and day.
    pub curves: BTreeMap<Currency, Curve>,
}

impl Rates {
    /// The newest rate of a currency on or before a day.
    #[must_use]
    pub fn newest(&self, currency: Currency, day: Day) -> Option<Ratio> {
        let curve = self.curves.get(&currency)?;
        curve.range(..=day).next_back().map(|(_, rate)| *rate)
    }

    /// `amount` in the base currency, rounded to its minor unit; none without a rate.
    #[must_use]
    pub fn convert(&self, amount: Decimal, currency: Currency, day: Day) -> Option<Decimal> {
        if currency == self.base {
            return Some(amount);
        }
        let rate = self.newest(currency, day)?;
        Some(round_to_minor(amount.saturating_mul(rate.0), self.base))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    fn place(currency: &str) -> RatePlace {
        let currency = currency.parse().unwrap();
        RatePlace { base: Currency::USD, currency, day: day("2026-12-01") }
    }

    #[test]
    fn rates_are_positive_bounded_and_of_other_currencies() {
        for (currency, rate, wanted) in [
            ("EUR", "1.08", None),
            ("EUR", "1000000000", None),
            ("EUR", "0", Some("out-of-range")),
            ("EUR", "-1", Some("out-of-range")),
            ("EUR", "1000000000.1", Some("out-of-range")),
            ("EUR", "0.0000000000001", Some("out-of-range")),
            ("USD", "1", Some("rate-of-base-currency")),
            ("USD", "0", Some("invalid")),
        ] {
            let command = PutRate { rate: rate.parse().unwrap() };
            let refusal = put_rate(place(currency), &command, None).err();
            assert_eq!(refusal.as_ref().map(|it| it.code.as_str()), wanted, "{currency} {rate}");
        }
    }

    #[test]
    fn the_same_rate_again_changes_nothing() {
        let command = PutRate { rate: "1.080".parse().unwrap() };
        let same = put_rate(place("EUR"), &command, Some(("1.08".parse().unwrap(), 7))).unwrap();
        assert!(same.is_empty());
        assert_eq!(same.reply.version, Some(7));
        let other = put_rate(place("EUR"), &command, Some(("1.09".parse().unwrap(), 7))).unwrap();
        assert_eq!((other.reply.status, other.events.len()), (200, 1));
    }

    #[test]
    fn the_newest_rate_up_to_the_day_counts() {
        let euro: Currency = "EUR".parse().unwrap();
        let curve = Curve::from([
            (day("2026-12-01"), "1.10".parse().unwrap()),
            (day("2026-12-10"), "1.20".parse().unwrap()),
        ]);
        let rates = Rates { base: Currency::USD, curves: BTreeMap::from([(euro, curve)]) };
        for (on, wanted) in [
            ("2026-11-30", None),
            ("2026-12-01", Some("11.00")),
            ("2026-12-09", Some("11.00")),
            ("2026-12-10", Some("12.00")),
        ] {
            let converted = rates.convert(Decimal::from(10), euro, day(on));
            assert_eq!(converted.map(|it| it.to_string()).as_deref(), wanted, "{on}");
        }
        assert_eq!(
            rates.convert(Decimal::ONE, Currency::USD, day("2020-01-01")),
            Some(Decimal::ONE)
        );
    }
}
