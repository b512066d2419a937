//! Judges whether what clients saw at the same time can have happened one after the other.
//!
//! A call has the moment it was sent, the moment its answer came, and the answer. A history of
//! calls is *linearizable* when there is an order of them in which each takes effect at one moment
//! between the two, and every answer is what a sequential [`Model`] gives (Herlihy and Wing 1990).
//! A call without an answer may have taken effect at any moment after it was sent, or never.
//!
//! The search is that of Wing and Gong (1993) with the memory of Lowe (2017): only calls that were
//! sent before the first answer still to be explained can be next, and what was reached once, by
//! the set of calls taken and the state, is not tried again. It stays small because histories are
//! cut by object: see [`objects`].

use std::collections::HashSet;
use std::fmt::Debug;
use std::hash::Hash;
use std::time::Duration;

pub mod logs;
pub mod objects;

/// Sets of calls and states that are tried before the search gives up. A history that is in order
/// takes about as many as it has calls; a search that gives up is told as such and judged a fault.
const MOST_TRIED: usize = 500_000;

/// An object as if it were used by one client at a time.
pub trait Model {
    /// What it remembers.
    type State: Clone + Eq + Hash + Debug;
    /// A call with its answer, if there was one.
    type Call: Debug;

    /// Before the first call.
    fn begin(&self) -> Self::State;

    /// After the call; nothing when the answer is not the one that it gives here.
    fn next(&self, state: &Self::State, call: &Self::Call) -> Option<Self::State>;
}

/// A call in time.
#[derive(Debug, Clone)]
pub struct Timed<C> {
    /// When it was sent, since the clients began.
    pub sent: Duration,
    /// When its answer came; nothing if none did.
    pub answered: Option<Duration>,
    /// The call with its answer.
    pub call: C,
}

/// What a history is found to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// One order explains every answer.
    InOrder,
    /// No order does; how far the best one came, and what it cannot explain.
    Broken(String),
    /// The search was given up.
    Undecided,
}

/// One call taken, and what may follow.
struct Step<S> {
    state: S,
    candidates: Vec<usize>,
    tried: usize,
    by: Option<usize>,
}

/// Judges a history of one object.
#[must_use]
pub fn judge<M: Model>(model: &M, history: &[Timed<M::Call>]) -> Verdict {
    judge_within(model, history, MOST_TRIED)
}

/// As [`judge`], giving up after so many.
fn judge_within<M: Model>(model: &M, history: &[Timed<M::Call>], most: usize) -> Verdict {
    let mut taken = Taken::new(history);
    let mut reached = HashSet::new();
    let mut furthest = (0, String::new());
    let mut steps = vec![taken.step(model.begin(), None)];
    while let Some(step) = steps.last_mut() {
        if taken.unexplained == 0 {
            return Verdict::InOrder;
        }
        if step.tried == 0 && taken.count >= furthest.0 {
            let open: Vec<_> = step.candidates.iter().map(|place| &history[*place]).collect();
            let explained = history.len() - taken.unexplained;
            let text = format!(
                "{explained} of {} calls explained; then it is {:?}, and next was one of {open:?}",
                history.len(),
                step.state,
            );
            furthest = (taken.count, text);
        }
        let Some(place) = step.candidates.get(step.tried).copied() else {
            let by = step.by;
            steps.pop();
            if let Some(place) = by {
                taken.give_back(place);
            }
            continue;
        };
        step.tried += 1;
        let Some(next) = model.next(&step.state, &history[place].call) else { continue };
        taken.take(place);
        if reached.len() >= most {
            return Verdict::Undecided;
        }
        if reached.insert((taken.bits.clone(), next.clone())) {
            steps.push(taken.step(next, Some(place)));
        } else {
            taken.give_back(place);
        }
    }
    Verdict::Broken(furthest.1)
}

/// Which calls of a history were taken.
struct Taken<'a, C> {
    history: &'a [Timed<C>],
    /// Places in the history, the ones answered first in front and those without an answer last.
    by_answer: Vec<usize>,
    bits: Vec<u64>,
    count: usize,
    /// Calls with an answer that are not taken yet.
    unexplained: usize,
}

