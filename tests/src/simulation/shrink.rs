//! Shrinking: a failing history becomes a short one that fails in the same way.

use super::history::Beginning;
use super::planted::Planted;
use super::step::{Finding, Nudges, Step};

/// Histories that are tried at most.
const MOST_TRIES: usize = 4_000;

/// Steps as short as they get while the same kind of finding remains, and that finding.
#[must_use]
pub fn shrink(
    beginning: &Beginning,
    steps: &[Step],
    finding: &Finding,
    planted: Option<Planted>,
) -> (Vec<Step>, Finding) {
    let mut shrinker =
        Shrinker { beginning, planted, best: (steps.to_vec(), finding.clone()), tries: 0 };
    loop {
        let before = shrinker.best.0.clone();
        shrinker.drop_steps();
        shrinker.drop_commands();
        shrinker.calm();
        if shrinker.best.0 == before || shrinker.tries >= MOST_TRIES {
            return shrinker.best;
        }
    }
}

struct Shrinker<'a> {
    beginning: &'a Beginning,
    planted: Option<Planted>,
    best: (Vec<Step>, Finding),
    tries: usize,
}

impl Shrinker<'_> {
    /// Takes a history if it fails in the same way.
    fn take(&mut self, steps: Vec<Step>) -> bool {
        self.tries += 1;
        if self.tries > MOST_TRIES || steps == self.best.0 {
            return false;
        }
        match self.beginning.again(&steps, self.planted) {
            Some(finding) if finding.kind == self.best.1.kind => {
                self.best = (steps, finding);
                true
            }
            _ => false,
        }
    }

    /// Drops runs of steps, long ones first.
    fn drop_steps(&mut self) {
        let mut length = self.best.0.len().div_ceil(2);
        while length > 0 {
            let mut start = 0;
            while start < self.best.0.len() {
                let end = (start + length).min(self.best.0.len());
                let mut fewer = self.best.0.clone();
                fewer.drain(start..end);
                if !self.take(fewer) {
                    start += length;
                }
            }
            length /= 2;
        }
    }

    fn drop_commands(&mut self) {
        for place in 0..self.best.0.len() {
            let mut number = 0;
            while number < self.best.0[place].commands.len() {
                let mut fewer = self.best.0.clone();
                fewer[place].commands.remove(number);
                if !self.take(fewer) {
                    number += 1;
                }
            }
        }
    }

    /// Leaves out what goes wrong, one thing after the other.
    fn calm(&mut self) {
        let calmer: [fn(&mut Step); 10] = [
            |step| step.crash = None,
            |step| step.poison = None,
            |step| step.trouble = super::seam::Trouble::default(),
            |step| step.nudges = Nudges::Delivered,
            |step| step.ticks = false,
            |step| step.serial = true,
            |step| step.advance = 0,
            |step| step.alone = false,
            |step| step.settle = false,
            |step| step.last = false,
        ];
        for place in 0..self.best.0.len() {
            for calm in calmer {
                let mut calmed = self.best.0.clone();
                calm(&mut calmed[place]);
                self.take(calmed);
            }
        }
    }
}
