//! Demand history: what was asked for, per item × channel and day.
//!
//! A line's place (item, channel, day) is its identity: loading it again replaces it. Shipments
//! add to their day, so that history continues by itself; a day between two known ones of which
//! nothing is known had no demand. Days are packed a calendar quarter to a record: a series of two
//! years is nine records, and a shipment rewrites one small one.

use std::collections::BTreeMap;

use chrono::Datelike;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tradewind_kernel::event::NewEvent;
use tradewind_kernel::events::planning::HistoryLoaded;
use tradewind_kernel::{Day, Decision, Id, Quantity};
use utoipa::ToSchema;

use crate::HISTORY_DAYS;
use crate::forecast::Observation;
use crate::keys;
use crate::promotion::Promotion;

/// The most that a line may say, so that the demand of years stays within the limit of quantities.
/// It is checked by hand: a schema's bounds have 32 bits in a component.
pub const MAX_LINE_QUANTITY: Quantity = 1_000_000_000_000;

/// A line of `POST /planning/v1/history`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "sku": "SHIRT-M", "channel": "web", "day": "2026-11-02", "quantity": 14 }))]
pub struct HistoryLine {
    /// The item.
    pub sku: Id,
    /// The channel.
    pub channel: Id,
    /// The day of the demand.
    pub day: Day,
    /// Base units asked for, at most 10^12 on one day.
    #[schema(value_type = i64, minimum = 0)]
    pub quantity: Quantity,
    /// Whether goods were there all day; a day without is not read as no demand.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub in_stock: bool,
    /// Whether the day was promoted; such a day stays out of the baseline.
    #[serde(default)]
    pub promotion: bool,
}

fn yes() -> bool {
    true
}

/// What a load did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Loaded {
    /// Lines taken.
    #[schema(value_type = i64)]
    pub lines: Quantity,
    /// Series (item × channel) that they belong to.
    #[schema(value_type = i64)]
    pub series: Quantity,
}

/// From when to when anything of a series is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Series {
    pub first: Day,
    pub last: Day,
}

/// A calendar quarter of a series; days are counted from its first, 0.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Quarter {
    /// Base units by day; null: nothing known.
    pub units: Vec<Option<Quantity>>,
    /// Days without stock.
    pub out_of_stock: Vec<usize>,
    /// Promoted days.
    pub promoted: Vec<usize>,
}

impl Quarter {
    fn known(&mut self, place: usize) -> &mut Option<Quantity> {
        if self.units.len() <= place {
            self.units.resize(place.saturating_add(1), None);
        }
        &mut self.units[place]
    }

    fn replace(&mut self, place: usize, line: &HistoryLine) {
        *self.known(place) = Some(line.quantity);
        mark(&mut self.out_of_stock, place, !line.in_stock);
        mark(&mut self.promoted, place, line.promotion);
    }

    fn add(&mut self, place: usize, quantity: Quantity) {
        let units = self.known(place);
        *units = Some(units.unwrap_or(0).saturating_add(quantity));
    }
}

fn mark(places: &mut Vec<usize>, place: usize, marked: bool) {
    places.retain(|known| *known != place);
    if marked {
        places.push(place);
        places.sort_unstable();
    }
}

/// The first day of the calendar quarter that `day` is in.
#[must_use]
pub fn quarter_of(day: Day) -> Day {
    let date = day.date();
    let month = date.month0().checked_div(3).unwrap_or(0).saturating_mul(3).saturating_add(1);
    Day::new(date.year(), month, 1).unwrap_or(day)
}

/// The first days of the quarters of a span of days.
#[must_use]
pub fn quarters_of(first: Day, last: Day) -> Vec<Day> {
    let mut quarters = Vec::new();
    let mut quarter = quarter_of(first);
    while quarter <= last {
        quarters.push(quarter);
        quarter = quarter_of(quarter.plus(95));
    }
    quarters
}

