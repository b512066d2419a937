//! Notice: what an event says about what is wrong and what no longer is.
//!
//! Each cause of an exception has a name, such as `order-past-due/PO-1/1`. An event says of some
//! causes that they hold, that there is less of them, or that they are gone.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use tradewind_kernel::event::{Event, Payload};
use tradewind_kernel::events::inventory::{
    AvailabilityChanged, ItemPegged, LineOverdue, OrderChanged, PromiseMove, ProtectionEnded,
    ReservationShipped,
};
use tradewind_kernel::events::planning::PromotionRiskChanged;
use tradewind_kernel::events::procurement::{OrderPastDue, OrderState};
use tradewind_kernel::events::suppliers::{ScoreChanged, ScoreMeasure};
use tradewind_kernel::events::system::{AccessRefused, EventParked};
use tradewind_kernel::time::Zone;
use tradewind_kernel::{Day, Quantity};

use crate::exception::Kind;
use crate::link::{Link, Thing, link, parked_link};

/// Below this score a buyer should look for another source.
pub const LOW_SCORE: Decimal = Decimal::from_parts(70, 0, 0, false, 0);

/// Lines that a score must rest on before it says anything: one late line of one proves nothing.
pub const SCORE_LINES: Quantity = 5;

/// What an event says about one cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The cause's name.
    pub cause: String,
    /// What of it.
    pub verdict: Verdict,
}

/// What of a cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is there.
    Holds(Finding),
    /// There are so many units less of it; when none is left it is gone.
    Less(Quantity),
    /// It is gone, and why.
    Gone(String),
}

/// What was found wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which kind.
    pub kind: Kind,
    /// What it is about.
    pub subject: String,
    /// A sentence, or counts that add up.
    pub detail: Detail,
    /// What it touches.
    pub links: Vec<Link>,
}

/// A sentence, or counts that add up to one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Detail {
    /// A sentence that replaces the one before.
    Says(String),
    /// So many lines and units more of this.
    Counts(Quantity, Quantity, String),
}

fn holds(cause: String, kind: Kind, subject: &str, detail: Detail, links: Vec<Link>) -> Notice {
    let subject = subject.to_owned();
    Notice { cause, verdict: Verdict::Holds(Finding { kind, subject, detail, links }) }
}

fn gone(cause: String, why: &str) -> Notice {
    Notice { cause, verdict: Verdict::Gone(why.to_owned()) }
}

/// What an event says. `turns` are correlations of turns of the day: promises that slide with the
/// day are not told apart, since the late purchase behind them has an exception of its own. An
/// event that does not read says nothing; the audit chain has it all the same.
#[must_use]
pub fn notices(event: &Event, zone: Zone, turns: &[String]) -> Vec<Notice> {
    match event.kind() {
        OrderPastDue::TYPE => past_due(event),
        ItemPegged::TYPE => pegged(event, turns),
        PromotionRiskChanged::TYPE => promotion(event),
        AvailabilityChanged::TYPE => protections(event),
        ProtectionEnded::TYPE => {
            let ended = event.read::<ProtectionEnded>();
            ended
                .map(|it| vec![gone(protection_cause(it.protection.as_str()), "it was ended")])
                .unwrap_or_default()
        }
        ScoreChanged::TYPE => score(event),
        LineOverdue::TYPE => overdue(event),
        ReservationShipped::TYPE => shipped(event),
        OrderChanged::TYPE => order_changed(event),
        kind if kind.ends_with(".event-parked") => parked(event),
        kind if kind.ends_with(".event-replayed") => {
            vec![gone(parked_cause(event, &event.what.subject), "it was replayed")]
        }
        kind if kind.ends_with(".event-dismissed") => {
            vec![gone(parked_cause(event, &event.what.subject), "it was dismissed")]
        }
        kind if kind.ends_with(".access-refused") => refused(event),
        kind if kind.starts_with("procurement.order-") => purchase(event, zone),
        _ => Vec::new(),
    }
}

fn past_due_cause(order: &str, line: u32) -> String {
    format!("order-past-due/{order}/{line}")
}

