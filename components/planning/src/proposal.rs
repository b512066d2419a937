//! Proposals: what a planning run says should be bought.
//!
//! A run works every item in blocks and replaces the item's proposals by what it finds. The id of
//! a proposal is made of what it is (item, node, supplier, week of need), so a run on unchanged
//! state proposes the same, under the same ids, and writes nothing.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tradewind_kernel::published::Actor;
use tradewind_kernel::refusal::RefusalKind;
use tradewind_kernel::{Day, Decision, Id, Instant, Quantity, Refusal};
use utoipa::ToSchema;

use crate::keys;
use crate::replenishment::{Explanation, Need};

/// The body of `POST /planning/v1/runs`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({}))]
pub struct StartRun {}

/// A planning run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Run {
    /// Its id.
    pub run: Id,
    /// When it was asked for.
    pub at: Instant,
    /// Who asked.
    #[schema(value_type = Actor)]
    pub by: String,
    /// Whether every item has been worked.
    pub complete: bool,
    /// Items worked so far.
    #[schema(value_type = i64)]
    pub items: Quantity,
    /// Proposals made for them.
    #[schema(value_type = i64)]
    pub proposals: Quantity,
    /// Items × nodes with demand that no supplier offers.
    #[schema(value_type = i64)]
    pub unsourced: Quantity,
}

impl Run {
    /// A run that has not worked anything yet.
    #[must_use]
    pub fn new(run: Id, at: Instant, by: String) -> Self {
        Self { run, at, by, complete: false, items: 0, proposals: 0, unsourced: 0 }
    }
}

/// A proposed order line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Proposal {
    /// Made of item, node, supplier and the week of need.
    pub id: Id,
    /// The item.
    pub sku: Id,
    /// Where it is needed.
    pub node: Id,
    /// Whom to order from.
    pub supplier: Id,
    /// Base units.
    #[schema(value_type = i64)]
    pub quantity: Quantity,
    /// When to order; today if that has passed.
    pub order_day: Day,
    /// The first day on which stock would fall below safety stock.
    pub need_day: Day,
    /// Every figure behind it.
    pub explanation: Explanation,
}

impl Proposal {
    /// The proposal of a need.
    #[must_use]
    pub fn of(sku: &Id, node: &Id, need: Need) -> Self {
        let Need { supplier, quantity, order_day, need_day, explanation } = need;
        let id = proposal_id(sku, node, &supplier, need_day);
        let (sku, node) = (sku.clone(), node.clone());
        Self { id, sku, node, supplier, quantity, order_day, need_day, explanation }
    }
}

/// The id of a proposal: `prp_` and a hash of what it is.
fn proposal_id(sku: &Id, node: &Id, supplier: &Id, need_day: Day) -> Id {
    let mut hash = Sha256::new();
    for part in [sku.as_str(), node.as_str(), supplier.as_str(), &need_day.monday().to_string()] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let digits: String =
        hash.finalize().iter().take(13).map(|byte| format!("{byte:02x}")).collect();
    format!("prp_{digits}").parse().unwrap_or_else(|_| sku.clone())
}

/// Replaces the proposals of an item; what is as it was is not written again.
pub fn replace(decision: &mut Decision, sku: &Id, before: &[Proposal], after: &[Proposal]) {
    if before == after {
        return;
    }
    for gone in before.iter().filter(|old| after.iter().all(|new| new.id != old.id)) {
        decision.delete(keys::proposal(&gone.id));
        decision.unindex(keys::PROPOSALS, gone.id.as_str());
    }
    for proposal in after.iter().filter(|new| !before.contains(new)) {
        decision.put(keys::proposal(&proposal.id), proposal);
        decision.index(keys::PROPOSALS, proposal.id.as_str(), 0);
    }
    decision.put(keys::proposals(sku), &after);
}

/// A page of an item's proposals, by id, after the last one of the page before (empty: the first).
///
/// # Errors
/// 400 when `after` is not (or no longer) among them.
pub fn page_of_item(
    mut all: Vec<Proposal>,
    after: &str,
    limit: usize,
) -> Result<Vec<Proposal>, Refusal> {
    all.sort_by(|left, right| left.id.cmp(&right.id));
    if !after.is_empty() && all.iter().all(|proposal| proposal.id.as_str() != after) {
        let detail = "`after` is not (or no longer) a cursor of this list";
        return Err(Refusal::new(RefusalKind::Malformed, "cursor-unknown", detail));
    }
    Ok(all.into_iter().filter(|proposal| proposal.id.as_str() > after).take(limit).collect())
}
