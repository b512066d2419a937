//! The score of a supplier: 0 to 100, one decimal, from four weighted parts (domain.md §5).
//!
//! A part without data drops out and the others are scaled up; without any data there is no score.
//! Everything is exact decimals; the one rounding, to the shown decimals, is half to even.

use rust_decimal::{Decimal, RoundingStrategy};
use tradewind_kernel::events::suppliers::{ScoreChanged, ScoreMeasure, ScorePart};
use tradewind_kernel::{Id, Quantity, Ratio};

use crate::tally::Tally;

/// Decimals of a part's value.
const PART_DECIMALS: u32 = 6;

/// Decimals at which the noise of an inexact division is cut off before a score is rounded: a
/// score of exactly 83.25 must not depend on the order of its additions.
const NOISE_DECIMALS: u32 = 15;

/// A score and what it is made of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Score {
    /// 0 to 100, one decimal; none without data.
    pub value: Option<Ratio>,
    /// The parts, always all four.
    pub parts: Vec<ScorePart>,
}

impl Score {
    /// The score that these sums give.
    #[must_use]
    pub fn of(tally: &Tally) -> Self {
        let parts = [
            (ScoreMeasure::OnTimeInFull, 50, tally.on_time, tally.due),
            (ScoreMeasure::ConfirmationReliability, 20, tally.confirmed_in_time, tally.confirmed),
            (ScoreMeasure::FillRate, 20, tally.closed_accepted, tally.closed_ordered),
            (ScoreMeasure::Quality, 10, tally.accepted, tally.received),
        ];
        let mut sum = Decimal::ZERO;
        let mut weights = Decimal::ZERO;
        for (_, weight, good, of) in parts {
            if let Some(share) = share(good, of) {
                sum = sum.saturating_add(share.saturating_mul(Decimal::from(weight)));
                weights = weights.saturating_add(Decimal::from(weight));
            }
        }
        let hundredfold = sum.saturating_mul(Decimal::ONE_HUNDRED);
        let value = hundredfold.checked_div(weights).map(one_decimal);
        let parts = parts.into_iter().map(|(name, weight, good, of)| ScorePart {
            name,
            value: share(good, of).map(|share| shown(share, PART_DECIMALS)),
            weight: Ratio(Decimal::from(weight)),
            of,
        });
        Self { value, parts: parts.collect() }
    }

    /// What to tell when the score or a part moved from `before` to this.
    #[must_use]
    pub fn moved_from(self, before: Self, supplier: &Id) -> Option<ScoreChanged> {
        (before != self).then(|| ScoreChanged {
            supplier: supplier.clone(),
            before: before.value,
            after: self.value,
            parts_before: before.parts,
            parts: self.parts,
        })
    }
}

fn share(good: Quantity, of: Quantity) -> Option<Decimal> {
    Decimal::from(good).checked_div(Decimal::from(of))
}

fn one_decimal(value: Decimal) -> Ratio {
    let clean = half_to_even(value, NOISE_DECIMALS);
    let mut rounded = half_to_even(clean, 1);
    rounded.rescale(1);
    Ratio(rounded)
}

/// A value with at most so many decimals, without trailing zeros.
#[must_use]
pub fn shown(value: Decimal, decimals: u32) -> Ratio {
    Ratio(half_to_even(value, decimals).normalize())
}

fn half_to_even(value: Decimal, decimals: u32) -> Decimal {
    value.round_dp_with_strategy(decimals, RoundingStrategy::MidpointNearestEven)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(tally: &Tally) -> Option<String> {
        Score::of(tally).value.map(|value| value.to_string())
    }

    /// S1 of main-job.md, before its late confirmation.
    fn s1() -> Tally {
        Tally {
            due: 3,
            on_time: 2,
            confirmed: 4,
            confirmed_in_time: 4,
            closed_ordered: 300,
            closed_accepted: 300,
            accepted: 300,
            received: 306,
            ..Tally::default()
        }
    }

    #[test]
    fn main_job_83_1_falls_to_78_1() {
        assert_eq!(text(&s1()).as_deref(), Some("83.1"));
        let late = Tally { confirmed_in_time: 3, ..s1() };
        assert_eq!(text(&late).as_deref(), Some("78.1"));
        let id: Id = "S1".parse().unwrap();
        let moved = Score::of(&late).moved_from(Score::of(&s1()), &id).unwrap();
        let value = |parts: &[ScorePart]| parts[1].value.map(|value| value.to_string());
        assert_eq!(value(&moved.parts_before).as_deref(), Some("1"));
        assert_eq!(value(&moved.parts).as_deref(), Some("0.75"));
        assert_eq!(
            moved.parts[0].value.map(|value| value.to_string()).as_deref(),
            Some("0.666667")
        );
        assert_eq!(Score::of(&late).moved_from(Score::of(&late), &id), None);
    }

    #[test]
    fn parts_without_data_drop_out_and_the_others_are_scaled() {
        assert_eq!(text(&Tally::default()), None);
        assert_eq!(Score::of(&Tally::default()).parts.len(), 4);
        let confirmed = Tally { confirmed: 2, confirmed_in_time: 1, ..Tally::default() };
        assert_eq!(text(&confirmed).as_deref(), Some("50.0"));
        let with_quality = Tally { accepted: 1, received: 1, ..confirmed };
        assert_eq!(text(&with_quality).as_deref(), Some("66.7"), "(10 + 10) of 30");
        assert_eq!(text(&Tally { received: 5, ..Tally::default() }).as_deref(), Some("0.0"));
    }

    #[test]
    fn a_tie_is_rounded_half_to_even_whatever_the_divisions() {
        // 50/3 + 20·2/3 + 20 + 10·0.525 = 55.25
        let tie = Tally {
            due: 3,
            on_time: 1,
            confirmed: 3,
            confirmed_in_time: 2,
            closed_ordered: 1,
            closed_accepted: 1,
            accepted: 21,
            received: 40,
            ..Tally::default()
        };
        assert_eq!(text(&tie).as_deref(), Some("55.2"));
    }
}
