//! Promotions: what a channel expects to sell of an item in a window, both days inclusive.
//!
//! A promotion is stated, not computed; what it is short of is its risk (`risk.rs`), kept beside
//! it, so that its version changes with what a planner said alone.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tradewind_kernel::event::NewEvent;
use tradewind_kernel::events::planning::PromotionSet;
use tradewind_kernel::refusal::Faults;
use tradewind_kernel::{Day, Decision, Id, Quantity, Refusal};
use utoipa::ToSchema;

use crate::MAX_PROMOTION_DAYS;
use crate::keys;
use crate::risk::Risk;

/// A promotion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Promotion {
    pub promotion: Id,
    #[schema(format = "free-text")]
    pub name: String,
    pub sku: Id,
    pub channel: Id,
    pub from: Day,
    pub until: Day,
    #[schema(value_type = i64)]
    pub expected_units: Quantity,
}

/// The body of `PUT /planning/v1/promotions/{id}`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "name": "Holiday promotion",
    "sku": "SHIRT-M",
    "channel": "web",
    "from": "2026-12-16",
    "until": "2026-12-20",
    "expected_units": 400,
}))]
pub struct SetPromotion {
    /// What people call it.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// The item.
    pub sku: Id,
    /// The channel that sells it.
    pub channel: Id,
    /// The first day.
    pub from: Day,
    /// The last day; with the first, a promotion is at most 366 days long (`window-too-long`).
    pub until: Day,
    /// What it expects to sell, base units; 0 calls it off.
    #[schema(value_type = i64, minimum = 0)]
    pub expected_units: Quantity,
}

/// A promotion and what it is short of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub struct PromotionView {
    #[serde(flatten)]
    pub promotion: Promotion,
    #[serde(flatten)]
    pub risk: Risk,
}

/// What the caller may rest a reference on.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    /// There is such an item.
    pub sku: bool,
    /// There is such a channel.
    pub channel: bool,
}

/// Makes or replaces a promotion.
///
/// # Errors
/// 422 naming every fault: unknown item or channel, a window that ends before it begins or is
/// longer than [`MAX_PROMOTION_DAYS`].
pub fn set_promotion(
    id: &Id,
    before: Option<(&Promotion, u64)>,
    command: SetPromotion,
    known: Known,
) -> Result<Decision, Refusal> {
    let mut faults = Faults::new();
    faults.require(known.sku, "/sku", "sku-unknown", "there is no such item");
    faults.require(known.channel, "/channel", "channel-unknown", "there is no such channel");
    let days = command.until.since(command.from);
    faults.require(days >= 0, "/until", "window-reversed", "`until` is before `from`");
    let detail = format!("a promotion is at most {MAX_PROMOTION_DAYS} days long");
    faults.require(days < MAX_PROMOTION_DAYS, "/until", "window-too-long", &detail);
    faults.check()?;

    let SetPromotion { name, sku, channel, from, until, expected_units } = command;
    let promotion = id.clone();
    let after = Promotion { promotion, name, sku, channel, from, until, expected_units };
    if let Some((same, version)) = before.filter(|(kept, _)| **kept == after) {
        return Ok(Decision::unchanged(answer(same), version));
    }
    let mut decision = Decision::default();
    let previous = before.map(|(kept, _)| &kept.sku).filter(|sku| **sku != after.sku);
    if let Some(sku) = previous {
        decision.delete_member(keys::item_promotions(sku), id.as_str());
    }
    decision.put(keys::promotion(id), &after);
    decision.put_member(keys::item_promotions(&after.sku), id.as_str(), &after);
    decision.index(keys::PROMOTIONS, id.as_str(), 0);
    decision.index(keys::LIVE_PROMOTIONS, id.as_str(), keys::day_score(after.from));
    let told = PromotionSet {
        promotion: id.clone(),
        name: after.name.clone(),
        sku: after.sku.clone(),
        channel: after.channel.clone(),
        from: after.from,
        until: after.until,
        expected_units: after.expected_units,
        previous_sku: previous.cloned(),
    };
    decision.event(NewEvent::of(id.as_str(), &told));
    let body = answer(&after);
    Ok(match before {
        None => decision.created(format!("/planning/v1/promotions/{id}"), body),
        Some(_) => decision.reply(200, body),
    })
}

/// The promotion with room for the version that its commit gets.
fn answer(promotion: &Promotion) -> Value {
    let mut body = json!(promotion);
    if let Some(object) = body.as_object_mut() {
        object.insert("version".to_owned(), Value::Null);
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(from: &str, until: &str) -> SetPromotion {
        SetPromotion {
            name: "Advent".to_owned(),
            sku: "X".parse().unwrap(),
            channel: "amazon".parse().unwrap(),
            from: from.parse().unwrap(),
            until: until.parse().unwrap(),
            expected_units: 60,
        }
    }

    fn set(command: SetPromotion, before: Option<(&Promotion, u64)>) -> Result<Decision, Refusal> {
        set_promotion(
            &"PROMO".parse().unwrap(),
            before,
            command,
            Known { sku: true, channel: true },
        )
    }

    #[test]
    fn faults_are_named_together() {
        let known = Known { sku: false, channel: false };
        let id = "PROMO".parse().unwrap();
        let refused = set_promotion(&id, None, command("2026-12-20", "2026-12-16"), known);
        let codes: Vec<String> =
            refused.unwrap_err().faults.into_iter().map(|fault| fault.code).collect();
        assert_eq!(codes, ["sku-unknown", "channel-unknown", "window-reversed"]);
        let long = set(command("2026-01-01", "2027-12-31"), None).unwrap_err();
        assert_eq!(long.code, "window-too-long");
    }

    #[test]
    fn the_same_again_changes_nothing() {
        let first = set(command("2026-12-16", "2026-12-20"), None).unwrap();
        assert_eq!((first.reply.status, first.events.len()), (201, 1));
        let kept: Promotion = serde_json::from_value(first.reply.body).unwrap();
        let same = set(command("2026-12-16", "2026-12-20"), Some((&kept, 7))).unwrap();
        assert!(same.is_empty());
        assert_eq!(same.reply.version, Some(7));
        let moved = set(command("2026-12-17", "2026-12-20"), Some((&kept, 7))).unwrap();
        assert_eq!((moved.reply.status, moved.events.len()), (200, 1));
    }

    #[test]
    fn an_item_that_changes_leaves_its_old_set() {
        let first = set(command("2026-12-16", "2026-12-20"), None).unwrap();
        let kept: Promotion = serde_json::from_value(first.reply.body).unwrap();
        let mut other = command("2026-12-16", "2026-12-20");
        other.sku = "Y".parse().unwrap();
        let moved = set(other, Some((&kept, 7))).unwrap();
        let told: PromotionSet = serde_json::from_value(moved.events[0].data.clone()).unwrap();
        assert_eq!(told.previous_sku, Some("X".parse().unwrap()));
    }
}
