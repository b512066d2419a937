//! The smallest quantity that helps, where more may hurt: a larger release can let a larger line of
//! a higher priority take the units that a smaller one would have left to another.
//!
//! So quantities are not only halved. Few of them are tried one by one. Of many, those are tried
//! first, the smallest first, at which something can change: what single lines lack, alone and with
//! what others would take or give up (`hints`). Below the first that helps, down to the one before
//! it, the rest is halved. Advice within a bounded number of trials: exact where every quantity is
//! tried, else the smallest of those that were.

use std::collections::BTreeSet;

use tradewind_kernel::events::inventory::{Holding, PromiseMove};
use tradewind_kernel::{Day, Id, Quantity};

use crate::mitigation::Situation;

/// Up to so many units, every quantity is tried: as many trials as a search costs anyway.
pub(super) const EVERY: Quantity = 16;

/// Hints that are tried before halving, at most: those of a handful of lines.
pub(super) const MOST_HINTS: usize = 24;

/// A line that got worse, and the day that it was promised before.
pub(super) type Worse = (PromiseMove, Day);

/// Lines that are looked at for hints, those that lack least first.
const HINTING_LINES: usize = 6;

/// Other lines whose units are added up for a hint, the smallest first.
const SUMMED_LINES: usize = 3;

/// What the trial of a quantity says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tried<G> {
    /// It helps, and what it brings.
    Helps(G),
    /// It does not help.
    Fails,
    /// There are no trials left, or it makes no sense any more.
    Ended,
}

/// What a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found<G> {
    /// The smallest quantity that was found to help, and what it brings.
    Quantity(Quantity, G),
    /// No quantity that was tried helps.
    Nothing,
    /// The trials ran out before one helped.
    Ended,
}

/// Searches the smallest quantity from 1 to `most` that helps; at most `limit` of the `hints` are
/// tried, the first of which are the most likely.
///
/// # Errors
/// Those of a trial.
pub(super) async fn smallest<G, E>(
    most: Quantity,
    hints: &[Quantity],
    limit: usize,
    try_out: impl AsyncFn(Quantity) -> Result<Tried<G>, E>,
) -> Result<Found<G>, E> {
    let (mut too_few, mut found) = (0, None);
    for quantity in candidates(most, hints, limit) {
        match try_out(quantity).await? {
            Tried::Helps(gain) => {
                found = Some((quantity, gain));
                break;
            }
            Tried::Fails => too_few = quantity,
            Tried::Ended => return Ok(Found::Ended),
        }
    }
    let Some((mut enough, mut gain)) = found else { return Ok(Found::Nothing) };
    while enough.saturating_sub(too_few) > 1 {
        let middle = too_few.midpoint(enough);
        match try_out(middle).await? {
            Tried::Helps(better) => (enough, gain) = (middle, better),
            Tried::Fails => too_few = middle,
            Tried::Ended => break,
        }
    }
    Ok(Found::Quantity(enough, gain))
}

/// The quantities that are tried before halving.
fn candidates(most: Quantity, hints: &[Quantity], limit: usize) -> BTreeSet<Quantity> {
    if most <= EVERY {
        return (1..=most).collect();
    }
    let mut candidates = BTreeSet::from([most]);
    for hint in hints.iter().filter(|hint| (1..=most).contains(*hint)) {
        if candidates.len() > limit {
            break;
        }
        candidates.insert(*hint);
    }
    candidates
}

