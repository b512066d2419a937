//! Items, nodes, lanes and channels over HTTP.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tradewind_kernel::{Decision, Id, Refusal};
use tradewind_shell::call::{Answer, Call};
use tradewind_shell::failure::Failure;
use tradewind_shell::gather::Gather;
use tradewind_shell::service::Service;
use tradewind_shell::world::World;

use super::Operation;
use crate::gathering::{network, situation};
use crate::item::{self, Item};
use crate::keys;
use crate::network::{
    Channel, Lane, Node, put_channel as channel, put_lane as lane, put_node as node, shown,
};
use crate::tick::note_first_day;

pub(super) async fn put_item<S: Service<W>, W: World>(
    call: &Call<'_, S, W>,
) -> Result<Answer, Failure> {
    let sku = call.new_id("sku")?;
    let body: Item = call.body()?;
    call.command(async |gather: &Gather<'_, W>| {
        let kept = gather.record::<Item>(keys::item(&sku)).await?;
        call.if_match(kept.as_ref().map_or(0, |kept| kept.version))?;
        let existing = kept.as_ref().map(|kept| (&kept.value, kept.version));
        let mut decision = item::put(existing, &sku, body.clone())?;
        if existing.is_some_and(|(old, _)| old.base_unit != body.base_unit) {
            decision.guards.extend(item::free_of_unit(&situation(gather, &sku).await?)?);
        }
        if existing.is_none() {
            note_first_day(gather, &mut decision).await?;
        }
        Ok(decision)
    })
    .await
}

pub(super) async fn get_item<S: Service<W>, W: World>(
    call: &Call<'_, S, W>,
) -> Result<Answer, Failure> {
    let sku = call.id("sku")?;
    get::<S, W, Item>(call, keys::item(&sku), &[("sku", sku.as_str())], "item").await
}

/// One record with its names.
async fn get<S: Service<W>, W: World, T: DeserializeOwned + Serialize>(
    call: &Call<'_, S, W>,
    key: String,
    names: &[(&str, &str)],
    what: &str,
) -> Result<Answer, Failure> {
    call.answer(async |gather: &Gather<'_, W>| {
        let kept = gather.record::<T>(key.clone()).await?;
        let named: Vec<&str> = names.iter().map(|(_, name)| *name).collect();
        let missing = || Refusal::not_found(format!("{what} `{}`", named.join("/")));
        let kept = kept.ok_or_else(missing)?;
        let body = shown(&kept.value, names, &kept.version.to_string());
        Ok(Answer::versioned(body, kept.version))
    })
    .await
}

pub(super) async fn list_items<S: Service<W>, W: World>(
    call: &Call<'_, S, W>,
) -> Result<Answer, Failure> {
    let (after, limit) = (call.after()?, call.limit()?);
    call.answer(async |gather: &Gather<'_, W>| {
        let names = gather.page(keys::ITEMS, &after, limit).await?;
        let ids: Vec<Id> = names.iter().filter_map(|name| name.parse().ok()).collect();
        let kept = gather.records::<Item>(ids.iter().map(keys::item).collect()).await?;
        let items = ids.iter().zip(kept).filter_map(|(sku, kept)| {
            let kept = kept?;
            Some(shown(&kept.value, &[("sku", sku.as_str())], &kept.version.to_string()))
        });
        Ok(Call::<S, W>::page(items.collect(), &names, limit))
    })
    .await
}

/// The version of a record of the network, for its `ETag`; 0 when there is none.
async fn version<W: World, T: DeserializeOwned>(
    gather: &Gather<'_, W>,
    key: String,
) -> Result<u64, Failure> {
    Ok(gather.record::<T>(key).await?.map_or(0, |kept| kept.version))
}

pub(super) async fn put_node<S: Service<W>, W: World>(
    call: &Call<'_, S, W>,
) -> Result<Answer, Failure> {
    let id = call.new_id("node")?;
    let body: Node = call.body()?;
    call.command(async |gather: &Gather<'_, W>| {
        let version = version::<W, Node>(gather, keys::node(&id)).await?;
        call.if_match(version)?;
        let (network, today) = (network(gather).await?, gather.today().await?);
        Ok(node(&network, version, &id, body.clone(), today)?)
    })
    .await
}

