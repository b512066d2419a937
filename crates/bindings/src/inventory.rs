//! Asking inventory.

use tradewind_kernel::Id;
use tradewind_kernel::asks::inventory::{
    ChannelNodes, Lane, Network, OnOrder, Position, Trial, TrialChange,
};
use tradewind_kernel::events::inventory::{Holding, PromiseMove, Usable};
use tradewind_shell::world::{Answered, AskError};

use crate::generated::tradewind::inventory::stock as wit;
use crate::values::{answered, error, money, read, read_optional};

/// Pegs an item as if these changes were so.
///
/// # Errors
/// As `wit/inventory.wit` says.
pub async fn trial(
    tenant: &str,
    sku: &str,
    changes: &[TrialChange],
    up_to: Option<u64>,
) -> Result<Answered<Trial>, AskError> {
    let changes = changes.iter().map(change).collect();
    let asked = wit::trial(tenant.to_owned(), sku.to_owned(), changes, up_to);
    let answer = asked.await.map_err(error)?;
    let lines = answer
        .lines
        .iter()
        .map(|found| promise(sku, found))
        .collect::<Result<Vec<_>, AskError>>()?;
    let left_over = answer.left_over.iter().map(usable).collect::<Result<Vec<_>, _>>()?;
    let held = answer.held.iter().map(holding).collect::<Result<Vec<_>, _>>()?;
    Ok(answered(Trial { lines, left_over, held }, answer.witnesses, answer.sequence))
}

fn change(change: &TrialChange) -> wit::Change {
    match change {
        TrialChange::MoveSupply { order, line, from, to } => {
            wit::Change::MoveSupply(wit::MovedSupply {
                order: order.to_string(),
                line: *line,
                planned: from.to_string(),
                arrives: to.to_string(),
            })
        }
        TrialChange::AddSupply { node, day, quantity } => {
            wit::Change::AddSupply(wit::AddedSupply {
                node: node.to_string(),
                day: day.to_string(),
                quantity: *quantity,
            })
        }
        TrialChange::Transfer { supply, from_node, to_node, day, quantity } => {
            wit::Change::Transfer(wit::TransferredSupply {
                supply: supply.clone(),
                from_node: from_node.to_string(),
                to_node: to_node.to_string(),
                day: day.to_string(),
                quantity: *quantity,
            })
        }
        TrialChange::ReleaseProtection { protection, quantity } => {
            wit::Change::ReleaseProtection(wit::ReleasedProtection {
                protection: protection.to_string(),
                quantity: *quantity,
            })
        }
    }
}

fn promise(sku: &str, found: &wit::Promise) -> Result<PromiseMove, AskError> {
    Ok(PromiseMove {
        order: read(&found.order)?,
        line: found.line,
        channel: read(&found.channel)?,
        sku: read(sku)?,
        quantity: found.quantity,
        wanted: read(&found.wanted)?,
        old_day: read_optional(found.old_day.as_deref())?,
        new_day: read_optional(found.new_day.as_deref())?,
        price: found.price.as_ref().map(money).transpose()?,
        first: false,
    })
}

fn usable(found: &wit::Usable) -> Result<Usable, AskError> {
    Ok(Usable {
        supply: found.supply.clone(),
        node: read(&found.node)?,
        day: read(&found.day)?,
        quantity: found.quantity,
    })
}

fn holding(found: &wit::Holding) -> Result<Holding, AskError> {
    Ok(Holding {
        protection: read(&found.protection)?,
        channel: read(&found.channel)?,
        from: read(&found.opens)?,
        until: read(&found.closes)?,
        pieces: found.pieces.iter().map(usable).collect::<Result<_, _>>()?,
        short: found.short,
    })
}

/// Nodes, lanes and channels.
///
/// # Errors
/// As `wit/inventory.wit` says.
pub async fn network(tenant: &str) -> Result<Answered<Network>, AskError> {
    let answer = wit::network(tenant.to_owned()).await.map_err(error)?;
    let lanes = answer
        .lanes
        .iter()
        .map(|found| {
            Ok(Lane {
                from: read(&found.from_node)?,
                to: read(&found.to_node)?,
                days: found.days,
                cost_per_unit: found.cost_per_unit.as_ref().map(money).transpose()?,
            })
        })
        .collect::<Result<Vec<_>, AskError>>()?;
    let channels = answer
        .channels
        .iter()
        .map(|found| {
            Ok(ChannelNodes {
                channel: read(&found.channel)?,
                priority: found.priority,
                nodes: found.nodes.iter().map(|node| read(node)).collect::<Result<_, _>>()?,
            })
        })
        .collect::<Result<Vec<_>, AskError>>()?;
    Ok(answered(Network { lanes, channels }, answer.witnesses, answer.sequence))
}

/// Stock, supply and demand of items, node by node.
///
/// # Errors
/// As `wit/inventory.wit` says.
pub async fn positions(
    tenant: &str,
    skus: &[Id],
    up_to: Option<u64>,
) -> Result<Answered<Vec<Position>>, AskError> {
    let asked = skus.iter().map(ToString::to_string).collect();
    let answer = wit::positions(tenant.to_owned(), asked, up_to).await.map_err(error)?;
    let mut positions = Vec::new();
    for item in &answer.items {
        for found in &item.nodes {
            let on_order = found.on_order.iter().map(on_order).collect::<Result<_, _>>()?;
            let (free, open_demand) = (found.free, found.open_demand);
            let (sku, node) = (read(&item.sku)?, read(&found.node)?);
            positions.push(Position { sku, node, free, on_order, open_demand });
        }
    }
    Ok(answered(positions, Vec::new(), answer.sequence))
}

fn on_order(found: &wit::OnOrder) -> Result<OnOrder, AskError> {
    Ok(OnOrder {
        order: read(&found.order)?,
        line: found.line,
        supplier: read(&found.supplier)?,
        day: read(&found.day)?,
        usable: read(&found.usable)?,
        quantity: found.quantity,
    })
}
