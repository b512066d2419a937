//! Items: what is bought, stored and sold, counted in one base unit.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;
use tradewind_kernel::decision::{Floor, Guard, Sum};
use tradewind_kernel::events::inventory::ItemSet;
use tradewind_kernel::published::Version;
use tradewind_kernel::quantity::Factor;
use tradewind_kernel::refusal::Faults;
use tradewind_kernel::{Decision, Id, Money, NewEvent, Quantity, Refusal};
use utoipa::ToSchema;

use crate::keys;
use crate::place::Elsewhere;
use crate::shelf::term;
use crate::situation::Situation;

/// Units that an item may have beside its base unit: more is a mistake of an import.
pub const MAX_UNITS: usize = 32;

/// A further unit: one of it is `numerator / denominator` base units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UnitFactor {
    /// Its name, such as `case`.
    #[schema(min_length = 1, max_length = 64)]
    pub unit: String,
    /// Base units …
    #[schema(minimum = 1)]
    pub numerator: i64,
    /// … per so many of the unit.
    #[schema(minimum = 1)]
    pub denominator: i64,
}

impl UnitFactor {
    /// The factor to the base unit.
    #[must_use]
    pub fn factor(&self) -> Factor {
        Factor { numerator: self.numerator, denominator: self.denominator }
    }
}

fn each() -> String {
    "each".to_owned()
}

/// What a caller says of an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "name": "Linen shirt, white, M",
    "base_unit": "each",
    "units": [{ "unit": "case", "numerator": 24, "denominator": 1 }],
    "weight_grams": 310,
    "list_prices": { "web": { "amount": "59.00", "currency": "USD" } },
}))]
pub struct Item {
    /// Its name; the sku when left out.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub name: String,
    /// The unit in which everything is counted.
    #[serde(default = "each")]
    #[schema(min_length = 1, max_length = 64)]
    pub base_unit: String,
    /// Further units.
    #[serde(default)]
    #[schema(max_items = 32)]
    pub units: Vec<UnitFactor>,
    /// The weight of one base unit.
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 0)]
    pub weight_grams: Option<Quantity>,
    /// List price by channel, none below zero.
    #[serde(default)]
    pub list_prices: BTreeMap<Id, Money>,
}

/// An item as it is answered.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ItemView {
    /// Its id.
    pub sku: Id,
    /// What was said of it.
    #[serde(flatten)]
    pub item: Item,
    /// Its version.
    #[schema(value_type = Version)]
    pub version: String,
}

/// Refuses another base unit for an item of which anything is counted, wanted, on its way or kept:
/// its quantities would silently become others. Stock that comes in between breaks the guards,
/// since it can only come from outside; everything else is read with its version.
///
/// # Errors
/// 409 `base-unit-in-use`.
pub fn free_of_unit(used: &Situation) -> Result<Vec<Guard>, Refusal> {
    let counters = used.shelf.counters.values().chain(used.fills.values());
    let in_use = counters.into_iter().any(|value| *value != 0)
        || !used.demand.is_empty()
        || !used.supply.is_empty()
        || used.shelf.standing().next().is_some();
    if in_use {
        let detail = format!("`{}` has stock, demand, supply or protections", used.sku());
        return Err(Refusal::conflict("base-unit-in-use", detail));
    }
    let guard = |(place, times): (Elsewhere, i64)| {
        let terms = vec![term(used.sku(), place.name(), times)];
        Guard { sum: Sum { constant: 0, terms }, floor: Floor::Value(0) }
    };
    let places = Elsewhere::ALL.into_iter().flat_map(|place| [(place, 1), (place, -1)]);
    Ok(places.map(guard).collect())
}

/// Whether a price is below zero; `-0` is not.
#[must_use]
pub fn below_zero(price: Money) -> bool {
    price.value().is_sign_negative() && !price.value().is_zero()
}

/// Makes or changes an item.
///
/// # Errors
/// 422 naming every fault: `unit-repeated`, `too-many`, `price-negative`.
pub fn put(existing: Option<(&Item, u64)>, sku: &Id, body: Item) -> Result<Decision, Refusal> {
    let mut item = body;
    if item.name.is_empty() {
        item.name = sku.to_string();
    }
    let mut faults = Faults::new();
    faults.require(
        item.units.len() <= MAX_UNITS,
        "/units",
        "too-many",
        "an item has at most 32 further units",
    );
    let mut names = vec![item.base_unit.as_str()];
    for (place, unit) in item.units.iter().enumerate() {
        let pointer = format!("/units/{place}/unit");
        let fresh = !names.contains(&unit.unit.as_str());
        faults.require(fresh, pointer, "unit-repeated", "a unit is named once");
        names.push(&unit.unit);
    }
    for (channel, price) in &item.list_prices {
        let pointer = format!("/list_prices/{channel}");
        let positive = !below_zero(*price);
        faults.require(positive, pointer, "price-negative", "a price is not below zero");
    }
    faults.check()?;
    let body = |version: &str| {
        json!(ItemView { sku: sku.clone(), item: item.clone(), version: version.to_owned() })
    };
    if let Some((_, version)) = existing.filter(|(old, _)| **old == item) {
        return Ok(Decision::unchanged(body(&version.to_string()), version));
    }
    let mut decision = Decision::default();
    decision.put(keys::item(sku), &item);
    decision.index(keys::ITEMS, sku.as_str(), 0);
    let told = ItemSet {
        sku: sku.clone(),
        name: item.name.clone(),
        base_unit: item.base_unit.clone(),
        weight_grams: item.weight_grams,
        list_prices: item.list_prices.clone(),
    };
    decision.event(NewEvent::of(sku.as_str(), &told));
    let location = format!("/inventory/v1/items/{sku}");
    Ok(crate::network::answered(decision, existing.is_none(), location, body("")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_below_zero_is_a_price() {
        for (amount, below) in [("-0.01", true), ("-0", false), ("0", false), ("0.01", false)] {
            let price: Money =
                serde_json::from_value(json!({ "amount": amount, "currency": "USD" })).unwrap();
            assert_eq!(below_zero(price), below, "{amount}");
        }
    }
}
