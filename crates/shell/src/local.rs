//! A native world: for tests, benchmarks and the in-memory product.
//!
//! The clock stands still unless it is moved, and chance comes from a seed, so that what runs here
//! runs the same again.

use std::cell::Cell;
use std::rc::Rc;

use tradewind_kernel::time::Instant;

use crate::cache::Cache;
use crate::store::Store;
use crate::world::World;

/// A world over any store, with any asks.
pub struct LocalWorld<S, A> {
    store: S,
    asks: A,
    now: Cell<Instant>,
    random: Cell<u128>,
    cache: Rc<Cache>,
    /// Prints what a component would log to standard error.
    pub verbose: bool,
}

impl<S, A> LocalWorld<S, A> {
    /// A world at this instant; the seed decides all random bits.
    pub fn new(store: S, asks: A, now: Instant, seed: u128) -> Self {
        let (now, random) = (Cell::new(now), Cell::new(seed | 1));
        Self { store, asks, now, random, cache: Rc::default(), verbose: false }
    }

    /// The same world as the next request of an instance that remembers this.
    #[must_use]
    pub fn remembering(mut self, cache: Rc<Cache>) -> Self {
        self.cache = cache;
        self
    }

    /// Sets the business clock.
    pub fn set_now(&self, now: Instant) {
        self.now.set(now);
    }
}

impl<S: Store, A> World for LocalWorld<S, A> {
    type Store = S;
    type Asks = A;

    fn store(&self) -> &S {
        &self.store
    }

    fn asks(&self) -> &A {
        &self.asks
    }

    fn cache(&self) -> &Cache {
        &self.cache
    }

    fn now(&self) -> Instant {
        self.now.get()
    }

    fn real_seconds(&self) -> i64 {
        self.now.get().millis().div_euclid(1000)
    }

    /// A 128-bit linear congruential generator, its upper half folded into the lower: plenty for
    /// ids that must differ, and the same for the same seed.
    fn random(&self) -> u128 {
        const MULTIPLIER: u128 = 0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645;
        let next = self.random.get().wrapping_mul(MULTIPLIER).wrapping_add(0x5851_f42d_4c95_7f2d);
        self.random.set(next);
        next ^ (next >> 64)
    }

    fn idempotency_seconds(&self) -> u64 {
        7 * 24 * 3600
    }

    async fn pause(&self, _millis: u64) {
        let mut yielded = false;
        std::future::poll_fn(|context| {
            if yielded {
                return std::task::Poll::Ready(());
            }
            yielded = true;
            context.waker().wake_by_ref();
            std::task::Poll::Pending
        })
        .await;
    }

    fn log(&self, line: &str) {
        if self.verbose {
            #[allow(clippy::print_stderr, reason = "this is the log of a local world")]
            {
                eprintln!("{line}");
            }
        }
    }
}
