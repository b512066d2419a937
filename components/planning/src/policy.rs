//! Planning policies: how sure stock must be, per item and node.
//!
//! `*` for item or node is the default of the rest. The closest policy holds as a whole: that of
//! the item at the node, then of the item, then of the node, then of everything.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tradewind_kernel::event::NewEvent;
use tradewind_kernel::events::planning::{Criticality, PolicySet};
use tradewind_kernel::published::{GivenRatio, IdOrAll};
use tradewind_kernel::refusal::Faults;
use tradewind_kernel::{Decision, Id, Ratio, Refusal};
use utoipa::ToSchema;

use crate::keys;

/// What stands for every item or every node.
pub const ANY: &str = "*";

/// The longest review period: a year. Longer, and nothing would be reviewed.
const MAX_REVIEW_DAYS: u32 = 366;

/// A policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Policy {
    /// The item, or `*`.
    #[schema(value_type = IdOrAll)]
    pub sku: String,
    /// The node, or `*`.
    #[schema(value_type = IdOrAll)]
    pub node: String,
    /// The share of review cycles without a stock-out.
    pub service_level: Ratio,
    /// Days from one review to the next.
    pub review_days: u32,
    /// How much the item matters.
    pub criticality: Criticality,
}

/// The body of `PUT /planning/v1/policies/{sku}/{node}`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({ "service_level": "0.97", "review_days": 7, "criticality": "A" }))]
pub struct SetPolicy {
    /// The share of review cycles without a stock-out, above 0 and below 1.
    #[schema(value_type = GivenRatio, default = "0.95")]
    pub service_level: Ratio,
    /// Days from one review to the next.
    #[schema(minimum = 0, maximum = 366, default = 7)]
    pub review_days: u32,
    /// How much the item matters.
    pub criticality: Criticality,
}

impl Default for SetPolicy {
    fn default() -> Self {
        let (service_level, review_days) = (Ratio(Decimal::new(95, 2)), 7);
        Self { service_level, review_days, criticality: Criticality::C }
    }
}

impl Policy {
    /// What holds where nobody has said anything.
    #[must_use]
    pub fn standard() -> Self {
        Self::of(ANY, ANY, SetPolicy::default())
    }

    fn of(sku: &str, node: &str, command: SetPolicy) -> Self {
        let SetPolicy { service_level, review_days, criticality } = command;
        let (sku, node) = (sku.to_owned(), node.to_owned());
        Self { sku, node, service_level, review_days, criticality }
    }
}

/// The keys of the policies that may hold for an item at a node, the closest first.
#[must_use]
pub fn candidates(sku: &Id, node: &Id) -> Vec<String> {
    let (sku, node) = (sku.as_str(), node.as_str());
    [(sku, node), (sku, ANY), (ANY, node), (ANY, ANY)]
        .into_iter()
        .map(|(sku, node)| keys::policy(sku, node))
        .collect()
}

/// Makes or replaces a policy.
///
/// # Errors
/// 422 when the service level is not above 0 and below 1, or the review period too long.
pub fn set_policy(
    sku: &str,
    node: &str,
    before: Option<(&Policy, u64)>,
    command: SetPolicy,
) -> Result<Decision, Refusal> {
    let mut faults = Faults::new();
    let level = command.service_level.0;
    let inside = level > Decimal::ZERO && level < Decimal::ONE;
    let words = "a service level is above 0 and below 1";
    faults.require(inside, "/service_level", "out-of-range", words);
    let words = "a review period is at most 366 days";
    let short = command.review_days <= MAX_REVIEW_DAYS;
    faults.require(short, "/review_days", "out-of-range", words);
    faults.check()?;

    let after = Policy::of(sku, node, command);
    if let Some((same, version)) = before.filter(|(kept, _)| **kept == after) {
        return Ok(Decision::unchanged(answer(same), version));
    }
    let mut decision = Decision::default();
    let name = format!("{sku}/{node}");
    decision.put(keys::policy(sku, node), &after);
    decision.index(keys::POLICIES, name.as_str(), 0);
    let told = PolicySet {
        sku: after.sku.clone(),
        node: after.node.clone(),
        service_level: after.service_level,
        review_days: after.review_days,
        criticality: after.criticality,
    };
    decision.event(NewEvent::of(name.as_str(), &told));
    let body = answer(&after);
    Ok(match before {
        None => decision.created(format!("/planning/v1/policies/{name}"), body),
        Some(_) => decision.reply(200, body),
    })
}

fn answer(policy: &Policy) -> Value {
    let mut body = json!(policy);
    if let Some(object) = body.as_object_mut() {
        object.insert("version".to_owned(), Value::Null);
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_level_is_a_share() {
        for (level, good) in
            [("0.95", true), ("0.5", true), ("0", false), ("1", false), ("-0.2", false)]
        {
            let service_level = level.parse().unwrap();
            let command = SetPolicy { service_level, ..SetPolicy::default() };
            assert_eq!(set_policy("X", "*", None, command).is_ok(), good, "{level}");
        }
    }

    #[test]
    fn defaults_are_those_of_the_contract() {
        let made = set_policy("*", "*", None, SetPolicy::default()).unwrap();
        let body = &made.reply.body;
        assert_eq!((&body["service_level"], &body["review_days"]), (&json!("0.95"), &json!(7)));
        assert_eq!(body["criticality"], "C");
        let kept: Policy = serde_json::from_value(body.clone()).unwrap();
        assert!(set_policy("*", "*", Some((&kept, 3)), SetPolicy::default()).unwrap().is_empty());
    }

    #[test]
    fn the_closest_policy_comes_first() {
        let keys = candidates(&"X".parse().unwrap(), &"OWN".parse().unwrap());
        let names: Vec<&str> = keys.iter().map(|key| &key["planning:policy:".len()..]).collect();
        assert_eq!(names, ["X:OWN", "X:*", "*:OWN", "*:*"]);
    }
}
