//! Demand of an item at a node, day by day from today: what its channels' forecasts say, and what
//! planned promotions add.
//!
//! A channel's demand falls on its first node. A forecast reaches 28 days ahead and goes on with its
//! last week. Promoted days are kept out of the forecast, so a promotion adds its uplift: what it
//! expects and is not ordered yet, spread evenly over its remaining days, less what the channel's
//! forecast says of these days already; never less than nothing. What is ordered already is open
//! demand, counted there.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use tradewind_kernel::{Day, Id, Quantity, Ratio};
use utoipa::ToSchema;

use crate::backtest::Forecast;
use crate::facts::Channel;
use crate::forecast::Method;
use crate::history::Looked;
use crate::promotion::Promotion;
use crate::risk::{Ordered, remaining};
use crate::safety_stock::pooled;

/// Days of a week: a forecast goes on with its last one.
const WEEK: usize = 7;

/// Decimals of a summed demand: those of a forecast. What is spread over days and summed again is
/// so brought back to the whole that it was.
const DECIMALS: u32 = 6;

/// What one channel adds to the demand at its first node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct ChannelDemand {
    pub channel: Id,
    pub method: Method,
    pub daily_mean: Ratio,
    pub daily_deviation: Ratio,
    /// What its forecast looked at; null in a proposal from before this was told.
    #[serde(default)]
    pub history: Option<Looked>,
}

/// What a planned promotion adds to the demand over lead time and review period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct PromotionDemand {
    pub promotion: Id,
    pub channel: Id,
    pub from: Day,
    pub until: Day,
    /// Expected and not ordered yet, over the whole window.
    #[schema(value_type = i64)]
    pub remaining: Quantity,
    /// The share of it that falls inside, less what the forecast of the channel says of these days.
    pub uplift: Ratio,
}

/// A promotion with what each of its remaining days adds.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Planned {
    promotion: Promotion,
    remaining: Quantity,
    /// Days from today until the first of them.
    after: usize,
    uplift: Vec<Decimal>,
}

/// The demand of an item at a node: of the channels whose first node it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Demand {
    pub daily_mean: Ratio,
    pub daily_deviation: Ratio,
    pub channels: Vec<ChannelDemand>,
    /// What the forecasts say of the coming days, from today on.
    days: Vec<Decimal>,
    planned: Vec<Planned>,
}

impl Demand {
    /// What the forecasts say of a day, so many days after today.
    fn forecast_on(&self, step: usize) -> Decimal {
        on(&self.days, step)
    }

    /// What the forecasts say of so many days from today on.
    #[must_use]
    pub fn forecast_over(&self, days: usize) -> Decimal {
        (0..days).map(|step| self.forecast_on(step)).fold(Decimal::ZERO, Decimal::saturating_add)
    }

    /// What promotions add over so many days from today on.
    #[must_use]
    pub fn uplift_over(&self, days: usize) -> Decimal {
        let uplift = self.planned.iter().map(|planned| planned.over(days));
        uplift.fold(Decimal::ZERO, Decimal::saturating_add)
    }

    /// All that is expected on a day, so many days after today.
    #[must_use]
    pub fn on(&self, step: usize) -> Decimal {
        let uplift = self.planned.iter().map(|planned| planned.on(step));
        uplift.fold(self.forecast_on(step), Decimal::saturating_add)
    }

    /// The promotions that have a day among so many from today on.
    #[must_use]
    pub fn promotions_within(&self, days: usize) -> Vec<PromotionDemand> {
        let inside = self.planned.iter().filter(|planned| planned.after < days);
        let told = |planned: &Planned| PromotionDemand {
            promotion: planned.promotion.promotion.clone(),
            channel: planned.promotion.channel.clone(),
            from: planned.promotion.from,
            until: planned.promotion.until,
            remaining: planned.remaining,
            uplift: Ratio(planned.over(days).normalize()),
        };
        inside.map(told).collect()
    }

