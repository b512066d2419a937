//! A supplier: whom goods are bought from, and on what terms.
//!
//! A new one is a prospect; its status moves by [`status`](crate::status) alone, so that changing
//! a name never changes whether orders may be released.

use serde::{Deserialize, Serialize};
use tradewind_kernel::decision::Decision;
use tradewind_kernel::event::NewEvent;
use tradewind_kernel::events::suppliers::{SupplierSet, SupplierStatus};
use tradewind_kernel::published::Version;
use tradewind_kernel::refusal::{Faults, Refusal};
use tradewind_kernel::{Calendar, Currency, Day, Id, Money};
use utoipa::ToSchema;

use crate::keys;

/// A supplier as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Supplier {
    /// Its id.
    pub id: Id,
    /// What it is called.
    #[schema(format = "free-text")]
    pub name: String,
    /// Its class, for approval rules.
    #[schema(format = "free-text")]
    pub class: Option<String>,
    /// The currency it is paid in.
    pub currency: Currency,
    /// Days from receipt to payment.
    pub terms_days: u32,
    /// Its working days.
    pub calendar: Calendar,
    /// Its country, as it was entered.
    #[schema(format = "free-text")]
    pub country: Option<String>,
    /// Whether orders may be released to it.
    pub status: SupplierStatus,
    /// What open orders may sum to while it is conditional.
    pub limit: Option<Money>,
}

/// A supplier and the version of its record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SupplierAnswer {
    /// The supplier.
    #[serde(flatten)]
    pub supplier: Supplier,
    /// The version, as in `ETag`.
    #[schema(value_type = Version)]
    pub version: String,
}

/// What a caller may set of a supplier; what is left out gets its default.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "Lisbon Knits", "currency": "EUR", "terms_days": 30, "country": "PT" }))]
pub struct SupplierTerms {
    /// What it is called.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// Its class, for approval rules.
    #[schema(min_length = 1, max_length = 64)]
    pub class: Option<String>,
    /// The currency it is paid in; the tenant's base currency unless given.
    pub currency: Option<Currency>,
    /// Days from receipt to payment.
    #[serde(default = "net_thirty")]
    #[schema(default = 30, maximum = 365)]
    pub terms_days: u32,
    /// Its working days, one within a year at least; every day unless given.
    #[serde(default)]
    pub calendar: Calendar,
    /// Its country.
    #[schema(min_length = 1, max_length = 64)]
    pub country: Option<String>,
}

/// Net 30: payment 30 days after receipt (domain.md §7).
fn net_thirty() -> u32 {
    30
}

/// Makes or changes a supplier.
///
/// # Errors
/// 422 when its calendar has no working day.
pub fn set(
    id: &Id,
    terms: SupplierTerms,
    base: Currency,
    today: Day,
    current: Option<(u64, Supplier)>,
) -> Result<Decision, Refusal> {
    let mut faults = Faults::new();
    let opens = terms.calendar.opens_after(today);
    let detail = "the calendar has no working day within a year";
    faults.require(opens, "/calendar", "calendar-never-opens", detail);
    faults.check()?;
    let before = current.as_ref().map(|(_, supplier)| supplier);
    let supplier = Supplier {
        id: id.clone(),
        name: terms.name,
        class: terms.class,
        currency: terms.currency.unwrap_or(base),
        terms_days: terms.terms_days,
        calendar: terms.calendar,
        country: terms.country,
        status: before.map_or(SupplierStatus::Prospect, |supplier| supplier.status),
        limit: before.and_then(|supplier| supplier.limit),
    };
    if let Some((version, same)) = current.as_ref().filter(|(_, kept)| *kept == supplier) {
        return Ok(Decision::unchanged(answer(same, *version), *version));
    }
    let mut decision = Decision::default();
    decision.put(keys::supplier(id), &supplier);
    decision.index(keys::SUPPLIERS, id.as_str(), 0);
    decision.event(NewEvent::of(id.as_str(), &told(&supplier)));
    let body = answer(&supplier, 0);
    Ok(match current {
        Some(_) => decision.reply(200, body),
        None => decision.created(format!("/suppliers/v1/suppliers/{id}"), body),
    })
}

/// The supplier as others see it.
#[must_use]
pub fn answer(supplier: &Supplier, version: u64) -> serde_json::Value {
    serde_json::json!(SupplierAnswer { supplier: supplier.clone(), version: version.to_string() })
}

fn told(supplier: &Supplier) -> SupplierSet {
    SupplierSet {
        supplier: supplier.id.clone(),
        name: supplier.name.clone(),
        class: supplier.class.clone(),
        currency: supplier.currency,
        terms_days: supplier.terms_days,
        calendar: supplier.calendar.clone(),
        country: supplier.country.clone(),
        status: supplier.status,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(json: &str) -> SupplierTerms {
        serde_json::from_str(json).unwrap()
    }

    fn today() -> Day {
        "2026-12-01".parse().unwrap()
    }

    fn id() -> Id {
        "S1".parse().unwrap()
    }

    fn made() -> Supplier {
        let decision =
            set(&id(), terms(r#"{"name":"Acme"}"#), Currency::USD, today(), None).unwrap();
        assert_eq!(decision.reply.status, 201);
        let mut body = decision.reply.body;
        body.as_object_mut().unwrap().remove("version");
        serde_json::from_value(body).unwrap()
    }

    #[test]
    fn a_new_supplier_is_a_prospect_with_the_defaults() {
        let supplier = made();
        assert_eq!(supplier.status, SupplierStatus::Prospect);
        assert_eq!((supplier.currency, supplier.terms_days), (Currency::USD, 30));
        assert_eq!(supplier.calendar, Calendar::default());
    }

    #[test]
    fn a_change_keeps_the_status_and_the_same_again_changes_nothing() {
        let kept = Supplier { status: SupplierStatus::Approved, ..made() };
        let again = terms(r#"{"name":"Acme"}"#);
        let same = set(&id(), again, Currency::USD, today(), Some((7, kept.clone()))).unwrap();
        assert!(same.is_empty());
        assert_eq!((same.reply.status, same.reply.version), (200, Some(7)));
        let renamed = terms(r#"{"name":"Acme Ltd","terms_days":45}"#);
        let changed = set(&id(), renamed, Currency::USD, today(), Some((7, kept))).unwrap();
        assert_eq!(changed.reply.status, 200);
        assert_eq!(changed.reply.body["status"], "approved");
        assert_eq!(changed.reply.body["terms_days"], 45);
    }

    #[test]
    fn a_supplier_that_never_works_is_refused() {
        let never = terms(r#"{"name":"Acme","calendar":{"open":[]}}"#);
        let refusal = set(&id(), never, Currency::USD, today(), None).unwrap_err();
        assert_eq!(refusal.faults[0].pointer, "/calendar");
        assert_eq!(refusal.code, "calendar-never-opens");
    }
}
