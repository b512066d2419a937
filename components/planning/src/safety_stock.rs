//! Safety stock: what is kept against demand and deliveries that are not as forecast.
//!
//! `z(service) · sqrt((L + R)·σ_d² + d̄²·σ_L²)` (docs/domain.md, Safety stock): L lead time and R
//! review period in days, d̄ and σ_d mean and deviation of a day's demand, σ_L deviation of the
//! lead time in days. z is the quantile of the standard normal distribution.
#![allow(
    clippy::float_arithmetic,
    reason = "a safety stock is an estimate; it is rounded up to whole units where it is used"
)]

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use statrs::distribution::{ContinuousCDF, Normal};
use tradewind_kernel::Ratio;

/// What safety stock rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Uncertainty {
    pub service_level: Ratio,
    /// Lead time and review period together.
    pub days: u32,
    pub daily_mean: Ratio,
    pub daily_deviation: Ratio,
    /// In days.
    pub lead_time_deviation: Ratio,
}

/// Safety stock in base units, to six decimals; never below zero.
#[must_use]
pub fn safety_stock(given: &Uncertainty) -> Ratio {
    let [mean, deviation, delay] =
        [given.daily_mean, given.daily_deviation, given.lead_time_deviation].map(float);
    let variance = f64::from(given.days) * deviation * deviation + mean * mean * delay * delay;
    ratio((normal_quantile(float(given.service_level)) * variance.sqrt()).max(0.0))
}

/// The z of a service level; 0 for one that is not between 0 and 1.
#[must_use]
pub fn normal_quantile(service_level: f64) -> f64 {
    if service_level > 0.0 && service_level < 1.0 {
        Normal::standard().inverse_cdf(service_level)
    } else {
        0.0
    }
}

fn float(value: Ratio) -> f64 {
    value.0.to_f64().unwrap_or(0.0)
}

/// A number with six decimals; what is no number is 0.
#[must_use]
pub fn ratio(value: f64) -> Ratio {
    let text = format!("{value:.6}");
    Ratio(text.parse::<Decimal>().unwrap_or_default().normalize())
}

/// The root of the sum of squares: the deviation of several independent demands together.
#[must_use]
pub fn pooled(deviations: &[Ratio]) -> Ratio {
    ratio(deviations.iter().map(|one| float(*one).powi(2)).sum::<f64>().sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, expected: f64) -> bool {
        (found - expected).abs() < 5e-5
    }

    #[test]
    fn c65_quantiles() {
        for (share, z) in [
            (0.90, 1.281_551_565_5),
            (0.95, 1.644_853_627_0),
            (0.975, 1.959_963_984_5),
            (0.98, 2.053_748_910_6),
            (0.99, 2.326_347_874_0),
        ] {
            assert!((normal_quantile(share) - z).abs() < 1e-9, "{share}");
        }
        assert!(close(normal_quantile(0.0), 0.0) && close(normal_quantile(1.0), 0.0));
    }

    #[test]
    fn c65_safety_stocks() {
        for (level, days, delay, stock) in [
            ("0.95", 4 + 1, "0", 22.0680),
            ("0.98", 9 + 7, "0", 49.2900),
            ("0.95", 10, "2", 72.8208),
        ] {
            let given = Uncertainty {
                service_level: level.parse().unwrap(),
                days,
                daily_mean: "20".parse().unwrap(),
                daily_deviation: "6".parse().unwrap(),
                lead_time_deviation: delay.parse().unwrap(),
            };
            assert!(close(float(safety_stock(&given)), stock), "{level} {days}");
        }
    }

    #[test]
    fn pooling_adds_variances() {
        assert_eq!(pooled(&["3".parse().unwrap(), "4".parse().unwrap()]), "5".parse().unwrap());
    }
}
