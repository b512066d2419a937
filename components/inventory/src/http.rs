//! Inventory over HTTP: routes, who may, and how requests become commands.

use tradewind_kernel::{Id, Refusal};
use tradewind_shell::call::{Answer, Call};
use tradewind_shell::failure::Failure;
use tradewind_shell::http::Method::{Delete, Get, Post, Put};
use tradewind_shell::openapi::page;
use tradewind_shell::route::{QueryParameter, Role, Route, described};
use tradewind_shell::service::Service;
use tradewind_shell::world::World;

use crate::asks::Asks;
use crate::item::{Item, ItemView};
use crate::leaving::LeavingBody;
use crate::movement::MovementBody;
use crate::network::{Channel, Lane, Node};
use crate::order::{OrderBody, ReasonBody};
use crate::protection::ProtectionTerms;
use crate::reservation::ReserveBody;
use crate::views;

mod masters;
mod orders;
mod reservations;
mod stock;

/// What inventory does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Operation {
    PutItem,
    GetItem,
    ListItems,
    GetStock,
    PutNode,
    GetNode,
    ListNodes,
    PutLane,
    GetLane,
    ListLanes,
    PutChannel,
    GetChannel,
    ListChannels,
    PutProtection,
    GetProtection,
    ListProtections,
    EndProtection,
    PostMovement,
    GetMovement,
    Reserve,
    GetReservation,
    ListReservations,
    Ship,
    Release,
    GetAvailability,
    GetPromise,
    PutOrder,
    GetOrder,
    ListOrders,
    CancelOrder,
    Verify,
}

const fn parameter(
    name: &'static str,
    required: bool,
    form: &'static str,
    description: &'static str,
) -> QueryParameter {
    QueryParameter { name, required, most: 1, form, description }
}

const PAGES: &[QueryParameter] = &[
    parameter("after", false, "string", "the `next` of the page before"),
    parameter("limit", false, "integer", "at most so many"),
];

const AVAILABILITY: &[QueryParameter] = &[
    QueryParameter {
        name: "sku",
        required: true,
        most: stock::MAX_SKUS,
        form: "id",
        description: "the item; several give a list",
    },
    parameter("channel", true, "id", "the channel that would take it"),
];

const PROMISE: &[QueryParameter] = &[
    parameter("sku", true, "id", "the item"),
    parameter("channel", true, "id", "the channel that would sell it"),
    parameter("quantity", true, "1..1000000000000000", "base units"),
    parameter("wanted", false, "date", "the day it is wanted; today unless said"),
];

const READ: &[Role] = Role::READERS;
const READ_TOO: &[Role] = &[
    Role::Viewer,
    Role::Buyer,
    Role::Approver,
    Role::Planner,
    Role::Warehouse,
    Role::Finance,
    Role::Channel,
];
const KEEPS_STOCK: &[Role] = &[Role::Warehouse];
const PLANS: &[Role] = &[Role::Planner];
const SELLS: &[Role] = &[Role::Channel];

type Entry = Route<Operation>;

