//! Replenishment: does an item at a node need supply, how much, from whom, and when?
//!
//! Per item × node: level = demand over L+R + safety stock, reorder point = demand over L + safety
//! stock, demand being the forecast of those very days and what planned promotions add; need = level − (free + on order − open demand), only if at or below the reorder
//! point. Minimum and multiple of the offer are applied once to the whole need, so several needs
//! never each meet them again. The offer is the cheapest of those that arrive before the stock
//! runs out, else the first to arrive; cheapest by the unit price of the line's final quantity. An
//! offer of a conditional supplier is taken only when no approved one can be. L counts the days
//! until the goods can be used.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use tradewind_kernel::asks::inventory::Position;
use tradewind_kernel::asks::suppliers::Offer;
use tradewind_kernel::quantity::LIMIT;
use tradewind_kernel::{Day, Id, Quantity, Ratio};
use utoipa::ToSchema;

use crate::demand::{ChannelDemand, Demand, PromotionDemand};
use crate::facts::Node;
use crate::options::price_for;
use crate::policy::Policy;
use crate::safety_stock::{Uncertainty, safety_stock};

/// How far ahead a stock-out is looked for: longer than any lead time.
pub const LOOK_AHEAD_DAYS: u32 = 730;

/// An offer that may be ordered from.
#[derive(Debug, Clone)]
pub struct Source<'a> {
    /// The offer.
    pub offer: &'a Offer,
    /// The rate of its currency to the base currency.
    pub rate: Decimal,
    /// What may still be spent with its supplier, in the base currency; none: no limit.
    pub room: Option<Decimal>,
}

/// All that a proposal rests on.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Situation<'a> {
    pub today: Day,
    pub position: &'a Position,
    pub demand: &'a Demand,
    pub policy: &'a Policy,
    pub node: &'a Node,
    pub sources: &'a [Source<'a>],
}

/// Every figure behind a proposal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Explanation {
    /// Base units a day.
    pub daily_demand: Ratio,
    pub daily_deviation: Ratio,
    pub channels: Vec<ChannelDemand>,
    /// Days from today until an order of today can be used.
    pub lead_time_days: u32,
    /// Deviation of the supplier's measured lead time, in days; 0 without data.
    pub lead_time_deviation: Ratio,
    pub review_days: u32,
    pub service_level: Ratio,
    /// Deviation of the demand and of the lead time, times how sure it must be.
    pub safety_stock: Ratio,
    /// What the forecasts say of lead time and review period, day by day.
    #[serde(default)]
    pub forecast: Ratio,
    /// What planned promotions add over lead time and review period.
    #[serde(default)]
    pub uplift: Ratio,
    /// The promotions behind it.
    #[serde(default)]
    pub promotions: Vec<PromotionDemand>,
    /// Demand over the lead time plus safety stock: at or below it, supply is needed.
    pub reorder_point: Ratio,
    /// `forecast + uplift + safety stock`, of lead time and review period: what supply is raised to.
    pub level: Ratio,
    /// Sellable less claims.
    #[schema(value_type = i64)]
    pub free: Quantity,
    #[schema(value_type = i64)]
    pub on_order: Quantity,
    #[schema(value_type = i64)]
    pub open_demand: Quantity,
    /// `free + on order − open demand`.
    #[schema(value_type = i64)]
    pub projected: Quantity,
    /// `level − projected`, rounded up to a whole unit.
    #[schema(value_type = i64)]
    pub need: Quantity,
    #[schema(value_type = i64)]
    pub minimum: Quantity,
    #[schema(value_type = i64)]
    pub multiple: Quantity,
    #[schema(value_type = Option<i64>)]
    pub maximum: Option<Quantity>,
    /// The rule that made the quantity of the need.
    #[schema(format = "free-text")]
    pub rounding: String,
    /// Unit price of this quantity in the base currency: that of the price break it reaches.
    pub unit_cost: Ratio,
    /// The first day without stock if nothing is ordered.
    pub stock_out_day: Option<Day>,
    /// Why this supplier.
    #[schema(format = "free-text")]
    pub choice: String,
}

/// What should be bought.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Need {
    pub supplier: Id,
    pub quantity: Quantity,
    pub order_day: Day,
    /// The first day on which stock would fall below safety stock.
    pub need_day: Day,
    pub explanation: Explanation,
}

/// What a deficit asks for: `level − projected`, at least `fixed`, at most the limit of
/// quantities, and only at or below the reorder point (C25).
#[must_use]
pub fn reorder(
    projected: Decimal,
    reorder_point: Decimal,
    level: Decimal,
    fixed: Quantity,
) -> Quantity {
    if projected > reorder_point {
        return 0;
    }
    let deficit = level.saturating_sub(projected).ceil();
    Quantity::try_from(deficit).unwrap_or(LIMIT).max(fixed).clamp(0, LIMIT)
}

