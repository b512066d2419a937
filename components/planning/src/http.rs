//! What planning answers over HTTP.

mod history;
mod routes;

use serde_json::json;
use tradewind_kernel::event::NewEvent;
use tradewind_kernel::events::planning::RunRequested;
use tradewind_kernel::{Decision, Id, Refusal};
use tradewind_shell::call::{Answer, Call};
use tradewind_shell::failure::Failure;
use tradewind_shell::gather::{Gather, Kept};
use tradewind_shell::world::World;

use crate::Planning;
use crate::asks::Asks;
use crate::facts::{Channel, Item, Node};
use crate::gathering::forecasts;
use crate::keys;
use crate::policy::{ANY, Policy, SetPolicy, set_policy};
use crate::promotion::{Known, Promotion, PromotionView, SetPromotion, set_promotion};
use crate::proposal::{Proposal, Run, StartRun, page_of_item};
use crate::risk::Risk;
pub use routes::{
    ForecastView, Operation, PolicyShown, PromotionSet, PromotionShown, Proposals, ROUTES, RunShown,
};

/// Answers one request.
///
/// # Errors
/// Refusals and outages.
pub async fn handle<W: World>(
    operation: Operation,
    call: &Call<'_, Planning, W>,
) -> Result<Answer, Failure>
where
    W::Asks: Asks,
{
    match operation {
        Operation::SetPromotion => put_promotion(call).await,
        Operation::GetPromotion => get_promotion(call).await,
        Operation::ListPromotions => list_promotions(call).await,
        Operation::SetPolicy => put_policy(call).await,
        Operation::GetPolicy => get_policy(call).await,
        Operation::ListPolicies => list_policies(call).await,
        Operation::LoadHistory => history::load_history(call).await,
        Operation::GetForecast => get_forecast(call).await,
        Operation::StartRun => start_run(call).await,
        Operation::GetRun => get_run(call).await,
        Operation::ListProposals => list_proposals(call).await,
    }
}

