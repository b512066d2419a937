//! Forecast methods: what a series of daily demand says of the days after it.
//!
//! Seasonal naive (the same weekday again), simple exponential smoothing, and Croston's method in
//! the form of Syntetos and Boylan for intermittent demand. Days that do not count (out of stock,
//! promotions) are stepped over: they are not read as no demand. The same series gives the same
//! forecast, always.
#![allow(
    clippy::float_arithmetic,
    reason = "forecasts are estimates; nothing that is counted or paid is computed here"
)]

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One day of demand.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observation {
    /// Base units.
    pub units: f64,
    /// Whether the day tells of ordinary demand: goods were there and nothing was promoted.
    pub counts: bool,
}

/// A forecast method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Each day as the same weekday was last.
    SeasonalNaive,
    /// Simple exponential smoothing; its constant is the one that would have done best.
    ExponentialSmoothing,
    /// Croston's method with the correction of Syntetos and Boylan.
    SyntetosBoylan,
}

impl Method {
    /// All of them; ties of accuracy go to the first.
    pub const ALL: [Self; 3] =
        [Self::ExponentialSmoothing, Self::SyntetosBoylan, Self::SeasonalNaive];
}

/// Days of a season: a week.
const SEASON: usize = 7;

/// Smoothing constants that are tried, in hundredths: below, old demand weighs for a year; above,
/// one odd day throws the forecast off.
const CONSTANTS: [u32; 10] = [5, 10, 15, 20, 25, 30, 35, 40, 45, 50];

/// Croston's smoothing constant; the literature finds 0.1 to 0.2 best for intermittent demand.
const CROSTON_CONSTANT: f64 = 0.1;

/// The next `days` days of a series by a method; never below zero.
#[must_use]
pub fn predict(method: Method, series: &[Observation], days: usize) -> Vec<f64> {
    let path = match method {
        Method::SeasonalNaive => seasonal_naive(series, days),
        Method::ExponentialSmoothing => vec![exponential_smoothing(series); days],
        Method::SyntetosBoylan => vec![syntetos_boylan(series, CROSTON_CONSTANT); days],
    };
    path.into_iter().map(|units| if units.is_finite() { units.max(0.0) } else { 0.0 }).collect()
}

/// Each day as the last counting day of its weekday; without one, as the mean.
fn seasonal_naive(series: &[Observation], days: usize) -> Vec<f64> {
    let mean = mean(series);
    let weekday = |offset: usize| {
        let phase = series.len().saturating_add(offset) % SEASON;
        let same = series.iter().enumerate().rev().filter(|(place, _)| place % SEASON == phase);
        same.map(|(_, day)| day).find(|day| day.counts).map_or(mean, |day| day.units)
    };
    let week: Vec<f64> = (0..SEASON).map(weekday).collect();
    (0..days).map(|offset| week.get(offset % SEASON).copied().unwrap_or(mean)).collect()
}

/// The level after smoothing with the constant whose one-day-ahead errors are the smallest.
fn exponential_smoothing(series: &[Observation]) -> f64 {
    let smoothed =
        CONSTANTS.iter().map(|hundredths| smooth(series, f64::from(*hundredths) / 100.0));
    let best = smoothed.min_by(|left, right| left.1.total_cmp(&right.1));
    best.map_or(0.0, |(level, _)| level)
}

/// The level at the end, and the sum of squared one-day-ahead errors. It starts with the mean of
/// the first two weeks that count.
fn smooth(series: &[Observation], constant: f64) -> (f64, f64) {
    let counting = || series.iter().filter(|day| day.counts);
    let first: Vec<Observation> = counting().take(SEASON.saturating_mul(2)).copied().collect();
    counting().fold((mean(&first), 0.0), |(level, errors), day| {
        let error = day.units - level;
        (level + constant * error, errors + error * error)
    })
}

/// Croston's size and interval of demand, smoothed; both start with the first they see. `None`
/// without any demand. (Croston 1972; Syntetos and Boylan 2005.)
#[must_use]
pub fn croston(series: &[Observation], constant: f64) -> Option<(f64, f64)> {
    let mut state: Option<(f64, f64)> = None;
    let mut since = 0.0;
    for day in series.iter().filter(|day| day.counts) {
        since += 1.0;
        if day.units <= 0.0 {
            continue;
        }
        state = Some(match state {
            None => (day.units, since),
            Some((size, interval)) => {
                (size + constant * (day.units - size), interval + constant * (since - interval))
            }
        });
        since = 0.0;
    }
    state
}

/// Demand a day: size ÷ interval, less half the constant's share, which takes out Croston's bias.
#[must_use]
pub fn syntetos_boylan(series: &[Observation], constant: f64) -> f64 {
    let rate = croston(series, constant).map_or(0.0, |(size, interval)| size / interval);
    rate * (1.0 - constant / 2.0)
}

/// The mean of the days that count.
#[must_use]
pub fn mean(series: &[Observation]) -> f64 {
    let (sum, count) = series
        .iter()
        .filter(|day| day.counts)
        .fold((0.0, 0.0), |(sum, count), day| (sum + day.units, count + 1.0));
    if count > 0.0 { sum / count } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn series(units: &[f64]) -> Vec<Observation> {
        units.iter().map(|units| Observation { units: *units, counts: true }).collect()
    }

    #[test]
    fn c70_croston() {
        let series = series(&[0., 0., 5., 0., 0., 0., 3., 0., 4., 0., 0., 6.]);
        let (size, interval) = croston(&series, 0.1).unwrap();
        assert!((size - 4.848).abs() < 1e-9 && (interval - 2.991).abs() < 1e-9);
        assert!((size / interval - 1.620_862_587_8).abs() < 1e-9);
        assert!((syntetos_boylan(&series, 0.1) - 1.539_819_458_4).abs() < 1e-9);
    }

    #[test]
    fn a_week_repeats() {
        let days: Vec<f64> = (0..30).map(|day| f64::from(day % 7)).collect();
        let next = predict(Method::SeasonalNaive, &series(&days), 9);
        assert_eq!(next, [2., 3., 4., 5., 6., 0., 1., 2., 3.]);
    }

    #[test]
    fn days_out_of_stock_are_not_read_as_no_demand() {
        let mut days = series(&[4.0; 40]);
        for day in &mut days[20..35] {
            *day = Observation { units: 0.0, counts: false };
        }
        for method in Method::ALL {
            let next = predict(method, &days, 3);
            let expected = if method == Method::SyntetosBoylan { 3.8 } else { 4.0 };
            assert!(
                next.iter().all(|units| (units - expected).abs() < 1e-9),
                "{method:?} {next:?}"
            );
        }
    }

    #[test]
    fn nothing_known_is_nothing_expected() {
        for method in Method::ALL {
            assert_eq!(predict(method, &[], 2), [0.0, 0.0]);
        }
    }

    proptest! {
        #[test]
        fn forecasts_stay_within_what_was_seen(
            days in prop::collection::vec((0u32..500, any::<bool>()), 0..120),
        ) {
            let days: Vec<Observation> = days
                .into_iter()
                .map(|(units, counts)| Observation { units: f64::from(units), counts })
                .collect();
            let counting = days.iter().filter(|day| day.counts);
            let most = counting.map(|day| day.units).fold(0.0, f64::max);
            for method in Method::ALL {
                for units in predict(method, &days, 10) {
                    prop_assert!((0.0..=most + 1e-6).contains(&units));
                }
            }
        }
    }
}