/// The quantity of one order line: at least `minimum`, rounded up to a multiple, at most the
/// largest multiple within `maximum`; 0 when no quantity is lawful (C29).
#[must_use]
pub fn lot(
    need: Quantity,
    minimum: Quantity,
    multiple: Quantity,
    maximum: Option<Quantity>,
) -> Quantity {
    let step = multiple.max(1);
    let down = |quantity: Quantity| quantity.saturating_sub(quantity.rem_euclid(step));
    let wanted = need.max(minimum);
    let up = down(wanted.saturating_add(step).saturating_sub(1));
    let quantity = maximum.map_or(up, |maximum| up.min(down(maximum)));
    if quantity < minimum { 0 } else { quantity }
}

/// What a source would bring: the line's final quantity, and its price at that quantity.
struct Candidate<'a> {
    offer: &'a Offer,
    usable: Day,
    figures: Explanation,
    quantity: Quantity,
    unit_cost: Decimal,
    /// What may still be spent with the supplier, when this is more.
    room_exceeded: Option<Decimal>,
}

/// What an item at a node needs, if anything. `None` too without a source.
#[must_use]
pub fn plan(given: &Situation<'_>) -> Option<Need> {
    let out = first_below(given, Decimal::ONE);
    let (chosen, choice) = choose(candidates(given, out), out)?;
    let Candidate { offer, figures, quantity, unit_cost, .. } = chosen;
    let need = figures.need;
    if need == 0 || quantity == 0 {
        return None;
    }
    let need_day = first_below(given, figures.safety_stock.0).unwrap_or(given.today);
    let latest = given.node.calendar.subtract_open_days(need_day, given.node.receiving_days);
    let order_day = offer.calendar.subtract_open_days(latest, offer.lead_time_days);
    let explanation = Explanation {
        rounding: rounding(need, quantity, offer),
        unit_cost: Ratio(unit_cost.normalize()),
        choice,
        ..figures
    };
    assert!(quantity > 0, "a proposal buys something");
    let supplier = offer.supplier.clone();
    let order_day = order_day.max(given.today);
    Some(Need { supplier, quantity, order_day, need_day, explanation })
}

/// The sources that may be chosen: those beyond the limit of their supplier only when all are.
fn candidates<'a>(given: &Situation<'a>, out: Option<Day>) -> Vec<Candidate<'a>> {
    let projected = Decimal::from(projected(given.position));
    let candidate = |source: &Source<'a>| {
        let offer = source.offer;
        let usable = usable_day(given, offer);
        let mut figures = figures(given, offer, usable, out);
        figures.need = reorder(projected, figures.reorder_point.0, figures.level.0, 0);
        let maximum = offer.maximum.map_or(LIMIT, |maximum| maximum.min(LIMIT));
        let quantity = lot(figures.need, offer.minimum, offer.multiple, Some(maximum));
        let unit_cost = price_for(offer, quantity).value().saturating_mul(source.rate);
        let cost = unit_cost.saturating_mul(Decimal::from(quantity));
        let room_exceeded = source.room.filter(|room| cost > *room);
        Candidate { offer, usable, figures, quantity, unit_cost, room_exceeded }
    };
    let mut candidates: Vec<Candidate<'_>> = given.sources.iter().map(candidate).collect();
    if candidates.iter().any(|one| one.room_exceeded.is_none()) {
        candidates.retain(|one| one.room_exceeded.is_none());
    }
    candidates
}

/// The cheapest source that arrives before the stock runs out, else the first to arrive.
fn choose(candidates: Vec<Candidate<'_>>, out: Option<Day>) -> Option<(Candidate<'_>, String)> {
    let (in_time, late): (Vec<_>, Vec<_>) =
        candidates.into_iter().partition(|one| out.is_none_or(|out| one.usable <= out));
    let cheapest = in_time
        .into_iter()
        .min_by_key(|one| (one.unit_cost, one.usable, one.offer.supplier.clone()));
    let first = || {
        late.into_iter().min_by_key(|one| (one.usable, one.unit_cost, one.offer.supplier.clone()))
    };
    let (chosen, mut words) = match (cheapest, out) {
        (Some(chosen), Some(out)) => {
            let words = format!("the cheapest of those that arrive before stock runs out on {out}");
            (chosen, words)
        }
        (Some(chosen), None) => (chosen, "the cheapest".to_owned()),
        (None, _) => {
            let chosen = first()?;
            let day = chosen.usable;
            (chosen, format!("the first to arrive, on {day}: stock runs out before anyone can"))
        }
    };
    if let Some(room) = chosen.room_exceeded {
        let (name, room) = (&chosen.offer.supplier, room.max(Decimal::ZERO).normalize());
        words = format!(
            "{words}; {name} is conditionally approved and only {room} of its spend limit is \
             free (in the base currency), but no other supplier can be chosen"
        );
    }
    Some((chosen, words))
}

