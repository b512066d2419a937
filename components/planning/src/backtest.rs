//! Backtests: which method would have been right?
//!
//! Rolling origin: four origins 28 days apart, at each of which every method is fitted to what
//! came before and compared with the 28 days after (the protocol of the project's comparisons);
//! a short series has shorter and fewer ones. The method with the smallest scaled error (RMSSE,
//! by the in-sample error of "tomorrow as today") is chosen; ties by the error of the whole
//! period (WAPE). Its errors also give the deviation and the quantiles of a day's demand.
#![allow(
    clippy::float_arithmetic,
    reason = "accuracies are estimates; nothing that is counted or paid is computed here"
)]

use serde::Serialize;
use tradewind_kernel::Ratio;
use utoipa::ToSchema;

use crate::forecast::{Method, Observation, predict};
use crate::safety_stock::ratio;

/// Origins of a backtest.
const ORIGINS: usize = 4;

/// Days from one origin to the next, and days that each is judged by.
pub const HORIZON_DAYS: usize = 28;

/// The least that a method is fitted to: two weeks, so that every weekday was seen twice.
const FITTED_DAYS: usize = 14;

/// The fewest days that a short series is judged by: a week.
const SHORTEST_DAYS: usize = 7;

/// The quantiles that are told.
const QUANTILES: [(&str, f64); 5] =
    [("0.10", 0.10), ("0.50", 0.50), ("0.75", 0.75), ("0.90", 0.90), ("0.95", 0.95)];

/// How right a method was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Accuracy {
    /// The method.
    pub method: Method,
    /// Root mean squared scaled error, day by day; null when nothing could be judged.
    pub rmsse: Option<Ratio>,
    /// Weighted absolute percentage error of whole periods; null without any demand in them.
    pub wape: Option<Ratio>,
    /// Forecast less actual, as a share of actual; above zero is too much.
    pub bias: Option<Ratio>,
}

/// A quantile of one day's demand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Quantile {
    /// Which, from 0 to 1.
    pub share: Ratio,
    /// Base units.
    pub units: Ratio,
}

/// A forecast of a series.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Forecast {
    /// The method that was chosen.
    pub method: Method,
    /// How right each candidate was.
    pub candidates: Vec<Accuracy>,
    /// Origins of the backtest; 0: the series is too short for one, and the first method is used.
    pub origins: u32,
    /// Days that each origin was judged by.
    pub judged_days: u32,
    /// Base units a day, the mean of the next 28 days.
    pub daily_mean: Ratio,
    /// Standard deviation of a day's demand around its forecast.
    pub daily_deviation: Ratio,
    /// Of one day's demand.
    pub quantiles: Vec<Quantile>,
    /// The next 28 days, from the day after the series.
    pub days: Vec<Ratio>,
}

/// What a method did over all origins.
struct Trial {
    method: Method,
    rmsse: Option<f64>,
    wape: Option<f64>,
    bias: Option<f64>,
    /// Actual less forecast, day by day.
    errors: Vec<f64>,
}

/// Backtests every method, chooses and forecasts.
#[must_use]
pub fn forecast(series: &[Observation]) -> Forecast {
    let (origins, judged) = plan(series.len());
    let mut trials: Vec<Trial> =
        Method::ALL.iter().map(|method| try_method(*method, series, &origins, judged)).collect();
    let key =
        |trial: &Trial| (trial.rmsse.unwrap_or(f64::INFINITY), trial.wape.unwrap_or(f64::INFINITY));
    let candidates = trials.iter().map(accuracy).collect();
    trials.sort_by(|left, right| {
        let (left, right) = (key(left), key(right));
        left.0.total_cmp(&right.0).then(left.1.total_cmp(&right.1))
    });
    let (method, mut errors) = match trials.into_iter().next() {
        Some(best) => (best.method, best.errors),
        None => (Method::ExponentialSmoothing, Vec::new()),
    };
    let days = predict(method, series, HORIZON_DAYS);
    let mean = average(&days).unwrap_or(0.0);
    if errors.len() < SHORTEST_DAYS {
        let counting = series.iter().filter(|day| day.counts);
        errors = counting.map(|day| day.units - mean).collect();
    }
    errors.sort_by(f64::total_cmp);
    let squares: Vec<f64> = errors.iter().map(|error| error * error).collect();
    let quantiles = QUANTILES.iter().filter_map(|(name, share)| {
        let units = quantile(&errors, *share).map(|error| (mean + error).max(0.0))?;
        Some(Quantile { share: name.parse().ok()?, units: ratio(units) })
    });
    Forecast {
        method,
        candidates,
        origins: u32::try_from(origins.len()).unwrap_or(u32::MAX),
        judged_days: u32::try_from(judged).unwrap_or(u32::MAX),
        daily_mean: ratio(mean),
        daily_deviation: ratio(average(&squares).unwrap_or(0.0).sqrt()),
        quantiles: quantiles.collect(),
        days: days.into_iter().map(ratio).collect(),
    }
}

