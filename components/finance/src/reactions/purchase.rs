//! Purchase orders, and the nodes that they go to.

use std::collections::BTreeSet;

use tradewind_kernel::event::{Event, Payload};
use tradewind_kernel::events::inventory::NodeSet;
use tradewind_kernel::events::procurement::{OrderReceived, OrderState};
use tradewind_kernel::{Decision, Id};
use tradewind_shell::failure::Failure;
use tradewind_shell::gather::Gather;
use tradewind_shell::service::{Cause, Reaction};
use tradewind_shell::store::Read;
use tradewind_shell::world::World;

use super::board::move_cash;
use super::{MAX_ORDERS, ORDERS_A_STEP, read, steps, unreadable};
use crate::keys;
use crate::purchase::{NodeDays, Nodes, Purchase, received, replace};

/// An order was released, confirmed, received, closed or cancelled. Each such event carries the
/// order as it is afterwards.
pub(super) async fn order<W: World>(
    gather: &Gather<'_, W>,
    event: &Event,
) -> Result<Decision, Failure> {
    let order: OrderState =
        serde_json::from_value(event.what.data.clone()).map_err(|fault| unreadable(&fault))?;
    let mut decision = Decision::default();
    let after = Purchase::of(&order);
    let names: BTreeSet<Id> = after.nodes().into_iter().cloned().collect();
    let mut reads = vec![Read::Record { key: keys::purchase(&order.order) }];
    reads.extend(names.iter().map(|node| Read::Record { key: keys::node(node) }));
    gather.prefetch(reads).await?;
    let before = gather.record::<Purchase>(keys::purchase(&order.order)).await?;
    let after = after.paid_by(&nodes(gather, &names).await?);
    let mut changes = replace(&mut decision, &order.order, before.as_deref(), &after);
    if event.kind() == OrderReceived::TYPE {
        changes.extend(received(&read(event)?));
    }
    move_cash(gather, event, &mut decision, &changes).await?;
    Ok(decision)
}

async fn nodes<W: World>(gather: &Gather<'_, W>, names: &BTreeSet<Id>) -> Result<Nodes, Failure> {
    let found = gather.records::<NodeDays>(names.iter().map(keys::node).collect()).await?;
    let known = names.iter().cloned().zip(found);
    Ok(known.filter_map(|(name, kept)| Some((name, kept?.value))).collect())
}

/// A node's calendar changed: every order that still goes there is due on other days.
pub(super) async fn node<W: World>(
    gather: &Gather<'_, W>,
    cause: Cause<'_>,
) -> Result<Reaction, Failure> {
    let event = cause.event();
    let set: NodeSet = read(event)?;
    let days = NodeDays { calendar: set.calendar, receiving_days: set.receiving_days };
    let index = keys::node_orders(&set.node);
    let mut decision = Decision::default();
    decision.put(keys::node(&set.node), &days);
    let Some(after) = cause.step else {
        let kept = gather.record::<NodeDays>(keys::node(&set.node)).await?;
        let before = kept.map(|kept| kept.value).unwrap_or_default();
        let orders = gather.list(index, "", MAX_ORDERS).await?;
        if before == days || orders.is_empty() {
            return Ok(decision.into());
        }
        return Ok(Reaction::Steps(steps(&orders)));
    };
    let orders = gather.list(index, after, ORDERS_A_STEP).await?;
    let orders: Vec<Id> = orders.iter().filter_map(|order| order.parse().ok()).collect();
    let kept = gather.records::<Purchase>(orders.iter().map(keys::purchase).collect()).await?;
    let names = kept.iter().flatten().flat_map(|kept| kept.nodes()).cloned().collect();
    let mut all = nodes(gather, &names).await?;
    all.insert(set.node, days);
    let mut changes = Vec::new();
    for (order, before) in orders.iter().zip(kept) {
        if let Some(before) = before {
            let after = before.value.clone().paid_by(&all);
            changes.extend(replace(&mut decision, order, Some(&before), &after));
        }
    }
    move_cash(gather, event, &mut decision, &changes).await?;
    Ok(decision.into())
}