async fn put_promotion<W: World>(call: &Call<'_, Planning, W>) -> Result<Answer, Failure>
where
    W::Asks: Asks,
{
    let id = call.new_id("id")?;
    let command: SetPromotion = call.body()?;
    call.command(async |gather| {
        let before = gather.record::<Promotion>(keys::promotion(&id)).await?;
        call.if_match(before.as_ref().map_or(0, |kept| kept.version))?;
        let known = Known {
            sku: gather.record::<Item>(keys::item(&command.sku)).await?.is_some(),
            channel: is_channel(gather, command.channel.as_str()).await?,
        };
        let before = before.as_ref().map(|kept| (&kept.value, kept.version));
        Ok(set_promotion(&id, before, command.clone(), known)?)
    })
    .await
}

async fn is_channel<W: World>(gather: &Gather<'_, W>, name: &str) -> Result<bool, Failure> {
    let found = gather.members::<Channel>(keys::CHANNELS, vec![name.to_owned()]).await?;
    Ok(found.into_iter().flatten().next().is_some())
}

async fn view<W: World>(
    gather: &Gather<'_, W>,
    promotion: Promotion,
    version: u64,
) -> Result<PromotionShown, Failure> {
    let risk = gather.record::<Risk>(keys::risk(&promotion.promotion)).await?;
    let risk = risk.map(|kept| kept.value).unwrap_or_default();
    let view = PromotionView { promotion, risk };
    Ok(PromotionShown { view, version: version.to_string() })
}

fn shown_policy(kept: Kept<Policy>) -> PolicyShown {
    PolicyShown { policy: kept.value, version: kept.version.to_string() }
}

async fn get_promotion<W: World>(call: &Call<'_, Planning, W>) -> Result<Answer, Failure>
where
    W::Asks: Asks,
{
    let id = call.id("id")?;
    call.answer(async |gather| {
        let kept = gather.record::<Promotion>(keys::promotion(&id)).await?;
        let kept = kept.ok_or_else(|| Refusal::not_found(format!("promotion `{id}`")))?;
        let version = kept.version;
        let view = view(gather, kept.value, version).await?;
        Ok(Answer::versioned(json!(view), version))
    })
    .await
}

async fn list_promotions<W: World>(call: &Call<'_, Planning, W>) -> Result<Answer, Failure>
where
    W::Asks: Asks,
{
    let (limit, after) = (call.limit()?, call.after()?);
    call.answer(async |gather| {
        let names = gather.page(keys::PROMOTIONS, &after, limit).await?;
        let ids: Vec<Id> = names.iter().filter_map(|name| name.parse().ok()).collect();
        let records = ids.iter().map(keys::promotion).collect();
        let kept = gather.records::<Promotion>(records).await?;
        gather.records::<Risk>(ids.iter().map(keys::risk).collect()).await?;
        let mut items = Vec::new();
        for kept in kept.into_iter().flatten() {
            items.push(json!(view(gather, kept.value, kept.version).await?));
        }
        Ok(Call::<Planning, W>::page(items, &names, limit))
    })
    .await
}

/// A part of a policy's path: an id, or `*`.
fn pattern<W: World>(call: &Call<'_, Planning, W>, name: &str) -> Result<String, Refusal>
where
    W::Asks: Asks,
{
    match call.text(name) {
        ANY => Ok(ANY.to_owned()),
        _ => call.id(name).map(|id| id.to_string()),
    }
}

async fn put_policy<W: World>(call: &Call<'_, Planning, W>) -> Result<Answer, Failure>
where
    W::Asks: Asks,
{
    let (sku, node) = (pattern(call, "sku")?, pattern(call, "node")?);
    let command: SetPolicy = call.body()?;
    call.command(async |gather| {
        if let Some(id) = sku.parse::<Id>().ok().filter(|_| sku != ANY) {
            let item = gather.record::<Item>(keys::item(&id)).await?;
            item.ok_or_else(|| Refusal::not_found(format!("item `{sku}`")))?;
        }
        if node != ANY {
            let known = gather.members::<Node>(keys::NODES, vec![node.clone()]).await?;
            let known = known.into_iter().flatten().next();
            known.ok_or_else(|| Refusal::not_found(format!("node `{node}`")))?;
        }
        let before = gather.record::<Policy>(keys::policy(&sku, &node)).await?;
        call.if_match(before.as_ref().map_or(0, |kept| kept.version))?;
        let before = before.as_ref().map(|kept| (&kept.value, kept.version));
        Ok(set_policy(&sku, &node, before, command.clone())?)
    })
    .await
}

async fn get_policy<W: World>(call: &Call<'_, Planning, W>) -> Result<Answer, Failure>
where
    W::Asks: Asks,
{
    let (sku, node) = (pattern(call, "sku")?, pattern(call, "node")?);
    call.answer(async |gather| {
        let kept = gather.record::<Policy>(keys::policy(&sku, &node)).await?;
        let kept = kept.ok_or_else(|| Refusal::not_found(format!("policy `{sku}/{node}`")))?;
        let version = kept.version;
        Ok(Answer::versioned(json!(shown_policy(kept)), version))
    })
    .await
}

async fn list_policies<W: World>(call: &Call<'_, Planning, W>) -> Result<Answer, Failure>
where
    W::Asks: Asks,
{
    let limit = call.limit()?;
    let after = call.query::<String>("after")?.unwrap_or_default();
    if !after.is_empty() && !after.contains('/') {
        let kind = tradewind_kernel::refusal::RefusalKind::Malformed;
        let detail = "`after` is no cursor of ours";
        return Err(Refusal::new(kind, "cursor-unknown", detail).into());
    }
    call.answer(async |gather| {
        let names = gather.page(keys::POLICIES, &after, limit).await?;
        let split = names.iter().filter_map(|name| name.split_once('/'));
        let records = split.map(|(sku, node)| keys::policy(sku, node)).collect();
        let kept = gather.records::<Policy>(records).await?;
        let kept = kept.into_iter().flatten();
        let items = kept.map(|kept| json!(shown_policy(kept))).collect();
        Ok(Call::<Planning, W>::page(items, &names, limit))
    })
    .await
}

async fn get_forecast<W: World>(call: &Call<'_, Planning, W>) -> Result<Answer, Failure>
where
    W::Asks: Asks,
{
    let (sku, channel) = (call.id("sku")?, call.id("channel")?);
    call.answer(async |gather| {
        let yesterday = gather.today().await?.plus(-1);
        let mut all = forecasts(gather, &sku, yesterday).await?;
        let (looked, forecast) = all
            .remove(&channel)
            .ok_or_else(|| Refusal::not_found(format!("history of `{sku}` in `{channel}`")))?;
        let (sku, channel) = (sku.clone(), channel.clone());
        let view = ForecastView { sku, channel, looked, forecast };
        Ok(Answer::ok(json!(view)))
    })
    .await
}

async fn start_run<W: World>(call: &Call<'_, Planning, W>) -> Result<Answer, Failure>
where
    W::Asks: Asks,
{
    let _: StartRun = call.body()?;
    call.command(async |gather| {
        let id = gather.id("run");
        let run = Run::new(id.clone(), gather.now(), call.caller().subject.clone());
        let mut decision = Decision::default();
        decision.put(keys::run(&id), &run);
        decision.event(NewEvent::of(id.as_str(), &RunRequested { run: id.clone() }));
        let location = format!("/planning/v1/runs/{id}");
        Ok(decision.created(location, json!({ "id": id, "at": run.at })))
    })
    .await
}

async fn get_run<W: World>(call: &Call<'_, Planning, W>) -> Result<Answer, Failure>
where
    W::Asks: Asks,
{
    let id = call.id("id")?;
    call.answer(async |gather| {
        let kept = gather.record::<Run>(keys::run(&id)).await?;
        let kept = kept.ok_or_else(|| Refusal::not_found(format!("run `{id}`")))?;
        let Kept { version, value: run } = kept;
        let shown = RunShown { id: id.clone(), run, version: version.to_string() };
        Ok(Answer::versioned(json!(shown), version))
    })
    .await
}

async fn list_proposals<W: World>(call: &Call<'_, Planning, W>) -> Result<Answer, Failure>
where
    W::Asks: Asks,
{
    let limit = call.limit()?;
    let sku = call.query::<Id>("sku")?;
    let after = call.after()?;
    call.answer(async |gather| {
        if let Some(sku) = &sku {
            let kept = gather.record::<Vec<Proposal>>(keys::proposals(sku)).await?;
            let all = kept.map(|kept| kept.value).unwrap_or_default();
            let found = page_of_item(all, &after, limit)?;
            let ids: Vec<String> = found.iter().map(|proposal| proposal.id.to_string()).collect();
            let items = found.iter().map(|proposal| json!(proposal)).collect();
            return Ok(Call::<Planning, W>::page(items, &ids, limit));
        }
        let names = gather.page(keys::PROPOSALS, &after, limit).await?;
        let ids = names.iter().filter_map(|name| name.parse::<Id>().ok());
        let records = ids.map(|id| keys::proposal(&id)).collect();
        let kept = gather.records::<Proposal>(records).await?;
        let items = kept.into_iter().flatten().map(|kept| json!(kept.value)).collect();
        Ok(Call::<Planning, W>::page(items, &names, limit))
    })
    .await
}
