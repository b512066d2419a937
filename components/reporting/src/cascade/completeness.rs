//! Completeness: whether everything that follows from a cause has happened.

use std::collections::BTreeMap;

use tradewind_kernel::event::{Domain, Event, reactors};

use super::ParkedEvent;

/// Where the domains stand, read at one moment with the list of the cascade's events.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Standing {
    /// The cursor of each domain.
    pub cursors: BTreeMap<Domain, u64>,
    /// Events of this correlation that are parked.
    pub parked: Vec<ParkedEvent>,
    /// An item is marked, or a large effect is half written, for this correlation.
    pub pending: bool,
}

/// Whether every domain has passed each event of a type it reacts to, none is parked, and nothing
/// still waits for this correlation.
#[must_use]
pub fn is_complete(events: &[Event], standing: &Standing) -> bool {
    let passed = |event: &Event| {
        reactors(event.kind()).all(|domain| {
            standing.cursors.get(&domain).is_some_and(|cursor| *cursor >= event.sequence)
        })
    };
    standing.parked.is_empty() && !standing.pending && events.iter().all(passed)
}
