//! An offer: what a supplier asks for an item.
//!
//! An offer holds prices of one currency. Its price breaks ascend; a line's quantity is at least
//! the minimum, at most the maximum and a multiple of the multiple, so at least one such quantity
//! must exist.

use serde::{Deserialize, Serialize};
use tradewind_kernel::decision::Decision;
use tradewind_kernel::event::NewEvent;
use tradewind_kernel::events::suppliers::{Expedite, OfferSet, PriceBreak};
use tradewind_kernel::published::Version;
use tradewind_kernel::refusal::{Faults, Refusal};
use tradewind_kernel::{Day, Id, Money, Quantity};
use utoipa::ToSchema;

use crate::keys;

/// The most price breaks of an offer: more than any price list has, and an item's offers stay
/// small enough to be read as one.
pub const MAX_BREAKS: usize = 20;

/// The longest lead time in days: ten years, so that a slip of the keyboard is noticed.
pub const MAX_LEAD_TIME_DAYS: u32 = 3650;

/// What a caller may set of an offer; what is left out gets its default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "price": { "amount": "7.50", "currency": "EUR" },
    "breaks": [{ "from": 500, "price": { "amount": "7.10", "currency": "EUR" } }],
    "minimum": 100,
    "multiple": 20,
    "lead_time_days": 45,
    "origin": "PT",
}))]
pub struct OfferTerms {
    /// Unit price; not below zero.
    pub price: Money,
    /// Days from release to arrival.
    #[schema(maximum = 3650)]
    pub lead_time_days: u32,
    /// The least quantity of a line.
    #[serde(default = "one")]
    #[schema(value_type = i64, default = 1, minimum = 1)]
    pub minimum: Quantity,
    /// A line's quantity is a multiple of this.
    #[serde(default = "one")]
    #[schema(value_type = i64, default = 1, minimum = 1)]
    pub multiple: Quantity,
    /// The largest quantity of a line; none unless given.
    #[schema(value_type = Option<i64>, minimum = 1)]
    pub maximum: Option<Quantity>,
    /// Lower prices for more, by ascending quantity.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub breaks: Vec<PriceBreak>,
    /// What hurrying costs; without it, it cannot be hurried.
    pub expedite: Option<Expedite>,
    /// The first day on which it holds.
    pub from: Option<Day>,
    /// The last day on which it holds.
    pub until: Option<Day>,
    /// Where the goods come from.
    #[schema(min_length = 1, max_length = 64)]
    pub origin: Option<String>,
}

fn one() -> Quantity {
    1
}

/// An offer as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Offer {
    /// Who offers.
    pub supplier: Id,
    /// What is offered.
    pub sku: Id,
    /// On which terms.
    #[serde(flatten)]
    pub terms: OfferTerms,
}

/// An offer and the version of its record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OfferAnswer {
    /// The offer.
    #[serde(flatten)]
    pub offer: Offer,
    /// The version, as in `ETag`.
    #[schema(value_type = Version)]
    pub version: String,
}

/// Makes or changes the offer of a supplier that exists.
///
/// # Errors
/// 422 naming everything that is wrong with it.
pub fn set(
    supplier: &Id,
    sku: &Id,
    terms: OfferTerms,
    current: Option<(u64, Offer)>,
) -> Result<Decision, Refusal> {
    check(&terms)?;
    let offer = Offer { supplier: supplier.clone(), sku: sku.clone(), terms };
    if let Some((version, same)) = current.as_ref().filter(|(_, kept)| *kept == offer) {
        return Ok(Decision::unchanged(answer(same, *version), *version));
    }
    let mut decision = Decision::default();
    decision.put(keys::offer(supplier, sku), &offer);
    decision.put_member(keys::offers_of_item(sku), supplier.as_str(), &offer);
    decision.index(keys::items_of_supplier(supplier), sku.as_str(), 0);
    decision.event(NewEvent::of(sku.as_str(), &told(&offer)));
    let body = answer(&offer, 0);
    let location = format!("/suppliers/v1/offers/{supplier}/{sku}");
    Ok(match current {
        Some(_) => decision.reply(200, body),
        None => decision.created(location, body),
    })
}

fn check(terms: &OfferTerms) -> Result<(), Refusal> {
    let mut faults = Faults::new();
    check_price(&mut faults, "/price", terms.price, terms.price);
    if terms.lead_time_days > MAX_LEAD_TIME_DAYS {
        faults.add("/lead_time_days", "out-of-range", "a lead time is at most 3650 days");
    }
    check_quantities(&mut faults, terms);
    let mut least = 0;
    for (place, price_break) in terms.breaks.iter().enumerate() {
        let ascends = price_break.from > least;
        let detail = "breaks ascend: each starts at 1 or more and above the one before";
        faults.require(ascends, format!("/breaks/{place}/from"), "breaks-not-ascending", detail);
        least = price_break.from.max(least);
        check_price(&mut faults, &format!("/breaks/{place}/price"), price_break.price, terms.price);
    }
    if let Some(expedite) = &terms.expedite {
        let detail = "hurrying brings it forward by at least a day";
        faults.require(expedite.days > 0, "/expedite/days", "out-of-range", detail);
        check_price(&mut faults, "/expedite/cost_per_unit", expedite.cost_per_unit, terms.price);
    }
    if let (Some(from), Some(until)) = (terms.from, terms.until) {
        let detail = "the last day comes before the first";
        faults.require(from <= until, "/until", "window-reversed", detail);
    }
    faults.check()
}

