//! The simulation: the six domains in one process on the in-memory store, and one seed that decides
//! everything: what clients ask, how their requests interleave, when time passes, what crashes.
//!
//! * [`generator`] chooses [`step`]s, [`player`] plays them; a list of steps can be played again.
//! * [`world`] runs requests as futures on instances, over the [`seam`]: the store as they see it.
//! * [`observer`] takes every commit into the [`model`], which says what must be answered
//!   ([`answers`]); `audit` looks at everything when nothing goes on.
//! * [`planted`] are bugs that the simulation must find; [`shrink`] shortens a failing history.
//!
//! `docs/simulation.md` says what is covered and what is not.

pub mod answers;
mod audit;
pub mod command;
pub mod flight;
pub mod generator;
pub mod history;
mod invariants;
mod ledger;
pub mod model;
mod moments;
pub mod observer;
pub mod planted;
pub mod player;
mod reads;
mod request;
pub mod seam;
pub mod shrink;
mod states;
pub mod step;
pub mod world;
