//! Two years of daily demand, as the JSON lines that planning takes.
//!
//! What a channel sold on a day is the shape's day, brought to the item's level; what remains of a
//! unit is one or none by chance, so that two items with one shape are two series. Days without a
//! sale are left out but for the first and the last of a series.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use tradewind_kernel::Day;

use super::catalogue::Item;
use super::random::Random;
use super::shapes::Season;

/// How far back the history goes.
pub const HISTORY_DAYS: i64 = 730;

/// Lines of one bulk request, about: small enough that several connections share the work evenly.
const LINES_A_REQUEST: usize = 8_000;

/// Items of one bulk request at most: each touches nine quarters of up to four series, and planning
/// writes up to 600 of them in one commit.
const ITEMS_A_REQUEST: usize = 14;

/// Of a hundred items, so many were once out of stock.
const STOCK_OUT_PERCENT: i64 = 14;

/// The history before `base`, as bodies of bulk requests.
#[must_use]
pub fn history(seed: u64, base: Day, items: &[Item]) -> Vec<String> {
    let mut random = Random::of(seed, "history");
    let calendar = Calendar::of(base, items);
    let mut bodies: Vec<String> = Vec::new();
    let (mut lines, mut count) = (String::new(), 0);
    for item in items {
        write_item(&mut lines, &mut random, &calendar, item);
        count += 1;
        if count == ITEMS_A_REQUEST || lines.lines().count() > LINES_A_REQUEST {
            bodies.push(std::mem::take(&mut lines));
            count = 0;
        }
    }
    bodies.extend((!lines.is_empty()).then_some(lines));
    bodies
}

/// The days of the history, and where they lie in the calendars that shapes have.
struct Calendar {
    /// How many days ago, and the day.
    days: Vec<(i64, String)>,
    seasons: BTreeMap<String, Vec<Season>>,
}

impl Calendar {
    fn of(base: Day, items: &[Item]) -> Self {
        let days: Vec<i64> = (1..=HISTORY_DAYS).rev().collect();
        let shapes = items.iter().flat_map(|item| &item.shapes);
        let starts: BTreeSet<&str> = shapes.map(|(_, shape)| shape.start.as_str()).collect();
        let seasons = |start: &str| {
            days.iter().map(|ago| Season::of(base.plus(-ago), start)).collect::<Vec<_>>()
        };
        Self {
            seasons: starts.iter().map(|start| ((*start).to_owned(), seasons(start))).collect(),
            days: days.iter().map(|ago| (*ago, base.plus(-ago).to_string())).collect(),
        }
    }
}

fn write_item(lines: &mut String, random: &mut Random, calendar: &Calendar, item: &Item) {
    let gone = stock_out(random);
    for (channel, shape) in &item.shapes {
        let level = item.channel_level(channel);
        let mean = shape.daily_mean_in_thousandths().max(1);
        let seasons = calendar.seasons.get(&shape.start).into_iter().flatten();
        for ((ago, day), season) in calendar.days.iter().zip(seasons) {
            let ago = *ago;
            let (units, promotion) = shape.on(*season);
            let thousandths = units * 1000 * level / mean;
            let fraction = i64::from(random.between(0, 999) < thousandths % 1000);
            let in_stock = !gone.contains(&ago);
            let quantity = if in_stock { thousandths / 1000 + fraction } else { 0 };
            if quantity > 0 || !in_stock || ago == HISTORY_DAYS || ago == 1 {
                let (sku, channel) = (&item.sku, channel.id);
                // Writing to a text cannot fail.
                let _written = write!(
                    lines,
                    r#"{{"sku":"{sku}","channel":"{channel}","day":"{day}","quantity":{quantity}"#
                );
                lines.push_str(if in_stock { "" } else { r#","in_stock":false"# });
                lines.push_str(if promotion { r#","promotion":true"# } else { "" });
                lines.push_str("}\n");
            }
        }
    }
}

/// Days ago of a stock-out of one to three weeks, mostly none.
fn stock_out(random: &mut Random) -> std::ops::Range<i64> {
    if !random.chance(STOCK_OUT_PERCENT) {
        return 0..0;
    }
    let end = random.between(20, HISTORY_DAYS - 40);
    end..end + random.between(6, 20)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::demo::catalogue;

    #[test]
    fn two_years_of_every_item_at_its_level() {
        let items = catalogue::items(3).unwrap();
        let base: Day = "2026-11-23".parse().unwrap();
        let bodies = history(3, base, &items);
        assert!(bodies.iter().all(|body| body.lines().count() <= 20_000));
        let mut places = BTreeSet::new();
        let (mut units, mut without, mut promoted) = (0, 0, 0);
        for line in bodies.iter().flat_map(|body| body.lines()) {
            let line: Value = serde_json::from_str(line).unwrap();
            let day: Day = line["day"].as_str().unwrap().parse().unwrap();
            assert!((1..=HISTORY_DAYS).contains(&base.since(day)));
            assert!(places.insert(format!("{} {} {day}", line["sku"], line["channel"])));
            units += line["quantity"].as_i64().unwrap();
            without += i64::from(line["in_stock"] == false);
            promoted += i64::from(line["promotion"] == true);
        }
        let level: i64 = items.iter().map(|item| item.level).sum();
        let expected = level * HISTORY_DAYS / 1000;
        assert!((expected * 85 / 100..expected * 115 / 100).contains(&units), "{units}");
        assert!((60_000..260_000).contains(&places.len()), "{} lines", places.len());
        assert!(without > 500 && promoted > 500, "{without} without stock, {promoted} promoted");
        assert_eq!(bodies, history(3, base, &items));
    }
}
