//! The shapes of real demand that the demo brand's own demand is cut from.
//!
//! A shape is a year or two of whole weeks of one real item in one real channel, as small whole
//! numbers: its rhythm, gaps, season and promotions, without its level. `data/README.md` says
//! where they come from and [`derive`](super::derive) how they are made.

use anyhow::{Context, Result, ensure};
use tradewind_kernel::Day;

/// The checked-in shapes.
const FILE: &str = include_str!("../../data/shapes.csv");

/// Days of a week; shapes are whole weeks, so that a Saturday stays a Saturday.
pub const WEEK: i64 = 7;

/// Weeks of a year as shapes count them.
const YEAR: i64 = 52;

/// The rhythm of one real series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// Where it comes from and which class it was given there, such as `gifts-lumpy-07`.
    pub id: String,
    /// The day of the year on which its first week begins, `MM-DD`.
    pub start: String,
    /// Units by day from the first Monday on.
    pub units: Vec<i64>,
    /// Which of these days were promotions.
    pub promoted: Vec<bool>,
}

/// A day's place in a shape's calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Season {
    /// The year in which its season began.
    year: i64,
    /// Days since then.
    place: i64,
}

impl Season {
    /// The season that `day` lies in, when seasons begin around `MM-DD`.
    #[must_use]
    pub fn of(day: Day, month_and_day: &str) -> Self {
        let start = season_start(day, month_and_day);
        // Week 53 of a season repeats its last.
        let week = (day.since(start) / WEEK).min(YEAR - 1);
        Self { year: i64::from(year_of(start)), place: week * WEEK + day.since(day.monday()) }
    }
}

impl Shape {
    /// Units and promotion of a day.
    #[must_use]
    pub fn on(&self, day: Season) -> (i64, bool) {
        let weeks = i64::try_from(self.units.len()).unwrap_or(0) / WEEK;
        let years = (weeks / YEAR).max(1);
        let place = day.year % years * YEAR * WEEK + day.place;
        let place = usize::try_from(place).unwrap_or(0);
        let units = self.units.get(place).copied().unwrap_or(0);
        (units, self.promoted.get(place).copied().unwrap_or(false))
    }

    /// Units of an average day, in thousandths.
    #[must_use]
    pub fn daily_mean_in_thousandths(&self) -> i64 {
        let days = i64::try_from(self.units.len()).unwrap_or(1).max(1);
        self.units.iter().sum::<i64>() * 1000 / days
    }
}

/// The latest Monday nearest to a `MM-DD` that is not after `day`.
fn season_start(day: Day, month_and_day: &str) -> Day {
    let in_year = |year: i32| format!("{year}-{month_and_day}").parse::<Day>().map(nearest_monday);
    let year = year_of(day) + 1;
    (0..=2)
        .filter_map(|back| in_year(year - back).ok())
        .find(|start| *start <= day)
        .unwrap_or_else(|| day.monday())
}

fn nearest_monday(day: Day) -> Day {
    day.plus(WEEK / 2).monday()
}

/// The calendar year of a day.
fn year_of(day: Day) -> i32 {
    day.to_string().get(..4).and_then(|year| year.parse().ok()).unwrap_or_default()
}

/// Reads the checked-in shapes.
///
/// # Errors
/// The file is not what [`line_of`] writes.
pub fn all() -> Result<Vec<Shape>> {
    let lines = FILE.lines().skip(1);
    lines.map(|line| shape_of(line).with_context(|| format!("shapes.csv: {line:.60}"))).collect()
}

/// The first line of the file.
pub const HEADER: &str = "id,start,units,promotions";

/// A shape as a line of the file: units by day, `0xN` for N days without any; promotions as
/// `first+length`, counted in days from the first.
#[must_use]
pub fn line_of(shape: &Shape) -> String {
    let mut units: Vec<String> = Vec::new();
    for run in shape.units.chunk_by(|one, next| *one == 0 && *next == 0) {
        match run {
            [_, _, ..] => units.push(format!("0x{}", run.len())),
            _ => units.extend(run.iter().map(i64::to_string)),
        }
    }
    let mut promotions: Vec<String> = Vec::new();
    let mut first = 0;
    for run in shape.promoted.chunk_by(|one, next| one == next) {
        if run.first() == Some(&true) {
            promotions.push(format!("{first}+{}", run.len()));
        }
        first += run.len();
    }
    format!("{},{},{},{}", shape.id, shape.start, units.join(" "), promotions.join(" "))
}

fn shape_of(line: &str) -> Result<Shape> {
    let columns: Vec<&str> = line.split(',').collect();
    let [id, start, units, promotions] = columns[..] else {
        anyhow::bail!("a shape has four columns");
    };
    let mut shape = Shape {
        id: id.to_owned(),
        start: start.to_owned(),
        units: Vec::new(),
        promoted: Vec::new(),
    };
    for word in units.split_whitespace() {
        match word.strip_prefix("0x") {
            Some(run) => {
                let length = shape.units.len() + run.parse::<usize>()?;
                shape.units.resize(length, 0);
            }
            None => shape.units.push(word.parse()?),
        }
    }
    shape.promoted.resize(shape.units.len(), false);
    for word in promotions.split_whitespace() {
        let (first, length) = word.split_once('+').context("a promotion is first+length")?;
        let (first, length): (usize, usize) = (first.parse()?, length.parse()?);
        let days = shape.promoted.get_mut(first..first + length);
        days.context("a promotion outside the shape")?.fill(true);
    }
    ensure!(shape.units.len().is_multiple_of(7), "a shape is whole weeks");
    Ok(shape)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checked_in_shapes_are_many_and_small() {
        let shapes = all().unwrap();
        assert!(shapes.len() >= 50, "{}", shapes.len());
        assert!(FILE.len() <= 150_000, "{} bytes", FILE.len());
        for shape in &shapes {
            assert!(shape.units.iter().sum::<i64>() >= 50, "{} hardly sells", shape.id);
            assert_eq!(shape_of(&line_of(shape)).unwrap(), *shape);
        }
        assert!(shapes.iter().any(|shape| shape.promoted.contains(&true)));
    }

    #[test]
    fn a_day_falls_on_the_same_weekday_of_the_same_season() {
        let mut shape = Shape {
            id: "gifts".to_owned(),
            start: "12-07".to_owned(),
            units: vec![0; 104 * 7],
            promoted: vec![false; 104 * 7],
        };
        // The Saturday two weeks after the start, in both seasons.
        for season in 0..2 {
            shape.units[season * 364 + 14 + 5] = 9;
        }
        for (day, units) in [
            ("2026-12-26", 9),
            ("2026-12-25", 0),
            ("2025-12-27", 9),
            ("2025-12-20", 0),
            ("2027-01-02", 0),
        ] {
            let season = Season::of(day.parse().unwrap(), &shape.start);
            assert_eq!(shape.on(season).0, units, "{day}");
        }
    }
}
