//! Purchases that could serve: by which day goods ordered today could be used.

use serde::Serialize;
use tradewind_kernel::asks::suppliers::Offer;
use tradewind_kernel::events::suppliers::SupplierStatus;
use tradewind_kernel::{Day, Id};
use utoipa::ToSchema;

use crate::network::Network;

/// What could be bought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Purchase {
    /// The first day on which the goods could be used, the wanted day at the earliest.
    pub day: Day,
    /// From whom.
    pub supplier: Id,
    /// Where they would arrive.
    pub node: Id,
}

/// The earliest purchase that could serve a channel: ordered today, the lead time in the open days
/// of the supplier's calendar, then received by one of the channel's nodes. Only suppliers to whom
/// an order may be released count.
#[must_use]
pub fn earliest(
    offers: &[Offer],
    network: &Network,
    channel: &Id,
    (today, wanted): (Day, Day),
) -> Option<Purchase> {
    let may = |offer: &&Offer| {
        let stands = matches!(offer.status, SupplierStatus::Approved | SupplierStatus::Conditional);
        let open = offer.from.is_none_or(|from| from <= today);
        stands && open && offer.until.is_none_or(|until| today <= until)
    };
    let nodes = network.channels.get(channel).map_or(&[][..], |channel| &channel.nodes);
    let arrivals = offers.iter().filter(may).flat_map(|offer| {
        let arrives = offer.calendar.add_open_days(today, offer.lead_time_days);
        nodes.iter().map(move |node| (network.usable_day(node, arrives), &offer.supplier, node))
    });
    arrivals.min_by_key(|(day, supplier, _)| (*day, *supplier)).map(|(day, supplier, node)| {
        Purchase { day: day.max(wanted), supplier: supplier.clone(), node: node.clone() }
    })
}
