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

/// Declares the type of each payload.
macro_rules! payloads {
    ($($payload:ty => $kind:literal),+ $(,)?) => {
        $(impl $crate::event::Payload for $payload {
            const TYPE: &'static str = $kind;
        })+
    };
}
pub(crate) use payloads;
