//! A purchase order line, as far as a supplier's record rests on it.
//!
//! A line counts in fractions that change with what happens to it, and with the day alone: once
//! its due day has passed it counts as due, and [`WINDOW_DAYS`] after that it counts no more.

use serde::{Deserialize, Serialize};
use tradewind_kernel::events::procurement::{OrderLine, OrderState, OrderStatus};
use tradewind_kernel::{Day, Quantity};

use crate::tally::Tally;

/// Lines due in the last so many days, or later, count (domain.md §5).
pub const WINDOW_DAYS: i64 = 365;

/// A line that is complete at most so many days before its due day is on time (domain.md §5).
pub const EARLY_DAYS: i64 = 5;

/// A line that is complete at most so many days after its due day is on time (domain.md §5).
pub const LATE_DAYS: i64 = 0;

/// A released line as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The day on which it was released.
    pub released: Day,
    /// The day for which it was ordered.
    pub due: Day,
    /// Ordered base units.
    pub ordered: Quantity,
    /// Accepted base units.
    pub accepted: Quantity,
    /// Rejected base units.
    pub rejected: Quantity,
    /// Nothing of it is open, or its order is closed.
    pub closed: bool,
    /// The latest day of the newest confirmation, if there is one.
    pub confirmed: Option<Day>,
    /// The day of the last receipt with accepted goods.
    pub last_receipt: Option<Day>,
}

impl Line {
    /// The line of an order as an event tells it; `None` while or since it asks nothing of the
    /// supplier: before its release, and when it was cancelled before anything came.
    #[must_use]
    pub fn of(order: &OrderState, line: &OrderLine) -> Option<Self> {
        let released = order.released?;
        if order.status == OrderStatus::Cancelled {
            return None;
        }
        Some(Self {
            released,
            due: line.due,
            ordered: line.quantity,
            accepted: line.accepted,
            rejected: line.rejected,
            closed: line.open == 0 || order.status == OrderStatus::Closed,
            confirmed: line.confirmed,
            last_receipt: line.last_receipt,
        })
    }

    /// Whether all that was ordered was accepted.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.accepted >= self.ordered
    }

    fn last_counted(&self) -> Day {
        self.due.plus(WINDOW_DAYS)
    }

    fn last_in_time(&self) -> Day {
        self.due.plus(LATE_DAYS)
    }

    /// Whether it still counts on `day`; it never does again afterwards.
    #[must_use]
    pub fn counts(&self, day: Day) -> bool {
        day <= self.last_counted()
    }

    /// The first day after `day` on which it may count differently though nothing happens to it;
    /// `None` when it counts no more.
    #[must_use]
    pub fn next_turn(&self, day: Day) -> Option<Day> {
        let turns = [self.last_in_time().plus(1), self.last_counted().plus(1)];
        turns.into_iter().find(|turn| *turn > day)
    }

    /// What it adds to its supplier's sums as of `day` (domain.md §5).
    #[must_use]
    pub fn tally(&self, day: Day) -> Tally {
        let mut tally = Tally::default();
        if !self.counts(day) {
            return tally;
        }
        if self.is_complete() || day > self.last_in_time() {
            tally.due = 1;
            tally.on_time = Quantity::from(self.is_on_time());
        }
        if let Some(confirmed) = self.confirmed {
            tally.confirmed = 1;
            tally.confirmed_in_time = Quantity::from(confirmed <= self.last_in_time());
        }
        if self.closed {
            tally.closed_ordered = self.ordered;
            tally.closed_accepted = self.accepted;
            if let Some(last) = self.last_receipt {
                tally.lead_times.insert(last.since(self.released), 1);
            }
        }
        tally.accepted = self.accepted;
        tally.received = self.accepted.saturating_add(self.rejected);
        tally
    }

    fn is_on_time(&self) -> bool {
        let first = self.due.plus(-EARLY_DAYS);
        self.is_complete()
            && self.last_receipt.is_some_and(|last| first <= last && last <= self.last_in_time())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    fn line() -> Line {
        Line {
            released: day("2026-05-01"),
            due: day("2026-06-01"),
            ordered: 100,
            accepted: 0,
            rejected: 0,
            closed: false,
            confirmed: None,
            last_receipt: None,
        }
    }

    #[test]
    fn a_line_becomes_due_the_day_after_and_leaves_the_window_a_year_later() {
        for (on, due) in
            [("2026-06-01", 0), ("2026-06-02", 1), ("2027-06-01", 1), ("2027-06-02", 0)]
        {
            assert_eq!(line().tally(day(on)).due, due, "{on}");
        }
        assert_eq!(line().next_turn(day("2026-06-01")), Some(day("2026-06-02")));
        assert_eq!(line().next_turn(day("2026-06-02")), Some(day("2027-06-02")));
        assert_eq!(line().next_turn(day("2027-06-02")), None);
    }

    #[test]
    fn on_time_is_from_five_days_early_to_the_due_day() {
        for (received, on_time) in
            [("2026-05-26", 0), ("2026-05-27", 1), ("2026-06-01", 1), ("2026-06-02", 0)]
        {
            let last_receipt = Some(day(received));
            let complete = Line { accepted: 100, closed: true, last_receipt, ..line() };
            let tally = complete.tally(day("2026-05-26"));
            assert_eq!((tally.due, tally.on_time), (1, on_time), "{received}");
            let partly = Line { accepted: 99, ..complete };
            assert_eq!(partly.tally(day("2026-06-02")).on_time, 0, "not in full");
        }
    }

    #[test]
    fn fill_and_lead_time_wait_for_the_end_of_the_line() {
        let last_receipt = Some(day("2026-05-31"));
        let open = Line { accepted: 80, rejected: 5, last_receipt, ..line() };
        let tally = open.tally(day("2026-06-01"));
        assert_eq!((tally.closed_ordered, tally.accepted, tally.received), (0, 80, 85));
        assert!(tally.lead_times.is_empty());
        let tally = Line { closed: true, ..open }.tally(day("2026-06-01"));
        assert_eq!((tally.closed_accepted, tally.closed_ordered), (80, 100));
        assert_eq!(tally.lead_times.get(&30), Some(&1));
    }
}