impl<'a, C> Taken<'a, C> {
    fn new(history: &'a [Timed<C>]) -> Self {
        let mut by_answer: Vec<usize> = (0..history.len()).collect();
        by_answer.sort_by_key(|place| {
            let answered = history[*place].answered;
            (answered.is_none(), answered)
        });
        let unexplained = history.iter().filter(|one| one.answered.is_some()).count();
        let bits = vec![0; history.len().div_ceil(64)];
        Self { history, by_answer, bits, count: 0, unexplained }
    }

    fn has(&self, place: usize) -> bool {
        self.bits[place / 64] >> (place % 64) & 1 == 1
    }

    fn flip(&mut self, place: usize) {
        self.bits[place / 64] ^= 1 << (place % 64);
    }

    fn take(&mut self, place: usize) {
        self.flip(place);
        self.count += 1;
        self.unexplained -= usize::from(self.history[place].answered.is_some());
    }

    fn give_back(&mut self, place: usize) {
        self.flip(place);
        self.count -= 1;
        self.unexplained += usize::from(self.history[place].answered.is_some());
    }

    /// What may be next: whatever was sent before the first answer that is still to be explained.
    fn step<S>(&self, state: S, by: Option<usize>) -> Step<S> {
        let mut open = self.by_answer.iter().copied().filter(|place| !self.has(*place));
        let horizon = open.clone().next().and_then(|place| self.history[place].answered);
        let mut candidates = Vec::new();
        if let Some(horizon) = horizon {
            candidates.extend(open.by_ref().filter(|place| self.history[*place].sent <= horizon));
        }
        Step { state, candidates, tried: 0, by }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A counter that answers what it was.
    struct Tickets;

    impl Model for Tickets {
        type State = u32;
        type Call = Option<u32>;

        fn begin(&self) -> u32 {
            0
        }

        fn next(&self, state: &u32, call: &Option<u32>) -> Option<u32> {
            call.is_none_or(|answer| answer == *state).then_some(state + 1)
        }
    }

    fn history(calls: &[(u64, Option<u64>, Option<u32>)]) -> Vec<Timed<Option<u32>>> {
        let at = Duration::from_millis;
        let timed = |(sent, answered, call): &(u64, Option<u64>, Option<u32>)| Timed {
            sent: at(*sent),
            answered: answered.map(at),
            call: *call,
        };
        calls.iter().map(timed).collect()
    }

    #[test]
    fn calls_at_once_may_be_in_any_order() {
        let at_once = history(&[(0, Some(10), Some(1)), (1, Some(9), Some(0))]);
        assert_eq!(judge(&Tickets, &at_once), Verdict::InOrder);
    }

    #[test]
    fn calls_one_after_the_other_keep_their_order() {
        let swapped = history(&[(0, Some(1), Some(1)), (2, Some(3), Some(0))]);
        assert!(matches!(judge(&Tickets, &swapped), Verdict::Broken(_)));
    }

    #[test]
    fn a_call_without_an_answer_may_count_or_not() {
        for seen in [0, 1] {
            let lost = history(&[(0, None, None), (5, Some(6), Some(seen))]);
            assert_eq!(judge(&Tickets, &lost), Verdict::InOrder, "{seen}");
        }
        let twice = history(&[(0, None, None), (5, Some(6), Some(2))]);
        assert!(matches!(judge(&Tickets, &twice), Verdict::Broken(_)));
        let before_it_was_sent = history(&[(7, None, None), (5, Some(6), Some(1))]);
        assert!(matches!(judge(&Tickets, &before_it_was_sent), Verdict::Broken(_)));
    }

    #[test]
    fn a_search_that_is_given_up_says_so() {
        let many: Vec<_> = (0..20).map(|_| (0, Some(10), Some(99))).collect();
        assert!(matches!(judge(&Tickets, &history(&many)), Verdict::Broken(_)));
        let open: Vec<_> =
            (0..20).map(|_| (0, None, None)).chain([(5, Some(6), Some(30))]).collect();
        assert_eq!(judge_within(&Tickets, &history(&open), 10), Verdict::Undecided);
    }
}
