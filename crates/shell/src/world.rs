//! The world that a component lives in: its store, the domains it may ask, clocks and chance.

use tradewind_kernel::time::Instant;

use crate::cache::Cache;
use crate::store::{Check, Store};

/// What a component is given. There is one for wasm, one native, one in memory.
pub trait World {
    /// Where state is kept.
    type Store: Store;
    /// The other domains, as far as this one may ask them: a domain's own trait.
    type Asks;

    /// Where state is kept.
    fn store(&self) -> &Self::Store;

    /// The other domains.
    fn asks(&self) -> &Self::Asks;

    /// What this instance remembers of the store: of this one alone, and as long as it lives.
    fn cache(&self) -> &Cache;

    /// The business clock.
    fn now(&self) -> Instant;

    /// The real clock, in seconds since 1970: token expiry uses it alone.
    fn real_seconds(&self) -> i64;

    /// 128 random bits.
    fn random(&self) -> u128;

    /// How long replies are kept under their idempotency keys.
    fn idempotency_seconds(&self) -> u64;

    /// Waits.
    async fn pause(&self, millis: u64);

    /// Tells the operator.
    fn log(&self, line: &str);
}

/// The answer of an ask, and what it rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered<T> {
    /// The answer.
    pub value: T,
    /// What must still be so when the asker commits.
    pub witnesses: Vec<Check>,
    /// The tenant's sequence at the moment of the answer.
    pub sequence: u64,
}

/// Why an ask has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// The provider must catch up first; ask again shortly.
    #[error("the provider is behind")]
    Behind,
    /// The world failed; the words are for the operator.
    #[error("{0}")]
    Unavailable(String),
    /// What was asked about does not exist, or the question makes no sense: code and words.
    #[error("{0}: {1}")]
    Refused(String, String),
}
