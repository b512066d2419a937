//! The board: all expected payments, added up by the day on which they fall due.
//!
//! Flows of one due day and currency are one parcel, so that a forecast, the turn of a day or a
//! new rate cost what there are days, not what there are orders. The board is a set with a member
//! per week, and two more:
//! * [`OVERDUE`]: flows that slide and whose day has passed. They are due so many days from today,
//!   whatever today is.
//! * [`PAST`]: flows that do not slide and fell due before today. They count this week, unless
//!   they fell due before the opening cash was last set: then they are settled in it and gone.
//!
//! Amounts in a foreign currency stay in it on the board; a day's sum is converted at the newest
//! rate on or before that day, today at the latest, and rounded to the base currency's minor unit.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use tradewind_kernel::events::finance::WeekChange;
use tradewind_kernel::money::{Amount, round_to_minor};
use tradewind_kernel::{Currency, Day};

use crate::flow::{Change, Flow};
use crate::rate::Rates;

/// The member of flows that slide and whose day has passed.
pub const OVERDUE: &str = "overdue";

/// The member of flows that fell due before today.
pub const PAST: &str = "past";

/// Flows of one due day and currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parcel {
    /// The day they hang on; none: today.
    pub anchor: Option<Day>,
    /// Due so many days later.
    pub offset_days: u32,
    /// Whether the anchor slides once it has passed.
    pub slides: bool,
    /// Their currency.
    pub currency: Currency,
    /// What comes in.
    pub incoming: Decimal,
    /// What goes out, as a positive number.
    pub outgoing: Decimal,
}

impl Parcel {
    fn due(&self, today: Day) -> Day {
        self.anchor.unwrap_or(today).plus(i64::from(self.offset_days))
    }

    fn is_like(&self, other: &Self) -> bool {
        self.anchor == other.anchor
            && self.offset_days == other.offset_days
            && self.slides == other.slides
            && self.currency == other.currency
    }
}

/// What a week brings in and takes out, in the base currency.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Total {
    /// What comes in.
    pub incoming: Decimal,
    /// What goes out, as a positive number.
    pub outgoing: Decimal,
    /// In and out in currencies without a rate; left out of the above.
    pub unconverted: BTreeMap<Currency, (Decimal, Decimal)>,
}

impl Total {
    fn net(&self) -> Decimal {
        self.incoming.saturating_sub(self.outgoing)
    }
}

/// The board, or as much of it as was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Board {
    /// The day up to which past days have slid.
    pub today: Day,
    /// The day on which the opening cash was last set.
    pub opening: Option<Day>,
    members: BTreeMap<String, Vec<Parcel>>,
    changed: BTreeSet<String>,
}

impl Board {
    /// A board of these members.
    #[must_use]
    pub fn new(today: Day, opening: Option<Day>, members: BTreeMap<String, Vec<Parcel>>) -> Self {
        Self { today, opening, members, changed: BTreeSet::new() }
    }

    /// Where a flow lies, and the parcel it is there; none when it is settled.
    fn place(&self, flow: &Flow) -> Option<(String, Parcel)> {
        let due = flow.due();
        let overdue = flow.slides && flow.anchor < self.today;
        let settled = !flow.slides && self.opening.is_some_and(|opening| due < opening);
        if settled {
            return None;
        }
        let (anchor, offset_days) = match (overdue, flow.slides) {
            (true, _) => (None, flow.offset_days),
            (false, true) => (Some(flow.anchor), flow.offset_days),
            (false, false) => (Some(due), 0),
        };
        let parcel = Parcel {
            anchor,
            offset_days,
            slides: flow.slides,
            currency: flow.currency,
            incoming: flow.amount.max(Decimal::ZERO),
            outgoing: Decimal::ZERO.saturating_sub(flow.amount.min(Decimal::ZERO)),
        };
        Some((member_of(&parcel, self.today), parcel))
    }

    /// The weeks whose net flow these changes may move.
    #[must_use]
    pub fn weeks_of(&self, changes: &[Change]) -> BTreeSet<Day> {
        let placed = changes.iter().filter_map(|change| self.place(change.flow()));
        placed.map(|(_, parcel)| self.week_of(&parcel)).collect()
    }

    /// The members that say all about these weeks, and those that take the changes.
    #[must_use]
    pub fn members_of(&self, changes: &[Change]) -> BTreeSet<String> {
        let weeks = self.weeks_of(changes);
        let mut names: BTreeSet<String> = weeks.iter().map(Day::to_string).collect();
        names.extend(changes.iter().filter_map(|change| self.place(change.flow())).map(|it| it.0));
        names.insert(OVERDUE.to_owned());
        if weeks.contains(&self.today.monday()) {
            names.insert(PAST.to_owned());
        }
        names
    }

    /// Takes in members that were read.
    pub fn take_in(&mut self, name: &str, parcels: Vec<Parcel>) {
        self.members.insert(name.to_owned(), parcels);
    }

    fn week_of(&self, parcel: &Parcel) -> Day {
        parcel.due(self.today).max(self.today).monday()
    }

    /// The foreign currencies on the board.
    #[must_use]
    pub fn currencies(&self, base: Currency) -> BTreeSet<Currency> {
        let all = self.members.values().flatten().map(|parcel| parcel.currency);
        all.filter(|currency| *currency != base).collect()
    }

