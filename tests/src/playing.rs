//! Which seeds a program plays, and for how long: the head of the arguments of those that play them.

use std::time::{Duration, Instant};

/// Seeds one after the other, until the count is done or the time is over.
#[derive(clap::Args, Debug, Clone)]
pub struct Seeds {
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// So many seeds.
    #[arg(long, default_value_t = u64::MAX)]
    count: u64,
    /// Only for so many seconds.
    #[arg(long)]
    seconds: Option<u64>,
}

impl Seeds {
    /// The seeds, as long as there is time.
    #[allow(clippy::disallowed_methods, reason = "how long it plays is a matter of the real clock")]
    pub fn play(&self) -> impl Iterator<Item = u64> + use<> {
        let (begun, limit) = (Instant::now(), self.seconds.map(Duration::from_secs));
        let last = self.from.saturating_add(self.count.saturating_sub(1));
        (self.from..=last).take_while(move |_| limit.is_none_or(|limit| begun.elapsed() < limit))
    }
}
