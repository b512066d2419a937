//! Events of the suppliers domain.

use serde::{Deserialize, Serialize};

use super::payloads;
use crate::calendar::Calendar;
use crate::id::Id;
use crate::money::{Currency, Money};
use crate::quantity::Quantity;
use crate::ratio::Ratio;
use crate::time::Day;

/// Where a supplier stands. Orders are released only to approved ones, or to conditional ones
/// within the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum SupplierStatus {
    #[default]
    Prospect,
    InReview,
    Approved,
    Conditional,
    Suspended,
    Blocked,
}

/// A supplier was made or changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct SupplierSet {
    pub supplier: Id,
    #[schema(format = "free-text")]
    pub name: String,
    #[schema(format = "free-text")]
    pub class: Option<String>,
    pub currency: Currency,
    pub terms_days: u32,
    pub calendar: Calendar,
    #[schema(format = "free-text")]
    pub country: Option<String>,
    pub status: SupplierStatus,
}

/// A supplier's status moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct StatusChanged {
    pub supplier: Id,
    pub from: SupplierStatus,
    pub to: SupplierStatus,
    #[schema(format = "free-text")]
    pub reason: Option<String>,
    /// What open orders to a conditional supplier may sum to.
    pub limit: Option<Money>,
}

/// A lower price from a quantity on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceBreak {
    /// The least quantity of a line, base units.
    #[schema(value_type = i64, minimum = 1)]
    pub from: Quantity,
    /// The unit price from then on; not below zero.
    pub price: Money,
}

/// What hurrying costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Expedite {
    /// By how many days at most a late delivery can be brought forward.
    #[schema(minimum = 1)]
    pub days: u32,
    /// What each unit then costs more; not below zero.
    pub cost_per_unit: Money,
}

/// An offer was made or changed: what a supplier asks for an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct OfferSet {
    pub supplier: Id,
    pub sku: Id,
    pub price: Money,
    pub lead_time_days: u32,
    pub minimum: Quantity,
    pub multiple: Quantity,
    pub maximum: Option<Quantity>,
    pub breaks: Vec<PriceBreak>,
    pub expedite: Option<Expedite>,
    pub from: Option<Day>,
    pub until: Option<Day>,
    #[schema(format = "free-text")]
    pub origin: Option<String>,
}

/// What a part of a score measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ScoreMeasure {
    /// Lines that arrived whole by the first confirmed day.
    OnTimeInFull,
    /// Lines that were confirmed in time.
    ConfirmationReliability,
    /// What was accepted of what was ordered.
    FillRate,
    /// What was accepted of what was received.
    Quality,
}

/// One part of a score: its value (0 to 1) counts with its weight (percent); `of` is how many
/// lines or units it rests on. A part without data has no value and its weight is shared out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ScorePart {
    /// What it measures.
    pub name: ScoreMeasure,
    /// 0 to 1; null without data.
    pub value: Option<Ratio>,
    /// Percent of the whole.
    pub weight: Ratio,
    /// What it rests on: lines, or units received for quality.
    pub of: Quantity,
}

/// A supplier's score moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct ScoreChanged {
    pub supplier: Id,
    /// 0 to 100, one decimal; null without data.
    pub before: Option<Ratio>,
    pub after: Option<Ratio>,
    pub parts_before: Vec<ScorePart>,
    pub parts: Vec<ScorePart>,
}

payloads! {
    SupplierSet => "suppliers.supplier-set",
    StatusChanged => "suppliers.status-changed",
    OfferSet => "suppliers.offer-set",
    ScoreChanged => "suppliers.score-changed",
}
