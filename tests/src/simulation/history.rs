//! Histories: a seed becomes steps, and what they found.

use std::fmt;

use super::generator::{Generator, setup};
use super::planted::Planted;
use super::player::{Counts, Player};
use super::shrink::shrink;
use super::step::{Finding, Step};
use crate::chance::Chance;

/// Labels of a history begin here; those before it are of the set-up.
const FIRST_LABEL: u32 = 100;

/// Steps of most seeds: enough for a purchase to be received and claims to expire, few enough for a
/// thousand seeds in every test run.
pub const STEPS: usize = 8;

/// One seed in so many is a long history: what grows with time is then seen as well.
const LONG_EVERY: u64 = 100;

/// Steps of a long history, at least, and how many more it may have.
const LONG_STEPS: usize = 100;
const MORE_STEPS: u64 = 201;

/// How many steps a seed has, unless somebody says otherwise.
#[must_use]
pub fn length(seed: u64) -> usize {
    if !seed.is_multiple_of(LONG_EVERY) {
        return STEPS;
    }
    let more = Chance::new(seed).below(MORE_STEPS);
    LONG_STEPS + usize::try_from(more).unwrap_or(0)
}

/// Begins histories: the set-up is done once.
pub struct Beginning {
    player: Player,
}

/// What became of a seed.
pub struct Ending {
    /// The seed.
    pub seed: u64,
    /// How many steps it was to have.
    pub length: usize,
    /// The steps as far as they were played.
    pub steps: Vec<Step>,
    /// The first thing that is not as it must be.
    pub finding: Option<Finding>,
    /// What was counted.
    pub counts: Counts,
    /// The store as text: the same for the same seed.
    pub contents: String,
}

/// A failing history, shortened.
pub struct Shortened {
    /// The seed.
    pub seed: u64,
    /// What is left of its steps.
    pub steps: Vec<Step>,
    /// What they find.
    pub finding: Finding,
    /// How to play the seed again.
    pub replay: String,
}

impl fmt::Display for Shortened {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(to, "seed {}: {}", self.seed, self.finding)?;
        writeln!(to, "shortened history:")?;
        for step in &self.steps {
            write!(to, "{step}")?;
        }
        writeln!(to, "replay: {}", self.replay)
    }
}

impl Beginning {
    /// Sets a tenant up.
    ///
    /// # Errors
    /// Even that is not as it must be.
    pub fn new() -> Result<Self, Finding> {
        let mut player = Player::new(None);
        player.play(&setup())?;
        Ok(Self { player })
    }

    /// What was counted of the set-up.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.player.counts
    }

    /// Plays so many steps of a seed.
    #[must_use]
    pub fn seed(&self, seed: u64, steps: usize, planted: Option<Planted>) -> Ending {
        let mut player = self.player.fork(planted);
        let mut generator = Generator::new(seed, FIRST_LABEL);
        let (mut played, mut finding) = (Vec::new(), None);
        for number in 1..=steps {
            let step = generator.step(player.known(), number == steps);
            let result = player.play(&step);
            played.push(step);
            if let Err(found) = result {
                finding = Some(found);
                break;
            }
        }
        let contents = player.contents();
        Ending { seed, length: steps, steps: played, finding, counts: player.counts, contents }
    }

    /// Plays steps again.
    #[must_use]
    pub fn again(&self, steps: &[Step], planted: Option<Planted>) -> Option<Finding> {
        let mut player = self.player.fork(planted);
        steps.iter().find_map(|step| player.play(step).err())
    }

    /// A failing history, as short as it gets.
    #[must_use]
    pub fn shortened(&self, ending: &Ending, planted: Option<Planted>) -> Option<Shortened> {
        let finding = ending.finding.as_ref()?;
        let (steps, finding) = shrink(self, &ending.steps, finding, planted);
        let (seed, mut replay) = (ending.seed, format!("cargo xtask sim {}", ending.seed));
        if ending.length != length(ending.seed) {
            replay.push_str(&format!(" --steps {}", ending.length));
        }
        if let Some(planted) = planted {
            replay.push_str(&format!(" --planted {planted:?}"));
        }
        Some(Shortened { seed, steps, finding, replay })
    }
}
