//! Exception: something that a person must look at.
//!
//! It has a kind, a severity, the role that owns it, a time by which it is due, links to what it
//! touches, and a history until it is closed. There is at most one open exception for one cause:
//! news of it go into that one's history. It closes by itself when its cause is gone; otherwise
//! its owner closes it with a reason.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tradewind_kernel::event::Event;
use tradewind_kernel::events::reporting::ExceptionClosed;
use tradewind_kernel::published::{Actor, EventId};
use tradewind_kernel::refusal::Faults;
use tradewind_kernel::{Decision, Id, Instant, NewEvent, Quantity, Refusal, Role};
use utoipa::ToSchema;

use crate::keys;
use crate::link::Link;

/// Entries of a history that are kept: the first, and the newest.
pub const MAX_HISTORY: usize = 50;

/// The longest reason of a closing.
pub const MAX_REASON: usize = 500;

/// Seconds in an hour.
const HOUR: i64 = 3600;

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The day of an open purchase line has passed without a receipt.
    OrderPastDue,
    /// A cascade moved promises of a channel to a later day, or took them away.
    PromiseLater,
    /// A promotion is short of units.
    PromotionAtRisk,
    /// A protection cannot be served.
    ProtectionShort,
    /// A supplier's score is low.
    SupplierScoreLow,
    /// A supplier with open orders was suspended or blocked.
    SupplierStopped,
    /// A line could have shipped by its promised day and has not.
    LineOverdue,
    /// An event could not be processed.
    EventParked,
    /// Somebody tried what they may not.
    AccessRefused,
}

impl Kind {
    /// The role that owns it.
    #[must_use]
    pub fn owner(self) -> Role {
        match self {
            Self::OrderPastDue | Self::SupplierScoreLow | Self::SupplierStopped => Role::Buyer,
            Self::PromiseLater | Self::PromotionAtRisk | Self::ProtectionShort => Role::Planner,
            Self::LineOverdue => Role::Warehouse,
            Self::EventParked | Self::AccessRefused => Role::Admin,
        }
    }

    /// How bad it is.
    #[must_use]
    pub fn severity(self) -> Severity {
        match self {
            Self::SupplierStopped | Self::EventParked => Severity::Critical,
            Self::OrderPastDue
            | Self::PromotionAtRisk
            | Self::ProtectionShort
            | Self::LineOverdue => Severity::High,
            Self::PromiseLater | Self::SupplierScoreLow => Severity::Medium,
            Self::AccessRefused => Severity::Low,
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OrderPastDue => "order-past-due",
            Self::PromiseLater => "promise-later",
            Self::PromotionAtRisk => "promotion-at-risk",
            Self::ProtectionShort => "protection-short",
            Self::SupplierScoreLow => "supplier-score-low",
            Self::SupplierStopped => "supplier-stopped",
            Self::LineOverdue => "line-overdue",
            Self::EventParked => "event-parked",
            Self::AccessRefused => "access-refused",
        }
    }
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Severity {
    Critical,
    High,
    Medium,
    Low,
}

impl Severity {
    /// Hours until it is due: within the shift, the day, three days, the week.
    #[must_use]
    pub fn hours(self) -> i64 {
        match self {
            Self::Critical => 4,
            Self::High => 24,
            Self::Medium => 72,
            Self::Low => 168,
        }
    }
}

/// Whether somebody must still look at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Status {
    Open,
    Closed,
}

/// Something that happened to an exception.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HistoryEntry {
    /// When.
    pub at: Instant,
    /// Who, or `system`.
    #[schema(value_type = Actor)]
    pub by: String,
    /// What, in words.
    #[schema(format = "free-text")]
    pub what: String,
    /// The event behind it; null for a person's closing.
    #[schema(value_type = Option<EventId>)]
    pub event: Option<String>,
}

/// An exception as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exception {
    /// Its id.
    pub id: Id,
    /// What is wrong.
    pub kind: Kind,
    /// Its cause, by the name under which it is watched.
    pub cause: String,
    /// What it is about.
    pub subject: String,
    /// A sentence.
    pub detail: String,
    /// Lines counted so far, where it counts.
    pub lines: Quantity,
    /// Units counted so far, where it counts.
    pub units: Quantity,
    /// When it was opened.
    pub opened_at: Instant,
    /// Whether it is open.
    pub status: Status,
    /// When it was closed.
    pub closed_at: Option<Instant>,
    /// The cascade that opened it.
    pub correlation_id: String,
    /// What it touches.
    pub links: Vec<Link>,
    /// What happened to it.
    pub history: Vec<HistoryEntry>,
}

/// An exception as it is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ExceptionView {
    /// Its id.
    pub id: Id,
    /// What is wrong.
    pub kind: Kind,
    /// How bad it is.
    pub severity: Severity,
    /// The role that owns it.
    pub owner: Role,
    /// What it is about.
    #[schema(format = "free-text")]
    pub subject: String,
    /// A sentence.
    #[schema(format = "free-text")]
    pub detail: String,
    /// When it was opened.
    pub opened_at: Instant,
    /// By when it should be closed.
    pub due: Instant,
    /// The role to which it goes when it is still open then.
    pub escalates_to: Role,
    /// Whether it has gone there.
    pub escalated: bool,
    /// Whether it is open.
    pub status: Status,
    /// When it was closed.
    pub closed_at: Option<Instant>,
    /// The cascade that opened it.
    #[schema(value_type = Id)]
    pub correlation_id: String,
    /// What it touches.
    pub links: Vec<Link>,
    /// What happened to it.
    pub history: Vec<HistoryEntry>,
}

