//! Endings: an order is cancelled before anything came, or closed with what came.
//!
//! Both drop what is open at once: it is counted as cancelled and no longer on order.

use serde::Deserialize;
use tradewind_kernel::decision::Decision;
use tradewind_kernel::event::NewEvent;
use tradewind_kernel::events::procurement::{OrderCancelled, OrderClosed, OrderStatus};
use tradewind_kernel::refusal::Refusal;
use utoipa::ToSchema;

use crate::filing;
use crate::order::{Order, drop_rest};

/// Why something is done; may be left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "reason": "the season is over" }))]
pub struct Reason {
    /// Why.
    #[schema(min_length = 1, max_length = 500)]
    pub reason: Option<String>,
}

/// Cancels an order of which nothing came.
///
/// # Errors
/// 409 when it has ended, or when something came.
pub fn cancel(order: &Order) -> Result<Decision, Refusal> {
    use OrderStatus::{Approved, Confirmed, Draft, Received, Released, Submitted};
    let before_receipt = [Draft, Submitted, Approved, Released, Confirmed];
    if order.status == Received {
        let detail = "something of it was received: close it instead";
        return Err(Refusal::conflict("already-received", detail));
    }
    order.require(&before_receipt, "cancelled")?;
    let after = ended(order, OrderStatus::Cancelled);
    let mut decision = filing::file(Some(order), &after);
    decision.event(NewEvent::of(order.id.as_str(), &OrderCancelled { order: after.state() }));
    Ok(decision)
}

/// Closes an order: what is open will not come.
///
/// # Errors
/// 409 when it is not on order.
pub fn close(order: &Order) -> Result<Decision, Refusal> {
    use OrderStatus::{Confirmed, Received, Released};
    order.require(&[Released, Confirmed, Received], "closed")?;
    let after = ended(order, OrderStatus::Closed);
    let mut decision = filing::file(Some(order), &after);
    decision.event(NewEvent::of(order.id.as_str(), &OrderClosed { order: after.state() }));
    Ok(decision)
}

fn ended(order: &Order, status: OrderStatus) -> Order {
    let mut after = Order { status, ..order.clone() };
    after.lines.iter_mut().for_each(drop_rest);
    after
}
