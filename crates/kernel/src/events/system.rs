//! Events that every domain can say: what the shell itself appends.

use serde::{Deserialize, Serialize};

use crate::event::Event;
use crate::refusal::Fault;

/// A role tried what it may not, or an approval was refused: `{domain}.access-refused`. The type
/// has the domain in it, so this payload has no fixed type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessRefused {
    /// The method and path that were tried.
    pub attempt: String,
    /// The refusal's code.
    pub code: String,
    /// The roles of the token.
    pub roles: Vec<String>,
    /// How many further refusals of the same subject this one stands for.
    #[serde(default)]
    pub further: u64,
}

/// An event could not be processed and was set aside: `{domain}.event-parked`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventParked {
    /// The id of the parked event.
    pub event: String,
    /// Its type.
    pub kind: String,
    /// Its correlation.
    pub correlation: String,
    /// Why: the refusal's code and words, or that it was tried in vain.
    pub why: String,
    /// The faults, if there are any.
    #[serde(default)]
    pub faults: Vec<Fault>,
}

/// A parked event was dismissed by a person: `{domain}.event-dismissed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventDismissed {
    /// The id of the parked event.
    pub event: String,
}

/// A person had a parked event processed once more: `{domain}.event-replayed`. The domain reacts
/// to it as it would have to the event inside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventReplayed {
    /// The id of the parked event.
    pub event: String,
    /// The parked event itself.
    pub replayed: Event,
}