impl Exception {
    /// Notes something in the history; the first entry always stays.
    pub fn note(&mut self, at: Instant, by: &str, what: &str, event: Option<String>) {
        if self.history.len() >= MAX_HISTORY {
            self.history.remove(1);
        }
        self.history.push(HistoryEntry { at, by: by.to_owned(), what: what.to_owned(), event });
    }

    /// Notes what an event did to it.
    pub fn note_event(&mut self, event: &Event, what: &str) {
        self.note(event.origin.at, "system", what, Some(event.id()));
    }

    /// As it is answered, now.
    #[must_use]
    pub fn view(&self, now: Instant) -> Value {
        let severity = self.kind.severity();
        let due = self.opened_at.plus_seconds(severity.hours().saturating_mul(HOUR));
        json!(ExceptionView {
            id: self.id.clone(),
            kind: self.kind,
            severity,
            owner: self.kind.owner(),
            subject: self.subject.clone(),
            detail: self.detail.clone(),
            opened_at: self.opened_at,
            due,
            escalates_to: Role::Admin,
            escalated: self.status == Status::Open && now > due,
            status: self.status,
            closed_at: self.closed_at,
            correlation_id: self.correlation_id.clone(),
            links: self.links.clone(),
            history: self.history.clone(),
        })
    }
}

/// What a person says when closing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "reason": "customers were told" }))]
pub struct CloseException {
    /// Why it needs nobody's attention any more; white space alone says nothing.
    #[schema(min_length = 1, max_length = 500)]
    pub reason: String,
}

/// Closes an exception by hand.
///
/// # Errors
/// 422 `reason-missing`, then 409 `exception-closed`.
pub fn close(
    exception: &Exception,
    command: &CloseException,
    by: &str,
    now: Instant,
) -> Result<Decision, Refusal> {
    let length = command.reason.trim().chars().count();
    let mut faults = Faults::new();
    let detail = "a closing needs a reason of 1 to 500 characters";
    faults.require((1..=MAX_REASON).contains(&length), "/reason", "reason-missing", detail);
    faults.check()?;
    if exception.status == Status::Closed {
        return Err(Refusal::conflict("exception-closed", "this exception is closed already"));
    }
    let mut next = exception.clone();
    next.note(now, by, &format!("closed: {}", command.reason.trim()), None);
    (next.status, next.closed_at) = (Status::Closed, Some(now));
    let mut decision = Decision::default();
    write(&mut decision, &next);
    decision.delete_member(keys::WATCHES, next.cause.as_str());
    let told = ExceptionClosed {
        exception: next.id.clone(),
        kind: next.kind.name().to_owned(),
        reason: command.reason.trim().to_owned(),
    };
    decision.event(NewEvent::of(next.id.as_str(), &told));
    Ok(decision.reply(200, next.view(now)))
}

/// Writes an exception and puts it into its lists.
pub fn write(decision: &mut Decision, exception: &Exception) {
    let id = exception.id.as_str();
    decision.put(keys::exception(&exception.id), exception);
    decision.index(keys::EXCEPTIONS, id, 0);
    match exception.status {
        Status::Open => decision.index(keys::OPEN_EXCEPTIONS, id, 0),
        Status::Closed => {
            decision.unindex(keys::OPEN_EXCEPTIONS, id);
            decision.index(keys::CLOSED_EXCEPTIONS, id, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open() -> Exception {
        Exception {
            id: "exc_1".parse().unwrap(),
            kind: Kind::OrderPastDue,
            cause: "order-past-due/PO-1/1".to_owned(),
            subject: "PO-1".to_owned(),
            detail: "late".to_owned(),
            lines: 0,
            units: 0,
            opened_at: Instant::from_millis(0),
            status: Status::Open,
            closed_at: None,
            correlation_id: "c".to_owned(),
            links: Vec::new(),
            history: Vec::new(),
        }
    }

    #[test]
    fn closings_need_a_reason_and_something_open() {
        let closed = Exception { status: Status::Closed, ..open() };
        for (exception, reason, wanted) in [
            (open(), "arrived by van", None),
            (open(), "  ", Some("reason-missing")),
            (closed.clone(), "", Some("reason-missing")),
            (closed, "again", Some("exception-closed")),
        ] {
            let command = CloseException { reason: reason.to_owned() };
            let refusal = close(&exception, &command, "bob", Instant::from_millis(5)).err();
            assert_eq!(refusal.as_ref().map(|it| it.code.as_str()), wanted, "{reason}");
        }
    }

    #[test]
    fn it_escalates_after_its_hours() {
        let exception = open();
        for (hours, wanted) in [(24, false), (25, true)] {
            let view = exception.view(Instant::from_millis(hours * 3_600_000));
            assert_eq!(view["escalated"], wanted);
        }
    }

    #[test]
    fn a_history_keeps_its_beginning() {
        let mut exception = open();
        for number in 0..200 {
            exception.note(Instant::from_millis(number), "system", &number.to_string(), None);
        }
        assert_eq!(exception.history.len(), MAX_HISTORY);
        assert_eq!(
            (exception.history[0].what.as_str(), exception.history[49].what.as_str()),
            ("0", "199")
        );
    }
}
