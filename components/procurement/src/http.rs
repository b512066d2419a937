//! Requests in, answers out: what procurement gathers for each command, and which pure decision it
//! then calls.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tradewind_kernel::event::Payload;
use tradewind_kernel::events::finance::{RateSet, SettingsChanged};
use tradewind_kernel::events::inventory::{ItemSet, NodeSet};
use tradewind_kernel::events::procurement::OrderStatus;
use tradewind_kernel::refusal::{Refusal, RefusalKind};
use tradewind_kernel::role::StepRole;
use tradewind_kernel::{Decision, Id};
use tradewind_shell::call::{Answer, Call};
use tradewind_shell::failure::Failure;
use tradewind_shell::gather::{Gather, Kept};
use tradewind_shell::route::Role;
use tradewind_shell::store::Needs;
use tradewind_shell::world::World;

use crate::asks::Asks;
use crate::confirmation::{self, Confirmation};
use crate::draft::{self, Draft};
use crate::ending::{self, Reason};
use crate::gathering::{asked_standing, burden, needed, standing, unknown_of};
use crate::order::{Context, Order, name};
use crate::policy::{self, Policy};
use crate::receipt::{self, Arrival, Receipt};
use crate::routes::{Action, Operation};
use crate::{Procurement, approval, keys, release};

type ProcurementCall<'a, W> = Call<'a, Procurement, W>;

/// Answers one request.
///
/// # Errors
/// What the operation refuses; outages.
pub async fn handle<W: World>(
    operation: Operation,
    call: &ProcurementCall<'_, W>,
) -> Result<Answer, Failure>
where
    W::Asks: Asks,
{
    match operation {
        Operation::Raise => raise(call).await,
        Operation::Order => one_order(call).await,
        Operation::ListOrders => list_orders(call).await,
        Operation::Act(action) => act(call, action).await,
        Operation::Confirm => confirm(call).await,
        Operation::Receive => receive(call).await,
        Operation::ListReceipts => list_receipts(call).await,
        Operation::Receipt => one_receipt(call).await,
        Operation::SetPolicy => set_policy(call).await,
        Operation::Policy => one_policy(call).await,
    }
}