/// The part of a series that forecasts look at: its last [`HISTORY_DAYS`], never beyond
/// `yesterday`, since today is not over.
#[must_use]
pub fn looked_at(series: Series, yesterday: Day) -> Option<Series> {
    let last = series.last.min(yesterday);
    let first = series.first.max(last.plus(1i64.saturating_sub(HISTORY_DAYS)));
    (first <= last).then_some(Series { first, last })
}

fn place_of(day: Day) -> usize {
    usize::try_from(day.since(quarter_of(day))).unwrap_or(0)
}

/// Item, channel and first day of a quarter.
pub type Place = (Id, Id, Day);

/// Quarters and series that are about to change.
#[derive(Debug, Clone, Default)]
pub struct Books {
    /// Quarters as they were read; what is missing here has nothing yet.
    pub quarters: BTreeMap<Place, Quarter>,
    /// Series as they were read.
    pub series: BTreeMap<(Id, Id), Series>,
    changed: BTreeMap<Place, Quarter>,
}

impl Books {
    fn quarter(&mut self, sku: &Id, channel: &Id, day: Day) -> &mut Quarter {
        let place = (sku.clone(), channel.clone(), quarter_of(day));
        let series = self.series.entry((sku.clone(), channel.clone()));
        let series = series.or_insert(Series { first: day, last: day });
        series.first = series.first.min(day);
        series.last = series.last.max(day);
        let known = self.quarters.get(&place).cloned().unwrap_or_default();
        self.changed.entry(place).or_insert(known)
    }

    /// Puts a loaded line in the place of what was known of it.
    pub fn replace(&mut self, line: &HistoryLine) {
        let place = place_of(line.day);
        self.quarter(&line.sku, &line.channel, line.day).replace(place, line);
    }

    /// Adds shipped units to their day.
    pub fn add(&mut self, sku: &Id, channel: &Id, day: Day, quantity: Quantity) {
        let place = place_of(day);
        self.quarter(sku, channel, day).add(place, quantity);
    }

    /// What is to be written.
    #[must_use]
    pub fn decision(&self) -> Decision {
        let mut decision = Decision::default();
        for ((sku, channel, quarter), record) in &self.changed {
            decision.put(keys::quarter(sku, channel, *quarter), record);
        }
        let touched = |(sku, channel): &(Id, Id)| {
            self.changed.keys().any(|place| place.0 == *sku && place.1 == *channel)
        };
        for (name, series) in self.series.iter().filter(|(name, _)| touched(name)) {
            decision.put_member(keys::series(&name.0), name.1.as_str(), series);
            decision.index(keys::ITEMS, name.0.as_str(), 0);
        }
        decision
    }
}

/// Loads lines; of two with one identity the later one counts.
#[must_use]
pub fn load(mut books: Books, lines: &[HistoryLine]) -> Decision {
    for line in lines {
        books.replace(line);
    }
    let mut decision = books.decision();
    let series: std::collections::BTreeSet<(&Id, &Id)> =
        lines.iter().map(|line| (&line.sku, &line.channel)).collect();
    let count = |count: usize| Quantity::try_from(count).unwrap_or(Quantity::MAX);
    let loaded = Loaded { lines: count(lines.len()), series: count(series.len()) };
    let told = HistoryLoaded { lines: loaded.lines, series: loaded.series };
    decision.event(NewEvent::of("history", &told));
    decision.reply(200, json!(loaded))
}

