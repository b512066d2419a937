//! Civil days and instants.
//!
//! A [`Day`] is a date in the tenant's zone, an [`Instant`] a moment in UTC to the millisecond.
//! Both are passed in; nothing here reads a clock.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use chrono::{DateTime, Datelike, Days, NaiveDate, SecondsFormat, TimeZone, Utc, Weekday};
use serde::{Deserialize, Serialize};

use crate::text_form::text_form;

/// A civil date, `YYYY-MM-DD`, in the tenant's zone.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schema(
    value_type = String,
    format = Date,
    example = "2026-12-01",
    pattern = "^(19[7-9][0-9]|[2-9][0-9]{3})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$",
)]
pub struct Day(NaiveDate);

/// A text is not a day of the form `YYYY-MM-DD` between the years 1970 and 9999.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a day of the form YYYY-MM-DD between 1970 and 9999")]
pub struct NotADay(String);

impl Day {
    /// The day of this year, month (1–12) and day of the month (1–31), if there is one.
    #[must_use]
    pub fn new(year: i32, month: u32, day: u32) -> Option<Self> {
        NaiveDate::from_ymd_opt(year, month, day).map(Self)
    }

    /// The day `count` days later (earlier when negative); stays in the years 1970 to 9999.
    #[must_use]
    pub fn plus(self, count: i64) -> Self {
        let step = Days::new(count.unsigned_abs());
        let moved =
            if count < 0 { self.0.checked_sub_days(step) } else { self.0.checked_add_days(step) };
        let first = NaiveDate::default();
        let last = NaiveDate::from_ymd_opt(9999, 12, 31).unwrap_or(NaiveDate::MAX);
        let fallback = if count < 0 { first } else { last };
        Self(moved.unwrap_or(fallback).clamp(first, last))
    }

    /// How many days from `earlier` to this day; negative when this day comes first.
    #[must_use]
    pub fn since(self, earlier: Self) -> i64 {
        self.0.signed_duration_since(earlier.0).num_days()
    }

    /// Its day of the week.
    #[must_use]
    pub fn weekday(self) -> Weekday {
        self.0.weekday()
    }

    /// The Monday of its week: Tradewind names a week by its Monday.
    #[must_use]
    pub fn monday(self) -> Self {
        self.plus(-i64::from(self.0.weekday().num_days_from_monday()))
    }

    /// The calendar date.
    #[must_use]
    pub fn date(self) -> NaiveDate {
        self.0
    }
}

impl From<NaiveDate> for Day {
    fn from(date: NaiveDate) -> Self {
        Self(date)
    }
}

impl FromStr for Day {
    type Err = NotADay;

    fn from_str(text: &str) -> Result<Self, NotADay> {
        let fault = || NotADay(text.chars().take(40).collect());
        let digits = |range: Range<usize>| {
            let digits = text.as_bytes().get(range)?;
            let value = |sum: u32, digit: &u8| {
                digit.is_ascii_digit().then(|| sum * 10 + u32::from(digit - b'0'))
            };
            digits.iter().try_fold(0, value)
        };
        let shaped = text.len() == 10 && text.get(4..5) == Some("-") && text.get(7..8) == Some("-");
        let numbers = || Some((digits(0..4)?, digits(5..7)?, digits(8..10)?));
        let (year, month, day) =
            numbers().filter(|(year, ..)| shaped && *year >= 1970).ok_or_else(fault)?;
        NaiveDate::from_ymd_opt(year.cast_signed(), month, day).map(Self).ok_or_else(fault)
    }
}

text_form!(Day, NotADay, |day| day.to_string());

/// Days are read and written by the thousand in one request: this skips what a general format costs.
impl fmt::Display for Day {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = (self.0.year().unsigned_abs(), self.0.month(), self.0.day());
        let mut text = *b"0000-00-00";
        let places = [(0, year / 1000), (1, year / 100), (2, year / 10), (3, year)];
        let rest = [(5, month / 10), (6, month), (8, day / 10), (9, day)];
        for (place, number) in places.into_iter().chain(rest) {
            text[place] += u8::try_from(number % 10).unwrap_or_default();
        }
        formatter.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

/// A moment in UTC between the years 1970 and 9999, to the millisecond; RFC 3339 in JSON.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schema(
    value_type = String,
    format = DateTime,
    example = "2026-12-01T09:30:00.000Z",
    pattern = "^(19[7-9][0-9]|[2-9][0-9]{3})-",
)]
pub struct Instant(i64);

