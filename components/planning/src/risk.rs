//! Promotion risk: will what is left over and held cover what a promotion still expects?
//!
//! What a promotion expects and its channel's lines wanted inside the window have not yet ordered
//! is spread evenly over its remaining days and laid on what all lines left over at the channel's
//! nodes plus what the channel's protections hold from their first day on (docs/domain.md,
//! Promotion risk). Days are compared by cross-multiplied whole numbers, so nothing is rounded.
//! Promotions of a channel share by (from, id): each takes what it needs by its last day, the
//! earliest supply first. A promotion whose window has passed is short of nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tradewind_kernel::event::NewEvent;
use tradewind_kernel::events::planning::PromotionRiskChanged;
use tradewind_kernel::{Day, Decision, Id, Money, Quantity};
use utoipa::ToSchema;

use crate::facts::{Channel, Item, Pegged};
use crate::keys;
use crate::promotion::Promotion;

/// What a promotion is short of.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct Risk {
    /// Base units that are not covered by the last day.
    #[schema(value_type = i64)]
    pub units_short: Quantity,
    /// The first day on which the running sum is not covered.
    pub first_day: Option<Day>,
    /// Units short at the item's list price for the channel; null without a list price.
    pub revenue: Option<Money>,
}

/// All that risk looks at, of one item.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs, reason = "the names say it")]
pub struct RiskInput<'a> {
    pub today: Day,
    pub item: Option<&'a Item>,
    pub channels: &'a BTreeMap<String, Channel>,
    pub pegged: &'a Pegged,
    /// Units that lines of a channel order, by channel and wanted day.
    pub ordered: &'a Ordered,
}

/// Ordered units of one item by channel and wanted day.
pub type Ordered = BTreeMap<(Id, Day), Quantity>;

/// Units usable from a day on.
type Piece = (Day, Quantity);

/// The risk of each of an item's promotions, by id.
#[must_use]
pub fn risks(input: &RiskInput<'_>, promotions: &[Promotion]) -> BTreeMap<Id, Risk> {
    let mut queue: Vec<&Promotion> = promotions.iter().collect();
    queue.sort_by_key(|promotion| (promotion.from, &promotion.promotion));
    let mut pools: BTreeMap<&Id, Vec<Piece>> = BTreeMap::new();
    let mut found = BTreeMap::new();
    for promotion in queue {
        let channel = &promotion.channel;
        let pool = pools.entry(channel).or_insert_with(|| pool(input, channel));
        found.insert(promotion.promotion.clone(), risk(input, promotion, pool));
    }
    found
}

/// What a channel's promotions may count on, the earliest first.
fn pool(input: &RiskInput<'_>, channel: &Id) -> Vec<Piece> {
    let nodes = input.channels.get(channel.as_str()).map_or(&[][..], |channel| &channel.nodes);
    let left_over = input.pegged.left_over.iter().filter(|piece| nodes.contains(&piece.node));
    let held = input.pegged.held.iter().filter(|holding| holding.channel == *channel);
    let mut pool: Vec<Piece> = left_over
        .map(|piece| (piece.day, piece.quantity))
        .chain(held.flat_map(|holding| {
            holding.pieces.iter().map(|piece| (piece.day.max(holding.from), piece.quantity))
        }))
        .collect();
    pool.sort_unstable();
    pool
}

/// The risk of one promotion; takes what it needs out of the pool.
fn risk(input: &RiskInput<'_>, promotion: &Promotion, pool: &mut [Piece]) -> Risk {
    let price = input.item.and_then(|item| item.list_prices.get(&promotion.channel)).copied();
    let first = promotion.from.max(input.today);
    let days = promotion.until.since(first).saturating_add(1);
    let rest = remaining(input.ordered, promotion);
    let mut risk = Risk { revenue: price.and_then(|price| revenue(price, 0)), ..Risk::default() };
    if days <= 0 || rest == 0 {
        return risk;
    }
    risk.first_day = (1..=days)
        .map(|count| (count, first.plus(count.saturating_sub(1))))
        .find(|(count, day)| {
            let wanted = i128::from(rest).saturating_mul(i128::from(*count));
            i128::from(usable(pool, *day)).saturating_mul(i128::from(days)) < wanted
        })
        .map(|(_, day)| day);
    let mut missing = rest;
    for (day, quantity) in pool.iter_mut() {
        if *day <= promotion.until {
            let taken = missing.min(*quantity).max(0);
            *quantity = quantity.saturating_sub(taken);
            missing = missing.saturating_sub(taken);
        }
    }
    assert!(missing >= 0 && missing <= rest, "a promotion cannot be short of more than it expects");
    risk.units_short = missing;
    risk.revenue = price.and_then(|price| revenue(price, missing));
    risk
}