/// Quantities of a protection at whose release a line that got worse may come back, the most likely
/// first. What is short of the protection is given up first and frees nothing; then comes what a
/// line lacks, or, when only a part of it waits for the `late` units, that part; with what the
/// protection keeps where the line is not served; with what lines before it would take, of present
/// units alone or of the late ones too; less what lines after it have.
pub(super) fn hints(
    situation: &Situation,
    worse: &[Worse],
    holding: &Holding,
    late: Quantity,
) -> Vec<Quantity> {
    let worse = lacks(situation, worse, Some(holding));
    let waiting = |lack: &Lack<'_>| late.saturating_sub(lack.left_later);
    let single = worse.iter().flat_map(|lack| [lack.units, waiting(lack)]);
    let elsewhere = worse
        .iter()
        .flat_map(|lack| lack.elsewhere.iter().map(|units| lack.units.saturating_add(*units)));
    let taken = worse.iter().flat_map(|lack| {
        let sums = lack.sums(situation, true).into_iter();
        sums.map(|units| lack.units.saturating_add(units))
            .flat_map(move |units| [units, units.saturating_sub(late)])
    });
    let given = worse.iter().flat_map(|lack| {
        let sums = lack.sums(situation, false).into_iter();
        sums.map(|units| lack.units.saturating_sub(units))
    });
    let all = single.chain(elsewhere).chain(taken).chain(given);
    all.map(|units| units.saturating_add(holding.short)).collect()
}

/// What single lines lack to come back, the least first.
pub(super) fn single(situation: &Situation, worse: &[Worse]) -> Vec<Quantity> {
    lacks(situation, worse, None).iter().map(|lack| lack.units).collect()
}

fn lacks<'a>(
    situation: &'a Situation,
    worse: &'a [Worse],
    holding: Option<&Holding>,
) -> Vec<Lack<'a>> {
    let found = worse.iter().filter_map(|line| Lack::of(situation, line, holding));
    let mut found: Vec<Lack<'_>> = found.collect();
    found.sort_by_key(|lack| (lack.units, lack.rank));
    found.truncate(HINTING_LINES);
    found
}

/// A line's place in the queue, as far as it is known here.
type Rank<'a> = (u32, Day, &'a Id, u32);

/// What a line that got worse lacks to come back.
struct Lack<'a> {
    line: &'a PromiseMove,
    rank: Rank<'a>,
    /// The day that it was promised.
    day: Day,
    /// Its units less what is left over for it by then.
    units: Quantity,
    /// What is left over for it on later days.
    left_later: Quantity,
    /// What the protection keeps where or when it is of no use to the line, added up.
    elsewhere: Vec<Quantity>,
}

impl<'a> Lack<'a> {
    fn of(
        situation: &'a Situation,
        (line, day): &'a Worse,
        holding: Option<&Holding>,
    ) -> Option<Self> {
        let day = *day;
        let nodes = &situation.channels.get(line.channel.as_str())?.nodes;
        let serves = |node: &Id, from: Day| nodes.contains(node) && from <= day;
        let (mut left, mut left_later) = (0, 0);
        for piece in situation.base.left_over.iter().filter(|piece| nodes.contains(&piece.node)) {
            let sum: &mut Quantity = if piece.day <= day { &mut left } else { &mut left_later };
            *sum = sum.saturating_add(piece.quantity);
        }
        let mut pieces: Vec<(Day, Quantity)> = holding
            .into_iter()
            .flat_map(|holding| &holding.pieces)
            .filter(|piece| !serves(&piece.node, piece.day))
            .map(|piece| (piece.day, piece.quantity))
            .collect();
        pieces.sort_unstable();
        let sum = |sum: &mut Quantity, (_, quantity): (Day, Quantity)| {
            *sum = sum.saturating_add(quantity);
            Some(*sum)
        };
        let elsewhere = pieces.into_iter().scan(0, sum).collect();
        let units = line.quantity.saturating_sub(left).max(1);
        Some(Self { line, rank: rank(situation, line), day, units, left_later, elsewhere })
    }

    /// Sums of what other lines could take before this one (those that wait for a better day), or
    /// of what those after it have by its day.
    fn sums(&self, situation: &'a Situation, before: bool) -> BTreeSet<Quantity> {
        let concerns = |line: &&PromiseMove| {
            let other = rank(situation, line);
            match before {
                true => other < self.rank && line.new_day.is_none_or(|day| day > line.wanted),
                false => other > self.rank && line.new_day.is_some_and(|day| day <= self.day),
            }
        };
        let lines = situation.base.lines.iter().filter(|line| **line != *self.line);
        let mut units: Vec<Quantity> = lines.filter(concerns).map(|line| line.quantity).collect();
        units.sort_unstable();
        units.truncate(SUMMED_LINES);
        units.into_iter().fold(BTreeSet::new(), |sums, units| {
            let more: Vec<Quantity> =
                sums.iter().map(|sum: &Quantity| sum.saturating_add(units)).collect();
            sums.into_iter().chain(more).chain([units]).collect()
        })
    }
}

