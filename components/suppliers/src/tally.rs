//! Sums over the lines of a supplier, in whole numbers, so that they can be kept up line by line:
//! adding a line and taking it out again leaves exactly what was there.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tradewind_kernel::Quantity;

/// The sums that a score and the lead times rest on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tally {
    /// Lines due, or complete before.
    pub due: Quantity,
    /// Those of them that were complete on time.
    pub on_time: Quantity,
    /// Lines with a confirmation.
    pub confirmed: Quantity,
    /// Those of them whose newest confirmation is in time.
    pub confirmed_in_time: Quantity,
    /// Units ordered on closed lines.
    pub closed_ordered: Quantity,
    /// Units accepted on closed lines.
    pub closed_accepted: Quantity,
    /// Units accepted.
    pub accepted: Quantity,
    /// Units accepted or rejected.
    pub received: Quantity,
    /// How many closed lines took so many days from release to their last accepted receipt.
    pub lead_times: BTreeMap<i64, Quantity>,
}

impl Tally {
    /// Adds what a line counts now and takes out what it counted before.
    pub fn replace(&mut self, before: &Self, after: &Self) {
        self.shift(before, -1);
        self.shift(after, 1);
    }

    fn shift(&mut self, other: &Self, sign: i64) {
        let fields = [
            (&mut self.due, other.due),
            (&mut self.on_time, other.on_time),
            (&mut self.confirmed, other.confirmed),
            (&mut self.confirmed_in_time, other.confirmed_in_time),
            (&mut self.closed_ordered, other.closed_ordered),
            (&mut self.closed_accepted, other.closed_accepted),
            (&mut self.accepted, other.accepted),
            (&mut self.received, other.received),
        ];
        for (field, change) in fields {
            *field = field.saturating_add(change.saturating_mul(sign));
        }
        for (days, change) in &other.lead_times {
            let count = self.lead_times.entry(*days).or_default();
            *count = count.saturating_add(change.saturating_mul(sign));
        }
        self.lead_times.retain(|_, count| *count != 0);
    }
}
