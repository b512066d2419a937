//! Every event in the system, a file per domain.
//!
//! Payloads are the vocabulary that crosses domains: they carry the state that another domain
//! needs, so that what it does rests on the event and its own records alone. A payload may gain
//! optional fields; it never loses or changes one. Readers ignore fields they do not know.

pub mod finance;
pub mod inventory;
pub mod planning;
pub mod procurement;
pub mod reporting;
pub mod suppliers;
pub mod system;

use crate::event::{Domain, Form};

/// Declares the type of each payload.
macro_rules! payloads {
    ($($payload:ty => $kind:literal),+ $(,)?) => {
        $(impl $crate::event::Payload for $payload {
            const TYPE: &'static str = $kind;
        })+

        /// The types of the domain's own events, and the form of their data.
        pub const FORMS: &[$crate::event::Form] = &[$($crate::event::Form::of::<$payload>($kind)),+];
    };
}
pub(crate) use payloads;

/// Every type of event that a domain's stream can hold, with the form of its data: its own, and
/// those that every domain can say.
pub fn forms(domain: Domain) -> impl Iterator<Item = (String, Form)> {
    let own = match domain {
        Domain::Suppliers => suppliers::FORMS,
        Domain::Procurement => procurement::FORMS,
        Domain::Inventory => inventory::FORMS,
        Domain::Planning => planning::FORMS,
        Domain::Finance => finance::FORMS,
        Domain::Reporting => reporting::FORMS,
    };
    let shared = system::FORMS.iter().map(move |form| (format!("{domain}.{}", form.kind), *form));
    own.iter().map(|form| (form.kind.to_owned(), *form)).chain(shared)
}