/// A text is not an RFC 3339 instant between the years 1970 and 9999, in UTC.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an RFC 3339 instant between 1970 and 9999")]
pub struct NotAnInstant(String);

/// A text names no time zone of the IANA database.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an IANA time zone")]
pub struct NotAZone(String);

/// A time zone of the IANA database, such as `Europe/Berlin`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, format = "zone", example = "UTC")]
pub struct Zone(chrono_tz::Tz);

impl Zone {
    /// Coordinated universal time: the zone of a tenant that has set none.
    pub const UTC: Self = Self(chrono_tz::Tz::UTC);
}

impl Default for Zone {
    fn default() -> Self {
        Self::UTC
    }
}

impl FromStr for Zone {
    type Err = NotAZone;

    fn from_str(text: &str) -> Result<Self, NotAZone> {
        text.parse().map(Self).map_err(|_| NotAZone(text.chars().take(40).collect()))
    }
}

text_form!(Zone, NotAZone, |zone| zone.0.name().to_owned());

impl Instant {
    /// The instant so many milliseconds after 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn millis(self) -> i64 {
        self.0
    }

    /// This instant moved by so many seconds.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1000)))
    }

    /// The civil day of this instant in `zone`.
    #[must_use]
    pub fn day_in(self, zone: Zone) -> Day {
        let utc: DateTime<Utc> =
            Utc.timestamp_millis_opt(self.0).single().unwrap_or(DateTime::<Utc>::UNIX_EPOCH);
        Day(utc.with_timezone(&zone.0).date_naive())
    }
}

impl FromStr for Instant {
    type Err = NotAnInstant;

    fn from_str(text: &str) -> Result<Self, NotAnInstant> {
        let fault = || NotAnInstant(text.chars().take(40).collect());
        let moment = DateTime::parse_from_rfc3339(text).map_err(|_| fault())?.to_utc();
        if !(1970..=9999).contains(&moment.year()) {
            return Err(fault());
        }
        Ok(Self(moment.timestamp_millis()))
    }
}

text_form!(Instant, NotAnInstant, |instant| instant.to_string());

impl fmt::Display for Instant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let utc: DateTime<Utc> =
            Utc.timestamp_millis_opt(self.0).single().unwrap_or(DateTime::<Utc>::UNIX_EPOCH);
        formatter.write_str(&utc.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn days_parse_strictly() {
        for (text, good) in [
            ("2026-12-01", true),
            ("2026-2-01", false),
            ("2026-02-30", false),
            ("+026-02-03", false),
            ("1969-12-31", false),
            ("2026-12-01T00:00:00Z", false),
            ("2026-12-0a", false),
            ("2026/12/01", false),
            ("2026-13-01", false),
            ("2024-02-29", true),
            ("9999-12-31", true),
            ("20261-2-01", false),
            ("2026-é2-01", false),
            ("", false),
        ] {
            assert_eq!(text.parse::<Day>().is_ok(), good, "{text}");
        }
    }

    #[test]
    fn a_week_is_its_monday() {
        let tuesday: Day = "2026-12-01".parse().unwrap();
        assert_eq!(tuesday.monday().to_string(), "2026-11-30");
        assert_eq!(tuesday.monday().monday().to_string(), "2026-11-30");
    }

    #[test]
    fn the_day_depends_on_the_zone() {
        let late: Instant = "2026-12-01T23:30:00Z".parse().unwrap();
        assert_eq!(late.day_in(Zone::UTC).to_string(), "2026-12-01");
        assert_eq!(late.day_in("Europe/Berlin".parse().unwrap()).to_string(), "2026-12-02");
    }

    proptest! {
        #[test]
        fn moving_and_measuring_agree(start in 0i64..40_000, step in -300i64..300) {
            let day = Day::from(NaiveDate::default()).plus(start + 300);
            prop_assert_eq!(day.plus(step).since(day), step);
            prop_assert_eq!(day.to_string().parse::<Day>().unwrap(), day);
            prop_assert_eq!(day.to_string(), day.date().format("%Y-%m-%d").to_string());
        }

        #[test]
        fn only_what_a_day_is_written_as_is_one(text in "[0-9]{3,5}[-+/][0-9]{1,2}-[0-9]{2}") {
            let named = NaiveDate::parse_from_str(&text, "%Y-%m-%d").ok();
            let written = named.map(|date| date.to_string());
            let day = written.filter(|it| *it == text && text[..4] >= *"1970");
            prop_assert_eq!(text.parse::<Day>().ok().map(|day| day.to_string()), day);
        }
    }
}