/// The origins of a series of so many days (how many days come before), and the days each is
/// judged by.
fn plan(length: usize) -> (Vec<usize>, usize) {
    let room = length.saturating_sub(FITTED_DAYS);
    let judged = HORIZON_DAYS.min(room.checked_div(2).unwrap_or(0).max(SHORTEST_DAYS));
    let count = room.checked_div(judged).unwrap_or(0).min(ORIGINS);
    let origin = |back: usize| length.saturating_sub(judged.saturating_mul(back));
    ((1..=count).rev().map(origin).collect(), judged)
}

fn try_method(method: Method, series: &[Observation], origins: &[usize], judged: usize) -> Trial {
    let (mut scaled, mut errors) = (Vec::new(), Vec::new());
    let (mut off, mut over, mut actual) = (0.0, 0.0, 0.0);
    for origin in origins {
        let (before, after) = series.split_at(*origin);
        let path = predict(method, before, judged);
        let pairs = after.iter().zip(&path).filter(|(day, _)| day.counts);
        let (mut squares, mut wanted, mut said) = (Vec::new(), 0.0, 0.0);
        for (day, forecast) in pairs {
            let error = day.units - forecast;
            squares.push(error * error);
            errors.push(error);
            wanted += day.units;
            said += forecast;
        }
        if let Some(square) = average(&squares) {
            scaled.push((square / scale(before)).sqrt());
        }
        off += (said - wanted).abs();
        over += said - wanted;
        actual += wanted;
    }
    let share = |value: f64| (actual > 0.0).then(|| value / actual);
    Trial { method, rmsse: average(&scaled), wape: share(off), bias: share(over), errors }
}

/// The mean squared error of "tomorrow as today"; 1 for a series that never changes.
fn scale(series: &[Observation]) -> f64 {
    let steps = series.windows(2).filter_map(|pair| match pair {
        [one, two] if one.counts && two.counts => Some((two.units - one.units).powi(2)),
        _ => None,
    });
    let steps: Vec<f64> = steps.collect();
    average(&steps).filter(|scale| *scale > 0.0).unwrap_or(1.0)
}

fn average(values: &[f64]) -> Option<f64> {
    let count = u32::try_from(values.len()).ok().filter(|count| *count > 0)?;
    Some(values.iter().sum::<f64>() / f64::from(count))
}

/// A quantile of sorted values, by linear interpolation.
fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let last = u32::try_from(sorted.len().checked_sub(1)?).ok()?;
    let place = share * f64::from(last);
    let below = (0..=last).rev().find(|place_below| f64::from(*place_below) <= place)?;
    let low = *sorted.get(usize::try_from(below).ok()?)?;
    let next = usize::try_from(below).ok()?.saturating_add(1);
    let high = sorted.get(next).copied().unwrap_or(low);
    Some(low + (high - low) * (place - f64::from(below)))
}

fn accuracy(trial: &Trial) -> Accuracy {
    Accuracy {
        method: trial.method,
        rmsse: trial.rmsse.map(ratio),
        wape: trial.wape.map(ratio),
        bias: trial.bias.map(ratio),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(days: usize, units: impl Fn(usize) -> f64) -> Vec<Observation> {
        (0..days).map(|day| Observation { units: units(day), counts: true }).collect()
    }

    #[test]
    fn origins_shrink_with_the_series() {
        for (length, origins, judged) in [
            (730, vec![618, 646, 674, 702], 28),
            (126, vec![14, 42, 70, 98], 28),
            (70, vec![14, 42], 28),
            (42, vec![14, 28], 14),
            (21, vec![14], 7),
            (20, vec![], 7),
            (0, vec![], 7),
        ] {
            assert_eq!(plan(length), (origins, judged), "{length}");
        }
    }

    #[test]
    fn each_kind_of_demand_finds_its_method() {
        let weekly = forecast(&series(200, |day| if day % 7 == 5 { 40.0 } else { 4.0 }));
        assert_eq!((weekly.method, weekly.origins), (Method::SeasonalNaive, 4));
        assert_eq!(weekly.candidates[2].rmsse, Some(ratio(0.0)));
        let noise = |day: usize| f64::from(u32::try_from(day * 37 % 11).unwrap());
        let level = forecast(&series(200, |day| 20.0 + noise(day)));
        assert_eq!(level.method, Method::ExponentialSmoothing);
        assert_eq!(level.days.len(), HORIZON_DAYS);
    }

    #[test]
    fn promotions_and_empty_shelves_stay_out() {
        let mut days = series(160, |day| 10.0 + f64::from(u32::try_from(day % 2).unwrap()));
        for place in (0..160).step_by(9) {
            days[place] = Observation { units: 500.0, counts: false };
        }
        let found = forecast(&days);
        let mean = found.daily_mean.0;
        assert!(mean > 9.into() && mean < 12.into(), "{mean}");
        assert!(found.daily_deviation.0 < 2.into());
    }

    #[test]
    fn a_short_series_is_still_forecast() {
        let found = forecast(&series(5, |_| 3.0));
        assert_eq!((found.origins, found.daily_mean), (0, ratio(3.0)));
        assert_eq!(forecast(&[]).daily_mean, ratio(0.0));
    }

    #[test]
    fn the_same_series_gives_the_same_forecast() {
        let days = series(400, |day| f64::from(u32::try_from(day * 31 % 17).unwrap()));
        assert_eq!(forecast(&days), forecast(&days));
    }
}
