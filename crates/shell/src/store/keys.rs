//! Keys of the shell's own, relative to the tenant.

use tradewind_kernel::event::Domain;

/// The tenant's sequence.
pub const SEQUENCE: &str = "shell:sequence";
/// Counters: the cursor of each domain.
pub const CURSORS: &str = "shell:cursors";
/// Counters: for each domain, the sequence of the last event it reacts to.
pub const LAST: &str = "shell:last";
/// Counters: for each event type, the sequence of its last event.
pub const TYPES: &str = "shell:types";
/// The channel on which a domain is nudged is this and its name; the payload is the tenant.
pub const NUDGE_CHANNEL: &str = "tradewind:nudge:";
/// The one key outside tenants: the set of all tenants.
pub const TENANTS: &str = "tradewind:tenants";

/// The domain's stream of events.
#[must_use]
pub fn stream(domain: Domain) -> String {
    format!("{domain}:events")
}

/// The domain's marks.
#[must_use]
pub fn marks(domain: Domain) -> String {
    format!("{domain}:marks")
}

/// The set of the domain's parked events.
#[must_use]
pub fn parked(domain: Domain) -> String {
    format!("{domain}:parked")
}

/// The record of the domain's unfinished effect.
#[must_use]
pub fn plan(domain: Domain) -> String {
    format!("{domain}:plan")
}

/// The set with the parts of the domain's unfinished effect.
#[must_use]
pub fn plan_parts(domain: Domain) -> String {
    format!("{domain}:plan-parts")
}

/// The domain's lease.
#[must_use]
pub fn lease(domain: Domain) -> String {
    format!("{domain}:lease")
}

/// How often the domain's lease was taken, and where its cursor stood then.
#[must_use]
pub fn tries(domain: Domain) -> String {
    format!("{domain}:tries")
}

/// The record with the kept reply of an idempotency key: the request's hash, a line feed, the
/// reply; it can be read like any record.
#[must_use]
pub fn idempotency(key: &str) -> String {
    format!("shell:reply:{key}")
}