/// Every route of inventory.
pub const ROUTES: &[Entry] = &[
    Entry {
        summary: "Makes or changes an item",
        body: Some(described::<Item>),
        answers: &[(200, Some(described::<ItemView>)), (201, Some(described::<ItemView>))],
        ..Entry::new(Put, "/inventory/v1/items/{sku}", Operation::PutItem, KEEPS_STOCK)
    },
    Entry {
        summary: "An item",
        answers: &[(200, Some(described::<ItemView>))],
        ..Entry::new(Get, "/inventory/v1/items/{sku}", Operation::GetItem, READ)
    },
    Entry {
        summary: "Items by id",
        query: PAGES,
        answers: &[(200, Some(page::<ItemView>))],
        ..Entry::new(Get, "/inventory/v1/items", Operation::ListItems, READ)
    },
    Entry {
        summary: "Where an item's units are",
        answers: &[(200, Some(described::<views::StockView>))],
        ..Entry::new(Get, "/inventory/v1/items/{sku}/stock", Operation::GetStock, READ)
    },
    Entry {
        summary: "Makes or changes a node",
        body: Some(described::<Node>),
        answers: &[
            (200, Some(described::<views::NodeView>)),
            (201, Some(described::<views::NodeView>)),
        ],
        ..Entry::new(Put, "/inventory/v1/nodes/{node}", Operation::PutNode, KEEPS_STOCK)
    },
    Entry {
        summary: "A node",
        answers: &[(200, Some(described::<views::NodeView>))],
        ..Entry::new(Get, "/inventory/v1/nodes/{node}", Operation::GetNode, READ)
    },
    Entry {
        summary: "Nodes by id",
        query: PAGES,
        answers: &[(200, Some(page::<views::NodeView>))],
        ..Entry::new(Get, "/inventory/v1/nodes", Operation::ListNodes, READ)
    },
    Entry {
        summary: "Makes or changes a lane between nodes",
        body: Some(described::<Lane>),
        answers: &[
            (200, Some(described::<views::LaneView>)),
            (201, Some(described::<views::LaneView>)),
        ],
        ..Entry::new(Put, "/inventory/v1/lanes/{from}/{to}", Operation::PutLane, KEEPS_STOCK)
    },
    Entry {
        summary: "A lane",
        answers: &[(200, Some(described::<views::LaneView>))],
        ..Entry::new(Get, "/inventory/v1/lanes/{from}/{to}", Operation::GetLane, READ)
    },
    Entry {
        summary: "Lanes by giving and receiving node",
        query: PAGES,
        answers: &[(200, Some(page::<views::LaneView>))],
        ..Entry::new(Get, "/inventory/v1/lanes", Operation::ListLanes, READ)
    },
    Entry {
        summary: "Makes or changes a channel",
        body: Some(described::<Channel>),
        answers: &[
            (200, Some(described::<views::ChannelView>)),
            (201, Some(described::<views::ChannelView>)),
        ],
        ..Entry::new(Put, "/inventory/v1/channels/{channel}", Operation::PutChannel, PLANS)
    },
    Entry {
        summary: "A channel",
        answers: &[(200, Some(described::<views::ChannelView>))],
        ..Entry::new(Get, "/inventory/v1/channels/{channel}", Operation::GetChannel, READ)
    },
    Entry {
        summary: "Channels by id",
        query: PAGES,
        answers: &[(200, Some(page::<views::ChannelView>))],
        ..Entry::new(Get, "/inventory/v1/channels", Operation::ListChannels, READ)
    },
    Entry {
        summary: "Keeps units of an item for a channel in a window",
        body: Some(described::<ProtectionTerms>),
        answers: &[
            (200, Some(described::<views::ProtectionView>)),
            (201, Some(described::<views::ProtectionView>)),
        ],
        ..Entry::new(Put, "/inventory/v1/protections/{id}", Operation::PutProtection, PLANS)
    },
    Entry {
        summary: "A protection",
        answers: &[(200, Some(described::<views::ProtectionView>))],
        ..Entry::new(Get, "/inventory/v1/protections/{id}", Operation::GetProtection, READ)
    },
    Entry {
        summary: "Protections that were not ended, by id",
        query: PAGES,
        answers: &[(200, Some(page::<views::ProtectionView>))],
        ..Entry::new(Get, "/inventory/v1/protections", Operation::ListProtections, READ)
    },
    Entry {
        summary: "Ends a protection",
        answers: &[(200, Some(described::<views::Ended>))],
        ..Entry::new(Delete, "/inventory/v1/protections/{id}", Operation::EndProtection, PLANS)
    },
    Entry {
        summary: "Moves goods from one place to another",
        body: Some(described::<MovementBody>),
        answers: &[(201, Some(described::<views::MovementView>))],
        ..Entry::new(Post, "/inventory/v1/movements", Operation::PostMovement, KEEPS_STOCK)
    },
    Entry {
        summary: "A movement",
        answers: &[(200, Some(described::<views::MovementView>))],
        ..Entry::new(
            Get,
            "/inventory/v1/movements/{movement}",
            Operation::GetMovement,
            Role::READERS,
        )
    },
    Entry {
        summary: "Claims stock for an order, all lines in one step",
        body: Some(described::<ReserveBody>),
        answers: &[(201, Some(described::<views::ReservationView>))],
        ..Entry::new(Post, "/inventory/v1/reservations", Operation::Reserve, SELLS)
    },
    Entry {
        summary: "A reservation",
        answers: &[(200, Some(described::<views::ReservationView>))],
        ..Entry::new(Get, "/inventory/v1/reservations/{id}", Operation::GetReservation, READ_TOO)
    },
    Entry {
        summary: "Reservations by id",
        query: PAGES,
        answers: &[(200, Some(page::<views::ReservationView>))],
        ..Entry::new(Get, "/inventory/v1/reservations", Operation::ListReservations, READ)
    },
    Entry {
        summary: "Ships claimed stock to the customer",
        body: Some(described::<LeavingBody>),
        answers: &[(200, Some(described::<views::ReservationView>))],
        ..Entry::new(Post, "/inventory/v1/reservations/{id}/ship", Operation::Ship, KEEPS_STOCK)
    },
    Entry {
        summary: "Gives claimed stock back",
        body: Some(described::<LeavingBody>),
        answers: &[(200, Some(described::<views::ReservationView>))],
        ..Entry::new(Post, "/inventory/v1/reservations/{id}/release", Operation::Release, SELLS)
    },
    Entry {
        summary: "What a channel can take of an item, and what it shows",
        query: AVAILABILITY,
        answers: &[(200, Some(described::<views::AvailabilityAnswer>))],
        ..Entry::new(Get, "/inventory/v1/availability", Operation::GetAvailability, READ_TOO)
    },
    Entry {
        summary: "By when a quantity could be promised",
        query: PROMISE,
        answers: &[(200, Some(described::<views::PromiseView>))],
        ..Entry::new(Get, "/inventory/v1/promise", Operation::GetPromise, READ_TOO)
    },
    Entry {
        summary: "States a customer order's demand",
        body: Some(described::<OrderBody>),
        answers: &[
            (200, Some(described::<views::OrderView>)),
            (201, Some(described::<views::OrderView>)),
        ],
        ..Entry::new(Put, "/inventory/v1/orders/{order}", Operation::PutOrder, SELLS)
    },
    Entry {
        summary: "A customer order with its promises",
        answers: &[(200, Some(described::<views::OrderView>))],
        ..Entry::new(Get, "/inventory/v1/orders/{order}", Operation::GetOrder, READ_TOO)
    },
    Entry {
        summary: "Customer orders by id, without promises",
        query: PAGES,
        answers: &[(200, Some(page::<views::OrderSummary>))],
        ..Entry::new(Get, "/inventory/v1/orders", Operation::ListOrders, READ)
    },
    Entry {
        summary: "Cancels a customer order; its claims stay until released",
        body: Some(described::<ReasonBody>),
        answers: &[(200, Some(described::<views::OrderView>))],
        ..Entry::new(Post, "/inventory/v1/orders/{order}/cancel", Operation::CancelOrder, SELLS)
    },
    Entry {
        summary: "Recounts everything and lists what differs",
        answers: &[(200, Some(described::<views::Verified>))],
        ..Entry::new(Get, "/inventory/v1/verify", Operation::Verify, READ)
    },
];

