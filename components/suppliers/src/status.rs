//! Where a supplier stands, and how that moves.
//!
//! | to \ from   | prospect | in-review | approved | conditional | suspended | blocked |
//! |-------------|----------|-----------|----------|-------------|-----------|---------|
//! | approved    | yes      | yes       |          | yes         | yes       | with a reason |
//! | conditional | yes      | yes       | yes      | other limit | yes       |         |
//! | suspended   |          |           | yes      | yes         |           |         |
//! | blocked     | yes      | yes       | yes      | yes         | yes       |         |
//!
//! Suspending stops a supplier that could be bought from, so a prospect cannot be suspended.
//! Blocking is meant to last: only an approver's approval, with a written reason, ends it.

use serde::Deserialize;
use tradewind_kernel::Money;
use tradewind_kernel::decision::Decision;
use tradewind_kernel::event::NewEvent;
use tradewind_kernel::events::suppliers::{StatusChanged, SupplierStatus};
use tradewind_kernel::refusal::{Fault, Faults, Refusal};
use utoipa::ToSchema;

use crate::keys;
use crate::supplier::{Supplier, answer};

/// A move of a supplier's status.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "reason": "audited in October" }))]
pub struct StatusMove {
    /// Why.
    #[schema(min_length = 1, max_length = 500)]
    pub reason: Option<String>,
    /// What open orders may sum to, more than nothing: required for a conditional supplier, refused
    /// otherwise.
    pub limit: Option<Money>,
}

use SupplierStatus::{Approved, Blocked, Conditional, InReview, Prospect, Suspended};

/// Whether the table above has a "yes" for this move; a conditional one with another limit is
/// handled before.
fn lawful(from: SupplierStatus, to: SupplierStatus) -> bool {
    match to {
        Approved => from != Approved,
        Conditional => matches!(from, Prospect | InReview | Approved | Suspended),
        Suspended => matches!(from, Approved | Conditional),
        Blocked => from != Blocked,
        Prospect | InReview => false,
    }
}

/// Moves a supplier to `to`.
///
/// # Errors
/// 422 for a missing or needless limit and a missing reason, 409 `status-transition` for a move
/// that the table does not have.
pub fn change(
    supplier: &Supplier,
    version: u64,
    to: SupplierStatus,
    command: &StatusMove,
) -> Result<Decision, Refusal> {
    check_limit(to, command.limit)?;
    let from = supplier.status;
    let relimited = from == Conditional && to == Conditional;
    if relimited && supplier.limit == command.limit {
        return Ok(Decision::unchanged(answer(supplier, version), version));
    }
    if !relimited && !lawful(from, to) {
        let detail = format!("a {} supplier cannot become {}", name(from), name(to));
        return Err(Refusal::conflict("status-transition", detail));
    }
    if from == Blocked && command.reason.is_none() {
        let detail = "a blocked supplier is approved again only with a reason";
        return Err(Refusal::invalid(vec![Fault::new("/reason", "reason-required", detail)]));
    }
    let changed = Supplier { status: to, limit: command.limit, ..supplier.clone() };
    assert!(changed.limit.is_some() == (to == Conditional), "only a conditional one has a limit");
    let mut decision = Decision::default();
    decision.put(keys::supplier(&supplier.id), &changed);
    let told = StatusChanged {
        supplier: supplier.id.clone(),
        from,
        to,
        reason: command.reason.clone(),
        limit: command.limit,
    };
    decision.event(NewEvent::of(supplier.id.as_str(), &told));
    Ok(decision.reply(200, answer(&changed, 0)))
}

fn check_limit(to: SupplierStatus, limit: Option<Money>) -> Result<(), Refusal> {
    let mut faults = Faults::new();
    match limit {
        None if to == Conditional => {
            let detail = "a conditional supplier needs a limit for its open orders";
            faults.add("/limit", "limit-required", detail);
        }
        Some(_) if to != Conditional => {
            faults.add("/limit", "limit-needless", "only a conditional supplier has a limit");
        }
        Some(limit) if limit.value().is_sign_negative() || limit.value().is_zero() => {
            faults.add("/limit/amount", "out-of-range", "a limit is more than nothing");
        }
        _ => {}
    }
    faults.check()
}

/// A status in words.
#[must_use]
pub fn name(status: SupplierStatus) -> &'static str {
    match status {
        Prospect => "prospect",
        InReview => "in-review",
        Approved => "approved",
        Conditional => "conditional",
        Suspended => "suspended",
        Blocked => "blocked",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_kernel::{Calendar, Currency};

    const ALL: [SupplierStatus; 6] =
        [Prospect, InReview, Approved, Conditional, Suspended, Blocked];

    fn usd(amount: &str) -> Money {
        Money { amount: amount.parse().unwrap(), currency: Currency::USD }
    }

    fn supplier(status: SupplierStatus) -> Supplier {
        Supplier {
            id: "S1".parse().unwrap(),
            name: "Acme".to_owned(),
            class: None,
            currency: Currency::USD,
            terms_days: 30,
            calendar: Calendar::default(),
            country: None,
            status,
            limit: (status == Conditional).then(|| usd("100")),
        }
    }

    #[test]
    fn the_table_of_moves() {
        let table = [
            (Approved, [true, true, false, true, true, true]),
            (Conditional, [true, true, true, true, true, false]),
            (Suspended, [false, false, true, true, false, false]),
            (Blocked, [true, true, true, true, true, false]),
        ];
        for (to, row) in table {
            for (from, allowed) in ALL.into_iter().zip(row) {
                let limit = (to == Conditional).then(|| usd("500"));
                let command = StatusMove { reason: Some("audit".to_owned()), limit };
                let moved = change(&supplier(from), 3, to, &command);
                assert_eq!(moved.is_ok(), allowed, "{from:?} to {to:?}");
                if let Err(refusal) = moved {
                    assert_eq!(
                        (refusal.code.as_str(), refusal.kind.status()),
                        ("status-transition", 409)
                    );
                }
            }
        }
    }

    #[test]
    fn limits_and_reasons_are_checked() {
        let cases = [
            (Prospect, Conditional, None, Some("why"), "limit-required"),
            (Prospect, Conditional, Some("0"), Some("why"), "out-of-range"),
            (Prospect, Conditional, Some("-1"), Some("why"), "out-of-range"),
            (Prospect, Approved, Some("9"), Some("why"), "limit-needless"),
            (Blocked, Approved, None, None, "reason-required"),
        ];
        for (from, to, limit, reason, code) in cases {
            let command = StatusMove { reason: reason.map(str::to_owned), limit: limit.map(usd) };
            let refusal = change(&supplier(from), 3, to, &command).unwrap_err();
            assert_eq!((refusal.code.as_str(), refusal.kind.status()), (code, 422));
        }
    }

    #[test]
    fn the_same_limit_again_changes_nothing_and_approval_ends_it() {
        let same = StatusMove { reason: None, limit: Some(usd("100")) };
        assert!(change(&supplier(Conditional), 3, Conditional, &same).unwrap().is_empty());
        let approved = change(&supplier(Conditional), 3, Approved, &StatusMove::default()).unwrap();
        assert_eq!(approved.reply.body["limit"], serde_json::Value::Null);
    }
}
