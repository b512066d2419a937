//! The scorecard: what a supplier's record says as of a day.

use serde::Serialize;
use tradewind_kernel::events::suppliers::ScorePart;
use tradewind_kernel::{Day, Id, Quantity, Ratio};
use utoipa::ToSchema;

use crate::lead_time::LeadTime;
use crate::line::{EARLY_DAYS, LATE_DAYS, WINDOW_DAYS};
use crate::score::Score;
use crate::tally::Tally;

/// How a supplier has done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Scorecard {
    /// Whose it is.
    pub supplier: Id,
    /// The day as of which it is.
    pub as_of: Day,
    /// 0 to 100, one decimal; null without data.
    pub score: Option<Ratio>,
    /// What the score is made of; a part without data has no value and its weight is shared out.
    pub parts: Vec<ScorePart>,
    /// Days from release to the last accepted receipt, of closed lines.
    pub lead_time: LeadTime,
    /// How often everything came when it was due.
    pub on_time_in_full: OnTimeInFull,
    /// What was received of what was ordered.
    pub units: Units,
    /// Which lines count.
    pub window: Window,
}

/// How often everything came when it was due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OnTimeInFull {
    /// Lines whose due day has passed, or that were complete before.
    pub due: Quantity,
    /// Those that were complete within the tolerances.
    pub on_time: Quantity,
    /// Lines with a confirmation.
    pub confirmed: Quantity,
    /// Those whose newest confirmation is in time.
    pub confirmed_in_time: Quantity,
}

/// What was received of what was ordered, in base units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Units {
    /// Ordered on closed lines.
    pub closed_ordered: Quantity,
    /// Accepted on closed lines.
    pub closed_accepted: Quantity,
    /// Accepted on all lines.
    pub accepted: Quantity,
    /// Received on all lines: accepted or rejected.
    pub received: Quantity,
}

/// Which lines count, and what is on time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Window {
    /// Lines due in the last so many days, or later, count.
    pub days: i64,
    /// On time is at most so many days before the due day …
    pub early_days: i64,
    /// … and at most so many after it.
    pub late_days: i64,
}

impl Scorecard {
    /// The scorecard that these sums give.
    #[must_use]
    pub fn of(supplier: &Id, tally: &Tally, as_of: Day) -> Self {
        let Score { value: score, parts } = Score::of(tally);
        Self {
            supplier: supplier.clone(),
            as_of,
            score,
            parts,
            lead_time: LeadTime::of(&tally.lead_times),
            on_time_in_full: OnTimeInFull {
                due: tally.due,
                on_time: tally.on_time,
                confirmed: tally.confirmed,
                confirmed_in_time: tally.confirmed_in_time,
            },
            units: Units {
                closed_ordered: tally.closed_ordered,
                closed_accepted: tally.closed_accepted,
                accepted: tally.accepted,
                received: tally.received,
            },
            window: Window { days: WINDOW_DAYS, early_days: EARLY_DAYS, late_days: LATE_DAYS },
        }
    }
}