    /// Applies changes of flows.
    pub fn apply(&mut self, changes: &[Change]) {
        for change in changes {
            let (flow, sign) = change.signed();
            if let Some((member, mut parcel)) = self.place(flow) {
                parcel.incoming = parcel.incoming.saturating_mul(sign);
                parcel.outgoing = parcel.outgoing.saturating_mul(sign);
                self.add(member, parcel);
            }
        }
    }

    fn add(&mut self, member: String, parcel: Parcel) {
        let parcels = self.members.entry(member.clone()).or_default();
        match parcels.iter_mut().find(|kept| kept.is_like(&parcel)) {
            Some(kept) => {
                kept.incoming = kept.incoming.saturating_add(parcel.incoming);
                kept.outgoing = kept.outgoing.saturating_add(parcel.outgoing);
            }
            None => parcels.push(parcel),
        }
        parcels.retain(|kept| !kept.incoming.is_zero() || !kept.outgoing.is_zero());
        self.changed.insert(member);
    }

    /// Turns to a later day: what has passed slides. The whole board must have been read.
    pub fn turn(&mut self, to: Day) {
        if to <= self.today {
            return;
        }
        self.today = to;
        self.rearrange(|parcel| {
            if parcel.slides && parcel.anchor.is_some_and(|anchor| anchor < to) {
                parcel.anchor = None;
            }
            true
        });
    }

    /// The opening cash was set on this day: what fell due before is settled in it. The whole
    /// board must have been read.
    pub fn settle(&mut self, opening: Day) {
        self.opening = Some(opening);
        let today = self.today;
        self.rearrange(|parcel| parcel.slides || parcel.due(today) >= opening);
    }

    /// Puts every parcel where it belongs, after `keep` has changed it or let it go.
    fn rearrange(&mut self, keep: impl Fn(&mut Parcel) -> bool) {
        for (name, parcels) in std::mem::take(&mut self.members) {
            for mut parcel in parcels {
                let kept = keep(&mut parcel);
                let member = member_of(&parcel, self.today);
                if kept && member == name {
                    self.members.entry(member).or_default().push(parcel);
                    continue;
                }
                self.changed.insert(name.clone());
                if kept {
                    self.add(member, parcel);
                }
            }
        }
    }

    /// What this week or a later one brings in and takes out.
    #[must_use]
    pub fn total(&self, week: Day, rates: &Rates) -> Total {
        let mut sums: BTreeMap<(Day, Currency), (Decimal, Decimal)> = BTreeMap::new();
        for parcel in self.members.values().flatten() {
            if self.week_of(parcel) == week {
                let due = parcel.due(self.today).min(self.today);
                let sum = sums.entry((due, parcel.currency)).or_default();
                sum.0 = sum.0.saturating_add(parcel.incoming);
                sum.1 = sum.1.saturating_add(parcel.outgoing);
            }
        }
        let mut total = Total::default();
        for ((day, currency), (incoming, outgoing)) in sums {
            let converted = |amount| rates.convert(amount, currency, day);
            match (converted(incoming), converted(outgoing)) {
                (Some(incoming), Some(outgoing)) => {
                    total.incoming = total.incoming.saturating_add(incoming);
                    total.outgoing = total.outgoing.saturating_add(outgoing);
                }
                _ => {
                    let left = total.unconverted.entry(currency).or_default();
                    left.0 = left.0.saturating_add(incoming);
                    left.1 = left.1.saturating_add(outgoing);
                }
            }
        }
        total
    }

    /// Every week in which something is due.
    #[must_use]
    pub fn weeks(&self) -> BTreeSet<Day> {
        self.members.values().flatten().map(|parcel| self.week_of(parcel)).collect()
    }

    /// The net flow of these weeks.
    #[must_use]
    pub fn nets(&self, weeks: &BTreeSet<Day>, rates: &Rates) -> BTreeMap<Day, Decimal> {
        weeks.iter().map(|week| (*week, self.total(*week, rates).net())).collect()
    }

    /// The members that changed, with what they now are; an empty one can go.
    pub fn changed(&self) -> impl Iterator<Item = (&str, &[Parcel])> {
        self.changed.iter().map(|name| {
            let parcels = self.members.get(name).map_or(&[][..], Vec::as_slice);
            (name.as_str(), parcels)
        })
    }
}

fn member_of(parcel: &Parcel, today: Day) -> String {
    let due = parcel.due(today);
    match parcel.anchor {
        None => OVERDUE.to_owned(),
        Some(_) if !parcel.slides && due < today => PAST.to_owned(),
        Some(_) => due.monday().to_string(),
    }
}

/// What changed between two lists of net flows, week by week.
#[must_use]
pub fn week_changes(
    before: &BTreeMap<Day, Decimal>,
    after: &BTreeMap<Day, Decimal>,
    currency: Currency,
) -> Vec<WeekChange> {
    let weeks: BTreeSet<&Day> = before.keys().chain(after.keys()).collect();
    let amount = |value: Decimal| Amount(round_to_minor(value, currency));
    let mut changes = Vec::new();
    for week in weeks {
        let old = before.get(week).copied().unwrap_or_default();
        let new = after.get(week).copied().unwrap_or_default();
        if old != new {
            let change = amount(new.saturating_sub(old));
            let (before, after) = (amount(old), amount(new));
            changes.push(WeekChange { week: *week, before, after, change });
        }
    }
    changes
}

#[cfg(test)]
#[path = "board_tests.rs"]
mod tests;
