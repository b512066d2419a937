//! Working a mark: an item that waits is pegged anew.

use tradewind_kernel::{Decision, Id};
use tradewind_shell::failure::Failure;
use tradewind_shell::gather::Gather;
use tradewind_shell::service::Effect;
use tradewind_shell::store::Read;
use tradewind_shell::world::World;

use super::effect;
use crate::gathering::{promises, situation, situation_reads};
use crate::keys;
use crate::repegging::repeg;
use crate::tick::LastDay;

/// Works an item that waits to be pegged.
///
/// # Errors
/// Outages.
pub async fn work<W: World>(gather: &Gather<'_, W>, item: &str) -> Result<Effect, Failure> {
    let Ok(sku) = item.parse::<Id>() else { return Ok(Effect::Done(Decision::default())) };
    let mut reads = situation_reads(&sku);
    reads.push(Read::Set { key: keys::promises(&sku) });
    reads.push(Read::Record { key: keys::DAY.to_owned() });
    gather.prefetch(reads).await?;
    let kept = promises(gather, &sku).await?;
    let mut situation = situation(gather, &sku).await?;
    // The day that has turned counts, if the clock of this instance is not there yet.
    let turned = gather.record::<LastDay>(keys::DAY).await?.map(|kept| kept.value.day);
    let today = situation.shelf.today;
    situation.shelf.today = turned.map_or(today, |turned| turned.max(today));
    Ok(effect(repeg(&situation, &kept).parts()))
}
