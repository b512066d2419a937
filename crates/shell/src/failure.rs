//! How a request can fail: the business says no, the world failed, or the domain is behind.

use tradewind_kernel::refusal::Refusal;

use crate::store::Outage;

/// Why there is no answer. A fourth kind, our own bugs, is a panic: it traps, the host answers
/// 500, and nothing is half-done because the commit comes last.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The business says no; retrying does not help.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// The world failed; retrying helps.
    #[error("{0}")]
    Outage(#[from] Outage),
    /// The domain, or one that was asked, must catch up first. The shell does so and tries again;
    /// a caller sees it only as a 503.
    #[error("the domain is behind")]
    Behind,
}