/// A series day by day; promoted days are also those of a promotion of the item and channel.
#[must_use]
pub fn observations(
    series: Series,
    channel: &Id,
    quarters: &BTreeMap<Day, Quarter>,
    promotions: &[Promotion],
) -> Vec<Observation> {
    let days = series.last.since(series.first).saturating_add(1);
    let empty = Quarter::default();
    (0..days)
        .map(|step| {
            let day = series.first.plus(step);
            let quarter = quarters.get(&quarter_of(day)).unwrap_or(&empty);
            let place = place_of(day);
            let units = quarter.units.get(place).copied().flatten().unwrap_or(0);
            let planned = promotions.iter().any(|promotion| {
                promotion.channel == *channel && (promotion.from..=promotion.until).contains(&day)
            });
            let promoted = planned || quarter.promoted.contains(&place);
            let counts = !promoted && !quarter.out_of_stock.contains(&place);
            #[allow(clippy::cast_precision_loss, reason = "quantities are exact up to 2^53")]
            let units = units as f64;
            Observation { units, counts }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(day: &str, quantity: Quantity) -> HistoryLine {
        HistoryLine {
            sku: "X".parse().unwrap(),
            channel: "web".parse().unwrap(),
            day: day.parse().unwrap(),
            quantity,
            in_stock: true,
            promotion: false,
        }
    }

    fn series(books: &Books) -> Series {
        books.series[&("X".parse().unwrap(), "web".parse().unwrap())]
    }

    #[test]
    fn quarters_are_those_of_the_calendar() {
        for (day, quarter) in [
            ("2026-01-01", "2026-01-01"),
            ("2026-03-31", "2026-01-01"),
            ("2026-12-31", "2026-10-01"),
        ] {
            assert_eq!(quarter_of(day.parse().unwrap()).to_string(), quarter);
        }
        let span = quarters_of("2025-11-30".parse().unwrap(), "2026-07-01".parse().unwrap());
        let names: Vec<String> = span.iter().map(Day::to_string).collect();
        assert_eq!(names, ["2025-10-01", "2026-01-01", "2026-04-01", "2026-07-01"]);
    }

    #[test]
    fn loading_replaces_and_shipping_adds() {
        let mut books = Books::default();
        books.replace(&line("2026-10-01", 5));
        books.replace(&line("2026-10-01", 7));
        let (sku, channel) = ("X".parse().unwrap(), "web".parse().unwrap());
        books.add(&sku, &channel, "2026-10-01".parse().unwrap(), 2);
        books.add(&sku, &channel, "2026-10-04".parse().unwrap(), 3);
        let quarter = books.changed.values().next().unwrap();
        assert_eq!(quarter.units, [Some(9), None, None, Some(3)]);
        assert_eq!(series(&books).last.to_string(), "2026-10-04");
    }

    #[test]
    fn days_without_stock_and_promoted_days_do_not_count() {
        let mut books = Books::default();
        books.replace(&HistoryLine { in_stock: false, ..line("2026-09-30", 0) });
        books.replace(&HistoryLine { promotion: true, ..line("2026-10-01", 90) });
        books.replace(&line("2026-10-03", 4));
        books.replace(&line("2026-10-04", 70));
        let promotion = Promotion {
            promotion: "P".parse().unwrap(),
            name: "P".to_owned(),
            sku: "X".parse().unwrap(),
            channel: "web".parse().unwrap(),
            from: "2026-10-04".parse().unwrap(),
            until: "2026-10-09".parse().unwrap(),
            expected_units: 1,
        };
        let quarters = books.changed.iter().map(|(place, quarter)| (place.2, quarter.clone()));
        let channel = "web".parse().unwrap();
        let days = observations(series(&books), &channel, &quarters.collect(), &[promotion]);
        let seen: Vec<(f64, bool)> = days.iter().map(|day| (day.units, day.counts)).collect();
        assert_eq!(seen, [(0., false), (90., false), (0., true), (4., true), (70., false)]);
    }

    #[test]
    fn today_is_not_over() {
        let series =
            Series { first: "2020-01-01".parse().unwrap(), last: "2026-12-01".parse().unwrap() };
        let part = looked_at(series, "2026-11-30".parse().unwrap()).unwrap();
        assert_eq!(part.last.to_string(), "2026-11-30");
        assert_eq!(part.last.since(part.first), HISTORY_DAYS - 1);
        assert_eq!(looked_at(series, "2019-12-31".parse().unwrap()), None);
    }
}