/// What a promotion expects and is not ordered yet.
#[must_use]
pub fn remaining(ordered: &Ordered, promotion: &Promotion) -> Quantity {
    let range =
        (promotion.channel.clone(), promotion.from)..=(promotion.channel.clone(), promotion.until);
    let sum = ordered.range(range).map(|(_, units)| *units).fold(0, Quantity::saturating_add);
    promotion.expected_units.saturating_sub(sum).max(0)
}

fn usable(pool: &[Piece], day: Day) -> Quantity {
    let by_then = pool.iter().filter(|(from, _)| *from <= day);
    by_then.map(|(_, quantity)| *quantity).fold(0, Quantity::saturating_add)
}

/// Units at a list price, rounded to the minor unit; none when that is beyond all bounds.
#[must_use]
pub fn revenue(price: Money, units: Quantity) -> Option<Money> {
    price.times(units).ok().map(Money::rounded)
}

/// Keeps the risks that changed and tells of each; gives back the units newly short by promotion.
pub fn keep_changes(
    decision: &mut Decision,
    promotions: &[Promotion],
    before: &BTreeMap<Id, Risk>,
    after: &BTreeMap<Id, Risk>,
) -> BTreeMap<Id, Quantity> {
    let nothing = Risk::default();
    let mut newly_short = BTreeMap::new();
    for promotion in promotions {
        let id = &promotion.promotion;
        let (old, new) = (before.get(id), after.get(id).unwrap_or(&nothing));
        let old_units = old.map_or(0, |old| old.units_short);
        let unsaid = old.is_none() && new.units_short == 0 && new.first_day.is_none();
        if old == Some(new) || unsaid {
            continue;
        }
        let more = new.units_short.saturating_sub(old_units);
        if more > 0 {
            newly_short.insert(id.clone(), more);
        }
        decision.put(keys::risk(id), new);
        let told = PromotionRiskChanged {
            promotion: id.clone(),
            sku: promotion.sku.clone(),
            channel: promotion.channel.clone(),
            units_short_before: old_units,
            units_short: new.units_short,
            first_day: new.first_day,
            revenue: new.revenue,
        };
        decision.event(NewEvent::of(id.as_str(), &told));
    }
    newly_short
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tradewind_kernel::events::inventory::{Holding, Usable};

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    fn id(text: &str) -> Id {
        text.parse().unwrap()
    }

    fn piece(node: &str, on: &str, quantity: Quantity) -> Usable {
        Usable { supply: format!("stock:{node}"), node: id(node), day: day(on), quantity }
    }

    fn promotion(name: &str, from: &str, until: &str, expected_units: Quantity) -> Promotion {
        Promotion {
            promotion: id(name),
            name: name.to_owned(),
            sku: id("X"),
            channel: id("amazon"),
            from: day(from),
            until: day(until),
            expected_units,
        }
    }

    /// The main job after S1's delay: 50 held by P-AMZ, 5 left at OWN, 40 there on 29 December.
    fn main_job() -> Pegged {
        let held = Holding {
            protection: id("P-AMZ"),
            channel: id("amazon"),
            from: day("2026-12-16"),
            until: day("2026-12-31"),
            pieces: vec![piece("FBA", "2026-12-01", 40), piece("OWN", "2026-12-01", 10)],
            short: 0,
        };
        let left_over = vec![piece("OWN", "2026-12-01", 5), piece("OWN", "2026-12-29", 40)];
        Pegged { left_over, held: vec![held] }
    }

    fn judge(
        today: &str,
        pegged: &Pegged,
        ordered: &Ordered,
        all: &[Promotion],
    ) -> BTreeMap<Id, Risk> {
        let nodes = vec![id("FBA"), id("OWN")];
        let channels = BTreeMap::from([("amazon".to_owned(), Channel { priority: 2, nodes })]);
        let price = Money::new("20.00".parse().unwrap(), tradewind_kernel::Currency::USD);
        let list_prices = BTreeMap::from([(id("amazon"), price)]);
        let item = Item { name: "X".to_owned(), list_prices };
        let input = RiskInput {
            today: day(today),
            item: Some(&item),
            channels: &channels,
            pegged,
            ordered,
        };
        risks(&input, all)
    }

    fn text(risk: &Risk) -> String {
        let first = risk.first_day.map_or("never".to_owned(), |day| day.to_string());
        format!("{} {first} {}", risk.units_short, risk.revenue.unwrap())
    }

    #[test]
    fn the_main_job_is_five_short() {
        for (from, until, expected) in [
            ("2026-12-16", "2026-12-20", "5 2026-12-20 100.00 USD"),
            ("2026-12-24", "2026-12-28", "5 2026-12-28 100.00 USD"),
            ("2026-12-25", "2026-12-29", "0 never 0.00 USD"),
            // Before P-AMZ opens nothing of it counts.
            ("2026-12-11", "2026-12-15", "55 2026-12-11 1100.00 USD"),
            ("2026-11-11", "2026-11-15", "0 never 0.00 USD"),
        ] {
            let all = [promotion("PROMO", from, until, 60)];
            let found = judge("2026-12-01", &main_job(), &Ordered::new(), &all);
            assert_eq!(text(&found[&id("PROMO")]), expected, "{from}");
        }
    }

    #[test]
    fn orders_and_past_days_narrow_it() {
        let all = [promotion("PROMO", "2026-12-16", "2026-12-20", 60)];
        let ordered = Ordered::from([
            ((id("amazon"), day("2026-12-20")), 4),
            ((id("amazon"), day("2026-12-21")), 50),
            ((id("web"), day("2026-12-18")), 50),
        ]);
        let found = judge("2026-12-01", &main_job(), &ordered, &all);
        assert_eq!(text(&found[&id("PROMO")]), "1 2026-12-20 20.00 USD");
        // On the last day all that remains falls on it.
        let late = judge("2026-12-20", &main_job(), &Ordered::new(), &all);
        assert_eq!(text(&late[&id("PROMO")]), "5 2026-12-20 100.00 USD");
    }

    #[test]
    fn fractions_of_a_day_are_exact() {
        // 10 units over 3 days: 6.67 by the second day; 6 are too few, 7 enough.
        for (units, first) in [(6, Some("2026-12-17")), (7, Some("2026-12-18")), (10, None)] {
            let left_over = vec![piece("OWN", "2026-12-01", units)];
            let pegged = Pegged { left_over, held: Vec::new() };
            let all = [promotion("PROMO", "2026-12-16", "2026-12-18", 10)];
            let found = judge("2026-12-01", &pegged, &Ordered::new(), &all);
            assert_eq!(found[&id("PROMO")].first_day, first.map(day), "{units}");
        }
    }

    #[test]
    fn promotions_share_by_first_day_and_id() {
        let all = [
            promotion("B", "2026-12-16", "2026-12-20", 40),
            promotion("A", "2026-12-16", "2026-12-31", 30),
            promotion("C", "2026-12-02", "2026-12-03", 4),
        ];
        let found = judge("2026-12-01", &main_job(), &Ordered::new(), &all);
        let short: Vec<Quantity> = found.values().map(|risk| risk.units_short).collect();
        // C takes 4 of the 5 left over, A the last one and 29 held, B what then is held.
        assert_eq!(short, [0, 19, 0]);
    }

    proptest! {
        #[test]
        fn shortage_is_what_supply_lacks(
            expected in 0i64..200, here in 0i64..120, later in 0i64..120, length in 0i64..20,
        ) {
            let first = day("2026-12-16");
            let mut one = promotion("P", "2026-12-16", "2026-12-16", expected);
            one.until = first.plus(length);
            let left_over =
                vec![piece("OWN", "2026-12-01", here), piece("OWN", "2026-12-20", later)];
            let pegged = Pegged { left_over, held: Vec::new() };
            let found = judge("2026-12-01", &pegged, &Ordered::new(), &[one.clone()]);
            let usable = here + if one.until >= day("2026-12-20") { later } else { 0 };
            let risk = &found[&id("P")];
            prop_assert_eq!(risk.units_short, (expected - usable).max(0));
            prop_assert!(risk.units_short == 0 || risk.first_day.is_some());
        }
    }
}
