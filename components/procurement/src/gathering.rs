//! What decisions rest on: which items and nodes exist, where the supplier stands, which approval
//! the policy and the plug-in need, what is open with the supplier, and rates to compare amounts.

use std::collections::{BTreeMap, BTreeSet};

use tradewind_kernel::asks::suppliers::Standing;
use tradewind_kernel::events::suppliers::SupplierStatus;
use tradewind_kernel::refusal::{Fault, Refusal};
use tradewind_kernel::{Currency, Id};
use tradewind_shell::failure::Failure;
use tradewind_shell::gather::Gather;
use tradewind_shell::world::{AskError, World};

use crate::advice;
use crate::asks::Asks;
use crate::filing::OpenOrder;
use crate::keys;
use crate::known::{Known, Unknown};
use crate::order::Order;
use crate::policy::{Judged, Needed, Policy};
use crate::rates::{DatedRates, Rates};

/// Where a supplier stands; an unknown one is a fault of the body.
///
/// # Errors
/// Outages; `Behind` of what is asked or read.
pub async fn asked_standing<W: World>(
    gather: &Gather<'_, W>,
    supplier: &Id,
) -> Result<Result<Standing, Fault>, Failure>
where
    W::Asks: Asks,
{
    let answer = gather.world().asks().standing(gather.tenant(), supplier.as_str()).await;
    if let Err(AskError::Refused(code, detail)) = answer {
        return Ok(Err(Fault::new("/supplier", code, detail)));
    }
    gather.asked(answer).map(Ok)
}

/// The same; an unknown supplier is a refusal.
///
/// # Errors
/// 422 for an unknown supplier; else as [`asked_standing`].
pub async fn standing<W: World>(gather: &Gather<'_, W>, supplier: &Id) -> Result<Standing, Failure>
where
    W::Asks: Asks,
{
    let standing = asked_standing(gather, supplier).await?;
    Ok(standing.map_err(|fault| Refusal::invalid(vec![fault]))?)
}

async fn rates<W: World>(
    gather: &Gather<'_, W>,
    currencies: impl IntoIterator<Item = Currency>,
) -> Result<Rates, Failure> {
    let base = gather.settings().await?.currency;
    let wanted: BTreeSet<Currency> = currencies.into_iter().filter(|it| *it != base).collect();
    let keys = wanted.iter().map(|currency| keys::rates(*currency)).collect();
    let kept = gather.records::<DatedRates>(keys).await?;
    let dated = wanted.into_iter().zip(kept);
    Ok(Rates { base, dated: dated.filter_map(|(it, kept)| Some((it, kept?.value))).collect() })
}

/// The approval that an order needs at its prices: what the policy demands, and what the plug-in
/// adds.
///
/// # Errors
/// 409 when the plug-in objects, or fails where the policy then refuses; outages; `Behind` of what
/// is asked or read.
pub async fn needed<W: World>(
    gather: &Gather<'_, W>,
    order: &Order,
    standing: &Standing,
) -> Result<Needed, Failure>
where
    W::Asks: Asks,
{
    let kept = gather.record::<Policy>(keys::APPROVAL_POLICY).await?;
    let policy = kept.map(|kept| kept.value).unwrap_or_default();
    let rates = rates(gather, policy.currencies().chain([order.currency])).await?;
    let judged = Judged {
        total: order.total(),
        day: order.raised_on,
        class: standing.class.as_deref(),
        status: standing.status,
    };
    let question = advice::question(order, standing, &rates);
    let answer = gather.world().asks().judge(&question).await;
    if let Err(failure) = &answer {
        gather.world().log(&format!("the plug-in for order approval failed: {failure}"));
    }
    Ok(advice::heard(policy.needed(&judged, &rates), answer, policy.plugin.on_failure)?)
}

/// What is open with a conditional supplier, and the rates to compare it with its limit.
///
/// # Errors
/// Outages; `Behind` of what is asked or read.
pub async fn burden<W: World>(
    gather: &Gather<'_, W>,
    order: &Order,
    standing: &Standing,
) -> Result<(BTreeMap<String, OpenOrder>, Rates), Failure> {
    let mut open = BTreeMap::new();
    let mut with_rates = Rates::default();
    if let (SupplierStatus::Conditional, Some(limit)) = (standing.status, standing.limit) {
        open = gather.set::<OpenOrder>(keys::open_orders(&order.supplier)).await?;
        let currencies: Vec<Currency> = open.values().map(|open| open.currency).collect();
        let own = [order.currency, limit.currency];
        with_rates = rates(gather, currencies.into_iter().chain(own)).await?;
    }
    Ok((open, with_rates))
}

/// Which of these items and nodes do not exist.
///
/// # Errors
/// Outages; `Behind` when there is more to learn of them.
pub async fn unknown_of<W: World>(
    gather: &Gather<'_, W>,
    skus: BTreeSet<Id>,
    nodes: BTreeSet<Id>,
) -> Result<Unknown, Failure> {
    let keys = skus.iter().map(keys::item).chain(nodes.iter().map(keys::node)).collect();
    let mut missing = gather.records::<Known>(keys).await?.into_iter().map(|kept| kept.is_none());
    let mut lacking =
        |ids: BTreeSet<Id>| ids.into_iter().filter(|_| missing.next() == Some(true)).collect();
    Ok(Unknown { skus: lacking(skus), nodes: lacking(nodes) })
}
