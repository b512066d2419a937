//! The pure values and words of Tradewind.
//!
//! Everything here is plain data and arithmetic: no input or output, no clock, no randomness, no
//! binary floating point, and nothing of ours is imported. Every other crate builds on these
//! types, so a value that has passed through here can no longer be malformed.

pub mod asks;
pub mod calendar;
pub mod canonical;
pub mod decision;
pub mod event;
pub mod events;
pub mod id;
pub mod money;
pub mod published;
pub mod quantity;
pub mod ratio;
pub mod refusal;
pub mod role;
mod text_form;
pub mod time;

pub use calendar::Calendar;
pub use decision::Decision;
pub use event::{Domain, Event, NewEvent};
pub use id::Id;
pub use money::{Currency, Money};
pub use quantity::Quantity;
pub use ratio::Ratio;
pub use refusal::{Fault, Refusal};
pub use role::Role;
pub use time::{Day, Instant};
