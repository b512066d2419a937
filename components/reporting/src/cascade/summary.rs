//! The summary: what a buyer would want to be told, in plain sentences.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use tradewind_kernel::event::{Event, Payload};
use tradewind_kernel::events::inventory::{
    DayTurned, LeavingLine, ReservationReleased, ReservationShipped, Reserved, ReservedLine,
};
use tradewind_kernel::events::procurement::{LineChange, OrderConfirmed, ScheduleEntry};
use tradewind_kernel::{Currency, Money, Quantity, Ratio};

use super::{Cascade, MovedPromise};

/// Things of one sort that a sentence names before it says how many more there are.
const NAMED: usize = 3;

pub(super) fn summary(cascade: &Cascade, cause: &Event, promises: &[MovedPromise]) -> String {
    let mut sentences = vec![what_happened(cause)];
    let before = sentences.len();
    sentences.extend(promise_sentences(promises));
    sentences.extend(protection_sentence(cascade));
    sentences.extend(promotion_sentences(cascade));
    sentences.extend(cash_sentence(cascade));
    let moved = sentences.len() > before || !cascade.allocations.is_empty();
    if !moved {
        sentences.push(nothing_moved(cause));
    }
    sentences.extend(score_sentences(cascade));
    sentences.extend(option_sentence(cascade));
    if !cascade.parked.is_empty() {
        let count = counted(cascade.parked.len(), "event");
        sentences.push(format!("{count} could not be processed and wait for an administrator."));
    } else if !cascade.complete {
        sentences.push("Not everything has followed yet.".to_owned());
    }
    sentences.join(" ")
}

/// The sentence for a cause after which nothing moved. What was claimed, shipped or given back
/// changes what channels can still sell, and another cause may change what no cascade lists: only
/// a confirmation leaves everything as it was.
fn nothing_moved(cause: &Event) -> String {
    let claims = match cause.kind() {
        OrderConfirmed::TYPE => {
            return "Nothing moved: every promise, hold and payment is as it was.".to_owned();
        }
        Reserved::TYPE => cause.read::<Reserved>().ok().and_then(|it| {
            let granted = |line: &ReservedLine| {
                let units = line.allocations.iter().map(|part| part.quantity);
                (line.sku.to_string(), units.fold(0, Quantity::saturating_add))
            };
            claim_sentence(it.lines.iter().map(granted), &format!("claimed for order {}", it.order))
        }),
        ReservationShipped::TYPE => cause.read::<ReservationShipped>().ok().and_then(|it| {
            claim_sentence(leaving(&it.lines), &format!("shipped for order {}", it.order))
        }),
        ReservationReleased::TYPE => cause.read::<ReservationReleased>().ok().and_then(|it| {
            claim_sentence(leaving(&it.lines), &format!("given back by order {}", it.order))
        }),
        _ => None,
    };
    claims.unwrap_or_else(|| "No promise, protection, promotion or payment moved.".to_owned())
}

fn leaving(lines: &[LeavingLine]) -> impl Iterator<Item = (String, Quantity)> {
    lines.iter().map(|line| (line.sku.to_string(), line.quantity))
}

fn claim_sentence(lines: impl Iterator<Item = (String, Quantity)>, what: &str) -> Option<String> {
    let lines: Vec<(String, Quantity)> = lines.filter(|(_, units)| *units > 0).collect();
    let verb = if matches!(lines.as_slice(), [(_, 1)]) { "was" } else { "were" };
    let named = lines.into_iter().map(|(sku, units)| format!("{} of {sku}", units_of(units)));
    let named = listed(named.collect())?.replace("; ", ", ");
    Some(format!(
        "{named} {verb} {what}; no promise, protection, promotion or payment of others moved."
    ))
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

fn what_happened(cause: &Event) -> String {
    let because = cause.origin.reason.as_ref().map(|it| format!(": {it}")).unwrap_or_default();
    if let (OrderConfirmed::TYPE, Ok(confirmed)) = (cause.kind(), cause.read::<OrderConfirmed>()) {
        let order = &confirmed.order;
        let changes: Vec<String> = confirmed.changes.iter().take(NAMED).map(line_change).collect();
        let changes = match changes.as_slice() {
            [] => "as it was".to_owned(),
            some => some.join("; "),
        };
        return format!("{} confirmed {}, {changes}{because}.", order.supplier, order.order);
    }
    if let (DayTurned::TYPE, Ok(turned)) = (cause.kind(), cause.read::<DayTurned>()) {
        return format!("The day turned to {}.", turned.to);
    }
    let (_, what) = cause.kind().split_once('.').unwrap_or(("", cause.kind()));
    let what = what.replace('-', " ");
    format!("{} ({}) by {}{because}.", capitalised(&what), cause.what.subject, cause.origin.by)
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect::<String>())
}

fn line_change(change: &LineChange) -> String {
    let days = |schedule: &[ScheduleEntry]| {
        let parts = schedule.iter().map(|part| format!("{} on {}", part.quantity, part.day));
        parts.collect::<Vec<_>>().join(" and ")
    };
    let price = if change.price_before == change.price_after {
        String::new()
    } else {
        format!(" at {} instead of {}", change.price_after, change.price_before)
    };
    format!("{}: {} instead of {}{price}", change.sku, days(&change.after), days(&change.before))
}