/// Answers one request.
///
/// # Errors
/// Refusals and outages.
pub async fn handle<S: Service<W>, W: World>(
    operation: Operation,
    call: &Call<'_, S, W>,
) -> Result<Answer, Failure>
where
    W::Asks: Asks,
{
    match operation {
        Operation::PutItem => masters::put_item(call).await,
        Operation::GetItem => masters::get_item(call).await,
        Operation::ListItems => masters::list_items(call).await,
        Operation::GetStock => stock::get_stock(call).await,
        Operation::PutNode => masters::put_node(call).await,
        Operation::GetNode => masters::get_node(call).await,
        Operation::PutLane => masters::put_lane(call).await,
        Operation::GetLane => masters::get_lane(call).await,
        Operation::PutChannel => masters::put_channel(call).await,
        Operation::GetChannel => masters::get_channel(call).await,
        Operation::ListNodes | Operation::ListLanes | Operation::ListChannels => {
            masters::list_network(call, operation).await
        }
        Operation::PutProtection => stock::put_protection(call).await,
        Operation::GetProtection => stock::get_protection(call).await,
        Operation::ListProtections => stock::list_protections(call).await,
        Operation::EndProtection => stock::end_protection(call).await,
        Operation::PostMovement => stock::post_movement(call).await,
        Operation::GetMovement => stock::get_movement(call).await,
        Operation::GetAvailability => stock::get_availability(call).await,
        Operation::Verify => stock::verify(call).await,
        Operation::Reserve => reservations::reserve(call).await,
        Operation::GetReservation => reservations::get(call).await,
        Operation::ListReservations => reservations::list(call).await,
        Operation::Ship => reservations::ship(call).await,
        Operation::Release => reservations::release(call).await,
        Operation::GetPromise => orders::promise(call).await,
        Operation::PutOrder => orders::put(call).await,
        Operation::GetOrder => orders::get(call).await,
        Operation::ListOrders => orders::list(call).await,
        Operation::CancelOrder => orders::cancel(call).await,
    }
}

/// Refuses a caller who is bound to another channel and has no role that reads or writes all.
fn bound<S: Service<W>, W: World>(
    call: &Call<'_, S, W>,
    channel: &Id,
    unbound: &[Role],
) -> Result<(), Refusal> {
    let caller = call.caller();
    let other = caller.channel.as_ref().is_some_and(|own| own != channel.as_str());
    if other && !caller.may(unbound) {
        let detail = format!("this token is bound to another channel than `{channel}`");
        return Err(Refusal::forbidden("channel-bound", detail));
    }
    Ok(())
}