fn check_price(faults: &mut Faults, pointer: &str, price: Money, reference: Money) {
    let sound = !price.value().is_sign_negative() || price.value().is_zero();
    let detail = "a price is not negative";
    faults.require(sound, format!("{pointer}/amount"), "out-of-range", detail);
    let detail = "an offer is in one currency";
    let same = price.currency == reference.currency;
    faults.require(same, format!("{pointer}/currency"), "currency-mixed", detail);
}

fn check_quantities(faults: &mut Faults, terms: &OfferTerms) {
    let detail = "at least 1";
    faults.require(terms.minimum >= 1, "/minimum", "out-of-range", detail);
    faults.require(terms.multiple >= 1, "/multiple", "out-of-range", detail);
    let Some(maximum) = terms.maximum else { return };
    if maximum < terms.minimum {
        faults.add("/maximum", "maximum-below-minimum", "the maximum is below the minimum");
        return;
    }
    // The least that can be ordered is the minimum raised to the multiple (cases.md C29).
    let multiple = terms.multiple.max(1);
    let over = terms.minimum.checked_rem(multiple).unwrap_or(0);
    let raise = if over == 0 { 0 } else { multiple.saturating_sub(over) };
    let detail = "no multiple lies between the minimum and the maximum";
    let reachable = terms.minimum.saturating_add(raise) <= maximum;
    faults.require(reachable, "/maximum", "multiple-beyond-maximum", detail);
}

/// The offer as others see it.
#[must_use]
pub fn answer(offer: &Offer, version: u64) -> serde_json::Value {
    serde_json::json!(OfferAnswer { offer: offer.clone(), version: version.to_string() })
}

fn told(offer: &Offer) -> OfferSet {
    let terms = offer.terms.clone();
    OfferSet {
        supplier: offer.supplier.clone(),
        sku: offer.sku.clone(),
        price: terms.price,
        lead_time_days: terms.lead_time_days,
        minimum: terms.minimum,
        multiple: terms.multiple,
        maximum: terms.maximum,
        breaks: terms.breaks,
        expedite: terms.expedite,
        from: terms.from,
        until: terms.until,
        origin: terms.origin,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn terms(changes: &Value) -> OfferTerms {
        let mut whole = json!({
            "price": { "amount": "7.50", "currency": "USD" }, "lead_time_days": 30,
        });
        for (name, value) in changes.as_object().unwrap() {
            whole[name] = value.clone();
        }
        serde_json::from_value(whole).unwrap()
    }

    fn ids() -> (Id, Id) {
        ("S1".parse().unwrap(), "X".parse().unwrap())
    }

    #[test]
    fn an_offer_is_made_changed_and_left() {
        let (supplier, sku) = ids();
        let made = set(&supplier, &sku, terms(&json!({})), None).unwrap();
        assert_eq!((made.reply.status, made.reply.body["minimum"].clone()), (201, json!(1)));
        let kept = Offer { supplier: supplier.clone(), sku: sku.clone(), terms: terms(&json!({})) };
        let same = set(&supplier, &sku, terms(&json!({})), Some((4, kept.clone()))).unwrap();
        assert!(same.is_empty());
        let dearer = json!({ "price": { "amount": "8", "currency": "USD" } });
        let changed = set(&supplier, &sku, terms(&dearer), Some((4, kept))).unwrap();
        assert_eq!((changed.reply.status, changed.events.len()), (200, 1));
    }

    #[test]
    fn every_fault_of_an_offer_is_named() {
        let usd = |amount: &str| json!({ "amount": amount, "currency": "USD" });
        let eur = json!({ "amount": "1", "currency": "EUR" });
        let from = |quantity: i64| json!({ "from": quantity, "price": usd("1") });
        let cases = [
            (json!({ "price": usd("-1") }), "/price/amount", "out-of-range"),
            (json!({ "minimum": 0 }), "/minimum", "out-of-range"),
            (json!({ "multiple": 0 }), "/multiple", "out-of-range"),
            (json!({ "lead_time_days": 3651 }), "/lead_time_days", "out-of-range"),
            (json!({ "minimum": 5, "maximum": 4 }), "/maximum", "maximum-below-minimum"),
            (
                json!({ "minimum": 5, "multiple": 4, "maximum": 7 }),
                "/maximum",
                "multiple-beyond-maximum",
            ),
            (json!({ "breaks": [from(9), from(9)] }), "/breaks/1/from", "breaks-not-ascending"),
            (
                json!({ "breaks": [{ "from": 0, "price": usd("1") }] }),
                "/breaks/0/from",
                "breaks-not-ascending",
            ),
            (
                json!({ "breaks": [{ "from": 1, "price": eur }] }),
                "/breaks/0/price/currency",
                "currency-mixed",
            ),
            (
                json!({ "expedite": { "days": 3, "cost_per_unit": eur } }),
                "/expedite/cost_per_unit/currency",
                "currency-mixed",
            ),
            (
                json!({ "expedite": { "days": 0, "cost_per_unit": usd("1") } }),
                "/expedite/days",
                "out-of-range",
            ),
            (json!({ "from": "2026-02-02", "until": "2026-02-01" }), "/until", "window-reversed"),
        ];
        let (supplier, sku) = ids();
        for (changes, pointer, code) in cases {
            let refusal = set(&supplier, &sku, terms(&changes), None).unwrap_err();
            let [fault] = refusal.faults.as_slice() else { panic!("{changes}: {refusal:?}") };
            assert_eq!((fault.pointer.as_str(), fault.code.as_str()), (pointer, code));
        }
    }
}