fn rank<'a>(situation: &Situation, line: &'a PromiseMove) -> Rank<'a> {
    let channel = situation.channels.get(line.channel.as_str());
    (channel.map_or(u32::MAX, |channel| channel.priority), line.wanted, &line.order, line.line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::executor::block_on;
    use proptest::prelude::*;
    use std::convert::Infallible;

    /// Lines in the order of the queue that want the same day: units, and whether it got worse.
    type Lines = Vec<(Quantity, bool)>;

    /// Whether a line that got worse is served when so many units are released to so many free ones:
    /// each in turn takes all that it wants or nothing.
    fn recovers(lines: &Lines, free: Quantity, released: Quantity) -> bool {
        let mut pool = free + released;
        let mut served = false;
        for (units, worse) in lines {
            if *units <= pool {
                pool -= units;
                served |= worse;
            }
        }
        served
    }

    fn found(most: Quantity, hints: &[Quantity], helps: impl Fn(Quantity) -> bool) -> Option<i64> {
        let try_out = async |quantity| {
            let tried = if helps(quantity) { Tried::Helps(()) } else { Tried::Fails };
            Ok::<_, Infallible>(tried)
        };
        match block_on(smallest(most, hints, MOST_HINTS, try_out)).unwrap() {
            Found::Quantity(quantity, ()) => Some(quantity),
            Found::Nothing => None,
            Found::Ended => panic!("nothing ends these trials"),
        }
    }

    #[test]
    fn a_larger_release_that_another_line_takes_hides_nothing() {
        // 20 serve the small line; from 50 on the large one before it takes them.
        let lines = vec![(500, false), (200, true)];
        let helps = |quantity| recovers(&lines, 0, quantity);
        assert!(!helps(600) && !helps(500) && helps(499) && helps(200) && !helps(199));
        assert_eq!(found(600, &[200, 500], helps), Some(200));
        assert_eq!(found(600, &[], helps), None, "without a hint only the whole is tried");
        assert_eq!(found(700, &[], helps), Some(200), "which serves both lines here");
    }

    #[test]
    fn trials_that_run_out_are_told() {
        let ended = async |_| Ok::<Tried<()>, Infallible>(Tried::Ended);
        assert_eq!(block_on(smallest(5, &[], 1, ended)).unwrap(), Found::Ended);
        let first = async |quantity| {
            Ok::<_, Infallible>(if quantity == 90 { Tried::Helps(()) } else { Tried::Ended })
        };
        assert_eq!(block_on(smallest(100, &[90], 1, first)).unwrap(), Found::Quantity(90, ()));
    }

    proptest! {
        #[test]
        fn few_units_are_searched_exactly(
            lines in prop::collection::vec((1i64..20, any::<bool>()), 0..6),
            free in 0i64..10, most in 0i64..=EVERY,
        ) {
            let helps = |quantity| recovers(&lines, free, quantity);
            prop_assume!(!helps(0));
            prop_assert_eq!(found(most, &[], helps), (1..=most).find(|units| helps(*units)));
        }

        #[test]
        fn hints_at_every_change_make_any_quantity_exact(
            lines in prop::collection::vec((1i64..200, any::<bool>()), 0..4),
            free in 0i64..50, most in 1i64..400,
        ) {
            let helps = |quantity| recovers(&lines, free, quantity);
            prop_assume!(!helps(0));
            // Something changes only where a sum of some lines fits exactly.
            let sums = lines.iter().fold(BTreeSet::from([0]), |sums, (units, _)| {
                sums.iter().flat_map(|sum| [*sum, sum + units]).collect()
            });
            let hints: Vec<Quantity> = sums.into_iter().map(|sum| sum - free).collect();
            prop_assert_eq!(found(most, &hints, helps), (1..=most).find(|units| helps(*units)));
        }
    }
}
