//! The other effects of a cascade: allocations, protections, promotions, cash, scores, options.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use rust_decimal::Decimal;
use tradewind_kernel::event::{Event, Payload};
use tradewind_kernel::events::finance::{CashChanged, WeekChange};
use tradewind_kernel::events::inventory::{
    AvailabilityChanged, ChannelAvailability, ProtectionChange,
};
use tradewind_kernel::events::planning::{MitigationOption, OptionsRanked, PromotionRiskChanged};
use tradewind_kernel::events::suppliers::ScoreChanged;
use tradewind_kernel::money::{Amount, round_to_minor};
use tradewind_kernel::{Currency, Day, Id, Ratio};

use super::{CashEffect, PromotionChange, SupplierEffect};

fn payloads<P: Payload>(events: &[Event]) -> impl Iterator<Item = P> {
    events.iter().filter(|event| event.is::<P>()).filter_map(|event| event.read::<P>().ok())
}

/// What channels can take and show, by item and channel: before the first change, after the last.
pub(super) fn allocations(events: &[Event]) -> Vec<ChannelAvailability> {
    let mut merged: BTreeMap<(Id, Id), ChannelAvailability> = BTreeMap::new();
    for change in payloads::<AvailabilityChanged>(events).flat_map(|event| event.channels) {
        let place = (change.sku.clone(), change.channel.clone());
        match merged.get_mut(&place) {
            Some(kept) => {
                kept.available_after = change.available_after;
                kept.published_after = change.published_after;
            }
            None => {
                merged.insert(place, change);
            }
        }
    }
    let changed = |it: &ChannelAvailability| {
        it.available_before != it.available_after || it.published_before != it.published_after
    };
    merged.into_values().filter(changed).collect()
}

/// What protections keep, by id.
pub(super) fn protections(events: &[Event]) -> Vec<ProtectionChange> {
    let mut merged: BTreeMap<Id, ProtectionChange> = BTreeMap::new();
    for change in payloads::<AvailabilityChanged>(events).flat_map(|event| event.protections) {
        match merged.get_mut(&change.id) {
            Some(kept) => {
                kept.held_after = change.held_after;
                kept.short_after = change.short_after;
            }
            None => {
                merged.insert(change.id.clone(), change);
            }
        }
    }
    let changed = |it: &ProtectionChange| {
        it.held_before != it.held_after || it.short_before != it.short_after
    };
    merged.into_values().filter(changed).collect()
}

/// Promotions whose risk changed. One change that leaves the units and moves the day is a change;
/// several that end where they began are none.
pub(super) fn promotions(events: &[Event]) -> Vec<PromotionChange> {
    let mut merged: BTreeMap<Id, (PromotionChange, usize)> = BTreeMap::new();
    for risk in payloads::<PromotionRiskChanged>(events) {
        let kept = merged.get(&risk.promotion);
        let before = kept.map_or(risk.units_short_before, |(it, _)| it.units_short_before);
        let times = kept.map_or(0, |(_, times)| *times).saturating_add(1);
        let change = PromotionChange {
            promotion: risk.promotion.clone(),
            units_short_before: before,
            units_short: risk.units_short,
            first_day: risk.first_day,
            revenue: risk.revenue,
        };
        merged.insert(risk.promotion, (change, times));
    }
    let changed = |(it, times): &(PromotionChange, usize)| {
        *times == 1 || it.units_short_before != it.units_short
    };
    merged.into_values().filter(changed).map(|(change, _)| change).collect()
}

/// The net flow of each week that changed: the sum of what the cascade's own events changed, on
/// top of what it was before the first of them.
pub(super) fn cash(events: &[Event], base: Currency) -> CashEffect {
    let mut weeks: BTreeMap<Day, (Decimal, Decimal)> = BTreeMap::new();
    let mut currency = base;
    for changed in payloads::<CashChanged>(events) {
        currency = changed.currency;
        for week in changed.weeks {
            let sum = weeks.entry(week.week).or_insert((week.before.0, Decimal::ZERO));
            sum.1 = sum.1.saturating_add(week.change.0);
        }
    }
    let amount = |value: Decimal| Amount(round_to_minor(value, currency));
    let changed = weeks.into_iter().filter(|(_, (_, change))| !change.is_zero());
    let weeks = changed.map(|(week, (before, change))| WeekChange {
        week,
        before: amount(before),
        after: amount(before.saturating_add(change)),
        change: amount(change),
    });
    CashEffect { currency, weeks: weeks.collect() }
}

/// Scores that changed: the cause's own supplier first, then by how much.
pub(super) fn suppliers(events: &[Event], cause: &Event) -> Vec<SupplierEffect> {
    let mut merged: BTreeMap<Id, SupplierEffect> = BTreeMap::new();
    for score in payloads::<ScoreChanged>(events) {
        let kept = merged.get(&score.supplier);
        let score_before = kept.map_or(score.before, |it| it.score_before);
        let id = score.supplier;
        let effect = SupplierEffect {
            id: id.clone(),
            score_before,
            score_after: score.after,
            parts: score.parts,
        };
        merged.insert(id, effect);
    }
    let own = cause.what.data.get("supplier").and_then(|supplier| supplier.as_str());
    let mut effects: Vec<SupplierEffect> =
        merged.into_values().filter(|it| it.score_before != it.score_after).collect();
    effects.sort_by_key(|it| (own != Some(it.id.as_str()), Reverse(distance(it)), it.id.clone()));
    effects
}

fn distance(effect: &SupplierEffect) -> Decimal {
    let value = |score: Option<Ratio>| score.map_or(Decimal::ZERO, |score| score.0);
    value(effect.score_after).saturating_sub(value(effect.score_before)).abs()
}

/// What can be done, over all items, by the newest ranking of each: by net, then less cash,
/// earlier day, kind; the infeasible last.
pub(super) fn options(events: &[Event]) -> Vec<MitigationOption> {
    let mut newest: BTreeMap<Id, Vec<MitigationOption>> = BTreeMap::new();
    for ranked in payloads::<OptionsRanked>(events) {
        newest.insert(ranked.sku, ranked.options);
    }
    let mut options: Vec<MitigationOption> = newest.into_values().flatten().collect();
    options.sort_by(|one, other| {
        let rank = |it: &MitigationOption| {
            let (net, cash) = (it.net.value(), it.cash.value());
            (!it.feasible, Reverse(net), cash, it.day.is_none(), it.day)
        };
        let name = |it: &MitigationOption| (it.kind, it.sku.clone());
        rank(one).cmp(&rank(other)).then_with(|| name(one).cmp(&name(other)))
    });
    options
}
