//! Demand history: what was asked for, per item × channel and day.
//!
//! A line's place (item, channel, day) is its identity: loading it again replaces it. Shipments
//! add to their day, so that history continues by itself. A day up to yesterday of which nothing is
//! known had no demand, so that an item that sells no more comes to need none; only when the newest
//! known day was out of stock, the days after it are taken to be so too. Days are packed a calendar
//! quarter to a record: a series of two years is nine records, and a shipment rewrites one small one.

use std::collections::{BTreeMap, BTreeSet};

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
    /// Base units asked for. At most 10^12 on one day, so that the demand of years stays within the
    /// limit of quantities.
    #[schema(value_type = i64, minimum = 0, maximum = 1e12)]
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

/// The days of a series that a forecast looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Looked {
    /// The first day that was looked at.
    pub history_from: Day,
    /// The last day that was looked at: yesterday, since today is not over.
    pub history_until: Day,
    /// The newest day of which anything is known (today, when something was shipped already). The
    /// days after it count as days without demand, or, when it was out of stock, not at all.
    pub last_known: Day,
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

/// The part of a series that forecasts look at: the last [`HISTORY_DAYS`] up to `yesterday`. None
/// when nothing is known of a day that is over.
#[must_use]
pub fn looked_at(series: Series, yesterday: Day) -> Option<Looked> {
    let oldest = yesterday.plus(1i64.saturating_sub(HISTORY_DAYS));
    let history_from = series.first.max(oldest);
    let looked = Looked { history_from, history_until: yesterday, last_known: series.last };
    (history_from <= yesterday).then_some(looked)
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

impl Loaded {
    /// What these lines are.
    #[must_use]
    pub fn of(lines: &[&HistoryLine]) -> Self {
        let series: BTreeSet<(&Id, &Id)> =
            lines.iter().map(|line| (&line.sku, &line.channel)).collect();
        let count = |count: usize| Quantity::try_from(count).unwrap_or(Quantity::MAX);
        Self { lines: count(lines.len()), series: count(series.len()) }
    }
}

/// Loads a block of lines; of two with one identity the later one counts. The event tells of the
/// block, the reply of the `whole` load.
#[must_use]
pub fn load(mut books: Books, block: &[&HistoryLine], whole: &Loaded) -> Decision {
    for line in block {
        books.replace(line);
    }
    let mut decision = books.decision();
    let Loaded { lines, series } = Loaded::of(block);
    decision.event(NewEvent::of("history", &HistoryLoaded { lines, series }));
    decision.reply(200, json!(whole))
}

/// A series day by day; promoted days are also those of a promotion of the item and channel that
/// expects to sell anything.
#[must_use]
pub fn observations(
    looked: Looked,
    channel: &Id,
    quarters: &BTreeMap<Day, Quarter>,
    promotions: &[Promotion],
) -> Vec<Observation> {
    let days = looked.history_until.since(looked.history_from).saturating_add(1);
    let empty = Quarter::default();
    let planned: Vec<&Promotion> = promotions
        .iter()
        .filter(|promotion| promotion.channel == *channel && promotion.expected_units > 0)
        .collect();
    let is_out = |day: Day| {
        let quarter = quarters.get(&quarter_of(day));
        quarter.is_some_and(|quarter| quarter.out_of_stock.contains(&place_of(day)))
    };
    let still_out = is_out(looked.last_known);
    (0..days)
        .map(|step| {
            let day = looked.history_from.plus(step);
            let quarter = quarters.get(&quarter_of(day)).unwrap_or(&empty);
            let place = place_of(day);
            let out_of_stock = is_out(day) || (still_out && day > looked.last_known);
            let promoted = quarter.promoted.contains(&place)
                || planned.iter().any(|one| (one.from..=one.until).contains(&day));
            #[allow(clippy::cast_precision_loss, reason = "quantities are exact up to 2^53")]
            let units = quarter.units.get(place).copied().flatten().unwrap_or(0) as f64;
            Observation { units, counts: !promoted && !out_of_stock }
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

    fn promotion(expected_units: Quantity) -> Promotion {
        Promotion {
            promotion: "P".parse().unwrap(),
            name: "P".to_owned(),
            sku: "X".parse().unwrap(),
            channel: "web".parse().unwrap(),
            from: "2026-10-04".parse().unwrap(),
            until: "2026-10-09".parse().unwrap(),
            expected_units,
        }
    }

    /// What is seen of books up to a day: units, and whether the day counts.
    fn seen(books: &Books, yesterday: &str, promotions: &[Promotion]) -> Vec<(f64, bool)> {
        let quarters = books.changed.iter().map(|(place, quarter)| (place.2, quarter.clone()));
        let channel = "web".parse().unwrap();
        let looked = looked_at(series(books), yesterday.parse().unwrap()).unwrap();
        let days = observations(looked, &channel, &quarters.collect(), promotions);
        days.iter().map(|day| (day.units, day.counts)).collect()
    }

    #[test]
    fn days_without_stock_and_promoted_days_do_not_count() {
        let mut books = Books::default();
        books.replace(&HistoryLine { in_stock: false, ..line("2026-09-30", 0) });
        books.replace(&HistoryLine { promotion: true, ..line("2026-10-01", 90) });
        books.replace(&line("2026-10-03", 4));
        books.replace(&line("2026-10-04", 70));
        let days = |units| seen(&books, "2026-10-04", &[promotion(units)]);
        let expected = [(0., false), (90., false), (0., true), (4., true), (70., false)];
        assert_eq!(days(1), expected);
        // One that was called off promotes nothing.
        assert_eq!(days(0)[4], (70., true));
    }

    #[test]
    fn an_unknown_day_had_no_demand_unless_the_shelf_was_last_known_empty() {
        let mut books = Books::default();
        books.replace(&line("2026-10-01", 5));
        assert_eq!(seen(&books, "2026-10-03", &[]), [(5., true), (0., true), (0., true)]);
        books.replace(&HistoryLine { in_stock: false, ..line("2026-10-02", 1) });
        assert_eq!(seen(&books, "2026-10-03", &[]), [(5., true), (1., false), (0., false)]);
        books.replace(&line("2026-10-04", 7));
        let back = [(5., true), (1., false), (0., true), (7., true), (0., true)];
        assert_eq!(seen(&books, "2026-10-05", &[]), back);
    }

    #[test]
    fn forecasts_look_up_to_yesterday() {
        for (first, last, yesterday, from) in [
            ("2026-11-01", "2026-12-01", "2026-11-30", Some("2026-11-01")),
            // It sold last long ago: the days since are looked at too.
            ("2025-01-01", "2025-03-31", "2026-11-30", Some("2025-01-01")),
            ("2020-01-01", "2020-03-31", "2026-11-30", Some("2023-12-01")),
            ("2026-12-01", "2026-12-01", "2026-11-30", None),
        ] {
            let day = |text: &str| text.parse::<Day>().unwrap();
            let found = looked_at(Series { first: day(first), last: day(last) }, day(yesterday));
            assert_eq!(found.map(|found| found.history_from), from.map(day), "{first}");
            assert!(found.is_none_or(|found| {
                found.history_until == day(yesterday)
                    && found.last_known == day(last)
                    && found.history_until.since(found.history_from) < HISTORY_DAYS
            }));
        }
    }
}