/// Runs a command. Besides procurement's own records it rests on settings, rates, and which items
/// and nodes there are.
async fn run<W: World>(
    call: &ProcurementCall<'_, W>,
    reason: Option<String>,
    frees: bool,
    decide: impl AsyncFn(&Gather<'_, W>) -> Result<Decision, Failure>,
) -> Result<Answer, Failure>
where
    W::Asks: Asks,
{
    let mut task = call.task();
    let types = vec![SettingsChanged::TYPE, RateSet::TYPE, ItemSet::TYPE, NodeSet::TYPE];
    task.needs = Needs::Types(types);
    task.origin.reason = reason;
    task.frees = frees;
    call.run(task, decide).await
}

async fn context<W: World>(
    call: &ProcurementCall<'_, W>,
    gather: &Gather<'_, W>,
) -> Result<Context, Failure>
where
    W::Asks: Asks,
{
    let caller = call.caller();
    let role = |role: &Role| match role {
        Role::Admin => Some(StepRole::Admin),
        Role::Approver => Some(StepRole::Approver),
        Role::Buyer => Some(StepRole::Buyer),
        Role::Planner => Some(StepRole::Planner),
        Role::Warehouse => Some(StepRole::Warehouse),
        Role::Finance => Some(StepRole::Finance),
        Role::Viewer | Role::Channel | Role::System | Role::Partner => None,
    };
    Ok(Context {
        by: caller.subject.clone(),
        roles: caller.roles.iter().filter_map(role).collect(),
        admin: caller.is(Role::Admin),
        now: gather.now(),
        today: gather.today().await?,
    })
}

/// The order of the path. A partner that is nothing else sees its own supplier's alone, and these
/// from their release on: what we only consider buying is not its business.
async fn existing<W: World>(
    call: &ProcurementCall<'_, W>,
    gather: &Gather<'_, W>,
    staff: &[Role],
) -> Result<Kept<Order>, Failure>
where
    W::Asks: Asks,
{
    let id = call.id("order")?;
    let unknown = || Refusal::not_found(format!("order `{id}`"));
    let kept = gather.record::<Order>(keys::order(&id)).await?.ok_or_else(unknown)?;
    if call.caller().may(staff) || shown_to(call.caller().supplier.as_deref(), &kept) {
        return Ok(kept);
    }
    Err(unknown().into())
}

/// Whether an order is shown to the supplier that a partner is bound to.
fn shown_to(supplier: Option<&str>, order: &Order) -> bool {
    order.released.is_some() && supplier == Some(order.supplier.as_str())
}

async fn raise<W: World>(call: &ProcurementCall<'_, W>) -> Result<Answer, Failure>
where
    W::Asks: Asks,
{
    let draft: Draft = call.body()?;
    run(call, None, false, async |gather| {
        let skus = draft.lines.iter().map(|line| line.sku.clone()).collect();
        let nodes = draft.lines.iter().map(|line| line.node.clone()).collect();
        let unknown = unknown_of(gather, skus, nodes).await?;
        let standing = asked_standing(gather, &draft.supplier).await?;
        let context = context(call, gather).await?;
        Ok(draft::raise(gather.id("po"), draft.clone(), standing, &unknown, &context)?)
    })
    .await
}

async fn one_order<W: World>(call: &ProcurementCall<'_, W>) -> Result<Answer, Failure>
where
    W::Asks: Asks,
{
    call.answer(async |gather| {
        let kept = existing(call, gather, Role::READERS).await?;
        Ok(Answer::versioned(kept.answer(kept.version), kept.version))
    })
    .await
}

async fn list_orders<W: World>(call: &ProcurementCall<'_, W>) -> Result<Answer, Failure>
where
    W::Asks: Asks,
{
    let (after, limit) = (call.after()?, call.limit()?);
    let asked = call.query::<Id>("supplier")?;
    let status = call.query::<String>("status")?.map(status_of).transpose()?;
    let partner = (!call.caller().may(Role::READERS)).then(|| call.caller().supplier.clone());
    // A partner turns the pages of its supplier, whichever it names; another's orders are not shown.
    let bound = partner.as_ref().and_then(|own| own.as_ref()?.parse::<Id>().ok());
    let index = keys::orders(bound.as_ref().or(asked.as_ref()), status.map(name));
    call.answer(async |gather| {
        let names = gather.page(index.clone(), &after, limit).await?;
        let ids = names.iter().filter_map(|name| name.parse::<Id>().ok());
        let kept = gather.records::<Order>(ids.map(|id| keys::order(&id)).collect()).await?;
        let shown = kept.into_iter().flatten().filter(|kept| match &partner {
            None => true,
            Some(own) => {
                shown_to(own.as_deref(), kept)
                    && asked.as_ref().is_none_or(|asked| *asked == kept.supplier)
            }
        });
        let items: Vec<Value> = shown.map(|kept| kept.answer(kept.version)).collect();
        Ok(ProcurementCall::<W>::page(items, &names, limit))
    })
    .await
}

fn status_of(text: String) -> Result<OrderStatus, Refusal> {
    serde_json::from_value(Value::String(text)).map_err(|_| {
        Refusal::new(RefusalKind::Malformed, "query-malformed", "`status` is no status of an order")
    })
}

async fn act<W: World>(call: &ProcurementCall<'_, W>, action: Action) -> Result<Answer, Failure>
where
    W::Asks: Asks,
{
    let Reason { reason } = call.body()?;
    let frees = matches!(action, Action::Cancel | Action::Close);
    run(call, reason, frees, async |gather| {
        let order = existing(call, gather, Role::READERS).await?;
        call.if_match(order.version)?;
        let context = context(call, gather).await?;
        Ok(match action {
            Action::Submit => submit(gather, &order).await?,
            Action::Approve => approval::approve(&order, &context)?,
            Action::Reject => approval::reject(&order, &context)?,
            Action::Release => release(gather, &order, &context).await?,
            Action::Accept => accept(gather, &order, &context).await?,
            Action::Cancel => ending::cancel(&order)?,
            Action::Close => ending::close(&order)?,
        })
    })
    .await
}

async fn submit<W: World>(gather: &Gather<'_, W>, order: &Order) -> Result<Decision, Failure>
where
    W::Asks: Asks,
{
    // Nobody is asked about what cannot be done anyway.
    approval::submittable(order)?;
    let standing = standing(gather, &order.supplier).await?;
    Ok(approval::submit(order, needed(gather, order, &standing).await?)?)
}

async fn release<W: World>(
    gather: &Gather<'_, W>,
    order: &Order,
    context: &Context,
) -> Result<Decision, Failure>
where
    W::Asks: Asks,
{
    let standing = standing(gather, &order.supplier).await?;
    let (open, rates) = burden(gather, order, &standing).await?;
    Ok(release::release(order, &standing, &open, &rates, context)?)
}

async fn accept<W: World>(
    gather: &Gather<'_, W>,
    order: &Order,
    context: &Context,
) -> Result<Decision, Failure>
where
    W::Asks: Asks,
{
    confirmation::acceptable(order, context)?;
    let standing = standing(gather, &order.supplier).await?;
    let needed = needed(gather, &confirmation::repriced(order), &standing).await?;
    let (open, rates) = burden(gather, order, &standing).await?;
    Ok(confirmation::accept(order, &needed, &standing, &open, &rates, context)?)
}

async fn confirm<W: World>(call: &ProcurementCall<'_, W>) -> Result<Answer, Failure>
where
    W::Asks: Asks,
{
    let confirmation: Confirmation = call.body()?;
    run(call, confirmation.reason.clone(), false, async |gather| {
        let order = existing(call, gather, &[Role::Buyer]).await?;
        call.if_match(order.version)?;
        let context = context(call, gather).await?;
        Ok(confirmation::confirm(&order, &confirmation, &context)?)
    })
    .await
}

async fn receive<W: World>(call: &ProcurementCall<'_, W>) -> Result<Answer, Failure>
where
    W::Asks: Asks,
{
    let arrival: Arrival = call.body()?;
    run(call, None, false, async |gather| {
        let order = existing(call, gather, &[Role::Warehouse]).await?;
        call.if_match(order.version)?;
        let context = context(call, gather).await?;
        let nodes = arrival.node.iter().cloned().collect();
        let unknown = unknown_of(gather, BTreeSet::new(), nodes).await?;
        Ok(receipt::receive(&order, &arrival, gather.id("rc"), &unknown, &context)?)
    })
    .await
}

async fn list_receipts<W: World>(call: &ProcurementCall<'_, W>) -> Result<Answer, Failure>
where
    W::Asks: Asks,
{
    let (after, limit) = (call.after()?, call.limit()?);
    call.answer(async |gather| {
        let order = existing(call, gather, Role::READERS).await?;
        let receipts = gather.set::<Receipt>(keys::receipts(&order.id)).await?;
        if !after.is_empty() && !receipts.contains_key(&after) {
            let detail = "`after` is no cursor of ours";
            return Err(Refusal::new(RefusalKind::Malformed, "cursor-unknown", detail).into());
        }
        let later = receipts.into_iter().filter(|(id, _)| *id > after).take(limit);
        let (ids, items): (Vec<String>, Vec<Value>) =
            later.map(|(id, receipt)| (id, json!(receipt))).unzip();
        Ok(ProcurementCall::<W>::page(items, &ids, limit))
    })
    .await
}

async fn one_receipt<W: World>(call: &ProcurementCall<'_, W>) -> Result<Answer, Failure>
where
    W::Asks: Asks,
{
    let id = call.id("receipt")?;
    call.answer(async |gather| {
        let order = existing(call, gather, Role::READERS).await?;
        let names = vec![id.to_string()];
        let found = gather.members::<Receipt>(keys::receipts(&order.id), names).await?;
        let receipt = found.into_iter().flatten().next();
        let receipt = receipt.ok_or_else(|| Refusal::not_found(format!("receipt `{id}`")))?;
        Ok(Answer::ok(json!(receipt)))
    })
    .await
}

async fn set_policy<W: World>(call: &ProcurementCall<'_, W>) -> Result<Answer, Failure>
where
    W::Asks: Asks,
{
    let policy: Policy = call.body()?;
    run(call, None, false, async |gather| {
        let current = gather.record::<Policy>(keys::APPROVAL_POLICY).await?;
        call.if_match(current.as_ref().map_or(0, |kept| kept.version))?;
        let current = current.map(|kept| (kept.version, kept.value));
        Ok(policy::set(policy.clone(), current)?)
    })
    .await
}

async fn one_policy<W: World>(call: &ProcurementCall<'_, W>) -> Result<Answer, Failure>
where
    W::Asks: Asks,
{
    call.answer(async |gather| {
        let kept = gather.record::<Policy>(keys::APPROVAL_POLICY).await?;
        let (version, policy) =
            kept.map_or((0, Policy::default()), |kept| (kept.version, kept.value));
        let body = policy::answer(&policy, version);
        Ok(if version == 0 { Answer::ok(body) } else { Answer::versioned(body, version) })
    })
    .await
}
