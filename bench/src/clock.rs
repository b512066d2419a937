//! The clocks of the benchmarks: this is the one file of the package that reads them.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// The monotonic clock.
#[allow(clippy::disallowed_methods, reason = "a benchmark measures")]
pub fn now() -> Instant {
    Instant::now()
}

/// The wall clock in milliseconds since 1970.
#[allow(clippy::disallowed_methods, reason = "the native world lives in real time")]
pub fn wall_millis() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
