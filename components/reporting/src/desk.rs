//! The desk: what is wrong now, and the exceptions that say so, while events are worked through.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use tradewind_kernel::event::{Event, Payload};
use tradewind_kernel::events::procurement::OrderState;
use tradewind_kernel::events::suppliers::{StatusChanged, SupplierStatus};
use tradewind_kernel::{Decision, Id, Quantity};

use crate::exception::{Exception, Kind, Status, write};
use crate::keys;
use crate::link::{Thing, link};
use crate::notice::{Detail, Finding, Notice, Verdict};

/// What reporting remembers of a supplier.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SupplierNote {
    /// It is suspended or blocked.
    pub stopped: bool,
    /// Released orders with something open.
    pub open: BTreeSet<Id>,
}

/// What was read, and what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Desk {
    /// Causes that were asked for, with the open exception of those that are watched.
    pub watches: BTreeMap<String, Option<Id>>,
    /// The exceptions of those causes.
    pub exceptions: BTreeMap<Id, Exception>,
    /// The suppliers that were asked for.
    pub suppliers: BTreeMap<Id, SupplierNote>,
    touched: BTreeSet<Id>,
    rewatched: BTreeSet<String>,
    renoted: BTreeSet<Id>,
}

/// The supplier that an event may be about, for [`Desk::suppliers`].
#[must_use]
pub fn supplier_of(event: &Event) -> Option<Id> {
    if event.kind() == StatusChanged::TYPE {
        return event.read::<StatusChanged>().ok().map(|changed| changed.supplier);
    }
    order_of(event).map(|order| order.supplier)
}

fn order_of(event: &Event) -> Option<OrderState> {
    if !event.kind().starts_with("procurement.order-") {
        return None;
    }
    serde_json::from_value(event.what.data.clone()).ok()
}

/// The cause that a supplier with open orders is stopped.
#[must_use]
pub fn stopped_cause(supplier: &Id) -> String {
    format!("supplier-stopped/{supplier}")
}

impl Desk {
    /// Takes in what an event says.
    pub fn take(&mut self, event: &Event, notices: Vec<Notice>) {
        let of_supplier = self.supplier(event);
        for (place, notice) in (0_u16..).zip(notices.into_iter().chain(of_supplier)) {
            match notice.verdict {
                Verdict::Holds(finding) => {
                    let id = exception_id(event, place);
                    self.open(event, &notice.cause, finding, id);
                }
                Verdict::Less(quantity) => self.lessen(event, &notice.cause, quantity),
                Verdict::Gone(why) => self.end(event, &notice.cause, &why),
            }
        }
    }

    fn watched(&mut self, cause: &str) -> Option<&mut Exception> {
        let id = self.watches.get(cause)?.clone()?;
        let exception = self.exceptions.get_mut(&id)?;
        self.touched.insert(id);
        Some(exception)
    }

    fn open(&mut self, event: &Event, cause: &str, finding: Finding, id: Id) {
        if let Some(exception) = self.watched(cause) {
            let before = exception.detail.clone();
            settle_detail(exception, finding.detail);
            if exception.detail != before {
                let detail = exception.detail.clone();
                exception.note_event(event, &detail);
            }
            return;
        }
        let mut exception = Exception {
            id: id.clone(),
            kind: finding.kind,
            cause: cause.to_owned(),
            subject: finding.subject,
            detail: String::new(),
            lines: 0,
            units: 0,
            opened_at: event.origin.at,
            status: Status::Open,
            closed_at: None,
            correlation_id: event.origin.correlation.clone(),
            links: finding.links,
            history: Vec::new(),
        };
        settle_detail(&mut exception, finding.detail);
        let detail = format!("opened: {}", exception.detail);
        exception.note_event(event, &detail);
        self.touched.insert(id.clone());
        self.exceptions.insert(id.clone(), exception);
        self.watches.insert(cause.to_owned(), Some(id));
        self.rewatched.insert(cause.to_owned());
    }

