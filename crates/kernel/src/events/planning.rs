//! Events of the planning domain.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::payloads;
use crate::id::Id;
use crate::money::Money;
use crate::published::{EventId, IdOrAll};
use crate::quantity::Quantity;
use crate::time::Day;

/// A promotion was made or changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct PromotionSet {
    pub promotion: Id,
    #[schema(format = "free-text")]
    pub name: String,
    pub sku: Id,
    pub channel: Id,
    pub from: Day,
    pub until: Day,
    pub expected_units: Quantity,
    /// The item it was for before, if that changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_sku: Option<Id>,
}

/// Demand history was loaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct HistoryLoaded {
    pub lines: Quantity,
    pub series: Quantity,
}

/// How much an item matters; A most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Criticality {
    A,
    B,
    #[default]
    C,
    D,
}

/// A planning policy was made or changed; `*` is the default of the rest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct PolicySet {
    #[schema(value_type = IdOrAll)]
    pub sku: String,
    #[schema(value_type = IdOrAll)]
    pub node: String,
    pub service_level: crate::ratio::Ratio,
    pub review_days: u32,
    pub criticality: Criticality,
}

/// What a promotion is short of moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct PromotionRiskChanged {
    pub promotion: Id,
    pub sku: Id,
    pub channel: Id,
    pub units_short_before: Quantity,
    pub units_short: Quantity,
    /// The first day whose running sum is not covered.
    pub first_day: Option<Day>,
    /// Units short at the item's list price for the channel.
    pub revenue: Option<Money>,
}

/// What can be done; in the order in which options of equal rank stand.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum OptionKind {
    /// Buy from another supplier.
    AlternateSupplier,
    /// Have a late delivery hurried.
    Expedite,
    /// Start a promotion later.
    PostponePromotion,
    /// Free units that are kept for a channel.
    ReAllocate,
    /// Bring goods from another node.
    Transfer,
}

impl fmt::Display for OptionKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::AlternateSupplier => "alternate-supplier",
            Self::Expedite => "expedite",
            Self::PostponePromotion => "postpone-promotion",
            Self::ReAllocate => "re-allocate",
            Self::Transfer => "transfer",
        })
    }
}

/// One thing that can be done about what a cause made worse (contract.md, Cascade).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct MitigationOption {
    pub kind: OptionKind,
    /// What to do, in words.
    #[schema(format = "free-text")]
    pub description: String,
    pub sku: Id,
    /// When it takes effect; null when infeasible.
    pub day: Option<Day>,
    /// Units of lines back to their old day or better, plus promotion units no longer short.
    pub units: Quantity,
    pub revenue: Money,
    /// Revenue of lines newly delayed and promotion units newly short.
    pub lost: Money,
    /// Extra cost over the plan.
    pub cost: Money,
    /// Paid within the horizon of the cash forecast.
    pub cash: Money,
    /// `revenue − lost − cost`.
    pub net: Money,
    pub feasible: bool,
    /// Why it is infeasible, in words.
    #[schema(format = "free-text")]
    pub reason: Option<String>,
    /// The sequence of the state it was judged on, as an event id.
    #[schema(value_type = EventId)]
    pub as_of: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<Id>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supplier: Option<Id>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<Quantity>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protection: Option<Id>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promotion: Option<Id>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_node: Option<Id>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_node: Option<Id>,
}

/// What can be done for one item, ranked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct OptionsRanked {
    pub sku: Id,
    pub options: Vec<MitigationOption>,
}

/// A planning run was asked for; planning works it in blocks of items by reacting to this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct RunRequested {
    pub run: Id,
}

/// A planning run made proposals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct RunCompleted {
    pub run: Id,
    pub proposals: Quantity,
}

payloads! {
    PromotionSet => "planning.promotion-set",
    HistoryLoaded => "planning.history-loaded",
    PolicySet => "planning.policy-set",
    PromotionRiskChanged => "planning.promotion-risk-changed",
    OptionsRanked => "planning.options-ranked",
    RunRequested => "planning.run-requested",
    RunCompleted => "planning.run-completed",
}