    fn add(&mut self, channel: &Id, looked: Looked, forecast: &Forecast) {
        let sum = self.daily_mean.0.saturating_add(forecast.daily_mean.0);
        self.daily_mean = Ratio(sum.normalize());
        self.days.resize(self.days.len().max(forecast.days.len()), Decimal::ZERO);
        for (day, more) in self.days.iter_mut().zip(&forecast.days) {
            *day = day.saturating_add(more.0);
        }
        self.channels.push(ChannelDemand {
            channel: channel.clone(),
            method: forecast.method,
            daily_mean: forecast.daily_mean,
            daily_deviation: forecast.daily_deviation,
            history: Some(looked),
        });
    }
}

impl Planned {
    fn on(&self, step: usize) -> Decimal {
        let place = step.checked_sub(self.after);
        place.and_then(|place| self.uplift.get(place)).copied().unwrap_or_default()
    }

    fn over(&self, days: usize) -> Decimal {
        let inside = self.uplift.iter().take(days.saturating_sub(self.after));
        inside.copied().fold(Decimal::ZERO, Decimal::saturating_add).round_dp(DECIMALS)
    }
}

/// A day of a path that goes on with its last week; 0 for one without any.
fn on(path: &[Decimal], step: usize) -> Decimal {
    let last_week = path.len().saturating_sub(WEEK);
    let beyond = step.saturating_sub(last_week).checked_rem(WEEK.min(path.len()));
    let place = match beyond {
        Some(beyond) if step >= path.len() => last_week.saturating_add(beyond),
        _ => step,
    };
    path.get(place).copied().unwrap_or_default()
}

/// Demand by node; deviations of several channels are pooled. `promotions` that are over, called off
/// or wholly ordered add nothing.
#[must_use]
pub fn demands(
    today: Day,
    forecasts: &BTreeMap<Id, (Looked, Forecast)>,
    channels: &BTreeMap<String, Channel>,
    promotions: &[Promotion],
    ordered: &Ordered,
) -> BTreeMap<Id, Demand> {
    let node = |channel: &Id| channels.get(channel.as_str())?.nodes.first().cloned();
    let mut demands: BTreeMap<Id, Demand> = BTreeMap::new();
    for (channel, (looked, forecast)) in forecasts {
        let Some(node) = node(channel) else { continue };
        demands.entry(node).or_default().add(channel, *looked, forecast);
    }
    for demand in demands.values_mut() {
        let deviations: Vec<Ratio> =
            demand.channels.iter().map(|channel| channel.daily_deviation).collect();
        demand.daily_deviation = pooled(&deviations);
    }
    let mut queue: Vec<&Promotion> = promotions.iter().collect();
    queue.sort_by_key(|promotion| (promotion.from, &promotion.promotion));
    let mut used: BTreeMap<(&Id, Day), Decimal> = BTreeMap::new();
    for promotion in queue {
        let Some(node) = node(&promotion.channel) else { continue };
        let path: Vec<Decimal> = forecasts
            .get(&promotion.channel)
            .map(|(_, forecast)| forecast.days.iter().map(|day| day.0).collect())
            .unwrap_or_default();
        let planned = planned(today, promotion, ordered, |day, units| {
            let step = usize::try_from(day.since(today)).unwrap_or(usize::MAX);
            let used = used.entry((&promotion.channel, day)).or_default();
            let known = on(&path, step).saturating_sub(*used).min(units);
            *used = used.saturating_add(known);
            known
        });
        if let Some(planned) = planned {
            demands.entry(node).or_default().planned.push(planned);
        }
    }
    demands
}

/// What each remaining day of a promotion adds; `known` says how much of a day's units the
/// channel's forecast holds already.
fn planned(
    today: Day,
    promotion: &Promotion,
    ordered: &Ordered,
    mut known: impl FnMut(Day, Decimal) -> Decimal,
) -> Option<Planned> {
    let first = promotion.from.max(today);
    let days = promotion.until.since(first).saturating_add(1);
    let remaining = remaining(ordered, promotion);
    if days <= 0 || remaining == 0 {
        return None;
    }
    let each = Decimal::from(remaining).checked_div(Decimal::from(days))?;
    let uplift = (0..days).map(|step| each.saturating_sub(known(first.plus(step), each)));
    let after = usize::try_from(first.since(today)).ok()?;
    Some(Planned { promotion: promotion.clone(), remaining, after, uplift: uplift.collect() })
}

#[cfg(test)]
pub(crate) mod tests;
