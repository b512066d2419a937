//! How the checked-in shapes were made: a seeded choice from two public data sets.
//!
//! Run once with `cargo xtask demo shapes --from DIR`; the same folder gives the same file. What
//! is kept of a series is its rhythm: large single purchases are clipped, and units are divided
//! until an ordinary selling day is a small number. Names, prices and customers are left out.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use tradewind_kernel::Day;

use super::random::Random;
use super::shapes::{HEADER, Shape, line_of};
use crate::command::ask;

/// The seed of the choice; another one would only choose other series of the same classes.
const SEED: u64 = 20_261_123;

/// The least units that a chosen series sold: below it, there is hardly a rhythm.
const LEAST_UNITS: i64 = 60;

/// What an ordinary selling day of a shape is at most.
const ORDINARY_DAY: i64 = 8;

/// A single day counts at most so many ordinary ones; beyond it is one buyer's whim.
const CLIP: i64 = 12;

/// A data set: its files, its whole weeks, and how many series of which class are chosen.
struct Source {
    name: &'static str,
    files: &'static str,
    first: &'static str,
    weeks: i64,
    class_columns: &'static [usize],
    quotas: &'static [(&'static str, usize)],
}

/// Two years of a gift wholesaler, and a year of groceries with promotions (`data/README.md`).
const SOURCES: [Source; 2] = [
    Source {
        name: "gifts",
        files: "dev_orii",
        first: "2009-12-07",
        weeks: 104,
        class_columns: &[2, 3],
        quotas: &[
            ("seasonal-lumpy", 12),
            ("regular-lumpy", 16),
            ("regular-intermittent", 10),
            ("regular-erratic", 3),
            ("new-lumpy", 4),
            ("new-erratic", 2),
        ],
    },
    Source {
        name: "grocery",
        files: "dev_cj",
        first: "2017-01-02",
        weeks: 52,
        class_columns: &[2],
        quotas: &[("smooth", 5), ("erratic", 6), ("lumpy", 6), ("intermittent", 3)],
    },
];

/// A series of a source: units and promotion by day.
type Series = BTreeMap<String, (i64, bool)>;

/// The whole file of shapes, from a folder with both data sets.
///
/// # Errors
/// A file is missing, not readable by `gzip`, or has other columns.
pub fn file_of(folder: &Path) -> Result<String> {
    let mut lines = vec![HEADER.to_owned()];
    for source in &SOURCES {
        let mut series = read_series(folder, source)?;
        let classes = read_classes(folder, source)?;
        for (class, quota) in source.quotas {
            let mut names: Vec<&String> = classes
                .iter()
                .filter(|(name, of)| of == class && total(series.get(name)) >= LEAST_UNITS)
                .map(|(name, _)| name)
                .collect();
            Random::of(SEED, class).shuffle(&mut names);
            ensure!(names.len() >= *quota, "{} has too few {class} series", source.files);
            for (place, name) in names.into_iter().take(*quota).enumerate() {
                let days = series.remove(name).context("a series was chosen twice")?;
                let id = format!("{}-{class}-{:02}", source.name, place + 1);
                lines.push(line_of(&shape_of(id, source, &days)?));
            }
        }
    }
    Ok(lines.join("\n") + "\n")
}

fn total(series: Option<&Series>) -> i64 {
    series.map_or(0, |days| days.values().map(|(units, _)| units).sum())
}

/// Cuts a series to the source's weeks and takes its level off.
fn shape_of(id: String, source: &Source, series: &Series) -> Result<Shape> {
    let first: Day = source.first.parse()?;
    let days: Vec<(i64, bool)> = (0..source.weeks * 7)
        .map(|count| series.get(&first.plus(count).to_string()).copied().unwrap_or_default())
        .collect();
    let mut selling: Vec<i64> = days.iter().map(|day| day.0).filter(|units| *units > 0).collect();
    selling.sort_unstable();
    let ordinary = selling.get(selling.len() / 2).copied().unwrap_or(1).max(1);
    let divisor = (ordinary + ORDINARY_DAY - 1) / ORDINARY_DAY;
    // Rounded up: a day with a sale stays one.
    let level = |units: i64| (units.clamp(0, ordinary * CLIP) + divisor - 1) / divisor;
    Ok(Shape {
        id,
        start: source.first.get(5..).unwrap_or_default().to_owned(),
        units: days.iter().map(|day| level(day.0)).collect(),
        promoted: days.iter().map(|day| day.1).collect(),
    })
}

/// Every series of a source by `item/channel`. Columns: sku, channel, date, qty, price, promo.
fn read_series(folder: &Path, source: &Source) -> Result<BTreeMap<String, Series>> {
    let path = folder.join(format!("{}_daily.csv.gz", source.files));
    let text = ask(Command::new("gzip").arg("-dc").arg(&path))
        .with_context(|| format!("gzip cannot read {}", path.display()))?;
    let mut series: BTreeMap<String, Series> = BTreeMap::new();
    for line in text.lines().skip(1) {
        let columns: Vec<&str> = line.split(',').collect();
        let [sku, channel, date, units, _, promotion] = columns[..] else {
            anyhow::bail!("{}: six columns expected: {line}", path.display());
        };
        let day = (units.parse().with_context(|| line.to_owned())?, promotion == "1");
        series.entry(format!("{sku}/{channel}")).or_default().insert(date.to_owned(), day);
    }
    Ok(series)
}

/// `item/channel` and class of every series of a source.
fn read_classes(folder: &Path, source: &Source) -> Result<Vec<(String, String)>> {
    let path = folder.join(format!("{}_series.csv", source.files));
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("cannot read {}", path.display()))?;
    let class_of = |line: &str| -> Option<(String, String)> {
        let columns: Vec<&str> = line.split(',').collect();
        let class = source.class_columns.iter().map(|column| columns.get(*column).copied());
        let class = class.collect::<Option<Vec<&str>>>()?.join("-");
        Some((format!("{}/{}", columns.first()?, columns.get(1)?), class))
    };
    let lines = text.lines().skip(1);
    lines.map(|line| class_of(line).with_context(|| format!("too few columns: {line}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_keeps_the_rhythm_and_loses_the_level() {
        let first: Day = "2017-01-02".parse().unwrap();
        let sold = [(0, 100), (7, 120), (8, 1), (14, 100_000)];
        let series: Series = sold
            .iter()
            .map(|(count, units)| (first.plus(*count).to_string(), (*units, *count == 8)))
            .collect();
        let shape = shape_of("grocery-smooth-01".to_owned(), &SOURCES[1], &series).unwrap();
        assert_eq!((shape.start.as_str(), shape.units.len()), ("01-02", 364));
        let days = [0, 7, 8, 14, 15].map(|day: usize| shape.units[day]);
        assert_eq!(days, [7, 8, 1, 96, 0]);
        assert_eq!(shape.promoted.iter().filter(|promoted| **promoted).count(), 1);
        assert!(shape.promoted[8]);
    }
}
