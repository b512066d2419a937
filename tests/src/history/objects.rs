//! The two objects whose histories are judged: what of an item is available, and one reservation.
//!
//! An item that a history is kept of has one node, no protection and no order line, so that what is
//! available of it is one number that never goes below zero.

use super::Model;

/// What happened to what is available of an item. A refused call changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stock {
    /// So many more: moved in, released, expired.
    More(i64),
    /// So many fewer: moved out, reserved.
    Fewer(i64),
    /// Refused, since there were fewer than these.
    FewerThan(i64),
    /// It was said to be this.
    Is(i64),
}

/// What is available of an item.
#[derive(Debug, Clone, Copy)]
pub struct Counter;

impl Model for Counter {
    type State = i64;
    type Call = Stock;

    fn begin(&self) -> i64 {
        0
    }

    fn next(&self, state: &i64, call: &Stock) -> Option<i64> {
        match call {
            Stock::More(quantity) => Some(state + quantity),
            Stock::Fewer(quantity) => (state >= quantity).then(|| state - quantity),
            Stock::FewerThan(quantity) => (state < quantity).then_some(*state),
            Stock::Is(quantity) => (state == quantity).then_some(*state),
        }
    }
}

/// How far a reservation has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Stage {
    None,
    Open,
    Shipped,
    Released,
    Expired,
}

/// What happened to a reservation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// It was granted.
    Granted,
    /// It ended like this.
    Ended(Stage),
    /// It was refused to end it, since it had ended.
    Refused,
    /// It was refused to ship it, since its time was over; its claim may not be given back yet.
    Overdue,
    /// It was said to be this.
    Is(Stage),
}

/// One reservation.
#[derive(Debug, Clone, Copy)]
pub struct Life;

impl Model for Life {
    type State = Stage;
    type Call = Turn;

    fn begin(&self) -> Stage {
        Stage::None
    }

    fn next(&self, state: &Stage, call: &Turn) -> Option<Stage> {
        let open = *state == Stage::Open;
        match call {
            Turn::Granted => (*state == Stage::None).then_some(Stage::Open),
            Turn::Ended(stage) => open.then_some(*stage),
            Turn::Refused => (!open && *state != Stage::None).then_some(*state),
            Turn::Overdue => open.then_some(*state),
            Turn::Is(stage) => (state == stage && *state != Stage::None).then_some(*state),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::history::{Timed, Verdict, judge};

    fn history<C: Clone>(calls: &[(u64, u64, C)]) -> Vec<Timed<C>> {
        let at = Duration::from_millis;
        let timed = |(sent, answered, call): &(u64, u64, C)| Timed {
            sent: at(*sent),
            answered: Some(at(*answered)),
            call: call.clone(),
        };
        calls.iter().map(timed).collect()
    }

    fn is_broken<M: Model>(model: &M, calls: &[(u64, u64, M::Call)]) -> bool
    where
        M::Call: Clone,
    {
        match judge(model, &history(calls)) {
            Verdict::InOrder => false,
            Verdict::Broken(_) => true,
            Verdict::Undecided => panic!("so short a history can be decided"),
        }
    }

    #[test]
    fn two_reserves_of_the_last_units_leave_one_refused() {
        let calls = [
            (0, 1, Stock::More(5)),
            (2, 9, Stock::Fewer(3)),
            (2, 8, Stock::FewerThan(3)),
            (10, 11, Stock::Is(2)),
        ];
        assert!(!is_broken(&Counter, &calls));
    }

    #[test]
    fn a_lost_update_is_found() {
        let calls = [
            (0, 1, Stock::More(10)),
            (2, 9, Stock::Fewer(3)),
            (3, 8, Stock::Fewer(4)),
            (10, 11, Stock::Is(7)),
        ];
        assert!(is_broken(&Counter, &calls));
    }

    #[test]
    fn an_effect_that_happened_twice_is_found() {
        let calls = [(0, 1, Stock::More(10)), (2, 3, Stock::Fewer(3)), (4, 5, Stock::Is(4))];
        assert!(is_broken(&Counter, &calls));
    }

    #[test]
    fn a_read_that_forgets_what_was_answered_is_found() {
        let calls = [(0, 1, Stock::More(10)), (2, 3, Stock::Fewer(3)), (4, 5, Stock::Is(10))];
        assert!(is_broken(&Counter, &calls));
        let refused = [(0, 1, Stock::More(10)), (2, 3, Stock::FewerThan(4))];
        assert!(is_broken(&Counter, &refused));
    }

    #[test]
    fn an_answer_from_the_future_is_found() {
        let calls = [(0, 1, Stock::More(10)), (2, 3, Stock::Is(7)), (4, 5, Stock::Fewer(3))];
        assert!(is_broken(&Counter, &calls));
    }

    #[test]
    fn a_read_that_goes_back_is_found() {
        let calls = [
            (0, 1, Stock::More(10)),
            (2, 20, Stock::Fewer(3)),
            (4, 5, Stock::Is(7)),
            (6, 7, Stock::Is(10)),
        ];
        assert!(is_broken(&Counter, &calls));
    }

    #[test]
    fn more_than_there_was_is_found() {
        let calls = [(0, 1, Stock::More(5)), (2, 9, Stock::Fewer(3)), (3, 8, Stock::Fewer(3))];
        assert!(is_broken(&Counter, &calls));
    }

    #[test]
    fn a_reservation_ends_once() {
        let good = [
            (0, 1, Turn::Granted),
            (2, 9, Turn::Ended(Stage::Shipped)),
            (3, 8, Turn::Refused),
            (4, 5, Turn::Is(Stage::Open)),
            (10, 11, Turn::Is(Stage::Shipped)),
        ];
        assert!(!is_broken(&Life, &good));
        let twice = [
            (0, 1, Turn::Granted),
            (2, 9, Turn::Ended(Stage::Shipped)),
            (3, 8, Turn::Ended(Stage::Released)),
        ];
        assert!(is_broken(&Life, &twice));
        let reopened = [
            (0, 1, Turn::Granted),
            (2, 3, Turn::Ended(Stage::Released)),
            (4, 5, Turn::Is(Stage::Open)),
        ];
        assert!(is_broken(&Life, &reopened));
        let too_early = [(0, 1, Turn::Is(Stage::Open)), (2, 3, Turn::Granted)];
        assert!(is_broken(&Life, &too_early));
        let refused_for_nothing = [(0, 1, Turn::Granted), (2, 3, Turn::Refused)];
        assert!(is_broken(&Life, &refused_for_nothing));
    }

    #[test]
    fn an_expiry_has_no_answer_and_no_moment() {
        let mut calls = history(&[(0, 1, Turn::Granted), (9, 10, Turn::Refused)]);
        assert!(matches!(judge(&Life, &calls), Verdict::Broken(_)));
        let (sent, answered) = (Duration::from_millis(5), None);
        calls.push(Timed { sent, answered, call: Turn::Ended(Stage::Expired) });
        assert_eq!(judge(&Life, &calls), Verdict::InOrder);
    }
}