fn promise_sentences(promises: &[MovedPromise]) -> Vec<String> {
    let later = |it: &&MovedPromise| match (it.old_day, it.new_day) {
        (Some(old), Some(new)) => new > old,
        _ => false,
    };
    let earlier = |it: &&MovedPromise| match (it.old_day, it.new_day) {
        (Some(old), Some(new)) => new < old,
        (None, Some(_)) => true,
        _ => false,
    };
    let lost = |it: &&MovedPromise| it.new_day.is_none();
    let groups: [(Vec<&MovedPromise>, &str); 3] = [
        (promises.iter().filter(later).collect(), "to a later day"),
        (promises.iter().filter(earlier).collect(), "to an earlier day"),
        (promises.iter().filter(lost).collect(), "out of sight: no supply is in view"),
    ];
    let told = groups.iter().filter(|(moved, _)| !moved.is_empty());
    told.map(|(moved, whereto)| promise_sentence(moved, whereto)).collect()
}

fn promise_sentence(moved: &[&MovedPromise], whereto: &str) -> String {
    let mut channels: BTreeMap<&str, usize> = BTreeMap::new();
    let mut revenue: BTreeMap<Currency, Decimal> = BTreeMap::new();
    let mut units: Quantity = 0;
    for promise in moved {
        let count = channels.entry(promise.channel.as_str()).or_default();
        *count = count.saturating_add(1);
        units = units.saturating_add(promise.quantity);
        if let Some(money) = promise.revenue {
            let sum = revenue.entry(money.currency).or_default();
            *sum = sum.saturating_add(money.value());
        }
    }
    let over: Vec<String> =
        channels.iter().map(|(channel, count)| format!("{channel} {count}")).collect();
    let worth: Vec<String> =
        revenue.into_iter().map(|(currency, sum)| Money::new(sum, currency).to_string()).collect();
    let worth = if worth.is_empty() { String::new() } else { format!(" ({})", worth.join(", ")) };
    let count = counted(moved.len(), "promise");
    let verb = if moved.len() == 1 { "moves" } else { "move" };
    let over = over.join(", ");
    format!("{count} of {}{worth} {verb} {whereto}: {over}.", units_of(units))
}

fn units_of(units: Quantity) -> String {
    if units == 1 { "1 unit".to_owned() } else { format!("{units} units") }
}

fn listed(items: Vec<String>) -> Option<String> {
    let more = items.len().saturating_sub(NAMED);
    let mut named: Vec<String> = items.into_iter().take(NAMED).collect();
    if more > 0 {
        named.push(format!("{more} more"));
    }
    (!named.is_empty()).then(|| named.join("; "))
}

fn protection_sentence(cascade: &Cascade) -> Option<String> {
    let protections = cascade.protections.iter().map(|it| {
        let short = if it.short_after > 0 {
            format!(" and is {} short", it.short_after)
        } else {
            String::new()
        };
        let (id, after, before) = (&it.id, it.held_after, it.held_before);
        format!("{id} keeps {after} of present stock ({before} before){short}")
    });
    listed(protections.collect()).map(|text| format!("Protections: {text}."))
}

fn promotion_sentences(cascade: &Cascade) -> Option<String> {
    let promotions = cascade.promotions.iter().map(|it| {
        if it.units_short == 0 {
            return format!("{} is covered again", it.promotion);
        }
        let from = it.first_day.map(|day| format!(", first on {day}")).unwrap_or_default();
        let worth = it.revenue.map(|worth| format!(", {worth}")).unwrap_or_default();
        let (short, before) = (units_of(it.units_short), it.units_short_before);
        format!("{} is {short} short ({before} before){from}{worth}", it.promotion)
    });
    listed(promotions.collect()).map(|text| format!("Promotions: {text}."))
}

fn cash_sentence(cascade: &Cascade) -> Option<String> {
    let weeks = &cascade.cash.weeks;
    let worst = weeks.iter().min_by_key(|week| week.change)?;
    let best = weeks.iter().max_by_key(|week| week.change)?;
    let currency = cascade.cash.currency;
    let sum = weeks.iter().fold(Decimal::ZERO, |sum, week| sum.saturating_add(week.change.0));
    let signed = |amount: Decimal| {
        let sign = if amount > Decimal::ZERO { "+" } else { "" };
        format!("{sign}{amount}")
    };
    let named = if worst.week == best.week {
        format!("{} in the week of {}", signed(worst.change.0), worst.week)
    } else {
        let (low, high) = (signed(worst.change.0), signed(best.change.0));
        format!("{low} in the week of {} to {high} in that of {}", worst.week, best.week)
    };
    let sum = Money::new(sum, currency).rounded();
    let count = counted(weeks.len(), "week");
    Some(format!("Cash changes in {count}, from {named} ({sum} in all)."))
}

fn score_sentences(cascade: &Cascade) -> Option<String> {
    let score = |score: Option<Ratio>| score.map_or("no score".to_owned(), |it| it.to_string());
    let scores = cascade.suppliers.iter().map(|it| {
        format!("{} goes from {} to {}", it.id, score(it.score_before), score(it.score_after))
    });
    listed(scores.collect()).map(|text| format!("Score: {text}."))
}

fn option_sentence(cascade: &Cascade) -> Option<String> {
    let feasible = cascade.options.iter().filter(|option| option.feasible);
    let count = feasible.clone().count();
    let Some(best) = feasible.clone().next() else {
        let none = "Nothing that was considered can be done about it.".to_owned();
        return (!cascade.options.is_empty()).then_some(none);
    };
    let day = best.day.map(|day| format!(" by {day}")).unwrap_or_default();
    let (kind, net) = (&best.kind, best.net);
    let count = counted(count, "option");
    Some(format!("{count}; the best is {kind} of {}{day}, net {net}.", best.sku))
}