    fn lessen(&mut self, event: &Event, cause: &str, quantity: Quantity) {
        let Some(exception) = self.watched(cause) else { return };
        exception.units = exception.units.saturating_sub(quantity);
        if exception.units > 0 {
            let left = exception.units;
            exception.note_event(event, &format!("{quantity} units less, {left} left"));
        } else {
            self.end(event, cause, "it has shipped");
        }
    }

    fn end(&mut self, event: &Event, cause: &str, why: &str) {
        let Some(exception) = self.watched(cause) else { return };
        exception.note_event(event, &format!("closed: {why}"));
        (exception.status, exception.closed_at) = (Status::Closed, Some(event.origin.at));
        self.watches.insert(cause.to_owned(), None);
        self.rewatched.insert(cause.to_owned());
    }

    /// Keeps the supplier's note, and says whether it is stopped with open orders.
    fn supplier(&mut self, event: &Event) -> Option<Notice> {
        let supplier = supplier_of(event)?;
        let before = self.suppliers.get(&supplier).cloned().unwrap_or_default();
        let mut note = before.clone();
        if let Some(order) = order_of(event) {
            let open = order.is_supply() && order.lines.iter().any(|line| line.open > 0);
            if open {
                note.open.insert(order.order);
            } else {
                note.open.remove(&order.order);
            }
        } else if let Ok(changed) = event.read::<StatusChanged>() {
            let stopping = [SupplierStatus::Suspended, SupplierStatus::Blocked];
            note.stopped = stopping.contains(&changed.to);
        }
        if note == before {
            return None;
        }
        self.renoted.insert(supplier.clone());
        self.suppliers.insert(supplier.clone(), note.clone());
        let cause = stopped_cause(&supplier);
        if !note.stopped || note.open.is_empty() {
            let why = if note.stopped { "no order is open" } else { "it may deliver again" };
            return Some(Notice { cause, verdict: Verdict::Gone(why.to_owned()) });
        }
        let count = note.open.len();
        let detail =
            Detail::Says(format!("{supplier} may not deliver and has {count} open orders"));
        let mut links = vec![link(Thing::Supplier, supplier.as_str())];
        links.extend(note.open.iter().take(20).map(|it| link(Thing::PurchaseOrder, it.as_str())));
        let (kind, subject) = (Kind::SupplierStopped, supplier.to_string());
        let finding = Finding { kind, subject, detail, links };
        Some(Notice { cause, verdict: Verdict::Holds(finding) })
    }

    /// Writes what changed.
    pub fn write(&self, decision: &mut Decision) {
        for id in &self.touched {
            if let Some(exception) = self.exceptions.get(id) {
                write(decision, exception);
            }
        }
        for cause in &self.rewatched {
            match self.watches.get(cause).cloned().flatten() {
                Some(id) => decision.put_member(keys::WATCHES, cause.as_str(), &id),
                None => decision.delete_member(keys::WATCHES, cause.as_str()),
            }
        }
        for supplier in &self.renoted {
            match self.suppliers.get(supplier).filter(|note| **note != SupplierNote::default()) {
                Some(note) => decision.put_member(keys::SUPPLIERS, supplier.as_str(), note),
                None => decision.delete_member(keys::SUPPLIERS, supplier.as_str()),
            }
        }
    }
}

/// The id of the exception that the notice at this place of an event opens: the same however often
/// the event is worked through, and sorted as the events are.
fn exception_id(event: &Event, place: u16) -> Id {
    let unique = (u128::from(event.sequence) << 16) | u128::from(place);
    Id::unique("exc", event.origin.at, unique)
}

fn settle_detail(exception: &mut Exception, detail: Detail) {
    exception.detail = match detail {
        Detail::Says(text) => text,
        Detail::Counts(lines, units, what) => {
            exception.lines = exception.lines.saturating_add(lines);
            exception.units = exception.units.saturating_add(units);
            match exception.units {
                0 => format!("{} {what}", exception.lines),
                units if exception.lines == 1 => format!("{units} units in 1 line {what}"),
                units => format!("{units} units in {} lines {what}", exception.lines),
            }
        }
    };
}
