//! Working-day calendars.
//!
//! A calendar has a weekly pattern and closed days (holidays). Steps are counted in open days, so
//! going forward and coming back meet on the same open day (`wants.md` T13.2).

use std::collections::BTreeSet;

use chrono::Weekday;
use serde::{Deserialize, Serialize};

use crate::time::Day;

/// How far a search for an open day goes before a calendar counts as closed for good: longer than
/// any holiday, short enough to answer at once.
const SEARCH_DAYS: i64 = 400;

/// A day of the week, `mon` … `sun` in JSON.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names say it")]
pub enum WeekDay {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

impl From<Weekday> for WeekDay {
    fn from(day: Weekday) -> Self {
        match day {
            Weekday::Mon => Self::Mon,
            Weekday::Tue => Self::Tue,
            Weekday::Wed => Self::Wed,
            Weekday::Thu => Self::Thu,
            Weekday::Fri => Self::Fri,
            Weekday::Sat => Self::Sat,
            Weekday::Sun => Self::Sun,
        }
    }
}

impl WeekDay {
    /// All seven, Monday first.
    pub const ALL: [Self; 7] =
        [Self::Mon, Self::Tue, Self::Wed, Self::Thu, Self::Fri, Self::Sat, Self::Sun];
}

/// Single closed days of a calendar: twenty years of fifty holidays. A calendar is part of events
/// and of the record of all nodes, which should not outgrow what they
/// are for. The schema below says the same number.
pub const MAX_CLOSED: usize = 1000;

/// A working-day calendar: `{open: [mon…sun], closed: [days]}`. The default is open every day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Calendar {
    /// The days of the week on which it is open.
    #[schema(max_items = 7)]
    pub open: BTreeSet<WeekDay>,
    /// Single days on which it is closed; at most 1000.
    #[schema(max_items = 1000)]
    pub closed: BTreeSet<Day>,
}

impl Default for Calendar {
    fn default() -> Self {
        Self { open: WeekDay::ALL.into(), closed: BTreeSet::new() }
    }
}

impl Calendar {
    /// Whether `day` is a working day.
    #[must_use]
    pub fn is_open(&self, day: Day) -> bool {
        self.open.contains(&day.weekday().into()) && !self.closed.contains(&day)
    }

    /// Whether it has any working day within a year of `day`; a caller's calendar must.
    #[must_use]
    pub fn opens_after(&self, day: Day) -> bool {
        (0..SEARCH_DAYS).any(|step| self.is_open(day.plus(step)))
    }

    /// The first open day on or after `day`; `day` itself if none opens within a year.
    #[must_use]
    pub fn on_or_after(&self, day: Day) -> Day {
        self.search(day, 1)
    }

    /// The last open day on or before `day`; `day` itself if none is open within a year.
    #[must_use]
    pub fn on_or_before(&self, day: Day) -> Day {
        self.search(day, -1)
    }

    fn search(&self, day: Day, direction: i64) -> Day {
        (0..SEARCH_DAYS)
            .map(|step| day.plus(step.saturating_mul(direction)))
            .find(|candidate| self.is_open(*candidate))
            .unwrap_or(day)
    }

    /// The open day `count` open days after the first open day on or after `day`.
    #[must_use]
    pub fn add_open_days(&self, day: Day, count: u32) -> Day {
        (0..count).fold(self.on_or_after(day), |at, _| self.on_or_after(at.plus(1)))
    }

    /// The open day `count` open days before the last open day on or before `day`.
    #[must_use]
    pub fn subtract_open_days(&self, day: Day, count: u32) -> Day {
        (0..count).fold(self.on_or_before(day), |at, _| self.on_or_before(at.plus(-1)))
    }

    /// The day on which goods that arrive on `day` can be used: the first open day on or after it,
    /// plus `receiving_days` open days (domain.md §3).
    #[must_use]
    pub fn usable_day(&self, day: Day, receiving_days: u32) -> Day {
        self.add_open_days(day, receiving_days)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    #[test]
    fn the_bounds_are_published() {
        let schema = serde_json::to_value(<Calendar as utoipa::PartialSchema>::schema()).unwrap();
        let most = |list: &str| schema["properties"][list]["maxItems"].as_u64();
        let size = |count: usize| u64::try_from(count).ok();
        assert_eq!((most("open"), most("closed")), (size(WeekDay::ALL.len()), size(MAX_CLOSED)));
    }

    fn weekdays() -> Calendar {
        Calendar {
            open: WeekDay::ALL[..5].iter().copied().collect(),
            closed: [day("2026-12-25")].into(),
        }
    }

    #[test]
    fn weekends_and_holidays_are_skipped() {
        for (from, count, to) in [
            ("2026-12-04", 0, "2026-12-04"),
            ("2026-12-04", 1, "2026-12-07"),
            ("2026-12-05", 0, "2026-12-07"),
            ("2026-12-05", 1, "2026-12-08"),
            ("2026-12-24", 1, "2026-12-28"),
        ] {
            assert_eq!(weekdays().add_open_days(day(from), count), day(to), "{from} + {count}");
        }
    }

    proptest! {
        #[test]
        fn forward_and_backward_are_inverse_on_open_days(
            start in 0i64..2000, count in 0u32..40, closed in prop::collection::btree_set(0i64..2100, 0..60),
        ) {
            let base = day("2026-01-01");
            let calendar = Calendar {
                closed: closed.into_iter().map(|step| base.plus(step)).collect(),
                ..weekdays()
            };
            let open = calendar.on_or_after(base.plus(start));
            let there = calendar.add_open_days(open, count);
            prop_assert!(calendar.is_open(there));
            prop_assert_eq!(calendar.subtract_open_days(there, count), open);
        }
    }
}
