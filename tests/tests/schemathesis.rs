//! Bad input as a stranger makes it: Schemathesis, from the published documents alone, against the
//! real host over HTTP.
//!
//! `cargo xtask fuzz --schemathesis 200` sends more, and other requests each time.

use tradewind_tests::schemathesis::{Effort, play};

/// Random requests of each operation. Those at the bounds are many more.
const EXAMPLES: u32 = 5;

/// Requests below which it has not done its work.
const REQUESTS: u64 = 7_000;

#[test]
fn schemathesis_finds_nothing() {
    match play(Effort { examples: EXAMPLES, seed: None }) {
        Ok(sent) => assert!(sent.requests >= REQUESTS, "{sent:?}"),
        Err(found) => panic!("{found:#}"),
    }
}
