//! A supplier's record: the sums over its lines, kept up line by line.
//!
//! The sums stand as of one day, the last that turned here. Lines that count differently by a
//! later day are few and found by an index, so the score of any later day is these sums and what
//! those lines shift: an event of today gives the score before and after it as of today, though
//! the turn to today may still lie behind it, and so the two causes never mix.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tradewind_kernel::decision::{Decision, MAX_COMMIT_LINES};
use tradewind_kernel::event::NewEvent;
use tradewind_kernel::events::procurement::OrderState;
use tradewind_kernel::{Day, Id};

use crate::keys;
use crate::line::Line;
use crate::score::Score;
use crate::tally::Tally;

/// The most lines of one supplier that may turn at once: far more than fall due in the months
/// that a demo plays in one go, and still read in tens of milliseconds.
pub const MAX_TURNING: usize = 20_000;

/// Lines that one part of a large turn writes: two writes each, and room for what ends it.
const LINES_OF_A_PART: usize = (MAX_COMMIT_LINES - 8) / 2;

/// What is kept per supplier beside its lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The sums over all lines as of `turned`.
    pub tally: Tally,
    /// The day as of which the sums stand.
    pub turned: Day,
    /// A day at or before the first on which some line counts differently.
    pub next_turn: Option<Day>,
}

impl Record {
    /// The record of a supplier of which nothing was bought yet.
    #[must_use]
    pub fn new(today: Day) -> Self {
        Self { tally: Tally::default(), turned: today, next_turn: None }
    }

    /// The sums as of `day`; `lines` has at least those that count differently by then.
    #[must_use]
    pub fn as_of(&self, day: Day, lines: &BTreeMap<String, Line>) -> Tally {
        let mut tally = self.tally.clone();
        for line in lines.values().filter(|_| day > self.turned) {
            tally.replace(&line.tally(self.turned), &line.tally(day));
        }
        tally
    }
}

/// A number beyond that of any day.
pub const LAST_NUMBER: i64 = 10_000 * 366;

/// The day's number, by which indexes sort.
#[must_use]
pub fn number(day: Day) -> i64 {
    day.since(day_of(0))
}

/// The day with this number.
#[must_use]
pub fn day_of(number: i64) -> Day {
    Day::from(chrono::NaiveDate::default()).plus(number)
}

/// What an order's event does to its supplier's record. `known` has the kept lines of the order
/// and those that count differently by `day`.
#[must_use]
pub fn follow(
    order: &OrderState,
    record: Option<Record>,
    known: &BTreeMap<String, Line>,
    day: Day,
) -> Decision {
    let mut after = record.clone().unwrap_or_else(|| Record::new(day));
    let before = Score::of(&after.as_of(day, known));
    let mut lines = known.clone();
    let mut decision = Decision::default();
    let (set, turns) = (keys::lines(&order.supplier), keys::turns(&order.supplier));
    for told in &order.lines {
        let name = keys::line(&order.order, told.line);
        let old = lines.remove(&name);
        let new = Line::of(order, told).filter(|line| line.counts(after.turned));
        let share = |line: &Option<Line>| {
            line.as_ref().map(|line| line.tally(after.turned)).unwrap_or_default()
        };
        let (old_share, new_share) = (share(&old), share(&new));
        after.tally.replace(&old_share, &new_share);
        match (&old, &new) {
            (old, Some(line)) => {
                if old.as_ref() != Some(line) {
                    decision.put_member(set.clone(), name.clone(), line);
                }
                if let (None, Some(turn)) = (old, line.next_turn(after.turned)) {
                    decision.index(turns.clone(), name.clone(), number(turn));
                    after.next_turn = Some(after.next_turn.map_or(turn, |next| next.min(turn)));
                }
            }
            (Some(_), None) => {
                decision.delete_member(set.clone(), name.clone());
                decision.unindex(turns.clone(), name.clone());
            }
            (None, None) => {}
        }
        lines.extend(new.map(|line| (name, line)));
    }
    finish(&mut decision, &order.supplier, record.as_ref(), &after);
    let score = Score::of(&after.as_of(day, &lines));
    tell(&mut decision, &order.supplier, before, score);
    decision
}

/// What the turn to `day` does to a supplier's record, in as many parts as it needs. `turning` has
/// the lines that count differently by then, `following` the first day on which others do.
#[must_use]
pub fn turn(
    supplier: &Id,
    record: &Record,
    turning: &BTreeMap<String, Line>,
    following: Option<Day>,
    day: Day,
) -> Vec<Decision> {
    let day = day.max(record.turned);
    let tally = record.as_of(day, turning);
    let mut after = Record { tally, turned: day, next_turn: following };
    let (set, turns) = (keys::lines(supplier), keys::turns(supplier));
    let mut parts = vec![Decision::default()];
    for (place, (name, line)) in turning.iter().enumerate() {
        if place > 0 && place % LINES_OF_A_PART == 0 {
            parts.push(Decision::default());
        }
        let Some(part) = parts.last_mut() else { continue };
        if let Some(turn) = line.next_turn(day) {
            part.index(turns.clone(), name.clone(), number(turn));
            after.next_turn = Some(after.next_turn.map_or(turn, |next| next.min(turn)));
        } else {
            part.delete_member(set.clone(), name.clone());
            part.unindex(turns.clone(), name.clone());
        }
    }
    if let Some(last) = parts.last_mut() {
        finish(last, supplier, Some(record), &after);
        let (before, score) = (Score::of(&record.tally), Score::of(&after.tally));
        tell(last, supplier, before, score);
    }
    parts
}

fn finish(decision: &mut Decision, supplier: &Id, before: Option<&Record>, after: &Record) {
    if before == Some(after) {
        return;
    }
    decision.put(keys::record_of(supplier), after);
    let next_turn = before.and_then(|record| record.next_turn);
    match after.next_turn {
        Some(day) if next_turn != Some(day) => {
            decision.index(keys::TURNING, supplier.as_str(), number(day));
        }
        None if next_turn.is_some() => decision.unindex(keys::TURNING, supplier.as_str()),
        _ => {}
    }
}

fn tell(decision: &mut Decision, supplier: &Id, before: Score, after: Score) {
    if let Some(moved) = after.moved_from(before, supplier) {
        decision.event(NewEvent::of(supplier.as_str(), &moved));
    }
}
