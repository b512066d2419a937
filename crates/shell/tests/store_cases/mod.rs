//! The cases, each generic over the store.

pub mod checks;
pub mod leases;
pub mod streams;
pub mod values;
