//! Every key that reporting owns in the store, relative to the tenant.

use tradewind_kernel::Id;

/// The record of the newest entry of the audit chain.
pub const AUDIT_HEAD: &str = "reporting:audit-head";

/// The record of the correlations of the last turns of the day.
pub const TURNS: &str = "reporting:turns";

/// The set of what is wrong now: a member per cause, with the id of its open exception.
pub const WATCHES: &str = "reporting:watches";

/// The set of suppliers with something open, or stopped.
pub const SUPPLIERS: &str = "reporting:suppliers";

/// The index of all exceptions.
pub const EXCEPTIONS: &str = "reporting:exceptions";

/// The index of open exceptions.
pub const OPEN_EXCEPTIONS: &str = "reporting:exceptions:open";

/// The index of closed exceptions.
pub const CLOSED_EXCEPTIONS: &str = "reporting:exceptions:closed";

/// A set of audit entries, a member per entry.
#[must_use]
pub fn audit(pack: u64) -> String {
    format!("reporting:audit:{pack}")
}

/// The index of a correlation's events, sorted by sequence.
#[must_use]
pub fn cascade(correlation: &str) -> String {
    format!("reporting:cascade:{correlation}")
}

/// The index of re-peggings that serve a correlation among others, by their own correlations.
#[must_use]
pub fn continued(correlation: &str) -> String {
    format!("reporting:continued:{correlation}")
}

/// An exception.
#[must_use]
pub fn exception(id: &Id) -> String {
    format!("reporting:exception:{id}")
}
