//! What waits for a domain, and who takes it up.

use tradewind_kernel::event::{Domain, Event};

use super::Versioned;

/// Events for a domain to react to: one consistent cut, in sequence order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// The domain's cursor.
    pub cursor: u64,
    /// Events of types it reacts to, after the cursor.
    pub events: Vec<Event>,
    /// The sequence up to which nothing else of interest lies. When `events` is empty and this is
    /// beyond the cursor, the cursor can move here.
    pub complete_to: u64,
}

/// What a domain asks when it would react and work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakeUp {
    /// The tenant.
    pub tenant: String,
    /// The domain.
    pub domain: Domain,
    /// Who would have the lease.
    pub owner: String,
    /// How long the lease lasts if its owner vanishes, in milliseconds.
    pub millis: u64,
    /// At most about so many events.
    pub events: usize,
    /// At most so many marked items; 0 for a domain that works none.
    pub marks: usize,
    /// So many sequences without interest after the cursor are left alone.
    pub gap: u64,
}

/// The answer to a [`TakeUp`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// Somebody else has the lease.
    Held,
    /// Nothing waits. The lease, if the owner had it, is given back, and with it the count of tries.
    Idle,
    /// The owner has the lease, and something waits.
    Waiting(Box<Waiting>),
}

/// What waits for a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The lease.
    pub lease: Lease,
    /// No event that it reacts to is up to where the cut looked, and the cursor is to be moved there:
    /// further ones may follow, or the gap is wide.
    pub skips: bool,
    /// The record of its unfinished effect.
    pub plan: Option<Versioned>,
    /// Marked items, in no order.
    pub marked: Vec<String>,
    /// Its next events.
    pub cut: Cut,
}

/// A lease that was granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// How often a lease was taken, this time included, since the cursor (or the position beside
    /// it) last moved: how often the first waiting event was tried.
    pub tries: u64,
    /// Milliseconds since the first of these tries, by the store's clock.
    pub tried_for: u64,
}
