//! What events of other domains mean for cash.
//!
//! Each event that moves a week's net flow is followed by `finance.cash-changed` under the same
//! correlation, with the whole net flow of every week that moved, before and after. The sum of a
//! cascade's changes is then exactly what its own events changed.

mod board;
mod demand;
mod purchase;

use tradewind_kernel::event::{Event, Payload};
use tradewind_kernel::events::finance::{RateSet, SettingsChanged};
use tradewind_kernel::events::inventory::{
    ChannelSet, DayTurned, ItemPegged, NodeSet, OrderChanged, ReservationReleased,
    ReservationShipped, Reserved,
};
use tradewind_kernel::events::procurement::{
    OrderCancelled, OrderClosed, OrderConfirmed, OrderReceived, OrderReleased, PriceAccepted,
};
use tradewind_kernel::refusal::Fault;
use tradewind_kernel::{Decision, Refusal};
use tradewind_shell::failure::Failure;
use tradewind_shell::gather::Gather;
use tradewind_shell::service::{Cause, Reaction};
use tradewind_shell::world::World;

pub(crate) use board::whole_board;

/// Orders that one commit works through when a node or a channel changed for all of them.
const ORDERS_A_STEP: usize = 100;

/// Orders of one node or channel that are worked through at most: more than any tenant has open.
const MAX_ORDERS: usize = 1_000_000;

/// Decides what an event means here. An event that does not read is refused, and so parked.
///
/// # Errors
/// Outages; a refusal for an event that does not read.
pub async fn react<W: World>(
    gather: &Gather<'_, W>,
    cause: Cause<'_>,
) -> Result<Reaction, Failure> {
    let event = cause.event();
    match event.kind() {
        OrderReleased::TYPE
        | OrderConfirmed::TYPE
        | PriceAccepted::TYPE
        | OrderReceived::TYPE
        | OrderClosed::TYPE
        | OrderCancelled::TYPE => purchase::order(gather, event).await.map(Into::into),
        NodeSet::TYPE => purchase::node(gather, cause).await,
        OrderChanged::TYPE => demand::stated(gather, event).await.map(Into::into),
        Reserved::TYPE => demand::reserved(gather, event).await.map(Into::into),
        ReservationShipped::TYPE => demand::shipped(gather, event).await.map(Into::into),
        ReservationReleased::TYPE => demand::released(gather, event).await.map(Into::into),
        ItemPegged::TYPE => demand::pegged(gather, event).await.map(Into::into),
        ChannelSet::TYPE => demand::channel(gather, cause).await,
        DayTurned::TYPE => board::turned(gather, event).await.map(Into::into),
        RateSet::TYPE => board::rated(gather, event).await.map(Into::into),
        SettingsChanged::TYPE => board::opened(gather, event).await.map(Into::into),
        _ => Ok(Decision::default().into()),
    }
}

/// Whether an event of this type mostly moves no week's net flow: an order that is stated has no
/// promise yet, and what is claimed or given back mostly pays in the week in which it would have.
pub(crate) fn is_quiet(kind: &str) -> bool {
    [OrderChanged::TYPE, Reserved::TYPE, ReservationReleased::TYPE].contains(&kind)
}

/// The payload; one that does not read is refused.
fn read<P: Payload>(event: &Event) -> Result<P, Failure> {
    event.read().map_err(|fault| unreadable(&fault))
}

fn unreadable(fault: &serde_json::Error) -> Failure {
    Refusal::invalid(vec![Fault::new("/data", "event-unreadable", fault.to_string())]).into()
}

/// The names after which each step's orders start.
fn steps(orders: &[String]) -> Vec<String> {
    let later = orders.chunks(ORDERS_A_STEP).filter_map(|chunk| chunk.last().cloned());
    let count = orders.len().div_ceil(ORDERS_A_STEP);
    std::iter::once(String::new()).chain(later).take(count).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_cover_all_orders() {
        let orders = |count: usize| (0..count).map(|n| format!("o{n:04}")).collect::<Vec<_>>();
        assert_eq!(steps(&orders(0)), Vec::<String>::new());
        assert_eq!(steps(&orders(100)), [""]);
        assert_eq!(steps(&orders(101)), ["", "o0099"]);
    }

    #[test]
    fn the_settings_lie_where_every_domain_keeps_them() {
        let key = tradewind_shell::settings::key(tradewind_kernel::Domain::Finance);
        assert_eq!(key, crate::keys::SETTINGS);
    }
}
