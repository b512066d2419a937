//! Lead times: days from release to the last accepted receipt (domain.md §5).
//!
//! Mean, sample deviation and 90th percentile come from the counts of each length, in whole
//! numbers up to the shown decimals.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use tradewind_kernel::{Quantity, Ratio};
use utoipa::ToSchema;

use crate::score::shown;

/// Decimals shown; the deviation feeds safety stock, so it keeps more than a reader needs.
const DECIMALS: u32 = 6;

/// How long deliveries took, in calendar days.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct LeadTime {
    /// The mean; null without a delivery.
    pub mean: Option<Ratio>,
    /// The sample deviation; null with fewer than two deliveries.
    pub deviation: Option<Ratio>,
    /// The 90th percentile by linear interpolation; null without a delivery.
    pub p90: Option<Ratio>,
    /// Deliveries measured: closed lines with an accepted receipt.
    pub count: Quantity,
}

impl LeadTime {
    /// The statistics of so many deliveries of each length in days.
    #[must_use]
    pub fn of(counts: &BTreeMap<i64, Quantity>) -> Self {
        let sum = |value: fn(i128) -> i128| {
            counts.iter().fold(0i128, |sum, (days, count)| {
                sum.saturating_add(value(i128::from(*days)).saturating_mul(i128::from(*count)))
            })
        };
        let count = counts.values().copied().fold(0, Quantity::saturating_add);
        let days = sum(|days| days);
        let squares = sum(|days| days.saturating_mul(days));
        Self {
            mean: quotient(days, i128::from(count)).map(|mean| shown(mean, DECIMALS)),
            deviation: deviation(i128::from(count), days, squares),
            p90: percentile(counts, count, 9),
            count,
        }
    }
}

fn quotient(numerator: i128, denominator: i128) -> Option<Decimal> {
    let numerator = Decimal::try_from_i128_with_scale(numerator, 0).ok()?;
    let denominator = Decimal::try_from_i128_with_scale(denominator, 0).ok()?;
    numerator.checked_div(denominator)
}

/// `sqrt((n·Σx² − (Σx)²) / (n·(n − 1)))`, the root taken of a whole number with more digits than
/// are shown.
fn deviation(count: i128, sum: i128, squares: i128) -> Option<Ratio> {
    if count < 2 {
        return None;
    }
    let spread = count.saturating_mul(squares).saturating_sub(sum.saturating_mul(sum)).max(0);
    let degrees = count.saturating_mul(count.saturating_sub(1));
    let scaled = spread.saturating_mul(10i128.pow(16)).checked_div(degrees)?;
    let root = u128::try_from(scaled).ok()?.isqrt();
    let root = i128::try_from(root).ok()?;
    Decimal::try_from_i128_with_scale(root, 8).ok().map(|root| shown(root, DECIMALS))
}

/// The `tenths`-th tenth: at position `(n − 1) · tenths / 10` of the sorted lengths, between two
/// of them by linear interpolation.
fn percentile(counts: &BTreeMap<i64, Quantity>, count: Quantity, tenths: i64) -> Option<Ratio> {
    let position = count.saturating_sub(1).saturating_mul(tenths);
    let (below, rest) = (position.checked_div(10)?, position.checked_rem(10)?);
    let low = at(counts, below)?;
    let high = at(counts, below.saturating_add(1)).unwrap_or(low);
    let tenfold =
        low.saturating_mul(10).saturating_add(high.saturating_sub(low).saturating_mul(rest));
    Some(shown(Decimal::new(tenfold, 1), DECIMALS))
}

/// The length at this place of the sorted lengths, counted from 0.
fn at(counts: &BTreeMap<i64, Quantity>, place: Quantity) -> Option<i64> {
    let mut passed: Quantity = 0;
    for (days, count) in counts {
        passed = passed.saturating_add(*count);
        if place < passed {
            return Some(*days);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lengths: &[i64]) -> [Option<String>; 3] {
        let mut counts = BTreeMap::new();
        for days in lengths {
            *counts.entry(*days).or_insert(0) += 1;
        }
        let lead_time = LeadTime::of(&counts);
        assert_eq!(lead_time.count, i64::try_from(lengths.len()).unwrap());
        [lead_time.mean, lead_time.deviation, lead_time.p90].map(|it| it.map(|it| it.to_string()))
    }

    fn some(values: [&str; 3]) -> [Option<String>; 3] {
        values.map(|value| Some(value.to_owned()))
    }

    #[test]
    fn worked_numbers() {
        // numpy: mean, std(ddof=1), percentile(…, 90)
        assert_eq!(of(&[10, 20, 30, 40]), some(["25", "12.909944", "37"]));
        assert_eq!(of(&[30, 35, 28, 41, 30]), some(["32.8", "5.263079", "38.6"]));
        assert_eq!(of(&[7, 7, 7]), some(["7", "0", "7"]));
        assert_eq!(of(&[1, 2]), some(["1.5", "0.707107", "1.9"]));
        assert_eq!(of(&[12]), [Some("12".to_owned()), None, Some("12".to_owned())]);
        assert_eq!(of(&[]), [None, None, None]);
    }
}