fn past_due(event: &Event) -> Vec<Notice> {
    let Ok(late) = event.read::<OrderPastDue>() else { return Vec::new() };
    let detail = format!(
        "{} of {} were due from {} at {} on {} and have not come",
        late.quantity, late.sku, late.supplier, late.node, late.day
    );
    let links = vec![
        link(Thing::PurchaseOrder, late.order.as_str()),
        link(Thing::Supplier, late.supplier.as_str()),
        link(Thing::Item, late.sku.as_str()),
    ];
    let cause = past_due_cause(late.order.as_str(), late.line);
    let detail = Detail::Says(detail);
    vec![holds(cause, Kind::OrderPastDue, late.order.as_str(), detail, links)]
}

/// A purchase order moved on: lines with nothing left before today are no longer past due.
fn purchase(event: &Event, zone: Zone) -> Vec<Notice> {
    let order = serde_json::from_value::<OrderState>(event.what.data.clone());
    let Ok(order) = order else { return Vec::new() };
    let today = event.origin.at.day_in(zone);
    let lines = order.lines.iter();
    let settled = lines.filter(|line| {
        let late = |day: Day| day < today;
        !line.schedule.iter().any(|part| part.quantity > 0 && late(part.day))
    });
    let order_id = order.order.as_str();
    settled
        .map(|line| gone(past_due_cause(order_id, line.line), "it came, or has a later day"))
        .collect()
}

fn pegged(event: &Event, turns: &[String]) -> Vec<Notice> {
    let Ok(pegged) = event.read::<ItemPegged>() else { return Vec::new() };
    let mut notices: Vec<Notice> = Vec::new();
    for moved in &pegged.moved {
        if moved.new_day.is_none_or(|day| day >= pegged.today) {
            let cause = overdue_cause(moved.order.as_str(), moved.sku.as_str());
            notices.push(gone(cause, "it has a new promise"));
        }
    }
    if turns.contains(&event.origin.correlation) {
        return notices;
    }
    let mut channels: BTreeMap<&str, Vec<&PromiseMove>> = BTreeMap::new();
    for moved in pegged.moved.iter().filter(|moved| is_later(moved)) {
        channels.entry(moved.channel.as_str()).or_default().push(moved);
    }
    let correlation = event.origin.correlation.as_str();
    for (channel, moves) in channels {
        let units = moves.iter().fold(0i64, |sum, one| sum.saturating_add(one.quantity));
        let lines = i64::try_from(moves.len()).unwrap_or(i64::MAX);
        let counts = Detail::Counts(lines, units, format!("promised later on {channel}"));
        let links = vec![link(Thing::Cascade, correlation), link(Thing::Channel, channel)];
        let cause = format!("promise-later/{correlation}/{channel}");
        notices.push(holds(cause, Kind::PromiseLater, channel, counts, links));
    }
    notices
}

/// Whether a promise that was given moved to a later day, or to none.
fn is_later(moved: &PromiseMove) -> bool {
    let Some(old) = moved.old_day else { return false };
    !moved.first && moved.new_day.is_none_or(|new| new > old)
}

fn promotion(event: &Event) -> Vec<Notice> {
    let Ok(risk) = event.read::<PromotionRiskChanged>() else { return Vec::new() };
    let cause = format!("promotion-at-risk/{}", risk.promotion);
    if risk.units_short <= 0 {
        return vec![gone(cause, "it is covered")];
    }
    let from = risk.first_day.map(|day| format!(", first on {day}")).unwrap_or_default();
    let worth = risk.revenue.map(|revenue| format!(", worth {revenue}")).unwrap_or_default();
    let detail = format!("{} units of {} short{from}{worth}", risk.units_short, risk.sku);
    let links = vec![
        link(Thing::Promotion, risk.promotion.as_str()),
        link(Thing::Item, risk.sku.as_str()),
        link(Thing::Cascade, &event.origin.correlation),
    ];
    let says = Detail::Says(detail);
    vec![holds(cause, Kind::PromotionAtRisk, risk.promotion.as_str(), says, links)]
}

fn protection_cause(protection: &str) -> String {
    format!("protection-short/{protection}")
}

