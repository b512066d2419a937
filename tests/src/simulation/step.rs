//! Steps: what a history is made of. A list of them can be played again, whole or in part.

use std::fmt;

use tradewind_kernel::event::Domain;

use super::command::{Command, Label};
use super::seam::Trouble;

/// What becomes of the nudges that are published while a step runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Nudges {
    Delivered,
    Late,
    Lost,
}

/// When an instance vanishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vanishes {
    /// After so many turns of all tasks.
    Turn(u64),
    /// As soon as its commit of this number has taken effect, before it knows.
    Commit(u64),
}

impl fmt::Display for Vanishes {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Turn(turn) => write!(to, "at turn {turn}"),
            Self::Commit(number) => write!(to, "after its commit {number}"),
        }
    }
}

/// One step: time passes, commands are sent at once (or one after the other), things go wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Decides the interleaving, ids, and which calls fail.
    pub seed: u64,
    /// Milliseconds by which the business clock moves first.
    pub advance: i64,
    /// What is sent, to which instance.
    pub commands: Vec<(Label, u8, Command)>,
    /// Whether each command waits for the answer of the one before.
    pub serial: bool,
    /// Whether every domain is ticked meanwhile.
    pub ticks: bool,
    /// What becomes of nudges.
    pub nudges: Nudges,
    /// What goes wrong with the store.
    pub trouble: Trouble,
    /// This domain crashes whenever it tries an effect, until the event is parked.
    pub poison: Option<Domain>,
    /// An instance vanishes.
    pub crash: Option<(u8, Vanishes)>,
    /// Whether everything comes to rest before and after the commands, so that they are the only
    /// cause of what changes.
    pub alone: bool,
    /// Whether everything comes to rest afterwards and is audited.
    pub settle: bool,
    /// Whether the product's own checks are asked after that.
    pub last: bool,
}

impl Step {
    /// A step in which nothing happens.
    #[must_use]
    pub fn quiet(seed: u64) -> Self {
        Self {
            seed,
            advance: 0,
            commands: Vec::new(),
            serial: false,
            ticks: false,
            nudges: Nudges::Delivered,
            trouble: Trouble::default(),
            poison: None,
            crash: None,
            alone: false,
            settle: false,
            last: false,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = Vec::new();
        if self.advance > 0 {
            words.push(format!("{} s later", self.advance / 1000));
        }
        if self.ticks {
            words.push("all tick".to_owned());
        }
        if self.nudges != Nudges::Delivered {
            words.push(format!("nudges {:?}", self.nudges).to_lowercase());
        }
        let Trouble { fail_before, fail_after } = &self.trouble;
        if fail_before + fail_after > 0 {
            words.push(format!("{fail_before}‰ of calls fail before, {fail_after}‰ after"));
        }
        words.extend(self.poison.map(|domain| format!("{domain} crashes on its next event")));
        words.extend(self.crash.map(|(who, when)| format!("instance {who} vanishes {when}")));
        if self.alone {
            words.push("at rest before and after".to_owned());
        }
        if self.settle {
            words.push("then all comes to rest".to_owned());
        }
        if self.last {
            words.push("the product checks itself".to_owned());
        }
        writeln!(to, "step {:016x}: {}", self.seed, words.join(", "))?;
        for (label, instance, command) in &self.commands {
            writeln!(to, "    #{label} on {instance}: {command:?}")?;
        }
        Ok(())
    }
}

/// What is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What kind of thing: two findings of one kind are taken for the same.
    pub kind: String,
    /// Everything about it.
    pub detail: String,
}

impl Finding {
    /// A finding.
    #[must_use]
    pub fn new(kind: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { kind: kind.into(), detail: detail.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{}: {}", self.kind, self.detail)
    }
}