/// The day on which an order of today could be used.
fn usable_day(given: &Situation<'_>, offer: &Offer) -> Day {
    let arrival = offer.calendar.add_open_days(given.today, offer.lead_time_days);
    given.node.calendar.usable_day(arrival, given.node.receiving_days)
}

fn figures(
    given: &Situation<'_>,
    offer: &Offer,
    usable: Day,
    stock_out_day: Option<Day>,
) -> Explanation {
    let lead_time_days = u32::try_from(usable.since(given.today)).unwrap_or(0);
    let review_days = given.policy.review_days;
    let days = lead_time_days.saturating_add(review_days);
    let lead_time_deviation = offer.lead_time_deviation.unwrap_or_default();
    let stock = safety_stock(&Uncertainty {
        service_level: given.policy.service_level,
        days,
        daily_mean: given.demand.daily_mean,
        daily_deviation: given.demand.daily_deviation,
        lead_time_deviation,
    });
    let [lead, whole] = [lead_time_days, days].map(|days| usize::try_from(days).unwrap_or(0));
    let over = |days: usize| {
        let demand =
            given.demand.forecast_over(days).saturating_add(given.demand.uplift_over(days));
        Ratio(demand.saturating_add(stock.0).normalize())
    };
    Explanation {
        daily_demand: given.demand.daily_mean,
        daily_deviation: given.demand.daily_deviation,
        channels: given.demand.channels.clone(),
        lead_time_days,
        lead_time_deviation,
        review_days,
        service_level: given.policy.service_level,
        safety_stock: stock,
        forecast: Ratio(given.demand.forecast_over(whole).normalize()),
        uplift: Ratio(given.demand.uplift_over(whole).normalize()),
        promotions: given.demand.promotions_within(whole),
        reorder_point: over(lead),
        level: over(whole),
        free: given.position.free,
        on_order: on_order(given.position),
        open_demand: given.position.open_demand,
        projected: projected(given.position),
        need: 0,
        minimum: offer.minimum,
        multiple: offer.multiple,
        maximum: offer.maximum,
        rounding: String::new(),
        unit_cost: Ratio::default(),
        stock_out_day,
        choice: String::new(),
    }
}

fn on_order(position: &Position) -> Quantity {
    position.on_order.iter().map(|part| part.quantity).fold(0, Quantity::saturating_add)
}

fn projected(position: &Position) -> Quantity {
    position.free.saturating_add(on_order(position)).saturating_sub(position.open_demand)
}

/// The first day on which stock (free, what has arrived by then, less open demand and what is
/// expected of the days before) is below a floor; none within the look-ahead.
fn first_below(given: &Situation<'_>, floor: Decimal) -> Option<Day> {
    let position = given.position;
    let held = position.free.saturating_sub(position.open_demand);
    let mut used = Decimal::ZERO;
    (0..=LOOK_AHEAD_DAYS).find_map(|step| {
        let day = given.today.plus(i64::from(step));
        let arrived = position.on_order.iter().filter(|part| part.usable <= day);
        let arrived = arrived.map(|part| part.quantity).fold(0, Quantity::saturating_add);
        let stock = Decimal::from(held.saturating_add(arrived)).saturating_sub(used);
        used = used.saturating_add(given.demand.on(usize::try_from(step).unwrap_or(0)));
        (stock < floor).then_some(day)
    })
}

fn rounding(need: Quantity, quantity: Quantity, offer: &Offer) -> String {
    if need >= LIMIT {
        return format!("cut to {quantity}: a quantity is at most {LIMIT}");
    }
    if quantity < need {
        return format!("cut to the maximum of {}", offer.maximum.unwrap_or(quantity));
    }
    let mut rules = Vec::new();
    if need < offer.minimum {
        rules.push(format!("raised to the minimum of {}", offer.minimum));
    }
    if quantity > need.max(offer.minimum) {
        rules.push(format!("rounded up to a multiple of {}", offer.multiple));
    }
    if rules.is_empty() { "as needed".to_owned() } else { rules.join(", ") }
}

#[cfg(test)]
mod tests;
