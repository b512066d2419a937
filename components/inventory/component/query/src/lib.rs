//! The provider's edge: the kernel's values become those of `wit/inventory.wit`.

#![cfg(target_arch = "wasm32")]

use tradewind_kernel::asks::inventory as kernel;
use tradewind_kernel::events::inventory::{Holding, PromiseMove, Usable};
use tradewind_kernel::{Id, Money};
use tradewind_shell::guest;
use tradewind_shell::world::AskError;

use self::generated::exports::tradewind::inventory::stock as wit;
use self::generated::tradewind::types::types;
use tradewind_inventory::queries;

tradewind_shell::ask_edge!(types);

mod generated {
    #![allow(missing_docs, reason = "the WIT files are the manual")]
    spin_sdk::wit_bindgen::generate!({
        world: "inventory-query",
        path: "../../../../wit",
        runtime_path: "spin_sdk::wit_bindgen::rt",
        generate_all,
    });
    export!(Provider);
    pub struct Provider;
}

impl wit::Guest for generated::Provider {
    async fn trial(
        tenant: String,
        sku: String,
        changes: Vec<wit::Change>,
        up_to: Option<u64>,
    ) -> Result<wit::TrialAnswer, types::AskError> {
        let world = guest::provider().await.map_err(error)?;
        let changes = changes.iter().map(change).collect::<Result<Vec<_>, _>>().map_err(error)?;
        let sku = id(&sku).map_err(error)?;
        let answer = queries::trial(&world, &tenant, &sku, &changes, up_to).await.map_err(error)?;
        Ok(wit::TrialAnswer {
            lines: answer.value.lines.into_iter().map(promise).collect(),
            left_over: answer.value.left_over.into_iter().map(usable).collect(),
            held: answer.value.held.into_iter().map(holding).collect(),
            witnesses: answer.witnesses.into_iter().filter_map(witness).collect(),
            sequence: answer.sequence,
        })
    }

    async fn network(tenant: String) -> Result<wit::NetworkAnswer, types::AskError> {
        let world = guest::provider().await.map_err(error)?;
        let answer = queries::network(&world, &tenant).await.map_err(error)?;
        Ok(wit::NetworkAnswer {
            lanes: answer.value.lanes.into_iter().map(lane).collect(),
            channels: answer.value.channels.into_iter().map(channel).collect(),
            witnesses: answer.witnesses.into_iter().filter_map(witness).collect(),
            sequence: answer.sequence,
        })
    }

    async fn positions(
        tenant: String,
        skus: Vec<String>,
        up_to: Option<u64>,
    ) -> Result<wit::PositionsAnswer, types::AskError> {
        let world = guest::provider().await.map_err(error)?;
        let asked = skus.iter().map(|sku| id(sku)).collect::<Result<Vec<_>, _>>().map_err(error)?;
        let answer = queries::positions(&world, &tenant, &asked, up_to).await.map_err(error)?;
        let items = skus
            .into_iter()
            .map(|sku| {
                let found = answer.value.iter().filter(|position| position.sku.as_str() == sku);
                let nodes = found.map(position).collect();
                wit::ItemPosition { sku, nodes }
            })
            .collect();
        Ok(wit::PositionsAnswer { items, sequence: answer.sequence })
    }
}

fn id(text: &str) -> Result<Id, AskError> {
    text.parse().map_err(|_| AskError::Refused("id-malformed".to_owned(), text.to_owned()))
}

fn day(text: &str) -> Result<tradewind_kernel::Day, AskError> {
    text.parse().map_err(|_| AskError::Refused("day-malformed".to_owned(), text.to_owned()))
}

fn change(change: &wit::Change) -> Result<kernel::TrialChange, AskError> {
    Ok(match change {
        wit::Change::MoveSupply(moved) => kernel::TrialChange::MoveSupply {
            order: id(&moved.order)?,
            line: moved.line,
            from: day(&moved.planned)?,
            to: day(&moved.arrives)?,
        },
        wit::Change::AddSupply(added) => kernel::TrialChange::AddSupply {
            node: id(&added.node)?,
            day: day(&added.day)?,
            quantity: added.quantity,
        },
        wit::Change::Transfer(transfer) => kernel::TrialChange::Transfer {
            supply: transfer.supply.clone(),
            from_node: id(&transfer.from_node)?,
            to_node: id(&transfer.to_node)?,
            day: day(&transfer.day)?,
            quantity: transfer.quantity,
        },
        wit::Change::ReleaseProtection(released) => kernel::TrialChange::ReleaseProtection {
            protection: id(&released.protection)?,
            quantity: released.quantity,
        },
    })
}

fn promise(line: PromiseMove) -> wit::Promise {
    wit::Promise {
        order: line.order.into(),
        line: line.line,
        channel: line.channel.into(),
        quantity: line.quantity,
        wanted: line.wanted.into(),
        old_day: line.old_day.map(Into::into),
        new_day: line.new_day.map(Into::into),
        price: line.price.map(money),
    }
}

fn usable(usable: Usable) -> wit::Usable {
    wit::Usable {
        supply: usable.supply,
        node: usable.node.into(),
        day: usable.day.into(),
        quantity: usable.quantity,
    }
}

fn holding(holding: Holding) -> wit::Holding {
    wit::Holding {
        protection: holding.protection.into(),
        channel: holding.channel.into(),
        opens: holding.from.into(),
        closes: holding.until.into(),
        pieces: holding.pieces.into_iter().map(usable).collect(),
        short: holding.short,
    }
}

fn lane(lane: kernel::Lane) -> wit::Lane {
    wit::Lane {
        from_node: lane.from.into(),
        to_node: lane.to.into(),
        days: lane.days,
        cost_per_unit: lane.cost_per_unit.map(money),
    }
}

fn channel(channel: kernel::ChannelNodes) -> wit::ChannelNodes {
    wit::ChannelNodes {
        channel: channel.channel.into(),
        priority: channel.priority,
        nodes: channel.nodes.into_iter().map(Into::into).collect(),
    }
}

fn position(position: &kernel::Position) -> wit::Position {
    wit::Position {
        node: position.node.to_string(),
        free: position.free,
        on_order: position
            .on_order
            .iter()
            .map(|open| wit::OnOrder {
                order: open.order.to_string(),
                line: open.line,
                supplier: open.supplier.to_string(),
                day: open.day.to_string(),
                usable: open.usable.to_string(),
                quantity: open.quantity,
            })
            .collect(),
        open_demand: position.open_demand,
    }
}

fn money(money: Money) -> types::Money {
    types::Money { amount: money.amount.into(), currency: money.currency.into() }
}