fn protections(event: &Event) -> Vec<Notice> {
    let Ok(changed) = event.read::<AvailabilityChanged>() else { return Vec::new() };
    let protections = changed.protections.iter();
    let notice = |protection: &tradewind_kernel::events::inventory::ProtectionChange| {
        let cause = protection_cause(protection.id.as_str());
        if protection.short_after <= 0 {
            return gone(cause, "it is served");
        }
        let short = protection.short_after;
        let detail = format!("{short} units of {} short of what is protected", changed.sku);
        let links = vec![
            link(Thing::Protection, protection.id.as_str()),
            link(Thing::Item, changed.sku.as_str()),
            link(Thing::Cascade, &event.origin.correlation),
        ];
        let says = Detail::Says(detail);
        holds(cause, Kind::ProtectionShort, protection.id.as_str(), says, links)
    };
    protections.map(notice).collect()
}

fn score(event: &Event) -> Vec<Notice> {
    let Ok(changed) = event.read::<ScoreChanged>() else { return Vec::new() };
    let cause = format!("supplier-score-low/{}", changed.supplier);
    // These two count lines; fill rate and quality count units.
    let of_lines = [ScoreMeasure::OnTimeInFull, ScoreMeasure::ConfirmationReliability];
    let evidence = changed.parts.iter().filter(|part| of_lines.contains(&part.name));
    let lines = evidence.map(|part| part.of).max().unwrap_or(0);
    let Some(score) = changed.after.filter(|score| score.0 < LOW_SCORE && lines >= SCORE_LINES)
    else {
        return vec![gone(cause, "the score is no longer low")];
    };
    let before = changed.before.map_or("none".to_owned(), |score| score.to_string());
    let says = Detail::Says(format!("the score is {score} (before: {before})"));
    let links = vec![link(Thing::Supplier, changed.supplier.as_str())];
    vec![holds(cause, Kind::SupplierScoreLow, changed.supplier.as_str(), says, links)]
}

fn overdue_cause(order: &str, sku: &str) -> String {
    format!("line-overdue/{order}/{sku}")
}

fn overdue(event: &Event) -> Vec<Notice> {
    let Ok(line) = event.read::<LineOverdue>() else { return Vec::new() };
    let (order, sku) = (line.order.as_str(), line.sku.as_str());
    let what = format!("of {sku} promised for {} and not shipped", line.promised);
    let links = vec![link(Thing::Order, order), link(Thing::Item, sku)];
    let counts = Detail::Counts(1, line.quantity, what);
    vec![holds(overdue_cause(order, sku), Kind::LineOverdue, order, counts, links)]
}

fn shipped(event: &Event) -> Vec<Notice> {
    let Ok(shipped) = event.read::<ReservationShipped>() else { return Vec::new() };
    let order = shipped.order.as_str();
    let less = shipped.lines.iter().map(|line| Notice {
        cause: overdue_cause(order, line.sku.as_str()),
        verdict: Verdict::Less(line.quantity),
    });
    less.collect()
}

fn order_changed(event: &Event) -> Vec<Notice> {
    let Ok(changed) = event.read::<OrderChanged>() else { return Vec::new() };
    let order = changed.order.as_str();
    let skus = changed.dropped.iter();
    skus.map(|sku| gone(overdue_cause(order, sku.as_str()), "the order no longer has it")).collect()
}

fn parked_cause(event: &Event, parked: &str) -> String {
    format!("event-parked/{}/{parked}", event.domain)
}

fn parked(event: &Event) -> Vec<Notice> {
    let parked = serde_json::from_value::<EventParked>(event.what.data.clone());
    let Ok(parked) = parked else { return Vec::new() };
    let says = format!("{} could not process {}: {}", event.domain, parked.kind, parked.why);
    let links =
        vec![parked_link(event.domain, &parked.event), link(Thing::Cascade, &parked.correlation)];
    let cause = parked_cause(event, &parked.event);
    vec![holds(cause, Kind::EventParked, &parked.event, Detail::Says(says), links)]
}

fn refused(event: &Event) -> Vec<Notice> {
    let refused = serde_json::from_value::<AccessRefused>(event.what.data.clone());
    let Ok(refused) = refused else { return Vec::new() };
    let subject = event.what.subject.as_str();
    let further = i64::try_from(refused.further).unwrap_or(i64::MAX);
    let what = format!("attempts by {subject}, the last {} ({})", refused.attempt, refused.code);
    let counts = Detail::Counts(further.saturating_add(1), 0, what);
    let cause = format!("access-refused/{subject}");
    vec![holds(cause, Kind::AccessRefused, subject, counts, Vec::new())]
}