pub(super) async fn get_node<S: Service<W>, W: World>(
    call: &Call<'_, S, W>,
) -> Result<Answer, Failure> {
    let id = call.id("node")?;
    get::<S, W, Node>(call, keys::node(&id), &[("id", id.as_str())], "node").await
}

pub(super) async fn put_lane<S: Service<W>, W: World>(
    call: &Call<'_, S, W>,
) -> Result<Answer, Failure> {
    let (from, to) = (call.new_id("from")?, call.new_id("to")?);
    let body: Lane = call.body()?;
    call.command(async |gather: &Gather<'_, W>| {
        let version = version::<W, Lane>(gather, keys::lane(&from, &to)).await?;
        call.if_match(version)?;
        let network = network(gather).await?;
        Ok(lane(&network, version, (&from, &to), body.clone())?)
    })
    .await
}

pub(super) async fn get_lane<S: Service<W>, W: World>(
    call: &Call<'_, S, W>,
) -> Result<Answer, Failure> {
    let (from, to) = (call.id("from")?, call.id("to")?);
    let names = [("from", from.as_str()), ("to", to.as_str())];
    get::<S, W, Lane>(call, keys::lane(&from, &to), &names, "lane").await
}

pub(super) async fn put_channel<S: Service<W>, W: World>(
    call: &Call<'_, S, W>,
) -> Result<Answer, Failure> {
    let id = call.new_id("channel")?;
    let body: Channel = call.body()?;
    call.command(async |gather: &Gather<'_, W>| -> Result<Decision, Failure> {
        let version = version::<W, Channel>(gather, keys::channel(&id)).await?;
        call.if_match(version)?;
        let network = network(gather).await?;
        Ok(channel(&network, version, &id, body.clone())?)
    })
    .await
}

pub(super) async fn get_channel<S: Service<W>, W: World>(
    call: &Call<'_, S, W>,
) -> Result<Answer, Failure> {
    let id = call.id("channel")?;
    get::<S, W, Channel>(call, keys::channel(&id), &[("id", id.as_str())], "channel").await
}

/// Nodes, lanes or channels: their own records, in the order of the network's.
pub(super) async fn list_network<S: Service<W>, W: World>(
    call: &Call<'_, S, W>,
    operation: Operation,
) -> Result<Answer, Failure> {
    let (after, limit) = (call.query::<String>("after")?.unwrap_or_default(), call.limit()?);
    call.answer(async |gather: &Gather<'_, W>| {
        let network = network(gather).await?;
        let names: Vec<String> = match operation {
            Operation::ListNodes => network.nodes.keys().map(Id::to_string).collect(),
            Operation::ListChannels => network.channels.keys().map(Id::to_string).collect(),
            _ => network.lanes.keys().cloned().collect(),
        };
        if !after.is_empty() && !names.contains(&after) {
            let kind = tradewind_kernel::refusal::RefusalKind::Malformed;
            let detail = "`after` is no cursor of ours";
            return Err(Refusal::new(kind, "cursor-unknown", detail).into());
        }
        let names: Vec<String> =
            names.into_iter().filter(|name| *name > after).take(limit).collect();
        let key = |name: &String| match operation {
            Operation::ListNodes => format!("inventory:node:{name}"),
            Operation::ListChannels => format!("inventory:channel:{name}"),
            _ => format!("inventory:lane:{}", name.replacen('/', ":", 1)),
        };
        let kept = gather.records::<Value>(names.iter().map(key).collect()).await?;
        let items = names.iter().zip(kept).filter_map(|(name, kept)| {
            let (kept, version) = kept.map(|kept| (kept.value, kept.version.to_string()))?;
            Some(match name.split_once('/') {
                Some((from, to)) => shown(&kept, &[("from", from), ("to", to)], &version),
                None => shown(&kept, &[("id", name)], &version),
            })
        });
        Ok(Call::<S, W>::page(items.collect(), &names, limit))
    })
    .await
}
