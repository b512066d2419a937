//! Back-pressure: how many requests are in flight, over all threads.
//!
//! A request is admitted when fewer than a fixed number are in flight; some more may wait a
//! little; the rest is refused at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::Limits;

/// The places there are.
pub struct Admission {
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
    limits: Limits,
}

impl Admission {
    /// All places free.
    pub fn new(limits: &Limits) -> Admission {
        Admission {
            places: Arc::new(Semaphore::new(limits.in_flight)),
            waiting: AtomicUsize::new(0),
            limits: limits.clone(),
        }
    }

    /// How many requests are in flight.
    pub fn in_flight(&self) -> usize {
        self.limits.in_flight - self.places.available_permits()
    }

    /// Waits for a place, if there is one to wait for; it is given back when the permit goes.
    pub async fn admit(&self) -> Option<OwnedSemaphorePermit> {
        if let Ok(permit) = self.places.clone().try_acquire_owned() {
            return Some(permit);
        }
        let waiting = Waiting::new(&self.waiting);
        if waiting.ahead >= self.limits.waiting {
            return None;
        }
        let acquired = self.places.clone().acquire_owned();
        tokio::time::timeout(self.limits.wait, acquired).await.ok().and_then(Result::ok)
    }
}

/// One who waits for admission; leaves the queue when dropped.
struct Waiting<'a> {
    queue: &'a AtomicUsize,
    ahead: usize,
}

impl<'a> Waiting<'a> {
    fn new(queue: &'a AtomicUsize) -> Waiting<'a> {
        Waiting { queue, ahead: queue.fetch_add(1, Ordering::Relaxed) }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.queue.fetch_sub(1, Ordering::Relaxed);
    }
}
