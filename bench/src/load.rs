//! The load: a closed loop, each client one request at a time, on one thread of this process.

use std::cell::Cell;
use std::time::Duration;

use anyhow::Result;
use futures::future::join_all;

use crate::clock::now;

/// Somebody who can do one thing over and over.
pub trait Client {
    /// Does the next thing; false when it was refused.
    async fn shoot(&mut self) -> Result<bool>;
}

/// What a closed loop did.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// How long it took.
    pub seconds: f64,
    /// Requests that were granted.
    pub granted: u64,
    /// Requests that were refused or failed.
    pub failed: u64,
    /// Microseconds of each granted request, sorted.
    latencies: Vec<u32>,
}

impl Outcome {
    /// Granted requests a second.
    pub fn per_second(&self) -> f64 {
        self.granted as f64 / self.seconds
    }

    /// This much of a total for each granted request.
    pub fn each(&self, total: u64) -> f64 {
        total as f64 / self.granted.max(1) as f64
    }

    /// The latency in milliseconds below which this share of the granted requests lies.
    pub fn percentile(&self, share: f64) -> f64 {
        let last = self.latencies.len().saturating_sub(1);
        let place = (last as f64 * share).round() as usize;
        self.latencies.get(place).map_or(0.0, |micros| f64::from(*micros) / 1000.0)
    }
}

/// The pause after a refusal, so that a server that refuses is not measured at refusing.
const AFTER_REFUSAL: Duration = Duration::from_millis(5);

/// When a load ends.
#[derive(Debug, Clone, Copy)]
pub enum Until {
    /// After so long.
    Elapsed(Duration),
    /// After so many requests, granted or not.
    Sent(u64),
}

impl Until {
    /// Whether a load of this age that has sent so many goes on.
    fn goes_on(self, elapsed: Duration, sent: u64) -> bool {
        match self {
            Self::Elapsed(length) => elapsed < length,
            Self::Sent(most) => sent < most,
        }
    }
}

/// Runs all clients at once until then; requests under way at the end are finished and counted.
pub async fn closed_loop<C: Client>(clients: &mut [C], until: Until) -> Result<Outcome> {
    let begun = now();
    let sent_so_far = Cell::new(0);
    let each = clients.iter_mut().map(async |client| {
        let mut own = Outcome::default();
        while until.goes_on(begun.elapsed(), sent_so_far.get()) {
            sent_so_far.set(sent_so_far.get() + 1);
            let sent = now();
            if client.shoot().await? {
                own.granted += 1;
                let micros = sent.elapsed().as_micros();
                own.latencies.push(u32::try_from(micros).unwrap_or(u32::MAX));
            } else {
                own.failed += 1;
                tokio::time::sleep(AFTER_REFUSAL).await;
            }
        }
        anyhow::Ok(own)
    });
    let mut whole = Outcome::default();
    for own in join_all(each).await {
        let own = own?;
        whole.granted += own.granted;
        whole.failed += own.failed;
        whole.latencies.extend(own.latencies);
    }
    whole.seconds = begun.elapsed().as_secs_f64();
    whole.latencies.sort_unstable();
    Ok(whole)
}
