//! The inventory domain.

pub mod availability;
pub mod pegging;
pub mod promise;
pub mod split;
